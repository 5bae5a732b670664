"""What may be shown of a site: the one function that every map, table, file and answer passes through.

The exact place stays in the store. A site whose rule is ``blurred`` is shown at the centre of its cell in a
fixed grid, ``area`` at the centre of a coarser one, and everything that could lead back to the household
is cut: identifiers, names, row and sample numbers, free text, the depth of the well.

What surprised us: jitter that is drawn anew averages out after some exports, so the grid is fixed: the same
place is in the same cell every time, whoever asks and however often. And an identifier that is a hash of the
name can be tried out name by name, so the public identifier is made from the cell alone: it tells nothing
that the cell does not, and the wells of one cell share it.
"""

from __future__ import annotations

import hashlib
from typing import TypeVar

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from situation.observation import POSITION_RULES
from situation.topic import Topic
from situation.unit import codes

Table = TypeVar("Table", pd.DataFrame, gpd.GeoDataFrame)
_METRES_PER_DEGREE = 111_320.0

#: Columns that keep their value for a site that is not shown exactly; every other one is emptied.
HARMLESS = frozenset(
    {
        "monitoring_location_type", "observed_property", "observed_property_name", "observed_property_code",
        "sampled_medium", "sample_fraction", "method_speciation", "procedure_class", "phenomenon_time",
        "phenomenon_time_precision", "time_zone_source", "result", "result_text", "unit", "unit_source",
        "censoring", "detection_limit", "detection_condition", "result_uncertainty", "result_status",
        "quality_flag", "review_state", "position_rule", "licence", "attribution", "retrieved_at", "batch_id",
        "n", "n_censored", "first_time", "last_time", "groups", "status", "freshness", "reason",
        "limit", "limit_lower", "limit_upper", "limit_kind", "limit_comparison", "limit_verified",
        "share", "change", "data_version",
    }
)  # fmt: skip
#: Columns that are rewritten rather than kept or emptied.
_REWRITTEN = frozenset(
    {
        "monitoring_location_id", "monitoring_location_name", "longitude", "latitude", "geometry",
        "horizontal_accuracy_m", "source_id", "observation_id",
    }
)  # fmt: skip


def rule_for(site_type: str | None, topic: Topic) -> str:
    """Give the rule of a type of site: ``exact``, ``blurred`` or ``area``; ``exact`` if the topic names none."""
    return topic.privacy.get(site_type or "", "exact")


def public(table: Table, topic: Topic) -> Table:
    """Make a table fit to be shown.

    Parameters
    ----------
    table : DataFrame or GeoDataFrame
        ``monitoring_location_id``, ``position_rule``, ``monitoring_location_type`` (if there) and either
        ``longitude`` and ``latitude`` or ``geometry`` (points), in degrees (EPSG:4326). Of the row's own
        rule and the topic's rule for its type of site the stricter one counts.
    topic : Topic
        Says the rules and the width of the cells, in metres.

    Returns
    -------
    DataFrame or GeoDataFrame
        The same rows, columns and index. Rows of exact sites are untouched. The others stand at the
        centre of their cell, with ``horizontal_accuracy_m`` (if there) the width of the cell, under the
        identifier and the name of the cell; columns that are not in :data:`HARMLESS` are empty.
    """
    rule = _rules(table, topic)
    hidden = rule > 0
    if not hidden.any():
        return table
    longitude, latitude = _places(table)
    width = np.where(rule == POSITION_RULES.index("area"), topic.area_m, topic.grid_m)
    lon, lat, cell = _cells(longitude[hidden], latitude[hidden], width[hidden])
    out = table.copy()
    for name in out.columns:
        if name not in HARMLESS and name not in _REWRITTEN:
            out[name] = _emptied(out[name], hidden)
    out["monitoring_location_id"] = _put(out["monitoring_location_id"], hidden, _pseudonyms(cell))
    if "monitoring_location_name" in out:
        out["monitoring_location_name"] = _put(
            out["monitoring_location_name"], hidden, _names(table, hidden, rule)
        )
    if "observation_id" in out:
        # A hash of the natural key could be tried out name by name.
        out["observation_id"] = _put(
            out["observation_id"], hidden, np.full(int(hidden.sum()), "withheld", object)
        )
    if {"attribution", "contributor"} <= set(table.columns):
        # Whoever measured their own well is not named beside it, under whatever heading.
        own = hidden & table["attribution"].eq(table["contributor"]).fillna(False).to_numpy("bool")
        out["attribution"] = _put(out["attribution"], own, np.full(int(own.sum()), "a contributor", object))
    if "source_id" in out:
        source = out["source_id"].astype("str")[hidden].str.partition(":")[0].to_numpy(object)
        out["source_id"] = _put(out["source_id"], hidden, source)
    if "horizontal_accuracy_m" in out:
        out["horizontal_accuracy_m"] = np.where(hidden, width, out["horizontal_accuracy_m"].astype("float64"))
    if "position_rule" in out:
        words = np.array(POSITION_RULES, object)[rule[hidden]]
        out["position_rule"] = _put(out["position_rule"], hidden, words)
    return _moved(out, hidden, lon, lat)


