"""The steps of the upload page, each a function that draws one.

Pick a file, see what we understood, answer questions, look at the result, send it. (Receipt and undo are
in ``ui/receipt.py``.) Every sentence comes from the message catalogue; everything that came out of somebody's file is
shown through ``ui/plain.py``, or in a table, where it is never read as Markdown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from layers.preview import draw
from situation.errors import CommonsightError
from situation.help_file import help_csv, help_xlsx, rows_to_help
from situation.privacy import public
from situation.properties import PROPERTIES
from situation.settings import settings
from situation.topic import Topic, topics
from ui import upload_state
from ui.plain import plain, verbatim
from ui.receipt import XLSX, page_link
from ui.upload_state import Reading, Upload
from ui.words import Ready, Words, choose_language, quoted

TYPES = ["csv", "tsv", "txt", "xlsx", "xls", "ods", "zip"]
UNSURE = "__unsure__"
OTHER = "__other__"
PREVIEW_ROWS = 500
MARGIN = 0.02  # degrees around the readings when the map opens on them


def choose(say: Words) -> tuple[Topic, bool]:
    """Ask for language, topic and practice; practice says so in a banner that stays."""
    known = topics()
    if not known:
        st.error(say("upload.no_topic"), icon=":material/error:")
        st.stop()
    language, subject, practice = st.columns([1, 2, 1], vertical_alignment="bottom")
    with language:
        choose_language(say)
    asked = st.query_params.get("topic")
    options = list(known)
    if "upload_topic" not in st.session_state:
        st.session_state["upload_topic"] = asked if asked in known else options[0]
    with subject:
        key = st.selectbox(
            say("upload.topic"), options, format_func=lambda name: known[name].title, key="upload_topic"
        )
    with practice:
        trying = st.toggle(say("upload.practice"), key="practice", help=say("upload.practice_help"))
    if trying:
        st.warning(say("upload.practice_on"), icon=":material/school:")
    return known[key], trying


def pick(say: Words, topic: Topic, practice: bool) -> Upload | None:
    """Take files, read them, and give the upload, or None while there is none."""
    st.subheader(say("upload.step_file"))
    files = st.file_uploader(
        say("upload.drop"),
        type=TYPES,
        accept_multiple_files=True,
        max_upload_size=settings().max_upload_mb,
        key=f"files-{st.session_state.get('picked', 0)}",
        help=say("upload.drop_help"),
    )
    st.caption(say("upload.limits", size=settings().max_upload_mb))
    upload = upload_state.current()
    if st.session_state.pop("draft_gone", False):
        st.info(say("upload.draft_gone"), icon=":material/info:")
    try:
        upload = _taken(files, topic, practice, upload)
    except CommonsightError as wrong:
        st.error(plain(say.said(wrong)), icon=":material/error:")
        return None
    if upload is None:
        return None
    if upload.reading is None and upload.trouble is None:
        _read(say, upload)
    _say_draft(say, upload)
    if upload.trouble:
        st.error(plain(say.said(upload.trouble)), icon=":material/error:")
        st.markdown(say("upload.trouble_next"))
    return upload


def _taken(files: Sequence[Any], topic: Topic, practice: bool, upload: Upload | None) -> Upload | None:
    mark = (tuple(file.file_id for file in files), topic.key, practice)
    if files and st.session_state.get("taken") != mark:
        st.session_state["taken"] = mark
        said = upload.answers if upload and upload.topic == topic.key else {}
        upload = upload_state.begin([(file.name, file.getvalue()) for file in files], topic.key, practice)
        if said and len(files) > 1:  # a site table was added to the file already talked about
            upload.answers.update(said)
    elif not files and upload and st.session_state.get("taken"):
        upload_state.forget(upload)
        st.session_state.pop("taken")
        return None
    return upload


def _read(say: Words, upload: Upload) -> None:
    place = st.empty()

    def show(seconds: float, done: float | None, what: str) -> None:
        share = min(done, 1.0) if done is not None else 1 - 1 / (1 + seconds / 10)
        with place.container():
            st.progress(share, text=say("upload.reading", seconds=round(seconds)))

    upload_state.read(upload, show)
    place.empty()


def _say_draft(say: Words, upload: Upload) -> None:
    if upload.draft:
        link = page_link("/upload", draft=upload.draft, lang=say.language)
        with st.expander(say("upload.draft_kept"), icon=":material/bookmark:"):
            st.markdown(say("upload.draft_how"))
            st.code(link, language=None, wrap_lines=True)
            if st.button(say("upload.draft_drop"), icon=":material/delete:", key="drop_draft"):
                upload_state.forget(upload)
                st.rerun()


def understood(say: Words, reading: Reading) -> None:
    """Show what was read: the sum of rows, the dialect, the columns, places and dates."""
    report = reading.report
    st.subheader(say("upload.step_understood"))
    _show_sum(say, report)
    st.markdown("\n".join(f"- {line}" for line in _facts(say, reading)))
    for warning in report.get("warnings") or []:
        st.info(plain(say.said(warning)), icon=":material/info:")
    columns = pd.DataFrame(_column_lines(say, report))
    if len(columns):
        with st.expander(say("upload.columns", n=len(columns)), expanded=len(columns) <= 12):
            st.dataframe(columns, hide_index=True, alt=say.text("upload.columns_alt"))
    dropped = _dropped(report)
    if dropped:
        names = Ready(", ".join(verbatim(name) for name in dropped))
        st.markdown(say("upload.dropped", names=names))


def _show_sum(say: Words, report: Mapping[str, Any]) -> None:
    parts = [
        ("upload.sum_rows", "rows_in"),
        ("upload.sum_observed", "rows_observed"),
        ("upload.sum_waiting", "rows_waiting"),
        ("upload.sum_quarantined", "rows_quarantined"),
    ]
    with st.container(horizontal=True, gap="small"):
        for key, name in parts:
            st.metric(say(key), say.number(int(report[name])), border=True, width=150)
    st.caption(
        say(
            "upload.sum",
            rows=int(report["rows_in"]),
            observed=int(report["rows_observed"]),
            waiting=int(report["rows_waiting"]),
            quarantined=int(report["rows_quarantined"]),
            readings=int(report["observations"]),
        )
    )


def _facts(say: Words, reading: Reading) -> list[str]:
    report, table = reading.report, reading.observations
    lines = [
        say(
            "upload.fact_dialect",
            dialect=quoted(report.get("dialect") or "?"),
            encoding=quoted(report.get("encoding") or "?"),
        )
    ]
    if len(table):
        first, last = table["phenomenon_time"].min(), table["phenomenon_time"].max()
        sites = int(table["monitoring_location_id"].nunique())
        lines.append(say("upload.fact_dates", first=f"{first:%Y-%m-%d}", last=f"{last:%Y-%m-%d}"))
        lines.append(say("upload.fact_sites", n=sites))
        datums = [text for text in table["horizontal_datum"].dropna().unique() if text]
        if datums:
            lines.append(say("upload.fact_datum", datums=Ready(", ".join(map(verbatim, datums)))))
        censored = int(report.get("censored") or 0)
        if censored:
            lines.append(say("upload.fact_censored", n=censored))
    counts = report.get("properties") or {}
    if counts:
        named = ", ".join(f"{plain(_title(key))} ({say.number(int(_count(n)))})" for key, n in counts.items())
        lines.append(say("upload.fact_properties", names=Ready(named)))
    return lines


def _count(value: Any) -> int:
    return int(value.get("n", 0)) if isinstance(value, Mapping) else int(value)


def _title(key: str) -> str:
    found = PROPERTIES.get(key)
    return found.title if found else key


def _columns(report: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    columns = report.get("columns") or {}
    if isinstance(columns, Mapping):
        return [
            (name, told if isinstance(told, Mapping) else {"role": told}) for name, told in columns.items()
        ]
    return [(str(told.get("column") or told.get("name")), told) for told in columns]


def _column_lines(say: Words, report: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {
            say.text("upload.col_yours"): name,
            say.text("upload.col_role"): _role(say, str(told.get("role") or "")),
            say.text("upload.col_property"): _title(str(told.get("property") or "")),
            say.text("upload.col_unit"): str(told.get("unit") or ""),
            say.text("upload.col_species"): str(told.get("species") or ""),
        }
        for name, told in _columns(report)
        if told.get("role") != "personal"
    ]


def _role(say: Words, role: str) -> str:
    try:
        return say.text(f"role.{role}") if role else say.text("role.ignored")
    except CommonsightError:
        return role.replace("_", " ")


def _dropped(report: Mapping[str, Any]) -> list[str]:
    return [name for name, told in _columns(report) if told.get("role") == "personal"]


def questions(say: Words, upload: Upload) -> None:
    """Ask the open questions one after another; the file is read again once all are answered."""
    assert upload.reading is not None
    asked = upload.reading.questions
    open_ = [question for question in asked if question["id"] not in (*upload.answers, *upload.skipped)]
    unsure = [question for question in asked if question["id"] in upload.skipped]
    if not open_ and not unsure:
        return
    st.subheader(say("upload.step_questions"))
    if upload.refused:
        st.warning(say("upload.refused", answer=upload.refused), icon=":material/help:")
    if open_:
        _ask(say, upload, open_[0], len(open_))
    for question in unsure:
        left, right = st.columns([4, 1], vertical_alignment="center")
        left.markdown(
            say("upload.unsure_kept", text=say.said(question["text"]), n=int(question["rows_waiting"]))
        )
        if right.button(say("upload.ask_again"), key=f"again-{question['id']}"):
            upload.skipped.remove(question["id"])
            st.rerun()


def _ask(say: Words, upload: Upload, question: Mapping[str, Any], left: int) -> None:
    with st.container(border=True):
        st.caption(say("upload.question_count", n=left))
        st.markdown(f"**{plain(say.said(question['text']), 600)}**")
        st.markdown(say("upload.question_why", why=Ready(plain(say.said(question["why"]), 600))))
        _example(say, question)
        answer = _answer(say, question)
        if st.button(say("upload.answer"), type="primary", disabled=not answer, key="answer"):
            _answered(upload, question["id"], str(answer))
            st.rerun()


def _answer(say: Words, question: Mapping[str, Any]) -> str | None:
    choices = {choice["value"]: choice for choice in question["choices"]}
    own = {OTHER: say("upload.other"), UNSURE: say("upload.unsure")}
    if not question.get("free"):
        del own[OTHER]
    effects = {OTHER: say("upload.other_effect"), UNSURE: _unsure_effect(say, question)}
    picked = st.radio(
        say("upload.question_pick"),
        [*choices, *own],
        index=None,
        format_func=lambda value: own[value] if value in own else plain(say.said(choices[value]["label"])),
        captions=[
            *(plain(say.said(choice["effect"])) for choice in choices.values()),
            *(effects[key] for key in own),
        ],
        key=f"answer-{question['id']}",
    )
    if picked == OTHER:
        typed = st.text_input(say("upload.other"), max_chars=80, key=f"other-{question['id']}")
        return (typed or "").strip() or None
    return picked


def _unsure_effect(say: Words, question: Mapping[str, Any]) -> str:
    waiting = int(question["rows_waiting"])
    return say("upload.unsure_effect", n=waiting) if waiting else say("upload.unsure_nothing")


def _example(say: Words, question: Mapping[str, Any]) -> None:
    example = question.get("example")
    if not example:
        return
    if isinstance(example, str):
        st.markdown(say("upload.question_example", example=quoted(example)))
    else:
        rows = example if isinstance(example, list) else [example]
        st.caption(say("upload.question_rows"))
        table = pd.DataFrame(rows if isinstance(rows[0], Mapping) else {"": rows})
        st.dataframe(table.astype("str"), hide_index=True)


def _answered(upload: Upload, question: str, value: str) -> None:
    if value == UNSURE:
        upload.skipped.append(question)
    else:
        upload.answers[question] = value
        upload.fresh.append(question)
    assert upload.reading is not None
    settled = {*upload.answers, *upload.skipped}
    # Read again once, when everything is answered: on a slow machine each reading costs a wait.
    if upload.fresh and all(asked["id"] in settled for asked in upload.reading.questions):
        upload.reading = None
    upload_state.keep(upload)


def preview(say: Words, topic: Topic, reading: Reading) -> None:
    """Show the readings as everybody would see them: on a map and in a table."""
    st.subheader(say("upload.step_preview"))
    table = public(reading.observations, topic)
    if not len(table):
        st.info(say("upload.nothing_readable"), icon=":material/info:")
        return
    blurred = int(reading.observations["position_rule"].ne("exact").sum())
    if blurred:
        st.markdown(say("upload.blurred", n=blurred))
    on_map, in_table = st.tabs([say("upload.on_map"), say("upload.in_table")])
    with on_map:
        preview_map(table, topic.key)
    with in_table:
        st.dataframe(preview_table(say, table.head(PREVIEW_ROWS)), hide_index=True)
        if len(table) > PREVIEW_ROWS:
            st.caption(say("upload.first_rows", n=PREVIEW_ROWS, all=len(table)))


def preview_map(table: pd.DataFrame, topic: str) -> None:
    """Draw the places of a flat table (longitude, latitude, EPSG:4326) on a small map."""
    from streamlit_folium import st_folium  # registers itself: only once the page runs

    st_folium(draw(table, topic), key="preview", height=380, use_container_width=True, returned_objects=[])


def preview_table(say: Words, table: pd.DataFrame) -> pd.DataFrame:
    """Pick and name the columns of a reading that a volunteer wants to check."""
    result = table["result"].map(lambda value: f"{value:g}", na_action="ignore")
    shown = {
        "upload.col_row": table["source_row"],
        "upload.col_site": table["monitoring_location_name"].fillna(table["monitoring_location_id"]),
        "upload.col_property": table["observed_property"].fillna(table["observed_property_name"]).map(_title),
        "upload.col_result": result.fillna(table["result_text"]),
        "upload.col_unit": table["unit"],
        "upload.col_species": table["method_speciation"],
        "upload.col_time": table["phenomenon_time"].dt.strftime("%Y-%m-%d %H:%M"),
        "upload.col_latitude": table["latitude"].round(5),
        "upload.col_longitude": table["longitude"].round(5),
    }
    return pd.DataFrame({say.text(key): column for key, column in shown.items()})


def problems(say: Words, reading: Reading) -> None:
    """List the rows that need help, why, and what would be right; and offer them as files."""
    waits = reading.quarantine["question_id"].notna()
    cells = reading.quarantine[~waits]
    if not len(cells):
        return
    st.subheader(say("upload.step_problems"))
    st.markdown(say("upload.problems_how", n=int(cells["source_row"].nunique())))
    if waits.any():
        st.caption(say("upload.problems_waiting", n=int(waits.sum())))
    lines = cells.head(PREVIEW_ROWS)
    st.dataframe(
        pd.DataFrame(
            {
                # The narrow screen of a phone shows the first columns: which row, and why.
                say.text("upload.col_row"): lines["source_row"],
                say.text("upload.col_reason"): lines["reason"].map(say.said, na_action="ignore"),
                say.text("upload.col_fix"): lines["fix"].map(say.said, na_action="ignore"),
                say.text("upload.col_column"): lines["column"],
                say.text("upload.col_value"): lines["value"],
            }
        ),
        hide_index=True,
    )
    with st.container(horizontal=True):
        # The files are made when somebody asks for them, not each time the page is drawn.
        st.download_button(
            say("upload.help_csv"),
            lambda: help_csv(rows_to_help(_in_words(say, cells))),
            "rows_to_correct.csv",
            "text/csv",
            on_click="ignore",
        )
        st.download_button(
            say("upload.help_xlsx"),
            lambda: help_xlsx(rows_to_help(_in_words(say, cells))),
            "rows_to_correct.xlsx",
            XLSX,
            on_click="ignore",
        )


def _in_words(say: Words, quarantine: pd.DataFrame) -> pd.DataFrame:
    told = {name: quarantine[name].map(say.said, na_action="ignore") for name in ("reason", "fix")}
    return quarantine.assign(**told)


def send(say: Words, upload: Upload) -> None:
    """Ask for a pseudonym, say what is kept and shown, and send; or end the practice."""
    assert upload.reading is not None
    st.subheader(say("upload.step_send"))
    if upload.practice:
        st.success(say("upload.practice_end"), icon=":material/school:")
        return
    name = st.text_input(
        say("upload.contributor"),
        value=upload.contributor,
        max_chars=40,
        help=say("upload.contributor_help"),
        placeholder=say.text("upload.contributor_example"),
    )
    if (name or "").strip() != upload.contributor:
        upload.contributor = (name or "").strip()
        upload_state.keep(upload)
    st.caption(say("upload.privacy"))
    ready = int(upload.reading.report["observations"])
    if not ready:
        st.info(say("upload.nothing_to_send"), icon=":material/info:")
        return
    if st.button(say("upload.send", n=ready), type="primary", icon=":material/send:", key="send"):
        _send(say, upload)


def _send(say: Words, upload: Upload) -> None:
    assert upload.reading is not None
    look = {"topic": upload.topic} | _where_to_look(upload.reading, topics()[upload.topic])
    try:
        with st.spinner(say("upload.sending")):
            receipt = upload_state.submit(upload)
    except CommonsightError as wrong:
        st.error(plain(say.said(wrong)), icon=":material/error:")
        return
    st.session_state["receipt"] = (receipt, look)
    st.session_state.pop("taken", None)
    st.rerun()


def _where_to_look(reading: Reading, topic: Topic) -> dict[str, str]:
    """Say what the map must show for these readings to be seen: their commonest substance, their box."""
    table = public(reading.observations, topic)
    look: dict[str, str] = {}
    measured = table["observed_property"].dropna().value_counts()
    if len(measured):
        look["property"] = topic.property if topic.property in measured.index else str(measured.index[0])
    west, east = table["longitude"].min() - MARGIN, table["longitude"].max() + MARGIN
    south, north = table["latitude"].min() - MARGIN, table["latitude"].max() + MARGIN
    if -180 <= west < east <= 180 and -90 <= south < north <= 90:
        look["bbox"] = f"{west:.4f},{south:.4f},{east:.4f},{north:.4f}"
    return look
