"""The rows of somebody's file that need help, as a file of the same shape with the reasons beside them.

A volunteer opens it, corrects the cells, and hands it in again. It has the columns of the file it came
from (those that may be shown: personal ones were dropped by the reader) and three more at the end.
"""

from __future__ import annotations

import pandas as pd

from situation.table_file import csv_bytes, xlsx_bytes

#: The reader's own columns of the quarantine; all others are cells of the file.
OWN = ("source_row", "column", "value", "reason", "fix", "question_id")
ROW, WRONG, RIGHT = "row_in_file", "what_is_wrong", "what_would_be_right"


def rows_to_help(quarantine: pd.DataFrame) -> pd.DataFrame:
    """Fold the quarantine (one row per unusable cell) to one row per row of the file.

    Parameters
    ----------
    quarantine : DataFrame
        Columns :data:`OWN`, then the original cells, once per unusable cell.

    Returns
    -------
    DataFrame
        The original cells, then :data:`ROW`, :data:`WRONG` and :data:`RIGHT`, in the order of the file.

    >>> cells = {"source_row": [4, 4], "column": ["pH", "date"], "value": ["71", "soon"],
    ...          "reason": ["too high", "not a date"], "fix": ["0 to 14", "2026-03-04"], "Well": ["A", "A"]}
    >>> print(rows_to_help(pd.DataFrame(cells)).to_csv(index=False))
    Well,row_in_file,what_is_wrong,what_would_be_right
    A,4,pH: too high; date: not a date,pH: 0 to 14; date: 2026-03-04
    """
    if not len(quarantine):
        return pd.DataFrame(columns=[ROW, WRONG, RIGHT])
    rows = quarantine["source_row"]
    first = ~rows.duplicated()
    cells = quarantine.loc[first, [name for name in quarantine.columns if name not in OWN]]
    cells.index = pd.Index(rows[first])
    told = pd.DataFrame(
        {
            WRONG: _joined(quarantine, "reason"),
            RIGHT: _joined(quarantine, "fix"),
        }
    )
    out = cells.join(told).sort_index()
    out.insert(len(out.columns) - 2, ROW, out.index)
    return out.reset_index(drop=True)


def _joined(quarantine: pd.DataFrame, name: str) -> pd.Series:
    column = quarantine["column"].fillna("").astype("str")
    text = quarantine[name].fillna("").astype("str")
    said = column.where(column.eq(""), column + ": ") + text
    said = said.where(text.ne(""), "")
    return said.groupby(quarantine["source_row"]).agg(
        lambda parts: "; ".join(filter(None, dict.fromkeys(parts)))
    )


def help_csv(rows: pd.DataFrame) -> bytes:
    """Write :func:`rows_to_help` as CSV."""
    return csv_bytes(rows)


def help_xlsx(rows: pd.DataFrame) -> bytes:
    """Write :func:`rows_to_help` as a workbook."""
    return xlsx_bytes({"rows to correct": rows})
