"""Stopping the candidates of a run of the algorithm ``auto`` with the run that they belong to.

Each is an execution of its own. Step Functions stops those of a run that ends before its time as well as it can, and promises
nothing; the jobs that they wait for it does not know.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sageline.errors import RunNotFound
from sageline.failures.advice import advice
from sageline.failures.execution_failure import STOP_CAUSE, STOP_ERROR
from sageline.failures.failure import Failure
from sageline.jobs.stopping import stop_jobs
from sageline.runs.context import RunContext
from sageline.runs.store import RunRecord

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


def stop_candidates(record: RunRecord, *, run: RunContext) -> list[str]:
    """Stop the executions and jobs of a run's candidates that have not come to an end of their own, and note it in their records;
    the ids of these candidates. Done twice, the second time finishes what the first has left undone.

    Their models go with what the run has deployed: :func:`sageline.deployment.discard.discard`.

    Raises:
        ClientError: AWS refuses to stop one of them.
    """
    candidates = record.details.get("candidates") or []
    return [candidate["run_id"] for candidate in candidates if _stop(candidate, record, run)]


def _stop(planned: Mapping[str, Any], whole: RunRecord, run: RunContext) -> bool:  # Any: JSON
    run_id = planned["run_id"]
    try:
        record = run.store.get(run_id)
    except RunNotFound:
        # Its execution may have begun, and it has neither a record nor a job before its first state has worked.
        _stop_execution(f"{whole.execution_arn.rpartition(':')[0]}:{run_id}", run.clients.stepfunctions)
        return True
    if record.status not in ("Running", "Stopped"):
        return False
    # As for any run: execution first, then record, then jobs. A function that is still at work finds the record Stopped.
    if record.status == "Running":
        _stop_execution(record.execution_arn, run.clients.stepfunctions)
        run.store.finish(run_id, "Stopped", error=_stopped_with(whole, record.state).to_json())
    stop_jobs(run_id, sagemaker=run.clients.sagemaker)
    return True


def _stop_execution(arn: str, stepfunctions: SFNClient) -> None:
    with contextlib.suppress(stepfunctions.exceptions.ExecutionDoesNotExist):
        stepfunctions.stop_execution(executionArn=arn, error=STOP_ERROR, cause=STOP_CAUSE)


def _stopped_with(whole: RunRecord, state: str) -> Failure:
    message = f"It was stopped in the state {state} with the run that it is a candidate of, {whole.run_id}."
    return Failure(state, STOP_ERROR, message, advice(STOP_ERROR, message))
