"""What is written stays written: fsync of files and folders, files that only their owner reads."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from situation.errors import StoreFull

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL_WORDS = ("no space left", "disk is full", "disk full", "disk quota", "not enough space")


def reached(point: str) -> None:
    """Mark a point between two steps of a write; does nothing, tests stop the process here."""


def fsync_file(path: Path) -> None:
    """Have a file's bytes on the disk."""
    # Windows refuses to flush a handle that was opened for reading only.
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def fsync_folder(path: Path) -> None:
    """Have a folder's names on the disk; Windows has no such call and needs none."""
    if os.name != "nt":
        fsync_file(path)


def fsync_all(paths: Iterable[Path]) -> None:
    """Have new files and the folders that name them on the disk."""
    files = list(paths)
    for path in files:
        fsync_file(path)
    for folder in {path.parent for path in files} | {path.parent.parent for path in files}:
        fsync_folder(folder)


def is_full(wrong: BaseException) -> bool:
    """Tell whether an error, of the system or the engine, says that the disk is full."""
    if isinstance(wrong, OSError) and wrong.errno in _FULL:
        return True
    return any(words in str(wrong).lower() for words in _FULL_WORDS)


@contextlib.contextmanager
def full_disk_told(what: str) -> Iterator[None]:
    """Turn a full disk into a sentence."""
    try:
        yield
    except StoreFull:
        raise
    except Exception as wrong:
        if is_full(wrong):
            raise StoreFull(
                f"The disk is full: {what} was not kept, and nothing kept before was touched; "
                "make room and try again."
            ) from wrong
        raise


@contextlib.contextmanager
def private_file(path: Path) -> Iterator[int]:
    """Write a file under a passing name, for its owner alone; at the end it stands complete or not at all.

    Yields
    ------
    handle : int
        An open file descriptor.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    passing = path.with_name(path.name + ".part")
    handle = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    try:
        try:
            yield handle
            os.fsync(handle)
        finally:
            os.close(handle)
        passing.replace(path)
    except BaseException:
        passing.unlink(missing_ok=True)
        raise
    fsync_folder(path.parent)
