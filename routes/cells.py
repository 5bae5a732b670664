"""``/api/cells``: what one view of the map shows, never more than some 2,000 marks.

Answers are kept, serialized and compressed, by (data version, choice, snapped box, zoom) and shared by
all visitors; fifty people who watch the same map cost as much as one.
"""

from __future__ import annotations

import pandas as pd
from starlette.requests import Request
from starlette.responses import Response

from layers import picture as pictures
from routes import answer
from routes.asked import view_of

_bodies = answer.Bodies(64 * 2**20)


@answer.answering
def cells(request: Request) -> Response:
    """Answer one view of the map."""
    view = view_of(request)
    now = pd.Timestamp.now("UTC")
    zoom = view.zoom if view.zoom is not None else 8
    box = pictures.snap(view.bbox or view.chosen_topic.area, zoom)
    etag = answer.tag(pictures.key_of(view, now), box, zoom, view.only)
    if (same := answer.unchanged(request, etag)) is not None:
        return same
    body = _bodies.get(etag, lambda: pictures.answer(pictures.picture(view, now), box, zoom, only=view.only))
    return answer.packed(request, body, "application/json", etag=etag)
