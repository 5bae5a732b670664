"""Uploads that nobody has submitted yet: kept so that a dropped connection or a closed tab costs nothing.

A draft is known by a secret id that stands in its link. Its folder is named by the id's hash, and only
the owner of the process may read it. Drafts are no part of the ledger and of no backup.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from situation.errors import StoreError
from store.disk import full_disk_told, private_file
from store.ledger import hashed

#: After so many days without a change a draft is thrown away.
KEPT_DAYS = 14

_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


@dataclass(frozen=True)
class Draft:
    """What was being uploaded: the file, and how far its sender had come."""

    id: str
    state: dict[str, Any]
    original: Path


def new_id() -> str:
    """Make the id of a new draft."""
    return secrets.token_urlsafe(18)


def save(folder: Path, draft_id: str, state: dict[str, Any], original: bytes | None = None) -> Draft:
    """Keep a draft, or a later state of it; without *original* the file stays as it is.

    Raises
    ------
    StoreError
        If the id could not have been given by :func:`new_id`, or a new draft comes without its file.
    """
    home = _home(folder, draft_id)
    if original is None and not (home / "original").exists():
        raise StoreError("This draft is not there any more; drop the file again.")
    with full_disk_told("the draft"):
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if original is not None:
            _write(home / "original", original)
        _write(home / "state.json", json.dumps(state, ensure_ascii=False).encode())
    return Draft(draft_id, state, home / "original")


def _write(path: Path, text: bytes) -> None:
    with private_file(path) as handle, open(handle, "wb", closefd=False) as file:
        file.write(text)


def find(folder: Path, draft_id: str) -> Draft | None:
    """Give a draft by its id; None if it was never there, was submitted, or has grown too old."""
    if not _ID.fullmatch(draft_id):
        return None
    home = _home(folder, draft_id)
    try:
        state = json.loads((home / "state.json").read_bytes())
    except (OSError, ValueError):
        return None
    return Draft(draft_id, state, home / "original") if (home / "original").exists() else None


def drop(folder: Path, draft_id: str) -> None:
    """Throw a draft away."""
    shutil.rmtree(_home(folder, draft_id), ignore_errors=True)


def tidy(folder: Path, days: float = KEPT_DAYS) -> int:
    """Throw away drafts that nobody changed for *days*; gives how many."""
    oldest = time.time() - days * 86_400
    old = [home for home in folder.glob("*") if home.is_dir() and home.stat().st_mtime < oldest]
    for home in old:
        shutil.rmtree(home, ignore_errors=True)
    return len(old)


def _home(folder: Path, draft_id: str) -> Path:
    if not _ID.fullmatch(draft_id):
        raise StoreError("This is not the id of a draft.")
    return folder / hashed(draft_id)[:40]
