"""What makes an endpoint asynchronous: its config's AsyncInferenceConfig, and what may not go together with it."""

from __future__ import annotations

from sagemaker_emulator.errors import ServiceError, invalid
from sagemaker_emulator.s3_uris import check_uri
from sagemaker_emulator.store import Document, Request

CONFIG = "AsyncInferenceConfig"


def is_asynchronous(document: Document) -> bool:
    """Of an endpoint as it serves, or of an endpoint config."""
    return document.get(CONFIG) is not None


def check_config(request: Request) -> None:
    """The rules of CreateEndpointConfig that the service model does not hold. SageMaker's own words are not published."""
    config = request.get(CONFIG)
    if config is None:
        return
    for variant in request["ProductionVariants"]:
        if variant.get("ServerlessConfig") is not None:
            raise invalid(
                f"Variant '{variant['VariantName']}': ServerlessConfig can not be given with {CONFIG}: "
                "an asynchronous endpoint runs on instances."
            )
    output = config["OutputConfig"]
    if not output.get("S3OutputPath"):
        raise invalid(f"{CONFIG}.OutputConfig needs an S3OutputPath: the local SageMaker service has no bucket of its own.")
    for member in ("S3OutputPath", "S3FailurePath"):
        if output.get(member):
            check_uri(member, output[member])


def check_update(endpoint: Document, config: Document) -> None:
    """An endpoint stays what it is [source: the message of AWS in aws/sagemaker-python-sdk#3124, for the first case]."""
    if not endpoint.get("ProductionVariants") or is_asynchronous(endpoint) == is_asynchronous(config):
        return
    change = "removed from" if is_asynchronous(endpoint) else "added to"
    raise invalid(
        f"The {CONFIG} parameter cannot be {change} this endpoint {endpoint['EndpointName']}. "
        "To change the endpoint's inference type, create a new endpoint."
    )


def check_inference_type(endpoint: Document, *, asynchronous: bool) -> None:
    """An asynchronous endpoint is invoked by InvokeEndpointAsync only, any other by InvokeEndpoint only."""
    if is_asynchronous(endpoint) != asynchronous:
        raise ServiceError("ValidationError", f"Endpoint {endpoint['EndpointName']} does not support this inference type.")
