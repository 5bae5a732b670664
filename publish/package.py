"""Everything of a snapshot in one ZIP: tables, limits, counts, citation, checksums, and what the columns mean.

It is a Frictionless Data Package: ``datapackage.json`` describes every file and every column, so that a program
can check the package without knowing us. Members stand in one order under one date, so the same snapshot is the
same bytes (with one version of zlib). ``readings.csv`` is what our own importer reads back; of the files that
were once handed in, neither the content nor the name is in it.

What surprised us: the sum of a member is known only when it has been written, and a package of a million readings
is not to stand in memory for it; so each member is summed on its way into the archive.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pandas as pd
import pyarrow as pa

from publish import Options, citation, geo, read_me, tables
from publish.columns import READINGS, SITES, Documented, sites_table
from publish.read_me import Section
from situation.composite import text_of
from situation.snapshot import Snapshot
from situation.standard import COMPARISONS, KINDS
from situation.visible import one_line

_STAMP = (1980, 1, 1, 0, 0, 0)
_CONTENTS = {
    "sites.csv": "file_sites",
    "sites.geojson": "file_geojson",
    "readings.csv": "file_readings",
    "limits.csv": "file_limits",
    "batches.csv": "file_batches",
    "sources.csv": "file_sources",
    "citation.json": "file_citation",
    "datapackage.json": "file_describes",
    "CHECKSUMS": "file_checksums",
}

LIMITS: tuple[Documented, ...] = (
    Documented("property", pa.string(), "our key of what the limit is for", filled=True),
    Documented("value", pa.float64(), "the limit, in unit; empty for a range"),
    Documented("unit", pa.string(), "UCUM"),
    Documented("method_speciation", pa.string(), "form in which it is counted, e.g. as NO3"),
    Documented("sample_fraction", pa.string(), "fraction of the sample that it is for; empty: any"),
    Documented("kind", pa.string(), "what it protects; health comes before all others", words=KINDS),
    Documented("comparison", pa.string(), "how it is meant", words=COMPARISONS),
    Documented("lower", pa.float64(), "lower bound of a range"),
    Documented("upper", pa.float64(), "upper bound of a range, or largest limit of detection that shows absence"),
    Documented("valid_from", pa.string(), "first day on which it is in force"),
    Documented("valid_to", pa.string(), "last day on which it is in force"),
    Documented("reference", pa.string(), "where it stands"),
    Documented("url", pa.string(), "address of that text"),
    Documented("verified", pa.bool_(), "whether a second text confirmed it"),
    Documented("verified_by", pa.string(), "which text"),
    Documented("row", pa.int64(), "row of the file of the standard"),
    Documented("tier", pa.string(), "of two levels of one kind, which"),
    Documented("terms", pa.string(), "rule about several substances of one sample"),
    Documented("exposure", pa.string(), "acute: one reading is enough; chronic: meant for years"),
    Documented("exposure_reason", pa.string(), "why"),
)  # fmt: skip

BATCHES: tuple[Documented, ...] = (
    Documented("batch", pa.int64(), "number in the ledger; batch_id of sites and readings", filled=True),
    Documented("received_at", pa.string(), "when it came, UTC"),
    Documented("source_id", pa.string(), "who it came from"),
    Documented("contributor", pa.string(), "pseudonym"),
    Documented("rows_in", pa.int64(), "rows of what was handed in"),
    Documented("readings", pa.int64(), "readings made of them, of every substance"),
    Documented("quarantined", pa.int64(), "cells that were set aside as unusable"),
)

SOURCES: tuple[Documented, ...] = (
    Documented("source_id", pa.string(), "who it came from"),
    Documented("attribution", pa.string(), "who is to be credited"),
    Documented("licence", pa.string(), "SPDX identifier or the source's words"),
    Documented("sites", pa.int64(), "sites whose newest reading is from there"),
)


def write(shot: Snapshot, path: Path, options: Options) -> None:
    """Write a snapshot as a data package."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        pack = _Pack(archive)
        pack.text("README.md", read_me_text(shot))
        _tables(pack, shot, options)
        with pack.member("sites.geojson") as target:
            geo.write_features(shot, [sites_table(shot)], target)
        pack.text("citation.json", _json([citation.csl(shot)]))
        pack.text("datapackage.json", _json(_descriptor(pack, shot)))
        sums = "".join(f"{sha}  {name}\n" for name, (_, sha) in sorted(pack.written.items()))
        pack.text("CHECKSUMS", sums)


