"""Text of strangers without the signs that nobody sees: one list for pages, pictures and files.

Taken out are controls, halves of a sign, signs that are none, and what turns the direction of writing or hides
in it (U+202E and its family). The joiners U+200C and U+200D stay: Hindi and Persian need them.

What surprised us: the marks U+200E and U+200F do no harm, and a sentence of ours in Arabic needs them beside a
date; so a whole document keeps them, and only a line of a stranger's loses them.
"""

from __future__ import annotations

import re

_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u202a-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\ufffe\uffff]"
)
_MARKS = re.compile("[\u200e\u200f]")
_SPACES = re.compile("[^\\S\u00a0\u202f]+")  # spaces that hold a number and its unit together stay


def visible(text: object) -> str:
    r"""Give a text as it can be seen; what is missing is empty.

    >>> visible("Well\u202e 3\x00"), visible(None), visible(float("nan"))
    ('Well 3', '', '')
    """
    return "" if text is None or text != text else _UNSEEN.sub("", str(text))


def one_line(text: object) -> str:
    r"""Give a stranger's text as one line that turns no direction and holds nothing unseen.

    >>> one_line(" Well\u202e 3\n\x00 $x$ ")
    'Well 3 $x$'
    """
    if text is None or text != text:
        return ""
    spaced = _SPACES.sub(" ", str(text))  # first: some controls are spaces too, and would join two words
    return _SPACES.sub(" ", _MARKS.sub("", visible(spaced))).strip()
