"""Means and percentiles of readings of which some are only "less than", without making numbers of them.

Two ways, both of the field's textbooks: Kaplan–Meier, which supposes no distribution, and robust
regression on order statistics (ROS), which supposes one for the censored readings only. Putting a number
in a non-detect's place is here to be compared with, under a name that says so, and used by nothing.

What surprised us: two programs that agree on every formula differ by 4 % on EPA's own example, because
of what happens under the smallest detected reading. Some probability is left over there, and no data say
where it lies. EPA (2009) puts it at the lowest limit of detection; EnvStats 3, ProUCL 5.2 and NADA2 put
it at the smallest detect. Both are here, by name (:data:`CONVENTIONS`), and every answer says which. The
standard error that EnvStats printed in 2013 with EPA's mean is one more: it reads left-censored data
with the formula for right-censored ones, and is kept to explain a number that people cite.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from situation.errors import ChoiceError, StatisticError

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: Where the probability goes that is left under the smallest detect, and how the standard error is made.
CONVENTIONS = {
    "smallest-detect": "what is left over lies at the smallest detect; standard error times sqrt(m/(m-1)), "
    "m detects (Beal 2010; ProUCL 5.2; EnvStats 3; NADA2)",
    "lowest-limit": "what is left over lies at the lowest limit of detection; standard error times "
    "sqrt(m/(m-1)), those at the lowest limit counted in m (US EPA Unified Guidance 2009, 15.3; EnvStats 3, "
    "restricted)",
    "lowest-limit-2013": "mean as lowest-limit; standard error as EnvStats printed it in 2013, by the formula "
    "for right-censored data (Lee and Wang 2003, p. 74), uncorrected",
}
#: Fewer detects than this are no basis for a distribution.
MIN_DETECTS = 3
#: Above this share of censored readings, ROS says more about the supposed distribution than about the data.
MAX_SHARE_ROS = 0.8


@dataclass(frozen=True)
class KaplanMeier:
    """What Kaplan–Meier says; ``quantity`` and ``probability`` are the steps of the distribution."""

    n: int
    n_censored: int
    mean: float
    sd: float
    se: float
    convention: str
    left_over: float
    quantity: Numbers
    probability: Numbers
    side: str
    why: str = ""

    def percentile(self, share: float) -> float:
        """Give the smallest value of which at least this share of the distribution is not above.

        NaN where the answer is only "under the smallest detect" (or, with ``>`` readings, over the largest).

        Parameters
        ----------
        share : float
            Between 0 and 1: 0.5 for the median.
        """
        reached = self.probability >= share - 1e-12
        if self.side == "right":
            return float(self.quantity[reached.argmax()]) if reached.any() else np.nan
        if share <= self.left_over + 1e-12 and self.left_over > 1e-12:
            return np.nan
        return float(self.quantity[reached.argmax()])


@dataclass(frozen=True)
class Ros:
    """What regression on order statistics says; ``filled`` are the readings in the order given."""

    n: int
    n_censored: int
    mean: float
    sd: float
    meanlog: float
    sdlog: float
    intercept: float
    slope: float
    correlation: float
    distribution: str
    filled: Numbers
    why: str = ""

    def percentile(self, share: float) -> float:
        """Give a percentile of the detects and the filled-in readings, by Weibull's plotting positions."""
        return float(np.quantile(self.filled, share, method="weibull"))


def as_arrays(value: object, censored: object = None) -> tuple[Numbers, npt.NDArray[np.int8]]:
    """Turn readings and their marks into two arrays.

    Parameters
    ----------
    value : array_like of float, shape (n,)
        Readings; a censored one stands at its limit.
    censored : array_like, shape (n,), optional
        True, ``<`` or -1 for "less than"; ``>`` or 1 for "more than"; False, ``=`` or 0 for a number. As
        booleans say nothing of the side, True is "less than".

    Returns
    -------
    (ndarray of float64, ndarray of int8)
        Values, and -1, 0 or 1.

    Raises
    ------
    StatisticError
        If they differ in length, or a value is not a finite number.
    """
    numbers = np.atleast_1d(np.asarray(value, dtype="float64"))
    marks = np.zeros(len(numbers), "int8")
    if censored is not None:
        said = np.atleast_1d(np.asarray(censored))
        if len(said) != len(numbers):
            raise StatisticError(f"{len(numbers)} readings but {len(said)} marks of censoring.")
        if said.dtype.kind in "OUT":
            marks[said == "<"] = -1
            marks[said == ">"] = 1
        else:
            marks = (-said.astype("int8") if said.dtype.kind == "b" else np.sign(said)).astype("int8")
    if not np.isfinite(numbers).all():
        raise StatisticError("A reading is not a number; leave it out first, and say so.")
    return numbers, marks


