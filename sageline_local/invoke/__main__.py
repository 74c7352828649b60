"""``python -m sageline_local.invoke function NAME EVENT`` and ``python -m sageline_local.invoke api``, for make.

Exit codes: 0 the function answered, 1 it failed, 2 it could not be run, 130 interrupted.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

import click
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from sageline_local.errors import DockerMissing, LocalStackError
from sageline_local.home import Home
from sageline_local.invoke import answer, command, engine, runner
from sageline_local.progress import ConsoleProgress

_FAILED, _NOT_RUN, _INTERRUPTED = 1, 2, 130

_home = click.option("--home", type=click.Path(file_okay=False, path_type=Path), default=Path(".local"), envvar="SAGELINE_HOME")
_stack_port = click.option("--stack-port", type=click.IntRange(1024, 65000), envvar="SAGELINE_PORT")
_image = click.option("--image", metavar="TAG", envvar="SAGELINE_INVOKE_IMAGE", help="Instead of AWS's.")


@click.group()
def main() -> None:
    """Run one function as Lambda does, or the HTTP API from containers."""


@main.command()
@click.argument("name")
@click.argument("event")
@click.option("--runner", "wanted", type=click.Choice(runner.NAMES), help="Default: the first of these that is there.")
@_image
@_home
@_stack_port
def function(
    *, name: str, event: str, wanted: runner.RunnerName | None, image: str | None, home: Path, stack_port: int | None
) -> None:
    """Run the function NAME with EVENT: a golden event of its own, or a file."""
    began = time.monotonic()
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with ConsoleProgress(console) as progress:
        chosen = runner.choose(wanted, os.environ)
        context = command.InvokeContext(Home(home), stack_port, progress, _teller(console))
        answered = command.invoke(context, chosen, image or None, name, event)
    click.echo(answer.pretty(answered))
    why = answer.failure(answered)
    if why is None:
        console.print(f"[green]✓[/] Answered after {time.monotonic() - began:.1f} s.")
        return
    console.print("[red]✗[/] The function failed: ", end="")
    console.print(why, markup=False)
    sys.exit(_FAILED)


@main.command()
@click.option("--port", type=click.IntRange(1024, 65535), default=3000, show_default=True)
@_image
@_home
@_stack_port
def api(*, port: int, image: str | None, home: Path, stack_port: int | None) -> None:
    """Serve the HTTP API from containers, until Ctrl-C."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with ConsoleProgress(console) as progress:
        try:
            found = engine.find(os.environ)
        except DockerMissing as error:
            raise DockerMissing(
                f"{error.message} `sam local start-api` runs in Docker only. The stack's own HTTP API needs none: "
                "`sageline local up`, then `sageline local env` prints its address, SAGELINE_API_URL."
            ) from error
        command.serve_api(command.InvokeContext(Home(home), stack_port, progress, _teller(console)), found, image or None, port)


def _teller(console: Console) -> command.Tell:
    return lambda line: console.print(line, markup=False)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def let_sam_be_interrupted() -> None:
    """A shell has its background jobs ignore Ctrl-C. So does this command then, but not ``sam local``, which inherits it and is
    ended by nothing else without leaving its containers."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: None)


def run() -> int:
    """The exit code; everything that was started is ended, whatever ends the command."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    let_sam_be_interrupted()
    try:
        main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return _NOT_RUN
    except (LocalStackError, BotoCoreError, ClientError) as error:
        sys.stderr.write(f"{error.message if isinstance(error, LocalStackError) else error}\n")
        return _NOT_RUN
    except (KeyboardInterrupt, click.Abort):
        return _INTERRUPTED
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else _NOT_RUN
    return 0


if __name__ == "__main__":
    sys.exit(run())
