"""A local stack, its console, and a browser that looks at it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sageline_cli.connection import connect_to_local
from sageline_local.stack import LocalStack
from tests.browser.console_window import Switch, Window, browser
from tests.ports import free_port
from tests.served_console import served


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack that is up."""
    stack = LocalStack(tmp_path_factory.mktemp("stack"), free_port())
    try:
        stack.up()
        yield stack
    finally:
        stack.down(delete=True)


@pytest.fixture(scope="module")
def switch(stack: LocalStack) -> Switch:
    """The stack as the console sees it."""
    return Switch(lambda: connect_to_local({"SAGELINE_HOME": str(stack.home)}))


@pytest.fixture(scope="module")
def window(stack: LocalStack, switch: Switch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """A browser at the console. Pictures are kept in SAGELINE_SCREENSHOTS, or else with the test's other files."""
    pictures = Path(os.environ.get("SAGELINE_SCREENSHOTS") or tmp_path_factory.mktemp("pictures"))
    with served(switch.access, stack.require_up().endpoint_url or "") as url, browser(url, pictures) as window:
        yield window
