"""Every source to the store: once and again, a value that changed, and the store made anew from the originals."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

import store
from sensors import intake
from sensors.pull import pull
from sensors.sensor import Body, Sensor
from sensors.source_state import COMPLETE, FAILED, KEY_MISSING, Fetches
from sensors.sources import available
from store import Store
from tests.bodies_kit import bodies
from tests.sources_kit import QUICK, http_for, wqx

BOX = (-180.0, -90.0, 180.0, 90.0)
SECRET = "s3cret-Key-of-nobody"


@pytest.fixture
def kept(tmp_path: Path) -> Any:
    opened = store.open_store(f"duckdb:{tmp_path / 'store'}")
    yield opened
    opened.close()


def take(key: str, answers: list[Body], kept: Store, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Pull as a person does, with answers in the place of the network."""
    sensor: Sensor = available()[key]
    if sensor.key_variable:
        monkeypatch.setenv(sensor.key_variable, "k:k")
    near = replace(sensor, fetch=lambda ask, http: iter(answers), base_url="http://127.0.0.1:9")
    return pull(near, near.ask(bbox=BOX), kept, guarded=False, caps=QUICK, force=True)


def standing(kept: Store) -> dict[tuple[str, str], str]:
    """Give what stands now: source and name of a reading to what was written."""
    table = kept.observations(review="all")
    assert not table.duplicated(["source_id", "observation_id"]).any()
    return dict(
        zip(zip(table["source_id"], table["observation_id"], strict=True), table["result_text"], strict=True)
    )


#: One without names of its own for its results, one with the same ids on every server, one with people in it.
SOME = ("hubeau_qualite", "sensorthings", "kobo")


