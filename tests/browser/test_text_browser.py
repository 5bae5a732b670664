"""What strangers wrote, in a real browser: the page shows their characters and does nothing else."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from ui.plain import bare

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("text"),  # one app for all of them
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium here"),
]

HOSTILE = [
    "[x](javascript:alert(1))",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "{{7*7}} ${7*7}",
    ":material/home: :smile: :streamlit: :red[blood] :blue-badge[b]",
    "$x^2$ and $$y$$",
    "**bold** _it_ ~~no~~ # head ==mark==",
    "www.example.com https://example.com/x http://a.b me@example.com",
    "`tick` ``two``",
    "1. one - two * three + four > five",
    "![x](https://example.com/pixel.png)",
    "| a | b | [^1] &lt; &#60;",
    "Well 3 (north); 5 km – “old”",
]

PAGE = """
import sys
sys.path.insert(0, {root!r})
import streamlit as st
from ui.plain import plain, verbatim
for n, text in enumerate({hostile!r}):
    with st.container(key=f"plain-{{n}}"):
        st.markdown(plain(text))
    with st.container(key=f"label-{{n}}"):
        st.button(plain(text), key=n)
    with st.container(key=f"alert-{{n}}"):
        st.error(plain(text))
    with st.container(key=f"code-{{n}}"):
        st.markdown("in a sentence: " + verbatim(text))
st.markdown("the end")
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("text")
    (folder / "page.py").write_text(PAGE.format(root=str(ROOT), hostile=HOSTILE), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    flags = ["--server.headless=true", f"--server.port={port}", "--server.address=127.0.0.1"]
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "page.py",
        "--browser.gatherUsageStats=false",
        *flags,
    ]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=os.environ.copy()) as server,
        sync_api.sync_playwright() as playwright,
    ):
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/_stcore/health")
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address)
        page.get_by_text("the end").wait_for()
        yield page
        browser.close()
        server.terminate()


def _wait_for(address, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            return urllib.request.urlopen(address, timeout=2)
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(address)


@pytest.mark.parametrize("number", range(len(HOSTILE)))
@pytest.mark.parametrize("place", ["plain", "label", "alert", "code"])
def test_the_characters_are_shown_and_nothing_is_made_of_them(page, place, number):
    box = page.locator(f".st-key-{place}-{number}")
    shown = box.inner_text().replace("\u2060", "").removeprefix("in a sentence: ")
    assert re.sub(r"\s+", " ", shown).strip() == bare(HOSTILE[number])
    made = "a, img, script, .katex, strong, em, del, h1, li, table, [data-testid=stIconMaterial]"
    inside = box.locator("[data-testid=stMarkdownContainer]")
    assert inside.locator(made).count() == 0
