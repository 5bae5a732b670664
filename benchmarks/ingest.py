"""A million rows from a long CSV to stored and validated readings, beside two rivals in the same run.

Each way runs in a process of its own, so that its peak of memory is its own (children counted in):

* *commonsight*: copy, guarded reading, questions, units, quarantine, natural keys, ledger, current picture;
* *engine*: DuckDB's bare scan of the same CSV into a table, the floor under any store made of it;
* *geopandas*: pandas reads, turns texts to numbers and times, geopandas makes points, ``to_parquet``.

``python benchmarks/ingest.py [ROWS]`` prints a table and the ratios; nothing in it is asserted.
"""

from __future__ import annotations

import csv
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import peak
import psutil

ROOT = Path(__file__).resolve().parent.parent
ROWS = 1_000_000
SITES = 5_000
HEADER = (
    "Site ID", "Latitude", "Longitude", "Date", "Parameter", "Result", "Unit", "Fraction", "Method", "Sample ID"
)  # fmt: skip
MEASURED = (("Arsenic", "ug/L"), ("Nitrate as NO3", "mg/L"), ("Chloride", "mg/L"), ("Iron", "mg/L"))


def make(path: Path, rows: int) -> None:
    """Write a simulated long CSV, one result a row, one in ten below a limit; seeded."""
    rng = np.random.default_rng(20261121)
    site = rng.integers(0, SITES, rows)
    days = rng.integers(0, 3650, rows)
    kind = rng.integers(0, len(MEASURED), rows)
    value = rng.lognormal(1.0, 1.0, rows).round(3)
    below = rng.random(rows) < 0.1
    date = (np.datetime64("2015-01-01") + days.astype("timedelta64[D]")).astype(str)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for i in range(rows):
            s = int(site[i])
            name, unit = MEASURED[kind[i]]
            text = f"<{value[i]}" if below[i] else f"{value[i]}"
            writer.writerow(
                (f"B{s}", f"{10 + s % 71 / 50:.5f}", f"{20 + s / 900:.5f}", date[i], name, text, unit,
                 "Total", "Lab A", f"S{i}")
            )  # fmt: skip


def commonsight(path: Path, folder: Path) -> int:
    """Read, check and keep the file the way ``add`` does."""
    from sensors import intake
    from situation.settings import settings
    from store import open_store

    store = open_store(f"ducklake:sqlite:{folder / 'store'}")
    limits = intake.patient(settings(), path)
    with intake.check(
        [path], topic="groundwater", contributor="bench", store=store, limits=limits
    ) as checked:
        if checked.questions:
            raise SystemExit(f"The benchmark's file raises questions: {[q.id for q in checked.questions]}")
        return intake.submit(store, checked, contributor="bench", accept=True).added


def engine(path: Path, folder: Path) -> int:
    """Scan the CSV into a table of a plain DuckDB file."""
    import duckdb

    with duckdb.connect(str(folder / "bare.duckdb")) as con:
        con.execute("CREATE TABLE readings AS SELECT * FROM read_csv(?)", [str(path)])
        return int(con.execute("SELECT count(*) FROM readings").fetchone()[0])


def rival(path: Path, folder: Path) -> int:
    """Do the same reading with pandas and geopandas: numbers, times, points, a Parquet file."""
    import geopandas as gpd
    import pandas as pd

    table = pd.read_csv(path, dtype={"Result": "str"})
    table["number"] = pd.to_numeric(table["Result"].str.lstrip("<"))
    table["below"] = table["Result"].str.startswith("<")
    table["Date"] = pd.to_datetime(table["Date"], utc=True)
    points = gpd.points_from_xy(table["Longitude"], table["Latitude"], crs=4326)
    gpd.GeoDataFrame(table, geometry=points).to_parquet(folder / "readings.parquet")
    return len(table)


WAYS = {"commonsight": commonsight, "engine": engine, "geopandas": rival}


def measured(way: str, path: Path, folder: Path) -> dict[str, float]:
    """Run one way in a process of its own.

    Returns
    -------
    dict
        ``rows``, ``seconds`` (wall), ``cpu`` (seconds of processor) and ``mb`` (peak of resident memory).
    """
    folder.mkdir()
    command = [sys.executable, __file__, "--one", way, str(path), str(folder)]
    out, code, megabytes = peak.run(command, ROOT)
    if code:
        raise SystemExit(f"{way} failed")
    return json.loads(out.splitlines()[-1]) | {"mb": megabytes}


def _one(way: str, path: str, folder: str) -> None:
    sys.path.insert(0, str(ROOT))
    started = time.perf_counter()
    rows = WAYS[way](Path(path), Path(folder))
    seconds = time.perf_counter() - started
    times = psutil.Process().cpu_times()
    cpu = times.user + times.system + times.children_user + times.children_system
    print(json.dumps({"rows": rows, "seconds": seconds, "cpu": cpu}))


def main(rows: int) -> None:
    """Make the file, run the three ways, print what came of it."""
    with tempfile.TemporaryDirectory(prefix="commonsight-bench-") as name:
        path = Path(name) / "long.csv"
        make(path, rows)
        print(f"{rows:,} rows, {path.stat().st_size / 1e6:.0f} MB, simulated")
        print(f"{'way':<12} {'rows':>10} {'wall s':>8} {'cpu s':>8} {'rows/s':>10} {'peak MB':>8}")
        found = {}
        for way in WAYS:
            one = found[way] = measured(way, path, Path(name) / way)
            speed = one["rows"] / one["seconds"]
            print(
                f"{way:<12} {one['rows']:>10,} {one['seconds']:>8.1f} {one['cpu']:>8.1f} "
                f"{speed:>10,.0f} {one['mb']:>8.0f}"
            )
        ours = found["commonsight"]
        for other, aim in (
            ("engine", "aim at most 4"),
            ("geopandas", "aim below 1, in a third of its memory"),
        ):
            times, memory = ours["seconds"] / found[other]["seconds"], ours["mb"] / found[other]["mb"]
            print(f"commonsight / {other}: {times:.2f} x the time ({aim}), {memory:.2f} x the memory")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        _one(*sys.argv[2:5])
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else ROWS)