def open_above(value: Numbers, marks: npt.NDArray[np.int8]) -> str:
    """Say that the mean is a least mean only: the highest reading is "more than"; else nothing."""
    if not (marks > 0).any():
        return ""
    top = float(value[marks > 0].max())
    if (value[marks <= 0] > top).any():
        return ""
    return (
        f"The highest reading is only known to be more than {top:g}: mean and spread are at least those of "
        "readings that end there, and nothing limits them above."
    )


def kaplan_meier(
    value: object, censored: object = None, *, convention: str = "smallest-detect"
) -> KaplanMeier:
    """Estimate mean, standard deviation and standard error of the mean by Kaplan–Meier.

    Parameters
    ----------
    value : array_like of float, shape (n,)
        Readings in one unit; a censored one stands at its limit.
    censored : array_like, shape (n,), optional
        As in :func:`as_arrays`; one side only. A detect at a limit counts as above it.
    convention : str
        One of :data:`CONVENTIONS`. It matters only where the smallest reading is censored.

    Returns
    -------
    KaplanMeier
        In the unit of the readings. ``sd`` is the one of the estimated distribution (divisor n).

    Raises
    ------
    StatisticError
        Without a detect, or with readings censored on both sides.

    Notes
    -----
    US EPA (2009), Unified Guidance EPA 530/R-09-007, 15.3; Beal (2010) and EnvStats ``enparCensored``,
    equations 4, 6 and 8: with distinct detects y_j, m_j detects there and r_j readings at or under it,
    F(y_j) = prod over i > j of (1 - m_i/r_i), A_j = sum over i <= j of (y_{i+1} - y_i) F(y_i), and
    se² = sum of A_j² m_{j+1} / (r_{j+1} (r_{j+1} - m_{j+1})).

    Examples
    --------
    >>> found = kaplan_meier([1, 2, 3, 4], [True, False, False, False])
    >>> round(found.mean, 4), found.percentile(0.5)
    (2.75, 2.0)
    """
    if convention not in CONVENTIONS:
        raise ChoiceError(f"No convention {convention!r}; there are {', '.join(CONVENTIONS)}.")
    numbers, marks = as_arrays(value, censored)
    _two_sides(marks)
    if (marks > 0).any():
        return _from_the_right(numbers, marks, convention)
    below = marks < 0
    if not len(numbers) or below.all():
        raise StatisticError(_all_censored(len(numbers)))
    restricted = convention != "smallest-detect" and bool(below.any())
    restricted = restricted and numbers[below].min() <= numbers[~below].min()
    lowest = below & (numbers == numbers[below].min()) if restricted else np.zeros(len(numbers), bool)
    y, probability, left_over = _steps(numbers, below)
    mass = np.diff(probability, prepend=0.0)
    at = y.copy()
    if restricted:
        # The left-over mass at the lowest limit, the smallest detect keeping its own.
        at, mass = np.append(y, numbers[below].min()), np.append(mass, left_over)
        mass[0] -= left_over
    mean = float(at @ mass)
    sd = float(np.sqrt(max(float(((at - mean) ** 2) @ mass), 0.0)))
    if convention == "lowest-limit-2013" and restricted:
        se = _se_2013(numbers, below)
    else:
        se = _se(numbers, below & ~lowest)
    return KaplanMeier(
        n=len(numbers),
        n_censored=int(below.sum()),
        mean=mean,
        sd=sd,
        se=se,
        convention=convention,
        left_over=left_over,
        quantity=y,
        probability=probability,
        side="left",
        why="" if np.isfinite(se) else "With one detect there is no standard error.",
    )


