"""The parts of the map page around the map: warnings, headline, what changed, and the table."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from layers.picture import Picture
from situation.headline import headline
from situation.paragraph import Paragraph
from situation.result import words
from situation.spreadsheet import safe_cells
from situation.status import label
from situation.view import View
from ui import add_area, cached, choice
from ui.plain import plain
from ui.words import Words

_MOST_ROWS = 5_000
_MOST_CHANGES = 200
#: Cookie in which the browser keeps what it saw last: ``<data version>.<day>``; set by layers/live.js.
SEEN = "commonsight_seen"


def warnings(say: Words, view: View, shown: Picture) -> None:
    """Say first what must not be overlooked."""
    cautions(say, view)
    if len(shown.sites) == 0:
        st.info(say("map.nothing"), icon=":material/search_off:")


def cautions(say: Words, view: View) -> None:
    """Say that readings are simulated, or pending, or those of the past."""
    if cached.simulated():
        st.info(say("map.simulated"), icon=":material/science:")
    if view.batch is not None:
        st.warning(say("map.pending", batch=str(view.batch)), icon=":material/hourglass_top:")
    elif view.review == "all":
        st.warning(say("map.everything"), icon=":material/hourglass_top:")
    if view.as_of is not None:
        st.warning(
            say("map.as_of_note", version=str(view.as_of), newest=str(cached.version())),
            icon=":material/history:",
        )
        st.button(say("map.as_of_leave"), on_click=choice.put, kwargs={"as_of": None, "at": None})


def top(say: Words, view: View, shown: Picture, words: Paragraph) -> None:
    """Draw the sentence that says it all, and the four numbers behind it."""
    told = headline(shown.sites)
    st.markdown(f"#### {plain(words.lead)}")
    with st.container(horizontal=True):
        st.metric(say("map.sites"), say.number(told.sites))
        ranged = shown.sites["limit_comparison"].eq("outside range").any()
        # Nothing is above a limit that does not exist: that is not the same as none.
        unlimited = told.sites and told.no_limit == told.sites
        above = say("map.no_limit") if unlimited else say.number(told.above)
        st.metric(say("map.outside" if ranged else "map.above"), above)
        st.metric(
            say("map.unsure"),
            say.number(told.unsure),
            help=say("map.unsure_help", days=view.chosen_topic.stale_days),
        )
        st.metric(say("map.newest"), told.newest.date().isoformat() if told.newest else say("map.none"))


def foot(say: Words, view: View, shown: Picture, words: Paragraph) -> None:
    """Say how sure the headline is, and what the map does not show."""
    st.markdown(" ".join(plain(sentence) for sentence in words.sentences[1:]))
    st.caption(say("map.not_safe"))
    rule, nowhere = shown.sites["position_rule"], shown.sites["longitude"].isna()
    withheld = int(rule.eq("withheld").sum())
    unplaced = int((nowhere & rule.ne("withheld")).sum())
    topic = view.chosen_topic
    if unplaced:
        st.caption(say("map.unplaced", n=unplaced))
    if withheld:
        st.caption(say("map.withheld", n=withheld, k=topic.k))
    hidden = rule[rule.isin(["blurred", "area"])]
    if len(hidden):
        widest = topic.area_m if hidden.eq("area").any() else topic.grid_m
        st.caption(say("map.blurred", n=len(hidden), metres=round(widest)))


def export(say: Words, view: View) -> None:
    """Offer to publish just what the map shows: the snapshot page, with the map's box."""
    # The map writes its box into the address without running the page; pressing this reads it (layers/live.js).
    if st.button(
        say("publish.page.export"),
        key="map_publish",
        icon=":material/ios_share:",
        help=say("publish.page.export_help"),
    ):
        box = add_area.box_of(view) if view.bbox else None
        shown = view.but(bbox=box, site=None, zoom=None, since=None, only="all", areas=None)
        st.switch_page("snapshot.py", query_params=shown.to_params() | {"lang": say.language})


