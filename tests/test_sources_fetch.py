"""How each source is asked, by a server on this machine: paging to the end, cutting in parts, keys, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from sensors.sensor import Body
from sensors.sources import (
    available,
    ea_hydrology,
    ea_water_quality,
    eea_waterbase,
    hubeau_qualite,
    openaq,
    safecast,
)
from sensors.sources import usgs_earthquakes as quakes
from situation.errors import ChoiceError, IncompleteResponse, SchemaDrift, SourceUnavailable
from tests.bodies_kit import bodies
from tests.sources_kit import http_for, json_answer

Answer = Callable[[Request], Response]
BOX = (1.0, 48.0, 2.0, 49.0)


class Server:
    """Answers every question by one function; remembers what was asked."""

    def __init__(self, server: HTTPServer, answer: Answer) -> None:
        self.asked: list[Request] = []
        self.url = server.url_for("").rstrip("/")

        def handle(request: Request) -> Response:
            request.get_data()
            self.asked.append(request)
            return answer(request)

        server.expect_request(_Any()).respond_with_handler(handle)

    @property
    def queries(self) -> list[dict[str, str]]:
        """Give the query of each question."""
        return [{k: v[0] for k, v in parse_qs(urlsplit(r.url).query).items()} for r in self.asked]

    def fetch(self, key: str, http: dict[str, Any] | None = None, **ask: Any) -> tuple[list[Body], Any]:
        """Ask as a pull asks; gives the answers and what was noted."""
        sensor = available()[key]
        asked = sensor.ask(base_url=self.url, **ask)
        with http_for(self.url, known_as=sensor.base_url, **(http or {})) as client:
            found = [
                Body(b.name, b.read(), kind=b.kind, about=b.about, url=b.url)
                for b in sensor.fetch(asked, client)
            ]
            return found, client.notes


class _Any(str):
    """Fits every path."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


