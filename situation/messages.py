"""What the pages say, in the languages of the people who read them.

One catalogue a language in ``data/messages/<language>.toml``: sections of short sentences. A sentence
that a language has not got yet is said in English, so a half-translated catalogue is already useful;
a test counts what is missing. Values are put in with ``{name}``. A catalogue may say with ``scope = "publish"``
that it has the words of pictures and files only: the pages do not offer it, or they would be half English.

The reader of field files (``sensors/``) says what it has to say in English, as it must also on the command
line. :func:`translated` finds such a sentence again by its pattern in the section ``said`` of a catalogue.

What surprised us: the name of a language is wanted in that language (a reader of Arabic looks for
العربية), and the direction of writing belongs to the catalogue and not to the page.
"""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

from situation.errors import DataFileError
from situation.settings import DATA

FOLDER = DATA / "messages"
FIRST = "en"
LONGEST = 1000


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Read one catalogue.

    Parameters
    ----------
    language : str
        BCP 47 code, the name of the file, e.g. ``"fr"``.

    Returns
    -------
    Mapping
        ``"section.key"`` to sentence.

    Raises
    ------
    DataFileError
        If there is none, or it is not TOML.
    """
    path = FOLDER / f"{language}.toml"
    known = sorted(file.stem for file in FOLDER.glob("*.toml"))
    if language not in known:
        raise DataFileError(f"No messages in {language!r}; data/messages has: {', '.join(known)}.")
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as wrong:
        raise DataFileError(f"data/messages/{language}.toml cannot be read: {wrong}.") from wrong
    return MappingProxyType(dict(_sentences(tables)))


def _sentences(tables: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tables.items():
        if isinstance(value, Mapping):
            yield from _sentences(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", str(value)


@cache
def written_languages() -> Mapping[str, str]:
    """List the languages that pictures and files can be written in: code to the language's own name, English first."""
    codes = sorted((file.stem for file in FOLDER.glob("*.toml")), key=lambda code: (code != FIRST, code))
    return MappingProxyType({code: catalogue(code)["language.name"] for code in codes})


@cache
def languages() -> Mapping[str, str]:
    """List the languages of the pages: those that are written and are not for pictures and files only."""
    whole = {c: n for c, n in written_languages().items() if catalogue(c).get("language.scope") != "publish"}
    return MappingProxyType(whole)


def known_language(code: str | None) -> str:
    """Give *code* back if pictures and files can be written in it, otherwise English.

    >>> known_language("fr"), known_language("ar"), known_language("../fr"), known_language(None)
    ('fr', 'ar', 'en', 'en')
    """
    return code if code is not None and code in written_languages() else FIRST


def page_language(code: str | None) -> str:
    """Give *code* back if the pages speak it, otherwise English.

    >>> page_language("fr"), page_language("ar"), page_language("../fr"), page_language(None)
    ('fr', 'en', 'en', 'en')
    """
    return code if code is not None and code in languages() else FIRST


def right_to_left(language: str) -> bool:
    """Say whether a language is written from right to left."""
    return catalogue(language).get("language.direction") == "rtl"


def message(key: str, language: str = FIRST, /, **values: object) -> str:
    """Say one sentence.

    Parameters
    ----------
    key : str
        ``"section.key"`` of the catalogue.
    language : str
        Code of a language that :func:`written_languages` lists.
    **values
        What stands in braces in the sentence. Where ``n`` is a number of which the language speaks in the
        singular (``language.singular``: 1 in English, 0 and 1 in French), the sentence ``key_one`` is
        taken if there is one. They are put in as they are: where the sentence goes
        into Markdown, the caller escapes what strangers wrote.

    Raises
    ------
    DataFileError
        If not even English has the sentence, or a value that it needs is not given.

    >>> message("upload.title", "fr")
    'Ajouter des mesures'
    >>> message("words.no_place", n=1)
    '1 site has no usable place and is not on the map.'
    """
    sentence = _form(key, language, values.get("n")) or _form(key, FIRST, values.get("n"))
    if sentence is None:
        raise DataFileError(f"No message {key!r} in data/messages/{FIRST}.toml.")
    try:
        return sentence.format(**values)
    except (KeyError, IndexError, ValueError) as wrong:
        raise DataFileError(f"Message {key!r} in {language!r} cannot be filled in: {wrong!r}.") from wrong


def _form(key: str, language: str, n: object) -> str | None:
    """Give the sentence, in its singular (``key_one``) where the language has one and *n* asks for it."""
    said = catalogue(language)
    single = n is not None and str(n) in said.get("language.singular", "1").split()
    return (said.get(f"{key}_one") if single else None) or said.get(key)


@lru_cache(maxsize=4096)
def translated(sentence: str, language: str) -> str:
    """Say a finished English sentence in another language, if its catalogue has the pattern of it.

    Parameters
    ----------
    sentence : str
        As the reader of field files made it, with numbers and names filled in.
    language : str
        Code of a language that :func:`written_languages` lists.

    Returns
    -------
    str
        The sentence in that language; the English one where the section ``said`` has no pattern for it.

    >>> translated("'3-5' is a range or a date, not one result", "fr")
    "'3-5' est un intervalle ou une date, pas un seul résultat"
    >>> translated("Nobody translated this.", "fr")
    'Nobody translated this.'
    """
    for pattern, said in _patterns(language) if len(sentence) <= LONGEST else ():
        found = pattern.fullmatch(sentence)
        if found:
            # What was filled in may be such a sentence itself; it is always shorter, so this ends.
            inner = {name: translated(text, language) for name, text in found.groupdict().items()}
            return said.format(**inner)
    return sentence


@cache
def _patterns(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    said = [(key[5:], text) for key, text in catalogue(language).items() if key.startswith("said.")]
    # The pattern with the most words of its own is tried first.
    said.sort(key=lambda pair: -len(re.sub(r"\{.*?\}", "", pair[0])))
    return tuple((_pattern(english), text) for english, text in said)


def _pattern(english: str) -> re.Pattern[str]:
    parts = string.Formatter().parse(english)
    text = "".join(re.escape(fixed) + (f"(?P<{name}>.+?)" if name else "") for fixed, name, _, _ in parts)
    return re.compile(text, re.DOTALL)
