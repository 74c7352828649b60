"""CheckTraining, CheckEndpoint, Bake: keep a waiting state's token. When SageMaker is done or an alarm fires, answer it, or that
of a transform's state."""

from __future__ import annotations

import os

from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.aws.events import checked
from sageline.aws.logger import function_logger
from sageline.aws.settings import RunSettings
from sageline.runs.context import RunContext
from sageline.runs.payloads import AlarmEvent, BakeEvent, ChangedEvent, WaitEvent, WaitOutcome
from sageline.waiting.check_status import handle_change, wait_for_resource
from sageline.waiting.watch_rollout import handle_alarms, wait_for_alarm

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: WaitEvent | BakeEvent | AlarmEvent | ChangedEvent, context: LambdaContext) -> WaitOutcome:
    run = RunContext(RunSettings.from_environment(os.environ))
    if "Records" in event:
        outcome = handle_alarms(event, run=run)
    elif "detail" in event:
        outcome = handle_change(event, run=run)
    elif "shifted" in event:
        logger.append_keys(run_id=event["run_id"])
        outcome = wait_for_alarm(event["run_id"], event["shifted"], event["task_token"], run=run)
    else:
        logger.append_keys(run_id=event["run_id"])
        outcome = wait_for_resource(event["run_id"], event["resource"], event["task_token"], run=run)
    logger.info(outcome)
    return {"outcome": outcome}
