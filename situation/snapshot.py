"""A snapshot: one view of one data version at one moment, with everything that a file which leaves may show.

It is made by ``layers/frozen.py``, kept by ``store/snapshots.py`` and drawn by ``publish/``. What stands in it
has passed :func:`situation.privacy.public`; nothing that draws or writes it asks the store again, except for
the readings, which come as they were at that data version.

What surprised us: a standard and a topic are files that a group may edit, and a snapshot of last year must not
change with them. So it carries the limit and the topic's lines that it was made with.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from situation.composite import read_terms, text_of
from situation.headline import Headline, headline
from situation.paragraph import Paragraph
from situation.properties import PROPERTIES, Property
from situation.standard import Limit, Standard
from situation.status import STATUSES, STYLE, label
from situation.topic import Box, Topic
from situation.view import View

Readings = Callable[[], Iterator[pd.DataFrame]]


@dataclass(frozen=True)
class Changed:
    """What became, since a snapshot was made, of the readings in it; numbers of readings.

    Attributes
    ----------
    withdrawn, corrected, rejected, erased : int
        Readings of the snapshot that were taken back, that have another value now, that a reviewer rejected,
        that are gone from every version.
    newer : int
        Readings that came since.
    version : int
        The data version that it was compared with.
    """

    withdrawn: int = 0
    corrected: int = 0
    rejected: int = 0
    erased: int = 0
    newer: int = 0
    version: int = 0

    @property
    def matters(self) -> bool:
        """Whether readings of the snapshot itself do not stand any more as it shows them."""
        return bool(self.withdrawn or self.corrected or self.rejected or self.erased)


@dataclass(frozen=True)
class Origin:
    """One source of what a snapshot shows: who, under which licence, at how many sites."""

    source: str
    attribution: str
    licence: str
    sites: int


@dataclass(frozen=True)
class Surface:
    """What is estimated between the sites, in classes; it is drawn under them.

    Attributes
    ----------
    kind : str
        ``estimate`` (median concentration) or ``probability`` (chance of being above the limit).
    heading, note : str
        What it is, and what to know at once; English.
    labels, colours : tuple of str
        Of the classes, the least first.
    bounds : (west, south, east, north)
        Degrees, WGS 84.
    codes : array of int8 (high, wide)
        Class of each cell, rows from the north, equal steps of Web Mercator; -1 where nothing is known.
    refused : str
        Why there is none, in a sentence; then there are no cells.
    """

    kind: str
    heading: str = ""
    note: str = ""
    labels: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    bounds: Box = (0.0, 0.0, 0.0, 0.0)
    codes: npt.NDArray[np.int8] = field(default_factory=lambda: np.zeros((0, 0), "int8"))
    refused: str = ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Surface) and surface_as_record(self) == surface_as_record(other)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Snapshot:
    """A published, frozen view.

    Attributes
    ----------
    view : View
        Pinned: ``as_of`` and ``at`` are set.
    moment : Timestamp
        UTC; what readings were judged against and ages counted from.
    title : str
        In plain words; written by a person, or made of property and topic.
    topic : Topic
        As it was shown then: title, producer, contact, licence, privacy.
    standard : Standard or None
        With those of its rows only that counted for the property.
    limit : Limit or None
        The one that counted.
    sites : DataFrame
        One row per site inside the box, in a fixed order (worst first, then by id): columns of
        :func:`situation.status.assess` after ``public()``; WGS 84, degrees.
    said : Paragraph
        The picture in words, in *language*.
    box : (west, south, east, north)
        Where a map of it looks, degrees.
    readings : callable
        Gives every reading behind it in pieces: the flat form, after ``public()``, columns of
        ``situation.observation.FLAT_COLUMNS``, in the store's order.
    batches : DataFrame
        One row per batch that it shows readings of: ``batch``, ``received_at``, ``source_id``,
        ``contributor``, ``rows_in``, ``readings``, ``quarantined`` (cells set aside).
    language : str
        Of *said* and *title*; BCP 47.
    simulated : bool
        Whether nothing in it was measured.
    unaccepted : bool
        Whether readings that nobody accepted are in it; such a one is never kept.
    base_url : str or None
        Public address of the installation, without a slash at its end.
    id, who, made_at
        Of a kept one: its short id, who made it (a pseudonym), when (UTC); None before it is kept.
    changed : Changed
        What became of its readings since; of a new one, nothing.
    surface : Surface or None
        What is drawn between the sites; None unless it was asked for.
    """

    view: View
    moment: pd.Timestamp
    title: str
    topic: Topic
    standard: Standard | None
    limit: Limit | None
    sites: pd.DataFrame
    said: Paragraph
    box: Box
    readings: Readings
    batches: pd.DataFrame
    language: str = "en"
    simulated: bool = False
    unaccepted: bool = False
    base_url: str | None = None
    id: str | None = None
    who: str | None = None
    made_at: pd.Timestamp | None = None
    changed: Changed = field(default_factory=Changed)
    surface: Surface | None = None

    @property
    def version(self) -> int:
        """The data version of the ledger that it shows."""
        return int(self.view.as_of or 0)

    @property
    def observed_property(self) -> Property:
        """What was measured."""
        return PROPERTIES[self.view.observed_property]

    @property
    def comparison(self) -> str | None:
        """How the limit is compared, which chooses the words of the classes."""
        return self.limit.comparison if self.limit else None

    @property
    def permalink(self) -> str | None:
        """Its public address; None unless it is kept and the installation has one."""
        return f"{self.base_url}/s/{self.id}" if self.base_url and self.id else None

    @cached_property
    def counts(self) -> Headline:
        """How many sites stand how."""
        return headline(self.sites)

    @cached_property
    def readings_behind(self) -> int:
        """How many readings the sites' series have together."""
        return int(self.sites["n"].sum()) if "n" in self.sites else 0

    @cached_property
    def unverified(self) -> int:
        """How many sites stand on a reading that no reviewer verified one by one."""
        return int(self.sites["review_state"].ne("verified").sum()) if len(self.sites) else 0

    @cached_property
    def hidden(self) -> int:
        """How many sites are not shown at their exact place."""
        return int(self.sites["position_rule"].ne("exact").sum()) if len(self.sites) else 0

    @cached_property
    def by_status(self) -> list[tuple[str, str, int]]:
        """Every status with its words (English, fit for the limit) and its number of sites, the worst first."""
        found = self.sites["status"].value_counts() if len(self.sites) else {}
        order = sorted(STATUSES, key=lambda status: STYLE[status].order)
        return [(status, label(status, self.comparison), int(found.get(status, 0))) for status in order]

    @cached_property
    def origins(self) -> list[Origin]:
        """Where its readings come from, the most sites first."""
        if not len(self.sites):
            return []
        names = ["source_id", "attribution", "licence"]
        told = self.sites[names].astype("object").where(self.sites[names].notna(), "")
        sizes = told.groupby(names, sort=True).size().sort_values(ascending=False, kind="stable")
        return [Origin(str(key[0]), str(key[1]), str(key[2]), int(n)) for key, n in sizes.items()]  # type: ignore[index]

    @property
    def licences(self) -> list[str]:
        """The licences of its readings; ``unknown`` where a source does not say."""
        return list(dict.fromkeys(origin.licence or "unknown" for origin in self.origins))


