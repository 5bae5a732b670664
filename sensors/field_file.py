"""Reads a volunteer's field file into observations, quarantine, questions and a mapping.

The door to everything in this folder that knows files: :func:`read` in memory, :func:`read_into` block
by block into a folder, :func:`read_guarded` the same in a child process with limits.

Every record under the header is one row of ``rows_in``, blank lines, rows of units or tags and footers
included; the header itself and lines above it are not. ``rows_in = rows_observed + rows_quarantined +
rows_waiting``: a row is observed if it yields at least one observation, waiting if all it could yield
hangs on an open question, else quarantined. Each line of the quarantine is a cell (or a row as a whole)
that could not be used or waits; ``cells_quarantined`` counts them.

What surprised us: nothing about a file can be decided from its first rows. The one date that settles
the order of day and month stands in row 40,000, so every file is read twice.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as MappingOf
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sensors.answer_table import open_answer
from sensors.dialects import PLAIN, dialects, recognise, tidy
from sensors.grids import named_in
from sensors.guard import run_guarded
from sensors.mapping import ColumnMap, Mapping, load_mapping, mapping_from, to_data, understand
from sensors.own_export import read_own
from sensors.plan import Plan, Profile, make_plan
from sensors.questions import Choice, Question, question_from
from sensors.raw_table import open_table
from sensors.roles import ask_columns
from sensors.rows import LINE, Context, Outcome, Sites, harmless_columns, read_block
from sensors.sites import (
    CRS_KEY,
    load_sites,
    looks_like_dictionary,
    looks_like_sites,
    read_dictionary,
    sites_from,
)
from sensors.vocabulary import header_score, is_site_type, read_header
from situation import arrival
from situation.observation import ARROW, CONTENT, NATURAL_KEY, flat, to_arrow, to_geo, validate
from situation.settings import Settings
from situation.settings import settings as read_settings
from situation.topic import Topic, topics

__all__ = [
    "Choice",
    "FieldReading",
    "Mapping",
    "Question",
    "Report",
    "is_site_table",
    "load_mapping",
    "read",
    "read_guarded",
    "read_into",
]

BLOCK = 100_000
_KEEP_ROWS = 200_000
_TYPE_WORDS = 1_000  # distinct words looked at to know a column of kinds of sites
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Report:
    """What became of a file. ``columns``: what was understood of each; ``shape`` names its header."""

    rows_in: int = 0
    observations: int = 0
    rows_observed: int = 0
    rows_quarantined: int = 0
    rows_waiting: int = 0
    cells_quarantined: int = 0
    censored: int = 0
    dialect: str = PLAIN
    encoding: str | None = None
    questions: list[Question] = field(default_factory=list)
    sites: int = 0
    properties: dict[str, int] = field(default_factory=dict)
    columns: list[dict[str, Any]] = field(default_factory=list)
    sha256: str = ""
    warnings: list[str] = field(default_factory=list)
    shape: str = ""
    layout: str = ""
    kind: str = ""
    sheet: str | None = None
    delimiter: str | None = None
    rows_without_place: int = 0
    lines_above_header: int = 0
    site_table_rows: int = 0

    def to_json(self) -> str:
        """Give the report as JSON."""
        return json.dumps(self.to_data(), ensure_ascii=False, indent=1)

    def to_data(self) -> dict[str, Any]:
        """Give the report as plain data."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: MappingOf[str, Any]) -> Report:
        """Make a report of plain data again."""
        return cls(**{**data, "questions": [question_from(q) for q in data.get("questions", [])]})


@dataclass(frozen=True)
class Origin:
    """The source that a file is an answer of: nothing about its shape is guessed then.

    ``constants`` hold where neither its rows nor its dialect say otherwise (licence, attribution).
    """

    key: str
    dialect: str
    constants: MappingOf[str, str] = field(default_factory=dict)


