"""``sageline local``: the whole stack on this machine."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from sageline.aws.scopes import CHANGE, PREDICT, READ
from sageline_cli.group import HelpfulGroup
from sageline_cli.options import F, StackCommand, json_option, print_json, stderr, stdout
from sageline_local import logs as stack_logs
from sageline_local.environment import export_lines
from sageline_local.progress import ConsoleProgress
from sageline_local.services import TITLES
from sageline_local.stack import LocalStack
from sageline_local.status import StackStatus


def _home_option(command: F) -> F:
    return click.option(
        "--home",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path(".local"),
        envvar="SAGELINE_HOME",
        show_default=True,
        show_envvar=True,
        help="Directory of the stack's state and logs.",
    )(command)


def _parameters(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str] | None:
    malformed = [value for value in values if "=" not in value]
    if malformed:
        raise click.BadParameter(f"{malformed[0]!r}: write NAME=VALUE.")
    return dict(value.split("=", 1) for value in values) or None


@click.group(cls=HelpfulGroup, short_help="The whole stack on this machine.")
def local() -> None:
    """The whole stack on this machine: no AWS account, no Docker, no network."""


@local.command(cls=StackCommand)
@_home_option
@click.option(
    "--port",
    type=click.IntRange(1024, 65000),
    envvar="SAGELINE_PORT",
    show_envvar=True,
    help="Default: that of the last time, or 4566.",
)
@click.option(
    "--parameter", "parameters", metavar="NAME=VALUE", multiple=True, callback=_parameters,
    help="A parameter of template.yaml. Without any, those of the last time stay.",
)  # fmt: skip
@json_option
def up(home: Path, port: int | None, parameters: dict[str, str] | None, as_json: bool) -> None:
    """Start the stack, or bring it up to date with the code. Does nothing if it is."""
    began = time.monotonic()
    with ConsoleProgress(stderr()) as progress:
        status = LocalStack(home, port).up(progress, parameters)
    if as_json:
        print_json(status.to_json())
        return
    console = stdout()
    console.print(f"[bold green]Up[/] after {time.monotonic() - began:.1f} s.")
    _print_addresses(console, status)
    console.print('AWS tools talk to it after: [bold]eval "$(sageline local env)"[/]')


@local.command(cls=StackCommand)
@_home_option
@click.option("--delete", is_flag=True, help="Delete the home directory too: datasets, runs, models, logs.")
@json_option
def down(home: Path, delete: bool, as_json: bool) -> None:
    """Stop the stack. Its state is kept for the next `up`."""
    with ConsoleProgress(stderr()) as progress:
        ran = LocalStack(home).down(progress, delete)
    if as_json:
        print_json({"state": "down", "home": str(home.resolve()), "was_running": ran, "deleted": delete})
    else:
        stdout().print("Down." if ran else "Nothing was running.")


@local.command(cls=StackCommand)
@_home_option
@json_option
@click.pass_context
def status(context: click.Context, home: Path, as_json: bool) -> None:
    """Tell how the stack is doing. Exit code 1 unless it is up."""
    found = LocalStack(home).status()
    if as_json:
        print_json(found.to_json())
    else:
        console = stdout()
        colour = {"up": "green", "down": "dim"}.get(found.state, "red")
        console.print(f"[bold {colour}]{found.state}[/]  {escape(found.home)}")
        _print_addresses(console, found)
        for sentence in (*found.problems, *found.limits):
            console.print(f"[yellow]![/] {escape(sentence)}")
    context.exit(0 if found.state == "up" else 1)


@local.command(cls=StackCommand)
@_home_option
@click.option("--function", metavar="NAME", help="With the variables of a function, such as prepare_data, to run it by hand.")
@json_option
def env(home: Path, function: str | None, as_json: bool) -> None:
    """Print export lines, for: eval "$(sageline local env)"."""
    variables = LocalStack(home).environment(function)
    if as_json:
        print_json(variables)
    else:
        click.echo(export_lines(variables, os.environ))


@local.command(cls=StackCommand)
@_home_option
@click.option(
    "--scope", "scopes", type=click.Choice([PREDICT, READ, CHANGE]), multiple=True, required=True,
    help="What the token is good for; may be there several times.",
)  # fmt: skip
@click.option("--subject", metavar="NAME", default="somebody", show_default=True, help="Whom the token is given to.")
@click.option(
    "--minutes", type=click.FloatRange(0, 1440, min_open=True), default=60, show_default=True, help="How long it counts."
)
def token(home: Path, scopes: tuple[str, ...], subject: str, minutes: int) -> None:
    """Print an access token for the HTTP API at $SAGELINE_JWT_API_URL."""
    click.echo(LocalStack(home).token(scopes, subject=subject, minutes=minutes))


@local.command(cls=StackCommand)
@_home_option
@click.option("--function", metavar="NAME", help="What a function has logged, such as prepare_data.")
@click.option("--lines", type=click.IntRange(1), default=50, show_default=True, help="How many of the last lines.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what is logged from now on; Ctrl-C ends it.")
def logs(home: Path, function: str | None, lines: int, follow: bool) -> None:
    """Print the logs of the servers, or of a function."""
    stack = LocalStack(home)
    if function is None:
        printed = stack_logs.of_servers({name: stack.log_file(name) for name in TITLES}, lines, follow)
    else:
        printed = stack_logs.of_function(stack.clients(), function, lines, follow)
    try:
        for line in printed:
            click.echo(line)
    except KeyboardInterrupt:
        return


def _print_addresses(console: Console, status: StackStatus) -> None:
    for title, value in (
        ("HTTP API", status.api_url),
        ("JWT API", status.jwt_api_url),
        ("AWS", status.endpoint_url),
        ("SageMaker", status.sagemaker_url),
        ("Scaling", status.autoscaling_url),
        ("Bucket", status.bucket),
        ("Processes", ", ".join(f"{name} {pid}" for name, pid in status.pids.items())),
    ):
        if value:
            console.print(f"  {title:<10}{escape(value)}", soft_wrap=True)
