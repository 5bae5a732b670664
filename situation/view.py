"""What is chosen on a page, as plain text that travels in the address.

Pages and HTTP answers read it here, so that a link shows everybody the same picture. Only names and
numbers travel, and each is checked against what exists; a page falls back to the first that does, an
HTTP answer or a command says what is wrong (``strict``).

What surprised us: an address is edited by hand, cut off by mail programs and repeated by browsers; each
part is therefore read on its own, and a bad one spoils no other.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd

from situation.errors import ChoiceError
from situation.properties import PROPERTIES, Property
from situation.standard import standard_keys
from situation.topic import Box, Topic, topic_named, topics

REVIEWS = ("accepted", "all")
ONLY = ("all", "above")
PERIODS = ("all", "1y", "5y")
_YEARS = re.compile(r"([1-9]\d?)y")
_MINUTE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}")


@dataclass(frozen=True)
class View:
    """One choice; keys, not objects. The box is west, south, east, north in degrees (EPSG:4326).

    ``as_of`` and ``at`` pin it: readings as the store had them at a data version, ages and periods counted
    from a minute (UTC). A view with both says the same for ever; a snapshot is one.
    """

    topic: str
    observed_property: str
    standard: str
    period: str = "all"
    review: str = "accepted"
    as_of: int | None = None
    bbox: Box | None = None
    zoom: int | None = None
    site: str | None = None
    since: str | None = None
    batch: int | None = None
    token: str | None = None
    only: str = "all"
    areas: str | None = None
    at: str | None = None

    @property
    def chosen_topic(self) -> Topic:
        """The topic itself."""
        return topic_named(self.topic)

    @property
    def chosen_property(self) -> Property:
        """The observed property itself."""
        return PROPERTIES[self.observed_property]

    def clock(self, now: pd.Timestamp) -> pd.Timestamp:
        """Say what counts as now: the moment that the view is pinned to (``at``), else *now*."""
        return now if self.at is None else pd.Timestamp(self.at).tz_convert("UTC")

    def pinned(self, version: int, moment: pd.Timestamp) -> View:
        """Give the same view of one data version and one moment (UTC, cut to the minute): it never changes."""
        at = self.clock(moment).tz_convert("UTC").strftime("%Y-%m-%dT%H:%MZ")
        return self.but(as_of=version if self.as_of is None else self.as_of, at=at)

    def interval(self, now: pd.Timestamp) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
        """Say from when (included) until when (excluded) readings count, UTC; None is open.

        Parameters
        ----------
        now : Timestamp
            UTC; what ``1y`` and ``5y`` count back from.
        """
        now = self.clock(now)
        years = _YEARS.fullmatch(self.period)
        if years:
            return (now - pd.DateOffset(years=int(years[1]))).normalize(), None
        if self.period == "all":
            return None, None
        first, last = self.period.split("/")
        start = pd.Timestamp(first, tz="UTC") if first else None
        end = pd.Timestamp(last, tz="UTC") + pd.Timedelta(days=1) if last else None
        return start, end

    def moment(self, now: pd.Timestamp) -> pd.Timestamp:
        """Say against which moment readings are judged and ages counted: *now*, or the end of the period."""
        until, now = self.interval(now)[1], self.clock(now)
        return now if until is None else min(now, until)

    def scope(self, now: pd.Timestamp) -> dict[str, Any]:
        """Say which batches and times count, as the parameters that the store's questions take."""
        since, until = self.interval(now)
        return {
            "topic": self.topic,
            "review": self.review,
            "as_of": self.as_of,
            "batch": self.batch,
            "since": since,
            "until": until,
        }

    def inside(self, places: pd.DataFrame) -> pd.Series:
        """Say which rows lie in the box: all of them without one, none without a place.

        Parameters
        ----------
        places : DataFrame
            ``longitude``, ``latitude`` in degrees (EPSG:4326), after ``privacy.public()``: asked of exact
            places, a small box would tell where a hidden well is.
        """
        if self.bbox is None:
            return pd.Series(True, index=places.index)
        west, south, east, north = self.bbox
        return places["longitude"].between(west, east) & places["latitude"].between(south, north)

    def within(self, places: pd.DataFrame) -> pd.DataFrame:
        """Give the rows that lie in the box (:meth:`inside`)."""
        return places if self.bbox is None else places[self.inside(places)]

    def file_name(self, ending: str) -> str:
        """Name a file of this view: ``groundwater-nitrate-trends.csv``."""
        return f"{self.topic}-{self.observed_property}-{ending}"

    def but(self, **changes: object) -> View:
        """Give the same view with something else chosen."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def to_params(self) -> dict[str, str]:
        """Say the view as the parameters of an address; what is as usual is left out."""
        usual = View(self.topic, self.observed_property, self.standard)
        said = {"topic": self.topic, "property": self.observed_property, "standard": self.standard}
        for name in (
            "period", "review", "as_of", "at", "bbox", "zoom", "site", "since", "batch", "token", "only", "areas",
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None and value != getattr(usual, name):
                said[name] = ",".join(f"{v:.6g}" for v in value) if name == "bbox" else str(value)
        return said

    @classmethod
    def from_params(cls, params: Mapping[str, str], *, strict: bool = False) -> View:
        """Read a view from the parameters of an address.

        Parameters
        ----------
        params : mapping of str to str
            ``topic``, ``property``, ``standard``, ``period``, ``review``, ``as_of``, ``bbox``, ``zoom``,
            ``site``, ``since``, ``batch``, ``token``, ``only``, ``areas``, ``at``; others are ignored.
        strict : bool
            Raise on what does not exist, instead of taking what comes first.

        Returns
        -------
        View

        Raises
        ------
        ChoiceError
            If *strict*, with what is wrong and what would be right.
        """
        reader = _Reader(params, strict)
        topic = reader.topic()
        observed = reader.choice("property", topic.properties, topic.property, extra=PROPERTIES)
        return cls(
            topic=topic.key,
            observed_property=observed,
            standard=reader.choice("standard", _standards(topic), topic.standard or ""),
            period=reader.period(),
            review=reader.choice("review", REVIEWS, "accepted"),
            as_of=reader.whole("as_of"),
            bbox=reader.box(),
            zoom=reader.whole("zoom", most=24),
            site=reader.text("site"),
            since=reader.day("since"),
            batch=reader.whole("batch"),
            token=reader.matching("token", _TOKEN),
            only=reader.choice("only", ONLY, "all"),
            areas=reader.matching("areas", _TOKEN),
            at=reader.minute("at"),
        )


def _standards(topic: Topic) -> tuple[str, ...]:
    # A user's own standard, dropped in the folder, may be chosen in any topic.
    return topic.standards + tuple(key for key in standard_keys() if key not in topic.standards)


@dataclass(frozen=True)
class _Reader:
    params: Mapping[str, str]
    strict: bool

    def get(self, name: str) -> str:
        return str(self.params.get(name) or "").strip()

    def wrong(self, sentence: str) -> None:
        if self.strict:
            raise ChoiceError(sentence)

    def topic(self) -> Topic:
        said, found = self.get("topic"), topics()
        if said in found:
            return found[said]
        if said and self.strict:
            topic_named(said)
        if not found:
            raise ChoiceError("There is no topic: data/topics has no folder that can be used.")
        return next(iter(found.values()))

    def choice(
        self, name: str, known: tuple[str, ...], usual: str, extra: Mapping[str, object] | None = None
    ) -> str:
        said = self.get(name)
        if said in known or (extra is not None and said in extra):
            return said
        if said:
            self.wrong(f"No {name} {said[:60]!r}; there is {', '.join(known)}.")
        return usual

    def whole(self, name: str, most: int = 10**15) -> int | None:
        said = self.get(name)
        if said.isascii() and said.isdigit() and len(said) < 17 and int(said) <= most:
            return int(said)
        if said:
            self.wrong(f"{name} is {said[:60]!r}; it takes a whole number from 0 to {most}.")
        return None

    def text(self, name: str) -> str | None:
        # The database takes no NUL; nothing that has a name holds one.
        return self.get(name).replace("\0", "")[:500].strip() or None

    def matching(self, name: str, pattern: re.Pattern[str]) -> str | None:
        said = self.get(name)
        if said and not pattern.fullmatch(said):
            self.wrong(f"{name} holds letters, digits, - and _ only.")
            return None
        return said or None

    def period(self) -> str:
        said = self.get("period")
        if not said or said in PERIODS or _YEARS.fullmatch(said):
            return said or "all"
        first, slash, last = said.partition("/")
        days = [_day(part) if part else None for part in (first, last)]
        good = slash and (first or last) and all(d or not p for d, p in zip(days, (first, last), strict=True))
        if good and not (days[0] and days[1] and days[0] > days[1]):
            return said
        self.wrong(f"period is {said[:60]!r}; it takes all, 1y, 5y, or two days like 2020-01-01/2024-12-31.")
        return "all"

    def day(self, name: str) -> str | None:
        said = self.get(name)
        if said and not _day(said):
            self.wrong(f"{name} is {said[:60]!r}; it takes a day like 2026-03-31.")
            return None
        return said or None

    def minute(self, name: str) -> str | None:
        said = self.get(name)
        try:
            # Years that a nanosecond clock can hold; a plus sign arrives from an address as a space.
            good = bool(_MINUTE.fullmatch(said)) and 1900 <= pd.Timestamp(said).year <= 2200
        except ValueError:
            good = False
        if said and not good:
            self.wrong(f"{name} is {said[:60]!r}; it takes a minute in UTC like 2026-03-31T17:05Z.")
        return said if good else None

    def box(self) -> Box | None:
        said = self.get("bbox")
        if not said:
            return None
        try:
            west, south, east, north = (float(part) for part in said.split(","))
        except ValueError:
            west = south = east = north = math.nan
        # A map that is dragged around the world gives longitudes beyond 180; latitudes stay on the globe.
        if -540 <= west < east <= 540 and -90 <= south < north <= 90:
            return west, south, east, north
        self.wrong(
            f"bbox is {said[:80]!r}; it takes west,south,east,north in degrees, e.g. 38.9,-4.7,39.6,-4.1."
        )
        return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
