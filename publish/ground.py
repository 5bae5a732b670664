"""What lies under the marks of a page that has no internet: land, water and the topic's own shapes, made small.

Everything is cut to some way around the picture, made simpler than a pixel of it can show, and written as whole
numbers of a fine grid, each as its distance from the one before; a coast of a thousand points then takes four
kilobytes.

What surprised us: numbers of degrees with five decimals make an outline three times as large as the sites that
stand on it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape

from publish.markup import plain
from situation.areas import outlines
from situation.settings import DATA
from situation.snapshot import Snapshot
from situation.topic import FOLDER, Box

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
_SIMULATED = " (simulated)"


@dataclass(frozen=True)
class Ground:
    """Shapes by kind, in the order in which they are drawn; names with their places; whom they come from."""

    shapes: tuple[tuple[str, Any], ...]
    names: tuple[tuple[float, float, str], ...]
    credit: str
    step: float  # degrees of the grid that shapes are written in

    def packed(self) -> dict[str, Any]:
        """Write it as ``web.js`` reads it: a step in degrees, lines of whole numbers, names."""
        return {
            "step": self.step,
            "ink": INK,
            "shapes": [
                [kind, [list(map(self._steps, part)) for part in parts]] for kind, parts in self._parts()
            ],
            "names": [[round(lon, 5), round(lat, 5), name] for lon, lat, name in self.names],
        }

    def _parts(self) -> Iterator[tuple[str, list[list[Any]]]]:
        for kind, found in self.shapes:
            whole = [one for one in shapely.get_parts([found]) if not one.is_empty]
            rings = [
                [one.exterior, *one.interiors] if one.geom_type == "Polygon" else [one]
                for one in whole
                if one.geom_type in ("Polygon", "LineString", "LinearRing")
            ]
            if rings:
                yield kind, rings

    def _steps(self, line: Any) -> list[int]:
        """Write a line as whole steps of the grid, each point as the way from the one before."""
        points = np.round(np.asarray(line.coords)[:, :2] / self.step).astype("int64")
        return np.diff(points, axis=0, prepend=0).ravel().tolist()  # type: ignore[no-any-return]


def ground(shot: Snapshot) -> Ground:
    """Give what lies under a picture."""
    return _ground(shot.box, _own(shot))


def _own(shot: Snapshot) -> Path | None:
    """Find the topic's rivers, roads and villages; those of the invented valley under invented readings."""
    candidates = [FOLDER / shot.topic.key / "places.geojson"]
    candidates += [DATA / "demo" / "valley.geojson"] if shot.simulated else []
    return next((file for file in candidates if file.is_file()), None)


@lru_cache(maxsize=32)
def _ground(box: Box, own: Path | None) -> Ground:
    west, south, east, north = box
    wide, high = max(east - west, 1e-4), max(north - south, 1e-4)
    window = shapely.box(
        west - _AROUND * wide, south - _AROUND * high, east + _AROUND * wide, north + _AROUND * high
    )
    step = max(wide, high) / _FINE
    shapes, names, credits = [("land", land) for land in _countries()], [], ["Natural Earth (public domain)"]
    if own is not None:
        said = json.loads(own.read_text("utf-8"))
        credits += [plain(said["attribution"])] if said.get("attribution") else []
        for feature in said["features"]:
            kind, where = str(feature["properties"].get("kind")), shape(feature["geometry"])
            name = plain(feature["properties"].get("name")).removesuffix(_SIMULATED)
            shapes += [(kind, where)] if kind in INK else []
            names += [(*_middle(where), name)] if kind in _NAMED and name and where.intersects(window) else []
    cut = [(kind, _small(where, window, step)) for kind, where in shapes]
    return Ground(tuple(pair for pair in cut if not pair[1].is_empty), tuple(names), "; ".join(credits), step)


def _middle(where: Any) -> tuple[float, float]:
    point = where.representative_point()
    return point.x, point.y


def _small(where: Any, window: Any, step: float) -> Any:
    if not where.intersects(window):
        return shapely.Polygon()
    return shapely.simplify(shapely.intersection(where, window), step)


@lru_cache(maxsize=1)
def _countries() -> tuple[Any, ...]:
    import geopandas as gpd

    return tuple(shapely.make_valid(gpd.read_file(outlines(), columns=[]).geometry.to_numpy()))
