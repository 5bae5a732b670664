"""Reads the rows of a field file, block by block, into observations and quarantine.

Every row is accounted for: *observed* if it yields at least one observation, *waiting* if all it could
yield hangs on an open question, else *quarantined*. Every cell that cannot be used is a line of the
quarantine with its row, column, value, a plain reason, and what would be right.

All work is done on whole columns, and on distinct values where texts have to be read: a file of a
million rows holds a few thousand different words.

What surprised us: cells decide less than their neighbours. A ``<`` may stand in the cell, in a remark
column, or in a sentence ("Not Detected") with the limit in a third column and in another unit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from sensors.cells import ND_WORDS, read_results, word_key
from sensors.dates import read_times
from sensors.dialects import PLAIN
from sensors.mapping import Mapping
from sensors.places import read_points
from sensors.plan import Meta, Plan, combination_codes
from sensors.questions import Choice, Question, slug
from sensors.vocabulary import (
    PRIVATE_ROLES,
    fold,
    month_names,
    no_result_words,
    read_fraction,
    read_medium,
    read_site_type,
)
from situation.errors import UnitError
from situation.observation import FLAT_COLUMNS
from situation.properties import PROPERTIES
from situation.topic import Topic
from situation.unit import factor, kind_of, read_unit

#: A column of cells; the stubs of numpy know no missing text, so neither do these two.
Array = Any
_where: Any = np.where
_isin: Any = np.isin

OBSERVED, WAITING, QUARANTINED = 1, 2, 3
LINE = ("source_row", "column", "value", "reason", "fix", "question_id")
NO_PLACE_NO_SITE = "The row names no site and no place."

_SIGNED_GROUPS = frozenset({"radioactivity", "isotopes", "events"})
_SIGNED = frozenset(
    {
        "temperature",
        "air_temperature",
        "redox_potential",
        "orp",
        "groundwater_level",
        "depth_to_groundwater",
        "gage_height",
        "discharge",
    }
)
_CONDITIONS: dict[str, tuple[str, str]] = {
    "not detected": ("<", "below_detection"),
    "not detected at reporting limit": ("<", "below_quantification"),
    "not detected at detection limit": ("<", "below_detection"),
    "below detection limit": ("<", "below_detection"),
    "below method detection limit": ("<", "below_detection"),
    "below reporting limit": ("<", "below_quantification"),
    "below detection quantification limit": ("<", "below_quantification"),
    "present below quantification limit": ("<", "below_quantification"),
    "below quantification limit": ("<", "below_quantification"),
    "detected not quantified": ("<", "trace"),
    "trace": ("<", "trace"),
    "present above quantification limit": (">", "above_range"),
    "above quantification limit": (">", "above_range"),
    "above operating range": (">", "above_range"),
    "systematic contamination": ("missing", "not_analysed"),
    "not reported": ("missing", "not_analysed"),
    "not analyzed": ("missing", "not_analysed"),
    "not analysed": ("missing", "not_analysed"),
}
#: Our words for a condition, as a dialect's ``[codes.condition]`` may use them, and the sign each brings.
_SIGN_OF: dict[str, str] = {
    "detected": "",
    "below_detection": "<",
    "below_quantification": "<",
    "below_limit": "<",
    "trace": "<",
    "above_range": ">",
    "uncountable": "words",
    "present_or_absent": "words",
    "not_analysed": "void",
    "no_value": "void",
}
_REMARKS: dict[str, str] = {
    "<": "<",
    "lt": "<",
    "less than": "<",
    "u": "<",
    "nd": "<",
    "bdl": "<",
    "bql": "<",
}
_REMARKS |= {"<lod": "<", "<loq": "<", "non detect": "<", "not detected": "<", "uj": "<"}
_REMARKS |= {"≤": "<", "<=": "<", "≥": ">", ">=": ">", "b": "", "=": ""}
_REMARKS |= {
    ">": ">",
    "gt": ">",
    "greater than": ">",
    "e": "E",
    "j": "E",
    "estimated": "E",
    "~": "E",
    "est": "E",
}
_STATUS = {
    "approved": "approved",
    "accepted": "approved",
    "final": "approved",
    "validated": "approved",
    "verified": "approved",
    "published": "unknown",
    "provisional": "provisional",
    "preliminary": "provisional",
    "draft": "provisional",
    "on hold": "provisional",
    "hasissues": "suspect",
    "has issues": "suspect",
    "suspect": "suspect",
    "questionable": "suspect",
    "rejected": "rejected",
    "not approved": "rejected",
    "invalid": "rejected",
    "bad": "rejected",
    "estimated": "estimated",
}
_INTERVAL = re.compile(r"^(\d{4}-\d\d-\d\dT[^/]+)/\S+$")
_BY_TYPE = {
    "well": "groundwater",
    "household_well": "groundwater",
    "spring": "groundwater",
    "river": "surface_water",
    "lake": "surface_water",
    "tap": "drinking_water",
    "air_station": "air",
}
_METHODS = (
    ("strip", ("strip", "test kit", "colour card", "color card", "drop test", "streifen", "bandelette")),
    ("sensor", ("sensor", "logger", "sds011", "dht22", "bme280", "pms")),
    ("meter", ("probe", "meter", "electrode", "sonde", "multiparameter", "handheld")),
    (
        "laboratory",
        ("icp", "chromatograph", "spectro", "lab", "titration", "colorimetr", ", ic", "gc", "hplc"),
    ),
)


@dataclass
class Sites:
    """A table of sites to join: id and name to place; numbers in degrees (EPSG:4326)."""

    table: pd.DataFrame  # key, name, type, longitude, latitude, datum, accuracy
    file: str = "site table"


@dataclass
class Context:
    """What holds for all rows of a file."""

    plan: Plan
    topic: Topic | None = None
    source_id: str = "upload"
    contributor: str | None = None
    now: pd.Timestamp = field(default_factory=lambda: pd.Timestamp.now("UTC"))
    sites: Sites | None = None
    known: Sites | None = None
    given_ids: bool = False  # a source names its results itself

    @property
    def mapping(self) -> Mapping:
        """How the file is understood."""
        return self.plan.mapping

    def constant(self, name: str, default: str | None = None) -> str | None:
        """Give what holds for every row by the mapping."""
        value = self.mapping.constants.get(name)
        return default if value is None else str(value)


@dataclass
class Outcome:
    """What a block gave: observations (columns of the flat form), lines of the quarantine, and each row's state."""

    observations: pd.DataFrame
    quarantine: pd.DataFrame
    states: Array
    unplaced: int = 0


class _Lines:
    """Collects lines of the quarantine by whole columns."""

    def __init__(self, rows: Array) -> None:
        self.rows = rows
        self.parts: list[pd.DataFrame] = []

    def add(
        self,
        at: np.ndarray,
        column: object,
        value: object,
        reason: object,
        fix: object,
        question: object = None,
    ) -> None:
        """Add a line for each row position in *at*."""
        if len(at) == 0:
            return
        parts = {"position": at, "source_row": self.rows[at]}
        for name, cells in zip(LINE[1:], (column, value, reason, fix, question), strict=True):
            parts[name] = cells if isinstance(cells, (np.ndarray, pd.Series, list)) else [cells] * len(at)
            parts[name] = np.asarray(parts[name], dtype=object)
        self.parts.append(pd.DataFrame(parts))

    def table(self) -> pd.DataFrame:
        """Give all lines in the order of the file."""
        if not self.parts:
            return pd.DataFrame({name: pd.Series([], dtype=object) for name in ("position", *LINE)})
        table = pd.concat(self.parts, ignore_index=True)
        return table.sort_values("position", kind="stable", ignore_index=True)


def _each(texts: pd.Series, read: Callable[[str], object]) -> Array:
    """Read each distinct text once."""
    codes, distinct = pd.factorize(texts)
    found = np.empty(len(distinct) + 1, dtype=object)
    found[:-1] = [read(str(text)) for text in distinct]
    found[-1] = None
    return found[codes]


def _coalesce(block: pd.DataFrame, mapping: Mapping, role: str) -> pd.Series | None:
    """Give the cells of a role: of several columns, the first that is filled in a row."""
    columns = mapping.of(role)
    if not columns:
        return None
    text = block[columns[0].source].str.strip()
    for column in columns[1:]:
        empty = text == ""
        if not empty.any():
            break
        text = text.where(~empty, block[column.source].str.strip())
    return text


