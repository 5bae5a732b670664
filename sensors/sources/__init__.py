"""The sources, one file each: a file that ends with ``SENSOR = Sensor(...)`` is a source by being here."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from sensors.sensor import Sensor
from situation.errors import ChoiceError


@cache
def available() -> Mapping[str, Sensor]:
    """Give every source there is, by key, in the order of their titles.

    Raises
    ------
    ValueError
        If two files name the same key.
    """
    found: dict[str, Sensor] = {}
    for module in pkgutil.iter_modules(__path__):
        sensor = getattr(importlib.import_module(f"{__name__}.{module.name}"), "SENSOR", None)
        if not isinstance(sensor, Sensor):
            continue
        if sensor.key in found:
            raise ValueError(f"Two files in sensors/sources name the source {sensor.key!r}.")
        found[sensor.key] = sensor
    return dict(sorted(found.items(), key=lambda item: item[1].title.casefold()))


def source_named(key: str) -> Sensor:
    """Find a source by its key.

    Raises
    ------
    ChoiceError
        If there is none, with those that there are.
    """
    found = available()
    if key not in found:
        raise ChoiceError(f"No source {key!r}; there are {', '.join(sorted(found))}.")
    return found[key]
