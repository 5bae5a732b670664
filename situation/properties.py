"""The observed properties: what was measured, in our key, with the names that others give it.

The list stands in ``data/properties.csv``; a chemist can correct it there. ``default_species`` is
the form in which a limit or a chart is shown. Where ``needs_species`` is yes, a number without a
stated form means nothing ("nitrate 12 mg/L" may be 12 or 53 mg/L of nitrate), and it is never
guessed; where it is no, everybody reports the one form, and a result without a form is in it.

What surprised us: chemical symbols are case-sensitive and short ("CO" is a gas and "Co" a metal,
"NO" is neither "no" nor "No."), so a name of one or two letters matches only as it is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from situation import datafile
from situation.errors import ChoiceError, DataFileError
from situation.settings import DATA

FILE = DATA / "properties.csv"
_COLUMNS = (
    "key",
    "title",
    "group",
    "default_unit",
    "default_species",
    "needs_species",
    "molar_mass",
    "charge",
    "cas",
    "usgs_pcodes",
    "names",
)


class Pcode(NamedTuple):
    """What a USGS parameter code says beside the property."""

    property: str
    species: str | None  # "as N"
    fraction: str | None  # "dissolved", "total"


@dataclass(frozen=True)
class Property:
    """One observed property; units in UCUM, molar mass in g/mol of ``default_species``."""

    key: str
    title: str
    group: str
    default_unit: str
    default_species: str | None
    needs_species: bool
    molar_mass: float | None
    charge: int | None
    cas: str | None
    pcodes: tuple[tuple[str, Pcode], ...]
    names: tuple[str, ...]

    @property
    def medium(self) -> str:
        """``air`` or ``water``: which medium a share such as ppm is taken of, if the row does not say."""
        return "air" if self.group == "air" else "water"


def read_properties(path: Path) -> dict[str, Property]:
    """Read the list of properties.

    Parameters
    ----------
    path : Path
        A CSV file with the columns of ``data/properties.csv``.

    Returns
    -------
    dict of str to Property
        By key, in the order of the file.

    Raises
    ------
    DataFileError
        Naming the row that cannot be used.
    """
    found: dict[str, Property] = {}
    for row, cells in datafile.rows(path, _COLUMNS):
        item = _property(path, row, cells)
        if item.key in found:
            raise DataFileError(f"{path.name}, row {row}: the key {item.key} stands there twice.")
        found[item.key] = item
    return found


def _property(path: Path, row: int, cells: Mapping[str, str]) -> Property:
    key = cells["key"]
    if not key or key != key.lower() or not key.replace("_", "").isalnum():
        raise DataFileError(f"{path.name}, row {row}: the key {key!r} is not lower_snake_case.")
    if cells["needs_species"] not in ("yes", "no"):
        raise DataFileError(f"{path.name}, row {row}: needs_species takes yes or no.")
    charge = datafile.number(path, row, "charge", cells["charge"])
    return Property(
        key=key,
        title=cells["title"] or key,
        group=cells["group"],
        default_unit=cells["default_unit"],
        default_species=cells["default_species"] or None,
        needs_species=cells["needs_species"] == "yes",
        molar_mass=datafile.number(path, row, "molar_mass", cells["molar_mass"]),
        charge=None if charge is None else int(charge),
        cas=cells["cas"] or None,
        pcodes=tuple(_pcode(path, row, key, text) for text in _split(cells["usgs_pcodes"])),
        names=tuple(_split(cells["names"])),
    )


def _pcode(path: Path, row: int, key: str, text: str) -> tuple[str, Pcode]:
    parts = text.split(":")
    if len(parts) != 3 or not parts[0].isdigit():
        raise DataFileError(
            f"{path.name}, row {row}: {text!r} is not code:species:fraction, e.g. 00618:as N:dissolved."
        )
    return parts[0].zfill(5), Pcode(key, parts[1] or None, parts[2] or None)


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split("|") if part.strip()]


PROPERTIES: Mapping[str, Property] = read_properties(FILE)


def property_named(key: str) -> Property:
    """Find a property by its key.

    Raises
    ------
    ChoiceError
        If there is none, with some that there are.
    """
    if key not in PROPERTIES:
        raise ChoiceError(
            f"No property {key!r}; data/properties.csv has {len(PROPERTIES)}, e.g. nitrate, arsenic, pm25."
        )
    return PROPERTIES[key]


@cache
def _exact() -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for item in PROPERTIES.values():
        for name in dict.fromkeys((*item.names, item.title, *([item.key] if len(item.key) > 2 else []))):
            names.setdefault(name, []).append(item.key)
    return names


@cache
def _folded() -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for name, keys in _exact().items():
        if len(name) > 2:
            found = names.setdefault(_fold(name), [])
            found.extend(key for key in keys if key not in found)
    return names


def _fold(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())


def find_property(name: str, medium: str | None = None) -> str | None:
    """Find the key for a name in English, a chemical symbol, or a WQX characteristic name.

    Parameters
    ----------
    name : str
        As written by the source, without its unit.
    medium : {"water", "air"}, optional
        Tells apart what shares a name: NO2 is nitrite in water and nitrogen dioxide in air.

    Returns
    -------
    str or None
        None when it is unknown or could be more than one: never guessed.
    """
    name = " ".join(name.split())
    keys = _exact().get(name) or (_folded().get(_fold(name), []) if len(name) > 2 else [])
    if medium is not None and len(keys) > 1:
        keys = [key for key in keys if PROPERTIES[key].medium == medium]
    return keys[0] if len(keys) == 1 else None


@cache
def _pcodes() -> dict[str, Pcode]:
    return {code: meaning for item in PROPERTIES.values() for code, meaning in item.pcodes}


def find_pcode(code: str) -> Pcode | None:
    """Find what a USGS parameter code (``00618``, ``618``) says, or None."""
    return _pcodes().get(code.strip().zfill(5))


@cache
def _cas() -> dict[str, str]:
    return {item.cas: item.key for item in reversed(list(PROPERTIES.values())) if item.cas}


def find_cas(number: str) -> str | None:
    """Find the key for a CAS registry number, or None."""
    return _cas().get(number.strip())
