"""How much memory a program takes at its peak, its children counted in; what the benchmarks share, no benchmark."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import psutil


def run(command: Sequence[str], folder: Path) -> tuple[str, int, float]:
    """Run a command in a folder; gives what it said on standard output, its exit code and megabytes at the peak."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder)
    peak = [0]
    threading.Thread(target=_watch, args=(psutil.Process(child.pid), peak), daemon=True).start()
    out, _ = child.communicate()
    return out, child.returncode, peak[0] / 2**20


def _watch(process: psutil.Process, peak: list[int]) -> None:
    while process.is_running():
        try:
            family = [process, *process.children(recursive=True)]
            peak[0] = max(peak[0], sum(one.memory_info().rss for one in family))
        except psutil.Error:
            pass
        time.sleep(0.05)
