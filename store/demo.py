"""The demonstration: simulated readings in a store of their own, until there are readings of people.

It is made once, by whichever process comes first; the others wait for it. It is left alone as soon as the
real store has its first batch, and it is never mixed with it.
"""

from __future__ import annotations

from filelock import FileLock

from situation.settings import settings
from store.store import Store, shared

_PATIENCE_S = 120


def demo_is_missing() -> bool:
    """Say whether the demonstration is what would be shown, and is not there yet."""
    chosen = settings()
    return chosen.active_store_url == chosen.demo_store_url and not _done(shared(chosen.demo_store_url))


def _done(place: Store) -> bool:
    return bool(place.meta()["simulated"])


def ensure_demo() -> None:
    """Make the demonstration if it is what would be shown and is not there yet."""
    if not demo_is_missing():
        return
    url = settings().demo_store_url
    place = shared(url)
    with FileLock(place.home / "demo.lock", timeout=_PATIENCE_S):
        if not _done(place):
            make_demo(place)


def make_demo(place: Store) -> None:
    """Put the simulated readings of every topic into *place*; what is there already stays once."""
    import pyarrow

    from situation.demo import demo_files

    for file in demo_files():
        place.add(
            file.original,
            pyarrow.Table.from_pandas(file.observations, preserve_index=False),
            filename=file.filename,
            source_id=file.source_id,
            contributor=file.contributor,
            topic=file.topic,
            rows_in=file.rows_in,
            accept=True,
            dataset_note="simulated",
        )
    place.set_simulated()
