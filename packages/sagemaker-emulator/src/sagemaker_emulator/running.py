"""What runs at a moment: the runs of jobs with their threads, and the places that there are for them."""

from __future__ import annotations

import os
import threading
from typing import Generic, Protocol, TypeVar

_END_SECONDS = 20


class Run(Protocol):
    """The run of one job."""

    def abort(self, reason: str) -> None:
        """End at once as Failed with ``reason``."""


class WaitingRun(Protocol):
    """A run that may be stopped before it has begun."""

    def ended_early(self) -> bool: ...


R = TypeVar("R", bound=Run)


class Running(Generic[R]):
    """Runs by the names of their jobs. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._runs: dict[str, tuple[R, threading.Thread]] = {}
        self._lock = threading.Lock()

    def add(self, name: str, run: R, thread: threading.Thread) -> None:
        with self._lock:
            self._runs[name] = (run, thread)

    def get(self, name: str) -> R | None:
        with self._lock:
            found = self._runs.get(name)
        return found[0] if found else None

    def forget(self, name: str) -> None:
        with self._lock:
            self._runs.pop(name, None)

    def abort_all(self, reason: str) -> None:
        """Abort every run, and wait some seconds for each to have ended."""
        with self._lock:
            runs = list(self._runs.values())
        for run, _ in runs:
            run.abort(reason)
        for _, thread in runs:
            thread.join(timeout=_END_SECONDS)


class Slots:
    """Places for jobs that run at the same time; those beyond the machine's means wait, as jobs in AWS wait for capacity."""

    def __init__(self) -> None:
        self._free = threading.Semaphore(max(2, (os.cpu_count() or 2) // 2))

    def acquire(self, run: WaitingRun) -> bool:
        """Wait for a place; False when the job was stopped meanwhile."""
        while not run.ended_early():
            if self._free.acquire(timeout=0.5):
                return True
        return False

    def release(self) -> None:
        self._free.release()
