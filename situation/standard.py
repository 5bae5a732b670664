"""Standards: what somebody competent says is too much, one CSV file each under ``data/standards``.

A user's own standard is one more file in that folder; a row that cannot be used is a sentence naming it.
Every row says where it stands (``reference``, ``url``) and whether a second text confirmed it
(``verified``: ``yes: which text``, or ``no``); the pages show that mark.

``comparison`` says what counts as over the limit: ``above``, ``at_or_above``, ``below`` (too little, such
as oxygen), ``outside range`` (``lower`` and ``upper``, such as pH), or ``detected`` (``value`` 0; ``upper``
is then the largest limit of detection that still shows absence).

Three more columns may be there. ``terms`` makes the row a rule about several substances of one sample:
a sum (``pfoa + pfos``, in the row's unit) or, with the unit ``1``, a sum of shares
(``nitrate/50 mg/L as NO3 + nitrite/3 mg/L as NO2``); a term may be weighted (``0.5 * pfhxs``). ``exposure``
says whether one reading is enough (``acute``, also where nothing is said) or whether the limit is meant for
years of drinking (``chronic``), with the reason after a colon: most chemicals harm only after long exposure,
and the principal exception is nitrate (WHO guidelines, chapter 8), beside germs. ``tier`` tells two levels of one kind apart.

Which row counts: the first kind of :data:`KINDS` that the standard has, health before all others, and of
two tiers the stricter, ``acceptable`` before ``permissible``. The others are shown beside it
(:meth:`Standard.limits_for`).

What surprised us: half of the numbers people quote are without their form ("nitrate 10"), and limits
change on a date fixed years ahead (lead in the EU), so a row may be valid from or until a day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pandas as pd

from situation import datafile, unit
from situation.composite import Term, read_terms, text_of
from situation.errors import ChoiceError, DataFileError, UnitError
from situation.properties import PROPERTIES
from situation.settings import DATA

FOLDER = DATA / "standards"
COLUMNS = (
    "property",
    "value",
    "unit",
    "method_speciation",
    "sample_fraction",
    "kind",
    "comparison",
    "lower",
    "upper",
    "valid_from",
    "valid_to",
    "reference",
    "url",
    "verified",
)
#: Columns that a file may have beside those.
OPTIONAL_COLUMNS = ("terms", "exposure", "tier")
#: Quantities of which there is no less than nothing.
NEVER_NEGATIVE = (
    "mass_concentration", "amount_concentration", "charge_concentration", "count_concentration", "mass_fraction",
    "activity_concentration", "conductivity",
)  # fmt: skip
#: What a limit may be for; readings that say another fraction are not compared with it.
FRACTIONS = ("total", "dissolved", "suspended")
#: Which limit is meant when a standard has several for one property: the first of these kinds.
KINDS = ("health", "status", "ecological", "action", "screening", "indicator", "aesthetic")
#: Of two limits of one kind the first of these.
TIERS = ("", "acceptable", "permissible")
EXPOSURES = ("acute", "chronic")
COMPARISONS = ("above", "at_or_above", "below", "outside range", "detected")


@dataclass(frozen=True)
class Limit:
    """One row of a standard; numbers in ``unit`` (UCUM) and ``species``; ``terms`` of a sum or ratio rule."""

    property: str
    value: float | None
    unit: str
    species: str | None
    fraction: str | None
    kind: str
    comparison: str
    lower: float | None
    upper: float | None
    valid_from: date | None
    valid_to: date | None
    reference: str
    url: str
    verified: bool
    verified_by: str
    row: int
    tier: str = ""
    terms: tuple[Term, ...] = ()
    exposure: str = "acute"
    exposure_reason: str = ""

    def text(self) -> str:
        """Say the limit as people write it: ``50 mg/L as NO3``, ``6.5 to 8.5``, ``not detectable``."""
        unit_text = unit.shown(self.unit, before=" ")
        species = f" {self.species}" if self.species and PROPERTIES[self.property].needs_species else ""
        if self.comparison == "outside range":
            return f"{self.lower:g} to {self.upper:g}{unit_text}{species}"
        if self.comparison == "detected":
            return "must not be detected"
        word = "at least " if self.comparison == "below" else ""
        return f"{word}{self.value:g}{unit_text}{species}"

    def valid(self, on: date) -> bool:
        """Say whether the limit is in force on a day."""
        return (self.valid_from is None or self.valid_from <= on) and (
            self.valid_to is None or on <= self.valid_to
        )


@dataclass(frozen=True)
class Standard:
    """All limits of one standard."""

    key: str
    title: str
    rows: tuple[Limit, ...]

    @property
    def limits(self) -> pd.DataFrame:
        """The rows as a table with the columns of the file."""
        table = pd.DataFrame([{**vars(row), "terms": text_of(row.terms)} for row in self.rows])
        return table.rename(columns={"species": "method_speciation", "fraction": "sample_fraction"})

    def limits_for(self, observed_property: str, on: date | None = None) -> list[Limit]:
        """List the limits of a property in force on a day (today), the one that counts first."""
        day = on or date.today()
        rows = [row for row in self.rows if row.property == observed_property and row.valid(day)]
        return sorted(rows, key=lambda row: (KINDS.index(row.kind), TIERS.index(row.tier)))

    def limit(self, observed_property: str, on: date | None = None) -> Limit | None:
        """Give the limit that counts: health before all others, in force on a day (today)."""
        rows = self.limits_for(observed_property, on)
        return rows[0] if rows else None

    def needed(self, observed_property: str, on: date | None = None) -> tuple[str, ...]:
        """Name the properties whose readings the limit that counts is about, the property itself first."""
        limit = self.limit(observed_property, on)
        return (observed_property, *(term.property for term in (limit.terms if limit else ())))


def read_standard(path: Path) -> Standard:
    """Read one standard.

    Parameters
    ----------
    path : Path
        A CSV file with the columns :data:`COLUMNS`; a column ``standard`` may hold the title.

    Returns
    -------
    Standard

    Raises
    ------
    DataFileError
        Naming the row that cannot be used and what would be right.
    """
    cells = datafile.rows(path, COLUMNS)
    if not cells:
        raise DataFileError(f"{path.name} has no rows; each limit is one row.")
    titles = [row.get("standard", "") for _, row in cells]
    title = titles[0] or path.stem.replace("_", " ").capitalize()
    limits = tuple(_limit(path, number, row) for number, row in cells)
    _check_once(path, limits)
    return Standard(path.stem, title, limits)


def _check_once(path: Path, limits: tuple[Limit, ...]) -> None:
    """Refuse two limits of one kind and tier that are in force on one day: nobody could say which counts."""
    seen: dict[tuple[object, ...], list[Limit]] = {}
    for limit in limits:
        others = seen.setdefault((limit.property, limit.kind, limit.tier, limit.fraction), [])
        for other in others:
            if (limit.valid_from or date.min) <= (other.valid_to or date.max) and (
                other.valid_from or date.min
            ) <= (limit.valid_to or date.max):
                raise DataFileError(
                    f"{path.name}, row {limit.row}: {limit.property} has a {limit.kind} limit in row "
                    f"{other.row} already; give one of them another kind, tier or time (valid_from, valid_to)."
                )
        others.append(limit)


def _limit(path: Path, number: int, cells: Mapping[str, str]) -> Limit:
    where = f"{path.name}, row {number}"
    value, lower, upper = (
        datafile.number(path, number, name, cells[name]) for name in ("value", "lower", "upper")
    )
    verified, _, by = cells["verified"].partition(":")
    if verified.strip().lower() not in ("yes", "no", ""):
        raise DataFileError(
            f"{where}: verified takes 'yes: by which text' or 'no', not {cells['verified']!r}."
        )
    key = _property(where, cells["property"])
    exposure, _, exposure_reason = cells.get("exposure", "").partition(":")
    limit = Limit(
        property=key,
        value=value,
        unit=_unit(where, cells["unit"]),
        species=_species(where, cells["property"], cells["method_speciation"], cells["unit"]),
        fraction=_word(where, "sample_fraction", cells["sample_fraction"].lower(), ("", *FRACTIONS)) or None,
        kind=_word(where, "kind", cells["kind"] or "health", KINDS),
        comparison=_comparison(where, cells["comparison"]),
        lower=lower,
        upper=upper,
        valid_from=_day(where, "valid_from", cells["valid_from"]),
        valid_to=_day(where, "valid_to", cells["valid_to"]),
        reference=cells["reference"],
        url=cells["url"],
        verified=verified.strip().lower() == "yes",
        verified_by=by.strip(),
        row=number,
        tier=_word(where, "tier", cells.get("tier", ""), TIERS),
        terms=_terms(where, cells.get("terms", "")),
        exposure=_word(where, "exposure", exposure.strip() or "acute", EXPOSURES),
        exposure_reason=exposure_reason.strip(),
    )
    if limit.comparison == "detected" and upper is None and unit.kind_of(limit.unit) == "count_concentration":
        # None in the volume that the unit names, as ISO 9308 reports absence; "<1000" is no absence.
        limit = replace(limit, upper=1.0)
    _check(where, limit)
    return limit


def _property(where: str, key: str) -> str:
    if key not in PROPERTIES:
        raise DataFileError(
            f"{where}: no property {key!r}; data/properties.csv lists them, e.g. nitrate, arsenic."
        )
    return key


def _unit(where: str, text: str) -> str:
    found = unit.read_unit(text).ucum
    if not text:
        raise DataFileError(f"{where}: the unit is missing; write e.g. mg/L or ug/L.")
    if found is None:
        reason = unit.refusal(text)
        raise DataFileError(f"{where}: the unit {text!r} is not known{f': {reason}' if reason else ''}.")
    return found


def _species(where: str, key: str, text: str, unit_text: str) -> str | None:
    said, of_unit = unit.read_species(text), unit.read_unit(unit_text).species
    if said and of_unit and said != of_unit:
        raise DataFileError(
            f"{where}: the unit {unit_text!r} and the form {text!r} say different things; leave one out."
        )
    said = said or of_unit
    if text and said is None:
        raise DataFileError(f"{where}: the form {text!r} is not known; write e.g. as N or as NO3.")
    item = PROPERTIES[key]
    concentration = unit.kind_of(unit.read_unit(unit_text).ucum) == "mass_concentration"
    if said is None and item.needs_species and concentration:
        raise DataFileError(
            f"{where}: {item.title} needs its form in method_speciation, one of {', '.join(unit.forms(key))}."
        )
    return said if said or not concentration else item.default_species


def _terms(where: str, text: str) -> tuple[Term, ...]:
    try:
        return read_terms(text) if text else ()
    except DataFileError as wrong:
        raise DataFileError(f"{where}: {wrong}") from wrong


def _word(where: str, name: str, text: str, words: tuple[str, ...]) -> str:
    text = {"outside": "outside range", "outside_range": "outside range"}.get(text, text)
    if text not in words:
        raise DataFileError(
            f"{where}: {name} is {text!r}; it takes {', '.join(word for word in words if word)}."
        )
    return text


def _comparison(where: str, text: str) -> str:
    """Never guess on which side of a limit the harm lies: of oxygen it is below."""
    if not text:
        raise DataFileError(
            f"{where}: the comparison is missing; write above where more is worse, below where less is worse, "
            "or outside range."
        )
    return _word(where, "comparison", text, COMPARISONS)


def _day(where: str, name: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as wrong:
        raise DataFileError(f"{where}: {name} is {text!r}; it takes a day like 2026-01-31.") from wrong


def _check(where: str, limit: Limit) -> None:
    if limit.comparison == "outside range":
        if limit.lower is None or limit.upper is None:
            raise DataFileError(f"{where}: outside range needs both lower and upper.")
        if limit.lower >= limit.upper:
            raise DataFileError(
                f"{where}: the range is upside down: lower {limit.lower:g}, upper {limit.upper:g}."
            )
        if limit.value is not None:
            raise DataFileError(
                f"{where}: outside range takes lower and upper; the value {limit.value:g} beside them would be "
                "ignored."
            )
    elif limit.value is None:
        raise DataFileError(f"{where}: the value is missing.")
    elif limit.comparison != "detected" and (limit.lower is not None or limit.upper is not None):
        raise DataFileError(
            f"{where}: lower and upper go with outside range; beside the value {limit.value:g} they would be "
            "ignored."
        )
    elif limit.value < 0 and unit.kind_of(limit.unit) in NEVER_NEGATIVE:
        raise DataFileError(f"{where}: the value is {limit.value:g}; {limit.property} is never below zero.")
    elif limit.comparison == "detected" and limit.value != 0:
        raise DataFileError(f"{where}: detected takes the value 0 (and in upper what still shows absence).")
    if limit.valid_from and limit.valid_to and limit.valid_from > limit.valid_to:
        raise DataFileError(f"{where}: valid_from is after valid_to.")
    if not limit.reference:
        raise DataFileError(f"{where}: the reference is missing: which text says so?")
    if limit.url and not re.match(r"https?://", limit.url):
        raise DataFileError(f"{where}: url is {limit.url!r}; it begins with https://.")
    if limit.terms:
        _check_terms(where, limit)
    try:
        item = PROPERTIES[limit.property]
        unit.factor(limit.property, limit.unit, limit.species, item.default_unit, item.default_species)
    except UnitError as wrong:
        raise DataFileError(f"{where}: {limit.unit} does not fit {limit.property}: {wrong}") from wrong


def _check_terms(where: str, limit: Limit) -> None:
    if limit.comparison not in ("above", "at_or_above"):
        raise DataFileError(f"{where}: a rule with terms takes above or at_or_above, not {limit.comparison}.")
    ratio = limit.unit == "1"
    for term in limit.terms:
        if term.property == limit.property:
            raise DataFileError(f"{where}: {term.property} cannot be a term of itself.")
        if ratio and term.share_of is None:
            raise DataFileError(
                f"{where}: the term {term.property} has no denominator; with the unit 1 each term is a share, "
                f"e.g. {term.property}/50 mg/L."
            )
        if not ratio and term.share_of is not None:
            raise DataFileError(
                f"{where}: the term {term.property} is a share of {term.share_of:g}, but the unit of the row is "
                f"{limit.unit}; write 1 as the unit of a sum of shares."
            )
        item = PROPERTIES[term.property]
        to_unit, to_species = (term.unit, term.species) if ratio else (limit.unit, limit.species)
        try:
            unit.factor(term.property, item.default_unit, item.default_species, to_unit, to_species)
        except UnitError as wrong:
            raise DataFileError(f"{where}: the term {term.property} cannot be added up: {wrong}") from wrong


_READ: dict[tuple[str, int], Standard | DataFileError] = {}


def _read_once(path: Path) -> Standard | DataFileError:
    key = (str(path), path.stat().st_mtime_ns)
    if key not in _READ:
        try:
            _READ[key] = read_standard(path)
        except DataFileError as wrong:
            _READ[key] = wrong
    return _READ[key]


def standard_keys(folder: Path = FOLDER) -> tuple[str, ...]:
    """List the keys of the standards that can be used."""
    return tuple(standards(folder))


def standards(folder: Path = FOLDER) -> dict[str, Standard]:
    """Read every standard that can be used, by key; those that cannot are in :func:`broken_standards`."""
    found = {path.stem: _read_once(path) for path in sorted(folder.glob("*.csv"))}
    return {key: item for key, item in found.items() if isinstance(item, Standard)}


def broken_standards(folder: Path = FOLDER) -> dict[str, str]:
    """Name the standards that cannot be used: key to the sentence that says why."""
    found = {path.stem: _read_once(path) for path in sorted(folder.glob("*.csv"))}
    return {key: str(item) for key, item in found.items() if isinstance(item, DataFileError)}


def standard_named(key: str) -> Standard:
    """Find a standard by its key.

    Raises
    ------
    ChoiceError
        If there is none, with those that there are; or with the reason why it cannot be used.
    """
    found = standards()
    if key in found:
        return found[key]
    raise ChoiceError(
        broken_standards().get(key) or f"No standard {key!r}; data/standards has {', '.join(found)}."
    )
