"""Areas in a real browser: the map says in words what it shows, and fills the communes when it is asked to."""

from __future__ import annotations

import json
import urllib.request

import pytest

from tests.browser.test_map_browser import Visit, chromium  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SHOW = """() => {
  const live = Commonsight.state;
  live.map.addLayer(live.overlays.find(one => one.key === 'areas').group);
}"""
FILLED = """() => {
  const one = Commonsight.state.overlays.find(one => one.key === 'areas');
  return one.group.getLayers().map(shape => [shape.options.about.title, shape.options.about.lines[0]]);
}"""
HATCHED = """() => {
  const one = Commonsight.state.overlays.find(one => one.key === 'areas');
  return one.group.getLayers().every(shape => shape.options.fillColor instanceof CanvasPattern);
}"""


@pytest.fixture
def visit(chromium, server, request):  # noqa: F811
    tab = Visit(chromium, server[0], request.node.name)
    yield tab
    tab.picture("end")
    tab.context.close()
    assert tab.foreign == [], "a page asked somebody else"
    assert tab.wrong == []


def asked(visit, address):
    with urllib.request.urlopen(visit.server + address, timeout=30) as answer:
        return json.load(answer)


def shown(visit):
    before = visit.state("settled")
    visit.frame.evaluate(SHOW)
    visit.drawn(before)


def test_the_map_has_its_paragraph_as_a_label_and_fills_the_areas_with_the_answer_s_numbers(visit):
    visit.open("/?property=nitrate")
    told = asked(visit, "/api/status.geojson?property=nitrate")["description"]
    assert visit.state("map.getContainer().getAttribute('aria-label')") == told
    shown(visit)
    features = asked(visit, "/api/areas?property=nitrate")["features"]
    expected = [[one["properties"]["name"], one["properties"]["lines"][0]] for one in features]
    assert sorted(visit.frame.evaluate(FILLED)) == sorted(expected)
    assert len(expected) == 7
    legend = visit.frame.locator("[data-layer='areas']").inner_text()
    assert "too few sites to say" in legend
    assert "not picked at random" in legend


def test_areas_with_too_few_sites_are_hatched_and_a_missing_limit_is_said(visit):
    visit.open("/?property=nitrate&period=2026-10-10/")
    shown(visit)
    assert visit.frame.evaluate(HATCHED)
    visit.open("/?property=conductance")
    shown(visit)
    assert "No limit is set" in visit.frame.locator("[data-layer='areas']").inner_text()
    assert visit.frame.evaluate(FILLED) == []
