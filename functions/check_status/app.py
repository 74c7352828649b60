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
from sageline.waiting.bake import wait_for_alarm, wake_by_alarm
from sageline.waiting.check_status import wait_for, wake

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: WaitEvent | BakeEvent | AlarmEvent | ChangedEvent, context: LambdaContext) -> WaitOutcome:
    run = RunContext(RunSettings.from_environment(os.environ))
    if "Records" in event:
        outcome = wake_by_alarm(event, run=run)
    elif "detail" in event:
        outcome = wake(event, run=run)
    elif "shifted" in event:
        logger.append_keys(run_id=event["run_id"])
        outcome = wait_for_alarm(event["run_id"], event["shifted"], event["task_token"], run=run)
    else:
        logger.append_keys(run_id=event["run_id"])
        outcome = wait_for(event["run_id"], event["resource"], event["task_token"], run=run)
    logger.info(outcome)
    return {"outcome": outcome}
