"""The rows that a run kept out of training, and how good predictions of them are."""

from __future__ import annotations

import json
import math
from collections import Counter

from rich.console import Console

from sageline.json_objects import Json
from sageline.names import RunLayout
from sageline_cli.connection import Connection
from sageline_cli.errors import CommandFailed
from sageline_cli.predict import predict


def read_held_out(connection: Connection, run_id: str) -> list[Json]:
    """The raw rows that a run kept out of training: ``{"features": {column: value}, "label": value}``."""
    layout = RunLayout(connection.bucket, run_id)
    rows: list[Json] = []
    pages = connection.s3.get_paginator("list_objects_v2").paginate(Bucket=layout.bucket, Prefix=layout.test_raw_prefix)
    for page in pages:
        for item in page.get("Contents", []):
            body = connection.s3.get_object(Bucket=layout.bucket, Key=item["Key"])["Body"].read()
            rows += [json.loads(line) for line in body.decode().split("\n") if line]
    return rows


def score_labels(predictions: list[Json], expected: list[str]) -> Json:
    """Share of right labels, and the share that always naming the most frequent label would have right."""
    right = sum(prediction["label"] == label for prediction, label in zip(predictions, expected, strict=True))
    counts = Counter(expected)
    return {
        "classes": len(counts),
        "accuracy": round(right / len(expected), 4),
        "majority_baseline": round(counts.most_common(1)[0][1] / len(expected), 4),
    }


def score_values(predictions: list[Json], expected: list[float]) -> Json:
    """Root mean squared error and R² of predicted numbers, and the error of always naming the rows' mean, which no constant
    beats."""
    mean = sum(expected) / len(expected)
    error = sum((prediction["value"] - value) ** 2 for prediction, value in zip(predictions, expected, strict=True))
    spread = sum((value - mean) ** 2 for value in expected)
    return {
        "rmse": round(math.sqrt(error / len(expected)), 4),
        "r2": round(1 - error / spread, 4),
        "mean_baseline": round(math.sqrt(spread / len(expected)), 4),
    }


def score(connection: Connection, run: Json, held_out: list[Json], console: Console) -> Json:
    """Predict the held-out rows through the HTTP API, and compare; the scores for a report.

    Raises:
        CommandFailed: the model is no better than one that knows nothing of the features.
    """
    answer = predict(connection.api, run["endpoint_name"], [row["features"] for row in held_out])
    expected = [row["label"] for row in held_out]
    if "value" in answer["predictions"][0]:
        scores = score_values(answer["predictions"], expected)
        found, baseline, better = scores["rmse"], scores["mean_baseline"], scores["rmse"] < scores["mean_baseline"]
        console.print(
            f"[bold]Root mean squared error on {len(expected)} held-out rows: {found:.2f}[/] "
            f"(always naming their mean: {baseline:.2f}; R² {scores['r2']:.3f})"
        )
    else:
        scores = score_labels(answer["predictions"], expected)
        found, baseline = scores["accuracy"], scores["majority_baseline"]
        better = found > baseline
        console.print(
            f"[bold]Accuracy on {len(expected)} held-out rows: {found:.3f}[/] "
            f"({scores['classes']} classes; always naming the most frequent one: {baseline:.3f})"
        )
    if not better:
        raise CommandFailed(f"The model of run {run['run_id']} is no better than one that knows nothing of the features.")
    return {"run_id": run["run_id"], "rows": len(expected), **scores}
