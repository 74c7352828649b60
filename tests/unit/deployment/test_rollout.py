"""Rollouts: the shares of the steps, what an alarm does, the end."""

from __future__ import annotations

import pytest

from sageline.deployment.alarms import RolloutAlarms
from sageline.deployment.deploy import deploy
from sageline.deployment.discard import discard
from sageline.deployment.promote import promote
from sageline.deployment.rollout import LAST_BAKE_SECONDS, shift
from sageline.errors import EndpointNotReady, ResourceConflict, RolloutAlarm, RolloutPending, RunFinished
from sageline.runs.payloads import DeployedEndpoint, Shifted
from tests.unit.deployment.test_ab import THIRD_RUN_ID, sagemaker_weights, serve
from tests.unit.world.fake_sagemaker import Refused
from tests.unit.world.world import LIFETIMES, NEXT_RUN_ID, RUN_ID, TOPIC, World

INSTANCES = {"instance_type": "ml.m5.large", "count": 1}
CANARY = {"strategy": "canary", "canary": {"first_percent": 10, "bake_minutes": 10}}
LINEAR = {"strategy": "linear", "linear": {"step_percent": 20, "interval_minutes": 0.5}}
BOTH = f"{NEXT_RUN_ID}-rollout"


def put_beside(world: World, **deployment: object) -> DeployedEndpoint:
    """The second run's variant is beside the first's, InService, without traffic."""
    serve(world, RUN_ID)
    world.begin(NEXT_RUN_ID, deployment={"endpoint": "flowers", "instances": INSTANCES, **(deployment or CANARY)})
    world.make_models(NEXT_RUN_ID)
    deployed = deploy(NEXT_RUN_ID, "text/csv", run=world.run)
    world.fake.settle("flowers")
    return deployed


def step(world: World, number: int) -> Shifted:
    return shift(NEXT_RUN_ID, number, topic_arn=TOPIC, run=world.run)


def finish(world: World) -> None:
    promote(NEXT_RUN_ID, lifetime=LIFETIMES, run=world.run)


def undo(world: World) -> list[str]:
    return discard(NEXT_RUN_ID, run=world.run)["discarded"]


def alarms(world: World) -> dict[str, str]:
    found = world.run.clients.cloudwatch.describe_alarms()["MetricAlarms"]
    return {alarm["AlarmName"].rsplit("-", 1)[1]: alarm["StateValue"] for alarm in found}


def fire(world: World) -> None:
    name = RolloutAlarms(world.run).names(NEXT_RUN_ID)[0]
    world.run.clients.cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="half of them fail")


# ---- the steps ----


def test_the_new_variant_waits_beside_the_old_one_without_traffic(world: World) -> None:
    deployed = put_beside(world)

    assert deployed["variant"] == NEXT_RUN_ID
    assert world.weights() == sagemaker_weights(world) == {RUN_ID: 1.0, NEXT_RUN_ID: 0.0}
    assert world.fake.endpoints["flowers"]["EndpointConfigName"] == BOTH


def test_a_canary_gets_its_first_share_and_is_watched(world: World) -> None:
    put_beside(world)

    shifted = step(world, 0)

    assert (shifted["share"], shifted["bake_seconds"], shifted["is_last"]) == (0.1, 600, False)
    assert world.weights() == sagemaker_weights(world) == pytest.approx({RUN_ID: 0.9, NEXT_RUN_ID: 0.1})
    assert alarms(world).keys() == {"errors"}
    (alarm,) = world.run.clients.cloudwatch.describe_alarms()["MetricAlarms"]
    assert (alarm["MetricName"], alarm["Statistic"], alarm["Threshold"]) == ("Invocation5XXErrors", "Average", 0.05)
    assert {item["Name"]: item["Value"] for item in alarm["Dimensions"]} == {
        "EndpointName": "flowers",
        "VariantName": NEXT_RUN_ID,
    }
    assert (alarm["AlarmActions"], alarm["TreatMissingData"]) == ([TOPIC], "notBreaching")


