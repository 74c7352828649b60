"""Runs transform jobs: one thread for each, one serving process for each instance of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from sagemaker_emulator.clock import now
from sagemaker_emulator.errors import invalid
from sagemaker_emulator.parts import Parts
from sagemaker_emulator.running import Running, Slots
from sagemaker_emulator.store import Document
from sagemaker_emulator.training.failures import JobFailed
from sagemaker_emulator.training.jobs import DIED_WITH_THE_SERVICE, STOPPED_WITH_THE_SERVICE
from sagemaker_emulator.transform.run import TransformRun

logger = logging.getLogger(__name__)

KIND = "transform-job"
LOG_GROUP = "/aws/sagemaker/TransformJobs"
TERMINAL = ("Completed", "Failed", "Stopped")


class TransformJobs:
    """The jobs that are running, and every change of a job's status."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._store = parts.store
        self._running: Running[TransformRun] = Running()
        self._slots = Slots()

    def start(self, job: Document, model: Document) -> None:
        """Run a job whose document is in the store."""
        name = job["TransformJobName"]
        run = TransformRun(job, model, self._parts, self._log_writer(job))
        thread = threading.Thread(target=self._supervise, args=(run,), name=f"transform-{name}", daemon=True)
        self._running.add(name, run, thread)
        self._changed(job)
        thread.start()

    def stop(self, name: str) -> None:
        """Ask a running job to end: it becomes Stopping now and Stopped later. ValidationException when it has ended."""

        def request(job: Document) -> None:
            if job["TransformJobStatus"] != "InProgress":
                raise invalid(f"The request was rejected because the transform job is in status {job['TransformJobStatus']}.")
            job.update(TransformJobStatus="Stopping", LastModifiedTime=now())

        self._update(name, request)
        run = self._running.get(name)
        if run is not None:
            run.stop()

    def shut_down(self) -> None:
        """End every running job and mark it Failed: the service goes away and takes the jobs along."""
        self._running.abort_all(STOPPED_WITH_THE_SERVICE)

    def fail_lost(self) -> list[str]:
        """At start: mark jobs that were running when the service died as Failed. Returns their names."""
        lost = [job["TransformJobName"] for job in self._store.documents(KIND) if job["TransformJobStatus"] not in TERMINAL]
        for name in lost:
            self._end(name, "Failed", DIED_WITH_THE_SERVICE)
        return lost

    def _update(self, name: str, change: Callable[[Document], None]) -> None:
        job = self._store.update(KIND, name, change)
        if job is not None:
            self._changed(job)

    def _end(self, name: str, status: str, reason: str | None = None) -> None:
        def change(job: Document) -> None:
            at = now()
            job.update(TransformJobStatus=status, TransformEndTime=at, LastModifiedTime=at)
            if reason:
                job["FailureReason"] = reason[:1024]

        self._update(name, change)

    def _changed(self, job: Document) -> None:
        self._parts.events.transform_job_changed(job, self._store.tags(job["TransformJobArn"]))

    def _log_writer(self, job: Document) -> Callable[[str, str], None]:
        name, epoch = job["TransformJobName"], int(job["CreationTime"])

        def write(source: str, line: str) -> None:
            instance, slash, part = source.partition("/")
            self._parts.logs.write(LOG_GROUP, f"{name}/{instance}-{epoch}{slash}{part}", line)

        return write

    def _supervise(self, run: TransformRun) -> None:
        name = run.job["TransformJobName"]
        try:
            status, reason = self._execute(run)
            self._parts.logs.flush()
            self._end(name, status, reason)
        finally:
            run.clean_up()
            self._running.forget(name)

    def _execute(self, run: TransformRun) -> tuple[str, str | None]:
        name = run.job["TransformJobName"]
        have_slot = self._slots.acquire(run)
        try:
            if not run.ended_early():
                self._store.update(KIND, name, lambda job: job.update(TransformStartTime=now()))
            return run.execute(), None
        except JobFailed as failure:
            return "Failed", failure.reason
        except Exception as error:  # a job must end in a status whatever breaks
            logger.exception("transform job %s", name)
            return "Failed", f"InternalServerError: the local SageMaker service failed while it ran the job: {error!r}"
        finally:
            if have_slot:
                self._slots.release()
