"""Quality control on arrival: QARTOD flags for readings that come seldom, raised and never in the way.

QARTOD is made for sensors that report every few minutes. Of its tests we take those that mean something for
a sample every few months, from ``ioos_qc``: gross range (limits in ``data/quality.csv``), location, date,
climatology against the site's own readings once there are eight, and spike. A duplicate test is added.

Three rules hold whatever a test says:

* no test changes a number or drops a reading;
* *fail* (4), which keeps a reading out of the newest picture, is given only to a number **below** what can
  exist: it can be no exceedance. However high a number is, it is at most *suspect* (3), and is shown: what
  looks like a slip of the pen may be the contamination that somebody has to see;
* spike and climatology raise *suspect* and nothing more, for the same reason.

What surprised us: QARTOD's own spike test calls a true contamination event *fail*, and its location test
knows the globe and no shore. Coasts at 1:110 million leave small islands out: a well is held to be in the
sea only where no land is within :data:`SHORE_DEGREES`, and is never more than suspect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from situation import datafile, quality
from situation.errors import DataFileError
from situation.properties import PROPERTIES
from situation.settings import DATA
from situation.topic import Topic
from situation.unit import codes, factors

FILE = DATA / "quality.csv"
#: Least number of readings of a series from which on it says what is usual there.
ENOUGH = 8
#: So many times the usual spread (1.4826 x median absolute deviation, of logarithms) away is unusual.
UNUSUAL = 6.0
#: Degrees around land (1:110 million) within which a well is believed.
SHORE_DEGREES = 0.25
_LEAST_SPREAD = 0.05  # of decimal logarithms: a tenth up or down is never unusual
PASS, NOT_EVALUATED, SUSPECT, FAIL = 1, 2, 3, 4
_COLUMNS = ("property", "unit", "species", "fail_below", "suspect_below", "suspect_above", "reference")
_AMOUNT = "*amount"
#: Groups of properties that are no amounts, of which less than nothing may be said.
_NO_AMOUNTS = ("field measures", "isotopes", "events", "air", "radioactivity")
_SERIES = (
    "monitoring_location_id",
    "observed_property",
    "sampled_medium",
    "sample_fraction",
    "method_speciation",
    "unit",
    "procedure_class",
)
_UNITS = ("observed_property", "unit", "method_speciation", "sampled_medium")
_SAME = (
    *_SERIES,
    "phenomenon_time",
    "depth_m",
    "result_text",
)
_WELLS = ("well", "borehole", "spring")

Flags = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Marks = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Span:
    """What numbers a property can have: below ``fail_below`` none exists, beyond the others few do."""

    unit: str | None
    species: str | None
    fail_below: float
    suspect_below: float
    suspect_above: float
    reference: str


def read_spans(path: Path) -> Mapping[str, Span]:
    """Read the limits of the gross range test.

    Raises
    ------
    DataFileError
        Naming the row that cannot be used.
    """
    found: dict[str, Span] = {}
    for row, cells in datafile.rows(path, _COLUMNS):
        key = cells["property"]
        if key != _AMOUNT and key not in PROPERTIES:
            raise DataFileError(f"{path.name}, row {row}: no property {key!r} in data/properties.csv.")
        low, less, more = (
            datafile.number(path, row, name, cells[name])
            for name in ("fail_below", "suspect_below", "suspect_above")
        )
        fail = -np.inf if low is None else low
        span = Span(
            cells["unit"] or None,
            cells["species"] or None,
            fail,
            fail if less is None else less,
            np.inf if more is None else more,
            cells["reference"],
        )
        if not span.fail_below <= span.suspect_below < span.suspect_above:
            raise DataFileError(
                f"{path.name}, row {row}: fail_below, suspect_below and suspect_above must rise from left to right."
            )
        found[key] = span
    return found


@cache
def _spans() -> Mapping[str, Span]:
    return read_spans(FILE)


def span_of(key: str) -> Span | None:
    """Give the limits of a property; None where nothing is known."""
    own = _spans().get(key)
    if own is not None or key not in PROPERTIES:
        return own
    item = PROPERTIES[key]
    usual = _spans().get(_AMOUNT)
    if usual is None or item.group in _NO_AMOUNTS:
        return None
    return Span(
        item.default_unit, item.default_species, usual.fail_below, usual.suspect_below, usual.suspect_above,
        usual.reference,
    )  # fmt: skip


def flag(table: pd.DataFrame, topic: Topic | None, now: pd.Timestamp | None = None) -> pd.DataFrame:
    """Flag readings as they arrive.

    Parameters
    ----------
    table : DataFrame
        Flat form (``situation/observation.py``); what a source has flagged already stays.
    topic : Topic or None
        Whose area is meant.
    now : Timestamp, optional
        UTC.

    Returns
    -------
    DataFrame
        The same rows with ``quality_flag`` and ``quality_reason`` raised where a test says so; 1 (pass) where
        the gross range was tested and nothing was found.
    """
    if not len(table):
        return table
    given = table["quality_flag"].to_numpy("int64")
    coded = _Coded(table)
    tested, found = _gross(table, coded)
    found += _places(table, coded, topic)
    found += _dates(table, now if now is not None else pd.Timestamp.now("UTC"))
    found += _against_the_others(table, coded)
    flags = np.where(tested & (given == NOT_EVALUATED), PASS, given)
    reasons = table["quality_reason"].to_numpy(dtype=object, na_value=None)
    touched = False
    for value, marks, why in found:
        rows = np.flatnonzero(marks)
        if not len(rows):
            continue
        if not touched:
            reasons, touched = reasons.copy(), True
        flags[rows] = np.where(flags[rows] == 9, 9, np.maximum(flags[rows], value))
        told = [why] * len(rows) if isinstance(why, str) else why[rows]
        reasons[rows] = [
            f"{old}; {new}" if old else new for old, new in zip(reasons[rows], told, strict=True)
        ]
    out = table.assign(quality_flag=flags)
    if touched:
        out["quality_reason"] = pd.array(reasons, dtype="str")
    return out


Found = list[tuple[int, Marks, Any]]


class _Coded:
    """The text columns of a table as numbers, each worked out once."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table
        self._held: dict[str, tuple[Flags, list[object]]] = {}

    def __getitem__(self, name: str) -> tuple[Flags, list[object]]:
        if name not in self._held:
            numbers, values = codes(self.table[name])
            self._held[name] = numbers.astype("int64", copy=False), list(values)
        return self._held[name]

    def combined(self, names: Sequence[str]) -> Flags:
        """Give a number to each distinct combination of several columns, from 0 on."""
        out, size = np.zeros(len(self.table), dtype="int64"), 1
        for name in names:
            numbers, values = self[name]
            if size * len(values) > 2**62:
                out, distinct = pd.factorize(out)
                size = len(distinct)
            out, size = out * len(values) + numbers, size * len(values)
        found: Flags = pd.factorize(out)[0].astype("int64")
        return found


