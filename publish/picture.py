"""The picture of a snapshot, as PNG, SVG or PDF: a map that says by itself what it shows and what it does not.

Everything that a reader needs to check it stands on it, because a picture is passed on without the page it came
from: title and sentence, legend with counts, limit and its source, date with zone, what was not verified, whose
readings they are, under which licence, and how to get the same again. It is laid out by :mod:`publish.page` for
each size: wide ones with a column beside the map, tall ones with two below it.

The same snapshot in the same size gives the same bytes, as long as matplotlib is the same. Letters are drawn as
shapes in SVG, so that no reader needs the fonts and Arabic and Hindi look alike everywhere; its text stands in the
metadata. PDF embeds the fonts.

What surprised us: a mark such as SIMULATED beside the map is cut off with the first crop; it therefore stands over
the map and again within it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import segno
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.patches import PathPatch, Rectangle

from publish import Options, marks
from publish.basemap import (
    CREDIT,
    CREDIT_NAMES,
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
)
from publish.citation import reproduce
from publish.lettering import ELLIPSIS, clean, fitted, wrapped
from publish.page import LOOKS, Block, Box, Look, Page, column_high, drawing
from publish.sizes import size_named
from situation.messages import message, translated
from situation.shapes import shapes_of
from situation.snapshot import Snapshot
from situation.status import STYLE

_SIDE, _LEAST_SIDE = 0.31, 0.27  # of the width: the column beside the map
_TALL = 1.15  # a page that is not that much wider than high has its columns below the map
_HEADER, _FOOTER = 0.235, 0.185  # of the height, at most
_MOST_SOURCES = 12
_SIMULATED = " (simulated)"
_VILLAGES = ("village", "town", "place", "city")


def write(shot: Snapshot, path: Path, options: Options) -> None:
    """Draw a snapshot into a PNG, SVG or PDF file; its ending chooses.

    Raises
    ------
    ChoiceError
        If there is no such size.
    """
    with drawing():
        page = laid_out(shot, options.size, options.look)
        page.save(path, title=shot.title, about=shot.said.text, source=shot.permalink or reproduce(shot))


def laid_out(shot: Snapshot, size: str = "850x600", look: str = "light") -> Page:
    """Lay a snapshot out on a page that is ready to be saved or asked for its parts."""
    with drawing():
        page = Page(size_named(size), LOOKS[look], shot.language)
        _Sheet(shot, page).lay()
        return page


@dataclass
class _Sheet:
    """One snapshot on one page."""

    shot: Snapshot
    page: Page

    def say(self, key: str, /, **values: object) -> str:
        """Say a message of pictures in the snapshot's language."""
        return message(f"publish.picture.{key}", self.shot.language, **values)

    # ---- the plan of the page ----

    def lay(self) -> None:
        page = self.page
        rim = 1.7 * page.body
        whole = Box(rim, 1.35 * page.body, page.wide - rim, page.high - 1.2 * page.body)
        top = self._header(whole)
        bottom = self._footer(whole) - 0.9 * page.body
        middle = Box(whole.start, top + 0.9 * page.body, whole.end, bottom)
        if page.wide / page.high >= _TALL:
            self._beside(middle)
        else:
            self._below(middle)

    def _beside(self, box: Box) -> None:
        page, gap = self.page, 1.5 * self.page.body
        wide = _SIDE * page.wide
        blocks = [*self._legend(), *self._facts()]
        self._map(Box(box.start, box.top, box.end - wide - gap, box.bottom))
        page.column(blocks, Box(box.end - wide, box.top, box.end, box.bottom), page.body)

    def _below(self, box: Box) -> None:
        page, gap = self.page, 2.0 * self.page.body
        wide = (box.wide - gap) / 2
        columns = (self._legend(), self._facts())
        room = 0.46 * box.high
        high = max(column_high(page.measured(blocks, wide, room, 1.08 * page.body)) for blocks in columns)
        top = box.bottom - min(high, room)
        self._map(Box(box.start, box.top, box.end, top - 1.2 * page.body))
        for number, blocks in enumerate(columns):
            start = box.start + number * (wide + gap)
            page.column(blocks, Box(start, top, start + wide, box.bottom), 1.08 * page.body)

    # ---- words above ----

    def _header(self, whole: Box) -> float:
        page, shot = self.page, self.shot
        most = whole.top + _HEADER * page.high
        title = Box(whole.start, whole.top, whole.end, whole.top + 0.105 * page.high)
        y = page.text("title", shot.title, title, size=2.05 * page.body, least=1.3 * page.body, bold=True)
        y += 0.3 * page.body
        face = page.face()
        lead = clean(shot.said.lead)
        found = fitted(
            lead,
            whole.wide,
            4.2 * page.body * face.leading,
            size=1.22 * page.body,
            least=page.least,
            face=face,
        )
        if found.shortened:  # never within the sentence: rather more lines of small type
            found = wrapped(lead, whole.wide, page.least, face)
        y = page.lines("sentence", found, whole.start, y)
        said = ""
        for sentence in shot.said.sentences[1:]:
            longer = f"{said} {clean(sentence)}".strip()
            if y + wrapped(longer, whole.wide, 0.98 * page.body, face).high > most:
                break
            said = longer
        if said:
            rest = wrapped(said, whole.wide, 0.98 * page.body, face)
            y = page.lines("more", rest, whole.start, y + 0.15 * page.body, colour=page.look.soft)
        return y

    # ---- words below ----

    def _footer(self, whole: Box) -> float:
        page, shot = self.page, self.shot
        size = 0.9 * page.body
        code = self._code() if shot.permalink else None
        side = len(code) * self._module(len(code)) if code else 0.0
        wide = whole.wide - (side + 1.2 * page.body if code else 0.0)
        most = _FOOTER * page.high
        blocks = self._provenance(wide, size)
        laid = page.measured(blocks, wide, most, size, least=0.92 * page.least)
        high = max(column_high(laid), side)
        top = whole.bottom - high
        page.rule(whole.start, whole.end, top - 0.6 * page.body)
        page.column(
            blocks, Box(whole.start, top, whole.start + wide, whole.bottom), size, least=0.92 * page.least
        )
        if code:
            self._draw_code(code, whole.end - side, top, side)
        return top - 0.6 * page.body

    def _provenance(self, wide: float, size: float) -> list[Block]:
        shot, soft = self.shot, self.page.look.soft
        stands = [self.say("producer", name=clean(shot.topic.producer))] if clean(shot.topic.producer) else []
        stands += (
            [self.say("contact", contact=clean(shot.topic.contact))] if clean(shot.topic.contact) else []
        )
        same = self.say("link", link=shot.permalink) if shot.permalink else reproduce(shot)
        credits = f"{CREDIT}; {CREDIT_NAMES}"
        return [
            Block("sources", self._sources(wide, size), squeezed=1),
            Block("producer", " · ".join(stands) or clean(shot.topic.title), gap=0.15, squeezed=1),
            Block("link", same, gap=0.15, squeezed=2),
            Block("credit", self.say("basemap", sources=credits), colour=soft, gap=0.15, squeezed=1),
        ]

    def _sources(self, wide: float, size: float) -> str:
        """Name whose readings they are, with licences; as many as three lines hold, and how many more."""
        names = list(
            dict.fromkeys(
                self.say(
                    "source",
                    name=_short(clean(origin.attribution) or clean(origin.source)),
                    licence=_short(clean(origin.licence))
                    if clean(origin.licence) not in ("", "unknown")
                    else self.say("no_licence"),
                )
                for origin in self.shot.origins
            )
        )
        face = self.page.face()
        for kept in range(min(len(names), _MOST_SOURCES), 0, -1):
            more = [self.say("more", n=len(names) - kept)] if kept < len(names) else []
            text = self.say("sources", list=", ".join(names[:kept] + more))
            if len(wrapped(text, wide, size, face).lines) <= 3:
                return text
        return self.say(
            "sources",
            list=", ".join([*names[:1], *([self.say("more", n=len(names) - 1)] if names[1:] else [])]) or "–",
        )

    def _code(self) -> list[list[bool]]:
        made = segno.make(str(self.shot.permalink), error="m", micro=False)
        return [[bool(dark) for dark in row] for row in made.matrix_iter(border=2)]

    def _module(self, modules: int) -> float:
        """Give the width of one square of the code, points: whole pixels, and 0.4 mm or more on paper."""
        pixel = 72 / self.page.size.dpi
        return max(1, round(max(6.4 * self.page.body / modules, 1.15) / pixel)) * pixel

    def _draw_code(self, code: list[list[bool]], start: float, top: float, side: float) -> None:
        page, unit = self.page, self._module(len(code))
        box = Box(start, top, start + side, top + side)
        page.panel("code", box, face="#ffffff", above=2)
        left, low, _, _ = page.bounds(box)
        squares = [
            Rectangle((left + column * unit, low + (len(code) - 1 - row) * unit), unit, unit)
            for row, line in enumerate(code)
            for column, dark in enumerate(line)
            if dark
        ]
        drawn = PatchCollection(squares, facecolor="#000000", edgecolor="none", antialiased=False, zorder=3,
                                transform=page.points)  # fmt: skip
        page.figure.add_artist(drawn)

    # ---- the legend ----

    def _legend(self) -> list[Block]:
        shot, page = self.shot, self.page
        counts = {status: (words, n) for status, words, n in shot.by_status}
        wanted = [
            status
            for status, (_, n) in counts.items()
            if n
            or (
                shot.limit
                and status not in ("no limit", *(["near"] if shot.comparison == "detected" else []))
            )
        ]
        if not wanted:
            wanted = ["no limit"]
        title = f"{shot.observed_property.title}. {self.say('legend')}"
        blocks = [Block("legend", title, bold=True, most=3, squeezed=2)]
        for status in wanted:
            words, n = counts[status]
            text = translated(words, shot.language)
            blocks.append(
                Block("legend", text, gap=0.22, count=_figure(n), sign=marks.sign(status), most=2, squeezed=1)
            )
        made = shot.counts
        first = wanted[0]
        if made.stale:
            text = self.say("stale_key", days=shot.topic.stale_days)
            blocks.append(Block("legend", text, 0.92, gap=0.3, count=_figure(made.stale), colour=page.look.soft,
                                sign=marks.sign("above" if "above" in wanted else first, stale=True), most=3, squeezed=2))  # fmt: skip
        gathered = len(shot.sites) > marks.MOST_SINGLE
        if shot.hidden and not gathered:
            blocks.append(Block("legend", self.say("hidden_key"), 0.92, gap=0.22, count=_figure(shot.hidden),
                                colour=page.look.soft, sign=marks.sign("below", square=True), most=3, squeezed=2))  # fmt: skip
        if gathered:
            blocks.append(Block("legend", self.say("many_key"), 0.92, gap=0.22, colour=page.look.soft,
                                sign=marks.sign("above", square=True), most=3, squeezed=2))  # fmt: skip
        return blocks

    # ---- what it rests on ----

    def _facts(self) -> list[Block]:
        nothing = not len(self.shot.sites)
        return [
            Block("no-data", self.say("no_sites" if nothing else "no_data"), bold=True, colour=self.page.look.alarm,
                  gap=0.6, most=4, squeezed=3),
            *self._limit(),
            *self._time(),
            Block("counts", self.say("counts"), 0.9, bold=True, colour=self.page.look.soft, gap=0.6, most=1),
            Block("counts", self._counts(), most=6, squeezed=4),
        ]  # fmt: skip

    def _limit(self) -> Iterator[Block]:
        shot = self.shot
        yield Block("limit", self.say("limit"), 0.9, bold=True, colour=self.page.look.soft, gap=0.6, most=1)
        if shot.limit is None or shot.standard is None:
            yield Block("limit", self.say("limit_none"), most=2)
            return
        text = f"{clean(shot.limit.text())} · {clean(shot.standard.title)}"
        yield Block("limit", text, most=5, squeezed=2)
        if clean(shot.limit.reference):
            yield Block("limit", clean(shot.limit.reference), 0.9, most=5, squeezed=1)
        by = clean(shot.limit.verified_by)
        checked = (
            (self.say("checked_by", text=by) if by else self.say("checked"))
            if shot.limit.verified
            else self.say("unchecked")
        )
        yield Block("limit", checked, 0.9, most=4, squeezed=1)

    def _time(self) -> Iterator[Block]:
        shot, soft = self.shot, self.page.look.soft
        yield Block("as-of", self.say("as_of"), 0.9, bold=True, colour=soft, gap=0.6, most=1)
        told = f"{moment(shot)} · {self.say('version', version=shot.version)}"
        yield Block("as-of", told, most=3, squeezed=2)
        yield Block("period", self.say("period"), 0.9, bold=True, colour=soft, gap=0.6, most=1)
        text = self._period()
        if shot.view.review == "all":
            text = f"{text}. {self.say('all_reviews')}"
        yield Block("period", text, most=3, squeezed=2)

    def _period(self) -> str:
        period = self.shot.view.period
        first, slash, last = period.partition("/")
        if period == "all":
            return self.say("period_all")
        if not slash:
            return self.say("period_years", n=int(period.removesuffix("y")))
        if first and last:
            return self.say("period_between", first=first, last=last)
        return self.say("period_from", day=first) if first else self.say("period_until", day=last)

    def _counts(self) -> str:
        shot, made = self.shot, self.shot.counts
        told = [("sites", made.sites), ("readings", shot.readings_behind), ("unverified", shot.unverified),
                ("inconclusive", made.inconclusive), ("stale", made.stale)]  # fmt: skip
        told += [("hidden", shot.hidden)] if shot.hidden else []
        return " · ".join(self._counted(key, n) for key, n in told)

    def _counted(self, key: str, n: int) -> str:
        # A message chooses its singular by the number itself, so the number is put in afterwards.
        return self.say(key, n=n).replace(str(n), _figure(n), 1)

    # ---- the map ----

    def _map(self, box: Box) -> None:
        page, shot = self.page, self.shot
        bands = self._bands()
        for key, text, colour in bands:
            box = self._band(key, text, colour, box)
        strip = 1.9 * page.body
        frame = Box(box.start, box.top, box.end, box.bottom - strip)
        area = around(shot.box)
        projection = projection_for(area)
        inset = self._inset(frame)
        extent, corner = self._view_of(frame, projection, area, inset)
        axes = page.axes("map", frame)
        axes.set_xlim(extent[0], extent[2])
        axes.set_ylim(extent[1], extent[3])
        per_metre = frame.wide / (extent[2] - extent[0])
        self._ground(axes, projection, extent, 1 / per_metre)
        self._own_shapes(axes, projection, extent)
        if bands:
            self._across(axes, bands[0][1].partition(":")[0], frame)
        marks.draw(axes, shot.sites, shot.topic, projection, extent, page, per_metre)
        self._frame(frame)
        self._locator(self._corner(frame, inset, corner), area, projection)
        self._strip(frame, projection, extent, per_metre)

    def _bands(self) -> list[tuple[str, str, str]]:
        """Say what must be read before the map is: key of the part, text, colour."""
        shot, look = self.shot, self.page.look
        changed = shot.changed
        lost = changed.withdrawn + changed.corrected + changed.rejected + changed.erased
        told = [
            ("mark-simulated", self.say("simulated"), look.alarm, shot.simulated),
            ("mark-unaccepted", self.say("unaccepted"), look.alarm, shot.unaccepted),
            ("mark-changed", self.say("changed", n=lost), look.notice, changed.matters),
        ]
        return [(key, text, colour) for key, text, colour, there in told if there]

    def _band(self, key: str, text: str, colour: str, box: Box) -> Box:
        page = self.page
        face = page.face(bold=True)
        found = fitted(clean(text), box.wide - 1.4 * page.body, 3.0 * page.body, size=1.2 * page.body,
                       least=page.least, face=face)  # fmt: skip
        high = found.high + 0.5 * page.body
        page.panel(key, Box(box.start, box.top, box.end, box.top + high), face=colour, above=3)
        page.lines(
            key,
            found,
            (box.start + box.end) / 2,
            box.top + 0.25 * page.body,
            colour="#ffffff",
            align="middle",
        )
        return Box(box.start, box.top + high + 0.35 * page.body, box.end, box.bottom)

    def _across(self, axes: Axes, word: str, frame: Box) -> None:
        """Write a word large and pale across the map, so that no part of it can be cut out unmarked."""
        page = self.page
        face = page.face(bold=True)
        word = clean(word)
        size = min(0.14 * frame.high, 0.3 * frame.wide / max(face.width(word), 0.1))
        for row in range(3):
            for column in range(2):
                axes.text((column + 0.5) / 2, (row + 0.5) / 3, face.directed(word), transform=axes.transAxes,
                          fontproperties=face.font(word, size), color=page.look.ink, alpha=0.10, rotation=18, ha="center",
                          va="center", parse_math=False, zorder=9, clip_on=True)  # fmt: skip

    def _inset(self, frame: Box) -> tuple[float, float]:
        side = min(0.27 * frame.high, 0.27 * frame.wide, 12 * self.page.body)
        return 1.25 * side, side

    def _corner(self, frame: Box, inset: tuple[float, float], corner: tuple[bool, bool]) -> Box:
        """Give the box of a corner of the frame: (at its end, at its bottom)."""
        wide, high = inset
        gap = 0.5 * self.page.body
        start = frame.end - wide - gap if corner[0] else frame.start + gap
        top = frame.bottom - high - gap if corner[1] else frame.top + gap
        return Box(start, top, start + wide, top + high)

    def _view_of(self, frame: Box, projection: Projection, area: tuple[float, float, float, float],
                 inset: tuple[float, float]) -> tuple[Extent, tuple[bool, bool]]:  # fmt: skip
        """Choose the part of the world that the frame shows, and the corner where the inset covers no site."""
        wanted = extent_of(projection, area)
        extent = filled(wanted, frame.wide, frame.high)
        corners = [(True, True), (True, False), (False, True), (False, False)]
        for corner in corners:
            if not self._covered(frame, projection, extent, self._corner(frame, inset, corner)):
                return extent, corner
        # No corner is free: the map leaves a strip beside or below it.
        wide, high = inset[0] + self.page.body, inset[1] + self.page.body
        beside = filled(wanted, frame.wide - wide, frame.high)
        below = filled(wanted, frame.wide, frame.high - high)
        if (beside[2] - beside[0]) / (frame.wide - wide) <= (below[2] - below[0]) / frame.wide:
            more = wide * (beside[2] - beside[0]) / (frame.wide - wide)
            left = more if self.page.right_to_left else 0.0
            return (beside[0] - left, beside[1], beside[2] + more - left, beside[3]), (True, True)
        more = high * (below[2] - below[0]) / frame.wide
        return (below[0], below[1] - more, below[2], below[3]), (True, True)

    def _covered(self, frame: Box, projection: Projection, extent: Extent, inset: Box) -> bool:
        sites = self.shot.sites
        there = sites[np.isfinite(sites["longitude"].to_numpy("float64"))] if len(sites) else sites
        if not len(there):
            return False
        x, y = projection.forward(
            there["longitude"].to_numpy("float64"), there["latitude"].to_numpy("float64")
        )
        scale = frame.wide / (extent[2] - extent[0])
        left, low, wide, high = self.page.bounds(inset)
        frame_left, frame_low, _, _ = self.page.bounds(frame)
        px, py = frame_left + (x - extent[0]) * scale, frame_low + (y - extent[1]) * scale
        rim = 1.2 * self.page.body
        hit = (px > left - rim) & (px < left + wide + rim) & (py > low - rim) & (py < low + high + rim)
        return bool(hit.any())

    def _ground(self, axes: Axes, projection: Projection, extent: Extent, metres_per_point: float) -> None:
        look = self.page.look
        under = ground(projection, extent, metres_per_point)
        world = len(under.sea.vertices) > 0
        axes.add_patch(
            Rectangle(
                (0, 0),
                1,
                1,
                transform=axes.transAxes,
                facecolor=look.ground if world else look.water,
                zorder=0,
            )
        )
        drawn = [
            (under.sea, look.water, "none", 0.0, 0.5),
            (under.land, look.land, "none", 0.0, 1.0),
            (under.lakes, look.water, "none", 0.0, 2.0),
            (under.rivers, "none", look.river, 0.45, 3.0),
            (under.coast, "none", look.river, 0.5, 4.0),
            (under.borders, "none", look.border, 0.55, 5.0),
            (under.graticule, "none", look.line, 0.4, 6.0),
        ]
        for path, face, edge, width, above in drawn:
            if len(path.vertices):
                patch = PathPatch(path, facecolor=face, edgecolor=edge, linewidth=width, zorder=above)
                axes.add_artist(patch)
        self._country_names(axes, projection, extent, metres_per_point)

    def _country_names(
        self, axes: Axes, projection: Projection, extent: Extent, metres_per_point: float
    ) -> None:
        """Name countries that are large enough on the map to hold their name."""
        if metres_per_point < 600:
            return
        face, size = self.page.face(), 0.95 * self.page.body
        for country in countries():
            part = max(shapely.get_parts(country.shape), key=lambda one: one.area)
            at = part.representative_point()
            x, y = projection.forward(np.array([at.x]), np.array([at.y]))
            room = part.bounds[2] - part.bounds[0]
            wide = room * 111_320 * math.cos(math.radians(at.y)) / metres_per_point
            need = face.width(country.name) * size
            half = need / 2 * metres_per_point
            inside = extent[0] + half < x[0] < extent[2] - half and extent[1] < y[0] < extent[3]
            if inside and wide > 1.15 * need:
                axes.text(x[0], y[0], country.name, fontproperties=face.font(country.name, size), color=self.page.look.soft,
                          alpha=0.75, ha="center", va="center", parse_math=False, zorder=8)  # fmt: skip

    def _own_shapes(self, axes: Axes, projection: Projection, extent: Extent) -> None:
        file = shapes_of(self.shot.topic.key, simulated=self.shot.simulated)
        if file is None:
            return
        for feature in features(file, file.stat().st_mtime):
            self._own_shape(axes, projection, extent, feature)

    def _own_shape(self, axes: Axes, projection: Projection, extent: Extent, feature: Feature) -> None:
        look, body = self.page.look, self.page.body
        path, area = feature_path(projection, feature.shape)
        if not len(path.vertices):
            return
        water = feature.kind in ("river", "lake", "stream", "canal")
        line = look.river if water else look.border
        face = ("#e4ddcd" if not water else look.water) if area else "none"
        width = (0.22 if feature.kind == "river" else 0.12) * body
        axes.add_artist(
            PathPatch(path, facecolor=face, edgecolor="none" if area else line, linewidth=width, zorder=7)
        )
        if feature.kind in _VILLAGES and feature.name:
            name = clean(feature.name.removesuffix(_SIMULATED))[:40]
            at = feature.shape.representative_point()
            x, y = projection.forward(np.array([at.x]), np.array([at.y]))
            if extent[0] < x[0] < extent[2] and extent[1] < y[0] < extent[3]:
                face_ = self.page.face()
                axes.text(x[0], y[0], name, fontproperties=face_.font(name, 0.9 * body), color=look.soft, ha="center",
                          va="center", parse_math=False, zorder=8, clip_on=True)  # fmt: skip

    def _frame(self, frame: Box) -> None:
        left, low, wide, high = self.page.bounds(frame)
        self.page.figure.add_artist(
            Rectangle(
                (left, low),
                wide,
                high,
                facecolor="none",
                edgecolor=self.page.look.line,
                linewidth=0.7,
                zorder=4,
                transform=self.page.points,
            )  # fmt: skip
        )

    # ---- where in the world ----

    def _locator(self, box: Box, area: tuple[float, float, float, float], projection: Projection) -> None:
        page, look = self.page, self.page.look
        page.panel("locator", box, face=look.ground, edge=look.soft, inside="map", above=6)
        west, south, east, north = area
        lon, lat = (west + east) / 2, (south + north) / 2
        name, shown = _surroundings(area)
        label = 1.25 * page.body if name else 0.0
        inner = Box(box.start + 0.6, box.top + 0.6, box.end - 0.6, box.bottom - 0.6 - label)
        there = projection_for(shown)
        extent = filled(extent_of(there, shown), inner.wide, inner.high)
        left, low, wide, high = page.bounds(inner)
        axes = page.figure.add_axes(
            (left / page.wide, low / page.high, wide / page.wide, high / page.high), zorder=7
        )
        axes.set_axis_off()
        axes.set_xlim(extent[0], extent[2])
        axes.set_ylim(extent[1], extent[3])
        under = ground(there, extent, 2.5 * (extent[2] - extent[0]) / inner.wide)
        world = len(under.sea.vertices) > 0
        axes.add_patch(
            Rectangle(
                (0, 0),
                1,
                1,
                transform=axes.transAxes,
                facecolor=look.ground if world else look.water,
                zorder=0,
            )
        )
        for path, face, edge, width in ((under.sea, look.water, "none", 0.0), (under.land, pale_land(look), "none", 0.0),
                                        (under.lakes, look.water, "none", 0.0), (under.borders, "none", look.border, 0.3)):  # fmt: skip
            if len(path.vertices):
                axes.add_artist(PathPatch(path, facecolor=face, edgecolor=edge, linewidth=width, zorder=1))
        x0, y0, x1, y1 = extent_of(there, area)
        unit = (extent[2] - extent[0]) / inner.wide
        if x1 - x0 < 5 * unit and y1 - y0 < 5 * unit:
            x, y = there.forward(np.array([lon]), np.array([lat]))
            axes.plot(x, y, marker="o", markersize=0.62 * page.body, markerfacecolor=look.alarm, markeredgecolor="#ffffff",
                      markeredgewidth=0.8, zorder=5)  # fmt: skip
        else:
            axes.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, facecolor=f"{look.alarm}30", edgecolor=look.alarm,
                                     linewidth=1.1, zorder=5))  # fmt: skip
        if name:
            size = 0.86 * page.body
            found = fitted(name, box.wide - page.body, 1.2 * size * page.face().leading, size=size, least=0.8 * page.least,
                           face=page.face())  # fmt: skip
            page.lines("locator", found, (box.start + box.end) / 2, box.bottom - label - 0.1 * size, align="middle",
                       inside="map", above=8)  # fmt: skip

    # ---- scale, projection, north ----

    def _strip(self, frame: Box, projection: Projection, extent: Extent, per_metre: float) -> None:
        page, look = self.page, self.page.look
        true, latitude = metres_across(projection, extent)
        most = min(0.3 * frame.wide, 16 * page.body)
        metres = round_length(most / per_metre * true)
        length = metres / true * per_metre
        y = frame.bottom + 0.95 * page.body
        left, low, _, _ = page.bounds(
            Box(frame.start, y - 0.22 * page.body, frame.start + length, y + 0.22 * page.body)
        )
        for part in range(2):
            patch = Rectangle((left + part * length / 2, low), length / 2, 0.44 * page.body, linewidth=0.6,
                              facecolor=look.ink if part == 0 else look.ground, edgecolor=look.ink,
                              transform=page.points, zorder=5)  # fmt: skip
            page.figure.add_artist(patch)
            page.keep("scale", patch)
        text = (
            self.say("kilometres", n=f"{metres / 1000:g}")
            if metres >= 1000
            else self.say("metres", n=f"{metres:g}")
        )
        size = 0.92 * page.body
        face = page.face()
        page.line(
            "scale",
            text,
            frame.start + length + 0.6 * page.body,
            y + 0.36 * size,
            size,
            face=face,
            colour=look.ink,
        )
        end = frame.end
        if not projection.north_up:
            self._north(
                projection, extent, Box(end - 1.4 * page.body, y - 0.85 * page.body, end, y + 0.8 * page.body)
            )
            end -= 2.4 * page.body
        taken = length + (face.width(text) + 2.2) * page.body
        note = fitted(self._projection(projection, latitude), end - frame.start - taken, 1.3 * face.leading * size,
                      size=0.86 * page.body, least=0.8 * page.least, face=face)  # fmt: skip
        page.lines("projection", note, end, y - 0.6 * note.size, colour=look.soft, align="end")

    def _projection(self, projection: Projection, latitude: float) -> str:
        if projection.kind == "laea":
            place = f"{degrees(projection.latitude, 'NS')} {degrees(projection.longitude, 'EW')}"
            return self.say("projection_laea", place=place)
        return self.say(f"projection_{projection.kind}", latitude=degrees(latitude, "NS"))

    def _north(self, projection: Projection, extent: Extent, box: Box) -> None:
        """Draw an arrow that points north as the middle of the map does."""
        page, look = self.page, self.page.look
        x, y = middle_of(projection, extent)
        lon, lat = projection.back(np.array([x]), np.array([y]))
        nx, ny = projection.forward(lon, np.minimum(lat + 0.05, 90.0))
        turn = math.atan2(float(ny[0]) - y, float(nx[0]) - x) - math.pi / 2 if lat[0] < 89.9 else 0.0
        left, low, wide, high = page.bounds(box)
        middle = (left + wide / 2, low + high / 2)
        points = [(0.0, 0.5), (0.28, -0.5), (0.0, -0.25), (-0.28, -0.5)]
        turned = [
            (
                middle[0] + high * (px * math.cos(turn) - py * math.sin(turn)),
                middle[1] + high * (px * math.sin(turn) + py * math.cos(turn)),
            )
            for px, py in points
        ]
        from matplotlib.patches import Polygon

        patch = Polygon(
            turned, closed=True, facecolor=look.ink, edgecolor="none", transform=page.points, zorder=5
        )
        page.figure.add_artist(patch)
        page.keep("north", patch)
        word = self.say("north")
        page.line("north", word, box.start - 0.2 * page.body, box.bottom - 0.35 * page.body, 0.9 * page.body, face=page.face(bold=True),
                  colour=look.ink, align="end")  # fmt: skip


