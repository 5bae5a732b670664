"""openSenseMap: boxes of citizens' sensors; the last reading of each, or the history of one box.

What surprised us: the title of a sensor is free text in any language and its unit too (air pressure comes
in hPa and in Pa), so only what title and unit together make plain is mapped; a live box holds dead sensors,
whose last reading keeps its own old time; values are text; and an error may be appended to an answer 200.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from sensors.answers import rows_of
from sensors.sensor import Ask, Body, Sensor, flatten, table

if TYPE_CHECKING:
    from sensors.http import Http

MONTH = 28


def _box_cells(box: Mapping[str, Any]) -> dict[str, str]:
    point = (box.get("currentLocation") or {}).get("coordinates") or []
    if not point:
        places = box.get("loc") or []
        point = ((places[0].get("geometry") or {}).get("coordinates") or []) if places else []
    place = {"box.longitude": str(point[0]), "box.latitude": str(point[1])} if len(point) >= 2 else {}
    exposure = str(box.get("exposure") or "")
    return {
        "box._id": str(box.get("_id") or ""),
        "box.name": str(box.get("name") or ""),
        "box.exposure": exposure,
        "box.medium": "indoor" if exposure == "indoor" else "",
        **place,
    }


def _sensor_cells(sensor: Mapping[str, Any]) -> dict[str, str]:
    kept = {name: sensor.get(name) for name in ("_id", "title", "unit", "sensorType")}
    return flatten(kept, "sensor")


def parse(bodies: Sequence[Body]) -> Iterator[pd.DataFrame]:
    """Flatten boxes to the last reading of each sensor, and histories to a row a value."""
    boxes: dict[str, dict[str, str]] = {}
    for body in bodies:
        rows = []
        for record in rows_of(body):
            if "sensors" in record:
                beside = _box_cells(record)
                for sensor in record["sensors"] or []:
                    cells = {**beside, **_sensor_cells(sensor)}
                    boxes[cells["sensor._id"]] = cells
                    last = sensor.get("lastMeasurement")
                    if isinstance(last, Mapping) and body.kind != "boxes":
                        rows.append(_reading(cells, last))
            elif "value" in record:
                number = body.about.get("sensor", "")
                rows.append(_reading(boxes.get(number, {"sensor._id": number}), record))
        if rows:
            yield table(rows)


def _reading(beside: Mapping[str, str], said: Mapping[str, Any]) -> dict[str, str]:
    moment = str(said.get("createdAt") or "")
    value = "" if said.get("value") is None else str(said["value"])
    name = f"opensensemap:{beside.get('sensor._id', '')}/{moment}"
    return {**beside, "createdAt": moment, "value": value, "observation.id": name}


def fetch(ask: Ask, http: Http) -> Iterator[Body]:
    """Ask for the boxes of the area with their last readings; of one box for its history."""
    if ask.site:
        body = http.get(f"boxes/{ask.site}", expect="json", kind="boxes" if ask.since else "latest")
        yield body
        if ask.since:
            until = ask.until or datetime.now(UTC)
            for sensor in rows_of(body)[0].get("sensors") or []:
                yield from _history(http, ask.site, str(sensor["_id"]), ask.since, until)
        return
    box = ",".join(f"{number:.5f}" for number in ask.bbox) if ask.bbox else None
    yield http.get("boxes", {"bbox": box, "full": "true"}, expect="json", kind="latest")


def _history(http: Http, box: str, sensor: str, since: datetime, until: datetime) -> Iterator[Body]:
    start = since
    while start < until:
        end = min(start + timedelta(days=MONTH), until)
        params = {"from-date": f"{start:%Y-%m-%dT%H:%M:%SZ}", "to-date": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
        body = http.get(f"boxes/{box}/data/{sensor}", params, expect="json", about={"sensor": sensor})
        if len(rows_of(body)) >= 10_000:
            http.truncated(f"A month of the sensor {sensor} has more than 10,000 values.")
        yield body
        start = end


SENSOR = Sensor(
    key="opensensemap",
    title="openSenseMap: citizens' sensor boxes",
    homepage="https://opensensemap.org",
    licence="PDDL-1.0",
    attribution="openSenseMap contributors",
    limits="One request a second; at most 10,000 values and a month a question.",
    recorded=True,
    evidence="One box, transcribed in a test of another project and held against its source.",
    base_url="https://api.opensensemap.org",
    fetch=fetch,
    parse=parse,
    dialect="opensensemap_api",
    topics=("air",),
    pause_s=1.0,
    overlap_days=2.0,
    every_hours=1.0,
)