def read_block(block: pd.DataFrame, context: Context) -> Outcome:
    """Read one block of rows.

    Parameters
    ----------
    block : DataFrame
        As :meth:`sensors.raw_table.RawTable.blocks` yields it.
    context : Context
        What is decided about the file.

    Returns
    -------
    Outcome
        One state a row, in the order of *block*.
    """
    return _Block(block, context).read()


class _Block:
    """One block on its way; positions count its rows from 0."""

    def __init__(self, block: pd.DataFrame, context: Context) -> None:
        self.block, self.context = block.reset_index(drop=True), context
        self.mapping, self.plan = context.mapping, context.plan
        self.rows = block.index.to_numpy("int64")
        self.lines = _Lines(self.rows)
        self.size = len(block)
        self.usable = np.ones(self.size, dtype=bool)
        self.waits = np.zeros(self.size, dtype=bool)  # the row as a whole waits
        self.why = block.attrs.get("not_readings", {})
        self.surplus = block.attrs.get("surplus", {})
        self.unplaced = 0

    def read(self) -> Outcome:
        self._drop_not_readings()
        cells = self._cells()
        self._without_cells(cells)
        site = self._sites()
        time = self._times(cells)
        place = self._places(site)
        self._name_sites(site, place)
        cells = cells[self.usable[cells["at"].to_numpy("int64")]].reset_index(drop=True)
        results = self._results(cells)
        observations = self._observations(cells, results, site, time, place)
        return self._outcome(observations)

    # -- rows that are no readings ------------------------------------------------------------------

    def _drop_not_readings(self) -> None:
        if self.why:
            at = np.flatnonzero(_isin(self.rows, np.fromiter(self.why, dtype="int64")))
            reasons = [self.why[row] for row in self.rows[at]]
            self.lines.add(
                at, None, None, [f"Not a reading: {reason}." for reason in reasons], "Nothing to do."
            )
            self.usable[at] = False
        if self.surplus:
            at = np.flatnonzero(_isin(self.rows, np.fromiter(self.surplus, dtype="int64")) & self.usable)
            self.lines.add(
                at,
                None,
                None,
                "The row has more cells than the header has columns, so its cells may have shifted.",
                "Put text that holds the separator in quotes.",
            )
            self.usable[at] = False

    # -- cells --------------------------------------------------------------------------------------

    def _cells(self) -> pd.DataFrame:
        """List the filled result cells: row position, text, number of what is measured."""
        if self.mapping.layout == "long":
            return self._long_cells()
        self.metas = columns = self.plan.columns
        if not columns:
            return pd.DataFrame({"at": np.array([], "int64"), "text": pd.Series([], dtype="str"), "meta": []})
        parts = []
        beside, codes = self.mapping.beside("qualifier"), self._remark_codes()
        for number, meta in enumerate(columns):
            text = self.block[meta.column].str.strip()
            filled = (text != "").to_numpy()
            if meta.column in beside:
                signs = _each(
                    self.block[beside[meta.column]].str.strip(),
                    lambda mark: codes.get(_mark(mark)) in ("<", ">"),
                )
                filled = filled | signs.astype(bool)
            at = np.flatnonzero(filled & self.usable)
            parts.append(pd.DataFrame({"at": at, "text": text.iloc[at].to_numpy(), "meta": number}))
        cells = pd.concat(parts, ignore_index=True)
        cells["text"] = cells["text"].astype("str")
        return cells.sort_values("at", kind="stable", ignore_index=True)

    def _long_cells(self) -> pd.DataFrame:
        codes, distinct = combination_codes(self.mapping, self.block)
        self.metas = [self.plan.metas.get(key) or Meta("not known") for key in distinct]
        text = _coalesce(self.block, self.mapping, "value")
        at = np.flatnonzero(self.usable)
        values = text if text is not None else pd.Series("", index=self.block.index, dtype="str")
        return pd.DataFrame({"at": at, "text": values.iloc[at].to_numpy(), "meta": codes[at]}).astype(
            {"text": "str"}
        )

    def _without_cells(self, cells: pd.DataFrame) -> None:
        """Quarantine rows that hold no reading at all."""
        some = np.zeros(self.size, dtype=bool)
        some[cells["at"].to_numpy("int64")] = True
        at = np.flatnonzero(self.usable & ~some)
        if len(at) == 0:
            return
        filled = (self.block.iloc[at] != "").sum(axis=1).to_numpy()
        if "column-value" in self.plan.questions:
            at = at[(filled > 0)]
            self.lines.add(at, None, None, "No column of the file is known to hold what was measured.",
                           "Say which column holds it.", "column-value")  # fmt: skip
            self.usable[at] = False
            self.waits[at] = True
            return
        reasons = _where(
            filled <= 1,
            "Not a reading: a line of text or a footer.",
            "The row holds no reading: every column that measures something is empty."
            if self.mapping.of("measure") or self.mapping.of("value")
            else "No column of the file is known to hold a measurement.",
        )
        self.lines.add(at, None, None, reasons, "Fill in what was measured, or leave the row out.")
        self.usable[at] = False

    # -- sites --------------------------------------------------------------------------------------

    def _sites(self) -> dict[str, Array]:
        found = {}
        for role in ("site_id", "site_name", "site_type"):
            text = _coalesce(self.block, self.mapping, role)
            said = self.context.constant(role, "")
            texts = text if text is not None else pd.Series(said, index=self.block.index, dtype="str")
            found[role] = _each(texts, _one_space)
        found["key"] = _where(found["site_id"] != "", found["site_id"], found["site_name"])
        found["type"] = _each(
            pd.Series(found["site_type"]), lambda text: read_site_type(text) if text else None
        )
        return found

    # -- times --------------------------------------------------------------------------------------

    def _times(self, cells: pd.DataFrame) -> pd.DataFrame:
        chosen = self._read_all_times()
        kind = chosen["kind"].fillna("").to_numpy()
        at = self.usable & (
            (chosen["phenomenon_time"].isna().to_numpy()) | _isin(kind, ("future", "too_old"))
        )
        asked = at & (kind == "ambiguous_date") & ("date-order" in self.plan.questions)
        question = "date-order"
        if "column-date" in self.plan.questions:
            asked, question = at, "column-date"
        where = np.flatnonzero(at)
        if len(where):
            reasons = chosen["reason"].to_numpy(dtype=object)[where]
            reasons = _where(pd.isna(reasons), "The row has no date.", reasons)
            fixes = chosen["fix"].to_numpy(dtype=object)[where]
            fixes = _where(pd.isna(fixes), "Write the date, best as 2026-03-04.", fixes)
            questions = _where(asked[where], question, None)
            self.lines.add(where, chosen["column"].to_numpy()[where], chosen["text"].to_numpy()[where], reasons, fixes,
                           questions)  # fmt: skip
        self.usable &= ~at
        self.waits |= asked
        return chosen

    def _read_all_times(self) -> pd.DataFrame:
        """Read the columns of time in the order of their rank, until each row has one that can be read."""
        parts = self._time_columns()
        result: pd.DataFrame | None = None
        for dates, times, zones, column in parts:
            if result is not None and not (result["kind"] == "blank").any():
                break
            found = self._read_time(dates, times, zones)
            found["column"], found["text"] = column, dates.to_numpy()
            result = found if result is None else _fill_blank(result, found)
        if result is None:
            result = pd.DataFrame(index=self.block.index)
            result["phenomenon_time"] = pd.Series(pd.NaT, index=result.index, dtype="datetime64[us, UTC]")
            for name in ("phenomenon_time_precision", "time_zone_source", "reason", "fix", "column", "text"):
                result[name] = None
            result["kind"] = "blank"
            result["reason"] = "No column of the file is known to hold the date."
            result["fix"] = "Say which column holds it, or add a column Date, e.g. 2026-03-04."
        return result

    def _time_columns(self) -> list[tuple[pd.Series, pd.Series | None, pd.Series | str | None, str]]:
        columns = sorted(
            [*self.mapping.of("date"), *self.mapping.of("datetime")], key=lambda c: (c.rank, c.role)
        )
        clock = _coalesce(self.block, self.mapping, "time")
        zone = _coalesce(self.block, self.mapping, "zone")
        found: list[tuple[pd.Series, pd.Series | None, pd.Series | str | None, str]] = []
        for number, column in enumerate(columns):
            with_clock = clock if column.role == "date" or (number == 0 and clock is not None) else None
            cells = self.block[column.source].str.strip()
            if cells.str.contains("/", regex=False).any():
                cells = cells.str.replace(_INTERVAL, r"\1", regex=True)  # 2026-01-01T00:00Z/2026-01-02T00:00Z
            found.append((cells, with_clock, column.zone or zone, column.source))
        if not found and (day := self.context.constant("date")):
            found.append((pd.Series(day, index=self.block.index, dtype="str"), clock, zone, ""))
        if not found and (year := self.mapping.first("year")):
            text = self.block[year].str.strip()
            for role in ("month", "day"):
                part = _coalesce(self.block, self.mapping, role)
                if part is None:
                    break
                number_text = _each(part, _month_number)
                text = text + _where(number_text == "", "", "-" + number_text.astype(str))
            found.append((text, clock, zone, year))
        return found

    def _read_time(
        self, dates: pd.Series, times: pd.Series | None, zones: pd.Series | str | None
    ) -> pd.DataFrame:
        parts = {"d": dates}
        if times is not None:
            parts["t"] = times
        if isinstance(zones, pd.Series):
            parts["z"] = zones
        table = pd.DataFrame(parts)
        codes = np.zeros(len(table), dtype="int64")
        for name in table:
            code, distinct = pd.factorize(table[name])
            codes = codes * max(len(distinct), 1) + code
        order, distinct_codes = pd.factorize(codes)
        first = np.zeros(len(distinct_codes), dtype="int64")
        first[order[::-1]] = np.arange(len(codes))[::-1]
        short = table.iloc[first].reset_index(drop=True)
        default_zone = self.context.constant("time_zone") or (
            self.context.topic.time_zone if self.context.topic else "UTC"
        )
        found = read_times(
            short["d"],
            short.get("t"),
            short["z"] if "z" in short else (zones if isinstance(zones, str) else None),
            order=self.plan.order,
            default_zone=default_zone,
            months=month_names(),
            midnight_is_day=self._midnight_is_day(),
            now=self.context.now,
        )
        if isinstance(zones, str):
            said = found["time_zone_source"].fillna("").to_numpy()
            found["time_zone_source"] = _where(said == "", None, "documented")
        return found.iloc[order].reset_index(drop=True)

    def _midnight_is_day(self) -> bool | None:
        """Say what midnight means: by the dialect; of a source never by the other rows that came with it."""
        said = self.context.constant("midnight")
        if said is not None or self.context.given_ids:
            return said == "day"
        return None

    # -- places -------------------------------------------------------------------------------------

    def _places(self, site: dict[str, Array]) -> pd.DataFrame:
        place = self._given_places()
        kind = place["kind"].fillna("").to_numpy(dtype=object)
        self._ask_swapped(place, kind)
        bad = self.usable & ~_isin(kind, ("", "blank", "outside")) & ~self.waits
        missing = place["longitude"].isna().to_numpy()
        for table in (self.context.sites, self.context.known):
            if table is not None:
                self._join_sites(table, site, place, missing)
                missing = place["longitude"].isna().to_numpy()
        where = np.flatnonzero(bad & missing)
        if len(where):
            asked = self.plan.crs_waits & (kind[where] == "no_crs")
            self.lines.add(
                where,
                self._place_column(),
                place["text"].to_numpy()[where],
                place["reason"].to_numpy(dtype=object)[where],
                place["fix"].to_numpy(dtype=object)[where],
                _where(asked, "crs", None),
            )
            self.usable[where[asked]] = False
            self.waits[where[asked]] = True
        return place

    def _place_column(self) -> str | None:
        for role in ("latitude", "geopoint", "x"):
            if self.mapping.first(role):
                return self.mapping.first(role)
        return None

    def _given_places(self) -> pd.DataFrame:
        mapping, size = self.mapping, self.size
        lon, lat = _coalesce(self.block, mapping, "longitude"), _coalesce(self.block, mapping, "latitude")
        x, y = _coalesce(self.block, mapping, "x"), _coalesce(self.block, mapping, "y")
        text = _coalesce(self.block, mapping, "geopoint")
        crs: pd.Series | str | None = _coalesce(self.block, mapping, "crs")
        datum = _coalesce(self.block, mapping, "datum")
        place: pd.DataFrame | None = None
        if lon is None and self.context.constant("latitude") and self.context.constant("longitude"):
            lon = pd.Series(self.context.constant("longitude"), index=self.block.index, dtype="str")
            lat = pd.Series(self.context.constant("latitude"), index=self.block.index, dtype="str")
        if lon is not None and lat is not None:
            place = self._points({"x": lon, "y": lat, "crs": datum if datum is not None else None})
        if text is not None and (place is None or (place["kind"] == "blank").any()):
            place = _fill_blank(place, self._points({"text": text}))
        if x is not None and y is not None and (place is None or (place["kind"] == "blank").any()):
            zone = _coalesce(self.block, mapping, "utm_zone")
            if self.plan.crs_waits:
                grid = self._no_crs(x, y)
            else:
                known = self.plan.crs or (crs if crs is not None else None)
                grid = self._points({"x": x, "y": y, "crs": known, "zone": zone})
            place = _fill_blank(place, grid)
        if place is None:
            place = _no_places(size)
        place["accuracy"] = self._accuracy(place)
        if datum is not None:
            place["horizontal_datum"] = _where(
                (datum == "").to_numpy(), place["horizontal_datum"], datum.to_numpy(dtype=object)
            )
        return place

    def _accuracy(self, place: pd.DataFrame) -> Array:
        found = place["horizontal_accuracy_m"].to_numpy("float64")
        text = _coalesce(self.block, self.mapping, "accuracy")
        if text is not None:
            said = pd.to_numeric(text, errors="coerce").to_numpy("float64")
            found = _where(np.isnan(said), found, said)
        shift = place["transformation_m"].to_numpy("float64")
        return _where(np.isnan(found), shift, np.fmax(found, _where(np.isnan(shift), 0, shift)))

    def _points(self, parts: dict[str, pd.Series | str | None]) -> pd.DataFrame:
        columns = {name: part for name, part in parts.items() if isinstance(part, pd.Series)}
        rest = {name: part for name, part in parts.items() if isinstance(part, str)}
        table = pd.DataFrame(columns)
        codes, short = _distinct_rows(table)
        area = self._area()
        series = {name: short[name] for name in columns}
        if "crs" in series:
            series["crs"] = series["crs"].where(series["crs"] != "", None)
        found = read_points(
            series.get("x"),
            series.get("y"),
            text=series.get("text"),
            zone=series.get("zone", rest.get("zone")),
            crs=series.get("crs", rest.get("crs")),
            area=area,
        )
        shown = short.iloc[:, 0]
        for name in list(short)[1:]:
            shown = shown + ", " + short[name]
        found["text"] = shown.to_numpy(dtype="str") if shown.dtype != "str" else shown.array
        return found.iloc[codes].reset_index(drop=True)

    def _area(self) -> tuple[float, float, float, float] | None:
        """Where the points should be: round the file's other points, or the topic's area."""
        area = self.context.topic.area if self.context.topic else None
        if self.plan.centre:
            lon, lat, radius = self.plan.centre
            if area and not _inside(area, lon, lat) and _inside(area, lat, lon):
                return area  # the file as a whole is swapped
            return (
                max(lon - radius, -180),
                max(lat - radius, -90),
                min(lon + radius, 180),
                min(lat + radius, 90),
            )
        return None

    def _no_crs(self, x: pd.Series, y: pd.Series) -> pd.DataFrame:
        place = _no_places(self.size)
        blank = ((x == "") | (y == "")).to_numpy()
        place["kind"] = _where(blank, "blank", "no_crs")
        place["text"] = (x + ", " + y).to_numpy()
        place["reason"] = _where(blank, None, "The reference system of the coordinates is not known.")
        place["fix"] = _where(blank, None, "Answer the question about the reference system.")
        return place

    def _ask_swapped(self, place: pd.DataFrame, kind: Array) -> None:
        swapped = self.usable & (kind == "swapped")
        if not swapped.any():
            return
        answer = self.mapping.answers.get("swapped-coordinates")
        where = np.flatnonzero(swapped)
        if answer in ("swap", "keep"):
            self._swap(place, where, answer == "swap")
            kind[where] = ""
            return
        if answer == "unknown":
            return
        self.plan.questions["swapped-coordinates"] = _swapped_question(
            self.mapping, place["text"].iloc[where[0]]
        )
        self.lines.add(
            where,
            self._place_column(),
            place["text"].to_numpy()[where],
            "Latitude and longitude look swapped: only the other way round does the point lie with the others.",
            "Answer the question about swapped coordinates, or correct the row.",
            "swapped-coordinates",
        )
        self.usable[where] = False
        self.waits[where] = True

    def _swap(self, place: pd.DataFrame, where: np.ndarray, swap: bool) -> None:
        pairs = pd.Series(place["text"].to_numpy()[where]).str.split(", ", expand=True)
        first, second = (1, 0) if swap else (0, 1)
        place.loc[where, "longitude"] = pd.to_numeric(pairs[first], errors="coerce").to_numpy()
        place.loc[where, "latitude"] = pd.to_numeric(pairs[second], errors="coerce").to_numpy()

    def _join_sites(self, sites: Sites, site: dict[str, Array], place: pd.DataFrame, missing: Array) -> None:
        table = sites.table
        lookup: dict[str, int] = {}
        for column in ("name", "key"):
            for position, word in enumerate(table[column]):
                if word:
                    lookup.setdefault(_same_word(str(word)), position)
        for source in ("key", "site_name"):
            names = pd.Series(site[source], dtype="object").fillna("")
            at = _each(names, lambda word: lookup.get(_same_word(word), -1) if word else -1).astype("int64")
            # A row with coordinates of its own keeps them; what kind of site it is still counts, since
            # it decides how exactly the place may be shown.
            self._tell_sites(table, site, at)
            found = missing & (at >= 0) & place["longitude"].isna().to_numpy()
            where = np.flatnonzero(found)
            if len(where) == 0:
                continue
            rows = at[where].astype("int64")
            for name, column in (
                ("longitude", "longitude"),
                ("latitude", "latitude"),
                ("horizontal_datum", "datum"),
                ("accuracy", "accuracy"),
            ):
                values = place[name].to_numpy(copy=True)
                values[where] = table[column].to_numpy()[rows]
                place[name] = values

    @staticmethod
    def _tell_sites(table: pd.DataFrame, site: dict[str, Array], at: np.ndarray) -> None:
        """Fill in names and types that the rows themselves leave empty."""
        where = np.flatnonzero(at >= 0)
        for name, column in (("site_name", "name"), ("type", "type")):
            said = pd.Series(site[name][where], dtype="object")
            empty = (said.isna() | said.eq("")).to_numpy()
            site[name][where[empty]] = table[column].to_numpy(dtype=object)[at[where[empty]]]

    def _name_sites(self, site: dict[str, Array], place: pd.DataFrame) -> None:
        """Give each row its site: by id, by name, or by its place; without either it cannot be kept."""
        known = place["longitude"].notna().to_numpy()
        named = site["key"] != ""
        if self.context.constant("site_by") == "place":
            named &= ~known
        lost = self.usable & ~named & ~known
        where = np.flatnonzero(lost)
        open_question = "column-site" if "column-site" in self.plan.questions else None
        self.lines.add(where, self._place_column(), None,
                       "No column of the file is known to name a site or a place." if open_question else NO_PLACE_NO_SITE,
                       "Give the row the name of its site, or latitude and longitude.", open_question)  # fmt: skip
        self.usable &= ~lost
        self.waits |= lost & (open_question is not None)
        by_place = np.flatnonzero(~named & known)
        if len(by_place):
            lon = place["longitude"].to_numpy()[by_place]
            lat = place["latitude"].to_numpy()[by_place]
            site["key"][by_place] = [f"{a:.5f},{o:.5f}" for a, o in zip(lat, lon, strict=True)]
        self.unplaced = int((self.usable & ~known).sum())
        prefix = self.context.constant("id_prefix")
        if prefix is None:
            prefix = f"{self.context.source_id}:"
        site["id"] = _each(
            pd.Series(site["key"]), lambda key: key if key.startswith(prefix) else f"{prefix}{key}"
        )

    # -- results ------------------------------------------------------------------------------------

    def _results(self, cells: pd.DataFrame) -> pd.DataFrame:
        """Read the cells of rows that are still usable; mark what cannot be used."""
        codes, distinct = pd.factorize(cells["text"])
        read = _read_distinct(pd.Series(distinct, dtype="str"), self.plan.decimal)
        found = read.iloc[codes].reset_index(drop=True)
        found["question"] = np.full(len(found), None, dtype=object)
        for name in ("reason", "fix", "detection_condition", "result_status", "qualifier", "unit_in_cell"):
            values = found[name].to_numpy(dtype=object)
            found[name] = _where(pd.isna(values), None, values)
        self._apply_words(cells, found)
        self._apply_remarks(cells, found)
        self._units(cells, found)
        if self.mapping.layout == "long":
            self._apply_limits(cells, found)
        else:
            self._apply_limits_beside(cells, found)
        self._refuse(cells, found)
        self._apply_constants(cells, found)
        self._wait(cells, found)
        return found

    def _at(self, cells: pd.DataFrame, role: str) -> pd.Series | None:
        text = _coalesce(self.block, self.mapping, role)
        return None if text is None else text.iloc[cells["at"].to_numpy("int64")].reset_index(drop=True)

    def _said(self, cells: pd.DataFrame, role: str) -> pd.Series | None:
        """Give what other columns say of each cell: of its row, or in a wide table of its column."""
        if self.mapping.layout == "long":
            return self._at(cells, role)
        beside = self.mapping.beside(role)
        whole = self._at(cells, role) if role == "unit" else None
        if not beside:
            return whole
        out = (
            np.full(len(cells), "", dtype=object)
            if whole is None
            else whole.to_numpy(dtype=object, copy=True)
        )
        number, at = cells["meta"].to_numpy("int64"), cells["at"].to_numpy("int64")
        for position, meta in enumerate(self.metas):
            if meta.column in beside:
                here = number == position
                out[here] = self.block[beside[meta.column]].str.strip().to_numpy(dtype=object)[at[here]]
        return pd.Series(out, dtype="str")

    def _remark_codes(self) -> dict[str, str]:
        rules = self.mapping.rules
        return _REMARKS | dict((rules.codes if rules else {}).get("qualifier", {}))

    def _apply_words(self, cells: pd.DataFrame, found: pd.DataFrame) -> None:
        """Keep results that are words which the dialect knows, as words: seen, and no number."""
        rules = self.mapping.rules
        words = (rules.codes if rules else {}).get("result", {})
        if not words:
            return
        said = _each(cells["text"], lambda text: words.get(text.strip().casefold()))
        here = ~pd.isna(said)
        found["detection_condition"] = _where(here, said, found["detection_condition"].to_numpy(dtype=object))
        found["censoring"] = _where(here, "text", found["censoring"].to_numpy(dtype=object))
        for name in ("reason", "fix"):
            found[name] = _where(here, None, found[name].to_numpy(dtype=object))
        found["kind"] = _where(here, "", found["kind"].to_numpy(dtype=object))

    def _condition_of(self, text: str) -> tuple[str, str]:
        """Give what a word or code of the condition column means: the sign, and our word for it."""
        rules = self.mapping.rules
        word = dict((rules.codes if rules else {}).get("condition", {})).get(text.strip().casefold())
        if word is not None:
            return _SIGN_OF[word], word
        return _CONDITIONS.get(fold(text), ("", "")) if text else ("", "")

    def _condition_coded(self, text: str) -> bool:
        rules = self.mapping.rules
        return text.strip().casefold() in (rules.codes if rules else {}).get("condition", {})

    def _apply_remarks(self, cells: pd.DataFrame, found: pd.DataFrame) -> None:
        """Let remark and condition columns say what the cell does not: below, above, estimated, missing."""
        result = found["result"].to_numpy("float64", copy=True)
        limit = found["detection_limit"].to_numpy("float64", copy=True)
        censoring = found["censoring"].to_numpy(dtype=object, copy=True)
        condition = found["detection_condition"].to_numpy(dtype=object, copy=True)
        status = found["result_status"].to_numpy(dtype=object, copy=True)
        reason, kind = (
            found["reason"].to_numpy(dtype=object, copy=True),
            found["kind"].to_numpy(dtype=object, copy=True),
        )
        verdict = np.full(len(found), "", dtype=object)
        remarks, said = self._said(cells, "qualifier"), self._said(cells, "condition")
        if remarks is None and said is None:
            return
        if remarks is not None:
            codes = self._remark_codes()
            verdict = _each(remarks, lambda text: codes.get(_mark(text), ""))
            status = _where(verdict == "E", "estimated", status)
            shown = remarks.to_numpy(dtype=object)
            found["qualifier"] = _where(shown == "", found["qualifier"].to_numpy(dtype=object), shown)
        if said is not None:
            read = _each(said, self._condition_of)
            signs = np.array([pair[0] for pair in read], dtype=object)
            words = np.array([pair[1] for pair in read], dtype=object)
            verdict = _where(signs == "", verdict, signs)
            condition = _where(words == "", condition, words)
            # A trace lies between two limits: below the upper one, which stands in a column of its own.
            trace = (words == "trace") & _each(said, self._condition_coded).astype(bool)
            found["trace_of"] = _where(trace, result, np.nan)
        else:
            trace = np.zeros(len(found), dtype=bool)
        quantified = np.isfinite(result) & (censoring == "=")
        for sign in ("<", ">"):
            here = verdict == sign
            limit = _where(
                here & quantified & (result != 0) & ~trace, result, limit
            )  # "<" beside 0: the limit stands elsewhere
            result = _where(here & quantified, np.nan, result)
            free = here & (
                quantified | _isin(kind, ("blank", "text", "nd_without_limit")) | (censoring == "missing")
            )
            censoring = _where(free, sign, censoring)
            reason, kind = _where(free, None, reason), _where(free, "", kind)
            default = "below_detection" if sign == "<" else "above_range"
            condition = _where(free & (condition == None), default, condition)  # noqa: E711
        # A number beside "uncountable" or "present or absent" is a code and no concentration.
        words_only = verdict == "words"
        result = _where(words_only, np.nan, result)
        censoring = _where(words_only, "text", censoring)
        reason, kind = _where(words_only, None, reason), _where(words_only, "", kind)
        gone = (verdict == "missing") & ~quantified
        void = verdict == "void"
        result = _where(void, np.nan, result)
        reason = _where(gone | void, "The source reports no result for this row.", reason)
        for name, values in (("result", result), ("detection_limit", limit), ("censoring", censoring),
                             ("detection_condition", condition), ("result_status", status), ("reason", reason),
                             ("kind", kind)):  # fmt: skip
            found[name] = values

    def _units(self, cells: pd.DataFrame, found: pd.DataFrame) -> None:
        """Give each cell property, unit and form: of its column or row, or as written behind the number."""
        number = cells["meta"].to_numpy("int64")
        for name in ("property", "name", "code", "unit", "unit_source", "species", "fraction", "medium"):
            values = np.array([getattr(meta, name) for meta in self.metas] or [None], dtype=object)
            found[f"m_{name}"] = values[number] if len(number) else np.array([], dtype=object)
        inside = found["unit_in_cell"].to_numpy(dtype=object)
        said = self._said(cells, "unit") if self.mapping.layout == "wide" else None
        if said is not None:
            texts = said.to_numpy(dtype=object)
            inside = _where(pd.isna(inside) & (texts != ""), texts, inside)
        if not any(cell is not None for cell in pd.unique(inside)):
            return
        read = _each(pd.Series(inside), lambda text: read_unit(text))
        ucum = np.array([None if u is None else u.ucum for u in read], dtype=object)
        form = np.array([None if u is None else u.species for u in read], dtype=object)
        have = np.array([code is not None for code in ucum])
        found["m_unit"] = _where(have, ucum, found["m_unit"].to_numpy(dtype=object))
        found["m_unit_source"] = _where(have, inside, found["m_unit_source"].to_numpy(dtype=object))
        with_form = have & np.array([word is not None for word in form])
        found["m_species"] = _where(with_form, form, found["m_species"].to_numpy(dtype=object))
        found["unit_given"] = have

    def _apply_limits(self, cells: pd.DataFrame, found: pd.DataFrame) -> None:
        """Take the limit of a ``<`` or ``>`` from its own column, in the unit of the result."""
        columns, units = self.mapping.of("limit"), self.mapping.of("limit_unit")
        at = cells["at"].to_numpy("int64")
        for number, column in enumerate(columns):
            need = (
                _isin(found["censoring"].to_numpy(dtype=object), ("<", ">"))
                & found["detection_limit"].isna().to_numpy()
            )
            if not need.any():
                break
            text = self.block[column.source].str.strip().iloc[at].reset_index(drop=True)
            value = pd.to_numeric(text.str.replace(",", ".", regex=False), errors="coerce").to_numpy(
                "float64"
            )
            own = (
                self.block[units[number].source].str.strip().iloc[at].reset_index(drop=True)
                if number < len(units)
                else None
            )
            self._set_limits(found, np.flatnonzero(need & np.isfinite(value)), value, own)
        if "trace_of" in found:
            limit = found["detection_limit"].to_numpy("float64")
            trace = found["trace_of"].to_numpy("float64")
            found["detection_limit"] = _where(np.isnan(limit), trace, limit)

    def _apply_limits_beside(self, cells: pd.DataFrame, found: pd.DataFrame) -> None:
        """Take limits, methods and uncertainties from the columns beside the measured one."""
        limits, units = self._said(cells, "limit"), self._said(cells, "limit_unit")
        need = (
            _isin(found["censoring"].to_numpy(dtype=object), ("<", ">"))
            & found["detection_limit"].isna().to_numpy()
        )
        if limits is not None and need.any():
            own = {
                c.belongs: c.unit_source or c.unit
                for c in self.mapping.columns
                if c.role == "limit" and c.unit
            }
            if units is None and own:
                names = np.array([own.get(meta.column, "") for meta in self.metas], dtype=object)
                units = pd.Series(names[cells["meta"].to_numpy("int64")])
            value = _numbers(limits.str.lstrip("<≤ "))
            self._set_limits(found, np.flatnonzero(need & np.isfinite(value)), value, units)
        uncertainty, method = self._said(cells, "uncertainty"), self._said(cells, "method")
        if uncertainty is not None:
            given = found["result_uncertainty"].to_numpy("float64")
            found["result_uncertainty"] = _where(np.isnan(given), _numbers(uncertainty), given)
        if method is not None:
            found["m_method"] = method.to_numpy(dtype=object)

    def _set_limits(
        self, found: pd.DataFrame, where: np.ndarray, value: np.ndarray, units: pd.Series | None
    ) -> None:
        limit = found["detection_limit"].to_numpy("float64", copy=True)
        unit = found["m_unit"].to_numpy(dtype=object, copy=True)
        source = found["m_unit_source"].to_numpy(dtype=object, copy=True)
        species = found["m_species"].to_numpy(dtype=object, copy=True)
        key = found["m_property"].to_numpy(dtype=object)
        texts = np.full(len(found), "", dtype=object) if units is None else units.to_numpy(dtype=object)
        # A file has a handful of combinations of units, whatever its rows: each is read once.
        groups = pd.MultiIndex.from_arrays([names[where] for names in (texts, unit, species, key)])
        codes, _ = pd.factorize(groups)
        order = np.argsort(codes, kind="stable")
        for rows in np.split(where[order], np.flatnonzero(np.diff(codes[order])) + 1):
            if not len(rows):
                continue
            i = rows[0]
            text = str(texts[i])
            said = read_unit(text)
            if not text or said.ucum is None or said.ucum == unit[i]:
                limit[rows] = value[rows]
            elif unit[i] is None:
                form = species[i] or said.species
                limit[rows], unit[rows], source[rows] = value[rows], said.ucum, text
                species[rows] = form
            else:
                try:
                    scale, offset = factor(key[i], said.ucum, said.species or species[i], unit[i], species[i])
                    limit[rows] = value[rows] * scale + offset
                except UnitError:
                    limit[rows] = np.nan
        found["detection_limit"], found["m_unit"], found["m_unit_source"], found["m_species"] = (
            limit,
            unit,
            source,
            species,
        )

    def _refuse(self, cells: pd.DataFrame, found: pd.DataFrame) -> None:
        """Mark cells that are no results, and results that cannot be."""
        kind = found["kind"].to_numpy(dtype=object)
        reason = found["reason"].to_numpy(dtype=object, copy=True)
        fix = found["fix"].to_numpy(dtype=object, copy=True)
        reason = _where(kind == "nd_without_limit", None, reason)
        blank = (kind == "blank") | (found["censoring"] == "missing").to_numpy()
        reason = _where(blank & pd.isna(reason), "The cell says that there is no result.", reason)
        fix = _where(blank & pd.isna(fix), "Nothing to do, or write the result.", fix)
        presence = found["detection_condition"].isin(["present", "absent"]).to_numpy()
        words = (kind == "text") & ~presence & pd.isna(reason)
        reason = _where(words, "The cell holds words and no result.", reason)
        fix = _where(words & pd.isna(fix), "Write the result as a number, or < and the limit.", fix)
        result, limit = found["result"].to_numpy("float64"), found["detection_limit"].to_numpy("float64")
        signed, limits = self._signed(found), (np.isfinite(limit) & (limit < 0))
        below = ((np.isfinite(result) & (result < 0)) | limits) & ~signed
        reason = _where(below & pd.isna(reason), "A concentration cannot be below zero.", reason)
        fix = _where(below, "If it was below the limit, write < and the limit, e.g. <0.5.", fix)
        ph = (found["m_property"] == "ph").to_numpy() & np.isfinite(result) & ((result > 14) | (result < 0))
        reason = _where(ph, "A pH lies between 0 and 14.", reason)
        fix = _where(ph, "Check the number and the column.", fix)
        found["reason"], found["fix"] = reason, fix

    def _signed(self, found: pd.DataFrame) -> Array:
        """Say which results may be below zero."""
        codes, distinct = pd.factorize(pd.MultiIndex.from_arrays([found["m_property"], found["m_unit"]]))
        may = []
        for key, unit in distinct:
            if isinstance(key, str):
                may.append(key in _SIGNED or PROPERTIES[key].group in _SIGNED_GROUPS)
            else:
                may.append(
                    not isinstance(unit, str)
                    or kind_of(unit) not in ("mass_concentration", "amount_concentration")
                )
        return np.array([*may, True])[codes]

    def _apply_constants(self, cells: pd.DataFrame, found: pd.DataFrame) -> None:
        result = found["result"].to_numpy("float64", copy=True)
        stand_in = _isin(found["kind"].to_numpy(dtype=object), ("sentinel", "sentinel_suspected"))
        if stand_in.any():
            said = pd.to_numeric(cells["text"].where(stand_in).str.replace("−", "-"), errors="coerce")
            result = _where(stand_in & np.isnan(result), said, result)
        for value, action in self.plan.constants.items():
            here = np.isclose(result, value, rtol=1e-9, atol=0) & self._constant_columns(cells, value)
            if not here.any():
                continue
            if action == "real":
                found.loc[here, "result"] = value
                found.loc[here, "censoring"] = "="
                self._forgive(found, here)
            elif action == "ask":
                found.loc[here, "question"] = _constant_slug(value)
                found.loc[here, "reason"] = "The number repeats so often that it may not be a measured value."
                found.loc[here, "fix"] = "Answer the question about this number."
            elif action == "limit":
                found.loc[here, "detection_limit"] = abs(value)
                found.loc[here, "result"] = np.nan
                found.loc[here, "censoring"] = "<"
                found.loc[here, "detection_condition"] = "below_detection"
                self._forgive(found, here)
            else:
                found.loc[here, "reason"] = "The number stands for “no value”."
                found.loc[here, "fix"] = "Nothing to do, or write the result."

    def _forgive(self, found: pd.DataFrame, here: Array) -> None:
        signed = self._signed(found)
        fine = here & ((found["result"].isna()).to_numpy() | signed | (found["result"] >= 0).to_numpy())
        found.loc[fine, "reason"] = None

    def _constant_columns(self, cells: pd.DataFrame, value: float) -> Array:
        names = self.plan.constant_columns.get(value)
        if not names or self.mapping.layout == "long":
            return np.ones(len(cells), dtype=bool)
        inside = np.array([meta.column in names for meta in self.metas])
        return inside[cells["meta"].to_numpy("int64")]

    def _wait(self, cells: pd.DataFrame, found: pd.DataFrame) -> None:
        """Let cells wait whose unit, form or decimal mark is asked for."""
        question = found["question"].to_numpy(dtype=object, copy=True)
        reason = found["reason"].to_numpy(dtype=object, copy=True)
        if any(meta.questions for meta in self.metas):
            question, reason = self._asked(cells, found, question, reason)
        unclear = (found["kind"] == "ambiguous_decimal").to_numpy() & ("decimal" in self.plan.questions)
        question = _where(unclear, "decimal", question)
        found["question"], found["reason"] = question, reason

    def _asked(
        self, cells: pd.DataFrame, found: pd.DataFrame, question: Array, reason: Array
    ) -> tuple[Array, Array]:
        """Give each cell the question that its column or combination of names waits for, and the reason."""
        first: Array = np.empty(max(len(self.metas), 1), dtype=object)
        first[: len(self.metas)] = [meta.questions[0] if meta.questions else None for meta in self.metas]
        asked = first[cells["meta"].to_numpy("int64")] if len(cells) else np.array([], dtype=object)
        given = found["unit_given"].to_numpy(bool) if "unit_given" in found else np.zeros(len(found), bool)
        about_unit = np.array([isinstance(q, str) and q.startswith("unit") for q in asked], dtype=bool)
        if (given & about_unit).any():
            form: Array = np.empty(max(len(self.metas), 1), dtype=object)
            form[: len(self.metas)] = [_about_form(meta) for meta in self.metas]
            still = form[cells["meta"].to_numpy("int64")]
            lacking = pd.isna(found["m_species"].to_numpy(dtype=object))
            asked = _where(given & about_unit, _where(lacking, still, None), asked)
        about_form = np.array([isinstance(q, str) and q.startswith("species") for q in asked], dtype=bool)
        asked = _where(given & about_form & ~pd.isna(found["m_species"].to_numpy(dtype=object)), None, asked)
        here = pd.isna(reason) & ~pd.isna(asked)
        question = _where(here, asked, question)
        reason = _where(here, "Waits for the answer to a question.", reason)
        found["fix"] = _where(here, "Answer the question.", found["fix"].to_numpy(dtype=object))
        return question, reason

    # -- observations -------------------------------------------------------------------------------

    def _observations(
        self,
        cells: pd.DataFrame,
        found: pd.DataFrame,
        site: dict[str, Array],
        time: pd.DataFrame,
        place: pd.DataFrame,
    ) -> pd.DataFrame:
        bad = ~pd.isna(found["reason"].to_numpy(dtype=object))
        self._quarantine_cells(cells[bad], found[bad])
        good = found[~bad]
        at = cells["at"].to_numpy("int64")[~bad]
        self.at = at
        self.waiting_at = cells["at"].to_numpy("int64")[
            bad & ~pd.isna(found["question"].to_numpy(dtype=object))
        ]
        out = self._what(good, at, site)
        text = self._verbatim(cells)[~bad]
        out |= {
            "result": good["result"].to_numpy("float64"),
            "result_text": text,
            "unit": good["m_unit"].to_numpy(dtype=object),
            "unit_source": good["m_unit_source"].to_numpy(dtype=object),
            "censoring": good["censoring"].to_numpy(dtype=object),
            "detection_limit": good["detection_limit"].to_numpy("float64"),
            "detection_condition": good["detection_condition"].to_numpy(dtype=object),
            "result_qualifier": good["qualifier"].to_numpy(dtype=object),
            "result_uncertainty": self._number(
                good["result_uncertainty"].to_numpy("float64"), "uncertainty", at
            ),
        }
        out |= self._where_and_when(at, time, place)
        out |= self._quality(good, at)
        out |= {
            "contributor": self.context.contributor,
            "licence": self._column_or_constant("licence", at),
            "attribution": self._column_or_constant("attribution", at),
            "retrieved_at": self.context.now,
            "source_id": self.context.source_id,
            "source_row": self.rows[at],
        }
        return pd.DataFrame(
            {name: cells for name, cells in out.items() if not _all_missing(cells)}, index=np.arange(len(at))
        )

    def _verbatim(self, cells: pd.DataFrame) -> Array:
        """Give what was written as the result: the cell, or where it is empty the words that stand for it."""
        text = cells["text"].to_numpy(dtype=object)
        for role in ("condition", "qualifier"):
            said = self._said(cells, role)
            if said is not None:
                text = _where(text == "", said.to_numpy(dtype=object), text)
        return text

    def _quarantine_cells(self, cells: pd.DataFrame, found: pd.DataFrame) -> None:
        at = cells["at"].to_numpy("int64")
        if self.mapping.layout == "long":
            columns: object = self.mapping.first("value")
        else:
            names = np.array([meta.column for meta in self.metas] or [None], dtype=object)
            columns = names[cells["meta"].to_numpy("int64")] if len(cells) else []
        silent = np.zeros(len(cells), dtype=bool)
        if self.mapping.layout == "wide":
            # "NA" in a wide table is an empty cell: no reading, and nothing to correct.
            silent = (
                found["kind"].isin(["blank", "sentinel"]).to_numpy()
                & ~cells["text"].str.contains(r"\d").to_numpy()
            )
            columns = np.asarray(columns, dtype=object)[~silent]
        keep = ~silent
        self.lines.add(
            at[keep],
            columns,
            cells["text"].to_numpy(dtype=object)[keep],
            found["reason"].to_numpy(dtype=object)[keep],
            found["fix"].to_numpy(dtype=object)[keep],
            found["question"].to_numpy(dtype=object)[keep],
        )

    def _what(self, good: pd.DataFrame, at: np.ndarray, site: dict[str, Array]) -> dict[str, object]:
        medium = self._medium(good, at, site)
        texts = {}
        for role, name in (
            ("method", "procedure"),
            ("sample_id", "sample_id"),
            ("datastream_id", "datastream_id"),
        ):
            text = _coalesce(self.block, self.mapping, role)
            texts[name] = None if text is None else _none_if_empty(text.to_numpy(dtype=object)[at])
        texts |= self._given_ids(good, at)
        fraction = _each(
            pd.Series(good["m_fraction"].to_numpy(dtype=object)), lambda t: read_fraction(t) if t else None
        )
        if "m_method" in good:
            own, row = good["m_method"].to_numpy(dtype=object), texts["procedure"]
            texts["procedure"] = _none_if_empty(_where(own == "", "" if row is None else row, own))
        method = texts["procedure"]
        default = self.context.constant("procedure_class", "unknown")
        classes = default if method is None else _each(pd.Series(method), lambda t: _class_of(t) or default)
        return texts | {
            "monitoring_location_id": site["id"][at],
            "monitoring_location_name": _none_if_empty(site["site_name"][at]),
            "monitoring_location_type": site["type"][at],
            "observed_property": good["m_property"].to_numpy(dtype=object),
            "observed_property_name": good["m_name"].to_numpy(dtype=object),
            "observed_property_code": good["m_code"].to_numpy(dtype=object),
            "sampled_medium": medium,
            "sample_fraction": fraction,
            "method_speciation": good["m_species"].to_numpy(dtype=object),
            "procedure_class": classes
            if isinstance(classes, str)
            else _where(pd.isna(classes), default, classes),
            "replicate": self._replicates(at),
            "position_rule": self._position_rules(site["type"][at]),
        }

    def _given_ids(self, good: pd.DataFrame, at: Array) -> dict[str, Array]:
        """Take the names that a source gives its results: a value that it changes is then a correction."""
        text = _coalesce(self.block, self.mapping, "observation_id") if self.context.given_ids else None
        if text is None:
            return {}
        ids = _none_if_empty(text.to_numpy(dtype=object)[at])
        if self.mapping.layout == "wide":  # one name for all that a row measured
            ids = _where(pd.isna(ids), None, ids + "/" + good["m_name"].to_numpy(dtype=object))
        return {"observation_id": ids}

    def _medium_of(self, text: str) -> str | None:
        rules = self.mapping.rules
        coded = (rules.codes if rules else {}).get("medium", {}).get(text.casefold())
        return coded or (read_medium(text) if text else None)

    def _medium(self, good: pd.DataFrame, at: np.ndarray, site: dict[str, Array]) -> Array:
        medium = np.full(len(at), None, dtype=object)
        text = _coalesce(self.block, self.mapping, "medium")
        for column in reversed(self.mapping.of("medium")):
            said = _each(self.block[column.source].str.strip(), self._medium_of)[at]
            medium = _where(pd.isna(said), medium, said)
        groups = _each(
            pd.Series(good["m_property"].to_numpy(dtype=object)),
            lambda key: "air" if key in PROPERTIES and PROPERTIES[key].group == "air" else "",
        )
        by_type = _each(pd.Series(site["type"][at], dtype=object), lambda kind: _BY_TYPE.get(kind))
        vague = pd.isna(medium) | (medium == "water")
        medium = _where(vague & ~pd.isna(by_type) & (groups != "air"), by_type, medium)
        constant = self.context.constant("medium")
        medium = _where(pd.isna(medium) & (constant is not None), constant, medium)
        medium = _where(pd.isna(medium) & (groups == "air"), "air", medium)
        mapped = ~pd.isna(good["m_property"].to_numpy(dtype=object))
        medium = _where(pd.isna(medium) & mapped & (text is None), "water", medium)
        return _where(pd.isna(medium), "unknown", medium)

    def _replicates(self, at: Array) -> Array:
        found = np.full(len(at), None, dtype=object)
        text = _coalesce(self.block, self.mapping, "replicate")
        if text is not None:
            found = _none_if_empty(text.to_numpy(dtype=object)[at])
        mark = _coalesce(self.block, self.mapping, "replicate_mark")
        if mark is not None:
            rules = self.mapping.rules
            codes = dict((rules.codes if rules else {}).get("replicate_mark", {}))
            marks = _each(mark, lambda t: codes.get(t) or ("replicate" if _says_replicate(t) else None))[at]
            found = _where(pd.isna(found), marks, found)
        return found

    def _position_rules(self, types: Array) -> Array | str:
        topic = self.context.topic
        if topic is None or not topic.privacy:
            return "exact"
        return (
            _each(pd.Series(types), lambda kind: topic.privacy.get(kind, "exact")) if len(types) else "exact"
        )

    def _where_and_when(self, at: np.ndarray, time: pd.DataFrame, place: pd.DataFrame) -> dict[str, object]:
        depth = self._depths(at)
        return {
            "phenomenon_time": time["phenomenon_time"].iloc[at].array,
            "phenomenon_time_precision": time["phenomenon_time_precision"].to_numpy(dtype=object)[at],
            "time_zone_source": time["time_zone_source"].to_numpy(dtype=object)[at],
            "longitude": place["longitude"].to_numpy("float64")[at],
            "latitude": place["latitude"].to_numpy("float64")[at],
            "horizontal_accuracy_m": pd.to_numeric(place["accuracy"]).to_numpy("float64")[at],
            "horizontal_datum": _none_if_empty(place["horizontal_datum"].to_numpy(dtype=object)[at]),
            "depth_m": depth,
        }

    def _depths(self, at: Array) -> Array:
        columns = self.mapping.of("depth")
        if not columns:
            return np.full(len(at), np.nan)
        text = self.block[columns[0].source].str.strip()
        depth = pd.to_numeric(text.str.replace(",", ".", regex=False), errors="coerce").to_numpy("float64")
        units = _coalesce(self.block, self.mapping, "depth_unit")
        own = columns[0].unit
        if units is not None or own:
            said = (
                _each(units, lambda t: _metres(read_unit(t).ucum if t else None))
                if units is not None
                else _metres(own)
            )
            depth = depth * np.asarray(said, dtype="float64")
        wrong = np.flatnonzero((depth < 0) & self.usable)
        if len(wrong):
            self.lines.add(wrong, columns[0].source, text.to_numpy(dtype=object)[wrong],
                           "A depth below ground cannot be negative; the reading is kept without it.",
                           "Write the depth as metres below ground, positive downwards.")  # fmt: skip
        return _where(depth < 0, np.nan, depth)[at]

    def _number(self, values: np.ndarray, role: str, at: Array) -> Array:
        text = _coalesce(self.block, self.mapping, role)
        if text is None:
            return values
        said = pd.to_numeric(text.str.replace(",", ".", regex=False), errors="coerce").to_numpy("float64")[at]
        return _where(np.isnan(said), values, said)

    def _quality(self, good: pd.DataFrame, at: Array) -> dict[str, object]:
        status = good["result_status"].to_numpy(dtype=object)
        for column in self.mapping.of("status"):
            # Of several columns that judge (checked at all? found right?) the worst verdict counts.
            said = _each(self.block[column.source].str.strip(), self._status_of)[at]
            worse = _severity(said) > _severity(status)
            status = _where(worse, said, status)
        status = _where(pd.isna(status), "unknown", status)
        flag = _where(status == "suspect", 3, _where(status == "rejected", 4, 2)).astype("int64")
        reason = _where(flag > 2, "the source marks the result so", None)
        return {"result_status": status, "quality_flag": flag, "quality_reason": reason}

    def _status_of(self, text: str) -> str | None:
        rules = self.mapping.rules
        codes = dict((rules.codes if rules else {}).get("status", {}))
        word = fold(text).removeprefix("validation status ")
        return codes.get(text.strip().casefold()) or _STATUS.get(word)

    def _column_or_constant(self, role: str, at: Array) -> object:
        constant = self.context.constant(role)
        if role == "attribution" and constant is None:
            constant = self.context.contributor
        text = _coalesce(self.block, self.mapping, role)
        if text is None:
            return constant or "unknown"
        cells = text.to_numpy(dtype=object)[at]
        return _where(cells == "", constant or "unknown", cells)

    # -- accounts -----------------------------------------------------------------------------------

    def _outcome(self, observations: pd.DataFrame) -> Outcome:
        states = np.full(self.size, QUARANTINED, dtype="int8")
        states[self.waits] = WAITING
        states[self.waiting_at] = WAITING
        states[self.at] = OBSERVED
        lines = self.lines.table()
        silent = np.ones(self.size, dtype=bool)
        silent[lines["position"].to_numpy("int64")] = False
        silent &= states == QUARANTINED
        if silent.any():
            self.lines.add(np.flatnonzero(silent), None, None, "The row holds no reading.",
                           "Fill in what was measured, or leave the row out.")  # fmt: skip
            lines = self.lines.table()
        for column in harmless_columns(self.mapping):
            name = f"{column} (in the file)" if column in LINE else column
            lines[name] = self.block[column].iloc[lines["position"].to_numpy("int64")].array
        return Outcome(observations, lines.drop(columns="position"), states, self.unplaced)


