"""Status and freshness: what the rules say about single readings, and about sites with several."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from situation.observation import flat
from situation.standard import Limit, Standard, standards
from situation.status import STATUSES, STYLE, WORST, assess, label
from situation.topic import Topic

NOW = pd.Timestamp("2026-11-21", tz="UTC")
TOPIC = Topic("t", "T", "?", (-10, -10, 10, 10), ("nitrate",), "nitrate", (), stale_days=365)
WHO = standards()["who_drinking_water"]
EPA = standards()["us_epa_drinking_water"]


def reading(**said):
    usual = {
        "source_id": "upload:test",
        "monitoring_location_id": "well-1",
        "observed_property": "nitrate",
        "observed_property_name": "Nitrate",
        "phenomenon_time": pd.Timestamp("2026-06-01", tz="UTC"),
        "result": np.nan,
        "result_text": "",
        "unit": "mg/L",
        "method_speciation": "as NO3",
        "censoring": "=",
        "sampled_medium": "groundwater",
        "procedure_class": "laboratory",
    }
    return usual | said


def assessed(*rows, standard=WHO, observed="nitrate", topic=TOPIC):
    table = pd.DataFrame([reading(**row) for row in rows])
    return assess(table, standard, observed, topic=topic, now=NOW)


def statuses(*rows, **kwargs):
    return assessed(*rows, **kwargs)["status"].tolist()


def own(
    comparison="above", value=10.0, lower=None, upper=None, observed="arsenic", unit="ug/L", fraction=None
):
    limit = Limit(
        observed,
        value,
        unit,
        None,
        fraction,
        "health",
        comparison,
        lower,
        upper,
        None,
        None,
        "a test",
        "",
        True,
        "",
        2,
    )
    return Standard("own", "Own", (limit,))


# -- one reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "status"),
    [(50.01, "above"), (50.0, "near"), (37.5, "near"), (37.49, "below"), (0.0, "below"), (-1.0, "below")],
)
def test_a_reading_is_above_near_or_below(result, status):
    assert statuses({"result": result}) == [status]


@pytest.mark.parametrize(
    ("censoring", "bound", "status"),
    [
        ("<", 50.0, "below"),
        ("<", 0.5, "below"),
        ("<", 50.1, "inconclusive"),
        ("<", np.nan, "inconclusive"),
        (">", 49.9, "inconclusive"),
        (">", 50.0, "above"),
        (">", 200.0, "above"),
        (">", np.nan, "inconclusive"),
        ("text", np.nan, "inconclusive"),
        ("missing", np.nan, "inconclusive"),
    ],
)
def test_a_censored_reading_says_only_what_it_can(censoring, bound, status):
    out = assessed({"censoring": censoring, "detection_limit": bound})
    assert out["status"].tolist() == [status]
    assert out["result"].isna().all()
    assert out["reason"].notna().tolist() == [status == "inconclusive"]


@pytest.mark.parametrize(
    ("comparison", "row", "status"),
    [
        ("at_or_above", {"result": 10.0}, "above"),
        ("at_or_above", {"result": 9.99}, "near"),
        ("below", {"result": 9.99}, "above"),
        ("below", {"result": 10.0}, "near"),
        ("below", {"result": 14.0}, "below"),
        ("below", {"censoring": "<", "detection_limit": 10.0}, "above"),
        ("below", {"censoring": "<", "detection_limit": 12.0}, "inconclusive"),
        ("below", {"censoring": ">", "detection_limit": 10.0}, "below"),
        ("below", {"censoring": ">", "detection_limit": 5.0}, "inconclusive"),
    ],
)
def test_every_comparison_has_its_meaning(comparison, row, status):
    row = {"observed_property": "arsenic", "unit": "ug/L", "method_speciation": None} | row
    assert statuses(row, standard=own(comparison), observed="arsenic") == [status]


@pytest.mark.parametrize(
    ("row", "status"),
    [
        ({"result": 6.49}, "above"),
        ({"result": 6.5}, "near"),
        ({"result": 7.5}, "below"),
        ({"result": 8.5}, "near"),
        ({"result": 8.51}, "above"),
        ({"censoring": "<", "detection_limit": 6.5}, "above"),
        ({"censoring": "<", "detection_limit": 7.0}, "inconclusive"),
        ({"censoring": ">", "detection_limit": 8.5}, "above"),
        ({"censoring": ">", "detection_limit": 8.0}, "inconclusive"),
    ],
)
def test_a_range_has_two_ends(row, status):
    out = assessed(
        {"observed_property": "ph", "unit": "[pH]", "method_speciation": None} | row, observed="ph"
    )
    assert out["status"].tolist() == [status]
    assert out[["limit_lower", "limit_upper"]].iloc[0].tolist() == [6.5, 8.5]


@pytest.mark.parametrize(
    ("row", "status"),
    [
        ({"result": 0.0}, "below"),
        ({"result": 1.0}, "above"),
        ({"censoring": "<", "detection_limit": 1.0}, "below"),
        ({"censoring": "<", "detection_limit": 10.0}, "inconclusive"),
        ({"censoring": "<"}, "inconclusive"),
        ({"censoring": ">", "detection_limit": 2400.0}, "above"),
        ({"censoring": "text", "result_text": "present"}, "inconclusive"),
    ],
)
def test_what_must_not_be_detected(row, status):
    row = {"observed_property": "e_coli", "unit": "{MPN}/(100.mL)", "method_speciation": None} | row
    assert statuses(row, observed="e_coli") == [status]


@pytest.mark.parametrize("bound", [0.0, -1.0])
@pytest.mark.parametrize("comparison", ["above", "at_or_above", "detected", "below"])
def test_less_than_nothing_is_no_limit_of_detection(bound, comparison):
    row = {"observed_property": "arsenic", "unit": "ug/L", "method_speciation": None, "censoring": "<"}
    standard = own(comparison, value=0.0 if comparison == "detected" else 10.0)
    out = assessed(row | {"detection_limit": bound}, standard=standard, observed="arsenic")
    assert out["status"].tolist() == ["inconclusive"]
    assert out["reason"].tolist() == ["a limit of detection of zero or less says nothing"]
    cold = {"observed_property": "temperature", "unit": "Cel", "method_speciation": None, "censoring": "<"}
    warm = own(value=25.0, observed="temperature", unit="Cel")
    assert statuses(cold | {"detection_limit": bound}, standard=warm, observed="temperature") == ["below"]


def test_units_and_forms_are_converted_before_anything_is_compared():
    out = assessed(
        {"result": 12.0, "method_speciation": "as N"}, {"monitoring_location_id": "b", "result": 12.0}
    )
    assert out["status"].tolist() == ["above", "below"]
    assert out["result"].tolist() == pytest.approx([53.1216, 12.0], rel=1e-5)
    assert out["unit"].tolist() == ["mg/L"] * 2
    assert out["method_speciation"].tolist() == ["as NO3"] * 2
    assert assessed({"result": 44.268, "unit": "mg/L"}, standard=EPA)["result"].iloc[0] == pytest.approx(
        10, rel=1e-4
    )


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"method_speciation": None}, "never guessed"),
        ({"unit": None}, "unit"),
        ({"unit": "uS/cm"}, "same kind"),
    ],
)
def test_an_unknown_unit_or_form_is_inconclusive_and_says_why(row, reason):
    out = assessed({"result": 0.1} | row)
    assert out["status"].tolist() == ["inconclusive"]
    assert reason in out["reason"].iloc[0]
    assert out["result"].tolist() == [0.1]
    assert out["limit"].tolist() == [50.0]


def test_ten_micrograms_written_as_a_hundredth_of_a_milligram_are_not_above_ten():
    row = {"observed_property": "arsenic", "result": 0.01, "unit": "mg/L", "method_speciation": "as As"}
    assert statuses(row, observed="arsenic") == ["near"]


def test_without_a_limit_nothing_is_safe():
    row = {"result": 5.0, "unit": "mmol/L", "method_speciation": None}
    for standard in (None, standards()["who_air_quality"]):
        out = assessed(row, standard=standard)
        assert out["status"].tolist() == ["no limit"]
        assert out["unit"].tolist() == ["mmol/L"]
        assert out["limit"].isna().all()


# -- freshness --------------------------------------------------------------------------------------


def test_age_never_changes_a_status():
    old = pd.Timestamp("2001-01-01", tz="UTC")
    out = assessed({"result": 60.0, "phenomenon_time": old}, {"monitoring_location_id": "b", "result": 60.0})
    assert out["status"].tolist() == ["above", "above"]
    assert out["freshness"].tolist() == ["stale", "current"]


# -- several readings of one site -------------------------------------------------------------------

JUNE, JULY = pd.Timestamp("2026-06-01", tz="UTC"), pd.Timestamp("2026-07-01", tz="UTC")


def test_a_strip_never_supersedes_a_laboratory_and_a_warning_stays():
    out = assessed(
        {"result": 20.0, "phenomenon_time": JUNE},
        {"result": 100.0, "phenomenon_time": JULY, "procedure_class": "strip"},
    )
    assert out["status"].tolist() == ["below"]
    assert out["procedure_class"].tolist() == ["laboratory"]
    assert "strip reads above" in out["reason"].iloc[0]
    assert out["n"].tolist() == [2]


def test_a_strip_supersedes_no_laboratory_in_another_form_either():
    out = assessed(
        {"result": 5.0, "method_speciation": "as N", "phenomenon_time": JUNE},
        {"result": 100.0, "phenomenon_time": JULY, "procedure_class": "strip"},
    )
    assert out["status"].tolist() == ["below"]


def test_a_strip_that_says_nothing_of_the_fraction_is_no_group_of_its_own():
    out = assessed(
        {"result": 20.0, "sample_fraction": "dissolved"},
        {"result": 100.0, "phenomenon_time": JULY, "procedure_class": "strip"},
    )
    assert out["status"].tolist() == ["below"]
    assert "strip reads above" in out["reason"].iloc[0]


def test_a_strip_counts_beside_a_laboratory_result_in_an_unknown_form():
    unknown = {"result": 5.0, "method_speciation": None, "phenomenon_time": JUNE}
    assert statuses(unknown, {"result": 100.0, "procedure_class": "strip", "phenomenon_time": JULY}) == [
        "above"
    ]


def test_a_strip_counts_where_there_is_nothing_else():
    assert statuses({"result": 100.0, "procedure_class": "strip"}) == ["above"]


@pytest.mark.parametrize("procedure", ["laboratory", "meter", "sensor", "unknown"])
def test_otherwise_the_newest_counts(procedure):
    rows = [
        {"result": 60.0, "phenomenon_time": JUNE},
        {"result": 20.0, "phenomenon_time": JULY, "procedure_class": procedure},
    ]
    for order in itertools.permutations(rows):
        assert statuses(*order) == ["below"]


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("sampled_medium", "groundwater", "drinking_water"),
        ("sample_fraction", "total", "dissolved"),
        ("depth_m", 10.0, 40.0),
    ],
)
def test_medium_fraction_and_depth_are_never_mixed_and_the_worst_is_shown(name, one, other):
    rows = [
        {"result": 60.0, "phenomenon_time": JUNE, name: one},
        {"result": 20.0, "phenomenon_time": JULY, name: other},
    ]
    for order in itertools.permutations(rows):
        out = assessed(*order)
        assert out["status"].tolist() == ["above"]
        assert out[name].tolist() == [one]
        assert out["groups"].tolist() == [2]


def test_a_limit_for_one_fraction_says_nothing_about_another():
    row = {"observed_property": "arsenic", "result": 1.0, "unit": "ug/L", "method_speciation": None}
    row["sample_fraction"] = "dissolved"
    assert statuses(row, standard=own(fraction="total"), observed="arsenic") == ["inconclusive"]
    assert statuses(row, standard=own(fraction="Dissolved"), observed="arsenic") == ["below"]


def test_what_nobody_knows_in_one_group_is_not_hidden_by_another_that_is_below():
    out = assessed({"result": 1.0}, {"censoring": "text", "sampled_medium": "drinking_water"})
    assert out["status"].tolist() == ["inconclusive"]


def test_a_newer_reading_in_an_unknown_form_hides_nothing_and_is_not_hidden():
    unknown = {"result": 5.0, "method_speciation": None, "phenomenon_time": JULY}
    assert statuses({"result": 60.0, "phenomenon_time": JUNE}, unknown) == ["above"]
    assert statuses({"result": 6.0, "phenomenon_time": JUNE}, unknown) == ["inconclusive"]


def test_an_older_reading_in_an_unknown_form_is_superseded():
    unknown = {"result": 5.0, "method_speciation": None, "phenomenon_time": JUNE}
    assert statuses(unknown, {"result": 6.0, "phenomenon_time": JULY}) == ["below"]


def test_sites_keep_their_order_and_only_the_property_asked_for_counts():
    rows = [{"monitoring_location_id": name, "result": 60.0} for name in "zamb"]
    rows.insert(2, {"monitoring_location_id": "z", "result": 1.0, "sample_fraction": "total"})
    rows.insert(1, {"monitoring_location_id": "q", "observed_property": "arsenic", "result": 1.0})
    out = assessed(*rows)
    assert out["monitoring_location_id"].tolist() == ["z", "a", "m", "b"]
    assert set(out["status"]) == {"above"}


def test_an_empty_picture_has_all_its_columns():
    empty = assess(flat(pd.DataFrame([reading()])).iloc[:0], WHO, "nitrate", topic=TOPIC, now=NOW)
    full = assessed({"result": 1.0}, {"result": 2.0, "sample_fraction": "total"})
    assert len(empty) == 0
    assert list(empty.columns) == list(full.columns)


def test_a_full_table_of_observations_gives_the_same_as_a_short_one():
    rows = [
        reading(result=60.0),
        reading(result=1.0, sample_fraction="total"),
        reading(censoring="text", depth_m=3.0),
    ]
    full = assess(flat(pd.DataFrame(rows)), WHO, "nitrate", topic=TOPIC, now=NOW)
    assert full["status"].tolist() == statuses(*rows) == ["above"]
    assert full["groups"].tolist() == [3]


# -- properties that hold for any reading -----------------------------------------------------------

UNITS = {"mg/L": 1.0, "ug/L": 1e-3, "g/L": 1e3}


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0, 1e4),
    st.sampled_from(list(UNITS)),
    st.sampled_from(["as N", "as NO3"]),
    st.sampled_from([WHO, EPA]),
)
def test_a_non_detect_is_below_only_if_its_limit_is_not_above_the_threshold(bound, unit, species, standard):
    out = assessed(
        {"censoring": "<", "detection_limit": bound, "unit": unit, "method_speciation": species},
        standard=standard,
    ).iloc[0]
    in_nitrate = bound * UNITS[unit] * (62.0049 / 14.0067 if species == "as N" else 1)
    limit = 50 if standard is WHO else 10 * 62.0049 / 14.0067
    assert out["status"] in ("below", "inconclusive")
    if in_nitrate > limit * (1 + 1e-6) or bound == 0:
        assert out["status"] == "inconclusive"
    elif in_nitrate < limit * (1 - 1e-6):
        assert out["status"] == "below"


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1e3), st.sampled_from(list(UNITS)))
def test_a_status_does_not_depend_on_the_unit_it_was_written_in(result, unit):
    plain = statuses({"result": result})
    other = statuses({"result": result / UNITS[unit], "unit": unit})
    borders = (37.5, 50.0)
    if min(abs(result - border) for border in borders) > 1e-6:
        assert plain == other


_RISING = {"below": 0, "near": 1, "above": 2}


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 200), st.floats(1, 50), st.sampled_from(["above", "at_or_above", "below", "detected"]))
def test_more_of_a_substance_never_stands_better(result, factor, comparison):
    standard = own(comparison, value=0.0 if comparison == "detected" else 10.0)
    rows = [
        {"observed_property": "arsenic", "unit": "ug/L", "method_speciation": None, "result": result},
        {
            "observed_property": "arsenic",
            "unit": "ug/L",
            "method_speciation": None,
            "result": result * factor,
        },
    ]
    less, more = (_RISING[statuses(row, standard=standard, observed="arsenic")[0]] for row in rows)
    assert less >= more if comparison == "below" else less <= more


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 200), st.sampled_from(["<", ">"]), st.sampled_from(["above", "at_or_above", "below"]))
def test_a_bound_never_says_more_than_every_number_that_it_allows(bound, sign, comparison):
    row = {"observed_property": "arsenic", "unit": "ug/L", "method_speciation": None}
    standard = own(comparison)
    told = statuses(
        row | {"censoring": sign, "detection_limit": bound}, standard=standard, observed="arsenic"
    )[0]
    ends = (0.0, bound * 0.999) if sign == "<" else (bound * 1.001 + 1e-6, 1e6)
    truths = {statuses(row | {"result": end}, standard=standard, observed="arsenic")[0] for end in ends}
    if told == "below":
        assert "above" not in truths
    if told == "above":
        assert truths == {"above"}


@pytest.mark.parametrize(
    ("status", "comparison", "words"),
    [
        ("above", None, "above the limit"),
        ("above", np.nan, "above the limit"),
        ("above", "above", "above the limit"),
        ("above", "outside range", "outside the range"),
        ("below", "outside range", "inside the range"),
        ("above", "detected", "detected"),
        ("below", "detected", "not detected"),
        ("above", "below", "too little: below the least"),
        ("inconclusive", "outside range", "inconclusive: nobody knows"),
    ],
)
def test_a_status_is_said_in_words_that_fit_the_limit(status, comparison, words):
    assert label(status, comparison) == words


_ROW = st.fixed_dictionaries(
    {
        "result": st.sampled_from([1.0, 40.0, 60.0]),
        "method_speciation": st.sampled_from(["as NO3", "as N", None]),
        "procedure_class": st.sampled_from(["laboratory", "strip", "unknown"]),
        "sample_fraction": st.sampled_from(["total", None]),
        "phenomenon_time": st.sampled_from([JUNE, JULY, pd.Timestamp("2020-01-01", tz="UTC")]),
        "monitoring_location_id": st.sampled_from(["a", "b"]),
    }
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(_ROW, min_size=1, max_size=8).flatmap(
        lambda rows: st.tuples(st.just(rows), st.permutations(rows))
    )
)
def test_the_order_of_rows_does_not_matter(pair):
    one, other = (assessed(*rows).sort_values("monitoring_location_id") for rows in pair)
    assert one["status"].tolist() == other["status"].tolist()
    assert one["n"].tolist() == other["n"].tolist()


# -- how it is drawn --------------------------------------------------------------------------------


def test_every_status_has_a_colour_a_shape_and_a_label_of_its_own():
    assert set(STYLE) == set(STATUSES) == set(WORST)
    for name in ("colour", "shape", "label", "order"):
        assert len({getattr(style, name) for style in STYLE.values()}) == len(STYLE)


# Machado, Oliveira and Fernandes 2009, table 1: severity 1.0, for linear RGB.
_EYES = {
    "usual": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def _lab(colour, eyes):
    encoded = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(_EYES[eyes]) @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ seen
    f = np.cbrt(xyz / [0.9505, 1.0, 1.089])
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("eyes", list(_EYES))
def test_the_colours_can_be_told_apart_by_colour_blind_eyes(eyes):
    for one, other in itertools.combinations(STYLE, 2):
        distance = float(np.linalg.norm(_lab(STYLE[one].colour, eyes) - _lab(STYLE[other].colour, eyes)))
        assert distance > 20, (one, other, round(distance, 1))


def test_a_topic_sets_what_is_near_and_what_is_old():
    topic = dataclasses.replace(TOPIC, near_share=0.5, stale_days=30)
    out = assessed({"result": 25.0}, topic=topic)
    assert out["status"].tolist() == ["near"]
    assert out["freshness"].tolist() == ["stale"]
