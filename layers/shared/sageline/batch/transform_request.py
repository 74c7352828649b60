"""Arguments of CreateTransformJob."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sageline.aws.tags import tags
from sageline.runs.payloads import AssembleWith, SplitType

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import CreateTransformJobRequestTypeDef

_MAX_PAYLOAD_MB = 6


def transform_job_request(
    *,
    name: str,
    run_id: str,
    stack_name: str,
    model_name: str,
    input_uri: str,
    output_uri: str,
    content_type: str,
    accept: str,
    split_type: SplitType,
    assemble_with: AssembleWith,
    instance_type: str,
    instance_count: int,
) -> CreateTransformJobRequestTypeDef:
    """A transform job: every object below a prefix goes through the model, and its answers to ``<output_uri>/<object>.out``.

    Args:
        name: the job's name; a run that has one transform job names it by its id.
        run_id: the run that it works for.
        input_uri: S3 prefix of the objects.
        output_uri: S3 prefix of the answers.
        accept: what the container is asked to answer in.
        split_type: how an object is cut into records; whole records are then packed into requests of up to 6 MB. ``None``
            sends an object as one request, so it must be no larger than that.
    """
    request: CreateTransformJobRequestTypeDef = {
        "TransformJobName": name,
        "ModelName": model_name,
        "MaxPayloadInMB": _MAX_PAYLOAD_MB,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": input_uri}},
            "ContentType": content_type,
            "CompressionType": "None",
            "SplitType": split_type,
        },
        "TransformOutput": {"S3OutputPath": output_uri, "Accept": accept, "AssembleWith": assemble_with},
        "TransformResources": {
            "InstanceType": instance_type,  # type: ignore[typeddict-item]  # new types come faster than stubs list them
            "InstanceCount": instance_count,
        },
        "Tags": tags(stack_name, run_id),
    }
    if split_type != "None":
        # The API's reference: "To enable the batch strategy, you must set the SplitType property".
        request["BatchStrategy"] = "MultiRecord"
    return request
