"""Result cells: what was quantified is a number, what was not never is."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from sensors.cells import NO_VALUE, decimal_style, read_number, read_results, repeated_constant, word_key
from situation.settings import ROOT

KWALE = ROOT.parent / "shared" / "samples" / "groundwater" / "kenya_kwale_water_samples.csv"


def read(*cells: str, **more) -> pd.DataFrame:
    return read_results(pd.Series(list(cells), dtype="str"), **more)


def one(cell: str, **more) -> dict[str, object]:
    row = read(cell, **more).iloc[0]
    return {
        name: value
        for name, value in row.items()
        if not (isinstance(value, float) and math.isnan(value)) and value != ""
    }


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("7.2", 7.2), ("7,2", 7.2), ("-130.0", -130.0), ("−4.5", -4.5), (".5", 0.5), ("5.", 5.0), ("+3", 3.0),
        ("1.25E+01", 12.5), ("1.2x10^3", 1200.0), ("1.2×10³", 1200.0), ("1.234,5", 1234.5), ("1,234.5", 1234.5),
        ("1 234,5", 1234.5), ("1\u00a0234,5", 1234.5), ("1\u202f234.5", 1234.5), ("1'234.5", 1234.5),
        ("1.234.567", 1234567.0), ("1,234,567", 1234567.0), ("0,125", 0.125), ("0.605", 0.605),
        ("٣٫٥", 3.5), ("१२.५", 12.5), ("=5", 5.0), ("0", 0.0), ("46085", 46085.0),
    ],
)  # fmt: skip
def test_a_number_is_read_in_every_spelling(cell, number):
    got = one(cell)
    assert got == {"result": pytest.approx(number), "censoring": "="}


@pytest.mark.parametrize(
    ("cell", "censoring", "limit"),
    [
        ("<0,5", "<", 0.5), ("< 0.5", "<", 0.5), ("<0.5 mg/L", "<", 0.5), ("≤ 5", "<", 5.0), ("<=5", "<", 5.0),
        ("＜5", "<", 5.0), ("less than 5", "<", 5.0), ("ND (<0.5)", "<", 0.5), ("ND<0.5", "<", 0.5), ("0.5 U", "<", 0.5),
        (">2400", ">", 2400.0), ("≥100", ">", 100.0), ("> 2,419.6", ">", 2419.6), ("<٠٫٥", "<", 0.5), ("<5 E", "<", 5.0),
    ],
)  # fmt: skip
def test_a_limit_is_never_a_result(cell, censoring, limit):
    row = read(cell).iloc[0]
    assert (row["censoring"], row["detection_limit"]) == (censoring, limit)
    assert math.isnan(row["result"])


@pytest.mark.parametrize(
    ("cell", "censoring", "condition"),
    [
        ("ND", "<", "below_detection"), ("n.n.", "<", "below_detection"), ("n.d.", "<", "below_detection"),
        ("BDL", "<", "below_detection"), ("LOD", "<", "below_detection"), ("< LOD", "<", "below_detection"),
        ("Not detected", "<", "below_detection"), ("non-detect", "<", "below_detection"), ("<LOQ", "<", "below_quantification"),
        ("trace", "<", "trace"), ("TNTC", ">", "above"),
    ],
)  # fmt: skip
def test_a_word_for_not_detected_has_no_limit_and_no_number(cell, censoring, condition):
    assert one(cell) == {"censoring": censoring, "detection_condition": condition, "kind": "nd_without_limit"}


def test_words_of_other_languages_come_as_data():
    words = {
        "k. A.": "missing",
        "no detectado": "below_detection",
        "pas détecté": "below_detection",
        "غير مكتشف": "below_detection",
    }
    got = read("k.A.", "No detectado", "Pas détecté", "غير مكتشف", nd_words=words)
    assert got["censoring"].tolist() == ["missing", "<", "<", "<"]


@pytest.mark.parametrize(
    "cell", ["", "  ", "NA", "n/a", "-", "--", "<<void>>", "…", "#DIV/0!", "NaN", "null"]
)
def test_no_value_is_missing(cell):
    got = read(cell).iloc[0]
    assert got["censoring"] == "missing"
    assert math.isnan(got["result"])


@pytest.mark.parametrize("cell", ["-9999", "−9999", "-999", "-9999.00", "-9999,0"])
def test_a_number_for_no_value_is_missing_and_says_why(cell):
    got = read(cell).iloc[0]
    assert (got["censoring"], got["kind"]) == ("missing", "sentinel")
    assert "no value" in got["reason"]


def test_9999_is_kept_and_suspected():
    got = read("9999").iloc[0]
    assert (got["result"], got["result_status"], got["kind"]) == (9999.0, "suspect", "sentinel_suspected")


@pytest.mark.parametrize("cell", ["E 3.2", "3.2 E", "3.2E", "E3.2", "~3.2", "ca. 3,2", "3.2 J", "est. 3.2"])
def test_an_estimate_is_a_number_and_says_so(cell):
    got = read(cell).iloc[0]
    assert (got["result"], got["result_status"]) == (3.2, "estimated")


@pytest.mark.parametrize("cell", ["19 ± 3", "19 +/- 3", "19+-3", "19 (±3)", "19 ± 3 pCi/L"])
def test_an_uncertainty_stands_apart(cell):
    got = read(cell).iloc[0]
    assert (got["result"], got["result_uncertainty"]) == (19.0, 3.0)


@pytest.mark.parametrize(
    ("cell", "unit"),
    [
        ("12 mg/L", "mg/L"),
        ("12mg/l as N", "mg/l as N"),
        ("5 µg/l (as NO3)", "µg/l (as NO3)"),
        ("12 %", "%"),
        ("18°C", "°C"),
        ("7 NTU", "NTU"),
    ],
)
def test_a_unit_in_the_cell_is_given_as_it_stands(cell, unit):
    assert read(cell).iloc[0]["unit_in_cell"] == unit


@pytest.mark.parametrize(
    "cell", ["rotten egg", "2,4-D", "2026-03-04", "1,2,3", "12 5", "<", "10³", '=HYPERLINK("x")', "{{7*7}}"]
)
def test_what_is_no_number_stays_text(cell):
    got = read(cell).iloc[0]
    assert got["censoring"] == "text"
    assert math.isnan(got["result"])


def test_a_range_is_not_one_result():
    assert read("5-10").iloc[0]["kind"] == "range"


def test_the_mark_decides_only_where_it_must():
    assert one("1,234")["kind"] == "ambiguous_decimal"
    assert one("1,234", decimal="comma")["result"] == 1.234
    assert one("1,234", decimal="point")["result"] == 1234.0
    assert one("1.234", decimal="comma")["result"] == 1234.0
    assert one("7.204113", decimal="comma")["result"] == 7.204113
    assert one("12,5", decimal="point")["result"] == 12.5
    assert one("<1,234")["kind"] == "ambiguous_decimal"


@pytest.mark.parametrize(
    ("cells", "style"),
    [
        (["7.2", "1,234"], "point"), (["7,2", "1.234"], "comma"), (["1,234", "980"], "ambiguous"), (["5", "ND"], "either"),
        (["7.2", "7,3"], "mixed"), (["1.180", "980"], "ambiguous"), (["7.204", "1.179"], "point"), (["<0,5"], "comma"),
        (["1.234.567"], "comma"), (["1,234,567"], "point"), (["1 234,5"], "comma"), ([], "either"),
    ],
)  # fmt: skip
def test_the_decimal_style_of_a_column(cells, style):
    assert decimal_style(pd.Series(cells, dtype="str")) == style


def test_a_repeated_odd_minimum_is_a_candidate_for_a_hidden_limit():
    found = repeated_constant(pd.Series(["0.7999"] * 6 + ["1.33", "2.1", "2.6", "5", "7"]))
    assert [(constant.value, constant.count, constant.why) for constant in found] == [(0.7999, 6, "minimum")]


@pytest.mark.parametrize(
    "cells",
    [
        ["0"] * 20 + ["10", "25"],  # strips have honest zeros
        ["10", "25", "50"] * 7,  # and few colours
        ["0.1"] * 6 + ["0.2"] * 5 + ["0.3"] * 4,  # rounding
        ["0.7999"] * 4 + ["1", "2"],  # four times is not often
        [],
    ],
)
def test_honest_repetition_is_none(cells):
    assert repeated_constant(pd.Series(cells, dtype="str")) == []


def test_a_number_for_no_value_is_a_candidate_too():
    found = repeated_constant(pd.Series(["-9999", "5", "-9999", "6"]))[0]
    assert (found.value, found.text, found.count, found.why) == (-9999.0, "-9999", 2, "sentinel")


@pytest.mark.skipif(not KWALE.exists(), reason="the sample files are not at hand (../shared/samples)")
def test_the_hidden_limit_of_the_kwale_samples_is_found_and_nothing_else():
    table = pd.read_csv(KWALE, dtype="str")
    found = {name: repeated_constant(table[name]) for name in table.columns[5:]}
    assert {constant.value for constants in found.values() for constant in constants} == {0.7999}
    assert found["As"][0].count == 70
    assert found["NO3"] == []


def test_the_index_is_kept_and_repeats_cost_nothing():
    values = pd.Series(["<5", "7", None, "<5"], index=[10, 20, 30, 40])
    got = read_results(values)
    assert got.index.tolist() == [10, 20, 30, 40]
    assert got["censoring"].tolist() == ["<", "=", "missing", "<"]


def test_a_million_numbers_take_seconds():
    import time

    values = pd.Series(np.arange(1_000_000) / 1000).astype("str")
    begun = time.process_time()
    read_results(values)
    assert time.process_time() - begun < 6


STYLES = {
    "point": lambda text: text,
    "comma": lambda text: text.replace(".", ","),
    "grouped point": lambda text: f"{float(text):,.4f}",
    "grouped comma": lambda text: f"{float(text):,.4f}".translate(str.maketrans(",.", ".,")),
    "spaces": lambda text: f"{float(text):,.4f}".translate(str.maketrans(",.", "\u202f,")),
    "arabic": lambda text: text.translate(str.maketrans("0123456789.", "٠١٢٣٤٥٦٧٨٩٫")),
}
NUMBERS = st.decimals(min_value=-999999, max_value=9999999, places=4, allow_nan=False).filter(
    lambda number: float(number) not in NO_VALUE
)


def check_round_trip(number, style):
    text = STYLES[style](f"{number:.4f}")
    decimal = "comma" if style in ("comma", "grouped comma", "spaces") else "point"
    assert read(text, decimal=decimal).iloc[0]["result"] == pytest.approx(float(number))
    assert read(f"<{text}", decimal=decimal).iloc[0]["detection_limit"] == pytest.approx(float(number))


@examples(max_examples=150, deadline=None)
@given(number=NUMBERS, style=st.sampled_from(sorted(STYLES)))
def test_a_number_comes_back_from_every_style(number, style):
    check_round_trip(number, style)


@pytest.mark.torture
@examples(max_examples=2500, deadline=None)
@given(number=NUMBERS, style=st.sampled_from(sorted(STYLES)))
def test_a_number_comes_back_from_every_style_at_length(number, style):
    check_round_trip(number, style)


def check_any_cell(cell):
    got = read(cell).iloc[0]
    assert (got["censoring"] == "=") == (not math.isnan(got["result"]))
    assert got["censoring"] in ("=", "<", ">", "text", "missing")


@examples(max_examples=200, deadline=None)
@given(
    cell=st.one_of(
        st.text(max_size=20), st.text(st.sampled_from("0123456789.,<>-+±eE %xndND '(·"), max_size=10)
    )
)
def test_any_cell_is_read_without_a_crash_and_only_a_number_is_quantified(cell):
    check_any_cell(cell)


@pytest.mark.torture
@examples(max_examples=5000, deadline=None)
@given(
    cell=st.one_of(
        st.text(max_size=20), st.text(st.sampled_from("0123456789.,<>-+±eE %xndND '(·"), max_size=10)
    )
)
def test_any_cell_is_read_without_a_crash_at_length(cell):
    check_any_cell(cell)


def test_words_meet_in_their_keys():
    assert {word_key(word) for word in ("N.D.", "n. d.", "(nd)", "nd", "<ND")} == {"nd"}
    assert read_number("x") is not None
