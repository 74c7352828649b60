#!/usr/bin/env python3
"""Bytes from one listening socket to another address and back: so a container reaches a stack that listens on 127.0.0.1 only.

Three relays, one behind the other, hand on what a function sends to a port of the stack:

- in the function's container, this file is Lambda's wrapper script (``AWS_LAMBDA_EXEC_WRAPPER``): it listens on that port of the
  container's own 127.0.0.1, and then starts the runtime;
- a container beside it listens on that port of a Docker network that only these containers are in, and has a folder of this
  machine mounted, with a unix socket for each port;
- on this machine, the command listens on those unix sockets and hands on to 127.0.0.1.

The function finds the stack where every other program does, so what it signs is valid, and so are the URLs that it presigns.
Standard library only, and in one file: the containers have no more.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

Address = str | tuple[str, int]
"""A unix socket's path, or a host and a port."""

UPSTREAMS = "upstreams.json"
"""Beside this file in the container: the address to hand on to, by port."""

READY = "ready"
"""What is printed when connections are taken."""

_CHUNK = 65536
_CONNECT_SECONDS = 5.0


def listen(address: Address) -> socket.socket:
    """
    Raises:
        OSError: the address is taken, or not to be had.
    """
    listener = _socket(address)
    if isinstance(address, tuple):
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def forward(listener: socket.socket, upstream: Address) -> None:
    """Hand on whatever comes; returns when the listener is shut."""
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(client, upstream), daemon=True).start()


def forward_in_background(listeners: Mapping[socket.socket, Address]) -> None:
    """Hand on from each until it is shut."""
    for listener, upstream in listeners.items():
        threading.Thread(target=forward, args=(listener, upstream), daemon=True).start()


def shut(listener: socket.socket) -> None:
    """Closing alone would leave ``accept`` waiting."""
    try:
        listener.shutdown(socket.SHUT_RDWR)
    except OSError as error:
        # macOS has nothing to shut of a listener.
        if error.errno != errno.ENOTCONN:
            raise
    listener.close()


def _serve(client: socket.socket, upstream: Address) -> None:
    server = _socket(upstream)
    with client, server:
        server.settimeout(_CONNECT_SECONDS)
        try:
            server.connect(upstream)
        except OSError:
            # The client sees the connection end, as with a server that is gone.
            return
        server.settimeout(None)
        back = threading.Thread(target=_pump, args=(server, client), daemon=True)
        back.start()
        _pump(client, server)
        back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Until the source has no more; the sink is told so, and may still answer."""
    try:
        while chunk := source.recv(_CHUNK):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        # One of them is gone: the other direction has nobody to serve either.
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


def _socket(address: Address) -> socket.socket:
    """Connections inherit from a listener that what they send does not wait for acknowledgements."""
    if isinstance(address, str):
        return socket.socket(socket.AF_UNIX)
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def main(command: list[str]) -> None:
    """With a command: serve this container's 127.0.0.1 from a process of its own, and become the command. Without: serve the
    container's network until stdin ends, and say when that begins."""
    saved = json.loads(Path(__file__).with_name(UPSTREAMS).read_text())
    upstreams: dict[int, Address] = {
        int(port): upstream if isinstance(upstream, str) else (upstream[0], upstream[1]) for port, upstream in saved.items()
    }
    if command:
        _serve_behind(upstreams)
        os.execvp(command[0], command)  # noqa: S606 # no shell is what is wanted
    for upstream in upstreams.values():
        with _socket(upstream) as probe:
            probe.connect(upstream)
    forward_in_background({listen(("0.0.0.0", port)): upstream for port, upstream in upstreams.items()})  # noqa: S104 # as told
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
    sys.stdin.read()


def _serve_behind(upstreams: Mapping[int, Address]) -> None:
    """Serve 127.0.0.1 from a process of its own."""
    try:
        listeners = {listen(("127.0.0.1", port)): upstream for port, upstream in upstreams.items()}
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        # The runtime starts anew after a time-out; the process that served the last one still does.
        return
    if os.fork() == 0:
        os.setsid()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nowhere, standard)
        forward_in_background(listeners)
        threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1:])
