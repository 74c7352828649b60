"""Work on a local stack that is brought up for it and taken down after it, with a report of the result.

A stack that was up before stays up. The report is a JSON file in the stack's home: ``"status"`` is ``succeeded``, or ``failed``
with ``"error"`` and what was known by then; ``"seconds"`` has the time of each step.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape

from sageline.errors import SagelineError
from sageline.json_objects import Json
from sageline_cli import render
from sageline_cli.connection import Connection, local_home
from sageline_cli.errors import CommandFailed, explain
from sageline_cli.options import stdout
from sageline_cli.submit import send, watch
from sageline_local.progress import ConsoleProgress
from sageline_local.stack import LocalStack

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class WorkReport:
    """What the report says, filled in as the work goes on. ``edit`` is what the facts go through when they are written."""

    facts: Json = field(default_factory=lambda: {"status": "failed"})
    seconds: dict[str, float] = field(default_factory=dict)
    edit: Callable[[Json], Json] = dict

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[step] = round(time.monotonic() - started, 1)

    def write(self, path: Path) -> None:
        document = {**self.edit(self.facts), "seconds": self.seconds}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


StackWork = Callable[[LocalStack, Console, WorkReport], None]


def run_on_local_stack(work: StackWork, report_file: str, title: str, report: WorkReport | None = None) -> int:
    """Do the work and write its report to that file of the stack's home; the exit code.

    Args:
        work: brings the stack up itself, so that it can do something else meanwhile.
        title: what a message calls it: "The demo".
        report: to be filled in; by default an empty one.
    """
    console = stdout()
    port = os.environ.get("SAGELINE_PORT", "")
    if port and not port.isdecimal():
        console.print(f"SAGELINE_PORT is {port!r}; expected a number.")
        return 2
    stack = LocalStack(local_home(os.environ), int(port) if port else None)
    report = report or WorkReport()
    report.seconds["setup"] = float(os.environ.get("SAGELINE_SETUP_SECONDS", "0"))
    was_up = stack.status().state == "up"

    def afterwards() -> None:
        if not was_up:
            _take_down(stack, console)

    path = stack.home / report_file
    return carry_out(lambda: work(stack, console, report), report, path, title=title, console=console, afterwards=afterwards)


def carry_out(
    work: Callable[[], None],
    report: WorkReport,
    path: Path,
    *,
    title: str,
    console: Console,
    afterwards: Callable[[], None] = lambda: None,
) -> int:
    """Do the work, whatever becomes of it do what comes afterwards, and write the report; the exit code."""
    started = time.monotonic()
    handlers = {number: signal.signal(number, _interrupt) for number in _ENDINGS}
    try:
        work()
        report.facts["status"] = "succeeded"
    except KeyboardInterrupt:
        report.facts["error"] = "interrupted"
        console.print("\nInterrupted.")
    except (CommandFailed, SagelineError, ClientError, BotoCoreError, OSError) as error:
        report.facts["error"] = explain(error).message
        console.print(f"[red]{title} failed:[/] {escape(report.facts['error'])}")
    finally:
        with undisturbed():
            afterwards()
            report.seconds["total"] = round(report.seconds.get("setup", 0) + time.monotonic() - started, 1)
            report.write(path)
        for number, handler in handlers.items():
            signal.signal(number, handler)
    console.print(f"{report.seconds['total']:.0f} s in all. {path} has the numbers.")
    return 0 if report.facts["status"] == "succeeded" else 1


@contextmanager
def undisturbed() -> Iterator[None]:
    """Signals that end a program are ignored: a second Ctrl-C must not leave behind what is being cleared away."""
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in _ENDINGS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextmanager
def time_limit(seconds: float, message: str) -> Iterator[None]:
    """What takes longer is interrupted as by Ctrl-C.

    Raises:
        CommandFailed: it took longer; with the message.
    """
    is_over = False

    def end(signum: int, frame: FrameType | None) -> None:
        nonlocal is_over
        is_over = True
        raise KeyboardInterrupt

    handler = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except KeyboardInterrupt:
        if is_over:
            raise CommandFailed(message, "TimeIsUp") from None
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)


def _take_down(stack: LocalStack, console: Console) -> None:
    try:
        with ConsoleProgress(console) as progress:
            stack.down(progress)
    except SagelineError as error:
        console.print(f"[red]The stack could not be stopped:[/] {escape(error.message)}")


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def run_to_the_end(
    connection: Connection, dataset: Path, name: str, *, spec: bytes | None, console: Console, report: WorkReport
) -> Json:
    """Upload a dataset and follow its run; the run's record. The report gets its ``run_id``, whatever becomes of it.

    Raises:
        CommandFailed: the run did not succeed.
    """
    uploaded = send(connection, dataset, name, spec, console)
    report.facts["run_id"] = uploaded.run_id
    try:
        run, states = watch(connection, uploaded.run_id, True, console)
    except BaseException:
        # A stack that stays up must not go on with a run that nobody waits for.
        with suppress(CommandFailed):
            connection.api.stop_run(uploaded.run_id)
        raise
    if run["status"] != "Succeeded":
        console.print(render.outcome(run, states))
        raise CommandFailed(f"Run {uploaded.run_id} ended as {run['status']}: {_why(run)}")
    return run


def _why(run: Json) -> str:
    return render.refusal(run) if run["status"] == "Rejected" else str((run["error"] or {}).get("message"))
