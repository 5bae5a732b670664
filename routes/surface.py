"""``/api/surface``: the part of an estimated surface that a map shows; ``/api/next``: where to sample next.

``/api/next`` is for the map, ``/api/next.csv``, ``/api/next.gpx`` and ``/api/next.geojson`` are to take along.

Parameters are those of ``/api/cells``, and ``kind``: ``estimate`` or ``probability``. Answers are kept,
compressed, by (data version, choice, snapped box, zoom) and shared by all visitors, as those of the cells.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict

import pandas as pd
from starlette.requests import Request
from starlette.responses import Response

from layers import access, sample_next
from layers import picture as pictures
from layers import surface as surfaces
from layers.subject import is_simulated
from routes import answer
from situation.errors import ChoiceError, NoSurface
from situation.properties import PROPERTIES
from situation.spreadsheet import safe_cells
from situation.view import View

_KEEP_BYTES = 32 * 2**20
_kept: OrderedDict[str, bytes] = OrderedDict()
_door = threading.Lock()


@answer.answering
def surface(request: Request) -> Response:
    """Answer one view of a surface."""
    view = _view(request)
    kind = request.query_params.get("kind") or "estimate"
    if kind not in surfaces.KINDS:
        raise ChoiceError(f"No kind {kind[:60]!r}; there is {', '.join(surfaces.KINDS)}.")
    now = pd.Timestamp.now("UTC")
    zoom = min(view.zoom if view.zoom is not None else 8, 19)
    box = pictures.snap(view.bbox or view.chosen_topic.area, zoom)
    etag = answer.tag(kind, pictures.key_of(view, now), box, zoom)
    return answer.unchanged(request, etag) or answer.packed(
        request, _body(view, kind, now, box, zoom, etag), "application/json", etag=etag
    )


def _body(view: View, kind: str, now: pd.Timestamp, box: pictures.Box, zoom: int, etag: str) -> bytes:
    with _door:
        if etag in _kept:
            _kept.move_to_end(etag)
            return _kept[etag]
    body = answer.pack(surfaces.answer(view, kind, box, zoom, now))
    with _door:
        _kept[etag] = body
        while sum(map(len, _kept.values())) > _KEEP_BYTES:
            _kept.popitem(last=False)
    return body


@answer.answering
def next_points(request: Request) -> Response:
    """Answer where to sample next, for the map."""
    view, now = _view(request), pd.Timestamp.now("UTC")
    etag = answer.tag("next", pictures.key_of(view, now))
    body = answer.unchanged(request, etag)
    return body or answer.packed(
        request, answer.pack(sample_next.answer(view, now)), "application/json", etag=etag
    )


@answer.answering
def next_csv(request: Request) -> Response:
    """Answer where to sample next as CSV."""
    view = _view(request)
    table = safe_cells(_places(view), frozenset({"kind", "why"}))
    return _file(view, table.to_csv(index=False), "csv", "text/csv; charset=utf-8")


@answer.answering
def next_gpx(request: Request) -> Response:
    """Answer where to sample next as GPX waypoints."""
    view = _view(request)
    return _file(view, sample_next.gpx(_places(view), _heading(view)), "gpx", "application/gpx+xml")


@answer.answering
def next_geojson(request: Request) -> Response:
    """Answer where to sample next as GeoJSON."""
    view = _view(request)
    about = {
        "title": _heading(view),
        "topic": view.topic,
        "property": view.observed_property,
        "standard": view.standard,
        "simulated": is_simulated(),
    }
    text = json.dumps(sample_next.geojson(_places(view), about), ensure_ascii=False, allow_nan=False)
    return _file(view, text, "geojson", "application/geo+json")


def _view(request: Request) -> View:
    view = View.from_params(request.query_params, strict=True)
    access.check(view, request.headers.get(access.HEADER))
    return view


def _places(view: View) -> pd.DataFrame:
    found = sample_next.plan(view)
    if found.refused:
        raise NoSurface(found.refused)
    return found.places


def _heading(view: View) -> str:
    simulated = " (simulated)" if is_simulated() else ""
    return f"Where to sample next: {PROPERTIES[view.observed_property].title}{simulated}"


def _file(view: View, text: str, kind: str, media: str) -> Response:
    name = f"{view.topic}-{view.observed_property}-next.{kind}"
    return Response(
        text.encode(),
        media_type=media,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": answer.REVALIDATE,
            "X-Content-Type-Options": "nosniff",
        },
    )