_SEVERITY = ("unknown", "approved", "provisional", "estimated", "suspect", "rejected")


def _severity(status: Array) -> Array:
    return _each(
        pd.Series(status, dtype="object").fillna(""), lambda word: (" ", *_SEVERITY).index(word or " ")
    )


def harmless_columns(mapping: Mapping) -> list[str]:
    """List the columns whose cells may leave: those that are understood and hold no people."""
    return [c.source for c in mapping.columns if c.role not in PRIVATE_ROLES]


def _read_distinct(texts: pd.Series, decimal: str | None) -> pd.DataFrame:
    """Read result cells; a plain ``<0.5`` is read as the number that it is a limit of, which is quicker."""
    simple = texts.str.fullmatch(r"[<>]\s*\d+([.,]\d+)?").to_numpy(dtype=bool)
    sign = texts.str.slice(0, 1).to_numpy(dtype=object)
    bare = texts.where(~simple, texts.str.slice(1).str.strip())
    read = read_results(bare, decimal=decimal, nd_words=_no_result())
    fine = simple & (read["kind"] == "").to_numpy() & read["result"].notna().to_numpy()
    again = simple & ~fine
    if again.any():
        read.loc[again] = read_results(texts[again], decimal=decimal, nd_words=_no_result())
    result = read["result"].to_numpy("float64")
    read["detection_limit"] = _where(fine, result, read["detection_limit"].to_numpy("float64"))
    read["censoring"] = _where(fine, sign, read["censoring"].to_numpy(dtype=object))
    read["result"] = _where(fine, np.nan, result)
    return read


