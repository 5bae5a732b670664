"""How the newest readings compare with a limit: status and freshness, and how both are drawn.

Status and freshness are two columns. ``status`` is ``above``, ``near``, ``below``, ``inconclusive`` or
``no limit``; ``freshness`` is ``current`` or ``stale`` and never changes the status. Unknown is never
safe: a non-detect says "below" only if its limit of detection is not above the limit, and a number whose
unit or form is not known says nothing.

Which reading counts. Medium, fraction and depth are never mixed: each combination at a site is a group
of its own, and the site shows its worst group (above, near, inconclusive, below) and which one that is.
A test strip counts only where the same medium was never measured otherwise at the site; if a newer strip
reads above the limit, ``reason`` says so. Within a group the newest reading counts; at the same instant
laboratory comes before meter, sensor and unknown. A newer reading in an unknown form does not replace an
older one in a known form: it stands beside it as a group of its own.

A limit about several substances together (``terms``) is held against their sum in one sample, an interval
where a part is censored or missing (:mod:`situation.composite`): ``above`` when its lower end is,
``below`` only when its upper end is not above the limit, else ``inconclusive``.

What surprised us: a coliform count "<10 per 100 mL" does not show absence, and taking the maximum of a
column of results lets a non-detect's limit pass for a reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from situation.composite import with_sums
from situation.standard import NEVER_NEGATIVE, Limit, Standard
from situation.topic import Topic
from situation.unit import codes, factors, kind_of, numbered

STATUSES = ("above", "near", "below", "inconclusive", "no limit")
FRESHNESS = ("current", "stale")
ABOVE, NEAR, BELOW, INCONCLUSIVE, NO_LIMIT = range(5)

Codes = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Style:
    """How a status is drawn: colour and shape both, so that either alone is enough."""

    colour: str
    shape: str
    label: str
    order: int


#: Colours from the Okabe-Ito palette and its neighbours; tests hold them apart for colour-blind eyes.
STYLE: Mapping[str, Style] = {
    "above": Style("#c1272d", "triangle", "above the limit", 0),
    "near": Style("#f2b100", "diamond", "near the limit", 1),
    "inconclusive": Style("#5e3c99", "question", "inconclusive: nobody knows", 2),
    "below": Style("#56b4e9", "circle", "below the limit", 3),
    "no limit": Style("#9a9a9a", "square", "no limit set", 4),
}

#: What a status means where the limit is no most: a range, a least, or what must not be there.
_LABELS: Mapping[str, Mapping[str, str]] = {
    "outside range": {
        "above": "outside the range",
        "near": "near the edge of the range",
        "below": "inside the range",
    },
    "below": {
        "above": "too little: below the least",
        "near": "near the least",
        "below": "enough: above the least",
    },
    "detected": {"above": "detected", "below": "not detected"},
}

#: Every way to say a status, for catalogues of other languages.
LABELS = tuple(
    dict.fromkeys(
        [style.label for style in STYLE.values()]
        + [text for words in _LABELS.values() for text in words.values()]
    )
)
#: Comparisons with words of their own.
LABELLED = frozenset(_LABELS)

#: Of several groups at a site the first of these is shown.
WORST = ("above", "near", "inconclusive", "below", "no limit")
_SEVERITY = np.array([WORST.index(name) for name in STATUSES])
#: Among readings at the same instant.
CLASSES = ("laboratory", "meter", "sensor", "unknown", "strip")

_CARRIED = (
    "monitoring_location_id",
    "monitoring_location_name",
    "monitoring_location_type",
    "longitude",
    "latitude",
    "censoring",
    "result_text",
    "phenomenon_time",
    "phenomenon_time_precision",
    "procedure_class",
    "sampled_medium",
    "sample_fraction",
    "depth_m",
    "review_state",
    "batch_id",
    "source_id",
    "contributor",
    "licence",
    "attribution",
    "position_rule",
)
_TOLERANCE = 1e-9  # relative; conversion must not push 0.01 mg/L above 10 ug/L


def assess(
    latest: pd.DataFrame,
    standard: Standard | None,
    observed_property: str,
    *,
    topic: Topic,
    now: pd.Timestamp,
) -> pd.DataFrame:
    """Compare the newest readings of one property with its limit, one row per site.

    Parameters
    ----------
    latest : DataFrame
        The store's current picture: the newest reading per site, medium, fraction, form, depth and
        procedure class, columns named as in ``situation/observation.py`` (flat form) and ``n``. Where the
        limit is about several substances, every reading of these too (:meth:`Standard.needed`).
    standard : Standard or None
        None, or one without a limit for the property, gives ``no limit`` everywhere.
    observed_property : str
        Rows of other properties are left out.
    topic : Topic
        Says what share of a limit is near, and how many days a reading stays current.
    now : Timestamp
        UTC.

    Returns
    -------
    DataFrame
        One row per site, in the order of their first rows: the columns of the reading that counts, with
        ``result`` and ``detection_limit`` in the limit's ``unit`` and ``method_speciation`` (in its own
        where it cannot be converted or there is no limit), ``limit`` (of a range the bound that is
        nearer), ``limit_lower``, ``limit_upper``, ``limit_kind``, ``limit_verified``, ``status``,
        ``freshness``, ``reason`` (why inconclusive, or what else to know), ``n`` (readings of the
        site), ``groups`` (combinations of medium, fraction, depth and known or unknown form at the site).
    """
    limit = standard.limit(observed_property, now.date()) if standard else None
    if limit is not None and limit.terms and "observed_property" in latest:
        rows = with_sums(latest, observed_property, limit, topic.near_share)
    else:
        rows = _of_property(latest, observed_property)
    read = _Readings.of(rows, limit)
    status, reason = _row_statuses(read, limit, topic.near_share)
    if read.sums is not None:
        rows, read = _written(rows, read, status)
    other = _other_fraction(rows, limit)
    status, reason = np.where(other, INCONCLUSIVE, status), np.where(other, 7, reason)
    chosen = _choose(rows, read, status)
    out = _table(rows, read, limit, chosen.rows)
    out["status"] = _words(STATUSES, status[chosen.rows])
    out["freshness"] = _words(
        FRESHNESS, _stale(out["phenomenon_time"], topic.stale_days, now).astype("int64")
    )
    out["reason"] = _reasons(reason[chosen.rows], read.why, chosen)
    out["n"] = chosen.n
    out["groups"] = chosen.groups
    return out


def label(status: str, comparison: str | None = None) -> str:
    """Say a status in words that fit the limit.

    Parameters
    ----------
    status : str
        One of :data:`STATUSES`.
    comparison : str, optional
        Of the limit (``limit_comparison``); the status ``above`` means too much, outside, too little or there.

    Examples
    --------
    >>> label("above"), label("above", "outside range"), label("below", "detected")
    ('above the limit', 'outside the range', 'not detected')
    """
    words = _LABELS.get(comparison, {}) if isinstance(comparison, str) else {}
    return words.get(status, STYLE[status].label)


def _of_property(latest: pd.DataFrame, observed_property: str) -> pd.DataFrame:
    if "observed_property" not in latest:
        return latest.assign(observed_property=observed_property)
    numbers, values = codes(latest["observed_property"])
    wanted = values.index(observed_property) if observed_property in values else -1
    mask = numbers == wanted
    return latest if mask.all() else latest.loc[mask]


# -- one row at a time, all at once -----------------------------------------------------------------


@dataclass(frozen=True)
class _Readings:
    """The numbers of the rows, converted into the limit's unit and form where that is possible."""

    result: Numbers
    bound: Numbers  # limit of detection, or bound that was passed
    censoring: Codes  # 0 = quantified, 1 <, 2 >, 3 text, 4 missing or unknown
    convertible: Flags
    why: pd.Series  # why not convertible
    sums: Flags | None = None  # which rows were added up of several substances
    low: Numbers | None = None  # what such a sum is at least
    high: Numbers | None = None  # and at most

    @classmethod
    def of(cls, rows: pd.DataFrame, limit: Limit | None) -> _Readings:
        result = rows["result"].to_numpy("float64")
        bound = _numbers(rows, "detection_limit")
        numbers, values = codes(rows["censoring"])
        known = ["=", "<", ">", "text"]
        censoring = np.array([known.index(str(v)) if v in known else 4 for v in values])[numbers]
        if limit is None:
            return cls(result, bound, censoring, np.ones(len(rows), bool), pd.Series(dtype="str"))
        how = factors(rows, limit.unit, limit.species)
        scale, offset = how["scale"].to_numpy(), how["offset"].to_numpy()
        good = np.isfinite(scale)
        read = cls(
            np.where(good, result * scale + offset, result),
            np.where(good, bound * scale + offset, bound),
            censoring,
            good,
            how["reason"],
        )
        if "sum_low" not in rows:
            return read
        low, high = _numbers(rows, "sum_low"), _numbers(rows, "sum_high")
        sums = np.isfinite(low)
        why = read.why.where(~sums, rows["sum_note"])
        return replace(read, why=why, convertible=good | sums, sums=sums, low=low, high=high)


