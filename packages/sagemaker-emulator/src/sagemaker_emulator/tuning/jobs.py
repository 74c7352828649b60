"""Runs tuning jobs: one thread for each, and their trials as training jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sagemaker_emulator.clock import now
from sagemaker_emulator.jobs import Ended, JobKind, JobManager
from sagemaker_emulator.parts import Parts
from sagemaker_emulator.store import Document
from sagemaker_emulator.training.jobs import TrainingJobs
from sagemaker_emulator.tuning.progress import KIND, described

if TYPE_CHECKING:
    from sagemaker_emulator.tuning.run import TuningRun


class TuningJobs(JobManager["TuningRun"]):
    """The tuning jobs that are running. When the service goes away, their trials end with all other training jobs."""

    kind = JobKind(KIND, "HyperParameterTuningJob", "hyperparameter tuning job")

    def __init__(self, parts: Parts, training: TrainingJobs) -> None:
        super().__init__(parts)
        self._training = training

    def start(self, job: Document) -> None:
        """Run a tuning job whose document is in the store."""
        # optuna takes a while to import, which a service that tunes nothing does not wait for
        from sagemaker_emulator.tuning.run import TuningRun  # noqa: PLC0415

        self._begin(TuningRun(job, self._parts.place, self._store, self._training))

    def _tell(self, job: Document, tags: dict[str, str]) -> None:
        self._parts.events.tuning_job_changed(described(self._store, job), tags)

    def _execute(self, run: TuningRun) -> Ended:
        return run.execute()

    def _mark_ended(self, job: Document, end: Ended, run: TuningRun | None) -> None:
        at = now()
        job.update(HyperParameterTuningJobStatus=end.status, LastModifiedTime=at, HyperParameterTuningEndTime=at)
        if end.reason:
            job["FailureReason"] = end.reason[:1024]
        if run is not None:
            job["TuningJobCompletionDetails"] = run.completion_details()
