"""The only cache of the pages: what is asked of the store, by data version and choice.

The pictures themselves are kept one floor down (``layers/picture.py``), where what the app answers over
HTTP shares them. Here is kept what only pages need. ``st.cache_data`` hands out copies, so no visitor
can change what another sees.
"""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import streamlit as st

import publish
import store
from layers import areas, frozen, said
from layers import picture as pictures
from layers import site as sites
from layers import trends as found
from layers.changes import between
from layers.picture import Picture
from layers.subject import is_simulated
from layers.trends import Trends
from situation.headline import Changes
from situation.paragraph import Paragraph
from situation.settings import settings
from situation.snapshot import Snapshot, surface_as_record
from situation.topic import topics
from situation.trend_sheet import TrendSheet
from situation.view import View
from ui import demonstration

#: How long a frozen view may stand in for one made now, seconds: standards are files that people edit.
_FRESH_S = 300


def now() -> pd.Timestamp:
    """Give the moment against which ages are counted, UTC."""
    return pd.Timestamp.now("UTC")


def get_ready(wait: str) -> None:
    """Wait for the demonstration if it is still being made; *wait* says so meanwhile."""
    if demonstration.is_missing():
        with st.spinner(wait):
            demonstration.ensure()


def picture(view: View) -> Picture:
    """Give the sites of a view with their status (shared between visitors; do not change it)."""
    return pictures.picture(view)


def simulated() -> bool:
    """Say whether what is shown was made up for the demonstration."""
    return is_simulated()


def version() -> int:
    """Give the data version of the store that is shown."""
    return int(store.shared(settings().active_store_url).version())


def changes(before: View, after: View) -> Changes:
    """Give what is different between two views."""
    moment = now()
    found: Changes = _changes(pictures.key_of(before, moment), pictures.key_of(after, moment), before, after)
    return found


@st.cache_data(max_entries=32, show_spinner=False, hash_funcs={View: lambda _: 0})
def _changes(old: tuple[Any, ...], new: tuple[Any, ...], before: View, after: View) -> Changes:
    return between(before, after, now())


def paragraph(view: View, language: str) -> Paragraph:
    """Give what a view says in words."""
    return said.paragraph_of(view, now(), language)


def regions(view: View) -> areas.Regions:
    """Give the shares by area of a view (shared between visitors; do not change it)."""
    return areas.regions(view, now())


def region_changes(before: View, after: View) -> pd.DataFrame:
    """Give what is different in each area between two views."""
    moment = now()
    keys = areas.key_of(before, moment), areas.key_of(after, moment)
    found: pd.DataFrame = _region_changes(*keys, before, after)
    return found


@st.cache_data(max_entries=32, show_spinner=False, hash_funcs={View: lambda _: 0})
def _region_changes(old: tuple[Any, ...], new: tuple[Any, ...], before: View, after: View) -> pd.DataFrame:
    return areas.changed(before, after, now())


def site(view: View) -> sites.Sheet | None:
    """Give everything known of the site that the view names, or None."""
    if view.site is None:
        return None
    kept: sites.Sheet | None = _site(pictures.key_of(view, now()), view.site, view)
    return kept


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs={View: lambda _: 0})
def _site(key: tuple[Any, ...], site: str, view: View) -> sites.Sheet | None:
    return sites.sheet(view, now())


def trends(view: View, wait: str) -> Trends:
    """Give the trends of a view (shared between visitors; do not change them); *wait* is said meanwhile."""
    moment = now()
    if found.is_ready(view, moment):
        return found.table(view, moment)
    with st.spinner(wait):
        return found.table(view, moment)


def site_trends(view: View, observed_property: str | None = None) -> Trends | None:
    """Give the trends and readings of the site that the view names, or None; of its property, or another."""
    if view.site is None:
        return None
    wanted = view.but(observed_property=observed_property or view.observed_property)
    kept: Trends | None = _site_trends(pictures.key_of(wanted, now()), view.site, wanted)
    return kept


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs={View: lambda _: 0})
def _site_trends(key: tuple[Any, ...], site: str, view: View) -> Trends | None:
    return found.one(view, now())


def snapshot(view: View, language: str, title: str, surface: str = "") -> Snapshot:
    """Give a snapshot of a view that is not kept (shared between visitors; do not change it)."""
    key = (*pictures.key_of(view, now()), view.bbox, settings().base_url, _rules())
    made: Snapshot = _snapshot(key, view, language, title, surface)
    return made


