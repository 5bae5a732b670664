"""The chart of one series: readings, limit, trend with its band, where it may go, and a line for the eye.

The Trends page and the panel beside the map draw the same chart from the same numbers
(:class:`layers.trends.Trends`). Shape and fill say what a mark is, so that no colour is needed to read it.

What surprised us: Vega reads a time without a zone as the visitor's own, and a well sampled at midnight UTC
was sampled the day before in America. Times go in as milliseconds, the scale is in UTC, and days in tool
tips are text. Vega's colour, shape and text are data here, never expressions.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from layers.trends import FAN, Lines, Trends
from situation.standard import Limit
from ui.plain import bare
from ui.words import Words

HEIGHT = 300
_BLUE, _DARK, _ORANGE, _RED, _GREEN = "#0b5cad", "#333333", "#e08a00", "#b3261e", "#00805a"
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
    x = alt.X("ms:T", title=None, scale=alt.Scale(type="utc"))
    parts = [
        *_fan(alt, say, lines, x),
        *_band(alt, say, lines, x),
        *_limits(alt, say, limit, bottom, top),
        *_crossing(alt, say, one, place, limit, x),
        *_eye(alt, say, lines, x),
        _dots(alt, say, one, readings, x, y),
    ]
    return alt.layer(*parts).resolve_scale(color="shared").properties(height=height)


def alternative(say: Words, one: Trends, place: int, site: str, title: str, said: str) -> str:
    """Say in words what the chart shows, for those who do not see it."""
    return say.text("trends.chart_alt", property=title, site=bare(site, 80), said=bare(said.replace("*", "")))


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
        # A fan that opens far would hide what was measured; the edge cuts it.
        room = 0.5 * max(top - bottom, 1e-9)
        top = max(top, min(float(lines.fan["reading_high"].max()), top + room))
        least = float(lines.fan["reading_low"].min())
        bottom = min(bottom, max(least, bottom - room)) if low < 0 or ranged else bottom
    rim = 0.06 * max(top - bottom, 1e-9)
    return (bottom if bottom == 0 else bottom - rim), top + rim


def _what(alt: Any, say: Words) -> Any:
    """Give the one colour scale of everything that is not a reading, so that there is one legend."""
    signs = {
        "trends.line_trend": _DARK,
        "trends.line_may": _ORANGE,
        "trends.line_readings": "#f6d9a8",
        "trends.line_cross": _RED,
        "trends.line_eye": _GREEN,
    }
    return alt.Scale(domain=[say.text(name) for name in signs], range=list(signs.values()))


def _colour(alt: Any, say: Words, name: str) -> Any:
    legend = alt.Legend(title=None, orient="bottom", columns=3, symbolType="stroke", symbolStrokeWidth=4)
    return alt.Color("what:N", scale=_what(alt, say), legend=legend)


def _named(table: pd.DataFrame, say: Words, name: str) -> pd.DataFrame:
    return table.assign(ms=_ms(table["time"]), what=say.text(name)).drop(columns="time")


def _fan(alt: Any, say: Words, lines: Lines, x: Any) -> list[Any]:
    if not len(lines.fan):
        return []
    wide = alt.Chart(_named(lines.fan, say, "trends.line_readings")).mark_area(opacity=0.75, clip=True)
    near = alt.Chart(_named(lines.fan, say, "trends.line_may"))
    return [
        wide.encode(
            x=x, y="reading_low:Q", y2="reading_high:Q", color=_colour(alt, say, "trends.line_readings")
        ),
        near.mark_area(opacity=0.45, clip=True).encode(
            x=x, y="line_low:Q", y2="line_high:Q", color=_colour(alt, say, "trends.line_may")
        ),
        near.mark_line(strokeDash=[5, 3], strokeWidth=1.6, clip=True, color=_DARK).encode(
            x=x, y="estimate:Q"
        ),
    ]


def _band(alt: Any, say: Words, lines: Lines, x: Any) -> list[Any]:
    if not len(lines.band):
        return []
    told = alt.Chart(_named(lines.band, say, "trends.line_trend"))
    return [
        told.mark_area(opacity=0.16, color=_DARK, clip=True).encode(x=x, y="low:Q", y2="high:Q"),
        told.mark_line(strokeWidth=2, clip=True).encode(
            x=x, y="estimate:Q", color=_colour(alt, say, "trends.line_trend")
        ),
    ]


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
                    text=alt.value(say.text("map.series_limit", limit=limit.text())),
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
                text=alt.value(("▲ " if above else "▼ ") + say.text(key, limit=limit.text())),
            )
        )
    return parts


def _crossing(alt: Any, say: Words, one: Trends, place: int, limit: Limit | None, x: Any) -> list[Any]:
    row = one.rows.iloc[place]
    levels = _levels(limit)
    if row["crossing"] != "crossing expected" or not levels or pd.isna(row["crossing_time"]):
        return []
    first = row["crossing_earliest"] if pd.notna(row["crossing_earliest"]) else row["crossing_time"]
    last = min(row["crossing_latest"], one.until) if pd.notna(row["crossing_latest"]) else one.until
    level = levels[0] if len(levels) == 1 else min(levels, key=lambda edge: abs(edge - one.end(place)))
    times = pd.Series([first, last, row["crossing_time"]]).astype("datetime64[us, UTC]")
    start, end, middle = _ms(times).tolist()
    bar = pd.DataFrame(
        {"ms": [start], "end": [end], "value": [level], "what": [say.text("trends.line_cross")]}
    )
    point = pd.DataFrame({"ms": [middle], "value": [level]})
    return [
        alt.Chart(bar)
        .mark_rule(strokeWidth=7, opacity=0.55, strokeCap="round")
        .encode(x=x, x2="end:T", y="value:Q", color=_colour(alt, say, "trends.line_cross")),
        alt.Chart(point)
        .mark_point(shape="diamond", size=110, filled=True, color=_RED, opacity=1)
        .encode(x=x, y="value:Q"),
    ]


def _eye(alt: Any, say: Words, lines: Lines, x: Any) -> list[Any]:
    if not len(lines.eye):
        return []
    curves = [("low", lines.eye["low"])]
    if not lines.eye["high"].equals(lines.eye["low"]):
        curves.append(("high", lines.eye["high"]))
    parts = [lines.eye[["time"]].assign(value=value, curve=name) for name, value in curves]
    told = _named(pd.concat(parts, ignore_index=True).dropna(subset="value"), say, "trends.line_eye")
    return [
        alt.Chart(told)
        .mark_line(strokeDash=[2, 2], strokeWidth=1.8, opacity=0.9, clip=True)
        .encode(x=x, y="value:Q", detail="curve:N", color=_colour(alt, say, "trends.line_eye"))
    ]


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
    legend = alt.Legend(title=None, orient="bottom", symbolStrokeColor=_BLUE)
    return (
        alt.Chart(told)
        .mark_point(size=55, strokeWidth=1.6, stroke=_BLUE, opacity=1)
        .encode(
            x=x,
            y=y,
            tooltip=tips,
            shape=alt.Shape(
                "kind:N",
                scale=alt.Scale(domain=names, range=["circle", "triangle-down", "triangle-up"]),
                legend=legend,
            ),
            fill=alt.condition(alt.datum.kind == names[0], alt.value(_BLUE), alt.value("transparent")),
        )
    )


def fan_percent() -> int:
    """Say how many of a hundred single readings the fan is drawn for."""
    return round(FAN * 100)
