"""A local stack, and a browser that looks at a page of another origin."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sageline_local.stack import LocalStack
from tests.ports import free_port


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack that is up."""
    stack = LocalStack(tmp_path_factory.mktemp("stack"), free_port())
    try:
        stack.up()
        yield stack
    finally:
        stack.down(delete=True)
