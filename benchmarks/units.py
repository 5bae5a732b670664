"""A million readings into the limit's unit and form, beside pint row by row.

    python benchmarks/units.py [--rows 1000000] [--rival-rows 20000] [--harmonize PYTHON]

The table mixes what real files mix: nitrate as N and as NO3, in mg/L, ug/L, mmol/L and ppm, arsenic in three
units, conductivity, temperature in Fahrenheit, hardness in German degrees, tritium in pCi/L; non-detects with
their limits; and readings without a form or a unit, which must be refused with a reason. Ours converts
results and limits of detection together and says why a row is not converted.

The rival is what a careful colleague writes: one ``pint.Quantity`` per row, parsed once per spelling and
converted with ``.to``; the molar mass of the form is given to it. It does results only, and rows that need a
decision are left out of its work. It is timed on a part of the table and its time per row is compared; a
second rival, pint once per distinct unit over an array, shows what vectorising alone gives. With
``--harmonize``, the interpreter of an environment of its own where harmonize-wq is installed (it pins other
versions of pandas), its ``harmonize()`` is timed on rows of one property, water temperature in two units,
which is the least it can be asked.

Aim: at least 20 times as fast as pint row by row. The numbers are compared too: every row that both convert
must agree to 1e-9.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pint

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from situation.unit import convert  # noqa: E402

AIM = 20.0
#: property, unit, form, to unit, to form, what pint is told (None: needs a decision), share of the rows
MIX = (
    ("nitrate", "mg/L", "as NO3", "mg/L", "as NO3", ("mg/L", "mg/L", 1.0), 0.25),
    ("nitrate", "mg/L", "as N", "mg/L", "as NO3", ("mg/L", "mg/L", 62.0049 / 14.0067), 0.20),
    ("nitrate", "ug/L", "as N", "mg/L", "as NO3", ("ug/L", "mg/L", 62.0049 / 14.0067), 0.05),
    ("nitrate", "mmol/L", None, "mg/L", "as NO3", ("mmol/L", "mol/L", 62.0049e3), 0.05),
    ("nitrate", "mg/L", None, "mg/L", "as NO3", None, 0.05),
    ("arsenic", "ug/L", None, "ug/L", "as As", ("ug/L", "ug/L", 1.0), 0.10),
    ("arsenic", "mg/L", "as As", "ug/L", "as As", ("mg/L", "ug/L", 1.0), 0.10),
    ("arsenic", "[ppb]", None, "ug/L", "as As", ("ug/L", "ug/L", 1.0), 0.03),
    ("conductance", "mS/m", None, "uS/cm", None, ("mS/m", "uS/cm", 1.0), 0.05),
    ("temperature", "[degF]", None, "Cel", None, ("degF", "degC", 1.0), 0.05),
    ("hardness", "{dH}", "as CaCO3", "mg/L", "as CaCO3", ("mg/L", "mg/L", 17.848), 0.02),
    ("tritium", "pCi/L", None, "Bq/L", None, ("pCi/L", "Bq/L", 1.0), 0.03),
    ("chloride", None, None, "mg/L", "as Cl", None, 0.02),
)


def table(rows: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Make the readings, and say which line of the mix each is."""
    random = np.random.default_rng(0)
    kind = random.choice(len(MIX), rows, p=np.array([line[-1] for line in MIX]))
    censored = random.random(rows) < 0.15
    value = random.lognormal(1.0, 1.2, rows)

    def column(place: int) -> pd.Series:
        return pd.Series([line[place] for line in MIX], dtype="str").iloc[kind].reset_index(drop=True)

    readings = pd.DataFrame(
        {
            "observed_property": column(0),
            "unit": column(1),
            "method_speciation": column(2),
            "sampled_medium": pd.Series(["groundwater"], dtype="str")
            .iloc[np.zeros(rows, int)]
            .reset_index(drop=True),
            "result": np.where(censored, np.nan, value),
            "detection_limit": np.where(censored, value, np.nan),
            "censoring": np.where(censored, "<", "="),
        }
    )
    return readings, kind


def ours(readings: pd.DataFrame, kind: np.ndarray) -> np.ndarray:
    """Convert each property into the unit and form of its limit; gives the results, NaN where refused."""
    out = np.full(len(readings), np.nan)
    for name in dict.fromkeys(line[0] for line in MIX):
        line = next(line for line in MIX if line[0] == name)
        rows = np.flatnonzero(readings["observed_property"].eq(name).to_numpy())
        done = convert(readings.iloc[rows], line[3], line[4])
        out[rows] = np.where(done["convertible"], done["result"], np.nan)
    return out


