"""Live river levels and flows in England: the flood-monitoring service of the Environment Agency.

What surprised us: ``items`` and ``measures`` are an object when there is one and a list when there are
several; the latest reading may be an address in the place of a reading; and levels come above a local
datum (mASD), which is no height above the sea (mAOD).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from sensors.answers import first, rows_of
from sensors.sensor import Ask, Body, Sensor, flatten, table
from situation.errors import ChoiceError

if TYPE_CHECKING:
    from sensors.http import Http

EARTH_KM_PER_DEGREE = 111.195


def _listed(thing: Any) -> list[Mapping[str, Any]]:
    return [one for one in (thing if isinstance(thing, list) else [thing]) if isinstance(one, Mapping)]


def parse(bodies: Sequence[Body]) -> Iterator[pd.DataFrame]:
    """Flatten stations and measures to the latest reading of each measure; one without a reading gives no row."""
    for body in bodies:
        rows = []
        for item in rows_of(body, "items"):
            station = {
                f"station.{name}": str(first(item.get(name)) or "")
                for name in ("stationReference", "label", "lat", "long", "riverName")
            }
            for measure in _listed(item["measures"]) if "measures" in item else [item]:
                reading = measure.get("latestReading")
                if isinstance(reading, Mapping) and "value" in reading:
                    rows.append({**station, **_cells(measure, reading)})
        if rows:
            yield table(rows)


def _cells(measure: Mapping[str, Any], reading: Mapping[str, Any]) -> dict[str, str]:
    names = (
        "notation",
        "parameter",
        "parameterName",
        "qualifier",
        "unitName",
        "stationReference",
        "valueType",
    )
    cells = flatten({name: first(measure.get(name)) for name in names}, "measure")
    cells["measure.notation"] = cells["measure.notation"] or str(measure.get("@id", "")).rpartition("/")[2]
    cells["dateTime"], cells["value"] = str(reading.get("dateTime") or ""), str(reading.get("value"))
    ground = cells["measure.qualifier"] == "Groundwater"
    above_sea = "AOD" in cells["measure.unitName"]
    kind = {"level": "gage_height", "flow": "discharge"}.get(cells["measure.parameter"], "")
    if ground or (kind == "gage_height" and above_sea):
        kind = "groundwater_level" if ground and above_sea else ""  # a level above the sea is no gauge height
    cells["what"] = kind or cells["measure.parameterName"]
    cells["measure.medium"] = "groundwater" if ground else "surface_water"
    cells["observation.id"] = f"ea_flood:{cells['measure.notation']}/{cells['dateTime']}"
    return cells


def fetch(ask: Ask, http: Http) -> Iterator[Body]:
    """Ask for the stations round the middle of the box, as far as its corners, with their latest readings."""
    if ask.site:
        yield http.get(f"id/stations/{ask.site}", expect="json")
        return
    if not ask.bbox:
        raise ChoiceError("Name a box or a station.")
    west, south, east, north = ask.bbox
    half = ((east - west) ** 2 + (north - south) ** 2) ** 0.5 / 2
    params = {
        "lat": f"{(south + north) / 2:.5f}",
        "long": f"{(west + east) / 2:.5f}",
        "dist": int(half * EARTH_KM_PER_DEGREE) + 1,
        "_view": "full",
        "_limit": 10_000,
    }
    body = http.get("id/stations", params, expect="json")
    if len(rows_of(body, "items")) >= 10_000:
        http.truncated("More than 10,000 stations lie in the box; ask for a smaller one.")
    yield body


SENSOR = Sensor(
    key="ea_flood",
    title="Environment Agency: live river levels and flows of England",
    homepage="https://environment.data.gov.uk/flood-monitoring/doc/reference",
    licence="OGL-UK-3.0",
    attribution="Environment Agency, contains public sector information licensed under OGL v3",
    limits="No published rate; one request in two seconds; readings are new every 15 minutes.",
    recorded=True,
    evidence="Stations and measures recorded in 2020 and in August 2026.",
    base_url="https://environment.data.gov.uk/flood-monitoring",
    fetch=fetch,
    parse=parse,
    dialect="ea_flood",
    properties=("gage_height", "discharge", "groundwater_level"),
    pause_s=2.0,
    overlap_days=0.0,
    every_hours=1.0,
    site_based=True,
)
