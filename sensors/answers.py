"""Reads the envelopes in which sources wrap their rows; what several sources do alike.

An answer with HTTP 200 may still carry an error, or a shape that nobody announced: :func:`rows_of` says so
in a sentence and never gives an empty list for it, since "no data" and "the call failed" must never look
alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sensors.sensor import Body
from situation.errors import SchemaDrift, SourceUnavailable

Row = dict[str, Any]


def rows_of(body: Body, *names: str, needs: Iterable[str] = (), verbatim: bool = True) -> list[Row]:
    """Give the rows of one answer in JSON.

    Parameters
    ----------
    body : Body
        The answer; one without bytes (204) holds no rows.
    *names : str
        Names under which the rows may stand; without one the answer itself is the list. A single object
        in the place of a list is a list of one (some services do that when there is one).
    needs : iterable of str
        Fields of which a row must have at least one; a page of rows of which none has is no page of ours.
    verbatim : bool
        Numbers as the text that stood there.

    Raises
    ------
    IncompleteResponse
        If it is not whole JSON.
    SourceUnavailable
        If it carries an error in the place of rows.
    SchemaDrift
        If it has no rows where they should be, or none with the fields that they should have.
    """
    if body.empty:
        return []
    said = body.json(verbatim=verbatim)
    if isinstance(said, Mapping):
        held = next((said[name] for name in names if said.get(name) is not None), None)
        if held is None and names and any(name in said for name in names) and not error_of(said):
            return []  # the name is there, with null: nothing
        if not names and not error_of(said):
            held = said  # one thing that was asked for by itself
    else:
        held = said
    if held is None or (not held and isinstance(said, Mapping) and error_of(said)):
        if isinstance(said, Mapping) and (words := error_of(said)):
            raise SourceUnavailable(f"The answer {body.name} carries an error and no rows: {words[:300]}.")
        raise SchemaDrift(f"The answer {body.name} has no {' or '.join(names) or 'list'} with rows in it.")
    rows = [held] if isinstance(held, Mapping) else held
    if (
        not isinstance(rows, Sequence)
        or isinstance(rows, str)
        or not all(isinstance(r, Mapping) for r in rows)
    ):
        raise SchemaDrift(f"The answer {body.name} holds something else than rows where they should be.")
    wanted = tuple(needs)
    if rows and wanted and not any(name in row for row in rows for name in wanted):
        raise SchemaDrift(
            f"No row of the answer {body.name} has {' or '.join(wanted)}; the source has changed its fields."
        )
    return [dict(row) for row in rows]


_ERRORS = ("error", "errors", "message", "detail", "field_errors", "exception")


def error_of(said: Mapping[str, Any]) -> str:
    """Give the words of an error in an answer that calls itself a success, or nothing."""
    for name in _ERRORS:
        found = said.get(name)
        if found:
            return " ".join(str(found).split())
    return ""


def first(value: Any) -> Any:
    """Take the first of a list, or the thing itself: services give one where they might give several."""
    if isinstance(value, list | tuple):
        return value[0] if value else None
    return value


def said_of(value: Any, name: str) -> str:
    """Give a word of a thing that may be an object, a list of objects, or the word itself.

    >>> said_of({"label": "a"}, "label"), said_of([{"label": "b"}], "label"), said_of("c", "label")
    ('a', 'b', 'c')
    """
    value = first(value)
    if isinstance(value, Mapping):
        value = first(value.get(name))
    return "" if value is None else str(value)


def joined(cells: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Give cells of a table beside the rows, marked as such: ``name`` becomes ``prefix.name``."""
    return {f"{prefix}.{name}": cell for name, cell in cells.items()}
