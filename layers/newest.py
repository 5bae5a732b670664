"""What is asked of the store so that a view can be assessed.

For most limits that is the newest reading of every series, which the store keeps ready. A limit about
several substances together needs every reading of them, because only what was measured in one sample is
added up, and of which samples the newest readings are cannot be told from them. They are read as a stream,
with the columns that a sum needs, so that memory holds those and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from situation import composite
from situation.standard import Limit, Standard
from situation.view import View
from store import Store


def readings_for(place: Store, view: View, standard: Standard | None, now: pd.Timestamp) -> pd.DataFrame:
    """Ask for the readings that :func:`situation.status.assess` compares for a view.

    Parameters
    ----------
    place : Store
        Where they are kept.
    view : View
        Topic, property, period, review state, data version and batch.
    standard : Standard, optional
        Says whether the limit is about several substances.
    now : Timestamp
        UTC; what the view's period and the day of the limit count from.

    Returns
    -------
    DataFrame
        The newest reading of each series of the property and, where the limit is about several substances,
        every valid reading of these; exact places and names, not to be shown as they are.
    """
    newest = place.latest(observed_property=view.observed_property, **view.scope(now))
    limit = limit_of(view, standard, now)
    needed = [term.property for term in limit.terms] if limit else []
    parts = [part for key in needed if len(part := _every(place, view, key, now))]
    return pd.concat([part for part in (newest, *parts) if len(part)], ignore_index=True) if parts else newest


def history_for(place: Store, view: View, standard: Standard | None, now: pd.Timestamp) -> pd.DataFrame:
    """Ask for every reading of the view's property, sums of complete samples among them.

    Parameters
    ----------
    place, view, standard, now
        As for :func:`readings_for`.

    Returns
    -------
    DataFrame
        Flat form, exact places and names, not to be shown as it is; rows that are sums have ``sum_low`` and
        ``sum_high`` (:func:`situation.composite.samples`).
    """
    own = place.observations(observed_property=view.observed_property, **view.scope(now))
    limit = limit_of(view, standard, now)
    if limit is None or not limit.terms:
        return own
    return joined(own, [_every(place, view, term.property, now) for term in limit.terms], limit)


def limit_of(view: View, standard: Standard | None, now: pd.Timestamp) -> Limit | None:
    """Give the limit that counts for a view, at the end of its period if that is past."""
    return standard.limit(view.observed_property, view.moment(now).date()) if standard else None


def joined(own: pd.DataFrame, terms: Sequence[pd.DataFrame], limit: Limit) -> pd.DataFrame:
    """Put the sums of complete samples of *terms* beside the readings of the property itself."""
    there = [part for part in terms if len(part)]
    sums = composite.samples(pd.concat(there, ignore_index=True), limit.property, limit) if there else own[:0]
    if sums.empty:
        return own
    sums = sums.assign(unit_source="", result_status="unknown", quality_flag=2)
    return (
        pd.concat([own, sums], ignore_index=True)
        if len(own)
        else sums.reindex(columns=[*own.columns, *(name for name in sums.columns if name not in own.columns)])
    )


def _every(place: Store, view: View, observed_property: str, now: pd.Timestamp) -> pd.DataFrame:
    with place.batches_reader(observed_property=observed_property, **view.scope(now)) as reader:
        names = [name for name in composite.COLUMNS if name in reader.schema.names]
        tables = [pa.Table.from_batches([part.select(names)]) for part in reader]
    return valid(pa.concat_tables(tables).to_pandas()) if tables else pd.DataFrame()


def valid(readings: pd.DataFrame) -> pd.DataFrame:
    """Leave out what the picture of the store leaves out: rejected by the source, a reviewer or a flag."""
    kept = pd.Series(True, index=readings.index)
    for name in ("review_state", "result_status"):
        if name in readings:
            kept &= readings[name].ne("rejected").fillna(True).astype(bool)
    if "quality_flag" in readings:
        kept &= readings["quality_flag"].ne(4).fillna(True).astype(bool)
    return readings if kept.all() else readings[kept]
