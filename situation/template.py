"""The empty table that a topic hands out: one row for each visit to a site, one column for each substance.

Our own reader reads it back without a question: columns bear the first spelling of the vocabulary, and
every substance says its unit and species in its heading. The workbook has a second sheet that explains
the columns in the reader's language; the CSV has the header alone.

What surprised us: an example row in the sheet to fill in comes back as a reading sooner or later. The
examples stand on the second sheet.
"""

from __future__ import annotations

import pandas as pd

from situation.messages import message
from situation.properties import PROPERTIES
from situation.table_file import csv_bytes, xlsx_bytes
from situation.topic import Topic

#: Columns before and after the substances, with an example of what to write in them.
BEFORE = {
    "site_id": "W-07",
    "site_name": "Old school well",
    "site_type": "well",
    "latitude": "7.20411",
    "longitude": "1.17890",
    "date": "2026-03-04",
    "time": "08:30",
    "method": "test strip",
}
AFTER = {"notes": "after heavy rain"}
SHEET = "readings"
# UCUM is for machines: people write it so, and the reader reads both.
_AS_WRITTEN = {"{count}/(100.mL)": "count/100 mL"}


def template_columns(topic: Topic) -> dict[str, str]:
    """List the columns of the template of a topic, each with an example of what to write.

    Substances are headed ``title (unit species)``, e.g. ``Nitrate (mg/L as NO3)``.
    """
    return BEFORE | {_heading(key): "12.5" for key in topic.properties if key in PROPERTIES} | AFTER


def _heading(key: str) -> str:
    found = PROPERTIES[key]
    unit = _AS_WRITTEN.get(found.default_unit, found.default_unit)
    told = " ".join(part for part in (unit, found.default_species) if part and part != "1")
    return f"{found.title} ({told})" if told else found.title


def template_csv(topic: Topic) -> bytes:
    """Write the template as CSV: the header row alone."""
    return csv_bytes(pd.DataFrame(columns=list(template_columns(topic))))


def template_xlsx(topic: Topic, language: str = "en") -> bytes:
    """Write the template as a workbook: the empty table, and a sheet that explains it.

    Parameters
    ----------
    topic : Topic
        Whose properties get a column.
    language : str
        Language of the explanations; the headings stay the same in all.
    """
    columns = template_columns(topic)
    told = [
        (name, _explained(name, language), example, _needed(name, language))
        for name, example in columns.items()
    ]
    names = [
        message(f"template.sheet_{part}", language) for part in ("column", "meaning", "example", "needed")
    ]
    explained = pd.DataFrame(told, columns=names)
    sheets = {SHEET: pd.DataFrame(columns=list(columns)), message("template.sheet", language): explained}
    return xlsx_bytes(sheets, widths=[24, 60, 22, 16])


def _explained(name: str, language: str) -> str:
    known = name in BEFORE or name in AFTER
    return message(f"template.col_{name}" if known else "template.col_result", language)


def _needed(name: str, language: str) -> str:
    needed = name in ("site_name", "latitude", "longitude", "date")
    return message("template.yes" if needed else "template.no", language)
