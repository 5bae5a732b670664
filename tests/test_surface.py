"""Surfaces: what enters them, how a non-detect does, when they are refused, and what is drawn where."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from layers.picture import mercator
from situation import surface
from situation.errors import NoSurface
from situation.standard import standards
from situation.surface import Group, choose, classes, estimate, on_globe, probability

LIMIT = standards()["who_drinking_water"].limit("nitrate")
PH = standards()["us_epa_drinking_water"].limit("ph")
GROUP = Group("groundwater", 0, 0, 0)


def sites(n: int = 80, *, seed: int = 1, less_than: float = 0.0, lon: float = 7.0, lat: float = 47.0):
    """Make sites some 20 km across, high in the west, below the limit of 50 mg/L in the east."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, 0.25, n), rng.uniform(0, 0.2, n)
    value = np.exp(5.0 - 16 * x + 2 * np.sin(20 * y) + rng.normal(0, 0.05, n))
    less = value < less_than
    return pd.DataFrame(
        {
            "monitoring_location_id": [f"s:{i}" for i in range(n)],
            "longitude": lon + x,
            "latitude": lat + y,
            "result": np.where(less, np.nan, value),
            "detection_limit": np.where(less, less_than, np.nan),
            "censoring": np.where(less, "<", "="),
            "unit": "mg/L",
            "method_speciation": "as NO3",
            "status": np.where(value > 50, "above", "below"),
            "freshness": "current",
        }
    )


# ---- which readings count ---------------------------------------------------------------------------


def latest(*rows):
    names = ("monitoring_location_id", "sampled_medium", "sample_fraction", "depth_m", "procedure_class")
    return pd.DataFrame([dict(zip(names, row, strict=True)) for row in rows])


def test_media_fractions_and_depths_are_never_mixed_and_the_rest_is_counted():
    rows, strips, group = choose(
        latest(
            ("a", "groundwater", "dissolved", 10.0, "laboratory"),
            ("b", "groundwater", "dissolved", 29.9, "laboratory"),
            ("b", "groundwater", "total", 29.9, "laboratory"),
            ("c", "groundwater", "dissolved", 30.0, "laboratory"),
            ("d", "surface_water", "dissolved", 10.0, "laboratory"),
            ("e", "groundwater", "dissolved", math.nan, "laboratory"),
            ("f", "groundwater", None, 12.0, "strip"),
            ("a", "groundwater", None, 10.0, "strip"),
            ("g", "surface_water", None, 1.0, "strip"),
        )
    )
    assert rows["monitoring_location_id"].tolist() == ["a", "b"]
    assert group == Group("groundwater, dissolved, less than 30 m deep", 2, 3, 2)
    assert strips["monitoring_location_id"].tolist() == ["f"]


def test_what_nobody_stated_is_not_named():
    _, _, group = choose(latest(*[(name, "air", None, math.nan, "sensor") for name in "abc"]))
    assert group.words == "air"


def test_strips_alone_make_no_surface():
    with pytest.raises(NoSurface, match="no reading"):
        choose(latest(("a", "groundwater", None, 3.0, "strip")))


def test_old_readings_and_those_that_cannot_tell_are_left_out_and_counted():
    table = sites(60)
    table.loc[:4, "freshness"] = "stale"
    table.loc[5:7, "status"] = "inconclusive"
    table.loc[8, "longitude"] = np.nan
    field = probability(table, group=Group("groundwater", 60, 4, 2))
    assert len(field.values) == 60 - 5 - 3 - 1
    said = " ".join(field.more)
    assert "2 with test strips only; 4 of another medium, fraction or depth; 1 without a place" in said
    assert "5 too old; 3 cannot tell" in said


def test_of_very_many_sites_a_sample_is_taken_and_said(monkeypatch):
    monkeypatch.setattr(surface, "MOST_SITES", 60)
    fields = [probability(sites(90), group=GROUP) for _ in range(2)]
    assert len(fields[0].values) == 60
    assert "30 not in the sample" in " ".join(fields[0].more)
    np.testing.assert_array_equal(fields[0].longitude, fields[1].longitude)


