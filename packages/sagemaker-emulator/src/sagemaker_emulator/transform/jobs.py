"""Runs transform jobs: one thread for each, one serving process for each instance of it."""

from __future__ import annotations

from collections.abc import Callable

from sagemaker_emulator.clock import now
from sagemaker_emulator.jobs import Ended, JobKind, JobManager, Slots
from sagemaker_emulator.parts import Parts
from sagemaker_emulator.store import Document
from sagemaker_emulator.transform.run import TransformRun

KIND = "transform-job"
LOG_GROUP = "/aws/sagemaker/TransformJobs"


class TransformJobs(JobManager[TransformRun]):
    """The transform jobs that are running."""

    kind = JobKind(KIND, "TransformJob", "transform job")

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._slots = Slots()

    def start(self, job: Document, model: Document) -> None:
        """Run a job whose document is in the store."""
        self._begin(TransformRun(job, model, self._parts, self._log_writer(job)))

    def _tell(self, job: Document, tags: dict[str, str]) -> None:
        self._parts.events.transform_job_changed(job, tags)

    def _log_writer(self, job: Document) -> Callable[[str, str], None]:
        name, epoch = job["TransformJobName"], int(job["CreationTime"])

        def write(source: str, line: str) -> None:
            instance, slash, part = source.partition("/")
            self._parts.logs.write(LOG_GROUP, f"{name}/{instance}-{epoch}{slash}{part}", line)

        return write

    def _execute(self, run: TransformRun) -> Ended:
        with self._slots.one_for(run):
            if not run.ended_early():
                self._store.update(KIND, run.job["TransformJobName"], lambda job: job.update(TransformStartTime=now()))
            return Ended(run.execute())

    def _mark_ended(self, job: Document, end: Ended, run: TransformRun | None) -> None:
        at = now()
        job.update(TransformJobStatus=end.status, TransformEndTime=at, LastModifiedTime=at)
        if end.reason:
            job["FailureReason"] = end.reason[:1024]
