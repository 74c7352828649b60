"""PrepareData: split the dataset, fit the encoder, write encoded rows; or end that, when shards have done it."""

from __future__ import annotations

import os

from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.aws.events import checked
from sageline.aws.logger import function_logger
from sageline.aws.settings import RunSettings
from sageline.preparation.prepare import prepare_data
from sageline.preparation.shards.finish_shards import finish_shards
from sageline.runs.context import RunContext
from sageline.runs.payloads import PreparedData, PrepareEvent

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: PrepareEvent, context: LambdaContext) -> PreparedData:
    logger.append_keys(run_id=event["run_id"])
    use_case = finish_shards if event.get("sharded") else prepare_data
    prepared = use_case(event["run_id"], run=RunContext(RunSettings.from_environment(os.environ)))
    rows = {name: channel["rows"] for name, channel in prepared["channels"].items()}
    logger.info("Data prepared", rows=rows, test_rows=prepared["test_rows"], feature_dim=prepared["feature_dim"])
    return prepared
