"""What the map shows for one choice: every site with its status, places blurred where they must be.

The picture is made once per data version and choice and shared by the page and by what the app
answers over HTTP, because a million sites should be assessed once and not once per visitor. What
comes out has passed :func:`situation.privacy.public`; nothing else leaves the process.

Places are also kept as fractions of the Web-Mercator square (``x`` from the west edge, ``y`` from
the north edge, 0 to 1, times 2**26), so that a cell of the map is ``floor(x * K), floor(y * K)`` with
``K = 2**zoom * 16``: 16 screen pixels wide at every zoom, and a shift of whole numbers.

What surprised us: a million rows are filtered and counted by numpy in some 30 ms, so there is no
spatial index to keep right; and squares whose *mean* is drawn look like columns of a bar chart, so
the cell shows its worst status and how many sites it stands for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

import store
from layers.exceedances import ABOVE
from layers.newest import readings_for
from layers.recency import SIGNS as AGES
from layers.recency import age_codes
from layers.shelf import Shelf
from layers.status import CODES
from layers.subject import is_simulated
from situation import privacy
from situation.properties import PROPERTIES
from situation.result import words
from situation.settings import settings
from situation.standard import standards
from situation.status import LABELLED, assess, label
from situation.topic import Topic
from situation.unit import codes
from situation.view import View

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int8]
Wholes = npt.NDArray[np.int32]
Box = tuple[float, float, float, float]

#: Most marks in one answer, whatever the number of sites.
MOST = 2000
_FINEST = 26  # places are kept as whole numbers of 2**26 to the world: 0.6 m at the equator
_GRID = 20 * MOST  # cells that are counted before they are added up to fewer
_METRES = 111_320.0  # in a degree of latitude, as the grid of privacy.public() counts them
_RIM = 0.01  # degrees around the sites, about a kilometre
_EDGE = 85.0511287798066  # latitude at which the Web-Mercator square ends
_KEEP_ROWS = 4_000_000


@dataclass(frozen=True)
class Picture:
    """Every site of one choice, as arrays for the map and as a table for people.

    Attributes
    ----------
    version : int
        Data version of the store that it was made from.
    sites : DataFrame
        One row per site, columns of :func:`situation.status.assess`, after ``public()``; WGS 84.
    x, y : arrays of int32
        Web-Mercator fractions times 2**26, by row of *sites*; -1 for a site without a place.
    status, recency : arrays of int8
        Codes into the signs of the layers, by row of *sites*; 0 is the worst, or the newest.
    kind : array of int8
        Status and recency in one code, for counting both at once.
    stale : array of bool
        Whether the newest reading is older than the topic allows.
    order : array of int
        Rows of *sites*, the worst first.
    marks : array of int
        Rows of *sites* that are drawn when near: each exact site, and one for each area; the worst first.
    weight : array of int
        How many sites each mark stands for.
    """

    version: int
    topic: Topic
    title: str
    sites: pd.DataFrame
    x: Wholes
    y: Wholes
    status: Codes
    recency: Codes
    kind: Codes
    stale: npt.NDArray[np.bool_]
    order: npt.NDArray[np.intp]
    marks: npt.NDArray[np.intp]
    weight: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.sites)

    def worst(self, most: int) -> pd.DataFrame:
        """Give at most so many sites, the worst first."""
        return self.sites.iloc[self.order[:most]].reset_index(drop=True)

    @property
    def area(self) -> Box:
        """Where the map looks first: the topic's area, or around the sites if it names none."""
        if not self.topic.whole_world or self.sites.empty:
            return self.topic.area
        lon, lat = self.sites["longitude"], self.sites["latitude"]
        rim = max(_RIM, 0.05 * (lon.max() - lon.min()), 0.05 * (lat.max() - lat.min()))
        west, south = max(-180.0, lon.min() - rim), max(-_EDGE, lat.min() - rim)
        return west, south, min(180.0, lon.max() + rim), min(_EDGE, lat.max() + rim)


def mercator(longitude: Floats, latitude: Floats) -> tuple[Floats, Floats]:
    """Turn degrees (WGS 84) into fractions of the Web-Mercator square.

    Examples
    --------
    >>> x, y = mercator(np.array([0.0, 180.0]), np.array([0.0, 66.51326]))
    >>> x.tolist(), y.round(6).tolist()
    ([0.5, 1.0], [0.5, 0.25])
    """
    sine = np.sin(np.radians(np.clip(latitude, -_EDGE, _EDGE)))
    return longitude / 360 + 0.5, 0.5 - np.log((1 + sine) / (1 - sine)) / (4 * np.pi)


