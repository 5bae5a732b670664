"""Where to sample next: numbered places on the map, and the same as a list that people take along.

The places come from ``situation/sampling.py`` and what has passed :func:`situation.privacy.public`: a household's
well is its square here too.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import pandas as pd

import store
from layers import Layer, Sign
from layers import picture as pictures
from layers import surface as surfaces
from layers.shelf import Shelf
from situation.errors import NoSurface
from situation.properties import PROPERTIES
from situation.sampling import COLUMNS, next_places
from situation.settings import settings
from situation.view import View

KINDS = ("well", "wells of a square", "new place")

LAYER = Layer(
    key="sample_next",
    title="Where to sample next",
    paint="code",
    signs=(
        Sign("a known well", "#00573f", "circle", 10.0),
        Sign("wells of a square (exact places are not shown)", "#7a1f5c", "square", 10.0),
        Sign("a place without a known well", "#1f3f8f", "diamond", 10.0),
    ),
    order=45,
    kind="points",
    source="next",
)
NOTE = (
    "Numbered by how much doubt about the limit a sample there takes away, after those before. What is already "
    "clear is not proposed."
)
# What XML 1.0 does not allow, and what turns the direction of writing round.
_UNFIT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


@dataclass(frozen=True)
class Plan:
    """The places, one a row (columns of ``situation/sampling.py``), or the sentence why there are none."""

    places: pd.DataFrame
    refused: str = ""

    def __len__(self) -> int:
        return len(self.places)


_shelf: Shelf[Plan] = Shelf(most=32, most_rows=10_000)


def plan(view: View, now: pd.Timestamp | None = None) -> Plan:
    """List where to sample next for a view; kept by data version and choice."""
    moment = now if now is not None else pd.Timestamp.now("UTC")
    return _shelf.get(pictures.key_of(view, moment), lambda: _plan(view, moment))


def forget() -> None:
    """Drop every kept plan (tests)."""
    _shelf.clear()


def _plan(view: View, now: pd.Timestamp) -> Plan:
    made = surfaces.made(view, "probability", now)
    if made.field is None:
        return Plan(pd.DataFrame(columns=list(COLUMNS)), made.refused)
    try:
        area = pictures.picture(view, now).area
        return Plan(next_places(made.field, made.sites, area, strips=made.strips))
    except NoSurface as why:
        return Plan(pd.DataFrame(columns=list(COLUMNS)), str(why))


def answer(view: View, now: pd.Timestamp) -> dict[str, Any]:
    """Answer the places for ``layers/live.js`` (``points``)."""
    about = {
        "title": PROPERTIES[view.observed_property].title,
        "version": store.shared(settings().active_store_url).version(),
    }
    found = plan(view, now)
    if found.refused:
        return about | {"refused": found.refused}
    rows = found.places
    return about | {
        "lon": rows["longitude"].tolist(),
        "lat": rows["latitude"].tolist(),
        "code": [KINDS.index(kind) for kind in rows["kind"]],
        "label": rows["rank"].astype("str").tolist(),
        "id": [None if pd.isna(key) else str(key) for key in rows["monitoring_location_id"]],
        "name": [title(row) for row in rows.to_dict("records")],
        "lines": [[row["why"], _share(row["doubt_taken"])] for row in rows.to_dict("records")],
        "note": NOTE,
    }


def _share(share: float) -> str:
    return f"Takes away {share:.1%} of all the doubt."


def title(row: dict[Any, Any]) -> str:
    """Name one place: number and, where it has one, its name, as text of one line."""
    name = row["monitoring_location_name"]
    if name is None or name != name or not str(name).strip():
        name = row["monitoring_location_id"]
    if name is None or name != name:
        name = "new place"
    return f"{row['rank']}. {' '.join(_UNFIT.sub('', str(name)).split())[:200]}"


def gpx(places: pd.DataFrame, heading: str) -> str:
    """Write the places as GPX 1.1 waypoints, for a phone or a hand-held receiver.

    Parameters
    ----------
    places : DataFrame
        As :func:`plan` gives them; degrees, WGS 84, which is what GPX holds.
    heading : str
        Name of the file's content.
    """
    import gpxpy.gpx

    out = gpxpy.gpx.GPX()
    out.creator = "Commonsight"
    out.name = _UNFIT.sub("", heading)
    for row in places.to_dict("records"):
        out.waypoints.append(
            gpxpy.gpx.GPXWaypoint(
                latitude=row["latitude"],
                longitude=row["longitude"],
                name=title(row),
                description=_UNFIT.sub("", str(row["why"])),
                symbol="Flag, Blue",
                type=row["kind"],
            )
        )
    return str(out.to_xml(version="1.1"))


def geojson(places: pd.DataFrame, about: dict[str, Any]) -> dict[str, Any]:
    """Write the places as a GeoJSON FeatureCollection (RFC 7946)."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [row.pop("longitude"), row.pop("latitude")]},
            "properties": {name: _plain(value) for name, value in row.items()},
        }
        for row in places.to_dict("records")
    ]
    return {"type": "FeatureCollection", **about, "features": features}


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
