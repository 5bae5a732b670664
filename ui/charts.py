"""The chart of one series: readings, limit, trend with its band, where it may go, and a line for the eye.

The Trends page and the panel beside the map draw the same chart from the same numbers
(:class:`layers.trends.Trends`). Shape and fill say what a mark is, so that no colour is needed to read it.

What surprised us: Vega reads a time without a zone as the visitor's own, and a well sampled at midnight UTC
was sampled the day before in America. Times go in as milliseconds, the scale is in UTC, and days in tool
tips are text. Vega's colour, shape and text are data here, never expressions.
"""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from layers.trends import FAN, Lines, Trends
from situation.standard import Limit
from ui.plain import bare
from ui.words import Words

HEIGHT = 300
_BLUE, _DARK, _ORANGE, _RED, _GREEN = "#0b5cad", "#333333", "#e08a00", "#b3261e", "#00805a"
_PALE = "#f6d9a8"
_YEAR_MS = 365.25 * 86_400_000
_YEARS_ALONE = 4
#: From so many readings on the marks are small, or they hide one another.
_MANY = 150
#: A limit so many times beyond the readings would press them into a line: it is named at the edge instead.
_FAR = 4.0


def series_chart(say: Words, one: Trends, place: int, *, fit: bool = False, height: int = HEIGHT) -> Any:
    """Draw one series.

    Parameters
    ----------
    say : Words
        The language.
    one : Trends
        With its readings (:func:`layers.trends.one`).
    place : int
        Row of ``one.rows``.
    fit : bool
        Fit the view to the readings even if the limit is then out of it.
    height : int
        Pixels.

    Returns
    -------
    altair.LayerChart
    """
    import altair as alt  # half a second: only when a site is opened

    readings, lines = one.of(place), one.lines(place)
    limit = one.limit if one.has_limit(place) else None
    bottom, top = _view(readings, lines, _levels(limit), ranged=_ranged(limit), fit=fit)
    y = alt.Y(
        "value:Q",
        title=bare(one.unit_text, 60),
        scale=alt.Scale(domain=[bottom, top], nice=False, zero=False),
    )
    seen = _when(readings, lines)
    x = alt.X("ms:T", title=None, scale=alt.Scale(type="utc", nice=False), axis=_axis(alt, seen))
    # Vega takes a number in a domain of time for a year; two marks that nobody sees stretch the scale.
    ends = alt.Chart(pd.DataFrame({"ms": seen}))
    parts = [
        ends.mark_point(opacity=0).encode(x=x),
        *_fan(alt, lines, x),
        *_band(alt, lines, x),
        *_limits(alt, say, limit, bottom, top),
        _dots(alt, say, one, readings, x, y),
        *_eye(alt, lines, x),
        *_line(alt, lines, x),
        *_crossing(alt, one, place, limit, x),
    ]
    return alt.layer(*parts).properties(height=height)


def alternative(say: Words, one: Trends, place: int, site: str, title: str, said: str) -> str:
    """Say in words what the chart shows, for those who do not see it."""
    return say.text("trends.chart_alt", property=title, site=bare(site, 80), said=bare(said.replace("*", "")))


def _when(readings: pd.DataFrame, lines: Lines) -> list[int]:
    """Choose what time is seen: all readings and the fan, and some months where there is but a day."""
    ends = [readings["time"].min(), readings["time"].max()]
    if len(lines.fan):
        ends.append(lines.fan["time"].iloc[-1])
    first, last = min(ends), max(ends)
    rim = max((last - first) * 0.015, (pd.Timedelta(days=500) - (last - first)) / 2)
    found: list[int] = _ms(pd.Series([first - rim, last + rim])).tolist()
    return found