def day(text: str) -> datetime:
    """Give a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- Hub'Eau ---------------------------------------------------------------------------------------


def _hubeau(rows: int, count: int, status: int = 200, **more: Any) -> Response:
    said = {
        "count": count,
        "next": None,
        "data": [{"resultat": n, "code_param": 1340} for n in range(rows)],
        **more,
    }
    return Response(json.dumps(said), status=status, content_type="application/json")


def test_hubeau_goes_on_after_206_even_without_a_link(httpserver: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        page = int(request.args.get("page", 1))
        return _hubeau(3 if page < 3 else 1, 7, 206 if page < 3 else 200)

    server = Server(httpserver, answer)
    found, notes = server.fetch("hubeau_qualite", bbox=BOX, since=day("2024-01-01"), until=day("2024-12-31"))
    assert len(found) == 3
    assert (notes.declared, notes.got) == (7, 7)
    assert [q.get("page") for q in server.queries] == [None, "2", "3"]
    assert server.queries[0]["bbox"] == "1.000000,48.000000,2.000000,49.000000"


def test_hubeau_cuts_a_period_that_lies_too_deep(httpserver: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        first, last = (day(request.args[f"date_{n}_prelevement"]) for n in ("debut", "fin"))
        days = (last - first).days + 1
        count = days * 1000
        return _hubeau(
            0 if count > hubeau_qualite.DEEPEST else 1, 1 if count <= hubeau_qualite.DEEPEST else count
        )

    server = Server(httpserver, answer)
    found, notes = server.fetch("hubeau_qualite", bbox=BOX, since=day("2024-01-01"), until=day("2024-02-09"))
    periods = sorted((q["date_debut_prelevement"], q["date_fin_prelevement"]) for q in server.queries)
    assert ("2024-01-01", "2024-01-20") in periods
    assert ("2024-01-21", "2024-02-09") in periods  # no day twice, none left out
    assert len(found) == 2
    assert notes.truncated == []


def test_hubeau_one_day_too_deep_is_cut_in_four_and_then_told(httpserver: HTTPServer) -> None:
    server = Server(httpserver, lambda request: _hubeau(1, 30_000 if "bbox" not in request.args else 1))
    _, notes = server.fetch(
        "hubeau_qualite", site="BSS000TEST", since=day("2024-01-01"), until=day("2024-01-01")
    )
    assert "answers no deeper than 20000" in notes.truncated[0]

    def wide(request: Request) -> Response:
        west, _, east, _ = map(float, request.args["bbox"].split(","))
        return _hubeau(1, 30_000 if east - west > 0.6 else 1)

    httpserver.clear()
    server = Server(httpserver, wide)
    found, notes = server.fetch("hubeau_qualite", bbox=BOX, since=day("2024-01-01"), until=day("2024-01-01"))
    assert (len(found), notes.truncated) == (4, [])


def test_hubeau_asks_for_what_was_changed_and_for_its_own_codes(httpserver: HTTPServer) -> None:
    server = Server(httpserver, lambda request: _hubeau(0, 0))
    sensor = available()["hubeau_qualite"]
    ask = sensor.ask(
        base_url=server.url, bbox=BOX, properties=("nitrate", "fluoride"), until=day("2026-03-01")
    )
    with http_for(server.url) as http:
        list(sensor.fetch(sensor.since_last(ask, day("2026-02-01")), http))
    assert {q["date_min_maj"] for q in server.queries} == {"2026-01-31"}
    assert server.queries[0]["code_param"] == "1340,7073,1391"
    assert server.queries[0]["date_debut_prelevement"] == "1960-01-01"  # changed today, sampled long ago
    with pytest.raises(ChoiceError, match="cannot be asked for pm25"):
        sensor.ask(base_url=server.url, properties=("pm25",))


def test_hubeau_levels_ask_for_stations_and_then_for_the_wells_alive(httpserver: HTTPServer) -> None:
    rows = [
        {"code_bss": f"{n}/F", "date_fin_mesure": "2026-01-01" if n < 25 else "1999-01-01"} for n in range(30)
    ]

    def answer(request: Request) -> Response:
        if request.path.endswith("/stations"):
            return json_answer({"count": 30, "data": rows})
        return json_answer({"count": 1, "data": [{"code_bss": "1/F", "niveau_nappe_eau": 1}]})

    server = Server(httpserver, answer)
    found, _ = server.fetch("hubeau_niveaux", bbox=BOX, since=day("2025-01-01"), until=day("2025-12-31"))
    assert [body.kind for body in found] == ["stations", "levels", "levels"]
    assert len(server.queries[1]["code_bss"].split(",")) == 20
    assert len(server.queries[2]["code_bss"].split(",")) == 5
    with pytest.raises(ChoiceError, match="name a box or a well"):
        server.fetch("hubeau_niveaux")


# --- SensorThings ----------------------------------------------------------------------------------


def _things(link: str | None = None) -> Answer:
    streams = bodies("sensorthings")[0].json()

    def answer(request: Request) -> Response:
        if request.path.endswith("/Observations"):
            page = int(request.args.get("$skip", 0))
            rows = [
                {"@iot.id": page + n, "phenomenonTime": "2024-03-05T10:00:00Z", "result": n} for n in range(2)
            ]
            base = request.url.partition("?")[0]
            following = link or f"{base}?$skip={page + 2}"
            more = {"@iot.nextLink": following} if page < 4 or link else {}
            return json_answer({"@iot.count": 6 if page == 0 else 999, "value": rows, **more})
        return json_answer(streams)

    return answer


def test_sensorthings_follows_each_datastream_to_its_end_in_a_firm_order(httpserver: HTTPServer) -> None:
    server = Server(httpserver, _things())
    found, notes = server.fetch("sensorthings", bbox=BOX, since=day("2024-01-01"))
    assert [body.about.get("datastream") for body in found] == [None, "1", "1", "1", "x'y", "x'y", "x'y"]
    assert (notes.declared, notes.got) == (12, 12)  # the count of later pages is not believed
    paths = [urlsplit(request.url).path for request in server.asked]
    assert any("Datastreams('x''y')" in path.replace("%27", "'") for path in paths)
    assert "st_within(location,geography'POLYGON((1 48," in server.queries[0]["$filter"]
    assert server.queries[1]["$orderby"] == "phenomenonTime asc,id asc"
    assert server.queries[1]["$filter"] == "phenomenonTime ge 2024-01-01T00:00:00Z"


def test_sensorthings_a_link_in_a_circle_or_to_another_host_ends_it(httpserver: HTTPServer) -> None:
    server = Server(httpserver, _things(link=httpserver.url_for("/Datastreams(1)/Observations?$skip=2")))
    with pytest.raises(IncompleteResponse, match="circle"):
        server.fetch("sensorthings", bbox=BOX)
    httpserver.clear()
    server = Server(httpserver, _things(link="http://192.0.2.1/Datastreams(1)/Observations?$skip=2"))
    with pytest.raises(SchemaDrift):
        server.fetch("sensorthings", bbox=BOX)
    assert available()["sensorthings"].many_servers  # ids count anew on every server


# --- OpenAQ ----------------------------------------------------------------------------------------


def test_openaq_pages_until_one_is_not_full_and_leaves_silent_places(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openaq, "LIMIT", 2)
    alive = {**bodies("openaq")[0].json()["results"][0], "datetimeLast": {"utc": "2026-01-01T00:00:00Z"}}
    silent = {**alive, "id": 9002, "datetimeLast": {"utc": "2016-01-01T00:00:00Z"}}

    def answer(request: Request) -> Response:
        page = int(request.args["page"])
        if request.path.endswith("/locations"):
            rows = [alive, silent] if page == 1 else []
        else:
            rows = [{"value": 1, "parameter": {"name": "pm25"}}] * (2 if page < 3 else 1)
        return json_answer({"meta": {"found": ">2"}, "results": rows})

    server = Server(httpserver, answer)
    found, notes = server.fetch(
        "openaq", {"key": "secret-key", "key_header": "X-API-Key"}, bbox=BOX, since=day("2024-01-01"),
        properties=("pm25",),
    )  # fmt: skip
    assert [body.kind for body in found] == ["locations", "locations", *["measurements"] * 3]
    assert {body.about.get("sensor") for body in found} == {
        None,
        "501",
    }  # not the ozone, not the silent place
    assert notes.declared is None  # ">2" is no count
    assert all(request.headers["X-API-Key"] == "secret-key" for request in server.asked)
    assert "secret-key" not in "".join(body.url for body in found)
    assert server.queries[-1]["datetime_from"] == "2024-01-01T00:00:00Z"


def test_openaq_latest_leaves_dead_sensors_with_the_server(httpserver: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        if request.path.endswith("/locations"):
            return json_answer(bodies("openaq")[0].json())
        return json_answer({"meta": {"found": 0}, "results": []})

    server = Server(httpserver, answer)
    server.fetch("openaq", bbox=BOX, since=day("2026-01-01"), options={"what": "latest"})
    assert server.queries[1]["datetime_min"] == "2026-01-01T00:00:00Z"


# --- Environment Agency ----------------------------------------------------------------------------


def test_ea_asks_by_polygon_in_degrees_and_knows_that_204_is_nothing(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ea_water_quality, "LIMIT", 5)
    whole = bodies("ea_water_quality")[0].read()

    def answer(request: Request) -> Response:
        skip = int(request.args["skip"])
        if request.args["dateFrom"] == "2024-01-01" and skip < 10:
            lines = whole.splitlines(keepends=True)
            return Response(
                lines[0] + b"".join(lines[1:6] if skip == 0 else lines[1:3]), content_type="text/csv"
            )
        return Response(status=204)

    server = Server(httpserver, answer)
    found, notes = server.fetch(
        "ea_water_quality", bbox=BOX, since=day("2024-01-01"), until=day("2025-06-01"), properties=("ph",)
    )
    assert [len(body.text().splitlines()) - 1 for body in found] == [5, 2]
    assert notes.got == 7
    first = server.asked[0]
    assert (first.method, first.path) == ("POST", "/data/observation")
    assert json.loads(first.get_data())["coordinates"][0][0] == [1.0, 48.0]
    assert first.headers["Accept-Crs"].endswith("/EPSG/0/4326")
    assert (first.headers["CSV-Header"], first.headers["API-Version"]) == ("present", "1")
    assert {q["determinand"] for q in server.queries} == {"0061"}


def test_ea_goes_on_where_the_server_gives_smaller_pages_than_it_was_asked_for(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ea_water_quality, "_ROUND", 2)
    header, *lines = bodies("ea_water_quality")[0].read().splitlines(keepends=True)
    every = (lines * 5)[:5]

    def answer(request: Request) -> Response:
        skip = int(request.args["skip"])
        return Response(header + b"".join(every[skip : skip + 2]), content_type="text/csv")

    server = Server(httpserver, answer)
    _, notes = server.fetch(
        "ea_water_quality", bbox=BOX, since=day("2024-01-01"), until=day("2024-06-01"), properties=("ph",)
    )
    assert [q["skip"] for q in server.queries] == ["0", "2", "4"]
    assert notes.got == 5


def test_a_list_of_places_that_was_cut_is_told(httpserver: HTTPServer) -> None:
    thing = {"@iot.id": 1, "Datastreams": [], "Datastreams@iot.nextLink": "…"}
    place = {"@iot.id": 2, "Things": [thing], "Things@iot.nextLink": "…"}
    server = Server(httpserver, lambda request: json_answer({"value": [place]}))
    _, notes = server.fetch("sensorthings", bbox=BOX)
    assert len(notes.truncated) == 2
    httpserver.clear()
    server = Server(httpserver, lambda request: json_answer({"meta": {"found": 5}, "results": []}))
    _, notes = server.fetch("openaq", bbox=BOX)
    assert notes.truncated == ["OpenAQ declares 5 locations and gave 0."]


def test_ea_hydrology_asks_for_no_river(httpserver: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        number = 0 if request.path.endswith("stations.json") else 1
        return json_answer(bodies("ea_hydrology")[number].json())

    server = Server(httpserver, answer)
    found, _ = server.fetch("ea_hydrology", bbox=BOX, since=day("2024-01-01"), until=day("2024-12-31"))
    assert [urlsplit(request.url).path.rpartition("/id/")[2] for request in server.asked] == [
        "stations.json",
        "measures/te1-gw-logged-i-subdaily-mAOD-qualified/readings.json",
    ]
    assert server.queries[0]["mineq-long"] == "1.000000"
    assert len(found) == 2


def test_ea_hydrology_says_where_the_silent_cut_would_be(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ea_hydrology, "LIMIT", 3)
    monkeypatch.setattr(ea_hydrology, "CUT", 6)

    def answer(request: Request) -> Response:
        number = 0 if request.path.endswith("stations.json") else 1
        return json_answer(bodies("ea_hydrology")[number].json())

    server = Server(httpserver, answer)
    _, notes = server.fetch("ea_hydrology", bbox=BOX, since=day("2024-01-01"), until=day("2024-12-31"))
    assert [q.get("_offset") for q in server.queries] == [None, None, "3"]
    assert "more than 6 readings" in notes.truncated[0]


# --- field forms -----------------------------------------------------------------------------------


@pytest.fixture
def forms(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the forms of the hand-written answers beside the topic."""
    folder = tmp_path / "topics" / "groundwater" / "forms"
    folder.mkdir(parents=True)
    for key in ("kobo", "odk"):
        (folder / f"{key}_wells.toml").write_bytes(bodies(key)[0].read())
    from sensors import forms as module

    monkeypatch.setattr(module.form_asked, "__defaults__", (tmp_path / "topics",))


