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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import segno
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline

from publish import Options, between, marks
from publish.basemap import CREDIT, CREDIT_NAMES, FINEST, around
from publish.citation import reproduce
from publish.lettering import ELLIPSIS, figure, fitted, wrapped
from publish.map_part import MapPart
from publish.page import LOOKS, Block, Box, Page, column_high, drawing
from publish.sizes import size_named
from situation.messages import message, translated
from situation.snapshot import Snapshot
from situation.visible import one_line

_SIDE = 0.31  # of the width: the column beside the map
_TALL = 1.15  # a page that is not that much wider than high has its columns below the map
_HEADER, _FOOTER = 0.235, 0.185  # of the height, at most
_MOST_SOURCES = 12
_Code = tuple[tuple[bool, ...], ...]
_CARD = 1.75  # what is so much wider than high is seen small, as the card of a link: its headline is larger


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
        self._map(Box(box.start, box.top, box.end - wide - gap, box.bottom))
        blocks = [*self._legend(), self._caution(), *self._limit(), *self._time(), *self._behind()]
        page.column(blocks, Box(box.end - wide, box.top, box.end, box.bottom), page.body)

    def _below(self, box: Box) -> None:
        page, gap, size = self.page, 2.0 * self.page.body, 1.08 * self.page.body
        wide = (box.wide - gap) / 2
        columns = ([*self._legend(), self._caution()], [*self._limit(), *self._time(), *self._behind()])
        room = 0.46 * box.high
        high = max(column_high(page.measured(blocks, wide, room, size)) for blocks in columns)
        top = box.bottom - min(high, room)
        self._map(Box(box.start, box.top, box.end, top - 0.9 * page.body))
        for number, blocks in enumerate(columns):
            start = box.start + number * (wide + gap)
            page.column(blocks, Box(start, top, start + wide, box.bottom), size)

    # ---- words above ----

    def _header(self, whole: Box) -> float:
        page, shot = self.page, self.shot
        larger = 1.25 if page.wide / page.high > _CARD else 1.0
        y = page.text(
            "title",
            shot.title,
            Box(whole.start, whole.top, whole.end, whole.top + 0.105 * page.high * larger),
            size=2.05 * larger * page.body,
            least=1.3 * page.body,
            bold=True,
        )
        lead, face = one_line(shot.said.lead), page.face()
        most = 3.4 * page.body * larger * face.leading
        found = fitted(lead, whole.wide, most, size=1.22 * larger * page.body, least=page.least, face=face)
        if found.shortened:  # never within the sentence: rather more lines of small type
            found = wrapped(lead, whole.wide, page.least, face)
        y = page.lines("sentence", found, whole.start, y + 0.3 * page.body)
        return self._more(whole, y + 0.15 * page.body, whole.top + _HEADER * page.high)

    def _more(self, whole: Box, top: float, most: float) -> float:
        """Write as many of the further sentences as there is room for, each of them whole."""
        page, face, said = self.page, self.page.face(), ""
        for sentence in self.shot.said.sentences[1:]:
            longer = f"{said} {one_line(sentence)}".strip()
            if top + wrapped(longer, whole.wide, 0.98 * page.body, face).high > most:
                break
            said = longer
        rest = wrapped(said, whole.wide, 0.98 * page.body, face)
        return page.lines("more", rest, whole.start, top, colour=page.look.soft)

    # ---- words below ----

    def _footer(self, whole: Box) -> float:
        page, shot = self.page, self.shot
        size = 0.9 * page.body
        code = _code(shot.permalink) if shot.permalink else None
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
        stands = (
            [self.say("producer", name=one_line(shot.topic.producer))]
            if one_line(shot.topic.producer)
            else []
        )
        stands += (
            [self.say("contact", contact=one_line(shot.topic.contact))]
            if one_line(shot.topic.contact)
            else []
        )
        again = message("publish.cite.again", shot.language, where=reproduce(shot))
        same = self.say("link", link=shot.permalink) if shot.permalink else again
        credits = "; ".join([CREDIT, CREDIT_NAMES, *self._rough()])
        return [
            Block("sources", self._sources(wide, size), squeezed=1),
            Block("producer", " · ".join(stands) or self.say("producer_none"), gap=0.15, most=2, squeezed=1),
            Block("link", same, gap=0.15, squeezed=2),
            Block("credit", self.say("basemap", sources=credits), colour=soft, gap=0.15, squeezed=1),
        ]

    def _rough(self) -> list[str]:
        """Say how far off the ground may be where the map is finer than its data."""
        west, south, east, north = around(self.shot.box)
        metres = 111_320 * max((east - west) * math.cos(math.radians((south + north) / 2)), north - south)
        finer = metres / self.page.high < 0.3 * FINEST
        return [self.say("basemap_rough", n=f"{FINEST / 1000:g}")] if finer else []

    def _sources(self, wide: float, size: float) -> str:
        """Name whose readings they are, with licences; as many as three lines hold, and how many more."""
        names = list(
            dict.fromkeys(
                self.say(
                    "source",
                    name=_short(one_line(origin.attribution) or one_line(origin.source)),
                    licence=_short(one_line(origin.licence))
                    if one_line(origin.licence) not in ("", "unknown")
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

    def _module(self, modules: int) -> float:
        """Give the width of one square of the code, points: whole pixels, and 0.4 mm or more on paper."""
        pixel = 72 / self.page.size.dpi
        return max(1, round(max(6.4 * self.page.body / modules, 1.15) / pixel)) * pixel

    def _draw_code(self, code: _Code, start: float, top: float, side: float) -> None:
        page, unit = self.page, self._module(len(code))
        box = Box(start, top, start + side, top + side)
        page.panel("code", box, face="#ffffff", above=2)
        left, low, _, _ = page.bounds(box)
        corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)], "float64")
        dark = [
            corners + (column, len(code) - 1 - row)
            for row, line in enumerate(code)
            for column, there in enumerate(line)
            if there
        ]
        codes = [Outline.MOVETO, *[Outline.LINETO] * 3, Outline.CLOSEPOLY] * len(dark)
        outline = Outline(np.concatenate(dark) * unit + (left, low), codes)
        page.figure.add_artist(
            PathPatch(outline, facecolor="#000000", edgecolor="none", antialiased=False, zorder=3,
                      transform=page.points)
        )  # fmt: skip

    # ---- the legend ----

    def _legend(self) -> list[Block]:
        shot, soft = self.shot, self.page.look.soft
        title = f"{one_line(shot.observed_property.title)}. {self.say('legend')}"
        blocks = [Block("legend", title, bold=True, most=3, squeezed=2)]
        counts = {status: (words, n) for status, words, n in shot.by_status}
        for status in self._classes():
            words, n = counts[status]
            blocks.append(Block("legend", translated(words, shot.language), gap=0.22, count=figure(n),
                                sign=marks.sign(status), most=2, squeezed=1))  # fmt: skip
        for text, n, sign in self._further_signs():
            blocks.append(Block("legend", text, 0.92, gap=0.28, count=figure(n) if n else "", colour=soft, sign=sign,
                                most=3, squeezed=2))  # fmt: skip
        return [*blocks, *between.legend(shot, soft, tight=self.page.wide > _CARD * self.page.high)]

    def _classes(self) -> list[str]:
        """Say which statuses the legend names: those there are, and those that the limit could have given."""
        shot = self.shot
        possible = {"above", "near", "inconclusive", "below"} if shot.limit else set()
        if shot.comparison == "detected":
            possible -= {"near"}
        return [status for status, _, n in shot.by_status if n or status in possible] or ["no limit"]

    def _further_signs(self) -> Iterator[tuple[str, int, Callable[[Page, float, float, float], None]]]:
        """Say what else is drawn: old readings, private places, squares of many."""
        shot, sites = self.shot, self.shot.sites
        if shot.counts.stale:
            usual = _usual(sites, sites["freshness"].eq("stale"))
            yield (
                self.say("stale_key", days=shot.topic.stale_days),
                shot.counts.stale,
                marks.sign(usual, stale=True),
            )
        if len(sites) > marks.MOST_SINGLE:
            yield self.say("many_key"), 0, marks.sign(_usual(sites), square=True)
        elif shot.hidden:
            usual = _usual(sites, sites["position_rule"].ne("exact"))
            yield self.say("hidden_key"), shot.hidden, marks.sign(usual, square=True)

    # ---- what it rests on ----

    def _caution(self) -> Block:
        said = self.say("no_data" if len(self.shot.sites) else "no_sites")
        return Block("no-data", said, bold=True, colour=self.page.look.alarm, gap=0.6, most=4, squeezed=3)

    def _behind(self) -> Iterator[Block]:
        yield Block("counts", self.say("counts"), 0.9, bold=True, colour=self.page.look.soft, gap=0.6, most=1)
        yield Block("counts", self._counts(), most=6, squeezed=4)

    def _limit(self) -> Iterator[Block]:
        shot = self.shot
        yield Block("limit", self.say("limit"), 0.9, bold=True, colour=self.page.look.soft, gap=0.6, most=1)
        if shot.limit is None or shot.standard is None:
            yield Block("limit", self.say("limit_none"), most=2)
            return
        text = f"{one_line(shot.limit.text())} · {one_line(shot.standard.title)}"
        yield Block("limit", text, most=5, squeezed=2)
        if one_line(shot.limit.reference):
            yield Block("limit", one_line(shot.limit.reference), 0.9, most=5, squeezed=1)
        by = one_line(shot.limit.verified_by)
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
        return "\u00a0· ".join(self._counted(key, n) for key, n in told)

    def _counted(self, key: str, n: int) -> str:
        # A message chooses its singular by the number itself, so the number is put in afterwards.
        return self.say(key, n=n).replace(str(n), figure(n), 1).replace(" ", "\u00a0", 1)

    # ---- the map ----

    def _map(self, box: Box) -> None:
        bands = self._bands()
        for key, text, colour in bands:
            box = self._band(key, text, colour, box)
        frame = Box(box.start, box.top, box.end, box.bottom - 1.7 * self.page.body)
        drawn = MapPart(self.shot, self.page, frame)
        drawn.draw(across=bands[0][1].partition(":")[0] if bands else "")
        drawn.strip(frame.bottom + 0.25 * self.page.body)

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
        found = fitted(one_line(text), box.wide - 1.4 * page.body, 3.0 * page.body, size=1.2 * page.body,
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


def _usual(sites: pd.DataFrame, which: pd.Series | None = None) -> str:
    """Give the most common status of some sites: the legend shows a sign that is on the map."""
    return str((sites if which is None else sites[which])["status"].value_counts().index[0])


def _short(text: str, most: int = 90) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + ELLIPSIS


@lru_cache(maxsize=64)
def _code(link: str) -> tuple[tuple[bool, ...], ...]:
    """Make the QR code of a link: rows of squares, dark or not, with a rim of two."""
    made = segno.make(link, error="m", micro=False)
    return tuple(tuple(bool(dark) for dark in row) for row in made.matrix_iter(border=2))
