"""How sources are asked: politely, with stamina, and never believing an answer for its status alone.

One :class:`Http` serves one fetch of one source. It paces, waits when told to, tries again with jitter,
keeps bodies on the disk, and counts what came (:class:`Notes`). A key goes to the host of the base
address and to no other. Redirects and ``next`` links leave for no other host.

What surprised us, each measured against a real server: a body cut short of its declared length is not
tried again by the retry of urllib3, which ends with the headers; one cut short without a length, or in the
middle of a gzip stream, passes for whole; ``Retry-After`` is obeyed for six hours unless capped; ``X-API-Key``
is forwarded to whatever host a redirect names; and ``text/csv`` without a charset is decoded as Latin-1.
So none of these is left to the library: redirects, retries, gzip and decoding are done here.
"""

from __future__ import annotations

import base64
import contextlib
import csv
import hashlib
import io
import json
import random
import re
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import requests
import urllib3

from sensors.sensor import Body
from situation.errors import (
    BadRequest,
    ChoiceError,
    IncompleteResponse,
    KeyMissing,
    RateLimited,
    SchemaDrift,
    SensorError,
    SourceUnavailable,
    TooMuch,
)

Params = Mapping[str, Any] | Sequence[tuple[str, Any]]
Expect = Literal["json", "csv", "xml"]

_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 5
_BLOCK = 1 << 16
_TAIL = 1 << 20
_SMALL = 4 << 20  # bodies up to this many bytes are looked through as JSON before they are believed
_SECRET = re.compile(r"(?i)(key|token|secret|password|passwd|signature|auth|session)")
_SKEW_S = 300
_KEY_LEAST = 4  # signs: a shorter key is a word that any answer may hold
_KEY_SURE = 12  # signs from which on it is no chance that an answer holds the same
_KEY_SHOWS = 8  # signs of a key that stand for it where a text was cut within it


@dataclass(frozen=True)
class Caps:
    """Where patience ends. Times in seconds, sizes in bytes."""

    tries: int = 5
    backoff_s: float = 1.0
    backoff_cap_s: float = 60.0
    retry_after_s: float = 120.0
    connect_s: float = 10.0
    read_s: float = 180.0
    body_s: float = 3600.0
    slow_after_s: float = 60.0
    slow_bytes_s: float = 200.0
    body_bytes: int = 4 << 30
    total_bytes: int = 16 << 30
    pages: int = 5000
    ratio: int = 200  # a body that unpacks to more than this many times what came over the wire …
    ratio_from: int = 64 << 20  # … is taken for a bomb from this many bytes on


@dataclass
class Page:
    """One answer that was kept."""

    url: str
    status: int
    sha256: str
    size: int


@dataclass
class Notes:
    """What a fetch counted on its way."""

    requests: int = 0
    pages: list[Page] = field(default_factory=list)
    size: int = 0
    declared: int | None = None
    got: int = 0
    truncated: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    waited_s: float = 0.0
    skew_s: float = 0.0

    def warn(self, text: str) -> None:
        """Note something that people should see; once."""
        if text not in self.warnings:
            self.warnings.append(text)


class _Again(Exception):
    """One try gave nothing; another may."""

    def __init__(self, error: SensorError, wait_s: float | None = None) -> None:
        super().__init__(str(error))
        self.error, self.wait_s = error, wait_s


class _Pacer:
    """Keeps requests of one process to one host apart, whichever thread sends them."""

    def __init__(self) -> None:
        self._next: dict[str, float] = {}
        self._lock = threading.Lock()

    def reserve(self, host: str, pause_s: float, now: float) -> float:
        """Book the next moment for a request; gives the seconds to wait."""
        with self._lock:
            at = max(now, self._next.get(host, 0.0))
            self._next[host] = at + pause_s
            return at - now

    def not_before(self, host: str, moment: float) -> None:
        """Let nothing go to a host before a moment."""
        with self._lock:
            self._next[host] = max(moment, self._next.get(host, 0.0))


_PACER = _Pacer()


