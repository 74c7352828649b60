"""Arguments of CreateModel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sageline.aws.tags import tags

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import ContainerDefinitionTypeDef, CreateModelInputTypeDef


def model_request(
    *,
    name: str,
    run_id: str,
    stack_name: str,
    role_arn: str,
    image_uri: str,
    model_artifact_uri: str,
    isolated: bool,
    environment: Mapping[str, str] | None = None,
) -> CreateModelInputTypeDef:
    """A model of one container.

    Args:
        run_id: the run that it is of.
        role_arn: whose permissions SageMaker fetches the artifact with; a container that is not isolated has them too.
        model_artifact_uri: a ``model.tar.gz``.
        isolated: no calls out of the container, and no credentials in it. A serverless endpoint takes no such model.
    """
    container: ContainerDefinitionTypeDef = {"Image": image_uri, "ModelDataUrl": model_artifact_uri}
    if environment:
        container["Environment"] = dict(environment)
    return {
        "ModelName": name,
        "PrimaryContainer": container,
        "ExecutionRoleArn": role_arn,
        "EnableNetworkIsolation": isolated,
        "Tags": tags(stack_name, run_id),
    }
