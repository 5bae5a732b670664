"""Finds the reference system that a heading or a title names: ``X (RD)``, ``UTM 37S Arc 1960``, ``Lambert 93``.

The names of national grids stand in ``data/grids.csv``; systems made of a datum and a zone are put together
here. A zone without a datum is on WGS 84; a datum without a zone names no grid.

What surprised us: MGA zones are in the south without saying so, and ``UTM 23S`` is zone 23 in the south
for everybody who maps Brazil.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from sensors.places import CrsGuess, to_degrees, try_system
from sensors.vocabulary import role_of
from situation.errors import DataFileError
from situation.settings import DATA

FILE = DATA / "grids.csv"


class Grid(NamedTuple):
    """A national grid: its name, what writes it, its code, and where it is used (degrees, EPSG:4326)."""

    name: str
    pattern: re.Pattern[str] | None
    crs: str
    area: tuple[float, float, float, float]


# datum as written -> EPSG code of zone 0 in the north, in the south (None: it has none there)
_DATUMS: tuple[tuple[str, int | None, int | None], ...] = (
    (r"arc[ _]?19?60", 21060, 21000),
    (r"sirgas[ _]?2000", 31954, 31960),
    (r"sad[ _]?(?:19)?69", None, 29170),
    (r"ed[ _]?50|european datum", 23000, None),
    (r"etrs[ _]?89", 25800, None),
    (r"nad[ _]?83", 26900, None),
    (r"nad[ _]?27", 26700, None),
    (r"mga[ _]?2020|gda[ _]?2020", None, 7800),
    (r"mga(?:[ _]?94)?|gda[ _]?(?:19)?94", None, 28300),
    (r"amg[ _]?66|agd[ _]?66", None, 20200),
    (r"amg[ _]?84|agd[ _]?84", None, 20300),
    (r"indian[ _]?1975", 24000, None),
    (r"minna", 26300, None),
    (r"adindan", 20100, None),
    (r"wgs[ _]?(?:19)?72", 32200, 32300),
    (r"wgs[ _]?(?:19)?84", 32600, 32700),
)
_ZONE = re.compile(
    r"(?<![\d.])(?:utm|mga|amg)?[ _]*(?:zone|zona|huso|fuso|fuseau|sone)?[ _]*(\d{1,2})[ _]*([ns]\b|north|south|norte|sur|sul|nord|sud)?",
    re.I,
)
_ZONED = re.compile(r"\butm|\bmga|\bamg|zone|zona|huso|fuso|fuseau", re.I)


@cache
def grids() -> tuple[Grid, ...]:
    """Read the table of grids.

    Raises
    ------
    DataFileError
        Naming the row that cannot be used.
    """
    found = []
    with FILE.open(encoding="utf-8-sig", newline="") as lines:
        for row, cells in enumerate(csv.DictReader(lines), start=2):
            try:
                pattern = re.compile(cells["pattern"], re.I) if cells["pattern"] else None
                west, south, east, north = (float(cells[side]) for side in ("west", "south", "east", "north"))
                found.append(
                    Grid(cells["name"], pattern, f"EPSG:{int(cells['epsg'])}", (west, south, east, north))
                )
            except (KeyError, ValueError, TypeError, re.error) as wrong:
                raise DataFileError(f"data/grids.csv, row {row}: {wrong}.") from wrong
    return tuple(found)


@lru_cache(maxsize=4096)
def find_grid(text: str) -> tuple[str, str] | None:
    """Find the reference system that a text names.

    Returns
    -------
    tuple of str, or None
        ``EPSG:…`` and the text without the words that named it.

    Examples
    --------
    >>> find_grid("X (RD)"), find_grid("Easting (UTM 37S Arc 1960)"), find_grid("Well name")
    (('EPSG:28992', 'X'), ('EPSG:21037', 'Easting'), None)
    >>> find_grid("Coordenada X (SIRGAS 2000 / UTM 23S)"), find_grid("MGA94 zone 54 Easting")
    (('EPSG:31983', 'Coordenada X'), ('EPSG:28354', 'Easting'))
    """
    spaced = text.replace("_", " ")
    if match := re.search(r"epsg\W{0,2}(\d{4,6})", spaced, re.I):
        return f"EPSG:{match[1]}", _without(spaced, match)
    if zoned := _zoned(spaced):
        return zoned
    for grid in grids():
        if grid.pattern and (match := grid.pattern.search(spaced)):
            letter = re.match(r"(?i)[xy](?=\W)", match[0])
            rest = _without(spaced, match)
            return grid.crs, (f"{letter[0]} {rest}".strip() if letter else rest)
    return None


def _zoned(text: str) -> tuple[str, str] | None:
    for pattern, north, south in _DATUMS:
        datum = re.search(rf"(?<![a-z])(?:{pattern})(?!\d)", text, re.I)
        rest = _without(text, datum) if datum else text
        if datum is None or not (_ZONED.search(text)):
            continue
        zone = next((m for m in _ZONE.finditer(rest)), None)
        if zone is None or not 1 <= int(zone[1]) <= 60:
            continue
        side = (zone[2] or "").casefold()[:1]
        base = (
            south
            if side == "s" or (not side and north is None)
            else (north if side == "n" or south is None else None)
        )
        if base is None:
            return None  # the zone does not say of which half, and the datum has both
        number = int(zone[1])
        return f"EPSG:{base + number}", _tidy(_without(rest, zone))
    zone = re.search(r"\butm\W*(?:zone|zona|huso|fuso|fuseau)?\W*(\d{1,2})\W?([ns])\b", text, re.I)
    if zone and 1 <= int(zone[1]) <= 60:
        return f"EPSG:{(32700 if zone[2] in 'sS' else 32600) + int(zone[1])}", _tidy(_without(text, zone))
    return None


def _without(text: str, match: re.Match[str]) -> str:
    return _tidy(text[: match.start()] + " " + text[match.end() :])


def _tidy(text: str) -> str:
    text = re.sub(r"\butm\b|\bzone\b", " ", text, flags=re.I)
    text = re.sub(r"[(\[]\s*[/,;:-]*\s*[)\]]", " ", text)
    return " ".join(re.sub(r"[/,;:]+(?=\s|$)", " ", text).split()).strip(" -–:,;/()[]")


def without_datum(text: str) -> str:
    """Take the name of a datum out of a heading: ``EASTING_MGA2020`` is an easting of some zone."""
    spaced = text.replace("_", " ")
    for pattern, _, _ in _DATUMS:
        if match := re.search(rf"(?<![a-z])(?:{pattern})(?!\d)", spaced, re.I):
            return _without(spaced, match)
    return _tidy(spaced) if re.search(r"\butm\b", spaced, re.I) else text


def axis(text: str) -> str | None:
    """Say which axis the rest of a heading names: ``x``, ``y`` or None."""
    words = text.casefold().split()
    if words in (["e"], ["x"]) or words in (["n"], ["y"]):
        return "x" if words[0] in "ex" else "y"
    role = role_of(text)
    return role if role in ("x", "y") else None


def zones_of(text: str, x: Any, y: Any) -> list[CrsGuess]:
    """List the zones of a datum that a heading names without its zone, by where they put a point."""
    spaced, found = text.replace("_", " "), []
    for pattern, north, south in _DATUMS:
        if not re.search(rf"(?<![a-z])(?:{pattern})(?!\d)", spaced, re.I):
            continue
        for base in (north, south):
            if base is None:
                continue
            for zone in range(1, 61):
                if guess := try_system(x, y, f"EPSG:{base + zone}"):
                    found.append(guess)
        break
    return found[:12]


_TITLE = re.compile(
    r"crs|coord|koord|coörd|grid|projec|projek|proyec|system|sistema|datum|epsg|utm|zone|lambert|sweref|rijks|srid",
    re.I,
)


def named_in(lines: Iterable[str]) -> dict[str, str]:
    """Find the systems that lines of a title name: code to the line that names it."""
    found: dict[str, str] = {}
    for line in lines:
        if len(line) < 400 and _TITLE.search(line) and (grid := find_grid(line)):
            found.setdefault(grid[0], line.strip())
    return found


def plausible(x: Any, y: Any) -> list[CrsGuess]:
    """List the grids of the table that put points into the countries where they are used.

    Parameters
    ----------
    x, y : array of float
        Eastings and northings in metres.

    Returns
    -------
    list of CrsGuess
        The smallest country first, since most points fit a large one.
    """
    found = []
    east, north = np.asarray(x, "float64")[:500], np.asarray(y, "float64")[:500]
    for grid in grids():
        lon, lat, _ = to_degrees(east, north, grid.crs)
        west, south, right, top = grid.area
        inside = float(np.mean((lon >= west) & (lon <= right) & (lat >= south) & (lat <= top)))
        if inside >= 0.9 and (right - west) < 300:
            size = (right - west) * (top - south)
            found.append(CrsGuess(grid.crs, grid.name, inside, (float(lon[0]), float(lat[0])), -size))
    return sorted(found, key=lambda guess: -guess.score)
