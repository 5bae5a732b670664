"""The trend of every series: rules, choice of method, sentences, calendar and lines."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from situation.errors import ChoiceError
from situation.trend import (
    RULES,
    Rules,
    band,
    decimal_years,
    from_decimal_years,
    line_band,
    smooth,
    trend_of,
    trends,
)

PLAIN = replace(RULES, seasonal_years=np.inf)


def table(*series: list[tuple[str, float] | tuple[str, float, str]]) -> pd.DataFrame:
    """Make a table of readings from dates, values and marks."""
    rows = [
        (code, reading[0], reading[1], reading[2] if len(reading) > 2 else "=")
        for code, one in enumerate(series) for reading in one
    ]  # fmt: skip
    made = pd.DataFrame(rows, columns=["series", "time", "value", "censoring"])
    made["time"] = pd.to_datetime(made["time"], utc=True).astype("datetime64[us, UTC]")
    return made.astype({"value": "float64", "censoring": "str"})


def yearly(values: list[float], first: int = 2010) -> list[tuple[str, float]]:
    return [(f"{first + i}-06-15", value) for i, value in enumerate(values)]


RISING = yearly([1, 2, 3, 5, 4, 6, 7, 8, 9, 10])


# --- the calendar ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("time", "years"),
    [
        ("2023-01-01", 2023.0),
        ("2023-07-02 12:00", 2023.5),
        ("2024-07-02", 2024.5),  # a leap year is a day longer
        ("1969-12-31", 1969 + 364 / 365),
        ("0999-01-01", 999.0),
    ],
)
def test_decimal_years_follow_the_calendar(time: str, years: float) -> None:
    stamp = pd.DatetimeIndex([np.datetime64(time, "us")]).tz_localize("UTC")
    assert decimal_years(stamp)[0] == pytest.approx(years, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.datetimes(pd.Timestamp("1700-01-01").to_pydatetime(), pd.Timestamp("2200-01-01").to_pydatetime()))
def test_decimal_years_and_back(time: object) -> None:
    stamp = pd.DatetimeIndex([np.datetime64(time, "us")]).tz_localize("UTC")
    assert abs(from_decimal_years(decimal_years(stamp))[0] - stamp[0]) <= pd.Timedelta(seconds=1)


def test_no_time_is_no_year() -> None:
    assert np.isnan(decimal_years([pd.NaT])).all()
    assert pd.isna(from_decimal_years([np.nan, np.inf, 1e9, -4])).all()


# --- what is answered ------------------------------------------------------------------------------------


def test_rising_falling_and_neither() -> None:
    found = trends(table(RISING, [(day, -v) for day, v in RISING], yearly([3, 1, 4, 1, 5, 9, 2, 6, 5, 3])))
    assert list(found["trend"]) == ["rising", "falling", "no clear trend"]
    assert list(found["why"]) == ["", "", ""]
    assert found["slope"].iloc[0] == pytest.approx(1.0, abs=0.01)
    assert list(found["serial_correlation"]) == ["not checked"] * 3


def test_the_table_says_what_one_series_alone_says() -> None:
    one = table(RISING)
    row, alone = trends(one).iloc[0], trend_of(decimal_years(one["time"]), one["value"])
    for name in ("n", "S", "var_S", "z", "p", "tau", "slope", "slope_low", "slope_high", "intercept"):
        assert row[name] == getattr(alone, name), name
    assert row["distribution"] == "exact"


@pytest.mark.parametrize(
    ("readings", "why"),
    [
        ([("2020-01-01", 5)], "One reading: a trend needs 8 readings over 2 years."),
        (
            [("2020-01-01", v) for v in range(9)],
            "All 9 readings are of one instant, 2020-01-01: a trend needs 8 readings over 2 years.",
        ),
        (
            [(day, v, "<") for day, v in RISING],
            "All 10 readings are below or above a limit of measurement: nothing is known of a trend.",
        ),
        (RISING[:7], "7 readings: a trend needs 8 readings over 2 years."),
        (
            [(f"2020-{m:02}-01", m) for m in range(1, 11)],
            "The 10 readings cover 0.7 years: a trend needs 8 readings over 2 years.",
        ),
        (
            [(f"2020-01-{d:02}", d) for d in range(1, 11)],
            "The 10 readings cover 9 days: a trend needs 8 readings over 2 years.",
        ),
        (
            [(day, v, "=" if v < 3 else "<") for day, v in RISING],
            "Only 2 of 10 readings have a number, the others are below or above a limit of measurement: "
            "a trend needs 4 and one in 5.",
        ),
        (
            [("1920-01-01", 1), ("1920-06-01", 2), *yearly([5, 6, 7, 8, 9, 10], 2020)],
            "There is no reading from 1920-06-01 to 2020-06-15, 100 of the 105 years. "
            "A trend is not read across such a gap; compare the periods on either side.",
        ),
        (
            [*[("2010-01-01", v) for v in range(4)], *[("2015-01-01", v) for v in range(4)]],
            "The 8 readings are of 2 instants: a trend needs 5 different ones.",
        ),
    ],
)  # fmt: skip
def test_not_enough_readings_is_an_answer_with_its_sentence(readings: list, why: str) -> None:
    row = trends(table(readings, RISING)).iloc[0]
    assert (row["trend"], row["why"]) == ("not enough readings", why)
    assert row[["S", "p", "tau", "slope", "slope_low", "slope_high", "intercept"]].isna().all()
    assert row["method"] == ""


def test_equal_readings_have_no_trend_and_say_so() -> None:
    row = trends(table(yearly([5.0] * 10))).iloc[0]
    assert (row["trend"], row["S"], row["p"], row["slope"]) == ("no clear trend", 0, 1, 0)
    assert (row["slope_low"], row["slope_high"]) == (0, 0)
    assert row["why"] == "All 10 readings are 5: there is no trend to see."


def test_repeated_instants_and_long_gaps_are_said_beside_the_answer() -> None:
    twice = [RISING[0], *RISING]
    gap = [*yearly([1, 2, 3, 4, 5], 1990), *yearly([6, 7, 8, 9, 10], 2000)]
    found = trends(table(twice, gap))
    assert list(found["trend"]) == ["rising", "rising"]
    assert found["why"].iloc[0] == (
        "1 of 11 readings is of the same instant as another: pairs of one instant are not compared."
    )
    assert found["why"].iloc[1] == "There is no reading from 1994-06-15 to 2000-06-15, 6 of the 14 years."


def test_zero_and_negative_numbers_are_numbers() -> None:
    row = trends(table(yearly([-5, -4, -3, -2, -1, 0, 1, 2, 3, 4]))).iloc[0]
    assert (row["trend"], row["S"]) == ("rising", 45)
    assert row["slope"] == pytest.approx(1.0, abs=0.01)


def test_a_significant_trend_of_slope_zero_is_explained() -> None:
    values = [0.0] * 30 + [1.0] * 10
    made = table([(f"{1990 + i // 2}-0{1 + 6 * (i % 2)}-01", v) for i, v in enumerate(values)])
    row = trends(made, rules=replace(RULES, serial=None)).iloc[0]
    assert (row["trend"], row["slope"]) == ("rising", 0)
    assert "The median slope is 0 because many readings are equal" in row["why"]


def test_codes_without_readings_and_an_empty_table() -> None:
    made = table(RISING)
    made["series"] = 2
    found = trends(made)
    assert list(found["trend"]) == ["not enough readings", "not enough readings", "rising"]
    assert found["why"].iloc[0] == "No reading: a trend needs 8 readings over 2 years."
    assert found["first_time"].isna().tolist() == [True, True, False]
    empty = trends(table())
    assert len(empty) == 0
    assert list(empty.columns) == list(found.columns)
    assert (empty.dtypes == found.dtypes).all()


def test_rows_without_a_number_or_a_time_are_left_out() -> None:
    made = table([*RISING, ("2021-01-01", np.nan)], RISING)
    made.loc[len(made) - 1, "time"] = pd.NaT
    assert list(trends(made)["n"]) == [10, 9]


@pytest.mark.parametrize("confidence", [0.0, 0.4, 1.0, 95.0])
def test_a_confidence_that_is_none_is_refused(confidence: float) -> None:
    with pytest.raises(ChoiceError, match="is not between 0.5 and 1; 0.95 is usual"):
        trends(table(RISING), confidence=confidence)


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ChoiceError, match="there are 2 times, 3 values"):
        trend_of([1, 2], [1, 2, 3])
    with pytest.raises(ChoiceError, match="'~' is no mark of censoring"):
        trend_of([1, 2], [1, 2], ["=", "~"])
    with pytest.raises(ChoiceError, match="A mark of censoring is -1"):
        trend_of([1, 2], [1, 2], [0, 7])


@pytest.mark.parametrize(
    ("time", "value", "censored", "why"),
    [
        ([], [], None, "There is no reading with both a time and a number."),
        ([np.nan], [1.0], None, "There is no reading with both a time and a number."),
        ([1], [1], None, "One reading says nothing of a trend."),
        ([1, 1, 1], [1, 2, 3], None, "All 3 readings are of one instant: they say nothing of a trend."),
        ([1, 2, 3], [2, 2, 2], None, "All 3 readings are 2: there is no trend to see."),
        (
            [1, 2, 3], [2, 2, 2], ["<", "<", "<"],
            "All 3 readings are below or above a limit of measurement: the slope is unknown.",
        ),
    ],
)  # fmt: skip
def test_one_odd_series_says_what_is_odd(time: list, value: list, censored: object, why: str) -> None:
    one = trend_of(time, value, censored)
    assert one.why == why
    assert one.S == 0


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_no_series_brings_a_warning_or_an_impossible_answer(data: st.DataObject) -> None:
    days = st.one_of(st.integers(0, 40), st.integers(0, 60_000))
    values = st.one_of(st.sampled_from([0.0, -1.0, 1e-300, 1e300, 5.0]), st.floats(-1e6, 1e6))
    reading = st.tuples(days, values, st.sampled_from("==<>"))
    made = data.draw(st.lists(st.lists(reading, max_size=16), min_size=1, max_size=4))
    start = pd.Timestamp("1900-01-01", tz="UTC")
    rows = [(code, start + pd.Timedelta(days=d), v, c) for code, one in enumerate(made) for d, v, c in one]
    readings = pd.DataFrame(rows, columns=["series", "time", "value", "censoring"])
    readings["time"] = pd.to_datetime(readings["time"], utc=True).astype("datetime64[us, UTC]")
    few = Rules(min_readings=1, min_instants=1, min_years=0, min_detected=0, max_share_censored=0.99)
    readings = readings.astype({"series": "int64", "value": "float64", "censoring": "str"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = trends(readings, rules=data.draw(st.sampled_from([RULES, few])))
    worked = found[found["trend"] != "not enough readings"]
    assert ((worked["p"] > 0) & (worked["p"] <= 1)).all()
    assert (found.loc[found["trend"] == "not enough readings", "why"] != "").all()
    known = worked[["slope_low", "slope", "slope_high"]].dropna()
    assert (known["slope_low"] <= known["slope"] + 1e-9 * known["slope"].abs()).all()
    assert (known["slope_high"] >= known["slope"] - 1e-9 * known["slope"].abs()).all()


def test_units_and_the_order_of_rows_do_not_matter() -> None:
    rng = np.random.default_rng(1)
    made = table(*[
        [(f"{y}-{m:02}-{1 + int(rng.integers(27)):02}", float(rng.lognormal()), str(rng.choice(["=", "=", "<"])))
         for y in range(2005, 2015) for m in (1, 4, 7, 10)]
        for _ in range(6)
    ])  # fmt: skip
    plain = trends(made)
    milli = trends(made.assign(value=made["value"] * 1000))
    mixed = trends(made.sample(frac=1, random_state=3))
    assert list(plain["trend"]) == list(milli["trend"])
    np.testing.assert_allclose(milli["p"], plain["p"])
    np.testing.assert_allclose(milli["slope_low"], 1000 * plain["slope_low"])
    pd.testing.assert_frame_equal(mixed, plain)


# --- which method ----------------------------------------------------------------------------------------


def _sampled(per_year: int, years: int, seed: int = 2) -> list[tuple[str, float]]:
    rng = np.random.default_rng(seed)
    step = 12 // per_year
    return [
        (f"{2000 + y}-{1 + step * s:02}-{10 + int(rng.integers(10))}", float(10 * s + y + rng.normal()))
        for y in range(years) for s in range(per_year)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("readings", "method"),
    [
        (_sampled(12, 6), "seasonal Kendall"),
        (_sampled(4, 6), "seasonal Kendall"),
        (_sampled(4, 3), "Mann-Kendall"),  # less than three years
        (_sampled(2, 8), "Mann-Kendall"),  # two seasons are not the year round
        (RISING, "Mann-Kendall"),
        ([(day, v, "<" if v < 3 else "=") for day, v in RISING], "censored Kendall"),
        ([(day, v, ">" if v > 9 else "=") for day, v in RISING], "censored Kendall"),
        ([(day, v, "<" if v < 5 else "=") for day, v in _sampled(12, 6)], "seasonal censored Kendall"),
    ],
)
def test_the_method_follows_the_stated_rules(readings: list, method: str) -> None:
    row = trends(table(readings)).iloc[0]
    assert row["method"] == method
    assert row["seasonal"] == method.startswith("seasonal")


def test_a_season_is_not_taken_for_noise() -> None:
    made = table(_sampled(12, 8))
    seasonal, plain = trends(made).iloc[0], trends(made, rules=PLAIN).iloc[0]
    assert seasonal["p"] < 1e-6 < plain["p"]
    assert seasonal["slope"] == pytest.approx(1.0, abs=0.15)
    assert seasonal["df"] == 11


def test_gales_creek_by_quarters(shared: Path) -> None:
    """63 readings in ten years are too few for months; by quarters the fall of chromium is clear."""
    raw = pd.read_csv(shared / "oracles" / "nada2_gales_creek.csv")
    made = table(list(zip(raw["Date"], raw["TCr"], np.where(raw["CrND"] == 1, "<", "="), strict=True)))
    row = trends(made).iloc[0]
    assert (row["method"], row["df"], row["trend"]) == ("seasonal censored Kendall", 3, "falling")
    whole = trends(made, rules=PLAIN).iloc[0]
    assert (whole["S"], whole["n_censored"]) == (-457, 17)
    assert whole["p"] == pytest.approx(0.00648, abs=5e-6)


def test_regular_readings_are_checked_for_serial_correlation() -> None:
    rng = np.random.default_rng(3)
    noise = np.zeros(60)
    for i in range(1, 60):
        noise[i] = 0.8 * noise[i - 1] + rng.normal()
    yearly_noise = [(f"{1950 + i}-06-15", v) for i, v in enumerate(noise)]
    white = [(f"{1950 + i}-06-15", v) for i, v in enumerate(rng.normal(size=60))]
    irregular = [(f"{1950 + i}-{1 + 11 * (i % 2):02}-15", v) for i, v in enumerate(noise)]
    found = trends(table(yearly_noise, white, irregular))
    assert list(found["serial_correlation"]) == ["found, corrected", "none found", "not checked"]
    alone = trend_of(decimal_years(table(yearly_noise)["time"]), noise)
    assert found["var_S"].iloc[0] > alone.var_S


# --- what is drawn ---------------------------------------------------------------------------------------


def test_the_band_holds_the_line_and_is_narrowest_at_the_median_time() -> None:
    rng = np.random.default_rng(4)
    made = table(yearly(list(5 + 0.3 * np.arange(30) + rng.normal(size=30)), 1990))
    row = trends(made).iloc[0]
    drawn = band(made, row)
    assert (drawn["low"] <= drawn["estimate"]).all()
    assert (drawn["estimate"] <= drawn["high"]).all()
    width = (drawn["high"] - drawn["low"]).to_numpy()
    assert abs(int(width.argmin()) - 15) <= 1
    t = decimal_years(drawn["time"])
    np.testing.assert_allclose(drawn["estimate"], row["intercept"] + row["slope"] * t)
    wider = band(made, row, made["time"], confidence=0.99)
    assert (wider["high"] > drawn["high"]).all()


def test_the_band_holds_the_true_line_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    years = np.arange(40) / 2
    t = from_decimal_years(np.tile(2000 + years, 150))
    y = 3 + 0.2 * np.tile(years, 150) + rng.standard_t(4, 6000)
    made = pd.DataFrame({"series": np.repeat(np.arange(150), 40), "time": t, "value": y, "censoring": "="})
    rows = trends(made, rules=replace(PLAIN, serial=None))
    at, true = np.array([2000.0, 2010.0, 2020.0]), 3 + 0.2 * np.array([0.0, 10.0, 20.0])
    drawn = [line_band(row, at) for _, row in rows.iterrows()]
    hit = [(low <= true) & (true <= high) for _, low, high in drawn]
    assert 0.90 <= np.mean(hit) <= 0.995


def test_a_series_without_a_line_has_no_band() -> None:
    made = table(RISING[:3])
    assert band(made, trends(made).iloc[0])["estimate"].isna().all()


def test_the_smooth_curve_follows_a_bend_and_ignores_an_outlier() -> None:
    t = np.linspace(2000, 2020, 81)
    y = (t - 2010) ** 2 / 10
    y[40] = 60.0
    made = pd.DataFrame({"series": 0, "time": from_decimal_years(t), "value": y, "censoring": "="})
    drawn = smooth(made, share=0.3)
    expected = (decimal_years(drawn["time"]) - 2010) ** 2 / 10
    assert np.abs(drawn["low"] - expected).max() < 1.0
    pd.testing.assert_series_equal(drawn["low"], drawn["high"], check_names=False)


def test_the_smooth_curve_of_censored_readings_is_a_range() -> None:
    made = table([(day, v, "<" if v < 4 else "=") for day, v in RISING])
    drawn = smooth(made)
    assert (drawn["low"] <= drawn["high"]).all()
    assert drawn["low"].iloc[0] < drawn["high"].iloc[0] - 0.5
    assert smooth(table(RISING[:3])).empty
    above = smooth(table([(day, v, ">" if v > 9 else "=") for day, v in RISING]))
    assert above["high"].isna().all()
