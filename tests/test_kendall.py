"""Kendall's S, Sen's slope and their intervals: published figures, brute force, and what must not matter."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pymannkendall
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from situation import kendall as module
from situation.kendall import (
    Serial,
    censored_variance,
    exact_two_sided,
    kendall,
    permutation_variance,
    score,
    two_sided,
)
from situation.trend import Trend, trend_of

FEW = settings(max_examples=40, deadline=None)
COARSE = st.integers(-6, 12).map(float)


def series(least: int = 2, most: int = 14):  # type: ignore[no-untyped-def]
    """Make times and values with many ties in both."""
    one = st.tuples(st.integers(0, 9).map(lambda t: 2000.0 + t / 3), COARSE)
    return st.lists(one, min_size=least, max_size=most)


def _oracle(shared: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(shared / "oracles" / name)


def _brute_score(x: np.ndarray, y: np.ndarray) -> int:
    return sum(
        int(np.sign(x[j] - x[i]) * np.sign(y[j] - y[i])) for i in range(len(x)) for j in range(i + 1, len(x))
    )


# --- published figures -----------------------------------------------------------------------------------


def test_epa_2009_example_17_6_sulfate(shared: Path) -> None:
    """EPA 530/R-09-007 (2009), p. 17-33, as printed by EnvStats ``kendallTrendTest``."""
    table = _oracle(shared, "epa09_17_6_sulfate.csv")
    one = trend_of(table["Sampling.Date"], table["Sulfate.ppm"])
    assert (one.n, one.S, one.var_S) == (23, 194, 1428)
    assert one.z == pytest.approx(5.107322, abs=5e-7)
    assert one.p == pytest.approx(3.267574e-07, rel=2e-7)
    assert one.tau == pytest.approx(0.7667984, abs=5e-8)
    assert one.tau_b == pytest.approx(0.77449, abs=5e-6)
    assert one.slope == pytest.approx(26.6666667, abs=5e-8)
    assert one.intercept == pytest.approx(-1909.3333333, abs=5e-8)
    assert one.slope_low == pytest.approx(20.0, abs=5e-6)
    assert one.slope_high == pytest.approx(35.71182, abs=5e-6)
    assert one.distribution == "normal"


def test_epa_2009_example_14_10_seasonal(shared: Path) -> None:
    """EPA 530/R-09-007 (2009), p. 14-38, as printed by EnvStats ``kendallSeasonalTrendTest``."""
    table = _oracle(shared, "epa09_14_8_seasonal.csv")
    one = trend_of(table["Year"], table["Unadj.Conc"], season=table["Month"])
    assert (one.S, one.df) == (35, 11)
    assert one.var_S == pytest.approx(43.0)
    assert one.z == pytest.approx(5.1849514, abs=5e-8)
    assert one.p == pytest.approx(2.160712e-07, rel=2e-7)
    assert one.tau == pytest.approx(0.9722222, abs=5e-8)
    assert one.slope == pytest.approx(0.06)
    assert (one.slope_low, one.slope_high) == pytest.approx((0.05786914, 0.07213086), abs=5e-9)
    assert one.chi2_het == pytest.approx(0.1071882, abs=5e-8)
    assert one.p_het == pytest.approx(1.0, abs=1e-6)


def test_envstats_intercept_of_seasons_is_the_median_at_their_own_slopes(shared: Path) -> None:
    """EnvStats prints -131.735, of no use with the common slope; we draw the line through the readings."""
    table = _oracle(shared, "epa09_14_8_seasonal.csv")
    own = [trend_of(some["Year"], some["Unadj.Conc"]).intercept for _, some in table.groupby("Month")]
    assert np.median(own) == pytest.approx(-131.735)
    one = trend_of(table["Year"], table["Unadj.Conc"], season=table["Month"])
    assert one.intercept + one.slope * 1984 == pytest.approx(table["Unadj.Conc"].median(), abs=0.03)


def test_gales_creek_chromium_censored(shared: Path) -> None:
    """NADA2 2.0.1, vignette: ``ATS`` without logarithms, 17 of 63 below two limits of detection.

    NADA2 prints the intercept 181.2616: it stops its bisection of the slope within 1e-7, which times the
    year is 8e-5. The staircase gives the step itself, -0.0896491228, and so 181.2617.
    """
    table = _oracle(shared, "nada2_gales_creek.csv")
    one = trend_of(table["dectime"], table["TCr"], table["CrND"] == 1)
    assert (one.n, one.n_censored, one.S) == (63, 17, -457)
    assert one.tau == pytest.approx(-0.233999, abs=5e-7)
    assert one.p == pytest.approx(0.00648, abs=5e-6)
    assert one.slope == pytest.approx(-0.0896491, abs=5e-8)
    assert one.intercept == pytest.approx(181.2616, abs=1e-4)
    assert one.slope_low < one.slope < one.slope_high < 0


def test_epa_qa_g9s_ties_in_value() -> None:
    """EPA QA/G-9S (2006), the example of p. 109: eleven readings, ties of four and of two."""
    one = trend_of(np.arange(11), [10, 10, 10, 5, 10, 20, 18, 17, 15, 24, 15])
    assert one.S == 22
    assert one.var_S == pytest.approx(155.33, abs=5e-3)
    assert one.z == pytest.approx(1.685, abs=5e-4)


def test_gilbert_1987_page_212() -> None:
    """Twenty-two readings with many ties, as others transcribed them; Gilbert prints Z = 3.1."""
    values = [20, 20, 20, 20, 15, 20, 20, 30, 27, 26, 23, 35, 25, 28, 70, 26, 24, 34, 32, 23, 50, 30]
    one = trend_of(np.arange(22), values)
    assert one.z == pytest.approx(3.1, abs=0.05)


def test_wisconsin_nr_746_table_a() -> None:
    """Wisconsin Administrative Code NR 746, appendix A: five sampling events of one contaminant."""
    assert trend_of(np.arange(5), [100, 50, 85, 75, 50]).S == -5


def test_hussain_2019_a_hundred_rising_numbers() -> None:
    """The check of pyMannKendall (Hussain and Mahmud 2019): 1 to 100; it prints p = 0, which it is not."""
    one = trend_of(np.arange(100), np.arange(1.0, 101.0))
    assert (one.S, one.var_S, one.tau) == (4950, 112750, 1)
    assert one.z == pytest.approx(14.73869998208331, rel=1e-14)
    assert 0 < one.p < 1e-48


@pytest.mark.parametrize(
    ("n", "S", "one_sided"),
    [
        # Kendall (1975), appendix table 1; Gilbert (1987), table A18; Hollander and Wolfe, table A.30.
        (4, 6, 0.042), (4, 4, 0.167), (4, 2, 0.375),
        (5, 10, 0.0083), (5, 8, 0.042), (5, 6, 0.117),
        (6, 9, 0.068), (6, 11, 0.028), (6, 15, 0.0014),
        (7, 13, 0.035), (8, 16, 0.031), (9, 18, 0.038), (10, 21, 0.036), (10, 27, 0.0083),
    ],
)  # fmt: skip
def test_exact_probabilities_are_those_of_the_tables(n: int, S: int, one_sided: float) -> None:
    digits = 5e-4 if one_sided > 0.01 else 5e-5
    assert exact_two_sided(n)[S] / 2 == pytest.approx(one_sided, abs=digits)


@pytest.mark.parametrize("n", [3, 4, 5, 6])
def test_exact_probabilities_are_counted_over_all_orders(n: int) -> None:
    scores = [_brute_score(np.arange(n), np.array(order)) for order in permutations(range(n))]
    for S, p in exact_two_sided(n).items():
        assert p == pytest.approx(np.mean(np.abs(scores) >= abs(S)))


def test_untied_up_to_ten_is_exact_and_beyond_is_normal() -> None:
    assert trend_of(np.arange(10), np.arange(10.0)).distribution == "exact"
    assert trend_of(np.arange(10), np.arange(10.0)).p == pytest.approx(2 / 3628800)
    assert trend_of(np.arange(11), np.arange(11.0)).distribution == "normal"
    assert trend_of(np.arange(5), [1, 2, 2, 3, 4]).distribution == "normal"


def test_p_never_underflows_to_zero() -> None:
    p, log10_p = two_sided(np.array([1.959964, 38.0, 40.0, 1e6]))
    assert p[0] == pytest.approx(0.05, abs=1e-6)
    assert (p > 0).all()
    assert log10_p[2] == pytest.approx(-349.136, abs=1e-3)  # R: (pnorm(-40, log.p = TRUE) + log(2)) / log(10)
    one = trend_of(np.arange(3000), np.arange(3000.0))
    assert one.p > 0
    assert one.log10_p < -1000


# --- brute force -----------------------------------------------------------------------------------------


@FEW
@given(series())
def test_score_and_slopes_agree_with_all_pairs(rows: list[tuple[float, float]]) -> None:
    x, y = np.array(rows).T
    one = trend_of(x, y)
    slopes = sorted(
        (y[j] - y[i]) / (x[j] - x[i])
        for i in range(len(x)) for j in range(i + 1, len(x)) if x[i] != x[j]
    )  # fmt: skip
    assert one.S == _brute_score(x, y) == score(x, y)
    if slopes:
        assert one.slope == pytest.approx(np.median(slopes), abs=1e-12)
    else:
        assert np.isnan(one.slope)


@FEW
@given(series(3, 6))
def test_variance_with_ties_is_that_of_all_orders(rows: list[tuple[float, float]]) -> None:
    x, y = np.array(rows).T
    scores = [_brute_score(x, np.array(order)) for order in permutations(y)]
    assert trend_of(x, y).var_S == pytest.approx(np.var(scores), abs=1e-9)


@FEW
@given(series(3, 6), st.data())
def test_permutation_variance_is_that_of_all_orders_with_bounds(
    rows: list[tuple[float, float]], data: st.DataObject
) -> None:
    x, y = np.array(rows).T
    side = np.array(data.draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=len(x), max_size=len(x))))
    low, high = module._order_codes(y, side.astype(np.int8))
    scores = [_brute_censored(x, low[list(o)], high[list(o)]) for o in permutations(range(len(x)))]
    assert permutation_variance(x, low, high) == pytest.approx(np.var(scores), abs=1e-9)


def _brute_censored(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> int:
    total = 0
    for i in range(len(x)):
        for j in range(len(x)):
            if x[i] < x[j]:
                total += int(low[j] > high[i]) - int(high[j] < low[i])
    return total


@FEW
@given(series(4, 12), st.data())
def test_censored_slope_is_where_the_score_of_the_residuals_is_zero(
    rows: list[tuple[float, float]], data: st.DataObject
) -> None:
    x, y = np.array(rows).T
    side = np.array(data.draw(st.lists(st.sampled_from([-1, 0, 0, 1]), min_size=len(x), max_size=len(x))))
    one = trend_of(x, y, side)
    if not np.isfinite(one.slope) or not side.any():
        return
    low, high = module._bounds(y, side.astype(np.int8))

    def at(slope: float) -> int:
        return _brute_censored(x, low - slope * x, high - slope * x)

    edge = 1e-7 * (1 + abs(one.slope))
    assert at(one.slope - edge) >= 0 >= at(one.slope + edge)


def test_a_limit_equal_to_a_number_is_below_it() -> None:
    assert trend_of([1, 2], [5.0, 5.0], [True, False]).S == 1
    assert trend_of([1, 2], [5.0, 5.0], [0, 1]).S == 1
    assert trend_of([1, 2], [5.0, 4.0], [True, False]).S == 0
    assert trend_of([1, 2], [5.0, 5.0], [True, True]).S == 0


def test_greater_than_is_less_than_upside_down() -> None:
    rng = np.random.default_rng(4)
    x, y = np.arange(30.0), rng.normal(0, 1, 30).round(1)
    side = np.where(y > 0.8, 1, 0)
    up, down = trend_of(x, y, side), trend_of(x, -y, -side)
    assert (up.S, up.var_S, up.p) == (-down.S, down.var_S, down.p)
    assert up.slope == pytest.approx(-down.slope)
    assert up.slope_low == pytest.approx(-down.slope_high)


def test_many_series_at_once_are_each_as_alone() -> None:
    rng = np.random.default_rng(5)
    parts = []
    for code in range(60):
        n = int(rng.integers(1, 30))
        side = rng.choice([-1, 0, 0, 0, 1], n) if code % 3 == 0 else np.zeros(n, int)
        parts.append(
            pd.DataFrame(
                {"series": code, "x": np.sort(rng.integers(0, 40, n) / 4.0), "y": rng.normal(5, 2, n).round(),
                 "side": side, "season": rng.integers(0, 3, n) if code % 2 else np.zeros(n, int)}
            )
        )  # fmt: skip
    table = pd.concat(parts)
    together = kendall(
        table["series"], table["x"], table["y"], censoring=table["side"], season=table["season"]
    )
    for code, one in enumerate(parts):
        season = one["season"] if code % 2 else None
        alone = trend_of(one["x"], one["y"], one["side"], season)
        for name in ("S", "var_S", "z", "p", "tau", "slope", "slope_low", "slope_high", "intercept"):
            expected = getattr(alone, name)
            assert getattr(together, name)[code] == pytest.approx(
                expected, rel=1e-9, abs=1e-9, nan_ok=True
            ), name


def test_a_long_series_is_searched_and_gives_what_listing_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    for decimals in (6, 1, 0):
        x = np.sort(rng.integers(0, 500, 700) / 7.0)
        y = (0.01 * x + rng.normal(0, 1, 700)).round(decimals)
        season = rng.integers(0, 2, 700)
        listed = trend_of(x, y), trend_of(x, y, season=season)
        monkeypatch.setattr(module, "PAIRS_AT_ONCE", 1000)
        searched = trend_of(x, y), trend_of(x, y, season=season)
        monkeypatch.setattr(module._Search, "SAMPLE", 50)
        monkeypatch.setattr(module._Search, "LISTED", 500)
        narrowed = trend_of(x, y), trend_of(x, y, season=season)
        monkeypatch.undo()
        for a, b in zip(listed + listed, searched + narrowed, strict=True):
            assert a.S == b.S
            for name in ("slope", "slope_low", "slope_high", "intercept"):
                assert getattr(b, name) == pytest.approx(getattr(a, name), rel=1e-7, abs=1e-12), (
                    decimals,
                    name,
                )


def test_a_long_censored_series_is_streamed_and_gives_what_listing_gives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(7)
    x, y = np.arange(400) / 12.0, rng.lognormal(0, 1, 400).round(1)
    less = y < 0.5
    y[less] = 0.5
    listed = trend_of(x, y, less)
    monkeypatch.setattr(module, "PAIRS_AT_ONCE", 1000)
    streamed = trend_of(x, y, less)
    assert _close(listed, streamed)


def _close(a: Trend, b: Trend) -> bool:
    names = ("S", "var_S", "slope", "slope_low", "slope_high", "intercept")
    return all(getattr(a, name) == pytest.approx(getattr(b, name), rel=1e-9) for name in names)


@FEW
@given(series(3))
def test_scipy_agrees_on_tau_slope_and_exact_probability(rows: list[tuple[float, float]]) -> None:
    x, y = np.array(rows).T
    one = trend_of(x, y)
    if len(set(x)) < 2 or len(set(y)) < 2:
        return
    assert one.tau_b == pytest.approx(stats.kendalltau(x, y).statistic)
    assert one.slope == pytest.approx(stats.theilslopes(y, x).slope)
    if one.distribution == "exact":
        assert one.p == pytest.approx(stats.kendalltau(x, y, method="exact").pvalue)


def test_pymannkendall_agrees_where_it_can() -> None:
    """It knows ties in value but no dates; the seasons of its test are positions in the series."""
    rng = np.random.default_rng(14)
    y = rng.normal(0, 1, 48).round(1) + 0.02 * np.arange(48)
    theirs, ours = pymannkendall.original_test(y), trend_of(np.arange(48), y)
    assert (ours.S, ours.var_S) == (theirs.s, pytest.approx(theirs.var_s))
    assert (ours.z, ours.p, ours.slope) == pytest.approx((theirs.z, theirs.p, theirs.slope))
    theirs, ours = pymannkendall.seasonal_test(y, period=12), trend_of(
        np.arange(48) // 12, y, season=np.arange(48) % 12
    )  # fmt: skip
    assert (ours.S, ours.var_S) == (theirs.s, pytest.approx(theirs.var_s))
    assert (ours.z, ours.p, ours.slope) == pytest.approx((theirs.z, theirs.p, theirs.slope))


# --- what must not matter --------------------------------------------------------------------------------


@FEW
@given(series(3), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(rows: list[tuple[float, float]], random: object) -> None:
    a = trend_of(*np.array(rows).T)
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    b = trend_of(*np.array(shuffled).T)
    assert (a.S, a.var_S, a.p) == (b.S, b.var_S, b.p)
    assert a.slope == pytest.approx(b.slope, nan_ok=True)
    assert a.intercept == pytest.approx(b.intercept, nan_ok=True)


@FEW
@given(
    series(4), st.sampled_from([1e-3, 0.25, 4.0, 1000.0]), st.sampled_from([-3.0, 0.0, 7.5]), st.booleans()
)
def test_a_change_of_unit_changes_slopes_and_nothing_else(
    rows: list[tuple[float, float]], factor: float, shift: float, censored: bool
) -> None:
    x, y = np.array(rows).T
    less = (y < 0) if censored else None
    a, b = trend_of(x, y, less), trend_of(x, y * factor + shift, less)
    assert (a.S, a.var_S, a.p) == (b.S, b.var_S, b.p)
    for name in ("slope", "slope_low", "slope_high"):
        assert getattr(b, name) == pytest.approx(factor * getattr(a, name), rel=1e-9, abs=1e-9, nan_ok=True)


@FEW
@given(series(3))
def test_a_change_of_sign_mirrors_everything(rows: list[tuple[float, float]]) -> None:
    x, y = np.array(rows).T
    a, b = trend_of(x, y), trend_of(x, -y)
    assert (a.S, a.z, a.p, a.var_S) == (-b.S, -b.z, b.p, b.var_S)
    assert a.slope == pytest.approx(-b.slope, nan_ok=True)
    assert a.slope_low == pytest.approx(-b.slope_high, nan_ok=True)


@FEW
@given(series(3), st.sampled_from([-50.0, 0.5, 1000.0]))
def test_moving_the_calendar_moves_only_the_intercept(rows: list[tuple[float, float]], shift: float) -> None:
    x, y = np.array(rows).T
    a, b = trend_of(x, y), trend_of(x + shift, y)
    assert (a.S, a.p) == (b.S, b.p)
    assert a.slope == pytest.approx(b.slope, rel=1e-9, abs=1e-9, nan_ok=True)


# --- serial correlation ----------------------------------------------------------------------------------


def _one(x: np.ndarray, y: np.ndarray, season: np.ndarray | None = None) -> module.Kendall:
    return kendall(np.zeros(len(x), int), x, y, season=season, serial=Serial())


def test_correlated_readings_are_found_and_weigh_less() -> None:
    rng = np.random.default_rng(8)
    noise = rng.normal(0, 1, 80)
    y = np.zeros(80)
    for i in range(1, 80):
        y[i] = 0.7 * y[i - 1] + noise[i]
    x = np.arange(80) / 4
    plain, corrected = trend_of(x, y), _one(x, y)
    assert corrected.serial[0] == module.CORRECTED
    assert corrected.var_S[0] > 1.5 * plain.var_S
    assert corrected.p[0] > plain.p
    assert corrected.slope[0] == plain.slope
    assert corrected.slope_low[0] < plain.slope_low


def test_the_variance_is_multiplied_as_hamed_and_rao_write() -> None:
    rng = np.random.default_rng(9)
    y = np.convolve(rng.normal(0, 1, 60), np.ones(4), "valid")
    x = np.arange(len(y), dtype=float)
    n, plain = len(y), trend_of(x, y)
    ranks = pd.Series(y - plain.slope * x).rank().to_numpy()
    centred = ranks - ranks.mean()
    total = 0.0
    for k in range(1, n // 4 + 1):
        rho = (centred[k:] * centred[:-k]).sum() / (centred**2).sum()
        total += (n - k) * (n - k - 1) * (n - k - 2) * rho if abs(rho) > 1.96 / np.sqrt(n) else 0.0
    factor = 1 + 2 * total / (n * (n - 1) * (n - 2))
    assert factor > 1
    assert _one(x, y).var_S[0] == pytest.approx(plain.var_S * factor)


def test_white_noise_is_rarely_called_correlated() -> None:
    rng = np.random.default_rng(10)
    who, x = np.repeat(np.arange(200), 40), np.tile(np.arange(40.0), 200)
    found = kendall(who, x, rng.normal(0, 1, 8000), serial=Serial())
    assert 0.0 < (found.serial == module.CORRECTED).mean() < 0.1


def test_irregular_times_are_not_checked() -> None:
    x = np.sort(np.random.default_rng(11).uniform(0, 20, 60))
    assert _one(x, np.sin(x)).serial[0] == module.NOT_CHECKED


def test_hirsch_and_slack_covariance_of_a_season_with_itself_is_its_variance() -> None:
    """The estimator, put to one untied season twice, must give n(n-1)(2n+5)/18 (Dietz and Killeen 1981)."""
    y = np.random.default_rng(12).permutation(12).astype(float)
    time = np.concatenate([2000 + np.arange(12) + 0.1, 2000 + np.arange(12) + 0.6])
    order = np.argsort(time)
    season = np.repeat([0, 1], 12)
    added = module._between_seasons(time[order], np.tile(y, 2)[order], season[order])
    assert added / 2 == pytest.approx(12 * 11 * 29 / 18)


def test_correlated_seasons_weigh_less() -> None:
    rng = np.random.default_rng(13)
    years = np.repeat(rng.normal(0, 1, 15), 4)
    x, season = 2000 + np.arange(60) / 4, np.tile(np.arange(4), 15)
    y = years + np.tile([0.0, 5.0, 2.0, 9.0], 15) + rng.normal(0, 0.2, 60)
    found, plain = _one(x, y, season), trend_of(x, y, season=season)
    assert found.serial[0] == module.CORRECTED
    assert 2 * plain.var_S < found.var_S[0] < 5 * plain.var_S


def test_one_detect_after_many_non_detects_is_chance_as_counted_over_all_orders():
    n = 10
    side = np.array([-1] * (n - 1) + [0], np.int8)
    value = np.where(side < 0, 1.0, 3.0)
    # The detect may stand in any of ten places: S is then -9, -7, ..., 9.
    by_place = [2 * place - (n - 1) for place in range(n)]
    found = censored_variance(np.arange(n, dtype=float)[None], value[None], side[None])
    assert found[0] == pytest.approx(np.mean(np.square(by_place)))
