"""A snapshot as one HTML file: map, table and everything that must be said, with no other file and no internet.

The file carries the vendored Leaflet, our ``web.js`` and ``web.css``, outlines for the ground and the sites; its
own rule (a content security policy) forbids the browser to fetch anything. The table is the data: it is plain
HTML that reads without JavaScript, and the map is drawn over it, so the two cannot differ. Marks have the colours
and shapes of :data:`situation.status.STYLE`; from :data:`MOST_MARKS` sites on the map shows squares of several
sites, and the table holds the worst. The readings of each site are not in it; it says where they are.

The compact form of the same page is what other people's pages show in a frame (``/embed``).

What surprised us: of a page that folium saves, with what it fetches, most is jQuery, Bootstrap and fonts of
icons, and every mark is a program of its own; and a table without end tags of rows and cells is valid HTML, reads
the same and is a fifth smaller.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import numpy as np
import pandas as pd

from publish import Options, citation
from publish.ground import ground
from publish.markup import NOTHING, SHAPES, Html, joined, literal, policy, sign, tag, text
from situation.messages import message, right_to_left, translated
from situation.result import words
from situation.snapshot import Snapshot, Surface
from situation.status import STYLE

#: More sites than these are drawn as squares of several, and the table leaves the others out.
MOST_MARKS = 3_000
_MOST_CELLS = 2_000
#: Of a surface between the sites, as on the map of the pages.
OPACITY = 0.55
_SQUARES = {"blurred": "grid_m", "area": "area_m"}  # rule of a hidden site to the topic's width of its square
_METRES = 111_320.0  # in a degree of latitude, as the grid of privacy.public() counts them
_EDGE = 85.0511287798066  # latitude at which the Web-Mercator square ends
_LEAFLET = "https://cdn.jsdelivr.net/npm/leaflet@1.9.3/dist/leaflet"  # a name in folium-offline; never asked
_OWN = Path(__file__).parent
_ORDER = sorted(STYLE, key=lambda status: STYLE[status].order)
_BY_PRECISION = {"year": 4, "month": 7}  # letters of an ISO date that such a time really knows


@dataclass(frozen=True)
class Form:
    """What of the page is shown.

    Attributes
    ----------
    compact : bool
        For a frame in somebody's page: map, legend, one line of source, and the table folded.
    legend, table : bool
        Whether these are there.
    home : str, optional
        Address of the full page, relative or absolute; the snapshot's own where it has one.
    """

    compact: bool = False
    legend: bool = True
    table: bool = True
    home: str | None = None


def write(shot: Snapshot, path: Path, options: Options) -> None:
    """Write the page to a file, UTF-8."""
    path.write_text(document(shot), encoding="utf-8", newline="\n")


def document(shot: Snapshot, form: Form | None = None) -> str:
    """Make the page: HTML with everything in it."""
    form = form or Form()
    rows = shot.sites.head(MOST_MARKS)
    return "<!doctype html>\n" + tag(
        "html",
        _head(shot),
        tag("body", *_body(shot, rows, form), class_="compact" if form.compact else None),
        lang=shot.language,
        dir=direction(shot.language),
    )


def direction(language: str) -> str:
    """Say in which direction a language is written: ``ltr`` or ``rtl``."""
    return "rtl" if right_to_left(language) else "ltr"


def own_policy() -> str:
    """Say the rule that the page carries, for whoever serves it."""
    scripts, styles = _assets()
    return policy(scripts, styles)


def own_style() -> str:
    """Give our own part of the style sheet."""
    return (_OWN / "web.css").read_text("utf-8")


def iframe(
    url: str, title: str, width: int | str = "100%", height: int = 480, lang: str | None = None
) -> str:
    """Write the line of HTML that shows ``/embed`` in somebody's page.

    Parameters
    ----------
    url : str
        Absolute address of the frame.
    title : str
        Read out for who does not see it.
    width, height : int or str
        Pixels, or per cent of what it stands in.
    lang : str, optional
        Language of the frame's words; that of the snapshot where there is none.

    Examples
    --------
    >>> iframe("https://map.example.org/embed?snapshot=abc", 'Nitrate "2026"', 600, 400, "fr")
    '<iframe src="https://map.example.org/embed?snapshot=abc&amp;lang=fr" title="Nitrate &quot;2026&quot;"
    width="600" height="400" loading="lazy" style="border:0;max-width:100%" lang="fr"></iframe>'
    """
    if lang:
        url += ("&" if urlsplit(url).query else "?") + urlencode({"lang": lang})
    return str(
        tag(
            "iframe",
            src=url,
            title=title,
            width=width,
            height=height,
            loading="lazy",
            style="border:0;max-width:100%",
            lang=lang,
        )
    )


@cache
def _assets() -> tuple[tuple[str, str], tuple[str]]:
    """Give the texts of the two scripts and of the style sheet."""
    from offlinefolium.elements import (
        _res,
    )  # imports all of its maps, three seconds: only when a page is made

    # The last line of the script names a map of its source that only developers' tools would fetch.
    leaflet = _res[f"{_LEAFLET}.js"].partition("\n//# sourceMappingURL")[0].strip()
    # Its pictures are of markers and of a button that are not used here.
    style = re.sub(r"url\(data:[^)]*\)", "none", _res[f"{_LEAFLET}.css"].strip()) + "\n" + own_style()
    return (leaflet, (_OWN / "web.js").read_text("utf-8")), (style,)


def _head(shot: Snapshot) -> Html:
    _, (style,) = _assets()
    rule = own_policy()
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=rule),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", shot.title),
        tag("meta", name="description", content=shot.said.lead),
        tag("style", Html(style)),
    )


def _body(shot: Snapshot, rows: pd.DataFrame, form: Form) -> Iterator[Html]:
    say = sayer(shot)
    scripts, _ = _assets()
    if form.table:
        yield tag("a", say("skip"), href="#sites", class_="skip")
    lead, rest = tag("p", shot.said.lead, class_="lead"), tag("p", shot.said.rest)
    yield tag("header", tag("h1", shot.title), *notices(shot), NOTHING if form.compact else lead)
    yield tag("main", _map(shot, form), NOTHING if form.compact else rest, _table(shot, rows, form))
    yield _source(shot, form) if form.compact else tag("footer", facts(shot))
    yield tag("script", literal(_data(shot, rows, form)), type="application/json", id="data")
    yield from (tag("script", Html(script)) for script in scripts)


def sayer(shot: Snapshot) -> Callable[..., str]:
    """Give what says a message of these pages in a snapshot's language."""
    return lambda key, **values: message(f"publish.web.{key}", shot.language, **values)


