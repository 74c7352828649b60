"""One request to a model's container, from file to file: inputs and answers may be as large as 1 GB."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

import httpx

from sagemaker_emulator.async_inference.queue import Accepted
from sagemaker_emulator.hosting.connection import Address

_TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. "
    "Review the latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
)


class TimedOut(Exception):
    """The container did not answer in time; the message is SageMaker's."""


class Answer(NamedTuple):
    """What the container said: its status and type, how long it took; the body is in a file."""

    status: int
    content_type: str | None
    seconds: float


def call_model(address: Address, request: Accepted, content_type: str | None, source: Path, target: Path) -> Answer:
    """POST /invocations with ``source``; the answer's body goes to ``target``.

    Raises:
        TimedOut: after the request's InvocationTimeoutSeconds.
        httpx.HTTPError: the container's server is gone.
    """
    started = time.monotonic()
    try:
        with (
            source.open("rb") as body,
            address.client(request.timeout_seconds, max_connections=1) as client,
            client.stream("POST", "/invocations", content=body, headers=_headers(request, content_type)) as response,
        ):
            with target.open("wb") as file:
                for chunk in response.iter_bytes():
                    file.write(chunk)
                    if time.monotonic() - started > request.timeout_seconds:
                        raise TimedOut(_TIMED_OUT)
            return Answer(response.status_code, response.headers.get("content-type"), time.monotonic() - started)
    except httpx.TimeoutException as error:
        raise TimedOut(_TIMED_OUT) from error


def _headers(request: Accepted, content_type: str | None) -> dict[str, str]:
    wanted = {
        "content-type": content_type,
        "accept": request.accept,
        "x-amzn-sagemaker-custom-attributes": request.custom_attributes,
        "x-amzn-sagemaker-inference-id": request.inference_id,
    }
    return {name: value for name, value in wanted.items() if value}
