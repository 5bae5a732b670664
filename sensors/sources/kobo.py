"""Field forms on a KoboToolbox server (API v2), mapped by a small file beside the topic.

What surprised us: the page that is given without asking shrank to 100 answers in 2026, so the size is
named and every ``next`` followed; ``_geolocation`` is ``[lat, lon]`` or ``[null, null]``; times are UTC and
do not say so; an edited answer keeps its day of submission, so some weeks are asked again each time; and
who checked an answer stands in ``_validation_status`` with name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from sensors.answers import rows_of
from sensors.forms import Form, form_asked, only_allowed, said_once, tables_of, with_content
from sensors.sensor import Ask, Body, Sensor

if TYPE_CHECKING:
    from sensors.http import Http

#: Of what the server adds to each answer; who sent it (``_submitted_by``) is not among them.
SYSTEM = ("_id", "_uuid", "_submission_time", "_validation_status", "_geolocation", "__version__")
LIMIT = 1000


def clean(body: Body, form: Form) -> Body:
    """Give a page with nothing in it but what the form allows."""
    said = body.json(verbatim=True)
    kept = []
    for record in rows_of(body, "results"):
        one = only_allowed(record, form, SYSTEM)
        one["_validation_status"] = status_of(record)
        kept.append(one)
    return with_content(body, {"count": said.get("count"), "results": kept})


def status_of(record: Mapping[str, Any]) -> str:
    """Give the word of a check ("Approved"), without who made it."""
    status = record.get("_validation_status")
    return str(status.get("label") or "") if isinstance(status, Mapping) else str(status or "")


def place_of(record: Mapping[str, Any], form: Form | None) -> dict[str, str]:
    """Give the place: the question's ``lat lon alt accuracy``, else what the server took from the form."""
    nowhere = {"place.latitude": "", "place.longitude": "", "place.accuracy": ""}
    found = said_once(record, form.place) if form else []
    if len(found) > 1:
        return nowhere  # nor may the server's _geolocation, the first of them, stand for all
    parts = str(found[0]).split() if found else []
    if len(parts) >= 2:
        accuracy = parts[3] if len(parts) > 3 and parts[3] not in ("0", "0.0") else ""
        return {"place.latitude": parts[0], "place.longitude": parts[1], "place.accuracy": accuracy}
    held = record.get("_geolocation") or []
    if len(held) == 2 and None not in held:
        return {"place.latitude": str(held[0]), "place.longitude": str(held[1]), "place.accuracy": ""}
    return nowhere


def parse(bodies: Sequence[Body]) -> Iterator[pd.DataFrame]:
    """Flatten pages of answers: one row an answer that is measured, as the form's file says."""
    return tables_of(bodies, "results", ("_id", "_uuid"), _beside)


def _beside(record: Mapping[str, Any], form: Form | None) -> tuple[dict[str, str], str]:
    cells = {name: str(record.get(name) or "") for name in ("_id", "_submission_time")}
    cells |= {"_validation_status": status_of(record), **place_of(record, form)}
    number = record.get("_id") or record.get("_uuid")
    return cells, f"kobo:{form.asset if form else ''}/{number}" if number else ""


def fetch(ask: Ask, http: Http) -> Iterator[Body]:
    """Ask for the answers to a form; what the form's file does not name is dropped before it is kept."""
    form, said = form_asked(ask, "kobo")
    yield said
    query = {"_submission_time": {"$gte": f"{ask.since:%Y-%m-%dT%H:%M:%S}"}} if ask.since else None
    params = {
        "limit": LIMIT,
        "start": 0,
        "sort": json.dumps({"_id": 1}),
        "query": json.dumps(query) if query else None,
    }
    declared = False
    for body in http.pages(f"api/v2/assets/{form.asset}/data.json", params, _next, expect="json"):
        if not declared:
            http.declare(int(body.json().get("count") or 0))
            declared = True
        http.got(len(rows_of(body, "results")))
        yield clean(body, form)


def _next(body: Body) -> str | None:
    return body.json().get("next") or None


SENSOR = Sensor(
    key="kobo",
    title="KoboToolbox form",
    homepage="https://www.kobotoolbox.org",
    licence="unknown (ask who runs the form)",
    attribution="the volunteers of this map",
    limits="One request a second, 1,000 answers a page.",
    recorded=True,
    evidence="Two pages of answers recorded from a KoboToolbox server.",
    base_url="https://kf.kobotoolbox.org",
    fetch=fetch,
    parse=parse,
    dialect="field_form",
    key_variable="KOBO_TOKEN",
    key_needed=True,
    key_header="Authorization",
    key_scheme="token",
    pause_s=1.0,
    overlap_days=30.0,
    every_hours=1.0,
)
