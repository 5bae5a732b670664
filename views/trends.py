"""The trends page: where levels are going, how sure that is, and when a limit may be crossed."""

import streamlit as st

from situation.properties import PROPERTIES
from ui import cached, choice, map_parts, permission, trend_parts
from ui.words import words

say = words()
cached.get_ready(say("map.wait"))
view = choice.view()
permission.ask(say, view)  # stops the page where something is not for everybody

st.title(say("trends.title", property=PROPERTIES[view.observed_property].title))
st.caption(say("trends.lead"))
shown = cached.trends(view, say("trends.wait"))
map_parts.cautions(say, view)
choice.ask(say, view)
if not len(shown.rows):
    st.info(say("trends.nothing"), icon=":material/search_off:")
    st.stop()
trend_parts.top(say, view, shown)
picked = trend_parts.table(say, view, shown)
trend_parts.chosen(say, view, shown, picked)
