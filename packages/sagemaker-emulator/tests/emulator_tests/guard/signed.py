"""Requests as boto3 makes and signs them, caught before they are sent; and what the guard says of them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config

from sagemaker_emulator.guard.decision import Rules, decide
from sagemaker_emulator.guard.refusals import Reason, Refusal
from sagemaker_emulator.guard.request import Request

KEY, SECRET = "test", "0123456789abcdef0123456789abcdef01234567"
ENDPOINT = "http://127.0.0.1:4566"
BUCKET = "data-bucket"
RULES = Rules(lambda key: SECRET if key == KEY else None, is_s3=True)

Sent = tuple[Request, bytes]


class _Caught(Exception):
    pass


@cache
def client(service: str, key: str = KEY, secret: str = SECRET, endpoint: str = ENDPOINT, **config: Any) -> Any:
    """A boto3 client (of any service, hence Any)."""
    session = boto3.Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name="us-east-1")
    return session.client(
        service,  # type: ignore[call-overload]  # a name that is not a literal
        endpoint_url=endpoint,
        config=Config(retries={"max_attempts": 0}, proxies={}, **config),
    )


def sent(client: Any, operation: str, **arguments: object) -> Sent:  # Any: as above
    """Head and body of the request that a client makes of a call."""
    caught: list[AWSPreparedRequest] = []

    def catch(request: AWSPreparedRequest, **_: object) -> None:
        caught.append(request)
        raise _Caught

    client.meta.events.register("before-send", catch)
    try:
        getattr(client, operation)(**arguments)
    except _Caught:
        pass
    finally:
        client.meta.events.unregister("before-send", catch)
    [request] = caught
    headers = {name: value.decode() if isinstance(value, bytes) else str(value) for name, value in request.headers.items()}
    return made(request.method or "", request.url or "", **headers), _content(request.body)


def _content(body: object) -> bytes:
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes | bytearray | None):
        return bytes(body or b"")
    assert isinstance(body, io.BufferedIOBase)
    return body.read()


def made(method: str, url: str, **headers: str) -> Request:
    """A request to a URL, with its host."""
    target = urlsplit(url)
    lower = {"host": target.netloc, **{name.lower(): value for name, value in headers.items()}}
    return Request(method, target.path or "/", target.query, tuple(lower.items()))


def with_headers(request: Request, **headers: str) -> Request:
    """With other values of headers (``_`` for ``-``)."""
    changed = {name.replace("_", "-"): value for name, value in headers.items()}
    kept = tuple(pair for pair in request.headers if pair[0] not in changed)
    return replace(request, headers=(*kept, *changed.items()))


def judged(
    request: Request, body: bytes = b"", now: datetime | None = None, rules: Rules = RULES, pieces: int = 7
) -> Refusal | None:
    """What the guard says of a request, whose body comes in pieces; None: it passes."""
    check = decide(request, rules, now or datetime.now(UTC))
    if isinstance(check, Refusal):
        return check
    size = max(1, -(-len(body) // pieces))
    for start in range(0, len(body), size):
        refusal = check.feed(body[start : start + size])
        if refusal is not None:
            return refusal
    return check.end()


def reason(request: Request, body: bytes = b"", now: datetime | None = None, rules: Rules = RULES) -> Reason | None:
    refusal = judged(request, body, now, rules)
    return None if refusal is None else refusal.reason


Change = Callable[[Request], Request]
