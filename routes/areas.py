"""``/api/areas``: the shares above the limit by area, for the map, and as CSV and GeoJSON for people.

Parameters are those of the pages' addresses; ``areas`` chooses the set of areas (as ``topic.toml`` names
its file, without ending), ``since`` a day against which each area is compared. The table has a row for what
lies in no area and one for what has no place, so that its sites add up to all there are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd
from starlette.requests import Request
from starlette.responses import Response

from layers import areas as layer
from layers import said
from routes import answer
from routes.asked import view_of
from situation import region
from situation.spreadsheet import safe_cells
from situation.view import View

#: Columns whose words are ours; the names of areas come from a file.
CLOSED = frozenset({"kind", "class"})


@answer.answering
def areas(request: Request) -> Response:
    """Answer the layer of the map."""
    view, now = view_of(request), pd.Timestamp.now("UTC")
    etag = answer.tag("areas", layer.key_of(view, now))
    return answer.unchanged(request, etag) or answer.packed(
        request, answer.pack(layer.answer(view, now)), "application/json", etag=etag
    )


def table(view: View, now: pd.Timestamp) -> pd.DataFrame:
    """Give the table of a view: shares by area, and what changed if the view says since when."""
    out = layer.regions(view, now).table
    if view.since:
        then = layer.changed(view.but(period=f"/{view.since}"), view, now)
        out = pd.concat([out, then], axis="columns")
    return out.assign(**{"class": [region.CLASS_NAMES[code] for code in out["class"]]})


def _download(request: Request, file: str, media: str) -> Response:
    view, now = view_of(request), pd.Timestamp.now("UTC")
    etag = answer.tag(file, layer.key_of(view, now), view.since, request.query_params.get("lang"))
    same = answer.unchanged(request, etag)
    if same is not None:
        return same
    rows = table(view, now)
    body = _csv(rows) if file.endswith("csv") else _geojson(request, view, rows, now)
    return Response(body, media_type=media, headers=answer.file_headers(view.file_name(file), etag))


@answer.answering
def areas_csv(request: Request) -> Response:
    """Answer the table as CSV."""
    return _download(request, "areas.csv", "text/csv; charset=utf-8")


@answer.answering
def areas_geojson(request: Request) -> Response:
    """Answer the areas with their numbers as GeoJSON; what lies in no area has no geometry."""
    return _download(request, "areas.geojson", "application/geo+json")


def _csv(rows: pd.DataFrame) -> bytes:
    text: str = safe_cells(rows, CLOSED).to_csv(index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
    return text.encode()


def _geojson(request: Request, view: View, rows: pd.DataFrame, now: pd.Timestamp) -> bytes:
    import shapely

    made = layer.regions(view, now)
    shapes = [json.loads(text) for text in shapely.to_geojson(made.areas.shapes)]
    shapes += [None] * (len(rows) - len(shapes))
    plain = rows.assign(newest=rows["newest"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")).astype(object)
    told = plain.where(rows.notna(), None).to_dict("records")
    about: Mapping[str, Any] = {
        "type": "FeatureCollection",
        "description": said.paragraph_of(view, now, request.query_params.get("lang")).text,
        "note": " ".join(made.notes),
        "topic": view.topic,
        "property": view.observed_property,
        "standard": view.standard,
        "areas": made.file.title,
        "licence": view.chosen_topic.licence,
        "simulated": made.simulated,
    }
    features = [
        {"type": "Feature", "geometry": shape, "properties": row}
        for shape, row in zip(shapes, told, strict=True)
    ]
    return json.dumps(
        {**about, "features": features}, ensure_ascii=False, separators=(",", ":"), allow_nan=False,
        default=lambda number: number.item(),
    ).encode()  # fmt: skip
