"""What the headers and cells of field files mean, in the languages people write them in.

The words stand in ``data/vocabulary/<language>.toml``; a language is one file, no code. All languages
are tried at once: a file in Portuguese with one English column is the rule and not the exception.

What surprised us: a header is a small sentence. ``4_Nitrate_mgL_NO3``, ``sample/nitrate_mgl``,
``Arsénico total (µg/l)`` and ``Nitrate mg/L (NO3)`` hold a place in a form, a substance, a unit, a
fraction and a form of the molecule, in any order; a bare ``NO3`` names the ion and so its form, while
``Nitrate (ppm)`` leaves the form open. Chemical symbols match only as they are written: ``As`` is an
element and ``as`` a word, ``No`` is a number and ``NO`` a gas.
"""

from __future__ import annotations

import csv
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from situation.errors import DataFileError
from situation.observation import MEDIA
from situation.properties import PROPERTIES, find_cas, find_pcode, find_property
from situation.settings import DATA
from situation.unit import read_unit

FOLDER = DATA / "vocabulary"

ROLES = (
    "site_id",
    "site_name",
    "place_name",
    "site_type",
    "latitude",
    "longitude",
    "geopoint",
    "x",
    "y",
    "utm_zone",
    "crs",
    "datum",
    "accuracy",
    "altitude",
    "date",
    "time",
    "datetime",
    "zone",
    "year",
    "month",
    "day",
    "property",
    "property_code",
    "value",
    "unit",
    "species",
    "fraction",
    "qualifier",
    "condition",
    "limit",
    "limit_unit",
    "uncertainty",
    "medium",
    "depth",
    "depth_unit",
    "well_depth",  # of the well itself: an attribute of the site, and no depth of a sample
    "method",
    "observation_id",  # the source's own name of a result; used where a source is asked
    "datastream_id",
    "sample_id",
    "sample_code",
    "replicate",
    "replicate_mark",
    "status",
    "licence",
    "attribution",
    "notes",
    "ignored",
    "personal",
    "measure",
    "unknown",
)

#: Roles whose cells never leave: people, free text, and what nobody asked for.
PRIVATE_ROLES = frozenset({"personal", "notes", "ignored", "unknown"})


@dataclass(frozen=True)
class Substance:
    """What a name of something measured says: our key, and the form, fraction and unit it implies."""

    property: str | None
    name: str
    species: str | None = None
    fraction: str | None = None
    code: str | None = None


@dataclass(frozen=True)
class Meaning:
    """What one header means. ``unit`` is UCUM; ``unit_source`` as written; ``sure`` 0 … 1."""

    role: str
    property: str | None = None
    name: str | None = None
    unit: str | None = None
    unit_source: str | None = None
    species: str | None = None
    fraction: str | None = None
    sure: float = 1.0


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """Bring a word to the form in which words are compared: case, accents, punctuation and spaces away.

    >>> fold("  Point de prélèvement "), fold("SITE_No."), fold("Größe")
    ('point de prelevement', 'site no', 'grosse')
    """
    text = unicodedata.normalize("NFKC", text).casefold()
    text = "".join(c for c in unicodedata.normalize("NFD", text) if not ("\u0300" <= c <= "\u036f"))
    text = unicodedata.normalize("NFC", text)
    text = re.sub("[\u064b-\u0652\u0640\u200c-\u200f\u202a-\u202e\ufeff]", "", text)
    text = text.translate(_ARABIC)
    # Letters with their marks stay (Devanagari vowels are marks); everything else is a gap.
    return " ".join(
        "".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in text).split()
    )


_ARABIC = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي", "ة": "ه", "ؤ": "و", "ئ": "ي"})


@cache
def languages(folder: Path = FOLDER) -> Mapping[str, Mapping[str, Any]]:
    """Read every vocabulary file.

    Raises
    ------
    DataFileError
        If a file is not TOML, or names a role or substance that does not exist.
    """
    found = {}
    for path in sorted(folder.glob("*.toml"), key=lambda path: (path.stem != "en", path.stem)):
        try:
            words = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except tomllib.TOMLDecodeError as wrong:
            raise DataFileError(f"data/vocabulary/{path.name} is not TOML: {wrong}.") from wrong
        _check(path.name, words)
        found[path.stem] = words
    return found


