"""Text of strangers on a page: shown as it is written, never obeyed.

Streamlit reads Markdown nearly everywhere: in labels, alerts, metrics, tables and tool tips. A well called
``[free water](javascript:…)`` must come out as those characters. Two ways:

* :func:`verbatim` for what stands in somebody's file (a cell, a column, a file name): a code span,
  in which nothing is read;
* :func:`plain` for sentences with such words in them (an error, a reason).

What surprised us: a backslash is not enough. Emoji and icon codes (``:material/…:``) and bare addresses
(``www.…``, ``someone@…``) are looked for in the finished text, after the backslashes are gone. An
invisible word joiner (U+2060) inside them breaks the spell and not the line.
"""

from __future__ import annotations

import re

from situation.visible import one_line

LONGEST = 300

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_JOINER = "\u2060"
_TICKS = re.compile(r"`+")


def bare(text: object, longest: int = LONGEST) -> str:
    r"""Make text of strangers one line of visible characters, cut at *longest* characters.

    >>> bare("Well\u202e 3\n\n# Big")
    'Well 3 # Big'
    """
    line = one_line(str(text))
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def plain(text: object, longest: int = LONGEST) -> str:
    r"""Write text so that Markdown shows it as it stands.

    >>> print(plain("[x](javascript:1)").replace("\u2060", "|"))
    \[x\]\(javascript\:|1\)
    """
    escaped = _PUNCTUATION.sub(r"\\\1", bare(text, longest))
    # The joiner after : and @ and within www. stops emoji codes and bare addresses.
    escaped = re.sub(r"\\([:@])", rf"\\\1{_JOINER}", escaped)
    return re.sub(r"(?i)(ww)(w)", rf"\1{_JOINER}\2", escaped)


def verbatim(text: object, longest: int = 120) -> str:
    """Write text as a Markdown code span, whatever backticks it has in it.

    >>> print(verbatim("a`b"))
    `` a`b ``
    """
    # Icon codes are rewritten before anything is parsed, in code spans too.
    line = bare(text, longest).replace(":material/", f":{_JOINER}material/")
    if not line:
        return "` `"
    fence = "`" * (1 + max((len(run) for run in _TICKS.findall(line)), default=0))
    pad = " " if "`" in line else ""
    return f"{fence}{pad}{line}{pad}{fence}"
