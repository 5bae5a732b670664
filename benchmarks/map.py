"""How much the map costs, whatever the number of sites: our cells beside folium's own layers.

    python benchmarks/map.py [--sites 1000 100000 1000000] [--browser] [--viewers 50] [--rival]

For each number of sites (ten readings each, assessed as the app does): server time and bytes for one
view at three zooms, beside what ``folium.CircleMarker`` and ``FastMarkerCluster`` would send for the
same sites. ``--browser`` measures in headless Chromium from the end of a pan to the redrawn map on the
largest set, and with ``--rival`` the same pan in Panel + hvPlot + datashader (see
``benchmarks/requirements.txt``). ``--viewers N`` lets N viewers refresh an open map every two seconds.
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
ZOOMS = {3: (-180.0, -85.0, 180.0, 85.0), 7: (5.0, 44.0, 16.0, 50.0), 11: (8.0, 46.8, 8.7, 47.2)}
CIRCLES_AT_MOST = 2_000  # 14 s for 10,000: measured on this many, and scaled
AIM_BYTES, AIM_MS = 300_000, 150


def table(n: int, seed: int = 1) -> pd.DataFrame:
    """Make the store's current picture of *n* sites with ten readings each, most of them in Europe."""
    rng = np.random.default_rng(seed)
    lon = np.where(rng.random(n) < 0.8, rng.normal(9, 8, n), rng.uniform(-180, 180, n))
    lat = np.where(rng.random(n) < 0.8, rng.normal(48, 5, n), rng.uniform(-60, 70, n))
    less = rng.random(n) < 0.2
    text = {
        "monitoring_location_type": "well",
        "observed_property": "nitrate",
        "observed_property_name": "Nitrate",
        "sampled_medium": "groundwater",
        "sample_fraction": None,
        "method_speciation": "as NO3",
        "procedure_class": "laboratory",
        "phenomenon_time_precision": "day",
        "unit": "mg/L",
        "review_state": "pending",
        "position_rule": "exact",
        "licence": "CC0-1.0",
        "attribution": "benchmark",
        "contributor": None,
        "source_id": "upload:benchmark",
        "batch_id": "1",
    }
    made = pd.DataFrame(
        {
            "monitoring_location_id": pd.Series(np.arange(n)).astype("str").radd("bench:"),
            "monitoring_location_name": pd.Series(np.arange(n)).astype("str").radd("Well "),
            "longitude": np.clip(lon, -179.9, 179.9),
            "latitude": np.clip(lat, -80, 80),
            "result": np.where(less, np.nan, rng.lognormal(2.5, 1.2, n)),
            "censoring": pd.Series(np.where(less, "<", "=")).astype("str"),
            "detection_limit": np.where(less, 0.5, np.nan),
            "result_text": "1",
            "phenomenon_time": pd.Timestamp("2026-01-01", tz="UTC")
            + pd.to_timedelta(rng.integers(0, 300, n), "D"),
            "n": np.full(n, 10),
            **{name: pd.Series([value], dtype="str").repeat(n).to_numpy() for name, value in text.items()},
        }
    )
    return made.astype(dict.fromkeys(text, "str"))


class Bench:
    """A store that has nothing but a picture, so that the map alone is measured."""

    def __init__(self, sites: pd.DataFrame) -> None:
        self.sites, self.number = sites, 1

    def version(self) -> int:
        return self.number

    def latest(self, **_: object) -> pd.DataFrame:
        return self.sites

    def meta(self) -> dict[str, object]:
        return {"simulated": True}


def ours(sites: pd.DataFrame) -> dict[str, float]:
    """Time and size of the answers to three views, each asked anew five times."""
    import store
    from layers import picture
    from routes.answer import pack
    from situation.view import View

    bench = Bench(sites)
    store.shared = lambda url: bench  # type: ignore[assignment]
    picture.forget()
    view = View("groundwater", "nitrate", "who_drinking_water")
    start = time.perf_counter()
    shown = picture.picture(view)
    told = {"first": time.perf_counter() - start}
    for zoom, box in ZOOMS.items():
        times, works = [], []
        for _ in range(7):
            start, began = time.perf_counter(), time.thread_time()
            body = pack(picture.answer(shown, picture.snap(box, zoom), zoom))
            times.append(time.perf_counter() - start)
            works.append(time.thread_time() - began)
        told[f"ms{zoom}"] = 1000 * statistics.median(times)
        told[f"cpu{zoom}"] = 1000 * statistics.median(works)
        told[f"bytes{zoom}"] = len(body)
    return told


