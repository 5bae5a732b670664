"""The collections of a topic, and the fields of each: what a form or a filter in another program shows.

What each field of a reading means is said once, in :data:`situation.observation.COLUMNS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from situation.observation import COLUMNS, POSITION_RULES, TIME
from situation.properties import PROPERTIES
from situation.standard import standard_keys
from situation.status import FRESHNESS, STATUSES

Kind = Literal["sites", "readings", "statuses"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Field = dict[str, Any]

#: Title and description of each kind; ``{topic}`` is the topic's title.
TOLD: Mapping[str, tuple[str, str]] = {
    "sites": (
        "{topic}: sites",
        "One feature per place where something was measured, with how many accepted readings there are of what. "
        "Places that may not be shown exactly stand at the centre of their cell, all of a cell in one feature.",
    ),
    "readings": (
        "{topic}: readings",
        "Every accepted reading, as it was measured, in the columns of the table of observations. A reading at a "
        "place that may not be shown exactly stands at the centre of its cell, without what could name the place.",
    ),
    "statuses": (
        "{topic}: statuses",
        "One feature per site: its newest accepted reading of one property, compared with the limit of one "
        "standard, in the limit's unit. No data is not safe: inconclusive and no limit say nothing.",
    ),
}

#: The field that a filter by time looks at.
TIME_FIELD: Mapping[str, str] = {
    "sites": "last_time",
    "readings": "phenomenon_time",
    "statuses": "phenomenon_time",
}

#: Fields that may be asked to have one value.
QUERYABLE: Mapping[str, tuple[str, ...]] = {
    "sites": ("observed_property", "monitoring_location_id", "monitoring_location_type", "position_rule"),
    "readings": ("observed_property", "monitoring_location_id"),
    "statuses": ("observed_property", "standard", "status", "freshness", "monitoring_location_id",
                 "monitoring_location_type", "position_rule"),
}  # fmt: skip

_JSON: Mapping[str, Field] = {
    "str": {"type": "string"},
    "float64": {"type": "number"},
    "int64": {"type": "integer"},
    "Int64": {"type": "integer"},
    TIME: {"type": "string", "format": "date-time"},
}
_STRING, _NUMBER, _WHOLE, _WHEN = (_JSON[name] for name in ("str", "float64", "int64", TIME))


def words_of(name: str) -> tuple[str, ...]:
    """List the values that a field can have; empty where it is open."""
    known: Mapping[str, tuple[str, ...]] = {
        "status": STATUSES,
        "freshness": FRESHNESS,
        "position_rule": POSITION_RULES,
    }
    if name == "observed_property":
        return tuple(PROPERTIES)
    if name == "standard":
        return tuple(standard_keys())
    return known.get(name) or (COLUMNS[name].words if name in COLUMNS else ())


def _column(name: str) -> Field:
    column = COLUMNS[name]
    said = _JSON[column.dtype] | {"title": name, "description": column.meaning}
    words = words_of(name)
    return said | ({"enum": list(words)} if column.words else {})


def _said(kind: Field, meaning: str, **more: Any) -> Field:
    return kind | {"description": meaning} | more


def _sites() -> dict[str, Field]:
    names = (
        "monitoring_location_id",
        "monitoring_location_name",
        "monitoring_location_type",
        "position_rule",
    )
    return {name: _column(name) for name in names} | {
        "sites": _said(
            _WHOLE, "how many sites stand here; more than one only where they are hidden in a cell"
        ),
        "n": _said(_WHOLE, "number of accepted readings that count"),
        "n_censored": _said(_WHOLE, "those of them below or above a limit of detection"),
        "observed_properties": _said(_STRING, "keys of what was measured, with a space between"),
        "first_time": _said(_WHEN, "UTC; of the oldest reading"),
        "last_time": _said(_WHEN, "UTC; of the newest reading"),
    }


def _statuses() -> dict[str, Field]:
    known = {
        "observed_property": _said(_STRING, "what is compared"),
        "standard": _said(_STRING, "whose limit it is compared with"),
        "status": _said(_STRING, "how it compares", enum=list(STATUSES)),
        "freshness": _said(_STRING, "stale: older than the topic allows", enum=list(FRESHNESS)),
        "result": _said(_NUMBER, "in unit; empty unless quantified"),
        "limit": _said(_NUMBER, "in unit; of a range the nearer end"),
        "limit_kind": _said(_STRING, "what kind of limit it is"),
        "limit_verified": _said({"type": "boolean"}, "whether somebody read the limit in its source again"),
        "reason": _said(_STRING, "why it is inconclusive"),
        "n": _said(_WHOLE, "number of readings of the property at the site"),
    }
    for name in ("censoring", "detection_limit", "unit", "method_speciation", "result_text", "phenomenon_time",
                 "phenomenon_time_precision", "monitoring_location_id", "monitoring_location_name",
                 "monitoring_location_type", "position_rule", "sampled_medium", "sample_fraction",
                 "procedure_class", "review_state", "batch_id", "source_id", "contributor", "licence",
                 "attribution"):  # fmt: skip
        known[name] = _column(name)
    return known


def of(kind: Kind) -> dict[str, Field]:
    """Give the fields of a kind of collection, as JSON Schema describes them; a new object each time."""
    if kind == "sites":
        return _sites()
    if kind == "statuses":
        return _statuses()
    return {name: _column(name) for name in COLUMNS}


def queryables(kind: Kind) -> dict[str, Field]:
    """Give what can be asked for by value, as JSON Schema."""
    own = of(kind)
    told = {}
    for name in QUERYABLE[kind]:
        said = {"type": "string", "title": name}
        words = words_of(name)
        description = own.get(name, {}).get("description", "only sites where it was measured")
        told[name] = said | {"description": description} | ({"enum": list(words)} if words else {})
    return told
