"""``/feeds/exceedances.atom``: what was newly found above a limit, for feed readers and map programs.

Atom (RFC 4287) with GeoRSS-Simple. One entry for each site and property whose newest accepted reading is above
its limit, dated by when that reading began to count here, the newest first. An entry is gone when its reading is
withdrawn, rejected, or followed by a lower one. Texts of strangers stand in it as text.

What surprised us: a feed reader knows an entry by its id alone and shows one id once. So the id is made of the
reading and not of the site; and it is the same under every address of the installation but the public one.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree

import pandas as pd
from starlette.requests import Request
from starlette.responses import Response

import store
from layers.newest import limit_of
from layers.picture import key_of
from layers.subject import is_simulated
from routes import answer
from routes.asked import caching, root_of
from routes.ogc import items
from routes.ogc.question import Question
from situation.messages import known_language, message
from situation.paragraph import limit_words
from situation.properties import PROPERTIES
from situation.result import words
from situation.settings import settings
from situation.standard import Limit, standards
from situation.topic import Topic
from situation.view import View
from situation.visible import one_line
from store.ledger import Batch

MOST = 100
_LONGEST = 200
_ATOM, _GEORSS = "http://www.w3.org/2005/Atom", "http://www.georss.org/georss"
_METRES = 111_320.0  # in a degree of latitude, as the grid of privacy.public() counts them

ElementTree.register_namespace("", _ATOM)
ElementTree.register_namespace("georss", _GEORSS)

Element = ElementTree.Element


@dataclass(frozen=True)
class Found:
    """One site above the limit: its row, the view it was assessed for, and when its reading began to count."""

    row: dict[str, Any]
    view: View
    since: pd.Timestamp


@answer.answering
def exceedances_atom(request: Request) -> Response:
    """Answer the feed; ``property`` is every one of the topic where it is not said."""
    view, now = View.from_params(_asked(request), strict=True), pd.Timestamp.now("UTC")
    language = known_language(request.query_params.get("lang"))
    names = [view.observed_property] if request.query_params.get("property") else view.chosen_topic.properties
    views = [view.but(observed_property=name) for name in names]
    base, shared = root_of(request)
    kept = ([key_of(one, now) for one in views], view.chosen_topic, view.bbox, language, base)
    etag = answer.tag("feed", *kept, request.url.query)
    same = answer.unchanged(request, etag, caching(shared))
    if same is not None:
        return same
    feed = _feed(view, newest(views, now), language, base, str(request.url.query))
    return Response(
        ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True),
        media_type="application/atom+xml",
        headers={"ETag": etag, "Cache-Control": caching(shared), "X-Content-Type-Options": "nosniff"},
    )


def _asked(request: Request) -> dict[str, str]:
    """Take the parameters that a feed has; what nobody has accepted is in none."""
    names = ("topic", "property", "standard", "bbox")
    return {name: request.query_params[name] for name in names if name in request.query_params}


def newest(views: list[View], now: pd.Timestamp) -> list[Found]:
    """Find the sites above the limits of some views, those first whose reading began to count last."""
    place = store.shared(settings().active_store_url)
    known, version = place.book().batches, place.version()
    found = []
    for view in views:
        topic = view.chosen_topic.shown(simulated=is_simulated())
        asked = Question("statuses", topic, view, view.observed_property, version, now, {"status": "above"})
        rows = items.page(asked, box=view.bbox, limit=10**9).rows
        rows = rows.assign(words=words(rows))
        for row in rows.to_dict("records"):
            found.append(Found({str(key): value for key, value in row.items()}, view, _since(row, known)))
    found.sort(key=lambda one: (one.since, one.row["phenomenon_time"], one.row["id"]), reverse=True)
    return found[:MOST]


def _since(row: Mapping[Any, Any], known: Mapping[int, Batch]) -> pd.Timestamp:
    """Say since when a reading counts: since its batch was accepted; a sum of several may name none."""
    batch = known.get(int(row["batch_id"])) if str(row["batch_id"]).isdigit() else None
    return pd.Timestamp((batch.accepted_at if batch else None) or row["phenomenon_time"])


# ---- written down -------------------------------------------------------------------------------


def _feed(view: View, found: list[Found], language: str, base: str, query: str) -> Element:
    topic = view.chosen_topic.shown(simulated=is_simulated())
    feed = Element(f"{{{_ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": language})
    own = f"{base}/feeds/exceedances.atom" + (f"?{query}" if query else "")
    _put(feed, "id", _tag("exceedances", view.topic, view.standard, query))
    _put(feed, "title", message("publish.feed.title", language, topic=topic.title))
    _put(feed, "subtitle", message("publish.feed.subtitle", language))
    _put(feed, "updated", _time(_moved()))
    _put(_put(feed, "author"), "name", topic.producer or topic.title)
    _put(feed, "rights", topic.licence)
    _put(feed, "link", rel="self", type="application/atom+xml", href=own)
    _put(feed, "link", rel="alternate", type="text/html", href=f"{base}/?{urlencode(view.to_params())}")
    for one in found:
        feed.append(_entry(one, topic, language, base))
    return feed


def _entry(found: Found, topic: Topic, language: str, base: str) -> Element:
    row, view = found.row, found.view
    entry = Element(f"{{{_ATOM}}}entry")
    limit = limit_of(view, standards().get(view.standard), pd.Timestamp.now("UTC"))
    said = {
        "property": PROPERTIES[view.observed_property].title,
        "result": row["words"],
        "site": _said(row["monitoring_location_name"]) or _said(row[items.SITE]),
        "date": row["phenomenon_time"].strftime("%Y-%m-%d"),
        "over": _over(limit, language),
        "standard": standards()[view.standard].title,
    }
    _put(entry, "id", _tag(*(str(row[part]) for part in _READING), view.topic))
    _put(entry, "title", message("publish.feed.entry", language, **said))
    _put(entry, "updated", _time(found.since))
    _put(entry, "published", _time(found.since))
    sentences = [message(f"publish.feed.{key}", language, **said) for key in _keys(row)]
    _put(entry, "summary", " ".join(sentences), type="text")
    _put(entry, "link", rel="alternate", type="text/html", href=f"{base}/?{urlencode(_link(row, view))}")
    _put(entry, "category", term=view.observed_property, label=said["property"])
    _where(entry, row, topic)
    return entry


#: What an entry is known by: the reading that it tells of.
_READING = ("id", "observed_property", "standard", "phenomenon_time", "words")


def _over(limit: Limit | None, language: str) -> str:
    """Say that a limit is passed, as that limit is compared."""
    if limit is None:
        return ""
    key = f"words.over_{limit.comparison.replace(' ', '_')}"
    return message(key, language, limit=limit_words(limit, language)).rstrip(",")


def _keys(row: dict[str, Any]) -> Iterator[str]:
    """Name the sentences that hold for an entry."""
    yield from ("reading", "limit")
    told = {
        "unverified": row["review_state"] != "verified",
        "stale": row["freshness"] == "stale",
        "withheld": row["position_rule"] == "withheld",
        "hidden": row["position_rule"] in ("blurred", "area"),
        "simulated": is_simulated(),
    }
    yield from (key for key, holds in told.items() if holds)


def _link(row: dict[str, Any], view: View) -> dict[str, str]:
    return view.but(bbox=None, site=str(row[items.SITE])).to_params()


def _where(entry: Element, row: dict[str, Any], topic: Topic) -> None:
    """Say where: a point, or the square of its cell for a site that is not shown exactly; nothing if nowhere."""
    lon, lat = row["longitude"], row["latitude"]
    if lon != lon or lat != lat:
        return
    width = {"blurred": topic.grid_m, "area": topic.area_m}.get(row["position_rule"], 0.0)
    if not width:
        _put(entry, "point", f"{lat:.6f} {lon:.6f}", space=_GEORSS)
        return
    high = width / 2 / _METRES
    wide = high / max(math.cos(math.radians(lat)), 0.01)
    corners = (lat - high, lon - wide, lat + high, lon + wide)
    _put(entry, "box", " ".join(f"{number:.6f}" for number in corners), space=_GEORSS)


def _put(
    parent: Element, name: str, text: object = None, *, space: str = _ATOM, **attributes: str
) -> Element:
    said = {key: one_line(value) for key, value in attributes.items()}
    made = ElementTree.SubElement(parent, f"{{{space}}}{name}", said)
    if text is not None:
        made.text = one_line(str(text))
    return made


def _said(value: Any) -> str:
    """Give a text that strangers wrote, of decent length; empty where there is none."""
    return "" if value is None or value != value else str(value)[:_LONGEST]


def _tag(*parts: str) -> str:
    """Make a tag URI (RFC 4151); without a public address the authority is no one's."""
    public = urlsplit(settings().base_url or "").hostname or "localhost"
    digest = hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
    return f"tag:{public},2026:{digest[:32]}"


def _moved() -> pd.Timestamp:
    """Say when the ledger moved last: a withdrawal takes an entry away, and readers look again."""
    at = store.shared(settings().active_store_url).book().at
    return pd.Timestamp(at) if at else pd.Timestamp(0, tz="UTC")


def _time(moment: pd.Timestamp) -> str:
    return str(moment.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ"))
