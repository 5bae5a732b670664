"""What is asked at an address: the view that its parameters say, for whoever may see it."""

from __future__ import annotations

from starlette.requests import Request

from layers import access
from situation.view import View


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
