"""Which sites may be one and the same place, written differently or measured again.

Three volunteers write "Well 3", "well-3" and "WELL 3 " and stand twenty metres apart. Their readings
belong to one site, but only a person knows; so a pair is *proposed* here and never merged. What was
answered is kept: "the same" as a link in the store's ledger, which can be undone, "different" beside it.

What surprised us: nearness alone proposes far too much, and so does a shared name. Boreholes of different
depth stand side by side in one nest and bear one name; an agency that gave each an id of its own meant it.
So a pair is proposed when its names differ in spelling only, and its source did not number the two apart.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from pyproj import Geod
from rapidfuzz.distance import JaroWinkler

#: Two sites of one name are proposed as one up to this distance, in metres.
SAME_NAME_M = 300.0
#: Two sites whose names nearly agree are proposed as one up to this distance, in metres.
NEAR_M = 50.0
#: How alike two names must be, from 0 to 1, when they are not the same.
ALIKE = 0.93
METRES_PER_DEGREE = 111_320.0

_EARTH = Geod(ellps="WGS84")
_DIGITS = re.compile(r"\d+")
#: A letter after the number tells boreholes of one nest apart: 142 and 142A are two places.
_NUMBERS = re.compile(r"\d+[^\W\d_]?(?![^\W\d_])|\d+")


@dataclass(frozen=True)
class Pair:
    """A site of the file, one that it may be the same as, and the metres between (None: not known)."""

    site: str
    site_name: str
    same_as: str
    same_as_name: str
    distance_m: float | None

    @property
    def question_id(self) -> str:
        """A name for the question that stays the same as long as the two sites do."""
        words = re.sub(r"[^a-z0-9]+", "-", self.site_name.casefold()).strip("-")[:24]
        mark = hashlib.sha1(f"{self.site}\x1f{self.same_as}".encode(), usedforsecurity=False).hexdigest()[:8]
        return f"same-place-{words}-{mark}".replace("--", "-")


def plain_name(name: str) -> str:
    """Bring a site's name to what its spellings have in common.

    Examples
    --------
    >>> plain_name("Well 3") == plain_name("well-03") == plain_name("WELL 3 ")
    True
    """
    text = unicodedata.normalize("NFKC", name).casefold()
    kept = "".join(sign for sign in text if sign.isalnum() or unicodedata.category(sign).startswith("M"))
    return _DIGITS.sub(lambda found: found.group().lstrip("0") or "0", kept)


def propose(
    sites: pd.DataFrame,
    known: pd.DataFrame,
    *,
    decided: Collection[frozenset[str]] = (),
    links: Mapping[str, str] | None = None,
) -> list[Pair]:
    """Find the sites of a file that may be a known site, or another site of the file.

    Parameters
    ----------
    sites, known : DataFrame
        ``monitoring_location_id``, ``monitoring_location_name``, ``longitude``, ``latitude`` (degrees,
        EPSG:4326), one row per site; those of the file and those of the store.
    decided : collection of pairs of ids
        Pairs that a person said are different places.
    links : mapping
        Sites already said to be the same as another.

    Returns
    -------
    list of Pair
        Each site of the file at most once, beside the nearest candidate.
    """
    linked = dict(links or {})
    new = sites[~sites["monitoring_location_id"].isin([*known["monitoring_location_id"], *linked])]
    table = pd.concat([known.assign(new=False), new.assign(new=True)], ignore_index=True)
    table["name"] = _names(table)
    table["plain"] = table["name"].map(plain_name)
    chosen: dict[int, Pair] = {}
    earlier: dict[int, list[int]] = {}
    for left, right in _candidates(table):
        earlier.setdefault(right, []).append(left)
    for row in sorted(earlier):
        # Of three spellings the second and third are both compared with the first: no chains.
        firsts = {_first(table, chosen, left) for left in earlier[row]}
        pairs = [pair for first in sorted(firsts) if (pair := _pair(table, first, row))]
        open_pairs = [pair for pair in pairs if frozenset((pair.site, pair.same_as)) not in decided]
        if open_pairs:
            chosen[row] = min(open_pairs, key=lambda pair: pair.distance_m or 0.0)
    return list(chosen.values())


def _names(table: pd.DataFrame) -> pd.Series:
    """Give each site's name; where it has none, its id without the prefix of its source."""
    names = table["monitoring_location_name"].astype("object").fillna("").astype("str")
    own = table["monitoring_location_id"].astype("str").map(lambda key: key.rpartition(":")[2])
    return names.where(names.str.strip().ne(""), own)


