"""Runs of a Distributed Map: children side by side, each an execution of its own, that end with the map.

MiniStack 1.5.33 runs every child to its end, whatever becomes of the others and of the parent, and lets it see the parent's
variables.
"""

from __future__ import annotations

import contextvars
import json
import os
import threading
import time
from dataclasses import dataclass
from typing import Any, TypeAlias

from ministack.core.responses import new_uuid, now_iso
from ministack.services import stepfunctions

from sageline_local import nested_executions

Record: TypeAlias = dict[str, Any]  # Any: MiniStack's records of executions and map runs; JSON

_MOST_AT_ONCE = max(2, os.cpu_count() or 2)
"""Children that this machine runs side by side: each has a process of its function."""
_EXPRESS_SECONDS = 300
_POLL_SECONDS = 0.1
_COUNTS = ("pending", "running", "succeeded", "failed", "timedOut", "aborted", "total", "resultsWritten")
_OUTCOMES = {"SUCCEEDED": "succeeded", "FAILED": "failed", "ABORTED": "aborted"}


@dataclass(frozen=True)
class MapPlan:
    """What a Distributed Map is to run, when its fields are evaluated."""

    processor: Record
    """The map's ItemProcessor: a state machine."""
    query_language: str
    label: str
    express: bool
    inputs: list[object]
    """One for each child."""
    sizes: list[int]
    """How many items each child has."""
    concurrency: int
    """How many children may run at once; 0 for as many as there are."""
    tolerated_count: int | None
    tolerated_percentage: float | None

    def tolerates(self, failed: int) -> bool:
        """Whether the map goes on when so many items have failed. Without a threshold it tolerates none."""
        if self.tolerated_count is None and self.tolerated_percentage is None:
            return failed == 0
        within_count = self.tolerated_count is None or failed <= self.tolerated_count
        share = failed * 100
        return within_count and (self.tolerated_percentage is None or share <= self.tolerated_percentage * sum(self.sizes))


