"""The language of a page: chosen by the reader, kept in the address as ``lang``.

:class:`Words` says the sentences of ``situation/messages.py`` in Markdown, with every value in them
escaped; values that are Markdown already (made by ``ui/plain.py``) come as :class:`Ready`.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from situation.messages import languages, message, page_language, right_to_left, translated
from ui.plain import plain, verbatim

_RIGHT_TO_LEFT = "<style>[data-testid='stMain'] {direction: rtl; text-align: right}</style>"


class Ready(str):
    """Markdown made by us: not to be escaped again."""


@dataclass(frozen=True)
class Words:
    """The sentences of one language."""

    language: str

    def __call__(self, key: str, /, **values: object) -> str:
        """Say a sentence in Markdown; strings among *values* are escaped unless :class:`Ready`."""
        safe = {name: self._safe(value) for name, value in values.items()}
        return message(key, self.language, **safe)

    def text(self, key: str, /, **values: object) -> str:
        """Say a sentence as plain text, for places that read no Markdown (cells, files, options)."""
        return message(key, self.language, **values)

    def said(self, sentence: object) -> str:
        """Say what the reader of field files said in English, as plain text, in this language if it can."""
        return translated(str(sentence), self.language)

    def number(self, value: int) -> str:
        """Write a whole number with a thin space between thousands, as every language reads it."""
        return f"{value:,}".replace(",", "\u202f")

    def _safe(self, value: object) -> object:
        if isinstance(value, Ready):
            return value
        if isinstance(value, bool) or not isinstance(value, int):
            return plain(value) if isinstance(value, str) else value
        return self.number(value)


def quoted(text: object) -> Ready:
    """Give what stands in somebody's file as a code span that needs no further escaping."""
    return Ready(verbatim(text))


def words() -> Words:
    """Find the language of this visit: from the address, else from the page before, else English."""
    code = page_language(st.query_params.get("lang") or st.session_state.get("language"))
    st.session_state["language"] = code
    if right_to_left(code):
        st.html(_RIGHT_TO_LEFT)
    return Words(code)


def choose_language(say: Words) -> None:
    """Draw the choice of language; the answer goes into the address."""
    names = languages()
    st.session_state["language_choice"] = say.language
    st.selectbox(
        "Language · Langue · Idioma",
        list(names),
        format_func=lambda code: names[code],
        key="language_choice",
        on_change=_keep_language,
    )


def _keep_language() -> None:
    code = page_language(st.session_state["language_choice"])
    st.session_state["language"] = code
    st.query_params["lang"] = code
