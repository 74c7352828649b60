"""What a stop or a kill has cost, told and tidied when the stack is up again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from sageline_local.aws import LocalClients

_INTERRUPTED = "States.ServiceRestart"
"""MiniStack's error for executions that were running when it ended."""


@dataclass(frozen=True)
class Interrupted:
    """An execution that ended because MiniStack did."""

    arn: str
    trigger: object
    """The execution's input."""
    state: str
    """The state that it was in."""

    @property
    def cause(self) -> str:
        return (
            f"The local stack was stopped or killed while the run was in the state {self.state}. "
            "Upload the dataset again, or send the request again, to start anew."
        )


def unclean_shutdown(state: Path) -> str | None:
    """What to tell of a MiniStack that was killed; None if it was shut down cleanly, or never ran. Read before it starts."""
    if (state / "clean").exists() or not (state / "saved").exists():
        return None
    saved = datetime.fromtimestamp((state / "saved").stat().st_mtime)
    return (
        f"MiniStack was killed. It saved its state last at {saved:%H:%M:%S on %Y-%m-%d}: what changed after that is lost "
        "(run records, executions, logs). Objects in S3 are kept."
    )


def interrupted_runs(clients: LocalClients, state_machine_arn: str, since: float) -> list[Interrupted]:
    """Executions that MiniStack found cut off when it started, which was after ``since`` (seconds since the epoch)."""
    found = []
    pages = clients.stepfunctions.get_paginator("list_executions").paginate(
        stateMachineArn=state_machine_arn, statusFilter="FAILED"
    )
    for page in pages:
        for execution in page["executions"]:
            if execution["stopDate"].timestamp() < since:
                continue
            described = clients.stepfunctions.describe_execution(executionArn=execution["executionArn"])
            if described.get("error") == _INTERRUPTED:
                state = _last_state(clients, execution["executionArn"])
                found.append(Interrupted(execution["executionArn"], json.loads(described.get("input", "{}")), state))
    return found


def record(clients: LocalClients, functions: Mapping[str, str], run: Interrupted) -> str:
    """Do for the run what the state machine does on a failure: stop its job, write the record, undo its deployment.

    Returns:
        A sentence for a person.
    """
    failure = {"execution_arn": run.arn, "trigger": run.trigger, "state": run.state, "error": _INTERRUPTED, "cause": run.cause}
    name = run.arn.rpartition(":")[2]
    try:
        recorded = _invoke(clients, functions["RecordFailureFunction"], failure)
        name = recorded.get("run_id") or name
        _invoke(clients, functions["DeleteEndpointFunction"], {"action": "discard", "run_id": name})
    except (ClientError, BotoCoreError, KeyError, ValueError) as error:
        return f"The run {name} was interrupted in the state {run.state}, and could not be recorded as failed: {error}"
    return f"The run {name} was interrupted in the state {run.state} and is recorded as failed."


def failed_jobs(clients: LocalClients, since: float) -> list[str]:
    """Sentences on training jobs that SageMaker found cut off when it started, which was after ``since``."""
    jobs = clients.sagemaker.list_training_jobs(
        StatusEquals="Failed", LastModifiedTimeAfter=datetime.fromtimestamp(since, UTC), MaxResults=100
    )["TrainingJobSummaries"]
    return [f"The training job {job['TrainingJobName']} was running and is Failed now." for job in jobs]


def _invoke(clients: LocalClients, function: str, payload: object) -> dict[str, str]:
    """A function's answer.

    Raises:
        ValueError: the function failed; with its message.
    """
    response = clients.lambda_.invoke(FunctionName=function, Payload=json.dumps(payload).encode())
    answer: dict[str, str] = json.loads(response["Payload"].read() or b"{}")
    if response.get("FunctionError"):
        raise ValueError(f"{function} failed: {answer.get('errorMessage', answer)}")
    return answer


def _last_state(clients: LocalClients, arn: str) -> str:
    events = clients.stepfunctions.get_execution_history(executionArn=arn, reverseOrder=True, maxResults=1000)["events"]
    return next((event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event), "unknown")
