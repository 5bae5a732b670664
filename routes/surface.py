"""``/api/surface``: the part of an estimated surface that a map shows; ``/api/next``: where to sample next.

Parameters are those of ``/api/cells``, and ``kind``: ``estimate`` or ``probability``. Answers are kept,
compressed, by (data version, choice, snapped box, zoom) and shared by all visitors, as those of the cells.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

import pandas as pd
from starlette.requests import Request
from starlette.responses import Response

from layers import access
from layers import picture as pictures
from layers import surface as surfaces
from routes import answer
from situation.errors import ChoiceError
from situation.view import View

_KEEP_BYTES = 32 * 2**20
_kept: OrderedDict[str, bytes] = OrderedDict()
_door = threading.Lock()


@answer.answering
def surface(request: Request) -> Response:
    """Answer one view of a surface."""
    view = View.from_params(request.query_params, strict=True)
    access.check(view, request.headers.get(access.HEADER))
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
