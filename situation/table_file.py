"""Tables that leave as files for a spreadsheet: CSV and workbooks, nothing in which runs as a formula.

What surprised us: Excel garbles accents in a CSV without a byte-order mark; openpyxl makes a formula of
any text that begins with ``=``; and XML, of which a workbook consists, cannot hold every control character.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from situation.spreadsheet import safe_cell, safe_cells

_NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_LONGEST = 32_000


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Write a table as CSV in UTF-8 with a byte-order mark, cells and headings safe to open."""
    text: str = _safe(table).to_csv(index=False)
    return text.encode("utf-8-sig", "replace")


def xlsx_bytes(sheets: Mapping[str, pd.DataFrame], widths: Sequence[int] = (22,)) -> bytes:
    """Write tables as the sheets of one workbook, the headings bold and kept in view.

    Parameters
    ----------
    sheets : Mapping
        Name of the sheet (at most 31 characters) to its table.
    widths : Sequence of int
        Widths of the columns of every sheet, in characters; the last serves for the rest.
    """
    book = Workbook(write_only=True)
    for name, table in sheets.items():
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "A2"
        for place in range(table.shape[1]):
            letter = get_column_letter(place + 1)
            sheet.column_dimensions[letter].width = widths[min(place, len(widths) - 1)]
        safe = _safe(table)
        sheet.append([_heading(sheet, text) for text in safe.columns])
        for row in safe.itertuples(index=False, name=None):
            sheet.append([_cell(sheet, value) for value in row])
    box = io.BytesIO()
    book.save(box)
    return box.getvalue()


def _safe(table: pd.DataFrame) -> pd.DataFrame:
    # Headings come from strangers too, and may repeat.
    names = [safe_cell(str(name)) for name in table.columns]
    safe = safe_cells(table.set_axis(range(table.shape[1]), axis="columns"), closed=())
    return safe.set_axis(names, axis="columns")


def _heading(sheet: Any, text: str) -> WriteOnlyCell:
    cell = _cell(sheet, text)
    cell.font = Font(bold=True)
    cell.fill = PatternFill("solid", fgColor="E6EEF2")
    return cell


def _cell(sheet: Any, value: Any) -> WriteOnlyCell:
    if pd.isna(value):
        value = None
    elif isinstance(value, str):
        value = _NO_XML.sub("\ufffd", value)[:_LONGEST]
    elif hasattr(value, "item"):
        value = value.item()
    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        cell.data_type = "s"
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell
