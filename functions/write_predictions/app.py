"""WritePredictions: decode what the transform job answered, and write it beside the rows that were asked about."""

from __future__ import annotations

import os

from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.aws.events import checked
from sageline.aws.logger import function_logger
from sageline.aws.settings import RunSettings
from sageline.batch.batch import WrittenPredictions
from sageline.batch.shards.write import join_predictions, write_batch_shard
from sageline.batch.write import write_predictions
from sageline.runs.context import RunContext
from sageline.runs.payloads import ShardDone, WritePredictionsEvent

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: WritePredictionsEvent, context: LambdaContext) -> WrittenPredictions | ShardDone:
    run_id, shard = event["run_id"], event.get("shard")
    logger.append_keys(run_id=run_id)
    run = RunContext(RunSettings.from_environment(os.environ))
    if shard is not None:
        write_batch_shard(run_id, shard, run=run)
        logger.info("Predictions for a shard written", shard=shard)
        return {"shard": shard}
    written = join_predictions(run_id, run=run) if event.get("sharded") else write_predictions(run_id, run=run)
    logger.info("Predictions written", rows=written["rows"], uri=written["uri"])
    with single_metric(name="RunSucceeded", unit=MetricUnit.Count, value=1):
        return written
