"""Where readings are above the limit: the status of each site, by colour and shape."""

from __future__ import annotations

import pandas as pd

from layers import Layer, Sign
from situation.status import STYLE

_ORDER = sorted(STYLE, key=lambda status: STYLE[status].order)

#: One sign per status, the worst first; the place in this list is the code that travels.
SIGNS = tuple(
    Sign(STYLE[status].label, STYLE[status].colour, STYLE[status].shape, max(5.0, 8.5 - code))
    for code, status in enumerate(_ORDER)
)
#: Status -> code.
CODES = pd.Series(range(len(_ORDER)), index=_ORDER, dtype="int8")

LAYER = Layer(key="status", title="All sites", paint="status", signs=SIGNS, shown=True, order=10)
