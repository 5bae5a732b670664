"""The pages of Commonsight, in the order a visitor meets them: the table of contents."""

from pathlib import Path

import streamlit as st

from situation.settings import settings
from ui.words import words

HERE = Path(__file__).parent
PAGES = {
    "map.py": ("map.page", ":material/map:"),
    "trends.py": ("trends.page", ":material/trending_up:"),
    "snapshot.py": ("publish.page.page", ":material/photo_camera:"),
    "upload.py": ("upload.title", ":material/upload_file:"),
    "review.py": ("review.title", ":material/rule:"),
    "sources.py": ("sources.title", ":material/sensors:"),
    "about.py": ("about.title", ":material/info:"),
}

WRITING = ("upload.py", "review.py")

st.set_page_config(page_title="Commonsight", page_icon=str(HERE.parent / "ui" / "icon.png"), layout="wide")
say = words()
page = st.navigation(
    [
        st.Page(file, title=say.text(title), icon=icon, default=file == "map.py")
        for file, (title, icon) in PAGES.items()
        if (HERE / file).is_file() and not (settings().read_only and file in WRITING)
    ],
    position="top",
)
# A page of the menu has an address of its own, without the choice: whoever arrives from another brings it.
st.session_state["arrived"] = st.session_state.get("page") not in (None, page.url_path)
st.session_state["page"] = page.url_path
# Streamlit leaves a hand's breadth above the first line, which a phone cannot spare.
st.html("<style>[data-testid='stMainBlockContainer'] {padding-top: 4.5rem}</style>")
page.run()
