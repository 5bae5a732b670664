"""Topics: one folder under ``data/topics`` says everything that is particular to a subject.

A folder holds ``topic.toml`` and ``about.md``; a new one is a new topic, without code. A mistake in
one is a sentence that names the file and the line to change, and takes no other topic down.
"""

from __future__ import annotations

import builtins
import re
import tomllib
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from situation.errors import ChoiceError, DataFileError
from situation.observation import POSITION_RULES
from situation.properties import PROPERTIES
from situation.settings import DATA

FOLDER = DATA / "topics"

Box = tuple[float, float, float, float]

#: The area of a topic that names none.
WORLD: Box = (-180.0, -90.0, 180.0, 90.0)


@dataclass(frozen=True)
class AreaFile:
    """One set of areas (communes, aquifers) that shares are given for; read by ``situation/areas.py``.

    ``key`` stands in addresses and is the file's name without its ending, ``name`` is the column of the
    file that names each area.
    """

    key: str
    title: str
    path: Path
    name: str


@dataclass(frozen=True)
class Wanted:
    """What a topic wants of one open source; ``options`` are that source's own further choices.

    ``every_hours`` 0 means: as often as the topic says. ``properties`` are keys of ours; empty: those of the
    topic that the source serves. ``since`` is how far back the first collection looks.
    """

    every_hours: float = 0.0
    base_url: str | None = None
    site: str | None = None
    since: date | None = None
    bbox: Box | None = None
    properties: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Collecting:
    """How the open sources of a topic are collected in the background; times in hours."""

    every_hours: float = 6.0
    wanted: Mapping[str, Wanted] = field(default_factory=dict, hash=False)

    def of(self, source: str) -> Wanted:
        """Give what is wanted of a source; what is usual where the topic says nothing of it."""
        return self.wanted.get(source, Wanted())

    def every(self, source: str) -> float:
        """Say how often a source is asked, in hours."""
        return self.of(source).every_hours or self.every_hours


@dataclass(frozen=True)
class Demonstration:
    """What a topic is called, and where it lies, while it shows simulated readings of an invented place.

    The files of its ``areas`` lie beside the simulated readings, in ``data/demo``.
    """

    title: str
    area: Box
    areas: tuple[AreaFile, ...] = ()


@dataclass(frozen=True)
class Topic:
    """One subject; lengths in metres, ages in days, the area in degrees (EPSG:4326).

    ``horizon_years`` is how far ahead a trend is drawn and a crossing of the limit is told.

    ``privacy`` maps a site type to ``exact``, ``blurred``, ``area`` or ``withheld``; types that it does not
    name are ``exact``. ``k`` is how many hidden sites a cell must hold to be shown (1: any). ``crs`` are the reference systems that coordinates without one may be in, likeliest first.
    """

    key: str
    title: str
    question: str
    area: Box
    properties: tuple[str, ...]
    property: str
    standards: tuple[str, ...]
    stale_days: int
    about: str = ""
    near_share: float = 0.75
    privacy: Mapping[str, str] = field(default_factory=dict, hash=False)
    grid_m: float = 1000.0
    area_m: float = 10000.0
    k: int = 1
    crs: tuple[str, ...] = ("EPSG:4326",)
    time_zone: str = "UTC"
    sources: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("en",)
    contact: str = ""
    producer: str = ""
    licence: str = "unknown"
    demonstration: Demonstration | None = None
    horizon_years: float = 10.0
    areas: tuple[AreaFile, ...] = ()
    collect: Collecting = Collecting()

    @builtins.property  # a field of ours is called property
    def standard(self) -> str | None:
        """The standard shown first, or None when the topic has none."""
        return self.standards[0] if self.standards else None

    @builtins.property
    def whole_world(self) -> bool:
        """Whether the topic names no area of its own; maps then look where the readings are."""
        return self.area == WORLD

    def shown(self, *, simulated: bool) -> Topic:
        """Give the topic as pages show it: over simulated readings, with the invented place's name."""
        if not simulated or self.demonstration is None:
            return self
        place = self.demonstration
        return replace(self, title=place.title, area=place.area, areas=place.areas)


_WORDS = {
    "title": str,
    "question": str,
    "area": list,
    "properties": list,
    "property": str,
    "standards": list,
    "near_share": (int, float),
    "windows": dict,
    "privacy": dict,
    "crs": list,
    "time_zone": str,
    "sources": list,
    "layers": list,
    "languages": list,
    "contact": str,
    "producer": str,
    "licence": str,
    "demonstration": dict,
    "trend": dict,
    "areas": list,
    "collect": dict,
}
_KINDS = {str: "text in quotes", list: "a list in [ ]", dict: "a table", bool: "true or false"}


