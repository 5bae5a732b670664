"""Reads places as people, phones and surveyors write them, to degrees in EPSG:4326.

Order of axes is always x, y: longitude and latitude, easting and northing. A datum such as NAD27 or
Arc 1960 is transformed with what PROJ carries itself (no grid is fetched over the network), and the
accuracy of that step is stated. NAD83 and its likes differ from WGS 84 by less than such a
transformation's own error; they are kept as they are and named in ``horizontal_datum``.

What surprised us: O is west in French, Spanish and Portuguese and east in German; phones without a fix
write 0, 0; ``31S`` is a UTM zone in the south for a surveyor and a latitude band in the north for an
army; the transformation of Arc 1960 moves a Kenyan well by 300 m.
"""

from __future__ import annotations

import json
import math
import re
import warnings
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from sensors.cells import read_number
from sensors.distinct import distinct, words

#: Datums that are kept as they are and named: within a metre or two of WGS 84.
KEPT = {
    "NAD83": "EPSG:4269", "EPSG:4269": "EPSG:4269", "ETRS89": "EPSG:4258", "EPSG:4258": "EPSG:4258",
    "HARN": "EPSG:4152", "NAD83 HARN": "EPSG:4152", "SIRGAS 2000": "EPSG:4674", "SIRGAS2000": "EPSG:4674",
    "EPSG:4674": "EPSG:4674", "GDA94": "EPSG:4283", "EPSG:4283": "EPSG:4283", "RGF93": "EPSG:4171",
    "WGS72": "EPSG:4322",
}  # fmt: skip
#: Words for datums in the files of agencies -> what PROJ calls them.
DATUMS = {
    "NAD27": "EPSG:4267", "OLDHI": "EPSG:4135", "PUERTO": "EPSG:4139", "GUAM": "EPSG:4675", "ARC1960": "EPSG:4210",
    "ARC 1960": "EPSG:4210", "ED50": "EPSG:4230", "OSGB36": "EPSG:4277", "MINNA": "EPSG:4263",
    "ADINDAN": "EPSG:4201", "LEIGON": "EPSG:4250", "ACCRA": "EPSG:4168", "CAPE": "EPSG:4222",
}  # fmt: skip
_WGS84 = frozenset({"", "WGS84", "WGS 84", "EPSG:4326", "4326", "CRS84", "OGC:CRS84", "WGS 1984", "WGS_1984"})
_UNKNOWN = frozenset({"UNKWN", "UNKNOWN", "OTHER", "N/A", "NA", "NONE"})

_HEMISPHERES = {
    **dict.fromkeys(["n", "north", "nord", "norte", "noord", "شمال", "उत्तर"], "N"),
    **dict.fromkeys(["s", "south", "sud", "süd", "sur", "sul", "zuid", "جنوب", "दक्षिण"], "S"),
    **dict.fromkeys(["e", "east", "est", "este", "leste", "ost", "oost", "شرق", "पूर्व"], "E"),
    **dict.fromkeys(["w", "west", "ouest", "oeste", "غرب", "पश्चिम"], "W"),
    "o": "O",
}
_WORD = r"north|nord|norte|noord|south|sud|süd|sur|sul|zuid|east|este|est|leste|oost|ost|west|ouest|oeste|شمال|جنوب|شرق|غرب|[nsewo]"
_PART = r"\d+(?:[.,]\d+)?|[.,]\d+"
_ANGLE = re.compile(
    rf"(?P<before>{_WORD})?\s*(?P<sign>[-+])?\s*(?P<d>{_PART})\s*(?:°|º|˚|d(?:eg)?\.?|:|\s|\*|_)?\s*"
    rf"(?:(?P<m>{_PART})\s*(?:'|′|’|´|`|m(?:in)?\.?|:|\s)?\s*"
    rf"(?:(?P<s>{_PART})\s*(?:\"|″|”|''|′′|’’|´´|s(?:ec)?\.?(?![a-z]))?)?)?\s*(?P<after>{_WORD})?",
    re.I,
)
_WKT = re.compile(
    r"(?:SRID=(\d+);)?\s*POINT\s*Z?M?\s*\(\s*(\S+)\s+(\S+?)(?:\s+(\S+?))?(?:\s+\S+?)?\s*\)", re.I
)
_PAIR = re.compile(rf"[-+]?(?:{_PART})")
_UTM = re.compile(
    r"(?:UTM\s*)?(?P<zone>\d{1,2})\s*(?P<band>[A-HJ-NP-Z])\s*[, ]\s*(?P<x>\d{6}(?:\.\d+)?)\s*m?\s*E?\s*[, ]\s*(?P<y>\d{1,8}(?:\.\d+)?)\s*m?\s*N?",
    re.I,
)
_ZONE = re.compile(
    r"(?:UTM)?\s*(?:zone)?\s*(?P<zone>\d{1,2})\s*-?\s*(?P<band>[A-HJ-NP-Z]|north|south)?", re.I
)
_LINK = re.compile(r"(?:geo:|[?&]q=|[?&]ll=|@|/place/)(-?\d+\.\d+),(-?\d+\.\d+)")

