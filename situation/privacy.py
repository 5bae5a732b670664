"""What may be shown of a site: the one function that every map, table, file and answer passes through.

The exact place stays in the store. A site whose rule is ``blurred`` is shown at the centre of its cell in a
fixed grid, ``area`` at the centre of a coarser one, ``withheld`` nowhere, and everything that could lead back to
the household is cut: identifiers, names, row and sample numbers, free text, the depth of the well.

A topic may ask that nobody is alone in a cell (``k``). Then :func:`settled` makes the rule of a site stricter
until the cell that it is shown in holds at least *k* hidden sites, counted over all that the store ever
accepted for the topic: a count of what a property, a period or a box leaves over could be played against another.

What surprised us: jitter that is drawn anew averages out after some exports, so the grid is fixed: the same
place is in the same cell every time, whoever asks and however often. And an identifier that is a hash of the
name can be tried out name by name, so the public identifier is made from the cell alone: it tells nothing
that the cell does not, and the wells of one cell share it. And a coarse cell that cuts through a fine one
tells, together, less than either: so coarse cells are made of whole fine ones. And one well whose readings scatter
by the ten metres of a telephone's position shows in two cells, and by that lies on their border: so a hidden
site has one place for all its readings.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import TypeVar

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from situation.observation import POSITION_RULES
from situation.topic import Topic
from situation.unit import codes

Table = TypeVar("Table", pd.DataFrame, gpd.GeoDataFrame)
Floats = npt.NDArray[np.float64]
Wholes = npt.NDArray[np.int64]

_METRES_PER_DEGREE = 111_320.0
_BLURRED, _AREA, _WITHHELD = (POSITION_RULES.index(rule) for rule in ("blurred", "area", "withheld"))
#: The name of the cell of what has no place.
NOWHERE = "nowhere"

#: Columns that keep their value for a site that is not shown exactly; every other one is emptied.
HARMLESS = frozenset(
    {
        "monitoring_location_type", "observed_property", "observed_property_name", "observed_property_code",
        "sampled_medium", "sample_fraction", "method_speciation", "procedure_class", "phenomenon_time",
        "phenomenon_time_precision", "time_zone_source", "result", "result_text", "unit", "unit_source",
        "censoring", "detection_limit", "detection_condition", "result_uncertainty", "result_status",
        "quality_flag", "review_state", "position_rule", "licence", "attribution", "retrieved_at", "batch_id",
        "n", "n_censored", "first_time", "last_time", "groups", "status", "freshness", "reason",
        "limit", "limit_lower", "limit_upper", "limit_kind", "limit_comparison", "limit_verified",
        "share", "change", "data_version",
    }
)  # fmt: skip
#: Columns that are rewritten rather than kept or emptied.
_REWRITTEN = frozenset(
    {
        "monitoring_location_id", "monitoring_location_name", "longitude", "latitude", "geometry",
        "horizontal_accuracy_m", "source_id", "observation_id",
    }
)  # fmt: skip


def rule_for(site_type: str | None, topic: Topic) -> str:
    """Give the rule of a type of site, one of POSITION_RULES; ``exact`` if the topic names none."""
    return topic.privacy.get(site_type or "", "exact")


def tells_who(name: str) -> str | None:
    """Say what a name that everybody will see gives away of somebody, if it does; None if it is fit to be seen.

    Examples
    --------
    >>> tells_who("ruth@example.org"), tells_who("0700 123 456"), tells_who("river watch 2026")
    ('an e-mail address', 'a telephone number', None)
    """
    if "@" in name or "\uff20" in name or re.search(r"\(at\)|\[at\]", name, re.IGNORECASE):
        return "an e-mail address"
    digits = sum(sign.isdigit() for sign in name)
    if digits >= 7 and digits > sum(sign.isalpha() for sign in name):
        return "a telephone number"
    return None


def public(table: Table, topic: Topic) -> Table:
    """Make a table fit to be shown.

    Parameters
    ----------
    table : DataFrame or GeoDataFrame
        ``monitoring_location_id``, ``position_rule``, ``monitoring_location_type`` (if there) and either
        ``longitude`` and ``latitude`` or ``geometry`` (points), in degrees (EPSG:4326). Of the row's own
        rule and the topic's rule for its type of site the stricter one counts.
    topic : Topic
        Says the rules and the width of the cells, in metres.

    Returns
    -------
    DataFrame or GeoDataFrame
        The same rows, columns and index. Rows of exact sites are untouched. The others stand at the
        centre of their cell, with ``horizontal_accuracy_m`` (if there) the width of the cell, under the
        identifier and the name of the cell; those that are withheld have no place and share one identifier.
        Columns that are not in :data:`HARMLESS` are empty.
    """
    rule = _rules(table, topic)
    hidden = rule > 0
    if not hidden.any():
        return table
    longitude, latitude = _places(table)
    width = np.array([0.0, topic.grid_m, topic.area_m, np.nan])[rule]
    lon, lat, cell = _shown(longitude[hidden], latitude[hidden], rule[hidden], topic)
    out = table.copy()
    for name in out.columns:
        if name not in HARMLESS and name not in _REWRITTEN:
            out[name] = _emptied(out[name], hidden)
    out["monitoring_location_id"] = _put(out["monitoring_location_id"], hidden, _pseudonyms(cell))
    if "monitoring_location_name" in out:
        out["monitoring_location_name"] = _put(
            out["monitoring_location_name"], hidden, _names(table, hidden, rule)
        )
    if "observation_id" in out:
        # A hash of the natural key could be tried out name by name.
        out["observation_id"] = _put(
            out["observation_id"], hidden, np.full(int(hidden.sum()), "withheld", object)
        )
    if {"attribution", "contributor"} <= set(table.columns):
        # Whoever measured their own well is not named beside it, under whatever heading.
        own = hidden & table["attribution"].eq(table["contributor"]).fillna(False).to_numpy("bool")
        out["attribution"] = _put(out["attribution"], own, np.full(int(own.sum()), "a contributor", object))
    if "source_id" in out:
        source = out["source_id"].astype("str")[hidden].str.partition(":")[0].to_numpy(object)
        out["source_id"] = _put(out["source_id"], hidden, source)
    if "horizontal_accuracy_m" in out:
        out["horizontal_accuracy_m"] = np.where(hidden, width, out["horizontal_accuracy_m"].astype("float64"))
    if "position_rule" in out:
        words = np.array(POSITION_RULES, object)[rule[hidden]]
        out["position_rule"] = _put(out["position_rule"], hidden, words)
    return _moved(out, hidden, lon, lat)


def _rules(table: pd.DataFrame, topic: Topic | None) -> Wholes:
    """Give the stricter of the row's and the topic's rule, as an index of POSITION_RULES."""
    strictness = {rule: number for number, rule in enumerate(POSITION_RULES)}
    worst = np.zeros(len(table), dtype="int64")
    if "position_rule" in table:
        numbers, values = codes(table["position_rule"])
        # A rule that we do not know is not a licence to show: it counts as blurred.
        own = [0 if v is None else strictness.get(str(v), 1) for v in values]
        worst = np.array(own, dtype="int64")[numbers]
    if "monitoring_location_type" in table and topic is not None and topic.privacy:
        numbers, values = codes(table["monitoring_location_type"])
        by_type = [strictness[rule_for(None if v is None else str(v), topic)] for v in values]
        worst = np.maximum(worst, np.array(by_type, dtype="int64")[numbers])
    return worst


def _places(table: pd.DataFrame) -> tuple[Floats, Floats]:
    if "longitude" in table:
        return table["longitude"].to_numpy("float64"), table["latitude"].to_numpy("float64")
    points = table["geometry"].to_numpy()
    return shapely.get_x(points), shapely.get_y(points)


@dataclass(frozen=True)
class _Cells:
    """The cell of each place in one grid: row, column and centre; NaN for what has no place."""

    width: float
    row: Floats
    column: Floats
    lon: Floats
    lat: Floats

    @property
    def names(self) -> npt.NDArray[np.object_]:
        numbers = zip(self.row.tolist(), self.column.tolist(), strict=True)
        names = [f"{self.width:g}:{r:.0f}:{c:.0f}" if r == r and c == c else NOWHERE for r, c in numbers]
        return np.array(names, dtype=object)


def _cells(longitude: Floats, latitude: Floats, width: float) -> _Cells:
    """Find the cells of a grid (width in metres, places in degrees); rows of cells narrow towards the poles."""
    height = width / _METRES_PER_DEGREE
    row = np.floor(latitude / height)
    lat = (row + 0.5) * height
    across = height / np.maximum(np.cos(np.radians(lat)), 0.01)
    column = np.floor(longitude / across)
    return _Cells(width, row, column, (column + 0.5) * across, lat)


def _both_cells(longitude: Floats, latitude: Floats, topic: Topic) -> tuple[_Cells, _Cells]:
    """Find the fine cell of each place, and the coarse cell that the centre of the fine one lies in.

    Fine cells are never cut: what was seen in the coarse cell once and is seen in the fine one now is anywhere in
    the fine one.
    """
    small = _cells(longitude, latitude, topic.grid_m)
    return small, _cells(small.lon, small.lat, topic.area_m)


def _shown(
    longitude: Floats, latitude: Floats, rule: Wholes, topic: Topic
) -> tuple[Floats, Floats, npt.NDArray[np.object_]]:
    """Give where hidden sites are shown, and the names of those cells."""
    small, large = _both_cells(longitude, latitude, topic)
    wide, none = rule == _AREA, rule == _WITHHELD
    lon = np.where(none, np.nan, np.where(wide, large.lon, small.lon))
    lat = np.where(none, np.nan, np.where(wide, large.lat, small.lat))
    names = np.where(none, NOWHERE, np.where(wide, large.names, small.names))
    lon[np.isnan(lat)] = np.nan
    lat[np.isnan(lon)] = np.nan
    return np.clip(np.round(lon, 5), -180, 180), np.clip(np.round(lat, 5), -90, 90), names


# ---- nobody alone in a cell ---------------------------------------------------------------------


@dataclass(frozen=True)
class Crowd:
    """The cells that hold enough hidden sites to be shown, by name; ``k`` 1 asks for nothing."""

    k: int = 1
    cells: frozenset[str] = frozenset()

    def rules(self, rule: Wholes, longitude: Floats, latitude: Floats, topic: Topic) -> Wholes:
        """Make the rules of hidden places (indices of POSITION_RULES) as strict as their cells need."""
        if self.k <= 1 or not len(rule):
            return rule
        small, large = _both_cells(longitude, latitude, topic)
        alone = (rule == _BLURRED) & ~self._holds(small)
        wide = alone | (rule == _AREA)
        return np.where(wide, np.where(self._holds(large), _AREA, _WITHHELD), rule)

    def _holds(self, cells: _Cells) -> npt.NDArray[np.bool_]:
        return np.array([name in self.cells for name in cells.names], "bool")


@dataclass(frozen=True)
class Hidden:
    """What is hidden of a store's sites.

    Attributes
    ----------
    sites : DataFrame
        By site: ``position_rule``, and ``longitude``, ``latitude`` (degrees, EPSG:4326) where the readings of
        the site lie in several cells and must be shown in one; NaN where each reading's own place will do.
    crowd : Crowd
        The cells that may be shown.
    """

    sites: pd.DataFrame
    crowd: Crowd = Crowd()


#: Columns that :func:`settled` takes.
PLACES = ("site", "position_rule", "monitoring_location_type", "longitude", "latitude", "known", "standing")


def settled(places: pd.DataFrame, topic: Topic | None) -> Hidden:
    """Say once for all readings of each hidden site how, and where, it is shown.

    Parameters
    ----------
    places : DataFrame
        One row for each place that a file gave a hidden site, oldest first: :data:`PLACES`. ``known``: a
        reviewer has accepted it at some time, so that nobody can fill a cell with wells of their own making.
        ``standing``: it has not been withdrawn since.
    topic : Topic, optional
        Without one the strictest rule of the rows counts as it is.

    Returns
    -------
    Hidden
        A site is where its first accepted place is, until a standing file puts it more than ``grid_m`` from there:
        a receiver's scatter does not move it, a mistake that was put right does. In the fine grid sites of the
        rule ``blurred`` count, in the coarse one all; those within some ten metres of each other count as one.
    """
    site, names = pd.factorize(places["site"])
    rule = np.zeros(len(names), "int64")
    np.maximum.at(rule, site, _rules(places, topic))
    if topic is None:
        return Hidden(_by_site(names, rule))
    known = places["known"].to_numpy("bool")
    counted = np.zeros(len(names), "bool")
    counted[site[known]] = True
    lon, lat, several = _anchors(places, site, counted, topic)
    crowd = _crowd(rule, lon, lat, counted, topic)
    rule = crowd.rules(rule, lon, lat, topic)
    lon, lat = (np.where(several, part, np.nan) for part in (lon, lat))
    return Hidden(_by_site(names, rule, lon, lat), crowd)


def crowded(table: pd.DataFrame, topic: Topic, crowd: Crowd) -> pd.DataFrame:
    """Make the rules of a table that was hidden before as strict as a crowd needs now.

    Parameters
    ----------
    table : DataFrame
        From :func:`public`, kept since, with ``position_rule``, ``longitude`` and ``latitude``.
    topic : Topic
        Says how wide the cells are.
    crowd : Crowd
        The cells that may be shown.
    """
    rule = _rules(table, topic)
    hidden = rule > 0
    longitude, latitude = _places(table)
    rule[hidden] = crowd.rules(rule[hidden], longitude[hidden], latitude[hidden], topic)
    return table.assign(position_rule=pd.Series(np.array(POSITION_RULES, object)[rule], table.index, "str"))


def stricter(one: Topic, other: Topic) -> Topic:
    """Give a topic that hides whatever either of two hides, in the wider cells, with the greater *k*."""
    kinds = {*one.privacy, *other.privacy}
    rules = {
        kind: max(rule_for(kind, one), rule_for(kind, other), key=POSITION_RULES.index) for kind in kinds
    }
    return replace(
        one,
        privacy=rules,
        grid_m=max(one.grid_m, other.grid_m),
        area_m=max(one.area_m, other.area_m),
        k=max(one.k, other.k),
    )


def _by_site(names: pd.Index, rule: Wholes, *place: Floats) -> pd.DataFrame:
    lon, lat = place or (np.full(len(names), np.nan),) * 2
    words = np.array(POSITION_RULES, object)[rule]
    table = pd.DataFrame({"position_rule": words, "longitude": lon, "latitude": lat}, index=names)
    return table[rule > 0]


def _anchors(
    places: pd.DataFrame, site: npt.NDArray[np.intp], counted: npt.NDArray[np.bool_], topic: Topic
) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Give the one place of each site, and which sites were put in several cells."""
    longitude, latitude = (places[name].to_numpy("float64") for name in ("longitude", "latitude"))
    # What waits for a reviewer does not move what was accepted.
    use = np.isfinite(longitude) & np.isfinite(latitude) & (places["known"].to_numpy("bool") | ~counted[site])
    rows = np.flatnonzero(use)
    own, first = np.unique(site[rows], return_index=True)
    start = np.full(len(counted), -1)
    start[own] = rows[first]
    lon, lat = np.full(len(counted), np.nan), np.full(len(counted), np.nan)
    lon[own], lat[own] = longitude[start[own]], latitude[start[own]]
    cells = _cells(longitude, latitude, topic.grid_m)
    begun = start[site[rows]]
    away = (cells.row[rows] != cells.row[begun]) | (cells.column[rows] != cells.column[begun])
    several = np.zeros(len(counted), "bool")
    several[site[rows[away]]] = True
    standing = places["standing"].to_numpy("bool")
    for row in rows[several[site[rows]] & standing[rows]]:
        at = site[row]
        if _metres(lon[at], lat[at], longitude[row], latitude[row]) > topic.grid_m:
            lon[at], lat[at] = longitude[row], latitude[row]
    return lon, lat, several


