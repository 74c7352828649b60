"""The service put together: parts, start, orderly end."""

from __future__ import annotations

import fcntl
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from starlette.types import ASGIApp

from sagemaker_emulator.async_inference.dispatch import Dispatcher
from sagemaker_emulator.async_inference.process import Tools
from sagemaker_emulator.async_inference.queue import RequestQueue
from sagemaker_emulator.async_inference.route import async_route
from sagemaker_emulator.callers import Callers
from sagemaker_emulator.credentials import RoleCredentials
from sagemaker_emulator.events import Events
from sagemaker_emulator.hosting.deployments import KIND, Deployments
from sagemaker_emulator.hosting.descriptions import Descriptions
from sagemaker_emulator.hosting.exchanges import Exchanges
from sagemaker_emulator.hosting.invoke import Runtime
from sagemaker_emulator.hosting.metrics import InvocationMetrics
from sagemaker_emulator.isolation.machine import Containers
from sagemaker_emulator.logs import LogShipper
from sagemaker_emulator.operations import operations
from sagemaker_emulator.parts import Parts
from sagemaker_emulator.server import application
from sagemaker_emulator.store import Store
from sagemaker_emulator.surroundings import Surroundings
from sagemaker_emulator.training.jobs import TrainingJobs
from sagemaker_emulator.transform.jobs import TransformJobs
from sagemaker_emulator.tuning.jobs import TuningJobs

logger = logging.getLogger(__name__)


class HomeInUse(Exception):
    """Another process has the state directory."""


class LocalSageMaker:
    """SageMaker with its state below ``home``.

    ``root_id`` is the access key id of who may do everything; ``url`` is where it serves, for scripts; ``hidden`` are directories
    that no container shall see (without: ``home``).
    """

    def __init__(
        self, home: Path, surroundings: Surroundings, root_id: str, *, url: str = "", hidden: Sequence[Path] = ()
    ) -> None:
        self._home = home
        self._lock = lock_home(home)
        place = surroundings.place
        self.credentials = RoleCredentials(surroundings.sts, place.region, url)
        self._parts = Parts(
            place=place,
            store=Store(home / "sagemaker.db"),
            objects=surroundings.objects,
            permissions=surroundings.permissions,
            events=Events(surroundings.deliver, place),
            logs=LogShipper(surroundings.log_sink),
            home=home,
            containers=Containers((*(hidden or (home,)), *surroundings.hidden), home),
            credentials=self.credentials,
        )
        self._training = TrainingJobs(self._parts)
        self._tuning = TuningJobs(self._parts, self._training)
        self._transforms = TransformJobs(self._parts)
        self._runtime = Runtime(
            self._parts,
            Deployments(self._parts),
            InvocationMetrics(surroundings.cloudwatch),
            Descriptions(self._parts.store, KIND),
            Exchanges(),
        )
        self._async = Dispatcher(
            Tools(self._parts, self._runtime.metrics, surroundings.publish),
            self._runtime.deployments,
            RequestQueue(home / "async-inference.db"),
        )
        self._callers = Callers(root_id, surroundings.functions, place.account, self.credentials.role_of)
        self._report: dict[str, object] = {}

    def start(self) -> None:
        """Take up what the last life of the service left."""
        for directory in ("training", "transform"):
            shutil.rmtree(self._home / directory, ignore_errors=True)
        self._parts.containers.begin()
        self._parts.events.start()
        self._parts.logs.start()
        self._runtime.metrics.start()
        self._report = {
            "failed_training_jobs": self._training.fail_lost(),
            "failed_tuning_jobs": self._tuning.fail_lost(),
            "failed_transform_jobs": self._transforms.fail_lost(),
            "endpoints": self._runtime.deployments.restore(),
        }
        self._async.start()
        if any(self._report.values()):
            logger.info("after the last life of the service: %s", self._report)

    def stop(self) -> None:
        """End jobs and variants; what is stored stays."""
        self._tuning.shut_down()
        self._training.shut_down()
        self._transforms.shut_down()
        self._async.stop()
        self._runtime.deployments.shut_down()
        self._async.close()
        self._runtime.metrics.stop()
        self._parts.logs.stop()
        self._parts.events.stop(timeout=10)
        self._parts.store.close()
        self._lock.close()

    def application(self) -> ASGIApp:
        known = operations(self._training, self._tuning, self._transforms, self._runtime.deployments)
        more = [async_route(self._parts, self._async, self._callers)]
        return application(self._runtime, known, self._callers, lambda: self._report, more)


def lock_home(home: Path) -> TextIO:
    """Hold the home directory: two services on one state would run every endpoint twice. The lock ends with the process."""
    home.mkdir(parents=True, exist_ok=True)
    lock = (home / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise HomeInUse(f"Another local SageMaker service works in {home}. Stop it, or choose another --home.") from error
    return lock
