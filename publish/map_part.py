"""The map of a picture: its frame, the ground, names, the inset that says where in the world, the scale bar.

The inset stands in a corner where it covers no site; where no corner is free the map leaves it a strip. A word
such as SIMULATED is written large and pale across the map, so that no part of it can be cut out unmarked.

What surprised us: names of villages are wanted exactly where the sites lie; a name is therefore moved about its
village until it covers no mark and no other name.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import shapely
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Polygon, Rectangle
from matplotlib.patheffects import withStroke

from publish import between, marks
from publish.basemap import (
    Extent,
    Feature,
    Projection,
    around,
    countries,
    country_at,
    extent_of,
    feature_path,
    features,
    filled,
    ground,
    metres_across,
    middle_of,
    projection_for,
    round_length,
    something,
)
from publish.lettering import figure, fitted
from publish.page import Box, Page
from situation.messages import message
from situation.shapes import shapes_of
from situation.snapshot import Snapshot
from situation.topic import WORLD
from situation.topic import Box as Area
from situation.visible import one_line

Numbers = npt.NDArray[np.float64]

_SIMULATED = " (simulated)"  # stands on the picture already
_PLACES = ("village", "town", "city", "place", "yard")
_WATER = ("river", "lake", "stream", "canal")
_NAMED_FROM = 600.0  # metres to a point: from there on countries are large enough to bear a name
_LONGEST_NAME = 40
_CELL = 3.4  # of the body: half a square of many sites and more
#: Where a name may stand about its place, in widths and heights of its own, the best first.
_ABOUT = [(0, 0)] + [(x * far, y * far) for far in (1, 1.8, 2.6) for x, y in ((0, -1), (0, 1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1))]  # fmt: skip

#: A name, its place, and the country that it must stay in (degrees), if it must.
_Named = tuple[str, shapely.Point, shapely.Geometry | None]


@dataclass
class MapPart:
    """The map of one snapshot in one frame of a page."""

    shot: Snapshot
    page: Page
    frame: Box
    area: Area = field(init=False)
    projection: Projection = field(init=False)
    extent: Extent = field(init=False)
    corner: Box | None = field(init=False)

    def __post_init__(self) -> None:
        self.area = around(self._with_squares())
        self.projection = projection_for(self.area)
        self.extent, self.corner = self._view()

    def say(self, key: str, /, **values: object) -> str:
        """Say a message of pictures in the snapshot's language."""
        return message(f"publish.picture.{key}", self.shot.language, **values)

    @property
    def world(self) -> bool:
        """Whether the map shows the whole world, and needs no inset to say where that is."""
        return self.projection.kind == "eqearth"

    @property
    def _gathered(self) -> bool:
        return len(self.shot.sites) > marks.MOST_SINGLE

    @property
    def per_metre(self) -> float:
        """Points to a metre of the map."""
        return self.frame.wide / (self.extent[2] - self.extent[0])

    def draw(self, across: str = "") -> None:
        """Draw all of it; *across* is a word to be written over it."""
        page, extent = self.page, self.extent
        axes = page.axes("map", self.frame)
        axes.set_xlim(extent[0], extent[2])
        axes.set_ylim(extent[1], extent[3])
        self._ground(axes)
        between.draw(axes, self.shot.surface, self.projection)
        named = self._own_shapes(axes)
        if across:
            self._across(axes, across)
        marks.draw(axes, self.shot.sites, self.shot.topic, self.projection, extent, page, self.per_metre)
        self._names(axes, [*named, *self._country_names()])
        left, low, wide, high = page.bounds(self.frame)
        page.figure.add_artist(
            Rectangle((left, low), wide, high, facecolor="none", edgecolor=page.look.line, linewidth=0.7, zorder=4,
                      transform=page.points)
        )  # fmt: skip
        if self.corner is not None:
            self._locator(self.corner)

    # ---- what it shows ----

    def _with_squares(self) -> Area:
        """Give the snapshot's box with the squares of private places in it whole, unless somebody chose the box."""
        shot = self.shot
        hidden = shot.sites[shot.sites["position_rule"].ne("exact") & shot.sites["longitude"].notna()]
        if shot.view.bbox is not None or self._gathered or hidden.empty:
            return shot.box
        cells = marks.private_squares(hidden, shot.topic)
        west, south, east, north = shot.box
        lon, lat, across, up = (cells[name] for name in ("longitude", "latitude", "across", "up"))
        return (
            min(west, float((lon - across).min())),
            min(south, float((lat - up).min())),
            max(east, float((lon + across).max())),
            max(north, float((lat + up).max())),
        )

    def _view(self) -> tuple[Extent, Box | None]:
        """Choose the part of the world that the frame shows, and the corner in which the inset covers no site."""
        frame = self.frame
        rim = (
            _CELL * self.page.body
            if self._gathered
            else 1.6 * marks.radius_for(len(self.shot.sites), self.page.body)
        )
        wanted = extent_of(self.projection, self.area)
        extent = _framed(wanted, frame, rim)
        if self.world:
            return extent, None
        inset = self._inset()
        for at_end, at_bottom in ((True, True), (True, False), (False, True), (False, False)):
            corner = self._corner(inset, at_end=at_end, at_bottom=at_bottom)
            if not self._covers(extent, corner, 1.2 * rim):
                return extent, corner
        return self._beside_inset(wanted, inset, rim), self._corner(inset, at_end=True, at_bottom=True)

    def _inset(self) -> tuple[float, float]:
        """Give width and height of the inset, points: the world is twice as wide as high."""
        side = min(0.27 * self.frame.high, 0.27 * self.frame.wide, 12 * self.page.body)
        _, shown = surroundings(self.area)
        return (1.5 * side, 0.8 * side) if shown == WORLD else (1.25 * side, side)

    def _beside_inset(self, wanted: Extent, inset: tuple[float, float], rim: float) -> Extent:
        """Leave a strip for the inset, at the end or at the bottom: where the map loses less."""
        frame, wide, high = self.frame, inset[0] + self.page.body, inset[1] + self.page.body
        beside = _framed(wanted, replace(frame, end=frame.end - wide), rim)
        below = _framed(wanted, replace(frame, bottom=frame.bottom - high), rim)
        if (beside[3] - beside[1]) / frame.high <= (below[2] - below[0]) / frame.wide:
            more = wide * (beside[3] - beside[1]) / frame.high
            left, right = (more, 0.0) if self.page.right_to_left else (0.0, more)
            return beside[0] - left, beside[1], beside[2] + right, beside[3]
        return below[0], below[1] - high * (below[2] - below[0]) / frame.wide, below[2], below[3]

    def _corner(self, inset: tuple[float, float], *, at_end: bool, at_bottom: bool) -> Box:
        wide, high = inset
        gap, frame = 0.5 * self.page.body, self.frame
        start = frame.end - wide - gap if at_end else frame.start + gap
        top = frame.bottom - high - gap if at_bottom else frame.top + gap
        return Box(start, top, start + wide, top + high)

    def _places(self, extent: Extent) -> Numbers:
        """Give where sites stand, points of the page from its lower left corner."""
        sites = self.shot.sites
        lon, lat = (sites[name].to_numpy("float64") for name in ("longitude", "latitude"))
        x, y = self.projection.forward(lon[np.isfinite(lon)], lat[np.isfinite(lon)])
        left, low, _, _ = self.page.bounds(self.frame)
        scale = self.frame.wide / (extent[2] - extent[0])
        return np.column_stack([left + (x - extent[0]) * scale, low + (y - extent[1]) * scale])

    def _covers(self, extent: Extent, box: Box, rim: float) -> bool:
        return bool(_hits(self._places(extent), _inside_out(self.page.bounds(box)), rim).any())

    # ---- the ground ----

    def _ground(self, axes: Axes) -> None:
        look = self.page.look
        under = ground(self.projection, self.extent, 1 / self.per_metre)
        _paint(axes, look.ground if something(under.sea) else look.water)
        for path, face, edge, width, above in (
            (under.sea, look.water, "none", 0.0, 0.5),
            (under.land, look.land, "none", 0.0, 1.0),
            (under.lakes, look.water, "none", 0.0, 2.0),
            (under.rivers, "none", look.river, 0.45, 3.0),
            (under.coast, "none", look.river, 0.5, 4.0),
            (under.borders, "none", look.border, 0.55, 5.0),
            (under.graticule, "none", look.line, 0.4, 6.0),
        ):
            if something(path):
                axes.add_artist(
                    PathPatch(path, facecolor=face, edgecolor=edge, linewidth=width, zorder=above)
                )

    def _country_names(self) -> Iterator[_Named]:
        """Give the countries that are large enough on the map to hold their name, the largest first."""
        if self.per_metre > 1 / _NAMED_FROM:
            return
        face, size = self.page.face(), 0.95 * self.page.body
        parts = [
            (max(shapely.get_parts(one.shape), key=lambda p: float(p.area)), one.name) for one in countries()
        ]
        for part, name in sorted(parts, key=lambda pair: (-float(pair[0].area), pair[1])):
            at = part.representative_point()
            wide = (part.bounds[2] - part.bounds[0]) * 111_320 * math.cos(math.radians(at.y))
            if wide * self.per_metre > 1.15 * face.width(name) * size:
                yield name, at, part

    def _own_shapes(self, axes: Axes) -> list[_Named]:
        """Draw the topic's own shapes; gives the names of those that want one, with their places."""
        file = shapes_of(self.shot.topic.key, simulated=self.shot.simulated)
        found = features(file, file.stat().st_mtime) if file else ()
        for feature in found:
            self._own_shape(axes, feature)
        named = [(one_line(one.name.removesuffix(_SIMULATED)), one) for one in found if one.kind in _PLACES]
        return [(name[:_LONGEST_NAME], one.shape.representative_point(), None) for name, one in named if name]

    def _own_shape(self, axes: Axes, feature: Feature) -> None:
        look, body = self.page.look, self.page.body
        path, area = feature_path(self.projection, feature.shape)
        water = feature.kind in _WATER
        face = (look.water if water else look.built) if area else "none"
        edge = "none" if area else (look.river if water else look.border)
        width = (0.22 if water else 0.12) * body
        axes.add_artist(PathPatch(path, facecolor=face, edgecolor=edge, linewidth=width, zorder=7))

    # ---- names ----

    def _names(self, axes: Axes, named: Sequence[_Named]) -> None:
        """Write the names of places where they cover no mark, no other name and not the inset."""
        page, face, size = self.page, self.page.face(), 0.95 * self.page.body
        near = 0.5 * page.body  # a million sites are some ten thousand places that a name may not cover
        taken = np.unique(np.round(self._places(self.extent) / near), axis=0) * near
        boxes = [_inside_out(page.bounds(self.corner))] if self.corner else []
        for name, at, home in named:
            x, y = self.projection.forward(np.array([at.x]), np.array([at.y]))
            if not np.isfinite(x[0]):
                continue
            centre = self._on_page(float(x[0]), float(y[0]))
            wide, high = face.width(name) * size, 1.1 * size
            spot = self._free(centre, wide, high, taken, boxes)
            if spot is None or (home is not None and not self._within(home, spot)):
                continue
            boxes.append((spot[0] - wide / 2, spot[1] - high / 2, spot[0] + wide / 2, spot[1] + high / 2))
            axes.text(*self._on_map(*spot), face.directed(name), fontproperties=face.font(name, size),
                      color=page.look.ink, ha="center", va="center_baseline", parse_math=False, zorder=45,
                      path_effects=[withStroke(linewidth=0.28 * size, foreground=page.look.land)])  # fmt: skip

    def _free(self, centre: tuple[float, float], wide: float, high: float, taken: Numbers,
              boxes: Sequence[tuple[float, float, float, float]]) -> tuple[float, float] | None:  # fmt: skip
        """Find the spot nearest to a place where a name is inside the frame and covers nothing."""
        frame = _inside_out(self.page.bounds(self.frame))
        if not (frame[0] < centre[0] < frame[2] and frame[1] < centre[1] < frame[3]):
            return None
        body = self.page.body
        rim = 0.6 * _CELL * body if self._gathered else 1.3 * marks.radius_for(len(self.shot.sites), body)
        for across, up in _ABOUT:
            x, y = centre[0] + across * (0.5 * wide + rim), centre[1] + up * (0.5 * high + rim)
            box = (x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
            inside = (
                box[0] > frame[0] + 2
                and box[2] < frame[2] - 2
                and box[1] > frame[1] + 2
                and box[3] < frame[3] - 2
            )
            if inside and not _hits(taken, box, rim).any() and not any(_meet(box, other) for other in boxes):
                return x, y
        return None

    def _within(self, home: shapely.Geometry, spot: tuple[float, float]) -> bool:
        """Say whether a spot of the page lies in a country: its name in the sea or next door would mislead."""
        x, y = self._on_map(*spot)
        lon, lat = self.projection.back(np.array([x]), np.array([y]))
        return bool(shapely.contains_xy(home, lon, lat)[0])

    def _on_page(self, x: float, y: float) -> tuple[float, float]:
        left, low, _, _ = self.page.bounds(self.frame)
        return left + (x - self.extent[0]) * self.per_metre, low + (y - self.extent[1]) * self.per_metre

    def _on_map(self, x: float, y: float) -> tuple[float, float]:
        left, low, _, _ = self.page.bounds(self.frame)
        return self.extent[0] + (x - left) / self.per_metre, self.extent[1] + (y - low) / self.per_metre

    def _across(self, axes: Axes, word: str) -> None:
        page, frame = self.page, self.frame
        face = page.face(bold=True)
        word = one_line(word)
        size = min(0.14 * frame.high, 0.3 * frame.wide / max(face.width(word), 0.1))
        for row in range(3):
            for column in range(2):
                axes.text((column + 0.5) / 2, (row + 0.5) / 3, face.directed(word), transform=axes.transAxes,
                          fontproperties=face.font(word, size), color=page.look.ink, alpha=0.10, rotation=18,
                          ha="center", va="center", parse_math=False, zorder=9, clip_on=True)  # fmt: skip

    # ---- where in the world ----

    def _locator(self, box: Box) -> None:
        page, look = self.page, self.page.look
        page.panel("locator", box, face=look.ground, edge=look.soft, inside="map", above=6)
        name, shown = surroundings(self.area)
        label = 1.3 * page.body if name else 0.0
        inner = Box(box.start + 0.6, box.top + 0.6, box.end - 0.6, box.bottom - 0.6 - label)
        self._world(inner, shown)
        page.panel("locator", box, face=None, edge=look.soft, inside="map", above=9)
        if name:
            size = 0.86 * page.body
            found = fitted(name, box.wide - page.body, 1.2 * size * page.face().leading, size=size,
                           least=0.8 * page.least, face=page.face())  # fmt: skip
            page.lines("locator", found, (box.start + box.end) / 2, box.bottom - label - 0.05 * size, align="middle",
                       inside="map", above=8)  # fmt: skip

    def _world(self, inner: Box, shown: Area) -> None:
        page, look = self.page, self.page.look
        there = projection_for(shown)
        extent = filled(extent_of(there, shown), inner.wide, inner.high)
        left, low, wide, high = page.bounds(inner)
        axes = page.figure.add_axes(
            (left / page.wide, low / page.high, wide / page.wide, high / page.high), zorder=7
        )
        axes.set_axis_off()
        axes.set_xlim(extent[0], extent[2])
        axes.set_ylim(extent[1], extent[3])
        unit = (extent[2] - extent[0]) / inner.wide
        under = ground(there, extent, 2.5 * unit)
        _paint(axes, look.ground if something(under.sea) else look.water)
        for path, face, edge, width in (
            (under.sea, look.water, "none", 0.0),
            (under.land, look.inset_land, "none", 0.0),
            (under.lakes, look.water, "none", 0.0),
            (under.coast, "none", look.border, 0.35),
            (under.borders, "none", look.border, 0.35),
        ):
            if something(path):
                axes.add_artist(PathPatch(path, facecolor=face, edgecolor=edge, linewidth=width, zorder=1))
        self._here(axes, there, unit)

    def _here(self, axes: Axes, there: Projection, unit: float) -> None:
        """Mark the place of the map in the inset: as a frame, or as a dot where a frame would be too small."""
        look, body = self.page.look, self.page.body
        x0, y0, x1, y1 = extent_of(there, self.area)
        if max(x1 - x0, y1 - y0) < 0.7 * body * unit:
            axes.plot([(x0 + x1) / 2], [(y0 + y1) / 2], marker="o", markersize=0.62 * body, markerfacecolor=look.alarm,
                      markeredgecolor="#ffffff", markeredgewidth=0.8, zorder=5)  # fmt: skip
        else:
            axes.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, facecolor=f"{look.alarm}30", edgecolor=look.alarm,
                                     linewidth=1.1, zorder=5))  # fmt: skip

    # ---- scale, projection, north ----

    def strip(self, top: float) -> None:
        """Draw the scale bar, what the projection is, and an arrow where north is not up, below the frame."""
        page, frame, size = self.page, self.frame, 0.92 * self.page.body
        face = page.face()
        middle = top + 0.75 * page.body
        taken = self._scale(middle, size)
        end = frame.end
        if self.projection.kind == "laea" and abs(self.projection.latitude) < 89:
            end = self._north(middle, end)
        room = end - taken - page.body
        note = fitted(self._projection(), room, 1.3 * face.leading * size, size=0.94 * size, least=0.8 * page.least,
                      face=face)  # fmt: skip
        page.lines("projection", note, end, middle - 0.62 * note.size, colour=page.look.soft, align="end")

    def _scale(self, middle: float, size: float) -> float:
        page, look, frame = self.page, self.page.look, self.frame
        metres, length = self.bar()
        left, low, _, _ = page.bounds(
            Box(frame.start, middle - 0.22 * page.body, frame.start + length, middle + 0.22 * page.body)
        )
        for part in range(2):
            patch = Rectangle((left + part * length / 2, low), length / 2, 0.44 * page.body, linewidth=0.6,
                              facecolor=look.ink if part == 0 else look.ground, edgecolor=look.ink,
                              transform=page.points, zorder=5)  # fmt: skip
            page.figure.add_artist(patch)
            page.keep("scale", patch)
        text = (
            self.say("kilometres", n=figure(metres / 1000))
            if metres >= 1000
            else self.say("metres", n=figure(metres))
        )
        start = frame.start + length + 0.6 * page.body
        page.line("scale", text, start, middle + 0.36 * size, size, face=page.face(), colour=look.ink)
        return start + page.face().width(text) * size

    def bar(self) -> tuple[float, float]:
        """Give the length that the scale bar stands for (metres) and its length on the page (points)."""
        true, _ = metres_across(self.projection, self.extent)
        most = min(0.3 * self.frame.wide, 16 * self.page.body)
        metres = round_length(most / self.per_metre * true)
        return metres, metres / true * self.per_metre

    def _projection(self) -> str:
        _, latitude = metres_across(self.projection, self.extent)
        if self.projection.kind == "laea":
            place = f"{degrees(self.projection.latitude, 'NS')}, {degrees(self.projection.longitude, 'EW')}"
            return self.say("projection_laea", place=place)
        return self.say(f"projection_{self.projection.kind}", latitude=degrees(latitude, "NS"))

    def _north(self, middle: float, end: float) -> float:
        """Draw an arrow that points where north is in the middle of the map; gives where it begins."""
        page, look, high = self.page, self.page.look, 1.6 * self.page.body
        x, y = middle_of(self.projection, self.extent)
        lon, lat = self.projection.back(np.array([x]), np.array([y]))
        nx, ny = self.projection.forward(lon, lat + 0.05)
        turn = math.atan2(float(ny[0]) - y, float(nx[0]) - x) - math.pi / 2
        at = np.array([page.x(end - 0.5 * page.body), page.high - middle])
        arrow = high * np.array([(0.0, 0.5), (0.28, -0.5), (0.0, -0.25), (-0.28, -0.5)])
        spin = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
        patch = Polygon(arrow @ spin + at, closed=True, facecolor=look.ink, edgecolor="none", transform=page.points,
                        zorder=5)  # fmt: skip
        page.figure.add_artist(patch)
        page.keep("north", patch)
        word, face, size = self.say("north"), page.face(bold=True), 0.9 * page.body
        start = end - 1.6 * page.body
        page.line("north", word, start, middle + 0.36 * size, size, face=face, colour=look.ink, align="end")
        return start - (face.width(word) + 0.8) * size


