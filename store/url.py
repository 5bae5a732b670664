"""Where a store is kept: the address that chooses the engine and the folder.

==========================  ============================================================
address                     what
==========================  ============================================================
``ducklake:sqlite:PATH``    the default: Parquet files and an SQLite catalogue; several
                            processes at once
``duckdb:PATH``             one DuckDB file; one process at a time
==========================  ============================================================

*PATH* is the store's home folder, whatever it is called, so that two stores never share one; the path of
the catalogue in it (``catalog.sqlite``, ``store.duckdb``) means the same. Never put the home on a network share: neither SQLite's nor our own lock can be trusted there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from situation.errors import StoreError

DUCKLAKE = "ducklake:sqlite:"
DUCKDB = "duckdb:"
_CATALOGS = {"ducklake": "catalog.sqlite", "duckdb": "store.duckdb"}


@dataclass(frozen=True)
class Place:
    """An engine and a home folder, and the files in it."""

    engine: str
    home: Path

    @property
    def catalog(self) -> Path:
        """The one file that says which data belong to the store."""
        return self.home / _CATALOGS[self.engine]

    @property
    def data(self) -> Path:
        """The folder of Parquet files."""
        return self.home / "data"

    @property
    def journal(self) -> Path:
        """The ledger's events as lines of JSON."""
        return self.home / "ledger.jsonl"

    @property
    def originals(self) -> Path:
        """The folder of the files as they came."""
        return self.home / "originals"

    @property
    def quarantine(self) -> Path:
        """The folder with one file of unusable cells per batch."""
        return self.home / "quarantine"

    @property
    def drafts(self) -> Path:
        """The folder of uploads that nobody has submitted yet."""
        return self.home / "drafts"

    @property
    def spill(self) -> Path:
        """Where the engine puts what does not fit into memory, and we what is on its way."""
        return self.home / "tmp"

    @property
    def url(self) -> str:
        """The address, with an absolute path."""
        return f"{DUCKLAKE if self.engine == 'ducklake' else DUCKDB}{self.home}"


def parse(url: str) -> Place:
    """Read an address.

    Raises
    ------
    StoreError
        If it names no engine that we have.

    Examples
    --------
    >>> parse("duckdb:/srv/readings").engine
    'duckdb'
    >>> parse("ducklake:sqlite:/srv/readings/catalog.sqlite").home.name
    'readings'
    """
    for prefix, engine in ((DUCKLAKE, "ducklake"), (DUCKDB, "duckdb")):
        if url.startswith(prefix) and len(url) > len(prefix):
            path = Path(url[len(prefix) :]).expanduser().absolute()
            home = path.parent if path.name == _CATALOGS[engine] else path
            if home.is_file():
                raise StoreError(f"{home} is a file; a store is a folder, so name one, or one to be made.")
            if any(letter in str(home) for letter in "'\"\n"):
                raise StoreError(
                    f"The folder {str(home)!r} has a quote or a line break in its name; rename it."
                )
            return Place(engine, home)
    raise StoreError(f"No store can be kept at {url!r}; write {DUCKLAKE}FOLDER or {DUCKDB}FOLDER.")
