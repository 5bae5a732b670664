"""Means of censored readings: what the field's books and programs print, and what must hold whatever the data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from situation.censored import (
    CONVENTIONS,
    kaplan_meier,
    plotting_positions,
    ros,
    straighter,
    substituted,
)
from situation.errors import ChoiceError, StatisticError


def oracle(shared: Path, name: str) -> tuple[dict, pd.DataFrame]:
    """Read one published case and its readings."""
    cases = json.loads((shared / "oracles" / "oracles.json").read_text("utf-8"))["cases"]
    case = next(one for one in cases if one["id"] == name)
    return case["expect"], pd.read_csv(shared / "oracles" / case["input"])


@pytest.fixture
def manganese(shared: Path) -> pd.DataFrame:
    """Return the readings of EPA (2009), example 15-1."""
    return oracle(shared, "km_epa09_15_1")[1]


# -- Published cases --------------------------------------------------------------------------------


def test_epa_2009_example_15_1_kaplan_meier_of_logarithms(shared: Path, manganese: pd.DataFrame) -> None:
    expect, _ = oracle(shared, "km_epa09_15_1")
    found = kaplan_meier(
        np.log(manganese["Manganese.ppb"]), manganese["Censored"], convention="lowest-limit-2013"
    )
    assert found.mean == pytest.approx(expect["mean_log"], abs=5e-7)
    assert found.sd == pytest.approx(expect["sd_log"], abs=5e-8)
    # EnvStats Chapter15Examples.R (2013); the other conventions have a standard error of their own.
    assert found.se == pytest.approx(expect["se_mean_log"], abs=5e-8)
    assert (found.n, found.n_censored, round(found.left_over, 2)) == (25, 6, 0.21)


def test_envstats_2013_prints_the_same_example_without_logarithms(manganese: pd.DataFrame) -> None:
    # EnvStats 2.x, ?enparCensored, second example.
    found = kaplan_meier(manganese["Manganese.ppb"], manganese["Censored"], convention="lowest-limit-2013")
    assert (found.mean, found.sd, found.se) == pytest.approx((19.867000, 25.317737, 4.689888), abs=5e-7)


def test_the_two_conventions_differ_as_the_textbooks_do(manganese: pd.DataFrame) -> None:
    logs, dark = np.log(manganese["Manganese.ppb"]), manganese["Censored"]
    assert kaplan_meier(logs, dark, convention="lowest-limit").mean == pytest.approx(2.309289, abs=5e-7)
    found = kaplan_meier(logs, dark)  # EnvStats 3, ProUCL 5.2
    assert (found.convention, found.mean) == ("smallest-detect", pytest.approx(2.4144518, abs=5e-8))


def test_nada2_vignette_pyrene(shared: Path) -> None:
    # She (1997); NADA2 vignette Censored_Data_Analysis, cfit.
    expect, data = oracle(shared, "km_shepyrene")
    found = kaplan_meier(data["Pyrene"], data["PyreneCen"])
    assert found.n == expect["n"]
    for name in ("mean", "sd", "se"):
        assert getattr(found, name) == pytest.approx(expect[name], abs=5e-5), name
    assert [found.percentile(share) for share in (0.25, 0.5, 0.75)] == [63, 98, 133]


def test_epa_2009_example_15_2_robust_ros(shared: Path) -> None:
    expect, data = oracle(shared, "ros_epa09_15_2")
    found = ros(data["Manganese.ppb"], data["Censored"])
    assert (found.meanlog, found.sdlog) == pytest.approx((expect["meanlog"], expect["sdlog"]), abs=5e-7)
    # EPA (2009), figure 15-6: the correlation of its probability plot.
    assert found.correlation == pytest.approx(0.9943942, abs=5e-8)


def test_epa_2009_figure_15_5_plotting_positions(manganese: pd.DataFrame) -> None:
    dark = manganese["Censored"].to_numpy(bool)
    found = np.sort(plotting_positions(manganese["Manganese.ppb"], dark)[~dark])
    # The table under figure 15-5 in EnvStats Chapter15Examples.R.
    printed = "245 318 356 394 432 469 507 545 583 621 659 697 735 773 811 848 886 924 962"
    assert found.round(3).tolist() == [int(three) / 1000 for three in printed.split()]


def test_plotting_positions_where_detects_lie_under_the_lowest_limit() -> None:
    # statsmodels, imputation/tests/test_ros.py: seven censored at five limits, a detect of 2 under all.
    dark = [5.0, 5.0, 5.5, 5.75, 9.5, 9.5, 11.0]
    seen = [2, 4.2, 4.62, 5.57, 5.66, 5.86, 6.65, 6.78, 6.79, 7.5, 7.5, 7.5, 8.63, 8.71, 8.99, 9.85, 10.82]
    seen += [11.25, 11.25, 12.2, 14.92, 16.77, 17.81, 19.16, 19.19, 19.64, 20.18, 22.97]
    found = plotting_positions([*dark, *seen], [True] * 7 + [False] * 28)
    printed = [
        0.07414188, 0.14828375, 0.11121281, 0.14828375, 0.20869565, 0.4173913, 0.34285714, 0.05560641,
        0.11121281, 0.16681922, 0.24713959, 0.27185355, 0.32652382, 0.35648013, 0.38643645, 0.41639276,
        0.44634907, 0.47630539, 0.5062617, 0.53621802, 0.56617433, 0.59613064, 0.64596273, 0.66583851,
        0.71190476, 0.73809524, 0.76428571, 0.79047619, 0.81666667, 0.84285714, 0.86904762, 0.8952381,
        0.92142857, 0.94761905, 0.97380952,
    ]  # fmt: skip
    assert np.sort(found).tolist() == pytest.approx(sorted(printed), abs=5e-9)
    assert found[7:].tolist() == pytest.approx(printed[7:], abs=5e-9)


def test_helsel_and_cohn_1988_appendix_b() -> None:
    value = [1.0] * 6 + [10.0] * 3 + [3, 7, 9, 12, 15, 20, 27, 33, 50]
    found = ros(value, [True] * 9 + [False] * 9)
    printed = [0.47, 0.85, 1.11, 1.27, 1.76, 2.34, 2.50, 3.00, 3.03, 4.80, 7, 9, 12, 15, 20, 27, 33, 50]
    assert sorted(found.filled) == pytest.approx(printed, abs=0.011)


def test_helsel_2005_arsenic_of_oahu() -> None:
    value = [3.2, 2.8, *[2.0] * 8, 1.7, 1.5, *[1.0] * 4, 0.9, 0.9, 0.7, 0.7, 0.6, 0.5, 0.5, 0.5]
    dark = [False] * 2 + [True] * 8 + [False] * 2 + [True] * 4 + [False, True] + [False] * 6
    printed = [3.2, 2.8, 1.42, 1.14, 0.95, 0.81, 0.68, 0.57, 0.46, 0.35, 1.7, 1.5, 0.98, 0.76, 0.58, 0.41]
    printed += [0.9, 0.61, 0.7, 0.7, 0.6, 0.5, 0.5, 0.5]
    found = ros(value, dark)
    assert sorted(found.filled) == pytest.approx(sorted(printed), abs=0.011)
    assert (found.n_censored, found.percentile(0.5)) == (13, pytest.approx(0.7))
    assert "says more about" not in found.why


# -- What must hold -----------------------------------------------------------------------------------

samples = st.lists(
    st.tuples(st.sampled_from([0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 9.5, 20.0]), st.booleans()),
    min_size=4,
    max_size=25,
).filter(lambda rows: len({value for value, dark in rows if not dark}) >= 3)


@settings(max_examples=50, deadline=None)
@given(samples, st.sampled_from([0.001, 1000.0]), st.randoms(use_true_random=False))
def test_neither_the_unit_nor_the_order_of_rows_changes_the_answer(rows, factor, chance) -> None:
    mixed = list(rows)
    chance.shuffle(mixed)
    value, dark = (np.array(part) for part in zip(*rows, strict=True))
    other, other_dark = (np.array(part) for part in zip(*mixed, strict=True))
    for convention in CONVENTIONS:
        one = kaplan_meier(value, dark, convention=convention)
        two = kaplan_meier(other * factor, other_dark, convention=convention)
        assert (two.mean, two.sd) == pytest.approx((one.mean * factor, one.sd * factor), rel=1e-9)
        assert two.se == pytest.approx(one.se * factor, rel=1e-9, nan_ok=True)
    first, second = ros(value, dark), ros(other * factor, other_dark)
    assert (second.mean, second.sdlog) == pytest.approx((first.mean * factor, first.sdlog), rel=1e-9)


@settings(max_examples=50, deadline=None)
@given(samples)
def test_the_estimate_lies_between_all_non_detects_at_zero_and_all_at_their_limit(rows) -> None:
    value, dark = (np.array(part) for part in zip(*rows, strict=True))
    low, high = (substituted(value, dark, share_of_limit=share).mean for share in (0.0, 1.0))
    for convention in CONVENTIONS:
        assert low - 1e-9 <= kaplan_meier(value, dark, convention=convention).mean
    # At the smallest detect the left-over mass may lie over the limit; at the lowest limit it does not.
    assert kaplan_meier(value, dark, convention="lowest-limit").mean <= high + 1e-9


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.1, 1000), min_size=2, max_size=30))
def test_without_a_non_detect_it_is_the_ordinary_mean(value) -> None:
    found = kaplan_meier(value)
    assert (found.mean, found.sd) == pytest.approx((np.mean(value), np.std(value)), rel=1e-7, abs=1e-7)
    assert found.se == pytest.approx(np.std(value, ddof=1) / np.sqrt(len(value)), rel=1e-6, abs=1e-6)


def test_more_than_is_less_than_seen_from_the_other_end() -> None:
    value, dark = [1.0, 2.0, 2.5, 4.0, 7.0, 8.0], np.array([0, 1, 0, 0, 1, 0])
    below = kaplan_meier(value, -dark)
    above = kaplan_meier([-one for one in value], dark)
    assert (above.mean, above.sd, above.se) == pytest.approx((-below.mean, below.sd, below.se))
    assert above.side == "right"
    over = kaplan_meier([1, 2, 3, 4, 5], ["=", "=", "=", "=", ">"])
    assert over.percentile(0.5) == 3
    assert np.isnan(over.percentile(0.9))  # it lies over 5, and nobody knows where


def test_a_percentile_under_the_smallest_detect_is_not_made_up() -> None:
    found = kaplan_meier([5, 5, 5, 6, 7], [True, True, True, False, False])
    assert np.isnan(found.percentile(0.5))
    assert found.percentile(0.7) == 6


def test_the_straighter_probability_plot_is_taken() -> None:
    chance = np.random.default_rng(5)
    for distribution, value in (
        ("normal", chance.normal(100, 30, 200)),
        ("lognormal", chance.lognormal(0, 1.2, 200)),
    ):
        limit = float(np.quantile(value, 0.3))
        dark = value < limit
        found = straighter(np.where(dark, limit, value), -dark.astype("int8"))
        assert found.distribution == distribution


# -- Bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: kaplan_meier([]), "There are no readings."),
        (lambda: kaplan_meier([1, 2], [True, True]), "All 2 readings are censored"),
        (lambda: kaplan_meier([1, 2, 3], ["<", "=", ">"]), "one side at a time"),
        (lambda: kaplan_meier([1, 2], [True]), "2 readings but 1 marks"),
        (lambda: kaplan_meier([1, float("nan")]), "not a number"),
        (lambda: ros([1, 2, 3], [True, False, False]), "needs 3 different detects; there are 2 among 3"),
        (lambda: ros([1, 2, 2, 2], [True, False, False, False]), "there are 1 among 4"),
        (lambda: ros([0, 2, 3, 4.0], [True, False, False, False]), "1 is zero"),
        (lambda: ros([1, 2, -3, -4.0, 0]), "1 is zero and 2 are negative"),
        (lambda: ros([1, 2, 3], ["=", "=", ">"]), "not 'more than'"),
        (lambda: substituted([]), "There are no readings."),
    ],
)
def test_what_cannot_be_estimated_is_a_sentence(call, sentence: str) -> None:
    with pytest.raises(StatisticError, match=sentence):
        call()


def test_an_unknown_convention_or_distribution_is_a_sentence() -> None:
    with pytest.raises(ChoiceError, match="smallest-detect, lowest-limit"):
        kaplan_meier([1, 2], convention="efron")
    with pytest.raises(ChoiceError, match="lognormal, normal"):
        ros([1, 2, 3], distribution="gamma")


def test_one_detect_has_a_mean_but_no_standard_error() -> None:
    found = kaplan_meier([2, 3], [True, False])
    assert np.isnan(found.se)
    assert found.why == "With one detect there is no standard error."


def test_ros_of_mostly_censored_readings_says_so() -> None:
    assert "90% of the readings are censored" in ros([1] * 27 + [2, 3, 4], [True] * 27 + [False] * 3).why


def test_substitution_says_that_it_is_for_comparison_only() -> None:
    assert substituted([1, 2], [True, False]).label.startswith("for comparison only")
