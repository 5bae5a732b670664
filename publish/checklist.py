"""What a snapshot still lacks before it goes out: a list that refuses nothing and says what to do.

It stands beside the preview, in the read-me file of a package and on the page of a kept snapshot. Each point
is one sentence in the snapshot's language; one that is in order says so too, because a list of faults alone
does not tell what was looked at. A point that has nothing to look at (a limit's second text where there is no
limit) is left out.

What surprised us: a list that names every single old reading is skipped after the second time. The counts
stand on the picture anyway; here a share is named from one in ten (:data:`WORTH_SAYING`) on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from situation.messages import message
from situation.region import FEW
from situation.snapshot import Snapshot

#: From this share of the sites on a weakness is named.
WORTH_SAYING = 0.1


@dataclass(frozen=True)
class Check:
    """One point: its key, whether it is in order, and a sentence (plain text) that says so or what to do."""

    key: str
    ok: bool
    sentence: str


def checks(shot: Snapshot) -> list[Check]:
    """Look at what a snapshot lacks.

    Parameters
    ----------
    shot : Snapshot
        New, or kept and opened again.

    Returns
    -------
    list of Check
        In the order of their weight: what it shows at all, whose it is, how sure it is, where it is.
    """
    found = [_readings(shot)] if shot.sites.empty else list(_every(shot))
    return [*_standing(shot), *found, *_ours(shot)]


def missing(shot: Snapshot) -> list[Check]:
    """Give only the points that are not in order."""
    return [check for check in checks(shot) if not check.ok]


def number(value: int) -> str:
    """Write a whole number with a thin space between thousands, as every language reads it."""
    return f"{value:,}".replace(",", "\u202f")


def _check(shot: Snapshot, key: str, ok: bool, **values: object) -> Check:
    filled = {name: number(value) if isinstance(value, int) else value for name, value in values.items()}
    return Check(key, ok, message(f"publish.check.{key}{'_ok' if ok else ''}", shot.language, **filled))


def _readings(shot: Snapshot) -> Check:
    return _check(shot, "empty", False)


def _standing(shot: Snapshot) -> Iterator[Check]:
    """Say what a snapshot is not: not measured, not accepted, not as its readings stand today."""
    if shot.simulated:
        yield _check(shot, "simulated", False)
    if shot.unaccepted:
        yield _check(shot, "unaccepted", False)
    if shot.id is not None:
        changed = shot.changed
        n = changed.withdrawn + changed.corrected + changed.rejected + changed.erased
        yield _check(shot, "changed", not changed.matters, n=n)


def _every(shot: Snapshot) -> Iterator[Check]:
    yield _licence(shot)
    yield from _limit(shot)
    yield from _shares(shot)
    yield from _places(shot)


def _licence(shot: Snapshot) -> Check:
    unknown = [origin for origin in shot.origins if origin.licence in ("", "unknown")]
    whose = ", ".join(dict.fromkeys(origin.attribution or origin.source for origin in unknown))
    return _check(shot, "licence", not unknown, n=sum(origin.sites for origin in unknown), whose=whose[:200])


def _limit(shot: Snapshot) -> Iterator[Check]:
    if shot.limit is None:
        yield _check(shot, "no_limit", False)
    else:
        title = shot.standard.title if shot.standard else ""
        yield _check(shot, "limit", shot.limit.verified, standard=title, reference=shot.limit.reference)


def _shares(shot: Snapshot) -> Iterator[Check]:
    counts, every = shot.counts, len(shot.sites)
    judged = counts.above + counts.near + counts.below
    if shot.limit is not None:
        yield _check(shot, "few", judged >= FEW, n=judged)
        yield _share(shot, "inconclusive", counts.inconclusive, every)
    yield _share(shot, "unverified", shot.unverified, every)
    yield _share(shot, "stale", counts.stale, every, days=shot.topic.stale_days)


def _share(shot: Snapshot, key: str, n: int, every: int, **values: int) -> Check:
    return _check(shot, key, n < WORTH_SAYING * every, n=n, every=every, **values)


def _places(shot: Snapshot) -> Iterator[Check]:
    # A place that is withheld is nobody's mistake.
    nowhere = int((shot.sites["longitude"].isna() & shot.sites["position_rule"].eq("exact")).sum())
    yield _check(shot, "no_place", nowhere == 0, n=nowhere)
    yield _check(shot, "hidden", shot.hidden == 0, n=shot.hidden)


def _ours(shot: Snapshot) -> Iterator[Check]:
    """Say whether a reader can find who made it, and where."""
    there = bool(shot.topic.producer.strip())
    yield _check(shot, "producer", there, producer=shot.topic.producer, topic=shot.topic.key)
    contact = shot.topic.contact.strip()
    yield _check(shot, "contact", bool(contact), contact=contact, topic=shot.topic.key)
    yield _check(shot, "address", shot.base_url is not None, address=shot.base_url or "")
