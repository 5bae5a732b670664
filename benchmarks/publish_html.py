"""How large the page is that leaves as one file, beside folium's ``save()`` of the same sites.

    python benchmarks/publish_html.py [--sites 2000]

Both show the same sites with the same words: name, result, class and day of each. folium does so in its two
usual ways: one ``CircleMarker`` with tooltip and popup a site, as its guide teaches, and one ``GeoJson`` layer with
tooltip and popup by field. Ours holds a table, a legend, the ground, limits, citation and caveats besides.

Counted are bytes, uncompressed. *As saved*: the file itself, ours with everything in it, folium's without what it
fetches from the networks of others when it is opened. *Whole*: the same files with every script and style sheet
that folium's page links to put in, as a page for a USB stick must have them (texts of the wheel folium-offline;
ours is whole already). folium's page draws no ground without internet; none is counted for it.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
BOX = (-3.5, 50.0, 1.5, 53.0)
AIM_RATIO, AIM_BYTES = 5.0, 1_500_000


def snapshot_of(n: int) -> Any:
    """Freeze the demonstration's nitrate, and spread as many of its sites over England (degrees, EPSG:4326)."""
    from layers import frozen
    from sensors import intake
    from situation.view import View

    with tempfile.TemporaryDirectory() as folder:
        place = intake.make_demo(f"ducklake:sqlite:{folder}/demo")
        shot = frozen.freeze(place, View.from_params({"property": "nitrate"}), pd.Timestamp.now("UTC"))
        place.close()
    random = np.random.default_rng(1)
    sites = shot.sites[shot.sites["position_rule"].eq("exact")].sample(n, replace=True, random_state=1)
    sites = sites.assign(
        longitude=random.uniform(*BOX[::2], n),
        latitude=random.uniform(*BOX[1::2], n),
        monitoring_location_id=[f"usgs:USGS-{number:08d}" for number in range(n)],
        monitoring_location_name=[f"Well {number} at the school" for number in range(n)],
    )
    return dataclasses.replace(
        shot, sites=frozen.in_order(sites.reset_index(drop=True)), box=BOX, simulated=False
    )


def ours(shot: Any) -> tuple[bytes, float]:
    """Make our page; gives it and the seconds that it took."""
    from publish import web

    web.document(shot)  # reads Leaflet and the basemap, once a process
    start = time.perf_counter()
    page = web.document(shot).encode()
    return page, time.perf_counter() - start


def folium_page(shot: Any, way: str) -> tuple[bytes, float]:
    """Save the same sites with folium; gives the page and the seconds that it took."""
    import folium

    start = time.perf_counter()
    chart = folium.Map(tiles=None)
    chart.fit_bounds([BOX[1::-1], BOX[:1:-1]])
    (_circles if way == "CircleMarker" else _geojson)(folium, chart, _told(shot))
    with tempfile.TemporaryDirectory() as folder:
        chart.save(f"{folder}/map.html")
        return Path(folder, "map.html").read_bytes(), time.perf_counter() - start


def _told(shot: Any) -> pd.DataFrame:
    from situation.result import words
    from situation.status import STYLE, label

    sites = shot.sites
    return pd.DataFrame(
        {
            "name": sites["monitoring_location_name"],
            "result": words(sites),
            "status": [label(status, shot.comparison) for status in sites["status"]],
            "day": sites["phenomenon_time"].dt.strftime("%Y-%m-%d"),
            "colour": [STYLE[status].colour for status in sites["status"]],
            "lon": sites["longitude"].round(5),
            "lat": sites["latitude"].round(5),
        }
    )


def _circles(folium: Any, chart: Any, told: pd.DataFrame) -> None:
    for row in told.itertuples():
        folium.CircleMarker(
            (row.lat, row.lon),
            radius=6,
            color=row.colour,
            fill=True,
            tooltip=row.name,
            popup=f"<b>{row.name}</b><br>{row.result}<br>{row.status}<br>{row.day}",
        ).add_to(chart)


def _geojson(folium: Any, chart: Any, told: pd.DataFrame) -> None:
    fields = ["name", "result", "status", "day"]
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [row["lon"], row["lat"]]},
            "properties": {name: row[name] for name in [*fields, "colour"]},
        }
        for row in told.to_dict("records")
    ]
    folium.GeoJson(
        {"type": "FeatureCollection", "features": features},
        marker=folium.CircleMarker(radius=6, fill=True),
        style_function=lambda feature: {"color": feature["properties"]["colour"]},
        tooltip=folium.GeoJsonTooltip(["name"]),
        popup=folium.GeoJsonPopup(fields),
    ).add_to(chart)


def fetched(page: bytes) -> int:
    """Count the bytes of the scripts and style sheets that a page of folium links to."""
    from offlinefolium.elements import _res

    links = set(re.findall(r'(?:src|href)="(https?://[^"]+)"', page.decode()))
    missing = [link for link in links if link not in _res]
    assert not missing, missing
    return sum(len(_res[link].encode()) for link in links)


def compare(n: int) -> dict[str, float]:
    """Measure both; gives bytes and the ratios folium to ours, and prints them."""
    shot = snapshot_of(n)
    page, seconds = ours(shot)
    found: dict[str, float] = {"ours": len(page), "seconds": seconds}
    print(f"{n:,} sites; ours, whole: {len(page) / 1e3:,.0f} kB in {seconds:.2f} s")
    for way in ("CircleMarker", "GeoJson"):
        rival, took = folium_page(shot, way)
        whole = len(rival) + fetched(rival)
        found |= {f"{way} saved": len(rival), f"{way} whole": whole, f"{way} ratio": whole / len(page)}
        print(
            f"folium, {way}: as saved {len(rival) / 1e3:,.0f} kB ({len(rival) / len(page):.1f} x ours), "
            f"whole {whole / 1e3:,.0f} kB ({whole / len(page):.1f} x ours), {took:.2f} s"
        )
    return found


def main() -> int:
    """Print sizes; exit 1 if ours is larger than it may be, or not five times smaller."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sites", type=int, default=2_000)
    os.environ.setdefault("COMMONSIGHT_VAR", tempfile.mkdtemp())
    found = compare(parser.parse_args().sites)
    good = found["ours"] <= AIM_BYTES and found["CircleMarker ratio"] >= AIM_RATIO
    print(
        "aims:",
        "kept" if good else "NOT kept",
        f"(at most {AIM_BYTES / 1e6:.1f} MB, {AIM_RATIO:.0f} x smaller)",
    )
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
