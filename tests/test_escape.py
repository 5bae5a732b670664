"""Nothing a stranger wrote runs: the payloads go through every layer and every field."""

from __future__ import annotations

import itertools
import json
import re
from urllib.parse import unquote

import branca.element
import folium
import folium.plugins
import jinja2
import pytest

import layers
from layers import Layer, Sign
from layers.chart import base_map, choice
from layers.escape import Literal, esc, neutralise
from layers.live import Live, literal
from layers.preview import draw as preview
from situation.view import View

PAYLOADS = [
    "{{7*7}}",
    "{{ cycler.__init__.__globals__ }}",
    "{%",
    "{% for x in (1,) %}{{x}}{% endfor %}",
    "{#",
    "</script><script>window.broken = 1</script>",
    "<img src=x onerror=alert(1)>",
    "${alert(1)}",
    "`+alert(1)+`",
    "\"]}'",
    "\\u003cscript\\u003e",
    "safe\u202egnp.exe",
    "x" * 10_000,
    "line\u2028break",
]
LIVE_SIGNS = re.compile(r"[<>{}`$\\\"']|\u202e")


@pytest.fixture
def plain_branca(monkeypatch):
    """Branca as it came, and again after the test as it was."""
    monkeypatch.setattr(branca.element, "Template", jinja2.Template)


@pytest.fixture
def counted_ids(monkeypatch):
    """Element ids that are the same each time; call to begin anew."""

    def begin() -> None:
        numbers = itertools.count()
        monkeypatch.setattr(
            branca.element.Element, "_generate_id", classmethod(lambda cls: f"{next(numbers):032x}")
        )

    return begin


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_sign_that_a_browser_or_jinja_could_act_on_survives_esc(payload):
    safe = esc(payload)
    assert not LIVE_SIGNS.search(safe)
    assert len(safe) < 5_000


def test_what_is_missing_is_an_empty_text():
    assert [esc(value) for value in (None, float("nan"), "")] == ["", "", ""]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_literal_gives_back_what_it_was_given(payload):
    text = f"var name = '{payload}';"
    assert Literal(text).render(this=None) == text


def test_branca_still_finds_its_own_elements():
    name = "geo_json_0123456789abcdef0123456789abcdef"
    assert Literal("use({{'" + name + "'}})").render() == f"use({name})"


@pytest.mark.usefixtures("plain_branca")
def test_benign_maps_come_out_byte_for_byte_as_before(counted_ids):
    counted_ids()
    before = _benign_map().get_root().render()
    neutralise()
    counted_ids()
    assert _benign_map().get_root().render() == before


def _benign_map() -> folium.Map:
    chart = folium.Map(location=[1, 2], zoom_start=4)
    folium.Marker([1, 2], popup="A well", tooltip="Well 3").add_to(chart)
    folium.CircleMarker([1, 2.5], radius=4, color="#123456").add_to(chart)
    shape = {"type": "Feature", "properties": {"name": "Area"}, "geometry": {
        "type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}}  # fmt: skip
    folium.GeoJson(
        shape,
        style_function=lambda _: {"color": "red"},
        tooltip=folium.GeoJsonTooltip(["name"]),
        popup=folium.GeoJsonPopup(["name"]),
    ).add_to(chart)
    folium.plugins.MarkerCluster([[1, 2], [3, 4]]).add_to(chart)
    folium.plugins.Fullscreen().add_to(chart)
    folium.LayerControl().add_to(chart)
    return chart


@pytest.mark.parametrize("payload", PAYLOADS)
def test_data_in_folium_s_own_sinks_stay_literal_once_neutralised(payload, plain_branca):
    neutralise()
    chart = folium.Map(location=[1, 2])
    folium.Marker([1, 2], popup=folium.Popup(esc(payload)), tooltip=esc(payload)).add_to(chart)
    point = {"type": "Feature", "properties": {"name": payload},
             "geometry": {"type": "Point", "coordinates": [0, 0]}}  # fmt: skip
    shapes = {"type": "FeatureCollection", "features": [point]}
    folium.GeoJson(shapes, tooltip=folium.GeoJsonTooltip(["name"])).add_to(chart)
    html = chart.get_root().render()
    assert "<class " not in html  # what __globals__ would have shown
    if payload.startswith(("{{", "{%", "{#")):
        assert payload in html


WORDS = dict.fromkeys(
    ["full_screen", "full_screen_off", "locate", "outlines", "osm", "osm_question", "osm_yes", "osm_no"], "w"
)


def _script(element: folium.Map | folium.FeatureGroup) -> str:
    from streamlit_folium import generate_leaflet_string

    if isinstance(element, folium.Map):
        element.get_root().render()
    else:
        element.render()
    return generate_leaflet_string(element)


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("key", sorted(layers.available()))
def test_every_layer_draws_any_text_as_text(key, payload):
    known = layers.available()[key]
    spoiled = Layer(
        key=payload,
        title=payload,
        paint=payload,
        signs=[Sign(payload, payload, payload) for _ in known.signs],
        params=payload,
    )
    chart = folium.Map(tiles=None)
    Live([spoiled], {"words": dict.fromkeys(WORDS, payload), payload: payload}).add_to(chart)
    neutralise()
    _is_inert(_script(chart), payload)


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("part", ["site", "period", "token", "topic"])
def test_every_part_of_a_choice_travels_as_text(part, payload):
    view = View("groundwater", "nitrate", "who_drinking_water")
    if part == "topic":
        from layers.live import Choice

        group = Choice({"topic": payload, payload: payload, "query": payload})
    else:
        group = choice(view.but(**{part: payload}), (0.0, 0.0, 1.0, 1.0))
    group._id = "feature_group_0"
    chart = folium.Map(tiles=None)
    group.add_to(chart)
    _is_inert(group._template.module.script(group), payload)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_words_of_the_map_are_text(payload):
    script = _script(base_map(dict.fromkeys(WORDS, payload), {"title": payload, "attribution": payload}))
    _is_inert(script.partition("Commonsight.start")[2], payload)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_preview_of_an_upload_shows_names_as_text(payload):
    from tests.some_wells import readings

    table = readings([(payload, payload, "well", 1.0, 2.0, 5.0, "2026-05-01")])
    _is_inert(_script(preview(table, "groundwater")), esc(payload)[:200])


def _is_inert(script: str, payload: str) -> None:
    """The payload is only there inside JSON strings, with every live sign written as an escape."""
    assert "{{" not in script
    assert "{%" not in script
    assert "{#" not in script
    assert "</script" not in script
    assert "<img" not in script
    assert "${" not in script
    assert "`" not in script
    told = re.findall(r'"(?:[^"\\]|\\.)*"', script)
    values = {json.loads(text) for text in told if "\n" not in text}
    assert any(payload in (value, unquote(value)) or payload in unquote(value) for value in values)


def test_a_literal_reads_back_as_what_was_written():
    value = {"a": [1, 2.5, None, True], "{{b}}": "</script>"}
    assert json.loads(literal(value)) == value
