"""Opens a field file as plain rows of text: which bytes, which letters, which cells, which line.

Nothing is interpreted here and nothing is lost: every row under the header comes out, blank ones too,
under the number that a spreadsheet or an editor shows beside it. What had to be assumed is said in
``warnings``; what cannot be read at all is one sentence (:class:`~situation.errors.FieldFileError`).

A text file passes in chunks. A chunk in which every line is one record goes through Arrow's reader (a
million rows in a second or two); one with line ends inside quoted cells goes through Python's ``csv``,
which counts lines as it reads. Both follow the same grammar, so the cells are the same.

What surprised us: one quotation mark too many swallows everything up to the next one. A record that
spans lines is therefore believed only if it is proper CSV with the number of cells the header has;
otherwise its first line is read alone, the mark kept as a letter, and the rest read again.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from sensors import encoding, own_package, workbook
from sensors.encoding import Letters, Snapshot
from sensors.header import Header, HeaderScore, Row, SecondRow, find_header, unique
from situation.errors import FieldFileError, FileTooLarge
from situation.settings import Settings
from situation.spreadsheet import GUARDED

__all__ = ["RawTable", "SecondRow", "open_table"]

DELIMITERS = (",", ";", "\t", "|")
MAX_CELL = 100_000  # letters; a spreadsheet's cell holds 32,767
MAX_LINE = 8_000_000  # bytes
MAX_ROWS = 50_000_000
SAMPLE_ROWS = 200
SAMPLE_BYTES = 1 << 19
TEXT_CHUNK = 1 << 23

_SEP = re.compile(r"^\"?sep=(.)\"?$", re.I)


@dataclass
class RawTable:
    """A table as it stands in a file: text cells under a header, nothing interpreted.

    ``columns`` are unique and cleaned (a second "Nitrate (ppm)" is "Nitrate (ppm) (2)", a nameless
    fifth "column 5"), ``names`` the same as written; ``header_row`` is a line of the file or a row
    of the sheet counted from 1, and 0 where there is no header; ``preamble`` and
    ``preamble_cells`` are the non-blank lines over it. ``unread`` are sheets that were not read,
    with their rows.
    """

    path: Path
    columns: list[str]
    names: list[str]
    header_row: int
    encoding: str | None  # None for workbooks
    delimiter: str | None  # None for workbooks
    sheet: str | None
    sheets: list[str]
    kind: str  # csv, xlsx, xls, ods
    preamble: list[tuple[int, str]]
    preamble_cells: list[tuple[int, list[str]]]
    second_rows: list[SecondRow]
    warnings: list[str]
    sha256: str
    size: int  # bytes
    unread: dict[str, int] = field(default_factory=dict)
    not_readings: dict[int, str] = field(default_factory=dict)  # lines known as such from the start
    source: Any = field(default=None, repr=False)

    def blocks(self, size: int = 100_000) -> Iterator[pd.DataFrame]:
        """Yield every row under the header in order, blank ones and second rows included.

        Parameters
        ----------
        size : int
            Rows in a block, at most.

        Yields
        ------
        DataFrame
            Columns :attr:`columns` of dtype ``str``, missing = ``""``; index ``source_row``, the
            line where the record begins, or the row of the sheet, from 1. Its
            ``attrs["not_readings"]`` names rows of the block that are no readings, line -> reason
            (``blank line``, ``HXL tags``, ``units``, ``header repeated``, ``part of the header``);
            ``attrs["surplus"]`` has what stands beyond the last column, line -> cells.

        Raises
        ------
        FieldFileError
            If the file changed since it was opened, or a cell is over the limit.
        """
        rows = 0
        for block in self.source.blocks(self, size):
            rows += len(block)
            if rows > MAX_ROWS:
                raise FileTooLarge(f"{self.path.name} has more than {MAX_ROWS:,} rows; split it.")
            block.attrs["not_readings"] = self._not_readings(block)
            yield block

    def read(self) -> pd.DataFrame:
        """Read all blocks into one table."""
        blocks = list(self.blocks())
        if not blocks:
            return _frame([], self.columns)
        table = pd.concat(blocks) if len(blocks) > 1 else blocks[0]
        table.attrs = {
            key: {line: what for block in blocks for line, what in block.attrs[key].items()}
            for key in ("not_readings", "surplus")
        }
        return table

    def _not_readings(self, block: pd.DataFrame) -> dict[int, str]:
        known = {line: why for line, why in self.not_readings.items() if line in block.index}
        blank = _blank_rows(block)
        found = dict.fromkeys(block.index[blank].tolist(), "blank line")
        repeated = dict.fromkeys(block.index[_equal_rows(block, self.names)].tolist(), "header repeated")
        return dict(sorted({**found, **repeated, **known}.items()))


def open_table(
    path: Path | str,
    settings: Settings,
    *,
    sheet: str | None = None,
    header_score: HeaderScore | None = None,
) -> RawTable:
    """Open a field file and find its header; the rows are read by :meth:`RawTable.blocks`.

    Parameters
    ----------
    path : Path or str
        CSV or its relatives in any encoding; XLSX, XLS, ODS; a data package of ours, whose readings are
        read. The bytes decide, not the ending.
    settings : Settings
        For the limits: ``max_upload_mb`` and ``max_columns``.
    sheet : str, optional
        The sheet to read; otherwise the one that looks most like readings.
    header_score : callable, optional
        ``header_score(cells)``: share (0 … 1) of the cells that are known column names.

    Raises
    ------
    FieldFileError
        If it is no table with a header and at least one row; says what it is.
    FileTooLarge
        If it is over a limit.
    """
    shot = encoding.snapshot(path, settings)
    packed = own_package.readings_of(shot, settings)
    if packed is not None:
        return _open_package(packed, settings, header_score)
    kind = workbook.kind_of(shot.head(), shot)
    table = (
        _open_workbook(shot, kind, settings, sheet, header_score)
        if kind
        else _open_text(shot, settings, header_score)
    )
    if _grown(shot):
        table.warnings.append(f"The file grew while it was read; its first {shot.size:,} bytes were read.")
    return table


def _open_package(shot: own_package.Member, settings: Settings, score: HeaderScore | None) -> RawTable:
    table = _open_text(shot, settings, score)
    if own_package.promised(shot) not in (None, table.sha256):
        table.warnings.append(
            f"{shot.member} in the package is not as it was exported: its checksum is another one."
        )
    return table


def _grown(shot: Snapshot) -> bool:
    try:
        return shot.path.stat().st_size > shot.stored
    except OSError:
        return False


# --- text files ---------------------------------------------------------------------------------


def _open_text(shot: Snapshot, settings: Settings, score: HeaderScore | None) -> RawTable:
    letters = encoding.examine(shot)
    lines = list(_sample_lines(shot, letters))
    delimiter, rows = _best_delimiter(lines, shot.name, settings, score)
    if not any(any(map(str.strip, cells)) for _, cells in rows):
        raise FieldFileError(
            f"{shot.name} holds only blank lines; export it again, with a header and at least one row."
        )
    header = find_header(rows, score)
    names, body = _body(header, rows)
    _check_columns(shot.name, len(names), settings)
    warnings = [*letters.warnings, *_header_warnings(header, rows, names)]
    over = [row for row in rows[: max(header.index, 0)] if any(map(str.strip, row[1]))]
    table = RawTable(
        path=shot.path,
        columns=unique(names),
        names=names,
        header_row=rows[header.index][0] if header.index >= 0 else 0,
        encoding=_encoding_name(letters),
        delimiter=delimiter,
        sheet=None,
        sheets=[],
        kind="csv",
        preamble=[(line, lines[line - 1].rstrip("\n")) for line, _ in over],
        preamble_cells=over,
        second_rows=header.second_rows,
        warnings=warnings,
        sha256=letters.sha256,
        size=shot.size,
        not_readings=_known(header),
        source=_Text(shot, letters, delimiter, body),
    )
    if len(rows) <= header.index + 1:
        _require_rows(table)
    return table


def _encoding_name(letters: Letters) -> str:
    if letters.codec == "utf-8":
        return "utf-8-sig" if letters.bom else "utf-8"
    return letters.codec


def _known(header: Header) -> dict[int, str]:
    reasons = {"hxl": "HXL tags", "units": "units", "empty": "blank line"}
    known = dict.fromkeys(header.part_of_header, "part of the header")
    return {**known, **{row.line: reasons[row.kind] for row in header.second_rows}}


def _require_rows(table: RawTable) -> None:
    if not any(len(block) for block in table.blocks(1000)):
        raise FieldFileError(
            f"{table.path.name} has a header (row {table.header_row}) and no row under it; export it again with its readings."
        )


def _check_columns(name: str, columns: int, settings: Settings) -> None:
    if columns > settings.max_columns:
        raise FileTooLarge(
            f"{name} has {columns:,} columns; this installation takes up to {settings.max_columns:,}. "
            "Turn it so that readings run downwards, or ask the operator to raise COMMONSIGHT_MAX_COLUMNS."
        )


def _header_warnings(header: Header, rows: list[Row], names: list[str]) -> list[str]:
    said = []
    if header.index < 0:
        said.append(
            f"No header was found: row {rows[0][0]} looks like readings already; the columns are only numbered."
        )
    twice = [name for name, count in Counter(filter(None, map(str.strip, names))).items() if count > 1]
    if twice:
        said.append(f"Columns with the same name were numbered: {', '.join(twice[:5])}.")
    return said


def _body(header: Header, rows: list[Row]) -> tuple[list[str], int]:
    """Give the column names and the first line under the header."""
    under = rows[header.index + 1 :]
    first = under[0][0] if under else 1 << 62
    names = list(header.names)
    widths = Counter(_width(cells) for _, cells in under if any(map(str.strip, cells)))
    usual = max((width for width, count in widths.items() if count >= 0.5 * widths.total()), default=0)
    while len(names) > max(usual, 1) and not names[-1].strip():
        if any(len(cells) >= len(names) and cells[len(names) - 1].strip() for _, cells in under):
            break
        names.pop()
    if header.index < 0:
        usual = max(map(len, (cells for _, cells in under)), default=1)
    return names + [""] * (usual - len(names)), first


def _width(cells: list[str]) -> int:
    # Cells up to the last one that is filled.
    return next((place for place in range(len(cells), 0, -1) if cells[place - 1].strip()), 0)


def _sample_lines(shot: Snapshot, letters: Letters) -> Iterator[str]:
    text = bytearray()
    complete = True
    for chunk in encoding.utf8_chunks(shot, letters):
        text += chunk
        if len(text) > SAMPLE_BYTES and text.count(b"\n") >= 20 or len(text) > MAX_LINE:
            complete = False
            break
    if not complete and b"\n" not in text:
        raise FileTooLarge(
            f"{shot.name} has a line of more than {MAX_LINE / 1e6:.0f} MB; a table has one row in each line."
        )
    lines = bytes(text).decode("utf-8", "replace").split("\n")
    last = lines.pop()
    yield from (line + "\n" for line in lines)
    if complete and last:
        yield last


def _best_delimiter(
    lines: list[str], name: str, settings: Settings, score: HeaderScore | None
) -> tuple[str, list[Row]]:
    declared = _SEP.match(lines[0].strip()) if lines else None
    found: list[tuple[float, str, list[Row]]] = []
    wrong: FieldFileError | None = None
    for delimiter in [declared[1]] if declared else DELIMITERS:
        if delimiter != "," and not any(delimiter in line for line in lines[:SAMPLE_ROWS]):
            continue
        try:
            rows = list(islice(_records(_Lines(lines), delimiter, 0, [], name), SAMPLE_ROWS))
        except FieldFileError as error:
            wrong = error
            continue
        widest = max((len(cells) for _, cells in rows), default=0)
        if widest > 20 * settings.max_columns:
            _check_columns(name, widest, settings)
        found.append((_regular(rows, score), delimiter, rows))
    if not found:
        raise wrong or FieldFileError(
            f"{name} is empty; export it again, with a header and at least one row."
        )
    # With equal points the first of DELIMITERS.
    _, delimiter, rows = max(found, key=lambda entry: entry[0])
    return delimiter, rows


def _regular(rows: list[Row], score: HeaderScore | None) -> float:
    # How much like a table the rows are: most of them equally long, under a header that is one.
    counts = Counter(len(cells) for _, cells in rows if any(map(str.strip, cells)))
    if not counts or max(counts) == 1:
        return 0.0
    mode, times = max(counts.items(), key=lambda pair: (pair[1] if pair[0] > 1 else 0, pair[0]))
    if mode == 1:
        mode = max(counts)
    header = find_header(rows[:30], score)
    fits = header.index >= 0 and len(rows[header.index][1]) == mode
    return times / counts.total() + 0.1 * math.log2(mode) + 0.5 * fits + 0.2 * header.score


class _Lines:
    """Text lines that can be put back."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.rest = iter(lines)
        self.back: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self.back.popleft() if self.back else next(self.rest)
        self.taken.append(line)
        return line

    def put_back(self, lines: list[str]) -> None:
        self.back.extendleft(reversed(lines))


