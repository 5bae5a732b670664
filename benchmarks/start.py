"""How long from ``streamlit run`` to the first drawn map, beside an empty Streamlit + st_folium page.

    python benchmarks/start.py [--times 5]

Both start anew each time, in turn, and are looked at by a fresh Chromium with an empty cache; ours shows
the demonstration, made once beforehand. The rival draws a bare ``folium.Map`` with nothing on it; its
JavaScript too comes from this machine, since there may be no other network. Aim: at most 1.5 times as long.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
AIM = 1.5
EMPTY = """
import folium
import streamlit as st
from streamlit_folium import st_folium

st.title("Map")
st_folium(folium.Map(tiles=None), key="map", returned_objects=[])
"""
#: A drawn map: for ours the readings are on it, for the empty page Leaflet has made its panes.
OURS_DRAWN = """() => [...document.querySelectorAll('iframe')].some(frame => frame.title.includes('st_folium')
  && frame.contentWindow.Commonsight && frame.contentWindow.Commonsight.state.settled)"""
EMPTY_DRAWN = """() => [...document.querySelectorAll('iframe')].some(frame => frame.title.includes('st_folium')
  && frame.contentDocument && frame.contentDocument.querySelector('.leaflet-map-pane'))"""


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def once(browser: object, script: Path, drawn: str, folder: Path) -> float:
    """Seconds from starting the process to the drawn map."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port),
         "--server.headless", "true", "--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none"],
        cwd=script.parent,
        env=os.environ | {"COMMONSIGHT_VAR": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    context = browser.new_context(viewport={"width": 1280, "height": 1000})  # type: ignore[attr-defined]
    try:
        page = context.new_page()
        page.route(re.compile("^https://"), from_here)
        _wait(f"{address}/_stcore/health")
        page.goto(address)
        page.wait_for_function(drawn, timeout=120_000, polling=20)
        return time.perf_counter() - start
    finally:
        context.close()
        process.terminate()
        process.wait(20)


def from_here(route: object) -> None:
    """Answer for the networks that the empty page asks, from the installed wheel."""
    from offlinefolium.elements import _res

    url = route.request.url  # type: ignore[attr-defined]
    kind = "text/css" if "css" in url.rsplit("/", 1)[-1] else "text/javascript"
    route.fulfill(body=_res.get(url, ""), content_type=kind)  # type: ignore[attr-defined]


def _wait(address: str) -> None:
    for _ in range(2400):
        try:
            urllib.request.urlopen(address, timeout=1).read()
            return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"{address} does not answer")


def main() -> int:
    """Print a table and the ratio; 1 if the aim was missed."""
    from playwright.sync_api import sync_playwright

    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--times", type=int, default=5)
    times = ask.parse_args().times
    ours: list[float] = []
    empty: list[float] = []
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(temporary)
        script = folder / "empty.py"
        script.write_text(EMPTY)
        subprocess.run(
            [sys.executable, "-m", "commonsight", "demo"],
            cwd=ROOT,
            env=os.environ | {"COMMONSIGHT_VAR": str(folder)},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for _ in range(times):
            empty.append(once(browser, script, EMPTY_DRAWN, folder))
            ours.append(once(browser, ROOT / "app.py", OURS_DRAWN, folder))
        browser.close()
    ratio = statistics.median(ours) / statistics.median(empty)
    print("| page | median s | all s |")
    print("|---|---|---|")
    for name, seen in (("Commonsight, the demonstration on its map", ours), ("empty st_folium page", empty)):
        print(f"| {name} | {statistics.median(seen):.2f} | {', '.join(f'{one:.2f}' for one in seen)} |")
    print(f"ratio {ratio:.2f}; aim <= {AIM}: {'met' if ratio <= AIM else 'NOT met'}")
    return 0 if ratio <= AIM else 1


if __name__ == "__main__":
    sys.exit(main())