def _numbers(rows: pd.DataFrame, name: str) -> Numbers:
    return rows[name].to_numpy("float64") if name in rows else np.full(len(rows), np.nan)


_WHY = (
    None,
    "not convertible",  # replaced by the reason of the conversion
    "the limit of detection is above the limit",
    "a non-detect without its limit of detection",
    "more than a bound that is itself below the limit",
    "the result is text, not a number",
    "the result is missing",
    "the limit is for another fraction of the sample",
    "limits of detection leave it open whether the sum is above the limit",
    "a limit of detection of zero or less says nothing",
)


def _row_statuses(read: _Readings, limit: Limit | None, near_share: float) -> tuple[Codes, Codes]:
    """Give each row its status (index of STATUSES) and the reason for being inconclusive (of _WHY)."""
    if limit is None:
        none = np.full(len(read.result), NO_LIMIT, dtype="int64")
        return none, np.zeros_like(none)
    with np.errstate(invalid="ignore"):
        quantified = _quantified(read.result, limit, near_share)
        # What spreadsheets write where no limit of detection was given; no method sees down to nothing.
        empty = (read.censoring == 1) & (read.bound <= 0) & (kind_of(limit.unit) in NEVER_NEGATIVE)
        less = np.where(empty, INCONCLUSIVE, _less(read.bound, limit))
        more = _more(read.bound, limit)
    status = np.select(
        [read.censoring == 0, read.censoring == 1, read.censoring == 2],
        [quantified, less, more],
        INCONCLUSIVE,
    )
    status = np.where(read.convertible, status, INCONCLUSIVE)
    no_bound = ~np.isfinite(read.bound)
    reason = np.select(
        [
            status != INCONCLUSIVE,
            read.censoring == 3,
            read.censoring == 4,
            ~read.convertible,
            (read.censoring == 1) & no_bound,
            empty,
            read.censoring == 1,
            read.censoring == 2,
        ],
        [0, 5, 6, 1, 3, 9, 2, 4],
        6,
    )
    if read.sums is not None and read.low is not None and read.high is not None:
        status = np.where(read.sums, _interval(read.low, read.high, limit, near_share), status)
        noted = read.why.notna().to_numpy()
        open_end = np.where(status == INCONCLUSIVE, 8, 0)
        reason = np.where(read.sums, np.where(noted, 1, open_end), reason)
    return status.astype("int64"), reason.astype("int64")


