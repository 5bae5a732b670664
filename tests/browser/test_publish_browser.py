"""Published pages in a real browser: the file from a stick, the page of a snapshot, the frame in another's page."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest

import store
from layers import frozen
from publish import web
from situation.view import View
from tests.browser.test_map_browser import SCREENSHOTS, chromium  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

NOW = pd.Timestamp("2026-10-31T12:00Z")
#: How many pixels of the marks' canvas have a colour.
PIXELS = """colour => {
  const canvas = document.querySelector(".leaflet-overlay-pane canvas");
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const [r, g, b] = [1, 3, 5].map(i => parseInt(colour.slice(i, i + 2), 16));
  let found = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] > 250 && Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 9) found++;
  }
  return found;
}"""
RED, BLUE = "#c1272d", "#56b4e9"
SHOWN = "Array.from(document.querySelectorAll('#sites tbody tr')).filter(row => !row.hidden).length"
FOCUS = "document.activeElement.tagName + '#' + document.activeElement.id"


@pytest.fixture(scope="module")
def kept(server):  # noqa: F811
    """Keep a snapshot in the store that the app shows."""
    place = store.open_store(f"ducklake:sqlite:{server[1] / 'demo'}")
    shot = frozen.freeze(place, View.from_params({"property": "nitrate"}), NOW)
    yield frozen.keep(place, shot, NOW, who="ana")
    place.close()


class Tab:
    """One page that remembers whom it asked and what it complained about."""

    def __init__(self, browser, **kind):
        self.context = browser.new_context(**kind)
        self.page = self.context.new_page()
        self.asked, self.wrong = [], []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", self._said)

    def _said(self, message):
        if message.type == "error":
            self.wrong.append(message.text)

    def picture(self, name, **more):
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"publish-{name}.png", **more)


@pytest.fixture
def tab(chromium):  # noqa: F811
    tabs = []

    def begin(**kind):
        tabs.append(Tab(chromium, **kind))
        return tabs[-1]

    yield begin
    for one in tabs:
        one.context.close()


@pytest.fixture
def theirs():
    """Serve a page of somebody else's, from another origin."""
    servers = []

    def serve(body):
        class Theirs(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *args):
                """Say nothing."""

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Theirs))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/"

    yield serve
    for one in servers:
        one.shutdown()
        one.server_close()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_file_works_from_a_stick_without_a_network_by_mouse_and_by_keyboard(tab, kept, tmp_path, width):
    file = tmp_path / "snapshot.html"
    file.write_text(web.document(kept), encoding="utf-8")
    one = tab(viewport={"width": width, "height": 900}, offline=True)
    page = one.page
    page.goto(file.as_uri())
    assert one.asked == [file.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert min(page.evaluate(PIXELS, RED), page.evaluate(PIXELS, BLUE)) > 100
    every = page.evaluate(SHOWN)
    assert every == len(kept.sites)
    one.picture(f"file-{width}", full_page=True)

    # By keyboard alone: past the map, into the table, to a site, back.
    page.keyboard.press("Tab")
    assert "Skip" in page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUS) == "INPUT#search"
    page.keyboard.type("well 2")
    found = page.evaluate(SHOWN)
    assert 0 < found < every
    assert page.locator("#found").inner_text().startswith(f"{found} of {every}")
    while not page.evaluate(FOCUS).startswith("TR"):
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    name = page.evaluate("document.activeElement.cells[0].textContent")
    page.keyboard.press("Enter")
    assert page.locator(".leaflet-popup-content strong").first.inner_text() == name
    assert page.locator("#found").inner_text() == f"{name}: shown on the map"
    page.evaluate("window.scrollTo(0, 0)")
    one.picture(f"opened-{width}")
    page.keyboard.press("Escape")
    assert page.locator(".leaflet-popup-content").count() == 0
    page.locator("#search").fill("")

    # A class that is unticked leaves the map and the table.
    page.locator("#legend li[data-code='0'] input").uncheck()
    assert page.evaluate(PIXELS, RED) == 0
    assert page.evaluate(SHOWN) == every - kept.counts.above
    page.locator("#legend li[data-code='0'] input").check()
    assert page.evaluate(PIXELS, RED) > 100

    # Sorted by the number, not by its digits.
    page.get_by_role("button", name="Result").click()
    page.get_by_role("button", name="Result").click()
    highest = page.evaluate("parseFloat(document.querySelector('#sites tbody tr').cells[1].textContent)")
    assert highest == pytest.approx(kept.sites["result"].max(), rel=1e-3)
    # What is in the file was never asked for, and the rule that forbids it broke nothing.
    assert one.asked == [file.as_uri()]
    assert one.wrong == []


def test_the_page_of_a_snapshot_and_a_frame_of_it(tab, kept, server, theirs):  # noqa: F811
    address = f"{server[0]}/s/{kept.id}"
    one = tab(viewport={"width": 390, "height": 844})
    page = one.page
    page.goto(address, wait_until="networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.images[0].naturalWidth") == 1080
    assert {url.partition("?")[0] for url in one.asked} == {address, f"{address}/picture.png"}
    assert one.wrong == []
    one.picture("page-390", full_page=True)
    assert page.goto(f"{server[0]}/s/aaaaaaaaaa").status == 404
    assert page.goto(f"{server[0]}/s/{kept.id}/nothing").status == 404

    # Somebody's own page: the line is copied into it as it stands.
    other = tab(viewport={"width": 700, "height": 500})
    line = web.iframe(f"{server[0]}/embed?snapshot={kept.id}", kept.title, height=420)
    refused = f'<iframe src="{address}" height="40"></iframe>'
    other.page.goto(theirs(line + refused), wait_until="networkidle")
    frame = next(frame for frame in other.page.frames if "/embed?" in frame.url)
    assert frame.evaluate("snapshot.marks.length") > 10
    assert frame.evaluate(PIXELS, RED) > 50
    assert frame.evaluate("document.documentElement.scrollHeight <= window.innerHeight + 1")
    other.picture("frame")
    assert any("frame-ancestors" in said for said in other.wrong)
    with other.page.expect_navigation():
        frame.get_by_text("Full page").click()
    assert other.page.url == address
