"""The answers of an operation: what it gives, what errors, with which headers."""

from __future__ import annotations

from collections.abc import Mapping

from sageline import errors
from sageline.api.contract import bodies
from sageline.api.contract.operations import Operation
from sageline.aws.http import RETRY_AFTER_SECONDS, STATUS_OF_ERROR
from sageline.json_objects import Document, Json
from sageline.serving.answer import JSON

SCHEMAS: Mapping[str, Json] = {
    "GatewayAnswer": {
        "type": "object",
        "description": "What API Gateway itself answers, before or instead of Sageline.",
        "properties": {"message": {"type": "string"}},
        "required": ["message"],
    }
}
HEADERS: Mapping[str, Json] = {
    "Retry-After": {"description": "After how many seconds to try again.", "schema": {"type": "integer"}},
    "sageline-variant": {"description": "Who has answered; of CSV and JSON Lines.", "schema": {"type": "string"}},
    "sageline-model-version": {"description": "The model that has; of CSV and JSON Lines.", "schema": {"type": "string"}},
    "sageline-warnings": {
        "description": "An array in JSON; of CSV and JSON Lines, where there are any.",
        "schema": {"type": "string", "contentMediaType": JSON},
    },
}
_MEANS = {
    400: "The request is wrong.", 403: "No signature, a wrong one, no permission, or a token without the scope.",
    404: "There is nothing of that name.",
    406: "`Accept` names nothing that the answer can be.", 409: "Something else is under way, or done already.",
    413: "The request or the answer is too large.", 415: "The body is of a type that is not taken.",
    429: "Too many requests.", 500: "A fault of Sageline, or what it has stored is damaged or was deleted.",
    502: "The model or its endpoint failed.", 503: "Not now; try again.",
}  # fmt: skip
_OF_STORED = (errors.InvalidEncoder, errors.InvalidRouting, errors.ObjectMissing)
_OF_GATEWAY = (403, 404, 413, 429, 500, 503)
"""Of any route: without a signature, of a path that is no route's, too large or too many, and when a function does not answer."""
_INTERNAL = "InternalError"


def of(operation: Operation, schema: Json, example: Document) -> Json:
    """Every answer, by status."""
    media: Json = {"schema": schema}
    if "answer" in example:
        media["example"] = example["answer"]
    good: Json = {"description": operation.summary, "content": {JSON: media}}
    if operation.id == "predict":
        good["content"] |= bodies.other_answers()
        good["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS if name.startswith("sageline-")}
    if operation.links:
        good["links"] = {
            target: {"operationId": target, "parameters": {name: where if where.startswith("$") else f"$response.body#/{where}"}}
            for target, name, where in operation.links
        }
    return {str(operation.status): good, **{str(status): _error(status, codes) for status, codes in _codes(operation).items()}}


def _codes(operation: Operation) -> dict[int, list[str]]:
    """The codes of errors by status."""
    found: dict[int, list[str]] = {status: [] for status in _OF_GATEWAY}
    for kind in (*operation.errors, *_OF_STORED, errors.ScopeMissing):
        found.setdefault(STATUS_OF_ERROR[kind], []).append(kind.__name__)
    found[500].append(_INTERNAL)
    return {status: sorted(set(found[status])) for status in sorted(found)}


def _error(status: int, codes: list[str]) -> Json:
    gateway: Json = {"$ref": "#/components/schemas/GatewayAnswer"}
    ours: Json = {
        "allOf": [
            {"$ref": "#/components/schemas/ErrorAnswer"},
            {"properties": {"error": {"properties": {"code": {"enum": codes}}}}},
        ]
    }
    kinds = [ours] if codes else []
    kinds += [gateway] if status in _OF_GATEWAY else []
    answer: Json = {
        "description": _MEANS[status],
        "content": {JSON: {"schema": kinds[0] if len(kinds) == 1 else {"anyOf": kinds}}},
    }
    if status in RETRY_AFTER_SECONDS:
        answer["headers"] = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
    return answer
