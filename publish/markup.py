"""HTML that is safe by how it is made: every text is escaped unless it was made here.

:func:`tag` puts elements together; what is a plain ``str`` among its children or attributes came from somewhere
and is escaped, what is :class:`Html` was made by :func:`tag` and is not. So a name that somebody gave a well
cannot become a part of the page, whoever forgets to think of it. :func:`policy` writes the rule that a browser
then holds the page to: no script but ours, and nothing fetched from anywhere.

What surprised us: escaping alone lets two kinds of harm through. U+202E turns the reading direction round, so
that a name reads as another one, and a NUL ends a text for some readers; neither is a sign that a name needs.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from situation.status import STYLE
from situation.visible import visible

_VOID = frozenset({"meta", "link", "img", "input", "br", "hr", "base", "source"})
_UNSAFE = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


class Html(str):
    """Markup that was made here and is written as it is."""

    __slots__ = ()


NOTHING = Html("")


def text(value: object) -> Html:
    r"""Escape a text from anywhere, without signs that nobody sees; what is missing is empty.

    >>> text("<b>Well\u202e 3</b>"), text(float("nan"))
    ('&lt;b&gt;Well 3&lt;/b&gt;', '')
    """
    return value if isinstance(value, Html) else Html(html.escape(visible(value)))


def tag(name: str, /, *inside: object, **attributes: object) -> Html:
    """Make one element.

    Parameters
    ----------
    name : str
        Of the element.
    *inside
        Texts (escaped) and elements (as they are).
    **attributes
        Texts (escaped); True writes the name alone, None and False nothing. ``class_`` is class,
        ``aria_label`` aria-label.

    Examples
    --------
    >>> tag("p", "1 < 2 ", tag("b", "so"), class_="note", hidden=True)
    '<p class="note" hidden>1 &lt; 2 <b>so</b></p>'
    """
    said = "".join(_attribute(key, value) for key, value in attributes.items())
    return Html(f"<{name}{said}>" if name in _VOID else f"<{name}{said}>{joined(inside)}</{name}>")


def _attribute(key: str, value: object) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{text(value)}"'


def joined(parts: Iterable[object], between: str = "") -> Html:
    """Put texts and elements one after the other."""
    return Html(text(between).join(text(part) for part in parts))


def literal(value: object) -> Html:
    r"""Write a value as JSON that may stand inside a script element.

    >>> literal({"name": "</script>"})
    '{"name":"\\u003c/script\\u003e"}'
    """
    said = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Html(said.translate(_UNSAFE))


def policy(scripts: Iterable[str] = (), styles: Iterable[str] = (), **more: str) -> str:
    """Say what a browser may do for a page: run these very texts, and fetch nothing.

    Parameters
    ----------
    scripts, styles : iterable of str
        Texts of the script and style elements of the page.
    **more
        Further directives: ``img_src="'self'"``.
    """
    said = {
        "default-src": "'none'",
        "script-src": _hashes(scripts),
        "style-src": _hashes(styles),
        **{name.replace("_", "-"): value for name, value in more.items()},
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in said.items())


def _hashes(texts: Iterable[str]) -> str:
    digests = (base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in texts)
    return " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"


def _corners(radius: float, *degrees: int) -> list[tuple[float, float]]:
    return [
        (round(radius * math.cos(math.radians(d)), 3), round(radius * math.sin(math.radians(d)), 3))
        for d in degrees
    ]


#: Corners of each shape around (0, 0), y downwards, for a mark of radius 1; a shape without corners is round.
SHAPES: Mapping[str, list[tuple[float, float]]] = {
    "triangle": _corners(1.2, -90, 30, 150),
    "diamond": _corners(1.25, -90, 0, 90, 180),
    "square": [(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)],
    "circle": [],
    "question": [],
}


def sign(status: str, size: int = 18) -> Html:
    """Draw the mark of a status as a small picture that stands in a line of text."""
    style, radius = STYLE[status], 6.5
    hollow = style.shape == "question"
    paint: dict[str, Any] = {
        "fill": "#fff" if hollow else style.colour,
        "stroke": style.colour if hollow else "#fff",
        "stroke_width": "2" if hollow else "1",
    }
    corners = " ".join(f"{10 + x * radius:.1f},{10 + y * radius:.1f}" for x, y in SHAPES[style.shape])
    drawn = (
        tag("polygon", points=corners, **paint)
        if corners
        else tag("circle", cx="10", cy="10", r="6.5", **paint)
    )
    mark = tag(
        "text",
        "?",
        x="10",
        y="14",
        text_anchor="middle",
        font_size="11",
        font_weight="bold",
        fill=style.colour,
    )
    return tag(
        "svg", drawn, mark if hollow else "", viewBox="0 0 20 20", width=size, height=size, aria_hidden="true"
    )
