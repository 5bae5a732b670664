"""Reads result cells: numbers, limits, words, and what is none of these.

A censored result never becomes a number: of ``<0,5`` only the limit 0.5 is kept, of ``ND`` not even
that. Cells are read once per distinct text, so a million rows cost what their distinct cells cost.

What surprised us: ``1,234`` is one thousand in Accra and one and a bit in Lomé; ``n.n.`` is German for
"not detected"; laboratories write 0.7999 where their limit is 0.8; ``3.2 E`` is an estimate and
``3.2E1`` is thirty-two.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from sensors.distinct import distinct

#: Word as :func:`word_key` writes it -> what it says. The same kinds are given by language files.
ND_WORDS: Mapping[str, str] = {
    word: kind
    for kind, listed in {
        "below_detection": "nd bd bdl bld bmdl bdt lod mdl dl nn notdetected nondetect nondetected nondetectable "
        "notdetectable undetected undetectable belowdetection belowdetectionlimit belowlod belowlimit blod",
        "below_quantification": "loq pql bql bloq bpql belowloq belowquantification "
        "belowquantificationlimit presentbelowquantificationlimit",
        "trace": "tr trace traces",
        "above": "tntc toonumeroustocount uncountable confluent overrange offscale",
        "missing": "na nan null nm nr notmeasured notsampled nottested notanalyzed notanalysed notavailable notreported "
        "nodata novalue missing void dry - -- --- … ... ? #na #div0! #value! #ref! #name? #num! #null!",
        "present": "present presence detected positive",
        "absent": "absent absence negative",
    }.items()
    for word in listed.split()
}

#: Numbers that loggers and databases write for "no value".
NO_VALUE = frozenset(
    {-999.0, -999.9, -999.99, -9999.0, -9999.9, -9999.99, -99999.0, -999999.0, -8888.0, -88888.0}
)
#: Numbers that may say "no value" or "beyond range" and may also have been measured.
PERHAPS_NO_VALUE = frozenset({9999.0, 99999.0, 999999.0, 9999.9, 9999.99, 8888.0, -99.0, -99.9, -99.99})

_BELOW = r"<\s*=|=\s*<|<|≤|⩽|≦|lt\.?(?=\s*\d)|less than|fewer than|below|under"
_ABOVE = r">\s*=|=\s*>|>|≥|⩾|≧|gt\.?(?=\s*\d)|greater than|more than|above|over"
_ABOUT = r"~|≈|∼|ca\.?|c\.(?=\s*\d)|approx\.?|about|circa|est\.?|e(?=\s*[-\d.,])|j(?=\s*[\d.,])"
_NUMBER = r"[-+]?\s?(?:\d[\d.,' ·]*|[.,·]\d+)(?:\s?[x*]\s?10\s?(?:\^|e)?\s?[-+]?\d+|e[-+]?\d+)?"
_CELL = re.compile(
    rf"(?P<sign>{_BELOW}|{_ABOVE}|{_ABOUT}|=)?\s*(?P<number>{_NUMBER})\s*"
    rf"(?:[(]?\s*(?:\+\s*/\s*-|\+-|±)\s*(?P<uncertainty>{_NUMBER})\s*(?P<share>%)?\s*[)]?)?\s*"
    r"(?P<flag>(?:uj|u|j|e|est\.?|\*+|†|\[[a-z]{1,2}\]|\([a-z]\))(?=\s*$))?"
    r"(?P<unit>\s*[^\W\d_][^<>=±|]{0,24}|\s*[%‰°][^<>=±|]{0,16})?",
    re.I,
)
_RANGE = re.compile(r"[-+]?\d[\d.,]*\s*(?:-|to|…|\.\.\.?)\s*\d[\d.,]*(?:\s*\D{0,12})?", re.I)
_ND_LIMIT = re.compile(
    rf"(?P<word>[a-z][a-z./ ]*?)\s*[\[(]?\s*[<@=:]?\s*(?P<number>{_NUMBER})\s*(?P<unit>[^\d\s<>()\[\]][^\d<>()\[\]]*)?[\])]?",
    re.I,
)
_LIMIT_ND = re.compile(
    rf"(?:{_BELOW})?\s*(?P<number>{_NUMBER})\s*[\[(]?\s*(?P<word>n\.?/?d\.?|bdl)\s*[\])]?", re.I
)
_LIKE_BELOW = re.compile(rf"(?:{_BELOW})\s*$", re.I)

_LETTERS = {
    **dict.fromkeys("−–‒﹣－", "-"),
    **dict.fromkeys("\u00a0\u2009\u202f\u2007\u2008\u200a\u2002\u2003\u3000\t\n\r", " "),
    **dict.fromkeys("’‘`´ʼ", "'"),
    **{"＜": "<", "＞": ">", "،": ",", "，": ",", "٬": "'", "×": "x", "٪": "%", "％": "%"},
    **dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+", strict=True)),
}
_INVISIBLE = re.compile("[\ufeff\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\u00ad\u061c]")


@dataclass
class _Read:
    """What one distinct cell says."""

    result: float = math.nan
    censoring: str = "text"
    detection_limit: float = math.nan
    detection_condition: str | None = None
    result_uncertainty: float = math.nan
    result_status: str | None = None
    unit_in_cell: str | None = None
    qualifier: str | None = None
    kind: str = ""
    reason: str | None = None
    fix: str | None = None


COLUMNS: Mapping[str, str] = {
    "result": "float64",
    "censoring": "str",
    "detection_limit": "float64",
    "detection_condition": "str",
    "result_uncertainty": "float64",
    "result_status": "str",
    "unit_in_cell": "str",
    "qualifier": "str",
    "kind": "str",
    "reason": "str",
    "fix": "str",
}


def read_results(
    values: pd.Series, *, decimal: str | None = None, nd_words: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Read result cells.

    Parameters
    ----------
    values : Series of str
        Cells as written; missing is ``""`` or NA.
    decimal : {"point", "comma"}, optional
        What marks decimals in this file. It matters only for cells like ``1,234`` and ``1.234``;
        without it the first has kind ``ambiguous_decimal`` and no number, the second is 1.234.
    nd_words : mapping, optional
        Words of other languages, as :func:`word_key` writes them -> ``below_detection``,
        ``below_quantification``, ``trace``, ``above``, ``missing``, ``present`` or ``absent``;
        laid over :data:`ND_WORDS`.

    Returns
    -------
    DataFrame
        With the index of *values*: ``result`` (NaN unless quantified), ``censoring`` (``=``, ``<``,
        ``>``, ``text``, ``missing``), ``detection_limit`` (NaN where the cell names none; same unit
        as the result), ``detection_condition`` (as in :data:`ND_WORDS`), ``result_uncertainty``,
        ``result_status`` (``estimated``, ``suspect`` or missing), ``unit_in_cell`` and
        ``qualifier`` (verbatim), ``kind``, ``reason`` and ``fix``. ``kind`` is ``""`` for what
        can be used as it is, else ``blank``, ``text``, ``sentinel`` (no value),
        ``sentinel_suspected`` (number kept, suspect), ``nd_without_limit`` (valid),
        ``ambiguous_decimal``, ``range`` or ``impossible``.

    Examples
    --------
    >>> read_results(pd.Series(["<0,5", "7.2", "ND"]))[["result", "censoring", "detection_limit"]]
       result censoring  detection_limit
    0     NaN         <              0.5
    1     7.2         =              NaN
    2     NaN         <              NaN
    """
    codes, texts = distinct(values)
    words = {**ND_WORDS, **{word_key(word): kind for word, kind in (nd_words or {}).items()}}
    numbers = _plain(texts, decimal)
    odd = np.flatnonzero(np.isnan(numbers) | np.isin(numbers, list(NO_VALUE | PERHAPS_NO_VALUE)))
    read = [_read(text, decimal, words) for text in texts.take(pa.array(odd)).to_pylist()]
    table: dict[str, Any] = {}
    for name, dtype in COLUMNS.items():
        column = np.full(
            len(texts),
            np.nan if dtype == "float64" else None,
            dtype="float64" if dtype == "float64" else object,
        )
        if name == "result":
            column[:] = numbers
        elif name in ("censoring", "kind"):
            column[:] = "=" if name == "censoring" else ""
        column[odd] = [getattr(cell, name) for cell in read]
        table[name] = pd.array(column, dtype=dtype).take(codes)
    return pd.DataFrame(table, index=values.index)


