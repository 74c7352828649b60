"""InvokeEndpoint's part of the HTTP server: ``POST /endpoints/{name}/invocations``.

An ASGI application by itself: Starlette's routing and objects would be a sixth of what an invocation costs the service.
"""

from __future__ import annotations

import logging
import re
import uuid

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from sagemaker_emulator import protocol
from sagemaker_emulator.callers import Callers
from sagemaker_emulator.errors import ServiceError
from sagemaker_emulator.hosting import invoke

logger = logging.getLogger(__name__)

_PATH = re.compile(r"/endpoints/(?P<name>[^/]+)/invocations")


class Invocations:
    """Answers invocations; every other request goes to the ``rest``."""

    def __init__(self, runtime: invoke.Runtime, callers: Callers, rest: ASGIApp) -> None:
        self._runtime = runtime
        self._callers = callers
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = _PATH.fullmatch(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if found is None:
            await self._rest(scope, receive, send)
            return
        body = await _body(receive)
        if body is None:
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        status, answer = await self._answer(found["name"], headers, body)
        fields = {**answer.headers, "x-amzn-RequestId": str(uuid.uuid4()), "content-length": str(len(answer.body))}
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, name: str, headers: dict[str, str], body: bytes) -> tuple[int, invoke.Answer]:
        authorization = headers.get("authorization")
        try:
            caller = self._callers.at_hand(authorization)
            if caller is None:
                caller = await run_in_threadpool(self._callers.identify, authorization)
            protocol.check_invocation(name, headers)
            return 200, await invoke.invoke_endpoint(self._runtime, caller, name, headers, body)
        except ServiceError as error:
            return 403 if error.code == "AccessDeniedException" else error.status, _failed(error)
        except Exception:
            logger.exception("InvokeEndpoint %s", name)
            message = "The local SageMaker service failed; its log has the traceback."
            return 500, _failed(ServiceError("InternalFailure", message))


def _failed(error: ServiceError) -> invoke.Answer:
    return invoke.Answer(invoke.error_body(error), {"Content-Type": "application/json", "x-amzn-ErrorType": error.code})


async def _body(receive: Receive) -> bytes | None:
    """None when the client has gone."""
    pieces = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(pieces)