@cache
def _no_result() -> dict[str, str]:
    """Words of all languages, spelled as cells are compared; where two languages differ, the first counts."""
    found: dict[str, str] = {}
    for word, kind in no_result_words().items():
        found.setdefault(word_key(word), kind)
    return found | dict(ND_WORDS)


def _inside(area: tuple[float, float, float, float], lon: float, lat: float) -> bool:
    return area[0] <= lon <= area[2] and area[1] <= lat <= area[3]


def _one_space(text: str) -> str:
    return " ".join(text.split())


def _same_word(text: str) -> str:
    word = fold(text)
    return word.removeprefix("usgs ").lstrip("0") or word


def _all_missing(cells: object) -> bool:
    """Say whether a column holds nothing: such a one is left to the flat form, which fills it at once."""
    if cells is None:
        return True
    return (
        isinstance(cells, np.ndarray)
        and cells.dtype == object
        and len(cells) > 0
        and bool(pd.isna(cells).all())
    )


def _none_if_empty(cells: Array) -> Array:
    return _where(pd.isna(cells) | (cells == ""), None, cells)


def _month_number(text: str) -> str:
    word = text.strip().casefold()
    number = month_names().get(word) or (int(float(word)) if word.replace(".", "").isdigit() else None)
    return f"{number:02d}" if number else ""


