"""``/basemap/…``: what lies under the sites, from this installation and nobody else's.

Outlines of countries come from Natural Earth (1:110 million, public domain), which lies inside pyogrio,
a dependency anyway; they say where in the world one is, and no more. A topic's own shapes (rivers, roads,
villages) come from a GeoJSON file beside its data, a detailed map from the operator's tiles file.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from layers.places import places_of
from routes import answer
from situation.areas import outlines as outlines_file
from situation.errors import ChoiceError
from situation.settings import settings
from store.tiles import media_type, shared_tiles, unpacked

_WEEK = "public, max-age=604800"


@cache
def _outlines() -> bytes:
    """Countries as compressed GeoJSON, two decimals (about a kilometre, finer than the source)."""
    import geopandas as gpd
    import shapely

    countries = gpd.read_file(outlines_file(), columns=["name"])
    rough = shapely.set_precision(countries.geometry.to_numpy(), 0.01)
    features = [
        {
            "type": "Feature",
            "properties": {"kind": "country", "name": name},
            "geometry": json.loads(shapely.to_geojson(shape)),
        }
        for name, shape in zip(countries["name"], rough, strict=True)
    ]
    return answer.pack(_collection(features, "Natural Earth"))


def _collection(features: list[dict[str, Any]], attribution: str) -> dict[str, Any]:
    return {"type": "FeatureCollection", "attribution": attribution, "features": features}


@answer.answering
def outlines(request: Request) -> Response:
    """Answer the outlines of countries."""
    etag = answer.tag("outlines", outlines_file().stat().st_mtime)
    return answer.unchanged(request, etag, _WEEK) or answer.packed(
        request, _outlines(), "application/geo+json", etag=etag, cache=_WEEK
    )


@answer.answering
def places(request: Request) -> Response:
    """Answer a topic's rivers, roads and villages."""
    file = places_of(request.path_params["topic"])
    if file is None:
        return answer.error("This topic has no shapes of its own.", 404)
    etag = answer.tag("places", file, file.stat().st_mtime)
    if (same := answer.unchanged(request, etag)) is not None:
        return same
    body = answer.pack(json.loads(file.read_text(encoding="utf-8")))
    return answer.packed(request, body, "application/geo+json", etag=etag)


@answer.answering
def tile(request: Request) -> Response:
    """Answer one tile of the operator's map."""
    path = settings().basemap
    if path is None:
        return answer.error("This installation has no map of its own: COMMONSIGHT_BASEMAP is not set.", 404)
    z, x, y = (request.path_params[name] for name in "zxy")
    if not (0 <= z <= 24 and 0 <= x < 2**z and 0 <= y < 2**z):
        raise ChoiceError(f"There is no tile {z}/{x}/{y}.")
    found = shared_tiles(path).tile(z, x, y)
    picture = unpacked(found) if found else b""
    media = media_type(picture)
    if media is None:
        return Response(status_code=204 if not picture else 415, headers={"Cache-Control": _WEEK})
    return Response(picture, media_type=media, headers={"Cache-Control": _WEEK})
