"""Makes the OpenAPI document. Not used when a request is answered: :mod:`sageline.api.contract.served` reads what was made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin, get_type_hints, is_typeddict

import typing_extensions
from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

import sageline
from sageline.api.contract import bodies, responses
from sageline.api.contract.operations import OPERATIONS, Operation
from sageline.aws.error_answer import ErrorAnswer
from sageline.aws.scopes import ROUTE_SCOPES, SCOPES
from sageline.json_objects import Document, Json
from sageline.serving.document import PredictionBody

Schemas = Mapping[tuple[object, JsonSchemaMode], Json]

_REFERENCE = "#/components/schemas/{model}"
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key always gives the same run; with another request it is a ResourceConflict.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}
_NAMES = {
    "/datasets/{name}": {"type": "string", "pattern": "^[a-z0-9](-?[a-z0-9])*$", "maxLength": 32},
    "/endpoints/{name}": {"type": "string", "pattern": "^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", "maxLength": 63},
    "/pipelines/{id}": {"type": "string"},
}


def openapi_document(examples: Mapping[str, Document]) -> Json:
    """The document, without ``servers``.

    Args:
        examples: of each route ``request`` and ``answer``, the bodies that docs/api.md shows; a route may lack either.
    """
    schemas, components = _schemas()
    paths: Json = {}
    for route, operation in OPERATIONS.items():
        method, path = route.split(" ")
        paths.setdefault(path, {})[method.lower()] = _operation(route, operation, schemas, examples.get(route, {}), components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sageline",
            "version": sageline.__version__,
            "description": "Upload a labelled dataset, get a prediction API. docs/api.md says it in words.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "security": [{"sigv4": []}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": {**components, **responses.SCHEMAS},
            "headers": responses.HEADERS,
            "securitySchemes": {
                "sigv4": {
                    "type": "apiKey",
                    "name": "Authorization",
                    "in": "header",
                    "description": "AWS Signature Version 4 for the service `execute-api`.",
                    "x-amazon-apigateway-authtype": "awsSigv4",
                },
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "Where the stack has an API for tokens: "
                    + " ".join(f"`{scope}`: {text}" for scope, text in SCOPES.items()),
                },
            },
        },
    }


def _schemas() -> tuple[Schemas, Json]:
    """A schema of each type that a route takes or gives, and what they have in common."""
    wanted: list[tuple[object, JsonSchemaMode]] = [(ErrorAnswer, "serialization")]
    for operation in OPERATIONS.values():
        wanted.append((operation.gives, "serialization"))
        if operation.takes is not None:
            wanted.append((operation.takes, "validation"))
    # Any: an adapter of whatever type a route has.
    adapters: list[tuple[object, JsonSchemaMode, TypeAdapter[Any]]] = [
        (kind, mode, TypeAdapter(_readable(kind))) for kind, mode in dict.fromkeys(wanted)
    ]
    made, shared = TypeAdapter.json_schemas(adapters, ref_template=_REFERENCE)
    definitions = {name: _plain(schema) for name, schema in shared["$defs"].items()}
    for operation in OPERATIONS.values():
        if operation.takes is not None:  # its keys are those that check_keys lets through
            definitions[_name(operation.takes)]["additionalProperties"] = False
    return {key: _plain(schema) for key, schema in made.items()}, definitions


def _readable(kind: Any) -> Any:
    """A type as pydantic reads it: on Python 3.11 no ``TypedDict`` of the standard library. Any: a type of whatever kind."""
    if is_typeddict(kind):
        hints = get_type_hints(kind, include_extras=True)
        return typing_extensions.TypedDict(kind.__name__, hints)  # type: ignore[operator]  # mypy takes it for a base class only
    return kind


def _name(kind: Any) -> str:  # Any: a type, or an annotated one
    name: str = (get_args(kind)[0] if get_origin(kind) is Annotated else kind).__name__
    return name


def _plain(schema: Json) -> Json:
    """A schema without the titles that pydantic makes of the names of keys."""
    plain: Json = {}
    for key, value in schema.items():
        if key == "title" and isinstance(value, str):
            continue
        if key == "properties":
            plain[key] = {name: _plain(item) if isinstance(item, dict) else item for name, item in value.items()}
        elif isinstance(value, dict) and key not in ("default", "mapping"):
            plain[key] = _plain(value)
        elif isinstance(value, list):
            plain[key] = [_plain(item) if isinstance(item, dict) else item for item in value]
        else:
            plain[key] = value
    return plain


def _operation(route: str, operation: Operation, schemas: Schemas, example: Document, components: Json) -> Json:
    made: Json = {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": f"docs/api.md, {route}. A token needs the scope {' or '.join(ROUTE_SCOPES[route])}.",
        "x-sageline-scopes": list(ROUTE_SCOPES[route]),
        "parameters": [*_path_parameters(route), *_query(operation), *([_KEY] if operation.repeatable else [])],
        "responses": responses.of(operation, schemas[operation.gives, "serialization"], example),
    }
    if operation.takes is not None:
        schema = schemas[operation.takes, "validation"]
        made["requestBody"] = bodies.of(operation, schema, example)
    if operation.id == "predict":
        made["parameters"] += bodies.prediction_parameters(components[PredictionBody.__name__])
    return made


def _path_parameters(route: str) -> list[Json]:
    path = route.split(" ")[1]
    return [
        {"name": name, "in": "path", "required": True, "schema": next(_NAMES[key] for key in _NAMES if path.startswith(key))}
        for name in re.findall(r"\{(\w+)\}", path)
    ]


def _query(operation: Operation) -> list[Json]:
    return [{"name": name, "in": "query", "schema": schema} for name, schema in operation.parameters.items()]
