"""List, show and stop runs. What is shown is true even when the execution died and could not write its record.

A run whose record is damaged, or whose execution cannot be looked at, is shown as Unknown: it hides no other run.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from sageline.api.answers import RunList, run_json
from sageline.api.unknown_status import LOOKING_SECONDS, UNKNOWN
from sageline.aws.errors import error_summary
from sageline.aws.http import check_keys, shortened
from sageline.errors import ConcurrentModification, DamagedRecord, EndpointNotReady, InvalidRequest, RunFinished, RunNotFound
from sageline.failures.candidates import stop_candidates
from sageline.failures.execution_failure import STOP_CAUSE, STOP_ERROR, execution_failure, stopped_on_request
from sageline.failures.failure import Failure
from sageline.jobs.stopping import stop_jobs
from sageline.names import NAME_MAX_LENGTH, is_name, is_run_id
from sageline.runs.context import RunContext
from sageline.runs.store import RunRecord, RunStatus, iso

if TYPE_CHECKING:
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

    context: RunContext
    state_machine_arn: str
    delete_endpoint_function_name: str
    clock: Callable[[], float] = time.monotonic

    def list(self, query: Mapping[str, str]) -> RunList:
        """A page of runs, newest first. ``query``: ``limit`` (1 to 100, default 20), ``next_token``, ``name``, ``details``
        (``false``: ``states`` and ``details`` of each are left empty).

        Raises:
            InvalidRequest: an unknown parameter, a limit out of range, a token that no page gave, what is no name.
        """
        check_keys(query, known=("limit", "next_token", "name", "details"), where="query string")
        limit, name, details = _limit(query.get("limit", "20")), _name(query.get("name")), _details(query.get("details", "true"))
        page = self.context.store.list(limit=limit, next_token=query.get("next_token"), name=name, details=details)
        until = self.clock() + LOOKING_SECONDS
        shown = [self._shown(run, until) for run in page.runs]
        if not details:
            shown = [replace(run, states=[], details={}) for run in shown]
        return {"runs": [run_json(run) for run in shown], "next_token": page.next_token}

    def show(self, run_id: str) -> RunRecord:
        """The run as it is; Unknown where that cannot be told.

        Raises:
            RunNotFound: no such run.
        """
        try:
            recorded = self.context.store.get(run_id)
        except RunNotFound:
            return self._not_recorded(run_id)
        except DamagedRecord as damaged:
            return RunRecord(**damaged.shown)
        return self._shown(recorded)

    def get(self, run_id: str) -> RunRecord:
        """The run as it is, for whoever decides by it.

        Raises:
            RunNotFound: no such run.
            DamagedRecord: its record is not what it must be.
        """
        try:
            return self._as_it_is(self.context.store.get(run_id))
        except RunNotFound:
            return self._not_recorded(run_id)

    def stop(self, run_id: str) -> RunRecord:
        """Stop a run with its candidates, and undo what it was deploying. Stopping a stopped run again finishes what an
        earlier try left undone.

        Raises:
            RunNotFound: no such run.
            RunFinished: it has succeeded or failed.
            DamagedRecord: its record is not what it must be.
            EndpointNotReady: its endpoint is in the middle of a change; stop it again to undo that.
        """
        try:
            run = self.context.store.get(run_id)
        except RunNotFound:
            return self._stop_before_it_is_recorded(run_id)
        # Execution first, then record, then the rest: a function that is still at work finds the record Stopped, and undoes
        # what it makes.
        if run.status == "Running":
            self._stop_execution(run.execution_arn)
            self.context.store.finish(run_id, "Stopped", error=stopped_on_request(run.state).to_json())
            run = self.context.store.get(run_id)
        if run.status != "Stopped":
            raise RunFinished(f"Run {run_id} has ended already, as {run.status}; there is nothing to stop.")
        stop_candidates(run, run=self.context)
        stop_jobs(run_id, sagemaker=self.context.clients.sagemaker)
        self._discard(run_id)
        return run

    def _shown(self, run: RunRecord, until: float | None = None) -> RunRecord:
        if run.status == "Running" and until is not None and self.clock() >= until:
            return _unknown(run, "NotLookedAt", "There was no time left to look at the run's execution.", "Ask for fewer runs.")
        try:
            return self._as_it_is(run)
        except DamagedRecord as damaged:
            return RunRecord(**damaged.shown)
        except (ClientError, BotoCoreError) as error:
            return _unknown(
                run,
                "ExecutionNotDescribed",
                f"Step Functions does not say how the run's execution is ({error_summary(error)}).",
                "Ask again. If it stays so, look for the execution in Step Functions: the record may name another one.",
            )

    def _as_it_is(self, run: RunRecord) -> RunRecord:
        """A run whose execution died without a word is not running, whatever its record says."""
        if run.status != "Running":
            return run
        execution = self._execution(run.execution_arn)
        if execution is not None and _STATUS_OF_EXECUTION.get(execution["status"]) == "Running":
            return run
        # The record is written before the execution ends, and may have been read before that.
        run = self.context.store.get(run.run_id)
        return run if run.status != "Running" else replace(run, **_execution_status(run.state, execution))

    def _not_recorded(self, run_id: str) -> RunRecord:
        """A run that the API has started and that has not claimed its record yet, or could not."""
        arn = self.state_machine_arn.replace(":stateMachine:", ":execution:") + f":{run_id}"
        execution = self._execution(arn) if is_run_id(run_id) else None
        if execution is None:
            raise RunNotFound(f"No run {run_id!r} is known; `GET /pipelines` lists them.")
        spec_uri, batch_input, endpoint = _given(execution.get("input", "{}"))
        started = iso(execution["startDate"])
        run = RunRecord(
            run_id=run_id,
            name=run_id.rsplit("-", 2)[0],
            execution_arn=arn,
            created_at=started,
            updated_at=iso(execution["stopDate"]) if "stopDate" in execution else started,
            dataset_uri=spec_uri or batch_input,
            endpoint_name=endpoint,
        )
        return replace(run, **_execution_status(run.state, execution))

    def _stop_before_it_is_recorded(self, run_id: str) -> RunRecord:
        run = self._not_recorded(run_id)
        if run.status != "Running":
            raise RunFinished(f"Run {run_id} has ended already, as {run.status}; there is nothing to stop.")
        self._stop_execution(run.execution_arn)
        return self.get(run_id)

    def _stop_execution(self, arn: str) -> None:
        stepfunctions = self.context.clients.stepfunctions
        # One that ended over 90 days ago is not there any more.
        with contextlib.suppress(stepfunctions.exceptions.ExecutionDoesNotExist):
            stepfunctions.stop_execution(executionArn=arn, error=STOP_ERROR, cause=STOP_CAUSE)

    def _execution(self, arn: str) -> DescribeExecutionOutputTypeDef | None:
        stepfunctions = self.context.clients.stepfunctions
        try:
            return stepfunctions.describe_execution(executionArn=arn)
        except stepfunctions.exceptions.ExecutionDoesNotExist:
            return None  # never was, or ended over 90 days ago

    def _discard(self, run_id: str) -> None:
        payload = json.dumps({"action": "discard", "run_id": run_id})
        try:
            answer = self.context.clients.lambda_.invoke(FunctionName=self.delete_endpoint_function_name, Payload=payload)
        except ReadTimeoutError:
            raise _still_undoing(run_id) from None
        if "FunctionError" in answer:
            failure = json.loads(answer["Payload"].read())
            if failure.get("errorType") in (EndpointNotReady.__name__, ConcurrentModification.__name__):
                raise _still_undoing(run_id)
            raise RuntimeError(f"Undoing the deployment of run {run_id} failed: {failure}")


def _still_undoing(run_id: str) -> EndpointNotReady:
    return EndpointNotReady(
        f"Run {run_id} is stopped, and its endpoint is still being changed; stop it again (DELETE /pipelines/{run_id}) to undo "
        "the rest.",
        run_id=run_id,
    )


def _given(document: str) -> tuple[str | None, str | None, str | None]:
    """The data's URI, a batch's input and its endpoint, of an execution's input; somebody may have started it by hand."""

    def text(*path: str) -> str | None:
        value = trigger
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value if isinstance(value, str) else None

    try:
        trigger = json.loads(document)
    except (ValueError, RecursionError):
        trigger = None
    uri = text("spec", "dataset", "uri") or text("dataset", "uri")
    return uri, text("batch", "input"), text("batch", "endpoint")


