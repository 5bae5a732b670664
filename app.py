"""The whole application as one ASGI app: pages, and what is answered beside them.

``streamlit run app.py`` finds ``app`` here. Before the first page is served, what folium compiles from
text is made harmless, and while there are no readings of people yet, the simulated demonstration is
made, by one process, in the background.

What surprised us: ``server.allowedHosts`` guards only the pages' WebSocket, so the same list is put in
front of everything else too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import streamlit as st
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import BaseRoute, Mount
from streamlit import config

from layers.escape import neutralise
from routes import ROUTES
from situation.settings import settings
from ui import demonstration

_log = logging.getLogger(__name__)


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Make things safe and ready; nothing here holds up the first page."""
    neutralise()
    making = asyncio.create_task(asyncio.to_thread(_demonstration))
    yield
    with suppress(asyncio.CancelledError):
        making.cancel()
        await making


def _demonstration() -> None:
    try:
        demonstration.ensure()
    except Exception:
        _log.exception("The demonstration could not be made; the map stays empty.")


def _hosts() -> list[str]:
    """Names under which the app may be opened: those of the configuration, and the public address."""
    hosts = [str(host) for host in config.get_option("server.allowedHosts")]
    public = urlsplit(settings().base_url or "").hostname
    if hosts and public and public not in hosts:
        hosts.append(public)
        config.set_option("server.allowedHosts", hosts)
    return hosts or ["*"]


def _routes() -> list[BaseRoute]:
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return [Mount(f"/{base}", routes=ROUTES)] if base else list(ROUTES)


app = st.App(
    "views/menu.py",
    routes=_routes(),
    lifespan=lifespan,
    middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=_hosts(), www_redirect=False)],
)