def _check(file: str, words: Mapping[str, Any]) -> None:
    known: Mapping[str, Any] = {"roles": ROLES, "substances": PROPERTIES, "media": MEDIA}
    for part, names in known.items():
        strange = sorted(set(words.get(part, {})) - set(names))
        if strange:
            raise DataFileError(
                f"data/vocabulary/{file}: [{part}] has {', '.join(strange)}, which does not exist."
            )


def _entries(part: str) -> Iterator[tuple[str, str]]:
    for words in languages().values():
        for key, terms in words.get(part, {}).items():
            for term in terms:
                yield term, key


@cache
def _folded(part: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for term, key in _entries(part):
        found.setdefault(fold(term), key)
    return found


def role_of(text: str) -> str | None:
    """Find the role that a heading as a whole names, or None."""
    return _folded("roles").get(fold(text))


@cache
def no_result_words() -> Mapping[str, str]:
    """Words that stand where a number should: casefolded word to what it says (``nd`` is below_detection)."""
    found: dict[str, str] = {}
    for term, kind in _entries("no_result"):
        found.setdefault(" ".join(term.casefold().split()), kind)
    return found


@cache
def month_names() -> Mapping[str, int]:
    """Names of months in all languages, casefolded, to 1 … 12."""
    return {
        name.casefold(): int(number)
        for words in languages().values()
        for name, number in words.get("months", {}).items()
    }


@lru_cache(maxsize=4096)
def read_medium(text: str) -> str | None:
    """Find the medium that a word names, or None.

    >>> read_medium("Groundwater"), read_medium("WG"), read_medium("eau de surface"), read_medium("moon dust")
    ('groundwater', 'groundwater', 'surface_water', None)
    """
    word = fold(text)
    found = _folded("media").get(word)
    if found is None:
        name = word.replace(" ", "_")
        found = name if name in MEDIA else None
    return found


@lru_cache(maxsize=4096)
def read_site_type(text: str) -> str:
    """Find our word for a kind of site; a kind we have no word for is kept in lower snake case.

    A kind that speaks of a home or of private property is a household's well, however it is put: taking
    a public pump for one hides its exact place, taking one for a public pump would show where people live.

    >>> read_site_type("Borehole"), read_site_type("Stream"), read_site_type("Sand dam")
    ('well', 'river', 'sand_dam')
    >>> read_site_type("Private borehole"), read_site_type("Dug well - household")
    ('household_well', 'household_well')
    """
    word = fold(text)
    return _folded("site_types").get(word) or _private(word) or word.replace(" ", "_")


def _private(word: str) -> str | None:
    known = _folded("private_words")
    parts = re.split(r"[^\w]+|_", word)
    return next((known[part] for part in parts if part in known), None)


def is_site_type(text: str) -> bool:
    """Say whether a word is one that we know for a kind of site.

    >>> is_site_type("Household well"), is_site_type("Anna's place")
    (True, False)
    """
    word = fold(text)
    return word in _folded("site_types") or _private(word) is not None


@lru_cache(maxsize=4096)
def read_fraction(text: str) -> str | None:
    """Find ``total`` or ``dissolved`` in the words of a source; other words are kept as they are."""
    text = text.strip()
    return (_folded("fractions").get(fold(text)) or text) if text else None


_SYMBOL = re.compile(r"^(?:[A-Z][a-z]?\d*|\([A-Za-z0-9]+\)\d*)+[+-]*\d*[+-]?$")
_FORM = r"(?:N|P|S|C|Si|NO3|NO2|NH4|NH3|PO4|P2O5|SO4|SiO2|CaCO3|HCO3|CO3|O2|CN|As|Cr|F|Cl|B)"
_AS_FORM = re.compile(
    rf"(?:\b(?:as|en|als|como|in form of|exprim[ée] en)\s+|[-_ (\[]+)({_FORM})[-+]*\s*[)\]]?$"
)
_NITROGEN = re.compile(rf"^(.*?)[-_ ]+({_FORM})$")
_FORMS_FOLDED = {form.casefold(): form for form in _FORM[3:-1].split("|")}
_FORM_WORDS = {"nitrogen": "N", "azote": "N", "stickstoff": "N", "phosphorus": "P", "stikstof": "N"}
# A form that these properties can be stated in; "Nitrate-S" says nothing.
_FORMS: Mapping[str, tuple[str, ...]] = {
    "nitrate": ("N", "NO3"),
    "nitrite": ("N", "NO2"),
    "nitrate_nitrite": ("N", "NO3"),
    "ammonium": ("N", "NH4", "NH3"),
    "ammonia_unionised": ("N", "NH3"),
    "phosphate": ("P", "PO4", "P2O5"),
    "phosphorus": ("P", "PO4"),
    "sulfate": ("S", "SO4"),
    "sulfide": ("S",),
    "silica": ("Si", "SiO2"),
    "alkalinity": ("CaCO3", "HCO3"),
    "bicarbonate": ("HCO3", "CaCO3"),
    "hardness": ("CaCO3",),
}
# Ions whose charge may stand behind the name; Fe2+ or Cr6+ says another thing than Fe or Cr.
_CHARGED = re.compile(
    r"^(Ca|Mg|Na|K|Li|Ba|Sr|Cl|F|Br|I|SO4|HCO3|CO3|PO4|NO3|NO2|NH4)\s*[²³]?\d?\s*[-+⁻⁺]{1,3}$"
)
# "Total" hardness is a name, and says nothing of a filter.
_NO_FRACTION = frozenset({"hardness", "alkalinity", "nitrate_nitrite"})
# Groups whose names may begin with "total" or "dissolved" and mean the fraction by it.
_FRACTIONED = frozenset({"metals and elements", "major ions", "organic compounds", "radioactivity"})
_IONS = {
    "NO3": "as NO3",
    "NO2": "as NO2",
    "NH4": "as NH4",
    "NH3": "as NH3",
    "PO4": "as PO4",
    "SiO2": "as SiO2",
}
# Names of sensors' channels are no names in general: a column "P1" may be a well.
_NOT_GENERAL = frozenset({"P0", "P1", "P2", "stage", "flow", "radiation", "smell", "I-"})


def species_fits(property_key: str | None, species: str | None) -> bool:
    """Say whether a property can be stated in a form: nitrate as N, not nitrate as S."""
    return bool(property_key and species and species.removeprefix("as ") in _FORMS.get(property_key, ()))


def species_choices(property_key: str) -> tuple[str, ...]:
    """List the forms a property may be stated in, e.g. ``("as N", "as NO3")`` for nitrate."""
    found = tuple(f"as {form}" for form in _FORMS.get(property_key, ()))
    default = PROPERTIES[property_key].default_species
    return found or ((default,) if default else ())


@lru_cache(maxsize=65536)
def read_substance(text: str, medium: str | None = None) -> Substance | None:
    """Find what a name of a substance or measure says, in any language; None when it is not known.

    >>> read_substance("Nitrate").species is None, read_substance("NO3").species, read_substance("NO3-N").species
    (True, 'as NO3', 'as N')
    >>> found = read_substance("Arsénico total"); found.property, found.fraction
    ('arsenic', 'total')
    """
    name = " ".join(unicodedata.normalize("NFKC", text).split()).strip(" ;,:_*")
    if not name:
        return None
    if charged := _CHARGED.match(name):
        name = charged[1]
    if glued := re.fullmatch(r"(no3|no2|nox|nh4|nh3|po4|so4)[ _-]?([nps])", name):
        name = f"{glued[1].upper().replace('X', 'x')}-{glued[2].upper()}"  # po4_p_mg_l
    found = _plain_substance(name, medium) or _with_form(name, medium) or _with_fraction(name, medium)
    if found and found.property in _NO_FRACTION:
        found = replace(found, fraction=None)
    return replace(found, name=text.strip()) if found else None


def _plain_substance(name: str, medium: str | None) -> Substance | None:
    key = None if name in _NOT_GENERAL else find_property(name, medium)
    if key is None:
        key = _folded("substances").get(fold(name))
    if key is None and medium is None and name in ("NO2",):
        key = "nitrite"
    if key is None:
        return None
    bare = name.rstrip("+-").rstrip()
    species = _IONS.get(bare) or _IONS.get(bare.upper())
    if not species and (match := _NITROGEN.match(name)) and match[2] in _FORMS.get(key, ()):
        species = f"as {match[2]}"
    last = fold(name).split()[-1:] or [""]
    if (
        not species
        and PROPERTIES[key].needs_species
        and last[0] in _FORM_WORDS
        and len(fold(name).split()) > 1
    ):
        species = f"as {_FORM_WORDS[last[0]]}"
    words = fold(name).split()
    fraction = None
    if len(words) > 1 and PROPERTIES[key].group in _FRACTIONED:
        fraction = _folded("fractions").get(words[0]) or _folded("fractions").get(words[-1])
    return Substance(key, name, species if species_fits(key, species) else None, fraction)


def _with_form(name: str, medium: str | None) -> Substance | None:
    match = _AS_FORM.search(name)
    if not match:
        return None
    found = read_substance(name[: match.start()], medium)
    species = f"as {match[1]}"
    return replace(found, species=species) if found and species_fits(found.property, species) else None


@cache
def _fillers() -> frozenset[str]:
    return frozenset(fold(term) for term, _ in _entries("fillers"))


def _with_fraction(name: str, medium: str | None) -> Substance | None:
    words = re.split(r"[\s,;()_]+", name.strip(" ,;()_"))
    fillers = _fillers()
    fraction, kept = None, []
    for word in words:
        known = _folded("fractions").get(fold(word)) if len(word) > 1 else None
        fraction = fraction or known
        if known is None:
            kept.append(word)
    while kept and fold(kept[0]) in fillers and len(kept) > 1:
        kept = kept[1:]
    while kept and fold(kept[-1]) in fillers and len(kept) > 1:
        kept = kept[:-1]
    shorter = " ".join(kept)
    if not shorter or shorter == name:
        return None
    found = _plain_substance(shorter, medium) or _with_form(shorter, medium)
    if found and (found.property is None or PROPERTIES[found.property].group not in _FRACTIONED):
        return found
    return replace(found, fraction=found.fraction or fraction) if found else None


@lru_cache(maxsize=65536)
def read_code(code: str) -> Substance | None:
    """Find what a USGS parameter code or a CAS number says.

    >>> read_code("00618")
    Substance(property='nitrate', name='00618', species='as N', fraction='dissolved', code='usgs:00618')
    """
    code = code.strip()
    if re.fullmatch(r"\d{1,5}", code) and (pcode := find_pcode(code)):
        return Substance(pcode.property, code, pcode.species, pcode.fraction, f"usgs:{code.zfill(5)}")
    code = code.removeprefix("CAS_")  # as the EEA writes it
    if re.fullmatch(r"\d{2,7}-\d\d-\d", code):
        return Substance(find_cas(code), code, None, None, f"cas:{code}")
    return None


@cache
def _code_units() -> Mapping[str, str]:
    """Read which unit each USGS parameter code is in (UCUM): the code is the only place that says it."""
    with (DATA / "usgs_parameters.csv").open(encoding="utf-8-sig", newline="") as lines:
        return {row["code"]: row["unit"] for row in csv.DictReader(lines)}


def unit_of_code(code: str) -> str | None:
    """Find the unit (UCUM) of a USGS parameter code of five digits, or None.

    >>> unit_of_code("00618"), unit_of_code("72019"), unit_of_code("618")
    ('mg/L', '[ft_i]', None)
    """
    return _code_units().get(code.strip())


_BRACKETS = re.compile(r"[(\[{]\s*([^()\[\]{}]*(?:\([^()]*\)[^()\[\]{}]*)?)\s*[)\]}]")
_SHORTHAND: Mapping[str, str] = {
    "mgl": "mg/L",
    "mgperl": "mg/L",
    "mgperlitre": "mg/L",
    "mgperliter": "mg/L",
    "ugperl": "ug/L",
    "ugl": "ug/L",
    "µgl": "ug/L",
    "μgl": "ug/L",
    "ngl": "ng/L",
    "uscm": "uS/cm",
    "μscm": "uS/cm",
    "us": "uS/cm",
    "mscm": "mS/cm",
    "ppm": "ppm",
    "ppb": "ppb",
    "ntu": "NTU",
    "degc": "Cel",
    "celsius": "Cel",
    "degf": "degF",
    "mv": "mV",
    "ugm3": "ug/m3",
    "cfu100ml": "CFU/100mL",
    "mpn100ml": "MPN/100mL",
    "ملغملتر": "mg/L",
    "ملجملتر": "mg/L",
    "مجملتر": "mg/L",
    "ملغل": "mg/L",
    "ملغرامل": "mg/L",
    "ميكروغراملتر": "ug/L",
    "ميكروجراملتر": "ug/L",
    "मिग्रालीटर": "mg/L",
    "मिलीग्रामलीटर": "mg/L",
    "मिग्राली": "mg/L",
    "माइक्रोग्रामलीटर": "ug/L",
}


# Words of headers that units.csv knows as units, and that are none behind a name.
_NO_UNITS = frozenset({"t", "h", "d", "a", "no", "m3", "colour", "color", "number", "standard", "point"})


def _unit_of(text: str) -> tuple[str | None, str | None]:
    text = text.strip(" ,;:")
    if not text or text.isdigit():
        return None, None
    text = re.sub(r"\s*,?\s*(?:@|at|bei|à|a|bij|em)\s*\d\d\s*°?\s*[CcF]?$", "", text)
    unit = read_unit(text)
    if unit.ucum is None and (short := _SHORTHAND.get(re.sub(r"[\s_/.-]", "", text.casefold()))):
        unit = read_unit(short)
    return unit.ucum, unit.species


def read_header(header: str, unit_row: str | None = None) -> Meaning:
    """Say what a header means, by vocabulary alone.

    Parameters
    ----------
    header : str
        As written.
    unit_row : str, optional
        The cell under it in a row of units.

    Returns
    -------
    Meaning
        Role ``unknown`` when no word of it is known.

    Examples
    --------
    >>> read_header("Nitrate (mg/L as NO3)").species, read_header("4_Nitrate_mgL_NO3").species
    ('as NO3', 'as NO3')
    >>> read_header("sample/nitrate_mgl").unit, read_header("Point de prélèvement").role
    ('mg/L', 'site_name')
    """
    return _read_header(header, (unit_row or "").strip())


@lru_cache(maxsize=16384)
def _read_header(header: str, unit_row: str) -> Meaning:
    best = Meaning("unknown", name=header.strip(), sure=0.0)
    for sure, text in _readings(header):
        role = _folded("roles").get(fold(text))
        if sure < 0.95 and _is_personal(header):
            return Meaning("personal", name=header.strip(), sure=sure)
        measure = _measure(text, unit_row)
        if role and (measure is None or measure.unit_source is None):
            # A word that is both, e.g. "Source" in French or English, is what a column is for.
            return Meaning(role, name=header.strip(), unit_source=unit_row or None, sure=sure)
        if measure is not None and measure.property:
            return replace(measure, name=header.strip(), sure=sure)
        if measure is not None and measure.role != "measure":
            return replace(measure, name=header.strip(), sure=sure)
        if measure is not None and measure.unit and best.role == "unknown" and sure == 1.0:
            best = replace(measure, name=header.strip(), sure=0.5)
    return replace(best, role="personal") if best.role == "unknown" and _is_personal(header) else best


# The end of a longer name that says nothing by itself: interviewer_name is no site.
_TOO_LITTLE = frozenset(
    [
        "name",
        "names",
        "nom",
        "nombre",
        "nome",
        "naam",
        "id",
        "no",
        "nr",
        "number",
        "code",
        "point",
        "type",
        "notes",
        "note",
        "location",
        "index",
        "value",
        "values",
        "count",
        "total",
        "status",
        "description",
        "unit",
        "method",
        "test",
        "flag",
        "mean",
        "min",
        "max",
        "sd",
        "test1",
    ]
)


_JOINING = frozenset(
    ["or", "and", "et", "ou", "y", "o", "e", "und", "oder", "of", "not", "no", "without", "sans", "sin"]
)


def _is_personal(header: str) -> bool:
    """Say whether any word or pair of words of a header is one for a person or how to reach one."""
    words = fold(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)).split()
    runs = [" ".join(words[at : at + size]) for size in (1, 2, 3) for at in range(len(words))]
    return any(_folded("roles").get(run) == "personal" for run in runs)


