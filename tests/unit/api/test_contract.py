"""The OpenAPI document is about what is there: the template's routes, the errors that there are, the page's examples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from docs.api_examples import bodies
from sageline.api.contract.operations import OPERATIONS
from sageline.aws.http import RETRY_AFTER_SECONDS, STATUS_OF_ERROR
from sageline.aws.scopes import ROUTE_SCOPES, SCOPES
from sageline.errors import RouteNotFound
from tests.contract import DOCUMENT, complaint, validator

EXAMPLES = bodies()


def operations() -> Iterator[tuple[str, dict[str, Any]]]:  # Any: JSON
    for path, item in DOCUMENT["paths"].items():
        yield from ((f"{method.upper()} {path}", operation) for method, operation in item.items())


def documented_errors() -> set[tuple[str, int]]:
    return {
        (code, int(status))
        for _, operation in operations()
        for status, answer in operation["responses"].items()
        for code in re.findall(r"'(\w+)'", str(re.findall(r"'enum': \[([^]]*)\]", str(answer))))
        if status[0] in "45"
    }


def test_the_document_has_every_route_of_the_template_and_no_other() -> None:
    routes = re.findall(r'Method: (\w+), Path: "?(/[^" ]*?)"?\}$', Path("template.yaml").read_text("utf-8"), re.MULTILINE)

    assert {f"{method} {path}" for method, path in routes} == {route for route, _ in operations()}


def test_every_error_that_a_caller_may_see_is_documented_with_its_status() -> None:
    # A request without a route comes to no function: API Gateway answers it.
    codes = {(kind.__name__, status) for kind, status in STATUS_OF_ERROR.items() if kind is not RouteNotFound}
    codes.add(("InternalError", 500))

    assert documented_errors() == codes


def test_answers_that_come_with_retry_after_say_so() -> None:
    for route, operation in operations():
        for status, answer in operation["responses"].items():
            assert ("Retry-After" in answer.get("headers", {})) == (int(status) in RETRY_AFTER_SECONDS), (route, status)


def test_every_route_has_scopes_that_there_are() -> None:
    assert {*ROUTE_SCOPES} == {*OPERATIONS}
    assert {scope for scopes in ROUTE_SCOPES.values() for scope in scopes} == {*SCOPES}


def test_what_changes_something_is_not_done_with_a_token_that_may_read() -> None:
    changing = {route for route in ROUTE_SCOPES if not route.startswith("GET")}
    without_effect = {"POST /datasets/inspect", "POST /endpoints/{name}/predictions"}

    assert all(ROUTE_SCOPES[route] == ("sageline/change",) for route in changing - without_effect)


@pytest.mark.parametrize("route", EXAMPLES)
def test_an_example_of_the_page_is_that_of_the_document_and_fits_its_schema(route: str) -> None:
    method, path = route.split(" ")
    operation, example = DOCUMENT["paths"][path][method.lower()], EXAMPLES[route]
    status = next(status for status in operation["responses"] if status.startswith("2"))
    answer = operation["responses"][status]["content"]["application/json"]

    assert answer["example"] == example["answer"]
    validator("paths", path, method.lower(), "responses", status, "content", "application/json", "schema").validate(
        example["answer"]
    )
    if "request" in example:
        asked = operation["requestBody"]["content"]["application/json"]
        assert asked["example"] == example["request"]
        validator("paths", path, method.lower(), "requestBody", "content", "application/json", "schema").validate(
            example["request"]
        )


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("POST /datasets", {"name": "wines", "bytes": 4}),
        ("POST /datasets", {"name": "Wines", "bytes": 4, "md5": "0" * 32}),
        ("POST /datasets/inspect", {"name": "wines", "uri": "s3://b/k"}),
        ("POST /datasets/inspect", {}),
        ("POST /pipelines", {"spec": {"datset": {}}}),
        ("POST /pipelines", {"spec": {}, "more": 1}),
        ("PATCH /endpoints/{name}", {}),
        ("PATCH /endpoints/{name}", {"weights": {}}),
        ("PATCH /endpoints/{name}", {"ttl_hours": 0}),
        ("POST /endpoints/{name}/predictions", {"instances": []}),
        ("POST /endpoints/{name}/predictions", {"instances": ["x"], "top_k": 0}),
        ("POST /endpoints/{name}/batch", {"input": "s3://b/batch/rows.csv", "instance_count": 0}),
    ],
)
def test_a_request_that_is_refused_does_not_fit_its_schema(route: str, body: object) -> None:
    method, path = route.split(" ")

    with pytest.raises(jsonschema_rs.ValidationError):
        validator("paths", path, method.lower(), "requestBody", "content", "application/json", "schema").validate(body)


def test_links_lead_to_operations_and_parameters_that_are_there() -> None:
    known = {operation["operationId"]: {each["name"] for each in operation["parameters"]} for _, operation in operations()}
    links = [
        link for _, operation in operations() for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]  # fmt: skip

    assert len(links) > 20
    assert all({*link["parameters"]} <= known[link["operationId"]] for link in links)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (418, {"content-type": "application/json"}, "{}"),
        (200, {"content-type": "text/html"}, "{}"),
        (200, {"content-type": "application/json"}, '{"endpoints": [{"name": "wines"}]}'),
        (503, {"content-type": "application/json"}, '{"message": "Service Unavailable"}'),
    ],
)
def test_an_answer_that_is_not_as_documented_is_found(status: int, headers: dict[str, str], body: str) -> None:
    assert complaint("GET", "/endpoints", status, headers, body) is not None
    assert complaint("GET", "/endpoints", 200, {"content-type": "application/json"}, '{"endpoints": []}') is None
