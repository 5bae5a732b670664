"""What became of every fetch, kept as lines of JSON beside the store; and how each source is, by that.

The file (``fetches.jsonl``) is the only memory: whether a source is trusted, when it is asked next and
what is asked of it then all follow from its lines. So cron, the app and a person at the keyboard agree
without talking, and a process that is killed leaves nothing half said.

What surprised us: an outage can answer HTTP 200, "count: 0", and go on so for a month. An empty answer is
therefore held against what the same question brought before.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from filelock import FileLock

from sensors.sensor import Ask, Sensor
from store.disk import fsync_file

#: What came of a fetch.
COMPLETE, EMPTY, TRUNCATED, SUSPECT = "complete", "empty", "truncated", "suspect"
FAILED, KEY_MISSING, WAITING = "failed", "key missing", "waiting"
OUTCOMES = (COMPLETE, EMPTY, TRUNCATED, SUSPECT, FAILED, KEY_MISSING, WAITING)

#: How a source is.
OK, LATE, FAILING, NEVER = "ok", "late", "failing", "not asked yet"
STATES = (OK, LATE, SUSPECT, FAILING, KEY_MISSING, NEVER)

BREAKER_AFTER = 3  # failures in a row
_FIRST_PAUSE = timedelta(minutes=15)
_LONGEST_PAUSE = timedelta(hours=24)
_FEW = 0.1  # a share of the sites that came before, below which an answer is suspect
_MANY = 10  # sites, from which on such a share says something


@dataclass(frozen=True)
class FetchReport:
    """What became of one fetch; times are ISO 8601 in UTC.

    ``outcome`` is one of :data:`OUTCOMES`; ``complete`` says that all that was asked for came, be it nothing.
    ``rows_in = rows_observed + rows_quarantined + rows_waiting``; ``rows_out`` are observations, of which
    ``added`` are new, ``corrected`` differ from what stood, and the rest stood already. ``asked`` names the
    question; ``signature`` is the same for the same question at another time.
    """

    source: str
    signature: str
    outcome: str
    started: str
    ended: str
    said: str = ""
    asked: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    retry_at: str | None = None
    complete: bool = False
    truncated: bool = False
    requests: int = 0
    pages: int = 0
    size: int = 0
    declared: int | None = None
    rows_in: int = 0
    rows_out: int = 0
    rows_observed: int = 0
    rows_quarantined: int = 0
    rows_waiting: int = 0
    quarantined: Mapping[str, int] = field(default_factory=dict)
    sites: int = 0
    oldest: str | None = None
    newest: str | None = None
    batch: int | None = None
    already: bool = False
    added: int = 0
    unchanged: int = 0
    corrected: int = 0
    warnings: Sequence[str] = ()
    bodies: Sequence[Mapping[str, Any]] = ()
    topic: str | None = None
    incremental: bool = False
    skew_s: float = 0.0

    @property
    def good(self) -> bool:
        """Whether what came can be relied on as far as it goes, and the next collection may go on from here."""
        return self.complete and self.outcome in (COMPLETE, EMPTY)

    def moment(self, name: str = "started") -> datetime:
        """Give one of its times."""
        return datetime.fromisoformat(getattr(self, name))


_NAMES = {f.name for f in fields(FetchReport)}


def signature(sensor: Sensor, ask: Ask) -> str:
    """Name a question without its period, so that the same one is known again tomorrow."""
    said = [
        sensor.key,
        ask.base_url,
        ask.bbox,
        sorted(ask.properties),
        ask.site,
        ask.topic,
        sorted(ask.options.items()),
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


class Fetches:
    """The file of reports; :meth:`all` reads only what came since the last time."""

    def __init__(self, home: Path) -> None:
        self.path = home / "fetches.jsonl"
        self._offset = 0
        self._inode = 0
        self._held: list[FetchReport] = []

    def all(self) -> list[FetchReport]:
        """Give every report, oldest first; lines that a killed process left unfinished are passed over."""
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            self._offset, self._held = 0, []
            return []
        if stat.st_size < self._offset or stat.st_ino != self._inode:
            self._offset, self._held, self._inode = 0, [], stat.st_ino
        if stat.st_size > self._offset:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                text = file.read()
            whole = text[: text.rfind(b"\n") + 1]
            self._offset += len(whole)
            self._held += list(_reports(whole))
        return self._held

    def of(self, source: str) -> list[FetchReport]:
        """Give the reports of one source, oldest first."""
        return [report for report in self.all() if report.source == source]

    def add(self, report: FetchReport) -> None:
        """Write a report down; it is on the disk when this returns."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        line = json.dumps(asdict(report), ensure_ascii=False, default=str).encode("utf-8", "replace") + b"\n"
        with FileLock(self.path.with_suffix(".lock"), timeout=60):
            with open(self.path, "ab+", opener=_private) as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - 1))
                if size and file.read(1) != b"\n":
                    line = b"\n" + line  # one was cut short by a crash: it stays unreadable, ours does not
                file.write(line)
            fsync_file(self.path)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _reports(lines: bytes) -> Iterator[FetchReport]:
    for line in lines.splitlines():
        try:
            said = json.loads(line)
            yield FetchReport(**{name: value for name, value in said.items() if name in _NAMES})
        except (ValueError, TypeError):
            continue


