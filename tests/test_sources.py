"""The contract that every source keeps, those that are here and those that will be."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from sensors.dialects import dialects
from sensors.sensor import Sensor
from sensors.sources import available
from situation.observation import ARROW, to_arrow
from situation.properties import PROPERTIES
from tests.bodies_kit import BODIES, bodies, by_hand, read

SOURCES = sorted(available())
every_source = pytest.mark.parametrize("key", SOURCES)


def test_the_sources_of_the_issue_are_there() -> None:
    assert set(SOURCES) >= {
        "usgs_water", "usgs_samples", "wqp", "hubeau_qualite", "hubeau_niveaux", "ea_water_quality",
        "ea_hydrology", "sensorthings", "openaq", "sensor_community", "opensensemap", "safecast",
        "eea_waterbase", "usgs_earthquakes", "gdacs", "kobo", "odk", "ea_flood", "hubeau_hydrometrie",
    }  # fmt: skip


@every_source
def test_a_source_says_who_it_is(key: str) -> None:
    sensor: Sensor = available()[key]
    assert sensor.key == key
    assert sensor.homepage.startswith("https://")
    assert len(sensor.title) > 5
    for text in (sensor.licence, sensor.attribution, sensor.limits, sensor.evidence):
        assert text.strip()
    assert sensor.limits.endswith(".")
    assert sensor.evidence.endswith(".")
    assert sensor.dialect in dialects()
    assert set(sensor.properties) <= set(PROPERTIES)
    assert sensor.base_url == "" or sensor.base_url.startswith("https://")
    assert sensor.pause_s >= 1.0
    assert sensor.recorded != ("no answer was recorded" in sensor.evidence)


@every_source
def test_a_source_has_an_answer_written_by_hand(key: str) -> None:
    assert (BODIES / key).is_dir(), f"tests/bodies/{key} is missing: every source needs a small answer there"
    assert bodies(key)


@every_source
def test_observations_have_the_columns_and_types_of_all(key: str) -> None:
    table = by_hand(key).observations
    assert len(table)
    assert list(table.columns) == ARROW.names
    assert to_arrow(table).schema.equals(ARROW)


@every_source
def test_every_row_is_accounted_for_and_nobody_is_asked(key: str) -> None:
    report = by_hand(key).report
    assert report.rows_in == report.rows_observed + report.rows_quarantined + report.rows_waiting
    assert report.rows_in == len(by_hand(key).cells)
    assert report.rows_waiting == 0
    assert report.questions == []
    assert len(by_hand(key).quarantine) == report.cells_quarantined
    assert by_hand(key).quarantine["reason"].str.len().gt(10).all()


@every_source
def test_no_number_stands_on_a_censored_row_and_no_text_is_lost(key: str) -> None:
    table = by_hand(key).observations
    assert table.loc[table["censoring"] != "=", "result"].isna().all()
    assert table.loc[table["censoring"] == "=", "result"].notna().all()
    assert table["result_text"].str.len().gt(0).all()
    written = Counter(str(cell) for column in by_hand(key).cells for cell in by_hand(key).cells[column])
    lost = [text for text in table["result_text"] if text not in written]
    assert lost == []


@every_source
def test_places_are_degrees_and_every_row_says_whose_it_is(key: str) -> None:
    table = by_hand(key).observations
    placed = table.dropna(subset=["longitude", "latitude"])
    assert len(placed) == len(table)
    assert placed["longitude"].between(-180, 180).all()
    assert placed["latitude"].between(-90, 90).all()
    assert table["licence"].str.len().gt(2).all()
    assert table["attribution"].ne("unknown").all()
    assert (table["source_id"] == key).all()


@every_source
def test_answers_that_come_twice_give_no_reading_twice(key: str) -> None:
    once = by_hand(key).observations
    twice = read(key, [*bodies(key), *bodies(key)]).observations
    assert sorted(twice["observation_id"]) == sorted(once["observation_id"])
    assert once["observation_id"].is_unique


@every_source
def test_a_source_names_its_licence_as_people_know_it(key: str) -> None:
    assert not re.search(r"(?i)todo|fixme|example\.org", available()[key].licence)
