"""The engine: DuckDB with one attached database called ``lake``, locked down.

Every statement of the store names ``lake.…``, so a DuckLake and a plain DuckDB file are asked alike.
Extensions come from pinned wheels, by path, with DuckDB's signature check on; where a platform has no
wheel, from DuckDB's own signed ``INSTALL``.

What surprised us: with external access off, DuckLake can neither read nor insert unless its data folder
stands in ``allowed_directories``; and a DuckDB connection is not for two threads at once: each gets a cursor.
"""

from __future__ import annotations

import importlib
import threading
from pathlib import Path

import duckdb

from situation.errors import StoreError
from store import tables
from store.url import Place

#: Most memory that the engine takes before it spills to disk.
MEMORY = "1GB"

#: Batches of up to this many rows are kept in the catalogue until maintenance writes them out.
INLINED_ROWS = 20

_CLOSED_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


class Engine:
    """One attached database of one process, shared by its threads."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._threads = threading.local()
        self._connection = _connect(place)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Give the calling thread its own cursor."""
        cursor: duckdb.DuckDBPyConnection | None = getattr(self._threads, "cursor", None)
        if cursor is None:
            cursor = self._threads.cursor = self._connection.cursor()
        return cursor

    def new_cursor(self) -> duckdb.DuckDBPyConnection:
        """Give a cursor to somebody who holds on to it, as a stream does."""
        return self._connection.cursor()

    def close(self) -> None:
        """Give up the connection; unsaved work is rolled back."""
        self._threads = threading.local()
        self._connection.close()

    def version(self) -> int:
        """Give the number of the last event that is committed; 0 when there is none."""
        return _only(self.cursor().execute("SELECT max(data_version) FROM lake.ledger"))

    def has_tables(self) -> bool:
        """Tell whether the store was set up to the last table."""
        found = self.cursor().execute(
            "SELECT count(*) FROM duckdb_tables() WHERE database_name = 'lake' AND table_name IN "
            "(SELECT unnest(?))",
            [list(tables.TABLES)],
        )
        return _only(found) == len(tables.TABLES)

    def create_tables(self) -> None:
        """Set the store up; the caller holds the writer lock."""
        cursor = self.cursor()
        cursor.execute("BEGIN")
        for name, columns in tables.TABLES.items():
            cursor.execute(f"CREATE TABLE IF NOT EXISTS lake.{name} ({columns})")
        cursor.execute("COMMIT")


def _only(found: duckdb.DuckDBPyConnection) -> int:
    row = found.fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def _connect(place: Place) -> duckdb.DuckDBPyConnection:
    for folder in (place.home, place.data, place.spill):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection = duckdb.connect(config=_CLOSED_CONFIG)
    try:
        _attach(connection, place)
        _mirror(connection)
    except duckdb.Error as wrong:
        connection.close()
        raise StoreError(_cannot_open(place, wrong)) from wrong
    return connection


def _mirror(connection: duckdb.DuckDBPyConnection) -> None:
    for name in tables.MIRRORED:
        connection.execute(f"CREATE TABLE memory.{name} ({tables.TABLES[name]})")


def _attach(connection: duckdb.DuckDBPyConnection, place: Place) -> None:
    if place.engine == "ducklake":
        for name in ("sqlite_scanner", "ducklake"):
            _load(connection, name)
        connection.execute(
            f"ATTACH 'ducklake:sqlite:{place.catalog}' AS lake (DATA_PATH '{place.data}/', "
            "META_JOURNAL_MODE 'WAL', META_BUSY_TIMEOUT 30000, OVERRIDE_DATA_PATH true, "
            f"DATA_INLINING_ROW_LIMIT {INLINED_ROWS})"
        )
    else:
        connection.execute(f"ATTACH '{place.catalog}' AS lake")
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    connection.execute(f"SET temp_directory = '{place.spill}'")
    connection.execute(f"SET memory_limit = '{MEMORY}'")
    connection.execute(f"SET allowed_directories = ['{place.data}/', '{place.spill}/']")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _load(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    try:
        module = importlib.import_module(f"duckdb_extension_{name}")
    except ImportError:
        connection.install_extension(name)
        connection.load_extension(name)
        return
    folder = Path(str(module.__file__)).parent / "extensions" / f"v{duckdb.__version__}"
    connection.execute(f"LOAD '{folder / name}.duckdb_extension'")


def _cannot_open(place: Place, wrong: Exception) -> str:
    if "lock" in str(wrong).lower() and place.engine == "duckdb":
        return (
            f"Another program has the store in {place.home} open, and a plain DuckDB file serves one "
            "program at a time; close the other, or keep the store at a ducklake:sqlite: address."
        )
    return f"The store in {place.home} cannot be opened: {wrong}"
