"""RestoreModels: make those models again that an endpoint is to serve and that are gone by now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sageline.errors import ModelMissing, ResourceConflict, RunNotFound
from sageline.run.aws_errors import is_not_found
from sageline.run.change import change_of
from sageline.run.context import RunContext
from sageline.run.create_model import ensure_model
from sageline.run.payloads import RestoredModels

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


def restore_models(run_id: str, *, role_arn: str, region: str, run: RunContext, sagemaker: SageMakerClient) -> RestoredModels:
    """Make those models of a change that are gone: each from its own run's artifact and spec, under its own name.

    Raises:
        ResourceConflict: the run is no change.
        ModelMissing: what a model is made of is gone.
    """
    run.store.enter(run_id, "RestoreModels")
    change = change_of(run.store.get(run_id))
    if change is None:
        raise ResourceConflict(f"Run {run_id} does not change what an endpoint serves, so there is nothing to restore.")
    restored = []
    for variant in change.goal.variants:
        try:
            sagemaker.describe_model(ModelName=variant.model_name)
        except ClientError as error:
            if not is_not_found(error):
                raise
            artifact = _artifact(variant.model_version, run)
            ensure_model(variant.model_version, artifact, role_arn=role_arn, region=region, run=run, sagemaker=sagemaker)
            restored.append(variant.model_name)
    return {"restored": restored}


def _artifact(model_version: str, run: RunContext) -> str:
    try:
        artifact = run.store.get(model_version).details.get("training", {}).get("model_artifact_uri")
    except RunNotFound:
        artifact = None
    if artifact is None:
        raise ModelMissing(f"What model {model_version} is made of is not known any more: the record of its run is gone.")
    return str(artifact)
