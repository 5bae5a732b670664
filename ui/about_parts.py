"""The parts of the about page, each a function that draws one."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from layers.subject import shown_topics
from situation.properties import PROPERTIES
from situation.standard import standards
from situation.status import STATUSES, STYLE
from situation.topic import Topic
from situation.unit import shown as shown_unit
from ui import cached
from ui.marks import mark
from ui.plain import plain, verbatim
from ui.words import Ready, Words, choose_language

_ROW = (
    '<div style="display:flex;gap:.75rem;align-items:flex-start;margin:.35rem 0">'
    '<span style="flex:none;margin-top:.15rem">{mark}</span><span><b>{label}.</b> {text}</span></div>'
)


def choose(say: Words) -> Topic:
    """Ask for the language and the topic; both stand in the address."""
    known = shown_topics()
    language, subject = st.columns([1, 2])
    with language:
        choose_language(say)
    asked = st.query_params.get("topic")
    options = list(known)
    index = options.index(asked) if asked in known else 0
    with subject:
        key = st.selectbox(
            say("upload.topic"), options, index=index, format_func=lambda name: known[name].title
        )
    st.query_params["topic"] = key
    return known[key]


def simulated(say: Words, topic: Topic) -> None:
    """Say that the readings are invented, where they are."""
    if topic.demonstration and cached.simulated():
        st.warning(say("about.simulated"), icon=":material/science:")


def subject(topic: Topic) -> None:
    """Show what the topic says about itself: its own Markdown, in which no HTML runs."""
    st.subheader(plain(topic.title))
    if topic.question:
        st.markdown(f"*{plain(topic.question)}*")
    st.markdown(topic.about)


def legend(say: Words, topic: Topic) -> None:
    """Explain every status by its colour and shape, and what unknown means."""
    st.subheader(say("about.read"))
    st.markdown(say("about.read_lead"))
    rows = []
    for status in sorted(STATUSES, key=lambda name: STYLE[name].order):
        style = STYLE[status]
        key = {"no limit": "none"}.get(status, status)
        rows.append(
            _ROW.format(
                mark=mark(style.shape, style.colour),
                label=escape(say.text(f"about.name_{key}")),
                text=escape(say.text(f"about.status_{key}")),
            )
        )
    st.html("".join(rows))
    st.markdown(say("about.stale", days=topic.stale_days))
    st.markdown(f"**{say('about.unknown_title')}**")
    st.markdown(say("about.unknown"))


def limits(say: Words, topic: Topic) -> None:
    """List the limits of the topic's standards, each with its reference and whether it was verified."""
    st.subheader(say("about.limits"))
    st.markdown(say("about.limits_lead"))
    known = standards()
    for key in topic.standards:
        standard = known[key]
        table = standard.limits[standard.limits["property"].isin(topic.properties)]
        with st.expander(f"{plain(standard.title)} ({len(table)})", expanded=key == topic.standard):
            st.dataframe(
                _limit_table(say, table),
                hide_index=True,
                column_config={
                    say.text("about.limit_url"): st.column_config.LinkColumn(validate=r"^https://"),
                    say.text("about.limit_verified"): st.column_config.CheckboxColumn(),
                },
            )


def _limit_table(say: Words, table: pd.DataFrame) -> pd.DataFrame:
    unit = table["unit"].map(shown_unit) + " " + table["method_speciation"].fillna("").astype("str")
    shown = {
        "property": table["property"].map(lambda key: PROPERTIES[key].title if key in PROPERTIES else key),
        "value": [_number(row) for row in table.to_dict("records")],
        "unit": unit.str.strip(),
        "kind": [", ".join(filter(None, pair)) for pair in zip(table["kind"], table["tier"], strict=True)],
        "verified": table["verified"].map(_yes),
        "reference": [
            f"{said} ({terms})" if terms else said
            for said, terms in zip(table["reference"], table["terms"], strict=True)
        ],
        "url": table["url"],
    }
    return pd.DataFrame({say.text(f"about.limit_{name}"): column for name, column in shown.items()})


def _number(row: Mapping[str, Any]) -> str:
    if row["comparison"] == "outside range":
        return f"{row['lower']:g}–{row['upper']:g}"
    return f"{row['value']:g}"


def _yes(cell: object) -> bool:
    return cell is True or str(cell).strip().casefold() in ("true", "yes", "1", "y")


def privacy(say: Words, topic: Topic) -> None:
    """Say which places are blurred, how, and what is left out about people."""
    st.subheader(say("about.privacy"))
    st.markdown(say("about.privacy_text", metres=int(topic.grid_m)))
    hidden = [kind.replace("_", " ") for kind, rule in topic.privacy.items() if rule != "exact"]
    if hidden:
        st.markdown(say("about.privacy_rules", names=Ready(", ".join(map(plain, hidden)))))
    st.markdown(say("about.privacy_people"))


def data(say: Words, topic: Topic) -> None:
    """Name the version and licence of the readings."""
    st.subheader(say("about.data"))
    st.markdown(say("about.version", version=Ready(verbatim(cached.version()))))
    st.markdown(say("about.licence", licence=topic.licence))


def people(say: Words, topic: Topic) -> None:
    """Name whom to ask, and others who measure."""
    st.subheader(say("about.contact"))
    st.markdown(plain(topic.contact) if topic.contact else say("about.contact_none"))
    st.subheader(say("about.help"))
    groups = getattr(topic, "help", ())
    st.markdown("\n".join(f"- {plain(group)}" for group in groups) if groups else say("about.help_none"))
