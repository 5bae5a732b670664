"""Whether an exceedance is confirmed, or one reading that may have been chance.

The rules, in this order:

1. *Acute* limits (nitrate, *E. coli*, and every limit whose standard does not call it chronic) and limits
   that must not be *detected* are exceeded by a single reading: the newest one counts, and is called a
   ``single reading``.
2. *Chronic* limits are about long exposure, so one reading neither proves nor clears. Without any reading
   over the limit there is ``no exceedance``; one reading alone is a ``single reading``; under four
   (:data:`~situation.confidence.MIN_READINGS`) are ``not enough readings``.
3. A series that rises or falls has no one mean. The confidence band of its trend line at the newest date
   counts: the simultaneous band of least squares (EPA 2009, 21.3) where there are at least eight readings,
   none censored, with residuals that pass a Shapiro-Wilk test at 5 %; else the band of Theil and Sen.
4. A series without a trend and without censored readings: the lower confidence limit of the mean, normal if
   the readings pass a Shapiro-Wilk test at 5 % (21.1.1), else lognormal by Land if their logarithms pass
   (21.1.3), else of the median by order statistics (21.2).
5. With up to half of the readings "less than" and three different detects: whichever of the normal and the
   lognormal probability plot is straighter chooses between the Kaplan-Meier mean with its standard error
   and robust ROS with Land's limit. Over half, or with "more than" readings: the median by order
   statistics, a "less than" ranking lowest.
6. An exceedance is ``confirmed`` if the limit of confidence is itself beyond the limit of the standard;
   else it is ``not confirmed``, which does not say that the water is good. An order statistic never counts
   with less confidence than was asked for: where the readings are too few for it, that is the answer.

For limits that must not be undercut (oxygen) all is mirrored: the *upper* limit of confidence must lie
under the limit; for a range (pH) either end can be exceeded. Where a limit is on a percentile, the same
rules hold with the noncentral t (21.1.4) and order statistics in place of the mean.

US EPA, Unified Guidance, EPA 530/R-09-007 (2009), chapters 21 and 22. What surprised us: the guidance
leaves the choice among its methods to judgement; a map of ten thousand wells needs it written down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from situation import censored as cens
from situation import confidence as conf
from situation.errors import StatisticError
from situation.standard import Limit

Numbers = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

CONFIRMED = "confirmed"
NOT_CONFIRMED = "not confirmed"
SINGLE = "single reading"
TOO_FEW = "not enough readings"
NONE = "no exceedance"
NO_LIMIT = "no limit"
#: The answers there are, the gravest first.
ANSWERS = (CONFIRMED, NOT_CONFIRMED, SINGLE, TOO_FEW, NONE, NO_LIMIT)
#: Least squares needs this many readings for its band (EPA 2009, 21.3: "at least 8 to 10").
MIN_BAND = 8
COLUMNS = ("confirmed", "method", "lower", "upper", "why")


@dataclass(frozen=True)
class _Task:
    """One direction of a limit and what is known of every series."""

    limit: Limit
    bound: float
    side: str  # "lower": too much is confirmed by a lower limit of confidence; "upper": too little
    inclusive: bool
    confidence: float
    percentile: float | None
    value: Numbers
    marks: npt.NDArray[np.int8]
    start: Whole
    n: Whole

    def beyond(self, value: Numbers) -> Flags:
        """Say what lies beyond the limit."""
        if self.side == "lower":
            return np.asarray(value >= self.bound if self.inclusive else value > self.bound)
        return np.asarray(value < self.bound)

    def rows(self, series: int) -> slice:
        """Say where the readings of a series stand."""
        return slice(int(self.start[series]), int(self.start[series] + self.n[series]))


def confirm(
    table: pd.DataFrame,
    trends: pd.DataFrame | None,
    limit: Limit | None,
    *,
    confidence: float = 0.95,
    percentile: float | None = None,
) -> pd.DataFrame:
    """Say of every series whether its exceedance is confirmed, by the rules of this module.

    Parameters
    ----------
    table : DataFrame
        The series table: ``series`` (codes), ``time`` (UTC), ``value`` (in the unit and species of the
        limit), ``censoring`` (``=``, ``<``, ``>``); in any order.
    trends : DataFrame, optional
        What :func:`situation.trend.trends` said, by code; its column ``trend`` is used, and its line
        where there is a trend. Without it no series has one.
    limit : Limit, optional
    confidence : float
        One-sided.
    percentile : float, optional
        Of which the limit speaks instead of the mean, e.g. 90.

    Returns
    -------
    DataFrame
        One row per code (those of *trends* and of *table*): ``confirmed`` (:data:`ANSWERS`), ``method``,
        ``lower`` and ``upper`` (one-sided limits of confidence in the unit of the limit; NaN where there is
        none), ``why`` (a sentence).
    """
    conf.check_confidence(confidence)
    codes = pd.Index(np.unique(table["series"].to_numpy("int64")), name="series")
    if trends is not None:
        codes = codes.union(pd.Index(trends.index.astype("int64"), name="series"))
    codes.name = "series"
    if limit is None:
        return _same(codes, NO_LIMIT, "The standard has no limit for this.")
    table = _sorted(table)
    series = codes.get_indexer(table["series"])
    n = np.bincount(series, minlength=len(codes)).astype("int64")
    shared = {
        "limit": limit,
        "confidence": confidence,
        "percentile": percentile,
        "value": table["value"].to_numpy("float64"),
        "marks": _marks(table["censoring"]),
        "start": np.cumsum(n) - n,
        "n": n,
    }
    acute = limit.exposure != "chronic" or limit.comparison == "detected"
    found: pd.DataFrame | None = None
    for bound, side, inclusive in _directions(limit):
        task = _Task(bound=bound, side=side, inclusive=inclusive, **shared)  # type: ignore[arg-type]
        now = _acute(task, codes, table) if acute else _chronic(task, codes, table, trends)
        found = now if found is None else _graver(found, now)
    return found if found is not None else _same(codes, NO_LIMIT, "The limit has no number.")


def _same(codes: pd.Index, answer: str, why: str) -> pd.DataFrame:
    return pd.DataFrame(
        {"confirmed": answer, "method": "", "lower": np.nan, "upper": np.nan, "why": why},
        index=codes,
        columns=list(COLUMNS),
    )


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    series = table["series"].to_numpy("int64")
    time = table["time"].to_numpy("datetime64[us]").astype("int64")
    step = np.diff(series)
    if ((step > 0) | ((step == 0) & (np.diff(time) >= 0))).all():
        return table
    return table.iloc[np.lexsort((time, series))]


def _marks(censoring: pd.Series) -> npt.NDArray[np.int8]:
    signs = censoring.to_numpy(dtype=object)
    return np.asarray((signs == ">").astype("int8") - (signs == "<").astype("int8"), "int8")


def _directions(limit: Limit) -> list[tuple[float, str, bool]]:
    if limit.comparison == "outside range":
        ends = [(limit.upper, "lower", False), (limit.lower, "upper", False)]
    elif limit.comparison == "below":
        ends = [(limit.value, "upper", False)]
    else:
        ends = [(limit.value, "lower", limit.comparison == "at_or_above")]
    return [(end, side, inclusive) for end, side, inclusive in ends if end is not None]


def _exceeding(task: _Task) -> Flags:
    """Say of every reading whether it is surely beyond the limit."""
    exact = (task.marks == 0) & task.beyond(task.value)
    if task.side == "lower":
        # More than the limit's number is over the limit, whichever way equality goes.
        return np.asarray(exact | ((task.marks > 0) & (task.value >= task.bound)))
    return np.asarray(exact | ((task.marks < 0) & (task.value <= task.bound)))


def _graver(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    rank = {answer: place for place, answer in enumerate(ANSWERS)}
    other_wins = other["confirmed"].map(rank).to_numpy() < one["confirmed"].map(rank).to_numpy()
    return one.where(~pd.Series(other_wins, one.index), other)


def _count(series: Whole, flags: Flags, k: int) -> Whole:
    return np.bincount(series[flags], minlength=k).astype("int64")


# -- Acute ---------------------------------------------------------------------------------------------


def _acute(task: _Task, codes: pd.Index, table: pd.DataFrame) -> pd.DataFrame:
    k = len(codes)
    series = np.repeat(np.arange(k), task.n)
    over = _exceeding(task)
    time = table["time"].to_numpy("datetime64[us]").astype("int64")
    newest = np.zeros(len(series), bool)
    some = task.n > 0
    last = np.zeros(k, "int64")
    last[some] = time[(task.start + task.n - 1)[some]]
    # Two readings of the newest instant count both.
    newest = time == last[series]
    now, ever = _count(series, over & newest, k) > 0, _count(series, over, k)
    what = "must not be found" if task.limit.comparison == "detected" else "is for short exposure"
    said = f"The limit {what}: the newest reading is beyond it, and one is enough."
    found = _same(codes, NONE, "")
    found["method"] = "the newest reading counts"
    found["confirmed"] = np.where(now, SINGLE, np.where(some, NONE, TOO_FEW))
    found["why"] = [
        said if hit else _earlier(int(before)) if any_ else "There are no readings with a number."
        for hit, before, any_ in zip(now, ever, some, strict=True)
    ]
    return found


def _earlier(before: int) -> str:
    if not before:
        return "No reading is beyond the limit."
    return f"The newest reading is not beyond the limit; {before} earlier {_are(before)}."


def _are(count: int) -> str:
    return "one is" if count == 1 else "ones are"


# -- Chronic -------------------------------------------------------------------------------------------


def _chronic(task: _Task, codes: pd.Index, table: pd.DataFrame, trends: pd.DataFrame | None) -> pd.DataFrame:
    k = len(codes)
    series = np.repeat(np.arange(k), task.n)
    over = _count(series, _exceeding(task), k)
    open_ = _count(series, _open(task), k)
    found = _same(codes, NONE, "")
    found["why"] = [_none(int(n), int(unknown)) for n, unknown in zip(task.n, open_, strict=True)]
    answer = np.where(task.n == 0, TOO_FEW, NONE).astype(object)
    single, few = (over > 0) & (task.n == 1), (over > 0) & (task.n > 1) & (task.n < conf.MIN_READINGS)
    answer[single], answer[few] = SINGLE, TOO_FEW
    found["confirmed"] = answer
    found.loc[codes[single], "why"] = (
        "There is one reading, and it is beyond the limit; a limit for long exposure needs more."
    )
    found.loc[codes[few], "why"] = [
        f"There are {n} readings; to confirm takes at least {conf.MIN_READINGS}." for n in task.n[few]
    ]
    ask = (over > 0) & (task.n >= conf.MIN_READINGS)
    moving = _moving(trends, codes) & ask
    told: list[tuple[Whole, pd.DataFrame]] = []
    if moving.any() and trends is not None:
        at = np.flatnonzero(moving)
        told.append((at, _under_trend(task, at, codes, table, trends)))
    if (ask & ~moving).any():
        told.append(_without_trend(task, np.flatnonzero(ask & ~moving)))
    for at, part in told:
        for name in COLUMNS:
            column = found[name].to_numpy(copy=True)
            column[at] = part[name].to_numpy()
            found[name] = column
    return found


def _open(task: _Task) -> Flags:
    """Say which readings may or may not be beyond the limit."""
    if task.side == "lower":
        return np.asarray((task.marks < 0) & (task.value > task.bound))
    return np.asarray((task.marks > 0) & (task.value < task.bound))


def _none(n: int, unknown: int) -> str:
    if not n:
        return "There are no readings with a number."
    if unknown:
        return f"No reading is known to be beyond the limit, but {unknown} of {n} cannot tell."
    return "No reading is beyond the limit."


def _moving(trends: pd.DataFrame | None, codes: pd.Index) -> Flags:
    if trends is None:
        return np.zeros(len(codes), bool)
    return np.asarray(trends["trend"].reindex(codes).isin(["rising", "falling"]))


def _answers(
    task: _Task, lower: Numbers, upper: Numbers, method: list[str], why: list[str], what: list[str]
) -> pd.DataFrame:
    """Compare limits of confidence with the limit; *why* replaces the sentence where it says something."""
    deciding = lower if task.side == "lower" else upper
    with np.errstate(invalid="ignore"):
        sure = np.isfinite(deciding) & task.beyond(deciding)
    unit = "" if task.limit.unit in ("1", "[pH]") else f" {task.limit.unit}"
    word = "at least" if task.side == "lower" else "at most"
    # A lower limit under zero says nothing of what cannot be negative, and its number would only confuse.
    nothing = (deciding < 0) & (task.side == "lower") & (not (task.value < 0).any())
    sentence = [
        said
        or (
            f"{name} may be anything down to zero with {task.confidence:.0%} confidence; "
            f"that does not confirm the limit of {task.bound:g}{unit} exceeded."
            if none
            else f"{name} is {word} {edge:.3g}{unit} with {task.confidence:.0%} confidence, "
            f"{'beyond' if yes else 'which is not beyond'} the limit of {task.bound:g}{unit}."
        )
        for said, name, edge, yes, none in zip(why, what, deciding, sure, nothing, strict=True)
    ]
    return pd.DataFrame(
        {
            "confirmed": np.where(sure, CONFIRMED, NOT_CONFIRMED),
            "method": method,
            "lower": lower,
            "upper": upper,
            "why": sentence,
        }
    )


# -- Chronic, without a trend -----------------------------------------------------------------------------


def _without_trend(task: _Task, at: Whole) -> tuple[Whole, pd.DataFrame]:
    """Take the series of one size together: their readings are a matrix."""
    parts, places = [], []
    for n in np.unique(task.n[at]):
        these = at[task.n[at] == n]
        rows = task.start[these][:, None] + np.arange(n)
        value, marks = task.value[rows], task.marks[rows]
        dark = (marks != 0).sum(axis=1)
        some = (dark > 0) & (dark <= conf.MAX_SHARE * n) & ~(marks > 0).any(axis=1)
        if some.any():
            found, done = _with_censored(task, value[some], marks[some])
            parts.append(found[done])
            places.append(these[some][done])
            dark[np.flatnonzero(some)[done]] = -1
        whole, rest = dark == 0, dark > 0
        left = np.zeros(len(these), bool)
        if whole.any():
            found, done = _parametric(task, value[whole])
            parts.append(found[done])
            places.append(these[whole][done])
            left[np.flatnonzero(whole)[~done]] = True
        left |= rest
        if left.any():
            parts.append(_by_rank(task, value[left], marks[left]))
            places.append(these[left])
    return np.concatenate(places), pd.concat(parts, ignore_index=True)


def _parametric(task: _Task, value: Numbers) -> tuple[pd.DataFrame, Flags]:
    """Limits of the mean (or percentile) where a distribution fits; which series have one."""
    k, n = value.shape
    if n > 5000:
        return pd.DataFrame({name: [""] * k for name in COLUMNS}), np.zeros(k, bool)
    with np.errstate(invalid="ignore", divide="ignore"):
        normal = np.asarray(conf.shapiro_wilk(value)[1] >= conf.ALPHA)
        positive = np.asarray((value > 0).all(axis=1))
        logs = np.log(np.where(positive[:, None], value, 1.0 + np.arange(n)))
        log = np.asarray(~normal & positive & (conf.shapiro_wilk(logs)[1] >= conf.ALPHA))
    lower, upper = np.full(k, np.nan), np.full(k, np.nan)
    mean, sd = value.mean(axis=1), value.std(axis=1, ddof=1)
    low, high = _reach(task, n)
    lower[normal], upper[normal] = (mean + low * sd)[normal], (mean + high * sd)[normal]
    mean, sd = logs.mean(axis=1), logs.std(axis=1, ddof=1)
    if task.percentile is not None:
        lower[log], upper[log] = np.exp(mean + low * sd)[log], np.exp(mean + high * sd)[log]
    elif log.any():
        edge = lower if task.side == "lower" else upper
        edge[log] = conf.land_limit(mean[log], sd[log], n, side=task.side, confidence=task.confidence)
    of = _of(task)
    method = np.where(normal, f"{of}, normal", f"{of}, lognormal" + ("" if task.percentile else " (Land)"))
    name = f"The {of} of {n} readings"
    return _answers(task, lower, upper, list(method), [""] * k, [name] * k), np.asarray(normal | log)


def _of(task: _Task) -> str:
    return "mean" if task.percentile is None else conf.percentile_name(task.percentile)


def _reach(task: _Task, n: int) -> tuple[float, float]:
    """How many standard deviations the lower and the upper limit lie from the mean."""
    from scipy import special

    if task.percentile is None:
        far = float(special.stdtrit(n - 1, task.confidence) / np.sqrt(n))
        return -far, far
    shift = float(special.ndtri(task.percentile / 100) * np.sqrt(n))
    low, high = special.nctdtrit(n - 1, shift, np.array([1 - task.confidence, task.confidence])) / np.sqrt(n)
    return float(low), float(high)


def _with_censored(task: _Task, value: Numbers, marks: npt.NDArray[np.int8]) -> tuple[pd.DataFrame, Flags]:
    """Kaplan-Meier or ROS for series of one size; which of them have one."""
    k, n = value.shape
    centre, spread = np.full(k, np.nan), np.full(k, np.nan)
    log, done = np.zeros(k, bool), np.zeros(k, bool)
    for at in range(k):
        if len(set(value[at][marks[at] == 0].tolist())) < cens.MIN_DETECTS:
            continue
        done[at] = True
        line = cens.straighter(value[at], marks[at])
        log[at] = line.distribution == "lognormal"
        if log[at]:
            centre[at], spread[at] = line.meanlog, line.sdlog
        else:
            seen = cens.kaplan_meier(value[at], marks[at])
            # The standard error of a mean is to it what s / sqrt(n) is elsewhere.
            centre[at], spread[at] = seen.mean, seen.se * np.sqrt(n) if task.percentile is None else seen.sd
    low, high = _reach(task, n)
    lower, upper = centre + low * spread, centre + high * spread
    if task.percentile is not None:
        lower[log], upper[log] = np.exp(lower[log]), np.exp(upper[log])
    elif log.any():
        lower[log] = upper[log] = np.nan
        edge = lower if task.side == "lower" else upper
        edge[log] = conf.land_limit(centre[log], spread[log], n, side=task.side, confidence=task.confidence)
    of = _of(task)
    method = np.where(log, f"{of}, lognormal (robust ROS)", f"{of}, Kaplan-Meier")
    names = [f"The {of} of {n} readings, {dark} of them censored," for dark in (marks != 0).sum(axis=1)]
    return _answers(task, lower, upper, list(method), [""] * k, names), done


def _by_rank(task: _Task, value: Numbers, marks: npt.NDArray[np.int8]) -> pd.DataFrame:
    """Order statistics for series of one size; nothing is supposed of their distribution."""
    k, n = value.shape
    share = (task.percentile or 50) / 100
    of = conf.percentile_name(task.percentile or 50)
    edges = {}
    for side, out in (("lower", -np.inf), ("upper", np.inf)):
        rank, had = conf.rank_for(n, share, side, task.confidence, "at-least")
        away = marks < 0 if side == "lower" else marks > 0
        edge = np.sort(np.where(away, out, value), axis=1)[:, rank - 1]
        edges[side] = np.where(np.isfinite(edge) & (had >= task.confidence - 1e-12), edge, np.nan)
    needed = conf.readings_needed(share, task.side, task.confidence)
    method = f"{of}, order statistics"
    why = [""] * k
    if n >= needed:
        lost = np.isnan(edges[task.side])
        word = "under their limits of detection" if task.side == "lower" else "over what could be measured"
        why = [
            f"Too many of the {n} readings are {word} to say where the {of} begins." if gone else ""
            for gone in lost
        ]
    found = _answers(
        task, edges["lower"], edges["upper"], [method] * k, why, [f"The {of} of {n} readings"] * k
    )
    if n < needed:
        found["confirmed"] = TOO_FEW
        dark, flat = (marks != 0).sum(axis=1), value.max(axis=1) == value.min(axis=1)
        found["why"] = [
            f"{_no_distribution(n, int(hidden), bool(same))}, and without a distribution "
            f"{task.confidence:.0%} confidence takes {needed}."
            for hidden, same in zip(dark, flat, strict=True)
        ]
    return found


def _no_distribution(n: int, dark: int, flat: bool) -> str:
    if dark:
        return f"Of the {n} readings {dark} are censored"
    if flat:
        return f"All {n} readings are equal"
    return f"Neither a normal nor a lognormal distribution fits the {n} readings"


# -- Chronic, under a trend ---------------------------------------------------------------------------------


def _under_trend(
    task: _Task, at: Whole, codes: pd.Index, table: pd.DataFrame, trends: pd.DataFrame
) -> pd.DataFrame:
    from situation import trend

    time = trend.decimal_years(table["time"])
    lower, upper, method = np.full(len(at), np.nan), np.full(len(at), np.nan), []
    for place, series in enumerate(at):
        rows = task.rows(int(series))
        band = _least_squares(task, rows, time)
        if band is None:
            one = table.iloc[rows]
            # One-sided 95 % is the end of a two-sided 90 %.
            shown = trend.band(
                one,
                trends.loc[codes[series]],
                one["time"].iloc[[-1]],
                confidence=2 * task.confidence - 1,
            )
            lower[place], upper[place] = float(shown["low"].iloc[0]), float(shown["high"].iloc[0])
            method.append("band of the Theil-Sen line")
        else:
            lower[place], upper[place] = float(band.low[0]), float(band.high[0])
            method.append("band of the trend line")
    why = [
        "" if np.isfinite(edge) else "There is a trend, but its line has no band."
        for edge in (lower if task.side == "lower" else upper)
    ]
    return _answers(task, lower, upper, method, why, ["The trend line at the newest date"] * len(at))


def _least_squares(task: _Task, rows: slice, time: Numbers) -> conf.Band | None:
    if rows.stop - rows.start < MIN_BAND or (task.marks[rows] != 0).any():
        return None
    try:
        band = conf.trend_band(
            time[rows], task.value[rows], time[rows][-1:], confidence=task.confidence, simultaneous=True
        )
    except StatisticError:
        return None
    return band if band.normal_p >= conf.ALPHA else None
