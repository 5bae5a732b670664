"""What the app answers over plain HTTP beside its pages.

``ROUTES`` goes to ``st.App``. Everything below ``/api``, ``/vendor`` and ``/basemap`` is ours: an address
there that does not exist answers 404, and not the start page with 200 as Streamlit would.
"""

from __future__ import annotations

from starlette.routing import Route

from routes import basemap, cells, data, health, vendor
from routes.answer import nothing_here

#: Everything, in the order in which it is tried.
ROUTES = [
    *cells.ROUTES,
    *data.ROUTES,
    *vendor.ROUTES,
    *basemap.ROUTES,
    *health.ROUTES,
    *(Route(f"/{ours}/{{rest:path}}", nothing_here) for ours in ("api", "vendor", "basemap")),
]

__all__ = ["ROUTES"]
