"""The main function of a serving program: ``/ping`` and ``/invocations`` by uvicorn on the socket that was inherited."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sagemaker_emulator.children import end_with_the_service
from sagemaker_emulator.engines.shell.port import CONTAINER_PORT
from sagemaker_emulator.engines.shell.root import as_seen
from sagemaker_emulator.listener import listen

_MEBIBYTE = 1024**2
_KEEP_ALIVE_SECONDS = 24 * 60 * 60
_DEFAULT_BYTES = 6 * _MEBIBYTE
_MOST_BYTES = 100 * _MEBIBYTE


class CannotLoad(Exception):
    """The model cannot be served; the message goes to the log and to ``failure``, and the program ends with status 1."""


class Refused(Exception):
    """An invocation is answered with an HTTP status of 400 or more and a text."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Invocation:
    """What SageMaker hands to a container of a request."""

    body: bytes
    content_type: str | None
    accept: str | None
    custom_attributes: str | None = None


Answer = Callable[[Invocation], Response]


def most_bytes(environment: Mapping[str, str]) -> int:
    """The largest body: ``MAX_CONTENT_LENGTH``, or a transform job's ``SAGEMAKER_MAX_PAYLOAD_IN_MB`` (0: 100)."""
    if "MAX_CONTENT_LENGTH" in environment:
        return min(int(environment["MAX_CONTENT_LENGTH"]), _MOST_BYTES)
    if "SAGEMAKER_MAX_PAYLOAD_IN_MB" in environment:
        return min(int(environment["SAGEMAKER_MAX_PAYLOAD_IN_MB"]) * _MEBIBYTE or _MOST_BYTES, _MOST_BYTES)
    return _DEFAULT_BYTES


def application(answer: Answer, most: int) -> Starlette:
    """The container's HTTP server: bodies of more than ``most`` bytes are 413; ``answer`` may raise :class:`Refused`."""

    async def ping(_: Request) -> Response:
        return Response(status_code=200)

    async def invocations(request: Request) -> Response:
        body = await request.body()
        if len(body) > most:
            return Response(f"The body has {len(body)} bytes, more than the {most} that are accepted.", 413)
        headers = request.headers
        attributes = headers.get("x-amzn-sagemaker-custom-attributes")
        try:
            return answer(Invocation(body, headers.get("content-type"), headers.get("accept"), attributes))
        except Refused as refused:
            return Response(str(refused), refused.status)

    return Starlette(routes=[Route("/ping", ping), Route("/invocations", invocations, methods=["POST"])])


def run(make: Callable[[Path, Mapping[str, str]], Starlette]) -> None:
    """Serve what ``make`` returns for the model's directory and the environment; it may raise :class:`CannotLoad`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--socket", type=int, required=True)
    arguments = parser.parse_args()
    root = as_seen(arguments.root)
    end_with_the_service()
    try:
        made = make(root / "model", os.environ)
    except CannotLoad as error:
        (root / "failure").write_text(str(error))
        sys.exit(str(error))
    # The service keeps its connections, and must not find one closed just when it asks.
    config = uvicorn.Config(
        made,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=20,
    )
    uvicorn.Server(config).run(sockets=_listeners(arguments.socket))


def _listeners(inherited: int) -> list[socket.socket]:
    """The inherited socket; with a unix socket the container has its own network, and its usual port there for its own code."""
    listener = socket.socket(fileno=inherited)
    if listener.family == socket.AF_UNIX:
        return [listener, listen(CONTAINER_PORT)]
    return [listener]
