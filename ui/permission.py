"""May this visitor see this view? Pending batches need their link, or the operator."""

from __future__ import annotations

import streamlit as st

from layers import access
from situation.errors import CommonsightError
from situation.view import View
from ui import cached, choice, operator_key
from ui.plain import plain
from ui.words import Words


def ask(say: Words, view: View) -> dict[str, str]:
    """Let the view pass, or say what is needed and stop the page.

    Returns
    -------
    dict
        What the map must add to its questions: the operator's pass, or nothing.
    """
    if view.as_of is not None and view.as_of > cached.version():
        st.error(
            say("map.as_of_none", version=str(view.as_of), newest=str(cached.version())),
            icon=":material/history:",
        )
        st.button(say("map.as_of_leave"), on_click=choice.put, kwargs={"as_of": None})
        st.stop()
    if view.review == "accepted" and view.batch is None:
        return {}
    if operator_key.is_operator():
        return {"token": access.operator_pass()}
    try:
        access.check(view)
    except CommonsightError as refusal:
        st.error(plain(str(refusal)), icon=":material/lock:")
        st.stop()
    return {}
