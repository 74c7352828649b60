"""Ports of this machine."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass

import psutil

from sageline_local.errors import PortInUse


@dataclass(frozen=True)
class Ports:
    """Of a stack's servers."""

    ministack: int
    sagemaker: int
    autoscaling: int


_TRIES = 200
_LETTING_GO_SECONDS = 5.0
_POLL_SECONDS = 0.05


def is_free(port: int) -> bool:
    """Whether nothing listens on that port of 127.0.0.1, and this process may."""
    with socket.socket() as probe:
        # Connections that an ended server leaves behind do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    with socket.socket() as probe:
        # Where binding beside a listener on all interfaces is allowed.
        refused: int = probe.connect_ex(("127.0.0.1", port))
    return refused != 0


def is_let_go(port: int) -> bool:
    """Whether a port is free, or becomes so in some seconds: the system closes a killed server's port when its last thread has
    ended, which may be a moment after the process counts as ended."""
    deadline = time.monotonic() + _LETTING_GO_SECONDS
    while not is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def require_free(port: int, *, let_go: bool = False) -> None:
    """
    Args:
        let_go: the port was a server's that has just ended, so it may take a moment (:func:`is_let_go`).

    Raises:
        PortInUse: with the program that has it, as far as the system tells.
    """
    if is_let_go(port) if let_go else is_free(port):
        return
    owner = _listener(port)
    raise PortInUse(
        f"Port {port} is in use{f' by {owner}' if owner else ''}. Stop that program, or choose another port: "
        f"`sageline local up --port {port + 100 if port < 65000 else 4566}` (or set SAGELINE_PORT)."
    )


def choose(after: int, preferred: int | None = None) -> int:
    """A free port: the preferred one, or else the next free one after another.

    Raises:
        PortInUse: none of the next 200 is free.
    """
    candidates = [] if preferred is None else [preferred]
    candidates += range(after + 1, min(after + _TRIES, 65536))
    for port in candidates:
        if is_free(port):
            return port
    raise PortInUse(f"No port from {after + 1} to {after + _TRIES} is free: choose another with `--port`.")


def _listener(port: int) -> str | None:
    """Name and id of the program that listens there; None if the system does not tell."""
    try:
        connections = psutil.net_connections("tcp")
    except (psutil.Error, OSError):
        return None
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port and connection.pid:
            try:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
            except psutil.Error:
                return None
    return None
