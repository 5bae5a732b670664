"""Levels of groundwater in France: Hub'Eau, ``niveaux_nappes``.

The levels do not say where they were measured and are asked well by well, so the table of stations is
asked first and joined: ``station.`` stands before its fields.

What surprised us: one row holds two properties, metres above the datum NGF and metres below the reference
of the well; they are kept as two observations and never mixed. ``bss_id`` is sometimes empty,
``altitude_station`` is text, and ``date_maj`` a date as Java prints it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from sensors.answers import joined, rows_of
from sensors.lands import FRANCE
from sensors.sensor import Ask, Body, Sensor, flatten, table
from sensors.sources.hubeau_qualite import box_text, deep_pages, period_of
from situation.errors import ChoiceError

if TYPE_CHECKING:
    from sensors.http import Http

LEVELS = ("niveau_nappe_eau", "niveau_eau_ngf", "profondeur_nappe")
_STATION = ("bss_id", "libelle_pe", "nom_commune", "altitude_station", "profondeur_investigation")


def _is_stations(body: Body) -> bool:
    if body.kind:
        return body.kind == "stations"
    return any("libelle_pe" in row or "date_debut_mesure" in row for row in rows_of(body, "data"))


def stations_of(bodies: Sequence[Body]) -> dict[str, dict[str, str]]:
    """Give what the tables of stations say: code of the well to its cells, degrees in EPSG:4326."""
    found: dict[str, dict[str, str]] = {}
    for body in bodies:
        if _is_stations(body):
            for row in rows_of(body, "data", needs=("code_bss",)):
                cells = flatten(row)
                kept = {name: cells.get(name, "") for name in _STATION}
                kept["longitude"], kept["latitude"] = cells.get("x", ""), cells.get("y", "")
                found[cells.get("code_bss", "")] = kept
    return found


def parse(bodies: Sequence[Body]) -> Iterator[pd.DataFrame]:
    """Flatten pages of levels: one row a measurement, with the fields of its station beside it."""
    stations = stations_of(bodies)
    for body in bodies:
        if _is_stations(body):
            continue
        rows = [flatten(row) for row in rows_of(body, "data", needs=LEVELS)]
        for row in rows:
            row.update(joined(stations.get(row.get("code_bss", ""), {}), "station"))
        if rows:
            yield table(rows)


WELLS = 20  # asked for at once; an address may have 2,083 letters
SERVICES = ("chroniques", "chroniques_tr")


def fetch(ask: Ask, http: Http) -> Iterator[Body]:
    """Ask for the stations of the box, then for the levels of each, some wells at a time."""
    service = ask.options.get("service", SERVICES[0])
    if service not in SERVICES:
        raise ChoiceError(f"Hub'Eau has no service {service!r} for levels; it takes {' or '.join(SERVICES)}.")
    if not (ask.bbox or ask.site):
        raise ChoiceError("Hub'Eau gives levels well by well; name a box or a well.")
    site = ask.site or ""
    params = {
        "bbox": box_text(ask.bbox) if ask.bbox and not site else None,
        "bss_id": site if site.startswith("BSS") else None,
        "code_bss": site if site and not site.startswith("BSS") else None,
        "format": "json",
        "size": 20_000,
    }
    body = http.get("stations", params, expect="json", ok=(200, 206), kind="stations")
    yield body
    rows = rows_of(body, "data", needs=("code_bss",))
    if len(rows) < int(body.json().get("count") or 0):
        http.truncated(f"Of more stations than {len(rows)} none are listed; ask for a smaller box.")
    since, until = period_of(ask)
    codes = [str(row["code_bss"]) for row in rows if _alive(row, since.isoformat())]
    for start in range(0, len(codes), WELLS):
        yield from _levels(http, service, codes[start : start + WELLS], since, until)


def _levels(http: Http, service: str, codes: list[str], since: date, until: date) -> Iterator[Body]:
    periods = ("date_debut_mesure", "date_fin_mesure")
    params: dict[str, object] = {"code_bss": ",".join(codes), "sort": "asc"}
    yield from deep_pages(http, service, params, periods, since, until, "levels")


def _alive(row: Mapping[str, object], since: str) -> bool:
    """Leave out wells whose last measurement lies before what is asked for."""
    last = str(row.get("date_fin_mesure") or "")
    return last == "" or last >= since


def cost(ask: Ask) -> int:
    """Say how many requests an ask takes at least."""
    return 2


SENSOR = Sensor(
    key="hubeau_niveaux",
    title="Hub'Eau: levels of groundwater in France",
    homepage="https://hubeau.eaufrance.fr/page/api-piezometrie",
    licence="etalab-2.0",
    attribution="Hub'Eau – ADES/BRGM",
    limits="No published rate; one request a second, at most 20 wells a question and 20,000 rows deep.",
    recorded=True,
    evidence="16 stations (converted from R), one station and one level transcribed from the documentation.",
    base_url="https://hubeau.eaufrance.fr/api/v1/niveaux_nappes",
    covers=FRANCE,
    fetch=fetch,
    parse=parse,
    dialect="hubeau_niveaux",
    properties=("groundwater_level", "depth_to_groundwater"),
    topics=("groundwater",),
    pause_s=1.0,
    overlap_days=30.0,
    site_based=True,
    cost=cost,
)
