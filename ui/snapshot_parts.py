"""The parts of the snapshot page: what goes in, how it looks, what it lacks, and every way to take it along.

A file is made only when somebody asks for it: at the press of the download button where that takes a moment,
or first made (with a bar that tells how far it is) and then downloaded where it takes long. What is chosen for
the picture stands in the address beside the view: ``size``, ``look``, ``written`` (its language), ``name`` (its
title), ``surface`` (what is drawn between the sites) and ``snapshot`` (the id of a kept one).

What surprised us: the picture's language is not the page's. Somebody who reads English makes a picture for
readers of Arabic, and wants its checklist in English.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

import publish
from layers.frozen import usual_title
from layers.surface import KINDS
from publish import FORMATS, LOOKS, ROWS, Options, checklist, citation, file_name
from publish.sizes import SIZES
from publish.web import iframe
from situation.errors import CommonsightError, NoSuchSnapshot
from situation.messages import written_languages
from situation.settings import settings
from situation.snapshot import Changed, Snapshot
from situation.view import View
from ui import cached, choice
from ui.plain import bare, plain
from ui.words import Words

#: So many may be kept in a day from the page: a visitor's finger is quick, and the disk is not endless.
MOST_A_DAY = 200
#: From so many readings, or sites, on a file is made first and downloaded then.
LONG_READINGS, LONG_SITES = 20_000, 5_000
_SURFACES = ("", *KINDS)
#: Pictures of earlier snapshots, shown at first and more at a time.
_A_ROW = 6
_GROUPS = {
    "picture": ("png", "svg", "pdf"),
    "map": ("html",),
    "table": ("csv", "xlsx"),
    "place": ("gpkg", "geojson", "parquet", "kml"),
    "all": ("zip",),
}
_TABLES = ("csv", "xlsx", "geojson", "parquet", "kml")
_ICONS = {"picture": "image", "map": "map", "table": "table", "place": "pin_drop", "all": "inventory_2"}


# -- which one, and how it is to look -----------------------------------------------------------------


def kept(say: Words) -> Snapshot | None:
    """Give the kept snapshot that the address names, with what became of it, or None."""
    name = st.query_params.get("snapshot")
    if not name:
        return None
    try:
        shot = cached.kept_snapshot(name, st.query_params.get("written"))
    except NoSuchSnapshot as gone:
        st.warning(say("publish.page.gone", why=str(gone)), icon=":material/search_off:")
        return None
    st.subheader(plain(shot.title, 200))
    if shot.simulated:
        st.info(say("map.simulated"), icon=":material/science:")
    st.caption(_made(say, shot))
    if told := _since(say, shot.changed):
        st.warning(told, icon=":material/history:")
    with st.container(horizontal=True):
        st.button(say("publish.page.again"), icon=":material/update:", on_click=_again, args=(shot.view,))
        st.button(say("publish.page.leave"), icon=":material/add:", on_click=choice.put, kwargs=_NOTHING)
    return shot


_NOTHING: dict[str, Any] = {"snapshot": None, "name": None}


def _again(view: View) -> None:
    choice.put(**_NOTHING, **view.but(as_of=None, at=None).to_params())


def _made(say: Words, shot: Snapshot) -> str:
    day = "" if shot.made_at is None else f"{shot.made_at:%Y-%m-%d}"
    told = {"version": shot.version, "day": day}
    if shot.who:
        return say("publish.page.gallery_made_who", who=shot.who, **told)
    return say("publish.page.gallery_made", **told)


def _since(say: Words, changed: Changed) -> str:
    """Say what became of a snapshot's readings; empty where nothing did."""
    kinds = ("withdrawn", "corrected", "rejected", "erased")
    told = [say.text(f"publish.page.changed_{kind}", n=getattr(changed, kind)) for kind in kinds]
    what = ", ".join(text for text, kind in zip(told, kinds, strict=True) if getattr(changed, kind))
    said = [say("publish.page.changed", what=what)] if what else []
    return " ".join([*said, *([say("publish.page.newer", n=changed.newer)] if changed.newer else [])])


def scope(say: Words, view: View) -> None:
    """Say that only a part of the map is in it, and offer the whole."""
    if view.bbox is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(say("publish.page.box"), width="content")
        st.button(
            say("publish.page.box_leave"),
            icon=":material/zoom_out_map:",
            type="tertiary",
            on_click=choice.put,
            kwargs={"bbox": None, "zoom": None},
        )


