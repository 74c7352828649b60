"""InvokeEndpointAsync: what is accepted, and where its answer will be."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Mapping

from botocore.model import StructureShape

from sagemaker_emulator.async_inference.dispatch import Dispatcher
from sagemaker_emulator.async_inference.locations import locations
from sagemaker_emulator.async_inference.queue import Accepted
from sagemaker_emulator.callers import Caller
from sagemaker_emulator.clock import now
from sagemaker_emulator.errors import ServiceError
from sagemaker_emulator.hosting.asynchronous import CONFIG, check_inference_type
from sagemaker_emulator.hosting.deployments import KIND
from sagemaker_emulator.hosting.descriptions import answering
from sagemaker_emulator.hosting.invoke import Answer
from sagemaker_emulator.parts import Parts
from sagemaker_emulator.protocol import runtime_model
from sagemaker_emulator.s3_uris import check_uri
from sagemaker_emulator.store import Document, Request
from sagemaker_emulator.validation import check

OPERATION = "InvokeEndpointAsync"
# Both documented by the runtime's model.
DEFAULT_TTL_SECONDS = 21_600
DEFAULT_TIMEOUT_SECONDS = 900


def invoke_endpoint_async(
    parts: Parts, dispatcher: Dispatcher, caller: Caller, name: str, *, headers: Mapping[str, str], body: bytes
) -> Answer:
    """Authorise, check and queue a request. ``headers`` have lower-case names."""
    request = parse(name, headers, body)
    arn = parts.place.arn(KIND, name)
    parts.permissions.require(caller, f"sagemaker:{OPERATION}", arn, resource_tags=parts.store.tags(arn))
    endpoint = answering(parts.store.get(KIND, name), name, parts.place.account)
    check_inference_type(endpoint, asynchronous=True)
    accepted = _accepted(endpoint, request, body)
    dispatcher.add(accepted)
    answer = {"X-Amzn-SageMaker-OutputLocation": accepted.output_location, "Content-Type": "application/json"}
    if accepted.failure_location:
        answer["X-Amzn-SageMaker-FailureLocation"] = accepted.failure_location
    return Answer(json.dumps({"InferenceId": accepted.inference_id}).encode(), answer)


def parse(name: str, headers: Mapping[str, str], body: bytes) -> Request:
    """The members of a request by the names of the runtime's model, checked against it; raises ValidationError."""
    operation = runtime_model().operation_model(OPERATION)
    # A text of as many letters: the model knows bytes by their number only.
    request: Document = {"EndpointName": name, **({"Body": body.decode("latin-1")} if body else {})}
    for member, shape in operation.input_shape.members.items() if isinstance(operation.input_shape, StructureShape) else ():
        header = str(shape.serialization.get("name", "")).lower()
        if shape.serialization.get("location") == "header" and header in headers:
            request[member] = _integer(member, headers[header]) if shape.type_name == "integer" else headers[header]
    try:
        check(operation, request)
        if "InputLocation" in request:
            check_uri("InputLocation", request["InputLocation"])
    except ServiceError as error:
        raise _invalid(error.message) from error
    if ("Body" in request) == ("InputLocation" in request):
        raise _invalid("Body and InputLocation are mutually exclusive. Provide exactly one of them.")
    return request


def _accepted(endpoint: Document, request: Request, body: bytes) -> Accepted:
    output = endpoint[CONFIG]["OutputConfig"]
    where = locations(output, request.get("S3OutputPathExtension"), request.get("Filename"))
    return Accepted(
        endpoint=endpoint["EndpointName"],
        created=endpoint["CreationTime"],
        variant=_choose(endpoint),
        received=now(),
        ttl_seconds=request.get("RequestTTLSeconds", DEFAULT_TTL_SECONDS),
        timeout_seconds=request.get("InvocationTimeoutSeconds", DEFAULT_TIMEOUT_SECONDS),
        inference_id=request.get("InferenceId") or str(uuid.uuid4()),
        output_location=where.output,
        failure_location=where.failure,
        input_location=request.get("InputLocation"),
        content_type=request.get("ContentType"),
        accept=request.get("Accept"),
        custom_attributes=request.get("CustomAttributes"),
        notification=output.get("NotificationConfig", {}),
        payload=body or None,
    )


def _choose(endpoint: Document) -> str:
    variants = endpoint["ProductionVariants"]
    weights = [float(variant["CurrentWeight"]) for variant in variants]
    if not any(weights):
        raise _invalid(f"No variant of endpoint {endpoint['EndpointName']} has a weight above 0.")
    return str(random.choices(variants, weights)[0]["VariantName"])  # noqa: S311  # traffic shares, not secrets


def _integer(member: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise _invalid(f"Value '{text}' of {member} is not an integer.") from error


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)
