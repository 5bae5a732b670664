"""A million readings to GeoParquet and GeoPackage, beside geopandas on the same readings in the same run.

The readings lie in a Parquet file and come in pieces, as a store gives them. Each way runs in a process of its own,
so that its peak of memory is its own; what both import is loaded before the clock starts. The seconds of CPU are
there for machines that others use at the same time.

* *commonsight*: a snapshot written by ``publish``, piece by piece, with citation, documented columns and, in the
  GeoPackage, sites, limits and style;
* *geopandas*: the pieces joined, ``points_from_xy``, then ``to_parquet`` or ``to_file(driver="GPKG")`` (pyogrio with
  Arrow).

``python benchmarks/publish_data.py [ROWS]`` prints a table and the ratios; nothing in it is asserted.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent
# Python looks beside a script first, and there is a benchmark called publish.
sys.path[0] = str(ROOT)
ROWS = 1_000_000
SITES = 2_000
PIECE = 65_536
NOW = pd.Timestamp("2026-06-30T12:00", tz="UTC")
#: What is written: kind of file, and of the rivals which.
WAYS = {
    "parquet": ("commonsight", "geopandas"),
    "gpkg": ("commonsight", "geopandas"),
    "csv": ("commonsight",),
    "zip": ("commonsight",),
}


def make(path: Path, rows: int) -> None:
    """Write simulated readings of nitrate, one in ten below a limit; seeded."""
    from situation.observation import ARROW, flat, to_arrow

    rng = np.random.default_rng(20261122)
    with pq.ParquetWriter(path, ARROW) as target:
        for first in range(0, rows, PIECE):
            n = min(PIECE, rows - first)
            site, value = rng.integers(0, SITES, n), rng.lognormal(2.5, 1.0, n).round(2)
            below = rng.random(n) < 0.1
            days = pd.to_timedelta(rng.integers(0, 3650 * 24, n), unit="h")
            number = np.arange(first, first + n)
            table = flat(
                {
                    "observation_id": [f"{i:040x}" for i in number],
                    "source_id": np.full(n, "upload:bench"),
                    "batch_id": np.full(n, "1"),
                    "monitoring_location_id": np.char.add("bench:", site.astype(str)),
                    "monitoring_location_name": np.char.add("Well ", site.astype(str)),
                    "monitoring_location_type": np.full(n, "well"),
                    "observed_property": np.full(n, "nitrate"),
                    "observed_property_name": np.full(n, "Nitrate"),
                    "method_speciation": np.full(n, "as NO3"),
                    "sampled_medium": np.full(n, "groundwater"),
                    "procedure_class": np.full(n, "laboratory"),
                    "phenomenon_time": pd.Timestamp("2016-01-01", tz="UTC") + days,
                    "result": np.where(below, np.nan, value),
                    "result_text": np.where(below, np.char.add("<", value.astype(str)), value.astype(str)),
                    "censoring": np.where(below, "<", "="),
                    "detection_limit": np.where(below, value, np.nan),
                    "unit": np.full(n, "mg/L"),
                    "retrieved_at": [NOW] * n,
                    "source_row": number + 2,
                    "licence": np.full(n, "CC0-1.0"),
                    "attribution": np.full(n, "simulated"),
                    "longitude": 10 + site % 71 / 50,
                    "latitude": 20 + site / 900,
                }
            )
            target.write_table(to_arrow(table))


def pieces(path: Path) -> Iterator[pd.DataFrame]:
    """Give the readings as a store does."""
    for batch in pq.ParquetFile(path).iter_batches(PIECE):
        yield batch.to_pandas()


def snapshot(path: Path) -> Any:
    """Freeze the readings: the newest of each site assessed, all of them behind it."""
    from situation.paragraph import paragraph
    from situation.snapshot import Snapshot
    from situation.standard import Standard, standard_named
    from situation.status import assess
    from situation.topic import topics
    from situation.view import View

    topic = topics()["groundwater"]
    view = View("groundwater", "nitrate", "who_drinking_water").pinned(1, NOW)
    standard = standard_named("who_drinking_water")
    newest = pd.concat(p.drop_duplicates("monitoring_location_id", keep="last") for p in pieces(path))
    newest = newest.drop_duplicates("monitoring_location_id", keep="last", ignore_index=True)
    each = pq.read_metadata(path).num_rows // len(newest)
    sites = assess(newest.assign(n=each), standard, "nitrate", topic=topic, now=NOW)
    rows = tuple(standard.limits_for("nitrate", NOW.date()))
    return Snapshot(
        view=view,
        moment=NOW,
        title="Benchmark",
        topic=topic,
        standard=Standard(standard.key, standard.title, rows),
        limit=rows[0],
        sites=sites,
        said=paragraph(sites, standard, "nitrate", on=NOW.date()),
        box=(10.0, 20.0, 12.0, 23.0),
        readings=lambda: pieces(path),
        batches=pd.DataFrame({"batch": [1], "source_id": ["upload:bench"]}),
    )


def ours(path: Path, out: Path) -> None:
    """Write a snapshot's readings."""
    import publish

    publish.write(snapshot(path), out, publish.Options(rows="readings"))