def surface_as_record(surface: Surface | None) -> dict[str, Any] | None:
    """Write down a surface, as JSON can hold it."""
    if surface is None:
        return None
    said = {item.name: getattr(surface, item.name) for item in fields(surface) if item.name != "codes"}
    cells = base64.b64encode(zlib.compress(surface.codes.astype("int8").tobytes(), 9)).decode()
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in said.items()}
    return plain | {"cells": cells, "shape": list(surface.codes.shape)}


def surface_from_record(said: Mapping[str, Any] | None) -> Surface | None:
    """Read a surface back."""
    if said is None:
        return None
    cells = np.frombuffer(zlib.decompress(base64.b64decode(said["cells"])), "int8").reshape(said["shape"])
    west, south, east, north = said["bounds"]
    return Surface(
        kind=said["kind"],
        heading=said["heading"],
        note=said["note"],
        labels=tuple(said["labels"]),
        colours=tuple(said["colours"]),
        bounds=(west, south, east, north),
        codes=cells,
        refused=said["refused"],
    )


#: What a record keeps of a topic: enough to draw and hide as on the day.
_TOPIC = ("key", "title", "question", "contact", "producer", "licence", "stale_days", "near_share", "grid_m",
          "area_m", "k", "time_zone", "area", "horizon_years")  # fmt: skip


def topic_as_record(topic: Topic) -> dict[str, Any]:
    """Write down what a snapshot needs of its topic, as JSON can hold it."""
    return {name: getattr(topic, name) for name in _TOPIC} | {"privacy": dict(topic.privacy)}


def topic_from_record(said: Mapping[str, Any], properties: tuple[str, ...]) -> Topic:
    """Read a topic back; *properties* are those that it is about."""
    known = {name: said[name] for name in _TOPIC if name in said}
    return Topic(
        **known | {"area": tuple(said["area"]), "privacy": dict(said.get("privacy", {}))},
        properties=properties,
        property=properties[0],
        standards=(),
    )


def limit_as_record(limit: Limit) -> dict[str, Any]:
    """Write down a limit, as JSON can hold it."""
    said = {item.name: getattr(limit, item.name) for item in fields(limit)}
    days = {name: said[name].isoformat() for name in ("valid_from", "valid_to") if said[name]}
    return said | days | {"terms": text_of(limit.terms)}


def limit_from_record(said: Mapping[str, Any]) -> Limit:
    """Read a limit back."""
    known = {item.name for item in fields(Limit)}
    days = {n: date.fromisoformat(said[n]) for n in ("valid_from", "valid_to") if said.get(n)}
    terms = read_terms(said["terms"]) if said.get("terms") else ()
    return Limit(**{k: v for k, v in said.items() if k in known} | days | {"terms": tuple(terms)})
