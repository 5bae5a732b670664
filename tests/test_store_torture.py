"""Several processes at one store, and processes that are killed: nothing lost, doubled or torn."""

import multiprocessing
import os
import random
import shutil
import subprocess
import time

import pytest

import store
from situation.errors import StoreError, StoreFull
from store import disk
from tests import store_kit
from tests.store_kit import ENGINES, POINTS, add, assert_whole, reading, receipts_in, shown

SHARED_ENGINE = "ducklake:sqlite:"

processes = multiprocessing.get_context("spawn" if os.name == "nt" else "forkserver")
if os.name != "nt":
    processes.set_forkserver_preload(["tests.store_kit"])

kills = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")


def start(target, *args):
    """Start one of the kit's functions in a process of its own."""
    process = processes.Process(target=target, args=args, daemon=True)
    process.start()
    return process


def wait_open(told, seconds=60):
    """Wait until a process has opened the store."""
    until = time.monotonic() + seconds
    while not (told.exists() and told.stat().st_size) and time.monotonic() < until:
        time.sleep(0.01)


@kills
@pytest.mark.parametrize("engine", ENGINES)
def test_a_process_killed_at_any_step_loses_and_doubles_nothing(engine, tmp_path):
    url = f"{engine}{tmp_path / 'home'}"
    told = tmp_path / "told"
    store_kit.write_files(url, "w", 1, told)
    for number, point in enumerate(POINTS):
        process = start(store_kit.write_files, url, f"{'xyzuvt'[number]}", 1, told, point)
        process.join(60)
        assert process.exitcode == -9, point
    assert_whole(url, told)
    # What was killed can be sent again, and is there once.
    for name in "xyzuvt":
        store_kit.write_files(url, name, 1, told)
    assert len(receipts_in(told)) == len(POINTS)  # w, and all but the one killed after its commit
    opened = store.open_store(url)
    assert {batch.filename for batch in opened.history() if batch.state == "accepted"} == {
        f"{name}-0" for name in "wxyzuvt"
    }
    opened.close()


def kill_at_random(url, told, rounds, seed):
    """Kill a writing process at random moments, and check after each."""
    dice = random.Random(seed)
    for number in range(rounds):
        mine = told.with_name(f"told-{number}")
        process = start(store_kit.write_files, url, f"{chr(97 + number % 26)}{number}", 1000, mine)
        wait_open(mine)
        time.sleep(dice.uniform(0, 0.8))
        process.kill()
        process.join(30)
        assert_killed_whole(url, told.parent)


def assert_killed_whole(url, folder):
    """Check the store against all that was acknowledged so far."""
    opened = store.open_store(url)
    try:
        names = [batch.filename for batch in opened.history()]
        assert len(names) == len(set(names))
        acknowledged = {name for path in folder.glob("told-*") for name in receipts_in(path)}
        assert acknowledged <= set(names)
        assert shown(opened.observations()) == store_kit.model([(n, "accepted") for n in reversed(names)])
    finally:
        opened.close()


@kills
def test_a_process_killed_at_random_moments(tmp_path):
    kill_at_random(f"{SHARED_ENGINE}{tmp_path / 'home'}", tmp_path / "told", rounds=2, seed=1)


@kills
@pytest.mark.torture
@pytest.mark.parametrize("engine", ENGINES)
def test_a_process_killed_at_a_hundred_random_moments(engine, tmp_path):
    url = f"{engine}{tmp_path / 'home'}"
    kill_at_random(url, tmp_path / "told", rounds=100, seed=2)
    assert_whole(url)


def write_and_read(url, tmp_path, files):
    """Let two processes write and four read; gives what the readers found torn."""
    store.open_store(url).close()
    stop = tmp_path / "stop"
    writers = [start(store_kit.write_files, url, name, files, tmp_path / f"told-{name}") for name in "ab"]
    readers = [start(store_kit.read_until, url, tmp_path / f"read-{n}", stop) for n in range(4)]
    for process in writers:
        process.join(600)
    stop.touch()
    for process in readers:
        process.join(60)
    assert [process.exitcode for process in writers + readers] == [0] * 6
    assert_whole(url, tmp_path / "told-a", tmp_path / "told-b")
    acknowledged = receipts_in(tmp_path / "told-a") | receipts_in(tmp_path / "told-b")
    assert len(acknowledged) == 2 * files
    return [note for n in range(4) for note in (tmp_path / f"read-{n}").read_text().splitlines()[1:]]


