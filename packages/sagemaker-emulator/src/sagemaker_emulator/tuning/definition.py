"""The training jobs that a tuning job launches: their common definition, and each trial's document."""

from __future__ import annotations

from collections.abc import Mapping

from sagemaker_emulator.aws import Place
from sagemaker_emulator.engines import UnknownImage, engine_for
from sagemaker_emulator.errors import invalid
from sagemaker_emulator.store import Document, Request, copied
from sagemaker_emulator.training.requests import DEFAULT_MAX_RUNTIME_SECONDS, algorithm_specification, new_job
from sagemaker_emulator.training.source import is_scripted

# The name under which SageMaker measures the objective of a trial, whatever its own name is.
OBJECTIVE = "ObjectiveMetric"
_INJECTED = "_tuning_objective_metric"


def completed_definition(definition: Request, metric: str) -> Document:
    """A request's TrainingJobDefinition as Describe shows it; raises ValidationException for a metric that is not measured.

    SageMaker injects the hyperparameter ``_tuning_objective_metric`` and a metric definition named ``ObjectiveMetric``.
    """
    static = dict(definition.get("StaticHyperParameters") or {})
    as_job = {**definition, "HyperParameters": static}
    algorithm = algorithm_specification(as_job)
    given = {item["Name"]: item["Regex"] for item in definition["AlgorithmSpecification"].get("MetricDefinitions") or []}
    regex = given.get(metric) or _regex_of_the_image(as_job, metric)
    measured = [item for item in algorithm.get("MetricDefinitions", []) if item["Name"] != OBJECTIVE]
    algorithm["MetricDefinitions"] = [*measured, {"Name": OBJECTIVE, "Regex": regex}]
    return {
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": False,
        **definition,
        "StaticHyperParameters": {**static, _INJECTED: metric},
        "AlgorithmSpecification": algorithm,
        "StoppingCondition": {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME_SECONDS, **definition.get("StoppingCondition", {})},
    }


def new_trial(place: Place, tuning_job: Document, name: str, tuned: Mapping[str, str], created: float) -> Document:
    """The document of a trial, a training job like any other."""
    definition = tuning_job["TrainingJobDefinition"]
    request = {
        **copied(
            definition,
            *("RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig", "VpcConfig", "StoppingCondition"),
            *("EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining"),
            *("Environment", "RetryStrategy", "AlgorithmSpecification"),
        ),
        "TrainingJobName": name,
        "HyperParameters": {**definition["StaticHyperParameters"], **tuned},
    }
    trial = new_job(place, request, created)
    return {**trial, "TuningJobArn": tuning_job["HyperParameterTuningJobArn"], "_tuned": dict(tuned)}


def _regex_of_the_image(as_job: Request, metric: str) -> str:
    """The expression of a metric that the algorithm of an image reports; raises ValidationException."""
    image = as_job["AlgorithmSpecification"]["TrainingImage"]
    scripted = is_scripted(as_job["HyperParameters"], as_job.get("Environment", {}))
    try:
        own = dict(engine_for(image, scripted=scripted).metrics)
    except UnknownImage as error:
        raise invalid(str(error)) from error
    if metric in own:
        return own[metric]
    if own:
        raise invalid(
            f"The objective metric for the hyperparameter tuning job, [{metric}], isn't valid for the [{image}] algorithm. "
            "Choose a valid objective metric."
        )
    raise invalid(
        "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric definitions. "
        f"(No definition is named [{metric}].)"
    )
