"""``/api/openapi.json``: what scripts can ask here, in the words of OpenAPI 3.1.

Made from one table, :data:`OPERATIONS`, and from what exists: topics, properties, standards, languages. An address
of :data:`routes.ADDRESSES` is either in that table or among :data:`NOT_FOR_SCRIPTS`, and a test asks each one of the
table with its example.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from layers import access
from layers.subject import shown_topics
from publish import FORMATS, LOOKS, ROWS
from publish.sizes import SIZES
from routes import answer
from routes.asked import caching, root_of
from routes.described import (
    BOX,
    ERROR,
    FEATURES,
    OBJECT,
    STRING,
    Described,
    answers,
    choice,
    operation,
    parameter,
)
from situation.messages import written_languages
from situation.observation import FLAT_COLUMNS
from situation.properties import PROPERTIES
from situation.standard import standard_keys
from situation.view import ONLY, REVIEWS

JSON, GEOJSON, CSV = "application/json", "application/geo+json", "text/csv"

#: Addresses that are no script's business, and why.
NOT_FOR_SCRIPTS: Mapping[str, str] = {
    "/vendor/{name}": "what the pages themselves load",
    "/basemap/outlines.json": "what the map draws under the sites",
    "/basemap/places/{topic}.json": "what the map draws under the sites",
    "/basemap/tiles/{z:int}/{x:int}/{y:int}": "what the map draws under the sites",
    "/ogc/{rest:path}": "described by itself at /ogc/openapi",
    "/api/{rest:path}": "nothing is there",
    "/s/{rest:path}": "nothing is there",
    "/embed/{rest:path}": "nothing is there",
    "/feeds/{rest:path}": "nothing is there",
    "/vendor/{rest:path}": "nothing is there",
    "/basemap/{rest:path}": "nothing is there",
}


@dataclass(frozen=True)
class Operation:
    """One question: what it takes, what comes back, and an example that works on any installation with readings.

    ``parameters`` are names of :func:`parameters`; ``errors`` are status codes beside those of wrong parameters,
    ``others`` the media types that come with other values of a parameter.
    """

    summary: str
    media: str
    parameters: tuple[str, ...] = ()
    example: Mapping[str, str] = field(default_factory=dict)
    tag: str = "data"
    description: str = ""
    errors: tuple[int, ...] = ()
    others: tuple[str, ...] = ()


#: What chooses the readings; with ``review`` or ``batch`` also those that are not public.
_CHOICE = ("topic", "property", "standard", "period", "as_of", "at", "review", "batch", "token")
_FILE = ("size", "look", "rows")
_MEDIA = tuple(dict.fromkeys(one.media.partition(";")[0] for one in FORMATS.values()))
_NITRATE = {"topic": "groundwater", "property": "nitrate", "standard": "who_drinking_water"}

OPERATIONS: Mapping[str, Operation] = {
    "/api/topics.json": Operation("Topics, with their properties and standards", JSON),
    "/api/status.csv": Operation(
        "The newest reading of every site and how it compares with the limit", CSV,
        (*_CHOICE, "bbox", "only", "lang"), _NITRATE,
    ),
    "/api/status.geojson": Operation(
        "The same as GeoJSON, with a paragraph that says it in words", GEOJSON,
        (*_CHOICE, "bbox", "only", "lang"), _NITRATE | {"only": "above", "lang": "fr"},
    ),
    "/api/observations.csv": Operation(
        "Every reading, in the columns of the table of observations", CSV, (*_CHOICE, "bbox", "site"), _NITRATE,
        description="Columns: " + ", ".join(FLAT_COLUMNS) + ".",
    ),
    "/api/trends.csv": Operation(
        "The trend of every series: slope, its interval, crossing of the limit", CSV, (*_CHOICE, "bbox", "site"),
        _NITRATE,
    ),
    "/api/trends.json": Operation(
        "The same as JSON, with what it is compared with", JSON, (*_CHOICE, "bbox", "site"), _NITRATE
    ),
    "/api/areas": Operation("Shares above the limit by area, for a map", JSON, (*_CHOICE, "areas", "since"), _NITRATE),
    "/api/areas.csv": Operation(
        "Shares above the limit by area, with their uncertainty", CSV, (*_CHOICE, "areas", "since"), _NITRATE
    ),
    "/api/areas.geojson": Operation(
        "The same as GeoJSON, with the shapes", GEOJSON, (*_CHOICE, "areas", "since", "lang"), _NITRATE
    ),
    "/api/cells": Operation(
        "One view of the map: cells of counts when far, single sites when near", JSON,
        (*_CHOICE, "bbox", "zoom", "only"), _NITRATE | {"zoom": "9"},
        description="Arrays of equal length, at most 2,000 long, for speed; scripts want /api/status.geojson.",
    ),
    "/api/new": Operation(
        "How many sites have a newer reading than at a data version", JSON, (*_CHOICE, "bbox", "zoom", "seen"),
        _NITRATE | {"seen": "1"},
    ),
    "/api/surface": Operation(
        "The estimated surface in one view of the map", JSON, (*_CHOICE, "bbox", "zoom", "kind"), _NITRATE,
        errors=(422,),
    ),
    "/api/next": Operation("Where to sample next, for a map", JSON, _CHOICE, _NITRATE),
    "/api/next.csv": Operation("Where to sample next", CSV, _CHOICE, _NITRATE, errors=(422,)),
    "/api/next.gpx": Operation(
        "The same as waypoints for a navigation device", "application/gpx+xml", _CHOICE, _NITRATE, errors=(422,)
    ),
    "/api/next.geojson": Operation("The same as GeoJSON", GEOJSON, _CHOICE, _NITRATE, errors=(422,)),
    "/feeds/exceedances.atom": Operation(
        "What was newly found above a limit, as Atom with GeoRSS", "application/atom+xml",
        ("topic", "property", "standard", "bbox", "lang"), {"topic": "groundwater", "lang": "fr"}, "feeds",
        description="Without property: every property of the topic. At most 100 entries, the newest first.",
    ),
    "/api/snapshot.{ending}": Operation(
        "What a view shows now, as a file: picture, page, table or package", FORMATS["csv"].media.partition(";")[0],
        ("ending", *_CHOICE, "bbox", *_FILE, "surface", "title", "lang"), _NITRATE | {"ending": "csv"}, "snapshots",
        others=_MEDIA,
    ),
    "/s/{id}": Operation(
        "A snapshot that was kept: its page", "text/html", ("id", "lang"), tag="snapshots", errors=(404,)
    ),
    "/s/{id}/card.png": Operation(
        "Its picture for a link", "image/png", ("id", "lang"), tag="snapshots", errors=(404,)
    ),
    "/s/{id}/picture.{ending}": Operation(
        "Its picture", "image/svg+xml", ("id", "ending", "size", "look", "lang"), {"ending": "svg"}, "snapshots",
        errors=(404,), others=_MEDIA,
    ),
    "/s/{id}/data.{ending}": Operation(
        "Its data", "application/geo+json", ("id", "ending", "rows", "lang"), {"ending": "geojson"}, "snapshots",
        errors=(404,), others=_MEDIA,
    ),
    "/s/{id}/map.html": Operation(
        "Its map and table in one file", "text/html", ("id", "lang"), tag="snapshots", errors=(404,)
    ),
    "/s/{id}/citation.json": Operation(
        "Its citation as CSL-JSON", "application/vnd.citationstyles.csl+json", ("id", "lang"), tag="snapshots",
        errors=(404,),
    ),
    "/embed": Operation(
        "Map and legend for a frame in another page", "text/html",
        (*(name for name in _CHOICE if name not in ("review", "batch", "token")), "bbox", "surface", "snapshot",
         "legend", "table", "lang"),
        _NITRATE, "snapshots",
    ),
    "/ogc": Operation(
        "OGC API - Features: where to begin", JSON, tag="ogc",
        description="For QGIS and other map programs; described by itself at /ogc/openapi.",
    ),
    "/api/openapi.json": Operation("This document", JSON, tag="service"),
    "/healthz": Operation("Whether it is up, and its newest data version", JSON, tag="service"),
}  # fmt: skip

_SCHEMAS = {JSON: OBJECT, GEOJSON: {"$ref": "#/components/schemas/Features"}}


def parameters() -> dict[str, Described]:
    """Describe every parameter once, with the values that exist now."""
    topics = shown_topics()
    first = [name for topic in topics.values() for name in topic.properties]
    told = [
        parameter("topic", "key of a topic; the first one if it is not said", choice(list(topics))),
        parameter("property", "key of what was measured; the topic's own if it is not said",
                  choice(list(dict.fromkeys([*first, *PROPERTIES])))),
        parameter("standard", "key of a standard; the topic's first if it is not said", choice(list(standard_keys()))),
        parameter("period", "all, a number of years like 5y, or two days with / between, one of which may be missing",
                  STRING),
        parameter("as_of", "as the readings stood at this data version", {"type": "integer", "minimum": 0}),
        parameter("at", "ages and periods are counted from this minute (UTC), like 2026-03-31T17:05Z", STRING),
        parameter("review", f"all: also what nobody accepted yet; needs the header {access.HEADER}",
                  choice(REVIEWS)),
        parameter("batch", "only this batch; with its token, while it is pending", {"type": "integer", "minimum": 0}),
        parameter("token", "of the receipt of the batch", STRING),
        parameter("bbox", "west,south,east,north in degrees (WGS 84), of places as they are shown", BOX),
        parameter("zoom", "of the map, which chooses the size of the cells",
                  {"type": "integer", "minimum": 0, "maximum": 24}),
        parameter("site", "identifier of one site", STRING),
        parameter("since", "compare with this day", {"type": "string", "format": "date"}),
        parameter("seen", "a data version", {"type": "integer", "minimum": 0}, required=True),
        parameter("only", "above: only sites above the limit", choice(ONLY)),
        parameter("areas", "key of a set of areas; the topic's first if it is not said", STRING),
        parameter("kind", "what is drawn", choice(["estimate", "probability"])),
        parameter("surface", "what is drawn between the sites; nothing if it is not said",
                  choice(["estimate", "probability"])),
        parameter("ending", "what kind of file", choice(list(FORMATS)), where="path", required=True),
        parameter("id", "short id of a snapshot", STRING, where="path", required=True),
        parameter("size", "of a picture", choice(list(SIZES))),
        parameter("look", "of a picture", choice(LOOKS)),
        parameter("rows", "of a table", choice(ROWS)),
        parameter("title", "in plain words; made of property and topic if it is not said", STRING),
        parameter("snapshot", "short id of a snapshot to show instead of what stands now", STRING),
        parameter("legend", "0 leaves out the legend", choice(["0", "1"])),
        parameter("table", "0 leaves out the table", choice(["0", "1"])),
        parameter("lang", "language of the sentences", choice(list(written_languages()))),
    ]  # fmt: skip
    return {one["name"]: one for one in told}


def describe(base: str) -> Described:
    """Describe an installation at an address (without a slash at its end)."""
    known = parameters()
    about = (
        "What people measured and open sources publish, compared with limits. Everything is read only and passes "
        "the same privacy rules as the pages. Errors are JSON with one sentence under `error`. Answers carry an "
        "ETag; ask again with If-None-Match. No data is not safe."
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "Commonsight", "version": "1", "description": about},
        "servers": [{"url": base}],
        "paths": {address: _described(address, one, known) for address, one in OPERATIONS.items()},
        "components": {
            "schemas": {"Error": ERROR, "Features": FEATURES},
            "parameters": known,
            "securitySchemes": {
                "operator": {
                    "type": "apiKey",
                    "in": "header",
                    "name": access.HEADER,
                    "description": "the operator's key",
                }
            },
        },
    }


def _described(address: str, one: Operation, known: Mapping[str, Described]) -> Described:
    asked = [
        known[name] | {"example": _example(known[name], one.example[name])}
        if name in one.example
        else {"$ref": f"#/components/parameters/{name}"}
        for name in one.parameters
    ]
    errors = ((400,) if one.parameters else ()) + ((403,) if "review" in one.parameters else ()) + one.errors
    told = answers(one.media, one.summary, _SCHEMAS.get(one.media, STRING), errors)
    told["200"]["content"] |= {media: {"schema": _SCHEMAS.get(media, STRING)} for media in one.others}
    more: Described = {"description": one.description} if one.description else {}
    if "review" in one.parameters:
        more["security"] = [{}, {"operator": []}]
    name = re.sub("[^a-z]+", "-", address).strip("-")
    return operation(one.summary, name, one.tag, asked, told, **more)


def _example(described: Described, text: str) -> object:
    return int(text) if described["schema"]["type"] == "integer" else text


@answer.answering
def document(request: Request) -> Response:
    """Answer the description."""
    root, shared = root_of(request)
    body = answer.pack(describe(root))
    etag = answer.tag(body)
    return answer.unchanged(request, etag, caching(shared)) or answer.packed(
        request, body, JSON, etag=etag, cache=caching(shared)
    )
