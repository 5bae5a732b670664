"""Make the simulated readings of the Ashbrook valley, which does not exist.

Run ``python data/demo/make.py`` from the project folder; the same numpy gives the same bytes every time.

The valley lies on paper in the empty middle of the Nullarbor Plain, 30 by 22 km. Groundwater flows from the
hills in the west to the east, under a cattle yard from which nitrate and chloride have leached since 2004.
Their plume is the solution of advection and dispersion for a continuous patch source in a uniform flow:
along the flow Ogata and Banks (1961, *A solution of the differential equation of longitudinal dispersion in
porous media*, US Geological Survey Professional Paper 411-A, equation 11), spread across it as by Domenico
(1987, *An analytical model for multidimensional transport of a decaying contaminant species*, Journal of
Hydrology 91, 49-58). Arsenic, fluoride, iron and manganese are natural: smooth random fields, with iron and
manganese high and nitrate low where the water near the river is without oxygen.

The laboratory reports nitrate as N, the volunteers' strips show nitrate as NO3. The laboratory's limits of
detection change over the years, and in 2021 another one with poorer limits was used. Some samples were taken
twice. Two volunteers have bad habits: *magpie* does not write in which form the nitrate is, and *heron*
writes down last season's number when the well is out of the way.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parent
SEED = 20_261_015
WEST, SOUTH = 127.00, -30.75  # corner of the valley, degrees (EPSG:4326)
METRES_PER_DEGREE = 111_320.0
WIDE, HIGH = 30_000.0, 22_000.0  # metres
FIRST, LAST = date(2020, 10, 5), date(2026, 10, 12)
RESULTS = (
    "site",
    "sampled_on",
    "substance",
    "result",
    "unit",
    "fraction",
    "method",
    "sampled_by",
    "replicate",
)
SITES = ("site", "name", "type", "medium", "longitude", "latitude", "depth_m")


@dataclass(frozen=True)
class Source:
    """The cattle yard: place in metres from the corner, flow eastwards, lengths in m, time in years."""

    x: float = 8_000.0
    y: float = 12_500.0
    width: float = 1_400.0
    since: float = 2004.0
    velocity: float = 260.0  # m per year
    along: float = 150.0  # longitudinal dispersivity
    across: float = 30.0  # transverse dispersivity
    nitrate: float = 170.0  # mg/L as NO3 at the yard
    chloride: float = 230.0  # mg/L


YARD = Source()


def plume(x: float, y: float, year: float, source: Source = YARD) -> float:
    """Give the concentration at a place and time as a share of that at the source, 0 to 1.

    Parameters
    ----------
    x, y : float
        Metres east and north of the corner of the valley.
    year : float
        For example 2026.8.
    source : Source
    """
    ahead, beside, elapsed = x - source.x, y - source.y, year - source.since
    if ahead <= 0 or elapsed <= 0:
        return 0.0
    front = ogata_banks(ahead, elapsed, source.velocity, source.along)
    spread = 2 * math.sqrt(source.across * ahead)
    half = source.width / 2
    return front * 0.5 * (math.erf((beside + half) / spread) - math.erf((beside - half) / spread))


def ogata_banks(x: float, t: float, velocity: float, dispersivity: float) -> float:
    """Give the share of the source's concentration at a distance *x* (m) after a time *t* (years)."""
    dispersion = dispersivity * velocity
    spread = 2 * math.sqrt(dispersion * t)
    back = (x + velocity * t) / spread
    # The second term is exp(big) times erfc(big): it is nothing long before either overflows.
    second = math.exp(velocity * x / dispersion) * math.erfc(back) if back < 25 else 0.0
    return 0.5 * (math.erfc((x - velocity * t) / spread) + second)


# -- the valley -------------------------------------------------------------------------------------

VILLAGES = {
    "Upper Ash": (4_500.0, 16_000.0),
    "Ash Mill": (10_500.0, 10_800.0),
    "Lower Ash": (13_200.0, 12_700.0),
    "Fennel": (18_500.0, 15_500.0),
    "Marsh End": (22_500.0, 8_000.0),
    "Quarry Hill": (25_500.0, 17_500.0),
    "Southfield": (9_000.0, 4_500.0),
}