def clean_url(url: str) -> str:
    """Take out of an address whatever may be a key or a password.

    >>> clean_url("https://me:word@example.org/a?api_key=123&limit=5")
    'https://example.org/a?api_key=***&limit=5'
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = parts.query
    if _SECRET.search(query):
        pairs = parse_qsl(query, keep_blank_values=True)
        query = urlencode([(k, "***" if _SECRET.search(k) else v) for k, v in pairs], safe="*:,/'()")
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


class Http:
    """What a ``fetch`` asks with.

    Parameters
    ----------
    base_url : str
        The address that the source is asked at; its host is the only one that is asked and gets the key.
    agent : str
        Who asks, with a contact.
    folder : Path, optional
        Where bodies are kept while the fetch lasts; by default a temporary folder, see :meth:`close`.
    key, key_header, key_scheme
        A key and how it is sent.
    key_variable : str, optional
        The variable that the key comes from, for messages.
    pause_s : float
        Least time between two requests, seconds.
    hosts : sequence of str
        Further hosts that may be asked, without the key.
    known_as : str
        The source's own address where *base_url* is a mirror: links that name it are asked at the mirror.
    cache : Path, optional
        Folder for answers that can be asked for again with "only if it changed".
    caps : Caps
        Where patience ends.
    progress : callable, optional
        Called with :attr:`notes` after each answer.
    """

    def __init__(
        self,
        base_url: str,
        *,
        agent: str = "commonsight",
        folder: Path | None = None,
        key: str | None = None,
        key_header: str = "X-Api-Key",
        key_scheme: str = "plain",
        key_variable: str | None = None,
        pause_s: float = 0.0,
        hosts: Sequence[str] = (),
        known_as: str = "",
        cache: Path | None = None,
        caps: Caps | None = None,
        progress: Callable[[Notes], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        seed: int | None = None,
    ) -> None:
        self.base_url, self.known_as = base_url.rstrip("/"), known_as.rstrip("/")
        parts = urlsplit(self.base_url)
        self.scheme, self.host = parts.scheme, parts.netloc
        self.hosts = frozenset(hosts)
        self.caps = caps or Caps()
        self.notes = Notes()
        self.pause_s = pause_s
        self._key = _key_header(key, key_header, key_scheme) if key else None
        self._secrets = _secrets(key, self._key[1]) if key and self._key else ()
        self._key_variable = key_variable
        self._temporary = None if folder else tempfile.TemporaryDirectory(prefix="commonsight-fetch-")
        self._folder = folder or Path(self._temporary.name)  # type: ignore[union-attr]
        self._folder.mkdir(parents=True, exist_ok=True)
        self._cache = cache
        self._progress = progress or (lambda notes: None)
        self._sleep, self._random = sleep, random.Random(seed)
        self._seen: set[str] = set()
        self._session = requests.Session()
        self._session.trust_env = True
        if "@" not in self.host:
            # Else requests puts what ~/.netrc says of a host (or of every host) in the place of the key.
            self._session.auth = lambda request: request
        self._session.headers.clear()
        self._session.headers.update(
            {"User-Agent": agent, "Accept-Encoding": "gzip, deflate", "Accept": "*/*"}
        )

    def close(self) -> None:
        """Let go of the connections, and of the temporary folder if it was ours."""
        self._session.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    def __enter__(self) -> Http:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # what a fetch does

    def get(
        self,
        url: str,
        params: Params | None = None,
        *,
        expect: Expect | None = None,
        kind: str = "",
        about: Mapping[str, str] | None = None,
        name: str | None = None,
        headers: Mapping[str, str] | None = None,
        ok: Sequence[int] = (200,),
        too_much: Sequence[int] = (413, 414),
        empty: bool = False,
        conditional: bool = False,
    ) -> Body:
        """Ask for an address.

        Parameters
        ----------
        url : str
            Whole, or a path under the base address.
        params : mapping or pairs, optional
            The query; what is None is left out. Never given with a ``next`` link (:meth:`follow`).
        expect : {"json", "csv", "xml"}, optional
            What the body must be. JSON must be whole and carry no ``error``; a CSV must end with a line that
            has as many cells as its header; neither may be a page of HTML.
        kind, about, name
            Go into the :class:`~sensors.sensor.Body`.
        ok : sequence of int
            Statuses that are an answer: 206 and 204 only where the source says what they mean.
        too_much : sequence of int
            Statuses by which the source says that the ask was too large.
        empty : bool
            Whether a body of no bytes is an answer.
        conditional : bool
            Ask only for what changed since the last time; an unchanged answer is given from the disk.

        Raises
        ------
        SourceUnavailable, RateLimited, BadRequest, TooMuch, KeyMissing, IncompleteResponse, SchemaDrift
        """
        return self._ask(
            "GET", self._whole(url, params), None, headers or {}, expect, kind, about or {}, name, ok, too_much,
            empty, conditional,
        )  # fmt: skip

    def post(
        self,
        url: str,
        params: Params | None = None,
        *,
        data: Any = None,
        content: bytes | None = None,
        content_type: str = "application/json",
        expect: Expect | None = None,
        kind: str = "",
        about: Mapping[str, str] | None = None,
        name: str | None = None,
        headers: Mapping[str, str] | None = None,
        ok: Sequence[int] = (200,),
        too_much: Sequence[int] = (413, 414),
        empty: bool = False,
    ) -> Body:
        """Ask by POST, for sources that read long questions so; tried again as a GET is, since it only reads.

        *data* is sent as JSON, or *content* as it is.
        """
        payload = content if content is not None else json.dumps(data, ensure_ascii=False).encode()
        sent = {"Content-Type": content_type, **(headers or {})}
        return self._ask(
            "POST", self._whole(url, params), payload, sent, expect, kind, about or {}, name, ok, too_much,
            empty, False,
        )  # fmt: skip

    def follow(self, link: str, **how: Any) -> Body:
        """Ask for a ``next`` link as the source gave it.

        Takes what :meth:`get` takes, without ``params``.

        Raises
        ------
        IncompleteResponse
            If the link was followed before in this fetch.
        SchemaDrift
            If it leads to another host.
        """
        url = self.here(link)
        if url in self._seen:
            raise IncompleteResponse(
                f"The source leads in a circle: its link to the next page was followed before ({clean_url(url)})."
            )
        return self.get(url, **how)

    def pages(
        self,
        url: str,
        params: Params | None,
        next_link: Callable[[Body], str | None],
        **how: Any,
    ) -> Iterator[Body]:
        """Ask page by page, as long as *next_link* finds a link in the page that came."""
        body = self.get(url, params, **how)
        yield body
        while link := next_link(body):
            body = self.follow(link, **how)
            yield body

    def declare(self, rows: int) -> None:
        """Note how many rows the source says there are; several asks add up."""
        self.notes.declared = (self.notes.declared or 0) + rows

    def got(self, rows: int) -> None:
        """Note how many rows came, to be held against what was declared."""
        self.notes.got += rows

    def truncated(self, why: str) -> None:
        """Note that the source gave less than there is: the fetch is then not complete."""
        self.notes.truncated.append(why)

    def warn(self, text: str) -> None:
        """Note something that people should see."""
        self.notes.warn(text)

    def hide(self, text: str) -> str:
        """Take the key out of a text, also where the text ends within it: servers repeat what they were sent."""
        for secret in self._secrets:
            for length in range(len(secret), min(len(secret), _KEY_SHOWS) - 1, -1):
                text = text.replace(secret[:length], "…")
        return text

    def here(self, link: str) -> str:
        """Give a link of the source's as the address to ask: whole, at our host, over https if we are.

        Raises
        ------
        SchemaDrift
            If it leads to another host.
        """
        url = urljoin(self.base_url + "/", link.strip())
        if self.known_as and self.known_as != self.base_url and url.startswith(self.known_as):
            url = self.base_url + url[len(self.known_as) :]
        parts = urlsplit(url)
        if parts.netloc == self.host and parts.scheme == "http" and self.scheme == "https":
            url = urlunsplit(parts._replace(scheme="https"))
        elif self.known_as and parts.netloc == urlsplit(self.known_as).netloc != self.host:
            url = urlunsplit(parts._replace(scheme=self.scheme, netloc=self.host))
        parts = urlsplit(url)
        allowed = (parts.netloc == self.host and parts.scheme == self.scheme) or (
            parts.netloc in self.hosts and parts.scheme in ("https", self.scheme)
        )
        if not allowed:
            raise SchemaDrift(
                f"The source leads to another host, {parts.scheme}://{parts.netloc.rpartition('@')[2]}; "
                "links are followed on its own only."
            )
        return url

    # one answer

    def _whole(self, url: str, params: Params | None) -> str:
        url = url if "://" in url else f"{self.base_url}/{url.lstrip('/')}"
        url = self.here(url)
        if not params:
            return url
        given = list(params.items()) if isinstance(params, Mapping) else list(params)
        query = urlencode([(k, v) for k, v in given if v is not None], doseq=True)
        if not query:
            return url
        return f"{url}{'&' if urlsplit(url).query else '?'}{query}"

    def _ask(
        self,
        method: str,
        url: str,
        payload: bytes | None,
        headers: Mapping[str, str],
        expect: Expect | None,
        kind: str,
        about: Mapping[str, str],
        name: str | None,
        ok: Sequence[int],
        too_much: Sequence[int],
        empty: bool,
        conditional: bool,
    ) -> Body:
        if len(self.notes.pages) >= self.caps.pages:
            raise TooMuch(f"More than {self.caps.pages} pages; ask for a smaller area or a shorter period.")
        if method == "GET":
            self._seen.add(url)
        kept = self._kept(url) if conditional and self._cache else None
        sent = {**headers, **(kept.headers if kept else {})}
        label = name or f"{len(self.notes.pages) + 1:05d}"
        for attempt in range(1, self.caps.tries + 1):
            try:
                body = self._once(method, url, payload, sent, expect, ok, too_much, empty, kept, label)
                break
            except _Again as again:
                if attempt == self.caps.tries:
                    raise again.error from again.__cause__
                self._wait(self._back_off(attempt) if again.wait_s is None else again.wait_s)
        if conditional and self._cache:
            self._keep(url, body)
        body = replace(body, name=label, kind=kind, about=dict(about))
        self.notes.pages.append(Page(body.url, body.status, body.sha256, body.size))
        self.notes.size += body.size
        if self.notes.size > self.caps.total_bytes:
            raise TooMuch(
                f"The answers are larger than {self.caps.total_bytes >> 20} MB together; ask for less at once."
            )
        self._progress(self.notes)
        return body

    def _back_off(self, attempt: int) -> float:
        # Full jitter: many clients that failed at once must not come back at once.
        return self._random.uniform(0, min(self.caps.backoff_cap_s, self.caps.backoff_s * 2**attempt))

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self.notes.waited_s += seconds
            self._sleep(seconds)

    def _once(
        self,
        method: str,
        url: str,
        payload: bytes | None,
        headers: Mapping[str, str],
        expect: Expect | None,
        ok: Sequence[int],
        too_much: Sequence[int],
        empty: bool,
        kept: _Kept | None,
        label: str,
    ) -> Body:
        response = self._send(method, url, payload, headers)
        with contextlib.closing(response):
            self._look_at_clock(response)
            if response.status_code == 304 and kept is not None:
                return kept.body
            if response.status_code not in ok:
                self._refuse(response, too_much)
            body = self._download(response, label)
        self._heed_quota(response)
        _believe(body, expect, empty)
        return body

    def _send(
        self, method: str, url: str, payload: bytes | None, headers: Mapping[str, str]
    ) -> requests.Response:
        for _ in range(_MAX_REDIRECTS + 1):
            parts = urlsplit(url)
            wait = _PACER.reserve(parts.netloc, self.pause_s, time.monotonic())
            if wait > self.caps.retry_after_s:
                raise RateLimited(
                    f"The source asks to wait {wait:.0f} s; it will be asked again later.",
                    datetime.now(UTC) + timedelta(seconds=wait),
                )
            self._wait(wait)
            sent = dict(headers)
            if self._key and parts.netloc == self.host and parts.scheme == self.scheme:
                sent[self._key[0]] = self._key[1]
            self.notes.requests += 1
            try:
                response = self._session.request(
                    method, url, data=payload, headers=sent, stream=True, allow_redirects=False,
                    timeout=(self.caps.connect_s, self.caps.read_s),
                )  # fmt: skip
            except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as wrong:
                raise ChoiceError(f"{clean_url(url)} is no address that can be asked.") from wrong
            except (requests.RequestException, urllib3.exceptions.HTTPError) as wrong:
                raise _Again(
                    SourceUnavailable(f"{_named(parts.netloc)} does not answer: {_why(wrong)}.")
                ) from wrong
            if response.status_code not in _REDIRECTS:
                return response
            response.close()
            target = response.headers.get("Location", "")
            try:
                url = self.here(urljoin(url, target))
            except SchemaDrift as wrong:
                raise _Again(
                    SourceUnavailable(f"{_named(parts.netloc)} sends us on. {wrong}"), 0.0
                ) from wrong
            if response.status_code == 303:
                method, payload = "GET", None
        raise _Again(SourceUnavailable(f"{_named(self.host)} sends us in a circle: too many redirects."))

    def _look_at_clock(self, response: requests.Response) -> None:
        theirs = _http_date(response.headers.get("Date"))
        if theirs is None:
            return
        self.notes.skew_s = (theirs - datetime.now(UTC)).total_seconds()
        if abs(self.notes.skew_s) > _SKEW_S:
            ahead = "ahead of" if self.notes.skew_s > 0 else "behind"
            self.notes.warn(f"The source's clock is {abs(self.notes.skew_s) / 60:.0f} minutes {ahead} ours.")

    def _refuse(self, response: requests.Response, too_much: Sequence[int]) -> None:
        """Raise what a status other than the expected ones means."""
        status = response.status_code
        said = self._said(response)
        if status in too_much:
            raise TooMuch(f"The source says that too much was asked at once ({status}{said}).")
        if status in _TRY_AGAIN:
            wait = self._retry_after(response)
            if wait is not None and wait > self.caps.retry_after_s:
                raise RateLimited(
                    f"The source asks to come back in {_time(wait)} ({status}{said}).",
                    datetime.now(UTC) + timedelta(seconds=wait),
                )
            error: SensorError = SourceUnavailable(f"The source is in trouble ({status}{said}).")
            if status == 429:
                error = RateLimited(
                    f"The source says that we ask too often (429{said}).",
                    datetime.now(UTC) + timedelta(seconds=wait or self.caps.retry_after_s),
                )
            if wait is not None:
                _PACER.not_before(urlsplit(response.url).netloc, time.monotonic() + wait)
            raise _Again(error, None if wait is None else 0.0)
        if status in (401, 403):
            if self._key is not None:
                raise KeyMissing(f"The source refuses the key in {self._key_variable} ({status}{said}).")
            if self._key_variable is None:
                raise SourceUnavailable(f"The source does not let us in ({status}{said}).")
            raise KeyMissing(f"The source wants a key ({status}{said}); set {self._key_variable}.")
        if status == 204:
            raise _Again(
                SourceUnavailable("The source says that there is nothing (204) where it never does.")
            )
        if 200 <= status < 300:
            raise _Again(
                IncompleteResponse(f"The source gave a part ({status}) where a whole answer was due.")
            )
        if status >= 500:
            raise _Again(SourceUnavailable(f"The source is in trouble ({status}{said})."))
        raise BadRequest(f"The source refuses the question ({status}{said}).")

    def _retry_after(self, response: requests.Response) -> float | None:
        text = (response.headers.get("Retry-After") or "").strip()
        if not text:
            return None
        if re.fullmatch(r"\d+(\.\d+)?", text):
            return min(float(text), 1e7)
        moment = _http_date(text)
        if moment is None:
            return None
        # Held against the source's own clock, where it tells it: ours may differ.
        now = _http_date(response.headers.get("Date")) or datetime.now(UTC)
        return max(0.0, (moment - now).total_seconds())

    def _heed_quota(self, response: requests.Response) -> None:
        left = response.headers.get("x-ratelimit-remaining", "")
        reset = response.headers.get("x-ratelimit-reset", "")
        if left.strip() == "0" and re.fullmatch(r"\d{1,6}", reset.strip()):
            _PACER.not_before(urlsplit(response.url).netloc, time.monotonic() + float(reset))

    def _said(self, response: requests.Response) -> str:
        """Give the first words of an error's text, for the message."""
        try:
            raw = response.raw.read(2000, decode_content=True)
        except (urllib3.exceptions.HTTPError, OSError):
            return ""
        text = raw.decode("utf-8", "replace")
        text = self.hide(" ".join(re.sub(r"<[^>]*>", " ", text).split()))
        return f": {text[:200]}" if text else ""

    def _download(self, response: requests.Response, label: str) -> Body:
        """Take the body to the disk, unpacked by us, and find out whether all of it came."""
        path = self._folder / f"{label}-{len(self.notes.pages)}.body"
        digest = hashlib.sha256()
        unpack = _Unpack(response.headers.get("Content-Encoding", ""), self.caps)
        began, size = time.monotonic(), 0
        try:
            with path.open("wb") as file:
                for block in response.raw.stream(_BLOCK, decode_content=False):
                    for part in unpack.feed(block):
                        size += len(part)
                        digest.update(part)
                        file.write(part)
                        if size > self.caps.body_bytes:
                            raise TooMuch(
                                f"An answer is larger than {self.caps.body_bytes >> 20} MB; ask for less at once."
                            )
                    self._mind_the_time(began, size)
                unpack.finish()
        except (urllib3.exceptions.HTTPError, OSError, zlib.error) as wrong:
            raise _Again(IncompleteResponse(f"An answer was cut short: {_why(wrong)}.")) from wrong
        return Body(
            label,
            path,
            response.headers.get("Content-Type", ""),
            clean_url(response.url),
            self._without_key(path) or digest.hexdigest(),
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
        )

    def _without_key(self, path: Path) -> str | None:
        """Take the key out of a body that repeats it; gives the new SHA-256, None where it holds no key."""
        # A short word, or a password alone, may stand in an answer by chance; data are not changed for that.
        whole = [secret for secret in self._secrets if len(secret) >= _KEY_SURE]
        secrets = [secret.encode() for secret in whole]
        if not secrets or not _holds(path, secrets):
            return None
        if path.stat().st_size > _SMALL * 16:
            raise SchemaDrift("The source repeats our key in a large answer; it is not kept.")
        content = path.read_bytes()
        for secret in secrets:
            content = content.replace(secret, b"***")
        path.write_bytes(content)
        return hashlib.sha256(content).hexdigest()

    def _mind_the_time(self, began: float, size: int) -> None:
        passed = time.monotonic() - began
        if passed > self.caps.body_s:
            raise _Again(IncompleteResponse(f"An answer took longer than {_time(self.caps.body_s)}."))
        if passed > self.caps.slow_after_s and size / passed < self.caps.slow_bytes_s:
            raise _Again(IncompleteResponse(f"An answer drips: {size} bytes in {_time(passed)}."))

    # what was had before

    def _kept(self, url: str) -> _Kept | None:
        path = self._cache_path(url)
        try:
            said = json.loads(path.read_text("utf-8"))
            content = path.with_suffix(".body")
            if hashlib.sha256(content.read_bytes()).hexdigest() != said["sha256"]:
                return None
        except (OSError, ValueError, KeyError):
            return None
        body = Body("", content, said["content_type"], said["url"], said["sha256"], headers=said["headers"])
        ask = {
            "If-None-Match": said["headers"].get("etag"),
            "If-Modified-Since": said["headers"].get("last-modified"),
        }
        return _Kept(body, {name: value for name, value in ask.items() if value})

    def _keep(self, url: str, body: Body) -> None:
        names = ("etag", "last-modified")
        path = self._cache_path(url)
        if not any(name in body.headers for name in names) or body.content == path.with_suffix(".body"):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".body").write_bytes(body.read())
        said = {
            "url": body.url,
            "sha256": body.sha256,
            "content_type": body.content_type,
            "headers": {name: body.headers[name] for name in names if name in body.headers},
        }
        path.write_text(json.dumps(said), encoding="utf-8")

    def _cache_path(self, url: str) -> Path:
        assert self._cache is not None
        return self._cache / f"{hashlib.sha256(url.encode()).hexdigest()[:32]}.json"


