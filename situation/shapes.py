"""Rivers, roads and villages under the sites: a GeoJSON file that a topic may bring along."""

from __future__ import annotations

from pathlib import Path

from situation.settings import DATA
from situation.topic import FOLDER, topics

#: Name of the file in the topic's folder.
FILE = "places.geojson"


def shapes_of(topic: str, *, simulated: bool) -> Path | None:
    """Find the shapes of a topic: its own, or those of the invented valley over simulated readings."""
    known = topics().get(topic)
    if known is None:
        return None
    candidates = [FOLDER / known.key / FILE]
    if simulated and known.demonstration:
        candidates.append(DATA / "demo" / "valley.geojson")
    return next((file for file in candidates if file.is_file()), None)