def _records(
    source: _Lines, delimiter: str, width: int, warnings: list[str], name: str, first: int = 1
) -> Iterator[Row]:
    """Cut lines into records; each with the line where it begins.

    *width* is the number of cells to expect (0: not known).
    """
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(source, delimiter=delimiter)
    line = first
    while True:
        source.taken = []
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = []
        taken = source.taken
        if len(taken) > 1 or taken[0].count('"') % 2 or (not cells and taken[0] != "\n"):
            cells = _settle(source, cells, delimiter, width, warnings, name, line)
        yield line, cells
        line += len(source.taken)


def _settle(
    source: _Lines, cells: list[str], delimiter: str, width: int, warnings: list[str], name: str, line: int
) -> list[str]:
    # A record over several lines: proper CSV of the right width, or one quotation mark too many?
    taken = source.taken
    alone = taken[0].rstrip("\n").split(delimiter)
    if cells and _proper(taken, delimiter) and (not width or len(cells) == width or len(alone) != width):
        return cells
    source.put_back(taken[1:])
    source.taken = taken[:1]
    if max(map(len, alone)) > MAX_CELL:
        raise FileTooLarge(
            f"{name}, line {line}: a cell has more than {MAX_CELL:,} letters. Is a quotation mark not closed? "
            "Correct that line, or leave the cell out."
        )
    said = sum("quotation mark" in text for text in warnings)
    if said < 20:
        more = " Further such lines are not listed." if said == 19 else ""
        warnings.append(
            f'Line {line} opens a quotation mark (") that is not closed; the mark was kept as a letter.{more}'
        )
    return alone


