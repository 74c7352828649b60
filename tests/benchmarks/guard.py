"""What the guard before the local stack adds to a request, and to a big upload.

By itself: ``python -m tests.benchmarks.guard``.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import numpy as np
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from rich.console import Console
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sagemaker_emulator.guard.asgi import Guard
from sagemaker_emulator.guard.decision import Rules
from sagemaker_emulator.guard.keys import secrets_of
from tests.benchmarks.report import terminal_table
from tests.benchmarks.results import SAGELINE, Goal, Result
from tests.benchmarks.sizes import FULL, Sizes

UNGUARDED = "without the guard"

_KEY = Credentials("test", "0123456789abcdef0123456789abcdef01234567")
_URL = "http://127.0.0.1:4566"
_JSON = {
    "Content-Type": "application/x-amz-json-1.1",
    "User-Agent": "Boto3/1.43 md/Botocore#1.43 ua/2.1 os/linux",
    "Accept": "*/*",
}
_PIECE = 65536
_MEGABYTES = 64
_MILLISECONDS = 1000


@dataclass(frozen=True)
class Call:
    """A signed request, as a server hands it on."""

    scope: Scope
    body: bytes


def run(sizes: Sizes) -> Iterator[Result]:
    calls = [
        _call(
            "dynamodb",
            "POST",
            "/",
            b'{"TableName": "runs", "Key": {"id": {"S": "wine"}}}',
            {"X-Amz-Target": "DynamoDB_20120810.GetItem"},
        ),
        _call(
            "lambda", "POST", "/2015-03-31/functions/sageline-PrepareDataFunction-0123456789AB/invocations", b'{"run_id": "wine"}'
        ),
        _call("s3", "GET", "/sageline-databucket-0123456789ab?list-type=2&prefix=runs%2Fwine%2F&encoding-type=url", b""),
        _call("s3", "PUT", "/sageline-databucket-0123456789ab/datasets/wine/data.csv", b"1,2,3\n" * 1000),
        _call("execute-api", "GET", "/_aws/execute-api/0123abcd/pipelines?limit=20", b""),
        _call("sagemaker", "POST", "/endpoints/wine/invocations", b"1,2,3,4\n", {"X-Amzn-SageMaker-Target-Variant": "wine-1"}),
    ]
    guarded = Guard(_application, Rules(secrets_of(_KEY.access_key, _KEY.secret_key)))
    contestants: dict[str, ASGIApp] = {SAGELINE: guarded, UNGUARDED: _application}
    each = max(sizes.predictions // len(calls), 20)
    times = asyncio.run(_times(contestants, calls, each, sizes.rounds))
    yield Result(
        job="guard",
        title=f"a signed request through the guard of the local stack, median of {each * len(calls):,}",
        unit="ms",
        samples={name: [float(np.median(taken)) for taken in rounds] for name, rounds in times.items()},
        limits=(UNGUARDED,),
        goals=[Goal(most=0.3)],
        bound="botocore's canonical request, and seven HMACs",
        note="Of DynamoDB, Lambda, S3, the HTTP API and SageMaker, without sockets, before an application that reads the body.",
    )
    upload = _call("s3", "PUT", "/sageline-databucket-0123456789ab/big", os.urandom(1024 * 1024) * _MEGABYTES)
    seconds = asyncio.run(_times(contestants, [upload], 1, sizes.rounds))
    yield Result(
        job="guard_upload",
        title=f"an upload of {_MEGABYTES} MB through the guard of the local stack",
        unit="MB/s",
        samples={name: [_MEGABYTES / taken[0] * _MILLISECONDS for taken in rounds] for name, rounds in seconds.items()},
        limits=(UNGUARDED,),
        bound="SHA-256 of the content",
        note=f"In pieces of {_PIECE // 1024} KB, none of which is kept. Without the guard nothing is done with them.",
    )


async def _times(contestants: dict[str, ASGIApp], calls: list[Call], each: int, rounds: int) -> dict[str, list[list[float]]]:
    """Milliseconds of each request, by contestant and round; both in turn in each round."""
    times: dict[str, list[list[float]]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, app in contestants.items():
            times[name].append([await _milliseconds(app, call) for call in calls for _ in range(each)])
    return times


async def _milliseconds(app: ASGIApp, call: Call) -> float:
    position, status = 0, 0

    async def receive() -> Message:
        nonlocal position
        piece = call.body[position : position + _PIECE]
        position += len(piece)
        return {"type": "http.request", "body": piece, "more_body": position < len(call.body)}

    async def send(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)

    start = time.perf_counter()
    await app(call.scope, receive, send)
    taken = (time.perf_counter() - start) * _MILLISECONDS
    if status != 200:
        raise RuntimeError(f"{call.scope['path']} was answered {status}.")
    return taken


async def _application(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b""})


def _call(service: str, method: str, target: str, body: bytes, headers: dict[str, str] | None = None) -> Call:
    request = AWSRequest(method, _URL + target, {**_JSON, **(headers or {})}, body)
    (S3SigV4Auth if service == "s3" else SigV4Auth)(_KEY, service, "us-east-1").add_auth(request)
    url = urlsplit(_URL + target)
    sent = {"Host": url.netloc, "Content-Length": str(len(body)), **dict(request.headers.items())}
    return Call(
        {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": unquote(url.path),
            "raw_path": url.path.encode(),
            "query_string": url.query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
        },
        body,
    )


if __name__ == "__main__":
    Console(width=150).print(terminal_table(list(run(FULL))))
