"""The tab "By area", its layer, its downloads and the paragraph: one set of numbers, wherever they are shown."""

from __future__ import annotations

import csv
import io
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import layers
from layers import areas as layer
from layers import picture as pictures
from layers import said
from layers.areas import SIGNS
from situation import region
from situation.status import STYLE
from situation.topic import AreaFile, topics
from situation.view import View
from tests.some_wells import NASTY, NOW, WELLS, put, readings
from tests.test_routes import get
from tests.test_status import _EYES, _lab
from ui import area_parts
from ui.words import Words

MENU = Path(__file__).resolve().parent.parent / "views" / "menu.py"
VIEW = View("groundwater", "nitrate", "who_drinking_water")
COMMUNES = VIEW.but(areas="communes")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Keep one store for all that only read; opening one takes a second."""
    var = tmp_path_factory.mktemp("areas")
    far = ("t:far", "Far", "well", 127.02, -31.5, 60.0, "2026-05-01")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMMONSIGHT_VAR", str(var))
        put(readings([*WELLS, far]), simulated=True)
        late = [("t:new", "New", "well", 127.1, -30.6, 99.0, "2026-06-01")]
        put(readings(late, contributor="eve"), accept=False, name="pending.csv")
    return var


@pytest.fixture
def wells(kept, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_VAR", str(kept))
    pictures.forget()
    layer.forget()
    return kept


def opened(**address):
    app = AppTest.from_file(MENU, default_timeout=60)
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def texts(app):
    kinds = (app.markdown, app.caption, app.warning, app.info, app.error)
    return " ".join(str(element.value) for kind in kinds for element in kind).replace("\\", "")


def tables(app):
    return [frame.value for frame in app.dataframe if "Area" in frame.value]


def test_the_tab_shows_the_numbers_of_the_functions(wells):
    app = opened(since="2025-01-01")
    assert not app.exception
    shares, changed = tables(app)
    made = layer.regions(VIEW, NOW)
    rows = made.table.set_index("area")
    assert len(shares) == len(changed) >= 4
    inside = shares[shares["Area"].isin(rows.index)].set_index("Area")
    for column, name in (
        ("Sites", "sites"),
        ("Can be judged", "judged"),
        ("Above", "above"),
        ("Old", "stale"),
    ):
        assert inside[column].to_dict() == rows.loc[inside.index, name].to_dict()
    np.testing.assert_allclose(inside["Share above (%)"], 100 * rows.loc[inside.index, "share"])
    one = rows.loc[inside.index[0]]
    assert inside["95 % interval (Wilson)"].iloc[0] == (
        f"{region.percent(one['share_low'])} to {region.percent(one['share_high'])} %"
    )
    then = layer.changed(VIEW.but(period="/2025-01-01"), VIEW, NOW)
    assert changed["Newly above"].sum() == then["newly_above"].sum() > 0
    assert changed["Compared"].sum() == then["compared"].sum()
    # Nothing is dropped: the table adds up to the sites of the map.
    assert shares["Sites"].sum() == len(pictures.picture(VIEW, NOW).sites) == len(WELLS) + 1
    assert shares.set_index("Area").loc["Outside every area", "Sites"] == 1
    assert "not a random sample" in texts(app)


def test_the_layer_the_csv_and_the_geojson_say_the_same_numbers(wells):
    asked = COMMUNES.to_params()
    drawn = get("/api/areas", **asked).json
    rows = {row["area"]: row for row in get("/api/areas.csv", **asked).rows}
    shapes = get("/api/areas.geojson", **asked).json
    assert len(drawn["features"]) == 7
    for feature in drawn["features"]:
        said_here = feature["properties"]
        row = rows[said_here["name"]]
        assert region.CLASS_NAMES[said_here["code"]] == row["class"]
        if int(row["judged"]):
            percent = region.percent(float(row["share"]))
            sites = region.counted_sites(int(row["judged"]))
            assert said_here["lines"][0] == f"{row['above']} of {sites} above the limit ({percent} %)"
        else:
            assert said_here["lines"][0] in ("Nobody has measured here.", "No site can be judged.")
    assert sum(drawn["total"]) == 7
    assert sum(int(row["sites"]) for row in rows.values()) == len(WELLS) + 1
    assert [f["properties"]["area"] for f in shapes["features"]] == list(rows)
    assert [f["properties"]["above"] for f in shapes["features"]] == [int(r["above"]) for r in rows.values()]
    assert [f["geometry"] is None for f in shapes["features"]] == [r["kind"] != "area" for r in rows.values()]
    assert shapes["description"] == said.paragraph_of(VIEW, NOW).text
    assert shapes["simulated"] is True
    assert "1 site in none of these areas." in drawn["note"]
    for body in (json.dumps(drawn), json.dumps(shapes), json.dumps(rows)):
        assert "Smith" not in body


def test_an_answer_is_asked_for_again_only_when_something_moved(wells):
    first = get("/api/areas", **COMMUNES.to_params())
    again = get("/api/areas", headers={"If-None-Match": first.headers["etag"]}, **COMMUNES.to_params())
    assert again.status == 304
    other = get(
        "/api/areas",
        headers={"If-None-Match": first.headers["etag"]},
        **VIEW.but(areas="aquifers").to_params(),
    )
    assert other.status == 200


def test_a_day_to_compare_with_adds_the_changes(wells):
    rows = get("/api/areas.csv", **COMMUNES.but(since="2025-01-01").to_params()).rows
    then = layer.changed(COMMUNES.but(period="/2025-01-01"), COMMUNES, NOW)
    assert [int(row["newly_above"]) for row in rows] == then["newly_above"].tolist()
    assert "newly_above" not in get("/api/areas.csv", **COMMUNES.to_params()).rows[0]


def test_what_cannot_be_asked_or_shown_is_a_sentence(wells):
    wrong = get("/api/areas", **VIEW.but(areas="moon").to_params())
    assert (wrong.status, wrong.json["error"]) == (
        400,
        "The topic groundwater has no areas 'moon' in topic.toml; it has communes, aquifers.",
    )
    no_limit = get(
        "/api/areas", topic="groundwater", property="nitrate", standard="eu_groundwater", period="/1990-01-01"
    ).json
    assert no_limit["refused"] == "There are no readings in this view."
    assert no_limit["features"] == []


def test_the_choice_of_areas_travels_in_the_address(wells):
    app = opened(areas="aquifers")
    assert app.selectbox(key="choice_areas").value == "aquifers"
    assert "Ash gravel (simulated)" in tables(app)[0]["Area"].tolist()
    app.selectbox(key="choice_areas").select("communes").run()
    assert app.query_params["areas"] in ("communes", ["communes"])
    assert "Fennel (simulated)" in tables(app)[0]["Area"].tolist()
    assert not opened(areas="moon").exception


def test_a_broken_file_of_areas_spoils_no_page(wells, monkeypatch, tmp_path):
    broken = AreaFile("communes", "Communes", tmp_path / "communes.geojson", "NAME")
    monkeypatch.setattr("situation.areas.sets_of", lambda topic: {"communes": broken})
    app = opened()
    assert not app.exception
    assert "communes.geojson is not there" in " ".join(error.value for error in app.error).replace("\\", "")
    assert app.metric[0].value == str(len(WELLS) + 1)


def test_the_paragraph_stands_on_the_page_is_the_map_s_alternative_text_and_leads_the_export(wells):
    app = opened()
    told = said.paragraph_of(VIEW, NOW)
    page = texts(app)
    assert all(sentence in page for sentence in told.sentences)
    assert "Uploads that wait to be accepted are not counted." in told.sentences
    sent = json.loads(app.get("component_instance")[0].proto.json_args)["feature_group"]
    assert told.lead.split(" at ")[0] in sent
    assert get("/api/status.geojson", **VIEW.to_params()).json["description"] == told.text
    french = get("/api/status.geojson", lang="fr", **VIEW.to_params()).json["description"]
    assert french == said.paragraph_of(VIEW, NOW, "fr").text != told.text


def test_an_export_of_a_box_is_described_by_what_it_holds(wells):
    answer = get("/api/status.geojson", bbox="127.0,-32.0,127.3,-31.0", **VIEW.to_params()).json
    assert len(answer["features"]) == 1
    assert "at the one site that can be judged" in answer["description"]


def test_names_of_areas_are_text_for_the_map_and_for_spreadsheets(wells, monkeypatch, tmp_path):
    import geopandas as gpd
    import shapely

    file = tmp_path / "areas.geojson"
    boxes = [shapely.box(127, -31, 127.2, -30), shapely.box(127.2, -31, 127.4, -30)]
    gpd.GeoDataFrame({"n": [NASTY, "=1+1"]}, geometry=boxes, crs=4326).to_file(file)
    monkeypatch.setattr(
        "situation.areas.sets_of", lambda topic: {"areas": AreaFile("areas", "Areas", file, "n")}
    )
    names = [row["area"] for row in get("/api/areas.csv", **VIEW.to_params()).rows]
    assert names[:2] == [NASTY, "'=1+1"]
    assert get("/api/areas", **VIEW.to_params()).json["features"][0]["properties"]["name"] == NASTY
    assert not opened().exception


def test_countries_without_sites_are_neither_drawn_nor_listed(wells, monkeypatch):
    plain = topics()["groundwater"]
    monkeypatch.setattr("layers.areas.shown_topic", lambda view: plain)
    answer = layer.answer(VIEW, NOW)
    assert [feature["properties"]["name"] for feature in answer["features"]] == ["Australia"]
    made = layer.regions(VIEW, NOW)
    # Two household wells are too few to be shown anywhere, and are counted all the same.
    assert area_parts.table(Words("en"), made)["Area"].tolist() == ["Australia", "Without a place"]
    assert "rough" in answer["note"]


def test_the_layer_is_there_and_its_classes_can_be_told_apart(wells):
    assert layers.available()["areas"].kind == "shapes"
    assert [sign.label for sign in SIGNS] == list(region.CLASS_NAMES)

    def drawn(colour):  # over the light land, as opaque as live.js makes it
        parts = [(int(colour[i : i + 2], 16), int("fbfaf6"[i - 1 : i + 1], 16)) for i in (1, 3, 5)]
        return "#" + "".join(f"{round(0.55 * one + 0.45 * under):02x}" for one, under in parts)

    shades = [drawn(sign.colour) for sign in SIGNS[: region.TOO_FEW]]
    for eyes in _EYES:
        seen = [_lab(shade, eyes) for shade in shades]
        for pale, dark in itertools.pairwise(seen):
            assert pale[0] > dark[0]
            assert float(np.linalg.norm(pale - dark)) > 9
        marks = [_lab(style.colour, eyes) for style in STYLE.values()]
        assert min(float(np.linalg.norm(one - mark)) for one in seen for mark in marks) > 10
    assert SIGNS[region.TOO_FEW].shape == "hatched"


def test_the_csv_is_what_the_command_line_says(wells):
    from click.testing import CliRunner

    import commonsight

    said_there = CliRunner().invoke(
        commonsight.cli, ["status", "--property", "nitrate", "--by-area", "communes", "--since", "2025-01-01"]
    )
    assert said_there.exit_code == 0
    rows = list(csv.DictReader(io.StringIO(said_there.stdout)))
    for row in rows:
        assert row.pop("simulated") == "yes"
    assert rows == get("/api/areas.csv", **COMMUNES.but(since="2025-01-01").to_params()).rows