def _proper(taken: list[str], delimiter: str) -> bool:
    try:
        return len(list(csv.reader(taken, delimiter=delimiter, strict=True))) == 1
    except csv.Error:
        return False


class _Feed:
    """The UTF-8 text of a file, taken in whole lines."""

    def __init__(self, chunks: Iterator[bytes], name: str) -> None:
        self.chunks, self.name = chunks, name
        self.buffer, self.at, self.done = b"", 0, False
        self.ends: np.ndarray[Any, Any] = np.empty(0, "int64")  # ends of lines in the buffer
        self.next = 0  # the first of them that is not taken
        self.lengths = self.ends  # where the lines last taken end, from the start of that text

    def take(self, rows: int) -> bytes:
        """Take up to *rows* lines; empty at the end of the file."""
        if self.next >= len(self.ends):
            self._fill()
        end = self.ends[min(self.next + rows, len(self.ends)) - 1] if len(self.ends) else self.at
        text = self.buffer[self.at : end]
        self.lengths = self.ends[self.next : self.next + rows] - self.at
        self.next, self.at = min(self.next + rows, len(self.ends)), int(end)
        return text

    def give_back(self, text: bytes) -> None:
        """Put text back before what is left."""
        self._keep(text + self.buffer[self.at :])

    def lines(self) -> Iterator[str]:
        """Yield lines one by one."""
        while line := self.take(1):
            yield line.decode("utf-8", "replace")

    def _fill(self) -> None:
        parts = [self.buffer[self.at :]]
        size, ended = len(parts[0]), False
        while not self.done and (size < TEXT_CHUNK or not ended):
            chunk = next(self.chunks, None)
            if chunk is None:
                self.done = True
                break
            parts.append(chunk)
            size, ended = size + len(chunk), ended or b"\n" in chunk
            if size > TEXT_CHUNK + MAX_LINE and not ended:
                raise FileTooLarge(
                    f"{self.name} has a line of more than {MAX_LINE / 1e6:.0f} MB; a table has one row in each line."
                )
        self._keep(b"".join(parts))

    def _keep(self, text: bytes) -> None:
        self.buffer, self.at, self.next = text, 0, 0
        self.ends = np.flatnonzero(np.frombuffer(text, "uint8") == 10) + 1
        if self.done and text and not text.endswith(b"\n"):
            self.ends = np.append(self.ends, len(text))