def test_a_source_comes_to_the_store_once_and_a_rebuild_gives_the_same(
    kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in SOME:
        report = take(key, bodies(key), kept, monkeypatch)
        assert report.outcome == COMPLETE
        assert report.rows_out == report.added > 0
        assert report.batch
    held = standing(kept)
    assert {source.partition(":")[0] for source, _ in held} == set(SOME)
    for key in SOME:  # pages that overlap are another answer with nothing new in it
        again = take(key, [*bodies(key), *bodies(key)[-1:]], kept, monkeypatch)
        assert (again.outcome, again.added, again.corrected) == (COMPLETE, 0, 0)
    assert standing(kept) == held
    rebuilt = kept.rebuild(intake.read_again)
    assert rebuilt.differences == []
    assert standing(kept) == held


@pytest.mark.parametrize(
    ("key", "was", "now"),
    [
        ("hubeau_qualite", "52.10", "53.70"),
        ("openaq", "12.50", "13.75"),
    ],
)
def test_a_value_that_changed_upstream_is_a_correction(
    key: str, was: str, now: str, kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(key, bodies(key), kept, monkeypatch)
    before = standing(kept)
    changed = [replace(b, content=b.read().replace(was.encode(), now.encode())) for b in bodies(key)]
    report = take(key, changed, kept, monkeypatch)
    assert report.outcome == COMPLETE
    after = standing(kept)
    assert after.keys() == before.keys()
    assert [name for name in before if before[name] != after[name]] == [
        n for n, text in before.items() if text == was
    ]
    assert report.corrected == 1


@pytest.mark.parametrize("key", ["kobo", "odk"])
def test_no_person_is_in_anything_that_is_kept(
    key: str, kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sensors.forms import read_form
    from sensors.sources import kobo, odk

    answers = bodies(key)
    form = read_form(answers[0].text(), "wells")
    answers = [answers[0], (kobo if key == "kobo" else odk).clean(answers[1], form)]
    take(key, answers, kept, monkeypatch)
    # A household's well, and too few of them in their square to be shown anywhere.
    assert set(kept.observations(review="all")["position_rule"]) == {"withheld"}
    kept.close()
    words = (b"Ann Example", b"Bea Example", b"7946", b"collect:abc", b"_submitted_by", b"user_id")
    seen = 0
    for path in kept.home.rglob("*"):
        if path.is_file():
            seen += 1
            raw = path.read_bytes()
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as pack:
                    raw += b"".join(pack.read(name) for name in pack.namelist())
            assert [word for word in words if word in raw] == [], path.name
    assert seen > 2


def test_a_key_that_a_server_repeats_is_in_no_report_and_no_original(
    kept: Store, monkeypatch: pytest.MonkeyPatch, httpserver: HTTPServer
) -> None:
    monkeypatch.setenv("OPENAQ_API_KEY", SECRET)
    sensor = replace(available()["openaq"], pause_s=0.0)
    ask = sensor.ask(base_url=httpserver.url_for("").rstrip("/"), bbox=(0.0, 0.0, 1.0, 1.0))
    said = {"error": "x" * 190 + SECRET}  # the sentence is cut within the key
    handler = httpserver.expect_request("/locations")
    handler.respond_with_json(said)
    caps = replace(QUICK, tries=1)
    for status in (200, 401, 503):
        handler.respond_with_json(said, status=status)
        report = pull(sensor, ask, kept, guarded=False, caps=caps, force=True)
        assert report.outcome in (FAILED, KEY_MISSING)
        assert SECRET[:8] not in (kept.home / "fetches.jsonl").read_text("utf-8")
    with http_for(ask.base_url, key=SECRET) as http:
        handler.respond_with_json({"results": [], "next": f"?key={SECRET}"})
        body = http.get("locations", expect="json")
        assert body.json()["next"] == "?key=***"
        assert hashlib.sha256(body.read()).hexdigest() == body.sha256


def test_a_value_that_came_back_counts_once(kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first = replace(bodies("wqp")[0], content=wqx([1, 2]))
    other = replace(first, content=wqx([1, 2], change="9"))
    seen = []
    for answer in (first, other, first, first, other, first, first):
        report = take("wqp", [_on_disk(answer, kept.home)], kept, monkeypatch)
        seen.append((report.already, report.corrected, report.added))
    again = (True, 0, 0)
    assert seen == [(False, 0, 2), *[(False, 2, 0)] * 2, again, *[(False, 2, 0)] * 2, again]


def _on_disk(body: Body, folder: Path) -> Body:
    content = body.read()
    path = folder / hashlib.sha256(content).hexdigest()
    path.write_bytes(content)
    return replace(body, content=path, sha256="")


def test_a_password_in_an_address_is_in_no_report(kept: Store) -> None:
    sensor = available()["wqp"]
    ask = sensor.ask(base_url=f"http://me:{SECRET}@127.0.0.1:9", site="X")
    report = pull(sensor, ask, kept, guarded=False, caps=replace(QUICK, tries=1))
    assert report.outcome == FAILED
    assert "127.0.0.1:9" in report.said
    assert SECRET not in (kept.home / "fetches.jsonl").read_text("utf-8")


def test_no_password_of_netrc_is_sent_to_a_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, httpserver: HTTPServer
) -> None:
    (tmp_path / "netrc").write_text("default login me password of-another-service\n", "utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    httpserver.expect_request("/a").respond_with_json({})
    url = httpserver.url_for("").rstrip("/")
    with http_for(url) as http:
        http.get("a")
    with http_for(url, key="t0ken", key_header="Authorization", key_scheme="token") as http:
        http.get("a")
    sent = [request.headers.get("Authorization") for request, _ in httpserver.log]
    assert sent == [None, "Token t0ken"]


def test_half_a_sign_is_written_down_as_what_it_is(
    kept: Store, monkeypatch: pytest.MonkeyPatch, httpserver: HTTPServer
) -> None:
    assert Body("1", rb'{"a\ud800": ["\ud83d\ude00", "\udc00b", "\\ud800", 1]}').json() == {
        "a\ufffd": ["\U0001f600", "\ufffdb", "\\ud800", 1]
    }
    monkeypatch.setenv("OPENAQ_API_KEY", SECRET)
    sensor = replace(available()["openaq"], pause_s=0.0)
    httpserver.expect_request("/locations").respond_with_data(
        rb'{"error": "\ud800 oops"}', content_type="application/json"
    )
    ask = sensor.ask(base_url=httpserver.url_for("").rstrip("/"), bbox=(0.0, 0.0, 1.0, 1.0))
    report = pull(sensor, ask, kept, guarded=False, caps=replace(QUICK, tries=1))
    assert report.outcome == FAILED
    Fetches(kept.home).add(replace(report, said="\ud800"))
    assert len(Fetches(kept.home).all()) == 2