def test_hidden_sites_of_one_square_are_one_place_with_their_share():
    table = sites(60)
    table.loc[[0, 1], ["longitude", "latitude"]] = [[7.1, 47.1]] * 2
    table.loc[[0, 1], "status"] = ["above", "below"]
    field = probability(table, group=GROUP)
    assert len(field.values) == 59
    assert 0.5 in field.values


# ---- when it is refused -----------------------------------------------------------------------------


def test_too_few_places_are_refused_with_their_number():
    table = pd.concat([sites(19), sites(19).head(1)], ignore_index=True)
    for make in (lambda: probability(table, group=GROUP), lambda: estimate(table, LIMIT, group=GROUP)):
        with pytest.raises(NoSurface, match="takes 20 places .* here are 19"):
            make()


def test_nothing_above_or_everything_above_has_no_chance_to_draw():
    for status in ("above", "below"):
        with pytest.raises(NoSurface, match="at least 3 above and 3 not above"):
            probability(sites().assign(status=status), group=GROUP)


def test_without_a_limit_there_is_no_chance_but_an_estimate():
    table = sites().assign(status="no limit")
    with pytest.raises(NoSurface, match="no limit"):
        probability(table, group=GROUP)
    field = estimate(table, None, group=GROUP)
    assert len(field.breaks) == 5
    assert "limit" not in " ".join(field.labels)


def test_a_surface_that_says_nothing_is_refused():
    rng = np.random.default_rng(5)
    table = sites(150).assign(
        result=np.exp(rng.normal(0, 1, 150)), status=rng.choice(["above", "below"], 150)
    )
    with pytest.raises(NoSurface, match="no better than one number|as much as sites far apart"):
        estimate(table, LIMIT, group=GROUP)
    with pytest.raises(NoSurface, match="no better than one number|as much as sites far apart"):
        probability(table, group=GROUP)


def test_equal_readings_and_mostly_non_detects_are_refused():
    with pytest.raises(NoSurface, match="all the same|the same"):
        estimate(sites().assign(result=5.0), LIMIT, group=GROUP)
    table = sites(less_than=200.0)
    assert table["censoring"].eq("<").mean() > 0.5
    with pytest.raises(NoSurface, match="only say less"):
        estimate(table, LIMIT, group=GROUP)


# ---- non-detects ------------------------------------------------------------------------------------


def test_a_non_detect_stands_neither_for_its_limit_nor_half_of_it_nor_nothing():
    whole, cut = sites(150), sites(150, less_than=12.0)
    censored = cut["censoring"].eq("<").to_numpy()
    assert 0.1 < censored.mean() < 0.5
    field = estimate(cut, LIMIT, group=GROUP)
    order = np.lexsort((cut["latitude"], cut["longitude"]))
    stood, doubt, true = field.values, field.noise, np.log(whole["result"].to_numpy()[order])
    less = censored[order]
    assert (stood[less] < math.log(12.0)).all()
    assert (doubt[less] > 0).all()
    assert (doubt[~less] == 0).all()
    for wrong in (12.0, 6.0):
        assert np.abs(stood[less] - math.log(wrong)).min() > 1e-6
        assert np.mean((stood[less] - true[less]) ** 2) < np.mean((math.log(wrong) - true[less]) ** 2)
    assert "stands for what its neighbours make likely" in " ".join(field.more)


def test_a_high_limit_of_detection_among_low_readings_changes_little():
    table = sites(150)
    east = table["longitude"].idxmax()
    table.loc[east, ["result", "detection_limit", "censoring"]] = [np.nan, 1000.0, "<"]
    field, without = (estimate(rows, LIMIT, group=GROUP) for rows in (table, table.drop(east)))
    place = table.loc[east, ["longitude", "latitude"]].astype("float64")
    assert field.at(*place)[0] == pytest.approx(without.at(*place)[0], rel=0.3)


