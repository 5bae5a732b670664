"""Quality control on arrival: what is flagged, how badly, and that no flag ever hides an exceedance."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from situation import arrival
from situation.errors import DataFileError
from situation.observation import flat
from situation.properties import PROPERTIES
from situation.topic import topics

WATER = topics()["groundwater"]
NOW = pd.Timestamp("2026-03-04", tz="UTC")


def table(*rows):
    usual = {
        "source_id": "x",
        "monitoring_location_id": "s",
        "monitoring_location_type": "well",
        "observed_property": "chloride",
        "observed_property_name": "Chloride",
        "sampled_medium": "groundwater",
        "method_speciation": "as Cl",
        "unit": "mg/L",
        "unit_source": "mg/l",
        "censoring": "=",
        "result": 20.0,
        "phenomenon_time": pd.Timestamp("2024-01-01", tz="UTC"),
        "longitude": -89.5,
        "latitude": 43.5,
        "licence": "x",
        "attribution": "x",
    }
    made = [{**usual, "phenomenon_time": usual["phenomenon_time"] + pd.Timedelta(days=30 * n)} | row
            for n, row in enumerate(rows)]  # fmt: skip
    frame = pd.DataFrame(made)
    frame["result_text"] = frame["result"].map(str)
    return flat(frame)


def flagged(*rows, topic=WATER):
    out = arrival.flag(table(*rows), topic, NOW)
    return list(zip(out["quality_flag"].tolist(), out["quality_reason"].fillna("").tolist(), strict=True))


def one(**row):
    return flagged(row)[0]


def test_a_usual_reading_passes():
    assert one() == (1, "")


def test_less_than_nothing_fails_and_a_lot_is_only_suspect():
    assert one(result=-5.0) == (4, "gross range: less than 0 mg/L, which cannot be")
    assert one(result=1e9) == (3, "gross range: not between 0 and 200000 mg/L")


def test_limits_are_held_in_their_own_unit_and_form():
    assert one(result=150_000.0, unit="ug/L")[0] == 1
    nitrate = {"observed_property": "nitrate", "unit": "mg/L"}
    assert one(**nitrate, method_speciation="as N", result=500.0)[0] == 3  # 2213 mg/L as NO3
    assert one(**nitrate, method_speciation="as NO3", result=500.0)[0] == 1
    assert one(**nitrate, method_speciation=None, result=-1.0)[0] == 4


def test_what_has_no_limits_or_no_such_unit_is_not_evaluated():
    assert one(observed_property="delta_18o", unit="[ppth]", method_speciation=None, result=-12.0) == (2, "")
    assert one(unit="m", result=5.0)[0] == 2
    assert one(observed_property=None, result=5.0)[0] == 2
    assert one(result=np.nan, censoring="<", detection_limit=0.5)[0] == 2


def test_ph_and_temperature_may_be_what_others_may_not():
    assert one(observed_property="ph", unit="[pH]", method_speciation=None, result=-0.5)[0] == 3
    assert one(observed_property="temperature", unit="Cel", method_speciation=None, result=-2.0)[0] == 1
    assert one(observed_property="temperature", unit="Cel", method_speciation=None, result=-999.0)[0] == 4


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(PROPERTIES)), st.floats(0, 1e12))
def test_no_number_from_nothing_up_ever_fails(key, value):
    item = PROPERTIES[key]
    row = {"observed_property": key, "unit": item.default_unit, "method_speciation": item.default_species}
    assert flagged({**row, "result": value}, {**row, "result": value * 3 + 1})[0][0] != 4


def test_what_the_source_says_stays():
    made = table({"result": 5.0}, {"result": -5.0}, {"result": 1e9})
    made["quality_flag"] = [4, 3, 9]
    made["quality_reason"] = pd.array(["the source marks the result so", "odd", None], dtype="str")
    out = arrival.flag(made, WATER, NOW)
    assert out["quality_flag"].tolist() == [4, 4, 9]
    assert out["quality_reason"].tolist()[1] == "odd; gross range: less than 0 mg/L, which cannot be"


# --- where and when ---------------------------------------------------------------------------------------


def test_a_well_in_the_sea_is_suspect_and_one_at_the_shore_is_not():
    assert one(longitude=-40.0, latitude=30.0) == (3, "location: a well in the sea, by a coarse outline")
    assert one(longitude=-4.62, latitude=53.3)[0] == 1  # Anglesey, off the coarse coast of Wales
    assert (
        one(longitude=-40.0, latitude=30.0, monitoring_location_type="buoy", sampled_medium="sea_water")[0]
        == 1
    )
    assert one(longitude=np.nan, latitude=np.nan)[0] == 1


@pytest.mark.parametrize(
    ("lon", "lat", "said"),
    [(43.5, -89.5, "swapped"), (89.5, 43.5, "other sign"), (10.0, 50.0, "outside of the topic's area"), (-89.5, 43.5, "")],
)  # fmt: skip
def test_places_are_held_against_the_topic_s_area(lon, lat, said):
    from dataclasses import replace

    flag, why = flagged(
        {"longitude": lon, "latitude": lat, "sampled_medium": "air", "monitoring_location_type": "sensor"},
        topic=replace(WATER, area=(-90.0, 43.0, -89.0, 44.0)),
    )[0]
    assert (flag, said in why) == (3 if said else 1, True)


def test_dates_that_cannot_be_are_suspect():
    assert "future" in one(phenomenon_time=pd.Timestamp("2030-01-01", tz="UTC"))[1]
    assert one(phenomenon_time=pd.Timestamp("1850-01-01", tz="UTC"))[0] == 3


# --- against the others -------------------------------------------------------------------------------------


def series(*values):
    return flagged(*({"result": value} for value in values))


def test_seven_readings_say_nothing_and_eight_say_what_is_usual():
    assert [flag for flag, _ in series(*[20.0] * 6, 4000.0)] == [1] * 7
    flags = series(*[20.0, 21.0, 19.0, 22.0, 20.0, 18.0, 20.5], 4000.0)
    assert flags[-1] == (3, "climatology: unlike the other 7 readings of this site")
    assert [flag for flag, _ in flags[:-1]] == [1] * 7


def test_an_event_among_quiet_readings_is_suspect_and_never_fails():
    flags = series(20, 21, 19, 22, 5000, 20, 18, 20, 21, 19)
    assert flags[4][0] == 3
    assert max(flag for flag, _ in flags) == 3


def test_a_steady_rise_is_no_spike():
    assert {flag for flag, _ in series(*range(10, 40, 2))} == {1}


def test_two_sites_are_two_series():
    rows = [{"result": 20.0 + n, "monitoring_location_id": "a"} for n in range(8)]
    rows += [{"result": 2000.0 + n, "monitoring_location_id": "b"} for n in range(8)]
    assert {flag for flag, _ in flagged(*rows)} == {1}


def test_the_same_result_twice_in_a_file_is_a_duplicate_and_a_replicate_is_none():
    day = pd.Timestamp("2024-01-01", tz="UTC")
    same = {"phenomenon_time": day, "result": 20.0}
    made = table(same, same, same | {"result": 21.0})
    made["replicate"] = pd.array(["1", "2", "3"], dtype="str")
    out = arrival.flag(made, WATER, NOW)
    assert out["quality_flag"].tolist() == [1, 3, 1]
    assert "more than once" in out["quality_reason"].tolist()[1]


# --- the file of limits ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("kryptonite,mg/L,,0,,5,x", "row 2: no property 'kryptonite'"),
        ("chloride,mg/L,,0,9,5,x", "must rise"),
        ("chloride,mg/L,,zero,,5,x", "fail_below is 'zero'"),
    ],
)
def test_a_mistake_in_the_file_is_a_sentence(tmp_path, row, said):
    path = tmp_path / "quality.csv"
    path.write_text(f"property,unit,species,fail_below,suspect_below,suspect_above,reference\n{row}\n")
    with pytest.raises(DataFileError, match=said):
        arrival.read_spans(path)


def test_every_limit_names_its_reference_and_a_unit_that_fits():
    spans = arrival.read_spans(arrival.FILE)
    assert len(spans) > 25
    for key, span in spans.items():
        assert span.reference
        if key in PROPERTIES:
            assert arrival._to_unit(
                (key, PROPERTIES[key].default_unit, PROPERTIES[key].default_species, None), span.unit, span.species
            )[0] > 0, key  # fmt: skip


def test_nothing_changes_but_the_flag_and_its_reason():
    before = table({"result": -5.0}, {"result": 20.0})
    after = arrival.flag(before, WATER, NOW)
    left = [name for name in before if name not in ("quality_flag", "quality_reason")]
    pd.testing.assert_frame_equal(before[left], after[left])
    assert list(before) == list(after)
    assert before["quality_flag"].tolist() == [2, 2]  # the table that was given stays as it is
