"""The plug-in through which the server library reads: it asks the same doors as every other way out.

Imported by the library, by name, at the first question below ``/ogc``.
"""

from __future__ import annotations

import math
from typing import Any

from pygeoapi.provider.base import BaseProvider, ProviderItemNotFoundError

from routes.ogc import fields, items
from routes.ogc.question import ASKED, interval
from situation.errors import ChoiceError


class Doors(BaseProvider):  # type: ignore[misc]  # the library has no types
    """One collection, as the library knows it: read only."""

    def __init__(self, provider_def: dict[str, Any]) -> None:
        super().__init__(provider_def)
        self._kind: fields.Kind = provider_def["data"]
        self._fields = fields.of(self._kind)

    def get_fields(self) -> dict[str, fields.Field]:
        """Give the fields."""
        return self._fields

    def query(
        self,
        offset: int = 0,
        limit: int = 10,
        resulttype: str = "results",
        bbox: list[float] | None = None,
        datetime_: str | None = None,
        skip_geometry: bool = False,
        select_properties: list[str] | None = None,
        **_: object,
    ) -> dict[str, Any]:
        """Give one page; what else is asked stands in :data:`routes.ogc.question.ASKED`."""
        hits = resulttype == "hits"
        found = items.page(
            ASKED.get(),
            since=interval(datetime_),
            box=_box(bbox or []),
            offset=offset,
            limit=0 if hits else limit,
        )
        names = select_properties or list(self._fields)
        return {
            "type": "FeatureCollection",
            "features": items.features(found.rows, names, skip_geometry=skip_geometry),
            "numberMatched": found.matched,
            "numberReturned": len(found.rows),
        }

    def get(self, identifier: str, **_: object) -> items.Feature:
        """Give one item.

        Raises
        ------
        ProviderItemNotFoundError
            If there is none of that identifier.
        """
        found = items.features(items.one(ASKED.get(), identifier), list(self._fields))
        if not found:
            raise ProviderItemNotFoundError(user_msg=f"There is no item {identifier[:200]!r} here.")
        return found[0]


def _box(numbers: list[float]) -> items.Box | None:
    """Give the box of degrees; of a box with heights the heights are left out.

    Raises
    ------
    ChoiceError
        If one of them is no number.
    """
    if not numbers:
        return None
    if not all(map(math.isfinite, numbers)):
        raise ChoiceError("bbox takes four numbers: west,south,east,north in degrees.")
    half = len(numbers) // 2
    return numbers[0], numbers[1], numbers[half], numbers[half + 1]
