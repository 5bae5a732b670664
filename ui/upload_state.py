"""One upload on its way: its files, what was read from them, the answers; kept as a draft.

The state of the upload page lives in the session and, once a file is read, as a draft in the store's
folder, whose id stands in the address (``draft``). A dropped line or a closed tab loses nothing: the
page opened at that address reads the file again with the answers given so far.

Practice leaves nothing behind: no draft, no batch, only a temporary folder that goes with the session.

What surprised us: a reader that takes seconds must not run in the page's own thread, or no progress is
drawn. It runs in a thread of its own (and there in a child process), and the page looks in on it.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

import store
from sensors import intake
from situation.errors import CommonsightError, FileTooLarge
from situation.settings import settings
from situation.topic import topics

DRAFT_ID = re.compile(r"[A-Za-z0-9_-]{16,64}")
LONGEST_NAME = 100
QUIET_SECONDS = 1.0
_STRANGE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')


@dataclass(frozen=True)
class Reading:
    """What was read from the files of one upload.

    ``report`` is the reader's report (see ``sensors/field_file.py``); ``observations`` is in the flat
    form (longitude, latitude in degrees, EPSG:4326); ``quarantine`` has one row per unusable cell.
    """

    report: Mapping[str, Any]
    observations: pd.DataFrame
    quarantine: pd.DataFrame
    checked: Any

    @property
    def questions(self) -> list[dict[str, Any]]:
        """The open questions, in the order in which they are to be asked."""
        return list(self.report.get("questions") or [])


@dataclass
class Upload:
    """The files somebody is handing in, and everything they said about them."""

    topic: str
    practice: bool
    folder: tempfile.TemporaryDirectory[str]
    names: list[str]
    draft: str | None = None
    answers: dict[str, str] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    contributor: str = ""
    reading: Reading | None = None
    trouble: str | None = None
    fresh: list[str] = field(default_factory=list)
    refused: str | None = None

    @property
    def paths(self) -> list[Path]:
        """Where the files lie, under the names they came with."""
        return [Path(self.folder.name) / "in" / name for name in self.names]

    def as_draft(self) -> dict[str, Any]:
        """Give what a draft remembers beside the files."""
        return {
            "topic": self.topic,
            "names": self.names,
            "answers": self.answers,
            "skipped": self.skipped,
            "contributor": self.contributor,
        }


def current() -> Upload | None:
    """Find the upload of this session, or the draft that the address names."""
    upload = st.session_state.get("upload")
    wanted = st.query_params.get("draft")
    if wanted and (upload is None or upload.draft != wanted):
        upload = _resume(wanted)
        st.session_state["upload"] = upload
    return upload


def begin(files: Sequence[tuple[str, bytes]], topic: str, practice: bool) -> Upload:
    """Take files in; keep a draft of them unless this is practice.

    Raises
    ------
    FileTooLarge
        If together they are over the limit of the settings.
    StoreError
        If the draft cannot be kept.
    """
    limit = settings().max_upload_mb
    size = sum(len(body) for _, body in files)
    if size > limit * 1_000_000:
        raise FileTooLarge(
            f"Your files have {size / 1e6:.1f} MB together; this site takes {limit} MB at once. "
            "Split the file, for example by year, and send the parts one after another."
        )
    upload = Upload(topic, practice, tempfile.TemporaryDirectory(prefix="commonsight-"), _names(files))
    _write(upload, [body for _, body in files])
    if not practice:
        upload.draft = _store().save_draft(None, upload.as_draft(), _packed(upload)).id
        st.query_params["draft"] = upload.draft
    st.session_state["upload"] = upload
    return upload


def keep(upload: Upload) -> None:
    """Save the answers given so far, so that the address brings them back."""
    if upload.draft:
        _store().save_draft(upload.draft, upload.as_draft())


def forget(upload: Upload | None) -> None:
    """Drop the upload and its draft."""
    if upload and upload.draft:
        _store().drop_draft(upload.draft)
    st.session_state.pop("upload", None)
    st.query_params.pop("draft", None)
    # A new key empties the field that the files were dropped into.
    st.session_state["picked"] = st.session_state.get("picked", 0) + 1


def read(upload: Upload, show: Callable[[float, float | None, str], None]) -> None:
    """Read the files with the answers given so far; errors end up in ``upload.trouble``.

    Parameters
    ----------
    upload : Upload
        Gets ``reading`` or ``trouble``.
    show : callable
        Called a few times a second once reading has taken more than a second, with the seconds
        passed, the share done (0–1, or None when not known) and a word on what is being done.
    """
    upload.reading, upload.trouble, upload.refused = None, None, None
    try:
        upload.reading = _read_patiently(upload, show)
    except CommonsightError as wrong:
        if not upload.fresh:
            upload.trouble = str(wrong)
            return
        # An answer that leads nowhere must not shut the page for good: take it back, and say why.
        _take_back(upload, upload.fresh)
        read(upload, show)
        upload.refused = str(wrong)
        return
    _take_back(upload, [asked["id"] for asked in upload.reading.questions if asked["id"] in upload.fresh])
    upload.fresh = []


def _read_patiently(upload: Upload, show: Callable[[float, float | None, str], None]) -> Reading:
    news: list[tuple[float | None, str]] = []
    return _reading(_patiently(lambda: _check(upload, news), news, show))


def _take_back(upload: Upload, questions: Sequence[str]) -> None:
    """Forget answers that did not settle their question, so that it is asked again."""
    refused = [upload.answers.pop(question) for question in questions if question in upload.answers]
    if refused:
        upload.refused = ", ".join(refused)
        upload.fresh = []


def submit(upload: Upload) -> Any:
    """Put the upload into the store as a pending batch, drop the draft, give the receipt."""
    assert upload.reading is not None
    receipt = intake.submit(
        _store(), upload.reading.checked, contributor=upload.contributor or None, accept=False
    )
    forget(upload)
    return receipt


def _store() -> store.Store:
    return store.shared(settings().real_store_url)


def _check(upload: Upload, news: list[tuple[float | None, str]]) -> Any:
    def progress(done: float | None = None, what: str = "", *_: object) -> None:
        news.append((done, what))

    return intake.check(
        upload.paths,
        topic=topics()[upload.topic],
        answers=dict(upload.answers),
        contributor=upload.contributor or None,
        store=None if upload.practice else _store(),
        progress=progress,
    )


def _patiently(
    work: Callable[[], Any],
    news: list[tuple[float | None, str]],
    show: Callable[[float, float | None, str], None],
) -> Any:
    began = time.monotonic()
    with ThreadPoolExecutor(1, thread_name_prefix="reading") as pool:
        future: Future[Any] = pool.submit(work)
        while True:
            try:
                return future.result(timeout=0.25)
            except NotYet:
                if future.done():
                    raise
                passed = time.monotonic() - began
                if passed > QUIET_SECONDS:
                    done, what = news[-1] if news else (None, "")
                    show(passed, done, what)


def _reading(checked: Any) -> Reading:
    return Reading(
        json.loads(checked.report.to_json()),
        pd.read_parquet(checked.folder / "observations.parquet"),
        pd.read_parquet(checked.folder / "quarantine.parquet"),
        checked,
    )


def _names(files: Sequence[tuple[str, bytes]]) -> list[str]:
    names: list[str] = []
    for given, _ in files:
        name = _STRANGE.sub("_", given).strip(" .") or "file"
        path = Path(name)
        # File systems count bytes, and a letter of Hindi has three.
        stem = path.stem.encode()[:LONGEST_NAME].decode(errors="ignore")
        name = stem + path.suffix[:12]
        while name in names:
            name = f"2-{name}"
        names.append(name)
    return names


def _write(upload: Upload, bodies: Sequence[bytes]) -> None:
    (Path(upload.folder.name) / "in").mkdir()
    for path, body in zip(upload.paths, bodies, strict=True):
        path.write_bytes(body)


def _packed(upload: Upload) -> bytes:
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w", zipfile.ZIP_STORED) as pack:
        for path in upload.paths:
            pack.writestr(path.name, path.read_bytes())
    return box.getvalue()


def _resume(draft: str) -> Upload | None:
    found = _store().draft(draft) if DRAFT_ID.fullmatch(draft) else None
    if found is None:
        st.query_params.pop("draft", None)
        st.session_state["draft_gone"] = True
        return None
    said = found.state
    with zipfile.ZipFile(found.original) as pack:
        bodies = [pack.read(name) for name in said["names"]]
    folder = tempfile.TemporaryDirectory(prefix="commonsight-")
    upload = Upload(
        topic=said["topic"] if said["topic"] in topics() else next(iter(topics())),
        practice=False,
        folder=folder,
        names=list(said["names"]),
        draft=draft,
        answers=dict(said["answers"]),
        skipped=list(said["skipped"]),
        contributor=str(said["contributor"]),
        fresh=list(said["answers"]),
    )
    _write(upload, bodies)
    return upload
