"""Sums and ratio rules: one sample only, an interval where a part is censored, nothing below that is not known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from situation.composite import read_terms, text_of
from situation.errors import DataFileError
from situation.standard import standards
from situation.status import assess
from situation.topic import Topic

NOW = pd.Timestamp("2026-11-21", tz="UTC")
JUNE, JULY = pd.Timestamp("2026-06-01", tz="UTC"), pd.Timestamp("2026-07-01", tz="UTC")
TOPIC = Topic("t", "T", "?", (-10, -10, 10, 10), ("nitrate",), "nitrate", (), stale_days=365)
WHO = standards()["who_drinking_water"]
EPA = standards()["us_epa_drinking_water"]
EU = standards()["eu_drinking_water"]
RATIO = "nitrate_nitrite_ratio"


def reading(**said):
    usual = {
        "monitoring_location_id": "well-1",
        "observed_property": "nitrate",
        "phenomenon_time": JUNE,
        "phenomenon_time_precision": "day",
        "sample_id": None,
        "result": np.nan,
        "result_text": "",
        "unit": "mg/L",
        "method_speciation": {"nitrate": "as NO3", "nitrite": "as NO2"}.get(
            said.get("observed_property", "nitrate")
        ),
        "censoring": "=",
        "detection_limit": np.nan,
        "sampled_medium": "groundwater",
        "sample_fraction": None,
        "depth_m": np.nan,
        "procedure_class": "laboratory",
    }
    return usual | said


def no3(result=np.nan, **said):
    return reading(observed_property="nitrate", result=result, **said)


def no2(result=np.nan, **said):
    return reading(observed_property="nitrite", result=result, **said)


def less(bound):
    return {"censoring": "<", "detection_limit": bound}


def assessed(*rows, standard=WHO, observed=RATIO):
    return assess(pd.DataFrame(rows), standard, observed, topic=TOPIC, now=NOW)


def said(*rows, **kwargs):
    return assessed(*rows, **kwargs)["status"].tolist()


# -- the rule in the file ---------------------------------------------------------------------------


def test_the_rules_stand_in_the_files_of_the_standards():
    assert text_of(WHO.limit(RATIO).terms) == "nitrate/50 mg/L as NO3 + nitrite/3 mg/L as NO2"
    assert text_of(EU.limit(RATIO).terms) == "nitrate/50 mg/L as NO3 + nitrite/3 mg/L as NO2"
    assert len(EU.limit("pfas_sum_20").terms) == 20
    assert len({term.property for term in EU.limit("pfas_sum_20").terms}) == 20
    assert EPA.needed("radium_226_228") == ("radium_226_228", "radium_226", "radium_228")
    assert WHO.needed("arsenic") == ("arsenic",)
    assert WHO.needed("wind_speed") == ("wind_speed",)


def test_a_term_is_read_and_written_again():
    text = "0.5 * pfos + pfoa + nitrate/10 mg/L as N"
    assert text_of(read_terms(text)) == text
    assert read_terms("pfoa/4 ng/L + pfos / 4ng/l")[1].share_of == 4


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("pfoa", "takes 2 to 60 substances"),
        ("pfoa + pfoa", "term pfoa stands there twice"),
        ("pfoa + nonsense", "no property 'nonsense' for a term"),
        ("pfoa/ + pfos/4 ng/L", "term pfoa has no denominator"),
        ("pfoa/x ng/L + pfos/4 ng/L", "term pfoa has no denominator"),
        ("pfoa/4 furlongs + pfos/4 ng/L", "unit 'furlongs' of the term pfoa"),
        ("nitrate/50 mg/L + nitrite/3 mg/L as NO2", "term nitrate needs its form, one of as NO3, as N"),
        ("pfoa/0 ng/L + pfos/4 ng/L", "'0' in the term .* is not above 0"),
        ("pfoa + ", "term '' cannot be read"),
        ("pfoa - pfos", "cannot be read"),
    ],
)
def test_a_term_that_cannot_be_read_is_a_sentence(text, sentence):
    with pytest.raises(DataFileError, match=sentence):
        read_terms(text)


# -- what is added up -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nitrate", "nitrite", "status", "ratio"),
    [
        (25.0, 0.6, "below", 0.7),
        (25.0, 1.5, "near", 1.0),
        (25.0, 1.6, "above", 25 / 50 + 1.6 / 3),
        (49.0, 2.9, "above", 49 / 50 + 2.9 / 3),
        (0.0, 0.0, "below", 0.0),
    ],
)
def test_shares_of_one_sample_are_added_up(nitrate, nitrite, status, ratio):
    out = assessed(no3(nitrate), no2(nitrite)).iloc[0]
    assert (out["status"], out["censoring"]) == (status, "=")
    assert out["result"] == pytest.approx(ratio)
    assert (out["unit"], out["limit"], out["n"]) == ("1", 1.0, 1)


def test_forms_and_units_are_converted_before_they_are_added():
    out = assessed(no3(10.0, method_speciation="as N"), no2(500.0, unit="ug/L"))
    assert out["result"].iloc[0] == pytest.approx(10 * 62.0049 / 14.0067 / 50 + 0.5 / 3)
    out = assessed(
        no3(5.0, method_speciation="as N"), no2(3.28454), standard=EPA, observed="nitrate_nitrite"
    ).iloc[0]
    assert out["result"] == pytest.approx(6.0, rel=1e-5)
    assert (out["unit"], out["method_speciation"], out["status"]) == ("mg/L", "as N", "below")


def test_radium_is_added_up_across_becquerel_and_curie():
    rows = [
        reading(observed_property="radium_226", result=3.0, unit="pCi/L"),
        reading(observed_property="radium_228", result=0.074, unit="Bq/L"),
    ]
    out = assessed(*rows, standard=EPA, observed="radium_226_228").iloc[0]
    assert out["result"] == pytest.approx(5.0)
    assert out["status"] == "near"


# -- intervals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "status", "censoring", "bound"),
    [
        ([no3(25.0), no2(**less(0.3))], "below", "<", 0.6),
        ([no3(49.0), no2(**less(0.3))], "inconclusive", "<", 1.08),
        ([no3(51.0), no2(**less(0.3))], "above", ">", 1.02),
        ([no3(**less(10.0)), no2(**less(0.3))], "below", "<", 0.3),
        ([no3(**less(60.0)), no2(**less(0.3))], "inconclusive", "<", 1.3),
        ([no3(45.0), no2(**less(0.15))], "near", "<", 0.95),
        ([no3(60.0)], "above", ">", 1.2),
        ([no3(50.0)], "inconclusive", ">", 1.0),
        ([no3(1.0)], "inconclusive", ">", 0.02),
        ([no3(1.0), no2(censoring="text")], "inconclusive", ">", 0.02),
        ([no3(1.0), no2(**less(np.nan))], "inconclusive", ">", 0.02),
        ([no3(1.0), no2(censoring=">", detection_limit=3.3)], "above", ">", 1.12),
        ([no3(1.0), no2(0.1, method_speciation=None)], "inconclusive", ">", 0.02),
    ],
)
def test_what_is_censored_or_missing_leaves_an_interval(rows, status, censoring, bound):
    out = assessed(*rows).iloc[0]
    assert (out["status"], out["censoring"]) == (status, censoring)
    assert out["detection_limit"] == pytest.approx(bound)
    assert np.isnan(out["result"])
    assert pd.notna(out["reason"]) or status in ("below", "near", "above")


def test_the_reason_says_which_part_is_not_known():
    assert "not measured in the same sample: Nitrite" in assessed(no3(1.0))["reason"].iloc[0]
    assert "never guessed" in assessed(no3(1.0), no2(0.1, method_speciation=None))["reason"].iloc[0]
    assert "leave it open" in assessed(no3(49.0), no2(**less(0.3)))["reason"].iloc[0]
    pfas = assessed(
        reading(observed_property="pfoa", result=1, unit="ng/L"), standard=EU, observed="pfas_sum_20"
    )
    assert "and 16 more" in pfas["reason"].iloc[0]


def test_one_wells_unknown_form_is_not_said_of_another():
    rows = no3(censoring=">", detection_limit=20.0), no2(0.1)
    other = {"monitoring_location_id": "well-2"}
    out = assessed(*rows, no3(30.0, method_speciation=None, **other), no2(0.1, **other))
    reason = out.set_index("monitoring_location_id")["reason"]
    assert reason["well-1"] == "Nitrate: no number, and no limit of detection that bounds it from above"
    assert "not stated whether" in reason["well-2"]


@pytest.mark.parametrize("bound", [0.0, -1.0])
def test_less_than_nothing_leaves_a_sum_open(bound):
    assert said(no3(10.0), no2(**less(bound))) == ["inconclusive"]
    assert said(no3(60.0), no2(**less(bound))) == ["above"]


def test_a_sum_of_twenty_is_above_by_one_and_below_only_by_all():
    keys = [term.property for term in EU.limit("pfas_sum_20").terms]
    small = [reading(observed_property=key, unit="ng/L", **less(2.0)) for key in keys]
    assert said(*small, standard=EU, observed="pfas_sum_20") == ["below"]
    assert said(*small[:-1], standard=EU, observed="pfas_sum_20") == ["inconclusive"]
    coarse = [row | {"detection_limit": 6.0} for row in small]
    assert said(*coarse, standard=EU, observed="pfas_sum_20") == ["inconclusive"]
    one = reading(observed_property=keys[0], unit="ng/L", result=101.0)
    assert said(one, standard=EU, observed="pfas_sum_20") == ["above"]
    assert said(one, *coarse[1:], standard=EU, observed="pfas_sum_20") == ["above"]


# -- one sample -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"phenomenon_time": JUNE}, {"phenomenon_time": JULY}),
        ({"sampled_medium": "groundwater"}, {"sampled_medium": "surface_water"}),
        ({"sample_fraction": "dissolved"}, {"sample_fraction": "total"}),
        ({"sample_fraction": "dissolved"}, {"sample_fraction": None}),
        ({"depth_m": 3.0}, {"depth_m": 30.0}),
        ({"sample_id": "A"}, {"sample_id": "B"}),
        ({"procedure_class": "laboratory"}, {"procedure_class": "strip"}),
        ({"phenomenon_time_precision": "month"}, {"phenomenon_time_precision": "month"}),
        (
            {"phenomenon_time_precision": "minute"},
            {"phenomenon_time_precision": "minute", "phenomenon_time": JUNE + pd.Timedelta(hours=3)},
        ),
    ],
)
def test_what_is_not_of_one_sample_is_never_added_up(one, other):
    out = assessed(no3(40.0, **one), no2(2.0, **other))
    assert out["status"].tolist() == ["inconclusive"]
    assert "not measured in the same sample" in out["reason"].iloc[0]


@pytest.mark.parametrize(
    "same",
    [
        {"sample_id": "A", "phenomenon_time_precision": "minute"},
        {"sample_id": "A", "phenomenon_time_precision": "month"},
        {"phenomenon_time_precision": "day"},
    ],
)
def test_hours_apart_are_one_sample_when_the_sample_or_only_the_day_is_given(same):
    later = JUNE + pd.Timedelta(hours=3)
    assert said(no3(40.0, **same), no2(2.0, phenomenon_time=later, **same)) == ["above"]


def test_two_samples_of_one_day_are_two():
    rows = [
        no3(40.0, sample_id="A"),
        no2(0.1, sample_id="A"),
        no3(10.0, sample_id="B"),
        no2(2.5, sample_id="B"),
    ]
    out = assessed(*rows)
    assert out["result"].tolist() == pytest.approx([10 / 50 + 2.5 / 3])  # the worse of the two
    assert out["n"].tolist() == [2]


def test_nothing_is_added_up_twice():
    once = [no3(20.0), no2(0.3)]
    assert assessed(*once)["result"].iloc[0] == pytest.approx(0.5)
    replicate = [*once, no3(22.0)]
    assert assessed(*replicate)["result"].iloc[0] == pytest.approx(0.54)
    as_n_too = [*once, no3(20.0 * 14.0067 / 62.0049, method_speciation="as N")]
    assert assessed(*as_n_too)["result"].iloc[0] == pytest.approx(0.5, rel=1e-4)
    meter = [*once, no3(45.0, procedure_class="meter")]
    assert assessed(*meter)["result"].iloc[0] == pytest.approx(0.5)
    unknown = [*once, no3(99.0, method_speciation=None)]
    assert assessed(*unknown)["result"].iloc[0] == pytest.approx(0.5)


def test_the_newest_complete_sample_counts_and_a_newer_incomplete_one_is_told():
    old = [no3(20.0), no2(0.3)]
    out = assessed(*old, no3(30.0, phenomenon_time=JULY)).iloc[0]
    assert (out["status"], out["phenomenon_time"]) == ("below", JUNE)
    assert "newer sample lacks" in out["reason"]
    newer = [no3(30.0, phenomenon_time=JULY), no2(0.3, phenomenon_time=JULY)]
    assert assessed(*old, *newer)["phenomenon_time"].tolist() == [JULY]


def test_a_newer_incomplete_sample_counts_when_its_known_part_is_near_or_above_by_itself():
    old = [no3(20.0), no2(0.3)]
    assert said(*old, no3(60.0, phenomenon_time=JULY)) == ["above"]
    assert said(*old, no3(45.0, phenomenon_time=JULY)) == ["inconclusive"]


def test_a_total_that_the_laboratory_reported_counts_beside_the_sum():
    total = reading(observed_property="trihalomethanes", result=20.0, unit="ug/L")
    part = reading(observed_property="chloroform", result=10.0, unit="ug/L")
    out = assessed(total, part, standard=EPA, observed="trihalomethanes")
    assert (out["status"].tolist(), out["result"].tolist()) == (["below"], [20.0])
    assert said(total, part | {"result": 90.0}, standard=EPA, observed="trihalomethanes") == ["below"]
    later = part | {"result": 90.0, "phenomenon_time": JULY}
    assert said(total, later, standard=EPA, observed="trihalomethanes") == ["above"]


def test_a_strip_never_makes_a_sum_that_supersedes_the_laboratory():
    lab = [no3(20.0), no2(0.3)]
    strips = [
        no3(100.0, procedure_class="strip", phenomenon_time=JULY),
        no2(1.0, procedure_class="strip", phenomenon_time=JULY),
    ]
    out = assessed(*lab, *strips).iloc[0]
    assert (out["status"], out["procedure_class"]) == ("below", "laboratory")
    assert "strip reads above" in out["reason"]


def test_without_the_terms_and_without_a_rule_there_is_nothing():
    assert assessed(reading(observed_property="arsenic", result=1.0, unit="ug/L")).empty
    assert assessed(no3(60.0), standard=standards()["eu_groundwater"]).empty


# -- properties -------------------------------------------------------------------------------------

_TERM = st.fixed_dictionaries(
    {
        "observed_property": st.sampled_from(["nitrate", "nitrite"]),
        "value": st.sampled_from([0.1, 0.5, 1.4, 20.0, 49.0, 80.0]),
        "censoring": st.sampled_from(["=", "<", ">", "text"]),
        "monitoring_location_id": st.sampled_from(["a", "b"]),
        "phenomenon_time": st.sampled_from([JUNE, JULY]),
        "procedure_class": st.sampled_from(["laboratory", "strip", "meter"]),
        "sample_id": st.sampled_from([None, "1"]),
    }
)


def _row(term):
    value = term["value"]
    number = {"result": value} if term["censoring"] == "=" else {"detection_limit": value}
    return reading(**{name: cell for name, cell in term.items() if name != "value"}, **number)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(_TERM, min_size=1, max_size=8).flatmap(
        lambda terms: st.tuples(st.just(terms), st.permutations(terms))
    )
)
def test_the_order_of_rows_does_not_matter(pair):
    columns = ["status", "result", "detection_limit", "censoring", "n", "reason"]
    one, other = (
        assessed(*map(_row, terms)).sort_values("monitoring_location_id")[columns].reset_index(drop=True)
        for terms in pair
    )
    pd.testing.assert_frame_equal(one, other)


@settings(max_examples=30, deadline=None)
@given(st.lists(_TERM, min_size=1, max_size=8), st.sampled_from([("ug/L", 1000.0), ("g/L", 0.001)]))
def test_the_unit_that_it_was_written_in_does_not_matter(terms, unit):
    rows = [_row(term) for term in terms]
    name, by = unit
    scaled = [
        row | {"unit": name, "result": row["result"] * by, "detection_limit": row["detection_limit"] * by}
        for row in rows
    ]
    assert said(*rows) == said(*scaled)


@settings(max_examples=30, deadline=None)
@given(st.lists(_TERM, min_size=1, max_size=6))
def test_a_sum_is_below_only_when_even_its_largest_possible_value_is(terms):
    rows = [_row(term | {"monitoring_location_id": "a", "procedure_class": "meter"}) for term in terms]
    out = assessed(*rows).iloc[0]
    if out["status"] in ("below", "near"):
        top = out["result"] if out["censoring"] == "=" else out["detection_limit"]
        assert out["censoring"] in ("=", "<")
        assert top <= 1.0 + 1e-9
        assert {term["observed_property"] for term in terms} == {"nitrate", "nitrite"}
