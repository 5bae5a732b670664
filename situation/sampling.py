"""Where to sample next: the places that would take most doubt away about what is above the limit.

The objective is a sum of p (1 - p) v: p is the chance of being above the limit somewhere and v the variance of
indicator kriging there. p (1 - p) is largest where it could be either, v where nobody has looked. Half of the
sum is over the squares of the area, half over the wells that count as not sampled because their reading is too
old, could not tell, or came from a test strip: people drink from those. One place after the other is taken,
each time the one that lowers the sum most given those taken before. The variance of kriging depends on where
was sampled and not on what was found, so the gain is known before anybody goes there (Cressie 1993, section
5.6; greedy design as in Krause, Singh & Guestrin 2008, JMLR 9:235). A household's well is offered as the
square that everybody sees.

What surprised us: nothing is less known than what lies far outside, so a plan that is free to go there goes
nowhere else, and one that counts squares alone never goes back to a well. Only squares within the reach of
the surface from some well count, measured or not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from situation.errors import NoSurface
from situation.surface import Field, on_globe

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Box = tuple[float, float, float, float]

#: How many places are proposed.
PLACES = 10
_SURE = 0.02
_ACROSS = 30  # squares along the longer side of the area
_MOST = 900  # points that are conditioned on; more are thinned to one a square
_WELLS = 600  # wells among the candidates
COLUMNS = (
    "rank", "longitude", "latitude", "monitoring_location_id", "monitoring_location_name", "kind",
    "chance_above", "doubt_taken", "why",
)  # fmt: skip


@dataclass(frozen=True)
class _Grid:
    longitude: Floats
    latitude: Floats
    metres: float


def next_places(
    field: Field,
    sites: pd.DataFrame,
    area: Box,
    *,
    strips: pd.DataFrame | None = None,
    most: int = PLACES,
) -> pd.DataFrame:
    """List the places to sample next, the most telling first.

    Parameters
    ----------
    field : Field
        Chance of being above the limit, from :func:`situation.surface.probability`.
    sites : DataFrame
        All sites of that surface, one row each, after :func:`situation.privacy.public`: ``longitude``,
        ``latitude`` (WGS 84), ``monitoring_location_id``, ``monitoring_location_name``, ``status``,
        ``freshness``, ``position_rule``.
    area : (west, south, east, north)
        Degrees; nothing outside is proposed.
    strips : DataFrame, optional
        The same of sites that only test strips have seen.
    most : int
        How many places at most.

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS`: ``rank`` from 1, the place (WGS 84; of a hidden well the middle of its
        square), identifier and name where it is a well, ``kind`` (``well``, ``wells of a square`` or ``new
        place``), ``chance_above`` (0 to 1), ``doubt_taken`` (share of all the doubt that sampling here,
        after those before, takes away), ``why`` (a sentence).

    Raises
    ------
    NoSurface
        If nothing lies in the area, or no place would change much.
    """
    every = sites.assign(strip=False)
    if strips is not None and len(strips):
        every = pd.concat([every, strips.assign(strip=True)], ignore_index=True)
    cells, wells = _squares(field, every, area), _wells(every, area)
    lon = np.r_[wells["longitude"].to_numpy("float64"), cells.longitude]
    lat = np.r_[wells["latitude"].to_numpy("float64"), cells.latitude]
    points, n = on_globe(lon, lat), len(wells)
    chance, _ = field.at(lon, lat)
    doubt = _posterior(field, points, cells.metres)
    # Kriging overshoots 0 and 1 and is cut there; nothing is as sure as that.
    likely = np.clip(chance, _SURE, 1 - _SURE)
    weight = likely * (1 - likely)
    asked = np.r_[~wells["known"].to_numpy("bool"), np.zeros(len(lon) - n, bool)]
    ground = np.r_[np.zeros(n, bool), np.ones(len(lon) - n, bool)]
    nugget = field.variogram.nugget
    noise = max(nugget, 1e-6 * field.variogram.sill)
    spread = np.diag(doubt)
    halves = _halves(weight, ground, asked, float(weight[ground] @ spread[ground]),
                     float(weight[asked] @ (spread[asked] + nugget)))  # fmt: skip
    allowed = np.r_[np.ones(n, bool), ~_taken(cells, wells)]
    rows = []
    for rank in range(1, most + 1):
        spread = np.diag(doubt)
        own = np.where(asked, halves * (spread + noise - spread**2 / (spread + noise)), 0.0)
        gain = np.where(allowed, halves @ doubt**2 / (spread + noise) + own, -1.0)
        best = int(np.argmax(gain))
        if gain[best] <= 1e-4:
            break
        rows.append(_row(rank, best, n, wells, lon, lat, chance, float(gain[best])))
        side = doubt[best]
        doubt = doubt - np.outer(side, side) / (side[best] + noise)
        allowed[best] = False
        if asked[best]:
            halves[best], asked[best] = 0.0, False
    if not rows:
        raise NoSurface("No single place would change much of what is known here.")
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _halves(weight: Floats, ground: Flags, asked: Flags, squares: float, wells: float) -> Floats:
    """Scale the weights so that the squares and the wells that count as not sampled share all doubt, half each."""
    share = 0.5 if squares > 0 and wells > 0 else 1.0
    out = np.zeros(len(weight))
    if squares > 0:
        out[ground] = share * weight[ground] / squares
    if wells > 0:
        out[asked] = share * weight[asked] / wells
    return out


def _squares(field: Field, sites: pd.DataFrame, area: Box) -> _Grid:
    """Part the area into squares and keep those that some well is near to."""
    from scipy.spatial import cKDTree

    west, south, east, north = _tight(area, sites, field.reach)
    narrow = max(math.cos(math.radians((south + north) / 2)), 0.01)
    step = max((north - south), (east - west) * narrow) / _ACROSS
    rows, columns = max(1, round((north - south) / step)), max(1, round((east - west) * narrow / step))
    lat = south + (np.arange(rows) + 0.5) * (north - south) / rows
    lon = west + (np.arange(columns) + 0.5) * (east - west) / columns
    every = np.stack(np.meshgrid(lon, lat), axis=-1).reshape(-1, 2)
    placed = sites[sites["longitude"].notna()]
    known = on_globe(placed["longitude"], placed["latitude"])
    near = cKDTree(known).query(on_globe(every[:, 0], every[:, 1]))[0] <= field.reach
    if not near.any():
        raise NoSurface("No site lies in the area of the topic.")
    return _Grid(every[near, 0], every[near, 1], step * 111_195.0)


def _tight(area: Box, sites: pd.DataFrame, rim_m: float) -> Box:
    """Cut the area down to where the sites are, with a rim."""
    high = rim_m / 111_195.0
    lat = sites["latitude"].dropna()
    wide = high / max(math.cos(math.radians(min(89.0, float(lat.abs().max())))), 0.01)
    lon = sites["longitude"].dropna()
    west, east = max(area[0], float(lon.min()) - wide), min(area[2], float(lon.max()) + wide)
    south, north = max(area[1], float(lat.min()) - high), min(area[3], float(lat.max()) + high)
    if not (west < east and south < north):
        raise NoSurface("No site lies in the area of the topic.")
    return west, south, east, north


def _wells(sites: pd.DataFrame, area: Box) -> pd.DataFrame:
    """Find the wells that somebody could go to again, hidden ones once a square, the least known first."""
    west, south, east, north = area
    inside = sites["longitude"].between(west, east) & sites["latitude"].between(south, north)
    wells = sites[inside].drop_duplicates("monitoring_location_id")  # the group's own reading comes first
    known = (
        wells["freshness"].eq("current") & wells["status"].isin(["above", "near", "below"]) & ~wells["strip"]
    )
    return wells.assign(known=known).sort_values("known", kind="stable").head(_WELLS).reset_index(drop=True)


def _posterior(field: Field, points: Floats, metres: float) -> Floats:
    """Covariance of the errors of kriging between *points*, without the nugget, as shares of the sill.

    The matrix of ordinary kriging (Cressie 1993, chapter 3): what the readings leave open, and what the
    unknown mean adds.
    """
    from scipy.linalg import cho_factor, cho_solve
    from scipy.spatial.distance import cdist

    shape = field.variogram
    known, noise = _thinned(field.points, points, metres)

    def covariance(left: Floats, right: Floats) -> Floats:
        smooth = type(shape)(shape.model, shape.partial_sill, shape.range)
        return shape.partial_sill - smooth(cdist(left, right))

    among = covariance(known, known)
    among[np.diag_indices(len(known))] += shape.nugget * noise + 1e-9 * shape.sill
    factor = cho_factor(among)
    toward = covariance(known, points)
    solved = cho_solve(factor, toward)
    ones = cho_solve(factor, np.ones(len(known)))
    open_mean = 1 - solved.sum(axis=0)
    left: Floats = (
        covariance(points, points) - toward.T @ solved + np.outer(open_mean, open_mean) / ones.sum()
    )
    return left


def _thinned(known: Floats, points: Floats, metres: float) -> tuple[Floats, Floats]:
    """Take what is known, or of very much one mean point a square; and the share of a nugget that each keeps."""
    from scipy.spatial import cKDTree

    if len(known) > _MOST:
        away = cKDTree(points).query(known)[0]
        known = known[away <= 10 * metres]
        cell = np.floor(known / metres).astype("int64")
        _, place, size = np.unique(cell, axis=0, return_inverse=True, return_counts=True)
        place = place.reshape(-1)
        means = np.stack([np.bincount(place, known[:, axis]) / size for axis in range(3)], axis=1)
        keep = np.argsort(cKDTree(points).query(means)[0], kind="stable")[: 2 * _MOST]
        return means[keep], 1 / size[keep]
    return known, np.ones(len(known))


def _taken(cells: _Grid, wells: pd.DataFrame) -> Flags:
    """Say which squares have a well in or beside them: there one goes to the well."""
    from scipy.spatial import cKDTree

    if wells.empty:
        return np.zeros(len(cells.longitude), bool)
    tree = cKDTree(on_globe(wells["longitude"], wells["latitude"]))
    near: Flags = tree.query(on_globe(cells.longitude, cells.latitude))[0] <= cells.metres
    return near


def _row(
    rank: int,
    best: int,
    n: int,
    wells: pd.DataFrame,
    lon: Floats,
    lat: Floats,
    chance: Floats,
    gain: float,
) -> tuple[object, ...]:
    likely = f"{chance[best]:.0%}"
    if best >= n:
        why = f"No well of this kind is known near; the chance of being above the limit is about {likely}."
        name: object = None
        key: object = None
        kind = "new place"
    else:
        well = wells.iloc[best]
        kind = "well" if well["position_rule"] == "exact" else "wells of a square"
        key, name = well["monitoring_location_id"], well["monitoring_location_name"]
        why = _why(str(well["status"]), str(well["freshness"]), bool(well["strip"]), likely)
    return (
        rank, round(float(lon[best]), 5), round(float(lat[best]), 5), key, name, kind,
        round(float(chance[best]), 3), round(gain, 3), why,
    )  # fmt: skip


def _why(status: str, freshness: str, strip: bool, likely: str) -> str:
    if strip:
        return f"Only a test strip was ever used; the chance of being above the limit is about {likely}."
    if freshness == "stale":
        return (
            f"The newest reading is too old to count; the chance of being above the limit is about {likely}."
        )
    if status == "inconclusive":
        return f"The newest reading could not tell; the chance of being above the limit is about {likely}."
    return "Wells around it disagree; another reading makes sure."
