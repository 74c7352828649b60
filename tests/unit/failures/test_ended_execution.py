"""Executions that ended without coming to their own end."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from sageline.failures.ended_execution import end_if_dead, end_run
from tests.unit.sessions import session
from tests.unit.world.fake_sagemaker import Refused
from tests.unit.world.world import EXECUTION, NEXT_RUN_ID, RUN_ID, World, logged_warnings, with_clients

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

REQUEST = json.dumps({"run_id": RUN_ID, "spec": {}, "requested_at": "2026-11-20T10:00:00Z"})


class StepFunctions:
    """Knows one execution."""

    def __init__(self, **execution: object) -> None:
        self.execution = execution
        self.exceptions = session().client("stepfunctions").exceptions

    def describe_execution(self, *, executionArn: str) -> Any:  # noqa: N803  # Step Functions' own name
        if not self.execution:
            error = {"Error": {"Code": "ExecutionDoesNotExist", "Message": executionArn}}
            raise self.exceptions.ExecutionDoesNotExist(error, "DescribeExecution")  # type: ignore[arg-type]  # no metadata
        return self.execution


def knows(**execution: object) -> SFNClient:
    fake: Any = StepFunctions(**execution)
    client: SFNClient = fake
    return client


@dataclass
class Invoked:
    """Lambda, whose function ``discard`` is called to undo deployments."""

    discards: list[str] = field(default_factory=list)

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: str) -> None:  # noqa: N803  # Lambda's own names
        assert (FunctionName, InvocationType) == ("discard", "Event")
        event = json.loads(Payload)
        assert event["action"] == "discard"
        self.discards.append(event["run_id"])


def ended(world: World, status: str, **detail: object) -> tuple[Any, list[str], list[str]]:
    """The answer to the event, the runs whose deployments were undone, and the warnings."""
    invoked = Invoked()
    with logged_warnings() as warnings:
        answer = end_run(
            {"executionArn": EXECUTION, "status": status, "input": REQUEST, "error": None, "cause": None, **detail},
            discard_function="discard",
            run=with_clients(world.run, stepfunctions=knows(input=REQUEST), lambda_=invoked),
        )
    return answer, invoked.discards, warnings


@pytest.mark.parametrize(
    ("status", "outcome", "error"),
    [
        ("ABORTED", "Stopped", "ExecutionAborted"),
        ("TIMED_OUT", "Failed", "ExecutionTimedOut"),
        ("FAILED", "Failed", "ExecutionFailed"),
    ],
)
def test_the_run_is_closed_its_job_stopped_and_its_deployment_undone(world: World, status: str, outcome: str, error: str) -> None:
    world.begin()
    world.run.store.enter(RUN_ID, "CheckTraining")
    world.fake.jobs[RUN_ID] = {"TrainingJobStatus": "InProgress"}

    answer, undone, warnings = ended(world, status)

    assert (answer, undone, warnings) == ({"run_id": RUN_ID, "status": outcome}, [RUN_ID], [])
    record = world.record()
    assert record.status == outcome
    assert record.error is not None
    assert (record.error["state"], record.error["error"]) == ("CheckTraining", error)
    assert record.error["message"]
    assert record.error["advice"]
    assert world.fake.jobs[RUN_ID]["TrainingJobStatus"] == "Stopping"


def test_what_step_functions_says_is_kept(world: World) -> None:
    world.begin()

    ended(world, "FAILED", error="States.Runtime", cause="The history has 25,000 events.")

    error = world.record().error
    assert error is not None
    assert (error["error"], error["message"]) == ("States.Runtime", "The history has 25,000 events.")


@pytest.mark.parametrize("status", ["Failed", "Succeeded", "Stopped"])
def test_a_run_that_is_closed_already_stays_as_it_is(world: World, status: Any) -> None:
    world.begin()
    world.run.store.finish(RUN_ID, status)

    answer, undone, _ = ended(world, "FAILED")

    assert (answer, undone) == ({"run_id": RUN_ID, "status": status}, [])


def test_why_a_person_stopped_it_is_not_written_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event comes while the request that stopped the run is still at work: the record was read before that was noted."""
    world.begin()
    before = world.record()
    world.run.store.finish(RUN_ID, "Stopped", error={"message": "by `sageline stop`"})
    with monkeypatch.context() as patch:
        patch.setattr(world.run.store, "get", lambda _: before)
        ended(world, "ABORTED")

    assert world.record().error == {"message": "by `sageline stop`"}


def test_another_execution_of_the_same_run_is_left_alone(world: World) -> None:
    world.begin()

    _, undone, _ = ended(world, "ABORTED", executionArn=EXECUTION + "-again")

    assert (undone, world.record().status) == ([], "Running")


def test_an_execution_that_never_claimed_a_run_has_nothing_to_close(world: World) -> None:
    assert ended(world, "ABORTED") == ({"run_id": "", "status": None}, [], [])


def test_an_execution_that_is_no_run_is_told(world: World) -> None:
    answer, undone, [warning] = ended(world, "ABORTED", input="{}")

    assert (answer["run_id"], undone) == ("", [])
    assert "belongs to no run" in warning


def test_an_input_that_is_too_long_for_the_event_is_asked_for(world: World) -> None:
    world.begin()

    answer, _, _ = ended(world, "ABORTED", input=None)

    assert answer["run_id"] == RUN_ID


def test_a_job_that_cannot_be_stopped_does_not_keep_the_run_open(world: World) -> None:
    world.begin()
    world.fake.refuse["DescribeTrainingJob"] = Refused("AccessDeniedException", "not authorized")

    _, undone, [warning] = ended(world, "ABORTED")

    assert "could not be stopped" in warning
    assert (undone, world.record().status) == ([RUN_ID], "Stopped")


def test_a_run_whose_execution_died_without_a_word_is_closed(world: World) -> None:
    world.begin(NEXT_RUN_ID)
    record = world.record(NEXT_RUN_ID)

    assert not end_if_dead(record, run=with_clients(world.run, stepfunctions=knows(status="RUNNING")))
    assert end_if_dead(record, run=with_clients(world.run, stepfunctions=knows(status="TIMED_OUT")))
    assert world.record(NEXT_RUN_ID).status == "Failed"


def test_a_run_whose_execution_is_forgotten_is_closed(world: World) -> None:
    world.begin()

    assert end_if_dead(world.record(), run=with_clients(world.run, stepfunctions=knows()))

    error = world.record().error
    assert error is not None
    assert error["error"] == "ExecutionDoesNotExist"
