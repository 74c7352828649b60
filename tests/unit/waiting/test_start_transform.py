"""The transform job: one per run, for a model that is there."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from sageline.errors import EndpointNotFound, ResourceConflict, RunFinished
from sageline.names import TRANSFORMS, Transform, TransformPurpose
from sageline.runs.payloads import TransformPlan
from sageline.waiting.start_transform import start_transform
from tests.unit.batch.batches import MODEL, begun, trained
from tests.unit.golden import golden_event
from tests.unit.world.fake_sagemaker import ARN, Refused
from tests.unit.world.world import RUN_ID, STACK, World

PLAN: TransformPlan = golden_event("start_transform/start")["transform"]


@pytest.fixture
def ready(world: World) -> World:
    trained(world)
    begun(world)
    return world


def test_the_job_is_named_by_the_run_and_carries_the_stacks_tag(ready: World) -> None:
    job = start_transform(RUN_ID, PLAN, run=ready.run)
    assert job == {"kind": "transform-job", "name": RUN_ID, "arn": f"{ARN}:transform-job/{RUN_ID}"}
    asked = ready.fake.transforms[RUN_ID]
    assert asked["ModelName"] == MODEL
    assert {"Key": "sageline:stack", "Value": STACK} in asked["Tags"]
    assert asked["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] == PLAN["input_uri"]
    assert ready.record().details["transform_job"] == {"name": RUN_ID, "arn": job["arn"]}


def test_the_names_in_the_state_machine_and_in_records_stay() -> None:
    assert {
        "batch": Transform("RunTransform", "", "transform_job", "transform"),
        "evaluation": Transform("RunEvaluationTransform", "-test", "evaluation_job", "evaluation_transform"),
        "champion": Transform("RunChampionTransform", "-champion", "champion_job", "champion_transform"),
    } == TRANSFORMS


@pytest.mark.parametrize(("purpose", "transform"), TRANSFORMS.items())
def test_each_purpose_has_a_job_of_its_own(ready: World, purpose: TransformPurpose, transform: Transform) -> None:
    job = start_transform(RUN_ID, PLAN, run=ready.run, purpose=purpose)
    assert job["name"] == f"{RUN_ID}{transform.suffix}"
    assert list(ready.fake.transforms) == [job["name"]]
    assert ready.record().state == transform.state
    assert ready.record().details[transform.job_key] == {"name": job["name"], "arn": job["arn"]}


def test_started_twice_there_is_one_job(ready: World) -> None:
    first, second = (start_transform(RUN_ID, PLAN, run=ready.run) for _ in range(2))
    assert first == second
    assert len(ready.fake.transforms) == 1


def test_another_job_of_that_name_is_a_conflict(ready: World) -> None:
    start_transform(RUN_ID, PLAN, run=ready.run)
    with pytest.raises(ResourceConflict, match=f"A transform job {RUN_ID} exists and is not this run's"):
        start_transform(RUN_ID, {**PLAN, "accept": "application/json"}, run=ready.run)


def test_a_model_that_was_deleted_meanwhile_is_named(ready: World) -> None:
    ready.fake.models.clear()
    with pytest.raises(EndpointNotFound, match=f"Model {MODEL} is not there any more"):
        start_transform(RUN_ID, PLAN, run=ready.run)
    assert ready.fake.transforms == {}


def test_a_job_that_is_there_is_found_without_its_model(ready: World) -> None:
    first = start_transform(RUN_ID, PLAN, run=ready.run)
    ready.fake.refuse["CreateTransformJob"] = Refused("ValidationException", f'Could not find model "{MODEL}".')
    assert start_transform(RUN_ID, PLAN, run=ready.run) == first


def test_any_other_refusal_goes_on(ready: World) -> None:
    ready.fake.refuse["CreateTransformJob"] = Refused("ResourceLimitExceeded", "The account-level service limit is 0 Instances.")
    with pytest.raises(ClientError, match="ResourceLimitExceeded"):
        start_transform(RUN_ID, PLAN, run=ready.run)


def test_a_batch_that_was_stopped_while_its_job_was_started_stops_the_job(ready: World) -> None:
    ready.fake.before["CreateTransformJob"] = lambda: ready.run.store.finish(RUN_ID, "Stopped")
    with pytest.raises(RunFinished):
        start_transform(RUN_ID, PLAN, run=ready.run)
    assert ready.fake.transforms[RUN_ID]["TransformJobStatus"] == "Stopping"
