"""What is not there, what is there already, and names of places in S3: the codes and words of refusals."""

from __future__ import annotations

from typing import Any

import pytest

from emulator_tests.support import BUCKET, IMAGE, Api, Json
from sagemaker_emulator.errors import ServiceError
from sagemaker_emulator.s3_uris import check_uri

ARN = "arn:aws:sagemaker:us-east-1:000000000000"
TUNING = ("ResourceNotFound", "Amazon SageMaker can't find a tuning job called none. Type another name.")
TRAINING = ("ValidationException", "Requested resource not found.")
TRANSFORM = ("ValidationException", "Could not find requested job with name: none")
MODEL = ("ValidationException", f'Could not find model "{ARN}:model/none".')
CONFIG = ("ValidationException", f'Could not find endpoint configuration "{ARN}:endpoint-config/none".')
ENDPOINT = ("ValidationException", f'Could not find endpoint "{ARN}:endpoint/none".')
VARIANT = {"VariantName": "v", "ModelName": "none", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
WEIGHT = {"VariantName": "v", "DesiredWeight": 1}
TRANSFORM_JOB: Json = {
    "TransformJobName": "t",
    "ModelName": "none",
    "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/data/"}}},
    "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/out/"},
    "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
}


@pytest.mark.parametrize(
    ("operation", "request_", "expected"),
    [
        ("DescribeHyperParameterTuningJob", {"HyperParameterTuningJobName": "none"}, TUNING),
        ("StopHyperParameterTuningJob", {"HyperParameterTuningJobName": "none"}, TUNING),
        ("ListTrainingJobsForHyperParameterTuningJob", {"HyperParameterTuningJobName": "none"}, TUNING),
        ("DescribeTrainingJob", {"TrainingJobName": "none"}, TRAINING),
        ("StopTrainingJob", {"TrainingJobName": "none"}, TRAINING),
        ("DeleteTrainingJob", {"TrainingJobName": "none"}, TRAINING),
        ("DescribeTransformJob", {"TransformJobName": "none"}, TRANSFORM),
        ("StopTransformJob", {"TransformJobName": "none"}, TRANSFORM),
        ("CreateTransformJob", TRANSFORM_JOB, MODEL),
        ("DescribeModel", {"ModelName": "none"}, MODEL),
        ("DeleteModel", {"ModelName": "none"}, MODEL),
        ("CreateEndpointConfig", {"EndpointConfigName": "c", "ProductionVariants": [VARIANT]}, MODEL),
        ("DescribeEndpointConfig", {"EndpointConfigName": "none"}, CONFIG),
        ("DeleteEndpointConfig", {"EndpointConfigName": "none"}, CONFIG),
        ("CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": "none"}, CONFIG),
        ("DescribeEndpoint", {"EndpointName": "none"}, ENDPOINT),
        ("DeleteEndpoint", {"EndpointName": "none"}, ENDPOINT),
        ("UpdateEndpoint", {"EndpointName": "none", "EndpointConfigName": "none"}, ENDPOINT),
        ("UpdateEndpointWeightsAndCapacities", {"EndpointName": "none", "DesiredWeightsAndCapacities": [WEIGHT]}, ENDPOINT),
    ],
)
def test_what_is_not_there(api: Api, operation: str, request_: dict[str, Any], expected: tuple[str, str]) -> None:
    refused = api.refused(operation, **request_)

    assert (refused.status, refused.code, refused.message) == (400, *expected)


def test_deleting_a_tuning_job_that_is_not_there_is_no_error(api: Api) -> None:
    """The API reference has no error of it."""
    assert api.ok("DeleteHyperParameterTuningJob", HyperParameterTuningJobName="none") == {}


def test_names_differ_in_more_than_case(api: Api, model: str) -> None:
    """A name is taken in any case, and found only as it was given."""
    api.ok("CreateTrainingJob", **api.fast_job("Case"))
    api.ok("CreateTransformJob", **{**TRANSFORM_JOB, "TransformJobName": "Case", "ModelName": model})
    api.endpoint_config("Case", api.variant("v", model))

    assert api.refused("CreateTrainingJob", **api.fast_job("cASE")).code == "ResourceInUse"
    transform = {**TRANSFORM_JOB, "TransformJobName": "cASE", "ModelName": model}
    assert api.refused("CreateTransformJob", **transform).code == "ResourceInUse"
    taken = api.refused("CreateEndpointConfig", EndpointConfigName="cASE", ProductionVariants=[api.variant("v", model)])
    assert taken.message == f'Cannot create already existing endpoint configuration "{ARN}:endpoint-config/case".'
    assert api.refused("DescribeTrainingJob", TrainingJobName="cASE").message == TRAINING[1]


MALFORMED = [
    ("s3://s3://bucket-1/data", "s3:// stands there twice"),
    ("s3://a!b/data", "'a!b' is no name of a bucket"),
    ("s3://ab", "'ab' is no name of a bucket"),
    ("s3://-bucket/data", "'-bucket' is no name of a bucket"),
    ("https://bucket-1/data", "it must look like s3://bucket/prefix"),
]


@pytest.mark.parametrize(("uri", "why"), MALFORMED)
def test_malformed_places_in_s3_are_told(api: Api, uri: str, why: str) -> None:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}
    asked: list[tuple[str, Json]] = [
        ("CreateTrainingJob", api.fast_job("u", InputDataConfig=[{"ChannelName": "train", "DataSource": source}])),
        ("CreateTrainingJob", api.fast_job("u", OutputDataConfig={"S3OutputPath": uri})),
        ("CreateTrainingJob", api.training_job("u", CheckpointConfig={"S3Uri": uri})),
        ("CreateTransformJob", {**TRANSFORM_JOB, "TransformInput": {"DataSource": source}}),
        ("CreateTransformJob", {**TRANSFORM_JOB, "TransformOutput": {"S3OutputPath": uri}}),
        ("CreateModel", api.model("u", uri, IMAGE)),
    ]

    for operation, request in asked:
        refused = api.refused(operation, **request)
        assert refused.code == "ValidationException"
        assert refused.message.startswith(f"The S3 URI '{uri}' of ")
        assert why in refused.message


@pytest.mark.parametrize(
    "uri", ["s3://bucket-1", "s3://bucket-1/", "s3://my.bucket/a//b", "s3://Old_Bucket/k e y", "s3://b-1/s3://x"]
)
def test_other_places_in_s3_are_taken(uri: str) -> None:
    check_uri("S3Uri", uri)

    with pytest.raises(ServiceError):
        check_uri("S3Uri", uri.removeprefix("s3://"))


def test_a_place_without_a_bucket_is_malformed() -> None:
    with pytest.raises(ServiceError, match="is no name of a bucket"):
        check_uri("S3Uri", "s3:///key")