def title(say: Words, view: View) -> str:
    """Ask for a title; empty is the usual one."""
    usual = usual_title(view, view.chosen_topic.shown(simulated=cached.simulated()), written(say))
    st.session_state["snapshot_name"] = st.query_params.get("name", "")
    st.text_input(
        say("publish.page.name"),
        key="snapshot_name",
        max_chars=160,
        placeholder=bare(usual, 160),
        help=say("publish.page.name_help", usual=usual),
        on_change=_put,
        args=("name",),
    )
    return st.query_params.get("name") or ""


def written(say: Words) -> str:
    """Give the language of the picture: that of the address, else that of the page."""
    asked = st.query_params.get("written")
    return asked if asked and asked in written_languages() else say.language


def surface() -> str:
    """Give what is drawn between the sites, as the address has it; empty is nothing."""
    return _chosen("surface", _SURFACES)


def ask_look(say: Words, shot: Snapshot) -> Options:
    """Ask for size, look, language and what lies between the sites; the answers go into the address."""
    names = written_languages()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        size = _pick("size", say("publish.page.size"), list(SIZES), _chosen("size", SIZES), _size(say))
        look = _pick(
            "look",
            say("publish.page.look"),
            list(LOOKS),
            _chosen("look", LOOKS),
            lambda key: say.text(f"publish.page.look_{key}"),
            width=130,
        )
        _pick(
            "written", say("publish.page.written"), list(names), shot.language, names.__getitem__, width=170
        )
        if shot.id is None:  # a kept one is as it was kept
            _pick(
                "surface",
                say("publish.page.surface"),
                list(_SURFACES),
                surface(),
                lambda key: say.text(f"publish.page.surface_{key or 'none'}"),
            )
    return Options(size=size, look=look)


def _size(say: Words) -> Callable[[str], str]:
    return lambda key: say.text(f"publish.page.size_{key.replace('-', '_')}")


