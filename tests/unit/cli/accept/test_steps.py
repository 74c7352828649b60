"""An acceptance that costs too much, fails, takes too long or is interrupted."""

from __future__ import annotations

import json
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sageline.json_objects import Json
from sageline_cli import temporary_stack
from sageline_cli.accept import observe, steps
from sageline_cli.accept.__main__ import main
from sageline_cli.accept.plan import Pace, Plan
from sageline_cli.accept.requests import ask_until_answered, traffic
from sageline_cli.accept.steps import Acceptance
from sageline_cli.api_client import ApiClient
from sageline_cli.connection import Connection
from sageline_cli.errors import CommandFailed
from sageline_cli.temporary_stack import WorkReport, carry_out, time_limit
from tests.unit.cli.fakes import BUCKET, FakeApi, FakeStack, run_record
from tests.unit.cli.stubs import aws

PLAN = Plan("acc123abc", Pace(bake_minutes=1, most_minutes=1))


@pytest.fixture(autouse=True)
def cleaned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each clean-up leaves its plan's token here."""
    done: list[str] = []

    def clean_up(connection: Connection, aws: object, plan: Plan, console: Console) -> Json:
        done.append(plan.token)
        return {"deleted": [], "problems": [], "left": []}

    monkeypatch.setattr(steps, "clean_up", clean_up)
    monkeypatch.setattr(steps, "write_sample", lambda name, path: path.write_text("a\n1\n"))
    return done


@pytest.fixture
def report() -> WorkReport:
    return WorkReport()


@pytest.fixture
def acceptance(connection: Connection, report: WorkReport, tmp_path: Path) -> Acceptance:
    return Acceptance(connection, aws("us-east-1"), PLAN, tmp_path, Console(quiet=True), report)


def uploads(connection: Connection) -> list[str]:
    return [item["Key"] for item in connection.s3.list_objects_v2(Bucket=BUCKET, Prefix="datasets/").get("Contents", [])]


def test_what_could_cost_too_much_is_not_begun(acceptance: Acceptance, cleaned: list[str]) -> None:
    prices = b'{"instances": {"ml.m5.xlarge": 9}}'
    acceptance.connection.s3.put_object(Bucket=BUCKET, Key="prices.json", Body=prices)

    with pytest.raises(CommandFailed, match=r"no more than \$2\.00 is allowed"):
        acceptance.carry_out()

    assert uploads(acceptance.connection) == []
    assert cleaned == []


