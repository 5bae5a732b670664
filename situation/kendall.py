"""Kendall's S and the slopes between all pairs of readings, for one series or for all series at once.

The arithmetic under ``situation/trend.py``: plain arrays, no dates, no sentences. A *series* is a site's
readings of one substance; a *stratum* is the part of a series within which pairs are compared: the whole
series, or one season of it (seasonal Kendall compares January with January only).

Formulas

* S, its variance with ties in value and in time: Kendall, Rank Correlation Methods (1975), chapter 4;
  printed in Gilbert, Statistical Methods for Environmental Pollution Monitoring (1987), 16.4 and 17.1.
* Slope: the median of the slopes of all pairs at different instants (Theil 1950, Sen 1968); its interval
  from the ranks (N' - C)/2 and (N' + C)/2 + 1 with C = z sqrt(Var S) (Gilbert 1987, 16.5), interpolated
  between neighbouring slopes, as EPA 530/R-09-007 (2009) chapter 17 and EnvStats do it.
* Seasonal Kendall: sums of S and of its variance over the seasons, slopes within seasons (Hirsch, Slack
  and Smith 1982); homogeneity of the seasons by chi-square (van Belle and Hughes 1984).
* Censored: pairs whose order is not known count for nothing; the slope is the one at which S of the
  residuals is zero (Akritas, Murphy and LaValley 1995); the variance is that of the NADA package
  (Helsel 2012), which NADA2 prints too. Where a series has both "<" and ">",
  NADA has no formula and the variance under all permutations is used (Daniels 1944).
* Intercept of a censored line: the median of the residuals by Turnbull (1976), a "<" lying between
  zero and its limit.

What surprised us: the censored S as a function of the slope is a staircase whose steps are known (each pair
steps down once where its order ceases to be "up" and once where it becomes "down"), so that the root,
which others bisect for, is an order statistic like Sen's median, and sorts in batches as that one does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: Pairs held in memory at a time; a series with more is not enumerated but searched.
PAIRS_AT_ONCE = 2_000_000
#: Up to so many readings without ties the distribution of S is the exact one (Kendall 1975, p. 55: the
#: normal one serves from ten on; Gilbert 1987, table A18).
EXACT_AT_MOST = 10
#: Under as many measured numbers, the variance beside bounds is that of all permutations.
LEAST_MEASURED = 4
SMALLEST = float(np.finfo(np.float64).smallest_subnormal)


@dataclass(frozen=True)
class Kendall:
    """What all series at once gave; one entry per series in every array.

    ``z`` and ``p`` carry the continuity correction. ``p`` is two-sided and never below the smallest
    number there is (4.9e-324); ``log10_p`` says what it is then. A bound of the slope that the pairs
    are too few to give is NaN.
    """

    n: Codes
    pairs: Codes
    S: Codes
    var_S: Numbers
    z: Numbers
    p: Numbers
    log10_p: Numbers
    exact: Flags
    tau: Numbers
    tau_b: Numbers
    slope: Numbers
    slope_low: Numbers
    slope_high: Numbers
    intercept: Numbers
    centre_time: Numbers
    spread_low: Numbers
    spread_high: Numbers
    chi2_het: Numbers
    df: Codes
    serial: npt.NDArray[np.int8]


NOT_CHECKED, NONE_FOUND, CORRECTED = range(3)


@dataclass(frozen=True)
class Serial:
    """When and how serial correlation is looked for; ``None`` in its place looks for none."""

    readings_at_least: int = 20
    years_at_least: float = 10.0


# --- probabilities ---------------------------------------------------------------------------------------


def two_sided(z: npt.ArrayLike) -> tuple[Numbers, Numbers]:
    """Give the two-sided normal probability of *z*, and its decimal logarithm.

    The logarithm is computed first (log of the normal distribution's tail), so that a z of 40 gives
    10^-350 and not 0; the probability itself stays at the smallest positive number from there on.
    """
    from scipy.special import log_ndtr

    log = np.minimum(log_ndtr(-np.abs(np.asarray(z, dtype=np.float64))) + np.log(2.0), 0.0)
    with np.errstate(under="ignore"):
        p = np.exp(log)
    return np.where(np.isnan(log), np.nan, np.maximum(p, SMALLEST)), log / np.log(10.0)


def exact_two_sided(n: int) -> dict[int, float]:
    """Give P(|S| >= s) for every s that *n* untied readings can have, under no trend.

    S is n(n-1)/2 less twice the inversions of a permutation, whose number follows the product of
    1 + q + ... + q^(k-1), k = 1 to n (Kendall 1975).

    >>> round(exact_two_sided(4)[6], 4)
    0.0833
    """
    ways = np.ones(1)
    for k in range(2, n + 1):
        ways = np.convolve(ways, np.ones(k))
    share = ways / ways.sum()
    S = n * (n - 1) // 2 - 2 * np.arange(len(ways))
    return {int(s): float(min(1.0, share[np.abs(S) >= abs(s)].sum())) for s in S}


def _z(S: Numbers | Codes, var: Numbers) -> Numbers:
    """Standardise S with the continuity correction; without variance there is no evidence: 0."""
    out = np.zeros(len(S))
    some = var > 0
    out[some] = (S[some] - np.sign(S[some])) / np.sqrt(var[some])
    return out


# --- ties ------------------------------------------------------------------------------------------------


def tie_sums(rows: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Sum t(t-1)(2t+5), t(t-1)(t-2) and t(t-1) over the groups of equal values of each sorted row."""
    m, n = rows.shape
    same = rows[:, 1:] == rows[:, :-1]
    if not same.any():
        return np.zeros(m), np.zeros(m), np.zeros(m)
    starts = np.ones((m, n), dtype=bool)
    starts[:, 1:] = ~same
    at = np.flatnonzero(starts)
    t = np.diff(np.append(at, m * n)).astype(np.float64)
    row = at // n
    return (
        _sum_by(row, t * (t - 1) * (2 * t + 5), m),
        _sum_by(row, t * (t - 1) * (t - 2), m),
        _sum_by(row, t * (t - 1), m),
    )


def _sum_by(group: Codes, weight: npt.NDArray[Any], k: int) -> Numbers:
    return np.bincount(group, weight, k).astype(np.float64)


def variance(n: int | Numbers, x: Sequence[Numbers], y: Sequence[Numbers]) -> Numbers:
    """Give Var(S) of *n* readings from the tie sums of times and of values (Kendall 1975, chapter 4)."""
    n = np.asarray(n, dtype=np.float64)
    full = n * (n - 1) * (2 * n + 5)
    three = np.maximum(9 * n * (n - 1) * (n - 2), 1)
    two = np.maximum(2 * n * (n - 1), 1)
    return (full - x[0] - y[0]) / 18 + x[1] * y[1] / three + x[2] * y[2] / two


# --- many series at once ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Flat:
    """The readings of all series, sorted by series, season and time, and where series and strata begin."""

    time: Numbers
    value: Numbers
    side: npt.NDArray[np.int8]
    starts: Codes  # of series
    lengths: Codes
    part_starts: Codes  # of strata
    part_lengths: Codes
    first_part: Codes  # of series
    parts: Codes  # how many strata each series has

    @property
    def pairs(self) -> Codes:
        of_part = self.part_lengths * (self.part_lengths - 1) // 2
        series = np.repeat(np.arange(len(self.starts)), self.parts)
        return np.bincount(series, of_part, len(self.starts)).astype(np.int64)


def kendall(
    series: npt.ArrayLike,
    time: npt.ArrayLike,
    value: npt.ArrayLike,
    *,
    censoring: npt.ArrayLike | None = None,
    season: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    serial: Serial | None = None,
) -> Kendall:
    """Test every series for a monotonic trend and estimate its slope.

    Parameters
    ----------
    series : array of int, shape (readings,)
        Which series a reading belongs to, 0 to k - 1; a series may be empty at the end only by absence.
    time, value : array of float, shape (readings,)
        Any unit; finite.
    censoring : array of int, optional
        -1 where the value is an upper bound ("<"), 1 where it is a lower bound (">"), else 0.
    season : array of int, optional
        Pairs are compared within one season only. A constant makes a series an ordinary one.
    confidence : float
        Of the two-sided interval of the slope.
    serial : Serial, optional
        Look for serial correlation where times are regular and nothing is censored.

    Returns
    -------
    Kendall
        Arrays of length k; a series with fewer than two instants has S = 0, p = 1 and a slope of NaN.
    """
    flat = _flat(series, time, value, censoring, season)
    k = len(flat.starts)
    out = _Collect(k)
    running = np.r_[0, np.cumsum(flat.side != 0)]
    censored = running[flat.starts + flat.lengths] > running[flat.starts]
    pairs = flat.pairs
    for group, work in ((np.flatnonzero(~censored), _plain), (np.flatnonzero(censored), _censored)):
        for chunk in _chunks(group, pairs, flat.lengths):
            work(flat, chunk, confidence, serial, out)
    return out.finished()


def _flat(series: Any, time: Any, value: Any, censoring: Any, season: Any) -> _Flat:
    who = np.asarray(series, dtype=np.int64)
    x = np.asarray(time, dtype=np.float64)
    y = np.asarray(value, dtype=np.float64)
    side = np.zeros(len(y), np.int8) if censoring is None else np.asarray(censoring, np.int8)
    part = who if season is None else _parts(who, np.asarray(season, dtype=np.int64))
    step, dx = np.diff(part), np.diff(x)
    if ((step < 0) | ((step == 0) & (dx < 0))).any():
        order = np.lexsort((x, part))
        who, x, y, side, part = who[order], x[order], y[order], side[order], part[order]
    k = int(who[-1]) + 1 if len(who) else 0
    lengths = np.bincount(who, minlength=k)
    part_starts = np.flatnonzero(np.r_[True, np.diff(part) != 0]) if len(part) else np.zeros(0, np.int64)
    parts = np.bincount(who[part_starts], minlength=k).astype(np.int64)
    return _Flat(
        x,
        y,
        side,
        np.r_[0, np.cumsum(lengths)[:-1]].astype(np.int64) if k else np.zeros(0, np.int64),
        lengths.astype(np.int64),
        part_starts,
        np.diff(np.append(part_starts, len(part))),
        np.cumsum(parts) - parts,
        parts,
    )


def _parts(who: Codes, season: Codes) -> Codes:
    """Give every stratum a number, so that their order is the order of the series."""
    low = season.min(initial=0)
    return np.asarray(who * (int(season.max(initial=0)) - low + 1) + (season - low), dtype=np.int64)


def _chunks(group: Codes, pairs: Codes, lengths: Codes) -> Iterator[Codes]:
    """Cut series into runs of like size whose padded tables of pairs stay within the bound."""
    order = group[np.lexsort((lengths[group], pairs[group]))]
    at = 0
    while at < len(order):
        width = max(int(pairs[order[at]]), 1)
        stop = at + 1
        # A run may widen a little; series of one length give an exact fit.
        limit = max(width * 1.25, 200)
        ceiling = int(np.searchsorted(pairs[order], limit, side="right"))
        stop = max(stop, min(ceiling, at + max(1, int(PAIRS_AT_ONCE / max(limit / 1.25, 1)))))
        yield order[at:stop]
        at = stop


def _by_length(lengths: Codes) -> Iterator[tuple[int, Codes]]:
    for n in np.unique(lengths):
        yield int(n), np.flatnonzero(lengths == n)


class _Collect:
    """Takes the chunks' results and hands them back in the order of the series."""

    def __init__(self, k: int) -> None:
        self.k = k
        nan = {name: np.full(k, np.nan) for name in Kendall.__dataclass_fields__}
        ints = {name: np.zeros(k, np.int64) for name in ("n", "pairs", "S", "df")}
        self.columns: dict[str, Any] = nan | ints
        self.columns["exact"] = np.zeros(k, bool)
        self.columns["serial"] = np.full(k, NOT_CHECKED, np.int8)

    def put(self, chunk: Codes, **columns: Any) -> None:
        for name, column in columns.items():
            self.columns[name][chunk] = column

    def finished(self) -> Kendall:
        c = self.columns
        c["z"] = _z(c["S"], c["var_S"])
        c["p"], c["log10_p"] = two_sided(c["z"])
        for n in np.unique(c["n"][c["exact"]]):
            table = exact_two_sided(int(n))
            rows = np.flatnonzero(c["exact"] & (c["n"] == n))
            c["p"][rows] = [table[int(s)] for s in c["S"][rows]]
            c["log10_p"][rows] = np.log10(c["p"][rows])
        return Kendall(**c)


def _rows_of(starts: Codes, n: int) -> Codes:
    return starts[:, None] + np.arange(n)


def _strata(flat: _Flat, chunk: Codes) -> tuple[Codes, Codes, Codes]:
    """Find the strata of a chunk's series: their numbers, their series' places in the chunk, sizes."""
    count = flat.parts[chunk]
    of = np.repeat(np.arange(len(chunk)), count)
    within = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
    parts = flat.first_part[chunk][of] + within
    return parts, of, flat.part_lengths[parts]


@dataclass
class _Sums:
    """Sums over the strata of each series of a chunk."""

    S: Codes
    var: Numbers
    x_ties: Numbers
    y_ties: Numbers
    whole: Codes
    chi2: Numbers
    df: Codes


def _plain(flat: _Flat, chunk: Codes, confidence: float, serial: Serial | None, out: _Collect) -> None:
    """Work out series without censored readings."""
    parts, of, sizes = _strata(flat, chunk)
    pairs = np.bincount(of, sizes * (sizes - 1) // 2, len(chunk)).astype(np.int64)
    S_part, var_part = np.zeros(len(parts), np.int64), np.zeros(len(parts))
    tied_x, tied_y = np.zeros(len(parts)), np.zeros(len(parts))
    long = bool(pairs.max(initial=0) > PAIRS_AT_ONCE)
    table = None if long else np.full((len(chunk), int(pairs.max(initial=0))), np.nan)
    first = _first_columns(of, sizes)
    for n, rows in _by_length(sizes):
        if n < 2:
            continue
        at = _rows_of(flat.part_starts[parts[rows]], n)
        x, y = flat.time[at], flat.value[at]
        x_sums, y_sums = tie_sums(x), tie_sums(np.sort(y, axis=1))
        var_part[rows] = variance(n, x_sums, y_sums)
        tied_x[rows], tied_y[rows] = x_sums[2], y_sums[2]
        if table is None:
            S_part[rows] = [score(a, b) for a, b in zip(x, y, strict=True)]
            continue
        slopes = pair_slopes(x, y)
        S_part[rows] = np.count_nonzero(slopes > 0, axis=1) - np.count_nonzero(slopes < 0, axis=1)
        if len(rows) == len(chunk) == len(parts) and table.shape[1] == slopes.shape[1]:
            table = slopes if (rows == of).all() else slopes[np.argsort(of[rows])]
        else:
            table[of[rows][:, None], first[rows][:, None] + np.arange(slopes.shape[1])] = slopes
    if table is not None:
        table.sort(axis=1)  # NaN, a pair at one instant, goes last
    sums = _summed(of, len(chunk), sizes, S_part, var_part, tied_x, tied_y)
    usable = pairs - (sums.x_ties / 2).astype(np.int64)
    find = _InTable(table, np.arange(len(chunk))) if table is not None else _Search(flat, parts)
    slope = _middle(find, usable)
    factor, checked = np.ones(len(chunk)), np.full(len(chunk), NOT_CHECKED, np.int8)
    if serial is not None:
        factor, checked = _serial(flat, chunk, parts, of, sizes, slope, sums.var, serial)
    var = sums.var * factor
    low, high = _interval(find, usable, var, confidence)
    n_all = flat.lengths[chunk]
    line = _line(flat, chunk, parts, of, sizes, slope, confidence)
    whole = sums.whole.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        tau_b = sums.S / np.sqrt((whole - sums.x_ties / 2) * (whole - sums.y_ties / 2))
        tau = np.where(whole > 0, sums.S / whole, np.nan)
    single = np.bincount(of, minlength=len(chunk)) == 1
    exact = single & (n_all >= 2) & (n_all <= EXACT_AT_MOST) & (sums.x_ties == 0) & (sums.y_ties == 0)
    out.put(
        chunk,
        n=n_all,
        pairs=usable,
        S=sums.S,
        var_S=var,
        exact=exact,
        tau=tau,
        tau_b=np.where(np.isfinite(tau_b), tau_b, np.nan),
        slope=slope,
        slope_low=low,
        slope_high=high,
        intercept=line.intercept,
        centre_time=line.centre,
        spread_low=line.low * np.sqrt(factor),
        spread_high=line.high * np.sqrt(factor),
        chi2_het=np.where(single, np.nan, sums.chi2),
        df=sums.df,
        serial=checked,
    )


def _first_columns(of: Codes, sizes: Codes) -> Codes:
    """Say at which column of its series' row the pairs of each stratum begin."""
    pairs = sizes * (sizes - 1) // 2
    order = np.argsort(of, kind="stable")
    running = np.cumsum(pairs[order]) - pairs[order]
    begins = np.r_[True, np.diff(of[order]) != 0] if len(of) else np.zeros(0, bool)
    base = np.maximum.accumulate(np.where(begins, running, 0)) if len(of) else running
    first = np.empty(len(of), np.int64)
    first[order] = running - base
    return first


def _summed(
    of: Codes, k: int, sizes: Codes, S: Codes, var: Numbers, tied_x: Numbers, tied_y: Numbers
) -> _Sums:
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(var > 0, S / np.sqrt(var), 0.0)
    some = (var > 0).astype(np.float64)
    count = np.bincount(of, some, k)
    total = np.bincount(of, z, k)
    chi2 = np.bincount(of, z * z, k) - total**2 / np.maximum(count, 1)
    return _Sums(
        np.bincount(of, S, k).astype(np.int64),
        _sum_by(of, var, k),
        _sum_by(of, tied_x, k),
        _sum_by(of, tied_y, k),
        np.bincount(of, sizes * (sizes - 1) // 2, k).astype(np.int64),
        np.maximum(chi2, 0.0),
        np.maximum(count.astype(np.int64) - 1, 0),
    )


def pair_slopes(x: Numbers, y: Numbers) -> Numbers:
    """Give the slopes of all pairs of each row; NaN for a pair at one instant.

    Parameters
    ----------
    x, y : array, shape (series, n)
        Times ascending along each row, and values.

    Returns
    -------
    array, shape (series, n(n-1)/2)
    """
    m, n = x.shape
    out = np.empty((m, n * (n - 1) // 2))
    tied = bool((x[:, 1:] == x[:, :-1]).any())
    at = 0
    with np.errstate(invalid="ignore", divide="ignore", over="ignore", under="ignore"):
        for i in range(n - 1):
            room = out[:, at : at + n - 1 - i]
            dx = x[:, i + 1 :] - x[:, i : i + 1]
            np.subtract(y[:, i + 1 :], y[:, i : i + 1], out=room)
            np.divide(room, dx, out=room)
            if tied:
                room[dx == 0] = np.nan
            at += n - 1 - i
    return out


# --- order statistics of the slopes ----------------------------------------------------------------------


class _InTable:
    """The slope at a rank (1 is the smallest, may lie between two) of sorted rows."""

    def __init__(self, table: Numbers, rows: Codes) -> None:
        self.table, self.rows = table, rows

    def __call__(self, rank: Numbers, count: Codes) -> Numbers:
        if not self.table.shape[1]:
            return np.full(len(rank), np.nan)
        # A rank that is whole but for rounding must not borrow from its neighbour.
        rank = np.where(np.abs(rank - np.round(rank)) < 1e-9, np.round(rank), rank)
        rank = np.where(np.isfinite(rank), rank, 0.0)
        inside = (rank >= 1) & (rank <= count)
        below = np.clip(np.floor(rank), 1, np.maximum(count, 1)).astype(np.int64)
        above = np.minimum(below + 1, np.maximum(count, 1))
        a, b = self.table[self.rows, below - 1], self.table[self.rows, above - 1]
        share = rank - below
        with np.errstate(invalid="ignore", over="ignore"):
            between = np.where(share == 0, a, a + share * (b - a))
        return np.where(inside, between, np.nan)


def _middle(find: Any, count: Codes) -> Numbers:
    return np.asarray(find((count + 1) / 2, count), dtype=np.float64)


def _interval(find: Any, count: Codes, var: Numbers, confidence: float) -> tuple[Numbers, Numbers]:
    C = normal_quantile(confidence) * np.sqrt(np.maximum(var, 0))
    return find((count - C) / 2, count), find((count + C) / 2 + 1, count)


def normal_quantile(confidence: float) -> float:
    """Give how many standard deviations a two-sided interval of a normal distribution reaches."""
    from scipy.special import ndtri

    return float(ndtri((1 + confidence) / 2))


# --- one long series: counting instead of enumerating ----------------------------------------------------


def score(x: Numbers, y: Numbers) -> int:
    """Count pairs that rise less pairs that fall, in O(n log n); pairs at one instant count for nothing."""
    falls = _inversions(_ranks(y[np.lexsort((y, x))]))
    rises = _inversions(_ranks(-y[np.lexsort((-y, x))]))
    return rises - falls


def _ranks(values: Numbers) -> Codes:
    """Rank values; equal ones in the order they stand, so that they make no inversion."""
    ranks = np.empty(len(values), np.int64)
    ranks[np.argsort(values, kind="stable")] = np.arange(len(values))
    return ranks


#: Blocks of so many are compared all with all before merging begins: fewer, larger steps.
BLOCK = 64


def _blocks(ranks: Codes) -> Codes:
    """Cut a permutation into rows, filled up behind with what makes no inversion."""
    n = len(ranks)
    size = max(BLOCK, 1 << max(n - 1, 1).bit_length())
    return np.concatenate([ranks, np.arange(n, size)]).reshape(-1, BLOCK)


def _merges(blocks: Codes) -> Iterator[tuple[Codes, Codes, Codes, int]]:
    """Sort rows together bottom-up by merging; at each level give the halves to be merged.

    Yields the left halves as one ascending array of keys, the ranks of the right halves, how many of its
    left half are smaller than each (from which follows which are greater), and the halves' width.
    """
    size, width = blocks.size, blocks.shape[1]
    work = np.sort(blocks, axis=1)
    while width < size:
        pairs = work.reshape(-1, 2 * width)
        shift = np.arange(len(pairs))[:, None] * size
        left = (pairs[:, :width] + shift).ravel()
        right = (pairs[:, width:] + shift).ravel()
        yield left, right % size, np.searchsorted(left, right), width
        work = np.sort(pairs, axis=1)
        width *= 2


_LATER = np.triu(np.ones((BLOCK, BLOCK), dtype=bool), 1)


def _inversions(ranks: Codes) -> int:
    """Count pairs out of order in a permutation."""
    blocks = _blocks(ranks)
    total = 0
    for some in np.array_split(blocks, max(1, len(blocks) // 256)):
        total += int(np.count_nonzero((some[:, :, None] > some[:, None, :]) & _LATER))
    for _, right, at, width in _merges(blocks):
        ends = (np.arange(len(right)) // width + 1) * width
        total += int((ends - at).sum())
    return total


def _inverted(ranks: Codes) -> tuple[Codes, Codes]:
    """List the pairs out of order in a permutation by their ranks: the greater, standing first, and the less."""
    greater, less = [], []
    blocks = _blocks(ranks)
    size = blocks.size
    for some in np.array_split(blocks, max(1, len(blocks) // 256)):
        row, i, j = np.nonzero((some[:, :, None] > some[:, None, :]) & _LATER)
        greater.append(some[row, i])
        less.append(some[row, j])
    for left, right, at, width in _merges(blocks):
        counts = (np.arange(len(right)) // width + 1) * width - at
        hit = np.flatnonzero(counts)
        if not len(hit):
            continue
        counts = counts[hit]
        offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        greater.append(left[np.repeat(at[hit], counts) + offset] % size)
        less.append(np.repeat(right[hit], counts))
    return np.concatenate(greater), np.concatenate(less)


class _Search:
    """The slope at a rank among the pairs of one long series, found without listing them all.

    A sample of pairs brackets the rank; counting inversions of the residuals says how many slopes lie
    below each end (Cole, Salowe, Steiger and Szemeredi 1989; Matousek 1991 for the sampling), and only
    the pairs inside the bracket, those whose order differs between its ends, are listed.
    """

    SAMPLE = 60_000
    LISTED = 6_000_000

    def __init__(self, flat: _Flat, parts: Codes) -> None:
        self.strata = []
        for part in parts:
            at = slice(flat.part_starts[part], flat.part_starts[part] + flat.part_lengths[part])
            x, y = flat.time[at], flat.value[at]
            if len(x) > 1:
                self.strata.append((x - x[len(x) // 2], y))
        self.random = np.random.default_rng(17)
        self.sample = self._sampled(self.SAMPLE)

    def __call__(self, rank: Numbers, count: Codes) -> Numbers:
        one, N = float(rank[0]), int(count[0])
        if not 1 <= one <= N:
            return np.array([np.nan])
        below = int(np.floor(one + 1e-9))
        share = max(one - below, 0.0)
        a, b = self._at(below, min(below + 1, N), N)
        return np.array([a if share < 1e-9 else a + share * (b - a)])

    def _sampled(self, size: int) -> Numbers:
        pairs = np.array([len(x) * (len(x) - 1) // 2 for x, _ in self.strata], dtype=np.float64)
        out = []
        for (x, y), some in zip(self.strata, np.ceil(size * pairs / pairs.sum()).astype(int), strict=True):
            i, j = self.random.integers(0, len(x), (2, 2 * some))
            apart = x[i] != x[j]
            out.append((y[j[apart]] - y[i[apart]]) / (x[j[apart]] - x[i[apart]]))
        return np.sort(np.concatenate(out))

    def _below(self, slope: float) -> int:
        """Count slopes less than *slope*."""
        total = 0
        for x, y in self.strata:
            residual = y - slope * x
            total += _inversions(_ranks(residual[np.lexsort((residual, x))]))
        return total

    def _at(self, first: int, last: int, N: int) -> tuple[float, float]:
        sample, margin = self.sample, 4.5
        while True:
            share = (first - 0.5) / N
            tie = self._tied(sample, share, first, last)
            if tie is not None:
                return tie, tie
            wide = margin * np.sqrt(share * (1 - share) * len(sample)) + 2
            low = self._gap_below(sample, int(np.floor(share * len(sample) - wide)))
            high = self._gap_above(sample, int(np.ceil(share * len(sample) + wide)))
            expected = N * (np.searchsorted(sample, high) - np.searchsorted(sample, low)) / len(sample)
            if expected > self.LISTED and len(sample) < 64 * self.SAMPLE:
                sample = self.sample = np.sort(np.concatenate([sample, self._sampled(3 * len(sample))]))
                continue
            if expected > self.LISTED:
                low, high = self._narrowed(low, high, first, last, N)
            under = self._below(low) if np.isfinite(low) else 0
            inside = self._between(low, high)
            if not under < first <= last <= under + len(inside):
                margin *= 2
                continue
            at = [first - under - 1, last - under - 1]
            found = np.partition(inside, at)[at]
            return float(found[0]), float(found[1])

    def _narrowed(self, low: float, high: float, first: int, last: int, N: int) -> tuple[float, float]:
        """Halve a bracket by counting until what lies in it can be listed (some 50,000 readings and more)."""
        under = self._below(low) if np.isfinite(low) else 0
        upto = self._below(high) if np.isfinite(high) else N
        while upto - under > self.LISTED and high - low > 1e-13 * max(abs(low), abs(high)) < np.inf:
            middle = low + 0.4142135623 * (high - low)
            count = self._below(middle)
            if count < first:
                low, under = middle, count
            elif count >= last:
                high, upto = middle, count
            else:
                break
        return low, high

    @staticmethod
    def _gap_below(sample: Numbers, at: int) -> float:
        """Give a number just under a sampled slope that is itself no likely slope."""
        if at <= 0:
            return -np.inf
        before = int(np.searchsorted(sample, sample[at], side="left")) - 1
        return -np.inf if before < 0 else float(sample[before] + 0.6180339887 * (sample[at] - sample[before]))

    @staticmethod
    def _gap_above(sample: Numbers, at: int) -> float:
        if at >= len(sample) - 1:
            return np.inf
        after = int(np.searchsorted(sample, sample[at], side="right"))
        return (
            np.inf
            if after == len(sample)
            else float(sample[at] + 0.3819660113 * (sample[after] - sample[at]))
        )

    def _tied(self, sample: Numbers, share: float, first: int, last: int) -> float | None:
        """Give the slope if so many pairs share it that both ranks fall on it."""
        value = float(sample[min(int(share * len(sample)), len(sample) - 1)])
        same = np.searchsorted(sample, value, "right") - np.searchsorted(sample, value, "left")
        if same < max(20, len(sample) // 2000):
            return None
        edge = max(abs(value) * 1e-9, SMALLEST * 4)
        if self._below(value - edge) < first and last <= self._below(value + edge):
            return value
        return None

    def _between(self, low: float, high: float) -> Numbers:
        """List the slopes between two numbers that are no slopes themselves."""
        out = []
        for x, y in self.strata:
            # At minus infinity residuals stand in the order of time, at infinity in the reverse.
            order = np.lexsort((y, x)) if low == -np.inf else np.argsort(y - low * x, kind="stable")
            if high == np.inf:
                end = np.lexsort((y, -x))
            else:
                end = order[np.argsort((y - high * x)[order], kind="stable")]
            ranks = np.empty(len(x), np.int64)
            ranks[end] = np.arange(len(x))
            a, b = _inverted(ranks[order])
            i, j = end[a], end[b]
            apart = x[i] != x[j]
            i, j = i[apart], j[apart]
            out.append((y[j] - y[i]) / (x[j] - x[i]))
        return np.concatenate(out)


# --- the line, and how the readings lie round it ---------------------------------------------------------


@dataclass
class _Line:
    """Intercept, the median time it turns on, and how far below and above it the median may lie."""

    intercept: Numbers
    centre: Numbers
    low: Numbers
    high: Numbers


def _line(
    flat: _Flat, chunk: Codes, parts: Codes, of: Codes, sizes: Codes, slope: Numbers, confidence: float
) -> _Line:
    """Put the line through the medians (Conover), of each season where there are several (EnvStats)."""
    k = len(chunk)
    through = np.full(len(parts), np.nan)
    for n, rows in _by_length(sizes):
        at = _rows_of(flat.part_starts[parts[rows]], n)
        with np.errstate(invalid="ignore"):
            through[rows] = _median(flat.value[at]) - slope[of[rows]] * _median(flat.time[at])
    intercept = np.full(k, np.nan)
    order = np.argsort(of, kind="stable")
    count = np.bincount(of, minlength=k)
    starts = np.cumsum(count) - count
    for n, rows in _by_length(count):
        if n:
            intercept[rows] = _median(through[order][_rows_of(starts[rows], n)])
    centre, low, high = np.full(k, np.nan), np.full(k, np.nan), np.full(k, np.nan)
    z = normal_quantile(confidence)
    for n, rows in _by_length(flat.lengths[chunk]):
        at = _rows_of(flat.starts[chunk[rows]], n)
        x = flat.time[at]
        centre[rows] = _median(x)
        with np.errstate(invalid="ignore"):
            residual = flat.value[at] - slope[rows][:, None] * x - intercept[rows][:, None]
        residual.sort(axis=1)
        find = _InTable(residual, np.arange(len(rows)))
        many = np.full(len(rows), n)
        for name, rank in ((low, (n - z * n**0.5) / 2), (high, (n + z * n**0.5) / 2 + 1)):
            name[rows] = np.abs(find(np.full(len(rows), np.clip(rank, 1, n)), many))
    return _Line(intercept, centre, low, high)


def _median(rows: Numbers) -> Numbers:
    n = rows.shape[1]
    part = np.partition(rows, [(n - 1) // 2, n // 2], axis=1)
    return np.asarray((part[:, (n - 1) // 2] + part[:, n // 2]) / 2, dtype=np.float64)


# --- serial correlation ----------------------------------------------------------------------------------


def _serial(
    flat: _Flat,
    chunk: Codes,
    parts: Codes,
    of: Codes,
    sizes: Codes,
    slope: Numbers,
    var: Numbers,
    serial: Serial,
) -> tuple[Numbers, npt.NDArray[np.int8]]:
    """Say by how much serial correlation widens Var(S).

    The ranks of what is left without trend and season are correlated with themselves. Where the correlation
    of neighbours is beyond 1.96/sqrt(n), the variance is multiplied by n/n* of Hamed and Rao (1998),
    with the lags up to n/4 that are beyond that bound too; for seasons the covariances of
    Hirsch and Slack (1984) are added instead, which need ten years. A correlation that would make the
    variance smaller is not used.
    """
    factor = np.ones(len(chunk))
    checked = np.full(len(chunk), NOT_CHECKED, np.int8)
    lengths = flat.lengths[chunk]
    seasonal = flat.parts[chunk] > 1
    for n, rows in _by_length(lengths):
        if n < serial.readings_at_least:
            continue
        at = _rows_of(flat.starts[chunk[rows]], n)
        order = np.argsort(flat.time[at], axis=1, kind="stable") if seasonal[rows].any() else None
        time = flat.time[at] if order is None else np.take_along_axis(flat.time[at], order, 1)
        gaps = np.diff(time, axis=1)
        usual = _median(gaps)
        regular = (usual > 0) & (gaps.max(axis=1) <= 1.5 * usual) & (gaps.min(axis=1) >= 0.5 * usual)
        regular &= np.isfinite(slope[rows])
        if not regular.any():
            continue
        residual = flat.value[at] - slope[rows][:, None] * flat.time[at]
        if order is not None:
            _take_out_seasons(residual, rows, of, sizes)
            residual = np.take_along_axis(residual, order, 1)
        extra, found = _effective(_midranks(residual))
        checked[rows] = np.where(regular, np.where(found, CORRECTED, NONE_FOUND), NOT_CHECKED)
        factor[rows] = np.where(regular & found & ~seasonal[rows], np.maximum(extra, 1.0), 1.0)
        for row in np.flatnonzero(regular & found & seasonal[rows]):
            place, when = rows[row], flat.time[at[row]]
            if when.max() - when.min() < serial.years_at_least - 1:
                checked[place] = NOT_CHECKED
                continue
            season = np.repeat(np.arange(int((of == place).sum())), sizes[of == place])
            added = _between_seasons(when, flat.value[at[row]], season)
            factor[place] = max(1.0, 1.0 + added / var[place]) if var[place] > 0 else 1.0
    return factor, checked


def _take_out_seasons(residual: Numbers, rows: Codes, of: Codes, sizes: Codes) -> None:
    """Subtract the median of each stratum, in place; readings stand in the order of the strata."""
    n = residual.shape[1]
    place = np.full(int(of.max()) + 1, -1, np.int64)
    place[rows] = np.arange(len(rows))
    mine = np.flatnonzero(place[of] >= 0)
    size = sizes[mine]
    column = np.cumsum(size) - size
    start = place[of[mine]] * n + column - (column // n) * n
    flat = residual.reshape(-1)
    for length, some in _by_length(size):
        where = _rows_of(start[some], length)
        flat[where] -= _median(flat[where])[:, None]


def _midranks(rows: Numbers) -> Numbers:
    """Rank each row; equal values share the mean of their ranks."""
    m, n = rows.shape
    order = np.argsort(rows, axis=1, kind="stable")
    ascending = np.take_along_axis(rows, order, axis=1)
    starts = np.ones((m, n), dtype=bool)
    starts[:, 1:] = ascending[:, 1:] != ascending[:, :-1]
    at = np.flatnonzero(starts)
    length = np.diff(np.append(at, m * n))
    ranks = np.empty((m, n))
    mean = np.repeat(at % n + (length - 1) / 2, length).reshape(m, n)
    np.put_along_axis(ranks, order, mean, axis=1)
    return ranks


def _effective(ranks: Numbers) -> tuple[Numbers, Flags]:
    """Give n/n* of Hamed and Rao (1998) for each row of ranks, and whether neighbours are correlated."""
    n = ranks.shape[1]
    centred = ranks - ranks.mean(axis=1, keepdims=True)
    power = (centred**2).sum(axis=1)
    total, found = np.zeros(len(ranks)), np.zeros(len(ranks), dtype=bool)
    rows = np.arange(len(ranks))
    for k in range(1, n // 4 + 1):
        shared = (centred[rows, k:] * centred[rows, :-k]).sum(axis=1)
        rho = np.divide(shared, power[rows], out=np.zeros(len(rows)), where=power[rows] > 0)
        beyond = np.abs(rho) > 1.96 / n**0.5
        if k == 1:
            found, rows, rho = beyond, rows[beyond], rho[beyond]
            beyond = beyond[beyond]
        total[rows] += np.where(beyond, (n - k) * (n - k - 1) * (n - k - 2) * rho, 0.0)
        if not len(rows):
            break
    return np.asarray(1 + 2 * total / (n * (n - 1) * (n - 2)), dtype=np.float64), found


def _between_seasons(time: Numbers, value: Numbers, season: Codes) -> float:
    """Sum the covariances of S between seasons, numbered from 0 (Hirsch and Slack 1984)."""
    year = np.floor(time).astype(np.int64)
    year -= year.min()
    count = int(season.max()) + 1
    cell = year * count + season
    order = np.lexsort((value, cell))
    cell, value = cell[order], value[order]
    start = np.flatnonzero(np.r_[True, np.diff(cell) != 0])
    length = np.diff(np.append(start, len(cell)))
    table = np.full((int(year.max()) + 1, count), np.nan)
    # Of several readings in one season of one year the median.
    table.flat[cell[start]] = (value[start + (length - 1) // 2] + value[start + length // 2]) / 2
    there = ~np.isnan(table)
    held = there.sum(axis=0)
    signs = np.sign(table[None, :, :] - table[:, None, :])  # [i, j] = sign(X_j - X_i)
    signs = np.nan_to_num(signs)
    ranks = np.where(there, (held + 1 - signs.sum(axis=1)) / 2, (held + 1) / 2)
    flat = signs.reshape(-1, count)
    K = flat.T @ flat / 2
    sigma = (K + 4 * ranks.T @ ranks - len(table) * np.outer(held + 1, held + 1)) / 3
    return float(sigma.sum() - np.trace(sigma))


# --- censored readings -----------------------------------------------------------------------------------


def _censored(flat: _Flat, chunk: Codes, confidence: float, serial: Serial | None, out: _Collect) -> None:
    """Work out series with readings below or above a bound; serial correlation is not looked for."""
    parts, of, sizes = _strata(flat, chunk)
    k = len(chunk)
    S_part, var_part = np.zeros(len(parts), np.int64), np.zeros(len(parts))
    tied_x, tied_y = np.zeros(len(parts)), np.zeros(len(parts))
    up = np.zeros(len(parts), np.int64)
    steps = np.zeros(len(parts), np.int64)
    pairs = sizes * (sizes - 1) // 2
    long = bool(np.bincount(of, pairs, k).max(initial=0) > PAIRS_AT_ONCE)
    table = None if long else np.full((k, 2 * int(np.bincount(of, pairs, k).max(initial=0))), np.nan)
    first = 2 * _first_columns(of, sizes)
    low, high = _bounds(flat.value, flat.side)
    low_code, high_code = _order_codes(flat.value, flat.side)
    for n, rows in _by_length(sizes):
        if n < 2:
            continue
        at = _rows_of(flat.part_starts[parts[rows]], n)
        x = flat.time[at]
        S_part[rows], known = _censored_score(x, low_code[at], high_code[at])
        tied_y[rows] = n * (n - 1) - 2 * known
        tied_x[rows] = tie_sums(x)[2]
        var_part[rows] = censored_variance(x, flat.value[at], flat.side[at])
        if table is None:
            continue
        rising, falling = _steps(x, low[at], high[at])
        up[rows] = np.isfinite(rising).sum(axis=1)
        steps[rows] = up[rows] + np.isfinite(falling).sum(axis=1)
        both = np.concatenate([rising, falling], axis=1)
        table[of[rows][:, None], first[rows][:, None] + np.arange(both.shape[1])] = both
    if table is None:
        search = _SearchSteps(flat, parts, low, high)
        find: Any = search
        ups, count = np.array([search.up]), np.array([search.count])
    else:
        table.sort(axis=1)
        find = _InTable(table, np.arange(k))
        ups = np.bincount(of, up, k).astype(np.int64)
        count = np.bincount(of, steps, k).astype(np.int64)
    sums = _summed(of, k, sizes, S_part, var_part, tied_x, tied_y)
    # S of the residuals falls by one at each step, from the number of pairs that can rise: it is zero
    # between the steps of rank `ups` and `ups + 1`. The interval is where it is within C of zero.
    middle = np.where((ups > 0) & (ups < count), ups + 0.5, np.nan)
    C = normal_quantile(confidence) * np.sqrt(np.maximum(sums.var, 0))
    if table is None:
        search.look_up([float(middle[0]), float(ups[0] - C[0] - 0.5), float(ups[0] + C[0] + 1.5)])
    slope = find(middle, count)
    slope_low, slope_high = find(ups - C - 0.5, count), find(ups + C + 1.5, count)
    line = _turnbull_line(flat, chunk, slope, confidence)
    whole = sums.whole.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        tau_b = sums.S / np.sqrt((whole - sums.x_ties / 2) * (whole - sums.y_ties / 2))
        tau = np.where(whole > 0, sums.S / whole, np.nan)
    single = np.bincount(of, minlength=k) == 1
    out.put(
        chunk,
        n=flat.lengths[chunk],
        pairs=count // 2,
        S=sums.S,
        var_S=sums.var,
        tau=tau,
        tau_b=np.where(np.isfinite(tau_b), tau_b, np.nan),
        slope=slope,
        slope_low=slope_low,
        slope_high=slope_high,
        intercept=line.intercept,
        centre_time=line.centre,
        spread_low=line.low,
        spread_high=line.high,
        chi2_het=np.where(single, np.nan, sums.chi2),
        df=sums.df,
    )


def _bounds(value: Numbers, side: npt.NDArray[np.int8]) -> tuple[Numbers, Numbers]:
    return np.where(side < 0, -np.inf, value), np.where(side > 0, np.inf, value)


def _order_codes(value: Numbers, side: npt.NDArray[np.int8]) -> tuple[Numbers, Numbers]:
    """Give the bounds numbers so that ``<5`` is less than 5, and 5 less than ``>5``."""
    rank = 2.0 * np.unique(value, return_inverse=True)[1].reshape(value.shape) + 1
    return np.where(side < 0, -np.inf, rank + side), np.where(side > 0, np.inf, rank + side)


def _censored_score(x: Numbers, low: Numbers, high: Numbers) -> tuple[Codes, Codes]:
    """Give S of each row, and how many of its pairs have a known order whatever their times."""
    m, n = x.shape
    S, known = np.zeros(m, np.int64), np.zeros(m, np.int64)
    for i in range(n - 1):
        rise = low[:, i + 1 :] > high[:, i : i + 1]
        fall = high[:, i + 1 :] < low[:, i : i + 1]
        known += np.count_nonzero(rise, axis=1) + np.count_nonzero(fall, axis=1)
        apart = x[:, i + 1 :] > x[:, i : i + 1]
        S += np.count_nonzero(rise & apart, axis=1) - np.count_nonzero(fall & apart, axis=1)
    return S, known


def _steps(x: Numbers, low: Numbers, high: Numbers) -> tuple[Numbers, Numbers]:
    """Give, for all pairs of each row, up to which slope the residuals rise, and from which they fall."""
    m, n = x.shape
    rising, falling = (np.empty((m, n * (n - 1) // 2)) for _ in range(2))
    at = 0
    with np.errstate(invalid="ignore", divide="ignore", over="ignore", under="ignore"):
        for i in range(n - 1):
            here = slice(at, at + n - 1 - i)
            dx = x[:, i + 1 :] - x[:, i : i + 1]
            rising[:, here] = (low[:, i + 1 :] - high[:, i : i + 1]) / dx
            falling[:, here] = (high[:, i + 1 :] - low[:, i : i + 1]) / dx
            at += n - 1 - i
    rising[~np.isfinite(rising)] = np.nan
    falling[~np.isfinite(falling)] = np.nan
    return rising, falling


class _SearchSteps:
    """The steps at some ranks for one long censored series: in two passes of chunks, so that memory stays bounded.

    The first pass counts the steps and keeps a sample, the second lists those near the ranks asked for.
    """

    SAMPLE = 200_000

    def __init__(self, flat: _Flat, parts: Codes, low: Numbers, high: Numbers) -> None:
        self.strata = []
        for part in parts:
            at = slice(flat.part_starts[part], flat.part_starts[part] + flat.part_lengths[part])
            self.strata.append((flat.time[at], low[at], high[at]))
        self.up = self.count = 0
        every = max(1, int(sum(len(x) ** 2 for x, _, _ in self.strata) / self.SAMPLE))
        kept: list[Numbers] = []
        for rising, steps in self._streamed():
            self.up += len(steps) if rising else 0
            kept.append(steps[(self.count * 7 + len(kept)) % every :: every])
            self.count += len(steps)
        self.sample = np.sort(np.concatenate(kept))
        self.known: dict[float, float] = {}

    def _streamed(self) -> Iterator[tuple[bool, Numbers]]:
        for x, low, high in self.strata:
            for rising, later, earlier in ((True, low, high), (False, high, low)):
                # A bound at infinity makes no step.
                i, j = np.flatnonzero(np.isfinite(earlier)), np.flatnonzero(np.isfinite(later))
                for some in np.array_split(i, max(1, len(i) * len(j) // PAIRS_AT_ONCE)):
                    behind = j[np.searchsorted(j, some[0], "right") :] if len(some) else j[:0]
                    dx = x[behind] - x[some][:, None]
                    after = (behind > some[:, None]) & (dx > 0)
                    dy = later[behind] - earlier[some][:, None]
                    yield rising, dy[after] / dx[after]

    def look_up(self, ranks: Sequence[float]) -> None:
        """Find the steps at several ranks in one pass."""
        asked = [rank for rank in ranks if 1 <= rank <= self.count]
        margin = 6.0
        while asked:
            wide = margin * np.sqrt(len(self.sample)) / 2 + 2
            spans = []
            for rank in asked:
                at = rank / self.count * len(self.sample)
                a, b = int(at - wide), int(at + wide)
                spans.append(
                    (
                        self.sample[a] if a >= 0 else -np.inf,
                        self.sample[b] if b < len(self.sample) else np.inf,
                    )
                )
            under, inside = [0] * len(asked), [[np.zeros(0)] for _ in asked]
            for _, steps in self._streamed():
                for place, (low, high) in enumerate(spans):
                    under[place] += int(np.count_nonzero(steps < low))
                    inside[place].append(steps[(steps >= low) & (steps <= high)])
            missed = []
            for place, rank in enumerate(asked):
                found, within = np.sort(np.concatenate(inside[place])), rank - under[place]
                if within >= 1 and np.ceil(within) <= len(found):
                    below = int(np.floor(within))
                    a_, b_ = found[below - 1], found[min(below, len(found) - 1)]
                    self.known[rank] = float(a_ + (within - below) * (b_ - a_))
                else:
                    missed.append(rank)
            asked, margin = missed, margin * 4

    def __call__(self, rank: Numbers, count: Codes) -> Numbers:
        one = float(rank[0])
        if one not in self.known:
            self.look_up([one])
        return np.array([self.known.get(one, np.nan)])


def censored_variance(x: Numbers, y: Numbers, side: npt.NDArray[np.int8]) -> Numbers:
    """Give Var(S) of rows with bounds.

    Only "<": as the NADA package computes it (function ``cenken``): besides the ties among times and among
    numbers, equal limits are ties, and each "<" is a tie of two with every reading that stands below it.
    Only ">": the same upside down. Both, or with under four measured numbers: the variance of S under all
    permutations of the readings over the times (Daniels 1944; Kendall 1975). NADA's formula is not made
    for those: of nine times ``<1`` and one 3 it gives 5 where all permutations give 33, and so calls
    chance a trend.

    Parameters
    ----------
    x, y : array, shape (series, n)
        Times ascending along each row, and values or bounds.
    side : array, shape (series, n)
        -1 for "<", 1 for ">", else 0.
    """
    m, n = x.shape
    less: Flags = np.asarray((side < 0).any(axis=1))
    more: Flags = np.asarray((side > 0).any(axis=1))
    mirrored = more & ~less
    values = np.where(mirrored[:, None], -y, y)
    bound = np.asarray(side != 0)
    order = np.lexsort((~bound, values), axis=-1)
    values, bound = np.take_along_axis(values, order, 1), np.take_along_axis(bound, order, 1)
    beside = np.arange(n)
    incomparable = (bound * beside).sum(axis=1).astype(np.float64)
    # NaN is equal to nothing, not to itself either: what is masked makes no tie.
    limits = tie_sums(_masked_sorted(values, bound))
    numbers = tie_sums(_masked_sorted(values, ~bound))
    extra = _repeats(values, bound)
    out = variance(n, tie_sums(x), numbers) - limits[0] / 18 - incomparable + extra
    few = np.asarray(((side == 0).sum(axis=1) < LEAST_MEASURED) & (less | more) & (n > 2))
    for row in np.flatnonzero((less & more) | few | (out <= 0)):
        out[row] = permutation_variance(x[row], *_order_codes(y[row], side[row]))
    return np.asarray(out, dtype=np.float64)


def _masked_sorted(values: Numbers, keep: Flags) -> Numbers:
    return np.asarray(np.sort(np.where(keep, values, np.nan), axis=1), dtype=np.float64)


def _repeats(values: Numbers, bound: Flags) -> Numbers:
    """Count, over the groups of equal limits, their members but one."""
    kept = _masked_sorted(values, bound)
    return np.asarray((kept[:, 1:] == kept[:, :-1]).sum(axis=1), dtype=np.float64)


def permutation_variance(x: Numbers, low: Numbers, high: Numbers) -> float:
    """Give the variance of S over all permutations, for readings of which only some pairs are ordered."""
    n = len(x)
    if n < 3:
        return 0.0

    def sums(low: Numbers, high: Numbers) -> tuple[float, float]:
        below = np.searchsorted(np.sort(high), low, "left")
        above = n - np.searchsorted(np.sort(low), high, "right")
        return float(((below - above) ** 2).sum()), float((below + above).sum())

    a_rows, a_all = sums(x, x)
    b_rows, b_all = sums(low, high)
    doubled = 4 * (a_rows - a_all) * (b_rows - b_all) / (n * (n - 1) * (n - 2))
    return (doubled + 2 * a_all * b_all / (n * (n - 1))) / 4


def _turnbull_line(flat: _Flat, chunk: Codes, slope: Numbers, confidence: float) -> _Line:
    """Put the line through the median residual of Turnbull's distribution."""
    k = len(chunk)
    line = _Line(*(np.full(k, np.nan) for _ in range(4)))
    z = normal_quantile(confidence)
    for n, rows in _by_length(flat.lengths[chunk]):
        rows = rows[np.isfinite(slope[rows])]
        # The tables of this step are some twenty times the readings.
        for some in np.array_split(rows, max(1, len(rows) * n * 20 // PAIRS_AT_ONCE)):
            if not len(some):
                continue
            at = _rows_of(flat.starts[chunk[some]], n)
            x, y, side = flat.time[at], flat.value[at], flat.side[at]
            b = slope[some][:, None]
            # A concentration is not negative; where something measured is, nothing is known below.
            floor = np.where((y < 0).any(axis=1) | ((y <= 0) & (side < 0)).any(axis=1), -np.inf, 0.0)
            low = np.where(side < 0, floor[:, None], y) - b * x
            high = np.where(side > 0, np.inf, y) - b * x
            q = np.clip(np.array([0.5, 0.5 - z / 2 / n**0.5, 0.5 + z / 2 / n**0.5]), 0, 1)
            middle, under, over = turnbull_quantiles(low, high, q)
            line.intercept[some] = middle
            line.centre[some] = _median(x)
            line.low[some], line.high[some] = middle - under, over - middle
    return line


def turnbull_quantiles(low: Numbers, high: Numbers, q: Numbers) -> Numbers:
    """Give quantiles of the distribution of readings known to lie in intervals (Turnbull 1976).

    Parameters
    ----------
    low, high : array, shape (series, n)
        Closed intervals; equal for a number, infinite where nothing is known.
    q : array, shape (quantiles,)

    Returns
    -------
    array, shape (quantiles, series)
        The upper end of the innermost interval that holds the quantile (its lower end where the upper
        is infinite), as NADA takes it.
    """
    m, n = low.shape
    ends = np.concatenate([low, high], axis=1)
    upper = np.repeat([False, True], n)[None, :].repeat(m, axis=0)
    order = np.lexsort((upper, ends), axis=-1)
    ends, upper = np.take_along_axis(ends, order, 1), np.take_along_axis(upper, order, 1)
    inner = np.zeros((m, 2 * n), dtype=bool)
    inner[:, :-1] = ~upper[:, :-1] & upper[:, 1:]
    before = np.cumsum(inner, axis=1) - inner
    place = np.empty((m, 2 * n), np.int64)
    np.put_along_axis(place, order, np.arange(2 * n)[None, :].repeat(m, axis=0), axis=1)
    first = np.take_along_axis(before, place[:, :n], 1)
    after = np.take_along_axis(before, place[:, n:], 1)
    count = inner.sum(axis=1)
    K = int(count.max())
    mass = _most_likely(first, after, np.where(np.arange(K) < count[:, None], 1.0 / count[:, None], 0.0))
    total = np.cumsum(mass, axis=1)
    at = np.flatnonzero(inner.ravel())
    lows, highs = np.full((m, K), np.nan), np.full((m, K), np.nan)
    column = before.ravel()[at]
    lows[at // (2 * n), column] = ends.ravel()[at]
    highs[at // (2 * n), column] = ends.ravel()[at + 1]
    values = np.where(np.isinf(highs), lows, highs)
    hit = (total[None, :, :] >= q[:, None, None] - 1e-7).argmax(axis=2)
    return np.stack([values[np.arange(m), one] for one in hit])


def _most_likely(first: Codes, after: Codes, mass: Numbers) -> Numbers:
    """Give the masses of the innermost intervals that make the readings most likely.

    Each reading's share is handed out in proportion to the masses it may lie in, again and again (Turnbull
    1976); every three such steps are stretched to one long one (Varadhan and Roland 2008). Rows that
    have settled are left out of the next round.

    Parameters
    ----------
    first, after : array of int, shape (series, n)
        The innermost intervals first, first + 1, ..., after - 1 may hold a reading.
    mass : array, shape (series, intervals)
        Where to begin; rows sum to one.
    """
    out = mass.copy()
    n, K = first.shape[1], mass.shape[1]
    rows = np.arange(len(mass))
    for _ in range(400):
        if not len(rows):
            break
        base = (np.arange(len(rows)) * (K + 1))[:, None]
        begin, end = (first[rows] + base).ravel(), (after[rows] + base).ravel()
        start = out[rows]
        one = _handed_out(begin, end, start, n)
        two = _handed_out(begin, end, one, n)
        step, bend = one - start, two - 2 * one + start
        size = np.linalg.norm(step, axis=1) / np.maximum(np.linalg.norm(bend, axis=1), 1e-300)
        size = np.clip(size, 1.0, 64.0)[:, None]
        long = start + 2 * size * step + size**2 * bend
        usable = (long >= 0).all(axis=1) & (np.abs(long.sum(axis=1) - 1) < 1e-6)
        out[rows] = _handed_out(begin, end, np.where(usable[:, None], long, two), n)
        rows = rows[np.abs(two - one).max(axis=1) > 1e-10]
    return out


def _handed_out(begin: Codes, end: Codes, mass: Numbers, n: int) -> Numbers:
    m, K = mass.shape
    total = np.zeros((m, K + 1))
    np.cumsum(mass, axis=1, out=total[:, 1:])
    flat = total.ravel()
    weight = 1 / np.maximum(flat[end] - flat[begin], 1e-300)
    change = np.bincount(begin, weight, m * (K + 1)) - np.bincount(end, weight, m * (K + 1))
    return np.asarray(mass * np.cumsum(change.reshape(m, K + 1), axis=1)[:, :K] / n, dtype=np.float64)
