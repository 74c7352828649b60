"""The command that uploads a dataset and follows the run that the upload starts."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.progress import DownloadColumn, TransferSpeedColumn

from cli import costs, render
from cli.bars import bar
from cli.connection import Connection, connect
from cli.errors import Json
from cli.follow import await_bound, await_start, follow
from cli.options import StackCommand, json_option, print_json, print_result, stack_option, stderr
from cli.source import find_folder, local_script, upload_source
from cli.timeline import ExecutionTimeline
from cli.upload import Upload, format_of, unknown_format, upload
from sageline.errors import InvalidSpec
from sageline.names import NAME_MAX_LENGTH, NAME_PATTERN, dataset_key, source_key
from sageline.spec.model import Spec, parse_spec
from sageline.timings import StateTime


def _check_name(context: click.Context, parameter: click.Parameter, name: str) -> str:
    if len(name) > NAME_MAX_LENGTH or not re.fullmatch(NAME_PATTERN, name):
        raise click.BadParameter(f"{name!r}: use at most {NAME_MAX_LENGTH} lower-case letters, digits and single hyphens.")
    return name


def _check_dataset(context: click.Context, parameter: click.Parameter, path: Path) -> Path:
    if format_of(path) is None:
        raise click.BadParameter(unknown_format(path))
    if path.stat().st_size == 0:
        raise click.BadParameter(f"{path} is empty; a dataset has a line of column names and a row for each example.")
    return path


@click.command(cls=StackCommand, short_help="Upload a dataset, which starts a run.")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path), callback=_check_dataset)
@click.option("--name", required=True, callback=_check_name, help="Name of the dataset, its runs, and by default its endpoint.")
@click.option("--spec", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE", help="What to do, as JSON.")
@click.option("--wait", is_flag=True, help="Follow the run until it ends. Ctrl-C stops following, not the run.")
@stack_option
@json_option
def submit(*, path: Path, name: str, spec: Path | None, wait: bool, stack: str | None, as_json: bool) -> None:
    """Upload the dataset in PATH (.csv, .csv.gz, .jsonl or .npz), which starts a run: train a model, deploy it to an endpoint.

    A script's `source_dir` in the spec may be a folder: it is packed and uploaded too, to datasets/NAME/source.tar.gz.

    Without --spec everything is found out from the data: which column is the label, what the others hold, which task it is. A
    spec that an earlier submit of the same name left in the bucket is deleted then, and does not apply.

    \b
    Examples:
      sageline submit wine.csv --name wine --wait
      sageline submit wine.csv --name wine --spec canary.json --wait
    where canary.json has (docs/spec.md has all keys):
      {"evaluation": {"beat_champion": true}, "budget_usd": 5,
       "deployment": {"instances": {}, "strategy": "canary", "ttl_hours": 24}}
    """
    document = None if spec is None else read_spec(spec, name, path)
    connection = connect(stack)
    uploaded = send(connection, path, name, document, stderr())
    try:
        run, states = watch(connection, uploaded.run_id, wait, stderr())
    except KeyboardInterrupt:
        click.echo(f"\nThe run goes on. See it: sageline show {uploaded.run_id}", err=True)
        click.echo(f"Stop it: sageline stop {uploaded.run_id}", err=True)
        raise SystemExit(130) from None
    if as_json:
        print_json(run)
    elif wait:
        print_result(render.outcome(run, states))
    else:
        click.echo(f"Run {run['run_id']} has started. See how it goes: sageline show {run['run_id']}")
    if wait and run["status"] != "Succeeded":
        raise SystemExit(1)


def read_spec(spec: Path, name: str, dataset: Path) -> bytes:
    """The spec in a file, checked here so that a mistake shows before the upload.

    A local ``source_dir`` of a script counts from the file's folder; in what is returned it is absolute.

    Raises:
        click.BadParameter: the spec is not valid, or is one for another dataset.
    """
    document = spec.read_bytes()
    try:
        parsed, document = _parse(document, spec, name)
    except InvalidSpec as error:
        raise click.BadParameter(error.message, param_hint="'--spec'") from None
    if parsed.name not in (None, name):
        raise click.BadParameter(
            f"{spec} has the name {parsed.name!r}, and --name says {name!r}: make them equal, or leave `name` out of the spec.",
            param_hint="'--spec'",
        )
    uri, key = parsed.dataset.uri, dataset_key(name, str(format_of(dataset)))
    if uri is not None and not uri.endswith(f"/{key}"):
        raise click.BadParameter(
            f"{spec} has the uri {uri!r}, and {dataset} goes to {key}: leave `dataset.uri` out.", param_hint="'--spec'"
        )
    return document


def _parse(document: bytes, path: Path, name: str) -> tuple[Spec, bytes]:
    try:
        given = json.loads(document)
    except ValueError:
        given = None  # parsing says what is wrong, and where
    script = local_script(given)
    if script is None:
        return parse_spec(document, str(path)), document
    folder = find_folder(script, path.parent)
    # In which bucket the archive will be is not known yet.
    script["source_dir"] = f"s3://bucket/{source_key(name)}"
    parsed = parse_spec(json.dumps(given), str(path))
    script["source_dir"] = str(folder)
    return parsed, json.dumps(given).encode()


def send(connection: Connection, path: Path, name: str, spec: bytes | None, console: Console) -> Upload:
    """Upload a dataset with a progress bar; the script that its spec names goes first."""
    if spec is not None:
        spec = upload_source(connection.s3, connection.bucket, name, spec)
    with bar(console, f"Uploading {path.name}", path.stat().st_size, DownloadColumn(), TransferSpeedColumn()) as advance:
        uploaded = upload(connection.s3, connection.bucket, path, name, spec=spec, advance=advance)
    console.print(f"Uploaded {path} to s3://{uploaded.bucket}/{uploaded.key}", soft_wrap=True, markup=False)
    if uploaded.removed_old_spec:
        console.print("Deleted the spec that an earlier submit had left; give --spec to use one.")
    return uploaded


def watch(connection: Connection, run_id: str, to_the_end: bool, console: Console) -> tuple[Json, list[StateTime]]:
    """Wait for the run to begin, or follow it to its end: its record and states."""
    fetch, timeline = partial(connection.api.run, run_id), ExecutionTimeline(connection.stepfunctions)
    run = await_bound(await_start(fetch, console), fetch)
    if line := costs.bound(run):
        console.print(line, soft_wrap=True, markup=False)
    if to_the_end:
        console.print(f"Run {run_id}:")
        run = follow(fetch, timeline, console)
    return run, timeline(run)