def _axis(alt: Any, seen: list[int]) -> Any:
    """Write years, or months as numbers: left alone, Vega writes months in English and hides the years."""
    years = (seen[1] - seen[0]) / _YEAR_MS
    if years > _YEARS_ALONE:
        step = {"interval": "year", "step": int(np.ceil(years / 16))}
        return alt.Axis(format="%Y", tickCount=step, labelOverlap=True)
    step = {"interval": "month", "step": int(np.ceil(years * 12 / 12))}
    return alt.Axis(format="%Y-%m", tickCount=step, labelOverlap=True)


def _ms(times: pd.Series) -> pd.Series:
    return times.dt.as_unit("ms").astype("int64")


def _levels(limit: Limit | None) -> list[float]:
    if limit is None or limit.comparison == "detected":
        return []
    if limit.comparison == "outside range":
        return [float(edge) for edge in (limit.lower, limit.upper) if edge is not None]
    return [] if limit.value is None else [float(limit.value)]


def _ranged(limit: Limit | None) -> bool:
    return limit is not None and limit.comparison == "outside range"


def _view(
    readings: pd.DataFrame, lines: Lines, levels: list[float], *, ranged: bool, fit: bool
) -> tuple[float, float]:
    """Choose what part of the values is seen: all readings, near limits, and most of the fan."""
    low, high = float(readings["value"].min()), float(readings["value"].max())
    # A range (pH) is read around its middle; everything else against zero, or its height would mislead.
    if not ranged:
        low = min(0.0, low)
    reach = max(high - low, abs(high) * 0.05, 1e-9)
    seen = [low, high]
    for level in levels:
        near = low - (_FAR - 1) * reach <= level <= high + (_FAR - 1) * reach
        if near and not fit:
            seen.append(level)
    bottom, top = min(seen), max(seen)
    if len(lines.fan):
        # A fan that opens far would hide what was measured; the edge cuts it. An edge may be open.
        room = 0.5 * max(top - bottom, 1e-9)
        edges = lines.fan[["estimate", "reading_low", "reading_high"]].to_numpy("float64")
        edges = edges[np.isfinite(edges)]
        top = max(top, min(float(edges.max(initial=top)), top + room))
        least = float(edges.min(initial=bottom))
        bottom = min(bottom, max(least, bottom - room)) if low < 0 or ranged else bottom
    rim = 0.06 * max(top - bottom, 1e-9)
    if any(level > top for level in levels):
        top += rim  # room for the words that name it
    return (bottom if bottom == 0 else bottom - rim), top + rim