@dataclass(frozen=True)
class _Kept:
    body: Body
    headers: Mapping[str, str]


class _Unpack:
    """Unpacks gzip and deflate in bounded memory, and knows whether the stream came to its end."""

    def __init__(self, encoding: str, caps: Caps) -> None:
        self.packed = encoding.strip().lower() in ("gzip", "x-gzip", "deflate")
        if not self.packed and encoding.strip().lower() not in ("", "identity"):
            raise SchemaDrift(f"An answer is packed as {encoding!r}, which was not asked for.")
        self.caps = caps
        self.wbits = 47 if "gzip" in encoding.lower() else 15
        self.stream = zlib.decompressobj(self.wbits)
        self.came = self.gave = 0

    def feed(self, block: bytes) -> Iterator[bytes]:
        """Take a block from the wire; yields what it unpacks to."""
        self.came += len(block)
        if not self.packed:
            if block:
                yield block
            return
        while block:
            if self.stream.eof:
                self.stream = zlib.decompressobj(self.wbits)  # gzip may hold several members
            part = self._part(block)
            block = self.stream.unconsumed_tail or self.stream.unused_data
            self.gave += len(part)
            if self.gave > self.caps.ratio_from and self.gave > self.caps.ratio * self.came:
                raise TooMuch(
                    f"An answer unpacks to more than {self.caps.ratio} times what was sent; it is not taken."
                )
            if part:
                yield part

    def _part(self, block: bytes) -> bytes:
        try:
            return self.stream.decompress(block, 1 << 20)
        except zlib.error:
            if self.wbits == 15 and self.gave == 0:  # "deflate" is meant with and without its wrapping
                self.wbits = -15
                self.stream = zlib.decompressobj(-15)
                return self.stream.decompress(block, 1 << 20)
            raise

    def finish(self) -> None:
        """Say that nothing more comes.

        Raises
        ------
        zlib.error
            If the stream did not come to its end.
        """
        if self.packed and self.came and not self.stream.eof:
            raise zlib.error("the packed stream has no end")


