"""What every column of a file that leaves is called, holds and means.

Sites are what :func:`situation.status.assess` gives, in an order in which a person reads them; readings are the
flat form of ``situation/observation.py``. Titles and meanings are English in every language: they are the
dictionary of the file, and a program that reads the file relies on them.

What surprised us: the table of sites does not say what was measured, because within the program everybody knows;
a file that is passed on has to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from publish import Progress
from situation.observation import ARROW, COLUMNS, POSITION_RULES
from situation.snapshot import Snapshot
from situation.spreadsheet import CLOSED
from situation.standard import COMPARISONS, KINDS
from situation.status import FRESHNESS, STATUSES

_TIME = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class Documented:
    """One column: its Arrow type, meaning, unit where it is fixed, closed vocabulary, whether it is never empty."""

    name: str
    kind: pa.DataType
    meaning: str
    unit: str = ""
    words: tuple[str, ...] = ()
    filled: bool = False

    @property
    def title(self) -> str:
        """The name in words."""
        return self.name.replace("_", " ").capitalize()


_UNITS = {"horizontal_accuracy_m": "m", "depth_m": "m", "longitude": "deg", "latitude": "deg"}
_WHERE = {
    "longitude": "degrees east, WGS 84 (EPSG:4326); empty where the place is not known",
    "latitude": "degrees north, WGS 84 (EPSG:4326); empty where the place is not known",
}


def _of_observation(name: str, meaning: str = "") -> Documented:
    known = COLUMNS.get(name)
    said = meaning or (known.meaning if known else _WHERE[name])
    words = known.words if known else ()
    return Documented(
        name, ARROW.field(name).type, said, _UNITS.get(name, ""), words, bool(known and not known.empty)
    )


#: Every reading: the flat form, in its order.
READINGS: tuple[Documented, ...] = tuple(_of_observation(name) for name in ARROW.names)

#: One row per site.
SITES: tuple[Documented, ...] = (
    _of_observation("monitoring_location_id"),
    _of_observation("monitoring_location_name"),
    _of_observation("monitoring_location_type"),
    _of_observation("longitude"),
    _of_observation("latitude"),
    Documented(
        "position_rule", pa.string(), COLUMNS["position_rule"].meaning, words=POSITION_RULES, filled=True
    ),
    _of_observation("observed_property", "our key of what was measured, e.g. nitrate"),
    Documented("status", pa.string(), "how the site compares with the limit", words=STATUSES, filled=True),
    Documented(
        "freshness", pa.string(), "whether the newest reading is recent enough", words=FRESHNESS, filled=True
    ),
    Documented("reason", pa.string(), "why inconclusive, or what else to know"),
    Documented("result", pa.float64(), "the reading that counts, in unit; empty unless quantified"),
    _of_observation("censoring"),
    _of_observation("detection_limit"),
    Documented("unit", pa.string(), "UCUM; of result, detection_limit and the limits"),
    Documented("method_speciation", pa.string(), "form in which result and limits are counted, e.g. as NO3"),
    Documented("result_text", pa.string(), "verbatim, in the unit of its source"),
    _of_observation("phenomenon_time"),
    _of_observation("phenomenon_time_precision"),
    _of_observation("procedure_class"),
    _of_observation("sampled_medium"),
    _of_observation("sample_fraction"),
    _of_observation("depth_m"),
    _of_observation("review_state"),
    Documented("limit", pa.float64(), "the limit, of a range the bound that is nearer; empty where there is none"),
    Documented("limit_lower", pa.float64(), "lower bound of a range"),
    Documented("limit_upper", pa.float64(), "upper bound of a range"),
    Documented("limit_kind", pa.string(), "what the limit protects", words=KINDS),
    Documented("limit_comparison", pa.string(), "how the limit is meant", words=COMPARISONS),
    Documented("limit_verified", pa.bool_(), "whether a second text confirmed the limit"),
    Documented("n", pa.int64(), "number of readings of the site"),
    Documented("groups", pa.int64(), "combinations of medium, fraction, depth and form at the site; the worst is shown"),
    _of_observation("source_id"),
    _of_observation("batch_id"),
    _of_observation("contributor"),
    _of_observation("licence"),
    _of_observation("attribution"),
)  # fmt: skip

#: Columns whose words are ours, in which no stranger can put a formula.
OURS = frozenset(column.name for column in (*READINGS, *SITES) if column.words) | CLOSED


def schema_of(columns: Iterable[Documented]) -> pa.Schema:
    """Give the Arrow schema of documented columns, each with its meaning."""
    return pa.schema([pa.field(c.name, c.kind, metadata={"description": c.meaning}) for c in columns])


def sites_table(shot: Snapshot) -> pa.Table:
    """Give the sites of a snapshot, in its order, as :data:`SITES` documents them."""
    frame = shot.sites.assign(observed_property=shot.view.observed_property)
    return _as_documented(frame, SITES)


def readings_tables(shot: Snapshot, progress: Progress, word: str = "readings") -> Iterator[pa.Table]:
    """Give every reading behind a snapshot in pieces, as :data:`READINGS` documents them.

    Parameters
    ----------
    shot : Snapshot
        Any.
    progress : callable
        Told the share done after each piece.
    word : str
        What is being written, in a word.
    """
    done, every = 0, max(shot.readings_behind, 1)
    for frame in shot.readings():
        if len(frame):
            yield _as_documented(frame, READINGS)
        done += len(frame)
        progress(min(done / every, 1.0), word)


def _as_documented(frame: pd.DataFrame, columns: Sequence[Documented]) -> pa.Table:
    """Bring a table to its documented columns; one that it lacks is empty."""
    arrays = []
    for column in columns:
        if column.name in frame.columns:
            arrays.append(_array(frame[column.name], column.kind))
        else:
            arrays.append(pa.nulls(len(frame), column.kind))
    return pa.Table.from_arrays(arrays, schema=schema_of(columns))


def _array(column: pd.Series, kind: pa.DataType) -> pa.Array:
    made = pa.array(column, from_pandas=True)
    if isinstance(made, pa.ChunkedArray):
        made = made.combine_chunks()
    return made if made.type == kind else made.cast(kind)


def wkb_points(longitude: npt.NDArray[np.float64], latitude: npt.NDArray[np.float64]) -> pa.Array:
    """Write points as well-known binary, without an object for each; a place that is not known is missing.

    Parameters
    ----------
    longitude, latitude : array of float
        Degrees, EPSG:4326, in that order in the file.
    """
    point = np.dtype([("order", "u1"), ("type", "<u4"), ("x", "<f8"), ("y", "<f8")])
    made = np.zeros(len(longitude), point)
    made["order"], made["type"], made["x"], made["y"] = 1, 1, longitude, latitude
    unknown = ~(np.isfinite(longitude) & np.isfinite(latitude))
    offsets = np.arange(0, point.itemsize * (len(made) + 1), point.itemsize, dtype="int32")
    bits = np.packbits(~unknown, bitorder="little").tobytes()
    buffers = [pa.py_buffer(bits), pa.py_buffer(offsets), pa.py_buffer(made.tobytes())]
    return pa.Array.from_buffers(pa.binary(), len(made), buffers)


def with_points(table: pa.Table) -> pa.Table:
    """Put a column ``geometry`` (well-known binary, EPSG:4326) in the place of longitude and latitude."""
    lon, lat = (table[name].to_numpy() for name in ("longitude", "latitude"))
    rest = table.drop_columns(["longitude", "latitude"])
    return rest.append_column(pa.field("geometry", pa.binary()), wkb_points(lon, lat))


def described(tables: Mapping[str, Sequence[Documented]]) -> pd.DataFrame:
    """List the columns of several tables with what they mean, one row each."""
    return pd.DataFrame(
        [
            {
                "table": name,
                "column": column.name,
                "title": column.title,
                "type": str(column.kind),
                "unit": column.unit,
                "words": ", ".join(column.words),
                "meaning": column.meaning,
            }
            for name, columns in tables.items()
            for column in columns
        ]
    )