def _plain(texts: pa.Array, decimal: str | None) -> Any:
    """Read what is a number beyond doubt, all at once; NaN for the rest."""
    trimmed = pc.utf8_trim_whitespace(texts)
    whole = (
        r"^[+-]?(\d+|\d*\.\d+)([eE][+-]?\d{1,2})?$"
        if decimal != "comma"
        else r"^-?\d+([.,](\d{1,2}|\d{4,15}))?$|^-?\d+,\d{1,15}$|^-?(0|\d{4,})\.\d{1,15}$"
    )
    fits = pc.match_substring_regex(trimmed, whole)
    if decimal == "comma":
        trimmed = pc.replace_substring(trimmed, ",", ".")
    clean = pc.replace_substring_regex(trimmed, r"^\+", "")
    return (
        pc.cast(pc.if_else(fits, clean, None), pa.float64()).to_numpy(zero_copy_only=False).astype("float64")
    )


def word_key(word: str) -> str:
    """Write a word so that its spellings meet: ``N. D.``, ``n.d``, ``(nd)`` and ``<ND`` are ``nd``.

    Examples
    --------
    >>> [word_key(word) for word in ("n.n.", "Not detected", "<LOD", "N/A", "-")]
    ['nn', 'notdetected', 'lod', 'na', '-']
    """
    plain = _INVISIBLE.sub("", word).casefold().strip().strip("<>=≤ ")
    key = re.sub(r"[\s.()\[\]_/\\,;:\"']|(?<=\w)-(?=\w)", "", plain)
    return key or plain.strip()


