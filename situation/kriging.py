"""Kriging: what lies between the places where somebody measured, and how sure one can be of it.

Ordinary kriging (the mean is not known, the weights add up to 1) with a variogram that is given, or fitted to
a robust empirical one. The shapes of variograms are PyKrige's (``pykrige.variogram_models``), so that *range*
is the distance at which an exponential variogram has reached 95 % of its sill (Isaaks & Srivastava 1989,
ch. 12 and 16), and *sill* is the whole height, nugget included. The equations are solved here, all targets of a
block at once, because PyKrige builds the matrix of *all* pairs of points even when only the nearest are used
(PyKrige issue #68): with 20,000 points that is 3.2 GB. Measured on 2 cores, 10,000 targets
and 32 neighbours: 2,000 points take PyKrige's default 4.5 s and 970 MB, its moving window in C 0.4 s (and
0.3 s to begin with), this module 0.3 s; only this module knows points of different certainty, which
non-detects and averages need. ``tests/test_kriging.py`` holds both to the same answers, and
``benchmarks/surface.py`` measures them in one run.

What surprised us: wells of households that share a blurred place make the matrix singular. Points at one
place are therefore made one, with their mean, and share its weight.

References: Isaaks & Srivastava (1989), *An Introduction to Applied Geostatistics*, ch. 12; Cressie & Hawkins
(1980), Math. Geol. 12:115 (robust variogram); Cressie (1993), *Statistics for Spatial Data*, 2.4 and 3.2;
Delhomme (1978), Adv. Water Resour. 1:251 (points of different certainty); Pebesma (2004), Comput. Geosci.
30:683 (lags up to a third of the diagonal, weights of the fit).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from situation.errors import ChoiceError

Floats = npt.NDArray[np.float64]
Wholes = npt.NDArray[np.int64]

MODELS = ("spherical", "exponential", "gaussian", "linear", "power")
#: Those that level off; only these are fitted.
BOUNDED = MODELS[:3]
#: How many of the nearest points say what a place is like: more change the answer by less than its own error.
NEIGHBOURS = 24
#: With no more points than this all of them are used, whatever was asked.
_FEW = 60
_HANDFUL = 16  # targets that share one system
_BLOCK = 2**19  # numbers in the largest array of a block: 4 MB stay near the processor
_LAGS = 15
_PAIRS = 25  # fewest pairs in a lag
_SAMPLE = 1000  # points of which all pairs are looked at
_NEAR = 8  # nearest neighbours of every point, for the short lags


@dataclass(frozen=True)
class Variogram:
    """How unlike two places are, by their distance.

    Attributes
    ----------
    model : str
        One of :data:`MODELS`.
    sill : float
        Height that the variogram reaches, nugget included; of ``linear`` the slope, of ``power`` the scale.
    range : float
        Distance (unit of the points) at which a spherical variogram reaches its sill, an exponential or
        gaussian one 95 % of it; of ``power`` the exponent; ``linear`` has none.
    nugget : float
        Jump at distance 0: error of measurement and what changes within a few steps.
    """

    model: str
    sill: float
    range: float = 1.0
    nugget: float = 0.0

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise ChoiceError(f"No variogram {self.model!r}; there is {', '.join(MODELS)}.")
        numbers = (self.sill, self.range, self.nugget)
        if not all(np.isfinite(number) and number >= 0 for number in numbers) or self.range == 0:
            raise ChoiceError(
                f"A variogram takes a sill and a nugget of 0 or more and a range above 0, not {numbers}."
            )
        if self.model in BOUNDED and self.nugget > self.sill:
            raise ChoiceError(
                f"The nugget {self.nugget:g} is more than the sill {self.sill:g}; the sill includes it."
            )
        if self.model == "power" and not self.range < 2:
            raise ChoiceError(
                f"A power variogram takes an exponent below 2 as its range, not {self.range:g}."
            )

    @property
    def partial_sill(self) -> float:
        """The part of the sill that depends on the distance."""
        return self.sill - self.nugget if self.model in BOUNDED else self.sill

    def __call__(self, distance: Floats) -> Floats:
        """Give the semivariance at each distance; 0 at distance 0, nugget or not."""
        from pykrige import variogram_models as shapes

        numbers = {
            "linear": [self.sill, self.nugget],
            "power": [self.sill, self.range, self.nugget],
        }.get(self.model, [self.partial_sill, self.range, self.nugget])
        if self.model == "spherical":  # PyKrige's takes three times as long, by cases; the same numbers
            part = np.minimum(distance / self.range, 1.0)
            found = part * (1.5 - 0.5 * part * part)
            found *= self.partial_sill
            found += self.nugget
        else:
            shape: Callable[[list[float], Floats], Floats] = getattr(shapes, f"{self.model}_variogram_model")
            found = shape(numbers, distance)
        if self.nugget:
            found[distance == 0] = 0.0
        return found


class Kriged(NamedTuple):
    """What kriging says of each target: estimate, its variance (of the estimate's error), and the weights."""

    estimate: Floats
    variance: Floats
    weights: Floats | None


def krige(
    points: npt.ArrayLike,
    values: npt.ArrayLike,
    at: npt.ArrayLike,
    *,
    variogram: Variogram,
    neighbours: int | None = None,
    noise: npt.ArrayLike | None = None,
    weights: bool = False,
) -> Kriged:
    """Estimate values between points by ordinary kriging.

    Minimizes the variance of the error among all weighted means whose weights add up to 1 (Isaaks &
    Srivastava 1989, chapter 12; with *noise* Delhomme 1978). At a point without noise the
    estimate is its value and the variance 0.

    Parameters
    ----------
    points : array (n, d)
        Where was measured, in a flat (or straight) system: metres, not degrees.
    values : array (n,)
        What was measured there. Points at the same place count as one with their mean.
    at : array (m, d) or (d,)
        Where to estimate.
    variogram : Variogram
        In units of *values* squared and of *points*.
    neighbours : int, optional
        About so many of the nearest points of each target are used, all of them without it. Targets are
        taken in handfuls that lie together and share twice as many points: a third of the work, and
        nearer to the answer of all points than so many points for each.
    noise : array (n,), optional
        Variance of what is uncertain about each value itself; 0 without it.
    weights : bool
        Whether to give the weights, an array (m, n).

    Returns
    -------
    Kriged
        ``estimate`` (m,), ``variance`` (m,) in units of *values* squared, ``weights`` (m, n) or None.

    Raises
    ------
    ChoiceError
        If there are fewer than two places, or something is not a finite number.

    Examples
    --------
    >>> shape = Variogram("exponential", sill=10, range=10)
    >>> found = krige([[0, 0], [0, 4]], [1.0, 3.0], [[0, 2], [0, 4]], variogram=shape)
    >>> found.estimate.round(6).tolist(), abs(found.variance).round(4).tolist()
    ([2.0, 3.0], [5.5297, 0.0])
    """
    xy, z, e, target = _checked(points, values, at, noise)
    place, first, size = _places(xy)
    z, e = np.bincount(place, z) / size, np.bincount(place, e) / size**2
    merged = _all(xy[first], z, e, target, variogram) if _global(len(first), neighbours) else None
    found = merged or _nearest(xy[first], z, e, target, variogram, int(neighbours or 0))
    kept = found.weights[:, place] / size[place] if weights and found.weights is not None else None
    return Kriged(found.estimate, found.variance, kept)


def _global(n: int, neighbours: int | None) -> bool:
    return neighbours is None or n <= max(neighbours, _FEW)


def leave_one_out(
    points: npt.ArrayLike,
    values: npt.ArrayLike,
    *,
    variogram: Variogram,
    neighbours: int = NEIGHBOURS,
    noise: npt.ArrayLike | None = None,
    which: Wholes | None = None,
) -> Kriged:
    """Estimate the value at each point from the others: what cross-validation compares with the truth.

    Parameters
    ----------
    points, values, noise
        As in :func:`krige`, but no two points at the same place.
    which : array of int, optional
        Positions of the points to estimate; all of them without it.

    Returns
    -------
    Kriged
        One row for each of *which*; the variance is that of a value measured there without noise.
    """
    xy, z, e, _ = _checked(points, values, np.zeros((1, np.asarray(points).shape[1])), noise)
    wanted = np.arange(len(xy)) if which is None else np.asarray(which, dtype="int64")
    k = min(max(neighbours, 2), len(xy) - 1)
    near = _tree(xy).query(xy[wanted], k + 1)[1]
    # The point itself is the nearest; where rounding says otherwise the farthest goes instead.
    own = near == wanted[:, None]
    own[~own.any(axis=1), -1] = True
    found = _local(xy, z, e, xy[wanted][:, None, :], near[~own].reshape(len(wanted), k), variogram)
    return Kriged(found.estimate[:, 0], found.variance[:, 0], None)


def _checked(
    points: npt.ArrayLike, values: npt.ArrayLike, at: npt.ArrayLike, noise: npt.ArrayLike | None
) -> tuple[Floats, Floats, Floats, Floats]:
    xy, z = np.asarray(points, "float64"), np.asarray(values, "float64")
    target = np.atleast_2d(np.asarray(at, "float64"))
    e = np.zeros(len(z)) if noise is None else np.asarray(noise, "float64")
    if xy.ndim != 2 or z.shape != (len(xy),) or e.shape != z.shape or target.shape[1] != xy.shape[1]:
        raise ChoiceError("Kriging takes one value a point, and targets with as many coordinates as points.")
    for name, numbers in (("points", xy), ("values", z), ("targets", target), ("noise", e)):
        if not np.isfinite(numbers).all():
            raise ChoiceError(f"Among the {name} for kriging are some that are not finite numbers.")
    if len(xy) < 2 or not np.ptp(xy, axis=0).any():
        raise ChoiceError("Kriging takes at least two points at different places.")
    return xy, z, e, target


def _places(xy: Floats) -> tuple[Wholes, Wholes, Wholes]:
    """Give the number of each point's place, the first point of each place, and how many points each has."""
    _, first, place, size = np.unique(xy, axis=0, return_index=True, return_inverse=True, return_counts=True)
    return place.reshape(-1), first, size


def _tree(xy: Floats):  # type: ignore[no-untyped-def]
    from scipy.spatial import cKDTree

    return cKDTree(xy)


def _height(variogram: Variogram, xy: Floats, target: Floats) -> float:
    """Variance of the field; for variograms that do not level off any number that none here exceeds.

    Ordinary kriging is the same whatever it is (Cressie 1993, section 3.2).
    """
    if variogram.model in BOUNDED:
        return variogram.sill
    every = np.vstack([xy, target])
    longest = np.array([np.linalg.norm(np.ptp(every, axis=0))])
    return 2 * float(variogram(longest)[0])


def _all(xy: Floats, z: Floats, e: Floats, target: Floats, variogram: Variogram) -> Kriged:
    """Solve one system of all points for all targets."""
    from scipy.linalg import lu_factor, lu_solve
    from scipy.spatial.distance import cdist

    n, height = len(xy), _height(variogram, xy, target)
    covariance = height - variogram(cdist(xy, xy))
    covariance[np.diag_indices(n)] += e + 1e-12 * height
    factors = lu_factor(covariance)
    ones = lu_solve(factors, np.ones(n))
    out = [np.empty(len(target)), np.empty(len(target)), np.empty((len(target), n))]
    for rows in _blocks(len(target), n):
        c = height - variogram(cdist(xy, target[rows]))
        solved = lu_solve(factors, c)
        lagrange = (1 - solved.sum(axis=0)) / ones.sum()
        weight = solved + ones[:, None] * lagrange
        out[0][rows] = z @ weight
        out[1][rows] = height - (c * weight).sum(axis=0) + lagrange
        out[2][rows] = weight.T
    return Kriged(out[0], np.maximum(out[1], 0), out[2])


def _nearest(xy: Floats, z: Floats, e: Floats, target: Floats, variogram: Variogram, k: int) -> Kriged:
    """Solve one system for each handful of neighbouring targets: they share the points nearest to them all.

    A target that lies so far out in its handful that the points around itself may be missing among the
    shared ones gets a system of its own.
    """
    tree, groups = _tree(xy), _handfuls(target)
    middle = target[groups].mean(axis=1)
    distance, near = tree.query(middle, min(2 * k, len(xy)))
    found = _local(xy, z, e, target[groups], near, variogram)
    estimate, variance = np.empty(len(target)), np.empty(len(target))
    estimate[groups], variance[groups] = found.estimate, found.variance
    if 2 * k < len(xy):
        spare = np.empty(len(target))
        spare[groups] = distance[:, -1:] - np.linalg.norm(target[groups] - middle[:, None], axis=2)
        around = tree.query(target, [max(1, k // 3)])[0][:, 0]
        alone = np.flatnonzero(around > spare)
        if len(alone):
            own = tree.query(target[alone], k)[1]
            found = _local(xy, z, e, target[alone][:, None, :], own, variogram)
            estimate[alone], variance[alone] = found.estimate[:, 0], found.variance[:, 0]
    return Kriged(estimate, variance, None)


def _handfuls(target: Floats) -> Wholes:
    """Part targets into compact groups of equal size (some targets twice): cut in two, again and again."""
    size = _HANDFUL
    while size < len(target):
        size *= 2
    groups = np.resize(np.arange(len(target)), (1, size))
    while groups.shape[1] > _HANDFUL:
        at = target[groups]
        wide = np.argmax(np.ptp(at, axis=1), axis=1)
        order = np.argsort(
            np.take_along_axis(at, wide[:, None, None], axis=2)[:, :, 0], axis=1, kind="stable"
        )
        groups = np.take_along_axis(groups, order, axis=1).reshape(2 * len(groups), -1)
    return groups


def _local(xy: Floats, z: Floats, e: Floats, target: Floats, near: Wholes, variogram: Variogram) -> Kriged:
    """Solve one small system for each group of targets (g, t, d) from its own points (g, k)."""
    many, k, height = target.shape[1], near.shape[1], _height(variogram, xy, target.reshape(-1, xy.shape[1]))
    estimate, variance = np.empty(target.shape[:2]), np.empty(target.shape[:2])
    diagonal = np.arange(k)
    for rows in _blocks(len(target), k * (k + many)):
        at = xy[near[rows]]
        covariance = height - variogram(_distances(at, at))
        covariance[:, diagonal, diagonal] += e[near[rows]] + 1e-12 * height
        c = height - variogram(_distances(at, target[rows]))
        solved = np.linalg.solve(covariance, np.concatenate([c, np.ones((*c.shape[:2], 1))], axis=2))
        ones = solved[:, :, -1:]
        lagrange = (1 - solved[:, :, :-1].sum(axis=1, keepdims=True)) / ones.sum(axis=1, keepdims=True)
        weight = solved[:, :, :-1] + ones * lagrange
        estimate[rows] = (weight * z[near[rows]][:, :, None]).sum(axis=1)
        variance[rows] = height - (c * weight).sum(axis=1) + lagrange[:, 0]
    return Kriged(estimate, np.maximum(variance, 0), None)


def _distances(left: Floats, right: Floats) -> Floats:
    """Distances (g, k, t) between points (g, k, d) and (g, t, d); axis by axis, which halves the memory."""
    square = np.zeros((*left.shape[:2], right.shape[1]))
    for axis in range(left.shape[2]):
        square += (left[:, :, None, axis] - right[:, None, :, axis]) ** 2
    return np.sqrt(square, out=square)


def _blocks(rows: int, width: int) -> Iterator[slice]:
    step = max(1, _BLOCK // max(width, 1))
    return (slice(start, start + step) for start in range(0, rows, step))


# ---- the variogram --------------------------------------------------------------------------------


def empirical_variogram(
    points: npt.ArrayLike, values: npt.ArrayLike, *, robust: bool = True, farthest: float | None = None
) -> pd.DataFrame:
    """Measure how unlike pairs of points are, by their distance.

    Parameters
    ----------
    points : array (n, d)
        Metres.
    values : array (n,)
        What was measured.
    robust : bool
        Cressie & Hawkins' estimator, which a few outliers do not spoil (Cressie & Hawkins 1980; Cressie 1993,
        equation 2.4.12); without it Matheron's, half the mean squared difference, for values of 0 and 1.
    farthest : float, optional
        Longest distance looked at; a third of the width of the area without it.

    Returns
    -------
    DataFrame
        Columns ``distance`` (mean of the lag), ``semivariance``, ``pairs``. Of many points all pairs of a fixed
        sample are taken, and every point with its nearest neighbours, so that short distances are known.
    """
    xy, z = np.asarray(points, "float64"), np.asarray(values, "float64")
    left, right = _pairs(xy)
    distance = np.linalg.norm(xy[left] - xy[right], axis=1)
    # Twice the farthest from the middle, and not the diagonal of a box, which changes as the points are turned.
    across = 2 * float(np.linalg.norm(xy - xy.mean(axis=0), axis=1).max())
    most = across / 3 if farthest is None else farthest
    near = (distance > 0) & (distance <= most)
    distance, unlike = distance[near], np.abs(z[left] - z[right])[near]
    lag = np.searchsorted(_edges(distance, most), distance)
    n = np.bincount(lag).astype("float64")
    there = n > 0
    n, mean = n[there], np.bincount(lag, distance)[there] / n[there]
    if robust:
        root = np.bincount(lag, np.sqrt(unlike))[there] / n
        semivariance = root**4 / (0.457 + 0.494 / n) / 2
    else:
        semivariance = np.bincount(lag, unlike**2)[there] / n / 2
    return pd.DataFrame({"distance": mean, "semivariance": semivariance, "pairs": n.astype("int64")})


def _pairs(xy: Floats) -> tuple[Wholes, Wholes]:
    if len(xy) <= _SAMPLE:
        left, right = np.triu_indices(len(xy), 1)
        return left, right
    some = np.sort(np.random.default_rng(0).choice(len(xy), _SAMPLE, replace=False))
    left, right = np.triu_indices(_SAMPLE, 1)
    near = _tree(xy).query(xy, _NEAR + 1)[1]
    own = np.repeat(np.arange(len(xy)), _NEAR + 1)
    pairs = np.sort(np.stack([own, near.reshape(-1)]), axis=0)
    keys = np.sort(pairs[0] * len(xy) + pairs[1])
    keys = keys[np.r_[True, keys[1:] != keys[:-1]]]  # most are each other's neighbours
    return np.r_[some[left], keys // len(xy)], np.r_[some[right], keys % len(xy)]


def _edges(distance: Floats, most: float) -> Floats:
    """Upper edges of the lags but the last: narrow where points are near, each with enough pairs."""
    if not len(distance):
        return np.array([])
    ordered = np.sort(distance)
    shortest = float(ordered[min(len(ordered) - 1, _PAIRS)])
    edges = np.geomspace(max(shortest, most / 1000), most, _LAGS)[:-1]
    kept: list[float] = []
    before = 0
    for edge in edges.tolist():
        upto = int(np.searchsorted(ordered, edge, side="right"))
        if upto - before >= _PAIRS and len(ordered) - upto >= _PAIRS:
            kept.append(edge)
            before = upto
    return np.array(kept)


def fit_variogram(
    points: npt.ArrayLike,
    values: npt.ArrayLike,
    *,
    robust: bool = True,
    models: Sequence[str] = ("spherical", "exponential"),
    farthest: float | None = None,
) -> Variogram:
    """Fit a variogram to measurements.

    Least squares on the empirical variogram with gstat's usual weights, pairs over squared distance (Pebesma
    2004); nugget and sill come exactly for each of many ranges and are never negative, so there is no start
    value that could mislead it. PyKrige's own fit weighs all of its equal lags alike and knows no robust
    estimator, hence this one.

    Parameters
    ----------
    points, values, robust, farthest
        As in :func:`empirical_variogram`.
    models : sequence of str
        Bounded models to try; the one that fits best is taken.

    Returns
    -------
    Variogram

    Raises
    ------
    ChoiceError
        If there are not enough pairs of points at different places, or the values are all equal.
    """
    seen = empirical_variogram(points, values, robust=robust, farthest=farthest)
    if len(seen) < 3:
        raise ChoiceError("A variogram takes more pairs of points at different distances.")
    if not seen["semivariance"].gt(0).any():
        raise ChoiceError("A variogram takes values that differ; these are all equal.")
    lags, measured = seen["distance"].to_numpy(), seen["semivariance"].to_numpy()
    weight = np.sqrt(seen["pairs"].to_numpy()) / lags
    tries = [
        _fitted(model, float(reach), lags, measured, weight)
        for model in models
        for reach in np.geomspace(lags[0], 2 * lags[-1], 60)
    ]
    return min(tries, key=lambda found: found[0])[1]


def _fitted(
    model: str, reach: float, lags: Floats, measured: Floats, weight: Floats
) -> tuple[float, Variogram]:
    from scipy.optimize import nnls

    shape = Variogram(model, 1.0, reach)(lags)
    found, miss = nnls(np.stack([np.ones_like(lags), shape], axis=1) * weight[:, None], measured * weight)
    nugget, part = (float(number) for number in found)
    return float(miss), Variogram(model, nugget + part, reach, nugget)


fit_indicator = partial(fit_variogram, robust=False)
