"""What it is probably like between the sites: estimated concentration, and the chance of being above a limit.

The estimate is the local **median**: ordinary kriging of logarithms, taken back with exp(). The mean of a
lognormal would be exp(estimate + half a variance), where an error in the variance is an error in the answer
(Journel & Huijbregts 1978), so it is not given. Quantities that are no concentrations (pH, degrees,
negative results without a limit) are kriged as they are; a concentration of 0 or less, as counters of
radioactivity give, is taken for less than the least that was measured. The chance is indicator kriging: 1 where the site is
above the limit, 0 where it is not (Journel 1983, Math. Geol. 15:445), cut to 0 and 1.

How a censored reading enters. For the chance, ``<5`` is 0 when the limit is 5 or more, and unknown, left out
and counted, when it is less: just what ``situation/status.py`` calls below and inconclusive. For the estimate
it is neither 5, nor 2.5, nor 0: it is what its neighbours lead one to expect *given that it lies below 5*
(mean of the truncated normal of kriging without it), and the variance of that expectation is carried into
the equations as uncertainty of the point (Delhomme 1978; the conditional expectation of Stein 1992 and Fridley
& Dixon 2007, Environmetrics 18:107). Where more than half of the readings are censored no concentration is
drawn, only the chance.

Media, fractions and depths are never mixed: :func:`choose` takes the group with the most sites and says
which, and how many sites are left out. Test strips and readings older than the topic allows are left out too.

Distances are straight lines between points of a sphere: no projection, so there is no seam at 180 degrees
and none at the poles, and every variogram that is valid in space is valid there. A line of 300 km
is 30 m shorter than the arc.

What surprised us: a map can be drawn of any readings. So each surface is tested by leaving out one place
after the other, and where it does no better than one number for the whole area it is refused.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from situation.errors import NoSurface
from situation.kriging import NEIGHBOURS, Variogram, fit_indicator, fit_variogram, krige, leave_one_out
from situation.standard import Limit
from situation.unit import shown

Floats = npt.NDArray[np.float64]
Wholes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Box = tuple[float, float, float, float]

#: Fewest places with a reading that counts. Webster & Oliver (2007), *Geostatistics for Environmental
#: Scientists*, ask for 100 to know a variogram well; below :data:`SHAKY` the layer says so.
FEWEST = 20
SHAKY = 50
#: Fewest places above the limit, and not above it, for a chance.
FEWEST_EACH = 3
#: Largest share of censored readings for an estimate.
MOST_CENSORED = 0.5
#: Of more sites than this a sample is taken, the same every time: it takes some ten seconds already.
MOST_SITES = 50_000
#: Depths (metres) at which the ground is parted where the readings do not name an aquifer.
DEPTHS = (30.0, 100.0)
#: Share of the variance that kriging must take away somewhere for it to be drawn there.
_MOST_VARIANCE = 0.9
_RADIUS = 6_371_008.8  # mean radius of the Earth, metres (IUGG)
_EDGE = 85.0511287798066  # latitude at which the Web-Mercator square ends
_PIXELS = 3  # screen pixels to a cell of the answer
_WIDEST = 240  # cells
_STEP = 3  # cells between two places that are kriged; between them a straight line does
_ROUNDS = 5
_SHARES = (0.1, 0.25, 0.5, 1.0, 2.0)
_CHANCES = (0.1, 0.25, 0.5, 0.75, 0.9)


def on_globe(longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> Floats:
    """Place degrees (WGS 84, taken for a sphere) in space: metres from the centre of the Earth, (n, 3)."""
    lon, lat = (np.radians(np.asarray(part, "float64")) for part in (longitude, latitude))
    return _RADIUS * np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


# ---- which readings ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Group:
    """Readings that may be put on one surface; ``others`` is the number of sites that are left out of it."""

    words: str
    sites: int
    others: int
    strips: int


def choose(latest: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, Group]:
    """Take the medium, fraction and depth that most sites have.

    Parameters
    ----------
    latest : DataFrame
        The newest reading per site, medium, fraction, form, depth and procedure class, of one property.

    Returns
    -------
    rows : DataFrame
        Those of the group, test strips left out.
    strips : DataFrame
        Those of sites of the same medium and depth where nothing but test strips was ever used.
    Group

    Raises
    ------
    NoSurface
        If there is no reading that is not a test strip.
    """
    strip = latest["procedure_class"].eq("strip").fillna(False).to_numpy("bool")
    keys = pd.DataFrame(
        {
            "medium": latest["sampled_medium"].fillna("medium not stated").str.replace("_", " "),
            "fraction": latest["sample_fraction"].fillna("fraction not stated"),
            "depth": _bands(latest["depth_m"].to_numpy("float64")),
            "site": latest["monitoring_location_id"],
        }
    )
    better = keys[~strip]
    if better.empty:
        raise NoSurface("There is no reading here from which a surface could be made.")
    names = ["medium", "fraction", "depth"]
    counts = better.groupby(names)["site"].nunique().sort_index().sort_values(ascending=False, kind="stable")
    medium, fraction, depth = (str(word) for word in counts.index[0])
    kept = (keys[names] == [medium, fraction, depth]).all(axis=1) & ~strip
    only = strip & ~keys["site"].isin(set(better["site"])).to_numpy("bool")
    same = keys["medium"].eq(medium) & keys["depth"].eq(depth)
    words = [medium]
    words += [fraction] if better["fraction"].ne("fraction not stated").any() else []
    words += [depth] if better["depth"].ne("depth not stated").any() else []
    sites = int(counts.iloc[0])
    group = Group(
        ", ".join(words), sites, better["site"].nunique() - sites, int(keys["site"][only].nunique())
    )
    return latest.loc[kept], latest.loc[only & same], group


def _bands(depth: Floats) -> npt.NDArray[np.object_]:
    shallow, deep = DEPTHS
    words = [
        f"less than {shallow:g} m deep",
        f"{shallow:g} to {deep:g} m deep",
        f"deeper than {deep:g} m",
        "depth not stated",
    ]
    code = np.where(np.isnan(depth), 3, np.searchsorted(DEPTHS, depth, side="right"))
    return np.array(words, object)[code]


# ---- a fitted field ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Field:
    """A surface that can be asked anywhere.

    Attributes
    ----------
    kind : str
        ``estimate`` or ``probability``.
    longitude, latitude : arrays (n,)
        Places, degrees (WGS 84); no two are the same.
    values, noise : arrays (n,)
        What stands there on the scale that is kriged, and how uncertain that is by itself (a variance).
    variogram : Variogram
        Metres; the scale that is kriged, squared.
    reach : float
        Metres from the nearest place beyond which nothing is drawn.
    log : bool
        Whether that scale is the natural logarithm.
    breaks : tuple of float
        Between the classes, on the scale that is read.
    labels : tuple of str
        Of the classes, one more than breaks.
    error : float
        Of leaving one place out after the other. Of an estimate half of the errors are smaller: a factor
        if ``log``, else a difference. Of a chance the Brier score, the mean squared error.
    usual : float
        The same error if one number were said everywhere.
    note : str
        What to know at once.
    more : tuple of str
        How it was made.
    """

    kind: str
    longitude: Floats
    latitude: Floats
    values: Floats
    noise: Floats
    variogram: Variogram
    reach: float
    log: bool
    breaks: tuple[float, ...]
    labels: tuple[str, ...]
    error: float
    usual: float
    note: str
    more: tuple[str, ...]

    @property
    def points(self) -> Floats:
        """The places in space, metres."""
        return on_globe(self.longitude, self.latitude)

    def at(self, longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Say what is probably found at places, however far they are from every reading.

        Returns
        -------
        value : array
            Median concentration in the unit of the limit, or chance from 0 to 1.
        doubt : array
            Variance of the estimate as a share of the variance of the field: 1 is to know nothing.
        """
        scaled, doubt = self._kriged(on_globe(longitude, latitude))
        return self.read(scaled), doubt

    def _kriged(self, target: Floats) -> tuple[Floats, Floats]:
        found = krige(
            self.points,
            self.values,
            target,
            variogram=self.variogram,
            neighbours=NEIGHBOURS,
            noise=self.noise,
        )
        # The nugget is error and small-scale change: no reading takes it away, so it is no reason for doubt.
        left = np.maximum(found.variance - self.variogram.nugget, 0)
        return found.estimate, left / self.variogram.partial_sill

    def read(self, scaled: Floats) -> Floats:
        """Take what was kriged back to the scale that people read."""
        if self.kind == "probability":
            return np.clip(scaled, 0, 1)
        return np.exp(scaled) if self.log else scaled

    def draw(self, box: Box, zoom: int) -> dict[str, Any]:
        """Draw the part of the surface that a map shows, in classes.

        Parameters
        ----------
        box : (west, south, east, north)
            Degrees (WGS 84), from -180 to 180.
        zoom : int
            Leaflet's zoom; chooses the size of the cells.

        Returns
        -------
        dict
            ``bounds``, ``width``, ``height`` and ``codes``, as ``layers/live.js`` draws them: rows from the
            north, equal steps of Web Mercator, -1 where nothing is known. ``codes`` is empty if nothing is.
        """
        from scipy.spatial import cKDTree

        near = self._near(box)
        if near is None:
            return {"bounds": None, "width": 0, "height": 0, "codes": []}
        west, east = near[0] / 360 + 0.5, near[2] / 360 + 0.5
        north, south = _mercator(near[3]), _mercator(near[1])
        size = 256 * 2.0**zoom / _PIXELS
        wide, high = (
            int(min(_WIDEST, max(1, math.ceil(part * size)))) for part in (east - west, south - north)
        )
        x, y = west + (east - west) * _middles(wide), north + (south - north) * _middles(high)
        lon, lat = np.meshgrid((x - 0.5) * 360, _parallel(y))
        away = cKDTree(self.points).query(on_globe(lon, lat))[0]
        known = away <= self.reach
        scaled, doubt = self._smooth(x, y, known)
        known &= doubt <= _MOST_VARIANCE
        codes = np.where(known, np.searchsorted(self.breaks, self.read(scaled), side="left"), -1)
        return {"bounds": list(near), "width": wide, "height": high, "codes": codes.reshape(-1).tolist()}

    def _near(self, box: Box) -> Box | None:
        """Cut a box down to where something can be known."""
        high = math.degrees(self.reach / _RADIUS)
        south = max(box[1], float(self.latitude.min()) - high, -_EDGE)
        north = min(box[3], float(self.latitude.max()) + high, _EDGE)
        if not south < north:
            return None
        narrow = math.cos(math.radians(min(89.0, max(abs(south), abs(north)))))
        wide = min(180.0, high / narrow)
        west, east = float(self.longitude.min()) - wide, float(self.longitude.max()) + wide
        if west >= -180 and east <= 180:  # otherwise it goes round the back of the world: keep all of it
            box = (max(box[0], west), box[1], min(box[2], east), box[3])
        return (box[0], south, box[2], north) if box[0] < box[2] else None

    def _smooth(self, x: Floats, y: Floats, known: Flags) -> tuple[Floats, Floats]:
        """Krige every third place of a grid where something is known, and draw straight lines between."""
        columns, rows = _nodes(len(x)), _nodes(len(y))
        near = _spread(_spread(_any(known, rows, columns), 0), 1)
        lon, lat = np.meshgrid((x[columns] - 0.5) * 360, _parallel(y[rows]))
        parts = np.zeros((2, *near.shape))
        if near.any():
            parts[:, near] = self._kriged(on_globe(lon[near], lat[near]))
        along, down = _between(len(x), columns), _between(len(y), rows)
        scaled, doubt = (down @ part @ along.T for part in parts)
        return scaled, doubt


