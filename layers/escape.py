"""Nothing a stranger wrote is ever run: not in the browser, and not on the server.

What surprised us: folium renders Jinja found in *data*. ``MacroElement.render`` passes script that
is already rendered through ``Element(text)``, which compiles it as a template once more, so that
``{{ … }}`` in the name of a well ran Python on the server, and a stray ``{%`` blanked the map.
``html.escape`` does not help; neither does it stop ``${…}`` in the backquoted strings that folium
writes for tooltips and popups. Hence two measures, both:

* :func:`neutralise`, once per process: what branca compiles from text keeps that text literal;
* :func:`esc`, for every string that is handed to folium.
"""

from __future__ import annotations

import re
from html import escape
from types import SimpleNamespace
from typing import Any

import branca.element

_LIVE = {ord(sign): f"&#{ord(sign)};" for sign in "{}`$\\"}
# Signs that turn the reading direction round (U+202E and its kin) can make a name say another thing.
_HIDDEN = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0], None)
_LONGEST = 500

# GeoJson's style mapper writes {{'geo_json_<32 hex>'}} where a live object belongs, and counts on
# the second rendering to take the braces off. These are the only braces that still mean anything.
_OWN_NAME = re.compile(r"\{\{\s*'([A-Za-z_]+_[0-9a-f]{32})'\s*\}\}")
_NEWLINE = re.compile(r"\r\n|\r")


def esc(text: object) -> str:
    """Make any text safe inside folium's HTML, script and backquoted strings.

    Parameters
    ----------
    text : object
        Anything; ``None`` and missing values become an empty text. Cut after 500 characters.

    Returns
    -------
    str
        HTML in which every sign that HTML, JavaScript or Jinja could act on is an entity.

    Examples
    --------
    >>> esc("Well {{7*7}} <b>")
    'Well &#123;&#123;7*7&#125;&#125; &lt;b&gt;'
    """
    if text is None or text != text:  # None, NaN, NaT
        return ""
    plain = str(text).translate(_HIDDEN)
    if len(plain) > _LONGEST:
        plain = plain[: _LONGEST - 1] + "…"
    return escape(plain).translate(_LIVE)


class Literal:
    """Stands where branca compiles a text as a template, and gives that text back as it is.

    Newlines are treated as Jinja treats them (one kind; one at the end dropped), so that maps
    without braces in their data come out byte for byte as before.
    """

    def __init__(self, source: str, *_: Any, **__: Any) -> None:
        text = _NEWLINE.sub("\n", source)
        self._text = _OWN_NAME.sub(r"\1", text.removesuffix("\n"))
        self.module = SimpleNamespace()  # no macros: nothing of it is asked to run

    def render(self, *_: Any, **__: Any) -> str:
        """Give the text back."""
        return self._text


def neutralise() -> None:
    """Replace the class with which branca compiles texts, for the whole process; twice does no harm.

    Templates of folium's and branca's own classes are compiled when their modules are imported and
    stay as they are.
    """
    setattr(branca.element, "Template", Literal)  # noqa: B010  (mypy knows it as jinja2's)
