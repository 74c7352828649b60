"""One run on AWS in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sageline.runs.context import RunContext
from tests.unit.world.waiting import Answers
from tests.unit.world.world import World, new_world


@pytest.fixture
def world() -> Iterator[World]:
    with new_world() as world:
        yield world


@pytest.fixture
def answers(world: World) -> Answers:
    return world.aws.stepfunctions


@pytest.fixture
def watch(world: World) -> RunContext:
    """The context of a run that has begun."""
    world.begin()
    return world.run
