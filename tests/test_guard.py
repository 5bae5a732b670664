"""The child process: what it returns, what it raises, and what it may not take."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from sensors.guard import run_guarded
from situation.errors import CommonsightError, FieldFileError, FileTooLarge, UnitError

HERE = "tests.test_guard"


# What the child runs. Only plain functions; each is told its arguments by JSON.


def add(a: int, b: int) -> dict[str, int]:
    print("not progress")
    return {"sum": a + b}


def complain(kind: str) -> None:
    if kind == "unit":
        raise UnitError("No unit 'mg/furlong'; mg/L would be right.")
    raise ValueError("something unforeseen")


def sleep() -> None:
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    time.sleep(60)


def eat() -> int:
    kept = []
    while True:
        kept.append(bytearray(b"x") * 20_000_000)
        time.sleep(0.01)


def gulp() -> int:
    return len(bytearray(b"x") * 100_000_000_000)


def die() -> None:
    import os

    os._exit(3)


def write(path: str) -> None:
    with Path(path).open("wb") as file:
        for _ in range(100):
            file.write(b"x" * 1_000_000)


def count(progress) -> str:
    for step in range(5):
        progress(step / 4, f"step {step}")
        time.sleep(0.15)
    return "done"


def _children() -> set[int]:
    return {one.pid for one in psutil.Process().children(recursive=True)}


def test_the_child_returns_what_the_function_returns():
    assert run_guarded(f"{HERE}:add", {"a": 2, "b": 3}) == {"sum": 5}


def test_the_child_starts_within_a_second():
    begun = time.perf_counter()
    run_guarded("sensors.guard:missing_limits", {})
    assert time.perf_counter() - begun < 1.5


def test_an_error_of_ours_comes_back_as_it_was():
    with pytest.raises(UnitError, match=r"^No unit 'mg/furlong'; mg/L would be right\.$"):
        run_guarded(f"{HERE}:complain", {"kind": "unit"})


def test_an_error_of_anybody_else_becomes_a_sentence():
    with pytest.raises(FieldFileError, match="ValueError: something unforeseen"):
        run_guarded(f"{HERE}:complain", {"kind": "other"})


def test_a_child_that_takes_too_long_is_ended_with_its_own_children():
    before = _children()
    with pytest.raises(FileTooLarge, match="more than 2 seconds"):
        run_guarded(f"{HERE}:sleep", {}, seconds=2)
    assert _children() <= before


@pytest.mark.parametrize("appetite", ["eat", "gulp"])
def test_a_child_that_takes_too_much_memory_is_ended(appetite):
    with pytest.raises(FileTooLarge, match="memory"):
        run_guarded(f"{HERE}:{appetite}", {}, seconds=20, memory_mb=300)


def test_a_child_that_dies_becomes_a_sentence():
    with pytest.raises(FieldFileError, match="code 3"):
        run_guarded(f"{HERE}:die", {})


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of a file")
def test_a_child_cannot_fill_the_disk(tmp_path):
    target = tmp_path / "big"
    with pytest.raises(CommonsightError):
        run_guarded(f"{HERE}:write", {"path": target}, file_mb=10)
    assert target.stat().st_size <= 10_000_000


def test_progress_in_the_child_is_heard_here():
    heard: list[float] = []
    assert run_guarded(f"{HERE}:count", {}, progress=lambda share, text: heard.append(share)) == "done"
    assert heard
    assert heard == sorted(heard)


def test_a_folder_that_is_given_is_left_as_it_was(tmp_path):
    (tmp_path / "mine").write_text("x")
    run_guarded(f"{HERE}:add", {"a": 1, "b": 1}, folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
