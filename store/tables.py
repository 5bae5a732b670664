"""The tables of a store, the same on every engine; nothing in them is ever updated in place.

A stored row of the table of observations is known by its number, ``reading``: the batch's number times
2**32, plus the row's place in the batch. So the batch of a row, and the rows of a batch, are arithmetic.

* ``observations``: each row once, in the batch that first said it.
* ``repeats``: a batch that says again what stands already is kept as ranges of reading numbers, a line
  or a few per batch. The row stays visible as long as *any* batch that says it is.
* ``corrections``: a row that replaces another one of the same key, with its predecessor (``prior``) and
  the first of the chain (``root``). Which version is valid is found in these two small tables alone.
* ``reviews``: what reviewers said of a row.
* ``latest``: the current picture, see :mod:`store.picture`.
* ``ledger``: every event, one counter.

What surprised us: DuckLake reserves the column name ``row_id``, and knows neither keys nor indexes.
"""

from __future__ import annotations

from situation.observation import ARROW, FLAT_COLUMNS

#: Reading numbers of batch *b* are b * 2**32 … (b + 1) * 2**32 - 1.
SHIFT = 32

_SQL_TYPES = {
    "string": "VARCHAR",
    "double": "DOUBLE",
    "int64": "BIGINT",
    "timestamp[us, tz=UTC]": "TIMESTAMPTZ",
}

#: SQL type of each column of the flat form.
TYPES = {field.name: _SQL_TYPES[str(field.type)] for field in ARROW}

#: What the store itself says of a row, and therefore does not keep with it.
SAID_BY_STORE = ("batch_id", "review_state")

STORED = tuple(name for name in FLAT_COLUMNS if name not in SAID_BY_STORE)

#: A series is one line of the picture: these columns together, and the topic.
SERIES = (
    "monitoring_location_id",
    "what",
    "sampled_medium",
    "sample_fraction",
    "method_speciation",
    "procedure_class",
    "depth_m",
)

#: What the picture repeats of the newest valid reading of a series.
SHOWN = (
    "observation_id",
    "source_id",
    "monitoring_location_id",
    "monitoring_location_name",
    "monitoring_location_type",
    "observed_property",
    "observed_property_name",
    "sampled_medium",
    "sample_fraction",
    "method_speciation",
    "procedure",
    "procedure_class",
    "phenomenon_time",
    "phenomenon_time_precision",
    "result",
    "result_text",
    "unit",
    "censoring",
    "detection_limit",
    "detection_condition",
    "result_status",
    "quality_flag",
    "quality_reason",
    "horizontal_accuracy_m",
    "depth_m",
    "position_rule",
    "contributor",
    "licence",
    "attribution",
    "longitude",
    "latitude",
)


def quoted(names: tuple[str, ...], table: str = "") -> str:
    """List columns for SQL, each with its table if one is given."""
    return ", ".join(f'{table}."{name}"' if table else f'"{name}"' for name in names)


def _columns(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}" {TYPES[name]}' for name in names)


TABLES = {
    "ledger": "data_version BIGINT, event VARCHAR",
    "observations": f"reading BIGINT, batch BIGINT, {_columns(STORED)}",
    "repeats": "batch BIGINT, first BIGINT, last BIGINT",
    "corrections": "batch BIGINT, reading BIGINT, prior BIGINT, root BIGINT",
    "reviews": "data_version BIGINT, reading BIGINT, state VARCHAR",
    "latest": (
        "data_version BIGINT, topic VARCHAR, review VARCHAR, series VARCHAR, reading BIGINT, batch BIGINT, "
        "review_state VARCHAR, n BIGINT, n_censored BIGINT, first_time TIMESTAMPTZ, last_time TIMESTAMPTZ, "
        + _columns(SHOWN)
    ),
}

#: Small tables that each process keeps a copy of in memory: asking the lake for one costs milliseconds.
MIRRORED = ("repeats", "corrections", "reviews")
