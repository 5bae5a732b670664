"""The operator's key, until there are roles: one secret in the environment opens the review page.

The key itself is never kept: the session remembers only *that* it fitted, and a digest of it, so that a
changed key closes every open review. Guessing is slowed down by address: five wrong keys, then a wait
that doubles.

What surprised us: comparing two texts takes longer the more of them agrees; ``compare_digest`` on
digests of equal length does not tell.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st

from situation.settings import settings
from ui.words import Words

FREE_TRIES = 5
FIRST_WAIT_S = 30.0
LONGEST_WAIT_S = 900.0
MOST_ADDRESSES = 10_000


@dataclass
class Throttle:
    """Counts wrong keys by address; times in seconds of a clock that only goes forward."""

    clock: Callable[[], float] = time.monotonic
    _wrong: dict[str, tuple[int, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_s(self, who: str) -> float:
        """Say how long *who* has to wait before the next try; 0 when now is fine."""
        with self._lock:
            count, last = self._wrong.get(who, (0, 0.0))
        if count < FREE_TRIES:
            return 0.0
        wait = min(FIRST_WAIT_S * 2.0 ** min(count - FREE_TRIES, 16), LONGEST_WAIT_S)
        return max(0.0, last + wait - self.clock())

    def wrong(self, who: str) -> None:
        """Count a wrong key of *who*."""
        with self._lock:
            if len(self._wrong) >= MOST_ADDRESSES:
                self._wrong.pop(min(self._wrong, key=lambda name: self._wrong[name][1]))
            self._wrong[who] = (self._wrong.get(who, (0, 0.0))[0] + 1, self.clock())

    def right(self, who: str) -> None:
        """Forget the wrong keys of *who*."""
        with self._lock:
            self._wrong.pop(who, None)


THROTTLE = Throttle()


def key_is_set() -> bool:
    """Say whether this site has an operator key at all."""
    return bool(settings().operator_key)


def fits(given: str) -> bool:
    """Compare a key with the operator's, in a time that says nothing about it."""
    return bool(settings().operator_key) and hmac.compare_digest(_digest(given), _mark())


def wait_s() -> float:
    """Seconds until this visitor may try again."""
    return THROTTLE.wait_s(_visitor())


def open_with(given: str) -> bool:
    """Try a key: remembers in the session that it fitted, or counts it as wrong."""
    if wait_s() > 0 or not fits(given):
        THROTTLE.wrong(_visitor())
        return False
    THROTTLE.right(_visitor())
    st.session_state["operator"] = _mark()
    return True


def ask(say: Words, key: str, *, border: bool = True) -> None:
    """Draw the form that asks for the key, and say what became of the one given; *key* names the form."""
    with st.form(key, border=border):
        given = st.text_input(say("review.key"), type="password", autocomplete="current-password")
        if not st.form_submit_button(say("review.enter"), icon=":material/key:") or not given:
            return
        waiting = wait_s()
        if waiting > 0:
            st.error(say("review.wait", seconds=round(waiting) + 1), icon=":material/hourglass_top:")
        elif open_with(given):
            st.rerun()
        else:
            st.error(say("review.wrong"), icon=":material/error:")


def is_operator() -> bool:
    """Say whether the key was given in this session and is still the key."""
    mark = st.session_state.get("operator")
    return key_is_set() and isinstance(mark, bytes) and hmac.compare_digest(mark, _mark())


def leave() -> None:
    """Close the review."""
    st.session_state.pop("operator", None)


def _mark() -> bytes:
    return _digest(settings().operator_key or "")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _visitor() -> str:
    address = st.context.ip_address
    return address if isinstance(address, str) and address else "here"
