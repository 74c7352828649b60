"""One local stack for each worker of the tier, in a directory of its own, on ports that are free."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sageline_local.aws import LocalClients
from sageline_local.stack import LocalStack
from tests.ports import free_port
from tests.workflow.workbench import Workbench

# A lost event is noticed after this many seconds; the template allows no less.
CHECK_INTERVAL_SECONDS = 10


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack that is up. Its directory is kept, with the logs, if a test failed."""
    stack = LocalStack(tmp_path_factory.mktemp("stack"), free_port())
    try:
        stack.up(parameters={"CheckIntervalSeconds": str(CHECK_INTERVAL_SECONDS)})
        yield stack
    finally:
        stack.down(delete=not request.session.testsfailed)


@pytest.fixture(scope="session")
def clients(stack: LocalStack) -> LocalClients:
    """boto3 clients of the stack, as its root user."""
    return stack.clients()


@pytest.fixture(scope="session")
def workbench(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """Hands and eyes for the stack."""
    return Workbench.on(stack, tmp_path_factory.mktemp("datasets"))
