"""The date on which a trend's line crosses the limit, and how sure that is.

``project`` answers for all series at once, ``fan`` gives what a chart draws into the future. The date is
the line's: where half of the readings would lie beyond the limit. Single readings cross earlier and
later; the fan's outer band says how far they scatter.

The interval of the date is where the edges of the line's band reach the limit. The band turns on the
median time, where height and slope are nearly independent (``situation.trend.band``); taking the
intercept at year zero instead would tie the two so closely that no interval came out right. Each edge is
a hyperbola, so that its crossing is the root of a quadratic and not a search.

Nothing is said of a time beyond the horizon. A slope whose interval holds zero gives "no sign of crossing",
however near the limit is.

What surprised us: with the band's edges nearest the limit the interval is not symmetric, and its later end
is often open while the earlier one is near: "not before 2028" is then the honest answer. And a line is surest
of itself just before it bends: on wells where a plume came and stayed, the fan of its rise held half
of what followed. The interval of the date knows nothing of bends; only the fan of the readings does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from situation.errors import ChoiceError
from situation.kendall import normal_quantile, turnbull_quantiles
from situation.standard import Limit
from situation.trend import (
    NOT_ENOUGH,
    decimal_years,
    from_decimal_years,
    line_band,
    microseconds,
    sides_of,
    words,
)
from situation.trend import trends as trends_of

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

CROSSINGS = (
    "crossed already",
    "crossing expected",
    "no sign of crossing",
    "moving away",
    "beyond the horizon",
    "not enough readings",
    "no limit",
)
CROSSED, EXPECTED, NO_SIGN, AWAY, BEYOND, FEW, NO_LIMIT = range(7)


def project(
    trends: pd.DataFrame,
    limit: Limit | None,
    *,
    now: pd.Timestamp,
    horizon_years: float = 10.0,
    latest: pd.Series | None = None,
) -> pd.DataFrame:
    """Say for every series when its line crosses the limit.

    Parameters
    ----------
    trends : DataFrame
        As ``situation.trend.trends`` gives it; its values in the limit's unit and species.
    limit : Limit or None
        An upper limit ("above", "at_or_above"), a lower one ("below") or a range, whose nearer side in the
        direction of the trend counts. One that must not be detected has no line to cross.
    now : Timestamp
        UTC. A line whose newest reading is older than the horizon is not carried on.
    horizon_years : float
        Nothing later than so many years from *now* is said.
    latest : Series of str, optional
        Status of the newest reading, by code; where it is "above" and the line is not, the sentence says so.

    Returns
    -------
    DataFrame
        With the index of *trends*: ``crossing`` (one of ``CROSSINGS``), ``crossing_time``,
        ``crossing_earliest``, ``crossing_latest`` (UTC; NaT where there is none, a latest of NaT beside
        an earliest meaning that it is open), ``said``. A line that has crossed already, by its newest
        reading, has the date on which it did, if that lies within its record. One that would have crossed
        since then, while nobody measured, is expected to cross, on a date that may lie before *now*.

    Raises
    ------
    ChoiceError
        If the horizon is not positive.
    """
    if not horizon_years > 0:
        raise ChoiceError(f"A horizon of {horizon_years:g} years is not in the future; 10 is usual.")
    k = len(trends)
    today = float(decimal_years([now])[0])
    end = today + horizon_years
    upper, lower = _sides_of(limit)
    row = {name: trends[name].to_numpy(dtype=np.float64) for name in _NEEDED}
    slope = row["slope"]
    newest = decimal_years(trends["last_time"])
    # Where a line stands is known as far as its readings go; what lies between the newest and today is
    # carried on already. So a line is over the limit, or back inside it, when its newest reading says so.
    strictly = limit is None or limit.comparison != "at_or_above"
    stands, at_now = row["intercept"] + slope * np.minimum(newest, today), row["intercept"] + slope * today
    few = np.asarray(trends["trend"] == NOT_ENOUGH, dtype=bool) | ~np.isfinite(at_now)
    old = ~few & (newest < today - horizon_years)
    with np.errstate(invalid="ignore"):
        over, under = _beyond(stands, upper, strictly=strictly), stands < lower
        unseen = ~over & ~under & (_beyond(at_now, upper, strictly=strictly) | (at_now < lower))
        moves = (row["slope_low"] > 0) | (row["slope_high"] < 0)
    target = np.where(slope > 0, upper, lower)
    begin = np.where(unseen, np.minimum(newest, today), today)
    time, early, late = _crossing(row, np.where(np.isfinite(target), target, np.nan), begin)
    code = np.select(
        [np.full(k, upper == np.inf and lower == -np.inf), few | old, over | under, ~moves, np.isinf(target)],
        [NO_LIMIT, FEW, CROSSED, NO_SIGN, AWAY],
        np.where(time <= end, EXPECTED, BEYOND),
    )
    ahead = (code == EXPECTED) | (code == BEYOND)
    since = _since(row, upper, lower, over, decimal_years(trends["first_time"]), today)
    times = np.where(code == EXPECTED, time, np.where(code == CROSSED, since, np.nan))
    earliest = np.where(ahead & (early <= end), early, np.nan)
    latest_time = np.where((code == EXPECTED) & (late <= end), late, np.nan)
    facts = _Facts(limit, over, moves, slope, newest, old, times, earliest, latest_time, end, horizon_years)
    facts.back = _back(row, upper, lower, over, moves, today, end)
    facts.unseen = unseen
    why = trends["why"].to_numpy(dtype=object)
    said = [facts.said(i, int(code[i]), str(why[i])) for i in range(k)]
    if latest is not None:
        above = np.asarray(latest.reindex(trends.index) == "above", dtype=bool)
        for i in np.flatnonzero(above & ahead | above & (code == NO_SIGN) | above & (code == AWAY)):
            said[i] += " The newest reading alone is beyond the limit."
    return pd.DataFrame(
        {
            "crossing": words(list(CROSSINGS), code),
            "crossing_time": from_decimal_years(times) if k else _no_times(),
            "crossing_earliest": from_decimal_years(earliest) if k else _no_times(),
            "crossing_latest": from_decimal_years(latest_time) if k else _no_times(),
            "said": pd.array(said, dtype="str"),
        },
        index=trends.index,
    )


_NEEDED = ("slope", "slope_low", "slope_high", "intercept", "centre_time", "spread_low", "spread_high")


def _no_times() -> pd.DatetimeIndex:
    return pd.DatetimeIndex(np.zeros(0, "datetime64[us]")).tz_localize("UTC")


def _sides_of(limit: Limit | None) -> tuple[float, float]:
    """Give the upper and the lower line that may be crossed, infinite where there is none."""
    upper, lower = np.inf, -np.inf
    if limit is None or limit.comparison == "detected":
        return upper, lower
    if limit.comparison == "outside range":
        return (
            upper if limit.upper is None else float(limit.upper),
            lower if limit.lower is None else float(limit.lower),
        )
    if limit.value is None:
        return upper, lower
    return (upper, float(limit.value)) if limit.comparison == "below" else (float(limit.value), lower)


def _beyond(value: Numbers, upper: float, *, strictly: bool) -> Flags:
    return np.asarray(value > upper if strictly else value >= upper, dtype=bool)


def _crossing(
    row: dict[str, Numbers], target: Numbers | float, begin: Numbers
) -> tuple[Numbers, Numbers, Numbers]:
    """Give when the line and the two edges of its band reach a height, in decimal years, not before *begin*.

    With d the time from the median time, A the height still to go there, b the slope, h the half-width
    there and w that of the slope, an edge meets the height where sqrt(h^2 + w^2 d^2) = |A - b d|: the
    lesser root of (b^2 - w^2) d^2 - 2 A b d + A^2 - h^2 is the early edge, the greater one the late.
    """
    b, sign = np.abs(row["slope"]), np.sign(row["slope"])
    centre = row["centre_time"]
    rising = sign > 0
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        A = sign * (target - (row["intercept"] + row["slope"] * centre))
        above, below = row["slope_high"] - row["slope"], row["slope"] - row["slope_low"]
        fast_w, slow_w = np.where(rising, above, below), np.where(rising, below, above)
        fast_h = np.where(rising, row["spread_high"], row["spread_low"])
        slow_h = np.where(rising, row["spread_low"], row["spread_high"])
        time = centre + A / b
        g = b**2 - fast_w**2
        root = np.sqrt(np.maximum(A**2 * fast_w**2 + g * fast_h**2, 0))
        early = centre + (A**2 - fast_h**2) / (A * b + root)
        early = np.where(fast_h >= np.abs(A), begin, early)
        # An edge that is not bounded may be anywhere from there on.
        early = np.where(np.isnan(fast_w), begin, early)
        g = b**2 - slow_w**2
        root = np.sqrt(np.maximum(A**2 * slow_w**2 + g * slow_h**2, 0))
        late = np.where(g > 0, centre + (A * b + root) / g, np.inf)
        late = np.where(np.isnan(late), np.inf, late)
    return np.maximum(time, begin), np.maximum(early, begin), np.maximum(late, begin)


def _since(
    row: dict[str, Numbers], upper: float, lower: float, over: Flags, first: Numbers, today: float
) -> Numbers:
    """Give when a line that stands beyond a limit crossed it, if within its record."""
    bound = np.where(over, upper, lower)
    outward = np.where(over, row["slope"] > 0, row["slope"] < 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        time = (bound - row["intercept"]) / row["slope"]
        return np.where(outward & (time >= first) & (time <= today), time, np.nan)


def _back(
    row: dict[str, Numbers], upper: float, lower: float, over: Flags, moves: Flags, today: float, end: float
) -> Numbers:
    """Give when a line beyond a limit that moves back would be inside again, if before the horizon."""
    inward = moves & np.where(over, row["slope"] < 0, row["slope"] > 0)
    bound = np.where(over, upper, lower)
    with np.errstate(invalid="ignore", divide="ignore"):
        time = (bound - row["intercept"]) / row["slope"]
    return np.where(inward & np.isfinite(time) & (time >= today) & (time <= end), time, np.nan)


def _month(years: float) -> str:
    return str(from_decimal_years(years)[0].strftime("%Y-%m"))


class _Facts:
    """What the sentences are made of."""

    def __init__(
        self,
        limit: Limit | None,
        over: Flags,
        moves: Flags,
        slope: Numbers,
        newest: Numbers,
        old: Flags,
        times: Numbers,
        earliest: Numbers,
        latest: Numbers,
        end: float,
        horizon: float,
    ) -> None:
        self.limit, self.over, self.moves, self.slope = limit, over, moves, slope
        self.newest, self.old, self.times = newest, old, times
        self.earliest, self.latest, self.end, self.horizon = earliest, latest, end, horizon
        self.back = np.full(len(slope), np.nan)
        self.unseen = np.zeros(len(slope), dtype=bool)
        self.name = "" if limit is None else limit.text()

    def said(self, i: int, code: int, why: str) -> str:
        rising = self.slope[i] > 0
        if code == NO_LIMIT:
            if self.limit is None:
                return "No limit is set."
            return f"A limit that says {self.name!r} is no line that could be crossed."
        if code == FEW:
            if self.old[i]:
                return (
                    f"The newest reading is of {_month(self.newest[i])}, longer ago than the horizon of "
                    f"{self.horizon:g} years: its line is not carried on."
                )
            return why or "There are not enough readings."
        if code == CROSSED:
            where = "above" if self.over[i] else "below"
            said = f"The line stands {where} the limit ({self.name}) already"
            if np.isfinite(self.times[i]):
                said += f", since about {_month(self.times[i])}"
            if np.isfinite(self.back[i]):
                said += f"; it moves back and would be inside again about {_month(self.back[i])}"
            return said + "."
        if code == NO_SIGN:
            return "No sign of crossing: the interval of the slope holds zero."
        if code == AWAY:
            return f"The line is {'rising' if rising else 'falling'}, away from the limit ({self.name})."
        verb = "rises above" if rising else "falls below"
        if code == BEYOND:
            said = f"The line {'rises' if rising else 'falls'} towards the limit ({self.name}) but does not "
            said += f"reach it before {_month(self.end)}"
            if np.isfinite(self.earliest[i]):
                said += f"; at the earliest in {_month(self.earliest[i])}"
            return said + "."
        last = (
            f"and {_month(self.latest[i])}"
            if np.isfinite(self.latest[i])
            else f"and later than {_month(self.end)}, where the horizon is"
        )
        return (
            f"The line {verb} the limit ({self.name}) about {_month(self.times[i])}, "
            f"between {_month(self.earliest[i])} {last}; single readings do so earlier."
            + (
                f" Nobody has measured since {_month(self.newest[i])}: it may be so by now."
                if self.unseen[i]
                else ""
            )
        )


def fan(
    one: pd.DataFrame,
    row: Any,
    until: pd.Timestamp,
    confidence: float = 0.9,
    *,
    since: pd.Timestamp | None = None,
    points: int = 60,
) -> pd.DataFrame:
    """Carry the line of one series on, with the band of the line and of a single reading.

    The band of a reading adds, as the root of the sum of squares, how the readings so far lie round the
    line: the quantiles of the residuals (Turnbull's distribution where some are censored; of n
    readings the rank (n + 1) q, and where that is beyond the outermost, at least the normal quantile of
    the quartiles). Readings are supposed to go on to scatter as they did. To this comes, growing with
    time, how fast the line of the first 70 % of the record went astray in the rest: lines bend, and
    without this term 80 % of 6,400 hidden readings lay in the 90 % interval, with it 86 %
    (``benchmarks/projection.py``).

    Parameters
    ----------
    one : DataFrame
        The readings of the series: ``time``, ``value``, ``censoring``.
    row : Series
        The row of ``trends`` for it.
    until : Timestamp
        UTC; the last time wanted.
    confidence : float
        Two-sided, of both bands.
    since : Timestamp, optional
        The first time wanted; the newest reading unless given.
    points : int
        How many times, evenly spaced.

    Returns
    -------
    DataFrame
        ``time``, ``estimate``, ``line_low``, ``line_high``, ``reading_low``, ``reading_high``; no row where
        there is no line or *until* is not after the first time. No lower edge is below zero where no
        reading ever was.
    """
    columns = ["estimate", "line_low", "line_high", "reading_low", "reading_high"]
    begin = pd.Timestamp(row["last_time"] if since is None else since)
    if not np.isfinite(float(row["slope"])) or pd.isna(begin) or not until > begin:
        return pd.DataFrame({"time": _no_times()} | {name: np.zeros(0) for name in columns})
    ends = decimal_years([begin, until])
    t = np.linspace(ends[0], ends[1], points)
    return pd.DataFrame({"time": from_decimal_years(t)} | fan_at(one, row, t, confidence))


def fan_at(one: pd.DataFrame, row: Any, t: Numbers, confidence: float = 0.9) -> dict[str, Numbers]:
    """Give the columns of ``fan`` at decimal years *t*."""
    estimate, low, high = line_band(row, t, confidence)
    down, up = _scatter(one, row, confidence)
    ahead = _drift(one, confidence) * np.maximum(t - decimal_years([row["last_time"]])[0], 0.0)
    reading_low = estimate - np.hypot(np.hypot(estimate - low, down), ahead)
    reading_high = estimate + np.hypot(np.hypot(high - estimate, up), ahead)
    value = one["value"].to_numpy(dtype=np.float64)
    if (value >= 0).all():
        low, reading_low = np.maximum(low, 0.0), np.maximum(reading_low, 0.0)
    return {
        "estimate": estimate,
        "line_low": low,
        "line_high": high,
        "reading_low": reading_low,
        "reading_high": reading_high,
    }


#: The share of a record from which its own later part is projected, to see how far off that would have been.
KNOWN = 0.7


def _drift(one: pd.DataFrame, confidence: float) -> float:
    """Say by how much a year this line may go astray, from the record itself.

    The line is drawn again from the first 70 % of the readings and the rest is held against it: the
    answer is the rate at which the interval must widen so that the stated share of the rest lies inside.
    """
    table = one.assign(series=0).sort_values("time", ignore_index=True)
    known = int(np.ceil(KNOWN * len(table)))
    row, later = trends_of(table.iloc[:known]).iloc[0], table.iloc[known:]
    if row["trend"] == NOT_ENOUGH or not len(later) or not np.isfinite(row["slope"]):
        return 0.0
    t = decimal_years(later["time"])
    lead = t - decimal_years([row["last_time"]])[0]
    estimate, low, high = line_band(row, t, confidence)
    down, up = _scatter(table.iloc[:known], row, confidence)
    error, side = later["value"].to_numpy(dtype=np.float64) - estimate, sides_of(later["censoring"])
    # A bound that the line respects is no error.
    error = np.where((side < 0) & (error > 0) | (side > 0) & (error < 0), 0.0, error)
    allowed = np.where(error > 0, np.hypot(high - estimate, up), np.hypot(estimate - low, down))
    # The difference of the squares as a product, which huge numbers do not overflow.
    beyond = np.maximum(np.abs(error) - allowed, 0.0)
    excess = np.sqrt(beyond) * np.sqrt(beyond + 2 * allowed)
    rate = np.divide(excess, lead, out=np.zeros(len(t)), where=(lead > 0) & np.isfinite(excess))
    return float(np.quantile(rate, confidence))


def _scatter(one: pd.DataFrame, row: Any, confidence: float) -> tuple[float, float]:
    """Say how far below and above the line a reading lies, at the quantiles of a two-sided interval."""
    value, side = one["value"].to_numpy(dtype=np.float64), sides_of(one["censoring"])
    line = float(row["intercept"]) + float(row["slope"]) * decimal_years(microseconds(one["time"]))
    n, tail = len(value), (1 - confidence) / 2
    rank = tail * (n + 1)
    q = np.clip(np.array([rank / n, 0.25, 0.5, 0.75, 1 - (rank - 1) / n]), 1e-9, 1 - 1e-9)
    if side.any():
        floor = 0.0 if (value >= 0).all() else -np.inf
        low = np.where(side < 0, floor, value) - line
        high = np.where(side > 0, np.inf, value) - line
        found = turnbull_quantiles(low[None], high[None], q)[:, 0]
    else:
        ranks = np.clip(np.array([rank, (n + 1) / 4, (n + 1) / 2, 3 * (n + 1) / 4, n + 1 - rank]), 1, n)
        found = np.interp(ranks, np.arange(1, n + 1), np.sort(value - line))
    down, up = max(-found[0], 0.0), max(found[4], 0.0)
    if rank < 1:
        # Too few readings to have seen so rare a one: the quartiles say how wide a normal scatter is.
        spread = normal_quantile(confidence) * max(found[3] - found[1], 0.0) / (2 * 0.6744897501960817)
        down, up = max(down, spread), max(up, spread)
    return float(down), float(up)
