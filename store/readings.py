"""What can be asked of a store: batches, the picture, readings, sites. Reads only, parameters always bound."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
import pyarrow.parquet

from situation.errors import ChoiceError
from situation.observation import COLUMNS, FLAT_COLUMNS
from situation.privacy import Hidden
from situation.topic import Topic, topics
from store import picture, places
from store.engine import Engine
from store.ledger import COUNTING, Batch, Book
from store.picture import Params, Scope
from store.tables import SHOWN
from store.url import Place

_SITE = "monitoring_location_id"

#: Columns of a picture, in order.
PICTURE = (
    *(name for name in FLAT_COLUMNS if name in (*SHOWN, "batch_id", "review_state")),
    "n",
    "n_censored",
    "first_time",
    "last_time",
)

#: How many pictures a process keeps in memory.
_MIRRORED = 64


@dataclass
class _Settled:
    """What is hidden at a data version: the places that were found, and what was made of them."""

    version: int
    kinds: tuple[str, ...]
    found: pd.DataFrame = field(default_factory=pd.DataFrame)
    made: dict[Any, Hidden] = field(default_factory=dict)


class Readings(ABC):
    """The reading half of a store."""

    place: Place
    _engine: Engine
    _mirror_lock = threading.Lock()

    @abstractmethod
    def book(self) -> Book:
        """Give what the ledger adds up to now."""

    # the ledger

    def history(self, limit: int | None = None) -> list[Batch]:
        """List the batches, newest first."""
        return list(reversed(self.book().batches.values()))[:limit]

    def batch(self, number: int) -> Batch:
        """Give a batch by its number; NoSuchBatch if there is none."""
        return self.book().batch(number)

    def may_view(self, number: int, token: str | None) -> bool:
        """Tell whether a token shows a batch while it is pending."""
        return self.batch(number).shown_to(token)

    def quarantine(self, number: int) -> pd.DataFrame:
        """Give the unusable cells of a batch as the reader reported them; empty if there are none."""
        path = self._quarantine_path(self.batch(number).batch)
        return pyarrow.parquet.read_table(path).to_pandas() if path.exists() else pd.DataFrame()

    def _quarantine_path(self, number: int) -> Path:
        return self.place.quarantine / f"{number}.parquet"

    def meta(self) -> dict[str, Any]:
        """Say what kind of store this is."""
        book = self.book()
        return {
            "simulated": book.simulated,
            "data_version": book.version,
            "engine": self.place.engine,
            "batches": len(book.batches),
        }

    def site_links(self, as_of: int | None = None) -> dict[str, str]:
        """Map each linked site to the one that its readings show under."""
        return self.book().site_links(as_of)

    # scopes

    def _scope(self, review: str, topic: str | None, as_of: int | None, batch: int | None) -> Scope:
        if review not in COUNTING:
            raise ChoiceError(f"Readings can be {' or '.join(COUNTING)}, not {review!r}.")
        book = self.book()
        if as_of is not None and not 0 <= as_of <= book.version:
            raise ChoiceError(f"There is no data version {as_of}; the newest is {book.version}.")
        visible = book.visible("all" if batch is not None else review, topic=topic, as_of=as_of)
        if batch is not None:
            visible = [number for number in visible if number == book.batch(batch).batch]
        version = book.version if as_of is None else as_of
        return Scope(book, visible, version, review, book.site_links(as_of))

    # the picture

    def latest(
        self,
        *,
        review: str = "accepted",
        as_of: int | None = None,
        topic: str | None = None,
        since: pd.Timestamp | None = None,
        until: pd.Timestamp | None = None,
        observed_property: str | None = None,
        batch: int | None = None,
    ) -> pd.DataFrame:
        """Give the newest valid reading of every series (see :mod:`store.picture`).

        Parameters
        ----------
        review : str
            ``accepted``: batches that were accepted; ``all``: pending ones too.
        as_of : int, optional
            As it was at this data version.
        topic, observed_property : str, optional
            Only this topic, only this property.
        since, until : Timestamp, optional
            Only readings from *since* on, and before *until*.
        batch : int, optional
            Only what this batch says, pending or accepted.

        Returns
        -------
        DataFrame
            Columns of the flat form that a map needs, ``batch_id`` and ``review_state``, and ``n``,
            ``n_censored``, ``first_time``, ``last_time`` of the series. Shared: do not write into it.
        """
        book = self.book()
        topics = {b.topic for b in book.batches.values()}
        if topic is None and len(topics) == 1:
            topic = topics.pop()
        now = (as_of is None or as_of == book.version) and since is None and until is None and batch is None
        if now and topic is not None and review in COUNTING:
            return self._mirrored(book, review, topic, observed_property)
        scope = self._scope(review, topic, as_of, batch)
        where, params = _conditions(observed_property=observed_property, since=since, until=until)
        sql, more = picture.picture(scope, where)
        picture_of = _pictured(self._table(sql, params | more), scope.links)
        return places.protected(picture_of, self._hidden_in(topic, scope, batch))

    def _forget_pictures(self) -> None:
        with self._mirror_lock:
            self.__dict__.pop("_mirror", None)

    def _mirrored(self, book: Book, review: str, topic: str, observed_property: str | None) -> pd.DataFrame:
        key = (review, topic, observed_property, _privacy_of(topics().get(topic)))
        with self._mirror_lock:
            mirror: OrderedDict[Any, tuple[int, pd.DataFrame]] = self.__dict__.setdefault(
                "_mirror", OrderedDict()
            )
            kept = mirror.get(key)
            if kept is not None and kept[0] == book.version:
                mirror.move_to_end(key)
                return kept[1].copy(deep=False)
        table = self._current(book, review, topic, observed_property)
        with self._mirror_lock:
            mirror[key] = (book.version, table)
            while len(mirror) > _MIRRORED:
                mirror.popitem(last=False)
        return table.copy(deep=False)

    def _current(self, book: Book, review: str, topic: str, observed_property: str | None) -> pd.DataFrame:
        where = "true" if observed_property is None else "observed_property = $observed_property"
        params = {"topic": topic, "review": review, "version": book.version}
        if observed_property is not None:
            params["observed_property"] = observed_property
        table = self._table(f"{picture.current(where)} WHERE reading IS NOT NULL", params)
        return places.protected(_pictured(table, book.site_links()), self.hidden(topic))

    def hidden(self, topic: Topic | str | None = None, as_of: int | None = None) -> Hidden:
        """Say how each hidden site of a topic is shown; without a topic, as the strictest of all topics has it.

        One file may call a well a household's and the next not say what it is; the well is the same. The
        rule holds for every reading of the site, at every data version, even when the batch that said so
        was withdrawn. Sites that are shown exactly are not in it.
        """
        book, known = self.book(), topics()
        if topic is None:
            keys = sorted({batch.topic for batch in book.batches.values()})
            return places.strictest([self.hidden(key, as_of) for key in keys])
        key = topic if isinstance(topic, str) else topic.key
        chosen = known.get(topic) if isinstance(topic, str) else topic
        as_of = None if as_of is None or as_of >= book.version else as_of
        kinds = {
            kind
            for one in (*known.values(), chosen)
            if one
            for kind, rule in one.privacy.items()
            if rule != "exact"
        }
        kept: _Settled = self.__dict__.get("_hidden") or _Settled(-1, ())
        if (kept.version, kept.kinds) != (book.version, tuple(sorted(kinds))):
            kept = _Settled(book.version, tuple(sorted(kinds)))
            kept.found = places.found(self._engine.cursor(), book, kept.kinds)
            self.__dict__["_hidden"] = kept
        name = (key, as_of, _privacy_of(chosen))
        if name not in kept.made:
            kept.made[name] = places.settle(kept.found, book, key, chosen, as_of)
        return kept.made[name]

    def _hidden_in(self, topic: str | None, scope: Scope, batch: int | None) -> Hidden:
        """Say what is hidden in a scope; whoever may see one batch by itself sees its cells, however few wells."""
        if batch is None:
            return self.hidden(topic, scope.as_of)
        key = self.book().batch(batch).topic
        own = topics().get(key)
        return self.hidden(replace(own, k=1) if own else key, scope.as_of)

    def site_rules(self) -> dict[str, str]:
        """Map each site that is not shown exactly to its rule (see :meth:`hidden`)."""
        rules: dict[str, str] = self.hidden().sites["position_rule"].to_dict()
        return rules

    # readings

    def observations(
        self,
        *,
        site: str | None = None,
        observed_property: str | None = None,
        bbox: tuple[float, float, float, float] | None = None,
        review: str = "accepted",
        as_of: int | None = None,
        batch: int | None = None,
        topic: str | None = None,
        since: pd.Timestamp | None = None,
        until: pd.Timestamp | None = None,
        limit: int | None = None,
    ) -> pd.DataFrame:
        """Give observations in the flat form, each in its valid version, by site, property and time.

        Parameters
        ----------
        site, observed_property, topic : str, optional
            Only these.
        bbox : (west, south, east, north), optional
            Degrees, EPSG:4326.
        review, as_of, batch, since, until
            As for :meth:`latest`.
        limit : int, optional
            At most so many rows.
        """
        with self.batches_reader(
            site=site,
            observed_property=observed_property,
            bbox=bbox,
            review=review,
            as_of=as_of,
            batch=batch,
            topic=topic,
            since=since,
            until=until,
            limit=limit,
        ) as reader:
            return _frame(reader.read_all())

    def batches_reader(
        self,
        *,
        site: str | Sequence[str] | None = None,
        observed_property: str | None = None,
        bbox: tuple[float, float, float, float] | None = None,
        review: str = "accepted",
        as_of: int | None = None,
        batch: int | None = None,
        topic: str | None = None,
        since: pd.Timestamp | None = None,
        until: pd.Timestamp | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> pyarrow.RecordBatchReader:
        """Stream what :meth:`observations` gives, as Arrow record batches, for exports of any size.

        *site* may be several; the first *offset* rows are left out.
        """
        scope = self._scope(review, topic, as_of, batch)
        where, params = _conditions(
            sites=_with_linked(site, scope.links),
            observed_property=observed_property,
            bbox=bbox,
            since=since,
            until=until,
        )
        sql, more = picture.valid(scope, where)
        params |= more
        name, sql = _site_name(scope, sql, params)
        own, sql = _shown_by(self._hidden_in(topic, scope, batch), name, sql, params)
        columns = ", ".join(own.get(column, _FLAT_SQL.get(column, f'"{column}"')) for column in FLAT_COLUMNS)
        columns = columns.replace("$site", name)
        sql += f" SELECT {columns} FROM valid ORDER BY {_SITE}, observed_property, phenomenon_time, reading"
        if limit is not None:
            sql += " LIMIT $limit"
            params["limit"] = limit
        if offset:
            sql += " OFFSET $offset"
            params["offset"] = offset
        cursor = self._engine.new_cursor()
        return cursor.execute(sql, params).to_arrow_reader(65_536)

    def tally(
        self,
        *,
        observed_property: str | None = None,
        review: str = "accepted",
        as_of: int | None = None,
        topic: str | None = None,
        since: pd.Timestamp | None = None,
        until: pd.Timestamp | None = None,
    ) -> pd.DataFrame:
        """Count what :meth:`observations` gives by place, so that a page of it can be found without reading it.

        Returns
        -------
        DataFrame
            ``monitoring_location_id``, ``monitoring_location_type``, ``longitude``, ``latitude`` (degrees,
            EPSG:4326, exact), ``position_rule`` and ``n``, the number of readings; a site that was recorded
            at two points has two rows.
        """
        scope = self._scope(review, topic, as_of, None)
        where, params = _conditions(observed_property=observed_property, since=since, until=until)
        sql, more = picture.valid(scope, where)
        params |= more
        name, sql = _site_name(scope, sql, params)
        place = "monitoring_location_type, longitude, latitude, position_rule"
        sql += (
            f" SELECT {name} AS site, {place}, sum(n)::BIGINT AS n FROM (SELECT {_SITE}, {place}, "
            "count(*) AS n FROM valid GROUP BY ALL) GROUP BY ALL ORDER BY ALL"
        )
        table = self._table(sql, params).to_pandas().rename(columns={"site": _SITE})
        return places.protected(table, self.hidden(topic, scope.as_of))

    def versions(self, observation_id: str) -> pd.DataFrame:
        """Give every version of an observation that was not purged, oldest first, in the flat form.

        Its batch's state stands in ``state``.
        """
        book = self.book()
        there = [b.batch for b in book.batches.values() if b.state != "purged"]
        columns = ", ".join(_FLAT_SQL.get(column, f'"{column}"') for column in FLAT_COLUMNS)
        columns = columns.replace("$site", _SITE)
        sql = (
            f"SELECT {columns} FROM (SELECT *, batch AS said, 'pending' AS review_state FROM lake.observations "
            "WHERE observation_id = $id AND batch IN (SELECT unnest($there::BIGINT[]))) ORDER BY reading"
        )
        table = _frame(self._table(sql, {"id": observation_id, "there": there}))
        table = places.protected(table, self.hidden())
        table["state"] = [book.batches[int(number)].state for number in table["batch_id"]]
        return table

    def sites(self, topic: str | None = None) -> pd.DataFrame:
        """List the sites of all batches that count or wait, once each.

        Returns
        -------
        DataFrame
            ``monitoring_location_id``, ``_name``, ``_type``, ``longitude``, ``latitude`` of the newest
            reading, and ``n``, the number of readings.
        """
        table = self.latest(review="all", topic=topic)
        names = [_SITE, "monitoring_location_name", "monitoring_location_type", "longitude", "latitude"]
        newest = table.sort_values("phenomenon_time", kind="stable").drop_duplicates(_SITE, keep="last")
        counts = table.groupby(_SITE)["n"].sum()
        sites = newest[names].sort_values(_SITE).reset_index(drop=True)
        return sites.assign(n=sites[_SITE].map(counts).astype("int64"))

    def _table(self, sql: str, params: Params) -> pyarrow.Table:
        return self._engine.cursor().execute(sql, params).to_arrow_table()


_FLAT_SQL = {
    "batch_id": "said::VARCHAR AS batch_id",
    _SITE: f"$site AS {_SITE}",
}


def _with_linked(site: str | Sequence[str] | None, links: Mapping[str, str]) -> list[str] | None:
    """Give the sites with those that show under them; None is every site."""
    if site is None:
        return None
    asked = [site] if isinstance(site, str) else list(site)
    wanted = set(asked)
    return [*asked, *(other for other, same in links.items() if same in wanted)]


def _site_name(scope: Scope, sql: str, params: Params) -> tuple[str, str]:
    if not scope.links:
        return _SITE, sql
    params |= {"linked": list(scope.links), "same_as": list(scope.links.values())}
    sql += ", links AS (SELECT unnest($linked::VARCHAR[]) AS site, unnest($same_as::VARCHAR[]) AS same_as)"
    return f"coalesce((SELECT same_as FROM links WHERE site = {_SITE}), {_SITE})", sql


def _shown_by(hidden: Hidden, name: str, sql: str, params: Params) -> tuple[dict[str, str], str]:
    """Write how rule and place of a row are asked for: those of its site where it is hidden."""
    sites = hidden.sites
    if sites.empty:
        return {}, sql
    columns = {"shown_rule": "position_rule", "shown_lon": "longitude", "shown_lat": "latitude"}
    params["shown_site"] = sites.index.tolist()
    params |= {
        said: sites[column].astype(object).where(sites[column].notna(), None).tolist()
        for said, column in columns.items()
    }
    sql += (
        ", shown AS (SELECT unnest($shown_site::VARCHAR[]) AS site, unnest($shown_rule::VARCHAR[]) AS shown_rule, "
        "unnest($shown_lon::DOUBLE[]) AS shown_lon, unnest($shown_lat::DOUBLE[]) AS shown_lat)"
    )
    own = {
        column: f'coalesce((SELECT {said} FROM shown WHERE shown.site = {name}), "{column}") AS {column}'
        for said, column in columns.items()
    }
    return own, sql


def _privacy_of(topic: Topic | None) -> tuple[Any, ...]:
    """Give what of a topic decides how its sites are shown."""
    return () if topic is None else (topic.grid_m, topic.area_m, topic.k, *sorted(topic.privacy.items()))


def _conditions(
    *,
    sites: Sequence[str] | None = None,
    observed_property: str | None = None,
    bbox: tuple[float, float, float, float] | None = None,
    since: pd.Timestamp | None = None,
    until: pd.Timestamp | None = None,
) -> tuple[str, Params]:
    conditions, params = ["true"], Params()
    if sites is not None:
        conditions.append(f"o.{_SITE} IN (SELECT unnest($sites::VARCHAR[]))")
        params["sites"] = list(sites)
    if observed_property is not None:
        conditions.append("o.observed_property = $observed_property")
        params["observed_property"] = observed_property
    if bbox is not None:
        west, south, east, north = bbox
        across = "o.longitude BETWEEN $west AND $east"
        if west > east:  # over the date line
            across = "(o.longitude >= $west OR o.longitude <= $east)"
        conditions.append(f"{across} AND o.latitude BETWEEN $south AND $north")
        params |= {"west": west, "south": south, "east": east, "north": north}
    for name, moment, sign in (("since", since, ">="), ("until", until, "<")):
        if moment is not None:
            conditions.append(f"o.phenomenon_time {sign} ${name}::TIMESTAMPTZ")
            params[name] = _utc(moment)
    return " AND ".join(conditions), params


def _utc(moment: pd.Timestamp) -> str:
    moment = pd.Timestamp(moment)
    moment = moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
    return str(moment.isoformat())


def _frame(table: pyarrow.Table) -> pd.DataFrame:
    frame = table.to_pandas()
    dtypes = {name: COLUMNS[name].dtype for name in frame.columns if name in COLUMNS}
    return frame.astype({name: dtype for name, dtype in dtypes.items() if str(frame[name].dtype) != dtype})


def _pictured(table: pyarrow.Table, links: Mapping[str, str]) -> pd.DataFrame:
    names = ["batch_id" if name == "batch" else name for name in table.column_names]
    # The number becomes text in Arrow: quick, and of the type that the table of observations declares.
    table = table.rename_columns(names)
    place = names.index("batch_id")
    table = table.set_column(place, "batch_id", table["batch_id"].cast(pyarrow.string()))
    picture = places.as_one(_frame(table), links)
    return picture[list(PICTURE)].sort_values(
        [_SITE, "observed_property", "phenomenon_time"], kind="stable", ignore_index=True
    )
