"""The map itself: drawn once, the same bytes for every visitor, data and choices come later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import folium
from folium.plugins import Fullscreen, LocateControl

from layers import available
from layers.assets import keep_at_home, packed
from layers.escape import neutralise
from layers.live import Choice, Live
from situation.view import View

# Relative to the frame that shows the map, /component/…/index.html, so that a base path is honoured.
HOME = "../../"
OSM = {
    "url": "https://tile.openstreetmap.org/{z}/{x}/{y}.png",
    "attribution": '&copy; <a href="https://www.openstreetmap.org/copyright">OpenStreetMap</a> contributors',
    "max_zoom": 19,
}


def base_map(words: Mapping[str, str], tiles: Mapping[str, Any] | None = None) -> folium.Map:
    """Draw the empty map with its controls.

    Parameters
    ----------
    words : mapping
        What the map says, by the keys that ``layers/live.js`` reads.
    tiles : mapping, optional
        The operator's own raster map: ``title``, ``attribution``, ``max_zoom``.
    """
    neutralise()
    chart = folium.Map(
        location=[0, 0],
        zoom_start=2,
        tiles=None,
        prefer_canvas=True,
        control_scale=True,
        min_zoom=1,
        max_zoom=19,
        world_copy_jump=True,
    )
    Fullscreen(position="topleft", title=words["full_screen"], title_cancel=words["full_screen_off"]).add_to(
        chart
    )
    LocateControl(position="topleft", strings={"title": words["locate"]}, flyTo=False).add_to(chart)
    Live(list(available().values()), _setup(words, tiles)).add_to(chart)
    keep_at_home()
    return chart


def warm() -> None:
    """Pack the assets of the map before the first browser asks for them."""
    for links in (
        element for cls in (Live, Fullscreen, LocateControl, folium.Map) for element in _links(cls)
    ):
        packed(links.rsplit("/", 1)[-1])


def _links(cls: type[Any]) -> list[str]:
    keep_at_home()
    return [link for kind in ("default_js", "default_css") for _, link in getattr(cls, kind, [])]


def _setup(words: Mapping[str, str], tiles: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "api": f"{HOME}api/",
        "words": dict(words),
        "outlines": {
            "title": words["outlines"],
            "url": f"{HOME}basemap/outlines.json",
            "style": {"color": "#8a97a3", "weight": 0.8, "fillColor": "#fbfaf6", "fillOpacity": 1},
        },
        "shapes": {
            "river": {"color": "#7fb2d4", "weight": 3, "fill": False},
            "lake": {"color": "#7fb2d4", "weight": 1, "fillColor": "#b9d7ea"},
            "road": {"color": "#b9b2a5", "weight": 2, "fill": False},
            "village": {"color": "#c9bfae", "weight": 1, "fillColor": "#e9e2d4"},
            "yard": {"color": "#b89b7a", "weight": 1, "fillColor": "#e3cfb4"},
        },
        "named": ["village", "yard", "town", "place"],
        "tiles": dict(tiles) | {"url": f"{HOME}basemap/tiles/{{z}}/{{x}}/{{y}}"} if tiles else None,
        "osm": OSM
        | {
            "title": words["osm"],
            "question": words["osm_question"],
            "yes": words["osm_yes"],
            "no": words["osm_no"],
        },
    }


def choice(
    view: View,
    area: tuple[float, float, float, float],
    *,
    refresh: int = 30,
    places: str | None = None,
    alt: str = "",
) -> Choice:
    """Say what the map shows now; goes beside :func:`base_map`, which stays as it is.

    Parameters
    ----------
    view : View
        The choice; its ``bbox`` is where the map looks at the start.
    area : tuple of float
        West, south, east, north in degrees (WGS 84): where it looks without one.
    refresh : int
        Seconds between two looks for new data; 0 for never.
    places : str, optional
        Address, from the app's root, of rivers, roads and villages to draw under the sites.
    alt : str
        What the map says in words, for readers who do not see it.
    """
    asked = view.but(bbox=None, zoom=None, site=None, since=None).to_params()
    return Choice(
        {
            "topic": view.topic,
            "query": urlencode(asked, quote_via=quote),
            "area": list(area),
            "box": list(view.bbox) if view.bbox else None,
            "site": view.site,
            "refresh": refresh,
            "places": f"{HOME}{places}" if places else None,
            "alt": alt,
        }
    )
