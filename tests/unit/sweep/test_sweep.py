"""What the sweep finds, and what it leaves alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sageline.deployment.alarms import RolloutAlarms
from sageline.deployment.deploy import deploy
from sageline.deployment.lifetime import Lifetimes
from sageline.names import model_names
from sageline.spec.deployment import AlarmsSpec
from sageline.sweep.sweep import Sweep, SweepReport
from tests.unit.deployment.test_deploy import deploy_run, promote_run, serve_first_run
from tests.unit.failures.test_ended_execution import knows
from tests.unit.world.fake_sagemaker import ARN, Refused
from tests.unit.world.world import LIFETIMES, NEXT_RUN_ID, RUN_ID, STACK, TOPIC, World, logged_warnings, with_clients

OLD = [{"VariantName": "old", "ModelName": "old-model"}]
TAGS = [{"Key": "sageline:stack", "Value": STACK}]


def sweep(world: World, *, deletes: bool = True, execution: str = "RUNNING", warnings: list[str] | None = None) -> SweepReport:
    run = with_clients(world.run, stepfunctions=knows(status=execution))
    with logged_warnings() as told:
        report = Sweep(run, LIFETIMES.schedule_group_name, deletes=deletes).report()
    if warnings is None:
        assert told == []
    else:
        warnings += told
    return report


def found(report: SweepReport) -> dict[str, tuple[str, ...]]:
    return {f"{finding.kind} {finding.name}": finding.deleted for finding in report.findings}


def later(world: World, **time: float) -> None:
    world.clock.now += timedelta(**time)


def asked(world: World, name: str = "flowers", variant: str = RUN_ID) -> None:
    """Somebody has asked the endpoint just now."""
    dimensions = [{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": variant}]
    datum: Any = {"MetricName": "Invocations", "Dimensions": dimensions, "Timestamp": world.clock.now, "Value": 1}
    world.run.clients.cloudwatch.put_metric_data(Namespace="AWS/SageMaker", MetricData=[datum])


def keep(world: World) -> None:
    Lifetimes(world.run, LIFETIMES).set("flowers", f"{ARN}:endpoint/flowers", None)


def test_what_serves_is_left_alone(world: World) -> None:
    serve_first_run(world)
    later(world, hours=5)

    report = sweep(world)

    assert (report.endpoints, report.findings) == (1, ())
    assert world.weights() == {RUN_ID: 1.0}


def test_the_alarms_of_a_rollout_that_is_over_go_and_those_of_one_that_runs_stay(world: World) -> None:
    world.begin(RUN_ID)
    alarms = RolloutAlarms(world.run)
    for variant in (RUN_ID, NEXT_RUN_ID):
        alarms.create("flowers", variant, AlarmsSpec(latency_ms=200), TOPIC)
    world.run.clients.cloudwatch.put_metric_alarm(
        AlarmName="other-rollout-x-errors", EvaluationPeriods=1, ComparisonOperator="GreaterThanThreshold", MetricName="m",
        Namespace="n", Period=60, Statistic="Sum", Threshold=1,
    )  # fmt: skip

    assert found(sweep(world, deletes=False)) == {
        f"alarm {NEXT_RUN_ID}": tuple(f"alarm/{name}" for name in alarms.names(NEXT_RUN_ID))
    }

    assert alarms.variants() == [RUN_ID]
    world.run.store.finish(RUN_ID, "Succeeded")
    assert len(found(sweep(world, deletes=False))) == 1
    assert [alarm["AlarmName"] for alarm in world.run.clients.cloudwatch.describe_alarms()["MetricAlarms"]] == [
        "other-rollout-x-errors"
    ]


def test_an_account_with_nothing_in_it_is_fine(world: World) -> None:
    assert sweep(world) == SweepReport(0, ())


def test_models_and_configs_that_nothing_refers_to_are_deleted(world: World) -> None:
    serve_first_run(world)
    world.fake.create_model({"ModelName": "old-model", "Tags": TAGS})
    world.fake.create_endpoint_config({"EndpointConfigName": "old", "ProductionVariants": OLD, "Tags": TAGS})
    later(world, hours=5)

    report = sweep(world)

    assert found(report) == {"endpoint-config old": ("endpoint-config/old",), "model old-model": ("model/old-model",)}
    assert report.left == 0
    assert (list(world.fake.configs), list(world.fake.models)) == ([RUN_ID], list(model_names(RUN_ID)))


def test_they_are_only_reported_when_the_stack_says_so(world: World) -> None:
    world.fake.create_model({"ModelName": "old-model", "Tags": TAGS})

    report = sweep(world, deletes=False)

    assert found(report) == {"model old-model": ()}
    assert report.left == 1
    assert report.to_json()["findings"][0]["reason"] == "no endpoint config uses it"
    assert "old-model" in world.fake.models


@pytest.mark.parametrize("tags", [[], [{"Key": "sageline:stack", "Value": "another"}]])
def test_what_is_not_ours_is_left_alone(world: World, tags: list[dict[str, str]]) -> None:
    world.fake.create_model({"ModelName": "theirs", "Tags": tags})
    world.fake.create_endpoint_config({"EndpointConfigName": "theirs", "ProductionVariants": [], "Tags": tags})
    world.fake.create_endpoint({"EndpointName": "theirs", "EndpointConfigName": "theirs", "Tags": tags})
    later(world, days=3)

    assert sweep(world) == SweepReport(0, ())


def test_what_is_young_is_left_alone(world: World) -> None:
    world.fake.create_model({"ModelName": "young", "Tags": TAGS})
    world.fake.made_at["young"] = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)

    assert sweep(world) == SweepReport(0, ())


def test_what_a_running_run_makes_is_left_alone(world: World) -> None:
    world.begin()
    tags = [*TAGS, {"Key": "sageline:run", "Value": RUN_ID}]
    world.fake.create_model({"ModelName": RUN_ID, "Tags": tags})
    world.fake.create_endpoint_config({"EndpointConfigName": RUN_ID, "ProductionVariants": [{"ModelName": RUN_ID}], "Tags": tags})

    assert sweep(world) == SweepReport(0, ())


def test_a_model_that_a_run_was_for_is_kept(world: World) -> None:
    world.begin(deployment=None)
    world.fake.create_model({"ModelName": RUN_ID, "Tags": [*TAGS, {"Key": "sageline:run", "Value": RUN_ID}]})
    world.run.store.finish(RUN_ID, "Succeeded")

    assert sweep(world) == SweepReport(0, ())


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_what_a_failed_run_has_left_is_always_undone(world: World, status: Any) -> None:
    serve_first_run(world)
    world.begin(NEXT_RUN_ID)
    world.make_models(NEXT_RUN_ID)
    deploy(NEXT_RUN_ID, "text/csv", run=world.run)
    world.fake.settle("flowers")
    world.run.store.finish(NEXT_RUN_ID, status)
    world.fake.updates_at_once = True

    report = sweep(world, deletes=False)

    models = tuple(f"model/{name}" for name in model_names(NEXT_RUN_ID))
    assert found(report) == {f"run {NEXT_RUN_ID}": (f"endpoint-config/{NEXT_RUN_ID}", *models)}
    assert world.weights() == {RUN_ID: 1.0}
    assert world.fake.endpoints["flowers"]["EndpointConfigName"] == RUN_ID


def test_a_run_whose_execution_is_dead_is_closed_and_undone(world: World) -> None:
    world.begin()
    world.make_models()

    report = sweep(world, deletes=False, execution="ABORTED")

    assert found(report) == {f"run {RUN_ID}": (f"model/{RUN_ID}", f"model/{RUN_ID}-open")}
    assert world.record().status == "Stopped"


def test_an_endpoint_whose_time_is_over_and_whose_schedule_was_lost_is_always_deleted(world: World) -> None:
    serve_first_run(world)
    later(world, hours=8, minutes=5)
    assert sweep(world, deletes=False).findings == (), "the schedule has some minutes"
    later(world, minutes=10)

    report = sweep(world, deletes=False)

    assert report.endpoints == 0
    assert "its time to live was over" in report.findings[0].reason
    assert (world.fake.endpoints, world.fake.configs, world.fake.models) == ({}, {}, {})


def test_an_endpoint_that_a_run_deploys_to_is_left_alone_even_then(world: World) -> None:
    serve_first_run(world)
    deploy_run(world, NEXT_RUN_ID)
    world.fake.settle("flowers")
    later(world, days=2)

    assert sweep(world) == SweepReport(1, ())

    promote_run(world, NEXT_RUN_ID)
    assert world.weights() == {NEXT_RUN_ID: 1.0}


def test_an_endpoint_that_nobody_asks_for_a_day_is_found(world: World) -> None:
    serve_first_run(world)
    keep(world)
    later(world, hours=20)
    assert sweep(world).findings == (), "not a day old"
    later(world, hours=10)

    assert found(sweep(world, deletes=False)) == {"endpoint flowers": ()}
    assert "flowers" in world.fake.endpoints
    report = sweep(world)

    assert "endpoint/flowers" in report.findings[0].deleted
    assert (report.endpoints, world.fake.models) == (0, {})


def test_an_endpoint_that_was_asked_in_the_last_day_is_left_alone(world: World) -> None:
    serve_first_run(world)
    keep(world)
    later(world, hours=30)
    asked(world)
    later(world, hours=20)
    assert sweep(world) == SweepReport(1, ())
    later(world, hours=10)
    assert found(sweep(world, deletes=False)) == {"endpoint flowers": ()}


def test_an_endpoint_without_routing_is_found(world: World) -> None:
    serve_first_run(world)
    world.run.routings.delete("flowers")
    later(world, hours=2)

    report = sweep(world)

    assert "no routing" in report.findings[0].reason
    assert world.fake.endpoints == {}


def test_what_cannot_be_deleted_is_told_and_the_rest_goes_on(world: World) -> None:
    for name in ("one", "two"):
        world.fake.create_model({"ModelName": name, "Tags": TAGS})
    world.fake.refuse["DeleteModel"] = Refused("ThrottlingException", "Rate exceeded")
    warnings: list[str] = []

    report = sweep(world, warnings=warnings)

    assert found(report) == {"model one": (), "model two": ("model/two",)}
    assert "one could not be cleaned up" in warnings[0]
