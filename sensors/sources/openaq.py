"""Air quality of the whole world: OpenAQ, version 3. Needs a key.

A box can be asked for locations only; measurements are asked sensor by sensor, so a large box is many
requests. ``--option what=latest`` takes the newest value of each sensor instead: one request a location.

What surprised us: ``latest`` holds sensors that fell silent in 2016; -9999 and 9999 pass for fine dust; one
value in seven is null and more are flagged; ``meta.found`` may be the text ``">1000"``; and a quarter of
the locations names no licence, which is told as such and not guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from sensors.answers import rows_of
from sensors.sensor import Ask, Body, Sensor, flatten, table
from situation.errors import ChoiceError

if TYPE_CHECKING:
    from sensors.http import Http

#: Our keys to OpenAQ's names of parameters; one name has several numbers, one for each unit.
PARAMETERS = {
    "pm1": "pm1",
    "pm25": "pm25",
    "pm10": "pm10",
    "no": "no",
    "no2": "no2",
    "nox": "nox",
    "o3": "o3",
    "so2": "so2",
    "co": "co",
    "bc": "bc",
    "air_temperature": "temperature",
    "humidity": "relativehumidity",
}
LIMIT = 1000
PAGES = 1000
_MEASURED = ("value", "flagInfo", "parameter", "period", "datetime", "coordinates")


def licences_of(location: Mapping[str, Any], day: str) -> tuple[str, str]:
    """Give licence and attribution of a location as they hold on a day (ISO), or two empty texts.

    A location may have changed hands: of several licences those count whose period holds the day, and all
    of them when none does.
    """
    held = [one for one in location.get("licenses") or [] if isinstance(one, Mapping)]
    valid = [
        one
        for one in held
        if (one.get("dateFrom") or "") <= day <= (one.get("dateTo") or "9999-12-31") + "T99"
    ]
    names, people = [], []
    for one in valid or held:
        names.append(str(one.get("name") or ""))
        people.append(str((one.get("attribution") or {}).get("name") or ""))
    credit = [*people, str((location.get("provider") or {}).get("name") or "")]
    return "; ".join(dict.fromkeys(filter(None, names))), ", ".join(dict.fromkeys(filter(None, credit)))


def _location_cells(location: Mapping[str, Any]) -> dict[str, str]:
    kept = {name: location.get(name) for name in ("id", "name", "locality", "isMonitor", "isMobile")}
    place = {"coordinates": location.get("coordinates") or {}}
    instruments = ", ".join(str(one.get("name") or "") for one in location.get("instruments") or [])
    return {**flatten({**kept, **place}, "location"), "location.instruments": instruments}


class _Known:
    """What bodies say of locations and their sensors."""

    def __init__(self, bodies: Sequence[Body]) -> None:
        self.locations: dict[str, Mapping[str, Any]] = {}
        self.sensors: dict[str, tuple[str, Mapping[str, Any]]] = {}
        self.names: dict[str, str] = {}
        for body in bodies:
            if _describes(body):
                for row in rows_of(body, "results"):
                    if "sensors" in row:
                        self.locations[str(row["id"])] = row
                        for sensor in row["sensors"] or []:
                            self._take(sensor, str(row["id"]))
                    elif "parameter" in row:
                        self._take(row, body.about.get("location", ""))

    def _take(self, sensor: Mapping[str, Any], location: str) -> None:
        number = str(sensor["id"])
        held = self.sensors.get(number)
        self.sensors[number] = (location or (held[0] if held else ""), sensor)

    def beside(self, sensor: str, location: str, day: str) -> dict[str, str]:
        """Give the cells that stand beside a measurement."""
        of, said = self.sensors.get(sensor, ("", {}))
        place = self.locations.get(location or of, {"id": location or of})
        licence, credit = licences_of(place, day)
        cells = {"sensor.id": sensor, "location.licence": licence, "location.attribution": credit}
        parameter = {k: (said.get("parameter") or {}).get(k) for k in ("id", "name", "units")}
        return {**flatten(parameter, "parameter"), **_location_cells(place), **cells}


def _describes(body: Body) -> bool:
    if body.kind:
        return body.kind in ("locations", "sensors")
    return any("value" not in row for row in rows_of(body, "results"))


def parse(bodies: Sequence[Body]) -> Iterator[pd.DataFrame]:
    """Flatten measurements and latest values: one row a value, with its sensor and location beside it."""
    known = _Known(bodies)
    for body in bodies:
        if body.empty or _describes(body):
            continue
        rows = []
        for said in rows_of(body, "results", needs=("value",)):
            cells = flatten({name: said[name] for name in _MEASURED if said.get(name) is not None})
            cells.setdefault("value", "")
            sensor = str(said.get("sensorsId") or body.about.get("sensor", ""))
            moment = cells.get("period.datetimeFrom.utc") or cells.get("datetime.utc", "")
            beside = known.beside(sensor, str(said.get("locationsId") or ""), moment[:10])
            label = cells.get("period.label", "")
            if sensor and moment:
                aggregate = f"/{label}" if label not in ("", "raw") else ""
                cells["observation.id"] = f"openaq:{sensor}/{moment[:19]}Z{aggregate}"
            rows.append({**beside, **{name: cell for name, cell in cells.items() if cell or name == "value"}})
        if rows:
            yield table(rows)


def fetch(ask: Ask, http: Http) -> Iterator[Body]:
    """Ask for the locations of the box, then for each sensor's measurements or for the latest values."""
    if ask.site:
        locations = [http.get(f"locations/{ask.site}", expect="json", kind="locations")]
    elif ask.bbox:
        box = ",".join(f"{number:.4f}" for number in ask.bbox)
        locations = list(_pages(http, "locations", {"bbox": box}, "locations"))
    else:
        raise ChoiceError("OpenAQ gives measurements location by location; name a box or a location.")
    yield from locations
    wanted = {PARAMETERS[key] for key in ask.properties}
    for body in locations:
        for location in rows_of(body, "results", needs=("sensors",)):
            if _silent(location, ask):
                continue
            if ask.options.get("what") == "latest":
                params = {
                    "datetime_min": f"{ask.since or datetime.now(UTC) - timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}"
                }
                yield from _pages(http, f"locations/{location['id']}/latest", params, "latest")
                continue
            for sensor in location["sensors"] or []:
                if not wanted or sensor["parameter"]["name"] in wanted:
                    yield from _history(str(sensor["id"]), ask, http)


