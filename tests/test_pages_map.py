"""The map page: every topic opens, and what it says is what the readings say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from layers import picture as pictures
from layers.site import sheet
from layers.trends import one
from situation.topic import topics
from situation.view import View
from tests.some_wells import NASTY, NOW, WELLS, put, readings

MENU = Path(__file__).resolve().parent.parent / "views" / "menu.py"
VIEW = View("groundwater", "nitrate", "who_drinking_water")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Keep one store for all that only read; opening one takes a second."""
    var = tmp_path_factory.mktemp("pages")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMMONSIGHT_VAR", str(var))
        put(readings(), simulated=True)
        receipt = put(
            readings([("t:new", "New", "well", 127.1, -30.6, 99.0, "2026-06-01")], contributor="eve"),
            accept=False,
            name="pending.csv",
        )
    return var, receipt


@pytest.fixture
def wells(kept, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_VAR", str(kept[0]))
    pictures.forget()
    return kept[1]


def opened(**address):
    app = AppTest.from_file(MENU, default_timeout=60)
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def texts(app):
    kinds = (app.markdown, app.caption, app.warning, app.info, app.error)
    return " ".join(str(element.value) for kind in kinds for element in kind).replace("\\", "")


def script(app):
    return json.loads(app.get("component_instance")[0].proto.json_args)


@pytest.mark.parametrize("topic", sorted(topics()))
def test_the_page_opens_for_every_topic(topic, wells):
    app = opened(topic=topic)
    assert not app.exception
    assert app.title[0].value == topics()[topic].shown(simulated=True).title
    assert "Commonsight.start" in script(app)["script"]


def test_the_headline_counts_what_the_map_shows(wells):
    app = opened()
    assert {metric.label: metric.value for metric in app.metric} == {
        "Sites": str(len(WELLS)),
        "Above the limit": "3",
        "Cannot tell, or too old": "1",
        "Newest reading": "2026-05-01",
    }
    assert "3 of 8 sites" in texts(app)


def test_the_table_equals_the_map_and_names_no_household(wells):
    app = opened()
    table = (
        app.dataframe[-1].value
        if len(app.dataframe) == 1
        else next(frame.value for frame in app.dataframe if len(frame.value) == len(WELLS))
    )
    assert table["Status"].tolist()[:3] == ["above the limit"] * 3
    assert not table["Name"].str.contains("Smith|Jones").any()
    assert NASTY in table["Name"].tolist()


def test_what_is_simulated_says_so(wells):
    assert "Simulated readings" in texts(opened())


def test_the_address_chooses_and_a_wrong_one_falls_back(wells):
    app = opened(property="arsenic", standard="nonsense", topic="groundwater", period="1y")
    assert not app.exception
    assert app.selectbox(key="choice_property").value == "arsenic"
    assert app.selectbox(key="choice_standard").value == "who_drinking_water"
    assert app.selectbox(key="choice_period").value == "1y"
    assert "no readings" in texts(app)


def test_a_choice_goes_into_the_address(wells):
    app = opened()
    app.selectbox(key="choice_standard").select("us_epa_drinking_water").run()
    assert app.query_params["standard"] in ("us_epa_drinking_water", ["us_epa_drinking_water"])
    assert not app.exception


def test_another_choice_leaves_the_map_s_frame_alone(wells):
    app = opened()
    before = script(app)
    app.selectbox(key="choice_standard").select("us_epa_drinking_water").run()
    after = script(app)
    assert after["script"] == before["script"]
    assert after["feature_group"] != before["feature_group"]


def test_a_site_in_the_address_opens_its_panel(wells):
    app = opened(site="t:above")
    assert not app.exception
    assert "**Above**" in texts(app)
    latest = next(
        frame.value for frame in app.dataframe if "Substance" in frame.value and "Limit" in frame.value
    )
    assert latest["Result"].tolist() == ["80 mg/L as NO3"]
    assert latest["Status"].tolist() == ["above the limit"]
    assert app.get("vega_lite_chart") or app.get("arrow_vega_lite_chart")


def test_a_site_s_name_is_text_whatever_it_says(wells):
    app = opened(site="t:nasty")
    assert not app.exception
    assert "{{7*7}}" in texts(app)
    assert not [text.value for text in app.markdown if "<script>window" in text.value]  # every sign escaped


def test_a_site_without_name_and_type_is_called_by_its_id(tmp_path, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_VAR", str(tmp_path))
    pictures.forget()
    put(readings([("t:S15", None, None, 127.1, -30.6, 80.0, "2026-05-01")]))
    one = sheet(VIEW.but(site="t:S15"), NOW)
    assert (one.site, one.name, one.kind) == ("t:S15", "", "")


def test_the_exact_id_of_a_household_opens_nothing(wells):
    app = opened(site="t:home-1")
    assert not app.exception
    assert "no such site" in texts(app)
    assert "Smith" not in texts(app)


def test_a_square_of_households_opens_with_the_readings_of_all(wells):
    site = next(s for s in pictures.picture(VIEW).sites["monitoring_location_id"] if s.startswith("area-"))
    one = sheet(VIEW.but(site=site), NOW)
    assert one.hidden == 2
    assert len(one.history) == 4
    assert one.history["source_row"].isna().all()
    app = opened(site=site)
    assert not app.exception
    assert "Sites in this square: 2" in texts(app)


def test_a_series_is_in_the_limit_s_unit_and_keeps_what_is_censored_apart(wells):
    found = one(VIEW.but(site="t:less"), NOW)
    assert not found.left_out
    table = found.of(0)
    assert table["censoring"].tolist() == ["<", "<"]
    assert table["value"].tolist() == [0.5, 0.5]
    assert found.unit_text == "mg/L as NO3"


def test_a_pending_batch_is_shown_to_its_link_only(wells):
    refused = opened(batch=str(wells.batch), review="all")
    assert not refused.exception
    assert "token" in texts(refused)
    assert not refused.metric
    seen = opened(batch=str(wells.batch), review="all", token=wells.view_token)
    assert "not accepted yet" in texts(seen)
    assert seen.metric[0].value == "1"


def test_everything_pending_is_for_the_operator(wells):
    app = opened(review="all")
    assert not app.metric
    assert "operator" in texts(app)


def test_what_changed_is_told_against_a_day(wells):
    app = opened(since="2025-01-01")
    assert not app.exception
    said = texts(app)
    assert "Newly above the limit: 2" in said
    assert "2025-01-01" in said


def test_a_version_that_does_not_exist_is_told_and_not_an_accident(wells):
    app = opened(as_of="99999")
    assert not app.exception
    assert "99999" in texts(app)
