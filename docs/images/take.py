"""Take the picture of the map that stands in the README, from the simulated valley.

``make screenshot`` runs it. It starts the program on a store of its own, waits until the map has drawn
its sites, and writes ``docs/images/map.png`` (1,280 × 1,200 points).
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PICTURE = Path(__file__).with_name("map.png")


def main() -> None:
    """Start, look, write, stop."""
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "COMMONSIGHT_VAR": folder, "PYTHONPATH": str(ROOT)}
        env.pop("COMMONSIGHT_STORE", None)
        subprocess.run([sys.executable, "-m", "commonsight", "demo"], cwd=ROOT, env=env, check=True)
        command = [
            "-m",
            "streamlit",
            "run",
            "app.py",
            "--server.headless",
            "true",
            "--server.port",
            str(port),
        ]
        server = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=env)
        try:
            _wait(f"http://127.0.0.1:{port}/healthz")
            _take(f"http://127.0.0.1:{port}/")
        finally:
            server.terminate()
            server.wait(timeout=20)
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size / 1000:.0f} kB")


def _take(address: str) -> None:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1200})
        page.goto(address)
        frame = page.frame_locator('iframe[title="streamlit_folium.st_folium"]')
        frame.locator(".leaflet-container").wait_for(timeout=90_000)
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(3_000)
        page.screenshot(path=PICTURE)
        browser.close()


def _wait(address: str, seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            if time.monotonic() > until:
                raise
        time.sleep(0.3)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