def draw(table: pd.DataFrame, topic: Topic, title: str, version: int, now: pd.Timestamp) -> Picture:
    """Bring assessed, public sites into the form that the map is answered from.

    Parameters
    ----------
    table : DataFrame
        One row per site, as :func:`situation.status.assess` and then ``public()`` give it.
    """
    places = mercator(table["longitude"].to_numpy("float64"), table["latitude"].to_numpy("float64"))
    x, y = (np.where(np.isnan(part), -1, part * 2**_FINEST).astype("int32") for part in places)
    recency = age_codes(table["phenomenon_time"], now)
    status = _codes_of(table["status"])
    # The worst first: what a visitor reads first. The table itself stays as it is: moving a million
    # rows of text takes longer than everything else.
    order = np.argsort(status, kind="stable")
    marks, weight = _marks(table, order)
    return Picture(
        version=version,
        topic=topic,
        title=title,
        sites=table,
        x=x,
        y=y,
        status=status,
        recency=recency,
        kind=(status * len(AGES) + recency).astype("int8"),
        stale=table["freshness"].eq("stale").to_numpy("bool"),
        order=order,
        marks=marks,
        weight=weight,
    )


def _codes_of(status: pd.Series) -> Codes:
    numbers, names = codes(status)
    of_name: Codes = CODES.reindex(names, fill_value=CODES["no limit"]).to_numpy("int8")
    found: Codes = of_name[numbers]
    return found


def _marks(
    sites: pd.DataFrame, order: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    hidden = sites["position_rule"].ne("exact").to_numpy("bool")
    weight = np.where(hidden, 0, 1).astype("int64")
    rows = order[hidden[order]]
    # Blurred sites of one grid cell lie on one point: one mark, shown by the worst, which is first.
    names = sites["monitoring_location_id"].iloc[rows].to_numpy(object).astype(str)
    _, first, n = np.unique(names, return_index=True, return_counts=True)
    weight[rows[first]] = n
    marks = order[weight[order] > 0]
    return marks, weight[marks]


def assessed(view: View, now: pd.Timestamp, place: store.Store | None = None) -> pd.DataFrame:
    """Ask the store for what *view* chose and assess it: exact places, not to be shown as it is.

    Parameters
    ----------
    place : Store, optional
        Asked instead of the one that the app shows.
    """
    standard = standards().get(view.standard)
    readings = readings_for(place or store.shared(settings().active_store_url), view, standard, now)
    return assess(readings, standard, view.observed_property, topic=view.chosen_topic, now=view.moment(now))


def make(view: View, now: pd.Timestamp) -> Picture:
    """Ask the store for what *view* chose, assess it and hide what must be hidden."""
    version = store.shared(settings().active_store_url).version()
    topic = view.chosen_topic.shown(simulated=is_simulated())
    table = privacy.public(assessed(view, now), topic)
    return draw(table, topic, PROPERTIES[view.observed_property].title, version, view.moment(now))


_shelf: Shelf[Picture] = Shelf(most=64, most_rows=_KEEP_ROWS)


def key_of(view: View, now: pd.Timestamp) -> tuple[Any, ...]:
    """Everything that a picture depends on: store, data version, choice, and the day (for ages)."""
    url = settings().active_store_url
    version = store.shared(url).version()
    return (url, version, now.date().isoformat(), *choice_of(view))


def choice_of(view: View) -> tuple[Any, ...]:
    """Those parts of a view that decide which sites there are, and how they stand."""
    return (
        view.topic,
        view.observed_property,
        view.standard,
        view.period,
        view.review,
        view.as_of,
        view.batch,
        view.at,
    )


def picture(view: View, now: pd.Timestamp | None = None) -> Picture:
    """Give the picture of *view*, made anew only when the data or the choice moved.

    A view with a ``batch`` shows a batch that may still be pending: whoever calls has checked the
    token before.
    """
    moment = now if now is not None else pd.Timestamp.now("UTC")
    return _shelf.get(key_of(view, moment), lambda: make(view, moment))


def forget() -> None:
    """Drop every kept picture (tests)."""
    _shelf.clear()


# ---- what one view of the map is answered with ------------------------------------------------


def snap(box: Box, zoom: int) -> Box:
    """Widen a box (degrees) to half tiles of *zoom*, so that visitors' boxes coincide."""
    step = 180 / 2**zoom
    west, south, east, north = box
    return (
        max(-180.0, np.floor(west / step) * step),
        max(-90.0, np.floor(south / (step / 2)) * step / 2),
        min(180.0, np.ceil(east / step) * step),
        min(90.0, np.ceil(north / (step / 2)) * step / 2),
    )


def answer(shown: Picture, box: Box, zoom: int, *, only: str = "all") -> dict[str, Any]:
    """Answer one view: single sites when they are few, cells of counts when they are many.

    Parameters
    ----------
    shown : Picture
        What there is.
    box : (west, south, east, north)
        Degrees, WGS 84.
    zoom : int
        Leaflet's zoom, 0 to 22: chooses the size of the cells.
    only : {"all", "above"}
        ``above`` leaves out every site that is not above the limit.

    Returns
    -------
    dict
        Arrays of equal length, at most :data:`MOST` long; codes index the signs of the layers.
    """
    inside = _inside(shown, box)
    if only == "above":
        inside &= shown.status == ABOVE
    common = {
        "title": shown.title,
        "version": shown.version,
        "total": {
            "status": np.bincount(shown.status[inside], minlength=len(CODES)).tolist(),
            "recency": np.bincount(shown.recency[inside], minlength=len(AGES)).tolist(),
        },
    } | _labels(shown)
    near = inside[shown.marks]
    if np.count_nonzero(near) <= MOST:
        return common | _sites(shown, shown.marks[near], shown.weight[near])
    return common | _cells(shown, inside, zoom)


def _labels(shown: Picture) -> dict[str, Any]:
    """Say what the classes mean where the limit is a range, a least, or what must not be there."""
    told = shown.sites["limit_comparison"].head(1).tolist() if "limit_comparison" in shown.sites else []
    if not told or told[0] not in LABELLED:
        return {}
    return {"labels": {"status": [label(str(status), told[0]) for status in CODES.index]}}


def _inside(shown: Picture, box: Box) -> npt.NDArray[np.bool_]:
    x, y = mercator(np.array([box[0], box[2]]), np.array([box[3], box[1]]))
    (west, east), (north, south) = (x * 2**_FINEST).astype("int64"), (y * 2**_FINEST).astype("int64")
    inside: npt.NDArray[np.bool_] = (
        (shown.x >= west) & (shown.x <= east) & (shown.y >= north) & (shown.y <= south)
    )
    return inside


def _cells(shown: Picture, inside: npt.NDArray[np.bool_], zoom: int) -> dict[str, Any]:
    x, y, kind = (
        (shown.x, shown.y, shown.kind)
        if inside.all()
        else (shown.x[inside], shown.y[inside], shown.kind[inside])
    )
    shift = _FINEST - min(zoom, 20) - 4
    west, east, north, south = int(x.min()), int(x.max()), int(y.min()), int(y.max())
    while ((east >> shift) - (west >> shift) + 1) * ((south >> shift) - (north >> shift) + 1) > _GRID:
        shift += 1
    left, top = west >> shift, north >> shift
    wide, high = (east >> shift) - left + 1, (south >> shift) - top + 1
    place = ((y >> shift) - top) * wide + ((x >> shift) - left)
    kinds = len(CODES) * len(AGES)
    counts = np.bincount(place * kinds + kind, minlength=high * wide * kinds).reshape(high, wide, kinds)
    while np.count_nonzero(counts.any(axis=2)) > MOST:
        counts = _pooled(counts, left % 2, top % 2)
        left, top, shift = left // 2, top // 2, shift + 1
    rows, columns = np.nonzero(counts.any(axis=2))
    by_class = counts[rows, columns].reshape(-1, len(CODES), len(AGES))
    by_status, by_age = by_class.sum(axis=2), by_class.sum(axis=1)
    return {
        "kind": "cells",
        "k": 2 ** (_FINEST - shift),
        "x": (columns + left).tolist(),
        "y": (rows + top).tolist(),
        "n": by_status.sum(axis=1).tolist(),
        "status": np.argmax(by_status > 0, axis=1).tolist(),
        "recency": np.argmax(by_age > 0, axis=1).tolist(),
        "counts": by_status.T.tolist(),
    }


def _pooled(counts: npt.NDArray[np.int64], left: int, top: int) -> npt.NDArray[np.int64]:
    """Add four cells up to one; *left* and *top* are 1 where the grid begins in the middle of one."""
    high, wide, kinds = counts.shape
    edges = ((top, (high + top) % 2), (left, (wide + left) % 2), (0, 0))
    even = np.pad(counts, edges)
    pooled: npt.NDArray[np.int64] = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2, kinds).sum(
        axis=(1, 3)
    )
    return pooled


