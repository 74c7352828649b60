"""Calls that do not wait for each other: a page takes as long as the slowest of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def begin(call: Callable[[], T]) -> Future[T]:
    """A call that is under way in a thread of its own; ``result()`` waits for it, and raises what it raises."""
    # No pool is shared: calls that wait for other calls of the same pool could fill it, and wait for ever.
    executor = ThreadPoolExecutor(1, thread_name_prefix="page")
    try:
        return executor.submit(call)
    finally:
        executor.shutdown(wait=False)


def all_of(calls: Iterable[Callable[[], T]]) -> list[T]:
    """What each of the calls has answered, in their order; the first error of them is raised."""
    under_way = [begin(call) for call in calls]
    return [future.result() for future in under_way]