def _readings(header: str) -> Iterator[tuple[float, str]]:
    """Yield the header and ever less of it: without a question number, without the path of a form's group."""
    text = " ".join(unicodedata.normalize("NFKC", header).replace("\ufeff", "").split())
    yield 1.0, text
    stripped = re.sub(r"^(?:[qQ]?\d+[._)\s-]+)+", "", text).strip("_ :*?")
    stripped = re.sub(r"^#(?=\w)", "", stripped)
    if stripped and stripped != text:
        yield 0.95, stripped
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])|(?<=[a-z])(?=ID\b)", " ", stripped)
    if spaced != stripped:
        yield 0.95, spaced  # SampleDate, WellName
    further = re.sub(r"(?<=[a-z]{3})(?=[A-Z])|(?<=[a-z] Temp)(?=C$)", " ", spaced)
    if further != spaced:
        yield 0.95, further  # NitrateN_mg_per_L, waterTempC
    for mark in ("::", "/", ".", "-", ":", "_"):
        parts = stripped.split(mark)
        if mark == "/" and len(parts) > 1 and read_unit("/".join(parts[-2:])).ucum:
            continue
        for cut in range(1, min(len(parts), 5)):
            tail = mark.join(parts[cut:]).strip("_ ")
            tail = re.sub(r"^\d+_", "", tail)
            if any(fold(part) in _JOINING for part in parts[:cut]):
                continue  # "smell or colour" is not a colour
            if len(tail) > 1 and tail[0].isalpha() and fold(tail) not in _TOO_LITTLE:
                yield 0.9, tail


