"""From a question to a batch in the store: asks a source, keeps what it said, reads it, and reports.

What a source says is kept as one original: its only table as it is, several answers as one archive with
always the same bytes. ``rebuild`` reads that again and asks nobody. A fetch is one batch; the same bytes
again are none, and readings that stand already are not added by a window that overlaps.

Whatever happens, a line is written (:mod:`sensors.source_state`): nothing that failed looks like nothing
that was there.
"""

from __future__ import annotations

import csv
import json
import logging
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from sensors import field_file
from sensors.field_file import Origin, Report
from sensors.http import Caps, Http, Notes, clean_url
from sensors.sensor import Ask, Body, Sensor
from sensors.source_state import (
    COMPLETE,
    EMPTY,
    FAILED,
    KEY_MISSING,
    SUSPECT,
    TRUNCATED,
    WAITING,
    Fetches,
    FetchReport,
    control,
    doubt,
    last_good,
    open_until,
    signature,
    vanished,
)
from sensors.sources import source_named
from situation.errors import (
    CommonsightError,
    IncompleteResponse,
    KeyMissing,
    RateLimited,
    SchemaDrift,
    SensorError,
    StoreError,
)
from situation.observation import ARROW
from situation.settings import Settings, secret, settings
from situation.topic import Topic, topics
from store import Store, originals

Progress = Callable[[float | None, str], None]

#: So far back the first collection of a topic looks, in days; `pull` without --since asks for all there is.
FIRST_DAYS = 365
_RECIPE = 1
_MANIFEST = "manifest.json"
_BATCH_ROWS = 100_000
_REASONS = 20
_log = logging.getLogger(__name__)


@dataclass
class _Account:
    """What is known of a fetch so far; becomes its report."""

    sensor: Sensor
    ask: Ask
    question: str
    started: datetime
    topic: Topic
    incremental: bool

    def report(self, outcome: str, said: str, notes: Notes | None = None, **more: Any) -> FetchReport:
        ask = self.ask
        asked = {
            "base_url": clean_url(ask.base_url),
            "bbox": ask.bbox,
            "since": ask.since.isoformat() if ask.since else None,
            "until": ask.until.isoformat() if ask.until else None,
            "properties": list(ask.properties),
            "site": ask.site,
            "modified_since": ask.modified_since.isoformat() if ask.modified_since else None,
        }
        counted: dict[str, Any] = {}
        if notes is not None:
            counted = {
                "requests": notes.requests,
                "pages": len(notes.pages),
                "size": notes.size,
                "declared": notes.declared,
                "bodies": [asdict(page) for page in notes.pages],
                "skew_s": round(notes.skew_s, 1),
                "warnings": list(notes.warnings),
            }
        counted.update(more)
        return FetchReport(
            source=self.sensor.key,
            signature=self.question,
            outcome=outcome,
            started=self.started.isoformat(timespec="seconds"),
            ended=datetime.now(UTC).isoformat(timespec="seconds"),
            said=said,
            asked=asked,
            topic=self.topic.key,
            incremental=self.incremental,
            **counted,
        )


def pull(
    sensor: Sensor,
    ask: Ask,
    store: Store,
    *,
    topic: Topic | None = None,
    progress: Progress | None = None,
    limits: Settings | None = None,
    caps: Caps | None = None,
    guarded: bool = True,
    force: bool = False,
    incremental: bool = False,
    sleep: Callable[[float], None] = time.sleep,
    seed: int | None = None,
) -> FetchReport:
    """Ask a source, and keep what it says as one accepted batch.

    Parameters
    ----------
    sensor, ask
        Whom, and what.
    store : Store
        Where to; the report is kept beside it.
    topic : Topic, optional
        What the readings are about; by default the one that *ask* names, else the first that the source serves.
    progress : callable, optional
        Called with the share done (or None) and a word.
    limits : Settings, optional
        Limits of the reading.
    caps : Caps, optional
        Where patience ends.
    guarded : bool
        Read in a child process with limits of memory and time.
    force : bool
        Ask even if the source is left alone after failures: what a person does who presses the button.
    incremental : bool
        Whether *ask* goes on from an earlier fetch; for the report.

    Returns
    -------
    FetchReport
        Also for a fetch that failed: its ``outcome`` says so, and nothing of it was kept.

    Raises
    ------
    StoreError
        If the store cannot take the batch; the report of that is written first.
    """
    tell = progress or (lambda share, text: None)
    fetches = Fetches(store.home)
    account = _Account(
        sensor, ask, signature(sensor, ask), datetime.now(UTC), topic or _topic(sensor, ask), incremental
    )
    folder = store.home / "sources"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with FileLock(folder / f"{sensor.key}.lock", timeout=0):
            report = _pull(
                account, store, fetches, tell, limits or settings(), caps, guarded, force, sleep, seed
            )
    except Timeout:
        report = account.report(WAITING, "Another process is asking this source now.")
    return report


