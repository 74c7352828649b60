"""Ports that are free, and what is said of those that are not."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator

import pytest

from sageline_local import ports
from sageline_local.errors import PortInUse


@pytest.fixture
def used() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        yield port


def test_a_port_that_somebody_listens_on_is_not_free(used: int) -> None:
    assert not ports.is_free(used)


def test_a_used_port_is_refused_with_its_owner_and_what_to_do(used: int) -> None:
    with pytest.raises(PortInUse, match=rf"Port {used} is in use by .*process {os.getpid()}.*`sageline local up --port \d+`"):
        ports.require_free(used)


def test_the_next_free_port_is_chosen(used: int) -> None:
    chosen = ports.choose(used - 1)

    assert used < chosen < used + 200
    assert ports.is_free(chosen)


def test_the_port_of_the_last_time_is_preferred_while_it_is_free(used: int) -> None:
    free = ports.choose(used)

    assert ports.choose(4000, preferred=free) == free
    assert ports.choose(4000, preferred=used) != used


@pytest.mark.slow
def test_the_port_of_a_server_that_is_just_ending_is_waited_for() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    threading.Timer(0.3, server.close).start()

    ports.require_free(port, let_go=True)

    assert server.fileno() == -1, "it has ended"


def test_a_port_that_is_not_let_go_is_refused_in_the_end(used: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_LETTING_GO_SECONDS", 0.1)

    with pytest.raises(PortInUse):
        ports.require_free(used, let_go=True)
