"""How a file was understood: a readable file that the next one of the same shape reuses.

A mapping names the dialect, gives each column its role (and a measured column its property, unit and
form), and holds the answers. It is TOML with comments: a person can correct it and hand it on.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import tomlkit

from sensors.companions import attach
from sensors.dialects import PLAIN, Dialect, dialects, recognise, tidy
from sensors.grids import axis, find_grid, without_datum
from sensors.questions import Question
from sensors.vocabulary import ROLES, Meaning, read_code, read_header, unit_of_code
from situation.errors import FieldFileError
from situation.properties import PROPERTIES


@dataclass
class ColumnMap:
    """One column of the file and what it is for; unit in UCUM. ``belongs``: of one measured column alone."""

    source: str
    role: str
    property: str | None = None
    name: str | None = None
    unit: str | None = None
    unit_source: str | None = None
    species: str | None = None
    fraction: str | None = None
    rank: int = 1
    zone: str | None = None
    belongs: str | None = None  # the measured column that this one speaks of
    why: str | None = None  # why it is not read
    waits: str | None = None  # the question that its cells wait for; never written down


@dataclass
class Mapping:
    """How one shape of file is read.

    ``layout`` is ``long`` (a result a row), ``wide`` (a column per property) or ``own`` (our export).
    ``constants`` hold for every row: medium, time_zone, licence, attribution, date_order, crs …
    """

    dialect: str = PLAIN
    layout: str = "wide"
    columns: list[ColumnMap] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    asked: dict[str, Question] = field(default_factory=dict)  # about columns; never written down

    @property
    def rules(self) -> Dialect | None:
        """The dialect, if it is one that is known."""
        return dialects().get(self.dialect)

    def of(self, role: str) -> list[ColumnMap]:
        """List the columns of a role, the one that counts first first."""
        mine = (c for c in self.columns if c.role == role and c.belongs is None)
        return sorted(mine, key=lambda column: column.rank)

    def beside(self, role: str) -> dict[str, str]:
        """Name the columns of a role that belong to one measured column: measured column to its companion."""
        return {c.belongs: c.source for c in self.columns if c.role == role and c.belongs is not None}

    def first(self, role: str) -> str | None:
        """Name the column of a role that counts first, or None."""
        found = self.of(role)
        return found[0].source if found else None

    def fits(self, headers: Iterable[str]) -> bool:
        """Say whether a file with these headers has the shape this mapping was made for."""
        names = {tidy(header) for header in headers}
        mine = {
            tidy(c.source) for c in self.columns if c.role not in ("ignored", "unknown", "notes", "personal")
        }
        return bool(mine) and mine <= names

    def to_toml(self) -> str:
        """Write the mapping as TOML with comments."""
        document = tomlkit.document()
        document.add(
            tomlkit.comment("How Commonsight read a file of this shape. Correct what is wrong and use it")
        )
        document.add(tomlkit.comment("again: python -m commonsight check FILE --mapping THIS.toml"))
        document.add("dialect", tomlkit.item(self.dialect))
        document.add("layout", tomlkit.item(self.layout))
        document.add(tomlkit.nl())
        document.add(tomlkit.comment("Answers to questions: question id = choice."))
        document.add("answers", tomlkit.item(dict(sorted(self.answers.items()))))
        document.add(tomlkit.comment("What holds for every row."))
        document.add("constants", tomlkit.item({k: v for k, v in self.constants.items() if v is not None}))
        rows = tomlkit.aot()
        for column in self.columns:
            rows.append(tomlkit.item({k: v for k, v in _row(column).items() if k != "rank" or v != 1}))
        document.add("column", rows)
        return tomlkit.dumps(document)

    def save(self, path: Path) -> None:
        """Write the mapping to a file."""
        path.write_text(self.to_toml(), encoding="utf-8")


def load_mapping(path: Path | str) -> Mapping:
    """Read a mapping from a file that :meth:`Mapping.save` wrote, or a person.

    Raises
    ------
    FieldFileError
        With what is wrong and what would be right.
    """
    path = Path(path)
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise FieldFileError(f"The mapping {path.name} cannot be read: {wrong}.") from wrong
    return mapping_from(said, path.name)


def mapping_from(said: MappingOf[str, Any], where: str = "mapping") -> Mapping:
    """Make a mapping of plain data."""
    known = {f.name for f in fields(ColumnMap)}
    columns = []
    for entry in said.get("column", []):
        strange = sorted(set(entry) - known)
        if strange or "source" not in entry or entry.get("role") not in ROLES:
            raise FieldFileError(
                f"{where}: a [[column]] needs source and role (one of {', '.join(ROLES)}); this one is {dict(entry)}."
            )
        if entry.get("property") and entry["property"] not in PROPERTIES:
            raise FieldFileError(
                f"{where}: no property {entry['property']!r}; data/properties.csv lists them."
            )
        columns.append(ColumnMap(**entry))
    return Mapping(
        dialect=str(said.get("dialect", PLAIN)),
        layout=str(said.get("layout", "wide")),
        columns=columns,
        constants=dict(said.get("constants", {})),
        answers={str(k): str(v) for k, v in said.get("answers", {}).items()},
    )


def to_data(mapping: Mapping) -> dict[str, Any]:
    """Give a mapping as plain data that :func:`mapping_from` reads."""
    rows = [_row(column) for column in mapping.columns]
    constants = {k: v for k, v in mapping.constants.items() if v is not None}
    return {
        "dialect": mapping.dialect,
        "layout": mapping.layout,
        "answers": dict(mapping.answers),
        "constants": constants,
        "column": rows,
    }


def _row(column: ColumnMap) -> dict[str, Any]:
    said = {f.name: getattr(column, f.name) for f in fields(column) if getattr(column, f.name) is not None}
    if said.pop("waits", None) is not None:
        said["role"] = "unknown"
        said.pop("name", None)
    return said


def understand(
    columns: list[str],
    names: list[str],
    *,
    units: list[str] | None = None,
    above: MappingOf[int, list[str]] | None = None,
    dictionary: MappingOf[str, str] | None = None,
    numeric: MappingOf[str, float] | None = None,
    signs: MappingOf[str, bool] | None = None,
    tags: list[str] | None = None,
    dialect: Dialect | None = None,
) -> Mapping:
    """Give each column its role: by the dialect, then by the vocabulary.

    Parameters
    ----------
    columns, names : list of str
        Unique names, and the names as written.
    units : list of str, optional
        Cells of a row of units under the header.
    above : mapping of int to list of str, optional
        Position of a column to the cells that stand over it before the header.
    dictionary : mapping, optional
        Column name to its unit, from a data dictionary.
    numeric : mapping of str to float, optional
        Share of filled cells that read as numbers, 0 … 1, by column.
    signs : mapping of str to bool, optional
        Columns whose filled cells are nothing but signs such as ``<``.
    tags : list of str, optional
        Cells of a row of HXL tags under the header; they speak where the header says nothing.
    dialect : Dialect, optional
        Where it is known; otherwise it is recognised by the names.
    """
    dialect = dialect or recognise(names)
    found = Mapping(dialect=dialect.key if dialect else PLAIN)
    if dialect:
        found.constants.update(dialect.defaults)
    for position, (column, name) in enumerate(zip(columns, names, strict=True)):
        unit = (units[position] if units and position < len(units) else "") or (dictionary or {}).get(
            name, ""
        )
        found.columns.append(_column(column, name, unit, dialect, (above or {}).get(position, [])))
    for made, tag in zip(found.columns, tags or [], strict=False):
        if made.role == "unknown" and (role := _tagged(tag)):
            made.role = role
    _settle(found, numeric or {}, signs or {})
    _name_grid(found)
    return found


def _column(column: str, name: str, unit: str, dialect: Dialect | None, above: list[str]) -> ColumnMap:
    rule = dialect.rule_for(name) if dialect else None
    if rule is not None:
        unit_source = rule.unit if rule.role == "measure" else (unit or None)
        said = name if rule.role == "measure" else None
        return ColumnMap(column, rule.role, rule.property, said, rule.unit, unit_source, rule.species, None, rule.rank,
                         rule.zone)  # fmt: skip
    if coded := _coded(column, name):
        return coded
    meaning = read_header(name, unit) if name.strip() else Meaning("unknown")
    if meaning.role == "unknown":
        grid = find_grid(name)
        if side := axis(grid[1] if grid else without_datum(name)):
            return ColumnMap(column, side)
    if meaning.role in ("unknown", "notes") and above:
        meaning = _stacked(above) or meaning
    elif meaning.role == "measure" and meaning.unit is None and above:
        stacked = _stacked([name, *above])
        meaning = stacked if stacked and stacked.unit else meaning
    rank = 1 if meaning.sure == 1.0 else 2
    if dialect is not None and meaning.role not in ("measure", "unknown"):
        rank = 2
    return ColumnMap(column, meaning.role, meaning.property, meaning.name if meaning.role == "measure" else None,
                     meaning.unit, meaning.unit_source, meaning.species, meaning.fraction, rank)  # fmt: skip


_TAGS = (
    ("#geo", "lat", "latitude"),
    ("#geo", "lon", "longitude"),
    ("#geo", "coord", "geopoint"),
    ("#geo", "elevation", "altitude"),
    ("#date", "", "date"),
    ("#loc", "code", "site_id"),
    ("#loc", "type", "site_type"),
    ("#loc", "", "site_name"),
    ("#contact", "", "personal"),
)


def _tagged(tag: str) -> str | None:
    """Give the role that an HXL tag such as ``#geo+lat`` names, or None."""
    name, *attributes = tag.replace(" ", "").casefold().split("+")
    return next(
        (role for base, mark, role in _TAGS if name == base and (not mark or mark in attributes)), None
    )


