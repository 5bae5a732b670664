"""What was made last, by choice: made once, shared by all visitors, and by one maker at a time.

Assessing a million sites, or finding the trends of ten thousand, takes seconds. A crowd that asks for the
same choice at once waits for the first who asked.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sized
from typing import Any, Generic, TypeVar

Kept = TypeVar("Kept", bound=Sized)


class Shelf(Generic[Kept]):
    """The last things made, by key.

    Parameters
    ----------
    most : int
        How many are kept.
    most_rows : int
        How many rows they may have together, by their ``len``; the last one is kept whatever its size.
    """

    def __init__(self, most: int, most_rows: int) -> None:
        self._most, self._most_rows = most, most_rows
        self._kept: OrderedDict[Any, Kept] = OrderedDict()
        self._making: dict[Any, threading.Lock] = {}
        self._door = threading.Lock()

    def get(self, key: Any, maker: Callable[[], Kept]) -> Kept:
        """Give what is kept under *key*; if there is nothing, make it and keep it."""
        with self._door:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            turn = self._making.setdefault(key, threading.Lock())
        with turn:
            with self._door:
                if key in self._kept:
                    return self._kept[key]
            made = maker()
            with self._door:
                self._put(key, made)
                self._making.pop(key, None)
            return made

    def has(self, key: Any) -> bool:
        """Say whether something is kept under *key*, so that asking takes no time."""
        with self._door:
            return key in self._kept

    def _put(self, key: Any, made: Kept) -> None:
        self._kept[key] = made
        while len(self._kept) > 1 and (
            len(self._kept) > self._most or sum(map(len, self._kept.values())) > self._most_rows
        ):
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Drop everything (tests)."""
        with self._door:
            self._kept.clear()