def _topic(sensor: Sensor, ask: Ask) -> Topic:
    held = topics()
    for key in (ask.topic, *sensor.topics):
        if key in held:
            return held[key]
    return next(iter(held.values()))


def _pull(
    account: _Account,
    store: Store,
    fetches: Fetches,
    tell: Progress,
    limits: Settings,
    caps: Caps | None,
    guarded: bool,
    force: bool,
    sleep: Callable[[float], None],
    seed: int | None,
) -> FetchReport:
    sensor, ask = account.sensor, account.ask
    before = fetches.of(sensor.key)
    until = None if force else open_until(before)
    if until is not None and until > account.started:
        # Not written down: it says nothing about the source.
        return account.report(
            WAITING,
            f"After failures it is left alone until {until:%Y-%m-%d %H:%M} UTC.",
            retry_at=until.isoformat(timespec="seconds"),
        )
    key = secret(sensor.key_variable) if sensor.key_variable else None
    if sensor.key_needed and not key:
        return _noted(fetches, account.report(KEY_MISSING, f"It needs a key; set {sensor.key_variable}."))
    passing = store.home / "sources" / f"{sensor.key}.fetch"
    # What a killed fetch left behind: nobody else is in there while we hold the source's lock.
    shutil.rmtree(passing, ignore_errors=True)
    passing.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=passing, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        http = Http(
            ask.base_url,
            agent=agent(limits, account.topic),
            folder=folder / "bodies",
            key=key,
            key_header=sensor.key_header,
            key_scheme=sensor.key_scheme,
            key_variable=sensor.key_variable,
            pause_s=sensor.pause_s,
            hosts=sensor.hosts,
            known_as=sensor.base_url,
            cache=store.home / "sources" / "cache",
            caps=caps,
            progress=lambda notes: tell(
                None, f"{sensor.key}: {len(notes.pages)} answers, {notes.size >> 10} kB"
            ),
            sleep=sleep,
            seed=seed,
        )
        with http:
            try:
                report = _fetch_and_keep(account, store, before, http, folder, tell, limits, guarded)
            except StoreError as wrong:
                _noted(fetches, account.report(FAILED, str(wrong), http.notes, error=type(wrong).__name__))
                raise
            except CommonsightError as wrong:
                report = _failed(account, http, wrong)
            except Exception as wrong:
                _log.exception("source %s", sensor.key)
                report = _failed(
                    account,
                    http,
                    SchemaDrift(
                        f"The answer could not be read ({type(wrong).__name__}: {str(wrong)[:200]})."
                    ),
                )
    return _noted(fetches, report)


def _noted(fetches: Fetches, report: FetchReport) -> FetchReport:
    fetches.add(report)
    return report


def _failed(account: _Account, http: Http, wrong: CommonsightError) -> FetchReport:
    outcome = KEY_MISSING if isinstance(wrong, KeyMissing) else FAILED
    retry = wrong.retry_at if isinstance(wrong, RateLimited) else None
    return account.report(
        outcome,
        http.hide(str(wrong)),
        http.notes,
        error=type(wrong).__name__,
        retry_at=retry.isoformat(timespec="seconds") if retry else None,
    )


