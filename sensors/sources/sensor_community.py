"""Sensor.Community (luftdaten): fine dust and weather of citizens, the last five minutes of a box.

History lies in daily files of the archive, which are handed in as files are.

What surprised us: the box is ``lat1,lon1,lat2,lon2``; the time is UTC and does not say so; no unit is
given (P1 is PM10 and P2 is PM2.5 in µg/m³, pressure is in Pa); ``nan`` stands where there is no value; the
values of a GPS hide among the readings; ``exact_location: 0`` means rounded to three decimals; and sensors
that stand indoors are given too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from sensors.answers import rows_of
from sensors.sensor import Ask, Body, Sensor, flatten, table

if TYPE_CHECKING:
    from sensors.http import Http

ROUNDED_M = "100"


def parse(bodies: Sequence[Body]) -> Iterator[pd.DataFrame]:
    """Flatten answers: one row a value; what a GPS says of its place is no reading."""
    for body in bodies:
        rows = []
        for message in rows_of(body, needs=("sensordatavalues",)):
            values = message.pop("sensordatavalues", None) or []
            cells = flatten(message)
            indoor = cells.get("location.indoor") == "1"
            cells["location.accuracy"] = ROUNDED_M if cells.get("location.exact_location") == "0" else ""
            cells["location.medium"] = "indoor air" if indoor else "air"
            for value in values:
                kind = str(value.get("value_type") or "")
                if not kind.startswith("GPS_"):
                    name = f"sensor_community:{cells.get('sensor.id')}/{cells.get('timestamp')}/{kind}"
                    rows.append(
                        {
                            **cells,
                            "value_type": kind,
                            "value": str(value.get("value") or ""),
                            "observation.id": name,
                        }
                    )
        if rows:
            yield table(rows)


def fetch(ask: Ask, http: Http) -> Iterator[Body]:
    """Ask for the last five minutes of the box."""
    if ask.site:
        path = f"airrohr/v1/sensor/{ask.site}/"
    elif ask.bbox:
        west, south, east, north = ask.bbox
        path = f"airrohr/v1/filter/box={south:.5f},{west:.5f},{north:.5f},{east:.5f}"
    else:
        path = "static/v2/data.json"
    yield http.get(path, expect="json", conditional=True)


SENSOR = Sensor(
    key="sensor_community",
    title="Sensor.Community: air of citizens' sensors",
    homepage="https://sensor.community",
    licence="ODbL-1.0",
    attribution="Sensor.Community contributors",
    limits="One request in five minutes, since the answer changes no faster.",
    recorded=False,
    evidence="Written from the documentation and the shape seen in client code; no answer was recorded.",
    base_url="https://data.sensor.community",
    fetch=fetch,
    parse=parse,
    dialect="sensor_community_api",
    topics=("air",),
    pause_s=5.0,
    overlap_days=0.0,
    every_hours=1.0,
)