def _key_header(key: str, header: str, scheme: str) -> tuple[str, str]:
    if scheme == "basic":
        return header, "Basic " + base64.b64encode(key.encode()).decode()
    word = {"token": "Token ", "bearer": "Bearer "}.get(scheme, "")
    return header, word + key.strip()


def _secrets(key: str, sent: str) -> tuple[str, ...]:
    """Give what must not be repeated of a key: as it is, as it is sent, and its password alone; longest first."""
    known = {key.strip(), sent.rpartition(" ")[2], key.strip().partition(":")[2]}
    return tuple(sorted((one for one in known if len(one) >= _KEY_LEAST), key=len, reverse=True))


def _holds(path: Path, words: Sequence[bytes]) -> bool:
    """Say whether one of some words stands in a file, reading it in pieces."""
    room, before = max(map(len, words)) - 1, b""
    with path.open("rb") as file:
        while block := file.read(_BLOCK * 16):
            piece = before + block
            if any(word in piece for word in words):
                return True
            before = piece[-room:] if room else b""
    return False


def _named(netloc: str) -> str:
    """Name a host without the password that an address may carry before it."""
    return netloc.rpartition("@")[2]


def _believe(body: Body, expect: Expect | None, empty: bool) -> None:
    """Hold a body against what it should be; what another try may mend is tried again."""
    if body.size == 0:
        if empty or body.status == 204 or body.headers.get("total-result-count", "").strip() == "0":
            return
        raise _Again(SourceUnavailable("The source gave an answer without a word in it."))
    if expect is None:
        return
    with body.open() as file:
        start = file.read(512).removeprefix(b"\xef\xbb\xbf").lstrip()
    if re.match(rb"<!doctype html|<html", start, re.I):
        raise _Again(SchemaDrift("The source gave a web page where data were due."))
    if expect == "json":
        _believe_json(body, start)
    elif expect == "csv":
        if start[:1] in (b"{", b"[") or start.startswith(b"<?xml"):
            raise _Again(SchemaDrift(f"The source gave no table but {_short(start)}"))
        check_csv(body)
    elif not start.startswith(b"<"):
        raise _Again(SchemaDrift(f"The source gave no XML but {_short(start)}"))