def _interval(low: Numbers, high: Numbers, limit: Limit, near_share: float) -> Codes:
    """Compare what is known only to lie between two numbers."""
    at_least = _quantified(low, limit, near_share)
    at_most = _quantified(high, limit, near_share)  # inconclusive where nothing bounds it
    open_end = (at_most == ABOVE) | (at_most == INCONCLUSIVE)
    # All of it from the near share on is near; an interval that begins below that is below the limit.
    return np.where(at_least == ABOVE, ABOVE, np.where(open_end, INCONCLUSIVE, at_least))


def _written(rows: pd.DataFrame, read: _Readings, status: Codes) -> tuple[pd.DataFrame, _Readings]:
    """Write an interval by the end that decides: a sum above the limit as more than its lower end."""
    if read.sums is None or read.low is None:
        return rows, read
    over = read.sums & (status == ABOVE) & (read.censoring != 0)
    rows = rows.assign(censoring=rows["censoring"].astype("str").where(~over, ">"))
    return rows, replace(
        read,
        censoring=np.where(over, 2, read.censoring),
        bound=np.where(over, read.low, read.bound),
    )


def _other_fraction(rows: pd.DataFrame, limit: Limit | None) -> Flags:
    if limit is None or limit.fraction is None or "sample_fraction" not in rows:
        return np.zeros(len(rows), bool)
    fraction = rows["sample_fraction"]
    other: Flags = (fraction.notna() & fraction.str.casefold().ne(limit.fraction.casefold())).to_numpy(bool)
    return other