def rival(path: Path, out: Path) -> None:
    """Do what one would with geopandas."""
    import geopandas as gpd

    table = pd.concat(pieces(path), ignore_index=True)
    places = gpd.points_from_xy(table.pop("longitude"), table.pop("latitude"), crs="EPSG:4326")
    frame = gpd.GeoDataFrame(table, geometry=places)
    if out.suffix == ".parquet":
        frame.to_parquet(out)
    else:
        frame.to_file(out, layer="readings", driver="GPKG", use_arrow=True)


def one(way: str, path: Path, out: Path) -> None:
    """Run one way and print what it took; times in seconds, memory and length in megabytes."""
    import geopandas  # noqa: F401
    import pyogrio  # noqa: F401

    import publish.geo
    import publish.package
    import publish.tables  # noqa: F401

    pa.set_memory_pool(pa.system_memory_pool())
    before = resource.getrusage(resource.RUSAGE_SELF)
    idle, busy = before.ru_maxrss / 1024, before.ru_utime + before.ru_stime
    began = time.perf_counter()
    {"commonsight": ours, "geopandas": rival}[way](path, out)
    took = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak, cpu = used.ru_maxrss / 1024, used.ru_utime + used.ru_stime - busy
    print(json.dumps({"s": took, "cpu": cpu, "peak": peak, "idle": idle, "length": out.stat().st_size / 1e6}))


def main(rows: int) -> None:
    """Run every way and print the table and the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "source.parquet"
        make(path, rows)
        print(f"{rows:,} readings of {SITES:,} sites\n")
        print(
            f"{'file':<9} {'way':<12} {'seconds':>8} {'of CPU':>7} {'peak MB':>8} {'above idle':>11} {'file MB':>8}"
        )
        for ending, ways in WAYS.items():
            took = {}
            for way in ways:
                out = Path(folder) / f"{way}.{ending}"
                command = [sys.executable, __file__, "--one", way, str(path), str(out)]
                said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
                took[way] = found = json.loads(said.stdout)
                above = found["peak"] - found["idle"]
                print(
                    f"{ending:<9} {way:<12} {found['s']:>8.1f} {found['cpu']:>7.1f} {found['peak']:>8.0f} {above:>11.0f} "
                    f"{found['length']:>8.1f}",
                    flush=True,
                )
                out.unlink()
            if len(took) == 2:
                us, them = took["commonsight"], took["geopandas"]
                memory = (them["peak"] - them["idle"]) / (us["peak"] - us["idle"])
                fast = f"{them['s'] / us['s']:.1f} x as fast ({them['cpu'] / us['cpu']:.1f} by CPU time)"
                print(f"{'':<9} ratio: {fast}, {memory:.1f} x less memory\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
