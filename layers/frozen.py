"""From a view to a snapshot: frozen, kept, and opened again.

To freeze is to pin a view to a data version and a minute, to assess it once, and to hold fast what it was
assessed against. What is opened again are the sites as they were written then; they pass
:func:`situation.privacy.public` once more, because a place that was found since to be somebody's home must not
stay in last year's picture.

What surprised us: with the version and the minute pinned, the store gives the same sites again by itself, and
still they are kept: a limit that somebody edits, or a program that reads better, would change last year's
numbers without a word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from typing import Any

import pandas as pd
import pyarrow

from layers import said, trends
from layers import surface as surfaces
from layers.newest import history_for
from layers.picture import assessed
from situation import privacy
from situation.errors import ChoiceError
from situation.messages import known_language, message
from situation.observation import FLAT_COLUMNS
from situation.properties import PROPERTIES
from situation.settings import settings
from situation.snapshot import (
    Changed,
    Origin,
    Snapshot,
    limit_as_record,
    limit_from_record,
    surface_as_record,
    surface_from_record,
    topic_as_record,
    topic_from_record,
)
from situation.standard import Limit, Standard, standards
from situation.status import STYLE
from situation.topic import WORLD, Box, Topic, topics
from situation.trend_sheet import Drawn, TrendSheet
from situation.view import View
from store import Store
from store.ledger import COUNTING

_RIM = 0.06  # of the width of what is shown, left free around it
_LEAST_RIM = 0.005  # degrees, about half a kilometre
_LONGEST_TITLE, _LONGEST_WHO = 160, 60


def freeze(
    place: Store,
    view: View,
    now: pd.Timestamp,
    *,
    language: str | None = None,
    title: str | None = None,
    surface: str | None = None,
) -> Snapshot:
    """Take a snapshot of what a view shows; it is not kept, and has no link.

    Parameters
    ----------
    place : Store
        Whose readings.
    view : View
        Topic, property, standard, period, review state, data version and box; the rest does not matter.
    now : Timestamp
        UTC.
    language : str, optional
        Of its words; English if there is no catalogue of that name.
    title : str, optional
        In plain words; made of property and topic where there is none.
    surface : {"estimate", "probability"}, optional
        What is drawn between the sites.

    Returns
    -------
    Snapshot

    Raises
    ------
    ChoiceError
        If there is no such surface, or the view is judged as at a minute that has not come.
    """
    if surface and surface not in surfaces.KINDS:
        raise ChoiceError(f"surface is one of {', '.join(surfaces.KINDS)}, not {surface[:40]!r}.")
    if view.clock(now) > now + pd.Timedelta(minutes=1):
        raise ChoiceError(
            f"at is {view.at}, which has not come yet; a snapshot says how it stood, not how it will."
        )
    language = known_language(language)
    simulated = bool(place.meta().get("simulated"))
    pinned = view.but(site=None, zoom=None, since=None, only="all", areas=None, token=None).pinned(
        place.version(), now
    )
    topic = view.chosen_topic.shown(simulated=simulated)
    moment = pinned.moment(now)
    every = privacy.public(assessed(pinned, now, place), topic)
    sites = in_order(pinned.within(every))
    standard = _narrowed(standards().get(view.standard), view.observed_property, moment)
    return _told(
        place,
        pinned,
        topic,
        standard,
        standard.rows[0] if standard and standard.rows else None,
        sites,
        language,
        _title(title) or usual_title(pinned, topic, language),
        simulated=simulated,
        surface=surfaces.drawn(place, pinned, surface, box_of(pinned, topic, sites), now)
        if surface
        else None,
    )


def check_minute(place: Store, view: View) -> None:
    """Refuse a view that says how a data version stood before it was there.

    Raises
    ------
    ChoiceError
        If ``at`` is earlier than the newest batch of its data version.
    """
    version = place.version() if view.as_of is None else view.as_of
    came = [batch.received_at for batch in place.book().batches.values() if batch.batch <= version]
    if view.at is None or not came:
        return
    newest = pd.Timestamp(max(came))
    if pd.Timestamp(view.at) < newest.floor("min"):
        raise ChoiceError(
            f"at is {view.at}, but data version {version} holds what came at {newest:%Y-%m-%dT%H:%MZ}; for readings "
            "of an earlier time give a period, such as /2020-12-31."
        )


def usual_title(view: View, topic: Topic, language: str) -> str:
    """Name a snapshot that nobody named: what was measured, and where."""
    return message(
        "publish.title", language, property=PROPERTIES[view.observed_property].title, topic=topic.title
    )


def in_order(sites: pd.DataFrame) -> pd.DataFrame:
    """Put sites into the one order that every file of a snapshot has: the worst first, then by name and place."""
    severity = sites["status"].map({status: style.order for status, style in STYLE.items()})
    keys = ["_severity", "monitoring_location_id", "longitude", "latitude", "phenomenon_time", "result"]
    return (
        sites.assign(_severity=severity)
        .sort_values(keys, kind="stable", na_position="last", ignore_index=True)
        .drop(columns="_severity")
    )


def keep(place: Store, shot: Snapshot, now: pd.Timestamp, *, who: str | None = None) -> Snapshot:
    """Keep a snapshot for good; gives it with its id.

    Raises
    ------
    ChoiceError
        If it shows what nobody accepted.
    """
    if shot.unaccepted:
        raise ChoiceError("A snapshot for the public holds accepted readings only; leave out review=all.")
    record = {
        "view": shot.view.to_params(),
        "title": shot.title,
        "language": shot.language,
        "simulated": shot.simulated,
        "topic": topic_as_record(shot.topic),
        "standard": {"key": shot.standard.key, "title": shot.standard.title} if shot.standard else None,
        "limits": [limit_as_record(row) for row in shot.standard.rows] if shot.standard else [],
        "readings": shot.readings_behind,
    } | ({"surface": surface_as_record(shot.surface)} if shot.surface else {})
    table = pyarrow.Table.from_pandas(shot.sites, preserve_index=False).replace_schema_metadata(None)
    made = place.keep_snapshot(record, table, made_at=now.isoformat(timespec="seconds"), who=_who(who))
    return reopen(place, made)


def reopen(place: Store, snapshot: str, *, language: str | None = None) -> Snapshot:
    """Open a kept snapshot: the sites as they were, and what became of their readings since.

    Parameters
    ----------
    place : Store
        Where it is kept.
    snapshot : str
        Its id.
    language : str, optional
        Of its words; the one it was made in where there is none.

    Raises
    ------
    NoSuchSnapshot
        If there is none of that id, or it was taken away.
    """
    record, table = place.snapshot(snapshot)
    view = View.from_params(record["view"])
    now = topics().get(view.topic)
    topic = topic_from_record(record["topic"], now.properties if now else (view.observed_property,))
    rows = tuple(limit_from_record(said) for said in record["limits"])
    told = record["standard"]
    standard = Standard(told["key"], told["title"], rows) if told else None
    written = table.to_pandas(types_mapper=_types().get)
    sites = _hidden_since(place, written, topic, now)
    erased = int(record["rows"]) - len(sites)
    # What was made from the exact place of somebody's home goes with it.
    as_written = sites[["longitude", "latitude"]].equals(written[["longitude", "latitude"]])
    title, written_in = record["title"], record["language"]
    if language and title == usual_title(view, topic, written_in):
        title = usual_title(view, topic, known_language(language))
    return _told(
        place,
        view,
        topic,
        standard,
        rows[0] if rows else None,
        sites,
        known_language(language or written_in),
        title,
        simulated=record["simulated"],
        id=record["id"],
        who=record["who"],
        made_at=pd.Timestamp(record["made_at"]),
        erased=erased,
        surface=surface_from_record(record.get("surface")) if as_written else None,
    )


def _types() -> dict[pyarrow.DataType, pd.api.extensions.ExtensionDtype]:
    return {
        pyarrow.string(): pd.StringDtype(na_value=float("nan")),
        pyarrow.large_string(): pd.StringDtype(na_value=float("nan")),
    }


def _hidden_since(place: Store, sites: pd.DataFrame, topic: Topic, now: Topic | None) -> pd.DataFrame:
    """Hide once more: what was found since to be a household's, and what the topic hides by now."""
    rules = place.hidden(now or topic).sites["position_rule"]
    stricter = sites["monitoring_location_id"].map(rules)
    exact = sites["position_rule"].eq("exact")
    rule = sites["position_rule"].where(~exact | stricter.isna(), stricter).astype("str")
    sites = sites.assign(position_rule=rule)
    topic = topic if now is None else privacy.stricter(topic, now)
    return privacy.public(privacy.crowded(sites, topic, place.hidden(topic).crowd), topic)


