"""Ports for stacks that tests start."""

from __future__ import annotations

import os
import random
from pathlib import Path

from sageline_local.ports import is_free

_OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A port that is free, with free ones after it for SageMaker and Application Auto Scaling.

    Below the range from which the system takes the ports of outgoing connections, so that it stays free while a server on it is
    stopped and started again. Workers that test side by side take theirs from ranges of their own.
    """
    top = min(32_000, _first_outgoing())
    lowest = min(20_000, top // 2)
    share = (top - lowest) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    start = lowest + share * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    while True:
        port = random.randrange(start, start + share - 2)
        if all(is_free(port + following) for following in range(3)):
            return port


def _first_outgoing() -> int:
    """The lowest port that the system takes for outgoing connections."""
    try:
        return int(_OUTGOING.read_text().split()[0])
    except OSError:
        return 32_768
