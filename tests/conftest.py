"""Fixtures that several tests share, and the wall that keeps every test on this machine."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
SAMPLES = SHARED / "samples"
LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")

# Two workers share two processors: threads of NumPy's own only wait for each other. Read when NumPy is loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

_connect = socket.socket.connect
_connect_ex = socket.socket.connect_ex


def _refuse_strangers(address: object) -> None:
    if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
        raise OSError(f"A test tried to reach {address[0]}; tests stay on this machine.")


def _guarded_connect(self: socket.socket, address: Any) -> None:
    _refuse_strangers(address)
    return _connect(self, address)


def _guarded_connect_ex(self: socket.socket, address: Any) -> int:
    _refuse_strangers(address)
    return _connect_ex(self, address)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a skipped test fail where nothing may be skipped; the samples beside the project may be absent."""
    report = yield
    if report.skipped and os.environ.get("COMMONSIGHT_SKIP_NOTHING") and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if "../shared" not in reason:
            report.outcome = "failed"
            report.longrepr = f"Nothing may be skipped here, but this test was. {reason}"
    return report


@pytest.fixture(autouse=True, scope="session")
def _stay_on_this_machine(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let a test reach 127.0.0.1 and nothing else, unless the live ones were asked for."""
    if "live" in (request.config.getoption("-m") or "").replace("not live", ""):
        yield
        return
    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", _guarded_connect)
    patch.setattr(socket.socket, "connect_ex", _guarded_connect_ex)
    yield
    patch.undo()


@pytest.fixture(autouse=True, scope="session")
def _an_engine_for_small_tables() -> Iterator[None]:
    """Open stores without hashing DuckDB's two extensions anew, and with one thread for each query.

    The first spares half a second of processor each time, the second half of what a table of three rows costs.
    Programs that tests start as people do (the command line, the app) have the engine as it is.
    """
    from store import engine

    patch = pytest.MonkeyPatch()
    patch.setitem(engine._CLOSED_CONFIG, "allow_unsigned_extensions", "true")
    patch.setitem(engine._CLOSED_CONFIG, "threads", 1)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def _own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a folder of its own to write in, whatever the person at the desk has set."""
    for name in [name for name in os.environ if name.startswith("COMMONSIGHT_")]:
        if name not in ("COMMONSIGHT_NEEDS_BROWSER", "COMMONSIGHT_SKIP_NOTHING", "COMMONSIGHT_TORTURE"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COMMONSIGHT_VAR", str(tmp_path / "var"))


@pytest.fixture(autouse=True)
def _forget_cached_answers() -> None:
    """Clear what Streamlit remembers, or one test answers another's question."""
    streamlit = sys.modules.get("streamlit")
    if streamlit is not None:
        streamlit.cache_data.clear()


@pytest.fixture
def shared() -> Path:
    """Return the folder of real sample files beside the project."""
    if not SAMPLES.is_dir():
        pytest.skip("the sample files are not beside the project (../shared/samples)")
    return SHARED


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Make the demonstration store once; tests take copies of it."""
    from sensors import intake

    folder = tmp_path_factory.mktemp(f"demo-{worker_id}") / "demo"
    intake.make_demo(f"ducklake:sqlite:{folder}").close()
    return folder


@pytest.fixture
def store_with_demo(demo_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return an open store of one's own that holds the simulated valley, chosen as the active one."""
    import store

    home = tmp_path / "store-with-demo"
    shutil.copytree(demo_home, home)
    url = f"ducklake:sqlite:{home}"
    monkeypatch.setenv("COMMONSIGHT_STORE", url)
    opened = store.open_store(url)
    yield opened
    opened.close()
