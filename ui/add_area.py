"""Under the map: "collect open data for what I see", for the operator.

Lists the open sources that could have data of the topic for the box that the map shows, with what they
would cost in requests. Nobody is asked before the button of a source is pressed; then a child process asks,
and the page goes on.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import streamlit as st

from situation.errors import CommonsightError
from situation.settings import settings
from situation.topic import Box, Topic
from situation.view import View
from ui import operator_key
from ui.plain import plain
from ui.words import Words

if TYPE_CHECKING:
    # What asks sources takes two seconds to import; only an operator who looks for sources needs it.
    from sensors.collecting import Task
    from sensors.sensor import Sensor

#: Degrees of width or height from which on a box is called very large.
_WIDE = 10.0
_LOOK_EVERY_S = 1.5


def show(say: Words, view: View) -> None:
    """Draw the expander; what is in it is worked out only once somebody wants to know."""
    if settings().read_only:
        return
    with st.expander(say("sources.area"), icon=":material/travel_explore:"):
        st.caption(say("sources.area_lead"))
        if not operator_key.is_operator():
            st.info(say("sources.area_operator"), icon=":material/key:")
            st.page_link("sources.py", label=say("sources.title"), icon=":material/sensors:")
            return
        # The map writes its box into the address without running the page; pressing this reads it (layers/live.js).
        if st.button(say("sources.area_look"), key="map_look", icon=":material/search:"):
            st.session_state["add_area"] = box_of(view)
        box = st.session_state.get("add_area")
        if box is not None:
            _listed(say, view.chosen_topic, box)


def box_of(view: View) -> Box:
    """Give the box that the map shows, west to east within the globe; the topic's area if it has not said.

    A map that was dragged around the world gives longitudes beyond 180.

    >>> box_of(View("groundwater", "nitrate", "", bbox=(269.0, 43.0, 271.0, 44.0)))
    (-91.0, 43.0, -89.0, 44.0)
    """
    west, south, east, north = view.bbox or view.chosen_topic.area
    turns = math.floor(((west + east) / 2 + 180) / 360) * 360
    return max(-180.0, west - turns), max(-90.0, south), min(180.0, east - turns), min(90.0, north)


def _listed(say: Words, topic: Topic, box: Box) -> None:
    from sensors import collecting, schedule
    from ui import source_parts

    west, south, east, north = (f"{side:.2f}" for side in box)
    st.markdown(say("sources.area_box", west=west, south=south, east=east, north=north))
    if box[2] - box[0] > _WIDE or box[3] - box[1] > _WIDE:
        st.warning(say("sources.area_wide"), icon=":material/zoom_in:")
    if (refused := schedule.refusal()) and settings().collect:
        st.warning(plain(say.said(refused)))
        return
    found = collecting.could_serve(topic, box)
    if not found:
        st.info(say("sources.area_none"), icon=":material/search_off:")
    for sensor in found:
        busy = sensor.key in collecting.running(source_parts.home()) or source_parts.has_just_begun(
            sensor.key
        )
        with st.container(border=True):
            st.fragment(_one, run_every=_LOOK_EVERY_S if busy else None)(say, topic, sensor, box, busy)


def _one(say: Words, topic: Topic, sensor: Sensor, box: Box, busy: bool) -> None:
    from sensors import collecting
    from ui import source_parts

    now = collecting.running(source_parts.home()).get(sensor.key)
    if busy and now is None and not source_parts.has_just_begun(sensor.key):
        st.rerun()
    task = collecting.task(topic, sensor, settings().real_store_url, bbox=box, force=True)
    name, button = st.columns([4, 1], vertical_alignment="center")
    with name:
        st.markdown(f"**{plain(sensor.title)}**")
        st.caption(cost(say, sensor, task))
    if busy:
        said = plain(say.said(now.text)) if now and now.text else say("sources.asking")
        st.progress((now.share if now else None) or 0.0, text=said)
    elif not collecting.lacks_key(sensor):
        with button:
            if st.button(say("sources.area_start"), key=f"area_{sensor.key}", icon=":material/download:"):
                source_parts.begin(task)
                st.rerun()
    source_parts.tried(say, sensor)


def cost(say: Words, sensor: Sensor, task: Task) -> str:
    """Say in words what a task would cost a source in requests, without asking it."""
    from sensors import collecting, pull

    if collecting.lacks_key(sensor):
        return say("sources.key_needed", name=sensor.key_variable or "")
    try:
        number = pull.cost(*task.ask())
    except CommonsightError as wrong:
        return plain(say.said(str(wrong)))
    if number is None:
        return say("sources.area_cost_unknown")
    return say("sources.area_cost", n=number, seconds=f"{sensor.pause_s:g}")
