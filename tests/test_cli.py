"""The command line does what its help says, and says what it did."""

from __future__ import annotations

import csv
import importlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import commonsight
from commonsight import cli
from sensors import field_file, intake
from situation.errors import StoreError
from situation.observation import FLAT_COLUMNS

ROOT = Path(__file__).resolve().parent.parent

HEAD = "site,latitude,longitude,date,nitrate (mg/L as N)\n"
LAT, LON = 42.95, -120.05
THREE = HEAD + (
    "Mill,42.9500,-120.0500,2026-03-04,12.5\n"
    "School,42.9600,-120.0600,2026-03-05,1.25\n"
    "Ford,42.9700,-120.0700,2026-03-06,<0.5\n"
)


@pytest.fixture(autouse=True)
def _read_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read files in this process: the guarded child has tests of its own, and two seconds to start."""
    if request.node.get_closest_marker("guarded") is None:
        monkeypatch.setattr(field_file, "read_guarded", field_file.read_into)
        monkeypatch.setattr(intake, "run_guarded", _run_here)


def _run_here(function_path: str, args: dict[str, Any], **_: Any) -> Any:
    module, name = function_path.split(":")
    return getattr(importlib.import_module(module), name)(**args)


class Said:
    """What a command answered."""

    def __init__(self, result: Any) -> None:
        self.code, self.out, self.err = result.exit_code, result.stdout, result.stderr
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        told = Path(os.environ["COMMONSIGHT_VAR"]) / "last_error.txt"
        self.unforeseen = told.read_text("utf-8") if told.exists() else ""

    @property
    def json(self) -> Any:
        """Read the JSON on standard output."""
        return json.loads(self.out)

    @property
    def table(self) -> list[dict[str, str]]:
        """Read the CSV on standard output."""
        return list(csv.DictReader(io.StringIO(self.out)))


def run(*words: str | Path) -> Said:
    """Run one command in this process; an error that nobody foresaw is a failure of the test."""
    said = Said(CliRunner().invoke(cli, [str(word) for word in words], prog_name="python -m commonsight"))
    assert "secret detail" in said.unforeseen or not said.unforeseen, said.unforeseen
    return said


def name(row: dict[str, str]) -> str:
    """Give the name of a site, or its id without the source's prefix."""
    return row["monitoring_location_name"] or row["monitoring_location_id"].rpartition(":")[2]


