"""Where the console listens: on the loopback only."""

from __future__ import annotations

import socket


def listener(port: int) -> socket.socket:
    """A socket of that port of 127.0.0.1; 0: of any that is free.

    Raises:
        OSError: the port is taken.
    """
    # asyncio sends small answers at once (TCP_NODELAY) only from sockets that say their protocol; from others, every answer waits
    # 40 ms for the browser's acknowledgement of its head.
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("127.0.0.1", port))
    except OSError:
        made.close()
        raise
    return made
