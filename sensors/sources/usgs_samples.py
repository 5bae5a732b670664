"""USGS Samples: discrete chemistry of the United States Geological Survey, in WQX 3.0.

One question is one CSV without pages and in no firm order. Properties are asked for by USGS parameter codes,
which say form and fraction.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from sensors.lands import USA
from sensors.parts import box_text, in_parts, local_day, one_question
from sensors.sensor import Ask, Body, Sensor
from situation.errors import ChoiceError
from situation.properties import PROPERTIES
from situation.topic import Box

if TYPE_CHECKING:
    from sensors.http import Http


def codes_of(key: str) -> list[str]:
    """List the USGS parameter codes of a property.

    >>> codes_of("nitrate")
    ['00618', '00620', '71850', '71851']
    """
    return [code for code, _ in PROPERTIES[key].pcodes]


def fetch(ask: Ask, http: Http) -> Iterator[Body]:
    """Ask for results; what is too large at once is asked in parts."""
    if not (ask.bbox or ask.site or ask.options.get("stateFips")):
        raise ChoiceError("USGS Samples needs a box, a site or --option stateFips=US:NN.")
    groundwater = "GW" if ask.topic == "groundwater" and not ask.site else None
    params: dict[str, object] = {
        "usgsPCode": [code for key in ask.properties for code in codes_of(key)] or None,
        "siteTypeCode": ask.options.get("site_type", groundwater),
        "activityMediaName": ask.options.get("media", "Water"),
        "stateFips": ask.options.get("stateFips"),
        "monitoringLocationIdentifier": ask.site,
        "mimeType": "text/csv",
    }

    def question(box: Box | None, since: datetime | None, until: datetime | None) -> Body:
        asked = {
            **params,
            "boundingBox": box_text(box),
            "activityStartDateLower": f"{local_day(since):%Y-%m-%d}" if since else None,
            "activityStartDateUpper": f"{local_day(until, end=True):%Y-%m-%d}" if until else None,
        }
        return http.get("results/fullphyschem", asked, expect="csv", kind="results", too_much=(413, 414, 504))

    yield from in_parts(http, question, ask.bbox, ask.since, ask.until)


SENSOR = Sensor(
    key="usgs_samples",
    title="USGS Samples: laboratory and field chemistry (USA)",
    homepage="https://waterdata.usgs.gov/download-samples/",
    licence="public domain (US)",
    attribution="U.S. Geological Survey",
    limits="50 requests an hour without a key, 1,000 with one; one question at a time.",
    recorded=True,
    evidence="Results of USGS-05406500 (67 rows, 181 columns), recorded in the tests of dataretrieval.",
    base_url="https://api.waterdata.usgs.gov/samples-data",
    covers=USA,
    fetch=fetch,
    dialect="wqx3",
    key_variable="API_USGS_PAT",
    properties=tuple(key for key, found in PROPERTIES.items() if found.pcodes),
    topics=("groundwater",),
    pause_s=2.0,
    overlap_days=550.0,  # laboratories hand in late, and revise
    cost=one_question,
    site_based=True,
)
