from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sageline.runs.timings import StateTime
from sageline_cli.timeline import ExecutionTimeline, read_history, read_record
from tests.unit.cli.fakes import run_record
from tests.unit.sessions import stepfunctions_client
from tests.unit.world.fake_aws import FakeAws
from tests.unit.world.fake_sagemaker import Refused

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

START = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)


def history(*events: tuple[float, str, str]) -> list[Any]:  # of events as Step Functions has them
    """Events from (seconds since the start, type, state)."""
    return [
        {"id": number, "timestamp": START + timedelta(seconds=seconds), "type": kind}
        | ({"stateEnteredEventDetails": {"name": state}} if kind.endswith("Entered") else {})
        for number, (seconds, kind, state) in enumerate(events, start=1)
    ]


def test_an_execution_that_has_just_begun_has_no_states() -> None:
    assert read_history([]) == []
    assert read_history(history((0, "ExecutionStarted", ""))) == []


def test_a_state_ends_when_the_next_one_is_entered() -> None:
    events = history(
        (0, "ExecutionStarted", ""),
        (0, "TaskStateEntered", "ConfigureRun"),
        (1.0, "TaskStateExited", ""),
        (1.5, "TaskStateEntered", "PrepareData"),
        (4, "SucceedStateEntered", "Succeeded"),
        (4, "ExecutionSucceeded", ""),
    )
    assert read_history(events) == [StateTime("ConfigureRun", 1.5, "done"), StateTime("PrepareData", 2.5, "done")]


def test_a_choice_is_no_work_that_is_shown() -> None:
    events = history(
        (0, "TaskStateEntered", "ConfigureRun"),
        (2, "ChoiceStateEntered", "KindOfRun"),
        (2, "TaskStateEntered", "EncodeBatch"),
        (3, "SucceedStateEntered", "Succeeded"),
    )
    assert read_history(events) == [StateTime("ConfigureRun", 2.0, "done"), StateTime("EncodeBatch", 1.0, "done")]


def test_the_state_before_the_clean_up_is_the_one_that_failed() -> None:
    events = history(
        (0, "TaskStateEntered", "SmokeTest"),
        (2, "TaskStateEntered", "DiscardDeployment"),
        (3, "TaskStateEntered", "RecordFailure"),
        (4, "FailStateEntered", "Failed"),
        (4, "ExecutionFailed", ""),
    )
    assert [(state.state, state.outcome) for state in read_history(events)] == [
        ("SmokeTest", "failed"),
        ("DiscardDeployment", "done"),
        ("RecordFailure", "done"),
    ]


def test_the_last_state_of_a_running_execution_is_running_and_of_a_stopped_one_is_over() -> None:
    events = history((0, "TaskStateEntered", "ConfigureRun"), (2, "TaskStateEntered", "CheckTraining"))
    running = read_history(events)[-1]
    assert (running.state, running.outcome) == ("CheckTraining", "running")
    assert read_history(events + history((9, "ExecutionAborted", "")))[-1] == StateTime("CheckTraining", 7.0, "failed")


@pytest.fixture
def stepfunctions(account: FakeAws) -> Iterator[SFNClient]:
    with account.behind_clients():
        yield stepfunctions_client()


def test_the_history_is_read_to_its_last_page(account: FakeAws, stepfunctions: SFNClient) -> None:
    account.stepfunctions.history[run_record()["execution_arn"]] = history(
        (0, "ExecutionStarted", ""), (0, "TaskStateEntered", "ConfigureRun"), (2, "ExecutionSucceeded", "")
    )
    assert ExecutionTimeline(stepfunctions)(run_record()) == [StateTime("ConfigureRun", 2.0, "done")]


def test_a_run_that_has_succeeded_has_left_its_last_state_though_the_execution_has_not(
    account: FakeAws, stepfunctions: SFNClient
) -> None:
    account.stepfunctions.history[run_record()["execution_arn"]] = history((0, "TaskStateEntered", "PromoteVariant"))
    [state] = ExecutionTimeline(stepfunctions)(run_record())
    assert state.outcome == "done"


ENTERED = [
    {"state": "PrepareData", "entered_at": "2026-11-20T10:00:00.000Z"},
    {"state": "CheckTraining", "entered_at": "2026-11-20T10:00:05.500Z"},
]


@pytest.mark.parametrize("refusal", ["AccessDeniedException", "ExecutionDoesNotExist"])
def test_who_gets_no_history_gets_the_times_that_the_record_notes(
    account: FakeAws, stepfunctions: SFNClient, refusal: str
) -> None:
    timeline = ExecutionTimeline(stepfunctions, lambda: START + timedelta(seconds=15))
    account.refuse["GetExecutionHistory"] = Refused(refusal, "")
    shown = timeline(run_record(status="Running", states=ENTERED))
    assert shown == [StateTime("PrepareData", 5.5, "done"), StateTime("CheckTraining", 9.5, "running")]


@pytest.mark.parametrize(
    ("status", "failed_in", "outcome"),
    [
        ("Succeeded", None, "done"),
        ("Rejected", None, "done"),
        ("Failed", "CheckTraining", "failed"),
        ("Failed", "SmokeTest", "done"),
        ("Stopped", None, "failed"),
    ],
)
def test_the_last_state_of_a_record_lasts_until_the_run_ended(status: str, failed_in: str | None, outcome: str) -> None:
    error = {"state": failed_in} if failed_in else None
    run = run_record(status=status, error=error, states=ENTERED)  # ended 24 s after its start
    last = read_record(run, START + timedelta(hours=1))[-1]
    assert (last.seconds, last.outcome) == (18.5, outcome)


def test_a_record_that_notes_no_states_has_no_times() -> None:
    assert read_record(run_record(), START) == []


def test_a_clock_that_goes_slow_makes_no_time_run_backwards() -> None:
    [_, last] = read_record(run_record(status="Running", states=ENTERED), START)
    assert last == StateTime("CheckTraining", 0.0, "running")


def test_training_that_has_left_no_model_has_failed_though_its_state_has_ended(
    account: FakeAws, stepfunctions: SFNClient
) -> None:
    run = run_record(status="Failed", state="ChooseCandidate", error={"state": "ChooseCandidate"})
    account.stepfunctions.history[run["execution_arn"]] = history(
        (0, "TaskStateEntered", "ConfigureRun"),
        (1, "MapStateEntered", "TrainCandidates"),
        (5, "TaskStateEntered", "ChooseCandidate"),
        (6, "TaskStateEntered", "RecordFailure"),
        (7, "FailStateEntered", "Failed"),
    )

    def outcomes(*problems: str | None) -> list[str]:
        run["details"] = {"candidates": [{"run_id": "a", "algorithm": "xgboost", "problem": problem} for problem in problems]}
        return [state.outcome for state in ExecutionTimeline(stepfunctions)(run)]

    assert outcomes("out of memory", "out of memory") == ["done", "failed", "failed", "done"]
    assert outcomes("out of memory", None) == ["done", "done", "failed", "done"]
