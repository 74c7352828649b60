"""The commands as a person or a script calls them: exit code, stdout, stderr."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from botocore.exceptions import NoCredentialsError
from click.testing import CliRunner

from sageline.json_objects import Json
from sageline.runs.timings import StateTime
from sageline_cli.connection import Connection
from sageline_cli.errors import CommandFailed
from sageline_cli.main import cli
from tests.unit.cli.datasets import write_dataset
from tests.unit.cli.fakes import BUCKET, RUN_ID, FakeApi, run_record

DATA = "datasets/wine/data.csv"


@pytest.fixture
def data(tmp_path: Path) -> str:
    return str(write_dataset(tmp_path / "wine.csv"))


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Json:
    """Following a run gives this record at once."""
    run = run_record()
    monkeypatch.setattr(
        "sageline_cli.submit.watch", lambda connection, run_id, to_the_end, console: (run, [StateTime("SmokeTest", 24, "done")])
    )
    return run


def keys(connection: Connection) -> list[str]:
    return [item["Key"] for item in connection.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


@pytest.mark.usefixtures("ended")
def test_submit_uploads_and_says_which_run_starts(connection: Connection, runner: CliRunner, data: str) -> None:
    result = runner.invoke(cli, ["submit", data, "--name", "wine"])
    assert result.exit_code == 0
    assert keys(connection) == [DATA]
    assert result.stdout == f"Run {RUN_ID} has started. See how it goes: sageline show {RUN_ID}\n"
    assert f"s3://{BUCKET}/{DATA}" in result.stderr


@pytest.mark.usefixtures("connection")
def test_submit_without_waiting_is_done_when_the_run_has_started(runner: CliRunner, data: str, ended: Json) -> None:
    ended["status"] = "Failed"
    assert runner.invoke(cli, ["submit", data, "--name", "wine"]).exit_code == 0


@pytest.mark.usefixtures("connection")
def test_submit_and_wait_follows_the_run_to_its_end(runner: CliRunner, data: str, ended: Json) -> None:
    ended["details"] = {"training": {"metrics": {"validation:mlogloss": 0.25}}}
    result = runner.invoke(cli, ["submit", data, "--name", "wine", "--wait"])
    assert result.exit_code == 0
    assert "Succeeded in 24 s" in result.stdout
    assert "validation:mlogloss 0.25" in result.stdout
    assert "sageline predict wine" in result.stdout


@pytest.mark.usefixtures("connection")
def test_submit_and_wait_with_json_prints_the_run(runner: CliRunner, data: str, ended: Json) -> None:
    result = runner.invoke(cli, ["submit", data, "--name", "wine", "--wait", "--json"])
    assert json.loads(result.stdout) == ended


@pytest.mark.usefixtures("connection")
def test_a_run_that_fails_is_explained_and_exits_with_1(runner: CliRunner, data: str, ended: Json) -> None:
    error = {
        "state": "CheckTraining",
        "error": "TrainingJobFailed",
        "message": "The job failed.",
        "job": RUN_ID,
        "failure_reason": "AlgorithmError: max_depth must be positive",
        "log_lines": ["line one", "line [two]"],
        "advice": "Give max_depth a positive number.",
    }
    ended |= {"status": "Failed", "error": error}
    result = runner.invoke(cli, ["submit", data, "--name", "wine", "--wait"])
    assert result.exit_code == 1
    for words in ("CheckTraining", "AlgorithmError: max_depth", "line [two]", "Give max_depth a positive number."):
        assert words in result.stdout

    with_json = runner.invoke(cli, ["submit", data, "--name", "wine", "--wait", "--json"])
    assert with_json.exit_code == 1
    assert json.loads(with_json.stdout)["error"] == error


@pytest.mark.usefixtures("connection")
def test_ctrl_c_says_that_the_run_goes_on(runner: CliRunner, data: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> Json:
        raise KeyboardInterrupt

    monkeypatch.setattr("sageline_cli.submit.watch", interrupted)
    result = runner.invoke(cli, ["submit", data, "--name", "wine", "--wait"])
    assert result.exit_code == 130
    assert "The run goes on" in result.stderr
    assert "sageline stop wine-2" in result.stderr


@pytest.mark.usefixtures("ended")
def test_a_valid_spec_goes_beside_the_data(connection: Connection, runner: CliRunner, data: str, tmp_path: Path) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text('{"dataset": {"label": "b"}}')
    assert runner.invoke(cli, ["submit", data, "--name", "wine", "--spec", str(spec)]).exit_code == 0
    stored = connection.s3.get_object(Bucket=BUCKET, Key="datasets/wine/spec.json")["Body"].read()
    assert stored == spec.read_bytes()


@pytest.mark.usefixtures("ended")
@pytest.mark.usefixtures("connection")
def test_the_schema_of_an_endpoints_rows_is_printed(runner: CliRunner, api: FakeApi) -> None:
    schema = {"title": "wine", "type": "object", "properties": {"farbe": {"description": "Grün"}}, "examples": [{"farbe": "rot"}]}
    api.answer("GET", "/endpoints/wine/schema", schema)

    result = runner.invoke(cli, ["schema", "wine"])

    assert (result.exit_code, json.loads(result.stdout), result.stderr) == (0, schema, "")
    assert "Grün" in result.stdout


@pytest.mark.usefixtures("connection")
def test_who_asks_for_the_schema_of_no_endpoint_is_told_so(runner: CliRunner, api: FakeApi) -> None:
    api.fail("GET", "/endpoints/whine/schema", 404, "EndpointNotFound", "There is no endpoint whine.")

    result = runner.invoke(cli, ["schema", "whine"])
    with_json = runner.invoke(cli, ["schema", "whine", "--json"])

    assert (result.exit_code, result.stdout) == (1, "")
    assert "There is no endpoint whine." in result.stderr
    assert json.loads(with_json.stdout)["error"]["code"] == "EndpointNotFound"


def test_a_spec_left_by_an_earlier_submit_is_deleted_and_that_is_said(
    connection: Connection, runner: CliRunner, data: str, tmp_path: Path
) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text("{}")
    runner.invoke(cli, ["submit", data, "--name", "wine", "--spec", str(spec)])
    result = runner.invoke(cli, ["submit", data, "--name", "wine"])
    assert "Deleted the spec" in result.stderr
    assert keys(connection) == [DATA]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ('{"encodr": {}}', "unknown key `encodr`; did you mean `encoder`?"),
        ("{", "not valid JSON"),
        ('{"name": "beer"}', "make them equal"),
        ('{"dataset": {"uri": "s3://other/data.csv"}}', "leave `dataset.uri` out"),
    ],
)
def test_a_wrong_spec_shows_before_anything_is_uploaded(
    *, connection: Connection, runner: CliRunner, data: str, tmp_path: Path, spec: str, message: str
) -> None:
    path = tmp_path / "spec.json"
    path.write_text(spec)
    result = runner.invoke(cli, ["submit", data, "--name", "wine", "--spec", str(path)])
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert keys(connection) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["submit", "nowhere.csv", "--name", "wine"], "does not exist"),
        (["submit", "{data}", "--name", "Wine_1"], "lower-case letters"),
        (["submit", "{data}", "--name", "w" * 33], "at most 32"),
        (["submit", "{folder}/数.csv"], "Invalid value for '--name': 数.csv has no letter or digit for a name; give one."),
        (["submit", "{data}", "--nam", "wine"], "No such option: --nam Did you mean --name?"),
        (["sumbit", "{data}"], "No such command 'sumbit'. Did you mean submit?"),
        (["local", "statsu"], "No such command 'statsu'. Did you mean status?"),
        (["submit", "{folder}/table.xls", "--name", "wine"], "is of a format that is not read; save the workbook as .xlsx"),
        (["submit", "{folder}/empty.csv", "--name", "wine"], "is empty"),
        (["predict", "wine"], "Give either --text or --file"),
        (["predict", "wine", "--text", "a", "--file", "{data}"], "Give either --text or --file"),
        (["predict", "wine", "--file", "{folder}/empty.csv"], "no rows to predict"),
        (["predict", "wine", "--text", "a", "--top", "0"], "--top"),
        (["frobnicate"], "No such command 'frobnicate'"),
    ],
)
@pytest.mark.usefixtures("connection")
def test_wrong_usage_exits_with_2_and_says_what_is_wrong(
    runner: CliRunner, data: str, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "table.xls").write_text("x")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "数.csv").write_text("a,b\n")
    result = runner.invoke(cli, [argument.format(data=data, folder=tmp_path) for argument in arguments])
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert result.stdout == ""


@pytest.mark.usefixtures("connection")
def test_runs_are_listed(runner: CliRunner, api: FakeApi) -> None:
    api.answer("GET", "/pipelines", {"runs": [run_record(), run_record(status="Failed", endpoint_name=None)], "next_token": None})
    result = runner.invoke(cli, ["runs"])
    assert result.exit_code == 0
    assert RUN_ID in result.stdout
    assert "Failed" in result.stdout
    assert json.loads(runner.invoke(cli, ["runs", "--json"]).stdout)["runs"][0] == run_record()


@pytest.mark.usefixtures("connection")
@pytest.mark.parametrize(("limit", "listed", "said"), [(1, 1, True), (2, 2, False)])
def test_that_there_are_more_runs_than_are_listed_is_said(
    runner: CliRunner, api: FakeApi, limit: int, listed: int, said: bool
) -> None:
    api.answer("GET", "/pipelines", {"runs": [run_record(), run_record()], "next_token": None})

    result = runner.invoke(cli, ["runs", "--limit", str(limit)])

    assert result.stdout.count(RUN_ID) == listed
    assert ("older ones" in result.stderr) is said


@pytest.mark.usefixtures("connection")
def test_no_runs_tells_how_to_start_one(runner: CliRunner, api: FakeApi) -> None:
    api.answer("GET", "/pipelines", {"runs": [], "next_token": None})
    assert "sageline submit" in runner.invoke(cli, ["runs"]).stdout


def test_show_tells_what_a_run_chose_and_why_and_what_it_found(connection: Connection, runner: CliRunner, api: FakeApi) -> None:
    details = {
        "rows": {"train": 1470, "test": 17},
        "training": {"metrics": {"train:mlogloss": 0.1}, "training_seconds": 2, "billable_seconds": 1},
    }
    api.answer("GET", f"/pipelines/{RUN_ID}", run_record(details=details))
    spec = {
        "task": "classification",
        "dataset": {"features": {"a.b": "number"}},
        "reasons": {"task": "the label has 3 values", "dataset.features.a.b": "every value is a number"},
    }
    connection.s3.put_object(Bucket=BUCKET, Key=f"runs/{RUN_ID}/spec.json", Body=json.dumps(spec).encode())
    lines = [line.split() for line in runner.invoke(cli, ["show", RUN_ID]).stdout.splitlines()]
    assert ["task", "classification", "the", "label", "has", "3", "values"] in lines
    assert ["dataset.features.a.b", "number", "every", "value", "is", "a", "number"] in lines
    assert ["rows", "train", "1,470,", "test", "17"] in lines
    assert ["trained", "for", "2", "s,", "1", "s", "billed"] in lines
    assert ["metrics", "train:mlogloss", "0.1"] in lines


@pytest.mark.usefixtures("connection")
def test_show_of_a_run_that_failed_early_shows_the_error(runner: CliRunner, api: FakeApi) -> None:
    error = {"state": "PrepareData", "error": "InvalidDataset", "message": "Row 3 has 2 cells."}
    api.answer("GET", f"/pipelines/{RUN_ID}", run_record(status="Failed", error=error))
    result = runner.invoke(cli, ["show", RUN_ID])
    assert result.exit_code == 0
    assert "What went wrong" in result.stdout
    assert "Row 3 has 2 cells." in result.stdout


@pytest.mark.usefixtures("connection")
def test_a_failing_request_exits_with_1_and_with_json_prints_the_error_as_a_document(runner: CliRunner, api: FakeApi) -> None:
    api.fail("GET", "/pipelines/nope", 404, "RunNotFound", "No run 'nope' is known.")
    result = runner.invoke(cli, ["show", "nope"])
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "Error: No run 'nope' is known.\n")
    with_json = runner.invoke(cli, ["show", "nope", "--json"])
    assert with_json.exit_code == 1
    assert json.loads(with_json.stdout)["error"]["code"] == "RunNotFound"


@pytest.mark.usefixtures("connection")
def test_a_change_of_what_serves_is_told_from_a_run_that_trains(runner: CliRunner, api: FakeApi) -> None:
    change = run_record(run_id="wine-20261121110000-7e1f0b", details={"change": {"kind": "rollback"}})
    api.answer("GET", "/pipelines", {"runs": [change, run_record()], "next_token": None})
    header, _, changed, trained = runner.invoke(cli, ["runs"]).stdout.splitlines()
    assert (header.split()[-1], changed.split()[-1], trained.split()[-1]) == ("change", "rollback", "wine")


@pytest.mark.usefixtures("connection")
def test_a_run_is_stopped_again_until_what_it_was_deploying_is_taken_back(
    runner: CliRunner, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.fail("DELETE", f"/pipelines/{RUN_ID}", 503, "EndpointNotReady", "Stop it again.")
    stopped = run_record(status="Stopped")
    monkeypatch.setattr("time.sleep", lambda _: api.answer("DELETE", f"/pipelines/{RUN_ID}", stopped))
    assert runner.invoke(cli, ["stop", RUN_ID]).stdout == f"Run {RUN_ID} is stopped.\n"


@pytest.mark.usefixtures("connection")
def test_stop_stops(runner: CliRunner, api: FakeApi) -> None:
    api.answer("DELETE", f"/pipelines/{RUN_ID}", run_record(status="Stopped"))
    assert runner.invoke(cli, ["stop", RUN_ID]).stdout == f"Run {RUN_ID} is stopped.\n"
    assert json.loads(runner.invoke(cli, ["stop", RUN_ID, "--json"]).stdout)["status"] == "Stopped"


def prediction(**changes: object) -> Json:
    return {"label": "ec2", "probability": 0.9, "top": [{"label": "ec2", "probability": 0.9}], **changes}


def answer_predictions(api: FakeApi, *predictions: Json) -> None:
    body = {"predictions": list(predictions), "endpoint": "wine", "variant": "v1", "model_version": "v1"}
    api.answer("POST", "/endpoints/wine/predictions", body)


@pytest.mark.usefixtures("connection")
def test_one_text_is_predicted(runner: CliRunner, api: FakeApi) -> None:
    answer_predictions(api, prediction())
    result = runner.invoke(cli, ["predict", "wine", "--text", "Accepts an address."])
    assert json.loads(api.requests[0].content) == {"instances": ["Accepts an address."], "top_k": 1}
    assert ["1", "ec2", "0.900"] in [line.split() for line in result.stdout.splitlines()]


@pytest.mark.usefixtures("connection")
def test_rows_come_from_stdin_and_the_next_labels_are_shown(runner: CliRunner, api: FakeApi) -> None:
    top = [{"label": "ec2", "probability": 0.7}, {"label": "[iam]", "probability": 0.2}, {"label": "s3", "probability": 0.1}]
    answer_predictions(api, prediction(top=top), prediction(top=top))
    result = runner.invoke(cli, ["predict", "wine", "--file", "-", "--top", "3"], input="a,b\n1,x\n2,\n")
    assert json.loads(api.requests[0].content) == {"instances": [{"a": "1", "b": "x"}, {"a": "2", "b": None}], "top_k": 3}
    assert "[iam] 0.200, s3 0.100" in result.stdout


@pytest.mark.usefixtures("connection")
def test_values_are_shown_for_regression_and_json_is_the_apis_answer(runner: CliRunner, api: FakeApi) -> None:
    answer_predictions(api, {"value": 151.25})
    assert ["1", "151.25"] in [
        line.split() for line in runner.invoke(cli, ["predict", "wine", "--text", "x"]).stdout.splitlines()
    ]
    document = json.loads(runner.invoke(cli, ["predict", "wine", "--text", "x", "--json"]).stdout)
    assert document == {"predictions": [{"value": 151.25}], "endpoint": "wine", "variant": "v1", "model_version": "v1"}


@pytest.mark.usefixtures("connection")
def test_warnings_are_said_beside_the_predictions_or_are_part_of_the_document(runner: CliRunner, api: FakeApi) -> None:
    warning = "instances[0]: unknown column 'b' is ignored."
    body = {"predictions": [prediction()], "endpoint": "wine", "variant": "v1", "model_version": "v1", "warnings": [warning]}
    api.answer("POST", "/endpoints/wine/predictions", body)
    arguments = ["predict", "wine", "--file", "-"]
    result = runner.invoke(cli, arguments, input="a,b\n1,x\n")
    assert "Warning: row 1: unknown column 'b' is ignored.\n" in result.stderr
    assert "Warning" not in result.stdout
    document = json.loads(runner.invoke(cli, [*arguments, "--json"], input="a,b\n1,x\n").stdout)
    assert document["warnings"] == ["row 1: unknown column 'b' is ignored."]
    assert "strict" not in json.loads(api.requests[0].content)


@pytest.mark.usefixtures("connection")
def test_predictions_may_be_strict(runner: CliRunner, api: FakeApi) -> None:
    answer_predictions(api, prediction())
    assert runner.invoke(cli, ["predict", "wine", "--text", "a", "--strict"]).exit_code == 0
    assert json.loads(api.requests[0].content)["strict"] is True


@pytest.mark.usefixtures("connection")
def test_endpoints_are_listed_with_what_they_serve(runner: CliRunner, api: FakeApi) -> None:
    variants = [{"name": "v1", "weight": 0.9, "model_version": "v1"}, {"name": "v2", "weight": 0.1, "model_version": "v2"}]
    endpoint = {
        "name": "wine",
        "status": "InService",
        "variants": variants,
        "created_at": "",
        "updated_at": "2026-11-20T10:00:00Z",
    }
    api.answer("GET", "/endpoints", {"endpoints": [endpoint]})
    result = runner.invoke(cli, ["endpoints"])
    rows = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert any("v1 90 %" in row for row in rows)
    assert "v2 10 %" in rows
    assert json.loads(runner.invoke(cli, ["endpoints", "--json"]).stdout) == {"endpoints": [endpoint]}
    api.answer("GET", "/endpoints", {"endpoints": []})
    assert "No endpoints" in runner.invoke(cli, ["endpoints"]).stdout


@pytest.mark.usefixtures("connection")
def test_an_endpoint_that_is_being_made_is_deleted_as_soon_as_that_is_possible(
    runner: CliRunner, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.fail("DELETE", "/endpoints/wine", 503, "EndpointNotReady", "Endpoint wine is Creating.")
    done = {"endpoint": "wine", "deleted": ["endpoint/wine"]}
    monkeypatch.setattr("time.sleep", lambda _: api.answer("DELETE", "/endpoints/wine", done))
    assert runner.invoke(cli, ["delete", "wine"]).stdout == "Deleted wine: endpoint/wine.\n"


@pytest.mark.usefixtures("connection")
def test_an_endpoint_that_is_not_ours_is_not_waited_for(runner: CliRunner, api: FakeApi) -> None:
    api.fail("DELETE", "/endpoints/wine", 409, "ResourceConflict", "Endpoint wine was not made by this stack.")
    assert runner.invoke(cli, ["delete", "wine"]).exit_code == 1


@pytest.mark.usefixtures("connection")
def test_deleting_says_what_went_and_deleting_what_is_not_there_is_done_already(runner: CliRunner, api: FakeApi) -> None:
    api.answer("DELETE", "/endpoints/wine", {"endpoint": "wine", "deleted": ["endpoint wine", "model v1"]})
    assert runner.invoke(cli, ["delete", "wine"]).stdout == "Deleted wine: endpoint wine, model v1.\n"
    api.answer("DELETE", "/endpoints/wine", {"endpoint": "wine", "deleted": []})
    result = runner.invoke(cli, ["delete", "wine"])
    assert (result.exit_code, result.stdout) == (0, "There is no endpoint wine: nothing to delete.\n")
    assert json.loads(runner.invoke(cli, ["delete", "wine", "--json"]).stdout)["deleted"] == []


@pytest.mark.parametrize(
    ("error", "code"),
    [(NoCredentialsError(), "NoCredentials"), (CommandFailed("The local stack is down.", "StackNotUp"), "StackNotUp")],
)
def test_a_stack_that_cannot_be_reached_is_an_error_of_the_request(
    runner: CliRunner, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    def connect(stack: str | None) -> Connection:
        raise error

    monkeypatch.setattr("sageline_cli.runs.connect", connect)
    result = runner.invoke(cli, ["runs", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == code


def test_the_stack_is_named_by_option_or_environment(runner: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    named: list[str | None] = []

    def connect(stack: str | None) -> Connection:
        named.append(stack)
        raise CommandFailed("enough")

    monkeypatch.setattr("sageline_cli.runs.connect", connect)
    runner.invoke(cli, ["runs"])
    runner.invoke(cli, ["runs", "--stack", "prod"])
    runner.invoke(cli, ["runs"], env={"SAGELINE_STACK": "test"})
    assert named == [None, "prod", "test"]


def test_every_command_has_help(runner: CliRunner) -> None:
    listed = runner.invoke(cli, ["--help"])
    assert listed.exit_code == 0
    for name in cli.list_commands(click.Context(cli)):
        assert name in listed.stdout
        assert runner.invoke(cli, [name, "--help"]).exit_code == 0


def test_a_sample_is_written_as_csv(runner: CliRunner, tmp_path: Path) -> None:
    path = tmp_path / "new" / "wine.csv"
    result = runner.invoke(cli, ["sample", "wine", str(path)])
    assert result.exit_code == 0
    assert "178 rows" in result.stdout
    assert path.read_text().startswith("alcohol,")
