"""What is asked of a collection, read from an address and checked: names that do not exist are told.

What surprised us: the server library leaves out parameters that it does not know without a word, and a filter
that is misspelt would then answer everything. OGC API - Features, section 7.6, wants 400, and so do we.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field

import pandas as pd

from routes.ogc import fields
from situation.errors import ChoiceError, CommonsightError
from situation.topic import Topic
from situation.view import View

#: Parameters of every address below ``/ogc``.
EVERYWHERE = ("f", "lang")
#: Parameters of ``items`` that the standard or the server library knows, and those of the data version.
OF_ITEMS = ("limit", "offset", "bbox", "bbox-crs", "crs", "datetime", "properties", "skipGeometry", "resulttype",
            "as_of")  # fmt: skip
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"

#: How many items a page has at most, and if nobody says.
MOST, USUAL = 10_000, 1_000

_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[ +-]\d\d:?\d\d)?)?", re.IGNORECASE)


class Refused(CommonsightError):
    """The server library's own no: a status code, a short code and a sentence."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.code, self.sentence = status, code, sentence


@dataclass(frozen=True)
class Question:
    """What is asked of one collection of one topic.

    Attributes
    ----------
    kind : str
        ``sites``, ``readings`` or ``statuses``.
    topic : Topic
        As it is shown now.
    view : View
        Property, standard, data version and moment; for ``statuses`` all of it counts.
    observed_property : str or None
        The one property that is asked for; None is every one.
    version : int
        Data version that is answered from.
    now : Timestamp
        UTC.
    equal : mapping
        Field to the text that it must have.
    """

    kind: fields.Kind
    topic: Topic
    view: View
    observed_property: str | None
    version: int
    now: pd.Timestamp
    equal: Mapping[str, str] = field(default_factory=dict)


#: The question that the server library is being asked just now, for the provider that it calls.
ASKED: ContextVar[Question] = ContextVar("asked")


def check_names(given: Collection[str], known: Collection[str]) -> None:
    """Refuse parameters that an address does not know.

    Raises
    ------
    ChoiceError
        With those that it does.
    """
    strange = [name for name in given if name not in known]
    if strange:
        raise ChoiceError(f"No parameter {strange[0][:60]!r} here; there is {', '.join(sorted(known))}.")


def read(
    kind: fields.Kind, topic: Topic, params: Mapping[str, str], version: int, now: pd.Timestamp
) -> Question:
    """Read the parameters of ``items``.

    Raises
    ------
    ChoiceError
        If a name or value does not exist, with those that do.
    """
    known = {"property": params.get("observed_property", "")}
    known |= {name: params[name] for name in ("standard", "as_of", "at", "period") if name in params}
    view = View.from_params({"topic": topic.key} | known, strict=True)
    if view.as_of is not None and view.as_of > version:
        raise ChoiceError(f"There is no data version {view.as_of}; the newest is {version}.")
    equal = {name: params[name] for name in fields.QUERYABLE[kind] if name in params}
    for name, value in equal.items():
        words = fields.words_of(name)
        if words and value not in words:
            raise ChoiceError(f"{name} is {value[:60]!r}; it takes {', '.join(words)}.")
    return Question(
        kind=kind,
        topic=topic,
        view=view,
        observed_property=view.observed_property if "observed_property" in params else None,
        version=version if view.as_of is None else view.as_of,
        now=now,
        equal={name: value for name, value in equal.items() if name not in ("observed_property", "standard")},
    )


def parameters_of(kind: fields.Kind) -> tuple[str, ...]:
    """List the parameters of the items of a kind of collection."""
    more = ("at", "period") if kind == "statuses" else ()
    return (*OF_ITEMS, *more, *fields.QUERYABLE[kind])


def interval(text: str | None) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    """Read ``datetime``: a moment, a day, or an interval with ``..`` for an open end.

    Returns
    -------
    since, until : Timestamp or None
        UTC; *since* is included, *until* is not. None is open.

    Raises
    ------
    ChoiceError
        If it is none of these.

    >>> interval("2024-05-01/..")
    (Timestamp('2024-05-01 00:00:00+0000', tz='UTC'), None)
    """
    if not text:
        return None, None
    first, slash, last = text.partition("/")
    since, until = _moment(first, text), _moment(last if slash else first, text)
    if until is not None:
        whole_day = len(last if slash else first) == 10
        until += pd.Timedelta(days=1) if whole_day else pd.Timedelta(microseconds=1)
    if since is not None and until is not None and since >= until:
        raise ChoiceError(f"datetime is {text[:80]!r}; it ends before it begins.")
    return since, until


def _moment(said: str, whole: str) -> pd.Timestamp | None:
    if said in ("", ".."):
        return None
    try:
        if not _TIME.fullmatch(said):
            raise ValueError(said)
        # A plus sign arrives from an address as a space.
        moment = pd.Timestamp(said.upper().replace(" ", "+"))
        return moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
    except ValueError as wrong:
        raise ChoiceError(
            f"datetime is {whole[:80]!r}; it takes a moment like 2024-05-01T12:00:00Z, a day, or two of them "
            "with / between and .. for an open end."
        ) from wrong
