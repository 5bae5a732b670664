"""Who may see what is not public yet.

The public sees accepted batches. A pending batch is seen by whoever holds its view token (it stands on
the receipt), and by the operator. The operator's key itself never stands in an address, where histories
and logs would keep it: a page gets a pass made from it, good for today and tomorrow.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

import pandas as pd

import store
from situation.errors import NotAllowed
from situation.settings import settings
from situation.view import View

#: Header in which a script sends the operator's key.
HEADER = "X-Commonsight-Key"


def is_operator(key: str | None) -> bool:
    """Say whether *key* is the operator's; never when no key is set."""
    known = settings().operator_key
    return bool(known and key) and secrets.compare_digest(str(key).encode(), str(known).encode())


def operator_pass(now: pd.Timestamp | None = None) -> str:
    """Make the pass that a page of the operator puts into the addresses it asks."""
    key = settings().operator_key
    if not key:
        raise NotAllowed("There is no operator key: set COMMONSIGHT_OPERATOR_KEY and start again.")
    day = (now if now is not None else pd.Timestamp.now("UTC")).date().isoformat()
    return "op-" + hmac.new(key.encode(), f"see everything {day}".encode(), hashlib.sha256).hexdigest()[:40]


def check(view: View, key: str | None = None) -> None:
    """Refuse a view of what is not public to whoever may not see it.

    Parameters
    ----------
    view : View
        ``review="all"`` or a ``batch`` ask for what may be pending.
    key : str, optional
        What came in the header :data:`HEADER`.

    Raises
    ------
    NotAllowed
        With what would be needed.
    NoSuchBatch
        If there is no such batch.
    """
    if view.review == "accepted" and view.batch is None:
        return
    if is_operator(key) or _is_pass(view.token):
        return
    if view.batch is None:
        raise NotAllowed("Readings that nobody has accepted yet are for the operator; leave out review=all.")
    if not _fits(view.batch, view.token):
        raise NotAllowed(
            f"Batch {view.batch} is shown to whoever holds its link: the token on its receipt is needed."
        )


def _is_pass(token: str | None) -> bool:
    if not token or not settings().operator_key:
        return False
    now = pd.Timestamp.now("UTC")
    days = (now, now - pd.Timedelta(days=1))
    return any(secrets.compare_digest(token, operator_pass(day)) for day in days)


def _fits(batch: int, token: str | None) -> bool:
    return store.shared(settings().active_store_url).may_view(batch, token)
