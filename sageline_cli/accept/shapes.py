"""The shape of a document without its values, and text without what tells whose account it is."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from sageline.json_objects import Json

_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)(?!\.dkr\.ecr\.)")  # SageMaker's own registries are public
_ACCESS_KEY = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}")
_API_HOST = re.compile(r"\b[a-z0-9]{10}(?=\.execute-api\.)")
_MASK = "***"
_SHOWN_KEYS = 20


def shape_of(value: object) -> object:
    """The value with the type instead of each text and number, and for a list its length and the shape of its first item.

    ``{"a": [1.5, 2]}`` gives ``{"a": {"list of": "number", "length": 2}}``.
    """
    match value:
        case dict():
            return {str(key): shape_of(item) for key, item in list(value.items())[:_SHOWN_KEYS]}
        case list():
            return {"list of": shape_of(value[0]) if value else "nothing", "length": len(value)}
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case None:
            return "null"
        case _:
            return "text"


def shape_of_body(body: bytes, content_type: str) -> object:
    """What a container has answered: of JSON its shape, of CSV its lines and fields, of all else its size."""
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind == "application/json":
            return shape_of(json.loads(body))
        if kind == "text/csv":
            lines = body.decode("ascii").splitlines()
            fields = sorted({line.count(",") + 1 for line in lines})
            return {"lines": len(lines), "fields": fields, "final line break": body.endswith(b"\n")}
    except ValueError:
        return {"bytes": len(body), "is not": kind}
    return {"bytes": len(body)}


def masked(document: Json, secrets: Sequence[str] = ()) -> Json:
    """A document for others to read: account ids, access keys, hosts of APIs and the secrets given are masked in every text."""
    return {_mask(key, secrets): _masked(value, secrets) for key, value in document.items()}


def _masked(value: object, secrets: Sequence[str]) -> object:
    match value:
        case dict():
            return masked(value, secrets)
        case list() | tuple():
            return [_masked(item, secrets) for item in value]
        case str():
            return _mask(value, secrets)
        case _:
            return value


def _mask(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, _MASK) if secret else text
    for pattern in (_ACCOUNT, _ACCESS_KEY, _API_HOST):
        text = pattern.sub(_MASK, text)
    return text
