"""Is it rising or falling? The trend of every series, with its slope per year, interval and reasons.

``trends`` takes the readings of any number of series and answers one row for each; ``trend_of`` takes one
series on plain numbers, for a chemist's check. The arithmetic and its sources are in
``situation/kendall.py``; here are the calendar, the rules of choice and the sentences.

Which method

* any "<" or ">" in the series: censored Kendall with the Akritas-Theil-Sen line (a limit is not a number);
* else Mann-Kendall with the Theil-Sen line;
* either one within seasons, where the record is at least ``Rules.seasonal_years`` long and sampled the year
  round: at least ``months_at_least`` calendar months where there are ``monthly_from`` readings a year, or
  else ``quarters_at_least`` quarters where there are ``quarterly_from``, each of them with readings in
  ``years_per_season`` different years and together holding ``seasonal_share`` of all readings.

The probability is exact for up to ten readings without ties, else normal, with continuity correction.
Serial correlation is looked for where times are regular and nothing is censored; otherwise the
column says "not checked", which is not "none".

What surprised us: readings of one day cannot say anything of a trend between themselves but still weigh in
the variance; and a record in two blocks with a long gap always has a "trend", that of one step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from situation.errors import ChoiceError
from situation.kendall import CORRECTED, NONE_FOUND, Kendall, Serial, kendall, normal_quantile

Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

RISING, FALLING, NO_TREND, NOT_ENOUGH = "rising", "falling", "no clear trend", "not enough readings"
SERIAL = {0: "not checked", NONE_FOUND: "none found", CORRECTED: "found, corrected"}
METHODS = {
    (False, False): "Mann-Kendall",
    (False, True): "seasonal Kendall",
    (True, False): "censored Kendall",
    (True, True): "seasonal censored Kendall",
}


@dataclass(frozen=True)
class Rules:
    """How much a series must hold before a trend is read from it; counts of readings, years, shares.

    * Eight readings: EPA 530/R-09-007 (2009), chapter 17, advises eight to ten for a trend line.
    * Two years, so that one season is not taken for a trend.
    * A gap of more than a third of the record is said, because then two periods ought to be compared
      (Helsel and others 2020, chapter 12); of more than three quarters, no trend is read across it.
    * Four in five below their limit leave too few slopes (Helsel 2012 stops at 80 percent).
    """

    min_readings: int = 8
    min_instants: int = 5
    min_years: float = 2.0
    min_detected: int = 4
    max_share_censored: float = 0.8
    gap_said: float = 1 / 3
    gap_refused: float = 0.75
    seasonal_years: float = 3.0
    seasonal_share: float = 0.75
    months_at_least: int = 4
    quarters_at_least: int = 3
    years_per_season: int = 3
    monthly_from: float = 8.0
    quarterly_from: float = 3.0
    serial: Serial | None = Serial()


RULES = Rules()


@dataclass(frozen=True)
class Trend:
    """The trend of one series of plain numbers; the slope per unit of the times given.

    ``p`` is two-sided; where it is too small for a number it stands at 4.9e-324 and ``log10_p`` says it.
    ``chi2_het``, ``df`` and ``p_het`` (do the seasons agree?) are NaN and 0 without seasons. ``why`` is
    empty, or says what is wrong with the series.
    """

    n: int
    n_censored: int
    S: int
    var_S: float
    z: float
    p: float
    log10_p: float
    tau: float
    tau_b: float
    slope: float
    slope_low: float
    slope_high: float
    intercept: float
    confidence: float
    method: str
    distribution: str
    chi2_het: float = np.nan
    df: int = 0
    p_het: float = np.nan
    why: str = ""


# --- the calendar ----------------------------------------------------------------------------------------


def decimal_years(time: Any) -> Numbers:
    """Turn times into years with the part of the year gone, by the length of that very year.

    Parameters
    ----------
    time : array or Series of datetime64, UTC
        NaT gives NaN.

    Examples
    --------
    >>> decimal_years(pd.to_datetime(["2024-01-01", "2024-07-01"]))
    array([2024.        , 2024.49726776])
    """
    stamps = microseconds(time)
    year = stamps.astype("datetime64[Y]")
    start = year.astype("datetime64[us]")
    length = ((year + 1).astype("datetime64[us]") - start) / np.timedelta64(1, "us")
    gone = (stamps - start) / np.timedelta64(1, "us")
    out = np.where(np.isnat(stamps), np.nan, year.astype(np.int64) + 1970 + gone / length)
    return np.asarray(out, dtype=np.float64)


def from_decimal_years(years: npt.ArrayLike) -> pd.DatetimeIndex:
    """Turn decimal years back into UTC times, to the second; NaN and years beyond 1 to 9999 give NaT."""
    given = np.atleast_1d(np.asarray(years, dtype=np.float64))
    usable = np.isfinite(given) & (given >= 1) & (given < 9999)
    safe = np.where(usable, given, 1970.0)
    year = (np.floor(safe).astype(np.int64) - 1970).astype("datetime64[Y]")
    start = year.astype("datetime64[s]")
    length = ((year + 1).astype("datetime64[s]") - start) / np.timedelta64(1, "s")
    seconds = np.round((safe - np.floor(safe)) * length).astype("timedelta64[s]")
    stamps = (start + seconds).astype("datetime64[us]")
    return pd.DatetimeIndex(np.where(usable, stamps, np.datetime64("NaT", "us"))).tz_localize("UTC")


def microseconds(time: Any) -> npt.NDArray[np.datetime64]:
    """Give times as plain numpy ones, UTC; what has no zone is taken for UTC."""
    index = pd.DatetimeIndex(time)
    if index.tz is not None:
        index = index.tz_convert("UTC").tz_localize(None)
    return np.asarray(index.to_numpy(), dtype="datetime64[us]")


# --- one series on plain numbers -------------------------------------------------------------------------


def trend_of(
    time: npt.ArrayLike,
    value: npt.ArrayLike,
    censored: npt.ArrayLike | None = None,
    season: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> Trend:
    """Test one series for a trend and estimate its slope; no rule of least data is applied.

    Parameters
    ----------
    time, value : array of float
        Times in any unit (the slope is per that unit), values in any. Readings without one are left out.
    censored : array, optional
        True or -1: the value is a limit of detection and the reading lies below it; 1: it lies above.
    season : array of labels, optional
        Gives the seasonal Kendall test. The intercept is then the median over the seasons of what
        remains of their medians at the common slope (EnvStats prints the one at each season's own slope).
    confidence : float
        Two-sided, of the slope.

    Returns
    -------
    Trend

    Raises
    ------
    ChoiceError
        If the columns differ in length or the confidence is not between 0.5 and 1.

    Examples
    --------
    >>> one = trend_of([1, 2, 3, 4, 5], [2.0, 2.5, 2.4, 3.1, 3.3])
    >>> one.S, one.distribution, round(one.p, 4), round(one.slope, 3)
    (8, 'exact', 0.0833, 0.312)
    """
    _check_confidence(confidence)
    x, y = np.asarray(time, dtype=np.float64).ravel(), np.asarray(value, dtype=np.float64).ravel()
    side = np.zeros(len(y), np.int8) if censored is None else _sides(np.asarray(censored).ravel())
    seasons = None if season is None else np.asarray(season).ravel()
    if not len(x) == len(y) == len(side) or (seasons is not None and len(seasons) != len(y)):
        raise ChoiceError(
            f"A trend needs as many times as values: there are {len(x)} times, {len(y)} values, "
            f"{len(side)} marks of censoring{'' if seasons is None else f' and {len(seasons)} seasons'}."
        )
    keep = np.isfinite(x) & np.isfinite(y)
    if seasons is not None:
        keep &= ~np.asarray(pd.isna(seasons))
    x, y, side = x[keep], y[keep], side[keep]
    codes = None if seasons is None else pd.factorize(seasons[keep])[0]
    if not len(y):
        return _empty_trend(confidence)
    found = kendall(np.zeros(len(y), np.int64), x, y, censoring=side, season=codes, confidence=confidence)
    p_het = np.nan
    if np.isfinite(found.chi2_het[0]) and found.df[0] > 0:
        from scipy.special import chdtrc

        p_het = float(chdtrc(found.df[0], found.chi2_het[0]))
    any_side = bool(side.any())
    # Bounds alone order some pairs (<1 before >3), but no number in them is a slope.
    drawn = np.nan if side.all() else 1.0
    return Trend(
        n=int(found.n[0]),
        n_censored=int(np.count_nonzero(side)),
        S=int(found.S[0]),
        var_S=float(found.var_S[0]),
        z=float(found.z[0]),
        p=float(found.p[0]),
        log10_p=float(found.log10_p[0]),
        tau=float(found.tau[0]),
        tau_b=float(found.tau_b[0]),
        slope=float(found.slope[0]) * drawn,
        slope_low=float(found.slope_low[0]) * drawn,
        slope_high=float(found.slope_high[0]) * drawn,
        intercept=float(found.intercept[0]) * drawn,
        confidence=confidence,
        method=METHODS[any_side, codes is not None]
        + (", Akritas-Theil-Sen line" if any_side else ", Theil-Sen line"),
        distribution="exact" if found.exact[0] else "normal",
        chi2_het=float(found.chi2_het[0]),
        df=int(found.df[0]),
        p_het=p_het,
        why=_why_plain(x, y, side),
    )


def _why_plain(x: Numbers, y: Numbers, side: npt.NDArray[np.int8]) -> str:
    if len(y) == 1:
        return "One reading says nothing of a trend."
    if (x == x[0]).all():
        return f"All {len(y)} readings are of one instant: they say nothing of a trend."
    if side.all():
        return f"All {len(y)} readings are below or above a limit of measurement: the slope is unknown."
    if (y == y[0]).all() and not side.any():
        return f"All {len(y)} readings are {y[0]:g}: there is no trend to see."
    return ""


def _empty_trend(confidence: float) -> Trend:
    nan = np.nan
    why = "There is no reading with both a time and a number."
    return Trend(0, 0, 0, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, confidence, "", "", why=why)


def _sides(censored: npt.NDArray[Any]) -> npt.NDArray[np.int8]:
    """Read marks of censoring: booleans (True is "<"), -1/0/1, or "<", "=", ">"."""
    if censored.dtype == bool:
        return np.where(censored, -1, 0).astype(np.int8)
    if censored.dtype.kind in "iuf":
        numbers = censored.astype(np.float64)
        if not np.isin(numbers, (-1.0, 0.0, 1.0)).all():
            raise ChoiceError("A mark of censoring is -1 (below the value), 0 (the value) or 1 (above it).")
        return numbers.astype(np.int8)
    texts = pd.Series(censored).astype("str")
    known = {"<": -1, "=": 0, "": 0, ">": 1, "True": -1, "False": 0}
    if not texts.isin(list(known)).all():
        odd = texts[~texts.isin(list(known))].iloc[0]
        raise ChoiceError(f"{odd!r} is no mark of censoring; right would be '<', '=' or '>'.")
    return np.asarray(texts.map(known), dtype=np.int8)


def _check_confidence(confidence: float) -> None:
    if not 0.5 <= confidence < 1:
        raise ChoiceError(f"A confidence of {confidence:g} is not between 0.5 and 1; 0.95 is usual.")


# --- all series ------------------------------------------------------------------------------------------

COLUMNS = (
    "n", "n_censored", "share_censored", "first_time", "last_time", "years", "method", "seasonal",
    "S", "var_S", "z", "p", "log10_p", "distribution", "tau", "tau_b", "slope", "slope_low", "slope_high",
    "intercept", "confidence", "chi2_het", "df", "serial_correlation", "centre_time", "spread_low",
    "spread_high", "trend", "why",
)  # fmt: skip


def trends(table: pd.DataFrame, *, confidence: float = 0.95, rules: Rules = RULES) -> pd.DataFrame:
    """Find the trend of every series at once.

    Parameters
    ----------
    table : DataFrame
        ``series`` (int, 0 to k - 1, sorted), ``time`` (UTC, sorted within a series), ``value`` (float; a
        censored reading stands at its limit), ``censoring`` ("=", "<", ">").
    confidence : float
        Two-sided; also the level at which a trend is called one.
    rules : Rules
        What a series must hold.

    Returns
    -------
    DataFrame
        One row per series, index = its code. Counts and times; ``method``, ``seasonal``; ``S`` to
        ``tau_b``; ``slope``, ``slope_low``, ``slope_high`` in the unit of the values per year;
        ``intercept``, so that the line is ``intercept + slope * decimal_years(time)``; ``centre_time``
        (decimal year on which the line turns), ``spread_low`` and ``spread_high`` (how far the line
        may lie below and above there); ``serial_correlation``; ``trend``; ``why`` (a sentence, empty
        where there is nothing to say). Where there are not enough readings the numbers are NaN.

    Raises
    ------
    ChoiceError
        If the confidence is not between 0.5 and 1.
    """
    _check_confidence(confidence)
    who = table["series"].to_numpy(dtype=np.int64)
    stamps = microseconds(table["time"])
    value = table["value"].to_numpy(dtype=np.float64)
    side = sides_of(table["censoring"])
    if not (np.isfinite(value).all() and not np.isnat(stamps).any()):
        keep = np.isfinite(value) & ~np.isnat(stamps)
        who, stamps, value, side = who[keep], stamps[keep], value[keep], side[keep]
    order = _unsorted(who, stamps)
    if order is not None:
        who, stamps, value, side = who[order], stamps[order], value[order], side[order]
    k = int(table["series"].max()) + 1 if len(table) else 0
    held = _Held.of(who, stamps, value, side, k)
    why, refused = _reasons(held, rules)
    seasonal, season = _seasons(who, stamps, held, refused, rules)
    worked = np.flatnonzero(~refused)
    compact = np.full(k, -1, np.int64)
    compact[worked] = np.arange(len(worked))
    rows = slice(None) if len(worked) == k else compact[who] >= 0
    found = kendall(
        compact[who[rows]],
        held.years_of[rows],
        value[rows],
        censoring=side[rows],
        season=season[rows] if seasonal.any() else None,
        confidence=confidence,
        serial=rules.serial,
    )
    return _frame(held, found, worked, seasonal, why, confidence)


def sides_of(censoring: pd.Series) -> npt.NDArray[np.int8]:
    """Give -1 for "<", 1 for ">" and 0 for a number."""
    less = np.asarray(censoring == "<", dtype=bool)
    more = np.asarray(censoring == ">", dtype=bool)
    return more.astype(np.int8) - less.astype(np.int8)


def _unsorted(who: Codes, stamps: npt.NDArray[np.datetime64]) -> Codes | None:
    step, forward = np.diff(who), np.diff(stamps) >= np.timedelta64(0, "us")
    if ((step > 0) | ((step == 0) & forward)).all():
        return None
    return np.lexsort((stamps, who))


@dataclass(frozen=True)
class _Held:
    """What each series holds."""

    n: Codes
    n_censored: Codes
    instants: Codes
    first: npt.NDArray[np.datetime64]
    last: npt.NDArray[np.datetime64]
    years: Numbers
    gap: Numbers
    gap_at: Codes
    same: Flags
    value: Numbers
    stamps: npt.NDArray[np.datetime64]
    years_of: Numbers

    @classmethod
    def of(
        cls,
        who: Codes,
        stamps: npt.NDArray[np.datetime64],
        value: Numbers,
        side: npt.NDArray[np.int8],
        k: int,
    ) -> _Held:
        n = np.bincount(who, minlength=k)
        years_of = decimal_years(stamps)
        begin = np.minimum(np.cumsum(n) - n, max(len(who) - 1, 0))
        end = np.maximum(np.cumsum(n) - 1, 0)
        there = n > 0
        nat = np.datetime64("NaT", "us")
        first = np.where(there, stamps[begin], nat) if len(who) else np.full(k, nat)
        last = np.where(there, stamps[end], nat) if len(who) else np.full(k, nat)
        gap, gap_at = np.zeros(k), np.zeros(k, np.int64)
        instants, same = there.astype(np.int64), there
        if len(who) > 1:
            inside = who[1:] == who[:-1]
            step = np.where(inside, np.diff(years_of), 0.0)
            moved = inside & (stamps[1:] > stamps[:-1])
            instants += np.bincount(who[1:][moved], minlength=k)
            differs = who[1:][inside & (value[1:] != value[:-1])]
            same = there & (np.bincount(differs, minlength=k) == 0)
            full = np.flatnonzero(n > 1)
            if len(full):
                # Steps between series are zero, so that a reduction may run over the next one's edge.
                gap[full] = np.maximum.reduceat(step, begin[full])
                gap_at = _where_greatest(step, who[1:], gap, k)
        span = np.where(there, years_of[end] - years_of[begin], 0.0) if len(who) else np.zeros(k)
        counted = np.bincount(who, side != 0, k).astype(np.int64)
        return cls(n, counted, instants, first, last, span, gap, gap_at, same, value, stamps, years_of)


def _where_greatest(step: Numbers, who: Codes, greatest: Numbers, k: int) -> Codes:
    at = np.flatnonzero((step == greatest[who]) & (step > 0))
    out = np.zeros(k, np.int64)
    out[who[at][::-1]] = at[::-1]
    return out


def _day(stamp: np.datetime64) -> str:
    return str(stamp.astype("datetime64[D]"))


def _reasons(held: _Held, rules: Rules) -> tuple[list[str], Flags]:
    """Say why a series has no trend, or what to know of it; a sentence each, most are empty."""
    k = len(held.n)
    detected = held.n - held.n_censored
    share = held.n_censored / np.maximum(held.n, 1)
    span = np.maximum(held.years, 1e-12)
    wide = held.gap / span
    refusals = [
        held.n <= 1,
        held.instants <= 1,
        held.n_censored == held.n,
        held.n < rules.min_readings,
        held.instants < rules.min_instants,
        held.years < rules.min_years,
        (detected < rules.min_detected) | (share > rules.max_share_censored),
        wide > rules.gap_refused,
    ]
    notes = [
        held.same & (held.n_censored == 0),
        held.instants < held.n,
        wide > rules.gap_said,
    ]
    refused = np.logical_or.reduce(refusals) if k else np.zeros(0, bool)
    why = [""] * k
    for code in np.flatnonzero(refused | np.logical_or.reduce(notes)) if k else ():
        if refused[code]:
            which = next(i for i, mask in enumerate(refusals) if mask[code])
            why[code] = _refusal(which, int(code), held, rules)
        else:
            said = [_note(i, int(code), held) for i, mask in enumerate(notes) if mask[code]]
            why[code] = " ".join(said)
    return why, refused


def _refusal(which: int, code: int, held: _Held, rules: Rules) -> str:
    n, years = int(held.n[code]), float(held.years[code])
    needed = f"a trend needs {rules.min_readings} readings over {rules.min_years:g} years"
    detected = n - int(held.n_censored[code])
    if which == 0:
        return f"{'One reading' if n else 'No reading'}: {needed}."
    if which == 1:
        return f"All {n} readings are of one instant, {_day(held.first[code])}: {needed}."
    if which == 2:
        return f"All {n} readings are below or above a limit of measurement: nothing is known of a trend."
    if which == 3:
        return f"{n} readings: {needed}."
    if which == 4:
        return (
            f"The {n} readings are of {int(held.instants[code])} instants: a trend needs "
            f"{rules.min_instants} different ones."
        )
    if which == 5:
        long = f"{years:.1f} years" if years >= 0.1 else f"{years * 365.25:.0f} days"
        return f"The {n} readings cover {long}: {needed}."
    if which == 6:
        return (
            f"Only {detected} of {n} readings have a number, the others are below or above a limit of "
            f"measurement: a trend needs {rules.min_detected} and one in "
            f"{1 / (1 - rules.max_share_censored):.0f}."
        )
    return _gap(code, held) + " A trend is not read across such a gap; compare the periods on either side."


def _gap(code: int, held: _Held) -> str:
    at = int(held.gap_at[code])
    return (
        f"There is no reading from {_day(held.stamps[at])} to {_day(held.stamps[at + 1])}, "
        f"{held.gap[code]:.0f} of the {held.years[code]:.0f} years."
    )


def _note(which: int, code: int, held: _Held) -> str:
    n = int(held.n[code])
    if which == 0:
        last = int(held.n[: code + 1].sum()) - 1
        return f"All {n} readings are {held.value[last]:g}: there is no trend to see."
    if which == 1:
        repeated = n - int(held.instants[code])
        return (
            f"{repeated} of {n} readings {'is' if repeated == 1 else 'are'} of the same instant as another: "
            "pairs of one instant are not compared."
        )
    return _gap(code, held)


def _seasons(
    who: Codes, stamps: npt.NDArray[np.datetime64], held: _Held, refused: Flags, rules: Rules
) -> tuple[Flags, Codes]:
    """Decide which series are compared season by season, and number the seasons."""
    k = len(held.n)
    seasonal, season = np.zeros(k, dtype=bool), np.zeros(len(who), np.int64)
    least = rules.years_per_season * min(rules.months_at_least, rules.quarters_at_least)
    may = ~refused & (held.years >= rules.seasonal_years) & (held.n >= least)
    if not may.any():
        return seasonal, season
    rows = np.flatnonzero(may[who])
    months = stamps[rows].astype("datetime64[M]").astype(np.int64)
    year, month = months // 12, months % 12
    rate = held.n / np.maximum(held.years, 1e-12)
    for parts, code, at_least, often, offset in (
        (12, month, rules.months_at_least, rules.monthly_from, 0),
        (4, month // 3, rules.quarters_at_least, rules.quarterly_from, 12),
    ):
        share = _supported(who[rows], code, year, parts, held.n, at_least, rules.years_per_season)
        chosen = may & ~seasonal & (rate >= often) & (share >= rules.seasonal_share)
        hit = chosen[who[rows]]
        season[rows[hit]] = offset + code[hit]
        seasonal |= chosen
    return seasonal, season


def _supported(
    who: Codes, code: Codes, year: Codes, parts: int, n: Codes, at_least: int, years_at_least: int
) -> Numbers:
    """Give the share of readings in seasons sampled in enough years; 0 where such seasons are too few."""
    k = len(n)
    cell = who * parts + code
    spread = int(year.max() - year.min()) + 1
    # np.unique goes by hashing, which takes ten times as long as sorting here.
    ordered = np.sort(cell * spread + (year - year.min()))
    distinct = ordered[np.r_[True, ordered[1:] != ordered[:-1]]]
    years = np.bincount(distinct // spread, minlength=k * parts)
    full = years >= years_at_least
    inside = np.where(full, np.bincount(cell, minlength=k * parts), 0).reshape(k, parts).sum(axis=1)
    enough = full.reshape(k, parts).sum(axis=1) >= at_least
    return np.asarray(enough * inside / np.maximum(n, 1), dtype=np.float64)


def _frame(
    held: _Held, found: Kendall, worked: Codes, seasonal: Flags, why: list[str], confidence: float
) -> pd.DataFrame:
    k = len(held.n)

    def spread(values: npt.NDArray[Any], fill: Any = np.nan, dtype: Any = np.float64) -> npt.NDArray[Any]:
        out = np.full(k, fill, dtype=dtype)
        out[worked] = values
        return out

    numbers = {
        name: spread(getattr(found, name))
        for name in (
            "S", "var_S", "z", "p", "log10_p", "tau", "tau_b", "slope", "slope_low", "slope_high",
            "intercept", "chi2_het", "centre_time", "spread_low", "spread_high",
        )
    }  # fmt: skip
    censored = held.n_censored > 0
    worked_flag = spread(np.ones(len(worked), bool), False, bool)
    clear = numbers["p"] < 1 - confidence
    kind = np.select([~worked_flag, clear & (numbers["S"] > 0), clear & (numbers["S"] < 0)], [3, 0, 1], 2)
    flat = clear & (numbers["slope"] == 0)
    for code in np.flatnonzero(flat):
        said = "The median slope is 0 because many readings are equal, but more pairs go one way."
        why[code] = f"{why[code]} {said}".strip()
    method = np.where(worked_flag, censored + 2 * seasonal, 4)
    serial = spread(found.serial, 0, np.int64)
    utc = {name: pd.DatetimeIndex(getattr(held, name)).tz_localize("UTC") for name in ("first", "last")}
    frame = {
        "n": held.n.astype(np.int64),
        "n_censored": held.n_censored,
        "share_censored": held.n_censored / np.maximum(held.n, 1),
        "first_time": utc["first"],
        "last_time": utc["last"],
        "years": held.years,
        "method": words([METHODS[bool(i & 1), bool(i & 2)] for i in range(4)] + [""], method),
        "seasonal": seasonal & worked_flag,
        **numbers,
        "distribution": words(["normal", "exact", ""], spread(found.exact, 2, np.int64)),
        "confidence": np.full(k, confidence),
        "df": spread(found.df, 0, np.int64),
        "serial_correlation": words([SERIAL[i] for i in range(3)], serial),
        "trend": words([RISING, FALLING, NO_TREND, NOT_ENOUGH], kind),
        "why": pd.array(why, dtype="str"),
    }
    return pd.DataFrame(frame, index=pd.RangeIndex(k, name="series"))[list(COLUMNS)]


def words(names: list[str], codes: npt.NDArray[Any]) -> pd.api.extensions.ExtensionArray:
    """Give each code its word, as a column of texts; a list comprehension is slow at 100,000 rows."""
    return pd.array(names, dtype="str").take(codes)


# --- the line to be drawn --------------------------------------------------------------------------------


def band(
    one: pd.DataFrame, row: pd.Series, at: Any | None = None, *, confidence: float | None = None
) -> pd.DataFrame:
    """Give the line of one series and the band within which the line lies.

    The line is pivoted at the median time, where its height and its slope are nearly independent: there
    the band is as wide as the interval of the median residual (order statistics), and away from there
    the slope's interval is added, as the root of the sum of squares.

    Parameters
    ----------
    one : DataFrame
        The readings of the series; their times are used where *at* is not given.
    row : Series
        The row of ``trends`` for the series.
    at : array or Series of datetime64, UTC, optional
        When the line is wanted.
    confidence : float, optional
        Two-sided; the row's own unless given.

    Returns
    -------
    DataFrame
        ``time``, ``estimate``, ``low``, ``high`` in the unit of the values; NaN where there is no line.
    """
    when = one["time"] if at is None else at
    t = decimal_years(when)
    estimate, low, high = line_band(row, t, confidence)
    stamps = pd.DatetimeIndex(microseconds(when)).tz_localize("UTC")
    return pd.DataFrame({"time": stamps, "estimate": estimate, "low": low, "high": high})


def line_band(row: Any, t: Numbers, confidence: float | None = None) -> tuple[Numbers, Numbers, Numbers]:
    """Give the line and its band at decimal years *t*; see ``band``."""
    scale = (
        1.0 if confidence is None else normal_quantile(confidence) / normal_quantile(float(row["confidence"]))
    )
    slope, away = float(row["slope"]), t - float(row["centre_time"])
    estimate = float(row["intercept"]) + slope * t
    below, above = slope - float(row["slope_low"]), float(row["slope_high"]) - slope
    down = np.hypot(float(row["spread_low"]), np.where(away >= 0, below, above) * away)
    up = np.hypot(float(row["spread_high"]), np.where(away >= 0, above, below) * away)
    return estimate, estimate - scale * down, estimate + scale * up


def smooth(one: pd.DataFrame, *, share: float = 2 / 3, points: int = 80) -> pd.DataFrame:
    """Draw a smooth curve through a series, for the eye only (LOESS, Cleveland 1979).

    Local straight lines with tricube weights over the nearest *share* of the readings, three rounds of
    robust weights. A censored reading is not a number, so two curves are drawn, with every "<" at zero
    and at its limit; where a reading is ">" or something is negative the other curve is unknown.

    Parameters
    ----------
    one : DataFrame
        The readings of one series: ``time``, ``value``, ``censoring``.

    Returns
    -------
    DataFrame
        ``time`` (evenly spaced over the record), ``low``, ``high``: equal where nothing is censored.
    """
    t, y, side = decimal_years(one["time"]), one["value"].to_numpy(float), sides_of(one["censoring"])
    if len(np.unique(t)) < 4:
        return pd.DataFrame({"time": pd.DatetimeIndex([], tz="UTC"), "low": [], "high": []})
    grid = np.linspace(t.min(), t.max(), points)
    high = _loess(t, y, grid, share) if not (side > 0).any() else np.full(points, np.nan)
    low = high
    if side.any():
        lowest = (y >= 0).all()
        low = _loess(t, np.where(side < 0, 0.0, y), grid, share) if lowest else np.full(points, np.nan)
        # The robust weights may let the two cross by a hair.
        crossed = low > high
        low, high = np.where(crossed, high, low), np.where(crossed, low, high)
    return pd.DataFrame({"time": from_decimal_years(grid), "low": low, "high": high})


def _loess(t: Numbers, y: Numbers, grid: Numbers, share: float) -> Numbers:
    nearest = min(len(t), max(4, int(np.ceil(share * len(t)))))
    away = np.abs(grid[:, None] - t)
    reach = np.partition(away, nearest - 1, axis=1)[:, nearest - 1 : nearest] * 1.001
    near = np.clip(1 - (away / np.maximum(reach, 1e-12)) ** 3, 0, None) ** 3
    robust = np.ones(len(t))
    fitted = np.zeros(len(grid))
    for _ in range(4):
        weight = near * robust
        total = np.maximum(weight.sum(axis=1), 1e-300)
        mean_t, mean_y = weight @ t / total, weight @ y / total
        centred = t - mean_t[:, None]
        squares = (weight * centred**2).sum(axis=1)
        slope = np.divide(
            (weight * centred) @ y - (weight * centred).sum(axis=1) * mean_y,
            squares,
            out=np.zeros(len(grid)),
            where=squares > 1e-300,
        )
        fitted = mean_y + slope * (grid - mean_t)
        residual = np.abs(y - np.interp(t, grid, fitted))
        scale = 6 * np.median(residual)
        if scale == 0:
            break
        robust = np.clip(1 - (residual / scale) ** 2, 0, None) ** 2
    return fitted
