"""A CSV file from here is safe to double-click."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from situation.spreadsheet import plain_cell, safe_arrow, safe_cell, safe_cells


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\0=1", "\r=1"])
def test_what_a_spreadsheet_would_compute_gets_an_apostrophe(text):
    assert safe_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["-3.2", "+4", "-1,5", "-2.1E-3", "-.5", "Well 3", "<0.5", "", "'quoted'"])
def test_numbers_and_ordinary_words_stay_as_they_are(text):
    assert safe_cell(text) == text


@given(st.text(alphabet="'=+-@\t\r\n\x00a1.,e", max_size=8) | st.text(max_size=30))
def test_the_apostrophe_comes_off_again_and_takes_nothing_else_along(text):
    guarded = safe_cell(text)
    assert plain_cell(guarded) == text
    batch = pa.RecordBatch.from_pydict({"note": [text]})
    assert safe_arrow(batch).to_pydict()["note"] == [guarded]


def test_a_closed_vocabulary_stays_and_free_text_does_not():
    table = pd.DataFrame({"censoring": ["=", "<"], "monitoring_location_name": ["=HYPERLINK(1)", None]})
    safe = safe_cells(table)
    assert safe["censoring"].tolist() == ["=", "<"]
    assert safe["monitoring_location_name"].tolist()[0] == "'=HYPERLINK(1)"
    assert safe["monitoring_location_name"].isna().tolist() == [False, True]


def test_a_header_is_a_cell_too():
    assert safe_cells(pd.DataFrame({"=cmd": [1.0]})).columns.tolist() == ["'=cmd"]


def test_an_arrow_table_is_made_safe_in_the_same_way():
    texts = ["=1+1", "-3.2", "Well 3", None, "\0=1", "@x", "+4,5"]
    batch = pa.RecordBatch.from_pydict({"result_text": texts, "censoring": ["="] * len(texts)})
    safe = safe_arrow(batch).to_pydict()
    assert safe["result_text"] == [None if text is None else safe_cell(text) for text in texts]
    assert safe["censoring"] == ["="] * len(texts)
