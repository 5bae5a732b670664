"""New since the page was opened: counted in what is in view, and never more than what the map draws."""

import json

import pytest

import store
from layers import picture as pictures
from layers.news import news
from situation.settings import settings
from situation.view import View
from tests.some_wells import LAT, LON, put, readings
from tests.test_routes import get

VIEW = View("groundwater", "nitrate", "who_drinking_water")
HERE = (LON - 0.2, LAT - 0.2, LON + 0.2, LAT + 0.2)
FRESH = [
    ("t:new", "New", "well", LON, LAT, 99.0, "2026-06-01"),
    ("t:below", "Below", "well", LON - 0.03, LAT - 0.01, 4.0, "2026-06-02"),
]


@pytest.fixture(autouse=True)
def opened():
    """Give the data version at which the page was opened."""
    put(readings())
    pictures.forget()
    return version()


def version():
    return store.shared(settings().active_store_url).version()


def told(since, box=HERE, view=VIEW):
    found = news(view, pictures.picture(view), box, since)
    return found["sites"], found["above"]


def test_nothing_is_new_at_first(opened):
    assert told(opened) == (0, 0)


def test_later_readings_are_counted_with_those_above_the_limit(opened):
    put(readings(FRESH, earlier=False), name="later.csv")
    assert told(opened) == (2, 1)
    assert told(version()) == (0, 0)


def test_only_what_is_in_view(opened):
    put(readings(FRESH, earlier=False), name="later.csv")
    assert told(opened, (LON - 0.01, LAT - 0.005, LON + 0.01, LAT + 0.005)) == (1, 1)


def test_an_older_reading_that_comes_late_changes_nothing_on_the_map(opened):
    put(readings([(*FRESH[1][:-1], "2020-01-01")], earlier=False), name="old.csv")
    assert told(opened) == (0, 0)


def test_what_waited_and_was_accepted_is_new_and_what_waits_is_not():
    receipt = put(readings(FRESH, contributor="eve", earlier=False), accept=False, name="waits.csv")
    seen = version()
    assert told(seen) == (0, 0)
    store.shared(settings().active_store_url).accept(receipt.batch, "op")
    assert told(seen) == (2, 1)


def test_over_http(opened):
    put(readings(FRESH, earlier=False), name="later.csv")
    box = ",".join(map(str, HERE))
    params = {"topic": "groundwater", "property": "nitrate", "standard": "who_drinking_water", "bbox": box}
    answer = get("/api/new", **params, seen=str(opened))
    assert json.loads(answer.body)["sites"] == 2
    assert (
        get("/api/new", {"If-None-Match": answer.headers["etag"]}, **params, seen=str(opened)).status == 304
    )
    assert get("/api/new", **params, seen="x").status == 400
    assert get("/api/new", **params).status == 400
