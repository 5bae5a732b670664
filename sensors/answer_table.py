"""Opens an answer of a source as plain rows of text: the header is line 1, the letters are UTF-8.

A person's file must be looked at from all sides (:mod:`sensors.raw_table`); an answer of a machine has one
shape, which its dialect knows. So nothing is guessed here, columns that the dialect does not want are not
read at all (a WQX answer has 181, of which 30 are), and what does not fit the shape is an error.

Rows are numbered by records from 2 on, as a spreadsheet shows them.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from sensors.dialects import Dialect
from sensors.header import unique
from sensors.raw_table import RawTable
from situation.errors import SchemaDrift

_DELIMITERS = (",", ";", "\t", "|")
_BLOCK_BYTES = 1 << 23
_HEAD = 1 << 20
_SPOOLED = 50_000  # rows a block, from which on a pass is one over the whole table
_SURPLUS = 0.001  # share of records with another number of cells that is taken for a fault of single rows


def open_answer(path: Path, dialect: Dialect) -> RawTable:
    """Open a CSV or a Parquet file of text cells.

    Parameters
    ----------
    path : Path
        The file. A CSV may be separated by comma, semicolon, tab or bar; the header says which.
    dialect : Dialect
        Columns that it ignores are left out.

    Returns
    -------
    RawTable
        Of the columns that count, in the order of the file.

    Raises
    ------
    SchemaDrift
        If the file is no such table, or lacks a column by which the dialect is known.
    """
    source: _Csv | _Parquet = _Parquet(path) if _is_parquet(path) else _Csv(path)
    if dialect.all and not dialect.fits(source.names):
        lacking = [name for name in dialect.all if not _has(name, source.names)]
        raise SchemaDrift(
            f"The answer {path.name} is not what {dialect.title} gives: it lacks "
            f"{', '.join(lacking) or 'the columns it is known by'}; it has {', '.join(source.names[:12])} …"
        )
    wanted = [name for name in source.names if not _left_out(dialect, name)]
    source.wanted = wanted
    return RawTable(
        path=path,
        columns=unique(wanted),
        names=wanted,
        header_row=1,
        encoding=source.encoding,
        delimiter=source.delimiter,
        sheet=None,
        sheets=[],
        kind="csv",
        preamble=[],
        preamble_cells=[],
        second_rows=[],
        warnings=[],
        sha256="",  # whoever fetched it knows it; a gigabyte is not hashed once more
        size=path.stat().st_size,
        source=source,
    )


def _has(name: str, names: list[str]) -> bool:
    return Dialect("", "", all=(name,)).fits(names) > 0


def _left_out(dialect: Dialect, name: str) -> bool:
    rule = dialect.rule_for(name)
    return rule is not None and rule.role in ("ignored", "personal", "notes")


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _block(table: pa.Table, columns: list[str], first: int, surplus: dict[int, list[str]]) -> pd.DataFrame:
    block = table.to_pandas()
    block.columns = pd.Index(columns, dtype="str")
    block.index = pd.Index(np.arange(first, first + len(block)), name="source_row", dtype="int64")
    block.attrs["surplus"] = surplus
    return block


class _Parquet:
    """Text cells that a ``parse`` made."""

    encoding, delimiter = None, None

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names = list(pq.read_schema(path).names)
        self.wanted = self.names

    def blocks(self, table: RawTable, size: int) -> Iterator[pd.DataFrame]:
        """Yield all rows."""
        line = 2
        for batch in pq.ParquetFile(self.path).iter_batches(size, columns=self.wanted):
            text = pa.Table.from_batches([batch]).select(self.wanted)
            text = text.cast(pa.schema([(name, pa.large_string()) for name in text.column_names]))
            yield _block(text, table.columns, line, {})
            line += len(batch)


class _Csv:
    """A table that a source gives as it is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            head = file.read(_HEAD)
        self.encoding = _encoding(path)
        text = head.decode("latin-1" if self.encoding == "latin-1" else "utf-8", "replace")
        text = text.removeprefix("\ufeff")
        first = text.splitlines()[:1]
        if not first or not first[0].strip():
            raise SchemaDrift(f"The answer {path.name} has no header.")
        self.delimiter = max(_DELIMITERS, key=first[0].count)
        self.odd: list[Any] = []
        self.names = next(csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter))
        self.wanted = self.names
        self.spool: tuple[IO[bytes], list[tuple[int, dict[int, list[str]]]]] | None = None

    def _open(self, wanted: list[str] | None = None) -> Any:
        names = dict.fromkeys(wanted or [], pa.large_string())

        def odd(row: Any) -> str:
            self.odd.append(row)
            return "skip"

        try:
            return pyarrow.csv.open_csv(
                self.path,
                read_options=pyarrow.csv.ReadOptions(
                    block_size=_BLOCK_BYTES, encoding="latin-1" if self.encoding == "latin-1" else "utf8"
                ),
                parse_options=pyarrow.csv.ParseOptions(
                    delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=odd
                ),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types=names,
                    include_columns=wanted or None,
                    strings_can_be_null=False,
                    check_utf8=False,
                ),
            )
        except pa.ArrowInvalid as wrong:
            raise SchemaDrift(f"The answer {self.path.name} is no table: {wrong}.") from wrong

    def blocks(self, table: RawTable, size: int) -> Iterator[pd.DataFrame]:
        """Yield all records; what a first pass has read is not taken apart again by the second."""
        if self.spool is None or size < _SPOOLED:
            blocks = self._read(table, size)
            yield from blocks if size < _SPOOLED else self._spooled(blocks)
            return
        file, firsts = self.spool
        file.seek(0)
        with pa.ipc.open_stream(file) as stored:
            for (first, surplus), batch in zip(firsts, stored, strict=True):
                yield _block(pa.Table.from_batches([batch]), table.columns, first, surplus)

    def _spooled(self, blocks: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        file = tempfile.TemporaryFile(prefix="commonsight-answer-")  # noqa: SIM115  (nameless: a kill leaves nothing)
        schema = pa.schema([(name, pa.large_string()) for name in self.wanted])
        firsts: list[tuple[int, dict[int, list[str]]]] = []
        with pa.ipc.new_stream(file, schema) as out:
            for block in blocks:
                cells = [pa.array(block[name], pa.large_string()) for name in block]
                text = pa.Table.from_arrays(cells, schema=schema).combine_chunks()
                out.write_table(text, max_chunksize=max(len(text), 1))
                firsts.append((int(block.index[0]), block.attrs["surplus"]))
                yield block
        self.spool = file, firsts

    def _read(self, table: RawTable, size: int) -> Iterator[pd.DataFrame]:
        """Yield all records; one with another number of cells ends the reading unless it is one in thousands."""
        self.odd.clear()
        line, held, rows = 2, list[pa.RecordBatch](), 0
        with self._open(self.wanted) as reader:
            try:
                for batch in reader:
                    held.append(batch)
                    rows += len(batch)
                    if rows >= size:
                        yield from self._cut(held, table, line, size)
                        line += rows - rows % size
                        held, rows = self._rest(held, rows, size)
            except pa.ArrowInvalid as wrong:
                raise SchemaDrift(f"The answer {self.path.name} is no whole table: {wrong}.") from wrong
        if rows:
            yield _block(pa.Table.from_batches(held), table.columns, line, {})
            line += rows
        if len(self.odd) > 2 + _SURPLUS * line:
            raise SchemaDrift(
                f"The answer {self.path.name} has {len(self.odd)} records with another number of cells than its header."
            )
        if self.odd:
            yield self._odd_ones(table, line)

    def _cut(
        self, held: list[pa.RecordBatch], table: RawTable, line: int, size: int
    ) -> Iterator[pd.DataFrame]:
        whole = pa.Table.from_batches(held)
        for start in range(0, len(whole) - len(whole) % size, size):
            yield _block(whole.slice(start, size), table.columns, line + start, {})

    def _rest(self, held: list[pa.RecordBatch], rows: int, size: int) -> tuple[list[pa.RecordBatch], int]:
        left = rows % size
        rest = pa.Table.from_batches(held).slice(rows - left).combine_chunks().to_batches() if left else []
        return rest, left

    def _odd_ones(self, table: RawTable, line: int) -> pd.DataFrame:
        """Give the records that do not fit, for the quarantine: their cells cannot be told apart."""
        columns = {name: [""] * len(self.odd) for name in self.wanted}
        columns[self.wanted[0]] = [str(row.text)[:200] for row in self.odd]
        text = pa.table({name: pa.array(cells, pa.large_string()) for name, cells in columns.items()})
        surplus = {line + n: ["…"] for n in range(len(self.odd))}
        return _block(text, table.columns, line, surplus)


def _encoding(path: Path) -> str:
    import codecs

    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                if not block.isascii():
                    decoder.decode(block)
                elif decoder.getstate()[0]:
                    return "latin-1"
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"
