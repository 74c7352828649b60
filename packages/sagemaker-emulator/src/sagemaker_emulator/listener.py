"""The sockets that the service and its containers listen on."""

from __future__ import annotations

import socket


def listen(port: int) -> socket.socket:
    """A listener on a port of 127.0.0.1, 0 for any free one; OSError when the port can not be used.

    Connections inherit TCP_NODELAY from it, whatever server accepts them: without, the second half of each answer waits 40 ms
    for an acknowledgement.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # As create_server does: connections that an ended service leaves behind do not keep the port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener
