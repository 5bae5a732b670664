"""Snapshots: frozen, kept, opened again after everything that can happen to a ledger."""

from __future__ import annotations

import dataclasses
import json

import pandas as pd
import pytest

import store
from layers import frozen
from situation import snapshot as snapshots
from situation.errors import ChoiceError, NoSuchSnapshot
from situation.settings import settings
from situation.standard import standards
from situation.view import View
from tests.some_wells import NOW, WELLS, put, readings

LATER = pd.Timestamp("2027-06-30", tz="UTC")


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_STORE", f"duckdb:{tmp_path / 'wells'}")
    monkeypatch.setenv("COMMONSIGHT_BASE_URL", "https://map.example.org")
    opened = store.shared(settings().active_store_url)
    yield opened
    opened.close()
    store.shared.cache_clear()


def nitrate(**more: object) -> View:
    return View.from_params({"property": "nitrate", "standard": "who_drinking_water"}).but(**more)


def kept(place, **more):
    shot = frozen.freeze(place, nitrate(**more), NOW)
    return shot, frozen.keep(place, shot, NOW, who="ana")


def same_numbers(one, other):
    pd.testing.assert_frame_equal(one.sites, other.sites)
    assert one.counts == other.counts
    assert one.said == other.said
    assert (one.box, one.title, one.limit) == (other.box, other.title, other.limit)


def test_a_kept_snapshot_opens_as_it_was_made(place):
    put(readings())
    shot, again = kept(place)
    same_numbers(shot, again)
    assert again.permalink == f"https://map.example.org/s/{again.id}"
    assert (again.who, again.version) == ("ana", place.version())
    assert not again.changed.matters
    assert len(shot.sites) == len(WELLS)


def test_the_same_picture_kept_twice_is_one_snapshot(place):
    put(readings())
    _, first = kept(place)
    second = frozen.keep(place, frozen.freeze(place, nitrate(), NOW), LATER, who="ben")
    assert (second.id, second.who) == (first.id, "ana")
    assert len(place.published()) == 1


def test_later_uploads_corrections_withdrawals_and_reviews_change_no_number(place):
    first = put(readings())
    shot, was = kept(place)
    # Another well, another value at the same time, a rejected reading, and the first batch taken back.
    far = ("t:new", "New", "well", *WELLS[0][3:5], 99.0, "2026-06-01")
    put(readings([far]), name="new.csv")
    other = [("t:above", "Above", "well", *WELLS[0][3:5], 20.0, "2026-05-01")]
    put(readings(other, earlier=False), name="corrected.csv")
    now = frozen.reopen(place, was.id)
    same_numbers(shot, now)
    assert (now.changed.corrected, now.changed.newer) == (1, 2)
    assert now.changed.matters
    place.withdraw(first.batch, "operator", operator=True)
    now = frozen.reopen(place, was.id)
    same_numbers(shot, now)
    # What the correction says of the one reading stands; the other fifteen are withdrawn.
    assert now.changed.withdrawn == 15
    assert sum(map(len, now.readings())) == 16
    assert frozen.freeze(place, nitrate(), NOW).counts != now.counts


def test_a_rejected_reading_is_told_and_stays_in_the_snapshot(place):
    put(readings())
    shot, was = kept(place)
    one = next(part for part in was.readings() if len(part)).query("monitoring_location_id == 't:above'")
    place.review(one["observation_id"].tolist(), "rejected", "operator")
    now = frozen.reopen(place, was.id)
    same_numbers(shot, now)
    assert now.changed.rejected == 2


def test_a_year_later_ages_are_still_those_of_the_day(place):
    put(readings())
    shot = frozen.freeze(place, nitrate(period="1y"), NOW)
    later = frozen.freeze(place, shot.view, LATER)
    assert (shot.counts.stale, len(shot.sites)) == (0, len(WELLS) - 1)
    same_numbers(shot, later)
    assert frozen.freeze(place, nitrate(period="1y"), LATER).counts.sites == 0


def test_an_edited_limit_changes_no_snapshot(place, monkeypatch):
    put(readings())
    shot, was = kept(place)
    standard = standards()["who_drinking_water"]
    looser = tuple(dataclasses.replace(row, value=1000.0) if row.value else row for row in standard.rows)
    edited = {"who_drinking_water": dataclasses.replace(standard, rows=looser)}
    monkeypatch.setattr(frozen, "standards", lambda: edited)
    monkeypatch.setattr("layers.picture.standards", lambda: edited)
    same_numbers(shot, frozen.reopen(place, was.id))
    assert frozen.freeze(place, nitrate(), NOW).counts.above == 0


