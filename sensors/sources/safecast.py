"""Safecast: radiation measured by volunteers.

What surprised us: there is no count, so pages are asked until one is short; a month may be 00 and a year
2044; and the feed of fixed devices carries names, e-mail addresses and IP addresses, so only the fields
listed here are read and kept. Counts stay counts: what a count means depends on the tube.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from sensors.answers import rows_of
from sensors.sensor import Ask, Body, Sensor, flatten, table
from situation.errors import ChoiceError

if TYPE_CHECKING:
    from sensors.http import Http

#: All that is kept of a measurement, and of a fixed device. ``user_id`` is not among them.
FIELDS = ("id", "value", "unit", "captured_at", "latitude", "longitude", "device_id", "height")
DEVICE_FIELDS = ("device_urn", "device", "when_captured", "loc_lat", "loc_lon", "lnd_7318u", "lnd_7318c", "lnd_7128ec", "lnd_712u", "lnd_78017w")  # fmt: skip
TUBES = tuple(name for name in DEVICE_FIELDS if name.startswith("lnd_"))
PER_PAGE, PAGES = 1000, 1000
EARTH_M_PER_DEGREE = 111_195.0


def clean(body: Body) -> Body:
    """Give an answer with the fields listed and no others."""
    names = (*FIELDS, *DEVICE_FIELDS)
    kept = [{name: row[name] for name in names if name in row} for row in rows_of(body)]
    content = json.dumps(kept, ensure_ascii=False).encode()
    return replace(body, content=content, sha256=hashlib.sha256(content).hexdigest())


def parse(bodies: Sequence[Body]) -> Iterator[pd.DataFrame]:
    """Flatten measurements: one row each; a fixed device gives one row for each of its tubes."""
    for body in bodies:
        rows = []
        for record in rows_of(body, needs=("value", "when_captured", "captured_at")):
            if "captured_at" in record or "value" in record:
                cells = flatten({name: record.get(name) for name in FIELDS})
                rows.append({**cells, "observation.id": f"safecast:{cells['id']}"})
            else:
                rows += _device_rows(record)
        if rows:
            yield table(rows)


def _device_rows(record: dict[str, Any]) -> Iterator[dict[str, str]]:
    device = str(record.get("device_urn") or record.get("device") or "")
    moment = str(record.get("when_captured") or "")
    for tube in TUBES:
        if record.get(tube) is not None:
            yield {
                "device_id": device,
                "captured_at": moment,
                "latitude": str(record.get("loc_lat") or ""),
                "longitude": str(record.get("loc_lon") or ""),
                "value": str(record[tube]),
                "unit": "cpm",
                "tube": tube,
                "observation.id": f"safecast:{device}/{moment}/{tube}",
            }


def fetch(ask: Ask, http: Http) -> Iterator[Body]:
    """Ask for the measurements round the middle of the box, as far as its corners."""
    if not ask.bbox:
        raise ChoiceError("Safecast holds measurements of the whole world; name a box.")
    west, south, east, north = ask.bbox
    half = ((east - west) ** 2 + (north - south) ** 2) ** 0.5 / 2
    params = {
        "latitude": f"{(south + north) / 2:.5f}",
        "longitude": f"{(west + east) / 2:.5f}",
        "distance": int(half * EARTH_M_PER_DEGREE) + 1,
        "captured_after": f"{ask.since:%Y-%m-%d %H:%M}" if ask.since else None,
        "captured_before": f"{ask.until:%Y-%m-%d %H:%M}" if ask.until else None,
        "since": f"{ask.modified_since:%Y-%m-%d %H:%M}" if ask.modified_since else None,
        "order": "captured_at asc",
        "per_page": PER_PAGE,
    }
    for page in range(1, PAGES + 1):
        body = http.get("measurements.json", {**params, "page": page}, expect="json")
        rows = len(rows_of(body))
        http.got(rows)
        yield clean(body)
        if rows < PER_PAGE:
            return
    http.truncated(f"More than {PAGES} pages; ask for a smaller box.")


SENSOR = Sensor(
    key="safecast",
    title="Safecast: radiation measured by volunteers",
    homepage="https://safecast.org",
    licence="CC0-1.0",
    attribution="Safecast contributors",
    limits="One request in two seconds, 1,000 measurements a page.",
    recorded=True,
    evidence="One measurement from the example of the documentation; fixed devices from documents only.",
    base_url="https://api.safecast.org",
    fetch=fetch,
    parse=parse,
    dialect="safecast_api",
    properties=("count_rate", "dose_rate"),
    pause_s=2.0,
    overlap_days=30.0,
    modified_since=True,
)
