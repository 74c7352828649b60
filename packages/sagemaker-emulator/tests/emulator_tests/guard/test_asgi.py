"""The guard before an application: what gets there, when, and what comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from emulator_tests.guard.signed import BUCKET, RULES, client, made, sent, with_headers
from sagemaker_emulator.guard.asgi import Guard
from sagemaker_emulator.guard.decision import Rules
from sagemaker_emulator.guard.request import Request


@dataclass
class Application:
    """Reads the body, remembers it, and lets every page read the answer."""

    asked: int = 0
    bodies: list[bytes] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        body, more = b"", True
        while more:
            message = await receive()
            self.pieces.append(message["type"])
            if message["type"] == "http.disconnect":
                return
            body, more = body + message["body"], message["more_body"]
        self.bodies.append(body)
        headers = [
            (b"content-type", b"text/plain"),
            (b"Access-Control-Allow-Origin", b"*"),
            (b"access-control-allow-headers", b"*"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"done"})


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def exchange(app: Guard, request: Request, body: Iterable[bytes] = (b"",), headers: object = None) -> Answer:
    """The answer to a request whose body comes in pieces."""
    parts = list(body)
    incoming: list[Message] = [
        {"type": "http.request", "body": part, "more_body": number < len(parts) - 1} for number, part in enumerate(parts)
    ]
    outgoing: list[Message] = []

    async def receive() -> Message:
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        outgoing.append(message)

    scope = {
        "type": "http",
        "method": request.method,
        "path": unquote(request.path),
        "raw_path": request.path.encode(),
        "query_string": request.query.encode(),
        "headers": headers or [(name.encode(), value.encode()) for name, value in request.headers],
    }
    asyncio.run(app(scope, receive, send))
    start, content = outgoing
    return Answer(start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, content["body"])


def put(content: bytes = b"content") -> Request:
    return sent(client("s3"), "put_object", Bucket=BUCKET, Key="k", Body=content)[0]


def test_what_is_refused_never_reaches_the_application() -> None:
    app = Application()

    answer = exchange(Guard(app, RULES), with_headers(put(), origin="https://evil.example"), [b"content"])

    assert (answer.status, app.asked) == (403, 0)
    assert b"<Code>AccessDenied</Code>" in answer.body
    assert answer.headers["connection"] == "close"


def test_no_answer_lets_a_page_read_it() -> None:
    answer = exchange(Guard(Application(), RULES), put(), [b"content"])

    assert (answer.status, answer.body, answer.headers) == (200, b"done", {"content-type": "text/plain"})


def test_a_big_upload_passes_piece_by_piece() -> None:
    content = b"x" * 1000
    app = Application()

    assert exchange(Guard(app, RULES), put(content), [content[:400], content[400:900], content[900:]]).status == 200
    assert app.pieces == ["http.request"] * 3
    assert app.bodies == [content]


def test_an_upload_that_was_changed_ends_before_its_last_piece() -> None:
    app = Application()

    answer = exchange(Guard(app, RULES), put(b"x" * 1000), [b"x" * 400, b"x" * 599 + b"y"])

    assert (answer.status, app.bodies) == (403, [])
    assert b"XAmzContentSHA256Mismatch" in answer.body
    assert app.pieces == ["http.request", "http.disconnect"]


def test_a_body_whose_hash_is_signed_is_known_before_the_application_is_asked() -> None:
    request, body = sent(client("dynamodb"), "get_item", TableName="t", Key={"id": {"S": "1"}})
    app = Application()

    assert exchange(Guard(app, RULES), request, [body[:5], body[5:]]).status == 200
    assert app.bodies == [body]

    refused = exchange(Guard(app, RULES), request, [body[:5], body[5:] + b" "])
    assert (refused.status, app.asked) == (403, 1)
    assert json.loads(refused.body)["__type"] == "InvalidSignatureException"


def test_what_an_application_says_of_a_body_that_was_refused_is_not_sent() -> None:
    async def write(request: StarletteRequest) -> Response:
        return Response(await request.body())

    app = Starlette(routes=[Route("/{path:path}", write, methods=["PUT"])])

    answer = exchange(Guard(app, RULES), put(), [b"con", b"tend"])

    assert answer.status == 403
    assert b"XAmzContentSHA256Mismatch" in answer.body


def test_web_sockets_are_closed_before_they_open() -> None:
    app = Application()
    outgoing: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        outgoing.append(message)

    asyncio.run(Guard(app, RULES)({"type": "websocket", "path": "/", "headers": []}, receive, send))

    assert outgoing == [{"type": "websocket.close", "code": 1008}]
    assert app.asked == 0


def test_names_of_headers_that_are_not_ascii_are_refused() -> None:
    headers = [(b"host", b"127.0.0.1:4566"), ("x-ämz".encode(), b"x")]

    assert exchange(Guard(Application(), RULES), made("GET", "http://127.0.0.1:4566/ping"), headers=headers).status == 400


def test_a_page_that_may_call_may_read_the_answer_and_no_other_may() -> None:
    rules = Rules(lambda key: None, is_open=lambda _: True, lets_page_call=lambda _: True)

    def answered(**headers: str) -> Answer:
        return exchange(Guard(Application(), rules), made("GET", "http://127.0.0.1:4566/api", **headers))

    assert answered(origin="https://app.example").headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in answered().headers
    assert "Access-Control-Allow-Origin" not in answered(origin="http://127.0.0.1:4566").headers
