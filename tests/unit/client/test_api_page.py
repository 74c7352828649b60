"""The client sends what docs/api.md shows, and its types are what the page promises as answers."""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping
from typing import Any, Literal, NotRequired, TypeAlias, Union, get_args, get_origin, get_type_hints, is_typeddict

import httpx
import pytest

from sageline_client import Instance, Sageline, answers
from tests.unit.api.api_page import Example, examples

RUN = "wines-20261120100000-0a1b2c"
MD5 = "9e107d9d372bb6826bd81d3542a419d6"
ROWS: list[Instance] = [{"alcohol": 13.2, "colour": "red"}, {"alcohol": None, "colour": "white"}]
WEIGHTS = {RUN: 1.0}
DATA, BATCH = "s3://sageline-data/datasets/wines/data.csv", "s3://sageline-data/batch/wines/rows.csv"
SPEC = {"name": "wines", "dataset": {"uri": DATA}}

Ask: TypeAlias = Callable[[Sageline], object]

CALLS: Mapping[str, tuple[Ask, type]] = {
    "POST /datasets": (
        lambda it: it.datasets.create_upload("wines", 11157, MD5, spec={"dataset": {"label": "grape"}}),
        answers.Upload,
    ),
    "POST /datasets/inspect": (lambda it: it.datasets.inspect(name="shop"), answers.Inspection),
    "POST /datasets/{name}/complete": (
        lambda it: it.datasets.complete("wines", idempotency_key="wines-2026-11-20"),
        answers.StartedRun,
    ),
    "POST /pipelines": (lambda it: it.runs.start(SPEC, idempotency_key="nightly-2026-11-20"), answers.StartedRun),
    "GET /pipelines": (lambda it: {"runs": list(it.runs.list(name="wines", page_size=1)), "next_token": None}, answers.Run),
    "GET /pipelines/{id}": (lambda it: it.runs.get(RUN), answers.Run),
    "DELETE /pipelines/{id}": (lambda it: it.runs.stop(RUN), answers.Run),
    "GET /endpoints": (lambda it: {"endpoints": it.endpoints.list()}, answers.Endpoint),
    "GET /endpoints/{name}": (lambda it: it.endpoints.get("wines"), answers.EndpointWithColumns),
    "GET /endpoints/{name}/schema": (lambda it: it.endpoints.schema("wines"), dict),
    "GET /openapi.json": (lambda it: it.openapi(), dict),
    "PATCH /endpoints/{name}": (lambda it: it.endpoints.set_weights("wines", WEIGHTS), answers.Endpoint),
    "POST /endpoints/{name}/promote": (lambda it: it.endpoints.promote("wines", RUN), answers.ChangeRun),
    "POST /endpoints/{name}/rollback": (lambda it: it.endpoints.roll_back("wines"), answers.ChangeRun),
    "DELETE /endpoints/{name}": (lambda it: it.endpoints.delete("wines"), answers.DeletedEndpoint),
    "POST /endpoints/{name}/predictions": (
        lambda it: it.predict("wines", ROWS, top_k=2, session="customer-42"),
        answers.Predictions,
    ),
    "POST /endpoints/{name}/batch": (
        lambda it: it.endpoints.start_batch("wines", BATCH, instance_count=2, idempotency_key="scores-2026-11-20"),
        answers.StartedBatch,
    ),
}
"""Route to the call that is its example, and the type of the answer, or of what it lists."""

EXAMPLES = examples()


def test_the_client_has_a_method_for_every_route_of_the_page() -> None:
    assert EXAMPLES.keys() - CALLS.keys() == set()


@pytest.mark.parametrize("route", EXAMPLES)
def test_a_method_sends_the_request_of_the_page_and_gives_its_answer(route: str) -> None:
    example, sent = EXAMPLES[route], list[httpx.Request]()

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(example.status, json=example.answer)

    ask, _ = CALLS[route]
    with Sageline("https://api.example", token="a-token", transport=httpx.MockTransport(handle)) as client:
        assert ask(client) == example.answer

    [request] = sent
    assert f"{request.method} {request.url.path}" == f"{route.split(maxsplit=1)[0]} {example.event['rawPath']}"
    assert dict(request.url.params) == example.event["queryStringParameters"]
    assert _body(request.content) == _body(example.event.get("body", "").encode())
    key = example.event["headers"].get("idempotency-key")
    assert key is None or request.headers["idempotency-key"] == key


@pytest.mark.parametrize("route", [route for route in EXAMPLES if CALLS.get(route, ("", dict))[1] is not dict])
def test_the_type_of_an_answer_is_what_the_page_shows(route: str) -> None:
    _, kind = CALLS[route]
    example: Example = EXAMPLES[route]
    listed = example.answer.get("runs") or example.answer.get("endpoints") or [example.answer]

    assert [said for answer in listed for said in differences(answer, kind)] == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"run_id": "r", "status": "Running"}, []),
        ({"run_id": "r"}, [".status is missing"]),
        ({"run_id": "r", "status": "Running", "more": 1}, [".more is not in StartedRun"]),
        ({"run_id": None, "status": "Strange"}, [".run_id is None, not <class 'str'>", ".status is 'Strange'"]),
    ],
)
def test_an_answer_of_another_type_is_found(answer: object, said: list[str]) -> None:
    assert [found[: len(expected)] for found, expected in zip(differences(answer, answers.StartedRun), said, strict=True)] == said


def differences(value: object, hint: Any, where: str = "") -> list[str]:  # Any: a type, or one of typing's forms
    """Where a JSON value is not of a type."""
    if hint is Any:
        return []
    if is_typeddict(hint):
        return _differences_of_object(value, hint, where)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is NotRequired:
        return differences(value, arguments[0], where)
    if origin in (Union, types.UnionType):
        tried = [differences(value, argument, where) for argument in arguments]
        return min(tried, key=len)
    if origin is Literal:
        return [] if value in arguments else [f"{where} is {value!r}, none of {arguments}"]
    if origin is list and isinstance(value, list):
        return [said for item in value for said in differences(item, arguments[0], f"{where}[]")]
    if origin is dict and isinstance(value, dict):
        return [said for key, item in value.items() for said in differences(item, arguments[1], f"{where}.{key}")]
    return [] if isinstance(value, (int, float) if hint is float else origin or hint) else [f"{where} is {value!r}, not {hint}"]


def _differences_of_object(value: object, hint: Any, where: str) -> list[str]:  # Any: a TypedDict
    if not isinstance(value, dict):
        return [f"{where} is {value!r}, not {hint}"]
    hints = get_type_hints(hint, include_extras=True)
    required = {name for name, kind in hints.items() if get_origin(kind) is not NotRequired}
    said = [f"{where}.{name} is missing" for name in sorted(required - value.keys())]
    said += [f"{where}.{name} is not in {hint.__name__}" for name in value.keys() - hints.keys()]
    known = {name: item for name, item in value.items() if name in hints}
    return said + [found for name, item in known.items() for found in differences(item, hints[name], f"{where}.{name}")]


def _body(content: bytes) -> object:
    return json.loads(content) if content.strip() else None
