"""What leaves as a file: pictures, documents, tables, packages. Knows matplotlib, not Streamlit, not folium.

Every writer takes a :class:`situation.snapshot.Snapshot` and a path, and is one function ``write(shot, path,
options)`` in the module that :data:`FORMATS` names for the file's ending. What comes out depends on the snapshot
and the options alone: the same snapshot written twice on one installation is the same bytes, except where a
format's module says otherwise.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from situation.errors import ChoiceError
from situation.snapshot import Snapshot

Progress = Callable[[float | None, str], None]


def silent(share: float | None, text: str) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class Options:
    """How a file is made.

    Attributes
    ----------
    size : str
        Of a picture: a key of ``publish.sizes.SIZES``.
    look : str
        Of a picture: ``light`` (screens) or ``print`` (white ground, no tint under the text).
    rows : str
        Of a table: ``sites`` (one row per site, with its status) or ``readings`` (every reading behind them).
        A GeoPackage and a package hold both.
    progress : callable
        Told a share from 0 to 1 (or None) and a few words, now and then, of what takes long.
    """

    size: str = "850x600"
    look: str = "light"
    rows: str = "sites"
    progress: Progress = silent


@dataclass(frozen=True)
class Format:
    """One kind of file: the module that writes it, its media type, and what it is in a few words."""

    module: str
    media: str
    what: str


#: Ending of the file to what writes it, in the order in which they are offered.
FORMATS = {
    "png": Format("picture", "image/png", "picture"),
    "svg": Format("picture", "image/svg+xml", "picture that can be scaled and edited"),
    "pdf": Format("picture", "application/pdf", "picture to print"),
    "html": Format("web", "text/html; charset=utf-8", "interactive map and table in one file"),
    "csv": Format("tables", "text/csv; charset=utf-8", "table"),
    "xlsx": Format("tables", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "workbook"),
    "geojson": Format("geo", "application/geo+json", "places for web maps"),
    "gpkg": Format("geo", "application/geopackage+sqlite3", "places for QGIS, styled"),
    "parquet": Format("geo", "application/vnd.apache.parquet", "places for analysis (GeoParquet)"),
    "kml": Format("geo", "application/vnd.google-earth.kml+xml", "places for Google Earth"),
    "zip": Format(
        "package", "application/zip", "everything: data package with limits, citation and checksums"
    ),
}
LOOKS = ("light", "print")
ROWS = ("sites", "readings")


def ending_of(path: Path) -> str:
    """Give the ending of a file that can be written.

    Raises
    ------
    ChoiceError
        If nothing here writes such a file.
    """
    ending = path.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise ChoiceError(
            f"{path.name} does not end in one of {', '.join(FORMATS)}; the ending chooses the format."
        )
    return ending


def write(shot: Snapshot, path: Path, options: Options | None = None) -> None:
    """Write a snapshot to a file; its ending chooses the format.

    Raises
    ------
    ChoiceError
        If the ending, the size or the look is none that there is.
    """
    options = options or Options()
    if options.look not in LOOKS or options.rows not in ROWS:
        raise ChoiceError(f"look is one of {', '.join(LOOKS)}, and rows one of {', '.join(ROWS)}.")
    import_module(f"publish.{FORMATS[ending_of(path)].module}").write(shot, path, options)


def made(shot: Snapshot, ending: str, options: Options | None = None) -> bytes:
    """Give the bytes of the file that :func:`write` makes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"snapshot.{ending}"
        write(shot, path, options)
        return path.read_bytes()


def file_name(shot: Snapshot, ending: str, detail: str = "") -> str:
    """Name a file of a snapshot: ``groundwater-nitrate-v12.png``."""
    parts = [shot.view.topic, shot.view.observed_property, f"v{shot.version}", detail]
    return f"{'-'.join(part for part in parts if part)}.{ending}"
