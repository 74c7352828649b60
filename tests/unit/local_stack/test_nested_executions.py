"""Executions that an execution starts and waits for, in MiniStack itself: only functions and events are made up.

The state machine is one as ``statemachine/pipeline.asl.json`` may be: a run of several candidates starts a run of the same state
machine for each of them, side by side. The first test guards the places where this leans on MiniStack's inside.
"""

from __future__ import annotations

import copy
import inspect
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ministack.services import eventbridge, stepfunctions

from sageline_local import nested_executions

Document = dict[str, Any]  # Any: JSON

PATCHED = (
    *("_run_execution", "_fail_execution", "_execute_task", "_error_matches", "_scaled_sleep"),
    *("_invoke_resource_with_timeout", "_invoke_nested_start_execution_sync"),
)
ARN = "arn:aws:states:us-east-1:000000000000:"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:train"

RUN_CANDIDATES: Document = {
    "Type": "Map",
    "Items": "{% $configured.candidates %}",
    "MaxConcurrency": 3,
    "ItemProcessor": {
        "ProcessorConfig": {"Mode": "INLINE"},
        "StartAt": "RunCandidate",
        "States": {
            "RunCandidate": {
                "Type": "Task",
                "Resource": "arn:aws:states:::states:startExecution.sync:2",
                "Arguments": {
                    "StateMachineArn": "{% $states.context.StateMachine.Id %}",
                    "Name": "{% $states.input.run_id %}",
                    "Input": {
                        "candidate_of": "{% $run_id %}",
                        "algorithm": "{% $states.context.Map.Item.Value.algorithm %}",
                        "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": "{% $states.context.Execution.Id %}",
                    },
                },
                "TimeoutSeconds": 60,
                "Output": {"run_id": "{% $states.input.run_id %}", "score": "{% $states.result.Output.score %}"},
                "Catch": [
                    {
                        "ErrorEquals": ["States.ALL"],
                        "Output": {
                            "run_id": "{% $states.input.run_id %}",
                            "error": "{% $states.errorOutput.Error %}",
                            "cause": "{% $exists($states.errorOutput.Cause) ? $states.errorOutput.Cause : '' %}",
                        },
                        "Next": "CandidateFailed",
                    }
                ],
                "End": True,
            },
            "CandidateFailed": {"Type": "Pass", "End": True},
        },
    },
    "Assign": {"candidates": "{% $states.result %}"},
    "Next": "Choose",
}
"""How a run starts a run for each of its candidates, in AWS and here. A candidate that fails leaves the others alone."""

MACHINE: Document = {
    "QueryLanguage": "JSONata",
    "StartAt": "Configure",
    "States": {
        "Configure": {
            "Type": "Pass",
            "Assign": {
                "run_id": "{% $states.context.Execution.Name %}",
                "configured": "{% $states.context.Execution.Input %}",
            },
            "Next": "Kind",
        },
        "Kind": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $exists($configured.candidates) %}", "Next": "RunCandidates"}],
            "Default": "Train",
        },
        "RunCandidates": RUN_CANDIDATES,
        "Choose": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": FUNCTION, "Payload": {"chosen_of": "{% $candidates %}"}},
            "Output": "{% $candidates %}",
            "End": True,
        },
        "Train": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Arguments": {
                "FunctionName": FUNCTION,
                "Payload": {
                    "run_id": "{% $run_id %}",
                    "execution": "{% $states.context.Execution.Id %}",
                    "machine": "{% $states.context.StateMachine.Id %}",
                    "input": "{% $states.context.Execution.Input %}",
                    "task_token": "{% $states.context.Task.Token %}",
                },
            },
            "End": True,
        },
    },
}


