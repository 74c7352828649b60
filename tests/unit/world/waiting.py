"""Jobs and endpoints that a state waits for, and what Step Functions is told of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from sageline.jobs.logs import TRAINING_JOBS
from sageline.runs.context import RunContext
from sageline.waiting.check_status import wait_for_resource
from tests.unit.golden import golden_event
from tests.unit.world.fake_sagemaker import ARN
from tests.unit.world.fake_stepfunctions import FakeStepFunctions
from tests.unit.world.world import RUN_ID, World

WAIT_FOR_JOB = golden_event("check_status/wait-for-training-job")
WAIT_FOR_TUNING = golden_event("check_status/wait-for-tuning-job")
WAIT_FOR_TRANSFORM: dict[str, Any] = {
    "run_id": RUN_ID,
    "resource": {"kind": "transform-job", "name": RUN_ID, "arn": f"{ARN}:transform-job/{RUN_ID}"},
    "task_token": "token",
}
WAIT_FOR_ENDPOINT = golden_event("check_status/wait-for-endpoint")
JOB_CHANGED = golden_event("check_status/training-job-changed")
TUNING_CHANGED = golden_event("check_status/tuning-job-changed")
TRANSFORM_CHANGED = golden_event("check_status/transform-job-changed")
ENDPOINT_CHANGED = golden_event("check_status/endpoint-changed")
TUNING = RUN_ID  # the name is short enough
STARTED = datetime(2026, 11, 20, 10, 1, tzinfo=UTC)
JOB_ARN, ENDPOINT_ARN = f"{ARN}:training-job/{RUN_ID}", f"{ARN}:endpoint/flowers"


Answers: TypeAlias = FakeStepFunctions
"""What Step Functions was told."""


def wait(event: Any, run: RunContext) -> str:
    return wait_for_resource(event["run_id"], event["resource"], event["task_token"], run=run)


def run_job(world: World, status: str, **more: object) -> None:
    world.fake.jobs[RUN_ID] = {
        "TrainingJobName": RUN_ID,
        "TrainingJobStatus": status,
        "ModelArtifacts": {"S3ModelArtifacts": "s3://b/model.tar.gz"},
        **more,
    }


def run_endpoint(world: World, status: str, **more: object) -> None:
    world.fake.endpoints["flowers"] = {
        "EndpointName": "flowers",
        "EndpointArn": ENDPOINT_ARN,
        "EndpointStatus": status,
        "EndpointConfigName": RUN_ID,
        **more,
    }


def run_tuning(world: World, status: str, *, best: str | None = None, goal: str = "Minimize", **more: object) -> None:
    world.fake.tunings[TUNING] = {
        "HyperParameterTuningJobName": TUNING,
        "HyperParameterTuningJobStatus": status,
        "HyperParameterTuningJobConfig": {"HyperParameterTuningJobObjective": {"Type": goal, "MetricName": "validation:rmse"}},
        "TrainingJobStatusCounters": {"Completed": 2, "Stopped": 1, "RetryableError": 0, "NonRetryableError": 1},
        **more,
    }
    if best is not None:
        world.fake.tunings[TUNING]["BestTrainingJob"] = {"TrainingJobName": best, "ObjectiveStatus": "Succeeded"}


def tried(world: World, number: int, objective: float | None, status: str = "Completed", **more: object) -> str:
    """A trial of the tuning job; its name."""
    name = f"{TUNING}-{number:03}-0a1b2c3d"
    trial: dict[str, object] = {
        "TrainingJobName": name,
        "TrainingJobStatus": status,
        "TunedHyperParameters": {"max_depth": str(number), "eta": "0.1"},
        "TrainingStartTime": STARTED,
        "TrainingEndTime": STARTED + timedelta(seconds=10 + number),
        **more,
    }
    if objective is not None:
        trial["FinalHyperParameterTuningJobObjectiveMetric"] = {"MetricName": "validation:rmse", "Value": objective}
    world.fake.trials.setdefault(TUNING, []).append(trial)
    world.fake.jobs[name] = {
        "TrainingJobName": name,
        "TrainingJobStatus": status,
        "ModelArtifacts": {"S3ModelArtifacts": f"s3://b/{name}/model.tar.gz"},
        "TrainingTimeInSeconds": 10 + number,
        "FinalMetricDataList": [] if objective is None else [{"MetricName": "validation:rmse", "Value": objective}],
    }
    return name


def run_transform(world: World, status: str, **more: object) -> None:
    world.fake.transforms[RUN_ID] = {
        "TransformJobName": RUN_ID,
        "TransformJobStatus": status,
        "TransformOutput": {"S3OutputPath": "s3://b/out/"},
        **more,
    }


def log(world: World, *lines: str, stream: str = f"{RUN_ID}/algo-1-1795168800", group: str = TRAINING_JOBS) -> None:
    world.aws.logs.write(group, stream, *lines)
