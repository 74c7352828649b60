"""Requests to the API: signed or with a token, sent again where that helps, errors as exceptions."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

import httpx

from sageline_client.answering import error_of
from sageline_client.errors import TimedOut, Unreachable
from sageline_client.retries import Retries

# An HTTP API gives up after 30 s; connecting takes a moment or does not work at all.
TIMEOUT = httpx.Timeout(35, connect=5)
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True)
class Http:
    """The API at one URL. Threads may share it."""

    url: str
    client: httpx.Client
    retries: Retries

    def json(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        idempotency_key: str | None = None,
        repeatable: bool = False,
    ) -> Any:  # JSON, of the type that the route answers
        """The JSON object that a route answers. ``body`` is sent as JSON; the rest is as for :meth:`send`."""
        content = None if body is None else to_json(body)
        headers = {} if content is None else {"content-type": "application/json"}
        if idempotency_key is not None:
            headers["idempotency-key"] = idempotency_key
            repeatable = True
        return json_object(self.send(method, path, query=query, content=content, headers=headers, repeatable=repeatable))

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
    ) -> httpx.Response:
        """The answer to a request, a success.

        Args:
            repeatable: twice is the same as once. Without it, of the methods only POST is not.

        Raises:
            ApiError: it is none, or there is no answer.
        """
        once = partial(self._once, method, path, query or None, content, headers)
        return self.retries.call(once, repeatable=repeatable or method != "POST")

    def _once(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        content: bytes | None,
        headers: Mapping[str, str] | None,
    ) -> httpx.Response:
        try:
            response = self.client.request(method, self.url + path, params=query, content=content, headers=headers)
        except httpx.TransportError as error:
            raise no_answer(self.url, error) from error
        if not response.is_success:
            raise error_of(response)
        return response


def no_answer(url: str, error: httpx.TransportError) -> Unreachable:
    """The exception for a request that had no answer."""
    if isinstance(error, httpx.TimeoutException):
        failed: Unreachable = TimedOut(f"{url} did not answer in time; try again.", "Timeout")
    else:
        failed = Unreachable(f"{url} cannot be reached: {error}.", "Unreachable")
    failed.was_sent = not isinstance(error, _NOT_SENT)
    return failed


def json_object(response: httpx.Response) -> dict[str, Any]:  # JSON
    """The JSON object that an answer is.

    Raises:
        ApiError: it is none.
    """
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise error_of(response)
    return answer


def to_json(body: object) -> bytes:
    """
    Raises:
        ValueError: a number is not finite, which JSON does not have.
    """
    try:
        return json.dumps(body, allow_nan=False).encode()
    except ValueError as error:
        raise ValueError(f"{error}: JSON has no NaN and no infinity; send None for a missing value.") from None


def segment(name: str) -> str:
    """A name as one part of a path."""
    return quote(name, safe="")


def new_key() -> str:
    """An ``Idempotency-Key`` that no other request has."""
    return uuid.uuid4().hex
