"""Which rows are valid, and the picture they make: the newest valid reading of every series.

A *series* is one line of the picture: site × property × medium × fraction × speciation × procedure
class × depth (the source's words where a property is not mapped). Its reading is the newest one that is
a number or a limit, or, where there is none, the newest text; of several at the same moment the first
replicate. Rejected readings (by the source, by our reviewers, or by quality flag 4) are not shown.

The picture is always taken of a whole row, never column by column: ``arg_max(result, time)`` alone would
compare the result of one reading with the limit of another.

The table ``latest`` keeps it for the two kinds of review, per topic, appended to in the same transaction
as the batch and only for series that changed; of several rows of a series the one with the greatest
``data_version`` holds. A row without ``reading`` says that the series is gone. Pictures of the past, of
a period or of one batch are computed from the observations instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from store.ledger import Book
from store.tables import MIRRORED, SERIES, SHIFT, SHOWN, STORED, quoted

Params = dict[str, Any]

_SITE = "monitoring_location_id"

#: One whole number to order by: shows a number or a limit? then time, then reading number.
_ORDER = (
    "((censoring IN ('=', '<', '>'))::HUGEINT << 126) "
    "| ((epoch_us(phenomenon_time) + 4611686018427387904)::HUGEINT << 63) | reading::HUGEINT"
)


@dataclass(frozen=True)
class Scope:
    """Whose readings: the batches that count, and what is known of them."""

    book: Book
    visible: Sequence[int]
    as_of: int
    review: str = "all"
    links: Mapping[str, str] = field(default_factory=dict)
    #: In a transaction, after it has filled the temporary tables ``new_…``.
    arriving: bool = False

    def table(self, name: str) -> str:
        """Name one of the mirrored tables, with what this transaction adds to it."""
        return chain(name, self.arriving)

    @property
    def corrected(self) -> bool:
        """Tell whether any reading has several versions."""
        return bool(self.book.correcting)

    @property
    def rescued(self) -> bool:
        """Tell whether a row may be visible through a batch that says it again."""
        seen = set(self.visible)
        return any(batch in seen and of not in seen for batch, of in self.book.repeating)


def chain(name: str, arriving: bool) -> str:
    """Name one of the mirrored tables, with what the transaction adds to it if there is one."""
    return f"(FROM memory.{name} UNION ALL FROM temp.new_{name})" if arriving else f"memory.{name}"


def valid(scope: Scope, where: str = "true") -> tuple[str, Params]:
    """Write the common table expressions that end in ``valid``: each observation once, its valid version.

    Parameters
    ----------
    scope : Scope
        Whose readings.
    where : str
        A further condition on columns of ``o`` (observations).

    Returns
    -------
    sql : str
        ``WITH … valid AS (…)``; columns of ``lake.observations``, ``said`` (the batch that stands for the
        row) and ``review_state``.
    params : dict
        Values for it; those of *where* are the caller's.
    """
    parts = ["visible AS (SELECT unnest($visible::BIGINT[]) AS batch)"]
    if scope.rescued or scope.corrected:
        parts.append(
            f"ranges AS (SELECT r.* FROM {scope.table('repeats')} r SEMI JOIN visible USING (batch))"
        )
    source = (
        f"SELECT o.*, o.batch AS said FROM lake.observations o SEMI JOIN visible USING (batch) WHERE {where}"
    )
    if scope.rescued:
        source += (
            " UNION ALL (SELECT o.*, r.batch AS said FROM lake.observations o JOIN ranges r "
            f"ON o.reading BETWEEN r.first AND r.last WHERE o.batch NOT IN (FROM visible) AND ({where}) "
            "QUALIFY row_number() OVER (PARTITION BY o.reading ORDER BY r.batch DESC) = 1)"
        )
    if scope.corrected:
        parts.append(_LOST.format(corrections=scope.table("corrections")))
        source = f"SELECT * FROM ({source}) ANTI JOIN lost USING (reading)"
    params: Params = {"visible": list(scope.visible)}
    state = "'pending'"
    if scope.book.reviewed:
        parts.append(
            "reviewed AS (SELECT reading, arg_max(state, data_version) AS state "
            f"FROM {scope.table('reviews')} "
            "WHERE data_version <= $as_of GROUP BY reading)"
        )
        params["as_of"] = scope.as_of
        state = "coalesce(state, 'pending')"
        source = f"SELECT * FROM ({source}) LEFT JOIN reviewed USING (reading)"
    kept = f"WHERE {state} <> 'rejected'" if scope.book.reviewed and scope.review == "accepted" else ""
    parts.append(f"valid AS (SELECT *, {state} AS review_state FROM ({source}) {kept})")
    return "WITH " + ", ".join(parts), params


#: Of the versions of one observation the one that the newest visible batch says stands; the others lost.
_LOST = f"""
    nodes AS (SELECT reading, root FROM {{corrections}} UNION SELECT root, root FROM {{corrections}}),
    standing AS (
        SELECT n.root, n.reading, greatest(max(v.batch), max(r.batch)) AS said
        FROM nodes n
        LEFT JOIN visible v ON v.batch = n.reading >> {SHIFT}
        LEFT JOIN ranges r ON n.reading BETWEEN r.first AND r.last
        GROUP BY ALL HAVING said IS NOT NULL),
    lost AS (
        SELECT reading FROM standing
        QUALIFY row_number() OVER (PARTITION BY root ORDER BY said DESC, reading DESC) > 1)
