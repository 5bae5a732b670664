"""Reads our own export back: what was taken out comes in the same.

What surprised us: spreadsheets. Cells that begin with ``=`` or ``+`` were written with an apostrophe
before them, and a person may have opened and saved the file in between; only that apostrophe is taken
off again, and a row whose cells no longer fit the table is quarantined with the reason.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sensors.rows import LINE, OBSERVED, QUARANTINED, Context, Outcome
from situation.observation import ARROW, CENSORING, COLUMNS, FLAT_COLUMNS, TIME


def read_own(block: pd.DataFrame, context: Context) -> Outcome:
    """Read one block of an exported ``observations.csv``.

    Parameters
    ----------
    block : DataFrame
        As :meth:`sensors.raw_table.RawTable.blocks` yields it.
    context : Context
        Gives who hands it in, for rows without a source.
    """
    rows = block.index.to_numpy("int64")
    given = block.reset_index(drop=True)
    table: dict[str, pd.Series] = {}
    wrong = np.full(len(given), None, dtype=object)
    for name in FLAT_COLUMNS:
        if name in given:
            table[name], bad = _cast(given[name], name)
            wrong = np.where(
                bad & pd.isna(wrong), f"{name} does not hold what the export wrote there.", wrong
            )
    out = pd.DataFrame(table)
    for name, column in COLUMNS.items():
        if (
            not column.empty
            and column.default is None
            and name in out
            and name not in ("retrieved_at", "source_id", "result_text")
        ):
            wrong = np.where(out[name].isna() & pd.isna(wrong), f"{name} is empty.", wrong)
    quantified = (
        out["censoring"].fillna("=").eq("=") if "censoring" in out else pd.Series(True, index=out.index)
    )
    number = out["result"].notna() if "result" in out else pd.Series(False, index=out.index)
    wrong = np.where(
        (quantified != number) & pd.isna(wrong), "result and censoring do not fit together.", wrong
    )
    for row, reason in block.attrs.get("not_readings", {}).items():
        wrong[rows == row] = f"Not a reading: {reason}."
    bad = ~pd.isna(wrong)
    out = out[~bad].reset_index(drop=True)
    out["source_id"] = out["source_id"].fillna(context.source_id) if "source_id" in out else context.source_id
    if "result_text" in out:
        out["result_text"] = out["result_text"].fillna("")
    if "retrieved_at" not in out:
        out["retrieved_at"] = context.now
    lines = pd.DataFrame({name: pd.Series([], dtype=object) for name in LINE})
    if bad.any():
        lines = pd.DataFrame(
            {
                "source_row": rows[bad],
                "column": None,
                "value": None,
                "reason": wrong[bad],
                "fix": "Take the row from the export as it was, or hand in the original file.",
                "question_id": None,
            }
        )
    states = np.where(bad, QUARANTINED, OBSERVED).astype("int8")
    return Outcome(out.drop(columns=["batch_id"], errors="ignore"), lines, states)


def _cast(cells: pd.Series, name: str) -> tuple[pd.Series, np.ndarray]:
    text = cells.str.strip()
    blank = (text == "").to_numpy()
    kind = str(ARROW.field(name).type)
    if kind in ("double", "int64"):
        number = pd.to_numeric(text.where(~blank, None), errors="coerce")
        bad = ~blank & number.isna().to_numpy()
        return (number.astype("Int64") if kind == "int64" and not bad.any() else number), bad
    if kind.startswith("timestamp"):
        moment = pd.to_datetime(text.where(~blank, None), errors="coerce", utc=True, format="ISO8601").astype(
            TIME
        )
        return moment, ~blank & moment.isna().to_numpy()
    if name not in ("censoring",):
        text = text.where(~text.str.match(r"^'[=+\-@\t]"), text.str.slice(1))
    words = COLUMNS[name].words if name in COLUMNS else ()
    bad = ~blank & ~text.isin(words).to_numpy() if words else np.zeros(len(text), dtype=bool)
    if name == "censoring":
        bad = ~text.isin(CENSORING).to_numpy()
    return text.where(~blank, None), bad
