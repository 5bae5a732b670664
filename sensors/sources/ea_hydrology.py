"""Levels of groundwater in England: the hydrology service of the Environment Agency.

The stations of the box are asked first; of each, only the measures of groundwater (logged and dipped by
hand) are read, never the level of a river that stands beside it.

What surprised us: three stations in four are dipped by hand only; a question is cut off at 200,000 rows
without a word; ``?latest`` looks back 100 days; a field is sometimes a list and sometimes not; the time
has no zone and is GMT all the year.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from sensors.answers import first, joined, rows_of, said_of
from sensors.lands import ENGLAND
from sensors.sensor import Ask, Body, Sensor, flatten, table
from situation.errors import ChoiceError

if TYPE_CHECKING:
    from sensors.http import Http

CUT, LIMIT = 200_000, 100_000
FIRST = datetime(1960, 1, 1, tzinfo=UTC)
_STATION = ("notation", "label", "stationReference", "wiskiID", "lat", "long", "aquifer")
_READING = ("dateTime", "date", "value", "quality", "completeness", "qcode", "measure")


def notation_of(thing: Any) -> str:
    """Give the last part of the address that names a measure or a station.

    >>> notation_of({"@id": "http://environment.data.gov.uk/hydrology/id/measures/abc"})
    'abc'
    """
    return said_of(thing, "@id").rstrip("/").rpartition("/")[2]


def measures_of(station: Mapping[str, Any]) -> list[str]:
    """List the measures of groundwater of a station: logged or dipped, in metres above the datum."""
    held = station.get("measures") or []
    named = [notation_of(one) for one in (held if isinstance(held, list) else [held])]
    return [name for name in named if "-gw-" in name and "mAOD" in name]


def stations_of(bodies: Sequence[Body]) -> dict[str, dict[str, str]]:
    """Give what is said of stations, by each of their measures of groundwater."""
    found: dict[str, dict[str, str]] = {}
    for body in bodies:
        if _describes(body):
            for station in rows_of(body, "items"):
                cells = flatten({name: first(station.get(name)) for name in _STATION})
                cells["notation"] = cells["notation"] or notation_of(station)
                for measure in measures_of(station):
                    found[measure] = cells
    return found


def _describes(body: Body) -> bool:
    if body.kind:
        return body.kind == "stations"
    return any("measures" in row or "lat" in row for row in rows_of(body, "items"))


def parse(bodies: Sequence[Body]) -> Iterator[pd.DataFrame]:
    """Flatten readings: one row a reading, with its measure and its station beside it."""
    stations = stations_of(bodies)
    for body in bodies:
        if body.empty or _describes(body):
            continue
        rows = []
        for reading in rows_of(body, "items", needs=("value", "quality", "dateTime")):
            measure = notation_of(reading.get("measure")) or body.about.get("measure", "")
            cells = flatten({name: first(reading.get(name)) for name in _READING if name != "measure"})
            cells["measure.notation"] = measure
            cells["measure.method"] = "dipped by hand" if "-dipped-" in measure else "logger"
            cells["measure.parameter"] = "groundwater_level" if "-gw-" in measure else measure
            cells["measure.unit"] = "mAOD" if "mAOD" in measure else measure.rpartition("-")[2]
            cells.update(joined(stations.get(measure, {}), "station"))
            rows.append(cells)
        if rows:
            yield table(rows)


def fetch(ask: Ask, http: Http) -> Iterator[Body]:
    """Ask for the stations of the box, then for the readings of each of their measures of groundwater."""
    if not (ask.bbox or ask.site):
        raise ChoiceError("The Environment Agency gives levels station by station; name a box or a station.")
    params: dict[str, Any] = {"observedProperty": "groundwaterLevel", "_limit": 10_000}
    if ask.site:
        params = {"notation": ask.site}
    elif ask.bbox:
        names = ("mineq-long", "mineq-lat", "maxeq-long", "maxeq-lat")
        params.update(zip(names, (f"{number:.6f}" for number in ask.bbox), strict=True))
    body = http.get("id/stations.json", params, expect="json", kind="stations")
    yield body
    stations = rows_of(body, "items")
    if len(stations) >= 10_000:
        http.truncated("More than 10,000 stations lie in the box; ask for a smaller one.")
    for station in stations:
        for measure in measures_of(station):
            yield from _readings(ask, http, measure)


def _readings(ask: Ask, http: Http, measure: str) -> Iterator[Body]:
    for since, until in ask.windows(3650, first=FIRST, now=datetime.now(UTC)):
        for offset in range(0, CUT, LIMIT):
            params = {
                "mineq-date": f"{since:%Y-%m-%d}",
                "maxeq-date": f"{until:%Y-%m-%d}",
                "_limit": LIMIT,
                "_offset": offset or None,
            }
            body = http.get(
                f"id/measures/{measure}/readings.json", params, expect="json", about={"measure": measure}
            )  # fmt: skip
            yield body
            if len(rows_of(body, "items")) < LIMIT:
                break
        else:
            http.truncated(
                f"{measure} has more than {CUT} readings from {since:%Y} on; ask for a shorter period."
            )


def cost(ask: Ask) -> int:
    """Say how many requests an ask takes at least."""
    return 2


SENSOR = Sensor(
    key="ea_hydrology",
    title="Environment Agency: groundwater levels of England",
    homepage="https://environment.data.gov.uk/hydrology",
    licence="OGL-UK-3.0",
    attribution="Environment Agency, contains public sector information licensed under OGL v3",
    limits="No published rate; one request a second; a question is cut off at 200,000 rows.",
    recorded=False,
    evidence="Written from the documentation; no answer was recorded.",
    base_url="https://environment.data.gov.uk/hydrology",
    covers=ENGLAND,
    fetch=fetch,
    parse=parse,
    dialect="ea_hydrology",
    properties=("groundwater_level",),
    topics=("groundwater",),
    pause_s=1.0,
    overlap_days=60.0,
    every_hours=24.0,
    site_based=True,
    cost=cost,
)
