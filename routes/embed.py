"""``/embed``: map, legend and one line of source, for a frame in somebody's own page.

``/embed?snapshot=ID`` is frozen; with the parameters of a view it shows what stands now. ``lang`` chooses the
language, ``legend=0`` and ``table=0`` leave these out. It is the page of :mod:`publish.web` in its compact form:
it fetches nothing, tells nobody who looks, and leads to the full page.

What surprised us: a page in a frame is asked again with every visit of the page around it; answered by its entity
tag, that costs nothing until the data move.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from publish import Options, web, web_page
from routes import answer
from routes.asked import view_of
from routes.snapshots import (
    asked_language,
    asked_surface,
    frozen_now,
    headers_of,
    live_key,
    opened,
    order,
    said_to,
)
from situation.errors import ChoiceError
from situation.snapshot import Snapshot

_SWITCH = {"": True, "1": True, "0": False}


def embed(request: Request) -> Response:
    """Answer the page for a frame."""
    return said_to(request, answer.answering(_embed)(request))


def _embed(request: Request) -> Response:
    legend, table = (_switch(request, name) for name in ("legend", "table"))
    language = asked_language(request)
    if request.query_params.get("snapshot"):
        found = opened(request)
        form = web.Form(True, legend, table, home=f"s/{found.shot.id}")
        return _answered(request, (found.stamp, legend, table), lambda: (found.shot, form))
    view = view_of(request)
    if view.review != "accepted" or view.batch is not None:
        raise ChoiceError(
            "A frame in somebody's page shows accepted readings only; leave out review and batch."
        )
    surface = asked_surface(request)
    _, key = live_key(view, language, surface, str(legend), str(table))
    form = web.Form(True, legend, table, home=web_page.app_link(view, up=""))
    return _answered(request, key, lambda: (frozen_now(view, language, surface=surface), form))


def _switch(request: Request, name: str) -> bool:
    said = request.query_params.get(name, "")
    if said not in _SWITCH:
        raise ChoiceError(f"{name} is 1 or 0.")
    return _SWITCH[said]


def _answered(
    request: Request, key: tuple[object, ...], what: Callable[[], tuple[Snapshot, web.Form]]
) -> Response:
    etag = answer.tag("embed", *key)

    def make(path: Path) -> None:
        shot, form = what()
        path.write_text(web.document(shot, form), encoding="utf-8", newline="\n")

    headers = {**headers_of("html", "map.html"), "ETag": etag, "Cache-Control": answer.REVALIDATE}
    return answer.unchanged(request, etag) or order(
        "html", Options(), ("embed", *key), make, headers, refused=said_to
    )
