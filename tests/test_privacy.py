"""Privacy: the exact place of a household stays in the store, however often somebody asks."""

from __future__ import annotations

import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from situation.observation import FLAT_COLUMNS, flat, observations
from situation.privacy import HARMLESS, public, rule_for
from situation.topic import Topic

TOPIC = Topic(
    "t", "T", "?", (-10, -10, 10, 10), ("nitrate",), "nitrate", (), 365,
    privacy={"household_well": "blurred", "household": "area"}, grid_m=1000, area_m=10000,
)  # fmt: skip


def table(**said):
    columns = {
        "source_id": "upload:jo",
        "monitoring_location_id": "upload:jo/Jo Miller's well",
        "monitoring_location_name": "Jo Miller's well",
        "monitoring_location_type": "household_well",
        "observed_property": "nitrate",
        "observed_property_name": "Nitrate",
        "phenomenon_time": pd.Timestamp("2026-06-01", tz="UTC"),
        "result": 62.5,
        "result_text": "62.5",
        "longitude": 1.178902,
        "latitude": 7.204113,
        "sample_id": "MILLER-7",
        "datastream_id": "miller",
        "contributor": "jo",
        "procedure": "strip bought by Jo",
        "quality_reason": "7.204113 1.178902 confirmed by Jo",
        "result_qualifier": "Jo",
        "source_row": 17,
        "source_url": "https://example.org/jo",
        "depth_m": 31.4,
    }
    return flat(pd.DataFrame([columns | said]))


def test_a_site_type_has_the_rule_of_its_topic():
    assert [rule_for(kind, TOPIC) for kind in ("household_well", "household", "well", None)] == [
        "blurred",
        "area",
        "exact",
        "exact",
    ]


def test_nothing_that_leads_to_the_household_is_left():
    out = public(table(), TOPIC)
    said = " ".join(map(str, out.iloc[0].tolist()))
    for secret in ("Jo", "jo", "Miller", "miller", "MILLER", "1.178902", "7.204113", "17 ", "31.4"):
        assert secret not in said
    assert table()["observation_id"].iloc[0] not in said
    assert out["result"].tolist() == [62.5]
    assert out["horizontal_accuracy_m"].tolist() == [1000.0]
    assert out["monitoring_location_name"].tolist() == ["Household well in this area"]
    assert list(out.columns) == list(FLAT_COLUMNS)


def test_a_column_that_nobody_has_declared_harmless_is_emptied():
    assert public(table().assign(phone="+254 700 000000"), TOPIC)["phone"].isna().all()


def test_the_same_place_is_in_the_same_cell_every_time_and_no_average_recovers_it():
    outs = [public(table(result=float(n), result_text=str(n)), TOPIC) for n in range(30)]
    places = {(out["longitude"].iloc[0], out["latitude"].iloc[0]) for out in outs}
    assert len(places) == 1
    assert {out["monitoring_location_id"].iloc[0] for out in outs} == {
        outs[0]["monitoring_location_id"].iloc[0]
    }


def test_wells_of_one_cell_cannot_be_told_apart():
    one, other = public(table(), TOPIC), public(table(monitoring_location_id="b", longitude=1.1790), TOPIC)
    for name in ("monitoring_location_id", "longitude", "latitude"):
        assert one[name].tolist() == other[name].tolist()


@settings(max_examples=60, deadline=None)
@given(st.floats(-179, 179), st.floats(-85, 85))
def test_the_centre_is_not_farther_than_half_a_diagonal_and_does_not_move_again(lon, lat):
    out = public(table(longitude=lon, latitude=lat), TOPIC)
    new = out["longitude"].iloc[0], out["latitude"].iloc[0]
    metres = np.hypot((new[0] - lon) * 111320 * np.cos(np.radians(lat)), (new[1] - lat) * 111320)
    assert metres <= 1000 * 0.72
    again = public(table(longitude=new[0], latitude=new[1]), TOPIC)
    assert (again["longitude"].iloc[0], again["latitude"].iloc[0]) == pytest.approx(new, abs=1e-5)


def test_the_stricter_of_the_rules_counts():
    exact_row = public(table(position_rule="exact"), TOPIC)
    assert exact_row["position_rule"].tolist() == ["blurred"]
    row_says_so = public(table(monitoring_location_type="well", position_rule="area"), TOPIC)
    assert row_says_so["horizontal_accuracy_m"].tolist() == [10000.0]
    household = public(table(monitoring_location_type="household", position_rule="blurred"), TOPIC)
    assert household["position_rule"].tolist() == ["area"]


def test_exact_sites_are_untouched():
    exact = table(monitoring_location_type="well")
    assert public(exact, TOPIC) is exact
    both = pd.concat([exact, table()], ignore_index=True)
    out = public(both, TOPIC)
    pd.testing.assert_frame_equal(out.iloc[:1], both.iloc[:1], check_dtype=False)
    assert out["source_row"].tolist()[0] == 17


def test_points_are_moved_too():
    out = public(observations(table()), TOPIC)
    assert isinstance(out, gpd.GeoDataFrame)
    flat_out = public(table(), TOPIC)
    assert (out.geometry.x.iloc[0], out.geometry.y.iloc[0]) == (
        flat_out["longitude"].iloc[0],
        flat_out["latitude"].iloc[0],
    )


def test_a_site_without_a_place_stays_without_one():
    out = public(table(longitude=float("nan")), TOPIC)
    assert out["longitude"].isna().all()
    assert out["monitoring_location_id"].str.startswith("area-").all()


def test_what_a_status_table_needs_is_declared_harmless():
    assert {"status", "freshness", "limit", "unit", "result", "n"} <= HARMLESS


def test_a_topic_without_privacy_still_obeys_the_row():
    open_topic = dataclasses.replace(TOPIC, privacy={})
    out = public(table(position_rule="blurred"), open_topic)
    assert out["monitoring_location_id"].str.startswith("area-").all()