def _tables(pack: _Pack, shot: Snapshot, options: Options) -> None:
    sites = sites_table(shot)
    with pack.member("sites.csv") as target:
        tables.write_csv([sites], target, sites.schema)
    with pack.member("readings.csv") as target:
        tables.write_readings(shot, target, options.progress)
    with pack.member("limits.csv") as target:
        tables.write_frame(_limits(shot), target)
    with pack.member("batches.csv") as target:
        tables.write_frame(_batches(shot), target)
    with pack.member("sources.csv") as target:
        tables.write_frame(_framed(tables.sources_frame(shot), SOURCES), target)


def _batches(shot: Snapshot) -> pd.DataFrame:
    """List the hand-overs; beside a hidden site none says whose it is, for ``batch_id`` would tell who lives there."""
    found = _framed(shot.batches, BATCHES)
    if not shot.hidden:
        return found
    return found.assign(contributor="", source_id=found["source_id"].str.partition(":")[0])


def _limits(shot: Snapshot) -> pd.DataFrame:
    rows = shot.standard.rows if shot.standard else ()
    table = pd.DataFrame([{**vars(row), "terms": text_of(row.terms)} for row in rows])
    named = table.rename(columns={"species": "method_speciation", "fraction": "sample_fraction"})
    return _framed(named, LIMITS)


def _framed(frame: pd.DataFrame, columns: Sequence[Documented]) -> pd.DataFrame:
    """Give a small table the columns that are documented, each with its type."""
    kinds = {"string": "str", "double": "float64", "int64": "Int64", "bool": "boolean"}
    made = {column.name: frame.get(column.name) for column in columns}
    out = pd.DataFrame(made, columns=list(made))
    return out.astype({column.name: kinds[str(column.kind)] for column in columns})


# ---- the archive ---------------------------------------------------------------------------------


@dataclass
class _Pack:
    """An archive that remembers the length and the SHA-256 of each of its members."""

    archive: zipfile.ZipFile
    written: dict[str, tuple[int, str]] = field(default_factory=dict)

    @contextmanager
    def member(self, name: str) -> Iterator[IO[bytes]]:
        info = zipfile.ZipInfo(name, _STAMP)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        with self.archive.open(info, "w", force_zip64=True) as target:
            summed = _Summed(target.write)
            yield summed  # type: ignore[misc]
        self.written[name] = summed.length, summed.sha.hexdigest()

    def text(self, name: str, text: str) -> None:
        with self.member(name) as target:
            target.write(text.encode("utf-8", "replace"))


class _Summed:
    """A file that is written through: counts and sums what passes."""

    closed = False

    def __init__(self, passed: Callable[[Any], Any]) -> None:
        self.passed, self.length, self.sha = passed, 0, hashlib.sha256()

    def write(self, data: Any) -> int:
        """Write and sum."""
        block = memoryview(data).cast("B")
        self.sha.update(block)
        self.length += len(block)
        self.passed(block)
        return len(block)

    def flush(self) -> None:
        """Do nothing: the archive flushes when the member is done."""

    def close(self) -> None:
        """Do nothing: the archive closes the member."""

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def readable(self) -> bool:
        """Say that it cannot be read."""
        return False

    def seekable(self) -> bool:
        """Say that it goes forward only."""
        return False


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


# ---- datapackage.json ----------------------------------------------------------------------------

_TYPES = {"double": "number", "int64": "integer", "bool": "boolean", "timestamp[us, tz=UTC]": "datetime"}
_ENUMS: dict[str, list[int]] = {"quality_flag": [1, 2, 3, 4, 9]}


