"""The numbers of a picture, and what changed since an earlier one; ``paragraph`` says them in words.

Every number here is counted from the table that :func:`situation.status.assess` made, so it equals what the
map and the table beside it show.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Headline:
    """How many sites; ``newest`` is UTC or None, and ``unsure`` counts a site once."""

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


def headline(statuses: pd.DataFrame) -> Headline:
    """Count a picture.

    Parameters
    ----------
    statuses : DataFrame
        From :func:`situation.status.assess`.

    Returns
    -------
    Headline
    """
    status, stale = statuses["status"], statuses["freshness"].eq("stale")
    counts = status.value_counts()
    newest = statuses["phenomenon_time"].max()
    return Headline(
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
    )


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
