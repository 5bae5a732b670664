"""Finds the header among the first rows of a table: under titles, over units, spread over two rows.

A row is the header because of what it is (text, filled, all different, known names) and of what comes
under it (numbers and dates). Nothing is taken away: rows that are not readings stay in the table and
are only named as such.

What surprised us: ``#`` proves nothing. Monitor My Watershed puts it before its preamble, HXL before
its tags, and WPdx+ before every column name. And a laboratory sheet may write the substances in row 3,
their units in row 4 and "Sampling Date" in row 9.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

HeaderScore = Callable[[list[str]], float]
Row = tuple[int, list[str]]  # line or row number, cells

LOOK_AT = 60  # rows among which the header is sought
BELOW = 12  # rows under a candidate that are compared with it

_NUMBER = re.compile(r"[<>≤≥~≈±]?\s*[-+−]?\d[\d.,\s'’]*(?:[eE][-+]?\d+)?\s*%?")
_HXL = re.compile(r"#[a-z][a-z0-9_]*(?:\s*\+\s*[a-z0-9_]+)*", re.I)
_UNIT = re.compile(
    r"[\[(]?\s*[-A-Za-zµμΩ°%‰·^0-9{}. ]{1,14}/\s*[-A-Za-zµμ0-9^²³ ().]{1,12}[\])]?|[\[(][^\])]{1,12}[\])]"
)
_UNIT_LIST = (
    "% ‰ - °c ° °f c degc deg degrees ph ppm ppb ppt psu ntu fnu jtu ftu m cm mm km ft in mv v s sec min h hr d days "
    "µs us µs/cm count cpm hpa kpa mbar cfu mpn unit units none n/a std adim su bq uv w nm db lux text "
    "dd/mm/yyyy mm/dd/yyyy yyyy-mm-dd hh:mm hh:mm:ss yyyy utc meq mmol µg mg g"
)
_UNIT_WORDS = frozenset(_UNIT_LIST.split())
_STRONG = re.compile(r"/|µ|μ|°|%|‰|^(?:ppm|ppb|ntu|fnu|cfu|mpn|psu|mv)$", re.I)
_NAMES = re.compile(
    r"\b(?:date|datum|fecha|data|time|heure|hora|zeit|site|station|well|puits|pozo|poço|brunnen|location\w*|"
    r"sample\w*|lat\w*|lon\w*|lng|id|name|nom|nombre|nome|result\w*|value|wert|valor|unit\w*|einheit\w*|"
    r"parameter|depth|ph|nitrat\w*|arsen\w*|conductiv\w*|temp\w*|utm\w*|comments?|notes?)\b",
    re.I,
)


class SecondRow(NamedTuple):
    """A row right under the header that describes columns: ``hxl``, ``units`` or ``empty``."""

    line: int
    kind: str
    cells: list[str]


@dataclass
class Header:
    """Where the header is and what it says."""

    index: int  # among the rows looked at; -1 where the table has none
    names: list[str]
    second_rows: list[SecondRow] = field(default_factory=list)
    part_of_header: list[int] = field(default_factory=list)  # lines under it that gave it names
    score: float = 0.0


@lru_cache(maxsize=100_000)
def is_datum(cell: str) -> bool:
    """Tell whether a cell looks like a number, a date or a limit rather than like a name.

    Examples
    --------
    >>> [is_datum(cell) for cell in ("62,5", "<0.5", "2026-03-04", "Nitrate", "2,4-D")]
    [True, True, True, False, False]
    """
    cell = cell.strip()
    if not cell:
        return False
    if _NUMBER.fullmatch(cell):
        return True
    digits = sum(letter.isdigit() for letter in cell)
    return digits / len(cell) > (0.5 if len(cell) < 24 else 0.33)


def default_score(cells: list[str]) -> float:
    """Share of the cells that hold a word common in headers; used where no vocabulary is given."""
    filled = [cell if len(cell) < 40 else "" for cell in cells if cell.strip()]
    return sum(bool(_NAMES.search(cell.replace("_", " "))) for cell in filled) / max(len(filled), 1)


def clean_name(name: str) -> str:
    r"""Take blanks, line ends and invisible letters off a column name.

    Examples
    --------
    >>> clean_name("  Well\n name ")
    'Well name'
    """
    return re.sub(r"\s+", " ", re.sub("[\ufeff\u200b-\u200f\u202a-\u202e\u2060]", "", name)).strip()


def unique(names: Sequence[str]) -> list[str]:
    """Make column names unique: a second ``x`` is ``x (2)``, a nameless fifth ``column 5``.

    Examples
    --------
    >>> unique(["Nitrate", "Nitrate", ""])
    ['Nitrate', 'Nitrate (2)', 'column 3']
    """
    taken = {clean_name(name) for name in names}
    seen: dict[str, int] = {}
    given: set[str] = set()
    out = []
    for place, raw in enumerate(names, 1):
        name = clean_name(raw) or f"column {place}"
        new, count = name, seen.get(name, 0) + 1
        if count > 1:
            new = f"{name} ({count})"
        while new in given or (count > 1 and new in taken):
            count += 1
            new = f"{name} ({count})"
        seen[name] = count
        given.add(new)
        out.append(new)
    return out


def find_header(rows: Sequence[Row], score: HeaderScore | None = None) -> Header:
    """Find the header among the first rows.

    Parameters
    ----------
    rows : sequence of (line, cells)
        The first rows of the table, blank ones included.
    score : callable, optional
        Share (0 … 1) of cells that are known column names.

    Returns
    -------
    Header
        With ``index`` -1 and no names where every row looks like readings.
    """
    score = score or default_score
    look = list(rows[:LOOK_AT])
    widest = max((_filled(cells) for _, cells in look), default=0)
    ranked = [
        (_points(look, at, widest, score), at) for at in range(len(look)) if _may_be(look[at][1], widest)
    ]
    if not ranked:
        return Header(-1, [])
    best, at = max(ranked, key=lambda pair: (pair[0], -pair[1]))
    at = _under_groups(look, at)
    cells = look[at][1]
    if score(cells) < 0.5 < _data_share(cells):
        return Header(-1, [], score=best)
    header = Header(at, list(cells), score=best)
    _add_second_rows(header, rows)
    _add_stacked(header, rows, score)
    _add_groups(header, rows)
    return header


def _under_groups(rows: Sequence[Row], at: int) -> int:
    # A row of merged cells (groups) may hold the known names; the header is the fuller row under it.
    below = rows[at + 1][1] if at + 1 < len(rows) else []
    fuller = _filled(below) >= max(3, 1.5 * _filled(rows[at][1]))
    plain = fuller and not any(map(is_datum, below)) and kind_of_second_row(below, len(below)) is None
    return at + 1 if plain and _change_below(rows, at + 1) > 0 else at


def _filled(cells: list[str]) -> int:
    return sum(bool(cell.strip()) for cell in cells)


def _data_share(cells: list[str]) -> float:
    return sum(map(is_datum, cells)) / max(_filled(cells), 1)


def _may_be(cells: list[str], widest: int) -> bool:
    filled = _filled(cells)
    return filled >= 2 or (filled == 1 and widest == 1)


def _points(rows: Sequence[Row], at: int, widest: int, score: HeaderScore) -> float:
    cells = rows[at][1]
    words = [clean_name(cell) for cell in cells if cell.strip()]
    points = 3.0 * score(cells) + 1.5 * len(words) / widest
    # Rows as full as this one that stand over it would be readings over the header.
    points -= min(0.6 * sum(_filled(row) >= 0.8 * len(words) for _, row in rows[:at]), 2.0)
    points += 1.5 * (1 - _data_share(cells)) + 0.5 * len(set(words)) / len(words)
    points += 1.5 * _change_below(rows, at)
    points -= 1.0 * sum(map(_unit_like, words)) / len(words)
    over = [row for _, row in rows[:at] if _filled(row) >= 2]
    if over and all(map(_HXL.fullmatch, words)):
        points -= 2.0
    return points - min(max(map(len, words)) / 400, 1.0)


def _change_below(rows: Sequence[Row], at: int) -> float:
    # Share of the columns with a name here and mostly data under it.
    names, below = rows[at][1], [row for _, row in rows[at + 1 : at + 1 + BELOW]]
    columns = [place for place, name in enumerate(names) if name.strip()]
    turned = 0
    for place in columns:
        under = [row[place] for row in below if place < len(row) and row[place].strip()]
        turned += bool(under) and not is_datum(names[place]) and 2 * sum(map(is_datum, under)) >= len(under)
    return turned / max(len(columns), 1)


def _unit_like(cell: str) -> bool:
    cell = cell.strip()
    return cell.casefold() in _UNIT_WORDS or bool(_UNIT.fullmatch(cell))


def kind_of_second_row(cells: list[str], width: int) -> str | None:
    """Tell whether a row under the header holds ``hxl`` tags, ``units``, or is ``empty``.

    Examples
    --------
    >>> kind_of_second_row(["", "#loc+name", ""], 3), kind_of_second_row(["", "mg/l", "µS/cm"], 3)
    ('hxl', 'units')
    """
    words = [cell.strip() for cell in cells if cell.strip()]
    if not words:
        return "empty"
    if all(map(_HXL.fullmatch, words)):
        return "hxl"
    enough = len(words) >= 2 or width <= 3
    words_only = enough and not any(map(is_datum, words))
    like = sum(map(_unit_like, words)) >= 0.6 * len(words)
    return "units" if words_only and like and any(map(_STRONG.search, words)) else None


def _add_second_rows(header: Header, rows: Sequence[Row]) -> None:
    for line, cells in rows[header.index + 1 : header.index + 4]:
        kind = kind_of_second_row(cells, len(header.names))
        if kind is None:
            return
        header.second_rows.append(SecondRow(line, kind, list(cells)))
    # Three blank rows are a gap, not a description.
    header.second_rows = [row for row in header.second_rows if row.kind != "empty"] or header.second_rows[:1]


def _add_stacked(header: Header, rows: Sequence[Row], score: HeaderScore) -> None:
    # Names in rows between the header and the first readings, as laboratory sheets have them.
    described = {row.line for row in header.second_rows}
    between = []
    for line, cells in rows[header.index + 1 : header.index + 20]:
        if any(map(is_datum, cells)):
            break
        if line not in described and _filled(cells):
            between.append((line, cells))
    else:
        return
    # A row of readings that happen to be words fills most columns; one of stray names only a few.
    between = [(line, cells) for line, cells in between if _filled(cells) <= 0.5 * _filled(header.names)]
    gave = 0
    for line, cells in reversed(between):
        for place, cell in enumerate(cells[: len(header.names)]):
            name = header.names[place]
            if 0 < len(cell.strip()) <= 60 and (not name.strip() or not score([name])) and score([cell]):
                header.names[place], gave = cell, max(gave, line)
    header.part_of_header = [line for line, _ in between if line <= gave]


def _add_groups(header: Header, rows: Sequence[Row]) -> None:
    # "Nitrate | | Arsenic | " over "mg/l | flag | mg/l | flag": merged cells keep only their first.
    if header.index == 0:
        return
    over = rows[header.index - 1][1]
    words = [clean_name(name) for name in header.names if name.strip()]
    if (
        _filled(over) < max(2, 0.25 * len(words))
        or len(set(words)) >= 0.8 * len(words)
        or _data_share(over) > 0
    ):
        return
    group = ""
    for place, name in enumerate(header.names):
        group = over[place].strip() if place < len(over) and over[place].strip() else group
        if name.strip() and words.count(clean_name(name)) > 1 and group:
            header.names[place] = f"{group} {name}"
