"""Requests to containers' servers from the event loop, on connections that stay open.

The bytes are read by httptools, as uvicorn reads them. A client library with its objects, or a thread for each request, takes
longer than a small model.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

import httptools

from sagemaker_emulator.hosting.connection import Address

_MOST_CONNECTIONS = 100


class Lost(Exception):
    """The container cannot be reached, has ended the connection, or does not answer by HTTP."""


@dataclass(frozen=True)
class Response:
    """A container's answer; names of ``headers`` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


class Exchanges:
    """The connections to all containers, for one event loop."""

    def __init__(self) -> None:
        self._servers: dict[Address, _Server] = {}

    async def post(self, address: Address, path: str, headers: Mapping[str, str], body: bytes, seconds: float) -> Response:
        """The answer to one request; redirects are answers.

        Raises:
            TimeoutError: there was none within ``seconds``, or no connection.
            Lost: as it says. The request may have reached the container all the same.
        """
        server = self._servers.get(address)
        if server is None:
            # Each container has an address of its own: it is forgotten with its last connection.
            server = self._servers[address] = _Server(address, partial(self._servers.pop, address, None))
        async with server.room:
            connection = server.idle.pop() if server.idle else await asyncio.wait_for(server.connect(), seconds)
            try:
                return await connection.ask(server.head(path, headers, body), body, seconds)
            finally:
                connection.done()

    @property
    def containers(self) -> int:
        """To how many there are connections."""
        return len(self._servers)

    def close(self) -> None:
        """End all connections."""
        for server in list(self._servers.values()):
            for connection in list(server.open):
                connection.end()


class _Server:
    """A container's server, and the connections to it."""

    def __init__(self, address: Address, when_unused: Callable[[], object]) -> None:
        self.room = asyncio.Semaphore(_MOST_CONNECTIONS)
        self.idle: list[_Connection] = []
        self.open: set[_Connection] = set()
        self._when_unused = when_unused
        self._unix = address.unix
        self._url = urlsplit(address.url)

    def lost(self, connection: _Connection) -> None:
        self.open.discard(connection)
        if connection in self.idle:
            self.idle.remove(connection)
        if not self.open:
            self._when_unused()

    def head(self, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
        """The head of a POST request. Who accepts nothing in particular accepts everything, as HTTP clients say by default."""
        given = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        accept = "" if "accept" in headers else "accept: */*\r\n"
        text = f"POST {path} HTTP/1.1\r\nhost: {self._url.netloc}\r\n{accept}{given}content-length: {len(body)}\r\n\r\n"
        return text.encode("latin-1")

    async def connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        family, protocol = (socket.AF_UNIX, 0) if self._unix else (socket.AF_INET, socket.IPPROTO_TCP)
        link = socket.socket(family, socket.SOCK_STREAM, protocol)
        try:
            link.setblocking(False)
            await loop.sock_connect(link, self._unix or (self._url.hostname, self._url.port))
            open_connection = loop.create_unix_connection if self._unix else loop.create_connection
            _, connection = await open_connection(lambda: _Connection(self), sock=link)
        except OSError as error:
            link.close()
            raise Lost(str(error)) from error
        except BaseException:
            link.close()
            raise
        return connection


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Response] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._has_head = False
        self._stays_open = True

    def ask(self, head: bytes, body: bytes, seconds: float) -> asyncio.Future[Response]:
        """Send a request; the future raises :class:`Lost`, or TimeoutError after ``seconds``."""
        loop = asyncio.get_running_loop()
        self._answer = loop.create_future()
        if self._transport is None:
            self._answer.set_exception(Lost("it has ended the connection"))
        else:
            self._timer = loop.call_later(seconds, self._fail, TimeoutError())
            self._transport.writelines((head, body))
        return self._answer

    def done(self) -> None:
        """Whoever asked waits no more: the next may have the connection, if nothing is on its way on it."""
        answer = self._answer
        answered = answer is not None and answer.done() and not answer.cancelled() and answer.exception() is None
        sent = self._transport is not None and not self._transport.get_write_buffer_size()
        self._answer = None
        if self._timer is not None:
            self._timer.cancel()
        if answered and sent and self._stays_open:
            self._server.idle.append(self)
        else:
            self.end()

    def end(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream's, as asyncio types it for all protocols
        self._server.open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._server.lost(self)
        measured = {"content-length", "transfer-encoding"} & self._headers.keys()
        if exc is None and self._has_head and not measured:
            # As servers of HTTP/1.0 end an answer.
            self._stays_open = False
            self._complete()
        else:
            self._fail(Lost(str(exc or "it has ended the connection")))

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            # What nobody has asked for would be taken for the next answer.
            self.end()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(Lost(f"it does not answer by HTTP: {error}"))
            self.end()

    def on_message_begin(self) -> None:
        if self._answer is None or self._answer.done():
            self._stays_open = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._has_head = True

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        self._stays_open = self._stays_open and self._parser.should_keep_alive()
        self._complete()

    def _complete(self) -> None:
        response = Response(self._parser.get_status_code(), self._headers, b"".join(self._body))
        self._headers, self._body, self._has_head = {}, [], False
        is_interim = response.status < 200
        if self._answer is not None and not self._answer.done() and not is_interim:
            self._answer.set_result(response)

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
