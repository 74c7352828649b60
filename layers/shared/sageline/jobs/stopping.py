"""Stopping what a run has started in SageMaker."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sageline.aws.errors import code, is_not_found
from sageline.names import transform_job_names, tuning_job_name

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


def stop_jobs(run_id: str, *, sagemaker: SageMakerClient) -> list[str]:
    """Stop the run's transform, tuning and training jobs, as far as they are there and run; the names of those stopped.

    A tuning job that is stopped stops its training jobs.
    """
    stopped = stop_transforms(run_id, sagemaker=sagemaker)
    return stopped + [name for stop in (_stop_tuning, _stop_training) if (name := stop(run_id, sagemaker)) is not None]


def stop_training(run_id: str, *, sagemaker: SageMakerClient) -> None:
    """Stop what StartTraining has started: a training job or a tuning job."""
    for stop in (_stop_tuning, _stop_training):
        stop(run_id, sagemaker)


def stop_transforms(run_id: str, *, sagemaker: SageMakerClient) -> list[str]:
    """Stop those of the run's transform jobs that run; their names."""
    return [name for job in transform_job_names(run_id) if (name := _stop_transform(job, sagemaker)) is not None]


def _stop_training(run_id: str, sagemaker: SageMakerClient) -> str | None:
    return _stop(
        run_id,
        lambda: sagemaker.describe_training_job(TrainingJobName=run_id)["TrainingJobStatus"],
        lambda: sagemaker.stop_training_job(TrainingJobName=run_id),
    )


def _stop_tuning(run_id: str, sagemaker: SageMakerClient) -> str | None:
    name = tuning_job_name(run_id)
    return _stop(
        name,
        lambda: sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)["HyperParameterTuningJobStatus"],
        lambda: sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name),
    )


def _stop_transform(name: str, sagemaker: SageMakerClient) -> str | None:
    return _stop(
        name,
        lambda: sagemaker.describe_transform_job(TransformJobName=name)["TransformJobStatus"],
        lambda: sagemaker.stop_transform_job(TransformJobName=name),
    )


def _stop(name: str, status: Callable[[], str], stop: Callable[[], object]) -> str | None:
    try:
        if status() != "InProgress":
            return None
        stop()
    except ClientError as error:
        # Not started yet; or finished between the look and the stop.
        if is_not_found(error) or code(error) == "ValidationException":
            return None
        raise
    return name
