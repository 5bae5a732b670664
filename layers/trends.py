"""Where levels are going: one row per series of readings, with its trend, its projection and how sure it is.

The rules stand in ``situation/``: ``series`` sorts the readings, ``trend`` finds slopes, ``projection`` says
when a line crosses the limit, ``confirmed`` whether an exceedance is more than a single reading, ``status``
how the newest reading stands. Here they are asked once per data version and choice, joined, and passed
through :func:`situation.privacy.public`; the page, the command line and ``/api/trends.*`` show the same rows.

Trends are computed per true site and published under the site that the public knows: two household wells in
one square are two rows with one name, and never one series.

What surprised us: a limit for the dissolved fraction says nothing about a series of total samples, so each
series is projected against the limit only if the limit is for its fraction.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import store
from layers.newest import history_for
from layers.picture import key_of
from layers.shelf import Shelf
from situation import privacy
from situation import unit as units
from situation.observation import POSITION_RULES
from situation.properties import PROPERTIES
from situation.series import REJECTED, Series, series
from situation.settings import settings
from situation.standard import Limit, Standard, standards
from situation.status import assess
from situation.topic import Topic
from situation.view import View

#: Of every interval and test on the page.
CONFIDENCE = 0.95
#: Of the interval in which single readings are expected to fall.
FAN = 0.90

#: The columns of the table, in order, and what each says. Times are UTC, NaN and empty mean "not known".
COLUMNS: Mapping[str, str] = {
    "monitoring_location_id": "the site as the public knows it; one for all hidden wells of a square",
    "longitude": "degrees, WGS 84; of the square's centre where the place is hidden",
    "latitude": "degrees, WGS 84",
    "monitoring_location_name": "",
    "monitoring_location_type": "well, spring, river …",
    "sampled_medium": "what was sampled; media are never mixed",
    "sample_fraction": "total, dissolved …; fractions are never mixed",
    "depth_m": "metres below ground; depths are never mixed",
    "strip": "yes: a series of test strips, which never joins other methods",
    "unit": "UCUM, of every value, slope (per year) and limit of the row",
    "method_speciation": "as N, as NO3 … of the same",
    "n": "readings that count",
    "n_censored": "of these, known only to be less or more than a number",
    "share_censored": "n_censored / n, 0 to 1",
    "first_time": "oldest reading that counts",
    "last_time": "newest reading that counts",
    "years": "between the two",
    "trend": "rising, falling, no clear trend, not enough readings",
    "slope": "Theil-Sen (Akritas-Theil-Sen where censored), per year",
    "slope_low": "lower end of its interval",
    "slope_high": "upper end of its interval",
    "confidence": "of the interval, two-sided; 1 - confidence is also what p is held against",
    "p": "two-sided probability of at least this S without a trend",
    "tau": "Kendall's rank correlation with time",
    "S": "Kendall's S",
    "method": "which test; empty where there is none",
    "seasonal": "yes: compared within seasons",
    "serial_correlation": "not checked; none found; found, corrected",
    "why": "what else to know, or why there is no trend; a sentence",
    "limit": "that counts; of a range the bound that is nearer",
    "limit_lower": "of a range",
    "limit_upper": "of a range",
    "limit_kind": "health, aesthetic …",
    "status": "of the newest reading: above, near, below, inconclusive, no limit",
    "freshness": "of the newest reading: current, stale",
    "confirmed": "confirmed, not confirmed, single reading, not enough readings, no exceedance, no limit",
    "confirmed_method": "by which confidence limit",
    "confirmed_lower": "one-sided lower confidence limit, 95 %",
    "confirmed_upper": "one-sided upper confidence limit, 95 %",
    "confirmed_why": "a sentence",
    "crossing": "crossing expected, crossed already, beyond the horizon, no sign of crossing, moving away, "
    "not enough readings, no limit",
    "crossing_time": "when the trend line crosses the limit (crossed already: when it did)",
    "crossing_earliest": "of its interval",
    "crossing_latest": "of its interval; empty beside an earliest: open",
    "said": "the crossing in a sentence",
    "left_out": "readings of the series that do not count",
    "why_left_out": "the most frequent reason",
    "position_rule": "exact, blurred, area, withheld",
    "source_id": "of the newest reading",
    "contributor": "of the newest reading",
    "licence": "of the newest reading",
    "attribution": "of the newest reading",
}
#: Columns whose words are ours, which a spreadsheet cannot take for a stranger's formula.
CLOSED = frozenset(
    {"trend", "status", "freshness", "crossing", "confirmed", "position_rule", "sampled_medium", "unit"}
)
#: What says who and where; everything else in the table is numbers and words of ours.
IDENTITY = (
    "monitoring_location_id", "monitoring_location_name", "monitoring_location_type", "longitude",
    "latitude", "depth_m", "position_rule", "source_id", "contributor", "licence", "attribution",
)  # fmt: skip
#: What says of a reading whose it is.
CREDITS = ("source_id", "contributor", "licence", "attribution")
_TREND = (
    "share_censored", "first_time", "last_time", "years", "trend", "slope", "slope_low", "slope_high",
    "confidence", "p", "tau", "S", "method", "seasonal", "serial_correlation", "why",
)  # fmt: skip
_CROSSING = ("crossing", "crossing_time", "crossing_earliest", "crossing_latest", "said")
_CONFIRMED = {
    "confirmed": "confirmed",
    "method": "confirmed_method",
    "lower": "confirmed_lower",
    "upper": "confirmed_upper",
    "why": "confirmed_why",
}
#: What a reader wants to know first.
_URGENT = (
    "crossing expected",
    "crossed already",
    "beyond the horizon",
    "no sign of crossing",
    "moving away",
    "no limit",
    "not enough readings",
)
_KEEP_ROWS = 2_000_000
_STEPS = 60  # of a line in a chart
_BENT_LEAST, _BENT_CHANCE = 8, 0.01  # readings and probability of the sign test for a bend
_EYE_LEAST = 8  # measured readings that a smooth curve needs


@dataclass(frozen=True)
class Trends:
    """The trends of one choice.

    Attributes
    ----------
    version : int
        Data version of the store that they were made from.
    observed_property : str
        Key.
    limit : Limit or None
        What they are compared with.
    unit, species : str or None
        Of slopes (per year) and of every value.
    horizon_years : float
        How far ahead anything is said, from *now*.
    now : Timestamp
        UTC.
    rows : DataFrame
        One row per series, :data:`COLUMNS`, after ``public()``; the most urgent first. Two rows may bear the
        name of one site: other depths, other fractions, strips, or hidden wells of one square.
    codes : array of int
        Code of the series in *readings* and *fits*, by row of *rows*.
    readings : DataFrame
        ``series, time, value, censoring`` (see :mod:`situation.series`), ``recorded`` and ``procedure`` as
        the source wrote them, ``doubtful`` (estimated or suspect), ``verified`` (by a reviewer) and
        :data:`CREDITS` (exact, not to be shown as they are); empty where only the table was asked for.
    fits : DataFrame
        What ``situation.trend.trends`` gave, by code.
    left_out : mapping of str to int
        Reason to number of readings that do not count.
    sites : int
        How many true sites the rows are of: hidden wells of one square bear one name, but are counted each,
        as on the map.
    """

    version: int
    observed_property: str
    limit: Limit | None
    unit: str | None
    species: str | None
    horizon_years: float
    now: pd.Timestamp
    rows: pd.DataFrame
    codes: Any
    readings: pd.DataFrame
    fits: pd.DataFrame
    left_out: Mapping[str, int]
    sites: int = 0

    def __len__(self) -> int:
        return len(self.rows) + len(self.readings)

    @property
    def unit_text(self) -> str:
        """The unit as people write it: ``mg/L as NO3``."""
        needs = self.observed_property in PROPERTIES and PROPERTIES[self.observed_property].needs_species
        return " ".join(filter(None, (units.shown(self.unit), self.species if needs else None)))

    @property
    def until(self) -> pd.Timestamp:
        """The horizon: nothing is said of what comes after."""
        return self.now + pd.Timedelta(days=365.25 * self.horizon_years)

    def of(self, place: int) -> pd.DataFrame:
        """Give the readings of one series, by its place in *rows*."""
        return self.readings[self.readings["series"] == self.codes[place]].reset_index(drop=True)

    def has_limit(self, place: int) -> bool:
        """Say whether the limit is for the fraction of a series, by its place in *rows*."""
        return applies(self.limit, self.rows["sample_fraction"].iloc[place])

    def lines(self, place: int) -> Lines:
        """Give the trend line and where it may go, for a chart of one series, by its place in *rows*."""
        from situation import projection
        from situation.trend import band, smooth

        code, readings = self.codes[place], self.of(place)
        mine = readings[["series", "time", "value", "censoring"]]
        measured = int(mine["censoring"].eq("=").sum())
        eye = _without_gaps(smooth(mine, points=_STEPS), mine) if measured >= _EYE_LEAST else pd.DataFrame()
        if code not in self.fits.index or not np.isfinite(self.fits["slope"].get(code, np.nan)):
            return Lines(pd.DataFrame(), pd.DataFrame(), eye)
        fit = self.fits.loc[code]
        first, last = readings["time"].min(), readings["time"].max()
        at = pd.Series(pd.date_range(first, last, periods=_STEPS))
        # As in the table: a line whose newest reading is too old is not carried on.
        old = last < self.now - pd.Timedelta(days=365.25 * self.horizon_years)
        fan = pd.DataFrame() if old else projection.fan(mine, fit, self.until, confidence=FAN)
        bent = _bent(mine, band(mine, fit)["estimate"])
        return _above_zero(Lines(band(mine, fit, at), fan, eye, bent=bent), bool((mine["value"] >= 0).all()))

    def end(self, place: int) -> float:
        """Give where the trend line of a series stands at the horizon; NaN without one."""
        fan = self.lines(place).fan
        return float(fan["estimate"].iloc[-1]) if len(fan) else float("nan")


@dataclass(frozen=True)
class Lines:
    """What is drawn through and beyond the readings of one series; empty where it cannot be.

    Attributes
    ----------
    band : DataFrame
        ``time, estimate, low, high``: the trend line with its confidence band, over the readings.
    fan : DataFrame
        ``time, estimate, line_low, line_high, reading_low, reading_high``: from the last reading to the
        horizon.
    eye : DataFrame
        ``time, low, high, piece``: a smooth curve, for the eye only; two where readings are censored, and
        in pieces where years are missing.
    ends : Timestamp or None
        When the line would fall below zero although no reading ever did; band and fan end there.
    bent : str
        ``below`` or ``above``: where the newest quarter of the readings lies when the record has bent away
        from its line; empty otherwise. A line through thirty years is sure of itself, and wrong about
        tomorrow if the last ten went the other way.
    """

    band: pd.DataFrame
    fan: pd.DataFrame
    eye: pd.DataFrame
    ends: pd.Timestamp | None = None
    bent: str = ""


def _bent(readings: pd.DataFrame, estimate: Any) -> str:
    """Say on which side of the line the newest quarter lies, if a sign test at 1 % finds it one-sided.

    Half of all readings lie above a Theil-Sen line, so of its newest *m* as many as heads among *m* coins.
    What is censored counts only where its side is known.
    """
    newest = readings.tail(len(readings) // 4)
    line = np.asarray(estimate)[len(readings) - len(newest) :]
    sign, value = newest["censoring"].to_numpy(object), newest["value"].to_numpy("float64")
    above = (value > line) & (sign != "<")
    below = (value < line) & (sign != ">")
    m, most = int(above.sum() + below.sum()), int(max(above.sum(), below.sum()))
    if m < _BENT_LEAST:
        return ""
    chance = 2 * sum(math.comb(m, k) for k in range(most, m + 1)) / 2**m
    if chance >= _BENT_CHANCE:
        return ""
    return "above" if above.sum() > below.sum() else "below"


def _without_gaps(eye: pd.DataFrame, readings: pd.DataFrame) -> pd.DataFrame:
    """Break a smooth curve where nothing was measured for a quarter of the record: it would make things up."""
    when = np.sort(readings["time"].to_numpy("datetime64[us]"))
    at = eye["time"].to_numpy("datetime64[us]")
    after = np.clip(np.searchsorted(when, at), 1, len(when) - 1)
    wide = np.diff(when) > (when[-1] - when[0]) / 4
    return eye.assign(piece=np.cumsum(np.r_[0, wide])[after])[~wide[after - 1]].reset_index(drop=True)


def _above_zero(lines: Lines, never_below: bool) -> Lines:
    """End a falling line where it leaves what can be: a decay drawn as a straight line goes below zero."""
    if not never_below:
        return lines
    parts, ends = [], None
    for part in (lines.band, lines.fan):
        gone = np.flatnonzero(part["estimate"] < 0) if len(part) else np.array([], "int64")
        if ends is None and len(gone):
            ends = part["time"].iloc[gone[0]]
        parts.append(part[part["time"] < ends] if ends is not None and len(part) else part)
    # That a decay is no straight line is told by its end already.
    bent = lines.bent if len(parts[0]) == len(lines.band) else ""
    return Lines(parts[0], parts[1], lines.eye, ends, bent)


def applies(limit: Limit | None, fraction: object) -> bool:
    """Say whether a limit is for readings of a fraction; an unknown fraction is not another one."""
    if limit is None:
        return False
    return (
        limit.fraction is None
        or not isinstance(fraction, str)
        or (fraction.casefold() == limit.fraction.casefold())
    )


def assemble(
    readings: pd.DataFrame,
    observed_property: str,
    standard: Standard | None,
    topic: Topic,
    now: pd.Timestamp,
    *,
    version: int = 0,
    detailed: bool = False,
) -> Trends:
    """Make the trends of every series among some readings.

    Parameters
    ----------
    readings : DataFrame
        Observations in the flat form, exact places and names: not to be shown as they are.
    observed_property : str
        Key.
    standard : Standard or None
        Its limit for the property in force at *now* counts.
    topic : Topic
        Says what is near, stale, hidden, and how far ahead to look.
    now : Timestamp
        UTC: what ages and projections count from.
    version : int
        Of the store.
    detailed : bool
        Keep the readings too, for a chart.

    Returns
    -------
    Trends
        Public: nothing in it names or locates what the topic hides.
    """
    # These bring scipy with them: not at every start.
    from situation import confirmed, projection
    from situation.trend import trends

    limit = standard.limit(observed_property, now.date()) if standard else None
    made = series(readings, observed_property, limit)
    horizon = float(getattr(topic, "horizon_years", 10.0))
    fits = trends(made.table, confidence=CONFIDENCE)
    stands = _statuses(readings, made, standard, observed_property, topic, now)
    mine = np.array([applies(limit, name) for name in _fractions(made.about)], "bool")
    crossing = _by_limit(
        fits,
        mine,
        lambda some, which: projection.project(
            some, limit if which else None, now=now, horizon_years=horizon, latest=stands["status"]
        ),
    )
    sure = _by_limit(
        fits,
        mine,
        lambda some, which: confirmed.confirm(
            made.table[made.table["series"].isin(some.index)],
            some,
            limit if which else None,
            confidence=CONFIDENCE,
        ),
    )
    rows = _joined(made, fits, crossing, sure, stands, limit)
    sites = int(rows["monitoring_location_id"].nunique())
    rows = _public(rows, readings, topic)
    order = _order(rows)
    kept = _detailed(made, readings) if detailed else made.table.iloc[:0]
    return Trends(
        version=version,
        observed_property=observed_property,
        limit=limit,
        unit=made.unit,
        species=made.species,
        horizon_years=horizon,
        now=now,
        rows=rows.iloc[order][list(COLUMNS)].reset_index(drop=True),
        codes=rows.index.to_numpy()[order],
        readings=kept,
        fits=fits if detailed else fits.iloc[:0],
        left_out=made.left_out,
        sites=sites,
    )


def _fractions(about: pd.DataFrame) -> list[object]:
    return list(about["sample_fraction"]) if "sample_fraction" in about else [None] * len(about)


def _by_limit(
    fits: pd.DataFrame, mine: Any, ask: Callable[[pd.DataFrame, bool], pd.DataFrame]
) -> pd.DataFrame:
    """Ask with the limit for the series it is for, and without one for the others."""
    here = mine[fits.index.to_numpy()]
    if here.all() or not here.any():
        return ask(fits, bool(here.any()))
    return pd.concat([ask(fits[here], True), ask(fits[~here], False)]).sort_index()


def _joined(
    made: Series,
    fits: pd.DataFrame,
    crossing: pd.DataFrame,
    sure: pd.DataFrame,
    stands: pd.DataFrame,
    limit: Limit | None,
) -> pd.DataFrame:
    about = made.about
    parts = [
        about,
        fits[list(_TREND)].reindex(about.index),
        crossing[list(_CROSSING)].reindex(about.index),
        sure[list(_CONFIRMED)].rename(columns=_CONFIRMED).reindex(about.index),
        stands,
    ]
    rows = pd.concat(parts, axis="columns")
    rows["strip"] = np.where(rows["strip"], "yes", "no")
    rows["seasonal"] = np.where(rows["seasonal"].eq(True), "yes", "no")
    rows["unit"], rows["method_speciation"] = made.unit, made.species
    none = (rows["n"] == 0).to_numpy()
    if none.any():
        why = [
            f"None of its {n} readings can be used: {reason}".rstrip(".") + "."
            for n, reason in zip(rows.loc[none, "left_out"], rows.loc[none, "why_left_out"], strict=True)
        ]
        rows.loc[none, ["trend", "method", "serial_correlation"]] = ["not enough readings", "", "not checked"]
        rows.loc[none, "why"] = why
        rows.loc[none, "said"] = why
        rows.loc[none, ["confirmed", "crossing"]] = "not enough readings" if limit else "no limit"
    # What is rejected throughout is not on the map either.
    gone = rows["status"].isna() | (none & (rows["why_left_out"] == REJECTED))
    return rows[~gone]


def _statuses(
    readings: pd.DataFrame,
    made: Series,
    standard: Standard | None,
    observed_property: str,
    topic: Topic,
    now: pd.Timestamp,
) -> pd.DataFrame:
    """Say how the newest reading of each series stands, by code, by the rules of the map."""
    newest = _newest(readings, made)
    found = assess(newest, standard, observed_property, topic=topic, now=now)
    found.index = pd.Index(found["monitoring_location_id"].astype("int64"))
    names = ["limit", "limit_lower", "limit_upper", "limit_kind", "status", "freshness"]
    return found[names].reindex(made.about.index)


def _newest(readings: pd.DataFrame, made: Series) -> pd.DataFrame:
    """Give the newest valid reading of each series and procedure class, the series in the place of the site."""
    held = made.codes >= 0
    for name in ("result_status", "review_state"):
        if name in readings:
            held &= readings[name].ne("rejected").fillna(True).to_numpy("bool")
    if "quality_flag" in readings:
        held &= readings["quality_flag"].ne(4).fillna(True).to_numpy("bool")
    place = np.flatnonzero(held)
    part = readings.iloc[place]
    code = made.codes[place]
    kind, _ = pd.factorize(part["procedure_class"])
    told = part["censoring"].isin(["=", "<", ">"]).to_numpy()
    time = part["phenomenon_time"].to_numpy("datetime64[us]")
    order = np.lexsort((time, told, kind, code))
    last = np.flatnonzero(np.r_[np.diff(code[order] * (kind.max(initial=0) + 1) + kind[order]) != 0, True])
    chosen = order[last] if len(order) else order
    return part.iloc[chosen].assign(
        monitoring_location_id=pd.array(code[chosen].astype(str), dtype="str"),
    )


def _public(rows: pd.DataFrame, readings: pd.DataFrame, topic: Topic) -> pd.DataFrame:
    """Hide who and where as the topic says; numbers and words of ours stand beside it unchanged."""
    names = [name for name in IDENTITY if name in rows]
    told = rows[names].assign(position_rule=_strictest(rows, readings, topic))
    shown = privacy.public(told, topic)
    return rows.assign(**{name: shown[name] for name in names})


def _strictest(rows: pd.DataFrame, readings: pd.DataFrame, topic: Topic) -> list[str]:
    """Give each series the strictest rule that any type its site was ever called has."""
    own = dict.fromkeys(rows["monitoring_location_id"], 0)
    kinds = readings[["monitoring_location_id", "monitoring_location_type"]].drop_duplicates()
    for site, kind in zip(kinds["monitoring_location_id"], kinds["monitoring_location_type"], strict=True):
        rule = privacy.rule_for(kind if isinstance(kind, str) else None, topic)
        own[site] = max(own.get(site, 0), POSITION_RULES.index(rule))
    return [
        POSITION_RULES[max(own[site], POSITION_RULES.index(rule))]
        for site, rule in zip(rows["monitoring_location_id"], rows["position_rule"], strict=True)
    ]


def _order(rows: pd.DataFrame) -> Any:
    urgent = rows["crossing"].map({name: place for place, name in enumerate(_URGENT)}).fillna(len(_URGENT))
    soon = rows["crossing_time"].astype("datetime64[us, UTC]").astype("int64").where(urgent == 0, 0)
    steep = -rows["slope"].astype("float64").abs().fillna(-1)
    above = rows["status"].ne("above")
    return np.lexsort((steep.to_numpy(), above.to_numpy(), soon.to_numpy(), urgent.to_numpy()))


def _detailed(made: Series, readings: pd.DataFrame) -> pd.DataFrame:
    rows = readings.iloc[made.rows]
    recorded = rows["result_text"].fillna("").str.cat(rows["unit_source"].fillna(""), sep=" ").str.strip()
    return made.table.assign(
        recorded=recorded.array,
        procedure=rows["procedure_class"].array,
        doubtful=(_is(rows, "result_status", "estimated", "suspect") | _is(rows, "quality_flag", 3)),
        verified=_is(rows, "review_state", "verified"),
        **{name: rows[name].array for name in CREDITS if name in rows},
    )


def _is(rows: pd.DataFrame, name: str, *values: object) -> Any:
    """Say of each row whether a column holds one of some values; no column holds none."""
    if name not in rows:
        return np.zeros(len(rows), "bool")
    return rows[name].isin(values).fillna(False).to_numpy("bool")


# -- asked of the store -----------------------------------------------------------------------------


def make(opened: store.Store, view: View, now: pd.Timestamp) -> Trends:
    """Ask a store for what *view* chose and find its trends."""
    standard = standards().get(view.standard)
    return assemble(
        history_for(opened, view, standard, now),
        view.observed_property,
        standard,
        view.chosen_topic,
        view.moment(now),
        version=opened.version() if view.as_of is None else view.as_of,
    )


_shelf: Shelf[Trends] = Shelf(most=32, most_rows=_KEEP_ROWS)


def table(view: View, now: pd.Timestamp | None = None) -> Trends:
    """Give the trends of every series of *view*, made anew only when the data or the choice moved.

    A view with a ``batch`` shows a batch that may still be pending: whoever calls has checked the token
    before. The box and the site of the view do not matter.
    """
    moment = now if now is not None else pd.Timestamp.now("UTC")
    opened = store.shared(settings().active_store_url)
    return _shelf.get(key_of(view, moment), lambda: make(opened, view, moment))


def is_ready(view: View, now: pd.Timestamp) -> bool:
    """Say whether :func:`table` will answer at once."""
    return _shelf.has(key_of(view, now))


def same(shown: Trends, row: int, one: Trends) -> int | None:
    """Find a row of the whole table among those of its site; ``None`` if it is not there.

    Several series may bear one name (depths, or the hidden wells of a square): both tables number them alike.
    """
    ids = shown.rows["monitoring_location_id"].to_numpy()
    mine = np.flatnonzero(ids == ids[row])
    rank = int((shown.codes[mine] < shown.codes[row]).sum())
    if rank >= len(one.rows):
        return None
    place = int(np.argsort(one.codes, kind="stable")[rank])
    return place if one.rows["n"].iloc[place] == shown.rows["n"].iloc[row] else None


def forget() -> None:
    """Drop what is kept (tests)."""
    _shelf.clear()


def inside(made: Trends, view: View) -> pd.DataFrame:
    """Give the rows in the box of *view*, and of its site; after blurring, so that no box finds a well."""
    rows = view.within(made.rows)
    if view.site:
        rows = rows[rows["monitoring_location_id"] == view.site]
    return rows


def as_json(made: Trends, view: View, *, simulated: bool) -> dict[str, Any]:
    """Say the trends as JSON knows them: times as ISO 8601 in UTC, what is missing as null.

    Returns
    -------
    dict
        What was chosen, ``limit`` (as people write it), ``unit``, ``horizon`` (day), ``left_out`` (reason to
        number of readings), and ``series``: one object per row, :data:`COLUMNS`.
    """
    rows = inside(made, view)
    out = rows.astype(object)
    for name in rows.columns:
        if isinstance(rows[name].dtype, pd.DatetimeTZDtype):
            out[name] = rows[name].dt.strftime("%Y-%m-%dT%H:%M:%SZ").astype(object)
    plain = out.where(rows.notna(), None).replace([np.inf, -np.inf], None)
    return {
        "topic": view.topic,
        "property": view.observed_property,
        "standard": view.standard,
        "data_version": made.version,
        "simulated": simulated,
        "limit": made.limit.text() if made.limit else None,
        "unit": made.unit_text,
        "horizon": made.until.date().isoformat(),
        "left_out": dict(made.left_out),
        "series": [
            {name: value.item() if isinstance(value, np.generic) else value for name, value in row.items()}
            for row in plain.to_dict("records")
        ],
    }


def one(view: View, now: pd.Timestamp) -> Trends | None:
    """Give the trends and the readings of the site that *view* names; ``None`` if it has no such site.

    Parameters
    ----------
    view : View
        ``site`` is as the public knows it: an ``area-…`` stands for several hidden wells, each a series.
    now : Timestamp
        UTC.
    """
    from layers.site import readings_behind

    found = readings_behind(view, now, view.observed_property)
    if found.empty:
        return None
    made = assemble(
        found,
        view.observed_property,
        standards().get(view.standard),
        view.chosen_topic,
        view.moment(now),
        version=store.shared(settings().active_store_url).version(),
        detailed=True,
    )
    # Asked for by a name that the public does not know: as if it did not exist.
    if not made.rows["monitoring_location_id"].eq(view.site).all():
        return None
    return made
