"""What a source is: who it is, how it is asked, and how its answers become rows of text.

A source is one file in ``sensors/sources`` that ends with ``SENSOR = Sensor(...)``; being there is all it
takes. It does two things. ``fetch`` asks and pages and reads no value; ``parse`` flattens answers into
rows with the source's *own* field names, and touches no network. What a field means (unit, species,
censoring words, limits, zone, datum) is said in ``data/dialects/<dialect>.toml``, so that an answer of a
source and a file handed in by a person are read by one and the same reader.

What surprised us: a JSON parser already loses a reading. ``0.50`` becomes ``0.5``, and the text that the
laboratory gave is gone. So numbers are taken from JSON as the text they were (:meth:`Body.json` with
``verbatim=True``), and no ``parse`` converts one.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pandas as pd

from situation.errors import ChoiceError, IncompleteResponse
from situation.topic import Box

if TYPE_CHECKING:
    from sensors.http import Http

#: Ways in which a key goes into a header: as it is, or after a word; ``basic`` takes ``user:password``.
KEY_SCHEMES = ("plain", "token", "bearer", "basic")
_KEY = re.compile(r"[a-z][a-z0-9_]*")
_MOMENT_ROOM = timedelta(hours=1)
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass(frozen=True)
class Ask:
    """What is wanted of a source.

    ``bbox`` is west, south, east, north in degrees (EPSG:4326); ``since`` and ``until`` are moments in UTC
    of the observations, ``since`` included. ``properties`` are keys of ours; empty means all that the source
    serves. ``site`` is the source's own name of a place. ``modified_since`` asks for what the source
    changed from that moment on; sources that cannot, do not look at it. ``options`` are a source's own
    further choices (``options["server"]``, ``options["form"]`` …), from ``--option NAME=VALUE`` or the topic.
    """

    base_url: str
    bbox: Box | None = None
    since: datetime | None = None
    until: datetime | None = None
    properties: tuple[str, ...] = ()
    site: str | None = None
    modified_since: datetime | None = None
    topic: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("since", "until", "modified_since"):
            moment = getattr(self, name)
            if moment is not None and moment.tzinfo is None:
                raise ChoiceError(f"{name} needs a time zone; give a moment in UTC.")
        if self.since and self.until and self.since > self.until:
            raise ChoiceError(
                f"The period ends ({self.until:%Y-%m-%d}) before it begins ({self.since:%Y-%m-%d})."
            )
        if self.bbox is not None:
            west, south, east, north = self.bbox
            if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
                raise ChoiceError(
                    f"The box {self.bbox} is none; it takes west, south, east, north in degrees, west before east."
                )

    def url(self, path: str = "") -> str:
        """Give an address under the base address.

        >>> Ask("https://example.org/api/").url("/things")
        'https://example.org/api/things'
        """
        base = self.base_url.rstrip("/")
        return f"{base}/{path.lstrip('/')}" if path else base

    def windows(self, days: float, *, first: datetime, now: datetime) -> list[tuple[datetime, datetime]]:
        """Cut the period into windows of at most so many days; what is open ends at *first* and *now*.

        Windows share their ends, which costs a reading twice and loses none.
        """
        since, until = self.since or first, self.until or now
        if since >= until:
            return [(since, until)]
        number = max(1, math.ceil((until - since) / timedelta(days=days)))
        step = (until - since) / number
        return [
            (since + step * n, until if n == number - 1 else since + step * (n + 1)) for n in range(number)
        ]


def quarter_box(box: Box) -> list[Box]:
    """Cut a box into four, for a source that says that an ask is too large."""
    west, south, east, north = box
    x, y = (west + east) / 2, (south + north) / 2
    return [(west, south, x, y), (x, south, east, y), (west, y, x, north), (x, y, east, north)]


@dataclass(frozen=True)
class Body:
    """One answer, as bytes.

    ``parse`` may use ``name``, ``kind``, ``about`` and the content: these four are kept with the original.
    ``kind`` tells answers of one source apart (``"stations"``, ``"observations"``); ``about`` holds what an
    answer does not say itself (the station that was asked for). ``url`` never holds a key.
    """

    name: str
    content: bytes | Path = field(repr=False)
    content_type: str = ""
    url: str = ""
    sha256: str = ""
    kind: str = ""
    about: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # names in lower case

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it (an answer 204, or a body of no bytes)."""
        return self.size == 0

    @property
    def size(self) -> int:
        """The number of bytes."""
        return self.content.stat().st_size if isinstance(self.content, Path) else len(self.content)

    def read(self) -> bytes:
        """Give all bytes."""
        return self.content.read_bytes() if isinstance(self.content, Path) else self.content

    def open(self) -> IO[bytes]:
        """Open it for reading."""
        import io

        return self.content.open("rb") if isinstance(self.content, Path) else io.BytesIO(self.content)

    def text(self) -> str:
        """Give it as text: UTF-8 with or without its mark; what is none is read as Latin-1."""
        raw = self.read()
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            return raw.decode("latin-1")

    def json(self, *, verbatim: bool = False) -> Any:
        """Read it as JSON.

        Parameters
        ----------
        verbatim : bool
            Give every number as the text that stood there (``"0.50"``): what ``parse`` needs.

        Raises
        ------
        IncompleteResponse
            If it is not JSON, or is cut short.
        """
        as_text: dict[str, Callable[[str], str]] = (
            {"parse_float": str, "parse_int": str, "parse_constant": str} if verbatim else {}
        )
        text = self.text()
        try:
            said = json.loads(text, **as_text)  # type: ignore[arg-type]
            return _writable(said) if _HALF.search(text) else said
        except (ValueError, RecursionError) as wrong:
            raise IncompleteResponse(f"The answer {self.name} is not whole JSON: {wrong}.") from wrong