def test_latency_is_watched_where_the_spec_says_how_much(world: World) -> None:
    put_beside(world, **CANARY, alarms={"errors_percent": None, "latency_ms": 250})
    step(world, 0)

    (alarm,) = world.run.clients.cloudwatch.describe_alarms()["MetricAlarms"]
    assert (alarm["MetricName"], alarm["ExtendedStatistic"], alarm["Threshold"]) == ("ModelLatency", "p95", 250_000)


def test_the_same_step_again_changes_nothing(world: World) -> None:
    put_beside(world)
    first = step(world, 0)
    fired = alarms(world)

    assert step(world, 0) == first
    assert (world.weights(), alarms(world)) == ({RUN_ID: 0.9, NEXT_RUN_ID: 0.1}, fired)


def test_a_linear_rollout_goes_up_in_equal_steps(world: World) -> None:
    put_beside(world, **LINEAR)

    shares = [step(world, number)["share"] for number in range(4)]

    assert shares == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert step(world, 3)["bake_seconds"] == 30
    last = step(world, 4)
    assert (last["share"], last["is_last"], last["bake_seconds"]) == (1.0, True, LAST_BAKE_SECONDS)


def test_a_variant_is_not_promoted_before_it_has_had_its_steps(world: World) -> None:
    put_beside(world)
    before = world.record(NEXT_RUN_ID)
    with pytest.raises(RolloutPending, match=f"Variant {NEXT_RUN_ID} of endpoint flowers gets its traffic in steps"):
        finish(world)
    step(world, 0)
    with pytest.raises(RolloutPending):
        finish(world)

    assert (before.status, before.state) == ("Running", "DeployEndpoint")
    assert world.record(NEXT_RUN_ID).state == "ShiftTraffic"
    assert world.weights() == pytest.approx({RUN_ID: 0.9, NEXT_RUN_ID: 0.1})


def test_the_last_step_gives_everything_and_lets_go_of_the_old_variant(world: World) -> None:
    put_beside(world)
    step(world, 0)
    seen: list[dict[str, float]] = []
    world.fake.before["UpdateEndpoint"] = lambda: seen.append(world.weights())

    step(world, 1)

    assert seen == [{RUN_ID: 0.0, NEXT_RUN_ID: 1.0}]
    assert world.fake.endpoints["flowers"]["next"] == NEXT_RUN_ID
    (variant,) = world.fake.configs[NEXT_RUN_ID]["ProductionVariants"]
    assert (variant["VariantName"], variant["InitialVariantWeight"]) == (NEXT_RUN_ID, 1.0)
    assert world.record(NEXT_RUN_ID).details["deployment"]["config"] == NEXT_RUN_ID
    before = world.fake.changes()
    assert step(world, 2)["is_last"], "an event that got lost leads here again"
    assert world.fake.changes() == before


def test_at_the_end_nothing_is_left_of_the_old_variant_and_the_rollout(world: World) -> None:
    put_beside(world)
    step(world, 0)
    step(world, 1)
    world.fake.settle("flowers")

    finish(world)

    assert world.weights() == {NEXT_RUN_ID: 1.0}
    assert (list(world.fake.configs), list(world.fake.models)) == ([NEXT_RUN_ID], [NEXT_RUN_ID])
    assert alarms(world) == {}
    assert world.record(NEXT_RUN_ID).status == "Succeeded"


def test_the_first_model_of_an_endpoint_gets_everything_at_once(world: World) -> None:
    world.begin(RUN_ID, deployment={"endpoint": "flowers", "instances": INSTANCES, **CANARY})
    world.make_models(RUN_ID)

    deployed = deploy(RUN_ID, "text/csv", run=world.run)

    assert deployed["variant"] == RUN_ID
    assert world.fake.endpoints["flowers"]["EndpointConfigName"] == RUN_ID
    with pytest.raises(ResourceConflict, match="nothing that could get traffic in steps"):
        shift(RUN_ID, 0, topic_arn=TOPIC, run=world.run)


