"""From the files somebody hands over to a batch in the store: what command line and upload page share.

:func:`check` reads, joins and asks, and stores nothing; :func:`submit` puts what was checked into the
store as one batch; :func:`read_again` reads a stored original once more, for ``rebuild``.

What surprised us: a file can change while it is read (a logger still writes to it, a synchronised folder
replaces it). So a private copy is taken first, as long as the file was at that moment; that copy is what
is read, and what is kept as the original. A site table belongs to the readings it places: the two are
kept together as one original, or a later rebuild could not place them.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from sensors import field_file, same_place
from sensors.field_file import Choice, Question, Report
from sensors.guard import run_guarded
from sensors.own_export import with_ids
from sensors.same_place import Pair
from situation import privacy
from situation.demo import demo_files
from situation.errors import ChoiceError, CommonsightError, FieldFileError, StoreError
from situation.help_file import help_csv, rows_to_help
from situation.observation import ARROW, to_arrow
from situation.settings import Settings, settings
from situation.spreadsheet import safe_arrow, safe_cell
from situation.topic import Topic, topic_named, topics
from store import Receipt, Store, open_store

Progress = Callable[[float | None, str], None]

OBSERVATIONS, QUARANTINE, MAPPING, REPORT = (
    "observations.parquet",
    "quarantine.parquet",
    "mapping.toml",
    "report.json",
)
QUARANTINE_COLUMNS = ("source_row", "column", "value", "reason", "fix")
SITE_COLUMNS = ("monitoring_location_id", "monitoring_location_name", "longitude", "latitude")
SIMULATED = "simulated"
SAME, DIFFERENT = "same", "different"
_BATCH_ROWS = 100_000
_HELP_LINES = 200_000
_PSEUDONYM = re.compile(r"[^\W_][\w .'’-]{0,39}")
_RECIPE = 1


@dataclass(frozen=True)
class Part:
    """One file of readings, and the folder that holds what was read from it."""

    path: Path
    folder: Path
    report: Report
    known_sites: pd.DataFrame | None = None


@dataclass
class Checked:
    """What was read from one hand-over of files; lives in a temporary folder that goes with it.

    ``folder`` holds ``observations.parquet`` (:data:`situation.observation.ARROW`),
    ``quarantine.parquet``, ``mapping.toml`` and ``report.json`` of all files together.
    """

    topic: Topic
    folder: Path
    report: Report
    parts: list[Part]
    site_tables: list[Path]
    answers: dict[str, str]
    contributor: str | None
    pairs: list[Pair]
    temporary: tempfile.TemporaryDirectory[str] = field(repr=False)

    @property
    def questions(self) -> list[Question]:
        """The questions that nobody has answered yet."""
        return list(self.report.questions)

    def close(self) -> None:
        """Remove the temporary folder."""
        self.temporary.cleanup()

    def __enter__(self) -> Checked:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def check(
    paths: Sequence[Path | str],
    *,
    topic: Topic | str | None = None,
    mapping: Path | None = None,
    answers: Mapping[str, str] | None = None,
    contributor: str | None = None,
    store: Store | None = None,
    progress: Progress | None = None,
    limits: Settings | None = None,
    guarded: bool = True,
) -> Checked:
    """Read files without storing anything.

    Parameters
    ----------
    paths : sequence of paths
        Files of readings; a site table among them gives the others their places.
    topic : Topic or its key, optional
        What the readings are about; without it, the first topic there is.
    mapping : Path, optional
        A ``mapping.toml`` of an earlier file of the same shape. Without it, the one that *store* kept
        for this shape is used, if there is one.
    answers : mapping of str to str, optional
        Question to choice.
    contributor : str, optional
        A pseudonym.
    store : Store, optional
        Knows the sites and the mappings of earlier files.
    progress : callable, optional
        Called with the share done (0–1, or None) and a word on what is being done.
    limits : Settings, optional
        How large a file may be and how long it may take.
    guarded : bool
        False for files of our own only: they are read in this process, without the child.

    Returns
    -------
    Checked

    Raises
    ------
    FieldFileError
        If a file cannot be read at all.
    ChoiceError
        If an answer is not one of the choices.
    """
    reader = _Reader(
        topic=_topic(topic),
        mapping=mapping,
        answers=dict(answers or {}),
        contributor=pseudonym(contributor),
        store=store,
        progress=progress or (lambda share, text: None),
        limits=limits or settings(),
        temporary=tempfile.TemporaryDirectory(prefix="commonsight-", ignore_cleanup_errors=True),
        guarded=guarded,
    )
    try:
        return reader.read([Path(path) for path in paths])
    except BaseException:
        reader.temporary.cleanup()
        raise


def _topic(topic: Topic | str | None) -> Topic:
    if isinstance(topic, Topic):
        return topic
    return topic_named(topic) if topic is not None else next(iter(topics().values()))


def pseudonym(name: str | None) -> str | None:
    """Read a contributor's name: one that is fit to stand in the id of every reading, for all to see.

    Raises
    ------
    ChoiceError
        If it is too long, holds other signs, or is an e-mail address or a telephone number.

    Examples
    --------
    >>> pseudonym("  river   watch "), pseudonym("")
    ('river watch', None)
    """
    text = " ".join((name or "").split())
    if not text:
        return None
    if what := privacy.tells_who(text):
        raise ChoiceError(f"A contributor's name is seen by everybody; take a pseudonym, not {what}.")
    if not _PSEUDONYM.fullmatch(text):
        raise ChoiceError(
            "A contributor's name takes up to 40 letters, digits, spaces and . - _ ', "
            f"beginning with a letter or digit; {text[:60]!r} does not fit."
        )
    return text


@dataclass
class _Reader:
    topic: Topic
    mapping: Path | None
    answers: dict[str, str]
    contributor: str | None
    store: Store | None
    progress: Progress
    limits: Settings
    temporary: tempfile.TemporaryDirectory[str]
    guarded: bool = True

    @property
    def folder(self) -> Path:
        return Path(self.temporary.name)

    @functools.cached_property
    def known(self) -> pd.DataFrame:
        return _known(self.store, self.topic)

    def read(self, paths: Sequence[Path]) -> Checked:
        if not paths:
            raise FieldFileError("No file was named.")
        grown: list[str] = []
        copies = [self._copy(path, n, grown) for n, path in enumerate(paths, 1)]
        parts, site_tables = self._parts(copies)
        folder, report = self._together(parts, site_tables)
        report = dataclasses.replace(report, warnings=[*report.warnings, *grown])
        checked = Checked(
            self.topic, folder, report, parts, site_tables, self.answers, self.contributor, [], self.temporary
        )
        self._ask_about_places(checked)
        self._check_answers(checked)
        (folder / REPORT).write_text(checked.report.to_json(), encoding="utf-8")
        return checked

    def _copy(self, path: Path, number: int, grown: list[str]) -> Path:
        folder = self.folder / "files" / str(number)
        folder.mkdir(parents=True)
        copy = folder / path.name
        size = copy_as_it_is(path, copy)
        if path.stat().st_size != size:
            grown.append(f"{path.name} changed while it was read; its first {size} bytes were read.")
        return copy

    def _parts(self, files: Sequence[Path]) -> tuple[list[Part], list[Path]]:
        """Read each file, with the table of sites (or of columns) that was handed in beside it."""
        beside = [path for path in files if self._describes(path)] if len(files) > 1 else []
        readings = [path for path in files if path not in beside]
        if not readings:
            raise FieldFileError(
                "These files name sites and hold no readings; hand in the readings with them."
            )
        if len(beside) > 1:
            raise FieldFileError(
                f"{' and '.join(path.name for path in beside)} both describe sites or columns; "
                "hand in one of them with the readings that belong to it."
            )
        return [self._part(path, next(iter(beside), None)) for path in readings], beside

    def _describes(self, path: Path) -> bool:
        if not self.guarded:
            return field_file.is_site_table(path, self.topic, self.limits)
        return bool(
            run_guarded(
                "sensors.field_file:is_site_table",
                {"path": str(path)},
                folder=path.parent,
                seconds=self.limits.parse_seconds,
                memory_mb=self.limits.parse_memory_mb,
            )
        )

    def _part(self, path: Path, sites: Path | None) -> Part:
        mapping = self.mapping
        part = self._read(path, sites, mapping)
        kept = self._kept_mapping(part.report)
        if mapping is None and kept is not None and part.report.questions:
            mapping = kept
            part = self._read(path, sites, mapping)
        if part.report.rows_without_place and len(self.known):
            part = self._read(path, sites, mapping, self.known)
        return part

    def _read(
        self, path: Path, sites: Path | None, mapping: Path | None, known: pd.DataFrame | None = None
    ) -> Part:
        folder = Path(tempfile.mkdtemp(dir=self.folder, prefix="read-"))
        read = field_file.read_guarded if self.guarded else field_file.read_into
        report = read(
            path,
            folder,
            topic=self.topic,
            mapping=mapping,
            answers=self.answers,
            sites=sites,
            contributor=self.contributor,
            known_sites=known,
            settings=self.limits,
            progress=lambda share, text: self.progress(share, f"{path.name}: {text}"),
        )
        return Part(path, folder, report, known)

    def _kept_mapping(self, report: Report) -> Path | None:
        if self.store is None:
            return None
        path = mapping_path(self.store, report)
        return path if path.is_file() else None

    def _together(self, parts: Sequence[Part], site_tables: Sequence[Path]) -> tuple[Path, Report]:
        if len(parts) == 1:
            return parts[0].folder, parts[0].report
        folder = self.folder / "together"
        folder.mkdir()
        _join_observations([part.folder / OBSERVATIONS for part in parts], folder / OBSERVATIONS)
        tables = [pd.read_parquet(part.folder / QUARANTINE).assign(file=part.path.name) for part in parts]
        pd.concat(tables, ignore_index=True).to_parquet(folder / QUARANTINE)
        texts = [f"# {part.path.name}\n" + (part.folder / MAPPING).read_text("utf-8") for part in parts]
        (folder / MAPPING).write_text("\n".join(texts), encoding="utf-8")
        return folder, _sum([part.report for part in parts])

    def _ask_about_places(self, checked: Checked) -> None:
        sites = _sites(checked.folder / OBSERVATIONS)
        links = self.store.site_links() if self.store else {}
        decided = different_places(self.store) if self.store else set()
        checked.pairs = same_place.propose(sites, self.known, decided=decided, links=links)
        asked = [_question(pair) for pair in checked.pairs if pair.question_id not in self.answers]
        here = set(sites["monitoring_location_id"])
        same = [p for p in checked.pairs if p.same_as in here and self.answers.get(p.question_id) == SAME]
        checked.report = dataclasses.replace(
            checked.report,
            questions=[*checked.report.questions, *asked],
            sites=checked.report.sites - len({pair.site for pair in same}),
        )

    def _check_answers(self, checked: Checked) -> None:
        for pair in checked.pairs:
            said = self.answers.get(pair.question_id, SAME)
            if said not in (SAME, DIFFERENT):
                raise ChoiceError(
                    f"The answer to {pair.question_id} is {said!r}; it takes {SAME!r} or {DIFFERENT!r}."
                )


def copy_as_it_is(path: Path, copy: Path) -> int:
    """Copy a file as long as it is now, readable by its owner only; says how many bytes that were.

    Raises
    ------
    FieldFileError
        If there is no such file, or it is not an ordinary one.
    """
    if path.is_dir():
        raise FieldFileError(f"{path.name or path} is a folder; name the files in it.")
    if not path.exists():
        raise FieldFileError(f"There is no file {path}.")
    if not path.is_file():
        raise FieldFileError(f"{path.name} is not an ordinary file, so it cannot be read as a table.")
    left = size = path.stat().st_size
    try:
        copy.touch(mode=0o600)
        with path.open("rb") as source, copy.open("wb") as target:
            while left > 0 and (block := source.read(min(left, 1 << 22))):
                target.write(block)
                left -= len(block)
    except PermissionError as wrong:
        raise FieldFileError(f"{path.name} may not be read by this user.") from wrong
    except OSError as wrong:
        raise FieldFileError(f"{path.name} could not be read: {wrong.strerror}.") from wrong
    return size - left


def _sites(observations: Path) -> pd.DataFrame:
    """Read the distinct sites of a file of observations, in the order in which they come."""
    names = list(SITE_COLUMNS)
    held: list[pd.DataFrame] = []
    for batch in pq.ParquetFile(observations).iter_batches(_BATCH_ROWS, columns=names):
        held.append(batch.to_pandas().drop_duplicates("monitoring_location_id"))
    if not held:
        return pd.DataFrame({name: [] for name in names})
    return pd.concat(held).drop_duplicates("monitoring_location_id", ignore_index=True)


def _known(store: Store | None, topic: Topic) -> pd.DataFrame:
    names = list(SITE_COLUMNS)
    if store is None:
        return pd.DataFrame({name: pd.Series([], dtype="object") for name in names})
    return store.sites(topic.key)[names]


def _question(pair: Pair) -> Question:
    away = "" if pair.distance_m is None else f", {pair.distance_m:.0f} m away"
    return Question(
        id=pair.question_id,
        text=f"Is “{pair.site_name}” the same place as “{pair.same_as_name}”{away}?",
        why="Their names are alike and they are close together; one place written twice would be "
        "counted twice, and two places taken for one would mix their water.",
        choices=[
            Choice(
                SAME, "Yes, one place", f"Its readings join those of “{pair.same_as_name}”; can be undone."
            ),
            Choice(DIFFERENT, "No, two places", "They stay apart, and the question is not asked again."),
        ],
        rows_waiting=0,
        column="monitoring_location_name",
        example=pair.site_name,
    )


def _sum(reports: Sequence[Report]) -> Report:
    first = reports[0]
    counts = (
        "rows_without_place",
        "lines_above_header",
        "rows_in",
        "observations",
        "rows_observed",
        "rows_quarantined",
        "rows_waiting",
        "cells_quarantined",
        "censored",
        "sites",
    )
    total = {name: sum(getattr(report, name) for report in reports) for name in counts}
    properties: dict[str, int] = {}
    for report in reports:
        for name, count in report.properties.items():
            properties[name] = properties.get(name, 0) + count
    questions = {question.id: question for report in reports for question in report.questions}
    return dataclasses.replace(
        first,
        **total,
        properties=properties,
        dialect=" + ".join(dict.fromkeys(str(report.dialect) for report in reports)),
        encoding=" + ".join(dict.fromkeys(str(report.encoding) for report in reports)),
        questions=list(questions.values()),
        columns=[column for report in reports for column in report.columns],
        warnings=[warning for report in reports for warning in report.warnings],
    )


def _join_observations(paths: Sequence[Path], out: Path) -> None:
    """Write several files of observations as one; a reading that stands in two of them comes once."""
    seen: set[str] = set()
    with pq.ParquetWriter(out, ARROW) as writer:
        for path in paths:
            for batch in pq.ParquetFile(path).iter_batches(_BATCH_ROWS):
                ids = batch.column("observation_id").to_pylist()
                fresh = [identity not in seen for identity in ids]
                seen.update(ids)
                writer.write_batch(batch.filter(pa.array(fresh)).cast(ARROW))


def mapping_path(store: Store, report: Report) -> Path:
    """Say where a store keeps the mapping for files of one shape."""
    return store.home / "mappings" / f"{report.shape}.toml"


def _places_path(store: Store) -> Path:
    return store.home / "different_places.json"


def different_places(store: Store) -> set[frozenset[str]]:
    """Read the pairs of sites that a person said are different places."""
    path = _places_path(store)
    if not path.is_file():
        return set()
    return {frozenset(pair) for pair in json.loads(path.read_text("utf-8"))}


def submit(
    store: Store, checked: Checked, *, contributor: str | None = None, accept: bool = False
) -> Receipt:
    """Put what was checked into the store, as one batch.

    Rows behind a question that nobody answered stay out, and are told in the report.

    Parameters
    ----------
    store : Store
        Where to.
    checked : Checked
        From :func:`check`.
    contributor : str, optional
        A pseudonym; when it is not the one given to :func:`check`, the files are read once more,
        since a reading's name says who it came from.
    accept : bool
        Show the readings at once, instead of keeping them for a reviewer.

    Returns
    -------
    Receipt
    """
    contributor = pseudonym(contributor)
    if contributor != checked.contributor:
        with _under_the_name(checked, contributor, store) as again:
            return _submit(store, again, accept)
    return _submit(store, checked, accept)


def _under_the_name(checked: Checked, contributor: str | None, store: Store) -> Checked:
    files = [part.path for part in checked.parts] + checked.site_tables
    return check(files, topic=checked.topic, answers=checked.answers, contributor=contributor, store=store)


def _submit(store: Store, checked: Checked, accept: bool) -> Receipt:
    original = _original(checked)
    receipt = store.add(
        original,
        with_ids(checked.folder / OBSERVATIONS),
        filename=checked.parts[0].path.name,
        source_id=f"upload:{checked.contributor}" if checked.contributor else "upload",
        contributor=checked.contributor,
        quarantine=checked.folder / QUARANTINE,
        recipe=_recipe(checked),
        topic=checked.topic.key,
        rows_in=checked.report.rows_in,
        accept=accept,
    )
    if not receipt.already:
        _remember(store, checked)
    return receipt


def _original(checked: Checked) -> Path:
    files = [part.path for part in checked.parts] + checked.site_tables
    if len(files) == 1:
        return files[0]
    bundle = Path(checked.temporary.name) / "bundle.zip"
    bundle.touch(mode=0o600)
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_STORED, allowZip64=True) as pack:
        for number, path in enumerate(files):
            # Fixed date and order: the same files make the same bundle, which the store then knows.
            entry = zipfile.ZipInfo(f"{number}/{path.name}", (1980, 1, 1, 0, 0, 0))
            with path.open("rb") as source, pack.open(entry, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target, 1 << 22)
    return bundle


def _recipe(checked: Checked) -> dict[str, Any]:
    return {
        "kind": "field_file",
        "version": _RECIPE,
        "files": [part.path.name for part in checked.parts],
        "site_tables": [path.name for path in checked.site_tables],
        "mappings": [(part.folder / MAPPING).read_text("utf-8") for part in checked.parts],
        "known_sites": [_known_sites_used(part) for part in checked.parts],
        "answers": checked.answers,
        "topic": checked.topic.key,
        "contributor": checked.contributor,
    }


def _known_sites_used(part: Part) -> list[list[Any]]:
    """List the known sites that gave a file its places: a rebuild must not depend on what came later."""
    if part.known_sites is None:
        return []
    named = _sites(part.folder / OBSERVATIONS)["monitoring_location_id"]
    used = part.known_sites[part.known_sites["monitoring_location_id"].isin(named)]
    return list(json.loads(used[list(SITE_COLUMNS)].to_json(orient="values", double_precision=15)))


def _remember(store: Store, checked: Checked) -> None:
    for part in checked.parts:
        path = mapping_path(store, part.report)
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, (part.folder / MAPPING).read_text("utf-8"))
    who = checked.contributor or "anonymous"
    apart = different_places(store)
    for pair in checked.pairs:
        said = checked.answers.get(pair.question_id)
        if said == SAME:
            store.link_site(pair.site, pair.same_as, who)
        elif said == DIFFERENT:
            apart.add(frozenset((pair.site, pair.same_as)))
    if apart != different_places(store):
        _write(_places_path(store), json.dumps(sorted(sorted(pair) for pair in apart), indent=1))


def _write(path: Path, text: str) -> None:
    # Written beside and moved into place: another process reads the old text or the new one.
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, suffix=".part", delete=False
    ) as part:
        part.write(text)
    Path(part.name).replace(path)


def read_again(original: Path, recipe: Mapping[str, Any]) -> Iterator[pa.Table]:
    """Read a stored original as its recipe says: what ``rebuild`` asks for.

    Parameters
    ----------
    original : Path
        The bytes that were handed in, under whatever name the store keeps them.
    recipe : mapping
        From :func:`submit`.

    Yields
    ------
    Table
        Observations, of the schema :data:`situation.observation.ARROW`.

    Raises
    ------
    FieldFileError
        If the recipe is not one of ours.
    """
    if recipe.get("kind") == "demonstration":
        yield to_arrow(next(file for file in demo_files() if file.filename == recipe["file"]).observations)
        return
    if recipe.get("kind") == "pull":
        from sensors import pull  # which knows the sources; not needed to read what people hand over

        yield from pull.read_again(original, recipe)
        return
    if recipe.get("kind") != "field_file":
        raise FieldFileError(f"There is no reader for a batch of kind {recipe.get('kind')!r}.")
    with tempfile.TemporaryDirectory(prefix="commonsight-") as folder:
        files, sites = _unpack(original, recipe, Path(folder))
        outs = []
        for number, path in enumerate(files):
            out = Path(folder) / f"read-{number}"
            out.mkdir()
            mapping = Path(folder) / f"mapping-{number}.toml"
            mapping.write_text(recipe["mappings"][number], encoding="utf-8")
            field_file.read_guarded(
                path,
                out,
                topic=_topic(recipe["topic"]),
                mapping=mapping,
                answers=recipe["answers"],
                sites=sites,
                contributor=recipe["contributor"],
                known_sites=pd.DataFrame(recipe["known_sites"][number], columns=list(SITE_COLUMNS)),
                settings=patient(settings(), path),
            )
            outs.append(out / OBSERVATIONS)
        together = outs[0]
        if len(outs) > 1:
            together = Path(folder) / OBSERVATIONS
            _join_observations(outs, together)
        for batch in pq.ParquetFile(with_ids(together)).iter_batches(_BATCH_ROWS):
            yield pa.Table.from_batches([batch]).cast(ARROW)


def _unpack(original: Path, recipe: Mapping[str, Any], folder: Path) -> tuple[list[Path], Path | None]:
    names = [*recipe["files"], *recipe["site_tables"]]
    paths = []
    for number, name in enumerate(names):
        path = folder / str(number) / Path(name).name
        path.parent.mkdir()
        paths.append(path)
    if len(names) == 1:
        shutil.copyfile(original, paths[0])
    else:
        with zipfile.ZipFile(original) as pack:
            for number, (name, path) in enumerate(zip(names, paths, strict=True)):
                with pack.open(f"{number}/{name}") as source, path.open("wb") as target:
                    shutil.copyfileobj(source, target, 1 << 22)
    readings = len(recipe["files"])
    return paths[:readings], next(iter(paths[readings:]), None)


def patient(limits: Settings, *paths: Path) -> Settings:
    """Give a large file the time it needs: two seconds a megabyte beyond what is set.

    For the command line, where the person at the keyboard can stop it.
    """
    size_mb = sum(path.stat().st_size for path in paths if path.is_file()) / 1e6
    return dataclasses.replace(
        limits,
        parse_seconds=limits.parse_seconds + int(2 * size_mb),
        max_upload_mb=max(limits.max_upload_mb, int(size_mb) + 1),
    )


def write_out(checked: Checked, out: Path) -> list[Path]:
    """Write what was read into a folder, for a person to look at.

    ``observations.csv``, ``quarantine.csv``, ``mapping.toml``, ``report.json``; with open questions
    ``answers.toml`` to fill in; with rows that need help ``rows_to_correct.csv``, the file itself with
    the reasons beside it. Free text is safe to open in a spreadsheet.

    Returns
    -------
    list of Path
        The files written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        written = [out / "observations.csv", out / "quarantine.csv", out / MAPPING, out / REPORT]
        _observations_csv(checked.folder / OBSERVATIONS, written[0])
        _quarantine_csv(checked.folder / QUARANTINE, written[1])
        shutil.copyfile(checked.folder / MAPPING, written[2])
        written[3].write_text(checked.report.to_json(), encoding="utf-8")
        if checked.questions:
            written.append(out / "answers.toml")
            written[-1].write_text(answers_to_fill_in(checked.questions), encoding="utf-8")
        rows = rows_to_help(_first_lines(checked.folder / QUARANTINE))
        if len(rows):
            written.append(out / "rows_to_correct.csv")
            written[-1].write_bytes(help_csv(rows))
    except OSError as wrong:
        raise CommonsightError(f"{out} cannot be written: {wrong.strerror}.") from wrong
    return written


