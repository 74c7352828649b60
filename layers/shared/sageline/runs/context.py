"""What every use case of a run works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sageline.aws import clients
from sageline.aws.settings import RunSettings
from sageline.runs.documents import RunFiles
from sageline.runs.store import RunStore, utc_now


@dataclass(frozen=True)
class RunContext:
    """Records, documents, the value of the tag ``sageline:stack``, and the time."""

    store: RunStore
    files: RunFiles
    stack_name: str
    clock: Callable[[], datetime] = utc_now


def run_context(settings: RunSettings) -> RunContext:
    """As the functions have it: on AWS's clients."""
    store = RunStore(clients.table(settings.runs_table_name))
    return RunContext(store, RunFiles(clients.s3(), settings.bucket_name), settings.stack_name)
