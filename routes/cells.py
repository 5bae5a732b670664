"""``/api/cells``: what one view of the map shows, never more than some 2,000 marks.

Answers are kept, serialized and compressed, by (data version, choice, snapped box, zoom) and shared by
all visitors; fifty people who watch the same map cost as much as one.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

import pandas as pd
from starlette.requests import Request
from starlette.responses import Response

from layers import access
from layers import picture as pictures
from routes import answer
from situation.view import View

_KEEP_BYTES = 64 * 2**20
_kept: OrderedDict[str, bytes] = OrderedDict()
_door = threading.Lock()


@answer.answering
def cells(request: Request) -> Response:
    """Answer one view of the map."""
    view = View.from_params(request.query_params, strict=True)
    access.check(view, request.headers.get(access.HEADER))
    now = pd.Timestamp.now("UTC")
    zoom = view.zoom if view.zoom is not None else 8
    box = pictures.snap(view.bbox or view.chosen_topic.area, zoom)
    etag = answer.tag(pictures.key_of(view, now), box, zoom, view.only)
    return answer.unchanged(request, etag) or answer.packed(
        request, _body(view, now, box, zoom, etag), "application/json", etag=etag
    )


def _body(view: View, now: pd.Timestamp, box: pictures.Box, zoom: int, etag: str) -> bytes:
    with _door:
        if etag in _kept:
            _kept.move_to_end(etag)
            return _kept[etag]
    body = answer.pack(pictures.answer(pictures.picture(view, now), box, zoom, only=view.only))
    with _door:
        _kept[etag] = body
        while sum(map(len, _kept.values())) > _KEEP_BYTES:
            _kept.popitem(last=False)
    return body
