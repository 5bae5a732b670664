"""The simulated readings of an invented valley, as tables of observations.

``data/demo/make.py`` makes the files and says how. Nothing in them was measured, nobody lives there, and
every row says so: in the name of its site, its method, its contributor and its attribution.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from situation.observation import TIME, flat
from situation.privacy import rule_for
from situation.properties import find_property
from situation.settings import DATA
from situation.topic import topic_named
from situation.unit import read_unit

FOLDER = DATA / "demo"
ATTRIBUTION = "Simulated by Commonsight (data/demo/make.py); nothing was measured"
LICENCE = "CC0-1.0"
#: File to topic; each file is one batch of the demonstration's store.
FILES = {
    "laboratory_2020_2024.csv": "groundwater",
    "volunteers.csv": "groundwater",
    "laboratory_2025_2026.csv": "groundwater",
    "air.csv": "air",
}
_CLASSES = {
    "laboratory": "laboratory",
    "strip": "strip",
    "meter": "meter",
    "sensor": "sensor",
    "monitor": "sensor",
}


@dataclass(frozen=True)
class DemoFile:
    """One batch of the demonstration; ``observations`` in the flat form."""

    original: Path
    observations: pd.DataFrame
    filename: str
    source_id: str
    contributor: str
    topic: str
    rows_in: int


def demo_files() -> list[DemoFile]:
    """Read every file of the demonstration, oldest first."""
    return [_file(name, topic) for name, topic in FILES.items()]


def demo_tables() -> dict[str, pd.DataFrame]:
    """Read the demonstration: topic to one table of observations in the flat form."""
    tables: dict[str, list[pd.DataFrame]] = {}
    for file in demo_files():
        tables.setdefault(file.topic, []).append(file.observations)
    return {topic: pd.concat(parts, ignore_index=True) for topic, parts in tables.items()}


def _file(name: str, topic: str) -> DemoFile:
    path = FOLDER / name
    source = f"simulated:{name.split('.')[0].split('_')[0]}"
    rows = pd.read_csv(path, dtype="str", keep_default_na=False)
    table = _observations(rows, source, topic)
    return DemoFile(path, table, name, source, "simulated", topic, len(rows))


def _observations(rows: pd.DataFrame, source: str, topic: str) -> pd.DataFrame:
    sites = _sites().loc[rows["site"]].reset_index(drop=True)
    text = rows["result"]
    sign = text.str[:1].where(text.str[:1].isin(["<", ">"]), "=")
    number = pd.to_numeric(text.str.lstrip("<>"))
    unit = _each(rows["unit"], lambda spelling: read_unit(spelling).ucum)
    rules = {kind: rule_for(kind, topic_named(topic)) for kind in sites["type"].unique()}
    return flat(
        {
            "source_id": pd.Series(source, index=rows.index),
            "sample_id": rows["site"] + "-" + rows["sampled_on"],
            "replicate": _blank(rows["replicate"]),
            "monitoring_location_id": "simulated:" + rows["site"],
            "monitoring_location_name": sites["name"],
            "monitoring_location_type": sites["type"],
            "observed_property": _each(rows["substance"], find_property),
            "observed_property_name": rows["substance"],
            "sampled_medium": sites["medium"],
            "sample_fraction": _blank(rows["fraction"]),
            "method_speciation": _each(rows["unit"], lambda spelling: read_unit(spelling).species),
            "procedure": rows["method"],
            "procedure_class": _each(rows["method"], _class),
            "phenomenon_time": pd.to_datetime(rows["sampled_on"], utc=True).astype(TIME),
            "phenomenon_time_precision": pd.Series("day", index=rows.index),
            "time_zone_source": pd.Series("documented", index=rows.index),
            "result": number.where(sign.eq("="), np.nan),
            "result_text": text,
            "unit": unit,
            "unit_source": rows["unit"],
            "censoring": sign,
            "detection_limit": number.where(sign.ne("="), np.nan),
            "result_status": pd.Series("approved", index=rows.index),
            "review_state": pd.Series("verified", index=rows.index),
            "depth_m": sites["depth_m"],
            "position_rule": sites["type"].map(rules),
            "contributor": rows["sampled_by"],
            "licence": pd.Series(LICENCE, index=rows.index),
            "attribution": pd.Series(ATTRIBUTION, index=rows.index),
            "source_row": pd.Series(np.arange(2, len(rows) + 2), index=rows.index),
            "longitude": sites["longitude"],
            "latitude": sites["latitude"],
        }
    )


@cache
def _sites() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "sites.csv", index_col="site")


def _each(column: pd.Series, read: object) -> pd.Series:
    """Read each distinct text of a column once."""
    found = {text: read(text) for text in column.unique()}  # type: ignore[operator]
    return column.map(found).astype("str")


def _blank(column: pd.Series) -> pd.Series:
    return column.where(column.ne(""))


def _class(method: str) -> str:
    return next((kind for word, kind in _CLASSES.items() if word in method), "unknown")