def _told(
    place: Store,
    view: View,
    topic: Topic,
    standard: Standard | None,
    limit: Limit | None,
    sites: pd.DataFrame,
    language: str,
    title: str,
    *,
    simulated: bool,
    erased: int = 0,
    **kept: Any,
) -> Snapshot:
    unaccepted = view.review == "all" or view.batch is not None
    return Snapshot(
        view=view,
        moment=view.moment(view.clock(pd.Timestamp.now("UTC"))),
        title=title,
        topic=topic,
        standard=standard,
        limit=limit,
        sites=sites,
        said=said.words_for(
            view,
            sites,
            view.clock(pd.Timestamp.now("UTC")),
            standard=standard,
            stale_days=topic.stale_days,
            pending=said.pending(place, view) if unaccepted else (),
            language=language,
        ),
        box=box_of(view, topic, sites),
        readings=lambda: _readings(place, view, topic, limit),
        batches=_batches(place, sites),
        language=language,
        simulated=simulated,
        unaccepted=unaccepted,
        base_url=settings().base_url,
        changed=changed_since(place, view, kept["id"], erased) if "id" in kept else Changed(),
        **kept,
    )


def _narrowed(standard: Standard | None, observed_property: str, moment: pd.Timestamp) -> Standard | None:
    """Leave those rows of a standard that are in force for the property, the one that counts first."""
    if standard is None:
        return None
    return Standard(
        standard.key, standard.title, tuple(standard.limits_for(observed_property, moment.date()))
    )