def _observations_csv(parquet: Path, out: Path) -> None:
    with out.open("wb") as target, pacsv.CSVWriter(target, _as_text(ARROW.empty_table()).schema) as writer:
        for batch in pq.ParquetFile(parquet).iter_batches(_BATCH_ROWS):
            writer.write_table(_as_text(pa.Table.from_batches([batch]).cast(ARROW)))


def _as_text(table: pa.Table) -> pa.Table:
    table = safe_arrow(table)
    for index, name in enumerate(table.column_names):
        if pa.types.is_timestamp(table.schema.field(name).type):
            text = pa.compute.strftime(table.column(name), format="%Y-%m-%dT%H:%M:%SZ")
            # strftime writes the fraction of a second that the type can hold.
            text = pa.compute.replace_substring_regex(text, r"\.0+Z$", "Z")
            table = table.set_column(index, name, text)
    return table


def _quarantine_csv(parquet: Path, out: Path) -> None:
    source = pq.ParquetFile(parquet)
    first = [name for name in QUARANTINE_COLUMNS if name in source.schema_arrow.names]
    names = first + [name for name in source.schema_arrow.names if name not in first]
    schema = pa.schema([pa.field(safe_cell(name), source.schema_arrow.field(name).type) for name in names])
    with out.open("wb") as target, pacsv.CSVWriter(target, schema) as writer:
        for batch in source.iter_batches(_BATCH_ROWS):
            table = safe_arrow(pa.Table.from_batches([batch]).select(names), closed=())
            writer.write_table(table.rename_columns(schema.names))


