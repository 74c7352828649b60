"""Arguments of CreateHyperParameterTuningJob."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from sageline.aws.tags import tags
from sageline.training.training_request import (
    TrainingWork,
    input_data_config,
    metric_definitions,
    output_data_config,
    resource_config,
    stopping_condition,
)

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import (
        CreateHyperParameterTuningJobRequestTypeDef,
        HyperParameterAlgorithmSpecificationTypeDef,
        HyperParameterTrainingJobDefinitionTypeDef,
        HyperParameterTuningJobConfigTypeDef,
        IntegerParameterRangeTypeDef,
        ParameterRangesTypeDef,
    )

TuningStrategy: TypeAlias = Literal["Bayesian", "Random", "Grid", "Hyperband"]
ScalingType: TypeAlias = Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"]


@dataclass(frozen=True, kw_only=True)
class NumberRange:
    """Where a number is searched. SageMaker takes the limits as text, as it takes all hyperparameters."""

    kind: Literal["integer", "continuous"]
    low: str
    high: str
    scaling: ScalingType


@dataclass(frozen=True, kw_only=True)
class Search:
    """How the hyperparameters of the trials are chosen, and what they are compared by.

    Args:
        numbers: hyperparameter to its range.
        choices: hyperparameter to its possible values, as the training job takes them.
        resources: fewest and most iterations of a trial, for Hyperband.
    """

    strategy: TuningStrategy
    metric: str
    goal: Literal["Minimize", "Maximize"]
    numbers: Mapping[str, NumberRange] = field(default_factory=dict)
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    max_jobs: int
    max_parallel_jobs: int
    early_stopping: bool = False
    seed: int | None = None
    resources: tuple[int, int] | None = None


def tuning_job_request(
    work: TrainingWork, search: Search, *, name: str, run_id: str, stack_name: str, static: Mapping[str, str]
) -> CreateHyperParameterTuningJobRequestTypeDef:
    """A tuning job of one kind of training job. Its tags go to its training jobs too.

    Args:
        name: at most 32 characters.
        static: the hyperparameters that are not searched.
    """
    specification: HyperParameterAlgorithmSpecificationTypeDef = {"TrainingImage": work.image_uri, "TrainingInputMode": "File"}
    if work.metrics:
        specification["MetricDefinitions"] = metric_definitions(work)
    definition: HyperParameterTrainingJobDefinitionTypeDef = {
        "StaticHyperParameters": dict(static),
        "AlgorithmSpecification": specification,
        "RoleArn": work.role_arn,
        "InputDataConfig": input_data_config(work),
        "OutputDataConfig": output_data_config(work),
        "ResourceConfig": resource_config(work),
        "StoppingCondition": stopping_condition(work),
        "EnableManagedSpotTraining": work.spot,
        "EnableNetworkIsolation": work.isolated,
    }
    if work.environment:
        definition["Environment"] = dict(work.environment)
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": _config(search),
        "TrainingJobDefinition": definition,
        "Tags": tags(stack_name, run_id),
    }


def _config(search: Search) -> HyperParameterTuningJobConfigTypeDef:
    config: HyperParameterTuningJobConfigTypeDef = {
        "Strategy": search.strategy,
        "HyperParameterTuningJobObjective": {"Type": search.goal, "MetricName": search.metric},
        "ResourceLimits": {
            "MaxNumberOfTrainingJobs": search.max_jobs,
            "MaxParallelTrainingJobs": min(search.max_parallel_jobs, search.max_jobs),
        },
        "ParameterRanges": _ranges(search),
        "TrainingJobEarlyStoppingType": "Auto" if search.early_stopping else "Off",
    }
    if search.resources is not None:
        least, most = search.resources
        config["StrategyConfig"] = {"HyperbandStrategyConfig": {"MinResource": least, "MaxResource": most}}
    if search.seed is not None:
        config["RandomSeed"] = search.seed
    return config


def _ranges(search: Search) -> ParameterRangesTypeDef:
    ranges: ParameterRangesTypeDef = {}
    if integers := _of_kind("integer", search):
        ranges["IntegerParameterRanges"] = integers
    if continuous := _of_kind("continuous", search):
        ranges["ContinuousParameterRanges"] = continuous
    if search.choices:
        ranges["CategoricalParameterRanges"] = [
            {"Name": name, "Values": list(values)} for name, values in sorted(search.choices.items())
        ]
    return ranges


def _of_kind(kind: str, search: Search) -> list[IntegerParameterRangeTypeDef]:
    # Ranges of both kinds have the same fields.
    return [
        {"Name": name, "MinValue": numbers.low, "MaxValue": numbers.high, "ScalingType": numbers.scaling}
        for name, numbers in sorted(search.numbers.items())
        if numbers.kind == kind
    ]