def _fetch_and_keep(
    account: _Account,
    store: Store,
    before: Sequence[FetchReport],
    http: Http,
    folder: Path,
    tell: Progress,
    limits: Settings,
    guarded: bool,
) -> FetchReport:
    sensor, ask, notes = account.sensor, account.ask, http.notes
    bodies = [body for body in sensor.fetch(ask, http) if not body.empty]
    table = make_table(sensor, bodies, folder / "table")
    read: Report | None = None
    if table is not None:
        read = _read(sensor, ask, account.topic, table, folder / "read", limits, guarded, tell)
    rows = read.rows_in if read else 0
    came = notes.got or rows
    if notes.declared is not None and came < notes.declared:
        http.truncated(f"The source declares {notes.declared} rows and gave {came}.")
    elif notes.declared is not None and came > notes.declared:
        http.warn(f"The source declares {notes.declared} rows and gave {came}.")
    if notes.declared and not came:
        raise IncompleteResponse(f"The source declares {notes.declared} rows and gave none.")
    more = _counts(read, folder / "read")
    said = doubt(before, account.question, ask, int(more.get("sites", 0)))
    if not rows and not said and not notes.truncated:
        said = _controlled(account, before, http, folder)
    if read and rows and not read.observations:
        said = said or f"{rows} rows came and not one could be used; the reasons are in the quarantine."
    if read and rows:
        more |= _kept(account, store, bodies, read, folder)
    more["warnings"] = [*notes.warnings, *notes.truncated, *(read.warnings if read else ())]
    if notes.truncated:
        return account.report(
            TRUNCATED,
            f"The source gave less than there is: {notes.truncated[0]}",
            notes,
            truncated=True,
            **more,
        )
    if said:
        return account.report(SUSPECT, said, notes, **more)
    if not rows:
        return account.report(EMPTY, "It answered, and has nothing for this question.", notes, complete=True)
    return account.report(COMPLETE, _told(more), notes, complete=True, **more)


def _controlled(account: _Account, before: Sequence[FetchReport], http: Http, folder: Path) -> str | None:
    """Ask for a reading that the source gave before; gives the sentence of a suspicion if it is gone."""
    found = control(before, account.question, account.ask)
    if found is None:
        return None
    ask, last = found
    declared, got = http.notes.declared, http.notes.got
    bodies = [body for body in account.sensor.fetch(ask, http) if not body.empty]
    http.notes.declared, http.notes.got = declared, got
    return None if make_table(account.sensor, bodies, folder / "control") is not None else vanished(last)


def _told(more: Mapping[str, Any]) -> str:
    parts = [f"{more['rows_out']} readings of {more['sites']} sites"]
    parts += [f"{more[name]} {name}" for name in ("added", "corrected") if more.get(name)]
    return ", ".join(parts) + "."


def make_table(sensor: Sensor, bodies: Sequence[Body], folder: Path) -> Path | None:
    """Make one table of text cells of all answers of a fetch; None if there are no rows in them.

    Parameters
    ----------
    sensor : Sensor
        Its ``parse`` flattens them; without one they are CSV, which are put together under their header.
    bodies : sequence of Body
        In the order in which they came.
    folder : Path
        Where the table is written.

    Raises
    ------
    SchemaDrift
        If CSV answers of one fetch have different headers.
    """
    if not bodies:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    if sensor.parse is None:
        return _join_csv(bodies, folder / f"{sensor.key}.csv")
    return _join_tables(sensor.parse(bodies), folder)


