"""Reads answers of sources as a pull does, without a network: hand-written ones, and recorded ones beside us."""

from __future__ import annotations

import json
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sensors.field_file import Origin, Report, read_into
from sensors.pull import make_table
from sensors.sensor import Body, Sensor
from sensors.sources import available

BODIES = Path(__file__).parent / "bodies"
RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "recordings"


@dataclass
class Reading:
    """What became of answers: observations (flat form), quarantine, the table of text cells, the report."""

    observations: pd.DataFrame
    quarantine: pd.DataFrame
    cells: pd.DataFrame
    report: Report

    def one(self, **where: Any) -> dict[str, Any]:
        """Give the one observation that has these cells."""
        found = self.observations
        for name, cell in where.items():
            found = found[found[name] == cell]
        assert len(found) == 1, found[["observed_property", "result_text", "phenomenon_time"]]
        return {name: None if pd.isna(cell) else cell for name, cell in found.iloc[0].items()}


def bodies(key: str) -> list[Body]:
    """Give the hand-written answers of a source, in the order of their names."""
    folder = BODIES / key
    said = folder / "about.toml"
    about = tomllib.loads(said.read_text("utf-8")) if said.is_file() else {}
    return [
        Body(path.stem, path.read_bytes(), kind=about.get(path.name, {}).get("kind", ""),
             about=about.get(path.name, {}).get("about", {}))
        for path in sorted(folder.iterdir())
        if path.name != "about.toml"
    ]  # fmt: skip


def recorded(path: str, **more: Any) -> Body:
    """Give a recorded answer; skips the test where the recordings are not beside the project."""
    if not RECORDINGS.is_dir():
        pytest.skip("the recorded answers are not beside the project (../shared/recordings)")
    return Body(Path(path).stem, (RECORDINGS / path).read_bytes(), **more)


def made(data: Any, **more: Any) -> Body:
    """Give an answer in JSON."""
    return Body("made", json.dumps(data, ensure_ascii=False).encode(), **more)


@cache
def by_hand(key: str) -> Reading:
    """Read the hand-written answers of a source; not to be changed by who takes it."""
    return read(key, bodies(key))


def read(key: str | Sensor, answers: Sequence[Body]) -> Reading:
    """Read answers as a pull reads them."""
    sensor = available()[key] if isinstance(key, str) else key
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        held = [body for body in answers if not body.empty]
        table = make_table(sensor, held, folder / "table")
        assert table is not None, "the answers hold no rows"
        if sensor.parse is None:
            cells = pd.read_csv(table, dtype="str", keep_default_na=False)
        else:
            cells = pd.read_parquet(table)
        constants = {"licence": sensor.licence, "attribution": sensor.attribution}
        report = read_into(table, folder / "out", origin=Origin(sensor.key, sensor.dialect, constants))
        return Reading(
            pd.read_parquet(folder / "out" / "observations.parquet"),
            pd.read_parquet(folder / "out" / "quarantine.parquet"),
            cells,
            report,
        )
