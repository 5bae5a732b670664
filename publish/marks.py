"""The marks of sites on a picture: the map's own colours and shapes, the worst on top.

A site is a sign of its status; pale with a dot when its reading is old. Private places are drawn as the square
in which they lie, with the sign in its middle: the sign's own place means nothing. Above some five thousand
sites the map is divided into squares that show the worst status and the number of sites, as the map on the
pages does when it is seen from afar; a million sites are then some hundred squares.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D, IdentityTransform

from publish.basemap import Extent, Projection
from publish.lettering import face_of
from publish.page import Page
from situation.status import STYLE
from situation.topic import Topic

Numbers = npt.NDArray[np.float64]

#: So many sites are drawn one by one; more are gathered in squares.
MOST_SINGLE = 5_000
_PALE = 0.62  # of the way to white
_METRES_PER_DEGREE = 111_320.0  # as situation.privacy lays its cells
_WHITE = "#ffffff"
_ORDER = sorted(STYLE, key=lambda status: STYLE[status].order)


def _corners(radius: float, degrees: Sequence[float]) -> Path:
    angle = np.radians(np.array(degrees, "float64"))
    points = radius * np.column_stack([np.cos(angle), np.sin(angle)])
    return Path(np.vstack([points, points[:1]]), closed=True)


@cache
def shape(name: str) -> Path:
    """Give the outline of a shape about its middle, for a radius of 1."""
    shapes: dict[str, Callable[[], Path]] = {
        "triangle": lambda: _corners(1.2, (90, 210, 330)),
        "diamond": lambda: _corners(1.25, (0, 90, 180, 270)),
        "square": lambda: _corners(0.85 * math.sqrt(2), (45, 135, 225, 315)),
    }
    return shapes[name]() if name in shapes else Path.unit_circle()


@cache
def _question() -> Path:
    font: FontProperties = face_of("en", bold=True).font("?", 1.0)
    made = TextPath((0, 0), "?", size=1.75, prop=font)
    box = made.get_extents()
    return Affine2D().translate(-(box.x0 + box.x1) / 2, -(box.y0 + box.y1) / 2).transform_path(made)


def pale(colour: str, share: float = _PALE) -> str:
    """Mix a colour with white.

    >>> pale("#000000", 0.5)
    '#808080'
    """
    parts = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(part + (255 - part) * share):02x}" for part in parts)


@dataclass(frozen=True)
class Drawn:
    """One layer of a sign: its outline for a radius of 1, colours, and width of the edge in radii."""

    path: Path
    face: str
    edge: str
    width: float


def layers_of(status: str, *, stale: bool = False) -> tuple[Drawn, ...]:
    """Say what a sign is made of, from below to the top."""
    style = STYLE[status]
    outline = shape(style.shape)
    if style.shape == "question":
        colour = pale(style.colour, 0.5) if stale else style.colour
        return Drawn(outline, _WHITE, colour, 0.3), Drawn(_question(), colour, "none", 0.0)
    if not stale:
        return (Drawn(outline, style.colour, _WHITE, 0.16),)
    dot = Affine2D().scale(0.3).transform_path(Path.unit_circle())
    return Drawn(outline, pale(style.colour), style.colour, 0.16), Drawn(dot, style.colour, "none", 0.0)


def sign(
    status: str, *, stale: bool = False, square: bool = False
) -> Callable[[Page, float, float, float], None]:
    """Give what draws a sign in the legend, about a point of the page."""

    def draw(page: Page, x: float, y: float, size: float) -> None:
        radius = (0.34 if square else 0.46) * size
        place = Affine2D().scale(radius).translate(page.x(x), page.high - y) + page.points
        if square:
            patch = Affine2D().scale(1.75).transform_path(shape("square"))
            _patch(
                page, Drawn(patch, pale(STYLE[status].colour, 0.7), STYLE[status].colour, 0.2), place, radius
            )
        for layer in layers_of(status, stale=stale):
            _patch(page, layer, place, radius)

    return draw


def _patch(page: Page, layer: Drawn, place: Affine2D, radius: float) -> None:
    patch = PathPatch(layer.path, facecolor=layer.face, edgecolor=layer.edge, linewidth=layer.width * radius,
                      transform=place, zorder=5)  # fmt: skip
    page.figure.add_artist(patch)
    page.keep("legend", patch)


# ---- on the map ---------------------------------------------------------------------------------


def radius_for(sites: int, body: float) -> float:
    """Give the radius of a sign, points: the more sites, the smaller, down to what is still told apart."""
    return float(body * min(0.66, max(0.34, 0.66 * (60 / max(sites, 1)) ** 0.17)))


def draw(axes: Axes, sites: pd.DataFrame, topic: Topic, projection: Projection, extent: Extent, page: Page,
         points_per_metre: float) -> bool:  # fmt: skip
    """Draw the sites; says whether they were gathered in squares.

    Parameters
    ----------
    axes : Axes
        In map metres.
    sites : DataFrame
        ``longitude``, ``latitude`` (degrees), ``status``, ``freshness``, ``position_rule``.
    topic : Topic
        Says how wide the squares of private places are.
    projection, extent : Projection, Extent
        Of the map.
    page : Page
        Whose sizes and fonts.
    points_per_metre : float
        Of the map.
    """
    there = sites[np.isfinite(sites["longitude"].to_numpy("float64"))]
    order = _orders(there)
    x, y = projection.forward(there["longitude"].to_numpy("float64"), there["latitude"].to_numpy("float64"))
    stale = there["freshness"].eq("stale").to_numpy("bool")
    if len(there) > MOST_SINGLE:
        _gathered(axes, x, y, order, stale, extent, page, points_per_metre)
        return True
    hidden = there["position_rule"].ne("exact").to_numpy("bool")
    radius = radius_for(len(there), page.body)
    if hidden.any():
        _private(axes, there[hidden], topic, projection, radius, page, points_per_metre)
    _signs(axes, x[~hidden], y[~hidden], order[~hidden], stale[~hidden], radius, above=20)
    return False


def _signs(axes: Axes, x: Numbers, y: Numbers, order: npt.NDArray[np.int64], stale: npt.NDArray[np.bool_],
           radius: float, above: float) -> None:  # fmt: skip
    for place, status in enumerate(_ORDER):
        for old in (True, False):
            mine = (order == place) & (stale == old)
            if not mine.any():
                continue
            level = above + 2 * (len(_ORDER) - place) + (0 if old else 1)
            for number, layer in enumerate(layers_of(status, stale=old)):
                axes.add_collection(
                    PathCollection(
                        [layer.path],
                        sizes=[radius**2],
                        offsets=np.column_stack([x[mine], y[mine]]),
                        offset_transform=axes.transData,
                        transform=IdentityTransform(),
                        facecolors=[layer.face],
                        edgecolors=[layer.edge],
                        linewidths=[layer.width * radius],
                        zorder=level + 0.1 * number,
                    ),
                    autolim=False,
                )


def private_squares(sites: pd.DataFrame, topic: Topic) -> pd.DataFrame:
    """Give the squares in which private places lie, the largest first and of these the worst last.

    Parameters
    ----------
    sites : DataFrame
        Those that are not shown exactly: ``longitude``, ``latitude`` (the middle of the square, degrees),
        ``status``, ``freshness``, ``position_rule``.
    topic : Topic
        Says how wide the squares are (metres).

    Returns
    -------
    DataFrame
        ``longitude``, ``latitude``, ``across`` and ``up`` (half the square, degrees), ``order`` of the worst
        status, ``stale`` if no current reading says so, ``n`` sites.
    """
    width = np.where(sites["position_rule"].eq("area"), topic.area_m, topic.grid_m)
    cells = sites[["longitude", "latitude"]].assign(
        width=width,
        rank=2 * _orders(sites) + sites["freshness"].eq("stale").to_numpy("int64"),
    )
    groups = cells.groupby(["width", "longitude", "latitude"], sort=True)["rank"]
    found = groups.agg(rank="min", n="size").reset_index()
    found = found.sort_values(["width", "rank"], ascending=False, kind="stable", ignore_index=True)
    up = found["width"] / _METRES_PER_DEGREE / 2
    across = up / np.maximum(np.cos(np.radians(found["latitude"])), 0.01)
    return found.assign(across=across, up=up, order=found["rank"] // 2, stale=found["rank"] % 2 == 1)


def _orders(sites: pd.DataFrame) -> npt.NDArray[np.int64]:
    severity = sites["status"].map({status: STYLE[status].order for status in STYLE})
    return np.asarray(severity, "int64")


def _private(axes: Axes, sites: pd.DataFrame, topic: Topic, projection: Projection, radius: float, page: Page,
             points_per_metre: float) -> None:  # fmt: skip
    """Draw the squares of private places, each with the sign of the worst and their number."""
    cells = private_squares(sites, topic)
    lon, lat = (cells[name].to_numpy("float64") for name in ("longitude", "latitude"))
    across, up = (cells[name].to_numpy("float64") for name in ("across", "up"))
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    ring = [projection.forward(lon + i * across, lat + j * up) for i, j in corners]
    squares = np.stack([np.column_stack(corner) for corner in ring], axis=1)
    middle = squares.mean(axis=1)
    # A square that would be smaller than its sign is drawn as large as the sign.
    wide = np.ptp(squares[:, :, 0], axis=1) * points_per_metre
    grown = np.maximum(1.0, 2.5 * radius / wide)
    squares = middle[:, None, :] + (squares - middle[:, None, :]) * grown[:, None, None]
    colours = [STYLE[_ORDER[place]].colour for place in cells["order"]]
    axes.add_collection(
        PolyCollection(list(squares), facecolors=[f"{colour}30" for colour in colours], edgecolors=colours,
                       linewidths=0.13 * radius, zorder=14),
        autolim=False,
    )  # fmt: skip
    order, stale = cells["order"].to_numpy("int64"), cells["stale"].to_numpy("bool")
    _signs(axes, middle[:, 0], middle[:, 1], order, stale, 0.72 * radius, above=15)
    size = 0.85 * page.least
    for place, n, room in zip(middle, cells["n"], wide, strict=True):
        if n > 1 and room > 2 * (radius + size):
            below = (0.95 * radius + 0.8 * size) / points_per_metre
            _number(axes, page, int(n), float(place[0]), float(place[1]) - below, size)


def _gathered(axes: Axes, x: Numbers, y: Numbers, order: npt.NDArray[np.int64], stale: npt.NDArray[np.bool_],
              extent: Extent, page: Page, points_per_metre: float) -> None:  # fmt: skip
    """Divide the map into squares: the worst status in each (pale if all of that status are old), and how many."""
    left, low, right, top = extent
    side = 3.4 * page.body / points_per_metre
    columns = int((right - left) / side) + 1
    inside = (x >= left) & (x <= right) & (y >= low) & (y <= top)
    across, up = ((part[inside] - start) // side for part, start in ((x, left), (y, low)))
    cell = (up * columns + across).astype("int64")
    order = order[inside]
    # The worst of a cell, and whether a current reading says so, in one number.
    rank = order * 2 + stale[inside]
    found, where, n = np.unique(cell, return_inverse=True, return_counts=True)
    worst = np.full(len(found), 99)
    np.minimum.at(worst, where, rank)
    middle_x, middle_y = left + (found % columns + 0.5) * side, low + (found // columns + 0.5) * side
    half = 0.47 * side
    squares = [
        [(cx - half, cy - half), (cx + half, cy - half), (cx + half, cy + half), (cx - half, cy + half)]
        for cx, cy in zip(middle_x, middle_y, strict=True)
    ]
    colours = [STYLE[_ORDER[int(one) // 2]].colour for one in worst]
    axes.add_collection(
        PolyCollection(squares, facecolors=[f"{pale(colour, 0.75)}d8" for colour in colours], edgecolors=colours,
                       linewidths=0.08 * page.body, zorder=14),
        autolim=False,
    )  # fmt: skip
    _signs(axes, middle_x, middle_y + 0.17 * side, worst // 2, worst % 2 == 1, 0.62 * page.body, above=15)
    for count, cx, cy in zip(n, middle_x, middle_y, strict=True):
        _number(axes, page, int(count), float(cx), float(cy - 0.4 * side), 0.95 * page.least)


def _number(axes: Axes, page: Page, n: int, x: float, y: float, size: float) -> None:
    text = short(n)
    axes.text(x, y, text, fontproperties=face_of("en").font(text, size), color=page.look.ink, ha="center",
              va="baseline", parse_math=False, zorder=40)  # fmt: skip


def short(n: int) -> str:
    """Write a number in four signs at most.

    >>> short(87), short(1234), short(45_600), short(1_000_000)
    ('87', '1.2k', '46k', '1M')
    """
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if n >= unit:
            many = n / unit
            return f"{many:.1f}".removesuffix(".0") + letter if many < 9.95 else f"{many:.0f}{letter}"
    return str(n)