@pytest.mark.usefixtures("forms")
def test_kobo_follows_next_sends_its_token_and_keeps_no_person(httpserver: HTTPServer) -> None:
    page = bodies("kobo")[1].json()

    def answer(request: Request) -> Response:
        more = request.args.get("start") == "0"
        following = f"{request.url.partition('?')[0]}?limit=2&start=2" if more else None
        rows = page["results"][:2] if more else page["results"][2:]
        return json_answer({"count": 3, "next": following, "results": rows})

    server = Server(httpserver, answer)
    found, notes = server.fetch(
        "kobo", {"key": "t0ken", "key_header": "Authorization", "key_scheme": "token"}, topic="groundwater",
        since=day("2024-01-01"),
    )  # fmt: skip
    assert [body.kind for body in found] == ["form", "", ""]
    assert (notes.declared, notes.got) == (3, 3)
    assert {request.headers["Authorization"] for request in server.asked} == {"Token t0ken"}
    assert json.loads(server.queries[0]["query"]) == {"_submission_time": {"$gte": "2024-01-01T00:00:00"}}
    assert server.queries[0]["limit"] == "1000"
    text = "".join(body.text() for body in found)
    assert "Example" not in text
    assert "_submitted_by" not in text


@pytest.mark.usefixtures("forms")
def test_odk_follows_its_link_and_asks_for_what_was_edited(httpserver: HTTPServer) -> None:
    page = bodies("odk")[1].json()

    def answer(request: Request) -> Response:
        more = "$skiptoken" not in request.args
        link = {"@odata.nextLink": f"{request.url.partition('?')[0]}?%24skiptoken=abc"} if more else {}
        return json_answer(
            {"@odata.count": 2, "value": page["value"][:1] if more else page["value"][1:], **link}
        )

    server = Server(httpserver, answer)
    found, notes = server.fetch(
        "odk", {"key": "me@example.org:pass", "key_header": "Authorization", "key_scheme": "basic"},
        topic="groundwater", since=day("2024-01-01"),
    )  # fmt: skip
    assert (len(found), notes.declared, notes.got) == (3, 2, 2)
    assert server.asked[0].headers["Authorization"].startswith("Basic ")
    assert "__system/updatedAt ge 2024-01-01T00:00:00.000Z" in server.queries[0]["$filter"]
    assert server.asked[0].path.endswith("v1/projects/1/forms/well_test.svc/Submissions")
    assert "Ann Example" not in "".join(body.text() for body in found)


