"""A million results of WQX 3.0 from a socket to stored readings, beside dataretrieval and pandas reading alone.

A server on this machine gives one CSV of 180 columns, as the Water Quality Portal does, with simulated results.
Each way runs in a process of its own, so that its peak of memory is its own (children counted in):

* *commonsight*: fetch to the disk, checks for cuts, guarded reading, units, species, quarantine, ledger, picture;
* *dataretrieval*: its ``wqp.get_results`` into a data frame, and nothing after it;
* *pandas*: ``requests`` and ``read_csv`` with all columns as text, and nothing after it.

``python benchmarks/collect.py [ROWS] [PYTHON]`` prints a table and the ratios; PYTHON is an interpreter that has
dataretrieval (which is not among what the project needs); without one, that way is left out.
"""

from __future__ import annotations

import http.server
import json
import shutil
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
ROWS = 1_000_000
SITES = 5_000
COLUMNS = 180
FILLED = {
    "Org_Identifier": "SIM_WQX",
    "Org_FormalName": '"Simulated Department of Waters, Division of Wells"',
    "Project_Identifier": '"[""SIM_NETWORK""]"',
    "Project_Name": '"[""Simulated network of wells""]"',
    "Location_Identifier": "SIM_WQX-{site}",
    "Location_Name": "Simulated well {site}",
    "Location_Type": "Well",
    "Location_State": "Wisconsin",
    "Location_CountryName": "United States",
    "Location_CountyName": "Dane",
    "Location_HUCEightDigitCode": "07090002",
    "Location_Latitude": "{lat:.5f}",
    "Location_Longitude": "{lon:.5f}",
    "Location_HorzCoordReferenceSystemDatum": "NAD83",
    "Activity_ActivityIdentifier": "SIM_WQX-{sample}",
    "Activity_TypeCode": "Sample-Routine",
    "Activity_Media": "Water",
    "Activity_MediaSubdivision": "Groundwater",
    "Activity_StartDate": "{date}",
    "Activity_StartTime": "10:{minute:02d}:00",
    "Activity_StartTimeZone": "CST",
    "SampleCollectionMethod_Name": "Grab sample with a bailer or pump",
    "Result_ResultDetectionCondition": "{condition}",
    "Result_Characteristic": "{name}",
    "Result_MethodSpeciation": "{species}",
    "Result_SampleFraction": "Dissolved",
    "Result_MeasureIdentifier": "STORET-{number}",
    "Result_Measure": "{value}",
    "Result_MeasureUnit": "{unit}",
    "Result_MeasureStatusIdentifier": "Final",
    "Result_MeasureType": "Actual",
    "DetectionLimit_TypeA": "Laboratory Reporting Level",
    "DetectionLimit_MeasureA": "0.02",
    "DetectionLimit_MeasureUnitA": "{limit_unit}",
    "ResultAnalyticalMethod_Identifier": "200.8",
    "ResultAnalyticalMethod_IdentifierContext": "USEPA",
    "ResultAnalyticalMethod_Name": '"Metals in waters by ICP/MS, simulated"',
    "LabInfo_Name": "Simulated laboratory of hygiene",
    "ProviderName": "STORET",
    "LastChangeDate": "Fri Jun 15 09:44:33 GMT 2018",
}
MEASURED = (
    ("Nitrate", "as N", "mg/l"),
    ("Arsenic", "", "ug/l"),
    ("Chloride", "", "mg/l"),
    ("Iron", "", "mg/l"),
)


def make(path: Path, rows: int) -> None:
    """Write simulated results, one in ten below its limit; seeded."""
    rng = np.random.default_rng(20261122)
    filler = [f"Simulated_Column{n:03d}" for n in range(COLUMNS - len(FILLED))]
    line = ",".join([*FILLED.values(), *([""] * len(filler))]) + "\n"
    site, days = rng.integers(0, SITES, rows), rng.integers(0, 3650, rows)
    kind, below = rng.integers(0, len(MEASURED), rows), rng.random(rows) < 0.1
    value = rng.lognormal(1.0, 1.0, rows).round(3)
    date = (np.datetime64("2015-01-01") + days.astype("timedelta64[D]")).astype(str)
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join([*FILLED, *filler]) + "\n")
        for i in range(rows):
            name, species, unit = MEASURED[kind[i]]
            s = int(site[i])
            file.write(
                line.format(
                    site=s, lat=43 + s % 71 / 50, lon=-90 + s / 900, sample=i // 4, date=date[i], minute=i % 60,
                    condition="Not Detected" if below[i] else "", name=name, species=species, number=i,
                    value="" if below[i] else value[i], unit="" if below[i] else unit, limit_unit=unit,
                )
            )  # fmt: skip


