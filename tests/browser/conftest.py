"""The app that the browser tests share: started once for all of them, on a copy of the demonstration.

A test that changes what the app shows brings it back, or starts an app of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.browser.test_map_browser import ROOT, _free_port, _wait_for


@pytest.fixture(scope="session")
def server(demo_home, tmp_path_factory):
    """Start the app on the demonstration; gives its address and the folder that it writes to."""
    var = tmp_path_factory.mktemp("browser")
    shutil.copytree(demo_home, var / "demo")
    port = _free_port()
    with (var / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
            cwd=ROOT,
            env=os.environ | {"COMMONSIGHT_VAR": str(var)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/_stcore/health", process, var / "log")
            yield f"http://127.0.0.1:{port}", var
        finally:
            process.terminate()
            process.wait(20)
