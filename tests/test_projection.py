"""When the line crosses the limit: every answer, both sides, the interval, the horizon and the fan."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from situation.errors import ChoiceError
from situation.projection import CROSSINGS, fan, fan_at, project
from situation.standard import Limit
from situation.trend import RULES, decimal_years, from_decimal_years, line_band, trends

PLAIN = replace(RULES, seasonal_years=np.inf)
NOW = pd.Timestamp("2021-01-01", tz="UTC")


def limit(value: float | None = 50.0, comparison: str = "above", **more: float) -> Limit:
    return Limit(
        "nitrate", value, "mg/L", "as NO3", None, "health", comparison, more.get("lower"), more.get("upper"),
        None, None, "test", "https://example.org", False, "", 2,
    )  # fmt: skip


def readings(*series: list[float] | np.ndarray, first: float = 2001.0, step: float = 1.0) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {"series": code, "time": from_decimal_years(first + step * np.arange(len(one))),
             "value": np.asarray(one, float), "censoring": pd.array(["="] * len(one), dtype="str")}
        )
        for code, one in enumerate(series)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def rows(*series: list[float] | np.ndarray, **options: float) -> pd.DataFrame:
    return trends(readings(*series, **options), rules=PLAIN)


WIGGLE = np.tile([0.3, -0.2, 0.1, -0.4, 0.2], 4)
UP = 20 + np.arange(20) + WIGGLE  # 20 in 2001, 39 in 2020


@pytest.mark.parametrize(
    ("values", "limit_", "crossing"),
    [
        (UP, limit(45), "crossing expected"),
        (UP, limit(80), "beyond the horizon"),
        (UP, limit(30), "crossed already"),
        (-UP, limit(45), "moving away"),
        (list(WIGGLE), limit(45), "no sign of crossing"),
        (list(WIGGLE + 60), limit(45), "crossed already"),
        ([1.0, 2.0, 3.0], limit(45), "not enough readings"),
        (UP, None, "no limit"),
        (UP, limit(0, "detected"), "no limit"),
        (60 - UP, limit(15, "below"), "crossing expected"),
        (60 - UP, limit(30, "below"), "crossed already"),
        (UP, limit(15, "below"), "moving away"),
        (UP, limit(None, "outside range", lower=10, upper=45), "crossing expected"),
        (60 - UP, limit(None, "outside range", lower=15, upper=90), "crossing expected"),
        (60 - UP, limit(None, "outside range", lower=30, upper=90), "crossed already"),
    ],
)
def test_every_answer(values: np.ndarray, limit_: Limit | None, crossing: str) -> None:
    row = project(rows(values), limit_, now=NOW).iloc[0]
    assert row["crossing"] == crossing
    assert row["said"].endswith(".")
    expected = crossing == "crossing expected"
    assert pd.notna(row["crossing_time"]) == expected or crossing == "crossed already"
    assert pd.notna(row["crossing_earliest"]) == expected


def test_the_date_is_where_the_line_meets_the_limit_and_the_interval_holds_it() -> None:
    found = rows(UP)
    row, answer = found.iloc[0], project(found, limit(45), now=NOW).iloc[0]
    exact = (45 - row["intercept"]) / row["slope"]
    assert decimal_years([answer["crossing_time"]])[0] == pytest.approx(exact, abs=1e-6)
    early, late = decimal_years([answer["crossing_earliest"], answer["crossing_latest"]])
    assert early < exact < late
    _, low, high = line_band(row, np.array([early, late]))
    assert high[0] == pytest.approx(45, abs=1e-4)
    assert low[1] == pytest.approx(45, abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(
    st.floats(-3, 3),
    st.floats(0.05, 4),
    st.floats(-60, 120),
    st.integers(0, 2**31),
    st.sampled_from([15, 40]),
)
def test_dates_are_in_order_and_within_the_horizon(
    slope: float, noise: float, at: float, seed: int, n: int
) -> None:
    rng = np.random.default_rng(seed)
    values = 30 + slope * np.arange(n) + noise * rng.normal(size=n)
    found = rows(values, first=2021.0 - n)
    for one in (limit(at), limit(at, "below"), limit(None, "outside range", lower=at - 20, upper=at)):
        row = project(found, one, now=NOW, horizon_years=8).iloc[0]
        assert row["crossing"] in CROSSINGS
        end = NOW + pd.DateOffset(years=8)
        dates = [row[name] for name in ("crossing_earliest", "crossing_time", "crossing_latest")]
        known = [date for date in dates if pd.notna(date)]
        assert known == sorted(known)
        assert all(date <= end for date in known)
        if row["crossing"] == "crossing expected":
            unseen = "Nobody has measured since" in row["said"]
            assert (found["last_time"].iloc[0] if unseen else NOW) <= dates[0] <= dates[1]
            assert unseen or dates[1] > NOW
            assert not found["slope_low"].iloc[0] <= 0 <= found["slope_high"].iloc[0]
        elif row["crossing"] == "no sign of crossing":
            assert found["slope_low"].iloc[0] <= 0 <= found["slope_high"].iloc[0]


def test_upside_down_is_the_lower_limit() -> None:
    up = project(rows(UP), limit(45), now=NOW)
    down = project(rows(-UP), limit(-45, "below"), now=NOW)
    for name in ("crossing", "crossing_time", "crossing_earliest", "crossing_latest"):
        assert up[name].iloc[0] == down[name].iloc[0]


def test_a_unit_does_not_move_the_date() -> None:
    a = project(rows(UP), limit(45), now=NOW)
    b = project(rows(UP * 1000), limit(45_000), now=NOW)
    pd.testing.assert_frame_equal(a.drop(columns="said"), b.drop(columns="said"))


def test_at_or_above_counts_the_limit_itself() -> None:
    flat = rows([45.0] * 10, first=2011.0)
    assert project(flat, limit(45), now=NOW)["crossing"].iloc[0] == "no sign of crossing"
    assert project(flat, limit(45, "at_or_above"), now=NOW)["crossing"].iloc[0] == "crossed already"


def test_a_wide_slope_leaves_the_latest_date_open() -> None:
    rng = np.random.default_rng(2)
    values = 30 + 0.5 * np.arange(20) + rng.normal(0, 2.5, 20)
    found = rows(values)
    assert found["slope_low"].iloc[0] > 0
    row = project(found, limit(42), now=NOW, horizon_years=6).iloc[0]
    assert row["crossing"] == "crossing expected"
    assert pd.isna(row["crossing_latest"])
    assert "and later than 2027-01, where the horizon is" in row["said"]


def test_sentences() -> None:
    found = rows(UP, UP[::-1], -UP, list(WIGGLE), UP[:3])
    said = project(found, limit(45), now=NOW)["said"].tolist()
    assert said[0].startswith("The line rises above the limit (45 mg/L as NO3) about 2025-10, between 2025-")
    assert said[1] == "The line is falling, away from the limit (45 mg/L as NO3)."
    assert said[3] == "No sign of crossing: the interval of the slope holds zero."
    assert said[4] == "3 readings: a trend needs 8 readings over 2 years."
    beyond = project(found, limit(80), now=NOW)["said"].iloc[0]
    assert beyond == (
        "The line rises towards the limit (80 mg/L as NO3) but does not reach it before 2031-01."
    )
    already = project(found, limit(19), now=NOW)["said"].tolist()
    assert already[0] == "The line stands above the limit (19 mg/L as NO3) already."
    assert "; it moves back and would be inside again about 2021-" in already[1]
    since = project(found, limit(30), now=NOW).iloc[0]
    assert since["crossing_time"].year == 2010
    assert ", since about 2010-" in since["said"]
    newest = pd.Series(["above", "below"], index=[3, 4])
    told = project(found, limit(45), now=NOW, latest=newest)["said"]
    assert told[3].endswith("The newest reading alone is beyond the limit.")
    assert told[0] == said[0]


def test_an_old_line_is_not_carried_on() -> None:
    row = project(rows(UP, first=1980.0), limit(45), now=NOW, horizon_years=10).iloc[0]
    assert row["crossing"] == "not enough readings"
    assert row["said"] == (
        "The newest reading is of 1999-01, longer ago than the horizon of 10 years: its line is not carried on."
    )
    assert pd.isna(row["crossing_time"])


def test_what_would_have_crossed_while_nobody_measured_is_expected_and_not_known() -> None:
    now = pd.Timestamp("2026-11-01", tz="UTC")
    time = pd.date_range("2010-01-01", periods=10, freq="YS", tz="UTC")
    for values, comparison in (
        ([10.0 + 2.5 * n for n in range(10)], "above"),
        ([90.0 - 2.5 * n for n in range(10)], "below"),
    ):
        table = pd.DataFrame({"series": 0, "time": time, "value": values, "censoring": "="})
        found = project(trends(table), limit(50.0, comparison), now=now).loc[0]
        assert found["crossing"] == "crossing expected"
        assert time[-1] < found["crossing_earliest"] <= found["crossing_time"] < now
        assert "Nobody has measured since 2019-01" in found["said"]


def test_a_line_over_the_limit_is_not_cleared_by_years_without_a_reading() -> None:
    time = pd.date_range("2010-01-01", periods=10, freq="YS", tz="UTC")
    table = pd.DataFrame(
        {"series": 0, "time": time, "value": [80.0 - 2.5 * n for n in range(10)], "censoring": "="}
    )
    found = project(trends(table), limit(50.0), now=pd.Timestamp("2026-11-01", tz="UTC")).loc[0]
    assert found["crossing"] == "crossed already"


def test_no_series_and_no_horizon() -> None:
    assert len(project(rows(UP).iloc[:0], limit(45), now=NOW)) == 0
    with pytest.raises(ChoiceError, match="A horizon of 0 years is not in the future"):
        project(rows(UP), limit(45), now=NOW, horizon_years=0)


# --- the fan ---------------------------------------------------------------------------------------------


def test_the_fan_starts_at_the_newest_reading_holds_its_bands_and_widens() -> None:
    one = readings(UP)
    row = trends(one, rules=PLAIN).iloc[0]
    until = pd.Timestamp("2031-01-01", tz="UTC")
    drawn = fan(one, row, until)
    assert drawn["time"].iloc[0] == row["last_time"]
    assert drawn["time"].iloc[-1] == until
    for a, b in (("reading_low", "line_low"), ("line_low", "estimate"), ("estimate", "line_high"),
                 ("line_high", "reading_high")):  # fmt: skip
        assert (drawn[a] <= drawn[b]).all(), (a, b)
    for name in ("line", "reading"):
        width = drawn[f"{name}_high"] - drawn[f"{name}_low"]
        assert (np.diff(width) > 0).all()
    wide = fan(one, row, until, confidence=0.99)
    assert (wide["line_high"] > drawn["line_high"]).all()


def test_nine_in_ten_new_readings_lie_in_the_fan_where_readings_go_on_as_they_did() -> None:
    rng = np.random.default_rng(6)
    inside = []
    for _ in range(40):
        values = 10 + 0.1 * np.arange(48) + rng.standard_t(5, 48)
        one = readings(values[:36], step=0.5)
        row = trends(one, rules=PLAIN).iloc[0]
        found = fan_at(one, row, 2001 + 0.5 * np.arange(36, 48))
        inside.append((found["reading_low"] <= values[36:]) & (values[36:] <= found["reading_high"]))
    assert 0.86 <= np.mean(inside) <= 0.99


def test_a_line_that_bent_before_has_a_wider_fan(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    t = np.arange(40)
    straight = 10 + 0.5 * t + rng.normal(0, 0.3, 40)
    bent = 10 + 0.5 * np.minimum(t, 26) + rng.normal(0, 0.3, 40)

    def width(values: np.ndarray) -> float:
        one = readings(values, step=0.5)
        drawn = fan(one, trends(one, rules=PLAIN).iloc[0], pd.Timestamp("2031-01-01", tz="UTC")).iloc[-1]
        return float(drawn["reading_high"] - drawn["reading_low"])

    with_history = width(straight), width(bent)
    monkeypatch.setattr("situation.projection._drift", lambda *_: 0.0)
    assert with_history[1] > 3 * width(bent)
    assert with_history[1] / width(bent) > 2 * with_history[0] / width(straight)


def test_no_edge_falls_below_zero_where_no_reading_did() -> None:
    values = np.maximum(12 - 0.6 * np.arange(20) + WIGGLE, 0.01)
    one = readings(values)
    drawn = fan(one, trends(one, rules=PLAIN).iloc[0], pd.Timestamp("2040-01-01", tz="UTC"))
    assert (drawn[["line_low", "reading_low"]] >= 0).all(axis=None)
    assert (
        fan_at(readings(-values), trends(readings(-values), rules=PLAIN).iloc[0], np.array([2001.0]))[
            "reading_low"
        ]
        < 0
    ).all()


def test_censored_readings_have_a_fan_of_turnbull_quantiles() -> None:
    rng = np.random.default_rng(8)
    one = readings(5 + 0.2 * np.arange(40) + rng.normal(0, 1, 40), step=0.5)
    plain = fan(one, trends(one, rules=PLAIN).iloc[0], pd.Timestamp("2025-01-01", tz="UTC")).iloc[0]
    less = one["value"] < 6
    cut = one.assign(value=one["value"].where(~less, 6.0), censoring=np.where(less, "<", "="))
    row = trends(cut, rules=PLAIN).iloc[0]
    assert row["n_censored"] > 4
    drawn = fan(cut, row, pd.Timestamp("2025-01-01", tz="UTC")).iloc[0]
    for name in ("estimate", "reading_low", "reading_high"):
        assert drawn[name] == pytest.approx(plain[name], abs=1.2), name


@pytest.mark.parametrize("until", ["2015-01-01", "2020-01-01"])
def test_there_is_no_fan_backwards_or_without_a_line(until: str) -> None:
    one = readings(UP)
    assert fan(one, trends(one, rules=PLAIN).iloc[0], pd.Timestamp(until, tz="UTC")).empty
    few = readings(UP[:3])
    drawn = fan(few, trends(few).iloc[0], pd.Timestamp("2031-01-01", tz="UTC"))
    assert drawn.empty
    assert list(drawn.columns) == [
        "time", "estimate", "line_low", "line_high", "reading_low", "reading_high"
    ]  # fmt: skip


def test_the_back_test_reads_its_file_or_says_that_it_is_absent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))
    try:
        import projection as benchmark
    finally:
        sys.path.pop(0)
    monkeypatch.setattr(benchmark, "FILE", Path("absent.csv"))
    monkeypatch.setattr(sys, "argv", ["projection.py"])
    benchmark.main()
    assert "Nothing was tested: absent.csv is not in ../shared" in capsys.readouterr().out
