"""The command that uploads a dataset and follows the run that the upload starts."""

from __future__ import annotations

import json
import re
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.progress import DownloadColumn, TransferSpeedColumn

from sageline.errors import InvalidSpec
from sageline.json_objects import Json
from sageline.names import NAME_MAX_LENGTH, READY, dataset_folder, dataset_key, is_name, source_key
from sageline.runs.timings import StateTime
from sageline.spec.model import Spec, check_choice, parse_spec
from sageline_cli import costs, render
from sageline_cli.algorithm_lines import algorithm_lines, not_here
from sageline_cli.bars import bar
from sageline_cli.candidates import Candidates
from sageline_cli.connection import Connection, connect
from sageline_cli.follow import await_bound, await_start, follow
from sageline_cli.image_folder import pack_folder
from sageline_cli.local_rows import check_rows
from sageline_cli.options import StackCommand, json_option, print_json, print_result, stack_option, stderr
from sageline_cli.parts import LocalDataset, gather, left_out_line
from sageline_cli.resolved_spec import resolved_spec
from sageline_cli.schema_lines import schema_lines
from sageline_cli.source import find_folder, local_script, upload_source
from sageline_cli.spec_options import SpecOptions, read_json, spec_options
from sageline_cli.timeline import ExecutionTimeline
from sageline_cli.upload import UploadedDataset, format_of, suffix_of, upload, upload_parts
from sageline_cli.warning_lines import warning

_NOTHING_SAID = SpecOptions()


def _check_name(context: click.Context, parameter: click.Parameter, name: str | None) -> str | None:
    if name is not None and not is_name(name):
        raise click.BadParameter(f"{name!r}: use at most {NAME_MAX_LENGTH} lower-case letters, digits and single hyphens.")
    return name


def _gather(context: click.Context, parameter: click.Parameter, paths: tuple[Path, ...]) -> LocalDataset:
    return gather(paths)


