"""One training job from its first status to its last: data in, processes, artifacts out."""

from __future__ import annotations

import queue
import shutil
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sagemaker_emulator import children
from sagemaker_emulator.clock import now
from sagemaker_emulator.engines import Engine, UnknownImage
from sagemaker_emulator.errors import JobFailed
from sagemaker_emulator.isolation.machine import Cluster
from sagemaker_emulator.parts import Parts
from sagemaker_emulator.store import Document
from sagemaker_emulator.training import artifacts, entrypoint
from sagemaker_emulator.training.channels import download
from sagemaker_emulator.training.checkpoints import Checkpoints, kept_in_step
from sagemaker_emulator.training.failures import algorithm_error
from sagemaker_emulator.training.layout import Layout, hosts
from sagemaker_emulator.training.metrics import MetricScanner
from sagemaker_emulator.training.requests import engine_of
from sagemaker_emulator.training.source import NO_DOWNLOAD, NoSource, fetch_source, refuse_source, source_uri

# SageMaker gives a container 120 seconds between SIGTERM and SIGKILL.
STOP_GRACE_SECONDS = 120.0
_ABORT_GRACE_SECONDS = 5.0

Enter = Callable[..., None]


@dataclass(frozen=True)
class Watch:
    """Who is told how a job goes, from the job's own threads: every value of a metric, and the document of its end."""

    measured: Callable[[str, float], None] = lambda _name, _value: None
    ended: Callable[[Document], None] = lambda _job: None


