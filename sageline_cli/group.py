"""A group of commands that helps with a misspelt one."""

from __future__ import annotations

import difflib

import click


class HelpfulGroup(click.Group):
    """A group that names the nearest command for one that it does not have, as click does it for options."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            if near:
                raise click.UsageError(f"{error.message} Did you mean {near[0]}?", ctx) from None
            raise
