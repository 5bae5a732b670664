"""The table of observations: one row is one result of one property at one place at one time.

Names follow OGC Observations & Measurements (ISO 19156), SensorThings 1.1 and, where those have
none, WQX 3.0. The table is described here once and validated once, at the door, by
:func:`observations`. It exists in two forms with the same columns:

* a GeoDataFrame with ``geometry`` (points, EPSG:4326), for everything that thinks;
* the *flat* form with ``longitude`` and ``latitude`` (float64 degrees, EPSG:4326) instead,
  for files and the store, described to Arrow by :data:`ARROW`.

What surprised us: a censored result (``<0.5``) is not a number. ``result`` is NaN unless the result
was quantified; its limit stands in ``detection_limit`` (for ``>`` the bound that was passed), and
``result_text`` keeps what was written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow
import pyarrow.compute as compute
import shapely

from situation.errors import ObservationError

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema

CRS = "EPSG:4326"
TIME = "datetime64[us, UTC]"

CENSORING = ("=", "<", ">", "text", "missing")
PROCEDURE_CLASSES = ("strip", "meter", "laboratory", "sensor", "unknown")
PRECISIONS = ("year", "month", "day", "hour", "minute", "second")
ZONE_SOURCES = ("given", "documented", "assumed")
RESULT_STATUSES = ("approved", "provisional", "estimated", "suspect", "rejected", "unknown")
REVIEW_STATES = ("pending", "verified", "rejected")
POSITION_RULES = ("exact", "blurred", "area", "withheld")
MEDIA = (
    "groundwater",
    "surface_water",
    "drinking_water",
    "wastewater",
    "sea_water",
    "water",
    "soil",
    "sediment",
    "air",
    "ambient_radiation",
    "unknown",
)


@dataclass(frozen=True)
class Column:
    """One column: its dtype, whether it may be empty, its closed vocabulary, what it says."""

    dtype: str
    empty: bool
    meaning: str
    words: tuple[str, ...] = ()
    default: str | None = None


COLUMNS: Mapping[str, Column] = {
    # identity
    "observation_id": Column("str", False, "stable; SHA-1 of the natural key when the source gives none"),
    "source_id": Column("str", False, "who it came from: a connector's key, or upload:<contributor>"),
    "batch_id": Column("str", True, "number of the batch in the ledger; set by the store"),
    "sample_id": Column("str", True, "sample or visit, in the source's words"),
    "datastream_id": Column("str", True, "series or sensor, in the source's words"),
    "replicate": Column("str", True, "replicate number, from the file or the ordinal of a repeated row"),
    "monitoring_location_id": Column("str", False, "the site, prefixed by its source"),
    "monitoring_location_name": Column("str", True, "the site's name"),
    "monitoring_location_type": Column(
        "str", True, "well, household_well, spring, river, tap, air_station …"
    ),
    # what
    "observed_property": Column("str", True, "our key, e.g. nitrate; empty when unmapped, never guessed"),
    "observed_property_name": Column("str", False, "the source's words"),
    "observed_property_code": Column("str", True, "e.g. usgs:00618, cas:14797-55-8"),
    "sampled_medium": Column("str", False, "what was sampled", MEDIA, "unknown"),
    "sample_fraction": Column("str", True, "total, dissolved, or the source's words"),
    "method_speciation": Column("str", True, "as N, as NO3 …; empty when unknown"),
    "procedure": Column("str", True, "method or sensor model"),
    "procedure_class": Column("str", False, "kind of procedure", PROCEDURE_CLASSES, "unknown"),
    # when
    "phenomenon_time": Column(TIME, False, "UTC; the start of what the precision leaves open"),
    "phenomenon_time_precision": Column("str", False, "how exact the time is", PRECISIONS, "day"),
    "time_zone_source": Column("str", False, "where the zone came from", ZONE_SOURCES, "assumed"),
    # result
    "result": Column("float64", True, "in unit; NaN unless quantified"),
    "result_text": Column("str", False, "verbatim"),
    "unit": Column("str", True, "UCUM, e.g. mg/L; empty when not known"),
    "unit_source": Column("str", True, "verbatim"),
    "censoring": Column("str", False, "= quantified, < below, > above, text, missing", CENSORING, "="),
    "detection_limit": Column("float64", True, "limit that a < or > result is compared with, in unit"),
    "detection_condition": Column("str", True, "below_detection, below_quantification, trace …"),
    "result_uncertainty": Column("float64", True, "in unit"),
    "result_qualifier": Column("str", True, "the source's flags, verbatim"),
    # quality
    "result_status": Column("str", False, "the source's own judgement", RESULT_STATUSES, "unknown"),
    "quality_flag": Column("int64", False, "QARTOD: 1 pass, 2 not evaluated, 3 suspect, 4 fail, 9 missing"),
    "quality_reason": Column("str", True, "why the flag is not 1 or 2"),
    "review_state": Column("str", False, "what our reviewers said", REVIEW_STATES, "pending"),
    # where
    "horizontal_accuracy_m": Column("float64", True, "metres"),
    "horizontal_datum": Column("str", True, "datum that the source gave, e.g. NAD83, EPSG:21037"),
    "depth_m": Column("float64", True, "metres below ground, positive down"),
    "position_rule": Column("str", False, "how exactly the place may be shown", POSITION_RULES, "exact"),
    # provenance
    "contributor": Column("str", True, "pseudonym"),
    "licence": Column("str", False, "SPDX identifier or the source's words", (), "unknown"),
    "attribution": Column("str", False, "who is to be credited", (), "unknown"),
    "retrieved_at": Column(TIME, False, "when we read it"),
    "source_row": Column("Int64", True, "line in the file, counted from 1 with the header line"),
    "source_url": Column("str", True, "where it was fetched, key removed"),
}

#: Columns that together say which reading this is; the same key with another result is a correction.
NATURAL_KEY = (
    "source_id",
    "monitoring_location_id",
    "observed_property_name",
    "observed_property_code",
    "sampled_medium",
    "sample_fraction",
    "method_speciation",
    "phenomenon_time",
    "phenomenon_time_precision",
    "depth_m",
    "procedure",
    "sample_id",
    "replicate",
)

#: Columns that decide whether a reading with a known key is the same (a no-op) or a correction.
CONTENT = (
    "observed_property",
    "result",
    "result_text",
    "unit",
    "censoring",
    "detection_limit",
    "result_status",
    "longitude",
    "latitude",
    "position_rule",
)

_ARROW_TYPES = {
    "str": pyarrow.string(),
    "float64": pyarrow.float64(),
    "int64": pyarrow.int64(),
    "Int64": pyarrow.int64(),
    TIME: pyarrow.timestamp("us", tz="UTC"),
}

#: The flat form for files and the store.
ARROW = pyarrow.schema(
    [pyarrow.field(name, _ARROW_TYPES[column.dtype]) for name, column in COLUMNS.items()]
    + [pyarrow.field("longitude", pyarrow.float64()), pyarrow.field("latitude", pyarrow.float64())]
)

FLAT_COLUMNS = tuple(ARROW.names)

#: What fills a column that is not given and has no fixed default: not evaluated; now.
_FILL: Mapping[str, Callable[[], Any]] = {
    "quality_flag": lambda: 2,
    "retrieved_at": lambda: pd.Timestamp.now("UTC").tz_localize(None),
}


@cache
def _schema() -> DataFrameSchema:
    # Half a second to import: only who makes observations needs it, not who looks at them.
    import pandera.pandas as pa

    columns = {
        name: pa.Column(
            column.dtype,
            [pa.Check.isin(column.words)] if column.words else None,
            nullable=column.empty,
        )
        for name, column in COLUMNS.items()
    }
    columns["quality_flag"] = pa.Column("int64", pa.Check.isin([1, 2, 3, 4, 9]))
    columns["longitude"] = pa.Column("float64", pa.Check.in_range(-180, 180), nullable=True)
    columns["latitude"] = pa.Column("float64", pa.Check.in_range(-90, 90), nullable=True)
    return pa.DataFrameSchema(
        columns,
        checks=[
            pa.Check(
                lambda table: table["result"].isna() | table["censoring"].eq("="),
                error="a censored, textual or missing result has no number in `result`",
            ),
            pa.Check(
                lambda table: table["result"].notna() | table["censoring"].ne("="),
                error="a quantified result has a number in `result`",
            ),
        ],
        strict=True,
    )


def natural_key_ids(table: pd.DataFrame) -> pd.Series:
    """Hash the natural key of each row.

    Parameters
    ----------
    table : DataFrame
        Flat or geographic form; columns of :data:`NATURAL_KEY`.

    Returns
    -------
    observation_id : Series of str
        40 hexadecimal digits (SHA-1, used as a name, not as a secret), with the index of *table*.
    """
    joint = pyarrow.scalar(b"\x1f", pyarrow.large_binary())
    keys = compute.binary_join_element_wise(*(_text(table[name]) for name in NATURAL_KEY), joint)
    # One key for all rows comes back as a scalar: every part was the same throughout.
    keys = keys.to_pylist() if isinstance(keys, pyarrow.Array) else [keys.as_py()] * len(table)
    digests = b"".join([hashlib.sha1(key, usedforsecurity=False).digest() for key in keys])
    offsets = np.arange(0, 40 * len(table) + 1, 40, dtype="int64")
    ids = pyarrow.LargeStringArray.from_buffers(
        len(table), pyarrow.py_buffer(offsets), pyarrow.py_buffer(digests.hex().encode())
    )
    return pd.Series(_words(ids), index=table.index)


def _text(column: pd.Series) -> pyarrow.Array | pyarrow.Scalar:
    # Repeated values (site, property, unit …) are turned to text once; missing is the empty text.
    codes, distinct = pd.factorize(column)
    if isinstance(distinct, pd.DatetimeIndex):
        words = [str(moment) for moment in distinct.as_unit("us").astype("int64")]
    else:
        words = [str(word) for word in distinct]
    texts = pyarrow.array([word.encode() for word in [*words, ""]], pyarrow.large_binary())
    if len(words) == 0 or (len(words) == 1 and codes.min() == 0):
        return texts[0]
    return texts.take(pyarrow.array(np.where(codes < 0, len(words), codes)))


def _words(texts: pyarrow.Array) -> pd.api.extensions.ExtensionArray:
    """Wrap Arrow text as pandas text, without a Python object per row."""
    return pd.StringDtype(na_value=np.nan).__from_arrow__(texts)


def _constant(dtype: str, value: Any, rows: int) -> Any:
    """Make a column of one value (None: missing) in the time that its memory takes."""
    if dtype == "str":
        word = pyarrow.scalar(value, pyarrow.large_string())
        return _words(pyarrow.repeat(word, rows))
    if dtype == TIME:
        moment = np.datetime64("NaT" if value is None else value, "us")
        return pd.DatetimeIndex(np.full(rows, moment)).tz_localize("UTC").array
    if dtype == "Int64":
        return pd.arrays.IntegerArray(np.zeros(rows, "int64"), np.ones(rows, "bool"))
    return np.full(rows, np.nan if value is None else value, dtype=dtype)


def flat(table: pd.DataFrame | Mapping[str, Any]) -> pd.DataFrame:
    """Bring columns to the flat form: missing ones filled, dtypes cast, ids given; not validated.

    Parameters
    ----------
    table : DataFrame or mapping of columns
        Any of the columns of :data:`COLUMNS`, and ``longitude``, ``latitude``; or ``geometry``.

    Returns
    -------
    DataFrame
        Exactly :data:`FLAT_COLUMNS`, in that order, with their dtypes.

    Raises
    ------
    ObservationError
        If a column is not one of ours, or cannot be cast.
    """
    table = pd.DataFrame(table)
    given = {str(name): table[name] for name in table.columns}
    if "geometry" in given:
        points = gpd.GeoSeries(given.pop("geometry"))
        given["longitude"], given["latitude"] = points.x, points.y
    strange = sorted(set(given) - set(FLAT_COLUMNS))
    if strange:
        raise ObservationError(
            f"Not columns of the table of observations: {', '.join(strange)}; "
            "situation/observation.py lists them."
        )
    out = {name: _column(name, given.get(name), table.index) for name in FLAT_COLUMNS}
    result = pd.DataFrame(out, index=table.index, copy=False)
    lacking = result["observation_id"].isna()
    if lacking.all():
        result["observation_id"] = natural_key_ids(result)
    elif lacking.any():
        result.loc[lacking, "observation_id"] = natural_key_ids(result.loc[lacking])
    return result.reset_index(drop=True)


def _column(name: str, given: pd.Series | None, index: pd.Index) -> pd.Series:
    column = COLUMNS.get(name)
    dtype = column.dtype if column else "float64"
    default = column.default if column else None
    if given is None:
        value = _FILL[name]() if name in _FILL else default
        return pd.Series(_constant(dtype, value, len(index)), index=index, copy=False)
    if dtype == "int64" and given.isna().any():
        given = given.fillna(_FILL[name]())
    try:
        cast: pd.Series = given.astype(dtype)
    except (TypeError, ValueError) as wrong:
        raise ObservationError(f"Column {name} does not hold {dtype}: {wrong}") from wrong
    return cast.fillna(default) if default is not None and cast.hasnans else cast


def validate(table: pd.DataFrame) -> pd.DataFrame:
    """Check a table in the flat form against what :data:`COLUMNS` declares.

    Raises
    ------
    ObservationError
        With the first column, check and value that do not fit.
    """
    from pandera.errors import SchemaError

    try:
        return _schema().validate(table)
    except SchemaError as wrong:
        raise ObservationError(f"Not a table of observations: {str(wrong)[:400]}") from wrong


def observations(table: pd.DataFrame | Mapping[str, Any]) -> gpd.GeoDataFrame:
    """Make a valid table of observations: the door that everything passes once.

    Parameters
    ----------
    table : DataFrame or mapping of columns
        See :func:`flat`.

    Returns
    -------
    GeoDataFrame
        The columns of :data:`COLUMNS` and ``geometry`` (points or missing, EPSG:4326).

    Raises
    ------
    ObservationError
        If a row does not fit, with the first that does not.
    """
    return to_geo(validate(flat(table)))


def to_geo(table: pd.DataFrame) -> gpd.GeoDataFrame:
    """Turn the flat form into a GeoDataFrame (EPSG:4326); a place that is not known is missing."""
    lon, lat = table["longitude"].to_numpy("float64"), table["latitude"].to_numpy("float64")
    points = np.full(len(table), None, dtype=object)
    known = np.isfinite(lon) & np.isfinite(lat)
    points[known] = shapely.points(lon[known], lat[known])
    return gpd.GeoDataFrame(
        table.drop(columns=["longitude", "latitude"]),
        geometry=gpd.GeoSeries(points, index=table.index, crs=CRS),
    )


def to_arrow(table: pd.DataFrame) -> pyarrow.Table:
    """Turn the flat form into an Arrow table of the schema :data:`ARROW`."""
    return pyarrow.Table.from_pandas(table[list(FLAT_COLUMNS)], schema=ARROW, preserve_index=False)
