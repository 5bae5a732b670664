"""Any statistic of this program on any table: the chemist's check behind ``python -m commonsight calc``.

Each method has a title, what it supposes, and where it is printed; its answer is a dictionary whose keys
scripts rely on, and lines for a person. The numbers come from the very functions that the pages use.

What surprised us: a non-detect in a method that knows only numbers is where every spreadsheet goes wrong
without a word. Here such a method either takes the censored form of itself and says so, or refuses; a
number is put in its place only where somebody asked for that by name (``substitute``), and the answer
then says it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from situation import censored as cens
from situation import confidence as conf
from situation.errors import ChoiceError, CommonsightError, StatisticError

Numbers = npt.NDArray[np.float64]
Labels = npt.NDArray[np.object_]
Answer = dict[str, Any]

#: Percentiles that are always given.
PERCENTILES = (10, 25, 50, 75, 90, 95)


@dataclass(frozen=True)
class LeftOut:
    """A cell because of which a row was left out."""

    line: int
    column: str
    cell: str
    why: str

    def said(self) -> str:
        """Say it in one line."""
        if not self.column:
            return f"line {self.line}: {self.why}"
        return f"line {self.line}, {self.column} {self.cell!r}: {self.why}"


@dataclass(frozen=True)
class Readings:
    """The columns that were asked for, row by row; ``marks`` is -1 for "less than", 1 for "more than"."""

    file: str
    value: Numbers
    marks: npt.NDArray[np.int8]
    rows: int
    blank: int = 0
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    time: Numbers | None = None
    dated: bool = False
    month: Labels | None = None
    season: Labels | None = None
    group: Labels | None = None
    x: Numbers | None = None
    y: Numbers | None = None

    def of_group(self, label: str) -> Readings:
        """Give the rows of one group."""
        if self.group is None:
            return self
        keep = self.group == label
        parts = {
            name: part[keep]
            for name in ("value", "marks", "time", "month", "season", "group", "x", "y")
            if (part := getattr(self, name)) is not None
        }
        return replace(self, **parts)


@dataclass(frozen=True)
class Choice:
    """What was chosen beside the columns.

    ``percentile`` is in percent; a share below 1 is taken as one (0.95 is the 95th), for nobody asks
    for the 0.95th.
    """

    confidence: float = 0.95
    percentile: float | None = None
    distribution: str | None = None
    of: str | None = None
    convention: str = "smallest-detect"
    log: bool = False
    substitute: float | None = None
    at: tuple[str, ...] = ()
    variogram: str | None = None
    sill: float | None = None
    range: float | None = None
    nugget: float = 0.0

    def __post_init__(self) -> None:
        if self.percentile is not None and 0 < self.percentile < 1:
            object.__setattr__(self, "percentile", round(100 * self.percentile, 10))


@dataclass(frozen=True)
class Method:
    """One method: what it is, supposes and rests on; which columns it needs; and the work."""

    title: str
    supposes: str
    reference: str
    run: Callable[[Readings, Choice], Answer]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Calculated:
    """The answer: ``values`` for programs, ``lines`` for people, ``complete`` if nothing was left out."""

    values: Answer
    lines: tuple[str, ...]
    complete: bool


def calculate(method: str, readings: Readings, choice: Choice | None = None) -> Calculated:
    """Run one method on what was read.

    Parameters
    ----------
    method : str
        A key of :data:`METHODS`.
    readings : Readings
        With ``group``, the method runs on each group by itself.
    choice : Choice, optional

    Returns
    -------
    Calculated
        Without groups, ``values`` has the keys of the method, ``method``, ``title``, ``n`` and what was left
        out; with groups, ``groups`` is a list of such, in the order of the file.

    Raises
    ------
    ChoiceError
        If there is no such method, or a column it needs was not named.
    StatisticError
        If the readings do not give the statistic; with groups only if none does.
    """
    choice = choice or Choice()
    how = METHODS.get(method)
    if how is None:
        raise ChoiceError(f"No method {method!r}; there are {', '.join(METHODS)}.")
    missing = [name for name in how.needs if getattr(readings, name) is None]
    if missing:
        raise ChoiceError(f"{method} needs {' and '.join(f'--{name}' for name in missing)}.")
    conf.check_confidence(choice.confidence)
    notes = [*readings.notes, *_unused(method, how, readings)]
    beside: Answer = {
        "rows": readings.rows,
        "blank": readings.blank,
        "left_out": [vars(one) for one in readings.left_out],
        "notes": notes,
    }
    head: Answer = {"method": method, "title": how.title}
    if readings.group is None:
        found = _one(how, readings, choice)
        values = {**head, **found, **beside}
        lines = _table(found)
        problems: list[str] = []
    else:
        labels = list(dict.fromkeys(readings.group.tolist()))
        answers, problems = [], []
        for label in labels:
            try:
                answers.append({"group": label, **_one(how, readings.of_group(label), choice)})
            except CommonsightError as wrong:
                answers.append({"group": label, "error": str(wrong)})
                problems.append(f"{label}: {wrong}")
        if len(problems) == len(labels):
            raise StatisticError(" ".join(problems[:3]))
        values = {**head, "groups": answers, **beside}
        lines = [line for one in answers for line in ("", f"{one['group']}", *_table(_without(one)))][1:]
    told = [f"{method}: {how.title}", *lines, "", f"supposes: {how.supposes}", f"after: {how.reference}"]
    told += [f"note: {note}" for note in notes]
    if readings.blank:
        told.append(f"note: {readings.blank} of {readings.rows} rows have no reading.")
    if readings.left_out:
        told.append(f"left out: {len(readings.left_out)} of {readings.rows} rows:")
        told += [f"  {one.said()}" for one in readings.left_out[:20]]
        if len(readings.left_out) > 20:
            told.append(f"  … and {len(readings.left_out) - 20} more; --json lists all.")
    complete = not readings.left_out and not problems
    return Calculated(values, tuple(told), complete)


def _unused(method: str, how: Method, readings: Readings) -> list[str]:
    """Say which columns were named for nothing."""
    used = {*how.needs, *(("season",) if how.run is _seasonal else ())}
    named = [name for name in ("time", "season", "x", "y") if getattr(readings, name) is not None]
    return [f"--{name} is not used by {method}." for name in named if name not in used]


def _without(one: Mapping[str, Any]) -> Answer:
    return {name: value for name, value in one.items() if name != "group"}


def _one(how: Method, readings: Readings, choice: Choice) -> Answer:
    notes = []
    if choice.substitute is not None and (readings.marks < 0).any():
        if not 0 <= choice.substitute <= 1:
            raise ChoiceError(
                f"--substitute takes a share of the limit from 0 to 1, not {choice.substitute:g}."
            )
        count = int((readings.marks < 0).sum())
        notes.append(
            f"for comparison only: {count} non-detects replaced by {choice.substitute:g} of their limit"
        )
        value = np.where(readings.marks < 0, readings.value * choice.substitute, readings.value)
        readings = replace(readings, value=value, marks=np.maximum(readings.marks, 0))
    if choice.log:
        if (readings.value <= 0).any():
            raise StatisticError(cens.no_logarithm(readings.value))
        notes.append("of the natural logarithms")
        readings = replace(readings, value=np.log(readings.value))
    found = how.run(readings, choice)
    if notes:
        found["note"] = "; ".join(notes)
    return found


def _table(found: Mapping[str, Any], indent: str = "  ") -> list[str]:
    """Lay an answer out for a person: one line a number, small tables under their name."""
    width = max((len(name) for name in found), default=0)
    lines = []
    for name, value in found.items():
        if isinstance(value, Mapping):
            lines.append(f"{indent}{name}")
            lines += _table(value, indent + "  ")
        elif isinstance(value, (list, tuple)) and value and isinstance(value[0], Mapping):
            lines.append(f"{indent}{name}")
            lines += [f"{indent}  {'  '.join(f'{k} {_show(v)}' for k, v in row.items())}" for row in value]
        else:
            lines.append(f"{indent}{name:<{width}}  {_show(value)}")
    return lines


def _show(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return " ".join(_show(one) for one in value)
    if isinstance(value, (float, np.floating)):
        return "-" if np.isnan(value) else f"{value:.8g}"
    return "-" if value is None else str(value)


# -- Trends -------------------------------------------------------------------------------------------


def _trend(readings: Readings, choice: Choice, *, seasons: bool = False) -> Answer:
    from scipy import special

    from situation.trend import trend_of

    marks = readings.marks if readings.marks.any() else None
    found = trend_of(
        _time(readings),
        readings.value,
        marks,
        season=readings.season if seasons else None,
        confidence=choice.confidence,
    )
    if len(np.unique(_time(readings))) < 2:
        raise StatisticError(f"All {found.n} readings are of one time; there is no trend to look for.")
    answer: Answer = {
        name: getattr(found, name)
        for name in ("n", "n_censored", "S", "var_S", "z", "p", "tau", "slope", "slope_low", "slope_high")
    }
    answer["intercept"] = found.intercept
    if seasons:
        answer.update(chi2_het=found.chi2_het, df=found.df, p_het=found.p_het)
    answer.update(
        tau_b=found.tau_b,
        log10_p=found.log10_p,
        p_normal=2 * float(special.ndtr(-abs(found.z))),
        distribution=found.distribution,
        confidence=found.confidence,
        calculated=found.method,
        slope_per="year" if readings.dated else "unit of the time column",
    )
    if found.why:
        answer["why"] = found.why
    return answer


def _time(readings: Readings) -> Numbers:
    if readings.time is None:  # pragma: no cover - `needs` asks for it
        raise ChoiceError("A trend needs --time.")
    return readings.time


def _seasonal(readings: Readings, choice: Choice) -> Answer:
    if readings.season is not None:
        return _trend(readings, choice, seasons=True)
    if readings.month is None:
        raise ChoiceError(
            "seasonal-trend needs --season, or dates in --time, whose months are then the seasons."
        )
    found = _trend(replace(readings, season=readings.month), choice, seasons=True)
    return {**found, "seasons": "the months of the dates"}


def _band(readings: Readings, choice: Choice) -> Answer:
    if readings.marks.any():
        raise StatisticError(
            f"{int((readings.marks != 0).sum())} of {len(readings.value)} readings are censored; a line by "
            "least squares takes none. Use censored-trend."
        )
    at = [_moment(text, readings) for text in choice.at] or [float(_time(readings).max())]
    both = {
        name: conf.trend_band(
            _time(readings), readings.value, at, confidence=choice.confidence, simultaneous=together
        )
        for name, together in (("pointwise", False), ("simultaneous", True))
    }
    line = both["pointwise"]
    answer: Answer = {
        "n": line.n,
        "slope": line.slope,
        "intercept": line.intercept,
        "residual_sd": line.residual_sd,
        "normal_p": line.normal_p,
        "confidence": choice.confidence,
    }
    for name, band in both.items():
        answer[name] = [
            {"at": a, "estimate": e, "lower": low, "upper": high}
            for a, e, low, high in zip(
                band.at.tolist(), band.estimate.tolist(), band.low.tolist(), band.high.tolist(), strict=True
            )
        ]
    return answer


def _moment(text: str, readings: Readings) -> float:
    """Read a time as the column of times is written: of dates also a day such as 2013-03-01."""
    if not readings.dated or text.count("-") != 2:
        return _float(text, "--at")
    from situation.trend import decimal_years

    try:
        day = pd.Timestamp(dt.date.fromisoformat(text.strip()), tz="UTC")
    except ValueError as wrong:
        raise ChoiceError(f"--at takes a day as 2026-01-31 or a year with decimals, not {text!r}.") from wrong
    return float(decimal_years(pd.Series([day]))[0])


def _float(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError as wrong:
        raise ChoiceError(f"{name} takes numbers with a decimal point, not {text!r}.") from wrong


# -- Censored readings ----------------------------------------------------------------------------------


def _censored_mean(readings: Readings, choice: Choice) -> Answer:
    from scipy import special

    found = cens.kaplan_meier(readings.value, readings.marks, convention=choice.convention)
    reach = float(special.stdtrit(found.n - 1, (1 + choice.confidence) / 2)) if found.n > 1 else float("nan")
    answer: Answer = {
        "n": found.n,
        "n_censored": found.n_censored,
        "mean": found.mean,
        "sd": found.sd,
        "se": found.se,
        "convention": found.convention,
        "lower": found.mean - reach * found.se,
        "upper": found.mean + reach * found.se,
        "confidence": choice.confidence,
        "left_over": found.left_over,
        "percentiles": _percentiles(found.percentile, choice),
        "conventions": {
            name: {part: getattr(other, part) for part in ("mean", "sd", "se")}
            for name in cens.CONVENTIONS
            if (other := cens.kaplan_meier(readings.value, readings.marks, convention=name))
        },
    }
    top = cens.open_above(readings.value, readings.marks)
    if top:
        answer["upper"] = float("nan")
    if top or found.why:
        answer["why"] = " ".join(filter(None, (found.why, top)))
    if found.n_censored and not choice.log and not (readings.marks > 0).any():
        answer["comparison_only"] = _compared(readings)
    return answer


def _compared(readings: Readings) -> list[Answer]:
    made = [
        cens.substituted(readings.value, readings.marks, share_of_limit=share) for share in (0.0, 0.5, 1.0)
    ]
    return [{"substitution": one.share_of_limit, "mean": one.mean, "sd": one.sd} for one in made]


def _percentiles(of: Callable[[float], float], choice: Choice) -> Answer:
    asked = sorted({*PERCENTILES, *([choice.percentile] if choice.percentile else [])})
    return {f"p{one:g}": of(one / 100) for one in asked}


def _ros(readings: Readings, choice: Choice) -> Answer:
    found = cens.ros(readings.value, readings.marks, distribution=choice.distribution or "lognormal")
    answer: Answer = {
        name: getattr(found, name)
        for name in (
            "n",
            "n_censored",
            "mean",
            "sd",
            "meanlog",
            "sdlog",
            "intercept",
            "slope",
            "correlation",
            "distribution",
        )
    }
    answer["plotting_positions"] = "Hirsch-Stedinger (Weibull within each stretch)"
    answer["percentiles"] = _percentiles(found.percentile, choice)
    if found.n_censored:
        answer["comparison_only"] = _compared(readings)
    if found.why:
        answer["why"] = found.why
    return answer


# -- Confidence limits ------------------------------------------------------------------------------------


def _limit(readings: Readings, choice: Choice, side: str) -> Answer:
    distribution = choice.distribution or "normal"
    if choice.of and distribution != "lognormal" and choice.of != "mean":
        raise ChoiceError(f"--of {choice.of} goes with --distribution lognormal.")
    if choice.percentile:
        raise ChoiceError("A percentile's limit is percentile-limit, with --percentile.")
    found = conf.mean_limit(
        readings.value,
        readings.marks,
        side=side,
        confidence=choice.confidence,
        distribution=distribution,
        of=choice.of or "mean",
        convention=choice.convention,
    )
    answer = _said(found)
    answer[side] = found.limit
    if distribution == "lognormal":
        for name in conf.OF:
            other = conf.mean_limit(
                readings.value,
                readings.marks,
                side=side,
                confidence=choice.confidence,
                distribution=distribution,
                of=name,
            )
            answer[name.replace("-", "_")] = {"estimate": other.estimate, "limit": other.limit}
    return {**answer, **_fits(readings)}


def _said(found: conf.ConfidenceLimit) -> Answer:
    answer: Answer = {
        "n": found.n,
        "n_censored": found.n_censored,
        "of": found.of,
        "estimate": found.estimate,
        "limit": found.limit,
        "confidence": found.confidence,
        "achieved": found.achieved,
        "calculated": found.method,
    }
    if found.rank is not None:
        answer["rank"] = found.rank
    if found.needed is not None:
        answer["needed"] = found.needed
    if found.why:
        answer["why"] = found.why
    return answer


def _fits(readings: Readings) -> Answer:
    """Say how well the two distributions fit, so that nobody has to suppose."""
    value = readings.value
    if readings.marks.any() or not 3 <= len(value) <= 5000:
        return {}
    answer: Answer = {"shapiro_wilk_p": float(conf.shapiro_wilk(value)[1][0])}
    if (value > 0).all():
        answer["shapiro_wilk_p_log"] = float(conf.shapiro_wilk(np.log(value))[1][0])
    return answer


def _lower(readings: Readings, choice: Choice) -> Answer:
    return _limit(readings, choice, "lower")


def _upper(readings: Readings, choice: Choice) -> Answer:
    return _limit(readings, choice, "upper")


def _percentile(readings: Readings, choice: Choice) -> Answer:
    share = 95.0 if choice.percentile is None else choice.percentile
    both = {
        side: conf.percentile_limit(
            readings.value,
            readings.marks,
            percentile=share,
            side=side,
            confidence=choice.confidence,
            distribution=choice.distribution or "normal",
            convention=choice.convention,
        )
        for side in conf.SIDES
    }
    low, high = both["lower"], both["upper"]
    answer: Answer = {
        "n": low.n,
        "n_censored": low.n_censored,
        "percentile": share,
        "estimate": low.estimate,
        "lower": low.limit,
        "upper": high.limit,
        "confidence": choice.confidence,
        "calculated": low.method if low.rank is None else "nonparametric: order statistics (EPA 2009, 21.2)",
    }
    for side, one in both.items():
        if one.rank is not None:
            answer[f"{side}_rank"], answer[f"{side}_achieved"] = one.rank, one.achieved
        if one.needed is not None:
            answer[f"{side}_needed"] = one.needed
        if one.why:
            answer[f"{side}_why"] = one.why
    return {**answer, **_fits(readings)}


# -- Kriging ------------------------------------------------------------------------------------------------


def _krige(readings: Readings, choice: Choice) -> Answer:
    from situation.kriging import Variogram, fit_variogram, krige

    if readings.marks.any():
        raise StatisticError(
            f"{int((readings.marks != 0).sum())} of {len(readings.value)} readings are censored; kriging takes "
            "numbers. Leave them out, or say --substitute to compare."
        )
    if not choice.at:
        raise ChoiceError("krige needs --at X,Y: where to estimate.")
    points = np.column_stack([readings.x, readings.y])  # type: ignore[list-item]
    targets = np.array([_place(text) for text in choice.at])
    if choice.variogram:
        if choice.sill is None or choice.range is None:
            raise ChoiceError("A variogram needs --sill and --range (and --nugget unless it is 0).")
        model = Variogram(choice.variogram, choice.sill, choice.range, choice.nugget)
    else:
        model = fit_variogram(points, readings.value)
    found = krige(points, readings.value, targets, variogram=model, weights=True)
    at = [
        {
            "x": float(place[0]),
            "y": float(place[1]),
            "estimate": float(found.estimate[k]),
            "variance": float(found.variance[k]),
            "weights": [] if found.weights is None else found.weights[k].tolist(),
        }
        for k, place in enumerate(targets)
    ]
    answer: Answer = {"n": len(readings.value)}
    answer.update({name: at[0][name] for name in ("estimate", "variance", "weights")})
    answer["at"] = at
    answer["variogram"] = {
        "model": model.model,
        "sill": model.sill,
        "range": model.range,
        "nugget": model.nugget,
        "fitted": not choice.variogram,
    }
    return answer


def _place(text: str) -> tuple[float, float]:
    parts: Sequence[str] = text.replace(";", ",").split(",")
    if len(parts) != 2:
        raise ChoiceError(f"--at takes X,Y for kriging, e.g. 65,137, not {text!r}.")
    return _float(parts[0], "--at"), _float(parts[1], "--at")


_EPA = "US EPA, Unified Guidance, EPA 530/R-09-007 (2009)"
_INDEPENDENT = "independent readings without a trend"

METHODS: Mapping[str, Method] = {
    "trend": Method(
        "Mann-Kendall test with ties, Theil-Sen slope on real times, Gilbert's interval of the slope",
        "independent readings; a trend in one direction, of any shape. Censored readings are taken as such",
        f"Kendall (1975); Gilbert (1987), 16.4 to 16.5; {_EPA}, 17.3",
        _trend,
        ("time",),
    ),
    "seasonal-trend": Method(
        "Seasonal Kendall test and slope",
        "the same trend in every season (chi2_het asks whether); independent readings",
        f"Hirsch, Slack and Smith (1982); Gilbert (1987), 17.1 to 17.4; {_EPA}, 14.3.4",
        _seasonal,
        ("time",),
    ),
    "censored-trend": Method(
        "Kendall's S with censored readings and the Akritas-Theil-Sen line, Turnbull's intercept",
        "independent readings; pairs whose order is not known count for nothing",
        "Akritas, Murphy and LaValley (1995); Helsel (2012), 11 and 12; NADA2",
        _trend,
        ("time",),
    ),
    "trend-band": Method(
        "Straight line by least squares and its one-sided confidence band",
        "independent readings, normal residuals of one spread (normal_p: Shapiro-Wilk)",
        f"{_EPA}, 21.3 (its band is the simultaneous one)",
        _band,
        ("time",),
    ),
    "censored-mean": Method(
        "Kaplan-Meier mean, standard deviation and standard error; two-sided interval by Student's t",
        f"{_INDEPENDENT}; censoring that does not depend on the reading",
        f"{_EPA}, 15.3; Beal (2010); Helsel (2012), 6.4",
        _censored_mean,
    ),
    "ros": Method(
        "Robust regression on order statistics",
        "that the censored readings follow the distribution of the detects",
        f"{_EPA}, 15.4; Hirsch and Stedinger (1987); Helsel and Cohn (1988)",
        _ros,
    ),
    "lower-limit": Method(
        "Lower confidence limit of the mean, one-sided",
        f"{_INDEPENDENT}, of the distribution named",
        f"{_EPA}, 21.1 and 21.2; Land (1971)",
        _lower,
    ),
    "upper-limit": Method(
        "Upper confidence limit of the mean, one-sided",
        f"{_INDEPENDENT}, of the distribution named",
        f"{_EPA}, 21.1 and 21.2; Land (1971)",
        _upper,
    ),
    "percentile-limit": Method(
        "Lower and upper confidence limits of a percentile, each one-sided",
        f"{_INDEPENDENT}, of the distribution named",
        f"{_EPA}, 21.1.4 and 21.2",
        _percentile,
    ),
    "krige": Method(
        "Ordinary kriging",
        "one mean everywhere near, and the variogram; coordinates in a flat system",
        "Isaaks and Srivastava (1989), chapter 12",
        _krige,
        ("x", "y"),
    ),
}
