"""Reads dates and times as people and programs write them."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd


def date_order(values: pd.Series) -> str:
    """'dmy' | 'mdy' | 'ymd' (nothing to decide: ISO, month names, years) | 'ambiguous' | 'mixed' (both seen)."""
    raise NotImplementedError


def read_times(
    dates: pd.Series,
    times: pd.Series | None = None,
    zones: pd.Series | str | None = None,
    *,
    order: str | None = None,
    default_zone: str = "UTC",
    months: Mapping[str, int] | None = None,
    epoch_1904: bool = False,
    now: pd.Timestamp | None = None,
) -> pd.DataFrame:
    """Read dates (and times) to UTC.

    order: 'dmy' | 'mdy' | 'ymd' | None (None: "04/03/2026" gets kind "ambiguous_date" and no time).
    months: casefolded month name -> 1..12, laid over the built-in ones.
    Returns columns (index of *dates*): phenomenon_time datetime64[us, UTC] (NaT if unreadable),
    phenomenon_time_precision, time_zone_source ('given' | 'assumed'; NA if unreadable),
    kind ("" | "blank" | "unreadable" | "ambiguous_date" | "future" | "too_old" | "dst_gap" |
    "dst_twice" | "serial" | "unknown_zone"), reason str/NA, fix str/NA.
    future/too_old/unreadable/ambiguous_date: NaT?  No: future and too_old keep their time.
    """
    raise NotImplementedError
