"""Commands on what an endpoint serves: split, promote, rollback."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import click

from cli import render
from cli.connection import connect
from cli.errors import Json
from cli.options import StackCommand, json_option, print_json, print_result, stack_option


@click.command(cls=StackCommand, short_help="Split an endpoint's traffic.")
@click.argument("endpoint")
@click.argument("weights", nargs=-1, required=True, metavar="VARIANT=WEIGHT...")
@stack_option
@json_option
def split(endpoint: str, weights: tuple[str, ...], stack: str | None, as_json: bool) -> None:
    """Split the traffic of ENDPOINT among its variants: wine-20261120100000-0a1b2c=0.9 wine-20261121100000-3d4e5f=0.1

    A variant's share is its weight divided by the sum of all; a variant that is not named keeps its weight.
    """
    changed = connect(stack).api.change_endpoint(endpoint, {"weights": read_weights(weights)})
    if as_json:
        print_json(changed)
    else:
        print_result(render.endpoints_table([changed], datetime.now(UTC)))


@click.command(cls=StackCommand, short_help="Give one variant all the traffic.")
@click.argument("endpoint")
@click.argument("variant")
@stack_option
@json_option
def promote(endpoint: str, variant: str, stack: str | None, as_json: bool) -> None:
    """Give VARIANT of ENDPOINT all the traffic, at once; the other variants go."""
    _say(connect(stack).api.promote(endpoint, variant), f"the traffic of {endpoint} is all {variant}'s", as_json)


@click.command(cls=StackCommand, short_help="Go back to what an endpoint served before.")
@click.argument("endpoint")
@stack_option
@json_option
def rollback(endpoint: str, stack: str | None, as_json: bool) -> None:
    """Have ENDPOINT serve what it served before. While a run is deploying to it, that run is stopped."""
    _say(connect(stack).api.roll_back(endpoint), f"endpoint {endpoint} goes back to what it served before", as_json)


def read_weights(pairs: Sequence[str]) -> dict[str, float]:
    """Weights by variant, from ``variant=weight``.

    Raises:
        click.UsageError: a pair is none, or its weight is no number.
    """
    weights = {}
    for pair in pairs:
        variant, equals, weight = pair.partition("=")
        try:
            weights[variant] = float(weight)
        except ValueError:
            equals = ""
        if not variant or not equals:
            raise click.UsageError(f"{pair!r} is no VARIANT=WEIGHT, such as wine-20261120100000-0a1b2c=0.9.")
    return weights


def _say(answer: Json, what: str, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    elif answer["status"] == "Stopped":
        click.echo(f"Run {answer['run_id']} is stopped; {what}.")
    elif answer["run_id"] is None:
        click.echo(f"{what[:1].upper() + what[1:]}: nothing to do.")
    else:
        click.echo(f"{what[:1].upper() + what[1:]}. Run {answer['run_id']} does the rest: sageline show {answer['run_id']}")
