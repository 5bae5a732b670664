"""The words in which addresses are described for machines: parameters, answers, errors of OpenAPI.

Only what 3.0 and 3.1 of OpenAPI have in common is used, since OGC API - Features wants 3.0 and everybody else 3.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Described = dict[str, Any]

STRING: Described = {"type": "string"}
OBJECT: Described = {"type": "object"}
FEATURE: Described = {
    "type": "object",
    "required": ["type", "geometry", "properties"],
    "properties": {
        "type": {"type": "string", "enum": ["Feature"]},
        "id": {"type": "string"},
        # Null where a site has no place; the way to say so differs between 3.0 and 3.1.
        "geometry": {},
        "properties": {"type": "object"},
    },
}
FEATURES: Described = {
    "type": "object",
    "required": ["type", "features"],
    "properties": {
        "type": {"type": "string", "enum": ["FeatureCollection"]},
        "features": {"type": "array", "items": FEATURE},
        "numberMatched": {"type": "integer", "minimum": 0},
        "numberReturned": {"type": "integer", "minimum": 0},
    },
}
ERROR: Described = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {"type": "string", "description": "one sentence: what was wrong, what would be right"}
    },
}
REASONS: Mapping[int, str] = {
    304: "Nothing has changed since the answer with the entity tag in If-None-Match.",
    400: "A parameter names what does not exist; the sentence says what does.",
    403: "Not public: readings that nobody has accepted yet.",
    404: "There is no such thing.",
    422: "The readings say too little for this.",
}


def parameter(
    name: str, meaning: str, schema: Described, *, where: str = "query", required: bool = False
) -> Described:
    """Describe one parameter."""
    told: Described = {
        "name": name,
        "in": where,
        "required": required,
        "description": meaning,
        "schema": schema,
    }
    return told | ({"style": "form", "explode": False} if schema.get("type") == "array" else {})


def choice(values: Sequence[str]) -> Described:
    """Describe a text that is one of several."""
    return {"type": "string", "enum": list(values)}


BOX: Described = {"type": "array", "minItems": 4, "maxItems": 4, "items": {"type": "number"}}


def answers(media: str, meaning: str, schema: Described, errors: Sequence[int]) -> Described:
    """Describe what comes back: the answer itself, and the errors that it can be instead."""
    headers = {"ETag": {"description": "changes when the answer does", "schema": STRING}}
    told: Described = {
        "200": {"description": meaning, "headers": headers, "content": {media: {"schema": schema}}}
    }
    for code in errors:
        told[str(code)] = {"description": REASONS[code]}
        if code >= 400:
            told[str(code)]["content"] = {
                "application/json": {"schema": {"$ref": "#/components/schemas/Error"}}
            }
    return told


def operation(
    summary: str, name: str, tag: str, parameters: Sequence[Described], responses: Described, **more: Any
) -> Described:
    """Describe one question that an address takes."""
    told = {"operationId": name, "summary": summary, "tags": [tag], "parameters": list(parameters)}
    return {"get": told | {"responses": responses} | more}
