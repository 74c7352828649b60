"""The command that scores the rows of a file: upload, transform job, download."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import click
from boto3.s3.transfer import TransferConfig
from rich.console import Console
from rich.progress import DownloadColumn, TransferSpeedColumn

from sageline.batch.locations import NO_ARCHIVE
from sageline.json_objects import Json
from sageline.names import split_s3_uri
from sageline_cli import costs, render
from sageline_cli.bars import bar
from sageline_cli.connection import Connection, connect
from sageline_cli.errors import CommandFailed
from sageline_cli.follow import await_bound, await_start, follow
from sageline_cli.options import (
    StackCommand,
    check_folder,
    json_option,
    print_json,
    print_result,
    print_warnings,
    stack_option,
    stderr,
)
from sageline_cli.timeline import ExecutionTimeline
from sageline_cli.upload import SUFFIXES, format_of, unknown_format

_TRANSFER = TransferConfig(multipart_threshold=32 << 20, multipart_chunksize=16 << 20)
_EXPIRES = "sageline%3Aretention=intermediate"  # the tag by which the stack's bucket lets what is below batch/ expire


def _check_file(context: click.Context, parameter: click.Parameter, path: Path) -> Path:
    if format_of(path) is None:
        raise click.BadParameter(unknown_format(path))
    if format_of(path) == "zip":
        raise click.BadParameter(f"{path}: {NO_ARCHIVE}")
    if path.stat().st_size == 0:
        raise click.BadParameter(f"{path} is empty; give a line of column names and a row for each prediction.")
    return path


@click.command(cls=StackCommand, short_help="Predict all rows of a file by a transform job.")
@click.argument("endpoint")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path), callback=_check_file)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    callback=check_folder,
    metavar="PATH",
    help="Where the predictions go. Default: beside FILE, as <name>-predictions.",
)
@click.option("--variant", metavar="RUN", help="Variant whose model predicts. Default: the one of most weight.")
@click.option("--escape-formulas", is_flag=True, help="CSV: make cells that a spreadsheet would run, such as =1+1, texts.")
@click.option("--max-seconds", type=int, metavar="N", help="How long the transform job may take. Default: 3600.")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="How many functions may work at once. Default: by the size.")
@stack_option
@json_option
def batch(
    *,
    endpoint: str,
    file: Path,
    output: Path | None,
    variant: str | None,
    escape_formulas: bool,
    max_seconds: int | None,
    workers: int | None,
    stack: str | None,
    as_json: bool,
) -> None:
    """Predict the rows of FILE with the model of ENDPOINT, on instances of their own.

    FILE may be whatever a dataset may be: .csv, .tsv, .jsonl, .parquet, .xlsx, .npz or .libsvm; text also as .gz or .zst.

    For many rows: the endpoint serves on undisturbed, and nothing that bills is left. Each row gets a prediction, in the file's
    order: a table (CSV, TSV, Parquet, Excel) gives CSV with two columns more, all else gives JSON Lines. In CSV the file's own
    cells and the labels stay as they are, also what a spreadsheet would run (=…, +…, -…, @…): open predictions for rows of
    strangers with --escape-formulas.
    """
    connection = connect(stack)
    options = {
        "variant": variant,
        "max_runtime_seconds": max_seconds,
        "escape_formulas": escape_formulas or None,
        "workers": workers,
    }
    run = start(connection, endpoint, file, options, stderr())
    run_id, uri = run["run_id"], run["output"]
    timeline = ExecutionTimeline(connection.stepfunctions)
    try:
        run = watch(connection, run_id, timeline, stderr())
    except KeyboardInterrupt:
        click.echo(f"\nThe batch goes on, and writes {uri}. See it: sageline show {run_id}", err=True)
        click.echo(f"Stop it: sageline stop {run_id}", err=True)
        raise SystemExit(130) from None
    path = download(connection, uri, output or _beside(file, uri), stderr()) if run["status"] == "Succeeded" else None
    if as_json:
        print_json({**run, "output": uri, "path": None if path is None else str(path)})
    elif path is None:
        print_result(render.outcome(run, timeline(run)))
    else:
        print_warnings((run["details"].get("batch") or {}).get("warnings") or [])
        rows = run["details"]["predictions"]["rows"]
        click.echo(f"{rows:,} predictions are in {path}." if rows != 1 else f"1 prediction is in {path}.")
    if path is None:
        raise SystemExit(1)


def start(connection: Connection, endpoint: str, file: Path, options: Mapping[str, object], console: Console) -> Json:
    """Upload the rows and start the batch; the API's answer.

    Args:
        options: keys of the request besides ``input``; None leaves one out.
    """
    known = [found["name"] for found in connection.api.endpoints()]
    if endpoint not in known:
        # Before an upload that may take minutes.
        raise CommandFailed(f"No endpoint {endpoint!r} is known; `sageline endpoints` lists them.", "EndpointNotFound")
    token = uuid.uuid4().hex
    key = f"batch/{endpoint}/{token[:12]}/rows.{format_of(file)}"
    with bar(console, f"Uploading {file.name}", file.stat().st_size, DownloadColumn(), TransferSpeedColumn()) as advance:
        extra = {"Tagging": _EXPIRES}
        connection.s3.upload_file(str(file), connection.bucket, key, Callback=advance, Config=_TRANSFER, ExtraArgs=extra)
    console.print(f"Uploaded {file} to s3://{connection.bucket}/{key}", soft_wrap=True, markup=False)
    request = {"input": f"s3://{connection.bucket}/{key}", **{k: v for k, v in options.items() if v is not None}}
    return connection.api.start_batch(endpoint, request, token)


def watch(connection: Connection, run_id: str, timeline: ExecutionTimeline, console: Console) -> Json:
    """Follow a batch to its end; its record."""
    fetch = partial(connection.api.run, run_id)
    run = await_bound(await_start(fetch, console), fetch)
    if line := costs.bound(run):
        console.print(line, soft_wrap=True, markup=False)
    console.print(f"Run {run_id}:")
    return follow(fetch, timeline, console)


def _beside(file: Path, uri: str) -> Path:
    stem = file.name[
        : -len(next(suffix for suffix in sorted(SUFFIXES, key=len, reverse=True) if file.name.lower().endswith(suffix)))
    ]
    return file.with_name(f"{stem}-predictions.{uri.rpartition('.')[2]}")


def download(connection: Connection, uri: str, path: Path, console: Console) -> Path:
    """Fetch an object with a progress bar."""
    bucket, key = split_s3_uri(uri)
    size = connection.s3.head_object(Bucket=bucket, Key=key)["ContentLength"]
    with bar(console, "Downloading the predictions", size, DownloadColumn(), TransferSpeedColumn()) as advance:
        connection.s3.download_file(bucket, key, str(path), Callback=advance, Config=_TRANSFER)
    return path
