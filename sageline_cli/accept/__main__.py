"""``python -m sageline_cli.accept [STACK]``: the acceptance of a stack in AWS, or of the local stack, brought up for it.

What was seen goes to ``accept.json``: here, or for the local stack in its home. It has no rows and no predictions, and account
ids are masked, so that it can be sent to a maintainer.
"""

from __future__ import annotations

import os
import platform
import secrets
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.console import Console

from sageline import __version__
from sageline.json_objects import Json
from sageline.runs.store import utc_now
from sageline_cli.accept.plan import Pace, Plan
from sageline_cli.accept.shapes import masked
from sageline_cli.accept.steps import Acceptance
from sageline_cli.aws import Aws
from sageline_cli.connection import Connection, connect_to_aws, connect_to_local
from sageline_cli.options import stdout
from sageline_cli.temporary_stack import WorkReport, carry_out, run_on_local_stack
from sageline_local.progress import ConsoleProgress
from sageline_local.stack import LocalStack

_FILE = "accept.json"
_TITLE = "The acceptance"
_LOCAL = Pace(bake_minutes=0.1, most_minutes=20)
_IN_AWS = Pace(bake_minutes=3, most_minutes=120)
"""AWS's metrics come once a minute, so that to bake for a shorter time would notice nothing."""


def main(arguments: list[str]) -> int:
    """Accept a stack; the exit code."""
    stack = arguments[0] if arguments else ""
    if len(arguments) > 1:
        click.echo("Give one name of a stack, or none for the local stack.", err=True)
        return 2
    if stack in ("", "local"):
        report = _report("local")
        return run_on_local_stack(partial(accept_local, environment=os.environ), _FILE, _TITLE, report)
    report, console = _report("AWS"), stdout()
    work = partial(accept_in_aws, stack, os.environ, console, report)
    return carry_out(work, report, Path(_FILE), title=_TITLE, console=console)


def accept_local(stack: LocalStack, console: Console, report: WorkReport, environment: Mapping[str, str]) -> None:
    """
    Raises:
        CommandFailed, SagelineError: a step failed.
    """
    with report.timed("deploy"), ConsoleProgress(console) as progress:
        status = stack.up(progress)
    connection, aws = connect_to_local(environment), Aws.of_local_stack(status)
    _accept(connection, aws, _LOCAL, console, report)


def accept_in_aws(stack: str, environment: Mapping[str, str], console: Console, report: WorkReport) -> None:
    """
    Raises:
        CommandFailed, ClientError, BotoCoreError: a step failed.
    """
    connection, aws = connect_to_aws(stack, environment), Aws.of_account(environment)
    report.facts["region"] = aws.region
    _accept(connection, aws, _IN_AWS, console, report)


def _accept(connection: Connection, aws: Aws, pace: Pace, console: Console, report: WorkReport) -> None:
    report.edit = partial(masked, secrets=[connection.bucket])
    plan = Plan(f"acc{secrets.token_hex(3)}", pace)
    with TemporaryDirectory() as folder:
        Acceptance(connection, aws, plan, Path(folder), console, report).carry_out()


def _report(where: str) -> WorkReport:
    facts: Json = {
        "status": "failed",
        "place": where,
        "sageline": __version__,
        "python": platform.python_version(),
        "began_at": utc_now().isoformat(timespec="seconds"),
    }
    return WorkReport(facts, edit=masked)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
