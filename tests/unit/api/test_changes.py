"""Promoting a variant and rolling back by requests."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from sageline.aws.http import Event
from sageline.runs.deployment_record import DeploymentRecord, Rollout
from sageline.runs.routing import RoutedVariant, Routing
from sageline.runs.store import RunRecord, RunStore
from sageline.runs.trigger import ChangeRequest, parse_trigger
from tests.unit.api.fakes import BUCKET, Clients, Manage, stored_weights
from tests.unit.sessions import stepfunctions_client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

OLD, NEW = "wines-20261119100000-aaaaaa", "wines-20261120100000-0a1b2c"
MADE = datetime(2026, 11, 20, 10, tzinfo=UTC)
ENDPOINT = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/wines"


def variant(run_id: str, weight: float, config: str = NEW) -> RoutedVariant:
    return RoutedVariant(run_id, weight, run_id, run_id, f"s3://{BUCKET}/runs/{run_id}/encoder/", "text/csv", config)


@pytest.fixture
def serve(s3: S3Client) -> Callable[..., None]:
    def put(*variants: RoutedVariant) -> None:
        document = Routing("wines", variants, "2026-11-20T10:00:00.000Z").dump()
        s3.put_object(Bucket=BUCKET, Key="endpoints/wines/routing.json", Body=document)

    return put


@pytest.fixture
def ended(store: RunStore, machine_arn: str) -> Callable[..., None]:
    """Records the run that made what serves."""

    def put(run_id: str, previous: Routing | None, status: str = "Succeeded") -> None:
        execution = stepfunctions_client().start_execution(stateMachineArn=machine_arn, name=run_id, input="{}")["executionArn"]
        goal = Routing("wines", (variant(run_id, 1.0),), "2026-11-20T10:00:00.000Z")
        capacities = {OLD: {"InstanceType": "ml.m5.large", "InitialInstanceCount": 2}}
        deployment = DeploymentRecord("wines", run_id, goal, OLD, previous, Rollout((0.1,), 600), capacities)
        store.claim(RunRecord(run_id=run_id, name="wines", execution_arn=execution, details={"deployment": deployment.to_json()}))
        if status != "Running":
            store.finish(run_id, "Succeeded")

    return put


def in_service(clients: Clients, *names: str) -> None:
    """The endpoint is in service with these variants."""
    clients.aws.sagemaker.run_endpoint("wines", "InService", *({"VariantName": name} for name in names))


def started(machine_arn: str, run_id: str) -> ChangeRequest:
    arn = f"{machine_arn.replace(':stateMachine:', ':execution:')}:{run_id}"
    trigger = parse_trigger(json.loads(stepfunctions_client().describe_execution(executionArn=arn)["input"]))
    assert isinstance(trigger, ChangeRequest)
    return trigger


@pytest.fixture
def ask(manage: Manage, golden: Callable[[str], Event]) -> Callable[..., Any]:
    """Asks the handler with a golden event, or the same with another body or an ``Idempotency-Key``."""

    def ask(case: str, body: object = None, key: str | None = None) -> Any:
        event = dict(golden(case)) | ({"body": json.dumps(body)} if body is not None else {})
        return manage(event | ({"headers": {"idempotency-key": key}} if key else {}))

    return ask


def test_a_promoted_variant_has_all_the_traffic_at_once_and_a_run_lets_the_others_go(
    ask: Callable[..., Any], s3: S3Client, clients: Clients, serve: Callable[..., None], machine_arn: str
) -> None:
    serve(variant(OLD, 0.5), variant(NEW, 0.5))
    in_service(clients, OLD, NEW)

    answer = ask("post-promote")

    assert (answer.status, answer.body["endpoint"], answer.body["status"]) == (202, "wines", "Running")
    assert stored_weights(s3) == {OLD: 0.0, NEW: 1.0}
    change = started(machine_arn, answer.body["run_id"]).change
    assert (change.kind, [(v.name, v.weight) for v in change.goal.variants]) == ("promote", [(NEW, 1.0)])
    assert change.weights_before == {OLD: 0.5, NEW: 0.5}


def test_a_variant_that_serves_alone_needs_no_promotion(ask: Callable[..., Any], serve: Callable[..., None]) -> None:
    serve(variant(NEW, 1.0))
    assert ask("post-promote").body == {"endpoint": "wines", "run_id": None, "status": "Succeeded"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "`variant` is missing"),
        ({"variant": 1}, "a JSON number"),
        (None, "has no variant `wines-20200101000000-ffffff`; it has: "),
    ],
)
def test_a_promotion_of_nobody_is_refused(
    ask: Callable[..., Any], serve: Callable[..., None], body: object, message: str
) -> None:
    serve(variant(OLD, 0.5), variant(NEW, 0.5))
    answer = ask("post-promote-unknown-variant", body)
    assert (answer.status, answer.body["error"]["code"]) == (400, "InvalidRequest")
    assert message in answer.body["error"]["message"]


def test_while_a_run_deploys_nothing_else_is_promoted(
    ask: Callable[..., Any], serve: Callable[..., None], ended: Callable[..., None]
) -> None:
    serve(variant(OLD, 0.9, OLD), variant(NEW, 0.1))
    ended(NEW, None, "Running")
    answer = ask("post-promote", {"variant": OLD})
    assert (answer.status, answer.body["error"]["code"]) == (409, "ResourceConflict")
    assert f"Run {NEW} is deploying" in answer.body["error"]["message"]


def test_while_a_run_deploys_its_steps_set_the_weights_and_nobody_else(
    ask: Callable[..., Any], s3: S3Client, serve: Callable[..., None], ended: Callable[..., None]
) -> None:
    serve(variant(OLD, 0.9, OLD), variant(NEW, 0.1))
    ended(NEW, None, "Running")
    answer = ask("patch-endpoint", {"weights": {NEW: 1}})
    assert (answer.status, answer.body["error"]["code"]) == (409, "ResourceConflict")
    assert f"Run {NEW} is deploying to endpoint wines, and sets its weights" in answer.body["error"]["message"]
    assert stored_weights(s3) == {OLD: 0.9, NEW: 0.1}


def test_a_promotion_is_under_way_from_the_moment_it_is_asked_for(
    ask: Callable[..., Any], clients: Clients, serve: Callable[..., None]
) -> None:
    """Its run has not come to the endpoint yet, and may not even have its record."""
    serve(variant(OLD, 0.5), variant(NEW, 0.5))
    in_service(clients, OLD, NEW)
    run_id = ask("post-promote").body["run_id"]

    answer = ask("post-promote", {"variant": OLD})
    assert (answer.status, answer.body["error"]["code"]) == (409, "ResourceConflict")
    assert f"Run {run_id} is deploying" in answer.body["error"]["message"]

    # Going back is going back from that promotion, not from what was deployed before it.
    assert ask("post-rollback").body == {"endpoint": "wines", "run_id": run_id, "status": "Stopped"}


def test_rolling_back_brings_back_what_served_before(
    ask: Callable[..., Any], s3: S3Client, serve: Callable[..., None], ended: Callable[..., None], machine_arn: str
) -> None:
    serve(variant(NEW, 1.0))
    ended(NEW, Routing("wines", (variant(OLD, 1.0, OLD),), "2026-11-19T10:00:00.000Z"))

    answer = ask("post-rollback")

    assert (answer.status, answer.body["status"]) == (202, "Running")
    change = started(machine_arn, answer.body["run_id"]).change
    assert (change.kind, [v.name for v in change.goal.variants]) == ("rollback", [OLD])
    assert change.capacities == {OLD: {"InstanceType": "ml.m5.large", "InitialInstanceCount": 2}}
    assert stored_weights(s3) == {NEW: 1.0}, "until the old one is there again"


def test_what_still_serves_has_its_traffic_back_at_once(
    ask: Callable[..., Any], s3: S3Client, clients: Clients, serve: Callable[..., None], ended: Callable[..., None]
) -> None:
    serve(variant(OLD, 0.5), variant(NEW, 0.5))
    ended(NEW, Routing("wines", (variant(OLD, 1.0, OLD),), "2026-11-19T10:00:00.000Z"))
    in_service(clients, OLD, NEW)

    assert ask("post-rollback").status == 202

    assert stored_weights(s3) == {OLD: 1.0, NEW: 0.0}


def test_in_the_middle_of_a_rollout_rolling_back_stops_the_run(
    ask: Callable[..., Any], clients: Clients, serve: Callable[..., None], ended: Callable[..., None], store: RunStore
) -> None:
    serve(variant(OLD, 0.9, OLD), variant(NEW, 0.1))
    ended(NEW, None, "Running")

    assert ask("post-rollback").body == {"endpoint": "wines", "run_id": NEW, "status": "Stopped"}
    assert store.get(NEW).status == "Stopped"


# ---- the same request again ----


def test_a_promotion_with_a_key_is_asked_for_again_while_it_runs(
    ask: Callable[..., Any], clients: Clients, serve: Callable[..., None]
) -> None:
    serve(variant(OLD, 0.5), variant(NEW, 0.5))
    in_service(clients, OLD, NEW)
    first = ask("post-promote", key="nightly")

    again = ask("post-promote", key="nightly")

    assert again.status == first.status == 202
    assert again.body == first.body
    other = ask("post-promote", {"variant": OLD}, key="nightly")
    assert (other.status, "was used with another request" in other.body["error"]["message"]) == (409, True)


def test_going_back_with_a_key_asked_for_again_does_not_stop_what_the_first_has_started(
    ask: Callable[..., Any], s3: S3Client, serve: Callable[..., None], ended: Callable[..., None]
) -> None:
    serve(variant(NEW, 1.0))
    ended(NEW, Routing("wines", (variant(OLD, 1.0, OLD),), "2026-11-19T10:00:00.000Z"))
    first = ask("post-rollback", key="oops")

    assert ask("post-rollback", key="oops").body == first.body
    assert first.body["status"] == "Running"


def test_going_back_with_a_key_stops_one_run_and_goes_back_no_further(
    ask: Callable[..., Any], clients: Clients, serve: Callable[..., None], ended: Callable[..., None]
) -> None:
    older = "wines-20261118100000-bbbbbb"
    serve(variant(OLD, 0.9, OLD), variant(NEW, 0.1))
    ended(OLD, Routing("wines", (variant(older, 1.0, older),), "2026-11-18T10:00:00.000Z"))
    ended(NEW, None, "Running")
    first = ask("post-rollback", key="oops")
    serve(variant(OLD, 1.0, OLD))

    assert ask("post-rollback", key="oops").body == first.body == {"endpoint": "wines", "run_id": NEW, "status": "Stopped"}


@pytest.mark.parametrize("known", [True, False])
def test_an_endpoint_with_nothing_before_cannot_go_back(
    ask: Callable[..., Any], serve: Callable[..., None], ended: Callable[..., None], *, known: bool
) -> None:
    serve(replace(variant(NEW, 1.0)))
    if known:
        ended(NEW, None)
    answer = ask("post-rollback")
    assert (answer.status, answer.body["error"]["code"]) == (409, "ResourceConflict")
    assert "cannot go back" in answer.body["error"]["message"]