def test_two_that_serve_share_what_the_canary_leaves_them(world: World) -> None:
    serve(world, RUN_ID)
    third = "flowers-20260103000000-cccccc"
    serve(world, third, strategy="ab", share=0.25)
    world.begin(NEXT_RUN_ID, deployment={"endpoint": "flowers", "instances": INSTANCES, **CANARY})
    world.make_models(NEXT_RUN_ID)
    deploy(NEXT_RUN_ID, "text/csv", run=world.run)
    world.fake.settle("flowers")

    step(world, 0)
    assert world.weights() == pytest.approx({RUN_ID: 0.675, third: 0.225, NEXT_RUN_ID: 0.1})
    step(world, 1)
    world.fake.settle("flowers")
    finish(world)

    assert world.weights() == {NEXT_RUN_ID: 1.0}
    assert (list(world.fake.configs), list(world.fake.models)) == ([NEXT_RUN_ID], [NEXT_RUN_ID])


# ---- alarms, and other ends ----


def test_an_alarm_that_fires_ends_the_rollout_at_the_next_step(world: World) -> None:
    put_beside(world)
    step(world, 0)
    fire(world)

    with pytest.raises(RolloutAlarm, match="half of them fail"):
        step(world, 1)


def test_the_old_variant_has_its_traffic_back_before_anything_that_takes_time(world: World) -> None:
    put_beside(world)
    step(world, 0)
    seen: list[tuple[dict[str, float], dict[str, float]]] = []
    world.fake.before["UpdateEndpoint"] = lambda: seen.append((world.weights(), sagemaker_weights(world)))
    world.fake.updates_at_once = True

    undo(world)

    back = {RUN_ID: 1.0, NEXT_RUN_ID: 0.0}
    assert seen == [(back, back)]
    assert world.weights() == sagemaker_weights(world) == {RUN_ID: 1.0}
    assert (list(world.fake.configs), list(world.fake.models)) == ([RUN_ID], [RUN_ID])
    assert alarms(world) == {}
    assert undo(world) == []


def test_while_the_endpoint_changes_the_traffic_is_back_already(world: World) -> None:
    put_beside(world)
    step(world, 0)
    step(world, 1)  # the endpoint is letting go of the old variant

    with pytest.raises(EndpointNotReady):
        undo(world)
    assert world.weights() == {RUN_ID: 1.0, NEXT_RUN_ID: 0.0}

    world.fake.settle("flowers")
    world.fake.updates_at_once = True
    undo(world)
    assert world.weights() == {RUN_ID: 1.0}
    assert world.fake.endpoints["flowers"]["EndpointConfigName"] == RUN_ID
    assert (list(world.fake.configs), list(world.fake.models)) == ([RUN_ID], [RUN_ID])


def test_a_rollout_that_was_undone_is_left_alone_when_it_is_undone_again_later(world: World) -> None:
    put_beside(world)
    step(world, 0)
    world.run.store.finish(NEXT_RUN_ID, "Stopped")
    world.fake.updates_at_once = True
    undo(world)
    serve(world, THIRD_RUN_ID, strategy="ab", share=0.25)
    since = world.routing()

    undo(world)

    assert world.routing() == since
    assert sagemaker_weights(world) == {RUN_ID: 0.75, THIRD_RUN_ID: 0.25}


def test_a_run_that_is_stopped_while_traffic_shifts_undoes_that(world: World) -> None:
    put_beside(world)
    world.fake.updates_at_once = True
    world.fake.before["UpdateEndpointWeightsAndCapacities"] = lambda: world.run.store.finish(NEXT_RUN_ID, "Stopped")

    with pytest.raises(RunFinished, match="was stopped while it was changing its endpoint"):
        step(world, 0)
    assert world.weights() == {RUN_ID: 1.0}


def test_an_endpoint_that_is_changing_gets_its_share_later(world: World) -> None:
    put_beside(world)
    world.fake.endpoints["flowers"]["EndpointStatus"] = "Updating"
    with pytest.raises(EndpointNotReady, match="can be shifted when that is done"):
        step(world, 0)
    with pytest.raises(EndpointNotReady, match="can be shifted when that is done"):
        step(world, 1)
    assert world.weights() == {RUN_ID: 1.0, NEXT_RUN_ID: 0.0}


