"""The commands that publish: ``snapshot`` and ``snapshots``."""

from __future__ import annotations

import pytest

import commonsight
from situation.settings import settings
from tests.test_cli import run

NITRATE = ("snapshot", "--property", "nitrate", "--standard", "who_drinking_water")


@pytest.fixture(autouse=True)
def _valley(store_with_demo):
    return store_with_demo


def test_a_snapshot_says_what_it_shows_and_how_to_get_it_again(tmp_path):
    said = run(*NITRATE, tmp_path / "wells.csv", tmp_path / "wells.geojson")
    assert said.code == 0, said.err
    assert "13  above the limit" in said.out
    assert "These readings are simulated" in said.err
    told = run(*NITRATE, "--keep", "--who", "river-watch", "--json").json
    assert told["counts"]["above"] == 13
    assert told["simulated"] is True
    assert f"snapshot --id={told['id']} " in told["reproduce"]
    told = run(*NITRATE, "--json", tmp_path / "again.csv").json
    assert f"--as-of={told['data_version']} --at={told['at']}" in told["reproduce"]


def test_the_version_and_the_minute_give_the_same_bytes_again(tmp_path):
    first = run(*NITRATE, "--json", tmp_path / "one.csv").json
    pinned = ("--as-of", str(first["data_version"]), "--at", first["at"])
    assert run(*NITRATE, *pinned, tmp_path / "two.csv").code == 0
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_a_kept_one_is_listed_opened_and_taken_away(tmp_path, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_BASE_URL", "https://map.example.org")
    told = run(*NITRATE, "--keep", "--who", "river-watch", "--title", "Our wells", "--json").json
    assert told["permalink"] == f"https://map.example.org/s/{told['id']}"
    listed = run("snapshots")
    assert told["id"] in listed.out
    assert "river-watch" in listed.out
    assert "Our wells" in listed.out
    again = run("snapshot", "--id", told["id"], "--json", tmp_path / "again.csv").json
    assert (again["counts"], again["id"]) == (told["counts"], told["id"])
    assert run("snapshots", "--remove", told["id"], "--reason", "a name").code == 0
    gone = run("snapshot", "--id", told["id"], tmp_path / "gone.csv")
    assert gone.code == 2
    assert "taken away: a name" in gone.err
    assert "No snapshot has been kept" in run("snapshots").out


def test_a_withdrawal_is_told_of_a_kept_one(store_with_demo):
    told = run(*NITRATE, "--keep", "--json").json
    store_with_demo.withdraw(1, "operator", operator=True)
    again = run("snapshot", "--id", told["id"])
    assert "13  above the limit" in again.out
    assert "withdrawn" in again.err


MISTAKES = [
    ((), "Name a file to write"),
    (("x.doc",), "does not end in one of png"),
    (("--size", "9x9", "x.csv"), "No size '9x9'"),
    (("--look", "odd", "x.csv"), "look is one of light, print"),
    (("--rows", "odd", "x.csv"), "rows one of sites, readings"),
    (("--site", "a", "x.png"), "--site goes with --trends"),
    (("--at", "today", "x.csv"), "takes a minute in UTC"),
    (("--at", "2020-01-01T00:00Z", "x.csv"), "holds what came at"),
    (("--lang", "xx", "x.csv"), "No language 'xx'; there are en"),
    (("--as-of", "999", "x.csv"), "no data version 999"),
    (("--id", "aaaaaaaaaa", "x.csv"), "leave out --keep and the choice"),
    (("/no/such/folder/x.csv",), "cannot be written"),
]


def test_a_mistake_is_a_sentence_and_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words, sentence in MISTAKES:
        said = run(*NITRATE, *words)
        assert (said.code, sentence in said.err) == (2, True), said.err
    assert list(tmp_path.glob("x.*")) == []


def test_the_trends_leave_as_a_picture(tmp_path):
    assert run(*NITRATE, "--trends", "--size", "850x600", tmp_path / "trends.svg").code == 0
    assert b"<svg" in (tmp_path / "trends.svg").read_bytes()[:1000]


def test_the_store_of_the_test_is_the_simulated_one():
    assert "store-with-demo" in settings().active_store_url


def test_a_terminal_sees_no_isolates_and_still_what_would_turn_a_line_round(capsys):
    commonsight.say("\u2068QR\u2069 \u202eevil")
    assert capsys.readouterr().out == "QR �evil\n"