def _middles(n: int) -> Floats:
    return (np.arange(n) + 0.5) / n


def _mercator(latitude: float) -> float:
    sine = math.sin(math.radians(latitude))
    return 0.5 - math.log((1 + sine) / (1 - sine)) / (4 * math.pi)


def _parallel(y: Floats) -> Floats:
    return np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * y))))


def _nodes(n: int) -> Wholes:
    return np.unique(np.r_[np.arange(0, n, _STEP), n - 1])


def _between(n: int, nodes: Wholes) -> Floats:
    """Weights (n, nodes) of linear interpolation."""
    right = np.clip(np.searchsorted(nodes, np.arange(n)), min(1, len(nodes) - 1), len(nodes) - 1)
    left = np.maximum(right - 1, 0)
    step = np.maximum(nodes[right] - nodes[left], 1)
    share = (np.arange(n) - nodes[left]) / step
    weights = np.zeros((n, len(nodes)))
    weights[np.arange(n), left] += 1 - share
    weights[np.arange(n), right] += share
    return weights


def _any(known: Flags, rows: Wholes, columns: Wholes) -> Flags:
    """Say for each node whether something is known in the cells from it to the next."""
    some: Flags = np.logical_or.reduceat(np.logical_or.reduceat(known, rows, axis=0), columns, axis=1)
    return some


