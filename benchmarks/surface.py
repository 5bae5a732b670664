"""How fast a surface is, and how far from the exact answer, beside PyKrige.

    python -m benchmarks.surface [--points 2000] [--many 20000] [--repeat 3]

1. *points* readings on a grid of 100 x 100: PyKrige's default (``OrdinaryKriging``, all points, its vectorized
   backend), its moving window in C, and ``situation.kriging`` with neighbourhoods. All with the same variogram;
   the exact answer is that of all points (PyKrige's own, and ours, which must agree).
2. *many* readings, as the map asks for them: fitting (variograms, cross-validation) and drawing one view, with
   time and peak memory. PyKrige is not run there: its matrix of all pairs alone takes 3.2 GB.

Numbers of one machine at one moment; the ratio is what counts.
"""

from __future__ import annotations

import argparse
import resource
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pandas as pd

from situation.kriging import NEIGHBOURS, fit_variogram, krige
from situation.standard import standards
from situation.surface import Group, estimate, probability


def field(n: int, side: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, side, (n, 2))
    return xy, np.sin(xy[:, 0] / 10) + np.cos(xy[:, 1] / 15) + rng.normal(0, 0.2, n)


def timed(work: Callable[[], object], repeat: int) -> tuple[float, object]:
    best, found = np.inf, None
    for _ in range(repeat):
        start = time.perf_counter()
        found = work()
        best = min(best, time.perf_counter() - start)
    return best, found


def against_pykrige(n: int, repeat: int) -> None:
    from pykrige.ok import OrdinaryKriging

    (xy, z), along = field(n, 100.0), np.linspace(0, 100, 100)
    grid = np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 2)
    shape = fit_variogram(xy, z, models=["exponential"])
    numbers = {"psill": shape.partial_sill, "range": shape.range, "nugget": shape.nugget}
    print(f"{n} points, grid of 100 x 100, {shape}")

    def default(**how: object) -> np.ndarray:
        known = OrdinaryKriging(*xy.T, z, variogram_model="exponential", variogram_parameters=numbers)
        return np.asarray(known.execute("grid", along, along, **how)[0]).reshape(-1)

    slow, exact = timed(default, repeat)
    window, near = timed(lambda: default(backend="C", n_closest_points=NEIGHBOURS), repeat)
    ours, found = timed(lambda: krige(xy, z, grid, variogram=shape, neighbours=NEIGHBOURS).estimate, repeat)
    check = krige(xy, z, grid, variogram=shape).estimate
    spread = float(np.std(exact))
    print(f"  PyKrige, default           {slow:8.3f} s   exact")
    print(
        f"  PyKrige, window in C       {window:8.3f} s   error {rms(near, exact) / spread:.2e} of the spread"
    )
    print(
        f"  situation.kriging          {ours:8.3f} s   error {rms(found, exact) / spread:.2e} of the spread"
    )
    print(f"  all points, ours against PyKrige's: largest difference {np.abs(check - exact).max():.1e}")
    print(f"  ratio to the default {slow / ours:.0f} x (asked for: 10), to the window {window / ours:.1f} x")


def rms(found: object, exact: object) -> float:
    return float(np.sqrt(np.mean((np.asarray(found) - np.asarray(exact)) ** 2)))


def many_sites(n: int) -> pd.DataFrame:
    """Make sites of nitrate over some 1,000 km, a third of them non-detects."""
    rng = np.random.default_rng(2)
    lon, lat = rng.uniform(0, 10, n), rng.uniform(45, 53, n)
    log = 2.5 + 1.5 * np.sin(lon * 3) * np.cos(lat * 4) + rng.normal(0, 0.5, n)
    value = np.exp(log)
    less = value < 4
    return pd.DataFrame(
        {
            "longitude": lon,
            "latitude": lat,
            "result": np.where(less, np.nan, value),
            "detection_limit": np.where(less, 4.0, np.nan),
            "censoring": np.where(less, "<", "="),
            "unit": "mg/L",
            "method_speciation": "as NO3",
            "status": np.where(value > 50, "above", "below"),
            "freshness": "current",
        }
    )


def many(n: int) -> None:
    sites, limit = many_sites(n), standards()["who_drinking_water"].limit("nitrate")
    group = Group("groundwater", n, 0, 0)
    print(f"{n} sites, {sites['censoring'].eq('<').mean():.0%} non-detects, as the map asks for them")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, make in (
        ("estimate", lambda: estimate(sites, limit, group=group)),
        ("probability", lambda: probability(sites, group=group)),
    ):
        start = time.perf_counter()
        found = make()
        fitted = time.perf_counter() - start
        start = time.perf_counter()
        drawn = found.draw((-1.0, 44.0, 11.0, 54.0), 7)
        took = time.perf_counter() - start
        size = f"{drawn['width']} x {drawn['height']}"
        print(f"  {name:12} fitted and tested {fitted:6.2f} s, one view of {size} cells {took:5.2f} s")
        print(f"    {found.note}")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"  resident memory at its peak {after / 1024:.0f} MB ({(after - before) / 1024:.0f} MB more than before)"
    )
    tracemalloc.start()
    found.draw((-1.0, 44.0, 11.0, 54.0), 7)
    print(f"  one view: {tracemalloc.get_traced_memory()[1] / 2**20:.0f} MB at its peak")
    tracemalloc.stop()


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--points", type=int, default=2_000)
    words.add_argument("--many", type=int, default=20_000)
    words.add_argument("--repeat", type=int, default=3)
    given = words.parse_args()
    # First, so that the peak is ours and not PyKrige's.
    many(given.many)
    against_pykrige(given.points, given.repeat)


if __name__ == "__main__":
    main()
