"""The Sources page: where readings come from, how each source is, and what it did last."""

import streamlit as st

from ui import about_parts, source_parts
from ui.words import words

say = words()
st.title(say("sources.title"))
st.markdown(say("sources.lead"))
topic = about_parts.choose(say)
source_parts.background(say, topic)
source_parts.entrance(say)
source_parts.show(say, topic)