class World:
    """MiniStack's Step Functions, with a function that notes its payloads, and a bus that notes the changes of status."""

    def __init__(self) -> None:
        self.invoked: queue.Queue[Document] = queue.Queue()
        self.told: list[tuple[str, str]] = []
        self._threads_before = set(threading.enumerate())

    @property
    def threads(self) -> int:
        """How many threads work or wait for executions: one for each execution, and one for each iteration of a Map."""
        return len(set(threading.enumerate()) - self._threads_before)

    def invoke(self, _function: str, payload: Document) -> Document:
        self.invoked.put(payload)
        return {}

    def put_events(self, request: Document, **_options: bool) -> None:
        for entry in request["Entries"]:
            detail = json.loads(entry["Detail"])
            self.told.append((detail["name"], detail["status"]))

    def create(self, definition: Document = MACHINE) -> str:
        request = {"name": "pipeline", "definition": json.dumps(definition), "roleArn": "arn:aws:iam::000000000000:role/pipeline"}
        return str(answer(stepfunctions._create_state_machine(request))["stateMachineArn"])

    def start(self, machine: str, name: str, given: Document) -> str:
        request = {"stateMachineArn": machine, "name": name, "input": json.dumps(given)}
        return str(answer(stepfunctions._start_execution(request))["executionArn"])

    def training(self, count: int) -> dict[str, Document]:
        """The payloads of the runs that have come to training by now, by run id, when there are so many."""
        payloads = [self.invoked.get(timeout=20) for _ in range(count)]
        return {payload["run_id"]: payload for payload in payloads}

    def succeed(self, payload: Document, output: Document) -> None:
        answer(stepfunctions._send_task_success({"taskToken": payload["task_token"], "output": json.dumps(output)}))

    def fail(self, payload: Document, error: str, cause: str) -> None:
        answer(stepfunctions._send_task_failure({"taskToken": payload["task_token"], "error": error, "cause": cause}))

    def described(self, arn: str) -> Document:
        return answer(stepfunctions._describe_execution({"executionArn": arn}))

    def ended(self, arn: str) -> Document:
        wait_for(lambda: self.described(arn)["status"] != "RUNNING")
        return self.described(arn)


def answer(response: tuple[int, object, str | bytes]) -> Document:
    status, _, body = response
    document: Document = json.loads(body)
    assert status == 200, document
    return document


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world = World()
    for name in PATCHED:  # so that they are put back
        monkeypatch.setattr(stepfunctions, name, getattr(stepfunctions, name))
    monkeypatch.setattr(stepfunctions, "_call_lambda", world.invoke)
    monkeypatch.setattr(eventbridge, "_put_events", world.put_events)
    monkeypatch.setattr(nested_executions, "_shutting_down", threading.Event())
    nested_executions.install()
    yield world
    nested_executions.stop_waiting()
    for token in [*stepfunctions._task_tokens]:
        answer(stepfunctions._send_task_failure({"taskToken": token}))
    wait_for(lambda: world.threads == 0)
    stepfunctions.reset()


def execution(name: str) -> str:
    return f"{ARN}execution:pipeline:{name}"


def candidates(*names: str) -> Document:
    return {"candidates": [{"run_id": name, "algorithm": f"algorithm of {name}"} for name in names]}


def with_task(**fields: object) -> tuple[Document, Document]:
    """The state machine with other fields of the task that starts a child; and that task."""
    definition: Document = copy.deepcopy(MACHINE)
    task: Document = definition["States"]["RunCandidates"]["ItemProcessor"]["States"]["RunCandidate"]
    task.update(fields)
    return definition, task


def test_ministack_still_runs_a_child_inside_the_task_of_its_parent() -> None:
    assert "_start_sync_execution(" in inspect.getsource(stepfunctions._invoke_nested_start_execution_sync)
    assert "status" not in inspect.getsource(stepfunctions._run_sub_machine)
    assert "_run_execution, exec_arn" in inspect.getsource(stepfunctions._start_execution)
    for name in PATCHED:
        assert callable(getattr(stepfunctions, name))


def test_children_run_side_by_side_and_their_outputs_are_in_the_order_of_the_items(world: World) -> None:
    parent = world.start(world.create(), "run", candidates("a", "b", "c"))

    training = world.training(3)  # none has ended
    for name in ("c", "a", "b"):
        world.succeed(training[name], {"score": f"score of {name}"})

    expected = [{"run_id": name, "score": f"score of {name}"} for name in ("a", "b", "c")]
    assert json.loads(world.ended(parent)["output"]) == expected
    assert world.invoked.get_nowait() == {"chosen_of": expected}


