"""One run on AWS in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sageline.waiting.check_status import Watch
from tests.unit.world.waiting import Answers, new_watch
from tests.unit.world.world import World, new_world


@pytest.fixture
def world() -> Iterator[World]:
    with new_world() as world:
        yield world


@pytest.fixture
def answers(world: World) -> Answers:
    return world.aws.stepfunctions


@pytest.fixture
def watch(world: World) -> Watch:
    """Of a run that has begun."""
    world.begin()
    return new_watch(world)
