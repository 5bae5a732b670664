"""Checks of place, time and depth when readings arrive: what to ask, and what to flag.

A check never drops a reading and never changes a number. What would change a place is a question for a
person; what is merely odd is flagged (QARTOD: 3 suspect, 4 fail) with a reason.

What surprised us: most of the sites that "lie in the sea off Ghana" have no GPS fix (0, 0), and most of
those on another continent have latitude and longitude the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from situation.topic import Box, Topic

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]
#: How far outside of its area, in parts of its width, a topic's site may be before it is asked about.
MARGIN = 0.1
_FUTURE = pd.Timedelta(days=1)  # a day, for clocks and time zones


@dataclass(frozen=True)
class Check:
    """One kind of finding: a question to a person, or a flag that stays with the reading."""

    key: str
    kind: str  # "question" or "flag"
    flag: int  # QARTOD
    reason: str
    fix: str


CHECKS = {
    check.key: check
    for check in (
        Check("no_place", "flag", 9, "there are no coordinates", "add latitude and longitude, in degrees"),
        Check("null_island", "flag", 4, "latitude and longitude are 0, 0: no GPS fix", "add the real position"),
        Check("impossible_place", "flag", 4, "latitude or longitude is beyond the globe",
              "give degrees: latitude -90 to 90, longitude -180 to 180"),
        Check("swapped", "question", 3, "the place is inside the topic's area only if latitude and longitude are swapped",
              "swap them, or correct the position"),
        Check("sign", "question", 3, "the place is inside the topic's area only with the other sign",
              "check north or south, east or west"),
        Check("outside", "question", 3, "the place is outside of the topic's area", "correct it, or confirm that it is meant"),
        Check("future", "flag", 4, "the date lies in the future", "correct the date"),
        Check("long_ago", "flag", 3, "the date is before 1900", "correct the date"),
        Check("no_time", "flag", 9, "there is no date", "add the day of the sample"),
        Check("above_ground", "flag", 3, "the depth is negative; depth is counted downwards", "write the depth as a positive number"),
    )
}  # fmt: skip


def check(table: pd.DataFrame, topic: Topic | None, now: pd.Timestamp) -> pd.DataFrame:
    """Find what is odd about place, time and depth.

    Parameters
    ----------
    table : DataFrame
        Flat form: ``longitude``, ``latitude`` (degrees, EPSG:4326), ``phenomenon_time`` (UTC) and
        ``depth_m`` (metres below ground), each if it is there.
    topic : Topic or None
        Whose area is meant; without one, places are only checked against the globe.
    now : Timestamp
        UTC.

    Returns
    -------
    DataFrame
        One row per finding: ``row`` (label in *table*), ``check``, ``kind`` (question, flag), ``flag``,
        ``reason``, ``fix``; at most one finding about the place of a row.
    """
    found: list[tuple[Check, Flags]] = []
    if "longitude" in table and "latitude" in table:
        lon, lat = (table[name].to_numpy("float64") for name in ("longitude", "latitude"))
        found += _places(lon, lat, topic.area if topic else None)
    if "phenomenon_time" in table:
        found += _times(table["phenomenon_time"], now)
    if "depth_m" in table:
        with np.errstate(invalid="ignore"):
            found.append((CHECKS["above_ground"], table["depth_m"].to_numpy("float64") < 0))
    parts = [
        pd.DataFrame(
            {
                "row": table.index[rows],
                "check": c.key,
                "kind": c.kind,
                "flag": c.flag,
                "reason": c.reason,
                "fix": c.fix,
            }
        )
        for c, rows in found
        if rows.any()
    ]
    columns = ["row", "check", "kind", "flag", "reason", "fix"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def place_checks(lon: Numbers, lat: Numbers, area: Box) -> list[tuple[str, Flags]]:
    """Find which places are odd: the key of each check with the rows it holds for (degrees, EPSG:4326)."""
    return [(check.key, rows) for check, rows in _places(lon, lat, area)]


def _places(lon: Numbers, lat: Numbers, area: Box | None) -> list[tuple[Check, Flags]]:
    known = np.isfinite(lon) & np.isfinite(lat)
    null = known & (np.abs(lon) < 1e-6) & (np.abs(lat) < 1e-6)
    globe = known & (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
    swapped = known & ~null & (_inside(lat, lon, area) if area else np.zeros(len(lon), bool))
    out = [("no_place", ~known), ("null_island", null)]
    if area is None:
        return [(CHECKS[key], rows) for key, rows in [*out, ("impossible_place", known & ~globe)]]
    fine = null | ~known | _inside(lon, lat, area)
    swapped &= ~fine
    sign = (
        ~fine & ~swapped & (_inside(-lon, lat, area) | _inside(lon, -lat, area) | _inside(-lon, -lat, area))
    )
    impossible = known & ~globe & ~swapped
    outside = ~fine & ~swapped & ~sign & ~impossible
    out += [("swapped", swapped), ("sign", sign), ("impossible_place", impossible), ("outside", outside)]
    return [(CHECKS[key], rows) for key, rows in out]


def _inside(lon: Numbers, lat: Numbers, area: Box) -> Flags:
    west, south, east, north = area
    wide, high = MARGIN * (east - west), MARGIN * (north - south)
    with np.errstate(invalid="ignore"):
        return (lon >= west - wide) & (lon <= east + wide) & (lat >= south - high) & (lat <= north + high)


def _times(time: pd.Series, now: pd.Timestamp) -> list[tuple[Check, Flags]]:
    return [
        (CHECKS["no_time"], time.isna().to_numpy()),
        (CHECKS["future"], (time > now + _FUTURE).to_numpy(dtype=bool, na_value=False)),
        (
            CHECKS["long_ago"],
            (time < pd.Timestamp("1900-01-01", tz="UTC")).to_numpy(dtype=bool, na_value=False),
        ),
    ]