def _framed(wanted: Extent, frame: Box, rim: float) -> Extent:
    """Fit an extent into a frame with a rim of points around it, so that no mark is cut by the frame."""
    inner = frame.inner(min(rim, 0.2 * frame.wide, 0.2 * frame.high))
    left, low, right, top = filled(wanted, inner.wide, inner.high)
    more = (inner.start - frame.start) * (right - left) / inner.wide
    return left - more, low - more, right + more, top + more


def _paint(axes: Axes, colour: str) -> None:
    axes.add_patch(Rectangle((0, 0), 1, 1, transform=axes.transAxes, facecolor=colour, zorder=0))


def _inside_out(bounds: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, low, wide, high = bounds
    return left, low, left + wide, low + high


def _hits(points: Numbers, box: tuple[float, float, float, float], rim: float) -> npt.NDArray[np.bool_]:
    left, low, right, top = box
    x, y = points[:, 0], points[:, 1]
    return (x > left - rim) & (x < right + rim) & (y > low - rim) & (y < top + rim)


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def surroundings(area: Area) -> tuple[str, Area]:
    """Give what the inset shows around a box (degrees): its country with its name, the region, or the world."""
    west, south, east, north = area
    lon, lat = (west + east) / 2, (south + north) / 2
    country = country_at(lon, lat)
    if country is not None:
        w, s, e, n = country.shape.bounds
        if east - west <= 0.5 * (e - w) and north - south <= 0.5 * (n - s):
            pad = max(0.12 * (e - w), 0.12 * (n - s), 3.0)
            return country.name, (
                max(w - pad, -180.0),
                max(s - pad, -90.0),
                min(e + pad, 180.0),
                min(n + pad, 90.0),
            )
    half = max(12.0, 2.0 * (east - west), 2.0 * (north - south))
    if half > 45 or abs(lat) > 75:
        return "", WORLD
    return "", (
        max(lon - half, -180.0),
        max(lat - half, -85.0),
        min(lon + half, 180.0),
        min(lat + half, 85.0),
    )


def degrees(value: float, letters: str) -> str:
    """Write a latitude or longitude in degrees, to a tenth.

    >>> degrees(-30.65, "NS"), degrees(48.0, "NS"), degrees(0.0, "NS")
    ('30.6° S', '48° N', '0°')
    """
    text = f"{abs(value):.1f}".removesuffix(".0")
    return f"{text}° {letters[0] if value >= 0 else letters[1]}" if text != "0" else "0°"
