"""What is special to some of the examples: shown after their runs, and part of their report."""

from __future__ import annotations

import csv
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from rich.console import Console
from rich.table import Table

from sageline.json_objects import Json
from sageline_cli import batch
from sageline_cli.connection import Connection
from sageline_cli.errors import CommandFailed
from sageline_cli.held_out import score_values
from sageline_cli.predict import predict
from sageline_cli.timeline import ExecutionTimeline

SHOWN_TRIALS = 5
TOP = 3
_SPLIT_SECONDS = 30.0


def after_batch(
    connection: Connection,
    run: Json,
    held_out: list[Json],
    console: Console,
    options: Mapping[str, object] = MappingProxyType({}),
) -> Json:
    """Score the held-out rows once more, as a file: a transform job gives what the endpoint gives.

    Args:
        options: of the batch, besides its rows.
    """
    endpoint, features = run["endpoint_name"], [row["features"] for row in held_out]
    with TemporaryDirectory() as folder:
        rows, scored = Path(folder) / "rows.csv", Path(folder) / "scored.csv"
        with rows.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(features[0]))
            writer.writeheader()
            writer.writerows(features)
        started = batch.start(connection, endpoint, rows, options, console)
        ended = batch.watch(connection, started["run_id"], ExecutionTimeline(connection.stepfunctions), console)
        if ended["status"] != "Succeeded":
            raise CommandFailed(f"Batch {started['run_id']} ended as {ended['status']}: {(ended['error'] or {}).get('message')}")
        with batch.download(connection, started["output"], scored, console).open(encoding="utf-8", newline="") as file:
            in_batch = [float(row["prediction"]) for row in csv.DictReader(file)]
    one_by_one = [answer["value"] for answer in predict(connection.api, endpoint, features)["predictions"]]
    same = sum(abs(first - second) <= 1e-4 * abs(second) for first, second in zip(in_batch, one_by_one, strict=True))
    console.print(f"Batch transform of the {len(in_batch)} rows: {same} predictions are those of the endpoint.")
    if same < len(one_by_one):
        raise CommandFailed(f"{len(one_by_one) - same} of {len(one_by_one)} predictions differ between batch and endpoint.")
    return {"batch": {"run_id": started["run_id"], "rows": len(in_batch), "as_the_endpoint": same}}


def after_top_three(connection: Connection, run: Json, held_out: list[Json], console: Console) -> Json:
    """The three most probable classes of a document, as percentages."""
    row = held_out[len(held_out) // 2]
    [prediction] = connection.api.predict(run["endpoint_name"], [row["features"]], TOP)["predictions"]
    top = {entry["label"]: f"{entry['probability']:.2%}" for entry in prediction["top"]}
    console.print(f"The {TOP} most probable classes of a document on {row['label']}: {top}")
    return {"top": top, "expected": row["label"]}


def after_tuning(connection: Connection, run: Json, held_out: list[Json], console: Console) -> Json:
    """The trials, the best first."""
    trials: list[Json] = run["details"]["trials"]
    names = sorted(trials[0]["hyperparameters"])
    table = Table(box=None, pad_edge=False, title=f"The best {SHOWN_TRIALS} of {len(trials)} trials", title_justify="left")
    for column in ("objective", *names, "seconds"):
        table.add_column(column, justify="right")
    for trial in trials[:SHOWN_TRIALS]:
        cells = [f"{float(trial['hyperparameters'][name]):.4g}" for name in names]
        table.add_row(f"{trial['objective']:.3f}", *cells, str(trial["seconds"]))
    console.print(table)
    return {"trials": len(trials), "best": trials[0]}


def after_split(connection: Connection, run: Json, held_out: list[Json], console: Console) -> Json:
    """Send each row on its own, so that the traffic is split, and compare the models on the rows that each of them got."""
    _await_split(connection, run, held_out[0]["features"])
    answers: dict[str, list[Json]] = defaultdict(list)
    expected: dict[str, list[float]] = defaultdict(list)
    for row in held_out:
        answer = connection.api.predict(run["endpoint_name"], [row["features"]], 1)
        answers[answer["variant"]] += answer["predictions"]
        expected[answer["variant"]].append(row["label"])
    shares = {}
    for variant in sorted(answers):
        model = "xgboost" if variant == run["run_id"] else "linear-learner"
        shares[model] = {"rows": len(answers[variant]), **score_values(answers[variant], expected[variant])}
        found = shares[model]
        console.print(f"{model} ({variant}) answered {found['rows']} rows: root mean squared error {found['rmse']:.2f}")
    return {"split": shares}


def _await_split(connection: Connection, run: Json, row: Json) -> None:
    """Ask until the new model has answered: a function looks at the weights every some seconds.

    Raises:
        CommandFailed: it never does.
    """
    deadline = time.monotonic() + _SPLIT_SECONDS
    while connection.api.predict(run["endpoint_name"], [row], 1)["variant"] != run["run_id"]:
        if time.monotonic() > deadline:
            raise CommandFailed(f"The model of run {run['run_id']} got no traffic within {_SPLIT_SECONDS:.0f} s.")
        time.sleep(0.2)
