"""Where a store is kept: the address that chooses the engine and the folder.

==========================  ============================================================
address                     what
==========================  ============================================================
``ducklake:sqlite:PATH``    the default: Parquet files and an SQLite catalogue; several
                            processes at once
``duckdb:PATH``             one DuckDB file; one process at a time
==========================  ============================================================

*PATH* is the store's home folder. A path that ends in ``.sqlite`` or ``.duckdb`` names the file in it.
Never put the home on a network share: neither SQLite's nor our own lock can be trusted there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from situation.errors import StoreError

DUCKLAKE = "ducklake:sqlite:"
DUCKDB = "duckdb:"


@dataclass(frozen=True)
class Place:
    """An engine and a home folder, and the files in it."""

    engine: str
    home: Path

    @property
    def catalog(self) -> Path:
        """The one file that says which data belong to the store."""
        return self.home / ("catalog.sqlite" if self.engine == "ducklake" else "store.duckdb")

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
    for prefix, engine, ending in ((DUCKLAKE, "ducklake", ".sqlite"), (DUCKDB, "duckdb", ".duckdb")):
        if url.startswith(prefix) and len(url) > len(prefix):
            path = Path(url[len(prefix) :]).expanduser().absolute()
            home = path.parent if path.suffix == ending else path
            if any(letter in str(home) for letter in "'\"\n"):
                raise StoreError(
                    f"The folder {str(home)!r} has a quote or a line break in its name; rename it."
                )
            return Place(engine, home)
    raise StoreError(f"No store can be kept at {url!r}; write {DUCKLAKE}FOLDER or {DUCKDB}FOLDER.")