def _quantified(result: Numbers, limit: Limit, near_share: float) -> Codes:
    if limit.comparison == "outside range":
        low, high = _range(limit)
        # Near a range: within half of the share that is left over, of its width, from either end.
        margin = (1 - near_share) / 2 * (high - low)
        over = (result < low - _slack(low)) | (result > high + _slack(high))
        near = (result < low + margin - _slack(low)) | (result > high - margin + _slack(high))
    elif limit.comparison == "detected":
        over, near = result > 0, np.zeros(len(result), bool)
    else:
        value = _value(limit)
        over = {
            "above": result > value + _slack(value),
            "at_or_above": result >= value - _slack(value),
            "below": result < value - _slack(value),
        }[limit.comparison]
        close = value / near_share if limit.comparison == "below" else value * near_share
        near = (
            result <= close + _slack(close)
            if limit.comparison == "below"
            else result >= close - _slack(close)
        )
    known = np.where(over, ABOVE, np.where(near, NEAR, BELOW))
    return np.where(np.isfinite(result), known, INCONCLUSIVE)


def _less(bound: Numbers, limit: Limit) -> Codes:
    """Compare results that are less than *bound*."""
    if limit.comparison == "outside range":
        low, _ = _range(limit)
        return np.where(bound <= low, ABOVE, INCONCLUSIVE)
    if limit.comparison == "below":
        return np.where(bound <= _value(limit), ABOVE, INCONCLUSIVE)
    most = _value(limit)
    if limit.comparison == "detected":
        most = np.inf if limit.upper is None else limit.upper
    return np.where(bound <= most + _slack(most), BELOW, INCONCLUSIVE)


def _more(bound: Numbers, limit: Limit) -> Codes:
    """Compare results that are more than *bound*."""
    if limit.comparison == "outside range":
        _, high = _range(limit)
        return np.where(bound >= high - _slack(high), ABOVE, INCONCLUSIVE)
    if limit.comparison == "below":
        return np.where(bound >= _value(limit), BELOW, INCONCLUSIVE)
    least = _value(limit)
    return np.where(bound >= least - _slack(least), ABOVE, INCONCLUSIVE)


def _slack(value: float) -> float:
    return 0.0 if not np.isfinite(value) else _TOLERANCE * abs(value)


def _value(limit: Limit) -> float:
    return float("nan") if limit.value is None else limit.value


def _range(limit: Limit) -> tuple[float, float]:
    return (
        -np.inf if limit.lower is None else limit.lower,
        np.inf if limit.upper is None else limit.upper,
    )


# -- which row counts -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Chosen:
    rows: Codes  # position of the row that counts, one per site
    n: Codes  # readings of the site
    groups: Codes  # groups of the site
    strip_above: Flags  # a newer strip says above where a better method says otherwise


