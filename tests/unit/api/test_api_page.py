"""docs/api.md is true: its requests are sent to the handlers, whose answers have the shape that it shows."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from docs.api_examples import PAGE
from sageline import __version__
from sageline.aws.http import STATUS_OF_ERROR
from sageline.failures.failure import Failure
from sageline.runs.deployment_record import DeploymentRecord, routed_variant
from sageline.runs.routing import Routing
from sageline.runs.store import RunRecord, RunStore
from tests.unit.api.api_page import examples, shape
from tests.unit.api.fakes import BUCKET, Clients, Manage
from tests.unit.serving.fakes import encoder, put_encoder
from tests.unit.sessions import stepfunctions_client
from tests.unit.world.fake_sagemaker import ARN

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RUN, NEXT = "wines-20261120100000-0a1b2c", "wines-20261121100000-3d4e5f"
MADE = datetime(2026, 11, 20, 10, tzinfo=UTC)
EXAMPLES = examples()


@pytest.fixture
def claim(store: RunStore, machine_arn: str) -> Callable[[], None]:
    def put() -> None:
        execution = stepfunctions_client().start_execution(stateMachineArn=machine_arn, name=RUN, input="{}")["executionArn"]
        run = RunRecord(run_id=RUN, name="wines", execution_arn=execution, endpoint_name="wines", dataset_uri="s3://b/k")
        store.claim(run)

    return put


@pytest.fixture
def wines_in_service(clients: Clients, s3: S3Client, put_routing: Callable[..., None]) -> None:
    """Endpoint ``wines``, which is to live for some hours."""
    put_routing("wines", **{RUN: 1})
    put_encoder(s3, RUN, encoder())
    s3.put_object(Bucket=BUCKET, Key=f"runs/{RUN}/encoder/example.json", Body=b'{"alcohol": 13.5, "colour": "red"}')
    clients.aws.sagemaker.run_endpoint("wines")
    clients.aws.sagemaker.tags[f"{ARN}:endpoint/wines"] = [{"Key": "sageline:expires-at", "Value": "2026-11-20T18:04:10Z"}]


def assert_described(manage: Manage, route: str) -> None:
    example = EXAMPLES[route]
    answer = manage(example.event)
    assert answer.status == example.status
    assert shape(answer.body) == shape(example.answer)


@pytest.mark.slow
def test_starting_a_batch_answers_as_described(manage: Manage, put_routing: Callable[..., None]) -> None:
    put_routing("wines", **{RUN: 1})
    assert_described(manage, "POST /endpoints/{name}/batch")


@pytest.mark.parametrize("route", ["POST /datasets", "POST /pipelines"])
def test_what_starts_a_run_answers_as_described(manage: Manage, route: str) -> None:
    assert_described(manage, route)


def test_completing_a_dataset_answers_as_described(manage: Manage, s3: S3Client) -> None:
    s3.put_object(Bucket=BUCKET, Key="datasets/wines/data-00.csv", Body=b"a,b\n1,2\n")
    assert_described(manage, "POST /datasets/{name}/complete")


def test_the_list_of_runs_is_as_described(manage: Manage, store: RunStore, claim: Callable[[], None]) -> None:
    claim()
    store.finish(RUN, "Succeeded", rows={"train": 142, "validation": 18, "test": 18})
    assert_described(manage, "GET /pipelines")


def test_a_failed_run_is_as_described(manage: Manage, store: RunStore, claim: Callable[[], None]) -> None:
    claim()
    store.finish(RUN, "Failed", error=Failure("PrepareData", "InvalidDataset", "row 17 …", "Correct the row.").to_json())
    assert_described(manage, "GET /pipelines/{id}")


def test_stopping_a_run_answers_as_described(manage: Manage, claim: Callable[[], None]) -> None:
    claim()
    assert_described(manage, "DELETE /pipelines/{id}")


@pytest.mark.usefixtures("wines_in_service")
@pytest.mark.parametrize("route", ["GET /endpoints", "GET /endpoints/{name}"])
def test_endpoints_are_as_described(manage: Manage, route: str) -> None:
    assert_described(manage, route)


@pytest.mark.usefixtures("wines_in_service")
def test_the_schema_of_an_endpoints_rows_is_as_described(manage: Manage, s3: S3Client) -> None:
    profile = {"columns": {"alcohol": {"kind": "number", "minimum": 11.03, "maximum": 14.83}}}
    s3.put_object(Bucket=BUCKET, Key=f"runs/{RUN}/data/profile.json", Body=json.dumps(profile).encode())
    s3.put_object(Bucket=BUCKET, Key=f"runs/{RUN}/encoder/example.json", Body=b'{"alcohol": 13.2, "colour": "red"}')
    example = EXAMPLES["GET /endpoints/{name}/schema"]

    answer = manage(example.event)

    assert (answer.status, answer.body) == (example.status, example.answer)


def test_the_openapi_document_is_served_with_the_address_of_the_api(manage: Manage) -> None:
    example = EXAMPLES["GET /openapi.json"]

    answer = manage(example.event)

    assert answer.status == example.status
    assert answer.body["servers"] == example.answer["servers"]
    assert answer.body["openapi"] == example.answer["openapi"]
    assert {key: answer.body["info"][key] for key in example.answer["info"]} == example.answer["info"]


def test_the_openapi_document_has_the_version_of_the_project() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]

    assert EXAMPLES["GET /openapi.json"].answer["info"]["version"] == __version__ == project["version"]


@pytest.mark.usefixtures("wines_in_service")
def test_splitting_traffic_answers_as_described(manage: Manage) -> None:
    assert_described(manage, "PATCH /endpoints/{name}")


@pytest.mark.parametrize("route", ["POST /endpoints/{name}/promote", "POST /endpoints/{name}/rollback"])
def test_changing_what_serves_answers_as_described(
    manage: Manage, clients: Clients, store: RunStore, put_routing: Callable[..., None], route: str
) -> None:
    put_routing("wines", **{RUN: 0.5, NEXT: 0.5})
    before = Routing("wines", (routed_variant(RUN, "s3://b/runs/r/encoder/", "text/csv"),), "2026-11-20T10:00:00.000Z")
    deployment = DeploymentRecord("wines", NEXT, before, RUN, before)
    made_by = RunRecord(run_id=NEXT, name="wines", execution_arn="x", details={"deployment": deployment.to_json()})
    store.claim(made_by)
    store.finish(NEXT, "Succeeded")
    clients.aws.sagemaker.run_endpoint("wines")
    assert_described(manage, route)


def test_the_page_has_every_route_of_the_template() -> None:
    routes = re.findall(r'Method: (\w+), Path: "?(/[^" ]*?)"?\}$', Path("template.yaml").read_text("utf-8"), re.MULTILINE)
    assert {f"{method} {path}" for method, path in routes} == set(EXAMPLES)


@pytest.mark.parametrize(("kind", "status"), STATUS_OF_ERROR.items())
def test_the_page_has_every_error_with_its_status(kind: type[Exception], status: int) -> None:
    assert re.search(rf"^\| {status} \|[^|]*`{kind.__name__}`", PAGE, re.MULTILINE)