class JobRun:
    """The run of one job. ``execute`` runs in the job's own thread; ``stop`` and ``abort`` may come from any other."""

    def __init__(self, job: Document, parts: Parts, log: Callable[[str, str], None], watch: Watch) -> None:
        self.job = job
        self.watch = watch
        self.model_uri: str | None = None
        self.metrics = MetricScanner(())
        self._home = parts.home / "training" / job["TrainingJobName"]
        self._cluster_home = self._home / "cluster"
        self._objects = parts.objects
        self._permissions = parts.permissions
        self._containers = parts.containers
        self._credentials = parts.credentials
        self._isolated = bool(job.get("EnableNetworkIsolation"))
        self._log = log
        # What the supervising thread waits for: ("exit", host) of a child, or ("stop", final secondary status).
        self._wishes: queue.Queue[tuple[str, str]] = queue.Queue()
        self._checkpoints: list[Checkpoints] = []
        self._end: str | None = None
        self._abort_reason: str | None = None
        self._deadline = 0.0

    def stop(self) -> None:
        """End as Stopped, keeping what the model directory holds."""
        self._end = self._end or "Stopped"
        self._wishes.put(("stop", "Stopped"))

    def abort(self, reason: str) -> None:
        """End at once as Failed with ``reason``."""
        self._abort_reason = reason
        self.stop()

    def ended_early(self) -> bool:
        return self._end is not None

    def execute(self, enter: Enter) -> str:
        """Run the job; returns its final secondary status, raises :class:`JobFailed`."""
        enter("Starting", "Preparing the instances for training")
        try:
            engine = engine_of(self.job)
        except UnknownImage as error:
            raise JobFailed(f"ClientError: {error}") from error
        self.metrics = MetricScanner([*engine.metrics, *self._requested_metrics()], self.watch.measured)
        self._cluster_home.mkdir(parents=True, exist_ok=True)
        self._deadline = time.monotonic() + self.job["StoppingCondition"]["MaxRuntimeInSeconds"]
        # Apart from what this service keeps for itself: the containers can write there.
        layouts = {host: Layout(self._cluster_home / host) for host in hosts(self.job)}
        if self._end is None:
            enter("Downloading")
            self._download(layouts)
        if self._end is None:
            enter("Training")
            self._train(engine, layouts)
        if self._abort_reason:
            raise JobFailed(self._abort_reason)
        self._upload(layouts, enter)
        return self._end or "Completed"

    def clean_up(self) -> None:
        shutil.rmtree(self._home, ignore_errors=True)

    def _requested_metrics(self) -> list[tuple[str, str]]:
        definitions = self.job["AlgorithmSpecification"].get("MetricDefinitions", [])
        return [(definition["Name"], definition["Regex"]) for definition in definitions]

    def _allowed(self, action: str, resource_arn: str, context: Mapping[str, str] | None = None) -> bool:
        return self._permissions.role_allows(self.job["RoleArn"], action, resource_arn, context)

    def _download(self, layouts: Mapping[str, Layout]) -> None:
        for index, (host, layout) in enumerate(layouts.items()):
            layout.prepare(self.job, host)
            if "CheckpointConfig" in self.job:
                checkpoints = Checkpoints(self._objects, self._allowed, self.job["CheckpointConfig"], layout.root)
                checkpoints.restore()
                self._checkpoints.append(checkpoints)
            for channel in self.job.get("InputDataConfig", []):
                directory = layout.channel(channel["ChannelName"])
                directory.mkdir(parents=True, exist_ok=True)
                shard = (index, len(layouts))
                for name, fetch in download(self._objects, self._allowed, channel, self.job["RoleArn"], shard):
                    if self._end is not None:
                        return
                    fetch(directory / name)

    def _train(self, engine: Engine, layouts: Mapping[str, Layout]) -> None:
        command = entrypoint.command(self.job["AlgorithmSpecification"])
        module, arguments = (entrypoint.MODULE, ["--", *command]) if command else (engine.train_module, [])
        if engine.runs_scripts and not command:
            self._fetch_source(layouts)
        environment = {
            **dict(engine.environment),
            **(self._role_environment() if engine.runs_scripts or command else {}),
            **self.job.get("Environment", {}),
            "TRAINING_JOB_NAME": self.job["TrainingJobName"],
            "TRAINING_JOB_ARN": self.job["TrainingJobArn"],
        }
        running: dict[str, children.Child] = {}
        exits: dict[str, int] = {}
        try:
            with (
                kept_in_step(self._checkpoints),
                self._cluster() as cluster,
            ):
                for host, layout in layouts.items():
                    if cluster.shortfall:
                        self._log(host, cluster.shortfall)
                    child = cluster.start(module, ["--root", str(layout.root), *arguments], environment, layout.root)
                    running[host] = child
                    threading.Thread(target=self._follow, args=(host, child), name=f"follow-{host}", daemon=True).start()
                try:
                    self._wait(running, exits)
                finally:
                    # Before checkpoints and artifacts are looked at: nobody may change them meanwhile.
                    _signal_all(running, signal.SIGKILL)
                    cluster.end()
        finally:
            for child in running.values():
                child.signal(signal.SIGKILL)
        if self._end is None:
            for host, code in exits.items():
                if code != 0:
                    raise algorithm_error(layouts[host].failure_text(), code)

    def _cluster(self) -> AbstractContextManager[Cluster]:
        return self._containers.cluster(self._cluster_home, isolated=self._isolated, hosts=hosts(self.job))

    def _fetch_source(self, layouts: Mapping[str, Layout]) -> None:
        """Give every host the customer's code."""
        uri = source_uri(self.job.get("HyperParameters", {}), self.job.get("Environment", {}))
        if uri and self._isolated:
            for host in layouts:
                self._log(host, f"{uri}: {NO_DOWNLOAD}")
            raise algorithm_error(str(refuse_source(uri)), 1)
        try:
            for layout in layouts.values() if uri else ():
                fetch_source(self._objects, self._allowed, str(uri), layout.code)
        except NoSource as error:
            raise algorithm_error(str(error), 1) from error

    def _role_environment(self) -> Mapping[str, str]:
        """The variables by which the customer's code calls AWS as the execution role."""
        return self._credentials.environment(self.job["RoleArn"], isolated=self._isolated)

    def _follow(self, host: str, child: children.Child) -> None:
        def line(text: str) -> None:
            shown = text.replace("\t", "#011")
            self.metrics.scan(shown, now())
            self._log(host, shown)

        child.follow(line)
        self._wishes.put(("exit", host))

    def _wait(self, running: Mapping[str, children.Child], exits: dict[str, int]) -> None:
        """Until every child has exited: by itself, because one of them failed, by a stop, or by the maximum runtime."""
        deadline = self._deadline
        stopping = False
        while len(exits) < len(running):
            try:
                wish, value = self._wishes.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                if stopping:
                    _signal_all(running, signal.SIGKILL)
                    deadline = time.monotonic() + 10
                    continue
                self._end = self._end or "MaxRuntimeExceeded"
                wish, value = "stop", "MaxRuntimeExceeded"
            if wish == "exit":
                exits[value] = running[value].exit_status or 0
            if (wish == "stop" or (wish == "exit" and exits[value] != 0)) and not stopping:
                stopping = True
                _signal_all(running, signal.SIGTERM)
                deadline = time.monotonic() + (_ABORT_GRACE_SECONDS if self._abort_reason else STOP_GRACE_SECONDS)

    def _upload(self, layouts: Mapping[str, Layout], enter: Enter) -> None:
        models = [found for layout in layouts.values() if (found := layout.artifacts(layout.model))]
        outputs = [found for layout in layouts.values() if (found := layout.artifacts(layout.output_data))]
        have_model = any(artifacts.has_files(directory) for directory in models)
        have_output = any(artifacts.has_files(directory) for directory in outputs)
        if self._end and not have_model and not have_output:
            return
        enter("Uploading")
        path, name = self.job["OutputDataConfig"]["S3OutputPath"], self.job["TrainingJobName"]
        # Described whether or not there is a model; without one, CreateModel does not find it there (as in AWS).
        self.model_uri = artifacts.output_uri(path, name, "model.tar.gz")
        if have_model:
            artifacts.upload(self._objects, self._allowed, models, self.model_uri, self._home)
        if have_output:
            output = artifacts.output_uri(path, name, "output.tar.gz")
            artifacts.upload(self._objects, self._allowed, outputs, output, self._home)


def _signal_all(running: Mapping[str, children.Child], number: signal.Signals) -> None:
    for child in running.values():
        if child.exit_status is None:
            child.signal(number)