def _first_lines(parquet: Path) -> pd.DataFrame:
    """Read the quarantine, at most :data:`_HELP_LINES` of it: what one person can correct in a sheet."""
    held: list[pa.RecordBatch] = []
    for batch in pq.ParquetFile(parquet).iter_batches(_BATCH_ROWS):
        held.append(batch)
        if sum(len(part) for part in held) >= _HELP_LINES:
            break
    schema = pq.read_schema(parquet)
    return pa.Table.from_batches(held, schema=schema).slice(0, _HELP_LINES).to_pandas()


def answers_to_fill_in(questions: Sequence[Question]) -> str:
    """Write open questions as TOML, each with its choices, to be answered by deleting a ``#``.

    Examples
    --------
    >>> ask = Question("dates-1", "Day or month first?", "4/3 is both.", [Choice("dmy", "4 March", "")],
    ...                rows_waiting=2, column="date", example="4/3/2026")
    >>> print(answers_to_fill_in([ask]))
    # Take the # away from one line of each question, then hand this file to --answers.
    <BLANKLINE>
    # Day or month first?
    # 4/3 is both. (2 rows wait; for example: 4/3/2026)
    #dates-1 = "dmy"  # 4 March
    <BLANKLINE>
    """
    lines = ["# Take the # away from one line of each question, then hand this file to --answers."]
    for question in questions:
        lines += ["", f"# {_one_line(question.text)}", f"# {_one_line(question.why)} {_waiting(question)}"]
        lines += [
            f"#{question.id} = {json.dumps(choice.value)}  # {_one_line(choice.label)}"
            for choice in question.choices
        ]
    return "\n".join(lines) + "\n"


def _waiting(question: Question) -> str:
    rows = f"{question.rows_waiting} row{'s' if question.rows_waiting != 1 else ''} wait"
    return f"({rows}; for example: {_one_line(str(question.example))})" if question.example else f"({rows})"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def make_demo(url: str) -> Store:
    """Put the simulated readings into a store of their own; what is there already is not added again.

    Each file of ``data/demo`` is one batch, read by :mod:`situation.demo`: its rows carry the names of the
    invented places and people, which the reader of field files would rightly drop.

    Raises
    ------
    StoreError
        If the store holds readings of people.
    """
    store = open_store(url)
    strangers = [batch for batch in store.history() if batch.contributor != SIMULATED]
    if strangers:
        raise StoreError(f"{url} holds readings of people; the simulated ones need a store of their own.")
    for file in demo_files():
        store.add(
            file.original,
            to_arrow(file.observations),
            filename=file.filename,
            source_id=file.source_id,
            contributor=SIMULATED,
            recipe={"kind": "demonstration", "file": file.filename},
            topic=file.topic,
            rows_in=file.rows_in,
            accept=True,
        )
    store.set_simulated(SIMULATED)
    return store
