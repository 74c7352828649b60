"""RecordFailure: stop what still runs, and leave a record that explains itself. For the state, and for executions that ended
without coming to it."""

from __future__ import annotations

import os

from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.aws.events import checked
from sageline.aws.logger import function_logger
from sageline.aws.settings import FailureSettings
from sageline.failures.ended_execution import end_run
from sageline.failures.record import record_failure
from sageline.runs.context import RunContext
from sageline.runs.payloads import ExecutionEnded, ExecutionEndedEvent, FailureEvent, FailureRecorded

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: FailureEvent | ExecutionEndedEvent, context: LambdaContext) -> FailureRecorded | ExecutionEnded:
    settings = FailureSettings.from_environment(os.environ)
    run = RunContext(settings)
    if "detail" in event:
        ended = end_run(event["detail"], discard_function=settings.delete_endpoint_function_name, run=run)
        logger.warning("Execution ended", execution_arn=event["detail"]["executionArn"], **ended)
        return ended
    recorded = record_failure(event, run=run)
    logger.error("Run failed", run_id=recorded["run_id"], state=event["state"], error=event["error"])
    if "candidate_of" in event["trigger"]:
        return recorded  # the run that it belongs to may well succeed
    with single_metric(name="RunFailed", unit=MetricUnit.Count, value=1):
        return recorded