def _title(text: str | None) -> str:
    """Bring a title onto one line; one that is too long ends after a word, and says that it goes on."""
    name = " ".join((text or "").split())
    if len(name) <= _LONGEST_TITLE:
        return name
    short = name[: _LONGEST_TITLE - 1]
    return f"{short.rsplit(' ', 1)[0] or short}…"


def _who(text: str | None) -> str | None:
    name = " ".join((text or "").split())[:_LONGEST_WHO] or None
    if name and (what := privacy.tells_who(name)):
        raise ChoiceError(f"Who made a snapshot is seen by everybody; take a pseudonym, not {what}.")
    return name


def box_of(view: View, topic: Topic, sites: pd.DataFrame) -> Box:
    """Say where a map of a view looks: its box, else around its sites, else the topic's area (degrees)."""
    if view.bbox is not None:
        return view.bbox
    there = sites[sites["longitude"].notna()]
    if there.empty:
        return topic.area
    lon, lat = there["longitude"], there["latitude"]
    wide = max(lon.max() - lon.min(), lat.max() - lat.min())
    rim = max(_LEAST_RIM, _RIM * wide)
    west, south, east, north = WORLD
    return (
        float(max(west, lon.min() - rim)),
        float(max(south, lat.min() - rim)),
        float(min(east, lon.max() + rim)),
        float(min(north, lat.max() + rim)),
    )


def _readings(place: Store, view: View, topic: Topic, limit: Limit | None) -> Iterator[pd.DataFrame]:
    """Give every reading of a pinned view, as anybody may see it, in the store's order."""
    names = dict.fromkeys(
        [view.observed_property, *(term.property for term in (limit.terms if limit else ()))]
    )
    now = view.clock(pd.Timestamp.now("UTC"))
    for name in names:
        with place.batches_reader(observed_property=name, **view.scope(now)) as reader:
            yield _columns(reader.schema.empty_table().to_pandas())
            for part in reader:
                yield _columns(view.within(privacy.public(part.to_pandas(), topic)))


def _columns(table: pd.DataFrame) -> pd.DataFrame:
    return table[[name for name in FLAT_COLUMNS if name in table.columns]]


def _batches(place: Store, sites: pd.DataFrame) -> pd.DataFrame:
    """Say of each batch that a site's reading is from what came of it.

    File names may name people and stay out; so do the names of who brought a reading of somebody's home.
    """
    known = place.book().batches
    numbers = sorted({int(number) for number in sites["batch_id"].dropna() if int(number) in known})
    homes = set(sites.loc[sites["position_rule"].ne("exact"), "batch_id"].dropna().astype(int))
    return pd.DataFrame(
        [
            {
                "batch": number,
                "received_at": str(batch.received_at)[:19],
                "source_id": batch.source_id.partition(":")[0] if number in homes else batch.source_id,
                "contributor": "" if number in homes else batch.contributor or "",
                "rows_in": batch.rows_in,
                "readings": batch.rows,
                "quarantined": batch.quarantined,
            }
            for number, batch in ((number, known[number]) for number in numbers)
        ],
        columns=["batch", "received_at", "source_id", "contributor", "rows_in", "readings", "quarantined"],
    )


# ---- its trends ----------------------------------------------------------------------------------


