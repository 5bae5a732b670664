"""The Sources page: every state a source can be in, and what the operator may do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from sensors import collecting, schedule
from sensors.source_state import STATES, Fetches, FetchReport, signature
from sensors.sources import available
from situation.messages import catalogue, languages
from situation.settings import settings
from situation.topic import Collecting, Wanted, topics
from store.url import parse
from ui import about_parts, operator_key, source_parts
from ui.words import Words

MENU = Path(__file__).resolve().parent.parent / "views" / "menu.py"
KEY = "a long secret of the operator"
WQP = available()["wqp"].title


@pytest.fixture
def home():
    return parse(settings().real_store_url).home


@pytest.fixture
def topic(monkeypatch):
    """Let the groundwater topic name two sources."""
    wanted = {"wqp": Wanted(base_url="http://127.0.0.1:9/wqx3", bbox=(-90.0, 42.0, -88.0, 44.0))}
    one = replace(
        topics()["groundwater"], sources=("field_file", "wqp", "openaq"), collect=Collecting(6.0, wanted)
    )
    monkeypatch.setattr(about_parts, "shown_topics", lambda: {"groundwater": one})
    return one


@pytest.fixture
def key(monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_OPERATOR_KEY", KEY)
    monkeypatch.setattr(operator_key, "THROTTLE", operator_key.Throttle())


def note(home, outcome="complete", hours_ago=1.0, source="wqp", said="20 readings of 7 sites.", **more):
    moment = (datetime.now(UTC) - timedelta(hours=hours_ago)).isoformat(timespec="seconds")
    task = collecting.task(about_parts.shown_topics()["groundwater"], available()[source], "")
    question = signature(*task.ask())
    good = {"complete": outcome in ("complete", "empty")}
    Fetches(home).add(FetchReport(source, question, outcome, moment, moment, said=said, **(good | more)))


def opened(**address):
    app = AppTest.from_file(MENU, default_timeout=60)
    for name, value in address.items():
        app.query_params[name] = value
    app.switch_page("sources.py")
    return app.run()


def entered(app):
    app.text_input[0].set_value(KEY)
    return next(one for one in app.button if one.label == "Open").click().run()


def texts(app):
    assert not app.exception
    kinds = (app.markdown, app.caption, app.warning, app.info, app.error, app.success)
    return (
        " ".join(str(element.value) for kind in kinds for element in kind)
        .replace("\\", "")
        .replace("\u2060", "")
    )


def test_a_topic_without_sources_says_how_to_name_one():
    app = opened()
    assert "names no open source" in texts(app)
    assert 'sources = ["field_file", "wqp"]' in app.code[0].value
    assert not [one for one in app.button if one.label == "Try now"]


def test_every_source_is_there_with_licence_limits_and_how_it_was_tested(topic):
    said = texts(opened())
    for sensor in available().values():
        assert sensor.title in said
        assert sensor.licence in said
    assert said.count("written from documents only") == sum(not one.recorded for one in available().values())
    assert "asks the sources of this topic by itself, every 6 hours" in said


def test_a_source_that_was_never_asked(topic):
    said = texts(opened())
    assert ":gray-badge[:material/radio_button_unchecked: not asked yet]" in said
    assert "in a moment" in said  # the next look takes it


def test_ok_with_its_numbers(topic, home):
    newest = (datetime.now(UTC) - timedelta(days=3, hours=1)).isoformat()
    note(home, added=1234, rows_out=1234, sites=7, newest=newest)
    said = texts(opened())
    assert ":green-badge[:material/check_circle: ok]" in said
    for words in ("1 hour ago", "1\u202f234", "3 days ago", "20 readings of 7 sites"):
        assert words in said


def test_late(topic, home):
    note(home, hours_ago=24 * 30, sites=7)
    said = texts(opened())
    assert "-badge[:material/schedule: late]" in said
    assert "30 days ago" in said


def test_suspect_keeps_when_it_was_last_well(topic, home):
    note(home, hours_ago=48, sites=7, added=20)
    note(home, "suspect", 1, said="The source gave 7 sites on 2026-01-01 and none now.")
    said = texts(opened())
    assert "-badge[:material/help: suspect]" in said
    assert "2 days ago" in said
    assert "7 sites on 2026" in said


def test_failing_says_why_and_obeys_nothing_in_it(topic, home):
    note(home, "failed", 0.1, said="It said [x](javascript:alert(1)) <b>no</b>.", error="SourceUnavailable")
    app = opened()
    assert "-badge[:material/error: failing]" in texts(app)
    assert any(r"\[x\]\(javascript" in one.value for one in app.markdown)
    assert "in 8 minutes" in texts(app) or "in 9 minutes" in texts(app)


def test_a_missing_key_is_named_and_never_shown(topic, monkeypatch):
    said = texts(opened())
    assert "-badge[:material/key_off: key missing]" in said
    assert f"{available()['openaq'].title} needs a key" in said
    monkeypatch.setenv("OPENAQ_API_KEY", "very-secret")
    said = texts(opened())
    assert f"{available()['openaq'].title} needs a key" not in said
    assert "very-secret" not in said


def test_each_state_has_a_look_and_words_in_every_language():
    assert set(source_parts.LOOKS) == set(STATES)
    english = {name for name in catalogue("en") if name.startswith("sources.")}
    for code in languages():
        assert english <= set(catalogue(code)), code


@pytest.mark.parametrize("code", ["fr", "es"])
def test_the_page_in_another_language(topic, home, code):
    note(home)
    app = opened(lang=code)
    assert catalogue(code)["sources.lead"] in texts(app)
    assert catalogue(code)["sources.state_ok"] in texts(app)


def test_the_switch_is_named_where_it_is_off(topic, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_COLLECT", "0")
    said = texts(opened())
    assert "asks nobody by itself. COMMONSIGHT\\_COLLECT is 0".replace("\\", "") in said
    assert "not planned" in said


def test_only_the_operator_has_a_button(topic, key):
    app = opened()
    assert not [one for one in app.button if one.label == "Try now"]
    app = entered(app)
    buttons = {one.key: one for one in app.button if one.label == "Try now"}
    assert set(buttons) == {"try_wqp", "try_openaq"}
    assert buttons["try_openaq"].disabled  # its key is missing
    assert not buttons["try_wqp"].disabled


def test_try_now_starts_a_child_and_says_what_came(topic, key, home, monkeypatch):
    begun = []

    class Child:
        returncode = 0

        def poll(self):
            return 0

    def start(task, at):
        begun.append((task, at))
        note(at, added=3, unchanged=17, rows_quarantined=1, quarantined={"no date": 1})
        return Child()

    monkeypatch.setattr(collecting, "start", start)
    monkeypatch.setattr(source_parts, "_LIKELY_S", 0.0)
    app = entered(opened())
    app = next(one for one in app.button if one.key == "try_wqp").click().run()
    (task, at) = begun[0]
    assert (task.source, task.force, task.incremental, at) == ("wqp", True, True, home)
    assert task.base_url == "http://127.0.0.1:9/wqx3"
    said = texts(app)
    assert "Done: 3 readings added, 17 were there already, 0 corrected" in said
    assert "1 row could not be read and waits in the quarantine. 1: no date" in said


def test_a_collection_that_goes_on_shows_how_far_it_is(topic, home, monkeypatch):
    now = collecting.Running("wqp", 1, 1.0, 0.5, "wqp: 3 answers, 20 kB")
    monkeypatch.setattr(collecting, "running", lambda at: {"wqp": now})
    app = opened()
    assert not app.exception
    (bar,) = app.get("progress")
    assert (bar.proto.value, bar.proto.text.replace("\\", "").replace("\u2060", "")) == (
        50,
        "wqp: 3 answers, 20 kB",
    )


def test_no_internet_is_one_sentence(topic, key, home, monkeypatch):
    class Child:
        returncode = 1

        def poll(self):
            return 1

    def start(task, at):
        said = "This machine has no connection to the internet, or the name cannot be found."
        note(at, "failed", 0, said=said, error="SourceUnavailable")
        return Child()

    monkeypatch.setattr(collecting, "start", start)
    monkeypatch.setattr(source_parts, "_LIKELY_S", 0.0)
    app = entered(opened())
    app = next(one for one in app.button if one.key == "try_wqp").click().run()
    assert [one.value for one in app.warning if "no connection to the internet" in one.value]


def test_ages_are_said_in_the_largest_unit_that_fits():
    say = Words("en")
    now = datetime.now(UTC)
    ages = [
        source_parts.age(say, (now - timedelta(seconds=s)).isoformat())
        for s in (5, 70, 4000, 90000, 800 * 86400)
    ]
    assert ages == ["just now", "1 minute ago", "1 hour ago", "1 day ago", "2 years ago"]


def test_a_store_for_one_process_says_so(topic, monkeypatch, tmp_path):
    monkeypatch.setenv("COMMONSIGHT_STORE", f"duckdb:{tmp_path / 'one'}")
    assert schedule.refusal()
    assert "one process only" in texts(opened())
