"""One accepted request: its input from S3, the container's answer to S3, and who wants to know."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_emulator.async_inference import notify
from sagemaker_emulator.async_inference.locations import split
from sagemaker_emulator.async_inference.model_call import Answer, TimedOut, call_model
from sagemaker_emulator.async_inference.queue import Accepted
from sagemaker_emulator.hosting.deployments import log_group, log_stream
from sagemaker_emulator.hosting.metrics import InvocationMetrics
from sagemaker_emulator.hosting.variants import Variant
from sagemaker_emulator.parts import Parts

logger = logging.getLogger(__name__)

_S3_ERRORS = (BotoCoreError, ClientError, S3UploadFailedError, OSError)
_MOST_LOGGED_BYTES = 64 * 1024
_MODEL_FAILED = (
    "ClientError: Received {} error ({}) from model. See the SageMaker Endpoint logs in your account for more information."
)


class Interrupted(Exception):
    """The container was ended, and not by the request: another is to answer it."""


class Failed(Exception):
    """The invocation failed; the message is its failureReason.

    ``logged`` is what the log says instead of it, ``counted`` a metric of its own, ``answer`` what the container said.
    """

    def __init__(
        self, reason: str, logged: str | None = None, *, counted: str | None = None, answer: Answer | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.logged = logged or reason
        self.counted = counted
        self.answer = answer


@dataclass(frozen=True)
class Tools:
    """What the processing of every request works with."""

    parts: Parts
    metrics: InvocationMetrics
    publish: notify.Publish


@dataclass
class Processing:
    """The processing of one request.

    ``role`` is the model's execution role, ``folder`` for the request's files, ``home`` the serving variant's directory, by
    which its log is named.
    """

    tools: Tools
    request: Accepted
    role: str
    folder: Path
    home: Path | None = None
    measured: dict[str, int] = field(default_factory=dict)

    def invoke(self, variant: Variant, still_serves: Callable[[], bool]) -> None:
        """From the input to the last message; raises :class:`Interrupted`."""
        begun = time.time()
        self.measured["TimeInBacklog"] = _microseconds(begun - self.request.received)
        try:
            content_type = self._fetch()
            answer = self._ask(variant, content_type, still_serves)
            self._put(self._answer, self.request.output_location, answer.content_type)
        except Failed as failure:
            self.fail(failure)
            return
        body, at = self._small_answer(), time.time()
        self._tell(notify.completed(self.request, self._region, at, body, answer.content_type), failed=False)
        self._measure_end()
        self._log(
            f"Inference request succeeded. ModelLatency: {self.measured['ModelLatency']} us, RequestDownloadLatency: "
            f"{self.measured['RequestDownloadLatency']} us, ResponseUploadLatency: {self.measured['ResponseUploadLatency']} us, "
            f"TimeInBacklog: {self.measured['TimeInBacklog'] // 1000} ms, "
            f"TotalProcessingTime: {self.measured['TotalProcessingTime']} ms",
        )

    def fail(self, failure: Failed) -> None:
        """End as failed: the object, the message, the log line, the metrics."""
        self.measured["InvocationFailures"] = 1
        if failure.counted:
            self.measured[failure.counted] = 1
        location, said = self.request.failure_location, failure.answer
        if location:
            self.folder.mkdir(parents=True, exist_ok=True)
            if said is None:
                self._answer.write_text(failure.reason)
            try:
                self._put(self._answer, location, said.content_type if said else "text/plain")
            except Failed as error:
                self._log(error.reason)
        body = self._small_answer() if said else b""
        self._tell(notify.failed(self.request, self._region, time.time(), failure.reason, body), failed=True)
        self._log(failure.logged)
        self._measure_end()

    @property
    def _region(self) -> str:
        return self.tools.parts.place.region

    @property
    def _input(self) -> Path:
        return self.folder / "input"

    @property
    def _answer(self) -> Path:
        return self.folder / "answer"

    def _fetch(self) -> str | None:
        """Put the input into its file; returns its type: the request's, or else the object's."""
        request, started = self.request, time.monotonic()
        self.folder.mkdir(parents=True, exist_ok=True)
        content_type = request.content_type
        if request.input_location is None:
            self._input.write_bytes(request.payload or b"")
        else:
            bucket, key = split(request.input_location)
            if not self._allowed("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}"):
                raise _not_downloaded(request, f"the role {self.role} is not authorized to perform s3:GetObject on it (403)")
            try:
                content_type = content_type or self.tools.parts.objects.look(bucket, key)
                self.tools.parts.objects.download(bucket, key, self._input)
            except _S3_ERRORS as error:
                raise _not_downloaded(request, _said(error)) from error
        self.measured["RequestDownloadLatency"] = _microseconds(time.monotonic() - started)
        return content_type

    def _ask(self, variant: Variant, content_type: str | None, still_serves: Callable[[], bool]) -> Answer:
        endpoint = self.request.endpoint
        try:
            answer = call_model(variant.address, self.request, content_type, self._input, self._answer)
        except TimedOut as error:
            self._count_status(None, self.request.timeout_seconds)
            message = f'Received server error (0) from primary with message "{error}"'
            raise Failed(_MODEL_FAILED.format("server", 0), message) from error
        except httpx.HTTPError as error:
            if not still_serves():
                raise Interrupted from error
            self._count_status(None, 0)
            raise Failed(
                f"Amazon SageMaker could not get a response from the {endpoint} endpoint. This can occur when CPU or memory "
                "utilization is high. To check your utilization, see Amazon CloudWatch. To fix this problem, use an instance "
                "type with more CPU capacity or memory.",
                f"The container of variant {variant.name} does not answer ({error}).",
            ) from error
        self._count_status(answer.status, answer.seconds)
        if not 200 <= answer.status < 300:
            side = "client" if 400 <= answer.status < 500 else "server"
            shown = self._small_answer()[:_MOST_LOGGED_BYTES].decode(errors="replace")
            logged = f'Received {side} error ({answer.status}) from primary with message "{shown}"'
            raise Failed(_MODEL_FAILED.format(side, answer.status), logged, answer=answer)
        return answer

    def _put(self, source: Path, location: str, content_type: str | None) -> None:
        bucket, key = split(location)
        started = time.monotonic()
        failed = f"ClientError: Failed to upload the response to {location}:"
        if not self._allowed("s3:PutObject", f"arn:aws:s3:::{bucket}/{key}"):
            reason = f"{failed} the role {self.role} is not authorized to perform s3:PutObject on it (403)."
            raise Failed(reason, counted="ResponseUploadFailures")
        try:
            self.tools.parts.objects.upload(source, bucket, key, content_type)
        except _S3_ERRORS as error:
            raise Failed(f"{failed} {_said(error)}.", counted="ResponseUploadFailures") from error
        self.measured["ResponseUploadLatency"] = _microseconds(time.monotonic() - started)

    def _tell(self, message: str, *, failed: bool) -> None:
        topic = notify.topic_of(self.request, failed=failed)
        if topic is None:
            return
        try:
            if not self._allowed("sns:Publish", topic):
                raise PermissionError(f"the role {self.role} is not authorized to perform sns:Publish on it")
            self.tools.publish(topic, message)
        except (BotoCoreError, ClientError, OSError) as error:
            self.measured["NotificationFailures"] = 1
            self._log(f"The notification to {topic} was not published: {_said(error)}")

    def _allowed(self, action: str, resource_arn: str) -> bool:
        return self.tools.parts.permissions.role_allows(self.role, action, resource_arn)

    def _small_answer(self) -> bytes:
        """The answer, as far as anybody wants it in a message or a log."""
        with self._answer.open("rb") as file:
            return file.read(notify.MOST_RESPONSE_BYTES + 1)

    def _count_status(self, status: int | None, seconds: float) -> None:
        self.measured["Invocation4XXErrors"] = int(status is not None and 400 <= status < 500)
        self.measured["Invocation5XXErrors"] = int(status is None or status >= 500)
        self.measured["ModelLatency"] = _microseconds(seconds)

    def _measure_end(self) -> None:
        self.measured["InvocationsProcessed"] = 1
        self.measured["TotalProcessingTime"] = round((time.time() - self.request.received) * 1000)
        self.tools.metrics.add(self.request.endpoint, self.request.variant, self.measured)

    def _log(self, text: str) -> None:
        """To the platform's log of an instance, which is named after the container's own."""
        at = datetime.now(UTC)
        line = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}:[sagemaker logs] [{self.request.inference_id}] {text}"
        instance = log_stream(self.request.variant, self.home) if self.home else self.request.variant
        self.tools.parts.logs.write(log_group(self.request.endpoint), f"{instance}/data-log", line)


def _not_downloaded(request: Accepted, why: str) -> Failed:
    reason = f"ClientError: Failed to download the request from {request.input_location}: {why}."
    return Failed(reason, counted="RequestDownloadFailures")


def _said(error: Exception) -> str:
    """Without the full stop at its end, where it has one: it is said in the midst of a sentence."""
    said = error.response["Error"].get("Message") if isinstance(error, ClientError) else None
    return str(said or error).rstrip(".")


def _microseconds(seconds: float) -> int:
    return round(max(0.0, seconds) * 1_000_000)
