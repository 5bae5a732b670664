"""What stands in a collection: one page of it, or one item, as anybody may see it.

Sites and statuses are tables that are made once per data version and kept. Readings may be millions, so they
are not: the store counts them by place, the page is found in the counts, and only the sites that it falls on are
read. Every row passes :func:`situation.privacy.public` before it is filtered by place or identifier.

What surprised us: an order is a way out too. Rows of hidden wells sorted by their own identifiers would show
which of them are one well's, so they come last, sorted by what everybody may see. And an identifier that a
browser can ask for must exist: hidden rows get one made from what they show, which tells nothing more.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

import store
from layers import picture as pictures
from layers.shelf import Shelf
from routes.data import STATUS_COLUMNS, plain
from routes.ogc.question import Question
from situation import privacy
from situation.observation import FLAT_COLUMNS
from situation.settings import settings

SITE = "monitoring_location_id"
Feature = dict[str, Any]
Box = tuple[float, float, float, float]
Since = tuple[pd.Timestamp | None, pd.Timestamp | None]

_KEEP_ROWS = 3_000_000
_shelf: Shelf[pd.DataFrame] = Shelf(most=32, most_rows=_KEEP_ROWS)

#: What the identifier of a hidden row is made of: what it shows of the measurement itself.
_CONTENT = ("observed_property", "observed_property_name", "sampled_medium", "sample_fraction", "method_speciation",
            "procedure_class", "phenomenon_time", "result_text", "unit_source", "censoring", "detection_limit")  # fmt: skip


@dataclass(frozen=True)
class Page:
    """One page: how many there are in all, and the rows of this one, with ``id``, ``longitude``, ``latitude``."""

    matched: int
    rows: pd.DataFrame


def page(
    asked: Question, *, since: Since = (None, None), box: Box | None = None, offset: int = 0, limit: int = 10
) -> Page:
    """Give one page of a collection.

    Parameters
    ----------
    asked : Question
        Which collection, and what its rows must have.
    since : (since, until)
        UTC; from, included, until, not included.
    box : (west, south, east, north), optional
        Degrees, EPSG:4326, of places as they are shown; west > east goes over the date line.
    offset, limit : int
        How many are left out before it, and how many it has at most; 0 counts only.
    """
    if asked.kind == "readings":
        return _readings(asked, since, box, offset, limit)
    table = _table(asked)
    table = table[_fits(table, asked, since, box)]
    return Page(len(table), table.iloc[offset : offset + limit])


def one(asked: Question, identifier: str) -> pd.DataFrame:
    """Give the row of an identifier; none if there is no such."""
    if "\0" in identifier:  # the database takes none, and nothing that has a name holds one
        return _empty()
    if asked.kind == "readings":
        return _reading(asked, identifier)
    table = _table(asked)
    return table[table["id"] == identifier]


def features(rows: pd.DataFrame, names: list[str], *, skip_geometry: bool = False) -> list[Feature]:
    """Write rows as GeoJSON features (RFC 7946) with the properties *names*."""
    points: list[Any] = [None] * len(rows)
    if not skip_geometry:
        lon, lat = (rows[name].to_numpy("float64") for name in ("longitude", "latitude"))
        points = [
            {"type": "Point", "coordinates": [x, y]} if x == x and y == y else None
            for x, y in zip(lon.tolist(), lat.tolist(), strict=True)
        ]
    told = plain(rows[[name for name in names if name in rows.columns]])
    return [
        {"type": "Feature", "id": name, "geometry": point, "properties": row}
        for name, point, row in zip(rows["id"].tolist(), points, told, strict=True)
    ]


def extent(asked: Question) -> tuple[Box | None, tuple[pd.Timestamp | None, pd.Timestamp | None]]:
    """Say what a topic's sites span, in degrees (EPSG:4326) and in time (UTC); None where there are none."""
    table = _kept_sites(asked)
    there = table[table["longitude"].notna()]
    times = (table["first_time"].min(), table["last_time"].max()) if len(table) else (None, None)
    if there.empty:
        return None, times
    lon, lat = there["longitude"], there["latitude"]
    return (float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())), times


# ---- sites and statuses -------------------------------------------------------------------------


def _table(asked: Question) -> pd.DataFrame:
    return _kept_sites(asked) if asked.kind == "sites" else _kept_statuses(asked)


def _kept_sites(asked: Question) -> pd.DataFrame:
    url = settings().active_store_url
    key = ("sites", url, store.shared(url).version(), asked.version, asked.topic, asked.observed_property)
    return _shelf.get(key, lambda: _sites(asked))


def _kept_statuses(asked: Question) -> pd.DataFrame:
    key = ("statuses", pictures.key_of(asked.view, asked.now), asked.topic)
    return _shelf.get(key, lambda: _statuses(asked))


