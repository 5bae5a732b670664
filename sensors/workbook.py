"""Reads XLSX, XLS and ODS workbooks as rows of text, after looking at what they would unfold to.

Cells arrive as a spreadsheet shows them: 7.0 is ``7``, 0.79990000000000006 is ``0.7999``, a date is
ISO 8601, of a formula its saved value. Error cells keep their name (``#DIV/0!``).

What surprised us: 800 kB of XLSX can unfold to 312 MB and two minutes; a sheet with two cells, A1 and
XFD1048576, asks for 17 thousand million cells, and the reader below ends the whole process rather than
raise; error cells come out blank. Hence the look into the archive before it is opened.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

import python_calamine

from sensors.encoding import Snapshot
from situation.errors import FieldFileError, FileTooLarge
from situation.settings import Settings

MAX_CELLS = 20_000_000  # of the smallest rectangle around all cells of a workbook
RATIO = 100  # unfolded : packed, beyond 50 MB; a sheet of readings has 5 to 20
_PART = 1 << 20

_CELL = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_ERROR = re.compile(
    rb'<c [^>]*?r="([A-Z]{1,3})(\d{1,7})"[^>]*?\bt="e"[^>]*>(?:<f[^>]*>[^<]*</f>|<f[^>]*/>)?<v>([^<]*)</v>'
)
_UNSAVED = re.compile(rb"(?:</f>|<f[^>]*/>)(?:<v></v>|<v ?/>)?</c>")
_ODS = re.compile(
    rb"<table:table-row\b([^>]*)>|<table:(?:covered-)?table-cell\b([^>]*?)(/?)>|</table:table-row>"
)
_REPEATED = re.compile(rb'repeated="(\d+)"')


@dataclass
class Inside:
    """What a look into the archive found, per sheet path or in all."""

    errors: dict[str, dict[int, dict[int, str]]] = field(
        default_factory=dict
    )  # sheet -> row -> column, from 0
    unsaved: dict[str, int] = field(default_factory=dict)  # sheet -> formulas without a value


@dataclass
class Sheet:
    """One sheet: rows of text, the first of them row 1 of the sheet."""

    name: str
    visible: bool
    height: int
    source: Any
    errors: dict[int, dict[int, str]]
    unsaved: int

    def rows(self) -> Iterator[list[str]]:
        """Yield the rows from the top of the sheet, empty ones included."""
        # The reader fills in the rows over the first used one, but not the columns before it.
        margin = [""] * (self.source.start[1] if self.source.start else 0)
        for at, values in enumerate(self.source.iter_rows()):
            row = margin + [text(value) for value in values]
            for place, error in self.errors.get(at, {}).items():
                row[place : place + 1] = [error]
            yield row


def kind_of(head: bytes, shot: Snapshot) -> str | None:
    """Tell from a file's bytes whether it is a workbook: ``xlsx``, ``xls``, ``ods`` or None.

    Raises
    ------
    FieldFileError
        If it is an archive that holds no workbook we read.
    """
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") or head[:4] in (
        b"\x09\x08\x10\x00",
        b"\x09\x08\x08\x00",
    ):
        return "xls"
    if not head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return None
    names = [member.filename for member in members_of(shot)]
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "xl/workbook.bin" in names:
        raise FieldFileError(f"{shot.name} is a binary workbook (XLSB); save it as XLSX.")
    if "content.xml" in names:
        return "ods"
    raise FieldFileError(
        f"{shot.name} is a ZIP archive that holds no workbook; unpack it and give the files in it one by one."
    )


def open_sheets(shot: Snapshot, kind: str, settings: Settings) -> list[Sheet]:
    """Open a workbook's sheets.

    Raises
    ------
    FieldFileError
        If it is damaged or asks for a password.
    FileTooLarge
        If it would unfold to more than this installation takes.
    """
    inside = Inside()
    if kind in ("xlsx", "ods"):
        _weigh(shot, settings)
        _guarded(shot, lambda: _look_inside(shot, kind, inside))
    book = _guarded(shot, lambda: python_calamine.CalamineWorkbook.from_object(stream_of(shot)))
    sheets = []
    for about in book.sheets_metadata:
        if about.typ not in (python_calamine.SheetTypeEnum.WorkSheet,):
            continue
        source = _guarded(shot, lambda name=about.name: book.get_sheet_by_name(name))  # type: ignore[misc]
        sheets.append(
            Sheet(
                about.name,
                about.visible == python_calamine.SheetVisibleEnum.Visible,
                (source.start[0] if source.start else 0) + source.height,
                source,
                inside.errors.get(about.name, {}),
                inside.unsaved.get(about.name, 0),
            )
        )
    return sheets


def stream_of(shot: Snapshot) -> Any:
    """Give what an archive's reader opens: the bytes that are held, or the path."""
    return io.BytesIO(shot.data) if shot.data is not None else str(shot.path)


