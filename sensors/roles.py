"""Asks about columns: which one holds the date, which the site, and what the unknown numbers are.

A file whose header names no date is not wrong: its date stands in a column that nobody taught us.
The reader asks, with the columns that may be meant; an answer is a role in the mapping, kept for the next
file of the same shape. Numbers under a heading that names no known substance are asked about and never
passed over in silence.
"""

from __future__ import annotations

import difflib
import re

import pandas as pd

from sensors.dates import read_times
from sensors.mapping import ColumnMap, Mapping
from sensors.questions import Choice, Question, slug
from sensors.vocabulary import fold, month_names
from situation.properties import PROPERTIES
from situation.topic import Topic

DATE, SITE, VALUE, UNKNOWN_COLUMNS = "column-date", "column-site", "column-value", "columns-unknown"
NONE, KEEP, IGNORE, ONE_BY_ONE = "none", "keep", "ignore", "one-by-one"
_FREE = ("unknown", "notes", "ignored", "datum", "time")
_GROUP = 3
_NUMBER = r"[<>≤≥~]?\s*[-+−]?[\d.,'\s]*\d(?:[eE][-+]?\d+)?\s*%?|[nN]\.?\s?[dDaA]\.?|BDL|bdl"
# Words in headings of numbers that count or name things and measure nothing.
_COUNTING = frozenset(
    [
        "id",
        "no",
        "nr",
        "num",
        "number",
        "code",
        "index",
        "sno",
        "sr",
        "serial",
        "row",
        "key",
        "fid",
        "oid",
        "objectid",
    ]
    + ["pk", "uid", "zip", "postcode", "year", "age", "built", "version", "count", "n", "population", "users"]
    + ["households", "people", "persons", "unnamed", "record", "rank"]
)


def ask_columns(mapping: Mapping, block: pd.DataFrame | None, topic: Topic | None) -> None:
    """Settle by the answers, or ask, what no heading says; changes *mapping* in place.

    Parameters
    ----------
    mapping : Mapping
        How the header was understood; ``asked`` takes the open questions.
    block : DataFrame, optional
        The first rows of the file (text cells).
    topic : Topic, optional
        Its properties are the likely ones.
    """
    if mapping.layout == "own" or block is None or len(block) == 0 or _only_sites(mapping):
        return
    cells = {str(name): _filled(block[name]) for name in block.columns}
    numbers = _unknown_numbers(mapping, cells)
    measured = bool(mapping.of("measure") or mapping.of("value"))
    if not measured and not numbers:
        return  # nothing in it could be a reading, whatever the answers
    _ask_date(mapping, cells)
    _ask_site(mapping, cells)
    numbers = [column for column in numbers if column.role == "unknown"]
    if not measured:
        _ask_value(mapping, numbers, topic)
    elif mapping.layout == "wide":
        _ask_numbers(mapping, numbers, cells, topic)


def _only_sites(mapping: Mapping) -> bool:
    """Say whether a table names places and measures nothing: it is joined to others, and asks nothing."""
    placed = any(mapping.of(role) for role in ("latitude", "geopoint", "x"))
    return placed and not any(mapping.of(r) for r in ("measure", "value", "date", "datetime", "year"))


def _filled(column: pd.Series) -> pd.Series:
    texts = column.str.strip()
    return texts[texts != ""].head(300)


def _free(mapping: Mapping) -> list[ColumnMap]:
    return [c for c in mapping.columns if c.role in _FREE and c.belongs is None and c.source.strip()]


def _pick(mapping: Mapping, answer: str | None, role: str) -> bool:
    """Give a column its role by an answer; says whether the answer named a column."""
    for column in mapping.columns:
        if answer is not None and column.source.strip() == answer.strip():
            column.role, column.belongs, column.rank = role, None, 1
            return True
    return False


def _choices(columns: list[ColumnMap], cells: dict[str, pd.Series], none: Choice) -> list[Choice]:
    found = []
    for column in columns[:12]:
        texts = list(dict.fromkeys(cells[column.source].head(20)))[:3]
        # Cells of unknown columns may name people: show none of them but numbers and dates.
        shown = ", ".join(t for t in texts if not re.search(r"[^\W\d]{4,}|@", t) and len(t) < 25)
        found.append(Choice(column.source, column.source, f"It holds e.g. {shown}." if shown else ""))
    return [*found, none]


