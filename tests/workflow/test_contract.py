"""Schemathesis against the local stack: what the HTTP API's own document allows, and what it does not, and chains of requests by
its links. No 5xx, and every answer as documented: status, type, headers, schema.

The requests are the same in every run: Hypothesis draws them from the tests' names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import jsonschema_rs
import pytest
import requests
import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from sageline_local.stack import LocalStack
from tests.contract import DOCUMENT
from tests.workflow.workbench import Workbench, flowers, until

pytestmark = pytest.mark.stack

NAME = "contract"
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
SETTINGS = settings(
    derandomize=True, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
OPERATIONS = [f"{method.upper()} {path}" for path, item in DOCUMENT["paths"].items() for method in item]
EXAMPLES, SCENARIOS, STEPS = 40, 75, 12
MOST_OF_REQUESTS = 1_300
SENT_HEADERS = ("accept", "content-type", "idempotency-key")


@dataclass
class Signed(requests.auth.AuthBase):
    """Signs what is sent, and counts it."""

    credentials: Credentials
    region: str
    sent: list[str] = field(default_factory=list)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        self.sent.append(f"{request.method} {request.url}")
        asked = AWSRequest(request.method, request.url, data=request.body, headers={"host": urlsplit(str(request.url)).netloc})
        SigV4Auth(self.credentials, "execute-api", self.region).add_auth(asked)
        request.headers.update(dict(asked.headers))
        return request


@pytest.fixture(scope="module")
def signed(stack: LocalStack) -> Signed:
    variables = stack.environment()
    credentials = Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    return Signed(credentials, variables["AWS_DEFAULT_REGION"])


@pytest.fixture(scope="module")
def url(stack: LocalStack) -> str:
    return stack.environment()["SAGELINE_API_URL"].rstrip("/")


@pytest.fixture(scope="module")
def schema(url: str) -> Any:  # schemathesis types its schemas loosely
    # Of the two ways to come in it is asked for one, which is signing.
    loaded = schemathesis.openapi.from_dict({**DOCUMENT, "security": [{"sigv4": []}]})
    loaded.config.update(base_url=url)
    return loaded


def send(signed: Signed, url: str, operation: str, body: Any = None, **parameters: str) -> Any:  # JSON
    """The answer of an operation of the document, by its id."""
    method, path = next(
        (method, path) for path, item in DOCUMENT["paths"].items() for method in item if item[method]["operationId"] == operation
    )
    query = {key: value for key, value in parameters.items() if f"{{{key}}}" not in path}
    answer = requests.request(method, url + path.format(**parameters), json=body, params=query, auth=signed, timeout=60)
    assert answer.ok, answer.text
    return answer.json()


def follow(operation: str, link: str, asked: Any, answer: Any) -> dict[str, str]:  # JSON
    """The parameters that a link of an operation's answer gives for another."""
    item = next(each for path in DOCUMENT["paths"].values() for each in path.values() if each["operationId"] == operation)
    [found] = [given["links"][link] for status, given in item["responses"].items() if status.startswith("2")]
    parameters = {}
    for name, expression in found["parameters"].items():
        source, _, pointer = expression.partition("#/")
        value = asked if source == "$request.body" else answer
        for key in pointer.split("/"):
            value = value[int(key)] if isinstance(value, list) else value[key]
        parameters[name] = value
    return parameters


@pytest.fixture(scope="module")
def endpoint(workbench: Workbench, signed: Signed, url: str) -> Iterator[str]:
    """An endpoint that was made by the document alone, from upload to prediction."""
    data = flowers(120).encode()
    asked = {
        "name": NAME,
        "bytes": len(data),
        "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
        "spec": {"algorithm": {"name": "xgboost", "hyperparameters": {"num_round": 10}}},
    }
    upload = send(signed, url, "createUpload", asked)
    httpx.put(upload["upload"]["url"], content=data, headers=upload["upload"]["headers"], timeout=30).raise_for_status()

    of_name = follow("createUpload", "listRuns", asked, upload)
    runs = until(lambda: found if (found := send(signed, url, "listRuns", **of_name))["runs"] else None)
    parameters = follow("listRuns", "getRun", None, runs)
    workbench.wait(parameters["id"])
    run = send(signed, url, "getRun", **parameters)
    assert run["status"] == "Succeeded", run["error"]
    shown = send(signed, url, "getEndpoint", **follow("getRun", "getEndpoint", None, run))
    yield shown["name"]
    workbench.delete(NAME)


