"""What isolation costs: ``python -m tests.benchmarks.isolation``.

Each kind of container in turn, so that all see the same machine. Prints the medians, in milliseconds, of the start of a
container's program until it answers, and of a warm invocation.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.responses import Response

from sagemaker_emulator.children import code_roots
from sagemaker_emulator.hosting.connection import listening
from sagemaker_emulator.isolation.machine import Abilities, Cluster, look

STARTS, INVOCATIONS = 15, 400
NONE = Abilities(network=False, files=False)


def application(_model: Path, _environment: Mapping[str, str]) -> Starlette:
    from sagemaker_emulator.engines.shell import serving  # noqa: PLC0415  # the container's part of this file

    return serving.application(lambda invocation: Response(invocation.body), 1 << 20)


def measure(abilities: Abilities, *, isolated: bool, home: Path) -> tuple[float, list[float]]:
    """Milliseconds until the container has answered ``/ping``, and of each invocation after that."""
    own = home / "container"
    own.mkdir(exist_ok=True)
    cluster = Cluster(abilities, (str(home),), own, isolated=isolated)
    begun = time.perf_counter()
    with listening(own_network=cluster.has_own_network) as (listener, address):
        arguments = ["--root", str(own), "--socket", str(listener.fileno())]
        path = os.pathsep.join(map(str, (*code_roots(), Path(__file__).parents[2])))
        child = cluster.start("tests.benchmarks.isolation", arguments, {"PYTHONPATH": path}, own, keep_open=listener.fileno())
    with address.client(60) as client:
        answered(client)
        start = time.perf_counter() - begun
        times = []
        for _ in range(INVOCATIONS):
            sent = time.perf_counter()
            client.post("/invocations", content=b"1,2,3\n" * 10)
            times.append(1000 * (time.perf_counter() - sent))
    child.end(5)
    cluster.close()
    return 1000 * start, times


def answered(client: httpx.Client) -> None:
    if client.get("/ping").status_code != 200:
        raise RuntimeError("the container does not answer")


def main() -> None:
    found = look()
    if not (found.network and found.files):
        sys.exit(found.missing)
    kinds = {"neither": (NONE, False), "files hidden": (found, False), "files hidden, isolated": (found, True)}
    starts: dict[str, list[float]] = {kind: [] for kind in kinds}
    warm: dict[str, list[float]] = {kind: [] for kind in kinds}
    with tempfile.TemporaryDirectory() as directory:
        for _ in range(STARTS):
            for kind, (abilities, isolated) in kinds.items():
                start, times = measure(abilities, isolated=isolated, home=Path(directory))
                starts[kind].append(start)
                warm[kind] += times
    for kind in kinds:
        start, invocation = statistics.median(starts[kind]), statistics.median(warm[kind])
        sys.stdout.write(f"{kind:24} start {start:7.1f} ms   warm invocation {invocation:6.3f} ms\n")


if __name__ == "__main__":
    if "--root" in sys.argv:
        from sagemaker_emulator.engines.shell import serving

        serving.run(application)
    else:
        main()
