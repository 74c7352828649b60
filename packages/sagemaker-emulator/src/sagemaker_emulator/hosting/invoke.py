"""InvokeEndpoint: which variant answers, and what its answer becomes."""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from sagemaker_emulator.callers import Caller
from sagemaker_emulator.errors import ServiceError
from sagemaker_emulator.hosting.asynchronous import check_inference_type
from sagemaker_emulator.hosting.deployments import KIND, Deployments
from sagemaker_emulator.hosting.descriptions import Description, Descriptions, answering
from sagemaker_emulator.hosting.exchanges import Exchanges, Lost, Response
from sagemaker_emulator.hosting.metrics import InvocationMetrics
from sagemaker_emulator.hosting.targets import refuse_targets
from sagemaker_emulator.hosting.variants import INVOCATION_SECONDS, Replaced, Variant
from sagemaker_emulator.parts import Parts
from sagemaker_emulator.store import Document

logger = logging.getLogger(__name__)

MOST_BYTES = 6_291_456
# AWS documents "4 MB" for serverless endpoints.
MOST_BYTES_SERVERLESS = 4 * 1024 * 1024
_ACTION = "sagemaker:InvokeEndpoint"
_TARGET_VARIANT = "x-amzn-sagemaker-target-variant"
_CUSTOM_ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"


@dataclass(frozen=True)
class Answer:
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Runtime:
    """What InvokeEndpoint works with."""

    parts: Parts
    deployments: Deployments
    metrics: InvocationMetrics
    endpoints: Descriptions
    exchanges: Exchanges


async def invoke_endpoint(runtime: Runtime, caller: Caller, name: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Authorise, pick a variant, hand the request on. ``headers`` have lower-case names.

    Only what may have to wait goes to a thread: there and back takes longer than all else.
    """
    arrived = time.perf_counter()
    arn = runtime.parts.place.arn(KIND, name)
    described = await _describe(runtime, name, arn)
    permissions = runtime.parts.permissions
    if not permissions.remembers(caller, _ACTION, arn, described.tags):
        await run_in_threadpool(permissions.require, caller, _ACTION, arn, resource_tags=described.tags)
        # That may have taken a while, in which others have come to serve.
        described = await _describe(runtime, name, arn)
    endpoint = answering(described.document, name, runtime.parts.place.account)
    serving = runtime.deployments.variants(name)
    check_inference_type(endpoint, asynchronous=False)
    refuse_targets(name, headers)
    if not serving:
        logger.warning("endpoint %s is %s and asked, but no container of it runs", name, endpoint["EndpointStatus"])
        raise ServiceError(
            "ServiceUnavailable",
            f"Endpoint {name} is {endpoint['EndpointStatus']}, and no container of it runs: the local SageMaker service starts "
            "them again after its own start. Ask again when DescribeEndpoint says InService; if it says Failed, it says why.",
            status=503,
        )
    chosen = _choose(endpoint, headers.get(_TARGET_VARIANT), runtime)
    _check_size(chosen, body)
    variant = serving.get(chosen["VariantName"])
    if variant is None:  # an update is just taking effect: the document is of one side of it, and what serves of the other
        await run_in_threadpool(runtime.deployments.wait_for_switch)
        return await invoke_endpoint(runtime, caller, name, headers, body)
    try:
        with variant.in_use():
            response = await _send(runtime, endpoint, variant, headers, body, arrived=arrived)
    except Replaced:  # since it was chosen: who serves by now is known before the old ones are ended
        return await invoke_endpoint(runtime, caller, name, headers, body)
    answer = {"x-Amzn-Invoked-Production-Variant": variant.name, "Content-Type": response.headers.get("content-type", "")}
    if _CUSTOM_ATTRIBUTES in response.headers:
        answer["X-Amzn-SageMaker-Custom-Attributes"] = response.headers[_CUSTOM_ATTRIBUTES]
    return Answer(response.body, {key: value for key, value in answer.items() if value})


async def _describe(runtime: Runtime, name: str, arn: str) -> Description:
    described = runtime.endpoints.at_hand(name)
    return described if described is not None else await run_in_threadpool(runtime.endpoints.read, name, arn)


def _choose(endpoint: Document, target: str | None, runtime: Runtime) -> Document:
    variants: list[Document] = endpoint["ProductionVariants"]
    if target:
        for variant in variants:
            if variant["VariantName"] == target:
                return variant
        raise _validation_error(
            f"The variant {target} of endpoint {endpoint['EndpointName']} of account {runtime.parts.place.account} not found."
        )
    weights = [float(variant["CurrentWeight"]) for variant in variants]
    if not any(weights):
        raise _validation_error(f"No variant of endpoint {endpoint['EndpointName']} has a weight above 0: name a TargetVariant.")
    return random.choices(variants, weights)[0]  # noqa: S311  # traffic shares, not secrets


def _check_size(variant: Document, body: bytes) -> None:
    most = MOST_BYTES_SERVERLESS if "CurrentServerlessConfig" in variant else MOST_BYTES
    if len(body) > most:
        raise _validation_error(
            f"1 validation error detected: Value of {len(body)} bytes at 'body' failed to satisfy constraint: "
            f"Member must have length less than or equal to {most}"
        )


async def _send(
    runtime: Runtime, endpoint: Document, variant: Variant, headers: Mapping[str, str], body: bytes, *, arrived: float
) -> Response:
    passed_on = {
        name: headers[name]
        for name in ("content-type", "accept", _CUSTOM_ATTRIBUTES, "x-amzn-sagemaker-inference-id")
        if name in headers
    }
    status, sent = None, time.perf_counter()
    try:
        response = await runtime.exchanges.post(variant.address, "/invocations", passed_on, body, INVOCATION_SECONDS)
        status = response.status
    except TimeoutError as error:
        raise _model_error(
            runtime,
            endpoint,
            variant,
            0,
            "Your invocation timed out while waiting for a response from container primary. "
            "Review the latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again.",
        ) from error
    except Lost as error:
        logger.warning("variant %s of endpoint %s does not answer: %s", variant.name, endpoint["EndpointName"], error)
        raise ServiceError(
            "ServiceUnavailable",
            f"The container of variant {variant.name} does not answer ({error}). See the logs "
            f"in /aws/sagemaker/Endpoints/{endpoint['EndpointName']}.",
            status=503,
        ) from error
    finally:
        answered = time.perf_counter()
        runtime.metrics.record(endpoint["EndpointName"], variant.name, status, answered - sent, answered - arrived)
    if not response.is_success:
        raise _model_error(runtime, endpoint, variant, response.status, response.text)
    return response


def _model_error(runtime: Runtime, endpoint: Document, variant: Variant, status: int, text: str) -> ServiceError:
    group = f"/aws/sagemaker/Endpoints/{endpoint['EndpointName']}"
    region, account = runtime.parts.place.region, runtime.parts.place.account
    side = "client error" if 400 <= status < 500 else "server error"
    viewer = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group={group}"
    message = (
        f'Received {side} ({status}) from primary with message "{text}". See {viewer} in account {account} for more information.'
    )
    fields = {
        "OriginalStatusCode": status,
        "OriginalMessage": text,
        "LogStreamArn": f"arn:aws:logs:{region}:{account}:log-group:{group}",
    }
    return ServiceError("ModelError", message, status=424, fields=fields)


def _validation_error(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)


def error_body(error: ServiceError) -> bytes:
    """The body of an error of the runtime API."""
    return json.dumps({"Message": error.message, **error.fields}).encode()
