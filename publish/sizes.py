"""The sizes in which pictures leave: for a page, a link card, a post, and paper.

Pictures for screens count in pixels and are drawn at 100 to the inch; paper is drawn at 300. The link card is
1200 × 628, what the Open Graph previews of the large platforms show whole.

A key may name other dots to the inch: ``a4@100`` is the same page with the same things at the same places, in
fewer pixels, for a preview or a thumbnail.
"""

from __future__ import annotations

from dataclasses import dataclass

from situation.errors import ChoiceError

_INCH = 25.4  # mm
_FEWEST, _MOST = 20, 300  # dots to the inch


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
    """Find a size, or one of them at other dots to the inch.

    Raises
    ------
    ChoiceError
        If there is none of that name, with those that there are.

    >>> size_named("a4@100")
    Size(wide=1169, high=827, dpi=100)
    """
    name, at, dots = key.partition("@")
    dpi = int(dots) if dots.isascii() and dots.isdigit() and len(dots) < 4 else 0
    if name not in SIZES or (at and not _FEWEST <= dpi <= _MOST):
        raise ChoiceError(
            f"No size {key!r}; there are {', '.join(SIZES)}, also with dots to the inch like a4@150 "
            f"({_FEWEST} to {_MOST})."
        )
    full = SIZES[name]
    wide, high = full.inches
    return Size(round(wide * dpi), round(high * dpi), dpi) if at else full
