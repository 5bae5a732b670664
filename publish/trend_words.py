"""What a trend picture says in words: titles, sentences, facts, names of signs, and the text for who sees nothing.

Every number comes from the row of the table of trends and is written as the Trends page writes it. What both say
of a snapshot as a whole (date, period, sources) is said with the words of the map's picture.

What surprised us: "a limit of 50" and "a limit of 50 that is for the dissolved fraction" are different facts for a
series of total samples, and a picture that leaves the second half out accuses the wrong well.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from publish.citation import command, credited
from publish.picture import moment
from situation.messages import message, translated
from situation.result import slope
from situation.snapshot import Snapshot
from situation.standard import Limit
from situation.status import label
from situation.trend_sheet import TrendSheet
from situation.visible import one_line

#: Trends and crossings of the table, and the message that says each.
_TREND = {"rising": "rising", "falling": "falling", "no clear trend": "flat", "not enough readings": "few"}
_CROSSING = {
    "crossing expected": "crossing_expected",
    "crossed already": "crossing_already",
    "beyond the horizon": "crossing_beyond",
    "no sign of crossing": "crossing_none",
    "moving away": "crossing_away",
    "not enough readings": "few",
}
_CONFIRMED = {
    "confirmed": "confirmed_yes",
    "not confirmed": "confirmed_no",
    "single reading": "confirmed_single",
    "not enough readings": "confirmed_few",
}
_SERIAL = {"not checked": "serial_unchecked", "none found": "serial_none"}
_NAME, _MOST_NAMES = 40, 8  # signs of a name in a list, and names in it


@dataclass(frozen=True)
class Fact:
    """One thing to know: its heading and what it says."""

    name: str
    head: str
    text: str


def chance(p: float) -> str:
    r"""Write a probability, in one piece.

    >>> chance(0.0004), chance(0.0471)
    ('p\xa0<\xa00.001', 'p\xa0=\xa00.047')
    """
    return ("p < 0.001" if p < 0.001 else f"p = {p:.3f}").replace(" ", "\u00a0")


def day(time: pd.Timestamp) -> str:
    """Write a day (UTC) as ``2026-03-31``."""
    return "–" if pd.isna(time) else f"{time:%Y-%m-%d}"


def _whole(number: int) -> str:
    return f"{number:,}".replace(",", "\u202f")


@dataclass(frozen=True)
class Words:
    """The words of trend pictures of one snapshot, in its language."""

    shot: Snapshot

    def say(self, key: str, **values: object) -> str:
        """Say a message of ``publish.trend``, or of another section where the key has a dot."""
        name = key if "." in key else f"publish.trend.{key}"
        return one_line(message(name, self.shot.language, **values).replace("**", ""))

    def told(self, sentence: str) -> str:
        """Say an English sentence of ours in the snapshot's language, where its catalogue has it."""
        return one_line(translated(sentence, self.shot.language))

    # ---- one series ----

    def title(self, sheet: TrendSheet) -> str:
        """Give the title of the picture of one series."""
        return self.say("title", property=self.shot.observed_property.title, site=self.name(sheet))

    def kind(self, sheet: TrendSheet) -> str:
        """Say which series of its site it is: ``dissolved, 12 m deep, test strip``; often nothing."""
        row, parts = sheet.row, []
        if sheet.text("sample_fraction"):
            parts.append(self.told(sheet.text("sample_fraction")))
        if pd.notna(row["depth_m"]):
            parts.append(self.say("trends.depth", metres=f"{row['depth_m']:g}"))
        if row["strip"] == "yes":
            parts.append(self.say("trends.strip"))
        if sheet.same > 1:
            parts.append(self.say("series", number=sheet.number, same=sheet.same))
        return one_line(", ".join(parts))

    def sentence(self, sheet: TrendSheet) -> str:
        """Say the trend of one series."""
        row = sheet.row
        if row["trend"] == "not enough readings":
            return self.say("trends.said_few", why=self.told(sheet.text("why")))
        return self.say(
            "trends.said_trend",
            trend=self.say(f"trends.{_TREND[row['trend']]}").capitalize(),
            slope=slope(row["slope"]),
            low=slope(row["slope_low"]),
            high=slope(row["slope_high"]),
            unit=sheet.unit,
            confidence=f"{row['confidence'] * 100:g}",
            p=chance(row["p"]),
            n=int(row["n"]),
            censored=int(row["n_censored"]),
            first=day(row["first_time"]),
            last=day(row["last_time"]),
        )

    def crossing(self, sheet: TrendSheet) -> str:
        """Say when the line crosses the limit, or why not."""
        return "" if sheet.row["trend"] == "not enough readings" else self.told(sheet.text("said"))

    def cautions(self, sheet: TrendSheet) -> list[str]:
        """Say what else to know of the line, each in a sentence."""
        row, drawn, found = sheet.row, sheet.drawn, []
        if drawn.ends is not None:
            found.append(self.say("trends.said_zero", year=str(drawn.ends.year)))
        if drawn.bent:
            found.append(self.say(f"trends.said_bent_{drawn.bent}"))
        if row["crossing"] == "crossing expected":
            found.append(self.say("trends.said_interval"))
        if sheet.limit is not None and row["confirmed"] in _CONFIRMED:
            sure = self.say(f"trends.{_CONFIRMED[row['confirmed']]}")
            why = self.told(sheet.text("confirmed_why"))
            found.append(self.say("trends.said_confirmed", confirmed=sure, why=why))
        if row["trend"] != "not enough readings" and sheet.text("why"):
            found.append(self.told(sheet.text("why")))
        return found

    def facts(self, sheet: TrendSheet) -> list[Fact]:
        """Give what a picture of one series rests on."""
        return [
            *self._limit([sheet]),
            self._newest(sheet),
            self._counts([sheet]),
            self._period([sheet]),
            self._as_of(),
            *self._method(sheet),
        ]

    def _newest(self, sheet: TrendSheet) -> Fact:
        status = self.told(label(str(sheet.row["status"]), sheet.limit.comparison if sheet.limit else None))
        if sheet.row["freshness"] == "stale":
            status = self.say("newest_stale", status=status, days=self.shot.topic.stale_days)
        hidden = [self.say("hidden")] if sheet.row["position_rule"] != "exact" else []
        return Fact("newest", self.say("newest"), ". ".join([status, *hidden]))

    def _method(self, sheet: TrendSheet) -> Iterator[Fact]:
        row = sheet.row
        if row["trend"] != "not enough readings":
            serial = self.say(f"trends.{_SERIAL.get(str(row['serial_correlation']), 'serial_found')}")
            sure = f"{row['confidence'] * 100:g}"
            method = str(row["method"])
            method = method[:1].upper() + method[1:]
            said = self.say("method_one", method=method, serial=serial, confidence=sure)
            yield Fact("method", self.say("method"), said)

    # ---- many ----

    def name(self, sheet: TrendSheet) -> str:
        """Give the name of a site as one line, and where many share a name for being hidden also its identifier."""
        hidden = sheet.row["position_rule"] != "exact"
        return one_line(f"{sheet.name} ({sheet.site})" if hidden else sheet.name)

    def title_many(self, sheets: Sequence[TrendSheet]) -> str:
        """Give the title of a sheet: of one site's series, or of all."""
        if len({(sheet.site, sheet.name) for sheet in sheets}) == 1:
            return self.title(sheets[0])
        return self.say("title_many", title=one_line(self.shot.title))

    def sentence_many(self, sheets: Sequence[TrendSheet]) -> str:
        """Count how many rise and fall."""
        trend = Counter(sheet.row["trend"] for sheet in sheets)
        return self.say(
            "many",
            n=len(sheets),
            rising=trend["rising"],
            falling=trend["falling"],
            none=trend["no clear trend"],
            few=trend["not enough readings"],
        )

    def crossing_many(self, sheets: Sequence[TrendSheet]) -> str:
        """Count how many may cross the limit, and how many exceedances are sure."""
        limit, standard = self.shot.limit, self.shot.standard
        if limit is None or standard is None:
            return ""
        crossing = Counter(sheet.row["crossing"] for sheet in sheets)
        sure = Counter(sheet.row["confirmed"] for sheet in sheets)
        return self.say(
            "trends.sentence_limit",
            limit=self.told(limit.text()),
            standard=one_line(standard.title),
            expected=crossing["crossing expected"],
            already=crossing["crossed already"],
            years=f"{self.shot.topic.horizon_years:g}",
            confirmed=sure["confirmed"],
            single=sure["single reading"] + sure["not confirmed"],
        )

    def shown(self, drawn: Sequence[TrendSheet], rest: Sequence[TrendSheet]) -> str:
        """Say how many series are drawn, and name those that are not."""
        if not rest:
            return self.say("drawn_all")
        names = Counter(_short(sheet.name) for sheet in rest)
        told = [name if n == 1 else f"{name} ({n})" for name, n in names.items()][:_MOST_NAMES]
        more = len(rest) - sum(list(names.values())[:_MOST_NAMES])
        key = "drawn_more" if more else "drawn"
        return self.say(key, drawn=len(drawn), names=", ".join(told), more=more)

    def same(self, *, time: bool, value: bool) -> str:
        """Say which axes the charts share."""
        return self.say(
            {
                (True, True): "axes_same",
                (True, False): "axes_time",
                (False, True): "axes_value",
                (False, False): "axes_own",
            }[time, value]
        )

    def facts_many(self, sheets: Sequence[TrendSheet]) -> list[Fact]:
        """Give what a sheet rests on."""
        sure = next((f"{s.row['confidence'] * 100:g}" for s in sheets if s.row["confidence"] > 0), "95")
        said = self.say("method_many", confidence=sure)
        return [
            *self._limit(sheets),
            self._counts(sheets),
            self._period(sheets),
            self._as_of(),
            Fact("method", self.say("method"), said),
        ]

    # ---- a small chart ----

    def tag(self, sheet: TrendSheet) -> str:
        """Say the trend of one series in a few words."""
        row = sheet.row
        if not row["n"]:
            return self.say("none")
        if row["trend"] == "not enough readings":
            return self.say("few", n=int(row["n"]))
        ends = {
            "slope": slope(row["slope"]),
            "low": slope(row["slope_low"]),
            "high": slope(row["slope_high"]),
        }
        return self.say("slope", **ends, p=chance(row["p"]))

    def fate(self, sheet: TrendSheet) -> str:
        """Say in a few words how the line stands to the limit."""
        row = sheet.row
        if row["crossing"] == "crossing expected" and pd.notna(row["crossing_time"]):
            return self.crosses(sheet)
        if row["crossing"] not in _CROSSING or row["crossing"] == "not enough readings":
            return ""
        return self.say(f"trends.{_CROSSING[row['crossing']]}", year=sheet.until.year)

    def crosses(self, sheet: TrendSheet) -> str:
        """Say when the line is expected to cross, with the interval, as months."""
        row = sheet.row
        first = row["crossing_time"] if pd.isna(row["crossing_earliest"]) else row["crossing_earliest"]
        open_end = pd.isna(row["crossing_latest"])
        ends = {"first": f"{first:%Y-%m}", "last": "" if open_end else f"{row['crossing_latest']:%Y-%m}"}
        return self.say("cross_open" if open_end else "cross", when=f"{row['crossing_time']:%Y-%m}", **ends)

    def status(self, sheet: TrendSheet) -> str:
        """Say how the newest reading stands."""
        return self.told(label(str(sheet.row["status"]), sheet.limit.comparison if sheet.limit else None))

    # ---- shared ----

    def _limit(self, sheets: Sequence[TrendSheet]) -> Iterator[Fact]:
        limit, standard = self.shot.limit, self.shot.standard
        head = self.say("publish.picture.limit")
        if limit is None or standard is None:
            yield Fact("limit", head, self.say("publish.picture.limit_none"))
            return
        checked = "checked" if limit.verified else "unchecked"
        parts = [
            f"{self.told(limit.text())}, {one_line(standard.title)}.",
            f"{one_line(limit.reference).rstrip('.')}.",
            self.say(f"publish.picture.{checked}"),
            *self._applies(limit, sheets),
        ]
        yield Fact("limit", head, " ".join(parts))

    def _applies(self, limit: Limit, sheets: Sequence[TrendSheet]) -> Iterator[str]:
        mine = sum(sheet.limit is not None for sheet in sheets)
        if mine < len(sheets):
            key = "limit_others" if mine else "limit_other"
            yield self.say(key, fraction=self.told(limit.fraction or "?"))
        if limit.comparison == "detected":
            yield self.say("limit_detected")

    def _counts(self, sheets: Sequence[TrendSheet]) -> Fact:
        n, censored, out = (sum(int(s.row[name]) for s in sheets) for name in ("n", "n_censored", "left_out"))
        parts = [self.say("counts", n=_whole(n) if n != 1 else n, censored=_whole(censored))]
        if len(sheets) == 1:
            readings = sheets[0].drawn.readings
            parts += self._some("doubtful", int(readings["doubtful"].sum()))
            parts += self._some("unverified", int((~readings["verified"].astype(bool)).sum()))
        else:
            parts += self._some("hidden_many", sum(s.row["position_rule"] != "exact" for s in sheets))
        if out:
            why = Counter[str]()
            for sheet in sheets:
                why[sheet.text("why_left_out")] += int(sheet.row["left_out"])
            parts.append(
                self.say("left_out", n=_whole(out), why=self.told(why.most_common(1)[0][0]).rstrip("."))
            )
        return Fact("counts", self.say("publish.picture.counts"), "; ".join(parts) + ".")

    def _some(self, key: str, n: int) -> list[str]:
        return [self.say(key, n=_whole(n))] if n else []

    def _period(self, sheets: Sequence[TrendSheet]) -> Fact:
        there = [sheet.row for sheet in sheets if sheet.row["n"]]
        if there:
            first, last = min(row["first_time"] for row in there), max(row["last_time"] for row in there)
            said = self.say("period", first=day(first), last=day(last))
        else:
            said = self.say("period_none")
        since, until = self.shot.view.interval(self.shot.moment)
        if since is not None or until is not None:
            said += f" ({self._asked(since, until)})"
        return Fact("period", self.say("publish.picture.period"), said)

    def _asked(self, since: pd.Timestamp | None, until: pd.Timestamp | None) -> str:
        last = None if until is None else until - pd.Timedelta(days=1)
        if since is not None and last is not None:
            return self.say("publish.picture.period_between", first=day(since), last=day(last))
        if since is not None:
            return self.say("publish.picture.period_from", day=day(since))
        return self.say("publish.picture.period_until", day=day(pd.Timestamp(last)))

    def _as_of(self) -> Fact:
        version = self.say("publish.picture.version", version=_whole(self.shot.version))
        return Fact("as_of", self.say("publish.picture.as_of"), f"{moment(self.shot)}. {version}")

    def sources(self, sheets: Sequence[TrendSheet]) -> list[Fact]:
        """Name sources and licences, who made it, and whom to ask; of one site only those of its readings."""
        shot = self.shot
        one = len({sheet.site for sheet in sheets}) == 1
        own = (origin for sheet in sheets for origin in sheet.drawn.origins) if one else ()
        origins = list(dict.fromkeys(own)) or shot.origins
        names = dict.fromkeys(credited(origin) for origin in origins)
        found = [Fact("sources", "", self.say("publish.picture.sources", list="; ".join(names) or "–"))]
        unstated = self.say("publish.picture.no_licence")
        stated = [one_line(origin.licence) for origin in origins]
        listed = ", ".join(dict.fromkeys(unstated if name in ("", "unknown") else name for name in stated))
        found.append(Fact("licence", "", self.say("publish.picture.licences", list=listed or unstated)))
        if shot.topic.producer.strip():
            name = one_line(shot.topic.producer)
            found.append(Fact("producer", "", self.say("publish.picture.producer", name=name)))
        if shot.topic.contact.strip():
            contact = one_line(shot.topic.contact)
            found.append(Fact("contact", "", self.say("publish.picture.contact", contact=contact)))
        return found

    def again(self, sheets: Sequence[TrendSheet]) -> Fact:
        """Say where it is found again: the link, or the command that draws the same."""
        shot = self.shot
        if shot.permalink:
            return Fact("link", "", self.say("publish.picture.link", link=shot.permalink))
        sites = {sheet.site for sheet in sheets}
        only = f" --site={shlex.quote(next(iter(sites)))}" if len(sites) == 1 else ""
        return Fact("again", "", self.say("again", command=f"{command(shot, 'png')} --trends{only}"))

    def notices(self) -> list[str]:
        """Say what must stand on top: simulated, not accepted, changed since."""
        changed = self.shot.changed
        n = changed.withdrawn + changed.corrected + changed.rejected + changed.erased
        return [
            *([self.say("publish.picture.simulated")] if self.shot.simulated else []),
            *([self.say("publish.picture.unaccepted")] if self.shot.unaccepted else []),
            *([self.say("publish.picture.changed", n=n)] if changed.matters else []),
        ]

    def alternative(self, sheets: Sequence[TrendSheet]) -> str:
        """Say in words what the picture shows."""
        title = self.shot.observed_property.title
        if len(sheets) == 1:
            sheet = sheets[0]
            said = " ".join([*self.notices(), self.sentence(sheet), self.crossing(sheet)])
            return self.say(
                "trends.chart_alt", property=title, site=_short(sheet.name, 80), said=one_line(said)
            )
        said = " ".join([*self.notices(), self.sentence_many(sheets), self.crossing_many(sheets)])
        names = ", ".join(_short(sheet.name) for sheet in sheets[:_MOST_NAMES])
        return self.say("alt_many", n=len(sheets), property=title, said=one_line(said), names=names)


def _short(name: str, most: int = _NAME) -> str:
    found = one_line(name)
    return found if len(found) <= most else f"{found[: most - 1]}…"
