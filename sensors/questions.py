"""What a file leaves open: questions with choices, asked once, answered once.

A question is asked only where the answer changes a number, a time or a place; what it holds back waits
in the quarantine under its id. Answers travel as a plain mapping of question id to choice and are kept
in the mapping, so that the next file of the same shape is not asked again.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sensors.vocabulary import fold


@dataclass(frozen=True)
class Choice:
    """One answer: its value, what it says, and what it does."""

    value: str
    label: str
    effect: str = ""


@dataclass(frozen=True)
class Question:
    """One thing that the file does not say. ``free``: any readable answer of its kind will do."""

    id: str
    text: str
    why: str
    choices: list[Choice]
    rows_waiting: int = 0
    column: str | None = None
    example: str | None = None
    free: bool = False
    columns: list[str] = field(default_factory=list)

    def waiting(self, rows: int) -> Question:
        """Give the question with the number of rows that wait for it."""
        return replace(self, rows_waiting=rows)

    def to_json(self) -> dict[str, Any]:
        """Give the question as plain data."""
        return asdict(self)


def question_from(data: dict[str, Any]) -> Question:
    """Make a question of plain data again."""
    return Question(**{**data, "choices": [Choice(**choice) for choice in data["choices"]]})


def slug(*words: str) -> str:
    """Make a stable id of words.

    >>> slug("unit", "Nitrate (ppm)"), slug("constant", "-9999")
    ('unit-nitrate-ppm', 'constant-minus-9999')
    """
    parts = [re.sub(r"\s+", "-", fold(re.sub(r"^-(?=\d)", "minus ", word))) for word in words]
    return "-".join(part for part in parts if part)[:80]
