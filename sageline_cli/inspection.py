"""The command that says what would be made of a dataset, before anything is uploaded."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console

from sageline.costs.fit_budget import within_budget
from sageline.costs.run_cost import listed_facts
from sageline.json_objects import Json
from sageline.resolve.candidates import resolve_run
from sageline.resolve.inspection import inspect as to_document
from sageline.spec.model import Spec
from sageline_cli.inspection_page import page
from sageline_cli.local_rows import LocalSpec, local_spec, read_rows
from sageline_cli.options import StackCommand, check_folder, json_option, print_json, print_result, stderr
from sageline_cli.parts import LocalDataset, gather, left_out_line
from sageline_cli.spec_options import SpecOptions, spec_options
from sageline_cli.submit import named_after, packed, read_spec
from sageline_cli.upload import format_of, unknown_format

_NAME = "dataset"  # where the file's name makes none


def _check_dataset(context: click.Context, parameter: click.Parameter, path: Path) -> Path:
    if not path.is_dir() and format_of(path) is None:
        raise click.BadParameter(unknown_format(path))
    return path


@click.command(cls=StackCommand, short_help="Say what would be made of a dataset.")
@click.argument("path", type=click.Path(exists=True, readable=True, path_type=Path), callback=_check_dataset)
@spec_options
@click.option("--spec", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE", help="What to do, as JSON.")
@click.option(
    "--spec-out",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    callback=check_folder,
    help="Write the spec with all that was filled in, and why, to edit and submit.",
)
@json_option
def inspect(
    *,
    path: Path,
    label: str | None,
    algorithm: str | None,
    preset: str | None,
    spec: Path | None,
    spec_out: Path | None,
    as_json: bool,
) -> None:
    """Say what `sageline submit` would make of the dataset in PATH: what is predicted, what each column is taken for and why,
    what is left out, which algorithms are trained, what is doubtful. All rows are read on this machine; neither a stack nor
    credentials are needed. PATH is a file, or a folder with the parts of a dataset or with folders of images.

    What a run would refuse when it begins is refused here, with the same words and exit code 1. A page with mistakes, values
    that a run would stop at, ends with 1 too. What depends on the split (too few rows, a hyperparameter that does not go with
    the classes, a label in `class_weight` that does not occur) only a run says.

    \b
    Examples:
      sageline inspect orders.csv
      sageline inspect orders.csv --label returned --spec-out spec.json
      sageline inspect orders.csv --spec spec.json         after an edit
      sageline inspect orders/                             all parts; train* and test* are the split
      sageline submit orders.csv --spec spec.json --wait
    """
    dataset = gather([path]) if path.is_dir() else LocalDataset(((path, ""),), path)
    if line := left_out_line(dataset):
        stderr().print(line, soft_wrap=True, markup=False)
    with packed(dataset, stderr()) as ready:
        options = SpecOptions(label, algorithm, preset)
        given = _given(ready, spec, options)
        profile = read_rows(ready, path, given.spec, stderr())
    resolved = resolve_run(given.spec, profile, name=_name(dataset.named_after), uri=str(path))
    resolved = within_budget(resolved, listed_facts(resolved.resolution.spec.deployment))
    document = to_document(str(path), profile, resolved, given.spec)
    if spec_out is not None:
        edited = _to_submit(resolved.resolution.spec, given.spec)
        if given.source_dir is not None:
            edited["algorithm"]["script"]["source_dir"] = given.source_dir
        spec_out.write_text(json.dumps(edited, indent=2, ensure_ascii=False) + "\n")
    asked = [*options.words, *([] if spec is None else ["--spec", str(spec)])]
    if as_json:
        print_json(document)
    else:
        print_result(page(document, spec_out, asked))
    if document["mistakes"]:
        raise SystemExit(1)


def _given(dataset: LocalDataset, spec: Path | None, options: SpecOptions) -> LocalSpec:
    name = _name(dataset.named_after)
    given = spec.read_bytes() if spec else None
    if given is not None:
        name = named_after(given, dataset.first.with_name(f"{name}.csv"), Console(quiet=True))
    found = read_spec(spec, name, dataset.first, options, given=given, is_part=dataset.is_parts)
    return local_spec(found, name)


def _name(path: Path) -> str:
    try:
        return named_after(None, path, Console(quiet=True))
    except click.BadParameter:  # no Latin letter; submit asks for a name
        return _NAME


def _to_submit(resolved: Spec, given: Spec) -> Json:
    """The resolved spec, without the names that follow from the dataset's: `submit --name` may say another."""
    document = resolved.model_dump(mode="json", exclude_none=True)
    reasons: Json = document["reasons"]
    if given.name is None:
        del document["name"]
        reasons.pop("name", None)
    if reasons.pop("deployment.endpoint", None):
        del document["deployment"]["endpoint"]
    if resolved.deployment is None:
        document["deployment"] = None
    return document
