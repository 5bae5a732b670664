"""The receipt of an upload: its number, the token that takes it back, the link to it on the map; and undo.

The token is shown once and kept nowhere on our side but as the store's digest. It travels in a link only
inside the receipt that the contributor saves, and the page takes it out of the address at once.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import streamlit as st

import store
from situation.errors import CommonsightError
from situation.settings import settings
from situation.template import template_csv, template_xlsx
from situation.topic import Topic
from ui.plain import plain
from ui.words import Ready, Words

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def show_receipt(say: Words) -> bool:
    """Draw the receipt of what was just sent; says whether there was one."""
    if "receipt" not in st.session_state:
        return False
    receipt, look = st.session_state["receipt"]
    if receipt.already:
        st.info(say("receipt.already", batch=Ready(receipt.batch)), icon=":material/info:")
    else:
        st.success(say("receipt.done", batch=Ready(receipt.batch)), icon=":material/check_circle:")
        _show_counts(say, receipt)
        _show_links(say, receipt, look)
    if st.button(say("receipt.another"), icon=":material/add:", key="another"):
        del st.session_state["receipt"]
        st.rerun()
    return True


def _show_counts(say: Words, receipt: Any) -> None:
    with st.container(horizontal=True, gap="small"):
        for name in ("added", "unchanged", "corrected", "quarantined"):
            st.metric(say(f"receipt.{name}"), say.number(getattr(receipt, name)), border=True, width=150)
    st.caption(say("receipt.pending"))


def _show_links(say: Words, receipt: Any, look: dict[str, str]) -> None:
    look = look | {"batch": str(receipt.batch), "token": receipt.view_token or "", "review": "all"}
    st.page_link("map.py", label=say("receipt.map"), icon=":material/map:", query_params=look)
    st.markdown(say("receipt.token"))
    st.code(receipt.undo_token, language=None, wrap_lines=True)
    back = {"undo": str(receipt.batch), "undo_token": receipt.undo_token or ""}
    lines = [
        say.text("receipt.file_batch", batch=receipt.batch),
        say.text("receipt.file_token", token=receipt.undo_token),
        say.text("receipt.file_map", link=page_link("/", **look)),
        say.text("receipt.file_undo", link=page_link("/upload", **back)),
    ]
    with st.container(horizontal=True):
        st.download_button(
            say("receipt.save"),
            "\n".join(lines) + "\n",
            f"receipt_{receipt.batch}.txt",
            "text/plain",
            icon=":material/download:",
            on_click="ignore",
        )
        if st.button(say("receipt.undo_now"), icon=":material/undo:", key="undo_now"):
            _undo(say, receipt.batch, receipt.undo_token)


def say_undone(say: Words) -> None:
    """Say once that a batch was taken back."""
    done = st.session_state.pop("undone", None)
    if done is not None:
        st.success(say("undo.done", batch=Ready(done)), icon=":material/undo:")


def undo(say: Words) -> None:
    """Let somebody take an earlier upload back: batch number, token, one click."""
    number, secret = _asked_to_undo()
    with (
        st.expander(say("undo.title"), expanded=bool(number), icon=":material/undo:"),
        st.form("undo", border=False),
    ):
        st.markdown(say("undo.how"))
        batch = st.text_input(say("undo.batch"), value=number, max_chars=12)
        token = st.text_input(say("undo.token"), value=secret, max_chars=200, autocomplete="off")
        if st.form_submit_button(say("undo.button"), icon=":material/undo:"):
            _undo(say, (batch or "").strip(), (token or "").strip())


def _asked_to_undo() -> tuple[str, str]:
    """Take number and token out of a receipt's link; the address forgets them at once."""
    if "undo" in st.query_params:
        asked = [st.query_params.pop(name, "") for name in ("undo", "undo_token")]
        st.session_state["asked_to_undo"] = (asked[0] if asked[0].isdecimal() else "", asked[1][:200])
    kept: tuple[str, str] = st.session_state.get("asked_to_undo", ("", ""))
    return kept


def _undo(say: Words, batch: Any, token: str) -> None:
    if not str(batch).isdecimal() or not token:
        st.error(say("undo.incomplete"), icon=":material/error:")
        return
    try:
        store.shared(settings().real_store_url).withdraw(
            int(batch), "contributor", "undone with the receipt's token", token=token
        )
    except CommonsightError as wrong:
        st.error(plain(wrong), icon=":material/error:")
        return
    st.session_state.pop("receipt", None)
    st.session_state.pop("asked_to_undo", None)
    st.session_state["undone"] = int(batch)
    st.rerun()


def templates(say: Words, topic: Topic) -> None:
    """Offer the empty table of a topic."""
    with st.expander(say("template.title"), icon=":material/table:"):
        st.markdown(say("template.how"))
        with st.container(horizontal=True):
            st.download_button(
                say("template.xlsx"),
                lambda: template_xlsx(topic, say.language),
                f"{topic.key}_template.xlsx",
                XLSX,
                on_click="ignore",
            )
            st.download_button(
                say("template.csv"),
                template_csv(topic),
                f"{topic.key}_template.csv",
                "text/csv",
                on_click="ignore",
            )


def page_link(path: str, **params: object) -> str:
    """Write the full address of a page of this installation, for people to keep.

    Parameters
    ----------
    path : str
        From the root of the installation, e.g. ``"/upload"``.
    **params
        What the address carries.
    """
    here = (st.context.url or "").removesuffix("/").removesuffix("/upload")
    return f"{settings().base_url or here}{path}?{urlencode(params)}"
