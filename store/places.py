"""Sites that were found to be one place show as one: under one id, one name, at one point.

Readings stay where they were recorded; only what is shown is joined, so parting sites again costs nothing.
And a site that one file calls a household's well stays hidden in every other file that names it, by one rule
and at one place for all its readings (:func:`situation.privacy.settled`), whoever asks for which of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb
import pandas as pd

from situation.observation import POSITION_RULES
from situation.privacy import PLACES, Hidden, settled
from situation.topic import Topic
from store.ledger import Book
from store.tables import SERIES, SHIFT

_SITE = "monitoring_location_id"
_NEVER = 2**62
_NOTHING = pd.DataFrame({name: [] for name in PLACES})
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


def protected(table: pd.DataFrame, hidden: Hidden) -> pd.DataFrame:
    """Give each reading the rule that holds for its site, and a hidden site its one place.

    Parameters
    ----------
    table : DataFrame
        With ``monitoring_location_id``, ``position_rule``, ``longitude`` and ``latitude``.
    hidden : Hidden
        What is hidden of the store's sites.
    """
    sites = hidden.sites
    if sites.empty or table.empty:
        return table
    row = sites.index.get_indexer(pd.Index(table[_SITE].astype(object)))
    mine = row >= 0
    if not mine.any():
        return table
    out = table.copy(deep=False)
    for name in ("position_rule", "longitude", "latitude"):
        said = sites[name].to_numpy()[row]
        there = mine & pd.notna(said)
        out[name] = out[name].where(~there, said).astype(table[name].dtype)
    return out


def found(cursor: duckdb.DuckDBPyConnection, book: Book, kinds: Sequence[str]) -> pd.DataFrame:
    """List every place that any batch gave a site which some file, or a topic by its kind, hides.

    Parameters
    ----------
    cursor
        To read with.
    book : Book
        What the ledger adds up to.
    kinds : sequence of str
        Types of sites that some topic hides.

    Returns
    -------
    DataFrame
        ``site``, ``position_rule``, ``monitoring_location_type``, ``longitude``, ``latitude`` (degrees,
        EPSG:4326, exact), ``batch`` and ``reading``, the first that says so; empty if nothing is hidden.
    """
    private = f"SELECT DISTINCT {_SITE} FROM lake.observations WHERE position_rule <> 'exact'"
    if kinds:
        private += " OR monitoring_location_type IN (SELECT unnest($kinds::VARCHAR[]))"
    params = {"kinds": list(kinds)} if kinds else {}
    links = book.site_links()
    if links:  # what shows under one name is hidden together
        homes = {links.get(site, site) for (site,) in cursor.execute(private, params).fetchall()}
        private += " UNION SELECT unnest($more::VARCHAR[])"
        params["more"] = sorted(homes | {site for site, home in links.items() if home in homes})
    source = "lake.observations o"
    says = f"o.reading >> {SHIFT}"
    columns = f"{_SITE} AS site, position_rule, monitoring_location_type, longitude, latitude"
    parts = [f"SELECT {columns}, {says} AS batch, reading FROM {source} WHERE {_SITE} IN (FROM private)"]
    if book.repeating:
        parts.append(
            f"SELECT {columns}, r.batch, reading FROM {source} JOIN memory.repeats r "
            f"ON o.reading BETWEEN r.first AND r.last WHERE {_SITE} IN (FROM private)"
        )
    sql = f"WITH private AS ({private}) SELECT * REPLACE (min(reading) AS reading) FROM ({' UNION ALL '.join(parts)}) "
    return cursor.execute(sql + "GROUP BY ALL", params).df()


def settle(found: pd.DataFrame, book: Book, key: str, topic: Topic | None, as_of: int | None) -> Hidden:
    """Settle the rule and the place of each hidden site of a topic, as of a data version.

    Parameters
    ----------
    found : DataFrame
        From :func:`found`: what is a household's well counts as one at every version.
    book : Book
        Says which batch was accepted when.
    key : str
        Of the topic.
    topic : Topic, optional
        None if there is no such topic any more; the rows' own rules are kept then.
    as_of : int, optional
        Only what was accepted by then fills a cell: a picture of the past says the same for ever.
    """
    own = [batch for batch in book.batches.values() if batch.topic == key]
    accepted = {
        batch.batch: min(
            (
                since
                for since, state in batch.history
                if state == "accepted" and (as_of is None or since <= as_of)
            ),
            default=_NEVER,
        )
        for batch in own
    }
    standing = {batch.batch for batch in own if batch.state_at(as_of) == "accepted"}
    places = found[found["batch"].isin(list(accepted))]
    since = places["batch"].map(accepted).astype("int64")
    links = book.site_links()
    home = places["site"].map(links).fillna(places["site"]) if links else places["site"]
    # The place of sites that are one is that of the site shown; what shows under it does not move it.
    own_place = places["site"].eq(home)
    guest = ~own_place & home.isin(home[own_place])
    places = places.assign(
        site=home,
        since=since,
        known=since < _NEVER,
        standing=places["batch"].isin(list(standing)) & ~guest,
        guest=guest,
    ).sort_values(["guest", "since", "reading"], kind="stable")
    hidden = settled(places, topic)
    linked = {site: same for site, same in links.items() if same in hidden.sites.index}
    if not linked:
        return hidden
    under = hidden.sites.loc[list(linked.values())].set_axis(list(linked))
    return Hidden(pd.concat([hidden.sites, under[~under.index.isin(hidden.sites.index)]]), hidden.crowd)


def strictest(parts: Sequence[Hidden]) -> Hidden:
    """Join what is hidden in several topics: for a question that names none, the strictest rule counts."""
    if len(parts) == 1:
        return parts[0]
    sites = pd.concat([part.sites for part in parts]) if parts else settled(_NOTHING, None).sites
    order = sites["position_rule"].map(POSITION_RULES.index).argsort(kind="stable")[::-1]
    sites = sites.iloc[order]
    return Hidden(sites[~sites.index.duplicated()])


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