"""


def picture(scope: Scope, where: str = "true") -> tuple[str, Params]:
    """Write the query for the picture that the rows of a scope make.

    Returns
    -------
    sql : str
        Columns ``series, reading, batch, review_state, n, n_censored, first_time, last_time`` and
        :data:`~store.tables.SHOWN`.
    params : dict
        Values for it; those of *where* are the caller's.
    """
    sql, params = valid(scope, where)
    sql += f"""
        , counted AS (
            SELECT reading, said, review_state, {_SITE},
                coalesce(observed_property, observed_property_name) AS what, {quoted(SERIES[2:])},
                phenomenon_time, censoring, {_ORDER} AS place
            FROM valid
            WHERE review_state <> 'rejected' AND result_status <> 'rejected' AND quality_flag <> 4),
        grouped AS (
            SELECT {quoted(SERIES)}, count(*) AS n,
                count(*) FILTER (censoring IN ('<', '>')) AS n_censored,
                min(phenomenon_time) AS first_time, max(phenomenon_time) AS last_time,
                arg_max(reading, place) AS reading, arg_max(said, place) AS said,
                arg_max(review_state, place) AS review_state
            FROM counted GROUP BY {quoted(SERIES)})
        SELECT md5(concat_ws(chr(31), {", ".join(f"coalesce(g.{name}::VARCHAR, '')" for name in SERIES)})) AS series,
            g.reading, g.said AS batch, g.review_state, g.n, g.n_censored, g.first_time, g.last_time, {quoted(SHOWN, "o")}
        FROM grouped g JOIN lake.observations o USING (reading)"""
    return sql, params


_SAME = ("reading", "batch", "review_state", "n", "n_censored", "first_time", "last_time")


def update(cursor: duckdb.DuckDBPyConnection, scopes: Sequence[Scope], topic: str, version: int) -> None:
    """Append to ``latest`` what changed for the sites in the temporary table ``touched``.

    Parameters
    ----------
    cursor
        In the transaction that changed what is visible.
    scopes
        What is visible from now on, of the topic: one for each kind of review that may have changed.
    topic
        The topic whose picture this is.
    version
        Number of the event that changed it.
    """
    _draw(cursor, scopes)
    cursor.execute(
        f"""CREATE OR REPLACE TEMP TABLE stale AS
            SELECT review, series, {quoted(_SAME)}, {_SITE}, observed_property, observed_property_name
            FROM lake.latest WHERE topic = $topic AND review IN (SELECT unnest($reviews::VARCHAR[]))
                AND {_SITE} IN (SELECT site FROM temp.touched)
            QUALIFY data_version = max(data_version) OVER (PARTITION BY review, series)""",
        {"topic": topic, "reviews": [scope.review for scope in scopes]},
    )
    same = " AND ".join(f"s.{name} IS NOT DISTINCT FROM f.{name}" for name in ("review", *_SAME))
    cursor.execute(
        f"""INSERT INTO lake.latest BY NAME SELECT $version AS data_version, $topic AS topic, * FROM (
            SELECT f.* FROM temp.fresh f ANTI JOIN temp.stale s ON s.series = f.series AND {same}
            UNION ALL BY NAME
            SELECT s.review, s.series, s.{_SITE}, s.observed_property, s.observed_property_name
            FROM temp.stale s ANTI JOIN temp.fresh f USING (review, series) WHERE s.reading IS NOT NULL)
            ORDER BY review, {_SITE}, observed_property""",
        {"version": version, "topic": topic},
    )


def _draw(cursor: duckdb.DuckDBPyConnection, scopes: Sequence[Scope]) -> None:
    """Put the pictures of the touched sites into the temporary table ``fresh``."""
    first = scopes[0]
    for scope in scopes:
        sql, params = picture(scope, f"o.{_SITE} IN (SELECT site FROM temp.touched)")
        if scope is first:
            sql = f"CREATE OR REPLACE TEMP TABLE fresh AS SELECT $review::VARCHAR AS review, * FROM ({sql})"
        elif scope.visible == first.visible and not scope.book.reviewed:
            # Nothing is pending: the pictures are one.
            sql, params = (
                "INSERT INTO temp.fresh SELECT $review AS review, * EXCLUDE (review) FROM temp.fresh",
                {},
            )
        else:
            sql = f"INSERT INTO temp.fresh SELECT $review::VARCHAR AS review, * FROM ({sql})"
        cursor.execute(sql, params | {"review": scope.review})


def touch(cursor: duckdb.DuckDBPyConnection, batch: int, book: Book, *, arriving: bool) -> None:
    """Put the sites whose picture a batch can change into the temporary table ``touched``.

    Parameters
    ----------
    cursor
        In the transaction.
    batch
        Number of the batch.
    book
        What holds after the transaction.
    arriving
        Whether the batch is just being put in, so that its sites stand in ``places`` and ``known``.
    """
    repeats = any(number == batch for number, _ in book.repeating)
    sites = "SELECT site FROM temp.places UNION SELECT site FROM temp.known"
    if not arriving:
        sites = f"SELECT {_SITE} AS site FROM lake.observations WHERE batch = $batch"
    if repeats and not arriving:
        sites += f""" UNION SELECT {_SITE} FROM lake.observations o
            JOIN (SELECT first, last FROM memory.repeats WHERE batch = $batch) r
            ON o.reading BETWEEN r.first AND r.last"""
    if book.correcting and (repeats or not arriving or batch in book.correcting):
        sites += f" UNION {_CHAINED.format(**{name: chain(name, arriving) for name in MIRRORED})}"
    params = {"batch": batch} if "$batch" in sites else {}
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE touched AS SELECT DISTINCT site FROM ({sites})", params)


#: Sites of all versions of the observations that a batch has a part in.
_CHAINED = f"""
    (WITH said AS (SELECT first, last FROM {{repeats}} WHERE batch = $batch
        UNION ALL SELECT $batch::BIGINT << {SHIFT}, (($batch::BIGINT + 1) << {SHIFT}) - 1),
    roots AS (SELECT DISTINCT root FROM {{corrections}} c JOIN said s
        ON c.reading BETWEEN s.first AND s.last OR c.prior BETWEEN s.first AND s.last
        OR c.root BETWEEN s.first AND s.last),
    versions AS (SELECT reading FROM {{corrections}} SEMI JOIN roots USING (root)
        UNION SELECT root FROM roots)
    SELECT {_SITE} FROM lake.observations SEMI JOIN versions USING (reading))
"""


def current(where: str = "true") -> str:
    """Write the query for the kept picture of ``$topic`` and ``$review``, as of ``$version``.

    Returns
    -------
    sql : str
        Columns as of :func:`picture`, and ``data_version``.
    """
    return f"""
        WITH kept AS (SELECT * FROM lake.latest WHERE topic = $topic AND review = $review
            AND data_version <= $version AND {where}),
        newest AS (SELECT series, max(data_version) AS data_version FROM kept GROUP BY series)
        SELECT * FROM kept SEMI JOIN newest USING (series, data_version)"""


assert set(SHOWN) <= set(STORED)
