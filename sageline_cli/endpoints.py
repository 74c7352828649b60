"""Commands on endpoints: predict, endpoints, schema, ttl, delete."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import click

from sageline_cli import render
from sageline_cli.bars import bar
from sageline_cli.connection import connect
from sageline_cli.instances import read_instances
from sageline_cli.options import StackCommand, json_option, print_json, print_result, print_warnings, stack_option, stderr
from sageline_cli.predict import predict as predict_rows
from sageline_cli.retries import when_ready

_MOST_HOURS = 8760
"""A year; as in a spec's ``ttl_hours``."""
_INPUT = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)


def _read(file: Path) -> bytes:
    return click.get_binary_stream("stdin").read() if str(file) == "-" else file.read_bytes()


@click.command(cls=StackCommand, short_help="Predict texts or rows.")
@click.argument("endpoint")
@click.option("--text", metavar="T", help="One text to predict.")
@click.option("--file", type=_INPUT, metavar="F", help="Rows to predict: .csv, .json or .jsonl, or an image; - is stdin.")
@click.option("--top", type=click.IntRange(min=1), default=1, show_default=True, metavar="K", help="How many labels per row.")
@click.option("--strict", is_flag=True, help="Refuse rows that there is a warning about.")
@stack_option
@json_option
def predict(
    *, endpoint: str, text: str | None, file: Path | None, top: int, strict: bool, stack: str | None, as_json: bool
) -> None:
    """Send raw rows to ENDPOINT, get labels with probabilities, or values.

    Rows have the columns that the model was trained on. One that is absent is taken for missing if it may be, and others are
    ignored; warnings name them. A CSV file begins with a line of column names. JSON is a list of objects {"column": value}; of
    plain strings, if the model reads one text column; or {"instances": [...]}.

    \b
    Examples:
      sageline predict aws-docs --text "Creates a snapshot of an EBS volume." --top 3
      sageline predict wine --file rows.csv --json
      sageline predict pictures --file cat.jpg --top 3
    """
    if (text is None) == (file is None):
        raise click.UsageError("Give either --text or --file.")
    instances = [text] if file is None else read_instances(str(file), _read(file))
    connection = connect(stack)
    with bar(stderr(), f"Predicting {len(instances):,} row{'s' * (len(instances) != 1)}", len(instances)) as advance:
        answer = predict_rows(connection.api, endpoint, instances, top, advance, strict=strict)
    if as_json:
        print_json(answer)
    else:
        print_warnings(answer.get("warnings", []))
        print_result(render.predictions_table(answer["predictions"]))


@click.command(cls=StackCommand, short_help="List the endpoints and what they serve.")
@stack_option
@json_option
def endpoints(stack: str | None, as_json: bool) -> None:
    """List the endpoints: their variants (model versions), how traffic is split among them, and when they are deleted."""
    found = connect(stack).api.endpoints()
    if as_json:
        print_json({"endpoints": found})
    else:
        print_result(render.endpoints_table(found, datetime.now(UTC)))


@click.command(cls=StackCommand, short_help="Print the JSON Schema of the rows that an endpoint takes.")
@click.argument("endpoint")
@stack_option
@json_option
def schema(endpoint: str, stack: str | None, as_json: bool) -> None:
    """Print what rows ENDPOINT takes, as JSON Schema: its columns, which of them must be there, an example that works.

    It is that of the model with the most traffic (docs/api.md, GET /endpoints/{name}/schema). With --json a failure is a document
    too.

    \b
    Examples:
      sageline schema wine
      sageline schema wine > wine.schema.json
    """
    print_json(connect(stack).api.row_schema(endpoint))


def _read_hours(context: click.Context, parameter: click.Parameter, text: str) -> float | None:
    if text == "never":
        return None
    try:
        hours = float(text)
    except ValueError:
        hours = math.nan
    if not 0 < hours <= _MOST_HOURS:  # not a number is not above 0 either
        raise click.BadParameter(f"{text!r}: give a number of hours above 0 and at most {_MOST_HOURS:,}, or `never`.")
    return hours


@click.command(cls=StackCommand, short_help="Say when an endpoint is to be deleted.")
@click.argument("endpoint")
@click.argument("hours", callback=_read_hours)
@stack_option
@json_option
def ttl(endpoint: str, hours: float | None, stack: str | None, as_json: bool) -> None:
    """Give ENDPOINT a time to live: it is deleted HOURS from now, or `never`. The next run that deploys to it sets it anew.

    \b
    Examples:
      sageline ttl wine 24
      sageline ttl wine never
    """
    changed = connect(stack).api.change_endpoint(endpoint, {"ttl_hours": hours})
    if as_json:
        print_json(changed)
    else:
        print_result(render.endpoints_table([changed], datetime.now(UTC)))


@click.command(cls=StackCommand, short_help="Delete an endpoint.")
@click.argument("endpoint")
@stack_option
@json_option
def delete(endpoint: str, stack: str | None, as_json: bool) -> None:
    """Delete ENDPOINT with all that belongs to it, which ends its costs. The runs, their data and their artifacts stay.

    An endpoint that is being created or updated is waited for: SageMaker does not delete it meanwhile.
    """
    with stderr().status(f"Deleting {endpoint} …"):
        answer = when_ready(connect(stack).api).delete_endpoint(endpoint)
    if as_json:
        print_json(answer)
    elif answer["deleted"]:
        click.echo(f"Deleted {endpoint}: {', '.join(answer['deleted'])}.")
    else:
        click.echo(f"There is no endpoint {endpoint}: nothing to delete.")
