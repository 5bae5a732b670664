"""The shapes of file that known tools export, recognised by the names of their columns.

One file a dialect in ``data/dialects``; no code. A dialect says only what the vocabulary cannot know:
which of several times counts, what a code means, which columns hold people. Columns that it does not
name are left to the vocabulary; where it ends with ``"*" = "ignored"`` it knows them all.

What surprised us: a renamed or added column is normal (forms change between exports), so a dialect is
recognised by a few names that only it has, and not by its whole header.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from sensors.vocabulary import ROLES
from situation.errors import DataFileError
from situation.properties import PROPERTIES
from situation.settings import DATA

FOLDER = DATA / "dialects"
PLAIN = "plain table"


@dataclass(frozen=True)
class ColumnRule:
    """What a dialect says of one column; of several for one role the lowest rank counts first."""

    pattern: str
    role: str
    rank: int = 1
    zone: str | None = None
    property: str | None = None
    unit: str | None = None
    species: str | None = None


@dataclass(frozen=True)
class Dialect:
    """One shape of file."""

    key: str
    title: str
    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    columns: tuple[ColumnRule, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    properties: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    property_by_unit: Mapping[str, str] = field(default_factory=dict)

    def rule_for(self, header: str) -> ColumnRule | None:
        """Find what is said of a column, or None: a name before a pattern, the ``*`` for all last."""
        name = tidy(header)
        exact = [rule for rule in self.columns if tidy(rule.pattern) == name]
        loose = [
            rule for rule in self.columns if "*" in rule.pattern and fnmatchcase(name, tidy(rule.pattern))
        ]
        found = exact or sorted(loose, key=lambda rule: rule.pattern == "*")
        return found[0] if found else None

    def fits(self, headers: Iterable[str]) -> int:
        """Count the names that recognise it; 0 when it is not this one."""
        if not self.all and not self.any:
            return 0  # known by its source only
        names = {tidy(header) for header in headers}
        hits = [_has(pattern, names) for pattern in self.all]
        others = [_has(pattern, names) for pattern in self.any]
        if (
            not (hits or others)
            or not all(hits)
            or (self.any and not any(others))
            or any(_has(pattern, names) for pattern in self.none)
        ):
            return 0
        return 10 * sum(hits) + 10 * sum(others) + sum(self.rule_for(name) is not None for name in names)


def tidy(header: str) -> str:
    """Bring a header to the form in which dialects compare names.

    >>> tidy(" Well  Name ")
    'well name'
    """
    return " ".join(unicodedata.normalize("NFKC", header).replace("\ufeff", "").split()).casefold()


def _has(pattern: str, names: set[str]) -> bool:
    pattern = tidy(pattern)
    return pattern in names or ("*" in pattern and any(fnmatchcase(name, pattern) for name in names))


def read_dialect(path: Path) -> Dialect:
    """Read one dialect from its file.

    Raises
    ------
    DataFileError
        If it is not TOML, or names a role or property that does not exist.
    """
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as wrong:
        raise DataFileError(f"data/dialects/{path.name} is not TOML: {wrong}.") from wrong
    rules = tuple(_rule(path.name, pattern, rule) for pattern, rule in said.get("columns", {}).items())
    marks = said.get("recognise", {})
    return Dialect(
        key=path.stem,
        title=said.get("title", path.stem),
        all=tuple(marks.get("all", ())),
        any=tuple(marks.get("any", ())),
        none=tuple(marks.get("none", ())),
        columns=rules,
        defaults=said.get("defaults", {}),
        codes=said.get("codes", {}),
        properties=said.get("properties", {}),
        property_by_unit=said.get("property_by_unit", {}),
    )


def _rule(file: str, pattern: str, said: Any) -> ColumnRule:
    parts = {"role": said} if isinstance(said, str) else dict(said)
    if parts.get("role") not in ROLES or parts.get("property", "nitrate") not in PROPERTIES:
        raise DataFileError(
            f"data/dialects/{file}: {pattern!r} has a role or property that does not exist: {said}."
        )
    return ColumnRule(pattern, **parts)


@cache
def dialects() -> Mapping[str, Dialect]:
    """Read every dialect, by key."""
    return {path.stem: read_dialect(path) for path in sorted(FOLDER.glob("*.toml"))}


def recognise(headers: Iterable[str]) -> Dialect | None:
    """Find the dialect of a file by the names of its columns, or None when it is a plain table.

    >>> recognise(["site_no", "sample_dt", "result_va"]).key
    'usgs_nwis'
    >>> recognise(["Well", "Date", "Nitrate (mg/L)"]) is None
    True
    """
    names = list(headers)
    scored = [(dialect.fits(names), key) for key, dialect in dialects().items()]
    best, key = max(scored, default=(0, ""))
    return dialects()[key] if best else None
