"""The regional picture on the map: each area filled by its share of sites above the limit.

Counted from the picture that the map itself shows, after ``public()``, so that the table, the layer and
the downloads say the same numbers. What changed since an earlier day is compared site by site first and
blurred afterwards, as ``layers/changes.py`` does, because hidden sites of one square share an identifier.

What surprised us: a fill that runs from white to red makes three sites look as sure as three hundred.
Areas with fewer than five judged sites are therefore hatched, whatever their share.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from layers import Layer, Sign
from layers import picture as pictures
from layers.picture import Picture, assessed
from layers.shelf import Shelf
from layers.subject import is_simulated
from situation import areas as polygons
from situation import region
from situation.areas import Areas
from situation.privacy import public
from situation.topic import AreaFile, Topic
from situation.view import View

#: From pale to dark, and none of them a colour of a status; as drawn, tests hold them apart for
#: colour-blind eyes. The last stands for "too few sites to say".
SIGNS = (
    *(
        Sign(label, colour, "patch")
        for label, colour in zip(
            region.CLASS_NAMES, ("#f7efd8", "#dcc48c", "#b3904a", "#7a5a1e", "#2e1d02"), strict=False
        )
    ),
    Sign(region.CLASS_NAMES[region.TOO_FEW], "#5f6770", "hatched"),
)
LAYER = Layer(
    key="areas",
    title="Share above the limit, by area",
    paint="class",
    signs=SIGNS,
    order=40,
    kind="shapes",
    source="areas",
)

#: Most corners in one answer; borders are drawn with fewer when a file has more.
MOST_CORNERS = 20_000


@dataclass(frozen=True)
class Regions:
    """The areas of one view with their counts.

    Attributes
    ----------
    version : int
        Data version of the store.
    file : AreaFile
        Which set of areas, and its title.
    areas : Areas
    table : DataFrame
        From :func:`situation.region.by_area`.
    found : Members
        Which site lies where; rows of the picture.
    has_limit : bool
        Whether there is a limit to be above.
    simulated : bool
        Whether the readings, and with them the areas of the demonstration, are made up.
    """

    version: int
    file: AreaFile
    areas: Areas
    table: pd.DataFrame
    found: region.Members
    has_limit: bool
    simulated: bool

    def __len__(self) -> int:
        return len(self.found.outside)

    @property
    def refused(self) -> str:
        """Why no share can be shown; empty if it can."""
        if len(self) == 0:
            return "There are no readings in this view."
        return "" if self.has_limit else "No limit is set for this, so there is no share above it."

    @property
    def notes(self) -> list[str]:
        """What must be known to read the shares, in sentences."""
        return region.notes(self.table, self.areas, self.found)


_shelf: Shelf[Regions] = Shelf(most=32, most_rows=2_000_000)


def shown_topic(view: View) -> Topic:
    """Give the topic as it is shown: over simulated readings, with the invented place's areas."""
    return view.chosen_topic.shown(simulated=is_simulated())


def key_of(view: View, now: pd.Timestamp) -> tuple[Any, ...]:
    """Everything that the shares depend on: what the picture does, and the file of areas."""
    file = polygons.chosen(shown_topic(view), view.areas)
    stamp = file.path.stat().st_mtime_ns if file.path.is_file() else 0
    return (*pictures.key_of(view, now), file, stamp)


def regions(view: View, now: pd.Timestamp) -> Regions:
    """Count the sites of a view by area.

    Raises
    ------
    ChoiceError
        If the topic has no such set of areas.
    DataFileError
        If the file of the areas cannot be used.
    """
    return _shelf.get(key_of(view, now), lambda: _make(view, now))


def _make(view: View, now: pd.Timestamp) -> Regions:
    topic = shown_topic(view)
    file = polygons.chosen(topic, view.areas)
    areas = polygons.read(file)
    shown = pictures.picture(view, now)
    found = region.members(shown.sites, areas, topic)
    return Regions(
        version=shown.version,
        file=file,
        areas=areas,
        table=region.by_area(shown.sites, areas, found),
        found=found,
        has_limit=_has_limit(shown),
        simulated=is_simulated(),
    )


