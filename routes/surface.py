"""``/api/surface``: the part of an estimated surface that a map shows; ``/api/next``: where to sample next.

``/api/next`` is for the map, ``/api/next.csv``, ``/api/next.gpx`` and ``/api/next.geojson`` are to take along.

Parameters are those of ``/api/cells``, and ``kind``: ``estimate`` or ``probability``. Answers are kept,
compressed, by (data version, choice, snapped box, zoom) and shared by all visitors, as those of the cells.
"""

from __future__ import annotations

import json

import pandas as pd
from starlette.requests import Request
from starlette.responses import Response

from layers import picture as pictures
from layers import sample_next
from layers import surface as surfaces
from layers.subject import is_simulated
from routes import answer
from routes.asked import view_of
from situation.errors import ChoiceError, NoSurface
from situation.properties import PROPERTIES
from situation.spreadsheet import safe_cells
from situation.view import View

_bodies = answer.Bodies(32 * 2**20)


@answer.answering
def surface(request: Request) -> Response:
    """Answer one view of a surface."""
    view = view_of(request)
    kind = request.query_params.get("kind") or "estimate"
    if kind not in surfaces.KINDS:
        raise ChoiceError(f"No kind {kind[:60]!r}; there is {', '.join(surfaces.KINDS)}.")
    now = pd.Timestamp.now("UTC")
    zoom = min(view.zoom if view.zoom is not None else 8, 19)
    box = pictures.snap(view.bbox or view.chosen_topic.area, zoom)
    etag = answer.tag(kind, pictures.key_of(view, now), box, zoom)
    if (same := answer.unchanged(request, etag)) is not None:
        return same
    body = _bodies.get(etag, lambda: surfaces.answer(view, kind, box, zoom, now))
    return answer.packed(request, body, "application/json", etag=etag)


@answer.answering
def next_points(request: Request) -> Response:
    """Answer where to sample next, for the map."""
    view, now = view_of(request), pd.Timestamp.now("UTC")
    etag = answer.tag("next", pictures.key_of(view, now))
    body = answer.unchanged(request, etag)
    return body or answer.packed(
        request, answer.pack(sample_next.answer(view, now)), "application/json", etag=etag
    )


@answer.answering
def next_csv(request: Request) -> Response:
    """Answer where to sample next as CSV."""
    view = view_of(request)
    table = safe_cells(_places(view), frozenset({"kind", "why"}))
    return _file(view, table.to_csv(index=False), "csv", "text/csv; charset=utf-8")


@answer.answering
def next_gpx(request: Request) -> Response:
    """Answer where to sample next as GPX waypoints."""
    view = view_of(request)
    return _file(view, sample_next.gpx(_places(view), _heading(view)), "gpx", "application/gpx+xml")


@answer.answering
def next_geojson(request: Request) -> Response:
    """Answer where to sample next as GeoJSON."""
    view = view_of(request)
    about = {
        "title": _heading(view),
        "topic": view.topic,
        "property": view.observed_property,
        "standard": view.standard,
        "simulated": is_simulated(),
    }
    text = json.dumps(sample_next.geojson(_places(view), about), ensure_ascii=False, allow_nan=False)
    return _file(view, text, "geojson", "application/geo+json")


def _places(view: View) -> pd.DataFrame:
    found = sample_next.plan(view)
    if found.refused:
        raise NoSurface(found.refused)
    return found.places


def _heading(view: View) -> str:
    simulated = " (simulated)" if is_simulated() else ""
    return f"Where to sample next: {PROPERTIES[view.observed_property].title}{simulated}"


def _file(view: View, text: str, kind: str, media: str) -> Response:
    headers = answer.file_headers(view.file_name(f"next.{kind}"))
    return Response(text.encode(), media_type=media, headers=headers)
