"""One sentence and four numbers for a picture, and what changed since an earlier one.

Every number here is counted from the table that :func:`situation.status.assess` made, so it equals what the
map and the table beside it show.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from situation.properties import PROPERTIES
from situation.standard import Standard


@dataclass(frozen=True)
class Headline:
    """The four numbers; ``newest`` is UTC or None, and ``unsure`` counts a site once."""

    sites: int
    above: int
    near: int
    below: int
    inconclusive: int
    no_limit: int
    stale: int
    unsure: int
    stale_above: int
    newest: pd.Timestamp | None
    sentence: str


def headline(statuses: pd.DataFrame, standard: Standard | None, observed_property: str) -> Headline:
    """Count a picture and say it in one sentence.

    Parameters
    ----------
    statuses : DataFrame
        From :func:`situation.status.assess`.
    standard : Standard or None
        The one that was used.
    observed_property : str
        Key of the property.

    Returns
    -------
    Headline
    """
    status, stale = statuses["status"], statuses["freshness"].eq("stale")
    counts = status.value_counts()
    newest = statuses["phenomenon_time"].max()
    made = Headline(
        sites=len(statuses),
        above=int(counts.get("above", 0)),
        near=int(counts.get("near", 0)),
        below=int(counts.get("below", 0)),
        inconclusive=int(counts.get("inconclusive", 0)),
        no_limit=int(counts.get("no limit", 0)),
        stale=int(stale.sum()),
        unsure=int((status.eq("inconclusive") | stale).sum()),
        stale_above=int((status.eq("above") & stale).sum()),
        newest=None if pd.isna(newest) else newest,
        sentence="",
    )
    return Headline(**{**vars(made), "sentence": _sentence(made, standard, observed_property)})


def _sentence(made: Headline, standard: Standard | None, observed_property: str) -> str:
    title = PROPERTIES[observed_property].title if observed_property in PROPERTIES else observed_property
    if made.sites == 0:
        return f"There are no readings of {in_sentence(title)} in this view."
    limit = standard.limit(observed_property) if standard else None
    places = _count(made.sites, "site")
    if limit is None or standard is None:
        by = f" in {standard.title}" if standard else ""
        return f"{title} was measured at {places}; no limit for it is set{by}."
    said = f"{title} is above the limit of {limit.text()} ({standard.title}) at "
    if limit.comparison in ("outside range", "below", "detected"):
        said = f"{title} breaks the limit ({limit.text()}, {standard.title}) at "
    parts = [said + f"{made.above} of {places}"]
    unknown = [
        f"{made.inconclusive} cannot be judged" if made.inconclusive else "",
        f"{_count(made.stale, 'newest reading')} {'is' if made.stale == 1 else 'are'} old"
        if made.stale
        else "",
    ]
    rest = " and ".join(word for word in unknown if word)
    mark = "" if limit.verified else " This limit has not been checked against a second text."
    return "; ".join([*parts, rest] if rest else parts) + "." + mark


def in_sentence(title: str) -> str:
    """Write the title of a property as it stands inside a sentence.

    >>> in_sentence("Nitrate"), in_sentence("pH"), in_sentence("Escherichia coli")
    ('nitrate', 'pH', 'Escherichia coli')
    """
    keeps = len(title) < 2 or title[1].isupper() or title in ("pH",) or title.startswith("Escherichia")
    return title if keeps else title[0].lower() + title[1:]


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


@dataclass(frozen=True)
class Changes:
    """What changed between two pictures; each a table with the columns of the newer picture."""

    new_above: pd.DataFrame
    back_below: pd.DataFrame
    first_readings: pd.DataFrame
    sentence: str


def changes(old: pd.DataFrame, new: pd.DataFrame) -> Changes:
    """Compare two pictures of the same property and standard.

    Parameters
    ----------
    old, new : DataFrame
        From :func:`situation.status.assess`, of the same topic, property and standard.

    Returns
    -------
    Changes
        Sites newly above (also those first read and above), sites that were above and are now known to be
        near or below, and sites first read. A site whose newest reading is inconclusive has not come back.
    """
    before = old.drop_duplicates("monitoring_location_id").set_index("monitoring_location_id")["status"]
    was = new["monitoring_location_id"].map(before)
    new_above = new[new["status"].eq("above") & ~was.eq("above")]
    back = new[new["status"].isin(["near", "below"]) & was.eq("above")]
    first = new[was.isna()]
    counts = (len(new_above), len(back), len(first))
    words = ("newly above the limit", "back below it", "read for the first time")
    said = [f"{_count(number, 'site')} {word}" for number, word in zip(counts, words, strict=True) if number]
    return Changes(new_above, back, first, (", ".join(said) + ".") if said else "Nothing has changed.")