@dataclass
class FieldReading:
    """A file, read: observations (EPSG:4326), what could not be used, what is asked, how it was understood."""

    observations: gpd.GeoDataFrame
    quarantine: pd.DataFrame
    questions: list[Question]
    mapping: Mapping
    report: Report


def read(
    path: Path | str,
    topic: Topic | None = None,
    *,
    mapping: Mapping | Path | None = None,
    answers: MappingOf[str, str] | None = None,
    sites: Path | None = None,
    contributor: str | None = None,
    known_sites: pd.DataFrame | None = None,
    settings: Settings | None = None,
) -> FieldReading:
    """Read a file in this process and in memory.

    Parameters
    ----------
    path : Path
        The file.
    topic : Topic, optional
        Gives the area, the candidates for a reference system, the time zone and the privacy rules.
    mapping : Mapping or Path, optional
        How an earlier file of this shape was understood, answers included.
    answers : mapping of str to str, optional
        Question id to choice.
    sites : Path, optional
        A table of sites that belongs to the file; or a data dictionary that names its units.
    contributor : str, optional
        A pseudonym.
    known_sites : DataFrame, optional
        Sites that are known already: ``monitoring_location_id``, ``monitoring_location_name``,
        ``longitude``, ``latitude`` (degrees, EPSG:4326).
    settings : Settings, optional
        How large a file may be.

    Returns
    -------
    FieldReading

    Raises
    ------
    FieldFileError
        If the file cannot be read at all.
    """
    job = _Job(Path(path), topic, mapping, answers, sites, contributor, known_sites, settings)
    tables, quarantines = [], []
    for table, lines in job.run(None):
        tables.append(table)
        quarantines.append(lines)
    joined = pd.concat(tables, ignore_index=True) if tables else flat({"observation_id": []})
    quarantine = pd.concat(quarantines, ignore_index=True) if quarantines else job.no_lines()
    return FieldReading(
        to_geo(validate(joined)), quarantine, list(job.report.questions), job.mapping, job.report
    )


def read_into(
    path: Path | str,
    folder: Path | str,
    topic: Topic | str | None = None,
    *,
    mapping: Mapping | Path | str | MappingOf[str, Any] | None = None,
    answers: MappingOf[str, str] | None = None,
    sites: Path | str | None = None,
    contributor: str | None = None,
    known_sites: pd.DataFrame | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
    origin: Origin | None = None,
) -> Report:
    """Read a file block by block, in bounded memory, into a folder.

    Writes ``observations.parquet`` (schema :data:`situation.observation.ARROW`), ``quarantine.parquet``
    (``source_row``, ``column``, ``value``, ``reason``, ``fix``, ``question_id`` and the cells of the
    columns that hold no people), ``mapping.toml`` and ``report.json``. Parameters as for :func:`read`;
    with *origin* the file is an answer of a source.
    """
    if isinstance(topic, str):
        topic = topics()[topic]
    if isinstance(mapping, str):
        mapping = Path(mapping)
    elif isinstance(mapping, MappingOf):
        mapping = mapping_from(mapping)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    job = _Job(
        Path(path),
        topic,
        mapping,
        answers,
        Path(sites) if sites else None,
        contributor,
        known_sites,
        settings,
        origin,
    )
    with _Folder(folder) as out:
        for table, lines in job.run(progress):
            out.write(validate(table), lines)
        if not out.began:
            out.write(flat({"observation_id": []}), job.no_lines())
    job.mapping.save(folder / "mapping.toml")
    (folder / "report.json").write_text(job.report.to_json(), encoding="utf-8")
    return job.report


