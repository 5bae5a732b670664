"""Collecting in the background: what is due, who leads, and that nothing is lost when something is killed."""

import os
import signal
import threading
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import psutil
import pytest
from werkzeug import Response

import store
from sensors import collecting, schedule
from sensors.source_state import BREAKER_AFTER, Fetches, FetchReport, signature
from sensors.sources import available
from situation.errors import DataFileError
from situation.settings import settings
from situation.topic import Collecting, Wanted, read_every, read_topic, topics
from store.url import parse
from tests.sources_kit import plain, wqx

TOPIC = 'title = "Wells"\nproperties = ["nitrate"]\nsources = ["field_file", "wqp"]\n'
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def topic_of(tmp_path, more):
    folder = tmp_path / "wells"
    folder.mkdir(exist_ok=True)
    (folder / "topic.toml").write_text(TOPIC + more, encoding="utf-8")
    return read_topic(folder)


@pytest.fixture
def home():
    return parse(settings().real_store_url).home


@pytest.fixture
def wells(monkeypatch, httpserver):
    """Give the groundwater topic, collecting from a portal that stands on this machine."""
    wanted = {
        "wqp": Wanted(
            base_url=httpserver.url_for("/wqx3").rstrip("/"), since=date(2024, 1, 1), bbox=(-90, 42, -88, 44)
        )
    }
    topic = replace(topics()["groundwater"], sources=("wqp",), collect=Collecting(6.0, wanted))
    monkeypatch.setattr(schedule, "topics", lambda: {"groundwater": topic})
    return topic


@pytest.fixture
def collector(home):
    one = schedule.Collector(settings().real_store_url, home)
    yield one
    one.stop()


def report(outcome="complete", hours_ago=1.0, question="q", **more):
    moment = (NOW - timedelta(hours=hours_ago)).isoformat()
    return FetchReport(
        "wqp", question, outcome, moment, moment, complete=outcome in ("complete", "empty"), **more
    )


def fetched(home):
    return Fetches(home).of("wqp")


# --- what the topic's file says -----------------------------------------------------------------------


def test_a_topic_says_how_often_and_of_whom(tmp_path):
    topic = topic_of(
        tmp_path,
        '[collect]\nevery = "30m"\n[collect.wqp]\nevery = "1d"\nbase_url = "https://mirror.example/wqx3"\n'
        'since = 2020-01-31\nbbox = [1, 2, 3, 4]\nproperties = ["arsenic"]\nprovider = "NWIS"\n',
    )
    one = topic.collect.of("wqp")
    assert (topic.collect.every_hours, topic.collect.every("wqp"), topic.collect.every("openaq")) == (
        0.5,
        24,
        0.5,
    )
    assert (one.since, one.bbox, one.properties) == (date(2020, 1, 31), (1, 2, 3, 4), ("arsenic",))
    assert one.options == {"provider": "NWIS"}
    task = collecting.task(topic, available()["wqp"], "ducklake:sqlite:somewhere")
    assert (task.base_url, task.bbox, task.properties) == (
        "https://mirror.example/wqx3",
        one.bbox,
        ("arsenic",),
    )
    assert collecting.Task.from_json(__import__("json").dumps(task.__dict__)) == task


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('[collect]\nevery = "often"', "30m"),
        ('[collect]\nevery = "10s"', "30m"),
        ("[collect]\nevery = 6", "30m"),
        ('[collect]\nhourly = "yes"', "collect.SOURCE"),
        ("[collect.wqp]\nbase_url = 5", "text in quotes"),
        ('[collect.wqp]\nsince = "last year"', "2020-01-31"),
        ("[collect.wqp]\nbbox = [3, 2, 1, 4]", "west, south, east, north"),
        ('[collect.wqp]\nproperties = ["kryptonite"]', "kryptonite"),
    ],
)
def test_a_mistake_in_it_is_a_sentence(tmp_path, line, said):
    with pytest.raises(DataFileError, match=said):
        topic_of(tmp_path, line)


def test_times_are_read():
    assert [read_every(text, "") for text in ("1m", "90 min", "6h", "1.5d")] == [1 / 60, 1.5, 6, 36]


def test_a_source_that_does_not_exist_is_named(tmp_path):
    topic = topic_of(tmp_path, '[collect.openaq]\nevery = "1h"')
    assert collecting.mistakes(replace(topic, sources=("wqp", "nowhere"))) == [
        f"wells/topic.toml names the source 'nowhere', which does not exist; there are {', '.join(sorted(available()))}.",
        "wells/topic.toml has [collect.openaq], and openaq does not stand in its line sources.",
    ]


# --- when ---------------------------------------------------------------------------------------------


def test_what_was_never_asked_is_due_now_and_what_was_is_due_later():
    assert schedule.next_try("q", [], 6, now=NOW) == NOW
    assert schedule.next_try("q", [report(hours_ago=1)], 6, now=NOW) == NOW + timedelta(hours=5)
    assert schedule.next_try("q", [report(hours_ago=100)], 6, now=NOW) < NOW  # a week of standing still
    assert schedule.next_try("another", [report(hours_ago=1)], 6, now=NOW) == NOW


def test_a_failure_is_tried_again_soon_and_many_are_left_alone():
    once = [report("failed", 0.0)]
    assert schedule.next_try("q", once, 6, now=NOW) == NOW + timedelta(minutes=15)
    assert schedule.next_try("q", once, 0.1, now=NOW) == NOW + timedelta(minutes=6)
    often = [report("failed", 0.0)] * (BREAKER_AFTER + 3)
    assert schedule.next_try("q", often, 6, now=NOW) > NOW + timedelta(hours=1.5)
    told = [report("failed", 0.0, retry_at=(NOW + timedelta(hours=9)).isoformat())]
    assert schedule.next_try("q", told, 6, now=NOW) == NOW + timedelta(hours=9)


