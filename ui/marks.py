"""The signs of the map in running text: a status by colour and shape, as a small drawing.

Shapes are those of ``situation.status.STYLE``; one that is not known here is drawn as a circle, so that
a new status never leaves a hole in a legend.

What surprised us: ``st.html`` takes ``<svg>`` out, but leaves a picture whose address is that drawing.
"""

from __future__ import annotations

from base64 import b64encode
from html import escape

_SHAPES = {
    "triangle": '<path d="M10 2 L18.5 17 L1.5 17 Z"/>',
    "diamond": '<path d="M10 1 L19 10 L10 19 L1 10 Z"/>',
    "circle": '<circle cx="10" cy="10" r="7.5"/>',
    "square": '<path d="M3 3 H17 V17 H3 Z"/>',
    "ring": '<circle cx="10" cy="10" r="6.5"/>',
    "question": '<circle cx="10" cy="10" r="8"/>',
}


def mark(shape: str, colour: str, size: int = 20) -> str:
    """Draw one sign as an HTML picture; *size* in pixels, *colour* as in CSS.

    >>> mark("circle", "#123456")[:15]
    '<img alt="" wid'
    """
    drawing = b64encode(_drawing(shape, colour).encode()).decode()
    return f'<img alt="" width="{size}" height="{size}" src="data:image/svg+xml;base64,{drawing}">'


def _drawing(shape: str, colour: str) -> str:
    body = _SHAPES.get(shape, _SHAPES["circle"])
    ring = shape == "ring"
    asked = (
        '<text x="10" y="14.5" font-family="sans-serif" font-size="13" font-weight="700" '
        'text-anchor="middle" fill="#fff" stroke="none">?</text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20" stroke="{escape(colour)}" '
        f'fill="{"none" if ring else escape(colour)}" stroke-width="{3 if ring else 1}">'
        f"{body}{asked if shape == 'question' else ''}</svg>"
    )