class _Text:
    """The rows of a text file, read again from its beginning each time."""

    def __init__(self, shot: Snapshot, letters: Letters, delimiter: str, body: int) -> None:
        self.shot, self.letters, self.delimiter, self.body = shot, letters, delimiter, body

    def blocks(self, table: RawTable, size: int) -> Iterator[pd.DataFrame]:
        """Yield the rows under the header."""
        feed = _Feed(encoding.utf8_chunks(self.shot, self.letters), self.shot.name)
        line = 1
        while line < self.body and (skipped := feed.take(self.body - line)):
            line += _count_lines(skipped)
        warnings = table.warnings
        while chunk := feed.take(size):
            block = _fast(chunk, feed.lengths, line, table.columns, self.delimiter)
            if block is None:
                rows, line = self._slowly(feed, chunk, line, len(table.columns), warnings)
                block = _frame(rows, table.columns)
            else:
                line += len(block)
            yield block

    def _slowly(
        self, feed: _Feed, chunk: bytes, line: int, width: int, warnings: list[str]
    ) -> tuple[list[Row], int]:
        # The last record of the chunk may end beyond it; lines read too far go back.
        end, rows = line + _count_lines(chunk), []
        source = _Lines(chain(io.StringIO(chunk.decode("utf-8", "replace"), newline="\n"), feed.lines()))
        for at, cells in _records(source, self.delimiter, width, warnings, self.shot.name, line):
            rows.append((at, cells))
            line = at + len(source.taken)
            if line >= end:
                break
        feed.give_back("".join(source.back).encode("utf-8", "replace"))
        return rows, line


