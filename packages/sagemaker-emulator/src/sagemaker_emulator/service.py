"""The service put together: parts, start, orderly end."""

from __future__ import annotations

import fcntl
import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from starlette.applications import Starlette

from sagemaker_emulator.authorization import Authorizer, read_role
from sagemaker_emulator.aws import Aws, connect, place_from_environment
from sagemaker_emulator.call import Service
from sagemaker_emulator.callers import Callers, Function
from sagemaker_emulator.credentials import RoleCredentials
from sagemaker_emulator.events import Events
from sagemaker_emulator.hosting.deployments import Deployments
from sagemaker_emulator.hosting.metrics import InvocationMetrics
from sagemaker_emulator.isolation.machine import Containers
from sagemaker_emulator.logs import LogShipper
from sagemaker_emulator.parts import Parts
from sagemaker_emulator.server import application
from sagemaker_emulator.store import Store
from sagemaker_emulator.training.jobs import TrainingJobs
from sagemaker_emulator.transform.jobs import TransformJobs
from sagemaker_emulator.tuning.jobs import TuningJobs

logger = logging.getLogger(__name__)


class HomeInUse(Exception):
    """Another process has the state directory."""


class LocalSageMaker:
    """SageMaker with its state below ``home``, working against the MiniStack that ``AWS_ENDPOINT_URL`` names.

    ``url`` is where it serves, for scripts; ``hidden`` are directories that no container shall see (without: ``home``).
    """

    def __init__(
        self,
        home: Path,
        environment: Mapping[str, str],
        aws: Aws | None = None,
        *,
        url: str = "",
        hidden: Sequence[Path] = (),
    ) -> None:
        self._home = home
        self._lock = lock_home(home)
        self._place = place_from_environment(environment)
        self._aws = aws or connect(environment.get("AWS_ENDPOINT_URL", "http://127.0.0.1:4566"), self._place.region)
        self._store = Store(home / "sagemaker.db")
        self._events = Events(self._aws, self._place)
        self._logs = LogShipper(self._aws)
        self._metrics = InvocationMetrics(self._aws)
        authorizer = Authorizer(lambda name: read_role(self._aws.iam, name), self._place)
        self._containers = Containers(hidden or (home,), home)
        credentials = RoleCredentials(self._aws.sts, url)
        parts = Parts(self._store, self._aws, authorizer, self._events, self._logs, home, self._containers, credentials)
        self._training = TrainingJobs(parts)
        self._tuning = TuningJobs(parts, self._place, self._training)
        self._transforms = TransformJobs(parts)
        self._deployments = Deployments(parts)
        self._service = Service(
            place=self._place,
            store=self._store,
            aws=self._aws,
            authorizer=authorizer,
            training=self._training,
            tuning=self._tuning,
            transforms=self._transforms,
            deployments=self._deployments,
            metrics=self._metrics,
        )
        self._callers = Callers(lambda: list_functions(self._aws), self._place.account, credentials.role_of)
        self._report: dict[str, object] = {}

    def start(self) -> None:
        """Take up what the last life of the service left."""
        for directory in ("training", "transform"):
            shutil.rmtree(self._home / directory, ignore_errors=True)
        self._containers.begin()
        self._events.start()
        self._logs.start()
        self._metrics.start()
        self._report = {
            "failed_training_jobs": self._training.fail_lost(),
            "failed_tuning_jobs": self._tuning.fail_lost(),
            "failed_transform_jobs": self._transforms.fail_lost(),
            "endpoints": self._deployments.restore(),
        }
        if any(self._report.values()):
            logger.info("after the last life of the service: %s", self._report)

    def stop(self) -> None:
        """End jobs and variants; what is stored stays."""
        self._tuning.shut_down()
        self._training.shut_down()
        self._transforms.shut_down()
        self._deployments.shut_down()
        self._metrics.stop()
        self._logs.stop()
        self._events.stop(timeout=10)
        self._store.close()
        self._lock.close()

    def application(self) -> Starlette:
        return application(self._service, self._callers, lambda: self._report)


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


def list_functions(aws: Aws) -> list[Function]:
    pages = aws.functions.get_paginator("list_functions").paginate()
    return [
        Function(function["FunctionArn"], function["FunctionName"], function["Role"])
        for page in pages
        for function in page["Functions"]
    ]
