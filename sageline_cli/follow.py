"""Following a run until it ends: poll its record, show each state and the seconds it took."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn

from sageline.json_objects import Json
from sageline.runs.timings import StateTime
from sageline_cli.candidates import TRAINING, CandidateProgress, doing, progress_line
from sageline_cli.errors import CommandFailed
from sageline_cli.render import state_line
from sageline_cli.states import DOES
from sageline_cli.timeline import Timeline, without_a_model
from sageline_local.progress import SecondsColumn

# An event starts the run within a second or two; after this long something is wrong with the rule, the queue or the name.
_START_SECONDS = 60.0
_BOUND_SECONDS = 15.0
_POLL_SECONDS = 0.4
_MAX_FAILURES = 5
_LASTING = frozenset(("RunNotFound", "Forbidden"))


def await_start(
    fetch: Callable[[], Json],
    console: Console,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Json:
    """Poll until the run that an upload starts is there; its record.

    Raises:
        CommandFailed: the run does not begin, or its record cannot be read.
    """
    started = clock()
    with console.status("Waiting for the run to begin"):
        while True:
            try:
                return fetch()
            except CommandFailed as error:
                if error.code != "RunNotFound":
                    raise
                if clock() - started >= _START_SECONDS:
                    raise CommandFailed(
                        f"The upload has not started a run within {_START_SECONDS:.0f} s. Look at the EventBridge rule on "
                        f"uploads, its dead-letter queue and the executions of the state machine. ({error.message})",
                        "RunNotStarted",
                    ) from None
            sleep(_POLL_SECONDS)


def await_bound(
    run: Json,
    fetch: Callable[[], Json],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Json:
    """Poll for some seconds until a run that has begun knows what it may cost, which its first state finds out; its record."""
    started = clock()
    while run["status"] == "Running" and run["state"] == "ConfigureRun" and "cost" not in (run.get("details") or {}):
        if clock() - started >= _BOUND_SECONDS:
            break
        sleep(_POLL_SECONDS)
        try:
            run = fetch()
        except CommandFailed:
            break  # whoever needs the record asks again
    return run


def follow(
    fetch: Callable[[], Json],
    timeline: Timeline,
    console: Console,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    *,
    candidates: Callable[[Json], list[CandidateProgress]] = lambda run: [],
) -> Json:
    """Poll until the run has ended; its record. A lost connection is borne for a while, and so is a run that is Unknown.

    Args:
        candidates: how those of a run of several algorithms stand, from its record.

    Raises:
        CommandFailed: its record cannot be read.
    """
    started = clock()
    failures = 0
    with _Display(console) as display:
        while True:
            try:
                run = fetch()
            except CommandFailed as error:
                failures += 1
                if error.code in _LASTING or failures > _MAX_FAILURES:
                    raise
            else:
                failures = failures + 1 if run["status"] == "Unknown" else 0
                display.show(timeline(run), candidates(run), goes_on=run["status"] == "Running")
                if run["status"] != "Running" and (failures == 0 or failures > _MAX_FAILURES):
                    return run
            sleep(min(max((clock() - started) / 60, _POLL_SECONDS), 5.0))


class _Display:
    """A line for each state that the run has left and each candidate that has ended; on a terminal, below them, moving ones for
    the state that it is in and the candidates that go on."""

    def __init__(self, console: Console) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), SecondsColumn())
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task("", total=None)
        self._console = console
        self._current = ""
        self._printed = 0
        self._ended: set[str] = set()
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._progress.stop()

    def show(self, states: list[StateTime], candidates: list[CandidateProgress], *, goes_on: bool) -> None:
        if candidates and all(candidate.outcome == "failed" for candidate in candidates):
            states = without_a_model(states)
        left = [state for state in states if state.outcome != "running"]
        for state in left[self._printed :]:
            if state.state == TRAINING:
                self._show_ended(candidates, goes_on=goes_on)
            self._console.print(state_line(state))
        self._printed = max(self._printed, len(left))
        self._show_ended(candidates, goes_on=goes_on)
        self._move(candidates)
        if len(left) < len(states) and states[-1].state != self._current:
            self._current = states[-1].state
            self._progress.reset(self._task, description=f"{self._current:<24} [dim]{DOES.get(self._current, ''):<34}")

    def _show_ended(self, candidates: list[CandidateProgress], *, goes_on: bool) -> None:
        for candidate in candidates:
            if candidate.outcome != "running" and candidate.run_id not in self._ended:
                self._ended.add(candidate.run_id)
                if candidate.run_id in self._tasks:
                    self._progress.remove_task(self._tasks.pop(candidate.run_id))
                self._console.print(progress_line(candidate, DOES, candidates if goes_on else ()), soft_wrap=True)

    def _move(self, candidates: list[CandidateProgress]) -> None:
        for candidate in candidates:
            if candidate.outcome != "running":
                continue
            description = f"  {candidate.algorithm:<22} [dim]{doing(candidate, DOES):<34}"
            if candidate.run_id not in self._tasks:
                self._tasks[candidate.run_id] = self._progress.add_task(description, total=None)
            self._progress.update(self._tasks[candidate.run_id], description=description)