def _sites(asked: Question) -> pd.DataFrame:
    place = store.shared(settings().active_store_url)
    series = place.latest(
        topic=asked.topic.key, as_of=asked.version, observed_property=asked.observed_property
    )
    shown = privacy.public(series, asked.topic).assign(_own=series[SITE])
    shown = shown.sort_values([SITE, "phenomenon_time"], kind="stable")
    by = shown.groupby(SITE, sort=True)
    newest = shown.drop_duplicates(SITE, keep="last").set_index(SITE, drop=False)
    counts = by.agg(
        sites=("_own", "nunique"),
        n=("n", "sum"),
        n_censored=("n_censored", "sum"),
        first_time=("first_time", "min"),
        last_time=("last_time", "max"),
    )
    names = [
        SITE,
        "monitoring_location_name",
        "monitoring_location_type",
        "position_rule",
        "longitude",
        "latitude",
    ]
    out = newest[names].join(counts)
    return out.assign(id=out[SITE], observed_properties=_properties(shown)).reset_index(drop=True)


def _properties(shown: pd.DataFrame) -> pd.Series:
    pairs = (
        shown[[SITE, "observed_property"]].dropna().drop_duplicates().sort_values([SITE, "observed_property"])
    )
    return pairs.groupby(SITE)["observed_property"].agg(" ".join)


def _statuses(asked: Question) -> pd.DataFrame:
    shown = pictures.picture(asked.view, asked.now).sites
    names = [name for name in (*STATUS_COLUMNS, "limit_verified", "reason") if name in shown.columns]
    table = shown[names].assign(
        observed_property=asked.view.observed_property, standard=asked.view.standard, id=shown[SITE]
    )
    hidden = table["position_rule"].ne("exact").to_numpy("bool")
    table["id"] = _identified(table, hidden)
    order = np.lexsort((table["id"].to_numpy(object).astype(str), hidden))
    return table.iloc[order].reset_index(drop=True)


def _fits(table: pd.DataFrame, asked: Question, since: Since, box: Box | None) -> npt.NDArray[np.bool_]:
    fits = _inside(table, box)
    for name, value in asked.equal.items():
        fits &= table[name].eq(value).fillna(False).to_numpy("bool")
    first, last = ("first_time", "last_time") if asked.kind == "sites" else ("phenomenon_time",) * 2
    if since[0] is not None:
        fits &= table[last].ge(since[0]).to_numpy("bool")
    if since[1] is not None:
        fits &= table[first].lt(since[1]).to_numpy("bool")
    return fits


def _inside(table: pd.DataFrame, box: Box | None) -> npt.NDArray[np.bool_]:
    if box is None:
        return np.ones(len(table), "bool")
    west, south, east, north = box
    lon, lat = (table[name].to_numpy("float64") for name in ("longitude", "latitude"))
    across = (lon >= west) & (lon <= east) if west <= east else (lon >= west) | (lon <= east)
    inside: npt.NDArray[np.bool_] = across & (lat >= south) & (lat <= north)
    return inside


def _identified(table: pd.DataFrame, hidden: npt.NDArray[np.bool_]) -> pd.Series:
    """Give each hidden row an identifier: its cell, a hash of what it shows, and a number if that is not enough."""
    ids = table["id"].astype("object").to_numpy(copy=True)
    if hidden.any():
        rows = table[hidden]
        words = [
            rows[name].astype("object").where(rows[name].notna(), "") for name in _CONTENT if name in rows
        ]
        said = ["\x1f".join(map(str, row)) for row in zip(*words, strict=True)]
        made = rows[SITE].astype("object") + "-" + pd.Series(map(_digest, said), rows.index, dtype="object")
        again = made.groupby(made).cumcount()
        ids[hidden] = np.where(again.eq(0), made, made + "-" + (again + 1).astype("object").map(str))
    return pd.Series(ids, index=table.index, dtype="str")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


# ---- readings -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Wanted:
    """The readings that a question is about, as parameters of the store's questions."""

    topic: str
    as_of: int
    observed_property: str | None
    since: pd.Timestamp | None
    until: pd.Timestamp | None

    @property
    def params(self) -> dict[str, Any]:
        return dict(self.__dict__)


def _readings(asked: Question, since: Since, box: Box | None, offset: int, limit: int) -> Page:
    wanted = _Wanted(asked.topic.key, asked.version, asked.observed_property, *since)
    counts = _kept_counts(asked, wanted)
    counts = counts[_fits(counts, asked, (None, None), box)]
    open_, hidden = counts[~counts["hidden"]], counts[counts["hidden"]]
    n_open, n_hidden = int(open_["n"].sum()), int(hidden["n"].sum())
    parts = []
    if limit and offset < n_open:
        parts.append(_open_page(asked, wanted, open_, box, offset, min(limit, n_open - offset)))
    if offset + limit > n_open and n_hidden:
        first, last = max(offset - n_open, 0), offset + limit - n_open
        parts.append(_hidden_page(asked, wanted, hidden, box, first, last))
    parts = [part for part in parts if len(part)]
    return Page(n_open + n_hidden, pd.concat(parts, ignore_index=True) if parts else _empty())


