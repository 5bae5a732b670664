"""Confidence limits: the worked examples of the guidance, and what must hold whatever the data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from situation.confidence import (
    land_limit,
    lower_limit,
    mean_limit,
    nonparametric_limit,
    percentile_limit,
    readings_needed,
    shapiro_wilk,
    trend_band,
    upper_limit,
)
from situation.errors import ChoiceError, StatisticError

#: EPA (2009), example 22-1: vinyl chloride (ppb) in two wells, four quarters of four years.
VINYL = {
    "GW-1": [6.3, 9.5, 8.1, 11.9, 7.3, 11.2, 6.0, 7.5, 8.4, 6.4, 8.9, 4.9, 9.6, 9.7, 8.7, 8.7],
    "GW-2": [5.9, 3.0, 8.8, 12.0, 11.2, 8.6, 12.6, 7.2, 13.8, 5.6, 11.0, 9.8, 6.3, 10.4, 7.5, 9.7],
}
#: EPA (2009), example 21-6: nitrate (mg/L) in a drinking-water well.
NITRATE = [5, 12.3, 5, 5, 8.1, 5, 11, 35.1, 5, 5, 9.3, 10.3]
NITRATE_DARK = [True, False, True, True, False, True, False, False, True, True, False, False]
#: EPA (1992), Publication 9285.7-081, highlights 7 and 8: chromium (mg/kg) in soil.
CHROMIUM = [10, 13, 20, 36, 41, 59, 67, 110, 110, 136, 140, 160, 200, 230, 1300]
#: EPA (1994), Gilbert et al.: TcCB (ppb) of the reference area.
TCCB = """0.22 0.23 0.26 0.27 0.28 0.28 0.29 0.33 0.34 0.35 0.38 0.39 0.39 0.42 0.42 0.43 0.45 0.46 0.48 0.50
0.50 0.51 0.52 0.54 0.56 0.56 0.57 0.57 0.60 0.62 0.63 0.67 0.69 0.72 0.74 0.76 0.79 0.81 0.82 0.84 0.89 1.11
1.13 1.14 1.14 1.20 1.33"""


def oracle(shared: Path, name: str) -> tuple[dict, pd.DataFrame]:
    """Read one published case and its readings."""
    cases = json.loads((shared / "oracles" / "oracles.json").read_text("utf-8"))["cases"]
    case = next(one for one in cases if one["id"] == name)
    return case["expect"], pd.read_csv(shared / "oracles" / case["input"])


@pytest.fixture
def benzene(shared: Path) -> list[float]:
    """Return example 21-2, its non-detect replaced by half of its limit as the guidance does."""
    _, data = oracle(shared, "ucl_epa09_21_2")
    return list(np.where(data["Censored"], data["Benzene.ppb"] / 2, data["Benzene.ppb"]))


# -- Published cases: means ---------------------------------------------------------------------------


def test_epa_2009_example_21_1_normal_mean(shared: Path) -> None:
    expect, data = oracle(shared, "lcl_epa09_21_1")
    for (well, readings), over in zip(data.groupby("Well")["Aldicarb.ppb"], expect["exceeds"], strict=True):
        found = lower_limit(readings)
        digits = 5 if well == "Well.1" else 2
        assert round(found.limit, digits) == expect["LCL"][well]
        assert (found.limit > 7) is over


def test_epa_2009_example_21_2_geometric_mean(shared: Path, benzene: list[float]) -> None:
    expect, _ = oracle(shared, "ucl_epa09_21_2")
    found = upper_limit(benzene, distribution="lognormal", of="geometric-mean")
    assert found.limit == pytest.approx(expect["UCL"], abs=5e-7)


def test_epa_2009_example_21_3_land(benzene: list[float]) -> None:
    # EnvStats Chapter21Examples.R, elnormAlt(ci.method = "land"): UCL = 18.86139.
    assert upper_limit(benzene, distribution="lognormal").limit == pytest.approx(18.86139, abs=5e-6)


def test_epa_1992_highlights_7_and_8_land_and_normal() -> None:
    # EnvStats ?elnormAlt: 496.6282 by Land, 320.3304 by Student's t.
    assert upper_limit(CHROMIUM, distribution="lognormal").limit == pytest.approx(496.6282, abs=5e-5)
    assert upper_limit(CHROMIUM).limit == pytest.approx(320.3304, abs=5e-5)


def test_epa_qa_g_9s_box_3_12_land() -> None:
    # Printed with H = 1.9939 interpolated in a table: 10.97.
    value = [8.12, 7.32, 4.82, 6.52, 7.80, 11.89, 12.94, 7.51, 18.14, 4.09, 5.70, 15.57, 6.68, 8.15, 5.56]
    assert upper_limit(value, distribution="lognormal").limit == pytest.approx(10.97, abs=0.015)


def test_epa_1994_tccb_land_on_both_sides() -> None:
    # EnvStats ?elnormAlt, two-sided 95 %: 0.5243787 to 0.7016992.
    value = [float(one) for one in TCCB.split()]
    low, high = (
        mean_limit(value, side=side, confidence=0.975, distribution="lognormal").limit
        for side in ("lower", "upper")
    )
    assert (low, high) == pytest.approx((0.5243787, 0.7016992), abs=5e-8)


@pytest.mark.parametrize(
    ("well", "years", "confidence", "printed"),
    [
        ("GW-1", (2, 2), 1 - 0.1633382, 6.693358),
        ("GW-2", (2, 2), 1 - 0.1633382, 8.469282),
        ("GW-1", (2, 2), 0.99, 2.926725),
        ("GW-2", (2, 2), 0.99, 4.34498),
        ("GW-1", (1, 2), 1 - 0.0458989, 6.963887),
        ("GW-2", (2, 3), 1 - 0.0458989, 8.078256),
        ("GW-1", (2, 4), 1 - 0.01311214, 6.798091),
        ("GW-2", (2, 4), 1 - 0.01311214, 7.609904),
    ],
)
def test_epa_2009_example_22_1_vinyl_chloride(
    well: str, years: tuple[int, int], confidence: float, printed: float
) -> None:
    # EnvStats Chapter22Examples.R, steps 2 to 6.
    readings = VINYL[well][4 * (years[0] - 1) : 4 * years[1]]
    assert lower_limit(readings, confidence=confidence).limit == pytest.approx(printed, abs=2e-6)


def test_nada2_vignette_pyrene_interval_of_the_kaplan_meier_mean(shared: Path) -> None:
    expect, data = oracle(shared, "km_shepyrene")
    ends = [
        mean_limit(data["Pyrene"], data["PyreneCen"], side=side, confidence=0.975).limit
        for side in ("lower", "upper")
    ]
    assert ends == pytest.approx(expect["ci95_t"], abs=5e-6)


# -- Published cases: percentiles and order statistics ------------------------------------------------


def test_epa_2009_example_21_4_noncentral_t(shared: Path) -> None:
    expect, data = oracle(shared, "pctl_epa09_21_4")
    wells = [readings for _, readings in data.groupby("Well")["Aldicarb.ppb"]]
    for side, name in (("lower", "LCL"), ("upper", "UCL")):
        found = [percentile_limit(one, percentile=95, side=side, confidence=0.99).limit for one in wells]
        assert found[0] == pytest.approx(expect[name][0], abs=6e-6)
        assert [round(one, 2) for one in found[1:]] == expect[name][1:]


def test_epa_2009_example_17_3_tolerance_limit_of_chrysene() -> None:
    # EnvStats Chapter17Examples.R: the upper tolerance limit, 95 % coverage, 95 % confidence, is 90.9247.
    background = [19.7, 39.2, 7.8, 12.8, 10.2, 7.2, 16.1, 5.7]
    found = percentile_limit(background, percentile=95, side="upper", distribution="lognormal")
    assert found.limit == pytest.approx(90.9247, abs=5e-5)


def test_epa_2009_example_21_5_order_statistics(shared: Path) -> None:
    expect, data = oracle(shared, "np_epa09_21_5")
    found = nonparametric_limit(data["Beryllium.ppb"], confidence=0.99)
    assert (found.limit, found.rank, round(found.achieved, 4)) == (expect["LCL"], 4, expect["conf"])
    # The same example, step 4: the geometric mean's limit, for comparison.
    other = lower_limit(data["Beryllium.ppb"], confidence=0.99, distribution="lognormal", of="geometric-mean")
    assert other.limit == pytest.approx(4.129290, abs=5e-7)
    # Who may not have less than 99 % takes one rank lower.
    strict = nonparametric_limit(data["Beryllium.ppb"], confidence=0.99, ranks="at-least")
    assert (strict.rank, strict.limit, strict.achieved >= 0.99) == (3, 3.39, True)


def test_epa_2009_example_21_6_nitrate() -> None:
    found = nonparametric_limit(NITRATE, NITRATE_DARK, percentile=95)
    assert (found.rank, found.limit, round(found.achieved, 2)) == (10, 11, 0.98)
    above = nonparametric_limit(NITRATE, NITRATE_DARK, percentile=95, side="upper")
    assert (above.rank, above.limit, round(above.achieved, 2), above.needed) == (12, 35.1, 0.46, 59)
    assert above.why == ("12 readings are too few: even the largest gives 46.0% instead of 95%; it takes 59.")


def test_epa_2009_example_17_4_copper() -> None:
    # EnvStats Chapter17Examples.R: 24 background readings, the largest 9.2, cover 88 % with 95 % confidence.
    seen = [7.5, 6.4, 6.0, 9.2, 6.1, 8.0, 5.9, 5.4, 6.7]
    found = nonparametric_limit([5.0] * 15 + seen, [True] * 15 + [False] * 9, percentile=88, side="upper")
    assert (found.rank, found.limit) == (24, 9.2)
    assert found.achieved == pytest.approx(1 - 0.88**24)


# -- Published cases: a band round a line -------------------------------------------------------------


def test_epa_2009_example_21_7_band(shared: Path) -> None:
    expect, data = oracle(shared, "trend_band_epa09_21_7")
    found = trend_band(data["Month"], data["TCE.ppb"], [30, 26])
    assert (found.slope, found.intercept) == pytest.approx((expect["slope"], expect["intercept"]), abs=5e-8)
    assert list(found.high) == pytest.approx([expect["ucl95_month30"], expect["ucl95_month26"]], abs=5e-6)
    # EnvStats prints the lower ends too, and the test of the residuals.
    assert list(found.low) == pytest.approx([2.380887, 9.6425], abs=5e-6)
    assert found.normal_p == pytest.approx(0.801618, abs=5e-7)
    # Step 5, without the trend.
    assert upper_limit(data["TCE.ppb"]).limit == pytest.approx(39.40956, abs=5e-6)


def test_the_guidance_prints_the_simultaneous_band(shared: Path) -> None:
    # The errata of 2010 print 12.87 and 18.14: equation 21.25 with sqrt(2 F), not Student's t.
    _, data = oracle(shared, "trend_band_epa09_21_7")
    found = trend_band(data["Month"], data["TCE.ppb"], [30, 26], simultaneous=True)
    assert found.high.round(2).tolist() == [12.87, 18.14]


# -- Shapiro-Wilk -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "w", "p"),
    [
        # EnvStats on the guidance's examples 21-2 (raw and logarithms), 17-3 and 21-5.
        ([0.5, 0.5, 1.6, 1.8, 1.1, 16.1, 1.6, 0.25], 0.5208992, 1.841521e-05),
        (np.log([0.5, 0.5, 1.6, 1.8, 1.1, 16.1, 1.6, 0.25]), 0.896502, 0.2686297),
        ([19.7, 39.2, 7.8, 12.8, 10.2, 7.2, 16.1, 5.7], 0.7978882, 0.02717253),
        (np.log([19.7, 39.2, 7.8, 12.8, 10.2, 7.2, 16.1, 5.7]), 0.9564116, 0.7753094),
        ([19.9, 29.6, 18.7, 24.2], None, 0.5469869),
        (np.log(CHROMIUM), 0.9607179, 0.7048747),
    ],
)
def test_shapiro_wilk_as_printed(value, w: float | None, p: float) -> None:
    found_w, found_p = (float(one[0]) for one in shapiro_wilk(value))
    assert found_p == pytest.approx(p, rel=3e-6)
    if w is not None:
        assert found_w == pytest.approx(w, abs=1e-7)


def test_shapiro_wilk_of_many_samples_agrees_with_scipy() -> None:
    from scipy import stats

    chance = np.random.default_rng(8)
    for n in (3, 4, 5, 6, 11, 12, 40, 500):
        many = chance.lognormal(0, 0.7, (3, n))
        w, p = shapiro_wilk(many)
        for row in range(3):
            other = stats.shapiro(many[row])
            assert (w[row], p[row]) == pytest.approx((other.statistic, other.pvalue), abs=1e-7)


def test_equal_readings_are_neither_normal_nor_not() -> None:
    assert np.isnan(shapiro_wilk([[0.1, 0.1, 0.1, 0.1]])[1][0])


# -- What must hold -----------------------------------------------------------------------------------

values = st.lists(st.floats(0.01, 1000), min_size=4, max_size=20).filter(
    lambda some: np.std(some) > 1e-3 * np.mean(some)
)


@settings(max_examples=40, deadline=None)
@given(values, st.sampled_from([0.001, 1000.0]))
def test_limits_follow_the_unit_and_the_lower_lies_under_the_upper(value, factor) -> None:
    for distribution in ("normal", "lognormal", "nonparametric"):
        low, high = (mean_limit(value, side=s, distribution=distribution).limit for s in ("lower", "upper"))
        assert low <= high
        scaled = mean_limit([one * factor for one in value], side="lower", distribution=distribution)
        assert scaled.limit == pytest.approx(low * factor, rel=1e-7)


@settings(max_examples=30, deadline=None)
@given(values)
def test_more_confidence_is_a_wider_limit(value) -> None:
    for distribution in ("normal", "lognormal", "nonparametric"):
        found = [
            mean_limit(value, confidence=one, distribution=distribution).limit for one in (0.8, 0.95, 0.99)
        ]
        assert found == sorted(found, reverse=True)


@settings(max_examples=30, deadline=None)
@given(values, st.sampled_from([10.0, 50.0, 95.0]))
def test_a_high_reading_is_no_less_careful_as_less_than(value, share) -> None:
    # To know less can only make a lower limit lower.
    dark = np.zeros(len(value), bool)
    dark[int(np.argmax(value))] = True
    one = nonparametric_limit(value, percentile=share)
    two = nonparametric_limit(value, dark, percentile=share)
    assert np.isnan(two.limit) or two.limit <= one.limit


def test_land_covers_the_mean_as_often_as_it_says() -> None:
    chance = np.random.default_rng(21)
    logs = chance.normal(0, 1, (4000, 6))
    mean = np.exp(0.5)
    for side, right in (("lower", lambda x: x < mean), ("upper", lambda x: x > mean)):
        found = land_limit(logs.mean(axis=1), logs.std(axis=1, ddof=1), 6, side=side)
        assert right(found).mean() == pytest.approx(0.95, abs=0.012)


def test_land_of_many_is_land_of_each() -> None:
    mean, sd, n = [0.0, 1.0, -2.0, 0.3], [0.1, 1.0, 2.5, 0.0], [2, 5, 30, 9]
    together = land_limit(mean, sd, n)
    alone = [land_limit(a, b, c)[0] for a, b, c in zip(mean, sd, n, strict=True)]
    assert together.tolist() == pytest.approx(alone, rel=1e-9)
    assert together[3] == pytest.approx(np.exp(0.3))


# -- Bad input ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: lower_limit([]), "There are no readings; a confidence limit takes at least two"),
        (lambda: lower_limit([5]), "There is one reading; a confidence limit takes at least two"),
        (lambda: lower_limit([5, 5, 5]), r"All 3 readings are equal \(5\)"),
        (lambda: lower_limit([5, 6], [True, True]), "All 2 readings are censored"),
        (lambda: lower_limit([5, 6, 7], [True, True, False]), "With one detect there is no standard error"),
        (lambda: lower_limit([0, 6, 7], distribution="lognormal"), "1 is zero"),
        (lambda: percentile_limit([-1, 6, 7], distribution="lognormal"), "1 is negative"),
        (lambda: nonparametric_limit([]), "There are no readings"),
        (lambda: trend_band([1, 2], [1, 2], [3]), "at least three readings; there are 2"),
        (lambda: trend_band([1, 1, 1], [1, 2, 3], [3]), "All 3 readings are of one time"),
        (lambda: trend_band([1, 2, 3], [1, 2], [3]), "3 times but 2 readings"),
        (lambda: shapiro_wilk([1, 2]), "3 to 5,000 readings, not 2"),
    ],
)
def test_what_has_no_limit_is_a_sentence(call, sentence: str) -> None:
    with pytest.raises(StatisticError, match=sentence):
        call()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: lower_limit([1, 2, 3], confidence=95), "A confidence of 95 is none"),
        (lambda: lower_limit([1, 2, 3], distribution="gamma"), "normal, lognormal, nonparametric"),
        (lambda: lower_limit([1, 2, 3], distribution="lognormal", of="mode"), "mean, geometric-mean"),
        (lambda: mean_limit([1, 2, 3], side="left"), "lower, upper"),
        (lambda: percentile_limit([1, 2, 3], percentile=0), "between 0 and 100"),
        (lambda: nonparametric_limit([1, 2, 3], ranks="best"), "nearest, at-least"),
    ],
)
def test_a_choice_that_does_not_exist_is_a_sentence(call, sentence: str) -> None:
    with pytest.raises(ChoiceError, match=sentence):
        call()


def test_a_rank_under_the_limit_of_detection_is_no_number() -> None:
    found = nonparametric_limit([1, 1, 1, 1, 5, 6], [True] * 4 + [False] * 2)
    assert np.isnan(found.limit)
    assert found.why == "The reading of rank 1 of 6 is under its limit of detection; the limit is not known."


def test_how_many_readings_it_takes() -> None:
    assert [readings_needed(0.5, "lower", one) for one in (0.9, 0.95, 0.99)] == [4, 5, 7]
    assert readings_needed(0.95, "upper", 0.95) == 59  # the well-known number