@click.command(cls=StackCommand, short_help="Upload a dataset, which starts a run.")
@click.argument(
    "dataset",
    metavar="PATH...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, readable=True, path_type=Path),
    callback=_gather,
)
@click.option(
    "--name",
    callback=_check_name,
    help="Name of the dataset, its runs, and by default its endpoint. Default: the file's, or the folder's.",
)
@spec_options
@click.option("--spec", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE", help="What to do, as JSON.")
@click.option("--wait", is_flag=True, help="Follow the run until it ends. Ctrl-C stops following, not the run.")
@stack_option
@json_option
def submit(
    *,
    dataset: LocalDataset,
    name: str | None,
    label: str | None,
    algorithm: str | None,
    preset: str | None,
    spec: Path | None,
    wait: bool,
    stack: str | None,
    as_json: bool,
) -> None:
    """Upload the dataset in PATH, which starts a run: train a model, deploy it to an endpoint.

    PATH is .csv, .tsv, .jsonl, .parquet, .xlsx, .npz or .libsvm, text also as .gz or .zst, or a .zip of images with a folder for
    each class (docs/spec.md says how each is read).

    Several files, or a folder of them, are the parts of one dataset: of one format, with the same columns. Files called train*
    and test* are the split: the rows of the test files judge the model. A folder that holds no such files, but folders with
    images, is packed into a .zip first.

    A script's `source_dir` in the spec may be a folder: it is packed and uploaded too, to datasets/NAME/source.tar.gz.

    Without --spec everything is found out from the data: which column is the label (--label says it), what the others hold, which
    task it is. Two or three algorithms are trained side by side, and validation rows choose (--preset good or best tries more,
    --algorithm NAME trains one). The first lines say what is predicted from which columns, what is left out and why, and what was
    guessed: numbers with a decimal comma, words for missing values, rows without a label, a column that gives the label away.
    Before the upload all rows are read: where two columns may be the label, every label is the same, or a cell is no number in a
    column of numbers, nothing is uploaded, and the exit code is 1. `sageline inspect` says the same and more.

    A spec that an earlier submit of the same name left in the bucket is replaced or deleted, and does not apply; where several
    files are given, parts that it left are deleted. The bucket keeps their versions.

    \b
    Examples:
      sageline submit wine.csv --wait
      sageline submit wine.csv --label cultivar --wait
      sageline submit wine.csv --preset good --wait
      sageline submit wine.csv --algorithm xgboost --wait
      sageline submit train.csv test.csv --name wine --wait
      sageline submit wine/ --wait
      sageline submit pictures/ --wait
      sageline submit wine.csv --name wine --spec canary.json --wait
    where canary.json has (docs/spec.md has all keys):
      {"evaluation": {"beat_champion": true}, "budget_usd": 5,
       "deployment": {"instances": {}, "strategy": "canary", "ttl_hours": 24}}
    """
    given = spec.read_bytes() if spec else None  # once: it may be a pipe
    if line := left_out_line(dataset):
        stderr().print(line, soft_wrap=True, markup=False)
    name = name or named_after(given, dataset.named_after, stderr())
    with packed(dataset, stderr()) as ready:
        options = SpecOptions(label, algorithm, preset)
        document = read_spec(spec, name, ready.first, options, given=given, is_part=ready.is_parts)
        connection = connect(stack)
        check_rows(ready, name, document, stderr())
        uploaded = send_parts(connection, ready, name, document, stderr()) if ready.is_parts else None
        uploaded = uploaded or send(connection, ready.first, name, document, stderr())
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


@contextmanager
def packed(dataset: LocalDataset, console: Console) -> Iterator[LocalDataset]:
    """What to upload: a folder of images is packed into an archive, which goes when the block ends."""
    if not dataset.is_image_folder:
        yield dataset
        return
    with tempfile.TemporaryDirectory() as directory:
        archive = Path(directory) / f"{dataset.named_after.name or 'images'}.zip"
        count = pack_folder(dataset.first, archive)
        said = f"Packed {count:,} images of {dataset.first}, {archive.stat().st_size:,} bytes."
        console.print(said, soft_wrap=True, markup=False)
        yield replace(dataset, files=((archive, ""),))


def named_after(spec: bytes | None, dataset: Path, console: Console) -> str:
    """The name in a spec; without one, what of the name of the dataset's file or folder may be in a name, which is said.

    Raises:
        click.BadParameter: that is nothing.
    """
    given = read_json(spec) if spec else None
    if isinstance(given, dict) and isinstance(given.get("name"), str):
        return str(given["name"])
    what, called = ("folder", dataset.name) if dataset.is_dir() else ("file", dataset.name[: -len(suffix_of(dataset))])
    letters = unicodedata.normalize("NFKD", called.lower()).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:NAME_MAX_LENGTH].rstrip("-")
    if not name:
        raise click.BadParameter(f"{dataset.name or dataset} has no letter or digit for a name; give one.", param_hint="'--name'")
    console.print(f"Named {name} after the {what}; --name says otherwise.", soft_wrap=True, markup=False)
    return name


def read_spec(
    spec: Path | None,
    name: str,
    dataset: Path,
    options: SpecOptions = _NOTHING_SAID,
    *,
    given: bytes | None = None,
    is_part: bool = False,
) -> bytes | None:
    """The spec in a file with what options say, checked here so that a mistake shows before the upload; None without any.
    ``given`` is what the file holds, where it was read before. Of several parts the dataset ``is_part``.

    A local ``source_dir`` of a script counts from the file's folder; in what is returned it is absolute.

    Raises:
        click.BadParameter: the spec is not valid, says something else than an option, or is one for another dataset.
    """
    if spec is None and not options.given:
        return None
    document = options.into(b"{}" if spec is None else given if given is not None else spec.read_bytes())
    try:
        parsed, document = _parse(document, spec or Path("the spec"), name)
        check_choice(parsed)
    except InvalidSpec as error:
        raise click.BadParameter(error.message, param_hint="'--spec'" if spec else options.hint) from None
    if parsed.name not in (None, name):
        raise click.BadParameter(
            f"{spec} has the name {parsed.name!r}, and --name says {name!r}: make them equal, or leave `name` out of the spec.",
            param_hint="'--spec'",
        )
    uri = parsed.dataset.uri
    key = dataset_folder(name) if is_part else dataset_key(name, str(format_of(dataset)))
    if uri is not None and not uri.endswith(f"/{key}"):
        raise click.BadParameter(
            f"{spec} has the uri {uri!r}, and {dataset} goes to {key}: leave `dataset.uri` out.", param_hint="'--spec'"
        )
    return document


