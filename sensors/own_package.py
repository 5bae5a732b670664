"""Finds the readings inside a data package of ours, so that a package can be handed in as it is.

Only the one member ``readings.csv`` is read, by its exact name and as a stream: nothing is unpacked to the disk,
so a path inside the archive can lead nowhere. What it would unfold to is weighed first, as of a workbook.

What surprised us: an archive may hold two members of one name, and may say of each that it is small; the first
is refused here, and of the second no more is read than it said.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

from sensors import workbook
from sensors.encoding import CHUNK, Snapshot
from situation.errors import FieldFileError, FileTooLarge
from situation.settings import Settings

READINGS, DESCRIPTION, CHECKSUMS = "readings.csv", "datapackage.json", "CHECKSUMS"
RATIO = 400  # unfolded : packed, beyond 50 MB; readings of a logger that hardly change have 100
_LINE = re.compile(r"^([0-9a-f]{64})  readings\.csv$", re.M)
_MOST_CHECKSUMS = 1 << 16


@dataclass(frozen=True)
class Member(Snapshot):
    """A member of an archive, as it was when the archive was opened; ``size`` is that of the member."""

    packed: Snapshot | None = None
    member: str = READINGS

    @property
    def stored(self) -> int:
        """Bytes that the file itself had when it was opened."""
        return self.packed.size if self.packed else self.size

    def chunks(self, length: int = CHUNK) -> Iterator[bytes]:
        """Yield the bytes of the member in order.

        Raises
        ------
        FieldFileError
            If the archive is damaged.
        """
        assert self.packed is not None
        try:
            with (
                zipfile.ZipFile(workbook.stream_of(self.packed)) as archive,
                archive.open(self.member) as part,
            ):
                while chunk := part.read(length):
                    yield chunk
        except (
            zipfile.BadZipFile,
            OSError,
            ValueError,
            EOFError,
            RuntimeError,
            NotImplementedError,
        ) as wrong:
            raise FieldFileError(
                f"{self.name} is a damaged package ({wrong}); copy or export it again."
            ) from wrong


def readings_of(shot: Snapshot, settings: Settings) -> Member | None:
    """Find the readings of a data package of ours.

    Returns
    -------
    Member or None
        None for a file that is no such package.

    Raises
    ------
    FieldFileError
        If the package is damaged, locked, or holds the readings twice.
    FileTooLarge
        If it would unfold to more than this installation takes.
    """
    if not shot.head(4).startswith(b"PK\x03\x04"):
        return None
    members = workbook.members_of(shot)
    names = [member.filename for member in members]
    if READINGS not in names or DESCRIPTION not in names:
        return None
    if names.count(READINGS) > 1:
        raise FieldFileError(f"{shot.name} holds {READINGS} twice; export the package again.")
    found = members[names.index(READINGS)]
    if found.flag_bits & 1 or found.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FieldFileError(
            f"{shot.name} is locked or packed in a way of its own; export the package again."
        )
    _weigh(shot, found.file_size, settings)
    return Member(shot.path, found.file_size, None, shot)


def _weigh(shot: Snapshot, size: int, settings: Settings) -> None:
    most = max(100, 20 * settings.max_upload_mb) * 1_000_000
    if size == 0:
        raise FieldFileError(f"{shot.name} holds no reading: its {READINGS} is empty.")
    if size > most or (size > 50_000_000 and size > RATIO * shot.size):
        raise FileTooLarge(
            f"{shot.name} would unfold from {shot.size / 1e6:,.1f} to {size / 1e6:,.0f} MB, which no package of "
            f"readings does (up to {most / 1e6:,.0f} MB here); hand in its {READINGS} in parts."
        )


def promised(shot: Member) -> str | None:
    """Give the SHA-256 that the package's own list says of its readings; None where it says none."""
    assert shot.packed is not None
    with zipfile.ZipFile(workbook.stream_of(shot.packed)) as archive:
        if CHECKSUMS not in archive.namelist():
            return None
        try:
            with archive.open(CHECKSUMS) as part:
                found = _LINE.search(part.read(_MOST_CHECKSUMS).decode("utf-8", "replace"))
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError):
            return None
    return found[1] if found else None
