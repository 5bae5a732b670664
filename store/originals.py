"""The files as they came: the truth that everything else can be made from again.

Kept under the SHA-256 of their bytes, readable by their owner alone, never served: they may name persons.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from situation.errors import StoreError
from store.disk import fsync_folder, private_file

_CHUNK = 1 << 20


def sha256(original: bytes | Path) -> str:
    """Hash an original; 64 hexadecimal digits."""
    if isinstance(original, bytes):
        return hashlib.sha256(original).hexdigest()
    with original.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def path_of(folder: Path, digest: str) -> Path:
    """Say where the original of a hash is kept."""
    return folder / digest[:2] / digest


def keep(folder: Path, original: bytes | Path, digest: str) -> bool:
    """Have an original on the disk; tells whether it was new."""
    path = path_of(folder, digest)
    if path.exists():
        return False
    with private_file(path) as handle:
        written = _copy(original, handle)
        if written != digest:
            raise StoreError("The file changed while it was read; add it again once it is complete.")
    fsync_folder(folder)
    return True


def _copy(original: bytes | Path, handle: int) -> str:
    digest = hashlib.sha256()
    if isinstance(original, bytes):
        _write(handle, original, digest)
        return digest.hexdigest()
    with original.open("rb") as file:
        while chunk := file.read(_CHUNK):
            _write(handle, chunk, digest)
    return digest.hexdigest()


def _write(handle: int, chunk: bytes, digest: hashlib._Hash) -> None:
    digest.update(chunk)
    view = memoryview(chunk)
    while view:
        view = view[os.write(handle, view) :]


def erase(folder: Path, digest: str) -> None:
    """Remove an original."""
    path = path_of(folder, digest)
    path.unlink(missing_ok=True)
    if path.parent.exists():
        fsync_folder(path.parent)
