"""Batches on the local stack with real transform jobs: rows in, predictions out, in order, and nothing left."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from sageline.json_objects import Json
from sageline.names import split_s3_uri
from sageline_cli.errors import CommandFailed
from sageline_cli.main import cli
from sageline_local.stack import LocalStack
from tests.workflow.test_algorithms import notes
from tests.workflow.workbench import Workbench, flowers

pytestmark = pytest.mark.stack

BATCH = ["EncodeBatch", "RunTransform", "WritePredictions", "Succeeded"]


@pytest.fixture(scope="module")
def run(workbench: Workbench) -> Json:
    """A run whose endpoint ``meadow`` serves."""
    run = workbench.wait(
        workbench.submit("meadow", flowers(), {"algorithm": {"name": "xgboost", "hyperparameters": {"num_round": 10}}}).run_id
    )
    assert run["status"] == "Succeeded", run["error"]
    return run


def start(workbench: Workbench, rows: str, name: str = "meadow", extension: str = "csv") -> Json:
    """A batch on endpoint ``meadow``, followed to its end."""
    connection, key = workbench.connection, f"batch/{name}/rows.{extension}"
    connection.s3.put_object(Bucket=connection.bucket, Key=key, Body=rows.encode())
    started = connection.api.start_batch("meadow", {"input": f"s3://{connection.bucket}/{key}"}, f"test-{name}")
    return workbench.wait(started["run_id"]) | {"output": started["output"]}


def transform_jobs(workbench: Workbench, run_id: str) -> list[str]:
    return [
        job["TransformJobName"] for job in workbench.sagemaker.list_transform_jobs(NameContains=run_id)["TransformJobSummaries"]
    ]


def read(workbench: Workbench, uri: str) -> str:
    bucket, key = split_s3_uri(uri)
    return workbench.connection.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()


def test_the_command_predicts_each_row_of_a_file_as_the_endpoint_does(
    workbench: Workbench, run: Json, stack: LocalStack, tmp_path: Path
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(flowers(90, seed=1))
    given = list(csv.DictReader(file.read_text().splitlines()))
    asked = [{name: value for name, value in row.items() if name != "kind"} for row in given]
    served = workbench.connection.api.predict("meadow", [{**row, "width": row["width"] or None} for row in asked], 1)

    result = CliRunner(mix_stderr=False).invoke(cli, ["batch", "meadow", str(file)], env={"SAGELINE_HOME": str(stack.home)})

    assert result.exit_code == 0, result.stderr
    assert "90 predictions are in" in result.stdout
    predicted = list(csv.DictReader((tmp_path / "rows-predictions.csv").read_text().splitlines()))
    assert [{name: row[name] for name in given[0]} for row in predicted] == given
    assert [row["prediction"] for row in predicted] == [prediction["label"] for prediction in served["predictions"]]
    probabilities = [prediction["probability"] for prediction in served["predictions"]]
    assert [float(row["probability"]) for row in predicted] == pytest.approx(probabilities, abs=1e-6)
    assert sum(row["prediction"] == row["kind"] for row in predicted) / len(predicted) > 0.9
    assert {row["kind"] for row in predicted} == {"iris", "rose", "tulip"}


@pytest.mark.usefixtures("run")
def test_a_bad_row_fails_the_batch_by_name_and_starts_no_job(workbench: Workbench) -> None:
    lines = flowers(40).splitlines()
    lines[25] = "long" + lines[25][lines[25].index(",") :]
    failed = start(workbench, "\n".join(lines), "bad")
    assert (failed["status"], failed["state"], failed["error"]["error"]) == ("Failed", "EncodeBatch", "InvalidDataset")
    assert "batch/bad/rows.csv: row 25, column 'length': 'long' is not a number" in failed["error"]["message"]
    assert transform_jobs(workbench, failed["run_id"]) == []


@pytest.mark.usefixtures("run")
def test_json_lines_come_back_with_their_predictions_and_the_endpoint_serves_on(workbench: Workbench) -> None:
    rows = [{"length": length, "width": None, "ground": "wet"} for length in (5.0, 14, 5.25)]
    done = start(workbench, "\n".join(map(json.dumps, rows)), "lines", "jsonl")
    assert done["status"] == "Succeeded", done["error"]
    assert workbench.states(done["execution_arn"]) == ["ConfigureRun", "KindOfRun", *BATCH]
    assert transform_jobs(workbench, done["run_id"]) == [done["run_id"]]
    assert workbench.inventory.left_of(done) == []
    written = [json.loads(line) for line in read(workbench, done["output"]).splitlines()]
    assert [{name: row[name] for name in rows[0]} for row in written] == rows
    assert [row["prediction"] for row in written] == ["iris", "tulip", "iris"]
    assert workbench.connection.api.predict("meadow", rows, 1)["variant"] == done["details"]["batch"]["variant"]


@pytest.mark.parametrize("algorithm", ["linear-learner", "blazingtext"])
def test_a_run_without_an_endpoint_scores_the_batch_of_its_spec(workbench: Workbench, algorithm: str) -> None:
    connection, key = workbench.connection, f"batch/notes/{algorithm}.csv"
    rows = notes(60, seed=7)
    connection.s3.put_object(Bucket=connection.bucket, Key=key, Body=rows.encode())
    spec = {
        "algorithm": {"name": algorithm},
        "deployment": None,
        "batch": {"input": f"s3://{connection.bucket}/{key}"},
    }
    done = workbench.wait(workbench.submit(f"notes-{algorithm}", notes(), spec).run_id)
    assert done["status"] == "Succeeded", done["error"]
    assert workbench.states(done["execution_arn"])[-5:] == ["Gate", *BATCH]
    assert workbench.inventory.left_of(done) == [done["run_id"]], "its model"
    assert done["endpoint_name"] is None
    predicted = list(csv.DictReader(read(workbench, done["details"]["predictions"]["uri"]).splitlines()))
    assert [row["note"] for row in predicted] == [row["note"] for row in csv.DictReader(rows.splitlines())]
    assert sum(row["prediction"] == row["kind"] for row in predicted) / len(predicted) > 0.8


@pytest.mark.usefixtures("run")
def test_a_batch_of_an_endpoint_that_was_deleted_is_refused(workbench: Workbench) -> None:
    workbench.delete("meadow")
    with pytest.raises(CommandFailed, match="No endpoint 'meadow' is known"):
        start(workbench, flowers(10), "late")
