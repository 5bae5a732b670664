"""Files that nobody should have to send: each ends in a sentence, in bounded time, and loses nothing.

"Nothing lost" means that the file is as it was and that every row of it is told about. "Nothing
executed" means that no formula, template or escape sequence in a cell did anything on its way out.
"""

from __future__ import annotations

import csv
import json
import os
import random
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from commonsight import cli

#: An hour's worth of patience is not needed: the slowest case is two hundred megabytes to look through.
SECONDS = 60
#: What reading may add to the process of the command line itself, in bytes; the child has its own limit.
MEMORY = 400_000_000

HEAD = "site name,latitude,longitude,date,nitrate (mg/L as N)\n"
# Inside the area of the topic that the checks use.
LAT, LON = 42.95, -120.05


def rows(count: int, **other: str) -> str:
    """Write good rows; *other* replaces a cell of every row."""
    lines = []
    for n in range(count):
        cells = {
            "site": f"Site {n}",
            "lat": f"{LAT + n * 0.0005:.5f}",
            "lon": f"{LON - n * 0.0005:.5f}",
            "date": f"2025-03-{n % 28 + 1:02d}",
            "value": f"{n % 9 + 0.5}",
        }
        lines.append(",".join({**cells, **other}.values()))
    return "\n".join(lines) + "\n"


@dataclass
class Checked:
    """What a check said."""

    code: int
    text: str
    report: dict
    out: Path

    def table(self, name: str) -> list[dict[str, str]]:
        """Read one of the CSV files that were written."""
        with (self.out / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., Checked]:
    """Return a function that checks a file and holds what is true of every check."""

    def run(path: Path, *options: str, unchanged: bool = True) -> Checked:
        before = path.read_bytes() if path.is_file() and unchanged else b""
        memory, began = psutil.Process().memory_info().rss, time.monotonic()
        out = tmp_path / "out"
        result = CliRunner().invoke(cli, ["check", str(path), "--out", str(out), *options])
        assert time.monotonic() - began < SECONDS
        assert psutil.Process().memory_info().rss - memory < MEMORY
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert result.exit_code in (0, 1, 2)
        assert "Traceback" not in result.output
        assert result.output.strip()
        assert "\x1b" not in result.output
        assert not path.is_file() or not unchanged or path.read_bytes() == before
        report = json.loads((out / "report.json").read_text("utf-8")) if result.exit_code < 2 else {}
        if report:
            told = report["rows_observed"] + report["rows_quarantined"] + report["rows_waiting"]
            assert report["rows_in"] == told
        return Checked(result.exit_code, result.output, report, out)

    return run


def written(folder: Path, text: str, name: str = "file.csv", encoding: str = "utf-8") -> Path:
    """Write a file to check."""
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def test_a_good_file_is_read_whole(check, tmp_path):
    done = check(written(tmp_path, HEAD + rows(10)))
    assert done.code == 0
    assert (done.report["rows_in"], done.report["observations"]) == (10, 10)
    assert len(done.table("observations.csv")) == 10


def test_an_empty_file(check, tmp_path):
    done = check(written(tmp_path, ""))
    assert done.code == 2
    assert "empty" in done.text or "nothing" in done.text


def test_one_column(check, tmp_path):
    done = check(written(tmp_path, "value\n1\n2\n3\n"))
    assert done.code in (1, 2)
    assert not done.report or done.report["observations"] == 0


def test_no_coordinates(check, tmp_path):
    done = check(written(tmp_path, "site,date,nitrate (mg/L as N)\nA,2025-03-04,1.5\nB,2025-03-05,2.5\n"))
    assert done.code in (0, 1)
    assert done.report["rows_in"] == 2


def test_no_dates(check, tmp_path):
    done = check(written(tmp_path, f"site,latitude,longitude,nitrate (mg/L as N)\nA,{LAT},{LON},1.5\n"))
    assert done.code in (1, 2)
    assert not done.report or done.report["rows_observed"] == 0


def test_a_header_and_nothing_else(check, tmp_path):
    done = check(written(tmp_path, HEAD))
    assert done.code in (1, 2)
    assert not done.report or done.report["observations"] == 0


