"""Starting a batch by a request."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from sageline.api.batch import read_batch_request
from sageline.api.endpoints import Endpoints
from sageline.aws.http import Event
from sageline.errors import EndpointNotFound, InvalidRequest
from sageline.runs.trigger import BatchRequest, parse_trigger
from tests.unit.api.fakes import BUCKET, LIFETIMES, Clients, Manage
from tests.unit.sessions import stepfunctions_client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RUN, NEXT = "wines-20261120100000-0a1b2c", "wines-20261121100000-3d4e5f"
INPUT = f"s3://{BUCKET}/batch/wines/rows.csv"


@pytest.fixture
def read(s3: S3Client, clients: Clients, golden: Callable[[str], Event]) -> Callable[..., Any]:
    """What is made of a body sent to endpoint ``wines``."""
    endpoints = Endpoints(clients.context(), LIFETIMES)

    def call(body: object, endpoint: str = "wines") -> Any:
        event = {**golden("post-batch"), "body": json.dumps(body), "pathParameters": {"name": endpoint}}
        return read_batch_request(event, endpoints)

    return call


def started(machine_arn: str) -> list[dict[str, Any]]:
    executions = stepfunctions_client().list_executions(stateMachineArn=machine_arn)["executions"]
    arns = [execution["executionArn"] for execution in executions]
    return [json.loads(stepfunctions_client().describe_execution(executionArn=arn)["input"]) for arn in arns]


def test_the_variant_of_most_weight_scores_unless_another_is_named(
    read: Callable[..., Any], put_routing: Callable[..., None]
) -> None:
    put_routing("wines", **{RUN: 0.25, NEXT: 0.75})
    assert read({"input": INPUT}).variant == NEXT
    assert read({"input": INPUT, "variant": RUN}).variant == RUN


def test_the_execution_gets_what_configuring_takes(
    manage: Manage, golden: Callable[[str], Event], put_routing: Callable[..., None], machine_arn: str
) -> None:
    put_routing("wines", **{RUN: 1})
    answer = manage(golden("post-batch-with-idempotency-key"))
    run_id = answer.body["run_id"]
    assert answer.status == 202
    assert answer.body == {
        "run_id": run_id,
        "status": "Running",
        "output": f"s3://{BUCKET}/runs/{run_id}/predictions.csv",
    }
    [trigger] = started(machine_arn)
    assert parse_trigger(trigger) == BatchRequest(run_id, "wines", RUN, INPUT, "ml.c5.large", 2, 3600)


def test_the_same_key_is_the_same_batch_whichever_variant_leads_by_then(
    manage: Manage, golden: Callable[[str], Event], put_routing: Callable[..., None], machine_arn: str
) -> None:
    event = {**golden("post-batch-with-idempotency-key"), "body": json.dumps({"input": INPUT})}
    put_routing("wines", **{RUN: 1})
    first = manage(event)
    put_routing("wines", **{RUN: 0, NEXT: 1})
    assert manage(event).body == first.body
    assert [trigger["batch"]["variant"] for trigger in started(machine_arn)] == [RUN]


def test_the_same_key_for_another_file_is_a_conflict(
    manage: Manage, golden: Callable[[str], Event], put_routing: Callable[..., None]
) -> None:
    put_routing("wines", **{RUN: 1})
    event = golden("post-batch-with-idempotency-key")
    manage(event)
    answer = manage({**event, "body": json.dumps({"input": f"s3://{BUCKET}/batch/wines/others.csv"})})
    assert (answer.status, answer.body["error"]["code"]) == (409, "ResourceConflict")


def test_a_batch_that_has_no_record_yet_is_shown(
    manage: Manage, golden: Callable[[str], Event], put_routing: Callable[..., None]
) -> None:
    put_routing("wines", **{RUN: 1})
    run_id = manage(golden("post-batch")).body["run_id"]
    shown = manage({**golden("get-pipeline"), "rawPath": f"/pipelines/{run_id}", "pathParameters": {"id": run_id}}).body
    assert (shown["dataset_uri"], shown["endpoint_name"]) == (INPUT, "wines")


def test_the_name_of_an_endpoint_becomes_that_of_a_run(read: Callable[..., Any], put_routing: Callable[..., None]) -> None:
    name = "Wines--of-the-South-of-France-and-Spain"
    put_routing(name, **{RUN: 1})
    assert read({"input": INPUT}, name).name == "wines-of-the-south-of-france-and"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "`input` is missing from the request body"),
        ({"input": INPUT, "varaint": RUN}, "Unknown key `varaint` in the request body; did you mean `variant`"),
        ({"input": INPUT, "variant": 3}, "`variant` is a JSON number"),
        ({"input": INPUT, "variant": RUN[:-1] + "d"}, f"it has: {RUN}"),
        ({"input": 3}, "`input` is 3; expected a valid string"),
        (
            {"input": "s3://bucket/batch/rows.feather"},
            "`input` is .*; expected the S3 URI of a file that is .csv, .tsv",
        ),
        ({"input": f"s3://{BUCKET}/batch/pets.zip"}, "For images, write JSON Lines"),
        ({"input": "s3://elsewhere/batch/rows.csv"}, f"put the file into the stack's bucket, below s3://{BUCKET}/batch/"),
        ({"input": f"s3://{BUCKET}/runs/rows.csv"}, "put the file into the stack's bucket"),
        ({"input": INPUT, "instance_type": "big"}, '`instance_type` is "big"; expected a SageMaker instance type'),
        ({"input": INPUT, "instance_count": 0}, "`instance_count` is 0; expected greater than or equal to 1"),
    ],
)
def test_a_request_that_cannot_be_served_is_refused_in_words(
    read: Callable[..., Any], put_routing: Callable[..., None], body: object, said: str
) -> None:
    put_routing("wines", **{RUN: 1})
    with pytest.raises(InvalidRequest, match=said):
        read(body)


def test_an_unknown_endpoint_is_not_found(read: Callable[..., Any]) -> None:
    with pytest.raises(EndpointNotFound, match="No endpoint 'wines' is known"):
        read({"input": INPUT})


@pytest.mark.parametrize(
    ("case", "refusal"),
    [
        ("post-batch-unknown-variant", (400, "InvalidRequest")),
        ("post-batch-outside-of-the-bucket", (400, "InvalidRequest")),
        ("post-batch-unknown-endpoint", (404, "EndpointNotFound")),
    ],
)
def test_a_refusal_is_an_http_answer(
    manage: Manage, golden: Callable[[str], Event], put_routing: Callable[..., None], case: str, refusal: tuple[int, str]
) -> None:
    put_routing("wines", **{RUN: 1})
    answer = manage(golden(case))
    assert (answer.status, answer.body["error"]["code"]) == refusal