def _sites(shown: Picture, rows: npt.NDArray[np.intp], weight: npt.NDArray[np.int64]) -> dict[str, Any]:
    near = shown.sites.iloc[rows]
    longitude, latitude = near["longitude"].to_numpy("float64"), near["latitude"].to_numpy("float64")
    return {
        "kind": "sites",
        "lon": longitude.round(5).tolist(),
        "lat": latitude.round(5).tolist(),
        "id": near["monitoring_location_id"].tolist(),
        "name": near["monitoring_location_name"].fillna("").tolist(),
        "result": words(near).tolist(),
        "time": near["phenomenon_time"].dt.strftime("%Y-%m-%d").fillna("").tolist(),
        "status": shown.status[rows].tolist(),
        "recency": shown.recency[rows].tolist(),
        "stale": shown.stale[rows].astype(int).tolist(),
        "n": weight.tolist(),
        "area": _areas(latitude, near["position_rule"].tolist(), shown.topic),
    }


def _areas(latitude: Floats, rules: list[str], topic: Topic) -> list[list[float] | None]:
    """Half width and half height in degrees of the square that a hidden site stands for."""
    widths = {"blurred": topic.grid_m, "area": topic.area_m}
    halves = []
    for place, rule in zip(latitude.tolist(), rules, strict=True):
        high = widths.get(rule, 0.0) / 2 / _METRES
        wide = high / max(math.cos(math.radians(place)), 0.01)
        halves.append([round(wide, 6), round(high, 6)] if high else None)
    return halves
