"""Privacy: the exact place of a household stays in the store, however often somebody asks."""

from __future__ import annotations

import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from situation.observation import FLAT_COLUMNS, POSITION_RULES, flat, observations
from situation.privacy import HARMLESS, PLACES, Crowd, crowded, public, rule_for, settled, stricter
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


# ---- nobody alone in a cell ---------------------------------------------------------------------

CROWDED = dataclasses.replace(TOPIC, k=3)
HEIGHT = 1000 / 111_320


def spots(lon, lat, rule="blurred"):
    """Make a small table of hidden places, without everything that a reading has."""
    lon, lat = np.atleast_1d(lon).astype(float), np.atleast_1d(lat).astype(float)
    return pd.DataFrame(
        {
            "monitoring_location_id": "x",
            "monitoring_location_type": "well",
            "position_rule": rule,
            "longitude": lon,
            "latitude": lat,
            "horizontal_accuracy_m": 3.0,
            "result": 1.0,
        }
    )


def places(*sites):
    """Make the places of sites: name, longitude, latitude, and whatever is not as usual."""
    usual = {
        "position_rule": "blurred",
        "monitoring_location_type": "household_well",
        "known": True,
        "standing": True,
    }
    rows = [
        usual | {"site": name, "longitude": lon, "latitude": lat} | (more or {})
        for name, lon, lat, more in sites
    ]
    return pd.DataFrame(rows, columns=list(PLACES))


#: Of a fine cell in the middle of a coarse one.
MIDDLE = tuple(float(public(spots(1.222, 7.2315), TOPIC)[name].iloc[0]) for name in ("longitude", "latitude"))


def at(name, east=0.0, north=0.0, **more):
    """Place a site so many metres from the middle of a cell."""
    return name, MIDDLE[0] + east / 111_320, MIDDLE[1] + north / 111_320, more


def rules(*sites, topic=CROWDED):
    return settled(places(*sites), topic).sites["position_rule"].to_dict()


def test_a_cell_with_too_few_wells_is_not_shown():
    near = [at("a"), at("b", 100), at("c", 0, 100)]
    assert set(rules(*near).values()) == {"blurred"}
    assert set(rules(*near[:2]).values()) == {"withheld"}
    assert rules(*near[:2], at("far", 3000)) == dict.fromkeys(("a", "b", "far"), "area")
    assert set(rules(*near[:2], topic=TOPIC).values()) == {"blurred"}


def test_what_fills_a_cell_is_accepted_and_stands_at_places_of_its_own():
    near = [at("a"), at("b", 100)]
    assert rules(*near, at("made up", 50, known=False))["a"] == "withheld"
    assert rules(*near, at("b again", 100.5))["a"] == "withheld"  # one spot
    assert rules(*near, at("withdrawn", 50, standing=False))["a"] == "blurred"
    assert rules(*near, ("nowhere", np.nan, np.nan, {}))["a"] == "withheld"
    assert rules(
        *near, at("open", 50, position_rule="exact", monitoring_location_type="well")
    ) == dict.fromkeys("ab", "withheld")


def test_a_district_is_withheld_too_where_a_household_is_alone():
    alone = at("house", monitoring_location_type="household")
    assert rules(alone) == {"house": "withheld"}
    assert rules(alone, at("b", 3000), at("c", 0, -2000)) == dict.fromkeys(("house", "b", "c"), "area")


def test_withheld_has_no_place_and_shares_its_name_with_all_such():
    out = public(
        pd.concat([table(position_rule="withheld"), table(position_rule="withheld", longitude=5.0)]), TOPIC
    )
    assert out[["longitude", "latitude", "horizontal_accuracy_m"]].isna().all(axis=None)
    assert out["monitoring_location_id"].nunique() == 1
    assert set(out["monitoring_location_name"]) == {"Household well, place withheld"}
    assert public(observations(table(position_rule="withheld")), TOPIC).geometry.isna().all()
    lone = public(table(longitude=float("nan")), TOPIC)
    assert lone["monitoring_location_id"].tolist() == out["monitoring_location_id"].tolist()[:1]


def shown_at(*sites, topic=TOPIC):
    found = settled(places(*sites), topic).sites.iloc[0]
    return float(found["longitude"]), float(found["latitude"])