def _join_csv(bodies: Sequence[Body], path: Path) -> Path | None:
    if len(bodies) == 1 and isinstance(bodies[0].content, Path):
        return bodies[0].content if _has_rows(bodies[0].content) else None
    header: list[str] | None = None
    with path.open("wb") as out:
        for body in bodies:
            with body.open() as file:
                first = file.readline()
                names = next(csv.reader([first.decode("utf-8-sig", "replace").strip("\r\n")]), [])
                if header is None:
                    header = names
                    out.write(first.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n") + b"\n")
                elif names != header:
                    raise SchemaDrift(
                        f"The answer {body.name} has other columns than the first of this fetch."
                    )
                shutil.copyfileobj(file, out, 1 << 20)
    return path if _has_rows(path) else None


def _has_rows(path: Path) -> bool:
    with path.open("rb") as file:
        file.readline()
        return bool(file.read(4096).strip())


def _join_tables(tables: Iterator[pd.DataFrame], folder: Path) -> Path | None:
    """Write tables as one; where their columns differ, a row has empty cells for those of the others."""
    parts: dict[tuple[str, ...], tuple[Path, pq.ParquetWriter]] = {}
    try:
        for table in tables:
            if table.empty:
                continue
            names = tuple(map(str, table.columns))
            schema = pa.schema([(name, pa.large_string()) for name in names])
            if names not in parts:
                path = folder / f"part-{len(parts)}.parquet"
                parts[names] = path, pq.ParquetWriter(path, schema, compression="zstd")
            text = table.astype("str").fillna("")
            parts[names][1].write_table(pa.Table.from_pandas(text, schema=schema, preserve_index=False))
    finally:
        for _, writer in parts.values():
            writer.close()
    if len(parts) <= 1:
        return next((path for path, _ in parts.values()), None)
    every = list(dict.fromkeys(name for names in parts for name in names))
    joined = folder / "table.parquet"
    with pq.ParquetWriter(
        joined, pa.schema([(name, pa.large_string()) for name in every]), compression="zstd"
    ) as out:
        for names, (path, _) in parts.items():
            for batch in pq.ParquetFile(path).iter_batches(_BATCH_ROWS):
                columns = [
                    batch.column(name)
                    if name in names
                    else pa.repeat(pa.scalar("", pa.large_string()), len(batch))
                    for name in every
                ]
                out.write_table(pa.table(columns, schema=out.schema))
    return joined


def _read(
    sensor: Sensor,
    ask: Ask,
    topic: Topic,
    table: Path,
    out: Path,
    limits: Settings,
    guarded: bool,
    tell: Progress,
) -> Report:
    origin = Origin(
        sensor.source_id(ask), sensor.dialect, {"licence": sensor.licence, "attribution": sensor.attribution}
    )
    read = field_file.read_guarded if guarded else field_file.read_into
    return read(
        table,
        out,
        topic=topic,
        settings=patient(limits, table),
        origin=origin,
        progress=lambda share, text: tell(share, f"{sensor.key}: {text}"),
    )


def patient(limits: Settings, table: Path) -> Settings:
    """Give an answer the time that its size needs: two seconds a megabyte beyond what is set."""
    return replace(limits, parse_seconds=limits.parse_seconds + int(2 * table.stat().st_size / 1e6))


def _counts(read: Report | None, folder: Path) -> dict[str, Any]:
    if read is None:
        return {}
    times = pq.read_table(folder / "observations.parquet", columns=["phenomenon_time"]).column(0)
    ends = pc.min_max(times) if len(times) else None
    cells = pq.read_table(folder / "quarantine.parquet", columns=["source_row", "reason"]).to_pandas()
    reasons = cells.drop_duplicates()["reason"].value_counts().head(_REASONS)
    return {
        "rows_in": read.rows_in,
        "rows_out": read.observations,
        "rows_observed": read.rows_observed,
        "rows_quarantined": read.rows_quarantined,
        "rows_waiting": read.rows_waiting,
        "quarantined": {str(reason): int(number) for reason, number in reasons.items()},
        "sites": read.sites,
        "oldest": ends["min"].as_py().isoformat() if ends else None,
        "newest": ends["max"].as_py().isoformat() if ends else None,
    }


def _kept(
    account: _Account, store: Store, bodies: Sequence[Body], read: Report, folder: Path
) -> dict[str, Any]:
    sensor = account.sensor
    single = len(bodies) == 1 and sensor.parse is None and isinstance(bodies[0].content, Path)
    source_id = sensor.source_id(account.ask)
    original = bodies[0].content if single else package(bodies, folder / "original.zip")
    digest = bodies[0].sha256 if single and bodies[0].sha256 else originals.sha256(original)
    # The same bytes may have come back several times: each time counts after the change it took back.
    while (changed := _changed_since(store, digest, source_id)) is not None:
        single, original = False, package(bodies, folder / "again.zip", after=changed)
        digest = originals.sha256(original)
    receipt = store.add(
        original,
        folder / "read" / "observations.parquet",
        filename=f"{sensor.key} {account.started:%Y-%m-%d %H:%M}",
        source_id=source_id,
        topic=account.topic.key,
        rows_in=read.rows_in,
        recipe={
            "kind": "pull",
            "version": _RECIPE,
            "sensor": sensor.key,
            "parse": sensor.version,
            "base_url": clean_url(account.ask.base_url),
            "topic": account.topic.key,
            "packed": not single,
        },
        quarantine=folder / "read" / "quarantine.parquet",
        accept=True,
        who=sensor.key,
    )
    counted = {"batch": receipt.batch, "already": receipt.already}
    if receipt.already:
        return {**counted, "unchanged": read.observations}
    return {
        **counted,
        "added": receipt.added,
        "unchanged": receipt.unchanged,
        "corrected": receipt.corrected,
    }


def _changed_since(store: Store, digest: str, source_id: str) -> int | None:
    """Find the next batch that corrected readings of this source, if the same bytes stand as a batch already.

    A value that a source changes and then takes back comes in bytes that are known; they must count again.
    """
    book = store.book()
    standing = book.standing(digest, source_id)
    if standing is None:
        return None
    later = [b.batch for b in book.batches.values() if b.source_id == source_id and b.corrected]
    return min((number for number in later if number > standing.batch), default=None)


def package(bodies: Sequence[Body], path: Path, *, after: int | None = None) -> Path:
    """Put the answers of a fetch into one archive: the same answers make the same bytes.

    Addresses are not in it: what was asked on another day and answered alike is the same original. *after* is
    a batch that they are to count after, though the same answers came before it.
    """
    manifest: list[dict[str, Any]] = [
        {"name": body.name, "kind": body.kind, "about": dict(body.about), "content_type": body.content_type}
        for body in bodies
    ]
    if after is not None:
        manifest[0]["after"] = after
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, allowZip64=True, compresslevel=3) as pack:
        pack.writestr(_entry(_MANIFEST), json.dumps(manifest, ensure_ascii=False, sort_keys=True, indent=1))
        for number, body in enumerate(bodies):
            with body.open() as source, pack.open(_entry(str(number)), "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target, 1 << 20)
    return path


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def unpack(original: Path, folder: Path) -> list[Body]:
    """Give the answers of an archive that :func:`package` made."""
    folder.mkdir(parents=True, exist_ok=True)
    bodies = []
    with zipfile.ZipFile(original) as pack:
        for number, said in enumerate(json.loads(pack.read(_MANIFEST))):
            path = folder / f"{number}.body"
            with pack.open(str(number)) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
            bodies.append(
                Body(said["name"], path, said["content_type"], kind=said["kind"], about=said["about"])
            )
    return bodies


def read_again(original: Path, recipe: Mapping[str, Any], *, guarded: bool = True) -> Iterator[pa.Table]:
    """Read the original of a fetch once more, for ``rebuild``; asks nobody.

    Raises
    ------
    ChoiceError
        If the source is not there any more.
    """
    sensor = source_named(str(recipe["sensor"]))
    with tempfile.TemporaryDirectory(prefix="commonsight-fetch-") as name:
        folder = Path(name)
        bodies = unpack(original, folder / "bodies") if recipe["packed"] else [Body("1", original)]
        table = make_table(sensor, bodies, folder / "table")
        if table is None:
            return
        ask = Ask(str(recipe["base_url"]), topic=str(recipe["topic"]))
        topic = topics()[str(recipe["topic"])]
        _read(sensor, ask, topic, table, folder / "read", settings(), guarded, lambda share, text: None)
        for batch in pq.ParquetFile(folder / "read" / "observations.parquet").iter_batches(_BATCH_ROWS):
            yield pa.Table.from_batches([batch]).cast(ARROW)


def agent(limits: Settings, topic: Topic | None = None) -> str:
    """Say who asks: name, project, and the contact of whoever runs this installation."""
    contact = limits.contact or (topic.contact if topic else "") or limits.base_url or "no contact given"
    plain = "".join(sign if 32 <= ord(sign) < 127 else "?" for sign in contact)
    return f"commonsight/0.1 (open environmental readings; {plain})"


def going_on(sensor: Sensor, ask: Ask, store: Store, *, now: datetime | None = None) -> tuple[Ask, bool]:
    """Give the ask for what is new since the last good fetch of the same question.

    The first time it asks for :data:`FIRST_DAYS` back, unless the ask says otherwise.

    Returns
    -------
    ask : Ask
    incremental : bool
        Whether it goes on from an earlier fetch.
    """
    last = last_good(Fetches(store.home).of(sensor.key), signature(sensor, ask))
    if last is None:
        now = now or datetime.now(UTC)
        return (ask if ask.since else replace(ask, since=now - timedelta(days=FIRST_DAYS))), False
    # A source whose clock is behind ours stamps its changes earlier than we think.
    began = min(last.moment(), now or datetime.now(UTC)) + timedelta(seconds=min(0.0, last.skew_s))
    return sensor.since_last(ask, began), True


def cost(sensor: Sensor, ask: Ask) -> int | None:
    """Say how many requests an ask takes at least; None where that is not known before it is asked."""
    return sensor.cost(ask) if sensor.cost else None


def is_offline(report: FetchReport) -> bool:
    """Say whether a fetch failed because this machine has no way to the internet."""
    return report.error == "SourceUnavailable" and "connection to the internet" in report.said


__all__ = [
    "FIRST_DAYS",
    "FetchReport",
    "SensorError",
    "agent",
    "cost",
    "going_on",
    "is_offline",
    "make_table",
    "package",
    "pull",
    "read_again",
    "unpack",
]
