"""The rows that a run kept out of training, and how good predictions of them are."""

from __future__ import annotations

import json
import math
from collections import Counter

from cli.connection import Connection
from cli.errors import Json
from sageline.names import RunLayout


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
