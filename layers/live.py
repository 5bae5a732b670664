"""The element that fetches: the one part of the folium map that knows where the data are.

A folium map is drawn once; this element then asks ``/api/cells`` (and what else its layers name) whenever the view moves, the choice
changes or time has passed, and draws what comes (``layers/live.js``). So the page that holds a
million sites is as small as one that holds ten, and moving the map costs no rerun.

What surprised us: st_folium hears clicks only on layers that were on the map when it started, hence
the proxy in the script; and the map frame is thrown away when one byte of the base map changes,
hence :class:`Choice`, which travels beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import folium
from folium.elements import JSCSSMixin
from folium.template import Template

from layers import Layer
from layers.assets import ROUTE, own_name

_UNSAFE = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&'`${}\u2028\u2029"}


def literal(value: object) -> str:
    r"""Write a value as a JavaScript literal that neither HTML nor Jinja can be broken out of.

    Braces of objects are written by us, those in texts become ``\u007b``: data cannot open a
    template, whoever renders the script next.

    Examples
    --------
    >>> literal({"name": "{{7*7}}</script>"})
    '{"name":"\\u007b\\u007b7*7\\u007d\\u007d\\u003c/script\\u003e"}'
    """
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{literal(str(k))}:{literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ",".join(literal(item) for item in value) + "]"
    return json.dumps(value, allow_nan=False).translate(_UNSAFE)


class Live(JSCSSMixin, folium.MacroElement):
    """The layers, the legend, the basemaps and the clicks of the map.

    Parameters
    ----------
    layers : sequence of Layer
        In the order of the layer control.
    setup : mapping
        Addresses, words and basemaps; the same for every visitor of this installation.
    """

    _template = Template(
        """{% macro script(this, kwargs) %}
        Commonsight.start({{ this._parent.get_name() }}, {{ this.setup }});
        {% endmacro %}"""
    )
    default_js = [("commonsight_live", ROUTE + own_name("live.js"))]
    default_css = [("commonsight_live_css", ROUTE + own_name("live.css"))]

    def __init__(self, layers: Sequence[Layer], setup: Mapping[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Live"
        self.setup = literal(dict(setup) | {"layers": [_spoken(layer) for layer in layers]})


def _spoken(layer: Layer) -> dict[str, Any]:
    return asdict(layer)


class Choice(folium.FeatureGroup):
    """What the page chose, sent to a map that is already there; see :class:`Live`.

    Parameters
    ----------
    choice : mapping
        ``topic``, ``query`` (of ``/api/cells``), ``area`` (west, south, east, north in degrees),
        and optionally ``box``, ``site``, ``refresh`` (seconds), ``places`` (address of shapes), ``alt``
        (what the map says in words).
    """

    _template = Template(
        """{% macro script(this, kwargs) %}
        var {{ this.get_name() }} = L.featureGroup();
        Commonsight.choose({{ this.choice }});
        {% endmacro %}"""
    )

    def __init__(self, choice: Mapping[str, Any]) -> None:
        super().__init__(control=False)
        self._name = "FeatureGroup"
        self.choice = literal(choice)
