"""The sockets that the service and its containers listen on."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette

from sagemaker_emulator.engines.shell import serving
from sagemaker_emulator.hosting.connection import listening
from sagemaker_emulator.listener import listen


def holds_back(listener: socket.socket) -> bool:
    """Whether what is sent on a connection that the listener accepts waits for acknowledgements of what was sent before."""
    with socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            return not accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_what_the_service_sends_does_not_wait_for_acknowledgements() -> None:
    with listen(0) as listener:
        assert not holds_back(listener)


def test_neither_does_what_a_container_sends_on_the_socket_that_it_inherits() -> None:
    with listening(own_network=False) as (listener, _):
        inherited = socket.socket(fileno=os.dup(listener.fileno()))
        with inherited:
            assert not holds_back(inherited)


def test_nor_on_the_port_that_it_has_in_a_network_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    held_back: list[bool] = []

    def run(_: uvicorn.Server, sockets: list[socket.socket]) -> None:
        for listener in sockets:
            if listener.family == socket.AF_INET:
                held_back.append(holds_back(listener))
            listener.close()

    monkeypatch.setattr(uvicorn.Server, "run", run)
    monkeypatch.setattr(serving, "end_with_the_service", lambda: None)
    monkeypatch.setattr(serving, "CONTAINER_PORT", 0)
    with socket.socket(socket.AF_UNIX) as inherited:
        monkeypatch.setattr("sys.argv", ["serve", "--root", str(tmp_path), "--socket", str(os.dup(inherited.fileno()))])
        serving.run(lambda *_: Starlette())

    assert held_back == [False]


def test_a_port_that_is_taken_can_not_be_used() -> None:
    with listen(0) as listener, pytest.raises(OSError, match="in use"):
        listen(listener.getsockname()[1])