def river(x: float) -> float:
    """Give how far north the river is, in metres, at a distance *x* east."""
    return 9_000 - 0.12 * x + 900 * math.sin(x / 2_600) + 350 * math.sin(x / 900)


def degrees(x: float, y: float) -> tuple[float, float]:
    """Turn metres from the corner into longitude and latitude (EPSG:4326)."""
    latitude = SOUTH + y / METRES_PER_DEGREE
    longitude = WEST + x / (METRES_PER_DEGREE * math.cos(math.radians(SOUTH + HIGH / 2 / METRES_PER_DEGREE)))
    return round(longitude, 6), round(latitude, 6)


@dataclass(frozen=True)
class Place:
    """One site; metres from the corner, depth in metres."""

    key: str
    name: str
    kind: str
    medium: str
    x: float
    y: float
    depth: float | None
    village: str


def places(rng: np.random.Generator) -> list[Place]:
    """Make the 80 places where water is sampled: households, monitoring wells, springs, the river."""
    made: list[Place] = []
    names = list(VILLAGES)
    weights = np.array([5, 6, 12, 6, 6, 5, 4]) / 44
    for number in range(1, 45):
        village = names[int(rng.choice(len(names), p=weights))]
        x, y = (float(v + rng.normal(0, 650)) for v in VILLAGES[village])
        made.append(Place(f"H{number:02}", f"Simulated household well {number}, {village}", "household_well",
                          "groundwater", x, y, round(float(rng.uniform(8, 35)), 1), village))  # fmt: skip
    grid = [(x, y) for x in np.linspace(5_500, 27_500, 7) for y in (5_500, 12_500, 18_500)]
    row = [
        (YARD.x + d, YARD.y + s) for d, s in ((300, 0), (1_500, 60), (3_000, -80), (4_500, 40), (6_000, 0))
    ]
    for number, (x, y) in enumerate(grid + row, start=1):
        x, y = x + float(rng.normal(0, 250)), y + float(rng.normal(0, 250 if number <= len(grid) else 40))
        made.append(Place(f"M{number:02}", f"Simulated monitoring well {number}", "well", "groundwater",
                          x, y, round(float(rng.uniform(12, 60)), 1), ""))  # fmt: skip
    for number in range(1, 7):
        x, y = float(rng.uniform(2_000, 27_000)), float(rng.uniform(17_500, 21_000))
        made.append(
            Place(f"S{number}", f"Simulated spring {number}", "spring", "groundwater", x, y, None, "")
        )
    for number, x in enumerate((3_000.0, 11_000.0, 19_000.0, 27_000.0), start=1):
        made.append(Place(f"R{number}", f"Simulated river bridge {number}", "river", "surface_water",
                          x, river(x), None, ""))  # fmt: skip
    return made


HAMLET = 3  # wells that stand together, at least
_CELL = 1_000 / METRES_PER_DEGREE  # degrees of latitude: the squares that the topic shows instead of wells


