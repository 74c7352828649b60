"""The group ``sageline``; each command is imported when it is called for, so that every one starts quickly."""

from __future__ import annotations

import importlib

import click

from sageline import __version__
from sageline_cli.group import HelpfulGroup

# Names in the order in which a person needs them.
COMMANDS = {
    "inspect": "sageline_cli.inspection:inspect",
    "submit": "sageline_cli.submit:submit",
    "runs": "sageline_cli.runs:runs",
    "show": "sageline_cli.runs:show",
    "report": "sageline_cli.runs:report",
    "stop": "sageline_cli.runs:stop",
    "predict": "sageline_cli.endpoints:predict",
    "batch": "sageline_cli.batch:batch",
    "endpoints": "sageline_cli.endpoints:endpoints",
    "schema": "sageline_cli.endpoints:schema",
    "split": "sageline_cli.traffic:split",
    "promote": "sageline_cli.traffic:promote",
    "rollback": "sageline_cli.traffic:rollback",
    "ttl": "sageline_cli.endpoints:ttl",
    "delete": "sageline_cli.endpoints:delete",
    "console": "sageline_cli.console.command:console",
    "doctor": "sageline_cli.doctor.command:doctor",
    "local": "sageline_cli.local_commands:local",
    "sample": "sageline_cli.sample:sample",
}


class LazyGroup(HelpfulGroup):
    """A group that imports a command only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="sageline")
def cli() -> None:
    """Upload a labelled dataset, get a prediction API.

    \b
    On this machine:  sageline local up
                      sageline sample wine wine.csv
                      sageline inspect wine.csv       what would be made of it
                      sageline submit wine.csv --wait
                      sageline predict wine --file rows.csv
                      sageline delete wine
    In AWS:           the same with --stack NAME; region and credentials as for any AWS tool.
    To operate:       sageline endpoints              what serves, and until when
                      sageline rollback wine --wait   back to what served before
                      sageline show RUN               what happened, and what it cost
    If it fails:      sageline doctor                 what is wrong with this machine, or --stack NAME with the account

    Exit codes: 0 done, 1 the run or the request failed, 2 wrong usage.
    """


def main() -> None:
    """Entry point of the command."""
    cli(prog_name="sageline")
