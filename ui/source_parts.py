"""The parts of the *Sources* page: how each source is, what it gives, and a button to try it now.

What stands here comes from the reports beside the store (``sensors/source_state.py``); nothing is asked of
anyone to draw it. Sentences of sources and servers are shown as text, never read as Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from sensors import collecting, schedule
from sensors.sensor import Sensor
from sensors.source_state import (
    FAILED,
    FAILING,
    KEY_MISSING,
    LATE,
    NEVER,
    OK,
    SUSPECT,
    WAITING,
    Fetches,
    FetchReport,
    SourceState,
    signature,
    state_of,
)
from sensors.sources import available
from situation.errors import CommonsightError
from situation.settings import settings
from situation.topic import Topic
from store.url import parse
from ui import operator_key
from ui.plain import plain, verbatim
from ui.words import Ready, Words

#: State to the word for it, a sign and a colour: the colour is never the only sign.
LOOKS = {
    OK: ("sources.state_ok", ":material/check_circle:", "green"),
    LATE: ("sources.state_late", ":material/schedule:", "orange"),
    SUSPECT: ("sources.state_suspect", ":material/help:", "orange"),
    FAILING: ("sources.state_failing", ":material/error:", "red"),
    KEY_MISSING: ("sources.state_key", ":material/key_off:", "red"),
    NEVER: ("sources.state_never", ":material/radio_button_unchecked:", "gray"),
}
_PLAIN_ADDRESS = re.compile(r"https://[A-Za-z0-9./_#?=&%-]+")
_LOOK_EVERY_S = 1.5
_LIKELY_S = 2.0  # a collection that has just begun has written nothing yet


def home() -> Path:
    """Give the folder of the store that collected readings go to: never the demonstration's."""
    return parse(settings().real_store_url).home


def reports() -> Mapping[str, Sequence[FetchReport]]:
    """Give the reports of every fetch by source, oldest first; read again only when there are new ones."""
    path = Fetches(home()).path
    stamp = (path.stat().st_size, path.stat().st_mtime_ns) if path.exists() else (0, 0)
    held: dict[str, list[FetchReport]] = _reports(str(path.parent), stamp)
    return held


@st.cache_data(max_entries=4, show_spinner=False)
def _reports(folder: str, stamp: tuple[int, int]) -> dict[str, list[FetchReport]]:
    found: dict[str, list[FetchReport]] = {}
    for report in Fetches(Path(folder)).all():
        # What the page shows needs no list of bodies, which is most of a report.
        found.setdefault(report.source, []).append(replace(report, bodies=(), warnings=()))
    return found


def background(say: Words, topic: Topic) -> None:
    """Say whether this installation collects by itself, and what is wrong with the topic's lines."""
    keys = [sensor.key for sensor in collecting.sources_of(topic)]
    refused = schedule.refusal()
    if not keys:
        st.info(say("sources.none_named", topic=topic.title), icon=":material/cloud_off:")
        st.code('sources = ["field_file", "wqp"]\n\n[collect]\nevery = "6h"', language="toml")
    elif refused:
        st.warning(say("sources.not_by_itself", why=say.said(refused)), icon=":material/pause_circle:")
    else:
        hours = Ready(f"{topic.collect.every_hours:g}")
        st.success(say("sources.by_itself", hours=hours), icon=":material/autorenew:")
    for sentence in collecting.mistakes(topic):
        st.warning(plain(say.said(sentence)), icon=":material/edit_note:")


def entrance(say: Words) -> None:
    """Let the operator in, who may try a source now."""
    if operator_key.is_operator():
        st.button(say("sources.leave"), icon=":material/logout:", on_click=operator_key.leave)
        return
    with st.expander(say("sources.operator"), icon=":material/key:"):
        if not operator_key.key_is_set():
            st.markdown(say("sources.no_key_set"))
            return
        operator_key.ask(say, "source_entrance", border=False)