def test_zeros_of_a_concentration_count_as_less_than_the_least():
    table = sites(100)
    least = table["result"].nsmallest(6)
    table.loc[least.index[:5], "result"] = 0.0
    field = estimate(table, LIMIT, group=GROUP)
    assert np.isfinite(field.values).all()
    assert "Readings of 0 or less: 5." in " ".join(field.more)
    less = table.assign(result=table["result"].where(table["result"] > 0, -3.0))  # as counters give
    assert estimate(less, LIMIT, group=GROUP).log
    assert not estimate(less, None, group=GROUP).log  # without a limit it may be a level


def test_more_than_a_bound_and_less_than_one_mirror_each_other():
    from scipy.stats import truncnorm

    low = np.array([-np.inf, 0.3, 1.0, -np.inf])
    high = np.array([0.3, np.inf, 1.0, -40.0])
    mean, variance = surface._truncated(np.full(4, 0.5), np.full(4, 2.0), low, high)
    for i in (0, 1):
        known = truncnorm((low[i] - 0.5) / 2, (high[i] - 0.5) / 2, loc=0.5, scale=2.0)
        assert mean[i] == pytest.approx(known.mean())
        assert variance[i] == pytest.approx(known.var())
    assert (mean[2], variance[2]) == (1.0, 0.0)
    assert mean[3] < -40.0  # far in the tail: still below its limit
    assert variance[3] >= 0


# ---- what must hold of any --------------------------------------------------------------------------


@given(st.floats(1e-3, 1e3), st.integers(0, 5))
@examples(max_examples=12, deadline=None)
def test_another_unit_and_another_order_of_rows_say_the_same(factor, seed):
    table = sites(60, seed=seed, less_than=8.0)
    if table["censoring"].eq("<").mean() > 0.5:
        return
    other = table.assign(
        result=table["result"] * factor, detection_limit=table["detection_limit"] * factor, unit="x"
    ).sample(frac=1, random_state=seed)
    place = ([7.1, 7.05], [47.1, 47.15])
    one = estimate(table, LIMIT, group=GROUP).at(*place)[0]
    two = estimate(other, replace(LIMIT, value=50.0 * factor, unit="x"), group=GROUP).at(*place)[0]
    np.testing.assert_allclose(two, one * factor, rtol=1e-4)


@given(st.integers(0, 1000))
@examples(max_examples=15, deadline=None)
def test_a_chance_lies_between_0_and_1_everywhere(seed):
    rng = np.random.default_rng(seed)
    field = probability(sites(60), group=GROUP)
    chance, doubt = field.at(rng.uniform(6, 9, 50), rng.uniform(46, 48, 50))
    assert ((chance >= 0) & (chance <= 1)).all()
    assert (doubt >= 0).all()


@pytest.mark.parametrize(("lon", "lat"), [(179.9, 47.0), (-0.1, 47.0)])
def test_the_antimeridian_is_no_border(lon, lat):
    here, there = sites(60), sites(60, lon=lon, lat=lat)
    there["longitude"] = (there["longitude"] + 180) % 360 - 180
    place = (7.11, 47.1), ((lon + 0.11 + 180) % 360 - 180, lat + 0.1)
    first, second = (
        estimate(table, LIMIT, group=GROUP).at([x], [y])[0]
        for table, (x, y) in zip((here, there), place, strict=True)
    )
    assert second == pytest.approx(first, rel=1e-4)


def test_around_the_pole_a_degree_of_longitude_is_short():
    table = sites(60, lat=89.0)
    turned = table.assign(longitude=(table["longitude"] + 200 + 180) % 360 - 180)
    first = estimate(table, LIMIT, group=GROUP)
    second = estimate(turned, LIMIT, group=GROUP)
    assert second.variogram.range == pytest.approx(first.variogram.range, rel=1e-6)
    drawn = first.draw((-180.0, 80.0, 180.0, 90.0), 6)
    assert drawn["codes"] == []  # above the edge of the Web-Mercator square
    metres = np.linalg.norm(on_globe(0, 89.9) - on_globe(180, 89.9))
    assert metres == pytest.approx(2 * 0.1 * 111_195, rel=1e-4)


def test_without_a_nugget_a_reading_is_its_own_estimate():
    table = sites(100)
    field = estimate(table, LIMIT, group=GROUP)
    plain = replace(field, variogram=replace(field.variogram, nugget=0.0))
    value, doubt = plain.at(table["longitude"], table["latitude"])
    np.testing.assert_allclose(value, table["result"], rtol=1e-3)
    assert doubt.max() < 1e-3