@pytest.mark.usefixtures("forms")
def test_a_form_that_is_not_there_is_a_sentence(httpserver: HTTPServer) -> None:
    server = Server(httpserver, lambda request: json_answer({}))
    with pytest.raises(ChoiceError, match="--option form=NAME; for kobo there are kobo_wells"):
        server.fetch("kobo", topic="groundwater", options={"form": "nothing"})
    with pytest.raises(ChoiceError, match="there is none"):
        server.fetch("odk", topic="air")
    assert server.asked == []


# --- the others ------------------------------------------------------------------------------------


def test_earthquakes_a_period_with_too_many_is_halved(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quakes, "LIMIT", 3)
    feature = bodies("usgs_earthquakes")[0].json()["features"][0]

    def answer(request: Request) -> Response:
        days = (day(request.args["endtime"]) - day(request.args["starttime"])).days
        if days > 20:
            return Response("more than 20000", status=400)
        return json_answer({"features": [feature] * (3 if days > 8 else 1)})

    server = Server(httpserver, answer)
    found, _ = server.fetch("usgs_earthquakes", since=day("2024-01-01"), until=day("2024-02-02"), bbox=BOX)
    assert len(found) == 4
    assert (server.queries[0]["minlongitude"], server.queries[0]["maxlatitude"]) == ("1.0", "49.0")


