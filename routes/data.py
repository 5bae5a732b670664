"""``/api/status.*``, ``/api/observations.csv``, ``/api/topics.json``: the data, for scripts and spreadsheets.

Parameters are those of the pages' addresses and of the command line: ``topic``, ``property``,
``standard``, ``bbox``, ``period``, ``review``, ``as_of``, ``site``. Long answers are sent as they are
made, so that a million rows need no memory for a million rows of text.

What surprised us: a spreadsheet computes what looks like a formula, in a CSV too. Free text goes
through :func:`situation.spreadsheet.safe_cells`; numbers and closed vocabularies stay as they are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import chain

import numpy as np
import pandas as pd
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

import store
from layers import picture as pictures
from layers import said
from layers.subject import is_simulated, shown_topics
from routes import answer
from routes.asked import view_of
from situation import privacy
from situation.messages import known_language
from situation.observation import FLAT_COLUMNS
from situation.properties import PROPERTIES
from situation.settings import settings
from situation.spreadsheet import CLOSED, safe_cells
from situation.standard import standards
from situation.view import View

_CHUNK = 5_000

#: Columns of the table of sites, in the order of the command line's.
STATUS_COLUMNS = (
    "monitoring_location_id", "longitude", "latitude", "result", "censoring", "detection_limit", "unit",
    "method_speciation", "phenomenon_time", "phenomenon_time_precision", "limit", "limit_kind", "status",
    "freshness", "monitoring_location_name", "monitoring_location_type", "procedure_class",
    "sampled_medium", "sample_fraction", "result_text", "n", "review_state", "position_rule", "batch_id",
    "source_id", "contributor", "licence", "attribution",
)  # fmt: skip
_CLOSED = frozenset({"status", "freshness", "censoring", "procedure_class", "review_state", "position_rule",
                     "phenomenon_time_precision", "sampled_medium"})  # fmt: skip


def sites(view: View, now: pd.Timestamp) -> pd.DataFrame:
    """Give the sites of a view as a table, one row each, places blurred where they must be."""
    shown = pictures.picture(view, now)
    table = view.within(shown.worst(len(shown)))
    if view.only == "above":
        table = table[table["status"] == "above"]
    return table[[name for name in STATUS_COLUMNS if name in table.columns]]


def _sites_answer(
    request: Request, file: str, media: str, write: Callable[[View, pd.DataFrame, str], Iterator[bytes]]
) -> Response:
    view, now = view_of(request), pd.Timestamp.now("UTC")
    language = known_language(request.query_params.get("lang"))
    etag = answer.tag(file, pictures.key_of(view, now), view.bbox, view.only, language)
    if (same := answer.unchanged(request, etag)) is not None:
        return same
    words = said.paragraph_of(view, now, language, boxed=True).text
    return StreamingResponse(
        write(view, sites(view, now), words),
        media_type=media,
        headers=answer.file_headers(view.file_name(file), etag),
    )


@answer.answering
def status_geojson(request: Request) -> Response:
    """Answer the sites with their status as GeoJSON."""
    return _sites_answer(request, "status.geojson", "application/geo+json", _geojson)


@answer.answering
def status_csv(request: Request) -> Response:
    """Answer the sites with their status as CSV."""
    return _sites_answer(request, "status.csv", "text/csv; charset=utf-8", _status_csv)


def _geojson(view: View, table: pd.DataFrame, words: str) -> Iterator[bytes]:
    yield _json({"type": "FeatureCollection", "description": words, **_about(view)})[:-1] + b',"features":['
    for start in range(0, len(table), _CHUNK):
        part = plain(table.iloc[start : start + _CHUNK])
        yield (b"," if start else b"") + b",".join(_json(_feature(row)) for row in part)
    yield b"]}"


def _about(view: View) -> dict[str, object]:
    topic = view.chosen_topic
    return {
        "topic": view.topic,
        "property": view.observed_property,
        "standard": view.standard,
        "licence": topic.licence,
        "simulated": is_simulated(),
    }


def _feature(row: dict[str, object]) -> dict[str, object]:
    place = [row.pop("longitude"), row.pop("latitude")]
    point = None if None in place else {"type": "Point", "coordinates": place}  # RFC 7946, section 3.2
    return {"type": "Feature", "geometry": point, "properties": row}


def plain(table: pd.DataFrame) -> list[dict[str, object]]:
    """Rows as JSON knows them: times as ISO 8601 in UTC, what is missing as null."""
    out = table.astype(object)
    for name in table.columns:
        if isinstance(table[name].dtype, pd.DatetimeTZDtype):
            out[name] = table[name].dt.strftime("%Y-%m-%dT%H:%M:%SZ").astype(object)
    rows: list[dict[str, object]] = out.where(table.notna(), None).to_dict("records")
    return rows


def _json(value: object) -> bytes:
    return json.dumps(
        value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_number
    ).encode()


def _number(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    return str(value)


def _status_csv(view: View, table: pd.DataFrame, words: str) -> Iterator[bytes]:
    return _csv([table], _CLOSED)


def _csv(tables: list[pd.DataFrame] | Iterator[pd.DataFrame], closed: frozenset[str]) -> Iterator[bytes]:
    first = True
    for table in tables:
        for start in range(0, max(len(table), 1 if first else 0), _CHUNK):
            part = safe_cells(table.iloc[start : start + _CHUNK], closed)
            yield part.to_csv(index=False, header=first, date_format="%Y-%m-%dT%H:%M:%SZ").encode()
            first = False


@answer.answering
def observations_csv(request: Request) -> Response:
    """Answer every reading of a view, in the columns of the table of observations."""
    view, now = view_of(request), pd.Timestamp.now("UTC")
    etag = answer.tag("observations.csv", pictures.key_of(view, now), view.bbox, view.site)
    return answer.unchanged(request, etag) or StreamingResponse(
        _csv(_readings(view, now), CLOSED),
        media_type="text/csv; charset=utf-8",
        headers=answer.file_headers(view.file_name("observations.csv"), etag),
    )


def _readings(view: View, now: pd.Timestamp) -> Iterator[pd.DataFrame]:
    """Open what a view asks for (so that a bad question fails here), then give it piece by piece."""
    place = store.shared(settings().active_store_url)
    hidden = str(view.site or "").startswith("area-")
    reader = place.batches_reader(
        site=None if hidden else view.site,
        observed_property=view.observed_property,
        **view.scope(now),
    )
    # One piece at least, so that an answer without readings still has its headings.
    empty = reader.schema.empty_table().to_pandas()
    return (_shown(table, view) for table in chain([empty], (part.to_pandas() for part in reader)))


def _shown(table: pd.DataFrame, view: View) -> pd.DataFrame:
    table = view.within(privacy.public(table, view.chosen_topic))
    if view.site:
        table = table[table["monitoring_location_id"] == view.site]
    return table[[name for name in FLAT_COLUMNS if name in table.columns]]


@answer.answering
def topics_json(request: Request) -> Response:
    """Answer what can be chosen: topics, properties, standards."""
    known = standards()
    told = [
        {
            "key": topic.key,
            "title": topic.title,
            "question": topic.question,
            "area": list(topic.area),
            "properties": [{"key": key, "title": PROPERTIES[key].title} for key in topic.properties],
            "standards": [{"key": key, "title": known[key].title} for key in topic.standards],
            "licence": topic.licence,
            "contact": topic.contact,
        }
        for topic in shown_topics().values()
    ]
    body = answer.pack({"topics": told})
    etag = answer.tag(body)
    return answer.unchanged(request, etag) or answer.packed(request, body, "application/json", etag=etag)
