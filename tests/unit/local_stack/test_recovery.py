"""What a kill has cost, as it is told and recorded."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from sageline_local import recovery
from sageline_local.aws import LocalClients
from sageline_local.recovery import Interrupted
from tests.unit.local_stack.world import local_clients
from tests.unit.world.fake_aws import FakeAws
from tests.unit.world.fake_sagemaker import ARN

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:Pipeline"
EXECUTION = "arn:aws:states:us-east-1:000000000000:execution:Pipeline:run-1"
FUNCTIONS = {"RecordFailureFunction": "record", "DeleteEndpointFunction": "delete"}
RUN = Interrupted(EXECUTION, {"run_id": "run-1"}, "CheckTraining")


@pytest.fixture
def clients() -> LocalClients:
    return local_clients()


@pytest.fixture
def functions(clients: LocalClients) -> Iterator[Stubber]:
    with Stubber(clients.lambda_) as stubber:
        yield stubber


@pytest.fixture
def executions(clients: LocalClients) -> Iterator[Stubber]:
    with Stubber(clients.stepfunctions) as stubber:
        yield stubber


def execution(name: str, stopped: float) -> dict[str, Any]:
    when = datetime.fromtimestamp(stopped, UTC)
    return {
        "executionArn": EXECUTION.replace("run-1", name),
        "stateMachineArn": MACHINE,
        "name": name,
        "status": "FAILED",
        "startDate": when,
        "stopDate": when,
    }


def answer(body: object, **fields: str) -> dict[str, Any]:
    payload = json.dumps(body).encode()
    return {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(payload), len(payload)), **fields}


def invocation(function: str, payload: object) -> dict[str, Any]:
    return {"FunctionName": function, "Payload": json.dumps(payload).encode()}


FAILURE = {
    "execution_arn": EXECUTION,
    "trigger": {"run_id": "run-1"},
    "state": "CheckTraining",
    "error": "States.ServiceRestart",
    "cause": RUN.cause,
}


def test_only_executions_that_ministack_cut_off_now_count(clients: LocalClients, executions: Stubber) -> None:
    listed = [execution("run-1", 2000.0), execution("old", 900.0), execution("failed-by-itself", 2000.0)]
    executions.add_response("list_executions", {"executions": listed}, {"stateMachineArn": MACHINE, "statusFilter": "FAILED"})
    cut_off = {**execution("run-1", 2000.0), "input": '{"run_id": "run-1"}', "error": "States.ServiceRestart"}
    executions.add_response("describe_execution", cut_off, {"executionArn": EXECUTION})
    entered = {
        "timestamp": datetime.now(UTC),
        "type": "TaskStateEntered",
        "id": 2,
        "stateEnteredEventDetails": {"name": "CheckTraining"},
    }
    started = {"timestamp": datetime.now(UTC), "type": "ExecutionStarted", "id": 1}
    executions.add_response("get_execution_history", {"events": [entered, started]})
    executions.add_response("describe_execution", {**execution("failed-by-itself", 2000.0), "error": "InvalidDataset"})

    assert recovery.interrupted_runs(clients, MACHINE, since=1000.0) == [RUN]


def test_an_interrupted_run_is_recorded_and_its_deployment_undone(clients: LocalClients, functions: Stubber) -> None:
    functions.add_response("invoke", answer({"run_id": "run-1"}), invocation("record", FAILURE))
    functions.add_response("invoke", answer({"discarded": []}), invocation("delete", {"action": "discard", "run_id": "run-1"}))

    told = recovery.record(clients, FUNCTIONS, RUN)

    assert told == "The run run-1 was interrupted in the state CheckTraining and is recorded as failed."
    functions.assert_no_pending_responses()


def test_a_run_that_cannot_be_recorded_is_told_with_the_reason(clients: LocalClients, functions: Stubber) -> None:
    functions.add_response("invoke", answer({"errorMessage": "no such table"}, FunctionError="Unhandled"))

    told = recovery.record(clients, FUNCTIONS, RUN)

    assert "run-1 was interrupted in the state CheckTraining" in told
    assert told.endswith("could not be recorded as failed: record failed: no such table")


def test_jobs_that_sagemaker_found_cut_off_are_named(clients: LocalClients) -> None:
    aws = FakeAws()
    for name, status in (("run-1", "Failed"), ("run-2", "Completed")):
        arn = f"{ARN}:training-job/{name}"
        aws.sagemaker.jobs[name] = {"TrainingJobName": name, "TrainingJobArn": arn, "TrainingJobStatus": status}
    with aws.behind_clients():
        assert recovery.failed_jobs(clients, 1000.0) == ["The training job run-1 was running and is Failed now."]


def test_a_kill_is_told_with_the_time_of_the_last_save(tmp_path: Path) -> None:
    (tmp_path / "saved").touch()
    saved = datetime.fromtimestamp((tmp_path / "saved").stat().st_mtime)

    told = recovery.unclean_shutdown(tmp_path)

    assert told is not None
    assert f"saved its state last at {saved:%H:%M:%S on %Y-%m-%d}" in told


@pytest.mark.parametrize("files", [[], ["saved", "clean"]])
def test_a_clean_shutdown_and_a_first_start_have_nothing_to_tell(tmp_path: Path, files: list[str]) -> None:
    for name in files:
        (tmp_path / name).touch()

    assert recovery.unclean_shutdown(tmp_path) is None