def by_row(readings: pd.DataFrame, kind: np.ndarray, registry: pint.UnitRegistry) -> np.ndarray:
    """Convert with pint, one quantity per row."""
    units = {text: registry.Unit(text) for line in MIX if line[5] for text in line[5][:2]}
    out = []
    for value, number in zip(readings["result"].tolist(), kind.tolist(), strict=True):
        told = MIX[number][5]
        if told is None:
            out.append(np.nan)
            continue
        out.append(registry.Quantity(value, units[told[0]]).to(units[told[1]]).magnitude * told[2])
    return np.array(out)


def by_unit(readings: pd.DataFrame, kind: np.ndarray, registry: pint.UnitRegistry) -> np.ndarray:
    """Convert with pint, one array per distinct line of the mix: told which these are."""
    out = np.full(len(readings), np.nan)
    value = readings["result"].to_numpy()
    for number, line in enumerate(MIX):
        rows = np.flatnonzero(kind == number)
        if line[5] is not None:
            out[rows] = registry.Quantity(value[rows], line[5][0]).to(line[5][1]).magnitude * line[5][2]
    return out


def timed(work: object, *arguments: object, times: int = 3) -> tuple[float, np.ndarray]:
    """Take the best of a few times, in seconds of the processor: other work on the machine does not count."""
    best, answer = float("inf"), np.array([])
    for _ in range(times):
        start = time.process_time()
        answer = work(*arguments)  # type: ignore[operator]
        best = min(best, time.process_time() - start)
    return best, answer


HARMONIZE = """
import sys, time, warnings
warnings.filterwarnings("ignore")
import numpy, pandas
from harmonize_wq import harmonize
rows, random = int(sys.argv[1]), numpy.random.default_rng(0)
table = pandas.DataFrame({
    "CharacteristicName": ["Temperature, water"] * rows,
    "ResultMeasureValue": random.normal(60, 5, rows).round(2).astype(str),
    "ResultMeasure/MeasureUnitCode": random.choice(["deg F", "deg C"], rows),
    "ResultSampleFractionText": ["Total"] * rows,
    "ResultTemperatureBasisText": [None] * rows,
    "MethodSpecificationName": [None] * rows,
    "ActivityMediaName": ["Water"] * rows,
    "ProviderName": ["STORET"] * rows,
    "DetectionQuantitationLimitMeasure/MeasureValue": [None] * rows,
})
start = time.process_time()
harmonize.harmonize(table, "Temperature, water")
print(time.process_time() - start)
"""


def by_harmonize(python: str, rows: int) -> float:
    """Seconds of the processor that harmonize-wq takes for so many temperatures."""
    done = subprocess.run([python, "-c", HARMONIZE, str(rows)], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def main() -> int:
    """Time both and print the ratio."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--rival-rows", type=int, default=20_000)
    asked.add_argument("--harmonize", metavar="PYTHON", help="interpreter that has harmonize-wq")
    options = asked.parse_args()
    readings, kind = table(options.rows)
    registry = pint.UnitRegistry(autoconvert_offset_to_baseunit=True)
    took, mine = timed(ours, readings, kind)
    few = min(options.rival_rows, options.rows)
    part = readings.iloc[:few]
    slow, theirs = timed(by_row, part, kind[:few], registry, times=2)
    quick, arrays = timed(by_unit, readings, kind, registry)
    both = np.isfinite(theirs) & np.isfinite(mine[:few])
    worst = float(np.max(np.abs(mine[:few][both] / theirs[both] - 1)))
    refused = sum(line[-1] for line in MIX if line[5] is None)
    agree = both.sum() == np.isfinite(theirs).sum() == np.isfinite(mine[:few]).sum() and worst < 1e-9
    ratio = (slow / few) / (took / options.rows)
    print(f"ours: {options.rows:,} rows, results, limits and reasons, in {took:.2f} s "
          f"({options.rows / took / 1e6:.1f} M rows/s); {refused:.0%} refused by name")  # fmt: skip
    print(
        f"pint row by row: {few:,} rows in {slow:.2f} s, results only: {slow / few * 1e6:.0f} s for a million"
    )
    print(f"pint on arrays, told which rows are alike: {quick:.2f} s for {options.rows:,} rows, results only")
    if options.harmonize:
        asked_of = by_harmonize(options.harmonize, few) / few
        print(f"harmonize-wq, temperatures only: {asked_of * 1e6:.0f} s for a million; "
              f"ours is {asked_of / (took / options.rows):.0f} times as fast")  # fmt: skip
    print(f"the numbers agree: {agree} (largest relative difference {worst:.1e})")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    print(f"{ratio:.0f} times as fast as pint row by row; aim: at least {AIM:.0f}")
    return 0 if agree and ratio >= AIM else 1


if __name__ == "__main__":
    sys.exit(main())
