"""A snapshot as places: GeoJSON, GeoPackage, GeoParquet and KML; longitude and latitude in WGS 84 throughout.

========== ================================================================ ===========================
ending     holds                                                            twice the same bytes
========== ================================================================ ===========================
geojson    sites, or readings; RFC 7946, with citation and licences         yes
gpkg       sites and readings, tables about them, a style for QGIS          yes, with one GDAL version
parquet    sites, or readings; GeoParquet 1.1, WKB points                   yes, with one Arrow version
kml        sites, a folder for each status                                  yes
========== ================================================================ ===========================

Readings pass in pieces, so that a million of them need the memory of one piece.

What surprised us: a KML icon is an address, and Google Earth fetches what has none of its own from a server of
theirs; so the sign of a status stands as a letter (▲ ◆ ● ■ ?) in front of the name, and the pin that every program
draws by itself only takes its colour. And Google Earth runs ``$[…]`` and HTML in descriptions.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import IO, Any
from xml.sax.saxutils import escape as xml_escape
from xml.sax.saxutils import quoteattr

import pandas as pd
import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.parquet as pq
import pyogrio

from publish import Options, Progress, citation, qgis, read_me
from publish.columns import (
    READINGS,
    SITES,
    Documented,
    described,
    readings_tables,
    schema_of,
    sites_table,
    with_points,
)
from publish.tables import sources_frame
from situation.snapshot import Snapshot
from situation.status import STATUSES, STYLE
from situation.visible import one_line

_PIECE = 8_192  # rows that become Python objects at a time
_GROUP = 131_072  # rows of a row group
_config = threading.Lock()


def write(shot: Snapshot, path: Path, options: Options) -> None:
    """Write a snapshot as GeoJSON, GeoPackage, GeoParquet or KML, as the ending of *path* says."""
    kinds = {
        ".geojson": _write_geojson,
        ".gpkg": _write_geopackage,
        ".parquet": _write_geoparquet,
        ".kml": _write_kml,
    }
    kinds[path.suffix.lower()](shot, path, options)


def _tables(shot: Snapshot, options: Options) -> tuple[Iterator[pa.Table], tuple[Documented, ...]]:
    """Give what is asked for in pieces, with its columns."""
    if options.rows == "readings":
        return readings_tables(shot, options.progress), READINGS
    return iter([sites_table(shot)]), SITES


def about(shot: Snapshot) -> dict[str, str]:
    """Say of a file as a whole what it is, how to cite it, under which licence, and what not to take it for."""
    unsafe = read_me.say(shot, "no_data")
    told = {
        "title": one_line(shot.title),
        "description": f"{one_line(shot.said.text)} {unsafe}",
        "citation": citation.long(shot, shot.language),
        "licence": citation.licences(shot, "en"),
        "producer": one_line(shot.topic.producer),
        "contact": one_line(shot.topic.contact),
        "version": str(shot.version),
        "at": f"{shot.view.clock(shot.moment):%Y-%m-%dT%H:%MZ}",
        "address": shot.permalink or "",
        "reproduce": citation.command(shot),
        "simulated": "yes" if shot.simulated else "no",
        "unaccepted": "yes" if shot.unaccepted else "no",
    }
    return {key: text for key, text in told.items() if text}


# ---- GeoJSON -------------------------------------------------------------------------------------


def _write_geojson(shot: Snapshot, path: Path, options: Options) -> None:
    with path.open("wb") as target:
        tables, _ = _tables(shot, options)
        write_features(shot, tables, target)


def write_features(shot: Snapshot, tables: Iterable[pa.Table], target: IO[bytes]) -> None:
    """Write tables with longitude and latitude as one FeatureCollection (RFC 7946)."""
    head: dict[str, Any] = {"type": "FeatureCollection", "name": one_line(shot.title), **about(shot)}
    box = extent(shot)
    target.write(_json(head | ({"bbox": box} if box else {}))[:-1] + b', "features": [')
    comma = b"\n"
    for table in tables:
        for feature in _features(table):
            target.write(comma + _json(feature))
            comma = b",\n"
    target.write(b"\n]}\n")


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


def _features(table: pa.Table) -> Iterator[dict[str, Any]]:
    table = _moments_as_text(table)
    for batch in table.to_batches(max_chunksize=_PIECE):
        for row in batch.to_pylist():
            lon, lat = row.pop("longitude"), row.pop("latitude")
            there = lon is not None and lat is not None
            place = {"type": "Point", "coordinates": [lon, lat]} if there else None
            known = {name: _finite(value) for name, value in row.items()}
            yield {"type": "Feature", "geometry": place, "properties": known}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _moments_as_text(table: pa.Table) -> pa.Table:
    for place, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            text = compute.strftime(table.column(place), format="%Y-%m-%dT%H:%M:%SZ")
            table = table.set_column(place, field.name, compute.replace_substring_regex(text, r"\.0+Z$", "Z"))
    return table


def extent(shot: Snapshot) -> list[float]:
    """Give west, south, east, north around the sites, degrees; empty where none has a place."""
    lon, lat = shot.sites["longitude"], shot.sites["latitude"]
    if not len(shot.sites) or lon.isna().all():
        return []
    return [float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())]


# ---- GeoPackage ----------------------------------------------------------------------------------


def _write_geopackage(shot: Snapshot, path: Path, options: Options) -> None:
    path.unlink(missing_ok=True)
    sites = sites_table(shot)
    with _stamped(shot):
        _layer(path, "sites", iter([sites]), SITES, shot, "The newest reading of each site, and its status.")
        pieces = readings_tables(shot, options.progress)
        _layer(path, "readings", pieces, READINGS, shot, "Every reading behind the sites.")
        for name, frame in _attributes(shot).items():
            _attribute_table(path, name, frame)


@contextmanager
def _stamped(shot: Snapshot) -> Iterator[None]:
    """Let GDAL write the moment of the snapshot where it would write that of today."""
    at = f"{shot.view.clock(shot.moment):%Y-%m-%dT%H:%M:00.000Z}"
    with _config:  # one setting for the whole process
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": at})
        try:
            yield
        finally:
            pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def _layer(
    path: Path,
    name: str,
    tables: Iterator[pa.Table],
    columns: tuple[Documented, ...],
    shot: Snapshot,
    what: str,
) -> None:
    """Write one layer of points, piece by piece."""
    empty = with_points(schema_of(columns).empty_table().replace_schema_metadata(None))
    schema = pa.schema([pa.field(field.name, field.type) for field in empty.schema])
    pieces = (batch for table in tables for batch in with_points(table).cast(schema).to_batches())
    pyogrio.write_arrow(
        pa.RecordBatchReader.from_batches(schema, pieces),
        path,
        layer=name,
        driver="GPKG",
        geometry_name="geometry",
        geometry_type="Point",
        crs="EPSG:4326",
        append=path.exists(),
        dataset_metadata=about(shot),
        layer_options={"GEOMETRY_NAME": "geom", "DESCRIPTION": f"{what} {read_me.say(shot, 'no_data')}"},
    )


def _attributes(shot: Snapshot) -> dict[str, pd.DataFrame]:
    """Give the tables without places: what the file is, the limits, the sources, the columns, the style."""
    limits = shot.standard.limits if shot.standard and shot.standard.rows else pd.DataFrame({"property": []})
    return {
        "about": pd.DataFrame(list(about(shot).items()), columns=["key", "value"]),
        "limits": limits.astype({c: "str" for c in limits if limits[c].dtype == object}),
        "sources": sources_frame(shot),
        "columns": described({"sites": SITES, "readings": READINGS}),
        "layer_styles": _styles(shot),
    }


def _styles(shot: Snapshot) -> pd.DataFrame:
    """Make the table in which QGIS looks for the usual style of a layer."""
    return pd.DataFrame(
        {
            "f_table_catalog": [""],
            "f_table_schema": [""],
            "f_table_name": ["sites"],
            "f_geometry_column": ["geom"],
            "styleName": ["status"],
            "styleQML": [qgis.sites_style(shot)],
            "styleSLD": [""],
            "useAsDefault": [True],
            "description": [one_line(shot.title)],
            "owner": [""],
            "ui": [None],
            "update_time": [shot.view.clock(shot.moment)],
        }
    ).astype({"ui": "str"})


def _attribute_table(path: Path, name: str, frame: pd.DataFrame) -> None:
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    fields = [pa.field(f.name, pa.string() if pa.types.is_null(f.type) else f.type) for f in table.schema]
    pyogrio.write_arrow(
        table.cast(pa.schema(fields)),
        path,
        layer=name,
        driver="GPKG",
        append=True,
        layer_options={"FID": "id"},
    )


# ---- GeoParquet ----------------------------------------------------------------------------------


def _write_geoparquet(shot: Snapshot, path: Path, options: Options) -> None:
    tables, columns = _tables(shot, options)
    schema = with_points(schema_of(columns).empty_table()).schema
    box: list[float] = []
    with pq.ParquetWriter(path, schema, compression="zstd", store_schema=False) as writer:
        for group in _groups(tables):
            box = _wider(box, group)
            writer.write_table(with_points(group).cast(schema), row_group_size=_GROUP)
        # The whole extent is known only when all rows have passed.
        told = {f"commonsight:{key}": text for key, text in about(shot).items()}
        writer.add_key_value_metadata({"geo": json.dumps(_geo(box)), **told})


def _groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Join pieces to row groups of a good size."""
    held: list[pa.Table] = []
    for table in tables:
        held.append(table)
        if sum(map(len, held)) >= _GROUP:
            joined = pa.concat_tables(held)
            yield joined.slice(0, _GROUP)
            held = [joined.slice(_GROUP)]
    if held:
        yield pa.concat_tables(held)


