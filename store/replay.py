"""The store made again from what it is truly made of: the originals and ``ledger.jsonl``.

For the day an engine's files are damaged, or a better reader should not change what was decided: every
event happens again, in order, under its old number. The tables are made beside the old ones and take
their place only when all is well. Stop the app and other programs first; they hold the old tables open.

A purged batch has no original any more and does not come back. ``retrieved_at`` keeps the old moment.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow

from situation.errors import StoreError
from situation.observation import ARROW
from store import arrive, changes, guard, journal, originals
from store.disk import fsync_folder, full_disk_told
from store.engine import Engine
from store.guard import Transaction, writer_lock
from store.ledger import Book, Event
from store.url import Place

#: Reads an original again, given how it was read the first time.
Reader = Callable[[Path, dict[str, Any]], Iterable[pyarrow.Table]]


@dataclass
class Rebuilt:
    """What came of it; ``differences`` are sentences about batches that read differently now."""

    events: int = 0
    batches: int = 0
    rows: int = 0
    differences: list[str] = field(default_factory=list)


class _Again(Transaction):
    """A transaction that records the old event, word for word."""

    old: Event

    @property
    def version(self) -> int:
        """The old number."""
        return int(self.old["data_version"])

    def record(self, kind: str, who: str | None, **said: object) -> Event:
        """Keep the old event; gives it with what was counted this time."""
        self.event = self.old
        text = json.dumps(self.old, ensure_ascii=False)
        self.cursor.execute("INSERT INTO lake.ledger VALUES (?, ?)", [self.version, text])
        return {**self.old, **said}


def rebuild(place: Place, read: Reader) -> Rebuilt:
    """Make the tables of a store again.

    Parameters
    ----------
    place : Place
        The store; no other program may have it open.
    read : callable
        Given an original's path and its recipe (with ``filename``, ``source_id``, ``topic``,
        ``contributor`` and ``retrieved_at`` added), yields its observations as Arrow tables.

    Raises
    ------
    StoreError
        If an original is missing or was changed; the old tables are then as they were.
    """
    with writer_lock(place), full_disk_told("the rebuilt store"):
        beside = Place(place.engine, place.home / "rebuilding")
        shutil.rmtree(beside.home, ignore_errors=True)
        engine = Engine(beside)
        try:
            engine.create_tables()
            rebuilt = _replay(engine, place, list(journal.events(place.journal)), read)
            if place.engine == "duckdb":
                engine.cursor().execute("CHECKPOINT lake")
        finally:
            engine.close()
        _swap(place, beside)
    return rebuilt


def _replay(engine: Engine, place: Place, events: list[Event], read: Reader) -> Rebuilt:
    rebuilt, book = Rebuilt(), Book()
    gone = {event["batch"] for event in events if event["kind"] == "purged"}
    for event in events:
        again = _Again(engine.cursor(), book)
        again.old = event
        again.cursor.execute("BEGIN")
        _let_happen(again, place, gone, read, rebuilt)
        again.cursor.execute("COMMIT")
        book = changes.catch_up(book, [event], again.cursor)
        rebuilt.events += 1
    guard.fsync_tree(engine.place)
    return rebuilt


def _let_happen(again: _Again, place: Place, gone: set[int], read: Reader, rebuilt: Rebuilt) -> None:
    event = again.old
    kind = event["kind"]
    if kind == "received" and event["data_version"] not in gone:
        _receive(again, place, read, rebuilt)
        return
    again.record(kind, event["who"])
    if kind == "reviewed":
        changes.review(again, event["observation_ids"], event["state"])
    elif kind in ("accepted", "withdrawn") and event["batch"] not in gone:
        changes.redraw(again, event["batch"])


def _receive(again: _Again, place: Place, read: Reader, rebuilt: Rebuilt) -> None:
    event = again.old
    path = originals.path_of(place.originals, event["sha256"])
    if not path.exists() or originals.sha256(path) != event["sha256"]:
        raise StoreError(
            f"The original of batch {again.version} ({event['filename']}) is missing or was changed; "
            "restore it from a backup, or purge the batch."
        )
    said = ("filename", "source_id", "topic", "contributor", "retrieved_at")
    recipe = {**event.get("recipe", {}), **{name: event.get(name) for name in said}}
    tables = (_as_retrieved(table, event.get("retrieved_at")) for table in read(path, recipe))
    with arrive.spooled(tables, place.spill) as spool, arrive.staged(spool, place.spill) as batch:
        counted = changes.receive(
            again,
            batch,
            who=event["who"],
            topic=event["topic"],
            accepted=bool(event.get("accepted")),
            said={},
        )
    rebuilt.batches += 1
    rebuilt.rows += int(counted["rows"])
    if counted["rows"] != event["rows"]:
        rebuilt.differences.append(
            f"Batch {again.version} ({event['filename']}) gave {event['rows']} observations when it came "
            f"and {counted['rows']} now."
        )


def _as_retrieved(table: pyarrow.Table, moment: str | None) -> pyarrow.Table:
    if moment is None:
        return table
    column = ARROW.get_field_index("retrieved_at")
    kept = pyarrow.scalar(datetime.fromisoformat(moment), ARROW.field(column).type)
    return table.select(ARROW.names).set_column(column, ARROW.field(column), pyarrow.repeat(kept, len(table)))


def _swap(place: Place, beside: Place) -> None:
    old = place.home / "replaced"
    shutil.rmtree(old, ignore_errors=True)
    old.mkdir(mode=0o700)
    for path in sorted(place.home.glob(place.catalog.name + "*")):
        path.replace(old / path.name)
    if place.data.exists():
        place.data.replace(old / "data")
    beside.data.replace(place.data)
    for path in sorted(beside.home.glob(place.catalog.name + "*"), reverse=True):
        path.replace(place.home / path.name)
    fsync_folder(place.home)
    shutil.rmtree(old, ignore_errors=True)
    shutil.rmtree(beside.home, ignore_errors=True)