def read_guarded(
    path: Path | str,
    folder: Path | str,
    *,
    topic: Topic | None = None,
    mapping: Mapping | Path | None = None,
    answers: MappingOf[str, str] | None = None,
    sites: Path | None = None,
    contributor: str | None = None,
    known_sites: pd.DataFrame | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
    origin: Origin | None = None,
) -> Report:
    """Do :func:`read_into` in a child process with limits of memory and time.

    Raises
    ------
    FieldFileError
        If the file cannot be read at all; FileTooLarge if it is over a limit.
    """
    limits = settings or read_settings()
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    known = None
    if known_sites is not None and len(known_sites):
        known = str(folder / "known_sites.parquet")
        pd.DataFrame(known_sites[[c for c in _KNOWN if c in known_sites]]).to_parquet(known)
    args = {
        "path": str(Path(path).resolve()),
        "folder": str(folder.resolve()),
        "topic": None if topic is None else _topic_data(topic),
        "mapping": to_data(mapping)
        if isinstance(mapping, Mapping)
        else (None if mapping is None else str(mapping)),
        "answers": dict(answers or {}),
        "sites": None if sites is None else str(Path(sites).resolve()),
        "contributor": contributor,
        "known_sites": known,
        "origin": None if origin is None else asdict(origin),
        "limits": {
            name: str(value) if isinstance(value, Path) else value for name, value in asdict(limits).items()
        },
    }
    data = run_guarded(
        "sensors.field_file:_guarded",
        args,
        folder=folder,
        seconds=limits.parse_seconds,
        memory_mb=limits.parse_memory_mb,
        progress=progress,
    )
    if known:
        Path(known).unlink(missing_ok=True)
    return Report.from_data(data)


_KNOWN = ("monitoring_location_id", "monitoring_location_name", "longitude", "latitude")


def _topic_data(topic: Topic) -> dict[str, Any]:
    data = asdict(topic)
    data["about"], data["demonstration"] = "", None
    return data