def _wider(box: list[float], table: pa.Table) -> list[float]:
    ends = [compute.min_max(table[name]).as_py() for name in ("longitude", "latitude")]
    found = [ends[0]["min"], ends[1]["min"], ends[0]["max"], ends[1]["max"]]
    if None in found:
        return box
    return [f(a, b) for f, a, b in zip((min, min, max, max), box, found, strict=True)] if box else found


def _geo(box: list[float]) -> dict[str, Any]:
    """Describe the column of points; a system that is left out is OGC:CRS84, longitude first."""
    column = {"encoding": "WKB", "geometry_types": ["Point"], **({"bbox": box} if box else {})}
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}


# ---- KML -----------------------------------------------------------------------------------------

_SIGNS = {"triangle": "▲", "diamond": "◆", "circle": "●", "square": "■", "question": "?"}
_TOLD = (
    "result_text", "unit", "phenomenon_time", "procedure_class", "reason", "n", "monitoring_location_type",
    "position_rule", "licence", "attribution",
)  # fmt: skip


def _write_kml(shot: Snapshot, path: Path, options: Options) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as target:
        target.write('<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">\n')
        target.write(f"<Document>\n<name>{_xml(shot.title)}</name>\n<open>1</open>\n")
        target.write(f"<description>{_html(list(about(shot).values())[1:4])}</description>\n")
        target.writelines(_kml_style(status) for status in STATUSES)
        target.write(_kml_schema())
        _kml_folders(shot, target, options.progress)
        target.write("</Document>\n</kml>\n")