def test_waterbase_an_error_in_200_is_one_and_a_full_answer_is_cut_in_four(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eea_waterbase, "ROWS", 2)
    row = bodies("eea_waterbase")[0].json()["results"][0]

    def answer(request: Request) -> Response:
        sql = request.args["query"]
        assert "'CAS_14797-55-8'" in sql
        return json_answer(
            {"results": [row] * (2 if "BETWEEN 1.00000 AND 2.00000" in sql else 1), "errors": []}
        )

    server = Server(httpserver, answer)
    found, _ = server.fetch(
        "eea_waterbase", bbox=BOX, since=day("2020-01-01"), until=day("2020-12-31"), properties=("nitrate",)
    )
    assert (len(found), len(server.asked)) == (4, 5)
    httpserver.clear()
    server = Server(
        httpserver, lambda request: json_answer({"results": [], "errors": [{"error": "Timeout"}]})
    )
    with pytest.raises(SourceUnavailable, match="Timeout"):
        server.fetch("eea_waterbase", bbox=BOX, since=day("2020-01-01"), properties=("nitrate",))
    with pytest.raises(ChoiceError, match="small questions"):
        server.fetch("eea_waterbase", bbox=BOX)


def test_safecast_pages_until_one_is_short_and_keeps_no_person(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safecast, "PER_PAGE", 2)

    def answer(request: Request) -> Response:
        rows = [{"id": n, "value": 1, "unit": "cpm", "captured_at": "2024-01-01T00:00:00Z", "user_id": 5,
                 "email": "a@example.org"} for n in range(2 if request.args["page"] == "1" else 1)]  # fmt: skip
        return json_answer(rows)

    found, notes = Server(httpserver, answer).fetch("safecast", bbox=BOX)
    assert (len(found), notes.got) == (2, 3)
    assert "example.org" not in "".join(body.text() for body in found)
    assert "user_id" not in "".join(body.text() for body in found)


def test_sensor_community_gives_its_box_latitude_first(httpserver: HTTPServer) -> None:
    server = Server(httpserver, lambda request: json_answer([]))
    server.fetch("sensor_community", bbox=BOX)
    assert urlsplit(server.asked[0].url).path.endswith("box=48.00000,1.00000,49.00000,2.00000")


def test_opensensemap_history_is_asked_a_month_at_a_time(httpserver: HTTPServer) -> None:
    box = bodies("opensensemap")[0].json()[0]
    server = Server(
        httpserver,
        lambda request: json_answer(
            [] if "/data/" in request.path else {**box, "sensors": box["sensors"][:1]}
        ),
    )
    found, _ = server.fetch("opensensemap", site="b1", since=day("2024-01-01"), until=day("2024-02-15"))
    assert [body.about.get("sensor") for body in found] == [None, "s1", "s1"]


def test_gdacs_feed_with_a_byte_order_mark(httpserver: HTTPServer) -> None:
    feed = bodies("gdacs")[0].read()
    server = Server(httpserver, lambda request: Response(feed, content_type="application/xml"))
    found, _ = server.fetch("gdacs")
    assert found[0].read() == feed
    parse = available()["gdacs"].parse
    assert parse is not None
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><rss><channel/></rss>'
    with pytest.raises(SchemaDrift, match="document type"):
        list(parse([Body("1", bomb)]))