def _spread(flags: Flags, axis: int) -> Flags:
    out = flags.astype(bool)
    first, last = [slice(None)] * 2, [slice(None)] * 2
    first[axis], last[axis] = slice(None, -1), slice(1, None)
    wider = out.copy()
    wider[tuple(last)] |= out[tuple(first)]
    wider[tuple(first)] |= out[tuple(last)]
    return wider


# ---- fitting ----------------------------------------------------------------------------------------


def probability(table: pd.DataFrame, *, group: Group, grid_m: float = 0.0) -> Field:
    """Fit the chance of being above the limit.

    Parameters
    ----------
    table : DataFrame
        One row per site as :func:`situation.status.assess` gives it for the rows of :func:`choose`, after
        :func:`situation.privacy.public`: ``status``, ``freshness``, ``longitude``, ``latitude`` (WGS 84).
    group : Group
        What was chosen.
    grid_m : float
        Width in metres of the squares of hidden sites among them; the surface reaches over them.

    Returns
    -------
    Field

    Raises
    ------
    NoSurface
        With the reason.
    """
    usable, left = _usable(table)
    if usable["status"].eq("no limit").any():
        raise NoSurface("The standard has no limit for this, so there is no chance of being above it.")
    known = usable[usable["status"].isin(["above", "near", "below"])]
    left = _told(left, len(usable) - len(known), "cannot tell")
    above = known["status"].eq("above").to_numpy("float64")
    lon, lat, place, size = _places(known)
    _enough(group, len(lon), left)
    value = np.bincount(place, above) / size
    over, under = int((value > 0.5).sum()), int((value <= 0.5).sum())
    if min(over, under) < FEWEST_EACH:
        raise NoSurface(
            f"Of {len(lon)} places {over} are above the limit; a chance takes at least {FEWEST_EACH} above and "
            f"{FEWEST_EACH} not above."
        )
    points = on_globe(lon, lat)
    variogram = _structured(fit_indicator(points, value))
    guess = np.clip(leave_one_out(points, value, variogram=variogram).estimate, 0, 1)
    error, usual = float(np.mean((guess - value) ** 2)), float(np.mean((_others(value) - value) ** 2))
    _better(error, usual)
    note = (
        f"{_who(group, len(lon))} Tested by hiding one place after the other: those above the limit had been given a chance of "
        f"{guess[value > 0.5].mean():.0%} on average, the others {guess[value <= 0.5].mean():.0%} (Brier score "
        f"{error:.2f}; one number everywhere: {usual:.2f})."
    )
    more = (
        "Indicator kriging: 1 above the limit, 0 not above.",
        *_common(group, left, len(lon), variogram),
    )
    return _field("probability", lon, lat, value, variogram, grid_m, note, more, error, usual)


