"""RecordFailure: stop what still runs, and leave a record that explains itself. For the state, and for executions that ended
without coming to it."""

from __future__ import annotations

import json
import os

from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.aws import clients
from sageline.aws.events import checked
from sageline.aws.logger import function_logger
from sageline.aws.settings import FailureSettings
from sageline.failures.ended_execution import end_run
from sageline.failures.record import record_failure
from sageline.runs.context import run_context
from sageline.runs.payloads import ExecutionEnded, ExecutionEndedEvent, FailureEvent, FailureRecorded

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: FailureEvent | ExecutionEndedEvent, context: LambdaContext) -> FailureRecorded | ExecutionEnded:
    settings = FailureSettings.from_environment(os.environ)
    if "detail" in event:
        return end(event, settings)
    recorded = record_failure(
        event["execution_arn"],
        event["trigger"],
        state=event["state"],
        error=event["error"],
        cause=event["cause"],
        discard_error=event.get("discard_error"),
        run=run_context(settings),
        sagemaker=clients.sagemaker(),
        warn=logger.warning,
    )
    logger.error("Run failed", run_id=recorded["run_id"], state=event["state"], error=event["error"])
    with single_metric(name="RunFailed", unit=MetricUnit.Count, value=1):
        return recorded


def end(event: ExecutionEndedEvent, settings: FailureSettings) -> ExecutionEnded:
    def undo(run_id: str) -> None:
        # By itself, so that Lambda tries again while the endpoint is in the middle of a change.
        payload = json.dumps({"action": "discard", "run_id": run_id})
        clients.lambda_().invoke(FunctionName=settings.delete_endpoint_function_name, InvocationType="Event", Payload=payload)

    ended = end_run(
        event["detail"],
        run=run_context(settings),
        sagemaker=clients.sagemaker(),
        stepfunctions=clients.stepfunctions(),
        undo=undo,
        warn=logger.warning,
    )
    logger.warning("Execution ended", execution_arn=event["detail"]["executionArn"], **ended)
    return ended
