"""``/vendor/…``: the map's JavaScript and CSS, from installed packages and from ``layers/``.

Names carry a hash of what they name, so browsers keep them for good.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from layers.assets import TYPES, packed
from routes import answer


@answer.answering
def vendor(request: Request) -> Response:
    """Answer one asset."""
    name = request.path_params["name"]
    body = packed(name)
    if body is None:
        return answer.nothing_here(request)
    kind = next(media for ending, media in TYPES.items() if name.endswith(ending))
    return answer.packed(request, body, kind, cache=answer.FOREVER)