def _believe_json(body: Body, start: bytes) -> None:
    if start[:1] not in (b"{", b"["):
        raise _Again(SchemaDrift(f"The source gave no JSON but {_short(start)}"))
    if body.size > _SMALL:
        with body.open() as file:
            file.seek(-64, io.SEEK_END)
            if file.read().rstrip()[-1:] not in (b"}", b"]"):
                raise _Again(IncompleteResponse("An answer in JSON has no end."))
        return
    try:
        said = body.json()
    except IncompleteResponse as wrong:
        raise _Again(wrong) from wrong
    if isinstance(said, dict):
        error = said.get("error") or said.get("errors")
        if error:
            raise _Again(SourceUnavailable(f"The source says 200 and tells an error: {str(error)[:200]}."))


def check_csv(body: Body, delimiter: str = ",") -> None:
    """Find out whether a CSV came whole: quotes closed, last line ended and as wide as the header.

    Raises
    ------
    _Again
        If it did not.
    """
    quotes = 0
    with body.open() as file:
        while block := file.read(_BLOCK * 16):
            quotes += block.count(b'"')
        size = file.tell()
        file.seek(0)
        head = file.read(_TAIL).removeprefix(b"\xef\xbb\xbf")
        file.seek(max(0, size - _TAIL))
        tail = file.read()
    if quotes % 2:
        raise _Again(IncompleteResponse("A table ends within a quoted cell: it was cut short."))
    if not tail.endswith((b"\n", b"\r")):
        raise _Again(IncompleteResponse("A table's last line has no end: it was cut short."))
    header = next(csv.reader(io.StringIO(head.decode("utf-8", "replace")), delimiter=delimiter), [])
    last = _last_record(tail)
    cells = next(csv.reader(io.StringIO(last), delimiter=delimiter), [])
    if len(cells) != len(header):
        raise _Again(
            IncompleteResponse(
                f"A table's last line has {len(cells)} cells and its header {len(header)}: it was cut short, "
                f"or ends with an error: {last[:120]!r}."
            )
        )


