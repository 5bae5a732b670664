"""Whether what is shown are simulated readings, and the topic with the name that fits them."""

from __future__ import annotations

import store
from situation.settings import settings
from situation.topic import Topic, topics


def is_simulated() -> bool:
    """Say whether what is shown was made up for the demonstration."""
    return bool(store.shared(settings().active_store_url).meta().get("simulated"))


def shown_topics() -> dict[str, Topic]:
    """Give every topic as it is shown now: over simulated readings with the invented place's name."""
    simulated = is_simulated()
    return {key: topic.shown(simulated=simulated) for key, topic in topics().items()}