def estimate(table: pd.DataFrame, limit: Limit | None, *, group: Group, grid_m: float = 0.0) -> Field:
    """Fit the median concentration; parameters as :func:`probability`, *limit* chooses the classes.

    Raises
    ------
    NoSurface
        With the reason.
    """
    usable, left = _usable(table)
    unit, species = _form(usable, limit)
    same = usable["unit"].fillna("").eq(unit) & usable["method_speciation"].fillna("").eq(species)
    bounded = usable["censoring"].isin(["<", ">"]) & usable["detection_limit"].notna()
    number = usable["censoring"].eq("=") & usable["result"].notna()
    known = usable[same & (bounded | number)]
    left = _told(left, len(usable) - len(known), "without a number or in another unit or form")
    logs = _is_concentration(known, limit, unit)
    known, low, high, zeros = _intervals(known, logs)
    lon, lat, place, size = _places(known)
    _enough(group, len(lon), left)
    censored = low < high
    if censored.mean() > MOST_CENSORED:
        raise NoSurface(
            f"{censored.sum()} of {len(known)} readings only say less or more than a number; from so many no "
            "concentration is drawn. The chance of being above the limit may still be."
        )
    points = on_globe(lon, lat)
    variogram, value, noise = _filled(points, place, size, low, high)
    whole = np.bincount(place, censored) == 0
    guess = leave_one_out(points, value, variogram=variogram, noise=noise).estimate
    miss, flat = np.abs(guess - value)[whole], np.abs(_others(value) - value)[whole]
    _better(float(np.mean(miss**2)), float(np.mean(flat**2)))
    error, usual = float(np.median(miss)), float(np.median(flat))
    if logs:
        error, usual = math.exp(error), math.exp(usual)
    within = f"a factor of {error:.2g}" if logs else f"{_number(error)} {shown(unit)}".strip()
    other = f"{usual:.2g}" if logs else f"{_number(usual)} {shown(unit)}".strip()
    note = (
        f"{_who(group, len(lon))} Tested by hiding one place after the other: half of {whole.sum()} estimates were within {within} of "
        f"what was measured (one number everywhere: {other})."
    )
    how = "Ordinary kriging of logarithms, taken back as the median." if logs else "Ordinary kriging."
    more = (how, *_censoring_said(censored, zeros), *_common(group, left, len(lon), variogram))
    natural = np.exp(value) if logs else value
    breaks, labels = classes(limit, natural, f"{shown(unit)} {species}".strip())
    made = _field("estimate", lon, lat, value, variogram, grid_m, note, more, error, usual)
    return replace(made, noise=noise, log=logs, breaks=breaks, labels=labels)


