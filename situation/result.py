"""How one result is written for people: with its sign, its unit as people write it, and its form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from situation.unit import shown


def slope(value: float) -> str:
    """Write a slope with its sign, to three figures, as pages and pictures do.

    >>> slope(0.08443), slope(-11034.0), slope(0.0)
    ('+0.0844', '-11,000', '0')
    """
    if pd.isna(value):
        return "?"
    if abs(value) < 1000:
        return f"{value:+.3g}" if value else "0"
    return f"{float(f'{value:.3g}'):+,.0f}"


def words(table: pd.DataFrame) -> pd.Series:
    """Write each result as people do: ``12.3 mg/L as N``, ``< 0.5 mg/L``, ``not detected``.

    Parameters
    ----------
    table : DataFrame
        Columns ``result``, ``censoring``, ``detection_limit``, ``unit``, ``method_speciation``,
        ``result_text``.
    """
    return pd.Series(
        [_word(row) for row in table[list(_WORDS)].to_dict("records")], index=table.index, dtype="str"
    )


_WORDS = ("result", "censoring", "detection_limit", "unit", "method_speciation", "result_text")


def _word(row: Mapping[Any, Any]) -> str:
    sign = row["censoring"]
    number = row["result"] if sign == "=" else row["detection_limit"]
    if number is None or number != number:
        return str(row["result_text"] or "")[:60]
    told = f"{number:.4g}" if abs(number) < 10_000 else f"{number:,.0f}"
    said = (row["unit"], row["method_speciation"])
    unit = " ".join(word for word in (shown(str(part)) for part in said if part and part == part) if word)
    return " ".join(part for part in ("" if sign == "=" else sign, told, unit) if part)
