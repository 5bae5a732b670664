"""The parts of the Trends page: the sentence, the table of all series, and a chart for each chosen one.

The panel beside the map says the same of its site through :func:`explained`.

What is chosen in the table goes into the address as ``site`` (the first) and ``also`` (the others), so that a
link opens the same charts. What surprised us: a table's own state and the address can disagree after a link
is opened in the same tab; then the address is right, and the table is begun anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import streamlit as st

from layers import trends as found
from layers.picture import choice_of
from layers.trends import Trends
from situation.properties import PROPERTIES
from situation.result import slope
from situation.spreadsheet import safe_cells
from situation.standard import standard_named
from situation.status import label
from situation.view import View
from ui import cached, charts, choice
from ui.plain import bare, plain
from ui.words import Ready, Words

_MOST_ROWS = 5_000
_MOST_CHARTS = 6
_HEIGHT, _ROW = 360, 35  # pixels of the table, and of one of its rows

_TREND = {"rising": "rising", "falling": "falling", "no clear trend": "flat", "not enough readings": "few"}
_CROSSING = {
    "crossing expected": "crossing_expected",
    "crossed already": "crossing_already",
    "beyond the horizon": "crossing_beyond",
    "no sign of crossing": "crossing_none",
    "moving away": "crossing_away",
    "not enough readings": "few",
    "no limit": "crossing_no_limit",
    "no line": "crossing_no_line",
}
_CONFIRMED = {
    "confirmed": "confirmed_yes",
    "not confirmed": "confirmed_no",
    "single reading": "confirmed_single",
    "not enough readings": "confirmed_few",
    "no exceedance": "confirmed_none",
    "no limit": "confirmed_no_limit",
}
_SERIAL = {"not checked": "serial_unchecked", "none found": "serial_none"}
_ARROWS = {"rising": "↗", "falling": "↘", "no clear trend": "→", "not enough readings": "·"}


def _word(say: Words, words: dict[str, str], key: object, **values: object) -> str:
    name = words.get(str(key))
    return say.text(f"trends.{name}", **values) if name else str(key)


# -- the sentence -----------------------------------------------------------------------------------


def top(say: Words, view: View, shown: Trends) -> None:
    """Say in words how many rise, fall and may cross; every number is counted from the table below."""
    rows = shown.rows
    trend = rows["trend"].value_counts()
    title = PROPERTIES[view.observed_property].title
    standard = standard_named(view.standard).title
    told = say(
        "trends.sentence",
        property=title,
        sites=shown.sites,
        n=len(rows),
        rising=int(trend.get("rising", 0)),
        falling=int(trend.get("falling", 0)),
        none=int(trend.get("no clear trend", 0)),
        few=int(trend.get("not enough readings", 0)),
    )
    st.markdown(told)
    if shown.limit is None:
        st.markdown(say("trends.sentence_no_limit", standard=standard))
    else:
        crossing, sure = rows["crossing"].value_counts(), rows["confirmed"].value_counts()
        st.markdown(
            say(
                "trends.sentence_limit",
                limit=say.said(shown.limit.text()),
                standard=standard,
                expected=int(crossing.get("crossing expected", 0)),
                already=int(crossing.get("crossed already", 0)),
                years=f"{shown.horizon_years:g}",
                confirmed=int(sure.get("confirmed", 0)),
                single=int(sure.get("single reading", 0) + sure.get("not confirmed", 0)),
            )
        )
    if shown.left_out:
        reasons = "; ".join(f"{n} {say.said(reason)}".rstrip(".") for reason, n in shown.left_out.items())
        st.caption(say("trends.left_out", n=sum(shown.left_out.values()), reasons=Ready(plain(reasons, 600))))


# -- the table --------------------------------------------------------------------------------------


def table(say: Words, view: View, shown: Trends) -> list[int]:
    """Draw the table of all series, and give the rows that are chosen in it or by the address."""
    st.caption(say("trends.table_lead", unit=shown.unit_text or PROPERTIES[view.observed_property].title))
    rows = shown.rows.iloc[:_MOST_ROWS]
    chosen = _from_address(view, shown)
    key = _key(view, shown)
    answer = st.dataframe(
        _told(say, rows, shown),
        key=key,
        hide_index=True,
        width="stretch",
        height=min(_HEIGHT, _ROW * (len(rows) + 1) + 3),
        column_config=_columns(say),
        on_select=lambda: _keep(key, shown),
        selection_mode="multi-row",
        placeholder="–",
        selection_default={"selection": {"rows": [row for row in chosen if row < len(rows)]}},
    )
    if len(shown.rows) > len(rows):
        st.caption(say("trends.table_many", shown=len(rows), n=len(shown.rows)))
    _downloads(say, view, shown)
    picked = [int(row) for row in answer["selection"]["rows"] if row < len(rows)]
    return picked or ([] if st.session_state.get(key) and _touched(key) else chosen)


def _key(view: View, shown: Trends) -> str:
    """Name the table for its data and for the address it was opened with, until somebody selects in it."""
    address = (view.site, *_also())
    if st.session_state.get("trends_wrote") != address:
        st.session_state["trends_wrote"] = address
        st.session_state["trends_opened"] = st.session_state.get("trends_opened", 0) + 1
    data = abs(hash((shown.version, *choice_of(view)))) % 10**8
    return f"trends_table_{data}_{st.session_state['trends_opened']}"


def _touched(key: str) -> bool:
    return st.session_state.get("trends_touched") == key


def _keep(key: str, shown: Trends) -> None:
    """Write into the address whose rows are selected."""
    picked = st.session_state[key]["selection"]["rows"]
    sites = list(dict.fromkeys(str(shown.rows["monitoring_location_id"].iloc[row]) for row in picked))
    st.session_state["trends_touched"] = key
    st.session_state["trends_wrote"] = (sites[0] if sites else None, *sites[1:])
    choice.put(site=sites[0] if sites else None)
    if sites[1:]:
        st.query_params["also"] = sites[1:]
    else:
        st.query_params.pop("also", None)


def _also() -> tuple[str, ...]:
    return tuple(site[:500] for site in st.query_params.get_all("also")[:_MOST_CHARTS])


def _from_address(view: View, shown: Trends) -> list[int]:
    sites = [site for site in (view.site, *_also()) if site]
    ids = shown.rows["monitoring_location_id"]
    chosen = [int(row) for site in sites for row in np.flatnonzero((ids == site).to_numpy())]
    return list(dict.fromkeys(chosen))[:_MOST_CHARTS]


def _told(say: Words, rows: pd.DataFrame, shown: Trends) -> pd.DataFrame:
    year = shown.until.year
    comparison = shown.limit.comparison if shown.limit else None
    day = "datetime64[ms]"
    out = {
        "site": [bare(site_name(row), 80) for row in rows.to_dict("records")],
        "series": [kind_of(say, row) for row in rows.to_dict("records")],
        "trend": [f"{_ARROWS.get(name, '')} {_word(say, _TREND, name)}" for name in rows["trend"]],
        "slope": rows["slope"],
        "low": rows["slope_low"],
        "high": rows["slope_high"],
        "p": rows["p"],
        "crossing": [
            _word(say, _CROSSING, "no line" if name == "no limit" and shown.limit else name, year=year)
            for name in rows["crossing"]
        ],
        "when": rows["crossing_time"].dt.tz_localize(None).astype(day),
        "earliest": rows["crossing_earliest"].dt.tz_localize(None).astype(day),
        "latest": rows["crossing_latest"].dt.tz_localize(None).astype(day),
        "status": [say.said(label(str(name), comparison)) for name in rows["status"]],
        "confirmed": [_word(say, _CONFIRMED, name) for name in rows["confirmed"]],
        "n": rows["n"],
        "censored": rows["share_censored"] * 100,
        "first": rows["first_time"].dt.tz_localize(None).astype(day),
        "last": rows["last_time"].dt.tz_localize(None).astype(day),
    }
    told = pd.DataFrame(out)
    # What does not tell two series of one site apart only takes room.
    apart = rows["monitoring_location_id"].duplicated().any() or told["series"].nunique() > 1
    return told if apart else told.drop(columns="series")


def _columns(say: Words) -> dict[str, Any]:
    config = st.column_config
    helped = {"slope", "low", "high", "p", "censored", "when", "latest"}
    made: dict[str, Any] = {}
    for name in (
        "site", "series", "trend", "slope", "low", "high", "p", "crossing", "when", "earliest", "latest",
        "status", "confirmed", "n", "censored", "first", "last",
    ):  # fmt: skip
        label = say.text(f"trends.col_{name}")
        help_text = say.text(f"trends.help_{name}") if name in helped else None
        if name in ("first", "last", "when", "earliest", "latest"):
            made[name] = config.DateColumn(label, format="YYYY-MM", help=help_text, width="small")
        elif name in ("slope", "low", "high", "p"):
            made[name] = config.NumberColumn(label, format="%.3g", help=help_text, width="small")
        elif name == "censored":
            made[name] = config.NumberColumn(label, format="%.0f %%", help=help_text, width="small")
        else:
            made[name] = config.Column(label, pinned=name == "site", width="small" if name == "n" else None)
    return made


def site_name(row: Any) -> str:
    """Give the name of a row's site, or its identifier where it has none."""
    name = row["monitoring_location_name"]
    return str(name) if isinstance(name, str) and name else str(row["monitoring_location_id"])