def _choose(rows: pd.DataFrame, read: _Readings, status: Codes) -> _Chosen:
    site, sites = numbered(rows["monitoring_location_id"])
    n = rows["n"].fillna(1).to_numpy("int64") if "n" in rows else np.ones(len(rows), "int64")
    # Sites are numbered in the order of their first rows: as many numbers as rows is one row each.
    if len(rows) == sites - 1:
        every = np.arange(len(rows))
        return _Chosen(every, n, np.ones(len(rows), "int64"), np.zeros(len(rows), bool))
    alone = np.bincount(site, minlength=sites)[site] == 1
    several = np.flatnonzero(~alone)
    worst, groups, strip_above = _worst_groups(rows.iloc[several], read, status, site, several)
    row_of = np.full(sites, -1)
    row_of[site[alone]] = np.flatnonzero(alone)
    row_of[site[worst]] = worst
    by_site = np.ones(sites, "int64")
    by_site[site[worst]] = groups
    strips = np.zeros(sites, bool)
    strips[site[worst]] = strip_above
    total = np.bincount(site, weights=n, minlength=sites).astype("int64")
    there = row_of >= 0
    return _Chosen(row_of[there], total[there], by_site[there], strips[there])


def _worst_groups(
    part: pd.DataFrame, read: _Readings, status: Codes, site: Codes, where: Codes
) -> tuple[Codes, Codes, Flags]:
    """Among sites with several rows, find for each the row that counts, its groups, and strips above."""
    here, said = site[where], status[where]
    time = part["phenomenon_time"].astype("int64").to_numpy()
    rank = _class_ranks(part)
    known = read.convertible[where]
    dropped, strip_above = _strips(part, here, rank == CLASSES.index("strip"), known, time, said == ABOVE)
    group = _group_numbers(part, here)

    # The row that counts in each group, among known forms and among unknown forms.
    kept = np.flatnonzero(~dropped)
    minor, major = rank * len(WORST) + _SEVERITY[said], group * 2 + ~known
    order = kept[np.lexsort((minor[kept], -time[kept], major[kept]))]
    key = major[order]
    lead = order[np.flatnonzero(np.r_[True, key[1:] != key[:-1]])]
    governing = np.full(int(group.max()) + 1, -1)
    governing[group[lead[known[lead]]]] = lead[known[lead]]
    rival = governing[group[lead]]
    candidates = lead[known[lead] | (rival < 0) | (time[lead] > time[rival])]

    order = np.lexsort((-time[candidates], _SEVERITY[said][candidates], here[candidates]))
    candidates = candidates[order]
    sites = here[candidates]
    starts = np.flatnonzero(np.r_[True, sites[1:] != sites[:-1]])
    worst = candidates[starts]
    groups = np.diff(np.r_[starts, len(sites)]).astype("int64")
    warned = np.isin(here[worst], here[strip_above]) & (said[worst] != ABOVE)
    return where[worst], groups, warned


def _class_ranks(part: pd.DataFrame) -> Codes:
    if "procedure_class" not in part:
        return np.full(len(part), CLASSES.index("unknown"))
    numbers, values = codes(part["procedure_class"])
    ranks = [CLASSES.index(str(v)) if v in CLASSES else CLASSES.index("unknown") for v in values]
    found: Codes = np.array(ranks)[numbers]
    return found


def _strips(
    part: pd.DataFrame, site: Codes, strip: Flags, known: Flags, time: Codes, above: Flags
) -> tuple[Flags, Flags]:
    """Find strips at sites where the same medium was measured better, and those of them that warn.

    A strip says nothing of fraction and rarely of depth, so here it is held against all of them.
    """
    if not strip.any():
        return strip, strip
    numbers, size = numbered(part["sampled_medium"]) if "sampled_medium" in part else (np.zeros_like(site), 1)
    place = pd.factorize(site * size + numbers)[0]
    newest = np.full(int(place.max()) + 1, np.iinfo("int64").min)
    better = known & ~strip
    np.maximum.at(newest, place[better], time[better])
    dropped = strip & (newest[place] > np.iinfo("int64").min)
    return dropped, dropped & above & known & (time > newest[place])


