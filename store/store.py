"""The store: readings kept, with the ledger of how they came.

One object serves all threads of a process. Everything that writes goes through :meth:`Store._write`;
everything that reads names the data version it is true for.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from situation.errors import NotAllowed, StoreError
from situation.observation import REVIEW_STATES
from store import (
    archive,
    arrive,
    changes,
    check,
    disk,
    drafts,
    guard,
    ledger,
    originals,
    replay,
    snapshots,
    upkeep,
)
from store.drafts import Draft
from store.engine import Engine
from store.journal import Journal
from store.ledger import Batch, Book, Event
from store.readings import Readings
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


def rebuild(url: str, read: replay.Reader) -> replay.Rebuilt:
    """Make the tables of a store again (see :mod:`store.replay`), even if they are lost or damaged."""
    return replay.rebuild(parse(url), read)


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
        self._engine = Engine(place) if place.catalog.exists() else self._set_up()
        if not self._engine.has_tables():
            with guard.writer_lock(place):
                self._engine.create_tables()
        self._book = Book()
        self._stamp: tuple[int, int, int] | None = None
        self._refresh()

    def _set_up(self) -> Engine:
        with guard.writer_lock(self.place):
            engine = Engine(self.place)
            engine.create_tables()
        return engine

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
            if events := self._events(self._book.version):
                self._book = changes.catch_up(self._book, events, self._engine.cursor())
            self._stamp = stamp

    def _events(self, after: int) -> list[Event]:
        found = self._engine.cursor().execute(
            "SELECT event FROM lake.ledger WHERE data_version > ? ORDER BY data_version", [after]
        )
        return [json.loads(event) for (event,) in found.fetchall()]

    # upkeep

    def upkeep(self) -> None:
        """Keep the store quick and tidy (see :mod:`store.upkeep`); every so many events it does so itself."""
        with guard.writer_lock(self.place):
            guard.reconcile(self.place, self._journal, self._engine.version, self._events)
            steps = [upkeep.flush, upkeep.merge] if self.place.engine == "ducklake" else []
            for step in steps:
                with self._writing(None, step.__name__) as transaction:
                    step(transaction)
            with self._writing(None, "compact") as transaction:
                if upkeep.is_slack(transaction):
                    upkeep.compact(transaction)
            upkeep.sweep(self.place, {b.sha256 for b in self._book.batches.values() if b.state != "purged"})

    def verify(self) -> list[str]:
        """Compare tables, ledger, originals and picture; gives a sentence for whatever does not agree."""
        with guard.writer_lock(self.place):
            return list(check.problems(self.place, self._engine.cursor(), self.book()))

    def backup(self, path: Path) -> Path:
        """Write the whole store to one archive while nobody writes; readers go on."""
        with guard.writer_lock(self.place):
            guard.reconcile(self.place, self._journal, self._engine.version, self._events)
            return archive.backup(self._engine, Path(path))

    @classmethod
    def restore(cls, path: Path, url: str) -> Store:
        """Open the store that an archive holds, at an address where there is none yet."""
        archive.restore(Path(path), parse(url))
        return open_store(url)

    def rebuild(self, read: replay.Reader) -> replay.Rebuilt:
        """Make the tables again from the originals (see :mod:`store.replay`); stop other programs first."""
        with guard.writer_lock(self.place):
            self._engine.close()
            try:
                return replay.rebuild(self.place, read)
            finally:
                self._engine = Engine(self.place)
                self._book, self._stamp = Book(), None
                self._forget_pictures()
                self._refresh()

    # drafts

    def save_draft(self, draft_id: str | None, state: dict[str, Any], original: bytes | None = None) -> Draft:
        """Keep an upload that is not submitted yet; without an id it gets a new one."""
        return drafts.save(self.place.drafts, draft_id or drafts.new_id(), state, original)

    def draft(self, draft_id: str) -> Draft | None:
        """Give a draft by its id, None if there is none (any more)."""
        return drafts.find(self.place.drafts, draft_id)

    def drop_draft(self, draft_id: str) -> None:
        """Throw a draft away."""
        drafts.drop(self.place.drafts, draft_id)

    # snapshots

    def keep_snapshot(
        self, record: snapshots.Record, sites: pyarrow.Table, *, made_at: str, who: str | None = None
    ) -> str:
        """Keep what was published (see :mod:`store.snapshots`); gives its short id."""
        with guard.writer_lock(self.place):
            return snapshots.keep(self.place, record, sites, made_at, who)

    def snapshot(self, snapshot: str) -> tuple[snapshots.Record, pyarrow.Table]:
        """Give the record and the sites of a snapshot; NoSuchSnapshot if there is none."""
        return snapshots.find(self.place, snapshot)

    def published(self) -> list[snapshots.Record]:
        """List the records of the snapshots, newest first."""
        return snapshots.listed(self.place)

    def remove_snapshot(self, snapshot: str, reason: str | None, *, at: str) -> None:
        """Take a snapshot away; its link then says that it was."""
        with guard.writer_lock(self.place):
            snapshots.remove(self.place, snapshot, reason, at)

    # what changes

    def _writing(self, who: str | None, message: str) -> AbstractContextManager[guard.Transaction]:
        return guard.writing(self._engine, self._journal, self.book, who, message)

    @contextmanager
    def _write(self, who: str | None, message: str) -> Iterator[guard.Transaction]:
        with guard.writer_lock(self.place):
            guard.reconcile(self.place, self._journal, self._engine.version, self._events)
            with self._writing(who, message) as transaction:
                yield transaction
            self.version()
            if self._book.version % upkeep.EVERY == 0:
                self.upkeep()

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
            standing = self.book().standing(digest, source_id)
            if standing is not None:
                return _already(standing, self._book.version)
            with self._write(who or contributor, f"{filename} ({topic})") as transaction:
                self._keep(transaction, original, digest)
                event = changes.receive(
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
            changes.redraw(transaction, number)
            if state == "purged":
                changes.erase(transaction, number)
                self._erase(transaction, batch)
        return self.batch(number)

    def _erase(self, transaction: guard.Transaction, batch: Batch) -> None:
        last = [
            b for b in transaction.book.batches.values() if b.sha256 == batch.sha256 and b.state != "purged"
        ]
        if len(last) == 1:
            transaction.after.append(lambda: originals.erase(self.place.originals, batch.sha256))
        transaction.after.append(lambda: self._quarantine_path(batch.batch).unlink(missing_ok=True))
        transaction.after.append(lambda: snapshots.erase(self.place, batch.batch))

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
            return changes.review(transaction, observation_ids, state)

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
