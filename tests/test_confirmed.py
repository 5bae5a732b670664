"""Which exceedances are confirmed: each rule once, on readings a person can check."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from situation import confidence as conf
from situation.confirmed import ANSWERS, COLUMNS, confirm
from situation.standard import Limit

LIMIT = Limit(
    property="arsenic",
    value=10.0,
    unit="ug/L",
    species=None,
    fraction=None,
    kind="health",
    comparison="above",
    lower=None,
    upper=None,
    valid_from=None,
    valid_to=None,
    reference="a test",
    url="",
    verified=True,
    verified_by="",
    row=2,
    exposure="chronic",
)
ACUTE = replace(LIMIT, exposure="acute")
OXYGEN = replace(LIMIT, property="oxygen", comparison="below", value=5.0, unit="mg/L")
PH = replace(LIMIT, property="ph", comparison="outside range", value=None, lower=6.5, upper=8.5, unit="[pH]")
DETECTED = replace(LIMIT, property="e_coli", comparison="detected", value=0.0, unit="{#}/dL")
ALDICARB = {
    "Well.1": [19.9, 29.6, 18.7, 24.2],
    "Well.2": [23.7, 21.9, 26.9, 26.1],
    "Well.3": [5.6, 3.3, 2.3, 6.9],
}


def table(*series: list) -> pd.DataFrame:
    """Make the table of series; a reading is a number or a text such as ``<5``."""
    rows = []
    for code, readings in enumerate(series):
        for month, reading in enumerate(readings):
            text = str(reading)
            sign = text[0] if text[0] in "<>" else "="
            when = pd.Timestamp(2020, 1, 1, tz="UTC") + pd.DateOffset(months=month)
            rows.append((code, when, float(text.lstrip("<>")), sign))
    made = pd.DataFrame(rows, columns=["series", "time", "value", "censoring"])
    made["time"] = made["time"].astype("datetime64[us, UTC]")
    return made


def one(readings: list, limit: Limit | None = LIMIT, **choice) -> pd.Series:
    """Confirm a single series."""
    return confirm(table(readings), None, limit, **choice).loc[0]


# -- The guidance's example -----------------------------------------------------------------------------


def test_epa_2009_example_21_1_well_by_well() -> None:
    found = confirm(table(*ALDICARB.values()), None, replace(LIMIT, value=7.0))
    # Well 3 has no reading over 7 ppb; its lower limit, 2.05, is never asked for.
    assert found["confirmed"].tolist() == ["confirmed", "confirmed", "no exceedance"]
    assert found["lower"].round(5).tolist()[:2] == [17.29318, 21.96417]
    assert found.loc[0, "method"] == "mean, normal"
    assert found.loc[0, "why"] == (
        "The mean of 4 readings is at least 17.3 ug/L with 95% confidence, beyond the limit of 7 ug/L."
    )
    assert found["confirmed"].isin(ANSWERS).all()
    assert list(found.columns) == list(COLUMNS)
    assert found.index.name == "series"


def test_epa_2009_example_21_4_a_limit_on_a_percentile() -> None:
    found = confirm(
        table(*ALDICARB.values()), None, replace(LIMIT, value=25.3), confidence=0.99, percentile=95
    )
    assert found["confirmed"].tolist() == ["not confirmed", "confirmed", "no exceedance"]
    assert found["lower"].round(2).tolist()[:2] == [25.29, 25.66]
    assert found["upper"].round(2).tolist()[:2] == [67.93, 45.38]


def test_epa_2009_example_21_7_under_a_trend(shared) -> None:
    from situation.trend import trends

    data = pd.read_csv(shared / "oracles" / "epa09_21_7_tce.csv")
    start = pd.Timestamp(2020, 1, 1, tz="UTC")
    made = pd.DataFrame(
        {
            "series": 0,
            "time": (start + pd.to_timedelta(data["Month"] * 30.4375, unit="D")).astype(
                "datetime64[us, UTC]"
            ),
            "value": data["TCE.ppb"],
            "censoring": "=",
        }
    )
    rows = trends(made)
    assert rows.loc[0, "trend"] == "falling"
    found = confirm(made, rows, replace(LIMIT, value=5.0)).loc[0]
    # The mean over all the years, 30.4, is of water long gone; the line at the newest date is not over 5.
    assert (found["confirmed"], found["method"]) == ("not confirmed", "band of the trend line")
    # The errata's simultaneous 12.87 at month 30; leap years move the third digit.
    assert found["upper"] == pytest.approx(12.87, abs=0.03)
    assert confirm(made, None, replace(LIMIT, value=5.0)).loc[0, "confirmed"] == "confirmed"


def test_under_a_trend_with_censored_readings_the_theil_sen_band_counts() -> None:
    from situation.trend import band, trends

    rising = table(["<2", 3, "<4", 6, 8, 9, 11, 13, 14, 17, 18, 20, 22, 23])
    rising["time"] = rising["time"].iloc[0] + pd.to_timedelta(np.arange(14) * 183, unit="D")
    rows = trends(rising)
    assert rows.loc[0, "trend"] == "rising"
    found = confirm(rising, rows, LIMIT).loc[0]
    assert found["method"] == "band of the Theil-Sen line"
    shown = band(rising, rows.loc[0], rising["time"].iloc[[-1]], confidence=0.9)
    assert (found["lower"], found["upper"]) == pytest.approx((shown["low"].iloc[0], shown["high"].iloc[0]))
    assert found["confirmed"] == ("confirmed" if found["lower"] > 10 else "not confirmed")


# -- Rule by rule -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("readings", "answer", "words"),
    [
        ([], "not enough readings", "There are no readings with a number."),
        ([12], "single reading", "There is one reading, and it is beyond the limit"),
        ([12, 13], "not enough readings", "There are 2 readings; to confirm takes at least 4."),
        ([9], "no exceedance", "No reading is beyond the limit."),
        ([9, 8, 9, "<20"], "no exceedance", "1 of 4 cannot tell"),
        (["<20"] * 5, "no exceedance", "No reading is known to be beyond the limit, but 5 of 5 cannot tell."),
        (["<5"] * 5, "no exceedance", "No reading is beyond the limit."),
        ([12, 12, 12, 12], "not enough readings", "All 4 readings are equal, and without a distribution"),
        ([12, 12, 12, 12, 12], "confirmed", "The median of 5 readings is at least 12 ug/L"),
        (["<1", "<1", "<1", 12], "not enough readings", "Of the 4 readings 3 are censored"),
        (["<1"] * 5 + [12], "not confirmed", "Too many of the 6 readings are under their limits"),
        ([0, 0, 0, 0, 0, 40, 50], "not confirmed", "The median of 7 readings is at least 0 ug/L"),
        ([11, 12, 14, 12, 15, 13], "confirmed", "The mean of 6 readings is at least"),
        ([11, 3, 4, 8, 6, 9], "not confirmed", "which is not beyond the limit of 10 ug/L"),
        ([12, 13, ">20", 14, 15], "confirmed", "The median of 5 readings is at least 12 ug/L"),
        ([12, 14, 17, "<11", 19, 15], "confirmed", "The mean of 6 readings, 1 of them censored,"),
        ([1, 2, 3, 50, 7, 20, 9, 4], "not confirmed", "The mean of 8 readings is at least 5."),
    ],
)
def test_a_chronic_limit(readings: list, answer: str, words: str) -> None:
    if not readings:
        trends = pd.DataFrame({"trend": ["not enough readings"]}, index=pd.Index([0], name="series"))
        found = confirm(table([1.0]).iloc[:0], trends, LIMIT).loc[0]
    else:
        found = one(readings)
    assert (found["confirmed"], words in found["why"]) == (answer, True), found["why"]


def test_the_distribution_is_chosen_by_the_readings() -> None:
    chance = np.random.default_rng(7)
    for value, method in (
        (chance.normal(20, 2, 20), "mean, normal"),
        (chance.lognormal(3, 1.0, 20), "mean, lognormal (Land)"),
        (np.r_[np.zeros(9), chance.normal(40, 1, 9)], "median, order statistics"),
    ):
        assert one(list(value))["method"] == method


@pytest.mark.parametrize(
    ("readings", "method"),
    [
        ([12, 14, 17, "<11", 19, 15], "mean, Kaplan-Meier"),
        ([12, 30, 900, "<11", 19, 150, 55], "mean, lognormal (robust ROS)"),
        (["<1", "<1", "<1", "<1", 12, 13, 14], "median, order statistics"),
    ],
)
def test_censored_readings_by_their_share(readings: list, method: str) -> None:
    assert one(readings)["method"] == method


def test_the_numbers_are_those_of_the_functions() -> None:
    readings = [12, 30, 900, "<11", 19, 150, 55]
    value, dark = [12, 30, 900, 11, 19, 150, 55], [False] * 3 + [True] + [False] * 3
    found = one(readings)
    assert found["lower"] == pytest.approx(conf.lower_limit(value, dark, distribution="lognormal").limit)
    found = one([12, 14, 17, "<11", 19, 15])
    expect = conf.lower_limit([12, 14, 17, 11, 19, 15], [False] * 3 + [True] + [False] * 2)
    assert found["lower"] == pytest.approx(expect.limit)
    chance = np.random.default_rng(7)
    value = list(chance.lognormal(3, 1.0, 20))
    assert one(value)["lower"] == pytest.approx(conf.lower_limit(value, distribution="lognormal").limit)
    value = [0, 0, 0, 0, 0, 40, 50]
    expect = conf.nonparametric_limit(value, ranks="at-least")
    assert one(value)["lower"] == expect.limit


def test_an_acute_limit_counts_the_newest_reading() -> None:
    found = confirm(table([1, 12], [12, 1], [1, 2], [1, ">10"], ["<20"], [8, "<20"]), None, ACUTE)
    assert found["confirmed"].tolist() == ["single reading", "no exceedance", "no exceedance"] + [
        "single reading",
        "no exceedance",
        "no exceedance",
    ]
    assert found.loc[1, "why"] == "The newest reading is not beyond the limit; 1 earlier one is."
    assert found.loc[0, "why"].startswith("The limit is for short exposure")


def test_two_readings_of_the_newest_instant_count_both() -> None:
    twice = table([1, 2, 12, 3])
    twice["time"] = twice["time"].iloc[[0, 1, 2, 2]].to_numpy()
    assert confirm(twice, None, ACUTE).loc[0, "confirmed"] == "single reading"
    assert confirm(twice.iloc[[0, 1, 3, 2]], None, ACUTE).loc[0, "confirmed"] == "single reading"


def test_what_must_not_be_detected_is_confirmed_by_one_finding_even_where_it_is_called_chronic() -> None:
    found = confirm(table([1], ["<1"], [0]), None, DETECTED)
    assert found["confirmed"].tolist() == ["single reading", "no exceedance", "no exceedance"]
    assert "must not be found" in found.loc[0, "why"]


def test_too_little_is_confirmed_by_an_upper_limit() -> None:
    found = confirm(table([2, 2.5, 3, 2.2, 2.7], [4, 6, 8, 7, 5.5], [8, 9, 8, 9], ["<2"]), None, OXYGEN)
    assert found["confirmed"].tolist() == ["confirmed", "not confirmed", "no exceedance", "single reading"]
    assert found.loc[0, "upper"] < 5
    assert "at most" in found.loc[0, "why"]


def test_a_range_can_be_left_at_either_end() -> None:
    found = confirm(table([5.9, 6.1, 6.0, 5.8], [8.9, 9.1, 9.3, 9.0], [6.4, 7, 8, 7.5], [7, 7]), None, PH)
    assert found["confirmed"].tolist() == ["confirmed", "confirmed", "not confirmed", "no exceedance"]
    assert found.loc[0, "upper"] < 6.5
    assert found.loc[1, "lower"] > 8.5
    assert found.loc[0, "why"].endswith("beyond the limit of 6.5.")


def test_at_the_limit_counts_only_where_the_standard_says_so() -> None:
    equal = [12.0] * 5 + [12.5]
    assert one(equal, replace(LIMIT, value=12.0))["confirmed"] == "not confirmed"
    assert one(equal, replace(LIMIT, value=12.0, comparison="at_or_above"))["confirmed"] == "confirmed"


def test_without_a_limit_there_is_nothing_to_confirm() -> None:
    assert one([1, 2], None)["confirmed"] == "no limit"


def test_codes_of_the_trends_without_readings_are_there_too() -> None:
    trends = pd.DataFrame({"trend": ["no clear trend"] * 3}, index=pd.RangeIndex(3, name="series"))
    found = confirm(table([12, 13, 14, 12]), trends, LIMIT)
    assert found.index.tolist() == [0, 1, 2]
    assert found["confirmed"].tolist() == ["confirmed", "not enough readings", "not enough readings"]
    assert confirm(table([1]).iloc[:0], None, LIMIT).empty


# -- What must hold -----------------------------------------------------------------------------------------

readings = st.lists(
    st.tuples(st.floats(0.1, 100).map(lambda x: round(x, 2)), st.sampled_from("=== <")),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(st.lists(readings, min_size=1, max_size=5), st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_rows_and_the_unit_change_nothing(many, chance, chronic) -> None:
    made = table(*[[f"{sign.strip('= ')}{value}" for value, sign in series] for series in many])
    limit = LIMIT if chronic else ACUTE
    found = confirm(made, None, limit)
    order = list(range(len(made)))
    chance.shuffle(order)
    mixed = confirm(made.iloc[order], None, limit)
    pd.testing.assert_frame_equal(found, mixed, rtol=1e-7)
    scaled = confirm(made.assign(value=made["value"] * 1000), None, replace(limit, value=10_000.0))
    assert scaled["confirmed"].tolist() == found["confirmed"].tolist()
    assert scaled["lower"].to_numpy() == pytest.approx(
        found["lower"].to_numpy() * 1000, rel=1e-7, nan_ok=True
    )
    # All together or each by itself.
    alone = [confirm(made[made["series"] == code], None, limit) for code in found.index]
    pd.testing.assert_frame_equal(pd.concat(alone), found, rtol=1e-7)


@settings(max_examples=40, deadline=None)
@given(readings)
def test_nothing_is_confirmed_without_a_reading_over_the_limit(some) -> None:
    made = [f"{sign.strip('= ')}{value}" for value, sign in some]
    found = one(made)
    over = any(sign != "<" and value > 10 for value, sign in some)
    assert over or found["confirmed"] == "no exceedance"
    assert found["why"]


def test_ten_thousand_series_in_seconds() -> None:
    chance = np.random.default_rng(1)
    n = chance.integers(1, 30, 10_000)
    code = np.repeat(np.arange(10_000), n)
    many = pd.DataFrame(
        {
            "series": code,
            "time": pd.Timestamp(2020, 1, 1, tz="UTC") + pd.to_timedelta(np.arange(len(code)), unit="h"),
            "value": chance.lognormal(0, 0.6, len(code)) * np.repeat(chance.choice([2, 8, 30], 10_000), n),
            "censoring": np.where(chance.random(len(code)) < 0.05, "<", "="),
        }
    )
    start = time.process_time()
    found = confirm(many, None, LIMIT)
    # Two seconds on an idle core; ten leave room for a busy one.
    assert time.process_time() - start < 10
    assert len(found) == 10_000
    assert set(found["confirmed"]) >= {"confirmed", "not confirmed", "no exceedance", "not enough readings"}


def test_a_wrong_confidence_is_a_sentence() -> None:
    from situation.errors import ChoiceError

    with pytest.raises(ChoiceError, match="e.g. 0.95"):
        one([1, 2], LIMIT, confidence=95)


def test_a_limit_of_confidence_under_zero_is_told_without_its_number() -> None:
    found = one([1.0, 9.0, 17.0, 30.0], replace(LIMIT, value=29.0))
    assert found["lower"] < 0
    assert "down to zero" in found["why"]
    assert found["confirmed"] == "not confirmed"
