"""Water quality archive of the Environment Agency (England): the service that answers since November 2025.

Asked by polygon, substance and day of sampling, in pages of a CSV that is read as it is. The older
addresses (``/id``, ``/data/measurement``) answer 404.

What surprised us: ``204`` means that there is nothing; the result is text, and in 3,650 rows 1,188 begin
with ``<``, 15 with ``>`` and 157 are words ("No flow/discharge at sampling point"); the time has no zone
(it is local); coordinates come in the British grid unless asked for otherwise; and determinand ``0061``
keeps its zeros only as text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from sensors.lands import ENGLAND
from sensors.sensor import Ask, Body, Sensor
from situation.errors import SchemaDrift
from situation.topic import Box

if TYPE_CHECKING:
    from sensors.http import Http

#: Our keys to the Agency's determinands.
DETERMINANDS = {
    "nitrate": ("0117",),
    "nitrite": ("0118",),
    "nitrate_nitrite": ("0116",),
    "ammonium": ("0111",),
    "phosphate": ("0180",),
    "ph": ("0061",),
    "conductance": ("0077",),
    "temperature": ("0076",),
    "turbidity": ("6396", "0068"),
    "dissolved_oxygen": ("9924",),
    "chloride": ("0172",),
    "sulfate": ("0183",),
    "fluoride": ("0177",),
    "sodium": ("0207",),
    "boron": ("0283",),
    "arsenic": ("6046", "0356"),
    "cadmium": ("0108",),
    "copper": ("6452", "0215"),
    "iron": ("6051", "0421"),
    "lead": ("0050",),
    "manganese": ("6050", "0403"),
    "uranium": ("0391",),
    "zinc": ("6455", "0245"),
    "atrazine": ("3002",),
    "glyphosate": ("7037", "3007"),
}
LIMIT, LIMIT_OF_A_POINT = 2500, 250
_ROUND = 50
PAGES = 2000
FIRST = datetime(2000, 1, 1, tzinfo=UTC)
HEADERS = {
    "Accept": "text/csv",
    "CSV-Header": "present",
    "API-Version": "1",
    "Accept-Crs": "http://www.opengis.net/def/crs/EPSG/0/4326",
}


def polygon(box: Box) -> dict[str, Any]:
    """Give a box as GeoJSON, degrees (EPSG:4326), counterclockwise."""
    west, south, east, north = box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def records(body: Body) -> int:
    """Count the rows of a page, its header left out."""
    if body.empty:
        return 0
    rows = list(csv.reader(io.StringIO(body.text())))
    if rows and "result" not in rows[0]:
        raise SchemaDrift(f"The answer {body.name} has no column result; it has {', '.join(rows[0][:8])}.")
    return sum(1 for row in rows[1:] if row)


def fetch(ask: Ask, http: Http) -> Iterator[Body]:
    """Ask substance by substance and year by year, page by page."""
    codes: list[str | None] = [code for key in ask.properties for code in DETERMINANDS[key]] or [None]
    now = datetime.now(UTC)
    for since, until in ask.windows(366, first=FIRST, now=now):
        for code in codes:
            yield from _pages(ask, http, code, since.date(), until.date())


def _pages(ask: Ask, http: Http, code: str | None, since: date, until: date) -> Iterator[Body]:
    limit = LIMIT_OF_A_POINT if ask.site else LIMIT
    skip = 0
    for _ in range(PAGES):
        params = {
            "determinand": code,
            "dateFrom": since.isoformat(),
            "dateTo": until.isoformat(),
            "skip": skip,
            "limit": limit,
        }
        body = _ask(ask, http, params)
        rows = records(body)
        http.got(rows)
        if rows:
            yield body
        skip += rows
        # A round number may be a server that gives smaller pages than it was asked for: then there is more.
        if rows < limit and (rows == 0 or rows % _ROUND):
            return
    http.truncated(f"More than {PAGES} pages of one year; ask for a smaller box.")


def _ask(ask: Ask, http: Http, params: Mapping[str, Any]) -> Body:
    if ask.site:
        path = f"sampling-point/{ask.site}/observation"
        return http.get(path, params, expect="csv", ok=(200, 204), headers=HEADERS, empty=True)
    where = polygon(ask.bbox) if ask.bbox else {}
    return http.post(
        "data/observation", params, data=where, expect="csv", ok=(200, 204), headers=HEADERS, empty=True
    )  # fmt: skip


def cost(ask: Ask) -> int:
    """Say how many requests an ask takes at least."""
    codes = sum(len(DETERMINANDS[key]) for key in ask.properties) or 1
    return codes * len(ask.windows(366, first=FIRST, now=datetime.now(UTC)))


SENSOR = Sensor(
    key="ea_water_quality",
    title="Environment Agency: water quality archive of England",
    homepage="https://environment.data.gov.uk/water-quality",
    licence="OGL-UK-3.0",
    attribution="Environment Agency, contains public sector information licensed under OGL v3",
    limits="No published rate; one request a second, 2,500 rows a page (250 for one sampling point).",
    recorded=True,
    evidence="3,650 rows of an answer of June 2026 and the list of determinands. The body of the question "
    "(POST) is written from the documentation alone.",
    base_url="https://environment.data.gov.uk/water-quality",
    covers=ENGLAND,
    fetch=fetch,
    dialect="environment_agency",
    properties=tuple(DETERMINANDS),
    topics=("groundwater",),
    pause_s=1.0,
    overlap_days=550.0,
    every_hours=24.0,
    cost=cost,
)