def notices(shot: Snapshot) -> list[Html]:
    """Say, before everything else, why a picture must not be taken for what it is not."""
    keys = [key for key in ("simulated", "unaccepted") if getattr(shot, key)]
    said = [tag("p", message(f"publish.cite.{key}", shot.language), class_="notice") for key in keys]
    if shot.changed.matters:
        kinds = ("withdrawn", "corrected", "rejected", "erased")
        counts = {kind: n for kind in kinds if (n := getattr(shot.changed, kind))}
        what = ", ".join(sayer(shot)(f"changed_{kind}", n=n) for kind, n in counts.items())
        said.append(tag("p", sayer(shot)("changed", what=what), class_="notice"))
    return said


# ---- map and legend -----------------------------------------------------------------------------


def _map(shot: Snapshot, form: Form) -> Html:
    credit = tag(
        "small", message("publish.web.basemap", shot.language), ": ", ground(shot).credit, class_="credit"
    )
    return tag(
        "section",
        tag("div", id="map", role="region", aria_label=shot.said.text, dir="ltr"),
        tag("noscript", tag("p", sayer(shot)("no_script"), class_="notice")),
        legend(shot, compact=form.compact) if form.legend else NOTHING,
        NOTHING if form.compact else credit,
        class_="map",
        aria_label=message("map.page", shot.language),
    )


def class_words(shot: Snapshot) -> list[tuple[str, str, int]]:
    """Give every status with its words in the snapshot's language and its number of sites, the worst first."""
    return [(status, translated(said, shot.language), n) for status, said, n in shot.by_status]


