"""The operator's own raster map: one MBTiles or PMTiles file, dropped in, served tile by tile.

Set ``COMMONSIGHT_BASEMAP`` to the file. MBTiles is a SQLite database that counts rows from the south;
PMTiles is one file with a directory that counts from the north. Both are opened read-only.

What surprised us: SQLite happily opens a file that is no database and complains at the first question,
so the metadata are read when the file is opened.
"""

from __future__ import annotations

import gzip
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from situation.errors import SettingsError

_TYPES = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8", "image/jpeg"),
    (b"RIFF", "image/webp"),
    (b"\x00\x00\x00\x1cftypavif", "image/avif"),
)


def media_type(tile: bytes) -> str | None:
    """Tell what kind of picture a tile is; ``None`` for a vector tile, which this map cannot draw."""
    return next((media for start, media in _TYPES if tile.startswith(start)), None)


@dataclass
class MBTiles:
    """A raster map in a SQLite database, as the MBTiles 1.3 specification lays it out."""

    path: Path
    _local: threading.local = field(default_factory=threading.local, repr=False)

    def _ask(self, question: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        if not hasattr(self._local, "con"):
            self._local.con = sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        return list(self._local.con.execute(question, values))

    def about(self) -> Mapping[str, str]:
        """``name``, ``attribution``, ``maxzoom`` … as the file tells them."""
        return {str(name): str(value) for name, value in self._ask("SELECT name, value FROM metadata")}

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """One tile, rows counted from the north; ``None`` where the file has none."""
        rows = self._ask(
            "SELECT tile_data FROM tiles WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?",
            (z, x, 2**z - 1 - y),
        )
        return bytes(rows[0][0]) if rows else None


class PMTiles:
    """A raster map in one PMTiles (version 3) file."""

    def __init__(self, path: Path) -> None:
        try:
            reader: Any = import_module("pmtiles.reader")  # ships no types
        except ImportError as missing:
            raise SettingsError(
                "COMMONSIGHT_BASEMAP is a PMTiles file; reading it takes the package pmtiles "
                "(python -m pip install pmtiles)."
            ) from missing
        with path.open("rb") as file:  # the memory map outlives the file handle
            self._reader = reader.Reader(reader.MmapSource(file))
        self._header = self._reader.header()

    def about(self) -> Mapping[str, str]:
        """``name``, ``attribution``, ``maxzoom`` … as the file tells them."""
        told = {str(name): str(value) for name, value in self._reader.metadata().items()}
        return told | {"maxzoom": str(self._header["max_zoom"])}

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """One tile, rows counted from the north; ``None`` where the file has none."""
        found = self._reader.get(z, x, y)
        return None if found is None else bytes(found)


def read_tiles(path: Path) -> MBTiles | PMTiles:
    """Open a raster map.

    Raises
    ------
    SettingsError
        If the file is not there, or is neither MBTiles nor PMTiles with pictures.
    """
    if not path.is_file():
        raise SettingsError(f"COMMONSIGHT_BASEMAP names {path}, which is not a file.")
    with path.open("rb") as file:
        start = file.read(16)
    if start.startswith(b"PMTiles"):
        return PMTiles(path)
    if start.startswith(b"SQLite format 3"):
        map_ = MBTiles(path)
        try:
            map_.about()
        except sqlite3.Error as wrong:
            raise SettingsError(
                f"COMMONSIGHT_BASEMAP: {path.name} is not an MBTiles file: {wrong}."
            ) from wrong
        return map_
    raise SettingsError(f"COMMONSIGHT_BASEMAP: {path.name} is neither an MBTiles nor a PMTiles file.")


@lru_cache(maxsize=2)
def shared_tiles(path: Path) -> MBTiles | PMTiles:
    """Open a raster map once per process."""
    return read_tiles(path)


def unpacked(tile: bytes) -> bytes:
    """Take off the gzip compression that some writers put around pictures."""
    return gzip.decompress(tile) if tile.startswith(b"\x1f\x8b") else tile
