"""Analyses of groundwater in France: Hub'Eau, ``qualite_nappes``.

Asked by box (or by one well), substance and day of sampling. A question may not be answered deeper than
20,000 rows, so a period that holds more is cut in two until each part fits. Incrementally it is asked for
what was changed since (``date_min_maj``).

What surprised us: 206 is success ("partial, go on"); ``next`` may be null on a page that is not the last,
so rows are counted as well; and for a month in 2026 every question was answered 200 with ``count: 0``,
which is a whole answer and still no sign that there is no water. Below the limit of quantification the
*limit* stands in ``resultat``; only the remark code says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from sensors.answers import rows_of
from sensors.lands import FRANCE
from sensors.sensor import Ask, Body, Sensor, flatten, quarter_box, table
from situation.topic import Box

if TYPE_CHECKING:
    from sensors.http import Http

#: Our keys to codes of the Sandre register of parameters.
SANDRE = {
    "nitrate": ("1340",),
    "nitrite": ("1339",),
    "ammonium": ("1335",),
    "glyphosate": ("1506",),
    "conductance": ("1303",),
    "ph": ("1302",),
    "temperature": ("1301",),
    "chloride": ("1337",),
    "sulfate": ("1338",),
    "fluoride": ("7073", "1391"),
    "arsenic": ("1369",),
    "lead": ("1382",),
    "iron": ("1393",),
    "manganese": ("1394",),
    "uranium": ("1361",),
    "boron": ("1362",),
    "cadmium": ("1388",),
    "atrazine": ("1107",),
}
DEEPEST = 20_000
PAGE = 5_000
FIRST = datetime(1960, 1, 1, tzinfo=UTC)


def parse(bodies: Sequence[Body]) -> Iterator[pd.DataFrame]:
    """Flatten pages of analyses: one row an analysis, the fields as Hub'Eau names them."""
    for body in bodies:
        rows = rows_of(body, "data", needs=("resultat", "code_remarque_analyse"))
        if rows:
            yield table(map(flatten, rows))


def deep_pages(
    http: Http,
    path: str,
    params: dict[str, object],
    periods: tuple[str, str],
    since: date,
    until: date,
    kind: str = "",
) -> Iterator[Body]:
    """Ask Hub'Eau for everything in a period of days (both included), however deep it lies.

    Parameters
    ----------
    http : Http
        Asks.
    path : str
        The service under the base address.
    params : dict
        The question without its period.
    periods : tuple of str
        Names of the parameters for the first and the last day.
    since, until : date
        The period.

    Yields
    ------
    Body
        Pages; a period with more than :data:`DEEPEST` rows is cut in two until a day is left.
    """
    asked = {**params, periods[0]: since.isoformat(), periods[1]: until.isoformat(), "size": PAGE}
    body = http.get(path, asked, expect="json", ok=(200, 206), kind=kind)
    said = body.json()
    count = int(said.get("count") or 0)
    if count > DEEPEST:
        middle = since + (until - since) // 2
        if since < until:
            yield from deep_pages(http, path, params, periods, since, middle, kind)
            yield from deep_pages(http, path, params, periods, middle + timedelta(days=1), until, kind)
            return
        if boxes := _quarters(asked):
            for box in boxes:
                yield from deep_pages(http, path, {**params, "bbox": box}, periods, since, until, kind)
            return
        http.truncated(f"Hub'Eau holds {count} rows of {since} and answers no deeper than {DEEPEST}.")
    http.declare(count)
    got, page = 0, 1
    while True:
        rows = rows_of(body, "data")
        got += len(rows)
        http.got(len(rows))
        yield body
        if not rows or got >= min(count, DEEPEST):
            return
        link = said.get("next")  # null on a page that is not the last has been seen
        if page * PAGE >= DEEPEST and (count > DEEPEST or not link):
            return
        page += 1
        if link:
            body = http.follow(link, expect="json", ok=(200, 206), kind=kind)
        else:
            body = http.get(path, {**asked, "page": page}, expect="json", ok=(200, 206), kind=kind)
        said = body.json()


def _quarters(asked: dict[str, object]) -> list[str]:
    text = str(asked.get("bbox") or "")
    if not text:
        return []
    west, south, east, north = (float(part) for part in text.split(","))
    if east - west < 0.001:
        return []
    return [box_text(box) for box in quarter_box((west, south, east, north))]


def box_text(box: Box) -> str:
    """Give a box as Hub'Eau takes it: west,south,east,north in degrees (EPSG:4326)."""
    return ",".join(f"{number:.6f}" for number in box)


def period_of(ask: Ask, first: datetime = FIRST) -> tuple[date, date]:
    """Give the first and the last day of a question; what is open ends at *first* and today."""
    return (ask.since or first).date(), (ask.until or datetime.now(UTC)).date()


def fetch(ask: Ask, http: Http) -> Iterator[Body]:
    """Ask for analyses; what was changed since is asked over all days of sampling."""
    codes = [code for key in ask.properties for code in SANDRE[key]]
    site = ask.site or ""
    params: dict[str, object] = {
        "bbox": box_text(ask.bbox) if ask.bbox and not site else None,
        "bss_id": site if site.startswith("BSS") else None,
        "code_bss": site if site and not site.startswith("BSS") else None,
        "code_param": ",".join(codes) or None,
        "num_departement": ask.options.get("departement"),
        "date_min_maj": f"{ask.modified_since:%Y-%m-%d}" if ask.modified_since else None,
        "sort": "asc",
    }
    since, until = period_of(ask)
    if ask.modified_since:
        since = FIRST.date()
    for start, end in years(since, until, 10):
        yield from deep_pages(
            http, "analyses", params, ("date_debut_prelevement", "date_fin_prelevement"), start, end
        )


def years(since: date, until: date, number: int) -> Iterator[tuple[date, date]]:
    """Cut a period into pieces of so many years, so that a question for all of it is never one question."""
    start = since
    while start <= until:
        end = min(date(start.year + number - 1, 12, 31), until)
        yield start, end
        start = end + timedelta(days=1)


def cost(ask: Ask) -> int:
    """Say how many requests an ask takes at least."""
    since, until = period_of(ask)
    return len(list(years(FIRST.date() if ask.modified_since else since, until, 10)))


SENSOR = Sensor(
    key="hubeau_qualite",
    title="Hub'Eau: quality of groundwater in France",
    homepage="https://hubeau.eaufrance.fr/page/api-qualite-nappes",
    licence="etalab-2.0",
    attribution="Hub'Eau – ADES/BRGM, Sandre",
    limits="No published rate; one request a second, at most 5,000 rows a page and 20,000 rows deep.",
    recorded=True,
    evidence="Two analyses transcribed from an answer of September 2026; the empty answer of the outage.",
    base_url="https://hubeau.eaufrance.fr/api/v1/qualite_nappes",
    covers=FRANCE,
    fetch=fetch,
    parse=parse,
    dialect="hubeau",
    properties=tuple(SANDRE),
    topics=("groundwater",),
    pause_s=1.0,
    overlap_days=550.0,  # laboratories hand in late, and revise
    modified_since=True,
    cost=cost,
)
