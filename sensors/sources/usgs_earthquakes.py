"""Earthquakes of the whole world: USGS, as events of the disaster topic.

An event is kept as a reading of its magnitude at its epicentre: the thinnest form that the map, the ledger
and the corrections can carry. Depth and intensity are left out.

What surprised us: 28 of 1,707 "earthquakes" of a week are explosions and quarry blasts (kept, under their
own name, as no earthquake); small magnitudes are negative; a magnitude may be null; a question for more
than 20,000 events is refused with 400; and the same event is revised for weeks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from sensors.answers import rows_of
from sensors.sensor import Ask, Body, Sensor, flatten, table
from situation.errors import BadRequest

if TYPE_CHECKING:
    from sensors.http import Http

LIMIT = 20_000


def parse(bodies: Sequence[Body]) -> Iterator[pd.DataFrame]:
    """Flatten features: one row an event; longitude, latitude (degrees, EPSG:4326) and depth (km) apart."""
    for body in bodies:
        rows = []
        for feature in rows_of(body, "features", needs=("properties",)):
            cells = flatten(feature.get("properties") or {}, "properties")
            numbers = (feature.get("geometry") or {}).get("coordinates") or []
            names = ("longitude", "latitude", "depth_km")
            cells |= {f"geometry.{name}": str(cell) for name, cell in zip(names, numbers, strict=False)}
            cells["id"] = str(feature.get("id") or "")
            cells["observation.id"] = f"usgs_earthquakes:{cells['id']}"
            rows.append(cells)
        if rows:
            yield table(rows)


def fetch(ask: Ask, http: Http) -> Iterator[Body]:
    """Ask for the events of the box and period; a period with too many is cut in two."""
    until = ask.until or datetime.now(UTC)
    since = ask.since or until - timedelta(days=30)
    yield from _period(ask, http, since, until)


def _period(ask: Ask, http: Http, since: datetime, until: datetime) -> Iterator[Body]:
    box = dict(
        zip(("minlongitude", "minlatitude", "maxlongitude", "maxlatitude"), ask.bbox or (), strict=False)
    )
    params = {
        "format": "geojson",
        "starttime": f"{since:%Y-%m-%dT%H:%M:%S}",
        "endtime": f"{until:%Y-%m-%dT%H:%M:%S}",
        "updatedafter": f"{ask.modified_since:%Y-%m-%dT%H:%M:%S}" if ask.modified_since else None,
        "minmagnitude": ask.options.get("minmagnitude"),
        "orderby": "time-asc",
        "limit": LIMIT,
        **box,
    }
    try:
        body = http.get("query", params, expect="json")
    except BadRequest:
        if until - since <= timedelta(days=1):
            raise
        body = None
    if body is None or len(rows_of(body, "features")) >= LIMIT:
        middle = since + (until - since) / 2
        yield from _period(ask, http, since, middle)
        yield from _period(ask, http, middle, until)
        return
    yield body


SENSOR = Sensor(
    key="usgs_earthquakes",
    title="USGS: earthquakes of the world",
    homepage="https://earthquake.usgs.gov",
    licence="public domain (US)",
    attribution="U.S. Geological Survey",
    limits="One request in two seconds, 20,000 events a question.",
    recorded=True,
    evidence="1,707 events of a week of February 2018.",
    base_url="https://earthquake.usgs.gov/fdsnws/event/1",
    fetch=fetch,
    parse=parse,
    dialect="usgs_earthquakes",
    properties=("earthquake_magnitude",),
    topics=("disasters",),
    pause_s=2.0,
    overlap_days=30.0,
    modified_since=True,
    every_hours=1.0,
    events=True,
)
