"""A piece of work on a local stack that is brought up for it and taken down after it, with a report of what came out of it.

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

from cli import render
from cli.connection import Connection, local_home
from cli.errors import CommandFailed, Json, explain
from cli.options import stdout
from cli.submit import send, watch
from local.progress import ConsoleProgress
from local.stack import LocalStack
from sageline.errors import SagelineError

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class Report:
    """What the report says, filled in as the work goes on."""

    facts: Json = field(default_factory=lambda: {"status": "failed"})
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[step] = round(time.monotonic() - started, 1)

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps({**self.facts, "seconds": self.seconds}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )


Work = Callable[[LocalStack, Console, Report], None]


def stage(work: Work, report_file: str, title: str) -> int:
    """Do the work and write its report to that file of the stack's home; the exit code.

    Args:
        work: brings the stack up itself, so that it can do something else meanwhile.
        title: what a message calls it: "The demo".
    """
    started = time.monotonic()
    console = stdout()
    port = os.environ.get("SAGELINE_PORT", "")
    if port and not port.isdecimal():
        console.print(f"SAGELINE_PORT is {port!r}; expected a number.")
        return 2
    stack = LocalStack(local_home(os.environ), int(port) if port else None)
    report = Report(seconds={"setup": float(os.environ.get("SAGELINE_SETUP_SECONDS", "0"))})
    was_up = stack.status().state == "up"
    handlers = {number: signal.signal(number, _interrupt) for number in _ENDINGS}
    try:
        work(stack, console, report)
        report.facts["status"] = "succeeded"
    except KeyboardInterrupt:
        report.facts["error"] = "interrupted"
        console.print("\nInterrupted.")
    except (CommandFailed, SagelineError, ClientError, BotoCoreError, OSError) as error:
        report.facts["error"] = explain(error).message
        console.print(f"[red]{title} failed:[/] {escape(report.facts['error'])}")
    finally:
        for number in _ENDINGS:
            # A second Ctrl-C must not leave processes behind.
            signal.signal(number, signal.SIG_IGN)
        if not was_up:
            _take_down(stack, console)
        report.seconds["total"] = round(report.seconds["setup"] + time.monotonic() - started, 1)
        report.write(stack.home / report_file)
        for number, handler in handlers.items():
            signal.signal(number, handler)
    console.print(f"{report.seconds['total']:.0f} s in all. {stack.home / report_file} has the numbers.")
    return 0 if report.facts["status"] == "succeeded" else 1


def _take_down(stack: LocalStack, console: Console) -> None:
    try:
        with ConsoleProgress(console) as progress:
            stack.down(progress)
    except SagelineError as error:
        console.print(f"[red]The stack could not be stopped:[/] {escape(error.message)}")


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def run_to_the_end(
    connection: Connection, dataset: Path, name: str, *, spec: bytes | None, console: Console, report: Report
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
