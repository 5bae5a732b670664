"""Every source to the store: once and again, a value that changed, and the store made anew from the originals."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import store
from sensors import intake
from sensors.pull import pull
from sensors.sensor import Body, Sensor
from sensors.source_state import COMPLETE
from sensors.sources import available
from store import Store
from tests.bodies_kit import bodies
from tests.sources_kit import QUICK

BOX = (-180.0, -90.0, 180.0, 90.0)


@pytest.fixture
def kept(tmp_path: Path) -> Any:
    opened = store.open_store(f"duckdb:{tmp_path / 'store'}")
    yield opened
    opened.close()


def take(key: str, answers: list[Body], kept: Store, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Pull as a person does, with answers in the place of the network."""
    sensor: Sensor = available()[key]
    if sensor.key_variable:
        monkeypatch.setenv(sensor.key_variable, "k:k")
    near = replace(sensor, fetch=lambda ask, http: iter(answers), base_url="http://127.0.0.1:9")
    return pull(near, near.ask(bbox=BOX), kept, guarded=False, caps=QUICK, force=True)


def standing(kept: Store) -> dict[tuple[str, str], str]:
    """Give what stands now: source and name of a reading to what was written."""
    table = kept.observations(review="all")
    assert not table.duplicated(["source_id", "observation_id"]).any()
    return dict(
        zip(zip(table["source_id"], table["observation_id"], strict=True), table["result_text"], strict=True)
    )


#: One without names of its own for its results, one with the same ids on every server, one with people in it.
SOME = ("hubeau_qualite", "sensorthings", "kobo")


def test_a_source_comes_to_the_store_once_and_a_rebuild_gives_the_same(
    kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in SOME:
        report = take(key, bodies(key), kept, monkeypatch)
        assert report.outcome == COMPLETE
        assert report.rows_out == report.added > 0
        assert report.batch
    held = standing(kept)
    assert {source.partition(":")[0] for source, _ in held} == set(SOME)
    for key in SOME:  # pages that overlap are another answer with nothing new in it
        again = take(key, [*bodies(key), *bodies(key)[-1:]], kept, monkeypatch)
        assert (again.outcome, again.added, again.corrected) == (COMPLETE, 0, 0)
    assert standing(kept) == held
    rebuilt = kept.rebuild(intake.read_again)
    assert rebuilt.differences == []
    assert standing(kept) == held


@pytest.mark.parametrize(
    ("key", "was", "now"),
    [
        ("hubeau_qualite", "52.10", "53.70"),
        ("openaq", "12.50", "13.75"),
    ],
)
def test_a_value_that_changed_upstream_is_a_correction(
    key: str, was: str, now: str, kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(key, bodies(key), kept, monkeypatch)
    before = standing(kept)
    changed = [replace(b, content=b.read().replace(was.encode(), now.encode())) for b in bodies(key)]
    report = take(key, changed, kept, monkeypatch)
    assert report.outcome == COMPLETE
    after = standing(kept)
    assert after.keys() == before.keys()
    assert [name for name in before if before[name] != after[name]] == [
        n for n, text in before.items() if text == was
    ]
    assert report.corrected == 1


@pytest.mark.parametrize("key", ["kobo", "odk"])
def test_no_person_is_in_anything_that_is_kept(
    key: str, kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sensors.forms import read_form
    from sensors.sources import kobo, odk

    answers = bodies(key)
    form = read_form(answers[0].text(), "wells")
    answers = [answers[0], (kobo if key == "kobo" else odk).clean(answers[1], form)]
    take(key, answers, kept, monkeypatch)
    assert set(kept.observations(review="all")["position_rule"]) == {"blurred"}  # a household's well
    kept.close()
    words = (b"Ann Example", b"Bea Example", b"7946", b"collect:abc", b"_submitted_by", b"user_id")
    seen = 0
    for path in kept.home.rglob("*"):
        if path.is_file():
            seen += 1
            raw = path.read_bytes()
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as pack:
                    raw += b"".join(pack.read(name) for name in pack.namelist())
            assert [word for word in words if word in raw] == [], path.name
    assert seen > 2