def table(say: Words, view: View, shown: Picture) -> None:
    """Draw the same sites as a table, with downloads."""
    st.caption(say("map.table_lead"))
    rows = shown.worst(_MOST_ROWS)
    st.dataframe(
        pd.DataFrame(
            {
                say.text("map.col_name"): rows["monitoring_location_name"].fillna(
                    rows["monitoring_location_id"]
                ),
                say.text("map.col_status"): [
                    say.said(label(status, comparison))
                    for status, comparison in zip(rows["status"], rows["limit_comparison"], strict=True)
                ],
                say.text("map.col_result"): words(rows),
                say.text("map.col_limit"): rows["limit"],
                say.text("map.col_time"): rows["phenomenon_time"].dt.tz_localize(None),
                say.text("map.col_fresh"): [say.said(text) for text in rows["freshness"]],
                say.text("map.col_method"): [
                    say.said(text) for text in rows["procedure_class"].fillna("unknown")
                ],
                say.text("map.col_n"): rows["n"],
                say.text("map.col_lon"): rows["longitude"].round(5),
                say.text("map.col_lat"): rows["latitude"].round(5),
                say.text("map.col_site"): rows["monitoring_location_id"],
            }
        ),
        hide_index=True,
        width="stretch",
        column_config={
            say.text("map.col_time"): st.column_config.DatetimeColumn(format="YYYY-MM-DD"),
        },
    )
    if len(shown.sites) > len(rows):
        st.caption(say("map.table_more", shown=len(rows), n=len(shown.sites)))
    _downloads(say, view, shown)


def _downloads(say: Words, view: View, shown: Picture) -> None:
    with st.container(horizontal=True):
        st.download_button(
            say("map.table_download"),
            lambda: safe_cells(shown.worst(len(shown))).to_csv(index=False).encode(),
            file_name=view.file_name("sites.csv"),
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        asked = urlencode(view.but(bbox=None, zoom=None, site=None).to_params())
        st.link_button(
            say("map.table_download_all"), f"api/observations.csv?{asked}", icon=":material/database:"
        )
        st.link_button(say("map.table_geojson"), f"api/status.geojson?{asked}", icon=":material/data_object:")


def changes(say: Words, view: View, shown: Picture) -> None:
    """Say what is different from a day, or from what this browser saw last."""
    options = _since(say)
    label = st.selectbox(
        say("map.changes_since"), list(options), format_func=lambda kind: options[kind], key="changes_since"
    )
    before = _before(say, view, str(label))
    if before is None:
        return
    then, day = before
    found = cached.changes(then, view)
    st.caption(say("map.changes_note", day=day))
    kinds = {
        "map.changes_new": found.new_above,
        "map.changes_back": found.back_below,
        "map.changes_first": found.first_readings,
    }
    if not any(len(rows) for rows in kinds.values()):
        st.info(say("map.changes_none"))
    for key, rows in kinds.items():
        if len(rows):
            st.markdown(f"**{say(key)}: {say.number(len(rows))}**")
            _listed(say, rows.head(_MOST_CHANGES))


def _since(say: Words) -> dict[str, str]:
    seen = _seen()
    visit = {"visit": say.text("map.changes_visit", day=seen[1])} if seen else {}
    return visit | {"day": say.text("map.changes_day")}


def _seen() -> tuple[int, str] | None:
    """Read what the browser saw last: kept for the session, because the map moves the cookie on."""
    if "seen" not in st.session_state:
        st.session_state["seen"] = st.context.cookies.get(SEEN, "")
    version, _, day = str(st.session_state["seen"]).partition(".")
    return (int(version), day[:10]) if version.isdigit() and len(version) < 16 else None


def _before(say: Words, view: View, kind: str) -> tuple[View, str] | None:
    seen = _seen()
    if kind == "visit" and seen and seen[0] <= cached.version():
        return view.but(as_of=seen[0]), seen[1]
    usual = date.fromisoformat(view.since) if view.since else year_ago(view)
    picked = st.date_input(say("map.changes_pick"), usual, key="changes_day", on_change=_keep_since)
    if not isinstance(picked, date):
        return None
    return view.but(period=f"/{picked.isoformat()}"), picked.isoformat()


def year_ago(view: View) -> date:
    """Give the day a year before the newest reading: against which a view is compared at first."""
    newest = cached.picture(view).sites["phenomenon_time"].max()
    day: date = ((cached.now() if pd.isna(newest) else newest) - pd.DateOffset(years=1)).date()
    return day


def _keep_since() -> None:
    picked = st.session_state.get("changes_day")
    choice.put(since=picked.isoformat() if isinstance(picked, date) else None)


def _listed(say: Words, rows: pd.DataFrame) -> None:
    st.dataframe(
        pd.DataFrame(
            {
                say.text("map.col_name"): rows["monitoring_location_name"].fillna(
                    rows["monitoring_location_id"]
                ),
                say.text("map.col_result"): words(rows),
                say.text("map.col_time"): rows["phenomenon_time"].dt.strftime("%Y-%m-%d"),
            }
        ),
        hide_index=True,
        width="stretch",
    )
