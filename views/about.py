"""The about page: what the topic is, how to read the map, which limits, and what stays private."""

import streamlit as st

from ui import about_parts
from ui.words import words

say = words()
st.title(say("about.title"))
topic = about_parts.choose(say)
about_parts.simulated(say, topic)
about_parts.subject(topic)
about_parts.legend(say, topic)
about_parts.limits(say, topic)
about_parts.privacy(say, topic)
about_parts.data(say, topic)
about_parts.people(say, topic)
