"""Alerts of disasters of the whole world: GDACS, as events of the disaster topic.

An alert is kept as a reading of its score (0 to 3) at the place of the event; its colour stands with it.

What surprised us: a byte order mark comes first; ``georss:point`` is latitude first, the box of an event
is written longitude, longitude, latitude, latitude; and an event is told in episodes, each of which is
an alert of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pandas as pd

from sensors.sensor import Ask, Body, Sensor, table
from situation.errors import IncompleteResponse, SchemaDrift

if TYPE_CHECKING:
    from sensors.http import Http

_NAMES = {
    "gdacs": "http://www.gdacs.org",
    "geo": "http://www.w3.org/2003/01/geo/wgs84_pos#",
    "georss": "http://www.georss.org/georss",
}
FIELDS = ("eventtype", "eventid", "episodeid", "eventname", "alertlevel", "alertscore", "fromdate", "todate",
          "severity", "country", "iso3", "iscurrent", "bbox")  # fmt: skip


def parse(bodies: Sequence[Body]) -> Iterator[pd.DataFrame]:
    """Flatten the feed: one row an alert, the fields as GDACS names them."""
    for body in bodies:
        if body.empty:
            continue
        rows = [_alert(item) for item in _items(body)]
        if rows:
            yield table(rows)


def _items(body: Body) -> list[ElementTree.Element]:
    text = body.text()
    if "<!DOCTYPE" in text[:2000].upper():
        raise SchemaDrift("The feed declares a document type, which a feed has no need of.")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as wrong:
        raise IncompleteResponse(f"The feed is not whole XML: {wrong}.") from wrong
    if root.find("channel") is None:
        raise SchemaDrift("The answer is no feed: it has no channel.")
    return root.findall("channel/item")


def _alert(item: ElementTree.Element) -> dict[str, str]:
    cells = {f"gdacs.{name}": (item.findtext(f"gdacs:{name}", "", _NAMES) or "").strip() for name in FIELDS}
    cells["title"] = (item.findtext("title") or "").strip()
    point = (item.findtext("georss:point", "", _NAMES) or "").split()
    lat, lon = point[:2] if len(point) >= 2 else ("", "")
    cells["geo.lat"] = (item.findtext("geo:Point/geo:lat", "", _NAMES) or lat).strip()
    cells["geo.long"] = (item.findtext("geo:Point/geo:long", "", _NAMES) or lon).strip()
    name = f"{cells['gdacs.eventtype']}{cells['gdacs.eventid']}"
    cells["event"] = name
    cells["what"] = "disaster_alert"
    cells["observation.id"] = f"gdacs:{name}/{cells['gdacs.episodeid']}"
    return cells


def fetch(ask: Ask, http: Http) -> Iterator[Body]:
    """Ask for the feed: what is going on now, wherever it is."""
    yield http.get("xml/rss.xml", expect="xml", conditional=True)


SENSOR = Sensor(
    key="gdacs",
    title="GDACS: alerts of disasters",
    homepage="https://www.gdacs.org",
    licence="© European Union; reuse with credit",
    attribution="GDACS (European Union and United Nations)",
    limits="One request in ten seconds; the feed is asked for only if it changed.",
    recorded=True,
    evidence="16 alerts of December 2019.",
    base_url="https://www.gdacs.org",
    fetch=fetch,
    parse=parse,
    dialect="gdacs",
    properties=("disaster_alert",),
    topics=("disasters",),
    pause_s=10.0,
    overlap_days=0.0,
    every_hours=1.0,
    events=True,
)