def test_ph_is_no_logarithm_of_anything():
    table = sites(80).assign(unit="[pH]", method_speciation=None)
    table["result"] = 6.0 + 10 * (table["longitude"] - 7.0)
    field = estimate(table, PH, group=GROUP)
    assert not field.log
    assert field.at([7.1], [47.1])[0] == pytest.approx(7.0, abs=0.2)
    assert field.labels[0] == "under 6.5 (outside)"


# ---- what is drawn ----------------------------------------------------------------------------------


def test_each_cell_shows_the_class_of_its_middle_and_rows_run_from_the_north():
    field = estimate(sites(100), LIMIT, group=GROUP)
    drawn = field.draw((6.9, 46.9, 7.4, 47.3), 11)
    codes = np.array(drawn["codes"]).reshape(drawn["height"], drawn["width"])
    west, south, east, north = drawn["bounds"]
    lon = west + (east - west) * (np.arange(drawn["width"]) + 0.5) / drawn["width"]
    _, edges = mercator(np.array([west, east]), np.array([north, south]))
    y = edges[0] + (edges[1] - edges[0]) * (np.arange(drawn["height"]) + 0.5) / drawn["height"]
    lat = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * y))))
    known = np.argwhere(codes >= 0)[::97]
    value, _ = field.at(lon[known[:, 1]], lat[known[:, 0]])
    expected = np.searchsorted(field.breaks, value, side="left")
    shown = codes[known[:, 0], known[:, 1]]
    assert np.mean(shown == expected) > 0.95  # straight lines between every third cell
    assert np.abs(shown - expected).max() <= 1
    assert codes[:, : drawn["width"] // 4].max() > codes[:, -drawn["width"] // 4 :].max()


def test_far_from_every_reading_nothing_is_drawn():
    field = estimate(sites(100), LIMIT, group=GROUP)
    assert field.draw((20.0, 40.0, 21.0, 41.0), 9)["codes"] == []
    drawn = field.draw((0.0, 40.0, 14.0, 54.0), 8)
    west, south, east, north = drawn["bounds"]
    assert 6.5 < west < 7.0 < 7.25 < east < 7.7
    assert 46.7 < south < 47.0 < 47.2 < north < 47.5
    assert -1 in drawn["codes"]


@pytest.mark.parametrize("zoom", [0, 1, 5, 12, 19])
def test_any_zoom_is_answered_in_bounds(zoom):
    field = probability(sites(60), group=GROUP)
    drawn = field.draw((7.1, 47.1, 7.101, 47.101) if zoom == 19 else (-180.0, -90.0, 180.0, 90.0), zoom)
    assert len(drawn["codes"]) == drawn["width"] * drawn["height"] <= 240 * 240
    assert set(drawn["codes"]) <= set(range(-1, 6))


@pytest.mark.parametrize("key", ["who_drinking_water", "us_epa_drinking_water"])
@pytest.mark.parametrize("name", ["nitrate", "arsenic", "ph", "e_coli", "fluoride"])
def test_classes_rise_and_tell_which_lie_beyond_the_limit(key, name):
    limit = standards()[key].limit(name)
    breaks, labels = classes(limit, np.linspace(1, 100, 50), "mg/L")
    assert len(labels) == len(breaks) + 1 == 6
    assert list(breaks) == sorted(set(breaks))
    if limit is not None and limit.comparison == "above":
        assert limit.value in breaks
        assert [label.endswith("(above)") for label in labels] == [False] * 4 + [True] * 2


def test_the_error_that_is_printed_is_that_of_leaving_one_out():
    from situation.kriging import leave_one_out

    field = estimate(sites(100), LIMIT, group=GROUP)
    guess = leave_one_out(field.points, field.values, variogram=field.variogram).estimate
    assert field.error == pytest.approx(math.exp(np.median(np.abs(guess - field.values))))
    assert f"{field.error:.2g}" in field.note
    assert field.error < field.usual
