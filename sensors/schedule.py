"""The clock of the running app: asks the sources that the topics name, as often as they say.

Whether a source is due follows from the reports beside the store, and from nothing else: an app that was
killed, or stood still for a week, goes on where it was. Of several app processes that share a store one
leads, by a file lock that the system takes back when the process ends in whatever way; the others look
again every half minute. One source is asked after the other, each in a child process of low priority.

What surprised us: a collection that takes its process down with it (memory) leaves no report, and would be
due again at once, for ever. Its end is therefore written down by whoever started it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from situation.errors import CommonsightError
from situation.settings import settings
from situation.topic import Topic, topics
from store.url import parse

if TYPE_CHECKING:
    from sensors.collecting import Task
    from sensors.sensor import Sensor
    from sensors.source_state import FetchReport

#: Seconds between two looks at what is due.
LOOK_EVERY_S = 30
#: Seconds after the start until the first look: the first page comes first.
FIRST_LOOK_S = 5
_RETRY = timedelta(minutes=15)
_LONGEST_S = 6 * 3600.0
_log = logging.getLogger(__name__)


def next_try(
    question: str, reports: Sequence[FetchReport], every_hours: float, *, now: datetime | None = None
) -> datetime:
    """Say when a source is asked a question again (UTC); *now* if it never was.

    Parameters
    ----------
    question : str
        Its signature (:func:`sensors.source_state.signature`).
    reports : sequence of FetchReport
        Of the source, oldest first.
    every_hours : float
        How often the topic wants it asked.
    """
    from sensors.source_state import FAILED, open_until

    now = now or datetime.now(UTC)
    last = next((report for report in reversed(reports) if report.signature == question), None)
    if last is None:
        due = now
    else:
        usual = timedelta(hours=every_hours)
        # A clock that stood ahead for a while must not put a source off for as long.
        ended = min(last.moment("ended"), now)
        due = ended + (min(usual, _RETRY) if last.outcome == FAILED else usual)
    closed = open_until(reports)
    return max(due, closed) if closed else due


@dataclass
class Collector:
    """Looks at what is due and does it; one for each process, of which one leads."""

    store: str
    home: Path

    def __post_init__(self) -> None:
        self._lead = FileLock(self.home / "sources" / "leader.lock", timeout=0, thread_local=False)
        self._stop = threading.Event()

    @property
    def leads(self) -> bool:
        """Whether this process is the one that collects."""
        return bool(self._lead.is_locked)

    def stop(self) -> None:
        """End what goes on, and let another process lead."""
        self._stop.set()
        if self._lead.is_locked:
            self._lead.release(force=True)

    def look(self) -> list[str]:
        """Do what is due, one after the other; gives the keys of the sources that were asked."""
        wanting = [topic for topic in topics().values() if _wants(topic)]
        if not wanting or self._stop.is_set() or not self._take_lead():
            return []
        done: list[str] = []
        for topic in wanting:
            for task in self.due(topic):
                if self._stop.is_set():
                    return done
                self._do(task)
                done.append(task.source)
        return done

    def _take_lead(self) -> bool:
        if self._lead.is_locked:
            return True
        (self.home / "sources").mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._lead.acquire()
        except Timeout:
            return False
        return True

    def due(self, topic: Topic, now: datetime | None = None) -> Iterator[Task]:
        """Give what of a topic is due; each is judged when its turn comes."""
        from sensors import collecting
        from sensors.source_state import Fetches, signature

        fetches = Fetches(self.home)
        for sensor in collecting.sources_of(topic):
            task = collecting.task(topic, sensor, self.store)
            try:
                question = signature(*task.ask())
            except CommonsightError:
                continue  # the Sources page says what is wrong with it
            if collecting.lacks_key(sensor) or sensor.key in collecting.running(self.home):
                continue
            moment = now or datetime.now(UTC)
            if next_try(question, fetches.of(sensor.key), _every(topic, sensor), now=moment) <= moment:
                yield task

    def _do(self, task: Task) -> None:
        from sensors import collecting
        from sensors.source_state import Fetches

        began, before = datetime.now(UTC), len(Fetches(self.home).of(task.source))
        child = collecting.start(task, self.home)
        try:
            waited = 0.0
            while child.poll() is None and waited < _LONGEST_S:
                if self._stop.wait(0.2):
                    return
                waited += 0.2
        finally:
            if child.poll() is None:
                child.terminate()
            child.wait(30)
        if child.returncode not in (0, 1) and len(Fetches(self.home).of(task.source)) == before:
            why = (
                f"The collection ended before it was done (code {child.returncode}); nothing of it was kept."
            )
            collecting.ended_badly(task, self.home, began, why)
            _log.warning("%s: %s", task.source, why)


def _every(topic: Topic, sensor: Sensor) -> float:
    return topic.collect.every(sensor.key)


def _wants(topic: Topic) -> bool:
    """Say whether a topic names anything to ask, before what asks is imported."""
    return any(key != "field_file" for key in topic.sources)


class Clock:
    """The scheduler of one app process; :meth:`stop` ends it."""

    def __init__(self, collector: Collector) -> None:
        from apscheduler.schedulers.background import BackgroundScheduler

        self.collector = collector
        self._scheduler = BackgroundScheduler(daemon=True, timezone=UTC)
        self._scheduler.add_job(
            self._look,
            "interval",
            seconds=LOOK_EVERY_S,
            next_run_time=datetime.now(UTC) + timedelta(seconds=FIRST_LOOK_S),
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
        # A look takes as long as the collection; that the next one is left out meanwhile is as it should be.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._scheduler.start()

    def _look(self) -> None:
        try:
            self.collector.look()
        except Exception:
            _log.exception("The collection of open data failed; it is tried again.")

    def stop(self) -> None:
        """End the clock, and what goes on."""
        self.collector.stop()
        self._scheduler.shutdown(wait=False)


def refusal() -> str | None:
    """Say why this installation collects nothing by itself; None if it does."""
    chosen = settings()
    if not chosen.collect:
        return "COMMONSIGHT_COLLECT is 0."
    if chosen.read_only:
        return "This installation is read-only."
    if parse(chosen.real_store_url).engine == "duckdb":
        return "A store of the kind duckdb: takes one process only; use ducklake:sqlite: to collect."
    return None


def start() -> Clock | None:
    """Start the clock, unless the settings forbid it; until a topic names an open source it has nothing to do."""
    if refusal() is not None:
        return None
    url = settings().real_store_url
    return Clock(Collector(url, parse(url).home))