_REASONS = {
    "blank": (None, "latitude and longitude in degrees"),
    "unreadable": ("the coordinates cannot be read", "degrees such as 7.204113 and 1.178902"),
    "half": ("only one of the two coordinates is given", "both latitude and longitude"),
    "out_of_range": (
        "a latitude lies from -90 to 90 and a longitude from -180 to 180",
        "degrees such as 7.204113 and 1.178902; or name the reference system of metres",
    ),
    "zero": (
        "0, 0 lies in the Gulf of Guinea: a device without a fix writes it",
        "the place of the site, or none",
    ),
    "swapped": ("latitude and longitude look swapped", "the two exchanged"),
    "outside": ("the place lies outside the area of the topic", "the place of the site, if this is not it"),
    "ambiguous_hemisphere": (
        "O is west in French, Spanish and Portuguese and east in German",
        "W or E, or the language of the file",
    ),
    "ambiguous_decimal": (
        "the comma can mark thousands or decimals",
        "say which mark this file uses for decimals",
    ),
    "no_crs": (
        "these are metres in a reference system that is not named",
        "the system, such as EPSG:32631 or UTM zone 31N",
    ),
    "unknown_crs": ("the reference system is not one we know", "its EPSG number, such as EPSG:32631"),
}

COLUMNS = (
    "longitude", "latitude", "altitude_m", "horizontal_accuracy_m", "horizontal_datum", "transformation_m", "kind", "reason", "fix",
)  # fmt: skip


class CrsGuess(NamedTuple):
    """A reference system that puts points somewhere sensible."""

    crs: str  # "EPSG:21037"
    name: str  # "Arc 1960 / UTM zone 37S"
    inside: float  # share of the points inside the area, or inside the system's own area of use
    example: tuple[float, float]  # longitude, latitude of the first point that can be read
    score: float


class _Angle(NamedTuple):
    value: float
    hemisphere: str = ""
    kind: str = ""


