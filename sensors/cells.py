"""Reads result cells: numbers, limits, words, and what is none of these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

#: word (casefolded, inner spaces single) -> detection_condition; see observation.py
ND_WORDS: Mapping[str, str] = {"nd": "below_detection"}


def read_results(
    values: pd.Series, *, decimal: str | None = None, nd_words: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Read result cells.

    decimal: "point" | "comma" | None (None: each cell by itself; "1,234" then has a reason and no number).
    nd_words: casefolded word -> kind, one of "below_detection", "below_quantification", "trace",
    "above" (TNTC), "missing" (NA, -), "present", "absent"; laid over the built-in English list.

    Returns columns (index of *values*): result float64; censoring ('=', '<', '>', 'text', 'missing');
    detection_limit float64 (NaN when none in the cell); detection_condition str/NA;
    result_uncertainty float64; result_status ("estimated" for E, "suspect" for sentinels, else NA);
    unit_in_cell str/NA (unit written behind the number, verbatim); qualifier str/NA;
    kind: "" | "sentinel" | "ambiguous_decimal" | "nd_without_limit" | "blank" | "text" | "impossible";
    reason str/NA, fix str/NA (why a cell cannot be used as it is, and what would be right).
    """
    raise NotImplementedError


def decimal_style(values: pd.Series) -> str:
    """'point' | 'comma' | 'either' (no mark seen) | 'ambiguous' ("1,234" alone) | 'mixed'."""
    raise NotImplementedError


class Constant(NamedTuple):
    """A number that repeats so oddly that it may be a hidden limit."""

    value: float
    text: str
    count: int
    share: float
    why: str


def repeated_constant(values: pd.Series) -> list[Constant]:
    """Candidates for hidden limits (values: result cells of ONE column or property, text or float)."""
    raise NotImplementedError
