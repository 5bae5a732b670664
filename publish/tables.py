"""A snapshot as a table: CSV for programs, a workbook for people.

CSV is UTF-8 without a byte-order mark, lines end in a line feed, times are ISO 8601 in UTC, and the same snapshot
gives the same bytes. Programs come first here: a mark makes the first column's name wrong in many of them, and
who opens tables in Excel has the workbook. Free text that a spreadsheet would compute stands behind an
apostrophe (:mod:`situation.spreadsheet`); closed vocabularies such as ``censoring`` stay as they are.

In the workbook text is text by its type, numbers and dates are numbers and dates, and nothing is guarded; its
stamps are those of the snapshot. A workbook of more than :data:`MOST_READINGS` readings would take minutes to
write and to open, so it says where they are instead.

What surprised us: openpyxl takes ``=1+1`` for a formula and ``#N/A`` for an error, writes the time of saving into
the file whatever it was told, and cannot write a time that has a zone.
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.csv as pacsv
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ERROR_CODES
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.writer.excel import ExcelWriter

from publish import Options, Progress, read_me
from publish.columns import OURS, READINGS, SITES, described, readings_tables, sites_table
from situation.snapshot import Snapshot
from situation.spreadsheet import safe_arrow, safe_cell
from situation.visible import one_line

MOST_READINGS = 100_000
_LONGEST = 32_000  # letters in a cell; a spreadsheet takes 32,767
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_STAMP = (1980, 1, 1, 0, 0, 0)
_WIDE, _USUAL = (
    {"reason": 40, "attribution": 40, "monitoring_location_name": 32, "meaning": 70, "reference": 60},
    18,
)


def write(shot: Snapshot, path: Path, options: Options) -> None:
    """Write a snapshot as CSV (its sites, or its readings) or as a workbook (both)."""
    if path.suffix.lower() == ".xlsx":
        _write_workbook(shot, path, options)
        return
    with path.open("wb") as target:
        if options.rows == "readings":
            write_readings(shot, target, options.progress)
        else:
            write_csv([sites_table(shot)], target, sites_table(shot).schema)


# ---- CSV -----------------------------------------------------------------------------------------


def write_readings(shot: Snapshot, target: IO[bytes], progress: Progress) -> None:
    """Write every reading as CSV, piece by piece; what our own importer reads back."""
    empty = pa.schema([pa.field(column.name, column.kind) for column in READINGS])
    write_csv(readings_tables(shot, progress), target, empty)


def write_csv(tables: Iterable[pa.Table], target: IO[bytes], schema: pa.Schema) -> None:
    """Write Arrow tables of one schema as one CSV file, free text safe to open in a spreadsheet."""
    heads = as_text(schema.empty_table()).schema
    with pacsv.CSVWriter(target, heads) as writer:
        for table in tables:
            writer.write_table(as_text(table))


def write_frame(frame: pd.DataFrame, target: IO[bytes]) -> None:
    """Write a small table as CSV, under the same rules; what is not a number is text."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    fields = [
        pa.field(field.name, pa.string() if pa.types.is_large_string(field.type) else field.type)
        for field in table.schema
    ]
    table = table.cast(pa.schema(fields))
    write_csv([table], target, table.schema)


def as_text(table: pa.Table) -> pa.Table:
    """Make text safe and times ISO 8601 (``2026-03-31T17:05:00Z``); numbers stay numbers."""
    safe = safe_arrow(table, OURS)
    for place, field in enumerate(safe.schema):
        if pa.types.is_timestamp(field.type):
            text = compute.strftime(safe.column(place), format="%Y-%m-%dT%H:%M:%SZ")
            # strftime writes the fraction of a second that the type can hold.
            text = compute.replace_substring_regex(text, r"\.0+Z$", "Z")
            safe = safe.set_column(place, field.name, text)
    return safe.replace_schema_metadata(None)


# ---- workbook ------------------------------------------------------------------------------------


def _write_workbook(shot: Snapshot, path: Path, options: Options) -> None:
    book = Workbook(write_only=True)
    _read_me(book, shot)
    _sheet(book, "sites", sites_table(shot).schema.names, _rows([sites_table(shot)]))
    _readings(book, shot, options.progress)
    _frame_sheet(book, "limit", shot.standard.limits if shot.standard else pd.DataFrame({"limit": []}))
    _frame_sheet(book, "sources", sources_frame(shot))
    _frame_sheet(book, "columns", described({"sites": SITES, "readings": READINGS}))
    _save(book, shot, path)


def sources_frame(shot: Snapshot) -> pd.DataFrame:
    """List the sources of a snapshot: who, under which licence, at how many sites."""
    names = ["source_id", "attribution", "licence", "sites"]
    rows = [(origin.source, origin.attribution, origin.licence, origin.sites) for origin in shot.origins]
    return pd.DataFrame(rows, columns=names)


