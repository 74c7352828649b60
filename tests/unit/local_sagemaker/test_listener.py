"""The service's socket."""

from __future__ import annotations

import asyncio
import socket

import pytest

from local.sagemaker.listener import listen


def test_what_is_sent_on_an_accepted_connection_does_not_wait_for_acknowledgements() -> None:
    async def accepted() -> int:
        connections: asyncio.Queue[socket.socket] = asyncio.Queue()

        async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await connections.put(writer.get_extra_info("socket"))
            writer.close()

        with listen(0) as listener:
            async with await asyncio.start_server(connected, sock=listener):
                _, writer = await asyncio.open_connection(*listener.getsockname())
                no_delay: int = (await connections.get()).getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
                writer.close()
                await writer.wait_closed()
        return no_delay

    assert asyncio.run(accepted()) != 0


def test_a_port_that_is_taken_can_not_be_used() -> None:
    with listen(0) as listener, pytest.raises(OSError, match="in use"):
        listen(listener.getsockname()[1])
