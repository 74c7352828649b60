"""One run on moto's S3 and DynamoDB and a SageMaker in memory."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import signature

import pytest

from tests.unit.run.world import World, new_world


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with new_world() as world:
        world.remembers = "monkeypatch" not in signature(request.function).parameters
        yield world
