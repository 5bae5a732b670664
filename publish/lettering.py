"""The type of everything drawn: Noto Sans in three scripts, measured and broken into lines before it is drawn.

Noto Sans comes in wheels as one variable font a script. matplotlib draws the default instance of a variable font
only, so the bold of a script is made once by fontTools, from the letters that are needed, and kept in the cache
(0.4 s for Latin, 0.7 s for Arabic, 2 s for Devanagari; the whole font would take half a minute). What Noto Sans
lacks is drawn in DejaVu Sans, which comes with matplotlib, and what that lacks as a box.

Widths are measured without hinting at one size and scaled, so that a line breaks at the same word in PNG, SVG
and PDF. Text is shaped by libraqm inside matplotlib; each line is shaped alone and therefore begins with a mark
that says which way the page runs, else a line of an Arabic sentence that begins with ``WHO`` would run the other way.

What surprised us: matplotlib keeps fonts, a cache of layouts and its settings for the whole process and is not
made for threads, and a server draws in threads: whoever draws holds :data:`DRAWING`.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

from matplotlib.font_manager import FontEntry, FontProperties, fontManager
from matplotlib.textpath import text_to_path

from situation.settings import settings

#: Held by whoever draws or measures: one picture at a time in a process.
DRAWING = threading.RLock()

_WHEELS = {
    "latin": ("fontpkg_noto_sans", "NotoSans[wdth,wght].ttf"),
    "arabic": ("fontpkg_noto_sans_arabic", "NotoSansArabic[wdth,wght].ttf"),
    "devanagari": ("fontpkg_noto_sans_devanagari", "NotoSansDevanagari[wdth,wght].ttf"),
}
#: First and last sign of the blocks that the bold of a script holds.
_BLOCKS = {
    "latin": ((0x20, 0x17F), (0x2010, 0x2044), (0x2070, 0x2094), (0x20AC, 0x20AC), (0x2190, 0x2193), (0x2264, 0x2265)),
    "further": ((0x180, 0x24F), (0x1E00, 0x1EFF)),
    "greek": ((0x370, 0x3FF),),
    "cyrillic": ((0x400, 0x52F),),
    "arabic": ((0x600, 0x6FF), (0x750, 0x77F), (0x200C, 0x200F), (0x20, 0x20), (0x30, 0x39)),
    "devanagari": ((0x900, 0x97F), (0xA8E0, 0xA8FF), (0x200C, 0x200D), (0x20, 0x20), (0x25CC, 0x25CC)),
}  # fmt: skip
_LAST = "DejaVu Sans"
_BOLD = 700
_KEPT = "4"  # goes up when the bold is made otherwise
_LEADING, _TALL_LEADING = 1.3, 1.5  # of the size; scripts with marks above and below want more
_RISE, _TALL_RISE = 1.0, 1.06  # of the size, from the top of a line to its baseline
_TALL = ("ar", "hi", "fa", "ur", "ne", "mr")
_BREAK_AFTER = re.compile(r"(?<=[/?&=,;_])(?=[^\s/])")
_RTL = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"
_RIGHT_TO_LEFT = re.compile(f"[{_RTL}]")
_WORD = f"[^\\s{_RTL}]*[A-Za-z\u00b5\u00c0-\u024f\u0370-\u058f\u0900-\u0dff][^\\s{_RTL}]*"
_GAP = "[ \u00a0\u202f]"
_SIGNED = "[+\u2212-][0-9][0-9.,\u202f]*"
#: What runs from left to right within a line that runs the other way: words in Latin letters with the number
#: before them, dates, and numbers with a sign (a plus would end up behind its number) or after a comparison;
#: numbers alone and their brackets are turned rightly without help.
_NUMBER = "\\(?[+\u2212-]?[0-9][0-9.,:/°%\u202f-]*\\)?[.,;:]?"
_FOREIGN = re.compile(
    f"(?:{_NUMBER}{_GAP})*{_WORD}(?:{_GAP}(?:{_WORD}|{_NUMBER}|[<>=]{_GAP}{_NUMBER}))*"
    f"|[0-9]+(?:[-:/.][0-9]+)+|{_SIGNED}"
)
ELLIPSIS = "…"


def figure(n: float) -> str:
    r"""Write a number with its thousands apart.

    >>> figure(1746), figure(0.5)
    ('1\u202f746', '0.5')
    """
    return f"{n:,.10g}".replace(",", "\u202f")


@dataclass(frozen=True)
class Face:
    """One way to set text: bold or not, which way the page runs, and how far lines stand apart."""

    bold: bool = False
    right_to_left: bool = False
    tall: bool = False

    @property
    def leading(self) -> float:
        """From line to line, of the size."""
        return _TALL_LEADING if self.tall else _LEADING

    @property
    def rise(self) -> float:
        """From the top of a line to its baseline, of the size."""
        return _TALL_RISE if self.tall else _RISE

    def directed(self, line: str) -> str:
        """Give a line with the marks that say which way it and what is foreign in it run."""
        if not _RIGHT_TO_LEFT.search(line):
            return "\u200e" + line if self.right_to_left else line
        return "\u200f" + _isolated(line) if self.right_to_left else "\u200e" + line

    def width(self, line: str) -> float:
        """Measure a line set at size 1."""
        return _width(self.directed(line), self.bold)

    def font(self, text: str, size: float) -> FontProperties:
        """Give the fonts that a text is drawn with, the first that has a sign first."""
        return FontProperties(
            family=list(_families(_scripts(text) if self.bold else (), self.bold)), size=size
        )


def face_of(language: str, *, bold: bool = False, right_to_left: bool = False) -> Face:
    """Choose how text of a language is set."""
    return Face(bold, right_to_left, language.split("-")[0] in _TALL)


def _isolated(line: str) -> str:
    """Hold quantities, dates and names in Latin letters together in a line that runs the other way."""
    return _FOREIGN.sub(lambda found: _held(found[0]), line)


def _held(text: str) -> str:
    """Put a run into an isolate, without the punctuation and the brackets that are the sentence's."""
    core = text.rstrip(".,;:!?·")
    if core.endswith(")") and core.count(")") > core.count("("):
        core = core[:-1]
    start = 1 if core.startswith("(") and core.count("(") > core.count(")") else 0
    return f"{core[:start]}\u2066{core[start:]}\u2069{text[len(core) :]}"