@dataclass(frozen=True)
class SourceState:
    """How a source is: one of :data:`STATES`, and the sentence that says why."""

    key: str
    title: str
    state: str
    said: str
    last_success: str | None = None
    last_try: str | None = None
    next_try: str | None = None
    failures: int = 0
    rows: int = 0
    sites: int = 0
    newest: str | None = None
    error: str | None = None


def open_until(reports: Sequence[FetchReport]) -> datetime | None:
    """Say until when a source is left alone after failures in a row; None if it may be asked.

    The pause doubles with every failure from the third on, and is a little different each time, so that many
    installations do not come back at once. After it one fetch goes through as a probe.
    """
    failed = _failures(reports)
    last = failed[-1] if failed else None
    if last is None:
        return None
    until = datetime.fromisoformat(last.retry_at) if last.retry_at else None
    if until is not None:
        # A server that says "come back in a year" is asked once a day all the same.
        until = min(until, last.moment("ended") + _LONGEST_PAUSE)
    if len(failed) >= BREAKER_AFTER:
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(len(failed) - BREAKER_AFTER, 10))
        jitter = int(hashlib.sha256(f"{last.source}{last.ended}".encode()).hexdigest()[:4], 16) / 0xFFFF
        paused = last.moment("ended") + pause * (0.9 + 0.2 * jitter)
        until = max(until, paused) if until else paused
    return until


def _failures(reports: Sequence[FetchReport]) -> list[FetchReport]:
    """Give the failures since the last answer, oldest first; what the question was to blame for is none."""
    found: list[FetchReport] = []
    for report in reversed(reports):
        if report.outcome in (WAITING, KEY_MISSING) or report.error in (
            "BadRequest",
            "TooMuch",
            "ChoiceError",
        ):
            continue
        if report.outcome != FAILED:
            break
        found.append(report)
    return found[::-1]


def last_good(reports: Sequence[FetchReport], question: str) -> FetchReport | None:
    """Find the fetch from which the next collection of a question goes on."""
    return next((r for r in reversed(reports) if r.signature == question and r.good), None)


def _brought(reports: Sequence[FetchReport], question: str) -> FetchReport | None:
    """Find the last fetch of a question that brought sites."""
    return next(
        (
            r
            for r in reversed(reports)
            if r.signature == question and r.outcome in (COMPLETE, TRUNCATED) and r.sites
        ),
        None,
    )


def doubt(reports: Sequence[FetchReport], question: str, ask: Ask, sites: int) -> str | None:
    """Hold an answer against what the same question brought before; gives the sentence of a suspicion.

    Nothing, where the newest reading of then should have come again, is suspect; so is a small part of many
    sites. Where an empty answer may be true, :func:`control` finds out.
    """
    last = _brought(reports, question)
    if last is None or ask.modified_since is not None:
        return None
    when = f"{last.moment():%Y-%m-%d}"
    if sites == 0 and _holds_newest(ask, last):
        return vanished(last)
    if last.sites >= _MANY and sites < _FEW * last.sites and _as_long(ask, last):
        return f"The source gave {last.sites} sites on {when} and only {sites} now."
    return None