def _at(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(ms=_ms(table["time"])).drop(columns="time")


def _fan(alt: Any, lines: Lines, x: Any) -> list[Any]:
    if not len(lines.fan):
        return []
    told = alt.Chart(_at(lines.fan))
    return [
        told.mark_area(color=_PALE, opacity=0.75, clip=True).encode(
            x=x, y="reading_low:Q", y2="reading_high:Q"
        ),
        told.mark_area(color=_ORANGE, opacity=0.5, clip=True).encode(x=x, y="line_low:Q", y2="line_high:Q"),
    ]


def _band(alt: Any, lines: Lines, x: Any) -> list[Any]:
    if not len(lines.band):
        return []
    told = alt.Chart(_at(lines.band))
    return [told.mark_area(opacity=0.16, color=_DARK, clip=True).encode(x=x, y="low:Q", y2="high:Q")]


def _line(alt: Any, lines: Lines, x: Any) -> list[Any]:
    parts = []
    for table, dash in ((lines.band, [1, 0]), (lines.fan, [5, 3])):
        if len(table):
            told = alt.Chart(_at(table[["time", "estimate"]]))
            mark = told.mark_line(strokeWidth=2, strokeDash=dash, clip=True, color=_DARK)
            parts.append(mark.encode(x=x, y="estimate:Q"))
    return parts


def _limits(alt: Any, say: Words, limit: Limit | None, bottom: float, top: float) -> list[Any]:
    if limit is None:
        return []
    parts = []
    outside: dict[str, int] = {}
    for level in _levels(limit):
        if bottom <= level <= top:
            rule = alt.Chart(pd.DataFrame({"value": [level]}))
            parts.append(rule.mark_rule(color=_RED, strokeDash=[6, 3], strokeWidth=1.8).encode(y="value:Q"))
            # Near the top edge the words go below their line.
            under = level > bottom + 0.9 * (top - bottom)
            parts.append(
                rule.mark_text(align="left", dx=3, dy=11 if under else -6, color=_RED).encode(
                    y="value:Q",
                    x=alt.value(0),
                    text=alt.value(say.text("map.series_limit", limit=say.said(limit.text()))),
                )
            )
        else:
            outside["trends.limit_above" if level > top else "trends.limit_below"] = level > top
    for key, above in outside.items():
        edge = alt.Chart(pd.DataFrame({"value": [top if above else bottom]}))
        parts.append(
            edge.mark_text(align="left", dx=3, dy=8 if above else -8, color=_RED, fontWeight="bold").encode(
                y="value:Q",
                x=alt.value(0),
                text=alt.value(("▲ " if above else "▼ ") + say.text(key, limit=say.said(limit.text()))),
            )
        )
    return parts


def _crossing(alt: Any, one: Trends, place: int, limit: Limit | None, x: Any) -> list[Any]:
    row = one.rows.iloc[place]
    levels = _levels(limit)
    if row["crossing"] != "crossing expected" or not levels or pd.isna(row["crossing_time"]):
        return []
    first = row["crossing_earliest"] if pd.notna(row["crossing_earliest"]) else row["crossing_time"]
    last = min(row["crossing_latest"], one.until) if pd.notna(row["crossing_latest"]) else one.until
    level = levels[0] if len(levels) == 1 else min(levels, key=lambda edge: abs(edge - one.end(place)))
    times = pd.Series([first, last, row["crossing_time"]]).astype("datetime64[us, UTC]")
    start, end, middle = _ms(times).tolist()
    bar = alt.Chart(pd.DataFrame({"ms": [start], "end": [end], "value": [level]}))
    point = alt.Chart(pd.DataFrame({"ms": [middle], "value": [level]}))
    return [
        bar.mark_rule(color=_RED, strokeWidth=7, opacity=0.55, strokeCap="round").encode(
            x=x, x2="end:T", y="value:Q"
        ),
        point.mark_point(shape="diamond", size=110, filled=True, color=_RED, opacity=1).encode(
            x=x, y="value:Q"
        ),
    ]


def _eye(alt: Any, lines: Lines, x: Any) -> list[Any]:
    if not len(lines.eye):
        return []
    curves = [("low", lines.eye["low"])]
    if not lines.eye["high"].equals(lines.eye["low"]):
        curves.append(("high", lines.eye["high"]))
    pieces = lines.eye["piece"].astype("str")
    parts = [lines.eye[["time"]].assign(value=value, curve=name + pieces) for name, value in curves]
    told = alt.Chart(_at(pd.concat(parts, ignore_index=True).dropna(subset="value")))
    mark = told.mark_line(strokeDash=[2, 2], strokeWidth=1.8, opacity=0.9, clip=True, color=_GREEN)
    return [mark.encode(x=x, y="value:Q", detail="curve:N")]


def _dots(alt: Any, say: Words, one: Trends, readings: pd.DataFrame, x: Any, y: Any) -> Any:
    kinds = {
        "=": say.text("map.series_measured"),
        "<": say.text("map.series_less"),
        ">": say.text("map.series_more"),
    }
    names = list(kinds.values())
    signs = readings["censoring"].map({"=": "", "<": "< ", ">": "> "})
    told = pd.DataFrame(
        {
            "ms": _ms(readings["time"]),
            "value": readings["value"],
            "kind": readings["censoring"].map(kinds),
            "day": readings["time"].dt.strftime("%Y-%m-%d"),
            "said": [
                f"{sign}{value:.4g} {one.unit_text}"
                for sign, value in zip(signs, readings["value"], strict=True)
            ],
            "recorded": readings["recorded"].map(bare),
            "procedure": readings["procedure"],
        }
    )
    tips = [
        alt.Tooltip("day:N", title=say.text("map.col_time")),
        alt.Tooltip("said:N", title=say.text("map.col_result")),
        alt.Tooltip("recorded:N", title=say.text("map.col_recorded")),
        alt.Tooltip("procedure:N", title=say.text("map.col_method")),
    ]
    few = len(told) <= _MANY
    return (
        alt.Chart(told)
        .mark_point(size=55 if few else 24, strokeWidth=1.6 if few else 1, stroke=_BLUE, opacity=1)
        .encode(
            x=x,
            y=y,
            tooltip=tips,
            shape=alt.Shape(
                "kind:N",
                scale=alt.Scale(domain=names, range=["circle", "triangle-down", "triangle-up"]),
                legend=None,
            ),
            fill=alt.condition(alt.datum.kind == names[0], alt.value(_BLUE), alt.value("transparent")),
        )
    )


#: The signs of the legend: an SVG of 24 by 14 points each.
_SIGNS = {
    "map.series_measured": f'<circle cx="12" cy="7" r="4.5" fill="{_BLUE}"/>',
    "map.series_less": f'<path d="M6.5 3 H17.5 L12 12 Z" fill="none" stroke="{_BLUE}" stroke-width="1.6"/>',
    "map.series_more": f'<path d="M6.5 11.5 H17.5 L12 2.5 Z" fill="none" stroke="{_BLUE}" stroke-width="1.6"/>',
    "trends.line_trend": f'<rect y="2" width="24" height="10" fill="{_DARK}" opacity=".16"/>'
    f'<path d="M0 7 H24" stroke="{_DARK}" stroke-width="2"/>',
    "trends.line_may": f'<rect y="2" width="24" height="10" fill="{_ORANGE}" opacity=".6"/>',
    "trends.line_readings": f'<rect y="2" width="24" height="10" fill="{_PALE}"/>',
    "trends.line_cross": f'<path d="M2 7 H22" stroke="{_RED}" stroke-width="6" opacity=".55"/>'
    f'<path d="M12 1.5 L17 7 L12 12.5 L7 7 Z" fill="{_RED}"/>',
    "trends.line_eye": f'<path d="M0 7 H24" stroke="{_GREEN}" stroke-width="2" stroke-dasharray="2 2"/>',
}


def legend(say: Words, one: Trends, place: int) -> str:
    """Say what the signs of one chart mean, as HTML that breaks into lines on a phone; only what it has."""
    readings, lines = one.of(place), one.lines(place)
    there = {
        "map.series_measured": readings["censoring"].eq("=").any(),
        "map.series_less": readings["censoring"].eq("<").any(),
        "map.series_more": readings["censoring"].eq(">").any(),
        "trends.line_trend": len(lines.band),
        "trends.line_may": len(lines.fan) and lines.fan["line_high"].notna().any(),
        "trends.line_readings": len(lines.fan) and lines.fan["reading_high"].notna().any(),
        "trends.line_cross": one.rows["crossing"].iloc[place] == "crossing expected",
        "trends.line_eye": len(lines.eye),
    }
    parts = [
        f'<span style="white-space:nowrap">{_sign(name)} {escape(say.text(name))}</span>'
        for name, shown in there.items()
        if shown
    ]
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:.1rem 1rem;font-size:.8rem;opacity:.85">'
        + "".join(parts)
        + "</div>"
    )


def _sign(name: str) -> str:
    # st.html takes <svg> out, but leaves a picture whose address is that drawing.
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 14">{_SIGNS[name]}</svg>'
    address = b64encode(drawing.encode()).decode()
    return f'<img alt="" width="24" height="14" src="data:image/svg+xml;base64,{address}">'


def fan_percent() -> int:
    """Say how many of a hundred single readings the fan is drawn for."""
    return round(FAN * 100)