def test_a_run_that_fails_is_noted_and_everything_is_cleared_away(
    acceptance: Acceptance, report: WorkReport, cleaned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = run_record(status="Failed", error={"state": "CheckTraining", "error": "TrainingJobFailed", "message": "no memory"})
    monkeypatch.setattr(temporary_stack, "watch", lambda connection, run_id, to_the_end, console: (failed, []))
    monkeypatch.setattr(ApiClient, "run", lambda self, run_id: failed)

    with pytest.raises(CommandFailed, match="no memory"):
        acceptance.carry_out()

    assert cleaned == [PLAN.token]
    assert "run_id" not in report.facts
    assert report.facts["main"]["execution"] == {"not seen": "ExecutionDoesNotExist"}
    assert report.facts["main"]["error"] == {"state": "CheckTraining", "error": "TrainingJobFailed", "message": "no memory"}
    [spec] = [key for key in uploads(acceptance.connection) if key.endswith("spec.json")]
    body = acceptance.connection.s3.get_object(Bucket=BUCKET, Key=spec)["Body"].read()
    assert json.loads(body)["budget_usd"] == 0.23


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_clears_everything_away(
    ending: signal.Signals, acceptance: Acceptance, cleaned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Acceptance, "_main", lambda self, spec: signal.raise_signal(ending))
    path = acceptance.folder / "accept.json"

    assert carry_out(acceptance.carry_out, acceptance.report, path, title="It", console=Console(quiet=True)) == 1

    assert cleaned == [PLAN.token]
    assert json.loads(path.read_text())["error"] == "interrupted"


def test_what_takes_too_long_is_given_up_and_cleared_away(
    acceptance: Acceptance, cleaned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = replace(acceptance, plan=Plan("acc456def", Pace(bake_minutes=1, most_minutes=0.001)))
    monkeypatch.setattr(Acceptance, "_main", lambda self, spec: time.sleep(5))

    with pytest.raises(CommandFailed, match=r"not done within 0\.001 minutes"):
        slow.carry_out()

    assert cleaned == ["acc456def"]


def test_what_cannot_be_deleted_fails_an_acceptance_that_went_well(
    acceptance: Acceptance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in ("_main", "_tuned", "_batch", "_canary", "_ask_once_more"):
        monkeypatch.setattr(Acceptance, step, lambda self, *arguments: {})
    monkeypatch.setattr(
        steps, "clean_up", lambda *arguments: {"deleted": [], "problems": ["model x is still there."], "left": []}
    )

    with pytest.raises(CommandFailed, match=r"Not everything could be deleted: model x is still there\."):
        acceptance.carry_out()


def test_a_time_limit_that_is_kept_ends_with_the_work() -> None:
    with time_limit(0.05, "over"):
        pass
    time.sleep(0.1)

    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def predicts(api: FakeApi, *answers: tuple[int, Any]) -> None:
    remaining = list(answers)
    api.routes["POST", "/endpoints/e/predictions"] = lambda request: remaining.pop(0) if len(remaining) > 1 else remaining[0]


WARMING = (503, {"error": {"code": "EndpointWarming", "message": "not yet", "details": {}}})
ANSWER = (200, {"predictions": [{"label": "ec2"}], "variant": "v1"})


def test_an_endpoint_that_is_warming_is_asked_again_and_each_try_noted(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sageline_cli.accept.requests._PAUSE_SECONDS", 0)
    predicts(api, WARMING, ANSWER)

    found = ask_until_answered(api.client(), "e", "a text")

    assert [attempt.get("error") for attempt in found["tries"]] == ["EndpointWarming", None]
    assert found["shape"] == {"predictions": {"list of": {"label": "text"}, "length": 1}, "variant": "text"}


def test_another_error_is_not_asked_again(api: FakeApi) -> None:
    predicts(api, (502, {"error": {"code": "PredictionFailed", "message": "no", "details": {}}}))

    with pytest.raises(CommandFailed):
        ask_until_answered(api.client(), "e", "a text")


def test_requests_meanwhile_are_counted_by_variant_and_error(api: FakeApi) -> None:
    predicts(api, WARMING, ANSWER)

    with traffic(api.client(), "e", "a text", pause=0.001) as seen:
        while not seen["v1"]:
            time.sleep(0.001)

    assert seen["EndpointWarming"] == 1


def test_the_local_stack_is_brought_up_for_it_and_a_failure_reported_in_its_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    FakeStack.reset()
    FakeStack.refuses = CommandFailed("no port")
    monkeypatch.setattr(temporary_stack, "LocalStack", FakeStack)
    monkeypatch.setenv("SAGELINE_HOME", str(tmp_path))
    monkeypatch.delenv("SAGELINE_PORT", raising=False)

    assert main(["local"]) == 1

    assert FakeStack.log == ["up", "down"]
    written = json.loads((tmp_path / "accept.json").read_text())
    assert (written["place"], written["error"]) == ("local", "no port")


def test_more_than_one_stack_is_wrong_usage() -> None:
    assert main(["a", "b"]) == 2


def test_errors_of_an_execution_are_counted_by_state() -> None:
    events: list[Any] = [
        {"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "CheckTraining"}},
        {"type": "TaskTimedOut", "taskTimedOutEventDetails": {"error": "States.Timeout"}},
        {"type": "TaskTimedOut", "taskTimedOutEventDetails": {"error": "States.Timeout"}},
        {"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "SmokeTest"}},
        {"type": "TaskFailed", "taskFailedEventDetails": {"error": "SmokeTestFailed"}},
    ]

    assert observe.errors_of(events) == {"CheckTraining: States.Timeout": 2, "SmokeTest: SmokeTestFailed": 1}
