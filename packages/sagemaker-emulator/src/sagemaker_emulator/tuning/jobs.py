"""Runs tuning jobs: one thread for each, and their trials as training jobs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from sagemaker_emulator.aws import Place
from sagemaker_emulator.clock import now
from sagemaker_emulator.errors import invalid
from sagemaker_emulator.parts import Parts
from sagemaker_emulator.running import Running
from sagemaker_emulator.store import Document
from sagemaker_emulator.training.jobs import DIED_WITH_THE_SERVICE, STOPPED_WITH_THE_SERVICE, TrainingJobs
from sagemaker_emulator.tuning.progress import KIND, TERMINAL, described

if TYPE_CHECKING:
    from sagemaker_emulator.tuning.run import TuningRun

logger = logging.getLogger(__name__)


class TuningJobs:
    """The tuning jobs that are running, and every change of a tuning job's status."""

    def __init__(self, parts: Parts, place: Place, training: TrainingJobs) -> None:
        self._parts = parts
        self._store = parts.store
        self._place = place
        self._training = training
        self._running: Running[TuningRun] = Running()

    def start(self, job: Document) -> None:
        """Run a tuning job whose document is in the store."""
        # optuna takes a while to import, which a service that tunes nothing does not wait for
        from sagemaker_emulator.tuning.run import TuningRun  # noqa: PLC0415

        name = job["HyperParameterTuningJobName"]
        run = TuningRun(job, self._place, self._store, self._training)
        thread = threading.Thread(target=self._supervise, args=(run,), name=f"tuning-{name}", daemon=True)
        self._running.add(name, run, thread)
        self._changed(job)
        thread.start()

    def stop(self, name: str) -> None:
        """Ask a tuning job to end: Stopping now, Stopped when its trials are. ValidationException when it has ended."""

        def request(job: Document) -> None:
            status = job["HyperParameterTuningJobStatus"]
            if status != "InProgress":
                raise invalid(f"The request was rejected because the hyperparameter tuning job is in status {status}.")
            job.update(HyperParameterTuningJobStatus="Stopping", LastModifiedTime=now())

        self._update(name, request)
        run = self._running.get(name)
        if run is not None:
            run.stop()

    def shut_down(self) -> None:
        """Mark every running tuning job Failed: the service goes away. Their trials end with all other training jobs."""
        self._running.abort_all(STOPPED_WITH_THE_SERVICE)

    def fail_lost(self) -> list[str]:
        """At start: mark tuning jobs that were running when the service died as Failed. Returns their names."""
        jobs = self._store.documents(KIND)
        lost = [job["HyperParameterTuningJobName"] for job in jobs if job["HyperParameterTuningJobStatus"] not in TERMINAL]
        for name in lost:
            self._update(name, lambda job: _end(job, "Failed", DIED_WITH_THE_SERVICE))
        return lost

    def _supervise(self, run: TuningRun) -> None:
        name = run.job["HyperParameterTuningJobName"]
        try:
            status, reason = run.execute()
        except Exception as error:  # a job must end in a status whatever breaks
            logger.exception("tuning job %s", name)
            run.abandon()
            status, reason = "Failed", f"InternalServerError: the local SageMaker service failed while it ran the job: {error!r}"
        details = run.completion_details()
        self._update(name, lambda job: _end(job, status, reason, details))
        self._running.forget(name)

    def _update(self, name: str, change: Callable[[Document], None]) -> None:
        job = self._store.update(KIND, name, change)
        if job is not None:
            self._changed(job)

    def _changed(self, job: Document) -> None:
        tags = self._store.tags(job["HyperParameterTuningJobArn"])
        self._parts.events.tuning_job_changed(described(self._store, job), tags)


def _end(job: Document, status: str, reason: str | None, details: Document | None = None) -> None:
    at = now()
    job.update(HyperParameterTuningJobStatus=status, LastModifiedTime=at, HyperParameterTuningEndTime=at)
    if reason:
        job["FailureReason"] = reason[:1024]
    if details:
        job["TuningJobCompletionDetails"] = details
