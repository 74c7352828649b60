"""Runs training jobs: one thread for each, one child process for each host of it."""

from __future__ import annotations

from collections.abc import Callable

from sagemaker_emulator.clock import now
from sagemaker_emulator.jobs import Ended, JobKind, JobManager, Slots
from sagemaker_emulator.parts import Parts
from sagemaker_emulator.store import Document
from sagemaker_emulator.training import status
from sagemaker_emulator.training.run import JobRun, Watch

KIND = "training-job"
LOG_GROUP = "/aws/sagemaker/TrainingJobs"


class TrainingJobs(JobManager[JobRun]):
    """The training jobs that are running."""

    kind = JobKind(KIND, "TrainingJob", "training job")

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._slots = Slots()

    def start(self, job: Document, watch: Watch | None = None) -> None:
        """Run a job whose document is in the store."""
        self._begin(JobRun(job, self._parts, self._log_writer(job), watch or Watch()))

    def _tell(self, job: Document, tags: dict[str, str]) -> None:
        self._parts.events.training_job_changed(job, tags)

    def _log_writer(self, job: Document) -> Callable[[str, str], None]:
        epoch = int(job["CreationTime"])

        def write(host: str, line: str) -> None:
            self._parts.logs.write(LOG_GROUP, f"{job['TrainingJobName']}/{host}-{epoch}", line)

        return write

    def _execute(self, run: JobRun) -> Ended:
        def enter(secondary: str, message: str | None = None) -> None:
            self.update(run.job["TrainingJobName"], lambda job: status.advance(job, secondary, now(), message))

        with self._slots.one_for(run):
            return Ended(run.execute(enter))

    def _mark_stopping(self, job: Document) -> None:
        status.enter(job, "Stopping", now())

    def _mark_ended(self, job: Document, end: Ended, run: JobRun | None) -> None:
        if run is not None:
            job["FinalMetricDataList"] = run.metrics.final()
        if end.reason:
            status.fail(job, end.reason, now())
            return
        if run is not None and run.model_uri:
            job["ModelArtifacts"] = {"S3ModelArtifacts": run.model_uri}
        status.enter(job, end.status, now())

    def _over(self, run: JobRun) -> None:
        run.watch.ended(self._store.get(KIND, run.job["TrainingJobName"]) or run.job)