def _read(text: str, decimal: str | None, words: Mapping[str, str]) -> _Read:
    if not text.strip():
        return _Read(censoring="missing", kind="blank")
    plain, decimal = _normal(text, decimal)
    kind = words.get(word_key(text)) or words.get(word_key(plain))
    if kind:
        return _word(kind)
    found = _CELL.fullmatch(plain)
    if found and not _RANGE.fullmatch(plain):
        return _number_cell(found, plain, decimal, words)
    limit = _LIMIT_ND.fullmatch(plain) or _ND_LIMIT.fullmatch(plain)
    if limit and words.get(word_key(limit["word"])) in ("below_detection", "below_quantification", "trace"):
        read = _word(words[word_key(limit["word"])])
        return _with_limit(read, limit["number"], limit.groupdict().get("unit"), decimal)
    if _RANGE.fullmatch(plain):
        return _Read(
            kind="range",
            reason=f"{text.strip()!r} is a range or a date, not one result",
            fix="one number; or < or > and the limit",
        )
    return _Read(kind="text")


def _normal(text: str, decimal: str | None) -> tuple[str, str | None]:
    """Write digits, signs and spaces in one way."""
    text = _INVISIBLE.sub("", text)
    if text.isascii():
        return text.strip().replace("\t", " ").replace("\n", " "), decimal
    if "٫" in text:
        # The Arabic decimal separator is nothing else.
        text, decimal = text.replace("٫", "."), "point"
    power = re.sub(r"(?<=10)([⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)", r"^\1", text)
    out = (
        [_LETTERS.get(letter, letter) for letter in power]
        if power != text
        else [letter if letter in "¹²³⁻⁺⁰⁴⁵⁶⁷⁸⁹" else _LETTERS.get(letter, letter) for letter in text]
    )
    digits = [
        str(unicodedata.digit(letter)) if unicodedata.category(letter) == "Nd" else letter for letter in out
    ]
    return "".join(digits).strip(), decimal


