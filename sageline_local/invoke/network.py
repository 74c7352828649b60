"""The network from containers to the stack, for as long as a command takes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sageline_local.errors import InvokeFailed
from sageline_local.invoke import relay
from sageline_local.invoke.engine import Engine

IN_CONTAINER = ".stack"
"""Folder beside a function's code that holds its end of the network."""

_HOST_OF_DESKTOP = "host.docker.internal"
_MOUNTED = "/relay"


@dataclass(frozen=True)
class StackNetwork:
    """``network``: that containers must be in; None for Docker's own."""

    upstreams: Mapping[int, relay.Address]
    network: str | None

    def put_beside(self, code: Path) -> None:
        """Give a function its end: the script that :func:`wrapper` names."""
        folder = code / IN_CONTAINER
        folder.mkdir()
        _write_end(folder, self.upstreams)


def wrapper(task: str = "/var/task") -> str:
    """The value of ``AWS_LAMBDA_EXEC_WRAPPER``."""
    return f"{task}/{IN_CONTAINER}/relay"


@contextmanager
def open_network(engine: Engine, ports: Sequence[int], folder: Path, image: str) -> Iterator[StackNetwork]:
    """
    Docker Desktop runs containers in a machine of its own, to which no unix socket leads; there its own name for this machine
    leads to 127.0.0.1.

    Args:
        folder: of the command.
        image: any with a Python.

    Raises:
        InvokeFailed: Docker could not make the network or start the container.
    """
    if not engine.shares_sockets:
        yield StackNetwork({port: (_HOST_OF_DESKTOP, port) for port in ports}, None)
        return
    shared = folder / "relay"
    shared.mkdir()
    _write_end(shared, {port: f"{_MOUNTED}/{port}" for port in ports})
    network = network_name(folder)
    with ExitStack() as opened:
        for port in ports:
            listener = _listen_in(shared, str(port))
            opened.callback(relay.shut, listener)
            relay.forward_in_background({listener: ("127.0.0.1", port)})
        engine.make_network(network)
        opened.callback(engine.remove_network, network)
        address = opened.enter_context(_sidecar(engine, network, shared, image))
        yield StackNetwork({port: (address, port) for port in ports}, network)


def network_name(folder: Path) -> str:
    """The Docker network of the command that has this folder."""
    return f"sageline-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"


@contextmanager
def _sidecar(engine: Engine, network: str, shared: Path, image: str) -> Iterator[str]:
    """A container that ends when this process does; its address in the network."""
    process = engine.run_beside(
        ["--name", network, "--network", network, "--volume", f"{shared}:{_MOUNTED}:ro", "--entrypoint", "python3"],
        [image, f"{_MOUNTED}/relay"],
    )
    try:
        if process.stdout is None or process.stdout.readline().strip() != relay.READY:
            _, said = process.communicate()
            raise InvokeFailed(f"The container that leads to the stack did not start: {said.strip()}")
        yield engine.address_of(network)
    finally:
        # The end of its stdin, which a kill of this process brings about too.
        process.communicate()


def _write_end(folder: Path, upstreams: Mapping[int, relay.Address]) -> None:
    shutil.copyfile(relay.__file__, folder / "relay")
    (folder / "relay").chmod(0o755)
    (folder / relay.UPSTREAMS).write_text(json.dumps(upstreams))


def _listen_in(folder: Path, name: str) -> socket.socket:
    """Listen on a unix socket in a folder whose path may be longer than the 107 bytes that a socket's may have."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return relay.listen(f"/proc/self/fd/{descriptor}/{name}")
    finally:
        os.close(descriptor)
