"""The one way to write: a lock before BEGIN, fsync before COMMIT, the ledger beside it, or nothing at all.

Without the lock two DuckLake writers ruin each other's commits, and DuckLake does not fsync its Parquet
files. The lock is the operating system's (through ``filelock``): it is let go when a process dies.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from situation.errors import StoreError
from store import disk, originals
from store.engine import Engine
from store.journal import Journal
from store.ledger import Book, Event
from store.url import Place

#: How long a writer waits for another one, in seconds.
PATIENCE_S = 900

_threads: dict[Path, threading.RLock] = {}
_held: set[Path] = set()


@contextlib.contextmanager
def writer_lock(place: Place) -> Iterator[None]:
    """Be the only writer among all threads and processes; taking it again while holding it is allowed."""
    place.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _threads.setdefault(place.home, threading.RLock()):
        if place.home in _held:
            yield
            return
        lock = FileLock(place.home / "lock", timeout=PATIENCE_S, poll_interval=0.02, thread_local=False)
        try:
            lock.acquire()
        except Timeout as late:
            raise StoreError(
                f"Another program has been writing to {place.home} for {PATIENCE_S} seconds; "
                "wait for it to end, or end it."
            ) from late
        _held.add(place.home)
        try:
            yield
        finally:
            _held.discard(place.home)
            lock.release()


@dataclass
class Transaction:
    """A write under way: what holds so far, the cursor to write with, the event to record."""

    cursor: duckdb.DuckDBPyConnection
    book: Book
    event: Event | None = None
    #: Undone, in reverse order, if nothing comes of the write.
    undo: list[Callable[[], None]] = field(default_factory=list)
    #: Done once it has come about.
    after: list[Callable[[], None]] = field(default_factory=list)

    @property
    def version(self) -> int:
        """The number that the event of this write bears."""
        return self.book.version + 1

    def record(self, kind: str, who: str | None, **said: object) -> Event:
        """Say what this write is; exactly once."""
        if self.event is not None:
            raise RuntimeError("one write, one event")
        at = datetime.now(UTC).isoformat(timespec="seconds")
        self.event = {"data_version": self.version, "kind": kind, "at": at, "who": who, **said}
        self.cursor.execute(
            "INSERT INTO lake.ledger VALUES (?, ?)",
            [self.version, json.dumps(self.event, ensure_ascii=False)],
        )
        return self.event


def reconcile(
    place: Place, journal: Journal, version: Callable[[], int], lines: Callable[[int], list[Event]]
) -> None:
    """Make journal and tables agree after whatever crash there was; see :mod:`store.journal`.

    Parameters
    ----------
    place, journal
        The store's files; the caller holds the writer lock.
    version
        Gives the last event's number in the tables.
    lines
        Gives the events in the tables after a number.
    """
    journal.catch_up()
    stored = version()
    if journal.done > stored:
        raise StoreError(
            f"The tables in {place.home} end at event {stored}, but the ledger acknowledged event "
            f"{journal.done}; run `rebuild` to make the tables again from the originals."
        )
    if (event := journal.open_event) is not None:
        number = int(event["data_version"])
        journal.append({"done": number} if stored >= number else {"void": number})
        if stored < number and event["kind"] == "received":
            _forget_original(place, str(event["sha256"]), lines(0))
    for event in lines(journal.written) if stored > journal.written else ():
        journal.append(event)
        journal.append({"done": event["data_version"]})


def _forget_original(place: Place, digest: str, events: list[Event]) -> None:
    purged = {event["batch"] for event in events if event["kind"] == "purged"}
    kept = {e["sha256"] for e in events if e["kind"] == "received" and e["data_version"] not in purged}
    if digest not in kept:
        originals.erase(place.originals, digest)


@contextlib.contextmanager
def writing(
    engine: Engine, journal: Journal, book: Callable[[], Book], who: str | None, message: str
) -> Iterator[Transaction]:
    """Write, or leave no trace; the caller holds the writer lock and has reconciled.

    Yields
    ------
    Transaction
        Write with its cursor; call its :meth:`~Transaction.record` for the one event that this is.
    """
    cursor = engine.cursor()
    transaction = Transaction(cursor, book())
    before = parquet_files(engine.place)
    with disk.full_disk_told("what was being written"):
        cursor.execute("BEGIN")
        try:
            yield transaction
            _prepare(engine, journal, transaction, before, who, message)
            disk.reached("before commit")
        except BaseException:
            _give_up(engine, journal, transaction, before)
            raise
        _commit(engine, journal, transaction, before)
    disk.reached("after commit")
    _settle(engine.place, journal, transaction)
    for step in transaction.after:
        step()


def _commit(engine: Engine, journal: Journal, transaction: Transaction, before: set[Path]) -> None:
    try:
        transaction.cursor.execute("COMMIT")
    except duckdb.Error:
        with contextlib.suppress(duckdb.Error):
            transaction.cursor.execute("ROLLBACK")
        # A commit may fail after it has taken hold; only the tables know. If even they cannot be asked,
        # nothing is cleaned up, and the next writer reconciles.
        if engine.version() >= transaction.version and transaction.event is not None:
            return
        _give_up(engine, journal, transaction, before)
        raise


def _prepare(
    engine: Engine,
    journal: Journal,
    transaction: Transaction,
    before: set[Path],
    who: str | None,
    message: str,
) -> None:
    if engine.place.engine == "ducklake":
        transaction.cursor.execute("CALL lake.set_commit_message(?, ?)", [who or "", message])
    disk.fsync_all(parquet_files(engine.place) - before)
    disk.reached("before journal")
    if transaction.event is not None:
        journal.append(transaction.event)


def _give_up(engine: Engine, journal: Journal, transaction: Transaction, before: set[Path]) -> None:
    with contextlib.suppress(duckdb.Error):
        transaction.cursor.execute("ROLLBACK")
    # Nothing refers to what this write put on the disk, and nobody else was writing.
    for path in parquet_files(engine.place) - before:
        with contextlib.suppress(OSError):
            path.unlink()
    for step in reversed(transaction.undo):
        with contextlib.suppress(OSError):
            step()
    if transaction.event is not None:
        with contextlib.suppress(OSError):
            journal.catch_up()
            if journal.open_event is not None:
                journal.append({"void": transaction.version})


def _settle(place: Place, journal: Journal, transaction: Transaction) -> None:
    wal = place.home / "catalog.sqlite-wal"
    if wal.exists():
        with contextlib.suppress(OSError):
            disk.fsync_file(wal)
    if transaction.event is not None:
        try:
            journal.append({"done": transaction.version})
        except OSError:
            # Line and commit are both on the disk; the next writer adds the mark.
            with contextlib.suppress(OSError):
                journal.touch()


def fsync_tree(place: Place) -> None:
    """Have all data files and the catalogue on the disk."""
    disk.fsync_all([*parquet_files(place), *place.home.glob(place.catalog.name + "*")])


def parquet_files(place: Place) -> set[Path]:
    """List the data files on the disk."""
    return set(place.data.rglob("*.parquet"))
