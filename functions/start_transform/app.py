"""RunTransform, RunEvaluationTransform, RunChampionTransform: start a transform job of the run, and keep the state's token."""

from __future__ import annotations

import os

from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.aws.events import checked
from sageline.aws.logger import function_logger
from sageline.aws.settings import RunSettings
from sageline.batch.batch import StartTransformEvent
from sageline.runs.context import RunContext
from sageline.runs.payloads import WaitOutcome
from sageline.waiting.start_transform import start_and_wait

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: StartTransformEvent, context: LambdaContext) -> WaitOutcome:
    run_id = event["run_id"]
    logger.append_keys(run_id=run_id)
    run, purpose = RunContext(RunSettings.from_environment(os.environ)), event.get("purpose", "batch")
    outcome = start_and_wait(run_id, event["transform"], event["task_token"], purpose=purpose, run=run)
    logger.info(outcome)
    return {"outcome": outcome}
