"""How a snapshot is cited: the same next year, harmless whatever stands in a name, and with how to get it again."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex

import pytest
from click.testing import CliRunner

import commonsight
import publish
import store
from commonsight import cli
from layers import frozen
from publish import citation
from publish.citation import csl, long, reproduce, short
from situation.messages import languages
from situation.observation import to_arrow
from situation.view import View
from situation.visible import one_line
from tests.some_wells import LAT, LON, NOW, readings

HOSTILE = "Well\u202e $(rm -rf ~) `id` 'x' \"y\" </script> {{7*7}} {title}\x00\nnext"

#: The fields of an item that the schema csl-data.json (1.0.2) knows, of those that fit a data set; it allows no other.
CSL_FIELDS = {
    "id", "type", "title", "author", "publisher", "issued", "accessed", "version", "language", "abstract", "source",
    "note", "URL", "custom", "genre", "keyword", "title-short", "medium", "archive", "number", "status",
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    opened = store.open_store(f"duckdb:{tmp_path_factory.mktemp('cited') / 'wells'}")
    table = readings()
    opened.add(
        b"wells", to_arrow(table), filename="wells.csv", source_id="upload:ana", contributor="ana", accept=True,
        topic="groundwater", rows_in=len(table),
    )  # fmt: skip
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def shot(place):
    box = (LON - 0.0612345678, LAT - 0.05, LON + 0.05, LAT + 0.05)
    view = View.from_params({"property": "nitrate", "standard": "who_drinking_water", "period": "5y"})
    made = frozen.freeze(place, view.but(bbox=box), NOW, title="Nitrate; it's here")
    return dataclasses.replace(made, topic=dataclasses.replace(made.topic, producer="Friends of the river"))


@pytest.fixture(scope="module")
def linked(shot):
    return dataclasses.replace(shot, base_url="https://map.example.org/water", id="abcdefghij")


def test_a_citation_names_who_what_version_day_licence_and_where(linked):
    said = short(linked, "en")
    assert said == (
        "Friends of the river (2026): Nitrate; it's here. Data version 1, 2026-06-30. "
        "Licence of the readings: CC0-1.0. https://map.example.org/water/s/abcdefghij"
    )
    full = long(linked, "en")
    for part in ("2026-06-30 00:00 UTC", "WHO guidelines", "the tests", "CC0-1.0", "/s/abcdefghij"):
        assert part in full


def test_without_a_producer_the_title_comes_first(shot):
    nobody = dataclasses.replace(shot, topic=dataclasses.replace(shot.topic, producer=""))
    assert short(nobody, "en").startswith("Nitrate; it's here (2026). Data version 1")
    assert csl(nobody)["author"] == [{"literal": "Groundwater"}]


@pytest.mark.parametrize("key", ["simulated", "unaccepted"])
def test_what_was_not_measured_or_not_accepted_is_said_in_every_form(shot, key):
    odd = dataclasses.replace(shot, **{key: True})
    sentence = {"simulated": "nothing in it was measured", "unaccepted": "nobody has accepted"}[key]
    for said in (short(odd, "en"), long(odd, "en"), csl(odd)["note"]):
        assert sentence in said
    assert csl(odd)["custom"][key] is True
    for said in (short(shot, "en"), long(shot, "en"), csl(shot)["note"]):
        assert sentence not in said


def test_a_licence_that_is_not_stated_is_said_to_be_so_and_many_sources_are_counted(shot):
    one = shot.sites.iloc[[0] * 9].reset_index(drop=True)
    names = [f"Source {n}" for n in range(9)]
    licences = ["unknown", *["CC-BY-4.0"] * 8]
    shot = dataclasses.replace(shot, sites=one.assign(attribution=names, licence=licences))
    assert "Licence of the readings: not stated, CC-BY-4.0." in short(shot, "en")
    assert "Source 5; and 3 more." in long(shot, "en")
    assert "Source 8" not in long(shot, "en")
    assert "Source 8" in csl(shot)["source"]


def test_csl_json_has_no_field_that_its_schema_does_not_know(shot, linked):
    for one in (shot, linked):
        item = json.loads(json.dumps(csl(one), allow_nan=False))
        assert set(item) <= CSL_FIELDS
        assert item["type"] == "dataset"
        assert item["issued"] == item["accessed"] == {"date-parts": [[2026, 6, 30]]}
        assert item["version"] == "1"  # text, by the schema
        assert item["author"] == [{"literal": "Friends of the river"}]
        assert item["custom"]["license"] == "CC0-1.0"
    assert csl(linked)["URL"] == linked.permalink
    assert csl(linked)["id"] == "commonsight-abcdefghij"
    assert "URL" not in csl(shot)
    assert reproduce(shot) in csl(shot)["note"]


def test_every_language_cites_the_same_names_and_numbers(linked):
    for language in languages():
        for said in (short(linked, language), long(linked, language)):
            assert "Friends of the river" in said
            assert "https://map.example.org/water/s/abcdefghij" in said
            assert re.search(r"2026-06-30", said)
            assert "{" not in said


def test_a_hostile_title_is_one_line_of_text_and_one_word_of_a_command(shot):
    odd = dataclasses.replace(shot, title=HOSTILE, topic=dataclasses.replace(shot.topic, producer=HOSTILE))
    for said in (short(odd, "en"), long(odd, "en"), json.dumps(csl(odd), ensure_ascii=False)):
        assert not re.search("[\x00-\x1f\u202e]", said)
        assert "{{7*7}} {title}" in said
    words = shlex.split(reproduce(odd))
    assert words[:4] == ["python", "-m", "commonsight", "snapshot"]
    assert words[-2] == f"--title={one_line(HOSTILE)}"
    assert words[-1].endswith(".zip")


def test_the_command_of_a_citation_makes_the_same_file_again(shot, place, tmp_path, monkeypatch):
    monkeypatch.setattr(commonsight, "open_store", lambda: place)
    # The clock of the tests stands before the day on which their wells are handed in.
    monkeypatch.setattr("layers.frozen.check_minute", lambda *_: None)
    words = shlex.split(citation.command(shot, "csv"))
    out = tmp_path / "again.csv"
    found = CliRunner().invoke(cli, [*words[3:-1], str(out)])
    assert found.exit_code == 0, found.output
    assert out.read_bytes() == publish.made(shot, "csv")


def test_with_an_address_the_address_is_enough(shot, linked):
    assert reproduce(linked) == "https://map.example.org/water/s/abcdefghij"
    assert reproduce(shot) == citation.command(shot)
    assert f"--as-of={shot.version}" in reproduce(shot)
    assert "--at=2026-06-30T00:00Z" in reproduce(shot)


def test_a_kept_one_is_named_by_its_id(linked):
    assert "snapshot --id=abcdefghij " in citation.command(linked)


def test_one_batch_that_waits_is_no_snapshot_that_a_command_makes(shot):
    waiting = dataclasses.replace(shot, view=shot.view.but(batch=7), unaccepted=True)
    assert citation.command(waiting).startswith("?")
    assert "batch=7" in citation.command(waiting)