def _measure(text: str, unit_row: str) -> Meaning | None:
    """Split a header in substance, unit and form; None when neither substance nor role is known."""
    unit, species, source = None, None, None
    rest, inside = text, []
    for match in _BRACKETS.finditer(text):
        inner = match[1].strip()
        got, form = _unit_of(inner)
        if got or form:
            unit, species, source = unit or got, species or form, source or inner
            rest = rest.replace(match[0], " ")
        elif re.fullmatch(rf"(?:as |en |als |como )?{_FORM}[-+]*", inner):
            species = species or "as " + re.sub(r"^(?:as|en|als|como) |[-+]", "", inner)
            rest = rest.replace(match[0], " ")
        elif inner:
            inside.append((match[0], inner))
    rest = " ".join(rest.split()).strip(" ,;:_-")
    if unit is None:
        rest, unit, tail_species, source = _trailing_unit(rest)
        species = species or tail_species
    if unit is None and unit_row:
        unit, row_species = _unit_of(unit_row)
        species, source = species or row_species, unit_row
    found = read_substance(rest) or read_substance(rest.replace("_", " ")) or _bracketed(rest, inside)
    if found is None and unit in _PER_LITRE and re.fullmatch("[a-z]{1,2}", rest):
        found = read_substance(rest.capitalize())  # as_ugl: behind a unit "as" is no word
    if found is not None and found.property == "dissolved_oxygen" and unit == "%":
        found = replace(found, property="oxygen_saturation")
    role = _folded("roles").get(fold(rest))
    if found is None and role and (rest != text or source == unit_row) and role not in PRIVATE_ROLES:
        return Meaning(role, unit=unit, unit_source=source)
    if found is None:
        return Meaning("measure", None, text, unit, source, species) if unit else None
    if species and not species_fits(found.property, species):
        species = None
    return Meaning("measure", found.property, text, unit, source, species or found.species, found.fraction)


