"""The condition keys of SageMaker's own that a request brings into a policy [source: the service authorization reference].

Not among them: file systems, which the local service has not, and those of operations that it does not have.
"""

from __future__ import annotations

from sagemaker_emulator.store import Request

Keys = dict[str, object]


def of_request(operation: str, request: Request) -> Keys:
    """Keys in lower case with a text, or a list of texts; one that the request leaves out is not there, but for booleans."""
    if operation == "CreateTrainingJob":
        return _of_training(request)
    if operation == "CreateHyperParameterTuningJob":
        return _of_training(request.get("TrainingJobDefinition") or {})
    if operation == "CreateModel":
        return {"sagemaker:networkisolation": _bool(request, "EnableNetworkIsolation"), **_of_vpc(request)}
    if operation == "CreateTransformJob":
        resources = request["TransformResources"]
        return {
            "sagemaker:instancetypes": [resources["InstanceType"]],
            **_given("sagemaker:volumekmskey", resources.get("VolumeKmsKeyId")),
            **_given("sagemaker:outputkmskey", request["TransformOutput"].get("KmsKeyId")),
        }
    if operation == "CreateEndpointConfig":
        variants = request["ProductionVariants"]
        return {
            **_given("sagemaker:instancetypes", [item["InstanceType"] for item in variants if item.get("InstanceType")]),
            **_given("sagemaker:volumekmskey", request.get("KmsKeyId")),
        }
    if operation in ("CreateModelPackage", "UpdateModelPackage"):
        properties = request.get("CustomerMetadataProperties") or {}
        return {
            **_given("sagemaker:modelapprovalstatus", request.get("ModelApprovalStatus")),
            **{f"sagemaker:customermetadataproperties/{key.lower()}": value for key, value in properties.items()},
        }
    return {}


def _of_training(request: Request) -> Keys:
    """A training job, or the definition of a tuning job's."""
    resources = request.get("ResourceConfig") or request.get("HyperParameterTuningResourceConfig") or {}
    types = [resources.get("InstanceType"), *(item.get("InstanceType") for item in resources.get("InstanceConfigs", []))]
    runtime = request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds")
    return {
        "sagemaker:networkisolation": _bool(request, "EnableNetworkIsolation"),
        "sagemaker:intercontainertrafficencryption": _bool(request, "EnableInterContainerTrafficEncryption"),
        **_given("sagemaker:instancetypes", [item for item in types if item]),
        **_given("sagemaker:maxruntimeinseconds", str(runtime) if runtime else None),
        **_given("sagemaker:volumekmskey", resources.get("VolumeKmsKeyId")),
        **_given("sagemaker:outputkmskey", request.get("OutputDataConfig", {}).get("KmsKeyId")),
        **_of_vpc(request),
    }


def _of_vpc(request: Request) -> Keys:
    vpc = request.get("VpcConfig") or {}
    return {
        **_given("sagemaker:vpcsubnets", vpc.get("Subnets")),
        **_given("sagemaker:vpcsecuritygroupids", vpc.get("SecurityGroupIds")),
    }


def _bool(request: Request, member: str) -> str:
    return "true" if request.get(member) else "false"


def _given(key: str, value: object) -> Keys:
    return {key: value} if value else {}