def _first(table: pd.DataFrame, chosen: Mapping[int, Pair], row: int) -> int:
    if row not in chosen:
        return row
    return int(table.index[table["monitoring_location_id"].eq(chosen[row].same_as)][0])


def _candidates(table: pd.DataFrame) -> set[tuple[int, int]]:
    return {(min(pair), max(pair)) for pair in [*_of_one_name(table), *_near_and_alike(table)]}


def _of_one_name(table: pd.DataFrame) -> Iterator[tuple[int, int]]:
    named = table[table["plain"].ne("")]
    for _, group in named.groupby("plain"):
        rows = group.index.tolist()
        # A name shared by very many sites ("well") says nothing about which is which.
        if 1 < len(rows) <= 50:
            yield from ((rows[i], row) for i in range(len(rows)) for row in rows[i + 1 :])


def _near_and_alike(table: pd.DataFrame) -> Iterator[tuple[int, int]]:
    for left, right in _near(table, NEAR_M):
        if _alike(table.at[left, "plain"], table.at[right, "plain"]):
            yield left, right


def _near(table: pd.DataFrame, metres: float) -> Iterator[tuple[int, int]]:
    placed = table[table["longitude"].notna() & table["latitude"].notna()]
    if len(placed) < 2:
        return
    latitude = placed["latitude"].to_numpy("float64")
    # Degrees of longitude shrink towards the poles; half a per cent of error does not matter here.
    east = placed["longitude"].to_numpy("float64") * METRES_PER_DEGREE * np.cos(np.radians(latitude))
    points = shapely.points(east, latitude * METRES_PER_DEGREE)
    left, right = shapely.STRtree(points).query(points, predicate="dwithin", distance=metres)
    rows = placed.index.to_numpy()
    once = left < right
    yield from zip(rows[left[once]].tolist(), rows[right[once]].tolist(), strict=True)


def _alike(one: str, other: str) -> bool:
    if not one or not other or _NUMBERS.findall(one) != _NUMBERS.findall(other):
        return False
    return min(len(one), len(other)) >= 4 and JaroWinkler.similarity(one, other) >= ALIKE


def _pair(table: pd.DataFrame, left: int, right: int) -> Pair | None:
    if not table.at[right, "new"]:  # both are known already; they were asked about when they came
        return None
    if _told_apart(table, left, right):
        return None
    if _numbered_apart(table, left, right):
        return None
    distance = _distance_m(table, left, right)
    if distance is not None and distance > SAME_NAME_M:
        return None
    return Pair(
        site=table.at[right, "monitoring_location_id"],
        site_name=table.at[right, "name"],
        same_as=table.at[left, "monitoring_location_id"],
        same_as_name=table.at[left, "name"],
        distance_m=distance,
    )


def _told_apart(table: pd.DataFrame, left: int, right: int) -> bool:
    """Say whether one source gave the two sites ids that are more than their names."""
    ids = [str(table.at[row, "monitoring_location_id"]).rpartition(":") for row in (left, right)]
    one, other = (plain_name(tail) for _, _, tail in ids)
    named = {table.at[left, "plain"], table.at[right, "plain"]}
    return ids[0][0] == ids[1][0] and one != other and not named & {one, other}


def _numbered_apart(table: pd.DataFrame, left: int, right: int) -> bool:
    """Say whether one source gave the two sites different identifiers of its own."""
    ids = [str(table.at[row, "monitoring_location_id"]) for row in (left, right)]
    if _issuer(ids[0]) != _issuer(ids[1]):
        return False
    return not any(_named_after(ids[n], table.at[row, "plain"]) for n, row in enumerate((left, right)))


def _issuer(site: str) -> str:
    """Give who numbered a site: what stands before the last colon, else before the first hyphen."""
    return site.rpartition(":")[0] if ":" in site else site.partition("-")[0]


def _named_after(site: str, plain: str) -> bool:
    """Say whether an identifier is only the site's name."""
    return plain_name(site.rpartition(":")[2]) == plain


def _distance_m(table: pd.DataFrame, left: int, right: int) -> float | None:
    places = table.loc[[left, right], ["longitude", "latitude"]].to_numpy("float64")
    if not np.isfinite(places).all():
        return None
    return float(_EARTH.inv(places[0, 0], places[0, 1], places[1, 0], places[1, 1])[2])
