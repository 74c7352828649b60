"""Condition keys of SageMaker's own, in the policies of those who ask."""

from __future__ import annotations

from typing import Any

import pytest

from emulator_tests.support import Api, Json
from emulator_tests.test_authorization import PASS_ROLE, allow, caller
from emulator_tests.test_tuning_jobs import request as tuning_job
from sagemaker_emulator.conditions import of_request

__all__ = ["caller"]  # a fixture

VPC = {"SecurityGroupIds": ["sg-12345678"], "Subnets": ["subnet-12345678", "subnet-87654321"]}
ISOLATED: dict[str, Any] = {"Bool": {"sagemaker:NetworkIsolation": "true"}}


def failing(api: Api, name: str, *, isolated: bool | None) -> Json:
    """A training job that fails at once."""
    flag = {} if isolated is None else {"EnableNetworkIsolation": isolated}
    return api.fast_job(name, "fail", **flag)


def test_a_training_job_can_be_made_to_be_isolated(api: Api, caller: Any) -> None:
    key = caller(allow("sagemaker:CreateTrainingJob", **ISOLATED), PASS_ROLE)

    for flag in (None, False):
        refused = api.refused("CreateTrainingJob", key=key, **failing(api, "open", isolated=flag))
        assert refused.code == "AccessDeniedException"
    api.ok("CreateTrainingJob", key=key, **failing(api, "isolated", isolated=True))


def test_a_denial_without_isolation_holds_for_a_request_that_leaves_it_out(api: Api, caller: Any) -> None:
    denied: dict[str, Any] = {"Bool": {"sagemaker:NetworkIsolation": "false"}}
    key = caller(
        allow("sagemaker:*"), PASS_ROLE, {"Effect": "Deny", "Action": "sagemaker:Create*", "Resource": "*", "Condition": denied}
    )

    refused = api.refused("CreateTrainingJob", key=key, **failing(api, "left-out", isolated=None))

    assert refused.message.endswith("with an explicit deny in an identity-based policy")
    api.ok("CreateTrainingJob", key=key, **failing(api, "put-in", isolated=True))


@pytest.mark.parametrize("isolated", [True, False])
def test_models_and_tuning_jobs_can_be_made_to_be_isolated_too(api: Api, caller: Any, isolated: bool) -> None:
    key = caller(allow("sagemaker:CreateModel", "sagemaker:CreateHyperParameterTuningJob", **ISOLATED))
    tuning = tuning_job(f"tuned-{isolated}")
    tuning["TrainingJobDefinition"]["EnableNetworkIsolation"] = isolated
    model = {**api.model(f"model-{isolated}", "s3://bucket-1/nothing.tar.gz"), "EnableNetworkIsolation": isolated}

    denials = [api.refused("CreateModel", key=key, **model), api.refused("CreateHyperParameterTuningJob", key=key, **tuning)]

    # With isolation the next thing is missing, which is the permission to pass the role.
    assert ["iam:PassRole" in refused.message for refused in denials] == [isolated, isolated]


def test_what_a_training_job_brings_along() -> None:
    request = Api.training_job("job", EnableInterContainerTrafficEncryption=True, VpcConfig=VPC)
    request["ResourceConfig"]["VolumeKmsKeyId"] = "key-1"
    request["OutputDataConfig"]["KmsKeyId"] = "key-2"

    assert of_request("CreateTrainingJob", request) == {
        "sagemaker:networkisolation": "false",
        "sagemaker:intercontainertrafficencryption": "true",
        "sagemaker:instancetypes": ["ml.m5.xlarge"],
        "sagemaker:maxruntimeinseconds": "600",
        "sagemaker:volumekmskey": "key-1",
        "sagemaker:outputkmskey": "key-2",
        "sagemaker:vpcsubnets": VPC["Subnets"],
        "sagemaker:vpcsecuritygroupids": VPC["SecurityGroupIds"],
    }


def test_a_tuning_job_brings_along_what_its_training_jobs_would() -> None:
    definition = tuning_job("tuning")["TrainingJobDefinition"]

    found = of_request("CreateHyperParameterTuningJob", {"TrainingJobDefinition": definition})

    assert found == of_request("CreateTrainingJob", definition)
    assert of_request("CreateHyperParameterTuningJob", {})["sagemaker:networkisolation"] == "false"


def test_only_given_instance_types(api: Api, caller: Any) -> None:
    few: dict[str, Any] = {"ForAllValues:StringEquals": {"sagemaker:InstanceTypes": ["ml.m5.large"]}}
    key = caller(allow("sagemaker:CreateTrainingJob", **few), PASS_ROLE)
    large = {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}}

    assert api.refused("CreateTrainingJob", key=key, **failing(api, "xlarge", isolated=None)).code == "AccessDeniedException"
    api.ok("CreateTrainingJob", key=key, **{**failing(api, "large", isolated=None), **large})


def test_transform_jobs_and_endpoint_configs_bring_instance_types() -> None:
    transform = {"TransformResources": {"InstanceType": "ml.m5.large"}, "TransformOutput": {"KmsKeyId": "key"}}
    variants = [Api.variant("a", "m"), {"VariantName": "b", "ServerlessConfig": {}}]

    assert of_request("CreateTransformJob", transform) == {
        "sagemaker:instancetypes": ["ml.m5.large"],
        "sagemaker:outputkmskey": "key",
    }
    assert of_request("CreateEndpointConfig", {"ProductionVariants": variants}) == {"sagemaker:instancetypes": ["ml.m5.large"]}
    assert of_request("ListModels", {}) == {}