def _read_me(book: Workbook, shot: Snapshot) -> None:
    sheet = book.create_sheet("read me")
    sheet.column_dimensions["A"].width = 110
    sheet.append([_text_cell(sheet, one_line(shot.title), bold=True, size=16)])
    for section in read_me.sections(shot):
        sheet.append([])
        sheet.append([_text_cell(sheet, section.head, bold=True, size=12)])
        lines = [*section.said, *(f"{word}: {means}" for word, means in section.words), section.command]
        for line in filter(None, lines):
            sheet.append([_text_cell(sheet, line, wrap=True)])
    if shot.readings_behind > MOST_READINGS:
        sheet.append([])
        left_out = read_me.say(shot, "readings_left_out", n=f"{shot.readings_behind:,}")
        sheet.append([_text_cell(sheet, left_out, wrap=True)])


def _readings(book: Workbook, shot: Snapshot, progress: Progress) -> None:
    names = [column.name for column in READINGS]
    tables = readings_tables(shot, progress) if shot.readings_behind <= MOST_READINGS else iter(())
    _sheet(book, "readings", names, _rows(tables))


def _frame_sheet(book: Workbook, name: str, frame: pd.DataFrame) -> None:
    rows = (
        [None if pd.isna(cell) or cell == "" else cell for cell in row]
        for row in frame.itertuples(index=False)
    )
    _sheet(book, name, list(map(str, frame.columns)), rows)


def _rows(tables: Iterable[pa.Table]) -> Iterator[list[Any]]:
    """Give the rows of Arrow tables as Python values, a few thousand at a time; times lose their zone (UTC)."""
    for table in tables:
        for batch in table.to_batches(max_chunksize=4096):
            plain = [_plain(column) for column in batch.columns]
            yield from map(list, zip(*plain, strict=True))


def _plain(column: pa.Array) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        return list(column.cast(pa.timestamp("us")).to_pylist())
    return list(column.to_pylist())


def _sheet(book: Workbook, name: str, names: list[str], rows: Iterable[list[Any]]) -> None:
    """Write a sheet: headings in bold and kept in view, every text as text."""
    sheet = book.create_sheet(name)
    sheet.freeze_panes = "A2"
    for place, head in enumerate(names, 1):
        sheet.column_dimensions[get_column_letter(place)].width = _WIDE.get(head, max(_USUAL, len(head) + 2))
    sheet.append([_text_cell(sheet, head, bold=True, filled=True) for head in names])
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])


def _cell(sheet: Any, value: Any) -> Any:
    """Give what openpyxl may be handed: a text that it would compute as a cell that says it is text."""
    if isinstance(value, str):
        risky = safe_cell(value) != value or value in ERROR_CODES
        return _text_cell(sheet, value, quoted=True) if risky else _NO_XML.sub("\ufffd", value)[:_LONGEST]
    if isinstance(value, dt.datetime):
        return value.replace(microsecond=0)
    return value.item() if hasattr(value, "item") else value


def _text_cell(
    sheet: Any,
    text: str,
    *,
    bold: bool = False,
    size: int = 11,
    wrap: bool = False,
    filled: bool = False,
    quoted: bool = False,
) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, _NO_XML.sub("\ufffd", text)[:_LONGEST])
    cell.data_type = "s"
    if bold or size != 11:
        cell.font = Font(bold=bold, size=size)
    if wrap:
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    if filled:
        cell.fill = PatternFill("solid", fgColor="E6EEF2")
    if quoted:
        cell.quotePrefix = True  # stays text when a person edits it
    return cell


class _Steady(zipfile.ZipFile):
    """An archive whose members bear one date, so that the same content is the same bytes."""

    def writestr(self, zinfo_or_arcname: Any, data: Any, *_: Any, **__: Any) -> None:
        super().writestr(_member(str(zinfo_or_arcname)), data)

    def write(self, filename: Any, arcname: Any = None, *_: Any, **__: Any) -> None:
        with Path(filename).open("rb") as source, self.open(_member(str(arcname)), "w") as target:
            while block := source.read(1 << 20):
                target.write(block)


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name.lstrip("/"), _STAMP)
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def _save(book: Workbook, shot: Snapshot, path: Path) -> None:
    at = shot.view.clock(shot.moment).to_pydatetime().replace(tzinfo=None, microsecond=0)
    properties = book.properties
    properties.created = properties.modified = at
    properties.creator = one_line(shot.topic.producer) or "Commonsight"
    properties.title, properties.language = one_line(shot.title), shot.language
    properties.version = str(shot.version)
    # Its own save() would write the time of today.
    with _Steady(path, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        ExcelWriter(book, archive).write_data()