def _empty() -> pd.DataFrame:
    return pd.DataFrame(columns=["id", "longitude", "latitude", *FLAT_COLUMNS])


def _kept_counts(asked: Question, wanted: _Wanted) -> pd.DataFrame:
    url = settings().active_store_url
    key = ("counts", url, store.shared(url).version(), asked.topic, wanted)
    return _shelf.get(key, lambda: _counts(asked, wanted))


def _counts(asked: Question, wanted: _Wanted) -> pd.DataFrame:
    """Count readings by place as it is shown: its public identifier beside its own, ``hidden`` and ``n``.

    A site of which any reading is hidden counts as hidden throughout, so that its own identifier orders nothing.
    """
    tally = store.shared(settings().active_store_url).tally(**wanted.params)
    shown = privacy.public(tally, asked.topic)
    hidden = shown["position_rule"].ne("exact")
    out = shown.assign(own=tally[SITE], n=tally["n"], hidden=hidden.groupby(tally[SITE]).transform("any"))
    return out.sort_values([SITE, "longitude", "latitude"], kind="stable").reset_index(drop=True)


def _slice(counts: pd.DataFrame, offset: int, limit: int) -> tuple[list[str], int]:
    """Find the public identifiers that a page falls on, and how many rows of the first lie before it."""
    by_site = counts.groupby(SITE, sort=True)["n"].sum()
    ends = by_site.cumsum().to_numpy("int64")
    first, last = np.searchsorted(ends, [offset, offset + limit - 1], side="right")
    before = int(ends[first - 1]) if first else 0
    return by_site.index[first : last + 1].tolist(), offset - before


def _open_page(
    asked: Question, wanted: _Wanted, counts: pd.DataFrame, box: Box | None, offset: int, limit: int
) -> pd.DataFrame:
    names, skip = _slice(counts, offset, limit)
    rows = _read(asked, wanted, names, bbox=box, offset=skip, limit=limit)
    return rows.assign(id=rows["observation_id"])


def _hidden_page(
    asked: Question, wanted: _Wanted, counts: pd.DataFrame, box: Box | None, first: int, last: int
) -> pd.DataFrame:
    last = min(last, int(counts["n"].sum()))
    if first >= last:
        return _empty()
    names, skip = _slice(counts, first, last - first)
    rows = _cells(asked, wanted, counts, names)
    return rows[_inside(rows, box)].iloc[skip : skip + last - first]


def _cells(asked: Question, wanted: _Wanted, counts: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Read whole cells, in the order of what they show."""
    own = counts.loc[counts[SITE].isin(names), "own"].unique().tolist()
    rows = _read(asked, wanted, own)
    rows = rows[rows[SITE].isin(names)]
    rows = rows.assign(id=rows["observation_id"])
    rows["id"] = _identified(rows, rows["position_rule"].ne("exact").to_numpy("bool"))
    return rows.sort_values([SITE, "observed_property", "phenomenon_time", "id"], kind="stable")


def _read(asked: Question, wanted: _Wanted, sites: list[str], **more: Any) -> pd.DataFrame:
    place = store.shared(settings().active_store_url)
    with place.batches_reader(site=sites, **wanted.params, **more) as reader:
        return privacy.public(reader.read_all().to_pandas(), asked.topic)


def _reading(asked: Question, identifier: str) -> pd.DataFrame:
    wanted = _Wanted(asked.topic.key, asked.version, None, None, None)
    cell = "-".join(identifier.split("-")[:2])
    counts = _kept_counts(asked, wanted)
    if (counts[SITE].eq(cell) & counts["hidden"]).any():
        rows = _cells(asked, wanted, counts, [cell])
        return rows[rows["id"] == identifier]
    versions = store.shared(settings().active_store_url).versions(identifier)
    if versions.empty:
        return _empty()
    moment = versions["phenomenon_time"].iloc[-1]
    near = _Wanted(asked.topic.key, asked.version, None, moment, moment + pd.Timedelta(microseconds=1))
    links = store.shared(settings().active_store_url).site_links(asked.version)
    site = str(versions[SITE].iloc[-1])
    rows = _read(asked, near, [links.get(site, site)])
    # After public(): the true identifier of a hidden reading opens nothing.
    return rows.assign(id=rows["observation_id"])[rows["observation_id"] == identifier]
