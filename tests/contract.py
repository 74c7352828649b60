"""Whether an answer of the HTTP API is one that its OpenAPI document describes."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs

from sageline.api.contract import served

DOCUMENT: dict[str, Any] = json.loads((Path(served.__file__).parent / served.FILE).read_text())  # Any: JSON


def route_of(method: str, path: str) -> tuple[str, str] | None:
    """The route of a request as the document names it: path and method in lower case. None if it has none."""
    for template, item in DOCUMENT["paths"].items():
        pattern = "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", template))
        if method.lower() in item and re.fullmatch(pattern, path, re.DOTALL):
            return template, method.lower()
    return None


@functools.cache
def validator(*pointer: str) -> jsonschema_rs.Validator:
    """Validates by the schema at a place in the document."""
    schema: Any = DOCUMENT
    for key in pointer:
        schema = schema[key]
    return jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def complaint(method: str, path: str, status: int, headers: Mapping[str, str], body: str) -> str | None:
    """How an answer is not as the document says; None if it is, or if the request had no route."""
    route = route_of(method, path)
    if route is None:
        return None
    said = f"{method} {path}: {status}"
    answers = DOCUMENT["paths"][route[0]][route[1]]["responses"]
    if str(status) not in answers:
        return f"{said} is not documented"
    sent = {name.lower(): value for name, value in headers.items()}
    kind = sent.get("content-type", "").partition(";")[0]
    if kind not in answers[str(status)]["content"]:
        return f"{said} is documented as {list(answers[str(status)]['content'])}, not as {kind!r}"
    if (status in (429, 503)) != ("retry-after" in sent):
        return f"{said} with the headers {sorted(sent)}: Retry-After comes with 429 and 503 alone"
    value = json.loads(body) if kind == "application/json" else body
    check = validator("paths", *route, "responses", str(status), "content", kind, "schema")
    problems = [f"{said}: at {'/'.join(map(str, error.instance_path))}: {error.message}" for error in check.iter_errors(value)]
    return problems[0] if problems else None
