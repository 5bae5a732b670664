"""Wells for the tests of map and routes: few, and with everything that is awkward about readings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow

import store
from situation.observation import ARROW, flat
from situation.settings import settings
from situation.topic import topics

NOW = pd.Timestamp("2026-06-30", tz="UTC")
#: In the middle of the demonstration's area, so that the map looks there.
WEST, SOUTH, EAST, NORTH = topics()["groundwater"].shown(simulated=True).area
LON, LAT = round((WEST + EAST) / 2, 3), round((SOUTH + NORTH) / 2, 3)
NASTY = "{{7*7}}</script><script>window.broken = 1</script>${alert(1)}"

#: id, name, type, longitude, latitude, nitrate as NO3 in mg/L (None: < 0.5), date
WELLS = [
    ("t:above", "Above", "well", LON - 0.05, LAT - 0.03, 80.0, "2026-05-01"),
    ("t:near", "Near", "well", LON - 0.04, LAT - 0.02, 45.0, "2026-05-01"),
    ("t:below", "Below", "well", LON - 0.03, LAT - 0.01, 3.0, "2026-05-01"),
    ("t:less", "Non-detect", "well", LON - 0.02, LAT + 0, None, "2026-05-01"),
    ("t:old", "Old", "well", LON - 0.01, LAT + 0.01, 70.0, "2019-01-01"),
    ("t:nasty", NASTY, "well", LON + 0, LAT + 0.02, 5.0, "2026-05-01"),
    ("t:home-1", "Family Smith", "household_well", LON + 0.0099, LAT + 0.0301, 90.0, "2026-05-01"),
    ("t:home-2", "Family Jones", "household_well", LON + 0.0098, LAT + 0.0302, 5.0, "2026-05-01"),
]


def readings(wells=WELLS, *, contributor="ana", earlier=True) -> pd.DataFrame:
    """Make two readings a well: the one above, and one two years before at a tenth of it."""
    rows = []
    for site, name, kind, lon, lat, value, day in wells:
        for share, time in ((0.1, pd.Timestamp(day, tz="UTC") - pd.DateOffset(years=2)), (1.0, day)):
            if share < 1 and not earlier:
                continue
            rows.append(
                {
                    "source_id": f"upload:{contributor}",
                    "contributor": contributor,
                    "monitoring_location_id": site,
                    "monitoring_location_name": name,
                    "monitoring_location_type": kind,
                    "longitude": lon,
                    "latitude": lat,
                    "observed_property": "nitrate",
                    "observed_property_name": "Nitrate",
                    "method_speciation": "as NO3",
                    "sampled_medium": "groundwater",
                    "procedure_class": "laboratory",
                    "phenomenon_time": pd.Timestamp(time).tz_localize("UTC")
                    if isinstance(time, str)
                    else time,
                    "result": np.nan if value is None else value * share,
                    "result_text": "<0.5" if value is None else f"{value * share:g}",
                    "censoring": "<" if value is None else "=",
                    "detection_limit": 0.5 if value is None else np.nan,
                    "unit": "mg/L",
                    "unit_source": "mg/l",
                    "licence": "CC0-1.0",
                    "attribution": "the tests",
                    "result_qualifier": "=1+1",
                    "source_row": 7,
                }
            )
    return flat(pd.DataFrame(rows))


def put(table: pd.DataFrame, *, accept=True, simulated=False, topic="groundwater", name="wells.csv"):
    """Put readings into the active store; gives the receipt."""
    place = store.shared(settings().active_store_url)
    receipt = place.add(
        name.encode(),
        pyarrow.Table.from_pandas(table, schema=ARROW, preserve_index=False),
        filename=name,
        source_id="upload:ana",
        contributor="ana",
        topic=topic,
        rows_in=len(table),
        accept=accept,
    )
    if simulated:
        place.set_simulated()
    return receipt