def test_a_purged_batch_leaves_every_snapshot_and_is_told(place):
    first = put(readings(WELLS[:3]))
    put(readings(WELLS[3:]), name="others.csv")
    _, was = kept(place)
    place.purge(first.batch, "operator")
    now = frozen.reopen(place, was.id)
    assert (len(now.sites), now.changed.erased) == (len(WELLS) - 3, 3)
    assert not set(now.sites["monitoring_location_id"]) & {"t:above", "t:near", "t:below"}
    raw = b"".join(path.read_bytes() for path in (place.home / "snapshots").iterdir())
    assert b"t:near" not in raw


def test_a_place_found_to_be_a_home_leaves_the_snapshot_of_before(place):
    put(readings())
    _, was = kept(place)
    home = [("t:above", "Above", "household_well", *WELLS[0][3:5], 81.0, "2026-06-02")]
    put(readings(home, earlier=False).assign(position_rule="blurred"), name="home.csv")
    now = frozen.reopen(place, was.id)
    assert "t:above" in set(was.sites["monitoring_location_id"])
    assert "t:above" not in set(now.sites["monitoring_location_id"])
    assert "Above" not in now.sites["monitoring_location_name"].tolist()
    assert now.hidden == was.hidden + 1
    assert now.counts.above == was.counts.above


def test_who_brought_the_reading_of_a_home_is_not_named_beside_its_batch(place):
    put(readings(WELLS[:3]))
    put(readings([("t:home", "Home", "household_well", *WELLS[6][3:5], 9.0, "2026-05-01")]), name="home.csv")
    told = frozen.freeze(place, nitrate(), NOW).batches.set_index("batch")[["source_id", "contributor"]]
    assert told.to_numpy().tolist() == [["upload:ana", "ana"], ["upload", ""]]


def test_a_box_counts_what_is_in_it_and_what_changed_in_it(place):
    first = put(readings())
    lon, lat = WELLS[0][3:5]
    _, was = kept(place, bbox=(lon - 0.005, lat - 0.005, lon + 0.005, lat + 0.005))
    assert was.sites["monitoring_location_id"].tolist() == ["t:above"]
    place.withdraw(first.batch, "operator", operator=True)
    assert frozen.reopen(place, was.id).changed.withdrawn == 2


def test_what_nobody_accepted_is_not_kept(place):
    put(readings(), accept=False)
    shot = frozen.freeze(place, nitrate(review="all"), NOW)
    assert shot.unaccepted
    with pytest.raises(ChoiceError, match="accepted readings only"):
        frozen.keep(place, shot, NOW)


def test_a_snapshot_taken_away_says_so_and_leaves_nothing(place):
    put(readings())
    _, was = kept(place)
    place.remove_snapshot(was.id, "shows a name", at=LATER.isoformat())
    with pytest.raises(NoSuchSnapshot, match="taken away: shows a name"):
        frozen.reopen(place, was.id)
    assert place.published() == []
    # The same picture may be published again.
    assert kept(place)[1].id == was.id


@pytest.mark.parametrize("name", ["", "../ledger", "aaaaaaaaaa", "AAAAAAAAAA", "a" * 10_000, "nul\0nul222"])
def test_a_name_that_is_no_snapshot_is_refused(place, name):
    with pytest.raises(NoSuchSnapshot):
        frozen.reopen(place, name)


def test_snapshots_go_into_the_backup_and_come_back(place, tmp_path):
    put(readings())
    shot, was = kept(place)
    restored = store.Store.restore(place.backup(tmp_path / "all.zip"), f"duckdb:{tmp_path / 'again'}")
    same_numbers(shot, frozen.reopen(restored, was.id))
    restored.close()


def test_a_title_by_a_person_stays_and_one_of_ours_follows_the_language(place):
    put(readings())
    ours = kept(place)[1]
    named = frozen.keep(place, frozen.freeze(place, nitrate(), NOW, title=" Our  wells\n2026 "), NOW)
    assert frozen.reopen(place, named.id, language="fr").title == "Our wells 2026"
    assert ours.title == "Nitrate: Groundwater"
    long = frozen.freeze(place, nitrate(), NOW, title="What we found in them " * 9).title
    assert len(long) <= 160
    assert long.endswith(("found…", "What…", "we…", "in…", "them…"))
    assert frozen.reopen(place, ours.id, language="fr").said.lead != ours.said.lead


@pytest.mark.parametrize("key", sorted(standards()))
def test_every_limit_is_read_back_as_it_was_written(key):
    for row in standards()[key].rows:
        said = json.loads(json.dumps(snapshots.limit_as_record(row)))
        assert snapshots.limit_from_record(said) == row