def read_points(
    x: pd.Series | None = None,
    y: pd.Series | None = None,
    *,
    text: pd.Series | None = None,
    zone: pd.Series | str | None = None,
    crs: str | pd.Series | None = None,
    area: Sequence[float] | None = None,
    decimal: str | None = None,
    o_means: str | None = None,
) -> pd.DataFrame:
    r"""Read places, from two columns or from one.

    Parameters
    ----------
    x, y : Series of str or float, optional
        Longitude and latitude, or easting and northing in metres.
    text : Series of str, optional
        Both in one cell: ``lat lon [altitude accuracy]`` as phones write it, ``(lat, lon)``,
        degrees, minutes and seconds, WKT and GeoJSON (which begin with the longitude), UTM.
    zone : Series of str, or str, optional
        UTM zone of *x* and *y* (``31N``), on WGS 84.
    crs : str or Series of str, optional
        Reference system or datum: ``EPSG:21037``, ``NAD27``. Without one, EPSG:4326.
    area : (west, south, east, north), optional
        Degrees; to tell what is swapped or outside, and the hemisphere of a zone without one.
    decimal : {"point", "comma"}, optional
        What marks decimals, for metres such as ``548,785``.
    o_means : {"W", "E"}, optional
        What the letter O stands for in this file.

    Returns
    -------
    DataFrame
        With the index given: ``longitude``, ``latitude`` (degrees, EPSG:4326, NaN where they
        cannot be told), ``altitude_m``, ``horizontal_accuracy_m`` (metres), ``horizontal_datum``
        (what the source named, else missing), ``transformation_m`` (accuracy of the change of
        datum, metres; NaN where there was none), ``kind``, ``reason``, ``fix``. ``kind`` is
        ``""``; or ``outside``, the place kept; or, without a place, ``blank``, ``half``,
        ``unreadable``, ``out_of_range``, ``zero``, ``swapped``, ``ambiguous_hemisphere``,
        ``ambiguous_decimal``, ``no_crs``, ``unknown_crs``.

    Examples
    --------
    >>> read_points(pd.Series(["1°10'44.0\"E"]), pd.Series(["7,204113"])).iloc[0, :2].round(5).tolist()
    [1.17889, 7.20411]
    """
    given = {"x": x, "y": y, "text": text, "zone": zone, "crs": crs}
    columns = {name: value for name, value in given.items() if isinstance(value, pd.Series)}
    first, codes = _combinations(columns)
    few: dict[str, Any] = {**given, **{name: column.iloc[first] for name, column in columns.items()}}
    table = _read_few(**few, area=area, decimal=decimal, o_means=o_means)
    return table.take(codes).set_axis(next(iter(columns.values())).index)


def _combinations(columns: dict[str, pd.Series]) -> tuple[Any, Any]:
    """Give the first place of each combination of cells, and the number of each row's combination."""
    keys = np.zeros(len(next(iter(columns.values()))), "int64")
    for column in columns.values():
        codes, texts = pd.factorize(column) if pd.api.types.is_numeric_dtype(column) else distinct(column)
        keys, _ = pd.factorize(keys * (len(texts) + 1) + codes + 1)
    _, first, codes = np.unique(keys, return_index=True, return_inverse=True)
    return first, codes


def _read_few(
    x: pd.Series | None, y: pd.Series | None, text: pd.Series | None, zone: pd.Series | str | None,
    crs: pd.Series | str | None, area: Sequence[float] | None, decimal: str | None, o_means: str | None,
) -> pd.DataFrame:  # fmt: skip
    if text is not None:
        table = _from_text(text, o_means)
    elif x is not None and y is not None:
        table = _from_columns(x, y, decimal, o_means)
    else:
        raise TypeError("read_points takes x and y, or text")
    _name_systems(table, zone, crs, area)
    _transform(table)
    _judge(table, area)
    codes, kinds = distinct(table["kind"])
    told = [_REASONS.get(kind, (None, None)) for kind in kinds.to_pylist()]
    table["reason"] = words(codes, [pair[0] for pair in told], table.index)
    table["fix"] = words(codes, [pair[1] for pair in told], table.index)
    table[["longitude", "latitude"]] = table[["longitude", "latitude"]].where(
        table["kind"].isin(["", "outside"])
    )
    return table[list(COLUMNS)]


def _empty(index: pd.Index) -> pd.DataFrame:
    table = pd.DataFrame(index=index)
    for name in ("longitude", "latitude", "altitude_m", "horizontal_accuracy_m", "transformation_m"):
        table[name] = np.full(len(index), np.nan)
    table["horizontal_datum"] = pd.Series(None, index=index, dtype="str")
    table["kind"] = pd.Series("", index=index, dtype="str")
    table["system"] = pd.Series("", index=index, dtype="str")
    return table


