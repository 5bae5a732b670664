"""The table of observations: what fills a column, what a reading's key is, what the door refuses."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from situation import observation
from situation.errors import ObservationError

READING = {
    "source_id": "upload:anna",
    "monitoring_location_id": "upload:anna:well-3",
    "observed_property_name": "Nitrate",
    "phenomenon_time": pd.Timestamp("2024-05-01", tz="UTC"),
    "result": 12.5,
    "result_text": "12.5",
    "longitude": 8.5,
    "latitude": 47.25,
}


def readings(*changes):
    """Make one reading per mapping of changes."""
    return pd.DataFrame([READING | change for change in changes])


def test_missing_columns_are_filled_and_the_order_and_dtypes_are_fixed():
    table = observation.flat(readings({}))
    assert tuple(table.columns) == observation.FLAT_COLUMNS
    dtypes = {name: column.dtype for name, column in observation.COLUMNS.items()}
    assert {name: str(table[name].dtype) for name in dtypes} == dtypes
    row = table.loc[0]
    assert (row["sampled_medium"], row["quality_flag"], row["review_state"]) == ("unknown", 2, "pending")
    assert pd.isna(row["depth_m"])
    assert pd.isna(row["unit"])


def test_an_empty_table_is_a_table():
    assert len(observation.observations({})) == 0


def test_the_id_is_the_sha1_of_the_natural_key():
    parts = [str(READING.get(name, "")) for name in observation.NATURAL_KEY]
    parts[observation.NATURAL_KEY.index("sampled_medium")] = "unknown"
    parts[observation.NATURAL_KEY.index("phenomenon_time")] = str(1714521600 * 10**6)
    parts[observation.NATURAL_KEY.index("phenomenon_time_precision")] = "day"
    expected = hashlib.sha1("\x1f".join(parts).encode()).hexdigest()
    one, many = observation.flat(readings({})), observation.flat(readings({}, {"depth_m": 3.0}, {}))
    assert one["observation_id"].tolist() == [expected]
    assert many["observation_id"].tolist()[::2] == [expected, expected]
    assert many["observation_id"][1] != expected


@pytest.mark.parametrize("change", [{"depth_m": 1.5}, {"replicate": "2"}, {"method_speciation": "as N"}])
def test_another_key_is_another_reading(change):
    table = observation.flat(readings({}, change))
    assert table["observation_id"].nunique() == 2


@pytest.mark.parametrize("change", [{"result": 9.0}, {"unit": "mg/L"}, {"longitude": 8.6}])
def test_another_result_is_the_same_reading(change):
    table = observation.flat(readings({}, change))
    assert table["observation_id"].nunique() == 1


def test_a_given_id_is_kept_and_only_the_lacking_ones_are_made():
    table = observation.flat(readings({"observation_id": "theirs"}, {"observation_id": None}))
    assert table["observation_id"][0] == "theirs"
    assert len(table["observation_id"][1]) == 40


@pytest.mark.parametrize(
    "change",
    [
        {"censoring": "<"},
        {"result": np.nan},
        {"latitude": 91.0},
        {"procedure_class": "guess"},
        {"quality_flag": 5},
        {"source_id": None},
    ],
)
def test_the_door_refuses_what_does_not_fit(change):
    with pytest.raises(ObservationError):
        observation.observations(readings(change))


def test_a_strange_column_is_named():
    with pytest.raises(ObservationError, match="phone"):
        observation.flat(readings({"phone": "1"}))


def test_flat_and_geographic_form_hold_the_same():
    flat = observation.flat(readings({}, {"longitude": np.nan, "latitude": np.nan}))
    back = observation.flat(observation.to_geo(flat))
    pd.testing.assert_frame_equal(flat, back)
    assert observation.to_geo(flat).geometry.isna().tolist() == [False, True]


def test_arrow_form_has_the_declared_schema():
    assert observation.to_arrow(observation.flat(readings({}))).schema == observation.ARROW
