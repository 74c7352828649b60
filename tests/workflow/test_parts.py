"""Datasets of several files, by each of their doors, on the local stack."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import requests

from sageline.json_objects import Json
from sageline.names import dataset_folder
from sageline_cli.upload import UploadedDataset, upload_parts
from tests.workflow.test_runs import QUICK, SUCCESS
from tests.workflow.workbench import Workbench, flowers, until

pytestmark = pytest.mark.stack

NAME = "sided"
HEADER, *ROWS = flowers(300).splitlines(keepends=True)
TEST_ROWS = ROWS[200:260]
FILES = {"train-0.csv": ROWS[:100], "train-1.csv": ROWS[100:200], "test.csv": TEST_ROWS}


def put_parts(workbench: Workbench, name: str, files: Mapping[str, list[str]], spec: Json) -> UploadedDataset:
    """Upload parts as `sageline submit` does."""
    folder = workbench.directory / name
    folder.mkdir(exist_ok=True)
    paths: list[tuple[Path, str]] = []
    for file, rows in files.items():
        (folder / file).write_text(HEADER + "".join(rows))
        paths.append((folder / file, file))
    connection = workbench.connection
    document = json.dumps(spec).encode()
    return upload_parts(connection.s3, connection.bucket, paths, name, spec=document, advance=lambda _: None)


def runs_of(workbench: Workbench, name: str) -> list[str]:
    return [run["run_id"] for run in workbench.connection.api.runs(100, name=name)]


@pytest.fixture(scope="module")
def run(workbench: Workbench) -> Json:
    """A run of train and test files, started by _READY; its endpoint serves."""
    return workbench.wait(put_parts(workbench, NAME, FILES, QUICK).run_id)


class TestTrainAndTestFiles:
    def test_ready_starts_one_run_that_passes_every_state_once(self, workbench: Workbench, run: Json) -> None:
        assert run["status"] == "Succeeded", run["error"]
        assert workbench.states(run["execution_arn"]) == SUCCESS
        assert runs_of(workbench, NAME) == [run["run_id"]]

    def test_the_record_names_the_parts_with_their_versions(self, workbench: Workbench, run: Json) -> None:
        s3, bucket = workbench.connection.s3, workbench.connection.bucket
        dataset = run["details"]["dataset"]
        assert run["dataset_uri"] == dataset["uri"] == f"s3://{bucket}/{dataset_folder(NAME)}"
        assert [(part["name"], part["side"]) for part in dataset["parts"]] == [
            ("test.csv", "test"),
            ("train-0.csv", "train"),
            ("train-1.csv", "train"),
        ]
        for part in dataset["parts"]:
            head = s3.head_object(Bucket=bucket, Key=dataset_folder(NAME) + part["name"])
            assert (head["VersionId"], head["ContentLength"]) == (part["version_id"], part["size"])

    def test_the_test_rows_are_those_of_the_test_file(self, workbench: Workbench, run: Json) -> None:
        s3, bucket = workbench.connection.s3, workbench.connection.bucket
        key = f"runs/{run['run_id']}/data/test-raw/part-00000.jsonl"
        rows = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode().splitlines()
        lengths = sorted(float(json.loads(row)["features"]["length"]) for row in rows)
        assert lengths == sorted(float(row.split(",")[0]) for row in TEST_ROWS)
        assert run["details"]["rows"]["test"] == len(TEST_ROWS)
        assert run["details"]["rows"]["train"] + run["details"]["rows"]["validation"] == 200
        assert any("the rows of test.csv are the test rows" in note for note in run["details"]["schema"]["notes"])

    def test_the_same_event_delivered_again_starts_nothing(self, workbench: Workbench, run: Json) -> None:
        stepfunctions = workbench.connection.stepfunctions
        first = stepfunctions.describe_execution(executionArn=run["execution_arn"])

        again = stepfunctions.start_execution(stateMachineArn=workbench.state_machine_arn, input=first["input"])["executionArn"]
        until(lambda: stepfunctions.describe_execution(executionArn=again)["status"] != "RUNNING" or None)

        assert workbench.states(again) == ["ConfigureRun", "AlreadyStarted"]

    @pytest.mark.full
    def test_ready_once_more_is_another_run_which_may_be_judged_beside_the_first(self, workbench: Workbench, run: Json) -> None:
        more = {**FILES, "train-2.csv": ROWS[260:]}
        spec = {**QUICK, "evaluation": {"beat_champion": True}}

        second = workbench.wait(put_parts(workbench, NAME, more, spec).run_id)

        assert second["run_id"] != run["run_id"]
        assert "CompareModels" in workbench.states(second["execution_arn"])
        assert (second["status"] in ("Succeeded", "Rejected"), second["error"]) == (True, None)
        assert second["details"]["rows"]["test"] == len(TEST_ROWS)

    def test_its_endpoint_is_deleted(self, workbench: Workbench, run: Json) -> None:
        workbench.delete(NAME)


def test_parts_put_to_urls_start_their_run_when_they_are_complete(workbench: Workbench) -> None:
    api, name = workbench.connection.api, "urls"
    for number in range(3):
        body = (HEADER + "".join(ROWS[number * 80 : number * 80 + 80])).encode()
        asked: Json = {"name": name, "file": f"data-{number:02d}.csv", "bytes": len(body)}
        asked["md5"] = hashlib.md5(body, usedforsecurity=False).hexdigest()
        answer = api.create_upload(asked | ({"spec": {**QUICK, "deployment": None}} if number == 0 else {}))
        upload = answer["upload"]
        requests.request(upload["method"], upload["url"], headers=upload["headers"], data=body, timeout=30).raise_for_status()
    assert runs_of(workbench, name) == []

    started = [api.complete_dataset(name, "urls-are-complete") for _ in range(2)]

    assert started[0]["run_id"] == started[1]["run_id"]
    run = workbench.wait(started[0]["run_id"])
    assert run["status"] == "Succeeded", run["error"]
    assert sum(run["details"]["rows"].values()) == 240
    assert runs_of(workbench, name) == [run["run_id"]]


def test_a_part_with_other_columns_fails_the_run_and_is_named(workbench: Workbench) -> None:
    name = "odd-part"
    bucket, s3 = workbench.connection.bucket, workbench.connection.s3
    s3.put_object(Bucket=bucket, Key=f"{dataset_folder(name)}data-9.csv", Body=b"length,kind\n1,iris\n")
    for file, rows in {"data-0.csv": ROWS[:50], "data-1.csv": ROWS[50:100]}.items():
        s3.put_object(Bucket=bucket, Key=dataset_folder(name) + file, Body=(HEADER + "".join(rows)).encode())

    s3.put_object(Bucket=bucket, Key=f"{dataset_folder(name)}_READY", Body=b"")

    run_id = until(lambda: next(iter(runs_of(workbench, name)), None))
    run = workbench.wait(run_id)
    assert (run["status"], run["error"]["error"]) == ("Failed", "InvalidDataset")
    assert "data-9.csv: the columns are not those of" in run["error"]["message"]
    assert "it lacks 'ground', 'width'" in run["error"]["message"]


def test_ready_without_parts_fails_with_what_to_upload(workbench: Workbench) -> None:
    name = "no-parts"
    workbench.connection.s3.put_object(Bucket=workbench.connection.bucket, Key=f"{dataset_folder(name)}_READY", Body=b"")

    run = workbench.wait(until(lambda: next(iter(runs_of(workbench, name)), None)))

    assert (run["status"], run["error"]["error"]) == ("Failed", "DatasetNotFound")
    assert "Upload files whose names begin with data" in run["error"]["message"]
