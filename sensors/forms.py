"""Field forms: which question of a form is which property, in a small file beside the topic.

``data/topics/<topic>/forms/<name>.toml`` names the server's form and its questions. What it does not name
is left where it is: the list of questions is a list of what is *allowed*, and it is applied before an
answer touches the disk, so names, telephones and devices are neither shown nor kept.

What surprised us: the same point is ``lat lon`` in KoboToolbox and ``[lon, lat]`` in ODK; an answer edited
later keeps its day of submission; and a question inside a group is found under one long name
(``test/nitrate``) in one system and nested in the other.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from sensors.answers import rows_of
from sensors.sensor import Ask, Body, table
from situation.errors import ChoiceError, DataFileError
from situation.properties import PROPERTIES
from situation.topic import FOLDER
from situation.unit import read_species, read_unit

SERVERS = ("kobo", "odk")
FORM = "form"
_KEYS = frozenset(
    {
        "title",
        "server",
        "asset",
        "project",
        "form",
        "site",
        "site_type",
        "place",
        "time",
        "medium",
        "method",
        "licence",
        "attribution",
        "questions",
    }
)
_OF_A_QUESTION = frozenset({"property", "unit", "species", "fraction", "method", "choices"})


@dataclass(frozen=True)
class Item:
    """One question that is measured: its path, our key, UCUM or plain unit, form, and what choices mean."""

    path: str
    property: str
    unit: str = ""
    species: str = ""
    fraction: str = ""
    method: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Form:
    """One form. ``site``, ``place`` and ``time`` are paths of questions; empty where none asks for it."""

    name: str
    title: str
    server: str
    asset: str
    project: str
    items: tuple[Item, ...]
    site: str = ""
    site_type: str = ""
    place: str = ""
    time: str = ""
    medium: str = ""
    method: str = ""
    licence: str = ""
    attribution: str = ""

    @property
    def allowed(self) -> tuple[str, ...]:
        """The paths of all questions that may be read."""
        return tuple(
            dict.fromkeys(p for p in (self.site, self.place, self.time, *(i.path for i in self.items)) if p)
        )


def read_form(text: str, name: str) -> Form:
    """Read a form's file.

    Raises
    ------
    DataFileError
        With what is wrong and what would be right.
    """
    where = f"forms/{name}.toml"
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise DataFileError(f"{where} is not TOML: {wrong}.") from wrong
    strange = sorted(set(said) - _KEYS)
    if strange:
        raise DataFileError(
            f"{where}: nothing is known of {', '.join(strange)}; it takes {', '.join(sorted(_KEYS))}."
        )
    if said.get("server") not in SERVERS:
        raise DataFileError(f"{where}: server takes one of {', '.join(SERVERS)}.")
    asset = str(said.get("asset" if said["server"] == "kobo" else "form", ""))
    project = str(said.get("project", ""))
    if not re.fullmatch(r"[\w.-]+", asset) or (said["server"] == "odk" and not project.isdigit()):
        raise DataFileError(
            f"{where}: KoboToolbox needs asset (the form's id), ODK needs project (a number) and form (its id)."
        )
    questions = said.get("questions")
    if not isinstance(questions, Mapping) or not questions:
        raise DataFileError(f'{where} needs a [questions."name"] for each question that is measured.')
    items = tuple(_item(where, path, entry) for path, entry in questions.items())
    texts = {key: str(said.get(key, "")) for key in ("site", "site_type", "place", "time", "medium", "method",
                                                     "licence", "attribution")}  # fmt: skip
    return Form(name, str(said.get("title", name)), said["server"], asset, project, items, **texts)


def _item(where: str, path: str, entry: Any) -> Item:
    if not isinstance(entry, Mapping) or not set(entry) <= _OF_A_QUESTION:
        raise DataFileError(f"{where}: the question {path!r} takes {', '.join(sorted(_OF_A_QUESTION))}.")
    key, unit, species = (str(entry.get(name, "")) for name in ("property", "unit", "species"))
    if key not in PROPERTIES:
        raise DataFileError(f"{where}: no property {key!r} ({path}); data/properties.csv lists them.")
    if unit and read_unit(unit).ucum is None:
        raise DataFileError(f"{where}: the unit {unit!r} of {path} cannot be read.")
    if PROPERTIES[key].needs_species and not read_species(species):
        raise DataFileError(
            f'{where}: {path} needs species, e.g. "as NO3" or "as N": the numbers differ by a factor.'
        )
    choices = {str(answer): str(means) for answer, means in (entry.get("choices") or {}).items()}
    return Item(
        path, key, unit, species, str(entry.get("fraction", "")), str(entry.get("method", "")), choices
    )


def forms(topic: str, server: str, folder: Path = FOLDER) -> dict[str, str]:
    """Give the forms of a topic on a kind of server: name to the text of the file.

    Raises
    ------
    DataFileError
        If one of them cannot be used.
    """
    found = {}
    for path in sorted((folder / topic / "forms").glob("*.toml")):
        text = path.read_text(encoding="utf-8-sig")
        if read_form(text, path.stem).server == server:
            found[path.stem] = text
    return found


def form_asked(ask: Ask, server: str, folder: Path = FOLDER) -> tuple[Form, Body]:
    """Find the form that an ask names (``options["form"]``), or the only one that its topic has.

    The file itself becomes a body, so that the answers are read again as they were read at the time.

    Raises
    ------
    ChoiceError
        If there is none, or several and none is named.
    """
    held = forms(ask.topic, server, folder) if ask.topic else {}
    name = ask.options.get("form", "")
    if not name and len(held) == 1:
        name = next(iter(held))
    if name not in held:
        listed = f"there are {', '.join(held)}" if held else "there is none"
        raise ChoiceError(
            f"Name the form with --option form=NAME; for {server} {listed} in data/topics/{ask.topic or 'TOPIC'}/forms."
        )
    return read_form(held[name], name), Body(name, held[name].encode(), "application/toml", kind=FORM)


def form_of(bodies: Sequence[Body]) -> Form | None:
    """Find the form among the bodies of a fetch."""
    return next((read_form(body.text(), body.name) for body in bodies if body.kind == FORM), None)


def with_content(body: Body, said: Mapping[str, Any]) -> Body:
    """Give a body that holds this and nothing else, with the checksum that goes with it."""
    content = json.dumps(said, ensure_ascii=False).encode()
    return replace(body, content=content, sha256=hashlib.sha256(content).hexdigest())


def tables_of(
    bodies: Sequence[Body],
    name: str,
    needs: Sequence[str],
    beside: Callable[[Mapping[str, Any], Form | None], tuple[Mapping[str, str], str]],
) -> Iterator[pd.DataFrame]:
    """Flatten pages of submissions: one row an answer that is measured, as the form's file says.

    Parameters
    ----------
    bodies : sequence of Body
        The pages, and the form among them.
    name : str
        Where the submissions stand in a page.
    needs : sequence of str
        Fields that every server of this kind gives.
    beside : callable
        ``beside(submission, form)`` gives the cells that stand beside each answer, and the name of the submission:
        empty where it has none, since a nameless one would pass for another.
    """
    form = form_of(bodies)
    for body in bodies:
        if body.kind == FORM or body.empty:
            continue
        rows = []
        for record in rows_of(body, name, needs=tuple(needs)):
            cells, identifier = beside(record, form)
            rows += [{**cells, **row} for row in readings(record, form, identifier)]
        if rows:
            yield table(rows)


def find(record: Any, path: str) -> list[Any]:
    """Give the answers to a question: none, one, or one for each time a group was repeated.

    >>> find({"test/nitrate": "5"}, "test/nitrate"), find({"test": {"nitrate": "5"}}, "test/nitrate")
    (['5'], ['5'])
    >>> find({"test": [{"test/nitrate": "5"}, {"nitrate": "6"}]}, "test/nitrate")
    ['5', '6']
    """
    if not isinstance(record, Mapping):
        return []
    if path in record:
        held = record[path]
        return [one for one in (held if isinstance(held, list) else [held]) if not isinstance(one, list)]
    parts = path.split("/")
    for number in range(1, len(parts)):
        head, rest = "/".join(parts[:number]), "/".join(parts[number:])
        child = record.get(head)
        if isinstance(child, Mapping):
            return find(child, rest)
        if isinstance(child, list):
            return [answer for one in child for answer in (find(one, path) or find(one, rest))]
    return []


def said_once(record: Any, path: str) -> list[Any]:
    """Give the different answers to a question about a whole submission: its site, place or time.

    Where a group is repeated (several wells in one submission) there are several. Which reading belongs to
    which is not known then, so nobody may take the first for all: the caller leaves the cell empty.
    """
    found: list[Any] = []
    for answer in find(record, path) if path else []:
        if answer not in (None, "") and answer not in found:
            found.append(answer)
    return found


def only_allowed(record: Mapping[str, Any], form: Form, system: Sequence[str]) -> dict[str, Any]:
    """Keep of a submission what the form and the system's own fields allow, and nothing else."""
    kept: dict[str, Any] = {name: record[name] for name in system if name in record}
    for path in form.allowed:
        answers = find(record, path)
        if answers:
            kept[path] = answers if len(answers) > 1 else answers[0]
    return kept


def readings(record: Mapping[str, Any], form: Form | None, identifier: str) -> Iterator[dict[str, str]]:
    """Give a row for each answer that is measured; a submission without one gives one row without a result."""
    if form is None:
        yield {"question": "", "value": ""}
        return
    site, moment = (
        str(found[0]) if len(found := said_once(record, path)) == 1 else "" for path in (form.site, form.time)
    )
    about = {
        "site": site,
        "time": moment,
        "form.site_type": form.site_type,
        "form.medium": form.medium,
        "form.licence": form.licence,
        "form.attribution": form.attribution,
    }
    some = False
    for item in form.items:
        for number, answer in enumerate(find(record, item.path), 1):
            text = "" if answer is None else str(answer)
            if text == "":
                continue
            some = True
            yield {
                **about,
                "question": item.path,
                "property": item.property,
                "unit": item.unit,
                "species": item.species,
                "fraction": item.fraction,
                "method": item.method or form.method,
                "answer": text if text in item.choices else "",
                "value": item.choices.get(text, text),
                "observation.id": f"{identifier}/{item.path}" + (f"#{number}" if number > 1 else "")
                if identifier
                else "",
            }
    if not some:
        yield {**about, "question": "", "value": ""}