def legend(shot: Snapshot, *, compact: bool = False) -> Html:
    """List the classes with their marks and numbers of sites, and what else a mark can tell."""
    say, many = sayer(shot), len(shot.sites) > MOST_MARKS
    classes = [
        tag("li", tag("label", sign(status), tag("span", said), tag("b", number(n))), data_code=code)
        for code, (status, said, n) in enumerate(class_words(shot))
    ]
    notes = (
        []
        if compact
        else [
            say("cells") if many else "",
            say("stale", days=shot.topic.stale_days) if shot.counts.stale and not many else "",
            say("hidden") if not many and shot.sites["position_rule"].isin(_SQUARES).any() else "",
        ]
    )
    notes.append(message("map.not_safe", shot.language))
    between = _surface_legend(shot, compact) if shot.surface else NOTHING
    title = message("map.legend", shot.language)
    return tag(
        "details",
        tag("summary", title),
        tag("ul", *classes, aria_label=title),
        NOTHING if compact else tag("small", say("filter"), class_="script"),
        *(tag("small", note) for note in notes if note),
        between,
        id="legend",
        open=True,
    )


def _surface_legend(shot: Snapshot, compact: bool) -> Html:
    """Say what lies between the sites: its classes with their colours, or why there is nothing."""
    surface = shot.surface
    if surface is None:
        return NOTHING
    if surface.refused:
        return tag("p", translated(surface.refused, shot.language), class_="notice")
    classes = [
        tag("li", tag("span", _patch(colour), tag("span", translated(label, shot.language)), class_="class"))
        for label, colour in zip(surface.labels, surface.colours, strict=True)
    ]
    heading = translated(surface.heading, shot.language)
    note = NOTHING if compact else tag("small", translated(surface.note, shot.language))
    return joined([tag("b", heading), tag("ul", *classes, aria_label=heading), note])


def _patch(colour: str) -> Html:
    """Draw a patch of a surface as pale as it is on the map."""
    place = {"x": "2", "y": "4", "width": "16", "height": "12"}
    patch = tag("rect", **place, fill=colour, fill_opacity=str(OPACITY), stroke="#4a4a4a", stroke_width="0.6")
    return tag("svg", patch, viewBox="0 0 20 20", width="18", height="18", aria_hidden="true")


def number(value: int) -> str:
    """Write a whole number with a thin space between thousands, as every language reads it."""
    return f"{value:,}".replace(",", "\u202f")


# ---- table --------------------------------------------------------------------------------------


def _table(shot: Snapshot, rows: pd.DataFrame, form: Form) -> Html:
    say, left = sayer(shot), len(shot.sites) - len(rows)
    notes = [tag("p", say("left_out", n=number(left), rows=number(len(rows))))] if left else []
    return tag(
        "details" if form.compact else "section",
        tag("summary" if form.compact else "h2", say("table"), f" ({number(len(rows))})"),
        *notes,
        tag("p", say("table_note"), class_="script", id="how"),
        tag(
            "p",
            tag("label", say("search"), " ", tag("input", type="search", id="search", autocomplete="off")),
            tag("span", role="status", id="found"),
            class_="script",
        ),
        tag(
            "div", _cells_of(shot, rows), class_="scroll", tabindex="0", role="group", aria_label=say("table")
        ),
        id="sites",
        tabindex="-1",
        hidden=not form.table,
    )


def _cells_of(shot: Snapshot, rows: pd.DataFrame) -> Html:
    heads = [
        "map.col_name",
        "map.col_result",
        "map.col_status",
        "map.col_time",
        "publish.web.place",
        "map.col_site",
    ]
    titles = joined(tag("th", message(key, shot.language), scope="col") for key in heads)
    return Html(
        f'<table aria-describedby="how"><thead><tr>{titles}<tbody>{"".join(_rows(shot, rows))}</table>'
    )


def _rows(shot: Snapshot, rows: pd.DataFrame) -> Iterator[str]:
    said = {status: text(told) for status, told, _ in class_words(shot)}
    old = text(message("publish.web.old", shot.language))
    names = rows["monitoring_location_name"].where(rows["monitoring_location_name"].notna(), "")
    for name, site, result, status, day, stale, place in zip(
        names,
        rows["monitoring_location_id"],
        words(rows),
        rows["status"],
        _days(rows),
        rows["freshness"].eq("stale"),
        _places(rows),
        strict=True,
    ):
        when = f"{day} · {old}" if stale else day
        yield (
            f"<tr><th scope=row>{text(name)}<td>{text(result)}<td>{said.get(status, text(status))}"
            f"<td>{when}<td>{place}<td>{text(site)}\n"
        )


