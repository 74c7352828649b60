"""The requests and answers of docs/api.md, by route: the one source of the examples in the OpenAPI document."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).parent / "api.md").read_text(encoding="utf-8")

_SECTION = re.compile(r"^## ([A-Z]+) (/\S+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```http\n(.*?)```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class ApiExample:
    """One request and its answer. ``body`` is empty where there is none."""

    method: str
    path: str
    head: str
    body: str
    status: int
    answer: Any  # JSON


def api_examples() -> dict[str, ApiExample]:
    """The page's examples, by route (``GET /pipelines/{id}``)."""
    found = {}
    for method, path, section in _SECTION.findall(PAGE):
        request, answer = _BLOCK.findall(section)
        head, _, body = request.partition("\n\n")
        status, _, document = answer.partition("\n\n")
        found[f"{method} {path}"] = ApiExample(method, path, head.strip(), body, int(status), json.loads(document))
    return found


def bodies() -> dict[str, dict[str, Any]]:  # Any: JSON
    """Of each route the bodies of its request, if it has one, and of its answer."""
    return {
        route: {"answer": example.answer} | ({"request": json.loads(example.body)} if example.body.strip() else {})
        for route, example in api_examples().items()
    }
