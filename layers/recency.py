"""How old the newest reading of each site is: where nobody has looked for long."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from layers import Layer, Sign

#: Oldest age of each class, in days; the last class has no end.
_DAYS = (31, 183, 366, 3 * 366)

#: One sign per class, the newest first; dark to pale, and five shapes.
SIGNS = (
    Sign("read this month", "#08306b", "circle", 7.5),
    Sign("in the last half year", "#2171b5", "diamond", 7.0),
    Sign("in the last year", "#6baed6", "square", 6.5),
    Sign("in the last three years", "#8c6d31", "triangle_down", 6.5),
    Sign("longer ago", "#7f7f7f", "ring", 6.0),
)


def age_codes(times: pd.Series, now: pd.Timestamp) -> npt.NDArray[np.int8]:
    """Class of age of each time.

    Parameters
    ----------
    times : Series of datetime64[us, UTC]
        When each reading was taken; missing counts as longest ago.
    now : Timestamp
        UTC.

    Returns
    -------
    array of int8
        Codes into :data:`SIGNS`.

    Examples
    --------
    >>> now = pd.Timestamp("2026-06-30", tz="UTC")
    >>> age_codes(pd.Series(pd.to_datetime(["2026-06-20", "2026-01-10", None], utc=True)), now).tolist()
    [0, 1, 4]
    """
    days = (now - times).dt.total_seconds().to_numpy("float64") / 86_400
    days = np.where(np.isnan(days), np.inf, days)
    return np.searchsorted(_DAYS, days).astype("int8")


LAYER = Layer(key="recency", title="How old the readings are", paint="recency", signs=SIGNS, order=30)
