"""A stack's bucket, table and state machine in moto; SageMaker, Step Functions and Lambda answers by botocore's Stubber."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

from functions.manage_pipelines import app
from sageline.api.runs import Runs
from sageline.aws.clients import CLIENTS
from sageline.aws.http import Event
from sageline.runs.routing import RoutedVariant, Routing
from sageline.runs.store import RunStore
from tests.unit.api.fakes import BUCKET, LIFETIMES, TABLE, Answer, Clients, Context, Manage, dynamodb_client, moto_stepfunctions
from tests.unit.golden import golden_event
from tests.unit.sessions import s3_client, session

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3 import S3Client


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture
def s3() -> S3Client:
    client = s3_client()
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def table() -> Table:
    return (
        session()
        .resource("dynamodb")
        .create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "kind", "created_at")],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "ByKind",
                    "KeySchema": [
                        {"AttributeName": "kind", "KeyType": "HASH"},
                        {"AttributeName": "created_at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
    )


@pytest.fixture
def store(table: Table) -> RunStore:
    return RunStore(table)


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    made = Clients()
    for name in ("list_tags", "add_tags", "delete_tags"):
        monkeypatch.setattr(made.sagemaker, name, getattr(made.tags, name))
    with made.sagemaker_stub, made.stepfunctions_stub, made.lambda_stub:
        yield made
        made.sagemaker_stub.assert_no_pending_responses()
        made.stepfunctions_stub.assert_no_pending_responses()
        made.lambda_stub.assert_no_pending_responses()


@pytest.fixture
def runs(store: RunStore, clients: Clients) -> Runs:
    context = clients.context()
    vars(context)["store"] = store  # the one that a test claims its runs in
    return Runs(
        context,
        state_machine_arn="arn:aws:states:us-east-1:123456789012:stateMachine:sageline-pipeline",
        delete_endpoint_function_name="sageline-delete-endpoint",
    )


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
def machine_arn() -> str:
    created = moto_stepfunctions().create_state_machine(
        name="sageline-pipeline",
        definition='{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}',
        roleArn="arn:aws:iam::123456789012:role/sageline-pipeline",
    )
    return created["stateMachineArn"]


@pytest.fixture
def manage(s3: S3Client, table: Table, clients: Clients, machine_arn: str, monkeypatch: pytest.MonkeyPatch) -> Manage:
    """Asks manage_pipelines, which has a bucket, a table and a state machine, and no SageMaker but what a test writes down."""
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
    made = {**vars(clients.context().clients), "dynamodb": dynamodb_client(), "stepfunctions": moto_stepfunctions()}
    for name, client in made.items():
        monkeypatch.setitem(vars(CLIENTS), name, client)

    def call(event: Any) -> Answer:
        answer = app.handler(event, Context())
        headers = {name.lower(): value for name, value in answer["headers"].items()}
        return Answer(answer["statusCode"], json.loads(answer["body"]), headers)

    return call