def _guarded(shot: Snapshot, work: Callable[[], Any]) -> Any:
    try:
        return work()
    except python_calamine.PasswordError as wrong:
        raise FieldFileError(f"{shot.name} is locked with a password; save it without one.") from wrong
    except (FieldFileError, MemoryError):
        raise
    except BaseException as wrong:
        # The reader is written in Rust; where it panics, its exception is not an Exception.
        if isinstance(wrong, KeyboardInterrupt | SystemExit):
            raise
        raise FieldFileError(
            f"{shot.name} is a damaged workbook ({str(wrong)[:120]}); open it in a spreadsheet program and save it again."
        ) from wrong


def members_of(shot: Snapshot) -> list[zipfile.ZipInfo]:
    """List the members of an archive.

    Raises
    ------
    FieldFileError
        If it is damaged.
    """
    try:
        with zipfile.ZipFile(stream_of(shot)) as archive:
            return archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError) as wrong:
        raise FieldFileError(
            f"{shot.name} is a damaged workbook or archive ({wrong}); copy or export it again."
        ) from wrong


def _weigh(shot: Snapshot, settings: Settings) -> None:
    members = members_of(shot)
    most = max(100, 20 * settings.max_upload_mb) * 1_000_000
    size = sum(member.file_size for member in members)
    if size > most or (size > 50_000_000 and size > RATIO * shot.size):
        raise FileTooLarge(
            f"{shot.name} would unfold from {shot.size / 1e6:,.1f} to {size / 1e6:,.0f} MB, which no workbook of readings does; "
            f"copy the readings alone into a new workbook (up to {most / 1e6:,.0f} MB unfolded), or save them as CSV."
        )
    if len(members) > 10_000:
        raise FileTooLarge(
            f"{shot.name} holds {len(members):,} parts; copy the readings alone into a new workbook."
        )


def _parts(archive: zipfile.ZipFile, name: str, overlap: int = 2048) -> Iterator[bytes]:
    # zipfile stops at the size that a member claims; the look at what follows is _honest's.
    with archive.open(name) as member:
        tail = b""
        while chunk := member.read(_PART):
            yield tail + chunk
            tail = chunk[-overlap:]


def _look_inside(shot: Snapshot, kind: str, inside: Inside) -> None:
    with zipfile.ZipFile(stream_of(shot)) as archive:
        for member in archive.infolist():
            _honest(shot, archive, member)
        if kind == "ods":
            _measure_ods(shot, archive)
            return
        paths = _sheet_paths(archive)
        for path in [name for name in archive.namelist() if re.match(r"/?xl/worksheets/[^/]+\.xml$", name)]:
            _measure_xlsx(shot, archive, path, paths.get(path.lstrip("/"), path), inside)