def _group_numbers(part: pd.DataFrame, site: Codes) -> Codes:
    combined = site.copy()
    for name in ("sampled_medium", "sample_fraction", "depth_m"):
        if name in part:
            numbers, size = numbered(part[name])
            if size > 2 or numbers.min(initial=1) != numbers.max(initial=1):
                combined = combined * size + numbers
                if combined.max(initial=0) > 2**40:
                    combined = pd.factorize(combined)[0].astype("int64")
    groups: Codes = pd.factorize(combined)[0].astype("int64")
    return groups


# -- the table that comes out -----------------------------------------------------------------------


def _table(rows: pd.DataFrame, read: _Readings, limit: Limit | None, chosen: Codes) -> pd.DataFrame:
    every = len(chosen) == len(rows) and bool((chosen == np.arange(len(rows))).all())
    picked = rows if every else rows.iloc[chosen]
    index = pd.RangeIndex(len(chosen))
    out = pd.DataFrame(
        {
            name: (
                picked[name].set_axis(index)
                if name in picked
                else pd.Series(_constant(None, len(index)), index=index)
            )
            for name in _CARRIED
        }
    )
    if "depth_m" not in picked:
        out["depth_m"] = np.nan
    good = read.convertible[chosen]
    out["result"] = np.where(read.censoring[chosen] == 0, read.result[chosen], np.nan)
    out["detection_limit"] = read.bound[chosen]
    for name, own in (
        ("unit", limit.unit if limit else None),
        ("method_speciation", limit.species if limit else None),
    ):
        column = picked[name].set_axis(index)
        out[name] = column if limit is None else _replaced(column, good, own)
    _add_limit(out, limit)
    return out


def _replaced(column: pd.Series, good: Flags, text: str | None) -> pd.Series:
    if good.all():
        return pd.Series(_constant(text, len(column)), index=column.index)
    return column.where(~good, text)


def _add_limit(out: pd.DataFrame, limit: Limit | None) -> None:
    bounds = (limit.lower, limit.upper) if limit and limit.comparison == "outside range" else (None, None)
    low, high = (np.nan if bound is None else bound for bound in bounds)
    nearer = np.where(np.abs(out["result"] - low) < np.abs(out["result"] - high), low, high)
    value = nearer if np.isfinite(low) else np.full(len(out), _value(limit) if limit else np.nan)
    out["limit"] = value
    out["limit_lower"], out["limit_upper"] = low, high
    out["limit_kind"] = _constant(limit.kind if limit else None, len(out))
    out["limit_comparison"] = _constant(limit.comparison if limit else None, len(out))
    out["limit_verified"] = bool(limit and limit.verified)


def _stale(time: pd.Series, days: int, now: pd.Timestamp) -> Flags:
    # A reading without a time cannot be shown to be current.
    current: Flags = (time >= now - pd.Timedelta(days=days)).to_numpy(dtype=bool, na_value=False)
    return ~current


def _words(words: tuple[str | None, ...], numbers: Codes) -> pd.api.extensions.ExtensionArray:
    """Turn numbers into text by a short list, without a Python object per row."""
    texts = pa.array(words, pa.large_string()).take(pa.array(numbers.astype("int8")))
    return pd.array(texts, dtype="str")  # type: ignore[call-overload,no-any-return]


def _constant(text: str | None, length: int) -> pd.api.extensions.ExtensionArray:
    kind = pa.large_string()
    texts = pa.nulls(length, kind) if text is None else pa.repeat(pa.scalar(text, kind), length)
    return pd.array(texts, dtype="str")  # type: ignore[call-overload,no-any-return]


def _reasons(reason: Codes, why: pd.Series, chosen: _Chosen) -> pd.Series:
    if not reason.any() and not chosen.strip_above.any():
        return pd.Series(_constant(None, len(reason)))
    out = pd.Series(_words(_WHY, reason))
    conversion = reason == 1
    if conversion.any():
        out[conversion] = why.iloc[chosen.rows[conversion]].to_numpy()
    if chosen.strip_above.any():
        out[chosen.strip_above] = "a newer test strip reads above the limit; a better method counts"
    return out
