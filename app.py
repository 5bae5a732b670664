"""The whole application as one ASGI app: pages, and what is answered beside them.

``streamlit run app.py`` finds ``app`` here. It listens at once; what the pages need is imported meanwhile,
what folium compiles from text is made harmless (and again before every map, see ``layers/chart.py``), and
while there are no readings of people yet, the simulated demonstration is made, by one process.

What surprised us: a browser needs two seconds for Streamlit's own pages, in which everything of ours can be
imported; and ``server.allowedHosts`` guards only the pages' WebSocket, so the same list is put in front of
everything else too.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from urllib.parse import urlsplit

import streamlit as st
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import BaseRoute, Mount
from streamlit import config

from routes import ROUTES, warm
from sensors import schedule
from sensors.schedule import Clock
from situation.settings import settings

_log = logging.getLogger(__name__)
#: After which what only publishing needs is loaded, seconds.
_QUIET_S = 10.0


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Begin to make ready what the first page needs, and listen meanwhile; collect as long as it runs."""
    threading.Thread(target=_make_ready, name="make ready", daemon=True).start()
    clock = _collecting()
    try:
        yield
    finally:
        if clock is not None:
            clock.stop()


def _collecting() -> Clock | None:
    try:
        return schedule.start()
    except Exception:
        _log.exception("Nothing is collected in the background; the pages work without it.")
        return None


def _make_ready() -> None:
    try:
        from layers import chart, escape, trends
        from layers.picture import picture
        from situation.view import View
        from ui import demonstration

        escape.neutralise()
        demonstration.ensure()
        usual = View.from_params({})
        picture(usual)
        warm()
        chart.warm()
        # Brings the statistics with it: a second that the first visitor of the Trends page need not wait.
        trends.table(usual)
        time.sleep(_QUIET_S)  # the first pages come first
        import_module("publish.picture")  # and matplotlib, for whoever publishes first
        warm(publishing=True)
    except Exception:
        _log.exception("Not everything could be made ready; the pages will say what is wrong.")


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
