"""From a source to the store: exactly once, never silently less, and every fetch leaves a line."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from werkzeug import Response

import commonsight
import store
from sensors import http as http_module
from sensors import intake, source_state
from sensors.pull import FIRST_DAYS, going_on, make_table, package, unpack
from sensors.pull import pull as pull_from
from sensors.schedule import next_try
from sensors.sensor import Ask, Body
from sensors.source_state import FAILED, Fetches, FetchReport, open_until, state_of
from sensors.sources import available, source_named
from sensors.sources.usgs_water import SENSOR as WATER
from sensors.sources.wqp import SENSOR as WQP
from tests.conftest import ROOT
from tests.sources_kit import (
    PASSING,
    QUICK,
    RECORDINGS,
    Script,
    as_csv,
    faulty,
    json_answer,
    plain,
    wqx,
    wqx_row,
)

BOX = (-90.0, 43.0, -89.0, 44.0)
recorded = pytest.mark.skipif(not RECORDINGS.is_dir(), reason="needs ../shared/recordings")


@pytest.fixture(autouse=True)
def _no_waits_left_over(monkeypatch):
    monkeypatch.setattr(http_module, "_PACER", http_module._Pacer())


@pytest.fixture
def kept(tmp_path):
    opened = store.open_store(f"duckdb:{tmp_path / 'store'}")
    yield opened
    opened.close()


@pytest.fixture
def wqp(httpserver):
    """Let the Water Quality Portal stand on this machine; gives its script, with the good answer."""
    script = Script(plain(wqx(), "text/csv"))
    httpserver.expect_request("/Result/search").respond_with_handler(script)
    script.base_url = httpserver.url_for("/")
    return script


def says(script, body, **headers):
    script.answers = [lambda request: Response(body, content_type="text/csv", headers=headers)]


def pull(script, kept, sensor=WQP, *, options=None, incremental=False, **more):
    asked = sensor.ask(base_url=script.base_url, bbox=BOX, topic="groundwater", options=options or {})
    if incremental:
        asked, _ = going_on(sensor, asked, kept)
    asked = replace(asked, **more)
    return pull_from(sensor, asked, kept, guarded=False, caps=QUICK, sleep=lambda s: None, seed=1, force=True)


def values(kept):
    """Give what stands now: the reading's own name to what was written."""
    table = kept.observations(review="all")
    return dict(zip(table["observation_id"], table["result_text"], strict=True))


def test_a_fetch_is_one_batch_and_one_line(wqp, kept):
    report = pull(wqp, kept)
    assert (report.outcome, report.complete, report.rows_in, report.rows_out, report.added) == (
        "complete", True, 20, 20, 20)  # fmt: skip
    assert report.sites == 7
    assert len(report.bodies) == 1
    assert len(report.bodies[0]["sha256"]) == 64
    assert [b.batch for b in kept.history()] == [report.batch]
    assert [(r.batch, r.said) for r in Fetches(kept.home).of("wqp")] == [(report.batch, report.said)]
    table = kept.observations(review="all")
    below = table[table["censoring"] == "<"]
    assert len(below) == 4
    assert below["result"].isna().all()
    assert set(below["detection_limit"]) == {0.04}
    assert set(table["licence"]) == {WQP.licence}
    assert set(table["source_id"]) == {"wqp"}
    assert set(table["method_speciation"]) == {"as N"}


def test_the_same_again_adds_nothing_and_an_overlap_only_what_is_new(wqp, kept):
    first = pull(wqp, kept)
    again = pull(wqp, kept)
    assert (again.already, again.added, again.unchanged, again.batch) == (True, 0, 20, first.batch)
    says(wqp, wqx(range(10, 30)))
    more = pull(wqp, kept)
    assert (more.added, more.unchanged, more.corrected) == (10, 10, 0)
    assert len(values(kept)) == 30


def test_rows_in_another_order_and_rows_given_twice_change_nothing(wqp, kept):
    pull(wqp, kept)
    rows = [
        wqx_row(n, "", limit="0.04") if n % 5 == 0 else wqx_row(n, f"{n / 10 + 0.5:.2f}") for n in range(20)
    ]
    says(wqp, as_csv([*reversed(rows), *rows[:6]]))
    report = pull(wqp, kept)
    assert (report.added, report.corrected) == (0, 0)
    assert len(values(kept)) == 20


