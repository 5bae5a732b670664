"""Reads our own export back: what was taken out comes in the same.

What surprised us: spreadsheets. Cells that begin with ``=`` or ``+`` were written with an apostrophe
before them, and a person may have opened and saved the file in between; that apostrophe is off before a
block comes here (:mod:`sensors.raw_table`), and a row whose cells no longer fit the table is quarantined with
the reason.

And the readings of a household's well all bear the same id, ``withheld``, which would make one reading of them
in a store: :func:`with_ids` gives each an id of its own, made from what everybody may see of it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.parquet as pq

from sensors.rows import LINE, OBSERVED, QUARANTINED, Context, Outcome
from situation.observation import ARROW, CENSORING, COLUMNS, CONTENT, FLAT_COLUMNS, NATURAL_KEY, TIME


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
    kind = str(ARROW.field(name).type)
    words = COLUMNS[name].words if name in COLUMNS else ()
    text = cells.str.strip() if words or kind != "string" else cells
    blank = (text == "").to_numpy()
    if kind in ("double", "int64"):
        number = _numbers(text.where(~blank, None))
        bad = ~blank & number.isna().to_numpy()
        return (number.astype("Int64") if kind == "int64" and not bad.any() else number), bad
    if kind.startswith("timestamp"):
        moment = pd.to_datetime(text.where(~blank, None), errors="coerce", utc=True, format="ISO8601").astype(
            TIME
        )
        return moment, ~blank & moment.isna().to_numpy()
    bad = ~blank & ~text.isin(words).to_numpy() if words else np.zeros(len(text), dtype=bool)
    if name == "censoring":
        bad = ~text.isin(CENSORING).to_numpy()
    return text.where(~blank, None), bad


def _numbers(text: pd.Series) -> pd.Series:
    """Read numbers to the last digit, where that is possible; pandas' own way is off by one in it."""
    try:
        exact = pa.array(text, pa.large_string(), from_pandas=True).cast(pa.float64())
    except pa.ArrowInvalid:
        return pd.to_numeric(text, errors="coerce")
    return pd.Series(exact.to_numpy(zero_copy_only=False), index=text.index)


# ---- what was withheld ---------------------------------------------------------------------------

WITHHELD = "withheld"
_TELLING = tuple(name for name in dict.fromkeys((*NATURAL_KEY, *CONTENT)) if name in FLAT_COLUMNS)


def with_ids(observations: Path) -> Path:
    """Give each reading whose id was withheld one of its own, or a store would take all of them for one.

    The id is a hash of what the export shows of the reading, and of how many like it came before: the same
    package twice gives the same ids. A value that its owner corrects comes as a reading beside the old one,
    for nothing in an export says which of the wells in a cell it is from.

    Parameters
    ----------
    observations : Path
        A Parquet file of the schema :data:`situation.observation.ARROW`.

    Returns
    -------
    Path
        The same file if nothing was withheld in it; otherwise one beside it.
    """
    source = pq.ParquetFile(observations)
    parts = source.iter_batches(columns=["observation_id"])
    if not any(compute.any(compute.equal(part.column(0), WITHHELD)).as_py() for part in parts):
        return observations
    named, seen = observations.with_name("named.parquet"), Counter[bytes]()
    with pq.ParquetWriter(named, source.schema_arrow) as target:
        for part in source.iter_batches():
            target.write_batch(_named(part, seen))
    return named


def _named(part: pa.RecordBatch, seen: Counter[bytes]) -> pa.RecordBatch:
    hidden = compute.equal(part.column("observation_id"), WITHHELD)
    ids = iter(_ids(part.filter(hidden).select(_TELLING), seen))
    old = part.column("observation_id").to_pylist()
    new = [next(ids) if mine else name for mine, name in zip(hidden.to_pylist(), old, strict=True)]
    return part.set_column(part.schema.names.index("observation_id"), "observation_id", pa.array(new))


def _ids(part: pa.RecordBatch, seen: Counter[bytes]) -> list[str]:
    made = []
    for row in zip(*(column.to_pylist() for column in part.columns), strict=True):
        told = hashlib.sha1(repr(row).encode(), usedforsecurity=False)
        key = told.digest()
        seen[key] += 1
        told.update(str(seen[key]).encode())
        made.append(told.hexdigest())
    return made
