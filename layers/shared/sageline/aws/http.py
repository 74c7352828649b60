"""Between HTTP API events (payload format 2.0) and Python: bodies in, answers and errors out.

Event and answer: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
Imports nothing heavy: it is on the prediction path.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import json
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, NoReturn, Protocol, TypeAlias, TypedDict, final

from sageline import errors
from sageline.aws.error_answer import ErrorAnswer
from sageline.json_objects import DuplicateKey, unique_keys
from sageline.names import ENDPOINT_NAME_MAX_LENGTH, NAME_MAX_LENGTH, is_endpoint_name, is_name, is_run_id

Event: TypeAlias = Mapping[str, Any]
"""An event as Lambda hands it over: parsed JSON, hence Any."""

STATUS_OF_ERROR: Mapping[type[Exception], int] = {
    errors.InvalidRequest: 400,
    errors.InvalidSpec: 400,
    errors.BudgetExceeded: 400,
    errors.InvalidPrices: 409,
    errors.InvalidHyperparameter: 400,
    errors.InvalidDataset: 400,
    errors.DatasetAccessDenied: 403,
    errors.ScopeMissing: 403,
    errors.RouteNotFound: 404,
    errors.RunNotFound: 404,
    errors.EndpointNotFound: 404,
    errors.DatasetNotFound: 404,
    errors.NotAcceptable: 406,
    errors.RunFinished: 409,
    errors.DamagedRecord: 409,
    errors.ResourceConflict: 409,
    errors.RequestTooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.TooManyRequests: 429,
    errors.InvalidEncoder: 500,
    errors.InvalidRouting: 500,
    errors.ObjectMissing: 500,
    errors.PredictionFailed: 502,
    errors.EndpointFailed: 502,
    errors.EndpointNotReady: 503,
    errors.EndpointWarming: 503,
}
"""Every error that a caller may see. Any other exception is a 500 that says nothing of the inside."""


@final
class RouteEvent(TypedDict):
    """An event of a route with parameters, as far as every handler needs it."""

    pathParameters: dict[str, str]


class ApiEvent(TypedDict):
    """An event of any route, as far as the router needs it."""

    rawPath: str
    requestContext: RequestContext


class RequestContext(TypedDict):
    http: HttpRequest
    requestId: str
    timeEpoch: int


class HttpRequest(TypedDict):
    method: str
    path: str


MAX_BODY_BYTES = 6_000_000
"""The size of a request or an answer as a string of JSON: Lambda takes and gives at most 6,291,456 bytes with what is around it.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
_LONGEST_MESSAGE, _LONGEST_DETAIL, _MOST_DETAILS = 4_000, 400, 1_000  # characters, characters, and items of a list
MAX_SMALL_BODY_BYTES = 1_000_000
"""The limit for any other request than a prediction: what is wrong with six megabytes of spec takes longer to say than API
Gateway waits."""
_REPLACED = "\ufffd"
_CONTEXT = 30  # characters
_MOST_ESCAPED = 6
"""A character below U+0020 takes as many bytes in JSON, and none takes more."""

RETRY_AFTER_SECONDS: Mapping[int, int] = {429: 1, 503: 10}
"""Statuses that come with a ``Retry-After`` header."""


class HttpResponse(TypedDict):
    """What API Gateway takes as an answer."""

    statusCode: int
    headers: dict[str, str]
    body: str
    isBase64Encoded: bool


class ErrorLog(Protocol):
    """The part of a logger that is needed here; Powertools' and the standard library's both have it."""

    def exception(self, msg: str, /) -> None: ...


def endpoint_name(event: Event) -> str:
    """``name`` of ``/endpoints/{name}``.

    Raises:
        EndpointNotFound: SageMaker takes no such name, so that there is no such endpoint.
    """
    name = _path_parameter(event, "name")
    if not is_endpoint_name(name):
        raise errors.EndpointNotFound(
            f"No endpoint {shortened(name)!r} is known, nor can be: a name has 1 to {ENDPOINT_NAME_MAX_LENGTH} letters, digits "
            "and hyphens, and begins and ends with a letter or digit. `GET /endpoints` lists the endpoints."
        )
    return name


def dataset_name(event: Event) -> str:
    """``name`` of ``/datasets/{name}``.

    Raises:
        DatasetNotFound: it is not a dataset's name, so that there is no such dataset.
    """
    name = _path_parameter(event, "name")
    if not is_name(name):
        raise errors.DatasetNotFound(
            f"No dataset {shortened(name)!r} is known, nor can be: a name has at most {NAME_MAX_LENGTH} lower-case letters, "
            "digits and single hyphens."
        )
    return name