def vanished(last: FetchReport) -> str:
    """Say that a source gives nothing where it gave something."""
    return (
        f"The source gave {last.sites} site{'s' if last.sites != 1 else ''} on {last.moment():%Y-%m-%d} and none "
        "now, and calls that a good answer. Its earlier readings stay as they are."
    )


def control(reports: Sequence[FetchReport], question: str, ask: Ask) -> tuple[Ask, FetchReport] | None:
    """Give a question whose answer is known: for the newest reading that the source once gave.

    An empty answer is true if the source still knows that one.
    """
    last = _brought(reports, question)
    if last is None or last.newest is None:
        return None
    newest = datetime.fromisoformat(last.newest)
    day = timedelta(days=1)
    return replace(ask, since=newest - day, until=newest + day, modified_since=None), last


def _holds_newest(ask: Ask, last: FetchReport) -> bool:
    newest = datetime.fromisoformat(last.newest) if last.newest else None
    if newest is None:
        return ask.since is None
    return (ask.since is None or ask.since <= newest) and (ask.until is None or newest <= ask.until)


def _as_long(ask: Ask, last: FetchReport) -> bool:
    since, until = last.asked.get("since"), last.asked.get("until")
    if ask.since is None:
        return True
    if since is None:
        return False
    then = (datetime.fromisoformat(until) if until else last.moment()) - datetime.fromisoformat(since)
    return (ask.until or datetime.now(UTC)) - ask.since >= then


def state_of(
    sensor: Sensor, reports: Sequence[FetchReport], *, now: datetime | None = None, has_key: bool = True
) -> SourceState:
    """Say how a source is, from the reports of its fetches (oldest first)."""
    now = now or datetime.now(UTC)
    tried = [r for r in reports if r.outcome != WAITING]
    good = next((r for r in reversed(tried) if r.good), None)
    last = tried[-1] if tried else None
    brought = next((r for r in reversed(tried) if r.newest), None)
    failed = _failures(tried)
    every = timedelta(hours=sensor.every_hours)
    wait = open_until(tried)
    next_try = max(now, wait) if wait else (good.moment() + every if good else None)
    state, said = _judge(sensor, last, good, every, now, has_key)
    if state == OK and (other := _still_suspect(tried, now - max(2 * every, timedelta(days=1)))):
        state, said = SUSPECT, other
    return SourceState(
        key=sensor.key,
        title=sensor.title,
        state=state,
        said=said,
        last_success=good.started if good else None,
        last_try=last.started if last else None,
        next_try=next_try.isoformat(timespec="seconds") if next_try and state != KEY_MISSING else None,
        failures=len(failed),
        rows=sum(r.added for r in tried),
        sites=brought.sites if brought else 0,
        newest=max((r.newest for r in tried if r.newest), default=None),
        error=last.said if last and last.outcome in (FAILED, KEY_MISSING, SUSPECT, TRUNCATED) else None,
    )


def _still_suspect(tried: Sequence[FetchReport], since: datetime) -> str | None:
    """Give the sentence of a question whose own last answer is suspect: a good one to another heals it not."""
    latest = {report.signature: report for report in tried}
    found = [r for r in latest.values() if r.outcome == SUSPECT and r.moment() >= since]
    return max(found, key=FetchReport.moment).said if found else None


def _judge(
    sensor: Sensor,
    last: FetchReport | None,
    good: FetchReport | None,
    every: timedelta,
    now: datetime,
    has_key: bool,
) -> tuple[str, str]:
    if sensor.key_needed and not has_key:
        return KEY_MISSING, f"{sensor.title} needs a key; set {sensor.key_variable}."
    if last is None:
        return NEVER, "It was not asked yet."
    if last.outcome == KEY_MISSING:
        return KEY_MISSING, last.said
    if last.outcome == FAILED:
        return FAILING, last.said
    if last.outcome in (SUSPECT, TRUNCATED):
        return SUSPECT, last.said
    if good and now - good.moment() > 2 * every:
        hours = (now - good.moment()).total_seconds() / 3600
        return (
            LATE,
            f"It was last asked {hours / 24:.0f} days ago; it has news every {sensor.every_hours:g} hours.",
        )
    return OK, last.said
