"""Asks in parts for what a source cannot give at once: the period is halved first, then the box quartered.

Neighbouring parts meet in one day, which comes twice: a day left out at the seam would be worse, and a
result that comes twice is kept once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta

from sensors.http import Http
from sensors.sensor import Ask, Body, quarter_box
from situation.errors import IncompleteResponse, TooMuch
from situation.topic import Box

Question = Callable[[Box | None, datetime | None, datetime | None], Body]

_FIRST = datetime(1900, 1, 1, tzinfo=UTC)
_SHORTEST = timedelta(days=30)
_WORLD: Box = (-180.0, -90.0, 180.0, 90.0)


def in_parts(
    http: Http,
    question: Question,
    box: Box | None,
    since: datetime | None,
    until: datetime | None,
    *,
    left: int = 8,
) -> Iterator[Body]:
    """Ask, and where the source says that it is too much (or the answer is cut short each time), ask for less.

    Parameters
    ----------
    http : Http
        For the note that parts were asked.
    question : callable
        ``question(box, since, until)`` gives the answer or raises
        :class:`~situation.errors.TooMuch` or :class:`~situation.errors.IncompleteResponse`.
    left : int
        How often a part may be cut again.
    """
    try:
        yield question(box, since, until)
    except (TooMuch, IncompleteResponse) as wrong:
        begin, end = since or _FIRST, until or datetime.now(UTC)
        if left == 0 or (end - begin <= _SHORTEST and box is None):
            raise
        http.warn(f"It was asked in parts: {wrong}")
        if end - begin > _SHORTEST:
            middle = (begin + (end - begin) / 2).replace(hour=0, minute=0, second=0, microsecond=0)
            yield from in_parts(http, question, box, since, middle, left=left - 1)
            yield from in_parts(http, question, box, middle, until, left=left - 1)
        else:
            for part in quarter_box(box or _WORLD):
                yield from in_parts(http, question, part, since, until, left=left - 1)


def one_question(ask: Ask) -> int:
    """Say how many requests an ask in parts takes at least: one, if it is not too large."""
    return 1


def local_day(moment: datetime, *, end: bool = False) -> datetime:
    """Give the day to ask for, of a source that counts days by its own clock, so that a moment is within it.

    A whole day that a person named stays; a moment gets a day more, since it is another day elsewhere.
    """
    if moment.astimezone(UTC).time() in (time(0, 0), time(23, 59, 59)):
        return moment
    return moment + timedelta(days=1 if end else -1)


def box_text(box: Box | None) -> str | None:
    """Write a box as most sources want it: west,south,east,north.

    >>> box_text((1.0, 2.5, 3.0, 4.0))
    '1,2.5,3,4'
    """
    return ",".join(f"{side:.8g}" for side in box) if box else None
