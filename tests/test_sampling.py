"""Where to sample next, and what the app answers about surfaces: soundness, privacy, hostile names, refusals."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as tree

import gpxpy
import numpy as np
import pandas as pd
import pytest

from layers import picture as pictures
from layers import sample_next
from layers import surface as surfaces
from situation.errors import NoSurface
from situation.kriging import Variogram, krige
from situation.sampling import COLUMNS, _posterior, next_places
from situation.surface import on_globe, probability
from situation.view import View
from tests.some_wells import EAST, LAT, LON, NASTY, NORTH, SOUTH, WEST, put, readings
from tests.test_routes import get
from tests.test_surface import GROUP, sites

NITRATE = {"topic": "groundwater", "property": "nitrate", "standard": "who_drinking_water"}
VIEW = View("groundwater", "nitrate", "who_drinking_water")
AREA = (6.9, 46.9, 7.4, 47.3)
HOME = (LON + 0.0612, LAT + 0.0487)
BOX = f"{WEST},{SOUTH},{EAST},{NORTH}"


def whole(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(monitoring_location_name="Well", position_rule="exact")


def planned(table: pd.DataFrame, area=AREA, **more) -> pd.DataFrame:
    return next_places(probability(table, group=GROUP), whole(table), area, **more)


# ---- the plan ---------------------------------------------------------------------------------------


def test_the_places_are_ranked_by_what_they_tell_and_lie_in_the_area():
    found = planned(sites(60), most=8)
    assert list(found.columns) == list(COLUMNS)
    assert found["rank"].tolist() == list(range(1, len(found) + 1))
    assert found["longitude"].between(AREA[0], AREA[2]).all()
    assert found["latitude"].between(AREA[1], AREA[3]).all()
    assert (found["doubt_taken"] > 0).all()
    assert found["doubt_taken"].sum() < 1
    assert not found.duplicated(["longitude", "latitude"]).any()


def around(table: pd.DataFrame) -> pd.Series:
    """Say which sites lie about the middle, where it could be either side of the limit."""
    return (table["longitude"] - 7.18).abs().lt(0.03) & (table["latitude"] - 47.1).abs().lt(0.04)


@pytest.mark.parametrize(
    ("column", "value", "why"), [("freshness", "stale", "too old"), ("status", "inconclusive", "not tell")]
)
def test_a_well_that_is_too_old_or_could_not_tell_is_worth_another_visit(column, value, why):
    table = sites(80)
    open_question = around(table)
    found = planned(table.assign(**{column: table[column].where(~open_question, value)}))
    wells = found[found["kind"] == "well"]
    assert set(wells["monitoring_location_id"]) & set(table["monitoring_location_id"][open_question])
    assert wells["why"].str.contains(why).any()


def test_a_well_that_only_a_strip_has_seen_is_offered():
    table = sites(80)
    table = table[~around(table)].reset_index(drop=True)
    strip = whole(table.head(1)).assign(
        monitoring_location_id="s:strip", longitude=7.18, latitude=47.1, status="inconclusive"
    )
    found = next_places(probability(table, group=GROUP), whole(table), AREA, strips=strip)
    row = found[found["monitoring_location_id"] == "s:strip"]
    assert "test strip" in row["why"].iloc[0]


def test_nobody_is_sent_where_it_is_already_clear():
    found = planned(sites(300))
    clear = (found["chance_above"] * (1 - found["chance_above"])).to_numpy()
    assert np.median(clear) > 0.02


def test_what_a_sample_is_said_to_take_away_is_what_kriging_with_it_takes_away():
    """The greedy gain is that of the matrix of kriging; here by kriging twice."""
    field = probability(sites(40), group=GROUP)
    smooth = Variogram(field.variogram.model, field.variogram.sill, field.variogram.range, 0.0)
    from dataclasses import replace

    field = replace(field, variogram=smooth)
    lon, lat = np.array([7.27, 7.29, 7.3]), np.array([47.05, 47.1, 47.15])
    points = on_globe(lon, lat)
    doubt = _posterior(field, points, 500.0)
    before = krige(field.points, field.values, points, variogram=smooth).variance
    np.testing.assert_allclose(np.diag(doubt), before, rtol=1e-4)
    more = np.vstack([field.points, points[:1]])
    after = krige(more, np.r_[field.values, 0.0], points, variogram=smooth).variance
    np.testing.assert_allclose(before - after, doubt[0] ** 2 / doubt[0, 0], rtol=1e-3, atol=1e-6)


def test_an_area_without_sites_has_no_plan():
    with pytest.raises(NoSurface, match="No site lies in the area"):
        planned(sites(60), area=(100.0, 10.0, 101.0, 11.0))


def test_very_many_sites_are_planned_for_as_well():
    found = planned(sites(3000), most=3)
    assert len(found) >= 1


# ---- over HTTP --------------------------------------------------------------------------------------


def wells(home=HOME, value=95.0):
    """Forty wells, high in the west; one whose name is hostile and whose reading is old; a household's."""
    rng = np.random.default_rng(4)
    x, y = rng.uniform(-0.12, 0.12, 40), rng.uniform(-0.08, 0.08, 40)
    found = [
        (f"t:{i}", f"Well {i}", "well", LON + x[i], LAT + y[i], float(np.exp(4 - 15 * x[i])), "2026-05-01")
        for i in range(40)
    ]
    found.append(("t:nasty", NASTY + "\x0b\u202e=1+1", "well", LON + 0.006, LAT + 0.095, 60.0, "2019-05-01"))
    found.append(("t:formula", '=HYPERLINK("x")', "well", LON + 0.006, LAT - 0.095, 45.0, "2019-05-01"))
    found.append(("t:home", "Family Smith", "household_well", *home, value, "2026-05-01"))
    # Two neighbours in the same square, or it would not be shown at all.
    for number in (1, 2):
        near = HOME[0] - 0.0003 * number, HOME[1] + 0.0004 * number
        found.append((f"t:home-{number}", "Family Smith", "household_well", *near, value, "2026-05-01"))
    return readings(found, earlier=False)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    var = tmp_path_factory.mktemp("surface")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMMONSIGHT_VAR", str(var))
        put(wells(), simulated=True)
        pending = put(readings(contributor="eve"), accept=False, name="pending.csv")
    return var, pending


