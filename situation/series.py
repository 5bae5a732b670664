"""Readings over time: the table of series that trends, confidence limits and projections are made from.

A *series* is what may be compared with itself through time: one site, one medium, one fraction, one
depth, and test strips or not. Two depths of a well are two series, and a strip never joins what a
laboratory measured. Readings are converted into one unit and one form first, once per distinct
combination; what has no number and no bound, or cannot be converted without guessing, is left out and
counted by its reason.

A censored reading stands at its limit with its sign beside it: ``<0.5`` is the value 0.5 with the
censoring ``<``, and whoever computes must look at both.

What surprised us: a site can have readings and no series (all of them text, or in an unknown form). It is
listed nevertheless, without rows in the table, because a site that vanishes looks like one that is fine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from situation.observation import POSITION_RULES
from situation.properties import PROPERTIES
from situation.standard import Limit
from situation.unit import codes, factors, numbered

#: What makes two readings of one property two series, beside strips.
KEYS = ("monitoring_location_id", "sampled_medium", "sample_fraction", "depth_m")
_CENSORING = ("=", "<", ">")
#: Told of each series as its newest reading says it.
_CARRIED = (
    "monitoring_location_name",
    "monitoring_location_type",
    "longitude",
    "latitude",
    "procedure_class",
    "batch_id",
    "source_id",
    "contributor",
    "licence",
    "attribution",
)
REJECTED = "rejected by the source or by a reviewer"
NO_TIME = "without a time"
NO_NUMBER = "text, not a number"
NO_BOUND = "censored, without the limit it is censored at"
NO_UNIT = "in a unit that is not known"

Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Series:
    """The series of one property.

    Attributes
    ----------
    table : DataFrame
        One row per reading that counts, by series and time: ``series`` (int64, 0 to k - 1, dense),
        ``time`` (UTC), ``value`` (in ``unit`` and ``species``; a censored reading stands at its limit),
        ``censoring`` (``=``, ``<`` or ``>``).
    rows : array of int64
        Which row of the readings each row of *table* is, by position.
    codes : array of int64
        Code of the series of each of the readings, counted or not; -1 for other properties.
    about : DataFrame
        One row per series, in the order of the codes: :data:`KEYS`, ``strip`` (bool), name, type, place
        (degrees, WGS 84) and origin as the newest reading says them, ``position_rule`` (the strictest that
        any reading of the site has), ``n``, ``n_censored``, ``left_out`` (readings of the series that do
        not count), ``why_left_out`` (the most frequent reason). Series without a single reading that
        counts come last, with ``n`` 0: their codes do not stand in *table*.
    left_out : mapping of str to int
        Reason to number of readings, the most frequent first.
    unit, species : str or None
        Of every ``value``.
    """

    table: pd.DataFrame
    rows: Whole
    codes: Whole
    about: pd.DataFrame
    left_out: Mapping[str, int]
    unit: str | None
    species: str | None


def target(
    readings: pd.DataFrame, observed_property: str, limit: Limit | None
) -> tuple[str | None, str | None]:
    """Choose the unit and form of a series: the limit's, else what most readings have.

    Parameters
    ----------
    readings : DataFrame
        ``unit``, ``method_speciation``.
    observed_property : str
        Key; its usual unit and form count when no reading has a unit.
    limit : Limit, optional
        What the readings will be compared with.

    Returns
    -------
    unit, species : str or None
        UCUM; ``as N`` … or None for unknown.
    """
    if limit is not None:
        return limit.unit, limit.species
    known = readings[readings["unit"].notna()]
    if known.empty:
        usual = PROPERTIES.get(observed_property)
        return (usual.default_unit, usual.default_species) if usual else (None, None)
    most = known.groupby(["unit", "method_speciation"], dropna=False).size()
    unit, species = most.idxmax()
    return str(unit), None if pd.isna(species) else str(species)


def series(readings: pd.DataFrame, observed_property: str, limit: Limit | None = None) -> Series:
    """Sort the readings of one property into series, in one unit and form.

    Parameters
    ----------
    readings : DataFrame
        Observations in the flat form; rows of other properties are left aside.
    observed_property : str
        Key of ``data/properties.csv``.
    limit : Limit, optional
        Its unit and form are those of the values.

    Returns
    -------
    Series
        The same whatever the order of the rows.
    """
    every = np.full(len(readings), -1, "int64")
    if "observed_property" in readings:
        mine = readings["observed_property"].eq(observed_property).fillna(False).to_numpy("bool")
        positions = np.flatnonzero(mine)
        readings = readings if mine.all() else readings.iloc[positions]
    else:
        positions = np.arange(len(readings))
        readings = readings.assign(observed_property=observed_property)
    unit, species = target(readings, observed_property, limit)
    value, kind, reason, reasons = _values(readings, unit, species)
    good = reason == 0
    group, strip = _groups(readings)
    time = readings["phenomenon_time"].to_numpy("datetime64[us]")
    code, first_rows = _numbered(readings, group, strip, good, time)
    counted = np.flatnonzero(good)
    order = counted[np.lexsort((time[counted], code[counted]))]
    signs = pa.array(_CENSORING, pa.large_string()).take(pa.array(kind[order]))
    table = pd.DataFrame(
        {
            "series": code[order],
            "time": pd.DatetimeIndex(time[order]).tz_localize("UTC"),
            "value": value[order],
            "censoring": pd.array(signs, dtype="str"),  # type: ignore[call-overload]
        }
    )
    about = _about(readings, code, first_rows, strip, kind, reason, reasons)
    told = np.bincount(reason[~good], minlength=len(reasons)).astype(int)
    left_out = {reasons[i]: int(told[i]) for i in np.argsort(-told, kind="stable") if told[i]}
    every[positions] = code
    return Series(table, positions[order], every, about, left_out, unit, species)


def _values(
    readings: pd.DataFrame, unit: str | None, species: str | None
) -> tuple[npt.NDArray[np.float64], Whole, Whole, list[str]]:
    """Give value, sign (index of _CENSORING, 3 for none) and the reason for being left out (0: none)."""
    how = factors(readings, unit, species)
    numbers, signs = codes(readings["censoring"])
    kind = np.array([_CENSORING.index(str(s)) if s in _CENSORING else 3 for s in signs])[numbers]
    own = readings["result"].to_numpy("float64")
    bound = (
        readings["detection_limit"].to_numpy("float64")
        if "detection_limit" in readings
        else np.full(len(readings), np.nan)
    )
    value = np.where(kind == 0, own, bound) * how["scale"].to_numpy() + how["offset"].to_numpy()
    why, whys = codes(how["reason"])
    reasons = ["", REJECTED, NO_TIME, NO_NUMBER, NO_BOUND, NO_UNIT, *(str(w) for w in whys[1:])]
    raw = np.where(kind == 0, own, bound)
    reason = np.select(
        [
            _rejected(readings),
            readings["phenomenon_time"].isna().to_numpy("bool"),
            kind == 3,
            ~np.isfinite(raw) & (kind == 0),
            ~np.isfinite(raw),
            readings["unit"].isna().to_numpy("bool"),
            why > 0,
            ~np.isfinite(value),
        ],
        [1, 2, 3, 3, 4, 5, why + 5, 3],
        0,
    ).astype("int64")
    return value, kind.astype("int64"), reason, reasons


def _rejected(readings: pd.DataFrame) -> Flags:
    """Find what the store's picture does not count either: rejected, or failed by quality control."""
    out = np.zeros(len(readings), "bool")
    for name in ("result_status", "review_state"):
        if name in readings:
            numbers, values = codes(readings[name])
            out |= np.array([value == "rejected" for value in values])[numbers]
    if "quality_flag" in readings:
        out |= readings["quality_flag"].eq(4).fillna(False).to_numpy("bool")
    return out


