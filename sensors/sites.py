"""Tables that belong to a file of readings: its sites, or a dictionary of its columns.

Agencies hand out results and stations as two files, and scientists hand out a table of what each column
means. Neither holds a reading; both are recognised by what their columns are.
"""

from __future__ import annotations

import re

import pandas as pd

from sensors.mapping import Mapping, understand
from sensors.places import read_points
from sensors.raw_table import RawTable
from sensors.rows import Sites
from sensors.vocabulary import fold, read_site_type
from situation.errors import FieldFileError

CRS_KEY = "crs of the coordinates"
_EPSG = re.compile(r"EPSG:\s*(\d{4,6})")
_NAME_WORDS = ("variable name", "variable", "column", "column name", "field", "field name", "header", "name")
_UNIT_WORDS = ("unit type", "unit", "units", "unit of measure", "uom")
_TEXT_WORDS = ("description", "definition", "meaning", "label")


def looks_like_sites(mapping: Mapping) -> bool:
    """Say whether a table names sites and their places, and nothing measured."""
    place = (mapping.first("latitude") and mapping.first("longitude")) or mapping.first("geopoint")
    place = place or (mapping.first("x") and mapping.first("y"))
    named = mapping.first("site_id") or mapping.first("site_name")
    measured = mapping.of("value") or mapping.of("measure") or mapping.layout == "own"
    dated = mapping.of("date") or mapping.of("datetime")
    return bool(place and named and not measured and not dated)


def looks_like_dictionary(table: RawTable) -> bool:
    """Say whether a table describes the columns of another one."""
    names = [fold(name) for name in table.names]
    has_text = any(word in names for word in _TEXT_WORDS)
    return has_text and any(n in names for n in _NAME_WORDS[:-1]) and any(n in names for n in _UNIT_WORDS)


def read_dictionary(table: RawTable) -> dict[str, str]:
    """Read which unit each column has: column name to unit as written; the first mention counts.

    A reference system that a description names (``EPSG:21037``) stands under the key ``crs``.
    """
    names = [fold(name) for name in table.names]
    name = table.columns[next(names.index(word) for word in _NAME_WORDS if word in names)]
    unit = table.columns[next(names.index(word) for word in _UNIT_WORDS if word in names)]
    found: dict[str, str] = {}
    for variable, text in zip(*(table.read()[[name, unit]].to_numpy().T), strict=True):
        text = str(text).strip()
        if text.casefold() not in ("", "na", "none", "n/a", "-"):
            found.setdefault(str(variable).strip(), text)
    codes = {code for cells in table.read().to_numpy() for cell in cells for code in _EPSG.findall(str(cell))}
    if len(codes) == 1:
        found[CRS_KEY] = f"EPSG:{codes.pop()}"
    return found


def load_sites(table: RawTable) -> Sites:
    """Read a table of sites.

    Raises
    ------
    FieldFileError
        If it names no sites, or no places.
    """
    mapping = understand(table.columns, table.names)
    block = table.read()
    key = mapping.first("site_id") or mapping.first("site_name")
    lon, lat = mapping.first("longitude"), mapping.first("latitude")
    x, y, text = mapping.first("x"), mapping.first("y"), mapping.first("geopoint")
    if not key or not ((lon and lat) or text or (x and y)):
        raise FieldFileError(
            f"{table.path.name} is no table of sites: it needs a column for the site's id or name, "
            "and latitude and longitude."
        )
    datum, crs = mapping.first("datum"), mapping.first("crs")
    system = block[datum] if datum else (block[crs] if crs else None)
    if lon and lat:
        place = read_points(block[lon], block[lat], crs=system)
    elif text:
        place = read_points(text=block[text])
    else:
        named = mapping.constants.get("crs") if system is None else system
        place = read_points(block[str(x)], block[str(y)], crs=named)
    names = [column.source for column in mapping.of("site_name") if column.source != key]
    name = names[0] if names else mapping.first("site_name")
    kind = mapping.first("site_type") or _column_of_types(table, block)
    found = pd.DataFrame(
        {
            "key": block[key].str.split().str.join(" ").to_numpy(),
            "name": block[name].str.split().str.join(" ").to_numpy() if name else None,
            "type": block[kind].map(lambda word: read_site_type(word) if word else None).to_numpy()
            if kind
            else None,
            "longitude": place["longitude"].to_numpy("float64"),
            "latitude": place["latitude"].to_numpy("float64"),
            "datum": place["horizontal_datum"].to_numpy(dtype=object),
            "accuracy": place["horizontal_accuracy_m"].to_numpy("float64"),
        }
    )
    return Sites(found[found["key"] != ""].drop_duplicates("key", ignore_index=True), table.path.name)


def _column_of_types(table: RawTable, block: pd.DataFrame) -> str | None:
    """Find a column called "type" that holds types of sites: in a table of sites it can mean nothing else."""
    for column, name in zip(table.columns, table.names, strict=True):
        if fold(name) == "type" and any(read_site_type(word) for word in block[column].unique() if word):
            return column
    return None


def sites_from(known: pd.DataFrame, source_id: str) -> Sites:
    """Make a table to join of sites that are known already; ids lose the prefix of their source."""
    ids = known["monitoring_location_id"].astype("str").str.removeprefix(f"{source_id}:")
    table = pd.DataFrame(
        {
            "key": ids.to_numpy(),
            "name": known["monitoring_location_name"].to_numpy(dtype=object),
            "type": None,
            "longitude": known["longitude"].to_numpy("float64"),
            "latitude": known["latitude"].to_numpy("float64"),
            "datum": None,
            "accuracy": float("nan"),
        }
    )
    return Sites(table, "known sites")
