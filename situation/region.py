"""The regional picture: which share of the sites of each area is above the limit, and how sure that is.

The share is of the sites that can be judged (above, near or below). Beside it stand the bounds with every
inconclusive site counted as below, and with every one counted as above, and the score interval of Wilson.
The interval would tell what holds for *all* sites of an area if those with readings had been drawn from
them by lot. They were not: people measure where they suspect something, or where they live. So it is called
what it is, an interval that describes these sites, and shows above all how few they are.

What surprised us: the usual interval (share plus or minus 1.96 standard errors) says 0 to 0 for none of
three sites, as if nothing could be above the limit there. And a well that is shown as a square may lie on
the other side of a border: it is counted where its public place lies, the middle of the square, and the
table says how many such there are; counted where it really lies, the table would tell on which side.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from situation.areas import COUNTRIES, Areas
from situation.topic import Topic

Floats = npt.NDArray[np.float64]
Wholes = npt.NDArray[np.int64]

#: Fewer judged sites than these say nothing about an area.
FEW = 5
CONFIDENCE = 0.95
#: Upper ends of the classes of share; the last class is closed.
CLASSES = (0.1, 0.25, 0.5, 0.75, 1.0)
TOO_FEW = len(CLASSES)
CLASS_NAMES = (
    "under 10 %",
    "10 to 25 %",
    "25 to 50 %",
    "50 to 75 %",
    "75 % and more",
    "too few sites to say",
)
#: Kinds of rows of the table.
AREA, OUTSIDE, NO_PLACE = "area", "outside", "no place"
COLUMNS = (
    "area", "kind", "sites", "judged", "above", "near", "below", "inconclusive", "no_limit", "share",
    "share_low", "share_high", "share_least", "share_most", "class", "stale", "stale_above", "near_border",
    "newest",
)  # fmt: skip
CHANGE_COLUMNS = (
    "compared", "newly_above", "back_below", "share_then", "share_now", "not_read_again", "first_read",
)  # fmt: skip
_METRES = 111_320.0  # in a degree of latitude, as the squares of situation/privacy.py count them
_JUDGED = ("above", "near", "below")


def wilson(
    above: npt.ArrayLike, judged: npt.ArrayLike, confidence: float = CONFIDENCE
) -> tuple[Floats, Floats]:
    """Give the score interval of a share.

    Parameters
    ----------
    above, judged : array of int
        How many of how many; none of none gives NaN.
    confidence : float
        Two-sided, between 0 and 1.

    Returns
    -------
    low, high : arrays of float
        Between 0 and 1.

    Notes
    -----
    E. B. Wilson (1927), Journal of the American Statistical Association 22, 209-212; without continuity
    correction, method 3 of R. G. Newcombe (1998), Statistics in Medicine 17, 857-872, with whose table I
    the tests compare.

    Examples
    --------
    >>> low, high = wilson(81, 263)
    >>> round(float(low), 4), round(float(high), 4)
    (0.2553, 0.3662)
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; it takes a number between 0 and 1.")
    k, n = np.asarray(above, dtype="float64"), np.asarray(judged, dtype="float64")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = k / n
        middle = share + z * z / (2 * n)
        half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        low, high = (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)
    # None and all are 0 and 1 exactly; rounding would leave 1e-17.
    low = np.where(k == 0, np.where(n > 0, 0.0, np.nan), low)
    high = np.where((k == n) & (n > 0), 1.0, high)
    return low, high


def percent(share: float) -> str:
    """Write a share as per cent, whole numbers; never 0 or 100 for what is not exactly that.

    >>> percent(0.0), percent(0.004), percent(0.465), percent(0.9996), percent(1.0)
    ('0', '0.4', '46', '99.9', '100')
    """
    number = 100 * share
    if 0 < number < 1 or 99 < number < 100:
        return f"{min(max(number, 0.1), 99.9):.1f}"
    return f"{number:.0f}"


