"""The map's JavaScript and CSS, from installed packages instead of the networks of others.

folium and st_folium point at content delivery networks: the visitor's address goes to strangers,
and a map without internet stays blank without an error. The wheel ``folium-offline`` (MIT) carries
the text of every asset of folium 0.20; we serve those that our maps use at ``/vendor/<hash>.<kind>``
and rewrite folium's classes to point there. Our own script, ``layers/live.js``, goes the same way.

What surprised us: importing that wheel reads seven megabytes of Python, so it is done when a browser asks
for the first asset, and not at the start. folium's ``Map`` alone would load 1.3 MB of jQuery, Bootstrap and
icon fonts that no map here touches; they are left out.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from folium.elements import JSCSSMixin

#: Where a page's component frame finds the route; relative, so that a base path is honoured.
ROUTE = "../../vendor/"
OWN = Path(__file__).parent
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}

NEEDED_BY_A_MAP = ("leaflet", "leaflet_css")

_packed: dict[str, bytes] = {}
_lock = threading.Lock()


def name_of(url: str) -> str:
    """Name under which the asset at *url* is served, e.g. ``9f1c0a4b7d2e.js``."""
    kind = ".css" if "css" in url.rsplit("/", 1)[-1].lower() else ".js"
    return hashlib.sha1(url.encode(), usedforsecurity=False).hexdigest()[:12] + kind


def own_name(file: str) -> str:
    """Name under which one of our own scripts is served; changes with its content."""
    path = OWN / file
    digest = hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest()[:12]
    return f"{path.stem}-{digest}{path.suffix}"


def _classes(top: type[Any]) -> Iterator[type[Any]]:
    yield top
    for cls in top.__subclasses__():
        yield from _classes(cls)


def keep_at_home() -> None:
    """Point every folium class at our route; call after the classes a map needs are imported."""
    for cls in _classes(JSCSSMixin):
        for links in ("default_js", "default_css"):
            given: list[tuple[str, str]] | None = cls.__dict__.get(links)
            if given is not None:
                kept = [pair for pair in given if cls.__name__ != "Map" or pair[0] in NEEDED_BY_A_MAP]
                setattr(cls, links, [(label, at_home(url)) for label, url in kept])


def at_home(url: str) -> str:
    """Rewrite one link to our route; links that are not on a foreign host stay."""
    return f"{ROUTE}{name_of(url)}" if url.startswith(("http://", "https://", "//")) else url


@cache
def _texts() -> Mapping[str, str]:
    from offlinefolium.elements import _res  # imports all of its maps: see above

    return {name_of(url): text for url, text in _res.items()}


@cache
def _own() -> Mapping[str, str]:
    files = [*OWN.glob("*.js"), *OWN.glob("*.css")]
    return {own_name(file.name): file.read_text(encoding="utf-8") for file in files}


def packed(name: str) -> bytes | None:
    """Gzip-compressed text of the asset served as *name*; ``None`` if there is no such asset.

    Parameters
    ----------
    name : str
        As given by :func:`name_of` or :func:`own_name`.
    """
    with _lock:
        if name not in _packed:
            text = _own().get(name) or _texts().get(name)
            if text is None:
                return None
            _packed[name] = gzip.compress(text.encode(), 6, mtime=0)
        return _packed[name]