def read_topic(folder: Path) -> Topic:
    """Read one topic from its folder.

    Parameters
    ----------
    folder : Path
        Holds ``topic.toml`` and, if the topic has a page about itself, ``about.md``.

    Returns
    -------
    Topic

    Raises
    ------
    DataFileError
        With what is wrong and what would be right.
    """
    path = folder / "topic.toml"
    where = f"{folder.name}/topic.toml"
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as wrong:
        raise DataFileError(f"The topic {folder.name} has no file topic.toml that can be read.") from wrong
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise DataFileError(f"{where} is not TOML: {wrong}.") from wrong
    _check_words(said, where)
    about = folder / "about.md"
    privacy = _privacy(said.get("privacy", {}), where)
    return Topic(
        key=folder.name,
        title=said["title"],
        question=said.get("question", ""),
        area=_area(said.get("area", list(WORLD)), where),
        properties=_properties(said["properties"], where),
        property=_first(said, where),
        standards=_standards(said.get("standards", []), where),
        stale_days=_stale_days(said.get("windows", {}), where),
        about=about.read_text(encoding="utf-8-sig") if about.is_file() else "",
        near_share=_near_share(said.get("near_share", 0.75), where),
        privacy=privacy["site_types"],
        grid_m=privacy["grid_m"],
        area_m=privacy["area_m"],
        k=privacy["k"],
        crs=_systems(said.get("crs", ["EPSG:4326"]), where),
        time_zone=_zone(said.get("time_zone", "UTC"), where),
        sources=_texts(said, "sources", where),
        layers=_texts(said, "layers", where),
        languages=_texts(said, "languages", where) or ("en",),
        contact=said.get("contact", ""),
        producer=said.get("producer", ""),
        licence=said.get("licence", "unknown"),
        demonstration=_demonstration(said.get("demonstration"), where),
        horizon_years=_horizon(said.get("trend", {}), where),
        areas=_area_files(said.get("areas", []), folder, "areas", where),
        collect=_collecting(said.get("collect", {}), where),
    )


def _check_words(said: Mapping[str, Any], where: str) -> None:
    for name in ("title", "properties"):
        if name not in said:
            raise DataFileError(f"{where} has no line {name} = …; title and properties are needed.")
    for name, value in said.items():
        if name not in _WORDS:
            raise DataFileError(
                f"{where} has a line {name!r} that no topic knows; it may have {', '.join(_WORDS)}."
            )
        kind = _WORDS[name]
        if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):  # type: ignore[arg-type]
            raise DataFileError(f"{where}: {name} takes {_KINDS.get(kind, 'a number')}, not {value!r}.")  # type: ignore[call-overload]


def _demonstration(said: Mapping[str, Any] | None, where: str) -> Demonstration | None:
    if said is None:
        return None
    if not isinstance(said.get("title"), str) or not isinstance(said.get("area"), list):
        raise DataFileError(f"{where}: [demonstration] takes a title in quotes and an area.")
    areas = _area_files(said.get("areas", []), DATA / "demo", "demonstration.areas", where)
    return Demonstration(said["title"], _area(said["area"], where), areas)


_EVERY = re.compile(r"(\d+(?:\.\d+)?)\s*(m|min|h|d)")
_HOURS = {"m": 1 / 60, "min": 1 / 60, "h": 1.0, "d": 24.0}
_OWN_WORDS = ("every", "base_url", "site", "since", "bbox", "properties")


def read_every(value: Any, where: str) -> float:
    """Read how often something is done; gives hours.

    Raises
    ------
    DataFileError
        If it is no such time, or shorter than a minute or longer than 90 days.

    Examples
    --------
    >>> read_every("6h", "topic.toml"), read_every("30m", "topic.toml"), read_every("1 d", "topic.toml")
    (6.0, 0.5, 24.0)
    """
    found = _EVERY.fullmatch(value.strip()) if isinstance(value, str) else None
    hours = float(found[1]) * _HOURS[found[2]] if found else 0.0
    if not 1 / 60 <= hours <= 24 * 90:
        raise DataFileError(
            f'{where}: every is {value!r}; it takes a time like "30m", "6h" or "1d", from 1m to 90d.'
        )
    return hours


def _collecting(said: Mapping[str, Any], where: str) -> Collecting:
    """Read ``[collect]`` and ``[collect.SOURCE]``; whether there is such a source is known one floor up."""
    wanted = {}
    for name, value in said.items():
        if name == "every":
            continue
        if not isinstance(value, dict):
            raise DataFileError(
                f'{where}: [collect] has {name!r}; it takes every = "6h", and a table [collect.SOURCE] for each '
                "source that is asked in a way of its own."
            )
        wanted[name] = _wanted(value, f"{where}: [collect.{name}]")
    return Collecting(read_every(said.get("every", "6h"), f"{where}: [collect]"), wanted)


