"""What keeps a store quick and tidy; cheap, and always under the writer lock.

* Small batches, kept in the catalogue at first, are written to Parquet; small neighbouring files become
  one. Files are never rewritten otherwise, and what the ledger cites never expires.
* Of ``latest`` the lines that later ones replaced are dropped once they outnumber the others.
* Drafts nobody came back for, and what a crash left half-written, is removed.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from store import drafts, originals
from store.guard import Transaction
from store.url import Place

#: How many events lie between two rounds.
EVERY = 64

#: Superseded lines per line that holds, before ``latest`` is made compact.
SLACK = 3

_DAY_S = 86_400


def flush(transaction: Transaction) -> None:
    """Write out what the catalogue keeps of small batches."""
    transaction.cursor.execute("CALL ducklake_flush_inlined_data('lake')")


def merge(transaction: Transaction) -> None:
    """Make one file of small neighbours."""
    transaction.cursor.execute("CALL ducklake_merge_adjacent_files('lake')")


def is_slack(transaction: Transaction) -> bool:
    """Tell whether most lines of ``latest`` are superseded."""
    row = transaction.cursor.execute(
        "SELECT count(*), count(DISTINCT (topic, review, series)) FROM lake.latest"
    ).fetchone()
    return row is not None and row[0] > (SLACK + 1) * row[1]


def compact(transaction: Transaction) -> None:
    """Drop the lines of ``latest`` that later ones replaced."""
    cursor = transaction.cursor
    cursor.execute(
        "CREATE TABLE lake.latest_compact AS FROM lake.latest "
        "QUALIFY data_version = max(data_version) OVER (PARTITION BY topic, review, series) "
        "ORDER BY topic, review, monitoring_location_id"
    )
    cursor.execute("DELETE FROM lake.latest_compact WHERE reading IS NULL")
    cursor.execute("DROP TABLE lake.latest")
    cursor.execute("ALTER TABLE lake.latest_compact RENAME TO latest")


def sweep(place: Place, kept: set[str]) -> None:
    """Remove old drafts, half-written files, and originals that no event tells of.

    Parameters
    ----------
    place : Place
        The store.
    kept : set of str
        SHA-256 of the originals that batches refer to.
    """
    drafts.tidy(place.drafts)
    old = time.time() - _DAY_S
    for path in [*place.spill.glob("arriving-*"), *place.originals.rglob("*.part")]:
        _remove_if(path, old)
    for path in place.originals.glob("??/*"):
        if path.name not in kept and path.suffix != ".part" and path.stat().st_mtime < old:
            originals.erase(place.originals, path.name)


def _remove_if(path: Path, old: float) -> None:
    with contextlib.suppress(OSError):
        if path.stat().st_mtime < old:
            path.unlink()