def test_no_more_children_run_at_once_than_the_map_allows(world: World) -> None:
    world.start(world.create(), "run", candidates("a", "b", "c", "d"))

    training = world.training(3)
    assert execution("d") not in stepfunctions._executions
    assert set(training) == {"a", "b", "c"}
    world.succeed(training["b"], {"score": 1})

    assert set(world.training(1)) == {"d"}


@pytest.mark.parametrize("names", [[], ["a"]])
def test_of_no_and_of_one_candidate_the_output_is_an_array_too(world: World, names: list[str]) -> None:
    parent = world.start(world.create(), "run", candidates(*names))

    for payload in world.training(len(names)).values():
        world.succeed(payload, {"score": 1})

    assert json.loads(world.ended(parent)["output"]) == [{"run_id": name, "score": 1} for name in names]


def test_a_child_knows_itself_and_its_state_machine(world: World) -> None:
    machine = world.create()
    parent = world.start(machine, "run", candidates("a"))

    payload = world.training(1)["a"]

    assert (payload["execution"], payload["machine"]) == (execution("a"), machine)
    assert payload["input"] == {
        "candidate_of": "run",
        "algorithm": "algorithm of a",
        "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": parent,
    }


def test_a_child_is_an_execution_like_any_other(world: World) -> None:
    machine = world.create()
    parent = world.start(machine, "run", candidates("a", "b"))
    training = world.training(2)

    listed = answer(stepfunctions._list_executions({"stateMachineArn": machine, "statusFilter": "RUNNING"}))["executions"]
    assert {listing["name"] for listing in listed} == {"run", "a", "b"}

    world.succeed(training["a"], {"score": 1})
    world.fail(training["b"], "TrainingJobFailed", "no memory")
    world.ended(parent)
    assert sorted(world.told) == [
        *[("a", "RUNNING"), ("a", "SUCCEEDED"), ("b", "FAILED"), ("b", "RUNNING")],
        *[("run", "RUNNING"), ("run", "SUCCEEDED")],
    ]


def test_a_child_that_fails_fails_the_task_with_what_it_is_described_as(world: World) -> None:
    parent = world.start(world.create(), "run", candidates("a", "b"))
    training = world.training(2)

    world.fail(training["a"], "TrainingJobFailed", "no memory")
    world.succeed(training["b"], {"score": 1})

    failed, succeeded = json.loads(world.ended(parent)["output"])
    assert (failed["run_id"], failed["error"]) == ("a", "States.TaskFailed")
    cause = json.loads(failed["cause"])
    assert (cause["Error"], cause["Cause"], cause["Status"]) == ("TrainingJobFailed", "no memory", "FAILED")
    assert (cause["ExecutionArn"], cause["Name"]) == (execution("a"), "a")
    assert "Output" not in cause
    assert succeeded == {"run_id": "b", "score": 1}


def test_a_child_that_somebody_stops_fails_the_task(world: World) -> None:
    parent = world.start(world.create(), "run", candidates("a"))
    world.training(1)

    answer(stepfunctions._stop_execution({"executionArn": execution("a"), "error": "Stopped", "cause": "by hand"}))

    [failed] = json.loads(world.ended(parent)["output"])
    assert failed["error"] == "States.TaskFailed"
    assert json.loads(failed["cause"])["Status"] == "ABORTED"


def test_a_name_that_is_taken_fails_the_task_and_leaves_who_has_it_alone(world: World) -> None:
    machine = world.create()
    world.start(machine, "a", {"of": "somebody else"})
    world.training(1)

    parent = world.start(machine, "run", candidates("a"))

    [failed] = json.loads(world.ended(parent)["output"])
    assert failed["error"] == "StepFunctions.ExecutionAlreadyExistsException"
    taken = world.described(execution("a"))
    assert (taken["status"], json.loads(taken["input"])) == ("RUNNING", {"of": "somebody else"})


