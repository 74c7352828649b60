"""One local stack for all workers of the tier: to deploy one costs as much as a minute of tests."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sageline_local.aws import LocalClients
from sageline_local.stack import LocalStack
from tests.ports import free_port
from tests.workflow.workbench import Workbench

# A lost event is noticed after this many seconds; the template allows no less.
CHECK_INTERVAL_SECONDS = 10
PAGE = "https://app.example"
"""The origin of pages that may call the HTTP API for tokens."""


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack that is up: the first worker starts it, the last one ends it.

    The workers' tests run on it side by side, so each uses names of its own and changes nothing that others go by. If a test
    failed, the stack's directory is kept, with the logs.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    users, failed, port = shared / "stack-users", shared / "stack-failed", shared / "stack-port"
    with _alone(shared):
        users.mkdir(exist_ok=True)
        if not port.exists():
            port.write_text(str(free_port()))
        stack = LocalStack(shared / "stack", int(port.read_text()))
        if not any(users.iterdir()):
            stack.up(parameters={"CheckIntervalSeconds": str(CHECK_INTERVAL_SECONDS), "CorsOrigins": PAGE})
        (users / base.name).touch()
    try:
        yield stack
    finally:
        with _alone(shared):
            if request.session.testsfailed:
                failed.touch()
            (users / base.name).unlink()
            if not any(users.iterdir()):
                stack.down(delete=not failed.exists())


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """One worker at a time."""
    with (directory / "stack-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def clients(stack: LocalStack) -> LocalClients:
    """boto3 clients of the stack, as its root user."""
    return stack.clients()


@pytest.fixture(scope="session")
def workbench(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """Hands and eyes for the stack."""
    return Workbench.on(stack, tmp_path_factory.mktemp("datasets"))
