"""One paragraph that says what a view shows, to somebody who does not see it or has no time to look.

It is the map's alternative text, stands above the map, and leads every file that leaves. It says count,
share, interval, limit and standard, period and freshness, and above all what is not known. Every number in
it is in ``numbers``, counted from the same table of sites that stands beside it, and nothing else is said
in figures but what ``quoted`` holds: the limit, the standard's title and days.

What surprised us: the share of *all* sites and the share of the sites that can be judged differ most where
the laboratory was poorest, so the sentence says which it is; and "1 of 1 sites (100 %)" frightens more
than it tells, so a single site is said in words.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from situation.headline import Headline, headline, in_sentence
from situation.messages import message
from situation.properties import PROPERTIES
from situation.region import CONFIDENCE, FEW, percent, wilson
from situation.standard import Limit, Standard


@dataclass(frozen=True)
class Paragraph:
    """What a view says in words, as plain text.

    Attributes
    ----------
    sentences : tuple of str
        The first says it all.
    numbers : dict of str to number
        Every number in the sentences, as said; shares in per cent.
    quoted : tuple of str
        What the sentences quote that may hold digits and is no count: the limit, titles, days.
    """

    sentences: tuple[str, ...]
    numbers: dict[str, float]
    quoted: tuple[str, ...]

    @property
    def text(self) -> str:
        """The whole paragraph."""
        return " ".join(self.sentences)

    @property
    def lead(self) -> str:
        """The first sentence."""
        return self.sentences[0]

    @property
    def rest(self) -> str:
        """Everything after the first sentence."""
        return " ".join(self.sentences[1:])


def paragraph(
    statuses: pd.DataFrame,
    standard: Standard | None,
    observed_property: str,
    *,
    on: date | None = None,
    period: str = "all",
    as_of: int | None = None,
    stale_days: int | None = None,
    pending: Container[str] = (),
    waiting: bool = False,
    language: str = "en",
) -> Paragraph:
    """Say a picture in words.

    Parameters
    ----------
    statuses : DataFrame
        From :func:`situation.status.assess`, one row per site; columns ``longitude`` and
        ``batch_id`` may be missing.
    standard : Standard or None
        The one that was used.
    observed_property : str
        Key of the property.
    on : date, optional
        The day whose limit counts, as :func:`situation.status.assess` was told; today.
    period : str
        As in a view: ``all``, ``5y``, ``2020-01-01/2024-12-31``.
    as_of : int, optional
        The data version that is looked back to.
    stale_days : int, optional
        After how many days a reading is called old; without it the old ones are counted without a number
        of days.
    pending : container of str
        ``batch_id`` of uploads that nobody has accepted yet; sites whose reading comes from one of them
        are counted.
    waiting : bool
        Whether there are such uploads that the view leaves out.
    language : str
        Code of a catalogue; what it lacks is said in English.
    """
    told = _Told(language, headline(statuses))
    title = PROPERTIES[observed_property].title if observed_property in PROPERTIES else observed_property
    told.what = title
    if told.made.sites == 0:
        told.say("empty", what=in_sentence(title))
        if waiting:
            told.say("waiting")
        return told.done()
    limit = standard.limit(observed_property, on) if standard else None
    if limit is None or standard is None:
        told.say("no_limit" if standard else "no_standard", n="sites", what=title, **_title(standard))
    else:
        _judged(told, title, limit)
        told.say("checked" if limit.verified else "unchecked", **_title(standard))
        if limit.kind == "aesthetic":
            told.say("aesthetic")
    _when(told, period, as_of)
    _unknown(told, statuses, stale_days, pending)
    if waiting:
        told.say("waiting")
    return told.done()


def _title(standard: Standard | None) -> dict[str, str]:
    return {"standard": standard.title} if standard else {}


class _Told:
    """The sentences so far, with every number that they hold."""

    def __init__(self, language: str, made: Headline) -> None:
        self.language, self.made, self.what = language, made, ""
        self.sentences: list[str] = []
        self.numbers: dict[str, float] = {"sites": made.sites}
        self.quoted: list[str] = []

    def say(self, key: str, /, **values: Any) -> None:
        """Say one sentence; numbers are given by their names in ``numbers``, texts as they are."""
        self.sentences.append(self.word(key, **values))

    def word(self, key: str, /, **values: Any) -> str:
        filled = {}
        for name, value in values.items():
            if value in self.numbers:
                filled[name] = self._figure(self.numbers[value])
            else:
                filled[name] = str(value)
                self.quoted.append(str(value))
        return message(f"words.{key}", self.language, **filled)

    def count(self, **numbers: float) -> None:
        self.numbers |= numbers

    def _figure(self, number: float) -> str:
        point = message("words.point", self.language)
        if float(number).is_integer():
            return f"{int(number):,}".replace(",", "\u202f")
        return f"{number:g}".replace(".", point)

    def done(self) -> Paragraph:
        texts = tuple(dict.fromkeys([*self.quoted, self.what]))
        return Paragraph(tuple(self.sentences), self.numbers, texts)


def _judged(told: _Told, title: str, limit: Limit) -> None:
    made = told.made
    judged = made.above + made.near + made.below
    told.count(judged=judged, above=made.above, inconclusive=made.inconclusive)
    how = limit.comparison.replace(" ", "_")
    value = limit_words(limit, told.language)
    over, kept = (told.word(f"{word}_{how}", limit=value) for word in ("over", "kept"))
    if judged == 0:
        told.say("none_judged", n="sites", what=title, over=over)
        return
    if judged == 1:
        told.say("one_site", what=title, how=over if made.above else kept)
    else:
        told.count(share_percent=float(percent(made.above / judged)))
        every = "lead" if judged == made.sites else "lead_judged"
        told.say(every, what=title, over=over, above="above", n="judged", share="share_percent")
        low, high = (float(end) for end in wilson(made.above, judged))
        told.count(
            low_percent=float(percent(low)),
            high_percent=float(percent(high)),
            confidence_percent=100 * CONFIDENCE,
        )
        told.say("interval", confidence="confidence_percent", low="low_percent", high="high_percent")
    if judged < FEW:
        told.say("few")
    if made.inconclusive:
        both = judged + made.inconclusive
        told.count(
            least_percent=float(percent(made.above / both)),
            most_percent=float(percent((made.above + made.inconclusive) / both)),
        )
        told.say("inconclusive", n="inconclusive", least="least_percent", most="most_percent")
    if made.no_limit:
        told.count(no_limit=made.no_limit)
        told.say("not_compared", n="no_limit")


def limit_words(limit: Limit, language: str) -> str:
    """Say the numbers of a limit in a language, without the words that are English only."""
    text = limit.text()
    if limit.comparison == "below":
        text = text.removeprefix("at least ")
    if limit.comparison == "outside range" and limit.lower is not None and limit.upper is not None:
        text = text.replace(" to ", f" {message('words.to', language)} ", 1)
    return re.sub(r"(?<=\d)\.(?=\d)", message("words.point", language), text)


def _when(told: _Told, period: str, as_of: int | None) -> None:
    first, _, last = period.partition("/")
    if period == "all":
        told.say("time_all")
    elif "/" not in period:
        told.count(years=int(period.removesuffix("y")))
        told.say("time_years", n="years")
    elif first and last:
        told.say("time_between", first=first, last=last)
    else:
        told.say("time_from" if first else "time_until", day=first or last)
    if told.made.newest is not None:
        told.say("newest", day=told.made.newest.date().isoformat())
    if as_of is not None:
        told.count(as_of=as_of)
        told.say("as_of", version="as_of")


def _unknown(told: _Told, statuses: pd.DataFrame, stale_days: int | None, pending: Container[str]) -> None:
    if told.made.stale:
        told.count(stale=told.made.stale)
        if stale_days is None:
            told.say("stale", n="stale")
        else:
            told.count(stale_days=stale_days)
            told.say("stale_days", n="stale", days="stale_days")
    unplaced = int(statuses["longitude"].isna().sum()) if "longitude" in statuses else 0
    if unplaced:
        told.count(no_place=unplaced)
        told.say("no_place", n="no_place")
    if "batch_id" in statuses:
        batches = statuses["batch_id"].value_counts()
        unaccepted = int(sum(n for batch, n in batches.items() if batch in pending))
        if unaccepted:
            told.count(pending=unaccepted)
            told.say("pending", n="pending")