def _ask_date(mapping: Mapping, cells: dict[str, pd.Series]) -> None:
    if any(mapping.of(role) for role in ("date", "datetime", "year")) or mapping.constants.get("date"):
        return
    answer = mapping.answers.get(DATE)
    if answer is not None and answer != NONE:
        if _pick(mapping, answer, "date"):
            return
        if re.fullmatch(r"\d{4}(-\d\d){0,2}", answer.strip()):
            mapping.constants["date"] = answer.strip()
            return
    if answer == NONE:
        return
    likely = sorted(_free(mapping), key=lambda c: -_dates(cells[c.source]))
    mapping.asked[DATE] = Question(
        DATE,
        "Which column holds the date?",
        "No heading of the file names the day of sampling. One day or year for the whole file can be "
        "written too, e.g. 2026-03-04 or 2026.",
        _choices(likely, cells, Choice(NONE, "None of them", "Without a date no row can be read.")),
        column=None,
        free=True,
        columns=[c.source for c in likely[:12]],
    )


def _dates(texts: pd.Series) -> float:
    if not len(texts):
        return 0.0
    with_mark = texts.head(50)
    good = with_mark.str.contains(r"\d\s*[-/.:]\s*\d|\d\s*[^\W\d]{3,}|[^\W\d]{3,}\s*\d", regex=True)
    if not good.any():
        return 0.0
    read = read_times(
        with_mark[good].reset_index(drop=True),
        None,
        None,
        order="dmy",
        default_zone="UTC",
        months=month_names(),
    )
    return float(read["phenomenon_time"].notna().sum() / len(with_mark))


def _ask_site(mapping: Mapping, cells: dict[str, pd.Series]) -> None:
    placed = ("site_id", "site_name", "latitude", "geopoint", "x", "y", "longitude")
    if any(mapping.of(role) for role in placed) or any(mapping.constants.get(role) for role in placed):
        return
    answer = mapping.answers.get(SITE)
    if answer == NONE:
        return
    if answer:
        if not _pick(mapping, answer, "site_name"):
            mapping.constants["site_name"] = " ".join(answer.split())
        return
    likely = [c for c in _free(mapping) if len(cells[c.source])]
    likely.sort(key=lambda c: (cells[c.source].str.fullmatch(_NUMBER).mean() > 0.5, -len(cells[c.source])))
    mapping.asked[SITE] = Question(
        SITE,
        "Which column names the site?",
        "No heading of the file names a site, latitude and longitude or a grid. If all rows are of one "
        "site, write its name.",
        _choices(
            likely, cells, Choice(NONE, "None of them", "Without a site or a place no row can be read.")
        ),
        free=True,
        columns=[c.source for c in likely[:12]],
    )


def _unknown_numbers(mapping: Mapping, cells: dict[str, pd.Series]) -> list[ColumnMap]:
    """List the columns of numbers whose heading says nothing."""
    found = []
    rules = mapping.rules
    for column in mapping.columns:
        texts = cells.get(column.source, pd.Series([], dtype="str"))
        if column.role != "unknown" or column.belongs or (rules and rules.rule_for(column.source)):
            continue
        if (
            len(texts) == 0
            or texts.str.fullmatch(_NUMBER).mean() < 0.6
            or not texts.str.contains(r"\d").any()
        ):
            continue
        if re.fullmatch(r"column \d+", column.source):
            column.why = "it has no heading"
            mapping.warnings.append(
                f"{column.source.capitalize()} holds numbers under no heading; they were not read."
            )
            continue
        if (
            not fold(column.source)
            or set(fold(column.source).split()) & _COUNTING
            or column.source.startswith("Unnamed")
        ):
            column.why = "its heading says that it counts or names, and measures nothing"
            continue
        if len(set(texts)) < 3 and set(texts) <= {"0", "1"}:
            column.why = "it holds only 0 and 1, the mark of a choice"
            continue
        if _counts_rows(texts):
            column.why = "it numbers the rows"
            continue
        found.append(column)
    return found


