"""River levels and flows in France: Hub'Eau, ``hydrometrie`` (version 2), live or made up to daily means.

What surprised us: no field says the unit (levels are in millimetres, flows in litres a second), and pages
go on by a cursor in ``next`` while ``count`` counts all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from sensors.answers import rows_of
from sensors.sensor import Ask, Body, Sensor, flatten, table
from sensors.sources.hubeau_qualite import box_text
from situation.errors import ChoiceError

if TYPE_CHECKING:
    from sensors.http import Http

SERVICES = {"observations_tr": ("date_debut_obs", "date_fin_obs"),
            "obs_elab": ("date_debut_obs_elab", "date_fin_obs_elab")}  # fmt: skip
LIMIT = 5000


def parse(bodies: Sequence[Body]) -> Iterator[pd.DataFrame]:
    """Flatten pages: one row a value, the fields as Hub'Eau names them; both services under one set of names."""
    names: dict[str, dict[str, str]] = {}
    for body in bodies:
        rows = []
        for row in rows_of(body, "data", needs=("resultat_obs", "resultat_obs_elab", "libelle_station")):
            cells = flatten(row)
            if "libelle_station" in cells:
                names[cells.get("code_station", "")] = {"station.libelle_station": cells["libelle_station"]}
                continue
            for end in ("date_obs", "resultat_obs", "grandeur_hydro"):
                cells.setdefault(end, cells.get(f"{end}_elab", ""))
            for end in ("methode", "qualification"):
                cells.setdefault(f"libelle_{end}_obs", cells.get(f"libelle_{end}", ""))
            rows.append({**names.get(cells.get("code_station", ""), {}), **cells})
        if rows:
            yield table(rows)


def fetch(ask: Ask, http: Http) -> Iterator[Body]:
    """Ask for the values of the box or of one station, page by page."""
    service = ask.options.get("service", "observations_tr")
    if service not in SERVICES:
        raise ChoiceError(f"Hub'Eau has no service {service!r} here; it takes {' or '.join(SERVICES)}.")
    if not (ask.bbox or ask.site):
        raise ChoiceError("Name a box or a station of Hub'Eau.")
    first, last = SERVICES[service]
    params = {
        "bbox": box_text(ask.bbox) if ask.bbox and not ask.site else None,
        "code_entite": ask.site,
        first: f"{ask.since:%Y-%m-%dT%H:%M:%SZ}" if ask.since else None,
        last: f"{ask.until:%Y-%m-%dT%H:%M:%SZ}" if ask.until else None,
        "size": LIMIT,
    }
    for number, body in enumerate(http.pages(service, params, _next, expect="json", ok=(200, 206))):
        if number == 0:
            http.declare(int(body.json().get("count") or 0))
        http.got(len(rows_of(body, "data")))
        yield body


def _next(body: Body) -> str | None:
    return (body.json().get("next") or None) if rows_of(body, "data") else None


SENSOR = Sensor(
    key="hubeau_hydrometrie",
    title="Hub'Eau: river levels and flows in France",
    homepage="https://hubeau.eaufrance.fr/page/api-hydrometrie",
    licence="etalab-2.0",
    attribution="Hub'Eau – Schapi, producers of hydrometry",
    limits="No published rate; one request a second, 5,000 rows a page.",
    recorded=True,
    evidence="One live level, one station and ten daily means, recorded in August 2026.",
    base_url="https://hubeau.eaufrance.fr/api/v2/hydrometrie",
    fetch=fetch,
    parse=parse,
    dialect="hubeau_hydrometrie",
    properties=("gage_height", "discharge"),
    pause_s=1.0,
    overlap_days=3.0,
    every_hours=1.0,
    site_based=True,
)
