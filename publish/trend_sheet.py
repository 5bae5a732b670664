"""The trend picture of a site, and the sheet of many small ones: PNG, SVG and PDF.

One series fills the picture; several stand side by side, the most urgent first, with the same axes unless that
would press many of them flat, and the sheet says which. What does not fit is counted and named. Every picture
says what it shows in words, against which limit, how many readings it rests on, what is censored or left out, by
which method, from whom, and how to get the same again.

The same snapshot drawn twice is the same bytes: PNG, SVG and PDF carry no time of their making.

What surprised us: small charts with a scale of their own each look alike, and the one well at ten times the limit
cannot be told from the nine that are clean. A shared scale is given up only where most of a sheet would be
unreadable.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import segno
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path as Outline
from matplotlib.transforms import Affine2D

from publish import Options, trend_axes
from publish.lettering import Lines, wrapped
from publish.marks import layers_of
from publish.page import LOOKS, Block, Box, Page, column_high, drawing
from publish.sizes import size_named
from publish.trend_axes import Chart, together, window
from publish.trend_words import Words
from situation.errors import ChoiceError
from situation.snapshot import Snapshot
from situation.trend_sheet import TrendSheet

ENDINGS = ("png", "svg", "pdf")
#: So many charts at most on one picture, by its size; on paper a full sheet.
MOST = {"850x600": 6, "og": 8, "square": 9}
_FULL = 24
_CROWDED = 9
#: Width by height of a chart that reads well.
_SHAPE = 1.9
#: Width of a small chart that takes a slope with its interval on one line, of the size of its type.
_TAG = 16.0
#: Crossings whose words are worth a line below a small chart's name.
_TELLING = ("crossing expected", "crossed already", "beyond the horizon", "moving away")

Signed = Callable[[Page, float, float, float, str], None]


def write(shot: Snapshot, sheets: Sequence[TrendSheet], path: Path, options: Options | None = None) -> None:
    """Write a picture of trends.

    Parameters
    ----------
    shot : Snapshot
        Whose trends they are.
    sheets : sequence of TrendSheet
        In the order in which they are drawn; one fills the picture.
    path : Path
        Its ending is png, svg or pdf.
    options : Options, optional
        Size and look.

    Raises
    ------
    ChoiceError
        If there is no series to draw, or the ending or the size is none that there is.
    """
    options = options or Options()
    if path.suffix.lower().removeprefix(".") not in ENDINGS:
        raise ChoiceError(f"{path.name} does not end in one of {', '.join(ENDINGS)}: trends are pictures.")
    with drawing():
        page = composed(shot, sheets, options)
        words = Words(shot)
        options.progress(0.7, path.name)
        page.save(
            path,
            title=_title(words, sheets),
            about=words.alternative(sheets),
            source=words.again(sheets).text,
        )


def alternative(shot: Snapshot, sheets: Sequence[TrendSheet]) -> str:
    """Say in words what the picture shows, for those who do not see it."""
    return Words(shot).alternative(sheets)


def composed(shot: Snapshot, sheets: Sequence[TrendSheet], options: Options) -> Page:
    """Lay a picture out; what stands on it is asked of the page."""
    if not sheets:
        raise ChoiceError("This snapshot has no readings, so there is no trend to draw.")
    with drawing():
        page = Page(size_named(options.size), LOOKS[options.look], shot.language)
        _Sheet(page, Words(shot), sheets, MOST.get(options.size, _FULL), options).draw()
    return page


def _title(words: Words, sheets: Sequence[TrendSheet]) -> str:
    return words.title(sheets[0]) if len(sheets) == 1 else words.title_many(sheets)


@dataclass(frozen=True)
class _Sheet:
    """One picture being laid out: head, charts, signs, facts, foot."""

    page: Page
    words: Words
    sheets: Sequence[TrendSheet]
    most: int
    options: Options

    @property
    def single(self) -> bool:
        return len(self.sheets) == 1

    @property
    def shown(self) -> Sequence[TrendSheet]:
        return self.sheets[: self.most]

    @property
    def unit(self) -> float:
        """Size of running text, points; a full sheet is set smaller, its charts need the room."""
        return self.page.body * (0.84 if len(self.shown) > _CROWDED else 1.0)

    def draw(self) -> None:
        page = self.page
        rim = 1.5 * page.body
        area = Box(rim, rim, page.wide - rim, page.high - rim)
        top = self._notices(area)
        top = self._head(Box(area.start, top, area.end, area.bottom))
        bottom = self._foot(Box(area.start, top, area.end, area.bottom))
        main, facts = self._divided(
            Box(area.start, top + 0.6 * page.body, area.end, bottom - 0.7 * page.body)
        )
        facts()
        low = self._legend(main)
        self._charts(Box(main.start, main.top, main.end, low - 0.6 * page.body))

    # ---- head and foot ----

    def _notices(self, area: Box) -> float:
        """Write what must not be overlooked across the top; gives where it ends."""
        page, said = self.page, "  ·  ".join(self.words.notices())
        if not said:
            return area.top
        pad = 0.45 * page.body
        found = wrapped(said, area.wide - 2 * pad, page.body, page.face(bold=True))
        box = Box(area.start, area.top, area.end, area.top + found.high + pad)
        page.panel("notice ground", box, face=page.look.alarm)
        page.lines(
            "notice", found, area.start + pad, area.top + 0.5 * pad, colour="#ffffff", inside="notice ground"
        )
        return box.bottom + 0.5 * page.body

    def _head(self, box: Box) -> float:
        page, words, sheets = self.page, self.words, self.sheets
        kind = words.kind(sheets[0]) if self.single else ""
        blocks = [Block("title", _title(words, sheets), 1.75 if self.single else 1.6, bold=True, squeezed=2)]
        if self.single:
            said = [words.sentence(sheets[0]), words.crossing(sheets[0])]
        else:
            said = [f"{words.sentence_many(sheets)} {words.crossing_many(sheets)}"]
        if kind:
            blocks.append(Block("kind", kind, 1.05, colour=page.look.soft, gap=0.1))
        strong = self.single and sheets[0].row["crossing"] == "crossing expected"
        for number, text in enumerate(filter(None, said)):
            blocks.append(Block(f"sentence {number}", text, 1.15, bold=bool(number) and strong, gap=0.35))
        if not self.single:
            rest = self.sheets[self.most :]
            blocks.append(
                Block("shown", words.shown(self.shown, rest), gap=0.35, colour=page.look.soft, most=3)
            )
        high = 0.36 * page.high
        return page.column(blocks, Box(box.start, box.top, box.end, box.top + high), page.body)

    def _foot(self, box: Box) -> float:
        """Write sources, makers and where it is found again along the bottom; gives where it begins."""
        page = self.page
        link = self.words.shot.permalink
        side = 5.2 * page.body if link else 0.0
        wide = box.wide - (side + page.body if link else 0.0)
        again = self.words.again(self.sheets)
        told = " · ".join(fact.text for fact in self.words.sources(self.sheets))
        blocks = [
            Block("sources", told, 0.92, colour=page.look.soft, squeezed=4),
            Block(again.name, again.text, 0.92, colour=page.look.soft, gap=0.15, squeezed=3),
        ]
        laid = page.measured(blocks, wide, 0.2 * page.high, self.unit)
        high = max(column_high(laid) + 0.01, side)
        top = box.bottom - high
        page.column(blocks, Box(box.start, top, box.start + wide, box.bottom), self.unit)
        if link:
            _qr(page, link, Box(box.end - side, top, box.end, top + side))
        page.rule(box.start, box.end, top - 0.45 * page.body)
        return top - 0.45 * page.body

    # ---- facts ----

    def _divided(self, box: Box) -> tuple[Box, Callable[[], None]]:
        """Divide what is left between charts and facts: beside one another, or one below the other."""
        page = self.page
        beside = self.single and box.wide > 1.5 * box.high
        blocks = list(self._facts())
        if beside:
            wide = 0.29 * box.wide
            place = Box(box.end - wide, box.top, box.end, box.bottom)

            def draw() -> None:
                page.column(blocks, place, page.body)

            return Box(box.start, box.top, place.start - 1.6 * page.body, box.bottom), draw
        return self._below(box, blocks)

    def _below(self, box: Box, blocks: list[Block]) -> tuple[Box, Callable[[], None]]:
        page = self.page
        # On a sheet the charts need the room: headings run into long lines.
        count = max(1, min(4, int(box.wide / ((19 if self.single else 42) * self.unit))))
        gap = 1.4 * self.unit
        wide = (box.wide - (count - 1) * gap) / count
        columns = _spread(page, blocks, wide, count, self.unit)
        wanted = max(column_high(page.measured(column, wide, math.inf, self.unit)) for column in columns)
        # A hair more, or rounding takes a size off.
        top = box.bottom - min(wanted + 0.01, 0.36 * box.high)

        def draw() -> None:
            for number, column in enumerate(columns):
                start = box.start + number * (wide + gap)
                page.column(column, Box(start, top, start + wide, box.bottom), self.unit)

        return Box(box.start, box.top, box.end, top - 0.9 * self.unit), draw

    def _facts(self) -> Iterator[Block]:
        page, words = self.page, self.words
        facts = words.facts(self.sheets[0]) if self.single else words.facts_many(self.sheets)
        for fact in facts:
            sign = _status(self.sheets[0], fact.name) if fact.name == "newest" else None
            if self.single:
                yield Block(fact.name, fact.head, bold=True, gap=0.5)
                yield Block(fact.name, fact.text, squeezed=3 if fact.name in _LONG else None, sign=sign)
            else:
                text = f"{fact.head}: {fact.text}"
                yield Block(fact.name, text, gap=0.15, squeezed=2 if fact.name in _LONG else None)
        for number, text in enumerate(words.cautions(self.sheets[0]) if self.single else ()):
            yield Block(f"caution {number}", text, 0.96, colour=page.look.notice, gap=0.5)
        yield Block("never safe", words.say("never_safe"), 0.96, bold=True, gap=0.5 if self.single else 0.15)

    # ---- signs ----

    def _legend(self, box: Box) -> float:
        """Write what the signs mean along the bottom of the charts; gives where it begins."""
        page = self.page
        size = 0.96 * self.unit
        indent = 2.4 * size
        face = page.face()
        rows: list[list[tuple[str, Signed, Lines, float]]] = [[]]
        x = box.start
        for name, text, sign in _signs(self.shown, self.words):
            found = wrapped(text, box.wide - indent, size, face, 1)
            wide = indent + found.wide
            if rows[-1] and x + wide > box.end:
                rows.append([])
                x = box.start
            rows[-1].append((name, sign, found, x))
            x += wide + 1.3 * size
        step = size * face.leading
        top = box.bottom - len(rows) * step
        for number, row in enumerate(rows):
            for name, sign, found, x in row:
                y = top + number * step
                sign(page, x + 0.95 * size, y + 0.5 * step, size, f"sign {name}")
                page.lines(f"sign {name}", found, x + indent, y)
        return top

    # ---- charts ----

    @property
    def _mark(self) -> str:
        """The word of the first notice, to be written over every chart."""
        return next(iter(self.words.notices()), "").partition(":")[0].strip()

    def _charts(self, box: Box) -> None:
        there = [sheet for sheet in self.shown if sheet.row["n"]]
        windows = {}
        for number, sheet in enumerate(there):
            self.options.progress(0.6 * number / len(there), sheet.name)
            windows[id(sheet)] = window(sheet)
        if self.single:
            self._single(box, self.sheets[0], windows)
        else:
            self._many(box, windows)

    def _single(self, box: Box, sheet: TrendSheet, windows: dict[int, trend_axes.Window]) -> None:
        page = self.page
        top = box.top + self._line("unit", sheet.unit, box, page.look.soft)
        if not sheet.row["n"]:
            page.text(
                "chart", self.words.tag(sheet), Box(box.start, top, box.end, box.bottom), size=page.body
            )
            return
        size, seen = self.unit, windows[id(sheet)]
        low = box.bottom - trend_axes.BELOW * size
        side = trend_axes.gutter(seen, low - top, size, page)
        place = self._left(Box(box.start, top + 0.3 * size, box.end, low), side, 1.3 * size)
        crosses = self.words.crosses(sheet) if sheet.row["crossing"] == "crossing expected" else ""
        trend_axes.draw(
            Chart.over(page, "chart", place, seen, size), sheet, crosses=crosses, across=self._mark
        )

    def _left(self, box: Box, before: float, after: float) -> Box:
        """Take the room of the letters off: on the left of the page, whichever way the page runs."""
        if self.page.right_to_left:
            return Box(box.start + after, box.top, box.end - before, box.bottom)
        return Box(box.start + before, box.top, box.end - after, box.bottom)

    def _line(self, name: str, text: str, box: Box, colour: str, *, bold: bool = False) -> float:
        page = self.page
        found = wrapped(text, box.wide, self.unit, page.face(bold=bold), 2)
        page.lines(name, found, box.start, box.top, colour=colour)
        return found.high

    def _many(self, box: Box, windows: dict[int, trend_axes.Window]) -> None:
        page, words = self.page, self.words
        shared, time, value = together(list(windows.values()), [s for s in self.shown if id(s) in windows])
        seen = dict(zip(windows, shared, strict=True))
        said = f"{words.say('scale', unit=self.sheets[0].unit)}. {words.same(time=time, value=value)}"
        top = box.top + self._line("scale", said, box, page.look.soft) + 0.4 * self.unit
        box = Box(box.start, top, box.end, box.bottom)
        size = max(page.least, 0.86 * self.unit)
        gap = 1.6 * size
        across = _across(box, len(self.shown), 6.5 * size, _TAG * size, gap)
        wide = (box.wide - (across - 1) * gap) / across
        rows = [self.shown[at : at + across] for at in range(0, len(self.shown), across)]
        high = (box.high - (len(rows) - 1) * 0.9 * size) / len(rows)
        for down, row in enumerate(rows):
            begin = box.top + down * (high + 0.9 * size)
            named = [self._named(f"{down * across + at + 1}", sheet) for at, sheet in enumerate(row)]
            most = max(column_high(page.measured(blocks, wide, 0.6 * high, size)) for blocks in named)
            for at, (blocks, sheet) in enumerate(zip(named, row, strict=True)):
                start = box.start + at * (wide + gap)
                cell = Box(start, begin, start + wide, begin + high)
                page.column(blocks, Box(start, begin, cell.end, begin + 0.6 * high), size)
                if id(sheet) in seen:
                    place = Box(start, begin + most, cell.end, cell.bottom)
                    self._small(blocks[0].name.split()[0], sheet, place, seen[id(sheet)], 0.9 * size)

    def _named(self, name: str, sheet: TrendSheet) -> list[Block]:
        """Say of a small chart whose it is, and what it shows."""
        words = self.words
        kind, fate = words.kind(sheet), words.fate(sheet)
        # What does not tell two series of one site apart only takes room.
        apart = kind and sum(other.site == sheet.site for other in self.sheets) > 1
        said = [
            *([kind] if apart else []),
            words.tag(sheet),
            *([fate] if fate and sheet.row["crossing"] in _TELLING else []),
        ]
        sign = _status(sheet, f"{name} name")
        return [
            Block(f"{name} name", words.name(sheet), bold=True, squeezed=2, sign=sign),
            Block(f"{name} said", " · ".join(said), colour=self.page.look.soft),
        ]

    def _small(self, name: str, sheet: TrendSheet, box: Box, seen: trend_axes.Window, size: float) -> None:
        low = box.bottom - trend_axes.BELOW * size
        side = trend_axes.gutter(seen, low - box.top, size, self.page)
        place = self._left(Box(box.start, box.top + 0.5 * size, box.end, low), side, 0.5 * size)
        trend_axes.draw(Chart.over(self.page, name, place, seen, size, small=True), sheet, across=self._mark)


#: Facts that may be shortened when nothing else helps: all of it is said where the picture came from.
_LONG = frozenset({"limit", "counts"})


def _across(box: Box, n: int, words: float, least: float, gap: float) -> int:
    """Choose how many charts stand side by side, so that each is as large as its shape allows under its words."""

    def size(across: int) -> float:
        return min(box.wide / across / _SHAPE, box.high / math.ceil(n / across) - words)

    most = max(1, int((box.wide + gap) / (least + gap)))
    return max(range(1, min(n, most) + 1), key=size)


def _spread(page: Page, blocks: Sequence[Block], wide: float, count: int, size: float) -> list[list[Block]]:
    """Spread blocks over columns of about one height, without parting a heading from what it says."""
    groups: list[list[Block]] = []
    for block in blocks:
        if groups and groups[-1][0].name == block.name:
            groups[-1].append(block)
        else:
            groups.append([block])
    highs = [column_high(page.measured(group, wide, math.inf, size)) + 0.5 * size for group in groups]
    low, most = max(highs), sum(highs)
    while most - low > 0.5:
        middle = (low + most) / 2
        low, most = (low, middle) if len(_packed(groups, highs, middle)) <= count else (middle, most)
    return _packed(groups, highs, most)


def _packed(groups: Sequence[list[Block]], highs: Sequence[float], most: float) -> list[list[Block]]:
    columns: list[list[Block]] = [[]]
    used = 0.0
    for group, high in zip(groups, highs, strict=True):
        if used and used + high > most:
            columns.append([])
            used = 0.0
        columns[-1].extend(group)
        used += high
    return columns


# ---- signs -----------------------------------------------------------------------------------------


def _status(sheet: TrendSheet, name: str) -> Callable[[Page, float, float, float], None]:
    """Give what draws the sign of the newest reading, as the map does."""

    def draw(page: Page, x: float, y: float, size: float) -> None:
        radius = 0.46 * size
        place = Affine2D().scale(radius).translate(page.x(x), page.high - y) + page.points
        for layer in layers_of(str(sheet.row["status"]), stale=sheet.row["freshness"] == "stale"):
            patch = PathPatch(
                layer.path, facecolor=layer.face, edgecolor=layer.edge, linewidth=layer.width * radius,
                transform=place, zorder=5,
            )  # fmt: skip
            page.figure.add_artist(patch)
            page.keep(name, patch)

    return draw


def _signs(sheets: Sequence[TrendSheet], words: Words) -> Iterator[tuple[str, str, Signed]]:
    """Name the signs that some charts use, and only those: key, words and what draws it."""
    there = [sheet for sheet in sheets if sheet.row["n"]]
    drawn = [sheet.drawn for sheet in there]
    quantified = {
        how if how in trend_axes.SHAPES else "unknown"
        for one in drawn
        for how in one.readings.loc[one.readings["censoring"].eq("="), "procedure"].unique()
    }
    blue, line = trend_axes.BLUE, _line
    for how, shape in trend_axes.SHAPES.items():
        if how in quantified:
            yield how, words.say(how), _dot(shape, blue, filled=True)
    for key, sign, shape in (("less", "<", "v"), ("more", ">", "^")):
        if any(one.readings["censoring"].eq(sign).any() for one in drawn):
            yield key, words.say(key), _stem(shape, blue)
    if any(one.readings["doubtful"].any() for one in drawn):
        yield "doubted", words.say("doubted"), _ring
    if any(len(one.band) for one in drawn):
        yield "trend", words.say("trends.line_trend"), line(trend_axes.DARK, 1.5, band=trend_axes.DARK)
    fans = [one.fan for one in drawn if len(one.fan)]
    if any(fan["line_high"].notna().any() for fan in fans):
        yield "may", words.say("trends.line_may"), line("none", 0, band=trend_axes.ORANGE, alpha=0.6)
    if any(fan["reading_high"].notna().any() for fan in fans):
        yield "readings", words.say("trends.line_readings"), line("none", 0, band=trend_axes.PALE, alpha=1)
    if any(trend_axes.levels(sheet.limit) for sheet in there):
        yield "limit", words.say("limit_line"), line(trend_axes.RED, 1.3, dash=(0, (3, 1.5)))
    if any(sheet.row["crossing"] == "crossing expected" for sheet in there):
        yield "cross", words.say("trends.line_cross"), _crossing
    if any(len(one.eye) for one in drawn):
        yield "eye", words.say("trends.line_eye"), line(trend_axes.GREEN, 1.3, dash=(0, (1.5, 1.5)))


def _put(page: Page, name: str, xs: Sequence[float], ys: Sequence[float], **look: object) -> None:
    """Draw a line or a mark at points of the page."""
    made = Line2D([page.x(x) for x in xs], [page.high - y for y in ys], zorder=5, **look)  # type: ignore[arg-type]
    made.set_transform(page.points)
    page.figure.add_artist(made)
    page.keep(name, made)


def _dot(shape: str, colour: str, *, filled: bool) -> Signed:
    def draw(page: Page, x: float, y: float, size: float, name: str) -> None:
        _put(page, name, [x], [y], marker=shape, ms=0.62 * size, mec=colour, mew=0 if filled else 1.0,
             mfc=colour if filled else "none", ls="none")  # fmt: skip

    return draw


def _stem(shape: str, colour: str) -> Signed:
    def draw(page: Page, x: float, y: float, size: float, name: str) -> None:
        up = -1 if shape == "v" else 1
        _put(page, name, [x, x], [y + 0.15 * up * size, y - 0.5 * up * size], color=colour, lw=0.8)
        _put(page, name, [x], [y + 0.15 * up * size], marker=shape, ms=0.62 * size, mec=colour, mew=1.0,
             mfc=page.look.ground, ls="none")  # fmt: skip

    return draw


def _ring(page: Page, x: float, y: float, size: float, name: str) -> None:
    _dot("o", trend_axes.BLUE, filled=True)(page, x, y, 0.7 * size, name)
    _put(
        page, name, [x], [y], marker="o", ms=0.95 * size, mec=trend_axes.DARK, mew=0.8, mfc="none", ls="none"
    )


def _crossing(page: Page, x: float, y: float, size: float, name: str) -> None:
    _put(
        page, name, [x - 0.8 * size, x + 0.8 * size], [y, y], color=trend_axes.RED, lw=0.45 * size, alpha=0.55
    )
    _put(page, name, [x], [y], marker="D", ms=0.6 * size, color=trend_axes.RED, mew=0, ls="none")


def _line(colour: str, width: float, *, dash: object = "-", band: str = "", alpha: float = 0.16) -> Signed:
    def draw(page: Page, x: float, y: float, size: float, name: str) -> None:
        half = 0.9 * size
        if band:
            left = min(page.x(x - half), page.x(x + half))
            patch = Rectangle((left, page.high - y - 0.36 * size), 2 * half, 0.72 * size, facecolor=band, alpha=alpha,
                              linewidth=0, transform=page.points, zorder=4)  # fmt: skip
            page.figure.add_artist(patch)
            page.keep(name, patch)
        if width:
            _put(
                page,
                name,
                [x - half, x + half],
                [y, y],
                color=colour,
                lw=width,
                ls=dash,
                solid_capstyle="butt",
            )

    return draw


def _qr(page: Page, link: str, box: Box) -> None:
    """Draw the link as a QR code, dark on white whatever the look, with its rim."""
    rows = np.array([list(row) for row in segno.make(link, error="m", micro=False).matrix_iter(border=2)])
    step = box.wide / len(rows)
    left, low, _, high = page.bounds(box)
    page.panel("qr", box, face="#ffffff", inside=None)
    down, across = np.nonzero(rows)
    corner = np.column_stack([left + across * step, low + high - (down + 1) * step])
    squares = np.repeat(corner[:, None, :], 5, axis=1)
    squares += np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]) * step
    codes = np.tile([Outline.MOVETO, *[Outline.LINETO] * 3, Outline.CLOSEPOLY], len(corner))
    code = PathPatch(Outline(squares.reshape(-1, 2), codes), facecolor="#000000", linewidth=0, antialiased=False,
                     transform=page.points, zorder=6)  # fmt: skip
    page.figure.add_artist(code)
    page.keep("qr", code)
