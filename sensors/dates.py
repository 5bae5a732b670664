"""Reads dates and times as people and programs write them, to UTC, with how exact they are.

A date alone is a day of the calendar: it becomes midnight UTC of that date with precision ``day``,
whatever the zone, so that no map shows the day before. A time without a zone is read in the zone of the
topic and says so (``assumed``). ``04/03/2026`` is read only once somebody has said which comes first.

What surprised us: Excel turns dates into numbers (46085) in one column out of two; programs write
midnight for "no time known", so a column that knows only midnights holds days; dots between the
numbers are day first everywhere they are used; IST is three zones, so it is none.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from sensors.distinct import distinct, texts_at, words

PRECISIONS = ("year", "month", "day", "hour", "minute", "second")

_MONTH_WORDS = (
    "jan january janvier janv enero ene janeiro januar jänner jaenner januari يناير جانفي كانون_الثاني जनवरी",
    "feb february février fevrier févr fevr fév fev febrero fevereiro februar februari فبراير فيفري شباط फ़रवरी फरवरी",
    "mar march mars marzo março marco märz maerz mrz maart mrt مارس آذار اذار मार्च",
    "apr april avril avr abril abr أبريل ابريل إبريل أفريل نيسان अप्रैल",
    "may mai mayo maio mei ماي مايو أيار ايار मई",
    "jun june juin junio junho juni يونيو يونيه جوان حزيران जून",
    "jul july juillet juil julio julho juli يوليو يوليه يوليوز جويلية تموز जुलाई",
    "aug august août aout aoû agosto ago augustus أغسطس اغسطس أوت غشت آب अगस्त",
    "sep sept september septembre septiembre setiembre setembro set سبتمبر شتنبر أيلول ايلول सितंबर सितम्बर",
    "oct october octobre octubre outubro out oktober okt أكتوبر اكتوبر تشرين_الأول अक्टूबर अक्तूबर",
    "nov november novembre noviembre novembro نوفمبر نونبر تشرين_الثاني नवंबर नवम्बर",
    "dec december décembre decembre déc diciembre dic dezembro dez dezember ديسمبر دجنبر كانون_الأول दिसंबर दिसम्बर",
)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


#: Month names of the languages we ship -> 1 … 12.
MONTHS: Mapping[str, int] = {
    _plain(word.replace("_", " ")): number
    for number, listed in enumerate(_MONTH_WORDS, 1)
    for word in listed.split()
}

#: Abbreviations that mean one zone (those of WQX and Africa's and Europe's) -> minutes east of Greenwich.
ZONES: Mapping[str, int] = {
    **dict.fromkeys(("utc", "gmt", "z", "ut", "zulu"), 0),
    **{"est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420},
    **{"akst": -540, "akdt": -480, "hst": -600, "hast": -600, "hadt": -540, "ast": -240, "adt": -180},
    **{"nst": -210, "ndt": -150, "sst": -660, "chst": 600, "wet": 0, "west": 60, "cet": 60, "cest": 120},
    **{"eet": 120, "eest": 180, "wat": 60, "cat": 120, "eat": 180, "sast": 120, "msk": 180},
}  # fmt: skip

_ISO = r"^(?P<wall>\d{4}-\d{2}-\d{2}(?:[T ]\d{2}(?::\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?)?)\s?(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)?$"
_NUMERIC = (
    r"^(?P<a>\d{1,4})(?P<mark>[-/.])(?P<b>\d{1,2})[-/.](?P<c>\d{4}|\d{1,2})"
    r"(?:[T ,]+(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,]\d{1,9})?)?\s?(?P<half>[AaPp]\.?\s?[Mm]\.?)?)?"
    r"\s?(?P<zone>Z|[+-]\d{2}:?\d{2}|[A-Za-z]{3,4})?$"
)
_TIME = re.compile(
    r"(?P<H>\d{1,2})\s*(?:[:h.]\s*(?P<M>\d{2})(?:\s*[:m.]?\s*(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?\s*s?)?)?\s*(?:h|uhr|hrs?)?\s*"
    r"(?P<half>[ap]\.?\s?m\.?)?\s*(?P<zone>z|(?:utc|gmt)?\s?[+-]\d{1,2}(?::?\d{2})?|[a-z]{2,5})?(?:\s*\([^)]*\))?",
    re.I,
)
_NUMBERS = re.compile(r"\d+")
_COMPACT = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)(?:[T ]?(\d\d)(\d\d)(\d\d)?)?(Z)?")
_ORDERS = {"dmy": (2, 1, 0), "mdy": (2, 0, 1), "ymd": (0, 1, 2)}


class _Moment(NamedTuple):
    """What one distinct cell says: wall-clock time, how exact, offset in minutes, what is odd."""

    wall: dt.datetime | None
    precision: str | None = None
    offset: float = np.nan
    kind: str = ""
    reason: str | None = None


@dataclass
class _Read:
    """What many cells say, one array a field."""

    wall: Any  # datetime64[us], the clock on the wall
    precision: Any  # int8, place in PRECISIONS; -1 for none
    offset: Any  # float64, minutes; NaN where none is given, infinite where it is not known
    kind: Any  # int8, place in KINDS
    reason: Any  # object: text or None

    @classmethod
    def empty(cls, length: int) -> _Read:
        return cls(
            np.full(length, "NaT", "datetime64[us]"), np.full(length, -1, "int8"), np.full(length, np.nan),
            np.zeros(length, "int8"), np.full(length, None, object),
        )  # fmt: skip

    def take(self, places: Any) -> _Read:
        return _Read(*(getattr(self, field.name)[places] for field in fields(self)))

    def say(self, rows: Any, kind: str, reason: str) -> None:
        rows = rows & np.isin(self.kind, [KINDS.index(""), KINDS.index("serial")])
        self.kind[rows], self.reason[rows] = KINDS.index(kind), reason

    @property
    def known(self) -> Any:
        return ~np.isnat(self.wall)

    @property
    def clocked(self) -> Any:
        return self.known & (self.precision >= PRECISIONS.index("hour"))

    @property
    def at_midnight(self) -> Any:
        return self.known & (self.wall.astype("datetime64[D]") == self.wall)


KINDS = (
    "", "blank", "unreadable", "ambiguous_date", "serial", "future", "too_old", "dst_gap", "dst_twice", "unknown_zone",
    "time_unreadable",
)  # fmt: skip

_FIXES = {
    "unreadable": "a date such as 2026-03-04, or 2026-03-04T08:12:31+01:00",
    "ambiguous_date": "say whether the day or the month comes first; 2026-03-04 is never ambiguous",
    "future": "the date of the sample, which lies in the past",
    "too_old": "the date of the sample with its full year",
    "dst_gap": "the time with its offset, such as 02:30+02:00",
    "dst_twice": "the time with its offset, such as 02:30+02:00",
    "unknown_zone": "an offset such as +01:00, or a name such as Africa/Lome",
    "time_unreadable": "a time such as 08:12 or 08:12:31",
}


def date_order(values: pd.Series) -> str:
    """Tell in what order a column writes day, month and year.

    Returns
    -------
    str
        ``dmy`` or ``mdy`` where a cell proves it, ``mixed`` where cells prove both, ``ambiguous``
        where cells like 04/03/2026 leave it open, ``ymd`` where there is nothing to decide.

    Examples
    --------
    >>> date_order(pd.Series(["04/03/2026", "13/03/2026"])), date_order(pd.Series(["04/03/2026"]))
    ('dmy', 'ambiguous')
    """
    parts = _extracted(_plain_digits(distinct(values.dropna())[1]), _NUMERIC)
    parts = parts[parts["a"].str.len().le(2).fillna(False).to_numpy(bool)]
    if parts.empty:
        return "ymd"
    a, b, c = (parts[name].astype("int64") for name in "abc")
    long = parts["c"].str.len().eq(4)
    day_first = (a.gt(12) & (long | c.gt(31))) | (parts["mark"].eq(".") & b.le(12))
    month_first = b.gt(12) & b.le(31) & a.le(12)
    if day_first.any() and month_first.any():
        return "mixed"
    if day_first.any() or month_first.any():
        return "dmy" if day_first.any() else "mdy"
    return "ambiguous" if (a.ne(b) | ~long).any() else "ymd"


def _plain_digits(texts: pa.Array) -> pa.Array:
    """Trim cells and write digits of any script as 0 to 9."""
    texts = pc.utf8_trim_whitespace(texts)
    if pc.all(pc.string_is_ascii(texts)).as_py():
        return texts
    return pa.array([_digits(text) for text in texts.to_pylist()], pa.large_string())


def _digits(text: str) -> str:
    text = text.strip()
    if text.isascii():
        return text
    plain = (
        str(unicodedata.digit(letter)) if unicodedata.category(letter) == "Nd" else letter for letter in text
    )
    return re.sub(
        r"[\s\u00a0\u202f]+", " ", re.sub("[\u200b-\u200f\u202a-\u202e\ufeff]", "", "".join(plain))
    ).strip()


def _extracted(texts: pa.Array, pattern: str) -> pd.DataFrame:
    """Give the named groups of the texts that match, by their place in *texts*."""
    groups = pc.extract_regex(texts, pattern)
    places = np.flatnonzero(groups.is_valid().to_numpy(zero_copy_only=False))
    kept = groups.take(pa.array(places))
    names = [kept.type.field(at).name for at in range(kept.type.num_fields)]
    return pd.DataFrame(
        {name: kept.field(at).to_pandas() for at, name in enumerate(names)}, dtype="str"
    ).set_index(pd.Index(places, dtype="int64"))


def read_times(
    dates: pd.Series,
    times: pd.Series | None = None,
    zones: pd.Series | str | None = None,
    *,
    order: str | None = None,
    default_zone: str = "UTC",
    months: Mapping[str, int] | None = None,
    epoch_1904: bool = False,
    midnight_is_day: bool | None = None,
    now: pd.Timestamp | None = None,
) -> pd.DataFrame:
    """Read dates, with times and zones that stand beside them, to UTC.

    Parameters
    ----------
    dates : Series of str
        Dates, or dates with times.
    times : Series of str, optional
        Times of the day; used where the date's own time is missing or midnight.
    zones : Series of str, or str, optional
        A column of zones (``given``), or the one zone that the source documents (``documented``):
        an offset, an abbreviation of :data:`ZONES` or a name such as ``Africa/Lome``.
    order : {"dmy", "mdy", "ymd"}, optional
        What ``04/03/2026`` means; without it such cells have kind ``ambiguous_date`` and no time.
    default_zone : str
        Zone of what names none (``assumed``).
    months : mapping, optional
        Month names of further languages, casefolded -> 1 … 12.
    epoch_1904 : bool
        Whether serial numbers count from 1904 (old Excel for Macintosh).
    midnight_is_day : bool, optional
        Whether midnight means "no time known"; by default, if all these values are midnights.
    now : Timestamp, optional
        For tests: what counts as the future begins a day after it.

    Returns
    -------
    DataFrame
        With the index of *dates*: ``phenomenon_time`` (datetime64[us, UTC]; NaT where it cannot be
        read), ``phenomenon_time_precision``, ``time_zone_source``, ``kind``, ``reason``, ``fix``.
        ``kind`` is ``""``, or without a time ``blank``, ``unreadable``, ``ambiguous_date``; or, the
        time kept, ``serial``, ``future``, ``too_old``, ``dst_gap``, ``dst_twice``,
        ``unknown_zone``, ``time_unreadable``.

    Examples
    --------
    >>> read_times(pd.Series(["2026-03-04T08:12:31+01:00", "04/03/2026"]))["phenomenon_time"].tolist()
    [Timestamp('2026-03-04 07:12:31+0000', tz='UTC'), NaT]
    """
    known = {**MONTHS, **{_plain(word): number for word, number in (months or {}).items()}}
    today = now if now is not None else pd.Timestamp.now("UTC")
    codes, texts = distinct(dates)
    read = _read_distinct(_plain_digits(texts), order, known, epoch_1904, today.year)
    zone_texts: list[str | None] = [zones if isinstance(zones, str) else None]
    zone_codes = np.zeros(len(texts), "int64")
    if times is not None or isinstance(zones, pd.Series):
        # Each combination of a date, a time and a zone is thought about once.
        time_codes, clocks = distinct(times) if times is not None else (0, pa.array([""]))
        row_zones, names = distinct(zones) if isinstance(zones, pd.Series) else (0, pa.array([""]))
        zone_texts = names.to_pylist() if isinstance(zones, pd.Series) else zone_texts
        keys = (codes * len(clocks) + time_codes) * max(len(names), 1) + row_zones
        keys, codes = np.unique(keys, return_inverse=True)
        keys, zone_codes = keys // max(len(names), 1), keys % max(len(names), 1)
        read = read.take(keys // max(len(clocks), 1))
        _add_times(read, clocks.to_pylist(), keys % max(len(clocks), 1))
    _midnights(read, midnight_is_day)
    found = [_zone(text or "") for text in zone_texts]
    source = "documented" if isinstance(zones, str) else "given"
    return _to_utc(read, found, zone_codes, source, default_zone, today, codes, dates.index)


def _read_distinct(
    texts: pa.Array, order: str | None, months: Mapping[str, int], epoch_1904: bool, year: int
) -> _Read:
    read = _Read.empty(len(texts))
    rest = _read_iso(read, texts)
    if len(rest):
        rest = rest[_read_numeric(read, texts.take(pa.array(rest)), rest, order, year)]
    for at, text in zip(rest.tolist(), texts.take(pa.array(rest)).to_pylist(), strict=True):
        moment = _in_words(text, order, months, epoch_1904, year)
        read.wall[at] = np.datetime64(moment.wall, "us") if moment.wall else "NaT"
        read.precision[at] = PRECISIONS.index(moment.precision) if moment.precision else -1
        read.offset[at], read.kind[at], read.reason[at] = (
            moment.offset,
            KINDS.index(moment.kind),
            moment.reason,
        )
    return read


def _read_iso(read: _Read, texts: pa.Array) -> Any:
    """Read ISO 8601, all at once; give the places of what is not."""
    fits = pc.match_substring_regex(texts, _ISO)
    places = np.flatnonzero(fits.to_numpy(zero_copy_only=False))
    if not len(places):
        return np.arange(len(texts))
    own = texts if len(places) == len(texts) else texts.take(pa.array(places))
    offset = np.full(len(own), np.nan)
    lengths = pc.utf8_length(own).to_numpy(zero_copy_only=False)
    if lengths.max() > 10:
        zoned = np.flatnonzero(
            pc.match_substring_regex(own, r":.*[Z+-]|[T ]\d\d[Z+-]|Z$").to_numpy(zero_copy_only=False)
        )
        if len(zoned):
            parts = _extracted(own.take(pa.array(zoned)), _ISO)
            offset[zoned] = _offsets(parts["zone"])
            walls = pa.array(texts_at(zoned, parts["wall"].tolist(), len(own)), pa.large_string())
            own = pc.coalesce(walls, own)
            lengths = pc.utf8_length(own).to_numpy(zero_copy_only=False)
    wall = _iso_walls(own)
    good = ~np.isnat(wall)
    places = places[good]
    read.wall[places], read.offset[places] = wall[good], offset[good]
    read.precision[places] = np.select([lengths <= 10, lengths <= 13, lengths <= 16], [2, 3, 4], 5)[good]
    rest = np.ones(len(texts), bool)
    rest[places] = False
    return np.flatnonzero(rest)


def _iso_walls(texts: pa.Array) -> Any:
    try:
        return pc.cast(texts, pa.timestamp("us")).to_numpy(zero_copy_only=False).astype("datetime64[us]")
    except pa.ArrowInvalid:  # a 30th of February among them, or more digits than microseconds
        column = pd.to_datetime(pd.Series(texts.to_pylist(), dtype="str"), format="ISO8601", errors="coerce")
        return column.to_numpy("datetime64[us]")


def _offsets(zones: pd.Series) -> Any:
    # Minutes; NaN where nothing is written, infinity where it is not a zone we know.
    codes, texts = distinct(zones)
    minutes = np.array([offset_minutes(zone) for zone in texts.to_pylist()] or [np.nan], dtype="float64")
    return minutes[codes]


def offset_minutes(zone: str) -> float:
    """Read an offset or abbreviation; NaN for nothing, infinity for one that is not known.

    Examples
    --------
    >>> [offset_minutes(zone) for zone in ("Z", "+01:00", "-0530", "CST", "UTC+1", "IST")]
    [0.0, 60.0, -330.0, -360.0, 60.0, inf]
    """
    text = zone.strip().casefold()
    if not text:
        return float("nan")
    if text in ZONES:
        return float(ZONES[text])
    found = re.fullmatch(r"(?:utc|gmt)?\s*([+-−])\s*(\d{1,2})(?::?(\d{2}))?", text)
    if not found or int(found[2]) > 14 or int(found[3] or 0) > 59:
        return float("inf")
    return (-1.0 if found[1] in "-−" else 1.0) * (60 * int(found[2]) + int(found[3] or 0))


def _read_numeric(read: _Read, texts: pa.Array, places: Any, order: str | None, year: int) -> Any:
    """Read dates of three numbers, all at once; tell which of the texts are none."""
    parts = _extracted(texts, _NUMERIC)
    rest = np.ones(len(texts), bool)
    rest[parts.index] = False
    if len(parts):
        _settle_numeric(read, parts, places[parts.index], order, year)
    return rest


def _settle_numeric(read: _Read, parts: pd.DataFrame, places: Any, order: str | None, year: int) -> None:
    a, b, c = (parts[name].astype("int64").to_numpy() for name in "abc")
    first_long = parts["a"].str.len().ge(3).to_numpy(bool)
    last_long = parts["c"].str.len().eq(4).to_numpy(bool)
    dots = parts["mark"].eq(".").to_numpy(bool)
    day_first = ~first_long & ((dots & (b <= 12)) | (last_long & (a > 12)) | (order == "dmy"))
    month_first = ~first_long & ~day_first & ((last_long & (b > 12)) | (order == "mdy"))
    if order in ("dmy", "mdy"):  # what the file was said to do holds for every cell
        day_first = ~first_long & ((order == "dmy") | (dots & (b <= 12)))
        month_first = ~first_long & ~day_first
    year_first = first_long | ((order == "ymd") & ~day_first & ~month_first & ~last_long)
    same = ~first_long & last_long & (a == b)
    settled = day_first | month_first | year_first | same
    y = np.where(year_first, a, c)
    short = np.where(year_first, ~first_long, ~last_long)
    y = np.where(short, y + np.where(y > year % 100 + 1, 1900, 2000), y)
    m = np.where(year_first, b, np.where(month_first, a, b))
    d = np.where(year_first, c, np.where(month_first, b, a))
    wall, precision, good = _clock(parts, y, m, d)
    read.wall[places] = np.where(settled & good, wall, np.datetime64("NaT"))
    read.precision[places], read.offset[places] = precision, _offsets(parts["zone"])
    bad = np.flatnonzero(~settled | ~good)
    if len(bad):
        read.kind[places[bad]] = np.where(settled, KINDS.index("unreadable"), KINDS.index("ambiguous_date"))[
            bad
        ]
        wrong = f" is not a day of the calendar{f' in the order {order}' if order else ''}"
        why = np.where(settled, wrong, " can be read with the day or the month first")
        read.reason[places[bad]] = _source_text(parts.iloc[bad]) + why[bad].astype(object)


def _source_text(parts: pd.DataFrame) -> Any:
    return (parts["a"] + parts["mark"] + parts["b"] + parts["mark"] + parts["c"]).to_numpy(object)


def _whole(texts: pd.Series) -> Any:
    return texts.where(texts.ne(""), "0").fillna("0").astype("int64").to_numpy()


def _clock(parts: pd.DataFrame, y: Any, m: Any, d: Any) -> tuple[Any, Any, Any]:
    hour, minute, second = (_whole(parts[name]) for name in "HMS")
    half = parts["half"].fillna("").str.slice(0, 1).str.lower()
    hour = np.where(half.eq("p") & (hour < 12), hour + 12, np.where(half.eq("a") & (hour == 12), 0, hour))
    good = (
        (m >= 1) & (m <= 12) & (d >= 1) & (d <= 31) & (y >= 1) & (hour <= 24) & (minute < 60) & (second < 61)
    )
    months = (np.where(good, y, 1970) - 1970) * 12 + np.where(good, m, 1) - 1
    start = months.astype("datetime64[M]").astype("datetime64[D]")
    days = start + (np.where(good, d, 1) - 1)
    good &= days.astype("datetime64[M]") == start.astype("datetime64[M]")
    wall = days.astype("datetime64[us]") + ((hour * 60 + minute) * 60 + second) * np.timedelta64(
        1_000_000, "us"
    )
    has = parts[["M", "S"]].fillna("").ne("")
    return wall, np.select([has["S"], has["M"]], [5, 4], 2), good


def _in_words(
    text: str, order: str | None, months: Mapping[str, int], epoch_1904: bool, year: int
) -> _Moment:
    """Read one cell that is neither ISO nor three numbers."""
    if not text:
        return _Moment(None, kind="blank")
    try:
        return (
            _number_alone(text, epoch_1904)
            or _year_month(text)
            or _month_name(text, order, months, year)
            or _Moment(None, kind="unreadable", reason=f"{text[:60]!r} is not a date")
        )
    except (ValueError, OverflowError):
        return _Moment(None, kind="unreadable", reason=f"{text[:60]!r} is not a day of the calendar")


def _number_alone(text: str, epoch_1904: bool) -> _Moment | None:
    if re.fullmatch(r"[12]\d{3}(?:\.0+)?", text):
        return _Moment(dt.datetime(int(text[:4]), 1, 1), "year")
    if re.fullmatch(r"[1-6]\d{4}(?:[.,]\d+)?", text):
        start = dt.datetime(1904, 1, 1) if epoch_1904 else dt.datetime(1899, 12, 30)
        seconds = round(float(text.replace(",", ".")) * 86400)
        precision = "day" if seconds % 86400 == 0 else "second"
        return _Moment(start + dt.timedelta(seconds=seconds), precision, kind="serial")
    compact = _COMPACT.fullmatch(text)
    if compact:
        y, m, d, hour, minute, second = (int(part or 0) for part in compact.groups()[:6])
        precision = "day" if compact[4] is None else "second" if compact[6] else "minute"
        return _Moment(dt.datetime(y, m, d, hour, minute, second), precision, 0.0 if compact[7] else np.nan)
    if re.fullmatch(r"1\d{9}(?:\d{3})?(?:\.\d+)?", text):
        whole = int(text.split(".")[0])
        since = dt.timedelta(milliseconds=whole if whole >= 10**12 else 1000 * whole)
        return _Moment(dt.datetime(1970, 1, 1) + since, "second", 0.0)
    return None


def _year_month(text: str) -> _Moment | None:
    found = re.fullmatch(
        r"(?P<y>(?:19|20)\d\d)\s?[-/.]\s?(?P<m>\d{1,2})|(?P<m2>\d{1,2})\s?[-/.]\s?(?P<y2>(?:19|20)\d\d)", text
    )
    if not found:
        return None
    return _Moment(dt.datetime(int(found["y"] or found["y2"]), int(found["m"] or found["m2"]), 1), "month")


def _month_name(text: str, order: str | None, months: Mapping[str, int], year: int) -> _Moment | None:
    """Read ``Mar 4, 2026 8:25:11 AM``, ``4. März 2026``, ``Wed Mar 04 2026 08:12:31 GMT+0100 (CET)``, ``mars 2026``."""
    plain = _plain(text)
    clock = re.search(r"\d{1,2}\s?[:h]\s?\d{2}.*$|\b\d{1,2}\s?[ap]\.?m\.?.*$", plain)
    date = plain[: clock.start()] if clock else plain
    late_year = (
        re.search(r"(.*)\b((?:19|20)\d\d)$", clock[0])
        if clock and not re.search(r"(?:19|20)\d\d", date)
        else None
    )
    time = late_year[1] if late_year else clock[0] if clock else ""
    month = _find_month(date, months)
    numbers = [*_NUMBERS.findall(date), *([late_year[2]] if late_year else [])]
    if not month or not 1 <= len(numbers) <= 2 or len(date) > 60:
        return None
    if len(numbers) == 1:
        if len(numbers[0]) == 4:
            return _Moment(dt.datetime(int(numbers[0]), month, 1), "month")
        return _Moment(
            None, kind="ambiguous_date", reason=f"{text!r} can be a day or a year beside the month"
        )
    day, y = (numbers[1], numbers[0]) if len(numbers[0]) == 4 else (numbers[0], numbers[1])
    full = int(y) if len(y) == 4 else int(y) + (1900 if int(y) > year % 100 + 1 else 2000)
    wall = dt.datetime(full, month, int(day))
    return _with_clock(wall, time) if time else _Moment(wall, "day")


def _find_month(date: str, months: Mapping[str, int]) -> int | None:
    words = [word for word in re.split(r"[\s\d.,/\-]+", date) if word]
    pairs = [f"{one} {two}" for one, two in zip(words, words[1:], strict=False)]
    hits = {months[word] for word in pairs if word in months} or {
        months[word] for word in words if word in months
    }
    return hits.pop() if len(hits) == 1 else None


def _with_clock(wall: dt.datetime, time: str) -> _Moment:
    clock = read_clock(time)
    if clock is None:
        return _Moment(
            wall, "day", kind="time_unreadable", reason=f"{time.strip()[:40]!r} is not a time of the day"
        )
    microseconds, precision, offset = clock
    return _Moment(wall + dt.timedelta(microseconds=microseconds), precision, offset)


def read_clock(text: str) -> tuple[int, str, float] | None:
    """Read a time of the day.

    Returns
    -------
    tuple of (int, str, float), or None
        Microseconds since midnight, precision, offset from UTC in minutes (NaN where none is given,
        infinity where it is not known).

    Examples
    --------
    >>> read_clock("8:25 PM")[:2], read_clock("08h12")[:2], read_clock("0.5")[:2], read_clock("noon")
    ((73500000000, 'minute'), (29520000000, 'minute'), (43200000000, 'second'), None)
    """
    text = _digits(text)
    text = re.sub(r"^\d{4}-\d{2}-\d{2}[T ]", "", text)
    if re.fullmatch(r"0?[.,]\d+|0|1", text):
        return round(float(text.replace(",", ".")) * 86400) * 1_000_000, "second", float("nan")
    if re.fullmatch(r"\d{3,4}", text):
        text = f"{text[:-2]}:{text[-2:]}"
    found = _TIME.fullmatch(text)
    if not found or not (found["M"] or found["half"] or "h" in text.casefold()):
        return None
    hour, minute, second = int(found["H"]), int(found["M"] or 0), int(found["S"] or 0)
    half = (found["half"] or "").casefold()[:1]
    if half and not 1 <= hour <= 12:
        return None
    hour = hour % 12 + 12 * (half == "p") if half else hour
    if minute > 59 or second > 60 or hour > 24 or (hour == 24 and minute + second):
        return None
    fraction = int((found["f"] or "0")[:6].ljust(6, "0"))
    precision = "second" if found["S"] else "minute" if found["M"] else "hour"
    return (
        ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction,
        precision,
        offset_minutes(found["zone"] or ""),
    )


def _add_times(read: _Read, texts: list[str], codes: Any) -> None:
    clocks = [read_clock(text) if text.strip() else None for text in texts]
    whole = read.at_midnight & (read.precision >= PRECISIONS.index("day"))
    good = np.array([clock is not None for clock in clocks], bool)[codes] & whole
    added, precision, own = (
        np.zeros(len(texts), "timedelta64[us]"),
        np.zeros(len(texts), "int8"),
        np.zeros(len(texts)),
    )
    for at, clock in enumerate(clocks):
        if clock:
            added[at], precision[at], own[at] = clock[0], PRECISIONS.index(clock[1]), clock[2]
    read.wall[good] += added[codes][good]
    read.precision[good] = precision[codes][good]
    zoned = good & ~np.isnan(own[codes])
    read.offset[zoned] = own[codes][zoned]
    for at, (text, clock) in enumerate(zip(texts, clocks, strict=True)):
        if text.strip() and not clock:
            read.say(whole & (codes == at), "time_unreadable", f"{text[:40]!r} is not a time of the day")


def _midnights(read: _Read, midnight_is_day: bool | None) -> None:
    midnight = read.clocked & read.at_midnight
    if midnight_is_day is None:
        midnight_is_day = bool(midnight.any() and midnight.sum() == read.clocked.sum())
    if midnight_is_day:
        read.precision[midnight] = PRECISIONS.index("day")


def _to_utc(
    read: _Read, zones: list[float | str | None], zone_codes: Any, source: str, default_zone: str,
    now: pd.Timestamp, codes: Any, index: pd.Index,
) -> pd.DataFrame:  # fmt: skip
    """Bring walls to UTC and give each row its own. *zones*: minutes, a name, ``?``, or None for none."""
    utc, clocked = read.wall.copy(), read.clocked
    given = clocked & np.isfinite(read.offset)
    utc[given] -= (read.offset[given] * 60e6).astype("timedelta64[us]")
    strange = clocked & np.isinf(read.offset)
    origin = np.where(given, 0, np.full(len(utc), 2, "int8"))
    for at, zone in enumerate(zones):
        own = read.known & (zone_codes == at) & ~given & ~strange
        if zone == "?":
            strange |= own & clocked
        elif zone is not None:
            origin[own] = 0 if source == "given" else 1
            _localise(read, utc, own & clocked, zone)
        elif (own & clocked).any():
            _localise(read, utc, own & clocked, _zone(default_zone) or 0.0)
    _localise(read, utc, strange, _zone(default_zone) or 0.0)
    read.say(strange, "unknown_zone", f"the zone of this time is not known; it was read in {default_zone}")
    read.say(
        utc > np.datetime64(now.tz_convert("UTC").tz_localize(None)) + np.timedelta64(1, "D"),
        "future",
        "the date lies in the future",
    )
    read.say(read.wall < np.datetime64("1900-01-01"), "too_old", "the date lies before 1900")
    said, reasons = pd.factorize(pd.Series(read.reason, dtype=object))
    missing = len(reasons)
    known = read.known
    return pd.DataFrame(
        {
            "phenomenon_time": pd.Series(utc[codes], index=index).dt.tz_localize("UTC"),
            "phenomenon_time_precision": words(
                np.where(known, read.precision, 6)[codes], [*PRECISIONS, None], index
            ),
            "time_zone_source": words(
                np.where(known, origin, 3)[codes], ["given", "documented", "assumed", None], index
            ),
            "kind": words(read.kind[codes], KINDS, index),
            "reason": words(np.where(said < 0, missing, said)[codes], [*reasons, None], index),
            "fix": words(read.kind[codes], [_FIXES.get(kind) for kind in KINDS], index),
        },
        index=index,
    )


def _zone(text: str) -> float | str | None:
    """Read the name of a zone: minutes, a name of the zone database, ``?``, or None for no text."""
    minutes = offset_minutes(text)
    if np.isnan(minutes):
        return None
    if np.isfinite(minutes):
        return minutes
    try:
        return zoneinfo.ZoneInfo(text.strip()).key
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return "?"


def _localise(read: _Read, utc: Any, rows: Any, zone: float | str) -> None:
    if isinstance(zone, float):
        utc[rows] -= np.timedelta64(int(zone * 60_000_000), "us")
        return
    walls = pd.DatetimeIndex(read.wall[rows])
    later = np.zeros(len(walls), bool)
    strict = walls.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    odd = strict.isna()
    if odd.any():
        # The clock is put back: the later of the two. It is put forward: the moment it was.
        second = walls[odd].tz_localize(zone, ambiguous=later[odd], nonexistent="NaT")
        places = np.flatnonzero(rows)[odd]
        for gap in (True, False):
            which = np.zeros(len(utc), bool)
            which[places[np.asarray(second.isna()) == gap]] = True
            read.say(which, *(_GAP if gap else _TWICE))
        strict = strict.where(~odd, walls.tz_localize(zone, ambiguous=later, nonexistent="shift_forward"))
    utc[rows] = strict.tz_convert("UTC").tz_localize(None).to_numpy("datetime64[us]")


_GAP = ("dst_gap", "the clocks of this zone skipped this time; the moment of the change was taken")
_TWICE = ("dst_twice", "the clocks of this zone showed this time twice; the later one was taken")
