"""The panel beside the map: what was measured at one site, how it stands, and where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from layers.picture import Picture
from layers.site import Sheet
from layers.trends import Trends
from situation.properties import PROPERTIES
from situation.result import words
from situation.spreadsheet import safe_cells
from situation.standard import standard_named
from situation.status import STYLE, label
from situation.view import View
from ui import cached, choice, trend_parts
from ui.plain import bare, plain
from ui.words import Words

_MOST_ROWS = 500
_MOST_NAMES = 2_000
_HEIGHT = 270  # pixels of the chart


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
                else say.said(label(status, comparison))
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
    told = say.text("map.no_limit") if pd.isna(row["limit"]) else f"{row['limit']:g}"
    if row["limit_comparison"] == "outside range":
        told = f"{row['limit_lower']:g}–{row['limit_upper']:g}"
    others = row.get("other_limits")
    return f"{told} ({others})" if others else told


def _series(say: Words, view: View, one: Sheet) -> None:
    # Sums over several substances stand among the newest; nobody recorded them as such.
    named = [one.history["observed_property"], one.latest.get("observed_property", pd.Series(dtype="str"))]
    measured = [key for key in pd.concat(named).dropna().unique() if key in PROPERTIES]
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
    st.caption(say("map.panel_series", property=PROPERTIES[key].title))
    found = cached.site_trends(view, key)
    if found is None:
        return
    place = _which(say, view, found)
    trend_parts.explained(say, view, found, place, height=_HEIGHT)
    _other_limits(say, view, key, found)
    if found.left_out:
        reasons = "; ".join(f"{n} {say.said(reason)}".rstrip(".") for reason, n in found.left_out.items())
        st.caption(say("trends.left_out", n=sum(found.left_out.values()), reasons=reasons))
    with st.expander(say("trends.how_to_read"), icon=":material/help:"):
        trend_parts.notes(say, found)
    st.page_link(
        "trends.py",
        label=say("trends.to_trends"),
        icon=":material/trending_up:",
        query_params=view.but(observed_property=key, bbox=None, zoom=None).to_params(),
    )


def _which(say: Words, view: View, found: Trends) -> int:
    """Choose one series of the site: the one with most readings, unless somebody asks for another."""
    order = found.rows["n"].sort_values(ascending=False, kind="stable").index.tolist()
    if len(order) == 1:
        return 0
    kinds = [trend_parts.kind_of(say, row) for row in found.rows.to_dict("records")]
    names = {
        place: f"{number}. " + ", ".join(filter(None, (kinds[place], f"n = {found.rows['n'][place]}")))
        for number, place in enumerate(order, 1)
    }
    chosen = st.selectbox(
        say("trends.col_series"),
        order,
        format_func=names.__getitem__,
        key=f"which_{view.site}_{found.observed_property}",
    )
    return int(order[0] if chosen is None else chosen)


def _other_limits(say: Words, view: View, key: str, found: Trends) -> None:
    """Name the other tiers: what is acceptable beside what is permissible, taste beside health."""
    standard = standard_named(view.standard)
    others = [limit for limit in standard.limits_for(key, found.now.date()) if limit != found.limit]
    if others:
        told = "; ".join(
            say.text("trends.other_limit", limit=limit.text(), kind=limit.tier or limit.kind)
            for limit in others
        )
        st.caption(say("trends.said_other_limits", standard=standard.title, limits=told))


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