@st.cache_resource(max_entries=64, ttl=_FRESH_S, show_spinner=False, hash_funcs={View: lambda _: 0})
def _snapshot(key: tuple[Any, ...], view: View, language: str, title: str, surface: str) -> Snapshot:
    place = store.shared(key[0])
    return frozen.freeze(place, view, now(), language=language, title=title, surface=surface)


def kept_snapshot(snapshot: str, language: str | None = None) -> Snapshot:
    """Give a kept snapshot, in its own language or another (shared between visitors; do not change it).

    Raises
    ------
    NoSuchSnapshot
        If there is none of that id, or it was taken away.
    """
    key = (settings().active_store_url, version(), settings().base_url, _rules())
    made: Snapshot = _kept(key, snapshot, language)
    return made


def _rules() -> str:
    """Say what the topics' files say now: an edited one makes no new data version, and may hide a place."""
    return repr(topics())


@st.cache_resource(max_entries=64, ttl=_FRESH_S, show_spinner=False)
def _kept(key: tuple[Any, ...], snapshot: str, language: str | None) -> Snapshot:
    return frozen.reopen(store.shared(key[0]), snapshot, language=language)


def keep(shot: Snapshot, who: str) -> str:
    """Keep a snapshot for good; gives its id."""
    kept = frozen.keep(store.shared(settings().active_store_url), shot, now(), who=who)
    return str(kept.id)


def published() -> list[dict[str, Any]]:
    """List the records of the kept snapshots, newest first."""
    return store.shared(settings().active_store_url).published()


def drawing(shot: Snapshot, size: str, look: str) -> bytes:
    """Give the picture of a snapshot as PNG."""
    png: bytes = _drawing(_key_of(shot), size, look, shot)
    return png


def _key_of(shot: Snapshot) -> tuple[Any, ...]:
    """Everything that a snapshot's picture depends on; what it was counted from, by a sum of its sites."""
    names = [
        "monitoring_location_id",
        "monitoring_location_name",
        "longitude",
        "latitude",
        "status",
        "freshness",
    ]
    return (
        settings().active_store_url,
        shot.id,
        tuple(shot.view.to_params().items()),
        (shot.title, shot.language, shot.base_url, shot.simulated, shot.said.text),
        repr((shot.topic, shot.limit, surface_as_record(shot.surface))),
        int(pd.util.hash_pandas_object(shot.sites[names], index=False).sum()),
        astuple(shot.changed),
    )


@st.cache_data(max_entries=96, show_spinner=False, hash_funcs={Snapshot: lambda _: 0})
def _drawing(key: tuple[Any, ...], size: str, look: str, shot: Snapshot) -> bytes:
    return publish.made(shot, "png", publish.Options(size=size, look=look))


def trend_sheets(shot: Snapshot) -> list[TrendSheet]:
    """Give the trend of every series of a snapshot (shared between visitors; do not change them)."""
    sheets: list[TrendSheet] = _sheets(_key_of(shot), shot)
    return sheets


@st.cache_resource(max_entries=16, ttl=_FRESH_S, show_spinner=False, hash_funcs={Snapshot: lambda _: 0})
def _sheets(key: tuple[Any, ...], shot: Snapshot) -> list[TrendSheet]:
    return frozen.trend_sheets(store.shared(key[0]), shot)


def trend_drawing(shot: Snapshot, site: str | None, ending: str, size: str, look: str) -> bytes:
    """Give the picture of one site's trends, or of every site's."""
    drawn: bytes = _trend_drawing(_key_of(shot), site, ending, size, look, shot)
    return drawn


@st.cache_data(max_entries=32, show_spinner=False, hash_funcs={Snapshot: lambda _: 0})
def _trend_drawing(
    key: tuple[Any, ...], site: str | None, ending: str, size: str, look: str, shot: Snapshot
) -> bytes:
    from publish import trend_sheet  # matplotlib takes a second to import: only for whoever draws

    sheets = of_site(trend_sheets(shot), site)
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"trends.{ending}"
        trend_sheet.write(shot, sheets, path, publish.Options(size=size, look=look))
        return path.read_bytes()


def of_site(sheets: list[TrendSheet], site: str | None) -> list[TrendSheet]:
    """Give the sheets of one site; all without one."""
    return [sheet for sheet in sheets if site in (None, sheet.row["monitoring_location_id"])]
