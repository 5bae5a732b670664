"""``/api/new``: how many sites in view have a newer reading than when the visitor opened the page."""

from __future__ import annotations

import pandas as pd
from starlette.requests import Request
from starlette.responses import Response

from layers import picture as pictures
from layers.news import news
from routes import answer
from routes.asked import view_of
from situation.errors import ChoiceError


@answer.answering
def new(request: Request) -> Response:
    """Answer with the counts; ``seen`` is the data version that the page was opened at."""
    view = view_of(request)
    said = request.query_params.get("seen", "")
    if not (said.isascii() and said.isdigit() and len(said) < 17):
        raise ChoiceError(f"seen is {said[:60]!r}; it takes a data version, a whole number.")
    now = pd.Timestamp.now("UTC")
    zoom = view.zoom if view.zoom is not None else 8
    box = pictures.snap(view.bbox or view.chosen_topic.area, zoom)
    etag = answer.tag("new", pictures.key_of(view, now), box, said)
    return answer.unchanged(request, etag) or answer.packed(
        request,
        answer.pack(news(view, pictures.picture(view, now), box, int(said))),
        "application/json",
        etag=etag,
    )