def _from_columns(x: pd.Series, y: pd.Series, decimal: str | None, o_means: str | None) -> pd.DataFrame:
    table = _empty(x.index)
    east, north = _angles(x, decimal), _angles(y, decimal)
    # A letter beside the number is more certain than the name of its column.
    exchanged = east["hemisphere"].isin(["N", "S"]) & north["hemisphere"].isin(["E", "W", "O"])
    east, north = east.where(~exchanged, north), north.where(~exchanged, east)
    for side in (east, north):
        o = side["hemisphere"].eq("O")
        if o_means:
            side.loc[o, "value"] = np.where(o_means == "W", -1.0, 1.0) * side.loc[o, "value"].abs()
        else:
            side.loc[o, "kind"] = "ambiguous_hemisphere"
    table["longitude"], table["latitude"] = east["value"], north["value"]
    blank_x, blank_y = east["kind"].eq("blank"), north["kind"].eq("blank")
    table["kind"] = north["kind"].where(east["kind"].isin(["", "blank"]), east["kind"])
    table.loc[blank_x | blank_y, "kind"] = "half"
    table.loc[blank_x & blank_y, "kind"] = "blank"
    return table


def _angles(values: pd.Series, decimal: str | None) -> pd.DataFrame:
    """Read one column: value, hemisphere letter, kind; once per distinct cell."""
    if pd.api.types.is_numeric_dtype(values):
        value = values.astype("float64")
        kind = value.isna().map({True: "blank", False: ""})
        return pd.DataFrame({"value": value, "hemisphere": "", "kind": kind}, index=values.index)
    codes, texts = distinct(values)
    texts = pc.utf8_trim_whitespace(texts)
    plain = pc.match_substring_regex(texts, r"^-?\d{1,3}([.,]\d+)?$|^-?\d{4,8}(\.\d+)?$")
    numbers = pc.cast(pc.if_else(plain, pc.replace_substring(texts, ",", "."), None), pa.float64())
    value = numbers.to_numpy(zero_copy_only=False).astype("float64")
    if not np.isnan(value).any() and not pc.any(pc.match_substring(texts, ",")).as_py():
        none = words(np.zeros(len(codes), "int64"), [""], values.index)
        return pd.DataFrame({"value": value[codes], "hemisphere": none, "kind": none}, index=values.index)
    hemisphere, kind = np.full(len(texts), "", object), np.full(len(texts), "", object)
    for at in np.flatnonzero(np.isnan(value)):
        value[at], hemisphere[at], kind[at] = read_angle(texts[at].as_py(), decimal)
    if decimal != "comma":
        # 548,785 may be half a million metres; of degrees it is sure.
        for at in np.flatnonzero(
            pc.match_substring_regex(texts, r"^-?[1-9]\d{2},\d{3}$").to_numpy(zero_copy_only=False)
        ):
            if abs(value[at]) > 180:
                found = read_number(texts[at].as_py(), decimal)
                value[at], kind[at] = (np.nan, "ambiguous_decimal") if found is None else (found, "")
    return (
        pd.DataFrame({"value": value, "hemisphere": hemisphere, "kind": kind})
        .iloc[codes]
        .set_axis(values.index)
    )


@lru_cache(maxsize=100_000)
def read_angle(text: str, decimal: str | None = None) -> _Angle:
    r"""Read one coordinate: decimal degrees, degrees and minutes and seconds, or metres.

    Examples
    --------
    >>> [round(read_angle(text).value, 5) for text in ("7°12'14.8\"N", "S 4 18.6", "-112:50:52", "7,204113")]
    [7.20411, -4.31, -112.84778, 7.20411]
    """
    text = _plain(text)
    if not text:
        return _Angle(np.nan, kind="blank")
    found = _ANGLE.fullmatch(text)
    if found and (found["m"] or found["before"] or found["after"] or re.search("[°º˚]", text)):
        return _dms(found)
    number = read_number(text.replace(",", ".") if re.fullmatch(r"-?\d{1,2},\d+", text) else text, decimal)
    if number is None:
        return _Angle(np.nan, kind="ambiguous_decimal")
    return _Angle(number, kind="unreadable" if math.isnan(number) else "")


