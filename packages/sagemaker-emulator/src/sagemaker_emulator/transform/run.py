"""One transform job from its first object to its last: containers, requests, outputs."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from sagemaker_emulator.datasource import InputObject
from sagemaker_emulator.errors import JobFailed
from sagemaker_emulator.hosting.containers import container_of, is_isolated
from sagemaker_emulator.hosting.variants import Unhealthy, Variant, VariantFailed, launch
from sagemaker_emulator.parts import Parts
from sagemaker_emulator.store import Document
from sagemaker_emulator.transform.problems import ObjectFailed
from sagemaker_emulator.transform.sending import DEFAULT_PAYLOAD_MB, ModelClient, parameters
from sagemaker_emulator.transform.share import Share, output_of
from sagemaker_emulator.transform.storage import Storage

_END_GRACE_SECONDS = 2.0

Log = Callable[[str, str], None]


class TransformRun:
    """The run of one job. ``execute`` runs in the job's own thread; ``stop`` and ``abort`` may come from any other.

    ``log`` takes the name of an instance or of its data log, and a line.
    """

    def __init__(self, job: Document, model: Document, parts: Parts, log: Log) -> None:
        self.job = job
        self._model = model
        self._home = parts.home / "transform" / job["TransformJobName"]
        self._permissions = parts.permissions
        self._containers = parts.containers
        self._credentials = parts.credentials
        self._log = log
        self._storage = Storage(parts.objects, self._allowed, model["ExecutionRoleArn"])
        self._stopped = threading.Event()
        self._abort_reason: str | None = None
        self._failures: list[ObjectFailed] = []
        self._lock = threading.Lock()

    def stop(self) -> None:
        """End soon; objects whose output is written stay."""
        self._stopped.set()

    def abort(self, reason: str) -> None:
        """End soon, as Failed with ``reason``."""
        self._abort_reason = reason
        self.stop()

    def ended_early(self) -> bool:
        return self._stopped.is_set()

    def execute(self) -> str:
        """Run the job; returns its final status, raises :class:`JobFailed`."""
        if not self._stopped.is_set():
            self._transform_all()
        if self._abort_reason:
            raise JobFailed(self._abort_reason)
        if self._stopped.is_set():
            return "Stopped"
        if self._failures:
            raise JobFailed(f"{self._failures[0].side}: See job logs for more information")
        return "Completed"

    def clean_up(self) -> None:
        shutil.rmtree(self._home, ignore_errors=True)

    def _transform_all(self) -> None:
        objects = self._storage.list_objects(self.job["TransformInput"]["DataSource"]["S3DataSource"])
        # Before a container is started: the role may write the first output.
        if not self._storage.may_write(*output_of(self.job, objects[0])):
            raise JobFailed("ClientError: Artifact upload failed:Error 7: AccessDenied (403): Access Denied")
        # An instance without an object would load the model for nothing.
        count = min(int(self.job["TransformResources"]["InstanceCount"]), len(objects))
        with ThreadPoolExecutor(count, thread_name_prefix="transform-instance") as instances:
            work = [instances.submit(self._run_instance, f"i-{number:017x}", objects[number::count]) for number in range(count)]
            for instance in work:
                instance.result()

    def _allowed(self, action: str, resource_arn: str, context: Mapping[str, str] | None = None) -> bool:
        return self._permissions.role_allows(self._storage.role_arn, action, resource_arn, context)

    def _run_instance(self, instance: str, objects: list[InputObject]) -> None:
        def log_data(text: str) -> None:
            at = datetime.now(UTC)
            line = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}:[sagemaker logs]: {text}"
            self._log(f"{instance}/data-log", line)

        home = self._home / instance
        variant = self._launch(instance, home)
        watch = threading.Thread(target=self._end_when_stopped, args=(variant,), name=f"stop-{instance}", daemon=True)
        watch.start()
        client = ModelClient(variant.address, self.job, self._stopped, lambda: variant.has_ended)
        # Not in the container's directory, where its program could put links in their place.
        objects_home = self._home / f"objects-{instance}"
        try:
            found = parameters(self.job, client.execution_parameters())
            log_data(str(found))
            share = Share(self.job, self._storage, client, found, objects_home, self._stopped, log_data)
            share.transform(objects)
        finally:
            client.close()
            variant.end(grace=_END_GRACE_SECONDS)
        with self._lock:
            self._failures += share.failures

    def _launch(self, instance: str, home: Path) -> Variant:
        isolated = is_isolated(self._model)
        try:
            return launch(
                self._storage.objects,
                self._allowed,
                {**container_of(self._model), "Environment": self._environment()},
                name=self.job["TransformJobName"],
                home=home,
                log=lambda line: self._log(instance, line),
                ended=lambda _: None,
                containers=self._containers,
                isolated=isolated,
                role=lambda: self._credentials.environment(self._storage.role_arn, isolated=isolated),
            )
        except Unhealthy as error:
            raise JobFailed(
                "AlgorithmError: The model's container did not pass the ping health check. See job logs for more information"
            ) from error
        except VariantFailed as error:
            raise JobFailed(f"ClientError: {error}") from error

    def _end_when_stopped(self, variant: Variant) -> None:
        while not variant.has_ended:
            if self._stopped.wait(timeout=1):
                # Its directory is still being worked in.
                variant.end(keep_files=True, grace=_END_GRACE_SECONDS)

    def _environment(self) -> dict[str, str]:
        payload = self.job.get("MaxPayloadInMB")
        return {
            **container_of(self._model).get("Environment", {}),
            **self.job.get("Environment", {}),
            "SAGEMAKER_BATCH": "true",
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(DEFAULT_PAYLOAD_MB if payload is None else payload),
            "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD" if self.job.get("BatchStrategy") == "SingleRecord" else "MULTI_RECORD",
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(self.job.get("MaxConcurrentTransforms") or 1),
        }
