"""Water quality of Europe: EEA Waterbase, through Discodata.

The sound way to all of it is the yearly file (CSV), which is handed in like any file of readings: the same
dialect reads it. Discodata is asked for small things: one substance, one year and one box at a time.

What surprised us: an error comes in an answer 200; deep pages run into the limit of 20-30 seconds; the
form stands in the unit (``mg{NO3}/L``); and where a value lies below the limit of quantification, the
limit itself stands in the place of the value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd

from sensors.answers import rows_of
from sensors.sensor import Ask, Body, Sensor, flatten, quarter_box, table
from situation.errors import ChoiceError
from situation.properties import PROPERTIES
from situation.topic import Box

if TYPE_CHECKING:
    from sensors.http import Http

#: Keys of ours whose code is not made of the number of the substance.
CODES = {"conductance": "EEA_3142-01-6", "ph": "EEA_3152-01-0", "temperature": "EEA_3121-01-5"}
ROWS = 5000
FIRST = datetime(2000, 1, 1, tzinfo=UTC)
_DATA = "[WISE_SOE].[latest].[Waterbase_T_WISE6_DisaggregatedData]"
_SITES = "[WISE_SOE].[latest].[Waterbase_S_WISE_SpatialObject_DerivedData]"


def code_of(key: str) -> str:
    """Give the code of a property of ours: made of its CAS number, or listed.

    >>> code_of("nitrate")
    'CAS_14797-55-8'
    """
    return CODES.get(key) or f"CAS_{PROPERTIES[key].cas}"


def question(key: str, year: int, box: Box) -> str:
    """Write the question for one property, year and box (degrees, EPSG:4326). Only numbers of ours enter it."""
    west, south, east, north = (f"{number:.5f}" for number in box)
    return (
        f"SELECT TOP {ROWS} d.monitoringSiteIdentifier, s.monitoringSiteName, s.lon, s.lat, "
        "d.parameterWaterBodyCategory, d.observedPropertyDeterminandCode, d.observedPropertyDeterminandLabel, "
        "d.procedureAnalysedMatrix, d.resultUom, d.phenomenonTimeSamplingDate, d.resultObservedValue, "
        "d.resultQualityObservedValueBelowLOQ, d.procedureLOQValue, d.parameterSampleDepth, "
        f"d.resultObservationStatus FROM {_DATA} d JOIN {_SITES} s "
        "ON s.monitoringSiteIdentifier = d.monitoringSiteIdentifier "
        f"WHERE d.observedPropertyDeterminandCode = '{code_of(key)}' AND YEAR(d.phenomenonTimeSamplingDate) = {year} "
        f"AND s.lon BETWEEN {west} AND {east} AND s.lat BETWEEN {south} AND {north}"
    )


def parse(bodies: Sequence[Body]) -> Iterator[pd.DataFrame]:
    """Flatten answers: one row a value, the fields as Waterbase names them."""
    for body in bodies:
        rows = rows_of(body, "results", needs=("resultObservedValue", "monitoringSiteIdentifier"))
        if rows:
            yield table(map(flatten, rows))


def fetch(ask: Ask, http: Http) -> Iterator[Body]:
    """Ask property by property and year by year; a box that holds too much is cut in four."""
    if not ask.bbox or not ask.properties:
        raise ChoiceError("Waterbase answers small questions only; name a box and at least one property.")
    last = (ask.until or datetime.now(UTC)).year
    for key in ask.properties:
        for year in range((ask.since or FIRST).year, last + 1):
            yield from _box(http, key, year, ask.bbox)


def _box(http: Http, key: str, year: int, box: Box) -> Iterator[Body]:
    params = {"query": question(key, year, box), "p": 1, "nrOfHits": ROWS}
    body = http.get("sql", params, expect="json")
    rows = rows_of(body, "results")
    if len(rows) < ROWS:
        yield body
    elif box[2] - box[0] > 0.01:
        for part in quarter_box(box):
            yield from _box(http, key, year, part)
    else:
        http.truncated(f"More than {ROWS} values of {key} in {year} at one place.")
        yield body


SENSOR = Sensor(
    key="eea_waterbase",
    title="EEA Waterbase: water quality of Europe",
    homepage="https://www.eea.europa.eu/en/datahub",
    licence="CC-BY-4.0",
    attribution="European Environment Agency (EEA), Waterbase – Water Quality ICM",
    limits="One question in two seconds, one substance and year each; 20-30 seconds a question.",
    recorded=False,
    evidence="Written from the documentation; no answer was recorded. The yearly file is read as a file.",
    base_url="https://discodata.eea.europa.eu",
    covers=((-31.3, 27.6, 45.0, 71.3),),
    fetch=fetch,
    parse=parse,
    dialect="waterbase",
    properties=("nitrate", "nitrite", "ammonium", "phosphate", "chloride", "sulfate", "arsenic", "lead",
                "cadmium", "nickel", "mercury", "conductance", "ph", "temperature"),
    topics=("groundwater",),
    pause_s=2.0,
    overlap_days=800.0,
    every_hours=24.0 * 30,
)  # fmt: skip
