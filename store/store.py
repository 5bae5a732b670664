"""The store: readings kept, with the ledger of how they came.

One object serves all threads of a process. Everything that writes goes through :meth:`Store._write`;
everything that reads names the data version it is true for.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
import pyarrow.parquet

from situation.errors import NotAllowed, StoreError
from situation.observation import REVIEW_STATES
from store import arrive, disk, guard, ledger, originals, picture
from store.engine import Engine
from store.journal import Journal
from store.ledger import Batch, Book, Event
from store.picture import Scope
from store.readings import Readings
from store.tables import SHIFT
from store.url import Place, parse


@dataclass(frozen=True)
class Receipt:
    """What the sender of a batch holds in hand; the tokens are told here once, the store keeps hashes.

    ``already`` says that the same bytes from the same source stand as ``batch``; no tokens then.
    """

    batch: int
    data_version: int
    already: bool
    added: int
    unchanged: int
    corrected: int
    quarantined: int
    state: str
    undo_token: str | None
    view_token: str | None
    sha256: str


def open_store(url: str, *, create: bool = True) -> Store:
    """Open the store at an address, setting it up if there is none.

    Raises
    ------
    StoreError
        If the address names no engine, there is no store and *create* is false, the tables are missing
        though the ledger has events, or another program has a plain DuckDB file open.
    """
    place = parse(url)
    if not create and not place.catalog.exists():
        raise StoreError(f"There is no store in {place.home}.")
    if not place.catalog.exists() and place.journal.exists() and place.journal.stat().st_size:
        raise StoreError(
            f"{place.home} has a ledger but no tables; run `rebuild` to make them from the originals, "
            "or `restore` a backup."
        )
    return Store(place)


@lru_cache(maxsize=32)
def shared(url: str) -> Store:
    """Open the store at an address once per process."""
    return open_store(url)


class Store(Readings):
    """Readings of one home folder; see :func:`open_store`."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._journal = Journal(place.journal)
        self._lock = threading.RLock()
        if not place.catalog.exists():
            self._set_up()
        self._engine = Engine(place)
        if not self._engine.has_tables():
            with guard.writer_lock(place):
                self._engine.create_tables()
        self._book = Book()
        self._stamp: tuple[int, int, int] | None = None
        self._refresh()

    def _set_up(self) -> None:
        with guard.writer_lock(self.place):
            engine = Engine(self.place)
            engine.create_tables()
            engine.close()

    @property
    def url(self) -> str:
        """The store's address."""
        return self.place.url

    @property
    def home(self) -> Path:
        """The store's folder."""
        return self.place.home

    def close(self) -> None:
        """Let go of the engine; the object is of no use afterwards."""
        self._engine.close()

    # what holds

    def version(self) -> int:
        """Give the number of the newest event, in microseconds: the key for everything cached."""
        if self._journal.stamp() != self._stamp:
            self._refresh()
        return self._book.version

    def book(self) -> Book:
        """Give what the ledger adds up to now."""
        self.version()
        return self._book

    def _refresh(self) -> None:
        with self._lock:
            # The stamp is taken first: what comes while we read is then read the next time.
            stamp = self._journal.stamp()
            after = self._book.version
            cursor = self._engine.cursor()
            events = self._events(after)
            if events:
                book = self._book.then(events)
                batches = {"after": after}
                book.repeating |= frozenset(
                    cursor.execute(
                        f"SELECT DISTINCT batch, first >> {SHIFT} FROM lake.repeats WHERE batch > $after",
                        batches,
                    ).fetchall()
                )
                book.correcting |= frozenset(
                    batch
                    for (batch,) in cursor.execute(
                        "SELECT DISTINCT batch FROM lake.corrections WHERE batch > $after", batches
                    ).fetchall()
                )
                self._book = book
            self._stamp = stamp

    def _events(self, after: int) -> list[Event]:
        found = self._engine.cursor().execute(
            "SELECT event FROM lake.ledger WHERE data_version > ? ORDER BY data_version", [after]
        )
        return [json.loads(event) for (event,) in found.fetchall()]

    # what changes

    @contextmanager
    def _write(self, who: str | None, message: str) -> Iterator[guard.Transaction]:
        with guard.writer_lock(self.place):
            guard.reconcile(self.place, self._journal, self._engine.version, self._events)
            with guard.writing(self._engine, self._journal, self._fresh_book, who, message) as transaction:
                yield transaction
        self.version()

    def _fresh_book(self) -> Book:
        self._refresh()
        return self._book

    def add(
        self,
        original: bytes | Path,
        observations: arrive.Observations,
        *,
        filename: str,
        source_id: str,
        topic: str,
        rows_in: int,
        recipe: dict[str, Any] | None = None,
        contributor: str | None = None,
        quarantine: pyarrow.Table | Path | None = None,
        accept: bool = False,
        dataset_note: str | None = None,
        who: str | None = None,
    ) -> Receipt:
        """Keep a file and its observations as one batch.

        Parameters
        ----------
        original : bytes or Path
            The file as it came.
        observations : Table, RecordBatchReader or Path
            What was read from it: columns of :data:`situation.observation.ARROW`, or a Parquet file of them.
        filename, source_id, topic, contributor
            What it is called, who it is from (``upload:<contributor>`` or a connector), what it is about.
        rows_in : int
            Data rows of the file.
        recipe : dict
            How it was read, enough for ``rebuild`` to read it the same way.
        quarantine : Table or Path, optional
            Unusable cells, with whatever columns they have; or a Parquet file of them.
        accept : bool
            Whether it counts at once.

        Returns
        -------
        Receipt
            Given when file, observations and ledger are on the disk.

        Raises
        ------
        StoreFull
            If the disk is full; nothing of the batch is kept then.
        ObservationError
            If the observations do not have the declared columns.
        """
        digest = originals.sha256(original)
        undo, view = secrets.token_urlsafe(18), secrets.token_urlsafe(18)
        with arrive.staged(observations, self.place.spill) as batch, guard.writer_lock(self.place):
            standing = self._fresh_book().standing(digest, source_id)
            if standing is not None:
                return _already(standing, self._book.version)
            with self._write(who or contributor, f"{filename} ({topic})") as transaction:
                self._keep(transaction, original, digest)
                event = self._arrive(
                    transaction,
                    batch,
                    who=who or contributor,
                    topic=topic,
                    accepted=accept,
                    said={
                        "filename": filename,
                        "sha256": digest,
                        "source_id": source_id,
                        "contributor": contributor,
                        "rows_in": rows_in,
                        "quarantined": self._keep_quarantine(transaction, quarantine),
                        "dataset_note": dataset_note,
                        "recipe": recipe or {},
                        "undo_hash": ledger.hashed(undo),
                        "view_hash": ledger.hashed(view),
                    },
                )
        return Receipt(
            batch=event["data_version"],
            data_version=event["data_version"],
            already=False,
            added=event["added"],
            unchanged=event["unchanged"],
            corrected=event["corrected"],
            quarantined=event["quarantined"],
            state="accepted" if accept else "pending",
            undo_token=undo,
            view_token=view,
            sha256=digest,
        )

    def _keep(self, transaction: guard.Transaction, original: bytes | Path, digest: str) -> None:
        if originals.keep(self.place.originals, original, digest):
            transaction.undo.append(lambda: originals.erase(self.place.originals, digest))
        disk.reached("original kept")

    def _keep_quarantine(self, transaction: guard.Transaction, cells: pyarrow.Table | Path | None) -> int:
        if cells is None:
            return 0
        path = self._quarantine_path(transaction.version)
        with disk.private_file(path) as handle, open(handle, "wb", closefd=False) as file:
            if isinstance(cells, Path):
                file.write(cells.read_bytes())
            else:
                pyarrow.parquet.write_table(cells, file, compression="zstd")
        transaction.undo.append(lambda: path.unlink(missing_ok=True))
        return int(pyarrow.parquet.read_metadata(path).num_rows)

    def _arrive(
        self,
        transaction: guard.Transaction,
        batch: arrive.Staged,
        *,
        who: str | None,
        topic: str,
        accepted: bool,
        said: dict[str, Any],
    ) -> Event:
        number, book, cursor = transaction.version, transaction.book, transaction.cursor
        before = Scope(book, book.visible("all"), book.version)
        counts = arrive.insert(cursor, batch, number, before)
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
            **said,
        )
        self._redraw(transaction, number)
        return event

    def _redraw(self, transaction: guard.Transaction, number: int) -> None:
        """Bring ``latest`` up to date for the sites that a batch touches, as of the event recorded."""
        assert transaction.event is not None
        cursor = transaction.cursor
        book = transaction.book.then([transaction.event])
        book.repeating = frozenset(
            cursor.execute(f"SELECT DISTINCT batch, first >> {SHIFT} FROM lake.repeats").fetchall()
        )
        book.correcting = frozenset(
            b for (b,) in cursor.execute("SELECT DISTINCT batch FROM lake.corrections").fetchall()
        )
        topic = book.batch(number).topic
        picture.touch(cursor, number)
        for review in ledger.COUNTING:
            if (
                transaction.event["kind"] in _LEAVES_ACCEPTED
                and review == "accepted"
                and not book.batch(number).state_at(None) == "accepted"
            ):
                continue
            scope = Scope(book, book.visible(review, topic=topic), book.version, review)
            picture.update(cursor, scope, topic, book.version)
        disk.reached("picture drawn")

    def accept(self, batch: int, who: str, reason: str | None = None) -> Batch:
        """Let a pending batch count from now on."""
        return self._move(batch, "accepted", ("pending",), who, reason)

    def withdraw(
        self,
        batch: int,
        who: str,
        reason: str | None = None,
        token: str | None = None,
        operator: bool = False,
    ) -> Batch:
        """Let a batch count no longer; it stays readable as of earlier versions. Not reversible: add again.

        Raises
        ------
        NotAllowed
            If *token* is not the receipt's undo token and *operator* is false.
        """
        if not operator and not self.book().batch(batch).undone_by(token):
            raise NotAllowed(f"This is not the undo token of batch {batch}; it stands on the receipt.")
        return self._move(batch, "withdrawn", ("pending", "accepted"), who, reason)

    def purge(self, batch: int, who: str, reason: str | None = None) -> Batch:
        """Erase a batch: its original, its quarantine and its observations, at every version.

        A tombstone stays in the ledger. What another batch says too stays, as that batch's.
        """
        return self._move(batch, "purged", ("pending", "accepted", "withdrawn"), who, reason)

    def _move(self, number: int, state: str, before: Sequence[str], who: str, reason: str | None) -> Batch:
        with self._write(who, f"batch {number} {state}") as transaction:
            batch = transaction.book.batch(number)
            if batch.state == state:
                raise StoreError(f"Batch {number} is {state} already.")
            if batch.state not in before:
                raise StoreError(
                    f"Batch {number} is {batch.state}; only {' or '.join(before)} can be {state}."
                )
            transaction.record(state, who, batch=number, reason=reason)
            self._redraw(transaction, number)
            if state == "purged":
                self._erase(transaction, batch)
        return self.batch(number)

    def _erase(self, transaction: guard.Transaction, batch: Batch) -> None:
        last = [
            b for b in transaction.book.batches.values() if b.sha256 == batch.sha256 and b.state != "purged"
        ]
        if len(last) == 1:
            transaction.after.append(lambda: originals.erase(self.place.originals, batch.sha256))
        transaction.after.append(lambda: self._quarantine_path(batch.batch).unlink(missing_ok=True))

    def review(self, observation_ids: Sequence[str], state: str, who: str, reason: str | None = None) -> int:
        """Say of readings that they are verified or rejected, or (pending) take that back.

        It holds for the versions that stand now; a later correction is to be reviewed again.

        Returns
        -------
        count : int
            How many readings were found.
        """
        if state not in REVIEW_STATES:
            raise StoreError(f"A reading cannot be {state!r}, only {', '.join(REVIEW_STATES)}.")
        with self._write(who, f"{len(observation_ids)} readings {state}") as transaction:
            transaction.record(
                "reviewed", who, observation_ids=list(observation_ids), state=state, reason=reason
            )
            return self._review(transaction, observation_ids, state)

    def _review(self, transaction: guard.Transaction, ids: Sequence[str], state: str) -> int:
        book, cursor = transaction.book, transaction.cursor
        scope = Scope(book, book.visible("all"), book.version)
        sql, params = picture.valid(scope, "o.observation_id IN (SELECT unnest($ids::VARCHAR[]))")
        cursor.execute(
            f"CREATE OR REPLACE TEMP TABLE found AS {sql} SELECT reading, said, monitoring_location_id AS site "
            "FROM valid",
            params | {"ids": list(ids)},
        )
        cursor.execute(
            "INSERT INTO lake.reviews SELECT $version, reading, $state FROM temp.found",
            {"version": transaction.version, "state": state},
        )
        cursor.execute("CREATE OR REPLACE TEMP TABLE touched AS SELECT DISTINCT site FROM temp.found")
        said = cursor.execute("SELECT said FROM temp.found").fetchall()
        assert transaction.event is not None
        after = book.then([transaction.event])
        for topic in {book.batch(batch).topic for (batch,) in said}:
            for review in ledger.COUNTING:
                scope = Scope(after, after.visible(review, topic=topic), after.version, review)
                picture.update(cursor, scope, topic, after.version)
        return len(said)

    def link_site(self, site_id: str, same_as: str, who: str) -> None:
        """Show the readings of one site under another, the same place; reversible."""
        if same_as == site_id or self.book().site_links().get(same_as) == site_id:
            raise StoreError(f"{site_id} and {same_as} are one site already.")
        with self._write(who, f"{site_id} is {same_as}") as transaction:
            transaction.record("linked", who, site=site_id, same_as=same_as)

    def unlink_site(self, site_id: str, who: str) -> None:
        """Show the readings of a site under its own name again."""
        if site_id not in self.book().site_links():
            raise StoreError(f"{site_id} is not linked to another site.")
        with self._write(who, f"{site_id} is itself") as transaction:
            transaction.record("unlinked", who, site=site_id)

    def set_simulated(self, who: str | None = None) -> None:
        """Say once and for all that nothing in this store was measured."""
        if not self.book().simulated:
            with self._write(who, "simulated") as transaction:
                transaction.record("simulated", who)


_LEAVES_ACCEPTED = ("received",)

_Hook = Callable[[], None]


def _already(batch: Batch, version: int) -> Receipt:
    return Receipt(
        batch=batch.batch,
        data_version=version,
        already=True,
        added=0,
        unchanged=batch.rows,
        corrected=0,
        quarantined=batch.quarantined,
        state=batch.state,
        undo_token=None,
        view_token=None,
        sha256=batch.sha256,
    )
