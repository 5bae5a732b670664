"""OGC SensorThings 1.1: any server, named with ``--base-url`` (up to and with ``/v1.1``).

Asked in two steps: the places in the box with their things and datastreams, then the observations of each
datastream. Groundwater is served so by the British Geological Survey and, as a prototype, by BRGM.

What surprised us: without ``$orderby`` pages overlap and miss rows, ``@iot.count`` is wrong on later pages,
identifiers may be numbers or text (text needs quotes), a time may be an interval, and where an observation
was made may stand in three places: in its feature of interest, in the location of its thing, or in both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from sensors.answers import first, rows_of
from sensors.sensor import Ask, Body, Sensor, flatten, table
from sensors.vocabulary import read_substance
from situation.errors import SchemaDrift
from situation.topic import Box

if TYPE_CHECKING:
    from sensors.http import Http

BGS = "https://sensors.bgs.ac.uk/FROST-Server/v1.1"
_ROW = ("@iot.id", "phenomenonTime", "result", "resultTime", "resultQuality", "parameters", "validTime")
OBSERVATIONS, DESCRIPTIONS = "observations", "descriptions"
_OF_PAGE = re.compile(r"Datastreams\(([^)]*)\)/Observations")


def point_of(shape: Any) -> tuple[str, str] | None:
    """Give longitude and latitude (text, degrees, EPSG:4326) of a point in GeoJSON; None of anything else.

    A borehole's place may come as a feature, as a geometry, or as a list of one; an area has no one place.
    """
    shape = first(shape)
    if isinstance(shape, Mapping) and shape.get("type") == "Feature":
        shape = shape.get("geometry")
    if not isinstance(shape, Mapping) or shape.get("type") != "Point":
        return None
    numbers: Sequence[Any] = shape.get("coordinates") or []
    return (str(numbers[0]), str(numbers[1])) if len(numbers) >= 2 else None


def _place(entity: Any, name: str, field: str) -> dict[str, str]:
    entity = first(entity)
    if not isinstance(entity, Mapping):
        return {}
    point = point_of(entity.get(field))
    return {f"{name}.longitude": point[0], f"{name}.latitude": point[1]} if point else {}


def _stream_cells(stream: Mapping[str, Any], thing: Mapping[str, Any], location: Any) -> dict[str, str]:
    """Give what a datastream, its thing and its place say, each with its name before the field."""
    own = {name: part for name, part in stream.items() if not name.endswith("Link")}
    prop, sensor = first(own.pop("ObservedProperty", None)), first(own.pop("Sensor", None))
    held = first(own.pop("Thing", None)) or thing
    feature = own.pop("FeatureOfInterest", None)
    own.pop("Observations", None)
    own.pop("observedArea", None)
    places = held.get("Locations") if isinstance(held, Mapping) else None
    cells = flatten(own, "Datastream")
    for name, part in (("ObservedProperty", prop), ("Sensor", sensor), ("Thing", held)):
        if isinstance(part, Mapping):
            keep = {k: v for k, v in part.items() if k in ("@iot.id", "name", "description", "definition")}
            cells.update(flatten(keep, name))
            if name == "Thing" and isinstance(part.get("properties"), Mapping):
                cells.update(flatten(part["properties"], "Thing.properties"))
    cells.update(_place(places or location, "Location", "location"))
    cells.update(_place(feature, "FeatureOfInterest", "feature"))
    return cells


def streams_of(bodies: Sequence[Body]) -> dict[str, dict[str, str]]:
    """Give all datastreams that the bodies describe: identifier to cells.

    They may stand by themselves, in things, or in locations with things in them, expanded.
    """
    found: dict[str, dict[str, str]] = {}

    def take(stream: Mapping[str, Any], thing: Mapping[str, Any], location: Any) -> None:
        cells = _stream_cells(stream, thing, location)
        found[cells.get("Datastream.@iot.id", "")] = cells

    for body in bodies:
        if body.kind == OBSERVATIONS:
            continue
        for entity in rows_of(body, "value"):
            if "unitOfMeasurement" in entity:
                take(entity, {}, None)
            for thing in entity.get("Things", [entity]):
                for stream in thing.get("Datastreams", []):
                    take(stream, thing, entity if "Things" in entity else thing.get("Locations"))
    return found


def _describes(body: Body) -> bool:
    """Say whether an answer holds places, things and datastreams, and no observations."""
    if body.kind in (OBSERVATIONS, DESCRIPTIONS):
        return body.kind == DESCRIPTIONS
    return any({"unitOfMeasurement", "Things", "Datastreams"} & set(row) for row in rows_of(body, "value"))


def _observations(body: Body) -> list[dict[str, Any]]:
    rows = rows_of(body, "value")
    if not (rows and "dataArray" in rows[0]):
        if rows and not any("result" in row for row in rows):
            raise SchemaDrift(
                f"No row of the answer {body.name} has a result; the server has changed its fields."
            )
        return rows
    spread = []
    for part in rows:  # $resultFormat=dataArray: the names once, then rows of cells
        names = part.get("components", ())
        stream = str(part.get("Datastream@iot.navigationLink", ""))
        spread += [{**dict(zip(names, cells, strict=True)), "_stream": stream} for cells in part["dataArray"]]
    return [{{"id": "@iot.id"}.get(name, name): cell for name, cell in row.items()} for row in spread]


def _stream_id(body: Body) -> str:
    """Give the datastream that a page is of: said when it was asked, or in the address of the next page."""
    if "datastream" in body.about:
        return body.about["datastream"]
    said = body.json(verbatim=True)
    link = str(said.get("@iot.nextLink", "")) if isinstance(said, Mapping) else ""
    found = _OF_PAGE.search(link) or _OF_PAGE.search(body.url)
    return found[1].strip("'") if found else ""


def parse(bodies: Sequence[Body]) -> Iterator[pd.DataFrame]:
    """Flatten pages of observations: one row a result, with datastream, thing and place beside it."""
    streams = streams_of(bodies)
    for body in bodies:
        if body.empty or _describes(body):
            continue
        held = _observations(body)
        number = _stream_id(body) if held else ""
        about = streams.get(number) or {
            "Datastream.name": f"Datastream {number}",
            "Thing.name": f"Datastream {number}",
        }
        rows = []
        for observation in held:
            cells = flatten({name: observation[name] for name in _ROW if name in observation})
            if isinstance(observation.get("resultQuality"), Mapping):
                cells["resultQuality"] = "; ".join(
                    f"{name}: {cell}" for name, cell in flatten(observation["resultQuality"]).items()
                )
            own = first(observation.get("Datastream"))
            beside = _stream_cells(own, {}, None) if isinstance(own, Mapping) else about
            rows.append(
                {
                    **beside,
                    **cells,
                    **_place(observation.get("FeatureOfInterest"), "FeatureOfInterest", "feature"),
                }
            )
        if rows:
            yield table(rows)


_EXPAND = "Datastreams($expand=ObservedProperty,Sensor)"
_TOP = {"$top": "100", "$orderby": "id asc"}


def quoted(identifier: Any) -> str:
    """Write an identifier as an address takes it: a number as it is, text in quotes.

    >>> quoted(7), quoted("a'b")
    ('7', "'a''b'")
    """
    return str(identifier) if isinstance(identifier, int) else "'" + str(identifier).replace("'", "''") + "'"


def fetch(ask: Ask, http: Http) -> Iterator[Body]:
    """Ask for the datastreams of the box (or of one thing), then for the observations of each."""
    if ask.site:
        site: Any = int(ask.site) if ask.site.isdigit() else ask.site
        path, params = (
            "Things",
            {"$filter": f"id eq {quoted(site)}", "$expand": f"{_EXPAND},Locations", **_TOP},
        )
    else:
        path, params = "Locations", {"$expand": f"Things($expand={_EXPAND})", **_TOP}
        if ask.bbox:
            params["$filter"] = f"st_within(location,geography'{polygon(ask.bbox)}')"
    streams: list[Mapping[str, Any]] = []
    for body in http.pages(path, params, next_link, expect="json", kind=DESCRIPTIONS):
        yield body
        for entity in rows_of(body, "value", verbatim=False):
            for thing in entity.get("Things", [entity]):
                streams += thing.get("Datastreams", [])
                if "Datastreams@iot.nextLink" in thing:
                    http.truncated(
                        f"Thing {thing.get('@iot.id')} has more datastreams than the server lists at once."
                    )
            if "Things@iot.nextLink" in entity:
                http.truncated(
                    f"Location {entity.get('@iot.id')} has more things than the server lists at once."
                )
    for stream in streams:
        if _wanted(stream, ask):
            yield from _history(stream["@iot.id"], ask, http)


def polygon(box: Box) -> str:
    """Write a box as well-known text, degrees, longitude first."""
    west, south, east, north = box
    corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
    return "POLYGON((" + ",".join(f"{x:g} {y:g}" for x, y in corners) + "))"


def next_link(body: Body) -> str | None:
    """Find the address of the next page, as the server wrote it."""
    said = body.json()
    return said.get("@iot.nextLink") if isinstance(said, Mapping) else None


def _wanted(stream: Mapping[str, Any], ask: Ask) -> bool:
    if ask.properties:
        name = str((first(stream.get("ObservedProperty")) or {}).get("name") or stream.get("name") or "")
        found = read_substance(name)
        if found is None or found.property not in ask.properties:
            return False
    end = str(stream.get("phenomenonTime") or "").rpartition("/")[2]
    return not (ask.since and end and end[:10] < f"{ask.since:%Y-%m-%d}")


def _history(identifier: Any, ask: Ask, http: Http) -> Iterator[Body]:
    parts = []
    if ask.since:
        parts.append(f"phenomenonTime ge {ask.since:%Y-%m-%dT%H:%M:%SZ}")
    if ask.until:
        parts.append(f"phenomenonTime le {ask.until:%Y-%m-%dT%H:%M:%SZ}")
    params = {
        "$filter": " and ".join(parts) or None,
        "$orderby": "phenomenonTime asc,id asc",
        "$top": "1000",
        "$count": "true",
        "$resultFormat": ask.options.get("format"),
    }
    path = f"Datastreams({quoted(identifier)})/Observations"
    about = {"datastream": str(identifier)}
    pages = http.pages(path, params, next_link, expect="json", kind=OBSERVATIONS, about=about)
    for number, body in enumerate(pages):
        count = body.json().get("@iot.count")
        if number == 0 and count is not None:
            http.declare(int(count))  # later pages count wrongly
        if count is not None or number:
            http.got(len(_observations(body)))
        yield body


SENSOR = Sensor(
    key="sensorthings",
    title="OGC SensorThings (any server)",
    homepage="https://www.ogc.org/standard/sensorthings/",
    licence="unknown (ask the provider)",
    attribution="the operator of the SensorThings server",
    limits="One request a second; pages of 1,000 observations.",
    recorded=True,
    evidence="A page of observations of the British Geological Survey (2023); the standard, version 1.1.",
    base_url=BGS,
    fetch=fetch,
    parse=parse,
    dialect="sensorthings",
    pause_s=1.0,
    overlap_days=7.0,
    every_hours=6.0,
    many_servers=True,
)
