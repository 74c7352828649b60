"""Functions in real containers: ``make test-docker``. A machine without Docker fails these tests, it does not skip them.

A daemon that answers is used, and AWS's public image fetched, unless SAGELINE_INVOKE_IMAGE names another. Where none answers,
one is started for the tests, with an image made here; nothing of them is left.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from rich.console import Console

from sageline_local import build
from sageline_local.errors import DockerMissing
from sageline_local.fixture.make import make_fixture
from sageline_local.home import Home
from sageline_local.invoke import engine as engines
from sageline_local.invoke.command import InvokeContext
from sageline_local.invoke.engine import Engine
from sageline_local.progress import Silent
from sageline_local.stack import LocalStack
from tests.docker import base_image
from tests.docker.daemon import own_daemon
from tests.ports import free_port


@dataclass(frozen=True)
class Docker:
    """``image``: None for AWS's public one."""

    engine: Engine
    image: str | None


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Commands under test get Ctrl-C, also if a script runs these tests in the background, where shells ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def docker() -> Iterator[Docker]:
    """This machine's daemon, or one of the tests' own."""
    try:
        found = engines.find(os.environ)
    except DockerMissing:
        with own_daemon() as (address, folder):
            own = engines.find({**os.environ, "DOCKER_HOST": address})
            yield Docker(own, base_image.make(folder, build.container(own.architecture), own.variables()))
        return
    yield Docker(found, os.environ.get("SAGELINE_INVOKE_IMAGE"))


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack that is up and has the fixture. Its directory is kept, with the logs, if a test failed."""
    stack = LocalStack(tmp_path_factory.mktemp("stack"), free_port())
    try:
        stack.up()
        make_fixture(stack)
        yield stack
    finally:
        stack.down(delete=not request.session.testsfailed)


@pytest.fixture(scope="session")
def place(stack: LocalStack) -> InvokeContext:
    console = Console(stderr=True)
    return InvokeContext(Home(stack.home), None, Silent(), lambda line: console.print(line, markup=False))
