"""An execution that ended without the state machine's own way out: aborted, timed out, or failed by Step Functions itself.

RecordFailure and DiscardDeployment are states, and such an execution never comes to them. EventBridge tells of every execution
that ends; what those states would have done is done then, if it was not: the run's job and its candidates are stopped, its record
is closed, its deployment is undone.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sageline.errors import InvalidRequest, RunNotFound
from sageline.failures.candidates import stop_candidates
from sageline.failures.execution_failure import execution_failure
from sageline.jobs.stopping import stop_jobs
from sageline.runs.context import RunContext
from sageline.runs.payloads import ExecutionEnded
from sageline.runs.store import RunRecord, RunStatus
from sageline.runs.trigger import identify, parse_trigger

_log = logging.getLogger(__name__)

_OUTCOME: Mapping[str, RunStatus] = {"ABORTED": "Stopped", "TIMED_OUT": "Failed", "FAILED": "Failed"}


def end_run(
    detail: Mapping[str, Any],  # the event's, as Step Functions has it
    *,
    discard_function: str,
    run: RunContext,
) -> ExecutionEnded:
    """Close the run of an execution that ended, if nobody has; done twice, the second time does nothing.

    Args:
        detail: of the event "Step Functions Execution Status Change".
        discard_function: the name of the function that undoes a run's deployment.
    """
    record = _record_of(detail, run)
    if record is None:
        return {"run_id": "", "status": None}
    run_id = record.run_id
    if record.execution_arn != detail["executionArn"] or record.status != "Running":
        return {"run_id": run_id, "status": record.status}
    _close(record, str(detail["status"]), detail.get("error"), detail.get("cause"), run)
    try:
        stop_candidates(record, run=run)
    except (ClientError, BotoCoreError) as error:
        _log.warning("The candidates of run %s could not be stopped: %s", run_id, error)
    try:
        stop_jobs(run_id, sagemaker=run.clients.sagemaker)
    except (ClientError, BotoCoreError) as error:
        _log.warning("The job of run %s could not be stopped: %s", run_id, error)
    # By itself, so that Lambda tries again while the endpoint is in the middle of a change.
    payload = json.dumps({"action": "discard", "run_id": run_id})
    run.clients.lambda_.invoke(FunctionName=discard_function, InvocationType="Event", Payload=payload)
    return {"run_id": run_id, "status": run.store.get(run_id).status}


def end_if_dead(record: RunRecord, *, run: RunContext) -> bool:
    """Close a run whose record says that it runs, when its execution does not; whether that was so."""
    stepfunctions = run.clients.stepfunctions
    try:
        execution = stepfunctions.describe_execution(executionArn=record.execution_arn)
    except stepfunctions.exceptions.ExecutionDoesNotExist:
        gone = "The run's execution is not there any more, and the run had not ended; they are kept for 90 days."
        _close(record, "FAILED", "ExecutionDoesNotExist", gone, run)
        return True
    if execution["status"] not in _OUTCOME:
        return False
    _close(record, execution["status"], execution.get("error"), execution.get("cause"), run)
    return True


def _record_of(detail: Mapping[str, Any], run: RunContext) -> RunRecord | None:
    """The run that an execution was; None when it never claimed a record, or is no run."""
    document = detail.get("input")
    try:
        # The event leaves out what is too long for it.
        if document is None:
            document = run.clients.stepfunctions.describe_execution(executionArn=detail["executionArn"])["input"]
        return run.store.get(identify(parse_trigger(json.loads(document)), run.files.s3).run_id)
    except RunNotFound:
        return None
    except (InvalidRequest, ClientError, BotoCoreError, ValueError) as error:
        _log.warning("The execution %s belongs to no run that could be told from its input: %s", detail["executionArn"], error)
        return None


def _close(record: RunRecord, status: str, error: str | None, cause: str | None, run: RunContext) -> None:
    failure = execution_failure(record.state, status, error, cause)
    run.store.finish(record.run_id, _OUTCOME[status], error=failure.to_json(), unless_ended=True)
