"""PrepareData: split the dataset, fit the encoder, write encoded rows."""

from __future__ import annotations

import os

from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.events import checked
from sageline.logger import function_logger
from sageline.run.context import run_context
from sageline.run.payloads import PreparedData, RunEvent
from sageline.run.prepare import prepare_data
from sageline.settings import RunSettings

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: RunEvent, context: LambdaContext) -> PreparedData:
    logger.append_keys(run_id=event["run_id"])
    prepared = prepare_data(event["run_id"], run=run_context(RunSettings.from_environment(os.environ)))
    rows = {name: channel["rows"] for name, channel in prepared["channels"].items()}
    logger.info("Data prepared", rows=rows, test_rows=prepared["test_rows"], feature_dim=prepared["feature_dim"])
    return prepared