def _plain(text: str) -> str:
    text = (
        re.sub("[\u200b-\u200f\u202a-\u202e\ufeff]", "", text)
        .replace("−", "-")
        .replace("–", "-")
        .replace("٫", ".")
    )
    text = "".join(str(int(letter)) if letter.isdecimal() else letter for letter in text)
    return re.sub(r"\s+", " ", text).strip()


def _dms(found: re.Match[str]) -> _Angle:
    degrees, minutes, seconds = (float((found[part] or "0").replace(",", ".")) for part in "dms")
    whole = not (found["m"] and degrees % 1) and not (found["s"] and minutes % 1)
    words = [_HEMISPHERES[found[side].casefold()] for side in ("before", "after") if found[side]]
    if minutes >= 60 or seconds >= 60 or not whole or len(set(words)) > 1:
        return _Angle(np.nan, kind="unreadable")
    hemisphere = words[0] if words else ""
    negative = found["sign"] == "-" or hemisphere in ("S", "W")
    return _Angle((-1 if negative else 1) * (degrees + minutes / 60 + seconds / 3600), hemisphere)


def _from_text(text: pd.Series, o_means: str | None) -> pd.DataFrame:
    codes, texts = distinct(text)
    rows = [_read_text(cell, o_means) for cell in texts.to_pylist()]
    names = ["longitude", "latitude", "altitude_m", "horizontal_accuracy_m", "kind", "system"]
    read = pd.DataFrame(rows, columns=names)
    table = _empty(text.index)
    for name in names:
        table[name] = read[name].iloc[codes].set_axis(text.index).astype(table[name].dtype)
    return table


def _read_text(cell: str, o_means: str | None) -> tuple[float, float, float, float, str, str]:
    cell = _plain(cell)
    if not cell:
        return (np.nan, np.nan, np.nan, np.nan, "blank", "")
    lon, lat, altitude, accuracy, kind, system = _pair(cell, o_means)
    return (lon, lat, altitude, accuracy, kind, system)


def _pair(cell: str, o_means: str | None) -> tuple[float, float, float, float, str, str]:
    none = np.nan
    wkt, utm, link = _WKT.fullmatch(cell), _UTM.fullmatch(cell), _LINK.search(cell)
    if wkt:
        lon, lat = _float(wkt[2]), _float(wkt[3])
        return (
            lon,
            lat,
            _float(wkt[4]),
            none,
            "" if math.isfinite(lon + lat) else "unreadable",
            f"EPSG:{wkt[1]}" if wkt[1] else "",
        )
    if utm:
        return (float(utm["x"]), float(utm["y"]), none, none, "", _utm_system(int(utm["zone"]), utm["band"]))
    if cell.startswith("{"):
        return _geojson(cell)
    if link:
        return (float(link[2]), float(link[1]), none, none, "", "")
    inner = cell.strip("()[] ")
    if re.search(r"[°º˚'′\"″]|[a-z]", inner, re.I):
        return _lettered(inner, o_means)
    # A comma is the mark between two numbers unless there are blanks or semicolons to do that.
    numbers = re.split(r"\s*;\s*|\s*,\s+|\s+", inner) if re.search(r"[;\s]", inner) else inner.split(",")
    values = [_float(number.replace(",", ".")) for number in numbers if number]
    if not 2 <= len(values) <= 4 or not all(map(math.isfinite, values)):
        return (none, none, none, none, "unreadable", "")
    altitude, accuracy = [*values[2:], none, none][:2]
    return (values[1], values[0], altitude, accuracy, "", "")


