"""The map on a page: the frame that stays, the choice that travels to it, the click that comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from urllib.parse import unquote

import streamlit as st
import streamlit_folium
from streamlit_folium import st_folium

from layers import available, chart
from layers.assets import at_home
from layers.picture import Picture
from layers.places import places_of
from situation.settings import settings
from situation.status import LABELS
from situation.view import View
from store.tiles import shared_tiles
from ui import choice
from ui.words import Words

HEIGHT = 560


def _at_home(component: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap st_folium's component: it adds links of its own (d3, for colour maps) past folium's classes."""

    @wraps(component)
    def draw(*args: Any, **said: Any) -> Any:
        for links in ("js_links", "css_links"):
            said[links] = [at_home(link) for link in said.get(links, [])]
        return component(*args, **said)

    draw.at_home = True  # type: ignore[attr-defined]
    return draw


if not hasattr(streamlit_folium._component_func, "at_home"):
    streamlit_folium._component_func = _at_home(streamlit_folium._component_func)

_SAID = (
    "full_screen",
    "full_screen_off",
    "locate",
    "outlines",
    "osm",
    "osm_question",
    "osm_yes",
    "osm_no",
    "legend",
    "in_view",
    "cells_note",
    "sites_note",
    "hidden_sites",
    "come_closer",
    "old",
    "failed",
    "no_layer",
    "how",
)
_NEWS = ("new_since", "new_readings", "new_above", "new_done")


def show(say: Words, view: View, picture: Picture, asked: Mapping[str, str], alt: str = "") -> None:
    """Draw the map; a click on a site goes into the address and runs the page again.

    Parameters
    ----------
    view : View
        The choice.
    picture : Picture
        Its sites; where they are is where the map looks first.
    asked : mapping
        Parameters that the map adds to what it asks, e.g. the pass of the operator.
    alt : str
        What the map says in words, for readers who do not see it.
    """
    # Where the map looks at first is settled once: later only the browser moves it.
    box = st.session_state.setdefault("first_box", (view.topic, view.bbox))
    start = view.but(bbox=box[1] if box[0] == view.topic else None)
    answer = st_folium(
        chart.base_map(_words(say), _tiles(say)),
        key="map",
        height=HEIGHT,
        use_container_width=True,
        returned_objects=["last_object_clicked_tooltip", "last_object_clicked_count"],
        feature_group_to_add=chart.choice(
            start.but(token=asked.get("token", view.token)),
            picture.area,
            refresh=choice.refresh_seconds(),
            places=f"basemap/places/{view.topic}.json" if places_of(view.topic) else None,
            alt=alt,
        ),
    )
    clicked = new_click(answer, st.session_state.get("last_click"))
    if clicked is not None:
        st.session_state["last_click"] = clicked
        choice.put(site=clicked[1])
        st.rerun()


def new_click(answer: Mapping[str, Any] | None, before: tuple[int, str] | None) -> tuple[int, str] | None:
    """Read from what the map told whether a site was clicked that was not told before.

    >>> new_click({"last_object_clicked_count": 1, "last_object_clicked_tooltip": "well%203"}, None)
    (1, 'well 3')
    """
    told = answer or {}
    count, name = told.get("last_object_clicked_count"), told.get("last_object_clicked_tooltip")
    if not count or not name:
        return None
    clicked = (int(count), unquote(str(name)))
    return None if clicked == before else clicked


def _words(say: Words) -> dict[str, str]:
    said = {name: say.text(f"map.{name}") for name in _SAID}
    said |= {name: say.text(f"sources.{name}", n="{n}") for name in _NEWS}
    # The legend's words come from the layers, in English; the script looks them up among these.
    signs = [sign.label for layer in available().values() if layer.kind == "marks" for sign in layer.signs]
    said |= {text: say.said(text) for text in dict.fromkeys([*LABELS, *signs])}
    return said | {"sites": say.text("map.marks")}


def _tiles(say: Words) -> dict[str, Any] | None:
    path = settings().basemap
    if path is None:
        return None
    about = shared_tiles(path).about()
    return {
        "title": about.get("name") or say.text("map.own_tiles"),
        "attribution": about.get("attribution", ""),
        "max_zoom": int(about.get("maxzoom", 19)),
    }
