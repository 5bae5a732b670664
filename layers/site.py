"""One site opened: the newest result of every substance against its limit, and every reading behind it.

A site of the public may be a square that stands for several hidden ones; then its sheet holds the
readings of all of them, and of none by name. Everything here has passed ``privacy.public()``.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

import store
from layers.newest import joined, limit_of, valid
from situation import privacy
from situation.properties import PROPERTIES
from situation.settings import settings
from situation.standard import Standard, standard_named, standards
from situation.status import WORST, assess
from situation.view import View

#: What makes two readings of one site two series.
_SERIES = (
    "observed_property",
    "sampled_medium",
    "sample_fraction",
    "method_speciation",
    "procedure_class",
    "depth_m",
)
_MOST_HIDDEN = 50


@dataclass(frozen=True)
class Sheet:
    """One site.

    Attributes
    ----------
    site : str
        As the public knows it.
    name, kind : str
        Empty where they are hidden or unknown.
    hidden : int
        How many sites the square stands for; 0 for a site that is shown exactly.
    latest : DataFrame
        One row per observed property, and one per sum that the standard limits and that was measured:
        columns of :func:`situation.status.assess`, ``observed_property``, and ``other_limits`` (what else
        the standard says of it, in words).
    history : DataFrame
        Every reading, flat form, newest first.
    """

    site: str
    name: str
    kind: str
    hidden: int
    latest: pd.DataFrame
    history: pd.DataFrame


def sheet(view: View, now: pd.Timestamp) -> Sheet | None:
    """Open the site that *view* names; ``None`` if this view has no such site."""
    now = view.clock(now)
    kept = _kept(view, now, names := _behind(view))
    history, hidden = _history(kept, view, len(names))
    if history.empty:
        return None
    first = history.iloc[0]
    return Sheet(
        site=str(view.site),
        name=_text(first["monitoring_location_name"]),
        kind=_text(first["monitoring_location_type"]).replace("_", " "),
        hidden=hidden,
        latest=_latest(history, _sums(kept, view, now), view, now),
        history=history,
    )


def _text(value: object) -> str:
    """Give a text, and nothing for what is missing (NaN counts as true)."""
    return value if isinstance(value, str) else ""


def _history(table: pd.DataFrame, view: View, wells: int) -> tuple[pd.DataFrame, int]:
    if table.empty:
        return pd.DataFrame(), 0
    table = privacy.public(table, view.chosen_topic)
    # Asked for by a name that the public does not know: as if it did not exist.
    table = table[table["monitoring_location_id"] == view.site]
    hidden = wells if len(table) and (table["position_rule"] != "exact").any() else 0
    return table.sort_values("phenomenon_time", ascending=False, kind="stable", ignore_index=True), hidden


def readings_behind(view: View, now: pd.Timestamp, observed_property: str) -> pd.DataFrame:
    """Give the readings of the site that *view* names as the store has them: not to be shown as they are.

    Returns
    -------
    DataFrame
        Flat form, exact places and names; a square of hidden wells gives those of each well. Where the limit
        is about several substances, the sums of complete samples are among them.
    """
    names, standard = _behind(view), standards().get(view.standard)
    own = _kept(view, now, names, observed_property)
    limit = limit_of(view.but(observed_property=observed_property), standard, now)
    if limit is None or not limit.terms:
        return own
    return joined(own, [valid(_kept(view, now, names, term.property)) for term in limit.terms], limit)


def _kept(
    view: View, now: pd.Timestamp, names: list[str], observed_property: str | None = None
) -> pd.DataFrame:
    place = store.shared(settings().active_store_url)
    scope = view.scope(now)
    parts = [
        place.observations(site=name, observed_property=observed_property, **scope)
        for name in names[:_MOST_HIDDEN]
    ]
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _behind(view: View) -> list[str]:
    """Ids in the store of the site that the public knows as ``view.site``."""
    site = str(view.site)
    if not site.startswith("area-"):
        return [site]
    place = store.shared(settings().active_store_url)
    kept = place.latest(review=view.review, topic=view.topic, as_of=view.as_of, batch=view.batch)
    kept = kept.drop_duplicates("monitoring_location_id", ignore_index=True)
    shown = privacy.public(kept, view.chosen_topic)
    here = (shown["monitoring_location_id"] == site).to_numpy()
    return [str(name) for name in kept.loc[here, "monitoring_location_id"]]


def _latest(history: pd.DataFrame, sums: pd.DataFrame, view: View, now: pd.Timestamp) -> pd.DataFrame:
    counted = valid(history)
    # As the picture of the store: a text replaces no number, however new it is.
    numeric = counted["censoring"].isin(["=", "<", ">"])
    counted = counted.assign(_numeric=numeric).sort_values(["_numeric", "phenomenon_time"], kind="stable")
    groups = counted.groupby([*_SERIES, "monitoring_location_id"], dropna=False, sort=False)
    newest = counted.loc[~counted.duplicated([*_SERIES, "monitoring_location_id"], keep="last")].copy()
    newest["n"] = groups["result_text"].transform("size").loc[newest.index]
    newest["n_censored"] = 0
    newest["first_time"] = groups["phenomenon_time"].transform("min").loc[newest.index]
    newest["last_time"] = newest["phenomenon_time"]
    standard, topic = standard_named(view.standard), view.chosen_topic
    done = set(sums["observed_property"]) if len(sums) else set()
    parts = [
        assess(rows, standard, str(key), topic=topic, now=now).assign(observed_property=str(key))
        for key, rows in newest.groupby("observed_property", sort=False)
        if key in PROPERTIES and key not in done
    ]
    parts = [part for part in (*parts, sums) if len(part)]
    if not parts:
        return pd.DataFrame()
    table = pd.concat(parts, ignore_index=True)
    return table.assign(other_limits=_other_limits(table["observed_property"], standard, now))


def _other_limits(keys: pd.Series, standard: Standard, now: pd.Timestamp) -> pd.Series:
    """Say what else the standard says of each property beside the limit that counts, e.g. the second tier."""
    told = {
        key: "; ".join(
            f"{limit.tier or limit.kind} {limit.text()}" for limit in standard.limits_for(key, now.date())[1:]
        )
        for key in keys.unique()
    }
    return keys.map(told)


def _sums(kept: pd.DataFrame, view: View, now: pd.Timestamp) -> pd.DataFrame:
    """Assess what the standard says of several substances together, for what was measured at one well.

    Two hidden wells of one square are never one sample: sums are made before places are hidden.
    """
    standard, topic = standard_named(view.standard), view.chosen_topic
    kept = valid(kept)
    there = set(kept["observed_property"].dropna().unique())
    parts = []
    for key in dict.fromkeys(limit.property for limit in standard.rows if limit.terms):
        needed = standard.needed(key, now.date())
        measured = [name for name in needed[1:] if name in there]
        if len(measured) < 2:  # one substance by itself stands in the list already
            continue
        rows = kept[kept["observed_property"].isin(needed)]
        table = privacy.public(assess(rows, standard, key, topic=topic, now=now), topic)
        table = table[table["monitoring_location_id"] == view.site]
        order = table["status"].map(WORST.index)
        parts.append(table.loc[order.sort_values(kind="stable").index[:1]].assign(observed_property=key))
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
