"""OGC API - Features: what a map program reads by address, and what it never learns."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
import uvicorn
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from owslib.ogcapi.features import Features
from starlette.applications import Starlette
from starlette.routing import Mount

import routes
import store
from layers import picture as pictures
from routes import ROUTES
from routes.ogc import items
from routes.ogc.question import interval, read
from situation.errors import ChoiceError
from situation.settings import settings
from situation.topic import topics
from tests.some_wells import LAT, LON, NASTY, NOW, WELLS, put, readings
from tests.test_routes import HIDDEN, HOME, get

AT = "/ogc/collections/groundwater-"
SITES, READINGS, STATUSES = (f"{AT}{kind}/items" for kind in ("sites", "readings", "statuses"))
HOSTILE = (
    "t:a/b?c=d#e%2F {{7*7}} ./../é\u202e😀",
    "=1+1",
    "well",
    LON - 0.06,
    LAT - 0.04,
    12.0,
    "2026-05-02",
)
#: The third in one cell: two would be shown nowhere.
THIRD = ("t:home-3", "Family Brown", "household_well", LON + 0.0096, LAT + 0.0304, 6.0, "2026-05-01")
BOX = f"{LON - 0.4},{LAT - 0.4},{LON + 0.4},{LAT + 0.4}"


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    var = tmp_path_factory.mktemp("ogc")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMMONSIGHT_VAR", str(var))
        put(readings([*WELLS, HOSTILE, THIRD]))
        put(readings(contributor="eve"), accept=False, name="pending.csv")
    return var


@pytest.fixture(autouse=True)
def _wells(kept, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_VAR", str(kept))
    pictures.forget()


def ids(told):
    return [feature["id"] for feature in told["features"]]


def link(told, rel):
    return next((link["href"] for link in told["links"] if link["rel"] == rel), None)


def follow(address, most=50):
    """Read all pages of a collection."""
    found = []
    for _ in range(most):
        told = get(address).json
        found.append(told)
        following = link(told, "next")
        if following is None:
            return found
        address = following.removeprefix("http://localhost")
    raise AssertionError("It goes on and on.")


def test_everything_links_to_what_there_is_and_to_no_page():
    followed: set[str] = set()
    for address in ("/ogc", "/ogc/", "/ogc/collections", f"{AT}sites", SITES, f"{SITES}/t:above"):
        told = get(address, {"Accept": "text/html"})
        assert told.status == 200
        assert "json" in told.headers["content-type"]
        links = set(re.findall(r'"href":"([^"]*)"', told.body.decode()))
        assert links
        assert all(href.startswith("http://localhost/ogc") for href in links)
        for href in (href for href in links - followed if "collections/" not in href or "ter-sites" in href):
            assert get(href.removeprefix("http://localhost")).status == 200, href
        followed |= links
        assert "text/html" not in told.body.decode()


def test_what_it_declares_is_there():
    told = get("/ogc/conformance").json["conformsTo"]
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in told
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson" in told
    assert not [name for name in told if "html" in name or "create-replace" in name]
    assert get("/ogc/conformance").json["conformsTo"] == told  # it does not grow
    items = get(SITES).headers
    assert items["content-type"] == "application/geo+json"
    assert items["content-crs"] == "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"


def test_a_collection_says_what_it_spans():
    told = get(f"{AT}readings").json
    west, south, east, north = told["extent"]["spatial"]["bbox"][0]
    assert (round(west, 2), round(south, 2)) == (round(LON - 0.06, 2), round(LAT - 0.04, 2))
    assert told["extent"]["temporal"]["interval"] == [["2017-01-01T00:00:00Z", "2026-05-02T00:00:00Z"]]
    empty = get("/ogc/collections/air-sites").json
    assert empty["extent"]["spatial"]["bbox"] == [[-180, -90, 180, 90]]


def test_sites_are_counted_and_hidden_ones_stand_in_their_cell():
    told = get(SITES).json
    assert (
        told["numberMatched"] == told["numberReturned"] == len(WELLS)
    )  # two households, one cell; one more well
    (cell,) = [f for f in told["features"] if f["properties"]["position_rule"] != "exact"]
    assert cell["properties"]["sites"] == 3
    assert cell["properties"]["n"] == 6
    above = next(f for f in told["features"] if f["id"] == "t:above")
    assert above["geometry"]["coordinates"] == [WELLS[0][3], WELLS[0][4]]
    assert above["properties"]["observed_properties"] == "nitrate"
    assert above["properties"]["n"] == 2


def test_statuses_stand_one_by_one_in_the_limit_s_unit():
    told = get(STATUSES, standard="eu_drinking_water", observed_property="nitrate").json
    assert told["numberMatched"] == len(WELLS) + 2
    above = next(f for f in told["features"] if f["id"] == "t:above")["properties"]
    assert (above["status"], above["limit"], above["unit"]) == ("above", 50, "mg/L")
    assert above["standard"] == "eu_drinking_water"
    assert len(set(ids(told))) == len(told["features"])


def test_readings_are_the_accepted_ones_each_once():
    pages = follow(f"{READINGS}?limit=5")
    assert [len(page["features"]) for page in pages] == [5, 5, 5, 5]
    assert {page["numberMatched"] for page in pages} == {20}
    found = [name for page in pages for name in ids(page)]
    assert len(set(found)) == 20
    assert {f["properties"]["batch_id"] for page in pages for f in page["features"]} == {"1"}
    assert ids(get(f"{READINGS}?limit=100").json) == found


@pytest.mark.parametrize("address", [SITES, READINGS, STATUSES])
def test_pages_go_on_and_back_and_end(address):
    pages = follow(f"{address}?limit=4&bbox={BOX}")
    assert all(len(page["features"]) == 4 for page in pages[:-1])
    assert link(pages[0], "prev") is None
    back = get(link(pages[1], "prev").removeprefix("http://localhost")).json
    assert ids(back) == ids(pages[0])


@given(st.integers(0, 25), st.integers(1, 25), st.sampled_from([None, "nitrate"]), st.booleans())
@hypothesis_settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_page_is_a_piece_of_the_whole_wherever_it_begins(offset, limit, observed_property, boxed):
    asked = question("readings", **({"observed_property": observed_property} if observed_property else {}))
    box = (LON - 0.045, LAT - 0.5, LON + 0.5, LAT + 0.5) if boxed else None
    every = items.page(asked, box=box, limit=100)
    piece = items.page(asked, box=box, offset=offset, limit=limit)
    assert piece.matched == every.matched == len(every.rows)
    assert piece.rows["id"].tolist() == every.rows["id"].tolist()[offset : offset + limit]


def question(kind, **params):
    version = store.shared(settings().active_store_url).version()
    return read(kind, topics()["groundwater"], params, version, NOW)


def test_each_item_can_be_asked_for_by_the_id_it_has():
    for address in (SITES, READINGS, STATUSES):
        for feature in get(address).json["features"][::6]:
            one = get(f"{address}/{quote(feature['id'], safe='')}")
            assert one.status == 200, feature["id"]
            assert one.json["properties"] == feature["properties"]
            assert get(link(one.json, "self").removeprefix("http://localhost")).json["id"] == feature["id"]


@pytest.mark.parametrize("address", [SITES, READINGS, STATUSES, f"{AT}sites", f"{AT}readings"])
def test_nobody_learns_where_a_household_is(address):
    tiny = f"{HOME[3] - 1e-4},{HOME[4] - 1e-4},{HOME[3] + 1e-4},{HOME[4] + 1e-4}"
    for more in ("", f"?bbox={tiny}", "?monitoring_location_id=t:home-1", "?limit=1&offset=14"):
        if "?" in more and "items" not in address:
            continue
        told = get(address + more).json
        told.pop("links")  # they repeat the question
        assert not [word for word in HIDDEN if word in str(told)], more
    if "items" in address:
        assert get(f"{address}?bbox={tiny}").json["numberMatched"] == 0
        assert get(f"{address}?monitoring_location_id=t:home-1").json["numberMatched"] == 0
        assert get(f"{address}/t:home-1").status == 404


def test_the_true_id_of_a_hidden_reading_opens_nothing_and_the_order_tells_nothing():
    place = store.shared(settings().active_store_url)
    true = place.observations(topic="groundwater", site="t:home-1")["observation_id"]
    for name in true:
        assert get(f"{READINGS}/{name}").status == 404
    hidden = [f for f in get(READINGS).json["features"] if f["properties"]["position_rule"] != "exact"]
    assert {f["properties"]["observation_id"] for f in hidden} == {"withheld"}
    times = [(f["properties"]["phenomenon_time"], f["id"]) for f in hidden]
    assert times == sorted(times)  # the wells of a cell are not one after the other


def test_what_waits_for_a_reviewer_is_in_no_collection():
    told = get(READINGS).json
    assert not [f for f in told["features"] if f["properties"]["contributor"] == "eve"]
    for name in ("review", "batch", "token"):
        assert get(READINGS, **{name: "all"}).status == 400


@pytest.mark.parametrize(
    ("address", "more", "n"),
    [
        (READINGS, {"datetime": "2026-05-01"}, 8),
        (READINGS, {"datetime": "2026-05-01T00:00:00Z"}, 8),
        (READINGS, {"datetime": "../2019-01-01"}, 2),
        (READINGS, {"datetime": "2030-01-01/.."}, 0),
        (READINGS, {"monitoring_location_id": "t:near"}, 2),
        (READINGS, {"observed_property": "arsenic"}, 0),
        (SITES, {"observed_property": "arsenic"}, 0),
        (SITES, {"datetime": "2018-01-01/2018-12-31"}, 1),
        (SITES, {"monitoring_location_type": "household_well"}, 1),
        (SITES, {"bbox": f"{LON - 0.051},{LAT - 0.031},{LON - 0.049},{LAT - 0.029}"}, 1),
        (SITES, {"bbox": f"{LON - 0.051},{LAT - 0.031},0,{LON - 0.049},{LAT - 0.029},9"}, 1),
        (SITES, {"bbox": f"{LON - 0.015},{LAT - 1},{LON - 0.07},{LAT + 1}"}, 3),
        (STATUSES, {"status": "above", "freshness": "stale"}, 1),
        (STATUSES, {"period": "/2020-01-01"}, 1),
        (STATUSES, {"at": "2026-06-01T00:00Z"}, 10),
    ],
)
def test_filters_count_what_they_leave(address, more, n):
    told = get(address, **more).json
    assert told["numberMatched"] == len(told["features"]) == n
    assert get(address, **more, resulttype="hits").json["numberMatched"] == n


def test_fields_can_be_chosen_and_places_left_out():
    (first, *_) = get(SITES, properties="n", skipGeometry="true").json["features"]
    assert list(first["properties"]) == ["n"]
    assert first["geometry"] is None


@pytest.mark.parametrize("kind", ["sites", "readings", "statuses"])
def test_schema_and_queryables_describe_what_comes(kind):
    schema, asked = get(f"{AT}{kind}/schema"), get(f"{AT}{kind}/queryables")
    assert {schema.headers["content-type"], asked.headers["content-type"]} == {"application/schema+json"}
    for feature in get(f"{AT}{kind}/items").json["features"]:
        assert set(feature["properties"]) <= set(schema.json["properties"])
    assert "observed_property" in asked.json["properties"]
    for name in set(asked.json["properties"]) - {"geometry"}:
        words = asked.json["properties"][name].get("enum", ["anything"])
        assert get(f"{AT}{kind}/items", **{name: words[0]}).status == 200


@pytest.mark.parametrize(
    "more",
    [
        {"colour": "red"},
        {"f": "html"},
        {"f": "csv"},
        {"limit": "0"},
        {"limit": "many"},
        {"offset": "-1"},
        {"bbox": "1,2,3"},
        {"bbox": "a,b,c,d"},
        {"bbox": "nan,nan,nan,nan"},
        {"datetime": "yesterday"},
        {"datetime": "2024-05-01/2023-05-01"},
        {"as_of": "999"},
        {"as_of": "x"},
        {"observed_property": "unobtainium"},
        {"position_rule": "{{7*7}}"},
        {"crs": "http://www.opengis.net/def/crs/EPSG/0/3857"},
        {"filter": "n > 1"},
        {"properties": "secret"},
    ],
)
def test_a_bad_question_is_told_in_a_sentence(more):
    told = get(SITES, **more)
    assert told.status == 400
    assert told.json["error"] == told.json["description"]
    assert told.json["code"]


@pytest.mark.parametrize(
    "address",
    ["/ogc/x", "/ogc/jobs", "/ogc/processes", "/ogc/collections/x", "/ogc/collections/groundwater-tiles",
     f"{AT}sites/x", f"{AT}sites/schema/x", f"{SITES}/x", f"{READINGS}/%00", "/ogc/openapi/x"],
)  # fmt: skip
def test_unknown_addresses_are_not_found(address):
    told = get(address)
    assert told.status == 404
    assert told.json["code"] == "NotFound"
    assert told.json["error"]


def test_texts_of_strangers_come_as_they_are():
    (nasty,) = get(SITES, monitoring_location_id="t:nasty").json["features"]
    assert nasty["properties"]["monitoring_location_name"] == NASTY
    (one,) = get(SITES, monitoring_location_id=HOSTILE[0]).json["features"]
    assert one["id"] == HOSTILE[0]
    assert get(f"{SITES}/{{{{7*7}}}}").json["error"] == "There is no item '{{7*7}}' here."


def test_links_bear_the_public_address_or_the_one_that_was_asked(monkeypatch):
    assert link(get(f"{SITES}?limit=1").json, "next").startswith("http://localhost/ogc/")
    with monkeypatch.context() as patch:
        patch.setattr("tests.test_routes.APP", Starlette(routes=[Mount("/water", routes=ROUTES)]))
        told = get(f"/water{SITES}?limit=1").json
        assert link(told, "next").startswith("http://localhost/water/ogc/collections/")
    monkeypatch.setenv("COMMONSIGHT_BASE_URL", "https://map.example.org/water/")
    told = get(f"{SITES}?limit=1").json
    assert link(told, "next").startswith(
        "https://map.example.org/water/ogc/collections/groundwater-sites/items?"
    )


def test_an_answer_is_kept_by_the_browser_until_something_moves_and_a_page_keeps_its_version(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("COMMONSIGHT_VAR", str(tmp_path))
    put(readings(WELLS[:3]))
    first = get(f"{READINGS}?limit=4")
    assert first.headers["x-commonsight-data-version"] == "1"
    assert get(f"{READINGS}?limit=4", {"If-None-Match": first.headers["etag"]}).status == 304
    more = put(
        readings([("a:first", "First", "well", LON, LAT, 1.0, "2026-06-01")], contributor="ben"),
        name="more.csv",
    )
    assert get(f"{READINGS}?limit=4", {"If-None-Match": first.headers["etag"]}).json["numberMatched"] == 8
    following = link(first.json, "next")
    assert dict(parse_qsl(urlsplit(following).query))["as_of"] == "1"
    last = get(following.removeprefix("http://localhost")).json
    assert (last["numberMatched"], len(last["features"])) == (6, 2)
    assert get(f"{SITES}?as_of=1").json["numberMatched"] == 3
    store.shared(settings().active_store_url).withdraw(more.batch, "op", operator=True)
    assert get(READINGS).json["numberMatched"] == 6


def test_the_server_library_is_loaded_by_the_first_question_only():
    late = {"pygeoapi", "routes.ogc.service", "routes.ogc.provider"}
    for path in Path(routes.__file__).parent.rglob("*.py"):
        # What stands at the edge is loaded with the module; what is indented, when somebody asks.
        found = set(
            re.findall(r"^(?:from|import) (pygeoapi|routes\.ogc\.\w+)", path.read_text("utf-8"), re.M)
        )
        assert not found & late or path.stem in ("service", "provider"), path


def test_the_server_library_leaves_the_logging_of_the_program_alone(monkeypatch):
    from routes.ogc import service

    service._library_for.cache_clear()
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    service.Service((), "none", "http://localhost/ogc").landing()
    assert root.handlers == []
    assert logging.getLogger("pygeoapi").level == logging.CRITICAL


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("2024-05-01", "2024-05-01", "2024-05-02"),
        ("2024-05-01T10:00:00Z", "2024-05-01T10:00:00Z", "2024-05-01T10:00:00.000001Z"),
        ("2024-05-01T10:00:00 02:00/..", "2024-05-01T08:00:00Z", None),
        ("/2024-05-01", None, "2024-05-02"),
    ],
)
def test_times_as_the_standard_writes_them(text, since, until):
    told = [None if time is None else time.isoformat() for time in interval(text)]
    assert told == [
        None if part is None else part.replace("Z", "+00:00") if "T" in part else f"{part}T00:00:00+00:00"
        for part in (since, until)
    ]


@given(st.text(max_size=40))
@hypothesis_settings(max_examples=80, deadline=None)
def test_any_text_is_a_time_or_refused(text):
    try:
        since, until = interval(text)
    except ChoiceError:
        return
    assert since is None or until is None or since < until


@pytest.fixture
def running(monkeypatch):
    """Serve on this machine, for clients that open sockets."""
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=ROUTES), port=0, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        thread.join(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/ogc"
    server.should_exit = True
    thread.join(5)


def test_owslib_reads_it(running):
    client = Features(running)
    assert "groundwater-readings" in client.feature_collections()
    assert client.api()["openapi"].startswith("3.0")
    assert client.collection_queryables("groundwater-statuses")["properties"]["status"]["enum"]
    told = client.collection_items("groundwater-readings", bbox=[LON - 1, LAT - 1, LON + 1, LAT + 1], limit=3)
    assert (told["numberReturned"], told["numberMatched"]) == (3, 20)
    name = told["features"][0]["id"]
    assert client.collection_item("groundwater-readings", name)["id"] == name


GDAL = """
import sys, pyogrio
address = "OAPIF:" + sys.argv[1]
assert "r" in pyogrio.list_drivers()["OAPIF"]
table = pyogrio.read_dataframe(address, layer="groundwater-readings", PAGE_SIZE="5")
assert (len(table), table.crs.to_string(), table.geometry.notna().all()) == (20, "OGC:CRS84", True)
status = pyogrio.read_dataframe(address, layer="groundwater-statuses", where="status = 'above'")
assert (len(status), set(status["status"])) == (3, {"above"})
"""


def test_gdal_reads_every_page_of_it(running):
    # In a process of its own: GDAL keeps the interpreter to itself while it waits for an answer.
    subprocess.run([sys.executable, "-c", GDAL, running], check=True, timeout=120)