def _word(kind: str) -> _Read:
    if kind == "missing":
        return _Read(
            censoring="missing",
            kind="sentinel",
            reason="the cell says that there is no value",
            fix="a result, or nothing",
        )
    if kind in ("present", "absent"):
        return _Read(detection_condition=kind, kind="text")
    if kind == "above":
        return _Read(censoring=">", detection_condition="above", kind="nd_without_limit")
    return _Read(censoring="<", detection_condition=kind, kind="nd_without_limit")


def _with_limit(read: _Read, number: str, unit: str | None, decimal: str | None) -> _Read:
    limit = read_number(number, decimal)
    if limit is None:
        return _ambiguous(number, read.censoring)
    read.detection_limit, read.kind = limit, ""
    read.unit_in_cell = (unit or "").strip() or None
    return read


def _number_cell(found: re.Match[str], text: str, decimal: str | None, words: Mapping[str, str]) -> _Read:
    sign, flag = (found["sign"] or "").strip().casefold(), (found["flag"] or "").strip()
    unit = (found["unit"] or "").strip()
    if words.get(word_key(unit)) in ("below_detection", "below_quantification", "trace"):
        return _with_limit(_word(words[word_key(unit)]), found["number"], None, decimal)
    value = read_number(found["number"], decimal)
    censoring = _censoring(sign, flag)
    if value is None:
        return _ambiguous(found["number"], censoring)
    if math.isnan(value) or math.isinf(value):
        return _Read(kind="impossible" if math.isinf(value) else "text", **_unreadable(text, value))
    read = _Read(censoring=censoring, unit_in_cell=unit or None, qualifier=flag or None)
    if censoring == "=":
        read.result = value
    else:
        read.detection_limit = value
        read.detection_condition = "below_detection" if flag[:1] in "uU" and flag else None
    if censoring == "=" and (
        re.fullmatch(_ABOUT, sign, re.I) or sign in ("e", "j") or flag.casefold() in ("e", "j", "est", "est.")
    ):
        read.result_status = "estimated"
    if found["uncertainty"] and censoring == "=":
        give = read_number(found["uncertainty"], decimal)
        read.result_uncertainty = (
            math.nan if give is None else give * (abs(value) / 100 if found["share"] else 1)
        )
    return _sentinel(read) if censoring == "=" else read


def _censoring(sign: str, flag: str) -> str:
    if flag.casefold() in ("u", "uj") or (sign and re.fullmatch(_BELOW, sign, re.I)):
        return "<"
    if sign and (
        sign.startswith(("<", "≤", "⩽", "≦", "lt", "less", "fewer", "below", "under")) or sign.endswith("<")
    ):
        return "<"
    if sign and (
        sign.startswith((">", "≥", "⩾", "≧", "gt", "greater", "more", "above", "over")) or sign.endswith(">")
    ):
        return ">"
    return "="


def _sentinel(read: _Read) -> _Read:
    if read.result in NO_VALUE:
        return _Read(
            censoring="missing",
            kind="sentinel",
            reason=f"{read.result:g} stands for 'no value' in loggers and databases",
            fix="the measured result, or nothing",
        )
    if read.result in PERHAPS_NO_VALUE:
        read.kind, read.result_status = "sentinel_suspected", "suspect"
        read.reason = f"{read.result:g} may stand for 'no value' or 'beyond range'"
        read.fix = "the measured result, or nothing if there is none"
    return read


