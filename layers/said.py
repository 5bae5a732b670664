"""What a view says in words: the paragraph above the map, its alternative text, and the lead of exports."""

from __future__ import annotations

from typing import Any

import pandas as pd

import store
from layers import picture as pictures
from situation.messages import known_language
from situation.paragraph import Paragraph, paragraph
from situation.settings import settings
from situation.standard import standards
from situation.view import View


def paragraph_of(
    view: View, now: pd.Timestamp, language: str | None = None, *, boxed: bool = False
) -> Paragraph:
    """Say the picture of a view in words.

    Parameters
    ----------
    view : View
        The choice.
    now : Timestamp
        UTC, for ages.
    language : str, optional
        English if there is no catalogue of that name.
    boxed : bool
        Count only what lies in the view's box, as an export does; the map counts all its sites,
        wherever it looks.
    """
    sites = pictures.picture(view, now).sites
    unaccepted = pending(store.shared(settings().active_store_url), view)
    everything = view.review == "all" or view.batch is not None
    return words_for(
        view,
        view.within(sites) if boxed else sites,
        now,
        pending=unaccepted,
        waiting=bool(unaccepted) and not everything,
        language=known_language(language),
    )


def pending(place: store.Store, view: View) -> set[str]:
    """Give the numbers of the batches of the view's topic that nobody has accepted yet."""
    return {
        str(batch.batch)
        for batch in place.history()
        if batch.state == "pending" and batch.topic == view.topic
    }


def words_for(view: View, sites: pd.DataFrame, now: pd.Timestamp, **more: Any) -> Paragraph:
    """Say sites that were assessed for a view in words.

    Parameters
    ----------
    view, sites, now
        What was assessed, and when.
    **more
        Goes to :func:`situation.paragraph.paragraph`; ``standard`` and ``stale_days`` are those of now unless
        they are given.
    """
    standard = more.pop("standard") if "standard" in more else standards().get(view.standard)
    return paragraph(
        sites,
        standard,
        view.observed_property,
        on=view.moment(now).date(),
        period=view.period,
        as_of=view.as_of,
        **{"stale_days": view.chosen_topic.stale_days} | more,
    )
