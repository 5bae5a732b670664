"""Reads places: degrees, DMS, UTM, projected coordinates, geopoints, WKT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd


class CrsGuess(NamedTuple):
    """A reference system that would put the points somewhere sensible."""

    crs: str  # "EPSG:21037"
    name: str  # "Arc 1960 / UTM zone 37S"
    inside: float  # share of the points inside the area (or inside the CRS's own area of use)
    example: tuple[float, float]  # longitude, latitude of the first point
    score: float


def read_points(
    x: pd.Series | None = None,
    y: pd.Series | None = None,
    *,
    text: pd.Series | None = None,
    zone: pd.Series | str | None = None,
    crs: str | pd.Series | None = None,
    area: Sequence[float] | None = None,
    decimal: str | None = None,
    ) -> pd.DataFrame:
    """Read places. x = longitude/easting, y = latitude/northing; or text = one cell with both.

    zone: UTM zone(s) ("31N", "37S"); crs: "EPSG:21037", "NAD27", "NAD83", "WGS84" (one or per row;
    None = EPSG:4326); area: W,S,E,N to tell swapped ones.
    Returns columns (index of input): longitude, latitude float64 (EPSG:4326, NaN if unreadable),
    altitude_m, horizontal_accuracy_m float64, horizontal_datum str/NA (as given),
    transformation_m float64 (accuracy of the datum shift, metres; NaN if none),
    kind ("" | "blank" | "unreadable" | "out_of_range" | "zero" | "swapped" | "outside" |
    "ambiguous_hemisphere" | "no_crs"), reason str/NA, fix str/NA.
    "outside" keeps its place; "swapped" (out of range, or inside the area only when swapped),
    "zero", "out_of_range", … have NaN.
    """
    raise NotImplementedError


def guess_crs(
    x: pd.Series, y: pd.Series, candidates: Sequence[str] = (), area: Sequence[float] | None = None
) -> list[CrsGuess]:
    """Rank reference systems for projected x/y: candidates first, then UTM zones over the area."""
    raise NotImplementedError