def _float(text: str | None) -> float:
    try:
        return float(text) if text else math.nan
    except ValueError:
        return math.nan


def _geojson(cell: str) -> tuple[float, float, float, float, str, str]:
    try:
        lon, lat, *rest = (float(number) for number in json.loads(cell)["coordinates"])
    except (ValueError, KeyError, TypeError):
        return (np.nan, np.nan, np.nan, np.nan, "unreadable", "")
    return (lon, lat, rest[0] if rest else np.nan, np.nan, "", "")


def _lettered(cell: str, o_means: str | None) -> tuple[float, float, float, float, str, str]:
    # Two angles with marks or letters: cut where both halves can be read.
    none = np.nan
    for cut in [
        found.end()
        for found in re.finditer(
            r"[,;/]?\s+|[,;/]|(?<=[nsewo])(?=[\d ])|(?<=[\d\"″'′])(?=[nsewo]\s?\d)", cell, re.I
        )
    ]:
        first, second = read_angle(cell[:cut].strip(" ,;/")), read_angle(cell[cut:].strip(" ,;/"))
        if first.kind or second.kind:
            continue
        pair = first.hemisphere + second.hemisphere
        if len(pair) == 1 or (len(pair) == 2 and (first.hemisphere in "NS") == (second.hemisphere in "NS")):
            continue
        if first.hemisphere and first.hemisphere in "EWO":
            first, second = second, first
        if second.hemisphere == "O":
            if not o_means:
                return (none, none, none, none, "ambiguous_hemisphere", "")
            return (abs(second.value) * (-1 if o_means == "W" else 1), first.value, none, none, "", "")
        return (second.value, first.value, none, none, "", "")
    return (none, none, none, none, "unreadable", "")


def _utm_system(zone: int, band: str) -> str:
    if not 1 <= zone <= 60:
        return "?"
    band = band.upper()
    # N and S are hemispheres first; other letters are latitude bands, C to M in the south.
    south = band in ("S", "SOUTH") or (band < "N" and band != "NORTH")
    return f"EPSG:{32700 + zone if south else 32600 + zone}"


def _name_systems(
    table: pd.DataFrame,
    zone: pd.Series | str | None,
    crs: str | pd.Series | None,
    area: Sequence[float] | None,
) -> None:
    if zone is not None:
        zones = pd.Series(zone, index=table.index, dtype="str").fillna("").str.strip()
        systems = zones.map({text: _zone_system(text, area) for text in zones.unique()})
        table["system"] = systems.where(systems.ne(""), table["system"])
    if crs is not None:
        names = pd.Series(crs, index=table.index, dtype="str").fillna("").str.strip()
        table["horizontal_datum"] = names.where(names.ne(""))
        systems = names.map({text: _system(text) for text in names.unique()})
        # Metres keep the zone that was named beside them.
        table["system"] = systems.where(table["system"].eq("") & systems.ne(""), table["system"])


def _zone_system(text: str, area: Sequence[float] | None) -> str:
    if not text:
        return ""
    found = _ZONE.fullmatch(text)
    if not found:
        return "?"
    if found["band"]:
        return _utm_system(int(found["zone"]), found["band"])
    if area is not None and (area[1] >= 0 or area[3] <= 0):
        return _utm_system(int(found["zone"]), "N" if area[1] >= 0 else "S")
    return "metres"


@lru_cache(maxsize=1000)
def _system(text: str) -> str:
    """Bring the name of a system to what PROJ takes; ``""`` for WGS 84 and what is kept, ``?`` for unknown."""
    name = re.sub(r"\s+", " ", text).strip().upper()
    if name in _WGS84 or name in _UNKNOWN or name in KEPT:
        return ""
    if name in DATUMS:
        return DATUMS[name]
    from pyproj.exceptions import ProjError

    try:
        return str(_crs(f"EPSG:{name}" if re.fullmatch(r"\d{4,6}", name) else text.strip()).srs)
    except ProjError:
        return "?"