def _silent(location: Mapping[str, Any], ask: Ask) -> bool:
    """Leave out locations that fell silent before what is asked for, or that lie beyond it."""
    last = (location.get("datetimeLast") or {}).get("utc") or ""
    return bool(ask.since and last and last[:10] < f"{ask.since:%Y-%m-%d}")


def _history(sensor: str, ask: Ask, http: Http) -> Iterator[Body]:
    what = ask.options.get("what", "measurements")
    if what not in ("measurements", "hours", "days"):
        raise ChoiceError(f"OpenAQ has no {what!r}; it takes measurements, hours, days or latest.")
    params = {
        "datetime_from": f"{ask.since:%Y-%m-%dT%H:%M:%SZ}" if ask.since else None,
        "datetime_to": f"{ask.until:%Y-%m-%dT%H:%M:%SZ}" if ask.until else None,
    }
    yield from _pages(http, f"sensors/{sensor}/{what}", params, what, {"sensor": sensor})


def _pages(
    http: Http, path: str, params: Mapping[str, Any], kind: str, about: Mapping[str, str] | None = None
) -> Iterator[Body]:
    """Ask page by page until a page is not full; how many there are is not always said."""
    got = 0
    for page in range(1, PAGES + 1):
        body = http.get(
            path, {**params, "limit": LIMIT, "page": page}, expect="json", kind=kind, about=about
        )  # fmt: skip
        rows = rows_of(body, "results")
        got += len(rows)
        yield body
        if len(rows) < LIMIT:
            found = body.json()["meta"].get("found") if isinstance(body.json().get("meta"), Mapping) else None
            if kind != "locations" and isinstance(found, int):
                http.declare(found)
                http.got(got)
            elif isinstance(found, int) and found > got:
                http.truncated(f"OpenAQ declares {found} locations and gave {got}.")
            return
    http.truncated(f"More than {PAGES} pages of {kind}; ask for a shorter period.")


def cost(ask: Ask) -> int:
    """Say how many requests an ask takes at least: how many sensors there are is not known before."""
    return 2


SENSOR = Sensor(
    key="openaq",
    title="OpenAQ: air quality of the world",
    homepage="https://openaq.org",
    licence="unknown (ask the provider)",
    attribution="OpenAQ and the provider of each location",
    limits="60 requests a minute and 2,000 an hour: one in two seconds, 1,000 rows a page.",
    recorded=True,
    evidence="1,000 locations, 1,000 measurements and the sensors of one location, September 2026.",
    base_url="https://api.openaq.org/v3",
    fetch=fetch,
    parse=parse,
    dialect="openaq_api",
    key_variable="OPENAQ_API_KEY",
    key_needed=True,
    key_header="X-API-Key",
    properties=tuple(PARAMETERS),
    topics=("air",),
    pause_s=1.9,
    overlap_days=7.0,
    every_hours=1.0,
    site_based=True,
    cost=cost,
)
