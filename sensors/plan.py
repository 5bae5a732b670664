"""What must be decided before a file's rows can be read, worked out from all of its columns at once.

A first pass over the file (:class:`Profile`) sees every cell that a decision hangs on: is it day or
month first, a decimal comma, which reference system, is 0.7999 a measured value? What the cells settle
is settled; the rest becomes questions (:func:`make_plan`) whose answers a mapping keeps.

What surprised us: one unmistakable ``13/3/2026`` settles a whole column of ambiguous dates, and a
number that repeats in forty columns is one question and not forty.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from sensors.cells import Constant, decimal_style, repeated_constant
from sensors.dates import date_order
from sensors.grids import plausible, zones_of
from sensors.mapping import ColumnMap, Mapping
from sensors.places import guess_crs
from sensors.questions import Choice, Question, slug
from sensors.vocabulary import Substance, read_code, read_substance, unit_of_code
from situation.properties import PROPERTIES
from situation.topic import Topic
from situation.unit import Unit, forms, kind_of, read_species, read_unit

UNKNOWN = "unknown"
_ENOUGH = 50_000
_ISO = r"\s*(?:1[89]|20)\d\d-\d\d-\d\d(?:[T ]|$)"
_TUPLE = ("property", "property_code", "unit", "species", "fraction", "medium")
# The unit of these is one by nature: a number without it says the same.
_ONE_UNIT = frozenset({"[pH]"})


@dataclass
class Meta:
    """What a column (wide) or a combination of names (long) measures."""

    name: str
    property: str | None = None
    code: str | None = None
    unit: str | None = None
    unit_source: str | None = None
    species: str | None = None
    fraction: str | None = None
    medium: str | None = None
    column: str | None = None
    questions: list[str] = field(default_factory=list)


@dataclass
class Profile:
    """What a first pass saw: only what decisions hang on, whatever the size of the file."""

    mapping: Mapping
    rows: int = 0
    orders: set[str] = field(default_factory=set)
    decimals: set[str] = field(default_factory=set)
    combinations: dict[tuple[str, ...], int] = field(default_factory=dict)
    values: dict[str, list[pd.Series]] = field(default_factory=dict)
    points: list[pd.DataFrame] = field(default_factory=list)
    filled: dict[str, int] = field(default_factory=dict)
    unitless: set[str] = field(default_factory=set)  # wide: columns with a result whose row names no unit
    date_example: str | None = None
    sites: set[str] = field(default_factory=set)

    def see(self, block: pd.DataFrame) -> None:
        """Take in one block of rows."""
        skip = list(block.attrs.get("not_readings", {}))
        block = block.drop(index=skip, errors="ignore") if skip else block
        self._see_dates(block)
        self._see_values(block)
        self._see_places(block)
        self.rows += len(block)

    def _see_dates(self, block: pd.DataFrame) -> None:
        for role in ("date", "datetime"):
            for column in self.mapping.of(role):
                texts = pd.Series(block[column.source].unique(), dtype="str")
                texts = texts[
                    ~texts.str.match(_ISO)
                ]  # nothing to decide about them, and a logger has a million
                texts = texts[texts.str.strip() != ""]
                if len(texts):
                    order = date_order(texts)
                    self.orders.add(order)
                    if order in ("ambiguous", "mixed") and self.date_example is None:
                        self.date_example = str(texts.iloc[0])

    def _see_values(self, block: pd.DataFrame) -> None:
        columns = [c.source for c in self.mapping.of("value" if self.mapping.layout == "long" else "measure")]
        for column in columns:
            texts = block[column]
            filled = texts[texts.str.strip() != ""]
            self.filled[column] = self.filled.get(column, 0) + len(filled)
            if len(filled):
                self.decimals.add(_style(filled))
        if self.mapping.layout == "long":
            self._see_combinations(block)
        else:
            self._see_units(block, columns)
        if self.rows < _ENOUGH:
            self._keep_values(block, columns)

    def _see_units(self, block: pd.DataFrame, columns: list[str]) -> None:
        beside, whole = self.mapping.beside("unit"), self.mapping.first("unit")
        for column in columns:
            if unit := beside.get(column) or whole:
                said = block[unit][block[column].str.strip() != ""].str.strip().unique()
                if any(read_unit(text).ucum is None for text in said):
                    self.unitless.add(column)

    def _see_combinations(self, block: pd.DataFrame) -> None:
        codes, keys = combination_codes(self.mapping, block)
        for key, count in zip(keys, np.bincount(codes, minlength=len(keys)), strict=True):
            self.combinations[key] = self.combinations.get(key, 0) + int(count)

    def _keep_values(self, block: pd.DataFrame, columns: list[str]) -> None:
        if self.mapping.layout == "long" and columns:
            names = self.mapping.first("property") or self.mapping.first("property_code")
            groups = block[names] if names else pd.Series("", index=block.index)
            for name, texts in block[columns[0]].groupby(groups.to_numpy(), sort=False):
                self.values.setdefault(str(name), []).append(texts[texts != ""])
            return
        waiting = {c.source for c in self.mapping.columns if c.waits}
        for column in columns:
            if column in waiting:
                continue  # whether it is measured is asked first
            self.values.setdefault(column, []).append(block[column][block[column] != ""])

    def _see_places(self, block: pd.DataFrame) -> None:
        x, y = self.mapping.first("x"), self.mapping.first("y")
        lon, lat = self.mapping.first("longitude"), self.mapping.first("latitude")
        if sum(map(len, self.points)) < _ENOUGH and ((x and y) or (lon and lat)):
            pair = (lon, lat) if lon and lat else (x, y)
            self.points.append(pd.DataFrame({"x": block[pair[0]], "y": block[pair[1]]}).drop_duplicates())
        site = self.mapping.first("site_id") or self.mapping.first("site_name")
        if site and len(self.sites) < 10_000:
            self.sites.update(block[site].unique())

    def xy(self) -> pd.DataFrame:
        """Give the distinct pairs of coordinates seen (text)."""
        return (
            pd.concat(self.points).drop_duplicates()
            if self.points
            else pd.DataFrame({"x": [], "y": []}, dtype="str")
        )


def _style(texts: pd.Series) -> str:
    """Ask for the style of numbers only of texts that can tell: with a comma, or with two points."""
    telling = texts[texts.str.contains(r",|\..*\.|[^\x00-\x7f]", regex=True)].unique()
    if len(telling):
        found = decimal_style(pd.Series(telling, dtype="str"))
        if found != "either":
            return found
    return "point" if texts.str.contains(".", regex=False).any() else "either"


def combination_codes(mapping: Mapping, block: pd.DataFrame) -> tuple[np.ndarray, list[tuple[str, ...]]]:
    """Give each row of a long table the number of the texts that say what was measured, and these texts."""
    parts = []
    for role in _TUPLE:
        text = pd.Series("", index=block.index, dtype="str")
        columns = mapping.of(role)
        if role == "unit":
            columns = [
                *columns,
                *mapping.of("limit_unit"),
            ]  # a result that is not there has the unit of its limit
        for column in reversed(columns):
            text = block[column.source].where(block[column.source].str.strip() != "", text)
        parts.append(text)
    number = np.zeros(len(block), dtype="int64")
    for text in parts:
        codes, distinct = pd.factorize(text)
        number = number * max(len(distinct), 1) + codes
    codes, distinct = pd.factorize(number)
    first = np.zeros(len(distinct), dtype="int64")
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return codes, list(zip(*[[str(word) for word in text.iloc[first]] for text in parts], strict=True))


@dataclass
class Plan:
    """Everything decided about a file, and what is still asked."""

    mapping: Mapping
    metas: dict[tuple[str, ...], Meta] = field(default_factory=dict)  # long: by combination
    columns: list[Meta] = field(default_factory=list)  # wide: a measured column each
    questions: dict[str, Question] = field(default_factory=dict)
    order: str | None = None
    decimal: str | None = None
    crs: str | None = None
    crs_waits: bool = False
    constants: dict[float, str] = field(default_factory=dict)  # value -> limit, real, missing, ask
    constant_columns: dict[float, set[str]] = field(default_factory=dict)
    centre: tuple[float, float, float] | None = None  # longitude, latitude, radius in degrees
    warnings: list[str] = field(default_factory=list)


def make_plan(profile: Profile, topic: Topic | None) -> Plan:
    """Decide what the cells and the answers settle, and ask the rest."""
    plan = Plan(profile.mapping, warnings=list(profile.mapping.warnings))
    plan.questions.update(profile.mapping.asked)
    _plan_dates(plan, profile)
    _plan_decimals(plan, profile)
    _plan_metas(plan, profile, topic)
    _plan_units(plan, profile)
    _plan_species(plan)
    _plan_constants(plan, profile)
    _plan_places(plan, profile, topic)
    return plan


def _answer(plan: Plan, question: str) -> str | None:
    """Give the answer; where nobody can be asked (an answer of a source), that it is not known."""
    return plan.mapping.answers.get(question) or (UNKNOWN if plan.mapping.constants.get("unasked") else None)


def _plan_dates(plan: Plan, profile: Profile) -> None:
    stated = plan.mapping.constants.get("date_order") or _answer(plan, "date-order")
    seen = profile.orders
    both = "mixed" in seen or {"dmy", "mdy"} <= seen
    if stated in ("dmy", "mdy", "ymd"):
        plan.order = str(stated)
    elif both or (seen & {"ambiguous"} and not seen & {"dmy", "mdy"}):
        why = (
            "Some dates can only be day first and others only month first."
            if both
            else "No date in the file settles whether the day or the month comes first."
        )
        plan.questions["date-order"] = Question(
            "date-order",
            "Do the dates begin with the day or with the month?",
            f"{why} {profile.date_example!r} can be read in two ways.",
            [
                Choice("dmy", "The day comes first", "04/03/2026 is the 4th of March"),
                Choice("mdy", "The month comes first", "04/03/2026 is the 3rd of April"),
            ],
            column=plan.mapping.first("date") or plan.mapping.first("datetime"),
            example=profile.date_example,
        )
    elif seen & {"dmy", "mdy"}:
        plan.order = next(iter(seen & {"dmy", "mdy"}))
        if "ambiguous" in seen or len(seen) > 1 or plan.order:
            first = "day" if plan.order == "dmy" else "month"
            plan.warnings.append(
                f"Dates are read with the {first} first: some of them can be read in no other way."
            )


def _plan_decimals(plan: Plan, profile: Profile) -> None:
    stated = plan.mapping.constants.get("decimal") or _answer(plan, "decimal")
    styles = profile.decimals - {"either"}
    if stated in ("point", "comma"):
        plan.decimal = str(stated)
    elif "mixed" in styles or {"point", "comma"} <= styles:
        plan.decimal = None
    elif styles & {"point", "comma"}:
        plan.decimal = next(iter(styles & {"point", "comma"}))
    if plan.decimal is None and styles & {"ambiguous", "mixed"} or (plan.decimal is None and len(styles) > 1):
        plan.questions["decimal"] = Question(
            "decimal",
            "Is the comma in numbers such as 1,234 a decimal comma?",
            "It stands before three digits, so it may be a decimal comma or part a thousand from hundreds.",
            [
                Choice("comma", "A decimal comma", "1,234 is a little over one"),
                Choice("point", "A mark between thousands", "1,234 is over one thousand"),
            ],
            column=plan.mapping.first("value"),
            example="1,234",
        )


def _plan_metas(plan: Plan, profile: Profile, topic: Topic | None) -> None:
    if plan.mapping.layout == "long":
        for key in profile.combinations:
            plan.metas[key] = _meta_of(plan, dict(zip(_TUPLE, key, strict=True)))
        if any(meta.property is None and meta.name == "" for meta in plan.metas.values()):
            _ask_property(plan, topic)
    else:
        plan.columns = [_column_meta(column) for column in plan.mapping.of("measure")]


def _column_meta(column: ColumnMap) -> Meta:
    return Meta(
        column.name or column.source,
        column.property,
        None,
        column.unit,
        column.unit_source,
        column.species,
        column.fraction,
        None,
        column.source,
        [column.waits] if column.waits else [],
    )


def meta_for(plan: Plan, key: tuple[str, ...]) -> Meta:
    """Find what a combination of texts measures (one that the first pass has seen)."""
    return plan.metas[key]


def _meta_of(plan: Plan, said: MappingOf[str, str]) -> Meta:
    name, code_text = said["property"].strip(), said["property_code"].strip()
    rules = plan.mapping.rules
    known = (rules.properties if rules else {}).get(name)
    unit = read_unit(said["unit"].removeprefix("ucum:"))
    prefix = plan.mapping.constants.get("code_prefix")
    if prefix and code_text:
        # Codes of a register of its own: the same digits name something else in another one.
        code_text, by_code = f"{prefix}:{code_text}", None
    else:
        by_code = read_code(code_text) if code_text else None
    if known:
        found: Substance | None = Substance(known["property"], name)
        unit = read_unit(said["unit"] or known.get("unit"))
    elif plan.mapping.constants.get("property_keys") and name in PROPERTIES:
        found = Substance(name, name)
    else:
        medium = "air" if plan.mapping.constants.get("medium") == "air" else None
        found = _best(by_code, read_substance(name, medium) if name else None)
    by_unit = (rules.property_by_unit if rules else {}).get(said["unit"].strip().casefold())
    species = read_species(said["species"] or (known or {}).get("species")) or unit.species
    species = species or (found.species if found else None)
    fraction = (
        said["fraction"].strip()
        or (known or {}).get("fraction")
        or (found.fraction if found else None)
        or None
    )
    if (
        unit.ucum is None
        and not said["unit"].strip()
        and by_code
        and by_code.property == (found.property if found else None)
    ):
        unit = Unit(unit_of_code(code_text), None)
    unit_source = said["unit"].strip() or (known or {}).get("unit") or None
    key = by_unit or (found.property if found else None)
    return Meta(
        name or code_text or (PROPERTIES[key].title if key else ""),
        key,
        by_code.code
        if by_code
        else ((code_text if prefix else f"source:{code_text}") if code_text else None),
        unit.ucum,
        unit_source,
        species,
        fraction,
        said["medium"].strip() or None,
    )


def _best(by_code: Substance | None, by_name: Substance | None) -> Substance | None:
    """Take a code before a name: it also says the form and the fraction."""
    if by_code is None or by_code.property is None:
        return by_name
    if by_name is not None and by_name.property != by_code.property:
        return by_code
    return by_code


def _ask_property(plan: Plan, topic: Topic | None) -> None:
    answer = _answer(plan, "property")
    for meta in plan.metas.values():
        if meta.name == "" and meta.property is None:
            if answer in PROPERTIES:
                meta.property, meta.name = answer, PROPERTIES[str(answer)].title
            elif answer == UNKNOWN:
                meta.name = "not named"
            else:
                meta.questions.append("property")
    if answer is None:
        keys = topic.properties if topic else ("nitrate", "conductance", "ph", "temperature", "pm25")
        plan.questions["property"] = Question(
            "property",
            "What does this file measure?",
            "It has a column of values, and nothing in it says of what.",
            [Choice(key, PROPERTIES[key].title, "") for key in keys]
            + [Choice(UNKNOWN, "Not known", "The readings are kept without a property.")],
            column=plan.mapping.first("value"),
            free=True,
        )


def _all(plan: Plan) -> list[Meta]:
    return [*plan.metas.values(), *plan.columns]


_UNIT_LABELS = {
    "mg/L": "mg/L (milligrams per litre)",
    "ug/L": "µg/L (micrograms per litre)",
    "uS/cm": "µS/cm",
    "mS/cm": "mS/cm",
    "Cel": "°C",
    "[degF]": "°F",
}
_UNIT_CHOICES = {
    "mass_concentration": ("mg/L", "ug/L", "ng/L"),
    "conductivity": ("uS/cm", "mS/cm", "mS/m"),
    "temperature": ("Cel", "[degF]"),
    "potential": ("mV", "V"),
}


def _unit_choices(key: str) -> list[Choice]:
    item = PROPERTIES[key]
    if item.group == "air" and item.default_unit.endswith("/m3"):
        codes: tuple[str, ...] = (item.default_unit, "mg/m3", "[ppb]", "[ppm]")
    else:
        codes = (item.default_unit, *_UNIT_CHOICES.get(kind_of(item.default_unit) or "", ()))
    distinct = [code for code in dict.fromkeys(codes) if read_unit(code).ucum or code == item.default_unit]
    return [
        Choice(code, _UNIT_LABELS.get(code, code), f"Numbers are read in {code}.") for code in distinct
    ] + [Choice(UNKNOWN, "Not known", "The readings are kept without a unit and compared with nothing.")]


def _plan_units(plan: Plan, profile: Profile) -> None:
    open_metas: dict[str, list[Meta]] = {}
    beside, whole = plan.mapping.beside("unit"), plan.mapping.first("unit")
    for meta in _all(plan):
        if meta.column and (whole or meta.column in beside) and meta.column not in profile.unitless:
            continue  # each row names its own
        if meta.unit is not None or meta.property is None:
            continue
        item = PROPERTIES[meta.property]
        if item.default_unit in _ONE_UNIT or item.group == "isotopes" or not item.default_unit:
            meta.unit = item.default_unit or None
            continue
        open_metas.setdefault(meta.name, []).append(meta)
    by_unit: dict[str, list[str]] = {}
    for name, metas in open_metas.items():
        by_unit.setdefault(PROPERTIES[str(metas[0].property)].default_unit, []).append(name)
    for default, names in by_unit.items():
        group = slug("units", default) if len(names) > 3 else None
        for name in names:
            _settle_unit(plan, name, open_metas[name], group, names if group else [name])


def _settle_unit(plan: Plan, name: str, metas: list[Meta], group: str | None, names: list[str]) -> None:
    own = slug("unit", name)
    answer = _answer(plan, own) or (_answer(plan, group) if group else None)
    if answer == UNKNOWN:
        return
    if answer:
        unit = read_unit(answer)
        ucum = unit.ucum or (answer if kind_of(answer) else None)
        if ucum:
            for meta in metas:
                meta.unit, meta.species = ucum, meta.species or unit.species
            return
    question = group or own
    for meta in metas:
        meta.questions.append(question)
    if question not in plan.questions:
        listed = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        plan.questions[question] = Question(
            question,
            f"In which unit is {listed}?" if len(names) == 1 else f"In which unit are {listed}?",
            "The file names no unit that can be read, and the number means nothing without one. "
            + (f"Each can be answered by itself, e.g. {slug('unit', names[0])}." if group else ""),
            _unit_choices(str(metas[0].property)),
            column=metas[0].column or name,
            free=True,
            columns=names,
        )


def _plan_species(plan: Plan) -> None:
    for meta in _all(plan):
        if meta.property is None or meta.species or not PROPERTIES[meta.property].needs_species:
            continue
        if kind_of(meta.unit) == "amount_concentration":
            meta.species = PROPERTIES[meta.property].default_species  # a mole is a mole in every form
            continue
        question = slug("species", meta.property.replace("_", " "))
        answer = _answer(plan, question)
        if answer == UNKNOWN:
            continue
        if answer and (species := read_species(answer)):
            meta.species = species
            continue
        meta.questions.append(question)
        if question not in plan.questions:
            plan.questions[question] = _species_question(question, meta)


def _species_question(question: str, meta: Meta) -> Question:
    item = PROPERTIES[str(meta.property)]
    ways = forms(item.key) or ((item.default_species,) if item.default_species else ())
    return Question(
        question,
        f"In which form is {item.title.lower()} given in “{meta.name}”?",
        "Laboratories and test kits state it in different forms, and the numbers differ by a factor "
        "(nitrate: 10 as N is 44 as NO3). The file does not say which.",
        [Choice(str(form), str(form), f"Numbers are read {form}.") for form in ways]
        + [Choice(UNKNOWN, "Not known", "The readings are kept; they are compared with no limit.")],
        column=meta.column or meta.name,
        example=meta.unit_source,
    )


def _plan_constants(plan: Plan, profile: Profile) -> None:
    missing = {float(value) for value in plan.mapping.constants.get("missing", [])}
    plan.constants.update(dict.fromkeys(missing, "missing"))
    if plan.mapping.constants.get("unasked"):
        return  # what a source writes for "no value" its dialect knows; a guess would hold readings back
    found: dict[float, tuple[Constant, list[str], int]] = {}
    for name, parts in profile.values.items():
        for constant in repeated_constant(pd.concat(parts) if parts else pd.Series([], dtype="str")):
            held = found.setdefault(constant.value, (constant, [], 0))
            found[constant.value] = (held[0], [*held[1], name], held[2] + constant.count)
    for value, (constant, names, count) in found.items():
        # A stand-in, or a number as odd as 0.7999, means the same wherever it stands; 0.5 does not.
        general = constant.why == "sentinel" or len(f"{value:.9g}".replace(".", "").strip("0")) > 3
        plan.constant_columns[value] = set() if general else set(names)
        if value in missing:
            continue
        question = slug("constant", f"{value:.6g}")
        answer = _answer(plan, question)
        plan.constants[value] = answer if answer in ("limit", "real", "missing") else "ask"
        if plan.constants[value] == "ask":
            plan.questions[question] = _constant_question(question, constant, names, count)


_WHY = {
    "sentinel": "Loggers and databases write it where there is no value.",
    "minimum": "It is the smallest number of its column, and it repeats far more often than any other.",
    "odd digits": "It repeats far more often than any other number, to the last digit.",
}


def _constant_question(question: str, constant: Constant, names: list[str], count: int) -> Question:
    where = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    return Question(
        question,
        f"What does {constant.value:.9g} mean? It stands at least {count} times, in {where}.",
        _WHY.get(constant.why, "Measured values seldom repeat like that.")
        + " It may be a detection limit, or a code for “no value”.",
        [
            Choice("limit", "Below that limit", f"Each is kept as < {constant.value:.9g}."),
            Choice("real", "A measured value", f"Each is kept as {constant.value:.9g}."),
            Choice("missing", "No value", "Each is left out and listed as missing."),
        ],
        column=names[0],
        example=constant.text,
        columns=names,
    )


def _plan_places(plan: Plan, profile: Profile, topic: Topic | None) -> None:
    pairs = profile.xy()
    x = pd.to_numeric(pairs["x"].str.replace(",", ".", regex=False), errors="coerce")
    y = pd.to_numeric(pairs["y"].str.replace(",", ".", regex=False), errors="coerce")
    good = x.notna() & y.notna() & ~((x == 0) & (y == 0))
    if not good.any():
        return
    projected = plan.mapping.first("x") is not None and plan.mapping.first("longitude") is None
    if projected and (x[good].abs().median() > 180 or y[good].abs().median() > 90):
        _plan_crs(plan, x[good], y[good], topic)
    else:
        lon, lat = float(x[good].median()), float(y[good].median())
        spread = max(float((x[good] - lon).abs().median()), float((y[good] - lat).abs().median()))
        plan.centre = (lon, lat, max(8 * spread, 0.5))


def _plan_crs(plan: Plan, x: pd.Series, y: pd.Series, topic: Topic | None) -> None:
    stated = plan.mapping.constants.get("crs") or _answer(plan, "crs")
    candidates = [code for code in (topic.crs if topic else ()) if code != "EPSG:4326"]
    if stated and stated != UNKNOWN:
        plan.crs = str(stated)
        return
    if plan.mapping.first("crs") or plan.mapping.first("utm_zone"):
        return
    if len(candidates) == 1:
        plan.crs = candidates[0]
        plan.warnings.append(f"Coordinates are read in {candidates[0]}, which the topic {topic.key} names.")  # type: ignore[union-attr]
        return
    plan.crs_waits = True
    area = topic.area if topic and not _whole_world(topic) else None
    guesses = (guess_crs(x, y, candidates, area) if area else []) or guess_crs(x, y, candidates)
    guesses = guesses or zones_of(str(plan.mapping.first("x")), x, y)
    guesses += [guess for guess in plausible(x, y) if guess.crs not in {one.crs for one in guesses}]
    plan.questions["crs"] = Question(
        "crs",
        "In which reference system are the coordinates?",
        f"{x.iloc[0]:g}, {y.iloc[0]:g} are metres of some grid, and the file does not say of which. "
        "Any code of the EPSG register will do, e.g. EPSG:21037.",
        [
            Choice(g.crs, g.name, f"The first place is then at {g.example[1]:.4f}°, {g.example[0]:.4f}°.")
            for g in guesses[:12]
        ]
        + [Choice(UNKNOWN, "Not known", "The readings are kept without a place.")],
        column=plan.mapping.first("x"),
        example=f"{x.iloc[0]:g}, {y.iloc[0]:g}",
        free=True,
    )


def _whole_world(topic: Topic) -> bool:
    west, south, east, north = topic.area
    return (east - west) * (north - south) > 20_000
