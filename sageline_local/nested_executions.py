"""Executions that an execution starts and waits for: ``arn:aws:states:::states:startExecution.sync:2``.

MiniStack 1.5.33 runs such a child inside the parent's task, as if it were an express workflow: without events, whoever has its
name, and to its end, whatever becomes of the parent. In AWS it is an execution like any other, which the task waits for. When
the parent is stopped or the task's time is over, Step Functions stops the child:
https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-sync

MiniStack also lets the iterations of a Map go on after their execution was stopped, takes an error in them for its end, and waits
to the end before it looks whether there is anything to wait for.
"""

from __future__ import annotations

import json
import threading
import time
from contextvars import ContextVar
from typing import Any

from ministack.services import stepfunctions

_WAITS_FOR_CHILD = "arn:aws:states:::states:startExecution.sync"
_POLL_SECONDS = 0.1

_current: ContextVar[Any] = ContextVar("current_execution", default=None)
"""MiniStack's record of the execution that a thread works for: the threads of a Map and of a task inherit it."""
_shutting_down = threading.Event()


def install() -> None:
    """Have MiniStack start children as executions of their own, and end the work of an execution when that ends."""
    run_execution, fail_execution = stepfunctions._run_execution, stepfunctions._fail_execution
    execute_task, error_matches = stepfunctions._execute_task, stepfunctions._error_matches
    invoke_with_timeout = stepfunctions._invoke_resource_with_timeout

    def run_as_current(arn: str) -> None:
        work_for(stepfunctions._executions.get(arn))
        run_execution(arn)

    def execute_while_running(*arguments: Any) -> Any:  # Any: MiniStack's
        if has_ended():
            raise abandoned()
        return execute_task(*arguments)

    def match_while_running(*arguments: Any) -> bool:  # Any: MiniStack's
        """Whether an error is retried or caught: nothing is, once the execution has ended."""
        return not has_ended() and bool(error_matches(*arguments))

    def fail_while_running(execution: Any, *failure: str) -> None:  # Any: MiniStack's
        if execution["status"] == "RUNNING" and not _shutting_down.is_set():
            fail_execution(execution, *failure)

    def invoke_for(resource: str, arguments: Any, seconds: float) -> Any:  # Any: MiniStack's
        invoke = _run_child if resource.startswith(_WAITS_FOR_CHILD) else invoke_with_timeout
        return invoke(resource, arguments, seconds)

    stepfunctions._run_execution = run_as_current
    stepfunctions._execute_task = execute_while_running
    stepfunctions._error_matches = match_while_running
    stepfunctions._scaled_sleep = _sleep_while_running
    stepfunctions._fail_execution = fail_while_running
    stepfunctions._invoke_resource_with_timeout = invoke_for
    stepfunctions._invoke_nested_start_execution_sync = _run_child


def work_for(execution: Any) -> None:  # Any: MiniStack's record
    """Let this thread, and those that it starts with its context, work for an execution until that has ended."""
    _current.set(execution)


def has_ended() -> bool:
    """Whether there is nothing left to do for the execution that this thread works for: it has ended, or the server is ending."""
    execution = _current.get()
    return is_shutting_down() or (execution is not None and execution["status"] != "RUNNING")


def abandoned() -> Exception:
    """What ends the work for an execution that has ended; MiniStack's own error, which nothing retries or catches then."""
    error: Exception = stepfunctions._ExecutionError("States.Runtime", "The execution has ended.")
    return error


def is_shutting_down() -> bool:
    """Whether the server is ending: executions stay as they are."""
    return _shutting_down.is_set()


def stop_waiting() -> None:
    """End the threads that wait for children, which would keep the process from ending. Their executions stay as they are."""
    _shutting_down.set()


def _sleep_while_running(seconds: float) -> None:
    """Wait as a Wait state and a Retry do.

    Raises:
        _ExecutionError: MiniStack's; the execution has ended meanwhile.
    """
    ends = time.monotonic() + seconds * stepfunctions._SFN_WAIT_SCALE
    while (left := ends - time.monotonic()) > 0:
        if has_ended():
            raise abandoned()
        _shutting_down.wait(min(left, _POLL_SECONDS))


def _run_child(resource: str, arguments: Any, seconds: float | None = None) -> Any:  # Any: MiniStack's
    """The task's result: what the child is described as when it has succeeded.

    Args:
        seconds: how long the task may take; None for as long as it wants.

    Raises:
        _ExecutionError: MiniStack's; the child could not be started, has not succeeded, or was stopped.
    """
    status, _, body = stepfunctions._start_execution(stepfunctions._nested_start_execution_request(arguments))
    started = json.loads(body)
    if status >= 400:
        raise stepfunctions._ExecutionError(f"StepFunctions.{started['__type']}Exception", started.get("message", ""))
    child = stepfunctions._executions[started["executionArn"]]
    deadline = None if seconds is None else time.monotonic() + seconds
    while child["status"] == "RUNNING":
        if has_ended():
            _stop(child)
            raise abandoned()
        if deadline is not None and time.monotonic() >= deadline:
            _stop(child)
            raise stepfunctions._ExecutionError("States.Timeout", "")
        _shutting_down.wait(_POLL_SECONDS)
    described = _described(child)
    if child["status"] != "SUCCEEDED":
        raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(described))
    if resource.endswith(".sync:2"):
        described |= {name: json.loads(described[name]) for name in ("Input", "Output")}
    return described


def _described(execution: Any) -> dict[str, Any]:  # Any: MiniStack's record, and what of it is told
    """DescribeExecution as a task's result has it: capitalized, in alphabetical order, with times in milliseconds."""
    succeeded = execution["status"] == "SUCCEEDED"
    told = {
        "Cause": execution.get("cause"),
        "Error": execution.get("error"),
        "ExecutionArn": execution["executionArn"],
        "Input": execution["input"],
        "InputDetails": {"Included": True},
        "Name": execution["name"],
        "Output": execution["output"] if succeeded else None,
        "OutputDetails": {"Included": True} if succeeded else None,
        "RedriveCount": 0,
        "RedriveStatus": "NOT_REDRIVABLE" if succeeded else "REDRIVABLE",
        "RedriveStatusReason": "Execution is SUCCEEDED and cannot be redriven" if succeeded else None,
        "StartDate": stepfunctions._iso_to_epoch_ms(execution["startDate"]),
        "StateMachineArn": execution["stateMachineArn"],
        "Status": execution["status"],
        "StopDate": stepfunctions._iso_to_epoch_ms(execution["stopDate"]),
    }
    return {name: value for name, value in told.items() if value is not None}


def _stop(child: Any) -> None:  # Any: MiniStack's record
    if _shutting_down.is_set():
        return
    parent = _current.get()["executionArn"]
    cause = f"The Task state in AWS Step Functions execution [{parent}] which was managing this resource was aborted"
    stepfunctions._stop_execution({"executionArn": child["executionArn"], "cause": cause})