def _two_sides(marks: npt.NDArray[np.int8]) -> None:
    if (marks < 0).any() and (marks > 0).any():
        raise StatisticError(
            "Some readings are 'less than' and some 'more than'; these methods take one side at a time."
        )


def _all_censored(n: int) -> str:
    if not n:
        return "There are no readings."
    return f"All {n} readings are censored: they say where the mean is not, but not where it is."


def _from_the_right(numbers: Numbers, marks: npt.NDArray[np.int8], convention: str) -> KaplanMeier:
    """Mirror readings that are "more than": the same sum seen from the other end."""
    seen = kaplan_meier(-numbers, -marks, convention=convention)
    # P(X <= x) from P(-X <= -x): what is not under -x, plus what lies exactly there.
    under = np.append(0.0, seen.probability[:-1])
    under[0] = seen.left_over
    return KaplanMeier(
        n=seen.n,
        n_censored=seen.n_censored,
        mean=-seen.mean,
        sd=seen.sd,
        se=seen.se,
        convention=convention,
        left_over=seen.left_over,
        quantity=-seen.quantity[::-1],
        probability=1.0 - under[::-1],
        side="right",
        why=seen.why,
    )


def _steps(numbers: Numbers, below: Flags) -> tuple[Numbers, Numbers, float]:
    """Give the distinct detects, the probability up to each, and what is left over under the first."""
    y, m = np.unique(numbers[~below], return_counts=True)
    r = np.searchsorted(np.sort(numbers), y, side="right")
    kept = np.cumprod((1.0 - m / r)[::-1])[::-1]
    left_over = float(kept[0]) if (below & (numbers <= y[0])).any() else 0.0
    return y, np.append(kept[1:], 1.0), left_over


def _se(numbers: Numbers, below: Flags) -> float:
    """Greenwood's standard error of the mean, corrected: EnvStats 3, ``enparCensored``, 8 and 12."""
    y, m = np.unique(numbers[~below], return_counts=True)
    detects = int(m.sum())
    if detects < 2:
        return float("nan")
    r = np.searchsorted(np.sort(numbers), y, side="right")
    probability = np.append(np.cumprod((1.0 - m / r)[::-1])[::-1][1:], 1.0)
    area = np.cumsum(np.diff(y) * probability[:-1])
    variance = float((area**2 * m[1:] / (r[1:] * (r[1:] - m[1:]))).sum())
    return float(np.sqrt(variance * detects / (detects - 1)))


def _se_2013(numbers: Numbers, below: Flags) -> float:
    """Give the standard error that EnvStats printed until 2.x, from the areas to the right."""
    order = np.lexsort((~below, numbers))
    ranked, dark = numbers[order], below[order]
    y, probability, left_over = _steps(numbers, below)
    detects = ranked[~dark]
    ranks = np.flatnonzero(~dark) + 1.0
    at = np.append(ranked[dark].min(), detects)
    upto = np.append(left_over, probability[np.searchsorted(y, detects)])
    r = np.append(1.0, ranks[:-1])
    pieces = (1.0 - upto[:-1]) * np.diff(at)
    area = np.cumsum(pieces[::-1])[::-1]
    n = len(numbers)
    return float(np.sqrt((area**2 / ((n - r) * (n - r + 1))).sum()))


