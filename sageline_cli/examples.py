"""``make demo-<job>``: the jobs of ``examples/``, each with its data, end to end on a local stack of its own.

``python -m sageline_cli.examples JOB...`` brings the stack up, uploads each job's sample with its spec, follows the run, predicts
the rows that the run kept out of training through the HTTP API, compares the score with what knows nothing of the features, shows
what is special to the job, deletes the endpoints, stops the stack. ``examples/<job>.json`` in the stack's home has the numbers.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from sageline.json_objects import Json
from sageline_cli.connection import Connection, connect_to_local
from sageline_cli.example_jobs import after_batch, after_split, after_top_three, after_tuning
from sageline_cli.held_out import read_held_out, score
from sageline_cli.submit import read_spec
from sageline_cli.temporary_stack import WorkReport, run_on_local_stack, run_to_the_end
from sageline_local.progress import ConsoleProgress
from sageline_local.samples import write_sample
from sageline_local.stack import LocalStack

FOLDER = Path(__file__).resolve().parents[1] / "examples"

Afterwards = Callable[[Connection, Json, list[Json], Console], Json]
"""What is special to a job: gets its last run and the held-out rows, shows something, and returns it for the report."""


@dataclass(frozen=True)
class Job:
    """What is uploaded, and what is shown after the runs. Each spec is a run, one after the other, on one endpoint."""

    title: str
    sample: str
    specs: tuple[str, ...] = ("spec.json",)
    suffix: str = ".csv"
    afterwards: Afterwards | None = None


JOBS: Mapping[str, Job] = {
    "regression": Job("XGBoost on a table of numbers; batch transform of a file", "diabetes", afterwards=after_batch),
    "tuning": Job("20 XGBoost models, 3 at a time, the best one deployed", "diabetes", afterwards=after_tuning),
    "ab": Job(
        "Linear learner and XGBoost behind one endpoint",
        "diabetes",
        ("linear-learner.json", "xgboost.json"),
        afterwards=after_split,
    ),
    "blazingtext": Job("BlazingText on documents", "aws-docs"),
    "images-knn": Job("k nearest neighbours on images, from pixel columns by way of RecordIO", "digits"),
    "images-files": Job("k nearest neighbours on image files in class folders", "digits", suffix=".zip"),
    "script": Job("A scikit-learn script of one's own", "breast-cancer"),
    "text": Job("A deep TensorFlow classifier on a bag of 500 words", "aws-docs", afterwards=after_top_three),
    "text-script": Job("A Keras script of one's own on a bag of 500 words", "aws-docs", afterwards=after_top_three),
    "images-tensorflow": Job("A small convolutional network on images, trained by two hosts", "digits", suffix=".npz"),
}


def main(names: list[str]) -> int:
    """Run jobs; the exit code."""
    unknown = [name for name in names if name not in JOBS]
    if unknown or not names:
        click.echo(f"Give one or more of: {', '.join(JOBS)}.", err=True)
        return 2
    file = names[0] if len(names) == 1 else "all"
    return run_on_local_stack(partial(run_jobs, names, os.environ), f"examples/{file}.json", "The example")


def run_jobs(names: list[str], environment: Mapping[str, str], stack: LocalStack, console: Console, report: WorkReport) -> None:
    """Each job in turn; the report has the facts of each by its name.

    Raises:
        CommandFailed: a run did not succeed, or a job's own check failed.
    """
    with report.timed("deploy"), ConsoleProgress(console) as progress:
        stack.up(progress)
    connection = connect_to_local(environment)
    for name in names:
        with report.timed(name):
            report.facts[name] = _run_job(name, stack.home / "samples", connection, console, report)


def _run_job(name: str, samples: Path, connection: Connection, console: Console, report: WorkReport) -> Json:
    job = JOBS[name]
    dataset = samples / f"{job.sample}{job.suffix}"
    rows = write_sample(job.sample, dataset)
    console.print(f"\n[bold]{job.title}[/] ({job.sample}, {rows:,} rows)")
    facts: Json = {"title": job.title, "sample": job.sample, "scores": {}}
    # Not the sample's own name: an endpoint of that name may be the user's, and the example deletes what it made.
    dataset_name, endpoint = f"{name}-demo", None
    try:
        for spec in job.specs:
            console.print(f"examples/{name}/{spec}:")
            document = read_spec(FOLDER / name / spec, dataset_name, dataset)
            run = run_to_the_end(connection, dataset, dataset_name, spec=document, console=console, report=report)
            endpoint = run["endpoint_name"]
            held_out = read_held_out(connection, run["run_id"])
            if "share" not in run["details"]["deployment"]:  # else the rows go to several models
                facts["scores"][spec.removesuffix(".json")] = score(connection, run, held_out, console)
        if job.afterwards is not None:
            facts |= job.afterwards(connection, run, held_out, console)
    finally:
        if endpoint is not None:
            connection.api.delete_endpoint(endpoint)
            console.print(f"Deleted the endpoint {endpoint}.")
    return facts


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
