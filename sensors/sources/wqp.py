"""Water Quality Portal (USGS, US EPA and several hundred organisations), results in WQX 3.0.

One question is one streamed CSV without pages; what is too large comes back as 413 or 504, or is cut short.
Then the period is halved, and after it the box quartered. The header ``Total-Result-Count`` is held against
the rows that came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from sensors.lands import USA
from sensors.parts import box_text, in_parts, local_day, one_question
from sensors.sensor import Ask, Body, Sensor
from situation.errors import ChoiceError
from situation.topic import Box

if TYPE_CHECKING:
    from sensors.http import Http

#: Our keys to names in the characteristic list of WQX; one key may have several.
CHARACTERISTICS: Mapping[str, tuple[str, ...]] = {
    "nitrate": ("Nitrate", "Nitrate as N"),
    "nitrite": ("Nitrite",),
    "nitrate_nitrite": ("Inorganic nitrogen (nitrate and nitrite)", "Nitrate + Nitrite"),
    "ammonium": ("Ammonium", "Ammonia", "Ammonia and ammonium"),
    "phosphate": ("Orthophosphate",),
    "phosphorus": ("Phosphorus",),
    "silica": ("Silica",),
    "chloride": ("Chloride",),
    "sulfate": ("Sulfate",),
    "fluoride": ("Fluoride",),
    "bromide": ("Bromide",),
    "bicarbonate": ("Bicarbonate",),
    "alkalinity": ("Alkalinity",),
    "hardness": ("Hardness, Ca, Mg", "Total hardness"),
    "cyanide": ("Cyanide",),
    "lithium": ("Lithium",),
    "beryllium": ("Beryllium",),
    "boron": ("Boron",),
    "sodium": ("Sodium",),
    "magnesium": ("Magnesium",),
    "aluminium": ("Aluminum",),
    "potassium": ("Potassium",),
    "calcium": ("Calcium",),
    "chromium": ("Chromium",),
    "chromium_vi": ("Chromium(VI)",),
    "manganese": ("Manganese",),
    "iron": ("Iron",),
    "cobalt": ("Cobalt",),
    "nickel": ("Nickel",),
    "copper": ("Copper",),
    "zinc": ("Zinc",),
    "arsenic": ("Arsenic",),
    "selenium": ("Selenium",),
    "strontium": ("Strontium",),
    "molybdenum": ("Molybdenum",),
    "silver": ("Silver",),
    "cadmium": ("Cadmium",),
    "antimony": ("Antimony",),
    "barium": ("Barium",),
    "mercury": ("Mercury",),
    "thallium": ("Thallium",),
    "lead": ("Lead",),
    "uranium": ("Uranium",),
    "vanadium": ("Vanadium",),
    "ph": ("pH",),
    "conductance": ("Specific conductance", "Conductivity"),
    "temperature": ("Temperature, water",),
    "dissolved_oxygen": ("Dissolved oxygen (DO)", "Oxygen"),
    "turbidity": ("Turbidity",),
    "total_dissolved_solids": ("Total dissolved solids",),
    "depth_to_groundwater": (
        "Depth to water level below land surface",
        "Depth, from ground surface to well water level",
    ),
    "e_coli": ("Escherichia coli",),
    "total_coliforms": ("Total Coliform",),
    "enterococci": ("Enterococcus",),
    "toc": ("Organic carbon",),
    "benzene": ("Benzene",),
    "toluene": ("Toluene",),
    "trichloroethene": ("Trichloroethylene",),
    "tetrachloroethene": ("Tetrachloroethylene",),
    "vinyl_chloride": ("Vinyl chloride",),
    "chloroform": ("Chloroform",),
    "atrazine": ("Atrazine",),
    "simazine": ("Simazine",),
    "glyphosate": ("Glyphosate",),
    "pfoa": ("Perfluorooctanoic acid",),
    "pfos": ("Perfluorooctanesulfonic acid", "Perfluorooctanesulfonate"),
    "radon_222": ("Radon-222",),
    "tritium": ("Tritium",),
}
_GROUNDWATER = "Well;Spring;Subsurface"


def fetch(ask: Ask, http: Http) -> Iterator[Body]:
    """Ask for results; what is too large at once is asked in parts."""
    state = ask.options.get("statecode")
    if not (ask.bbox or ask.site or state):
        raise ChoiceError("The Water Quality Portal needs a box, a site or --option statecode=US:NN.")
    names = [name for key in ask.properties for name in CHARACTERISTICS[key]]
    groundwater = _GROUNDWATER if ask.topic == "groundwater" and not ask.site else None
    params: dict[str, object] = {
        "siteid": ask.site,
        "statecode": state,
        "characteristicName": ";".join(names) or None,
        "siteType": ask.options.get("site_type", groundwater),
        "sampleMedia": ask.options.get("media"),
        "providers": ask.options.get("providers"),
        "mimeType": "csv",
        "dataProfile": "fullPhysChem",
        "zip": "no",
    }

    def question(box: Box | None, since: datetime | None, until: datetime | None) -> Body:
        asked = {
            **params,
            "bBox": box_text(box),
            "startDateLo": f"{local_day(since):%m-%d-%Y}" if since else None,
            "startDateHi": f"{local_day(until, end=True):%m-%d-%Y}" if until else None,
        }
        body = http.get("Result/search", asked, expect="csv", kind="results", too_much=(413, 414, 504))
        count = body.headers.get("total-result-count", "").strip()
        if count.isdigit():
            http.declare(int(count))
        return body

    yield from in_parts(http, question, ask.bbox, ask.since, ask.until)


SENSOR = Sensor(
    key="wqp",
    title="Water Quality Portal (USA)",
    homepage="https://www.waterqualitydata.us",
    licence="public domain (US); results of partner organisations: cite the organisation",
    attribution="Water Quality Portal (USGS, US EPA, National Water Quality Monitoring Council)",
    limits="No published rate; one question at a time, with two seconds between, large ones in parts.",
    recorded=True,
    evidence="Results of WIDNR_WQX-10032762 (5 rows, 180 columns), recorded in the tests of dataretrieval.",
    base_url="https://www.waterqualitydata.us/wqx3",
    covers=USA,
    fetch=fetch,
    dialect="wqx3",
    properties=tuple(CHARACTERISTICS),
    topics=("groundwater",),
    pause_s=2.0,
    overlap_days=550.0,  # laboratories hand in late, and revise
    cost=one_question,
    site_based=True,
)