def _rules(table: pd.DataFrame, topic: Topic) -> npt.NDArray[np.int64]:
    """Give the stricter of the row's and the topic's rule, as an index of POSITION_RULES."""
    strictness = {rule: number for number, rule in enumerate(POSITION_RULES)}
    worst = np.zeros(len(table), dtype="int64")
    if "position_rule" in table:
        numbers, values = codes(table["position_rule"])
        # A rule that we do not know is not a licence to show: it counts as blurred.
        own = [0 if v is None else strictness.get(str(v), 1) for v in values]
        worst = np.array(own, dtype="int64")[numbers]
    if "monitoring_location_type" in table and topic.privacy:
        numbers, values = codes(table["monitoring_location_type"])
        by_type = [strictness[rule_for(None if v is None else str(v), topic)] for v in values]
        worst = np.maximum(worst, np.array(by_type, dtype="int64")[numbers])
    return worst


def _places(table: pd.DataFrame) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    if "longitude" in table:
        return table["longitude"].to_numpy("float64"), table["latitude"].to_numpy("float64")
    points = table["geometry"].to_numpy()
    return shapely.get_x(points), shapely.get_y(points)


def _cells(
    longitude: npt.NDArray[np.float64], latitude: npt.NDArray[np.float64], width: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], list[str]]:
    """Give the centre and the name of the cell of each place; rows of cells narrow towards the poles."""
    height = width / _METRES_PER_DEGREE
    row = np.floor(latitude / height)
    lat = (row + 0.5) * height
    across = height / np.maximum(np.cos(np.radians(lat)), 0.01)
    column = np.floor(longitude / across)
    lon = (column + 0.5) * across
    names = [
        f"{w:g}:{r:g}:{c:g}" if np.isfinite(r) else "nowhere"
        for w, r, c in zip(width.tolist(), row.tolist(), column.tolist(), strict=True)
    ]
    return np.clip(np.round(lon, 5), -180, 180), np.clip(np.round(lat, 5), -90, 90), names


def _pseudonyms(cells: list[str]) -> npt.NDArray[np.object_]:
    made = {cell: f"area-{hashlib.sha256(cell.encode()).hexdigest()[:8]}" for cell in set(cells)}
    return np.array([made[cell] for cell in cells], dtype=object)


def _names(
    table: pd.DataFrame, hidden: npt.NDArray[np.bool_], rule: npt.NDArray[np.int64]
) -> npt.NDArray[np.object_]:
    types = table.get("monitoring_location_type", pd.Series(index=table.index, dtype="str"))[hidden]
    words = types.astype("str").str.replace("_", " ").str.capitalize().fillna("Site").to_numpy(object)
    where = np.where(rule[hidden] == POSITION_RULES.index("area"), "in this district", "in this area")
    return np.array([f"{word} {place}" for word, place in zip(words, where, strict=True)], dtype=object)


def _emptied(column: pd.Series, hidden: npt.NDArray[np.bool_]) -> pd.Series:
    whole = {"i": "Int64", "u": "Int64", "b": "boolean"}.get(column.dtype.kind)
    return (column.astype(whole) if whole else column).where(~hidden)  # type: ignore[call-overload,no-any-return]


def _put(column: pd.Series, hidden: npt.NDArray[np.bool_], values: npt.NDArray[np.object_]) -> pd.Series:
    filled = column.astype("object").to_numpy(copy=True)
    filled[hidden] = values
    return pd.Series(filled, index=column.index).astype("str")


def _moved(
    out: Table, hidden: npt.NDArray[np.bool_], lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]
) -> Table:
    if "longitude" in out:
        for name, values in (("longitude", lon), ("latitude", lat)):
            numbers = out[name].to_numpy("float64", copy=True)
            numbers[hidden] = values
            out[name] = numbers
    if "geometry" in out:
        points = out["geometry"].to_numpy().copy()
        made = shapely.points(lon, lat)
        made[~(np.isfinite(lon) & np.isfinite(lat))] = None
        points[hidden] = made
        out["geometry"] = gpd.GeoSeries(points, index=out.index, crs=getattr(out["geometry"], "crs", None))
    return out
