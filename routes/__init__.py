"""What the app answers over plain HTTP beside its pages.

``ROUTES`` goes to ``st.App``. Everything below ``/api``, ``/s``, ``/embed``, ``/ogc``, ``/feeds``, ``/vendor`` and
``/basemap`` is ours: an address there that does not exist answers 404, and not the start page with 200 as Streamlit
would.

What surprised us: what these answers need (tables, geometry, the database) takes two seconds to import,
in which a browser could already be loading the page. So each module here is imported at its first
question; the app imports them all in the background as soon as it listens.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

#: Address to the module and function of ``routes`` that answers there, in the order in which they are tried.
ADDRESSES = {
    "/api/cells": "cells.cells",
    "/api/new": "news.new",
    "/api/surface": "surface.surface",
    "/api/next": "surface.next_points",
    "/api/next.csv": "surface.next_csv",
    "/api/next.gpx": "surface.next_gpx",
    "/api/next.geojson": "surface.next_geojson",
    "/api/status.geojson": "data.status_geojson",
    "/api/status.csv": "data.status_csv",
    "/api/observations.csv": "data.observations_csv",
    "/api/topics.json": "data.topics_json",
    "/api/areas": "areas.areas",
    "/api/areas.csv": "areas.areas_csv",
    "/api/areas.geojson": "areas.areas_geojson",
    "/api/trends.csv": "trends.trends_csv",
    "/api/trends.json": "trends.trends_json",
    "/api/openapi.json": "openapi.document",
    "/ogc": "ogc.door",
    "/ogc/{rest:path}": "ogc.door",
    "/feeds/exceedances.atom": "feeds.exceedances_atom",
    "/api/snapshot.{ending}": "snapshots.live",
    "/s/{id}": "snapshots.page",
    "/s/{id}/card.png": "snapshots.card",
    "/s/{id}/picture.{ending}": "snapshots.picture",
    "/s/{id}/data.{ending}": "snapshots.data",
    "/s/{id}/map.html": "snapshots.map_html",
    "/s/{id}/citation.json": "snapshots.cited",
    "/embed": "embed.embed",
    "/vendor/{name}": "vendor.vendor",
    "/basemap/outlines.json": "basemap.outlines",
    "/basemap/places/{topic}.json": "basemap.places",
    "/basemap/tiles/{z:int}/{x:int}/{y:int}": "basemap.tile",
    "/healthz": "health.healthz",
    "/api/{rest:path}": "answer.nothing_here",
    "/feeds/{rest:path}": "answer.nothing_here",
    "/s/{rest:path}": "answer.nothing_here",
    "/embed/{rest:path}": "answer.nothing_here",
    "/vendor/{rest:path}": "answer.nothing_here",
    "/basemap/{rest:path}": "answer.nothing_here",
}


def _route(address: str, target: str) -> Route:
    module, name = target.split(".")

    def handler(request: Request) -> Response:
        return cast(Response, getattr(import_module(f"routes.{module}"), name)(request))

    return Route(address, handler, name=target)


ROUTES = [_route(address, target) for address, target in ADDRESSES.items()]


#: What no page asks by itself; it brings matplotlib and more, for which the first page should not wait.
PUBLISHING = ("snapshots", "embed", "openapi", "feeds", "ogc")


def warm(*, publishing: bool = False) -> None:
    """Import what answers the pages, or what publishes, so that the first question need not wait for it."""
    for module in dict.fromkeys(target.split(".")[0] for target in ADDRESSES.values()):
        if (module in PUBLISHING) == publishing:
            import_module(f"routes.{module}")
