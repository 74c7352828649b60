"""One run on moto's S3 and DynamoDB and a SageMaker in memory."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import signature

import pytest

from sageline.runs.context import RunContext
from tests.unit.world.waiting import Answers, told
from tests.unit.world.world import World, new_world


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with new_world() as world:
        world.remembers = "monkeypatch" not in signature(request.function).parameters
        yield world


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def watch(world: World, answers: Answers) -> RunContext:
    """Of a run that has begun."""
    world.begin()
    return told(world, answers)