@pytest.fixture
def place(kept, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_VAR", str(kept[0]))
    forget()
    return kept[1]


def forget():
    pictures.forget()
    surfaces.forget()
    sample_next.forget()


@pytest.mark.parametrize("kind", ["estimate", "probability"])
def test_a_surface_is_answered_as_the_map_draws_it(kind, place):
    told = get("/api/surface", {"Accept-Encoding": "gzip"}, kind=kind, bbox=BOX, zoom=11, **NITRATE)
    assert told.status == 200
    found = told.json
    assert len(found["codes"]) == found["width"] * found["height"] > 1000
    assert len(found["labels"]) == 6
    assert set(found["codes"]) <= set(range(-1, 6))
    assert len(set(found["codes"])) > 3
    assert "hiding one place after the other" in found["note"]
    assert found["more"]
    assert get("/api/surface", {"If-None-Match": told.headers["etag"]}, kind=kind, bbox=BOX, zoom=11,
               **NITRATE).status == 304  # fmt: skip
    assert told.size < 10_000


def test_an_unknown_kind_says_which_there_are(place):
    told = get("/api/surface", kind="mean", **NITRATE)
    assert told.status == 400
    assert "estimate, probability" in told.json["error"]


def test_too_few_readings_are_a_sentence_on_every_way_out(tmp_path, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_VAR", str(tmp_path / "few"))
    forget()
    put(readings())
    for address in ("/api/surface", "/api/next"):
        told = get(address, **NITRATE)
        assert told.status == 200
        assert "takes 20 places" in told.json["refused"]
        assert "codes" not in told.json
    for kind in ("csv", "gpx", "geojson"):
        told = get(f"/api/next.{kind}", **NITRATE)
        assert told.status == 422
        assert "takes 20 places" in told.json["error"]


def test_nothing_measured_at_all_is_a_sentence(place):
    told = get("/api/surface", topic="groundwater", property="fluoride", standard="who_drinking_water")
    assert "no reading" in told.json["refused"]


def test_pending_readings_are_for_whoever_may_see_them(place):
    for address in ("/api/surface", "/api/next", "/api/next.csv", "/api/next.gpx", "/api/next.geojson"):
        assert get(address, review="all", **NITRATE).status == 403
        assert get(address, batch=place.batch, **NITRATE).status == 403


def test_the_list_can_be_taken_along_in_three_forms_that_agree(place):
    table = list(csv.DictReader(io.StringIO(get("/api/next.csv", **NITRATE).body.decode())))
    points = gpxpy.parse(get("/api/next.gpx", **NITRATE).body.decode()).waypoints
    features = get("/api/next.geojson", **NITRATE).json["features"]
    layer = get("/api/next", **NITRATE).json
    places = [(float(row["longitude"]), float(row["latitude"])) for row in table]
    assert len(places) == 10
    assert [(point.longitude, point.latitude) for point in points] == places
    assert [tuple(feature["geometry"]["coordinates"]) for feature in features] == places
    assert list(zip(layer["lon"], layer["lat"], strict=True)) == places
    assert layer["label"] == [row["rank"] for row in table]
    assert [row["kind"] for row in table] == [sample_next.KINDS[code] for code in layer["code"]]


def test_names_of_strangers_do_nothing_in_any_of_them(place):
    found = sample_next.plan(VIEW)
    assert {"t:nasty", "t:formula"} <= set(found.places["monitoring_location_id"].dropna())
    root = tree.fromstring(get("/api/next.gpx", **NITRATE).body)  # noqa: S314
    names = [name.text for name in root.iter("{http://www.topografix.com/GPX/1/1}name")]
    nasty = next(name for name in names if "7*7" in name)
    assert "</script><script>" in nasty
    assert "\u202e" not in nasty
    assert {element.tag.split("}")[1] for element in root} <= {"metadata", "wpt"}
    body = get("/api/next.csv", **NITRATE).body.decode()
    assert "'=HYPERLINK" in body
    assert not [line for line in csv.reader(io.StringIO(body)) if any(cell.startswith("=") for cell in line)]


def test_the_true_place_of_a_hidden_well_changes_nothing_that_is_answered(kept, tmp_path, monkeypatch):
    """Anywhere in its square the household's well gives the very same answers, so none can tell where it is."""
    answers = []
    for number, home in enumerate((HOME, (HOME[0] - 0.0008, HOME[1] + 0.0011))):
        monkeypatch.setenv("COMMONSIGHT_VAR", str(tmp_path / f"home-{number}"))
        forget()
        put(wells(home))
        told = [get("/api/surface", kind=kind, bbox=BOX, zoom=13, **NITRATE).json for kind in surfaces.KINDS]
        told += [get(f"/api/next{end}", **NITRATE).body for end in ("", ".csv", ".gpx", ".geojson")]
        answers.append(told)
        for said in map(str, told):
            assert "Smith" not in said
            assert "t:home" not in said
            assert f"{home[0]:.4f}" not in said
    first, second = (surfaces.made(VIEW, "probability").sites for _ in range(2))
    assert first["position_rule"].eq("blurred").sum() == 3
    assert answers[0] == answers[1]


def test_one_fit_serves_every_visitor(place, monkeypatch):
    made = []
    real = surfaces._make
    monkeypatch.setattr(surfaces, "_make", lambda *asked: made.append(1) or real(*asked))
    for zoom in (9, 10, 11):
        get("/api/surface", kind="estimate", bbox=BOX, zoom=zoom, **NITRATE)
    get("/api/next", **NITRATE)
    get("/api/next.csv", **NITRATE)
    assert len(made) == 2  # the estimate, and the chance that the plan is made from


def test_the_numbers_on_the_page_are_those_of_the_function(place, monkeypatch):
    from streamlit.testing.v1 import AppTest

    from tests.test_pages_map import MENU

    app = AppTest.from_file(MENU, default_timeout=60)
    for name, value in NITRATE.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    assert not any("Takes away" in frame.value.columns for frame in app.dataframe)  # nobody asked for it yet
    app.session_state["map_tabs"] = "Where to sample next"
    app.run()
    assert not app.exception
    places = sample_next.plan(VIEW).places
    shown = next(frame.value for frame in app.dataframe if "Takes away" in frame.value.columns)
    assert shown["Takes away"].tolist() == places["doubt_taken"].tolist()
    assert shown["Chance of being above"].tolist() == places["chance_above"].tolist()
    assert shown["Longitude"].tolist() == places["longitude"].tolist()
    assert "Where to sample next" in [tab.label for tab in app.tabs]
