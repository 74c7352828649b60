"""Commands on what an endpoint serves: split, promote, rollback."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

import click

from sageline.json_objects import Json
from sageline_cli import render
from sageline_cli.api_client import ApiClient
from sageline_cli.connection import Connection, connect
from sageline_cli.errors import CommandFailed
from sageline_cli.follow import follow
from sageline_cli.options import F, StackCommand, json_option, print_json, print_result, stack_option, stderr
from sageline_cli.retries import when_ready
from sageline_cli.timeline import ExecutionTimeline


def _wait_option(command: F) -> F:
    return click.option(
        "--wait", is_flag=True, help="Follow the run that does it until it ends. Ctrl-C stops following, not the run."
    )(command)


@click.command(cls=StackCommand, short_help="Split an endpoint's traffic.")
@click.argument("endpoint")
@click.argument("weights", nargs=-1, required=True, metavar="VARIANT=WEIGHT...")
@stack_option
@json_option
def split(endpoint: str, weights: tuple[str, ...], stack: str | None, as_json: bool) -> None:
    """Split the traffic of ENDPOINT among its variants, which `sageline endpoints` lists.

    A variant's share is its weight divided by the sum of all; a variant that is not named keeps its weight. A rollout that
    is under way sets the weights anew with its next step.

    \b
    Example, nine requests in ten for the first:
      sageline split wine wine-20261120100000-0a1b2c=90 wine-20261121100000-3d4e5f=10
    """
    change = {"weights": read_weights(weights)}
    changed = connect(stack).api.change_endpoint(endpoint, change)
    if as_json:
        print_json(changed)
    else:
        print_result(render.endpoints_table([changed], datetime.now(UTC)))


@click.command(cls=StackCommand, short_help="Give one variant all the traffic.")
@click.argument("endpoint")
@click.argument("variant")
@_wait_option
@stack_option
@json_option
def promote(endpoint: str, variant: str, wait: bool, stack: str | None, as_json: bool) -> None:
    """Give VARIANT of ENDPOINT all the traffic, at once.

    A run then removes the other variants; `sageline rollback` brings them back.

    \b
    Example, when the second of two models has shown that it is better:
      sageline promote wine wine-20261121100000-3d4e5f --wait
    """
    connection = connect(stack)
    answer = connection.api.promote(endpoint, variant)
    if answer["run_id"] is None:
        _tell(answer, f"Variant {variant} has all the traffic of endpoint {endpoint} already: nothing to do.", as_json)
        return
    begun = f"Variant {variant} has all the traffic of endpoint {endpoint}. Run {answer['run_id']} removes the others"
    _finish(connection, answer, begun, wait=wait, as_json=as_json)


@click.command(cls=StackCommand, short_help="Go back to what an endpoint served before.")
@click.argument("endpoint")
@_wait_option
@stack_option
@json_option
def rollback(endpoint: str, wait: bool, stack: str | None, as_json: bool) -> None:
    """Have ENDPOINT serve what it served before.

    While a run is deploying to it, that run is stopped: the old variants have their traffic back at once. Otherwise a run undoes
    what the last one did. Variants that still serve have their traffic back at once, those that are gone are made again. Going
    back twice undoes the first.

    \b
    Example:
      sageline rollback wine --wait
    """
    connection = connect(stack)
    with stderr().status(f"Rolling back {endpoint} …"):
        answer = _roll_back(connection.api, endpoint)
    if answer["status"] == "Stopped":
        _tell(answer, f"Run {answer['run_id']} is stopped; endpoint {endpoint} serves what it served before.", as_json)
        return
    begun = f"Endpoint {endpoint} goes back to what it served before. Run {answer['run_id']} brings that back"
    _finish(connection, answer, begun, wait=wait, as_json=as_json)


def _roll_back(api: ApiClient, endpoint: str) -> Json:
    try:
        return api.roll_back(endpoint)
    except CommandFailed as error:
        run_id = error.details.get("run_id")
        if error.code != "EndpointNotReady" or run_id is None:
            raise
    # That run is stopped and not undone yet. Rolling back once more could undo what served before it.
    when_ready(api).stop_run(run_id)
    return {"endpoint": endpoint, "run_id": run_id, "status": "Stopped"}


def read_weights(pairs: Sequence[str]) -> dict[str, float]:
    """Weights by variant, from ``variant=weight``.

    Raises:
        click.UsageError: a pair is none, its weight is no number of 0 or more, or a variant is there twice.
    """
    weights: dict[str, float] = {}
    for pair in pairs:
        variant, _, text = pair.partition("=")
        try:
            weight = float(text)
        except ValueError:
            weight = math.nan
        if not variant or not (math.isfinite(weight) and weight >= 0):
            raise click.UsageError(
                f"{pair!r} is no VARIANT=WEIGHT with a number of 0 or more, such as wine-20261120100000-0a1b2c=90."
            )
        if variant in weights:
            raise click.UsageError(f"The variant {variant} is there twice; give it one weight.")
        weights[variant] = weight
    return weights


def _tell(answer: Json, sentence: str, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        click.echo(sentence)


def _finish(connection: Connection, answer: Json, begun: str, *, wait: bool, as_json: bool) -> None:
    """Say which run does the rest, or follow it to its end."""
    run_id = answer["run_id"]
    if not wait:
        _tell(answer, f"{begun}: sageline show {run_id}", as_json)
        return
    stderr().print(f"{begun}:", soft_wrap=True, markup=False)
    timeline = ExecutionTimeline(connection.stepfunctions)
    try:
        run = follow(partial(connection.api.run, run_id), timeline, stderr())
    except KeyboardInterrupt:
        click.echo(f"\nThe run goes on. See it: sageline show {run_id}", err=True)
        raise SystemExit(130) from None
    if as_json:
        print_json(run)
    else:
        print_result(render.outcome(run, timeline(run)))
    if run["status"] != "Succeeded":
        raise SystemExit(1)
