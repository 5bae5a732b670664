"""The chance of being above the limit, between the sites."""

from __future__ import annotations

from layers import Layer, Sign

#: ColorBrewer's BuPu: light to dark, and unlike the colours of the estimate.
_COLOURS = ("#d4e4f0", "#a8c4de", "#8c96c6", "#8c6bb1", "#88419d", "#4d004b")
_LABELS = ("under 10 %", "10 to 25 %", "25 to 50 %", "50 to 75 %", "75 to 90 %", "over 90 %")

LAYER = Layer(
    key="probability",
    title="Chance of being above the limit",
    paint="code",
    signs=tuple(Sign(label, colour, "patch") for label, colour in zip(_LABELS, _COLOURS, strict=True)),
    params="kind=probability",
    order=41,
    kind="grid",
    source="surface",
)
