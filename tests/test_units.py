"""Units and species: what people write is read or refused by name, and numbers convert exactly."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pint
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from situation import datafile
from situation.errors import DataFileError, UnitError
from situation.properties import PROPERTIES, find_cas, find_pcode, find_property
from situation.unit import (
    FILE,
    convert,
    factor,
    forms,
    kind_of,
    read_species,
    read_unit,
    read_units,
    refusal,
    shown,
)

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


@pytest.mark.parametrize(
    ("text", "unit", "species"),
    [
        ("mg/l as N", "mg/L", "as N"),
        ("mg{NO3}/L", "mg/L", "as NO3"),
        ("MILLIGRAM PER LITRE", "mg/L", None),
        ("mg-P/l", "mg/L", "as P"),
        ("μg-N/l", "ug/L", "as N"),
        ("μmol N/l", "umol/L", "as N"),
        ("mg NO3-N/L", "mg/L", "as N"),
        ("mg/L (NO3)", "mg/L", "as NO3"),
        ("mg/L NO3-", "mg/L", "as NO3"),
        ("mg/L AS N", "mg/L", "as N"),
        ("as mg/L HCO3", "mg/L", "as HCO3"),
        ("µg L⁻¹", "ug/L", None),
        ("µg/m³", "ug/m3", None),
        ("(µS/cm)", "uS/cm", None),
        ("uS/cm @25C", "uS/cm", None),
        ("mS/m", "mS/m", None),
        ("microgramme par litre", "ug/L", None),
        ("miligramos por litro", "mg/L", None),
        ("kve/L", "[CFU]/L", None),
        ("n/100mL", "{count}/(100.mL)", None),
        ("standard units", "[pH]", None),
        ("c", "Cel", None),
        ("ft^3/s", "[cft_i]/s", None),
        ("ppb", "[ppb]", None),
        ("°dH", "{dH}", "as CaCO3"),
        ("°fH", "{fH}", "as CaCO3"),
        ("°F", "[degF]", None),
        ("nonsense", None, None),
        ("M", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_a_spelling_reads_as_a_unit_and_a_species(text, unit, species):
    assert tuple(read_unit(text)) == (unit, species)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_reading_a_unit_never_raises(text):
    unit = read_unit(text)
    assert unit.ucum is None or kind_of(unit.ucum) is not None
    read_species(text)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["mg/L", "ug/L", "pCi/L", "uS/cm", "mmol/L"]), st.sampled_from(["", " ", "\t"]))
def test_case_and_spaces_do_not_matter(text, space):
    assert read_unit(space + text.upper() + space).ucum == text
    assert read_unit(text.replace("/", f"{space}/{space}")).ucum == text


def _spellings() -> set[str]:
    """Collect every unit spelling in the samples and recordings."""
    found: set[str] = set()
    column = re.compile(
        r"(unit(_cd|_type|s)?$|MeasureUnit|UnitCode|Unit$|unit_of_measure|unitName)", re.IGNORECASE
    )
    for path in SHARED.glob("*/**/*.csv"):
        with path.open(encoding="utf-8-sig", newline="") as lines:
            sample = lines.readline()
            lines.seek(0)
            reader = csv.DictReader(lines, delimiter=";" if sample.count(";") > sample.count(",") else ",")
            names = [name for name in reader.fieldnames or [] if column.search(name)]
            for row in reader:
                found.update(row[name] or "" for name in names)
    for path in SHARED.glob("recordings/**/*.*json"):
        found.update(_json_units(json.loads(path.read_text(encoding="utf-8"))))
    for path in SHARED.glob("samples/**/*.xlsx"):
        found.update(_sheet_units(path))
    return {text.strip() for text in found if text.strip() and text != "NA"}


_UNIT_KEY = re.compile(r"units?|unitName|unit_of_measure|\w+_unit|(nom|symbole)_unite")


def _sheet_units(path: Path) -> set[str]:
    """Collect the cells beside or under the word "units" of a workbook."""
    found: set[str] = set()
    for sheet in openpyxl.load_workbook(path, read_only=True):
        rows = [[str(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
        for number, row in enumerate(rows[:20]):
            for column, cell in enumerate(row):
                if cell.casefold() != "units":
                    continue
                if number > 0:  # a row of units under the headings
                    found.update(row[column + 1 :])
                else:  # a column of units
                    found.update(line[column] for line in rows[number + 1 :] if len(line) > column)
    return {text for text in found if text not in ("None", "datetime")}


def _json_units(body: object) -> set[str]:
    found: set[str] = set()
    if isinstance(body, dict):
        for name, value in body.items():
            if isinstance(value, str) and _UNIT_KEY.fullmatch(name):
                found.add(value)
            found |= _json_units(value)
    if isinstance(body, list):
        for value in body:
            found |= _json_units(value)
    return found


def test_every_spelling_in_the_samples_and_recordings_reads_or_is_refused_by_name():
    if not (SHARED / "samples").is_dir():
        pytest.skip("the folder of real samples, ../shared, is not there")
    spellings = _spellings()
    assert len(spellings) > 50
    assert [text for text in sorted(spellings) if read_unit(text).ucum is None and not refusal(text)] == []
    # What is read converts into the first unit of its kind and back.
    first: dict[str, str] = {}
    for text in sorted(spellings):
        ucum = read_unit(text).ucum
        if ucum is None:
            continue
        other = first.setdefault(str(kind_of(ucum)), ucum)
        there, shift = factor("chloride", ucum, None, other, None)
        back, unshift = factor("chloride", other, None, ucum, None)
        assert (3.5 * there + shift) * back + unshift == pytest.approx(3.5, rel=1e-9)


# -- the table --------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", [cells for _, cells in datafile.rows(FILE, ["ucum", "pint"]) if cells["pint"]],
                         ids=lambda cells: cells["ucum"])  # fmt: skip
def test_every_unit_agrees_with_a_well_kept_units_library(row):
    registry = _registry()
    same_kind = [
        cells for _, cells in datafile.rows(FILE, ["ucum"]) if cells["kind"] == row["kind"] and cells["pint"]
    ]
    other = same_kind[0]
    quantity = registry.Quantity(3.5, row["pint"])
    assert quantity.check(registry.Quantity(1, other["pint"]).dimensionality)
    scale, offset = (
        factor(None, row["ucum"], None, other["ucum"], None)
        if row["kind"] != "mass_concentration"
        else (factor("chloride", row["ucum"], None, other["ucum"], None))
    )
    assert 3.5 * scale + offset == pytest.approx(quantity.to(other["pint"]).magnitude, rel=1e-9)


def _registry(found: list[pint.UnitRegistry] = []) -> pint.UnitRegistry:  # noqa: B006 - built once
    if not found:
        found.append(pint.UnitRegistry(autoconvert_offset_to_baseunit=True))
    return found[0]


@pytest.mark.parametrize(
    ("ucum", "text"),
    [
        ("{count}/(100.mL)", "per 100 mL"),
        ("[CFU]/(100.mL)", "CFU per 100 mL"),
        ("[pH]", ""),
        ("1", ""),
        ("Cel", "°C"),
        ("mg/L", "mg/L"),
        ("unheard of", "unheard of"),
        (None, ""),
    ],
)
def test_a_unit_is_shown_as_people_write_it(ucum, text):
    assert shown(ucum) == text
    assert shown(ucum, before=" ") == (f" {text}" if text else "")


@pytest.mark.parametrize(
    "ucum", [cells["ucum"] for _, cells in datafile.rows(FILE, ["ucum"]) if cells["ucum"]]
)
def test_no_unit_is_shown_in_brackets(ucum):
    assert not set(shown(ucum)) & set("[]{}")


def test_a_spelling_of_two_units_is_a_sentence_that_names_the_row(tmp_path):
    path = tmp_path / "units.csv"
    path.write_text("ucum,kind,scale,offset,spellings,reason\nmg/L,a,1,0,mgl,\nug/L,a,1,0,MGL,\n")
    with pytest.raises(DataFileError, match=r"units.csv, row 3: 'MGL' is also a spelling of another unit"):
        read_units(path)


# -- converting -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("observed", "old", "new", "value", "expected"),
    [
        ("nitrate", ("mg/L", "as N"), ("mg/L", "as NO3"), 10, 44.268),
        ("nitrate", ("mg/L", "as NO3"), ("mg/L", "as N"), 50, 11.29483),
        ("nitrate", ("mmol/L", None), ("mg/L", "as NO3"), 1, 62.0049),
        ("nitrate", ("umol/L", "as N"), ("mg/L", "as N"), 100, 1.40067),
        ("nitrite", ("mg/L", "as N"), ("mg/L", "as NO2"), 1, 3.28454),
        ("ammonium", ("mg/L", "as N"), ("mg/L", "as NH4"), 1, 1.28785),
        ("phosphate", ("mg/L", "as P"), ("mg/L", "as PO4"), 1, 3.06619),
        ("sulfate", ("mg/L", "as S"), ("mg/L", "as SO4"), 1, 2.99587),
        ("sulfate", ("mg/L", None), ("mg/L", "as SO4"), 7, 7),
        ("alkalinity", ("mg/L", "as HCO3"), ("mg/L", "as CaCO3"), 100, 82.0159),
        ("alkalinity", ("meq/L", None), ("mg/L", "as CaCO3"), 2, 100.087),
        ("calcium", ("meq/L", None), ("mg/L", None), 1, 20.039),
        ("arsenic", ("[ppb]", None), ("ug/L", "as As"), 10, 10),
        ("arsenic", ("mg/L", "as As"), ("ug/L", None), 0.01, 10),
        ("tritium", ("pCi/L", None), ("Bq/L", None), 20000, 740),
        ("tritium", ("{TU}", None), ("Bq/L", None), 10, 1.1919),
        ("temperature", ("[degF]", None), ("Cel", None), 212, 100),
        ("depth_to_groundwater", ("[ft_i]", None), ("m", None), 10, 3.048),
        ("conductance", ("mS/m", None), ("uS/cm", None), 100, 1000),
        ("e_coli", ("[CFU]/L", None), ("{count}/(100.mL)", None), 30, 3),
        ("hardness", ("{dH}", "as CaCO3"), ("mg/L", "as CaCO3"), 10, 178.48),
        ("hardness", ("{fH}", "as CaCO3"), ("mmol/L", None), 10, 0.99913),
        ("hardness", ("mmol/L", None), ("{dH}", "as CaCO3"), 1, 5.6077),
        ("sulfate", ("meq/L", None), ("mmol/L", None), 2, 1),
        ("phosphate", ("mmol/L", None), ("mg/L", "as P"), 1, 30.973762),
        ("silica", ("mg/L", "as Si"), ("mg/L", "as SiO2"), 10, 21.3933),
        ("nitrate", ("[ppm]", "as N"), ("mg/L", "as NO3"), 10, 44.268),
        ("radium_226", ("pCi/L", None), ("Bq/L", None), 5, 0.185),
        ("temperature", ("Cel", None), ("[degF]", None), 100, 212),
        ("depth_to_groundwater", ("m", None), ("[ft_i]", None), 3.048, 10),
        ("conductance", ("uS/cm", None), ("mS/m", None), 1000, 100),
    ],
)
def test_numbers_convert(observed, old, new, value, expected):
    scale, offset = factor(observed, *old, *new)
    assert value * scale + offset == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nitrate", "mg/L", None, "mg/L", "as NO3"), "not stated whether the number is as NO3 or as N"),
        (("nitrate", "[ppm]", None, "mg/L", "as NO3"), "never guessed"),
        (("nitrate", None, "as N", "mg/L", "as NO3"), "unit .* is not known"),
        (("o3", "[ppb]", None, "ug/m3", None), "temperature and pressure"),
        (("arsenic", "[ppm]", None, "ug/L", None, "soil"), "not the same kind"),
        (("arsenic", "mg/kg", None, "ug/L", None), "not the same kind"),
        (("conductance", "uS/cm", None, "mg/L", None), "not the same kind"),
        (("turbidity", "{NTU}", None, "{FNU}", None), "not the same kind"),
        (("nitrate", "mg/L", "as P", "mg/L", "as NO3"), "no molar mass"),
        ((None, "mmol/L", None, "mg/L", None), "not known which substance"),
        (("strontium_90", "{TU}", None, "Bq/L", None), "for tritium only"),
    ],
)
def test_what_would_be_a_guess_is_refused_with_a_sentence(arguments, sentence):
    with pytest.raises(UnitError, match=sentence):
        factor(*arguments)


CONVERTIBLE = [
    (key, a, b)
    for key in ("nitrate", "ammonium", "phosphate", "alkalinity", "silica", "sulfate")
    for a in forms(key)
    for b in forms(key)
]


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(CONVERTIBLE), st.sampled_from(["mg/L", "ug/L", "mmol/L", "umol/L"]), st.floats(-1e6, 1e6)
)
def test_there_and_back_again_is_the_same_number(case, unit, value):
    key, old, new = case
    there, _ = factor(key, "mg/L", old, unit, new)
    back, _ = factor(key, unit, new, "mg/L", old)
    assert value * there * back == pytest.approx(value, rel=1e-12, abs=1e-300)


def test_a_hundredth_of_a_milligram_is_ten_micrograms_exactly():
    assert 0.01 * factor("arsenic", "mg/L", None, "ug/L", "as As")[0] == 10.0


def test_a_table_converts_row_by_row_and_leaves_what_cannot_be_converted_as_it_was():
    table = pd.DataFrame(
        {
            "observed_property": ["nitrate"] * 4,
            "result": [10.0, 50.0, 12.0, np.nan],
            "detection_limit": [np.nan, np.nan, np.nan, 0.5],
            "unit": ["mg/L", "mg/L", "mg/L", "ug/L"],
            "method_speciation": ["as N", "as NO3", None, "as NO3"],
        }
    )
    out = convert(table, "mg/L", "as NO3")
    assert out["convertible"].tolist() == [True, True, False, True]
    assert out["result"].tolist()[:3] == pytest.approx([44.26803, 50.0, 12.0])
    assert out["detection_limit"].iloc[3] == pytest.approx(0.0005)
    assert out["method_speciation"].tolist()[:2] == ["as NO3", "as NO3"]
    assert pd.isna(out["method_speciation"].iloc[2])
    assert "never guessed" in out["conversion_reason"].iloc[2]
    assert table["result"].iloc[0] == 10.0
    assert convert(table.iloc[:0], "mg/L", "as NO3").empty


# -- the properties ---------------------------------------------------------------------------------


@pytest.mark.parametrize("key", list(PROPERTIES))
def test_every_property_has_a_unit_that_exists_and_converts_into_its_own_form(key):
    item = PROPERTIES[key]
    assert kind_of(item.default_unit) is not None
    assert factor(key, item.default_unit, item.default_species, item.default_unit, item.default_species) == (
        1.0,
        0.0,
    )


@pytest.mark.parametrize(
    ("name", "medium", "key"),
    [
        ("Nitrate", None, "nitrate"),
        ("Escherichia coli", None, "e_coli"),
        ("CO", None, "co"),
        ("Co", None, "cobalt"),
        ("NO2", None, None),
        ("NO2", "water", "nitrite"),
        ("NO2", "air", "no2"),
        ("no", None, None),
        ("Inorganic nitrogen (nitrate and nitrite)", None, "nitrate_nitrite"),
        ("bank balance", None, None),
    ],
)
def test_a_name_finds_its_property_or_nothing(name, medium, key):
    assert find_property(name, medium) == key


def test_codes_of_others_find_their_property():
    assert find_pcode("618") == ("nitrate", "as N", "dissolved")
    assert find_pcode("07000") == ("tritium", None, None)
    assert find_pcode("nonsense") is None
    assert find_cas("7440-38-2") == "arsenic"


def test_every_property_of_the_real_samples_is_known():
    if not (SHARED / "samples").is_dir():
        pytest.skip("the folder of real samples, ../shared, is not there")
    with (SHARED / "samples/groundwater/kenya_kwale_water_samples.csv").open(encoding="utf-8") as lines:
        names = next(csv.reader(lines))[5:]
    assert [name for name in names if find_property(name, "water") is None] == []
    with (SHARED / "samples/groundwater/usgs_inl_samples_subset.csv").open(encoding="utf-8") as lines:
        codes = {row["pcode"] for row in csv.DictReader(lines)}
    assert [code for code in codes if find_pcode(code) is None] == []
    with (SHARED / "samples/groundwater/usgs_samples_fullphyschem.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["USGSpcode"] for row in rows if find_pcode(row["USGSpcode"]) is None] == []
    assert {
        row["Result_Characteristic"]
        for row in rows
        if find_property(row["Result_Characteristic"], "water") is None
    } == set()
