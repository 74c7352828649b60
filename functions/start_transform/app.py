"""RunTransform, RunEvaluationTransform, RunChampionTransform: start a transform job of the run, and keep the state's token."""

from __future__ import annotations

import os

from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.events import checked
from sageline.logger import function_logger
from sageline.run.batch import StartTransformEvent
from sageline.run.batch_transform import start_and_wait
from sageline.run.check_status import watching
from sageline.run.context import run_context
from sageline.run.payloads import CameOfIt
from sageline.settings import RunSettings

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: StartTransformEvent, context: LambdaContext) -> CameOfIt:
    run_id = event["run_id"]
    logger.append_keys(run_id=run_id)
    run = run_context(RunSettings.from_environment(os.environ))
    purpose = event.get("purpose", "batch")
    outcome = start_and_wait(run_id, event["transform"], event["task_token"], run=run, watch=watching(run), purpose=purpose)
    logger.info(outcome)
    return {"outcome": outcome}