def _field(
    kind: str,
    lon: Floats,
    lat: Floats,
    value: Floats,
    variogram: Variogram,
    grid_m: float,
    note: str,
    more: Sequence[str],
    error: float,
    usual: float,
) -> Field:
    reach = _reach(on_globe(lon, lat), variogram, grid_m)
    blank = f"Blank: farther than {_metres(reach)} from every reading, or too uncertain."
    numbers = [f"{share:.0%}".removesuffix("%") for share in _CHANCES]
    labels = (
        f"under {numbers[0]} %",
        *(f"{low} to {high} %" for low, high in zip(numbers, numbers[1:], strict=False)),
        f"over {numbers[-1]} %",
    )
    return Field(
        kind=kind,
        longitude=lon,
        latitude=lat,
        values=value,
        noise=np.zeros(len(value)),
        variogram=variogram,
        reach=reach,
        log=False,
        breaks=_CHANCES,
        labels=labels,
        error=error,
        usual=usual,
        note=note,
        more=(*more, blank),
    )


def _usable(table: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Keep sites with a place and a current reading; say how many are left out and why."""
    placed = table["longitude"].notna() & table["latitude"].notna()
    current = table["freshness"].eq("current")
    left: tuple[str, ...] = ()
    left = _told(left, int((~placed).sum()), "without a place")
    left = _told(left, int((placed & ~current).sum()), "too old")
    usable = table[placed & current]
    if len(usable) > MOST_SITES:
        left = _told(left, len(usable) - MOST_SITES, "not in the sample that was taken of so many")
        usable = usable.sample(MOST_SITES, random_state=0)
    return usable, left


def _told(before: tuple[str, ...], n: int, why: str) -> tuple[str, ...]:
    return (*before, f"{n} {why}") if n else before


def _places(known: pd.DataFrame) -> tuple[Floats, Floats, Wholes, Wholes]:
    """Find the different places: longitude, latitude, place of each row, rows of each place."""
    degrees = known[["longitude", "latitude"]].to_numpy("float64").round(6)
    degrees[:, 0] = np.where(degrees[:, 0] == -180, 180.0, degrees[:, 0])
    first, place, size = np.unique(degrees, axis=0, return_inverse=True, return_counts=True)
    return first[:, 0], first[:, 1], place.reshape(-1), size


def _enough(group: Group, places: int, left: Sequence[str]) -> None:
    if places < FEWEST:
        out = [*_elsewhere(group), *left]
        also = f" Sites left out: {'; '.join(out)}." if out else ""
        raise NoSurface(
            f"A surface takes {FEWEST} places or more with a reading that counts; here are {places} "
            f"({group.words}).{also}"
        )


def _structured(variogram: Variogram) -> Variogram:
    if variogram.partial_sill < 0.01 * variogram.sill:
        raise NoSurface(
            "Sites near each other differ as much as sites far apart, so nothing can be said of what lies between."
        )
    return variogram


def _others(value: Floats) -> Floats:
    """Give the mean of all others, for each: what one would say without a map."""
    others: Floats = (value.sum() - value) / (len(value) - 1)
    return others


def _better(error: float, usual: float) -> None:
    if not error < usual:
        raise NoSurface(
            "Tested by hiding one place after the other, a surface would do no better than one number for the "
            "whole area; so none is drawn."
        )


def _elsewhere(group: Group) -> list[str]:
    """Say which sites are not of the group that was chosen."""
    told = ((group.strips, "with test strips only"), (group.others, "of another medium, fraction or depth"))
    return [f"{n} {why}" for n, why in told if n]


def _who(group: Group, places: int) -> str:
    shaky = ", too few to be sure of it" if places < SHAKY else ""
    return f"Only {group.words}: {places} places{shaky}."


def _common(group: Group, left: Sequence[str], places: int, variogram: Variogram) -> tuple[str, ...]:
    shaky = f" With fewer than {SHAKY} a variogram is not well known." if places < SHAKY else ""
    out = [*_elsewhere(group), *left]
    return (
        f"Readings at {places} places: {group.words}.{shaky}",
        *([f"Sites left out: {'; '.join(out)}."] if out else []),
        f"{variogram.model.capitalize()} variogram: range {_metres(variogram.range)}, "
        f"{variogram.nugget / variogram.sill:.0%} nugget.",
    )


def _metres(distance: float) -> str:
    return f"{distance / 1000:.2g} km" if distance < 10_000 else f"{distance / 1000:,.0f} km"


def _reach(points: Floats, variogram: Variogram, grid_m: float) -> float:
    from scipy.spatial import cKDTree

    nearest = cKDTree(points).query(points, 2)[0][:, 1]
    return max(min(variogram.range, 3 * float(np.quantile(nearest, 0.75))), 1.5 * grid_m, 1.0)


# ---- the estimate's scale and its censored readings ---------------------------------------------------


def _form(usable: pd.DataFrame, limit: Limit | None) -> tuple[str, str]:
    """Find the unit and the species on which readings are put: the limit's, else the commonest."""
    if limit is not None:
        return limit.unit, limit.species or ""
    pairs = usable[["unit", "method_speciation"]].fillna("").value_counts()
    return (str(pairs.index[0][0]), str(pairs.index[0][1])) if len(pairs) else ("", "")


def _is_concentration(known: pd.DataFrame, limit: Limit | None, unit: str) -> bool:
    if unit in ("[pH]", "Cel") or (limit is not None and limit.comparison == "outside range"):
        return False
    result = known["result"].dropna()
    return bool((result > 0).any()) and (limit is not None or not (result < 0).any())


def _intervals(known: pd.DataFrame, logs: bool) -> tuple[pd.DataFrame, Floats, Floats, int]:
    """Between what and what each reading lies, on the scale that is kriged; equal where it is a number."""
    sign, bound = known["censoring"].to_numpy(object), known["detection_limit"].to_numpy("float64")
    result = known["result"].to_numpy("float64")
    low = np.where(sign == "=", result, np.where(sign == ">", bound, -np.inf))
    high = np.where(sign == "=", result, np.where(sign == "<", bound, np.inf))
    if not logs:
        return known, low, high, 0
    # A zero has no logarithm; who wrote it (or a count below the background) saw less than the least seen here.
    zero = high <= 0
    least = result[result > 0].min()
    zeros = int((zero & (sign == "=")).sum())
    low, high = np.where(zero, -np.inf, low), np.where(zero & (sign == "="), least, high)
    kept = high > 0
    with np.errstate(divide="ignore"):
        low, high = np.log(np.maximum(low, 0)), np.log(np.maximum(high, 0))
    return known[kept], low[kept], high[kept], zeros


def _filled(
    points: Floats, place: Wholes, size: Wholes, low: Floats, high: Floats
) -> tuple[Variogram, Floats, Floats]:
    """Give each place its value and that value's own variance, the censored readings by their neighbours.

    The variogram comes from the places where everything was quantified.
    """
    censored = low < high
    mean, variance = np.where(censored, 0.0, low), np.zeros(len(low))
    whole = np.bincount(place, censored) == 0
    if np.count_nonzero(whole) < FEWEST // 2:
        raise NoSurface("Too few places have a number and not only a bound, so no concentration is drawn.")
    value = np.bincount(place, mean) / size
    if np.ptp(value[whole]) == 0:
        raise NoSurface("All readings are the same, so there is nothing to draw between them.")
    variogram = _structured(fit_variogram(points[whole], value[whole]))
    if not censored.any():
        return variogram, value, np.zeros(len(value))
    mean, variance = _truncated(*_overall(low, high), low, high)
    open_places = np.flatnonzero(~whole)
    row = np.flatnonzero(censored)
    back = np.searchsorted(open_places, place[row])
    for _ in range(_ROUNDS):
        value, noise = np.bincount(place, mean) / size, np.bincount(place, variance) / size**2
        told = leave_one_out(points, value, variogram=variogram, noise=noise, which=open_places)
        centre, spread = told.estimate[back], np.sqrt(told.variance[back])
        mean[row], variance[row] = _truncated(centre, spread, low[row], high[row])
    return variogram, np.bincount(place, mean) / size, np.bincount(place, variance) / size**2


def _overall(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of all readings, censored ones included (EM for a censored normal)."""
    exact = low == high
    centre, spread = float(low[exact].mean()), float(low[exact].std()) or 1.0
    for _ in range(30):
        mean, variance = _truncated(np.full(len(low), centre), np.full(len(low), spread), low, high)
        centre = float(mean.mean())
        spread = max(float(np.sqrt(np.mean((mean - centre) ** 2 + variance))), 1e-9)
    return np.full(len(low), centre), np.full(len(low), spread)


def _truncated(centre: Floats, spread: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of a normal that lies below *high*, or above *low* (Johnson, Kotz & Balakrishnan, 13.10)."""
    from scipy.special import log_ndtr

    side = np.where(np.isfinite(high), 1.0, -1.0)
    edge = side * (np.where(np.isfinite(high), high, low) - centre) / spread
    ratio = np.exp(-0.5 * edge**2 - 0.5 * math.log(2 * math.pi) - log_ndtr(edge))
    # Far in the tail the ratio is nearly the edge itself, and the difference is rounding.
    left = np.clip(1 - edge * ratio - ratio**2, 1e-6, 1.0)
    exact = low == high
    mean = np.where(exact, low, centre - side * spread * ratio)
    return mean, np.where(exact, 0.0, spread**2 * left)


def _censoring_said(censored: Flags, zeros: int) -> tuple[str, ...]:
    said: tuple[str, ...] = ()
    if censored.any():
        said = (
            f"Readings that only say less (or more) than a number: {censored.sum()}. Each stands for what its "
            "neighbours make likely on that side of it, with that much doubt; not for the number, nor half of it.",
        )
    if zeros:
        said = (
            *said,
            f"Readings of 0 or less: {zeros}. They count as less than the least that was measured.",
        )
    return said


# ---- classes ----------------------------------------------------------------------------------------


def _number(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def classes(limit: Limit | None, values: Floats, unit: str) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Part a scale into six classes: at shares of the limit, or at round numbers where there is none.

    Parameters
    ----------
    limit : Limit or None
        Its value (or its two ends) is one of the breaks.
    values : array
        What was measured; parts the scale where there is no limit.
    unit : str
        Stands behind the numbers.

    Returns
    -------
    breaks : tuple of float
        Five, rising.
    labels : tuple of str
        Six.
    """
    breaks = _breaks(limit, values)
    texts = [_number(edge) for edge in breaks]
    labels = [f"under {texts[0]}", *(f"{a} to {b}" for a, b in zip(texts, texts[1:], strict=False))]
    labels = [f"{label} {unit}".strip() for label in [*labels, f"over {texts[-1]}"]]
    if limit is not None:
        beyond = {
            "above": lambda low, high: low >= breaks[3],
            "at_or_above": lambda low, high: low >= breaks[3],
            "below": lambda low, high: high <= breaks[3],
            "outside range": lambda low, high: high <= breaks[0] or low >= breaks[-1],
        }.get(limit.comparison)
        ends = [-math.inf, *breaks, math.inf]
        word = {"below": " (below)", "outside range": " (outside)"}.get(limit.comparison, " (above)")
        if beyond is not None:
            labels = [
                label + (word if beyond(ends[i], ends[i + 1]) else "") for i, label in enumerate(labels)
            ]
    return breaks, tuple(labels)


def _breaks(limit: Limit | None, values: Floats) -> tuple[float, ...]:
    if limit is not None and limit.comparison == "outside range" and None not in (limit.lower, limit.upper):
        return tuple(np.linspace(float(limit.lower or 0), float(limit.upper or 0), 5).tolist())
    if limit is not None and limit.value and limit.value > 0:
        return tuple(share * limit.value for share in _SHARES)
    if limit is not None and limit.comparison == "detected":
        return (1.0, 10.0, 100.0, 1000.0, 10_000.0)
    found = sorted({float(f"{edge:.2g}") for edge in np.quantile(values, [0.1, 0.3, 0.5, 0.7, 0.9])})
    while len(found) < 5:
        found.append(found[-1] + (abs(found[-1]) or 1.0))
    return tuple(found)
