"""``/s/{id}`` and what belongs to it: the page of a published snapshot, its pictures, its data; live ones as files.

A kept snapshot answers for ever what it said when it was made; of a live view (``/api/snapshot.png?property=…``,
parameters as everywhere) the same files are made of what stands now, and nothing is kept. What takes long is made
on a bench (:mod:`routes.workshop`).

What surprised us: an address made from the Host header of a question ends in the links of a page that some cache
then hands to others. Without ``COMMONSIGHT_BASE_URL`` the page is therefore marked as nobody else's, and the header
has to look like the name of a host; which names are answered at all is for ``server.allowedHosts`` to say.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

import publish
import store
from layers import frozen
from layers import picture as pictures
from layers.shelf import Shelf
from layers.surface import KINDS
from publish import FORMATS, LOOKS, ROWS, Options, citation, file_name, web, web_page
from publish.sizes import size_named
from routes import answer
from routes.asked import caching, root_of, view_of
from routes.workshop import Bench, Ordered
from situation.errors import ChoiceError
from situation.messages import known_language, written_languages
from situation.settings import settings
from situation.snapshot import Snapshot
from situation.topic import topics
from situation.view import View

_MB = 1 << 20
#: Who makes what: a card must not wait behind a poster, nor a table behind either.
SCREEN = Bench(hands=1, queue=24, most=64 * _MB)
PAPER = Bench(hands=1, queue=4, most=64 * _MB)
FILES = Bench(hands=1, queue=16, most=256 * _MB)
_SCREEN_PIXELS = 2_000_000
_PICTURES = ("png", "svg", "pdf")
_KEEP_ROWS = 300_000
_LONGEST_TITLE = 160
#: No frame but where one is meant, no script in a picture that is opened by itself.
_CLOSED = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_PICTURE_RULE = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'"
)


@dataclass(frozen=True)
class Opened:
    """A snapshot as it is opened for one language, and what its files depend on."""

    shot: Snapshot
    stamp: str

    def __len__(self) -> int:
        return len(self.shot.sites)


_OPENED: Shelf[Opened] = Shelf(most=24, most_rows=_KEEP_ROWS)


def said_to(request: Request, response: Response, *, framed: bool = True) -> Response:
    """Turn an error into a page where a browser asks; *framed* lets it stand where the answer would."""
    if response.status_code < 400 or "text/html" not in request.headers.get("Accept", ""):
        return response
    sentence = json.loads(bytes(response.body))["error"]
    language = request.query_params.get("lang")
    up = "../" * (request.url.path.removeprefix(request.scope.get("root_path", "")).count("/") - 1)
    page = web_page.gone(sentence, known_language(language), home=up or "./")
    said = HTMLResponse(page, response.status_code, headers=_page_headers(framed=framed))
    said.headers.update({k: v for k, v in response.headers.items() if k in ("retry-after", "cache-control")})
    return said


def _page_headers(*, framed: bool = False) -> dict[str, str]:
    ancestors = "*" if framed else "'none'"
    rule = {"Content-Security-Policy": f"{web_page.page_policy()}; frame-ancestors {ancestors}"}
    return {**rule, **({} if framed else {"X-Frame-Options": "DENY"}), **_CLOSED}


# ---- which one ----------------------------------------------------------------------------------


def opened(request: Request) -> Opened:
    """Open the snapshot of an address (``id``, or ``snapshot`` among the parameters), in the language asked for."""
    wanted = request.path_params.get("id") or request.query_params.get("snapshot", "")
    return open_kept(wanted, asked_language(request))


def open_kept(wanted: str, language: str | None) -> Opened:
    """Open a kept snapshot, or give it as it was opened last if nothing has moved since.

    Raises
    ------
    NoSuchSnapshot
        If there is none of that id, or it was taken away.
    """
    url = settings().active_store_url
    place = store.shared(url)
    record, sites = place.snapshot(wanted)  # each time: one that was taken away is gone at once
    key = (
        url,
        wanted,
        language,
        place.version(),
        record["made_at"],
        sites.num_rows,
        settings().base_url,
        _hidden(),
    )
    return _OPENED.get(key, lambda: _open(wanted, language))


def _hidden() -> str:
    """Say what the topics hide now; a file that is edited makes no new data version."""
    return repr([(t.key, sorted(t.privacy.items()), t.grid_m, t.area_m, t.k) for t in topics().values()])


def _open(wanted: str, language: str | None) -> Opened:
    shot = frozen.reopen(store.shared(settings().active_store_url), wanted, language=language)
    shown = shot.sites[["monitoring_location_id", "position_rule", "longitude", "latitude"]]
    rows = hashlib.sha1(
        pd.util.hash_pandas_object(shown, index=False).to_numpy().tobytes(), usedforsecurity=False
    )
    changed = shot.changed
    became = (changed.withdrawn, changed.corrected, changed.rejected, changed.erased)
    return Opened(
        shot,
        answer.tag(
            wanted,
            shot.language,
            shot.title,
            rows.hexdigest(),
            became,
            shot.surface is None,
            shot.base_url,
            _code(),
        ),
    )


@cache
def _code() -> str:
    """Tell one program from the next: what was made by another is not the same."""
    files = sorted(
        path for path in Path(publish.__file__).parent.glob("*.*") if path.suffix in (".py", ".js", ".css")
    )
    return hashlib.sha1(b"".join(path.read_bytes() for path in files), usedforsecurity=False).hexdigest()


def asked_language(request: Request) -> str | None:
    """Give the language that an address asks for.

    Raises
    ------
    ChoiceError
        If there is no catalogue of it.
    """
    said = request.query_params.get("lang") or None
    if said is not None and said not in written_languages():
        raise ChoiceError(f"No language {said[:20]!r}; there are {', '.join(written_languages())}.")
    return said


# ---- the page -----------------------------------------------------------------------------------


def page(request: Request) -> Response:
    """Answer the page of a snapshot."""
    return said_to(request, answer.answering(_page)(request), framed=False)


def _page(request: Request) -> Response:
    found, (root, shared) = opened(request), root_of(request)
    language = asked_language(request)
    etag = answer.tag(found.stamp, found.shot.changed.newer, root, language)
    same = answer.unchanged(request, etag, caching(shared))
    if same is not None:
        return same
    body = web_page.page(found.shot, web_page.Address(root, language))
    return HTMLResponse(body, headers={"ETag": etag, "Cache-Control": caching(shared), **_page_headers()})


@answer.answering
def cited(request: Request) -> Response:
    """Answer the citation as CSL-JSON."""
    found = opened(request)
    etag = answer.tag("csl", found.stamp)
    name = file_name(found.shot, "json", "citation")
    headers = {**answer.file_headers(name, etag), **_CLOSED}
    media = "application/vnd.citationstyles.csl+json"
    return answer.unchanged(request, etag) or JSONResponse(
        [citation.csl(found.shot)], headers=headers, media_type=media
    )


# ---- files --------------------------------------------------------------------------------------


@answer.answering
def card(request: Request) -> Response:
    """Answer the picture that a pasted link shows."""
    return _file(request, "png", Options(size="og"))


@answer.answering
def picture(request: Request) -> Response:
    """Answer a picture; ``size`` and ``look`` as on the command line."""
    ending = request.path_params["ending"]
    if ending not in _PICTURES:
        raise ChoiceError(f"A picture is one of {', '.join(_PICTURES)}.")
    return _file(request, ending, options_of(request))


@answer.answering
def data(request: Request) -> Response:
    """Answer the data in one format; ``rows`` is ``sites`` or ``readings``."""
    ending = request.path_params["ending"]
    known = [name for name in FORMATS if name not in (*_PICTURES, "html")]
    if ending not in known:
        raise ChoiceError(f"The data are there as {', '.join(known)}.")
    return _file(request, ending, options_of(request))


def map_html(request: Request) -> Response:
    """Answer the interactive page that is one file; any page may frame it."""
    return said_to(request, answer.answering(_map_html)(request))


def _map_html(request: Request) -> Response:
    return _file(request, "html", Options(), refused=said_to)


def _file(
    request: Request,
    ending: str,
    options: Options,
    refused: Callable[[Request, Response], Response] | None = None,
) -> Response:
    found = opened(request)
    key = (found.stamp, ending, options.size, options.look, options.rows)
    etag = answer.tag(*key)
    return answer.unchanged(request, etag) or order(
        ending,
        options,
        key,
        lambda path: publish.write(found.shot, path, options),
        {
            **headers_of(ending, _name(found.shot, ending, options)),
            "ETag": etag,
            "Cache-Control": answer.REVALIDATE,
        },
        **({"refused": refused} if refused else {}),
    )


def _name(shot: Snapshot, ending: str, options: Options) -> str:
    details = [shot.id or "", options.size.replace("@", "-") if ending in _PICTURES else "", shot.language]
    details += [options.rows] if options.rows == "readings" else []
    return file_name(shot, ending, "-".join(part for part in details if part))


def options_of(request: Request) -> Options:
    """Read how a file is to be made.

    Raises
    ------
    ChoiceError
        If there is no such size, look or kind of rows.
    """
    asked = request.query_params
    options = Options(
        size=asked.get("size") or Options.size,
        look=asked.get("look") or Options.look,
        rows=asked.get("rows") or Options.rows,
    )
    size_named(options.size)
    if options.look not in LOOKS or options.rows not in ROWS:
        raise ChoiceError(f"look is one of {', '.join(LOOKS)}, and rows one of {', '.join(ROWS)}.")
    return options


def headers_of(ending: str, name: str, *, framed: bool = True) -> dict[str, str]:
    """Give the headers of a file: pictures and pages are shown, data are kept; any page may frame a page of ours."""
    shown = ending in (*_PICTURES, "html")
    said = {
        "Content-Type": FORMATS[ending].media,
        "Content-Disposition": f'{"inline" if shown else "attachment"}; filename="{name}"',
        **_CLOSED,
    }
    if ending == "html":
        ancestors = "*" if framed else "'none'"
        return said | {"Content-Security-Policy": f"{web.own_policy()}; frame-ancestors {ancestors}"}
    if ending == "pdf":  # readers inside browsers do not open in a sandbox
        return said
    return said | {"Content-Security-Policy": _PICTURE_RULE}


def order(
    ending: str,
    options: Options,
    key: Any,
    make: Callable[[Path], None],
    headers: Mapping[str, str],
    **more: Any,
) -> Response:
    """Let the bench that fits make a file."""
    return Ordered(_bench(ending, options), key, ending, make, headers, **more)


def _bench(ending: str, options: Options) -> Bench:
    if ending not in _PICTURES:
        return FILES
    size = size_named(options.size)
    return SCREEN if size.wide * size.high <= _SCREEN_PIXELS else PAPER


# ---- live views ---------------------------------------------------------------------------------


@answer.answering
def live(request: Request) -> Response:
    """Answer a file of what stands now; nothing is kept. Parameters of a view, and those of the file."""
    ending = request.path_params["ending"]
    if ending not in FORMATS:
        raise ChoiceError(f"A snapshot is one of {', '.join(FORMATS)}.")
    view, options = view_of(request), options_of(request)
    language = asked_language(request)
    title = " ".join(request.query_params.get("title", "").split())[:_LONGEST_TITLE]
    surface = asked_surface(request)
    etag, key = live_key(view, language, title, surface, ending, options.size, options.look, options.rows)
    open_to_all = view.review == "accepted" and view.batch is None
    cache_for = answer.REVALIDATE if open_to_all else "private, no-store"
    name = f"{view.topic}-{view.observed_property}.{ending}"
    same = answer.unchanged(request, etag, cache_for) if open_to_all else None
    return same or order(
        ending,
        options,
        key,
        lambda path: publish.write(frozen_now(view, language, title, surface), path, options),
        {**headers_of(ending, name, framed=False), "ETag": etag, "Cache-Control": cache_for},
    )


def live_key(view: View, language: str | None, *more: str | None) -> tuple[str, tuple[Any, ...]]:
    """Give the entity tag of a live answer, and what it depends on: data, day, choice and words."""
    now = pd.Timestamp.now("UTC")
    key = (*pictures.key_of(view, now), view.bbox, language, settings().base_url, _hidden(), _code(), *more)
    return answer.tag(*key), key


def asked_surface(request: Request) -> str | None:
    """Give what an address asks to be drawn between the sites.

    Raises
    ------
    ChoiceError
        If there is no such surface.
    """
    said = request.query_params.get("surface") or None
    if said is not None and said not in KINDS:
        raise ChoiceError(f"surface is one of {', '.join(KINDS)}, not {said[:40]!r}.")
    return said


def frozen_now(view: View, language: str | None, title: str = "", surface: str | None = None) -> Snapshot:
    """Freeze what a view shows now."""
    place, now = store.shared(settings().active_store_url), pd.Timestamp.now("UTC")
    frozen.check_minute(place, view)
    return frozen.freeze(place, view, now, language=language, title=title, surface=surface)