@dataclass(frozen=True)
class Members:
    """Which site lies in which area: pairs of rows, a site once for each area that it lies in.

    Attributes
    ----------
    site, area : arrays of int
        Row of the table of sites, and row of the areas.
    outside, nowhere : arrays of bool
        By row of the table of sites: in no area; without a usable place.
    near_border : array of bool
        By row: a hidden site whose square is crossed by the border of an area.
    """

    site: Wholes
    area: Wholes
    outside: npt.NDArray[np.bool_]
    nowhere: npt.NDArray[np.bool_]
    near_border: npt.NDArray[np.bool_]

    @property
    def several(self) -> int:
        """How many sites lie in more than one area."""
        return int((np.bincount(self.site, minlength=1) > 1).sum())


def members(sites: pd.DataFrame, areas: Areas, topic: Topic) -> Members:
    """Find in which areas each site lies; a site on a border lies in both.

    Parameters
    ----------
    sites : DataFrame
        After :func:`situation.privacy.public`: ``longitude``, ``latitude`` (degrees, EPSG:4326; NaN for
        none), ``position_rule``.
    areas : Areas
    topic : Topic
        Says how wide the squares of hidden sites are.
    """
    longitude, latitude = (sites[name].to_numpy("float64") for name in ("longitude", "latitude"))
    placed = np.isfinite(longitude) & np.isfinite(latitude)
    site, area = _inside(longitude, latitude, np.flatnonzero(placed), areas)
    inside = np.zeros(len(sites), bool)
    inside[site] = True
    return Members(
        site=site,
        area=area,
        outside=placed & ~inside,
        nowhere=~placed,
        near_border=_near_border(sites, areas, topic, placed),
    )


def _inside(longitude: Floats, latitude: Floats, rows: Wholes, areas: Areas) -> tuple[Wholes, Wholes]:
    """Give the pairs of a site and an area that it lies in, by site.

    What surprised us: a tree of a million points takes twice as long to make as everything here.
    """
    east = _turned(longitude[rows])
    order = np.argsort(east, kind="stable")
    rows, east = rows[order], east[order]
    pairs: list[tuple[Wholes, Wholes]] = []
    for number, shape in enumerate(areas.shapes):
        for part in shapely.get_parts(shape):
            left, low, right, high = shapely.bounds(part)
            near = rows[np.searchsorted(east, left) : np.searchsorted(east, right, "right")]
            near = near[(latitude[near] >= low) & (latitude[near] <= high)]
            if len(near):
                shapely.prepare(part)
                found = near[shapely.intersects_xy(part, _turned(longitude[near]), latitude[near])]
                pairs.append((found, np.full(len(found), number)))
    if not pairs:
        return np.zeros(0, "int64"), np.zeros(0, "int64")
    # Two parts of one area may meet in a point: a site there counts once.
    site, area = (np.concatenate(side) for side in zip(*pairs, strict=True))
    both = np.unique(site * len(areas) + area)
    return both // len(areas), both % len(areas)


def _turned(longitude: Floats) -> Floats:
    """Bring longitudes into -180 to 180 degrees, 180 itself kept."""
    turned: Floats = np.where(np.abs(longitude) > 180, (longitude + 180) % 360 - 180, longitude)
    return turned


