"""``/healthz``: whether the app is up, and the number of the newest thing it knows."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

import store
from routes import answer
from situation.settings import settings


@answer.answering
def healthz(request: Request) -> Response:
    """Answer ``{"status": "ok", "data_version": n}``."""
    version = store.shared(settings().active_store_url).version()
    return JSONResponse({"status": "ok", "data_version": version}, headers={"Cache-Control": "no-store"})
