"""Files of strangers: small bodies written by hand in the manner of other people's tables, none of them real."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sensors.field_file import FieldReading, read
from sensors.grids import find_grid, grids
from sensors.mapping import load_mapping
from sensors.vocabulary import read_code, read_header, unit_of_code
from situation.unit import kind_of


def _read(folder: Path, text: str, name: str = "file.csv", **options: object) -> FieldReading:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    reading = read(path, **options)  # type: ignore[arg-type]
    report = reading.report
    assert report.rows_in == report.rows_observed + report.rows_quarantined + report.rows_waiting
    assert report.observations == len(reading.observations)
    assert all("role" in column for column in report.columns)
    assert not (
        set(reading.quarantine["question_id"].dropna()) - {question.id for question in reading.questions}
    )
    return reading


def _asked(reading: FieldReading) -> list[str]:
    return [question.id for question in reading.questions]


# -- headings ------------------------------------------------------------------------------------

HEADINGS = [
    ("nitrate_mgl_no3", "nitrate", "mg/L", "as NO3"),
    ("nitrate_mg_l", "nitrate", "mg/L", None),
    ("nitrate_mg_per_l_as_n", "nitrate", "mg/L", "as N"),
    ("NitrateN_mg_per_L", "nitrate", "mg/L", "as N"),
    ("NO3_N_mgL", "nitrate", "mg/L", "as N"),
    ("po4_p_mg_l", "phosphate", "mg/L", "as P"),
    ("hardness_mg_l_caco3", "hardness", "mg/L", "as CaCO3"),
    ("as_ugl", "arsenic", "ug/L", None),
    ("f_mg_l", "fluoride", "mg/L", None),
    ("ec_us_cm", "conductance", "uS/cm", None),
    ("temp_c", "temperature", "Cel", None),
    ("waterTempC", "temperature", "Cel", None),
    ("Coliformes (E. coli) NMP/100mL", "e_coli", "{MPN}/(100.mL)", None),
    ("EC µS/cm", "conductance", "uS/cm", None),
    ("TDS (mg/l)", "total_dissolved_solids", "mg/L", None),
    ("Total hardness as CaCO3", "hardness", None, "as CaCO3"),
    ("Ca2+ (mg/l)", "calcium", "mg/L", None),
    ("DO (%)", "oxygen_saturation", "%", None),
]


@pytest.mark.parametrize(("heading", "key", "unit", "species"), HEADINGS)
def test_a_heading_gives_up_unit_and_form(
    heading: str, key: str, unit: str | None, species: str | None
) -> None:
    found = read_header(heading)
    assert (found.role, found.property, found.unit, found.species) == ("measure", key, unit, species)


@pytest.mark.parametrize(
    ("heading", "role"),
    [
        ("Well depth (m)", "well_depth"),
        ("WELL_DEPTH", "well_depth"),
        ("sampling depth (m)", "depth"),
        ("Brunnentiefe", "well_depth"),
    ],
)
def test_the_depth_of_a_well_is_no_depth_of_a_sample(heading: str, role: str) -> None:
    assert read_header(heading).role == role


def test_a_row_of_units_makes_no_measure_of_an_attribute(tmp_path: Path) -> None:
    reading = _read(tmp_path, "Well,WELL_DEPTH,Date,As,Fe\n,m,,µg/l,mg/l\nA,25,1998-06-30,<0.5,0.009\n")
    assert (reading.questions, list(reading.observations["observed_property"])) == ([], ["arsenic", "iron"])


def test_an_ion_with_another_charge_is_not_the_element() -> None:
    assert read_header("Fe2+ (mg/l)").property is None
    assert read_header("Iron (mg/l)").property == "iron"


# -- columns that no heading names ------------------------------------------------------------------

NAMELESS = "Brunnen X,Wann,pH\nA,2026-03-04,7.1\nB,2026-03-05,7.2\n"


def test_a_missing_date_column_is_a_question_and_its_answer_is_kept(tmp_path: Path) -> None:
    reading = _read(tmp_path, NAMELESS)
    assert set(_asked(reading)) == {"column-date", "column-site"}
    assert (reading.report.rows_waiting, reading.report.rows_quarantined) == (2, 0)
    assert reading.questions[0].choices[-1].value == "none"
    assert next(q for q in reading.questions if q.id == "column-date").choices[0].value == "Wann"
    assert "No column" in reading.quarantine["reason"].iloc[0]
    answered = _read(tmp_path, NAMELESS, answers={"column-date": "Wann", "column-site": "Brunnen X"})
    assert (answered.questions, answered.report.observations) == ([], 2)
    assert set(answered.observations["monitoring_location_name"]) == {"A", "B"}
    answered.mapping.save(tmp_path / "mapping.toml")
    again = _read(tmp_path, NAMELESS, mapping=load_mapping(tmp_path / "mapping.toml"))
    assert (again.questions, again.report.observations) == ([], 2)


def test_an_empty_cell_is_told_from_a_missing_column(tmp_path: Path) -> None:
    reading = _read(tmp_path, "Well,Date,pH\nA,,7.1\nB,2026-03-05,7.2\n")
    assert reading.quarantine["reason"].iloc[0] == "The row has no date."
    assert reading.questions == []


def test_one_day_and_one_site_may_be_written_as_answers(tmp_path: Path) -> None:
    reading = _read(
        tmp_path, "pH,Iron (mg/l)\n7.1,0.2\n", answers={"column-date": "2026-03", "column-site": "Old well"}
    )
    table = reading.observations
    assert list(table["phenomenon_time_precision"]) == ["month", "month"]
    assert set(table["monitoring_location_name"]) == {"Old well"}


def test_nothing_measured_is_asked(tmp_path: Path) -> None:
    text = "Well,Date,Befund\nA,2026-03-04,12\nB,2026-03-05,13\nC,2026-03-06,9\n"
    assert _asked(_read(tmp_path, text)) == ["column-value"]
    reading = _read(
        tmp_path, text, answers={"column-value": "Befund", "property": "chloride", "unit-chloride": "mg/L"}
    )
    assert list(reading.observations["observed_property"]) == ["chloride"] * 3


UNKNOWN = "Well,Date,pH,Quux\nA,2026-03-04,7,12\nB,2026-03-05,7,<13\nC,2026-03-06,7,9\n"


def test_numbers_under_an_unknown_heading_are_asked_about(tmp_path: Path) -> None:
    reading = _read(tmp_path, UNKNOWN)
    assert _asked(reading) == ["column-quux"]
    assert (reading.report.rows_observed, reading.report.observations) == (3, 3)
    values = [choice.value for choice in reading.questions[0].choices]
    assert values[-2:] == ["ignore", "keep"]
    kept = _read(tmp_path, UNKNOWN, answers={"column-quux": "keep"})
    extra = kept.observations[kept.observations["observed_property_name"] == "Quux"]
    assert (len(extra), extra["observed_property"].isna().all(), list(extra["censoring"])) == (
        3,
        True,
        ["=", "<", "="],
    )
    known = _read(tmp_path, UNKNOWN, answers={"column-quux": "chloride", "unit-quux": "mg/L"})
    assert list(known.observations["observed_property"]).count("chloride") == 3
    gone = _read(tmp_path, UNKNOWN, answers={"column-quux": "ignore"})
    assert (gone.questions, gone.report.observations) == ([], 3)
    quux = next(column for column in gone.report.columns if column["column"] == "Quux")
    assert (quux["dropped"], "not a measurement" in quux["why"]) == (True, True)


def test_many_unknown_columns_are_one_question(tmp_path: Path) -> None:
    text = "Well,Date,pH,Qa,Qb,Qc,Qd,S.No.\n" + "".join(
        f"W{n},2026-03-04,7,1.{n},2.{n},3.{n},4.{n},{n}\n" for n in range(1, 5)
    )
    assert _asked(_read(tmp_path, text)) == ["columns-unknown"]
    assert _read(tmp_path, text, answers={"columns-unknown": "ignore"}).report.observations == 4
    assert _read(tmp_path, text, answers={"columns-unknown": "keep"}).report.observations == 20
    one = _read(tmp_path, text, answers={"columns-unknown": "one-by-one"})
    assert set(_asked(one)) == {"column-qa", "column-qb", "column-qc", "column-qd"}


# -- columns that speak of another ------------------------------------------------------------------


def test_companions_of_a_column(tmp_path: Path) -> None:
    text = (
        "Well,Latitude,Longitude,Date,<,As (ug/L),Fe,Fe_unit,Fe MDL,Fe qual,NO3_mgL,NO3 flag,NO3 LOD,NO3 method\n"
        "A,23.5,90.3,2026-03-04,,0.05,1.2,mg/L,0.1,,12,,0.5,strip\n"
        "B,23.6,90.4,2026-03-14,<,0.5,,mg/L,0.1,U,0,<,0.5,IC\n"
        "C,23.6,90.4,2026-03-15,<,0.5,200,ug/L,0.1,E,,<,0.5,IC\n"
    )
    reading = _read(tmp_path, text)
    assert (reading.questions, len(reading.quarantine), reading.report.observations) == ([], 0, 9)
    table = reading.observations.set_index(["source_row", "observed_property"])
    assert (table.loc[(3, "arsenic"), "censoring"], table.loc[(3, "arsenic"), "detection_limit"]) == (
        "<",
        0.5,
    )
    assert (table.loc[(2, "arsenic"), "censoring"], table.loc[(2, "arsenic"), "result"]) == ("=", 0.05)
    assert (table.loc[(2, "iron"), "unit"], table.loc[(4, "iron"), "unit"]) == ("mg/L", "ug/L")
    assert (table.loc[(3, "iron"), "censoring"], table.loc[(3, "iron"), "detection_limit"]) == ("<", 0.1)
    assert table.loc[(4, "iron"), "result_status"] == "estimated"
    # "<" beside 0 says nothing but that the limit stands elsewhere.
    assert (table.loc[(3, "nitrate"), "detection_limit"], table.loc[(4, "nitrate"), "detection_limit"]) == (
        0.5,
        0.5,
    )
    assert (table.loc[(2, "nitrate"), "procedure_class"], table.loc[(3, "nitrate"), "procedure"]) == (
        "strip",
        "IC",
    )


def test_a_unit_column_that_is_not_always_filled(tmp_path: Path) -> None:
    reading = _read(tmp_path, "Well,Date,As,As_unit\nA,2026-03-04,5,ug/L\nB,2026-03-05,6,\n")
    assert (_asked(reading), reading.report.observations, reading.report.rows_waiting) == (["unit-as"], 1, 1)


def test_a_unit_in_the_cell_does_not_answer_the_form(tmp_path: Path) -> None:
    reading = _read(tmp_path, "Well,Date,Nitrate\nA,2026-03-04,62 mg/L\n")
    assert (_asked(reading), reading.report.rows_waiting) == (["species-nitrate"], 1)


# -- reference systems --------------------------------------------------------------------------------

GRIDS = [
    ("X (RD)", "EPSG:28992"),
    ("X Lambert 93", "EPSG:2154"),
    ("Rechtswert (Gauss-Krüger Zone 3)", "EPSG:31467"),
    ("British National Grid Easting", "EPSG:27700"),
    ("Easting (UTM 37S Arc 1960)", "EPSG:21037"),
    ("E (SWEREF99 TM)", "EPSG:3006"),
    ("Coordenada X (SIRGAS 2000 / UTM 23S)", "EPSG:31983"),
    ("MGA94 zone 54 Easting", "EPSG:28354"),
    ("UTM 31N X", "EPSG:32631"),
    ("Easting NAD83 UTM zone 15", "EPSG:26915"),
    ("Easting", None),
    ("UTM X", None),
    ("EASTING_MGA2020", None),
]


@pytest.mark.parametrize(("heading", "code"), GRIDS)
def test_a_heading_names_its_grid(heading: str, code: str | None) -> None:
    found = find_grid(heading)
    assert (found[0] if found else None) == code


def test_every_grid_is_a_projection() -> None:
    pyproj = pytest.importorskip("pyproj")
    assert all(pyproj.CRS(grid.crs).is_projected for grid in grids())


PLACES = [
    ("X (RD),Y (RD)", "155000,463000", (5.38720, 52.15517)),
    ("Easting (UTM 37S Arc 1960),Northing (UTM 37S Arc 1960)", "548785,9523807", (39.440525, -4.310762)),
    ("British National Grid Easting,British National Grid Northing", "530000,180000", (-0.12836, 51.50398)),
]


@pytest.mark.parametrize(("headings", "cells", "place"), PLACES)
def test_coordinates_are_read_in_the_grid_of_their_headings(
    tmp_path: Path, headings: str, cells: str, place: tuple[float, float]
) -> None:
    reading = _read(tmp_path, f"Well,{headings},Date,pH\nA,{cells},2026-03-04,7\n")
    point = reading.observations.geometry.iloc[0]
    assert reading.questions == []
    assert (point.x, point.y) == pytest.approx(place, abs=2e-4)


def test_a_title_names_the_grid(tmp_path: Path) -> None:
    text = "Coordinates: UTM zone 37S - Arc 1960,,,,\nWell,X,Y,Date,pH\nA,548785,9523807,2026-03-04,7\nB,548790,9523817,2026-03-05,7\n"
    reading = _read(tmp_path, text)
    assert (reading.questions, reading.observations.geometry.iloc[0].x) == (
        [],
        pytest.approx(39.440525, abs=1e-5),
    )


def test_an_unnamed_grid_is_asked_with_the_grids_that_may_be_meant(tmp_path: Path) -> None:
    question = _read(tmp_path, "Well,Easting,Northing,Date,pH\nA,155000,463000,2026-03-04,7\n").questions[0]
    assert (question.id, question.free) == ("crs", True)
    assert "EPSG:28992" in {choice.value for choice in question.choices}


def test_a_datum_without_its_zone_offers_the_zones(tmp_path: Path) -> None:
    reading = _read(
        tmp_path, "Bore,EASTING_MGA2020,NORTHING_MGA2020,Date,pH\nA,321000,5811000,2026-03-04,7\n"
    )
    assert "EPSG:7855" in {choice.value for choice in reading.questions[0].choices}


# -- shapes -------------------------------------------------------------------------------------------


def test_legacy_rdb_needs_no_question(tmp_path: Path) -> None:
    text = (
        "# comment\n#\nagency_cd\tsite_no\tdec_lat_va\tdec_long_va\tsample_dt\tsample_tm\tparm_cd\tremark_cd\tresult_va\n"
        "5s\t15s\t16s\t16s\t10d\t5d\t5s\t1s\t12s\n"
        "USGS\t432533112504901\t43.42\t-112.84\t2001-07-09\t14:20\t01030\t<\t10\n"
        "USGS\t432533112504901\t43.42\t-112.84\t2001-07-09\t14:20\t00618\t\t1.4\n"
    )
    reading = _read(tmp_path, text, "usgs.rdb")
    table = reading.observations.set_index("observed_property")
    assert (reading.questions, reading.report.dialect) == ([], "usgs_nwis")
    assert (table.loc["chromium", "unit"], table.loc["chromium", "detection_limit"]) == ("ug/L", 10.0)
    assert (table.loc["nitrate", "unit"], table.loc["nitrate", "method_speciation"]) == ("mg/L", "as N")


def test_every_usgs_code_has_a_unit_that_is_known() -> None:
    from sensors.vocabulary import _code_units

    assert all(kind_of(unit) and read_code(code) for code, unit in _code_units().items())
    assert unit_of_code("72019") == "[ft_i]"


# name, body, answers, dialect, property, result, unit, personal words
SHAPES = [
    ("gwlevels", "# c\nagency_cd\tsite_no\tsite_tp_cd\tlev_dt\tlev_tm\tlev_tz_cd\tlev_va\tlev_age_cd\n"
     "5s\t15s\t6s\t10d\t5d\t5s\t12s\t1s\nUSGS\t4325\tGW\t2001-07-09\t14:20\tMST\t210.5\tA\n",
     "usgs_gwlevels", "depth_to_groundwater", 210.5, "[ft_i]"),
    ("kobo_group", '"start";"water/Name of the well";"_GPS_latitude";"_GPS_longitude";"water/Chloride (mg/L)";"_submission_time";"_submitted_by"\n'
     '"2026-03-04T08:12:31.114+01:00";"Well A";"7.2";"1.17";"62.5";"2026-03-04T07:25:11";"zzama"\n',
     "kobo", "chloride", 62.5, "mg/L"),
    ("odk2", "SubmissionDate,well,gps-Latitude,gps-Longitude,iron_mg_l,meta-instanceID,KEY,SubmitterID,SubmitterName,DeviceID\n"
     "2026-03-04T08:12:31.114Z,Well A,7.2,1.17,0.4,uuid:1,uuid:1,22,zzama,zzdevice\n",
     "odk", "iron", 0.4, "mg/L"),
    ("epicollect_private", "ec5_uuid,created_at,uploaded_at,created_by,title,1_Date,2_Well,lat_3_Place,long_3_Place,accuracy_3_Place,UTM_Northing_3_Place,UTM_Easting_3_Place,UTM_Zone_3_Place,4_Nitrate_mgL_NO3\n"
     "a-1,2026-03-04T08:12:31.000Z,2026-03-04T09:00:00.000Z,zzama@example.org,Well A,2026-03-04,Well A,7.2,1.17,4,796000,300000,31N,12.5\n",
     "epicollect5", "nitrate", 12.5, "mg/L"),
    ("monitor_my_watershed", "# Site Code: X12\nDateTime,UTCOffset,DateTimeUTC,EnviroDIY_Mayfly_Temp (degC)\n"
     "2026-03-04 08:00:00,-05:00,2026-03-04 13:00:00,11.25\n",
     "monitor_my_watershed", "temperature", 11.25, "Cel"),
    ("datastream", "DatasetName,MonitoringLocationID,MonitoringLocationName,MonitoringLocationLatitude,MonitoringLocationLongitude,ActivityMediaName,ActivityStartDate,ActivityStartTime,CharacteristicName,MethodSpeciation,ResultSampleFraction,ResultValue,ResultUnit\n"
     "Set,L1,Creek,45.4,-75.7,Surface Water,2024-05-01,10:00:00,Nitrate,as N,Dissolved,1.2,mg/L\n",
     "datastream", "nitrate", 1.2, "mg/L"),
    ("wpdx", "#lat_deg,#lon_deg,#wpdx_id,#report_date,#water_source,#fecal_coliform_value\n7.2,1.17,W1,03/14/2026,Borehole,10\n",
     "wpdx", "faecal_coliforms", 10.0, "{count}/(100.mL)"),
    ("fieldkit", "unix_time,time,data_record,meta_record,uptime,gps_lat,gps_lon,Temperature (C)\n"
     "1772611951,2026-03-04T08:12:31Z,1,1,99,7.2,1.17,24.5\n",
     "fieldkit", "temperature", 24.5, "Cel"),
    ("mapeo", "ID,X,Y,DATE,TIME,COMMENT,PHOTOS,MAPEO_ID,ph\n1,1.178902,7.204113,2026-03-04,08:12:31,zzama says,a.jpg,0011,7.1\n",
     "mapeo", "ph", 7.1, "[pH]"),
    ("gama", "GM_WELL_ID,GM_LATITUDE,GM_LONGITUDE,GM_CHEMICAL_NAME,GM_RESULT_MODIFIER,GM_RESULT,GM_RESULT_UNITS,GM_SAMP_COLLECTION_DATE,GM_REPORTING_LIMIT\n"
     "W1,36.7,-119.8,Arsenic,=,12.4,UG/L,01/25/2020,0.4\n",
     "plain table", "arsenic", 12.4, "ug/L"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "body", "dialect", "key", "result", "unit"), SHAPES, ids=[shape[0] for shape in SHAPES]
)
def test_shapes_of_tools(
    tmp_path: Path, name: str, body: str, dialect: str, key: str, result: float, unit: str
) -> None:
    reading = _read(tmp_path, body, f"{name}.csv")
    assert (reading.report.dialect, _asked(reading)) == (dialect, [])
    found = reading.observations[reading.observations["observed_property"] == key]
    assert (list(found["result"]), list(found["unit"])) == ([result], [unit])
    said = reading.observations.to_csv() + reading.quarantine.to_csv()
    assert "zzama" not in said
    assert "zzdevice" not in said


def test_less_than_nothing_takes_the_reporting_limit(tmp_path: Path) -> None:
    text = "Well,Date,Parameter,Modifier,Result,Unit,Reporting limit\nA,2026-03-04,Arsenic,<,0,ug/L,2\n"
    row = _read(tmp_path, text).observations.iloc[0]
    assert (row["censoring"], row["detection_limit"], pd.isna(row["result"])) == ("<", 2.0, True)


# -- cells ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["-", "--", "NA", "n/a", ".", "#N/A", "#DIV/0!", "#VALUE!"])
def test_cells_that_say_nothing_are_no_result(tmp_path: Path, cell: str) -> None:
    reading = _read(tmp_path, f"Well,Date,pH,Iron (mg/l)\nA,2026-03-04,7,{cell}\n")
    assert list(reading.observations["observed_property"]) == ["ph"]


def test_a_name_that_is_not_known_is_kept_and_told(tmp_path: Path) -> None:
    reading = _read(tmp_path, "Well,Date,Parameter,Result,Unit\nA,2026-03-04,Frobnium,3,mg/L\n")
    row = reading.observations.iloc[0]
    assert (pd.isna(row["observed_property"]), row["observed_property_name"], row["result"]) == (
        True,
        "Frobnium",
        3,
    )
    assert any("Frobnium" in warning for warning in reading.report.warnings)


def test_percent_signs(tmp_path: Path) -> None:
    row = _read(tmp_path, "Well,Date,DO saturation\nA,2026-03-04,85 %\n").observations.iloc[0]
    assert (row["observed_property"], row["result"], row["unit"]) == ("oxygen_saturation", 85.0, "%")


def test_tags_speak_where_the_header_says_nothing(tmp_path: Path) -> None:
    text = (
        "Ka,Kb,Kc,Kd,Iron (mg/l)\n#loc+name,#geo+lat,#geo+lon,#date,#indicator\nA,7.2,1.17,2026-03-04,0.4\n"
    )
    reading = _read(tmp_path, text)
    row = reading.observations.iloc[0]
    assert (reading.questions, row["monitoring_location_name"], row["result"]) == ([], "A", 0.4)
    assert (row["geometry"].x, row["geometry"].y) == (1.17, 7.2)
