"""The map page: where the readings are, and how they compare."""

import streamlit as st

from ui import add_area, area_parts, cached, choice, map_frame, map_parts, next_parts, permission, site_panel
from ui.words import words

say = words()
cached.get_ready(say("map.wait"))
view = area_parts.fitting(choice.view())
asked = permission.ask(say, view)  # stops the page where something is not for everybody
picture = cached.picture(view)
words_of_it = cached.paragraph(view, say.language)

st.title(picture.topic.title)
st.caption(picture.topic.question)
map_parts.warnings(say, view, picture)
choice.ask(say, view)
map_parts.top(say, view, picture, words_of_it)

chart, panel = st.columns([3, 2], gap="medium")
with chart:
    map_frame.show(say, view, picture, asked, words_of_it.text)
    map_parts.foot(say, view, picture, words_of_it)
    map_parts.export(say, view)
    add_area.show(say, view)
with panel:
    site_panel.show(say, view, picture)

sites, areas, ahead, changes = st.tabs(
    [say("map.table"), say("areas.tab"), say("surface.tab"), say("map.changes")],
    key="map_tabs",
    on_change="rerun",
)
with sites:
    map_parts.table(say, view, picture)
with areas:
    area_parts.show(say, view)
if ahead.open:  # a plan takes a second or more: only for whoever looks at it
    with ahead:
        next_parts.show(say, view, picture)
with changes:
    map_parts.changes(say, view, picture)
