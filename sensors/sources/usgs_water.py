"""USGS Water Data, OGC API v1: continuous series, daily values, field measurements, latest readings.

Sites are asked first (name, kind, datum), then each collection for these sites, since a feature of a
collection says nothing of its site but the id. ``--option collections=`` names others than
:data:`COLLECTIONS`; ``continuous`` is asked a site list at a time, at most three years in one question.

What surprised us: a feature's own ``id`` is new whenever the record is loaded again, so a reading is known by
its series and its time; and "latest" holds series that ended years ago, which keep their old times here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from sensors.lands import USA
from sensors.parts import box_text
from sensors.sensor import Ask, Body, Sensor, flatten, table
from situation.errors import ChoiceError, IncompleteResponse, SchemaDrift
from situation.properties import PROPERTIES

if TYPE_CHECKING:
    from sensors.http import Http

#: What is asked for when nothing else is said.
COLLECTIONS = ("latest-continuous", "daily", "field-measurements")
KNOWN = (*COLLECTIONS, "continuous", "latest-daily")
STATISTICS: Mapping[str, str] = {
    "00001": "maximum",
    "00002": "minimum",
    "00003": "mean",
    "00006": "sum",
    "00008": "median",
    "00011": "instantaneous",
    "00021": "tidal high-high",
    "00022": "tidal low-high",
    "00023": "tidal high-low",
    "00024": "tidal low-low",
}
_SITES_AT_ONCE = 100
_LIMIT = 10_000
_YEARS = timedelta(days=3 * 365)
_SITE_FIELDS = (
    "monitoring_location_name",
    "site_type",
    "site_type_code",
    "original_horizontal_datum",
    "vertical_datum",
    "time_zone_abbreviation",
    "national_aquifer_code",
)


def fetch(ask: Ask, http: Http) -> Iterator[Body]:
    """Ask for sites, then for the collections of these sites."""
    names = [name.strip() for name in ask.options.get("collections", ",".join(COLLECTIONS)).split(",")]
    strange = [name for name in names if name not in KNOWN]
    if strange:
        raise ChoiceError(f"USGS Water Data has no {', '.join(strange)} here; it takes {', '.join(KNOWN)}.")
    if not (ask.bbox or ask.site):
        raise ChoiceError("USGS Water Data needs a box or a site (USGS-…).")
    groundwater = "GW" if ask.topic == "groundwater" and not ask.site else None
    params = {
        "bbox": None if ask.site else box_text(ask.bbox),
        "id": ask.site,
        "site_type_code": ask.options.get("site_type", groundwater),
    }
    sites: list[str] = []
    for body in _items(http, "monitoring-locations", params):
        sites += [str(feature["id"]) for feature in body.json()["features"]]
        yield body
    codes = [code for key in ask.properties for code, _ in PROPERTIES[key].pcodes]
    for start in range(0, len(sites), _SITES_AT_ONCE):
        some = {
            "monitoring_location_id": ",".join(sites[start : start + _SITES_AT_ONCE]),
            "parameter_code": ",".join(codes) or None,
            "last_modified": f"{_text(ask.modified_since)}/.." if ask.modified_since else None,
        }
        for name in names:
            for period in _periods(ask, name):
                yield from _items(http, name, {**some, "time": period})


def _periods(ask: Ask, name: str) -> list[str | None]:
    """Give the periods to ask for, as texts; None is all that the collection has."""
    since = None if ask.modified_since else ask.since
    if name.startswith("latest"):
        return [None]
    if name != "continuous":
        if since is None and ask.until is None:
            return [None]
        return [f"{_text(since)}/{_text(ask.until)}"]
    if since is None and ask.modified_since is None and ask.until is None:
        return [None]  # the last year, says the source
    end = ask.until or datetime.now(UTC)
    begin = since or (ask.modified_since - _YEARS if ask.modified_since else end - _YEARS)
    found = []
    while begin < end:
        stop = min(begin + _YEARS, end)
        found.append(f"{_text(begin)}/{_text(stop)}")
        begin = stop
    return list(found)


def _text(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if moment else ".."


def _items(http: Http, name: str, params: Mapping[str, object]) -> Iterator[Body]:
    asked = {"f": "json", "limit": _LIMIT, **params}
    pages = http.pages(
        f"collections/{name}/items", asked, _next, expect="json", kind=name, too_much=(413, 414)
    )
    counted = False
    for number, body in enumerate(pages):
        said = body.json()
        if not isinstance(said, Mapping) or not isinstance(said.get("features"), list):
            raise SchemaDrift(f"The answer of {name} has no list of features.")
        if number == 0 and isinstance(said.get("numberMatched"), int):
            counted = True
            http.declare(said["numberMatched"])
        if (stated := said.get("numberReturned")) not in (None, len(said["features"])):
            raise IncompleteResponse(
                f"A page of {name} states {stated} features and holds {len(said['features'])}."
            )
        http.got(len(said["features"]) if counted else 0)
        if number and not said["features"]:
            return
        yield body


def _next(body: Body) -> str | None:
    said = body.json()
    if not said.get("features"):
        return None
    links = said.get("links") or []
    return next((link["href"] for link in links if link.get("rel") == "next" and link.get("href")), None)


def parse(bodies: Sequence[Body]) -> Iterator[pd.DataFrame]:
    """Flatten features; join name, kind and datum of their site, a name of the reading and its kind of value.

    Derived columns: ``reading`` (series and time), ``when`` (date and clock put together), ``zone`` (for
    local dates), ``how`` (statistic, method, procedure), ``longitude``, ``latitude``.
    """
    sites: dict[str, dict[str, str]] = {}
    for body in bodies:
        if body.kind == "monitoring-locations":
            for feature in body.json(verbatim=True)["features"]:
                sites[str(feature["id"])] = _site(feature)
    for body in bodies:
        if body.kind != "monitoring-locations":
            features = body.json(verbatim=True)["features"]
            yield table(_row(feature, body.kind, sites) for feature in features)


def _site(feature: Mapping[str, Any]) -> dict[str, str]:
    cells = flatten(feature.get("properties") or {})
    return {f"site.{name}": cells.get(name, "") for name in _SITE_FIELDS} | _point(feature)


def _point(feature: Mapping[str, Any]) -> dict[str, str]:
    place = (feature.get("geometry") or {}).get("coordinates") or ["", ""]
    return {"longitude": str(place[0]), "latitude": str(place[1])}


def _row(feature: Mapping[str, Any], kind: str, sites: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    cells = flatten(feature.get("properties") or {})
    site = dict(sites.get(cells.get("monitoring_location_id", ""), {}))
    own = _point(feature)
    if own["longitude"]:
        site.update(own)
    series = cells.get("time_series_id") or cells.get("field_measurements_series_id") or ""
    when = _when(cells)
    visit = cells.get("field_visit_id", "")
    name = "@".join(part for part in (series, when, visit) if part) if series else ""
    local = site.get("site.time_zone_abbreviation", "") if len(when) <= len("2026-01-01") else ""
    how = [
        STATISTICS.get(cells.get("statistic_id", ""), cells.get("statistic_id", "")),
        "daily" if kind.endswith("daily") else "",
        cells.get("method_category", "").replace("UNKWN", ""),
        cells.get("observing_procedure", ""),
        cells.get("reading_type", ""),
    ]
    return {
        **cells,
        **site,
        "collection": kind,
        "series": series,
        "reading": name,
        "when": when,
        "zone": local,
        "how": ", ".join(part for part in how if part),
        "flags": _flags(cells.get("qualifier", "")),
    }


def _flags(text: str) -> str:
    """Write the list of qualifiers as words with commas between."""
    try:
        said = json.loads(text) if text.startswith("[") else text
    except ValueError:
        return text
    return ", ".join(map(str, said)) if isinstance(said, list) else str(said)


def _when(cells: Mapping[str, str]) -> str:
    """Put date and clock together; of a date that is known in part, what is known."""
    time, clock = cells.get("time", ""), cells.get("time_of_day", "")
    if time and clock and "T" not in time:
        return f"{time}T{clock}"
    if not time and cells.get("year"):
        parts = [cells["year"], cells.get("month", ""), cells.get("day", "")]
        return "-".join(part.zfill(2) for part in parts[: 1 + sum(1 for part in parts[1:] if part)])
    return time


def cost(ask: Ask) -> int:
    """Say how many requests an ask takes at least: the sites, and each collection once for 100 sites."""
    names = ask.options.get("collections", ",".join(COLLECTIONS)).split(",")
    return 1 + sum(len(_periods(ask, name.strip())) for name in names)


SENSOR = Sensor(
    key="usgs_water",
    title="USGS Water Data: levels, flows and sensors (USA)",
    homepage="https://api.waterdata.usgs.gov",
    licence="public domain (US)",
    attribution="U.S. Geological Survey",
    limits="50 requests an hour without a key, 1,000 with one; 10,000 rows a page, 100 sites a question.",
    recorded=True,
    evidence="Two features of each collection of v1 (October 2026), without links; the paging links of v0.",
    base_url="https://api.waterdata.usgs.gov/ogcapi/v1",
    covers=USA,
    fetch=fetch,
    parse=parse,
    dialect="usgs_water",
    key_variable="API_USGS_PAT",
    properties=tuple(key for key, found in PROPERTIES.items() if found.pcodes),
    topics=("groundwater",),
    pause_s=1.0,
    overlap_days=30.0,
    modified_since=True,
    every_hours=6.0,
    cost=cost,
    site_based=True,
)
