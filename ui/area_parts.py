"""The tab "By area" of the map page: the same shares as the layer draws, as a table, with downloads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import streamlit as st

from layers import areas as layer
from situation import areas as polygons
from situation import region
from situation.errors import DataFileError
from situation.view import View
from ui import cached, choice
from ui.map_parts import year_ago
from ui.plain import plain
from ui.words import Words

#: Up to so many sites the comparison with an earlier day is made unasked.
_AT_ONCE = 50_000


def fitting(view: View) -> View:
    """Give the view with a set of areas that its topic has: an old link may name another's."""
    known = polygons.sets_of(layer.shown_topic(view))
    return view if view.areas is None or view.areas in known else view.but(areas=None)


def show(say: Words, view: View) -> None:
    """Draw the choice of areas, the table and the downloads."""
    st.caption(say("areas.lead"))
    _choose(say, view)
    try:
        made = cached.regions(view)
    except DataFileError as wrong:  # a file of the operator's: the rest of the page stands
        st.error(plain(str(wrong)))
        return
    if not len(made):
        st.info(say("areas.none"))
        return
    if made.has_limit:
        st.caption(say("areas.not_random"))
    else:
        st.info(say("areas.not_limit"))
    rows = table(say, made)
    _drawn(say, rows)
    _notes(say, made)
    day = view.since or year_ago(view).isoformat()
    # Comparing a million sites takes seconds: only who wants to know waits for it.
    if made.has_limit and (len(made) <= _AT_ONCE or st.toggle(say("areas.change_ask", day=day))):
        changed = cached.region_changes(view.but(period=f"/{day}"), view)
        st.caption(say("areas.change_note", day=day))
        _drawn(say, change_table(say, made, changed))
    _downloads(say, view, day)


def _drawn(say: Words, rows: pd.DataFrame) -> None:
    columns = st.column_config
    shares = [say.text(f"areas.{name}") for name in ("col_share", "col_then", "col_now")]
    st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        column_config={name: columns.NumberColumn(format="%.1f") for name in shares if name in rows},
    )


def _choose(say: Words, view: View) -> None:
    known = polygons.sets_of(layer.shown_topic(view))
    st.session_state["choice_areas"] = view.areas or next(iter(known))
    st.selectbox(
        say("areas.which"),
        list(known),
        key="choice_areas",
        format_func=lambda key: known[key].title,
        on_change=_keep,
        width=360,
    )
    st.caption(say("areas.show"))


def _keep() -> None:
    choice.put(areas=str(st.session_state["choice_areas"]))


def table(say: Words, made: layer.Regions) -> pd.DataFrame:
    """Write the shares as the page shows them: the largest share first, what lies in no area last.

    Parameters
    ----------
    made : Regions
        The counts; countries without sites are left out, and columns that would be empty.
    """
    rows = _ordered(made, made.table)
    shown: dict[str, Iterable[object]] = {"col_area": _areas(say, rows)}
    unsure = rows["inconclusive"].gt(0)
    if made.has_limit:
        shown |= {
            "col_share": 100 * rows["share"],
            "col_interval": _between(say, rows["share_low"], rows["share_high"]),
            "col_above": rows["above"],
            "col_judged": rows["judged"],
        }
    shown["col_sites"] = rows["sites"]
    if made.has_limit and unsure.any():
        shown["col_inconclusive"] = rows["inconclusive"]
        shown["col_bounds"] = _between(
            say, rows["share_least"].where(unsure), rows["share_most"].where(unsure)
        )
    shown["col_stale"] = rows["stale"]
    if rows["near_border"].any():
        shown["col_border"] = rows["near_border"]
    sure = [_sure(say, row) for row in rows.to_dict("records")] if made.has_limit else []
    if any(sure):
        shown["col_said"] = sure
    return _titled(say, shown)


def change_table(say: Words, made: layer.Regions, changed: pd.DataFrame) -> pd.DataFrame:
    """Write what changed in each area, in the same order.

    Parameters
    ----------
    made : Regions
    changed : DataFrame
        From :func:`layers.areas.changed`, row for row.
    """
    rows = _ordered(made, pd.concat([made.table, changed], axis="columns"))
    shown = {
        "col_area": _areas(say, rows),
        "col_compared": rows["compared"],
        "col_new": rows["newly_above"],
        "col_back": rows["back_below"],
        "col_then": 100 * rows["share_then"],
        "col_now": 100 * rows["share_now"],
        "col_not_again": rows["not_read_again"],
        "col_first": rows["first_read"],
    }
    return _titled(say, shown)


def _ordered(made: layer.Regions, rows: pd.DataFrame) -> pd.DataFrame:
    inside = rows["kind"].eq(region.AREA)
    keep = rows["sites"].gt(0) | (inside & (made.file.key != polygons.COUNTRIES))
    return (
        rows[keep]
        .assign(last=~inside)
        .sort_values(["last", "share", "judged"], ascending=[True, False, False], kind="stable")
    )


def _areas(say: Words, rows: pd.DataFrame) -> list[str]:
    own = {region.OUTSIDE: say.text("areas.outside"), region.NO_PLACE: say.text("areas.no_place")}
    return [own.get(kind, name) for kind, name in zip(rows["kind"], rows["area"], strict=True)]


def _titled(say: Words, shown: Mapping[str, Iterable[object]]) -> pd.DataFrame:
    return pd.DataFrame({say.text(f"areas.{key}"): list(column) for key, column in shown.items()})


def _between(say: Words, low: pd.Series, high: pd.Series) -> list[str]:
    return [
        ""
        if np.isnan(one)
        else say.text("areas.between", low=region.percent(one), high=region.percent(other))
        for one, other in zip(low, high, strict=True)
    ]


def _sure(say: Words, row: dict[str, object]) -> str:
    if not row["sites"]:
        return say.text("areas.nobody")
    return say.text("areas.few") if row["class"] == region.TOO_FEW else ""


def _notes(say: Words, made: layer.Regions) -> None:
    counts = {
        "hidden": int(made.found.near_border.sum()),
        "several": made.found.several,
        "mended": made.areas.mended,
    }
    for key, number in counts.items():
        if number:
            st.caption(say(f"areas.{key}", n=number))
    if made.file.key == polygons.COUNTRIES:
        st.caption(say("areas.rough"))


def _downloads(say: Words, view: View, day: str) -> None:
    asked = urlencode(
        view.but(bbox=None, zoom=None, site=None, since=day).to_params() | {"lang": say.language}
    )
    with st.container(horizontal=True):
        st.link_button(say("areas.download"), f"api/areas.csv?{asked}", icon=":material/download:")
        st.link_button(say("areas.geojson"), f"api/areas.geojson?{asked}", icon=":material/data_object:")
