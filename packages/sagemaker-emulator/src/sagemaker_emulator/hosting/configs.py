"""CreateEndpointConfig and the calls about endpoint configs."""

from __future__ import annotations

from sagemaker_emulator.call import Call
from sagemaker_emulator.clock import now
from sagemaker_emulator.errors import invalid
from sagemaker_emulator.hosting import asynchronous, models
from sagemaker_emulator.hosting.containers import is_isolated
from sagemaker_emulator.listing import Listing
from sagemaker_emulator.store import Document, Request, copied

KIND = "endpoint-config"
_LISTING = Listing("ListEndpointConfigs", "EndpointConfigName")
MEMORY_SIZES = (1024, 2048, 3072, 4096, 5120, 6144)


def create_endpoint_config(call: Call) -> Document:
    request = call.request
    name = request["EndpointConfigName"]
    arn = call.place.arn(KIND, name)
    call.require_create(arn)
    for unsupported in ("ShadowProductionVariants", "ExplainerConfig"):
        if request.get(unsupported):
            raise invalid(f"{unsupported} is not supported by the local SageMaker service.")
    variants = request["ProductionVariants"]
    names = [variant["VariantName"] for variant in variants]
    if len(names) != len(set(names)):
        raise invalid("Variant names in an endpoint configuration must be unique.")
    for variant in variants:
        _check_variant(call, variant)
    asynchronous.check_config(request)
    if request.get("EnableNetworkIsolation"):
        raise invalid("EnableNetworkIsolation is for inference components: isolate the model of a variant by CreateModel's.")
    if len(variants) > 1 and any(is_serverless(variant) for variant in variants):
        raise invalid("An endpoint configuration with a serverless variant can have one production variant only.")
    config = {
        "EndpointConfigName": name,
        "EndpointConfigArn": arn,
        "CreationTime": now(),
        "ProductionVariants": [_with_defaults(variant) for variant in variants],
        "EnableNetworkIsolation": False,
        **copied(request, "AsyncInferenceConfig", "DataCaptureConfig", "KmsKeyId", "ExecutionRoleArn", "VpcConfig"),
    }
    if not call.store.insert(KIND, name, config):
        raise invalid(f'Cannot create already existing endpoint configuration "{arn}".')
    call.store.add_tags(arn, call.request_tags())
    return {"EndpointConfigArn": arn}


def describe_endpoint_config(call: Call) -> Document:
    name = call.request["EndpointConfigName"]
    call.require(call.place.arn(KIND, name))
    return existing(call, name)


def list_endpoint_configs(call: Call) -> Document:
    call.require("*", exists=False)
    configs, more = _LISTING.page(call.store.documents(KIND), call.request)
    summaries = [copied(config, "EndpointConfigName", "EndpointConfigArn", "CreationTime") for config in configs]
    return {"EndpointConfigs": summaries, **more}


def delete_endpoint_config(call: Call) -> Document:
    name = call.request["EndpointConfigName"]
    arn = call.place.arn(KIND, name)
    call.require(arn)
    existing(call, name)
    for endpoint in call.store.documents("endpoint"):
        if name in (endpoint["EndpointConfigName"], endpoint.get("_next_config")) and endpoint["EndpointStatus"] in (
            "Creating",
            "Updating",
        ):
            raise invalid(
                f'Cannot delete endpoint configuration "{arn}": the endpoint "{endpoint["EndpointArn"]}" is being created or '
                "updated with it."
            )
    call.store.delete(KIND, name, arn)
    return {}


def existing(call: Call, name: str) -> Document:
    config = call.store.get(KIND, name)
    if config is None or config["EndpointConfigName"] != name:
        raise invalid(f'Could not find endpoint configuration "{call.place.arn(KIND, name)}".')
    return config


def is_serverless(variant: Request) -> bool:
    return variant.get("ServerlessConfig") is not None


def _with_defaults(variant: Request) -> Document:
    return {"InitialVariantWeight": 1.0, **variant}


def _check_serverless_model(variant_name: str, model: Document) -> None:
    """Serverless Inference has neither network isolation nor a VPC [source: the guide's feature exclusions].

    SageMaker's own words are not published.
    """
    for member, given in (("EnableNetworkIsolation", is_isolated(model)), ("VpcConfig", bool(model.get("VpcConfig")))):
        if given:
            raise invalid(
                f"Variant '{variant_name}': Serverless Inference does not support {member}, which the model "
                f"'{model['ModelName']}' is made with. Use a model without it, or an instance type."
            )


def _check_variant(call: Call, variant: Request) -> None:
    name = variant["VariantName"]
    if not variant.get("ModelName"):
        raise invalid(f"Variant '{name}': a ModelName is required (inference components are not supported here).")
    model = models.existing(call, variant["ModelName"])
    serverless = variant.get("ServerlessConfig")
    if serverless is None:
        if not variant.get("InstanceType") or not variant.get("InitialInstanceCount"):
            raise invalid(f"Variant '{name}': InstanceType and InitialInstanceCount, or ServerlessConfig, must be given.")
        return
    if variant.get("InstanceType") or variant.get("InitialInstanceCount"):
        raise invalid(f"Variant '{name}': InstanceType and InitialInstanceCount can not be given with ServerlessConfig.")
    _check_serverless_model(name, model)
    if serverless["MemorySizeInMB"] not in MEMORY_SIZES:
        sizes = ", ".join(str(size) for size in MEMORY_SIZES)
        raise invalid(f"Variant '{name}': MemorySizeInMB must be one of [{sizes}], not {serverless['MemorySizeInMB']}.")
    if serverless.get("ProvisionedConcurrency", 0) > serverless["MaxConcurrency"]:
        raise invalid(f"Variant '{name}': ProvisionedConcurrency can not be greater than MaxConcurrency.")
