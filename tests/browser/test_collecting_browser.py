"""A walk: the app collects from two sources, and a new exceedance appears on the map that is open.

The project is copied as a group would copy it, its topic names two sources, and both stand on this machine.
The second holds its answer back until the map is open.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from datetime import date, timedelta

import pytest
from werkzeug import Response

from tests.browser.test_map_browser import ROOT, Visit, _free_port, _wait_for, chromium
from tests.sources_kit import as_csv, plain, wqx_row

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
__all__ = ["chromium"]

LEFT_OUT = shutil.ignore_patterns(".*", "var", "docs", "benchmarks", "__pycache__", "tests")
DAY = (date.today() - timedelta(days=5)).isoformat()
QUIET = [wqx_row(n, f"{n / 10 + 0.5:.2f}", site=n, day=DAY) for n in range(6)]
LOUD = [wqx_row(100, "40.0", site=2, day=DAY)]
KEY = "a long secret of the operator"
COLLECT = """
[collect]
every = "6h"

[collect.wqp]
base_url = "{one}"
bbox = [-90, 42, -88, 44]
since = 2024-01-01

[collect.usgs_samples]
base_url = "{two}"
bbox = [-90, 42, -88, 44]
since = 2024-01-01
"""


@pytest.fixture
def opened_map():
    """Tells when the map is open."""
    return threading.Event()


@pytest.fixture
def app(tmp_path, httpserver, opened_map):
    """Start a copy of the project that collects from two sources on this machine; gives address and store."""

    def late(request):
        opened_map.wait(120)
        return plain(as_csv(LOUD), "text/csv")

    def answer(request):
        return late(request) if request.path.startswith("/two") else plain(as_csv(QUIET), "text/csv")

    httpserver.expect_request(re.compile("/(one|two)/.*")).respond_with_handler(
        lambda request: (
            answer(request) if "csv" in request.query_string.decode().lower() else Response(status=404)
        )
    )
    project = tmp_path / "project"
    shutil.copytree(ROOT, project, ignore=LEFT_OUT)
    (project / "var").mkdir()
    shutil.copytree(ROOT / ".streamlit", project / ".streamlit")
    topic = project / "data" / "topics" / "groundwater" / "topic.toml"
    text = topic.read_text(encoding="utf-8")
    text = text.replace('sources = ["field_file"]', 'sources = ["field_file", "wqp", "usgs_samples"]')
    text += COLLECT.format(one=httpserver.url_for("/one"), two=httpserver.url_for("/two"))
    topic.write_text(text, encoding="utf-8")
    port, log = _free_port(), tmp_path / "log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COMMONSIGHT_")}
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
            cwd=project,
            env=environment | {"COMMONSIGHT_OPERATOR_KEY": KEY},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/_stcore/health", process, log)
            yield f"http://127.0.0.1:{port}", project / "var" / "store", log
        finally:
            opened_map.set()
            process.terminate()
            process.wait(30)


def reports(home):
    try:
        return [json.loads(line) for line in (home / "fetches.jsonl").read_text().splitlines()]
    except OSError:
        return []


def wait_until(true, log, seconds=120):
    for _ in range(seconds * 5):
        if true():
            return
        time.sleep(0.2)
    raise AssertionError(log.read_text()[-3000:])


def test_a_new_exceedance_appears_on_the_open_map(chromium, app, opened_map):
    address, home, log = app
    wait_until(lambda: any(one["source"] == "wqp" for one in reports(home)), log)
    assert reports(home)[0]["outcome"] == "complete", reports(home)[0]
    tab = Visit(chromium, address, "collecting")
    try:
        tab.open("/?topic=groundwater&property=nitrate")
        tab.frame.evaluate("window.mine = 'the same frame'")
        above = "state.overlays[0].answer.total.status[0]"
        assert tab.frame.evaluate(f"Commonsight.{above}") == 0
        zoom, centre = tab.state("map.getZoom()"), tab.state("map.getCenter()")
        tab.frame.evaluate("void Commonsight.choose({...Commonsight.state.choice, refresh: 2})")
        opened_map.set()
        tab.frame.wait_for_function(f"() => Commonsight.{above} === 1", timeout=240_000)
        tab.frame.wait_for_function(
            "() => Commonsight.state.news && Commonsight.state.news.innerText.includes('New since')"
        )
        said = tab.frame.evaluate("Commonsight.state.news.innerText")
        assert "sites with new readings in view: 1" in said
        assert "above the limit among them: 1" in said
        assert tab.frame.evaluate("window.mine") == "the same frame"
        now = tab.state("map.getCenter()")
        assert tab.state("map.getZoom()") == zoom
        assert (now["lat"], now["lng"]) == pytest.approx((centre["lat"], centre["lng"]), abs=1e-3)
        tab.picture("news")
        tab.frame.locator(".cs-news button").click()
        assert tab.frame.locator(".cs-news").is_hidden()
        _look_at_sources(tab, address)
    finally:
        tab.picture("end")
        tab.context.close()
    assert tab.wrong == []
    assert tab.foreign == []


def _look_at_sources(tab, address):
    """See both sources well, on a wide page and on a phone, and try one as the operator."""
    page = tab.page
    page.set_viewport_size({"width": 1400, "height": 1400})
    page.goto(f"{address}/sources?topic=groundwater")
    page.get_by_text("by itself, every 6 hours").wait_for()
    page.get_by_text("6 readings of 6 sites").wait_for()
    page.get_by_text("1 readings of 1 sites").wait_for()
    tab.picture("sources-visitor")
    page.get_by_text("For the operator").click()
    page.get_by_label("Operator key").fill(KEY)
    page.get_by_test_id("stBaseButton-secondaryFormSubmit").click()
    page.get_by_text("Leave as operator").wait_for()
    for tries in range(4):  # a press while the page is still being drawn is lost
        page.get_by_role("button", name="Try now").first.click()
        try:
            page.get_by_text("were there already").wait_for(timeout=60_000)  # the child is polite
            break
        except Exception:
            if tries == 3:
                raise
    tab.picture("sources-1400")
    page.set_viewport_size({"width": 390, "height": 1400})
    page.wait_for_timeout(800)
    tab.picture("sources-390")
