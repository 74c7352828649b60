"""One call of SageMaker's runtime, with its errors by our names."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore import exceptions

from sageline.aws.errors import is_not_found
from sageline.errors import (
    EndpointFailed,
    EndpointNotFound,
    EndpointNotReady,
    EndpointWarming,
    PredictionFailed,
    TooManyRequests,
)
from sageline.formats.exchange import Exchange
from sageline.runs.routing import RoutedVariant

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from mypy_boto3_sagemaker_runtime.type_defs import InvokeEndpointInputTypeDef, InvokeEndpointOutputTypeDef

_log = logging.getLogger(__name__)

MAX_BODY_BYTES = 6_291_456
MAX_SERVERLESS_BODY_BYTES = 4 * 1024 * 1024

# IAM looks at the tags of an endpoint before SageMaker looks for the endpoint: one that is gone has none, and is denied.
_DENIED = "AccessDeniedException"
_GONE = ("ValidationError", "ValidationException", _DENIED)
_THROTTLED = ("ThrottlingException", "Throttling", "TooManyRequestsException")
_WARMING = "ModelNotReadyException"  # "Either a serverless endpoint variant's resources are still being provisioned, or ..."
_NOT_READY = ("ServiceUnavailable", "InternalDependencyException", "InternalFailure")


class VariantGone(Exception):
    """SageMaker does not know the endpoint, or not this variant of it. Never leaves the prediction use case."""

    def __init__(self, error: exceptions.ClientError) -> None:
        super().__init__(str(error))
        self.error = error


class NoAnswerInTime(Exception):
    """The client has waited in vain. Never leaves the prediction use case."""


@dataclass(frozen=True)
class EndpointAnswer:
    """What a model container answered, as it answered it."""

    body: bytes
    content_type: str
    variant: str | None
    """Who answered, where SageMaker says so."""


def invoke_variant(
    runtime: SageMakerRuntimeClient, endpoint: str, variant: RoutedVariant, body: bytes, exchange: Exchange, *, named: bool
) -> EndpointAnswer:
    """The answer of one variant, called by its name if ``named``; ``exchange`` is that of the encoder that made the body.

    Raises:
        VariantGone: not there (any more, or yet).
        NoAnswerInTime: not within the time that ``runtime`` waits.
        PredictionFailed: the container answered with an error.
        TooManyRequests: throttled.
        EndpointWarming: a serverless endpoint is being started.
        EndpointNotReady: SageMaker cannot be reached, or cannot serve at the moment.
    """
    request: InvokeEndpointInputTypeDef = {
        "EndpointName": endpoint,
        "ContentType": exchange.request_content_type,
        "Accept": exchange.accept,
        "Body": body,
    }
    if named:
        request["TargetVariant"] = variant.name
    try:
        answer = _ask(runtime, request)
        return EndpointAnswer(answer["Body"].read(), answer["ContentType"], answer.get("InvokedProductionVariant"))
    except exceptions.ClientError as error:
        raise _named(error, endpoint, variant) from error
    except exceptions.ReadTimeoutError as error:
        raise NoAnswerInTime from error
    except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
        _log.warning("Endpoint %s, variant %s: SageMaker cannot be reached: %s", endpoint, variant.name, error)
        raise EndpointNotReady(f"Endpoint {endpoint} cannot be reached at the moment; try again.") from error


def _ask(runtime: SageMakerRuntimeClient, request: InvokeEndpointInputTypeDef) -> InvokeEndpointOutputTypeDef:
    try:
        return runtime.invoke_endpoint(**request)
    except exceptions.ConnectionClosedError:
        # The connection was kept from an earlier prediction, and has been closed since by the other side.
        return runtime.invoke_endpoint(**request)


def explain_silence(sagemaker: SageMakerClient, endpoint: str, variant: RoutedVariant) -> Exception:
    """Why a variant has not answered in time: a serverless one may be starting."""
    if _is_serverless(sagemaker, endpoint):
        return _warming(endpoint)
    return PredictionFailed(f"Variant {variant.name} of endpoint {endpoint} did not answer in time; send fewer instances.")


def explain_refusal(sagemaker: SageMakerClient, endpoint: str, refusal: VariantGone) -> Exception:
    """Why an endpoint that has routing refuses every variant of it; ``refusal`` is what it said last."""
    try:
        status = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"]
    except exceptions.ClientError as error:
        if is_not_found(error):
            return EndpointNotFound(f"Endpoint {endpoint} is not in SageMaker any more; run its dataset again to bring it back.")
        raise
    if status in ("Failed", "OutOfService", "Deleting"):
        return EndpointFailed(
            f"Endpoint {endpoint} does not serve: its status is {status}. `GET /endpoints/{endpoint}` says more."
        )
    if status == "InService" and refusal.error.response["Error"]["Code"] == _DENIED:
        return refusal.error
    return EndpointNotReady(
        f"Endpoint {endpoint} does not serve yet, or is being changed: its status is {status}. Try again soon."
    )


def body_limit(sagemaker: SageMakerClient, endpoint: str) -> int:
    """How many bytes an invocation may have: fewer for a serverless endpoint."""
    return MAX_SERVERLESS_BODY_BYTES if _is_serverless(sagemaker, endpoint) else MAX_BODY_BYTES


def serves(sagemaker: SageMakerClient, endpoint: str, variant: RoutedVariant) -> bool:
    """Whether the variant is behind the endpoint by now, and not only on its way there."""
    variants = sagemaker.describe_endpoint(EndpointName=endpoint).get("ProductionVariants", [])
    return any(serving["VariantName"] == variant.name for serving in variants)


def _is_serverless(sagemaker: SageMakerClient, endpoint: str) -> bool:
    variants = sagemaker.describe_endpoint(EndpointName=endpoint).get("ProductionVariants", [])
    return any("CurrentServerlessConfig" in variant for variant in variants)


def _warming(endpoint: str) -> EndpointWarming:
    return EndpointWarming(
        f"Endpoint {endpoint} is starting: it is serverless, and a model that nobody has asked for a while is loaded again, "
        "which takes seconds to minutes. Try again; `deployment.serverless.provisioned_concurrency` keeps it warm."
    )


def _named(error: exceptions.ClientError, endpoint: str, variant: RoutedVariant) -> Exception:
    code = error.response["Error"]["Code"]
    if code == "ModelError":
        return PredictionFailed(
            f"The model behind variant {variant.name} of endpoint {endpoint} failed to answer; its log is in CloudWatch."
        )
    if code in _GONE:
        return VariantGone(error)
    if code in _THROTTLED:
        return TooManyRequests(f"Endpoint {endpoint} takes no more requests at the moment; try again in a second.")
    if code == _WARMING:
        return _warming(endpoint)
    if code in _NOT_READY:
        _log.warning("Endpoint %s, variant %s: SageMaker cannot answer: %s", endpoint, variant.name, error)
        return EndpointNotReady(f"Endpoint {endpoint} cannot answer at the moment; try again.")
    return error