def _descriptor(pack: _Pack, shot: Snapshot) -> dict[str, Any]:
    """Describe the package: what it is, from whom, under which licences, and every file and column of it."""
    told = geo.about(shot)
    at = f"{shot.view.clock(shot.moment):%Y-%m-%dT%H:%M:%SZ}"
    who = told.get("producer") or one_line(shot.topic.title)
    described = {
        "profile": "data-package",
        "name": f"{shot.view.topic}-{shot.view.observed_property}-v{shot.version}".lower().replace("_", "-"),
        "id": citation.csl_id(shot),
        "title": told["title"],
        "description": told["description"],
        "version": told["version"],
        "created": at,
        "licenses": [_licence(name) for name in shot.licences or ["unknown"]],
        "contributors": [{"title": who, "role": "publisher"}],
        "sources": [{"title": citation.credited(origin)} for origin in shot.origins],
        "keywords": [shot.view.topic, shot.view.observed_property],
        "resources": list(_resources(pack)),
        "commonsight": {
            key: told[key]
            for key in ("citation", "reproduce", "simulated", "unaccepted", "contact")
            if key in told
        },
    }
    return described | ({"homepage": shot.permalink} if shot.permalink else {})


def _licence(name: str) -> dict[str, str]:
    """Name a licence as the specification wants it: an identifier, or a title in words."""
    said = one_line(name)
    plain = said.replace("-", "").replace(".", "").replace("+", "").isalnum() and said.isascii()
    return {"name": said, "title": said} if plain else {"name": "other", "title": said}


def _resources(pack: _Pack) -> Iterator[dict[str, Any]]:
    described = {
        "sites": SITES,
        "readings": READINGS,
        "limits": LIMITS,
        "batches": BATCHES,
        "sources": SOURCES,
    }
    for name, columns in described.items():
        yield {
            "name": name,
            "type": "table",
            "profile": "tabular-data-resource",
            **_file(pack, f"{name}.csv"),
            "format": "csv",
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "dialect": {"delimiter": ",", "quoteChar": '"', "doubleQuote": True},
            "schema": {"fields": [_field(column) for column in columns], "missingValues": [""]},
        }
    for name, media in (("sites.geojson", "application/geo+json"), ("citation.json", "application/json")):
        resource = {"name": name.replace(".", "-"), "type": "json", **_file(pack, name)}
        yield resource | {"format": "json", "mediatype": media, "encoding": "utf-8"}


def _file(pack: _Pack, name: str) -> dict[str, Any]:
    length, sha = pack.written[name]
    return {"path": name, "bytes": length, "hash": f"sha256:{sha}"}


def _field(column: Documented) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": column.name,
        "title": column.title,
        "type": _TYPES.get(str(column.kind), "string"),
        "description": column.meaning,
    }
    limits: dict[str, Any] = {"required": True} if column.filled and not _may_be_blank(column) else {}
    enum = list(column.words) or _ENUMS.get(column.name)
    told |= {"unit": column.unit} if column.unit else {}
    return told | ({"constraints": limits | ({"enum": enum} if enum else {})} if limits or enum else {})


def _may_be_blank(column: Documented) -> bool:
    # What was written can be nothing at all: a cell that is missing is written as one.
    return column.name == "result_text"


# ---- README.md -----------------------------------------------------------------------------------


def read_me_text(shot: Snapshot) -> str:
    """Write the README of a package as Markdown, in the snapshot's language."""
    parts = [f"# {_marked(shot.title)}\n"]
    parts += [_section(section) for section in (*read_me.sections(shot), *_files(shot))]
    return "\n".join(parts)


def _files(shot: Snapshot) -> list[Section]:
    name = f"{shot.view.topic}-{shot.view.observed_property}-v{shot.version}.zip"
    opened = tuple(read_me.say(shot, key) for key in ("open_sheet", "open_guard", "open_map"))
    contents = tuple((file, read_me.say(shot, key)) for file, key in _CONTENTS.items())
    return [
        Section(read_me.say(shot, "files_head"), words=contents),
        Section(read_me.say(shot, "open_head"), opened),
        Section(
            read_me.say(shot, "import_head"),
            (read_me.say(shot, "import"),),
            command=f"python -m commonsight add {name}",
        ),
    ]


def _section(section: Section) -> str:
    lines = [f"## {section.head}", ""]
    for said in section.said:
        lines += [_marked(said), ""]
    lines += [f"- `{word}`: {_marked(means)}" for word, means in section.words]
    lines += [""] if section.words else []
    # Indented by four, nothing in a command can end the block that it stands in.
    lines += [f"    {section.command}", ""] if section.command else []
    return "\n".join(lines)


def _marked(text: str) -> str:
    """Write a text so that Markdown takes no sign of it for its own."""
    plain = one_line(text)
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>#|!{}" else sign for sign in plain)
