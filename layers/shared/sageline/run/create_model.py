"""CreateModel: the training job's artifact as a SageMaker model, once per run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sageline.errors import ModelMissing
from sageline.images import serving_image
from sageline.requests.model import model_request
from sageline.run.aws_errors import is_existing, is_missing_model_data
from sageline.run.comparing import check_same
from sageline.run.context import RunContext
from sageline.run.payloads import CreatedModel
from sageline.run.source import entry_point, framework_of
from sageline.spec.model import Spec

_SCRIPT_LOADS_MODEL = ("scikit-learn", "pytorch")
"""Frameworks whose serving containers ask the script how to load the model. TensorFlow Serving loads a SavedModel by itself."""

_DEFAULT_MODULE = "inference.py"
"""What the containers ask if they are told nothing; a shell script is no module to ask."""

_CODE_IN_MODEL = "/opt/ml/model/code"
"""Where PyTorch's container looks for the script, and nowhere else."""

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


def create_model(
    run_id: str, model_artifact_uri: str, *, role_arn: str, region: str, run: RunContext, sagemaker: SageMakerClient
) -> CreatedModel:
    """Make the run's model, or find it made.

    Raises:
        ModelMissing: the training job has left no model.
        ResourceConflict: a model of that name exists and is another one.
    """
    run.store.enter(run_id, "CreateModel")
    arn = ensure_model(run_id, model_artifact_uri, role_arn=role_arn, region=region, run=run, sagemaker=sagemaker)
    run.store.enter(run_id, "CreateModel", model={"name": run_id, "arn": arn})
    return {"model_name": run_id, "model_arn": arn}


def ensure_model(
    run_id: str, model_artifact_uri: str, *, role_arn: str, region: str, run: RunContext, sagemaker: SageMakerClient
) -> str:
    """Make the model of a run, or find it made; its ARN.

    Raises:
        ModelMissing: there is no such artifact.
        ResourceConflict: a model of that name exists and is another one.
    """
    spec = run.files.read_spec(run_id)
    layout = run.files.layout(run_id)
    request = model_request(
        run_id=run_id,
        stack_name=run.stack_name,
        role_arn=role_arn,
        image_uri=serving_image(spec.algorithm.name, framework_of(spec.algorithm), region),
        model_artifact_uri=model_artifact_uri,
        environment=_environment(spec, layout.uri(layout.source_key), region),
    )
    try:
        return sagemaker.create_model(**request)["ModelArn"]
    except ClientError as error:
        if is_missing_model_data(error):
            raise ModelMissing(f"The training job is done, and its model is not there: no {model_artifact_uri}.") from None
        if not is_existing(error):
            raise
        found = sagemaker.describe_model(ModelName=run_id)
        check_same(request, found, what=f"A model {run_id}", advice="Delete it, or start another run.")
        return found["ModelArn"]


def _environment(spec: Spec, source_uri: str, region: str) -> dict[str, str]:
    """Where the serving container finds the script, as the SageMaker Python SDK tells it."""
    framework = framework_of(spec.algorithm)
    if framework not in _SCRIPT_LOADS_MODEL:
        return {}
    script = entry_point(spec)
    return {
        "SAGEMAKER_PROGRAM": script if script.endswith(".py") else _DEFAULT_MODULE,
        "SAGEMAKER_SUBMIT_DIRECTORY": _CODE_IN_MODEL if framework == "pytorch" else source_uri,
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
        "SAGEMAKER_REGION": region,
    }
