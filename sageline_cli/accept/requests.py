"""Requests to an endpoint through the HTTP API: how long the first ones take, and who answers during a rollout."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from sageline.json_objects import Json
from sageline_cli.accept.shapes import shape_of
from sageline_cli.api_client import ApiClient
from sageline_cli.errors import CommandFailed

_WARMING_SECONDS = 240.0
"""SageMaker may take three minutes to start a serverless model."""
_PAUSE_SECONDS = 2.0
_NOT_YET = frozenset(("EndpointWarming", "Timeout", "EndpointNotReady", "TooManyRequests", "HTTP 503"))


def ask_until_answered(api: ApiClient, endpoint: str, instance: object) -> Json:
    """One prediction, asked for again as long as the endpoint is getting ready: each try's seconds and error, the answer's shape.

    Raises:
        CommandFailed: another error, or no answer in four minutes.
    """
    deadline = time.monotonic() + _WARMING_SECONDS
    tries: list[Json] = []
    while True:
        started = time.monotonic()
        try:
            answer = api.predict(endpoint, [instance], 3)
        except CommandFailed as error:
            tries.append({"seconds": round(time.monotonic() - started, 3), "error": error.code})
            if error.code not in _NOT_YET or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            tries.append({"seconds": round(time.monotonic() - started, 3)})
            return {"tries": tries, "shape": shape_of(answer)}


@contextmanager
def traffic(api: ApiClient, endpoint: str, instance: object, pause: float = 0.5) -> Iterator[Counter[str]]:
    """Asks and asks meanwhile; counts the answers by variant, and the errors by code."""
    seen: Counter[str] = Counter()
    done = threading.Event()

    def ask() -> None:
        while not done.wait(pause):
            try:
                seen[api.predict(endpoint, [instance], 1)["variant"]] += 1
            except CommandFailed as error:
                seen[error.code] += 1

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()
