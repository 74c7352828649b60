"""RecordFailure: stop what still runs, and leave a record that explains itself."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from botocore.exceptions import BotoCoreError, ClientError

from sageline.errors import InvalidRequest, RunNotFound
from sageline.failures.advice import advice
from sageline.failures.candidates import stop_candidates
from sageline.failures.failure import Failure, explain, read_cause
from sageline.jobs.stopping import stop_jobs
from sageline.runs.context import RunContext
from sageline.runs.payloads import FailureEvent, FailureRecorded
from sageline.runs.store import RunRecord
from sageline.runs.trigger import Identity, dataset_uri, identify, parse_trigger

_log = logging.getLogger(__name__)


def record_failure(event: FailureEvent, *, run: RunContext) -> FailureRecorded:
    """Write why the run failed into its record, and stop its job and its candidates if they are still running.

    The run may not have a record yet, and the input may be nothing that a run could be made of: there is always an answer.
    A run that another execution has claimed is left alone. What goes wrong here, and does not keep the failure from being
    recorded, is logged.
    """
    execution_arn, state = event["execution_arn"], event["state"]
    kind, message = read_cause(event["error"], event["cause"])
    identity, uri = _identify(event["trigger"], run)
    if identity is None:
        return {"run_id": "", "message": explain(message, (), advice(kind, message))}
    run_id = identity.run_id
    try:
        record = run.store.get(run_id)
    except RunNotFound:
        new = RunRecord(run_id=run_id, name=identity.name, execution_arn=execution_arn, dataset_uri=uri, state=state)
        record = run.store.claim(new, listed="candidate_of" not in event["trigger"])
    failure = _failure(record, state, kind, message, event.get("discard_error"))
    if record.execution_arn == execution_arn:
        _stop(record, run)
        run.store.finish(run_id, "Failed", state=failure.state, error=failure.to_json())
    return {"run_id": run_id, "message": explain(failure.message, failure.log_lines, failure.advice)}


def _identify(trigger_document: Mapping[str, object], run: RunContext) -> tuple[Identity | None, str | None]:
    try:
        trigger = parse_trigger(trigger_document)
        return identify(trigger, run.files.s3), dataset_uri(trigger)
    except (InvalidRequest, ClientError, BotoCoreError) as error:
        _log.warning("The failure belongs to no run that could be told from the execution's input: %s", error)
        return None, None


def _failure(record: RunRecord, state: str, kind: str, message: str, discard_error: str | None) -> Failure:
    # Who waited has noted what SageMaker said of a job or endpoint; the message of the task has it all in one text. Who chose
    # among candidates that were all refused for the same has noted in which of their states. A run that went on after such a
    # failure (the champion's) may fail of another.
    noted = record.details.get("failure", {})
    if not message.startswith(noted.get("message", message)):
        noted = {}
    short = noted.get("message", message)
    reason = noted.get("failure_reason")
    what_to_try = advice(kind, reason or short)
    if discard_error:
        what_to_try += (
            f" What the run had deployed could not be removed ({_last_words(discard_error)}): look at the endpoint "
            f"{record.endpoint_name} and delete it if it is not needed."
        )
    return Failure(
        noted.get("state", state), kind, short, what_to_try, noted.get("job"), reason, tuple(noted.get("log_lines", ()))
    )


def _last_words(discard_error: str) -> str:
    """The message in ``<error>: <cause>``."""
    kind, _, cause = discard_error.partition(": ")
    return read_cause(kind, cause)[1].rstrip(".")


def _stop(record: RunRecord, run: RunContext) -> None:
    try:
        stop_candidates(record, run=run)
    except (ClientError, BotoCoreError) as error:
        _log.warning("The candidates of run %s could not be stopped: %s", record.run_id, error)
    try:
        stop_jobs(record.run_id, sagemaker=run.clients.sagemaker)
    except (ClientError, BotoCoreError) as error:
        _log.warning("The job of run %s could not be stopped: %s", record.run_id, error)
