"""The service's socket."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette

from sagemaker_emulator.engines.shell import serving
from sagemaker_emulator.listener import listen


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


def test_neither_does_what_a_models_server_sends(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    protocols: list[int] = []

    def run(_: uvicorn.Server, sockets: list[socket.socket]) -> None:
        for listener in sockets:
            protocols.append(listener.proto)
            listener.close()

    monkeypatch.setattr(uvicorn.Server, "run", run)
    monkeypatch.setattr(serving, "end_with_the_service", lambda: None)
    with socket.create_server(("127.0.0.1", 0)) as inherited:
        monkeypatch.setattr("sys.argv", ["serve", "--root", str(tmp_path), "--socket", str(os.dup(inherited.fileno()))])
        serving.run(lambda *_: Starlette())

    assert protocols == [socket.IPPROTO_TCP], "asyncio sets TCP_NODELAY where the socket says that it is TCP"


def test_a_port_that_is_taken_can_not_be_used() -> None:
    with listen(0) as listener, pytest.raises(OSError, match="in use"):
        listen(listener.getsockname()[1])
