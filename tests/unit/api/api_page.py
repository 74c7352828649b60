"""The requests and answers of docs/api.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from docs.api_examples import ApiExample, api_examples
from sageline.aws.http import Event


@dataclass(frozen=True)
class Example:
    """One request and the answer that the page promises."""

    route: str
    event: Event
    status: int
    answer: Any  # JSON


def examples() -> dict[str, Example]:
    """The page's examples, by route (``GET /pipelines/{id}``)."""
    return {route: Example(route, _event(shown), shown.status, shown.answer) for route, shown in api_examples().items()}


def _event(shown: ApiExample) -> Event:
    method, template, body = shown.method, shown.path, shown.body
    line, *headers = shown.head.split("\n")
    url = urlsplit(line.removeprefix(f"{method} "))
    names = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template), url.path)
    assert names is not None, f"{line} is no {template}"
    event: dict[str, Any] = {  # an event is JSON
        "version": "2.0",
        "rawPath": url.path,
        "headers": {name.lower(): value for name, value in (header.split(": ") for header in headers)},
        "queryStringParameters": dict(parse_qsl(url.query)),
        "pathParameters": names.groupdict(),
        "requestContext": {
            "http": {"method": method, "path": url.path},
            "requestId": "Kx8zQh01IAMEPYg=",
            "domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
            "stage": "$default",
            "timeEpoch": 1795168800000,
        },
        "isBase64Encoded": False,
    }
    if body:
        event["body"] = body
    return event


def shape(value: object) -> object:
    """Keys and types of a JSON document; a list has the shape of its first item, ``details`` may hold anything."""
    if isinstance(value, dict):
        return {key: "anything" if key == "details" else shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return type(value).__name__