class Portal(http.server.BaseHTTPRequestHandler):
    """Streams the file for whatever is asked."""

    protocol_version = "HTTP/1.1"

    def __init__(self, path: Path, rows: int, *args: object) -> None:
        self.file, self.rows = path, rows
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Give the file, with the count that the portal gives."""
        self.send_response(200)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Total-Result-Count", str(self.rows))
        self.send_header("Content-Length", str(self.file.stat().st_size))
        self.end_headers()
        with self.file.open("rb") as source:
            shutil.copyfileobj(source, self.wfile, 1 << 20)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def commonsight(url: str, folder: Path) -> int:
    """Pull as the command line does."""
    from sensors.pull import pull
    from sensors.sources.wqp import SENSOR
    from store import open_store

    store = open_store(f"ducklake:sqlite:{folder / 'store'}")
    ask = SENSOR.ask(base_url=url, bbox=(-91, 42, -80, 46), topic="groundwater")
    report = pull(SENSOR, ask, store)
    if report.outcome != "complete":
        raise SystemExit(f"{report.outcome}: {report.said}")
    return report.added


def dataretrieval(url: str, folder: Path) -> int:
    """Read the same answer with dataretrieval."""
    from dataretrieval import wqp

    wqp._WQP_BASE_URL = url
    table, _ = wqp.get_results(legacy=False, siteid="SIM_WQX-1")
    return len(table)


def pandas(url: str, folder: Path) -> int:
    """Read the same answer with requests and pandas."""
    import io

    import pandas as pd
    import requests

    text = requests.get(f"{url}/wqx3/Result/search", timeout=600).text
    return len(pd.read_csv(io.StringIO(text), dtype="str", keep_default_na=False))


WAYS = {"commonsight": commonsight, "dataretrieval": dataretrieval, "pandas": pandas}


def measured(way: str, url: str, folder: Path, python: str) -> dict[str, float]:
    """Run one way in a process of its own; gives rows, seconds (wall, processor) and megabytes at the peak."""
    import peak  # not above: the interpreter with dataretrieval may have no psutil

    folder.mkdir()
    command = [python, __file__, "--one", way, url, str(folder)]
    out, code, megabytes = peak.run(command, ROOT)
    if code:
        raise SystemExit(f"{way} failed")
    return json.loads(out.splitlines()[-1]) | {"mb": megabytes}


def _one(way: str, url: str, folder: str) -> None:
    sys.path.insert(0, str(ROOT))
    started = time.perf_counter()
    rows = WAYS[way](url, Path(folder))
    seconds = time.perf_counter() - started
    cpu = time.process_time()
    try:
        import psutil

        times = psutil.Process().cpu_times()
        cpu = times.user + times.system + times.children_user + times.children_system
    except ImportError:
        pass
    print(json.dumps({"rows": rows, "seconds": seconds, "cpu": cpu}))


def main(rows: int, python: str | None) -> None:
    """Make the file, serve it, run the ways, print what came of it."""
    with tempfile.TemporaryDirectory(prefix="commonsight-bench-") as name:
        path = Path(name) / "results.csv"
        make(path, rows)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Portal, path, rows))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        size = path.stat().st_size / 1e6
        print(f"{rows:,} rows, {COLUMNS} columns, {size:.0f} MB, simulated")
        print(f"{'way':<14} {'rows':>10} {'wall s':>8} {'cpu s':>8} {'rows/s':>10} {'peak MB':>8}")
        found = {}
        for way in WAYS:
            if way == "dataretrieval" and python is None:
                continue
            with_it = python if way == "dataretrieval" and python else sys.executable
            one = found[way] = measured(way, url, Path(name) / way, with_it)
            speed = one["rows"] / one["seconds"]
            print(
                f"{way:<14} {one['rows']:>10,} {one['seconds']:>8.1f} {one['cpu']:>8.1f} "
                f"{speed:>10,.0f} {one['mb']:>8.0f}"
            )
        ours = found["commonsight"]
        for other in list(found)[1:]:
            speed, memory = found[other]["seconds"] / ours["seconds"], ours["mb"] / found[other]["mb"]
            print(
                f"commonsight / {other}: {speed:.2f} x its speed (aim at least 1), {memory:.2f} x its memory"
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        _one(*sys.argv[2:5])
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else ROWS, sys.argv[2] if sys.argv[2:] else None)