def _counts_rows(texts: pd.Series) -> bool:
    numbers = pd.to_numeric(texts, errors="coerce")
    return len(numbers) > 2 and bool(numbers.notna().all()) and bool((numbers.diff().dropna() == 1).all())


def _ask_value(mapping: Mapping, numbers: list[ColumnMap], topic: Topic | None) -> None:
    answer = mapping.answers.get(VALUE)
    if answer is not None and answer != NONE and _pick(mapping, answer, "value"):
        mapping.layout = "long"
        return
    if answer == NONE:
        return
    settled = False
    for column in numbers:
        settled |= _settle(mapping, column, mapping.answers.get(_own(column)))
    if settled:
        mapping.layout = "wide"
        return
    mapping.asked[VALUE] = Question(
        VALUE,
        "Which column holds what was measured?",
        "No heading of the file names a substance, a measure or a result. If several do, answer for each, e.g. "
        f"{_own(numbers[0])} = nitrate."
        if numbers
        else "No heading of the file names a substance, and no column without a known heading holds numbers.",
        [
            Choice(c.source, c.source, "Its numbers are read; what they measure is asked next.")
            for c in numbers[:12]
        ]
        + [Choice(NONE, "None of them", "Nothing can be read from this file.")],
        free=True,
        columns=[c.source for c in numbers[:12]],
    )


def _own(column: ColumnMap) -> str:
    return slug("column", column.source) or "column"


def _settle(mapping: Mapping, column: ColumnMap, answer: str | None) -> bool:
    """Take what a column measures from an answer; says whether there was one."""
    if answer is None:
        return False
    if answer == IGNORE:
        column.role, column.why = "ignored", "answered: not a measurement"
    else:
        column.role, column.name = "measure", column.source
        column.property = answer if answer in PROPERTIES else None
    return True


def _ask_numbers(
    mapping: Mapping, numbers: list[ColumnMap], cells: dict[str, pd.Series], topic: Topic | None
) -> None:
    every = mapping.answers.get(UNKNOWN_COLUMNS)
    still = []
    for column in numbers:
        answer = mapping.answers.get(_own(column)) or (every if every in (KEEP, IGNORE) else None)
        if not _settle(mapping, column, answer):
            still.append(column)
    if len(still) > _GROUP and every != ONE_BY_ONE:
        mapping.asked[UNKNOWN_COLUMNS] = _group_question(still)
        question = UNKNOWN_COLUMNS
    for column in still:
        if len(still) <= _GROUP or every == ONE_BY_ONE:
            question = _own(column)
            mapping.asked[question] = _column_question(column, cells[column.source], topic)
        column.role, column.name, column.waits = "measure", column.source, question


def _group_question(columns: list[ColumnMap]) -> Question:
    names = [c.source for c in columns]
    listed = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    return Question(
        UNKNOWN_COLUMNS,
        f"Are these {len(names)} columns of numbers measurements? {listed}",
        f"Their headings name nothing that is known. One can be answered by itself, e.g. {_own(columns[0])} = nitrate.",
        [
            Choice(IGNORE, "They are no measurements", "They are left out."),
            Choice(KEEP, "They are: keep them", "Each is kept under its own name and compared with nothing."),
            Choice(ONE_BY_ONE, "Ask about each", "Each column is a question of its own."),
        ],
        columns=names,
    )


def _column_question(column: ColumnMap, texts: pd.Series, topic: Topic | None) -> Question:
    name = fold(column.source)
    titles = {fold(item.title): key for key, item in PROPERTIES.items()}
    close = [titles[title] for title in difflib.get_close_matches(name, titles, n=4, cutoff=0.5)]
    likely = list(dict.fromkeys([*close, *(topic.properties if topic else ("nitrate", "conductance", "ph"))]))
    return Question(
        _own(column),
        f"What is measured in “{column.source}”?",
        "It holds numbers, and its heading names nothing that is known.",
        [
            Choice(key, PROPERTIES[key].title, f"Numbers are read as {PROPERTIES[key].title.lower()}.")
            for key in likely[:9]
        ]
        + [
            Choice(IGNORE, "Not a measurement", "The column is left out."),
            Choice(KEEP, "Another substance", "It is kept under its own name and compared with nothing."),
        ],
        column=column.source,
        example=str(texts.iloc[0]) if len(texts) else None,
        free=True,
    )
