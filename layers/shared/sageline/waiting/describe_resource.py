"""The job or endpoint that a run waits for: is it done, has it failed, or is it under way?"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from botocore.exceptions import ClientError

from sageline.aws.errors import is_not_found
from sageline.costs.run_cost import transform_limit
from sageline.errors import (
    EndpointFailed,
    SagelineError,
    TrainingJobFailed,
    TransformJobFailed,
    TransformJobStopped,
    TuningJobFailed,
)
from sageline.jobs.logs import TRAINING_JOBS, TRANSFORM_JOBS, last_log_lines
from sageline.jobs.outcomes import endpoint_outcome, training_outcome, training_result, transform_outcome, tuning_outcome
from sageline.jobs.trials import Trial, list_trials
from sageline.names import transform_job_name
from sageline.runs.context import RunContext
from sageline.runs.deployment_record import deployment_of
from sageline.runs.payloads import EndpointResult, ResourceKind, TrainingResult, TransformResult

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import DescribeHyperParameterTuningJobResponseTypeDef

_TRIALS_IN_RECORD = 50
"""The record of a run has room for so many; the file in the bucket has them all."""

Done: TypeAlias = TrainingResult | TransformResult | EndpointResult


@dataclass(frozen=True)
class Failed:
    """A job or endpoint that has failed, SageMaker's own words on it, and its last log lines."""

    error: SagelineError
    reason: str | None = None
    log_lines: tuple[str, ...] = ()


ResourceOutcome: TypeAlias = Done | Failed | None
"""None: it is under way."""


def describe_resource(kind: ResourceKind, name: str, run_id: str, run: RunContext) -> ResourceOutcome:
    """The outcome of the job or endpoint that the run ``run_id`` waits for."""
    describers: dict[ResourceKind, tuple[Callable[[str, str, RunContext], ResourceOutcome], SagelineError]] = {
        "training-job": (_describe_training, TrainingJobFailed(f"Training job {name} was deleted before it was done.")),
        "hyper-parameter-tuning-job": (_describe_tuning, TuningJobFailed(f"Tuning job {name} was deleted before it was done.")),
        "transform-job": (_describe_transform, TransformJobFailed(f"Transform job {name} was deleted before it was done.")),
        "endpoint": (_describe_endpoint, EndpointFailed(f"Endpoint {name} was deleted while it was being deployed to.")),
    }
    describe, deleted = describers[kind]
    try:
        return describe(name, run_id, run)
    except ClientError as error:
        if not is_not_found(error):
            raise
        return Failed(deleted)


def _describe_training(name: str, run_id: str, run: RunContext) -> ResourceOutcome:
    job = run.clients.sagemaker.describe_training_job(TrainingJobName=name)
    outcome = training_outcome(job)
    if isinstance(outcome, SagelineError):
        return Failed(outcome, job.get("FailureReason"), tuple(last_log_lines(TRAINING_JOBS, name, run.clients.logs)))
    return outcome


def _describe_tuning(name: str, run_id: str, run: RunContext) -> ResourceOutcome:
    tuning = run.clients.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    outcome = tuning_outcome(tuning)
    if outcome is None:
        return None
    best = outcome if isinstance(outcome, str) else None
    trials = list_trials(name, _objective_type(tuning), best, run.clients.sagemaker)
    _record_trials(trials, run_id, run)
    if isinstance(outcome, SagelineError):
        return _failed_tuning(outcome, tuning, trials, run)
    job = run.clients.sagemaker.describe_training_job(TrainingJobName=outcome)
    if "ModelArtifacts" not in job:
        return Failed(TuningJobFailed(f"Tuning job {name}'s best training job {outcome} has left no model."))
    counters = tuning["TrainingJobStatusCounters"]
    failed = counters.get("RetryableError", 0) + counters.get("NonRetryableError", 0)
    return {
        **training_result(job),
        "tuning": {
            "name": name,
            "best": outcome,
            "jobs": len(trials),
            "counters": {"completed": counters.get("Completed", 0), "stopped": counters.get("Stopped", 0), "failed": failed},
        },
    }


def _objective_type(tuning: DescribeHyperParameterTuningJobResponseTypeDef) -> str:
    return tuning["HyperParameterTuningJobConfig"].get("HyperParameterTuningJobObjective", {}).get("Type", "Minimize")


def _record_trials(trials: list[Trial], run_id: str, run: RunContext) -> None:
    if not trials:
        return
    document = json.dumps(trials, indent=2).encode()
    run.files.put(run.files.layout(run_id).trials_key, document, "application/json")
    run.store.note(run_id, trials=trials[:_TRIALS_IN_RECORD])


def _failed_tuning(
    error: SagelineError, tuning: DescribeHyperParameterTuningJobResponseTypeDef, trials: list[Trial], run: RunContext
) -> Failed:
    """The tuning job itself only says that its training jobs failed; why, the first of them says, and its log."""
    told = [trial for trial in trials if trial["status"] == "Failed"] or trials
    first = min(told, key=lambda trial: trial["name"], default=None)
    reason = tuning.get("FailureReason")
    if first is None or not isinstance(error, TuningJobFailed):
        return Failed(error, reason)
    if "reason" in first:
        error = TuningJobFailed(f"{error.message} Training job {first['name']} says: {first['reason']}")
        reason = first["reason"]
    return Failed(error, reason, tuple(last_log_lines(TRAINING_JOBS, first["name"], run.clients.logs)))


def _describe_transform(name: str, run_id: str, run: RunContext) -> ResourceOutcome:
    job = run.clients.sagemaker.describe_transform_job(TransformJobName=name)
    outcome = transform_outcome(job)
    if isinstance(outcome, SagelineError):
        return Failed(outcome, job.get("FailureReason"), tuple(last_log_lines(TRANSFORM_JOBS, name, run.clients.logs)))
    limit, started = transform_limit(run_id, name, run), job.get("TransformStartTime")
    if outcome is not None or limit is None or started is None or run.clock() - started <= timedelta(seconds=limit):
        return outcome
    # The run fails, and what it has started is stopped.
    is_batch = name == transform_job_name(run_id, "batch")
    why = "it took longer than its `max_runtime_seconds`" if is_batch else f"the test rows took longer than {limit} s"
    return Failed(TransformJobStopped(f"Transform job {name} was stopped: {why}."))


def _describe_endpoint(name: str, run_id: str, run: RunContext) -> ResourceOutcome:
    endpoint = run.clients.sagemaker.describe_endpoint(EndpointName=name)
    deployment = deployment_of(run.store.get(run_id))
    outcome = endpoint_outcome(endpoint, config=deployment.config if deployment else run_id)
    if isinstance(outcome, SagelineError):
        return Failed(outcome, endpoint.get("FailureReason"))
    return outcome