def _metres(lon: float, lat: float, to_lon: float, to_lat: float) -> float:
    """Measure a short way between two places (degrees), in metres."""
    across = (to_lon - lon) * np.cos(np.radians(lat))
    return float(np.hypot(across, to_lat - lat) * _METRES_PER_DEGREE)


def _crowd(rule: Wholes, lon: Floats, lat: Floats, counted: npt.NDArray[np.bool_], topic: Topic) -> Crowd:
    if topic.k <= 1:
        return Crowd()
    use = counted & np.isfinite(lon)
    small, large = _both_cells(lon[use], lat[use], topic)
    spot = pd.DataFrame({"lon": np.round(lon[use], 4), "lat": np.round(lat[use], 4)})
    full: set[str] = set()
    for cells, some in ((small, rule[use] == _BLURRED), (large, rule[use] >= _BLURRED)):
        spots = spot.assign(cell=cells.names)[some].drop_duplicates()
        n = spots["cell"].value_counts()
        full |= set(n.index[n >= topic.k])
    return Crowd(topic.k, frozenset(full))


def _pseudonyms(cells: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    made = {cell: f"area-{hashlib.sha256(cell.encode()).hexdigest()[:8]}" for cell in set(cells)}
    return np.array([made[cell] for cell in cells], dtype=object)


def _names(
    table: pd.DataFrame, hidden: npt.NDArray[np.bool_], rule: npt.NDArray[np.int64]
) -> npt.NDArray[np.object_]:
    types = table.get("monitoring_location_type", pd.Series(index=table.index, dtype="str"))[hidden]
    words = types.astype("str").str.replace("_", " ").str.capitalize().fillna("Site").to_numpy(object)
    where = np.array(["", " in this area", " in this district", ", place withheld"], object)[rule[hidden]]
    return np.array([f"{word}{place}" for word, place in zip(words, where, strict=True)], dtype=object)


def _emptied(column: pd.Series, hidden: npt.NDArray[np.bool_]) -> pd.Series:
    whole = {"i": "Int64", "u": "Int64", "b": "boolean"}.get(column.dtype.kind)
    return (column.astype(whole) if whole else column).where(~hidden)  # type: ignore[call-overload,no-any-return]


def _put(column: pd.Series, hidden: npt.NDArray[np.bool_], values: npt.NDArray[np.object_]) -> pd.Series:
    filled = column.astype("object").to_numpy(copy=True)
    filled[hidden] = values
    return pd.Series(filled, index=column.index).astype("str")


def _moved(out: Table, hidden: npt.NDArray[np.bool_], lon: Floats, lat: Floats) -> Table:
    if "longitude" in out:
        for name, values in (("longitude", lon), ("latitude", lat)):
            numbers = out[name].to_numpy("float64", copy=True)
            numbers[hidden] = values
            out[name] = numbers
    if "geometry" in out:
        points = out["geometry"].to_numpy().copy()
        made = shapely.points(lon, lat)
        made[~(np.isfinite(lon) & np.isfinite(lat))] = None
        points[hidden] = made
        out["geometry"] = gpd.GeoSeries(points, index=out.index, crs=getattr(out["geometry"], "crs", None))
    return out
