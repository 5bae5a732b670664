"""Turns the bytes of a text file into UTF-8 with one kind of line end, and says what it assumed.

The file is a *snapshot*: as many bytes as it had when it was opened. A logger that is still writing to
it adds nothing to this reading, and one that rewrites it is noticed by its checksum.

What surprised us: a byte order mark is rare where it is needed and common where it is not; statistical
guessers take ten Spanish words for Hebrew, so the common case (a few accented letters in Latin text) is
decided by rule before they are asked; and one line pasted from an old computer can make a whole
UTF-8 file "not UTF-8", so single odd bytes are read as Windows-1252 rather than the file refused.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from situation.errors import FieldFileError, FileTooLarge
from situation.settings import Settings

CHUNK = 1 << 20
IN_MEMORY = 1 << 25  # a file up to 32 MB is held as it was when it was opened
SAMPLE = 1 << 16

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

#: First bytes of files that are not tables -> what they are and what would be right.
_MAGIC = (
    (b"%PDF", "a PDF; ask for the table as CSV or XLSX"),
    (b"\x89PNG", "a picture (PNG); type the readings into a table"),
    (b"\xff\xd8\xff", "a picture (JPEG); type the readings into a table"),
    (b"GIF8", "a picture (GIF); type the readings into a table"),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"BZh", "a bzip2 archive; unpack it first"),
    (b"\xfd7zXZ", "an xz archive; unpack it first"),
    (b"7z\xbc\xaf", "a 7-Zip archive; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"PAR1", "a Parquet file; save it as CSV"),
    (b"SQLite format 3", "a SQLite or GeoPackage database; export its table as CSV"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a program"),
)
_HTML = re.compile(
    rb"^\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(!doctype\s+html|html|table|meta|head|style)", re.I | re.S
)
_XML = re.compile(rb"^\s*<\?xml|^\s*<[A-Za-z][\w:.-]*[^<>]*>\s*<", re.I)
_JSON = re.compile(rb'^\s*(?:\{\s*"|\[\s*[\[{])')

_WESTERN = frozenset(
    "éèêëàâäáãåçñíìîïóòôöõúùûüýÿœæßøÉÈÊËÀÂÄÁÃÅÇÑÍÌÎÏÓÒÔÖÕÚÙÛÜÝŒÆØ°µ²³¹±·«»–—’‘“”…€£§ºª½¼¾×¿¡•‰\xa0\xad®©÷"
)
_GUESSES = [
    "cp1252", "cp1256", "cp1251", "cp1253", "cp1250", "cp1254", "cp1255", "cp1257", "cp1258", "cp874",
    "mac_roman", "cp850", "cp437", "cp852", "cp866", "koi8_r", "gb18030", "big5", "shift_jis", "euc_jp",
    "euc_kr",
]  # fmt: skip
_TITLES = {
    "cp1252": "Windows-1252 (Western European)",
    "cp1256": "Windows-1256 (Arabic)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1250": "Windows-1250 (Central European)",
    "cp1254": "Windows-1254 (Turkish)",
    "cp1255": "Windows-1255 (Hebrew)",
    "mac_roman": "Mac Roman",
    "cp850": "DOS 850 (Western European)",
}


@dataclass(frozen=True)
class Snapshot:
    """The first ``size`` bytes of a file, as they were when it was opened."""

    path: Path
    size: int
    data: bytes | None = None

    @property
    def name(self) -> str:
        """The file's name, for sentences."""
        return self.path.name

    @property
    def stored(self) -> int:
        """Bytes that the file itself had when it was opened."""
        return self.size

    def chunks(self, length: int = CHUNK) -> Iterator[bytes]:
        """Yield the bytes in order; never more than :attr:`size` of them.

        Raises
        ------
        FieldFileError
            If the file has become shorter.
        """
        if self.data is not None:
            yield from (self.data[at : at + length] for at in range(0, self.size, length))
            return
        left = self.size
        with self.path.open("rb") as file:
            while left:
                chunk = file.read(min(length, left))
                if not chunk:
                    raise FieldFileError(
                        f"{self.name} became shorter while it was read; close the program that writes it."
                    )
                left -= len(chunk)
                yield chunk

    def head(self, length: int = SAMPLE) -> bytes:
        """Give the first bytes."""
        return next(self.chunks(length), b"")


@dataclass
class Letters:
    """How bytes become letters, and what the whole file was seen to hold."""

    codec: str
    bom: bytes = b""
    patched: bool = False  # single bytes that are not UTF-8 are read as Windows-1252
    sha256: str = ""
    nuls: int = 0
    first_nul_line: int = 0
    warnings: list[str] = field(default_factory=list)