def _near_border(
    sites: pd.DataFrame, areas: Areas, topic: Topic, placed: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    out = np.zeros(len(sites), bool)
    rule = sites["position_rule"].to_numpy(object)
    hidden = np.flatnonzero(placed & np.isin(rule, ("blurred", "area")))
    if not len(hidden):
        return out
    half = np.where(rule[hidden] == "area", topic.area_m, topic.grid_m) / 2 / _METRES
    where = np.column_stack(
        [sites["longitude"].to_numpy("float64")[hidden], sites["latitude"].to_numpy("float64")[hidden], half]
    )
    squares, of = np.unique(where, axis=0, return_inverse=True)
    lon, lat, half = squares.T
    wide = half / np.maximum(np.cos(np.radians(lat)), 0.01)
    lon = _turned(lon)
    boxes = shapely.box(lon - wide, lat - half, lon + wide, lat + half)
    tree = shapely.STRtree(boxes)
    crossed = np.zeros(len(boxes), bool)
    crossed[tree.query(shapely.boundary(areas.shapes), predicate="intersects")[1]] = True
    out[hidden] = crossed[of.ravel()]
    return out


def by_area(sites: pd.DataFrame, areas: Areas, found: Members) -> pd.DataFrame:
    """Count each area, and what lies in none.

    Parameters
    ----------
    sites : DataFrame
        One row per site, columns of :func:`situation.status.assess` after ``public()``.
    areas : Areas
    found : Members
        From :func:`members` of the same sites and areas.

    Returns
    -------
    DataFrame
        :data:`COLUMNS`: one row per area in the order of the file, then one ``outside`` every area and one
        with ``no place``, always, so that no site is dropped. ``share`` is ``above / judged``, ``share_low``
        and ``share_high`` its Wilson interval (95 %), ``share_least`` and ``share_most`` the share of
        judged and inconclusive sites with the inconclusive counted as below, and as above; all from 0 to 1,
        NaN without sites. ``class`` indexes :data:`CLASS_NAMES`. A site in overlapping areas counts in each.
    """
    groups = _Groups(areas, found)
    status = sites["status"].to_numpy(object)
    stale = sites["freshness"].eq("stale").to_numpy("bool")
    names = ("above", "near", "below", "inconclusive", "no limit")
    out = groups.frame()
    out["sites"] = groups.count(np.ones(len(sites), bool))
    for name in names:
        out[name.replace(" ", "_")] = groups.count(status == name)
    out["judged"] = out[list(_JUDGED)].sum(axis=1)
    out["stale"] = groups.count(stale)
    out["stale_above"] = groups.count(stale & (status == "above"))
    out["near_border"] = groups.count(found.near_border)
    out["newest"] = groups.newest(sites["phenomenon_time"])
    with np.errstate(divide="ignore", invalid="ignore"):
        above, unsure = out["above"].to_numpy("float64"), out["inconclusive"].to_numpy("float64")
        judged = out["judged"].to_numpy("float64")
        out["share"] = above / judged
        out["share_least"] = above / (judged + unsure)
        out["share_most"] = (above + unsure) / (judged + unsure)
    out["share_low"], out["share_high"] = wilson(out["above"], out["judged"])
    out["class"] = classes(out["share"].to_numpy("float64"), out["judged"].to_numpy("int64"))
    return out[list(COLUMNS)]


def notes(table: pd.DataFrame, areas: Areas, found: Members) -> list[str]:
    """Say what must be known to read the shares of :func:`by_area`, in sentences."""
    rows = table.set_index("kind")["sites"]
    outside, nowhere = int(rows[OUTSIDE]), int(rows[NO_PLACE])
    border, several = int(found.near_border.sum()), found.several
    said = [
        "Share of the sites that can be judged. They were not picked at random: "
        "the interval describes these sites only."
    ]
    if outside:
        said.append(f"{counted_sites(outside)} in none of these areas.")
    if nowhere:
        said.append(f"{counted_sites(nowhere)} without a usable place.")
    if border:
        said.append(
            f"{counted_sites(border)} shown as a square across a border: counted where its middle lies."
        )
    if several:
        said.append(f"{counted_sites(several)} in several areas: counted in each.")
    if areas.mended:
        said.append(f"{areas.mended:,} shapes of the file cross themselves and were mended.")
    if areas.key == COUNTRIES:
        said.append("Outlines are rough: a site near a coast or a border may be counted beside it.")
    return said


def counted_sites(number: int) -> str:
    """Write a number of sites.

    >>> counted_sites(1), counted_sites(1200)
    ('1 site', '1,200 sites')
    """
    return f"{number:,} site{'' if number == 1 else 's'}"


def classes(share: Floats, judged: Wholes) -> Wholes:
    """Give the class of each share, as an index of :data:`CLASS_NAMES`; a share on a bound is above it.

    >>> classes(np.array([0.0, 0.1, 1.0, 1.0]), np.array([9, 9, 9, 4])).tolist()
    [0, 1, 4, 5]
    """
    known = np.searchsorted(CLASSES[:-1], np.nan_to_num(share), side="right")
    chosen: Wholes = np.where(judged >= FEW, known, TOO_FEW).astype("int64")
    return chosen


@dataclass(frozen=True)
class _Groups:
    """Counting by area, then outside, then without a place."""

    areas: Areas
    found: Members

    def frame(self) -> pd.DataFrame:
        kinds = [AREA] * len(self.areas) + [OUTSIDE, NO_PLACE]
        names = [*self.areas.names, "outside every area", "without a place"]
        return pd.DataFrame({"area": pd.Series(names, dtype="str"), "kind": pd.Series(kinds, dtype="str")})

    def count(self, mask: npt.NDArray[np.bool_]) -> Wholes:
        inside = np.bincount(self.found.area[mask[self.found.site]], minlength=len(self.areas))
        rest = [(mask & self.found.outside).sum(), (mask & self.found.nowhere).sum()]
        counts: Wholes = np.r_[inside, rest].astype("int64")
        return counts

    def newest(self, times: pd.Series) -> pd.Series:
        """Newest time of each group; NaT for a group without sites."""
        marks = np.full(len(times), -1)
        marks[self.found.outside] = len(self.areas)
        marks[self.found.nowhere] = len(self.areas) + 1
        rest = np.flatnonzero(marks >= 0)
        rows, group = np.r_[self.found.site, rest], np.r_[self.found.area, marks[rest]]
        best = times.iloc[rows].groupby(group).max()
        return best.reindex(range(len(self.areas) + 2)).reset_index(drop=True)


def earlier(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Find the sites of a picture in an earlier one.

    Parameters
    ----------
    old, new : DataFrame
        From :func:`situation.status.assess`, before ``public()``: hidden sites of one square share an
        identifier afterwards.

    Returns
    -------
    DataFrame
        ``status`` and ``phenomenon_time`` in *old*, rows of *new*; missing for sites that it has not.
    """
    before = old.drop_duplicates("monitoring_location_id").set_index("monitoring_location_id")
    site = new["monitoring_location_id"]
    # Not map(): it cannot look anything up in an empty column of times.
    return before[["status", "phenomenon_time"]].reindex(pd.Index(site)).set_axis(new.index)


def change(sites: pd.DataFrame, was: pd.DataFrame, areas: Areas, found: Members) -> pd.DataFrame:
    """Compare each area with an earlier picture, over the sites that were read at both times.

    Parameters
    ----------
    sites : DataFrame
        As for :func:`by_area`, in the order of the picture that was compared.
    was : DataFrame
        From :func:`earlier`, row for row.

    Returns
    -------
    DataFrame
        :data:`CHANGE_COLUMNS`, rows as :func:`by_area`. ``compared`` sites had a reading then and have a
        newer (or corrected) one now; ``newly_above`` and ``back_below`` count among them, and an
        inconclusive site has neither come nor gone. ``share_then`` and ``share_now`` are of the compared
        sites that could be judged both times. ``not_read_again`` still stand on the reading they had then,
        ``first_read`` had none.
    """
    groups = _Groups(areas, found)
    then, now = was["status"].to_numpy(object), sites["status"].to_numpy(object)
    there = was["status"].notna().to_numpy("bool")
    same = was["phenomenon_time"].eq(sites["phenomenon_time"]).to_numpy("bool") & (then == now)
    again = there & ~same
    judged_then, judged_now = np.isin(then, _JUDGED), np.isin(now, _JUDGED)
    both = again & judged_then & judged_now
    out = groups.frame()[[]]
    out["compared"] = groups.count(again)
    out["newly_above"] = groups.count(both & (then != "above") & (now == "above"))
    out["back_below"] = groups.count(both & (then == "above") & (now != "above"))
    judged = groups.count(both).astype("float64")
    with np.errstate(divide="ignore", invalid="ignore"):
        out["share_then"] = groups.count(both & (then == "above")) / judged
        out["share_now"] = groups.count(both & (now == "above")) / judged
    out["not_read_again"] = groups.count(there & same)
    out["first_read"] = groups.count(~there)
    return out[list(CHANGE_COLUMNS)]
