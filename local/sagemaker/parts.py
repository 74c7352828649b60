"""What everything that runs jobs or endpoints works with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from local.sagemaker.authorization import Authorizer
from local.sagemaker.aws import Aws
from local.sagemaker.credentials import RoleCredentials
from local.sagemaker.events import Events
from local.sagemaker.isolation.machine import Containers
from local.sagemaker.logs import LogShipper
from local.sagemaker.store import Store


@dataclass(frozen=True)
class Parts:
    """The parts of the service below its jobs and endpoints; ``home`` is the directory of its state."""

    store: Store
    aws: Aws
    authorizer: Authorizer
    events: Events
    logs: LogShipper
    home: Path
    containers: Containers
    credentials: RoleCredentials
