"""A page of a given size in points with named parts: what every picture that leaves is laid out on.

Places are told in points from the upper start corner (left in English, right in Arabic): the page mirrors
itself for languages that are written from right to left. Text is measured, broken and placed line by line
before anything is drawn. What stands on the page is asked of the drawing (:meth:`Page.parts`), not of pixels,
so that a test can say of every size and language that nothing is missing, outside, cut or on top of another.

What surprised us: matplotlib counts a figure in inches and pixels; with 72 dots to the inch a pixel is a point,
and the resolution is chosen only when the page is saved.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from publish.lettering import DRAWING, Face, Lines, face_of, fitted, wrapped
from publish.sizes import Size
from situation.messages import right_to_left
from situation.visible import one_line

_POINTS = 72  # to the inch
_RC: dict[Any, Any] = {
    "svg.hashsalt": "commonsight",
    "svg.fonttype": "path",
    "pdf.fonttype": 3,
    "text.hinting": "no_hinting",
    "text.parse_math": False,
    "axes.unicode_minus": False,
    "path.simplify": True,
    "font.family": ["DejaVu Sans"],
    "savefig.pad_inches": 0,
}
_BODY, _BODY_AREA, _GROWTH = 7.4, 612.0 * 432.0, 0.35


@dataclass(frozen=True)
class Look:
    """The colours of a page."""

    ground: str = "#ffffff"
    panel: str = "#f4f2ec"
    ink: str = "#1d2327"
    soft: str = "#50585e"
    line: str = "#c9c5bb"
    land: str = "#f3f0e7"
    water: str = "#d3e2ea"
    river: str = "#8fb4c9"
    border: str = "#a39c8f"
    built: str = "#e4ddcd"
    inset_land: str = "#e6e1d5"
    alarm: str = "#8a1a1f"
    notice: str = "#5a3d00"


LOOKS: Mapping[str, Look] = {
    "light": Look(ground="#fdfcf9"),
    "print": Look(
        panel="#ffffff",
        land="#ffffff",
        water="#dfe8ec",
        built="#e6e6e6",
        inset_land="#efefef",
        river="#8aa9b8",
        border="#8d8d8d",
        line="#b9b9b9",
    ),
}


@dataclass(frozen=True)
class Box:
    """A place on the page: points from the upper start corner, ``top`` less than ``bottom``."""

    start: float
    top: float
    end: float
    bottom: float

    @property
    def wide(self) -> float:
        """Width, points."""
        return self.end - self.start

    @property
    def high(self) -> float:
        """Height, points."""
        return self.bottom - self.top

    def inner(self, by: float) -> Box:
        """Give the box without a rim."""
        return Box(self.start + by, self.top + by, self.end - by, self.bottom - by)

    def overlaps(self, other: Box, slack: float = 0.5) -> bool:
        """Say whether two boxes have more in common than a hair (points)."""
        return (
            min(self.end, other.end) - max(self.start, other.start) > slack
            and min(self.bottom, other.bottom) - max(self.top, other.top) > slack
        )

    def holds(self, other: Box, slack: float = 0.5) -> bool:
        """Say whether another box lies inside, but for a hair (points)."""
        return (
            other.start >= self.start - slack
            and other.end <= self.end + slack
            and other.top >= self.top - slack
            and other.bottom <= self.bottom + slack
        )


@dataclass(frozen=True)
class Block:
    """One paragraph of a column; sizes are of the column's own.

    Attributes
    ----------
    name : str
        Part of the page that it belongs to; blocks of one name are one part.
    text : str
        What it says.
    scale : float
        Size of its type, of the column's.
    bold : bool
        Whether it is set bold.
    colour : str or None
        The page's ink where there is none.
    gap : float
        Space above it, of the column's size; left out at the top.
    most : int or None
        So many lines at most; None never shortens it.
    squeezed : int or None
        So many lines at most when nothing else helps; None is ``most``.
    count : str
        A number at the end of its first line.
    sign : callable or None
        Draws a sign before it: ``sign(page, x, y, size)`` about a point of the page.
    """

    name: str
    text: str
    scale: float = 1.0
    bold: bool = False
    colour: str | None = None
    gap: float = 0.0
    most: int | None = None
    squeezed: int | None = None
    count: str = ""
    sign: Callable[[Page, float, float, float], None] | None = None


_INDENT = 2.1  # of a block's size: room for a sign


@dataclass
class Page:
    """A page; made once, written on, saved once.

    Attributes
    ----------
    size : Size
        As in :mod:`publish.sizes`.
    look : Look
        Its colours.
    language : str
        Whose direction it is laid out in.
    """

    size: Size
    look: Look
    language: str
    inside: dict[str, str] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        wide, high = self.size.inches
        self.figure = Figure(figsize=(wide, high), dpi=_POINTS, facecolor=self.look.ground)
        FigureCanvasAgg(self.figure)
        self.wide, self.high = wide * _POINTS, high * _POINTS
        self.right_to_left = right_to_left(self.language)
        self._artists: dict[str, list[Artist]] = {}

    @property
    def body(self) -> float:
        """Size of running text that suits the page, points."""
        return float(_BODY * (self.wide * self.high / _BODY_AREA) ** _GROWTH)

    @property
    def least(self) -> float:
        """The smallest type that is still read on this page, points."""
        return max(5.6, 0.78 * self.body)

    def face(self, *, bold: bool = False) -> Face:
        """Give the face of the page's language."""
        return face_of(self.language, bold=bold, right_to_left=self.right_to_left)

    # ---- placing ----

    def x(self, start: float) -> float:
        """Give the figure's x of a distance from the start edge, points."""
        return self.wide - start if self.right_to_left else start

    def bounds(self, box: Box) -> tuple[float, float, float, float]:
        """Give left, bottom, width and height of a box, points from the lower left corner."""
        left = min(self.x(box.start), self.x(box.end))
        return left, self.high - box.bottom, box.wide, box.high

    def keep(self, name: str, artist: Artist, inside: str | None = None) -> None:
        """Count an artist to a named part, which may lie inside another."""
        self._artists.setdefault(name, []).append(artist)
        if inside:
            self.inside[name] = inside

    def axes(self, name: str, box: Box, inside: str | None = None) -> Axes:
        """Make room for a drawing: axes without ticks or frame over a box."""
        left, low, wide, high = self.bounds(box)
        made = self.figure.add_axes((left / self.wide, low / self.high, wide / self.wide, high / self.high))
        made.set_axis_off()
        self.keep(name, made.patch, inside)
        return made

    def panel(self, name: str, box: Box, *, face: str | None, edge: str | None = None, inside: str | None = None,
              above: float = 0.0) -> None:  # fmt: skip
        """Draw a rectangle."""
        left, low, wide, high = self.bounds(box)
        patch = Rectangle((left, low), wide, high, facecolor=face or "none", edgecolor=edge or "none",
                          linewidth=0.6 if edge else 0, zorder=above, transform=self.points)  # fmt: skip
        self.figure.add_artist(patch)
        self.keep(name, patch, inside)

    def rule(self, start: float, end: float, y: float) -> None:
        """Draw a thin line across."""
        xs = [self.x(start), self.x(end)]
        self.figure.add_artist(
            Line2D(xs, [self.high - y] * 2, color=self.look.line, linewidth=0.6, transform=self.points)
        )

    def line(self, name: str, text: str, start: float, baseline: float, size: float, *, face: Face, colour: str,
             align: str = "start", inside: str | None = None, above: float = 5.0) -> None:  # fmt: skip
        """Write one line of clean text; *align* is start, middle or end, *baseline* counted from the top."""
        left_to_right = {"start": "left", "end": "right", "middle": "center"}
        mirrored = {"start": "right", "end": "left", "middle": "center"}
        side = (mirrored if self.right_to_left else left_to_right)[align]
        words = Text(self.x(start), self.high - baseline, face.directed(text), color=colour,
                     fontproperties=face.font(text, size), ha=side, va="baseline", parse_math=False,
                     zorder=above)  # fmt: skip
        words.set_transform(self.points)
        self.figure.add_artist(words)
        self.keep(name, words, inside)

    @property
    def points(self) -> Any:
        """The transform from points to the figure, whatever its resolution."""
        return matplotlib.transforms.Affine2D().scale(1 / _POINTS) + self.figure.dpi_scale_trans

    def lines(self, name: str, lines: Lines, start: float, top: float, *, colour: str | None = None,
              align: str = "start", inside: str | None = None, above: float = 5.0) -> float:  # fmt: skip
        """Write lines one below the other; gives where they end (points from the top)."""
        y = top
        for line in lines.lines:
            self.line(name, line, start, y + lines.size * lines.face.rise, lines.size, face=lines.face,
                      colour=colour or self.look.ink, align=align, inside=inside, above=above)  # fmt: skip
            y += lines.size * lines.face.leading
        if lines.shortened:
            self.cut.add(name)
        return y

    def text(self, name: str, text: str, box: Box, *, size: float, least: float | None = None, bold: bool = False,
             colour: str | None = None, align: str = "start", inside: str | None = None) -> float:  # fmt: skip
        """Write a text into a box (:func:`publish.lettering.fitted`); gives where it ends."""
        found = fitted(
            one_line(text),
            box.wide,
            box.high,
            size=size,
            least=least or self.least,
            face=self.face(bold=bold),
        )
        x = {"start": box.start, "end": box.end, "middle": (box.start + box.end) / 2}[align]
        return self.lines(name, found, x, box.top, colour=colour, align=align, inside=inside)

    # ---- columns ----

    def column(self, blocks: Sequence[Block], box: Box, size: float, *, least: float | None = None) -> float:
        """Write blocks one below the other into a box, as large as they go; gives where they end.

        When they do not fit at the floor, blocks are held to their ``squeezed`` number of lines.
        """
        laid = self.measured(blocks, box.wide, box.high, size, least=least)
        y = box.top
        for number, (block, lines, unit) in enumerate(laid):
            y += block.gap * unit if number else 0
            y = self._block(block, lines, unit, box, y)
        return y

    def measured(self, blocks: Sequence[Block], wide: float, high: float, size: float, *,
                 least: float | None = None) -> list[tuple[Block, Lines, float]]:  # fmt: skip
        """Break blocks for a column without drawing them: each with its lines and the column's size."""
        floor = min(size, least or self.least)
        now = size
        while True:
            laid = [(block, self._lines(block, wide, now, block.most), now) for block in blocks]
            if column_high(laid) <= high:
                return laid
            if now <= floor:
                break
            now = max(floor, now * 0.97)
        return self._squeezed(blocks, wide, high, floor)

    def _squeezed(
        self, blocks: Sequence[Block], wide: float, high: float, size: float
    ) -> list[tuple[Block, Lines, float]]:
        """Take lines from the longest block that may lose some, until all fit or none may lose more."""
        most = [len(self._lines(block, wide, size, block.most).lines) for block in blocks]
        while True:
            laid = [
                (block, self._lines(block, wide, size, n), size)
                for block, n in zip(blocks, most, strict=True)
            ]
            open_ones = [
                (n, number)
                for number, (block, n) in enumerate(zip(blocks, most, strict=True))
                if block.squeezed is not None and n > block.squeezed
            ]
            if column_high(laid) <= high or not open_ones:
                return laid
            most[max(open_ones)[1]] -= 1

    def _lines(self, block: Block, wide: float, size: float, most: int | None) -> Lines:
        indent = _INDENT * size if block.sign else 0.0
        size, face = size * block.scale, self.face(bold=block.bold)
        count = (face.width(block.count) + 0.6) * size if block.count else 0.0
        return wrapped(one_line(block.text), max(wide - indent - count, 4 * size), size, face, most)

    def _block(self, block: Block, lines: Lines, unit: float, box: Box, top: float) -> float:
        indent = 0.0
        if block.sign:
            indent = _INDENT * unit
            centre = top + 0.5 * lines.size * lines.face.leading
            block.sign(self, box.start + 0.75 * unit, centre, unit)
        if block.count:
            count = replace(lines, lines=(block.count,), shortened=False)
            self.lines(block.name, count, box.end, top, colour=block.colour, align="end")
        return self.lines(block.name, lines, box.start + indent, top, colour=block.colour)

    # ---- what stands on it ----

    def parts(self) -> dict[str, Box]:
        """Say where each part lies, read from the drawing.

        Returns
        -------
        dict of str to Box
            In points. Which of them lie inside another is in ``inside``, which were shortened in ``cut``.
        """
        with drawing():
            self.figure.set_dpi(_POINTS)
            renderer = RendererAgg(int(self.wide) + 1, int(self.high) + 1, _POINTS)  # type: ignore[no-untyped-call]
            return {
                name: self._box(Bbox.union([artist.get_window_extent(renderer) for artist in artists]))  # type: ignore[arg-type]
                for name, artists in self._artists.items()
            }

    def _box(self, found: Bbox) -> Box:
        left, right = (
            (self.wide - found.x1, self.wide - found.x0) if self.right_to_left else (found.x0, found.x1)
        )
        return Box(float(left), float(self.high - found.y1), float(right), float(self.high - found.y0))

    def save(self, path: Path, *, title: str, about: str, source: str) -> None:
        """Save the page; the ending of *path* chooses PNG, SVG or PDF. The same page is the same bytes."""
        with drawing():
            ending = path.suffix.lower()
            said = {"Title": one_line(title), "Description": one_line(about)}
            if ending == ".png":
                canvas = FigureCanvasAgg(self.figure)
                meta: dict[str, Any] = said | {"Source": one_line(source), "Software": "Commonsight"}
            elif ending == ".svg":
                canvas = FigureCanvasSVG(self.figure)  # type: ignore[assignment]
                meta = said | {"Source": one_line(source), "Date": None, "Creator": "Commonsight"}
            else:
                canvas = FigureCanvasPdf(self.figure)  # type: ignore[assignment]
                meta = {"Title": one_line(title), "Subject": one_line(about), "Creator": "Commonsight",
                        "Producer": f"matplotlib {matplotlib.__version__}", "CreationDate": None}  # fmt: skip
            canvas.print_figure(path, dpi=self.size.dpi, metadata=meta, facecolor=self.look.ground,
                                bbox_inches=None)  # fmt: skip


def column_high(laid: Sequence[tuple[Block, Lines, float]]) -> float:
    """Add up the height of measured blocks, points."""
    return sum(
        lines.high + (block.gap * unit if number else 0) for number, (block, lines, unit) in enumerate(laid)
    )


@contextmanager
def drawing() -> Iterator[None]:
    """Hold matplotlib: one thread draws, with our settings, and missing signs are boxes without a word."""
    with DRAWING, matplotlib.rc_context(_RC), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*[Gg]lyph.*missing.*")
        yield