def _wanted(said: Mapping[str, Any], where: str) -> Wanted:
    for name, value in said.items():
        if name not in ("since", "bbox", "properties") and not isinstance(value, str):
            raise DataFileError(f"{where}: {name} takes text in quotes, not {value!r}.")
    return Wanted(
        every_hours=read_every(said["every"], where) if "every" in said else 0.0,
        base_url=said.get("base_url"),
        site=said.get("site"),
        since=_since(said.get("since"), where),
        bbox=_area(said["bbox"], where) if isinstance(said.get("bbox"), list) else None,
        properties=_properties(said["properties"], where) if "properties" in said else (),
        options={name: value for name, value in said.items() if name not in _OWN_WORDS},
    )


def _since(value: Any, where: str) -> date | None:
    try:
        if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
            return value
        return date.fromisoformat(value)
    except (TypeError, ValueError) as wrong:
        raise DataFileError(f"{where}: since is {value!r}; it takes a day like 2020-01-31.") from wrong


def _horizon(trend: Mapping[str, Any], where: str) -> float:
    years = trend.get("horizon_years", 10)
    if not isinstance(years, int | float) or isinstance(years, bool) or not 0 < years <= 100:
        raise DataFileError(
            f"{where}: trend.horizon_years is {years!r}; it takes years, more than 0 and at most 100."
        )
    strange = sorted(set(trend) - {"horizon_years"})
    if strange:
        raise DataFileError(f"{where}: [trend] has {', '.join(strange)}; it takes horizon_years.")
    return float(years)


def _area_files(value: Any, folder: Path, line: str, where: str) -> tuple[AreaFile, ...]:
    """Read ``[[areas]]``; whether the files hold areas is found out when they are read."""
    said = value if isinstance(value, list) else [value]
    found: list[AreaFile] = []
    for entry in said:
        if not isinstance(entry, dict) or any(
            not isinstance(entry.get(name), str) or not entry[name] for name in ("title", "file", "name")
        ):
            raise DataFileError(
                f"{where}: [[{line}]] takes title, file and name in quotes, e.g. "
                'title = "Communes", file = "communes.geojson", name = "NAME".'
            )
        file = Path(entry["file"])
        if file.is_absolute() or ".." in file.parts:
            raise DataFileError(
                f"{where}: [[{line}]] names the file {entry['file']!r}; it takes the name of a file in {folder.name}/."
            )
        key = _slug(file.stem)
        if any(other.key == key for other in found):  # one file may hold districts and communes
            key = _slug(f"{file.stem}_{entry['name']}")
        if any((other.path, other.name) == (folder / file, entry["name"]) for other in found):
            raise DataFileError(f"{where}: [[{line}]] names {entry['file']} twice with the same name column.")
        if any(other.key == key for other in found):
            raise DataFileError(
                f"{where}: two of [[{line}]] would be called {key!r}; rename one of the files."
            )
        found.append(AreaFile(key, entry["title"], folder / file, entry["name"]))
    return tuple(found)


def _slug(text: str) -> str:
    return "".join(sign if sign.isalnum() else "_" for sign in text.lower())