def test_the_example_of_an_endpoints_schema_is_predicted(endpoint: str, signed: Signed, url: str) -> None:
    rows = send(signed, url, "getRowSchema", name=endpoint)

    parameters = follow("getRowSchema", "predict", None, rows)
    answer = send(signed, url, "predict", {"instances": rows["examples"], "strict": True}, **parameters)

    assert answer["predictions"][0]["label"] in rows["x-sageline-label"]["labels"]
    length = rows["anyOf"][0]["properties"]["length"]
    assert length["x-sageline-minimum"] < rows["examples"][0]["length"] < length["x-sageline-maximum"]
    assert jsonschema_rs.is_valid(rows, rows["examples"][0])


def test_every_operation_answers_as_documented(schema: Any, endpoint: str, signed: Signed) -> None:
    before = len(signed.sent)

    for operation in OPERATIONS:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try_operation(operation, mode, schema, endpoint, signed)

    assert len(signed.sent) - before >= MOST_OF_REQUESTS


def try_operation(operation: str, mode: GenerationMode, schema: Any, endpoint: str, signed: Signed) -> None:
    method, path = operation.split(" ")
    strategy = schema[path][method].as_strategy(generation_mode=mode)
    is_own = "{name}" in path and method not in ("DELETE",)

    @settings(SETTINGS, max_examples=EXAMPLES)
    @given(case=strategy)
    def sent(case: Any) -> None:
        tidy(case)
        if is_own and len(str(case.body)) % 2:
            case.path_parameters["name"] = endpoint
        case.call_and_validate(checks=CHECKS, auth=signed)

    sent()


def tidy(case: Any) -> None:
    """What would delete the endpoint in the middle is not sent. Neither are headers that mean nothing to any route: the guard of
    the local stack refuses names with underscores, which API Gateway hands on."""
    case.headers = {name: value for name, value in (case.headers or {}).items() if name.lower() in SENT_HEADERS}
    if case.method == "PATCH" and isinstance(case.body, dict):
        case.body.pop("ttl_hours", None)


def test_chains_of_requests_answer_as_documented(schema: Any, endpoint: str, signed: Signed) -> None:
    own_runs: set[str] = set()

    class Chain(schema.as_state_machine()):  # type: ignore[misc]  # made at run time
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"auth": signed}

        def before_call(self, case: Any) -> None:
            tidy(case)
            # Others' endpoints and runs are on this stack too.
            if case.method != "GET" and "name" in case.path_parameters and case.path.startswith("/endpoints"):
                case.path_parameters["name"] = endpoint if case.method != "DELETE" else "nobody-made-this"
            if case.method == "DELETE" and case.path == "/pipelines/{id}" and case.path_parameters["id"] not in own_runs:
                case.path_parameters["id"] = "nobody-started-this"

        def after_call(self, response: Any, case: Any) -> None:
            if case.method == "POST" and response.status_code == 202 and "run_id" in response.json():
                own_runs.add(response.json()["run_id"])

        def validate_response(self, response: Any, case: Any, additional_checks: Any = None, **kwargs: Any) -> None:
            case.validate_response(response, checks=CHECKS, transport_kwargs=kwargs or None)

    before = len(signed.sent)

    Chain.run(settings=settings(SETTINGS, max_examples=SCENARIOS, stateful_step_count=STEPS))

    assert len(signed.sent) - before >= 2_000 - MOST_OF_REQUESTS
