"""Which states a run has gone through, and the seconds each took: from its execution's history."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias

from botocore.exceptions import ClientError

from cli.errors import Json

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import HistoryEventTypeDef

_AFTER_A_FAILURE = ("DiscardDeployment", "RecordFailure", "Failed")
_LAST = ("Succeeded", "Rejected", "Failed", "AlreadyStarted")


@dataclass(frozen=True)
class StateTime:
    """A state, the seconds since it was entered until it was left, and how it was left."""

    state: str
    seconds: float
    outcome: Literal["running", "done", "failed"]


Timeline: TypeAlias = Callable[[Json], list[StateTime]]
"""The states of a run so far, in order, from its record."""


class ExecutionTimeline:
    """Exact times, from Step Functions. Who may not read them gets the times at which the run was looked at."""

    def __init__(self, stepfunctions: SFNClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._stepfunctions = stepfunctions
        self._clock = clock
        self._seen: dict[str, float] = {}

    def __call__(self, run: Json) -> list[StateTime]:
        try:
            pages = self._stepfunctions.get_paginator("get_execution_history").paginate(
                executionArn=run["execution_arn"], includeExecutionData=False
            )
            states = read_history([event for page in pages for event in page["events"]])
        except ClientError:
            return self._observed(run)
        if run["status"] == "Running" or not states or states[-1].outcome != "running":
            return states
        # A run's record ends a moment before its execution does.
        return [*states[:-1], replace(states[-1], outcome="done" if run["status"] in ("Succeeded", "Rejected") else "failed")]

    def _observed(self, run: Json) -> list[StateTime]:
        now = self._clock()
        self._seen.setdefault(run["state"], now)
        entered = [*self._seen.items(), ("", now)]
        running = run["status"] == "Running"
        return [
            StateTime(state, after - since, "running" if running and state == run["state"] else "done")
            for (state, since), (_, after) in pairwise(entered)
        ]


def read_history(events: list[HistoryEventTypeDef]) -> list[StateTime]:
    """The states in a history of events: a state ends when the next one is entered, or the execution ends."""
    entered: list[tuple[str, datetime]] = []
    end: datetime | None = None
    stopped = False
    for event in events:
        if event["type"].endswith("StateEntered") and event["type"] != "ChoiceStateEntered":  # a choice takes no time
            entered.append((event["stateEnteredEventDetails"]["name"], event["timestamp"]))
        elif event["type"] in ("ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"):
            end, stopped = event["timestamp"], event["type"] in ("ExecutionAborted", "ExecutionTimedOut")
    times: list[StateTime] = []
    for (state, since), following in zip(entered, [*entered[1:], None], strict=True):
        if state in _LAST:
            continue
        until = following[1] if following else end
        failed = following[0] in _AFTER_A_FAILURE and state not in _AFTER_A_FAILURE if following else stopped
        outcome: Literal["running", "done", "failed"] = "failed" if failed else "done" if until else "running"
        now = until or datetime.now(since.tzinfo)
        times.append(StateTime(state, max((now - since).total_seconds(), 0.0), outcome))
    return times
