"""Is everything there, and does it fit together? Sentences about what does not."""

from __future__ import annotations

import json
from collections.abc import Iterator

import duckdb

from store import journal, ledger, originals, picture
from store.ledger import Book
from store.picture import Scope
from store.url import Place


def problems(place: Place, cursor: duckdb.DuckDBPyConnection, book: Book) -> Iterator[str]:
    """Compare tables, ledger, originals and picture; yields a sentence for whatever does not agree."""
    yield from _ledger(place, cursor, book)
    yield from _originals(place, book)
    yield from _rows(cursor, book)
    yield from _picture(cursor, book)


def _ledger(place: Place, cursor: duckdb.DuckDBPyConnection, book: Book) -> Iterator[str]:
    lines = {event["data_version"]: event for event in journal.events(place.journal, upto=book.version)}
    rows = cursor.execute("SELECT data_version, event FROM lake.ledger").fetchall()
    stored = {int(number): json.loads(event) for number, event in rows}
    if len(stored) != len(rows):
        yield "The table of events has a number twice."
    for number in sorted(lines.keys() | stored.keys()):
        if lines.get(number) != stored.get(number):
            yield f"Event {number} is not the same in ledger.jsonl and in the tables."


def _originals(place: Place, book: Book) -> Iterator[str]:
    for batch in book.batches.values():
        path = originals.path_of(place.originals, batch.sha256)
        if batch.state == "purged":
            continue
        if not path.exists():
            yield f"The original of batch {batch.batch} ({batch.filename}) is missing."
        elif originals.sha256(path) != batch.sha256:
            yield f"The original of batch {batch.batch} ({batch.filename}) was changed."


def _rows(cursor: duckdb.DuckDBPyConnection, book: Book) -> Iterator[str]:
    found = dict(cursor.execute("SELECT batch, count(*) FROM lake.observations GROUP BY batch").fetchall())
    twice = cursor.execute("SELECT count(*) - count(DISTINCT reading) FROM lake.observations").fetchone()
    if twice and twice[0]:
        yield f"{twice[0]} rows of observations are stored twice."
    for batch in book.batches.values():
        expected = 0 if batch.state == "purged" else batch.added + batch.corrected
        if batch.state != "purged" and found.get(batch.batch, 0) != expected:
            yield (
                f"Batch {batch.batch} has {found.get(batch.batch, 0)} rows in the tables, and its event "
                f"says {expected}."
            )
    for number in found.keys() - book.batches.keys():
        yield f"{found[number]} rows belong to batch {number}, which the ledger does not have."


def _picture(cursor: duckdb.DuckDBPyConnection, book: Book) -> Iterator[str]:
    compared = "series, reading, batch, review_state, n, n_censored, first_time, last_time"
    for topic in sorted({batch.topic for batch in book.batches.values()}):
        for review in ledger.COUNTING:
            scope = Scope(book, book.visible(review, topic=topic), book.version, review)
            sql, params = picture.picture(scope)
            cursor.execute(f"CREATE OR REPLACE TEMP TABLE computed AS SELECT {compared} FROM ({sql})", params)
            cursor.execute(
                f"CREATE OR REPLACE TEMP TABLE kept AS SELECT {compared} FROM ({picture.current()}) "
                "WHERE reading IS NOT NULL",
                {"topic": topic, "review": review, "version": book.version},
            )
            row = cursor.execute(
                "SELECT count(*) FROM ((FROM computed EXCEPT ALL FROM kept) "
                "UNION ALL (FROM kept EXCEPT ALL FROM computed))"
            ).fetchone()
            if row and row[0]:
                yield f"The kept picture ({topic}, {review}) differs in {row[0]} lines from the readings."
