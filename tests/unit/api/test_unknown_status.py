"""Runs and endpoints of which it cannot be told how they are: they are shown as Unknown, and hide no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sageline.api.endpoints import Endpoints
from sageline.api.runs import Runs
from sageline.errors import DamagedRecord
from sageline.runs.store import RunStore
from tests.unit.api.fakes import BUCKET, EXECUTION, LIFETIMES, RUN, Claim, Clients
from tests.unit.world.fake_sagemaker import Refused

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3 import S3Client

OTHER = "beers-20261120100001-0a1b2c"
OF_THE_API = f"arn:aws:states:us-east-1:123456789012:execution:sageline-pipeline:{RUN}"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def endpoints(s3: S3Client, clients: Clients) -> Endpoints:
    return Endpoints(clients.context(lambda: NOW), LIFETIMES)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "InvalidArn"])
def test_a_run_whose_execution_cannot_be_described_is_unknown_and_hides_no_other(
    runs: Runs, clients: Clients, claim: Claim, store: RunStore, code: str
) -> None:
    claim(OTHER, "2026-11-20T10:00:01.000Z")
    store.finish(OTHER, "Succeeded")
    claim()
    clients.aws.refuse["DescribeExecution"] = Refused(code, EXECUTION)
    listed = runs.list({})["runs"]
    assert isinstance(listed, list)
    assert [run["status"] for run in listed] == ["Succeeded", "Unknown"]
    clients.aws.refuse["DescribeExecution"] = Refused(code, EXECUTION)
    shown = runs.show(RUN)
    assert shown.status == "Unknown"
    assert shown.error is not None
    assert shown.error["message"] == f"Step Functions does not say how the run's execution is ({code})."


def test_whoever_decides_by_a_run_is_not_told_unknown(runs: Runs, clients: Clients, claim: Claim) -> None:
    claim()
    clients.aws.refuse["DescribeExecution"] = Refused("ThrottlingException", "")
    with pytest.raises(clients.stepfunctions.exceptions.ClientError, match="Throttling"):
        runs.get(RUN)


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ({"name": None}, "name"),
        ({"name": 7}, "name"),
        ({"status": "Runing"}, "status"),
        ({"status": {"S": "Running"}}, "status"),
        ({"execution_arn": ""}, "execution_arn"),
        ({"details": "none"}, "details"),
        ({"details": [{1, 2}, b"bytes"]}, "details"),
        ({"states": [{"state": "Bake"}]}, "states"),
        ({"updated_at": "yesterday"}, "updated_at"),
        ({"error": {"a", "b"}}, "error"),
        ({"run_id": {b"bytes"}, "state": 5}, "run_id, state"),
    ],
)
def test_a_run_with_a_damaged_record_is_unknown_and_hides_no_other(
    runs: Runs, table: Table, claim: Claim, damage: dict[str, Any], named: str
) -> None:
    claim(OTHER, "2026-11-20T10:00:01.000Z")
    claim()
    for run_id in (RUN, OTHER):
        runs.context.store.finish(run_id, "Succeeded")
    item = table.get_item(Key={"pk": f"RUN#{RUN}", "sk": "RUN"})["Item"]
    table.put_item(Item={name: value for name, value in {**item, **damage}.items() if value is not None})
    listed = runs.list({})["runs"]
    assert isinstance(listed, list)
    assert [(run["name"], run["status"]) for run in listed] == [("beers", "Succeeded"), ("wines", "Unknown")]
    assert json.dumps(listed)
    shown = runs.show(RUN)
    assert (shown.run_id, shown.status) == (RUN, "Unknown")
    assert shown.error is not None
    assert f"damaged: {named} missing, or not" in shown.error["message"]
    with pytest.raises(DamagedRecord, match=RUN):
        runs.stop(RUN)


def test_runs_that_there_is_no_time_to_look_at_are_unknown(runs: Runs, claim: Claim) -> None:
    claim()
    moments = iter([0.0, 16.0])
    listed = replace(runs, clock=lambda: next(moments)).list({})["runs"]
    assert [(run["status"], run["error"] and run["error"]["error"]) for run in listed] == [("Unknown", "NotLookedAt")]


@pytest.mark.parametrize("document", ["[]", '{"spec": 7}', '{"spec": {"dataset": []}}', "{", '{"batch": {"endpoint": {}}}'])
def test_an_execution_that_was_started_by_hand_is_shown_too(runs: Runs, store: RunStore, clients: Clients, document: str) -> None:
    clients.aws.stepfunctions.run(OF_THE_API, input=document)
    shown = runs.show(RUN)
    assert (shown.status, shown.dataset_uri, shown.endpoint_name) == ("Running", None, None)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "InternalFailure"])
def test_an_endpoint_that_cannot_be_described_is_unknown_and_hides_no_other(
    endpoints: Endpoints,
    put_routing: Callable[..., None],
    clients: Clients,
    code: str,
) -> None:
    for name in ("beers", "wines"):
        put_routing(name, v_1=1)
    clients.aws.sagemaker.refuse["DescribeEndpoint"] = Refused(code, "arn:aws:iam::123456789012:role/secret")
    clients.aws.sagemaker.run_endpoint("wines")
    listed = endpoints.list()["endpoints"]
    assert [(found["name"], found["status"]) for found in listed] == [("beers", "Unknown"), ("wines", "InService")]
    assert listed[0]["variants"] == [{"name": "v-1", "weight": 1.0, "model_version": "v-1"}]
    assert listed[0]["failure_reason"] == f"SageMaker does not say how it is ({code}); ask again."


@pytest.mark.parametrize(
    "document", [b"{", b"[]", b'{"version": 1}', b"\xff", b'{"version": 1, "endpoint": 7, "variants": [{}]}']
)
def test_an_endpoint_with_a_damaged_routing_is_unknown_and_hides_no_other(
    endpoints: Endpoints, s3: S3Client, put_routing: Callable[..., None], clients: Clients, document: bytes
) -> None:
    s3.put_object(Bucket=BUCKET, Key="endpoints/beers/routing.json", Body=document)
    put_routing("wines", v_1=1)
    clients.aws.sagemaker.run_endpoint("wines")
    listed = endpoints.list()["endpoints"]
    assert [(found["name"], found["status"]) for found in listed] == [("beers", "Unknown"), ("wines", "InService")]
    assert "damaged" in str(listed[0]["failure_reason"])
    assert endpoints.champion("beers") is None


def test_the_routing_of_another_endpoint_is_a_damaged_one(
    endpoints: Endpoints, s3: S3Client, put_routing: Callable[..., None]
) -> None:
    put_routing("wines", v_1=1)
    s3.copy_object(Bucket=BUCKET, Key="endpoints/beers/routing.json", CopySource=f"{BUCKET}/endpoints/wines/routing.json")
    assert endpoints.show("beers")["status"] == "Unknown"


def test_endpoints_that_there_is_no_time_to_look_at_are_unknown(endpoints: Endpoints, put_routing: Callable[..., None]) -> None:
    put_routing("wines", v_1=1)
    moments = iter([NOW, NOW + timedelta(seconds=16)])
    listed = replace(endpoints, context=replace(endpoints.context, clock=lambda: next(moments))).list()["endpoints"]
    assert isinstance(listed, list)
    assert [(shown["status"], shown["variants"]) for shown in listed] == [("Unknown", [])]