def run_id(event: Event) -> str:
    """``id`` of ``/pipelines/{id}``.

    Raises:
        RunNotFound: it is not a run's id, so that there is no such run.
    """
    identifier = _path_parameter(event, "id")
    if not is_run_id(identifier):
        raise errors.RunNotFound(f"No run {shortened(identifier)!r} is known; `GET /pipelines` lists them.")
    return identifier


def _path_parameter(event: Event, name: str) -> str:
    """A parameter of the route; API Gateway has already decoded it."""
    return str((event.get("pathParameters") or {})[name])


def shortened(text: str, characters: int = 80) -> str:
    """A text of the request as an error quotes it."""
    return text if len(text) <= characters else f"{text[: characters - 3]}..."


def escaped_bytes(text: str) -> int:
    """How many bytes a text takes inside a JSON document, where quotes, backslashes and line ends take two. A text that is short
    enough for any escaping is not looked through: then it is the most that it can take."""
    most = len(text) * _MOST_ESCAPED
    if most <= MAX_BODY_BYTES:
        return most
    return len(json.dumps(text, ensure_ascii=False).encode(errors="surrogatepass")) - len('""')


def header(event: Event, name: str) -> str:
    """A header of the request by its lower-case name, as API Gateway sends them; an empty string if it is not there."""
    return str((event.get("headers") or {}).get(name) or "")


def read_json_object(event: Event, max_bytes: int = MAX_SMALL_BODY_BYTES) -> dict[str, Any]:  # parsed JSON
    """The request's body as a JSON object.

    Raises:
        RequestTooLarge: it has more than ``max_bytes``.
        InvalidRequest: no body, not UTF-8, not JSON (with line and column), JSON that is not an object, or an object at any
            level in which a key occurs twice.
    """
    body = body_text(event, max_bytes)
    if not body.strip():
        raise errors.InvalidRequest("The request has no body; send a JSON object.")
    value = parse_json(body)
    if not isinstance(value, dict):
        raise errors.InvalidRequest(f"The request body is a JSON {json_type(value)}; send a JSON object.")
    return value


def parse_json(text: str, where: str = "the request body", line: int = 1) -> object:
    """A JSON document of the request: the body, or ``where`` else it stands, and in which ``line`` of the body it begins.

    Raises:
        InvalidRequest: as for :func:`read_json_object`.
    """
    try:
        value: object = json.loads(text, parse_constant=partial(_refuse_constant, where), object_pairs_hook=unique_keys)
    except json.JSONDecodeError as error:
        line += error.lineno - 1
        raise errors.InvalidRequest(
            f"The request body is not valid JSON: {error.msg} at line {line}, column {error.colno}.",
            line=line,
            column=error.colno,
        ) from None
    except DuplicateKey as error:
        key = shortened(error.key, 60)
        raise errors.InvalidRequest(f"Key `{key}` occurs twice in one object of {where}; send it once.", key=key) from None
    except RecursionError:
        raise _nested_too_deeply(where) from None
    except ValueError as error:  # an integer of thousands of digits
        raise errors.InvalidRequest(f"{_capitalized(where)} has a number that cannot be read: {error}.") from None
    return value


def body_text(event: Event, max_bytes: int) -> str:
    """The request's body, which API Gateway sends as text, or as base64 and then in bytes that may be no text.

    A text that is no UTF-8 comes with U+FFFD in the place of what cannot be read. That it was not sent so its ``Content-Length``
    tells: for a byte there are three.

    Raises:
        RequestTooLarge: it has more than ``max_bytes``.
        InvalidRequest: it is not UTF-8.
    """
    body = str(event.get("body") or "")
    is_text = not event.get("isBase64Encoded")
    if is_text and body.isascii():
        _check_size(len(body), max_bytes)
        return body
    encoded = body.encode(errors="surrogatepass") if is_text else _from_base64(body)
    _check_size(len(encoded), max_bytes)
    if is_text and _REPLACED in body and header(event, "content-length") not in ("", str(len(encoded))):
        before = body[: body.index(_REPLACED)]
        raise errors.InvalidRequest(
            f"The request body is not UTF-8 text: what stands in line {before.count(chr(10)) + 1}, after "
            f"{shortened(before.rpartition(chr(10))[2][-_CONTEXT:])!r}, cannot be read. Send it in UTF-8."
        )
    try:
        return encoded.decode()
    except UnicodeDecodeError as error:
        raise errors.InvalidRequest(
            f"The request body is not UTF-8 text: byte 0x{encoded[error.start]:02x} at offset {error.start}."
        ) from None


