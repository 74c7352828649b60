"""How the service reaches a container's server: by TCP, or by a unix socket into a network of the container's own."""

from __future__ import annotations

import contextlib
import socket
import ssl
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from sagemaker_emulator.engines.shell.port import CONTAINER_PORT
from sagemaker_emulator.listener import listen

# There is no TLS on the way to a container, and to load the machine's certificates for each client takes longer than a request.
_NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@dataclass(frozen=True)
class Address:
    """``url``, and the unix socket behind it if there is one."""

    url: str
    unix: str | None = None

    def client(self, timeout: float, *, max_connections: int | None = 100) -> httpx.Client:
        limits = httpx.Limits(max_connections=max_connections, max_keepalive_connections=20)
        transport = httpx.HTTPTransport(verify=_NO_CERTIFICATES, uds=self.unix, limits=limits, trust_env=False)
        return httpx.Client(base_url=self.url, timeout=timeout, trust_env=False, transport=transport)


@contextlib.contextmanager
def listening(*, own_network: bool) -> Iterator[tuple[socket.socket, Address]]:
    """A socket that the child inherits: it can be reached from the first moment, and early requests wait in its queue.

    ``own_network``: the child has a network of its own. A TCP socket of this one would be a way out of it.
    """
    if not own_network:
        with listen(0) as listener:
            yield listener, Address(f"http://127.0.0.1:{listener.getsockname()[1]}")
        return
    with socket.socket(socket.AF_UNIX) as listener:
        # In Linux's abstract namespace, which belongs to the network: no file, and no limit on the length of a path.
        name = f"\0sagemaker-{uuid.uuid4()}"
        listener.bind(name)
        listener.listen()
        yield listener, Address(f"http://localhost:{CONTAINER_PORT}", name)