def _writable(said: Any) -> Any:
    """Put U+FFFD in the place of half a sign (a surrogate alone), which JSON may hold and no file can."""
    if isinstance(said, str):
        return said.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(said, dict):
        return {_writable(name): _writable(value) for name, value in said.items()}
    return [_writable(value) for value in said] if isinstance(said, list) else said


def flatten(record: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Flatten one record of an answer into text cells; names of nested fields are joined by dots.

    Lists become JSON text, null an empty cell, true and false these words. Numbers are expected as text
    already (see :meth:`Body.json`); one that is not is written as Python writes it.

    >>> flatten({"a": {"b": "0.50", "c": None}, "d": ["x", "1"], "e": True})
    {'a.b': '0.50', 'a.c': '', 'd': '["x", "1"]', 'e': 'true'}
    """
    cells: dict[str, str] = {}
    for name, value in record.items():
        path = f"{prefix}.{name}" if prefix else str(name)
        if isinstance(value, Mapping):
            cells.update(flatten(value, path))
        else:
            cells[path] = _cell(value)
    return cells


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def table(rows: Iterable[Mapping[str, str]]) -> pd.DataFrame:
    """Make a table of text cells of flat rows; a row that lacks a column has an empty cell there."""
    held = list(rows)
    names = list(dict.fromkeys(name for row in held for name in row))
    return pd.DataFrame({name: pd.Series([row.get(name, "") for row in held], dtype="str") for name in names})


Fetch = Callable[[Ask, "Http"], Iterator[Body]]
Parse = Callable[[Sequence[Body]], Iterator[pd.DataFrame]]


@dataclass(frozen=True)
class Sensor:
    """One source.

    Attributes
    ----------
    key : str
        Names it everywhere: command line, ``source_id`` of its readings, the file's name.
    title, homepage, licence, attribution : str
        Licence and attribution hold for rows that bring none of their own.
    limits : str
        The limits it obeys, in a sentence.
    recorded : bool
        Whether it was tested on recorded answers; False: written from documents only.
    evidence : str
        Which recorded answers or documents.
    base_url : str
        Where it is; ``--base-url`` points it elsewhere. Empty: the operator must name a server.
    fetch : callable
        ``fetch(ask, http)`` yields :class:`Body`; all requests go through *http*.
    parse : callable, optional
        ``parse(bodies)`` yields tables of text cells; tables may differ in their columns. It gets *all*
        bodies of a fetch, in the order in which they came. None: the bodies are tables already (CSV).
    dialect : str
        The file in ``data/dialects`` that says what the fields mean.
    key_variable : str, optional
        Environment variable that holds a key; ``key_header`` and ``key_scheme`` say how it is sent. Http
        sends it to the host of the base address only; a ``fetch`` never sees it.
    key_needed : bool
        Whether nothing is to be had without the key.
    hosts : tuple of str
        Further hosts that it sends us to for data; they are asked without the key.
    properties : tuple of str
        Keys of ours that it can be asked for; empty: any, or what it serves cannot be chosen.
    topics : tuple of str
        Topics it serves; empty: any.
    pause_s : float
        Least time between two requests to one host, seconds.
    overlap_days : float
        So far back the next collection asks again: results come late and are revised.
    modified_since : bool
        Whether it can be asked for what it changed since a moment.
    every_hours : float
        How often there is something new, for who collects and to know when it is late.
    cost : callable, optional
        ``cost(ask)`` says how many requests an ask will take at least, without asking.
    site_based : bool
        Whether it must be asked site by site, so that no answer is possible without ``site`` or ``bbox``.
    many_servers : bool
        Whether each server is a source of its own (SensorThings), whose names of things mean nothing elsewhere.
    events : bool
        Whether it tells events (an earthquake) and no readings of a site.
    covers : tuple of Box
        Boxes (west, south, east, north in degrees) outside of which it has nothing; empty: the whole world.
    version : int
        Raised when ``parse`` reads an answer differently; ``rebuild`` says so.
    """

    key: str
    title: str
    homepage: str
    licence: str
    attribution: str
    limits: str
    recorded: bool
    evidence: str
    base_url: str
    fetch: Fetch
    dialect: str
    parse: Parse | None = None
    key_variable: str | None = None
    key_needed: bool = False
    key_header: str = "X-Api-Key"
    key_scheme: str = "plain"
    hosts: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    pause_s: float = 1.0
    overlap_days: float = 7.0
    modified_since: bool = False
    every_hours: float = 24.0
    cost: Callable[[Ask], int] | None = None
    site_based: bool = False
    many_servers: bool = False
    events: bool = False
    covers: tuple[Box, ...] = ()
    version: int = 1

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise ValueError(f"A source's key takes small letters, digits and _; {self.key!r} does not fit.")
        if self.key_scheme not in KEY_SCHEMES:
            raise ValueError(f"{self.key}: key_scheme takes one of {', '.join(KEY_SCHEMES)}.")
        if self.key_needed and not self.key_variable:
            raise ValueError(f"{self.key} needs a key and names no variable for it.")

    def ask(
        self,
        *,
        base_url: str | None = None,
        bbox: Box | None = None,
        since: datetime | date | None = None,
        until: datetime | date | None = None,
        properties: Sequence[str] = (),
        site: str | None = None,
        topic: str | None = None,
        options: Mapping[str, str] | None = None,
    ) -> Ask:
        """Make an ask of this source; days become moments in UTC, the last day is included.

        Raises
        ------
        ChoiceError
            If it cannot be asked so: no server named, a property that it does not serve.
        """
        base = (base_url or self.base_url).rstrip("/")
        if not base:
            raise ChoiceError(f"{self.title} needs --base-url: the address of the server.")
        if not re.match(r"https?://[^/]+", base):
            raise ChoiceError(f"The address {base!r} is none; it begins with https:// (or http://).")
        strange = [name for name in properties if self.properties and name not in self.properties]
        if strange:
            raise ChoiceError(
                f"{self.title} cannot be asked for {', '.join(strange)}; it takes {', '.join(self.properties)}."
            )
        return Ask(
            base,
            bbox,
            _moment(since),
            _moment(until, end=True),
            tuple(properties),
            site or None,
            None,
            topic,
            dict(options or {}),
        )

    def source_id(self, ask: Ask) -> str:
        """Give the ``source_id`` of what an ask brings: the key, with the server where there are many."""
        if not self.many_servers:
            return self.key
        return f"{self.key}:{urlsplit(ask.base_url).netloc.rpartition('@')[2]}"

    def since_last(self, ask: Ask, last: datetime) -> Ask:
        """Give the ask for what may be new or revised since the last complete fetch began (UTC)."""
        changed = last - _MOMENT_ROOM if self.modified_since else None
        return replace(ask, since=last - timedelta(days=self.overlap_days), modified_since=changed)


def _moment(day: datetime | date | None, *, end: bool = False) -> datetime | None:
    if day is None:
        return None
    if isinstance(day, datetime):
        return day.replace(tzinfo=UTC) if day.tzinfo is None else day.astimezone(UTC)
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return moment + timedelta(days=1) - timedelta(seconds=1) if end else moment