def show(say: Words, topic: Topic) -> None:
    """Draw the sources of the topic, then the others."""
    own = collecting.sources_of(topic)
    st.subheader(say("sources.of_topic", topic=topic.title))
    if not own:
        st.caption(say("sources.of_topic_none"))
    for sensor in own:
        _card(say, topic, sensor, own=True)
    st.subheader(say("sources.others"))
    st.caption(say("sources.others_lead"))
    rest = [sensor for sensor in available().values() if sensor not in own]
    # First those that could serve this topic.
    for sensor in sorted(rest, key=lambda one: bool(one.topics) and topic.key not in one.topics):
        _card(say, topic, sensor, own=False)


def _card(say: Words, topic: Topic, sensor: Sensor, *, own: bool) -> None:
    """Draw one source; while it is asked, this part of the page alone is drawn again and again."""
    busy = sensor.key in collecting.running(home()) or has_just_begun(sensor.key)
    with st.container(border=True):
        st.fragment(_inside, run_every=_LOOK_EVERY_S if busy else None)(say, topic, sensor, own, busy)


def has_just_begun(key: str) -> bool:
    """Say whether this visitor began a collection a moment ago, of which nothing can be seen yet."""
    began = st.session_state.get(f"source_began_{key}")
    return isinstance(began, datetime) and (datetime.now(UTC) - began).total_seconds() < _LIKELY_S


def _inside(say: Words, topic: Topic, sensor: Sensor, own: bool, busy: bool) -> None:
    now = collecting.running(home()).get(sensor.key)
    if busy and now is None and not has_just_begun(sensor.key):
        st.rerun()  # it has ended: the page says what came of it, and looks no more
    held = reports().get(sensor.key, [])
    state = state_of(sensor, held, has_key=not collecting.lacks_key(sensor))
    word, sign, colour = LOOKS[state.state]
    left, right = st.columns([4, 1], vertical_alignment="center")
    with left, st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{plain(sensor.title)}**", width="content")
        st.badge(say.text(word), icon=sign, color=colour)  # type: ignore[arg-type]
        if not sensor.recorded:
            st.badge(say.text("sources.documents_only"), icon=":material/menu_book:", color="gray")
    if state.state != NEVER or own:
        _numbers(say, topic, sensor, state, held, own)
        st.markdown(plain(say.said(state.said), 600))
    if busy:
        said = plain(say.said(now.text)) if now and now.text else say("sources.asking")
        st.progress((now.share if now else None) or 0.0, text=said)
    elif own and operator_key.is_operator():
        with right:
            _button(say, topic, sensor)
    tried(say, sensor)
    with st.expander(say("sources.about")):
        _about(say, sensor)


def _numbers(
    say: Words, topic: Topic, sensor: Sensor, state: SourceState, held: Sequence[FetchReport], own: bool
) -> None:
    """Draw when it was asked and will be, and what came of it so far."""
    told = {
        "sources.last_success": age(say, state.last_success) if state.last_success else "–",
        "sources.next_try": _next(say, topic, sensor, held, own),
        "sources.rows": say.number(state.rows),
        "sources.newest": age(say, state.newest) if state.newest else "–",
    }
    columns = st.columns(4)
    for column, (key, value) in zip(columns, told.items(), strict=True):
        with column:
            st.caption(say(key))
            st.markdown(value)  # words of ours


def _next(say: Words, topic: Topic, sensor: Sensor, held: Sequence[FetchReport], own: bool) -> str:
    if not own or schedule.refusal() or collecting.lacks_key(sensor):
        return say.text("sources.not_planned")
    try:
        question = signature(*collecting.task(topic, sensor, settings().real_store_url).ask())
    except CommonsightError:
        return say.text("sources.not_planned")
    due = schedule.next_try(question, held, topic.collect.every(sensor.key))
    ahead = (due - datetime.now(UTC)).total_seconds()
    return say.text("sources.soon") if ahead <= 60 else say.text("sources.ahead", time=_span(say, ahead + 30))


