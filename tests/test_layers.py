"""The map: what a view is answered with, and that the base map never changes under the visitor."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import layers
from layers import picture as pictures
from layers.assets import at_home, packed
from layers.chart import base_map, choice
from layers.picture import MOST, answer, draw, mercator, snap, words
from layers.status import CODES, SIGNS
from situation import privacy
from situation.standard import standards
from situation.status import STATUSES, assess
from situation.topic import topics
from situation.view import View
from tests.some_wells import NOW, WELLS, readings

TOPIC = topics()["groundwater"]
WORLD = (-180.0, -90.0, 180.0, 90.0)
VIEW = View("groundwater", "nitrate", "who_drinking_water")
SAID = (
    "full_screen full_screen_off locate outlines osm osm_question osm_yes osm_no legend in_view cells_note "
    "sites_note hidden_sites come_closer old failed no_layer sites"
)
WORDS = dict.fromkeys(SAID.split(), "word")


def picture_of(table: pd.DataFrame):
    newest = table.sort_values("phenomenon_time").drop_duplicates("monitoring_location_id", keep="last")
    assessed = assess(newest.assign(n=2), standards()["who_drinking_water"], "nitrate", topic=TOPIC, now=NOW)
    return draw(privacy.public(assessed, TOPIC), TOPIC, "Nitrate", 1, NOW)


def many(n: int, seed: int = 1):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "monitoring_location_id": [f"m:{i}" for i in range(n)],
            "monitoring_location_name": "Well",
            "monitoring_location_type": "well",
            "longitude": rng.uniform(-180, 180, n),
            "latitude": rng.uniform(-85, 85, n),
            "status": rng.choice(STATUSES, n),
            "freshness": "current",
            "phenomenon_time": NOW,
            "position_rule": "exact",
            "result": 1.0,
            "censoring": "=",
            "detection_limit": np.nan,
            "unit": "mg/L",
            "method_speciation": "as NO3",
            "result_text": "1",
        }
    )
    return draw(table, TOPIC, "Nitrate", 1, NOW)


def test_few_sites_come_one_by_one_with_what_a_visitor_needs():
    told = answer(picture_of(readings()), WORLD, 3)
    assert told["kind"] == "sites"
    by_id = dict(zip(told["id"], told["status"], strict=True))
    assert {SIGNS[by_id[f"t:{name}"]].label for name in ("above", "old")} == {"above the limit"}
    assert by_id["t:near"] == CODES["near"]
    assert by_id["t:less"] == CODES["below"]
    assert told["result"][told["id"].index("t:less")] == "< 0.5 mg/L as NO3"
    assert told["stale"][told["id"].index("t:old")] == 1


def test_hidden_wells_of_one_square_are_one_mark_that_shows_the_worst():
    told = answer(picture_of(readings()), WORLD, 3)
    areas = [i for i, area in enumerate(told["area"]) if area]
    assert len(areas) == 1
    assert told["n"][areas[0]] == 2
    assert told["status"][areas[0]] == CODES["above"]
    assert "Smith" not in str(told)
    assert "home" not in str(told["id"])
    assert sum(told["total"]["status"]) == len(WELLS)


def test_only_above_leaves_the_rest_out():
    told = answer(picture_of(readings()), WORLD, 3, only="above")
    assert set(told["status"]) == {CODES["above"]}


@pytest.mark.parametrize("zoom", [0, 2, 5, 9, 14, 22])
@pytest.mark.parametrize("n", [MOST, MOST + 1, 30_000])
def test_an_answer_never_has_more_marks_than_a_browser_can_bear(n, zoom):
    told = answer(many(n), WORLD, zoom)
    assert len(told["status"]) <= MOST
    assert sum(told["total"]["status"]) == n
    assert sum(told["n"]) == n


def test_a_cell_shows_its_worst_status_and_counts_the_others():
    shown = many(30_000)
    told = answer(shown, WORLD, 3)
    counts = np.array(told["counts"])
    assert counts.sum(axis=0).tolist() == told["n"]
    assert told["status"] == [int(np.flatnonzero(column)[0]) for column in counts.T]
    size = 2**26 // told["k"]
    inside = (shown.x // size == told["x"][5]) & (shown.y // size == told["y"][5])
    assert np.count_nonzero(inside) == told["n"][5]


def test_an_empty_view_is_an_empty_answer():
    told = answer(picture_of(readings()), (0.0, 60.0, 1.0, 61.0), 8)
    assert told["kind"] == "sites"
    assert told["lon"] == []


def test_snapped_boxes_hold_the_box_and_coincide():
    box = (-120.11, 42.9, -120.0, 43.0)
    west, south, east, north = snap(box, 10)
    assert west <= box[0] < box[2] <= east
    assert south <= box[1] < box[3] <= north
    assert snap((-120.12, 42.91, -120.01, 42.99), 10) == snap(box, 10)
    assert snap(snap(box, 10), 10) == snap(box, 10)


def test_mercator_puts_the_poles_at_the_edge_and_not_beyond():
    _, y = mercator(np.array([0.0, 0.0]), np.array([90.0, -90.0]))
    assert y.round(6).tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ((12.345, "=", np.nan, "mg/L", "as N", "12,345"), "12.35 mg/L as N"),
        ((np.nan, "<", 0.5, "mg/L", None, "<0,5"), "< 0.5 mg/L"),
        ((np.nan, ">", 2400.0, "[CFU]", None, ">2400"), "> 2400 [CFU]"),
        ((np.nan, "text", np.nan, None, None, "present"), "present"),
        ((np.nan, "missing", np.nan, None, None, None), ""),
    ],
)
def test_a_result_is_written_as_people_write_it(row, told):
    names = ("result", "censoring", "detection_limit", "unit", "method_speciation", "result_text")
    assert words(pd.DataFrame([dict(zip(names, row, strict=True))])).tolist() == [told]


def test_every_layer_has_a_sign_for_every_code_and_no_two_look_alike():
    for layer in layers.available().values():
        assert len({sign.colour for sign in layer.signs}) == len(layer.signs)
        assert layer.kind in ("marks", "grid", "points", "shapes")
        if layer.kind == "marks":  # what fills an area has no shape: there the lightness tells classes apart
            assert len({sign.shape for sign in layer.signs}) == len(layer.signs)
            assert layer.paint in ("status", "recency")


def _script(element):
    from streamlit_folium import generate_leaflet_string

    element.get_root().render()
    return generate_leaflet_string(element)


def test_the_base_map_is_the_same_bytes_every_time_so_that_the_frame_stays():
    assert _script(base_map(WORDS)) == _script(base_map(WORDS))


def test_the_choice_carries_no_token_into_the_base_map_and_names_the_place_to_look():
    told = choice(VIEW.but(bbox=(1.0, 2.0, 3.0, 4.0), token="secret"), (5.0, 6.0, 7.0, 8.0)).choice
    assert '"box":[1.0,2.0,3.0,4.0]' in told
    assert "bbox=" not in told
    assert "secret" not in _script(base_map(WORDS))


def test_nothing_that_the_map_loads_lies_on_a_foreign_host():
    chart = base_map(WORDS)
    _script(chart)
    links = [link for element in _all(chart) for kind in ("default_js", "default_css")
             for _, link in getattr(element, kind, [])]  # fmt: skip
    assert links
    for link in links:
        assert link.startswith("../../vendor/"), link
        assert packed(link.rsplit("/", 1)[-1]), link
    assert at_home("https://d3js.org/d3.v4.min.js").startswith("../../vendor/")


def _all(element):
    yield element
    for child in element._children.values():
        yield from _all(child)


def test_a_picture_is_made_once_for_everybody(monkeypatch):
    from tests.some_wells import put

    put(readings())
    pictures.forget()
    made = []
    real = pictures.make
    monkeypatch.setattr(pictures, "make", lambda view, now: made.append(1) or real(view, now))
    first = pictures.picture(VIEW, NOW)
    assert pictures.picture(VIEW.but(bbox=(0.0, 0.0, 1.0, 1.0), zoom=4, site="x"), NOW) is first
    assert len(made) == 1
    put(readings(contributor="ben"), name="more.csv")
    assert pictures.picture(VIEW, NOW) is not first


def test_the_map_looks_where_the_sites_are_unless_the_topic_names_an_area():
    from dataclasses import replace

    shown = picture_of(readings())
    west, south, east, north = shown.area
    assert west < shown.sites["longitude"].min() <= shown.sites["longitude"].max() < east
    assert south < shown.sites["latitude"].min() <= shown.sites["latitude"].max() < north
    assert replace(shown, topic=replace(shown.topic, area=(1.0, 2.0, 3.0, 4.0))).area == (1.0, 2.0, 3.0, 4.0)
