"""A rare class that a model would never answer: a threshold is chosen, and everything that answers goes by it."""

from __future__ import annotations

import csv
import json
import random

import pytest

from sageline.encoder.decision import DECISION, Decision
from sageline.json_objects import Json
from sageline.names import RunLayout, split_s3_uri
from tests.workflow.workbench import Workbench, csv_text

pytestmark = pytest.mark.stack

SPEC = {
    "split": {"train": 0.5, "validation": 0.3, "test": 0.2},
    "algorithm": {"name": "xgboost", "hyperparameters": {"num_round": 20, "max_depth": 2}},
}


def orchids(rows: int = 3_000) -> str:
    """One in twelve is rare; two numbers make it more probable, and hardly ever more probable than not."""
    draw = random.Random(3)
    table = []
    for _ in range(rows):
        size, weight = draw.gauss(0, 1), draw.gauss(0, 1)
        is_rare = draw.random() < min(0.03 + 0.12 * max(size + weight, 0), 0.5)
        table.append([f"{size:.3f}", f"{weight:.3f}", "rare" if is_rare else "common"])
    return csv_text(["size", "weight", "kind"], table)


def stored(workbench: Workbench, key: str) -> bytes:
    return workbench.connection.s3.get_object(Bucket=workbench.connection.bucket, Key=key)["Body"].read()


def test_predictions_batches_and_the_evaluation_answer_a_rare_class_by_the_same_threshold(workbench: Workbench) -> None:
    run = workbench.wait(workbench.submit("orchids", orchids(), SPEC).run_id)
    assert run["status"] == "Succeeded", run["error"]
    layout = RunLayout(workbench.connection.bucket, run["run_id"])
    evaluation: Json = json.loads(stored(workbench, layout.evaluation_key))
    told = evaluation["decision"]
    assert (evaluation["metric"], evaluation["positive"], told["metric"]) == ("average_precision", "rare", "f1:rare")
    assert told["threshold"]["at"] < 0.5
    of_rare = {row["label"]: row for row in evaluation["classes"]}["rare"]
    assert told["before"]["classes"][1]["recall"] < 0.1
    assert of_rare["recall"] > 0.25
    decision = Decision.load(stored(workbench, layout.encoder_prefix + DECISION), ["common", "rare"])
    assert run["details"]["evaluation"]["model_decision"]["threshold"] == {"label": "rare", "at": decision.threshold}

    rows = [json.loads(line) for line in stored(workbench, f"{layout.test_raw_prefix}part-00000.jsonl").splitlines()]
    answers = workbench.connection.api.predict("orchids", [row["features"] for row in rows], 2)["predictions"]

    labels = [answer["label"] for answer in answers]
    assert labels.count("rare") == of_rare["predicted"] > 0
    right = sum(answer["label"] == row["label"] for answer, row in zip(answers, rows, strict=True))
    assert right / len(rows) == pytest.approx(evaluation["metrics"]["accuracy"])
    for answer in answers:
        probability = {each["label"]: each["probability"] for each in answer["top"]}["rare"]
        assert (answer["label"] == "rare") == (probability >= told["threshold"]["at"])

    key = "batch/orchids/rows.csv"
    asked = csv_text(["size", "weight"], [[repr(row["features"][name]) for name in ("size", "weight")] for row in rows])
    workbench.connection.s3.put_object(Bucket=layout.bucket, Key=key, Body=asked.encode())
    started = workbench.connection.api.start_batch("orchids", {"input": f"s3://{layout.bucket}/{key}"}, "test-orchids")
    batch = workbench.wait(started["run_id"])
    assert batch["status"] == "Succeeded", batch["error"]
    written = list(csv.DictReader(stored(workbench, split_s3_uri(started["output"])[1]).decode().splitlines()))
    assert [row["prediction"] for row in written] == labels
    assert [float(row["probability"]) for row in written] == [answer["probability"] for answer in answers]
