"""What somebody must know before using a file of a snapshot, in sections: for a README and for a first sheet.

The order is that of a careful reader: what this is, how to cite it, what not to take it for, what the words
mean; only then what the files are and how to open them.
"""

from __future__ import annotations

from dataclasses import dataclass

from publish import citation
from situation.messages import message, translated
from situation.snapshot import Snapshot
from situation.status import FRESHNESS, STATUSES, label
from situation.visible import one_line


@dataclass(frozen=True)
class Section:
    """A heading, its paragraphs, a list of words with what they mean, and a command."""

    head: str
    said: tuple[str, ...] = ()
    words: tuple[tuple[str, str], ...] = ()
    command: str = ""


def say(shot: Snapshot, key: str, **values: object) -> str:
    """Say a sentence about a file in the snapshot's language."""
    return message(f"publish.data.{key}", shot.language, **values)


def sections(shot: Snapshot) -> list[Section]:
    """Give the sections that every file with a text of its own begins with."""
    return [_what(shot), _cite(shot), _again(shot), _use(shot), _words(shot)]


def _what(shot: Snapshot) -> Section:
    what = say(
        shot,
        "what",
        property=shot.observed_property.title,
        version=shot.version,
        minute=citation.minute(shot),
    )
    who, contact = one_line(shot.topic.producer), one_line(shot.topic.contact)
    people = [say(shot, "made_by", who=who)] if who else []
    people += [say(shot, "contact", contact=contact)] if contact else []
    return Section(say(shot, "what_head"), (what, one_line(shot.said.text), *people))


def _cite(shot: Snapshot) -> Section:
    return Section(
        say(shot, "cite_head"), (citation.long(shot, shot.language), citation.short(shot, shot.language))
    )


def _again(shot: Snapshot) -> Section:
    link = (shot.permalink,) if shot.permalink else ()
    return Section(say(shot, "again_head"), link, command=citation.command(shot))


def _use(shot: Snapshot) -> Section:
    """Say what not to take it for: what is missing, hidden, old, undecided or changed."""
    told = [say(shot, "no_data")]
    for key in ("simulated", "unaccepted"):
        if getattr(shot, key):
            told.append(message(f"publish.cite.{key}", shot.language))
    if shot.changed.matters:
        names = ("withdrawn", "corrected", "rejected", "erased")
        told.append(say(shot, "changed", **{name: getattr(shot.changed, name) for name in names}))
    numbers = {
        "hidden": shot.hidden,
        "inconclusive": shot.counts.inconclusive,
        "stale": shot.counts.stale,
        "unverified": shot.unverified,
    }
    told += [say(shot, key, n=n, days=shot.topic.stale_days) for key, n in numbers.items() if n]
    if shot.limit is not None and not shot.limit.verified:
        told.append(say(shot, "limit_unverified"))
    return Section(say(shot, "use_head"), (*told, say(shot, "censored")))


def named(shot: Snapshot, status: str) -> str:
    """Name a status in the snapshot's language, in words that fit its limit."""
    return translated(label(status, shot.comparison), shot.language)


_MEANINGS = {"inconclusive": "inconclusive_means", "no limit": "no_limit"}


def _words(shot: Snapshot) -> Section:
    share = f"{100 * shot.topic.near_share:g}"
    statuses = [
        (
            f"{status} ({label(status, shot.comparison)})",
            say(shot, _MEANINGS.get(status, status), share=share),
        )
        for status in STATUSES
    ]
    fresh = [(word, say(shot, f"{word}_means", days=shot.topic.stale_days)) for word in FRESHNESS]
    return Section(say(shot, "status_head"), words=(*statuses, *fresh))
