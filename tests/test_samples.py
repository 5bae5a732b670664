"""Every real sample file, read against what a person found in it by hand."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import geopandas as gpd
import pytest

from sensors.field_file import FieldReading, is_site_table, read

NAMES = ("monitoring_location_name", "observed_property")


def _read(shared: Path, name: str, **options: object) -> FieldReading:
    for key in ("sites",):
        if key in options:
            options[key] = shared / "samples" / str(options[key])
    reading = read(shared / "samples" / name, **options)  # type: ignore[arg-type]
    report = reading.report
    assert report.rows_in == report.rows_observed + report.rows_quarantined + report.rows_waiting
    assert report.cells_quarantined == len(reading.quarantine)
    assert report.observations == len(reading.observations)
    return reading


def _one(table: gpd.GeoDataFrame, row: int, observed_property: str | None = None) -> dict[str, object]:
    found = table[table["source_row"] == row]
    if observed_property:
        found = found[found["observed_property"] == observed_property]
    assert len(found) == 1, found[["source_row", "observed_property"]]
    return dict(found.iloc[0])


def _place(row: dict[str, object]) -> tuple[float, float]:
    point = row["geometry"]
    return point.x, point.y  # type: ignore[attr-defined]


def test_usgs_inl_with_its_sites(shared: Path) -> None:
    reading = _read(shared, "groundwater/usgs_inl_samples_subset.csv", sites="groundwater/usgs_inl_sites.csv")
    table, report = reading.observations, reading.report
    assert (report.rows_in, report.observations, report.rows_quarantined) == (35_678, 35_677, 1)
    assert list(reading.quarantine["source_row"]) == [34_535]  # the one row with an empty result
    assert report.censored == 3_925
    assert (table["censoring"] == "<").sum() == 3_925
    assert (table["result_status"] == "estimated").sum() == 480
    assert (table["replicate"] == "replicate").sum() == 2_865
    assert report.sites == 294
    assert report.questions == []
    assert report.dialect == "usgs_nwis"
    assert report.properties == {
        "tritium": 9_303,
        "strontium_90": 5_748,
        "nitrate_nitrite": 5_601,
        "nitrate": 5_589,
        "chromium": 4_911,
        "trichloroethene": 2_263,
        "tetrachloromethane": 2_262,
    }
    chromium = _one(table, 2)
    assert (chromium["censoring"], chromium["detection_limit"], chromium["unit"]) == ("<", 10.0, "ug/L")
    assert _place(chromium) == pytest.approx((-112.847775, 43.425744), abs=1e-5)
    nitrate = _one(table, 32)
    assert (nitrate["result"], nitrate["unit"], nitrate["method_speciation"]) == (0.91, "mg/L", "as N")
    assert (nitrate["sample_fraction"], nitrate["sample_id"], nitrate["replicate"] is None) == (
        "dissolved",
        "359773",
        False,
    )
    assert _place(nitrate) == pytest.approx((-112.742881, 43.864231), abs=1e-5)
    tritium = _one(table, 10)
    assert (tritium["result"], tritium["unit"], tritium["replicate"], tritium["sample_id"]) == (
        150.0,
        "pCi/L",
        "replicate",
        "363398",
    )
    assert _one(table, 4)["result"] == -130.0  # counted below the background: valid
    last = _one(table, 35_678)
    assert (last["monitoring_location_name"], last["result"]) == ("WS INEL 1", 20.0)
    assert table["observation_id"].is_unique


KENYA = "groundwater/kenya_kwale_water_samples.csv"
DICTIONARY = "groundwater/kenya_kwale_dictionary.csv"


def test_kenya_asks_what_it_does_not_say(shared: Path) -> None:
    reading = _read(shared, KENYA)
    asked = {question.id for question in reading.questions}
    assert {"crs", "constant-0-7999", "units-mg-l", "units-ug-l", "species-alkalinity"} <= asked
    assert (reading.report.rows_in, reading.report.rows_waiting, reading.report.observations) == (157, 153, 0)
    assert set(reading.quarantine["question_id"].dropna()) <= asked


def test_kenya_with_its_dictionary_asks_about_0_7999_alone(shared: Path) -> None:
    reading = _read(shared, KENYA, sites=DICTIONARY)
    assert [question.id for question in reading.questions] == ["constant-0-7999"]
    assert (reading.report.observations, reading.report.rows_observed) == (11_332 - 5_427, 153)


def test_kenya_answered(shared: Path) -> None:
    reading = _read(shared, KENYA, sites=DICTIONARY, answers={"constant-0-7999": "limit"})
    table, report = reading.observations, reading.report
    assert (report.rows_in, report.rows_observed, report.rows_quarantined) == (157, 153, 4)
    assert (report.observations, report.censored, report.questions) == (11_332, 5_427, [])
    assert list(reading.quarantine.loc[reading.quarantine["column"] == "date", "source_row"]) == [
        36,
        80,
        94,
        148,
    ]
    below = reading.quarantine[reading.quarantine["column"] != "date"]
    assert below["column"].value_counts().to_dict() == {"Al": 61, "P": 56, "Fe": 12}
    first = _one(table, 2, "alkalinity")
    assert (round(first["result"], 3), first["unit"], first["method_speciation"]) == (
        67.122,
        "mg/L",
        "as HCO3",
    )  # type: ignore[call-overload]
    # Arc 1960 lies some 300 m off: without its datum shift the point would be at 39.43963, -4.30787.
    assert _place(first) == pytest.approx((39.440525, -4.310762), abs=1e-5)
    nitrate = _one(table, 6, "nitrate")
    assert nitrate["result"] == pytest.approx(2.776902331890953)
    assert nitrate["method_speciation"] == "as NO3"
    arsenic = _one(table, 6, "arsenic")
    assert (arsenic["censoring"], arsenic["detection_limit"]) == ("<", pytest.approx(0.7999))
    assert _one(table, 6, "delta_18o")["result"] == pytest.approx(-3.300627356927472)
    fluoride = _one(table, 158, "fluoride")
    assert (fluoride["result"], fluoride["unit"]) == (pytest.approx(0.06277027243625581), "mg/L")
    assert report.sites == 71


def test_kenya_mapping_is_reused(shared: Path, tmp_path: Path) -> None:
    first = _read(shared, KENYA, sites=DICTIONARY, answers={"constant-0-7999": "limit"})
    first.mapping.save(tmp_path / "mapping.toml")
    again = _read(shared, KENYA, mapping=tmp_path / "mapping.toml")
    assert again.questions == []
    assert list(again.observations["observation_id"]) == list(first.observations["observation_id"])


def test_dutch_laboratory_long(shared: Path) -> None:
    reading = _read(shared, "groundwater/wadi_mixed_data.xlsx")
    table, report = reading.observations, reading.report
    assert (report.rows_in, report.observations, report.censored, report.layout) == (14, 14, 2, "long")
    aspartame = _one(table, 8)
    assert (aspartame["observed_property"], aspartame["censoring"], aspartame["detection_limit"], aspartame["unit"]) == (
        "aspartame", "<", 0.01, "ug/L")  # fmt: skip
    assert _one(table, 2)["observed_property"] == "bicarbonate"
    assert _one(table, 2)["result"] == 240.0
    iron = _one(table, 4)
    assert (iron["observed_property"], iron["result"], iron["unit"]) == ("iron", 0.42, "mg/L")
    assert (_one(table, 5)["observed_property"], _one(table, 5)["unit"]) == ("pfoa", "ng/L")
    assert (_one(table, 15)["observed_property"], _one(table, 15)["result"]) == ("pfos", 5.0)
    assert set(table["monitoring_location_id"]) == {"upload:SW", "upload:GW"}
    assert table.geometry.isna().all()
    assert report.rows_without_place == 14


def test_dutch_laboratory_wide_with_a_stacked_header(shared: Path) -> None:
    answers = {
        "date-order": "dmy",
        "species-phosphate": "as PO4",
        "species-nitrate": "as NO3",
        "species-ammonium": "as NH4",
        "species-silica": "as SiO2",
        "constant-0-0217365": "real",
        "constant-minus-999": "missing",
        "column-acidity-2": "ignore",
    }
    reading = _read(shared, "groundwater/wadi_messy_data.xlsx", answers=answers)
    table, report = reading.observations, reading.report
    assert report.questions == []
    assert report.rows_observed == 13
    found = table.set_index(["source_row", "observed_property_name"])
    assert found.loc[(14, "Nitrate"), "result"] == 999.0
    assert (found.loc[(14, "Nitrate"), "unit"], found.loc[(14, "Nitrate"), "method_speciation"]) == (
        "ug/L",
        "as N",
    )
    assert (found.loc[(10, "Phosphate"), "censoring"], found.loc[(10, "Phosphate"), "detection_limit"]) == (
        "<",
        1.0,
    )
    assert (found.loc[(12, "Calcium"), "censoring"], found.loc[(12, "Calcium"), "detection_limit"]) == (
        ">",
        1.0,
    )
    assert found.loc[(10, "Electrical Conductivity"), "unit"] == "uS/cm"
    assert found.loc[(10, "Nitrite"), "unit"] == "mmol/L"
    assert str(found.loc[(11, "Sulphate"), "phenomenon_time"])[:10] == "2001-05-02"


def test_usgs_full_phys_chem(shared: Path) -> None:
    reading = _read(shared, "groundwater/usgs_samples_fullphyschem.csv")
    table, report = reading.observations, reading.report
    assert (report.rows_in, report.observations, report.censored, report.sites) == (67, 67, 4, 1)
    assert report.questions == []
    assert report.dialect == "wqx3"
    assert set(table["monitoring_location_id"]) == {"USGS-05406500"}
    assert _place(dict(table.iloc[0])) == pytest.approx((-89.732222, 43.134167), abs=1e-5)
    assert set(table["horizontal_datum"]) == {"NAD83"}
    assert set(table["sampled_medium"]) == {"surface_water"}
    ammonium = table[(table["observed_property"] == "ammonium") & (table["censoring"] == "<")]
    assert set(ammonium["detection_limit"]) <= {0.026, 0.02}
    assert set(ammonium["unit"]) == {"mg/L"}
    nitrite = table[table["observed_property"] == "nitrite"]
    assert set(nitrite["method_speciation"]) == {"as N", "as NO2"}
    first = _one(table, 2)
    assert (first["observed_property"], first["result"], first["unit"]) == ("discharge", 42.0, "[cft_i]/s")
    assert str(first["phenomenon_time"]) == "2023-08-22 13:50:00+00:00"  # 08:50 CDT


# file, rows_in, observations, rows_observed, censored, dialect, questions
CROWD = [
    ("epicollect5_form1.csv", 3, 3, 3, 0, "epicollect5", []),
    ("kobo_labels_en_hxl.csv", 3, 3, 2, 0, "kobo", []),
    ("kobo_xml_hierarchy.csv", 2, 1, 1, 0, "kobo", ["species-nitrate"]),
    ("mapeo_desktop_smart.csv", 1, 0, 0, 0, "mapeo", []),
    ("odk_briefcase.csv", 2, 0, 0, 0, "odk", ["species-nitrate"]),
    ("openaq_explorer_download.csv", 1, 1, 1, 0, "openaq", []),
    ("openaq_upload_template.csv", 1, 1, 1, 0, "openaq", []),
    ("opensensemap_boxes_data.csv", 2, 0, 0, 0, "opensensemap", ["property"]),
    ("opensensemap_single_sensor.csv", 2, 0, 0, 0, "opensensemap", ["column-site", "property"]),
    ("safecast_mclean.csv", 1, 1, 1, 0, "safecast", []),
    ("sensors_africa_archive_long.csv", 2, 2, 2, 0, "sensor_community", []),
    ("ushahidi_export_hxl.csv", 3, 1, 1, 0, "ushahidi", []),
    ("wpdx_basic_socrata.csv", 2, 1, 1, 0, "wpdx", []),
    ("wqp_result_legacy.csv", 3, 3, 3, 2, "wqp_legacy", []),
    ("wqp_result_wqx3.csv", 1, 1, 1, 0, "wqx3", []),
    ("wqp_station.csv", 1, 0, 0, 0, "wqp_legacy", []),
    ("wqx_web_physchem_template.csv", 1, 1, 1, 0, "wqx_web", []),
]


@pytest.mark.parametrize(("name", "rows", "count", "observed", "censored", "dialect", "asked"), CROWD)
def test_crowd_tools(
    shared: Path,
    name: str,
    rows: int,
    count: int,
    observed: int,
    censored: int,
    dialect: str,
    asked: list[str],
) -> None:
    report = _read(shared, f"crowd/{name}").report
    assert (report.rows_in, report.observations, report.rows_observed, report.censored) == (
        rows,
        count,
        observed,
        censored,
    )
    assert report.dialect == dialect
    assert [question.id for question in report.questions] == asked


# file, answers, row, property, result, unit, species, longitude, latitude, time
SPOTS = [
    ("epicollect5_form1.csv", {}, 2, "nitrate", 62.5, "mg/L", "as NO3", 1.178902, 7.204113, "2026-03-04"),
    ("kobo_labels_en_hxl.csv", {}, 3, "nitrate", 62.5, "mg/L", "as NO3", 1.178902, 7.204113, "2026-03-04 07:12:31"),
    ("kobo_labels_en_hxl.csv", {}, 3, "conductance", 1180, "uS/cm", None, 1.178902, 7.204113, "2026-03-04"),
    ("kobo_xml_hierarchy.csv", {"species-nitrate": "as NO3"}, 2, "nitrate", 62.5, "mg/L", "as NO3", 1.178902, 7.204113, "2026-03-04"),
    ("odk_briefcase.csv", {"species-nitrate": "as N"}, 2, "nitrate", 62.5, "mg/L", "as N", 1.178902, 7.204113, "2026-03-04"),
    ("openaq_explorer_download.csv", {}, 2, "pm25", 8.5, "ug/m3", None, 1.178902, 7.204113, "2026-03-04 08:00"),
    ("openaq_upload_template.csv", {}, 2, "co", 3000, "ug/m3", None, 1.178902, 7.204113, "2026-03-04 08:00"),
    ("opensensemap_boxes_data.csv", {"property": "conductance", "unit-electrical-conductivity": "uS/cm"}, 3, "conductance", 1178.5, "uS/cm", None, 1.178902, 7.204113, "2026-03-04 08:05:12"),
    ("safecast_mclean.csv", {}, 2, "count_rate", 31, "{counts}/min", None, 1.178902, 7.204113, "2026-03-04 07:12:31"),
    ("sensors_africa_archive_long.csv", {}, 2, "pm25", 8.5, "ug/m3", None, 1.179, 7.204, "2026-03-04 00:01"),
    ("sensors_africa_archive_long.csv", {}, 3, "air_temperature", 27.3, "Cel", None, 1.179, 7.204, "2026-03-04 00:01"),
    ("ushahidi_export_hxl.csv", {}, 3, "nitrate", 62.5, "mg/L", "as NO3", 1.178902, 7.204113, "2026-03-04 07:20"),
    ("wpdx_basic_socrata.csv", {}, 2, "faecal_coliforms", 12, "{count}/(100.mL)", None, 1.178902, 7.204113, "2026-03-04"),
    ("wqp_result_wqx3.csv", {}, 2, "nitrate", 14.1, "mg/L", "as N", 1.178902, 7.204113, "2026-03-04 14:12"),
    ("excel_resaved_us_bom_SYNTHETIC.csv", {"species-nitrate": "as NO3", "swapped-coordinates": "swap"}, 2, "nitrate", 62.5, "[ppm]", "as NO3", 1.178902, 7.204113, "2026-04-03"),
]  # fmt: skip


@pytest.mark.parametrize("spot", SPOTS, ids=lambda spot: f"{spot[0]}-{spot[3]}")
def test_spots_of_crowd_tools(shared: Path, spot: tuple[object, ...]) -> None:
    name, answers, row, key, result, unit, species, longitude, latitude, time = spot
    reading = _read(shared, f"crowd/{name}", answers=answers)
    assert reading.questions == []
    found = _one(reading.observations, int(row), str(key))  # type: ignore[call-overload]
    assert (found["result"], found["unit"]) == (result, unit)
    assert found["method_speciation"] == species or (
        species is None and found["method_speciation"] != found["method_speciation"]
    )
    assert _place(found) == pytest.approx((longitude, latitude), abs=1e-5)
    assert str(found["phenomenon_time"]).startswith(str(time))


def test_wqp_legacy_takes_places_from_the_station_table(shared: Path) -> None:
    assert is_site_table(shared / "samples/crowd/wqp_station.csv")
    assert not is_site_table(shared / "samples/crowd/wqp_result_legacy.csv")
    reading = _read(shared, "crowd/wqp_result_legacy.csv", sites="crowd/wqp_station.csv")
    table = reading.observations
    assert [tuple(map(lambda v: round(v, 5), _place(dict(row)))) for _, row in table.iterrows()] == [
        (1.1789, 7.20411)
    ] * 3
    assert set(table["monitoring_location_name"]) == {"SYNTH Well A"}
    arsenic = _one(table, 3)
    assert (arsenic["censoring"], arsenic["detection_limit"], arsenic["unit"]) == ("<", 1.0, "ug/L")
    assert (_one(table, 4)["censoring"], _one(table, 4)["detection_limit"]) == ("<", 1200.0)
    assert _one(table, 2)["method_speciation"] == "as N"
    assert str(_one(table, 2)["phenomenon_time"]) == "2026-03-04 14:12:00+00:00"  # 08:12 CST


def test_excel_with_every_bad_habit(shared: Path) -> None:
    name = "crowd/excel_resaved_us_bom_SYNTHETIC.csv"
    open_ = _read(shared, name)
    assert {question.id for question in open_.questions} == {"species-nitrate", "swapped-coordinates"}
    assert open_.report.rows_waiting == 4
    reading = _read(shared, name, answers={"species-nitrate": "as NO3", "swapped-coordinates": "swap"})
    table, report = reading.observations, reading.report
    assert (report.rows_in, report.observations, report.rows_quarantined, report.censored) == (5, 4, 1, 1)
    assert _place(_one(table, 3)) == pytest.approx((1.1702, 7.2139), abs=1e-5)
    assert _one(table, 3)["censoring"] == "<"
    assert _one(table, 4)["geometry"] is None
    assert _one(table, 4)["result"] == 12.5
    assert str(_one(table, 3)["phenomenon_time"]).startswith("2026-03-04")  # settled by 13/3/2026
    assert _one(table, 5)["replicate"] == "2"  # the row repeated within the file
    lines = reading.quarantine.set_index("source_row")
    assert "zero" in lines.loc[6, "reason"]
    assert "0, 0" in lines.loc[4, "reason"]


@pytest.mark.parametrize("name", ["kobo_labels_en_hxl.csv", "ushahidi_export_hxl.csv", "safecast_mclean.csv"])
def test_people_are_left_out(shared: Path, name: str) -> None:
    reading = _read(shared, f"crowd/{name}")
    everything = reading.observations.to_csv() + reading.quarantine.to_csv() + reading.report.to_json()
    for secret in ("synth_volunteer_1", "+000000000"):
        assert secret not in everything
    assert "_submitted_by" not in reading.quarantine.columns


def test_our_own_export_comes_back_the_same(shared: Path, tmp_path: Path) -> None:
    from situation.observation import flat

    first = _read(shared, "groundwater/usgs_samples_fullphyschem.csv")
    table = flat(first.observations)
    table["longitude"], table["latitude"] = table["longitude"], table["latitude"]
    table.to_csv(tmp_path / "observations.csv", index=False)
    again = read(tmp_path / "observations.csv")
    assert again.report.dialect == "commonsight"
    assert again.report.rows_quarantined == 0
    back = flat(again.observations)
    for column in table.columns:
        assert list(back[column].astype("str")) == list(table[column].astype("str")), column


def test_report_survives_json(shared: Path) -> None:
    import json

    from sensors.field_file import Report

    report = _read(shared, KENYA).report
    assert Report.from_data(json.loads(report.to_json())) == report
    assert dataclasses.replace(report, rows_in=1).rows_in == 1