_CODED = re.compile(r"(?:\d+_(\d{5})(?:_\d{5})?|p(\d{5}))")


def _coded(column: str, name: str) -> ColumnMap | None:
    """Read a heading that is a USGS parameter code: ``p00618``, ``149367_00060_00003``."""
    match = _CODED.fullmatch(name.strip())
    found = read_code(match[1] or match[2]) if match else None
    if match is None or found is None or found.property is None:
        return None
    unit = unit_of_code(match[1] or match[2])
    return ColumnMap(column, "measure", found.property, name, unit, None, found.species, found.fraction)


def _stacked(above: list[str]) -> Meaning | None:
    """Read a header that is spread over several lines: the name in one, the unit in another."""
    cells = [cell for cell in above if cell.strip()]
    named = [cell for cell in cells if read_header(cell).role == "measure" and read_header(cell).property]
    if not named:
        united = [cell for cell in cells if read_header("x", cell).unit]
        others = [cell for cell in cells if cell not in united]
        if united and others:
            return Meaning("measure", None, others[0], read_header("x", united[0]).unit, united[0])
        return None
    rest = [cell for cell in cells if cell != named[0]]
    for cell in rest:
        meaning = read_header(named[0], cell)
        if meaning.unit:
            return meaning
    return read_header(named[0], rest[0] if rest else None)