def _groups(readings: pd.DataFrame) -> tuple[Whole, Flags]:
    numbers, classes = codes(readings["procedure_class"]) if "procedure_class" in readings else (0, [None])
    strip = np.broadcast_to(np.array([name == "strip" for name in classes])[numbers], len(readings))
    combined = strip.astype("int64")
    for name in KEYS:
        if name not in readings:
            continue
        part, size = numbered(readings[name])
        combined = combined * size + part
        if combined.max(initial=0) > 2**40:
            combined = pd.factorize(combined)[0].astype("int64")
    return pd.factorize(combined)[0].astype("int64"), strip


def _numbered(
    readings: pd.DataFrame, group: Whole, strip: Flags, good: Flags, time: npt.NDArray[np.datetime64]
) -> tuple[Whole, Whole]:
    """Give each row the number of its series (by keys, those with readings first), and each series its newest row."""
    size = int(group.max(initial=-1)) + 1
    # Stable ends, whatever the order of the rows: the newest; of several at one instant the last by key.
    order = np.lexsort((time, good, group)) if size else np.array([], "int64")
    newest = order[np.flatnonzero(np.r_[group[order][1:] != group[order][:-1], True])] if size else order
    keys = pd.DataFrame(
        {name: readings[name].iloc[newest].array for name in KEYS if name in readings}
        | {"empty": ~(np.bincount(group[good], minlength=size) > 0), "strip": strip[newest]}
    )
    ranked = keys.sort_values(["empty", *[n for n in KEYS if n in keys], "strip"], kind="stable").index
    place = np.empty(size, "int64")
    place[ranked.to_numpy()] = np.arange(size)
    return place[group], newest[ranked.to_numpy()]