@lru_cache(maxsize=256)
def _crs(text: str) -> Any:
    import pyproj
    from pyproj.network import set_network_enabled  # type: ignore[attr-defined]

    set_network_enabled(False)
    return pyproj.CRS.from_user_input(text)


@lru_cache(maxsize=256)
def _transformer(system: str) -> Any:
    import pyproj

    with warnings.catch_warnings():
        # "Best transformation is not available": without grids from the network it never is.
        warnings.simplefilter("ignore")
        return pyproj.Transformer.from_crs(_crs(system), _crs("EPSG:4326"), always_xy=True)


def to_degrees(x: Any, y: Any, system: str) -> tuple[Any, Any, float]:
    """Transform points to EPSG:4326.

    Parameters
    ----------
    x, y : array of float
        In the axes x, y of *system*: easting, northing in metres or longitude, latitude in degrees.
    system : str
        Such as ``EPSG:21037``.

    Returns
    -------
    tuple
        Longitudes, latitudes (degrees; infinite where they cannot be transformed), and the accuracy
        of the change of datum in metres (0 where there is none, NaN where it is not known).

    Examples
    --------
    >>> lon, lat, accuracy = to_degrees([548785.0], [9523807.0], "EPSG:21037")
    >>> round(float(lon[0]), 5), round(float(lat[0]), 5), accuracy
    (39.44053, -4.31076, 6.0)
    """
    transformer = _transformer(system)
    lon, lat = transformer.transform(np.asarray(x, "float64"), np.asarray(y, "float64"))
    try:
        accuracy = float(transformer.get_last_used_operation().accuracy)
    except Exception:  # PROJ names no operation where no point could be transformed
        accuracy = -1.0
    return lon, lat, accuracy if accuracy >= 0 else math.nan


def _transform(table: pd.DataFrame) -> None:
    for system in table["system"].unique():
        rows = table["system"].eq(system) & table["kind"].eq("")
        if not rows.any():
            continue
        if system in ("?", "metres"):
            table.loc[rows, "kind"] = "unknown_crs" if system == "?" else "no_crs"
        elif system:
            lon, lat, accuracy = to_degrees(table.loc[rows, "longitude"], table.loc[rows, "latitude"], system)
            good = np.isfinite(lon) & np.isfinite(lat)
            zero = table.loc[rows, ["longitude", "latitude"]].eq(0).all(axis=1).to_numpy()
            table.loc[rows, "longitude"] = np.where(good & ~zero, lon, np.where(zero, 0.0, np.nan))
            table.loc[rows, "latitude"] = np.where(good & ~zero, lat, np.where(zero, 0.0, np.nan))
            table.loc[rows, "transformation_m"] = accuracy
            table.loc[rows, "kind"] = np.where(good | zero, "", "out_of_range")
            if table.loc[rows, "horizontal_datum"].isna().any():
                table.loc[rows, "horizontal_datum"] = table.loc[rows, "horizontal_datum"].fillna(system)


def _judge(table: pd.DataFrame, area: Sequence[float] | None) -> None:
    lon, lat = table["longitude"], table["latitude"]
    fine = table["kind"].eq("")
    kind = table["kind"].where(~(fine & (lon.isna() | lat.isna())), "unreadable")
    beyond = fine & ((lon.abs() > 180) | (lat.abs() > 90))
    kind = kind.mask(beyond, "out_of_range")
    kind = kind.mask(beyond & (lon.abs() <= 90) & (lat.abs() <= 180), "swapped")
    kind = kind.mask(beyond & (lon.abs() > 1000) & (lat.abs() > 1000) & table["system"].eq(""), "no_crs")
    kind = kind.mask(fine & lon.eq(0) & lat.eq(0), "zero")
    if area is not None:
        inside, exchanged = _inside(lon, lat, area), _inside(lat, lon, area)
        kind = kind.mask(kind.eq("") & ~inside & exchanged, "swapped")
        kind = kind.mask(kind.eq("") & ~inside, "outside")
    table["kind"] = kind