def kind_of(say: Words, row: Any) -> str:
    """Say which series of its site a row is: ``dissolved, 12 m deep, test strip``; often nothing."""
    parts = []
    if isinstance(row["sample_fraction"], str) and row["sample_fraction"]:
        parts.append(bare(row["sample_fraction"], 40))
    if pd.notna(row["depth_m"]):
        parts.append(say.text("trends.depth", metres=f"{row['depth_m']:g}"))
    if row["strip"] == "yes":
        parts.append(say.text("trends.strip"))
    return ", ".join(parts)


def _downloads(say: Words, view: View, shown: Trends) -> None:
    with st.container(horizontal=True):
        st.download_button(
            say("trends.download"),
            lambda: safe_cells(shown.rows, found.CLOSED).to_csv(index=False).encode(),
            file_name=view.file_name("trends.csv"),
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        asked = urlencode(view.but(bbox=None, zoom=None, site=None).to_params())
        st.link_button(say("trends.json"), f"api/trends.json?{asked}", icon=":material/data_object:")


# -- what was chosen --------------------------------------------------------------------------------


def chosen(say: Words, view: View, shown: Trends, picked: Sequence[int]) -> None:
    """Draw the charts of the chosen rows, each with what it says in words."""
    if not picked:
        gone = view.site is not None and not (shown.rows["monitoring_location_id"] == view.site).any()
        st.info(say("trends.pick_gone" if gone else "trends.table_none"), icon=":material/touch_app:")
        return
    fit = st.toggle(say("trends.zoom"), key="trends_fit")
    for row in picked[:_MOST_CHARTS]:
        with st.container(border=True):
            _one(say, view, shown, row, fit=fit)
    if len(picked) > _MOST_CHARTS:
        st.caption(say("trends.pick_most", shown=_MOST_CHARTS))
    notes(say, shown)


def _one(say: Words, view: View, shown: Trends, row: int, *, fit: bool) -> None:
    told = shown.rows.iloc[row]
    site = str(told["monitoring_location_id"])
    kind = kind_of(say, told)
    st.markdown(f"##### {plain(site_name(told), 80)}" + (f" · {plain(kind)}" if kind else ""))
    one = cached.site_trends(view.but(site=site))
    place = None if one is None else found.same(shown, row, one)
    if one is not None and place is not None:
        explained(say, view, one, place, fit=fit)
    st.page_link(
        "map.py",
        label=say("trends.on_map"),
        icon=":material/map:",
        query_params=view.but(site=site, bbox=None, zoom=None).to_params(),
    )


def explained(
    say: Words, view: View, one: Trends, place: int, *, fit: bool = False, height: int = charts.HEIGHT
) -> None:
    """Draw the chart of one series and say what it shows, how sure that is, and by what method.

    Parameters
    ----------
    say, view
        As everywhere.
    one : Trends
        With its readings.
    place : int
        Row of ``one.rows``.
    fit : bool
        Fit the view to the readings.
    height : int
        Of the chart, pixels.
    """
    row = one.rows.iloc[place]
    sentence = trend_sentence(say, one, place)
    if row["n"]:
        title = PROPERTIES[one.observed_property].title
        st.altair_chart(
            charts.series_chart(say, one, place, fit=fit, height=height),
            width="stretch",
            alt=charts.alternative(
                say, one, place, site_name(row), title, trend_sentence(say, one, place, markdown=False)
            ),
        )
        st.html(charts.legend(say, one, place))
    st.markdown(sentence)
    if row["trend"] != "not enough readings":
        told = plain(say.said(_text(row["said"])), 600)
        st.markdown(f"**{told}**" if row["crossing"] == "crossing expected" else told)
    lines = one.lines(place)
    if lines.ends is not None:
        st.caption(say("trends.said_zero", year=str(lines.ends.year)))
    if lines.bent:
        st.caption(say(f"trends.said_bent_{lines.bent}"), help=say("trends.said_bent_help"))
    if row["crossing"] == "crossing expected":
        st.caption(say("trends.said_interval"))
    if one.has_limit(place) and row["confirmed"] not in ("no exceedance", "no limit"):
        st.markdown(
            say(
                "trends.said_confirmed",
                confirmed=_word(say, _CONFIRMED, row["confirmed"]),
                why=say.said(_text(row["confirmed_why"])),
            )
        )
    if row["trend"] != "not enough readings":
        serial = _SERIAL.get(str(row["serial_correlation"]), "serial_found")
        st.caption(
            say("trends.said_method", method=str(row["method"]), serial=say.text(f"trends.{serial}"))
            + (f" {plain(say.said(_text(row['why'])))}" if _text(row["why"]) else "")
        )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def trend_sentence(say: Words, one: Trends, place: int, *, markdown: bool = True) -> str:
    """Say the trend of one series in a sentence, in Markdown or as plain text."""
    row = one.rows.iloc[place]
    tell = say if markdown else say.text
    if row["trend"] == "not enough readings":
        return tell("trends.said_few", why=say.said(_text(row["why"])))
    return tell(
        "trends.said_trend",
        trend=_word(say, _TREND, row["trend"]).capitalize(),
        slope=slope(row["slope"]),
        low=slope(row["slope_low"]),
        high=slope(row["slope_high"]),
        unit=one.unit_text,
        confidence=f"{row['confidence'] * 100:g}",
        p=Ready("p < 0.001" if row["p"] < 0.001 else f"p = {row['p']:.3f}"),
        n=int(row["n"]),
        censored=int(row["n_censored"]),
        first=_day(row["first_time"]),
        last=_day(row["last_time"]),
    )


def notes(say: Words, one: Trends) -> None:
    """Say once what the marks, bands and dashes of the charts mean."""
    year = str(one.until.year)
    st.caption(
        "  \n".join(
            [
                say("trends.said_line", confidence="95", fan=str(charts.fan_percent()), year=year),
                say("trends.said_eye"),
                say("trends.said_censored"),
            ]
        )
    )


def _day(time: pd.Timestamp) -> str:
    return "–" if pd.isna(time) else f"{time:%Y-%m-%d}"
