"""The ledger: what happened to the readings, one event after another, never changed.

Every kind of event takes the next number of one counter, the *data version*; a batch bears the number
of the event that received it. What holds at a version is a fold over the events up to it, so ``as_of``
is the same on every engine. One exception, on purpose: a purged batch is gone at *every* version, earlier
ones too, since it was purged so that nobody reads it any more; its event stays as a tombstone.

========== =====================================================================================
kind       what it says
========== =====================================================================================
received   a batch arrived: its file, hash, source, topic, counts, how it was read, hashed tokens
accepted   a pending batch counts from now on
withdrawn  a batch counts no longer
purged     a batch was erased, original and all
reviewed   readings were verified or rejected, or the review was taken back (pending)
linked     two sites are one place; readings of the first show under the second
unlinked   they are not
simulated  nothing in this store was measured
========== =====================================================================================
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from situation.errors import NoSuchBatch

Event = dict[str, Any]

STATES = ("pending", "accepted", "withdrawn", "purged")

#: The states whose readings count, by the kind of picture that is asked for.
COUNTING = {"accepted": ("accepted",), "all": ("accepted", "pending")}


@dataclass(frozen=True)
class Batch:
    """One upload or fetch, as the ledger knows it.

    ``rows`` are observations; ``rows_in`` are lines of the file. ``history`` holds (data version, state);
    ``accepted_at`` is when it began to count.
    """

    batch: int
    filename: str
    sha256: str
    source_id: str
    contributor: str | None
    topic: str
    received_at: str
    rows_in: int
    rows: int
    added: int
    unchanged: int
    corrected: int
    quarantined: int
    state: str
    who: str | None = None
    reason: str | None = None
    dataset_note: str | None = None
    recipe: Mapping[str, Any] = field(default_factory=dict, repr=False)
    undo_hash: str | None = field(default=None, repr=False)
    view_hash: str | None = field(default=None, repr=False)
    accepted_at: str | None = None
    history: tuple[tuple[int, str], ...] = ()

    def state_at(self, version: int | None) -> str | None:
        """Give the state at a data version; None before the batch was received."""
        if version is None or self.state == "purged":
            return self.state
        states = [state for since, state in self.history if since <= version]
        return states[-1] if states else None

    def undone_by(self, token: str | None) -> bool:
        """Tell whether *token* is the receipt's undo token."""
        return _fits(token, self.undo_hash)

    def shown_to(self, token: str | None) -> bool:
        """Tell whether *token* (to view, or to undo) shows this batch while it is pending."""
        return _fits(token, self.view_hash) or self.undone_by(token)


def hashed(token: str) -> str:
    """Hash a token; only this is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def _fits(token: str | None, kept: str | None) -> bool:
    return bool(token and kept) and hmac.compare_digest(hashed(str(token)), str(kept))


_BATCH_FIELDS = tuple(name for name in Batch.__dataclass_fields__ if name not in ("state", "history", "who"))


class Book:
    """What the events up to some version add up to; :meth:`then` gives the next one."""

    def __init__(self) -> None:
        self.version = 0
        #: when the newest event was, UTC; None before the first
        self.at: str | None = None
        self.batches: dict[int, Batch] = {}
        self.links: tuple[tuple[int, str, str | None], ...] = ()
        self.reviewed = False
        self.simulated = False
        #: (a batch that says rows again, the batch that they stand in); from the tables
        self.repeating: frozenset[tuple[int, int]] = frozenset()
        #: batches that correct rows of others; from the tables
        self.correcting: frozenset[int] = frozenset()

    def then(self, events: Iterable[Event]) -> Book:
        """Give the book after more events; this one stays as it is."""
        after = Book()
        after.__dict__.update(self.__dict__, batches=dict(self.batches))
        for event in events:
            _FOLD[event["kind"]](after, event)
            after.version, after.at = int(event["data_version"]), event["at"]
        return after

    def batch(self, number: int) -> Batch:
        """Give a batch by its number.

        Raises
        ------
        NoSuchBatch
            If the ledger has none of that number.
        """
        try:
            return self.batches[number]
        except KeyError:
            raise NoSuchBatch(f"The ledger has no batch {number}; `history` lists those it has.") from None

    def visible(self, review: str, *, topic: str | None = None, as_of: int | None = None) -> list[int]:
        """List the batches that count in a picture, oldest first."""
        states = COUNTING[review]
        return [
            batch.batch
            for batch in self.batches.values()
            if batch.state_at(as_of) in states and topic in (None, batch.topic)
        ]

    def standing(self, sha256: str, source_id: str) -> Batch | None:
        """Find the batch, neither withdrawn nor purged, that brought the same bytes from the same source."""
        for batch in self.batches.values():
            same = batch.sha256 == sha256 and batch.source_id == source_id
            if same and batch.state in COUNTING["all"]:
                return batch
        return None

    def site_links(self, as_of: int | None = None) -> dict[str, str]:
        """Map each linked site to the one that its readings show under."""
        links: dict[str, str] = {}
        for version, site, same_as in self.links:
            if as_of is None or version <= as_of:
                links.pop(site, None)
                if same_as is not None:
                    links[site] = same_as
        return {site: _end(site, links) for site in links}


def _end(site: str, links: Mapping[str, str]) -> str:
    seen = {site}
    while site in links and links[site] not in seen:
        site = links[site]
        seen.add(site)
    return site


def _received(book: Book, event: Event) -> None:
    known = {name: event[name] for name in _BATCH_FIELDS if name in event}
    state = "accepted" if event.get("accepted") else "pending"
    number = int(event["data_version"])
    known.update(
        batch=number, received_at=event["at"], accepted_at=event["at"] if state == "accepted" else None
    )
    book.batches[number] = Batch(**known, state=state, who=event.get("who"), history=((number, state),))


def _moved(book: Book, event: Event) -> None:
    before = book.batches[int(event["batch"])]
    state = str(event["kind"])
    book.batches[before.batch] = replace(
        before,
        state=state,
        who=event.get("who"),
        reason=event.get("reason"),
        accepted_at=event["at"] if state == "accepted" else before.accepted_at,
        history=(*before.history, (int(event["data_version"]), state)),
    )


def _reviewed(book: Book, event: Event) -> None:
    book.reviewed = True


def _linked(book: Book, event: Event) -> None:
    book.links = (*book.links, (int(event["data_version"]), event["site"], event.get("same_as")))


def _simulated(book: Book, event: Event) -> None:
    book.simulated = True


_FOLD = {
    "received": _received,
    "accepted": _moved,
    "withdrawn": _moved,
    "purged": _moved,
    "reviewed": _reviewed,
    "linked": _linked,
    "unlinked": _linked,
    "simulated": _simulated,
}