def test_a_value_changed_upstream_is_a_correction_and_the_old_one_stays_in_history(wqp, kept):
    pull(wqp, kept)
    says(wqp, wqx(change="1"))
    changed = pull(wqp, kept)
    assert (changed.added, changed.corrected) == (0, 16)
    assert values(kept)["R3"] == "0.801"
    assert [str(text) for text in kept.versions("R3")["result_text"]] == ["0.80", "0.801"]


def test_a_change_that_is_taken_back_counts_though_the_bytes_are_known(wqp, kept):
    pull(wqp, kept)
    says(wqp, wqx(change="1"))
    pull(wqp, kept)
    says(wqp, wqx())
    back = pull(wqp, kept)
    assert back.corrected == 16
    assert values(kept)["R3"] == "0.80"
    assert len(kept.versions("R3")) == 3
    for _ in range(3):
        assert pull(wqp, kept).corrected == 0
    assert len(kept.history()) <= 4


def test_nothing_where_there_was_something_is_suspect_and_the_readings_stay(wqp, kept):
    pull(wqp, kept)
    says(wqp, wqx([]))
    report = pull(wqp, kept)
    assert report.outcome == "suspect"
    assert not report.complete
    assert "7 sites" in report.said
    assert len(values(kept)) == 20
    state = state_of(WQP, Fetches(kept.home).of("wqp"))
    assert (state.state, state.sites, state.rows) == ("suspect", 7, 20)
    assert pull(wqp, kept).outcome == "suspect"  # for as long as it lasts
    says(wqp, wqx())
    assert pull(wqp, kept).outcome == "complete"
    assert state_of(WQP, Fetches(kept.home).of("wqp")).state == "ok"


def test_a_good_answer_to_another_question_heals_no_suspicion(wqp, kept):
    pull(wqp, kept)
    says(wqp, wqx([]))
    assert pull(wqp, kept).outcome == "suspect"
    says(wqp, wqx())
    assert pull(wqp, kept, site="TEST-1").good
    reports = Fetches(kept.home).of("wqp")
    assert state_of(WQP, reports).state == "suspect"
    assert pull(wqp, kept).good  # the doubtful question itself
    assert state_of(WQP, Fetches(kept.home).of("wqp")).state == "ok"


def test_nothing_where_there_never_was_anything_is_empty_and_good(wqp, kept):
    says(wqp, wqx([]))
    report = pull(wqp, kept)
    assert (report.outcome, report.complete, report.batch) == ("empty", True, None)
    assert kept.history() == []


def test_nothing_new_is_believed_if_the_source_still_knows_an_old_reading(wqp, kept):
    pull(wqp, kept)
    since = datetime(2025, 6, 1, tzinfo=UTC)

    def answer(request):
        return plain(wqx([]) if request.args.get("startDateLo") == "06-01-2025" else wqx(), "text/csv")

    wqp.answers = [answer]
    assert pull(wqp, kept, since=since).outcome == "empty"
    assert len(wqp.asked) == 3  # the second question is one whose answer is known
    says(wqp, wqx([]))
    assert pull(wqp, kept, since=since).outcome == "suspect"


def test_a_tenth_of_the_sites_is_suspect_too(wqp, kept):
    says(wqp, as_csv([wqx_row(n, "1.0", site=n) for n in range(30)]))
    pull(wqp, kept)
    says(wqp, as_csv([wqx_row(n, "1.5", site=n) for n in range(2)]))
    report = pull(wqp, kept)
    assert (report.outcome, report.corrected) == ("suspect", 2)
    assert "only 2" in report.said


@pytest.mark.parametrize("fault", [PASSING[0], PASSING[2], PASSING[8], PASSING[9], PASSING[13], PASSING[15]],
                         ids=lambda fault: fault.name)  # fmt: skip
def test_a_failed_fetch_keeps_nothing_and_says_so(wqp, kept, fault):
    wqp.answers = [lambda request: faulty(fault, wqx())]
    report = pull(wqp, kept)
    assert report.outcome == "failed"
    assert report.error
    assert not report.complete
    assert kept.history() == []
    assert Fetches(kept.home).all()[-1].said == report.said
    state = state_of(WQP, Fetches(kept.home).of("wqp"))
    assert (state.state, state.failures, state.last_success) == ("failing", 1, None)


