"""What lies under the marks of a page that has no internet: land, water and the topic's own shapes, made small.

Everything is cut to some way around the picture, made simpler than a pixel of it can show, and written as whole
numbers of a fine grid, each as its distance from the one before; a coast of a thousand points then takes four
kilobytes.

What surprised us: numbers of degrees with five decimals make an outline three times as large as the sites that
stand on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from publish import basemap
from situation.shapes import shapes_of
from situation.snapshot import Snapshot
from situation.topic import Box
from situation.visible import one_line

#: How each kind is drawn: filled, or as a line of a width in pixels; what is named, by its name.
INK: dict[str, dict[str, Any]] = {
    "land": {"fillColor": "#fbfaf6", "color": "#8a97a3", "weight": 0.8, "fillOpacity": 1},
    "lake": {"fillColor": "#b9d7ea", "color": "#7fb2d4", "weight": 1, "fillOpacity": 1},
    "village": {"fillColor": "#e9e2d4", "color": "#c9bfae", "weight": 1, "fillOpacity": 1},
    "yard": {"fillColor": "#e3cfb4", "color": "#b89b7a", "weight": 1, "fillOpacity": 1},
    "border": {"color": "#8a97a3", "weight": 1, "fill": False, "dashArray": "4 3"},
    "river": {"color": "#7fb2d4", "weight": 2.5, "fill": False},
    "road": {"color": "#b9b2a5", "weight": 1.5, "fill": False},
}
_NAMED = frozenset({"village", "yard", "town", "place"})
_AROUND = 1.0  # of the picture's width and height, on every side
_FINE = 2_000  # steps of the grid to the picture's width
_PIXELS = 1_000  # that the picture is wide at first
_MOST_POINTS = 9_000  # some 50 kB
_METRES = 111_320.0  # in a degree of latitude
_SIMULATED = " (simulated)"
#: The basemap's paths in degrees, as they are: Leaflet does the projecting.
_DEGREES = basemap.Projection("mercator", 0.0, 0.0, "+proj=longlat +datum=WGS84")


@dataclass(frozen=True)
class Ground:
    """What lies under a page's map.

    Attributes
    ----------
    shapes : tuple of (kind, lines)
        In the order in which they are drawn; lines are geometries in degrees.
    names : tuple of (longitude, latitude, name)
        Of places.
    credit : str
        Whom it comes from.
    step : float
        Degrees of the grid that the lines are written in.
    """

    shapes: tuple[tuple[str, tuple[Any, ...]], ...]
    names: tuple[tuple[float, float, str], ...]
    credit: str
    step: float

    def packed(self) -> dict[str, Any]:
        """Write it as ``web.js`` reads it: whole steps, each point as the way from the one before."""
        return {
            "step": self.step,
            "ink": INK,
            "shapes": [[kind, [self._steps(line) for line in lines]] for kind, lines in self.shapes],
            "names": [[round(lon, 5), round(lat, 5), name] for lon, lat, name in self.names],
        }

    def _steps(self, line: Any) -> list[int]:
        points = np.round(np.asarray(line.coords)[:, :2] / self.step).astype("int64")
        return np.diff(points, axis=0, prepend=0).ravel().tolist()  # type: ignore[no-any-return]


def ground(shot: Snapshot) -> Ground:
    """Give what lies under a picture."""
    own = shapes_of(shot.topic.key, simulated=shot.simulated)
    return _ground(basemap.around(shot.box), (own, own.stat().st_mtime) if own else None)


@lru_cache(maxsize=32)
def _ground(box: Box, own: tuple[Path, float] | None) -> Ground:
    west, south, east, north = box
    wide, high = east - west, north - south
    window = (
        max(-180.0, west - _AROUND * wide),
        max(-90.0, south - _AROUND * high),
        min(180.0, east + _AROUND * wide),
        min(90.0, north + _AROUND * high),
    )
    features = basemap.features(*own) if own else ()
    found = [*_earth(window, max(wide, high)), *_features(features, window)]
    step = max(wide, high) / _FINE
    while True:
        shapes = tuple((kind, tuple(_small(lines, step))) for kind, lines in found)
        if sum(len(line.coords) for _, lines in shapes for line in lines) <= _MOST_POINTS:
            break
        step *= 2
    return Ground(
        tuple(pair for pair in shapes if pair[1]), tuple(_names(features, window)), basemap.CREDIT, step
    )


def _earth(window: Box, across: float) -> Iterator[tuple[str, list[Any]]]:
    """Give land, water and borders inside a window, in degrees."""
    under = basemap.ground(_DEGREES, window, across * _METRES / _PIXELS)
    for kind, path in (
        ("land", under.land),
        ("lake", under.lakes),
        ("river", under.rivers),
        ("border", under.borders),
    ):
        pieces = path.to_polygons(closed_only=kind in ("land", "lake"))
        yield kind, [shapely.LineString(piece) for piece in pieces if np.size(piece) > 2]


def _features(features: tuple[basemap.Feature, ...], window: Box) -> Iterator[tuple[str, list[Any]]]:
    for one in features:
        if one.kind in INK:
            yield one.kind, list(_lines(shapely.clip_by_rect(one.shape, *window)))


def _lines(shape: Any) -> Iterator[Any]:
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            yield part.exterior
        elif part.geom_type in ("LineString", "LinearRing"):
            yield part


def _small(lines: list[Any], step: float) -> Iterator[Any]:
    """Make lines as simple as the grid shows them, and leave out what is smaller than a few steps of it."""
    for line in lines:
        west, south, east, north = line.bounds
        if max(east - west, north - south) > 2 * step:
            yield shapely.simplify(line, step)


def _names(features: tuple[basemap.Feature, ...], window: Box) -> Iterator[tuple[float, float, str]]:
    seen = shapely.box(*window)
    for one in features:
        name = one_line(one.name).removesuffix(_SIMULATED)
        if one.kind in _NAMED and name and one.shape.intersects(seen):
            point = one.shape.representative_point()
            yield point.x, point.y, name
