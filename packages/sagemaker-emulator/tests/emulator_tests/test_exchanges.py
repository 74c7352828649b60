"""How the service asks a container: on connections that stay open, and never with the answer to another request."""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from sagemaker_emulator.hosting.connection import Address
from sagemaker_emulator.hosting.exchanges import Exchanges, Lost, Response

GOOD = b"HTTP/1.1 200 OK\r\ncontent-type: text/csv\r\ncontent-length: 4\r\n\r\n0.5\n"


@dataclass
class Container:
    """Reads a request and writes the next of its answers; after an empty one it ends the connection."""

    answers: list[bytes]
    address: Address = field(init=False)
    connections: int = 0
    asked: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                self.asked.append(head + await reader.readexactly(length))
                answer = self.answers.pop(0)
                if not answer:
                    break
                # Piece by piece, as it may come.
                size = max(40, len(answer) // 100)
                for start in range(0, len(answer), size):
                    writer.write(answer[start : start + size])
                    await writer.drain()
                    await asyncio.sleep(0)
                if answer.startswith(b"HTTP/1.0"):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def container(
    *answers: bytes, unix: str | None = None
) -> AsyncIterator[tuple[Container, Callable[..., Awaitable[Response]]]]:
    """A container, and how it is asked; when this is left the service has no connection any more."""
    made = Container(list(answers))
    exchanges = Exchanges()
    if unix is None:
        server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
        made.address = Address("http://127.0.0.1:{1}".format(*server.sockets[0].getsockname()))
    else:
        server = await asyncio.start_unix_server(made.serve, unix)
        made.address = Address("http://localhost:8080", unix)

    async def ask(body: bytes = b"1,2", seconds: float = 5, **headers: str) -> Response:
        return await exchanges.post(made.address, "/invocations", headers, body, seconds)

    try:
        yield made, ask
    finally:
        server.close()
        exchanges.close()
        await asyncio.sleep(0.01)


def test_one_connection_serves_one_request_after_the_other() -> None:
    async def scenario() -> None:
        async with container(GOOD, GOOD) as (asked, ask):
            first, second = await ask(b"1,2", accept="text/csv"), await ask(b"3,4,5")

            assert (first.status, first.headers["content-type"], first.body) == (200, "text/csv", b"0.5\n")
            assert first == second
            assert asked.connections == 1
            assert asked.asked[0].startswith(b"POST /invocations HTTP/1.1\r\nhost: 127.0.0.1:")
            assert b"\r\naccept: text/csv\r\n" in asked.asked[0]
            assert b"\r\naccept: */*\r\n" in asked.asked[1]
            assert asked.asked[1].endswith(b"\r\ncontent-length: 5\r\n\r\n3,4,5")

    asyncio.run(scenario())


def test_a_big_body_goes_and_comes_whole() -> None:
    body = b"0123456789abcdef" * 390_000
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)

    async def scenario() -> None:
        async with container(answer, GOOD) as (asked, ask):
            assert (await ask(body)).body == body
            assert asked.asked[0].endswith(b"\r\n\r\n" + body)
            assert (await ask()).body == b"0.5\n"

    asyncio.run(scenario())


def test_requests_at_the_same_time_have_connections_of_their_own() -> None:
    async def scenario() -> None:
        async with container(*[GOOD] * 6) as (asked, ask):
            assert {response.body for response in await asyncio.gather(*(ask() for _ in range(3)))} == {b"0.5\n"}
            await asyncio.gather(*(ask() for _ in range(3)))

            assert asked.connections == 3

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n0.\r\n2\r\n5\n\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n0.5\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD,
        GOOD.replace(b"content-length", b"connection: close\r\ncontent-length"),
    ],
    ids=["in chunks", "until the end of the connection", "after an interim answer", "the last on its connection"],
)
def test_an_answer_is_read_however_http_writes_it(answer: bytes) -> None:
    async def scenario() -> None:
        async with container(answer, GOOD) as (_, ask):
            assert (await ask()).body == b"0.5\n"
            assert (await ask()).body == b"0.5\n"

    asyncio.run(scenario())


def test_an_error_of_the_container_is_its_answer() -> None:
    async def scenario() -> None:
        async with container(b"HTTP/1.1 415 No\r\ncontent-length: 7\r\n\r\nno \xff csv") as (_, ask):
            response = await ask()

            assert (response.status, response.is_success, response.text) == (415, False, "no \N{REPLACEMENT CHARACTER} cs")

    asyncio.run(scenario())


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\n", b"garbage\r\n\r\n", GOOD[:-1]], ids=repr)
def test_a_container_that_does_not_answer_is_lost_and_asked_anew_by_the_next(answer: bytes) -> None:
    """The last of them has said that there is more."""

    async def scenario() -> None:
        async with container(answer, b"", GOOD) as (asked, ask):
            with pytest.raises((Lost, TimeoutError)):
                await ask(seconds=0.05)
            with pytest.raises(Lost):
                await ask()
            assert (await ask()).body == b"0.5\n"
            assert asked.connections == 3

    asyncio.run(scenario())


def test_where_nobody_listens_the_container_is_lost() -> None:
    async def scenario() -> None:
        async with container() as (gone, _):
            pass
        with pytest.raises(Lost, match="onnect"):
            await Exchanges().post(gone.address, "/invocations", {}, b"", 5)

    asyncio.run(scenario())


@pytest.mark.parametrize("more", [GOOD.replace(b"0.5", b"9.9"), GOOD[:30], b"0"])
def test_what_nobody_has_asked_for_is_not_taken_for_the_next_answer(more: bytes) -> None:
    async def scenario() -> None:
        async with container(GOOD + more, GOOD) as (asked, ask):
            assert (await ask()).body == b"0.5\n"
            assert (await ask()).body == b"0.5\n"
            assert asked.connections == 2

    asyncio.run(scenario())


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's abstract namespace")
def test_a_container_in_a_network_of_its_own_is_reached_by_its_unix_socket() -> None:
    async def scenario() -> None:
        async with container(GOOD, GOOD, unix=f"\0sagemaker-{uuid.uuid4()}") as (asked, ask):
            assert (await ask()).body == b"0.5\n"
            assert (await ask()).body == b"0.5\n"
            assert asked.connections == 1
            assert b"\r\nhost: localhost:8080\r\n" in asked.asked[0]

    asyncio.run(scenario())


def test_a_container_that_has_ended_is_forgotten() -> None:
    async def ask_and_end() -> None:
        exchanges = Exchanges()
        made = Container([GOOD, b""])
        server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
        address = Address("http://127.0.0.1:{1}".format(*server.sockets[0].getsockname()))
        await exchanges.post(address, "/invocations", {}, b"1,2", 5)
        assert exchanges.containers == 1

        with pytest.raises(Lost):
            await exchanges.post(address, "/invocations", {}, b"1,2", 5)
        server.close()

        assert exchanges.containers == 0

    asyncio.run(ask_and_end())