def _kml_style(status: str) -> str:
    style = STYLE[status]
    red, green, blue = (style.colour[at : at + 2] for at in (1, 3, 5))
    colour = f"ff{blue}{green}{red}"  # opaque; KML writes a colour backwards
    return (
        f'<Style id="{_key(status)}"><IconStyle><color>{colour}</color><scale>0.9</scale></IconStyle>'
        f"<LabelStyle><color>{colour}</color><scale>0.8</scale></LabelStyle></Style>\n"
    )


def _key(status: str) -> str:
    return status.replace(" ", "-")


def _kml_columns() -> list[Documented]:
    return [column for column in SITES if column.name not in ("longitude", "latitude")]


def _kml_schema() -> str:
    kinds = {"double": "double", "int64": "int", "bool": "bool"}
    fields = "".join(
        f'<SimpleField name="{column.name}" type="{kinds.get(str(column.kind), "string")}">'
        f"<displayName>{_xml(column.title)}</displayName></SimpleField>\n"
        for column in _kml_columns()
    )
    return f'<Schema name="sites" id="sites">\n{fields}</Schema>\n'


def _kml_folders(shot: Snapshot, target: IO[str], progress: Progress) -> None:
    """Write a folder for each status that there is, the worst first: the legend at the side of the map."""
    table = _moments_as_text(sites_table(shot))
    for status, _, number in shot.by_status:
        if not number:
            continue
        sign = _SIGNS[STYLE[status].shape]
        name = f"{sign} {read_me.named(shot, status)} ({number})"
        target.write(f"<Folder>\n<name>{_xml(name)}</name>\n")
        chosen = table.filter(compute.equal(table["status"], status))
        for batch in chosen.to_batches(max_chunksize=_PIECE):
            target.writelines(_placemark(row, sign) for row in batch.to_pylist())
        target.write("</Folder>\n")
        progress(None, name)


def _placemark(row: dict[str, Any], sign: str) -> str:
    name = f"{sign} {one_line(row['monitoring_location_name'] or row['monitoring_location_id'])}"
    lon, lat = row["longitude"], row["latitude"]
    place = "" if lon is None else f"<Point><coordinates>{lon!r},{lat!r}</coordinates></Point>"
    lines = [f"{title}: {row[key]}" for key, title in _TITLES.items() if row[key] not in (None, "")]
    data = "".join(
        f"<SimpleData name={quoteattr(column.name)}>{_xml(_plain(row[column.name]))}</SimpleData>"
        for column in _kml_columns()
        if row[column.name] is not None
    )
    return (
        f"<Placemark><name>{_xml(name)}</name><description>{_html(lines)}</description>"
        f"<styleUrl>#{_key(row['status'])}</styleUrl>"
        f'<ExtendedData><SchemaData schemaUrl="#sites">{data}</SchemaData></ExtendedData>{place}</Placemark>\n'
    )


_TITLES = {column.name: column.title for column in SITES if column.name in _TOLD}


def _plain(value: Any) -> Any:
    return ("1" if value else "0") if isinstance(value, bool) else value


def _xml(value: object) -> str:
    return xml_escape(one_line(value))


def _html(lines: Iterable[str]) -> str:
    """Write lines as the HTML of a description: escaped as HTML, and that as XML; no ``$[…]`` stays whole."""
    return xml_escape("<br>".join(escape(one_line(line)).replace("$", "&#36;") for line in lines))
