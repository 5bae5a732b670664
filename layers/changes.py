"""What is different between two pictures: compared site by site first, blurred afterwards.

What surprised us: hidden sites of one square share one public identifier, so comparing two public
tables would take one well's reading for another's.
"""

from __future__ import annotations

import pandas as pd

from layers.picture import assessed
from situation.headline import Changes, changes
from situation.privacy import public
from situation.view import View


def between(before: View, after: View, now: pd.Timestamp) -> Changes:
    """Compare what two views show.

    Parameters
    ----------
    before, after : View
        The same topic, property and standard, at another data version or until another day.
    now : Timestamp
        UTC, for ages.

    Returns
    -------
    Changes
        Tables fit to be shown: places blurred, names of hidden sites cut.
    """
    found = changes(assessed(before, now), assessed(after, now))
    topic = after.chosen_topic
    return Changes(
        public(found.new_above, topic),
        public(found.back_below, topic),
        public(found.first_readings, topic),
        found.sentence,
    )
