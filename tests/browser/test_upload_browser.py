"""An upload in a real browser: from a file to the map, pending, and back by undo.

The app is started as people start it, on a folder of its own; pictures of each step are kept in
``var/screenshots`` for somebody to look at.
"""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "var" / "screenshots"
CHROMIUM = Path("/usr/bin/chromium")
PATIENCE = 120_000  # milliseconds: the machine may be busy
KEY = "the operator's key"
FILE = """site_name,site_type,latitude,longitude,date,Nitrate (mg/L as NO3),collector
North well,well,42.951,-120.051,2026-03-04,62.5,Ada Lovelace
South well,household well,42.962,-120.062,2026-03-04,<0.5,Ada Lovelace
<b>East</b> {{7*7}},well,42.970,-120.070,2026-03-04,abc,Ada Lovelace
"""
pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("upload"),  # one app for all of them
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium here"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("upload")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ours = {"COMMONSIGHT_VAR": str(folder / "var"), "COMMONSIGHT_OPERATOR_KEY": KEY}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=os.environ | ours) as server,
    ):
        try:
            yield _waited_for(f"http://127.0.0.1:{port}")
        finally:
            server.terminate()


def _waited_for(address, seconds=120):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=2).close()
        except OSError:
            time.sleep(0.3)
        else:
            return address
    raise TimeoutError(address)


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=[1280, 390], ids=["desk", "phone"])
def page(browser, request):
    page = browser.new_page(viewport={"width": request.param, "height": 900})
    page.set_default_timeout(PATIENCE)
    page.asked = []
    page.on("request", lambda told: page.asked.append(told.url))
    yield page
    page.close()


def kept(page, name):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}-{page.viewport_size['width']}.png")


def strangers(page, address):
    own = (address, address.replace("http", "ws"), "data:", "blob:", "about:")
    return [url for url in page.asked if not url.startswith(own)]


def sites(address, look):
    """Ask the app for the sites of a view, as the map does; None when it refuses."""
    try:
        with urllib.request.urlopen(f"{address}/api/status.geojson?{look}", timeout=60) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError:
        return None


def test_a_file_goes_to_the_map_and_is_taken_back(page, address, tmp_path):
    width = page.viewport_size["width"]
    path = tmp_path / "readings.csv"
    path.write_text(FILE.replace("-04,", f"-{4 if width > 500 else 5:02d},"), encoding="utf-8")

    page.goto(f"{address}/upload")
    page.set_input_files("input[type=file]", path)
    page.get_by_text("2 · What we understood").wait_for()
    assert page.get_by_text("Rows: 3 = 2 readable + 0 waiting").is_visible()
    page.get_by_text("collector", exact=True).first.wait_for()
    preview = page.frame_locator("iframe[title='streamlit_folium.st_folium']")
    preview.locator(".leaflet-container canvas, .leaflet-container svg").first.wait_for()
    kept(page, "upload-understood")
    page.locator(".st-key-send button").scroll_into_view_if_needed()
    kept(page, "upload-send")

    page.locator(".st-key-send button").click()
    page.get_by_text("Received.").wait_for()
    kept(page, "upload-receipt")
    token = page.get_by_test_id("stCode").first.inner_text().strip()
    link = page.get_by_role("link", name="Your readings on the map").get_attribute("href")
    look = link.split("?", 1)[1]
    found = sites(address, look)
    assert found
    assert "North well" in found
    assert "South well" not in found  # a household well keeps its name to itself
    assert "42.962" not in found
    public = re.sub(r"&?(batch|token|review)=[^&]*", "", look)
    assert "North well" not in (sites(address, public) or "")

    page.get_by_role("link", name="Your readings on the map").click()
    page.get_by_text("not accepted yet").wait_for()
    page.get_by_text("North well").first.wait_for(state="attached")
    kept(page, "upload-on-the-map")
    assert strangers(page, address) == []

    batch = re.search(r"batch=(\d+)", look).group(1)
    page.goto(f"{address}/upload?undo={batch}&undo_token={token}")
    page.get_by_role("button", name="Undo the upload").click()
    page.get_by_text("was taken back").wait_for()
    kept(page, "upload-undone")
    assert "undo_token" not in page.url
    assert "North well" not in (sites(address, look) or "")


def test_a_draft_survives_a_closed_tab(page, address, browser, tmp_path):
    path = tmp_path / "draft.csv"
    path.write_text(FILE.replace("(mg/L as NO3)", "(mg/L)"), encoding="utf-8")
    page.goto(f"{address}/upload?lang=fr")
    page.set_input_files("input[type=file]", path)
    page.get_by_text("Je ne sais pas encore").click()
    page.get_by_role("button", name="Répondre").click()
    page.get_by_text("Laissé ouvert").wait_for()
    kept(page, "upload-question")
    link = page.url
    assert "draft=" in link
    other = browser.new_page(viewport=page.viewport_size)
    other.set_default_timeout(PATIENCE)
    other.goto(link)
    other.get_by_text("Laissé ouvert").wait_for()
    other.close()


def test_the_review_page_opens_with_the_key_only(page, address):
    page.goto(f"{address}/review")
    page.get_by_label("Operator key").fill("not the key")
    page.keyboard.press("Enter")
    page.get_by_text("not the operator key").wait_for()
    page.get_by_label("Operator key").fill(KEY)
    page.keyboard.press("Enter")
    page.get_by_text("Waiting: ").wait_for()
    kept(page, "review")


def test_the_about_page_draws_its_signs(page, address):
    page.goto(f"{address}/about")
    page.get_by_text("Unknown is not safe").first.wait_for()
    signs = page.locator("img[src^='data:image/svg']")
    signs.nth(4).wait_for(state="attached")
    assert signs.count() == 5
    assert signs.first.evaluate("picture => picture.naturalWidth") > 0
    signs.first.scroll_into_view_if_needed()
    kept(page, "about")
