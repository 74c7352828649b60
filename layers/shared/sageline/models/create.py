"""CreateModel: the training job's artifact as SageMaker models, once per run.

Models are made of the artifact's protected copy (:mod:`sageline.models.artifact`). A run has an isolated model, for its transform
jobs and for endpoints on instances, and one that is not where it deploys to a serverless endpoint, which takes no other.
"""

from __future__ import annotations

from collections.abc import Collection

from botocore.exceptions import ClientError

from sageline.aws.compare import check_same
from sageline.aws.errors import is_existing, is_missing_model_data
from sageline.aws.images import serving_image
from sageline.deployment.endpoints import capacity
from sageline.deployment.requests import OnDemand
from sageline.errors import ModelMissing
from sageline.models.artifact import Artifact, let_original_expire, protect
from sageline.models.model_archive import CODE_IN_CONTAINER
from sageline.models.model_request import model_request
from sageline.names import open_model_name
from sageline.runs.context import RunContext
from sageline.runs.payloads import CreatedModel
from sageline.spec.model import Spec
from sageline.training.roles import ModelRoles
from sageline.training.source import entry_point, framework_of, uses_network

_SCRIPT_LOADS_MODEL = ("scikit-learn", "pytorch")
"""Frameworks whose serving containers ask the script how to load the model. TensorFlow Serving loads a SavedModel by itself."""

_DEFAULT_MODULE = "inference.py"
"""What the containers ask if they are told nothing; a shell script is no module to ask."""


def make_models(
    run_id: str, artifact_uri: str, *, names: Collection[str], roles: ModelRoles, run: RunContext, expires: bool = False
) -> tuple[dict[str, str], Artifact]:
    """Make models of a run, or find them made; the ARN of each, and what they are made of.

    Args:
        artifact_uri: what the training job has left.
        names: of the isolated model, of that for serverless endpoints, or both (:func:`sageline.names.model_names`).
        expires: whether the copy that they are made of expires.

    Raises:
        ModelMissing: there is no such artifact, nor a copy of it.
        ResourceConflict: a model of such a name, or a copy, exists and is another one.
        ObjectMissing: the run's spec or script was deleted.
        InvalidSpec: the stack does not let the run's script use the network any more, or its archive cannot be used.
    """
    spec = run.files.read_spec(run_id)
    artifact = protect(artifact_uri, _source(run_id, spec, run), run.files.layout(run_id), run.files.s3, expires=expires)
    return {name: _create(name, run_id, spec, artifact, roles=roles, run=run) for name in names}, artifact


def _source(run_id: str, spec: Spec, run: RunContext) -> bytes | None:
    """What goes into the artifact: the script, where the serving container asks it."""
    if framework_of(spec.algorithm) not in _SCRIPT_LOADS_MODEL:
        return None
    return run.files.read(run.files.layout(run_id).source_key)


def _create(name: str, run_id: str, spec: Spec, artifact: Artifact, *, roles: ModelRoles, run: RunContext) -> str:
    sagemaker = run.clients.sagemaker
    serverless = name == open_model_name(run_id)
    request = model_request(
        name=name,
        run_id=run_id,
        stack_name=run.stack_name,
        role_arn=roles.serverless if serverless else roles.of(spec.algorithm),
        image_uri=serving_image(spec.algorithm.name, framework_of(spec.algorithm), run.region),
        model_artifact_uri=artifact["uri"],
        isolated=not serverless and not uses_network(spec.algorithm),
        environment=_environment(spec, run.region),
    )
    try:
        return sagemaker.create_model(**request)["ModelArn"]
    except ClientError as error:
        if is_missing_model_data(error):
            raise ModelMissing(f"The model's copy {artifact['uri']} was deleted at this moment; start another run.") from None
        if not is_existing(error):
            raise
        found = sagemaker.describe_model(ModelName=name)
        check_same(request, found, what=f"A model {name}", advice="Delete it, or start another run.")
        return found["ModelArn"]


def create_model(run_id: str, model_artifact_uri: str, *, roles: ModelRoles, run: RunContext) -> CreatedModel:
    """Make the run's models, or find them made.

    Raises:
        ModelMissing: the training job has left no model.
        ResourceConflict: a model of such a name, or a copy of an artifact, exists and is another one.
    """
    run.store.enter(run_id, "CreateModel")
    deployment = run.files.read_spec(run_id).deployment
    serverless = deployment is not None and isinstance(capacity(deployment), OnDemand)
    names = [run_id, open_model_name(run_id)] if serverless else [run_id]
    expires = "candidate_of" in run.store.get(run_id).details
    made, artifact = make_models(run_id, model_artifact_uri, names=names, roles=roles, run=run, expires=expires)
    let_original_expire(artifact, run.files.s3)
    run.store.enter(run_id, "CreateModel", model={"name": run_id, "arn": made[run_id], "artifact": artifact})
    return {"model_name": run_id, "model_arn": made[run_id]}


def _environment(spec: Spec, region: str) -> dict[str, str]:
    """Where the serving container finds the script, as the SageMaker Python SDK tells it."""
    if framework_of(spec.algorithm) not in _SCRIPT_LOADS_MODEL:
        return {}
    script = entry_point(spec)
    return {
        "SAGEMAKER_PROGRAM": script if script.endswith(".py") else _DEFAULT_MODULE,
        "SAGEMAKER_SUBMIT_DIRECTORY": CODE_IN_CONTAINER,
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
        "SAGEMAKER_REGION": region,
    }
