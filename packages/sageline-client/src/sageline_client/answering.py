"""From an HTTP answer that is no success to the error that it is."""

from __future__ import annotations

import re
from collections.abc import Mapping

import httpx

from sageline_client.errors import (
    ApiError,
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    NotReady,
    RequestTooLarge,
    ServerError,
    TooManyRequests,
    Unauthorized,
)

_KINDS: Mapping[int, type[ApiError]] = {
    400: InvalidRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    406: InvalidRequest,
    409: Conflict,
    413: RequestTooLarge,
    415: InvalidRequest,
    429: TooManyRequests,
    503: NotReady,
}
_GATEWAY_RETRY_SECONDS = 10
"""API Gateway's own 503 comes without a ``Retry-After``, and after 30 s: a function and a model behind it are being started."""
_SHOWN = 200  # characters of an answer that nobody expects


def error_of(response: httpx.Response) -> ApiError:
    """The error that an answer is: one of Sageline's, one of API Gateway's, or what nobody expects."""
    status = response.status_code
    kind = _KINDS.get(status, ServerError if status >= 500 else ApiError)
    try:
        answer = response.json()
    except ValueError:
        answer = None
    match answer:
        case {"error": {"code": str(code), "message": str(message), **rest}}:
            details = rest.get("details")
            details = details if isinstance(details, dict) else {}
            error = kind(message, code, status=status, details=details, retry_after=_retry_after(response))
        case {"message": str(message)}:
            error = _of_the_gateway(kind, message, response)
        case _:
            text = f"The API answered HTTP {status} with something that is not Sageline's: {response.text[:_SHOWN]!r}"
            error = kind(text, f"HTTP {status}", status=status, retry_after=_retry_after(response))
    if isinstance(error, Forbidden):
        error.scope = _missing_scope(error, response)
    return error


def _of_the_gateway(kind: type[ApiError], message: str, response: httpx.Response) -> ApiError:
    """An answer of API Gateway itself, before any of Sageline's functions is asked or when none answered."""
    status = response.status_code
    has_token = response.request.headers.get("authorization", "").startswith("Bearer ")
    said = _challenge(response)
    match status:
        case 401:
            reason = said.get("error_description") or message
            return kind(f"The API does not take this token: {reason}.", "Unauthorized", status=status)
        case 403 if has_token:
            scope = said.get("scope")
            what = f"one of the scopes {scope}" if scope else "the scope that this route asks for"
            return kind(f"The API does not let you in ({message}): the token needs {what}.", "Forbidden", status=status)
        case 403:
            text = f"The API does not let you in ({message}): your role or user needs execute-api:Invoke on it."
            return kind(text, "Forbidden", status=status)
        case 413:
            # As an event the request is more than a function takes.
            text = f"The request is too large ({message}); send fewer rows, or shorter ones."
            return kind(text, "RequestTooLarge", status=status)
    after = _retry_after(response) or (_GATEWAY_RETRY_SECONDS if status == 503 else None)
    return kind(f"The API answered HTTP {status}: {message}.", f"HTTP {status}", status=status, retry_after=after)


def _missing_scope(error: ApiError, response: httpx.Response) -> str | None:
    named = error.details.get("scope")
    if isinstance(named, str):
        return named
    return _challenge(response).get("scope") or None


def _challenge(response: httpx.Response) -> dict[str, str]:
    """The parameters of ``WWW-Authenticate: Bearer …`` (RFC 6750); API Gateway puts no commas between them."""
    return dict(re.findall(r'(\w+)="([^"]*)"', response.headers.get("www-authenticate", "")))


def _retry_after(response: httpx.Response) -> int | None:
    seconds = response.headers.get("retry-after", "")
    return int(seconds) if seconds.isdecimal() else None