class MapRun:
    """One run of a map of an execution, which the thread that makes it works for."""

    def __init__(self, plan: MapPlan, parent: Record) -> None:
        self._plan = plan
        self._parent = parent
        _, _, _, region, account, _, machine = parent["stateMachineArn"].split(":")
        self._place, self._machine = f"arn:aws:states:{region}:{account}", f"{machine}/{plan.label}"
        items, children = sum(plan.sizes), len(plan.inputs)
        self._record: Record = {
            "mapRunArn": f"{self._place}:mapRun:{self._machine}:{new_uuid()}",
            "executionArn": parent["executionArn"],
            "status": "RUNNING",
            "startDate": now_iso(),
            "maxConcurrency": plan.concurrency,
            "toleratedFailurePercentage": float(plan.tolerated_percentage or 0),
            "toleratedFailureCount": plan.tolerated_count or 0,
            "itemCounts": {**dict.fromkeys(_COUNTS, 0), "total": items, "pending": items},
            "executionCounts": {**dict.fromkeys(_COUNTS, 0), "total": children, "pending": children},
            "redriveCount": 0,
            "_stateMachineArn": f"{self._place}:stateMachine:{self._machine}",
        }
        self._results: list[object] = [None] * children
        self._running: dict[int, Record] = {}
        self._waiting = iter(range(children))
        self._failed_items = 0
        self._changed = threading.Condition()

    def results(self) -> list[object]:
        """Run all children: their outputs, in the order of the inputs. A child whose failure is tolerated has None.

        Raises:
            _ExecutionError: MiniStack's; more items failed than are tolerated, or the parent has ended.
        """
        stepfunctions._map_runs[self._record["mapRunArn"]] = self._record
        self._tell("MapRunStarted", mapRunArn=self._record["mapRunArn"])
        for _ in range(min(len(self._results), self._plan.concurrency or _MOST_AT_ONCE, _MOST_AT_ONCE)):
            threading.Thread(target=contextvars.copy_context().run, args=(self._work,), daemon=True).start()
        with self._changed:
            while self._goes_on() and self._record["executionCounts"]["pending"] + len(self._running):
                self._changed.wait(_POLL_SECONDS)
            if nested_executions.has_ended():
                self._end("ABORTED")
                raise nested_executions.abandoned()
            if self._record["status"] == "FAILED":
                error, cause = "States.ExceedToleratedFailureThreshold", "The specified tolerated failure threshold was exceeded"
                self._tell("MapRunFailed", error=error, cause=cause)
                raise stepfunctions._ExecutionError(error, cause)
            self._end("SUCCEEDED")
        self._tell("MapRunSucceeded")
        return self._results

    def _goes_on(self) -> bool:
        return self._record["status"] == self._parent["status"] == "RUNNING" and not nested_executions.is_shutting_down()

    def _work(self) -> None:
        """Run one child after the other, while there are any and the map goes on."""
        while True:
            with self._changed:
                index = next(self._waiting, None) if self._goes_on() else None
                if index is None:
                    return
                child = self._running[index] = self._new_child(self._plan.inputs[index])
                self._count(index, "pending", "running")
            nested_executions.work_for(child)
            stepfunctions._emit_execution_status_event(child)
            error = self._run_child(index, child)
            with self._changed:
                self._child_ended(index, child, error)
                self._changed.notify()

    def _new_child(self, given: object) -> Record:
        name, started, document = new_uuid(), now_iso(), json.dumps(given)
        kind, suffix = ("express", f":{new_uuid()}") if self._plan.express else ("execution", "")
        child: Record = {
            "executionArn": f"{self._place}:{kind}:{self._machine}:{name}{suffix}",
            "stateMachineArn": self._record["_stateMachineArn"],
            "name": name,
            "status": "RUNNING",
            "startDate": started,
            "stopDate": None,
            "input": document,
            "inputDetails": {"included": True},
            "output": None,
            "outputDetails": {"included": True},
            "mapRunArn": self._record["mapRunArn"],
            "events": [],
            "testCase": self._parent.get("testCase"),
            "mockAttempts": {},
            "sync": self._plan.express,  # as MiniStack marks executions that EventBridge does not hear of
        }
        stepfunctions._add_event(child, "ExecutionStarted", {"executionStartedEventDetails": {"input": document}})
        stepfunctions._executions[child["executionArn"]] = child
        return child

    def _run_child(self, index: int, child: Record) -> Any:  # Any: MiniStack's error
        """Why the child failed; None if it has an output, which is noted."""
        given, began = json.loads(child["input"]), time.monotonic()
        context = {
            "QueryLanguage": self._plan.query_language,
            "Execution": {
                "Id": child["executionArn"],
                "Input": given,
                "Name": child["name"],
                "StartTime": child["startDate"],
            },
            "StateMachine": {"Id": child["stateMachineArn"], "Name": self._machine},
            "variables": {},
        }
        processor = self._plan.processor
        try:
            output = stepfunctions._run_sub_machine(processor["States"], processor["StartAt"], given, child, context)
        except stepfunctions._ExecutionError as error:
            return error
        except Exception as error:  # as MiniStack ends any execution
            return stepfunctions._ExecutionError("States.Runtime", str(error))
        if self._plan.express and time.monotonic() - began > _EXPRESS_SECONDS:
            return stepfunctions._ExecutionError("States.Timeout", "")
        self._results[index] = output
        return None

    def _child_ended(self, index: int, child: Record, error: Any) -> None:  # Any: MiniStack's error
        if nested_executions.is_shutting_down() or self._running.pop(index, None) is None:
            return
        if child["status"] == "RUNNING" and error is not None:
            stepfunctions._fail_execution(child, error.error, error.cause)
        elif child["status"] == "RUNNING":
            document = json.dumps(self._results[index])
            child.update(status="SUCCEEDED", output=document, stopDate=now_iso())
            stepfunctions._add_event(child, "ExecutionSucceeded", {"executionSucceededEventDetails": {"output": document}})
            stepfunctions._emit_execution_status_event(child)
        self._count(index, "running", _OUTCOMES[child["status"]])
        if child["status"] != "SUCCEEDED":
            self._results[index] = None
            self._failed_items += self._plan.sizes[index]
        if not self._plan.tolerates(self._failed_items):
            self._end("FAILED")

    def _end(self, status: str) -> None:
        """End the run, and the children that are still running; those of the express type can not be stopped."""
        if nested_executions.is_shutting_down() or self._record["status"] != "RUNNING":
            return
        self._record.update(status=status, stopDate=now_iso())
        for index, child in [*self._running.items()]:
            if not self._plan.express:
                cause = f"The map run [{self._record['mapRunArn']}] has ended."
                stepfunctions._stop_execution({"executionArn": child["executionArn"], "cause": cause})
                self._count(index, "running", "aborted")
                del self._running[index]

    def _count(self, index: int, before: str, after: str) -> None:
        for counts, by in ((self._record["itemCounts"], self._plan.sizes[index]), (self._record["executionCounts"], 1)):
            counts[before] -= by
            counts[after] += by

    def _tell(self, event: str, **details: str) -> None:
        """Into the parent's history."""
        stepfunctions._add_event(
            self._parent, event, {f"{event[0].lower()}{event[1:]}EventDetails": details} if details else None
        )
