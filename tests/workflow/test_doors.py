"""Datasets of every format on the local stack: each trains a model, and rows in the same format are scored by it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable

import pytest

from sageline.names import split_s3_uri
from sageline_cli.upload import upload
from tests.unit.dataset.tables import as_csv, as_parquet, as_xlsx, compressed
from tests.workflow.workbench import Workbench, flowers

pytestmark = pytest.mark.stack

KINDS = ("iris", "rose", "tulip")


def table(rows: int, seed: int) -> dict[str, list[object]]:
    """Flowers, with numbers that are numbers."""
    read = list(csv.DictReader(flowers(rows, seed).splitlines()))
    numbers: dict[str, list[object]] = {
        name: [float(row[name]) if row[name] else None for row in read] for name in ("length", "width")
    }
    return {**numbers, "ground": [row["ground"] for row in read], "kind": [row["kind"] for row in read]}


def as_nested_lines(rows: dict[str, list[object]]) -> bytes:
    lines = [
        {"size": {"length": length, "width": width}, "ground": [ground], "kind": kind}
        for length, width, ground, kind in zip(*rows.values(), strict=True)
    ]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def as_libsvm(rows: dict[str, list[object]]) -> bytes:
    lines = []
    for length, width, _, kind in zip(*rows.values(), strict=True):
        cells = [f"{number}:{value}" for number, value in ((1, length), (2, width)) if value is not None]
        lines.append(" ".join([str(KINDS.index(str(kind))), *cells]) + "\n")
    return "".join(lines).encode()


@pytest.mark.parametrize(
    ("data_format", "write", "gives"),
    [
        ("parquet", as_parquet, "csv"),
        pytest.param("xlsx", as_xlsx, "csv", marks=pytest.mark.full),
        pytest.param("tsv.gz", lambda rows: compressed(as_csv(rows, "\t"), "gz"), "csv", marks=pytest.mark.full),
        pytest.param("csv.zst", lambda rows: compressed(as_csv(rows), "zst"), "csv", marks=pytest.mark.full),
        pytest.param("jsonl.zst", lambda rows: compressed(as_nested_lines(rows), "zst"), "jsonl", marks=pytest.mark.full),
        pytest.param("libsvm", as_libsvm, "jsonl", marks=pytest.mark.full),
    ],
)
def test_a_file_trains_a_model_that_scores_rows_of_the_same_format(
    workbench: Workbench, data_format: str, write: Callable[[dict[str, list[object]]], bytes], gives: str
) -> None:
    connection, name = workbench.connection, f"door-{data_format.replace('.', '-')}"
    key, rows = f"batch/{name}/rows.{data_format}", table(60, seed=3)
    connection.s3.put_object(Bucket=connection.bucket, Key=key, Body=write(rows))
    spec = {
        "dataset": {"label": "label" if data_format == "libsvm" else "kind"},
        "task": "classification",
        "algorithm": {"name": "xgboost", "hyperparameters": {"num_round": 10}},
        "deployment": None,
        "batch": {"input": f"s3://{connection.bucket}/{key}"},
    }
    path = workbench.directory / f"{name}.{data_format}"
    path.write_bytes(write(table(240, seed=0)))
    document = json.dumps(spec).encode()

    started = upload(connection.s3, connection.bucket, path, name, spec=document, advance=lambda _: None)
    done = workbench.wait(started.run_id)

    assert done["status"] == "Succeeded", done["error"]
    uri = done["details"]["predictions"]["uri"]
    assert uri.endswith(f"/predictions.{gives}")
    bucket, written = split_s3_uri(uri)
    text = connection.s3.get_object(Bucket=bucket, Key=written)["Body"].read().decode().splitlines()
    predicted = [row["prediction"] for row in (csv.DictReader(text) if gives == "csv" else map(json.loads, text))]
    expected = [str(KINDS.index(str(kind))) if data_format == "libsvm" else kind for kind in rows["kind"]]
    assert sum(one == other for one, other in zip(predicted, expected, strict=True)) > 0.9 * len(expected)
