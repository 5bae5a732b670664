"""Surfaces and the next samples in a real browser: seen, explained, refused, and asked of nobody else."""

from __future__ import annotations

import pytest

from tests.browser.test_map_browser import FRAME, chromium, visit  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SWITCH = """keys => { for (const one of Commonsight.state.overlays) {
  if (keys.includes(one.key)) Commonsight.state.map.addLayer(one.group);
  else Commonsight.state.map.removeLayer(one.group); } }"""
#: How many pixels of the surface's picture are not empty, and how many colours they have.
PIXELS = """async () => {
  const image = document.querySelector("img.cs-grid");
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
  const c = canvas.getContext("2d");
  c.drawImage(image, 0, 0);
  const data = c.getImageData(0, 0, canvas.width, canvas.height).data, colours = new Set();
  let filled = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3]) { filled++; colours.add(data[i] + "," + data[i + 1] + "," + data[i + 2]); }
  }
  return [filled, colours.size];
}"""


def switch(tab, *keys):
    before = tab.state("settled")
    tab.frame.evaluate(SWITCH, list(keys))
    tab.drawn(before=before)


def block(tab, key):
    return tab.frame.locator(f".cs-block[data-layer='{key}']").inner_text()


def test_each_new_layer_is_seen_and_says_what_it_is(visit):  # noqa: F811
    tab = visit().open("/?property=arsenic")
    switch(tab, "status", "surface")
    filled, colours = tab.frame.evaluate(PIXELS)
    assert filled > 1000
    assert colours > 2
    said = block(tab, "surface")
    assert "10 to 20" in said
    assert "(above)" in said
    assert "hiding one place after the other" in said
    tab.frame.locator(".cs-block[data-layer='surface'] summary").click()
    assert "Ordinary kriging of logarithms" in block(tab, "surface")
    tab.picture("estimate")

    switch(tab, "status", "probability")
    assert tab.frame.evaluate(PIXELS)[0] > 1000
    assert "75 to 90 %" in block(tab, "probability")
    tab.picture("probability")

    switch(tab, "status", "probability", "sample_next")
    numbers = tab.frame.evaluate(
        "Commonsight.state.overlays.find(o => o.key === 'sample_next').group.getLayers()"
        ".map(mark => +mark.options.label).sort((a, b) => a - b)"
    )
    assert numbers == list(range(1, 11))
    assert "a place without a known well" in block(tab, "sample_next")
    tab.picture("next")

    # A click between the marks tells the class of the place beside its coordinates.
    at = tab.frame.evaluate(
        "() => { const s = Commonsight.state, size = s.map.getSize();"
        " s.map.fire('click', {latlng: L.latLng(-30.637, 127.17)});"
        " return document.querySelector('.leaflet-popup-content').innerText; }"
    )
    assert "Chance of being above the limit:" in at

    tab.page.get_by_role("tab", name="Where to sample next").click()
    tab.page.get_by_role("button", name="Take along (GPX)").wait_for()
    with tab.page.expect_download() as loaded:
        tab.page.get_by_role("button", name="Take along (GPX)").click()
    assert loaded.value.path().read_text(encoding="utf-8").count("<wpt ") == 10
    tab.picture("tab")


def test_a_surface_that_cannot_be_says_why_and_the_marks_stay(visit):  # noqa: F811
    tab = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True).open(
        "/?property=iron"
    )
    switch(tab, "status", "surface")
    tab.frame.evaluate("document.querySelector('.cs-legend').open = true")
    assert "takes 20 places" in block(tab, "surface")
    assert tab.frame.locator("img.cs-grid").count() == 0
    assert tab.state("overlays[0].group.getLayers().length") > 10
    tab.page.locator(FRAME).scroll_into_view_if_needed()
    tab.picture("refused")


def test_the_map_is_named_by_what_it_says(visit):  # noqa: F811
    tab = visit().open("/?property=arsenic")
    tab.frame.evaluate("void Commonsight.choose({...Commonsight.state.choice, alt: '{{7*7}}<b>3 of 8</b>'})")
    tab.frame.wait_for_selector("[role=region][aria-label='{{7*7}}<b>3 of 8</b>']")
