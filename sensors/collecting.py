"""Collecting open data for a topic: what is asked of whom, and a child process of low priority that does it.

Two cores and one interpreter lock serve the pages, so nothing is fetched or read in the app's own process.
A child gets its task on standard input, writes how far it is into a small file beside the store, and what
became of the fetch into ``fetches.jsonl`` as every fetch does. It may be killed at any time: a batch is in
the store as a whole or not at all, and the next collection asks again.

What surprised us: a process that was killed leaves its file of progress behind, and its number may belong
to somebody else by then; so the file also holds when the process began.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psutil

from sensors import pull
from sensors.sensor import Ask, Sensor
from sensors.source_state import FAILED, Fetches, FetchReport, signature
from sensors.sources import available, source_named
from situation.errors import ChoiceError, CommonsightError, SettingsError
from situation.settings import ROOT, secret
from situation.topic import Box, Topic, topic_named, topics
from store import Store, open_store

#: What stands among a topic's sources and is asked by nobody: files that people hand in.
HANDED_IN = ("field_file",)
_TELL_EVERY = 0.3  # seconds between two notes of how far it is
_MODEST = 10  # of 19: how far the child steps back behind the pages
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """One fetch to do: a source, what is asked of it, and the store that takes it; plain texts and numbers.

    ``incremental``: only what may be new since the last time. ``force``: also if the source is left alone
    after failures, because a person asks.
    """

    store: str
    source: str
    topic: str
    bbox: Box | None = None
    since: str | None = None
    properties: tuple[str, ...] = ()
    site: str | None = None
    base_url: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    incremental: bool = True
    force: bool = False

    @classmethod
    def from_json(cls, text: str) -> Task:
        """Read a task back."""
        said = json.loads(text)
        said["bbox"] = tuple(said["bbox"]) if said["bbox"] else None
        said["properties"] = tuple(said["properties"])
        return cls(**said)

    def ask(self) -> tuple[Sensor, Ask]:
        """Make the ask of it.

        Raises
        ------
        ChoiceError
            If there is no such source, or it cannot be asked so.
        """
        sensor = source_named(self.source)
        return sensor, sensor.ask(
            base_url=self.base_url,
            bbox=self.bbox,
            since=date.fromisoformat(self.since) if self.since else None,
            properties=self.properties,
            site=self.site,
            topic=self.topic,
            options=self.options,
        )


@dataclass(frozen=True)
class Running:
    """A collection that goes on now; ``share`` of what it reads, None while it asks."""

    source: str
    pid: int
    created: float
    share: float | None = None
    text: str = ""


# -- what a topic wants ----------------------------------------------------------------------------------


def named(topic: Topic) -> tuple[str, ...]:
    """Give the sources that a topic names beside files handed in, whether they exist or not."""
    return tuple(key for key in topic.sources if key not in HANDED_IN)


def sources_of(topic: Topic) -> tuple[Sensor, ...]:
    """Give the open sources that a topic names, in its order."""
    held = available()
    return tuple(held[key] for key in named(topic) if key in held)


def mistakes(topic: Topic) -> list[str]:
    """Say which lines of a topic's file about sources mean nothing."""
    held = available()
    found = [
        f"{topic.key}/topic.toml names the source {key!r}, which does not exist; there are {', '.join(sorted(held))}."
        for key in named(topic)
        if key not in held
    ]
    found += [
        f"{topic.key}/topic.toml has [collect.{key}], and {key} does not stand in its line sources."
        for key in topic.collect.wanted
        if key not in topic.sources
    ]
    return found


def task(topic: Topic, sensor: Sensor, store: str, *, bbox: Box | None = None, force: bool = False) -> Task:
    """Give the task of collecting for a topic what is new at a source.

    Parameters
    ----------
    topic : Topic
        Its ``[collect.SOURCE]`` says what is asked; its area is the box, its properties what is measured.
    sensor : Sensor
        The source.
    store : str
        Address of the store.
    bbox : Box, optional
        West, south, east, north in degrees: instead of the topic's.
    force : bool
        Ask even if the source is left alone after failures.
    """
    wanted = topic.collect.of(sensor.key)
    return Task(
        store,
        sensor.key,
        topic.key,
        bbox=bbox or wanted.bbox or (None if topic.whole_world else topic.area),
        since=wanted.since.isoformat() if wanted.since else None,
        properties=wanted.properties or tuple(p for p in topic.properties if p in sensor.properties),
        site=wanted.site,
        base_url=wanted.base_url,
        options=wanted.options,
        force=force,
    )


def could_serve(topic: Topic, box: Box) -> list[Sensor]:
    """Give the sources that may have data for a topic in a box, without asking anyone.

    A source is left out if it serves other topics or none of this one's properties, has nothing in that
    part of the world, or needs to be told a server that the topic does not name.
    """
    found = []
    for sensor in available().values():
        serves = not sensor.topics or topic.key in sensor.topics
        measures = not sensor.properties or any(p in sensor.properties for p in topic.properties)
        there = sensor.base_url or topic.collect.of(sensor.key).base_url
        covers = not sensor.covers or any(_touch(box, part) for part in sensor.covers)
        if serves and measures and there and covers and not sensor.events:
            found.append(sensor)
    return found


def _touch(one: Box, other: Box) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


