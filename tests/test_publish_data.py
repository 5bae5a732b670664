"""A snapshot as data: tables, places, packages; read with the tools that others read them with, and by ourselves."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import json
import shutil
import zipfile
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
from frictionless import Package, system, validate
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import publish
import store
from layers import frozen
from publish import Options, columns, package, qgis, tables
from sensors import field_file, intake
from sensors.own_export import read_own, with_ids
from sensors.raw_table import open_table
from situation.errors import FieldFileError, FileTooLarge
from situation.observation import FLAT_COLUMNS, POSITION_RULES, flat, to_arrow
from situation.settings import settings
from situation.spreadsheet import plain_cell, safe_cell
from situation.status import STATUSES, STYLE
from situation.view import View
from tests.some_wells import LAT, LON, NOW, WELLS, readings

HOSTILE = [
    "{{7*7}}",
    "</script><script>alert(1)</script>",
    "=1+1",
    "'=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\u202eevil\u202c",
    "W" * 300,
    "Well 😀 中",
    "$x^2$ $[name]",
    "#N/A",
    'a,b"c;d',
    "two\nlines",
    "]]>&amp;<b>",
    "  spaces  ",
]
SECRET = "ana-smiths-own-file.csv"
#: What a store says itself of a reading, whatever a file says.
BY_STORE = ("batch_id", "review_state", "retrieved_at")
BY_CELL = (
    "monitoring_location_id", "monitoring_location_name", "position_rule", "longitude", "latitude",
    "horizontal_accuracy_m",
)  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    opened = store.open_store(f"duckdb:{tmp_path_factory.mktemp('wells') / 'wells'}")
    nasty = [
        (f"t:h{n}", name, "well", LON + 0.001 * n, LAT + 0.05, 60.0 + n, "2026-05-02")
        for n, name in enumerate(HOSTILE)
    ]
    # Two wells of one cell with the same result on the same day: nothing that is shown tells them apart.
    twins = [(f"t:twin-{n}", "Twin", "household_well", LON + 0.05, LAT, 7.0, "2026-05-01") for n in (1, 2)]
    # With those of WELLS, enough in one cell to be shown as that cell.
    third = [("t:home-3", "Family Brown", "household_well", LON + 0.0096, LAT + 0.0299, 6.0, "2026-05-01")]
    table = readings([*WELLS, *nasty, *twins, *third])
    opened.add(
        b"wells", to_arrow(table), filename=SECRET, source_id="upload:ana", contributor="ana", accept=True,
        topic="groundwater", rows_in=len(table),
    )  # fmt: skip
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def shot(place):
    view = View.from_params({"property": "nitrate", "standard": "who_drinking_water"})
    made = frozen.freeze(place, view, NOW, title="Nitrate {{7*7}} =1+1")
    return dataclasses.replace(made, base_url="https://map.example.org", id="abcdefghij")


@pytest.fixture(scope="module")
def hostile(shot):
    """Return a snapshot in which every free text, of people and of the topic, is hostile, NUL included."""
    sites = shot.sites.copy()
    names = [HOSTILE[n % len(HOSTILE)] + ("\0" if n == 0 else "") for n in range(len(sites))]
    for name in ("monitoring_location_name", "contributor", "attribution", "licence", "reason"):
        sites[name] = pd.Series(names, index=sites.index, dtype="str")
    topic = dataclasses.replace(shot.topic, producer=HOSTILE[1], contact=HOSTILE[0] + "\u202e")
    return dataclasses.replace(shot, sites=sites, topic=topic, title=HOSTILE[1])


@pytest.fixture(scope="module")
def packed(shot, tmp_path_factory):
    path = tmp_path_factory.mktemp("packed") / "groundwater-nitrate.zip"
    publish.write(shot, path)
    return path


def written(shot, tmp_path, ending, **options):
    path = tmp_path / f"snapshot.{ending}"
    publish.write(shot, path, Options(**options))
    return path


def behind(shot):
    return pd.concat(shot.readings(), ignore_index=True)


def assert_same(one, other, but=()):
    assert len(one) == len(other)
    for name in (name for name in FLAT_COLUMNS if name not in but):
        a, b = one[name].reset_index(drop=True), other[name].reset_index(drop=True)
        same = (a.isna() & b.isna()) | (a.astype(object) == b.astype(object))
        assert same.all(), (name, a[~same].iloc[0], b[~same].iloc[0])


# ---- the same again ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "rows"),
    [
        ("csv", "sites"), ("csv", "readings"), ("xlsx", "sites"), ("geojson", "sites"), ("geojson", "readings"),
        ("gpkg", "sites"), ("parquet", "sites"), ("parquet", "readings"), ("kml", "sites"), ("zip", "sites"),
    ],
)  # fmt: skip
def test_a_snapshot_written_twice_is_the_same_bytes(hostile, ending, rows):
    options = Options(rows=rows)
    assert publish.made(hostile, ending, options) == publish.made(hostile, ending, options)


@pytest.mark.parametrize("ending", ["csv", "xlsx", "geojson", "gpkg", "parquet", "kml", "zip"])
def test_a_snapshot_of_nothing_is_a_file_with_its_columns(shot, tmp_path, ending):
    nothing = dataclasses.replace(
        shot, sites=shot.sites.iloc[:0], readings=lambda: iter(()), batches=shot.batches.iloc[:0],
        standard=None, limit=None,
    )  # fmt: skip
    path = written(nothing, tmp_path, ending)
    if ending == "csv":
        assert path.read_text().count("\n") == 1
    elif ending in ("geojson", "kml", "gpkg"):
        assert sum(len(pyogrio.read_dataframe(path, layer=n)) for n, g in layers_of(path) if g) == 0
    elif ending == "parquet":
        assert len(gpd.read_parquet(path)) == 0
    elif ending == "zip":
        assert validate(str(path)).valid


def layers_of(path):
    return [(str(name), geometry) for name, geometry in pyogrio.list_layers(path)]


# ---- tables --------------------------------------------------------------------------------------


def test_every_column_of_a_site_is_documented(shot):
    assert set(shot.sites.columns) <= {column.name for column in columns.SITES}
    assert [column.name for column in columns.READINGS] == list(FLAT_COLUMNS)
    assert all(column.meaning for column in (*columns.SITES, *columns.READINGS, *package.LIMITS))


def test_a_csv_of_sites_says_what_was_measured_and_is_safe_to_double_click(shot, tmp_path):
    raw = written(shot, tmp_path, "csv").read_bytes()
    assert not raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8"), newline="")))
    assert {row["observed_property"] for row in rows} == {"nitrate"}
    assert {row["censoring"] for row in rows} >= {"=", "<"}
    names = [row["monitoring_location_name"] for row in rows]
    assert all(safe_cell(name) in names for name in HOSTILE)
    assert [plain_cell(name) for name in names] == shot.sites["monitoring_location_name"].tolist()


def test_a_csv_of_readings_comes_back_the_same(shot, tmp_path):
    path = written(shot, tmp_path, "csv", rows="readings")
    reading = field_file.read(path, shot.view.chosen_topic)
    assert (reading.report.dialect, reading.report.rows_quarantined) == ("commonsight", 0)
    assert reading.report.questions == []
    assert_same(behind(shot), flat(reading.observations), but=("batch_id",))


@hypothesis_settings(max_examples=6, deadline=None)
@given(
    names=st.lists(
        st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"]), max_size=12)
        | st.text("'=+-@\t1.,e\n\"", max_size=6),
        min_size=6,
        max_size=12,
    ),
    numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=12, max_size=12),
)
def test_whatever_is_written_in_a_cell_comes_back_the_same(tmp_path_factory, names, numbers):
    table = flat(
        {
            "observation_id": [f"{n:040x}" for n in range(len(names))],
            "source_id": ["upload"] * len(names),
            "monitoring_location_id": [f"w{n}" for n in range(len(names))],
            "monitoring_location_name": [name or None for name in names],
            "observed_property_name": ["Nitrate"] * len(names),
            "phenomenon_time": [pd.Timestamp("2026-01-02T03:04:05.000006", tz="UTC")] * len(names),
            "result": numbers[: len(names)],
            "result_text": names,
            "retrieved_at": [NOW] * len(names),
        }
    )
    path = tmp_path_factory.mktemp("cells") / "readings.csv"
    with path.open("wb") as target:
        tables.write_csv([to_arrow(table)], target, to_arrow(table).schema)
    block = next(open_table(path, settings()).blocks())
    outcome = read_own(block, SimpleNamespace(source_id="upload", now=NOW))
    assert_same(table, flat(outcome.observations))


def test_a_workbook_holds_dates_as_dates_numbers_as_numbers_and_text_as_text(hostile, tmp_path):
    book = openpyxl.load_workbook(written(hostile, tmp_path, "xlsx"))
    assert book.sheetnames == ["read me", "sites", "readings", "limit", "sources", "columns"]
    assert book.properties.modified == NOW.to_pydatetime().replace(tzinfo=None)
    sheet = book["sites"]
    assert sheet.freeze_panes == "A2"
    heads = {cell.value: cell.column - 1 for cell in sheet[1]}
    for row, (_, site) in zip(sheet.iter_rows(min_row=2), hostile.sites.iterrows(), strict=True):
        name = row[heads["monitoring_location_name"]]
        assert (name.data_type, name.value) == ("s", site["monitoring_location_name"].replace("\0", "\ufffd"))
        assert row[heads["phenomenon_time"]].is_date
        assert row[heads["longitude"]].data_type == "n"
        assert row[heads["limit_verified"]].data_type == "b"
    everything = [cell for each in book for row in each.iter_rows() for cell in row]
    assert {cell.data_type for cell in everything} <= {"s", "n", "b", "d"}
    told = "\n".join(str(cell.value) for cell in book["read me"]["A"])
    assert "No data is not safe" in told
    assert "https://map.example.org/s/abcdefghij" in told


def test_a_workbook_of_too_many_readings_says_where_they_are(shot, tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MOST_READINGS", 3)
    book = openpyxl.load_workbook(written(shot, tmp_path, "xlsx"))
    assert book["readings"].max_row == 1
    assert f"({shot.readings_behind})" in str([cell.value for cell in book["read me"]["A"]][-1])


# ---- places --------------------------------------------------------------------------------------


def test_geojson_is_what_the_rfc_says_and_carries_its_citation(hostile, tmp_path):
    path = written(hostile, tmp_path, "geojson")
    told = json.loads(path.read_text("utf-8"))
    assert told["type"] == "FeatureCollection"
    assert "crs" not in told
    assert told["bbox"] == [
        *hostile.sites[["longitude", "latitude"]].min(),
        *hostile.sites[["longitude", "latitude"]].max(),
    ]
    assert {"citation", "licence", "version", "description"} <= set(told)
    assert told["simulated"] == "no"
    found = [feature["properties"]["monitoring_location_name"] for feature in told["features"]]
    assert found == hostile.sites["monitoring_location_name"].tolist()
    places = hostile.sites[["longitude", "latitude"]].to_numpy().tolist()
    for feature, place in zip(told["features"], places, strict=True):
        assert feature["geometry"] == (
            None if np.isnan(place[0]) else {"type": "Point", "coordinates": place}
        )
    assert len(gpd.read_file(path)) == len(hostile.sites)


def test_a_geopackage_opens_with_sites_readings_and_what_is_to_know_of_them(hostile, tmp_path):
    path = written(hostile, tmp_path, "gpkg")
    assert layers_of(path) == [
        ("sites", "Point"), ("readings", "Point"), ("about", None), ("limits", None), ("sources", None),
        ("columns", None), ("layer_styles", None),
    ]  # fmt: skip
    sites = pyogrio.read_dataframe(path, layer="sites")
    assert sites.crs == "EPSG:4326"
    names = hostile.sites["monitoring_location_name"].str.replace("\0", "", regex=False)
    assert sites["monitoring_location_name"].str.replace("\0", "", regex=False).tolist() == names.tolist()
    np.testing.assert_array_equal(sites.geometry.x, hostile.sites["longitude"])
    back = pyogrio.read_dataframe(path, layer="readings")
    assert len(back) == len(behind(hostile))
    assert str(back["phenomenon_time"].dtype).startswith("datetime64")
    about = pyogrio.read_dataframe(path, layer="about").set_index("key")["value"]
    assert about["version"] == "1"
    assert "nobody measured" in about["description"]
    assert pyogrio.read_info(path, layer="sites")["dataset_metadata"]["citation"] == about["citation"]
    assert pyogrio.read_dataframe(path, layer="limits")["value"].tolist() == [50.0]


def test_the_style_of_a_geopackage_has_the_colours_and_shapes_of_the_map(shot, tmp_path):
    styles = pyogrio.read_dataframe(written(shot, tmp_path, "gpkg"), layer="layer_styles")
    row = styles.iloc[0]
    assert (row.f_table_name, row.f_geometry_column, bool(row.useAsDefault)) == ("sites", "geom", True)
    assert (row.f_table_catalog, row.f_table_schema) == ("", "")
    assert pyogrio.read_info(written(shot, tmp_path, "gpkg"), layer="layer_styles")["fid_column"] == "id"
    renderer = ElementTree.fromstring(row.styleQML).find("renderer-v2")
    assert (renderer.get("type"), renderer.get("attr")) == ("categorizedSymbol", "status")
    symbols = {symbol.get("name"): symbol for symbol in renderer.find("symbols")}
    drawn = {}
    for category in renderer.find("categories"):
        layers = symbols[category.get("symbol")].findall("layer")
        assert {layer.get("class") for layer in layers} <= {"SimpleMarker", "FontMarker"}
        drawn[category.get("value")] = [
            {option.get("name"): option.get("value") for option in layer.find("Option")} for layer in layers
        ]
    assert set(drawn) == set(STATUSES)
    for status, layers in drawn.items():
        style = STYLE[status]
        assert (
            layers[-1]["color"]
            == ",".join(str(int(style.colour[at : at + 2], 16)) for at in (1, 3, 5)) + ",255"
        )
        # Names that QGIS knows; it has no question mark, which is a letter in a ring.
        assert layers[0]["name"] == {"question": "circle"}.get(style.shape, style.shape)
        assert (layers[-1].get("chr") == "?") == (style.shape == "question")
    alpha = symbols["0"].find("data_defined_properties//Option[@name='alpha']/Option[@name='expression']")
    assert "freshness" in alpha.get("value")


def test_geoparquet_says_where_it_lies_and_streams_in_groups(shot, tmp_path, monkeypatch):
    monkeypatch.setattr("publish.geo._GROUP", 10)
    path = written(shot, tmp_path, "parquet", rows="readings")
    geo = json.loads(pq.read_metadata(path).metadata[b"geo"])
    assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
    table = behind(shot)
    west, south, east, north = geo["columns"]["geometry"]["bbox"]
    assert (west, north) == (table["longitude"].min(), table["latitude"].max())
    assert (south, east) == (table["latitude"].min(), table["longitude"].max())
    assert pq.read_metadata(path).num_row_groups == -(-len(table) // 10)
    back = gpd.read_parquet(path)
    assert back.crs == "OGC:CRS84"
    back = back.assign(longitude=back.geometry.x, latitude=back.geometry.y)
    assert_same(table, pd.DataFrame(back))
    assert b"commonsight:citation" in pq.read_metadata(path).metadata


def test_a_place_that_is_not_known_is_no_point(shot, tmp_path):
    sites = shot.sites.assign(longitude=[np.nan, *shot.sites["longitude"][1:]])
    sites = sites[sites["longitude"].notna() | (sites.index == 0)]
    nowhere = dataclasses.replace(shot, sites=sites)
    found = gpd.read_parquet(written(nowhere, tmp_path, "parquet")).geometry
    assert found.isna().tolist() == [True] + [False] * (len(sites) - 1)
    assert found.iloc[1:].is_valid.all()
    assert json.loads(written(nowhere, tmp_path, "geojson").read_text())["features"][0]["geometry"] is None
    assert (
        pyogrio.read_dataframe(written(nowhere, tmp_path, "gpkg"), layer="sites").geometry.isna().sum() == 1
    )


def test_kml_fetches_nothing_runs_nothing_and_opens(hostile, tmp_path):
    path = written(hostile, tmp_path, "kml")
    text = path.read_text("utf-8")
    root = ElementTree.fromstring(text)
    space = {"k": "http://www.opengis.net/kml/2.2"}
    assert root.findall(".//k:href", space) == []
    for description in root.iterfind(".//k:description", space):
        # What is left when XML is read is HTML: no element but line breaks, no ${…}.
        assert "<" not in description.text.replace("<br>", "")
        assert "$" not in description.text
    assert "\u202e" not in text
    colours = {
        e.get("id"): e.find("k:IconStyle/k:color", space).text for e in root.iter(f"{{{space['k']}}}Style")
    }
    assert colours["above"] == "ff2d27c1"
    parts = [pyogrio.read_dataframe(path, layer=name) for name, _ in layers_of(path)]
    assert sum(map(len, parts)) == len(hostile.sites)
    together = pd.concat(parts, ignore_index=True)
    assert set(together["status"]) == set(hostile.sites["status"])
    assert sorted(together["result"].dropna()) == sorted(hostile.sites["result"].dropna())
    assert layers_of(path)[0][0].startswith("▲")


# ---- package -------------------------------------------------------------------------------------


def test_the_reference_tool_finds_nothing_wrong_with_a_package(packed, tmp_path):
    report = validate(str(packed))
    assert report.valid, report.flatten(["type", "message"])
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path)
    with system.use_context(trusted=True):
        described = Package(str(tmp_path / "datapackage.json"))
    fields = {field.name: field for field in described.get_resource("readings").schema.fields}
    assert list(fields) == list(FLAT_COLUMNS)
    assert all(field.title and field.description for field in fields.values())
    assert fields["censoring"].constraints["enum"] == ["=", "<", ">", "text", "missing"]
    assert fields["depth_m"].custom["unit"] == "m"


def test_the_reference_tool_finds_a_changed_cell(packed, tmp_path):
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path)
    text = (tmp_path / "sites.csv").read_text("utf-8")
    (tmp_path / "sites.csv").write_text(text.replace('"current"', '"fresh"', 1), "utf-8")
    found = {kind for (kind,) in validate(str(tmp_path / "datapackage.json")).flatten(["type"])}
    assert found & {"constraint-error", "hash-count", "byte-count"}


def test_a_package_holds_what_a_reader_needs_and_adds_up(packed, shot):
    with zipfile.ZipFile(packed) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    lines = held["CHECKSUMS"].decode().splitlines()
    sums = {name: sha for sha, name in (line.split("  ") for line in lines)}
    assert sums == {n: hashlib.sha256(b).hexdigest() for n, b in held.items() if n != "CHECKSUMS"}
    assert json.loads(held["citation.json"])[0]["version"] == "1"
    batches = list(csv.DictReader(io.StringIO(held["batches.csv"].decode())))
    assert batches[0]["quarantined"] == "0"
    limits = list(csv.DictReader(io.StringIO(held["limits.csv"].decode())))
    assert (limits[0]["value"], limits[0]["method_speciation"]) == ("50", "as NO3")
    told = held["README.md"].decode()
    for part in (
        "No data is not safe",
        "hidden" if False else "are not shown where they are",
        "inconclusive",
    ):
        assert part in told
    # In the text every sign is quoted; in a command, which is an indented block, nothing is read as markup.
    assert not [line for line in told.splitlines() if "{{7" in line and not line.startswith("    ")]


def test_no_file_name_and_nobody_beside_a_hidden_well_leaves(packed, shot):
    assert shot.hidden
    with zipfile.ZipFile(packed) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
        batches = archive.read("batches.csv")
    assert SECRET.encode() not in everything
    assert b"Family" not in everything
    # Hidden sites bear the number of their batch, so the list of batches names nobody.
    assert b"ana" not in batches


def test_a_package_is_read_in_the_guarded_child_and_gives_the_same_table(packed, shot):
    with intake.check([packed], topic="groundwater") as checked:
        assert checked.questions == []
        assert checked.report.warnings == []
        back = pd.read_parquet(checked.folder / intake.OBSERVATIONS)
    assert_same(behind(shot), back, but=("batch_id",))
    hidden = back["position_rule"].ne("exact")
    assert back.loc[hidden, "position_rule"].eq("blurred").any()
    assert back.loc[hidden, "monitoring_location_id"].str.startswith("area-").all()


def test_a_package_that_was_added_is_exported_again_as_it_was(packed, shot, tmp_path, monkeypatch):
    monkeypatch.setattr(field_file, "read_guarded", field_file.read_into)
    other = store.open_store(f"duckdb:{tmp_path / 'other'}")
    with intake.check([packed], topic="groundwater", store=other, guarded=False) as checked:
        receipt = intake.submit(other, checked, accept=True)
        assert (receipt.added, receipt.corrected) == (len(behind(shot)), 0)
        assert intake.submit(other, checked, accept=True).already
        recipe = intake._recipe(checked)
    again = frozen.freeze(other, shot.view.but(as_of=None, at=None), shot.moment)
    order = ["monitoring_location_id", "phenomenon_time", "result_text", "source_row"]
    exact, hidden = "position_rule == 'exact'", "position_rule != 'exact'"
    one, two = (table.query(exact).sort_values(order) for table in (behind(shot), behind(again)))
    assert_same(one, two, but=BY_STORE)
    # Behind a hidden cell there is one site from now on, which a store may have to show more coarsely.
    one, two = (table.query(hidden).sort_values(order[1:]) for table in (behind(shot), behind(again)))
    assert_same(one, two, but=(*BY_STORE, *BY_CELL))
    coarseness = [table["position_rule"].map(POSITION_RULES.index).tolist() for table in (one, two)]
    assert all(now >= was for was, now in zip(*coarseness, strict=True))
    rebuilt = pd.concat([part.to_pandas() for part in intake.read_again(packed, recipe)], ignore_index=True)
    assert rebuilt["observation_id"].is_unique
    other.close()


def test_readings_whose_ids_were_withheld_get_ids_of_their_own_the_same_each_time(packed, tmp_path):
    with intake.check([packed], topic="groundwater", guarded=False) as checked:
        path = shutil.copy(checked.folder / intake.OBSERVATIONS, tmp_path / "observations.parquet")
    first = pq.read_table(with_ids(Path(path)))
    assert pq.read_table(with_ids(Path(path))).equals(first)
    given = pq.read_table(path)
    ids = pd.Series(first["observation_id"].to_pylist())
    hidden = pd.Series(given["observation_id"].to_pylist()).eq("withheld")
    assert hidden.sum() >= 4  # the twins among them
    assert ids.is_unique
    assert ids[hidden].str.fullmatch("[0-9a-f]{40}").all()
    assert first.drop_columns(["observation_id"]).equals(given.drop_columns(["observation_id"]))
    kept = pa.table({"observation_id": first["observation_id"].filter(pa.array(~hidden))})
    assert kept.equals(pa.table({"observation_id": given["observation_id"].filter(pa.array(~hidden))}))


# ---- packages that are none ----------------------------------------------------------------------


def repacked(packed, tmp_path, change):
    path = tmp_path / "changed.zip"
    with zipfile.ZipFile(packed) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            change(new, name, old.read(name))
    return path


def test_a_package_whose_readings_were_changed_says_so(packed, tmp_path):
    def change(new, name, body):
        new.writestr(name, body.replace(b'"Above"', b'"Under"') if name == "readings.csv" else body)

    report = field_file.read(repacked(packed, tmp_path, change)).report
    assert "checksum" in report.warnings[0]


def test_two_members_of_one_name_are_refused(packed, tmp_path):
    def change(new, name, body):
        new.writestr(name, body)
        if name == "readings.csv":
            with pytest.warns(UserWarning, match="Duplicate"):
                new.writestr(name, body)

    with pytest.raises(FieldFileError, match="twice"):
        field_file.read(repacked(packed, tmp_path, change))


def test_an_archive_that_unfolds_to_too_much_is_refused(packed, tmp_path, monkeypatch):
    def change(new, name, body):
        new.writestr(name, body + b"\n" * 60_000_000 if name == "readings.csv" else body)

    path = repacked(packed, tmp_path, change)
    with pytest.raises(FileTooLarge, match="unfold"):
        field_file.read(path)


def test_a_member_that_lies_about_its_size_is_refused(packed, tmp_path):
    raw = bytearray(packed.read_bytes())
    with zipfile.ZipFile(packed) as archive:
        size = archive.getinfo("readings.csv").file_size
    at = raw.rindex(b"readings.csv") - 46  # in the list at the archive's end
    assert int.from_bytes(raw[at + 24 : at + 28], "little") == size
    raw[at + 24 : at + 28] = (size // 2).to_bytes(4, "little")
    path = tmp_path / "lying.zip"
    path.write_bytes(raw)
    with pytest.raises(FieldFileError, match="damaged"):
        field_file.read(path)


def test_another_archive_is_told_apart_and_nothing_is_unpacked(packed, tmp_path):
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../evil.csv", "a,b\n1,2\n")
    with pytest.raises(FieldFileError, match="holds no workbook"):
        field_file.read(path)
    assert [file.name for file in tmp_path.iterdir()] == ["other.zip"]


def test_the_label_of_a_status_is_in_the_language_of_the_snapshot(shot):
    assert "über" not in qgis.sites_style(shot)
    assert 'label="above the limit"' in qgis.sites_style(shot)
    assert 'label="above the limit"' not in qgis.sites_style(dataclasses.replace(shot, language="fr"))
