"""Polygons that shares are given for: communes, districts, aquifers, countries.

A topic names its files (``[[areas]]`` in ``topic.toml``): GeoJSON, GeoPackage, Shapefile or anything else
that pyogrio reads, in any reference system that the file states. A topic that names none gets the countries
of Natural Earth, which lie inside pyogrio, a dependency anyway (1:110 million, public domain): they say where
in the world one is, and a site near a coast may lie outside of them.

What surprised us: every second file of districts holds rings that cross themselves, which count a point
wrongly or stop the library; they are mended (``make_valid``) and that is said. An island of a commune is
often a row of its own, so rows of one name are one area. And a polygon across the 180th meridian is often
written as one that goes the long way round the world; it is cut at the meridian (RFC 7946, section 3.1.9).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from situation.errors import ChoiceError, DataFileError
from situation.topic import AreaFile, Topic

WGS84 = "EPSG:4326"
#: Key of the set that a topic without areas of its own is given.
COUNTRIES = "countries"
#: More areas than these are not told apart on a map, nor read in a table.
MOST = 5_000
_LONGEST = 120
_NATURAL_EARTH = ("tests", "fixtures", "naturalearth_lowres", "naturalearth_lowres.shp")


@dataclass(frozen=True)
class Areas:
    """One set of areas that can be used.

    Attributes
    ----------
    key, title : str
        What stands in addresses, and what people read.
    names : list of str
        One name per area, in the order of the file.
    shapes : array of Polygon or MultiPolygon
        Valid, in degrees (EPSG:4326), cut at the 180th meridian; same order.
    mended : int
        How many shapes of the file were not valid and were mended.
    """

    key: str
    title: str
    names: list[str]
    shapes: npt.NDArray[np.object_]
    mended: int = 0

    def __len__(self) -> int:
        return len(self.names)


@cache
def outlines() -> Path:
    """Find the outlines of countries, without importing what brings them, which takes a second.

    Raises
    ------
    DataFileError
        If pyogrio is not installed.
    """
    found = find_spec("pyogrio")
    if found is None or found.origin is None:
        raise DataFileError("The package pyogrio is missing; install what requirements.lock lists.")
    return Path(found.origin).parent.joinpath(*_NATURAL_EARTH)


def sets_of(topic: Topic) -> dict[str, AreaFile]:
    """List the sets of areas of a topic as it is shown: its own, else the countries of the world."""
    if topic.areas:
        return {one.key: one for one in topic.areas}
    return {COUNTRIES: AreaFile(COUNTRIES, "Countries (Natural Earth, 1:110 million)", outlines(), "name")}


def chosen(topic: Topic, key: str | None) -> AreaFile:
    """Find a set of areas of a topic; None chooses the first.

    Raises
    ------
    ChoiceError
        If the topic has no such set, with those that it has.
    """
    known = sets_of(topic)
    if key is None:
        return next(iter(known.values()))
    if key not in known:
        raise ChoiceError(
            f"The topic {topic.key} has no areas {key[:60]!r} in topic.toml; it has {', '.join(known)}."
        )
    return known[key]


_READ: OrderedDict[tuple[Any, ...], Areas] = OrderedDict()


def read(file: AreaFile) -> Areas:
    """Read a set of areas; the same file is read again only when it has changed.

    Raises
    ------
    DataFileError
        Naming the file, what is wrong with it and what would be right.
    """
    try:
        stamp = file.path.stat().st_mtime_ns
    except OSError as wrong:
        raise DataFileError(
            f"{_name(file)} is not there; [[areas]] in topic.toml takes a file of polygons in the folder of the topic."
        ) from wrong
    key = (file, stamp)
    if key not in _READ:
        _READ[key] = _read(file)
        while len(_READ) > 16:
            _READ.popitem(last=False)
    return _READ[key]


def _name(file: AreaFile) -> str:
    return f"{file.path.parent.name}/{file.path.name}"


def _read(file: AreaFile) -> Areas:
    table = _opened(file)
    shapes = table.geometry.to_numpy()
    polygons = np.isin(shapely.get_type_id(shapes), (3, 6))  # Polygon, MultiPolygon; None is -1
    if not polygons.any():
        raise DataFileError(f"{_name(file)} holds no polygon; areas are polygons or multipolygons.")
    names = _names(table[file.name])[polygons]
    shapes = shapes[polygons]
    whole = np.array([_unrolled(shape) for shape in shapes], dtype=object)
    valid = shapely.is_valid(whole)
    fit = np.array([_polygonal(shape) for shape in shapely.make_valid(whole)], dtype=object)
    keep = ~shapely.is_empty(fit)
    labels, number = _numbered(names[keep])
    if len(labels) > MOST:
        raise DataFileError(f"{_name(file)} has {len(labels):,} areas; at most {MOST:,} are taken.")
    pieces = fit[keep]
    joined = [
        pieces[rows[0]] if len(rows) == 1 else _polygonal(shapely.union_all(pieces[rows]))
        for rows in (np.flatnonzero(number == one) for one in range(len(labels)))
    ]
    made = np.empty(len(joined), dtype=object)
    made[:] = joined
    return Areas(file.key, file.title, labels, made, int((~valid).sum()))


def _opened(file: AreaFile) -> gpd.GeoDataFrame:
    where = _name(file)
    try:
        table = gpd.read_file(file.path, engine="pyogrio")
    except Exception as wrong:  # pyogrio's errors have no common root but Exception
        raise DataFileError(
            f"{where} cannot be read as polygons; GeoJSON, GeoPackage or a Shapefile (with its .shx and .dbf) would be right."
        ) from wrong
    if not isinstance(table, gpd.GeoDataFrame) or not len(table):
        raise DataFileError(f"{where} holds no polygon; areas are polygons or multipolygons.")
    if file.name not in table.columns or file.name == table.geometry.name:
        columns = [str(name) for name in table.columns if name != table.geometry.name]
        raise DataFileError(
            f"{where} has no column {file.name!r} to name its areas; it has {', '.join(columns[:30]) or 'none'}."
        )
    if table.crs is None:
        raise DataFileError(
            f"{where} does not say in which reference system it is; a Shapefile says so in its .prj file."
        )
    try:
        degrees = table.to_crs(WGS84)
    except Exception as wrong:
        raise DataFileError(
            f"{where} cannot be converted to degrees (EPSG:4326) from its reference system {table.crs.name!r}."
        ) from wrong
    bounds = degrees.total_bounds
    if not np.isfinite(bounds).all() or abs(bounds[[1, 3]]).max() > 90.001 or abs(bounds[[0, 2]]).max() > 540:
        raise DataFileError(
            f"{where} has places that are not on Earth ({', '.join(f'{edge:.6g}' for edge in bounds)}); "
            "the reference system that it states is probably not the one of its numbers."
        )
    return degrees


def _names(column: pd.Series) -> npt.NDArray[np.object_]:
    """Names as text; an area without one is called by the place of its row in the file."""
    said = column.map(lambda name: "" if pd.isna(name) else " ".join(str(name).split())[:_LONGEST])
    rows = [f"unnamed, row {row}" for row in range(1, len(said) + 1)]
    return np.array([name or row for name, row in zip(said, rows, strict=True)], dtype=object)


def _numbered(names: npt.NDArray[np.object_]) -> tuple[list[str], npt.NDArray[np.int64]]:
    number, labels = pd.factorize(pd.Series(names, dtype=object))
    return [str(label) for label in labels], number.astype("int64")


def _polygonal(shape: shapely.Geometry) -> shapely.Geometry:
    """Keep what has a surface: mending may leave lines and points beside the polygons."""
    if shapely.get_type_id(shape) in (3, 6):
        return shape
    parts = [part for part in shapely.get_parts(shape) if shapely.get_type_id(part) in (3, 6)]
    return shapely.union_all(parts) if parts else shapely.Polygon()


# -- the 180th meridian -----------------------------------------------------------------------------


def _unrolled(shape: shapely.Geometry) -> shapely.Geometry:
    """Bring a shape into -180 to 180 degrees, cut at the 180th meridian if it crosses it."""
    west, _, east, _ = shapely.bounds(shape)
    if shapely.is_empty(shape) or (west >= -180 and east <= 180 and east - west <= 180):
        return shape
    parts = []
    for polygon in shapely.get_parts(shape):
        rings = [_ring(ring) for ring in (polygon.exterior, *polygon.interiors)]
        outer = rings[0]
        # A hole belongs to the turn of the world in which its outer ring lies.
        middle = (outer[:, 0].min() + outer[:, 0].max()) / 2
        holes = [ring + [360 * np.round((middle - ring[:, 0].mean()) / 360), 0] for ring in rings[1:]]
        parts.append(_wrapped(shapely.make_valid(shapely.Polygon(outer, holes))))
    return shapely.union_all(parts)


def _ring(ring: shapely.LinearRing) -> npt.NDArray[np.float64]:
    """Follow a ring over the meridian: a jump of more than half the world is a crossing."""
    points: npt.NDArray[np.float64] = shapely.get_coordinates(ring)
    step = np.diff(points[:, 0])
    on_edge = np.isclose(np.abs(points[:, 0]), 180)
    # Along the pole a ring may go from -180 to 180 on purpose (Antarctica).
    jump = (np.abs(step) > 180) & ~(on_edge[1:] & on_edge[:-1])
    turns = np.where(jump, -np.round(step / 360), 0)
    if not jump.any() or turns.sum() != 0:  # it goes round a pole: nothing to unroll
        return points
    return np.column_stack([points[:, 0] + 360 * np.r_[0, np.cumsum(turns)], points[:, 1]])


def _wrapped(shape: shapely.Geometry) -> shapely.Geometry:
    west, _, east, _ = shapely.bounds(shape)
    if west >= -180 and east <= 180:
        return shape
    parts = []
    for turn in range(int(np.floor((west + 180) / 360)), int(np.floor((east + 180) / 360)) + 1):
        window = shapely.box(-180 + 360 * turn, -90, 180 + 360 * turn, 90)
        piece = shapely.intersection(shape, window)
        parts.append(shapely.transform(piece, lambda points, turn=turn: points - [360 * turn, 0]))  # type: ignore[misc]
    return shapely.union_all(parts)
