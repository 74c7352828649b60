"""A stack's account in memory: its bucket, table, state machine, function, schedules and SageMaker."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from functions.manage_pipelines import app
from sageline.api.runs import Runs
from sageline.aws.clients import CLIENTS
from sageline.aws.http import Event
from sageline.runs.routing import RoutedVariant, Routing
from sageline.runs.store import RunRecord, RunStore
from tests.contract import complaint
from tests.unit.api.fakes import (
    BUCKET,
    EXECUTION,
    LIFETIMES,
    RUN,
    TABLE,
    Answer,
    Claim,
    Clients,
    Context,
    Manage,
    dynamodb_client,
)
from tests.unit.golden import golden_event
from tests.unit.sessions import s3_client, session
from tests.unit.world.fake_stepfunctions import MACHINE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def clients() -> Iterator[Clients]:
    made = Clients()
    with made.aws.behind_clients():
        yield made


@pytest.fixture
def s3(clients: Clients) -> S3Client:
    return s3_client()


@pytest.fixture
def table(clients: Clients) -> Table:
    return session().resource("dynamodb").Table(TABLE)


@pytest.fixture
def store(table: Table) -> RunStore:
    return RunStore(table)


@pytest.fixture
def claim(store: RunStore) -> Claim:
    def put(run_id: str = RUN, created_at: str = "2026-11-20T10:00:00.000Z") -> None:
        name = run_id.rsplit("-", 2)[0]
        store.claim(RunRecord(run_id=run_id, name=name, execution_arn=EXECUTION, created_at=created_at))

    return put


@pytest.fixture
def runs(clients: Clients) -> Runs:
    return Runs(clients.context(), state_machine_arn=MACHINE, delete_endpoint_function_name="sageline-delete-endpoint")


@pytest.fixture
def golden() -> Callable[[str], Event]:
    def read(case: str) -> dict[str, Any]:  # an event is JSON
        event: dict[str, Any] = golden_event(f"manage_pipelines/{case}")
        return event

    return read


@pytest.fixture
def put_routing(s3: S3Client) -> Callable[..., None]:
    """Puts the routing of an endpoint whose variants have the given weights."""

    def put(endpoint: str, **weights: float) -> None:
        variants = tuple(
            RoutedVariant(
                name=name.replace("_", "-"),
                weight=weight,
                model_version=name.replace("_", "-"),
                model_name=name.replace("_", "-"),
                encoder_uri=f"s3://{BUCKET}/runs/{name}/encoder/",
                content_type="text/csv",
                endpoint_config=name.replace("_", "-"),
            )
            for name, weight in weights.items()
        )
        document = Routing(endpoint, variants, "2026-11-20T10:00:00.000Z").dump()
        s3.put_object(Bucket=BUCKET, Key=f"endpoints/{endpoint}/routing.json", Body=document)

    return put


@pytest.fixture
def machine_arn(clients: Clients) -> str:
    return MACHINE


@pytest.fixture
def manage(s3: S3Client, table: Table, clients: Clients, machine_arn: str, monkeypatch: pytest.MonkeyPatch) -> Manage:
    """Asks manage_pipelines, which has a bucket, a table, a state machine, and in SageMaker what a test puts there. Whatever it
    answers must be as the OpenAPI document says."""
    for name, value in {
        "BUCKET_NAME": BUCKET,
        "RUNS_TABLE_NAME": TABLE,
        "STACK_NAME": "sageline",
        "MAX_UPLOAD_MEGABYTES": "1024",
        "STATE_MACHINE_ARN": machine_arn,
        "DELETE_ENDPOINT_FUNCTION_NAME": "sageline-delete-endpoint",
        **{name.upper(): value for name, value in asdict(LIFETIMES).items()},
    }.items():
        monkeypatch.setenv(name, value)
    made = {**vars(clients.context().clients), "dynamodb": dynamodb_client()}
    for name, client in made.items():
        monkeypatch.setitem(vars(CLIENTS), name, client)

    def call(event: Any) -> Answer:
        answer = app.handler(event, Context())
        http = event["requestContext"]["http"]
        assert complaint(http["method"], http["path"], answer["statusCode"], answer["headers"], answer["body"]) is None
        headers = {name.lower(): value for name, value in answer["headers"].items()}
        return Answer(answer["statusCode"], json.loads(answer["body"]), headers)

    return call
