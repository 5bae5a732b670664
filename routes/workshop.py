"""Where files are made that take long: once for everybody who asks, few at a time, and never for too many.

A picture for A3 takes seconds and hundreds of megabytes; a link that goes round asks for the same card fifty
times at once. So each kind of work has its own bench with few hands, whoever asks for the same thing waits for
the first who asked, and a bench with too much before it answers 503 and when to come again. What was made lies
in a folder of this process, the longest unused go first, and all of it goes with the process.

What surprised us: a handler that waits in a thread takes one of the forty that answer everything else, so fifty
visitors who wait for one picture would stop the map. These wait without a thread.
"""

from __future__ import annotations

import asyncio
import gzip
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from routes import answer

Maker = Callable[[Path], None]

_CHUNK = 1 << 18
_PACKED = frozenset({".html", ".svg", ".csv", ".geojson", ".kml"})


class Busy(Exception):
    """There is too much to do already."""


@dataclass(frozen=True)
class Made:
    """A file that was made, and the same compressed where that is worth it."""

    path: Path
    packed: Path | None

    @cached_property
    def size(self) -> int:
        """Bytes on the disk."""
        return sum(path.stat().st_size for path in (self.path, self.packed) if path)

    def drop(self) -> None:
        """Take it off the disk; who is reading it may finish."""
        for path in (self.path, self.packed):
            if path:
                path.unlink(missing_ok=True)


class Bench:
    """One kind of work.

    Parameters
    ----------
    hands : int
        How many files are made at a time.
    queue : int
        How many different files may be asked for and not made yet.
    most : int
        Bytes of finished files that are kept.
    """

    def __init__(self, hands: int, queue: int, most: int) -> None:
        self._hands = ThreadPoolExecutor(hands, thread_name_prefix="bench")
        self._queue, self._most = queue, most
        self._kept: OrderedDict[Any, Made] = OrderedDict()
        self._waiting: dict[Any, Future[Made]] = {}
        self._door = threading.Lock()
        self._count = 0

    @cached_property
    def _folder(self) -> Path:
        folder = tempfile.TemporaryDirectory(prefix="commonsight-", ignore_cleanup_errors=True)
        self._keep_alive = folder  # it goes with the process
        return Path(folder.name)

    def order(self, key: Any, ending: str, make: Maker) -> Future[Made]:
        """Ask for a file; *make* writes it to the path that it is given, if nobody has asked for it yet.

        Raises
        ------
        Busy
            If as many others wait to be made as may.
        """
        with self._door:
            if key in self._kept:
                self._kept.move_to_end(key)
                done: Future[Made] = Future()
                done.set_result(self._kept[key])
                return done
            if key in self._waiting:
                return self._waiting[key]
            if len(self._waiting) >= self._queue:
                raise Busy
            self._count += 1
            path = self._folder / f"{self._count}.{ending}"
            self._waiting[key] = self._hands.submit(self._make, key, path, make)
            return self._waiting[key]

    def _make(self, key: Any, path: Path, make: Maker) -> Made:
        try:
            make(path)
            made = Made(path, _compressed(path))
            with self._door:
                self._put(key, made)
            return made
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            with self._door:
                self._waiting.pop(key, None)

    def _put(self, key: Any, made: Made) -> None:
        self._kept[key] = made
        while len(self._kept) > 1 and sum(one.size for one in self._kept.values()) > self._most:
            self._kept.popitem(last=False)[1].drop()

    def clear(self) -> None:
        """Drop everything that was made."""
        with self._door:
            while self._kept:
                self._kept.popitem()[1].drop()


def _compressed(path: Path) -> Path | None:
    if path.suffix not in _PACKED:
        return None
    packed = path.with_name(f"{path.name}.gz")
    with (
        path.open("rb") as plain,
        packed.open("wb") as out,
        gzip.GzipFile("", "wb", 6, out, mtime=0) as squeezed,
    ):
        shutil.copyfileobj(plain, squeezed, _CHUNK)
    return packed


class Ordered(Response):
    """An answer that waits for its file without holding a thread.

    Parameters
    ----------
    bench, key, ending, make
        As in :meth:`Bench.order`.
    headers : mapping
        Of the answer, its media type among them.
    refused : callable
        Turns an answer of an error into the one that is given.
    """

    def __init__(
        self,
        bench: Bench,
        key: Any,
        ending: str,
        make: Maker,
        headers: Mapping[str, str],
        refused: Callable[[Request, Response], Response] = lambda request, response: response,
    ) -> None:
        super().__init__(headers=dict(headers))
        self._order, self._refused = (bench, key, ending, make), refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, then send the file; or say what went wrong."""
        bench, key, ending, make = self._order
        try:
            # A visitor who leaves must not take the work from the others who wait for it.
            made = await asyncio.shield(asyncio.wrap_future(bench.order(key, ending, make)))
        except Busy:
            await self._refuse(busy(), scope, receive, send)
        except Exception as wrong:
            await self._refuse(answer.failed(wrong, scope["path"]), scope, receive, send)
        else:
            try:
                await self._send(made, scope, send)
            except FileNotFoundError:  # so much was asked for that it had to go before it was sent
                await self._refuse(busy(), scope, receive, send)

    async def _refuse(self, response: Response, scope: Scope, receive: Receive, send: Send) -> None:
        await self._refused(Request(scope), response)(scope, receive, send)

    async def _send(self, made: Made, scope: Scope, send: Send) -> None:
        wants = "gzip" in Request(scope).headers.get("Accept-Encoding", "")
        path = made.packed if made.packed and wants else made.path
        async with await anyio.open_file(path, "rb") as file:
            self.headers["Content-Length"] = str((await anyio.Path(path).stat()).st_size)
            if made.packed:
                self.headers["Vary"] = "Accept-Encoding"
            if path is made.packed:
                self.headers["Content-Encoding"] = "gzip"
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            while part := await file.read(_CHUNK):
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def busy(seconds: int = 20) -> Response:
    """Say that there is too much to do, and when to come again."""
    response = answer.error(
        f"Too many pictures and files are being made just now; ask again in {seconds} seconds.", 503
    )
    response.headers["Retry-After"] = str(seconds)
    return response
