"""Where the console listens."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from sageline_cli.console.listener import listener


def test_it_is_the_loopback_and_answers_are_sent_at_once() -> None:
    """asyncio looks at the protocol to turn off Nagle's algorithm, with which an answer takes 40 ms."""
    with closing(listener(0)) as made:
        assert made.getsockname()[0] == "127.0.0.1"
        assert made.proto == socket.IPPROTO_TCP


def test_a_taken_port_is_refused() -> None:
    with closing(listener(0)) as made:
        made.listen()
        with pytest.raises(OSError, match="in use"):
            listener(made.getsockname()[1])
