"""Text that a spreadsheet will open: a cell that looks like a formula must not become one.

Excel, LibreOffice and Google Sheets compute a cell that begins with ``=``, ``+``, ``-`` or ``@``, even
in a CSV file. Somebody's site name could then send the file's other cells to an address of theirs. Such
a cell gets a leading apostrophe, which our own reader takes off again (:func:`plain_cell`). So does one that
begins with apostrophes before such a sign, or the reader could not tell whose apostrophe it is.

What surprised us: the rule must spare numbers (``-3.2`` is a result, not a formula) and closed
vocabularies (``censoring`` is literally ``=``), or the file no longer says what was measured.
"""

from __future__ import annotations

import re
from collections.abc import Container

import pandas as pd
import pyarrow as pa
import pyarrow.compute as compute

from situation.observation import COLUMNS

#: Columns whose words come from us, so that no stranger can put a formula there.
CLOSED = frozenset(name for name, column in COLUMNS.items() if column.words)

_FORMULA = re.compile(r"^'*[=+\-@\t\r\n\x00]")
#: What :func:`safe_cell` made, as a pattern that Arrow understands too.
GUARDED = r"^'('*[=+\-@\t\r\n\x00])"
_NUMBER = re.compile(r"^[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?$")


def safe_cell(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would compute.

    Examples
    --------
    >>> safe_cell("=1+1"), safe_cell("Well 3"), safe_cell("-3.2")
    ("'=1+1", 'Well 3', '-3.2')
    """
    return "'" + text if _FORMULA.match(text) and not _NUMBER.match(text) else text


def plain_cell(text: str) -> str:
    """Take off again what :func:`safe_cell` put on.

    Examples
    --------
    >>> plain_cell("'=1+1"), plain_cell("'quoted'"), plain_cell(safe_cell("'=1"))
    ('=1+1', "'quoted'", "'=1")
    """
    return re.sub(GUARDED, r"\1", text)


def safe_cells(table: pd.DataFrame, closed: Container[str] = CLOSED) -> pd.DataFrame:
    """Make every free-text cell of a table safe to open in a spreadsheet.

    Parameters
    ----------
    table : DataFrame
        Any table; only its columns of text change.
    closed : container of str
        Columns of a closed vocabulary of ours, left as they are.

    Returns
    -------
    DataFrame
        A copy; headers are made safe as well.
    """
    out = table.copy()
    for name in table.columns:
        if name in closed or not _is_text(table[name]):
            continue
        risky = table[name].str.match(_FORMULA, na=False)
        if risky.any():
            out.loc[risky, name] = table.loc[risky, name].map(safe_cell)
    return out.rename(columns=lambda name: safe_cell(str(name)))


def _is_text(column: pd.Series) -> bool:
    return bool(pd.api.types.is_string_dtype(column) or column.map(type).eq(str).any())


def safe_arrow(
    table: pa.Table | pa.RecordBatch, closed: Container[str] = CLOSED
) -> pa.Table | pa.RecordBatch:
    """Do what :func:`safe_cells` does to the cells of an Arrow table, a million of them in a blink."""
    columns = []
    for field, column in zip(table.schema, table.columns, strict=True):
        if pa.types.is_string(field.type) and field.name not in closed:
            formula = compute.match_substring_regex(column, _FORMULA.pattern)
            number = compute.match_substring_regex(column, _NUMBER.pattern)
            risky = compute.and_not(formula, number)
            if compute.any(risky).as_py():
                quoted = compute.binary_join_element_wise("'", column, "")
                column = compute.if_else(risky, quoted, column)
        columns.append(column)
    return type(table).from_arrays(columns, schema=table.schema)
