"""The trials of a tuning job: which training jobs it ran, with which hyperparameters, and how good each became."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, NotRequired, TypedDict

from sageline.jobs.outcomes import short_reason

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import HyperParameterTrainingJobSummaryTypeDef


class Trial(TypedDict):
    """``objective`` is null where the job reported none, ``seconds`` where it never trained. ``reason``: why it failed."""

    name: str
    status: str
    objective: float | None
    hyperparameters: dict[str, str]
    seconds: int | None
    reason: NotRequired[str]


def list_trials(tuning_job: str, objective_type: str, best: str | None, sagemaker: SageMakerClient) -> list[Trial]:
    """All trials, best first, those without an objective last.

    Args:
        objective_type: ``Minimize`` or ``Maximize``.
        best: the training job that SageMaker calls the best: of equals it comes first.
    """
    paginator = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
    pages = paginator.paginate(HyperParameterTuningJobName=tuning_job)
    return best_first((summary for page in pages for summary in page["TrainingJobSummaries"]), objective_type, best)


def best_first(
    summaries: Iterable[HyperParameterTrainingJobSummaryTypeDef], objective_type: str, best: str | None
) -> list[Trial]:
    sign = -1 if objective_type == "Maximize" else 1

    def rank(trial: Trial) -> tuple[bool, float, bool, str]:
        objective = trial["objective"]
        return objective is None, sign * (objective or 0.0), trial["name"] != best, trial["name"]

    return sorted(map(_trial, summaries), key=rank)


def _trial(summary: HyperParameterTrainingJobSummaryTypeDef) -> Trial:
    value = summary.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value")
    start, end = summary.get("TrainingStartTime"), summary.get("TrainingEndTime")
    trial: Trial = {
        "name": summary["TrainingJobName"],
        "status": summary["TrainingJobStatus"],
        "objective": value if value is not None and math.isfinite(value) else None,
        "hyperparameters": dict(sorted(summary.get("TunedHyperParameters", {}).items())),
        "seconds": round((end - start).total_seconds()) if start and end else None,
    }
    if summary.get("FailureReason"):
        trial["reason"] = short_reason(summary["FailureReason"])
    return trial
