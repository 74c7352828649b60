"""What several tests of the local stack need."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from ministack.services import eventbridge, stepfunctions

from sageline_local import distributed_map, nested_executions
from tests.unit.local_stack.maps import PATCHED, MapWorld, wait_for


@pytest.fixture
def maps(monkeypatch: pytest.MonkeyPatch) -> Iterator[MapWorld]:
    """A Step Functions that runs Distributed Maps; whatever still runs at the end must end by itself."""
    world, threads = MapWorld(), set(threading.enumerate())
    for name in PATCHED:  # so that they are put back
        monkeypatch.setattr(stepfunctions, name, getattr(stepfunctions, name))
    monkeypatch.setattr(stepfunctions, "_call_lambda", world.invoke)
    monkeypatch.setattr(eventbridge, "_put_events", world.put_events)
    monkeypatch.setattr(nested_executions, "_shutting_down", threading.Event())
    nested_executions.install()
    distributed_map.install()
    yield world
    nested_executions.stop_waiting()
    wait_for(lambda: set(threading.enumerate()) <= threads)
    stepfunctions.reset()
