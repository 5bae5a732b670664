"""Reads the named columns of any table into numbers, marks of censoring and labels, for `calc`.

No dialect, no substance, no unit is looked for: the person named the columns. Letters, delimiters, decimal
commas and cells such as ``<0,5`` are read as everywhere else (:mod:`sensors.raw_table`,
:mod:`sensors.cells`, :mod:`sensors.dates`); what cannot be read is left out under its line and reason.

What surprised us: a column of censoring says TRUE in R, 1 in a spreadsheet, ``<`` in a laboratory's file
and ``0``/``1`` the other way round where it is called "detected"; the last cannot be told and is why the
count of censored readings is always printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sensors import cells, dates
from sensors.raw_table import RawTable, open_table
from situation.calc import LeftOut, Readings
from situation.errors import ChoiceError
from situation.settings import Settings
from situation.trend import decimal_years
from situation.unit import read_unit

# Not "j": laboratories write J beside what they did find, but only estimated.
_CENSORED = frozenset(
    [
        "true",
        "t",
        "1",
        "yes",
        "y",
        "<",
        "lt",
        "nd",
        "u",
        "censored",
        "nondetect",
        "non-detect",
        "left",
        "below",
        "oui",
        "o",
        "vrai",
        "si",
        "sí",
        "s",
        "verdadero",
        "ja",
    ]
)
_MORE = frozenset([">", "gt", "right", "above"])
_NUMBER = frozenset(
    ["false", "f", "0", "no", "n", "=", "detect", "detected", "eq", "non", "faux", "falso", "nein"]
) | {""}


def read_columns(
    path: Path,
    settings: Settings,
    *,
    value: str,
    time: str | None = None,
    censored: str | None = None,
    season: str | None = None,
    group: str | None = None,
    x: str | None = None,
    y: str | None = None,
    decimal: str | None = None,
    date_order: str | None = None,
) -> Readings:
    """Read named columns of a CSV (or workbook).

    Parameters
    ----------
    path : Path
        Any encoding, delimiter and decimal mark.
    settings : Settings
        For the limits of size.
    value : str
        The column of readings; ``<5`` is a reading censored at 5.
    time : str, optional
        Numbers, or dates, which become decimal years.
    censored : str, optional
        TRUE, 1, yes, ``<`` … for "less than"; ``>`` for "more than".
    season, group : str, optional
        Labels.
    x, y : str, optional
        Coordinates as numbers in a flat system.
    decimal : {"point", "comma"}, optional
        Otherwise told from the cells.
    date_order : {"dmy", "mdy"}, optional
        What 04/03/2026 means; otherwise told from the cells.

    Returns
    -------
    Readings

    Raises
    ------
    ChoiceError
        If a column is not there (with those that are), or nothing in it can be read.
    FieldFileError
        If the file cannot be read at all.
    """
    asked = [name for name in (value, time, censored, season, group, x, y) if name]
    table = open_table(path, settings, header_score=lambda row: _share(asked, row))
    text = table.read()
    skipped = text.attrs["not_readings"]
    where = {name: _find(table, name) for name in asked}
    left: list[LeftOut] = [
        LeftOut(int(line), "", "", f"not a reading: {why}")
        for line, why in skipped.items()
        if why != "blank line"
    ]
    text = text[~text.index.isin(list(skipped))]
    usable = np.ones(len(text), bool)
    blank = np.zeros(len(text), bool)

    def leave(bad: Any, column: str, why: Sequence[str]) -> None:
        for at in np.flatnonzero(np.asarray(bad) & usable & ~blank).tolist():
            left.append(LeftOut(int(text.index[at]), column, str(text[where[column]].iloc[at]), why[at]))
        usable[np.asarray(bad)] = False

    numbers, marks, why = _values(text[where[value]], decimal)
    blank |= why == "blank"
    if censored:
        said, bad = _marks(text[where[censored]])
        leave(bad, censored, ["it is neither TRUE nor FALSE, nor < or >"] * len(text))
        # What the reading itself says counts more than the column beside it.
        marks = np.where(marks != 0, marks, said)
    notes = _notes(text[where[value]], why)
    for name in dict.fromkeys(asked):
        several = sum(one.strip().casefold() == name.strip().casefold() for one in table.names)
        if several > 1:
            notes.append(f"{several} columns are called {name!r}; {where[name]!r} was taken.")
    leave(np.isnan(numbers), value, list(why))
    parts: dict[str, Any] = {}
    for name, column in (("time", time), ("x", x), ("y", y)):
        if not column:
            continue
        found, bad_why, months = _numbers(
            text[where[column]], decimal, date_order if name == "time" else "no"
        )
        leave(np.isnan(found), column, bad_why)
        parts[name] = found
        if months is not None:
            parts["month"] = months
    for name, column in (("season", season), ("group", group)):
        if column:
            labels = text[where[column]].str.strip().to_numpy(dtype=object)
            leave(labels == "", column, ["it is empty"] * len(text))
            parts[name] = labels
    keep = usable & ~blank
    readings = Readings(
        file=path.name,
        value=numbers[keep],
        marks=marks[keep].astype("int8"),
        rows=len(text),
        blank=int(blank.sum()),
        left_out=tuple(sorted(left, key=lambda one: one.line)),
        notes=tuple(notes),
        dated="month" in parts,
        **{name: part[keep] for name, part in parts.items()},
    )
    if not len(readings.value):
        raise ChoiceError(_nothing(readings, value))
    return readings


def _share(asked: Sequence[str], row: Sequence[str]) -> float:
    plain = {cell.strip().casefold() for cell in row if cell.strip()}
    return sum(name.strip().casefold() in plain for name in asked) / len(plain) if plain else 0.0


def _find(table: RawTable, name: str) -> str:
    """Find a column by its name as written, then whatever its letters' case."""
    for names in (table.names, table.columns):
        for wanted, seen in ((name, names), (name.strip().casefold(), [n.strip().casefold() for n in names])):
            at = [place for place, one in enumerate(seen) if one == wanted]
            if len(at) == 1:
                return table.columns[at[0]]
    shown = ", ".join(table.columns[:60]) + (" …" if len(table.columns) > 60 else "")
    raise ChoiceError(f"{table.path.name} has no column {name!r}; it has: {shown}.")


