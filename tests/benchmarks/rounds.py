"""Measuring several ways to do one job, in turn."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping


def seconds_by_round(contestants: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """How long each contestant took in each round.

    All run once per round, and each round begins with another one, so what else the machine does meets them all alike.
    Garbage is collected before each measurement and not during it. What was there before is not looked at for it.
    """
    names = list(contestants)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    gc.collect()
    gc.freeze()
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            seconds[name].append(_seconds(contestants[name]))
    return seconds


def speeds_by_round(contestants: Mapping[str, Callable[[], object]], rounds: int, amount: float) -> dict[str, list[float]]:
    """``amount`` per second, for each contestant and round."""
    seconds = seconds_by_round(contestants, rounds)
    return {name: [amount / taken for taken in times] for name, times in seconds.items()}


def _seconds(work: Callable[[], object]) -> float:
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start
    finally:
        gc.enable()
