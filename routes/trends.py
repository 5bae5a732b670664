"""``/api/trends.csv`` and ``/api/trends.json``: the table of the Trends page, for scripts and spreadsheets.

One row per series, the columns of :data:`layers.trends.COLUMNS`, the same as ``python -m commonsight trends``
prints. Parameters are those of the other addresses; slopes are per year in ``unit``, times UTC.
"""

from __future__ import annotations

import pandas as pd
from starlette.requests import Request
from starlette.responses import Response

from layers import trends
from layers.picture import key_of
from layers.subject import is_simulated
from routes import answer
from routes.asked import view_of
from situation.spreadsheet import safe_cells


@answer.answering
def trends_csv(request: Request) -> Response:
    """Answer the trends of every series as CSV."""
    view, now = view_of(request), pd.Timestamp.now("UTC")
    etag = answer.tag("trends.csv", key_of(view, now), view.bbox, view.site)
    kept = answer.unchanged(request, etag)
    if kept is not None:
        return kept
    rows = safe_cells(trends.inside(trends.table(view, now), view), trends.CLOSED)
    if is_simulated():
        rows["simulated"] = "yes"
    return Response(
        rows.to_csv(index=False, date_format="%Y-%m-%dT%H:%M:%SZ"),
        media_type="text/csv; charset=utf-8",
        headers=answer.file_headers(view.file_name("trends.csv"), etag),
    )


@answer.answering
def trends_json(request: Request) -> Response:
    """Answer the trends of every series as JSON, with what they are compared with."""
    view, now = view_of(request), pd.Timestamp.now("UTC")
    etag = answer.tag("trends.json", key_of(view, now), view.bbox, view.site)
    kept = answer.unchanged(request, etag)
    if kept is not None:
        return kept
    made = trends.table(view, now)
    body = answer.pack(trends.as_json(made, view, simulated=is_simulated()))
    return answer.packed(request, body, "application/json", etag=etag)