def file(folder: Path, text: str = THREE, name: str = "wells.csv") -> Path:
    """Write a file of readings."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


# -- check ------------------------------------------------------------------------------------------


@pytest.mark.guarded
def test_check_counts_every_row_and_stores_nothing(tmp_path):
    said = run("check", file(tmp_path), "--json")
    assert said.code == 0
    report = said.json
    assert (report["rows_in"], report["rows_observed"], report["observations"], report["censored"]) == (
        3,
        3,
        3,
        1,
    )
    assert report["sites"] == 3
    assert report["questions"] == []
    assert {"dialect", "encoding", "properties", "rows_quarantined", "cells_quarantined"} <= set(report)
    assert not (tmp_path / "var" / "store").exists()


def test_check_writes_what_it_read_into_a_folder(tmp_path):
    said = run(
        "check",
        file(tmp_path, THREE + "Gate,42.95,-120.05,2026-03-04,about three\n"),
        "--out",
        tmp_path / "o",
    )
    assert said.code == 0
    names = {path.name for path in (tmp_path / "o").iterdir()}
    assert names >= {
        "observations.csv",
        "quarantine.csv",
        "mapping.toml",
        "report.json",
        "rows_to_correct.csv",
    }
    with (tmp_path / "o" / "observations.csv").open(encoding="utf-8", newline="") as written:
        table = list(csv.DictReader(written))
    assert list(table[0]) == list(FLAT_COLUMNS)
    first, _, third = table
    assert (first["result"], first["unit"], first["method_speciation"]) == ("12.5", "mg/L", "as N")
    assert (float(first["longitude"]), float(first["latitude"])) == (-120.05, 42.95)
    assert first["phenomenon_time"].startswith("2026-03-04T")
    assert (third["result"], third["censoring"], third["detection_limit"]) == ("", "<", "0.5")
    with (tmp_path / "o" / "quarantine.csv").open(encoding="utf-8", newline="") as written:
        lines = list(csv.DictReader(written))
    assert list(lines[0])[:5] == ["source_row", "column", "value", "reason", "fix"]
    assert (lines[0]["source_row"], lines[0]["value"]) == ("5", "about three")
    assert "Gate" in lines[0].values()


def test_the_mapping_of_one_check_reads_the_next_file(tmp_path):
    run("check", file(tmp_path), "--out", tmp_path / "o")
    said = run(
        "check", file(tmp_path, name="next.csv"), "--mapping", tmp_path / "o" / "mapping.toml", "--json"
    )
    assert said.json["observations"] == 3


def test_a_table_of_sites_gives_the_readings_their_places(tmp_path):
    readings = file(
        tmp_path, "well id,date,nitrate (mg/L as N)\nS1,2026-03-04,1\nS2,2026-03-05,2\n", "results.csv"
    )
    sites = file(
        tmp_path,
        "well id,well name,latitude,longitude\nS1,Mill,42.95,-120.05\nS2,Ford,42.96,-120.06\n",
        "sites.csv",
    )
    for order in ([readings, sites], [sites, readings]):
        said = run("check", *order, "--out", tmp_path / "o", "--json")
        assert (said.json["rows_in"], said.json["observations"]) == (2, 2)
        text = (tmp_path / "o" / "observations.csv").read_text("utf-8")
        assert "-120.05" in text
        assert "42.96" in text


AMBIGUOUS = HEAD + "Mill,42.95,-120.05,03/04/2026,12.5\nSchool,42.96,-120.06,05/06/2026,1.25\n"


def open_question(said: Said) -> dict[str, Any]:
    """Give the one question that is open."""
    (question,) = said.json["questions"]
    return question


def test_a_date_that_can_be_read_in_two_ways_is_asked_about(tmp_path):
    path = file(tmp_path, AMBIGUOUS)
    said = run("check", path, "--out", tmp_path / "o", "--json")
    assert said.code == 1
    question = open_question(said)
    assert {"id", "text", "why", "choices", "rows_waiting"} <= set(question)
    assert question["rows_waiting"] == said.json["rows_waiting"] == 2
    assert len(question["choices"]) >= 2
    to_fill_in = (tmp_path / "o" / "answers.toml").read_text("utf-8")
    assert question["id"] in to_fill_in
    assert run("check", path, "--answers", tmp_path / "o" / "answers.toml").code == 1

    choice = next(choice for choice in question["choices"] if choice["value"].lower().startswith("d"))
    answers = file(tmp_path, f'{question["id"]} = "{choice["value"]}"\n', "answers.toml")
    said = run("check", path, "--answers", answers, "--out", tmp_path / "o", "--json")
    assert said.code == 0
    assert "2026-04-03" in (tmp_path / "o" / "observations.csv").read_text("utf-8")


def test_add_with_an_open_question_stores_nothing_and_lists_the_choices(tmp_path):
    path = file(tmp_path, AMBIGUOUS)
    said = run("add", path)
    assert said.code == 1
    question = open_question(run("check", path, "--json"))
    assert question["id"] in said.out
    assert all(choice["value"] in said.out for choice in question["choices"])
    assert run("history", "--store", intake.settings().real_store_url, "--json").json["batches"] == []
    assert run("add", path, "--json").json["stored"] is False


def test_an_answer_is_remembered_for_the_next_file_of_that_shape(tmp_path):
    path = file(tmp_path, AMBIGUOUS)
    question = open_question(run("check", path, "--json"))
    answers = file(tmp_path, f'{question["id"]} = "{question["choices"][0]["value"]}"\n', "answers.toml")
    assert run("add", path, "--answers", answers).code == 0
    later = file(tmp_path, HEAD + "Mill,42.95,-120.05,07/08/2026,11.5\n", "later.csv")
    assert run("add", later, "--json").json["stored"] is True


@pytest.mark.parametrize("text", ["not toml at all [", "a = [1, 2]", "\x00"])
def test_answers_that_cannot_be_read_are_a_sentence(tmp_path, text):
    said = run("check", file(tmp_path), "--answers", file(tmp_path, text, "a.toml"))
    assert said.code == 2
    assert "a.toml" in said.err


# -- the same place -----------------------------------------------------------------------------------

SPELLINGS = HEAD + (
    "Well 3,42.95000,-120.05000,2026-03-04,12.5\n"
    "well-3,42.95010,-120.05000,2026-03-05,11.5\n"
    "WELL 3 ,42.95018,-120.05000,2026-03-06,10.5\n"
)


def test_spellings_of_one_well_are_proposed_remembered_and_taken_back(tmp_path):
    path = file(tmp_path, SPELLINGS)
    questions = run("check", path, "--json").json["questions"]
    assert questions
    assert run("add", path).code == 1
    lines = "".join(f'{question["id"]} = "same"\n' for question in questions)
    answers = file(tmp_path, lines, "answers.toml")
    checked = run("check", path, "--answers", answers, "--json").json
    assert (checked["questions"], checked["sites"]) == ([], 1)
    assert run("add", path, "--answers", answers, "--accept").code == 0
    assert len(status()) == 1

    links = run("places", "--json").json["links"]
    for site in links:
        assert run("places", "--unlink", site).code == 0
    assert len(status()) == 1 + len(links)


def test_a_well_said_to_be_another_is_not_asked_about_again(tmp_path):
    assert run("add", file(tmp_path, HEAD + "Well 3,42.95,-120.05,2026-03-04,12.5\n")).code == 0
    second = file(tmp_path, HEAD + "well-3,42.9501,-120.05,2026-03-05,11.5\n", "second.csv")
    question = open_question(run("check", second, "--json"))
    answers = file(tmp_path, f'{question["id"]} = "different"\n', "answers.toml")
    assert run("add", second, "--answers", answers).code == 0
    third = file(tmp_path, HEAD + "well-3,42.9501,-120.05,2026-03-06,10.5\n", "third.csv")
    assert run("add", third).code == 0


# -- add, history, accept, withdraw, purge --------------------------------------------------------


def add(path: Path, *options: str) -> dict[str, Any]:
    """Add a file and give the answer."""
    said = run("add", path, "--json", *options)
    assert said.code == 0, said.err
    return said.json


def status(*options: str) -> list[dict[str, str]]:
    """Ask for the status of nitrate."""
    return run("status", "--property", "nitrate", "--standard", "us_epa_drinking_water", *options).table


def test_a_batch_waits_until_it_is_accepted(tmp_path):
    batch = add(file(tmp_path), "--contributor", "river-watch")
    assert batch["state"] == "pending"
    assert status() == []
    assert len(status("--review", "all")) == 3
    assert run("accept", str(batch["batch"])).code == 0
    assert [row["status"] for row in sorted(status(), key=lambda row: row["limit"] + row["result"])] != []
    assert len(status()) == 3


def test_the_same_bytes_again_are_already_there(tmp_path):
    path = file(tmp_path)
    first = add(path)
    said = run("add", path)
    assert said.code == 0
    assert "already there" in said.out
    assert add(path)["batch"] == first["batch"]
    assert len(run("history", "--json").json["batches"]) == 1


def test_a_longer_export_of_the_same_readings_adds_only_what_is_new(tmp_path):
    add(file(tmp_path))
    longer = file(tmp_path, THREE + "Gate,42.98,-120.08,2026-03-07,2\n", "longer.csv")
    receipt = add(longer)
    assert (receipt["added"], receipt["unchanged"], receipt["corrected"]) == (1, 3, 0)


def test_another_result_for_the_same_reading_is_a_correction(tmp_path):
    add(file(tmp_path), "--accept")
    receipt = add(file(tmp_path, THREE.replace("12.5", "2.5"), "corrected.csv"), "--accept")
    assert (receipt["corrected"], receipt["unchanged"]) == (1, 2)
    mill = next(row for row in status() if name(row) == "Mill")
    assert mill["result"] == "2.5"


def test_history_says_who_what_file_and_how_many(tmp_path):
    number = add(file(tmp_path), "--contributor", "river-watch")["batch"]
    (batch,) = run("history", "--json").json["batches"]
    assert (batch["batch"], batch["filename"], batch["contributor"]) == (number, "wells.csv", "river-watch")
    assert (batch["rows_in"], batch["state"]) == (3, "pending")
    assert not {"undo_hash", "view_hash", "recipe"} & set(batch)
    assert "wells.csv" in run("history").out


def test_a_batch_withdrawn_is_gone_now_and_there_as_of_then(tmp_path):
    number = str(add(file(tmp_path), "--accept")["batch"])
    version = str(run("history", "--json").json["data_version"])
    assert run("withdraw", number, "--reason", "wrong year").code == 0
    assert status() == []
    assert len(status("--as-of", version)) == 3
    (batch,) = run("history", "--json").json["batches"]
    assert (batch["state"], batch["reason"]) == ("withdrawn", "wrong year")


def test_a_batch_purged_leaves_its_line_only(tmp_path):
    number = str(add(file(tmp_path), "--accept")["batch"])
    assert run("purge", number).code == 2
    assert run("purge", number, "--yes", "--reason", "held telephone numbers").code == 0
    originals = [path for path in (tmp_path / "var").rglob("*") if path.is_file()]
    assert [path for path in originals if b"School,42.96" in path.read_bytes()] == []
    assert run("history", "--json").json["batches"][0]["state"] == "purged"


@pytest.mark.parametrize("command", ["accept", "withdraw", "purge"])
def test_a_batch_that_does_not_exist_is_a_sentence(tmp_path, command):
    add(file(tmp_path))
    said = run(command, "999999", *(["--yes"] if command == "purge" else []))
    assert said.code == 2
    assert "999999" in said.err


def test_several_files_are_one_batch_that_rebuild_can_read_again(tmp_path):
    readings = file(
        tmp_path, "well id,date,nitrate (mg/L as N)\nS1,2026-03-04,1\nS2,2026-03-05,2\n", "results.csv"
    )
    sites = file(
        tmp_path,
        "well id,well name,latitude,longitude\nS1,Mill,42.95,-120.05\nS2,Ford,42.96,-120.06\n",
        "s.csv",
    )
    receipt = add(readings, str(sites), "--accept")
    assert receipt["added"] == 2
    assert run("add", sites, readings, "--json").json["already"] is True
    before = status()
    assert run("rebuild").code == 0
    assert status() == before
    assert {name(row) for row in before} == {"Mill", "Ford"}


# -- status ----------------------------------------------------------------------------------------


def test_status_is_one_row_per_site_in_the_unit_of_the_limit(tmp_path):
    add(file(tmp_path), "--accept")
    rows = {name(row): row for row in status()}
    assert list(rows["Mill"])[: len(commonsight.STATUS_COLUMNS)] == list(commonsight.STATUS_COLUMNS)
    assert (rows["Mill"]["status"], rows["Mill"]["limit"], rows["Mill"]["unit"]) == ("above", "10.0", "mg/L")
    assert rows["School"]["status"] == "below"
    assert (rows["Ford"]["status"], rows["Ford"]["result"], rows["Ford"]["censoring"]) == ("below", "", "<")
    assert rows["Mill"]["freshness"] in ("current", "stale")
    assert (float(rows["Mill"]["longitude"]), float(rows["Mill"]["latitude"])) == (-120.05, 42.95)


def test_a_limit_as_nitrate_and_a_result_as_nitrogen_are_compared_right(tmp_path):
    add(file(tmp_path), "--accept")
    said = run("status", "--property", "nitrate", "--standard", "who_drinking_water")
    mill = next(row for row in said.table if name(row) == "Mill")
    assert (mill["limit"], mill["status"]) == ("50.0", "above")
    assert float(mill["result"]) == pytest.approx(12.5 * 62.0049 / 14.0067, rel=1e-3)


def test_status_as_geojson_and_in_a_box(tmp_path):
    add(file(tmp_path), "--accept")
    said = run(
        "status", "--property", "nitrate", "--standard", "us_epa_drinking_water",
        "--bbox", "-120.055,42.94,-120.04,42.955", "--format", "geojson",
    )  # fmt: skip
    (feature,) = said.json["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [-120.05, 42.95]}
    assert feature["properties"]["status"] == "above"
    assert feature["properties"]["detection_limit"] is None


def test_status_in_json_counts_and_names_the_data_version(tmp_path):
    add(file(tmp_path), "--accept")
    said = run("status", "--property", "nitrate", "--standard", "us_epa_drinking_water", "--json").json
    assert said["counts"] == {"above": 1, "below": 2}
    assert said["data_version"] == run("history", "--json").json["data_version"]


def test_a_household_well_comes_out_blurred_and_without_its_name(tmp_path):
    text = "site,site type,latitude,longitude,date,nitrate (mg/L as N)\nMeyer,household well,42.95123,-120.05123,2026-03-04,12.5\n"
    add(file(tmp_path, text), "--accept")
    said = run("status", "--property", "nitrate", "--standard", "us_epa_drinking_water")
    assert len(said.table) == 1
    assert "Meyer" not in said.out
    assert "42.95123" not in said.out


def test_a_formula_in_a_name_stays_text_in_the_csv_and_the_censoring_stays_as_it_is(tmp_path):
    add(file(tmp_path, THREE.replace("Mill", "=1+1")), "--accept")
    rows = status()
    assert [row for row in rows for cell in row.values() if cell.startswith(("=1", "+", "@"))] == []
    assert "=1+1" in {name(row).lstrip("'") for row in rows}
    assert {row["censoring"] for row in rows} == {"=", "<"}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--property", "nitrat"), ("--standard", "nobody"), ("--topic", "moon"), ("--bbox", "1,2,3"),
        ("--as-of", "yesterday"), ("--period", "soon"), ("--review", "maybe"),
    ],
)  # fmt: skip
def test_a_choice_that_does_not_exist_is_a_sentence_with_those_that_do(tmp_path, option, value):
    add(file(tmp_path), "--accept")
    said = run("status", option, value)
    assert said.code == 2
    assert value in said.err
    assert json.loads(run("status", option, value, "--json").out)["error"]


# -- keeping ----------------------------------------------------------------------------------------


def test_a_backup_restored_elsewhere_answers_the_same(tmp_path):
    add(file(tmp_path), "--accept")
    before = status()
    assert run("backup", tmp_path / "backup.zip").code == 0
    elsewhere = f"ducklake:sqlite:{tmp_path / 'elsewhere'}"
    assert run("restore", tmp_path / "backup.zip", "--store", elsewhere).code == 0
    assert status("--store", elsewhere) == before
    assert run("restore", tmp_path / "backup.zip", "--store", elsewhere).code == 2
    assert len(run("history", "--store", elsewhere, "--json").json["batches"]) == 1


def test_rebuild_reads_the_originals_again(tmp_path):
    add(file(tmp_path), "--accept", "--contributor", "river-watch")
    before = status()
    assert run("rebuild").code == 0
    assert status() == before


@pytest.mark.parametrize("url", ["mysql:somewhere", "duckdb:", "ducklake:oracle:x"])
def test_a_store_of_no_known_kind_is_a_sentence(tmp_path, url):
    said = run("add", file(tmp_path), "--store", url)
    assert said.code == 2
    assert said.err.strip().endswith(".")


def test_the_store_can_be_named_before_or_after_the_command_and_by_the_environment(tmp_path, monkeypatch):
    url = f"duckdb:{tmp_path / 'one' / 'readings.duckdb'}"
    assert run("--store", url, "add", file(tmp_path), "--accept").code == 0
    assert len(status("--store", url)) == 3
    monkeypatch.setenv("COMMONSIGHT_STORE", url)
    assert len(status()) == 3


# -- errors ----------------------------------------------------------------------------------------


def test_what_nobody_foresaw_is_a_sentence_and_a_file(tmp_path, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(intake, "check", fail)
    said = run("check", file(tmp_path))
    assert said.code == 2
    assert "secret detail" not in said.err
    assert "secret detail" in (tmp_path / "var" / "last_error.txt").read_text("utf-8")


def test_an_error_on_purpose_is_its_sentence_and_in_json_as_well(tmp_path, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise StoreError("The cellar is full.")

    monkeypatch.setattr(intake, "check", fail)
    said = run("check", file(tmp_path), "--json")
    assert (said.code, said.err.strip(), said.json) == (
        2,
        "The cellar is full.",
        {"error": "The cellar is full."},
    )


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_explains_itself(name):
    said = run(name, "--help")
    assert said.code == 0
    assert "Example" in said.out


# -- as a person starts it --------------------------------------------------------------------------


def started(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Start the command line as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "commonsight", *map(str, words)],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
        env={**os.environ, "COMMONSIGHT_VAR": str(folder / "var")},
    )  # fmt: skip


def test_the_whole_way_in_processes_of_its_own(tmp_path):
    assert started(tmp_path, "--help").stdout.startswith("Usage: python -m commonsight")
    done = started(tmp_path, "add", file(tmp_path), "--accept", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    number = json.loads(done.stdout)["batch"]
    done = started(tmp_path, "status", "--property", "nitrate", "--standard", "who_drinking_water")
    assert len(done.stdout.splitlines()) == 4
    assert started(tmp_path, "withdraw", str(number)).returncode == 0
    assert started(tmp_path, "nonsense").returncode == 2


@pytest.mark.parametrize("name", ["anna@example.org", "a" * 41, "x\x1b[31m", "=cmd", "a:b", "<b>"])
def test_a_contributor_that_is_no_pseudonym_is_a_sentence(tmp_path, name):
    said = run("check", file(tmp_path), "--contributor", name)
    assert said.code == 2
    assert "contributor's name" in said.err


def test_the_simulated_valley_is_labelled_on_every_way_out(store_with_demo):
    assert {batch.contributor for batch in store_with_demo.history()} == {"simulated"}
    table = run("status", "--property", "nitrate")
    assert len(table.table) > 60
    assert {row["simulated"] for row in table.table} == {"yes"}
    assert all("imulated" in row["attribution"] for row in table.table)
    assert "simulated" in table.err
    assert run("status", "--property", "nitrate", "--format", "geojson").json["simulated"] is True
    assert run("status", "--property", "nitrate", "--json").json["simulated"] is True
    assert "127.130014" not in table.out  # a household well of the valley
    assert (
        len(run("status", "--topic", "air", "--property", "pm25", "--standard", "who_air_quality").table) > 5
    )


def test_the_simulated_valley_does_not_mix_with_readings_of_people(tmp_path):
    url = f"ducklake:sqlite:{tmp_path / 'real'}"
    add(file(tmp_path), "--store", url)
    said = run("demo", "--store", url)
    assert said.code == 2
    assert "readings of people" in said.err