def _settle(found: Mapping, numeric: MappingOf[str, float], signs: MappingOf[str, bool]) -> None:
    """Settle what only the whole header tells: long or wide, X and Y, one-letter symbols."""
    roles = {c.role for c in found.columns}
    if not roles & {"date", "datetime", "year"}:
        for column in found.of("datum"):
            if tidy(column.source) == "datum":  # a date in German and Dutch, a reference surface in English
                column.role = "date"
    if found.constants.get("own"):
        found.layout = "own"
        return
    if not ("value" in roles and roles & {"property", "property_code"}):
        attach(found, signs)
    for column in found.columns:
        if column.belongs is None:
            _settle_column(found, column, roles, numeric)
    roles = {c.role for c in found.columns}
    has_value = "value" in roles
    measured = [c for c in found.columns if c.role == "measure"]
    long = has_value and ("property" in roles or "property_code" in roles or not measured)
    found.layout = "long" if long else "wide"
    if has_value and not long:
        for column in found.of("value"):
            column.role = "unknown"
    if long and found.constants.get("wide") is not False and "property" in roles:
        for column in measured:
            column.role = "ignored"
    if not long:
        for column in found.columns:
            if column.role == "property" and measured:
                column.role = "unknown"
    _settle_sites(found)


def _settle_column(
    found: Mapping, column: ColumnMap, roles: set[str], numeric: MappingOf[str, float]
) -> None:
    share = numeric.get(column.source)
    measured = [c for c in found.columns if c.role == "measure" and c.property]
    if column.role in ("x", "y"):
        other = "y" if column.role == "x" else "x"
        bare = tidy(column.source) == column.role
        if bare and other not in roles and len(measured) >= 5 and column.source == "Y":
            column.role, column.property, column.name = "measure", "yttrium", column.source
    if column.role == "measure" and share is not None and share < 0.05 and column.unit is None:
        # "Bore" is boron in French and a well in Australia.
        column.role = "site_name" if tidy(column.source) == "bore" else "unknown"
        column.property = column.name = None
    if column.role in ("depth", "altitude", "limit", "uncertainty") and share == 0.0:
        column.role = "unknown"


def _name_grid(found: Mapping) -> None:
    """Take the reference system from the headings of the coordinates, where both name the same or one does."""
    named = {grid[0] for role in ("x", "y") for c in found.of(role) if (grid := find_grid(c.source))}
    if len(named) == 1 and not found.first("crs"):
        found.constants.setdefault("crs", named.pop())


def _settle_sites(found: Mapping) -> None:
    for column in found.of("place_name"):
        # "Village" is the site where nothing else is, and a part of the address where there is a well's name.
        column.role = "ignored" if found.of("site_name") else "site_name"
    names, ids = found.of("site_name"), found.of("site_id")
    placed = found.of("latitude") or found.of("geopoint") or found.of("x")  # then a place is a site
    if not names and not ids and not placed:
        for role in ("sample_code", "sample_id"):
            if columns := found.of(role):
                columns[0].role = "site_id"
                found.warnings.append(
                    f"The file names no site; {columns[0].source!r} is taken for the site. "
                    "If it is not, give the file a column for the site."
                )
                break