def _parse(document: bytes, path: Path, name: str) -> tuple[Spec, bytes]:
    given = read_json(document)  # where it is None, parsing says what is wrong, and where
    script = local_script(given)
    if script is None:
        return parse_spec(document, str(path)), document
    folder = find_folder(script, path.parent)
    # In which bucket the archive will be is not known yet.
    script["source_dir"] = f"s3://bucket/{source_key(name)}"
    parsed = parse_spec(json.dumps(given), str(path))
    script["source_dir"] = str(folder)
    return parsed, json.dumps(given).encode()


def send(connection: Connection, path: Path, name: str, spec: bytes | None, console: Console) -> UploadedDataset:
    """Upload a dataset with a progress bar; the script that its spec names goes first."""
    if spec is not None:
        spec = upload_source(connection.s3, connection.bucket, name, spec)
    with bar(console, f"Uploading {path.name}", path.stat().st_size, DownloadColumn(), TransferSpeedColumn()) as advance:
        uploaded = upload(connection.s3, connection.bucket, path, name, spec=spec, advance=advance)
    console.print(f"Uploaded {path} to s3://{uploaded.bucket}/{uploaded.key}", soft_wrap=True, markup=False)
    _say_removed(uploaded, console)
    return uploaded


def send_parts(connection: Connection, dataset: LocalDataset, name: str, spec: bytes | None, console: Console) -> UploadedDataset:
    """The same for a dataset of several files."""
    if spec is not None:
        spec = upload_source(connection.s3, connection.bucket, name, spec)
    total = sum(path.stat().st_size for path, _ in dataset.files)
    with bar(console, f"Uploading {dataset.shown}", total, DownloadColumn(), TransferSpeedColumn()) as advance:
        uploaded = upload_parts(connection.s3, connection.bucket, dataset.files, name, spec=spec, advance=advance)
    folder = uploaded.key.removesuffix(READY)
    said = f"Uploaded {dataset.shown} to s3://{uploaded.bucket}/{folder}, and {READY}, which starts their run"
    console.print(said, soft_wrap=True, markup=False)
    _say_removed(uploaded, console)
    return uploaded


def _say_removed(uploaded: UploadedDataset, console: Console) -> None:
    if uploaded.removed_old_spec:
        console.print("Deleted the spec that an earlier submit had left; give --spec to use one.")
    if parts := uploaded.removed_parts:
        shown = ", ".join(parts[:5]) + (f" and {len(parts) - 5:,} more" if len(parts) > 5 else "")
        console.print(f"Deleted what an earlier upload had left in the folder: {shown}.", soft_wrap=True, markup=False)


def watch(connection: Connection, run_id: str, to_the_end: bool, console: Console) -> tuple[Json, list[StateTime]]:
    """Wait for the run to begin and say what it reads, or follow it to its end: its record and states."""
    fetch, timeline = partial(connection.api.run, run_id), ExecutionTimeline(connection.stepfunctions)
    run = await_bound(await_start(fetch, console), fetch)
    said = schema_lines(run)
    for paragraph in said:
        console.print(paragraph, soft_wrap=True)
    spec = resolved_spec(connection, run_id) if (run.get("details") or {}).get("candidates") else None
    for paragraph in algorithm_lines(run, spec):
        console.print(paragraph, soft_wrap=True)
    if connection.is_local and (line := not_here(run)):
        console.print(warning(line), soft_wrap=True)
    if line := costs.bound(run):
        console.print(line, soft_wrap=True, markup=False)
    if to_the_end:
        console.print(f"Run {run_id}:")
        run = follow(fetch, timeline, console, candidates=Candidates(connection.api.run))
        for paragraph in schema_lines(run):
            if paragraph not in said:  # what only all of the rows have told
                console.print(paragraph, soft_wrap=True)
    return run, timeline(run)
