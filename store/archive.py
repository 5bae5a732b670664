"""One archive that holds a store whole, and the way back.

The archive is a zip file: ``manifest.json`` with the SHA-256 of every other member, the catalogue, the
data files, the ledger, quarantines and originals. It is made under the writer lock, so that all of them
are of one moment; readers go on. It holds what the originals hold, so it is for its owner alone.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import IO

from situation.errors import StoreError
from store.disk import fsync_all, full_disk_told, private_file
from store.engine import Engine
from store.url import Place

_CHUNK = 1 << 20
_MANIFEST = "manifest.json"
_FORMAT = 1
#: What became of every fetch: goes with the readings, since it says from where the next collection goes on.
FETCHES = "fetches.jsonl"


def backup(engine: Engine, path: Path) -> Path:
    """Write the archive; the caller holds the writer lock.

    Raises
    ------
    StoreFull
        If it does not fit on the disk.
    """
    place = engine.place
    catalog = _settled_catalog(engine)
    try:
        with (
            full_disk_told(f"the backup {path.name}"),
            private_file(path) as handle,
            open(handle, "wb", closefd=False) as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        ):
            digests = {name: _put(archive, name, source) for name, source in _members(place, catalog)}
            manifest = {"format": _FORMAT, "engine": place.engine, "sha256": digests}
            archive.writestr(_MANIFEST, json.dumps(manifest, indent=1))
    finally:
        if catalog != place.catalog:
            catalog.unlink(missing_ok=True)
    return path


def _settled_catalog(engine: Engine) -> Path:
    place = engine.place
    if place.engine == "duckdb":
        engine.cursor().execute("CHECKPOINT lake")
        return place.catalog
    # SQLite's own copy takes what still stands in its write-ahead log along.
    copy = place.spill / "catalog-copy.sqlite"
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(place.catalog)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def _members(place: Place, catalog: Path) -> Iterator[tuple[str, Path]]:
    yield place.catalog.name, catalog
    if place.journal.exists():
        yield place.journal.name, place.journal
    if (fetches := place.home / FETCHES).exists():
        yield FETCHES, fetches
    for folder in (place.data, place.originals, place.quarantine, place.home / "snapshots"):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix != ".part":
                yield path.relative_to(place.home).as_posix(), path


def _put(archive: zipfile.ZipFile, name: str, source: Path) -> str:
    member = zipfile.ZipInfo(name)
    member.compress_type = zipfile.ZIP_STORED if source.suffix == ".parquet" else zipfile.ZIP_DEFLATED
    with source.open("rb") as file, archive.open(member, "w", force_zip64=True) as target:
        return _copy(file, target)


def _copy(source: IO[bytes], target: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := source.read(_CHUNK):
        digest.update(chunk)
        target.write(chunk)
    return digest.hexdigest()


def restore(path: Path, place: Place) -> None:
    """Unpack an archive as the store at a place where there is none yet.

    Raises
    ------
    StoreError
        If the archive is damaged, is of another engine, or there is a store already.
    """
    if place.catalog.exists() or place.journal.exists():
        raise StoreError(f"There is a store in {place.home} already; restore into an empty folder.")
    passing = place.home.with_name(place.home.name + ".restoring")
    shutil.rmtree(passing, ignore_errors=True)
    try:
        with full_disk_told(f"the store from {path.name}"), zipfile.ZipFile(path) as archive:
            manifest = _manifest(archive, path, place)
            unpacked = [
                _unpack(archive, name, digest, passing) for name, digest in manifest["sha256"].items()
            ]
            fsync_all(unpacked)
        if place.home.exists():
            _move_into(passing, place.home)
        else:
            passing.replace(place.home)
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as wrong:
        raise StoreError(f"{path} is not a complete backup of a store: {wrong}") from wrong
    finally:
        shutil.rmtree(passing, ignore_errors=True)


def _manifest(archive: zipfile.ZipFile, path: Path, place: Place) -> dict[str, dict[str, str]]:
    manifest: dict[str, dict[str, str]] = json.loads(archive.read(_MANIFEST))
    engine = str(manifest["engine"])
    if engine != place.engine:
        raise StoreError(
            f"{path} is a backup of a store of the engine {engine}, and {place.url} names another; "
            "restore it at an address of the same engine."
        )
    return manifest


def _unpack(archive: zipfile.ZipFile, name: str, digest: str, home: Path) -> Path:
    inside = PurePosixPath(name)
    if inside.is_absolute() or ".." in inside.parts or ":" in name or "\\" in name:
        raise ValueError(f"the name {name!r} leads out of the store")
    target = home.joinpath(*inside.parts)
    with private_file(target) as handle, open(handle, "wb", closefd=False) as file:
        with archive.open(name) as source:
            found = _copy(source, file)
        if found != digest:
            raise ValueError(f"{name} has changed since it was written")
    return target


def _move_into(source: Path, home: Path) -> None:
    # What stands here tells of fetches whose readings the archive may not hold; they would never be asked again.
    if (left := home / FETCHES).exists():
        left.replace(home / f"{FETCHES}.before")
    # The catalogue goes last: without it there is no store yet.
    for path in sorted(source.iterdir(), key=lambda path: path.suffix in (".sqlite", ".duckdb")):
        path.replace(home / path.name)
