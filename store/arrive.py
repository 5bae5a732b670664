"""A batch arrives: what is new goes in, what stands already is noted as repeated, what differs corrects.

The same observation is one with the same source and ``observation_id``; an id that someone else's file
uses means nothing here. It is the same *result* when all columns of
:data:`situation.observation.CONTENT` agree.

The observations come as something that can be read twice (an Arrow table or a Parquet file), because
the engine looks at ids first and at whole rows later; a million rows never stand in memory as objects.
Columns that hold one value throughout, most of the 45, do not go through the sort.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import pyarrow
import pyarrow.compute as compute
import pyarrow.dataset
import pyarrow.parquet

from situation.errors import ObservationError
from situation.observation import ARROW, CONTENT
from store import picture
from store.picture import Scope
from store.tables import MIRRORED, SHIFT, STORED, TYPES, quoted

Observations: TypeAlias = pyarrow.Table | pyarrow.RecordBatchReader | Path

#: Ids of this shape are hashes of the natural key, so the same id is at the same site.
_HASHED = "'[0-9a-f]{40}'"


@dataclass(frozen=True)
class Counts:
    """What became of the rows of a batch; repeats inside one file count as unchanged."""

    rows: int
    added: int
    unchanged: int
    corrected: int


@dataclass(frozen=True)
class Staged:
    """Observations that can be read more than once, and the columns that hold one value throughout."""

    rows: pyarrow.Table | pyarrow.dataset.Dataset
    constants: Mapping[str, Any]

    @property
    def varying(self) -> tuple[str, ...]:
        """The stored columns that hold several values."""
        return tuple(name for name in STORED if name not in self.constants)


@contextmanager
def staged(observations: Observations, spill: Path) -> Iterator[Staged]:
    """Make observations readable more than once, checked for shape.

    Raises
    ------
    ObservationError
        If columns are missing, or cannot be of the declared type.
    """
    if isinstance(observations, pyarrow.Table):
        table = _conform(observations)
        yield Staged(table, _single({name: _column_values(table[name]) for name in STORED}))
    elif isinstance(observations, Path):
        yield _staged_file(observations)
    else:
        with spooled(observations, spill) as path:
            yield _staged_file(path)


@contextmanager
def spooled(batches: Iterable[pyarrow.RecordBatch | pyarrow.Table], spill: Path) -> Iterator[Path]:
    """Write a stream of observations to a passing Parquet file, one piece in memory at a time."""
    spill.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = spill / f"arriving-{uuid.uuid4().hex}.parquet"
    try:
        with pyarrow.parquet.ParquetWriter(path, ARROW, compression="zstd") as writer:
            for batch in batches:
                table = batch if isinstance(batch, pyarrow.Table) else pyarrow.Table.from_batches([batch])
                writer.write_table(_conform(table))
        yield path
    finally:
        path.unlink(missing_ok=True)


def _staged_file(path: Path) -> Staged:
    file = pyarrow.parquet.ParquetFile(path)
    schema = file.schema_arrow
    _check(schema)
    if any(schema.field(name).type != ARROW.field(name).type for name in ARROW.names):
        table = _conform(file.read())
        return Staged(table, _single({name: _column_values(table[name]) for name in STORED}))
    ends: dict[str, set[Any]] = {name: set() for name in STORED}
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        for place in range(group.num_columns):
            column = group.column(place)
            if column.path_in_schema in ends and group.num_rows:
                ends[column.path_in_schema] |= _chunk_values(column, group.num_rows)
    return Staged(pyarrow.dataset.dataset(path, schema=ARROW), _single(ends))


def _check(schema: pyarrow.Schema) -> None:
    lacking = [name for name in ARROW.names if name not in schema.names]
    if lacking:
        raise ObservationError(f"The observations lack the columns {', '.join(lacking)}.")


def _conform(table: pyarrow.Table) -> pyarrow.Table:
    _check(table.schema)
    try:
        return table.select(ARROW.names).cast(ARROW)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError) as wrong:
        raise ObservationError(f"The observations do not have the declared types: {wrong}") from wrong


class _Many:
    """Stands for values that were not looked at one by one."""


def _column_values(column: pyarrow.ChunkedArray) -> set[Any]:
    if column.null_count == len(column):
        return {None}
    if column.null_count or pyarrow.types.is_floating(column.type):
        return {_Many()}
    ends = compute.min_max(column)
    return {ends["min"].as_py(), ends["max"].as_py()}


def _chunk_values(column: Any, rows: int) -> set[Any]:
    found = column.statistics
    if found is None or (found.null_count is None) or not isinstance(found.null_count, int):
        return {_Many()}
    if found.null_count == rows:
        return {None}
    if found.null_count or not found.has_min_max or not isinstance(found.min, str | int | datetime):
        return {_Many()}
    # Some writers cut long texts short in their statistics.
    return {found.min, found.max} if len(str(found.max)) < _EXACT else {_Many()}


_EXACT = 64


def _single(values: Mapping[str, set[Any]]) -> dict[str, Any]:
    alone = {name: next(iter(found)) for name, found in values.items() if len(found) == 1}
    return {name: value for name, value in alone.items() if not isinstance(value, _Many)}


def insert(cursor: duckdb.DuckDBPyConnection, batch: Staged, number: int, scope: Scope) -> Counts:
    """Put a batch into the tables.

    Parameters
    ----------
    cursor
        In a transaction, under the writer lock.
    batch
        The observations.
    number
        The batch's number.
    scope
        All that counts so far, pending batches too.
    """
    cursor.register("staged", batch.rows)
    try:
        rows, distinct = _counted(cursor, batch)
        _find_known(cursor, batch, scope)
        same, other = _pair(
            cursor, "SELECT count(*) FILTER (same), count(*) FILTER (NOT same) FROM temp.known"
        )
        if same < distinct:
            _insert_rows(cursor, batch, number, skip=same > 0, once=distinct < rows)
    finally:
        cursor.unregister("staged")
    _chain(cursor, number, same=same > 0, other=other > 0)
    return Counts(rows, distinct - same - other, same + rows - distinct, other)


def _pair(cursor: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, int]:
    row = cursor.execute(sql).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def _counted(cursor: duckdb.DuckDBPyConnection, batch: Staged) -> tuple[int, int]:
    # Hashes are quicker to count than texts; should two ever clash, the careful way below is taken.
    key = "hash(observation_id)" if "source_id" in batch.constants else "hash(observation_id, source_id)"
    return _pair(cursor, f"SELECT count(*), count(DISTINCT {key}) FROM staged")


def _find_known(cursor: duckdb.DuckDBPyConnection, batch: Staged, scope: Scope) -> None:
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE places AS SELECT DISTINCT monitoring_location_id AS site FROM staged"
    )
    if not scope.visible:
        cursor.execute(
            "CREATE OR REPLACE TEMP TABLE known (reading BIGINT, source_id VARCHAR, "
            "observation_id VARCHAR, site VARCHAR, same BOOLEAN)"
        )
        return
    cursor.execute("CREATE OR REPLACE TEMP TABLE sources AS SELECT DISTINCT source_id FROM staged")
    given, _ = _pair(
        cursor, f"SELECT count(*), 0 FROM staged WHERE NOT regexp_full_match(observation_id, {_HASHED})"
    )
    where = "o.source_id IN (FROM temp.sources)"
    if not given:
        where += " AND o.monitoring_location_id IN (FROM temp.places)"
    sql, params = picture.valid(scope, where)
    same = " AND ".join(f"v.{name} IS NOT DISTINCT FROM {_plain(name, 's.')}" for name in CONTENT)
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE known AS {sql} "
        f"SELECT v.reading, s.source_id, s.observation_id, v.monitoring_location_id AS site, {same} AS same "
        "FROM valid v JOIN staged s USING (source_id, observation_id) "
        "QUALIFY row_number() OVER (PARTITION BY v.reading ORDER BY s.source_row DESC NULLS LAST) = 1",
        params,
    )


def _plain(name: str, table: str = "") -> str:
    return f"nullif({table}\"{name}\", 'nan'::DOUBLE)" if TYPES[name] == "DOUBLE" else f'{table}"{name}"'


_ORDER = (
    ("monitoring_location_id", ""),
    ("observed_property", ""),
    ("phenomenon_time", ""),
    ("replicate", " DESC NULLS LAST"),  # of readings at one moment the first replicate has the last word
    ("source_row", " DESC"),
    ("observation_id", ""),
)


def _insert_rows(
    cursor: duckdb.DuckDBPyConnection, batch: Staged, number: int, *, skip: bool, once: bool
) -> None:
    source = "staged"
    if once:
        source = (
            "(FROM staged QUALIFY row_number() OVER (PARTITION BY source_id, observation_id "
            "ORDER BY source_row DESC NULLS LAST) = 1)"
        )
    if skip:
        source = f"(FROM {source} ANTI JOIN (FROM temp.known WHERE same) USING (source_id, observation_id))"
    order = ", ".join(f"{name}{way}" for name, way in _ORDER if name not in batch.constants) or "1"
    values = ", ".join(f'{_value(name, batch)} AS "{name}"' for name in STORED)
    cursor.execute(
        f"INSERT INTO lake.observations SELECT $first + row_number() OVER () - 1, $batch, {values} "
        f"FROM (SELECT {quoted(batch.varying)} FROM {source} ORDER BY {order})",
        {"first": number << SHIFT, "batch": number}
        | {f"c_{name}": value for name, value in batch.constants.items() if value is not None},
    )


def _value(name: str, batch: Staged) -> str:
    if name not in batch.constants:
        return _plain(name)
    # An empty column, as most are, costs the engine least when it can see that it is empty.
    return f"{'NULL' if batch.constants[name] is None else f'$c_{name}'}::{TYPES[name]}"


def _chain(cursor: duckdb.DuckDBPyConnection, number: int, *, same: bool, other: bool) -> None:
    """Note which rows stand for others from now on; also in temporary tables, for the picture."""
    for name in MIRRORED:
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE new_{name} AS FROM memory.{name} LIMIT 0")
    if other:
        cursor.execute(_CORRECT, {"batch": number})
        cursor.execute("INSERT INTO lake.corrections FROM temp.new_corrections")
    if same:
        cursor.execute(_REPEAT, {"batch": number})
        cursor.execute("INSERT INTO lake.repeats FROM temp.new_repeats")


_CORRECT = """
    INSERT INTO temp.new_corrections
    SELECT $batch, o.reading, k.reading, coalesce(c.root, k.reading)
    FROM lake.observations o
    JOIN temp.known k USING (source_id, observation_id)
    LEFT JOIN memory.corrections c ON c.reading = k.reading
    WHERE o.batch = $batch AND NOT k.same
"""

_REPEAT = """
    INSERT INTO temp.new_repeats
    SELECT $batch, min(reading), max(reading)
    FROM (SELECT reading, reading - row_number() OVER (ORDER BY reading) AS island FROM temp.known WHERE same)
    GROUP BY island
"""