def test_two_processes_write_while_four_read(tmp_path):
    assert write_and_read(f"{SHARED_ENGINE}{tmp_path / 'home'}", tmp_path, files=2) == []


@pytest.mark.torture
def test_two_processes_write_sixty_files_each_while_four_read(tmp_path):
    assert write_and_read(f"{SHARED_ENGINE}{tmp_path / 'home'}", tmp_path, files=60) == []


def test_the_same_file_from_two_processes_at_once_is_one_batch(tmp_path):
    url = f"{SHARED_ENGINE}{tmp_path / 'home'}"
    store.open_store(url).close()
    told = [tmp_path / "told-1", tmp_path / "told-2"]
    both = [start(store_kit.write_files, url, "same", 2, path) for path in told]
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    first, second = map(receipts_in, told)
    assert not first.keys() & second.keys()
    assert first.keys() | second.keys() == {"same-0", "same-1"}
    assert_whole(url, *told)


def test_a_plain_duckdb_file_serves_one_process_and_says_so(tmp_path):
    url = f"duckdb:{tmp_path / 'home'}"
    opened = store.open_store(url)
    process = start(store_kit.write_files, url, "x", 1, tmp_path / "told")
    process.join(60)
    assert process.exitcode == 1
    assert not (tmp_path / "told").exists()
    opened.close()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("point", ["original", "journal", "engine"])
def test_a_full_disk_is_told_and_leaves_the_earlier_data(engine, point, tmp_path, monkeypatch):
    opened = store.open_store(f"{engine}{tmp_path / 'home'}")
    add(opened, reading(1), accept=True)
    before = sorted(path for path in opened.home.glob("originals/*/*"))

    def full(*args):
        raise OSError(28, "No space left on device")

    if point == "engine":
        monkeypatch.setattr(disk, "reached", lambda at: full() if at == "rows inserted" else None)
    else:
        monkeypatch.setattr(
            {"original": "store.originals._write", "journal": "store.journal._write_all"}[point], full
        )
    with pytest.raises(StoreFull, match="disk is full"):
        add(opened, reading(2), accept=True)
    monkeypatch.undo()
    assert shown(opened.latest()) == [(1, 1, "1.0")]
    assert sorted(path for path in opened.home.glob("originals/*/*")) == before
    assert not add(opened, reading(2), accept=True).already
    assert opened.verify() == []
    opened.close()


@pytest.fixture
def small_disk(tmp_path):
    """Give a disk of 12 MB, where one may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if (
        mount is None
        or subprocess.run([mount, "-t", "tmpfs", "-o", "size=12m", "tmpfs", folder], check=False).returncode
    ):
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", folder], check=False)


def fill_up(opened, kept):
    """Add batches of 300 readings until it fails."""
    for number in range(200):
        rows = [reading(site, day=number + 1, result=random.random()) for site in range(300)]
        kept.append(add(opened, *rows, original=os.urandom(400_000), accept=True).batch)


@pytest.mark.torture
@pytest.mark.parametrize("engine", ENGINES)
def test_a_disk_that_really_fills_up(engine, small_disk):
    opened = store.open_store(f"{engine}{small_disk / 'home'}")
    kept = []
    with pytest.raises(StoreFull):
        fill_up(opened, kept)
    assert kept
    assert [batch.batch for batch in opened.history()] == kept[::-1]
    assert len(opened.observations()) == 300 * len(kept)
    opened.close()
    again = store.open_store(f"{engine}{small_disk / 'home'}")
    assert len(again.observations()) == 300 * len(kept)
    with pytest.raises(StoreError):
        add(again, reading(1), original=os.urandom(12_000_000))
    again.close()
