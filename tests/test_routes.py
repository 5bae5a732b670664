"""What the app answers over HTTP: contracts, caching, what is not for everybody, and bad questions."""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
import json
import sqlite3
from urllib.parse import unquote, urlencode, urlsplit

import pytest
from starlette.applications import Starlette

from layers import access
from layers import picture as pictures
from routes import ROUTES
from situation.observation import FLAT_COLUMNS
from situation.settings import settings
from tests.some_wells import LAT, LON, NASTY, WELLS, put, readings

APP = Starlette(routes=ROUTES)
HOME = WELLS[-2]
HIDDEN = ("Smith", "Jones", "home-1", "home-2", f"{HOME[3]:.4f}", f"{HOME[4]:.4f}")
BOX = f"{LON - 0.4},{LAT - 0.4},{LON + 0.4},{LAT + 0.4}"


class Answer:
    """What came back."""

    def __init__(self, status, headers, body):
        self.status, self.headers = status, headers
        self.body = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
        self.size = len(body)

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def rows(self):
        return list(csv.DictReader(io.StringIO(self.body.decode())))


def get(address, headers=(), **params):
    """Ask the app without a network."""
    said, parts = [], urlsplit(address)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": urlencode(params).encode() or parts.query.encode(),
        "headers": [
            (b"host", b"localhost"),
            *((k.lower().encode(), v.encode()) for k, v in dict(headers).items()),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8501),
    }

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        said.append(message)

    asyncio.run(APP(scope, receive, send))
    head = {k.decode().lower(): v.decode() for k, v in said[0]["headers"]}
    return Answer(said[0]["status"], head, b"".join(part.get("body", b"") for part in said[1:]))


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Keep one store for all that only read; opening one takes a second."""
    var = tmp_path_factory.mktemp("routes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMMONSIGHT_VAR", str(var))
        put(readings())
        receipt = put(readings(contributor="eve"), accept=False, name="pending.csv")
        other = put(readings(contributor="zoe"), accept=False, name="other.csv")
    return var, receipt, other


@pytest.fixture
def wells(kept, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_VAR", str(kept[0]))


@pytest.fixture(autouse=True)
def _fresh():
    pictures.forget()


NITRATE = {"topic": "groundwater", "property": "nitrate", "standard": "who_drinking_water"}


@pytest.mark.usefixtures("wells")
def test_cells_answer_the_view_and_are_kept_by_the_browser_until_something_moves():
    first = get("/api/cells", {"Accept-Encoding": "gzip"}, **NITRATE, bbox=BOX, zoom="9")
    assert first.status == 200
    assert first.headers["content-encoding"] == "gzip"
    assert first.json["kind"] == "sites"
    again = get("/api/cells", {"If-None-Match": first.headers["etag"]}, **NITRATE, bbox=BOX, zoom="9")
    assert (again.status, again.body) == (304, b"")


def test_what_arrives_is_answered_at_once():
    put(readings())
    first = get("/api/cells", **NITRATE)
    put(
        readings([("t:new", "New", "well", LON, LAT, 99.0, "2026-06-01")], contributor="ben"), name="more.csv"
    )
    moved = get("/api/cells", {"If-None-Match": first.headers["etag"]}, **NITRATE)
    assert moved.status == 200
    assert len(moved.json["lon"]) == len(first.json["lon"]) + 1


@pytest.mark.usefixtures("wells")
def test_visitors_whose_boxes_differ_a_little_share_one_answer():
    tags = {
        get("/api/cells", **NITRATE, bbox=box, zoom="9").headers["etag"]
        for box in (BOX, f"{LON - 0.401},{LAT - 0.401},{LON + 0.401},{LAT + 0.401}")
    }
    assert len(tags) == 1


@pytest.mark.usefixtures("wells")
@pytest.mark.parametrize(
    "address", ["/api/cells", "/api/status.geojson", "/api/status.csv", "/api/observations.csv"]
)
def test_no_way_out_tells_where_a_household_is(address):
    for more in (
        {},
        {"bbox": f"{HOME[3] - 1e-4},{HOME[4] - 1e-4},{HOME[3] + 1e-4},{HOME[4] + 1e-4}"},
        {"site": "t:home-1"},
    ):
        told = get(address, **NITRATE, **more).body.decode()
        assert not [word for word in HIDDEN if word in told], (address, more)


@pytest.mark.usefixtures("wells")
def test_status_as_geojson_has_one_feature_a_site_in_the_limit_s_unit():
    told = get("/api/status.geojson", **NITRATE).json
    assert told["type"] == "FeatureCollection"
    assert len(told["features"]) == len(WELLS)
    above = next(f for f in told["features"] if f["properties"]["monitoring_location_id"] == "t:above")
    assert above["geometry"] == {"type": "Point", "coordinates": [WELLS[0][3], WELLS[0][4]]}
    assert above["properties"]["status"] == "above"
    assert above["properties"]["limit"] == 50
    assert above["properties"]["unit"] == "mg/L"
    assert above["properties"]["phenomenon_time"] == "2026-05-01T00:00:00Z"


def test_a_site_without_a_place_has_no_geometry(tmp_path, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_VAR", str(tmp_path))
    pictures.forget()
    put(readings([("t:lost", "Lost", "well", float("nan"), float("nan"), 80.0, "2026-05-01")]))
    (lost,) = get("/api/status.geojson", **NITRATE).json["features"]
    assert lost["geometry"] is None
    assert lost["properties"]["status"] == "above"


@pytest.mark.usefixtures("wells")
def test_status_as_csv_begins_with_the_columns_that_scripts_rely_on():
    rows = get("/api/status.csv", **NITRATE).rows
    assert len(rows) == len(WELLS)
    assert list(rows[0])[:4] == ["monitoring_location_id", "longitude", "latitude", "result"]
    assert {row["status"] for row in rows} == {"above", "near", "below"}


@pytest.mark.usefixtures("wells")
def test_observations_have_our_columns_and_run_nothing_in_a_spreadsheet():
    rows = get("/api/observations.csv", **NITRATE).rows
    assert len(rows) == 2 * len(WELLS)
    assert list(rows[0]) == list(FLAT_COLUMNS)
    assert {row["censoring"] for row in rows} == {"=", "<"}
    assert {row["result_qualifier"] for row in rows} <= {"'=1+1", ""}
    assert any(row["monitoring_location_name"] == NASTY for row in rows)


@pytest.mark.usefixtures("wells")
def test_one_site_alone_can_be_downloaded():
    rows = get("/api/observations.csv", **NITRATE, site="t:near").rows
    assert [row["monitoring_location_id"] for row in rows] == ["t:near"] * 2


def test_topics_can_be_listed():
    told = get("/api/topics.json").json["topics"]
    assert "groundwater" in [topic["key"] for topic in told]
    assert all(topic["properties"] and topic["area"] for topic in told)


def test_health_tells_the_data_version():
    before = get("/healthz").json
    assert before["status"] == "ok"
    put(readings())
    assert get("/healthz").json["data_version"] > before["data_version"]


@pytest.mark.usefixtures("wells")
@pytest.mark.parametrize(
    "params",
    [
        {"topic": "nowhere"},
        {"property": "unobtainium"},
        {"standard": "mine"},
        {"bbox": "1,2,3"},
        {"bbox": "10,10,5,5"},
        {"zoom": "-1"},
        {"period": "yesterday"},
        {"review": "secret"},
        {"as_of": "99999999"},
        {"topic": "{{7*7}}</script>"},
    ],
)
@pytest.mark.parametrize("address", ["/api/cells", "/api/status.geojson", "/api/observations.csv"])
def test_a_bad_question_is_told_in_a_sentence(address, params):
    told = get(address, **params)
    assert told.status == 400
    assert told.headers["content-type"] == "application/json"
    assert len(told.json["error"]) > 15
    assert "Traceback" not in told.json["error"]


@pytest.mark.parametrize(
    "address", ["/api/", "/api/nope", "/api/cells/x", "/vendor/x.js", "/vendor/../app.py", "/basemap/x"]
)
def test_unknown_addresses_are_not_found(address):
    told = get(address)
    assert told.status == 404
    assert told.json["error"]


class TestPending:
    """What nobody has accepted yet."""

    @pytest.fixture
    def pending(self, kept, wells):
        return kept[1]

    def ask(self, headers=(), **more):
        return get("/api/cells", headers, **NITRATE, **more)

    def test_the_public_does_not_see_it(self, pending):
        batches = {row["batch_id"] for row in get("/api/observations.csv", **NITRATE).rows}
        assert str(pending.batch) not in batches
        assert sum(self.ask().json["n"]) == len(WELLS) - 2  # two households alone in a district: no place

    @pytest.mark.parametrize("more", [{"review": "all"}, {"batch": "1"}, {"batch": "1", "token": "guessed"}])
    @pytest.mark.parametrize("address", ["/api/cells", "/api/status.csv", "/api/observations.csv"])
    def test_nobody_sees_it_by_asking(self, pending, address, more):
        if "batch" in more:
            more = more | {"batch": str(pending.batch)}
        told = get(address, **NITRATE, **more)
        assert told.status == 403
        assert told.json["error"]

    def test_whoever_holds_the_link_sees_it(self, pending):
        told = self.ask(batch=str(pending.batch), token=pending.view_token)
        assert len(told.json["lon"]) == len(WELLS) - 1  # two households, one square

    def test_the_link_of_one_batch_opens_no_other(self, pending, kept):
        other = kept[2]
        assert self.ask(batch=str(other.batch), token=pending.view_token).status == 403
        assert self.ask(review="all", token=pending.view_token).status == 403

    def test_a_batch_that_is_not_there_is_not_found(self, pending):
        assert self.ask(batch="4711", token="guessed").status in (403, 404)

    def test_the_operator_sees_everything(self, pending, monkeypatch):
        monkeypatch.setenv("COMMONSIGHT_OPERATOR_KEY", "open sesame")
        assert self.ask({access.HEADER: "open sesame"}, review="all").status == 200
        assert self.ask({access.HEADER: "wrong"}, review="all").status == 403
        assert self.ask(review="all", token=access.operator_pass()).status == 200

    def test_without_a_key_nobody_is_the_operator(self, pending):
        assert self.ask({access.HEADER: ""}, review="all").status == 403


class TestBasemap:
    """What lies under the sites."""

    def test_outlines_come_from_this_installation(self):
        told = get("/basemap/outlines.json", {"Accept-Encoding": "gzip"})
        assert told.size < 120_000
        assert len(told.json["features"]) > 150
        assert "Natural Earth" in told.json["attribution"]

    def test_without_a_file_there_are_no_tiles(self):
        assert get("/basemap/tiles/1/0/0").status == 404

    def test_an_mbtiles_file_is_served_with_rows_counted_from_the_north(self, tmp_path, monkeypatch):
        path = tmp_path / "map.mbtiles"
        with sqlite3.connect(path) as con:
            con.execute("CREATE TABLE metadata (name TEXT, value TEXT)")
            con.execute("CREATE TABLE tiles (zoom_level INT, tile_column INT, tile_row INT, tile_data BLOB)")
            con.execute("INSERT INTO metadata VALUES ('name', 'Ours')")
            con.execute("INSERT INTO tiles VALUES (1, 0, 1, ?)", [b"\x89PNG\r\n\x1a\nnorth"])
        monkeypatch.setenv("COMMONSIGHT_BASEMAP", str(path))
        told = get("/basemap/tiles/1/0/0")
        assert (told.status, told.headers["content-type"]) == (200, "image/png")
        assert told.body.endswith(b"north")
        assert get("/basemap/tiles/1/0/1").status == 204
        assert get("/basemap/tiles/1/9/9").status == 400

    def test_a_pmtiles_file_is_served(self, tmp_path, monkeypatch):
        writer = pytest.importorskip("pmtiles.writer")
        from pmtiles.tile import Compression, TileType, zxy_to_tileid

        path = tmp_path / "map.pmtiles"
        with path.open("wb") as file:
            made = writer.Writer(file)
            made.write_tile(zxy_to_tileid(1, 1, 0), b"\x89PNG\r\n\x1a\neast")
            made.finalize(
                {"tile_type": TileType.PNG, "tile_compression": Compression.NONE, "min_zoom": 1, "max_zoom": 1,
                 "min_lon_e7": -10**9, "min_lat_e7": -10**8, "max_lon_e7": 10**9, "max_lat_e7": 10**8,
                 "center_zoom": 1, "center_lon_e7": 0, "center_lat_e7": 0},
                {"name": "Ours"},
            )  # fmt: skip
        monkeypatch.setenv("COMMONSIGHT_BASEMAP", str(path))
        assert get("/basemap/tiles/1/1/0").body.endswith(b"east")

    def test_a_file_that_is_no_map_is_told(self, tmp_path, monkeypatch):
        path = tmp_path / "map.mbtiles"
        path.write_bytes(b"hello")
        monkeypatch.setenv("COMMONSIGHT_BASEMAP", str(path))
        told = get("/basemap/tiles/1/0/0")
        assert told.status == 500
        assert "neither" in told.json["error"]


def test_assets_are_small_kept_for_good_and_typed():
    from layers.assets import own_name

    told = get("/vendor/" + own_name("live.js"), {"Accept-Encoding": "gzip"})
    assert told.status == 200
    assert "immutable" in told.headers["cache-control"]
    assert told.headers["content-type"].startswith("text/javascript")
    assert told.size < 12_000


def test_the_active_store_is_the_demonstration_only_until_there_are_readings():
    assert settings().active_store_url == settings().demo_store_url
