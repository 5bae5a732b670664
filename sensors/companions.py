"""Finds the columns of a wide table that speak of another column: its unit, its ``<``, its limit.

``As``, ``As_unit``, ``As_qual``, ``As MDL``: what stands beside a result belongs to that result alone.
A column of nothing but ``<`` belongs to the substance that it stands before (or behind).
"""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingOf
from typing import TYPE_CHECKING

from sensors.vocabulary import fold, read_header, role_of

if TYPE_CHECKING:
    from sensors.mapping import ColumnMap, Mapping

#: Roles that can belong to one measured column of several.
OF_A_RESULT = ("unit", "qualifier", "limit", "limit_unit", "uncertainty", "method", "species", "fraction")
_SHORT = {
    "qual": "qualifier",
    "quals": "qualifier",
    "q": "qualifier",
    "rmk": "qualifier",
    "remark": "qualifier",
}
_SHORT |= {"flag": "qualifier", "cens": "qualifier", "sign": "qualifier", "lt": "qualifier", "<": "qualifier"}
_SHORT |= {
    "dl": "limit",
    "lod": "limit",
    "loq": "limit",
    "lq": "limit",
    "ld": "limit",
    "rl": "limit",
    "det lim": "limit",
}
_SHORT |= {"units": "unit", "unit": "unit", "err": "uncertainty", "sd": "uncertainty", "unc": "uncertainty"}


def attach(found: Mapping, signs: MappingOf[str, bool]) -> None:
    """Attach columns of a wide table to the measured column that they speak of.

    Parameters
    ----------
    found : Mapping
        Changed in place: ``belongs`` names the measured column.
    signs : mapping of str to bool
        Columns whose filled cells are nothing but ``<``, ``>`` and the like.
    """
    measured = [column for column in found.columns if column.role == "measure"]
    if not measured:
        return
    for column in found.columns:
        if column.role in ("unknown", "notes", "ignored", "measure", *OF_A_RESULT):
            _attach_by_name(column, measured)
    _attach_by_place(found, signs)


def _attach_by_name(column: ColumnMap, measured: list[ColumnMap]) -> None:
    name, own_unit = column.source, None
    heading = read_header(name)
    if column.role == "measure" and column.property:
        return
    if unit := (column.unit or heading.unit):
        own_unit = unit
    for role, base in _splits(name):
        whose = _whose(base, [one for one in measured if one is not column])
        if whose is not None:
            column.role, column.belongs = role, whose.source
            column.property = column.name = column.species = None
            column.unit = own_unit if role == "limit" else None
            return


def _splits(name: str) -> list[tuple[str, str]]:
    """List the ways to cut a header in a word for a role and the rest."""
    text = re.sub(r"\[[^\]]*\]|\([^)]*\)", " ", name)
    if match := re.match(r"^\s*[<>≤]\s*(\w.*)$", text):
        return [("qualifier", match[1])]
    words = [
        word for word in re.split(r"[\s_./:;,-]+", re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", text)) if word
    ]
    while len(words) > 2 and read_header(" ".join(["x", words[-1]])).unit and _role(words[-1:]) is None:
        words = words[:-1]  # Nitrate_MDL_mgL
    found = []
    for size in (3, 2, 1):
        if len(words) > size:
            for part, rest in ((words[-size:], words[:-size]), (words[:size], words[size:])):
                if role := _role(part):
                    found.append((role, " ".join(rest)))
    return found


def _role(words: list[str]) -> str | None:
    text = fold(" ".join(words))
    role = _SHORT.get(text) or role_of(text)
    return role if role in OF_A_RESULT else None


def _whose(base: str, measured: list[ColumnMap]) -> ColumnMap | None:
    """Find the one measured column that a name means."""
    exact = [one for one in measured if fold(_bare(one.source)) == fold(base)]
    if len(exact) == 1:
        return exact[0]
    key = read_header(base).property
    same = [one for one in measured if key is not None and one.property == key]
    return same[0] if len(same) == 1 and not exact else None


def _bare(source: str) -> str:
    return re.sub(r"\[[^\]]*\]|\([^)]*\)", " ", source)


def _attach_by_place(found: Mapping, signs: MappingOf[str, bool]) -> None:
    """Attach columns of signs, and repeated ones, to the neighbour on the side that all of them share."""
    order = {column.source: at for at, column in enumerate(found.columns)}
    for role in ("qualifier", "unit", "limit"):
        loose = [
            c
            for c in found.columns
            if c.belongs is None and (c.role == role or (role == "qualifier" and _signed(c, signs)))
        ]
        measured = [c for c in found.columns if c.role == "measure" and c not in loose]
        if not loose or not measured:
            continue
        if len(loose) == 1 == len(measured):
            pairs: list[tuple[ColumnMap, ColumnMap]] | None = [(loose[0], measured[0])]
        elif len(loose) == 1 and role != "qualifier":
            continue  # one column of units is for the whole row
        else:
            pairs = _side(found, loose, measured, order, 1) or _side(found, loose, measured, order, -1)
        for one, whose in pairs or []:
            one.role, one.belongs, one.property, one.name = role, whose.source, None, None


def _signed(column: ColumnMap, signs: MappingOf[str, bool]) -> bool:
    return column.role in ("unknown", "notes", "qualifier", "measure") and signs.get(column.source, False)


def _side(
    found: Mapping, loose: list[ColumnMap], measured: list[ColumnMap], order: dict[str, int], step: int
) -> list[tuple[ColumnMap, ColumnMap]] | None:
    pairs = []
    for one in loose:
        at = order[one.source] + step
        if not 0 <= at < len(found.columns) or found.columns[at] not in measured:
            return None
        pairs.append((one, found.columns[at]))
    return pairs