def test_the_scatter_of_a_receiver_does_not_move_a_well_over_a_border():
    lon, row = at("a")[1], np.floor(7.2042 / HEIGHT)
    under, over = (row + 1) * HEIGHT - 4e-5, (row + 1) * HEIGHT + 4e-5  # nine metres apart, in two cells
    assert shown_at(("a", lon, under, {}), ("a", lon, over, {})) == (lon, under)
    assert shown_at(("a", lon, over, {}), ("a", lon, under, {})) == (lon, over)
    assert np.isnan(
        shown_at(("a", lon, under, {}), ("a", lon, under - 1e-5, {}))
    ).all()  # one cell: nothing to settle


def test_a_mistake_that_was_put_right_does_move_it():
    wrong, right, waits = at("a", 9000), at("a"), at("a", -9000, known=False, standing=False)
    assert shown_at(wrong, right) == right[1:3]
    assert shown_at(wrong, right, waits) == right[1:3]
    assert shown_at(right, at("a", 9000, standing=False)) == right[1:3]


coordinates = st.tuples(st.floats(-3000, 3000), st.floats(-3000, 3000))


@settings(max_examples=40, deadline=None)
@given(st.lists(coordinates, min_size=1, max_size=14), st.integers(1, 4), coordinates)
def test_every_cell_that_is_shown_holds_enough_and_another_well_makes_no_rule_stricter(where, k, another):
    topic = dataclasses.replace(TOPIC, k=k)
    sites = [at(str(number), *spot) for number, spot in enumerate(where)]
    found = rules(*sites, topic=topic)
    lon, lat = (np.array([site[part] for site in sites]) for part in (1, 2))
    out = public(spots(lon, lat, [found[site[0]] for site in sites]), topic)
    for rule in ("blurred", "area"):
        cells = public(spots(lon, lat, rule), topic)["monitoring_location_id"]
        held = (
            pd.Series(list(zip(lon.round(4), lat.round(4), strict=True))).groupby(cells.to_numpy()).nunique()
        )
        assert (held[out.loc[out["position_rule"].eq(rule), "monitoring_location_id"]] >= k).all()
    more = rules(*sites, at("new", *another), topic=topic)
    order = POSITION_RULES.index
    assert all(order(more[name]) <= order(found[name]) for name in found)


share = st.floats(-0.99, 0.99)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-179, 179), st.floats(-84, 84), st.sampled_from(["blurred", "area", "withheld"]), share, share
)
def test_what_is_published_depends_on_the_cell_alone_and_is_no_nearer_than_it_says(
    lon, lat, rule, east, north
):
    """Whatever the true place: all places of a fine cell are told alike, in every column."""
    centre = public(spots(lon, lat), TOPIC)
    middle = centre["longitude"].to_numpy(), centre["latitude"].to_numpy()
    half = HEIGHT / 2
    other = middle[0] + east * half / np.cos(np.radians(middle[1])), middle[1] + north * half
    one = public(spots(lon, lat, rule), TOPIC)
    pd.testing.assert_frame_equal(public(spots(*other, rule), TOPIC), one)
    # Coarse cells are made of whole fine ones, and what was hidden once does not move when it is hidden again.
    pd.testing.assert_frame_equal(public(spots(*middle, rule), TOPIC), one)
    if rule != "withheld":
        pd.testing.assert_frame_equal(public(one, TOPIC), one)


def test_what_was_hidden_before_is_hidden_as_strictly_as_now():
    full = settled(places(at("a"), at("b", 100), at("c", 0, 100)), CROWDED).crowd
    here = {"longitude": MIDDLE[0], "latitude": MIDDLE[1]}
    told = [table(**here), table(**here, monitoring_location_type="household"), table(longitude=5.0)]
    before = public(pd.concat(told), TOPIC)
    now = public(crowded(before, CROWDED, full), CROWDED)
    assert now["position_rule"].tolist() == ["blurred", "area", "withheld"]
    assert now["longitude"].isna().tolist() == [False, False, True]
    assert crowded(before, TOPIC, Crowd())["position_rule"].tolist() == before["position_rule"].tolist()


def test_of_two_topics_the_one_that_hides_more():
    other = dataclasses.replace(
        TOPIC, privacy={"well": "area", "household": "blurred"}, grid_m=3000, k=5, area_m=9000
    )
    both = stricter(TOPIC, other)
    assert (both.grid_m, both.area_m, both.k) == (3000, 10000, 5)
    assert [rule_for(kind, both) for kind in ("well", "household", "household_well")] == [
        "area",
        "area",
        "blurred",
    ]
