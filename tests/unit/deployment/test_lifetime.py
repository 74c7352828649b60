"""How long endpoints live, and what happens when their time is over."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from sageline.deployment.delete import expire
from sageline.deployment.lifetime import Lifetimes, expires_at
from sageline.runs.endpoint_change import EndpointChange
from tests.unit.deployment.test_deploy import deploy_run, promote_run, serve_first_run
from tests.unit.world.fake_sagemaker import ARN
from tests.unit.world.world import LIFETIMES, NEXT_RUN_ID, RUN_ID, World

ENDPOINT_ARN = f"{ARN}:endpoint/flowers"


def moment(world: World) -> str | None:
    return expires_at(world.sagemaker, ENDPOINT_ARN)


def call(world: World, at: str | None) -> list[str]:
    """The schedule calls, with the moment that it was made for."""
    assert at is not None
    return expire("flowers", at, schedule_group=LIFETIMES.schedule_group_name, run=world.run)["deleted"]


def test_a_run_that_succeeds_has_its_endpoint_deleted_eight_hours_later(world: World) -> None:
    serve_first_run(world)

    until = moment(world)

    assert until is not None
    assert until.startswith("2026-11-20T18:00:")
    assert world.scheduled() == {"flowers": f"at({until.removesuffix('Z')})"}
    schedule = world.run.clients.scheduler.get_schedule(Name="flowers", GroupName=LIFETIMES.schedule_group_name)
    assert schedule["ActionAfterCompletion"] == "DELETE"
    target = schedule["Target"]
    assert (target["Arn"], target["RoleArn"]) == (LIFETIMES.expire_function_arn, LIFETIMES.schedule_role_arn)
    assert target["DeadLetterConfig"] == {"Arn": LIFETIMES.schedule_dead_letter_queue_arn}
    assert json.loads(target["Input"]) == {"action": "expire", "endpoint": "flowers", "expires_at": until}


def test_a_spec_may_keep_its_endpoint(world: World) -> None:
    serve_first_run(world, deployment={"endpoint": "flowers", "ttl_hours": None})

    assert (moment(world), world.scheduled()) == (None, {})


def test_the_next_run_moves_the_end(world: World) -> None:
    serve_first_run(world)
    first = moment(world)
    world.clock.now += timedelta(hours=3)
    deploy_run(world, NEXT_RUN_ID)
    world.fake.settle("flowers")

    promote_run(world, NEXT_RUN_ID)

    second = moment(world)
    assert first is not None
    assert second is not None
    assert second > "2026-11-20T21:00" > first
    assert list(world.scheduled().values()) == [f"at({second.removesuffix('Z')})"]


def test_the_next_run_may_keep_what_would_have_ended(world: World) -> None:
    serve_first_run(world)
    deploy_run(world, NEXT_RUN_ID, deployment={"endpoint": "flowers", "ttl_hours": None})
    world.fake.settle("flowers")

    promote_run(world, NEXT_RUN_ID)

    assert (moment(world), world.scheduled()) == (None, {})


def test_a_change_of_what_serves_leaves_the_endpoint_its_time(world: World) -> None:
    serve_first_run(world)
    first = moment(world)
    deploy_run(world, NEXT_RUN_ID)
    world.fake.settle("flowers")
    goal = world.run.routings.find("flowers")
    assert goal is not None
    assert goal.routing is not None
    world.run.store.enter(NEXT_RUN_ID, "DeployEndpoint", change=EndpointChange("promote", goal.routing, {}, {}).to_json())

    promote_run(world, NEXT_RUN_ID)

    assert moment(world) == first


def test_hours_may_be_fractions(world: World) -> None:
    serve_first_run(world)

    assert Lifetimes(world.run, LIFETIMES).set("flowers", ENDPOINT_ARN, 0.001) == moment(world)

    assert (moment(world) or "").startswith("2026-11-20T10:00:")


def test_an_endpoint_whose_time_is_over_is_deleted_with_all_that_belongs_to_it(world: World) -> None:
    serve_first_run(world)

    assert "endpoint/flowers" in call(world, moment(world))

    assert (world.fake.endpoints, world.fake.configs, world.fake.models, world.scheduled()) == ({}, {}, {}, {})


def test_called_twice_the_second_time_does_nothing(world: World) -> None:
    serve_first_run(world)
    until = moment(world)
    call(world, until)

    assert call(world, until) == []


@pytest.mark.parametrize("ttl", [4, None])
def test_an_endpoint_that_was_given_more_time_is_not_deleted_by_the_old_call(world: World, ttl: float | None) -> None:
    serve_first_run(world)
    until = moment(world)
    Lifetimes(world.run, LIFETIMES).set("flowers", ENDPOINT_ARN, ttl)

    assert call(world, until) == []

    assert "flowers" in world.fake.endpoints


def test_an_endpoint_that_was_made_anew_is_not_deleted_by_the_call_for_the_old_one(world: World) -> None:
    serve_first_run(world)
    until = moment(world)
    call(world, until)
    deploy_run(world, NEXT_RUN_ID)

    assert call(world, until) == []

    assert "flowers" in world.fake.endpoints


def test_while_a_run_deploys_the_endpoint_stays(world: World) -> None:
    serve_first_run(world)
    deploy_run(world, NEXT_RUN_ID)
    world.fake.settle("flowers")

    assert call(world, moment(world)) == []

    promote_run(world, NEXT_RUN_ID)
    assert world.weights() == {NEXT_RUN_ID: 1.0}


def test_when_the_schedule_cannot_be_made_the_run_has_not_succeeded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy_run(world, RUN_ID)
    world.fake.settle("flowers")

    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "UpdateSchedule")

    monkeypatch.setattr(world.run.clients.scheduler, "update_schedule", refuse)
    with pytest.raises(ClientError, match="Throttling"):
        promote_run(world)

    assert world.record().status == "Running"
