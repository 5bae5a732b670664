"""Published snapshots: what was shown to the public, kept as it was shown, so that a link says the same next year.

A snapshot is two files in ``snapshots/`` of the store's home: ``ID.json``, its record, and ``ID.parquet``, its
sites. The ledger alone would not do: the same data version read by a newer program, or against a limit that was
edited since, may say something else. Only two things ever change a snapshot: a batch that is purged takes its
rows along, and the operator may take a snapshot away, which leaves a tombstone.

What surprised us: an id that counts up tells how many there are and invites to try the others; this one is made
from the content, so that the same picture asked for twice is one snapshot.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.compute as compute
import pyarrow.parquet

from situation.errors import NoSuchSnapshot
from store.disk import full_disk_told, private_file
from store.url import Place

Record = dict[str, Any]

_ID = re.compile(r"[a-z2-7]{10}")


def _folder(place: Place) -> Path:
    return place.home / "snapshots"


def id_of(record: Record, sites: pyarrow.Table) -> str:
    """Make the short id of a snapshot from all that it says: ten letters and digits, about 50 bits."""
    digest = hashlib.sha256(json.dumps(record, sort_keys=True, default=str).encode())
    for column in sites.columns:
        for value in column.to_pylist():
            digest.update(repr(value).encode())
    return base64.b32encode(digest.digest())[:10].decode().lower()


def keep(place: Place, record: Record, sites: pyarrow.Table, made_at: str, who: str | None) -> str:
    """Keep a snapshot; gives its id. The same content again is the same snapshot, made when and by whom it was."""
    found = id_of(record, sites)
    path = _folder(place) / f"{found}.json"
    if path.exists() and "removed" not in json.loads(path.read_text("utf-8")):
        return found
    with full_disk_told("the snapshot"):
        with private_file(path.with_suffix(".parquet")) as handle, open(handle, "wb", closefd=False) as file:
            pyarrow.parquet.write_table(sites, file, compression="zstd")
        _write(path, {"id": found, "made_at": made_at, "who": who, "rows": sites.num_rows, **record})
    return found


def _write(path: Path, record: Record) -> None:
    with private_file(path) as handle:
        os.write(handle, json.dumps(record, ensure_ascii=False, indent=1, default=str).encode())


def find(place: Place, snapshot: str) -> tuple[Record, pyarrow.Table]:
    """Give a snapshot's record and its sites.

    Raises
    ------
    NoSuchSnapshot
        If there is none of that id, or it was taken away.
    """
    record = _record(_folder(place) / f"{snapshot}.json") if _ID.fullmatch(snapshot) else None
    if record is None:
        raise NoSuchSnapshot(f"There is no snapshot {snapshot[:20]!r}; its id is ten letters and digits.")
    if "removed" in record:
        raise NoSuchSnapshot(
            f"The snapshot {snapshot} was taken away: {record['removed'] or 'no reason was given'}."
        )
    return record, pyarrow.parquet.read_table(_folder(place) / f"{snapshot}.parquet")


def _record(path: Path) -> Record | None:
    try:
        found: Record = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found


def listed(place: Place) -> list[Record]:
    """Give the records of all snapshots that were not taken away, the newest first."""
    found = (_record(path) for path in _folder(place).glob("*.json"))
    there = [record for record in found if record is not None and "removed" not in record]
    return sorted(there, key=lambda record: (record["made_at"], record["id"]), reverse=True)


def remove(place: Place, snapshot: str, reason: str | None, at: str) -> None:
    """Take a snapshot away; its link then says so."""
    find(place, snapshot)
    path = _folder(place) / f"{snapshot}.json"
    _write(path, {"id": snapshot, "removed": reason or "", "removed_at": at})
    path.with_suffix(".parquet").unlink(missing_ok=True)


def erase(place: Place, batch: int) -> None:
    """Take the rows of a purged batch out of every snapshot."""
    for path in _tables(place):
        sites = pyarrow.parquet.read_table(path)
        mine = compute.equal(sites["batch_id"].cast("string"), str(batch)).fill_null(False)
        if compute.any(mine).as_py():
            with private_file(path) as handle, open(handle, "wb", closefd=False) as file:
                kept = sites.filter(compute.invert(mine))
                pyarrow.parquet.write_table(kept, file, compression="zstd")
            _without_surface(path.with_suffix(".json"))


def _without_surface(path: Path) -> None:
    """Drop what was estimated from the erased rows too."""
    record = _record(path)
    if record is not None and record.pop("surface", None) is not None:
        _write(path, record)


def _tables(place: Place) -> Iterator[Path]:
    yield from sorted(_folder(place).glob("*.parquet"))