def _gross(table: pd.DataFrame, coded: _Coded) -> tuple[Marks, Found]:
    """Test the gross range (QARTOD test 4), once for each property, unit and form, in the unit of its limits."""
    size = len(table)
    tested, failed, odd = (np.zeros(size, bool) for _ in range(3))
    why = np.full(size, None, dtype=object)
    result = table["result"].to_numpy("float64")
    known = np.isfinite(result)
    if not known.any():
        return tested, []
    from ioos_qc.qartod import gross_range_test

    combination = coded.combined(_UNITS)
    order = np.argsort(combination, kind="stable")
    ends = np.searchsorted(combination[order], np.arange(combination.max() + 2))
    kinds = [coded[name] for name in _UNITS]
    for place in range(len(ends) - 1):
        rows = order[ends[place] : ends[place + 1]]
        one = tuple(_text(values[numbers[rows[0]]]) for numbers, values in kinds)
        span = span_of(one[0] or "")
        rows = rows[known[rows]]
        if span is None or not len(rows):
            continue
        scale, offset = _to_unit(one, span.unit, span.species)
        value = result[rows] * scale + offset
        if not np.isfinite(scale):
            continue
        flags = np.asarray(
            gross_range_test(
                value,
                fail_span=(span.fail_below, np.inf),
                suspect_span=(span.suspect_below, span.suspect_above),
            )
        )
        tested[rows] = True
        unit = f" {span.unit}" if span.unit and span.unit[0] not in "[{" else ""
        worst, strange = rows[flags == FAIL], rows[flags == SUSPECT]
        failed[worst], odd[strange] = True, True
        why[worst] = f"gross range: less than {span.fail_below:g}{unit}, which cannot be"
        why[strange] = f"gross range: not between {span.suspect_below:g} and {span.suspect_above:g}{unit}"
    return tested, [(FAIL, failed, why), (SUSPECT, odd, why)]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


@lru_cache(maxsize=4096)
def _to_unit(said: tuple[str | None, ...], unit: str | None, species: str | None) -> tuple[float, float]:
    """Give scale and offset to a unit and form; NaN where that cannot be. A form that is not said is that one."""
    row = pd.DataFrame(
        {name: pd.Series([value], dtype="str") for name, value in zip(_UNITS, said, strict=True)}
    )
    known = factors(row, unit, species)
    if known["scale"].isna().item() and row["method_speciation"].isna().item() and species:
        # Nitrate without a form: wrong by a factor of a few, which a range forgives.
        known = factors(row.assign(method_speciation=species), unit, species)
    return float(known["scale"].item()), float(known["offset"].item())


def _places(table: pd.DataFrame, coded: _Coded, topic: Topic | None) -> Found:
    lon, lat = table["longitude"].to_numpy("float64"), table["latitude"].to_numpy("float64")
    found: Found = []
    if topic is not None and not topic.whole_world:
        for key, marks in quality.place_checks(lon, lat, topic.area):
            if key in ("outside", "swapped", "sign"):
                found.append((SUSPECT, marks, f"location: {quality.CHECKS[key].reason}"))
    found.append((SUSPECT, _in_the_sea(coded, lon, lat), "location: a well in the sea, by a coarse outline"))
    return found


