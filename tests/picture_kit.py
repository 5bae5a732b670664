"""Snapshots made by hand for the tests of pictures: as many sites as wanted, anywhere, under any name."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from situation.paragraph import paragraph
from situation.snapshot import Snapshot
from situation.standard import standards
from situation.status import STYLE
from situation.topic import topics
from situation.view import View

AT = "2026-06-30T09:30Z"
BOX = (8.0, 47.0, 9.0, 47.6)
HOSTILE = "{{7*7}}</script>=1+1 \u202eevil\u202c $x^2$ 😀\x00 " + "very long name " * 20
ARABIC = "النترات في المياه الجوفية: ما وجدناه في آبار الوادي (2026)"
HINDI = "भूजल में नाइट्रेट: घाटी के कुओं में हमने क्या पाया, क्षेत्र और मिट्टी की स्थिति"


def sites(number=60, box=BOX, *, stale=0.1, hidden=0.1, statuses=tuple(STYLE), sources=3, seed=5):
    """Make sites at random in a box (degrees), with a share of old ones and of private places."""
    rng = np.random.default_rng(seed)
    west, south, east, north = box
    many = {"dtype": "str"}
    told = pd.DataFrame(
        {
            "monitoring_location_id": pd.Series([f"t:{i}" for i in range(number)], **many),
            "monitoring_location_name": pd.Series([f"Well {i}" for i in range(number)], **many),
            "longitude": rng.uniform(west, east, number),
            "latitude": rng.uniform(south, north, number),
            "status": pd.Series(rng.choice(statuses, number), **many),
            "freshness": pd.Series(np.where(rng.random(number) < stale, "stale", "current"), **many),
            "position_rule": pd.Series(np.where(rng.random(number) < hidden, "blurred", "exact"), **many),
            "review_state": pd.Series(["pending"] * number, **many),
            "phenomenon_time": pd.Series(
                [pd.Timestamp("2026-05-01", tz="UTC")] * number, dtype="datetime64[us, UTC]"
            ),
            "n": 4,
            "batch_id": pd.Series(["1"] * number, **many),
            "source_id": pd.Series([f"source:{i % max(sources, 1)}" for i in range(number)], **many),
            "attribution": pd.Series([f"Wells group {i % max(sources, 1)}" for i in range(number)], **many),
            "licence": pd.Series(["CC-BY-4.0"] * number, **many),
        }
    )
    cell = 0.01  # private places stand in the middle of a cell
    private = told["position_rule"].eq("blurred")
    for name in ("longitude", "latitude"):
        told.loc[private, name] = (np.floor(told.loc[private, name] / cell) + 0.5) * cell
    return told


def snapshot(table=None, *, box=BOX, language="en", title="Nitrate in the wells of the valley",
             observed_property="nitrate", standard="who_drinking_water", **more):  # fmt: skip
    """Make a snapshot of sites."""
    table = sites(box=box) if table is None else table
    topic = replace(topics()["groundwater"], producer="Friends of the river", contact="wells@example.org")
    chosen = standards().get(standard)
    view = View("groundwater", observed_property, standard, as_of=7, at=AT)
    moment = pd.Timestamp(AT)
    told = {
        "view": view,
        "moment": moment,
        "title": title,
        "topic": topic,
        "standard": chosen,
        "limit": chosen.limit(observed_property, moment.date()) if chosen else None,
        "sites": table,
        "said": paragraph(table, chosen, observed_property, on=date(2026, 6, 30), as_of=7, stale_days=730, language=language),
        "box": box,
        "readings": lambda: iter(()),
        "batches": pd.DataFrame(),
        "language": language,
        "base_url": "https://map.example.org",
        "id": "abcde23456",
    }  # fmt: skip
    return Snapshot(**told | more)