def _days(rows: pd.DataFrame) -> list[str]:
    """Write the day of each reading, UTC, as far as it is known."""
    days = rows["phenomenon_time"].dt.strftime("%Y-%m-%d").fillna("")
    known = [_BY_PRECISION.get(str(said), 10) for said in rows["phenomenon_time_precision"]]
    return [day[:letters] for day, letters in zip(days, known, strict=True)]


def _places(rows: pd.DataFrame) -> list[str]:
    pairs = zip(rows["latitude"], rows["longitude"], strict=True)
    return [f"{lat:.5f}, {lon:.5f}" if lat == lat and lon == lon else "–" for lat, lon in pairs]


# ---- what is said below -------------------------------------------------------------------------


def facts(shot: Snapshot, package: str | None = None) -> Html:
    """Say everything that a reader needs to judge a picture, as a list of terms.

    Parameters
    ----------
    shot : Snapshot
        Any.
    package : str, optional
        Address of its data package; made of the permalink, or a command in its place, where there is none.
    """
    said = [
        tag("dt", term) + tag("dd", *(tag("p", line) for line in lines))
        for term, lines in _facts(shot, package)
        if lines
    ]
    return tag("section", tag("h2", sayer(shot)("facts")), tag("dl", *map(Html, said)), class_="facts")


def _facts(shot: Snapshot, package: str | None) -> Iterator[tuple[str, list[str]]]:
    say, topic = sayer(shot), shot.topic
    yield say("as_of"), [say("as_of_said", minute=citation.minute(shot), version=shot.version)]
    yield say("limit"), _limit(shot)
    yield say("counted"), [_counted(shot), message("map.not_safe", shot.language)]
    yield say("sources"), _origins(shot)
    yield say("producer"), [topic.producer] if topic.producer else []
    yield say("contact"), [topic.contact] if topic.contact else []
    yield say("cite"), [citation.long(shot, shot.language)]
    if shot.permalink:
        yield say("address"), [link(shot.permalink)]
        package = package or f"{shot.permalink}/data.zip"
    if package:
        yield say("readings"), [joined([say("readings_here"), " ", link(package, say("file_zip"))])]
    else:
        yield say("readings"), [say("readings_command"), tag("code", citation.command(shot))]
    yield say("basemap"), [ground(shot).credit]


def link(address: str, words: str | None = None, **more: object) -> Html:
    """Make a link that tells the page behind it nothing of where it was clicked."""
    return tag("a", words or address, href=address, rel="noopener noreferrer", **more)


def _limit(shot: Snapshot) -> list[str]:
    say, limit = sayer(shot), shot.limit
    if limit is None:
        return [say("limit_none")]
    title = shot.standard.title if shot.standard else ""
    lines = [say("limit_said", limit=limit.text(), standard=title, reference=limit.reference)]
    lines += [] if limit.verified else [say("limit_unverified")]
    lines += [say("limit_chronic")] if limit.exposure == "chronic" else []
    return lines + ([link(limit.url)] if limit.url.startswith("https://") else [])


def _counted(shot: Snapshot) -> str:
    counts = {
        "sites": len(shot.sites),
        "readings": shot.readings_behind,
        "unverified": shot.unverified,
        "inconclusive": shot.counts.inconclusive,
        "stale": shot.counts.stale,
        "hidden": shot.hidden,
    }
    return sayer(shot)("counted_said", **{name: number(n) for name, n in counts.items()})


def _origins(shot: Snapshot) -> list[str]:
    """Name each source once with its licence, the one with the most sites first."""
    unstated, sites = message("publish.cite.unstated", shot.language), Counter[tuple[str, str]]()
    for origin in shot.origins:
        licence = unstated if origin.licence in ("", "unknown") else origin.licence
        sites[citation.credited(origin), licence] += origin.sites
    say = sayer(shot)
    return [
        say("source_said", who=who, licence=licence, n=number(n)) for (who, licence), n in sites.most_common()
    ]


def _source(shot: Snapshot, form: Form) -> Html:
    """Say in one line who, when, and where the whole of it is."""
    say = sayer(shot)
    who = shot.topic.producer or ", ".join(dict.fromkeys(citation.credited(one) for one in shot.origins))
    stamp = "frozen" if shot.id else "live"
    home = form.home or shot.permalink
    return tag(
        "footer",
        tag("span", say("source_line", who=who[:120]), ". ") if who else NOTHING,
        tag("span", say(stamp, minute=citation.minute(shot), version=shot.version), " "),
        tag("a", say("full_page"), href=home, target="_top", rel="noopener") if home else NOTHING,
        class_="source",
    )