_PER_LITRE = frozenset({"mg/L", "ug/L", "ng/L", "g/L", "mmol/L", "umol/L", "meq/L"})


def _bracketed(rest: str, inside: list[tuple[str, str]]) -> Substance | None:
    """Read a substance named in brackets: ``Iron (Fe)``, ``Coliformes (E. coli)``; never one against the other."""
    for whole, inner in inside:
        named = read_substance(inner)
        if named is None or named.property is None:
            continue
        outer = read_substance(" ".join(rest.replace(whole, " ").split()))
        if outer is None or outer.property in (named.property, "total_coliforms"):
            return replace(named, species=named.species or (outer.species if outer else None))
    return None


def _form_of(words: list[str]) -> str | None:
    """Read the form behind a unit: ``NO3``, ``as N``, in a snake-case header ``no3``."""
    if len(words) == 2 and words[0].casefold() in ("as", "en", "als", "como"):
        words = words[1:]
    form = words[0].strip("()[]") if len(words) == 1 else ""
    known = _FORMS_FOLDED.get(form.casefold())
    return f"as {known}" if known else None


def _trailing_unit(text: str) -> tuple[str, str | None, str | None, str | None]:
    """Cut a unit (and a form behind it) off the end: ``Nitrate_mgL_NO3``, ``Nitrate, mg/L as N``."""
    words = [word for word in re.split(r"[\s_,;]+", text) if word]
    for start in range(1, len(words)):
        tail = words[start:]
        for length in range(len(tail), max(len(tail) - 3, 0), -1):
            candidate = " ".join(tail[:length])
            unit, species = _unit_of(candidate)
            if unit is None or unit == "1" or fold(candidate) in _NO_UNITS:
                continue
            after = tail[length:]
            if after and not (form := _form_of(after)):
                continue
            name = " ".join(words[:start])
            return name, unit, form if after else species, candidate
    return text, None, None, None


def header_score(cells: list[str]) -> float:
    """Say how much a line looks like a header: the share of its cells that are known words, 0 … 1."""
    filled = [cell.strip() for cell in cells if cell and cell.strip()]
    if not filled:
        return 0.0
    known = sum(len(cell) < 200 and read_header(cell).role != "unknown" for cell in filled[:300])
    return known / min(len(filled), 300)
