"""The map in a real browser: it draws, a site opens, it refreshes in place, and asks nobody else.

Pictures of what was seen go to ``.screenshots/``.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
import urllib.request
from pathlib import Path

import pytest

import store

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

ROOT = Path(__file__).resolve().parent.parent.parent
SCREENSHOTS = ROOT / ".screenshots"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FRAME = "iframe[title='streamlit_folium.st_folium']"
DRAWN = """() => {
  const frame = [...document.querySelectorAll('iframe')].find(one => one.title.includes('st_folium'));
  const live = frame && frame.contentWindow.Commonsight;
  return live && live.state.settled > %d;
}"""
A_SITE = """() => {
  const live = Commonsight.state;
  let found = null;
  live.overlays[0].group.eachLayer(mark => {
    const place = mark instanceof live.Mark && live.map.latLngToContainerPoint(mark.getLatLng());
    if (place && !found && place.x > 260 && place.y > 20 && place.y < 400) {
      found = {x: place.x, y: place.y, id: mark.options.about.id, name: mark.options.about.title};
    }
  });
  return found;
}"""


def _free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _wait_for(address, process, log):
    for _ in range(600):
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(address, timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="module")
def chromium():
    if CHROMIUM is None:
        if os.environ.get("COMMONSIGHT_NEEDS_BROWSER"):
            pytest.fail("no Chromium is installed")
        pytest.skip("no Chromium is installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """One visitor's tab; remembers whom it asked and what went wrong."""

    def __init__(self, browser, server, name, **kind):
        self.context = browser.new_context(**({"viewport": {"width": 1280, "height": 1500}} | kind))
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.server, self.name, self.foreign, self.wrong = server, name, [], []
        self.page.on("request", self._asked)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))

    def _asked(self, request):
        own = (self.server, self.server.replace("http", "ws"), "data:", "blob:", "about:")
        if not request.url.startswith(own):
            self.foreign.append(request.url)

    def open(self, path="/"):
        self.page.goto(self.server + path)
        self.drawn()
        return self

    def drawn(self, before=0):
        self.page.wait_for_function(DRAWN % before)

    @property
    def frame(self):
        return next(frame for frame in self.page.frames if "st_folium" in frame.url)

    def state(self, what):
        return self.frame.evaluate(f"Commonsight.state.{what}")

    def picture(self, what):
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{self.name}-{what}.png")


@pytest.fixture
def visit(chromium, server, request):
    tabs = []

    def begin(**kind):
        tabs.append(Visit(chromium, server[0], request.node.name, **kind))
        return tabs[-1]

    yield begin
    for tab in tabs:
        tab.picture("end")
        tab.context.close()
        assert tab.foreign == [], "a page asked somebody else"
        assert tab.wrong == []


def test_the_map_draws_and_a_click_opens_the_site_with_its_chart(visit):
    tab = visit().open()
    tab.page.get_by_text("Simulated readings.").first.wait_for()
    site = tab.frame.evaluate(A_SITE)
    tab.page.locator(FRAME).click(position={"x": site["x"], "y": site["y"]})
    tab.page.locator("[data-testid='stVegaLiteChart']").wait_for()
    tab.page.get_by_text(site["name"], exact=True).first.wait_for()
    tab.page.wait_for_url("**site=*")
    tab.picture("site")
    assert tab.state("overlays[0].group.getLayers().length") > 20


def test_moving_and_refreshing_neither_rerun_the_page_nor_lose_the_place(visit, server):
    tab = visit().open("/?property=nitrate")
    tab.frame.evaluate("window.mine = 'the same frame'")
    tab.frame.evaluate("void Commonsight.state.map.setView([-30.65, 127.15], 13, {animate: false})")
    tab.drawn(before=1)
    tab.page.wait_for_url("**zoom=13**")
    count = tab.state("settled")
    tab.frame.evaluate("void Commonsight.choose({...Commonsight.state.choice, refresh: 1})")
    tab.drawn(before=count + 2)
    assert tab.state("map.getZoom()") == 13
    assert tab.frame.evaluate("window.mine") == "the same frame"
    before = tab.state("choice.query")
    tab.page.locator("[data-testid='stSelectbox']").nth(1).click()
    tab.page.get_by_role("option", name="Arsenic").click()
    tab.page.get_by_text("Arsenic is above the limit").first.wait_for()
    tab.frame.wait_for_function("before => Commonsight.state.choice.query !== before", arg=before)
    assert tab.frame.evaluate("window.mine") == "the same frame"
    assert tab.state("map.getZoom()") == 13


