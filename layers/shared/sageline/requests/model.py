"""Arguments of CreateModel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sageline.requests.tags import tags

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import ContainerDefinitionTypeDef, CreateModelInputTypeDef


def model_request(
    *,
    run_id: str,
    stack_name: str,
    role_arn: str,
    image_uri: str,
    model_artifact_uri: str,
    environment: Mapping[str, str] | None = None,
) -> CreateModelInputTypeDef:
    """A model of one container, named by its run; ``model_artifact_uri`` is the training job's ``model.tar.gz``."""
    container: ContainerDefinitionTypeDef = {"Image": image_uri, "ModelDataUrl": model_artifact_uri}
    if environment:
        container["Environment"] = dict(environment)
    return {
        "ModelName": run_id,
        "PrimaryContainer": container,
        "ExecutionRoleArn": role_arn,
        "Tags": tags(stack_name, run_id),
    }
