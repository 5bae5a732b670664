"""How every address answers: JSON errors with a sentence, compressed bodies, one way to be cached.

What surprised us: Streamlit answers unknown addresses with its start page and status 200, so a script
that misspells an address would read HTML for data; and it compresses nothing by itself that is
sent as one body of JSON under some proxies, so ours come compressed.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from situation.errors import ChoiceError, CommonsightError, NoSuchBatch, NoSuchSnapshot, NoSurface, NotAllowed

_log = logging.getLogger(__name__)
_STATUS: dict[type[Exception], int] = {
    ChoiceError: 400,
    NotAllowed: 403,
    NoSuchBatch: 404,
    NoSuchSnapshot: 404,
    NoSurface: 422,
}

Handler = Callable[[Request], Response]

#: Always asked again, but answered 304 in a millisecond while nothing has moved.
REVALIDATE = "no-cache"
FOREVER = "public, max-age=31536000, immutable"


def error(sentence: str, status: int) -> Response:
    """Answer with one sentence for a person, and the status code that fits."""
    return JSONResponse({"error": sentence}, status, headers={"Cache-Control": "no-store"})


def answering(handler: Handler) -> Handler:
    """Turn whatever goes wrong in *handler* into a JSON answer; strangers see no traceback."""

    @wraps(handler)
    def careful(request: Request) -> Response:
        try:
            return handler(request)
        except Exception as wrong:
            return failed(wrong, request.url.path)

    return careful


def failed(wrong: Exception, path: str) -> Response:
    """Answer with what went wrong: our own sentences as they are; of anything else only the log tells."""
    if isinstance(wrong, CommonsightError):
        return error(
            str(wrong), next((code for kind, code in _STATUS.items() if isinstance(wrong, kind)), 500)
        )
    _log.error("No answer to %s", path, exc_info=wrong)
    return error("Something failed here; the operator's log says what.", 500)


@answering
def nothing_here(request: Request) -> Response:
    """Say that there is no such address."""
    return error(
        "There is nothing at this address; the data are at /api/cells, /api/status.geojson, "
        "/api/status.csv, /api/observations.csv, /api/trends.csv, /api/areas.csv, /api/surface, "
        "/api/next.geojson and /api/topics.json.",
        404,
    )


def tag(*parts: object) -> str:
    """Make an entity tag from everything that an answer depends on."""
    return f'"{hashlib.sha1(repr(parts).encode(), usedforsecurity=False).hexdigest()[:20]}"'


def unchanged(request: Request, etag: str, cache: str = REVALIDATE) -> Response | None:
    """Answer 304 if the browser has this very answer already."""
    known = [
        given.strip().removeprefix("W/") for given in request.headers.get("If-None-Match", "").split(",")
    ]
    if etag in known:
        return Response(status_code=304, headers={"ETag": etag, "Cache-Control": cache})
    return None


def pack(body: Any) -> bytes:
    """Write JSON as compactly as it goes, and compress it."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return gzip.compress(text.encode(), 5, mtime=0)


class Bodies:
    """The last answers, written and compressed, by entity tag: what all visitors share.

    Parameters
    ----------
    most : int
        Bytes that are kept; the longest unused go first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._door = threading.Lock()

    def get(self, etag: str, make: Callable[[], Any]) -> bytes:
        """Give the answer of a tag; *make* says it where it is not kept."""
        with self._door:
            if etag in self._kept:
                self._kept.move_to_end(etag)
                return self._kept[etag]
        body = pack(make())
        with self._door:
            self._kept[etag] = body
            while sum(map(len, self._kept.values())) > self._most:
                self._kept.popitem(last=False)
        return body


def file_headers(name: str, etag: str = "") -> dict[str, str]:
    """Give the headers of an answer that a browser keeps as a file."""
    return {
        **({"ETag": etag} if etag else {}),
        "Cache-Control": REVALIDATE,
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
    }


def packed(request: Request, body: bytes, media: str, *, etag: str = "", cache: str = REVALIDATE) -> Response:
    """Answer with a body that is compressed already; taken apart for the few who cannot read it."""
    headers = {"Cache-Control": cache, "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
    if etag:
        headers["ETag"] = etag
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
    else:
        body = gzip.decompress(body)
    return Response(body, media_type=media, headers=headers)