def age(say: Words, moment: str) -> str:
    """Say how long ago a moment (ISO 8601, UTC) was."""
    seconds = (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()
    return say.text("sources.just_now") if seconds < 60 else say.text("sources.ago", time=_span(say, seconds))


def _span(say: Words, seconds: float) -> str:
    for key, length in (("years", 365 * 86400.0), ("days", 86400.0), ("hours", 3600.0)):
        if seconds >= (2 if key == "years" else 1) * length:
            return say.text(f"sources.{key}", n=int(seconds // length))
    return say.text("sources.minutes", n=max(1, int(seconds // 60)))


def _button(say: Words, topic: Topic, sensor: Sensor) -> None:
    """Draw the button that asks a source now, or the reason why it cannot be asked."""
    task = collecting.task(topic, sensor, settings().real_store_url, force=True)
    try:
        task.ask()
    except CommonsightError as wrong:
        st.caption(plain(say.said(str(wrong))))
        return
    if parse(task.store).engine == "duckdb":
        st.caption(plain(say.said(schedule.refusal() or "")))
        return
    pressed = st.button(
        say("sources.try"),
        key=f"try_{sensor.key}",
        icon=":material/sync:",
        disabled=collecting.lacks_key(sensor),
    )
    if pressed:
        begin(task)
        st.rerun()


def begin(task: collecting.Task) -> None:
    """Begin a collection for the operator who pressed a button, and remember when."""
    st.session_state[f"source_began_{task.source}"] = datetime.now(UTC)
    st.session_state[f"source_before_{task.source}"] = len(reports().get(task.source, []))
    # Kept until it has ended, so that the system does not keep it for us.
    children = st.session_state.setdefault("source_children", {})
    children[task.source] = collecting.start(task, home())


def tried(say: Words, sensor: Sensor) -> None:
    """Say what came of the try of this session, once it has ended."""
    child = st.session_state.get("source_children", {}).get(sensor.key)
    if child is None or child.poll() is None:
        return
    new = reports().get(sensor.key, [])[st.session_state.get(f"source_before_{sensor.key}", 0) :]
    if not new:
        st.warning(say("sources.no_word", code=str(child.returncode)), icon=":material/error:")
        return
    tell(say, new[-1])


def tell(say: Words, report: FetchReport) -> None:
    """Say what came of one fetch."""
    from sensors import pull

    if pull.is_offline(report):
        st.warning(say("sources.offline"), icon=":material/wifi_off:")
    elif report.outcome in (FAILED, KEY_MISSING, WAITING):
        st.error(plain(say.said(report.said), 600), icon=":material/error:")
    elif report.good:
        done = say("sources.done", added=report.added, unchanged=report.unchanged, corrected=report.corrected)
        st.success(done, icon=":material/check_circle:")
    else:
        st.warning(plain(say.said(report.said), 600), icon=":material/help:")
    if report.rows_quarantined:
        reasons = "; ".join(f"{number}: {reason}" for reason, number in list(report.quarantined.items())[:3])
        st.caption(say("sources.quarantined", n=report.rows_quarantined, reasons=reasons))


def _about(say: Words, sensor: Sensor) -> None:
    key = "sources.key_none"
    if sensor.key_variable:
        key = "sources.key_needed" if sensor.key_needed else "sources.key_optional"
    tested = "sources.recorded" if sensor.recorded else "sources.from_documents"
    lines = {
        "sources.homepage": _address(sensor.homepage),
        "sources.licence": plain(sensor.licence),
        "sources.attribution": plain(sensor.attribution, 800),
        "sources.limits": plain(sensor.limits, 800),
        "sources.key": plain(say.text(key, name=sensor.key_variable or "")),
        "sources.tested": plain(f"{say.text(tested)} {sensor.evidence}", 800),
        "sources.command": verbatim(f"python -m commonsight pull {sensor.key}"),
    }
    st.markdown("\n".join(f"- {say(name)}: {value}" for name, value in lines.items()))


def _address(text: str) -> str:
    return f"<{text}>" if _PLAIN_ADDRESS.fullmatch(text) else plain(text)