def _unknown(run: RunRecord, name: str, message: str, advice: str) -> RunRecord:
    return replace(run, status=UNKNOWN, error=Failure(run.state, name, message, advice).to_json())


def _name(text: str | None) -> str | None:
    if text is not None and not is_name(text):
        raise InvalidRequest(
            f"`name` is {shortened(text)!r}; runs have names of lower-case letters, digits and single hyphens, at most "
            f"{NAME_MAX_LENGTH}.",
            key="name",
        )
    return text


def _details(text: str) -> bool:
    if text not in ("true", "false"):
        raise InvalidRequest(f"`details` is {shortened(text)!r}; use true or false.", key="details")
    return text == "true"


def _limit(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= MAX_PAGE:
        raise InvalidRequest(f"`limit` is {shortened(text)!r}; use a number from 1 to {MAX_PAGE}.", key="limit")
    return int(text)


def _execution_status(state: str, execution: DescribeExecutionOutputTypeDef | None) -> dict[str, Any]:  # fields of a record
    """How a run ended, according to its execution: ``status``, and ``error`` unless it runs or has succeeded."""
    if execution is None:
        gone = "The run's execution is not there any more; Step Functions keeps executions for 90 days."
        return {"status": "Failed", "error": Failure(state, "ExecutionDoesNotExist", gone, _LEFT_BEHIND).to_json()}
    status = _STATUS_OF_EXECUTION.get(execution["status"], "Failed")
    if status in ("Running", "Succeeded"):
        return {"status": status}
    ended = execution_failure(state, execution["status"], execution.get("error"), execution.get("cause"))
    return {"status": status, "error": replace(ended, advice=_LEFT_BEHIND).to_json()}