def _area(value: list[Any], where: str) -> Box:
    numbers = [v for v in value if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(value) != 4 or len(numbers) != 4:
        raise DataFileError(f"{where}: area takes four numbers, [west, south, east, north], in degrees.")
    west, south, east, north = (float(v) for v in numbers)
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise DataFileError(
            f"{where}: area {value} is not [west, south, east, north] in degrees, "
            "west less than east and south less than north."
        )
    return west, south, east, north


def _properties(value: list[Any], where: str) -> tuple[str, ...]:
    strange = [str(key) for key in value if key not in PROPERTIES]
    if strange or not value:
        raise DataFileError(
            f"{where}: properties has {', '.join(strange) or 'nothing'}; "
            "it takes keys that stand in data/properties.csv, e.g. nitrate."
        )
    return tuple(value)


def _first(said: Mapping[str, Any], where: str) -> str:
    first = str(said.get("property", said["properties"][0]))
    if first not in said["properties"]:
        raise DataFileError(f"{where}: property {first!r} is not one of properties.")
    return first


def _standards(value: list[Any], where: str) -> tuple[str, ...]:
    known = sorted(path.stem for path in (DATA / "standards").glob("*.csv"))
    strange = [str(key) for key in value if key not in known]
    if strange:
        raise DataFileError(
            f"{where}: no standard {', '.join(strange)}; data/standards has {', '.join(known)}."
        )
    return tuple(value)


def _stale_days(windows: Mapping[str, Any], where: str) -> int:
    days = windows.get("stale_days", 365)
    if not isinstance(days, int) or isinstance(days, bool) or days < 1:
        raise DataFileError(f"{where}: stale_days is {days!r}; it takes a whole number of days, at least 1.")
    return days


def _near_share(value: float, where: str) -> float:
    if not 0 < value <= 1:
        raise DataFileError(f"{where}: near_share is {value}; it takes a share of the limit, e.g. 0.75.")
    return float(value)


def _privacy(said: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Read ``[privacy]``: a line that is misspelt must not leave somebody's home in the open."""
    known = ("grid_m", "area_m", "k", "site_types")
    if strange := sorted(set(said) - set(known)):
        raise DataFileError(f"{where}: [privacy] has {', '.join(strange)}; it takes {', '.join(known)}.")
    grid = _metres(said, "grid_m", 1000.0, where)
    area = _metres(said, "area_m", 10 * grid, where)
    if area < grid:
        raise DataFileError(
            f"{where}: privacy.area_m is {area:g}, less than grid_m, {grid:g}; it is the coarser of the two."
        )
    k = said.get("k", 1)
    if not isinstance(k, int) or isinstance(k, bool) or not 1 <= k <= 1000:
        raise DataFileError(
            f"{where}: privacy.k is {k!r}; it takes a whole number of sites from 1 (off) to 1000, e.g. 3."
        )
    return {
        "grid_m": grid,
        "area_m": area,
        "k": k,
        "site_types": _site_types(said.get("site_types", {}), where),
    }


def _site_types(value: Any, where: str) -> dict[str, str]:
    if not isinstance(value, dict) or any(rule not in POSITION_RULES for rule in value.values()):
        raise DataFileError(
            f"{where}: privacy.site_types gives each site type one of {', '.join(POSITION_RULES)}, not {value!r}."
        )
    return {str(kind): str(rule) for kind, rule in value.items()}


def _metres(privacy: Mapping[str, Any], name: str, default: float, where: str) -> float:
    value = privacy.get(name, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 10 <= value <= 500_000:
        raise DataFileError(f"{where}: privacy.{name} is {value!r}; it takes metres, from 10 to 500000.")
    return float(value)


def _systems(value: list[Any], where: str) -> tuple[str, ...]:
    wrong = [v for v in value if not (isinstance(v, str) and v.startswith("EPSG:") and v[5:].isdigit())]
    if wrong or not value:
        raise DataFileError(
            f'{where}: crs takes codes like "EPSG:4326" or "EPSG:21037", not {wrong or value}.'
        )
    return tuple(value)


def _zone(value: str, where: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (KeyError, ValueError, OSError) as wrong:
        raise DataFileError(
            f'{where}: time_zone {value!r} is not a name like "Africa/Nairobi" or "UTC".'
        ) from wrong
    return value


def _texts(said: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
    value = said.get(name, [])
    if any(not isinstance(v, str) for v in value):
        raise DataFileError(f"{where}: {name} takes names in quotes, not {value!r}.")
    return tuple(value)


_READ: dict[tuple[str, tuple[tuple[str, int], ...]], Topic] = {}


def _read_once(folder: Path) -> Topic:
    # The same file is read again only when its time stamp has changed: an edit shows without a restart.
    stamps = tuple(
        (name, (folder / name).stat().st_mtime_ns)
        for name in ("topic.toml", "about.md")
        if (folder / name).is_file()
    )
    key = (str(folder), stamps)
    if key not in _READ:
        _READ[key] = read_topic(folder)
    return _READ[key]


def topics(folder: Path = FOLDER) -> dict[str, Topic]:
    """Read every topic that can be read, by key, the bundled ``groundwater`` first.

    A folder that cannot be used is left out here and named by :func:`broken_topics`.
    """
    found = {}
    for path in sorted(_folders(folder), key=lambda path: (path.name != "groundwater", path.name)):
        try:
            found[path.name] = _read_once(path)
        except DataFileError:
            continue
    return found


def broken_topics(folder: Path = FOLDER) -> dict[str, str]:
    """Name the topics that cannot be used: key to the sentence that says why."""
    found = {}
    for path in _folders(folder):
        try:
            _read_once(path)
        except DataFileError as wrong:
            found[path.name] = str(wrong)
    return found


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "_"))]


def topic_named(key: str) -> Topic:
    """Find a topic by its key.

    Raises
    ------
    ChoiceError
        If there is none, with those that there are; or with the reason why it cannot be used.
    """
    found = topics()
    if key in found:
        return found[key]
    broken = broken_topics().get(key)
    raise ChoiceError(broken or f"No topic {key!r}; data/topics has {', '.join(found)}.")