def _count_lines(text: bytes) -> int:
    return text.count(b"\n") + (not text.endswith(b"\n"))


def _fast(chunk: bytes, ends: Any, line: int, columns: list[str], delimiter: str) -> pd.DataFrame | None:
    """Read a chunk in which every line is one record; None if it is not such a chunk."""
    count = len(ends)
    if not _one_line_each(chunk, ends):
        return None
    places = [str(place) for place in range(len(columns))]
    odd: list[Any] = []

    def keep(row: Any) -> str:
        odd.append(row)
        return "skip"

    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(chunk),
            read_options=pyarrow.csv.ReadOptions(
                column_names=places, use_threads=False, block_size=max(len(chunk) + 1, 1 << 12)
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=delimiter, ignore_empty_lines=False, invalid_row_handler=keep
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(places, pa.large_string()),
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows + len(odd) != count or len(odd) > 0.2 * count + 10:
        return None
    if b"'" in chunk:
        table = _unguarded(table)
    lines = np.arange(line, line + count)
    if not odd:
        return _dressed(table, lines, columns, {})
    numbers = np.array([row.number for row in odd]) + line - 1
    rows = [
        (int(at), next(csv.reader([row.text], delimiter=delimiter), []))
        for at, row in zip(numbers, odd, strict=True)
    ]
    other = _frame(rows, columns)
    main = _dressed(table, np.setdiff1d(lines, numbers), columns, {})
    block = pd.concat([main, other]).sort_index()
    block.attrs = {"surplus": other.attrs["surplus"]}
    return block


def _one_line_each(chunk: bytes, ends: Any) -> bool:
    # Every line has an even number of quotation marks and no cell can be over the limit.
    if np.diff(ends, prepend=0).max() > MAX_CELL:
        return False
    if b'"' not in chunk:
        return True
    marks = np.flatnonzero(np.frombuffer(chunk, "uint8") == 34)
    return not (np.searchsorted(marks, ends) % 2).any()


def _unguarded(table: pa.Table) -> pa.Table:
    # The apostrophe that our own exports put before what a spreadsheet would run as a formula.
    for place, column in enumerate(table.columns):
        if pc.any(pc.match_substring_regex(column, GUARDED)).as_py():
            table = table.set_column(
                place, table.field(place), pc.replace_substring_regex(column, GUARDED, r"\1")
            )
    return table


def _dressed(table: pa.Table, lines: Any, columns: list[str], surplus: dict[int, list[str]]) -> pd.DataFrame:
    block = table.to_pandas()
    block.columns = pd.Index(columns, dtype="str")
    block.index = pd.Index(lines, name="source_row", dtype="int64")
    block.attrs["surplus"] = surplus
    return block


def _frame(rows: list[Row], columns: list[str]) -> pd.DataFrame:
    """Make a block of rows of any length."""
    width = len(columns)
    surplus = {line: cells[width:] for line, cells in rows if any(map(str.strip, cells[width:]))}
    even = [cells[:width] + [""] * (width - len(cells)) for _, cells in rows]
    across: Iterable[Any] = zip(*even, strict=True) if even else [[]] * width
    table = pa.table(
        [pa.array(list(cells), pa.large_string()) for cells in across],
        names=[str(place) for place in range(width)],
    )
    return _dressed(_unguarded(table), [line for line, _ in rows], columns, surplus)


def _blank_rows(block: pd.DataFrame) -> Any:
    blank = np.arange(len(block))
    for name in block.columns:
        if not len(blank):
            break
        blank = blank[(block[name].iloc[blank].str.strip() == "").to_numpy(bool)]
    return blank


def _equal_rows(block: pd.DataFrame, names: list[str]) -> Any:
    # Loggers that lose power write their header again (FieldKit).
    same = np.arange(len(block))
    if not any(map(str.strip, names)):
        return same[:0]
    pairs = sorted(zip(block.columns, names, strict=True), key=lambda pair: not pair[1].strip())
    for column, name in pairs:
        if not len(same):
            break
        cells = block[column].iloc[same]
        same = same[(cells == name).to_numpy(bool) | (cells.str.strip() == name.strip()).to_numpy(bool)]
    return same


# --- workbooks ----------------------------------------------------------------------------------


def _open_workbook(
    shot: Snapshot, kind: str, settings: Settings, wanted: str | None, score: HeaderScore | None
) -> RawTable:
    sheets = workbook.open_sheets(shot, kind, settings)
    if wanted is not None and wanted not in [sheet.name for sheet in sheets]:
        raise FieldFileError(
            f"{shot.name} has no sheet {wanted!r}; it has: {', '.join(sheet.name for sheet in sheets)}."
        )
    looked = []
    for sheet in sheets:
        if sheet.height and wanted in (None, sheet.name):
            rows = list(islice(enumerate(sheet.rows(), 1), SAMPLE_ROWS))
            header = find_header(rows, score)
            looked.append((_promise(sheet, header), sheet, header, rows))
    if not looked:
        raise FieldFileError(f"{shot.name} holds no cell; save it again, with a header and at least one row.")
    _, sheet, header, rows = max(looked, key=lambda entry: entry[0])
    return _sheet_table(shot, kind, settings, sheets, sheet, header, rows)


def _promise(sheet: workbook.Sheet, header: Header) -> float:
    # How much a sheet looks like readings: a good header over many rows, in sight.
    return header.score * (header.index >= 0) + 0.5 * float(np.log10(sheet.height)) + 2 * sheet.visible


def _sheet_table(
    shot: Snapshot, kind: str, settings: Settings, sheets: list[workbook.Sheet], sheet: workbook.Sheet,
    header: Header, rows: list[Row],
) -> RawTable:  # fmt: skip
    names, body = _body(header, rows)
    _check_columns(shot.name, len(names), settings)
    over = [row for row in rows[: max(header.index, 0)] if any(map(str.strip, row[1]))]
    unread = {other.name: other.height for other in sheets if other is not sheet and other.height}
    warnings = [
        f"Sheet {name!r} ({count} rows) was not read; sheet {sheet.name!r} was. Name the sheet to read another."
        for name, count in unread.items()
    ]
    if sheet.unsaved:
        warnings.append(
            f"{sheet.unsaved} formulas have no saved value and came out blank; "
            "open the workbook in a spreadsheet program and save it."
        )
    table = RawTable(
        path=shot.path,
        columns=unique(names),
        names=names,
        header_row=rows[header.index][0] if header.index >= 0 else 0,
        encoding=None,
        delimiter=None,
        sheet=sheet.name,
        sheets=[other.name for other in sheets],
        kind=kind,
        preamble=[(line, "\t".join(cells).strip()) for line, cells in over],
        preamble_cells=over,
        second_rows=header.second_rows,
        warnings=[*warnings, *_header_warnings(header, rows, names)],
        sha256=encoding.checksum(shot),
        size=shot.size,
        unread=unread,
        not_readings=_known(header),
        source=_Sheet(sheet, body),
    )
    if len(rows) <= header.index + 1:
        _require_rows(table)
    return table


class _Sheet:
    """The rows of a sheet under its header."""

    def __init__(self, sheet: workbook.Sheet, body: int) -> None:
        self.sheet, self.body = sheet, body

    def blocks(self, table: RawTable, size: int) -> Iterator[pd.DataFrame]:
        """Yield the rows under the header."""
        rows = ((line, cells) for line, cells in enumerate(self.sheet.rows(), 1) if line >= self.body)
        while block := list(islice(rows, size)):
            yield _frame(block, table.columns)
