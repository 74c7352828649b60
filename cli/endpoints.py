"""Commands on endpoints: predict, endpoints, delete."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import click

from cli import render
from cli.api_client import ApiClient
from cli.bars import bar
from cli.connection import connect
from cli.errors import CommandFailed, Json
from cli.instances import read_instances
from cli.options import StackCommand, json_option, print_json, print_result, stack_option, stderr
from cli.predict import predict as predict_rows

_PATIENCE_SECONDS = 900
"""SageMaker makes an endpoint in minutes."""
_TRY_EVERY_SECONDS = 5
_INPUT = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)


def _read(file: Path) -> bytes:
    return click.get_binary_stream("stdin").read() if str(file) == "-" else file.read_bytes()


@click.command(cls=StackCommand, short_help="Predict texts or rows.")
@click.argument("endpoint")
@click.option("--text", metavar="T", help="One text to predict.")
@click.option("--file", type=_INPUT, metavar="F", help="Rows to predict: .csv, .json or .jsonl; - is stdin.")
@click.option("--top", type=click.IntRange(min=1), default=1, show_default=True, metavar="K", help="How many labels per row.")
@stack_option
@json_option
def predict(*, endpoint: str, text: str | None, file: Path | None, top: int, stack: str | None, as_json: bool) -> None:
    """Send raw rows to ENDPOINT, get labels with probabilities, or values.

    Rows have the columns that the model was trained on, without the label. A CSV file begins with a line of column names. JSON
    is a list of objects {"column": value}; of plain strings, if the model reads one text column; or {"instances": [...]}.
    """
    if (text is None) == (file is None):
        raise click.UsageError("Give either --text or --file.")
    instances = [text] if file is None else read_instances(str(file), _read(file))
    connection = connect(stack)
    with bar(stderr(), f"Predicting {len(instances):,} rows", len(instances)) as advance:
        answer = predict_rows(connection.api, endpoint, instances, top, advance)
    if as_json:
        print_json(answer)
    else:
        print_result(render.predictions_table(answer["predictions"]))


@click.command(cls=StackCommand, short_help="List the endpoints and what they serve.")
@stack_option
@json_option
def endpoints(stack: str | None, as_json: bool) -> None:
    """List the endpoints: what they serve, and how traffic is split."""
    found = connect(stack).api.endpoints()
    if as_json:
        print_json({"endpoints": found})
    else:
        print_result(render.endpoints_table(found, datetime.now(UTC)))


@click.command(cls=StackCommand, short_help="Delete an endpoint.")
@click.argument("endpoint")
@stack_option
@json_option
def delete(endpoint: str, stack: str | None, as_json: bool) -> None:
    """Delete ENDPOINT with all that belongs to it. The runs, their data and their artifacts stay.

    An endpoint that is being created or updated is waited for: SageMaker does not delete it meanwhile.
    """
    with stderr().status(f"Deleting {endpoint} …"):
        answer = _delete_when_ready(connect(stack).api, endpoint)
    if as_json:
        print_json(answer)
    elif answer["deleted"]:
        click.echo(f"Deleted {endpoint}: {', '.join(answer['deleted'])}.")
    else:
        click.echo(f"There is no endpoint {endpoint}: nothing to delete.")


def _delete_when_ready(api: ApiClient, endpoint: str) -> Json:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return api.delete_endpoint(endpoint)
        except CommandFailed as error:
            if error.code != "EndpointNotReady" or time.monotonic() > deadline:
                raise
        time.sleep(_TRY_EVERY_SECONDS)
