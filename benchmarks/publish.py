"""One 850 × 600 PNG of 2,000 sites, beside folium and a headless Chromium, on the same sites in the same run.

    python benchmarks/publish.py [--sites 2000] [--all]

Folium draws a page, the browser opens it and is photographed; this is how people make still pictures of such maps.
Each way runs in a process of its own. *first* is a process that has imported what it needs and has drawn nothing
(for folium with the start of the browser), *next* the median of three more in the same process (for folium with
the browser kept open); *work* is the processor time of all processes, which a busy machine changes less. Memory is the highest sum of the proportional set sizes (PSS: a page that several
processes share is counted once) of the process and all its children, looked at every 50 ms.

What favours folium here: its page has no ground, no legend, no limit, no date, no sources, and its scripts and
style sheets are put into the page (texts of the wheel folium-offline), so that nothing waits for a network. Ours
is the whole picture. Nothing is asserted; the aims are printed beside what came. ``--all`` runs the benchmarks of
the other formats too (``publish_html.py``, ``publish_data.py``).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pickle
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
AIM_TIME, AIM_MEMORY = 5.0, 3.0
NEXT = 3
CHROMIUM = "/usr/bin/chromium"
WAYS = ("commonsight", "CircleMarker", "GeoJson")


def _ours(shot: Any, folder: Path) -> Callable[[], bytes]:
    from publish import Options, made, picture  # noqa: F401  (the module that draws, before the clock starts)

    return lambda: made(shot, "png", Options(size="850x600"))


def _folium(shot: Any, folder: Path, way: str) -> Callable[[], bytes]:
    import folium  # noqa: F401
    from offlinefolium.elements import _res
    from playwright.sync_api import sync_playwright
    from publish_html import folium_page

    open_browsers: list[Any] = []
    tabs: list[Any] = []  # closed before the next picture: a process that ended tells no time

    def browser() -> Any:
        if not open_browsers:
            play = sync_playwright().start()
            path = CHROMIUM if Path(CHROMIUM).exists() else None
            open_browsers.append(play.chromium.launch(executable_path=path, args=["--no-sandbox"]))
        return open_browsers[0]

    def draw() -> bytes:
        page, _ = folium_page(shot, way)
        file = folder / "map.html"
        file.write_text(_whole(page.decode(), _res), encoding="utf-8")
        for old in tabs:
            old.close()
        tabs[:] = [browser().new_page(viewport={"width": 850, "height": 600})]
        tabs[0].goto(file.as_uri(), wait_until="load")
        picture: bytes = tabs[0].screenshot()
        return picture

    return draw


def _whole(page: str, texts: dict[str, str]) -> str:
    """Put the scripts and style sheets that a page links to into it."""
    page = re.sub(
        r'<script src="(https?://[^"]+)"></script>', lambda m: f"<script>{texts[m[1]]}</script>", page
    )
    return re.sub(
        r'<link rel="stylesheet" href="(https?://[^"]+)"\s*/?>',
        lambda m: f"<style>{texts[m[1]]}</style>",
        page,
    )


def child(way: str, folder: Path) -> None:
    """Draw one way, four times; prints seconds and the size of the picture as JSON."""
    shot = pickle.loads((folder / "shot.pickle").read_bytes())
    draw = _ours(shot, folder) if way == "commonsight" else _folium(shot, folder, way)
    took, worked = [], []
    for _ in range(1 + NEXT):
        begun, before = time.perf_counter(), _work()
        picture = draw()
        took.append(time.perf_counter() - begun)
        worked.append(_work() - before)
    (folder / f"{way}.png").write_bytes(picture)
    told = {"first": took[0], "next": statistics.median(took[1:]), "kB": len(picture) / 1e3}
    print(json.dumps(told | {"first_cpu": worked[0], "next_cpu": statistics.median(worked[1:])}))
    os._exit(0)  # the browser is closed by its parent's end


def _work() -> float:
    """Add up the seconds that this process and its children worked."""
    this = psutil.Process()
    times = [one.cpu_times() for one in [this, *this.children(recursive=True)]]
    return float(sum(one.user + one.system for one in times))


def _memory(process: psutil.Process) -> float:
    """Add up the proportional set sizes of a process and its children, MB."""
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total / 2**20


def measure(way: str, folder: Path) -> dict[str, float]:
    """Run one way in a process of its own; gives seconds, kB and the peak of memory in MB."""
    run = subprocess.Popen(
        [sys.executable, __file__, "--child", way, str(folder)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    process, peak = psutil.Process(run.pid), 0.0
    while run.poll() is None:
        try:
            peak = max(peak, _memory(process))
        except psutil.NoSuchProcess:
            break
        time.sleep(0.05)
    assert run.stdout is not None
    out = run.stdout.read()
    if run.wait() != 0:
        raise SystemExit(f"{way} ended with {run.returncode}.")
    told: dict[str, float] = json.loads(out)
    return told | {"MB": peak}


def compare(sites: int, folder: Path) -> None:
    """Print what each way took, and the ratios."""
    from publish_html import snapshot_of

    shot = dataclasses.replace(snapshot_of(sites), readings=iter)
    (folder / "shot.pickle").write_bytes(pickle.dumps(shot))
    found = {way: measure(way, folder) for way in WAYS}
    print(f"850 x 600 PNG of {sites:,} sites; seconds on the clock, and of work in all processes")
    print(f"  {'way':<24}{'first':>8}{'work':>8}{'next':>8}{'work':>8}{'peak, MB':>10}{'PNG, kB':>10}")
    for way, told in found.items():
        name = way if way == "commonsight" else f"folium, {way}"
        times = "".join(f"{told[key]:>8.2f}" for key in ("first", "first_cpu", "next", "next_cpu"))
        print(f"  {name:<24}{times}{told['MB']:>10.0f}{told['kB']:>10.0f}")
    own = found.pop("commonsight")
    for way, told in found.items():
        ratio = {key: told[key] / own[key] for key in own}
        print(
            f"  folium, {way} / ours: first {ratio['first']:.1f} (work {ratio['first_cpu']:.1f}), next {ratio['next']:.1f} "
            f"(work {ratio['next_cpu']:.1f}; aim {AIM_TIME:.0f}), memory {ratio['MB']:.1f} (aim {AIM_MEMORY:.0f})"
        )


def main() -> None:
    """Compare pictures; with ``--all`` the other formats too."""
    if sys.argv[1:2] == ["--child"]:
        return child(sys.argv[2], Path(sys.argv[3]))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sites", type=int, default=2_000)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--keep", type=Path, help="a folder to leave the pictures in")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = chosen.keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        os.environ.setdefault("COMMONSIGHT_VAR", f"{made}/var")
        compare(chosen.sites, folder)
    for name in ("publish_html.py", "publish_data.py") if chosen.all else ():
        subprocess.run([sys.executable, str(ROOT / "benchmarks" / name)], check=False, cwd=ROOT)
    return None


if __name__ == "__main__":
    main()
