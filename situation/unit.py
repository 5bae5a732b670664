"""Units and species: reading how people write them, and converting within one dimension and one species.

Three tables that a chemist can correct without reading Python: ``data/units.csv`` (every unit with its
spellings; those that cannot be read are refused there by name, with the reason), ``data/species.csv``
(grams of each form in one mole: nitrate as N, as NO3 …) and ``data/properties.csv``.

A degree of hardness (°dH, °fH, °e, grains per gallon) is a mass of calcium carbonate per litre: such a unit
names its own form.

Rules. A number converts only within one kind of quantity; mass, amount and charge concentrations convert
into each other through the molar mass. A number converts between two forms only if both are known; an
unknown form stays unknown. A share (ppm, ppb) is a mass per litre in water alone: in air it would need a
temperature and a pressure, in soil it is a mass per kilogram.

What surprised us: the micro sign exists twice in Unicode; "mg-N/l", "mg/l as N", "mg{N}/L" and "NO3-N"
all say the same; "ppt" has two meanings; and decimal factors have to be exact, or 0.01 mg/L comes out a
hair above a limit of 10 ug/L.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from situation import datafile
from situation.errors import DataFileError, UnitError
from situation.properties import PROPERTIES, Property
from situation.settings import DATA

FILE = DATA / "units.csv"
SPECIES_FILE = DATA / "species.csv"
_MASS, _AMOUNT, _CHARGE = "mass_concentration", "amount_concentration", "charge_concentration"
_CONCENTRATIONS = (_MASS, _AMOUNT, _CHARGE)
_NOT_WATER = ("soil", "sediment", "air", "ambient_radiation")
_GRAMS_PER_LITRE_OF_WATER = 1000


class Unit(NamedTuple):
    """A unit in UCUM and the form that its spelling named (``as N``); None is unknown."""

    ucum: str | None
    species: str | None


@dataclass(frozen=True)
class Scale:
    """How a unit relates to the base of its kind: base = value × scale + offset."""

    ucum: str
    kind: str
    scale: Fraction
    offset: Fraction


class _Table(NamedTuple):
    scales: dict[str, Scale]
    spellings: dict[str, str]  # folded spelling to UCUM
    exact: dict[str, str]  # UCUM codes and spellings as written
    refused: dict[str, str]  # folded spelling to reason
    shown: dict[str, str]  # UCUM to how people write it, where that differs
    species: dict[str, str]  # UCUM to the form that the unit itself means (degrees of hardness)


# -- the tables -------------------------------------------------------------------------------------


def read_units(path: Path) -> _Table:
    """Read the table of units.

    Raises
    ------
    DataFileError
        Naming the row that cannot be used.
    """
    table = _Table({}, {}, {}, {}, {}, {})
    for row, cells in datafile.rows(path, ("ucum", "kind", "scale", "offset", "spellings", "reason")):
        code, names = cells["ucum"], [name for name in cells["spellings"].split("|") if name]
        if not code:
            if not cells["reason"]:
                raise DataFileError(f"{path.name}, row {row}: a unit that is refused needs a reason.")
            table.refused.update({_fold(name): cells["reason"] for name in names})
            continue
        if cells.get("shown"):
            table.shown[code] = "" if cells["shown"] == "(nothing)" else cells["shown"]
        if cells.get("species"):
            table.species[code] = cells["species"]
        scale = _exact_number(path, row, cells["scale"])
        table.scales[code] = Scale(code, cells["kind"], scale, _exact_number(path, row, cells["offset"]))
        for name in (code, *names):
            if table.spellings.setdefault(_fold(name), code) != code:
                raise DataFileError(f"{path.name}, row {row}: {name!r} is also a spelling of another unit.")
            table.exact[name] = code
    return table


def _exact_number(path: Path, row: int, text: str) -> Fraction:
    try:
        return Fraction(Decimal(text))
    except (InvalidOperation, ValueError) as wrong:
        raise DataFileError(f"{path.name}, row {row}: {text!r} is not a number.") from wrong


def _fold(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).replace("\u03bc", "u")
    text = text.translate({0x2212: "-", 0x2013: "-", 0x2044: "/", 0x2215: "/"}).casefold()
    text = re.sub(r"[\s·⋅*^]+", "", text)
    # "mg l-1" and "ug.m-3" are fractions too.
    return re.sub(r"(?<=[a-z})\]])\.?(l|ml|dl|m3|m|kg|cm|h|s|d|min)(?:-1|(?<=m)-([123]))$", _fraction, text)


def _fraction(found: re.Match[str]) -> str:
    return f"/{found[1]}{(found[2] or '').replace('1', '')}"


@cache
def _units() -> _Table:
    return read_units(FILE)


def read_species_table(path: Path) -> dict[tuple[str, str], float]:
    """Read grams per mole of the property's own entity, by (property, species).

    Raises
    ------
    DataFileError
        Naming the row that cannot be used.
    """
    found: dict[tuple[str, str], float] = {}
    for row, cells in datafile.rows(path, ("property", "species", "molar_mass")):
        mass = datafile.number(path, row, "molar_mass", cells["molar_mass"])
        if cells["property"] not in PROPERTIES or not cells["species"].startswith("as ") or not mass:
            raise DataFileError(
                f"{path.name}, row {row}: takes a property of properties.csv, a species like 'as N', a molar mass."
            )
        found[cells["property"], cells["species"]] = mass
    return found


@cache
def _species() -> Mapping[tuple[str, str], float]:
    own = {
        (item.key, item.default_species): item.molar_mass
        for item in PROPERTIES.values()
        if item.default_species and item.molar_mass
    }
    return own | read_species_table(SPECIES_FILE)


@cache
def _species_names() -> dict[str, str]:
    names = {}
    for _, species in _species():
        symbol = species.removeprefix("as ")
        names[symbol.casefold()] = species
    ions = {"nitrogen": "N", "nitrate": "NO3", "nitrite": "NO2", "phosphorus": "P", "phosphate": "PO4"}
    ions |= {"ammonium": "NH4", "ammonia": "NH3", "sulfate": "SO4", "sulphate": "SO4", "sulfur": "S"}
    ions |= {"so42": "SO4", "po43": "PO4", "so4 2": "SO4", "po4 3": "PO4"}
    ions |= {"bicarbonate": "HCO3", "calcium carbonate": "CaCO3", "silica": "SiO2", "silicon": "Si"}
    names |= {word: f"as {symbol}" for word, symbol in ions.items()}
    for ion, atom in (
        ("NO3", "N"),
        ("NO2", "N"),
        ("NH4", "N"),
        ("NH3", "N"),
        ("NOx", "N"),
        ("PO4", "P"),
        ("SO4", "S"),
    ):
        for text in (f"{ion}-{atom}", f"{atom}-{ion}", f"{ion}_{atom}", f"{ion} {atom}"):
            names[text.casefold()] = f"as {atom}"
    return names


# -- reading what people write ----------------------------------------------------------------------


def read_species(text: str | None) -> str | None:
    """Read a species as people write it: ``as N``, ``N``, ``NO3-N``, ``en NO3``, ``as nitrogen``.

    Returns
    -------
    str or None
        ``as N``, ``as NO3`` …; None when it is not known.
    """
    if not text or not isinstance(text, str):
        return None
    text = unicodedata.normalize("NFKC", text).strip().strip("()[]{}").strip()
    text = re.sub(r"^(as|en|como|als|expressed as|exprimé en)\s+", "", text, flags=re.IGNORECASE)
    ion = re.sub(r"[-+\u2212]+$", "", text).strip()
    return _species_names().get(text.casefold()) or _species_names().get(ion.casefold())


_QUANTITY = r"(?:[pnuµμmkKM]?(?:g|gram|gramme|mol|eq)|mcg)"
_LITRE = r"(?:l|lt|ltr|liter|litre|dm3|m3|ml|dl|L|kg)"
_INSIDE = re.compile(
    rf"^({_QUANTITY})[\s_-]*[({{\[]?\s*([A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z][A-Za-z0-9]*)?)[-+]*\s*[)}}\]]?"
    rf"\s*(/\s*{_LITRE}|(?:per|par|pro|por)\s+.+)$",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"^(.+?)[\s,]*[({\[]\s*((?i:as|en|como|als)?\s*[A-Za-z][A-Za-z0-9_ -]*[-+]*)\s*[)}\]]$"
    r"|^(.+?)[\s,]+((?i:as|en|como|als)\s+[A-Za-z][A-Za-z0-9_-]*(?: [a-z]+)?[-+]*)$"
    r"|^(.+?)\s+([A-Z][A-Za-z0-9]*(?:[-_][A-Za-z][A-Za-z0-9]*)?[-+]*)$"
)


@lru_cache(maxsize=10_000)
def read_unit(text: str | None) -> Unit:
    """Read a unit as people write it.

    Parameters
    ----------
    text : str or None
        ``mg/l as N``, ``mg{NO3}/L``, ``MILLIGRAM PER LITRE``, ``µg/m³`` …

    Returns
    -------
    Unit
        ``Unit(None, None)`` when it is not known or refused by name (see :func:`refusal`); never raises.
    """
    if not isinstance(text, str) or not text.strip() or len(text) > 120:
        return Unit(None, None)
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    if text.startswith("(") and text.endswith(")") and text.count("(") == 1:
        text = text[1:-1].strip()
    text = re.sub(r"(?<=\S)[\s.·]+(l|L|dm3)\s*[-\u2212]1\b", r"/\1", text)
    plain = _plain(text)
    if plain or refusal(text):
        return Unit(plain, _units().species.get(plain or ""))
    return _with_species(text)


def _plain(text: str) -> str | None:
    table = _units()
    if text in table.exact:
        return table.exact[text]
    if text in ("M", "S"):  # metre or molar, second or siemens
        return None
    return table.spellings.get(_fold(text))


def _with_species(text: str) -> Unit:
    inside = _INSIDE.match(text)
    if inside:
        species, unit = read_species(inside[2]), _plain(inside[1] + inside[3])
        if species and unit:
            return Unit(unit, species)
    if re.match(r"^as\s+", text, re.IGNORECASE):  # "as mg/L HCO3"
        return _with_species(text[3:].strip())
    after = _AFTER.match(text)
    if after:
        parts = [part for part in after.groups() if part]
        if len(parts) == 2:
            species, unit = read_species(parts[1]), _plain(parts[0])
            if species and unit:
                return Unit(unit, species)
    return Unit(None, None)


def refusal(text: str | None) -> str | None:
    """Say why a spelling is refused by name, or None when it is not."""
    if not isinstance(text, str):
        return None
    if text.strip() == "M":
        return _units().refused.get("m")
    folded = _fold(text)
    return None if folded in _units().spellings else _units().refused.get(folded)


def kind_of(ucum: str | None) -> str | None:
    """Name the kind of quantity of a UCUM unit (``mass_concentration``, ``temperature`` …), or None."""
    scale = _units().scales.get(ucum or "")
    return scale.kind if scale else None


def shown(ucum: str | None, before: str = "") -> str:
    """Write a UCUM unit as people do: ``per 100 mL`` for ``{count}/(100.mL)``, nothing for ``[pH]``.

    Parameters
    ----------
    ucum : str or None
        A code of ``data/units.csv``; others are given back as they are.
    before : str
        Put before what is not empty, e.g. a space.

    Examples
    --------
    >>> shown("[CFU]/(100.mL)"), shown("[pH]"), shown("mg/L", before=" ")
    ('CFU per 100 mL', '', ' mg/L')
    """
    text = _units().shown.get(ucum, ucum) if ucum else ""
    return before + text if text else ""


# -- converting -------------------------------------------------------------------------------------


@lru_cache(maxsize=50_000)
def factor(
    observed_property: str | None,
    unit: str | None,
    species: str | None,
    to_unit: str | None,
    to_species: str | None,
    medium: str | None = None,
) -> tuple[float, float]:
    """Find scale and offset that convert a number: ``new = old * scale + offset``.

    Parameters
    ----------
    observed_property : str or None
        Key of ``data/properties.csv``; decides molar mass, charge and whether a form must be known.
    unit, to_unit : str or None
        UCUM codes of ``data/units.csv``.
    species, to_species : str or None
        ``as N`` …; None is unknown, or the one form there is.
    medium : str, optional
        What was sampled; without it, what the property is usually measured in.

    Returns
    -------
    scale, offset : float

    Raises
    ------
    UnitError
        If a unit is unknown, the kinds differ, or a form would have to be guessed.
    """
    scales = _units().scales
    if unit is None or unit not in scales or to_unit is None or to_unit not in scales:
        strange = unit if unit not in scales else to_unit
        raise UnitError(f"The unit {strange or '(none)'} is not known, so the number cannot be converted.")
    old, new = scales[unit], scales[to_unit]
    item = PROPERTIES.get(observed_property or "")
    if "{TU}" in (unit, to_unit) and unit != to_unit and observed_property != "tritium":
        raise UnitError("Tritium units convert for tritium only.")
    old_kind = _kind_in_water(old, new, item, medium)
    bridge = Fraction(_GRAMS_PER_LITRE_OF_WATER) if old_kind != old.kind else Fraction(1)
    new_kind = _kind_in_water(new, old, item, medium)
    if new_kind != new.kind:
        bridge = Fraction(1, _GRAMS_PER_LITRE_OF_WATER)
    if old_kind != new_kind and not {old_kind, new_kind} <= set(_CONCENTRATIONS):
        raise UnitError(
            f"{unit} and {to_unit} are not the same kind of quantity{_hint(old, new, item, medium)}."
        )
    ratio = 1.0 if old_kind not in _CONCENTRATIONS else _ratio(item, old_kind, species, new_kind, to_species)
    scale = float(old.scale * bridge / new.scale) * ratio
    return scale, float((old.offset - new.offset) / new.scale)


def _kind_in_water(this: Scale, other: Scale, item: Property | None, medium: str | None) -> str:
    if this.kind != "share" or other.kind not in _CONCENTRATIONS:
        return this.kind
    sampled = medium if medium not in (None, "unknown") else (item.medium if item else None)
    return this.kind if sampled is None or sampled in _NOT_WATER else _MASS


def _hint(old: Scale, new: Scale, item: Property | None, medium: str | None) -> str:
    if "share" in (old.kind, new.kind) and (medium == "air" or (item and item.medium == "air")):
        return "; a share of air becomes a mass only with its temperature and pressure"
    return ""


def _ratio(
    item: Property | None, old_kind: str, species: str | None, new_kind: str, to_species: str | None
) -> float:
    """Grams, moles or equivalents of the new form for one of the old, in base units."""
    old = _form(item, species)
    new = _form(item, to_species)
    if old_kind == new_kind and (old == new or old_kind != _MASS):
        return 1.0
    # An amount of substance is the same in every form; only a mass needs to know which.
    moles = 1.0 if old_kind == _AMOUNT else 1 / (_mass(item, old) if old_kind == _MASS else _charge(item))
    if new_kind == _AMOUNT:
        return moles
    return moles * (_mass(item, new) if new_kind == _MASS else _charge(item))


def _form(item: Property | None, species: str | None) -> str | None:
    if species is None and item is not None and not item.needs_species:
        return item.default_species
    return species


def _mass(item: Property | None, species: str | None) -> float:
    if item is None:
        raise UnitError("It is not known which substance this is, so its mass cannot be converted.")
    if species is None and item.needs_species:
        raise UnitError(
            f"{item.title}: it is not stated whether the number is {_forms(item)}; that is never guessed."
        )
    mass = item.molar_mass if species is None else _species().get((item.key, species))
    if not mass:
        raise UnitError(
            f"{item.title} {species or ''} has no molar mass in data/species.csv.".replace("  ", " ")
        )
    return mass


def _forms(item: Property) -> str:
    forms = [species for key, species in _species() if key == item.key]
    return " or ".join(forms) or "in one form or another"


def _charge(item: Property | None) -> float:
    if item is None or not item.charge:
        raise UnitError(f"{item.title if item else 'This substance'} has no charge in data/properties.csv.")
    return float(item.charge)


def forms(observed_property: str) -> tuple[str, ...]:
    """List the forms that a property may be reported in, e.g. ``("as NO3", "as N")``."""
    return tuple(species for key, species in _species() if key == observed_property)


def codes(column: pd.Series) -> tuple[np.ndarray, list[object]]:
    """Give numbers to the distinct values of a column: codes (int64, shape of the column) and the values.

    A missing value has the code 0 and the value None.
    """
    numbers, values = _encoded(column)
    return numbers, [None, *(values.to_pylist() if isinstance(values, pa.Array) else list(values))]


def numbered(column: pd.Series) -> tuple[np.ndarray, int]:
    """Give numbers to the distinct values of a column, as :func:`codes`, and count them with the missing one."""
    numbers, values = _encoded(column)
    return numbers, len(values) + 1


def _encoded(column: pd.Series) -> tuple[np.ndarray, pa.Array | pd.Index]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy("int64") + 1, column.cat.categories
    try:
        found = pa.array(column, from_pandas=True)
        encoded = (
            found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
        ).dictionary_encode()
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        numbers, values = pd.factorize(column)
        return numbers.astype("int64") + 1, pd.Index(values)
    indices = encoded.indices.fill_null(-1) if encoded.null_count else encoded.indices
    return indices.to_numpy().astype("int64") + 1, encoded.dictionary


_TRIPLE = ("observed_property", "unit", "method_speciation", "sampled_medium")


def factors(table: pd.DataFrame, to_unit: str | None, to_species: str | None) -> pd.DataFrame:
    """Find scale, offset and the reason against, for each row: worked out once per distinct combination.

    Parameters
    ----------
    table : DataFrame
        Columns ``observed_property``, ``unit``, ``method_speciation``; ``sampled_medium`` if it is there.
    to_unit, to_species : str or None
        See :func:`factor`.

    Returns
    -------
    DataFrame
        ``scale``, ``offset`` (NaN where not convertible) and ``reason`` (missing where convertible),
        with the index of *table*.
    """
    combined = np.zeros(len(table), dtype="int64")
    columns: list[list[object]] = []
    nothing: tuple[np.ndarray, list[object]] = np.zeros(len(table), "int64"), [None]
    for name in _TRIPLE:
        numbers, values = codes(table[name]) if name in table else nothing
        combined = combined * len(values) + numbers
        columns.append(values)
    size = int(np.prod([len(values) for values in columns]))
    distinct, inverse = _distinct(combined, size)
    found = [_attempt(_unravel(int(code), columns), to_unit, to_species) for code in distinct]
    scale = np.array([f[0] for f in found] or [np.nan])[inverse]
    offset = np.array([f[1] for f in found] or [np.nan])[inverse]
    why = [f[2] for f in found] or [None]
    kind = pa.large_string()
    reasons = pa.array(why, kind).take(pa.array(inverse)) if any(why) else pa.nulls(len(table), kind)
    return pd.DataFrame(
        {"scale": scale, "offset": offset, "reason": pd.array(reasons, dtype="str")},  # type: ignore[call-overload]
        index=table.index,
    )


def _distinct(combined: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    if size > 4_000_000:
        return np.unique(combined, return_inverse=True)
    present = np.bincount(combined, minlength=size) > 0
    return np.flatnonzero(present), (np.cumsum(present) - 1)[combined]


def _unravel(code: int, columns: list[list[object]]) -> list[object]:
    values = []
    for column in reversed(columns):
        code, position = divmod(code, len(column))
        values.append(column[position])
    return values[::-1]


def _attempt(
    values: list[object], to_unit: str | None, to_species: str | None
) -> tuple[float, float, str | None]:
    observed, unit, species, medium = (None if v is None else str(v) for v in values)
    try:
        return *factor(observed, unit, species, to_unit, to_species, medium), None
    except UnitError as wrong:
        return np.nan, np.nan, str(wrong)


def convert(table: pd.DataFrame, to_unit: str | None, to_species: str | None) -> pd.DataFrame:
    """Convert a table of readings into one unit and species, row by row where that is possible.

    Parameters
    ----------
    table : DataFrame
        ``result``, ``detection_limit`` (if there), ``result_uncertainty`` (if there), ``unit``,
        ``method_speciation``, ``observed_property`` and ``sampled_medium`` (if there).
    to_unit : str or None
        UCUM.
    to_species : str or None
        ``as N`` …; None for the one form there is, or unknown.

    Returns
    -------
    DataFrame
        The same rows, numbers converted where ``convertible`` is True (with the new unit and species) and
        untouched, in their own unit, where it is False; ``conversion_reason`` says why not.
    """
    known = factors(table, to_unit, to_species)
    good = known["scale"].notna().to_numpy()
    out = table.copy(deep=False)
    scale, offset = known["scale"].to_numpy(), known["offset"].to_numpy()
    for name, shift in (("result", 1), ("detection_limit", 1), ("result_uncertainty", 0)):
        if name in out:
            old = out[name].to_numpy("float64")
            out[name] = np.where(good, old * scale + shift * offset, old)
    out["unit"] = out["unit"].where(~good, to_unit)
    out["method_speciation"] = out["method_speciation"].where(~good, to_species)
    out["convertible"] = good
    out["conversion_reason"] = known["reason"]
    return out
