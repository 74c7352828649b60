"""What a tuning job is asked for, checked, and its document."""

from __future__ import annotations

import math

from sagemaker_emulator.aws import Place
from sagemaker_emulator.errors import ServiceError, invalid
from sagemaker_emulator.jobs import TERMINAL
from sagemaker_emulator.store import Document, Request, Store, copied
from sagemaker_emulator.training.requests import check as check_training
from sagemaker_emulator.tuning.definition import completed_definition
from sagemaker_emulator.tuning.progress import KIND
from sagemaker_emulator.tuning.ranges import CategoricalRange, Range, combinations, parse_ranges

MOST_JOBS = 750
MOST_PARALLEL = 10
_MOST_RESOURCES = 20_000
# The static hyperparameters from which SageMaker takes Hyperband's maximum when the request has none.
_EPOCHS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")


def new_tuning_job(place: Place, store: Store, request: Request, created: float) -> Document:
    """The document of a tuning job; raises ValidationException, or ResourceLimitExceeded.

    Besides what Describe shows it holds ``_max_jobs``, ``_trials`` (names), ``_parents`` (names) and, for Hyperband,
    ``_hyperband`` (least and most resources of a trial).
    """
    config, definition = request["HyperParameterTuningJobConfig"], _definition(request)
    objective = config.get("HyperParameterTuningJobObjective")
    if not objective:
        raise invalid("HyperParameterTuningJobObjective must be provided in HyperParameterTuningJobConfig.")
    if not config.get("ParameterRanges"):
        raise invalid("ParameterRanges must be provided in HyperParameterTuningJobConfig.")
    ranges = parse_ranges(config["ParameterRanges"])
    check_training(definition)
    _check_overlap(ranges, definition)
    _check_criteria(config)
    name = request["HyperParameterTuningJobName"]
    job: Document = {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobArn": place.arn(KIND, name),
        "HyperParameterTuningJobConfig": {"TrainingJobEarlyStoppingType": "Off", **config},
        "TrainingJobDefinition": completed_definition(definition, objective["MetricName"]),
        "HyperParameterTuningJobStatus": "InProgress",
        "CreationTime": created,
        "LastModifiedTime": created,
        **copied(request, "WarmStartConfig"),
        "_max_jobs": _number_of_jobs(config, ranges),
        "_trials": [],
        "_parents": _parents(store, request),
    }
    if config["Strategy"] == "Hyperband":
        job["_hyperband"] = _resources(config, definition)
    elif config.get("StrategyConfig"):
        raise invalid("StrategyConfig should be provided only if Hyperband is the strategy.")
    return job


def _definition(request: Request) -> Request:
    if request.get("Autotune"):
        raise invalid("Autotune is not supported by the local SageMaker service: give ranges and limits.")
    if request.get("TrainingJobDefinitions"):
        raise invalid("TrainingJobDefinitions are not supported by the local SageMaker service: give one TrainingJobDefinition.")
    definition: Request | None = request.get("TrainingJobDefinition")
    if not definition:
        raise invalid("Either TrainingJobDefinition or TrainingJobDefinitions must be provided.")
    for member in ("TuningObjective", "HyperParameterRanges"):
        if definition.get(member):
            raise invalid(f"{member} in TrainingJobDefinition is not supported by the local SageMaker service: leave it out.")
    return _with_resources(definition)


def _with_resources(definition: Request) -> Request:
    """The definition with the ResourceConfig of its training jobs, of which HyperParameterTuningResourceConfig is the other form.

    Of several instance types the first is taken: here there is always capacity for it.
    """
    given = definition.get("HyperParameterTuningResourceConfig")
    if not given:
        return definition
    if definition.get("ResourceConfig"):
        raise invalid("Either ResourceConfig or HyperParameterTuningResourceConfig, but not both, must be provided.")
    first = (given.get("InstanceConfigs") or [given])[0]
    resources = {**copied(first, "InstanceType", "InstanceCount", "VolumeSizeInGB"), **copied(given, "VolumeKmsKeyId")}
    return {**definition, "ResourceConfig": resources}


def _check_overlap(ranges: list[Range], definition: Request) -> None:
    both = sorted({item.name for item in ranges} & set(definition.get("StaticHyperParameters") or {}))
    if both:
        raise invalid(
            f"Hyperparameters [{', '.join(both)}] are given both in StaticHyperParameters and in ParameterRanges: "
            "a hyperparameter is either static or tuned."
        )