def hamlets(sites: Iterable[Place]) -> dict[str, tuple[float, float]]:
    """Say where household wells stand, degrees: some together, as houses do, so that none is alone in its square.

    Their water is that of the place where they were drawn, some hundred metres off.
    """
    made = {}
    for village in VILLAGES:
        wells = sorted(
            (p for p in sites if p.kind == "household_well" and p.village == village), key=lambda p: p.x
        )
        groups = max(1, len(wells) // HAMLET)
        for group in range(groups):
            last = len(wells) if group == groups - 1 else (group + 1) * HAMLET
            near = wells[group * HAMLET : last]
            x, y = (sum(getattr(p, name) for p in near) / len(near) for name in "xy")
            lon, lat = degrees(x, y)
            middle = (math.floor(lat / _CELL) + 0.5) * _CELL
            wide = _CELL / math.cos(math.radians(middle))
            for p in near:
                aside, up = (max(-0.4, min(0.4, part / 1_500)) for part in (p.x - x, p.y - y))
                east = (math.floor(lon / wide) + 0.5 + aside) * wide
                made[p.key] = round(east, 6), round(middle + up * _CELL, 6)
    return made


class Field:
    """A smooth random field: a sum of bumps, about normal with mean 0 and deviation 1."""

    def __init__(self, rng: np.random.Generator, length: float) -> None:
        self.x, self.y = rng.uniform(-5e3, WIDE + 5e3, 60), rng.uniform(-5e3, HIGH + 5e3, 60)
        self.weight, self.length = rng.normal(0, 1, 60), length

    def at(self, x: float, y: float) -> float:
        """Give the value at a place."""
        near = np.exp(-((self.x - x) ** 2 + (self.y - y) ** 2) / (2 * self.length**2))
        return float((self.weight * near).sum() / math.sqrt((near**2).sum() + 1e-12))


@dataclass(frozen=True)
class Water:
    """What is in the water of a place when nothing is measured: medians, in the units of the laboratory."""

    nitrate: float  # mg/L as NO3, without the plume
    arsenic: float  # ug/L
    fluoride: float  # mg/L
    iron: float  # mg/L
    manganese: float  # ug/L
    chloride: float  # mg/L, without the plume
    dirt: float  # log10 of E. coli per 100 mL


def waters(rng: np.random.Generator, sites: Iterable[Place]) -> dict[str, Water]:
    """Make the natural water of every place."""
    fields = {name: Field(rng, length) for name, length in
              (("nitrate", 3e3), ("arsenic", 4e3), ("fluoride", 5e3), ("chloride", 5e3))}  # fmt: skip
    made = {}
    for place in sites:
        airless = math.exp(-(((place.y - river(place.x)) / 2_200) ** 2)) * (place.medium == "groundwater")
        at = {name: field.at(place.x, place.y) for name, field in fields.items()}
        open_water = place.medium != "groundwater"
        made[place.key] = Water(
            nitrate=max(0.2, 13 * math.exp(0.55 * at["nitrate"]) * (1 - 0.97 * airless)) * (0.4 if open_water else 1),
            arsenic=3.2 * math.exp(0.9 * at["arsenic"] + 0.8 * airless) * (0.3 if open_water else 1),
            fluoride=0.55 * math.exp(0.5 * at["fluoride"] + 0.9 * place.x / WIDE),
            iron=0.03 * math.exp(4.2 * airless + float(rng.normal(0, 0.3))),
            manganese=8 * math.exp(3.6 * airless + float(rng.normal(0, 0.3))),
            chloride=28 * math.exp(0.4 * at["chloride"]),
            dirt={"household_well": -0.6, "well": -1.2, "spring": 0.2, "river": 1.9}[place.kind]
            + float(rng.normal(0, 0.4)) + (0.5 if place.depth and place.depth < 14 else 0),
        )  # fmt: skip
    return made


# -- what the laboratory says -----------------------------------------------------------------------


@dataclass(frozen=True)
class Analysis:
    """One method of a laboratory: error as a share, limit of detection and what is written."""

    substance: str
    unit: str
    error: float
    limit: float
    digits: int
    method: str
    fraction: str


def methods(year: float) -> dict[str, Analysis]:
    """Give the methods of the laboratory that was used in a year."""
    poor, old = 2021.2 <= year < 2021.9, year < 2023
    place = "Simulated laboratory B" if poor else "Simulated laboratory A"
    arsenic = 20.0 if poor else 5.0 if old else 1.0
    return {
        "nitrate": Analysis("Nitrate", "mg/L as N", 0.04, 0.1, 3, f"{place}, ion chromatography", "dissolved"),
        "arsenic": Analysis("Arsenic", "ug/L", 0.06, arsenic, 3, f"{place}, mass spectrometry", "dissolved"),
        "fluoride": Analysis("Fluoride", "mg/L", 0.05, 0.1, 2, f"{place}, ion chromatography", "dissolved"),
        "iron": Analysis("Iron", "mg/L", 0.08, 0.05 if old else 0.02, 2, f"{place}, mass spectrometry", "dissolved"),
        "manganese": Analysis("Manganese", "ug/L", 0.07, 10.0 if poor else 2.0, 3, f"{place}, mass spectrometry", "dissolved"),
        "chloride": Analysis("Chloride", "mg/L", 0.03, 0.5, 3, f"{place}, ion chromatography", "dissolved"),
        "conductance": Analysis("Electrical conductivity", "uS/cm", 0.02, 1.0, 3, "Simulated field meter", ""),
        "e_coli": Analysis("Escherichia coli", "MPN/100mL", 0.0, 1.0, 3, f"{place}, defined substrate", ""),
    }  # fmt: skip


def truth(place: Place, water: Water, day: date, rng: np.random.Generator) -> dict[str, float]:
    """Give what is in the water on a day, in the units of the laboratory."""
    year = day.year + day.timetuple().tm_yday / 365.25
    share = plume(place.x, place.y, year) if place.medium == "groundwater" else 0.0
    season = 1 + 0.12 * math.sin(2 * math.pi * (year - 0.6))
    nitrate = (water.nitrate * (1 - share) + YARD.nitrate * share) * season
    chloride = water.chloride * (1 - share) + YARD.chloride * share
    wet = 0.5 * math.sin(2 * math.pi * (year - 0.4))
    return {
        "nitrate": nitrate / 62.0049 * 14.0067,
        "arsenic": water.arsenic,
        "fluoride": water.fluoride,
        "iron": water.iron * float(np.exp(rng.normal(0, 0.15))),
        "manganese": water.manganese * float(np.exp(rng.normal(0, 0.15))),
        "chloride": chloride,
        "conductance": 240 + 3.3 * chloride + 1.7 * nitrate,
        "e_coli": float(rng.poisson(10 ** min(water.dirt + wet + float(rng.normal(0, 0.6)), 3.6))),
    }


def written(value: float, how: Analysis, rng: np.random.Generator) -> str:
    """Write a result as the laboratory does: rounded, ``<`` its limit of detection, ``>`` its last tube."""
    value *= float(np.exp(rng.normal(0, how.error))) if how.error else 1.0
    if value < how.limit:
        return f"<{how.limit:g}"
    if how.substance == "Escherichia coli" and value > 2_419.6:
        return ">2419.6"
    return f"{float(f'{value:.{how.digits}g}'):g}"


def laboratory(
    rng: np.random.Generator, sites: list[Place], natural: Mapping[str, Water]
) -> Iterator[dict[str, Any]]:
    """Make what the laboratory measured over six years."""
    every = {"well": 91, "spring": 182, "river": 182, "household_well": 365}
    for place in sites:
        if place.kind == "household_well" and int(place.key[1:]) % 5 == 0:
            continue  # strips only
        day = FIRST + timedelta(days=int(rng.integers(0, every[place.kind])))
        # A few wells were given up and nobody came back.
        until = date(2024, 1, 1) if rng.random() < 0.08 else LAST
        while day <= until:
            ways = methods(day.year + day.timetuple().tm_yday / 365.25)
            found = truth(place, natural[place.key], day, rng)
            names = (
                list(ways) if place.kind != "household_well" else ["nitrate", "arsenic", "fluoride", "e_coli"]
            )
            twice = rng.random() < 0.05
            for name in names:
                for replicate in ("1", "2") if twice and name != "conductance" else ("",):
                    yield {
                        "site": place.key, "sampled_on": day.isoformat(), "substance": ways[name].substance,
                        "result": written(found[name], ways[name], rng), "unit": ways[name].unit,
                        "fraction": ways[name].fraction, "method": ways[name].method,
                        "sampled_by": "simulated-survey", "replicate": replicate,
                    }  # fmt: skip
            day += timedelta(days=every[place.kind] + int(rng.integers(-9, 10)))


STRIP = (0, 10, 25, 50, 100, 250, 500)


def volunteers(
    rng: np.random.Generator, sites: list[Place], natural: Mapping[str, Water]
) -> Iterator[dict[str, Any]]:
    """Make what five volunteers read from strips at household wells and springs."""
    people = ("wren", "robin", "finch", "heron", "magpie")
    for place in [p for p in sites if p.kind in ("household_well", "spring")]:
        person = people[int(rng.integers(0, len(people)))]
        day = FIRST + timedelta(days=int(rng.integers(0, 120)))
        last = ""
        while day <= LAST:
            nitrate = truth(place, natural[place.key], day, rng)["nitrate"] / 14.0067 * 62.0049
            seen = nitrate * float(np.exp(rng.normal(0, 0.25)))
            text = f"{min(STRIP, key=lambda step: abs(math.log1p(step) - math.log1p(seen)))}"
            text = ">500" if seen > 700 else "<10" if text == "0" else text
            text = last if person == "heron" and last and rng.random() < 0.7 else text
            yield {
                "site": place.key, "sampled_on": day.isoformat(), "substance": "Nitrate", "result": text,
                "unit": "mg/L" if person == "magpie" else "mg/L as NO3", "fraction": "",
                "method": "Simulated test strip", "sampled_by": f"simulated-{person}", "replicate": "",
            }  # fmt: skip
            last = text
            day += timedelta(days=int(rng.integers(100, 190)))


# -- the air ----------------------------------------------------------------------------------------


def air(rng: np.random.Generator) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Make twelve places and ninety days of daily means: three stations and nine small sensors."""
    sites, results = [], []
    names = list(VILLAGES)
    for number in range(1, 13):
        station = number <= 3
        village = names[(number * 2) % len(names)]
        x, y = (v + float(rng.normal(0, 500)) for v in VILLAGES[village])
        kind = "air_station" if station else "household_sensor"
        key = f"A{number:02}"
        lon, lat = degrees(x, y)
        sites.append({"site": key, "name": f"Simulated {kind.replace('_', ' ')} {number}, {village}", "type": kind,
                      "medium": "air", "longitude": lon, "latitude": lat, "depth_m": ""})  # fmt: skip
        smoke, level = math.exp(-math.hypot(x - 13_000, y - 11_000) / 9_000), 0.0
        for back in range(90, -1, -1):
            day = date(2026, 10, 31) - timedelta(days=back)
            level = 0.7 * level + float(rng.normal(0, 0.35))
            pm25 = (5 + 11 * smoke) * math.exp(level) * (1.25 if not station else 1.0)
            values = {"PM2.5": pm25, "PM10": pm25 * 1.6 + 4}
            if station:
                values |= {
                    "Nitrogen dioxide": 6 + 14 * smoke * math.exp(level / 2),
                    "Ozone": 74 - 16 * smoke + 9 * level,
                }
            if not station and rng.random() < 0.06:
                continue  # the sensor was offline
            results.extend(
                {"site": key, "sampled_on": day.isoformat(), "substance": name, "result": f"{max(value, 0.5):.1f}",
                 "unit": "ug/m3", "fraction": "", "sampled_by": "simulated-agency" if station else "simulated-sensors",
                 "method": "Simulated reference monitor" if station else "Simulated low-cost sensor", "replicate": ""}
                for name, value in values.items()
            )  # fmt: skip
    return sites, results


# -- the map beneath --------------------------------------------------------------------------------


def shapes() -> dict[str, Any]:
    """Draw the invented river, roads and villages as GeoJSON (EPSG:4326)."""
    stream = [degrees(float(x), river(float(x))) for x in np.linspace(0, WIDE, 120)]
    main = [
        degrees(*VILLAGES[name]) for name in ("Upper Ash", "Ash Mill", "Lower Ash", "Fennel", "Quarry Hill")
    ]
    side = [degrees(*VILLAGES[name]) for name in ("Southfield", "Ash Mill", "Marsh End")]
    features = [_feature("river", "Ash (simulated)", "LineString", stream)]
    features += [_feature("road", "Valley road (simulated)", "LineString", main)]
    features += [_feature("road", "South road (simulated)", "LineString", side)]
    for name, (x, y) in VILLAGES.items():
        ring = [
            degrees(x + 700 * math.cos(a), y + 500 * math.sin(a)) for a in np.linspace(0, 2 * math.pi, 13)
        ]
        ring[-1] = ring[0]
        features.append(_feature("village", f"{name} (simulated)", "Polygon", [ring]))
    x, y = YARD.x, YARD.y
    yard = [
        degrees(x + dx, y + dy) for dx, dy in ((-400, -700), (0, -700), (0, 700), (-400, 700), (-400, -700))
    ]
    features.append(_feature("yard", "Cattle yard (simulated)", "Polygon", [yard]))
    return {"type": "FeatureCollection", "features": features}


def _feature(kind: str, name: str, shape: str, coordinates: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"kind": kind, "name": name, "simulated": True},
        "geometry": {"type": shape, "coordinates": coordinates},
    }


# -- areas for shares ---------------------------------------------------------------------------------


def communes() -> dict[str, Any]:
    """Draw the invented communes as GeoJSON (EPSG:4326): what is nearest to each village."""
    frame = [(0.0, 0.0), (WIDE, 0.0), (WIDE, HIGH), (0.0, HIGH)]
    features = []
    for name, centre in VILLAGES.items():
        ring = frame
        for other in VILLAGES.values():
            ring = _nearer(ring, centre, other) if other != centre else ring
        features.append(_area(f"{name} (simulated)", ring))
    return {"type": "FeatureCollection", "features": features}


Ring = list[tuple[float, float]]


def _nearer(ring: Ring, here: tuple[float, float], there: tuple[float, float]) -> Ring:
    """Cut off what of a convex ring is nearer to *there* than to *here* (Sutherland and Hodgman 1974)."""
    dx, dy = there[0] - here[0], there[1] - here[1]
    limit = (there[0] ** 2 + there[1] ** 2 - here[0] ** 2 - here[1] ** 2) / 2
    kept: Ring = []
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        one, two = x1 * dx + y1 * dy - limit, x2 * dx + y2 * dy - limit
        if one <= 0:
            kept.append((x1, y1))
        if one * two < 0:
            share = one / (one - two)
            kept.append((x1 + share * (x2 - x1), y1 + share * (y2 - y1)))
    return kept


def aquifers() -> dict[str, Any]:
    """Draw the invented aquifers as GeoJSON (EPSG:4326): gravel along the river, rock north and south."""
    along = [float(x) for x in np.linspace(0, WIDE, 61)]
    north, south = ([(x, river(x) + side * 2_200) for x in along] for side in (1, -1))
    features = [
        _area("Ash gravel (simulated)", south + north[::-1]),
        _area("Northern sandstone (simulated)", [*north, (WIDE, HIGH), (0.0, HIGH)]),
        _area("Southern limestone (simulated)", [(0.0, 0.0), (WIDE, 0.0), *south[::-1]]),
    ]
    return {"type": "FeatureCollection", "features": features}


def _area(name: str, ring: Ring) -> dict[str, Any]:
    points = [degrees(x, y) for x, y in ring]
    return _feature("area", name, "Polygon", [[*points, points[0]]])


# -- writing ----------------------------------------------------------------------------------------


def write(path: Path, columns: tuple[str, ...], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a table as CSV in UTF-8."""
    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def make(folder: Path = FOLDER) -> None:
    """Make every file of the demonstration."""
    rng = np.random.default_rng(SEED)
    sites = places(rng)
    natural = waters(rng, sites)
    measured = sorted(laboratory(rng, sites, natural), key=lambda row: (row["sampled_on"], row["site"]))
    strips = sorted(volunteers(rng, sites, natural), key=lambda row: (row["sampled_on"], row["site"]))
    air_sites, air_results = air(rng)
    wells, homes = [], hamlets(sites)
    for place in sites:
        lon, lat = homes.get(place.key) or degrees(place.x, place.y)
        wells.append({"site": place.key, "name": place.name, "type": place.kind, "medium": place.medium,
                      "longitude": lon, "latitude": lat, "depth_m": place.depth if place.depth else ""})  # fmt: skip
    write(folder / "sites.csv", SITES, wells + air_sites)
    write(folder / "laboratory_2020_2024.csv", RESULTS, [r for r in measured if r["sampled_on"] < "2025"])
    write(folder / "laboratory_2025_2026.csv", RESULTS, [r for r in measured if r["sampled_on"] >= "2025"])
    write(folder / "volunteers.csv", RESULTS, strips)
    write(folder / "air.csv", RESULTS, air_results)
    drawn = {"valley": shapes(), "communes": communes(), "aquifers": aquifers()}
    for name, shape in drawn.items():
        text = json.dumps(shape, ensure_ascii=False, separators=(",", ":"))
        (folder / f"{name}.geojson").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    make()
