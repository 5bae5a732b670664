"""Collecting open data for what the map shows: who may, what it lists, and that it asks nobody unasked."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from sensors import collecting
from situation.topic import topics
from situation.view import View
from tests.some_wells import put, readings
from ui import add_area, operator_key
from ui.words import Words

MENU = Path(__file__).resolve().parent.parent / "views" / "menu.py"
KEY = "a long secret of the operator"
WISCONSIN = "-90,43,-89,44"


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Keep one store for all; opening one takes a second."""
    var = tmp_path_factory.mktemp("area")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMMONSIGHT_VAR", str(var))
        put(readings(), simulated=True)
    return var


@pytest.fixture(autouse=True)
def wells(kept, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_VAR", str(kept))


@pytest.fixture
def operator(monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_OPERATOR_KEY", KEY)
    monkeypatch.setattr(operator_key, "is_operator", lambda: True)


def opened(**address):
    app = AppTest.from_file(MENU, default_timeout=60)
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def texts(app):
    assert not app.exception
    kinds = (app.markdown, app.caption, app.warning, app.info, app.error, app.success)
    said = " ".join(str(element.value) for kind in kinds for element in kind)
    return said.replace("\\", "").replace("\u2060", "")


def press(app, label):
    return next(one for one in app.button if one.label == label).click().run()


def test_a_visitor_learns_who_may():
    app = opened()
    assert "Only the operator can start a collection" in texts(app)
    assert not [one for one in app.button if one.label == "Which sources could there be?"]


def test_the_operator_sees_what_it_would_cost_and_nobody_is_asked(operator, monkeypatch):
    begun = []
    monkeypatch.setattr(collecting, "start", lambda task, home: begun.append(task))
    app = press(opened(bbox=WISCONSIN, zoom="9"), "Which sources could there be?")
    said = texts(app)
    assert "From -90.00, 43.00 to -89.00, 44.00" in said
    assert "Water Quality Portal" in said
    assert "requests: at least 1, 2 s apart" in said
    assert "Hub'Eau" not in said
    assert begun == []
    app = next(one for one in app.button if one.key == "area_wqp").click().run()
    (task,) = begun
    assert (task.source, task.bbox, task.topic) == ("wqp", (-90.0, 43.0, -89.0, 44.0), "groundwater")
    assert "arsenic" in task.properties
    assert task.force


def test_a_very_large_box_is_warned_about(operator):
    app = press(opened(bbox="-170,-60,170,70"), "Which sources could there be?")
    assert "very large part of the world" in texts(app)


def test_nothing_to_be_had_is_said(operator, monkeypatch):
    monkeypatch.setattr(collecting, "could_serve", lambda topic, box: [])
    app = press(opened(bbox=WISCONSIN), "Which sources could there be?")
    assert "No source that is built in" in texts(app)


def test_a_read_only_site_does_not_offer_it(monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_READ_ONLY", "1")
    assert "Only the operator" not in texts(opened())


@pytest.mark.parametrize("turn", [-360, 0, 360])
def test_a_map_dragged_around_the_world_is_at_the_same_place(turn):
    view = View("groundwater", "nitrate", "", bbox=(-91.0 + turn, 43.0, -89.0 + turn, 44.0))
    assert add_area.box_of(view) == (-91.0, 43.0, -89.0, 44.0)


def test_a_source_says_what_is_missing_instead_of_a_cost(monkeypatch):
    from sensors.sources import available

    sensor = available()["openaq"]
    task = collecting.task(topics()["air"], sensor, "", bbox=(0, 0, 1, 1))
    assert sensor.key_variable in add_area.cost(Words("en"), sensor, task).replace("\\", "")