def _from_base64(body: str) -> bytes:
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise errors.InvalidRequest("The request body is marked as base64 and is not; send it as it is.") from None


def _check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise errors.RequestTooLarge(
            f"The request body has {size:,} bytes; this route takes at most {max_bytes:,}.", max_bytes=max_bytes
        )


def check_keys(
    given: Mapping[str, object], known: Collection[str], required: Collection[str] = (), where: str = "request body"
) -> None:
    """InvalidRequest for a key that is not known (naming the nearest that is) or a required one that is missing."""
    for key in given:
        if key not in known:
            quoted = shortened(key)
            near = difflib.get_close_matches(quoted, known, n=1, cutoff=0.5)
            hint = f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(sorted(known))}."
            raise errors.InvalidRequest(f"Unknown key `{quoted}` in the {where}; {hint}", key=quoted)
    for key in required:
        if key not in given:
            raise errors.InvalidRequest(f"`{key}` is missing from the {where}.", key=key)


def json_type(value: object) -> str:
    """What JSON calls a parsed value."""
    names: dict[type, str] = {dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number"}
    return names.get(type(value), "null")


def json_response(status: int, body: object, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """An answer with a JSON body. Raises as :func:`text_response`."""
    return text_response(status, json.dumps(body, ensure_ascii=False, allow_nan=False), "application/json", headers)


def text_response(status: int, text: str, content_type: str, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """An answer with a body of that type.

    Raises:
        RequestTooLarge: the body would have more than :data:`MAX_BODY_BYTES` as Lambda hands it over.
    """
    if not text.isascii():
        # errors="replace": half of a surrogate pair, quoted from the request, is no UTF-8.
        text = text.encode(errors="replace").decode()
    size = escaped_bytes(text)
    if size > MAX_BODY_BYTES:
        raise errors.RequestTooLarge(
            f"The answer would have {size:,} bytes, its quotes escaped as Lambda hands it over; the limit is {MAX_BODY_BYTES:,}. "
            "Ask for less at a time.",
            max_bytes=MAX_BODY_BYTES,
        )
    return {
        "statusCode": status,
        "headers": {"content-type": content_type, **(headers or {})},
        "body": text,
        "isBase64Encoded": False,
    }


def error_response(error: Exception, log: ErrorLog) -> HttpResponse:
    """The answer for an exception; call it in the ``except`` block, so that the log gets the traceback of an unknown one."""
    if isinstance(error, RecursionError):  # what can be parsed may be too deep for whatever works on it
        error = _nested_too_deeply()
    # Of a kind of these, a caller is told what it is a kind of.
    kind = next((kind for kind in type(error).__mro__ if kind in STATUS_OF_ERROR), None)
    if kind is None:
        log.exception("Unexpected error")
        return _error(500, "InternalError", "Something went wrong on our side; the function's log has the details.", {})
    details = error.details if isinstance(error, errors.SagelineError) else {}
    return _error(STATUS_OF_ERROR[kind], kind.__name__, str(error), details)


def _error(status: int, code: str, message: str, details: Mapping[str, object]) -> HttpResponse:
    seconds = RETRY_AFTER_SECONDS.get(status)
    headers = {} if seconds is None else {"retry-after": str(seconds)}
    # Both may quote the request, which may have millions of characters.
    bounded = {key: _bounded(value) for key, value in details.items()}
    answer: ErrorAnswer = {"error": {"code": code, "message": shortened(message, _LONGEST_MESSAGE), "details": bounded}}
    return json_response(status, answer, headers)


def _bounded(value: object) -> object:
    match value:
        case str():
            return shortened(value, _LONGEST_DETAIL)
        case list():
            return [_bounded(item) for item in value[:_MOST_DETAILS]]
        case _:
            return value


def _nested_too_deeply(where: str = "the request body") -> errors.InvalidRequest:
    return errors.InvalidRequest(f"{_capitalized(where)} is nested too deeply.")


def _refuse_constant(where: str, name: str) -> NoReturn:
    raise errors.InvalidRequest(
        f"{_capitalized(where)} holds {name}, which JSON does not have; leave the value out, or send null."
    )


def _capitalized(where: str) -> str:
    return where[0].upper() + where[1:]
