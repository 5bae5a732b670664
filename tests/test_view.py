"""The view: what was chosen travels as plain text, and what does not exist is said or replaced."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from situation.errors import ChoiceError
from situation.view import View

NOW = pd.Timestamp("2026-11-21", tz="UTC")


def test_an_empty_address_shows_the_first_topic_with_its_first_property_and_standard():
    view = View.from_params({})
    assert (view.topic, view.observed_property, view.standard) == (
        "groundwater",
        "nitrate",
        "who_drinking_water",
    )
    assert view.chosen_topic.key == "groundwater"
    assert view.chosen_property.title == "Nitrate"


def test_a_full_address_comes_back_as_it_was():
    params = {
        "topic": "air", "property": "pm10", "standard": "who_air_quality", "period": "2020-01-01/2024-12-31",
        "review": "all", "as_of": "17", "bbox": "38.9,-4.7,39.6,-4.1", "zoom": "9", "site": "usgs:1/2 é&=",
        "since": "2026-03-31", "batch": "4", "token": "abc_DEF-1", "only": "above",
        "areas": "aquifers",
    }  # fmt: skip
    view = View.from_params(params, strict=True)
    assert view.bbox == (38.9, -4.7, 39.6, -4.1)
    assert view.to_params() == params
    assert View.from_params(view.to_params()) == view


def test_what_is_as_usual_is_not_in_the_address():
    assert View.from_params({}).to_params() == {
        "topic": "groundwater",
        "property": "nitrate",
        "standard": "who_drinking_water",
    }


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("topic", "nonsense", "No topic 'nonsense'; data/topics has groundwater, air"),
        ("property", "nonsense", "No property 'nonsense'; there is nitrate, arsenic"),
        ("standard", "nonsense", "No standard 'nonsense'"),
        ("period", "long ago", "period is 'long ago'; it takes all, 1y, 5y, or two days"),
        ("period", "2024-01-01/2020-01-01", "two days"),
        ("period", "2024-02-30/", "two days"),
        ("review", "mine", "No review 'mine'; there is accepted, all"),
        ("as_of", "-1", "as_of is '-1'; it takes a whole number"),
        ("zoom", "99", "zoom"),
        ("bbox", "1,2,3", "bbox is '1,2,3'; it takes west,south,east,north"),
        ("bbox", "10,-4,5,4", "bbox"),
        ("bbox", "nan,0,1,1", "bbox"),
        ("since", "yesterday", "since is 'yesterday'; it takes a day like"),
        ("token", "a b", "token holds letters"),
        ("only", "some", "No only 'some'"),
        ("batch", "1e3", "batch"),
    ],
)
def test_what_does_not_exist_is_a_sentence_for_a_command_and_the_usual_for_a_page(name, value, sentence):
    assert View.from_params({name: value}) == View.from_params({})
    with pytest.raises(ChoiceError, match=sentence):
        View.from_params({name: value}, strict=True)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["topic", "property", "period", "bbox", "as_of", "site", "zoom"]), st.text()
    )
)
def test_a_page_opens_whatever_the_address_says(params):
    view = View.from_params(params)
    assert View.from_params(view.to_params()) == view


def test_a_site_s_name_holds_no_sign_that_the_database_does_not_take():
    assert View.from_params({"site": "a\0'b"}, strict=True).site == "a'b"
    assert View.from_params({"site": "\0"}, strict=True).site is None


@pytest.mark.parametrize(
    ("period", "interval"),
    [
        ("all", (None, None)),
        ("1y", ("2025-11-21", None)),
        ("5y", ("2021-11-21", None)),
        ("2020-01-01/2020-12-31", ("2020-01-01", "2021-01-01")),
        ("2020-01-01/", ("2020-01-01", None)),
        ("/2020-12-31", (None, "2021-01-01")),
    ],
)
def test_a_period_is_an_interval(period, interval):
    wanted = tuple(pd.Timestamp(day, tz="UTC") if day else None for day in interval)
    assert View.from_params({"period": period}).interval(NOW) == wanted


def test_a_property_outside_of_the_topic_may_be_looked_at():
    assert View.from_params({"property": "uranium"}, strict=True).observed_property == "uranium"


def test_something_else_can_be_chosen():
    assert View.from_params({}).but(observed_property="arsenic").to_params()["property"] == "arsenic"


def test_a_view_says_when_it_looks_what_it_asks_the_store_and_which_places_it_holds():
    now = pd.Timestamp("2026-11-22", tz="UTC")
    view = View.from_params({"topic": "groundwater", "period": "2020-01-01/2021-12-31", "as_of": "7"})
    assert view.moment(now) == pd.Timestamp("2022-01-01", tz="UTC")
    assert view.but(period="all").moment(now) == now
    since, until = view.interval(now)
    assert view.scope(now) == {
        "topic": "groundwater", "review": "accepted", "as_of": 7, "batch": None, "since": since, "until": until,
    }  # fmt: skip
    places = pd.DataFrame({"longitude": [1.0, 5.0, float("nan")], "latitude": [1.0, 1.0, float("nan")]})
    assert view.inside(places).all()
    assert view.within(places) is places
    boxed = view.but(bbox=(0.0, 0.0, 2.0, 2.0))
    assert boxed.inside(places).tolist() == [True, False, False]
    assert boxed.within(places).index.tolist() == [0]
