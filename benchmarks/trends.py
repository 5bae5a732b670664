"""Trends of many sites and of one long series, beside pymannkendall in the same run.

    python benchmarks/trends.py [--no-crowd]

pymannkendall is timed on the same values with ``original_test``, ``seasonal_test`` and ``sens_slope``: S,
its variance with ties in value, p, and the slope per step. It knows no dates, gives no interval and no
tie in time. Ours is timed on the whole of ``situation.trend.trends``, once with plain and once with
seasonal Kendall for every series, and the two added: real dates, ties in both, intervals, calendar,
rules, sentences and the table of results.

The last part takes 100,000 sites of 40 readings in one go and prints the peak of memory, in a process of
its own. Nothing is asserted; the aims are printed beside what came.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from situation.trend import Rules, trends  # noqa: E402

PLAIN = Rules(seasonal_years=np.inf)
SEASONAL = Rules(seasonal_years=0, monthly_from=np.inf, quarterly_from=0, seasonal_share=0, quarters_at_least=1,
                 years_per_season=1)  # fmt: skip


def readings(sites: int, each: int, *, years: float, seed: int = 3) -> pd.DataFrame:
    """Make sites with *each* readings at quarterly or denser steps, a week early or late, and rounded."""
    rng = np.random.default_rng(seed)
    step = years * 365.25 / each
    days = np.arange(each) * step + rng.integers(-7, 8, (sites, each)) * min(1.0, step / 20)
    time_of = np.datetime64("1995-01-15", "us") + (np.sort(days, axis=1) * 86400e6).astype("timedelta64[us]")
    value = rng.lognormal(1.0, 0.4, (sites, each)) + rng.normal(0, 0.02, (sites, 1)) * np.arange(each)
    return pd.DataFrame(
        {
            "series": np.repeat(np.arange(sites), each),
            "time": pd.DatetimeIndex(time_of.ravel()).tz_localize("UTC"),
            "value": value.ravel().round(2),
            "censoring": pd.array(["="], dtype="str").take(np.zeros(sites * each, np.int64)),
        }
    )


def _timed(work: Callable[[], object], times: int = 1) -> float:
    best = np.inf
    for _ in range(times):
        begun = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begun)
    return best


def _rival(table: pd.DataFrame, sites: int, period: int) -> dict[str, float]:
    import pymannkendall as mk

    rows = table["value"].to_numpy().reshape(sites, -1)
    return {
        "original_test": _timed(lambda: [mk.original_test(row) for row in rows]),
        "seasonal_test": _timed(lambda: [mk.seasonal_test(row, period=period) for row in rows]),
        "sens_slope": _timed(lambda: [mk.sens_slope(row) for row in rows]),
    }


def compare(sites: int, each: int, years: float, aim: int) -> None:
    """Time both on the same readings and print the ratio."""
    table = readings(sites, each, years=years)
    plain = _timed(lambda: trends(table, rules=PLAIN), 3)
    seasonal = _timed(lambda: trends(table, rules=SEASONAL), 3)
    kinds = set(trends(table, rules=PLAIN)["method"]) | set(trends(table, rules=SEASONAL)["method"])
    theirs = _rival(table, sites, 4)
    print(f"\n{sites:,} x {each:,} readings over {years:g} years")
    for name, seconds in {
        f"ours: {kind}": s for kind, s in zip(sorted(kinds), (plain, seasonal), strict=True)
    }.items():
        print(f"  {name:<28} {seconds:>9.3f} s")
    for name, seconds in theirs.items():
        print(f"  {'pymannkendall ' + name:<28} {seconds:>9.3f} s")
    ratio = sum(theirs.values()) / (plain + seasonal)
    print(f"  all of theirs / both of ours: {ratio:.0f} times (aim {aim})")
    alone = (theirs["original_test"] + theirs["sens_slope"]) / plain
    print(f"  without seasons (original + sens_slope / plain): {alone:.0f} times")


def crowd(sites: int, each: int) -> None:
    """Work out all sites in one go; print one line of JSON."""
    table = readings(sites, each, years=10)
    trends(table.iloc[: 40 * 100])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    begun = time.perf_counter()
    rows = trends(table)
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    table_mb = table.memory_usage(deep=True).sum() / 2**20
    print(
        json.dumps(
            {"seconds": seconds, "peak": peak, "before": before, "table": table_mb,
             "methods": rows["method"].value_counts().to_dict()}
        )
    )  # fmt: skip


def main() -> None:
    """Print the comparison and the crowd."""
    compare(1_000, 40, 10, 50)
    compare(1, 5_000, 20, 10)
    if "--no-crowd" in sys.argv:
        return
    out = subprocess.run(
        [sys.executable, __file__, "--crowd"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    found = json.loads(out.splitlines()[-1])
    print(
        f"\n100,000 x 40 readings in one go: {found['seconds']:.1f} s; peak of memory {found['peak']:,.0f} MB, of which "
        f"{found['before']:,.0f} MB before the work (the readings are {found['table']:,.0f} MB); {found['methods']}"
    )


if __name__ == "__main__":
    if "--crowd" in sys.argv:
        crowd(100_000, 40)
    else:
        main()
