"""Which states a run has gone through, and the seconds each took: from its execution's history, or else from its record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from botocore.exceptions import ClientError, ParamValidationError

from sageline.json_objects import Json
from sageline.runs.store import utc_now
from sageline.runs.timings import StateOutcome, StateTime, state_times
from sageline_cli.candidates import TRAINING

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import HistoryEventTypeDef

_AFTER_A_FAILURE = ("DiscardDeployment", "RecordFailure", "Failed")
_OF_CANDIDATES = ("RunCandidate", "CandidateEnded")
"""What goes on inside of TrainCandidates, for each candidate."""
_MAY_GO_ON = ("Running", "Unknown")
_LAST = ("Succeeded", "Discarded", "CandidateFailed", "Rejected", "Failed", "AlreadyStarted")


Timeline: TypeAlias = Callable[[Json], list[StateTime]]
"""The states of a run so far, in order, from its record."""


class ExecutionTimeline:
    """Exact times, from Step Functions. Who may not read them, or asks after the 90 days that they are kept, gets those that the
    run's record notes."""

    def __init__(self, stepfunctions: SFNClient, clock: Callable[[], datetime] = utc_now) -> None:
        self._stepfunctions = stepfunctions
        self._clock = clock

    def __call__(self, run: Json) -> list[StateTime]:
        try:
            pages = self._stepfunctions.get_paginator("get_execution_history").paginate(
                executionArn=run["execution_arn"], includeExecutionData=False
            )
            states = read_history([event for page in pages for event in page["events"]])
        except (ClientError, ParamValidationError):  # the record may be damaged, and name no execution
            states = read_record(run, self._clock())
        candidates = (run.get("details") or {}).get("candidates") or []
        if candidates and all(candidate.get("problem") for candidate in candidates):
            states = without_a_model(states)
        if run["status"] in _MAY_GO_ON or not states or states[-1].outcome != "running":
            return states
        # A run's record ends a moment before its execution does.
        return [*states[:-1], replace(states[-1], outcome="done" if run["status"] in ("Succeeded", "Rejected") else "failed")]


def without_a_model(states: list[StateTime]) -> list[StateTime]:
    """The states of a run none of whose candidates has a model: for the state machine their state has succeeded, as each of them
    has ended."""
    return [replace(state, outcome="failed") if _is_over(state) else state for state in states]


def _is_over(state: StateTime) -> bool:
    return state.state == TRAINING and state.outcome == "done"


def read_record(run: Json, now: datetime) -> list[StateTime]:
    """The states that a run's record notes. The last one lasts until the run's end, or still."""
    states = run.get("states") or []
    if not states:
        return []
    if run["status"] in _MAY_GO_ON:
        return state_times(states, now, "running")
    # The state that failed need not be one that is noted.
    failed_in = (run.get("error") or {}).get("state", states[-1]["state"])
    went_wrong = run["status"] in ("Failed", "Stopped") and failed_in == states[-1]["state"]
    return state_times(states, datetime.fromisoformat(run["updated_at"]), "failed" if went_wrong else "done")


def read_history(events: list[HistoryEventTypeDef]) -> list[StateTime]:
    """The states in a history of events: a state ends when the next one is entered, or the execution ends."""
    entered: list[tuple[str, datetime]] = []
    end: datetime | None = None
    stopped = False
    for event in events:
        if event["type"].endswith("StateEntered") and event["type"] != "ChoiceStateEntered":  # a choice takes no time
            name = event["stateEnteredEventDetails"]["name"]
            entered += [(name, event["timestamp"])] if name not in _OF_CANDIDATES else []
        elif event["type"] in ("ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"):
            end, stopped = event["timestamp"], event["type"] in ("ExecutionAborted", "ExecutionTimedOut")
    times: list[StateTime] = []
    for number, (state, since) in enumerate(entered, start=1):
        if state in _LAST:
            continue
        following = entered[number] if number < len(entered) else None
        until = following[1] if following else end
        failed = following[0] in _AFTER_A_FAILURE and state not in _AFTER_A_FAILURE if following else stopped
        outcome: StateOutcome = "failed" if failed else "done" if until else "running"
        now = until or datetime.now(since.tzinfo)
        times.append(StateTime(state, max((now - since).total_seconds(), 0.0), outcome))
    return times
