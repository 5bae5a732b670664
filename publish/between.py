"""What is estimated between the sites, under their signs on a picture, and its classes in the legend.

The classes come with the snapshot, as cells in equal steps of Web Mercator. They are drawn as patches of one colour
each and never smoothed: a soft edge would claim to know where a class ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle

from publish.basemap import Projection
from publish.page import Block, Page
from situation.messages import message, translated
from situation.snapshot import Snapshot, Surface
from situation.visible import one_line

_ABOVE = 6.5  # the ground and its lines, and under the topic's own shapes
_ALPHA = 0.62


def draw(axes: Axes, surface: Surface | None, projection: Projection) -> None:
    """Draw the cells where something is known; nothing where there is no surface."""
    if surface is None or not surface.codes.size:
        return
    lon, lat = _corners(surface)
    x, y = projection.forward(*(part.ravel() for part in np.meshgrid(lon, lat)))
    shape = (len(lat), len(lon))
    known = np.ma.masked_less(surface.codes, 0)
    axes.pcolormesh(
        x.reshape(shape), y.reshape(shape), known, cmap=ListedColormap(list(surface.colours)), vmin=-0.5,
        vmax=len(surface.colours) - 0.5, alpha=_ALPHA, zorder=_ABOVE, rasterized=True, linewidth=0,
    )  # fmt: skip


def _corners(surface: Surface) -> tuple[np.ndarray, np.ndarray]:
    """Give the edges of the cells, degrees: columns from the west, rows from the north."""
    west, south, east, north = surface.bounds
    high, wide = surface.codes.shape
    top, bottom = (np.arcsinh(np.tan(np.radians(part))) for part in (north, south))
    return np.linspace(west, east, wide + 1), np.degrees(
        np.arctan(np.sinh(np.linspace(top, bottom, high + 1)))
    )


def legend(shot: Snapshot, soft: str, *, tight: bool = False) -> Iterator[Block]:
    """Say what the colours between the sites mean, or why there are none; *tight* where there is little height."""
    surface = shot.surface
    if surface is None:
        return
    if surface.refused:
        yield Block("surface", translated(surface.refused, shot.language), 0.9, colour=soft, gap=0.6, most=5,
                    squeezed=3)  # fmt: skip
        return
    head, rest = (0.3, 0.8) if tight else (0.6, 0.92)
    heading = translated(surface.heading, shot.language)
    yield Block("surface", heading, rest if tight else 1.0, bold=True, gap=head, most=2, squeezed=1)
    for label, colour in zip(surface.labels, surface.colours, strict=True):
        words = one_line(class_words(label, shot.language))
        yield Block("surface", words, rest, gap=0.0 if tight else 0.1, sign=_patch(colour), most=1)
    note = one_line(translated(surface.note, shot.language))
    yield Block("surface", note, min(rest, 0.9), colour=soft, gap=0.2, most=4, squeezed=1)


_CLASS = re.compile(
    r"(?:(?P<end>under|over) (?P<what>.+?)|(?P<low>\S+) to (?P<high>.+?))(?P<above> \(above\))?"
)


def class_words(label: str, language: str) -> str:
    """Say the label of a class in a language; numbers and units stay as they are.

    >>> class_words("25 to 50 mg/L as NO3 (above)", "fr"), class_words("under 10 %", "es")
    ('25 à 50 mg/L as NO3 (au-dessus)', 'menos de 10 %')
    """
    found = _CLASS.fullmatch(label)
    if found is None:
        return translated(label, language)
    key = found["end"] or "between"
    said = message(f"publish.picture.class_{key}", language, **found.groupdict())
    return message("publish.picture.class_above", language, what=said) if found["above"] else said


def _patch(colour: str) -> Callable[[Page, float, float, float], None]:
    def sign(page: Page, x: float, y: float, size: float) -> None:
        high, wide = 0.75 * size, 1.2 * size
        left, low = page.x(x) - wide / 2, page.high - y - high / 2
        patch = Rectangle((left, low), wide, high, facecolor=colour, alpha=_ALPHA,
                          edgecolor=page.look.line, linewidth=0.4, transform=page.points, zorder=5)  # fmt: skip
        page.figure.add_artist(patch)
        page.keep("surface", patch)

    return sign
