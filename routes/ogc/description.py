"""``/ogc/openapi``: the service in the words of OpenAPI 3.0, which OGC API - Features asks for.

Made here, because what the server library makes refers to files on other servers, and to pages and methods
that are not there.
"""

from __future__ import annotations

from collections.abc import Mapping

from routes.described import (
    BOX,
    ERROR,
    FEATURE,
    FEATURES,
    OBJECT,
    STRING,
    Described,
    answers,
    choice,
    operation,
    parameter,
)
from routes.ogc import fields
from routes.ogc.question import CRS84, MOST, USUAL
from situation.topic import Topic

GEOJSON, JSON, SCHEMA = "application/geo+json", "application/json", "application/schema+json"
_ERRORS = (304, 400, 404)


def document(topics: Mapping[str, Topic], title: str, address: str) -> Described:
    """Describe the service at an address (of its landing page, without a slash at the end)."""
    paths = {
        "/": _fixed("Where to begin", "landing"),
        "/conformance": _fixed("Which parts of the standard hold", "conformance"),
        "/collections": _fixed("What there is", "collections"),
    }
    for topic in topics.values():
        for kind in fields.KINDS:
            paths |= _collection(topic, kind)
    told = "Sites, readings and statuses of what was accepted. JSON only; errors are sentences."
    return {
        "openapi": "3.0.3",
        "info": {"title": title, "version": "1", "description": told},
        "servers": [{"url": address}],
        "paths": paths,
        "components": {"schemas": {"Error": ERROR}},
    }


def _fixed(summary: str, name: str) -> Described:
    return operation(summary, name, "service", [_F], answers(JSON, summary, OBJECT, (304,)))


def _collection(topic: Topic, kind: fields.Kind) -> Described:
    name = f"{topic.key}-{kind}"
    path = f"/collections/{name}"
    title = fields.TOLD[kind][0].format(topic=topic.title)
    key = {"featureId": parameter("featureId", "as the item's id says", STRING, where="path", required=True)}
    return {
        path: operation(title, f"{name}", name, [_F], answers(JSON, title, OBJECT, _ERRORS)),
        f"{path}/schema": operation(
            f"{title}: fields", f"{name}-schema", name, [_F], answers(SCHEMA, "JSON Schema", OBJECT, _ERRORS)
        ),
        f"{path}/queryables": operation(
            f"{title}: what can be asked for", f"{name}-queryables", name, [_F],
            answers(SCHEMA, "JSON Schema", OBJECT, _ERRORS),
        ),
        f"{path}/items": operation(
            title, f"{name}-items", name, [_F, *items_parameters(kind)],
            answers(GEOJSON, fields.TOLD[kind][1], FEATURES, _ERRORS),
        ),
        f"{path}/items/{{featureId}}": operation(
            f"{title}: one", f"{name}-item", name, [_F, *key.values()],
            answers(GEOJSON, "One feature", FEATURE, _ERRORS),
        ),
    }  # fmt: skip


_F = parameter("f", "JSON is the only format", choice(["json", "geojson"]))


def items_parameters(kind: fields.Kind) -> list[Described]:
    """Describe the parameters of the items of a kind of collection."""
    told = [
        parameter("limit", "how many items a page has at most",
                  {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}),
        parameter("offset", "how many items are left out before", {"type": "integer", "minimum": 0, "default": 0}),
        parameter("bbox", "west,south,east,north in degrees, of places as they are shown", BOX),
        parameter("bbox-crs", "what bbox is in", choice([CRS84])),
        parameter("crs", "what coordinates come in", choice([CRS84])),
        parameter("datetime", "a moment, a day, or two of them with / between and .. for an open end", STRING),
        parameter("properties", "which fields come, with commas", {"type": "array", "items": STRING}),
        parameter("skipGeometry", "leave out where it is", {"type": "boolean"}),
        parameter("resulttype", "hits counts only", choice(["results", "hits"])),
        parameter("as_of", "as it was at this data version", {"type": "integer", "minimum": 0}),
    ]  # fmt: skip
    if kind == "statuses":
        told += [
            parameter("at", "as if it were this minute (UTC), e.g. 2026-03-31T17:05Z", STRING),
            parameter(
                "period", "only readings of this period: all, 1y, 5y, or two days with / between", STRING
            ),
        ]
    for name, said in fields.queryables(kind).items():
        schema: Described = {part: said[part] for part in ("type", "enum") if part in said}
        told.append(parameter(name, str(said["description"]), schema))
    return told
