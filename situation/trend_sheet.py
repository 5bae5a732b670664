"""The trend of one series as it leaves in a picture: its numbers, its readings, and what is drawn through them.

It is made by ``layers/frozen.py`` from a :class:`situation.snapshot.Snapshot` and drawn by
``publish/trend_sheet.py``. The numbers are those of ``python -m commonsight trends``; everything that names or
places a site has passed :func:`situation.privacy.public`.

What surprised us: a smooth line through forty readings takes longer than every slope of a valley together. What
is only drawn is therefore made for the series that are drawn, when they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from situation.snapshot import Origin
from situation.standard import Limit


@dataclass(frozen=True)
class Drawn:
    """The readings of one series and the lines through them; a table is empty where there is no such line.

    Attributes
    ----------
    readings : DataFrame
        ``time`` (UTC), ``value`` (a censored reading stands at its limit), ``censoring`` (``=``, ``<``, ``>``),
        ``procedure`` (laboratory, meter, sensor, strip, unknown), ``doubtful`` (estimated or suspect, as its
        source or quality control says) and ``verified`` (by a reviewer, one by one).
    band : DataFrame
        ``time, estimate, low, high``: the trend line and its confidence band, over the readings.
    fan : DataFrame
        ``time, estimate, line_low, line_high, reading_low, reading_high``: from the last reading to the horizon.
    eye : DataFrame
        ``time, low, high, piece``: a smooth curve for the eye only; two where readings are censored.
    ends : Timestamp or None
        When the line would fall below zero although no reading did; band and fan end there.
    bent : str
        ``below`` or ``above``: where the newest readings lie when the record has bent away from its line.
    origins : tuple of Origin
        Where its readings come from, as the public may know it.
    """

    readings: pd.DataFrame
    band: pd.DataFrame
    fan: pd.DataFrame
    eye: pd.DataFrame
    ends: pd.Timestamp | None = None
    bent: str = ""
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True)
class TrendSheet:
    """One series: a site, medium, fraction and depth, strips apart.

    Attributes
    ----------
    row : mapping of str to object
        The row of the table of trends, as ``layers.trends.COLUMNS`` says; NaN, NaT and empty mean "not known".
    limit : Limit or None
        The one that its snapshot compares with; None where it is not for the fraction of this series.
    unit : str
        Of every value, as people write it: ``mg/L as NO3``; slopes are in that per year.
    until : Timestamp
        UTC; the horizon: nothing is said of what comes after.
    fan_share : float
        Of single readings that are expected in the fan, 0 to 1.
    number, same : int
        This is the *number*-th of *same* series that the public cannot tell apart by name, fraction or depth:
        hidden wells of one square. 1 of 1 for any other.
    draw : callable
        Gives what is drawn; slow, asked once.
    """

    row: Mapping[str, Any]
    limit: Limit | None
    unit: str
    until: pd.Timestamp
    draw: Callable[[], Drawn]
    fan_share: float = 0.9
    number: int = 1
    same: int = 1

    @cached_property
    def drawn(self) -> Drawn:
        """Readings and lines."""
        return self.draw()

    @property
    def site(self) -> str:
        """The site's identifier, as the public knows it."""
        return str(self.row["monitoring_location_id"])

    @property
    def name(self) -> str:
        """The site's name, or its identifier where it has none."""
        return self.text("monitoring_location_name") or self.site

    def text(self, column: str) -> str:
        """Give a text of the row, and nothing for what is missing (NaN counts as true)."""
        value = self.row.get(column)
        return value if isinstance(value, str) else ""