# ---- what the script is given -------------------------------------------------------------------


def _data(shot: Snapshot, rows: pd.DataFrame, form: Form) -> dict[str, Any]:
    many = len(shot.sites) > MOST_MARKS
    codes = (
        shot.sites["status"]
        .map({status: code for code, status in enumerate(_ORDER)})
        .fillna(4)
        .astype("int64")
    )
    return {
        "box": [round(side, 5) for side in shot.box],
        "signs": [
            {"colour": style.colour, "shape": style.shape, "radius": max(5.0, 8.5 - code), "label": said}
            for code, (style, (_, said, _)) in enumerate(
                zip((STYLE[status] for status in _ORDER), class_words(shot), strict=True)
            )
        ],
        "shapes": SHAPES,
        "code": "".join(map(str, codes.head(len(rows)))),
        "old": "".join("1" if stale else "0" for stale in rows["freshness"].eq("stale")),
        "half": _halves(shot, rows),
        "cells": _cells(shot.sites, codes) if many else None,
        "ground": ground(shot).packed(),
        "surface": _surface(shot.surface) if shot.surface and not shot.surface.refused else None,
        "marks": not many,
        "words": _words(shot),
    }


def _words(shot: Snapshot) -> dict[str, str]:
    say, holes = sayer(shot), {"shown": "{shown}", "every": "{every}", "name": "{name}", "n": "{n}"}
    return {key: say(key, **holes) for key in ("found", "opened", "no_mark", "several")}


def _halves(shot: Snapshot, rows: pd.DataFrame) -> dict[int, list[float]]:
    """Half width and half height, in degrees, of the square that each hidden site stands for, by row."""
    widths = {rule: getattr(shot.topic, width) for rule, width in _SQUARES.items()}
    halves: dict[int, list[float]] = {}
    for row, (rule, lat) in enumerate(zip(rows["position_rule"], rows["latitude"], strict=True)):
        if rule in widths and lat == lat:
            high = widths[rule] / 2 / _METRES
            halves[row] = [round(high / max(math.cos(math.radians(lat)), 0.01), 6), round(high, 6)]
    return halves


def _surface(surface: Surface) -> dict[str, Any]:
    """Write a surface row by row as runs of one class: how many cells, and which."""
    codes = surface.codes.astype("int64").ravel()
    starts = np.flatnonzero(np.diff(codes, prepend=codes[:1] - 1))
    runs = np.column_stack([np.diff(np.append(starts, len(codes))), codes[starts]])
    high, wide = surface.codes.shape
    return {
        "bounds": list(surface.bounds),
        "wide": wide,
        "high": high,
        "colours": list(surface.colours),
        "opacity": OPACITY,
        "runs": runs.ravel().tolist(),
    }


def _cells(sites: pd.DataFrame, codes: pd.Series) -> dict[str, Any]:
    """Add sites up to squares of the Web-Mercator world, as many as a browser draws at once.

    Returns
    -------
    dict
        ``k`` squares to the width of the world, ``x`` and ``y`` of each square from the north-west, and for
        every class a list of how many of its sites lie in each.
    """
    there = (sites["longitude"].notna() & sites["latitude"].notna()).to_numpy()
    lon, lat = (sites[name].to_numpy("float64")[there] for name in ("longitude", "latitude"))
    sine = np.sin(np.radians(np.clip(lat, -_EDGE, _EDGE)))
    across, down = lon / 360 + 0.5, 0.5 - np.log((1 + sine) / (1 - sine)) / (4 * np.pi)
    k = 2**20
    while True:
        x, y = (np.clip(np.floor(part * k), 0, k - 1).astype("int64") for part in (across, down))
        found, where = np.unique(x * k + y, return_inverse=True)
        if len(found) <= _MOST_CELLS or k == 1:
            break
        k //= 2
    counts = np.zeros((len(_ORDER), len(found)), "int64")
    np.add.at(counts, (codes.to_numpy()[there], where), 1)
    return {"k": k, "x": (found // k).tolist(), "y": (found % k).tolist(), "n": counts.tolist()}
