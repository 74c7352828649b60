"""Baking: who waits, what an alarm does, what the end of the last update does."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from sageline.deployment.deploy import deploy
from sageline.deployment.promote import promote
from sageline.deployment.rollout import shift
from sageline.models.restore import restore_models
from sageline.names import model_names
from sageline.runs.context import RunContext
from sageline.runs.endpoint_change import EndpointChange
from sageline.runs.payloads import Shifted
from sageline.waiting.check_status import handle_change
from sageline.waiting.watch_rollout import handle_alarms, wait_for_alarm
from tests.unit.deployment.test_ab import serve
from tests.unit.deployment.test_rollout import fire, put_beside
from tests.unit.world.waiting import ENDPOINT_CHANGED, Answers
from tests.unit.world.world import BUCKET, LIFETIMES, NEXT_RUN_ID, ROLES, RUN_ID, TOPIC, World

THIRD_RUN_ID = "flowers-20260103000000-cccccc"


@pytest.fixture
def bake(world: World) -> RunContext:
    """The second run's variant is beside the first's."""
    put_beside(world)
    return world.run


def step(world: World, number: int) -> Shifted:
    return shift(NEXT_RUN_ID, number, topic_arn=TOPIC, run=world.run)


def alarm(state: str, variant: str = NEXT_RUN_ID) -> dict[str, Any]:
    """A message of the topic, as SNS gives it to a function."""
    message = {"AlarmName": f"sageline-rollout-{variant}-errors", "NewStateValue": state, "NewStateReason": "42 % failed."}
    return {"Records": [{"Sns": {"Message": json.dumps(message)}}]}


def failures(answers: Answers) -> list[tuple[str, str]]:
    return [(sent["taskToken"], sent["error"]) for operation, sent in answers.sent if operation == "SendTaskFailure"]


def test_while_it_bakes_nothing_is_answered(world: World, bake: RunContext, answers: Answers) -> None:
    assert "has 10% of the traffic" in wait_for_alarm(NEXT_RUN_ID, step(world, 0), "token", run=bake)
    assert handle_alarms(alarm("OK"), run=bake).startswith("nobody bakes")
    assert handle_alarms(alarm("ALARM", RUN_ID), run=bake).startswith("nobody bakes")
    assert answers.sent == []
    assert world.record(NEXT_RUN_ID).state == "Bake"


def test_an_alarm_ends_it_with_the_reason(world: World, bake: RunContext, answers: Answers) -> None:
    wait_for_alarm(NEXT_RUN_ID, step(world, 0), "token", run=bake)

    assert "42 % failed." in handle_alarms(alarm("ALARM"), run=bake)

    assert failures(answers) == [("token", "RolloutAlarm")]
    assert "42 % failed." in world.record(NEXT_RUN_ID).details["failure"]["message"]
    assert handle_alarms(alarm("ALARM"), run=bake).startswith("nobody bakes"), "delivered twice"


def test_an_alarm_that_fired_before_the_token_was_kept_is_seen(world: World, bake: RunContext, answers: Answers) -> None:
    shifted = step(world, 0)
    fire(world)
    wait_for_alarm(NEXT_RUN_ID, shifted, "token", run=bake)
    assert failures(answers) == [("token", "RolloutAlarm")]


def test_the_end_of_the_last_update_ends_the_last_bake(world: World, bake: RunContext, answers: Answers) -> None:
    step(world, 0)
    wait_for_alarm(NEXT_RUN_ID, step(world, 1), "token", run=bake)
    assert answers.sent == []

    world.fake.settle("flowers")
    handle_change(ENDPOINT_CHANGED, run=bake)

    ((operation, sent),) = answers.sent
    assert (operation, sent["taskToken"], json.loads(sent["output"])) == ("SendTaskSuccess", "token", {"status": "InService"})


def test_a_change_of_weights_does_not_end_a_bake(world: World, bake: RunContext, answers: Answers) -> None:
    wait_for_alarm(NEXT_RUN_ID, step(world, 0), "token", run=bake)
    assert handle_change(ENDPOINT_CHANGED, run=bake).startswith("nobody waits")
    assert answers.sent == []


def test_an_update_that_fails_in_the_last_bake_is_told_of_that_state(world: World, bake: RunContext, answers: Answers) -> None:
    step(world, 0)
    wait_for_alarm(NEXT_RUN_ID, step(world, 1), "token", run=bake)
    world.fake.settle("flowers", reason="no capacity")
    handle_change(ENDPOINT_CHANGED, run=bake)
    assert failures(answers) == [("token", "EndpointFailed")]
    assert world.record(NEXT_RUN_ID).state == "Bake"


def test_an_error_while_looking_is_an_answer_too(world: World, bake: RunContext, answers: Answers) -> None:
    shifted: Any = {"endpoint": "flowers"}
    wait_for_alarm(NEXT_RUN_ID, shifted, "token", run=bake)
    assert failures(answers) == [("token", "KeyError")]


# ---- a change of what serves ----


def test_a_model_that_is_gone_is_made_again_and_serves_on_what_it_ran_on(world: World) -> None:
    serve(world, RUN_ID, instances={"instance_type": "ml.c5.large", "count": 2})
    artifact = world.put_artifact("runs/old/training/model.tar.gz")
    world.run.store.enter(RUN_ID, "CheckTraining", training={"model_artifact_uri": artifact})
    written = world.routing()
    # Had it been serverless before: from instances nothing goes back.
    before = replace(written, variants=tuple(replace(variant, serverless=True) for variant in written.variants))
    serve(world, NEXT_RUN_ID)
    capacities = world.record(NEXT_RUN_ID).details["deployment"]["capacities"]
    world.begin(THIRD_RUN_ID)
    change = EndpointChange("rollback", before, capacities, {NEXT_RUN_ID: 1.0})
    world.run.store.enter(THIRD_RUN_ID, "ConfigureRun", change=change.to_json())

    restored = restore_models(THIRD_RUN_ID, roles=ROLES, run=world.run)
    deployed = deploy(THIRD_RUN_ID, "", run=world.run)
    assert world.weights() == {NEXT_RUN_ID: 1.0, RUN_ID: 0.0}
    world.fake.settle("flowers")
    promote(THIRD_RUN_ID, lifetime=LIFETIMES, run=world.run)

    copy = f"s3://{BUCKET}/models/{RUN_ID}/model.tar.gz"
    assert restored == {"restored": list(model_names(RUN_ID))}
    assert [world.fake.models[name]["PrimaryContainer"]["ModelDataUrl"] for name in model_names(RUN_ID)] == [copy, copy]
    assert (deployed["variant"], deployed["model_version"], deployed["served_before"]) == (RUN_ID, RUN_ID, True)
    (variant,) = world.fake.configs[THIRD_RUN_ID]["ProductionVariants"]
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.c5.large", 2)
    assert variant["ModelName"] == RUN_ID
    assert world.weights() == {RUN_ID: 1.0}
    assert [routed.serverless for routed in world.routing().variants] == [False]
    assert (list(world.fake.configs), list(world.fake.models)) == ([THIRD_RUN_ID], list(model_names(RUN_ID)))
