"""The feed of what was newly found above a limit: read with a feed reader, and by eye."""

from __future__ import annotations

import dataclasses
from xml.etree import ElementTree

import feedparser
import pytest

import store
from layers import picture as pictures
from routes.feeds import _over
from situation.settings import settings
from situation.standard import COMPARISONS, standards
from tests.some_wells import LAT, LON, WELLS, put, readings
from tests.test_ogc import THIRD
from tests.test_routes import HIDDEN, get

FEED = "/feeds/exceedances.atom"
SCRIPT = "{{7*7}}</title><script>alert(1)</script>\u202e\x00\x0b]]>&amp;" + "x" * 300


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    monkeypatch.setattr("routes.feeds.MOST", 4)
    pictures.forget()


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    var = tmp_path_factory.mktemp("feeds")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMMONSIGHT_VAR", str(var))
        put(readings([*WELLS, THIRD, ("t:script", SCRIPT, "well", LON, LAT, 60.0, "2026-05-03")]))
        put(readings([("e:new", "Pending", "well", LON, LAT, 99.0, "2026-06-01")], contributor="eve"),
            accept=False, name="pending.csv")  # fmt: skip
    return var


@pytest.fixture
def wells(kept, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_VAR", str(kept))


def read(address=FEED, headers=(), **params):
    told = get(address, headers, **params)
    assert told.status == 200
    assert told.headers["content-type"].startswith("application/atom+xml")
    feed = feedparser.parse(told.body)
    assert not feed.bozo, feed.get("bozo_exception")
    return feed


@pytest.mark.usefixtures("wells")
def test_each_site_above_its_limit_has_an_entry_and_no_other():
    feed = read(property="nitrate")
    assert feed.version == "atom10"
    names = {entry.title.split(":")[0] for entry in feed.entries}
    assert {"Above", "Old", "Household well in this area"} <= names
    assert "Pending" not in str(feed.entries)
    above = next(entry for entry in feed.entries if entry.title.startswith("Above"))
    assert above.title == "Above: Nitrate is above the limit of 50 mg/L as NO3 (80 mg/L as NO3)"
    for word in ("80 mg/L as NO3", "2026-05-01", "WHO", "No reviewer"):
        assert word in above.summary
    assert "Simulated" not in above.summary
    assert "site=t%3Aabove" in above.link
    assert above.link.startswith("http://localhost/?topic=groundwater")
    assert above.where == {
        "type": "Point",
        "coordinates": (pytest.approx(LON - 0.05), pytest.approx(LAT - 0.03)),
    }
    assert "nobody measured since" in next(e for e in feed.entries if e.title.startswith("Old")).summary


@pytest.mark.parametrize("comparison", COMPARISONS)
def test_every_way_to_pass_a_limit_has_words(comparison):
    limit = next(row for row in standards()["who_drinking_water"].rows if row.property == "nitrate")
    assert _over(dataclasses.replace(limit, comparison=comparison, lower=6.5, upper=8.5), "en")


@pytest.mark.usefixtures("wells")
def test_a_hidden_well_is_somewhere_in_its_cell():
    told = get(FEED, property="nitrate").body.decode()
    assert not [word for word in HIDDEN if word in told]
    hidden = next(e for e in read(property="nitrate").entries if e.title.startswith("Household"))
    assert hidden.where["type"] == "Box"
    (west, south), (east, north) = hidden.where["coordinates"]
    assert west < LON + 0.0099 < east
    assert south < LAT + 0.0301 < north
    assert "not shown exactly" in hidden.summary


@pytest.mark.usefixtures("wells")
def test_texts_of_strangers_are_text():
    body = get(FEED, property="nitrate").body
    root = ElementTree.fromstring(body)
    texts = [element.text or "" for element in root.iter()]
    (title,) = [text for text in texts if "{{7*7}}" in text and "limit" in text]
    assert "</title><script>" in title
    assert "\u202e" not in title
    assert len(title) < 320
    assert b"<script>" not in body


@pytest.mark.usefixtures("wells")
def test_a_feed_can_be_narrowed_and_said_in_other_languages():
    box = f"{LON - 0.051},{LAT - 0.031},{LON - 0.049},{LAT - 0.029}"
    assert [entry.title.split(":")[0] for entry in read(bbox=box).entries] == ["Above"]
    assert read(property="arsenic").entries == []
    assert "limite" in read(lang="fr", bbox=box).entries[0].title
    assert read(bbox=box).feed.id != read(lang="fr", bbox=box).feed.id
    for more in ({"topic": "nowhere"}, {"property": "x"}, {"bbox": "1"}, {"standard": "mine"}):
        assert get(FEED, **more).status == 400
    assert get("/feeds/x").status == get("/feeds/").status == 404


def test_a_new_reading_is_a_new_entry_and_a_withdrawn_one_is_none():
    well = ("t:one", "One", "well", LON, LAT, 60.0, "2026-05-01")
    put(readings([well, WELLS[0]]))
    told = get(FEED)
    first = feedparser.parse(told.body)
    assert get(FEED, {"If-None-Match": told.headers["etag"]}).status == 304
    ids = {entry.id for entry in first.entries}
    assert len(ids) == 2
    assert all(name.startswith("tag:localhost,2026:") for name in ids)
    newer = ("t:one", "One", "well", LON, LAT, 75.0, "2026-06-01")
    more = put(readings([newer], contributor="ben", earlier=False), name="more.csv")
    after = read()
    assert after.entries[0].title.endswith("(75 mg/L as NO3)")
    assert after.entries[0].id not in ids
    assert after.entries[1].id in ids
    place = store.shared(settings().active_store_url)
    place.withdraw(more.batch, "op", operator=True)
    back = read()
    assert {entry.id for entry in back.entries} == ids
    assert back.feed.updated >= after.feed.updated
    assert back.feed.updated == place.book().at.replace("+00:00", "Z")


def test_a_batch_that_waited_is_dated_by_when_it_was_accepted(monkeypatch):
    receipt = put(readings([WELLS[0]]), accept=False)
    assert read().entries == []
    place = store.shared(settings().active_store_url)
    monkeypatch.setattr("store.guard.datetime", _Later)
    place.accept(receipt.batch, "op")
    (entry,) = read().entries
    assert entry.updated == "2031-01-01T00:00:00Z"
    assert place.batch(receipt.batch).received_at < "2031"


class _Later:
    @staticmethod
    def now(zone):
        import datetime

        return datetime.datetime(2031, 1, 1, tzinfo=zone)


@pytest.mark.usefixtures("wells")
def test_it_never_grows_beyond_its_measure():
    assert len(read().entries) == 4
