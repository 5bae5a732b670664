"""The panel beside the map: what was measured at one site, how it stands, and where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from layers.picture import Picture, words
from layers.site import Sheet, series
from situation.properties import PROPERTIES
from situation.spreadsheet import safe_cells
from situation.standard import Limit, standard_named
from situation.status import STYLE
from situation.view import View
from ui import cached, choice
from ui.plain import bare, plain
from ui.words import Words

_MOST_ROWS = 500
_MOST_NAMES = 2_000


def show(say: Words, view: View, shown: Picture) -> None:
    """Draw the panel of the chosen site, or say how to choose one."""
    st.subheader(say("map.panel"))
    _find(say, view, shown)
    if view.site is None:
        st.info(say("map.panel_none"), icon=":material/touch_app:")
        return
    one = cached.site(view)
    if one is None:
        st.warning(say("map.panel_gone"), icon=":material/search_off:")
        return
    _heading(say, view, one)
    _latest(say, one)
    _series(say, view, one)
    _origin(say, one)


def _find(say: Words, view: View, shown: Picture) -> None:
    """Choose a site by name: for keyboards, screen readers, and when the map is too full."""
    near = shown.sites.iloc[shown.marks[:_MOST_NAMES]]
    names = {
        str(site): bare(f"{name or site} ({STYLE[status].label})", 80)
        for site, name, status in zip(
            near["monitoring_location_id"],
            near["monitoring_location_name"].fillna(""),
            near["status"],
            strict=True,
        )
    }
    if view.site and view.site not in names:
        names[view.site] = bare(view.site, 80)
    st.session_state["choice_site"] = view.site
    st.selectbox(
        say("map.panel_choose"),
        [None, *names],
        key="choice_site",
        format_func=lambda site: "–" if site is None else names[site],
        on_change=_keep_site,
        label_visibility="collapsed",
    )


def _keep_site() -> None:
    choice.put(site=st.session_state["choice_site"])


def _heading(say: Words, view: View, one: Sheet) -> None:
    st.markdown(f"**{plain(one.name or one.site)}**" + (f" · {plain(one.kind)}" if one.kind else ""))
    if one.hidden:
        st.caption(say("map.panel_area", n=one.hidden, metres=round(view.chosen_topic.grid_m)))


def _latest(say: Words, one: Sheet) -> None:
    st.caption(say("map.panel_latest"))
    rows = one.latest
    table = pd.DataFrame(
        {
            say.text("map.col_substance"): [PROPERTIES[key].title for key in rows["observed_property"]],
            say.text("map.col_result"): words(rows),
            say.text("map.col_limit"): [_limit(say, row) for row in rows.to_dict("records")],
            say.text("map.col_status"): [
                say.text("map.outside").lower()
                if status == "above" and comparison == "outside range"
                else STYLE[status].label
                for status, comparison in zip(rows["status"], rows["limit_comparison"], strict=True)
            ],
            say.text("map.col_time"): rows["phenomenon_time"].dt.strftime("%Y-%m-%d"),
        }
    )
    narrow = [say.text(f"map.col_{name}") for name in ("limit", "time")]
    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        column_config={name: st.column_config.Column(width="small") for name in narrow},
    )


def _limit(say: Words, row: Mapping[str, Any]) -> str:
    if row["limit_comparison"] == "outside range":
        return f"{row['limit_lower']:g}–{row['limit_upper']:g}"
    return say.text("map.no_limit") if pd.isna(row["limit"]) else f"{row['limit']:g}"


def _series(say: Words, view: View, one: Sheet) -> None:
    measured = [key for key in one.history["observed_property"].dropna().unique() if key in PROPERTIES]
    if not measured:
        return
    first = measured.index(view.observed_property) if view.observed_property in measured else 0
    key = st.segmented_control(
        say("map.col_substance"),
        measured,
        default=measured[first],
        format_func=lambda name: PROPERTIES[name].title,
        label_visibility="collapsed",
        key=f"series_{view.site}_{view.observed_property}",
    )
    if key is None:
        return
    limit = standard_named(view.standard).limit(key)
    table, left_out = series(one, key, limit)
    title = PROPERTIES[key].title
    st.caption(say("map.panel_series", property=title))
    if len(table):
        st.altair_chart(draw(say, table, limit), width="stretch")
    if left_out:
        unit = table["unit"].iloc[0] if len(table) else (limit.unit if limit else "")
        st.caption(say("map.panel_unit_note", n=left_out, unit=unit))


def draw(say: Words, table: pd.DataFrame, limit: Limit | None):  # type: ignore[no-untyped-def]
    """Draw readings over time: filled marks measured, open marks known only to be less or more.

    Parameters
    ----------
    table : DataFrame
        As :func:`layers.site.series` gives it.
    limit : Limit, optional
        Drawn as a line, or as two for a range; in the unit of the table.

    Returns
    -------
    altair.LayerChart
    """
    import altair as alt  # half a second: only when a site is opened

    kinds = {
        "=": say.text("map.series_measured"),
        "<": say.text("map.series_less"),
        ">": say.text("map.series_more"),
    }
    told = table.assign(kind=table["censoring"].map(kinds), recorded=table["recorded"].map(bare))
    x = alt.X("time:T", title=None)
    y = alt.Y("value:Q", title=bare(table["unit"].iloc[0]), scale=alt.Scale(zero=True))
    tips = [
        alt.Tooltip("time:T", format="%Y-%m-%d", title=say.text("map.col_time")),
        alt.Tooltip("recorded:N", title=say.text("map.col_recorded")),
        alt.Tooltip("method:N", title=say.text("map.col_method")),
    ]
    line = alt.Chart(told[told["censoring"] == "="]).mark_line(strokeWidth=1, opacity=0.5, color="#0b5cad")
    names = list(kinds.values())
    dots = (
        alt.Chart(told)
        .mark_point(size=70, strokeWidth=1.8, color="#0b5cad", opacity=1)
        .encode(
            x=x,
            y=y,
            tooltip=tips,
            shape=alt.Shape(
                "kind:N",
                scale=alt.Scale(domain=names, range=["circle", "triangle-down", "triangle-up"]),
                legend=alt.Legend(title=None, orient="bottom"),
            ),
            fill=alt.condition(alt.datum.kind == names[0], alt.value("#0b5cad"), alt.value("transparent")),
        )
    )
    layers = [line.encode(x=x, y=y, detail="method:N"), dots]
    for level in _levels(limit):
        rule = alt.Chart(pd.DataFrame({"level": [level], "said": [limit.text() if limit else ""]}))
        layers.append(rule.mark_rule(color="#b3261e", strokeDash=[6, 3], strokeWidth=1.8).encode(y="level:Q"))
        layers.append(
            rule.mark_text(align="left", dx=3, dy=-6, color="#b3261e").encode(
                y="level:Q", x=alt.value(0), text=alt.value(say.text("map.series_limit", limit=limit.text()))
            )
            if limit
            else rule.mark_rule()
        )
    return alt.layer(*layers).properties(height=240)


def _levels(limit: Limit | None) -> list[float]:
    if limit is None or limit.comparison == "detected":
        return []
    if limit.comparison == "outside range":
        return [float(edge) for edge in (limit.lower, limit.upper) if edge is not None]
    return [] if limit.value is None else [float(limit.value)]


def _origin(say: Words, one: Sheet) -> None:
    with st.expander(say("map.panel_readings"), icon=":material/fact_check:"):
        rows = one.history.head(_MOST_ROWS)
        names = {
            "phenomenon_time": "time",
            "observed_property_name": "substance",
            "result_text": "recorded",
            "procedure": "method",
            "review_state": "state",
            "batch_id": "batch",
            "source_id": "source",
            "contributor": "contributor",
            "licence": "licence",
            "source_row": "row",
        }
        told = rows[[name for name in names if name in rows.columns]].copy()
        told["phenomenon_time"] = told["phenomenon_time"].dt.strftime("%Y-%m-%d %H:%M")
        told["result_text"] = rows["result_text"].str.cat(rows["unit_source"].fillna(""), sep=" ")
        told = told.rename(columns={old: say.text(f"map.col_{new}") for old, new in names.items()})
        st.dataframe(told, hide_index=True, width="stretch")
        if len(one.history) > len(rows):
            st.caption(say("map.panel_more", shown=len(rows), n=len(one.history)))
        st.download_button(
            say("map.panel_download"),
            lambda: safe_cells(one.history).to_csv(index=False).encode(),
            file_name="readings.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