def _ambiguous(number: str, censoring: str) -> _Read:
    number = number.strip()
    return _Read(
        censoring="missing" if censoring == "=" else censoring,
        kind="ambiguous_decimal",
        reason=f"{number!r} is {number.replace(',', '')} or {number.replace(',', '.')}: a comma can mark thousands or decimals",
        fix="say which mark this file uses for decimals",
    )


def _unreadable(text: str, value: float) -> dict[str, Any]:
    if math.isinf(value):
        return {"reason": f"{text!r} is beyond any number", "fix": "the measured result", "censoring": "text"}
    return {}


_GROUPED_POINT = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?")
_GROUPED_COMMA = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+(?:,\d*)?")
_EXPONENT = re.compile(r"(?:\s?[x*]\s?10\s?(?:\^|e)?\s?|e)([-+]?\d+)$", re.I)


@lru_cache(maxsize=100_000)
def read_number(text: str, decimal: str | None = None) -> float | None:
    """Read a number with any marks; None where the mark decides and is not known.

    Examples
    --------
    >>> [read_number(text) for text in ("1.234,5", "1 234,5", "1,234.5", "0,125", "1,234", "6.02x10^3")]
    [1234.5, 1234.5, 1234.5, 0.125, None, 6020.0]
    >>> read_number("1,234", "comma"), read_number("1,234", "point")
    (1.234, 1234.0)
    """
    text = text.strip().replace("·", ".")
    sign = -1.0 if text.startswith("-") else 1.0
    text = text.lstrip("+- ")
    power = _EXPONENT.search(text)
    exponent = int(power[1]) if power else 0
    body = (text[: power.start()] if power else text).strip()
    if " " in body or "'" in body:
        if not re.fullmatch(r"\d{1,3}(?:[ ']\d{3})+(?:[.,]\d*)?", body):
            return math.nan
        body, decimal = re.sub("[ ']", "", body), decimal or "comma"
        return _scaled(sign, body.replace(",", "."), exponent)
    mark = style(body)
    if mark == "ambiguous":
        mark = decimal if decimal else ("point" if "." in body else "")
        if not mark:
            return None
    if mark == "":
        return math.nan
    body = body.replace(",", "") if mark == "point" else body.replace(".", "").replace(",", ".")
    return _scaled(sign, body, exponent)


def _scaled(sign: float, body: str, exponent: int) -> float:
    try:
        return sign * float(f"{body}e{exponent}" if exponent else body)
    except (ValueError, OverflowError):
        return math.nan


def style(number: str) -> str:
    """Tell how one unsigned number is marked: ``point``, ``comma``, ``either``, ``ambiguous``, or ``""`` for no number.

    Examples
    --------
    >>> [style(number) for number in ("7.2", "7,2", "72", "1,234", "1.234", "0,123", "1.234.567", "1,2,3")]
    ['point', 'comma', 'either', 'ambiguous', 'ambiguous', 'comma', 'comma', '']
    """
    if re.fullmatch(r"\d+", number):
        return "either"
    if re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", number):
        return "ambiguous"
    if re.fullmatch(r"\d*\.\d*", number) or _GROUPED_POINT.fullmatch(number):
        return "point" if any(map(str.isdigit, number)) else ""
    if re.fullmatch(r"\d*,\d*", number) or _GROUPED_COMMA.fullmatch(number):
        return "comma" if any(map(str.isdigit, number)) else ""
    return ""


