"""How sure is it that a mean, a median or a percentile is over a limit: confidence limits on plain numbers.

After US EPA, Statistical Analysis of Groundwater Monitoring Data at RCRA Facilities, Unified Guidance
(EPA 530/R-09-007, 2009), chapter 21. All limits here are one-sided: a lower limit at 95 % is the lower end
of a two-sided interval at 90 %.

What surprised us: the guidance's band round a trend line (21.3) is the simultaneous one of Working and
Hotelling, ``sqrt(2 F)``, which explains its printed 12.87 and 18.14 (errata of 2010) where a program's
pointwise ``t`` gives 11.34 and 16.90; both are here, by name. Its order statistics take the rank whose
confidence is *nearest* to the one asked for, even where that falls short (98.94 % for 99 %). And Land's
limit of a lognormal mean, known from tables of H, is one integral and one root.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from situation import censored as cens
from situation.errors import ChoiceError, StatisticError

Numbers = npt.NDArray[np.float64]

SIDES = ("lower", "upper")
DISTRIBUTIONS = ("normal", "lognormal", "nonparametric")
#: What of a lognormal distribution the limit is for.
OF = ("mean", "geometric-mean")
#: How a rank is chosen: the confidence nearest to the one asked for (EPA 2009), or never less than it.
RANKS = ("nearest", "at-least")
#: The level of the Shapiro-Wilk tests that choose a distribution.
ALPHA = 0.05
#: Over this share of censored readings nothing parametric is said (EPA 2009, 15.1 and 21.1).
MAX_SHARE = 0.5
#: A mean of fewer readings has no useful limit (EPA 2009, 21.1: "at least four").
MIN_READINGS = 4


@dataclass(frozen=True)
class ConfidenceLimit:
    """One one-sided confidence limit; ``limit`` is NaN where ``why`` says why.

    ``achieved`` is the confidence that is really had, which for order statistics comes in steps;
    ``needed`` is how many readings it would take where there are too few.
    """

    side: str
    of: str
    limit: float
    estimate: float
    confidence: float
    achieved: float
    n: int
    n_censored: int
    method: str
    rank: int | None = None
    needed: int | None = None
    why: str = ""


# -- Shapiro-Wilk ------------------------------------------------------------------------------------

_SMALL = ((-2.273, 0.459), (0.544, -0.39978, 0.025054, -6.714e-4), (1.3822, -0.77857, 0.062767, -0.0020322))
_LARGE = ((-1.5861, -0.31082, -0.083751, 0.0038915), (-0.4803, -0.082676, 0.0030302))


def _polynomial(coefficients: tuple[float, ...], x: float) -> float:
    return float(sum(c * x**power for power, c in enumerate(coefficients)))


@lru_cache(maxsize=512)
def _weights(n: int) -> Numbers:
    from scipy import special

    scores = special.ndtri((np.arange(1, n + 1) - 0.375) / (n + 0.25))
    total = float(scores @ scores)
    if n == 3:
        return np.array([-np.sqrt(0.5), 0.0, np.sqrt(0.5)])
    u = 1 / np.sqrt(n)
    last = _polynomial((scores[-1] / np.sqrt(total), 0.221157, -0.147981, -2.07119, 4.434685, -2.706056), u)
    weights = scores.copy()
    if n <= 5:
        weights /= np.sqrt((total - 2 * scores[-1] ** 2) / (1 - 2 * last**2))
    else:
        before = _polynomial(
            (scores[-2] / np.sqrt(total), 0.042981, -0.293762, -1.752461, 5.682633, -3.582633), u
        )
        rest = total - 2 * scores[-1] ** 2 - 2 * scores[-2] ** 2
        weights /= np.sqrt(rest / (1 - 2 * last**2 - 2 * before**2))
        weights[[1, -2]] = -before, before
    weights[[0, -1]] = -last, last
    return np.asarray(weights)


def shapiro_wilk(values: object) -> tuple[Numbers, Numbers]:
    """Test many samples of one size for normality at once.

    Parameters
    ----------
    values : array_like of float, shape (k, n) or (n,)
        Samples in rows, 3 <= n <= 5000.

    Returns
    -------
    (ndarray, ndarray), shape (k,)
        W and its p-value; NaN where all values of a sample are equal.

    Notes
    -----
    Royston (1995), algorithm AS R94, Applied Statistics 44, 547-551.
    """
    from scipy import special

    x = np.sort(np.atleast_2d(np.asarray(values, dtype="float64")), axis=1)
    n = x.shape[1]
    if not 3 <= n <= 5000:
        raise StatisticError(f"The Shapiro-Wilk test takes 3 to 5,000 readings, not {n}.")
    centred = x - x.mean(axis=1, keepdims=True)
    with np.errstate(over="ignore"):
        squares = (centred**2).sum(axis=1)
        # The rounding of a mean must not look like spread.
        flat = squares <= n * (1e-14 * np.abs(x).max(axis=1)) ** 2
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        w = np.where(flat, np.nan, np.minimum((centred @ _weights(n)) ** 2 / squares, 1.0))
        if n == 3:
            p = 6 / np.pi * (np.arcsin(np.sqrt(w)) - np.arcsin(np.sqrt(0.75)))
            return w, np.where(flat, np.nan, np.clip(p, 0, 1))
        y = np.log1p(-w)
        if n <= 11:
            gamma = _polynomial(_SMALL[0], n)
            y = np.where(y >= gamma, np.inf, -np.log(np.maximum(gamma - y, 1e-300)))
            mean, sd = _polynomial(_SMALL[1], n), np.exp(_polynomial(_SMALL[2], n))
        else:
            mean, sd = _polynomial(_LARGE[0], np.log(n)), np.exp(_polynomial(_LARGE[1], np.log(n)))
        return w, np.where(flat, np.nan, special.ndtr(-(y - mean) / sd))


# -- Means --------------------------------------------------------------------------------------------


def lower_limit(value: object, censored: object = None, **choice: object) -> ConfidenceLimit:
    """Give the lower confidence limit of the mean; see :func:`mean_limit`."""
    return mean_limit(value, censored, side="lower", **choice)  # type: ignore[arg-type]


def upper_limit(value: object, censored: object = None, **choice: object) -> ConfidenceLimit:
    """Give the upper confidence limit of the mean; see :func:`mean_limit`."""
    return mean_limit(value, censored, side="upper", **choice)  # type: ignore[arg-type]


def mean_limit(
    value: object,
    censored: object = None,
    *,
    side: str = "lower",
    confidence: float = 0.95,
    distribution: str = "normal",
    of: str = "mean",
    convention: str = "smallest-detect",
) -> ConfidenceLimit:
    """Give a one-sided confidence limit of the mean.

    Parameters
    ----------
    value : array_like of float, shape (n,)
        Independent readings without a trend, in one unit; a censored one stands at its limit.
    censored : array_like, shape (n,), optional
        See :func:`situation.censored.as_arrays`.
    side : {"lower", "upper"}
    confidence : float
        One-sided, between 0.5 and 1.
    distribution : {"normal", "lognormal", "nonparametric"}
        ``nonparametric`` is the limit of the median, as the guidance takes it (21.2).
    of : {"mean", "geometric-mean"}
        Of a lognormal distribution: the arithmetic mean by Land, or the geometric mean.
    convention : str
        Of the Kaplan-Meier mean, see :data:`situation.censored.CONVENTIONS`.

    Returns
    -------
    ConfidenceLimit
        In the unit of the readings.

    Raises
    ------
    StatisticError
        With fewer than two readings, all equal, all censored, or zeros where logarithms are needed.

    Notes
    -----
    US EPA (2009): normal mean 21.1.1, geometric mean 21.1.2, lognormal mean 21.1.3 (Land 1971, see
    :func:`land_limit`). Censored readings: the normal limit is the Kaplan-Meier mean and its own standard
    error with Student's t of n - 1 degrees of freedom (ProUCL 5.2, NADA2), the lognormal ones take the
    mean and standard deviation of logarithms from robust ROS (15.4, 21.1).

    Examples
    --------
    EPA (2009), example 21-1, well 1:

    >>> round(lower_limit([19.9, 29.6, 18.7, 24.2]).limit, 5)
    17.29318
    """
    _check(side, confidence, distribution)
    if of not in OF:
        raise ChoiceError(f"No limit of the {of!r}; there are {', '.join(OF)}.")
    if distribution == "nonparametric":
        return nonparametric_limit(value, censored, side=side, confidence=confidence)
    numbers, marks = cens.as_arrays(value, censored)
    n, dark = len(numbers), int((marks != 0).sum())
    _enough(numbers, dark)
    sign = 1.0 if side == "upper" else -1.0
    if distribution == "normal":
        if dark:
            seen = cens.kaplan_meier(numbers, marks, convention=convention)
            if side == "upper":
                _closed(numbers, marks)
            if not np.isfinite(seen.se):
                raise StatisticError(f"{seen.why} {dark} of {n} readings are censored.")
            mean, se, how = seen.mean, seen.se, f"Kaplan-Meier mean ({convention}) and Student's t"
        else:
            with np.errstate(over="ignore", invalid="ignore"):
                mean, se = float(numbers.mean()), float(numbers.std(ddof=1) / np.sqrt(n))
            how = "Student's t (EPA 2009, 21.1.1)"
        limit = mean + sign * _t(confidence, n - 1) * se
        return _made(side, "mean", limit, mean, confidence, n, dark, f"normal: {how}")
    meanlog, sdlog, where = _logs(numbers, marks)
    if of == "geometric-mean":
        limit = float(np.exp(meanlog + sign * _t(confidence, n - 1) * sdlog / np.sqrt(n)))
        how = f"lognormal: Student's t of the logarithms{where} (EPA 2009, 21.1.2)"
        return _made(side, "geometric mean", limit, float(np.exp(meanlog)), confidence, n, dark, how)
    limit = float(land_limit(meanlog, sdlog, n, side=side, confidence=confidence)[0])
    how = f"lognormal: Land's exact limit{where} (EPA 2009, 21.1.3)"
    return _made(side, "mean", limit, float(np.exp(meanlog + sdlog**2 / 2)), confidence, n, dark, how)


def _made(
    side: str, of: str, limit: float, estimate: float, confidence: float, n: int, dark: int, method: str
) -> ConfidenceLimit:
    if not (np.isfinite(limit) and np.isfinite(estimate)):
        raise StatisticError(
            f"The limit of the {of} cannot be calculated: the readings are too large, or too far apart, for "
            "the numbers of a computer."
        )
    return ConfidenceLimit(side, of, limit, estimate, confidence, confidence, n, dark, method)


def _check(side: str, confidence: float, distribution: str) -> None:
    if side not in SIDES:
        raise ChoiceError(f"No side {side!r}; there are {', '.join(SIDES)}.")
    if distribution not in DISTRIBUTIONS:
        raise ChoiceError(f"No distribution {distribution!r}; there are {', '.join(DISTRIBUTIONS)}.")
    check_confidence(confidence)


def check_confidence(confidence: float) -> None:
    """Refuse a confidence that is none: it lies between 0.5 and 1, such as 0.95."""
    if not 0.5 <= confidence < 1:
        raise ChoiceError(
            f"A confidence of {confidence:g} is none; it is at least 0.5 and under 1, e.g. 0.95."
        )


def _enough(numbers: Numbers, dark: int) -> None:
    n = len(numbers)
    if n < 2:
        told = "There are no readings" if not n else "There is one reading"
        raise StatisticError(
            f"{told}; a confidence limit takes at least two, and {MIN_READINGS} to be useful."
        )
    if dark == n:
        raise StatisticError(
            f"All {n} readings are censored: they say where the mean is not, but not where it is."
        )
    if not dark and numbers.max() == numbers.min():
        raise StatisticError(
            f"All {n} readings are equal ({numbers[0]:g}): they do not say how far readings scatter."
        )


def _closed(numbers: Numbers, marks: npt.NDArray[np.int8]) -> None:
    """Refuse where the highest reading is only known to be more than something: nothing closes it above."""
    top = cens.open_above(numbers, marks)
    if top:
        raise StatisticError(f"{top} --distribution nonparametric says what can be said.")


def _logs(numbers: Numbers, marks: npt.NDArray[np.int8]) -> tuple[float, float, str]:
    if (marks != 0).any():
        seen = cens.ros(numbers, marks)
        return seen.meanlog, seen.sdlog, ", censored readings by robust ROS"
    if (numbers <= 0).any():
        raise StatisticError(cens.no_logarithm(numbers))
    logs = np.log(numbers)
    return float(logs.mean()), float(logs.std(ddof=1)), ""


def _t(confidence: float, freedom: float | Numbers) -> float:
    from scipy import special

    return float(special.stdtrit(freedom, confidence))


_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(10)
_PANELS = np.array([-40.0, -20, -11, -7, -4.5, -2.5, -1, 0, 1, 2.5, 4.5, 7, 11, 20, 40])


def land_limit(
    meanlog: object, sdlog: object, n: object, *, side: str = "lower", confidence: float = 0.95
) -> Numbers:
    """Give Land's exact confidence limit of a lognormal mean, for many samples at once.

    Parameters
    ----------
    meanlog, sdlog : array_like of float, shape (k,) or scalar
        Mean and standard deviation (divisor n - 1) of the natural logarithms.
    n : array_like of int
        Readings in each sample, at least 2.
    side : {"lower", "upper"}
    confidence : float
        One-sided.

    Returns
    -------
    ndarray of float64, shape (k,)
        In the unit of the readings; infinite where it is beyond all numbers.

    Notes
    -----
    Land (1971), Annals of Mathematical Statistics 42, 1187-1205: for a supposed log-mean
    theta = mu + sigma²/2, the statistic R = U/V with U = sqrt(n) (ybar - theta) and
    V² = U² + (n-1) s² has, given V, a density proportional to (1 - r²)^((n-3)/2) exp(-sqrt(n) V r / 2)
    whatever sigma is. The limit is the theta at which the R that was seen is the quantile asked for. With
    r = sin(phi) the density is smooth, and is integrated in panels round its peak.

    Examples
    --------
    EPA (2009), example 21-3:

    >>> float(land_limit(0.2036668, 1.2574974, 8, side="upper")[0].round(4))
    18.8614
    """
    mean, sd, size = (np.atleast_1d(np.asarray(part, "float64")) for part in (meanlog, sdlog, n))
    mean, sd, size = np.broadcast_arrays(mean, sd, size)
    aim = 1 - confidence if side == "upper" else confidence
    goal = np.log(aim / (1 - aim))

    def ahead(theta: Numbers, of: npt.NDArray[np.bool_]) -> Numbers:
        # Log-odds are nearly straight in theta, so that a few secants do.
        p = np.clip(_land_cdf(theta[of], sd[of], size[of]), 1e-300, 1 - 1e-16)
        return np.asarray(np.log(p / (1 - p)) - goal)

    with np.errstate(over="ignore"):
        found = np.exp(mean + _land_root(ahead, sd, size, _t(max(confidence, 0.75), 1.0)))
    return np.asarray(np.where(sd > 0, found, np.exp(mean)))


def _land_root(
    ahead: Callable[[Numbers, npt.NDArray[np.bool_]], Numbers], sd: Numbers, size: Numbers, tail: float
) -> Numbers:
    """Find where a falling function of theta is zero, for all samples, leaving out those that are done."""
    step = np.maximum(sd * (1 + sd) * tail / np.sqrt(size), 1e-9)
    low, high = sd**2 / 2 - step, sd**2 / 2 + step
    everything = np.ones(len(sd), bool)
    at_low, at_high = ahead(low, everything), ahead(high, everything)
    for _ in range(60):
        over, under = at_low < 0, at_high > 0
        if not (over | under).any():
            break
        low, high, step = np.where(over, low - step, low), np.where(under, high + step, high), step * 2
        at_low[over], at_high[under] = ahead(low, over), ahead(high, under)
    root = (low + high) / 2
    went_right = ~everything
    todo = everything.copy()
    for turn in range(60):
        # Illinois' regula falsi; every fourth turn halves, for the crooked ones.
        with np.errstate(divide="ignore", invalid="ignore"):
            secant = high - at_high * (high - low) / (at_high - at_low)
        inside = (secant > low) & (secant < high) & (turn % 4 != 3)
        root = np.where(todo, np.where(inside, secant, (low + high) / 2), root)
        at = np.zeros(len(sd))
        at[todo] = ahead(root, todo)
        right = at > 0
        # An end that stays twice in a row counts half, or it would stay for ever.
        stays = np.where(right == went_right, 2.0, 1.0)
        at_high, at_low = np.where(right, at_high / stays, at), np.where(right, at, at_low / stays)
        went_right = right
        low, high = np.where(right, root, low), np.where(right, high, root)
        todo &= np.abs(at) >= 1e-11
        if not todo.any():
            break
    return root


def _land_cdf(theta: Numbers, sd: Numbers, size: Numbers) -> Numbers:
    """Probability of an R up to the one seen, if the log-mean lies *theta* over the mean of logarithms."""
    u = -np.sqrt(size) * theta
    v = np.sqrt(u**2 + (size - 1) * sd**2)
    v = np.where(v > 0, v, 1.0)
    k = np.sqrt(size) * v / 2
    seen = np.arcsin(np.clip(u / v, -1, 1))
    power = size - 2
    peak = np.arcsin(-2 * k / (power + np.sqrt(power**2 + 4 * k**2)))
    bend = power / np.maximum(np.cos(peak) ** 2, 1e-300) - k * np.sin(peak)
    width = np.minimum(1 / np.sqrt(bend), np.pi)
    edges = np.clip(peak[:, None] + width[:, None] * _PANELS, -np.pi / 2, np.pi / 2)
    edges[:, 0], edges[:, -1] = -np.pi / 2, np.pi / 2
    top = power * np.log(np.maximum(np.cos(peak), 1e-300)) - k * np.sin(peak)

    def area(ends: Numbers) -> Numbers:
        half = np.diff(ends, axis=1)[:, :, None] / 2
        phi = ends[:, :-1, None] + half * (1 + _NODES)
        exponent = (
            power[:, None, None] * np.log(np.maximum(np.cos(phi), 1e-300))
            - k[:, None, None] * np.sin(phi)
            - top[:, None, None]
        )
        return np.asarray((np.exp(exponent) * _WEIGHTS * half).sum(axis=(1, 2)))

    left = area(np.minimum(edges, seen[:, None]))
    right = area(np.maximum(edges, seen[:, None]))
    share: Numbers = left / (left + right)
    return share


# -- Percentiles ---------------------------------------------------------------------------------------


def percentile_limit(
    value: object,
    censored: object = None,
    *,
    percentile: float = 95,
    side: str = "lower",
    confidence: float = 0.95,
    distribution: str = "normal",
    convention: str = "smallest-detect",
) -> ConfidenceLimit:
    """Give a one-sided confidence limit of a percentile.

    Parameters
    ----------
    value, censored, side, confidence, convention
        As in :func:`mean_limit`.
    percentile : float
        Between 0 and 100, e.g. 95.
    distribution : {"normal", "lognormal", "nonparametric"}
        ``nonparametric`` goes to :func:`nonparametric_limit`.

    Returns
    -------
    ConfidenceLimit

    Notes
    -----
    US EPA (2009), 21.1.4: mean + K s, with K = t(confidence; n - 1, z sqrt(n)) / sqrt(n), the quantile of
    the noncentral t. An upper limit is the one-sided tolerance limit of 17.2. Censored readings: mean and
    standard deviation by Kaplan-Meier (normal) or robust ROS (lognormal).
    """
    _check(side, confidence, distribution)
    _check_percentile(percentile)
    if distribution == "nonparametric":
        return nonparametric_limit(value, censored, percentile=percentile, side=side, confidence=confidence)
    from scipy import special

    numbers, marks = cens.as_arrays(value, censored)
    n, dark = len(numbers), int((marks != 0).sum())
    _enough(numbers, dark)
    back: Callable[[float], float] = float
    if distribution == "lognormal":
        mean, sd, where = _logs(numbers, marks)
        back = lambda x: float(np.exp(x))  # noqa: E731
    elif dark:
        seen = cens.kaplan_meier(numbers, marks, convention=convention)
        _closed(numbers, marks)
        mean, sd, where = seen.mean, seen.sd, f", mean and spread by Kaplan-Meier ({convention})"
    else:
        mean, sd, where = float(numbers.mean()), float(numbers.std(ddof=1)), ""
    z = float(special.ndtri(percentile / 100))
    reach = confidence if side == "upper" else 1 - confidence
    k = float(special.nctdtrit(n - 1, z * np.sqrt(n), reach)) / np.sqrt(n)
    how = f"{distribution}: noncentral t{where} (EPA 2009, 21.1.4)"
    return _made(
        side, percentile_name(percentile), back(mean + k * sd), back(mean + z * sd), confidence, n, dark, how
    )


def _check_percentile(percentile: float) -> None:
    if not 0 < percentile < 100:
        raise ChoiceError(f"A percentile lies between 0 and 100, e.g. 95, not {percentile:g}.")


def percentile_name(percentile: float) -> str:
    """Say a percentile: ``median``, ``95th percentile``.

    Examples
    --------
    >>> percentile_name(50), percentile_name(95), percentile_name(92.5)
    ('median', '95th percentile', '92.5th percentile')
    """
    if percentile == 50:
        return "median"
    whole = percentile == int(percentile)
    ending = "th"
    if whole and int(percentile) % 100 not in (11, 12, 13):
        ending = {1: "st", 2: "nd", 3: "rd"}.get(int(percentile) % 10, "th")
    return f"{percentile:g}{ending} percentile"


def nonparametric_limit(
    value: object,
    censored: object = None,
    *,
    percentile: float = 50,
    side: str = "lower",
    confidence: float = 0.95,
    ranks: str = "nearest",
) -> ConfidenceLimit:
    """Give a confidence limit of the median or of another percentile by order statistics.

    Nothing is supposed of the distribution. A censored reading keeps its rank at the careful end: for a
    lower limit a "less than" ranks lowest, for an upper one at its limit.

    Parameters
    ----------
    value, censored, side, confidence
        As in :func:`mean_limit`.
    percentile : float
        50 for the median.
    ranks : {"nearest", "at-least"}
        Which rank: the one whose confidence is nearest to the one asked for, as the guidance chooses in
        its examples, or one that never has less.

    Returns
    -------
    ConfidenceLimit
        ``rank`` counts from the smallest; ``achieved`` is its confidence. Where even the outermost rank
        has less than was asked for, ``needed`` says how many readings it would take, and ``why`` says so.

    Notes
    -----
    US EPA (2009), 21.2; Hahn and Meeker (1991). P(X(k) <= percentile) = P(Binomial(n, p) >= k).

    Examples
    --------
    >>> found = nonparametric_limit(range(1, 17), confidence=0.99)
    >>> found.rank, found.limit, round(found.achieved, 4)
    (4, 4.0, 0.9894)
    """
    _check(side, confidence, "nonparametric")
    _check_percentile(percentile)
    if ranks not in RANKS:
        raise ChoiceError(f"No rule {ranks!r} for ranks; there are {', '.join(RANKS)}.")
    numbers, marks = cens.as_arrays(value, censored)
    n, dark, share = len(numbers), int((marks != 0).sum()), percentile / 100
    if not n:
        raise StatisticError("There are no readings.")
    rank, achieved = rank_for(n, share, side, confidence, ranks)
    needed = readings_needed(share, side, confidence)
    low = np.where(marks < 0, -np.inf, numbers)
    high = np.where(marks > 0, np.inf, numbers)
    limit = float(np.sort(low if side == "lower" else high)[rank - 1])
    middle = np.sort(high)[int(np.ceil(share * n)) - 1] if dark else np.quantile(numbers, share)
    if dark and np.sort(low)[int(np.ceil(share * n)) - 1] != middle:
        middle = np.nan
    why = ""
    if not np.isfinite(limit):
        word = "under its limit of detection" if side == "lower" else "over what could be measured"
        why = f"The reading of rank {rank} of {n} is {word}; the limit is not known."
        limit = float("nan")
    elif n < needed:
        why = (
            f"{n} readings are too few: even the {'smallest' if side == 'lower' else 'largest'} gives "
            f"{achieved:.1%} instead of {confidence:.0%}; it takes {needed}."
        )
    return ConfidenceLimit(
        side=side,
        of=percentile_name(percentile),
        limit=limit,
        estimate=float(middle),
        confidence=confidence,
        achieved=achieved,
        n=n,
        n_censored=dark,
        method=f"nonparametric: order statistic {rank} of {n}, confidence {achieved:.2%} (EPA 2009, 21.2)",
        rank=rank,
        needed=needed if n < needed else None,
        why=why,
    )


@lru_cache(maxsize=4096)
def rank_for(n: int, share: float, side: str, confidence: float, ranks: str) -> tuple[int, float]:
    """Choose the rank of an order statistic, from 1, and give the confidence it has.

    Parameters
    ----------
    n : int
        Readings.
    share : float
        The percentile as a share.
    side, confidence, ranks
        As in :func:`nonparametric_limit`.
    """
    from scipy import special

    order = np.arange(1, n + 1)
    under = special.bdtr(order - 1.0, n, share)  # P(B <= k - 1) = P(X(k) > percentile)
    had = 1 - under if side == "lower" else under
    if ranks == "nearest":
        at = int(np.abs(had - confidence).argmin())
    else:
        enough = np.flatnonzero(had >= confidence - 1e-12)
        end = 0 if side == "lower" else n - 1
        at = end if not len(enough) else int(enough[-1] if side == "lower" else enough[0])
    return at + 1, float(had[at])


@lru_cache(maxsize=256)
def readings_needed(share: float, side: str = "lower", confidence: float = 0.95) -> int:
    """Say how many readings an order statistic takes to reach a confidence at all.

    Parameters
    ----------
    share : float
        The percentile as a share, 0.5 for the median.
    side : {"lower", "upper"}
    confidence : float
        One-sided.

    Examples
    --------
    >>> readings_needed(0.5), readings_needed(0.95, "upper")
    (5, 59)
    """
    outside = 1 - share if side == "lower" else share
    return int(np.ceil(np.log(1 - confidence) / np.log(outside) - 1e-9))


# -- A trend line and its band ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Band:
    """A straight line and its confidence band at some times."""

    slope: float
    intercept: float
    residual_sd: float
    n: int
    at: Numbers
    estimate: Numbers
    low: Numbers
    high: Numbers
    normal_p: float
    method: str


def trend_band(
    time: object, value: object, at: object, *, confidence: float = 0.95, simultaneous: bool = False
) -> Band:
    """Fit a line by least squares and give its confidence band at some times.

    Parameters
    ----------
    time, value : array_like of float, shape (n,)
        Times as numbers (e.g. decimal years) and readings, none censored.
    at : array_like of float, shape (m,)
        Where the band is wanted.
    confidence : float
        One-sided: each end alone has it.
    simultaneous : bool
        False: each time by itself, with Student's t. True: the whole line at once, with
        ``sqrt(2 F)`` of Working and Hotelling, as the guidance has it.

    Returns
    -------
    Band
        ``normal_p`` is the Shapiro-Wilk p-value of the residuals.

    Raises
    ------
    StatisticError
        With fewer than three readings, or all at one time.

    Notes
    -----
    US EPA (2009), 21.3, equations 21.23 to 21.25, and example 21-7 with the errata of 2010.
    """
    from scipy import special

    check_confidence(confidence)
    x, y = (np.atleast_1d(np.asarray(part, "float64")) for part in (time, value))
    where = np.atleast_1d(np.asarray(at, "float64"))
    n = len(x)
    if n != len(y):
        raise StatisticError(f"{n} times but {len(y)} readings.")
    if n < 3:
        raise StatisticError(f"A band round a line takes at least three readings; there are {n}.")
    spread = float(((x - x.mean()) ** 2).sum())
    if not spread > 0:
        raise StatisticError(f"All {n} readings are of one time; there is no line through them.")
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / spread)
    intercept = float(y.mean() - slope * x.mean())
    rest = y - (intercept + slope * x)
    sd = float(np.sqrt((rest**2).sum() / (n - 2)))
    se = sd * np.sqrt(1 / n + (where - x.mean()) ** 2 / spread)
    if simultaneous:
        reach = float(np.sqrt(2 * special.fdtri(2, n - 2, 2 * confidence - 1)))
    else:
        reach = _t(confidence, n - 2)
    line = intercept + slope * where
    return Band(
        slope=slope,
        intercept=intercept,
        residual_sd=sd,
        n=n,
        at=where,
        estimate=line,
        low=line - reach * se,
        high=line + reach * se,
        normal_p=float(shapiro_wilk(rest)[1][0]) if n <= 5000 else float("nan"),
        method="least squares, "
        + ("simultaneous band (Working-Hotelling; EPA 2009, 21.3)" if simultaneous else "pointwise band"),
    )