def _style(texts: pd.Series, decimal: str | None) -> str | None:
    said = decimal or cells.decimal_style(texts)
    return said if said in ("point", "comma") else None


def _values(texts: pd.Series, decimal: str | None) -> tuple[Any, Any, Any]:
    """Give values (NaN where none), marks of censoring, and why there is none (``blank`` for empty cells)."""
    read = cells.read_results(texts, decimal=_style(texts, decimal))
    censoring = read["censoring"].to_numpy(dtype=object)
    marks = np.where(censoring == "<", -1, np.where(censoring == ">", 1, 0))
    numbers = np.where(
        marks == 0, read["result"].to_numpy("float64"), read["detection_limit"].to_numpy("float64")
    )
    kind = read["kind"].to_numpy(dtype=object)
    missing = (censoring == "missing") & (kind != "sentinel") & (kind != "ambiguous_decimal")
    reason = read["reason"].to_numpy(dtype=object)
    why = [
        "blank"
        if empty
        else "it says 'not detected' without the limit of detection"
        if mark and np.isnan(number)
        else f"{said}{_hint(what)}"
        if isinstance(said, str)
        else "it is not a number"
        for empty, mark, number, said, what in zip(missing, marks, numbers, reason, kind, strict=True)
    ]
    return np.where(np.isfinite(numbers), numbers, np.nan), marks, np.array(why, dtype=object)


def _hint(kind: str) -> str:
    return " (say --decimal point or --decimal comma)" if kind == "ambiguous_decimal" else ""


def _notes(texts: pd.Series, why: Any) -> list[str]:
    read = cells.read_results(texts)
    units = sorted({str(unit) for unit in read["unit_in_cell"].dropna().unique()})
    known = {read_unit(unit) for unit in units}
    if len(units) > 1 and (len(known) > 1 or None in (one.ucum for one in known)):
        raise ChoiceError(
            f"The cells of {texts.name!r} carry different units ({', '.join(units)}); nothing is converted here."
        )
    odd = texts[(read["kind"] == "sentinel_suspected").to_numpy()]
    notes = []
    bare = read["unit_in_cell"].isna() & read["censoring"].isin(["=", "<", ">"])
    if units and bare.any():
        first = texts[bare.to_numpy()]
        notes.append(
            f"{len(first)} cells such as {first.iloc[0]} (line {first.index[0]}) carry no unit, where others "
            f"say {units[0]}; they were taken as that."
        )
    if len(odd):
        notes.append(
            f"{len(odd)} cells such as {odd.iloc[0]} (line {odd.index[0]}) may stand for 'no value'; "
            "they were taken as numbers."
        )
    return notes


def _marks(texts: pd.Series) -> tuple[Any, Any]:
    plain = texts.str.strip().str.casefold().str.replace(r"\.0+$", "", regex=True)
    less, more, number = (plain.isin(list(words)).to_numpy() for words in (_CENSORED, _MORE, _NUMBER))
    return np.where(less, -1, np.where(more, 1, 0)), ~(less | more | number)


def _numbers(texts: pd.Series, decimal: str | None, date_order: str | None) -> tuple[Any, list[str], Any]:
    """Read plain numbers, or dates unless *date_order* is ``no``; of dates give the months too."""
    style = _style(texts, decimal)
    plain = texts.str.strip()
    read = {text: cells.read_number(text, style) for text in plain.unique() if text}
    found = np.array([_nan(read.get(text)) for text in plain])
    filled = (plain != "").to_numpy()
    if date_order == "no" or not filled.any() or np.isfinite(found[filled]).mean() > 0.5:
        return found, ["it is empty" if not text else "it is not a number" for text in plain], None
    order = date_order or dates.date_order(texts)
    moments = dates.read_times(texts, order=order if order in ("dmy", "mdy", "ymd") else None)
    kinds = moments["kind"].to_numpy(dtype=object)
    why = [_why_date(str(kind)) for kind in kinds]
    when = moments["phenomenon_time"]
    return decimal_years(when), why, when.dt.month.astype("str").to_numpy(dtype=object)


def _why_date(kind: str) -> str:
    if kind == "ambiguous_date":
        return "day and month can be read both ways (say --date-order dmy or --date-order mdy)"
    return "it is empty" if kind == "blank" else "it is neither a date nor a number"


def _nan(number: float | None) -> float:
    return float("nan") if number is None or not np.isfinite(number) else float(number)


def _nothing(readings: Readings, value: str) -> str:
    if readings.left_out:
        one = readings.left_out[0]
        return (
            f"Nothing in {readings.file} can be used: all {len(readings.left_out)} rows with something in "
            f"{value!r} were left out, the first because of {one.said()}."
        )
    return f"The column {value!r} of {readings.file} is empty."
