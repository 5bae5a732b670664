"""The demonstration: simulated readings in a store of their own, until there are readings of people.

It is made once, by whichever process comes first; the others wait for it. It is left alone as soon as the
real store has its first batch, and it is never mixed with it.
"""

from __future__ import annotations

from filelock import FileLock

import store
from situation.settings import settings

_PATIENCE_S = 300


def is_missing() -> bool:
    """Say whether the demonstration is what would be shown, and is not there yet."""
    chosen = settings()
    return chosen.active_store_url == chosen.demo_store_url and not _done(chosen.demo_store_url)


def _done(url: str) -> bool:
    return bool(store.shared(url).meta()["simulated"])


def ensure() -> None:
    """Make the demonstration if it is what would be shown and is not there yet."""
    if not is_missing():
        return
    url = settings().demo_store_url
    settings().var.mkdir(parents=True, exist_ok=True)
    with FileLock(settings().var / "demo.lock", timeout=_PATIENCE_S):
        if not _done(url):
            from sensors import intake  # everything that reads files: not at every start

            intake.make_demo(url)
