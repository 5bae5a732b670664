"""How a snapshot is cited: one short line, one long one, and the same for reference managers (CSL-JSON).

A citation names who stands behind the picture, the data version and the minute that it shows, the licences of
its readings, and how to get the same again: its address where it has a public one, otherwise the command that
makes it from the same store.

What surprised us: the schema of CSL-JSON allows no field that it does not list, and it lists no licence; the
licences therefore stand in ``custom``, where reference managers keep what they do not print, and in ``note``,
which they print.
"""

from __future__ import annotations

import shlex
from typing import Any
from urllib.parse import urlencode

from publish import file_name
from situation.messages import message
from situation.snapshot import Origin, Snapshot
from situation.visible import one_line

_MOST_SOURCES = 6


def day(shot: Snapshot) -> str:
    """Give the day that a snapshot shows, UTC, as ``2026-03-31``."""
    return f"{shot.view.clock(shot.moment):%Y-%m-%d}"


def minute(shot: Snapshot) -> str:
    """Give the minute that a snapshot shows, UTC, as ``2026-03-31 17:05``."""
    return f"{shot.view.clock(shot.moment):%Y-%m-%d %H:%M}"


def licences(shot: Snapshot, language: str) -> str:
    """Name the licences of its readings; one that a source does not state is said to be so."""
    named = [one_line(licence) for licence in shot.licences] or ["unknown"]
    unstated = message("publish.cite.unstated", language)
    return ", ".join(dict.fromkeys(unstated if name == "unknown" else name for name in named))


def short(shot: Snapshot, language: str) -> str:
    """Cite a snapshot in one line: who, when, what, version, licence, where.

    Parameters
    ----------
    shot : Snapshot
        Any.
    language : str
        Of the words around the names; BCP 47.
    """
    return " ".join(
        [
            _head(shot, language),
            message("publish.cite.version", language, version=shot.version, day=day(shot)),
            _licence(shot, language),
            *_caveats(shot, language),
            *([shot.permalink] if shot.permalink else []),
        ]
    )


def long(shot: Snapshot, language: str) -> str:
    """Cite a snapshot in full: with its minute, the standard, the sources and how to get the same again."""
    standard = one_line(shot.standard.title) if shot.standard else ""
    compared = [message("publish.cite.compared", language, standard=standard)] if standard else []
    again = "link" if shot.permalink else "again"
    return " ".join(
        [
            _head(shot, language),
            message("publish.cite.version_long", language, version=shot.version, minute=minute(shot)),
            *compared,
            *_sources(shot, language),
            _licence(shot, language),
            *_caveats(shot, language),
            message(f"publish.cite.{again}", language, where=reproduce(shot)),
        ]
    )


def _head(shot: Snapshot, language: str) -> str:
    said = {"who": one_line(shot.topic.producer), "year": day(shot)[:4], "title": one_line(shot.title)}
    return message("publish.cite.head" if said["who"] else "publish.cite.head_unnamed", language, **said)


def _licence(shot: Snapshot, language: str) -> str:
    return message("publish.cite.licence", language, licences=licences(shot, language))


def _caveats(shot: Snapshot, language: str) -> list[str]:
    keys = [key for key in ("simulated", "unaccepted") if getattr(shot, key)]
    return [message(f"publish.cite.{key}", language) for key in keys]


def _sources(shot: Snapshot, language: str) -> list[str]:
    names = list(dict.fromkeys(credited(origin) for origin in shot.origins))
    if not names:
        return []
    told = "; ".join(names[:_MOST_SOURCES])
    more = len(names) - _MOST_SOURCES
    if more > 0:
        return [message("publish.cite.sources_more", language, sources=told, n=more)]
    return [message("publish.cite.sources", language, sources=told)]


def credited(origin: Origin) -> str:
    """Name a source as it wants to be credited; its key where it does not say."""
    said = one_line(origin.attribution)
    return one_line(origin.source) if said in ("", "unknown") else said


def reproduce(shot: Snapshot) -> str:
    """Say how to get the same again: its public address, or the command where it has none."""
    return shot.permalink or command(shot)


def command(shot: Snapshot, ending: str = "zip") -> str:
    """Write the command that makes the same snapshot again from the same store, quoted for a shell.

    Parameters
    ----------
    shot : Snapshot
        Pinned, as every snapshot is.
    ending : str
        Of the file that it writes.
    """
    view = shot.view
    if shot.id is not None:  # kept as it was shown, whatever became of limits and programs
        words = ["python", "-m", "commonsight", "snapshot", f"--id={shot.id}", f"--lang={shot.language}"]
        return shlex.join([*words, file_name(shot, ending)])
    said = view.to_params() | {"lang": shot.language, "title": _own_title(shot)}
    if shot.surface is not None:
        said["surface"] = shot.surface.kind
    if view.bbox is not None:  # an address rounds it
        said["bbox"] = ",".join(f"{side!r}" for side in view.bbox)
    if view.batch is not None:  # of a batch that waits for its review there is a page, and no command
        return f"?{urlencode(view.to_params())}"
    options = [f"--{name.replace('_', '-')}={value}" for name, value in said.items() if value]
    return shlex.join(["python", "-m", "commonsight", "snapshot", *options, file_name(shot, ending)])


def _own_title(shot: Snapshot) -> str:
    """Give the title that a person wrote; none where it was made of property and topic."""
    usual = message(
        "publish.title", shot.language, property=shot.observed_property.title, topic=shot.topic.title
    )
    return "" if shot.title == usual else one_line(shot.title)


def csl(shot: Snapshot) -> dict[str, Any]:
    """Give the citation as one item of CSL-JSON 1.0.2, in the snapshot's language.

    ``accessed`` is the day that the snapshot shows, not the day of the export: the same snapshot is cited the
    same next year.
    """
    language = shot.language
    when = {"date-parts": [[int(part) for part in day(shot).split("-")]]}
    who = one_line(shot.topic.producer) or one_line(shot.topic.title)
    notes = [_licence(shot, language), *_caveats(shot, language)]
    if not shot.permalink:
        notes.append(message("publish.cite.again", language, where=reproduce(shot)))
    return {
        "id": csl_id(shot),
        "type": "dataset",
        "title": one_line(shot.title),
        "author": [{"literal": who}],
        "publisher": who,
        "issued": when,
        "accessed": when,
        "version": str(shot.version),
        "language": language,
        "abstract": one_line(shot.said.text),
        "source": "; ".join(dict.fromkeys(credited(origin) for origin in shot.origins)),
        "note": " ".join(notes),
        **({"URL": shot.permalink} if shot.permalink else {}),
        "custom": {
            "license": licences(shot, "en"),
            "as_of": shot.version,
            "at": f"{shot.view.clock(shot.moment):%Y-%m-%dT%H:%MZ}",
            "simulated": shot.simulated,
            "unaccepted": shot.unaccepted,
        },
    }


def csl_id(shot: Snapshot) -> str:
    """Name a snapshot among other references: its own id, or its view, version and minute."""
    if shot.id:
        return f"commonsight-{shot.id}"
    view = shot.view
    return f"commonsight-{view.topic}-{view.observed_property}-v{shot.version}-{minute(shot)}".replace(
        " ", "T"
    )
