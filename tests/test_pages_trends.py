"""The Trends page and the panel beside the map say the numbers that the functions give."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from layers import picture as pictures
from layers import trends as found
from situation.messages import catalogue, languages
from situation.settings import DATA
from situation.view import View
from tests.some_wells import NASTY, put
from tests.test_pages_map import MENU, opened, texts
from tests.test_trends_table import some_series, yearly

VIEW = View("groundwater", "nitrate", "who_drinking_water")
PAGE = "trends.py"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    var = tmp_path_factory.mktemp("pages-trends")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMMONSIGHT_VAR", str(var))
        put(some_series(), simulated=True)
        put(
            yearly("t:depth", "Deep", "well", [1.0, 2.0], depth_m=30.0),
            name="deep.csv",
        )
        put(yearly("t:new", "New", "well", [1.0]), accept=False, name="pending.csv")
    return var


@pytest.fixture
def kept(home, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_VAR", str(home))
    found.forget()
    pictures.forget()


def page(**address):
    app = AppTest.from_file(MENU, default_timeout=60).switch_page(PAGE)
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def table(app):
    return next(frame.value for frame in app.dataframe if "slope" in frame.value)


def charts(app):
    return app.get("vega_lite_chart") + app.get("arrow_vega_lite_chart")


def test_the_table_on_the_page_has_the_numbers_of_the_functions(kept):
    shown = found.table(VIEW)
    told = table(page())
    assert len(told) == len(shown.rows) == 10
    for here, there in {
        "slope": "slope", "low": "slope_low", "high": "slope_high", "p": "p", "n": "n"
    }.items():  # fmt: skip
        pd.testing.assert_series_equal(
            told[here].astype(float), shown.rows[there].astype(float), check_names=False
        )
    assert (told["censored"] / 100).tolist() == pytest.approx(shown.rows["share_censored"].tolist())
    assert told["when"].isna().tolist() == shown.rows["crossing_time"].isna().tolist()
    assert [text.split(" ", 1)[1] for text in told["trend"]] == shown.rows["trend"].tolist()
    assert told["series"].tolist().count("30 m deep") + told["series"].tolist().count("dissolved") == 2


def test_the_sentence_counts_the_rows_of_the_table(kept):
    shown, said = found.table(VIEW), texts(page())
    counts = shown.rows["trend"].value_counts()
    crossing = shown.rows["crossing"].value_counts()
    assert f"at {shown.sites} sites (10 series of readings)" in said
    assert f"Rising: {counts['rising']}. Falling: {counts['falling']}." in said
    assert f"Too few readings to tell: {counts['not enough readings']}." in said
    assert f"within 10 years: {crossing['crossing expected']};" in said
    assert "50 mg/L as NO3" in said
    assert "Simulated readings" in said


def test_a_site_in_the_address_draws_its_charts_and_says_what_the_functions_say(kept):
    app = page(site="t:up")
    shown = found.table(VIEW)
    mine = shown.rows[shown.rows["monitoring_location_id"] == "t:up"]
    assert len(charts(app)) == len(mine) == 2
    row = mine[mine["trend"] == "rising"].iloc[0]
    said = texts(app)
    assert f"Rising**: {row['slope']:+.3g} mg/L as NO3 a year" in said
    assert f"between {row['slope_low']:+.3g} and {row['slope_high']:+.3g} with 95 % confidence" in said
    assert f"{row['crossing_time']:%Y-%m}" in said
    assert row["said"] in said
    assert "a single reading may cross the limit earlier or later" in said
    assert "for the eye only" in said
    assert "Not enough readings for a trend." in said


def test_several_sites_can_be_compared_and_an_unknown_one_is_told(kept):
    app = page(site="t:down", also="t:flat")
    assert len(charts(app)) == 2
    assert "Falling" in texts(app)
    assert "no readings in this view" in texts(page(site="t:nowhere"))


def test_rows_picked_in_the_table_are_drawn(kept):
    app = page()
    assert not charts(app)
    assert "Select one or more rows" in texts(app)
    frame = next(frame for frame in app.dataframe if "slope" in frame.value)
    app.session_state[frame.key] = {"selection": {"rows": [0, 2], "columns": [], "cells": []}}
    app.run()
    assert not app.exception
    assert len(charts(app)) == 2
    shown = found.table(VIEW)
    assert str(shown.rows["monitoring_location_name"].iloc[0]) in texts(app)


def test_a_chart_holds_the_readings_and_marks_what_is_censored(kept):
    from layers.trends import one
    from ui.charts import alternative, legend, series_chart
    from ui.trend_parts import trend_sentence
    from ui.words import Words

    say = Words("en")
    made = one(VIEW.but(site="t:up"), pd.Timestamp.now("UTC"))
    place = int((made.rows["n_censored"] > 0).to_numpy().argmax())
    drawn = series_chart(say, made, place).to_dict()
    told = [row for rows in drawn["datasets"].values() for row in rows if "kind" in row]
    assert [row["value"] for row in told] == [0.5] * 6
    assert {row["kind"] for row in told} == {"less than"}
    marks = json.dumps(drawn)
    assert '"triangle-down"' in marks
    assert "limit 50 mg/L as NO3: above this chart" in marks
    assert "less than" in legend(say, made, place)
    assert "measured" not in legend(say, made, place)
    assert "Not enough readings" in alternative(
        say, made, place, "Up", "Nitrate", trend_sentence(say, made, place, markdown=False)
    )
    rising = series_chart(say, made, 1 - place).to_dict()
    rows = [row for rows in rising["datasets"].values() for row in rows]
    assert sum("kind" in row for row in rows) == 14
    assert any("reading_high" in row for row in rows)
    ends = [row for row in rows if "end" in row]
    crossing = made.rows.iloc[1 - place]
    assert ends[0]["ms"] == crossing["crossing_earliest"].floor("ms").value // 10**6
    assert ends[0]["value"] == 50.0


def test_a_hostile_name_is_text(kept):
    app = page(site="t:nasty")
    assert NASTY in table(app)["site"].tolist()
    assert "{{7*7}}" in texts(app)
    assert not [text.value for text in app.markdown if "<script>window" in text.value]
    # The chart knows the name as the text read aloud in its place, and nowhere else.
    assert not [chart for chart in charts(app) if "<script>window" in chart.proto.spec]


def test_hidden_wells_have_charts_and_no_names(kept):
    shown = found.table(VIEW)
    area = next(site for site in shown.rows["monitoring_location_id"] if site.startswith("area-"))
    app = page(site=area)
    assert len(charts(app)) == 2
    everything = texts(app) + table(app).to_csv() + " ".join(str(chart.proto) for chart in charts(app))
    assert not [secret for secret in ("Smith", "Jones", "home-1", "home-2") if secret in everything]
    assert "no readings in this view" in texts(page(site="t:home-1"))


def test_pending_readings_are_not_for_everybody(kept):
    refused = page(review="all")
    assert "operator" in texts(refused)
    assert not refused.dataframe


def test_nothing_to_show_is_a_sentence(kept):
    app = page(property="arsenic")
    assert "no readings" in texts(app)
    assert not app.dataframe


def test_without_a_limit_nothing_is_said_of_crossing(kept):
    app = page(standard="who_air_quality", site="t:up")
    said = texts(app)
    assert "sets no limit for it" in said
    assert set(table(app)["crossing"]) == {"no limit"}


@pytest.mark.parametrize("language", ["fr", "es"])
def test_every_language_has_every_word_and_the_page_speaks_it(language, kept):
    wanted = {key for key in catalogue("en") if key.startswith("trends.")}
    assert wanted <= set(catalogue(language))
    app = page(lang=language, site="t:up")
    assert app.title[0].value.startswith({"fr": "Tendances", "es": "Tendencias"}[language])
    said = texts(app)
    assert "The line" not in said
    assert "a trend needs" not in said


def test_every_word_that_the_page_asks_for_exists():
    import re

    asked = set()
    for name in ("ui/trend_parts.py", "ui/charts.py", "ui/site_panel.py", "views/trends.py"):
        text = (DATA.parent / name).read_text("utf-8")
        asked |= set(re.findall(r'"(trends\.[a-z_]+)"', text)) - {"trends.py", "trends.csv"}
    assert len(asked) > 20
    assert asked <= set(catalogue("en"))
    assert {"en", "fr", "es"} <= set(languages())


def test_the_panel_beside_the_map_says_the_same(kept):
    app = opened(site="t:up")
    assert not app.exception
    row = next(
        row
        for row in found.table(VIEW).rows.to_dict("records")
        if row["monitoring_location_id"] == "t:up" and row["trend"] == "rising"
    )
    said = texts(app)
    assert f"Rising**: {row['slope']:+.3g} mg/L as NO3 a year" in said
    assert row["said"] in said
    assert len(charts(app)) == 1
    panel = opened(site="t:down", standard="eu_drinking_water")
    assert "Falling" in texts(panel)


def test_what_was_chosen_on_the_map_comes_along(kept):
    app = opened(property="nitrate", standard="us_epa_drinking_water", site="t:up")
    app.switch_page(PAGE)
    app.query_params.clear()
    app.run()
    assert app.selectbox(key="choice_standard").value == "us_epa_drinking_water"
    assert app.query_params["site"] in ("t:up", ["t:up"])