# --- by whom ------------------------------------------------------------------------------------------


def test_nobody_is_asked_unless_a_topic_names_an_open_source(collector, home):
    assert collector.look() == []
    assert not collector.leads
    assert not (home / "sources").exists()


@pytest.mark.parametrize(
    "said",
    [
        {"COMMONSIGHT_COLLECT": "0"},
        {"COMMONSIGHT_READ_ONLY": "1"},
        {"COMMONSIGHT_STORE": "duckdb:/nowhere/store"},
    ],
)
def test_the_settings_forbid_it(monkeypatch, said):
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    assert schedule.refusal()
    assert schedule.start() is None


def test_one_leads_and_another_follows_when_it_stops(collector, home, wells, monkeypatch):
    monkeypatch.setattr(schedule.Collector, "due", lambda self, topic: iter(()))
    other = schedule.Collector(collector.store, home)
    collector.look(), other.look()
    assert (collector.leads, other.leads) == (True, False)
    collector.stop()
    other.look()
    assert other.leads
    other.stop()


def test_the_lead_is_seen_from_every_thread(collector, wells, monkeypatch):
    monkeypatch.setattr(schedule.Collector, "due", lambda self, topic: iter(()))
    thread = threading.Thread(target=collector.look)
    thread.start(), thread.join()
    assert collector.leads


def test_a_source_without_its_key_is_not_asked(collector, wells, monkeypatch):
    topic = replace(wells, sources=("openaq",))
    assert list(collector.due(topic)) == []
    monkeypatch.setenv("OPENAQ_API_KEY", "secret")
    assert [task.source for task in collector.due(topic)] == ["openaq"]


# --- the child ----------------------------------------------------------------------------------------


def test_a_look_collects_what_is_due_once(collector, home, wells, httpserver):
    httpserver.expect_request("/wqx3/Result/search").respond_with_handler(
        lambda request: plain(wqx(range(20)), "text/csv")
    )
    assert collector.look() == ["wqp"]
    assert [one.outcome for one in fetched(home)] == ["complete"], fetched(home)[0].said
    kept = store.open_store(collector.store)
    assert len(kept.observations()) == 20
    assert collecting.running(home) == {}
    assert collector.look() == []  # not due for six hours
    assert len(fetched(home)) == 1
    kept.close()


def test_a_killed_collection_is_written_down_and_loses_nothing(collector, home, wells, httpserver):
    hang, hung = threading.Event(), threading.Event()

    def slow(request):
        hung.set()
        hang.wait(30)
        return plain(wqx(range(20)), "text/csv")

    httpserver.expect_request("/wqx3/Result/search").respond_with_handler(slow)

    def kill():
        hung.wait(60)
        (one,) = collecting.running(home).values()
        assert psutil.Process(one.pid).nice() > os.nice(0)
        os.kill(one.pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    collector.look()
    killer.join()
    hang.set()
    (told,) = fetched(home)
    assert (told.outcome, told.error) == ("failed", "CollectionEnded")
    assert collecting.running(home) == {}
    task = collecting.task(wells, available()["wqp"], collector.store)
    assert told.signature == signature(*task.ask())
    child = collecting.start(task, home)  # as the next look would after a while
    assert child.wait(60) == 0
    assert fetched(home)[-1].outcome == "complete"
    kept = store.open_store(collector.store)
    assert len(kept.observations()) == 20
    kept.close()


def test_stopping_the_app_ends_its_child(collector, home, wells, httpserver):
    hang = threading.Event()
    hung = threading.Event()

    def slow(request):
        hung.set()
        hang.wait(30)
        return Response(status=503)

    httpserver.expect_request("/wqx3/Result/search").respond_with_handler(slow)
    thread = threading.Thread(target=collector.look)
    thread.start()
    assert hung.wait(60)
    (one,) = collecting.running(home).values()
    began = time.monotonic()
    collector.stop()
    thread.join(20)
    hang.set()
    assert time.monotonic() - began < 10
    assert not psutil.pid_exists(one.pid)
    assert fetched(home) == []  # nobody failed: it is asked again when the app is back


def test_what_a_dead_process_left_is_no_collection(home):
    (home / "sources").mkdir(parents=True)
    collecting.note(home, collecting.Running("wqp", 2**22 - 1, 12345.0, 0.5, "half"))
    me = psutil.Process()
    collecting.note(home, collecting.Running("openaq", me.pid, me.create_time() - 60, 0.5, "an earlier one"))
    collecting.note(home, collecting.Running("safecast", me.pid, me.create_time(), 0.5, "half"))
    (home / "sources" / "odd.running.json").write_text("{", encoding="utf-8")
    assert list(collecting.running(home)) == ["safecast"]


# --- what could serve an area -------------------------------------------------------------------------


def test_only_sources_of_that_part_of_the_world_and_of_that_topic():
    water = topics()["groundwater"]
    wisconsin = {sensor.key for sensor in collecting.could_serve(water, (-90, 43, -89, 44))}
    assert {"wqp", "usgs_samples", "usgs_water"} <= wisconsin
    assert not {"hubeau_qualite", "ea_water_quality", "usgs_earthquakes", "openaq"} & wisconsin
    beauce = {sensor.key for sensor in collecting.could_serve(water, (1.0, 48.0, 1.5, 48.5))}
    assert "hubeau_qualite" in beauce
    assert "wqp" not in beauce
