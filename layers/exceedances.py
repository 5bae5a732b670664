"""Only the sites above the limit, for when the rest hides them."""

from __future__ import annotations

from layers import Layer
from layers.status import CODES, SIGNS

#: Code of the status that this layer keeps.
ABOVE = int(CODES["above"])

LAYER = Layer(
    key="exceedances",
    title="Only above the limit",
    paint="status",
    signs=SIGNS,
    params="only=above",
    order=20,
)
