"""What the tests of the store share: readings, addresses, and a plain-Python model of what must hold."""

import os
import signal

import pandas as pd

from situation import observation
from store import disk

#: The contract suite runs on each; another engine joins by one more line.
ENGINES = ("ducklake:sqlite:", "duckdb:")

SOURCE = "upload:anna"

READING = {
    "source_id": SOURCE,
    "monitoring_location_id": "anna:well-1",
    "monitoring_location_name": "Well 1",
    "observed_property": "nitrate",
    "observed_property_name": "Nitrate",
    "phenomenon_time": pd.Timestamp("2024-01-01", tz="UTC"),
    "result": 1.0,
    "result_text": "1",
    "unit": "mg/L",
    "longitude": 8.5,
    "latitude": 47.25,
    "retrieved_at": pd.Timestamp("2024-02-01", tz="UTC"),
}


def readings(*changes):
    """Make an Arrow table of one reading per mapping of changes."""
    return observation.to_arrow(observation.flat(pd.DataFrame([READING | change for change in changes])))


def reading(site=1, day=1, result=1.0, **changes):
    """Say how a reading differs from the first one; a text like ``<0.5`` is a censored result."""
    said = {
        "monitoring_location_id": f"anna:well-{site}",
        "phenomenon_time": pd.Timestamp("2024-01-01", tz="UTC") + pd.Timedelta(days=day - 1),
        "result_text": str(result),
    }
    if isinstance(result, str):
        said |= {"result": None, "censoring": result[0], "detection_limit": float(result[1:])}
    else:
        said |= {"result": float(result)}
    return said | changes


def add(store, *changes, original=None, **options):
    """Add a batch of readings; its bytes are made of them unless given."""
    table = readings(*changes)
    original = repr(changes).encode() if original is None else original
    return store.add(
        original,
        table,
        **{
            "filename": "wells.csv",
            "source_id": SOURCE,
            "topic": "groundwater",
            "rows_in": len(table),
            "recipe": {"changes": repr(changes)},
        }
        | options,
    )


def shown(table):
    """Give site, time and result of a picture or of observations, sorted: what a test compares."""
    said = table["result_text"].tolist()
    sites = [site.rpartition("-")[2] for site in table["monitoring_location_id"]]
    days = (table["phenomenon_time"] - READING["phenomenon_time"]).dt.days + 1
    return sorted(zip(map(int, sites), days.tolist(), said, strict=True))


def die_at(monkeypatch, point):
    """Let this process be killed when a write reaches a point."""
    monkeypatch.setattr(
        disk, "reached", lambda at: os.kill(os.getpid(), signal.SIGKILL) if at == point else None
    )