def _chosen(name: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    asked = st.query_params.get(name, "")
    return asked if asked in known else next(iter(known))


def _pick(
    name: str, label: str, options: list[str], chosen: str, words: Callable[[str], str], *, width: int = 250
) -> str:
    st.session_state[f"snapshot_{name}"] = chosen
    st.selectbox(
        label,
        options,
        key=f"snapshot_{name}",
        format_func=words,
        on_change=_put,
        args=(name,),
        width=width,
    )
    return chosen


def _put(name: str) -> None:
    choice.put(**{name: str(st.session_state[f"snapshot_{name}"] or "").strip() or None})


# -- what it shows, and what it lacks -----------------------------------------------------------------


def preview(say: Words, shot: Snapshot, look: Options) -> None:
    """Draw the picture at the screen's size, with its words under it."""
    with st.spinner(say("publish.page.wait")):
        png = cached.drawing(shot, _on_screen(look.size), look.look)
    _show(png, look.size, shot.said.text)
    if look.size != _on_screen(look.size):
        st.caption(say("publish.page.preview_small"))
    with st.expander(say("publish.page.words"), icon=":material/notes:"):
        st.caption(say("publish.page.words_help"))
        st.code(shot.said.text, language=None, wrap_lines=True)


_SCREEN_DPI = 100
_UPRIGHT_WIDE = 560  # pixels


def _on_screen(size: str) -> str:
    """Name the same page in as few dots as a screen shows."""
    return f"{size}@{_SCREEN_DPI}" if SIZES[size].dpi > _SCREEN_DPI else size


def _show(png: bytes, size: str, alt: str) -> None:
    upright = SIZES[size].high > SIZES[size].wide
    st.image(png, width=_UPRIGHT_WIDE if upright else "content", alt=alt)


def checks(say: Words, shot: Snapshot) -> None:
    """Say what is missing, in the language of the page, and what was found in order."""
    found = checklist.checks(replace(shot, language=say.language))
    wrong, fine = ([check for check in found if check.ok is ok] for ok in (False, True))
    st.subheader(say("publish.page.checks"))
    st.caption(say("publish.page.checks_lead" if wrong else "publish.page.checks_none"))
    for check in wrong:
        st.markdown(f":orange[:material/error:] {plain(check.sentence, 600)}")
    if fine:
        with st.expander(say("publish.page.checks_fine", n=len(fine))):
            for check in fine:
                st.markdown(f":green[:material/check:] {plain(check.sentence, 600)}")


# -- keep and cite ------------------------------------------------------------------------------------


def keep(say: Words, shot: Snapshot) -> None:
    """Offer to keep it, or say under which address it is kept; and how to cite it."""
    st.subheader(say("publish.page.keep"))
    if st.session_state.pop("snapshot_kept", None) == shot.id and shot.id:
        st.success(say("publish.page.keep_done", id=shot.id), icon=":material/check_circle:")
    if shot.id is None:
        _ask_keep(say, shot)
    else:
        _address(say, shot)
    with st.expander(say("publish.page.cite"), icon=":material/format_quote:", expanded=shot.id is not None):
        st.caption(say("publish.page.cite_short"))
        st.code(citation.short(shot, shot.language), language=None, wrap_lines=True)
        st.caption(say("publish.page.cite_long"))
        st.code(citation.long(shot, shot.language), language=None, wrap_lines=True)
        if shot.id is None:
            st.caption(say("publish.page.cite_unkept"))


def _ask_keep(say: Words, shot: Snapshot) -> None:
    if refused := _refusal(shot):
        st.info(say(f"publish.page.{refused}", n=MOST_A_DAY), icon=":material/block:")
        return
    st.caption(say("publish.page.keep_lead"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        who = st.text_input(
            say("publish.page.keep_who"),
            key="snapshot_who",
            max_chars=60,
            help=say("publish.page.keep_who_help"),
            placeholder=say.text("upload.contributor_example"),
        )
        pressed = st.button(say("publish.page.keep_button"), icon=":material/bookmark_add:", type="primary")
    if pressed:
        _keep(say, shot, who or "")


def _refusal(shot: Snapshot) -> str | None:
    """Say why a snapshot cannot be kept, as the key of a sentence."""
    if settings().read_only:
        return "keep_read_only"
    if shot.unaccepted:
        return "keep_never"
    return "keep_empty" if shot.sites.empty else None


def _keep(say: Words, shot: Snapshot, who: str) -> None:
    today = f"{cached.now():%Y-%m-%d}"
    if sum(record["made_at"].startswith(today) for record in cached.published()) >= MOST_A_DAY:
        st.warning(say("publish.page.keep_full", n=MOST_A_DAY), icon=":material/block:")
        return
    try:
        made = cached.keep(shot, who)
    except CommonsightError as wrong:
        st.error(plain(str(wrong)), icon=":material/error:")
        return
    st.session_state["snapshot_kept"] = made
    choice.put(snapshot=made)
    st.rerun()


def _address(say: Words, shot: Snapshot) -> None:
    st.caption(say("publish.page.link" if shot.permalink else "publish.page.link_relative"))
    st.code(shot.permalink or _from_here(f"s/{shot.id}"), language=None, wrap_lines=True)
    st.link_button(say("publish.page.open"), f"s/{shot.id}", icon=":material/open_in_new:")
    with st.expander(say("publish.page.embed"), icon=":material/code:"):
        _frame(say, shot)


def _frame(say: Words, shot: Snapshot) -> None:
    """Write the line of HTML that shows the snapshot in somebody's page."""
    st.caption(say("publish.page.embed_help"))
    chosen = st.segmented_control(
        say("publish.page.embed_size"), list(_FRAMES), default=_FRAMES[0], key="snapshot_frame", required=True
    )
    wide, high = str(chosen or _FRAMES[0]).split(" × ")
    address = f"{shot.base_url}/embed" if shot.base_url else _from_here("embed")
    snippet = iframe(f"{address}?snapshot={shot.id}", shot.title, wide, int(high), lang=shot.language)
    st.code(snippet, language=None, wrap_lines=True)


#: Width and height of a frame, pixels or per cent.
_FRAMES = ("100% × 480", "600 × 450", "320 × 480")


def _from_here(path: str) -> str:
    """Write an address of this installation as this browser knows it."""
    return f"{(st.context.url or '').removesuffix('/').removesuffix('/snapshot')}/{path}"


# -- take it along ------------------------------------------------------------------------------------


def tabs(say: Words, shot: Snapshot, look: Options) -> None:
    """Draw what else there is: files, and earlier snapshots."""
    names = [say(f"publish.page.{name}") for name in ("get", "trends", "gallery")]
    files, trends, gallery = st.tabs(names, key="snapshot_tabs", on_change="rerun")
    with files:
        downloads(say, shot, look)
    if trends.open:
        with trends:
            trend_pictures(say, shot, look)
    if gallery.open:
        with gallery:
            earlier(say)


def downloads(say: Words, shot: Snapshot, look: Options) -> None:
    """Offer every format, each made when it is asked for."""
    st.caption(say("publish.page.get_lead"))
    rows = _rows(say, shot)
    for group, endings in _GROUPS.items():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{say(f'publish.page.group_{group}')}**", width=140)
            for ending in endings:
                _download(say, shot, ending, replace(look, rows=rows), _ICONS[group])
    _prepared(say, shot)


def _rows(say: Words, shot: Snapshot) -> str:
    number = say.number(shot.readings_behind)
    chosen = st.segmented_control(
        say("publish.page.get_rows"),
        list(ROWS),
        default=ROWS[0],
        format_func=lambda key: (
            say.text(f"publish.page.get_rows_{key}", n=number)
            if key == "readings"
            else say.text(f"publish.page.get_rows_{key}")
        ),
        key="snapshot_rows",
        required=True,
    )
    return str(chosen or ROWS[0])


def takes_long(shot: Snapshot, ending: str, options: Options) -> bool:
    """Say whether a file takes more than a moment to make."""
    every = ending in ("zip", "gpkg") or (ending in _TABLES and options.rows == "readings")
    return len(shot.sites) > LONG_SITES or (every and shot.readings_behind > LONG_READINGS)


def _name(shot: Snapshot, ending: str, options: Options) -> str:
    if ending in _GROUPS["picture"]:
        return file_name(shot, ending, options.size)
    return file_name(shot, ending, options.rows if ending in _TABLES else "")


def _download(say: Words, shot: Snapshot, ending: str, options: Options, icon: str) -> None:
    what = say.text(f"publish.page.file_{ending}")
    if takes_long(shot, ending, options):
        st.button(
            plain(what),
            key=f"make_{ending}",
            icon=":material/hourglass_top:",
            help=say("publish.page.get_long"),
            on_click=_ask_for,
            args=(ending, options),
        )
        return
    st.download_button(
        plain(what),
        lambda: publish.made(shot, ending, options),
        file_name=_name(shot, ending, options),
        mime=FORMATS[ending].media,
        key=f"get_{ending}",
        icon=f":material/{icon}:",
        on_click="ignore",
    )


def _ask_for(ending: str, options: Options) -> None:
    st.session_state["snapshot_wanted"] = (ending, options)


def _prepared(say: Words, shot: Snapshot) -> None:
    """Make the file that was asked for last, with a bar, and offer it."""
    wanted = st.session_state.pop("snapshot_wanted", None)
    if wanted is not None:
        st.session_state.pop("snapshot_made", None)
        ending, options = wanted
        _make(say, shot, ending, options)
    of, ending, name, body = st.session_state.get("snapshot_made", (None, "", "", b""))
    if of != _which(shot):  # nothing, or the file of another choice
        return
    st.download_button(
        say("publish.page.get_ready", what=name),
        body,
        file_name=name,
        mime=FORMATS[ending].media,
        key="get_prepared",
        icon=":material/download:",
        type="primary",
        on_click="ignore",
    )


def _make(say: Words, shot: Snapshot, ending: str, options: Options) -> None:
    making = say("publish.page.get_making", what=say.text(f"publish.page.file_{ending}"))
    bar = st.progress(0.0, text=making)

    def progress(share: float | None, text: str) -> None:
        bar.progress(min(max(share or 0.0, 0.0), 1.0), text=f"{making} {plain(text)}")

    try:
        body = publish.made(shot, ending, replace(options, progress=progress))
    except CommonsightError as wrong:
        st.error(say("publish.page.get_failed", why=str(wrong)), icon=":material/error:")
        return
    finally:
        bar.empty()
    st.session_state["snapshot_made"] = (_which(shot), ending, _name(shot, ending, options), body)


def _which(shot: Snapshot) -> tuple[object, ...]:
    """Tell one snapshot from another; the same choice frozen anew a minute later is the same."""
    return shot.id, shot.view.but(at=None), shot.title, shot.language


# -- over time ----------------------------------------------------------------------------------------


def trend_pictures(say: Words, shot: Snapshot, look: Options) -> None:
    """Draw the trends of one site, or of every site on one sheet, with downloads."""
    from publish.trend_sheet import alternative  # matplotlib takes a second to import: only for whoever looks

    if shot.sites.empty:
        st.info(say("publish.page.trends_none"), icon=":material/search_off:")
        return
    st.caption(say("publish.page.trends_lead"))
    names = _site_names(shot)
    site = st.selectbox(
        say("publish.page.trends_which"),
        [None, *names],
        format_func=lambda key: say.text("publish.page.trends_every") if key is None else names[key],
        key="snapshot_site",
        width=420,
    )
    with st.spinner(say("trends.wait")):
        sheets = cached.of_site(cached.trend_sheets(shot), site)
        if not sheets:
            st.info(say("publish.page.trends_none"), icon=":material/search_off:")
            return
        png = cached.trend_drawing(shot, site, "png", _on_screen(look.size), look.look)
    _show(png, look.size, alternative(shot, sheets))
    with st.container(horizontal=True):
        for ending in _GROUPS["picture"]:
            _trend_download(say, shot, site, ending, look)


def _site_names(shot: Snapshot) -> dict[str, str]:
    """Give the sites by id with their names, the worst first as in the snapshot."""
    columns = shot.sites[["monitoring_location_id", "monitoring_location_name"]].drop_duplicates()
    name = columns["monitoring_location_name"].fillna(columns["monitoring_location_id"])
    return {
        str(site): bare(text, 80) for site, text in zip(columns["monitoring_location_id"], name, strict=True)
    }


def _trend_download(say: Words, shot: Snapshot, site: str | None, ending: str, look: Options) -> None:
    st.download_button(
        say(f"publish.page.file_{ending}"),
        lambda: cached.trend_drawing(shot, site, ending, look.size, look.look),
        file_name=file_name(shot, ending, "trend" if site else "trends"),
        mime=FORMATS[ending].media,
        key=f"trend_{ending}",
        icon=":material/show_chart:",
        on_click="ignore",
    )


# -- earlier ones -------------------------------------------------------------------------------------


def earlier(say: Words) -> None:
    """Draw the kept snapshots, the newest first: first their words, then their pictures."""
    records = cached.published()
    if not records:
        st.info(say("publish.page.gallery_none"), icon=":material/photo_library:")
        return
    many = st.session_state.setdefault("snapshot_many", _A_ROW)
    pictures = st.toggle(say("publish.page.gallery_pictures"), value=True, key="snapshot_pictures")
    places = [_card(say, record) for record in records[:many]]
    if len(records) > many:
        left = say("publish.page.gallery_more", n=len(records) - many)
        st.button(left, icon=":material/expand_more:", on_click=_show_more)
    for shot, place in places if pictures else []:
        if shot is not None:
            place.image(cached.drawing(shot, _THUMBNAIL, "light"), alt=shot.said.lead, width="stretch")


_THUMBNAIL = "og@40"


def _show_more() -> None:
    st.session_state["snapshot_many"] += _A_ROW


def _card(say: Words, record: Mapping[str, Any]) -> tuple[Snapshot | None, Any]:
    """Draw what an earlier snapshot says; gives it and the place for its picture."""
    name = str(record["id"])
    with st.container(border=True):
        picture, words = st.columns([1, 3], vertical_alignment="center")
        try:
            shot = cached.kept_snapshot(name)
        except (CommonsightError, OSError) as wrong:
            words.caption(say("publish.page.gone", why=str(wrong)))
            return None, picture
        with words:
            st.markdown(f"**{plain(shot.title, 200)}**")
            st.caption(f"{_counts(say, shot)} · {_made(say, shot)}")
            if told := _since(say, shot.changed):
                st.caption(f":orange[:material/history:] {told}")
            with st.container(horizontal=True):
                st.button(
                    say("publish.page.gallery_open"),
                    key=f"open_{name}",
                    icon=":material/visibility:",
                    on_click=choice.put,
                    kwargs={"snapshot": name},
                )
                st.link_button(
                    f"s/{name}",
                    f"s/{name}",
                    key=f"link_{name}",
                    icon=":material/open_in_new:",
                    type="tertiary",
                )
        return shot, picture.empty()


def _counts(say: Words, shot: Snapshot) -> str:
    if shot.limit is None:
        return say("publish.page.gallery_sites", sites=len(shot.sites))
    return say("publish.page.gallery_counts", above=shot.counts.above, sites=len(shot.sites))