def pale_land(look: Look) -> str:
    """Give the land of the inset, which must stand out from a white page."""
    return "#e6e1d5" if look.land != "#ffffff" else "#e9e9e9"


def _surroundings(area: tuple[float, float, float, float]) -> tuple[str, tuple[float, float, float, float]]:
    """Give what the inset shows around a box: its country with its name, or the world."""
    west, south, east, north = area
    country = country_at((west + east) / 2, (south + north) / 2)
    if country is None:
        lon, lat = (west + east) / 2, (south + north) / 2
        half = max(20.0, 2.0 * (east - west), 2.0 * (north - south))
        if half > 50:
            return "", (-180.0, -90.0, 180.0, 90.0)
        return "", (
            max(lon - half, -180.0),
            max(lat - half, -85.0),
            min(lon + half, 180.0),
            min(lat + half, 85.0),
        )
    w, s, e, n = country.shape.bounds
    if east - west > 0.5 * (e - w) or north - south > 0.5 * (n - s):
        return "", (-180.0, -90.0, 180.0, 90.0)
    pad = max(0.12 * (e - w), 0.12 * (n - s), 3.0)
    return country.name, (max(w - pad, -180.0), max(s - pad, -90.0), min(e + pad, 180.0), min(n + pad, 90.0))


def moment(shot: Snapshot) -> str:
    """Give the minute that a snapshot shows in the topic's time zone, with the zone.

    A zone other than UTC is named, with its distance from UTC on that day.
    """
    when = shot.view.clock(shot.moment)
    zone = shot.topic.time_zone or "UTC"
    if zone == "UTC":
        return f"{when:%Y-%m-%d %H:%M} UTC"
    there = when.tz_convert(zone)
    offset = pd.Timestamp(there).strftime("%z")
    return f"{there:%Y-%m-%d %H:%M} {zone} (UTC{offset[:3]}:{offset[3:]})"


def degrees(value: float, letters: str) -> str:
    """Write a latitude or longitude in whole degrees, or tenths.

    >>> degrees(-30.65, "NS"), degrees(48.0, "NS")
    ('30.6° S', '48° N')
    """
    text = f"{abs(value):.1f}".removesuffix(".0")
    return f"{text}° {letters[0] if value >= 0 else letters[1]}" if text != "0" else "0°"


def _figure(n: int) -> str:
    return f"{n:,}".replace(",", "\u202f")


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + ELLIPSIS
