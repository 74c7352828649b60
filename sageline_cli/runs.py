"""Commands on runs: runs, show, report, stop."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from sageline.names import split_s3_uri
from sageline.report.leaderboard import leaderboard
from sageline_cli import render
from sageline_cli.candidates import Candidates
from sageline_cli.connection import connect
from sageline_cli.errors import CommandFailed
from sageline_cli.options import StackCommand, check_folder, json_option, print_json, print_result, stack_option, stderr
from sageline_cli.resolved_spec import resolved_spec
from sageline_cli.retries import when_ready
from sageline_cli.timeline import ExecutionTimeline

_PAGE_WIDTH = 100  # columns of what is read and not searched


@click.command(cls=StackCommand, short_help="List the newest runs.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@click.option("--name", help="Only runs of this name.")
@stack_option
@json_option
def runs(limit: int, name: str | None, stack: str | None, as_json: bool) -> None:
    """List the newest runs: those that train a model, score a batch, or change what an endpoint serves."""
    found = connect(stack).api.runs(limit + 1, name)
    listed = found[:limit]
    if as_json:
        print_json({"runs": listed})
        return
    print_result(render.runs_table(listed, datetime.now(UTC)))
    if len(found) > limit:
        stderr().print(f"These are the newest {limit}; there are older ones: --limit {2 * limit}")


@click.command(cls=StackCommand, short_help="Show all that is known of a run.")
@click.argument("run_id", metavar="RUN")
@stack_option
@json_option
def show(run_id: str, stack: str | None, as_json: bool) -> None:
    """Show RUN: what it did, what it chose and why, what it found, how the algorithms that it tried compare, what it may cost and
    did cost, and what went wrong."""
    connection = connect(stack)
    run = connection.api.run(run_id)
    if as_json:
        print_json(run)
    else:
        spec, states = resolved_spec(connection, run_id), ExecutionTimeline(connection.stepfunctions)(run)
        under_way = Candidates(connection.api.run)(run) if leaderboard(run.get("details") or {}) is None else []
        print_result(render.run_detail(run, spec, states, datetime.now(UTC), under_way), pipe_width=_PAGE_WIDTH)


@click.command(cls=StackCommand, short_help="Fetch the report on a run's model.")
@click.argument("run_id", metavar="RUN")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    callback=check_folder,
    help="Where to write it. Default: RUN.html, in this directory.",
)
@stack_option
@json_option
def report(run_id: str, output: Path | None, stack: str | None, as_json: bool) -> None:
    """Fetch the report on the model of RUN, a page for a browser: how good it is, where it errs, why it was taken or refused."""
    connection = connect(stack)
    run = connection.api.run(run_id)
    evaluation = (run.get("details") or {}).get("evaluation") or {}
    uri = evaluation.get("report")
    if uri is None and evaluation.get("report_error"):
        raise CommandFailed(
            f"Run {run_id} has no report, because writing it failed ({evaluation['report_error']}). The model was judged all the "
            f"same: {evaluation['uri']} has its metrics.",
            "ReportNotFound",
        )
    if uri is None:
        raise CommandFailed(
            f"Run {run_id} has no report: one is written when a model is judged, and this run is {run['status'].lower()} in the "
            f"state {run['state']}.",
            "ReportNotFound",
        )
    path, (bucket, key) = output or Path(f"{run_id}.html"), split_s3_uri(uri)
    path.write_bytes(connection.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    if as_json:
        print_json({"run_id": run_id, "uri": uri, "path": str(path)})
    else:
        click.echo(f"The report is in {path}.")


@click.command(cls=StackCommand, short_help="Stop a run.")
@click.argument("run_id", metavar="RUN")
@stack_option
@json_option
def stop(run_id: str, stack: str | None, as_json: bool) -> None:
    """Stop RUN: its execution and its jobs. What it was deploying is taken back: the endpoint serves what it served before.

    An endpoint that is being created or updated is waited for: SageMaker does not interrupt that.
    """
    with stderr().status(f"Stopping {run_id} …"):
        run = when_ready(connect(stack).api).stop_run(run_id)
    if as_json:
        print_json(run)
    else:
        click.echo(f"Run {run_id} is {run['status'].lower()}.")
