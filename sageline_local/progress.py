"""How long-running work tells what it does, whoever shows it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress as RichProgress
from rich.progress import ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text


class Progress(Protocol):
    """Steps may overlap, and may come from more than one thread."""

    def step(self, title: str) -> AbstractContextManager[None]:
        """Work that takes a while; it is done when the context ends."""

    def note(self, text: str) -> None:
        """Something that a person should know."""


class Silent:
    """Shows nothing."""

    def step(self, title: str) -> AbstractContextManager[None]:
        return nullcontext()

    def note(self, text: str) -> None:
        return None


class ConsoleProgress:
    """Shows each step with its seconds: while it runs if the console is a terminal, when it has ended otherwise.

    Use it as a context manager; steps and notes come in between.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._display = RichProgress(
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description}"),
            SecondsColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._display.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._display.stop()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        task = self._display.add_task(title, total=1)
        began = time.monotonic()
        mark = "[red]✗[/]"
        try:
            yield
            mark = "[green]✓[/]"
        finally:
            self._display.update(task, completed=1, description=f"{mark} {title}")
            if not self._console.is_terminal:
                self._console.print(f"{mark} {title} {time.monotonic() - began:.1f} s")

    def note(self, text: str) -> None:
        self._console.print(f"[yellow]![/] {escape(text)}")


class SecondsColumn(ProgressColumn):
    """The seconds that a task has taken so far, or took."""

    def render(self, task: Task) -> Text:
        seconds = task.finished_time if task.finished else task.elapsed
        return Text(f"{seconds or 0:.1f} s", style="dim")