def plotting_positions(value: object, censored: object = None, *, constant: float = 0.0) -> Numbers:
    """Give every reading its plotting position where there are several limits of detection.

    Parameters
    ----------
    value : array_like of float, shape (n,)
        Readings; a censored one stands at its limit.
    censored : array_like, shape (n,), optional
        As in :func:`as_arrays`; "less than" only.
    constant : float
        The plotting constant: 0 is Weibull's (EPA 2009, NADA), 0.375 Blom's.

    Returns
    -------
    ndarray of float64, shape (n,)
        Probabilities in the order given.

    Notes
    -----
    Hirsch and Stedinger (1987); US EPA (2009), 15.4, equations 15.15 to 15.20; Helsel (2012), 6.3.
    Between the j-th limit and the next lie a_j detects; b_j readings are under the j-th limit. With
    p_j = p_{j+1} + a_j / (a_j + b_j) (1 - p_{j+1}), the detects of the stretch are spread over
    (1 - p_j) to (1 - p_{j+1}), and the readings censored at the limit over 0 to (1 - p_j).
    """
    numbers, marks = as_arrays(value, censored)
    below = marks < 0
    found = np.empty(len(numbers))
    limits, at_limit, dark = np.unique(numbers[below], return_inverse=True, return_counts=True)
    order = np.flatnonzero(~below)[np.argsort(numbers[~below], kind="stable")]
    # Stretch 0 lies under the lowest limit, stretch j from the j-th limit up to the next.
    stretch = np.searchsorted(limits, numbers[order], side="right")
    detects = np.bincount(stretch, minlength=len(limits) + 1)
    under = np.append(0, np.cumsum(detects)[:-1] + np.cumsum(np.append(0, dark))[1:]) if len(limits) else [0]
    exceed = np.zeros(len(limits) + 2)
    for j in range(len(limits), 0, -1):
        a, b = int(detects[j]), int(under[j])
        exceed[j] = exceed[j + 1] + (a / (a + b) * (1 - exceed[j + 1]) if a else 0.0)
    exceed[0] = 1.0
    rank = np.arange(len(order)) - (np.cumsum(detects) - detects)[stretch] + 1
    share = (rank - constant) / (detects[stretch] + 1 - 2 * constant)
    found[order] = (1 - exceed[stretch]) + (exceed[stretch] - exceed[stretch + 1]) * share
    place = np.empty(len(at_limit), "int64")
    by_limit = np.argsort(at_limit, kind="stable")
    place[by_limit] = np.arange(len(at_limit)) - (np.cumsum(dark) - dark)[at_limit[by_limit]] + 1
    share = (place - constant) / (dark[at_limit] + 1 - 2 * constant)
    found[below] = (1 - exceed[at_limit + 1]) * share
    return found


def ros(
    value: object, censored: object = None, *, distribution: str = "lognormal", constant: float = 0.0
) -> Ros:
    """Estimate mean and standard deviation by robust regression on order statistics.

    A line is fitted to the detects against normal scores; only the censored readings are read from it, so
    a wrong distribution does little harm to the rest.

    Parameters
    ----------
    value : array_like of float, shape (n,)
        Readings in one unit; a censored one stands at its limit ("less than" only).
    censored : array_like, shape (n,), optional
        As in :func:`as_arrays`.
    distribution : {"lognormal", "normal"}
        What the censored readings are supposed to follow.
    constant : float
        The plotting constant, see :func:`plotting_positions`.

    Returns
    -------
    Ros
        ``mean``, ``sd`` (divisor n - 1) in the unit of the readings; ``meanlog``, ``sdlog`` of their
        natural logarithms (NaN for a normal one).

    Raises
    ------
    StatisticError
        With fewer than three different detects, with "more than" readings, or with zeros or negative
        readings where logarithms are needed.

    Notes
    -----
    US EPA (2009), Unified Guidance, 15.4 (example 15-2); Helsel and Cohn (1988); Helsel (2012), 6.3.
    """
    from scipy import special

    if distribution not in ("lognormal", "normal"):
        raise ChoiceError(f"No distribution {distribution!r} for ROS; there are lognormal, normal.")
    numbers, marks = as_arrays(value, censored)
    if (marks > 0).any():
        raise StatisticError("Regression on order statistics takes 'less than', not 'more than' readings.")
    below = marks < 0
    if not len(numbers) or below.all():
        raise StatisticError(_all_censored(len(numbers)))
    detects = numbers[~below]
    if len(np.unique(detects)) < MIN_DETECTS:
        raise StatisticError(
            f"Regression on order statistics needs {MIN_DETECTS} different detects; "
            f"there are {len(np.unique(detects))} among {len(numbers)} readings."
        )
    logs = distribution == "lognormal"
    if logs and (numbers <= 0).any():
        raise StatisticError(no_logarithm(numbers))
    scores = special.ndtri(plotting_positions(numbers, marks, constant=constant))
    return _filled(numbers, below, scores, distribution)


