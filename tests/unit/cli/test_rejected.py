"""A run whose model was refused, and its report, as people see them."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from sageline_cli.connection import Connection
from sageline_cli.main import cli
from sageline_cli.render import outcome
from sageline_cli.states import DOES
from sageline_cli.timeline import ExecutionTimeline, read_history
from tests.unit.cli.datasets import write_dataset
from tests.unit.cli.fakes import BUCKET, RUN_ID, FakeApi, run_record
from tests.unit.cli.test_timeline import history
from tests.unit.sessions import stepfunctions_client
from tests.unit.template import documents
from tests.unit.world.fake_aws import FakeAws

REASON = "Accuracy is 0.79, at least 0.95 is asked for."
KEY = f"runs/{RUN_ID}/evaluation/report.html"
EVALUATION = {
    "status": "Rejected",
    "decision": "rejected",
    "reason": REASON,
    "metrics": {"accuracy": 0.79, "log_loss": None},
    "rows": 1200,
    "report": f"s3://{BUCKET}/{KEY}",
}
REJECTED = run_record(status="Rejected", state="EvaluateModel", details={"evaluation": EVALUATION})


def test_the_end_of_a_refused_model_says_why_and_what_became_of_the_endpoint() -> None:
    console = Console(file=io.StringIO(), width=200)
    console.print(outcome(REJECTED, []))
    console.print(outcome(REJECTED | {"endpoint_name": None}, []))
    assert isinstance(console.file, io.StringIO)
    with_endpoint, next_step, without_endpoint, _ = console.file.getvalue().splitlines()
    assert with_endpoint == f"Rejected after 0 s. {REASON} The model is removed, and nothing is deployed."
    assert next_step.startswith(f"Next: sageline report {RUN_ID} ")
    assert without_endpoint == f"Rejected after 0 s. {REASON} The model is removed, and nothing is deployed."


@pytest.mark.usefixtures("connection")
def test_who_waits_for_a_run_whose_model_is_refused_gets_exit_code_1(runner: CliRunner, api: FakeApi, tmp_path: Path) -> None:
    data = tmp_path / "wine.csv"
    write_dataset(data)
    api.routes = Answering(REJECTED)
    result = runner.invoke(cli, ["submit", str(data), "--name", "wine", "--wait"])
    assert (result.exit_code, REASON in result.stdout.replace("\n", " ")) == (1, True)


class Answering(dict):  # type: ignore[type-arg]  # stands for the table of routes, and has one answer to all
    """Every request is answered with a run."""

    def __init__(self, run: object) -> None:
        super().__init__()
        self.run = run

    def get(self, route: object, default: object = None) -> object:
        return lambda request: (200, self.run)


@pytest.mark.usefixtures("connection")
def test_show_tells_why_the_model_was_refused_how_good_it_is_and_where_the_report_is(runner: CliRunner, api: FakeApi) -> None:
    api.answer("GET", f"/pipelines/{RUN_ID}", REJECTED)
    shown = " ".join(runner.invoke(cli, ["show", RUN_ID]).stdout.split())
    assert f"Why it was refused {REASON}" in shown
    assert "accuracy 0.79, of 1,200 rows" in shown
    assert f"s3://{BUCKET}/{KEY}" in shown
    assert "log_loss" not in shown


def test_the_report_is_fetched(connection: Connection, runner: CliRunner, api: FakeApi, tmp_path: Path) -> None:
    api.answer("GET", f"/pipelines/{RUN_ID}", REJECTED)
    connection.s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"<!doctype html>")
    path = tmp_path / "report.html"

    told = runner.invoke(cli, ["report", RUN_ID, "--output", str(path)])

    assert (told.exit_code, path.read_bytes()) == (0, b"<!doctype html>")
    assert told.stdout == f"The report is in {path}.\n"
    answered = json.loads(runner.invoke(cli, ["report", RUN_ID, "--output", str(path), "--json"]).stdout)
    assert answered == {"run_id": RUN_ID, "uri": f"s3://{BUCKET}/{KEY}", "path": str(path)}


def test_the_report_is_named_by_the_run(
    connection: Connection, runner: CliRunner, api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    api.answer("GET", f"/pipelines/{RUN_ID}", REJECTED)
    connection.s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"<!doctype html>")
    runner.invoke(cli, ["report", RUN_ID])
    assert [path.name for path in tmp_path.iterdir()] == [f"{RUN_ID}.html"]


def test_a_folder_that_is_not_there_shows_before_anything_is_fetched(runner: CliRunner, tmp_path: Path) -> None:
    result = runner.invoke(cli, ["report", RUN_ID, "--output", str(tmp_path / "reports" / "wine.html")])
    assert (result.exit_code, "there is no folder" in result.stderr) == (2, True)


@pytest.mark.usefixtures("connection")
def test_a_run_without_a_report_says_why_there_is_none(runner: CliRunner, api: FakeApi) -> None:
    api.answer("GET", f"/pipelines/{RUN_ID}", run_record(status="Failed", state="CheckTraining"))
    result = runner.invoke(cli, ["report", RUN_ID])
    assert result.exit_code == 1
    assert "this run is failed in the state CheckTraining" in result.stderr.replace("\n", " ")


@pytest.mark.usefixtures("connection")
def test_a_report_that_could_not_be_written_is_no_secret(runner: CliRunner, api: FakeApi) -> None:
    judged = EVALUATION | {"uri": f"s3://{BUCKET}/evaluation.json", "report": None, "report_error": "KeyError: 'classes'"}
    api.answer("GET", f"/pipelines/{RUN_ID}", run_record(details={"evaluation": judged}))
    result = runner.invoke(cli, ["report", RUN_ID])
    said = " ".join(result.stderr.split())
    assert result.exit_code == 1
    assert "writing it failed (KeyError: 'classes')" in said
    assert f"s3://{BUCKET}/evaluation.json" in said
    assert "report none: writing it failed (KeyError: 'classes')" in " ".join(runner.invoke(cli, ["show", RUN_ID]).stdout.split())


def test_the_last_state_of_a_refused_run_is_no_failure(account: FakeAws) -> None:
    account.stepfunctions.history[REJECTED["execution_arn"]] = history((0, "TaskStateEntered", "EvaluateModel"))
    with account.behind_clients():
        [state] = ExecutionTimeline(stepfunctions_client())(REJECTED)
    assert (state.state, state.outcome) == ("EvaluateModel", "done")
    ended = history((0, "TaskStateEntered", "DiscardModel"), (1, "SucceedStateEntered", "Discarded"))
    assert [state.state for state in read_history(ended)] == ["DiscardModel"]


def test_every_state_says_what_it_does_in_a_line() -> None:
    tasks = re.findall(r'"(\w+)": \{\s+"Type": "(?:Task|Map)"', documents.definition_text())
    of_children = {"RunCandidate", "ScanShard", "FitShard", "MergeGroup", "EncodeShard", "EvaluateShard"}
    of_children |= {"ScanBatchShard", "EncodeBatchShard", "WriteBatchShard"}
    assert set(tasks) - of_children == DOES.keys(), "what goes on for a candidate is told of its own run, a shard's of all"
    assert max(map(len, DOES)) <= 24
    assert max(map(len, DOES.values())) <= 34