def decimal_style(values: pd.Series) -> str:
    """Tell what marks decimals in a column.

    Parameters
    ----------
    values : Series of str
        Cells of one column, or of all columns with numbers.

    Returns
    -------
    str
        ``point``, ``comma``, ``either`` (no mark at all), ``mixed`` (both, beyond doubt) or
        ``ambiguous``: only cells like ``1,234``; or ``1.180`` among whole numbers that are all
        under 1000, as where a point marks thousands.

    Examples
    --------
    >>> decimal_style(pd.Series(["7,25", "<0,5"])), decimal_style(pd.Series(["1,234", "980"]))
    ('comma', 'ambiguous')
    """
    seen: dict[str, int] = {"point": 0, "comma": 0, "either": 0, "ambiguous,": 0, "ambiguous.": 0}
    whole = 0.0
    for text in values.dropna().astype("str").unique():
        plain, _ = _normal(text, None)
        found = _CELL.fullmatch(plain)
        if not found or _RANGE.fullmatch(plain):
            continue
        body = _EXPONENT.sub("", found["number"].strip().lstrip("+- ")).strip()
        kind = style(body if " " not in body and "'" not in body else re.sub(r"[ '](?=\d{3})", "", body))
        if kind == "either":
            whole = max(whole, float(body.replace(" ", "").replace("'", "")))
        kind += ("," if "," in body else ".") if kind == "ambiguous" else ""
        if kind:
            seen[kind] += 1
    return _verdict(seen, whole)


def _verdict(seen: dict[str, int], whole: float) -> str:
    if seen["point"] and seen["comma"]:
        return "mixed"
    if seen["point"] or seen["comma"]:
        return "point" if seen["point"] else "comma"
    if seen["ambiguous,"]:
        return "ambiguous"
    if seen["ambiguous."]:
        return "ambiguous" if 100 <= whole < 1000 else "point"
    return "either"


@dataclass(frozen=True)
class Constant:
    """A number that repeats so oddly that it may be a hidden limit or stand for no value."""

    value: float
    text: str
    count: int
    share: float  # of the cells with a number
    why: str  # "minimum" | "odd digits" | "sentinel"


def repeated_constant(values: pd.Series) -> list[Constant]:
    """Find numbers that may stand for "below the limit" or "no value" in one column or property.

    Parameters
    ----------
    values : Series of str or float
        Cells of one property.

    Returns
    -------
    list of Constant
        Most frequent first. A number is one if it is written for no value (-9999); or if it occurs
        at least five times, in at least a tenth of the cells and three times as often as any other,
        and is either the smallest positive number of the column or has three digits or more
        (0.7999). Zero is none: strips and counts have honest zeros.

    Examples
    --------
    >>> repeated_constant(pd.Series(["0.7999"] * 8 + ["1.2", "3.4", "5.1"]))[0].text
    '0.7999'
    """
    texts = values.dropna().astype("str")
    read = read_results(texts)
    numbers = read["result"].where(read["censoring"].eq("="))
    stand_ins = texts[read["kind"].isin(["sentinel", "sentinel_suspected"]).to_numpy()]
    total = int(numbers.notna().sum()) + int((read["kind"] == "sentinel").sum())
    found = [
        Constant(float(cells), text, count, count / total, "sentinel")
        for text, count in stand_ins.str.strip().value_counts().items()
        if (cells := read_number(str(text).replace("−", "-"))) is not None and not math.isnan(cells)
    ]
    odd = _odd_spike(numbers.dropna(), texts)
    return sorted([*found, *odd], key=lambda constant: -constant.count)


def _odd_spike(numbers: pd.Series, texts: pd.Series) -> list[Constant]:
    counts = numbers.round(12).value_counts()
    if counts.empty or counts.iloc[0] < 5 or counts.iloc[0] < 0.1 * len(numbers):
        return []
    value, count = float(counts.index[0]), int(counts.iloc[0])
    if len(counts) > 1 and count < 3 * counts.iloc[1] or value <= 0 or value in PERHAPS_NO_VALUE:
        return []
    text = str(texts[numbers.index[(numbers.round(12) == value).to_numpy()]].iloc[0]).strip()
    digits = len(f"{value:.9g}".replace(".", "").strip("0").split("e")[0])
    least = value == numbers[numbers > 0].min() and len(counts) > 3
    if not least and digits < 3:
        return []
    return [Constant(value, text, count, count / len(numbers), "minimum" if least else "odd digits")]
