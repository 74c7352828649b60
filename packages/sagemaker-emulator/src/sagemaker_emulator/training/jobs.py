"""Runs training jobs: one thread for each, one child process for each host of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from sagemaker_emulator.clock import now
from sagemaker_emulator.errors import invalid
from sagemaker_emulator.parts import Parts
from sagemaker_emulator.running import Running, Slots
from sagemaker_emulator.store import Document
from sagemaker_emulator.training import status
from sagemaker_emulator.training.failures import JobFailed
from sagemaker_emulator.training.run import JobRun

logger = logging.getLogger(__name__)

KIND = "training-job"
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
STOPPED_WITH_THE_SERVICE = (
    "InternalServerError: the local SageMaker service was shut down while the job was running, and the job ended with it. "
    "Start the job again under a new name."
)
DIED_WITH_THE_SERVICE = (
    "InternalServerError: the local SageMaker service was killed while the job was running, and the job ended with it. "
    "Start the job again under a new name."
)


@dataclass(frozen=True)
class Watch:
    """Who is told how a job goes, from the job's own threads: every value of a metric, and the document of its end."""

    measured: Callable[[str, float], None] = lambda _name, _value: None
    ended: Callable[[Document], None] = lambda _job: None


class TrainingJobs:
    """The jobs that are running, and every change of a job's status."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._store = parts.store
        self._logs = parts.logs
        self._running: Running[JobRun] = Running()
        self._slots = Slots()

    def start(self, job: Document, watch: Watch | None = None) -> None:
        """Run a job whose document is in the store."""
        name = job["TrainingJobName"]
        watch = watch or Watch()
        run = JobRun(job, self._parts.home / "training" / name, self._parts, self._log_writer(job), measured=watch.measured)
        thread = threading.Thread(target=self._supervise, args=(run, watch), name=f"job-{name}", daemon=True)
        self._running.add(name, run, thread)
        self._changed(job)
        thread.start()

    def stop(self, name: str) -> None:
        """Ask a running job to end: it becomes Stopping now and Stopped later. ValidationException when it has ended."""

        def request(job: Document) -> None:
            if job["TrainingJobStatus"] != status.IN_PROGRESS:
                raise invalid(f"The request was rejected because the training job is in status {job['TrainingJobStatus']}.")
            status.enter(job, "Stopping", now())

        self.update(name, request)
        run = self._running.get(name)
        if run is not None:
            run.stop("Stopped")

    def shut_down(self) -> None:
        """End every running job and mark it Failed: the service goes away and takes the jobs along."""
        self._running.abort_all(STOPPED_WITH_THE_SERVICE)

    def fail_lost(self) -> list[str]:
        """At start: mark jobs that were running when the service died as Failed. Returns their names."""
        lost = [job["TrainingJobName"] for job in self._store.documents(KIND) if job["TrainingJobStatus"] not in status.TERMINAL]
        for name in lost:
            self.update(name, lambda job: status.fail(job, DIED_WITH_THE_SERVICE, now()))
        return lost

    def update(self, name: str, change: Callable[[Document], None]) -> Document | None:
        """Change a job's document and tell the world."""
        job = self._store.update(KIND, name, change)
        if job is not None:
            self._changed(job)
        return job

    def _changed(self, job: Document) -> None:
        self._parts.events.training_job_changed(job, self._store.tags(job["TrainingJobArn"]))

    def _log_writer(self, job: Document) -> Callable[[str, str], None]:
        epoch = int(job["CreationTime"])

        def write(host: str, line: str) -> None:
            self._logs.write(LOG_GROUP, f"{job['TrainingJobName']}/{host}-{epoch}", line)

        return write

    def _supervise(self, run: JobRun, watch: Watch) -> None:
        name = run.job["TrainingJobName"]

        def enter(secondary: str, message: str | None = None) -> None:
            self.update(name, lambda job: status.advance(job, secondary, now(), message))

        try:
            have_slot = self._slots.acquire(run)
            try:
                end = run.execute(enter)
            finally:
                if have_slot:
                    self._slots.release()
            self._logs.flush()
            self.update(name, lambda job: self._finish(job, run, end))
        except JobFailed as failure:
            reason = failure.reason
            self._logs.flush()
            self.update(name, lambda job: self._fail(job, run, reason))
        except Exception as error:  # a job must end in a status whatever breaks
            logger.exception("training job %s", name)
            reason = f"InternalServerError: the local SageMaker service failed while it ran the job: {error!r}"
            self.update(name, lambda job: self._fail(job, run, reason))
        finally:
            run.clean_up()
            self._running.forget(name)
            watch.ended(self._store.get(KIND, name) or run.job)

    @staticmethod
    def _finish(job: Document, run: JobRun, end: str) -> None:
        if run.model_uri:
            job["ModelArtifacts"] = {"S3ModelArtifacts": run.model_uri}
        job["FinalMetricDataList"] = run.metrics.final()
        status.enter(job, end, now())

    @staticmethod
    def _fail(job: Document, run: JobRun, reason: str) -> None:
        job["FinalMetricDataList"] = run.metrics.final()
        status.fail(job, reason, now())
