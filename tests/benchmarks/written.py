"""Requests as they are sent, for the load generator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from mypy_boto3_sagemaker_runtime.type_defs import InvokeEndpointInputTypeDef


def written(path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """A POST as it is sent."""
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def as_boto3_sends(runtime: SageMakerRuntimeClient, invocation: InvokeEndpointInputTypeDef) -> bytes:
    """An invocation that a client has signed; it is made once for that."""
    sent: list[AWSPreparedRequest] = []

    def keep(request: AWSPreparedRequest, **_: object) -> None:
        sent.append(request)

    runtime.meta.events.register("before-send.sagemaker-runtime.InvokeEndpoint", keep)
    runtime.invoke_endpoint(**invocation)
    runtime.meta.events.unregister("before-send.sagemaker-runtime.InvokeEndpoint", keep)
    (request,) = sent
    url = urlsplit(request.url)
    # What is added when it is sent: the host, where the signer has not.
    headers = {"Accept-Encoding": "identity", **({} if "host" in request.headers else {"Host": url.netloc})}
    headers |= {key: value.decode() if isinstance(value, bytes) else str(value) for key, value in request.headers.items()}
    assert isinstance(request.body, bytes | bytearray)
    return written(url.path, headers, bytes(request.body))
