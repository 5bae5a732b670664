"""Runs the reading of a stranger's file in a child process with limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def run_guarded(
    function_path: str,
    args: Mapping[str, Any],
    *,
    folder: Path | None = None,
    seconds: float = 60,
    memory_mb: int = 2048,
    file_mb: int = 4096,
    progress: Callable[[float, str], None] | None = None,
) -> Any:
    """Run ``package.module:function(**args)`` in a child process; JSON-able args and result.

    If the function takes a keyword ``progress`` it gets a callable ``(share 0..1, text)`` whose
    calls reach *progress* here. Errors of the CommonsightError tree come back as the same class with their
    sentence; time-out and memory raise FileTooLarge, any other death FieldFileError.
    """
    raise NotImplementedError
