"""``/ogc``: OGC API - Features, so that QGIS and other programs read sites, readings and statuses by address.

Each topic has three collections, ``<topic>-sites``, ``-readings`` and ``-statuses``, of what was accepted and as
anybody may see it. Answers are JSON, whoever asks; errors too, with a sentence. The server library takes more
than a second to import, so that happens at the first question.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

import store
from layers.subject import is_simulated, shown_topics
from routes import answer
from routes.asked import caching, root_of
from routes.ogc import description, fields, question
from situation.errors import ChoiceError
from situation.settings import settings
from situation.topic import Topic

if TYPE_CHECKING:
    from routes.ogc.service import Service

JSON, GEOJSON, SCHEMA = "application/json", "application/geo+json", "application/schema+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
VERSION = "X-Commonsight-Data-Version"

_CODES = {404: "NotFound", 500: "NoApplicableCode"}

Body = dict[str, Any]
Ask = Callable[["Service"], Body]

_bodies = answer.Bodies(16 * 2**20)


class _NotThere(ChoiceError):
    """An address below ``/ogc`` that leads nowhere."""


def door(request: Request) -> Response:
    """Answer whatever is asked below ``/ogc``."""
    told = _answered(request)
    if told.status_code < 400:
        return told
    said = json.loads(bytes(told.body))
    code = said.get("code") or _CODES.get(told.status_code, "InvalidParameterValue")
    body = {"code": code, "description": said["error"], "error": said["error"]}
    return JSONResponse(body, told.status_code, headers={"Cache-Control": "no-store"})


@answer.answering
def _answered(request: Request) -> Response:
    params = dict(request.query_params)
    if params.get("f", "json") not in ("json", "geojson"):
        raise ChoiceError("This service answers JSON only; leave out f, or say f=json.")
    way = _Way(request, params)
    try:
        ask, media = way.find()
        etag = way.tag()
        told = answer.unchanged(request, etag, way.caching)
        if told is None:
            body = _bodies.get(etag, lambda: _asked(way, ask))
            told = answer.packed(request, body, media, etag=etag, cache=way.caching)
    except _NotThere as wrong:
        return answer.error(str(wrong), 404)
    except question.Refused as no:
        return JSONResponse({"code": no.code, "error": no.sentence}, no.status)
    told.headers[VERSION] = str(way.version)
    if media == GEOJSON:
        told.headers["Content-Crs"] = f"<{question.CRS84}>"
    return told


def _asked(way: _Way, ask: Ask) -> Body:
    from routes.ogc.service import Service

    return ask(Service(tuple(way.topics.values()), way.title, way.address))


class _Way:
    """One question below ``/ogc``: where it leads."""

    def __init__(self, request: Request, params: dict[str, str]) -> None:
        # An identifier may hold slashes; everything after items/ is one.
        self._path = str(request.path_params.get("rest") or "").split("/", 3)
        self._params = params
        self._now = pd.Timestamp.now("UTC")
        self.version = store.shared(settings().active_store_url).version()
        self.topics = shown_topics()
        self.title = "Commonsight (simulated readings)" if is_simulated() else "Commonsight"
        root, shared = root_of(request)
        self.address, self.caching = f"{root}/ogc", caching(shared)

    def tag(self) -> str:
        """Make the entity tag of the answer."""
        kept = (settings().active_store_url, self.version, self._now.date(), tuple(self.topics.values()))
        return answer.tag("ogc", *kept, self.address, self._path, sorted(self._params.items()))

    def find(self) -> tuple[Ask, str]:
        """Find what answers a path, and the media type of it.

        Raises
        ------
        ChoiceError
            If there is nothing there, or a parameter is wrong.
        """
        first, *rest = [part for part in self._path if part] or [""]
        if first == "collections" and rest:
            return self._of_collection(*rest)
        known: dict[str, tuple[Ask, str]] = {
            "": (lambda service: service.landing(), JSON),
            "conformance": (lambda service: service.conformance(), JSON),
            "openapi": (lambda _: description.document(self.topics, self.title, self.address), OPENAPI),
            "collections": (lambda service: service.collections(self._questions()), JSON),
        }
        if rest or first not in known:
            raise _NotThere("There is nothing at this address; begin at /ogc and follow its links.")
        self._check(())
        return known[first]

    def _of_collection(self, name: str, what: str = "", identifier: str = "") -> tuple[Ask, str]:
        topic, kind = self._collection(name)
        if what == "items" and identifier:
            self._check(("crs", "as_of", "at", "period", "observed_property", "standard"))
            asked = question.read(kind, topic, self._params, self.version, self._now)
            return lambda service: service.item(name, asked, identifier, self._params), GEOJSON
        if what == "items":
            self._check(question.parameters_of(kind))
            asked = question.read(kind, topic, self._params, self.version, self._now)
            return lambda service: service.items(name, asked, self._params), GEOJSON
        known: dict[str, tuple[Ask, str]] = {
            "": (lambda service: service.collection(name, self._questions()[name]), JSON),
            "schema": (lambda service: service.schema(name), SCHEMA),
            "queryables": (lambda service: service.queryables(name, kind), SCHEMA),
        }
        if identifier or what not in known:
            raise _NotThere(f"The collection {name} has schema, queryables and items, and not this.")
        self._check(())
        return known[what]

    def _collection(self, name: str) -> tuple[Topic, fields.Kind]:
        key, _, said = name.rpartition("-")
        for kind in fields.KINDS:
            if kind == said and key in self.topics:
                return self.topics[key], kind
        known = ", ".join(f"{topic}-{kind}" for topic in self.topics for kind in fields.KINDS)
        raise _NotThere(f"No collection {name[:60]!r}; there is {known}.")

    def _questions(self) -> dict[str, question.Question]:
        return {
            f"{key}-{kind}": question.read(kind, topic, {}, self.version, self._now)
            for key, topic in self.topics.items()
            for kind in fields.KINDS
        }

    def _check(self, known: tuple[str, ...]) -> None:
        question.check_names(self._params, (*question.EVERYWHERE, *known))
