"""SageMaker's JSON 1.1 protocol: a target header and a JSON body in, a JSON body out."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from functools import cache, lru_cache

from botocore.loaders import Loader
from botocore.model import ServiceModel, StructureShape

from sagemaker_emulator.call import Call
from sagemaker_emulator.callers import Callers
from sagemaker_emulator.errors import ServiceError
from sagemaker_emulator.operations import Operations
from sagemaker_emulator.parts import Parts
from sagemaker_emulator.store import Document, Request
from sagemaker_emulator.tagging import check_tags
from sagemaker_emulator.validation import check

_TARGET_PREFIX = "SageMaker."


@cache
def service_model() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("sagemaker", "service-2"), "sagemaker")


@cache
def runtime_model() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("sagemaker-runtime", "service-2"), "sagemaker-runtime")


def answer(parts: Parts, operations: Operations, callers: Callers, headers: Mapping[str, str], body: bytes) -> Document:
    """One call from its headers (lower-case names) and body to the answer; raises :class:`ServiceError`."""
    caller = callers.identify(headers.get("authorization"))
    name = _operation_name(headers.get("x-amz-target", ""), operations)
    operation = service_model().operation_model(name)
    request = _parse(body)
    check(operation, request)
    check_tags(request)
    result = operations[name](Call(parts, caller, name, request))
    shape = operation.output_shape
    members = shape.members if isinstance(shape, StructureShape) else {}
    return {key: value for key, value in result.items() if key in members and value is not None}


def check_invocation(endpoint_name: str, headers: Mapping[str, str]) -> None:
    """Check InvokeEndpoint's name and headers (lower-case names) against the runtime's model; raises ValidationError."""
    given = [(member, headers[header]) for header, member in _invocation_headers().items() if header in headers]
    _check_invocation((("EndpointName", endpoint_name), *given))


@cache
def _invocation_headers() -> Mapping[str, str]:
    """The members of InvokeEndpoint that are headers, by the header's name in lower case."""
    shape = runtime_model().operation_model("InvokeEndpoint").input_shape
    members = shape.members if isinstance(shape, StructureShape) else {}
    return {
        str(member.serialization["name"]).lower(): name
        for name, member in members.items()
        if member.serialization.get("location") == "header"
    }


@lru_cache(maxsize=256)
def _check_invocation(members: tuple[tuple[str, str], ...]) -> None:
    """What was found right once is right; callers say the same again and again."""
    try:
        check(runtime_model().operation_model("InvokeEndpoint"), {"Body": "", **dict(members)})
    except ServiceError as error:
        raise ServiceError("ValidationError", error.message) from error


def runtime_operation(method: str, path: str) -> str | None:
    """The operation of the runtime that has a path, such as ``/endpoints/name/invocations-response-stream``."""
    for name in runtime_model().operation_names:
        http = runtime_model().operation_model(name).http
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", http["requestUri"])
        if http["method"] == method and re.fullmatch(pattern, path):
            return str(name)
    return None


def error_body(error: ServiceError) -> bytes:
    key = "Message" if error.code.startswith("Resource") else "message"
    return json.dumps({"__type": error.code, key: error.message, **error.fields}).encode()


def _operation_name(target: str, operations: Operations) -> str:
    name = target.removeprefix(_TARGET_PREFIX)
    if name in operations and target != name:
        return name
    if target != name and name in service_model().operation_names:
        known = ", ".join((*operations, "InvokeEndpoint", "InvokeEndpointAsync"))
        raise ServiceError(
            "UnknownOperationException",
            f"The local SageMaker service does not implement {name}. It implements: {known}.",
        )
    raise ServiceError("UnknownOperationException", f"Unknown operation: {target or 'no X-Amz-Target header was sent'}.")


def _parse(body: bytes) -> Request:
    try:
        request = json.loads(body or b"{}", parse_constant=_no_number, parse_float=_finite)
        if b"\\ud" in body.lower():  # half a pair of surrogates is no text, and can not be stored
            json.dumps(request, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ServiceError("SerializationException", f"The request body is not valid JSON: {error}") from error
    if not isinstance(request, dict):
        raise ServiceError("SerializationException", "The request body must be a JSON object.")
    return request


def _no_number(text: str) -> float:
    """NaN and infinities, which Python's JSON has and no other."""
    raise ValueError(f"{text} is not a number")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)