def _mark(text: str) -> str:
    return " ".join(text.casefold().split())


def _numbers(texts: pd.Series) -> Array:
    return pd.to_numeric(texts.str.replace(",", ".", regex=False), errors="coerce").to_numpy("float64")


def _metres(unit: str | None) -> float:
    if unit is None or unit == "m":
        return 1.0
    try:
        return factor(None, unit, None, "m", None)[0]
    except UnitError:
        return float("nan")


def _class_of(text: str | None) -> str | None:
    word = (text or "").casefold()
    return (
        next((kind for kind, marks in _METHODS if any(mark in word for mark in marks)), None)
        if word
        else None
    )


def _about_form(meta: Meta) -> str | None:
    return next((question for question in meta.questions if question.startswith("species")), None)


def _says_replicate(text: str) -> bool:
    word = fold(text)
    return "replicate" in word or "duplicate" in word


def _constant_slug(value: float) -> str:
    return slug("constant", f"{value:.6g}")


def _distinct_rows(table: pd.DataFrame) -> tuple[np.ndarray, pd.DataFrame]:
    number = np.zeros(len(table), dtype="int64")
    for name in table:
        codes, distinct = pd.factorize(table[name])
        number = number * (len(distinct) + 1) + codes + 1
    codes, distinct = pd.factorize(number)
    first = np.zeros(len(distinct), dtype="int64")
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return codes, table.iloc[first].reset_index(drop=True)


