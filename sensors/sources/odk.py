"""Field forms on an ODK Central server (OData), mapped by a small file beside the topic.

What surprised us: a point is ``[lon, lat, alt]`` with the accuracy apart; a submission that was deleted or
rejected is still given and says so; groups are nested and repeated groups are lists; a filter that the
server does not know is answered 501.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from sensors.answers import rows_of
from sensors.forms import Form, form_asked, only_allowed, said_once, tables_of, with_content
from sensors.sensor import Ask, Body, Sensor

if TYPE_CHECKING:
    from sensors.http import Http

#: Of ``__system``; who submitted and with which device is not among them.
SYSTEM = ("submissionDate", "updatedAt", "deletedAt", "reviewState")
LIMIT = 250


def clean(body: Body, form: Form) -> Body:
    """Give a page with nothing in it but what the form allows."""
    said = body.json(verbatim=True)
    kept = []
    for record in rows_of(body, "value"):
        one = only_allowed(record, form, ("__id",))
        system = record.get("__system") or {}
        one["__system"] = {name: system.get(name) for name in SYSTEM}
        kept.append(one)
    return with_content(body, {"@odata.count": said.get("@odata.count"), "value": kept})


def place_of(record: Mapping[str, Any], form: Form | None) -> dict[str, str]:
    """Give the place: a point of GeoJSON, or ``lat lon alt accuracy`` where the server was asked for text."""
    empty = {"place.latitude": "", "place.longitude": "", "place.accuracy": ""}
    found = said_once(record, form.place) if form else []
    said = found[0] if len(found) == 1 else None
    if isinstance(said, Mapping) and said.get("type") == "Point":
        numbers = said.get("coordinates") or []
        accuracy = (said.get("properties") or {}).get("accuracy")
        if len(numbers) >= 2:
            return {
                "place.longitude": str(numbers[0]),
                "place.latitude": str(numbers[1]),
                "place.accuracy": "" if accuracy in (None, "0", "0.0") else str(accuracy),
            }
    return empty


def status_of(record: Mapping[str, Any]) -> str:
    """Give the state of a submission: deleted before reviewed."""
    system = record.get("__system") or {}
    return "deleted" if system.get("deletedAt") else str(system.get("reviewState") or "")


def parse(bodies: Sequence[Body]) -> Iterator[pd.DataFrame]:
    """Flatten pages of submissions: one row an answer that is measured, as the form's file says."""
    return tables_of(bodies, "value", ("__id",), _beside)


def _beside(record: Mapping[str, Any], form: Form | None) -> tuple[dict[str, str], str]:
    moment = (record.get("__system") or {}).get("submissionDate")
    cells = {"_id": str(record.get("__id") or ""), "_submission_time": str(moment or "")}
    cells |= {"_validation_status": status_of(record), **place_of(record, form)}
    return cells, f"odk:{record['__id']}" if record.get("__id") else ""


def fetch(ask: Ask, http: Http) -> Iterator[Body]:
    """Ask for the submissions of a form; what the form's file does not name is dropped before it is kept."""
    form, said = form_asked(ask, "odk")
    yield said
    since = ask.modified_since or ask.since
    moment = f"{since:%Y-%m-%dT%H:%M:%S.000Z}" if since else ""
    params = {
        "$top": LIMIT,
        "$count": "true",
        "$expand": "*",
        "$filter": f"__system/submissionDate ge {moment} or __system/updatedAt ge {moment}"
        if since
        else None,
    }
    path = f"v1/projects/{form.project}/forms/{form.asset}.svc/Submissions"
    for number, body in enumerate(http.pages(path, params, _next, expect="json")):
        count = body.json().get("@odata.count")
        if number == 0 and count is not None:
            http.declare(int(count))
        http.got(len(rows_of(body, "value")))
        yield clean(body, form)


def _next(body: Body) -> str | None:
    return body.json().get("@odata.nextLink") or None


SENSOR = Sensor(
    key="odk",
    title="ODK Central form",
    homepage="https://getodk.org",
    licence="unknown (ask who runs the form)",
    attribution="the volunteers of this map",
    limits="One request a second, 250 submissions a page.",
    recorded=False,
    evidence="Written from the documentation; no answer was recorded.",
    base_url="",
    fetch=fetch,
    parse=parse,
    dialect="field_form",
    key_variable="ODK_CREDENTIALS",
    key_needed=True,
    key_header="Authorization",
    key_scheme="basic",
    pause_s=1.0,
    overlap_days=30.0,
    modified_since=True,
    every_hours=1.0,
)
