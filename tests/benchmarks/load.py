"""A load generator: one request, sent again and again over a number of connections that stay open.

A process of its own, on plain sockets, so that it measures the server and not a client: ``python -m tests.benchmarks.load`` reads
an :class:`Order` from its standard input and writes :class:`Taken` to its standard output, both as JSON.
"""

from __future__ import annotations

import base64
import json
import selectors
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from statistics import median, quantiles

_CHUNK = 65536


@dataclass(frozen=True)
class Order:
    """``request`` is all that is sent, in base64; each connection sends it again as soon as it is answered, ``count`` in all.
    ``status`` is what every answer has to be."""

    port: int
    request: str
    connections: int
    count: int
    status: int


@dataclass(frozen=True)
class Taken:
    """The median of the requests in milliseconds, their 95th and 99th percentile, and how many were answered in a second."""

    milliseconds: float
    p95: float
    p99: float
    per_second: float


def measure(port: int, request: bytes, *, connections: int, count: int, status: int = 200) -> Taken:
    """
    Args:
        port: of 127.0.0.1.
        request: with head and body, for HTTP/1.1.

    Raises:
        RuntimeError: an answer of another status.
    """
    order = Order(port, base64.b64encode(request).decode(), connections, count, status)
    command = [sys.executable, "-m", "tests.benchmarks.load"]
    ended = subprocess.run(command, input=json.dumps(asdict(order)), capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(ended.stderr)
    return Taken(**json.loads(ended.stdout))


class _Connection:
    """One request at a time."""

    def __init__(self, port: int, request: bytes, status: int) -> None:
        self._begins = f"HTTP/1.1 {status} ".encode()
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request = request
        self._received = b""
        self._sent = 0.0

    def send(self) -> None:
        self._received, self._sent = b"", time.perf_counter()
        self.socket.sendall(self._request)

    def receive(self) -> float | None:
        """Take what is there; the seconds since the request when its answer is whole."""
        piece = self.socket.recv(_CHUNK)
        self._received += piece
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not piece or (separator and not head.startswith(self._begins)):
            raise RuntimeError(f"The answer is not {self._begins.decode().strip()}: {self._received.decode(errors='replace')}")
        if not separator or len(body) < _content_length(head):
            return None
        return time.perf_counter() - self._sent


def _content_length(head: bytes) -> int:
    return int(head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])


def _send_all(order: Order) -> Taken:
    request = base64.b64decode(order.request)
    open_ones = [_Connection(order.port, request, order.status) for _ in range(order.connections)]
    times: list[float] = []
    with selectors.DefaultSelector() as selector:
        for connection in open_ones:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        begun = time.perf_counter()
        for connection in open_ones:
            connection.send()
        left = order.count - order.connections
        while len(times) < order.count:
            for key, _ in selector.select():
                connection = key.data
                taken = connection.receive()
                if taken is None:
                    continue
                times.append(taken)
                if left > 0:
                    left -= 1
                    connection.send()
        seconds = time.perf_counter() - begun
    for connection in open_ones:
        connection.socket.close()
    hundredths = quantiles(times, n=100, method="inclusive")
    return Taken(1000 * median(times), 1000 * hundredths[94], 1000 * hundredths[98], order.count / seconds)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(_send_all(Order(**json.loads(sys.stdin.read()))))))