def trend_sheets(place: Store, shot: Snapshot, *, site: str | None = None) -> list[TrendSheet]:
    """Give the trend of every series of a snapshot, the most urgent first.

    They are not kept: of a kept snapshot too they are computed again, from the ledger at its data version, with
    its moment, its limit and its topic. So a purged batch is gone from them, and a program that reads better may
    find another slope. A series is never of two wells, also where the public knows both by one name.

    Parameters
    ----------
    place : Store
        Whose readings.
    shot : Snapshot
        New or kept.
    site : str, optional
        Only this one, as the public knows it.

    Raises
    ------
    ChoiceError
        If the snapshot has no readings of that site.
    """
    view, now = shot.view, shot.moment
    found = trends.assemble(
        history_for(place, view, shot.standard, now),
        view.observed_property,
        shot.standard,
        shot.topic,
        now,
        version=shot.version,
        detailed=True,
    )
    # Of who and where only: what a table of readings must not tell (a slope) is what this one is for.
    told = found.rows[list(trends.IDENTITY)]
    rows = found.rows.assign(**_hidden_since(place, told, shot.topic, topics().get(view.topic)))
    rows = view.within(rows)
    if site is not None:
        rows = rows[rows["monitoring_location_id"] == site]
        if rows.empty:
            raise ChoiceError(f"This snapshot has no readings of a site {site[:80]!r}.")
    alike = rows.groupby(["monitoring_location_id", "sample_fraction", "depth_m", "strip"], dropna=False)
    number, same = alike.cumcount() + 1, alike["n"].transform("size")
    return [
        TrendSheet(
            row=row,
            limit=found.limit if found.has_limit(index) else None,
            unit=found.unit_text,
            until=found.until,
            draw=partial(_drawn, found, index, row, shot.topic),
            fan_share=trends.FAN,
            number=int(number[index]),
            same=int(same[index]),
        )
        for index, row in zip(rows.index.tolist(), rows.to_dict("records"), strict=True)
    ]


def _drawn(found: trends.Trends, index: int, row: Mapping[str, Any], topic: Topic) -> Drawn:
    """Draw one series; how a source wrote its readings stays behind, as it may name somebody."""
    readings, lines = found.of(index), found.lines(index)
    return Drawn(
        readings[["time", "value", "censoring", "procedure", "doubtful", "verified"]],
        lines.band,
        lines.fan,
        lines.eye,
        lines.ends,
        lines.bent,
        _origins(readings, row, topic),
    )


def _origins(readings: pd.DataFrame, row: Mapping[str, Any], topic: Topic) -> tuple[Origin, ...]:
    """Say where the readings of one series come from, by the rule of its site."""
    place = {name: row[name] for name in trends.IDENTITY if name not in trends.CREDITS}
    told = privacy.public(readings[list(trends.CREDITS)].drop_duplicates().assign(**place), topic)
    names = told[["source_id", "attribution", "licence"]].astype("object")
    names = names.where(names.notna(), "").drop_duplicates()
    return tuple(Origin(str(o[0]), str(o[1]), str(o[2]), 1) for o in names.itertuples(index=False))


# ---- what became of it --------------------------------------------------------------------------


def changed_since(place: Store, view: View, snapshot: str, erased: int = 0) -> Changed:
    """Compare the readings of a pinned view with what the store says of them now.

    Returns
    -------
    Changed
        Numbers of readings; *erased* is the number of sites that a purge took out of the snapshot itself.
    """
    return _changed(place, view, snapshot, erased, place.version())


@lru_cache(maxsize=256)
def _changed(place: Store, view: View, snapshot: str, erased: int, version: int) -> Changed:
    if view.as_of is None or version <= view.as_of:
        return Changed(erased=erased, version=version)
    then, now = _stand(place, view), _stand(place, view.but(as_of=None))
    both = then.join(now["said"].rename("said_now"), how="left")
    gone = both["said_now"].isna()
    # What is not valid any more though its batch still counts was rejected by a reviewer.
    counting = {str(b.batch) for b in place.book().batches.values() if b.state in COUNTING[view.review]}
    rejected = gone & both["batch_id"].isin(counting)
    return Changed(
        withdrawn=int((gone & ~rejected).sum()),
        corrected=int((~gone & both["said"].ne(both["said_now"])).sum()),
        rejected=int(rejected.sum()),
        erased=erased,
        newer=int((~now.index.isin(then.index)).sum()),
        version=version,
    )


def _stand(place: Store, view: View) -> pd.DataFrame:
    """Say of every valid reading of a view what it says, and in which batch, by its id."""
    names = ["observation_id", "result_text", "unit", "censoring", "batch_id"]
    where = ["monitoring_location_id", "monitoring_location_type", "position_rule", "longitude", "latitude"]
    names += where if view.bbox else []
    with place.batches_reader(
        observed_property=view.observed_property, **view.scope(view.clock(pd.Timestamp.now("UTC")))
    ) as reader:
        schema = pyarrow.schema([reader.schema.field(name) for name in names])
        found = pyarrow.Table.from_batches([part.select(names) for part in reader], schema).to_pandas()
    if view.bbox:  # asked of blurred places, as everywhere
        found = found[view.inside(privacy.public(found, view.chosen_topic)).to_numpy()]
    told = found["result_text"].fillna("") + "\t" + found["unit"].fillna("") + "\t" + found["censoring"]
    said = pd.DataFrame({"id": found["observation_id"], "said": told, "batch_id": found["batch_id"]})
    return said.drop_duplicates("id", keep="last").set_index("id")