def _honest(shot: Snapshot, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    # Deflate packs at most 1:1032; a member that claims less than it unfolds to is a trap.
    if member.compress_type != zipfile.ZIP_DEFLATED or member.compress_size * 1032 < 50_000_000:
        return
    stream = archive.fp
    assert stream is not None
    stream.seek(member.header_offset)
    head = stream.read(30)
    stream.seek(
        member.header_offset
        + 30
        + int.from_bytes(head[26:28], "little")
        + int.from_bytes(head[28:30], "little")
    )
    unpack, size, left = zlib.decompressobj(-15), 0, member.compress_size
    while left and not unpack.eof:
        packed = stream.read(min(left, 1 << 16))
        if not packed:
            return
        left -= len(packed)
        while packed:
            size += len(unpack.decompress(packed, _PART))
            packed = unpack.unconsumed_tail
            if size > member.file_size:
                raise FileTooLarge(
                    f"{shot.name} unfolds to more than it says; save it again from a spreadsheet program."
                )


def _sheet_paths(archive: zipfile.ZipFile) -> dict[str, str]:
    # Path of each sheet's XML inside the archive -> name of the sheet.
    try:
        relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    except (KeyError, ElementTree.ParseError):
        return {}
    targets = {item.get("Id"): (item.get("Target") or "").lstrip("/") for item in relations}
    paths = {}
    for item in book.iter():
        if item.tag.rpartition("}")[2] == "sheet":
            ids = [value for key, value in item.attrib.items() if key.endswith("}id")]
            target = targets.get(ids[0], "") if ids else ""
            paths[target if target.startswith("xl/") else f"xl/{target}"] = item.get("name") or ""
    return paths


def _measure_xlsx(shot: Snapshot, archive: zipfile.ZipFile, path: str, sheet: str, inside: Inside) -> None:
    columns: set[bytes] = set()
    rows, unsaved = 0, 0
    for part in _parts(archive, path):
        found = _CELL.findall(part)
        if found:
            columns.update(column for column, _ in found)
            rows = max(rows, *(int(row) for row in {row for _, row in found}))
        if b't="e"' in part:
            errors = inside.errors.setdefault(sheet, {})
            for column, row, error in _ERROR.findall(part):
                errors.setdefault(int(row) - 1, {})[_number(column) - 1] = error.decode("utf-8", "replace")
        unsaved += len(_UNSAVED.findall(part)) if b"<f" in part else 0
    inside.unsaved[sheet] = unsaved
    _check_cells(shot, sheet, rows, max(map(_number, columns), default=0))


def _number(column: bytes) -> int:
    value = 0
    for letter in column:
        value = value * 26 + letter - 64
    return value


def _check_cells(shot: Snapshot, sheet: str, rows: int, columns: int) -> None:
    if rows * columns > MAX_CELLS:
        raise FileTooLarge(
            f"{shot.name}, sheet {sheet!r}, reaches over {rows:,} rows and {columns:,} columns; up to {MAX_CELLS:,} cells are read. "
            "Delete stray cells far from the table, or save the readings as CSV."
        )


def _measure_ods(shot: Snapshot, archive: zipfile.ZipFile) -> None:
    # Rows and cells may be "repeated" a million times in a few letters.
    rows = widest = pending = 0
    width = last = times = 1
    for part in _parts(archive, "content.xml", overlap=0):
        for row, cell, closed in _ODS.findall(part):
            if cell or closed:
                repeat = _times(cell)
                width += repeat
                if not closed or b"value" in cell:
                    last = width
            else:
                if last:
                    rows, pending, widest = rows + pending + times, 0, max(widest, last)
                else:
                    pending += times
                times, width, last = _times(row), 0, 0
    _check_cells(shot, "content.xml", rows, widest)


def _times(attributes: bytes) -> int:
    found = _REPEATED.findall(attributes)
    return int(found[-1]) if found else 1


def text(value: Any) -> str:
    """Write a cell's value as a spreadsheet shows it.

    Examples
    --------
    >>> [text(value) for value in (7.0, 0.79990000000000006, True, dt.date(2026, 3, 4), dt.time(8, 5))]
    ['7', '0.7999', 'TRUE', '2026-03-04', '08:05:00']
    """
    write = _WRITE.get(type(value))
    return write(value) if write else str(value)


def _float(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"


def _moment(value: dt.datetime) -> str:
    # A serial number is a float; seconds come back with some noise.
    value = value.replace(tzinfo=None) + dt.timedelta(microseconds=500)
    value = value.replace(microsecond=value.microsecond // 1000 * 1000)
    return value.isoformat(timespec="milliseconds" if value.microsecond else "seconds")


def _span(value: dt.timedelta) -> str:
    seconds = round(value.total_seconds())
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


_WRITE: dict[type, Callable[[Any], str]] = {
    str: lambda value: value.replace("\x00", "").replace("\r\n", "\n"),
    float: _float,
    int: str,
    bool: lambda value: "TRUE" if value else "FALSE",
    dt.datetime: _moment,
    dt.date: lambda value: value.isoformat(),
    dt.time: lambda value: value.replace(microsecond=0).isoformat(),
    dt.timedelta: _span,
    type(None): lambda value: "",
}
