"""What the commands share: ``--stack``, ``--json``, and how failures come out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console, RenderableType

from sageline.errors import SagelineError
from sageline_cli.errors import CommandFailed, explain
from sageline_cli.warning_lines import warning

F = TypeVar("F", bound=Callable[..., Any])  # click's decorators take any function

# Tables that go to a file or a pipe are not cut to the width of a screen that is not there.
_PIPE_WIDTH = 240


class StackCommand(click.Command):
    """A command that talks to a stack: AWS's errors become sentences, and with ``--json`` a failure is a document too."""

    def invoke(self, ctx: click.Context) -> Any:  # as click declares it
        try:
            return super().invoke(ctx)
        except (CommandFailed, SagelineError, BotoCoreError, ClientError) as error:
            failure = explain(error)
            if ctx.params.get("as_json"):
                print_json(failure.to_json())
            raise failure from error


def stack_option(command: F) -> F:
    return click.option(
        "--stack", metavar="NAME", envvar="SAGELINE_STACK", help="Stack in AWS to use. Default: the local stack of SAGELINE_HOME."
    )(command)


def json_option(command: F) -> F:
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")(command)


def check_folder(context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    """Refuse a file to write of which the folder is not there, before anything is done for it."""
    if path is not None and not path.absolute().parent.is_dir():
        raise click.BadParameter(f"{path}: there is no folder {path.parent}; make it first.")
    return path


def print_json(document: object) -> None:
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def print_result(result: RenderableType, pipe_width: int = _PIPE_WIDTH) -> None:
    """Print what a person asked for on stdout; to a pipe without the spaces that fill up a table's cells."""
    console = stdout()
    if console.is_terminal:
        console.print(result)
        return
    console.width = pipe_width
    with console.capture() as captured:
        console.print(result)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()).strip("\n"))


def print_warnings(warnings: Sequence[str]) -> None:
    """Say beside the result what was ignored or taken for missing."""
    for text in warnings:
        stderr().print(warning(text), soft_wrap=True)


def stdout() -> Console:
    """Where results go."""
    return _console(stderr=False)


def stderr() -> Console:
    """Where progress goes."""
    return _console(stderr=True)


def _console(stderr: bool) -> Console:
    is_terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, highlight=False, width=None if is_terminal else _PIPE_WIDTH)