def test_fewer_rows_than_declared_is_truncated_and_the_next_collection_starts_from_before(wqp, kept):
    says(wqp, wqx(), **{"Total-Result-Count": "25"})
    report = pull(wqp, kept)
    assert (report.outcome, report.truncated, report.complete, report.declared) == (
        "truncated",
        True,
        False,
        25,
    )
    assert "declares 25 rows and gave 20" in report.said
    assert len(values(kept)) == 20  # what came is good as far as it goes
    assert source_state.last_good(Fetches(kept.home).all(), report.signature) is None
    says(wqp, wqx([]), **{"Total-Result-Count": "25"})
    assert pull(wqp, kept).outcome == "failed"
    says(wqp, b"", **{"Total-Result-Count": "0"})
    assert pull(wqp, kept).outcome == "suspect"


def test_what_is_too_large_is_asked_in_parts_and_kept_once(wqp, kept):
    def answer(request):
        lo, hi = request.args.get("startDateLo"), request.args.get("startDateHi")
        days = [datetime.strptime(day, "%m-%d-%Y") if day else None for day in (lo, hi)]
        if not all(days) or days[1] - days[0] > timedelta(days=200):
            return Response("too many results", status=413)
        rows = []
        for n in range(20):
            row = wqx_row(n, f"{n + 1}.0")
            if days[0] <= datetime.fromisoformat(row[10]) <= days[1]:
                rows.append(row)
        return Response(as_csv(rows), headers={"Total-Result-Count": str(len(rows))})

    wqp.answers = [answer]
    day = datetime(2024, 1, 1, tzinfo=UTC)
    report = pull(wqp, kept, since=day, until=day + timedelta(days=365))
    assert report.outcome == "complete"
    assert report.pages >= 2
    assert len(values(kept)) == 20
    assert any("in parts" in warning for warning in report.warnings)


def test_rows_that_cannot_be_used_are_counted_by_reason(wqp, kept):
    rows = [wqx_row(1, "1.0"), wqx_row(2, "abc"), wqx_row(3, "-4"), wqx_row(4, "2.0", day="not a day")]
    says(wqp, as_csv(rows))
    report = pull(wqp, kept)
    assert (report.rows_in, report.rows_out, report.rows_quarantined) == (4, 1, 3)
    assert sum(report.quarantined.values()) == 3
    says(wqp, as_csv([wqx_row(2, "abc")]))
    assert pull(wqp, kept).outcome == "suspect"


def test_an_answer_of_another_shape_is_an_error_and_no_empty_answer(wqp, kept):
    says(wqp, as_csv([["1", "2"]], ("alpha", "beta")))
    report = pull(wqp, kept)
    assert (report.outcome, report.error) == ("failed", "SchemaDrift")
    assert "Result_Characteristic" in report.said


def test_after_failures_in_a_row_a_source_is_left_alone_and_probed(wqp, kept):
    wqp.answers = [lambda request: Response(status=400)]
    ask = WQP.ask(base_url=wqp.base_url, bbox=BOX, topic="groundwater")
    quiet = {"guarded": False, "caps": QUICK, "sleep": lambda s: None}
    wqp.answers = [lambda request: Response(status=503)]
    for _ in range(3):
        assert pull_from(WQP, ask, kept, **quiet).outcome == "failed"
    asked = len(wqp.asked)
    waiting = pull_from(WQP, ask, kept, **quiet)
    assert waiting.outcome == "waiting"
    assert len(wqp.asked) == asked
    assert len(Fetches(kept.home).all()) == 3
    state = state_of(WQP, Fetches(kept.home).of("wqp"))
    assert (state.state, state.failures) == ("failing", 3)
    assert datetime.fromisoformat(state.next_try) > datetime.now(UTC)
    says(wqp, wqx())
    assert pull_from(WQP, ask, kept, force=True, **quiet).outcome == "complete"
    assert open_until(Fetches(kept.home).of("wqp")) is None


