"""What a container's program leaves running. A process that has begun a session of its own does not end with its group, and
could go on, and change files while they are packed.

All of a container's processes are in its user namespace, which they can not leave.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from pathlib import Path

import psutil

from sagemaker_emulator import children

logger = logging.getLogger(__name__)

_BEGIN_SECONDS = 10.0
_END_SECONDS = 10.0
_PAUSE_SECONDS = 0.002


class Leftovers:
    """The processes of one user namespace."""

    def __init__(self, namespace: int) -> None:
        # Open, so that no other namespace gets the same number.
        self._namespace = namespace

    def end(self) -> None:
        """Kill them all, also those that are begun meanwhile."""
        mine = os.fstat(self._namespace).st_ino
        deadline = time.monotonic() + _END_SECONDS
        while found := [pid for pid in psutil.pids() if _namespace_of(pid) == mine and _runs(pid)]:
            if time.monotonic() > deadline:
                logger.warning("A container's processes could not be ended: %s", found)
                break
            for pid in found:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(_PAUSE_SECONDS)
        os.close(self._namespace)


def of(child: children.Child) -> Leftovers | None:
    """Of a container's first program, as soon as it has a namespace; None if it ends before, and so could start nothing."""
    mine = _namespace_of(os.getpid())
    deadline = time.monotonic() + _BEGIN_SECONDS
    while child.exit_status is None and time.monotonic() < deadline:
        if _namespace_of(child.pid) not in (mine, None):
            with contextlib.suppress(OSError):
                return Leftovers(os.open(_path(child.pid), os.O_RDONLY))
        time.sleep(_PAUSE_SECONDS)
    return None


def _namespace_of(pid: int) -> int | None:
    """None of processes that are gone, or somebody else's."""
    try:
        return _path(pid).stat().st_ino
    except OSError:
        return None


def _path(pid: int) -> Path:
    return Path(f"/proc/{pid}/ns/user")


def _runs(pid: int) -> bool:
    """One that has ended stays until whoever started it has asked for its status, which may be never."""
    try:
        return bool(psutil.Process(pid).status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD))
    except psutil.Error:
        return False
