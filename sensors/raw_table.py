"""Opens a field file as plain rows of text: which bytes, which letters, which cells, which line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from situation.settings import Settings


class SecondRow(NamedTuple):
    """A row right under the header that describes columns: ``hxl``, ``units`` or ``empty``."""

    line: int
    kind: str
    cells: list[str]


@dataclass
class RawTable:
    """A table as it stands in a file: text cells under a header, nothing interpreted."""

    path: Path
    columns: list[str]  # unique, cleaned; a second "Nitrate (ppm)" is "Nitrate (ppm) (2)", a nameless one "column 7"
    names: list[str]  # as written in the file, same length (repeats kept)
    header_row: int  # 1-based line of the file (row of the sheet)
    encoding: str | None  # None for workbooks
    delimiter: str | None  # None for workbooks
    sheet: str | None
    sheets: list[str]
    kind: str  # "csv" | "xlsx" | "xls" | "ods" | ...
    preamble: list[tuple[int, str]]  # non-blank lines over the header
    preamble_cells: list[tuple[int, list[str]]]  # the same, cut into cells (aligned with columns)
    second_rows: list[SecondRow]
    warnings: list[str]
    sha256: str
    size: int  # bytes
    unread: dict[str, int] = field(default_factory=dict)  # sheets that were not read -> their rows

    def blocks(self, size: int = 100_000) -> Iterator[pd.DataFrame]:
        """Yield every row under the header, in order, blank ones and second rows included.

        Each block: str columns named as :attr:`columns`, missing = "", index `source_row`
        (1-based line of the file where the record begins / row of the sheet).
        ``block.attrs["not_readings"]``: dict line -> reason ("blank line", "HXL tags", "units",
        "header repeated"); those rows are IN the block (so that sums are right) and are to be
        quarantined. ``block.attrs["surplus"]``: dict line -> cells beyond the last column.
        """
        raise NotImplementedError

    def read(self) -> pd.DataFrame:
        """All blocks in one table (attrs merged)."""
        raise NotImplementedError


def open_table(
    path: Path | str,
    settings: Settings,
    *,
    sheet: str | None = None,
    header_score: Callable[[list[str]], float] | None = None,
) -> RawTable:
    """Open a field file; ``header_score(cells)``: how many of the cells are known column names, 0 … 1."""
    raise NotImplementedError
