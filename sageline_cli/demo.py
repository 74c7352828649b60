"""``make demo``: the main job, end to end, on this machine; the outcome goes to ``demo.json`` in the stack's home.

Starts the local stack, uploads the text sample (:mod:`sageline_local.samples`), follows the run, predicts the run's held-out rows
through the HTTP API, compares with always naming the most frequent label, deletes the endpoint, stops the stack. A stack that was
up before stays up.

``demo.json``: ``{"status": "succeeded", "run_id", "endpoint", "classes", "accuracy", "majority_baseline", "predictions":
[{"text", "label", "probability", "expected"}], "seconds": {"setup", "deploy", "run", "predict", "total"}}``; or ``"status":
"failed"`` with ``"error"`` and what was known by then. ``setup`` is what the Makefile measured (``SAGELINE_SETUP_SECONDS``).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from rich.console import Console
from rich.table import Table

from sageline.json_objects import Json
from sageline_cli.bars import bar
from sageline_cli.connection import Connection, connect_to_local
from sageline_cli.held_out import read_held_out, score_labels
from sageline_cli.predict import predict
from sageline_cli.temporary_stack import WorkReport, run_on_local_stack, run_to_the_end
from sageline_local.progress import ConsoleProgress
from sageline_local.samples import write_sample
from sageline_local.stack import LocalStack

# Not the sample's own name: an endpoint of that name may be the user's, and the demo deletes what it made.
NAME = "aws-docs-demo"
SHOWN = 5


def main() -> int:
    """Run the demo; the exit code."""
    return run_on_local_stack(partial(demo, environment=os.environ), "demo.json", "The demo")


def demo(stack: LocalStack, console: Console, report: WorkReport, environment: Mapping[str, str]) -> None:
    """Every step but taking the stack down.

    Raises:
        CommandFailed: a step failed; the message says why.
    """
    sample = stack.home / "samples" / "aws-docs.csv"
    with ThreadPoolExecutor(1) as pool:
        # Reading every service model takes seconds, in which the stack comes up.
        written = pool.submit(write_sample, "aws-docs", sample)
        with report.timed("deploy"), ConsoleProgress(console) as progress:
            stack.up(progress)
        rows = written.result()
    connection = connect_to_local(environment)
    console.print(f"\nThe sample: {rows:,} documents on 20 AWS services; the model is to tell the service from the text.")
    try:
        with report.timed("run"):
            run = run_to_the_end(connection, sample, NAME, spec=None, console=console, report=report)
        report.facts["endpoint"] = run["endpoint_name"]
        with report.timed("predict"):
            report.facts |= _score(connection, run, console)
    finally:
        if "endpoint" in report.facts:
            connection.api.delete_endpoint(report.facts["endpoint"])
            console.print(f"Deleted the endpoint {report.facts['endpoint']}.")


def _score(connection: Connection, run: Json, console: Console) -> Json:
    held_out = read_held_out(connection, run["run_id"])
    instances = [row["features"] for row in held_out]
    console.print(f"\nPredicting the {len(instances)} documents that the run kept out of training, through the HTTP API:")
    with bar(console, "Predicting", len(instances)) as advance:
        answer = predict(connection.api, run["endpoint_name"], instances, advance=advance)
    expected = [row["label"] for row in held_out]
    scores = score_labels(answer["predictions"], expected)
    predicted = [
        {
            "text": row["features"]["post"],
            "label": answered["label"],
            "probability": answered["probability"],
            "expected": row["label"],
        }
        for row, answered in zip(held_out, answer["predictions"], strict=True)
    ]
    # Neighbours are of one service, so take them from all over.
    shown = predicted[:: max(len(predicted) // SHOWN, 1)][:SHOWN]
    console.print(_examples(shown))
    console.print(
        f"[bold]Accuracy on {len(expected)} held-out rows: {scores['accuracy']:.3f}[/] "
        f"({scores['classes']} classes; always naming the most frequent one: {scores['majority_baseline']:.3f})"
    )
    return {**scores, "predictions": shown}


def _examples(predictions: list[Json]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("text", max_width=70, no_wrap=True, overflow="ellipsis")
    for column in ("predicted", "probability", "expected"):
        table.add_column(column)
    for item in predictions:
        style = "green" if item["label"] == item["expected"] else "red"
        table.add_row(item["text"], f"[{style}]{item['label']}[/]", f"{item['probability']:.3f}", item["expected"])
    return table


if __name__ == "__main__":
    sys.exit(main())
