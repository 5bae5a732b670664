"""What each event does to the tables, the same when it happens and when ``rebuild`` lets it happen again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import duckdb

from store import arrive, disk, ledger, picture
from store.guard import Transaction
from store.ledger import Book, Event
from store.picture import Scope
from store.tables import MIRRORED, SHIFT


def catch_up(book: Book, events: Sequence[Event], cursor: duckdb.DuckDBPyConnection) -> Book:
    """Give the book after more committed events, and bring the mirrored tables up to it."""
    stale = [name for name in MIRRORED if any(map(_TELLS[name], events))]
    for name in stale:
        number = "data_version" if name == "reviews" else "batch"
        said = {"after": book.version}
        cursor.execute(f"DELETE FROM memory.{name} WHERE {number} > $after", said)
        cursor.execute(f"INSERT INTO memory.{name} FROM lake.{name} WHERE {number} > $after", said)
    return _with_chains(book.then(events), cursor, book.version, "memory.")


# Rows that an event counted as unchanged when it happened may be corrections when it happens again.
_TELLS: Mapping[str, Callable[[Event], bool]] = {
    "repeats": lambda event: bool(event.get("unchanged") or event.get("corrected")),
    "corrections": lambda event: bool(event.get("unchanged") or event.get("corrected")),
    "reviews": lambda event: event["kind"] == "reviewed",
}


def _with_chains(book: Book, cursor: duckdb.DuckDBPyConnection, after: int, tables: str) -> Book:
    """Tell a book which batches after a number repeat or correct rows of others."""
    repeats = cursor.execute(
        f"SELECT DISTINCT batch, first >> {SHIFT} FROM {tables}repeats WHERE batch > ?", [after]
    ).fetchall()
    corrections = cursor.execute(
        f"SELECT DISTINCT batch FROM {tables}corrections WHERE batch > ?", [after]
    ).fetchall()
    book.repeating |= frozenset((int(batch), int(of)) for batch, of in repeats)
    book.correcting |= frozenset(int(batch) for (batch,) in corrections)
    return book


def receive(
    transaction: Transaction,
    batch: arrive.Staged,
    *,
    who: str | None,
    topic: str,
    accepted: bool,
    said: dict[str, Any],
) -> Event:
    """Let a batch arrive; gives the event, with what became of the rows."""
    book = transaction.book
    before = Scope(book, book.visible("all"), book.version)
    retrieved = batch.constants.get("retrieved_at")
    counts = arrive.insert(transaction.cursor, batch, transaction.version, before)
    disk.reached("rows inserted")
    event = transaction.record(
        "received",
        who,
        topic=topic,
        accepted=accepted,
        rows=counts.rows,
        added=counts.added,
        unchanged=counts.unchanged,
        corrected=counts.corrected,
        retrieved_at=retrieved.isoformat() if retrieved is not None else None,
        **said,
    )
    redraw(transaction, transaction.version)
    return event


def redraw(transaction: Transaction, number: int) -> None:
    """Bring ``latest`` up to date for the sites that a batch touches, as of the event recorded."""
    book = _after(transaction)
    event, batch = transaction.event or {}, book.batch(number)
    arriving = event["kind"] == "received"
    picture.touch(transaction.cursor, number, book, arriving=arriving)
    # A pending batch that arrives leaves the accepted picture as it is.
    reviews = ["all"] if arriving and batch.state == "pending" else list(ledger.COUNTING)
    picture.update(
        transaction.cursor, _scopes(book, batch.topic, reviews, arriving), batch.topic, book.version
    )
    disk.reached("picture drawn")


def _scopes(book: Book, topic: str, reviews: Sequence[str], arriving: bool) -> list[Scope]:
    return [
        Scope(book, book.visible(review, topic=topic), book.version, review, arriving=arriving)
        for review in reviews
    ]


def _after(transaction: Transaction) -> Book:
    if transaction.event is None:
        raise RuntimeError("record the event first")
    book = transaction.book.then([transaction.event])
    if transaction.event["kind"] != "received":
        return book
    return _with_chains(book, transaction.cursor, transaction.book.version, "temp.new_")


def erase(transaction: Transaction, number: int) -> None:
    """Delete the rows of a purged batch, save those that another batch says too; they stand for that one.

    In Parquet the bytes of deleted rows stay in their file, marked, until ``rebuild``.
    """
    book = transaction.book
    others = [b.batch for b in book.batches.values() if b.state != "purged" and b.batch != number]
    said = {"batch": number, "others": others}
    transaction.cursor.execute(
        "DELETE FROM lake.observations WHERE batch = $batch AND reading NOT IN ("
        "SELECT o.reading FROM lake.observations o JOIN lake.repeats r "
        "ON o.reading BETWEEN r.first AND r.last WHERE o.batch = $batch "
        "AND r.batch IN (SELECT unnest($others::BIGINT[])))",
        said,
    )
    transaction.cursor.execute("DELETE FROM lake.latest WHERE batch = $batch", {"batch": number})


def review(transaction: Transaction, observation_ids: Sequence[str], state: str) -> int:
    """Note what reviewers said of readings; gives how many were found."""
    book, cursor = transaction.book, transaction.cursor
    sql, params = picture.valid(
        Scope(book, book.visible("all"), book.version), "o.observation_id IN (SELECT unnest($ids::VARCHAR[]))"
    )
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE found AS {sql} "
        "SELECT reading, said, monitoring_location_id AS site FROM valid",
        params | {"ids": list(observation_ids)},
    )
    for name in MIRRORED:
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE new_{name} AS FROM memory.{name} LIMIT 0")
    cursor.execute(
        "INSERT INTO temp.new_reviews SELECT $version, reading, $state FROM temp.found",
        {"version": transaction.version, "state": state},
    )
    cursor.execute("INSERT INTO lake.reviews FROM temp.new_reviews")
    cursor.execute("CREATE OR REPLACE TEMP TABLE touched AS SELECT DISTINCT site FROM temp.found")
    said = cursor.execute("SELECT said FROM temp.found").fetchall()
    after = _after(transaction)
    for topic in {book.batch(batch).topic for (batch,) in said}:
        picture.update(cursor, _scopes(after, topic, list(ledger.COUNTING), True), topic, after.version)
    return len(said)
