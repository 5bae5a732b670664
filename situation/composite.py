"""Sums and ratio rules: one reading out of several substances of one sample.

Some limits are about substances together: nitrate and nitrite as shares of their limits, the sum of
twenty PFAS, trihalomethanes, radium-226 and -228. Which, says the column ``terms`` of a standard
(:mod:`situation.standard`); nothing here knows a substance.

Rules. Only what was measured in **one sample** is added up: same site, medium, fraction, depth, the same
``sample_id`` on the same day or, where none is given, the same instant (the same day for a reading that
brings only a day; a reading that brings only a month or a year is nobody's companion). A strip is never
added to a laboratory result. No stated fraction is a fraction of its own. A censored term is an interval:
``<0.5`` is from 0 to 0.5. A term that was not measured, is text, or cannot be converted leaves only a
lower bound: such a sum can be above a limit, never below it. Of the same substance measured twice in one
sample what is known counts before what is not, then the better method, then the higher reading; nothing is
added up twice.

Of several samples of a group the newest complete one counts, beside the sum that a laboratory reported
itself. A newer incomplete sample counts only when the part that is known is near or above the limit by
itself; otherwise the note says that there is one.

What surprised us: laboratories report one nitrate as N and as NO3 in the same sample, which a plain sum
counts twice; and half of all "totals" in the wild are sums in which a non-detect counted as zero.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from situation import unit
from situation.errors import DataFileError
from situation.properties import PROPERTIES

if TYPE_CHECKING:
    from situation.standard import Limit

Codes = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: Columns of observations that a sum is made of and carries on; others need not be asked for.
COLUMNS = (
    "monitoring_location_id",
    "monitoring_location_name",
    "monitoring_location_type",
    "longitude",
    "latitude",
    "observed_property",
    "sampled_medium",
    "sample_fraction",
    "method_speciation",
    "sample_id",
    "phenomenon_time",
    "phenomenon_time_precision",
    "result",
    "unit",
    "censoring",
    "detection_limit",
    "procedure_class",
    "depth_m",
    "review_state",
    "result_status",
    "quality_flag",
    "batch_id",
    "source_id",
    "contributor",
    "licence",
    "attribution",
    "position_rule",
)
_MOST_TERMS = 60
_TERM = re.compile(
    r"^(?:(?P<weight>[0-9.]+)\s*\*\s*)?(?P<property>[A-Za-z0-9_]+)\s*(?P<share>/\s*(?P<of>.*))?$"
)
_SHARE = re.compile(r"^(?P<number>[0-9.]+(?:[eE]-?[0-9]+)?)\s*(?P<unit>\S.*)$")
#: Better methods first, as in :mod:`situation.status`.
_CLASSES = ("laboratory", "meter", "sensor", "unknown", "strip")
_COARSE = ("month", "season", "quarter", "year", "decade", "century")


# -- the rule -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Term:
    """One substance of a rule: ``weight * property``, or a share of ``share_of`` (``unit``, ``species``)."""

    property: str
    weight: float = 1.0
    share_of: float | None = None
    unit: str | None = None
    species: str | None = None

    def text(self) -> str:
        """Write the term as it stands in a file."""
        weight = "" if self.weight == 1 else f"{self.weight:g} * "
        said = " ".join(word for word in (self.unit, self.species) if word)
        return f"{weight}{self.property}" + ("" if self.share_of is None else f"/{self.share_of:g} {said}")


def text_of(terms: Sequence[Term]) -> str:
    """Write terms as they stand in a file: ``nitrate/50 mg/L as NO3 + nitrite/3 mg/L as NO2``."""
    return " + ".join(term.text() for term in terms)


def read_terms(text: str) -> tuple[Term, ...]:
    """Read the terms of a sum or ratio rule.

    Parameters
    ----------
    text : str
        Keys of properties joined by ``+``, each with a weight before it (``0.5 * pfhxs``) or a
        denominator after it (``nitrate/50 mg/L as NO3``) if there is one.

    Returns
    -------
    tuple of Term

    Raises
    ------
    DataFileError
        In a sentence that names the term; the caller says in which row.
    """
    terms = tuple(_term(part.strip()) for part in text.split("+"))
    names = [term.property for term in terms]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise DataFileError(f"the term {twice[0]} stands there twice.")
    if not 2 <= len(terms) <= _MOST_TERMS:
        raise DataFileError(f"terms takes 2 to {_MOST_TERMS} substances joined by +, not {len(terms)}.")
    return terms


def _term(text: str) -> Term:
    found = _TERM.match(text)
    if not found:
        raise DataFileError(
            f"the term {text!r} cannot be read; write e.g. pfoa + pfos, or nitrate/50 mg/L as NO3 + …"
        )
    key = found["property"]
    if key not in PROPERTIES:
        raise DataFileError(f"no property {key!r} for a term; data/properties.csv lists them.")
    weight = _positive(text, found["weight"] or "1")
    if not found["share"]:
        return Term(key, weight)
    share = _SHARE.match(found["of"])
    if not share:
        raise DataFileError(
            f"the term {key} has no denominator that can be read after the /; write e.g. {key}/50 mg/L."
        )
    read = unit.read_unit(share["unit"])
    if read.ucum is None:
        raise DataFileError(f"the unit {share['unit']!r} of the term {key} is not known.")
    item = PROPERTIES[key]
    concentration = unit.kind_of(read.ucum) == "mass_concentration"
    if read.species is None and item.needs_species and concentration:
        raise DataFileError(
            f"the term {key} needs its form, one of {', '.join(unit.forms(key))}; "
            f"write e.g. {text} {unit.forms(key)[0]}."
        )
    species = read.species or (item.default_species if concentration else None)
    return Term(key, weight, _positive(text, share["number"]), read.ucum, species)


def _positive(text: str, number: str) -> float:
    try:
        value = float(number)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise DataFileError(f"the number {number!r} in the term {text!r} is not above 0.")
    return value


# -- the readings -------------------------------------------------------------------------------------


def with_sums(rows: pd.DataFrame, observed_property: str, limit: Limit, near_share: float) -> pd.DataFrame:
    """Put the sums that a rule asks for beside the readings of the property itself.

    Parameters
    ----------
    rows : DataFrame
        Readings of the property and of its terms, flat form: every reading of the terms, not only the
        newest, because only what is of one sample is added up. ``n`` may be missing.
    observed_property : str
        What the rule is about; rows of it are kept as they are.
    limit : Limit
        With ``terms``; its unit and species are those of the sum.
    near_share : float
        Share of the limit from which the known part of an incomplete sample counts.

    Returns
    -------
    DataFrame
        Rows of the property alone. Those that were added up have ``sum_low`` and ``sum_high`` (the unit
        of the limit; infinite where a term is not known), ``sum_note`` (what is missing, or that a newer
        sample is incomplete) and in ``n`` the samples of their group; NaN and missing in the others.
    """
    kept, term = _of_rule(rows, observed_property, limit)
    own = kept.loc[term < 0]
    if "sum_low" not in own:  # rows that samples() made bring their own
        own = own.assign(sum_low=np.nan, sum_high=np.nan, sum_note=_none(own.index))
    if (term < 0).all():
        return own
    low, high, odd, why = _intervals(kept, term, limit)
    group, sample = _samples(kept, term)
    sums = _sums(kept, term, low, high, odd, sample, group, limit, why)
    chosen = _chosen(sums, own, group[term < 0], limit, near_share)
    out = _rows(kept, chosen, observed_property, limit)
    if "n" not in own:
        own = own.assign(n=1)
    parts = [part for part in (own, out) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else own


def samples(rows: pd.DataFrame, observed_property: str, limit: Limit) -> pd.DataFrame:
    """Add up every complete sample: the history of a sum, for trends.

    Parameters
    ----------
    rows : DataFrame
        Readings of the terms, flat form; others are left out.
    observed_property, limit
        As for :func:`with_sums`.

    Returns
    -------
    DataFrame
        One row per sample in which every term is known or bounded, as readings of the property: a number
        where all terms are, else ``<`` the largest value that the sum can have; ``sum_low`` and
        ``sum_high`` beside it. Samples that lack a term are not readings of the sum.
    """
    kept, term = _of_rule(rows, observed_property, limit)
    if (term < 0).all():
        return kept.iloc[:0]
    low, high, odd, why = _intervals(kept, term, limit)
    group, sample = _samples(kept, term)
    sums = _sums(kept, term, low, high, odd, sample, group, limit, why)
    return _rows(kept, sums[sums["complete"]].assign(n=1), observed_property, limit)


def _of_rule(rows: pd.DataFrame, observed_property: str, limit: Limit) -> tuple[pd.DataFrame, Codes]:
    """Leave the rows of the property (-1) and of its terms (their place in the rule)."""
    numbers, values = unit.codes(rows["observed_property"])
    place = {term.property: position for position, term in enumerate(limit.terms)}
    wanted = [-1 if value == observed_property else place.get(str(value), -2) for value in values]
    term: Codes = np.array(wanted)[numbers]
    return rows.loc[term >= -1].reset_index(drop=True), term[term >= -1]


def _none(index: pd.Index) -> pd.Series:
    return pd.Series(None, index=index, dtype="str")


def _intervals(
    rows: pd.DataFrame, term: Codes, limit: Limit
) -> tuple[Numbers, Numbers, npt.NDArray[np.bool_], list[str | None]]:
    """Give each row of a term what it adds at least and at most, whether it cannot be converted, and why not.

    "Less than" nothing bounds nothing: it is what spreadsheets write where no limit of detection was given.
    """
    low, high = np.zeros(len(rows)), np.full(len(rows), np.inf)
    why: list[str | None] = [None] * len(limit.terms)
    odd = np.zeros(len(rows), bool)
    result = rows["result"].to_numpy("float64")
    bound = rows["detection_limit"].to_numpy("float64") if "detection_limit" in rows else result * np.nan
    sign = rows["censoring"].astype("str").to_numpy(object)
    for position, item in enumerate(limit.terms):
        here = np.flatnonzero(term == position)
        if not len(here):
            continue
        ratio = item.share_of is not None
        how = unit.factors(
            rows.iloc[here],
            item.unit if ratio else limit.unit,
            item.species if ratio else limit.species,
        )
        scale = how["scale"].to_numpy() * item.weight / (item.share_of or 1.0)
        offset = how["offset"].to_numpy() * item.weight / (item.share_of or 1.0)
        value, edge = result[here] * scale + offset, bound[here] * scale + offset
        signs = sign[here]
        exact = (signs == "=") & np.isfinite(value)
        less, more = (signs == "<") & np.isfinite(edge) & (edge > 0), (signs == ">") & np.isfinite(edge)
        low[here] = np.select([exact, more], [value, edge], 0.0)
        high[here] = np.select([exact, less], [value, edge], np.inf)
        odd[here] = ~np.isfinite(scale)
        reasons = how["reason"].dropna()
        why[position] = min(reasons) if len(reasons) else None
    return low, high, odd, why


def _samples(rows: pd.DataFrame, term: Codes) -> tuple[Codes, Codes]:
    """Give numbers to the groups (what is never mixed) and to the samples in them."""
    parts = [unit.numbered(rows["monitoring_location_id"])[0]]
    parts += [
        unit.numbered(rows[name])[0]
        for name in ("sampled_medium", "sample_fraction", "depth_m")
        if name in rows
    ]
    parts.append((_ranks(rows) == _CLASSES.index("strip")).astype("int64"))
    group = _joined(parts)

    time = rows["phenomenon_time"]
    day = time.dt.floor("D").astype("int64").to_numpy()
    instant = time.astype("int64").to_numpy()
    missing = time.isna().to_numpy()
    unnamed = np.zeros(len(rows), "int64") if "sample_id" not in rows else unit.numbered(rows["sample_id"])[0]
    named = np.zeros(len(rows), bool) if "sample_id" not in rows else rows["sample_id"].notna().to_numpy()
    precision = (
        rows["phenomenon_time_precision"].astype("str").to_numpy(object)
        if "phenomenon_time_precision" in rows
        else np.full(len(rows), "second", object)
    )
    only_day = precision == "day"
    moment = np.where(named | only_day, day, instant)
    # A month, a year, or no time at all says nothing about which sample it was.
    alone = ~named & (missing | np.isin(precision, _COARSE))
    lonely = np.where(alone, np.arange(len(rows)) + 1, 0)
    how = named * 2 + (only_day & ~named)
    sample = _joined([group, np.where(named, unnamed, 0), how, pd.factorize(moment)[0], lonely])
    return group, sample


def _ranks(rows: pd.DataFrame) -> Codes:
    if "procedure_class" not in rows:
        return np.full(len(rows), _CLASSES.index("unknown"))
    numbers, values = unit.codes(rows["procedure_class"])
    ranks = [_CLASSES.index(str(v)) if v in _CLASSES else _CLASSES.index("unknown") for v in values]
    found: Codes = np.array(ranks)[numbers]
    return found


def _joined(parts: Sequence[npt.NDArray[np.int64]]) -> Codes:
    combined = np.zeros(len(parts[0]), "int64")
    for part in parts:
        low = int(part.min(initial=0))
        combined = combined * (int(part.max(initial=0)) - low + 1) + (part - low)
        combined = pd.factorize(combined)[0].astype("int64")
    return combined


def _sums(
    rows: pd.DataFrame,
    term: Codes,
    low: Numbers,
    high: Numbers,
    odd: npt.NDArray[np.bool_],
    sample: Codes,
    group: Codes,
    limit: Limit,
    why: list[str | None],
) -> pd.DataFrame:
    """Add up, one row per sample that holds any term."""
    terms = np.flatnonzero(term >= 0)
    rank = _ranks(rows)
    # What says something first, the better method, the higher reading: the first of each term counts.
    vague = np.isinf(high) & (low == 0)
    order = terms[
        np.lexsort((-high[terms], -low[terms], rank[terms], vague[terms], term[terms], sample[terms]))
    ]
    first = np.r_[True, (np.diff(sample[order]) != 0) | (np.diff(term[order]) != 0)][: len(order)]
    order = order[first]
    samples, starts, inverse = np.unique(sample[order], return_index=True, return_inverse=True)
    low_sum = np.bincount(inverse, weights=low[order])
    high_sum = np.bincount(inverse, weights=high[order])
    size = np.bincount(inverse)
    unknown = np.isinf(high[order])
    complete = (size == len(limit.terms)) & (np.bincount(inverse, weights=unknown) == 0)
    bits = np.zeros(len(samples), "int64")
    np.bitwise_or.at(bits, inverse, np.left_shift(1, term[order]))
    dim = np.zeros(len(samples), "int64")
    np.bitwise_or.at(dim, inverse[unknown], np.left_shift(1, term[order][unknown]))
    strange = np.zeros(len(samples), "int64")
    here = odd[order]
    np.bitwise_or.at(strange, inverse[here], np.left_shift(1, term[order][here]))
    time = rows["phenomenon_time"].astype("int64").to_numpy()
    newest = np.full(len(samples), np.iinfo("int64").min)
    np.maximum.at(newest, inverse, time[order])
    worst = np.zeros(len(samples), "int64")
    np.maximum.at(worst, inverse, rank[order])
    full = (1 << len(limit.terms)) - 1
    # The newest reading of the sample lends the sum its time and place; they differ by hours at most.
    last = order[np.lexsort((term[order], -time[order], inverse))]
    return pd.DataFrame(
        {
            "row": last[starts],
            "group": group[order[starts]],
            "time": newest,
            "low": low_sum,
            "high": np.where(size == len(limit.terms), high_sum, np.inf),
            "complete": complete,
            "rank": worst,
            "note": _notes(full & ~bits, dim, strange, limit, why),
            "measured": size,
        }
    )


def _notes(
    missing: Codes, dim: Codes, strange: Codes, limit: Limit, why: list[str | None]
) -> list[str | None]:
    made: dict[tuple[int, int, int], str | None] = {}
    keys = list(zip(missing.tolist(), dim.tolist(), strange.tolist(), strict=True))
    for key in set(keys):
        lacking = [item.property for bit, item in enumerate(limit.terms) if key[0] >> bit & 1]
        vague = [bit for bit in range(len(limit.terms)) if key[1] >> bit & 1]
        said = [f"not measured in the same sample: {_titles(lacking)}"] if lacking else []
        for bit in vague[:2]:
            title = PROPERTIES[limit.terms[bit].property].title
            unread = why[bit] if key[2] >> bit & 1 else None
            said.append(unread or f"{title}: no number, and no limit of detection that bounds it from above")
        made[key] = "; ".join(part.rstrip(".") for part in said) or None
    return [made[key] for key in keys]


def _titles(keys: Sequence[str], most: int = 3) -> str:
    titles = [PROPERTIES[key].title for key in keys]
    if len(titles) <= most + 1:
        return ", ".join(titles)
    return f"{', '.join(titles[:most])} and {len(titles) - most} more"


def _chosen(
    sums: pd.DataFrame, own: pd.DataFrame, own_group: Codes, limit: Limit, near_share: float
) -> pd.DataFrame:
    """Of each group keep the newest complete sample, or what says more than it does."""
    size = int(max(sums["group"].max(), own_group.max(initial=0))) + 1
    oldest = np.iinfo("int64").min
    newest, direct = np.full(size, oldest), np.full(size, oldest)
    whole = sums["complete"].to_numpy()
    group, time = sums["group"].to_numpy(), sums["time"].to_numpy()
    np.maximum.at(newest, group[whole], time[whole])
    told = own["censoring"].astype("str").isin(["=", "<", ">"]).to_numpy()
    np.maximum.at(direct, own_group[told], own["phenomenon_time"].astype("int64").to_numpy()[told])
    last = np.maximum(newest, direct)[group]
    any_partial = np.full(size, oldest)
    np.maximum.at(any_partial, group[~whole], time[~whole])
    near = sums["low"].to_numpy() >= near_share * (limit.value or 0.0) * (1 - 1e-9)
    keep = (
        (whole & (time == newest[group]))
        | (~whole & (last == oldest) & (time == any_partial[group]))
        | (~whole & (last > oldest) & (time > last) & near)
    )
    count = np.bincount(group, minlength=size)
    # Of several samples of one moment the worst comes first, in whatever order they were read.
    out = sums.loc[keep].sort_values(
        ["group", "low", "high", "note"], ascending=[True, False, False, True], kind="stable"
    )
    chosen = out["group"].to_numpy()
    # The samples of the group are counted once, on its first row.
    out["n"] = np.where(pd.Series(chosen).duplicated().to_numpy(), 0, count[chosen])
    newer = out["complete"].to_numpy() & (any_partial[chosen] > out["time"].to_numpy())
    out["note"] = np.where(newer, "a newer sample lacks some of the terms", out["note"].to_numpy(object))
    return out


def _rows(rows: pd.DataFrame, chosen: pd.DataFrame, observed_property: str, limit: Limit) -> pd.DataFrame:
    """Write the sums as readings of the property."""
    out = rows.iloc[chosen["row"].to_numpy()].reset_index(drop=True)
    low, high = chosen["low"].to_numpy(), chosen["high"].to_numpy()
    exact = low == high
    out["observed_property"] = observed_property
    out["result"] = np.where(exact, low, np.nan)
    out["censoring"] = np.select([exact, np.isfinite(high)], ["=", "<"], ">")
    out["detection_limit"] = np.select([exact, np.isfinite(high)], [np.nan, high], low)
    out["unit"], out["method_speciation"] = limit.unit, limit.species
    out["procedure_class"] = np.array(_CLASSES, object)[chosen["rank"].to_numpy()]
    out["result_text"] = [_told(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True)]
    out["n"] = chosen["n"].to_numpy()
    out["sum_low"], out["sum_high"] = low, high
    out["sum_note"] = pd.array(list(chosen["note"]), dtype="str")
    return out


def _told(low: float, high: float) -> str:
    if low == high:
        return f"{low:.4g}"
    return f"{low:.4g} to {high:.4g}" if np.isfinite(high) else f"at least {low:.4g}"
