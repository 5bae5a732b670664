"""What the visitor chose: it lives in the address, so that a link shows the same view.

The address is the truth; the widgets show it and write to it. Where the map looks is written there by
the map itself (``layers/live.js``), because moving it must not run the page again.

What surprised us: a widget with a key keeps its old value against a changed address (a link opened in
the same tab), unless its state is set before it is drawn; every run does that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import streamlit as st

from layers.subject import shown_topics
from situation.properties import PROPERTIES
from situation.standard import standards
from situation.view import PERIODS, View
from ui import operator_key
from ui.words import Words, choose_language

#: What a change of topic leaves behind.
_OF_A_TOPIC = ("property", "standard", "site", "bbox", "zoom", "batch", "token", "since", "areas")
_REFRESH = (10, 30, 120, 0)
#: What a visitor takes along to another page of the menu, whose address starts empty.
_TAKEN = ("topic", "property", "standard", "period", "as_of", "at", "site", "lang")


def view() -> View:
    """Read the choice from the address; what does not exist falls back to the first that does."""
    said = st.query_params.to_dict()
    # Only on arrival from another page of ours: a link that says nothing means the usual view.
    if st.session_state.pop("arrived", False) and not any(said.get(name) for name in _TAKEN):
        put(**st.session_state.get("choice_taken", {}))
        said = st.query_params.to_dict()
    st.session_state["choice_taken"] = {name: said[name] for name in _TAKEN if said.get(name)}
    return View.from_params(said)


def put(**said: str | None) -> None:
    """Write parts of the choice into the address; ``None`` takes a part out."""
    for name, value in said.items():
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)


def ask(say: Words, view: View) -> None:
    """Draw the choices; whatever is changed goes into the address and runs the page again."""
    topic, subjects = view.chosen_topic, shown_topics()
    known = standards()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        _pick("topic", say("map.topic"), list(subjects), view.topic, lambda key: subjects[key].title)
        measured = list(dict.fromkeys([*topic.properties, view.observed_property]))
        _pick(
            "property",
            say("map.property"),
            measured,
            view.observed_property,
            lambda key: PROPERTIES[key].title,
        )
        limits = list(dict.fromkeys([*topic.standards, view.standard])) or list(known)
        _pick("standard", say("map.standard"), limits, view.standard, lambda key: known[key].title)
        with st.popover(say("map.more"), icon=":material/tune:"):
            _more(say, view)


def _more(say: Words, view: View) -> None:
    choose_language(say)
    _period(say, view)
    if operator_key.is_operator():
        _pick(
            "review",
            say("map.review"),
            ["accepted", "all"],
            view.review,
            lambda key: say.text(f"map.review_{key}"),
        )
    st.session_state["choice_as_of"] = view.as_of or 0
    st.number_input(
        say("map.as_of"), min_value=0, step=1, key="choice_as_of", on_change=_keep, args=("as_of",)
    )
    st.session_state.setdefault("refresh", 30)
    st.selectbox(
        say("map.refresh"),
        _REFRESH,
        key="refresh",
        format_func=lambda s: (
            say.text("map.refresh_every", seconds=s) if s else say.text("map.refresh_never")
        ),
    )
    st.caption(say("map.link"))


def _period(say: Words, view: View) -> None:
    options = [*PERIODS, *([view.period] if view.period not in PERIODS else []), "between"]

    def words(key: str) -> str:
        if key == "between":
            return say.text("map.period_between")
        return say.text(f"map.period_{key}") if key in PERIODS else key.replace("/", " – ")

    st.session_state["choice_period"] = view.period
    st.selectbox(say("map.period"), options, key="choice_period", format_func=words, on_change=_keep_period)
    if view.period in PERIODS and not st.session_state.get("between"):
        return
    first, last = view.period.split("/") if "/" in view.period else ("", "")
    left, right = st.columns(2)
    left.date_input(say("map.period_from"), _day(first), key="period_from", on_change=_keep_days)
    right.date_input(say("map.period_to"), _day(last), key="period_to", on_change=_keep_days)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _keep_period() -> None:
    chosen = st.session_state["choice_period"]
    st.session_state["between"] = chosen == "between"
    if chosen != "between":
        put(period=None if chosen == "all" else chosen)


def _keep_days() -> None:
    days = [st.session_state.get(name) for name in ("period_from", "period_to")]
    if any(days):
        put(period="/".join(day.isoformat() if day else "" for day in days))


def _pick(name: str, label: str, options: Sequence[str], chosen: str, words: Callable[[str], Any]) -> None:
    st.session_state[f"choice_{name}"] = chosen
    st.selectbox(
        label, options, key=f"choice_{name}", format_func=words, on_change=_keep, args=(name,), width=260
    )


def _keep(name: str) -> None:
    if name == "topic":
        put(**dict.fromkeys(_OF_A_TOPIC))
    if name in ("topic", "property"):
        put(name=None)  # the title of a snapshot: of nitrate, above a picture of arsenic
    value = st.session_state[f"choice_{name}"]
    put(**{name: str(value) if value else None})


def refresh_seconds() -> int:
    """How often the map looks for new data; 0 for never."""
    return int(st.session_state.get("refresh", 30))
