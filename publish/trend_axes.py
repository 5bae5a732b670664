"""Draws one series into a box of a page: readings, limit, trend with its band, where it may go, a line for the eye.

The signs are those of the charts on the pages, so that page and picture say the same: filled marks were
measured (the shape says how), an open mark pointing down is less than its number, with a line down to zero
because the reading may be anywhere on it, one pointing up is more. A ring says that source or quality control
doubts a reading. Shape and fill alone tell them apart.

Time runs from left to right in every language and is drawn to scale: readings are never joined, so a year
without any is a gap. Values stand on a linear axis from zero (a range, such as pH, around its middle); there is
no other axis, so no picture is logarithmic without a word.

What surprised us: matplotlib's own date ticks depend on the locale of the machine and put months in English
between the years; with years of their own they neither crowd nor need a language.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from publish.page import Box, Page
from situation.messages import message, translated
from situation.standard import Limit
from situation.trend_sheet import Drawn, TrendSheet
from situation.visible import one_line

BLUE, DARK, ORANGE, RED, GREEN = "#0b5cad", "#333333", "#e08a00", "#b3261e", "#00805a"
PALE = "#f6d9a8"
_FRAME = "#6b7580"
#: Room that the letters of a time axis want below the box, of their size.
BELOW = 2.1
#: How a reading was measured, and the shape that says so.
SHAPES = {"laboratory": "o", "meter": "s", "sensor": "D", "strip": "P", "unknown": "X"}
#: From so many readings on the marks are small, or they hide one another.
_MANY = 150
#: From so many readings on they are pixels within a picture of lines, or no viewer opens it.
_RASTER = 5_000
#: A limit so many times beyond the readings would press them into a line: it is named at the edge instead.
_FAR = 4.0
_YEAR = 365.25  # days
_YEARS_ALONE = 4
_LEAST_SPAN = 500.0  # days
_STEPS = (1, 2, 5, 10, 20, 25, 50, 100)  # years between two ticks
_MONTHS = (1, 2, 3, 6)
#: Of the height of a shared scale, under which a series is pressed flat.
_FLAT = 0.1
#: Of all series, from which on a shared scale is given up.
_MOST_FLAT = 0.25

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Window:
    """What axes show: days since 1970 from *first* to *last*, values from *bottom* to *top*."""

    first: float
    last: float
    bottom: float
    top: float


@dataclass(frozen=True)
class Chart:
    """A box of a page that one series is drawn into; points from the upper left corner of the page.

    Attributes
    ----------
    page : Page
        Where it stands.
    name : str
        Its part of the page; those of its letters begin with it.
    axes : Axes
        Over the whole box.
    left, top, wide, high : float
        The box; time runs from left to right also on a page that does not.
    seen : Window
        What it shows.
    size : float
        Of its letters, points.
    small : bool
        Whether it is one of many.
    """

    page: Page
    name: str
    axes: Axes
    left: float
    top: float
    wide: float
    high: float
    seen: Window
    size: float
    small: bool = False

    @classmethod
    def over(
        cls, page: Page, name: str, box: Box, seen: Window, size: float, *, small: bool = False
    ) -> Chart:
        """Make room for a chart; letters of its axes stand outside the box."""
        axes = page.axes(name, box)
        axes.set_xlim(seen.first, seen.last)
        axes.set_ylim(seen.bottom, seen.top)
        axes.patch.set_visible(False)
        left = min(page.x(box.start), page.x(box.end))
        return cls(page, name, axes, left, box.top, box.wide, box.high, seen, size, small)

    def x(self, day: Any) -> Any:
        """Give where on the page a day is."""
        return self.left + (day - self.seen.first) / (self.seen.last - self.seen.first) * self.wide

    def y(self, value: Any) -> Any:
        """Give where on the page a value is."""
        return self.top + (self.seen.top - value) / (self.seen.top - self.seen.bottom) * self.high

    def letter(self, part: str, text: str, x: float, baseline: float, side: str, colour: str, *,
               inside: bool = False) -> None:  # fmt: skip
        """Write a word at a place of the page; *side* is left, right or center, as matplotlib means it."""
        face = self.page.face()
        word = Text(x, self.page.high - baseline, face.directed(text), color=colour, ha=side, va="baseline",
                    fontproperties=face.font(text, self.size), parse_math=False, zorder=6)  # fmt: skip
        word.set_transform(self.page.points)
        if inside:
            halo = withStroke(linewidth=0.35 * self.size, foreground=self.page.look.ground)
            word.set_path_effects([halo])
        self.page.figure.add_artist(word)
        self.page.keep(f"{self.name} {part}", word, self.name if inside else None)


def days(times: Any) -> Numbers:
    """Give times (UTC) as days since 1970."""
    return np.asarray(pd.DatetimeIndex(times).as_unit("us").asi8, "float64") / 86_400e6


def levels(limit: Limit | None) -> list[float]:
    """Give the numbers at which a limit is a line: none, one, or two of a range."""
    if limit is None or limit.comparison == "detected":
        return []
    if limit.comparison == "outside range":
        return [float(edge) for edge in (limit.lower, limit.upper) if edge is not None]
    return [] if limit.value is None else [float(limit.value)]


# -- what is seen -----------------------------------------------------------------------------------


def window(sheet: TrendSheet) -> Window:
    """Choose what is seen of one series: all readings, the fan, the limit if it is near; *n* must not be 0."""
    readings, fan = sheet.drawn.readings, sheet.drawn.fan
    seen = [*days(readings["time"]), *(days(fan["time"]) if len(fan) else ())]
    crossing = _crossing(sheet)
    if crossing is not None:
        seen += [crossing.first, crossing.last]
    first, last = min(seen), max(seen)
    rim = max((last - first) * 0.015, (_LEAST_SPAN - (last - first)) / 2)
    bottom, top = _values(sheet)
    return Window(first - rim, last + rim, bottom, top)


def _values(sheet: TrendSheet) -> tuple[float, float]:
    readings, fan, lines = sheet.drawn.readings, sheet.drawn.fan, levels(sheet.limit)
    low, high = float(readings["value"].min()), float(readings["value"].max())
    ranged = sheet.limit is not None and sheet.limit.comparison == "outside range"
    # A range (pH) is read around its middle; everything else against zero, or its height would mislead.
    if not ranged:
        low = min(0.0, low)
    reach = max(high - low, abs(high) * 0.05, 1e-9)
    far = (_FAR - 1) * reach
    seen = [low, high, *(level for level in lines if low - far <= level <= high + far)]
    bottom, top = min(seen), max(seen)
    if len(fan):
        # A fan that opens far would hide what was measured; the edge cuts it. An edge may be open.
        room = 0.5 * max(top - bottom, 1e-9)
        edges = fan[["estimate", "reading_low", "reading_high"]].to_numpy("float64")
        edges = edges[np.isfinite(edges)]
        top = max(top, min(float(edges.max(initial=top)), top + room))
        least = float(edges.min(initial=bottom))
        bottom = min(bottom, max(least, bottom - room)) if low < 0 or ranged else bottom
    rim = 0.06 * max(top - bottom, 1e-9)
    # What reaches the top needs room for the words that name it.
    over = any(level > top for level in lines)
    return (bottom if bottom == 0 else bottom - rim), top + (2 if over else 1) * rim


def together(windows: Sequence[Window], sheets: Sequence[TrendSheet]) -> tuple[list[Window], bool, bool]:
    """Give many charts the same axes where that leaves their readings readable.

    Returns
    -------
    windows, same_time, same_values
        A shared axis is given up when it would press the readings of more than a quarter of the series into a
        tenth of it.
    """
    if not windows:
        return [], True, True
    first, last = min(w.first for w in windows), max(w.last for w in windows)
    bottom, top = min(w.bottom for w in windows), max(w.top for w in windows)
    readings = [sheet.drawn.readings for sheet in sheets]
    time = _readable([w.last - w.first for w in windows], last - first)
    reach = [float(max(r["value"].max(), 0) - min(r["value"].min(), max(bottom, 0))) for r in readings]
    value = _readable(reach, top - bottom)
    shared = [
        Window(
            first if time else w.first,
            last if time else w.last,
            bottom if value else w.bottom,
            top if value else w.top,
        )
        for w in windows
    ]
    return shared, time, value


def _readable(own: Sequence[float], shared: float) -> bool:
    flat = sum(reach < _FLAT * shared for reach in own)
    return flat <= _MOST_FLAT * len(own)


# -- axes -------------------------------------------------------------------------------------------


def time_ticks(first: float, last: float, most: int) -> tuple[list[float], list[str]]:
    """Choose where a time axis is lettered, and how: years, or months as numbers where there are few years.

    Parameters
    ----------
    first, last : float
        Days since 1970.
    most : int
        So many years fit beside one another; a month takes half as much room again.

    Returns
    -------
    days, words

    >>> time_ticks(days(["2019-06-01T00:00Z"])[0], days(["2031-02-01T00:00Z"])[0], 6)[1]
    ['2020', '2022', '2024', '2026', '2028', '2030']
    """
    years = (last - first) / _YEAR
    start, end = (pd.Timestamp(round(day * 86_400), unit="s") for day in (first, last))
    for step in _MONTHS if years <= _YEARS_ALONE else ():
        months = pd.date_range(f"{start.year}-01-01", end, freq=f"{step}MS")
        months = months[months >= start]
        if 2 <= len(months) <= most * 2 // 3:
            return list(days(months)), [f"{month:%Y-%m}" for month in months]
    step = next((s for s in _STEPS if years / s <= most), math.ceil(years / max(most, 1) / 100) * 100)
    numbers = range(-(-start.year // step) * step, end.year + 1, step)
    at = {float(days([pd.Timestamp(year=year, month=1, day=1)])[0]): str(year) for year in numbers}
    inside = [day for day in at if first <= day <= last]
    return inside, [at[day] for day in inside]


def value_ticks(bottom: float, top: float, most: int) -> tuple[list[float], list[str]]:
    r"""Choose where an axis of values is lettered, and how.

    >>> value_ticks(0, 103, 4)
    ([0.0, 50.0, 100.0], ['0', '50', '100'])
    >>> value_ticks(12000.0, 12000.5, 3)[1]
    ['12\u202f000', '12\u202f000.25', '12\u202f000.5']
    """
    found = MaxNLocator(nbins=max(most - 1, 1), steps=[1, 2, 2.5, 5, 10]).tick_values(bottom, top)
    slack = 1e-9 * (top - bottom)
    inside = [float(value) for value in found if bottom - slack <= value <= top + slack]
    step = min(np.diff(found), default=1.0)
    # As many figures as tell two neighbours apart, and none that only rounding made.
    figures = max(6, 2 + math.ceil(math.log10(max(abs(bottom), abs(top), step) / step)))
    return inside, [number(value, min(figures, 15)) for value in inside]


def number(value: float, figures: int = 6) -> str:
    r"""Write a number of an axis or a limit: thin spaces between thousands, a real minus.

    >>> number(12000.0), number(-0.25), number(0.30000000000000004), number(1e-7)
    ('12\u202f000', '−0.25', '0.3', '1e−07')
    """
    rounded = float(f"{value:.{figures}g}") + 0.0  # no minus before a zero
    return f"{rounded:,}".removesuffix(".0").replace(",", "\u202f").replace("-", "−")


def gutter(seen: Window, high: float, size: float, page: Page) -> float:
    """Say how much room the letters of an axis of values want beside the box, points."""
    face = page.face()
    widest = max(
        (face.width(word) for word in value_ticks(seen.bottom, seen.top, _rows(high, size))[1]), default=0
    )
    return float(widest * size + 0.6 * size)


def _rows(high: float, size: float) -> int:
    return int(np.clip(high / (2.8 * size), 2, 8))


def _frame(chart: Chart, *, values: bool) -> None:
    """Draw the axes and letter them."""
    axes, seen, size, page = chart.axes, chart.seen, chart.size, chart.page
    years, words = time_ticks(seen.first, seen.last, max(1, int(chart.wide / (2.9 * size))))
    low = 0.3 * size / chart.high
    across: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "clip_on": False, "color": _FRAME}
    axes.vlines(years, 0, -low, lw=0.6, **across)
    axes.plot([seen.first, seen.last], [0, 0], lw=0.8, **across)
    for day, word in zip(years, words, strict=True):
        chart.letter(
            "time",
            word,
            chart.x(day),
            chart.top + chart.high + (BELOW - 0.3) * size,
            "center",
            page.look.soft,
        )
    at, words = value_ticks(seen.bottom, seen.top, _rows(chart.high, size))
    axes.hlines(at, seen.first, seen.last, color=page.look.line, lw=0.5, zorder=0)
    for value, word in zip(at, words, strict=True) if values else ():
        baseline = chart.y(value) + 0.35 * size
        chart.letter("values", word, chart.left - 0.45 * size, baseline, "right", page.look.soft)


# -- what is drawn ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Crossing:
    first: float
    middle: float
    last: float
    open_end: bool
    level: float


def _crossing(sheet: TrendSheet) -> _Crossing | None:
    row, lines = sheet.row, levels(sheet.limit)
    if row["crossing"] != "crossing expected" or not lines or pd.isna(row["crossing_time"]):
        return None
    open_end = bool(pd.isna(row["crossing_latest"]))
    first = row["crossing_time"] if pd.isna(row["crossing_earliest"]) else row["crossing_earliest"]
    last = sheet.until if open_end else min(row["crossing_latest"], sheet.until)
    fan = sheet.drawn.fan
    end = float(fan["estimate"].iloc[-1]) if len(fan) else lines[0]
    level = min(lines, key=lambda edge: abs(edge - end))
    start, middle, stop = days([first, row["crossing_time"], last]).tolist()
    return _Crossing(start, middle, stop, open_end, level)


def draw(
    chart: Chart, sheet: TrendSheet, *, values: bool = True, crosses: str = "", across: str = ""
) -> None:
    """Draw one series.

    Parameters
    ----------
    chart : Chart
        Where.
    sheet : TrendSheet
        With at least one reading that counts.
    values : bool
        Whether the axis of values is lettered.
    crosses : str
        Says when the line crosses the limit, if there is room.
    across : str
        A word such as SIMULATED, pale over the chart, so that it cannot be cut out unmarked.
    """
    _frame(chart, values=values)
    if across:
        _across(chart, across)
    axes, drawn = chart.axes, sheet.drawn
    _areas(axes, drawn)
    _limits(chart, sheet.limit)
    _readings(chart, drawn.readings)
    _eye(chart, drawn.eye)
    for table, dash in ((drawn.band, "-"), (drawn.fan, (0, (5, 3)))):
        if len(table):
            width = 1.1 if chart.small else 1.7
            axes.plot(days(table["time"]), table["estimate"], color=DARK, lw=width, ls=dash, zorder=7)
    _cross(chart, sheet)
    taken = _name_limits(chart, sheet)
    if crosses:
        _name_crossing(chart, sheet, crosses, taken)


def _across(chart: Chart, word: str) -> None:
    face = chart.page.face(bold=True)
    size = min(0.3 * chart.high, 0.62 * chart.wide / max(face.width(word), 0.1))
    chart.axes.text(0.5, 0.5, face.directed(word), transform=chart.axes.transAxes, ha="center", va="center", alpha=0.1,
                    fontproperties=face.font(word, size), color=chart.page.look.ink, rotation=12 if not chart.small else 0,
                    parse_math=False, zorder=2, clip_on=True)  # fmt: skip


def _areas(axes: Axes, drawn: Drawn) -> None:
    fan, band = drawn.fan, drawn.band
    for table, low, high, colour, alpha in (
        (fan, "reading_low", "reading_high", PALE, 0.75),
        (fan, "line_low", "line_high", ORANGE, 0.5),
        (band, "low", "high", DARK, 0.16),
    ):
        if len(table):
            edges = [table[name].to_numpy("float64") for name in (low, high)]
            axes.fill_between(days(table["time"]), *edges, color=colour, alpha=alpha, lw=0, zorder=1)


def _limits(chart: Chart, limit: Limit | None) -> None:
    axes, seen = chart.axes, chart.seen
    width = 1.0 if chart.small else 1.5
    for level in levels(limit):
        if seen.bottom <= level <= seen.top:
            axes.axhline(level, color=RED, lw=width, ls=(0, (5, 2.5)), zorder=3)
        else:
            # Named at the edge that it lies beyond.
            shape, at = (
                ("^", 1 - 0.5 * chart.size / chart.high)
                if level > seen.top
                else ("v", 0.5 * chart.size / chart.high)
            )
            axes.plot([0.5 * chart.size / chart.wide], [at], shape, ms=0.6 * chart.size, mew=0, color=RED,
                      transform=axes.transAxes, zorder=9)  # fmt: skip


def _readings(chart: Chart, readings: pd.DataFrame) -> None:
    axes, seen = chart.axes, chart.seen
    size = (0.42 if chart.small else 0.66) * chart.size * (1 if len(readings) <= _MANY else 0.65)
    # A reading of zero stands on the edge; its mark is whole.
    look: dict[str, Any] = {"ls": "none", "mec": BLUE, "zorder": 5, "clip_on": False}
    look["rasterized"] = len(readings) > _RASTER
    when, value = days(readings["time"]), readings["value"].to_numpy("float64")
    sign, how = readings["censoring"].to_numpy(object), readings["procedure"].to_numpy(object)
    edge = 0.7 if chart.small else 1.0
    floor = 0.0 if seen.bottom <= 0 else seen.bottom
    for mark, shape, end in (("<", "v", np.minimum(floor, value)), (">", "^", np.full(len(value), seen.top))):
        some = sign == mark
        if some.any():
            axes.vlines(when[some], value[some], end[some], color=BLUE, lw=0.8 * edge, alpha=0.55, zorder=4)
            axes.plot(when[some], value[some], shape, ms=1.15 * size, mfc="none", mew=edge, **look)
    for name, shape in SHAPES.items():
        known = np.array([method if method in SHAPES else "unknown" for method in how], object)
        some = (sign == "=") & (known == name)
        if some.any():
            axes.plot(when[some], value[some], shape, ms=size, mfc=BLUE, mew=0, **look)
    doubted = readings["doubtful"].to_numpy("bool")
    if doubted.any():
        look = look | {"mec": DARK}
        axes.plot(when[doubted], value[doubted], "o", ms=1.9 * size, mfc="none", mew=0.8 * edge, **look)


def _eye(chart: Chart, eye: pd.DataFrame) -> None:
    if not len(eye):
        return
    twice = not eye["high"].equals(eye["low"])
    for _, piece in eye.groupby("piece"):
        for name in ("low", "high") if twice else ("low",):
            width = 0.9 if chart.small else 1.4
            chart.axes.plot(days(piece["time"]), piece[name], color=GREEN, lw=width, ls=(0, (2, 2)), zorder=6)


def _cross(chart: Chart, sheet: TrendSheet) -> None:
    axes, found = chart.axes, _crossing(sheet)
    if found is None:
        return
    thick = 0.5 * chart.size
    axes.plot(
        [found.first, found.last], [found.level] * 2, color=RED, lw=thick, alpha=0.55, zorder=8,
        solid_capstyle="butt" if found.open_end else "round",
    )  # fmt: skip
    if found.open_end:
        axes.plot([found.last], [found.level], ">", color=RED, ms=1.2 * thick, mew=0, zorder=8)
    axes.plot([found.middle], [found.level], "D", color=RED, ms=0.75 * chart.size, mew=0, zorder=8)


# -- words in the chart -----------------------------------------------------------------------------


def _name_limits(chart: Chart, sheet: TrendSheet) -> Numbers:
    """Name the limits; gives where on the page marks and words are by then."""
    limit, seen, language = sheet.limit, chart.seen, chart.page.language
    under = _marks(chart, sheet)
    said = translated(limit.text(), language) if limit else ""
    for place, level in enumerate(levels(limit)):
        inside = seen.bottom <= level <= seen.top
        key = "map.series_limit" if inside else f"trends.limit_{'above' if level > seen.top else 'below'}"
        long, short = one_line(message(key, language, limit=said)), number(level)
        # Of a range one line bears all the words.
        words = [short] if chart.small or place else [long, short]
        under = _placed(chart, "limit", words, list(_beside(chart, level, inside)), under)
    return under


def _name_crossing(chart: Chart, sheet: TrendSheet, said: str, under: Numbers) -> None:
    """Say beside the red bar when the line crosses the limit."""
    found = _crossing(sheet)
    if found is None:
        return
    size, x, y = chart.size, chart.x(found.middle), chart.y(found.level)
    offsets = (1.9, -1.2, 3.2, -2.5)
    places = [(x, y + by * size, side) for by in offsets for side in ("center", "right", "left")]
    edges = [(chart.left + chart.wide, y + by * size, "right") for by in offsets]
    _placed(chart, "crossing", [said], places + edges, under)


def _placed(
    chart: Chart, part: str, words: Sequence[str], places: Sequence[tuple[float, float, str]], under: Numbers
) -> Numbers:
    """Write the first of some words that fits where it hides the least; gives what is taken by then."""
    found = _fitting(chart, words, places, under)
    if found is None:
        return under
    word, (x, baseline, side) = found
    chart.letter(part, word, x, baseline, side, RED, inside=True)
    left, top, right, bottom = _extent(chart, word, x, baseline, side)
    grid = np.meshgrid(np.linspace(left, right, 30), np.linspace(top, bottom, 5))
    # Words over words are worse than words over marks.
    return np.vstack([under, np.repeat(np.column_stack([part.ravel() for part in grid]), 20, axis=0)])


def _extent(
    chart: Chart, word: str, x: float, baseline: float, side: str
) -> tuple[float, float, float, float]:
    wide = chart.page.face().width(word) * chart.size
    left = x - {"left": 0.0, "right": wide, "center": wide / 2}[side]
    up, down = (1.35, 0.5) if chart.page.face().tall else (1.08, 0.3)
    return left, baseline - up * chart.size, left + wide, baseline + down * chart.size


def _beside(chart: Chart, level: float, inside: bool) -> Iterator[tuple[float, float, str]]:
    """Give the places where a limit may be named, the usual one first: x, baseline and side."""
    size, seen = chart.size, chart.seen
    if not inside:
        y = chart.top + 1.1 * size if level > seen.top else chart.top + chart.high - 0.3 * size
        yield chart.left + 1.1 * size, y, "left"
        return
    y = chart.y(level)
    for share, side in ((0.0, "left"), (1.0, "right"), (0.33, "left"), (0.67, "right"), (0.5, "center")):
        x = chart.left + share * chart.wide
        yield x, y - 0.4 * size, side
        yield x, y + 1.15 * size, side


def _fitting(
    chart: Chart, words: Sequence[str], places: Sequence[tuple[float, float, str]], under: Numbers
) -> tuple[str, tuple[float, float, str]] | None:
    """Choose the first of some words that fits into the chart, and the place where it hides the fewest marks."""
    for word in words:
        found = []
        for rank, place in enumerate(places):
            box = _extent(chart, word, *place)
            if _within(chart, box):
                found.append((_hidden(box, under), rank, place))
        if found:
            return word, min(found)[2]
    return None


def _within(chart: Chart, box: tuple[float, float, float, float]) -> bool:
    left, top, right, bottom = box
    return bool(
        left >= chart.left - 0.5
        and right <= chart.left + chart.wide + 0.5
        and top >= chart.top - 0.5
        and bottom <= chart.top + chart.high + 0.5
    )


def _hidden(box: tuple[float, float, float, float], under: Numbers) -> int:
    left, top, right, bottom = box
    x, y = under[:, 0], under[:, 1]
    return int(((x > left - 2) & (x < right + 2) & (y > top - 2) & (y < bottom + 2)).sum())


def _marks(chart: Chart, sheet: TrendSheet) -> Numbers:
    """Give where on the page something is drawn that words should not hide."""
    drawn, seen = sheet.drawn, chart.seen
    when, value = days(drawn.readings["time"]), drawn.readings["value"].to_numpy("float64")
    sign = drawn.readings["censoring"].to_numpy(object)
    parts = [(when, value)]
    for mark, end in (("<", seen.bottom), (">", seen.top)):
        some = sign == mark
        parts += [(when[some], value[some] + share * (end - value[some])) for share in np.linspace(0, 1, 12)]
    for table in (drawn.band, drawn.fan):
        if len(table):
            parts.append((days(table["time"]), table["estimate"].to_numpy("float64")))
    crossing = _crossing(sheet)
    if crossing is not None:
        parts.append((np.linspace(crossing.first, crossing.last, 20), np.full(20, crossing.level)))
    return np.vstack([np.column_stack([chart.x(at), chart.y(of)]) for at, of in parts])
