"""Sites that were found to be one place show as one: under one id, one name, at one point.

Readings stay where they were recorded; only what is shown is joined, so parting sites again costs nothing.
And a site that one file calls a household's well stays hidden in every other file that names it.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from situation.observation import POSITION_RULES
from store.tables import SERIES

_SITE = "monitoring_location_id"
_PLACE = (
    "monitoring_location_name",
    "monitoring_location_type",
    "longitude",
    "latitude",
    "horizontal_accuracy_m",
)


def as_one(table: pd.DataFrame, links: Mapping[str, str]) -> pd.DataFrame:
    """Join the series of linked sites in a picture.

    Parameters
    ----------
    table : DataFrame
        A picture: :data:`~store.tables.SHOWN`, ``reading`` and the counts, one row per series.
    links : mapping
        Site to the site that it shows under.

    Returns
    -------
    DataFrame
        One row per series of the joined sites, the newest reading of them. Name, type and point are those
        of the site shown; the position rule is the strictest of all.
    """
    if not links or table.empty:
        return table
    involved = table[_SITE].isin({*links, *links.values()})
    joined = table[involved]
    if joined.empty:
        return table
    home = joined[_SITE].map(links).fillna(joined[_SITE])
    parts = [_one_place(part, str(site)) for site, part in joined.groupby(home.to_numpy())]
    return pd.concat([table[~involved], *parts], ignore_index=True)


def protected(table: pd.DataFrame, rules: Mapping[str, str]) -> pd.DataFrame:
    """Give each reading the strictest rule that any file gave its site.

    Parameters
    ----------
    table : DataFrame
        With ``monitoring_location_id`` and ``position_rule``.
    rules : mapping
        Site to rule, for the sites that have one stricter than ``exact``.
    """
    if not rules or table.empty:
        return table
    stricter = table[_SITE].map(rules)
    rule = stricter.where(stricter.notna(), table["position_rule"]).astype("str")
    return table.assign(position_rule=rule)


def _one_place(part: pd.DataFrame, site: str) -> pd.DataFrame:
    ordered = part.assign(_number=part["censoring"].isin(["=", "<", ">"])).sort_values(
        ["_number", "phenomenon_time", "reading"], kind="stable"
    )
    own = ordered[ordered[_SITE] == site]
    where = (own if len(own) else ordered).sort_values("phenomenon_time", kind="stable").iloc[-1]
    rule = max(part["position_rule"], key=POSITION_RULES.index)
    what = ordered["observed_property"].fillna(ordered["observed_property_name"])
    ordered = ordered.assign(what=what, **{_SITE: site, "position_rule": rule})
    series = ordered.groupby(list(SERIES), dropna=False, sort=False)
    newest = series.tail(1).set_index(list(SERIES), drop=False)
    counts = series.agg(
        n=("n", "sum"),
        n_censored=("n_censored", "sum"),
        first_time=("first_time", "min"),
        last_time=("last_time", "max"),
    )
    for name in counts:
        newest[name] = counts[name].reindex(newest.index).to_numpy()
    place = {name: where[name] for name in _PLACE if name in newest}
    return newest.reset_index(drop=True).assign(**place).astype(part.dtypes.to_dict())[list(part.columns)]
