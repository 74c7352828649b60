"""The messages on how an invocation ended, for the SNS topics of an endpoint config.

Their shape [source: https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-check-predictions.html and messages of AWS
that its users have published]. How ``responseBody`` looks is not documented: Base64 for an answer, and text for an error.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

from sagemaker_emulator.async_inference.queue import Accepted
from sagemaker_emulator.store import Document

# Takes the ARN of a topic and a message; raises botocore's errors and OSError.
Publish: TypeAlias = Callable[[str, str], None]

MOST_RESPONSE_BYTES = 128 * 1024


def topic_of(request: Accepted, *, failed: bool) -> str | None:
    """The ARN of who wants to know."""
    topic: str | None = request.notification.get("ErrorTopic" if failed else "SuccessTopic")
    return topic or None


def completed(request: Accepted, region: str, at: float, answer: bytes, content_type: str | None) -> str:
    """The message on an answer that is in S3."""
    parameters = _given(contentType=content_type, outputLocation=request.output_location)
    body = {"content": base64.b64encode(answer).decode(), "encoding": "BASE64"}
    return _message(request, region, at, {"responseParameters": parameters, **_response(request, "SUCCESS", answer, body)})


def failed(request: Accepted, region: str, at: float, reason: str, answer: bytes) -> str:
    """The message on a failure; ``answer`` is what the container said, if it was the container that failed."""
    location = request.failure_location
    parameters = {"responseParameters": {"failureLocation": location}} if location else {}
    body = {"content": answer.decode(errors="replace")}
    more = {**parameters, **(_response(request, "ERROR", answer, body) if answer else {})}
    return _message(request, region, at, more, reason)


def _response(request: Accepted, kind: str, answer: bytes, body: Document) -> Document:
    wanted = f"{kind}_NOTIFICATION_TOPIC" in request.notification.get("IncludeInferenceResponseIn", [])
    return {"responseBody": body} if wanted and len(answer) <= MOST_RESPONSE_BYTES else {}


def _message(request: Accepted, region: str, at: float, more: Document, reason: str | None = None) -> str:
    asked = _given(
        accept=request.accept,
        contentType=request.content_type,
        endpointName=request.endpoint,
        inputLocation=request.input_location,
    )
    return json.dumps(
        {
            "awsRegion": region,
            "eventTime": _iso(at),
            "receivedTime": _iso(request.received),
            "invocationStatus": "Failed" if reason else "Completed",
            **_given(failureReason=reason),
            "requestParameters": asked,
            **more,
            "inferenceId": request.inference_id,
            "eventVersion": "1.0",
            "eventSource": "aws:sagemaker",
            "eventName": "InferenceResult",
        },
        separators=(",", ":"),
    )


def _given(**members: str | None) -> Document:
    return {name: value for name, value in members.items() if value}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
