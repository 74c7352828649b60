"""The guard as ASGI middleware."""

from __future__ import annotations

import logging
from collections import deque
from datetime import UTC, datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sagemaker_emulator.guard.bodies import BodyCheck
from sagemaker_emulator.guard.decision import Rules, decide
from sagemaker_emulator.guard.refusals import Reason, Refusal
from sagemaker_emulator.guard.request import Request, decoded

logger = logging.getLogger(__name__)

_GONE: Message = {"type": "http.disconnect"}


class Guard:
    """Stands before an application: what it refuses never gets there, and no page of another origin may read an answer, but
    whether an upload of its own has come."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = request_of(scope)
        if isinstance(request, Refusal):
            await _refuse(scope, send, Request("", "", "", ()), request)
            return
        decision = decide(request, self._rules, datetime.now(UTC))
        if isinstance(decision, Refusal):
            await _refuse(scope, send, request, decision)
            return
        exchange = _Exchange(decision, receive, send, is_read_by_page=self._rules.is_upload_of_page(request))
        if await exchange.begin():
            await exchange.hand_on(self._app, scope)
        if exchange.refusal is not None and not exchange.answered:
            await _refuse(scope, send, request, exchange.refusal)


class _Exchange:
    """One request and its answer, as the application sees them."""

    def __init__(self, check: BodyCheck, receive: Receive, send: Send, *, is_read_by_page: bool) -> None:
        self.refusal: Refusal | None = None
        self.answered = False
        """The answer has begun."""
        self._check = check
        self._receive = receive
        self._send = send
        self._is_read_by_page = is_read_by_page
        self._held: deque[Message] = deque()
        self._ended = False

    async def begin(self) -> bool:
        """Read as much of the body as has to be known before the application is asked; whether it may be."""
        while not (self._check.ready or self._ended):
            if not await self._read():
                return False
        return True

    async def hand_on(self, app: ASGIApp, scope: Scope) -> None:
        try:
            await app(scope, self.receive, self.send)
        except Exception:
            # An application that is told that the client has gone may well complain.
            if self.refusal is None:
                raise

    async def receive(self) -> Message:
        if not self._held and not self._ended and not await self._read():
            return _GONE
        return self._held.popleft() if self._held else await self._receive()

    async def send(self, message: Message) -> None:
        if self.refusal is not None and not self.answered:
            return  # the application's answer to a request that is refused
        if message["type"] == "http.response.start":
            self.answered = True
            headers = message.get("headers", [])
            kept = [pair for pair in headers if self._is_read_by_page or not _lets_pages_read(pair[0])]
            message = {**message, "headers": kept}
        await self._send(message)

    async def _read(self) -> bool:
        """Take the next piece of the body in; False if it is refused, or the client has gone."""
        if self.refusal is not None:
            return False
        message = await self._receive()
        if message["type"] != "http.request":
            return False
        self._ended = not message.get("more_body", False)
        self.refusal = self._check.feed(message.get("body", b"")) or (self._check.end() if self._ended else None)
        if self.refusal is not None:
            return False
        self._held.append(message)
        return True


def request_of(scope: Scope) -> Request | Refusal:
    """The head of a request; a refusal if it is not of ASCII where it must be."""
    try:
        path, query = bytes(scope["raw_path"]).decode("ascii"), bytes(scope["query_string"]).decode("ascii")
        headers = tuple((name.decode("ascii").lower(), decoded(value)) for name, value in scope["headers"])
    except UnicodeDecodeError:
        return Refusal(Reason.UNCLEAR, "The request's target and the names of its headers must be ASCII.")
    return Request(scope["method"], path, query, headers)


def _lets_pages_read(header: bytes) -> bool:
    return header.lower().startswith(b"access-control-")


async def _refuse(scope: Scope, send: Send, request: Request, refusal: Refusal) -> None:
    logger.info("refused: %s %.200s: %s", request.method, request.path, refusal.message)
    headers, body = refusal.answer(request)
    if scope.get("http_version", "1.1").startswith("1"):
        # The request may have a body that nobody reads: the connection is not used again.
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": refusal.reason.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else body})
