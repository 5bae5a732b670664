"""The sizes in which pictures leave: for a page, a link card, a post, and paper.

Pictures for screens count in pixels and are drawn at 100 to the inch; paper is drawn at 300. The link card is
1200 × 628, what the Open Graph previews of the large platforms show whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from situation.errors import ChoiceError

_INCH = 25.4  # mm


@dataclass(frozen=True)
class Size:
    """One size: pixels, and dots to the inch."""

    wide: int
    high: int
    dpi: int

    @property
    def inches(self) -> tuple[float, float]:
        """Width and height in inches, as matplotlib wants them."""
        return self.wide / self.dpi, self.high / self.dpi


def _paper(wide_mm: float, high_mm: float) -> Size:
    return Size(round(wide_mm / _INCH * 300), round(high_mm / _INCH * 300), 300)


#: Key, as on the command line, to size.
SIZES = {
    "850x600": Size(850, 600, 100),
    "og": Size(1200, 628, 100),
    "square": Size(1080, 1080, 100),
    "a4": _paper(297, 210),
    "a4-portrait": _paper(210, 297),
    "a3": _paper(420, 297),
    "a3-portrait": _paper(297, 420),
}


def size_named(key: str) -> Size:
    """Find a size.

    Raises
    ------
    ChoiceError
        If there is none of that name, with those that there are.
    """
    if key not in SIZES:
        raise ChoiceError(f"No size {key!r}; there are {', '.join(SIZES)}.")
    return SIZES[key]