def _no_places(size: int) -> pd.DataFrame:
    place = pd.DataFrame(index=range(size))
    for name in (
        "longitude",
        "latitude",
        "altitude_m",
        "horizontal_accuracy_m",
        "transformation_m",
        "accuracy",
    ):
        place[name] = np.full(size, np.nan)
    for name in ("horizontal_datum", "reason", "fix", "text"):
        place[name] = np.full(size, None, dtype=object)
    place["kind"] = np.full(size, "blank", dtype=object)
    return place


def _fill_blank(place: pd.DataFrame | None, other: pd.DataFrame) -> pd.DataFrame:
    if place is None:
        return other
    blank = (place["kind"] == "blank").to_numpy()
    return pd.DataFrame({name: place[name].where(~blank, other[name]) for name in place if name in other})


def _swapped_question(mapping: Mapping, example: object) -> Question:
    return Question(
        "swapped-coordinates",
        "Are latitude and longitude swapped in some rows?",
        "Some points lie with the others, or in the topic's area, only when the two numbers change places.",
        [
            Choice("swap", "Yes, swap them in those rows", "The points move to where the others are."),
            Choice("keep", "No, they are right", "The points stay as they are written."),
            Choice("unknown", "Not known", "The readings are kept without a place."),
        ],
        column=mapping.first("latitude") or mapping.first("x"),
        example=str(example),
    )


__all__ = ["FLAT_COLUMNS", "PLAIN", "Context", "Outcome", "Sites", "harmless_columns", "read_block"]