def _in_the_sea(coded: _Coded, lon: Floats, lat: Floats) -> Marks:
    kinds, names = coded["monitoring_location_type"]
    media, sampled = coded["sampled_medium"]
    dry = np.array([isinstance(name, str) and any(word in name for word in _WELLS) for name in names], bool)
    ground = np.array([name == "groundwater" for name in sampled], bool)
    wells = (dry[kinds] | ground[media]) & np.isfinite(lon) & np.isfinite(lat)
    out = np.zeros(len(lon), bool)
    rows = np.flatnonzero(wells)
    if not len(rows):
        return out
    cells = np.round(lon[rows] * 1e4) * 1e8 + np.round((lat[rows] + 90) * 1e4)
    _, first, back = np.unique(cells, return_index=True, return_inverse=True)
    out[rows] = ~_on_land(lon[rows[first]], lat[rows[first]])[back]
    return out


def _on_land(lon: Floats, lat: Floats) -> Marks:
    import shapely

    near: Marks = shapely.dwithin(_land(), shapely.points(lon, lat), SHORE_DEGREES)
    return near


@cache
def _land() -> Any:
    import shapely
    from pyogrio.raw import read

    from situation.areas import outlines

    _, _, shapes, _ = read(outlines(), columns=[])
    land = shapely.union_all(shapely.make_valid(shapely.from_wkb(shapes)))
    shapely.prepare(land)
    return land


def _dates(table: pd.DataFrame, now: pd.Timestamp) -> Found:
    few = table[["phenomenon_time", "depth_m"]].reset_index(drop=True)
    odd = quality.check(few, None, now)
    found: Found = []
    for key in ("future", "long_ago", "above_ground"):
        marks = np.zeros(len(table), bool)
        marks[odd.loc[odd["check"] == key, "row"].to_numpy("int64")] = True
        # A date that cannot be is a question about the date; the result may be true, so it is not hidden.
        found.append((SUSPECT, marks, f"date or depth: {quality.CHECKS[key].reason}"))
    return found


def _against_the_others(table: pd.DataFrame, coded: _Coded) -> Found:
    """Hold readings against the others of their series that arrived with them: climatology, spike, duplicate."""
    found: Found = []
    again = table["replicate"].notna().to_numpy() if "replicate" in table else np.zeros(len(table), bool)
    if again.any():
        marks = np.zeros(len(table), bool)
        rows = np.flatnonzero(again)
        marks[rows] = table.iloc[rows].duplicated(list(_SAME), keep="first").to_numpy()
        found.append(
            (SUSPECT, marks, "duplicate: the same result of the same sample stands there more than once")
        )
    value = table["result"].to_numpy("float64")
    quantified = np.isfinite(value) & (value > 0) & table["phenomenon_time"].notna().to_numpy()
    rows = np.flatnonzero(quantified)
    if len(rows) < ENOUGH:
        return found
    series = coded.combined(_SERIES)[rows]
    count = np.bincount(series)
    many = count[series] >= ENOUGH
    rows, series = rows[many], series[many]
    if not len(rows):
        return found
    logs = np.log10(value[rows])
    centre = pd.Series(logs).groupby(series).transform("median").to_numpy()
    spread = pd.Series(np.abs(logs - centre)).groupby(series).transform("median").to_numpy()
    z = (logs - centre) / np.maximum(1.4826 * spread, _LEAST_SPREAD)
    unusual, spike = np.zeros(len(table), bool), np.zeros(len(table), bool)
    time = table["phenomenon_time"].to_numpy("datetime64[us]")[rows]
    order = np.lexsort((time, series))
    unusual[rows[order]] = _climatology(z[order], time[order])
    spike[rows[order]] = _spikes(z[order], series[order])
    n = np.full(len(table), None, dtype=object)
    n[rows] = [
        f"climatology: unlike the other {k} readings of this site" for k in (count[series] - 1).tolist()
    ]
    found.append((SUSPECT, unusual, n))
    found.append((SUSPECT, spike & ~unusual, "spike: far from the readings before and after"))
    return found


def _climatology(z: Floats, time: npt.NDArray[np.datetime64]) -> Marks:
    """Run QARTOD's climatology test on distances from what is usual, so that one span fits every series."""
    from ioos_qc.qartod import ClimatologyConfig, climatology_test

    config = ClimatologyConfig()
    config.add(tspan=(time.min(), time.max()), vspan=(-UNUSUAL, UNUSUAL))
    flags = np.asarray(climatology_test(config, z, time.astype("datetime64[ns]"), np.zeros(len(z))))
    marks: Marks = flags == SUSPECT
    return marks


def _spikes(z: Floats, series: Flags) -> Marks:
    """Run QARTOD's spike test along each series; ends of a series have no neighbours."""
    from ioos_qc.qartod import spike_test

    flags = np.asarray(spike_test(z, suspect_threshold=UNUSUAL))
    marks: Marks = flags >= SUSPECT
    first = np.r_[True, series[1:] != series[:-1]]
    last = np.r_[first[1:], True]
    # The neighbours of an outlier are far from it too; only what is itself away from the usual counts.
    inner: Marks = marks & ~first & ~last & (np.abs(z) > UNUSUAL / 2)
    return inner
