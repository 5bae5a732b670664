"""The snapshot page: choose what to show, freeze it, and take it along as a picture, a document or data."""

import streamlit as st

from ui import cached, choice, map_parts, permission, snapshot_parts
from ui.words import words

say = words()
cached.get_ready(say("map.wait"))
st.title(say("publish.page.title"))
st.caption(say("publish.page.lead"))

shot = snapshot_parts.kept(say)  # the one in the address, if there is one
if shot is None:
    view = choice.view()
    permission.ask(say, view)  # stops the page where something is not for everybody
    map_parts.cautions(say, view)
    choice.ask(say, view)
    snapshot_parts.scope(say, view)
    title = snapshot_parts.title(say, view)
    shot = cached.snapshot(view, snapshot_parts.written(say), title, snapshot_parts.surface())
look = snapshot_parts.ask_look(say, shot)

picture, beside = st.columns([3, 2], gap="medium")
with picture:
    snapshot_parts.preview(say, shot, look)
    snapshot_parts.keep(say, shot)
with beside:
    snapshot_parts.checks(say, shot)
snapshot_parts.tabs(say, shot, look)
