"""What can go wrong with a request. Codes, messages and details are those of the API (docs/api.md of Sageline, "Errors")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """A request was refused, failed, or had no answer.

    Attributes:
        message: what is wrong and what to do, for a person.
        code: the API's error code; ``HTTP 502`` and the like where the answer has none.
        status: the HTTP status; None where there was no answer.
        details: what the message says, for programs; by the code.
        retry_after: seconds after which it makes sense to try again, if the API says so.
    """

    def __init__(
        self,
        message: str,
        code: str,
        *,
        status: int | None = None,
        details: Mapping[str, Any] | None = None,  # JSON
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.details = dict(details or {})
        self.retry_after = retry_after


class InvalidRequest(ApiError):
    """The request is wrong and will be refused again: 400, 406, 413, 415."""


class RequestTooLarge(InvalidRequest):
    """The request, or its answer, is larger than it may be: 413. ``details`` may have ``max_instances`` or ``max_bytes``."""


class Unauthorized(ApiError):
    """The token is none that the API takes, or has expired: 401."""


class Forbidden(ApiError):
    """The caller may not do that: 403.

    Attributes:
        scope: the scopes of which a token needs one, with spaces between them; None if the answer names none.
    """

    scope: str | None = None


class NotFound(ApiError):
    """There is no run, endpoint, dataset or route of that name: 404."""


class Conflict(ApiError):
    """It does not go with what is there: 409. The run has ended, or another one is deploying to the endpoint."""


class TooManyRequests(ApiError):
    """The endpoint, or the API, is at its limit: 429. Nothing was done."""


class NotReady(ApiError):
    """The endpoint is being made, changed or started, or nobody answered within 30 seconds: 503."""


class ServerError(ApiError):
    """A fault of the model, of Sageline or of AWS: any other 5xx."""


class Unreachable(ApiError):
    """The API could not be reached, or the connection broke.

    Attributes:
        was_sent: whether the request, or a part of it, may have arrived.
    """

    was_sent: bool = True


class TimedOut(Unreachable):
    """There was no answer in time."""
