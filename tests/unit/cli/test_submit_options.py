"""What submit makes of the file's name, of --label, and of a spec beside them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sageline_cli.connection import Connection
from sageline_cli.main import cli
from tests.unit.cli.datasets import write_dataset
from tests.unit.cli.fakes import BUCKET, run_record


@pytest.fixture(autouse=True)
def ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Following a run gives a record at once."""
    monkeypatch.setattr("sageline_cli.submit.watch", lambda connection, run_id, to_the_end, console: (run_record(), []))


def submit(runner: CliRunner, folder: Path, file: str, *options: str) -> Result:
    write_dataset(folder / file)
    return runner.invoke(cli, ["submit", str(folder / file), *options])


def keys(connection: Connection) -> list[str]:
    return [item["Key"] for item in connection.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def uploaded_spec(connection: Connection, name: str) -> Any:  # any JSON value
    return json.loads(connection.s3.get_object(Bucket=BUCKET, Key=f"datasets/{name}/spec.json")["Body"].read())


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("wine.csv", "wine"),
        ("Wine Quality.csv", "wine-quality"),
        ("_Qualité (2024)!.JSONL", "qualite-2024"),
        ("sales.v2.csv.gz", "sales-v2"),
        ("a" * 31 + "-b-c.npz", "a" * 31),
    ],
)
def test_a_run_is_named_after_its_file_and_that_is_said(
    connection: Connection, runner: CliRunner, tmp_path: Path, file: str, name: str
) -> None:
    result = submit(runner, tmp_path, file)

    assert result.exit_code == 0, result.stderr
    assert [key.split("/")[1] for key in keys(connection)] == [name]
    assert f"Named {name} after the file; --name says otherwise." in result.stderr


def test_a_given_name_is_not_remarked_on(connection: Connection, runner: CliRunner, tmp_path: Path) -> None:
    result = submit(runner, tmp_path, "data.csv", "--name", "wine")

    assert keys(connection) == ["datasets/wine/data.csv"]
    assert "Named" not in result.stderr


def test_the_name_in_the_spec_counts_more_than_the_files(connection: Connection, runner: CliRunner, tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text('{"name": "wine"}')

    result = submit(runner, tmp_path, "data.csv", "--spec", str(tmp_path / "spec.json"))

    assert "datasets/wine/data.csv" in keys(connection)
    assert "Named" not in result.stderr


def test_a_spec_may_come_through_a_pipe(connection: Connection, runner: CliRunner, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b'{"deployment": null}')
    os.close(writing)

    result = submit(runner, tmp_path, "wine.csv", "--spec", f"/dev/fd/{reading}")
    os.close(reading)

    assert result.exit_code == 0, result.stderr
    assert uploaded_spec(connection, "wine") == {"deployment": None}


def test_a_label_is_all_of_a_spec_that_is_needed(connection: Connection, runner: CliRunner, tmp_path: Path) -> None:
    assert submit(runner, tmp_path, "wine.csv", "--label", "b").exit_code == 0

    assert uploaded_spec(connection, "wine") == {"dataset": {"label": "b"}}


@pytest.mark.parametrize("dataset", [{}, {"dataset": {"features": {"a": "text"}}}, {"dataset": {"label": "b"}}])
def test_a_label_joins_what_the_spec_says(
    connection: Connection, runner: CliRunner, tmp_path: Path, dataset: dict[str, dict[str, object]]
) -> None:
    (tmp_path / "spec.json").write_text(json.dumps({"deployment": None, **dataset}))

    assert submit(runner, tmp_path, "wine.csv", "--label", "b", "--spec", str(tmp_path / "spec.json")).exit_code == 0

    expected = {"deployment": None, "dataset": {**dataset.get("dataset", {}), "label": "b"}}
    assert uploaded_spec(connection, "wine") == expected


@pytest.mark.parametrize(
    ("spec", "label", "message"),
    [
        ('{"dataset": {"label": "a"}}', "b", "the spec has the label 'a', and --label says 'b': make them equal"),
        ('{"dataset": []}', "b", "Invalid value for '--spec'"),
        ("{", "b", "not valid JSON"),
        ('{"split": {"train": 0.8, "validation": 0, "test": 0.2}}', "b", "`split.validation` is 0"),
    ],
)
def test_a_label_that_the_spec_contradicts_is_refused_before_the_upload(
    *, connection: Connection, runner: CliRunner, tmp_path: Path, spec: str, label: str, message: str
) -> None:
    (tmp_path / "spec.json").write_text(spec)

    result = submit(runner, tmp_path, "wine.csv", "--label", label, "--spec", str(tmp_path / "spec.json"))

    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert keys(connection) == []