def test_a_thousand_columns(check, tmp_path):
    names = ",".join(f"column {n}" for n in range(1000))
    done = check(written(tmp_path, f"{names}\n" + ",".join("1" * 1000) + "\n"))
    assert done.code == 2
    assert "column" in done.text


def test_a_million_columns(check, tmp_path):
    done = check(written(tmp_path, ",".join("1" * 1_000_000) + "\n"))
    assert done.code == 2


def test_a_workbook_of_a_few_hundred_kilobytes_that_unpacks_to_three_hundred_megabytes(check, tmp_path):
    path = tmp_path / "bomb.xlsx"
    row = b'<row r="1"><c r="A1" t="inlineStr"><is><t>' + b"a" * 4000 + b"</t></is></c></row>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as pack:
        pack.writestr("[Content_Types].xml", "<Types/>")
        pack.writestr("xl/workbook.xml", "<workbook/>")
        with pack.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(b"<worksheet><sheetData>")
            for _ in range(300_000_000 // len(row)):
                sheet.write(row)
            sheet.write(b"</sheetData></worksheet>")
    assert path.stat().st_size < 2_000_000
    done = check(path)
    assert done.code == 2


def test_two_hundred_megabytes_of_one_open_quote(check, tmp_path):
    path = tmp_path / "quote.csv"
    with path.open("wb") as file:
        file.write((HEAD + rows(2)).encode() + b'"')
        block = b"abcdefghi," * 100_000
        for _ in range(200):
            file.write(block)
    done = check(path, unchanged=False)
    assert done.code in (1, 2)
    assert path.stat().st_size > 200_000_000


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig", "cp1252"])
def test_other_encodings_are_read_as_what_they_are(check, tmp_path, encoding):
    done = check(written(tmp_path, HEAD + rows(4, site="Forêt"), encoding=encoding))
    assert done.report["observations"] == 4
    assert done.table("observations.csv")[0]["monitoring_location_name"] == "Forêt"


@pytest.mark.parametrize("name", ["noise.csv", "noise.xlsx", "noise.ods", "noise.xls", "noise.bin", "noise"])
def test_bytes_that_are_no_table(check, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(random.Random(1).randbytes(50_000))
    done = check(path)
    assert done.code in (1, 2)
    assert not done.report or done.report["observations"] == 0


def test_a_folder(check, tmp_path):
    done = check(tmp_path)
    assert done.code == 2
    assert "folder" in done.text


def test_no_such_file(check, tmp_path):
    done = check(tmp_path / "nowhere.csv")
    assert done.code == 2
    assert "nowhere.csv" in done.text


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_that_never_ends(check, tmp_path):
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    assert check(path).code == 2


def test_a_file_that_grows_is_read_as_long_as_it_was(check, tmp_path):
    path = written(tmp_path, HEAD + rows(200))
    stop = threading.Event()

    def grow() -> None:
        with path.open("a") as file:
            while not stop.wait(0.001):
                file.write(rows(50))
                file.flush()

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        done = check(path, unchanged=False)
    finally:
        stop.set()
        writer.join()
    assert done.report["rows_in"] >= 200


def test_forty_per_cent_of_bad_rows_are_set_aside_one_by_one(check, tmp_path):
    good, bad = rows(60).splitlines(), rows(40, value="about three").splitlines()
    mixed = [line for pair in zip(good[:40], bad, strict=True) for line in pair] + good[40:]
    done = check(written(tmp_path, HEAD + "\n".join(mixed) + "\n"))
    assert done.report["rows_in"] == 100
    assert done.report["rows_observed"] == 60
    assert done.report["rows_quarantined"] == 40
    lines = done.table("quarantine.csv")
    assert len({line["source_row"] for line in lines}) == 40
    assert all(line["reason"] and line["fix"] for line in lines)
    assert {line["value"] for line in lines} == {"about three"}
    assert len(done.table("rows_to_correct.csv")) == 40 or (done.out / "rows_to_correct.csv").exists()


def places(done: Checked) -> set[tuple[float, float]]:
    """List the places of the readings, in degrees."""
    table = done.table("observations.csv")
    return {(float(r["longitude"]), float(r["latitude"])) for r in table if r["longitude"] and r["latitude"]}


def test_swapped_coordinates_do_not_pass_without_a_word(check, tmp_path):
    done = check(written(tmp_path, HEAD + rows(5, lat=str(LON), lon=str(LAT))))
    told = json.dumps(done.report) + done.text
    assert done.report["questions"] or done.report["rows_quarantined"] or "swap" in told.lower()
    assert (LAT, LON) not in places(done)


def test_zero_zero_is_no_place(check, tmp_path):
    done = check(written(tmp_path, HEAD + rows(3, lat="0", lon="0") + rows(3)))
    assert (0.0, 0.0) not in places(done)
    assert done.report["rows_in"] == 6


def test_a_date_in_the_future_is_noticed(check, tmp_path):
    done = check(written(tmp_path, HEAD + rows(3, date="2099-01-01") + rows(3)))
    flagged = [r for r in done.table("observations.csv") if r["phenomenon_time"].startswith("2099")]
    assert all(r["quality_flag"] in ("3", "4") for r in flagged)
    assert flagged or done.report["rows_quarantined"] == 3 or done.report["questions"]


def test_a_negative_depth_is_noticed(check, tmp_path):
    text = HEAD.strip() + ",depth (m)\n" + "\n".join(f"{line},-5" for line in rows(3).splitlines()) + "\n"
    done = check(written(tmp_path, text))
    table = done.table("observations.csv")
    noticed = [r for r in table if r["quality_flag"] in ("3", "4")] or done.table("quarantine.csv")
    assert noticed or done.report["questions"] or done.report["warnings"]
    assert done.report["rows_in"] == 3


def test_a_formula_in_every_text_cell_stays_text(check, tmp_path):
    formula = "=HYPERLINK(CONCAT(A1))"
    done = check(written(tmp_path, HEAD + rows(3, site=formula) + rows(3, site=formula, value="=1+1")))
    for name in ("observations.csv", "quarantine.csv", "rows_to_correct.csv"):
        if not (done.out / name).exists():
            continue
        for row in done.table(name):
            cells = [cell for column, cell in row.items() if column != "censoring"]
            assert [cell for cell in cells if str(cell).startswith(("=", "+", "@"))] == []
    assert {r["monitoring_location_name"] for r in done.table("observations.csv")} == {"'" + formula}


@pytest.mark.parametrize(
    "name",
    [
        "{{7*191}}",
        "</script><script>alert(1)</script>",
        "{% raw %}",
        "`${7*191}`",
        "$(touch run)",
        "<img src=x>",
    ],
)
def test_names_that_want_to_be_code_stay_names(check, tmp_path, name):
    done = check(written(tmp_path, HEAD + rows(2, site=name)))
    assert {r["monitoring_location_name"] for r in done.table("observations.csv")} == {name}
    assert "1337" not in done.text.replace(str(tmp_path), "")
    assert not Path("run").exists()


def test_a_name_with_escape_sequences_does_not_reach_the_terminal(check, tmp_path):
    text = HEAD + rows(2, site="\x1b[31mred\x1b]0;title\x07", value="\x1b[2Jmany")
    done = check(written(tmp_path, text))
    assert done.report["rows_in"] == 2


def test_a_nul_byte_here_and_there_costs_no_row(check, tmp_path):
    done = check(written(tmp_path, HEAD + rows(20).replace("Site 7", "Si\0te 7") + "\0\0\n"))
    assert done.report["observations"] >= 19


def test_mostly_nul_bytes_are_told_as_what_they_are(check, tmp_path):
    done = check(written(tmp_path, HEAD + rows(3) + "\0" * 100_000))
    assert done.code in (0, 1, 2)
    assert done.code == 2 or done.report["observations"] == 3


def test_a_cell_of_ten_thousand_characters(check, tmp_path):
    done = check(written(tmp_path, HEAD + rows(1, site="x" * 10_000) + rows(3)))
    assert done.code in (0, 1, 2)