@lru_cache(maxsize=30_000)
def _width(line: str, bold: bool) -> float:
    with DRAWING:
        font = Face(bold).font(line, 100.0)
        return float(text_to_path.get_text_width_height_descent(line, font, False)[0]) / 100.0


# ---- the fonts ----------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _scripts(text: str) -> tuple[str, ...]:
    """Name the bolds that a text needs, Latin always; the first blocks of a script are its own letters."""
    signs = {ord(sign) for sign in text}
    needed = [
        script
        for script, blocks in _BLOCKS.items()
        if any(first <= sign <= last for sign in signs for first, last in blocks[:2])
    ]
    return tuple(dict.fromkeys(["latin", *needed]))


def _families(scripts: Sequence[str], bold: bool) -> tuple[str, ...]:
    names = [_bold(script) for script in scripts] if bold else []
    return (*names, *(_regular(script) for script in _WHEELS), _LAST)


@cache
def _regular(script: str) -> str:
    return _known(f"Commonsight {script}", _file(script))


@cache
def _bold(script: str) -> str:
    with DRAWING:
        return _known(f"Commonsight bold {script}", _bold_file(script))


def _known(name: str, path: Path) -> str:
    """Make a font known to matplotlib under a name of ours, which no font of the machine bears."""
    fontManager.ttflist.append(FontEntry(fname=str(path), name=name, weight=400))
    return name


def _file(script: str) -> Path:
    package, name = _WHEELS.get(script, _WHEELS["latin"])
    found = find_spec(package)
    if found is None or found.origin is None:  # pragma: no cover - the lock file lists it
        raise ModuleNotFoundError(f"The package {package} is missing; install what requirements.lock lists.")
    return Path(found.origin).parent / "files" / name


def _bold_file(script: str) -> Path:
    """Find the bold of a script in the cache, or make it; without a cache to write to, for this process only."""
    source = _file(script)
    name = f"{script}-{_BOLD}-{_KEPT}-{source.stat().st_size}.ttf"
    kept = settings().var / "cache" / "type" / name
    if not kept.is_file():
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            _make_bold(script, source, kept)
        except OSError:
            kept = Path(tempfile.mkdtemp(prefix="commonsight-type-")) / name
            _make_bold(script, source, kept)
    return kept


def _make_bold(script: str, source: Path, target: Path) -> None:
    from fontTools import subset  # type: ignore[import-untyped]
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
    from fontTools.varLib import instancer  # type: ignore[import-untyped]

    font = TTFont(source, lazy=True, recalcTimestamp=False)
    shaped = script in ("arabic", "devanagari")
    if not shaped and "GSUB" in font:
        del font["GSUB"]
    options = subset.Options(layout_features=["*"] if shaped else ["kern", "mark"], hinting=False,
                             notdef_outline=True, glyph_names=False)  # fmt: skip
    cut = subset.Subsetter(options)
    cut.populate(unicodes=[sign for first, last in _BLOCKS[script] for sign in range(first, last + 1)])
    cut.subset(font)
    font = instancer.instantiateVariableFont(font, {"wght": _BOLD, "wdth": 100}, inplace=True)
    # SVG names a glyph after its font; a bold of the same name would be drawn with the other's outlines.
    for record in font["name"].names:
        if record.nameID == 6:
            record.string = f"CommonsightBold-{script}"
    handle, half = tempfile.mkstemp(dir=target.parent, suffix=".part")
    os.close(handle)
    font.save(half)
    Path(half).replace(target)


