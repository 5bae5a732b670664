"""The server library, set up in code: what it is told of the topics, and what of its answers goes out.

pygeoapi (MIT) answers OGC API - Features. Only its JSON is used: nothing that a stranger wrote reaches one of its
templates, and its pages, which load scripts from elsewhere, are never made.

What surprised us: it configures the logging of the whole process unless somebody has; it links to pages,
processes and tiles that are not there; it declares that items can be created and deleted, and that there are
pages of HTML; and its list of conformance classes grows with each question. So what it declares is said here,
and its links are sifted.
"""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlencode

from pygeoapi import api as library
from pygeoapi.api import itemtypes

from routes.ogc import fields, items
from routes.ogc.question import ASKED, CRS84, MOST, USUAL, Question, Refused
from situation.topic import WORLD, Topic

#: What is true of this service.
CONFORMS_TO = (
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/json",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/landing-page",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables-query-parameters",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/schemas",
)
_NOT_HERE = ("/processes", "/jobs", "/TileMatrixSets")
_FORMATS_NOT_HERE = ("text/html", "application/ld+json")

logging.getLogger("pygeoapi").setLevel(logging.CRITICAL)
# It would otherwise set up the logging of the whole process with the first API object.
library.setup_logger = lambda _: None

Body = dict[str, Any]


@lru_cache(maxsize=4)
def _library_for(topics: tuple[Topic, ...], title: str) -> library.API:
    """Make the library's object; again only when a topic changes."""
    return library.API(_configuration(topics, title), {})


def _configuration(topics: tuple[Topic, ...], title: str) -> Body:
    told = {"title": title, "description": "Readings of people's measurements and open sources, and how they "
            "compare with limits. No data is not safe.", "keywords": ["measurements"], "url": "about:blank"}  # fmt: skip
    return {
        "server": {
            "url": "about:blank",  # that of the question is put in for each
            "languages": ["en"],
            "limits": {"default_items": USUAL, "max_items": MOST, "on_exceed": "throttle"},
        },
        "logging": {"level": "CRITICAL"},
        "metadata": {"identification": told},
        "resources": {
            f"{topic.key}-{kind}": _collection(topic, kind) for topic in topics for kind in fields.KINDS
        },
    }


def _collection(topic: Topic, kind: fields.Kind) -> Body:
    title, description = fields.TOLD[kind]
    return {
        "type": "collection",
        "title": title.format(topic=topic.title),
        "description": description,
        "keywords": [topic.key, kind],
        # The true extents depend on the data version and are put in by describe(); with ends given here the
        # library would refuse a time outside them, where nothing found is the right answer.
        "extents": {"spatial": {"bbox": list(WORLD), "crs": CRS84}, "temporal": {"begin": None, "end": None}},
        "providers": [
            {
                "type": "feature",
                "name": "routes.ogc.provider.Doors",
                "data": kind,
                "id_field": "id",
                "time_field": fields.TIME_FIELD[kind],
                "crs": [CRS84],
                "storage_crs": CRS84,
            }
        ],
    }


