"""WritePredictions: decode what the transform job answered, and write it beside the rows that were asked about."""

from __future__ import annotations

import os

from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.events import checked
from sageline.logger import function_logger
from sageline.run.batch import WrittenPredictions
from sageline.run.batch_write import write_predictions
from sageline.run.context import run_context
from sageline.run.payloads import RunEvent
from sageline.settings import RunSettings

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: RunEvent, context: LambdaContext) -> WrittenPredictions:
    logger.append_keys(run_id=event["run_id"])
    written = write_predictions(event["run_id"], run=run_context(RunSettings.from_environment(os.environ)))
    logger.info("Predictions written", rows=written["rows"], uri=written["uri"])
    with single_metric(name="RunSucceeded", unit=MetricUnit.Count, value=1):
        return written
