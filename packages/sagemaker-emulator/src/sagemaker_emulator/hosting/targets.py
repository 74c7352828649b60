"""Headers of InvokeEndpoint that choose among the models of an endpoint, where an endpoint has one model for each variant."""

from __future__ import annotations

from collections.abc import Mapping

from sagemaker_emulator.errors import ServiceError

_MODEL = "x-amzn-sagemaker-target-model"
_COMPONENT = "x-amzn-sagemaker-inference-component"
_CONTAINER = "x-amzn-sagemaker-target-container-hostname"


def refuse_targets(endpoint_name: str, headers: Mapping[str, str]) -> None:
    """Raise ValidationError, in SageMaker's words, where they are known, for what this endpoint has not."""
    if _MODEL in headers:
        raise ServiceError(
            "ValidationError",
            f"Endpoint {endpoint_name} is not a multi-model endpoint and does not support target model header.",
            fields={"ErrorCode": "TARGET_MODEL_HEADER_NOT_SUPPORTED"},
        )
    if _COMPONENT in headers:
        raise ServiceError(
            "ValidationError",
            "Inference Component Name header is not allowed for endpoints to which you dont plan to deploy inference components. "
            "Please remove the Inference Component Name header and try again.",
        )
    if _CONTAINER in headers:
        # SageMaker's own words are not published.
        raise ServiceError(
            "ValidationError",
            f"Endpoint {endpoint_name} is not a multi-container endpoint with direct invocation and does not support target "
            "container hostname header.",
        )