class Service:
    """The library for one question: topics as they are, under the address that was asked.

    Parameters
    ----------
    topics : sequence of Topic
        Those that have collections.
    title : str
        Of the whole.
    address : str
        Of the landing page, without a slash at its end.
    """

    def __init__(self, topics: tuple[Topic, ...], title: str, address: str) -> None:
        self._library = copy.copy(_library_for(topics, title))
        self._library.base_url = self._address = address

    def _ask(self, function: Callable[..., Any], params: Mapping[str, str], *args: str) -> Body:
        asked = {name: value for name, value in params.items() if name not in ("f", "lang")} | {"f": "json"}
        stranger = SimpleNamespace(query_params=asked, headers={}, scope={"path": ""})
        _, status, content = function(
            self._library, library.APIRequest(stranger, self._library.locales), *args
        )
        told: Body = json.loads(content)
        if status >= 400:
            raise Refused(int(status), str(told.get("code")), str(told.get("description")))
        return told | ({"links": self._sifted(told["links"])} if "links" in told else {})

    def _sifted(self, links: list[Body]) -> list[Body]:
        return [
            link
            for link in links
            if link.get("type") not in _FORMATS_NOT_HERE
            and not link["href"].startswith("about:")
            and not link["href"].partition("?")[0].endswith(_NOT_HERE)
        ]

    def landing(self) -> Body:
        """Give the landing page."""
        return self._ask(library.landing_page, {})

    def collections(self, questions: Mapping[str, Question]) -> Body:
        """Describe all collections; *questions* has one for each, for its extent."""
        told = self._ask(library.describe_collections, {})
        told["collections"] = [self._described(one, questions[one["id"]]) for one in told["collections"]]
        return told

    def collection(self, name: str, asked: Question) -> Body:
        """Describe one collection."""
        return self._described(self._ask(library.describe_collections, {}, name), asked)

    def _described(self, told: Body, asked: Question) -> Body:
        box, times = items.extent(asked)
        spatial = {"bbox": [list(box or WORLD)], "crs": CRS84}
        interval = [None if time is None else time.isoformat().replace("+00:00", "Z") for time in times]
        extent = {"spatial": spatial, "temporal": {"interval": [interval]}}
        return told | {"extent": extent, "links": self._sifted(told["links"])}

    @staticmethod
    def conformance() -> Body:
        """Say which parts of the standard hold here."""
        return {"conformsTo": list(CONFORMS_TO)}

    def schema(self, name: str) -> Body:
        """Give the fields of a collection as JSON Schema."""
        return self._ask(library.get_collection_schema, {}, name)

    def queryables(self, name: str, kind: fields.Kind) -> Body:
        """Give what a collection can be asked for by value, as JSON Schema."""
        told = self._ask(itemtypes.get_collection_queryables, {}, name)
        known = {"geometry": told["properties"]["geometry"]} | fields.queryables(kind)
        address = f"{self._address}/collections/{name}/queryables"
        return told | {"$id": address, "properties": known, "additionalProperties": False}

    def items(self, name: str, asked: Question, params: Mapping[str, str]) -> Body:
        """Give one page; the links to the next and the one before keep its data version."""
        told = self._with(asked, lambda: self._ask(itemtypes.get_collection_items, params, name))
        links = [link for link in told["links"] if link["rel"] not in ("self", "next", "prev")]
        links += [self._self(f"collections/{name}/items", params)]
        links += self._neighbours(f"collections/{name}/items", asked, params, told)
        return told | {"links": links}

    def _neighbours(self, path: str, asked: Question, params: Mapping[str, str], told: Body) -> list[Body]:
        offset, limit = int(params.get("offset", 0)), min(int(params.get("limit", USUAL)), MOST)
        after = offset + limit
        steps = {"prev": max(offset - limit, 0)} if offset else {}
        steps |= (
            {"next": after} if after < told["numberMatched"] and params.get("resulttype") != "hits" else {}
        )
        pinned = {name: value for name, value in params.items() if name != "f"} | {
            "as_of": str(asked.version)
        }
        return [
            {
                "rel": rel,
                "type": "application/geo+json",
                "title": f"Items ({rel})",
                "href": f"{self._address}/{path}?{urlencode(pinned | {'limit': limit, 'offset': to})}",
            }
            for rel, to in steps.items()
        ]

    def item(self, name: str, asked: Question, identifier: str, params: Mapping[str, str]) -> Body:
        """Give one item."""
        told = self._with(asked, lambda: self._ask(itemtypes.get_collection_item, params, name, identifier))
        own = self._self(f"collections/{name}/items/{quote(identifier, safe='')}", params)
        return told | {"links": [link for link in told["links"] if link["rel"] != "self"] + [own]}

    def _self(self, path: str, params: Mapping[str, str]) -> Body:
        query = urlencode(dict(params))
        return {
            "rel": "self",
            "type": "application/geo+json",
            "title": "This document",
            "href": f"{self._address}/{path}" + (f"?{query}" if query else ""),
        }

    @staticmethod
    def _with(asked: Question, ask: Callable[[], Body]) -> Body:
        token = ASKED.set(asked)
        try:
            return ask()
        finally:
            ASKED.reset(token)
