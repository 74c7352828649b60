"""Writing to S3 while the next that is to be written is made."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_MOST_WAITING = 8


class WriteBehind(Generic[T]):
    """Has a thread write what it is given, in the same order; what has gone wrong is raised by the next call.

    The thread starts with the first thing to write. When several wait, the next one has to wait before it is taken.
    """

    def __init__(self, write: Callable[[T], None]) -> None:
        self._write = write
        self._waiting: queue.Queue[T | None] = queue.Queue(_MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def put(self, value: T) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="write behind", daemon=True)
            self._thread.start()
        self._raise()
        self._waiting.put(value)

    def close(self) -> None:
        """Wait until all is written."""
        self._end()
        self._raise()

    def abort(self) -> None:
        """Give up what is not written yet."""
        self._error = self._error or InterruptedError()
        self._end()

    def _run(self) -> None:
        while (value := self._waiting.get()) is not None:
            if self._error is not None:
                continue  # so that nobody waits for room
            try:
                self._write(value)
            except BaseException as error:
                self._error = error

    def _end(self) -> None:
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error
