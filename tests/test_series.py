"""Readings become series: one site, medium, fraction and depth; strips apart; nothing guessed, nothing lost."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from situation import series as made
from situation.observation import flat
from situation.series import series
from situation.standard import standard_named

LIMIT = standard_named("who_drinking_water").limit("nitrate")  # 50 mg/L as NO3


def reading(day="2020-01-01", result=1.0, **other):
    row = {
        "source_id": "upload:ana",
        "monitoring_location_id": "t:a",
        "monitoring_location_name": "A",
        "longitude": 1.0,
        "latitude": 2.0,
        "observed_property": "nitrate",
        "observed_property_name": "Nitrate",
        "method_speciation": "as NO3",
        "sampled_medium": "groundwater",
        "procedure_class": "laboratory",
        "phenomenon_time": pd.Timestamp(day, tz="UTC"),
        "result": result,
        "result_text": str(result),
        "unit": "mg/L",
        "censoring": "=",
        "detection_limit": np.nan,
    }
    return row | other


def less(day, bound, **other):
    return reading(day, np.nan, censoring="<", detection_limit=bound, result_text=f"<{bound}", **other)


def of(*rows, limit=LIMIT):
    return series(flat(pd.DataFrame(list(rows))), "nitrate", limit)


def test_the_table_is_by_series_and_time_in_the_limit_s_unit_and_form():
    one = of(
        reading("2021-01-01", 20.0),
        reading("2020-01-01", 2.0, method_speciation="as N"),
        less("2019-01-01", 500.0, unit="ug/L"),
    )
    assert (one.unit, one.species) == ("mg/L", "as NO3")
    assert one.table["series"].tolist() == [0, 0, 0]
    assert one.table["value"].tolist() == pytest.approx([0.5, 2 * 62.0049 / 14.0067, 20.0], rel=1e-4)
    assert one.table["censoring"].tolist() == ["<", "=", "="]
    assert one.rows.tolist() == [2, 1, 0]
    assert str(one.table["time"].dtype) == "datetime64[us, UTC]"
    assert one.about[["n", "n_censored", "left_out"]].values.tolist() == [[3, 1, 0]]


@pytest.mark.parametrize(
    "other",
    [
        {"monitoring_location_id": "t:b"},
        {"sampled_medium": "surface_water"},
        {"sample_fraction": "dissolved"},
        {"depth_m": 12.0},
        {"procedure_class": "strip"},
    ],
)
def test_what_may_not_be_mixed_is_a_series_of_its_own(other):
    one = of(reading(), reading("2020-01-02", **other))
    assert len(one.about) == 2
    assert one.table["series"].tolist() == [0, 1]


def test_a_meter_and_a_laboratory_share_a_series():
    assert len(of(reading(), reading("2020-01-02", procedure_class="meter")).about) == 1


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (reading(result=np.nan, censoring="text", result_text="trace"), made.NO_NUMBER),
        (reading(result=np.nan, censoring="<", result_text="ND"), made.NO_BOUND),
        (reading(unit=None), made.NO_UNIT),
        (reading(phenomenon_time=pd.NaT), made.NO_TIME),
        (reading(quality_flag=4), made.REJECTED),
        (reading(result_status="rejected"), made.REJECTED),
        (reading(review_state="rejected"), made.REJECTED),
        (reading(method_speciation=None), "never guessed"),
        (reading(unit="Cel"), "not the same kind of quantity"),
    ],
)
def test_what_cannot_count_is_left_out_with_its_reason_and_its_site_is_still_listed(row, why):
    one = of(row, reading("2020-01-02", monitoring_location_id="t:z"))
    assert one.about["monitoring_location_id"].tolist() == ["t:z", "t:a"]
    assert one.about["n"].tolist() == [1, 0]
    assert one.about["left_out"].tolist() == [0, 1]
    assert why in one.about["why_left_out"].iloc[1]
    (reason,) = one.left_out
    assert why in reason
    assert one.left_out[reason] == 1
    assert one.table["series"].tolist() == [0]


def test_without_a_limit_the_unit_is_the_one_most_readings_have():
    one = of(reading(), reading("2020-01-02"), reading("2020-01-03", 1000.0, unit="ug/L"), limit=None)
    assert (one.unit, one.species) == ("mg/L", "as NO3")
    assert one.table["value"].tolist() == [1.0, 1.0, 1.0]
    unknown = of(reading(method_speciation=None), reading("2021-01-01", method_speciation=None), limit=None)
    assert (unknown.unit, unknown.species, len(unknown.table)) == ("mg/L", None, 2)


def test_no_readings_make_no_series():
    one = series(flat(pd.DataFrame([reading()])).iloc[:0], "nitrate", LIMIT)
    assert len(one.table) == len(one.about) == 0
    assert one.left_out == {}
    assert len(of(reading(observed_property="arsenic")).about) == 0


def test_what_one_reading_of_a_site_hides_is_hidden_for_all_its_series():
    one = of(reading(position_rule="blurred"), reading("2020-01-02", sample_fraction="dissolved"))
    assert one.about["position_rule"].tolist() == ["blurred", "blurred"]


rows = st.lists(
    st.builds(
        lambda site, day, value, depth, kind: (
            less(day, value, monitoring_location_id=site, depth_m=depth)
            if kind == "<"
            else reading(day, value, monitoring_location_id=site, depth_m=depth)
        ),
        st.sampled_from(["t:a", "t:b", "t:c"]),
        st.dates(pd.Timestamp("1990-01-01").date(), pd.Timestamp("2025-01-01").date()).map(str),
        st.floats(0.01, 1e4),
        st.sampled_from([np.nan, 3.0, 12.5]),
        st.sampled_from(["=", "<"]),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda row: (row["monitoring_location_id"], str(row["depth_m"]), row["phenomenon_time"]),
)


@settings(max_examples=30, deadline=None)
@given(rows=rows, seed=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(rows, seed):
    mixed = list(rows)
    seed.shuffle(mixed)
    one, other = of(*rows), of(*mixed)
    pd.testing.assert_frame_equal(one.table, other.table)
    pd.testing.assert_frame_equal(one.about, other.about)
    assert len(one.table) == len(rows)
    assert one.table["series"].is_monotonic_increasing
    assert set(one.table["series"]) == set(range(len(one.about)))


def test_half_a_million_readings_take_little_time():
    n, sites = 500_000, 10_000
    table = pd.DataFrame({"monitoring_location_id": [f"t:{i % sites:05}" for i in range(n)]}).assign(
        observed_property="nitrate",
        unit="mg/L",
        method_speciation="as N",
        sampled_medium="groundwater",
        sample_fraction=None,
        depth_m=np.nan,
        procedure_class="laboratory",
        censoring="=",
        result=1.0,
        detection_limit=np.nan,
        phenomenon_time=pd.Timestamp("2000-01-01", tz="UTC") + pd.to_timedelta(np.arange(n), "h"),
        longitude=0.0,
        latitude=0.0,
    )
    start = time.perf_counter()
    one = series(table, "nitrate", LIMIT)
    took = time.perf_counter() - start
    assert len(one.about) == sites
    assert len(one.table) == n
    assert took < 5, f"{took:.1f} s"  # 0.4 s when nothing else runs
