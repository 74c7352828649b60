"""Stopping what a run has started."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from sageline.jobs.stopping import stop_jobs, stop_training, stop_transforms
from sageline.names import transform_job_names, tuning_job_name
from tests.unit.world.fake_sagemaker import Refused
from tests.unit.world.world import RUN_ID, World

TUNING = tuning_job_name(RUN_ID)


def run_all(world: World, status: str = "InProgress") -> None:
    world.fake.jobs[RUN_ID] = {"TrainingJobName": RUN_ID, "TrainingJobStatus": status}
    world.fake.tunings[TUNING] = {"HyperParameterTuningJobName": TUNING, "HyperParameterTuningJobStatus": status}
    world.fake.transforms[RUN_ID] = {"TransformJobName": RUN_ID, "TransformJobStatus": status}


def statuses(world: World) -> list[str]:
    return [
        world.fake.jobs[RUN_ID]["TrainingJobStatus"],
        world.fake.tunings[TUNING]["HyperParameterTuningJobStatus"],
        world.fake.transforms[RUN_ID]["TransformJobStatus"],
    ]


def test_whatever_runs_is_stopped_once(world: World) -> None:
    run_all(world)
    assert stop_jobs(RUN_ID, sagemaker=world.sagemaker) == [RUN_ID, TUNING, RUN_ID]
    assert statuses(world) == ["Stopping"] * 3
    assert stop_jobs(RUN_ID, sagemaker=world.sagemaker) == []


def test_what_is_not_there_or_has_ended_is_left_alone(world: World) -> None:
    assert stop_jobs(RUN_ID, sagemaker=world.sagemaker) == []
    run_all(world, "Completed")
    assert stop_jobs(RUN_ID, sagemaker=world.sagemaker) == []
    assert world.fake.changes() == []


def test_what_ends_between_the_look_and_the_stop_does_no_harm(world: World) -> None:
    run_all(world)
    world.fake.before["StopTrainingJob"] = lambda: world.fake.jobs[RUN_ID].update(TrainingJobStatus="Completed")
    assert stop_jobs(RUN_ID, sagemaker=world.sagemaker) == [RUN_ID, TUNING]


def test_the_training_is_stopped_without_the_transform_and_the_other_way_round(world: World) -> None:
    run_all(world)
    stop_training(RUN_ID, sagemaker=world.sagemaker)
    assert statuses(world) == ["Stopping", "Stopping", "InProgress"]
    run_all(world)
    stop_transforms(RUN_ID, sagemaker=world.sagemaker)
    assert statuses(world) == ["InProgress", "InProgress", "Stopping"]


def test_every_transform_job_of_a_run_is_stopped(world: World) -> None:
    for name in transform_job_names(RUN_ID):
        world.fake.transforms[name] = {"TransformJobName": name, "TransformJobStatus": "InProgress"}
    assert stop_jobs(RUN_ID, sagemaker=world.sagemaker) == transform_job_names(RUN_ID)


@pytest.mark.parametrize("operation", ["StopTrainingJob", "StopHyperParameterTuningJob", "StopTransformJob"])
def test_a_denied_stop_is_an_error(world: World, operation: str) -> None:
    run_all(world)
    world.fake.refuse[operation] = Refused("AccessDeniedException", "no")
    with pytest.raises(ClientError, match="AccessDenied"):
        stop_jobs(RUN_ID, sagemaker=world.sagemaker)