# ---- lines --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lines:
    """A text broken into lines of one size (points), and whether some of it was left out."""

    lines: tuple[str, ...]
    size: float
    face: Face
    shortened: bool = False

    @property
    def high(self) -> float:
        """Height of all lines, points."""
        return len(self.lines) * self.size * self.face.leading

    @property
    def wide(self) -> float:
        """Width of the longest line, points."""
        return max((self.face.width(line) * self.size for line in self.lines), default=0.0)


def wrapped(text: str, wide: float, size: float, face: Face, most: int | None = None) -> Lines:
    """Break a text into lines; words that are too long are broken inside.

    Parameters
    ----------
    text : str
        Clean (:func:`situation.visible.one_line`).
    wide, size : float
        Width of the lines and size of the type, points.
    face : Face
        How it is set.
    most : int, optional
        So many lines at most; what does not fit ends at a word with an ellipsis.
    """
    lines = _broken(text, wide / size, face)
    if most is None or len(lines) <= most:
        return Lines(tuple(lines), size, face)
    last = _with_ellipsis(lines[most - 1], wide / size, face)
    return Lines((*lines[: most - 1], last), size, face, shortened=True)


def _broken(text: str, room: float, face: Face) -> list[str]:
    """Break a text; words are measured one by one, so that the next try at another size measures none anew."""
    lines: list[str] = []
    line, long = "", 0.0
    for piece in _pieces(text):
        wide = face.width(piece.rstrip(" "))
        if line and long + wide > room:
            lines.append(line.rstrip(" "))
            line, long = "", 0.0
        line += piece
        long += wide + face.width(" ") * (len(piece) - len(piece.rstrip(" ")))
        while wide > room and len(line.rstrip(" ")) > 1:
            head = _head(line.rstrip(" "), room, face)
            lines.append(head)
            line = line[len(head) :].lstrip(" ")
            long = wide = face.width(line.rstrip(" "))
            long += face.width(" ") * (len(line) - len(line.rstrip(" ")))
    return [*lines, line.rstrip(" ")] if line.strip(" ") else lines


def _pieces(text: str) -> Iterable[str]:
    """Give what a line may be broken after: words with their space, parts of long addresses."""
    for word in re.findall("[^ ]+ *", text):
        yield from _BREAK_AFTER.split(word) if len(word) > 24 else (word,)


def _head(word: str, room: float, face: Face) -> str:
    """Give as much of a long word as fits, never less than one sign with what hangs on it."""
    low, high = 1, len(word)
    while low < high:
        middle = (low + high + 1) // 2
        if face.width(word[:middle]) <= room:
            low = middle
        else:
            high = middle - 1
    while low > 1 and low < len(word) and _hangs(word, low):
        low -= 1
    return word[:low]


def _hangs(word: str, at: int) -> bool:
    """Say whether the sign at a place belongs to the one before it: a mark, or joined by a joiner or virama."""
    return (
        unicodedata.category(word[at])[0] == "M"
        or word[at] in "\u200c\u200d"
        or word[at - 1] in "\u200d\u094d"
    )


def _with_ellipsis(line: str, room: float, face: Face) -> str:
    words = line.split(" ")
    while len(words) > 1 and face.width(" ".join(words).rstrip(",;:.– ") + ELLIPSIS) > room:
        words.pop()
    kept = " ".join(words).rstrip(",;:.– ")
    if face.width(kept + ELLIPSIS) > room:
        kept = _head(kept, max(room - face.width(ELLIPSIS), 0), face)
    return kept + ELLIPSIS


def fitted(text: str, wide: float, high: float, *, size: float, least: float, face: Face) -> Lines:
    """Set a text into a box: as large as it goes, smaller down to the floor, then shortened at a word.

    Parameters
    ----------
    text : str
        Clean.
    wide, high : float
        The box, points.
    size, least : float
        Wished size and the floor, points.
    face : Face
        How it is set.
    """
    now = size
    while True:
        most = max(1, int(high / (now * face.leading) + 1e-6))
        found = wrapped(text, wide, now, face, most)
        if not found.shortened or now <= least:
            return found
        now = max(least, now * 0.96)
