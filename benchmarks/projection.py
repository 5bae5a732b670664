"""Was the future where the projection said? The last 30 % of long series are hidden and then looked at.

    python benchmarks/projection.py [--hidden 0.3] [--confidence 0.9]

Reads ``../shared/samples/groundwater/usgs_inl_samples_subset.csv`` (US Geological Survey, public domain:
wells of the Idaho National Laboratory, sampled since 1949). A long series is a well and substance with at least
30 samples over at least 10 years. The line and its fan are made from the first 70 % of the readings;
counted is how many of the hidden ones lie in the stated prediction interval, at once and ever later, and
what became of the crossings of the US EPA's drinking-water limits. The limits stand here because only
their crossing counts, not their rightness.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from situation.projection import fan_at, project  # noqa: E402
from situation.standard import Limit  # noqa: E402
from situation.trend import decimal_years, from_decimal_years, trends  # noqa: E402

FILE = ROOT.parent / "shared" / "samples" / "groundwater" / "usgs_inl_samples_subset.csv"
#: Maximum contaminant levels (40 CFR 141), in the units of the file; by USGS parameter code.
LIMITS = {
    "01030": (100.0, "ug/L", "chromium"),
    "00631": (10.0, "mg/L", "nitrate_nitrite"),
    "00618": (10.0, "mg/L", "nitrate"),
    "13501": (8.0, "pCi/L", "strontium_90"),
    "32102": (5.0, "ug/L", "tetrachloromethane"),
    "39180": (5.0, "ug/L", "trichloroethene"),
    "07000": (20_000.0, "pCi/L", "tritium"),
}
AT_LEAST, YEARS = 30, 10.0


def long_series(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the groundwater samples (no replicates) of long series, and what each series is."""
    raw = pd.read_csv(path, dtype="str")
    raw = raw[(raw["medium_cd"] == "WG") & (raw["sample_type_cd"] == "9")]
    table = pd.DataFrame(
        {
            "well": raw["site_no"],
            "code": raw["pcode"],
            "time": pd.to_datetime(raw["sample_dt"], utc=True, errors="coerce").astype("datetime64[us, UTC]"),
            "value": pd.to_numeric(raw["result_va"], errors="coerce"),
            "censoring": raw["remark_cd"].where(raw["remark_cd"] == "<", "="),
        }
    ).dropna(subset=["time", "value"])
    group = table.groupby(["well", "code"])["time"]
    span = (group.transform("max") - group.transform("min")).dt.days / 365.25
    table = table[(group.transform("size") >= AT_LEAST) & (span >= YEARS)].copy()
    table["series"] = table.groupby(["well", "code"]).ngroup()
    table = table.sort_values(["series", "time"], ignore_index=True)
    about = table.groupby("series")[["well", "code"]].first()
    return table[["series", "time", "value", "censoring"]], about


def limit_of(code: str) -> Limit:
    """Make the limit that stands in the table above."""
    value, unit, name = LIMITS[code]
    return Limit(
        name, value, unit, None, None, "health", "above", None, None, None, None,
        "40 CFR 141", "https://www.ecfr.gov/current/title-40/part-141", False, "", 0,
    )  # fmt: skip