def lacks_key(sensor: Sensor) -> bool:
    """Say whether a source needs a key that is not set; a file of secrets that cannot be read holds none."""
    if not sensor.key_variable:
        return False
    try:
        return sensor.key_needed and not secret(sensor.key_variable)
    except SettingsError:
        return sensor.key_needed


# -- the child -------------------------------------------------------------------------------------------


def start(task: Task, home: Path) -> subprocess.Popen[bytes]:
    """Begin a task in a child process; its notes stand under :func:`running`.

    Parameters
    ----------
    task : Task
        What to do.
    home : Path
        The store's folder.
    """
    folder = home / "sources"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(folder / f"{task.source}.log", "wb", opener=_private) as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "sensors.collecting"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log,
            # What calculates in several threads does so in one: the other core is for the pages.
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
    assert child.stdin is not None
    with contextlib.suppress(BrokenPipeError), child.stdin as told:
        told.write(json.dumps(asdict(task)).encode())
    note(home, Running(task.source, child.pid, _created(child.pid), None, ""))
    return child


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _created(pid: int) -> float:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return 0.0


def note(home: Path, now: Running) -> None:
    """Write down how far a collection is."""
    path = _notes(home, now.source)
    passing = path.with_suffix(f".{os.getpid()}.part")
    passing.write_text(json.dumps(asdict(now)), encoding="utf-8")
    passing.replace(path)


def _notes(home: Path, source: str) -> Path:
    return home / "sources" / f"{source}.running.json"


def running(home: Path) -> dict[str, Running]:
    """Give the collections that go on now, by source, whoever started them."""
    found = {}
    for path in (home / "sources").glob("*.running.json"):
        try:
            told = Running(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            continue
        if told.created and abs(_created(told.pid) - told.created) < 1 and not _dead(told.pid):
            found[told.source] = told
    return found


def _dead(pid: int) -> bool:
    """Say whether a process has ended and nobody has looked at its end yet."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return True


def collect(task: Task, kept: Store, tell: pull.Progress | None = None) -> FetchReport:
    """Do a task here."""
    sensor, ask = task.ask()
    goes_on = False
    if task.incremental:
        ask, goes_on = pull.going_on(sensor, ask, kept)
    return pull.pull(
        sensor,
        ask,
        kept,
        topic=topic_named(task.topic),
        progress=tell,
        incremental=goes_on,
        force=task.force,
    )


def ended_badly(task: Task, home: Path, started: datetime, why: str) -> FetchReport:
    """Write down that a collection ended without a word of its own, so that it counts as a failure."""
    sensor, ask = task.ask()
    report = FetchReport(
        source=sensor.key,
        signature=signature(sensor, ask),
        outcome=FAILED,
        started=started.isoformat(timespec="seconds"),
        ended=datetime.now(UTC).isoformat(timespec="seconds"),
        said=why,
        error="CollectionEnded",
        topic=task.topic,
        incremental=task.incremental,
    )
    Fetches(home).add(report)
    return report


def _be_modest() -> None:
    """Step back behind the pages, for processor and disk, as far as this system knows how."""
    me = psutil.Process()
    with contextlib.suppress(psutil.Error, OSError, AttributeError):
        me.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if os.name == "nt" else _MODEST)
    with contextlib.suppress(psutil.Error, OSError, AttributeError, ValueError):
        me.ionice(psutil.IOPRIO_CLASS_IDLE)


@contextlib.contextmanager
def _telling(task: Task, home: Path) -> Iterator[pull.Progress]:
    me, last = Running(task.source, os.getpid(), _created(os.getpid())), 0.0

    def tell(share: float | None, text: str) -> None:
        nonlocal last
        if time.monotonic() - last >= _TELL_EVERY:
            last = time.monotonic()
            note(home, Running(me.source, me.pid, me.created, share, text))

    note(home, me)
    try:
        yield tell
    finally:
        _notes(home, task.source).unlink(missing_ok=True)


def main() -> int:
    """Do the task that stands on standard input; what became of it stands in the file of fetches."""
    _be_modest()
    began = datetime.now(UTC)
    given = Task.from_json(sys.stdin.read())
    kept = open_store(given.store)
    with _telling(given, kept.home) as tell:
        try:
            report = collect(given, kept, tell)
        except ChoiceError as wrong:
            ended_badly(given, kept.home, began, str(wrong))
            return 2
        except CommonsightError:
            _log.exception("collecting %s", given.source)
            return 2  # pull has written it down
        finally:
            kept.close()
    return 0 if report.good else 1


def ask_of_topic(topic: Topic, sensor: Sensor, store: str, **chosen: Any) -> Ask:
    """Make the ask of a topic at a source; what was chosen on the command line counts more.

    Parameters
    ----------
    **chosen
        Arguments of :meth:`sensors.sensor.Sensor.ask`; empty ones are as if not given.
    """
    usual = task(topic, sensor, store)
    told = {
        "base_url": usual.base_url,
        "bbox": usual.bbox,
        "since": date.fromisoformat(usual.since) if usual.since else None,
        "properties": usual.properties,
        "site": usual.site,
        "topic": topic.key,
        "options": usual.options,
    }
    return sensor.ask(**(told | {name: value for name, value in chosen.items() if value}))


def with_sources(only: Sequence[str] = ()) -> list[Topic]:
    """Give the topics that name an open source; of several sources, only some may be meant."""
    return [topic for topic in topics().values() if any(not only or key in only for key in named(topic))]


if __name__ == "__main__":
    sys.exit(main())
