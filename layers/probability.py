"""The chance of being above the limit, between the sites."""

from __future__ import annotations

from layers import Layer, Sign
from layers.surface import PROBABILITY

_LABELS = ("under 10 %", "10 to 25 %", "25 to 50 %", "50 to 75 %", "75 to 90 %", "over 90 %")

LAYER = Layer(
    key="probability",
    title="Chance of being above the limit",
    paint="code",
    signs=tuple(Sign(label, colour, "patch") for label, colour in zip(_LABELS, PROBABILITY, strict=True)),
    params="kind=probability",
    order=41,
    kind="grid",
    source="surface",
)