def _about(
    readings: pd.DataFrame,
    code: Whole,
    newest: Whole,
    strip: Flags,
    kind: Whole,
    reason: Whole,
    reasons: list[str],
) -> pd.DataFrame:
    size = len(newest)
    carried = readings.iloc[newest]
    about = pd.DataFrame(
        {name: carried[name].array for name in (*KEYS, *_CARRIED) if name in carried},
        index=pd.RangeIndex(size, name="series"),
    )
    about["strip"] = strip[newest]
    about["position_rule"] = _strictest(readings, newest)
    good = reason == 0
    about["n"] = np.bincount(code[good], minlength=size).astype("int64")
    about["n_censored"] = np.bincount(code[good & (kind > 0)], minlength=size).astype("int64")
    about["left_out"] = np.bincount(code[~good], minlength=size).astype("int64")
    most = np.zeros(size, "int64")
    if not good.all():
        pairs, times = np.unique(code[~good] * len(reasons) + reason[~good], return_counts=True)
        by_times = np.argsort(times, kind="stable")
        most[pairs[by_times] // len(reasons)] = pairs[by_times] % len(reasons)
    about["why_left_out"] = pd.array(
        pa.array(reasons, pa.large_string()).take(pa.array(most)),
        dtype="str",  # type: ignore[call-overload]
    )
    return about


def _strictest(readings: pd.DataFrame, newest: Whole) -> pd.api.extensions.ExtensionArray:
    """Give the strictest rule that any reading of the site has: what one file hides stays hidden."""
    strictest = np.zeros(len(newest), "int64")
    if "position_rule" in readings:
        numbers, names = codes(readings["position_rule"])
        # A rule that we do not know is not a licence to show: it counts as blurred.
        known = [POSITION_RULES.index(str(n)) if n in POSITION_RULES else int(n is not None) for n in names]
        rule = np.array(known, "int64")[numbers]
        if rule.any():
            site, sites = numbered(readings["monitoring_location_id"])
            by_site = np.zeros(sites, "int64")
            np.maximum.at(by_site, site, rule)
            strictest = by_site[site[newest]]
    words = pa.array(POSITION_RULES, pa.large_string()).take(pa.array(strictest))
    return pd.array(words, dtype="str")  # type: ignore[call-overload,no-any-return]
