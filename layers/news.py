"""What came since somebody opened the page: counted for the part of the map that is in view.

A reading is new if the batch that says it counts now and did not count then: one that came later, or one
that waited then and was accepted since. Counted are sites whose newest reading is such a one, because that
is what the map draws.

What surprised us: to compare two pictures of a million sites takes seconds, and every visitor opened the
page at another moment. The number of the batch beside each site tells the same in milliseconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import store
from layers.exceedances import ABOVE
from layers.picture import Box, Picture, _inside
from situation.settings import settings
from situation.view import View
from store.ledger import COUNTING


def news(view: View, shown: Picture, box: Box, since: int) -> dict[str, Any]:
    """Count the sites in a box whose newest reading was not there yet at an earlier data version.

    Parameters
    ----------
    view : View
        The choice.
    shown : Picture
        Its sites now.
    box : (west, south, east, north)
        Degrees, WGS 84.
    since : int
        Data version to compare with.

    Returns
    -------
    dict
        ``since``, ``version``, ``sites`` (with a new newest reading) and ``above`` (of these, those above the limit).
    """
    told: dict[str, Any] = {"since": since, "version": shown.version, "sites": 0, "above": 0}
    if since >= shown.version:
        return told
    counts = COUNTING[view.review]
    book = store.shared(settings().active_store_url).book()
    new = [
        batch.batch
        for batch in book.batches.values()
        if batch.state in counts and batch.state_at(since) not in counts
    ]
    if not new:
        return told
    batch = shown.sites["batch_id"].astype("string").isin([str(number) for number in new]).to_numpy("bool")
    fresh = batch & _inside(shown, box)
    above = np.count_nonzero(fresh & (shown.status == ABOVE))
    return told | {"sites": int(np.count_nonzero(fresh)), "above": int(above)}
