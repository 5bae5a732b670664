"""Dialects and vocabulary: recognised by name, in eight languages, and nothing named twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensors.dialects import dialects, read_dialect, recognise
from sensors.mapping import Mapping, load_mapping, understand
from sensors.vocabulary import header_score, languages, read_header, read_medium, read_substance
from situation.errors import DataFileError, FieldFileError

# header, role or property, unit, form, fraction
HEADERS = [
    ("Nitrate (mg/L as NO3)", "nitrate", "mg/L", "as NO3", None),
    ("4_Nitrate_mgL_NO3", "nitrate", "mg/L", "as NO3", None),
    ("sample/nitrate_mgl", "nitrate", "mg/L", None, None),
    ("sample-nitrate_mgl", "nitrate", "mg/L", None, None),
    ("Nitrate mg/L (NO3)", "nitrate", "mg/L", "as NO3", None),
    ("NO3-N (mg/L)", "nitrate", "mg/L", "as N", None),
    ("NO3", "nitrate", None, "as NO3", None),
    ("Nitrate (ppm)", "nitrate", "[ppm]", None, None),
    ("Iron, dissolved (ug/L)", "iron", "ug/L", None, "dissolved"),
    ("As", "arsenic", None, None, None),
    ("Elektrische Leitfähigkeit [µS/cm]", "conductance", "uS/cm", None, None),
    ("Nitrat als NO3 [mg/l]", "nitrate", "mg/L", "as NO3", None),
    ("Arsénico total (µg/l)", "arsenic", "ug/L", None, "total"),
    ("Fer total (mg/L)", "iron", "mg/L", None, "total"),
    ("Conductivité à 25°C (µS/cm)", "conductance", "uS/cm", None, None),
    ("Nitrato (mg/L NO3)", "nitrate", "mg/L", "as NO3", None),
    ("Cloreto (mg/L)", "chloride", "mg/L", None, None),
    ("waterstofcarbonaat", "bicarbonate", None, None, None),
    ("النترات (mg/L)", "nitrate", "mg/L", None, None),
    ("नाइट्रेट (mg/L)", "nitrate", "mg/L", None, None),
    ("EC (µS/cm at 25 °C)", "conductance", "uS/cm", None, None),
    ("EnviroDIY_Mayfly_Temp", "temperature", None, None, None),
    ("النترات (ملغم/لتر)", "nitrate", "mg/L", None, None),
    ("TotalNitrogen (mg/L)", "total_nitrogen", "mg/L", None, None),
    ("E. coli (CFU/100 mL)", "e_coli", "[CFU]/(100.mL)", None, None),
]

ROLES = [
    ("Point de prélèvement", "site_name"),
    ("Nombre del pozo", "site_name"),
    ("SampleDate", "date"),
    ("WellName", "site_name"),
    ("LocationID", "site_id"),
    ("Nome do poço", "site_name"),
    ("Messstelle", "site_name"),
    ("Meetpuntcode", "site_id"),
    ("اسم البئر", "site_name"),
    ("कुएं का नाम", "site_name"),
    ("Date de prélèvement", "date"),
    ("Fecha de muestreo", "date"),
    ("Data da coleta", "date"),
    ("Probenahmedatum", "date"),
    ("Monsterdatum", "date"),
    ("تاريخ أخذ العينة", "date"),
    ("नमूना दिनांक", "date"),
    ("Latitud", "latitude"),
    ("Breitengrad", "latitude"),
    ("خط العرض", "latitude"),
    ("अक्षांश", "latitude"),
    ("Rechtswert", "x"),
    ("Téléphone", "personal"),
    ("Nom du préleveur", "personal"),
    ("Probenehmer", "personal"),
    ("E-mail", "personal"),
    ("interviewer/name", "personal"),
    ("household_head_phone_number", "personal"),
    ("GM_WELL_ID", "site_id"),
    ("मोबाइल नंबर", "personal"),
    ("رقم الهاتف", "personal"),
]


@pytest.mark.parametrize(("header", "key", "unit", "species", "fraction"), HEADERS)
def test_a_header_says_substance_unit_form_and_fraction(
    header: str, key: str, unit: str | None, species: str | None, fraction: str | None
) -> None:
    found = read_header(header)
    assert (found.role, found.property, found.unit, found.species, found.fraction) == (
        "measure",
        key,
        unit,
        species,
        fraction,
    )


@pytest.mark.parametrize(("header", "role"), ROLES)
def test_a_header_says_what_a_column_is_for(header: str, role: str) -> None:
    assert read_header(header).role == role


@pytest.mark.parametrize(
    "header", ["", "as", "xyz", "Smell or colour", "5_Smell_or_colour", "{{7*7}}", "=1+1", "12"]
)
def test_what_is_not_known_is_not_guessed(header: str) -> None:
    assert read_header(header).role == "unknown"


def test_symbols_match_as_they_are_written() -> None:
    assert read_substance("Co").property == "cobalt"  # type: ignore[union-attr]
    assert read_substance("as") is None
    assert read_medium("moon dust") is None


def test_eight_languages_are_there() -> None:
    assert set(languages()) >= {"en", "fr", "es", "pt", "de", "nl", "ar", "hi"}


def test_header_score_tells_a_header_from_a_row() -> None:
    assert header_score(["Well", "Date", "Nitrate (mg/L)"]) == 1.0
    assert header_score(["W3", "2026-03-04", "12"]) == 0.0


# key, a header of it beside the ones in the sample files
SHAPES = [
    ("odk", ["SubmissionDate", "well", "gps-Latitude", "gps-Longitude", "meta-instanceID", "KEY", "SubmitterID", "SubmitterName", "DeviceID"]),
    ("fieldkit", ["unix_time", "time", "data_record", "meta_record", "uptime", "gps_lat", "gps_lon", "Temperature (C)"]),
    ("mapeo", ["X", "Y", "DATE", "TIME", "COMMENT", "PHOTOS", "MAPEO_ID"]),
    ("monitor_my_watershed", ["DateTime", "UTCOffset", "DateTimeUTC", "EnviroDIY_Mayfly_Temp"]),
    ("datastream", ["MonitoringLocationID", "MonitoringLocationLatitude", "MonitoringLocationLongitude", "ActivityStartDate", "CharacteristicName", "ResultValue", "ResultUnit"]),
    ("wpdx", ["#lat_deg", "#lon_deg", "#wpdx_id", "#report_date", "#water_source"]),
    ("safecast", ["Captured Time", "Latitude", "Longitude", "Value", "Unit", "Location Name", "Device ID"]),
    ("sensor_community", ["sensor_id", "sensor_type", "location", "lat", "lon", "timestamp", "P1", "P2"]),
]  # fmt: skip


@pytest.mark.parametrize(("key", "headers"), SHAPES)
def test_shapes_are_recognised_by_their_names(key: str, headers: list[str]) -> None:
    found = recognise(headers)
    assert found is not None
    assert found.key == key
    assert found.fits([header.upper() for header in headers]) > 0  # whatever the case


def test_plain_tables_are_no_dialect() -> None:
    assert recognise(["Well", "Date", "Nitrate (mg/L)", "Lat", "Long"]) is None


@pytest.mark.parametrize("key", sorted(dialects()))
def test_a_dialect_recognises_its_own_names(key: str) -> None:
    dialect = dialects()[key]
    names = [pattern.replace("*", "x") for pattern in (*dialect.all, *dialect.any[:1])]
    found = recognise(names)
    assert found is not None
    assert found.fits(names) >= dialect.fits(names) > 0


def test_people_are_dropped_in_odk() -> None:
    headers = ["SubmissionDate", "KEY", "SubmitterName", "DeviceID", "created_by"]
    roles = {column.source: column.role for column in understand(headers, headers).columns}
    assert [roles[name] for name in headers[2:]] == ["personal"] * 3


def test_a_broken_dialect_is_named(tmp_path: Path) -> None:
    path = tmp_path / "odd.toml"
    path.write_text('[columns]\n"A" = "nonsense"\n', encoding="utf-8")
    with pytest.raises(DataFileError, match=r"odd\.toml"):
        read_dialect(path)
    path.write_text("[columns\n", encoding="utf-8")
    with pytest.raises(DataFileError, match="not TOML"):
        read_dialect(path)


def test_a_mapping_survives_its_file(tmp_path: Path) -> None:
    headers = ["Well", "Date", "Nitrate (mg/L as N)", "Phone"]
    mapping = understand(headers, headers)
    mapping.answers["date-order"] = "dmy"
    mapping.save(tmp_path / "mapping.toml")
    assert load_mapping(tmp_path / "mapping.toml") == mapping
    assert mapping.fits([" well", "DATE", "Nitrate (mg/L as N)"])
    assert not mapping.fits(["Well", "Date"])


def test_a_broken_mapping_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text('[[column]]\nsource = "A"\nrole = "nonsense"\n', encoding="utf-8")
    with pytest.raises(FieldFileError, match="needs source and role"):
        load_mapping(path)
    with pytest.raises(FieldFileError, match="cannot be read"):
        load_mapping(tmp_path / "absent.toml")
    assert Mapping().first("date") is None


def test_a_wide_table_with_a_code_column_of_elements() -> None:
    headers = ["site", "date", "Ca", "Mg", "Na", "K", "Fe", "Y"]
    mapping = understand(headers, headers)
    assert [column.property for column in mapping.of("measure")] == [
        "calcium", "magnesium", "sodium", "potassium", "iron", "yttrium"]  # fmt: skip