@pytest.mark.parametrize("how", ["click", "key"])
def test_publishing_takes_along_where_the_map_looks_however_the_page_was_opened(visit, how):
    tab = visit().open("/?property=nitrate&standard=who_drinking_water")
    tab.frame.evaluate("void Commonsight.state.map.setView([-30.65, 127.15], 13, {animate: false})")
    tab.drawn(before=1)
    button = tab.page.get_by_role("button", name="Publish what the map shows")
    button.click() if how == "click" else button.press("Enter")
    tab.page.wait_for_url("**/snapshot?**bbox=127.**")
    assert "property=nitrate" in tab.page.url


def test_a_link_shows_the_same_place(visit):
    tab = visit().open("/?property=nitrate&bbox=127.10,-30.70,127.20,-30.60&zoom=12")
    west, south, east, north = (
        float(part) for part in tab.state("map.getBounds().toBBoxString()").split(",")
    )
    assert west <= 127.11 < 127.19 <= east
    assert south <= -30.69 < -30.61 <= north
    assert east - west < 0.6


def test_it_works_on_a_phone(visit):
    tab = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True).open()
    width = tab.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    tab.picture("top")
    tab.page.locator(FRAME).scroll_into_view_if_needed()
    tab.picture("map")
    assert tab.page.locator(FRAME).bounding_box()["width"] > 300


def test_openstreetmap_is_asked_for_only_after_a_yes(visit):
    tab = visit().open()
    tab.frame.locator(".leaflet-control-layers").hover(force=True)
    tab.page.wait_for_timeout(300)  # Leaflet swallows a click in the moment in which the list opens
    tab.frame.get_by_text("OpenStreetMap (asks first)").click()
    question = tab.frame.get_by_role("dialog")
    question.wait_for()
    assert "internet address" in question.inner_text()
    tab.picture("consent")
    tab.frame.get_by_role("button", name="No, thank you").click()
    assert tab.frame.evaluate("localStorage.getItem('commonsight-basemap')") != "osm"


def test_text_of_strangers_runs_nowhere(visit, server):
    from situation.settings import settings
    from tests.some_wells import NASTY, put, readings

    url, var = server
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMMONSIGHT_VAR", str(var))
        assert settings().active_store_url == settings().demo_store_url
        receipt = put(readings([("t:nasty", NASTY, "well", 127.30, -30.57, 99.0, "2026-10-01")]))
        demo = store.shared(settings().active_store_url)
    tab = visit().open("/?property=nitrate&site=t:nasty")
    tab.page.get_by_text("{{7*7}}").first.wait_for()
    found = tab.frame.evaluate(
        "Commonsight.state.overlays[0].group.getLayers().map(mark => mark.options.about)"
        ".filter(about => about.id === 't:nasty').map(about => about.title)"
    )
    assert found == [NASTY]
    assert tab.frame.evaluate("window.broken") is None
    assert tab.page.evaluate("window.broken") is None
    demo.withdraw(receipt.batch, "the tests", reason="others use the same app", operator=True)


def test_unknown_addresses_of_the_api_are_not_the_start_page(server):
    with pytest.raises(urllib.error.HTTPError) as told:
        urllib.request.urlopen(server[0] + "/api/nope")
    assert told.value.code == 404
    assert json.loads(told.value.read())["error"]


def test_a_foreign_name_for_this_machine_is_refused(server):
    question = urllib.request.Request(server[0] + "/api/topics.json", headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError) as told:
        urllib.request.urlopen(question)
    assert told.value.code == 400
