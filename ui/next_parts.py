"""The tab "Where to sample next" of the map page: the places of the layer as a list to take along."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from layers import sample_next
from layers.picture import Picture
from situation.properties import PROPERTIES
from situation.spreadsheet import safe_cells
from situation.view import View
from ui.plain import plain
from ui.words import Words

_KINDS = {"well": "kind_well", "wells of a square": "kind_square", "new place": "kind_new"}


def show(say: Words, view: View, picture: Picture) -> None:
    """Draw the list with its downloads, or say why there is none.

    Parameters
    ----------
    say : Words
        The language of the page.
    view : View
        The choice.
    picture : Picture
        Its sites; without any there is nothing to plan.
    """
    st.caption(say("surface.lead"))
    if not len(picture):
        st.info(say("surface.nothing"))
        return
    found = sample_next.plan(view)
    if found.refused:
        st.info(plain(say.said(found.refused)))
        return
    st.dataframe(
        table(say, found.places),
        hide_index=True,
        width="stretch",
        column_config={
            say.text("surface.col_chance"): st.column_config.NumberColumn(format="percent"),
            say.text("surface.col_doubt"): st.column_config.NumberColumn(format="percent"),
        },
    )
    if found.places["kind"].eq("wells of a square").any():
        st.caption(say("surface.squares"))
    st.caption(say("surface.means"))
    _downloads(say, view, found.places)


def table(say: Words, places: pd.DataFrame) -> pd.DataFrame:
    """Write the places under headings in the reader's language."""
    name = places["monitoring_location_name"].fillna(places["monitoring_location_id"])
    return pd.DataFrame(
        {
            say.text("surface.col_rank"): places["rank"],
            say.text("surface.col_kind"): [say.text(f"surface.{_KINDS[kind]}") for kind in places["kind"]],
            say.text("surface.col_place"): name.fillna(""),
            say.text("map.col_lon"): places["longitude"],
            say.text("map.col_lat"): places["latitude"],
            say.text("surface.col_chance"): places["chance_above"],
            say.text("surface.col_doubt"): places["doubt_taken"],
            say.text("surface.col_why"): [say.said(why) for why in places["why"]],
        }
    )


def _downloads(say: Words, view: View, places: pd.DataFrame) -> None:
    file = view.file_name("next")
    heading = f"{say.text('surface.tab')}: {PROPERTIES[view.observed_property].title}"
    with st.container(horizontal=True):
        st.download_button(
            say("surface.gpx"),
            lambda: sample_next.gpx(places, heading).encode(),
            file_name=f"{file}.gpx",
            mime="application/gpx+xml",
            icon=":material/pin_drop:",
            on_click="ignore",
        )
        st.download_button(
            say("surface.csv"),
            lambda: safe_cells(places, frozenset({"kind", "why"})).to_csv(index=False).encode(),
            file_name=f"{file}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
