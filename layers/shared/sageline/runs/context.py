"""What every use case of a run works with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sageline.aws.clients import CLIENTS, Clients
from sageline.aws.settings import RunSettings
from sageline.runs.documents import RunFiles
from sageline.runs.routing_store import RoutingStore
from sageline.runs.store import RunStore, utc_now


@dataclass(frozen=True)
class RunContext:
    """The stack's settings, AWS's clients and the time; from these, the run records, documents and routings.

    All are made when they are first asked for, so that a function makes only what its event needs.
    """

    settings: RunSettings
    clients: Clients = CLIENTS
    clock: Callable[[], datetime] = utc_now
    sleep: Callable[[float], None] = time.sleep

    @cached_property
    def store(self) -> RunStore:
        """The records of runs."""
        return RunStore(self.clients.dynamodb_resource.Table(self.settings.runs_table_name), self.clock)

    @cached_property
    def files(self) -> RunFiles:
        """The documents of runs."""
        return RunFiles(self.clients.s3, self.settings.bucket_name)

    @cached_property
    def routings(self) -> RoutingStore:
        """The routing documents of endpoints."""
        return RoutingStore(self.clients.s3, self.settings.bucket_name)

    @property
    def stack_name(self) -> str:
        """The value of the tag ``sageline:stack``."""
        return self.settings.stack_name

    @property
    def region(self) -> str:
        """Where the stack is, such as ``us-east-1``."""
        return self.clients.sagemaker.meta.region_name