def failure(minutes_ago, **more):
    then = (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat()
    return FetchReport("wqp", "s", FAILED, then, then, error="SourceUnavailable", **more)


def test_the_pause_doubles_and_ends_in_one_probe():
    now = datetime.now(UTC)
    assert open_until([failure(1), failure(0)]) is None
    third = open_until([failure(3), failure(2), failure(0)])
    fifth = open_until([failure(n) for n in (9, 8, 7, 6, 0)])
    many = open_until([failure(n) for n in range(40, -1, -1)])
    assert timedelta(minutes=13) < third - now < timedelta(minutes=17)
    assert timedelta(minutes=53) < fifth - now < timedelta(minutes=67)
    assert timedelta(hours=21) < many - now < timedelta(hours=27)
    assert open_until([failure(99), failure(98), failure(60)]) < now  # the probe may go
    soon = (now + timedelta(hours=7)).isoformat()
    assert open_until([failure(5, retry_at=soon)]) == datetime.fromisoformat(soon)
    assert open_until([failure(5, retry_at="2999-01-01T00:00:00+00:00")]) < now + timedelta(days=1)
    assert open_until([failure(n, retry_at=None) for n in (3, 2, 1)][:2]) is None
    mistaken = [replace(failure(n), error="BadRequest") for n in (3, 2, 1)]
    assert open_until(mistaken) is None  # the question was to blame


def test_a_key_that_is_missing_is_no_failure_and_a_key_is_written_nowhere(wqp, kept, monkeypatch, tmp_path):
    needs = replace(WQP, key_variable="SOME_KEY", key_needed=True)
    monkeypatch.delenv("SOME_KEY", raising=False)
    assert pull(wqp, kept, needs).outcome == "key missing"
    assert wqp.asked == []
    assert state_of(needs, Fetches(kept.home).of("wqp"), has_key=False).state == "key missing"
    secrets = tmp_path / "keys.toml"
    secrets.write_text('SOME_KEY = "geheim-123"\n')
    monkeypatch.setenv("COMMONSIGHT_SECRETS", str(secrets))
    assert pull(wqp, kept, needs).outcome == "complete"
    assert wqp.asked[0].headers["X-Api-Key"] == "geheim-123"
    held = [path for path in kept.home.rglob("*") if path.is_file()]
    assert held
    assert not [path for path in held if b"geheim-123" in path.read_bytes()]


def test_a_line_cut_short_by_a_crash_costs_that_line_only(wqp, kept):
    pull(wqp, kept)
    path = Fetches(kept.home).path
    with path.open("ab") as file:
        file.write(b'{"source": "wqp", "outc')
    says(wqp, wqx(range(5)))
    pull(wqp, kept)
    assert [report.rows_in for report in Fetches(kept.home).all()] == [20, 5]


def test_a_source_is_asked_by_one_process_at_a_time(wqp, kept):
    from filelock import FileLock

    (kept.home / "sources").mkdir(exist_ok=True)
    with FileLock(kept.home / "sources" / "wqp.lock"):
        assert pull(wqp, kept).outcome == "waiting"
    assert wqp.asked == []


def test_the_next_collection_asks_back_as_far_as_results_come_late(wqp, kept):
    asked, goes_on = going_on(WQP, WQP.ask(base_url=wqp.base_url, bbox=BOX, topic="groundwater"), kept)
    assert not goes_on
    assert abs((datetime.now(UTC) - asked.since).days - FIRST_DAYS) <= 1
    report = pull(wqp, kept)
    asked, goes_on = going_on(WQP, WQP.ask(base_url=wqp.base_url, bbox=BOX, topic="groundwater"), kept)
    assert goes_on
    assert abs(asked.since + timedelta(days=WQP.overlap_days) - report.moment()) < timedelta(seconds=2)
    assert asked.modified_since is None
    changed = WATER.since_last(WATER.ask(bbox=BOX), report.moment())
    assert report.moment() - changed.modified_since == timedelta(hours=1)


def test_neither_a_clock_nor_a_server_puts_a_source_off_for_a_year(wqp, kept):
    now, year = datetime.now(UTC), timedelta(days=365)
    report = replace(
        pull(wqp, kept), started=(now + year).isoformat(), ended=(now + year).isoformat(), source="wqp"
    )
    assert next_try(report.signature, [report], 6.0, now=now) <= now + timedelta(hours=6)
    Fetches(kept.home).add(report)
    asked, _ = going_on(WQP, WQP.ask(base_url=wqp.base_url, bbox=BOX, topic="groundwater"), kept, now=now)
    assert asked.since <= now - timedelta(days=WQP.overlap_days)
    late = replace(
        report, outcome=FAILED, complete=False, ended=now.isoformat(), retry_at=(now + year).isoformat()
    )
    assert open_until([late]) == now + timedelta(days=1)


def test_what_a_killed_fetch_left_behind_is_gone_after_the_next(wqp, kept):
    left = kept.home / "sources" / "wqp.fetch" / "tmpabc" / "bodies"
    left.mkdir(parents=True)
    (left / "00001-0.body").write_bytes(b"half an answer")
    assert pull(wqp, kept).good
    assert list((kept.home / "sources" / "wqp.fetch").iterdir()) == []


def test_states_are_told_apart(wqp, kept):
    now = datetime.now(UTC)
    assert state_of(WQP, []).state == "not asked yet"
    pull(wqp, kept)
    reports = Fetches(kept.home).of("wqp")
    assert state_of(WQP, reports, now=now).state == "ok"
    late = state_of(WQP, reports, now=now + timedelta(days=3))
    assert late.state == "late"
    assert "3 days ago" in late.said


# --- many pages ------------------------------------------------------------------------------------


def features(name, numbers, *, cursor=None, base=""):
    """Give a synthetic page of the OGC API, with the field names of v1."""
    found = []
    for n in numbers:
        site = f"USGS-{n % 5:08d}"
        place = {"type": "Point", "coordinates": [-89.5 - n % 5 / 100, 43.5]}
        said = {"monitoring_location_id": site}
        if name == "monitoring-locations":
            said = {"monitoring_location_name": f"WELL {n}", "site_type": "Well", "site_type_code": "GW",
                    "original_horizontal_datum": "NAD83"}  # fmt: skip
        else:
            said |= {"field_measurements_series_id": f"s{n % 5}", "field_visit_id": f"v{n}", "parameter_code": "72019",
                     "time": f"2024-01-{1 + n % 28:02d}", "time_of_day": f"{n % 24:02d}:30:00+00:00",
                     "value": f"{10 + n}.50", "unit_of_measure": "ft", "approval_status": "Approved",
                     "qualifier": None, "observing_procedure": "Steel tape"}  # fmt: skip
        found.append({"type": "Feature", "id": site if name == "monitoring-locations" else f"new{n}",
                      "properties": said, "geometry": place})  # fmt: skip
    links = [{"rel": "self", "href": "x"}]
    if cursor is not None:
        links.append({"rel": "next", "href": f"{base}collections/{name}/items?cursor={cursor}"})
    return {"type": "FeatureCollection", "features": found, "numberReturned": len(found), "links": links}


@pytest.fixture
def water(httpserver):
    """Let USGS Water Data stand on this machine: five wells, sixty measurements in three pages."""
    base = httpserver.url_for("/")
    script = Script(json_answer(features("monitoring-locations", range(5))))
    script.base_url, script.fault = base, {}

    def measurements(request):
        script.asked.append(request)
        page = int(request.args.get("cursor", 0))
        if fault := script.fault.pop(page, None):
            return fault
        following = page + 1 if page < 2 else None
        return json_answer(
            features("field-measurements", range(page * 20, page * 20 + 20), cursor=following, base=base)
        )

    httpserver.expect_request("/collections/monitoring-locations/items").respond_with_handler(script)
    httpserver.expect_request("/collections/field-measurements/items").respond_with_handler(measurements)
    return script


LEVELS = {"collections": "field-measurements"}


def test_pages_are_read_to_the_end_and_joined_with_their_sites(water, kept):
    report = pull(water, kept, WATER, options=LEVELS)
    assert (report.outcome, report.pages, report.rows_in, report.rows_out, report.sites) == (
        "complete", 4, 60, 60, 5)  # fmt: skip
    table = kept.observations(review="all")
    assert set(table["monitoring_location_name"]) == {f"WELL {n}" for n in range(5)}
    assert set(table["monitoring_location_type"]) == {"well"}
    assert set(table["observed_property"]) == {"depth_to_groundwater"}
    assert set(table["unit"]) == {"[ft_i]"}
    assert "10.50" in set(table["result_text"])
    assert table["phenomenon_time"].max().isoformat().startswith("2024-01-28T")


@pytest.mark.parametrize("fault", [f for f in PASSING if f.name not in ("refused", "not found", "redirect in a circle")][::3],
                         ids=lambda fault: fault.name)  # fmt: skip
def test_a_fault_in_the_middle_of_the_pages_loses_none_of_them(water, kept, fault):
    water.fault = {1: faulty(fault, json.dumps(features("field-measurements", range(20, 40))).encode(),
                             "application/json")}  # fmt: skip
    assert pull(water, kept, WATER, options=LEVELS).rows_out == 60
    water.fault = {2: Response(status=404)}
    report = pull(water, kept, WATER, options=LEVELS)
    assert report.outcome == "failed"
    assert len(kept.history()) == 1


def test_rebuild_reads_what_was_fetched_again_and_asks_nobody(water, wqp, kept, tmp_path):
    pull(water, kept, WATER, options=LEVELS)
    pull(wqp, kept)
    before, asked = values(kept), len(water.asked) + len(wqp.asked)
    rebuilt = kept.rebuild(intake.read_again)
    assert (rebuilt.batches, rebuilt.rows, rebuilt.differences) == (2, 80, [])
    assert values(kept) == before
    assert len(water.asked) + len(wqp.asked) == asked


def test_the_same_answers_make_the_same_bytes(tmp_path):
    bodies = [Body("a", b"one", kind="x", about={"site": "ü"}, url="https://a.org/1"), Body("b", b"two")]
    first = package(bodies, tmp_path / "1.zip").read_bytes()
    moved = [replace(body, url="https://a.org/other", sha256="0") for body in bodies]
    assert package(moved, tmp_path / "2.zip").read_bytes() == first
    back = unpack(tmp_path / "1.zip", tmp_path / "out")
    assert [(b.name, b.kind, dict(b.about), b.read()) for b in back] == [
        ("a", "x", {"site": "ü"}, b"one"), ("b", "", {}, b"two")]  # fmt: skip


_PULL = """
import sys
from sensors.pull import pull
from sensors.sources.usgs_water import SENSOR
from store import open_store
ask = SENSOR.ask(base_url=sys.argv[1], bbox=(-90, 43, -89, 44), topic="groundwater",
                 options={"collections": "field-measurements"})
print(pull(SENSOR, ask, open_store(sys.argv[2]), guarded=False).outcome)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_a_process_killed_in_the_middle_of_a_page_leaves_nothing_half_done(water, tmp_path):
    over = threading.Event()

    def slow():
        yield b'{"type": "FeatureCollection", "features": ['
        over.wait(30)

    water.fault = {1: Response(slow(), content_type="application/json")}
    url = f"duckdb:{tmp_path / 'store'}"
    store.open_store(url).close()
    command = [sys.executable, "-c", _PULL, water.base_url, url]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while len(water.asked) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(water.asked) == 3
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    over.set()
    kept = store.open_store(url)
    assert (kept.history(), Fetches(kept.home).all()) == ([], [])
    report = pull(water, kept, WATER, options=LEVELS)
    assert (report.outcome, report.added, len(values(kept))) == ("complete", 60, 60)
    kept.close()


# --- recorded answers -------------------------------------------------------------------------------


def observed(sensor, bodies, kept, tmp_path):
    """Read recorded bodies as a fetch of a source would."""
    quiet = replace(sensor, fetch=lambda ask, http: iter(bodies))
    ask = Ask("https://example.org", topic="groundwater")
    report = pull_from(quiet, ask, kept, guarded=False)
    return report, kept.observations(review="all")


@recorded
def test_recorded_results_of_the_water_quality_portal(kept, tmp_path):
    path = RECORDINGS / "wqp" / "wqx3_Result_fullPhysChem_WIDNR.csv"
    report, table = observed(WQP, [Body("1", path)], kept, tmp_path)
    assert (report.rows_in, report.rows_out, report.sites) == (5, 5, 1)
    assert set(table["observed_property"]) == {"conductance"}
    assert table["observation_id"].str.startswith("STORET-").all()
    assert "471" in set(table["result_text"])


@recorded
def test_recorded_results_of_usgs_samples(kept, tmp_path):
    path = RECORDINGS / "usgs_waterdata" / "samples_results_fullphyschem_USGS-05406500.csv"
    report, table = observed(source_named("usgs_samples"), [Body("1", path)], kept, tmp_path)
    assert (report.rows_in, report.rows_out) == (67, 67)
    below = table[table["censoring"] == "<"]
    assert len(below) == 4
    assert below["result"].isna().all()
    ammonia = table[table["observed_property_code"].isin(["usgs:00608", "usgs:71846"])]
    assert set(ammonia["method_speciation"]) == {"as N", "as NH4"}


@recorded
def test_recorded_features_of_usgs_water_data(kept, tmp_path):
    said = json.loads((RECORDINGS / "usgs_waterdata" / "ogc_v1_two_features_per_collection.json").read_text())
    names = ("monitoring-locations", "continuous", "daily", "latest-continuous", "field-measurements")
    bodies = [Body(name, json.dumps(said[name]).encode(), kind=name) for name in names]
    report, table = observed(WATER, bodies, kept, tmp_path)
    assert (report.rows_in, report.rows_out) == (8, 8)
    assert "3.14" in set(table["result_text"])
    gauge = table[table["result_text"] == "3.14"].iloc[0]
    assert gauge["phenomenon_time"].isoformat() == "2014-06-19T16:00:27+00:00"
    assert gauge["result_status"] == "provisional"
    assert set(table["unit"]) == {"[ft_i]", "[cft_i]/s"}


@recorded
def test_recorded_fields_of_the_ogc_api_are_those_that_are_read():
    said = json.loads((RECORDINGS / "usgs_waterdata" / "ogc_v1_queryables_per_collection.json").read_text())
    text = json.dumps(said)
    for name in ("time_series_id", "parameter_code", "monitoring_location_id", "approval_status", "time_of_day",
                 "unit_of_measure", "last_modified", "site_type_code", "original_horizontal_datum"):  # fmt: skip
        assert f'"{name}"' in text


# --- command line ----------------------------------------------------------------------------------


def run(*words, home):
    return CliRunner().invoke(commonsight.cli, ["--store", f"duckdb:{home}", *words])


def test_the_command_line_pulls_lists_and_collects(wqp, tmp_path, monkeypatch):
    home = tmp_path / "store"
    words = ("pull", "wqp", "--bbox", "-90,43,-89,44", "--base-url", wqp.base_url, "--property", "nitrate",
             "--since", "2020-01-01")  # fmt: skip
    dry = run(*words, "--dry-run", home=home)
    assert (dry.exit_code, wqp.asked) == (0, [])
    done = run(*words, home=home)
    assert done.exit_code == 0, done.output
    assert "20 readings added" in done.output
    assert wqp.asked[0].args["startDateLo"] == "01-01-2020"
    assert wqp.asked[0].args["bBox"] == "-90,43,-89,44"
    assert "Nitrate" in wqp.asked[0].args["characteristicName"]
    said = json.loads(run("--json", "sources", home=home).output)
    mine = next(entry for entry in said if entry["key"] == "wqp")
    assert (mine["state"], mine["rows"], mine["sites"]) == ("ok", 20, 7)
    assert len(said) == len(available())
    says(wqp, wqx([]))
    doubtful = run(*words, home=home)
    assert doubtful.exit_code == 1
    assert "suspect" in doubtful.output
    wqp.answers = [lambda request: Response("no", status=400)]
    failed = json.loads(run("--json", *words, home=home).output)
    assert (failed["outcome"], failed["error"]) == ("failed", "BadRequest")
    says(wqp, wqx(range(40)))
    words = ("collect", "--source", "wqp", "--base-url", wqp.base_url, "--bbox", "-90,43,-89,44")
    collected = run(*words, home=home)
    assert collected.exit_code == 0, collected.output
    assert "20 readings added" in collected.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("pull", "nope"), "No source 'nope'"),
        (("pull", "wqp"), "needs a box"),
        (("pull", "wqp", "--bbox", "1,2,3"), "--bbox takes"),
        (("pull", "wqp", "--bbox", "5,2,3,4"), "west before east"),
        (("pull", "wqp", "--since", "soon"), "--since takes a day"),
        (("pull", "wqp", "--property", "pm25"), "cannot be asked for pm25"),
        (("pull", "wqp", "--option", "x"), "NAME=VALUE"),
        (("pull", "wqp", "--since", "2024-02-01", "--until", "2024-01-01"), "ends"),
    ],
)
def test_a_question_that_makes_no_sense_is_a_sentence(tmp_path, words, said):
    result = run(*words, home=tmp_path / "store")
    assert result.exit_code == 2
    assert said in result.output


def test_tables_of_different_columns_become_one(tmp_path):
    import pandas as pd

    tables = [pd.DataFrame({"a": ["1"], "b": ["2"]}), pd.DataFrame({"b": ["3"], "c": ["4"]})]
    sensor = replace(WQP, parse=lambda bodies: iter(tables))
    path = make_table(sensor, [Body("1", b"x")], tmp_path / "t")
    found = pd.read_parquet(path)
    assert found.to_dict("list") == {"a": ["1", ""], "b": ["2", "3"], "c": ["", "4"]}