def _inside(lon: Any, lat: Any, area: Sequence[float]) -> Any:
    west, south, east, north = area
    across = (lon >= west) & (lon <= east) if west <= east else (lon >= west) | (lon <= east)
    return across & (lat >= south) & (lat <= north)


def guess_crs(
    x: pd.Series, y: pd.Series, candidates: Sequence[str] = (), area: Sequence[float] | None = None
) -> list[CrsGuess]:
    """Rank reference systems that could be meant by eastings and northings, for a question.

    Parameters
    ----------
    x, y : Series of str or float
        Eastings and northings in metres.
    candidates : sequence of str
        Systems named by the topic; they come first.
    area : (west, south, east, north), optional
        Degrees; where the points should lie.

    Returns
    -------
    list of CrsGuess
        At most eight, best first: candidates, then UTM on WGS 84, then systems of the area.

    Examples
    --------
    >>> x, y = pd.Series([548785.0]), pd.Series([9523807.0])
    >>> [guess.crs for guess in guess_crs(x, y, ["EPSG:21037"], (38, -6, 41, -2))][:2]
    ['EPSG:21037', 'EPSG:32737']
    """
    east, north = _angles(x, None)["value"].to_numpy(), _angles(y, None)["value"].to_numpy()
    good = np.isfinite(east) & np.isfinite(north)
    east, north = east[good][:2000], north[good][:2000]
    if not len(east):
        return []
    named = {candidate: 2.0 for candidate in candidates}
    for system in _utm_over(area):
        named.setdefault(system, 1.0)
    for system in _systems_over(area):
        named.setdefault(system, 0.0)
    guesses = [
        guess for system, bonus in named.items() if (guess := _try_system(east, north, system, bonus, area))
    ]
    return sorted(guesses, key=lambda guess: -guess.score)[:8]


def _utm_over(area: Sequence[float] | None) -> list[str]:
    if area is None:
        return []
    zones = range(int((area[0] + 180) // 6) + 1, min(int((area[2] + 180) // 6) + 1, 60) + 1)
    bands = (["N"] if area[3] > 0 else []) + (["S"] if area[1] < 0 else [])
    return [_utm_system(zone, band) for zone in zones for band in bands][:12]


@lru_cache(maxsize=64)
def _registered(area: tuple[float, ...]) -> tuple[str, ...]:
    from pyproj.aoi import AreaOfInterest
    from pyproj.database import query_crs_info
    from pyproj.enums import PJType

    found = query_crs_info(
        auth_name="EPSG",
        pj_types=[PJType.PROJECTED_CRS],
        area_of_interest=AreaOfInterest(*area),
        contains=True,
    )
    return tuple(f"EPSG:{info.code}" for info in found if not info.deprecated)[:60]


def _systems_over(area: Sequence[float] | None) -> tuple[str, ...]:
    return _registered(tuple(area)) if area is not None else ()


def try_system(x: Any, y: Any, system: str) -> CrsGuess | None:
    """Give where a system puts points (metres), or None when that is not where it is used."""
    return _try_system(np.asarray(x, "float64")[:500], np.asarray(y, "float64")[:500], system, 0.0, None)


def _try_system(
    east: Any, north: Any, system: str, bonus: float, area: Sequence[float] | None
) -> CrsGuess | None:
    from pyproj.exceptions import ProjError

    try:
        crs = _crs(system)
        lon, lat, _ = to_degrees(east, north, system)
    except ProjError:
        return None
    use = crs.area_of_use
    bounds = area or ((use.west, use.south, use.east, use.north) if use else (-180, -90, 180, 90))
    inside = float(np.mean(_inside(lon, lat, bounds)))
    if inside < 0.5 or not math.isfinite(lon[0] + lat[0]):
        return None
    return CrsGuess(system, crs.name, inside, (float(lon[0]), float(lat[0])), inside * 10 + bonus)
