"""What training, transform and tuning jobs share: a thread for each, and everybody told of every change of its document."""

from __future__ import annotations

import logging
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from sagemaker_emulator.clock import now
from sagemaker_emulator.errors import JobFailed, invalid
from sagemaker_emulator.parts import Parts
from sagemaker_emulator.store import Document

logger = logging.getLogger(__name__)

IN_PROGRESS, STOPPING = "InProgress", "Stopping"
TERMINAL = ("Completed", "Failed", "Stopped")
_STOPPED_WITH_THE_SERVICE = (
    "InternalServerError: the local SageMaker service was shut down while the job was running, and the job ended with it. "
    "Start the job again under a new name."
)
_DIED_WITH_THE_SERVICE = (
    "InternalServerError: the local SageMaker service was killed while the job was running, and the job ended with it. "
    "Start the job again under a new name."
)
_END_SECONDS = 20


@dataclass(frozen=True)
class JobKind:
    """How a kind of job is named: in the store and in ARNs, in the members of its document, in sentences."""

    key: str
    noun: str
    words: str

    @property
    def name(self) -> str:
        return f"{self.noun}Name"

    @property
    def arn(self) -> str:
        return f"{self.noun}Arn"

    @property
    def status(self) -> str:
        return f"{self.noun}Status"


class Ended(NamedTuple):
    """How a job ended: its status, and why it failed."""

    status: str
    reason: str | None = None


class Run(Protocol):
    """The run of one job. ``stop`` and ``abort`` may come from any thread."""

    @property
    def job(self) -> Document: ...

    def stop(self) -> None:
        """End soon, as Stopped."""

    def abort(self, reason: str) -> None:
        """End at once as Failed with ``reason``."""

    def clean_up(self) -> None:
        """After the end: remove what only the run needed."""


R = TypeVar("R", bound=Run)


class JobManager(ABC, Generic[R]):
    """The jobs of one kind that are running, and every change of a job's status. Every method may be called from any thread."""

    kind: JobKind

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._store = parts.store
        self._runs: dict[str, tuple[R, threading.Thread]] = {}
        self._lock = threading.Lock()

    def stop(self, name: str) -> None:
        """Ask a running job to end: it becomes Stopping now and Stopped later. ValidationException when it has ended."""

        def request(job: Document) -> None:
            status = job[self.kind.status]
            if status != IN_PROGRESS:
                raise invalid(f"The request was rejected because the {self.kind.words} is in status {status}.")
            self._mark_stopping(job)

        self.update(name, request)
        with self._lock:
            found = self._runs.get(name)
        if found is not None:
            found[0].stop()

    def shut_down(self) -> None:
        """End every running job and mark it Failed: the service goes away and takes the jobs along."""
        with self._lock:
            running = list(self._runs.values())
        for run, _ in running:
            run.abort(_STOPPED_WITH_THE_SERVICE)
        for _, thread in running:
            thread.join(timeout=_END_SECONDS)

    def fail_lost(self) -> list[str]:
        """At start: mark jobs that were running when the service died as Failed. Returns their names."""
        kind = self.kind
        lost = [job[kind.name] for job in self._store.documents(kind.key) if job[kind.status] not in TERMINAL]
        for name in lost:
            self.update(name, lambda job: self._mark_ended(job, Ended("Failed", _DIED_WITH_THE_SERVICE), None))
        return lost

    def update(self, name: str, change: Callable[[Document], None]) -> Document | None:
        """Change a job's document and tell the world."""
        job = self._store.update(self.kind.key, name, change)
        if job is not None:
            self._tell(job, self._store.tags(job[self.kind.arn]))
        return job

    def _begin(self, run: R) -> None:
        """Run a job whose document is in the store."""
        name = run.job[self.kind.name]
        thread = threading.Thread(target=self._supervise, args=(run,), name=f"{self.kind.key}-{name}", daemon=True)
        with self._lock:
            self._runs[name] = (run, thread)
        self._tell(run.job, self._store.tags(run.job[self.kind.arn]))
        thread.start()

    def _supervise(self, run: R) -> None:
        name = run.job[self.kind.name]
        try:
            end = self._outcome(run)
            self._parts.logs.flush()
            self.update(name, lambda job: self._mark_ended(job, end, run))
        finally:
            run.clean_up()
            with self._lock:
                self._runs.pop(name, None)
            self._over(run)

    def _outcome(self, run: R) -> Ended:
        try:
            return self._execute(run)
        except JobFailed as failure:
            return Ended("Failed", failure.reason)
        except Exception as error:  # a job must end in a status whatever breaks
            logger.exception("%s %s", self.kind.words, run.job[self.kind.name])
            reason = f"InternalServerError: the local SageMaker service failed while it ran the job: {error!r}"
            return Ended("Failed", reason)

    @abstractmethod
    def _execute(self, run: R) -> Ended:
        """From the first to the last of a run; may raise :class:`JobFailed`."""

    @abstractmethod
    def _tell(self, job: Document, tags: dict[str, str]) -> None:
        """Send the event of a changed document."""

    @abstractmethod
    def _mark_ended(self, job: Document, end: Ended, run: R | None) -> None:
        """Write into a job's document how it ended; ``run`` is None for one that ended with an earlier life of the service."""

    def _mark_stopping(self, job: Document) -> None:
        job.update({self.kind.status: STOPPING, "LastModifiedTime": now()})

    def _over(self, run: R) -> None:
        """After everything."""


class WaitingRun(Protocol):
    """A run that may be stopped before it has begun."""

    def ended_early(self) -> bool: ...


class Slots:
    """Places for jobs that run at the same time; those beyond the machine's means wait, as jobs in AWS wait for capacity."""

    def __init__(self) -> None:
        self._free = threading.Semaphore(max(2, (os.cpu_count() or 2) // 2))

    @contextmanager
    def one_for(self, run: WaitingRun) -> Iterator[None]:
        """Wait for a place, and no longer when the job is stopped meanwhile."""
        acquired = self._acquire(run)
        try:
            yield
        finally:
            if acquired:
                self._free.release()

    def _acquire(self, run: WaitingRun) -> bool:
        while not run.ended_early():
            if self._free.acquire(timeout=0.5):
                return True
        return False