def _guarded(
    path: str,
    folder: str,
    topic: dict[str, Any] | None,
    mapping: dict[str, Any] | str | None,
    answers: dict[str, str],
    sites: str | None,
    contributor: str | None,
    known_sites: str | None,
    limits: dict[str, Any],
    origin: dict[str, Any] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Read in the child: everything comes and goes as plain data."""
    limits["var"] = Path(limits["var"])
    limits["basemap"] = Path(limits["basemap"]) if limits["basemap"] else None
    made = None
    if topic is not None:
        parts: dict[str, Any] = {
            name: tuple(part) if isinstance(part, list) else part for name, part in topic.items()
        }
        made = Topic(**parts)
    report = read_into(
        path,
        folder,
        made,
        mapping=mapping,
        answers=answers,
        sites=sites,
        contributor=contributor,
        known_sites=pd.read_parquet(known_sites) if known_sites else None,
        settings=Settings(**limits),
        progress=progress,
        origin=None if origin is None else Origin(**origin),
    )
    return report.to_data()


def is_site_table(path: Path | str, topic: Topic | None = None, settings: Settings | None = None) -> bool:
    """Say whether a file describes sites (or columns) and holds no readings of its own."""
    table = open_table(Path(path), settings or read_settings(), header_score=_score)
    mapping = understand(table.columns, table.names)
    return looks_like_sites(mapping) or looks_like_dictionary(table)


def _score(cells: list[str]) -> float:
    filled = [cell for cell in cells if cell.strip()]
    if len(filled) > 2 and recognise(filled) is not None:
        return 1.0
    return header_score(cells)


class _Job:
    """One file on its way: opened, understood, looked through, read."""

    def __init__(
        self,
        path: Path,
        topic: Topic | None,
        mapping: Mapping | Path | None,
        answers: MappingOf[str, str] | None,
        sites: Path | None,
        contributor: str | None,
        known_sites: pd.DataFrame | None,
        settings: Settings | None,
        origin: Origin | None = None,
    ) -> None:
        self.limits = settings or read_settings()
        self.topic, self.sites_path, self.origin = topic, sites, origin
        self.dialect = dialects()[origin.dialect] if origin else None
        if self.dialect is not None:
            self.table = open_answer(path, self.dialect)
        else:
            self.table = open_table(path, self.limits, header_score=_score)
        self.contributor = (contributor or "").strip() or None
        self.known_sites = known_sites
        given = load_mapping(mapping) if isinstance(mapping, Path) else mapping
        self.held: list[pd.DataFrame] = []
        self.notes: list[str] = []
        self.sites, self.dictionary = self._side_table()
        self.first = _readings_of(next(iter(self.table.blocks(2_000)), None))
        self.mapping = self._understand(given, dict(answers or {}))
        self.report = Report()
        self.seen = _Seen()
        self.whole = np.array([], dtype="uint64")
        self.plan: Plan | None = None

    def _side_table(self) -> tuple[Sites | None, dict[str, str]]:
        if self.sites_path is None:
            return None, {}
        table = open_table(self.sites_path, self.limits, header_score=_score)
        if looks_like_dictionary(table):
            self.notes.append(f"{table.path.name} was read as the description of the columns.")
            return None, read_dictionary(table)
        return load_sites(table), {}

    def _understand(self, given: Mapping | None, answers: dict[str, str]) -> Mapping:
        table = self.table
        if given is not None and given.fits(table.columns):
            known = {tidy(c.source) for c in given.columns}
            found = mapping_from(to_data(given))
            fresh = understand(table.columns, table.names)
            found.columns = [c for c in found.columns if tidy(c.source) in {tidy(n) for n in table.columns}]
            found.columns += [
                replace(c, role="ignored") if c.role == "measure" else c
                for c in fresh.columns
                if tidy(c.source) not in known
            ]
            exact = {tidy(name): name for name in table.columns}
            for column in found.columns:
                column.source = exact[tidy(column.source)]
        else:
            found = self._understand_anew()
            if given is not None:
                found.answers.update(given.answers)
                found.warnings.append(
                    "The mapping was made for a file with other columns; only its answers were used."
                )
        if CRS_KEY in self.dictionary:
            found.constants.setdefault("crs", self.dictionary[CRS_KEY])
        found.answers.update(answers)
        ask_columns(found, self.first, self.topic)
        return found

    def _understand_anew(self) -> Mapping:
        table = self.table
        units = next((row.cells for row in table.second_rows if row.kind == "units"), None)
        above: dict[int, list[str]] = {}
        for _, cells in table.preamble_cells:
            for position, cell in enumerate(cells):
                if cell.strip():
                    above.setdefault(position, []).append(cell.strip())
        first = self.first
        numeric, signs = ({}, {}) if first is None else (_numeric(first), _signs(first))
        found = understand(
            table.columns,
            table.names,
            units=units,
            above=above,
            dictionary=self.dictionary,
            numeric=numeric,
            signs=signs,
            tags=next((row.cells for row in table.second_rows if row.kind == "hxl"), None),
            dialect=self.dialect,
        )
        if self.origin is not None:
            given = {**self.origin.constants, "decimal": "point", "unasked": True}
            found.constants = {**given, **found.constants}
            found.answers.setdefault("swapped-coordinates", "unknown")  # kept, without a place
        self._find_types(found)
        self._read_preamble(found)
        self._read_title(found)
        return found

    def _find_types(self, found: Mapping) -> None:
        """Know a column of kinds of sites by its words: whether a well is a household's must not be missed."""
        if self.first is None or found.first("site_type"):
            return
        for column in found.columns:
            words = self.first[column.source].str.strip()
            words = words[words.ne("")].unique()[:_TYPE_WORDS]
            if column.role == "unknown" and any(is_site_type(str(word)) for word in words):
                column.role, column.why = "site_type", None
                return

    def _read_title(self, found: Mapping) -> None:
        """Take the reference system from the lines over the header or the name of the sheet."""
        if not found.first("x") or found.first("crs") or "crs" in found.constants:
            return
        named = named_in([*(line for _, line in self.table.preamble), self.table.sheet or ""])
        if len(named) == 1:
            code, line = next(iter(named.items()))
            found.constants["crs"] = code
            found.warnings.append(f"Coordinates are read in {code}, which this line names: {line[:120]!r}.")

    def _read_preamble(self, found: Mapping) -> None:
        """Take the site from a line such as ``# Site Code: X12`` over the header, where no column names it."""
        if found.of("site_id") or found.of("site_name") or found.of("latitude"):
            return
        for _, line in self.table.preamble:
            match = re.match(r"^[#\s\"]*([^:=,;\t]{3,40})\s*[:=,;\t]\s*\"?([^,;\t\"]{1,80})", line)
            role = read_header(match[1].strip()).role if match else "unknown"
            if match and role in ("site_id", "site_name", "latitude", "longitude"):
                found.constants.setdefault(role, match[2].strip())

    def no_lines(self) -> pd.DataFrame:
        """Give an empty quarantine with the columns that this file's has."""
        names = [*LINE, *(f"{c} (in the file)" if c in LINE else c for c in harmless_columns(self.mapping))]
        return pd.DataFrame(
            {name: pd.Series([], dtype="int64" if name == "source_row" else "str") for name in names}
        )

    def run(self, progress: Progress | None) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
        """Read the file; yields tables in the flat form with their lines of the quarantine."""
        tell = progress or (lambda share, text: None)
        profile = self._profile(tell)
        self.plan = make_plan(profile, self.topic)
        context = self._context()
        count = _Count()
        done = 0
        for block in self._blocks():
            outcome = self._read(block, context)
            table = self._finish(outcome)
            if self.mapping.layout != "own":  # what we exported was flagged when it came first
                table = arrival.flag(table, self.topic)
            count.add(table, outcome)
            yield table, _text_lines(outcome.quarantine)
            done += len(block)
            tell(0.4 + 0.6 * done / max(profile.rows, done), f"{done:,} rows read")
        self.report = self._report(count, context)

    def _profile(self, tell: Progress) -> Profile:
        profile = Profile(self.mapping)
        rows = 0
        for block in self.table.blocks(BLOCK):
            rows += len(block)
            if rows <= _KEEP_ROWS:
                self.held.append(block)
            else:
                self.held.clear()
            if self.mapping.layout != "own":
                profile.see(block)
            tell(min(0.35, rows / 2_000_000), f"{rows:,} rows looked through")
        self.small = rows <= _KEEP_ROWS
        profile.rows = rows
        return profile

    def _blocks(self) -> Iterator[pd.DataFrame]:
        if self.small:
            yield from self.held
            self.held.clear()
        else:
            yield from self.table.blocks(BLOCK)

    def _context(self) -> Context:
        source = f"upload:{self.contributor}" if self.contributor else "upload"
        source = self.origin.key if self.origin else source
        known = sites_from(self.known_sites, source) if self.known_sites is not None else None
        assert self.plan is not None
        return Context(
            self.plan,
            self.topic,
            source,
            self.contributor,
            sites=self.sites,
            known=known,
            given_ids=self.origin is not None,
        )

    def _read(self, block: pd.DataFrame, context: Context) -> Outcome:
        if self.mapping.layout == "own":
            return read_own(block, context)
        return read_block(block, context)

    def _finish(self, outcome: Outcome) -> pd.DataFrame:
        """Bring a block's observations to the flat form; rows repeated in the file get an ordinal."""
        table = outcome.observations
        if "observation_id" in table and table["observation_id"].notna().all():
            return flat(self._named_once(table) if self.origin is not None and len(table) else table)
        if len(table) == 0:
            return flat({"observation_id": []})
        if self.origin is not None:
            table = self._once(table)
        table["replicate"] = self.seen.ordinals(table)
        return flat(table)

    def _named_once(self, table: pd.DataFrame) -> pd.DataFrame:
        """Keep a reading once that an answer gives twice under one name; of a changed one the store keeps the last."""
        number = self.seen.hash(table, ("observation_id", *CONTENT))
        fresh = ~(pd.Series(number).duplicated().to_numpy() | np.isin(number, self.whole))
        self.whole = np.append(self.whole, number[fresh])
        return table[fresh].reset_index(drop=True)

    def _once(self, table: pd.DataFrame) -> pd.DataFrame:
        """Keep a reading once that an answer gives twice, word for word; put rows of one key in a firm order.

        Pages overlap, and a source's rows come in another order each time: a second reading of one key
        must get the same ordinal whichever came first.
        """
        number = self.seen.hash(table, (*NATURAL_KEY, *CONTENT))
        fresh = ~(pd.Series(number).duplicated().to_numpy() | np.isin(number, self.whole))
        self.whole = np.append(self.whole, number[fresh])
        key = self.seen.hash(table, NATURAL_KEY)
        again = pd.Series(key).duplicated(keep=False).to_numpy() & fresh
        order = np.arange(len(table))
        if again.any():
            order[again] = order[again][np.argsort(number[again], kind="stable")]
        return table.iloc[order[fresh[order]]].reset_index(drop=True)

    def _report(self, count: _Count, context: Context) -> Report:
        assert self.plan is not None
        table = self.table
        questions = self._still_asked(count)
        warnings = [*table.warnings, *self.notes, *self.plan.warnings]
        for sheet, rows in table.unread.items():
            warnings.append(
                f"The sheet {sheet!r} with {rows} rows was not read; save it as a file of its own."
            )
        if count.unknown:
            names = [f"{name} ({number})" for name, number in count.unknown.most_common(12)]
            more = f" and {len(count.unknown) - 12} more" if len(count.unknown) > 12 else ""
            warnings.append(
                f"Kept under the name that the file gives, and compared with nothing: {', '.join(names)}{more}."
            )
        if count.unplaced:
            warnings.append(
                f"{count.unplaced} rows name their site but no place; their readings are kept and are not "
                "on the map until the site's place is known."
            )
        if self.sites is not None and self.sites_path is not None:
            warnings.append(
                f"Places were joined from {self.sites_path.name} ({len(self.sites.table)} sites)."
            )
        return Report(
            rows_in=count.rows,
            observations=count.observations,
            rows_observed=count.states[1],
            rows_quarantined=count.states[3],
            rows_waiting=count.states[2],
            cells_quarantined=count.lines,
            censored=count.censored,
            dialect=self.mapping.dialect,
            encoding=table.encoding,
            questions=questions,
            sites=len(count.sites),
            properties=dict(sorted(count.properties.items(), key=lambda item: -item[1])),
            columns=self._understood(),
            sha256=table.sha256,
            warnings=warnings,
            shape=self._shape(),
            layout=self.mapping.layout,
            kind=table.kind,
            sheet=table.sheet,
            delimiter=table.delimiter,
            rows_without_place=count.unplaced,
            lines_above_header=len(table.preamble),
            site_table_rows=0 if self.sites is None else len(self.sites.table),
        )

    def _still_asked(self, count: _Count) -> list[Question]:
        """List the questions that hold something back; those behind another question wait with its rows."""
        assert self.plan is not None
        waiting = count.states[2]
        behind = self._behind(count)
        asked = [
            q.waiting(count.waiting.get(q.id, 0) or (waiting if q.id in behind else 0))
            for q in self.plan.questions.values()
        ]
        return sorted((q for q in asked if q.rows_waiting), key=lambda q: -q.rows_waiting)

    def _behind(self, count: _Count) -> set[str]:
        """Name the questions that cells will come to when an earlier one is answered."""
        assert self.plan is not None
        metas = [*self.plan.metas.values(), *self.plan.columns]
        of_cells = {question for meta in metas for question in meta.questions}
        if any(number and question not in of_cells for question, number in count.waiting.items()):
            return set(self.plan.questions)
        found = set(self.plan.questions) - of_cells
        for meta in metas:
            for at, question in enumerate(meta.questions):
                if any(count.waiting.get(earlier) for earlier in meta.questions[:at]):
                    found.add(question)
        return found

    def _shape(self) -> str:
        text = "\x1f".join([self.mapping.dialect, *sorted(tidy(name) for name in self.table.names)])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _why(self, column: ColumnMap) -> str | None:
        """Say why a column is not read, or what it waits for."""
        if column.waits:
            return f"waits for the answer to {column.waits}"
        if column.why:
            return column.why
        alone = column.role in ("qualifier", "limit", "condition") and self.mapping.layout == "wide"
        if alone and column.belongs is None:
            return "several columns are measured, and nothing says of which of them it speaks"
        return _WHY.get(column.role)

    def _understood(self) -> list[dict[str, Any]]:
        metas = {meta.column: meta for meta in self.plan.columns} if self.plan else {}
        found = []
        for column in self.mapping.columns:
            meta = metas.get(column.source)
            found.append(
                {
                    "column": column.source,
                    "role": column.role,
                    "property": column.property,
                    "unit": meta.unit if meta else column.unit,
                    "species": meta.species if meta else column.species,
                    "fraction": column.fraction,
                    "belongs": column.belongs,
                    "why": self._why(column),
                    "dropped": column.role in ("personal", "notes", "ignored", "unknown"),
                }
            )
        return found


_WHY = {
    "personal": "it may name a person",
    "notes": "free text may name people",
    "ignored": "it is not needed for a reading",
    "unknown": "its heading is not known, and it holds no numbers",
    "well_depth": "it describes the site and is no reading",
    "sample_code": "the samples are named elsewhere",
    "place_name": "the sites are named elsewhere",
}


def _readings_of(block: pd.DataFrame | None) -> pd.DataFrame | None:
    """Take the rows away that are units, tags and footers."""
    if block is None:
        return None
    return block.drop(index=list(block.attrs.get("not_readings", {})), errors="ignore")


def _numeric(block: pd.DataFrame) -> dict[str, float]:
    """Give the share of filled cells of each column that look like a result."""
    found = {}
    for name in block.columns:
        texts = block[name].str.strip()
        texts = texts[texts != ""].head(500)
        if len(texts):
            found[str(name)] = float(
                texts.str.contains(r"^[<>~=+-]?\s*[<>]?=?\s*[\d.,]*\d", regex=True).mean()
            )
    return found


_SIGNS = frozenset({"<", ">", "<=", ">=", "≤", "≥", "=", "~"})


def _signs(block: pd.DataFrame) -> dict[str, bool]:
    """Say of each column whether it holds signs such as ``<`` and nothing else."""
    found = {}
    for name in block.columns:
        cells = set(block[name].str.strip().unique()) - {""}
        found[str(name)] = bool(cells) and cells <= _SIGNS
    return found


def _text_lines(lines: pd.DataFrame) -> pd.DataFrame:
    out = {}
    for name in lines.columns:
        if lines[name].dtype == "str":
            out[name] = lines[name]
            continue
        cells = lines[name].to_numpy(dtype=object)
        if name == "source_row":
            out[name] = lines[name].astype("int64")
        else:
            text = np.array(
                [None if cell is None or cell != cell else str(cell) for cell in cells], dtype=object
            )
            out[name] = pd.Series(text, index=lines.index, dtype="str")
    return pd.DataFrame(out)


class _Seen:
    """Counts natural keys over the blocks of a file, so that a repeated row gets an ordinal."""

    def __init__(self) -> None:
        self.keys = np.array([], dtype="uint64")
        self.counts = np.array([], dtype="int64")

    def ordinals(self, table: pd.DataFrame) -> pd.Series:
        """Give ``replicate``: as the file says, else 2, 3 … for the second and third of one key."""
        number = self.hash(table, NATURAL_KEY)
        within = pd.Series(number).groupby(number).cumcount().to_numpy()
        position = np.searchsorted(self.keys, number)
        before = np.zeros(len(number), dtype="int64")
        if len(self.keys):
            safe = np.minimum(position, len(self.keys) - 1)
            before = np.where(self.keys[safe] == number, self.counts[safe], 0)
        ordinal = within + before + 1
        self._remember(number)
        none = np.full(len(table), None, dtype=object)
        given = table["replicate"].to_numpy(dtype=object) if "replicate" in table else none
        repeated = ordinal > 1
        if not repeated.any():
            return pd.Series(given, index=table.index)
        words = np.array([str(n) for n in ordinal], dtype=object)
        both = np.array(
            [f"{g}/{w}" if isinstance(g, str) else w for g, w in zip(given, words, strict=True)], dtype=object
        )
        return pd.Series(np.where(repeated, both, given), index=table.index)

    def hash(self, table: pd.DataFrame, names: Iterable[str]) -> np.ndarray:
        """Give each row a number by what stands in some of its columns."""
        number = np.zeros(len(table), dtype="uint64")
        for name in names:
            if name not in table:
                continue
            codes, distinct = pd.factorize(table[name])
            if isinstance(distinct, pd.DatetimeIndex):
                words = distinct.asi8.view("uint64")
            else:
                words = pd.util.hash_array(np.asarray(distinct.astype(str), dtype=object))
            hashes = np.append(words, np.uint64(0))
            number = number * np.uint64(1_000_003) + hashes.astype("uint64")[codes]
        return number

    def _remember(self, number: np.ndarray) -> None:
        keys, counts = np.unique(number, return_counts=True)
        every = np.concatenate([self.keys, keys])
        self.keys, where = np.unique(every, return_inverse=True)
        self.counts = np.bincount(where, weights=np.concatenate([self.counts, counts])).astype("int64")


class _Count:
    """Adds up what the blocks gave."""

    def __init__(self) -> None:
        self.rows = self.observations = self.lines = self.censored = self.unplaced = 0
        self.states: Counter[int] = Counter()
        self.properties: Counter[str] = Counter()
        self.waiting: Counter[str] = Counter()
        self.sites: set[str] = set()
        self.unknown: Counter[str] = Counter()

    def add(self, table: pd.DataFrame, outcome: Outcome) -> None:
        """Add one block."""
        self.rows += len(outcome.states)
        self.observations += len(table)
        self.lines += len(outcome.quarantine)
        self.unplaced += outcome.unplaced
        self.censored += int(table["censoring"].isin(["<", ">"]).sum())
        self.states.update(
            {int(k): int(v) for k, v in zip(*np.unique(outcome.states, return_counts=True), strict=True)}
        )
        for key, number in table["observed_property"].value_counts(dropna=True).items():
            self.properties[str(key)] += int(number)
        self.sites.update(table["monitoring_location_id"].unique())
        strange = table["observed_property_name"][table["observed_property"].isna()]
        self.unknown.update({str(name): int(number) for name, number in strange.value_counts().items()})
        asked = outcome.quarantine[["source_row", "question_id"]].dropna().drop_duplicates()
        for question, number in asked["question_id"].value_counts().items():
            self.waiting[str(question)] += int(number)


class _Folder:
    """Writes observations and quarantine as they come."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.began = False

    def __enter__(self) -> _Folder:
        self.observations = pq.ParquetWriter(self.folder / "observations.parquet", ARROW)
        self.quarantine: pq.ParquetWriter | None = None
        return self

    def write(self, table: pd.DataFrame, lines: pd.DataFrame) -> None:
        """Write one block."""
        self.began = True
        if len(table):
            self.observations.write_table(to_arrow(table))
        schema = pa.schema(
            [(name, pa.int64() if name == "source_row" else pa.string()) for name in lines.columns]
        )
        if self.quarantine is None:
            self.quarantine = pq.ParquetWriter(self.folder / "quarantine.parquet", schema)
        self.quarantine.write_table(pa.Table.from_pandas(lines, schema=schema, preserve_index=False))

    def __exit__(self, *_: object) -> None:
        self.observations.close()
        if self.quarantine is not None:
            self.quarantine.close()
