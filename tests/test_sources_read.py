"""What each source's answers say: traps in answers written by hand, facts counted by hand in recorded ones."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pandas as pd
import pytest

from sensors.forms import find, read_form, readings
from sensors.sensor import Body
from sensors.sources import available, kobo, odk, safecast
from sensors.sources.openaq import licences_of
from situation.errors import DataFileError, IncompleteResponse, SchemaDrift, SourceUnavailable
from tests.bodies_kit import Reading, bodies, by_hand, made, read, recorded


def _reasons(reading: Reading) -> Counter[str]:
    return Counter(reading.quarantine["reason"])


# --- Hub'Eau: analyses -----------------------------------------------------------------------------


def test_hubeau_below_the_limit_the_limit_stands_in_the_value_field() -> None:
    reading = by_hand("hubeau_qualite")
    below = reading.one(result_text="0.5")
    assert (below["censoring"], below["result"], below["detection_limit"]) == ("<", None, 0.5)
    assert (below["detection_condition"], below["unit"]) == ("below_quantification", "mg/L")
    assert (below["method_speciation"], below["observed_property_code"]) == ("as NO3", "sandre:1340")
    good = reading.one(result_text="52.10")
    assert (good["censoring"], good["result"], good["result_status"]) == ("=", 52.1, "approved")
    assert good["monitoring_location_id"] == "bss:BSS000TEST"


@pytest.mark.parametrize(
    ("day", "text", "censoring", "limit", "condition"),
    [
        ("2024-03-07", "0.1", "<", 0.1, "below_detection"),
        ("2024-03-08", "0.1", "<", 0.5, "trace"),  # between both limits: below the upper one
        ("2024-03-09", "200", ">", 200.0, "above_range"),
        ("2024-03-11", "1", "text", None, "present_or_absent"),  # the 1 is a code and no concentration
    ],
)
def test_hubeau_remark_codes(
    day: str, text: str, censoring: str, limit: float | None, condition: str
) -> None:
    table = by_hand("hubeau_qualite").observations
    row = table[table["phenomenon_time"].dt.strftime("%Y-%m-%d") == day].iloc[0]
    assert (row["result_text"], row["censoring"], row["detection_condition"]) == (text, censoring, condition)
    assert pd.isna(row["result"])
    assert row["detection_limit"] == limit or (limit is None and pd.isna(row["detection_limit"]))


def test_hubeau_not_analysed_and_the_year_16_are_told_and_not_kept() -> None:
    reading = by_hand("hubeau_qualite")
    assert reading.report.rows_in == 11
    assert _reasons(reading) == {
        "The source reports no result for this row.": 1,
        "the date lies before 1900": 1,
    }


def test_hubeau_quality_midnight_and_a_well_without_its_new_name() -> None:
    reading = by_hand("hubeau_qualite")
    uncertain = reading.one(result_text="12")
    assert (uncertain["result_status"], uncertain["quality_flag"]) == ("suspect", 3)
    assert uncertain["phenomenon_time_precision"] == "day"  # midnight is no time known
    wrong = reading.one(result_text="61")
    assert (wrong["result_status"], wrong["quality_flag"]) == ("rejected", 4)
    assert wrong["monitoring_location_id"] == "bss:00001X0001/TEST"


def test_hubeau_recorded_analyses() -> None:
    reading = read("hubeau_qualite", [recorded("hubeau/qualite_nappes_analyses_transcribed_trimmed.json")])
    table = reading.observations
    assert len(table) == 2
    assert list(table["censoring"]) == ["<", "<"]
    assert list(table["detection_limit"]) == [0.02, 0.025]
    assert list(table["result_text"]) == ["0.02", "0.025"]
    assert set(table["observed_property"]) == {"glyphosate"}
    assert set(table["observed_property_code"]) == {"sandre:1506"}
    assert set(table["monitoring_location_id"]) == {"bss:BSS000TUCB"}
    assert (table.loc[0, "longitude"], table.loc[0, "latitude"]) == (1.0258147222914746, 48.45026104844603)
    assert list(table["horizontal_accuracy_m"]) == [18.0, 18.0]
    assert list(table["phenomenon_time"].astype(str)) == [
        "2021-02-08 09:30:00+00:00",
        "2021-05-12 09:05:00+00:00",
    ]


def test_hubeau_the_silent_outage_is_an_answer_without_rows() -> None:
    body = recorded("hubeau/qualite_nappes_silent_empty_200.json")
    assert list(available()["hubeau_qualite"].parse([body])) == []  # type: ignore[misc]


# --- Hub'Eau: levels -------------------------------------------------------------------------------


def test_hubeau_levels_are_two_properties_of_one_well() -> None:
    table = by_hand("hubeau_niveaux").observations
    level = table[table["observed_property"] == "groundwater_level"]
    depth = table[table["observed_property"] == "depth_to_groundwater"]
    assert list(level["result_text"]) == ["101.20", "100.90"]
    assert list(depth["result_text"]) == ["18.80", "18.85", "-0.10"]  # an artesian well stands above ground
    assert set(table["unit"]) == {"m"}
    assert set(table["monitoring_location_id"]) == {"bss:BSS000TEST"}
    assert list(depth["result_status"]) == ["approved", "provisional", "suspect"]
    assert table["phenomenon_time"].iloc[0] == pd.Timestamp("2024-03-05 08:00", tz="UTC")


def test_hubeau_recorded_stations_and_level() -> None:
    said = recorded("hubeau/niveaux_nappes_station_and_chronique_transcribed.json").json()
    station = made({"count": 1, "data": [said["stations_row"]]}, kind="stations")
    level = made({"count": 1, "data": [said["chroniques_row"]]})
    reading = read("hubeau_niveaux", [station, level])
    high = reading.one(observed_property="groundwater_level")
    deep = reading.one(observed_property="depth_to_groundwater")
    assert (high["result"], deep["result"], high["unit"]) == (139.51, 4.37, "m")
    assert (high["longitude"], high["latitude"]) == (3.794037727, 50.109494526)
    assert high["phenomenon_time"] == pd.Timestamp("2022-09-14 07:00", tz="UTC")
    assert high["result_status"] == "approved"
    sixteen = recorded("hubeau/niveaux_nappes_stations_GG063_from_rdata.json", kind="stations")
    from sensors.sources.hubeau_niveaux import stations_of

    found = stations_of([sixteen])
    assert len(found) == 16
    assert found["05905X0047/F2"]["bss_id"] == "BSS001NTMY"


# --- SensorThings ----------------------------------------------------------------------------------


def test_sensorthings_joins_thing_place_and_datastream_and_takes_both_forms_of_a_page() -> None:
    reading = by_hand("sensorthings")
    assert (reading.report.rows_in, reading.report.observations) == (4, 2)
    level = reading.one(result_text="12.50")
    assert (level["unit"], level["observed_property"], level["monitoring_location_name"]) == (
        "m",
        "groundwater_level",
        "TB01",
    )
    assert (level["longitude"], level["latitude"]) == (-1.2, 53.1)
    assert (level["licence"], level["result_status"]) == ("Contains test materials 2026", "approved")
    assert level["sample_id"] == "101"
    during = reading.one(result_text="12.55")  # an interval: told at its beginning
    assert during["phenomenon_time"] == pd.Timestamp("2024-03-05 11:00", tz="UTC")
    assert _reasons(reading) == {
        "The cell says that there is no result.": 1,
        "The cell holds words and no result.": 1,
    }


def test_sensorthings_recorded_page() -> None:
    page = recorded("sensorthings_bgs/Datastream1_Observations_2023_page.json")
    alone = read("sensorthings", [page])
    assert list(alone.observations["result_text"]) == ["1009.86", "1008.17", "1005.7"]
    assert list(alone.observations["sample_id"]) == ["211806310", "211806499", "211807147"]
    assert set(alone.observations["observed_property_name"]) == {"Datastream 1"}  # nothing is guessed
    assert alone.observations["observed_property"].isna().all()
    stream = {
        "@iot.id": 1,
        "name": "Test barometer",
        "unitOfMeasurement": {"name": "millibar", "symbol": "mbar", "definition": "ucum:mbar"},
        "ObservedProperty": {"name": "Barometric pressure"},
        "Thing": {"@iot.id": 3, "name": "GGA01"},
    }
    joined = read("sensorthings", [made({"value": [stream]}), page])
    assert set(joined.observations["observed_property"]) == {"barometric_pressure"}
    assert set(joined.observations["unit"]) == {"hPa"}
    assert set(joined.observations["result_status"]) == {"approved"}


# --- OpenAQ ----------------------------------------------------------------------------------------


def test_openaq_stand_ins_nulls_and_flags() -> None:
    reading = by_hand("openaq")
    assert _reasons(reading) == {
        "The number stands for “no value”.": 2,  # -9999 and 9999
        "The cell says that there is no result.": 1,
    }
    assert reading.one(result_text="31.0")["result_status"] == "suspect"  # flagged, and kept
    good = reading.one(result_text="12.50")
    assert (good["observation_id"], good["unit"]) == ("openaq:501/2024-03-05T00:00:00Z", "ug/m3")
    assert good["phenomenon_time_precision"] == "second"  # midnight is a time here


def test_openaq_a_dead_sensor_keeps_its_old_time_and_a_gas_its_unit() -> None:
    old = by_hand("openaq").one(result_text="0.0310")
    assert old["phenomenon_time"] == pd.Timestamp("2016-05-01 12:00", tz="UTC")
    assert (old["observed_property"], old["unit"]) == ("o3", "[ppm]")  # not turned into µg/m³
    assert old["licence"] == "CC BY 4.0"  # as it held in 2016


def test_openaq_a_licence_holds_for_its_time_and_none_is_not_guessed() -> None:
    reading = by_hand("openaq")
    assert reading.one(result_text="12.50")["licence"] == "ODC-BY"
    assert "Jane Example" not in reading.cells.to_csv()
    without = made({"meta": {}, "results": [{**bodies("openaq")[0].json()["results"][0], "licenses": None}]})
    unknown = read("openaq", [without, *bodies("openaq")[1:]])
    assert set(unknown.observations["licence"]) == {"unknown (ask the provider)"}
    assert licences_of({"licenses": [{"name": "A", "dateFrom": "2030-01-01"}]}, "2024-01-01")[0] == "A"


def test_openaq_recorded_measurements() -> None:
    locations = recorded("openaq/py_locations.json")
    page = recorded("openaq/measurements_1000.json", about={"sensor": "3920"})
    reading = read("openaq", [locations, page])
    assert reading.report.rows_in == 1000
    assert _reasons(reading) == {"The cell says that there is no result.": 150}
    assert Counter(reading.observations["result_status"]) == {"unknown": 780, "suspect": 70}
    assert set(reading.observations["monitoring_location_id"]) == {"openaq:2178"}
    assert reading.cells["flagInfo.hasFlags"].eq("true").sum() == 220


def test_openaq_recorded_locations() -> None:
    rows = recorded("openaq/locations_1000.json").json()["results"]
    licences = [licences_of(row, "2026-09-01")[0] for row in rows]
    assert len(rows) == 1000
    assert licences.count("") == 225


# --- Environment Agency ----------------------------------------------------------------------------


def test_ea_signs_and_words_in_the_place_of_numbers() -> None:
    reading = by_hand("ea_water_quality")
    below, above = reading.one(result_text="<0.004"), reading.one(result_text=">2000")
    assert (below["censoring"], below["detection_limit"], below["method_speciation"]) == ("<", 0.004, "as N")
    assert (above["censoring"], above["detection_limit"], above["unit"]) == (">", 2000.0, "uS/cm")
    dry = reading.one(censoring="text")
    assert (dry["result_text"], dry["detection_condition"]) == (
        "No flow/discharge at sampling point",
        "no_flow_or_dry",
    )
    assert dry["sampled_medium"] == "surface_water"


def test_ea_local_time_and_zeros_in_front() -> None:
    ph = by_hand("ea_water_quality").one(observed_property="ph")
    assert ph["phenomenon_time"] == pd.Timestamp("2024-07-05 10:35", tz="UTC")  # British summer time
    assert (ph["time_zone_source"], ph["observed_property_code"]) == ("documented", "ea:0061")


def test_ea_recorded_observations() -> None:
    reading = read("ea_water_quality", [recorded("uk_ea_water_quality/data_observation_2026-06-22.csv")])
    table = reading.observations
    assert reading.report.rows_in == len(table) == 3650
    assert Counter(table["censoring"]) == {"=": 2290, "<": 1188, ">": 15, "text": 157}
    assert Counter(table["sampled_medium"])["groundwater"] == 570
    assert len(reading.quarantine) == 0
    assert table["unit"].isna().sum() == 166  # coded results and counts a year have none
    names = {row["prefLabel"] for row in recorded("uk_ea_water_quality/codelist_determinand.json").json()}
    assert len(recorded("uk_ea_water_quality/codelist_determinand.json").json()) == 8077
    assert set(table["observed_property_name"]) <= names


def test_ea_hydrology_reads_groundwater_and_never_the_river_beside_it() -> None:
    reading = by_hand("ea_hydrology")
    assert list(reading.observations["result_text"]) == ["51.250", "60"]
    assert set(reading.observations["observed_property"]) == {"groundwater_level"}
    assert list(reading.observations["result_status"]) == ["approved", "suspect"]
    assert set(reading.observations["monitoring_location_name"]) == {"Test well"}
    assert _reasons(reading) == {"The cell says that there is no result.": 1}  # "Missing"
    from sensors.sources.ea_hydrology import measures_of

    river = {"measures": {"@id": "http://x/id/measures/te1-level-i-900-mAOD-qualified"}}
    assert measures_of(river) == []


# --- field forms -----------------------------------------------------------------------------------

PERSONAL = ("Ann Example", "Bea Example", "7946", "submitterName", "_submitted_by", "collect:abc", "bob")


@pytest.mark.parametrize(("key", "module"), [("kobo", kobo), ("odk", odk)])
def test_people_are_dropped_before_anything_is_kept(key: str, module: Any) -> None:
    form_body, page = bodies(key)
    form = read_form(form_body.text(), form_body.name)
    assert any(word in page.text() for word in PERSONAL)
    cleaned = module.clean(page, form)
    reading = read(key, [form_body, cleaned])
    for text in (
        cleaned.text(),
        reading.cells.to_csv(),
        reading.quarantine.to_csv(),
        reading.observations.to_csv(),
    ):
        assert [word for word in PERSONAL if word in text] == []
    assert cleaned.sha256 != page.sha256
    direct = read(key, [form_body, page])
    assert sorted(direct.observations["observation_id"]) == sorted(reading.observations["observation_id"])


def test_kobo_points_are_latitude_first_and_odk_points_longitude_first() -> None:
    first = by_hand("kobo").one(observation_id="kobo:aTest/1/test/nitrate")
    second = by_hand("odk").one(observation_id="odk:uuid:1/test/nitrate")
    for row in (first, second):
        assert (row["longitude"], row["latitude"], row["horizontal_accuracy_m"]) == (-0.12, 51.5, 4.5)
        assert (row["censoring"], row["detection_limit"], row["unit"]) == ("<", 10.0, "mg/L")
        assert (row["result_text"], row["result_qualifier"]) == ("<10", "none")
        assert (row["monitoring_location_type"], row["procedure_class"]) == ("household_well", "strip")
        assert row["phenomenon_time"] == pd.Timestamp("2024-03-05 08:30", tz="UTC")
        assert (row["licence"], row["attribution"]) == ("CC0-1.0", "Test volunteers")


def test_what_the_server_rejected_or_deleted_says_so() -> None:
    rejected = by_hand("kobo").observations
    assert dict(zip(rejected["sample_id"], rejected["result_status"], strict=True)) == {
        "1": "unknown",
        "2": "rejected",
    }
    deleted = by_hand("odk").observations
    assert dict(zip(deleted["sample_id"], deleted["result_status"], strict=True)) == {
        "uuid:1": "approved",
        "uuid:2": "rejected",
    }


def test_of_several_wells_in_one_submission_none_stands_for_the_others() -> None:
    form = read_form(bodies("kobo")[0].text(), "form")
    wells = [
        {"well/name": "A", "well/point": "51 0 0 0"},
        {"well/name": "B", "well/point": "52 0 0 0"},
    ]
    tests = [{"test/nitrate": "5"}, {"test/nitrate": "90"}]
    record = {"well": wells, "test": tests, "_geolocation": ["51", "0"], "visit": "2024-03-05T09:30:00+01:00"}
    rows = list(readings(record, form, "kobo:a/1"))
    assert [(row["value"], row["site"], row["time"][:10]) for row in rows] == [
        ("5", "", "2024-03-05"),
        ("90", "", "2024-03-05"),
    ]
    assert set(kobo.place_of(record, form).values()) == {""}
    same = {"well": [wells[0], wells[0]], "test": tests}
    assert {row["site"] for row in readings(same, form, "kobo:a/1")} == {"A"}
    assert kobo.place_of(same, form)["place.latitude"] == "51"


def test_two_submissions_without_a_number_are_two_readings() -> None:
    form = bodies("kobo")[0]
    records = [
        {
            "_uuid": text,
            "well/name": "A",
            "well/point": "51 0 0 0",
            "visit": f"2024-03-0{day}",
            "test/ph": "7",
        }
        for day, text in ((1, "u1"), (2, ""), (3, ""))
    ]
    page = Body("1", json.dumps({"results": records}).encode())
    found = read("kobo", [form, page]).observations
    assert len(set(found["observation_id"])) == len(found) == 3


def test_a_group_that_is_repeated_gives_a_reading_each_time() -> None:
    ids = set(by_hand("odk").observations["observation_id"])
    assert {"odk:uuid:1/test/nitrate", "odk:uuid:1/test/nitrate#2", "odk:uuid:1/test/ph"} <= ids
    assert find({"a": [{"a/b": [1]}]}, "a/b") == [1]


def test_a_submission_without_a_measured_answer_is_accounted_for() -> None:
    reading = by_hand("kobo")
    assert (reading.report.rows_in, reading.report.observations) == (5, 4)
    assert _reasons(reading) == {"The cell says that there is no result.": 1}


@pytest.mark.parametrize("name", ["data_geodata.json", "data_query_limit1_with_next.json"])
def test_kobo_recorded_answers(name: str) -> None:
    page = recorded(f"kobotoolbox/{name}")
    text = 'server = "kobo"\nasset = "a"\nplace = "point"\n[questions."pet_yesno"]\nproperty = "ph"\n'
    form = read_form(text, "pets")
    record = page.json(verbatim=True)["results"][0]
    place = kobo.place_of(record, form)
    expected = ("14.719783", "-17.459261") if "geodata" in name else ("", "")  # [null, null]
    assert (place["place.latitude"], place["place.longitude"]) == expected
    cleaned = kobo.clean(page, form).text()
    for personal in ("Ahmad", "full_name", "Jardin", "instanceID"):
        assert personal not in cleaned
    assert json.loads(cleaned)["results"][0]["_id"] == str(page.json()["results"][0]["_id"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("server =", "is not TOML"),
        ('server = "xls"', "server takes one of"),
        ('server = "kobo"\nwhat = 1', "nothing is known of what"),
        ('server = "kobo"\nasset = "../x"', "needs asset"),
        ('server = "odk"\nform = "f"', "needs project"),
        ('server = "kobo"\nasset = "a"', "needs a [questions"),
        ('server = "kobo"\nasset = "a"\n[questions."n"]\nproperty = "gold_dust"', "no property 'gold_dust'"),
        (
            'server = "kobo"\nasset = "a"\n[questions."n"]\nproperty = "nitrate"\nunit = "mg/L"',
            "needs species",
        ),
        (
            'server = "kobo"\nasset = "a"\n[questions."n"]\nproperty = "iron"\nunit = "spoons"',
            "cannot be read",
        ),
    ],
)
def test_a_wrong_form_is_a_sentence(text: str, said: str) -> None:
    with pytest.raises(DataFileError, match=said.replace("[", r"\[")):
        read_form(text, "test")


def test_the_example_form_is_right() -> None:
    from situation.topic import FOLDER

    text = (FOLDER / "groundwater" / "forms" / "well_test.toml.example").read_text("utf-8")
    assert {item.property for item in read_form(text, "well_test").items} == {"nitrate", "ph"}


# --- citizens' sensors -----------------------------------------------------------------------------


def test_sensor_community_without_units_and_with_a_gps_among_the_values() -> None:
    reading = by_hand("sensor_community")
    assert list(reading.cells["value_type"]) == ["P1", "P2", "pressure"]
    dust = reading.one(result_text="12.50")
    assert (dust["observed_property"], dust["unit"], dust["horizontal_accuracy_m"]) == (
        "pm10",
        "ug/m3",
        100.0,
    )
    assert (dust["phenomenon_time"], dust["time_zone_source"]) == (
        pd.Timestamp("2024-03-05 10:00", tz="UTC"),
        "documented",
    )
    indoors = reading.one(result_text="98012.5")
    assert (indoors["unit"], indoors["sampled_medium"]) == ("Pa", "unknown")  # not the air outside
    assert len(reading.quarantine) == 1  # "nan"


def test_opensensemap_one_title_in_two_units_and_what_is_not_plain_stays_unmapped() -> None:
    reading = by_hand("opensensemap")
    table = reading.observations
    assert list(table["unit"].fillna("")) == ["hPa", "Pa", ""]
    assert table["observed_property"].isna().sum() == 1
    assert table["phenomenon_time"].dt.year.tolist() == [2024, 2019, 2024]  # a dead sensor keeps its time


def test_opensensemap_recorded_box() -> None:
    table = read("opensensemap", [recorded("opensensemap/box_6107df25c4aab8001b94e043.json")]).observations
    assert dict(zip(table["observed_property"], table["result_text"], strict=True)) == {
        "air_temperature": "4.9",
        "humidity": "100",
        "barometric_pressure": "1000.8",
        "illuminance": "350",
        "uv_irradiance": "11",
        "pm10": "39.3",
        "pm25": "11.4",
    }
    assert set(zip(table["longitude"], table["latitude"], strict=True)) == {(7.631133, 51.962788)}


def test_safecast_counts_stay_counts_and_month_nought_is_told() -> None:
    reading = by_hand("safecast")
    assert set(reading.observations["observed_property"]) == {"count_rate"}
    assert set(reading.observations["unit"]) == {"{counts}/min"}
    assert _reasons(reading) == {"2012-00-00 is not a day of the calendar": 1}
    people = made([{"id": 1, "value": 3, "unit": "cpm", "user_id": 17, "contact_email": "a@example.org",
                    "ip": "192.0.2.1", "captured_at": "2024-01-01T00:00:00Z"}])  # fmt: skip
    assert set(safecast.clean(people).json()[0]) == {"id", "value", "unit", "captured_at"}


def test_safecast_recorded_row() -> None:
    table = read("safecast", [recorded("safecast/measurements_tokyo_2011_one_row.json")]).observations
    assert (table.loc[0, "result"], table.loc[0, "unit"]) == (41.0, "{counts}/min")
    assert table.loc[0, "observation_id"] == "safecast:13313804"


def test_waterbase_below_the_limit_the_limit_stands_in_the_value_field() -> None:
    reading = by_hand("eea_waterbase")
    below = reading.one(result_text="0.5")
    assert (below["censoring"], below["detection_limit"], below["method_speciation"]) == ("<", 0.5, "as NO3")
    assert below["sampled_medium"] == "groundwater"


# --- events ----------------------------------------------------------------------------------------


def test_recorded_earthquakes_and_what_is_none() -> None:
    reading = read("usgs_earthquakes", [recorded("usgs_earthquakes/all_week_2018-02-07.geojson")])
    table = reading.observations
    assert len(table) == 1707
    assert (table["observed_property"] == "earthquake_magnitude").sum() == 1679
    assert Counter(table["observed_property_name"]) == {
        "earthquake": 1679,
        "explosion": 15,
        "quarry blast": 13,
    }
    assert (table["result_status"] == "provisional").sum() == 493
    assert (table["result"] < 0).sum() == 44


def test_recorded_disaster_alerts() -> None:
    body = recorded("gdacs/rss_2019-12-30.xml")
    assert body.read().startswith(b"\xef\xbb\xbf")
    table = read("gdacs", [body]).observations
    assert len(table) == 16
    assert Counter(table["result_qualifier"]) == {"Green": 8, "Orange": 8}
    first = table[table["observation_id"] == "gdacs:TC1000643/1"].iloc[0]
    assert (first["longitude"], first["latitude"], first["result"]) == (59.8, -19.4, 1.0)


def test_an_alert_without_geo_point_takes_latitude_first() -> None:
    table = by_hand("gdacs").observations
    assert list(zip(table["latitude"], table["longitude"], strict=True)) == [(-19.4, 59.8), (10.5, 20.25)]


# --- answers that are none -------------------------------------------------------------------------

ENVELOPES = {
    "hubeau_qualite": "data",
    "hubeau_niveaux": "data",
    "sensorthings": "value",
    "openaq": "results",
    "ea_hydrology": "items",
    "kobo": "results",
    "odk": "value",
    "eea_waterbase": "results",
    "usgs_earthquakes": "features",
}


@pytest.mark.parametrize("key", sorted(ENVELOPES))
def test_an_error_in_an_answer_200_never_looks_like_no_data(key: str) -> None:
    parse = available()[key].parse
    assert parse is not None
    name = ENVELOPES[key]
    with pytest.raises(SourceUnavailable, match="too slow"):
        list(parse([made({name: [], "errors": [{"error": "the query was too slow"}]})]))
    with pytest.raises(SchemaDrift):
        list(parse([made({"something": "else"})]))
    with pytest.raises(IncompleteResponse):
        list(parse([Body("cut", b'{"' + name.encode() + b'": [{"a": 1}')]))
    assert list(parse([made({name: []})])) == []
    assert list(parse([Body("nothing", b"")])) == []


@pytest.mark.parametrize(
    "key", sorted(set(ENVELOPES) - {"sensorthings", "ea_hydrology", "openaq", "hubeau_niveaux"})
)
def test_rows_without_any_of_our_fields_are_no_rows_of_ours(key: str) -> None:
    parse = available()[key].parse
    assert parse is not None
    with pytest.raises(SchemaDrift):
        list(parse([made({ENVELOPES[key]: [{"renamed": 1}]})]))


def test_numbers_are_kept_as_they_were_written() -> None:
    body = Body("1", b'[{"id": 1, "value": 0.500, "unit": "cpm", "captured_at": "2024-03-05T10:00:00Z", '
                     b'"latitude": 1.0, "longitude": 2.0, "device_id": null}]')  # fmt: skip
    assert read("safecast", [body]).observations.loc[0, "result_text"] == "0.500"


# --- rivers ----------------------------------------------------------------------------------------


def test_hubeau_hydrometrie_has_units_that_no_field_says() -> None:
    reading = by_hand("hubeau_hydrometrie")
    level, flow = reading.one(observed_property="gage_height"), reading.one(observed_property="discharge")
    assert (level["result"], level["unit"], level["result_status"]) == (910.0, "mm", "provisional")
    assert (flow["result"], flow["unit"], flow["result_status"]) == (648660.0, "L/s", "suspect")
    assert flow["phenomenon_time_precision"] == "day"


def test_hubeau_hydrometrie_recorded() -> None:
    names = ("hydrometrie_station_F700000102", "hydrometrie_obs_F700000102_H", "hydrometrie_daily_V100001001")
    reading = read("hubeau_hydrometrie", [recorded(f"hubeau/{name}.json") for name in names])
    assert len(reading.observations) == 11
    level = reading.one(observed_property="gage_height")
    assert (level["result_text"], level["unit"]) == ("910.0", "mm")
    assert level["monitoring_location_name"].startswith("La Seine à Paris")
    daily = reading.observations[reading.observations["observed_property"] == "discharge"]
    assert len(daily) == 10
    assert daily["result_text"].iloc[0] == "648660.0"


def test_ea_flood_takes_one_or_several_and_no_height_above_the_sea_for_a_gauge() -> None:
    reading = by_hand("ea_flood")
    table = reading.observations
    assert list(table["observed_property"].fillna("")) == [
        "gage_height",
        "discharge",
        "groundwater_level",
        "",
    ]
    assert list(table["sampled_medium"]) == ["surface_water", "surface_water", "groundwater", "surface_water"]
    assert list(table["result_text"]) == ["2.187", "4.743", "45.5", "31.2"]  # an address is no reading


def test_ea_flood_recorded_stations() -> None:
    one = read("ea_flood", [recorded("uk_ea_flood_monitoring/ea_station_E21136.json")]).observations
    assert (one.loc[0, "observed_property"], one.loc[0, "unit"]) == ("gage_height", "m")
    several = read("ea_flood", [recorded("uk_ea_flood_monitoring/ea_station_2604TH.json")]).observations
    assert dict(zip(several["observed_property"], several["result"], strict=True)) == {
        "discharge": 4.743,
        "gage_height": 2.187,
    }
    old = read("ea_flood", [recorded("uk_ea_flood_monitoring/station_1491TH_2020.json")]).observations
    assert 1.877 in set(old["result"])
    assert old["phenomenon_time"].max() == pd.Timestamp("2020-02-17 20:00", tz="UTC")
