"""The command that writes sample datasets."""

from __future__ import annotations

from pathlib import Path

import click

from sageline_cli.options import stderr
from sageline_local.samples import SAMPLES, write_sample


@click.command(short_help="Write a sample dataset.")
@click.argument("name", type=click.Choice(list(SAMPLES)))
@click.argument("path", type=click.Path(dir_okay=False, writable=True, path_type=Path))
def sample(name: str, path: Path) -> None:
    """Write a sample dataset to PATH as CSV, made from what is installed; digits also as .npz, or as .zip of images.

    \b
    aws-docs       text: what an AWS operation does, and of which of 20 services it is
    breast-cancer  30 numbers and one of 2 classes
    wine           13 numbers and one of 3 classes
    diabetes       10 numbers and a number to predict
    digits         8 x 8 pixels and one of 10 digits
    """
    if path.suffix in (".npz", ".zip") and name != "digits":
        raise click.BadParameter(f"{name} is a table: give PATH the suffix .csv.", param_hint="'PATH'")
    console = stderr()
    with console.status(f"Making {path} …"):
        rows = write_sample(name, path)
    click.echo(f"{path}: {rows:,} rows. Next: sageline submit {path} --name {name} --wait")