def _has_limit(shown: Picture) -> bool:
    return bool(shown.sites["status"].ne("no limit").any())


def changed(before: View, view: View, now: pd.Timestamp) -> pd.DataFrame:
    """Compare each area with an earlier day or data version.

    Parameters
    ----------
    before : View
        The same topic, property and standard, with another ``period`` or ``as_of``.
    view : View
    now : Timestamp
        UTC, for ages.

    Returns
    -------
    DataFrame
        :data:`situation.region.CHANGE_COLUMNS`, rows as ``regions(view).table``.
    """
    topic = shown_topic(view)
    areas = polygons.read(polygons.chosen(topic, view.areas))
    new = assessed(view, now)
    was = region.earlier(assessed(before, now), new)
    shown = public(new, topic)
    return region.change(shown, was, areas, region.members(shown, areas, topic))


# -- what the map is answered with ------------------------------------------------------------------


def answer(view: View, now: pd.Timestamp) -> dict[str, Any]:
    """Answer the layer: one GeoJSON feature per area, filled by class, with its numbers in words."""
    made = regions(view, now)
    title = f"{pictures.picture(view, now).title}: {made.file.title}"
    common = {"title": title, "version": made.version, "note": " ".join(made.notes)}
    if made.refused:
        return common | {"refused": made.refused, "features": []}
    rows = made.table[made.table["kind"] == region.AREA]
    # Of the world only the countries with sites; of a topic's own areas also those where nobody measured.
    drawn = rows["sites"].gt(0) if made.file.key == polygons.COUNTRIES else rows["sites"].ge(0)
    shapes = _drawn(made.file, made.areas)
    features = [
        {
            "type": "Feature",
            "properties": {"code": int(row["class"]), "name": row["area"], "lines": lines(row)},
            "geometry": json.loads(shapes[number]),
        }
        for number, row in zip(np.flatnonzero(drawn), rows[drawn].to_dict("records"), strict=True)
    ]
    total = np.bincount(rows.loc[drawn, "class"], minlength=len(SIGNS)).tolist()
    return common | {"total": total, "features": features}


def lines(row: dict[Any, Any]) -> list[str]:
    """Say the numbers of one area as the tooltip does."""
    if not row["sites"]:
        return ["Nobody has measured here."]
    judged = region.counted_sites(row["judged"])
    said = (
        [
            f"{row['above']:,} of {judged} above the limit ({region.percent(row['share'])} %)",
            f"95 % interval (Wilson): {region.percent(row['share_low'])} to {region.percent(row['share_high'])} %",
        ]
        if row["judged"]
        else ["No site can be judged."]
    )
    if row["inconclusive"]:
        said.append(
            f"{row['inconclusive']:,} inconclusive: {region.percent(row['share_least'])} to "
            f"{region.percent(row['share_most'])} % if counted as below or above"
        )
    if row["class"] == region.TOO_FEW:
        said.append(region.CLASS_NAMES[region.TOO_FEW])
    if row["stale"]:
        said.append(f"{row['stale']:,} with an old newest reading")
    return said


@lru_cache(maxsize=16)
def _simplified(file: AreaFile, stamp: int, corners: int) -> tuple[str, ...]:
    import shapely

    shapes = polygons.read(file).shapes
    west, south, east, north = shapely.total_bounds(shapes)
    step = max(east - west, north - south) / 4000
    fewer = shapes
    while shapely.get_num_coordinates(fewer).sum() > corners:
        fewer, step = shapely.coverage_simplify(shapes, step), step * 2
    digits = 2 if file.key == polygons.COUNTRIES else 5
    return tuple(shapely.to_geojson(_rounded(fewer, digits)).tolist())


def _rounded(shapes: npt.NDArray[np.object_], digits: int) -> npt.NDArray[np.object_]:
    import shapely

    rounded: npt.NDArray[np.object_] = shapely.transform(shapes, lambda points: points.round(digits))
    return rounded


def _drawn(file: AreaFile, areas: Areas) -> tuple[str, ...]:
    return _simplified(file, file.path.stat().st_mtime_ns, MOST_CORNERS)


def forget() -> None:
    """Drop everything kept (tests)."""
    _shelf.clear()
