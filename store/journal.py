"""``ledger.jsonl``: the ledger's events beside the engine, so that no fault of the engine can lose one.

A write goes: event line appended and fsynced → COMMIT → mark ``{"done": n}`` appended. A receipt is given
after that. So whatever the moment of a crash, the next writer can tell what happened:

* event line without a mark, and the tables have it: it was committed; the mark is added.
* event line without a mark, and the tables lack it: nobody was told of it; ``{"void": n}`` is added,
  and the number is given to the next event.
* a mark, and the tables lack it: the engine lost something that was acknowledged. Nothing is written
  any more until ``rebuild`` has made the tables again.
* the tables have events that no line tells of (the file was lost): the lines are written again.

A line cut short by a crash is no event: COMMIT comes only after the whole line is on the disk.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from store.disk import fsync_folder
from store.ledger import Event


class Journal:
    """The file, and how far this process has read it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._torn = False
        self.done = 0
        self.written = 0
        self.open_event: Event | None = None

    def stamp(self) -> tuple[int, int, int]:
        """Give what changes with every event: a microsecond's work, and no engine."""
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return (0, 0, 0)
        return (stat.st_size, stat.st_mtime_ns, stat.st_ino)

    def catch_up(self) -> None:
        """Read what was written since the last time."""
        if self.stamp()[0] < self._offset:
            self.__init__(self.path)  # type: ignore[misc]  # the file was replaced by a shorter one
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._offset)
            text = file.read()
        whole, _, rest = text.rpartition(b"\n")
        self._torn = bool(rest)
        self._offset += len(text) - len(rest)
        for line in _lines(whole):
            self._take(line)

    def _take(self, line: Event) -> None:
        if "done" in line:
            self.done = max(self.done, int(line["done"]))
            self.open_event = None
        elif "void" in line:
            self.written = int(line["void"]) - 1
            self.open_event = None
        else:
            self.written = int(line["data_version"])
            self.open_event = line

    def append(self, line: Event) -> None:
        """Write one line and have it on the disk; the caller holds the writer lock and has caught up."""
        new = not self.path.exists()
        text = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            # After a line that a crash cut short, begin on a new one.
            _write_all(handle, b"\n" + text if self._torn else text)
            os.fsync(handle)
        finally:
            os.close(handle)
        if new:
            fsync_folder(self.path.parent)
        self.catch_up()

    def touch(self) -> None:
        """Let readers notice a change that no line tells of."""
        os.utime(self.path)


def _write_all(handle: int, text: bytes) -> None:
    while text:
        text = text[os.write(handle, text) :]


def _lines(text: bytes) -> Iterator[Event]:
    for line in text.split(b"\n"):
        try:
            event = json.loads(line) if line.strip() else None
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event


def events(path: Path, upto: int | None = None) -> Iterator[Event]:
    """Give the events that hold, in order, without those that were voided.

    Parameters
    ----------
    path : Path
        A ``ledger.jsonl``.
    upto : int, optional
        Number of the last event to believe without its mark; without it, only marked ones.
    """
    waiting: Event | None = None
    for line in _lines(path.read_bytes()) if path.exists() else ():
        if "void" in line:
            waiting = None
        elif "done" not in line:
            if waiting is not None:
                yield waiting
            waiting = line
        elif waiting is not None and waiting["data_version"] == line["done"]:
            yield waiting
            waiting = None
    if waiting is not None and upto is not None and waiting["data_version"] <= upto:
        yield waiting
