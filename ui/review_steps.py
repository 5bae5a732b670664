"""The parts of the review page: the entrance, the queue, one batch, the decision, the ledger.

Operators see positions and names as everybody does: through ``situation.privacy``. What strangers wrote
is shown in tables or through ``ui/plain.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

import store
from sensors import intake, same_place
from situation.errors import CommonsightError
from situation.help_file import OWN
from situation.privacy import public, rule_for
from situation.settings import settings
from situation.topic import Topic, topics
from ui import operator_key
from ui.plain import bare, plain
from ui.upload_steps import preview_map, preview_table
from ui.words import Ready, Words, choose_language, quoted

SHOWN = 2000
SHELL_KEY = "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
SHELL_ACCEPT = "python -m commonsight history\npython -m commonsight accept BATCH"


def entrance(say: Words) -> bool:
    """Let operators in; explains how to set a key where there is none."""
    if operator_key.is_operator():
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            st.markdown(say("review.lead"))
            st.button(say("review.leave"), icon=":material/logout:", on_click=operator_key.leave)
        return True
    choose_language(say)
    if not operator_key.key_is_set():
        st.info(say("review.no_key_set"), icon=":material/key_off:")
        st.markdown(say("review.no_key_how"))
        st.code(SHELL_KEY, language="bash")
        st.markdown(say("review.no_key_cli"))
        st.code(SHELL_ACCEPT, language="bash")
        return False
    st.markdown(say("review.lead"))
    operator_key.ask(say, "entrance")
    return False


def queue(say: Words) -> int | None:
    """Ask which of the pending batches to look at; None when none waits."""
    _say_news()
    waiting = [batch for batch in _store().history() if batch.state == "pending"]
    st.subheader(say("review.queue", n=len(waiting)))
    if not waiting:
        st.success(say("review.queue_empty"), icon=":material/done_all:")
        return None
    names = {
        batch.batch: say.text("review.batch", batch=batch.batch, filename=bare(batch.filename, 60))
        for batch in waiting
    }
    return st.selectbox(say("review.pick"), list(names), format_func=lambda number: names[number])


def show_batch(say: Words, number: int) -> None:
    """Show one batch: counts, map, readings, and the cells that need help."""
    told = _store().batch(number)
    st.markdown(
        say(
            "review.from_whom",
            who=quoted(told.contributor or "anonymous"),
            when=f"{pd.Timestamp(told.received_at):%Y-%m-%d %H:%M}",
            topic=quoted(told.topic),
        )
    )
    table = _readings(number)
    shown = public(table, _topic(told.topic))
    cells = _store().quarantine(number)
    _counts(say, told, table, cells)
    on_map, in_table, help_ = st.tabs(
        [
            say("review.tab_map"),
            say("review.tab_table", n=len(table)),
            say("review.tab_quarantine", n=len(cells)),
        ]
    )
    with on_map:
        st.caption(say("review.blurred"))
        look = {"topic": told.topic, "batch": str(number), "review": "all"}
        st.page_link("map.py", label=say("review.on_map"), icon=":material/map:", query_params=look)
        preview_map(shown, told.topic)
    with in_table:
        _judge(say, table, shown)
    with help_:
        _cells(say, cells)


def _counts(say: Words, told: Any, table: pd.DataFrame, cells: pd.DataFrame) -> None:
    numbers = {
        "review.rows": int(told.rows),
        "review.sites": int(table["monitoring_location_id"].nunique()),
        "review.new": int(told.added),
        "review.corrected": int(told.corrected),
        "review.cells": len(cells),
    }
    with st.container(horizontal=True, gap="small"):
        for key, value in numbers.items():
            st.metric(say(key), say.number(value), border=True, width=150)


def _judge(say: Words, table: pd.DataFrame, shown: pd.DataFrame) -> None:
    st.caption(say("review.single"))
    lines = preview_table(say, shown).assign(**{say.text("review.state"): table["review_state"].to_numpy()})
    picked = st.dataframe(
        lines, hide_index=True, on_select="rerun", selection_mode="multi-row", key="readings"
    )
    rows = picked["selection"]["rows"]
    if not rows:
        return
    ids = table["observation_id"].iloc[rows].tolist()
    why = st.text_input(say("review.reason"), key="single_reason", max_chars=300)
    with st.container(horizontal=True):
        for state, icon in (("verified", ":material/check:"), ("rejected", ":material/block:")):
            key = "review.verify" if state == "verified" else "review.reject"
            if st.button(say(key, n=len(ids)), icon=icon, key=state):
                _do(
                    say,
                    why,
                    say("review.reviewed", n=len(ids)),
                    lambda who, why, state=state: _store().review(ids, state, who, why),  # type: ignore[misc]
                )


def _cells(say: Words, cells: pd.DataFrame) -> None:
    if not len(cells):
        st.success(say("review.no_quarantine"), icon=":material/check:")
        return
    own = [name for name in OWN if name in cells and name != "question_id"]
    named = {
        "source_row": "upload.col_row",
        "column": "upload.col_column",
        "value": "upload.col_value",
        "reason": "upload.col_reason",
        "fix": "upload.col_fix",
    }
    table = cells[own].head(SHOWN).rename(columns={name: say.text(key) for name, key in named.items()})
    st.dataframe(table, hide_index=True)


def decide(say: Words, number: int) -> None:
    """Ask for the decision on a batch, with a reason that goes into the ledger."""
    with st.container(border=True):
        why = st.text_input(say("review.reason"), key=f"reason-{number}", max_chars=300)
        _who(say)
        with st.container(horizontal=True):
            if st.button(say("review.accept"), type="primary", icon=":material/check:", key="accept"):
                done = say("review.accepted", batch=Ready(number))
                _do(say, why, done, lambda who, why: _store().accept(number, who, why), needed=False)
            if st.button(say("review.withdraw"), icon=":material/undo:", key="withdraw"):
                done = say("review.withdrawn", batch=Ready(number))
                _do(say, why, done, _withdrawal(number))


def _withdrawal(number: int) -> Callable[[str, str], Any]:
    return lambda who, why: _store().withdraw(number, who, why, operator=True)


def _who(say: Words) -> str:
    given = st.text_input(
        say("review.who"), value=say.text("review.who_default"), key="reviewer", max_chars=40
    )
    return (given or "").strip() or "operator"


def _do(say: Words, why: str | None, done: str, act: Callable[[str, str], Any], needed: bool = True) -> None:
    reason = (why or "").strip()
    if needed and not reason:
        st.error(say("review.need_reason"), icon=":material/error:")
        return
    if not operator_key.is_operator():
        return
    try:
        act(str(st.session_state.get("reviewer") or "operator"), reason)
    except CommonsightError as wrong:
        st.error(plain(wrong), icon=":material/error:")
        return
    st.session_state["review_news"] = done
    st.rerun()


def _say_news() -> None:
    news = st.session_state.pop("review_news", None)
    if news:
        st.success(news, icon=":material/check_circle:")


def same_places(say: Words) -> None:
    """List sites that may be one place, to be linked; and linked ones, to be parted."""
    with st.expander(say("review.same_place"), icon=":material/join_inner:"):
        st.caption(say("review.same_how"))
        # Comparing every site with every other takes a while: only when somebody wants to see it.
        if not st.toggle(say("review.same_look"), key="same_look"):
            return
        links = _store().site_links()
        pairs = [(topic, pair) for topic in topics().values() for pair in _pairs(topic, links)]
        if not pairs:
            st.markdown(say("review.same_none"))
        for topic, pair in pairs[:50]:
            _pair(say, topic, pair)
        if links:
            st.markdown(f"**{say('review.same_linked')}**")
        for site, same_as in links.items():
            left, right = st.columns([4, 1], vertical_alignment="center")
            left.markdown(f"{quoted(site)} → {quoted(same_as)}")
            if right.button(say("review.same_unlink"), key=f"unlink-{site}"):
                _do(
                    say,
                    "",
                    say("review.unlinks_done"),
                    lambda who, why, site=site: _store().unlink_site(site, who),  # type: ignore[misc]
                    needed=False,
                )


def _pairs(topic: Topic, links: dict[str, str]) -> list[same_place.Pair]:
    sites = _store().sites(topic.key)
    names = ["monitoring_location_id", "monitoring_location_name", "longitude", "latitude"]
    # The exact place of a private site is nobody's business here, nor is its name.
    hidden = sites["monitoring_location_type"].map(lambda kind: rule_for(kind, topic) != "exact").astype(bool)
    sites = sites.loc[~hidden, names]
    decided = intake.different_places(_store())
    return same_place.propose(sites, sites.iloc[:0], decided=decided, links=links)


def _pair(say: Words, topic: Topic, pair: same_place.Pair) -> None:
    left, right = st.columns([4, 1], vertical_alignment="center")
    apart = (
        f" · {say('review.same_apart', metres=round(pair.distance_m))}" if pair.distance_m is not None else ""
    )
    left.markdown(f"{quoted(pair.site_name)} · {quoted(pair.same_as_name)}{apart}")
    label = say("review.same_link", name=bare(pair.same_as_name, 30))
    if right.button(label, key=f"link-{topic.key}-{pair.site}-{pair.same_as}"):
        _do(
            say,
            "",
            say("review.links_done"),
            lambda who, why: _store().link_site(pair.site, pair.same_as, who),
            needed=False,
        )


def ledger(say: Words) -> None:
    """Show the batches of the ledger, newest first; an accepted one can be withdrawn here."""
    with st.expander(say("review.history"), icon=":material/history:"):
        told = _store().history(limit=500)
        names = (
            "batch",
            "state",
            "filename",
            "contributor",
            "topic",
            "received_at",
            "rows",
            "added",
            "corrected",
        )
        st.dataframe(
            pd.DataFrame([{name: getattr(batch, name) for name in names} for batch in told]), hide_index=True
        )
        accepted = [batch.batch for batch in told if batch.state == "accepted"]
        if not accepted:
            return
        with st.form("withdraw_accepted", border=False):
            number = st.selectbox(say("review.history_withdraw"), accepted)
            why = st.text_input(say("review.reason"), max_chars=300)
            if st.form_submit_button(say("review.withdraw"), icon=":material/undo:"):
                _do(say, why, say("review.withdrawn", batch=Ready(number)), _withdrawal(int(number)))


def _readings(number: int) -> pd.DataFrame:
    return _store().observations(batch=number, review="all", limit=SHOWN).reset_index(drop=True)


def _topic(key: str) -> Topic:
    known = topics()
    return known.get(key) or next(iter(known.values()))


def _store() -> store.Store:
    return store.shared(settings().real_store_url)
