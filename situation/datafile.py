"""Reading the small CSV files under ``data/``, with a sentence that names the row when one is wrong.

What surprised us: spreadsheet programs save these files with a byte order mark, with semicolons in
half of Europe, and with empty lines at the end; a chemist's correction must survive all three.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

from situation.errors import DataFileError


def rows(path: Path, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """Read a table of text cells.

    Parameters
    ----------
    path : Path
        A CSV file in UTF-8 with a header line; separated by commas or semicolons.
    columns : sequence of str
        Columns that must be there; others are kept too.

    Returns
    -------
    list of (int, dict)
        The number of the line that the row ends on, counted from 1 with the header line, and its
        cells, stripped.

    Raises
    ------
    DataFileError
        If the file cannot be read, or a column is missing, or a row has too many cells.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as wrong:
        raise DataFileError(f"{path.name} cannot be read as UTF-8 text: {wrong}.") from wrong
    first = text.split("\n", 1)[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if first.count(";") > first.count(",") else ",")
    missing = [name for name in columns if name not in (reader.fieldnames or [])]
    if missing:
        raise DataFileError(f"{path.name} has no column {', '.join(missing)}; it needs {', '.join(columns)}.")
    found = []
    for row in reader:
        if None in row:
            raise DataFileError(f"{path.name}, row {reader.line_num}: more cells than the header line has.")
        cells = {name: (cell or "").strip() for name, cell in row.items()}
        if any(cells.values()):
            found.append((reader.line_num, cells))
    return found


def number(path: Path, row: int, name: str, text: str) -> float | None:
    """Read a number from a cell, or None from an empty one; decimal points only.

    Raises
    ------
    DataFileError
        If the cell holds something else, naming file, row and column.
    """
    if not text:
        return None
    try:
        value = float(text)
        if not math.isfinite(value):
            raise ValueError("not finite")
        return value
    except ValueError as wrong:
        raise DataFileError(
            f"{path.name}, row {row}: {name} is {text!r}; it takes a number with a decimal point, e.g. 0.5."
        ) from wrong