def _check_criteria(config: Request) -> None:
    converged = config.get("TuningJobCompletionCriteria", {}).get("ConvergenceDetected", {})
    if converged.get("CompleteOnConvergence") == "Enabled":
        raise invalid("ConvergenceDetected is not supported by the local SageMaker service: use BestObjectiveNotImproving.")


def _number_of_jobs(config: Request, ranges: list[Range]) -> int:
    """How many trials there will be at most."""
    limits, possible = config["ResourceLimits"], combinations(ranges)
    most, parallel = limits.get("MaxNumberOfTrainingJobs"), limits["MaxParallelTrainingJobs"]
    if config["Strategy"] == "Grid":
        if not all(isinstance(item, CategoricalRange) for item in ranges):
            raise invalid("Grid search supports categorical hyperparameters only: CategoricalParameterRanges.")
        if most not in (None, int(possible)):
            raise invalid(
                f"MaxNumberOfTrainingJobs [{most}] must be equal to the number of hyperparameter combinations "
                f"[{int(possible)}] of a grid search, or be left out."
            )
        most = int(possible)
    elif most is None:
        raise invalid("MaxNumberOfTrainingJobs must be provided in ResourceLimits.")
    elif math.isfinite(possible) and possible < most:
        raise invalid(
            "You don't have enough combinations of hyperparameter ranges. The total number of hyperparameter combinations for "
            f"the provided ranges [{possible:.1f}] must be equal or greater than the value of MaxNumberOfJobs, [{most}]. "
            "Provide additional ranges."
        )
    if parallel > most:
        raise invalid(f"MaxParallelTrainingJobs [{parallel}] must not be greater than MaxNumberOfTrainingJobs [{most}].")
    _check_quota("training jobs per hyperparameter tuning job", MOST_JOBS, most)
    _check_quota("parallel training jobs per hyperparameter tuning job", MOST_PARALLEL, parallel)
    return int(most)


def _check_quota(quota: str, limit: int, wanted: int) -> None:
    if wanted > limit:
        raise ServiceError(
            "ResourceLimitExceeded",
            f"The account-level service limit 'Maximum number of {quota}' is {limit}, and the request is for {wanted}. "
            "Please use AWS Service Quotas to request an increase for this quota.",
        )


def _resources(config: Request, definition: Request) -> list[int]:
    """Least and most resources of a Hyperband trial."""
    if config.get("TrainingJobEarlyStoppingType", "Off") != "Off":
        raise invalid("TrainingJobEarlyStoppingType must be Off when the strategy is Hyperband, which stops jobs by itself.")
    given = config.get("StrategyConfig", {}).get("HyperbandStrategyConfig", {})
    static = definition.get("StaticHyperParameters") or {}
    epochs = next((static[name] for name in _EPOCHS if static.get(name, "").strip('"').isdigit()), None)
    most = given.get("MaxResource") or (int(epochs.strip('"')) if epochs else None)
    if most is None:
        raise invalid(
            "MaxResource must be provided in HyperbandStrategyConfig: it can not be inferred, because StaticHyperParameters "
            f"has none of [{', '.join(_EPOCHS)}]."
        )
    least = given.get("MinResource", 1)
    if most > _MOST_RESOURCES:
        raise invalid(f"MaxResource [{most}] must not be greater than {_MOST_RESOURCES}.")
    if least > most:
        raise invalid(f"MinResource [{least}] must not be greater than MaxResource [{most}].")
    return [least, most]


def _parents(store: Store, request: Request) -> list[str]:
    """The names of the tuning jobs that this one learns from."""
    warm = request.get("WarmStartConfig") or {}
    names = [parent.get("HyperParameterTuningJobName", "") for parent in warm.get("ParentHyperParameterTuningJobs", [])]
    objective = request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    for name in names:
        parent = store.get(KIND, name)
        if parent is None:
            raise invalid(f"The parent hyperparameter tuning job {name} could not be found.")
        if parent["HyperParameterTuningJobStatus"] not in TERMINAL:
            status = parent["HyperParameterTuningJobStatus"]
            raise invalid(f"The parent hyperparameter tuning job {name} is in status {status}: it must have ended.")
        theirs = parent["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
        if theirs != objective:
            raise invalid(
                f"The objective of the parent hyperparameter tuning job {name} is {theirs['Type']} {theirs['MetricName']}: "
                "it must be the same as that of the new tuning job."
            )
    return names
