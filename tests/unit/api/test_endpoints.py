"""Listing endpoints and splitting their traffic."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sageline.api.endpoints import Endpoints
from sageline.errors import ConcurrentModification, EndpointNotFound, EndpointNotReady, InvalidRequest
from tests.unit.api.fakes import BUCKET, LIFETIMES, Clients, stored_weights
from tests.unit.sessions import scheduler_client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MADE = datetime(2026, 11, 20, 10, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ARN = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/wines"


@pytest.fixture
def endpoints(s3: S3Client, clients: Clients) -> Endpoints:
    return Endpoints(clients.context(lambda: NOW), LIFETIMES)


@pytest.fixture
def endpoint_is(clients: Clients) -> Callable[..., None]:
    """Puts an endpoint into SageMaker."""

    def put(name: str, status: str, *variants: dict[str, Any], **more: object) -> None:  # variants as SageMaker's JSON
        times = {"CreationTime": MADE, "LastModifiedTime": MADE}
        clients.aws.sagemaker.run_endpoint(name, status, *variants, **times | more)

    return put


def test_an_endpoint_is_its_routing_joined_with_what_sagemaker_says(
    endpoints: Endpoints, put_routing: Callable[..., None], endpoint_is: Callable[..., None]
) -> None:
    put_routing("wines", v_1=0.9, v_2=0.1)
    endpoint_is("wines", "InService")
    assert endpoints.show("wines") == {
        "name": "wines",
        "status": "InService",
        "variants": [
            {"name": "v-1", "weight": 0.9, "model_version": "v-1"},
            {"name": "v-2", "weight": 0.1, "model_version": "v-2"},
        ],
        "created_at": "2026-11-20T10:00:00.000Z",
        "updated_at": "2026-11-20T10:00:00.000Z",
        "expires_at": None,
        "failure_reason": None,
    }


def test_an_endpoint_says_until_when_it_lives(
    endpoints: Endpoints, clients: Clients, put_routing: Callable[..., None], endpoint_is: Callable[..., None]
) -> None:
    put_routing("wines", v_1=1)
    endpoint_is("wines", "InService")
    clients.aws.sagemaker.tags[ARN] = [{"Key": "sageline:expires-at", "Value": "2026-11-20T18:00:00Z"}]

    assert endpoints.show("wines")["expires_at"] == "2026-11-20T18:00:00Z"


@pytest.mark.parametrize("status", ["InService", "Creating", "Updating", "Failed"])
def test_an_endpoint_is_given_more_time_in_any_state(
    endpoints: Endpoints, put_routing: Callable[..., None], endpoint_is: Callable[..., None], status: str
) -> None:
    put_routing("wines", v_1=1)
    endpoint_is("wines", status)

    changed = endpoints.change("wines", {"ttl_hours": 1.5})

    assert changed["expires_at"] == "2026-11-20T13:30:00Z"
    schedule = scheduler_client().get_schedule(Name="wines", GroupName="sageline")
    assert schedule["ScheduleExpression"] == "at(2026-11-20T13:30:00)"


def test_an_endpoint_is_kept(endpoints: Endpoints, put_routing: Callable[..., None], endpoint_is: Callable[..., None]) -> None:
    put_routing("wines", v_1=1)
    endpoint_is("wines", "InService")
    endpoints.change("wines", {"ttl_hours": 1})

    assert endpoints.change("wines", {"ttl_hours": None})["expires_at"] is None

    assert scheduler_client().list_schedules(GroupName="sageline")["Schedules"] == []


def test_what_is_not_there_cannot_be_given_time(
    endpoints: Endpoints, put_routing: Callable[..., None], clients: Clients, endpoint_is: Callable[..., None]
) -> None:
    put_routing("wines", v_1=1)
    with pytest.raises(EndpointNotReady, match="nothing to give time to"):
        endpoints.change("wines", {"ttl_hours": 1})
    endpoint_is("wines", "Deleting")
    with pytest.raises(EndpointNotReady, match="nothing to give time to"):
        endpoints.change("wines", {"ttl_hours": 1})


@pytest.mark.parametrize("ttl", [0, -1, 8761, "8", True, float("nan"), []])
def test_a_time_to_live_that_makes_no_sense_is_refused(
    endpoints: Endpoints, put_routing: Callable[..., None], ttl: object
) -> None:
    put_routing("wines", v_1=1)
    with pytest.raises(InvalidRequest, match="`ttl_hours` is"):
        endpoints.change("wines", {"ttl_hours": ttl})


def test_an_endpoint_was_updated_when_its_routing_was(
    endpoints: Endpoints, put_routing: Callable[..., None], endpoint_is: Callable[..., None]
) -> None:
    put_routing("wines", v_1=1)
    endpoint_is("wines", "InService", LastModifiedTime=MADE - timedelta(hours=1))
    assert endpoints.show("wines")["updated_at"] == "2026-11-20T10:00:00.000Z"
    endpoint_is("wines", "InService", LastModifiedTime=NOW)
    assert endpoints.show("wines")["updated_at"] == "2026-11-20T12:00:00.000Z"


def test_a_failed_endpoint_says_why(
    endpoints: Endpoints, put_routing: Callable[..., None], endpoint_is: Callable[..., None]
) -> None:
    put_routing("wines", v_1=1)
    endpoint_is("wines", "Failed", FailureReason="The image cannot be pulled.")
    assert endpoints.show("wines")["failure_reason"] == "The image cannot be pulled."


def test_an_endpoint_that_sagemaker_has_not_is_missing(
    endpoints: Endpoints, put_routing: Callable[..., None], clients: Clients
) -> None:
    put_routing("wines", v_1=1)
    assert endpoints.show("wines")["status"] == "Missing"


def test_only_endpoints_with_routing_are_listed(
    endpoints: Endpoints, s3: S3Client, put_routing: Callable[..., None], endpoint_is: Callable[..., None]
) -> None:
    s3.put_object(Bucket=BUCKET, Key="endpoints/left-over/notes.txt", Body=b"")
    for name in ("beers", "wines"):
        put_routing(name, v_1=1)
        endpoint_is(name, "InService")
    listed = endpoints.list()["endpoints"]
    assert isinstance(listed, list)
    assert [endpoint["name"] for endpoint in listed] == ["beers", "wines"]


def test_without_endpoints_the_list_is_empty(endpoints: Endpoints) -> None:
    assert endpoints.list() == {"endpoints": []}


def test_an_endpoint_without_routing_is_not_ours(endpoints: Endpoints) -> None:
    with pytest.raises(EndpointNotFound, match="'wines'"):
        endpoints.show("wines")


def test_splitting_traffic_changes_sagemaker_and_the_routing(
    endpoints: Endpoints, s3: S3Client, clients: Clients, put_routing: Callable[..., None], endpoint_is: Callable[..., None]
) -> None:
    put_routing("wines", v_1=1, v_2=0)
    endpoint_is("wines", "InService", {"VariantName": "v-1"}, {"VariantName": "v-2"})
    changed = endpoints.change("wines", {"weights": {"v-2": 0.25}})

    assert changed["status"] == "InService"
    serving = clients.aws.sagemaker.serving("wines")
    assert {variant["VariantName"]: variant["CurrentWeight"] for variant in serving} == {"v-1": 1.0, "v-2": 0.25}
    assert stored_weights(s3) == {"v-1": 1.0, "v-2": 0.25}
    routing = json.loads(s3.get_object(Bucket=BUCKET, Key="endpoints/wines/routing.json")["Body"].read())
    assert routing["updated_at"] == "2026-11-20T12:00:00.000Z"


def test_a_serverless_endpoint_has_no_weights_in_sagemaker(
    endpoints: Endpoints, s3: S3Client, clients: Clients, put_routing: Callable[..., None], endpoint_is: Callable[..., None]
) -> None:
    serverless = {"VariantName": "v-1", "CurrentServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}
    put_routing("wines", v_1=1)
    endpoint_is("wines", "InService", serverless)
    endpoints.change("wines", {"weights": {"v-1": 2}})
    assert clients.aws.sagemaker.changes() == []
    assert stored_weights(s3) == {"v-1": 2.0}


@pytest.mark.parametrize("status", ["Creating", "Updating", "Failed", "RollingBack"])
def test_an_endpoint_that_is_being_changed_keeps_its_weights(
    endpoints: Endpoints, s3: S3Client, put_routing: Callable[..., None], endpoint_is: Callable[..., None], status: str
) -> None:
    put_routing("wines", v_1=1, v_2=0)
    endpoint_is("wines", status)
    with pytest.raises(EndpointNotReady, match=status):
        endpoints.change("wines", {"weights": {"v-2": 1}})
    assert stored_weights(s3) == {"v-1": 1.0, "v-2": 0.0}


def test_a_missing_endpoint_keeps_its_weights(endpoints: Endpoints, put_routing: Callable[..., None], clients: Clients) -> None:
    put_routing("wines", v_1=1)
    with pytest.raises(EndpointNotReady, match="Missing"):
        endpoints.change("wines", {"weights": {"v-1": 1}})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Nothing is to be changed"),
        ({"wieghts": {}}, "did you mean `weights`"),
        ({"weights": []}, "a JSON array"),
        ({"weights": {}}, "send an object"),
        ({"weights": {"v-3": 1}}, "has no variant `v-3`; it has: v-1, v-2"),
        ({"weights": {"v-1": -1}}, "weight of v-1 is -1"),
        ({"weights": {"v-1": "1"}}, "weight of v-1 is '1'"),
        ({"weights": {"v-1": True}}, "weight of v-1 is True"),
        ({"weights": {"v-1": float("inf")}}, "weight of v-1 is inf"),
        ({"weights": {"v-1": 10**400}}, "weight of v-1 is"),
        ({"weights": {"v-1": 0}}, "All weights would be 0"),
    ],
)
def test_weights_that_make_no_sense_are_refused(
    endpoints: Endpoints, s3: S3Client, put_routing: Callable[..., None], body: dict[str, object], message: str
) -> None:
    put_routing("wines", v_1=1, v_2=0)
    with pytest.raises(InvalidRequest, match=message):
        endpoints.change("wines", body)
    assert stored_weights(s3) == {"v-1": 1.0, "v-2": 0.0}


def test_a_change_by_somebody_else_at_the_same_moment_is_not_overwritten(
    endpoints: Endpoints, s3: S3Client, clients: Clients, put_routing: Callable[..., None], endpoint_is: Callable[..., None]
) -> None:
    put_routing("wines", v_1=1)
    endpoint_is("wines", "InService")
    clients.aws.sagemaker.before["DescribeEndpoint"] = lambda: put_routing("wines", v_1=1, v_2=0)
    with pytest.raises(ConcurrentModification, match="somebody else"):
        endpoints.change("wines", {"weights": {"v-1": 2}})
    assert stored_weights(s3) == {"v-1": 1.0, "v-2": 0.0}
