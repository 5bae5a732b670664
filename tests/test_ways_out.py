"""Every way out, driven over a store with hidden wells: no place, name, id or sender of theirs is in the bytes.

The tables below name every address, every format and every command; a new one fails here until somebody has said
how it is driven, or why nothing of a site can leave by it. What leaves is unpacked as far as it goes (archives,
workbooks, databases, pictures' own words) and searched for what nobody may read, numbers in every notation.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import sqlite3
import struct
import zipfile

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest
from click.testing import CliRunner

import commonsight
import publish
import store
from layers import access, frozen
from layers import picture as pictures
from routes import ADDRESSES, data
from situation import privacy
from situation.errors import ChoiceError
from situation.settings import settings
from situation.topic import topics
from situation.view import View
from tests.some_wells import LAT, LON, NASTY, put, readings
from tests.test_routes import get

NITRATE = {"topic": "groundwater", "property": "nitrate", "standard": "who_drinking_water"}
MAIL, PHONE = "ruth.okafor@example.org", "+254 700 123 456"
FILE = "okafor_home_wells.csv"

#: name, type, longitude, latitude, nitrate as NO3 in mg/L: a fingerprint of each well. Four in one square, one
#: in the next, one alone beyond every other, one household for which the topic says "area".
HOMES = {
    "blurred": [
        ("Okafor kitchen", "household_well", 127.181913, -30.621771, 91.1),
        ("Okafor yard", "household_well", 127.174617, -30.616133, 91.2),
        ("Lindqvist", "household_well", 127.181431, -30.615289, 91.3),
        (f"{NASTY} Vasquez", "household_well", 127.173711, -30.622413, 5.4),
    ],
    "area": [
        ("Moreau", "private_well", 127.141237, -30.606413, 91.5),
        ("Abernathy house", "household", 127.133571, -30.601873, 91.6),
    ],
    "withheld": [("Zabrinsky", "household_well", 128.033419, -29.958763, 91.7)],
}
#: Enough wells around them for a surface; name and place of these are everybody's.
OPEN = [
    ("o:1", "Open well", "well", LON - 0.05, LAT - 0.03, 80.0, "2026-05-01"),
    ("o:2", "Old spring", "spring", LON - 0.04, LAT - 0.02, 45.0, "2026-05-01"),
    ("o:3", NASTY, "well", LON - 0.03, LAT - 0.01, 3.0, "2026-05-01"),
    ("o:4", "=1+1", "well", LON - 0.02, LAT, None, "2026-05-01"),
    *(
        (
            f"o:{5 + number}",
            f"Well {number}",
            "well",
            LON + 0.01 * (number % 6),
            LAT + 0.01 * (number // 6),
            20.0 + 9 * (number % 7),
            "2026-05-01",
        )
        for number in range(24)
    ),
]
#: Nobody but the operator may read these, in any case of letters.
SECRETS = (
    "okafor", "lindqvist", "vasquez", "moreau", "abernathy", "zabrinsky", "private-id-", "ruth", MAIL, "700 123",
    "700123", "bag-", "left of the stove", "home test by", "upload:heron", "31.4159", "a-secret-stream",
)  # fmt: skip
PLACES = [(lon, lat) for wells in HOMES.values() for _, _, lon, lat, _ in wells]


def homes() -> pd.DataFrame:
    """Make two readings of each hidden well, with everything that a careless file says of it."""
    wells = [
        (f"upload:heron/private-id-{kind}-{number}", name, type_, lon, lat, value, "2026-05-01")
        for kind, some in HOMES.items()
        for number, (name, type_, lon, lat, value) in enumerate(some)
    ]
    table = readings(wells, contributor="heron")
    earlier = readings([(*w[:5], w[5] * 0.8, "2025-05-01") for w in wells], contributor="heron")
    table = pd.concat([table, earlier], ignore_index=True)
    number = pd.Series(range(len(table))).astype(str)
    return table.assign(
        sample_id="bag-" + number,
        datastream_id="a-secret-stream",
        procedure=f"home test by {MAIL}",
        result_qualifier=f"left of the stove, {PHONE}",
        quality_reason=f"confirmed by {MAIL}",
        attribution="heron",
        source_url=f"https://example.org/{MAIL}",
        depth_m=31.4159,
        observation_id="private-id-" + number,
    )


class World:
    """A store that holds them, a snapshot that was kept, and the tokens that nobody else has."""

    def __init__(self, hidden: pd.DataFrame) -> None:
        put(readings(OPEN, contributor="rivers").assign(depth_m=35.0), name="open.csv")
        self.before = store.shared(settings().active_store_url).version()
        put(hidden, name=FILE)
        self.place = store.shared(settings().active_store_url)
        self.view = View.from_params(NITRATE)
        now = pd.Timestamp.now("UTC")
        self.shot = frozen.keep(self.place, frozen.freeze(self.place, self.view, now), now, who="jackdaw")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    var = tmp_path_factory.mktemp("ways-out")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMMONSIGHT_VAR", str(var))
        yield var, World(homes())


@pytest.fixture
def world(kept, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_VAR", str(kept[0]))
    pictures.forget()
    return kept[1]


# ---- what left, unpacked ------------------------------------------------------------------------


def unpacked(body: bytes) -> list[bytes]:
    """Give bytes, and whatever they hold in a form of its own."""
    if body[:2] == b"\x1f\x8b":
        return [body, *unpacked(gzip.decompress(body))]
    if body[:4] == b"PK\x03\x04":
        archive = zipfile.ZipFile(io.BytesIO(body))
        inside = [part for name in archive.namelist() for part in unpacked(archive.read(name))]
        return [body, "\n".join(archive.namelist()).encode(), *inside]
    if body[:4] == b"PAR1":
        file = pyarrow.parquet.ParquetFile(io.BytesIO(body))
        table = file.read().to_pandas()
        points = [bytes(value) for value in table.get("geometry", []) if value is not None]
        return [body, repr(file.schema_arrow).encode(), table.to_csv().encode(), b"".join(points)]
    if body[:15] == b"SQLite format 3":
        base = sqlite3.connect(":memory:")
        base.deserialize(body)
        return [body, "\n".join(base.iterdump()).encode("utf-8", "replace")]
    if body[:4] == b"%PDF":
        return [body, *_of_pdf(body)]
    if body[:8] == b"\x89PNG\r\n\x1a\n":
        return [body, *_chunks(body)]
    return [body]


def _of_pdf(body: bytes) -> list[bytes]:
    import pypdf

    reader = pypdf.PdfReader(io.BytesIO(body))
    about = [str(reader.metadata), str(reader.xmp_metadata)]
    return [text.encode() for text in (*about, *(page.extract_text() for page in reader.pages))]


def _chunks(png: bytes) -> list[bytes]:
    found, at = [], 8
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        if kind not in (b"IDAT", b"PLTE", b"tRNS"):
            found.append(kind + b" " + png[at + 8 : at + 8 + length])
        at += length + 12
    return found


_NUMBER = re.compile(rb"(?<![\d.])-?\d{1,3}\.\d{3,}")


def leaks(body: bytes) -> list[str]:
    """Say what of the hidden wells can be read in an answer."""
    found = []
    for part in unpacked(body):
        low = part.lower()
        found += [secret for secret in SECRETS if secret.encode() in low]
        for number in (value for place in PLACES for value in place):
            for form in ("<d", ">d", "<f", ">f"):
                if struct.pack(form, number) in part:
                    found.append(f"{number} as {form}")
        if part[:4] in (b"%PDF", b"\x89PNG", b"PK\x03\x04", b"PAR1", b"SQLi"):
            continue  # its parts follow
        if b"<svg" in part[:300]:  # of drawn lines every number is a place on the page
            part = re.sub(rb"<(path|use|image|clipPath|rect|g|defs)\b[^>]*>", b"", part)
        part = re.sub(rb'"coordinates": ?\[\[[^"]*', b"", part)  # outlines of countries
        said = np.unique([abs(float(number)) for number in _NUMBER.findall(part)])
        for lon, lat in PLACES:
            near = [
                value for value in (abs(lon), abs(lat)) if len(said) and np.abs(said - value).min() < 6e-4
            ]
            found += [f"{value} as text" for value in near]
    return sorted(set(found))


def test_the_search_finds_what_it_looks_for(tmp_path):
    lon, lat = PLACES[0]
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", f"place\n{lat:.3f}\n")
    frame = pd.DataFrame({"place": [lon], "who": ["Okafor"]})
    frame.to_parquet(tmp_path / "a.parquet")
    base = sqlite3.connect(tmp_path / "a.gpkg")
    frame.to_sql("a", base)
    base.close()
    assert leaks(zipped.getvalue())
    assert leaks(gzip.compress(f"[{lon:.5f}]".encode()))
    assert {"okafor", f"{abs(lon)} as text"} <= set(leaks((tmp_path / "a.parquet").read_bytes()))
    assert "okafor" in leaks((tmp_path / "a.gpkg").read_bytes())
    assert leaks(struct.pack("<2d", lon, lat))
    assert leaks(b"nothing of anybody 12.345678") == []


def test_the_squares_are_not_where_the_wells_are(world):
    table = privacy.public(
        world.place.latest(topic="groundwater", observed_property="nitrate"), world.view.chosen_topic
    )
    hidden = table[table["position_rule"].ne("exact")]
    assert hidden["position_rule"].value_counts().to_dict() == {
        kind: len(wells) for kind, wells in HOMES.items()
    }
    shown = hidden[["longitude", "latitude"]].dropna().to_numpy()
    for lon, lat in PLACES:
        assert (np.abs(shown - [lon, lat]).max(axis=1) > 1e-3).all()
    assert leaks(hidden.to_csv().encode()) == []


# ---- addresses ----------------------------------------------------------------------------------

_BOX = {"bbox": f"{LON - 1},{LAT - 1},{LON + 1},{LAT + 1}"}
_NEAR = {
    "bbox": ",".join(
        f"{v:.5f}"
        for v in (PLACES[0][0] - 2e-4, PLACES[0][1] - 2e-4, PLACES[0][0] + 2e-4, PLACES[0][1] + 2e-4)
    )
}
_OWN = {"site": "upload:heron/private-id-blurred-0"}
NO_READINGS = "says nothing of any site"

#: Address to the questions that are put to it: each a path and its parameters; or why none is needed.
WAYS: dict[str, list[tuple[str, dict[str, str]]] | str] = {
    "/api/cells": [("/api/cells", {**_BOX, "zoom": zoom}) for zoom in ("2", "9", "18")] + [("/api/cells", {**_NEAR, "zoom": "22"})],
    "/api/new": [("/api/new", {**_BOX, "seen": "0"}), ("/api/new", {**_NEAR, "seen": "0", "zoom": "22"})],
    "/api/surface": [("/api/surface", {**_BOX, "kind": kind, "zoom": "9"}) for kind in ("estimate", "probability")],
    "/api/next": [("/api/next", {})],
    "/api/next.csv": [("/api/next.csv", {})],
    "/api/next.gpx": [("/api/next.gpx", {})],
    "/api/next.geojson": [("/api/next.geojson", {})],
    "/api/status.geojson": [("/api/status.geojson", more) for more in ({}, _BOX, _NEAR, {"only": "above"})],
    "/api/status.csv": [("/api/status.csv", more) for more in ({}, _BOX, _NEAR, {"as_of": "2"})],
    "/api/observations.csv": [("/api/observations.csv", more) for more in ({}, _BOX, _NEAR, _OWN, {"period": "1y"})],
    "/api/topics.json": [("/api/topics.json", {})],
    "/api/areas": [("/api/areas", {})],
    "/api/areas.csv": [("/api/areas.csv", {"since": "2025-12-31"})],
    "/api/areas.geojson": [("/api/areas.geojson", {})],
    "/api/trends.csv": [("/api/trends.csv", more) for more in ({}, _NEAR, _OWN)],
    "/api/trends.json": [("/api/trends.json", {})],
    "/api/openapi.json": [("/api/openapi.json", {})],
    "/ogc": [("/ogc", {})],
    "/ogc/{rest:path}": [("/ogc/collections", {})] + [
        (f"/ogc/collections/groundwater-{kind}/items", {"limit": "1000"}) for kind in ("sites", "readings", "statuses")
    ] + [("/ogc/collections/groundwater-sites/items/upload:heron/private-id-blurred-0", {})],
    "/feeds/exceedances.atom": [("/feeds/exceedances.atom", {})],
    "/api/snapshot.{ending}": [(f"/api/snapshot.{ending}", {}) for ending in ("csv", "geojson")],
    "/s/{id}": [("/s/{id}", {})],
    "/s/{id}/card.png": [("/s/{id}/card.png", {})],
    "/s/{id}/picture.{ending}": [("/s/{id}/picture.svg", {})],
    "/s/{id}/data.{ending}": [("/s/{id}/data.csv", {"rows": "readings"}), ("/s/{id}/data.zip", {}), ("/s/{id}/data.kml", {})],
    "/s/{id}/map.html": [("/s/{id}/map.html", {})],
    "/s/{id}/citation.json": [("/s/{id}/citation.json", {})],
    "/embed": [("/embed", {}), ("/embed", {"snapshot": "{id}"})],
    "/vendor/{name}": NO_READINGS,
    "/basemap/outlines.json": NO_READINGS,
    "/basemap/places/{topic}.json": NO_READINGS,
    "/basemap/tiles/{z:int}/{x:int}/{y:int}": NO_READINGS,
    "/healthz": [("/healthz", {})],
    "/api/{rest:path}": [("/api/batches", {}), ("/api/private-id", {})],
    "/feeds/{rest:path}": [("/feeds/all", {})],
    "/s/{rest:path}": [("/s/{id}/originals", {})],
    "/embed/{rest:path}": [("/embed/x", {})],
    "/vendor/{rest:path}": NO_READINGS,
    "/basemap/{rest:path}": NO_READINGS,
}  # fmt: skip
#: Where nothing is found, or an error is right; everywhere else the answer holds something.
_REFUSED = ("/api/{rest:path}", "/feeds/{rest:path}", "/s/{rest:path}", "/embed/{rest:path}")


def test_every_address_is_in_the_table():
    assert set(WAYS) == set(ADDRESSES)


@pytest.mark.parametrize("address", [address for address, way in WAYS.items() if way != NO_READINGS])
def test_no_address_tells_of_the_hidden(world, address):
    for path, params in WAYS[address]:
        asked = path.replace("{id}", world.shot.id)
        more = {name: value.replace("{id}", world.shot.id) for name, value in params.items()}
        choice = (
            {} if path.startswith(("/s/", "/ogc", "/healthz", "/api/openapi", "/api/topics")) else NITRATE
        )
        told = get(asked, **({**choice, **more} if "snapshot" not in more else more))
        if address in _REFUSED or "private-id" in path:
            assert told.status == 404, (asked, told.body[:300])
            # What was asked for may be said back; nothing else.
            assert set(leaks(told.body)) <= {"private-id-", "upload:heron"}
        else:
            assert told.status == 200, (asked, more, told.status, told.body[:300])
            own = {"private-id-", "upload:heron"} if "site" in more else set()
            # New places to sample lie on a grid, some in line with a well; the twin below tells chance from leak.
            found = {
                leak for leak in leaks(told.body) if "/next" not in address or not leak.endswith("as text")
            }
            assert found - own == set(), (asked, more)
        assert [secret for secret in SECRETS if secret in str(told.headers).lower()] == [], asked


def test_the_answers_do_hold_the_hidden_wells(world):
    """What is searched is not empty of them: their readings are there, under the names of their squares."""
    table = pd.read_csv(io.BytesIO(get("/api/observations.csv", **NITRATE).body))
    for name in ("readings", "sites"):
        data = pd.read_csv(io.BytesIO(get(f"/s/{world.shot.id}/data.csv", rows=name).body))
        assert {91.1, 91.7} <= set(data["result"])
    hidden = table[table["monitoring_location_id"].str.startswith("area-")]
    assert len(hidden) == 4 * len(PLACES)
    assert table["contributor"].dropna().unique().tolist() == ["rivers"]


# ---- formats ------------------------------------------------------------------------------------

FORMATS = ("png", "svg", "pdf", "html", "csv", "xlsx", "geojson", "gpkg", "parquet", "kml", "zip")


def test_every_format_is_in_the_table():
    assert set(FORMATS) == set(publish.FORMATS)


@pytest.mark.parametrize("ending", FORMATS)
def test_no_format_tells_of_the_hidden(world, ending):
    for rows in publish.ROWS if ending not in ("png", "svg", "pdf", "html", "zip", "gpkg") else ("sites",):
        body = publish.made(world.shot, ending, publish.Options(rows=rows))
        assert leaks(body) == [], rows
        assert FILE.encode() not in b"".join(unpacked(body))


def test_a_picture_carries_its_own_words_and_nothing_of_a_camera(world):
    body = publish.made(world.shot, "png", publish.Options())
    kinds = {chunk[:4] for chunk in _chunks(body)}
    assert kinds <= {b"IHDR", b"IEND", b"pHYs", b"tEXt", b"iTXt", b"zTXt", b"sRGB", b"gAMA"}
    assert b"exif" not in body.lower().replace(b"\0", b"")[:4000]


@pytest.mark.parametrize("ending", ["svg", "pdf"])
def test_trend_pictures_do_not_either(world, ending, tmp_path):
    from publish import trend_sheet

    sheets = frozen.trend_sheets(world.place, world.shot)
    path = tmp_path / f"trends.{ending}"
    trend_sheet.write(world.shot, sheets, path, publish.Options())
    assert leaks(path.read_bytes()) == []


# ---- commands -----------------------------------------------------------------------------------

OPERATOR = "the operator's own: on the machine that holds the readings, of the readings it holds"
_CHOSEN = ("--property", "nitrate", "--standard", "who_drinking_water")
#: Command to the lines that are run, OUT standing for a file; or why none is.
COMMANDS: dict[str, list[tuple[str, ...]] | str] = {
    "status": [("status", *_CHOSEN), ("status", *_CHOSEN, "--format", "geojson"), ("status", *_CHOSEN, "--json"), ("status", *_CHOSEN, "--by-area", "countries")],
    "trends": [("trends", *_CHOSEN), ("trends", *_CHOSEN, "--format", "json")],
    "snapshot": [("snapshot", *_CHOSEN, "OUT.csv"), ("snapshot", *_CHOSEN, "--rows", "readings", "--json", "OUT.geojson")],
    "snapshots": [("snapshots",), ("snapshots", "--json")],
    "sources": [("sources",)],
    **dict.fromkeys(
        ("check", "add", "history", "places", "accept", "withdraw", "purge", "calc", "backup", "restore", "rebuild",
         "pull", "collect", "demo"), OPERATOR,
    ),
}  # fmt: skip


def test_every_command_is_in_the_table():
    assert set(COMMANDS) == set(commonsight.cli.commands)


@pytest.mark.parametrize("name", [name for name, lines in COMMANDS.items() if lines != OPERATOR])
def test_no_command_tells_of_the_hidden(world, name, tmp_path):
    for line in COMMANDS[name]:
        words = [str(tmp_path / word) if word.startswith("OUT.") else word for word in line]
        told = CliRunner().invoke(commonsight.cli, words)
        assert told.exit_code in (0, 1), told.output
        assert leaks(told.output.encode()) == [], line
    for path in tmp_path.glob("OUT.*"):
        assert leaks(path.read_bytes()) == [], path


# ---- playing answers against each other ---------------------------------------------------------


def test_a_hundred_exports_give_no_better_place_than_one(world):
    """Boxes, periods, versions: every reading of a well is told at one and the same place."""
    wells = [(value, lon, lat) for _, _, lon, lat, value in HOMES["blurred"]]
    rng = np.random.default_rng(5)
    told: dict[float, set[tuple[float, float]]] = {value: set() for value, *_ in wells}
    for number in range(100):
        half = rng.uniform(0.002, 0.4)
        lon, lat = LON + rng.uniform(0, 0.04), LAT + rng.uniform(0.01, 0.05)
        more = [{}, {"period": "5y"}, {"as_of": str(world.place.version())}][number % 3]
        view = View.from_params({**NITRATE, **more})
        if number > 2:
            view = view.but(bbox=(lon - half, lat - half, lon + half, lat + half))
        table = data.sites(view, pd.Timestamp.now("UTC"))
        for value in told:
            here = table[table["result"] == value]
            told[value] |= set(zip(here["longitude"], here["latitude"], strict=True))
    places = set.union(*told.values())
    assert all(len(found) == 1 for found in told.values())
    assert len(places) == 1
    (lon, lat), grid = places.pop(), topics()["groundwater"].grid_m / 111_320 / 2
    for _, true_lon, true_lat in wells:  # inside the square that is drawn, and nothing better
        assert abs(lat - true_lat) <= grid + 1e-5
        assert abs(lon - true_lon) <= grid / np.cos(np.radians(lat)) + 1e-4


_TWINS = ["/api/cells", "/api/surface", "/api/next.geojson", "/api/status.csv", "/api/observations.csv",
          "/api/areas.csv", "/api/trends.json", "/ogc/{rest:path}", "/feeds/exceedances.atom"]  # fmt: skip


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    """Make a store that differs in nothing but what is hidden: other places in the same squares, other people."""
    var = tmp_path_factory.mktemp("twin")
    other = homes().replace({"heron": "wagtail", "upload:heron": "upload:wagtail"})
    _, first = np.unique(other["monitoring_location_id"], return_inverse=True)
    lon, lat = other["longitude"], other["latitude"]
    other = other.assign(
        monitoring_location_id="upload:wagtail/" + pd.Series(first).astype(str),
        monitoring_location_name="Somebody else",
        longitude=lon + np.where(first % 2, 6e-4, -6e-4),
        latitude=lat + np.where(first % 3, 5e-4, -5e-4),
        sample_id="other",
        procedure="other",
        depth_m=33.0,
        observation_id="other-" + pd.Series(range(len(other))).astype(str),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMMONSIGHT_VAR", str(var))
        World(other)
    return var


@pytest.mark.parametrize("address", _TWINS)
def test_a_store_that_differs_only_in_what_is_hidden_answers_alike(world, twin, address, monkeypatch):
    asked = [
        (path, {**({} if "/ogc" in path else NITRATE), **more})
        for path, more in WAYS[address]
        if "private-id" not in path and "site" not in more
    ]
    ours = [get(path, **more).body for path, more in asked]
    monkeypatch.setenv("COMMONSIGHT_VAR", str(twin))
    theirs = [get(path, **more).body for path, more in asked]
    stamp = re.compile(rb"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
    for question, one, other in zip(asked, ours, theirs, strict=True):
        # Entries of a feed are in the order of the seconds in which their batches came.
        plain = [stamp.sub(b"", body).replace(b"</feed>", b"") for body in (one, other)]
        alike = [sorted(body.split(b"<entry>")[1:]) or body for body in plain]
        assert alike[0] == alike[1], question


def test_a_box_finds_a_hidden_well_by_its_square_only(world):
    lon, lat = PLACES[0]
    box = {"bbox": f"{lon - 1e-4},{lat - 1e-4},{lon + 1e-4},{lat + 1e-4}"}
    assert len(get("/api/observations.csv", **NITRATE, **box).rows) == 0
    assert len(get("/api/status.csv", **NITRATE, **box).rows) == 0


def test_a_withheld_well_is_counted_and_in_no_box(world):
    rows = get("/api/status.csv", **NITRATE).rows
    withheld = [row for row in rows if row["position_rule"] == "withheld"]
    assert [row["result"] for row in withheld] == ["91.7"]
    assert (withheld[0]["longitude"], withheld[0]["latitude"]) == ("", "")
    assert withheld[0]["monitoring_location_name"] == "Household well, place withheld"
    world_box = {"bbox": "-180,-90,180,90"}
    assert "91.7" not in [row["result"] for row in get("/api/status.csv", **NITRATE, **world_box).rows]
    feature = next(
        f for f in get("/api/status.geojson", **NITRATE).json["features"] if f["properties"]["result"] == 91.7
    )
    assert feature["geometry"] is None


def test_the_batch_of_the_hidden_is_for_its_sender_alone(world):
    batch = str(world.place.history()[0].batch)
    for address in ("/api/cells", "/api/status.csv", "/api/observations.csv", "/api/trends.csv"):
        assert get(address, **NITRATE, batch=batch).status == 403
    assert get("/api/status.csv", {access.HEADER: "guessed"}, **NITRATE, review="all").status == 403


# ---- what never comes in ------------------------------------------------------------------------


@pytest.mark.parametrize("name", [MAIL, PHONE, "0700 123 456", "ruth (at) example.org", "254700123456"])
def test_nobody_can_sign_with_an_address_or_a_number(name):
    from sensors import intake

    with pytest.raises(ChoiceError):
        intake.pseudonym(name)


def test_nor_can_who_keeps_a_snapshot(world):
    with pytest.raises(ChoiceError, match="pseudonym"):
        frozen.keep(world.place, world.shot, pd.Timestamp.now("UTC"), who=MAIL)


@pytest.mark.parametrize("ending", [".jpg", ".csv"])
def test_a_photo_is_refused_and_not_kept(tmp_path, ending):
    from PIL import Image

    from sensors import intake
    from situation.errors import FieldFileError

    image = Image.new("RGB", (40, 30), "navy")
    about = Image.Exif()
    about[0x010E] = "taken at the well of the Okafors"
    path = tmp_path / f"well{ending}"
    image.save(path, "JPEG", exif=about)
    with pytest.raises(FieldFileError, match=r"is a picture \(JPEG\); type the readings"):
        intake.check([path], topic="groundwater", guarded=False)


def test_a_record_of_a_snapshot_names_nobody(world):
    folder = world.place.home / "snapshots"
    for path in folder.iterdir():
        assert leaks(path.read_bytes()) == [], path.name
    record = json.loads((folder / f"{world.shot.id}.json").read_text("utf-8"))
    assert record["who"] == "jackdaw"
