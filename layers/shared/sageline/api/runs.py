"""List, show and stop runs. What is shown is true even when the execution died and could not write its record."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ReadTimeoutError

from sageline.errors import EndpointNotReady, InvalidRequest, RunFinished, RunNotFound
from sageline.http import check_keys
from sageline.names import RUN_ID_PATTERN
from sageline.run.ends import STOP_CAUSE, STOP_ERROR, end_of, stopped_on_request
from sageline.run.failure_report import Failure
from sageline.run.stopping import stop_jobs
from sageline.store import RunRecord, RunStatus, RunStore, iso

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef

MAX_PAGE = 100

_LEFT_BEHIND = "Stop the run (`sageline stop`, DELETE /pipelines/{id}) to remove what it left behind, then start it again."

_STATUS_OF_EXECUTION: Mapping[str, RunStatus] = {
    "RUNNING": "Running",
    "PENDING_REDRIVE": "Running",
    "SUCCEEDED": "Succeeded",
    "ABORTED": "Stopped",
}  # FAILED and TIMED_OUT: Failed


@dataclass(frozen=True)
class Runs:
    """The runs of one stack."""

    store: RunStore
    state_machine_arn: str
    delete_endpoint_function_name: str
    stepfunctions: SFNClient
    sagemaker: SageMakerClient
    lambda_: LambdaClient

    def list(self, query: Mapping[str, str]) -> dict[str, object]:
        """``{"runs", "next_token"}``, newest first. ``query``: ``limit`` (1 to 100, default 20), ``next_token``, ``name``.

        Raises:
            InvalidRequest: an unknown parameter, a limit out of range, a token that no page gave.
        """
        check_keys(query, known=("limit", "next_token", "name"), where="query string")
        page = self.store.list(limit=_limit(query.get("limit", "20")), next_token=query.get("next_token"), name=query.get("name"))
        return {"runs": [self._as_it_is(run).to_json() for run in page.runs], "next_token": page.next_token}

    def get(self, run_id: str) -> RunRecord:
        """The run as it is.

        Raises:
            RunNotFound: no such run.
        """
        try:
            return self._as_it_is(self.store.get(run_id))
        except RunNotFound:
            return self._not_recorded(run_id)

    def stop(self, run_id: str) -> RunRecord:
        """Stop a run and undo what it was deploying. Stopping a stopped run again finishes what an earlier try left undone.

        Raises:
            RunNotFound: no such run.
            RunFinished: it has succeeded or failed.
            EndpointNotReady: its endpoint is in the middle of a change; stop it again to undo that.
        """
        try:
            run = self.store.get(run_id)
        except RunNotFound:
            return self._stop_before_it_is_recorded(run_id)
        # Execution first, then record, then the rest: a function that is still at work finds the record Stopped, and undoes
        # what it makes.
        if run.status == "Running":
            self._stop_execution(run.execution_arn)
            self.store.finish(run_id, "Stopped", error=stopped_on_request(run.state).to_json())
            run = self.store.get(run_id)
        if run.status != "Stopped":
            raise RunFinished(f"Run {run_id} has ended already, as {run.status}; there is nothing to stop.")
        stop_jobs(run_id, sagemaker=self.sagemaker)
        self._discard(run_id)
        return run

    def _as_it_is(self, run: RunRecord) -> RunRecord:
        """A run whose execution died without a word is not running, whatever its record says."""
        if run.status != "Running":
            return run
        execution = self._execution(run.execution_arn)
        if execution is not None and _STATUS_OF_EXECUTION.get(execution["status"]) == "Running":
            return run
        # The record is written before the execution ends, and may have been read before that.
        run = self.store.get(run.run_id)
        return run if run.status != "Running" else replace(run, **_fate(run.state, execution))

    def _not_recorded(self, run_id: str) -> RunRecord:
        """A run that the API has started and that has not claimed its record yet, or could not."""
        arn = self.state_machine_arn.replace(":stateMachine:", ":execution:") + f":{run_id}"
        execution = self._execution(arn) if re.fullmatch(RUN_ID_PATTERN, run_id) else None
        if execution is None:
            raise RunNotFound(f"No run {run_id!r} is known; `GET /pipelines` lists them.")
        trigger = json.loads(execution.get("input", "{}"))
        started = iso(execution["startDate"])
        run = RunRecord(
            run_id=run_id,
            name=run_id.rsplit("-", 2)[0],
            execution_arn=arn,
            created_at=started,
            updated_at=iso(execution["stopDate"]) if "stopDate" in execution else started,
            dataset_uri=trigger.get("spec", {}).get("dataset", {}).get("uri") or trigger.get("batch", {}).get("input"),
            endpoint_name=trigger.get("batch", {}).get("endpoint"),
        )
        return replace(run, **_fate(run.state, execution))

    def _stop_before_it_is_recorded(self, run_id: str) -> RunRecord:
        run = self._not_recorded(run_id)
        if run.status != "Running":
            raise RunFinished(f"Run {run_id} has ended already, as {run.status}; there is nothing to stop.")
        self._stop_execution(run.execution_arn)
        return self.get(run_id)

    def _stop_execution(self, arn: str) -> None:
        # One that ended over 90 days ago is not there any more.
        with contextlib.suppress(self.stepfunctions.exceptions.ExecutionDoesNotExist):
            self.stepfunctions.stop_execution(executionArn=arn, error=STOP_ERROR, cause=STOP_CAUSE)

    def _execution(self, arn: str) -> DescribeExecutionOutputTypeDef | None:
        try:
            return self.stepfunctions.describe_execution(executionArn=arn)
        except self.stepfunctions.exceptions.ExecutionDoesNotExist:
            return None  # never was, or ended over 90 days ago

    def _discard(self, run_id: str) -> None:
        payload = json.dumps({"action": "discard", "run_id": run_id})
        try:
            answer = self.lambda_.invoke(FunctionName=self.delete_endpoint_function_name, Payload=payload)
        except ReadTimeoutError:
            raise _still_undoing(run_id) from None
        if "FunctionError" in answer:
            failure = json.loads(answer["Payload"].read())
            if failure.get("errorType") == EndpointNotReady.__name__:
                raise _still_undoing(run_id)
            raise RuntimeError(f"Undoing the deployment of run {run_id} failed: {failure}")


def _still_undoing(run_id: str) -> EndpointNotReady:
    return EndpointNotReady(
        f"Run {run_id} is stopped, and its endpoint is still being changed; stop it again (DELETE /pipelines/{run_id}) to undo "
        "the rest.",
        run_id=run_id,
    )


def _limit(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= MAX_PAGE:
        raise InvalidRequest(f"`limit` is {text!r}; use a number from 1 to {MAX_PAGE}.", key="limit")
    return int(text)


def _fate(state: str, execution: DescribeExecutionOutputTypeDef | None) -> dict[str, Any]:  # fields of a record
    """What became of a run, told by its execution: ``status``, and ``error`` unless it runs or has succeeded."""
    if execution is None:
        gone = "The run's execution is not there any more; Step Functions keeps executions for 90 days."
        return {"status": "Failed", "error": Failure(state, "ExecutionDoesNotExist", gone, _LEFT_BEHIND).to_json()}
    status = _STATUS_OF_EXECUTION.get(execution["status"], "Failed")
    if status in ("Running", "Succeeded"):
        return {"status": status}
    ended = end_of(state, execution["status"], execution.get("error"), execution.get("cause"))
    return {"status": status, "error": replace(ended, advice=_LEFT_BEHIND).to_json()}
