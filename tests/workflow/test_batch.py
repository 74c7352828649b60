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
from tests.workflow.workbench import Workbench, flowers, until

pytestmark = pytest.mark.stack

BATCH = ["EncodeBatch", "RunTransform", "IsBatchSharded", "WritePredictions", "Succeeded"]
TO_THE_JOB = [
    *("PlanBatchShards", "BatchNeedsScan", "ScanBatchShards", "SettleBatchShards", "EncodeBatchShards", "MergeBatch"),
    "RunTransform",
]
IN_SHARDS = [*TO_THE_JOB, "IsBatchSharded", "WriteBatchShards", "WritePredictions", "Succeeded"]
MANY_ROWS = 10_000  # more than 64 KiB for each of three shards


@pytest.fixture(scope="module")
def run(workbench: Workbench) -> Json:
    """A run whose endpoint ``meadow`` serves."""
    run = workbench.wait(
        workbench.submit("meadow", flowers(), {"algorithm": {"name": "xgboost", "hyperparameters": {"num_round": 10}}}).run_id
    )
    assert run["status"] == "Succeeded", run["error"]
    return run


def begin(workbench: Workbench, rows: str, name: str = "meadow", extension: str = "csv", **asked: object) -> Json:
    """Start a batch on endpoint ``meadow``; what the API answers."""
    connection, key = workbench.connection, f"batch/{name}/rows.{extension}"
    connection.s3.put_object(Bucket=connection.bucket, Key=key, Body=rows.encode())
    return connection.api.start_batch("meadow", {"input": f"s3://{connection.bucket}/{key}", **asked}, f"test-{name}")


def start(workbench: Workbench, rows: str, name: str = "meadow", extension: str = "csv", **asked: object) -> Json:
    """A batch on endpoint ``meadow``, followed to its end."""
    started = begin(workbench, rows, name, extension, **asked)
    return workbench.wait(started["run_id"]) | {"output": started["output"]}


def with_notes(rows: str) -> str:
    """The rows with a column that the model does not know, of long texts with line breaks and quotes."""
    header, *lines = rows.splitlines()
    notes = (f'{line},"note {number}, of\n{"many " * 400}""lines"""' for number, line in enumerate(lines))
    return "\n".join([f"{header},note", *notes]) + "\n"


def unfinished_uploads(workbench: Workbench, run_id: str) -> list[str]:
    uploads = workbench.connection.s3.list_multipart_uploads(Bucket=workbench.connection.bucket).get("Uploads", [])
    return [upload["Key"] for upload in uploads if run_id in upload["Key"]]


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


@pytest.mark.usefixtures("run")
def test_a_batch_in_shards_writes_the_bytes_that_one_function_writes(workbench: Workbench) -> None:
    rows = with_notes(flowers(MANY_ROWS, seed=2))  # S3 itself joins predictions of more than 5 MiB a shard

    alone, sharded = [start(workbench, rows, f"of-{workers}", workers=workers) for workers in (1, 3)]

    assert (alone["status"], sharded["status"]) == ("Succeeded", "Succeeded"), sharded["error"]
    assert workbench.states(sharded["execution_arn"]) == ["ConfigureRun", "KindOfRun", *IN_SHARDS]
    assert [run["details"]["batch"]["plan"]["workers"] for run in (alone, sharded)] == [1, 3]
    assert sharded["details"]["batch"]["warnings"] == alone["details"]["batch"]["warnings"] != []
    assert read(workbench, sharded["output"]) == read(workbench, alone["output"])
    assert len(list(csv.reader(read(workbench, alone["output"]).splitlines(keepends=True)))) == MANY_ROWS + 1
    assert len(read(workbench, sharded["output"])) > 3 * 6 << 20
    assert (workbench.inventory.left_of(sharded), unfinished_uploads(workbench, sharded["run_id"])) == ([], [])


@pytest.mark.usefixtures("run")
def test_a_batch_in_shards_that_is_stopped_half_way_leaves_nothing(workbench: Workbench) -> None:
    run_id = begin(workbench, flowers(3 * MANY_ROWS, seed=3), "halted", workers=3)["run_id"]
    until(lambda: found if (found := workbench.run(run_id)) and found["state"] in TO_THE_JOB else None)

    workbench.connection.api.stop_run(run_id)

    assert workbench.wait(run_id)["status"] == "Stopped"  # and nothing is left of it
    assert unfinished_uploads(workbench, run_id) == []


@pytest.mark.usefixtures("run")
def test_what_is_wrong_in_a_shard_is_said_once_with_its_row(workbench: Workbench) -> None:
    lines = flowers(MANY_ROWS).splitlines()
    for row in (7001, 9001):
        lines[row] = "long" + lines[row][lines[row].index(",") :]

    failed = start(workbench, "\n".join(lines), "bad-shard", workers=3)

    assert (failed["status"], failed["state"], failed["error"]["error"]) == ("Failed", "MergeBatch", "InvalidDataset")
    assert "batch/bad-shard/rows.csv: row 7001, column 'length': 'long' is not a number" in failed["error"]["message"]
    assert transform_jobs(workbench, failed["run_id"]) == []


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
    assert workbench.states(done["execution_arn"])[-6:] == ["Gate", *BATCH]
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
