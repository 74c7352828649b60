"""What every call, job and endpoint works with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sagemaker_emulator.aws import Place
from sagemaker_emulator.credentials import RoleCredentials
from sagemaker_emulator.events import Events
from sagemaker_emulator.isolation.machine import Containers
from sagemaker_emulator.logs import LogShipper
from sagemaker_emulator.objects import Objects
from sagemaker_emulator.permissions import Permissions
from sagemaker_emulator.store import Store


@dataclass(frozen=True)
class Parts:
    """The parts of the service below its jobs and endpoints; ``home`` is the directory of its state."""

    place: Place
    store: Store
    objects: Objects
    permissions: Permissions
    events: Events
    logs: LogShipper
    home: Path
    containers: Containers
    credentials: RoleCredentials
