from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sageline.configuration.configure import configure
from sageline.costs.estimate import BillableWork, CostFacts, cost_bound
from sageline.costs.run_cost import facts_of, note_job_cost, transform_limit
from sageline.errors import BudgetExceeded, InvalidPrices
from sageline.names import TRANSFORMS, transform_job_name
from sageline.runs.context import RunContext
from sageline.runs.store import RunStatus
from sageline.waiting.check_status import handle_change, wait_for_resource
from tests.unit.configuration.test_configure import FLOWERS, KEY
from tests.unit.evaluation.candidates import begun
from tests.unit.golden import golden_event
from tests.unit.world.fake_sagemaker import Refused
from tests.unit.world.waiting import JOB_CHANGED, TRANSFORM_CHANGED, WAIT_FOR_TRANSFORM, Answers
from tests.unit.world.world import BUCKET, EXECUTION, RUN_ID, World, with_one_algorithm

STARTED = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def configured(world: World, **spec: object) -> dict[str, Any]:
    """The costs in the record of a run that a request has started."""
    world.put(KEY, FLOWERS)
    event = golden_event("configure_run/request")
    event["trigger"]["spec"] |= with_one_algorithm(spec)
    configure(EXECUTION, event["trigger"], run=world.run)
    return cost(world)


def cost(world: World) -> dict[str, Any]:
    found: dict[str, Any] = world.record().details["cost"]
    return found


def begin_with_bound(world: World, *transforms: BillableWork) -> None:
    resolved = world.begin()
    world.run.store.note(RUN_ID, cost=cost_bound(resolved, CostFacts(transforms=transforms)).to_json())


def training_job(world: World, status: str, seconds: int, **more: object) -> None:
    world.fake.jobs[RUN_ID] = {
        "TrainingJobName": RUN_ID,
        "TrainingJobStatus": status,
        "ModelArtifacts": {"S3ModelArtifacts": "s3://b/model.tar.gz"},
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 30},
        "TrainingTimeInSeconds": 10 * seconds,
        "BillableTimeInSeconds": seconds,
        **more,
    }


