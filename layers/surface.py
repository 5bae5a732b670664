"""The estimated concentration between the sites; beside it what both surfaces are made from.

A surface is fitted once per data version and choice (``situation/surface.py``) and then asked for whatever part
of it somebody looks at. Only places that passed :func:`situation.privacy.public` enter it: a hidden well stands
at the middle of its square, so nothing about the surface tells more than the square does. That it belongs to
a group of depths is decided before its depth is cut.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import store
from layers import Layer, Sign
from layers import picture as pictures
from layers.newest import readings_for
from situation import privacy
from situation.errors import NoSurface
from situation.properties import PROPERTIES
from situation.settings import settings
from situation.snapshot import Surface
from situation.standard import standards
from situation.status import assess
from situation.surface import Field, Group, choose, estimate, probability
from situation.view import View

KINDS = ("estimate", "probability")

#: After ColorBrewer's YlOrBr: light to dark, so that a grey print and a colour-blind eye read it too.
COLOURS = ("#fff0a8", "#fed976", "#feb24c", "#f07d1a", "#b8450a", "#5a1e05")
#: ColorBrewer's BuPu: light to dark, and unlike the colours of the estimate.
PROBABILITY = ("#d4e4f0", "#a8c4de", "#8c96c6", "#8c6bb1", "#88419d", "#4d004b")
_FINE = 700  # screen pixels that the width of a snapshot's box counts for
_WORDS = ("least", "little", "some", "more", "much", "most")  # an answer brings numbers and unit instead

LAYER = Layer(
    key="surface",
    title="Estimated concentration",
    paint="code",
    signs=tuple(Sign(word, colour, "patch") for word, colour in zip(_WORDS, COLOURS, strict=True)),
    params="kind=estimate",
    order=40,
    kind="grid",
    source="surface",
)


@dataclass(frozen=True)
class Made:
    """A field, or the sentence why there is none; and the public tables of sites behind it.

    ``strips`` are sites of the same kind that only test strips have seen; they did not enter.
    """

    field: Field | None
    refused: str
    sites: pd.DataFrame
    strips: pd.DataFrame


#: The public sites of a group and of strips, and what the group is.
Found = tuple[pd.DataFrame, pd.DataFrame, Group]

_KEEP = 12
_kept: OrderedDict[tuple[Any, ...], Made] = OrderedDict()
_found: OrderedDict[tuple[Any, ...], Found] = OrderedDict()  # both kinds are made from the same sites
_turn = threading.Lock()  # one maker at a time: a surface may take a second and some hundred megabytes


def made(view: View, kind: str, now: pd.Timestamp | None = None) -> Made:
    """Fit the field of a view, or say why there is none; kept by data version and choice.

    Parameters
    ----------
    view : View
        The choice; whoever calls has checked that it may be seen.
    kind : {"estimate", "probability"}
        Median concentration, or chance of being above the limit.
    now : Timestamp, optional
        UTC; chooses which readings are too old.
    """
    moment = now if now is not None else pd.Timestamp.now("UTC")
    key = (kind, *pictures.key_of(view, moment))
    with _turn:
        if key not in _kept:
            _kept[key] = _make(view, kind, moment)
            while len(_kept) > _KEEP:
                _kept.popitem(last=False)
        _kept.move_to_end(key)
        return _kept[key]


def forget() -> None:
    """Drop every kept field (tests)."""
    with _turn:
        _kept.clear()
        _found.clear()


def _make(view: View, kind: str, now: pd.Timestamp, place: store.Store | None = None) -> Made:
    topic = view.chosen_topic
    sites = strips = pd.DataFrame()
    try:
        sites, strips, group = _sites(view, now) if place is None else _look(view, now, place)
        hidden = sites["position_rule"].map({"blurred": topic.grid_m, "area": topic.area_m}).max()
        grid = 0.0 if pd.isna(hidden) else float(hidden)
        if kind == "probability":
            return Made(probability(sites, group=group, grid_m=grid), "", sites, strips)
        day = view.moment(now).date()
        standard = standards().get(view.standard)
        limit = standard.limit(view.observed_property, day) if standard else None
        return Made(estimate(sites, limit, group=group, grid_m=grid), "", sites, strips)
    except NoSurface as why:
        return Made(None, str(why), sites, strips)


def _sites(view: View, now: pd.Timestamp) -> Found:
    key = pictures.key_of(view, now)
    if key not in _found:
        _found[key] = _look(view, now, store.shared(settings().active_store_url))
        while len(_found) > 2:
            _found.popitem(last=False)
    return _found[key]


def _look(view: View, now: pd.Timestamp, place: store.Store) -> Found:
    """Assess the sites of one medium, fraction and depth, and hide what must be hidden."""
    topic, standard, moment = view.chosen_topic, standards().get(view.standard), view.moment(now)
    latest = readings_for(place, view, standard, now)
    if latest.empty:
        raise NoSurface("There is no reading here from which a surface could be made.")
    rows, strips, group = choose(latest)
    tables = (
        privacy.public(assess(part, standard, view.observed_property, topic=topic, now=moment), topic)
        for part in (rows, strips)
    )
    return next(tables), next(tables), group


_BEYOND = {"outside range": "outside the range", "below": "below the limit", "detected": "detected"}


def _heading(view: View, field: Field, now: pd.Timestamp) -> str:
    """Say what is drawn: of pH no concentration, and of oxygen it is the low that is bad."""
    if field.kind == "estimate":
        return "Estimated concentration" if field.log else "Estimated value"
    standard = standards().get(view.standard)
    limit = standard.limit(view.observed_property, view.moment(now).date()) if standard else None
    return f"Chance of being {_BEYOND.get(limit.comparison if limit else '', 'above the limit')}"


def drawn(place: store.Store, view: View, kind: str, box: pictures.Box, now: pd.Timestamp) -> Surface:
    """Draw a surface once, as it leaves with a snapshot: as fine as a picture of its box can show.

    Parameters
    ----------
    place : Store
        Whose readings.
    view, kind, now
        As for :func:`made`.
    box : (west, south, east, north)
        Degrees, WGS 84.
    """
    found = _make(view, kind, now, place)
    if found.field is None:
        return Surface(kind, refused=found.refused)
    cut = (max(box[0], -180.0), box[1], min(box[2], 180.0), box[3])
    zoom = min(20, max(0, math.ceil(math.log2(_FINE * 360 / 256 / max(cut[2] - cut[0], 1e-6)))))
    parts = found.field.draw(cut, zoom)
    colours = COLOURS if kind == "estimate" else PROBABILITY
    codes = np.array(parts["codes"], "int8").reshape(parts["height"], parts["width"])
    return Surface(
        kind=kind,
        heading=_heading(view, found.field, now),
        note=found.field.note,
        labels=tuple(found.field.labels),
        colours=colours[: len(found.field.labels)],
        bounds=tuple(parts["bounds"] or cut),
        codes=codes,
    )


def answer(view: View, kind: str, box: pictures.Box, zoom: int, now: pd.Timestamp) -> dict[str, Any]:
    """Answer one part of a surface for ``layers/live.js`` (a ``grid``)."""
    found = made(view, kind, now)
    about = {
        "title": PROPERTIES[view.observed_property].title,
        "version": store.shared(settings().active_store_url).version(),
    }
    if found.field is None:
        return about | {"refused": found.refused}
    with _turn:
        drawn = found.field.draw(box, zoom)
    words = {
        "heading": _heading(view, found.field, now),
        "labels": found.field.labels,
        "note": found.field.note,
        "more": found.field.more,
    }
    return about | drawn | words
