"""The HTTP server: routes, and errors on their way out."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sagemaker_emulator import protocol
from sagemaker_emulator.callers import Callers
from sagemaker_emulator.errors import ServiceError
from sagemaker_emulator.hosting import invoke
from sagemaker_emulator.invocations import Invocations
from sagemaker_emulator.operations import Operations

logger = logging.getLogger(__name__)

_JSON = "application/x-amz-json-1.1"


def application(
    runtime: invoke.Runtime,
    operations: Operations,
    callers: Callers,
    restart_report: Callable[[], object],
    more: Sequence[Route] = (),
) -> ASGIApp:
    """SageMaker's API at ``/``, its runtime at ``/endpoints/{name}/invocations``, ``/ping`` and the restart report.

    ``more`` are routes of the runtime that have a place of their own.
    """

    async def control(request: Request) -> Response:
        headers, body = _lower(request), await request.body()
        try:
            result = await run_in_threadpool(protocol.answer, runtime.parts, operations, callers, headers, body)
        except ServiceError as error:
            return _response(protocol.error_body(error), error.status, _JSON, {"x-amzn-ErrorType": error.code})
        except Exception:
            logger.exception("%s", headers.get("x-amz-target"))
            failure = ServiceError(
                "InternalFailure", "The local SageMaker service failed; its log has the traceback.", status=500
            )
            return _response(protocol.error_body(failure), 500, _JSON, {})
        return _response(json.dumps(result).encode(), 200, _JSON, {})

    @asynccontextmanager
    async def until_the_end(_: Starlette) -> AsyncIterator[None]:
        yield
        runtime.exchanges.close()

    async def ping(_: Request) -> Response:
        return Response(status_code=200)

    async def report(_: Request) -> Response:
        return JSONResponse(restart_report())

    others = Starlette(
        routes=[
            Route("/", control, methods=["POST"]),
            *more,
            Route("/ping", ping, methods=["GET"]),
            Route("/_emulator/restart-report", report, methods=["GET"]),
            Route("/{path:path}", _unknown, methods=["GET", "POST", "PUT", "DELETE"]),
        ],
        lifespan=until_the_end,
    )
    return Invocations(runtime, callers, others)


async def _unknown(request: Request) -> Response:
    asked = f"{request.method} {request.url.path}"
    operation = protocol.runtime_operation(request.method, request.url.path)
    message = f"The local SageMaker service does not implement {f'{operation} ({asked})' if operation else asked}."
    error = ServiceError("UnknownOperationException", message, status=404)
    return _response(invoke.error_body(error), error.status, "application/json", {"x-amzn-ErrorType": error.code})


def _lower(request: Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _response(body: bytes, status: int, media_type: str | None, headers: dict[str, str]) -> Response:
    return Response(body, status, {**headers, "x-amzn-RequestId": str(uuid.uuid4())}, media_type)