def _inside(held: pd.DataFrame, found: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Say which hidden readings lie in the interval for sure, and which may."""
    low, high, value = found["reading_low"], found["reading_high"], held["value"].to_numpy()
    less = (held["censoring"] == "<").to_numpy()
    number = ~less & (value >= low) & (value <= high)
    # A "<" lies somewhere from zero to its limit.
    sure = less & (low <= 0) & (value <= high)
    maybe = less & (value >= low)
    return number | sure, number | maybe


def main() -> None:
    """Hide, project, look, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--hidden", type=float, default=0.3)
    parser.add_argument("--confidence", type=float, default=0.9)
    options = parser.parse_args()
    if not FILE.exists():
        print(f"Nothing was tested: {FILE.name} is not in ../shared/samples/groundwater.")
        return
    table, about = long_series(FILE)
    begun = time.perf_counter()
    n = table.groupby("series")["value"].transform("size").to_numpy()
    place = table.groupby("series").cumcount().to_numpy()
    seen = place < np.ceil(n * (1 - options.hidden))
    shown, hidden = table[seen], table[~seen]
    rows = trends(shown, confidence=0.95)
    usable = rows.index[rows["trend"] != "not enough readings"]
    print(
        f"{len(about)} long series, {len(table):,} readings; {len(hidden):,} hidden; "
        f"{len(usable)} have a line from what is shown"
    )
    for word, count in rows["trend"].value_counts().items():
        print(f"  {word}: {count}")
    parts: list[pd.DataFrame] = []
    for series in usable:
        held = hidden[hidden["series"] == series]
        t = decimal_years(held["time"])
        one = shown[shown["series"] == series]
        found = fan_at(one, rows.loc[series], t, options.confidence)
        sure, maybe = _inside(held, found)
        ahead = t - decimal_years([one["time"].iloc[-1]])[0]
        span = float(rows.loc[series, "years"])
        parts.append(
            pd.DataFrame(
                {"series": series, "code": about.loc[series, "code"], "sure": sure, "maybe": maybe,
                 "years": ahead, "share": ahead / span, "trend": rows.loc[series, "trend"]}
            )
        )  # fmt: skip
    told = pd.concat(parts, ignore_index=True)
    print(f"\nHidden readings in the {options.confidence:.0%} interval of a single reading")
    print(f"{'':<34} {'readings':>8} {'for sure':>9} {'at most':>8}")
    _line("all", told)
    for low, high in ((0, 2), (2, 5), (5, 10), (10, 99)):
        _line(f"{low} to {high} years ahead", told[(told["years"] >= low) & (told["years"] < high)])
    for trend, some in told.groupby("trend"):
        _line(f"line {trend}", some)
    for code, some in told.groupby("code"):
        _line(LIMITS[str(code)][2], some)
    each = told.groupby("series")["sure"].mean()
    print(
        f"median over series {each.median():.0%}; one series in four has less than {each.quantile(0.25):.0%}"
    )
    _crossings(rows, usable, about, shown, hidden)
    print(f"\n{time.perf_counter() - begun:.1f} s")


def _line(name: str, some: pd.DataFrame) -> None:
    if len(some):
        print(f"{name:<34} {len(some):>8,} {some['sure'].mean():>9.1%} {some['maybe'].mean():>8.1%}")


def _crossings(
    rows: pd.DataFrame, usable: pd.Index, about: pd.DataFrame, shown: pd.DataFrame, hidden: pd.DataFrame
) -> None:
    """Print what was said of crossings at the last reading shown, and what came."""
    print("\nCrossings of the limit, as said at the last reading shown; horizon: the last hidden reading")
    print("(really crossed: more than half of the later half of the hidden readings lie beyond)")
    outcomes: list[tuple[str, bool, str]] = []
    for series in usable:
        code = str(about.loc[series, "code"])
        limit = limit_of(code)
        held, last = hidden[hidden["series"] == series], shown[shown["series"] == series]["time"].iloc[-1]
        t = decimal_years(held["time"])
        horizon = float(t[-1] - decimal_years([last])[0])
        if horizon <= 0:
            continue
        said = project(rows.loc[[series]], limit, now=last, horizon_years=horizon).iloc[0]
        later = held.iloc[len(held) // 2 :]
        beyond = (later["censoring"] == "=") & (later["value"] > float(limit.value or 0))
        crossed = bool(beyond.mean() > 0.5)
        detail = ""
        if crossed != (said["crossing"] in ("crossed already", "crossing expected")) or (
            said["crossing"] == "crossing expected"
        ):
            held_over = held[(held["censoring"] == "=") & (held["value"] > float(limit.value or 0))]
            first = held_over["time"].iloc[0].strftime("%Y-%m") if len(held_over) else "never"
            detail = (
                f"{about.loc[series, 'well']} {LIMITS[code][2]}: {said['said']} "
                f"First hidden reading beyond: {first}; the hidden ones end {from_decimal_years(t[-1])[0]:%Y-%m}."
            )
        outcomes.append((str(said["crossing"]), crossed, detail))
    counted = pd.DataFrame(outcomes, columns=["said", "crossed", "detail"])
    print(f"{'said':<24} {'series':>7} {'really beyond later':>20}")
    for said, some in counted.groupby("said"):
        print(f"{said:<24} {len(some):>7} {int(some['crossed'].sum()):>20}")
    details = [text for text in counted["detail"] if text]
    print(f"\nWhat was expected, missed or came back ({len(details)}):")
    for text in details[:25]:
        print(f"  {text}")


if __name__ == "__main__":
    main()
