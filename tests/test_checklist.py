"""The checklist of a snapshot: refuses nothing, names what is missing, and says what to do."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from publish.checklist import WORTH_SAYING, checks, missing
from situation.messages import catalogue
from situation.paragraph import paragraph
from situation.snapshot import Changed, Snapshot
from situation.standard import Standard, standards
from situation.topic import topics
from situation.view import View

TOPIC = dataclasses.replace(topics()["groundwater"], producer="Friends of the river", contact="a@example.org")
WHO = standards()["who_drinking_water"]
NITRATE = WHO.limits_for("nitrate")
NOW = pd.Timestamp("2026-06-30", tz="UTC")
GOOD = {
    "monitoring_location_id": "t:1", "status": "below", "freshness": "current", "licence": "CC0-1.0",
    "attribution": "the tests", "source_id": "upload:ana", "review_state": "verified", "position_rule": "exact",
    "longitude": 7.0, "latitude": 50.0, "phenomenon_time": NOW, "n": 2,
}  # fmt: skip


def snapshot(*sites, **more):
    """Make a snapshot of ten faultless sites, some of them replaced."""
    table = pd.DataFrame([{**GOOD, **change} for change in [*sites, *[{}] * (10 - len(sites))]])
    told = {
        "view": View("groundwater", "nitrate", "who_drinking_water", as_of=3, at="2026-06-30T00:00Z"),
        "moment": NOW,
        "title": "Nitrate",
        "topic": TOPIC,
        "standard": Standard(WHO.key, WHO.title, tuple(NITRATE)),
        "limit": dataclasses.replace(NITRATE[0], verified=True),
        "sites": table,
        "said": paragraph(table, WHO, "nitrate"),
        "box": (6.0, 49.0, 8.0, 51.0),
        "readings": lambda: iter(()),
        "batches": pd.DataFrame(),
        "base_url": "https://map.example.org",
    }
    return Snapshot(**told | more)


def faults(shot):
    return {check.key: check.sentence for check in missing(shot)}


def test_a_faultless_snapshot_lacks_nothing_and_says_what_was_looked_at():
    found = checks(snapshot())
    assert [check.key for check in found if not check.ok] == []
    assert {check.key for check in found} == {
        "licence", "limit", "few", "inconclusive", "unverified", "stale", "no_place", "hidden", "producer",
        "contact", "address",
    }  # fmt: skip
    assert "Friends of the river" in " ".join(check.sentence for check in found)


@pytest.mark.parametrize(
    ("change", "key", "says"),
    [
        ({"licence": "unknown"}, "licence", "1 site (the tests)"),
        ({"licence": None}, "licence", "1 site (the tests)"),
        ({"status": "inconclusive"}, "inconclusive", "1 of 10 sites"),
        ({"review_state": "pending"}, "unverified", "1 of 10 sites"),
        ({"freshness": "stale"}, "stale", "1 of 10 sites the newest reading is older than 730 days"),
        ({"longitude": float("nan")}, "no_place", "1 site has no usable place"),
        ({"position_rule": "blurred"}, "hidden", "1 site is shown as the middle of a square"),
        ({"position_rule": "area", "longitude": float("nan")}, "hidden", "or not on the map at all"),
    ],
)
def test_a_fault_of_one_site_in_ten_is_named(change, key, says):
    found = faults(snapshot(change))
    assert list(found) == [key]
    assert says in found[key]


def test_less_than_a_tenth_is_left_to_the_counts_on_the_picture():
    assert WORTH_SAYING == 0.1
    sites = pd.concat([snapshot({"freshness": "stale"}).sites, snapshot().sites], ignore_index=True)
    assert faults(snapshot(sites=sites)) == {}


@pytest.mark.parametrize(
    ("more", "key", "says"),
    [
        ({"simulated": True}, "simulated", "simulated"),
        ({"unaccepted": True}, "unaccepted", "not kept"),
        ({"base_url": None}, "address", "COMMONSIGHT_BASE_URL"),
        ({"limit": NITRATE[0].__class__(**{**vars(NITRATE[0]), "verified": False})}, "limit", WHO.title),
        ({"limit": None}, "no_limit", "no limit"),
        (
            {"topic": dataclasses.replace(TOPIC, producer=" ")},
            "producer",
            "data/topics/groundwater/topic.toml",
        ),
        ({"topic": dataclasses.replace(TOPIC, contact="")}, "contact", "data/topics/groundwater/topic.toml"),
        ({"topic": dataclasses.replace(TOPIC, contact=topics()["air"].contact)}, "contact", "no contact"),
        ({"id": "abcdefghij", "changed": Changed(withdrawn=2, corrected=1)}, "changed", "3 readings"),
    ],
)
def test_what_the_snapshot_as_a_whole_lacks_is_named(more, key, says):
    found = faults(snapshot(**more))
    assert list(found) == [key]
    assert says in found[key]


def test_few_sites_that_can_be_judged_are_named_and_an_empty_picture_says_only_that():
    few = snapshot(*[{"status": "no limit"}] * 6)
    assert faults(few) == {"few": next(c.sentence for c in checks(few) if c.key == "few")}
    assert "Only 4 sites" in faults(few)["few"]
    empty = snapshot(sites=snapshot().sites.iloc[:0])
    assert list(faults(empty)) == ["empty"]
    assert {"producer", "contact", "address"} <= {check.key for check in checks(empty)}


def test_newer_readings_alone_are_no_fault():
    assert faults(snapshot(id="abcdefghij", changed=Changed(newer=5))) == {}


def test_names_of_strangers_come_out_as_they_are():
    nasty = "{{7*7}}</script>{n}"
    shot = snapshot({"licence": "", "attribution": nasty})
    assert nasty in faults(shot)["licence"]


def test_every_point_has_its_sentences():
    said = {key.removeprefix("publish.check.") for key in catalogue("en") if key.startswith("publish.check.")}
    plain = {key for key in said if not key.endswith(("_ok", "_one"))}
    without = {"empty", "simulated", "unaccepted", "no_limit"}  # there is nothing in order to say of these
    assert {key.removesuffix("_ok") for key in said if key.endswith("_ok")} == plain - without
