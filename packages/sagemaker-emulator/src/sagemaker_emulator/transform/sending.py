"""Requests to a transform job's container: parameters, invocations, retries."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from sagemaker_emulator.hosting.connection import Address
from sagemaker_emulator.store import Document
from sagemaker_emulator.transform.problems import ObjectFailed, Stopped, algorithm_error, client_error

DEFAULT_TIMEOUT_SECONDS = 600
DEFAULT_RETRIES = 3
DEFAULT_PAYLOAD_MB = 6
_PARAMETERS_SECONDS = 10.0
_FIRST_PAUSE_SECONDS = 0.25
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Parameters:
    """How the objects are sent: the request's own values, else the container's, else SageMaker's defaults."""

    concurrency: int
    strategy: str
    payload_mb: int

    def __str__(self) -> str:
        strategy = {"MultiRecord": "MULTI_RECORD", "SingleRecord": "SINGLE_RECORD"}[self.strategy]
        return f"MaxConcurrentTransforms={self.concurrency}, MaxPayloadInMB={self.payload_mb}, BatchStrategy={strategy}"


def parameters(job: Document, theirs: Document) -> Parameters:
    """``theirs`` is what the container says of what the request leaves open."""
    strategies = {"MULTI_RECORD": "MultiRecord", "SINGLE_RECORD": "SingleRecord"}
    strategy = job.get("BatchStrategy") or strategies.get(str(theirs.get("BatchStrategy")), "MultiRecord")
    payload = job.get("MaxPayloadInMB")
    if payload is None:
        payload = theirs.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MB)
    return Parameters(int(job.get("MaxConcurrentTransforms") or theirs.get("MaxConcurrentTransforms", 1)), strategy, int(payload))


class ModelClient:
    """Sends payloads to one container; may be used by several threads."""

    def __init__(self, address: Address, job: Document, stopped: threading.Event, has_ended: Callable[[], bool]) -> None:
        config = job.get("ModelClientConfig", {})
        timeout = config.get("InvocationsTimeoutInSeconds", DEFAULT_TIMEOUT_SECONDS)
        self._client = address.client(timeout, max_connections=None)
        self._retries = int(config.get("InvocationsMaxRetries", DEFAULT_RETRIES))
        self._stopped = stopped
        self._has_ended = has_ended
        self._headers = _headers(job)

    def execution_parameters(self) -> Document:
        """The container's answer to ``/execution-parameters``, which it need not have."""
        try:
            response = self._client.get("/execution-parameters", timeout=_PARAMETERS_SECONDS)
            answer = response.json() if response.status_code == 200 else {}
        except (httpx.HTTPError, ValueError):
            return {}
        return answer if isinstance(answer, dict) else {}

    def send(self, payload: bytes | Path) -> bytes:
        """The answer to one payload (a path is sent in chunks); raises :class:`ObjectFailed` and :class:`Stopped`.

        Time-outs, lost connections and server errors are tried again, client errors are not.
        """
        failure = algorithm_error("Unable to get response from algorithm")
        for attempt in range(self._retries + 1):
            if self._stopped.wait(_FIRST_PAUSE_SECONDS * 2**attempt if attempt else 0):
                raise Stopped
            try:
                response = self._client.post("/invocations", content=_content(payload), headers=self._headers)
            except httpx.HTTPError as error:
                failure = algorithm_error("Unable to get response from algorithm", f"{type(error).__name__}: {error}")
                if self._has_ended():
                    break
                continue
            if response.is_success:
                return response.content
            failure = _bad_status(response)
            if response.is_client_error:
                break
        if self._stopped.is_set():
            raise Stopped
        raise failure

    def close(self) -> None:
        self._client.close()


def _bad_status(response: httpx.Response) -> ObjectFailed:
    details = f"Message:\n{response.text}"
    if response.is_client_error:
        return client_error(f"ClientError: {response.status_code}", details)
    return algorithm_error(f"Bad HTTP status received from algorithm: {response.status_code}", details)


def _headers(job: Document) -> Mapping[str, str]:
    wanted = {
        "Content-Type": job["TransformInput"].get("ContentType"),
        "Accept": job["TransformOutput"].get("Accept"),
    }
    return {name: value for name, value in wanted.items() if value}


def _content(payload: bytes | Path) -> bytes | Iterator[bytes]:
    return payload if isinstance(payload, bytes) else _chunks(payload)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk
