"""How the thread that looks at the queue of asynchronous inference ends."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from sagemaker_emulator.async_inference.dispatch import Dispatcher
from sagemaker_emulator.async_inference.queue import RequestQueue


class SetAsSoonAsAsked(threading.Event):
    """As if ``stop`` were called right after the thread has looked whether it was."""

    def __init__(self, wanted: threading.Event) -> None:
        super().__init__()
        self._wanted = wanted

    def is_set(self) -> bool:
        was_set = super().is_set()
        self.set()
        self._wanted.set()
        return was_set


def test_an_end_that_is_told_at_whatever_moment_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = SimpleNamespace(parts=SimpleNamespace(store=None, home=tmp_path))
    with closing(RequestQueue(tmp_path / "async-inference.db")) as queue:
        dispatcher = Dispatcher(tools, None, queue)  # type: ignore[arg-type]  # an empty queue asks for nothing of either
        monkeypatch.setattr(dispatcher, "_stopped", SetAsSoonAsAsked(dispatcher._wanted))
        dispatcher.start()

        dispatcher._thread.join(timeout=2)
        assert not dispatcher._thread.is_alive()
