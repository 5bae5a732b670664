"""What is asked at an address: the view that its parameters say, for whoever may see it, and under which name."""

from __future__ import annotations

import re

from starlette.requests import Request

from layers import access
from routes import answer
from situation.errors import ChoiceError
from situation.settings import settings
from situation.view import View

_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:]{2,45}\](:\d{1,5})?")


def view_of(request: Request) -> View:
    """Read the view of an address.

    Raises
    ------
    ChoiceError
        If the address names what does not exist.
    NotAllowed, NoSuchBatch
        If the view is not for whoever asks.
    """
    view = View.from_params(request.query_params, strict=True)
    access.check(view, request.headers.get(access.HEADER))
    return view


def root_of(request: Request) -> tuple[str, bool]:
    """Give the absolute address of the installation, and whether everybody may be told it.

    Without a public address it is made from the question itself, and is then for whoever asked.
    """
    public = settings().base_url
    if public:
        return public, True
    host = request.headers.get("Host", "")
    if not _HOST.fullmatch(host):
        raise ChoiceError("The Host header of the question is not the name of a host.")
    return f"{request.url.scheme}://{host}{request.scope.get('root_path', '').rstrip('/')}", False


def caching(shared: bool) -> str:
    """Say who may keep an answer that is asked again each time."""
    return answer.REVALIDATE if shared else f"private, {answer.REVALIDATE}"
