"""Rivers, roads and villages under the sites: a GeoJSON file that a topic may bring along."""

from __future__ import annotations

from pathlib import Path

from layers.subject import is_simulated
from situation.shapes import shapes_of


def places_of(topic: str) -> Path | None:
    """Find the shapes of a topic: its own, or those of the invented valley while it is shown."""
    return shapes_of(topic, simulated=is_simulated())