def straighter(value: Numbers, censored: npt.NDArray[np.int8]) -> Ros:
    """Fit both a normal and a lognormal line and give the one whose probability plot is straighter.

    Parameters
    ----------
    value, censored : ndarray, shape (n,)
        As :func:`as_arrays` gives them; "less than" only, with three different detects.

    Notes
    -----
    The probability-plot correlation, EPA (2009), 10.6 and 15.4.
    """
    from scipy import special

    below = censored < 0
    scores = special.ndtri(plotting_positions(value, censored))
    normal = _filled(value, below, scores, "normal")
    if (value <= 0).any():
        return normal
    lognormal = _filled(value, below, scores, "lognormal")
    return lognormal if lognormal.correlation > normal.correlation else normal


def _filled(numbers: Numbers, below: Flags, scores: Numbers, distribution: str) -> Ros:
    logs = distribution == "lognormal"
    scale = np.log(numbers) if logs else numbers
    x, y = scores[~below], scale[~below]
    x, middle = x - x.mean(), y.mean()
    xx, xy, yy = float(x @ x), float(x @ (y - middle)), float(((y - middle) ** 2).sum())
    slope = xy / xx
    intercept = float(middle - slope * scores[~below].mean())
    filled = np.where(below, intercept + slope * scores, scale)
    back = np.where(below, np.exp(filled), numbers) if logs else filled
    share = float(below.mean())
    return Ros(
        n=len(numbers),
        n_censored=int(below.sum()),
        mean=float(back.mean()),
        sd=float(back.std(ddof=1)),
        meanlog=float(filled.mean()) if logs else float("nan"),
        sdlog=float(filled.std(ddof=1)) if logs else float("nan"),
        intercept=intercept,
        slope=slope,
        correlation=xy / float(np.sqrt(xx * yy)),
        distribution=distribution,
        filled=back,
        why=f"{share:.0%} of the readings are censored: this says more about the supposed distribution than "
        "about the water."
        if share > MAX_SHARE_ROS
        else "",
    )


def no_logarithm(numbers: Numbers) -> str:
    """Say which readings have no logarithm."""
    zeros, negative = int((numbers == 0).sum()), int((numbers < 0).sum())
    told = [
        f"{count} {'is' if count == 1 else 'are'} {what}"
        for count, what in ((zeros, "zero"), (negative, "negative"))
        if count
    ]
    return f"A lognormal distribution has no zeros and no negative readings, but {' and '.join(told)}."


@dataclass(frozen=True)
class Substituted:
    """Mean and standard deviation with numbers made up for the non-detects; to compare with, never to use."""

    n: int
    n_censored: int
    mean: float
    sd: float
    share_of_limit: float
    label: str


def substituted(value: object, censored: object = None, *, share_of_limit: float = 0.5) -> Substituted:
    """Put a share of its limit in the place of every non-detect, for comparison only.

    Parameters
    ----------
    value : array_like of float, shape (n,)
        Readings; a censored one stands at its limit.
    censored : array_like, shape (n,), optional
        As in :func:`as_arrays`.
    share_of_limit : float
        0, 0.5 and 1 are what people use.

    Returns
    -------
    Substituted
        Its ``label`` says what it is and must be shown with it. Helsel (2006) shows why it is no estimate.
    """
    numbers, marks = as_arrays(value, censored)
    if not len(numbers):
        raise StatisticError(_all_censored(0))
    made = np.where(marks < 0, numbers * share_of_limit, numbers)
    return Substituted(
        n=len(made),
        n_censored=int((marks != 0).sum()),
        mean=float(made.mean()),
        sd=float(made.std(ddof=1)) if len(made) > 1 else float("nan"),
        share_of_limit=share_of_limit,
        label=f"for comparison only: non-detects replaced by {share_of_limit:g} of their limit",
    )
