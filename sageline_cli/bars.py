"""Progress of work whose size is known: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

_LINE_EVERY_SECONDS = 10.0


@contextmanager
def bar(
    console: Console, title: str, total: int, *details: ProgressColumn, clock: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[int], None]]:
    """Shows ``title`` and how much of ``total`` is done; call what it gives with each amount, from any thread.

    ``details``: what to show beside the bar of a terminal.
    """
    if not console.is_terminal:
        yield _lines(console, title, total, clock)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), *details, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda amount: progress.advance(task, amount)


def _lines(console: Console, title: str, total: int, clock: Callable[[], float]) -> Callable[[int], None]:
    done, due = 0, clock() + _LINE_EVERY_SECONDS

    def advance(amount: int) -> None:
        nonlocal done, due
        done += amount
        if clock() >= due:
            due = clock() + _LINE_EVERY_SECONDS
            console.print(f"{title}: {done / max(total, 1):.0%}")

    return advance
