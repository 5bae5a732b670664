"""The style that a GeoPackage brings along for QGIS (QML): sites by status, in the colours and shapes of the map.

QGIS reads the table ``layer_styles`` of a GeoPackage when a layer is added, and takes the style that is marked as
usual for it. Symbols are sizes in millimetres; a reading that is old is drawn paler, the worst lies on top.

What surprised us: QGIS has no marker in the shape of a question mark, so that one is a ring with a letter in it;
and map tips are HTML, in which the name of a well would run. There are none here.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree

from publish.read_me import named
from situation.snapshot import Snapshot
from situation.status import STATUSES, STYLE

_DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_VERSION = "3.28.0-Firenze"
_SIZE, _EDGE, _PALE = 3.6, 0.3, 45  # mm, mm, per cent
_PALER = f"if(\"freshness\" = 'stale', {_PALE}, 100)"
_MARKERS = {"triangle": "triangle", "diamond": "diamond", "circle": "circle", "square": "square"}

Element = ElementTree.Element


def sites_style(shot: Snapshot) -> str:
    """Write the style of the layer of sites as QML."""
    root = Element("qgis", version=_VERSION, styleCategories="Symbology")
    renderer = _within(
        root,
        "renderer-v2",
        type="categorizedSymbol",
        attr="status",
        forceraster="0",
        symbollevels="0",
        enableorderby="1",
        referencescale="-1",
    )
    categories, symbols = _within(renderer, "categories"), _within(renderer, "symbols")
    order = sorted(STATUSES, key=lambda status: STYLE[status].order)
    for number, status in enumerate(order):
        _within(
            categories,
            "category",
            value=status,
            label=named(shot, status),
            symbol=str(number),
            type="string",
            render="true",
        )
        _symbol(symbols, str(number), status)
    _worst_on_top(renderer, order)
    _within(root, "layerGeometryType").text = "0"
    ElementTree.indent(root, " ")
    return _DOCTYPE + ElementTree.tostring(root, encoding="unicode")


def _within(parent: Element, tag: str, **attributes: str) -> Element:
    return ElementTree.SubElement(parent, tag, attributes)


def _worst_on_top(renderer: Element, order: list[str]) -> None:
    """Let QGIS draw the worst last, so that it lies over the others."""
    listed = ", ".join(f"'{status}'" for status in order)
    clause = _within(_within(renderer, "orderby"), "orderByClause", asc="0", nullsFirst="1")
    clause.text = f'array_find(array({listed}), "status")'


def _symbol(symbols: Element, name: str, status: str) -> None:
    symbol = _within(
        symbols, "symbol", type="marker", name=name, alpha="1", clip_to_extent="1", force_rhr="0"
    )
    _paler_when_old(_within(symbol, "data_defined_properties"))
    style = STYLE[status]
    if style.shape in _MARKERS:
        _layer(symbol, "SimpleMarker", _marker(_MARKERS[style.shape], fill=style.colour, edge="#ffffff"))
        return
    ring = _marker("circle", fill="#ffffff", edge=style.colour) | {"size": f"{_SIZE + 0.6}"}
    _layer(symbol, "SimpleMarker", ring)
    _layer(symbol, "FontMarker", _letter("?", style.colour))


def _paler_when_old(properties: Element) -> None:
    outer = _within(properties, "Option", type="Map")
    _within(outer, "Option", name="name", value="", type="QString")
    alpha = _within(
        _within(outer, "Option", name="properties", type="Map"), "Option", name="alpha", type="Map"
    )
    _within(alpha, "Option", name="active", value="true", type="bool")
    _within(alpha, "Option", name="expression", value=_PALER, type="QString")
    _within(alpha, "Option", name="type", value="3", type="int")
    _within(outer, "Option", name="type", value="collection", type="QString")


def _layer(symbol: Element, kind: str, options: Mapping[str, str]) -> None:
    layer = _within(symbol, "layer", enabled="1", locked="0", **{"class": kind, "pass": "0"})
    held = _within(layer, "Option", type="Map")
    for name, value in sorted(options.items()):
        _within(held, "Option", name=name, value=value, type="QString")


def _marker(name: str, *, fill: str, edge: str) -> dict[str, str]:
    return {
        "name": name,
        "color": _colour(fill),
        "outline_color": _colour(edge),
        "outline_style": "solid",
        "outline_width": f"{_EDGE}",
        "outline_width_unit": "MM",
        "joinstyle": "bevel",
        "size": f"{_SIZE}",
        "size_unit": "MM",
        "scale_method": "diameter",
        "angle": "0",
        "offset": "0,0",
        "offset_unit": "MM",
        "horizontal_anchor_point": "1",
        "vertical_anchor_point": "1",
    }


def _letter(sign: str, colour: str) -> dict[str, str]:
    plain = {"outline_width": "0", "size": f"{_SIZE - 0.4}", "font": "Sans Serif", "font_style": "Bold"}
    return _marker("", fill=colour, edge=colour) | plain | {"chr": sign}


def _colour(value: str) -> str:
    """Write a colour as QGIS does.

    >>> _colour("#c1272d")
    '193,39,45,255'
    """
    red, green, blue = (int(value[at : at + 2], 16) for at in (1, 3, 5))
    return f"{red},{green},{blue},255"
