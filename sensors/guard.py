"""Runs the reading of a stranger's file in a child process that may not take more than its share.

The child gets limits of memory, processor time and file size from the operating system where it has
them (``resource``: Linux, macOS); everywhere the parent watches the clock and the memory of the child
and its children, and ends them all. What the function returns comes back as JSON through a file, and
an error of ours comes back as the same class with the same sentence.

Without ``resource`` (Windows) a sudden allocation can pass the limit for the tenth of a second between
two looks; :func:`missing_limits` says so.

What surprised us: the address space (``RLIMIT_AS``) of a process that has merely imported Arrow and
GDAL is a gigabyte or more, so the limit that bites is on writable memory (``RLIMIT_DATA``).
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import json
import logging
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from situation import errors
from situation.errors import CommonsightError, FieldFileError, FileTooLarge

ROOT = Path(__file__).resolve().parent.parent
LOOK_EVERY = 0.05  # seconds between two looks at the child
ROOM = 512  # megabytes that libraries take before a file is read

Progress = Callable[[float, str], None]
_log = logging.getLogger(__name__)


def missing_limits() -> str | None:
    """Say which limits this system cannot set; None where it sets them all."""
    try:
        import resource  # noqa: F401
    except ImportError:
        return "This system cannot limit a process's memory at once; it is watched twenty times a second instead."
    return None


def run_guarded(
    function_path: str,
    args: Mapping[str, Any],
    *,
    folder: Path | None = None,
    seconds: float = 60,
    memory_mb: int = 2048,
    file_mb: int = 4096,
    progress: Progress | None = None,
) -> Any:
    """Run ``function(**args)`` in a child process with limits.

    Parameters
    ----------
    function_path : str
        ``package.module:function``, importable from the project folder. If it takes a keyword
        ``progress``, it gets a callable ``(share 0 … 1, text)``.
    args : mapping
        Keyword arguments; what JSON can carry, and paths, which arrive as text.
    folder : Path, optional
        Where the call and its result are written; by default a temporary folder, removed after.
    seconds : float
        Longest time by the clock.
    memory_mb : int
        Most memory of the child and its children together, in megabytes.
    file_mb : int
        Largest single file the child may write, in megabytes.
    progress : callable, optional
        Called here, in the thread that called this, for each call in the child.

    Returns
    -------
    object
        What the function returned, after a journey through JSON.

    Raises
    ------
    CommonsightError
        As the function raised it.
    FileTooLarge
        If the child went over a limit.
    FieldFileError
        If it ended in any other way.
    """
    place = Path(tempfile.mkdtemp(prefix="commonsight-")) if folder is None else folder
    place.mkdir(parents=True, exist_ok=True)
    try:
        call = {"function": function_path, "args": dict(args), "limits": [seconds, memory_mb, file_mb]}
        (place / "call.json").write_text(json.dumps(call, default=str), encoding="utf-8")
        (place / "result.json").unlink(missing_ok=True)
        with (place / "child.log").open("wb") as log:
            child = _start(place, log)
            try:
                over = _watch(child, seconds, memory_mb, progress)
            finally:
                _end(child)
        return _result(place, child.returncode, over, seconds, memory_mb)
    finally:
        if folder is None:
            shutil.rmtree(place, ignore_errors=True)
        else:
            for name in ("call.json", "result.json", "child.log"):
                (place / name).unlink(missing_ok=True)


def _start(place: Path, log: IO[bytes]) -> subprocess.Popen[bytes]:
    # Few threads and arenas: each reserves memory that the limit would count.
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        "PYTHONIOENCODING": "utf-8",
        "MALLOC_ARENA_MAX": "2",
        "OMP_NUM_THREADS": "2",
        "OPENBLAS_NUM_THREADS": "1",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "sensors.guard", str(place.resolve())],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        start_new_session=os.name == "posix",
    )


def _watch(
    child: subprocess.Popen[bytes], seconds: float, memory_mb: int, progress: Progress | None
) -> str | None:
    """Wait for the child; say ``time`` or ``memory`` if it went over a limit."""
    calls: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=_listen, args=(child.stdout, calls), daemon=True).start()
    until = time.monotonic() + seconds
    while True:
        try:
            child.wait(LOOK_EVERY)
            return None
        except subprocess.TimeoutExpired:
            _pass_on(calls, progress)
        if time.monotonic() > until:
            return "time"
        if _memory_mb(child.pid) > memory_mb:
            return "memory"


def _listen(pipe: IO[bytes] | None, calls: queue.Queue[bytes]) -> None:
    with contextlib.suppress(OSError, ValueError):
        for line in pipe or ():
            calls.put(line[:2000])


def _pass_on(calls: queue.Queue[bytes], progress: Progress | None) -> None:
    last = None
    while not calls.empty():
        last = calls.get()
    if last and progress:
        with contextlib.suppress(ValueError, TypeError):
            share, text = json.loads(last)
            progress(min(max(float(share), 0.0), 1.0), str(text))


def _memory_mb(pid: int) -> float:
    import psutil

    total = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                total += one.memory_info().rss
    return total / 1e6


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child and all it started."""
    import psutil

    with contextlib.suppress(psutil.Error):
        for one in psutil.Process(child.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                one.kill()
    if child.poll() is None:
        child.kill()
    child.wait()
    if os.name == "posix":
        # Grandchildren whose parent has ended are still in its session.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    if child.stdout:
        with contextlib.suppress(OSError):
            child.stdout.close()


def _result(place: Path, code: int, over: str | None, seconds: float, memory_mb: int) -> Any:
    long = f"The file takes more than {seconds:g} seconds to read, which is the limit here; split it, or ask the operator to raise COMMONSIGHT_PARSE_SECONDS."
    big = f"The file takes more than {memory_mb:,} MB of memory to read, which is the limit here; split it, or ask the operator to raise COMMONSIGHT_PARSE_MEMORY_MB."
    if over:
        raise FileTooLarge(long if over == "time" else big)
    try:
        answer = json.loads((place / "result.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        answer = None
    if answer is None:
        _log.warning("Reading ended with code %s: %s", code, _tail(place / "child.log"))
        if code == -getattr(signal, "SIGXCPU", 0):
            raise FileTooLarge(long)
        if code in (-getattr(signal, "SIGKILL", 0), -getattr(signal, "SIGABRT", 0)):
            raise FileTooLarge(big)
        raise FieldFileError(
            f"The file could not be read: the reader stopped without a word (code {code}). "
            "Save it as CSV and try again; nothing of it was kept."
        )
    if "error" in answer:
        raise _error(answer, big)
    return answer["value"]


def _error(answer: dict[str, str], big: str) -> CommonsightError:
    name, message = answer["error"], answer["message"]
    if name == "MemoryError":
        return FileTooLarge(big)
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, CommonsightError):
        return kind(message)
    _log.error("Reading failed: %s", answer.get("trace", ""))
    return FieldFileError(
        f"The file could not be read: the reader met something it does not know ({name}: {message[:200]}). "
        "Save it as CSV and try again; nothing of it was kept."
    )


def _tail(path: Path) -> str:
    try:
        return path.read_bytes()[-2000:].decode("utf-8", "replace")
    except OSError:
        return ""


# --- in the child ---------------------------------------------------------------------------------


def _limit(seconds: float, memory_mb: int, file_mb: int) -> None:
    try:
        import resource
    except ImportError:
        return  # the parent watches; see missing_limits()
    megabyte = 1_000_000
    wanted = {
        "RLIMIT_DATA": (memory_mb + ROOM) * megabyte,
        "RLIMIT_AS": (3 * memory_mb + 8 * ROOM) * megabyte,
        "RLIMIT_CPU": int(2 * seconds) + 5,
        "RLIMIT_FSIZE": file_mb * megabyte,
        "RLIMIT_CORE": 0,
    }
    for name, most in wanted.items():
        with contextlib.suppress(AttributeError, ValueError, OSError):
            kind = getattr(resource, name)
            hard = resource.getrlimit(kind)[1]
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (most, most))


def _plain(value: Any) -> Any:
    if hasattr(value, "item"):  # numpy's numbers
        return value.item()
    return str(value)


def _main(place: Path) -> None:
    call = json.loads((place / "call.json").read_text(encoding="utf-8"))
    _limit(*call["limits"])
    # What libraries print must not be taken for progress.
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        answer = {"value": _run(call, pipe)}
        text = json.dumps(answer, default=_plain)
    except BaseException as wrong:  # whatever it was, the parent is to hear of it
        text = json.dumps(
            {"error": type(wrong).__name__, "message": str(wrong), "trace": traceback.format_exc()[-4000:]}
        )
    part = place / "result.part"
    part.write_text(text, encoding="utf-8")
    part.replace(place / "result.json")


def _run(call: dict[str, Any], pipe: IO[str]) -> Any:
    module, _, name = call["function"].partition(":")
    function = getattr(importlib.import_module(module), name)

    def progress(share: float, text: str = "") -> None:
        with contextlib.suppress(OSError):
            pipe.write(json.dumps([share, text]) + "\n")
            pipe.flush()

    extra = {"progress": progress} if "progress" in inspect.signature(function).parameters else {}
    return function(**call["args"], **extra)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