def test_a_deleted_endpoint_gets_no_traffic(world: World) -> None:
    put_beside(world)
    world.fake.endpoints.clear()
    with pytest.raises(ResourceConflict, match="somebody deleted or changed it"):
        step(world, 0)


def test_another_run_waits_until_the_rollout_is_over(world: World) -> None:
    put_beside(world)
    third = "flowers-20260103000000-cccccc"
    world.begin(third, deployment={"endpoint": "flowers", "instances": INSTANCES})
    world.make_models(third)
    for number in (0, 1):
        with pytest.raises(EndpointNotReady, match=f"Run {NEXT_RUN_ID} is deploying"):
            deploy(third, "text/csv", run=world.run)
        step(world, number)
    world.fake.settle("flowers")
    finish(world)

    assert deploy(third, "text/csv", run=world.run)["variant"] == third


def test_an_update_that_is_cut_short_in_the_last_step_is_made_up_for(world: World) -> None:
    put_beside(world)
    step(world, 0)
    world.fake.refuse["UpdateEndpoint"] = Refused("ThrottlingException", "Rate exceeded")
    with pytest.raises(Exception, match="Rate exceeded"):
        step(world, 1)
    assert world.weights() == {RUN_ID: 0.0, NEXT_RUN_ID: 1.0}

    step(world, 1)

    assert world.fake.endpoints["flowers"]["next"] == NEXT_RUN_ID


# ---- autoscaling ----

AUTOSCALING = {"min": 1, "max": 3, "invocations_per_instance": 200, "scale_in_cooldown_seconds": 60}


def scaled(world: World) -> dict[str, tuple[int, int]]:
    targets = world.run.clients.autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    return {target["ResourceId"].rsplit("/", 1)[1]: (target["MinCapacity"], target["MaxCapacity"]) for target in targets}


def test_a_promoted_variant_scales_as_its_spec_says(world: World) -> None:
    serve(world, RUN_ID, autoscaling=AUTOSCALING)

    assert scaled(world) == {RUN_ID: (1, 3)}
    (policy,) = world.run.clients.autoscaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    assert (tracking["TargetValue"], tracking["ScaleInCooldown"]) == (200, 60)
    assert tracking["PredefinedMetricSpecification"]["PredefinedMetricType"] == "SageMakerVariantInvocationsPerInstance"


def test_what_is_replaced_scales_no_more_before_it_goes(world: World) -> None:
    serve(world, RUN_ID, autoscaling=AUTOSCALING)
    seen: list[object] = []
    world.begin(NEXT_RUN_ID, deployment={"endpoint": "flowers", "instances": INSTANCES})
    world.make_models(NEXT_RUN_ID)
    world.fake.before["UpdateEndpoint"] = lambda: seen.append(scaled(world))

    deploy(NEXT_RUN_ID, "text/csv", run=world.run)

    assert seen == [{}]


def test_a_variant_that_serves_again_scales_again(world: World) -> None:
    serve(world, RUN_ID, autoscaling=AUTOSCALING)
    world.begin(NEXT_RUN_ID, deployment={"endpoint": "flowers", "instances": INSTANCES})
    world.make_models(NEXT_RUN_ID)
    deploy(NEXT_RUN_ID, "text/csv", run=world.run)
    world.fake.settle("flowers")
    world.fake.updates_at_once = True

    undo(world)

    assert scaled(world) == {RUN_ID: (1, 3)}


def test_in_a_rollout_both_variants_scale_and_in_the_end_the_new_one(world: World) -> None:
    serve(world, RUN_ID, autoscaling=AUTOSCALING)
    world.begin(
        NEXT_RUN_ID, deployment={"endpoint": "flowers", "instances": INSTANCES, **CANARY, "autoscaling": {"min": 2, "max": 2}}
    )
    world.make_models(NEXT_RUN_ID)
    deploy(NEXT_RUN_ID, "text/csv", run=world.run)
    world.fake.settle("flowers")

    step(world, 0)
    assert scaled(world) == {RUN_ID: (1, 3), NEXT_RUN_ID: (2, 2)}
    step(world, 1)
    world.fake.settle("flowers")
    finish(world)
    assert scaled(world) == {NEXT_RUN_ID: (2, 2)}