def circles(sites: pd.DataFrame) -> tuple[float, float]:
    """Seconds and bytes of a folium map with one CircleMarker a site (scaled up above 2,000)."""
    import folium

    few = sites.head(CIRCLES_AT_MOST)
    start = time.perf_counter()
    chart = folium.Map(prefer_canvas=True)
    for row in few.itertuples():
        folium.CircleMarker(
            (row.latitude, row.longitude), radius=5, tooltip=row.monitoring_location_name
        ).add_to(chart)
    size = len(gzip.compress(chart.get_root().render().encode(), 5))
    factor = len(sites) / len(few)
    return (time.perf_counter() - start) * factor, size * factor


def cluster(sites: pd.DataFrame) -> tuple[float, float]:
    """Seconds and bytes (compressed) of a folium map with one FastMarkerCluster."""
    import folium
    from folium.plugins import FastMarkerCluster

    start = time.perf_counter()
    chart = folium.Map()
    places = sites[["latitude", "longitude"]].round(5).assign(name=sites["monitoring_location_name"])
    FastMarkerCluster(places.to_numpy().tolist()).add_to(chart)
    size = len(gzip.compress(chart.get_root().render().encode(), 5))
    return time.perf_counter() - start, size


def sizes(counts: list[int]) -> bool:
    """Print server time and bytes by number of sites; says whether the aims are met."""
    print("| sites | first picture s | ms at zoom 3 / 7 / 11 | of it CPU ms | kB at zoom 3 / 7 / 11 | CircleMarker s, kB | "
          "FastMarkerCluster s, kB | its bytes / ours |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    good = True
    for n in counts:
        sites = table(n)
        mine, (circle_s, circle_b), (cluster_s, cluster_b) = ours(sites), circles(sites), cluster(sites)
        most = max(mine[f"bytes{zoom}"] for zoom in ZOOMS)
        slowest = max(mine[f"ms{zoom}"] for zoom in ZOOMS)
        good &= most <= AIM_BYTES and slowest <= AIM_MS and (n < 1_000_000 or cluster_b / most >= 50)
        scaled = "~" if n > CIRCLES_AT_MOST else ""
        print(
            f"| {n:,} | {mine['first']:.2f} | "
            + " / ".join(f"{mine[f'ms{zoom}']:.0f}" for zoom in ZOOMS)
            + " | "
            + " / ".join(f"{mine[f'cpu{zoom}']:.0f}" for zoom in ZOOMS)
            + " | "
            + " / ".join(f"{mine[f'bytes{zoom}'] / 1000:.0f}" for zoom in ZOOMS)
            + f" | {scaled}{circle_s:.1f}, {scaled}{circle_b / 1000:,.0f} | {cluster_s:.2f}, {cluster_b / 1000:,.0f}"
            f" | {cluster_b / most:.0f} x |",
            flush=True,
        )
    print(f"aim: <= {AIM_MS} ms, <= {AIM_BYTES // 1000} kB, >= 50 x at 1 M: {'met' if good else 'NOT met'}")
    return good


# ---- the app itself, on a store of its own -----------------------------------------------------------


SERVE = """
import sys
sys.path[:0] = [{root!r}, {here!r}]
import store, map as bench
kept = bench.Bench(bench.table({n}))
store.shared = lambda url: kept
from streamlit.web.cli import main
sys.argv = ["streamlit", "run", {app!r}, "--server.port", "{port}"]
main()
"""


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Served:
    """The app over a picture of *n* sites."""

    def __init__(self, n: int) -> None:
        self.port = free_port()
        self.folder = tempfile.mkdtemp()
        script = Path(self.folder) / "serve.py"
        here = Path(__file__).resolve().parent
        script.write_text(
            SERVE.format(root=str(ROOT), here=str(here), n=n, app=str(ROOT / "app.py"), port=self.port)
        )
        self.address = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [sys.executable, str(script)],
            cwd=ROOT,
            env=os.environ | {"COMMONSIGHT_VAR": self.folder},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> Served:
        wait_for(self.address + "/_stcore/health")
        urllib.request.urlopen(
            self.address + CELLS.format(zoom=3, bbox="-180,-85,180,85"), timeout=300
        ).read()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def memory_mb(self) -> float:
        """Give the memory that the server holds."""
        return psutil.Process(self.process.pid).memory_info().rss / 1e6


CELLS = "/api/cells?topic=groundwater&property=nitrate&standard=who_drinking_water&zoom={zoom}&bbox={bbox}"


def wait_for(address: str, seconds: int = 120) -> None:
    """Wait until *address* answers."""
    for _ in range(seconds * 10):
        try:
            urllib.request.urlopen(address, timeout=60).read()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{address} does not answer")


def viewers(served: Served, count: int, rounds: int) -> bool:
    """Let *count* viewers refresh every two seconds; prints latency and growth of memory."""
    address = served.address + CELLS.format(zoom=7, bbox="5,44,16,50")
    tags: dict[int, str] = {}
    times: list[float] = []
    door = threading.Lock()

    def look(who: int) -> None:
        for turn in range(rounds):
            time.sleep((who / count) * 2 if turn == 0 else 2)
            question = urllib.request.Request(
                address, headers={"If-None-Match": tags.get(who, ""), "Accept-Encoding": "gzip"}
            )
            start = time.perf_counter()
            try:
                with urllib.request.urlopen(question, timeout=30) as answer:
                    answer.read()
                    tags[who] = answer.headers["ETag"]
            except urllib.error.HTTPError as same:
                if same.code != 304:
                    raise
            with door:
                times.append(1000 * (time.perf_counter() - start))

    def crowd() -> None:
        people = [threading.Thread(target=look, args=(who,)) for who in range(count)]
        for one in people:
            one.start()
        for one in people:
            one.join()

    crowd()  # threads and caches are made by the first crowd; growth is what comes after
    before = served.memory_mb()
    times.clear()
    crowd()
    times.sort()
    p95 = times[int(0.95 * len(times))]
    grown = served.memory_mb() - before
    print(f"| {count} viewers, every 2 s | p50 {statistics.median(times):.1f} ms | p95 {p95:.1f} ms | "
          f"{len(times)} refreshes | server {before:.0f} MB, {grown:+.0f} MB |")  # fmt: skip
    print(f"aim: p95 <= 50 ms: {'met' if p95 <= 50 else 'NOT met'}")
    return p95 <= 50


PAN = """async ([east, south]) => {
  const live = Commonsight.state, before = live.settled, start = performance.now();
  live.map.panBy([east, south], {animate: false});
  while (live.settled === before) await new Promise(go => setTimeout(go, 2));
  await new Promise(go => requestAnimationFrame(() => requestAnimationFrame(go)));
  return performance.now() - start;
}"""


def pans(served: Served, refreshes: int) -> tuple[float, float]:
    """Median milliseconds from a pan to the redrawn map, and bytes a pan, in headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        counted: list[int] = []
        page.on("response", lambda answer: counted.append(int(answer.headers.get("content-length", 0)))
                if "/api/cells" in answer.url else None)  # fmt: skip
        page.goto(served.address + "/?bbox=5,44,16,50&zoom=7")
        page.wait_for_function(
            "[...document.querySelectorAll('iframe')].some(f => f.title.includes('st_folium') && "
            "f.contentWindow.Commonsight && f.contentWindow.Commonsight.state.settled)",
            timeout=120_000,
        )
        frame = next(one for one in page.frames if "st_folium" in one.url)
        counted.clear()
        moves = [
            (300, 0),
            (0, 200),
            (-300, 0),
            (0, -200),
            (250, 150),
            (-250, 150),
            (150, -250),
            (300, 200),
            (-150, 0),
            (0, 150),
        ]
        times = [frame.evaluate(PAN, list(move)) for move in moves]
        size = sum(counted) / len(moves)
        session = page.context.new_cdp_session(page)
        heap = _heap(session)
        frame.evaluate(
            "async n => { for (let i = 0; i < n; i++) { const before = Commonsight.state.settled;"
            " Commonsight.state.map.fire('moveend');"
            " while (Commonsight.state.settled === before) await new Promise(go => setTimeout(go, 2)); } }",
            refreshes,
        )
        grown = _heap(session) - heap
        browser.close()
    print(f"| ours, pan to redraw | {statistics.median(times):.0f} ms | {size / 1000:.0f} kB a pan | "
          f"browser {grown:+.1f} MB over {refreshes} refreshes |")  # fmt: skip
    return statistics.median(times), size


def _heap(session: object) -> float:
    session.send("HeapProfiler.collectGarbage")  # type: ignore[attr-defined]
    used = session.send("Runtime.getHeapUsage")["usedSize"]  # type: ignore[attr-defined]
    return float(used) / 1e6


RIVAL = """
import sys
sys.path[:0] = [{root!r}, {here!r}]
import datashader, holoviews as hv, hvplot.pandas, panel as pn, map as bench
sites = bench.table({n})
x, y = hv.util.transform.lon_lat_to_easting_northing(sites["longitude"], sites["latitude"])
sites = sites.assign(x=x, y=y)[["x", "y", "result"]]
def view():
    return sites.hvplot.points("x", "y", c="result", rasterize=True, aggregator="max", cnorm="log", tiles=False,
        xlim=(5.6e5, 1.78e6), ylim=(5.4e6, 6.5e6), width=780, height=560)
pn.serve(view, port={port}, show=False, websocket_origin="*")
"""


def rival(n: int, python: str) -> tuple[float, float] | None:
    """Give the same for Panel + hvPlot + datashader; None if *python* has not got them."""
    if subprocess.run([python, "-c", "import datashader, hvplot, panel"], capture_output=True).returncode:
        print("rival: not installed (python -m pip install -r benchmarks/requirements.txt)")
        return None
    from playwright.sync_api import sync_playwright

    port = free_port()
    code = RIVAL.format(root=str(ROOT), here=str(Path(__file__).resolve().parent), n=n, port=port)
    process = subprocess.Popen([python, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}", 300)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            received = [0]
            page.on("websocket", lambda socket: socket.on(
                "framereceived", lambda data: received.__setitem__(0, received[0] + len(data))))  # fmt: skip
            page.goto(f"http://127.0.0.1:{port}")
            page.wait_for_function(
                "window.Bokeh && Bokeh.documents.length && Bokeh.documents[0].roots().length", timeout=180_000
            )
            page.wait_for_timeout(8000)
            received[0] = 0
            page.evaluate(RIVAL_WATCH)
            moves = [
                (200, 0),
                (0, 150),
                (-200, 0),
                (0, -150),
                (150, 100),
                (-150, 100),
                (100, -150),
                (-100, 0),
            ]
            times = [took for took in (_drag(page, move) for move in moves) if took > 0]
            browser.close()
    finally:
        process.terminate()
        process.wait(20)
    print(f"| Panel + hvPlot + datashader, pan to redraw | {statistics.median(times):.0f} ms | "
          f"{received[0] / len(moves) / 1000:.0f} kB a pan |")  # fmt: skip
    return statistics.median(times), received[0] / len(moves)


RIVAL_WATCH = """() => {
  const all = [...Bokeh.documents[0]._all_models.values()];
  const source = all.find(one => one.type === 'ColumnDataSource' && 'image' in one.data);
  window.lastChange = 0;
  source.properties.data.change.connect(() => requestAnimationFrame(() => requestAnimationFrame(
    () => { window.lastChange = performance.now(); })));
}"""


def _drag(page: object, move: tuple[int, int]) -> float:
    """Pan as a person does; milliseconds from letting go to the last picture that comes of it."""
    mouse = page.mouse  # type: ignore[attr-defined]
    mouse.move(350, 280)
    mouse.down()
    mouse.move(350 - move[0], 280 - move[1], steps=2)
    start = page.evaluate("performance.now()")  # type: ignore[attr-defined]
    mouse.up()
    page.wait_for_timeout(2500)  # type: ignore[attr-defined]
    return float(page.evaluate("window.lastChange")) - float(start)  # type: ignore[attr-defined]


def main() -> int:
    """Run what was asked for; 1 if an aim was missed."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--sites", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    ask.add_argument(
        "--browser", action=argparse.BooleanOptionalAction, default=shutil.which("chromium") is not None
    )
    ask.add_argument("--rival", action=argparse.BooleanOptionalAction, default=True)
    ask.add_argument(
        "--rival-python", default=sys.executable, help="Python of the environment that has the rival"
    )
    ask.add_argument("--viewers", type=int, default=50)
    ask.add_argument("--rounds", type=int, default=10)
    ask.add_argument("--sizes", action=argparse.BooleanOptionalAction, default=True, help="the first table")
    ask.add_argument("--refreshes", type=int, default=200)
    said = ask.parse_args()
    good = sizes(said.sites) if said.sizes else True
    if said.viewers or said.browser:
        with Served(max(said.sites)) as served:
            if said.viewers:
                good &= viewers(served, said.viewers, said.rounds)
            mine = pans(served, said.refreshes) if said.browser else None
        if mine and said.rival and (other := rival(max(said.sites), said.rival_python)):
            ratio, bytes_ratio = other[0] / mine[0], other[1] / max(mine[1], 1)
            met = ratio >= 2 and bytes_ratio >= 10
            good &= met
            print(f"the rival takes {ratio:.1f} x the time and {bytes_ratio:.0f} x the bytes; aim 2 x and 10 x: "
                  f"{'met' if met else 'NOT met'}")  # fmt: skip
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
