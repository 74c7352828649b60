"""`sageline batch` as a person or a script calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from sageline.json_objects import Json
from sageline_cli.connection import Connection
from sageline_cli.main import cli
from tests.unit.cli.fakes import BUCKET, RUN_ID, FakeApi, run_record

KEY = f"runs/{RUN_ID}/predictions.csv"
OUTPUT = f"s3://{BUCKET}/{KEY}"
ENDPOINTS = {"endpoints": [{"name": "wine", "status": "InService", "variants": []}]}


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "new.wines.csv"
    path.write_text("a\n1\n2\n")
    return path


@pytest.fixture
def ended(api: FakeApi, connection: Connection) -> Json:
    """A batch that has ended when it is looked at; its predictions are in the bucket."""
    connection.s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"a,prediction\n1,x\n2,y\n")
    run = run_record(state="WritePredictions", details={"predictions": {"uri": OUTPUT, "rows": 2}})
    api.answer("GET", "/endpoints", ENDPOINTS)
    api.answer("POST", "/endpoints/wine/batch", {"run_id": RUN_ID, "status": "Running", "output": OUTPUT}, 202)
    api.answer("GET", f"/pipelines/{RUN_ID}", run)
    return run


def uploads(connection: Connection) -> list[str]:
    return [item["Key"] for item in connection.s3.list_objects_v2(Bucket=BUCKET, Prefix="batch/").get("Contents", [])]


@pytest.mark.usefixtures("ended")
def test_the_predictions_come_to_lie_beside_the_file(runner: CliRunner, rows: Path) -> None:
    result = runner.invoke(cli, ["batch", "wine", str(rows)])
    assert result.exit_code == 0, result.output
    path = rows.with_name("new.wines-predictions.csv")
    assert result.stdout == f"2 predictions are in {path}.\n"
    assert path.read_bytes() == b"a,prediction\n1,x\n2,y\n"


def test_one_prediction_is_told_in_the_singular(runner: CliRunner, rows: Path, api: FakeApi, ended: Json) -> None:
    details = ended["details"] | {"predictions": {"rows": 1}}
    api.answer("GET", f"/pipelines/{RUN_ID}", ended | {"details": details})
    result = runner.invoke(cli, ["batch", "wine", str(rows)])
    assert result.stdout.startswith("1 prediction is in ")


def test_warnings_of_the_batch_are_said_beside_where_the_predictions_are(
    runner: CliRunner, rows: Path, api: FakeApi, ended: Json
) -> None:
    warning = "column 'b' is absent and taken for missing."
    details = ended["details"] | {"batch": {"output": OUTPUT, "warnings": [warning]}}
    api.answer("GET", f"/pipelines/{RUN_ID}", ended | {"details": details})
    result = runner.invoke(cli, ["batch", "wine", str(rows)])
    assert f"Warning: {warning}\n" in result.stderr
    assert result.stdout.startswith("2 predictions are in ")
    assert warning in runner.invoke(cli, ["show", RUN_ID]).stdout


@pytest.mark.usefixtures("ended")
def test_the_rows_are_uploaded_where_no_run_starts_and_where_they_expire(
    runner: CliRunner, rows: Path, api: FakeApi, connection: Connection
) -> None:
    runner.invoke(cli, ["batch", "wine", str(rows), "--variant", "wine-2", "--max-seconds", "7200", "--workers", "3"])
    [key] = uploads(connection)
    [request] = [request for request in api.requests if request.method == "POST"]
    assert key.startswith("batch/wine/")
    expected = {"input": f"s3://{BUCKET}/{key}", "variant": "wine-2", "max_runtime_seconds": 7200, "workers": 3}
    assert json.loads(request.content) == expected
    assert request.headers["idempotency-key"]
    tags = connection.s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]
    assert tags == [{"Key": "sageline:retention", "Value": "intermediate"}]


@pytest.mark.usefixtures("ended")
@pytest.mark.parametrize(("options", "asked"), [(["--escape-formulas"], True), ([], None)])
def test_formulas_are_escaped_on_demand(
    runner: CliRunner, rows: Path, api: FakeApi, options: list[str], asked: bool | None
) -> None:
    runner.invoke(cli, ["batch", "wine", str(rows), *options])
    [request] = [request for request in api.requests if request.method == "POST"]
    assert json.loads(request.content).get("escape_formulas") is asked


@pytest.mark.usefixtures("ended")
def test_two_files_of_one_name_do_not_meet(runner: CliRunner, rows: Path, connection: Connection) -> None:
    for _ in range(2):
        runner.invoke(cli, ["batch", "wine", str(rows)])
    assert len(set(uploads(connection))) == 2


@pytest.mark.usefixtures("ended")
def test_the_predictions_go_where_output_says(runner: CliRunner, rows: Path, tmp_path: Path) -> None:
    path = tmp_path / "scored.csv"
    runner.invoke(cli, ["batch", "wine", str(rows), "--output", str(path)])
    assert path.exists()
    assert not rows.with_name("new.wines-predictions.csv").exists()


def test_with_json_the_run_and_the_path_are_printed_and_nothing_else(runner: CliRunner, rows: Path, ended: Json) -> None:
    result = runner.invoke(cli, ["batch", "wine", str(rows), "--json"])
    path = str(rows.with_name("new.wines-predictions.csv"))
    assert json.loads(result.stdout) == {**ended, "output": OUTPUT, "path": path}


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_a_batch_that_fails_says_why_exits_with_1_and_writes_no_file(
    runner: CliRunner, rows: Path, ended: Json, as_json: list[str]
) -> None:
    message = "rows.csv: row 2, column 'a': 'big' is not a number."
    error = {"state": "EncodeBatch", "error": "InvalidDataset", "message": message, "job": None, "failure_reason": None}
    ended |= {"status": "Failed", "error": {**error, "log_lines": [], "advice": "Correct the row."}}
    result = runner.invoke(cli, ["batch", "wine", str(rows), *as_json])
    assert result.exit_code == 1
    assert message in result.stdout
    assert not rows.with_name("new.wines-predictions.csv").exists()
    if as_json:
        assert json.loads(result.stdout)["path"] is None


@pytest.mark.usefixtures("ended")
def test_an_unknown_endpoint_is_told_before_anything_is_uploaded(runner: CliRunner, rows: Path, connection: Connection) -> None:
    result = runner.invoke(cli, ["batch", "beer", str(rows)])
    assert result.exit_code == 1
    assert "No endpoint 'beer' is known; `sageline endpoints` lists them." in result.stderr
    assert uploads(connection) == []


@pytest.mark.usefixtures("ended")
def test_a_refusal_of_the_api_is_told(runner: CliRunner, rows: Path, api: FakeApi) -> None:
    api.fail("POST", "/endpoints/wine/batch", 400, "InvalidRequest", "Unknown key `x` in the variants of endpoint wine.")
    result = runner.invoke(cli, ["batch", "wine", str(rows)])
    assert (result.exit_code, "Unknown key `x`" in result.stderr) == (1, True)


@pytest.mark.usefixtures("ended")
def test_who_stops_following_is_told_that_the_batch_goes_on(
    runner: CliRunner, rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sageline_cli.batch.follow", interrupted)
    result = runner.invoke(cli, ["batch", "wine", str(rows)])
    assert result.exit_code == 130
    assert f"The batch goes on, and writes {OUTPUT}" in result.stderr
    assert f"sageline stop {RUN_ID}" in result.stderr


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("rows.feather", b"x", "convert it to CSV or JSON Lines"),
        ("rows.csv", b"", "is empty"),
        ("pets.zip", b"PK", "For images, write JSON Lines"),
    ],
)
@pytest.mark.usefixtures("connection")
def test_a_file_that_cannot_be_scored_is_wrong_usage(
    runner: CliRunner, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    result = runner.invoke(cli, ["batch", "wine", str(path)])
    assert (result.exit_code, said in result.stderr) == (2, True)


@pytest.mark.usefixtures("ended")
def test_the_suffix_of_compressed_csv_is_left_out_of_the_name(runner: CliRunner, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(b"x")
    runner.invoke(cli, ["batch", "wine", str(path)])
    assert (tmp_path / "rows-predictions.csv").exists()