def test_whoever_stops_the_parent_stops_its_children_and_starts_no_more(world: World) -> None:
    parent = world.start(world.create(), "run", candidates("a", "b", "c", "d"))
    world.training(3)

    answer(stepfunctions._stop_execution({"executionArn": parent, "error": "Stopped", "cause": "by hand"}))

    for name in ("a", "b", "c"):
        stopped = world.ended(execution(name))
        assert stopped["status"] == "ABORTED"
        assert stopped["cause"] == (
            f"The Task state in AWS Step Functions execution [{parent}] which was managing this resource was aborted"
        )
    wait_for(lambda: world.threads == 3)  # of the children, which wait for their tokens
    assert {("a", "ABORTED"), ("b", "ABORTED"), ("c", "ABORTED")} <= set(world.told)
    assert execution("d") not in stepfunctions._executions
    assert world.invoked.empty()
    assert (world.described(parent)["status"], world.described(parent)["error"]) == ("ABORTED", "Stopped")
    assert [status for name, status in world.told if name == "run"] == ["RUNNING", "ABORTED"]


def test_a_task_that_would_be_tried_again_starts_no_other_child_for_a_parent_that_was_stopped(world: World) -> None:
    definition, task = with_task(Retry=[{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 0, "MaxAttempts": 3}])
    del task["Arguments"]["Name"]  # so that nothing else is in the way of another
    machine = world.create(definition)
    parent = world.start(machine, "run", candidates("a"))
    world.training(1)

    answer(stepfunctions._stop_execution({"executionArn": parent}))

    wait_for(lambda: world.threads == 1)  # of the child, which waits for its token
    assert len(answer(stepfunctions._list_executions({"stateMachineArn": machine}))["executions"]) == 2


def test_a_task_whose_time_is_over_stops_its_child(world: World) -> None:
    definition, _ = with_task(TimeoutSeconds=1)
    parent = world.start(world.create(definition), "run", candidates("a"))

    [failed] = json.loads(world.ended(parent)["output"])

    assert failed == {"run_id": "a", "error": "States.Timeout", "cause": ""}
    assert world.described(execution("a"))["status"] == "ABORTED"


@pytest.mark.parametrize(("version", "output"), [(".sync", '{"score": 1}'), (".sync:2", {"score": 1})])
def test_the_result_describes_the_child_with_its_output_as_the_version_has_it(world: World, version: str, output: object) -> None:
    resource = f"arn:aws:states:::states:startExecution{version}"
    definition, task = with_task(Resource=resource, Output="{% $states.result %}")
    del task["TimeoutSeconds"]  # a task without a limit takes another way through MiniStack
    machine = world.create(definition)
    parent = world.start(machine, "run", candidates("a"))
    world.succeed(world.training(1)["a"], {"score": 1})

    [result] = json.loads(world.ended(parent)["output"])

    assert list(result) == sorted(result)
    assert result.pop("StartDate") <= result.pop("StopDate")
    given = result.pop("Input")
    assert (given if version == ".sync:2" else json.loads(given))["candidate_of"] == "run"
    assert result == {
        "ExecutionArn": execution("a"),
        "InputDetails": {"Included": True},
        "Name": "a",
        "Output": output,
        "OutputDetails": {"Included": True},
        "RedriveCount": 0,
        "RedriveStatus": "NOT_REDRIVABLE",
        "RedriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
        "StateMachineArn": machine,
        "Status": "SUCCEEDED",
    }


def test_a_shutdown_ends_what_waits_and_leaves_the_executions_as_they_are(world: World) -> None:
    parent = world.start(world.create(), "run", candidates("a", "b"))
    world.training(2)
    told = list(world.told)

    nested_executions.stop_waiting()

    wait_for(lambda: world.threads == 2)  # of the children, which wait for their tokens
    assert {world.described(arn)["status"] for arn in (parent, execution("a"), execution("b"))} == {"RUNNING"}
    assert world.told == told
    assert world.invoked.empty()
