"""A small map of an upload before it is sent: one dot a place, with what stands there in its tool tip.

Unlike the map page it carries its dots with it: they are in no store yet that could be asked for them.
There are at most :data:`MOST` of them, one little array each, drawn on one canvas.
"""

from __future__ import annotations

import json

import folium
import numpy as np
import pandas as pd
from folium.template import Template

from layers.assets import keep_at_home
from layers.escape import esc, neutralise

MOST = 2000


class Dots(folium.MacroElement):
    """Dots of ``[latitude, longitude, tool tip]`` (degrees, EPSG:4326; HTML made by ``esc``)."""

    _template = Template(
        """{% macro script(this, kwargs) %}
        (function () {
          const map = {{ this._parent.get_name() }}, dots = {{ this.dots }};
          const look = {radius: 6, weight: 1.5, color: '#fff', fillColor: '#0b6e8f', fillOpacity: 0.9};
          dots.forEach(dot => L.circleMarker([dot[0], dot[1]], look).bindTooltip(dot[2]).addTo(map));
        })();
        {% endmacro %}"""
    )

    def __init__(self, dots: list[tuple[float, float, str]]) -> None:
        super().__init__()
        self._name = "Dots"
        self.dots = json.dumps(dots).replace("<", "\\u003c")


def places(table: pd.DataFrame) -> pd.DataFrame:
    """Fold readings to places.

    Parameters
    ----------
    table : DataFrame
        Flat form, already as the public may see it; longitude, latitude in degrees, EPSG:4326.

    Returns
    -------
    DataFrame
        ``name``, ``longitude``, ``latitude`` and ``n`` readings, the :data:`MOST` fullest places.
    """
    known = table[np.isfinite(table["longitude"]) & np.isfinite(table["latitude"])]
    name = known["monitoring_location_name"].fillna(known["monitoring_location_id"])
    folded = (
        known.assign(name=name)
        .groupby(["monitoring_location_id", "longitude", "latitude"], sort=False)
        .agg(name=("name", "first"), n=("name", "size"))
        .reset_index()
    )
    return folded.nlargest(MOST, "n")


def draw(table: pd.DataFrame) -> folium.Map:
    """Draw the places of *table* (see :func:`places`), the map fitted around them."""
    neutralise()
    spots = places(table)
    chart = folium.Map(tiles=None, prefer_canvas=True, control_scale=True, max_zoom=19, min_zoom=1)
    dots = [
        (round(lat, 6), round(lon, 6), f"{esc(name)} ({n})")
        for name, lon, lat, n in zip(spots["name"], spots["longitude"], spots["latitude"], spots["n"], strict=True)
    ]
    Dots(dots).add_to(chart)
    if dots:
        west, east = spots["longitude"].min(), spots["longitude"].max()
        south, north = spots["latitude"].min(), spots["latitude"].max()
        # One well alone would be drawn at the highest zoom, which says nothing.
        chart.fit_bounds([[south - 0.01, west - 0.01], [north + 0.01, east + 0.01]])
    keep_at_home()
    return chart