def snapshot(path: Path | str, settings: Settings) -> Snapshot:
    """Take the snapshot of a file.

    Raises
    ------
    FieldFileError
        If it is missing, a folder, empty or may not be read.
    FileTooLarge
        If it is over ``settings.max_upload_mb``.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise FieldFileError(f"{path.name} is a folder; give the files in it one by one.")
        if not path.is_file():
            raise FieldFileError(f"There is no file {path.name}; check the name and the folder.")
        size = path.stat().st_size
        _check_size(path, size, settings)
        data = None
        if size <= IN_MEMORY:
            with path.open("rb") as file:
                data = file.read(size)
            size = len(data)
    except OSError as wrong:
        raise FieldFileError(f"{path.name} cannot be opened: {wrong.strerror or wrong}.") from wrong
    return Snapshot(path, size, data)


def _check_size(path: Path, size: int, settings: Settings) -> None:
    if size == 0:
        raise FieldFileError(
            f"{path.name} is empty (0 bytes); export it again, with at least a header and one row."
        )
    if size > settings.max_upload_mb * 1_000_000:
        raise FileTooLarge(
            f"{path.name} has {size / 1e6:,.1f} MB; this installation takes up to {settings.max_upload_mb} MB. "
            "Split it, or ask the operator to raise COMMONSIGHT_MAX_UPLOAD_MB."
        )


def examine(shot: Snapshot) -> Letters:
    """Read the whole snapshot once: checksum, encoding, NUL characters.

    Raises
    ------
    FieldFileError
        If it is not text; says what it is.
    """
    head = shot.head()
    _refuse_other_kinds(shot.name, head)
    codec, bom = _marked(head)
    seen = _Scan(codec)
    for chunk in shot.chunks():
        seen.take(chunk)
    seen.finish()
    letters = Letters(codec, bom, sha256=seen.sha.hexdigest())
    wide = codec != "utf-8"
    if not wide:
        letters.nuls, letters.first_nul_line = seen.nuls, _line_of(shot, seen.first_nul) if seen.nuls else 0
        _refuse_binary(shot.name, head, seen)
        if not seen.valid:
            _settle_legacy(letters, bytes(seen.odd), head)
    elif not bom:
        letters.warnings.append(f"The file does not name its encoding; it was read as {codec.upper()}.")
    if letters.nuls:
        letters.warnings.append(
            f"{letters.nuls} NUL characters were left out, the first in line {letters.first_nul_line}; "
            "their rows were kept. A damaged disk or logger writes them: compare those rows with the original."
        )
    return letters


def _line_of(shot: Snapshot, place: int) -> int:
    feeds = returns = 0
    for chunk in shot.chunks():
        before = chunk[: max(place, 0)]
        feeds, returns, place = feeds + before.count(b"\n"), returns + before.count(b"\r"), place - len(chunk)
        if place <= 0:
            break
    return (feeds or returns) + 1


def checksum(shot: Snapshot) -> str:
    """Compute the SHA-256 of a snapshot, in hexadecimal."""
    sha = hashlib.sha256()
    for chunk in shot.chunks():
        sha.update(chunk)
    return sha.hexdigest()


class _Scan:
    """What one pass over all bytes finds out."""

    def __init__(self, codec: str) -> None:
        self.sha = hashlib.sha256()
        self.decoder = codecs.getincrementaldecoder("utf-8")("strict") if codec == "utf-8" else None
        self.valid = True
        self.odd = bytearray()  # lines with bytes beyond ASCII, some
        self.nuls = self.first_nul = self.bytes = 0

    def take(self, chunk: bytes) -> None:
        """Look at the next bytes."""
        self.sha.update(chunk)
        if self.decoder is None:
            return
        if len(self.odd) < SAMPLE and not chunk.isascii():
            odd = (line for line in chunk.splitlines() if not line.isascii())
            self.odd += b"\n".join(odd)[: 2 * SAMPLE]
        self._decode(chunk, False)
        if b"\x00" in chunk:
            if not self.nuls:
                self.first_nul = self.bytes + chunk.index(0)
            self.nuls += chunk.count(0)
        self.bytes += len(chunk)

    def finish(self) -> None:
        """Hear of a letter that the end of the file cuts off."""
        self._decode(b"", True)

    def _decode(self, chunk: bytes, final: bool) -> None:
        if self.decoder and self.valid:
            try:
                self.decoder.decode(chunk, final)
            except UnicodeDecodeError:
                self.valid = False


def _marked(head: bytes) -> tuple[str, bytes]:
    for bom, codec in _BOMS:
        if head.startswith(bom):
            return codec, bom
    return _unmarked_wide(head) or "utf-8", b""


def _unmarked_wide(head: bytes) -> str | None:
    # UTF-16 of mostly Latin text has a zero in every second byte, UTF-32 three in four.
    part = head[: 4096 - len(head[:4096]) % 4]
    if len(part) < 8 or b"\x00" not in part:
        return None
    quarter = len(part) / 4
    zeros = [part[at::4].count(0) / quarter for at in range(4)]
    if min(zeros[1:]) > 0.9 and zeros[0] < 0.1:
        return "utf-32-le"
    if min(zeros[:3]) > 0.9 and zeros[3] < 0.1:
        return "utf-32-be"
    if min(zeros[1], zeros[3]) > 0.5 and max(zeros[0], zeros[2]) < 0.1:
        return "utf-16-le"
    if min(zeros[0], zeros[2]) > 0.5 and max(zeros[1], zeros[3]) < 0.1:
        return "utf-16-be"
    return None


def _refuse_other_kinds(name: str, head: bytes) -> None:
    for magic, what in _MAGIC:
        if head.startswith(magic) and (len(magic) > 2 or b"\x00" in head[:256]):
            raise FieldFileError(f"{name} is {what}.")
    start = head[:4096].removeprefix(codecs.BOM_UTF8)
    if _HTML.match(start):
        raise FieldFileError(
            f"{name} is a web page, whatever its ending says; open it in a spreadsheet program and save it as CSV or XLSX."
        )
    if _JSON.match(start):
        raise FieldFileError(f"{name} is JSON, not a table; export it as CSV or XLSX.")
    if _XML.match(start):
        raise FieldFileError(
            f"{name} is XML, not a table; open it in a spreadsheet program and save it as CSV or XLSX."
        )


def _refuse_binary(name: str, head: bytes, seen: _Scan) -> None:
    controls = sum(head.count(code) for code in (*range(9), *range(14, 27), 28, 29, 30, 31, 127))
    share = controls / len(head)
    if share > 0.3 and len(head) > 16 or share > 0.05 and not seen.valid and len(head) > 64:
        raise FieldFileError(f"{name} is a binary file, not a table; a CSV or XLSX file would be right.")


def _settle_legacy(letters: Letters, odd: bytes, head: bytes) -> None:
    as_utf8 = odd.decode("utf-8", "surrogateescape")
    broken = sum("\udc80" <= letter <= "\udcff" for letter in as_utf8)
    whole = sum(letter > "\x7f" for letter in as_utf8) - broken
    if letters.bom or whole > 2 * broken:
        letters.patched = True
        letters.warnings.append(
            "Some bytes are not UTF-8 as the rest of the file is; they were read as Windows-1252."
        )
        return
    letters.codec = guess_legacy(odd) or "cp1252"
    title = _TITLES.get(letters.codec, letters.codec)
    letters.warnings.append(
        f"The file does not name its encoding; it was read as {title}. "
        "If names look wrong, save it again as UTF-8."
    )


def guess_legacy(sample: bytes) -> str | None:
    """Guess the 8-bit or East Asian encoding of lines that are not UTF-8.

    A few accented letters among Latin ones are Windows-1252; anything else is left to
    charset-normalizer.

    Examples
    --------
    >>> guess_legacy("Nappe phréatique à 3 m".encode("cp1252"))
    'cp1252'
    """
    text = sample.decode("cp1252", "replace")
    runs = re.findall(r"[^\x00-\x7f]+", text)
    letters = "".join(runs)
    common = sum(letter in _WESTERN for letter in letters) / max(len(letters), 1)
    if common > 0.95 and max(map(len, runs), default=0) <= 3 and len(letters) <= 1.34 * len(runs):
        return "cp1252"
    # Imported here: it takes a tenth of a second, and most files never need it.
    from charset_normalizer import from_bytes

    best = from_bytes(sample[:SAMPLE], cp_isolation=_GUESSES, steps=8, threshold=0.4).best()
    return best.encoding if best else None


def _odd_byte(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    odd = error.object[error.start : error.end]
    return odd.decode("cp1252", "replace"), error.end


codecs.register_error("commonsight-cp1252", _odd_byte)


def utf8_chunks(shot: Snapshot, letters: Letters, length: int = CHUNK) -> Iterator[bytes]:
    r"""Yield the text of a snapshot as UTF-8, every line end ``\n``, no byte order mark, no NUL.

    Raises
    ------
    FieldFileError
        If the bytes are no longer those that were examined.
    """
    sha = hashlib.sha256()
    plain = letters.codec == "utf-8" and not letters.patched
    errors = "commonsight-cp1252" if letters.patched else "replace"
    decoder = None if plain else codecs.getincrementaldecoder(letters.codec)(errors)
    skip, held = len(letters.bom), b""
    for chunk in shot.chunks(length):
        sha.update(chunk)
        if skip:
            chunk, skip = chunk[skip:], 0
        text = held + (chunk if decoder is None else decoder.decode(chunk).encode("utf-8", "replace"))
        # A carriage return at the end may be half of a line end.
        held = b"\r" if text.endswith(b"\r") else b""
        yield _one_line_end(text[: len(text) - len(held)])
    rest = held + (b"" if decoder is None else decoder.decode(b"", True).encode("utf-8", "replace"))
    if rest:
        yield _one_line_end(rest)
    if letters.sha256 and sha.hexdigest() != letters.sha256:
        raise FieldFileError(
            f"{shot.name} changed while it was read; close the program that writes it and try again."
        )


def _one_line_end(text: bytes) -> bytes:
    if b"\x00" in text:
        text = text.replace(b"\x00", b"")
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text