def _last_record(tail: bytes) -> str:
    """Take the last record of a CSV, which may run over several lines."""
    lines = tail.rstrip(b"\r\n").split(b"\n")
    record = lines.pop()
    while record.count(b'"') % 2 and lines:
        record = lines.pop() + b"\n" + record
    return record.decode("utf-8", "replace").removeprefix("\ufeff")


def _short(start: bytes) -> str:
    text = " ".join(start.decode("utf-8", "replace").split())
    return f"{text[:120]!r}."


def _http_date(text: str | None) -> datetime | None:
    # A proxy may add a date of its own: two headers come as one text; the source's stands last.
    said = re.findall(r"\w{3}, \d{1,2} \w{3} \d{4} [\d:]{8} \w+", text or "")
    text = said[-1] if said else text
    try:
        moment = parsedate_to_datetime(text) if text else None
    except (TypeError, ValueError):
        return None
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _why(wrong: BaseException) -> str:
    """Say in a few words why a request failed; addresses and object names stay out."""
    text = str(wrong)
    known = (
        ("timed out", "it took too long"),
        ("Read timed out", "it took too long"),
        ("refused", "the connection was refused"),
        ("resolve", "its name is not known here (is there a connection to the internet?)"),
        ("getaddrinfo", "its name is not known here (is there a connection to the internet?)"),
        ("unreachable", "there is no way to it (is there a connection to the internet?)"),
        ("CERTIFICATE", "its certificate cannot be trusted"),
        ("no end", "the packed stream has no end"),
        ("reset", "the connection was broken off"),
        ("aborted", "the connection was broken off"),
        ("IncompleteRead", "the connection ended before the declared length"),
    )
    return next((said for sign, said in known if sign in text), type(wrong).__name__)


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 180 else f"{seconds / 60:.0f} minutes"
