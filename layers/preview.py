"""A small map of an upload before it is sent: one dot a place, with what stands there in its tool tip.

Unlike the map page it carries its dots with it: they are in no store yet that could be asked for them.
There are at most :data:`MOST` of them, one little array each, drawn on one canvas.
"""

from __future__ import annotations

import folium
import numpy as np
import pandas as pd
from folium.template import Template

from layers.assets import keep_at_home
from layers.chart import HOME
from layers.escape import esc, neutralise
from layers.live import literal
from layers.places import places_of

MOST = 2000


class Dots(folium.MacroElement):
    """Dots of ``(latitude, longitude, tool tip, width)``: degrees, EPSG:4326; HTML made by ``esc``; metres.

    A place with a width is an area, and drawn as one.
    *grounds* are the addresses of the GeoJSON that is drawn under them.
    """

    _template = Template(
        """{% macro script(this, kwargs) %}
        (async function () {
          const map = {{ this._parent.get_name() }}, dots = {{ this.dots }};
          map.attributionControl.setPrefix(false);
          map.getContainer().style.background = '#e8eff3';
          map.createPane('ground').style.zIndex = 300;
          const land = {pane: 'ground', interactive: false, attribution: 'Natural Earth', style: (shape) => shape.properties.kind === 'country'
            ? {color: '#8a97a3', weight: 0.8, fillColor: '#fbfaf6', fillOpacity: 1}
            : {color: '#7fb2d4', weight: 2, fillColor: '#b9d7ea'},
            filter: (shape) => shape.geometry.type !== 'Point'};
          const look = {radius: 6, weight: 1.5, color: '#fff', fillColor: '#0b5cad', fillOpacity: 0.9};
          dots.forEach(([lat, lon, tip, width]) => (width
            // A place that is shown as an area is drawn as one.
            ? L.rectangle(L.latLng(lat, lon).toBounds(width), {...look, color: '#0b5cad', fillOpacity: 0.25})
            : L.circleMarker([lat, lon], look)).bindTooltip(tip).addTo(map));
          for (const address of {{ this.grounds }}) {
            try { L.geoJSON(await (await fetch(address)).json(), land).addTo(map); } catch (failure) {}
          }
        })();
        {% endmacro %}"""
    )

    def __init__(self, dots: list[tuple[float, float, str, float]], grounds: list[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Dots"
        self.dots = literal(dots)
        self.grounds = literal(grounds)


def places(table: pd.DataFrame) -> pd.DataFrame:
    """Fold readings to places.

    Parameters
    ----------
    table : DataFrame
        Flat form, already as the public may see it; longitude, latitude in degrees, EPSG:4326.

    Returns
    -------
    DataFrame
        ``name``, ``longitude``, ``latitude``, ``n`` readings and ``width`` in metres (0 for a point), the :data:`MOST` fullest places.
    """
    known = table[np.isfinite(table["longitude"]) & np.isfinite(table["latitude"])]
    name = known["monitoring_location_name"].fillna(known["monitoring_location_id"])
    width = known["horizontal_accuracy_m"].where(known["position_rule"].ne("exact"), 0.0).fillna(0.0)
    folded = (
        known.assign(name=name, width=width)
        .groupby(["monitoring_location_id", "longitude", "latitude"], sort=False)
        .agg(name=("name", "first"), n=("name", "size"), width=("width", "first"))
        .reset_index()
    )
    return folded.nlargest(MOST, "n")


def draw(table: pd.DataFrame, topic: str) -> folium.Map:
    """Draw the places of *table* (see :func:`places`), the map fitted around them.

    *topic* is the key of the topic whose rivers and roads lie under them.
    """
    neutralise()
    spots = places(table)
    chart = folium.Map(tiles=None, prefer_canvas=True, control_scale=True, max_zoom=19, min_zoom=1)
    dots = [
        (round(lat, 6), round(lon, 6), f"{esc(name)} ({n})", float(width))
        for name, lon, lat, n, width in spots[["name", "longitude", "latitude", "n", "width"]].itertuples(
            index=False
        )
    ]
    grounds = [f"{HOME}basemap/outlines.json"]
    if places_of(topic):
        grounds.append(f"{HOME}basemap/places/{topic}.json")
    Dots(dots, grounds).add_to(chart)
    if dots:
        west, east = spots["longitude"].min(), spots["longitude"].max()
        south, north = spots["latitude"].min(), spots["latitude"].max()
        # One well alone would be drawn at the highest zoom, which says nothing.
        chart.fit_bounds([[south - 0.01, west - 0.01], [north + 0.01, east + 0.01]])
    keep_at_home()
    return chart