def transform_job(world: World, status: str, **more: object) -> None:
    world.fake.transforms[RUN_ID] = {
        "TransformJobName": RUN_ID,
        "TransformJobStatus": status,
        "TransformOutput": {"S3OutputPath": "s3://b/out/"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "TransformStartTime": STARTED,
        **more,
    }


def spent(world: World, kind: Any, name: str = RUN_ID) -> dict[str, Any]:
    note_job_cost(kind, name, RUN_ID, run=world.run)
    return cost(world)


@pytest.fixture
def watch(world: World) -> RunContext:
    """An hour and two minutes after the job began."""
    return replace(world.run, clock=lambda: STARTED + timedelta(seconds=3720))


# ---- before ----


def test_a_run_says_what_it_may_cost_before_anything_is_started(world: World) -> None:
    found = configured(world)
    # An hour of training on an ml.m5.xlarge for $0.23, and one of answering the test rows on an ml.m5.large for $0.115.
    assert [(part["what"], part["usd"]) for part in found["parts"][:2]] == [
        ("training", 0.23),
        ("evaluation", 0.115),
    ]
    assert (found["most_usd"], found["endpoint_usd_per_hour"], found["prices"]) == (0.345, 0, "2026-09-25")
    assert world.fake.changes() == []


def test_each_algorithm_that_auto_trains_is_counted(world: World) -> None:
    found = configured(world, algorithm={"name": "auto"})
    assert [(part["what"], part["usd"]) for part in found["parts"][:2]] == [
        ("training", 0.46),
        ("evaluation", 0.23),
    ]
    assert found["most_usd"] == 0.69


def test_a_run_that_could_exceed_its_budget_is_refused_and_its_record_has_the_sum(world: World) -> None:
    with pytest.raises(BudgetExceeded, match=r"may cost up to \$0.345, and `budget_usd` is \$0.20"):
        configured(world, budget_usd=0.2)
    assert cost(world)["most_usd"] == 0.345


def test_a_run_within_its_budget_goes_on(world: World) -> None:
    assert configured(world, budget_usd=0.345)["most_usd"] == 0.345


def test_the_stacks_own_prices_are_counted_with(world: World) -> None:
    world.put("prices.json", json.dumps({"instances": {"ml.m5.xlarge": 0.5}}).encode())
    assert configured(world)["most_usd"] == 0.615


def test_own_prices_that_are_none_fail_the_run(world: World) -> None:
    world.put("prices.json", b"{")
    with pytest.raises(InvalidPrices, match=f"s3://{BUCKET}/prices.json"):
        configured(world)


def test_own_prices_that_may_not_be_read_are_noted(world: World) -> None:
    world.aws.refuse["GetObject"] = Refused("AccessDenied", "no")
    facts = facts_of(world.run)
    assert "prices.json may not be read" in cost_bound(None, facts).notes[0]


# ---- after ----


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
def test_a_training_job_did_cost_its_billed_seconds_however_it_ended(world: World, status: str) -> None:
    begin_with_bound(world)
    training_job(world, status, 90)
    # 0.23 x 2 x 90 s / 3600
    assert spent(world, "training-job")["actual_usd"] == 0.0115


def test_a_job_under_way_has_cost_nothing_yet(world: World) -> None:
    begin_with_bound(world)
    training_job(world, "InProgress", 90)
    assert "actual_usd" not in spent(world, "training-job")


def test_a_tuning_did_cost_the_seconds_of_all_its_trials(world: World) -> None:
    begin_with_bound(world)
    world.fake.tunings[RUN_ID] = {
        "HyperParameterTuningJobName": RUN_ID,
        "HyperParameterTuningJobStatus": "Completed",
        "TrainingJobDefinition": {"ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1}},
    }
    for number, seconds in enumerate((1000, 500, 300)):
        world.fake.trials.setdefault(RUN_ID, []).append(
            {
                "TrainingJobName": f"trial-{number}",
                "TrainingJobStatus": "Completed",
                "TrainingStartTime": STARTED,
                "TrainingEndTime": STARTED + timedelta(seconds=seconds),
            }
        )
    # 0.23 x 1800 s / 3600
    assert spent(world, "hyper-parameter-tuning-job")["actual_usd"] == 0.115


def test_the_jobs_of_a_tuning_are_not_counted_again(world: World) -> None:
    begin_with_bound(world)
    training_job(world, "Completed", 90, TuningJobArn="arn:aws:sagemaker:us-east-1:123456789012:hyper-parameter-tuning-job/t")
    assert "actual_usd" not in spent(world, "training-job")


def test_a_transform_job_did_cost_the_time_it_took(world: World) -> None:
    begin_with_bound(world)
    transform_job(world, "Completed", TransformEndTime=STARTED + timedelta(seconds=360))
    # 0.115 x 360 s / 3600
    assert spent(world, "transform-job")["actual_usd"] == 0.0115


def test_an_endpoint_a_job_that_is_gone_and_a_run_without_a_bound_change_nothing(world: World) -> None:
    begin_with_bound(world)
    assert "jobs" not in spent(world, "endpoint", "flowers")
    assert "jobs" not in spent(world, "training-job")
    training_job(world, "Completed", 90)
    note_job_cost("training-job", RUN_ID, "flowers-20261120100000-ffffff", run=world.run)


def test_a_job_that_ends_after_its_run_was_stopped_is_counted_and_the_run_stays_as_it_ended(
    world: World, watch: RunContext
) -> None:
    begin_with_bound(world)
    world.run.store.finish(RUN_ID, "Stopped")
    before = world.record()
    training_job(world, "Stopped", 90)
    assert "nobody waits" in handle_change(JOB_CHANGED, run=watch)
    after = world.record()
    assert after.details["cost"]["actual_usd"] == 0.0115
    assert (after.status, after.state, after.updated_at) == (before.status, before.state, before.updated_at)


def test_the_answer_to_the_run_comes_before_the_costs_are_noted(world: World, watch: RunContext, answers: Answers) -> None:
    begin_with_bound(world)
    training_job(world, "Completed", 90)
    watch.store.put_token(JOB_CHANGED["detail"]["TrainingJobArn"], "token", RUN_ID)
    handle_change(JOB_CHANGED, run=watch)
    assert [name for name, _ in answers.sent] == ["SendTaskSuccess"]
    assert cost(world)["actual_usd"] == 0.0115


# ---- the time of a transform job, which SageMaker does not limit ----


def test_a_transform_job_that_takes_longer_than_it_may_fails_its_run(world: World, watch: RunContext, answers: Answers) -> None:
    begin_with_bound(world, BillableWork(what="batch", use="transform", instance_type="ml.m5.large", instances=1, seconds=3600))
    transform_job(world, "InProgress")
    wait_for_resource(RUN_ID, WAIT_FOR_TRANSFORM["resource"], "token", run=watch)
    [(name, said)] = answers.sent
    assert (name, said["error"]) == ("SendTaskFailure", "TransformJobStopped")
    assert "took longer than its `max_runtime_seconds`" in said["cause"]
    assert "Raise the batch's `max_runtime_seconds`" in said["cause"]


def test_how_long_a_batch_may_take_does_not_depend_on_how_long_the_test_rows_may(world: World) -> None:
    limits = {"batch": 60, "evaluation": 3600}
    work = [
        BillableWork(what=what, use="transform", instance_type="ml.m5.large", instances=1, seconds=seconds)
        for what, seconds in limits.items()
    ]
    begin_with_bound(world, *work)
    found = {purpose: transform_limit(RUN_ID, transform_job_name(RUN_ID, purpose), world.run) for purpose in TRANSFORMS}
    assert found == {"batch": 60, "evaluation": 3600, "champion": 3600}


def test_a_model_that_takes_too_long_for_the_test_rows_fails_its_run(world: World, watch: RunContext, answers: Answers) -> None:
    begin_with_bound(
        world, BillableWork(what="evaluation", use="transform", instance_type="ml.m5.large", instances=1, seconds=3600)
    )
    transform_job(world, "InProgress")
    name = transform_job_name(RUN_ID, "evaluation")
    world.fake.transforms[name] = world.fake.transforms.pop(RUN_ID) | {"TransformJobName": name}
    resource = WAIT_FOR_TRANSFORM["resource"]
    wait_for_resource(RUN_ID, resource | {"name": name, "arn": f"{resource['arn']}-test"}, "token", run=watch)
    [(_, said)] = answers.sent
    assert "the test rows took longer than 3600 s" in said["cause"]
    assert "larger `evaluation.instance_type`" in said["cause"]


@pytest.mark.parametrize("seconds", [3721, None])
def test_a_transform_job_within_its_time_goes_on(world: World, watch: RunContext, answers: Answers, seconds: int | None) -> None:
    work = (
        []
        if seconds is None
        else [BillableWork(what="batch", use="transform", instance_type="ml.m5.large", instances=1, seconds=seconds)]
    )
    begin_with_bound(world, *work)
    transform_job(world, "InProgress")
    watch.store.put_token(TRANSFORM_CHANGED["detail"]["TransformJobArn"], "token", RUN_ID)
    assert "under way" in handle_change(TRANSFORM_CHANGED, run=watch)
    assert answers.sent == []


def test_an_endpoint_on_instances_costs_as_long_and_as_much_as_it_may_live_and_grow(world: World) -> None:
    deployment = {
        "endpoint": "wine",
        "instances": {"instance_type": "ml.m5.large", "count": 1},
        "autoscaling": {"min": 1, "max": 3},
        "ttl_hours": 2,
    }
    spec = world.begin(deployment=deployment)

    facts = facts_of(world.run, deployment=spec.deployment)

    assert (facts.ttl_hours, facts.most_instances) == (2, 3)
    [endpoint] = [part for part in cost_bound(spec, facts).parts if part.use == "hosting"]
    assert endpoint.usd == pytest.approx(3 * 2 * 0.115)


@pytest.mark.parametrize(
    ("rollout", "hours"),
    [
        ({"strategy": "all-at-once"}, 2),
        ({"strategy": "canary", "canary": {"bake_minutes": 30}}, 2.5),
        ({"strategy": "linear", "linear": {"step_percent": 20, "interval_minutes": 90}}, 2 + 4 * 1.5),
        ({"strategy": "ab"}, 2),
    ],
)
def test_the_time_to_live_begins_when_the_rollout_is_over(world: World, rollout: dict[str, object], hours: float) -> None:
    spec = world.begin(deployment={"endpoint": "wine", "instances": {"instance_type": "ml.m5.large"}, "ttl_hours": 2, **rollout})

    [*_, endpoint] = cost_bound(spec, facts_of(world.run, deployment=spec.deployment)).parts

    assert endpoint.seconds == hours * 3600
    assert endpoint.usd == pytest.approx(hours * 0.115)


def test_a_grid_that_could_exceed_its_budget_is_refused(world: World) -> None:
    tuning = {"strategy": "Grid", "ranges": {"max_depth": {"type": "categorical", "values": [2, 4, 6, 8]}}}

    with pytest.raises(BudgetExceeded, match=r"fewer values in `tuning\.ranges`"):
        configured(world, budget_usd=0.6, tuning=tuning)


# ---- of several algorithms ----


def candidates_trained(world: World) -> list[str]:
    """A run of `auto` whose candidates' jobs have been stopped, after 600 and 1,200 s; their ids."""
    planned = list(begun(world).values())
    for run_id, seconds in zip(planned, (600, 1200), strict=True):
        training_job(world, "Stopped", seconds)
        world.fake.jobs[run_id] = world.fake.jobs.pop(RUN_ID) | {"TrainingJobName": run_id}
    return planned


@pytest.mark.parametrize("status", ["Running", "Stopped"])
def test_a_run_has_the_costs_of_its_candidates_jobs_as_soon_as_they_have_ended(world: World, status: RunStatus) -> None:
    trees, linear = candidates_trained(world)
    if status == "Stopped":
        for run_id in (RUN_ID, trees, linear):
            world.run.store.finish(run_id, status)

    note_job_cost("training-job", trees, trees, run=world.run)
    assert {job["job"]: job["seconds"] for job in cost(world)["jobs"]} == {trees: 600}
    note_job_cost("training-job", linear, linear, run=world.run)

    assert {job["job"]: job["seconds"] for job in cost(world)["jobs"]} == {trees: 600, linear: 1200}
    assert cost(world)["actual_usd"] == pytest.approx(0.23 * 2 * 1800 / 3600)
    assert world.record().status == status


def test_costs_that_are_noted_at_once_do_not_overtake_each_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    trees, linear = candidates_trained(world)
    note, waiting = world.run.store.note, [linear]

    def slow_note(run_id: str, **details: Any) -> None:
        if run_id == RUN_ID and waiting:  # the other one writes between the look and the write
            other = waiting.pop()
            note_job_cost("training-job", other, other, run=world.run)
        note(run_id, **details)

    monkeypatch.setattr(world.run.store, "note", slow_note)
    note_job_cost("training-job", trees, trees, run=world.run)

    assert {job["job"]: job["seconds"] for job in cost(world)["jobs"]} == {trees: 600, linear: 1200}
