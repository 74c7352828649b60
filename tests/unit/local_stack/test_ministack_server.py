"""Saving MiniStack's state while it runs. The first test guards the places where this leans on MiniStack's inside."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ministack import app as ministack
from ministack.core import persistence

from sageline_local import ministack_server
from sageline_local.ministack_server import Snapshots


def test_ministack_still_has_what_saving_leans_on() -> None:
    readers = ministack._build_persistence_save_dict()

    assert all(callable(read) for read in readers.values())
    assert callable(persistence.save_state)
    assert callable(ministack.main)
    assert asyncio.iscoroutinefunction(ministack.app)


class Service:
    """Stands for MiniStack's services."""

    def __init__(self) -> None:
        self.states: dict[str, object] = {"s3": {"buckets": []}, "states": {"executions": []}, "unused": None}
        self.saved: list[str] = []

    def readers(self) -> dict[str, Callable[[], object]]:
        return {name: self._reader(name) for name in self.states}

    def save(self, name: str, state: object) -> None:
        self.saved.append(name)

    def _reader(self, name: str) -> Callable[[], object]:
        def read() -> object:
            state = self.states[name]
            if isinstance(state, Exception):
                raise state
            return state

        return read


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    service = Service()
    monkeypatch.setattr(ministack, "_build_persistence_save_dict", service.readers)
    monkeypatch.setattr(ministack_server, "save_state", service.save)
    return service


def test_only_what_has_changed_is_written(service: Service, tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path)
    snapshots.save()
    assert service.saved == ["s3", "states"]

    snapshots.save()
    service.states["states"] = {"executions": ["one"]}
    snapshots.save()

    assert service.saved == ["s3", "states", "states"]


def test_a_state_that_changes_while_it_is_read_does_not_keep_the_others_from_being_saved(
    service: Service, tmp_path: Path
) -> None:
    service.states["s3"] = RuntimeError("dictionary changed size during iteration")
    snapshots = Snapshots(tmp_path)
    snapshots.save()
    assert service.saved == ["states"]

    service.states["s3"] = {"buckets": ["one"]}
    snapshots.save()

    assert service.saved == ["states", "s3"]


@pytest.fixture
def running(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Snapshots]:
    monkeypatch.setattr(ministack_server, "INTERVAL_SECONDS", 0.05)
    monkeypatch.setattr(ministack_server, "_PAUSE_POLL_SECONDS", 0.01)
    snapshots = Snapshots(tmp_path)
    yield snapshots
    snapshots.stop()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def test_nothing_is_saved_while_a_deployment_is_under_way(running: Snapshots, service: Service, tmp_path: Path) -> None:
    (tmp_path / "paused").touch()
    running.start()
    threading.Event().wait(0.1)
    assert service.saved == []

    (tmp_path / "paused").unlink()

    wait_for((tmp_path / "saved").exists)
    assert service.saved == ["s3", "states"]


def test_a_start_is_not_clean_until_the_state_was_saved_at_the_end(running: Snapshots, tmp_path: Path) -> None:
    (tmp_path / "clean").touch()

    running.start()
    wait_for((tmp_path / "saved").exists)
    assert not (tmp_path / "clean").exists()
    running.stop()
    running.mark_clean()

    assert (tmp_path / "clean").exists()
