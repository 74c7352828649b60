"""EncodeBatch: encode a batch's raw rows for the transform job, alone or in shards."""

from __future__ import annotations

import os

from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.aws.events import checked
from sageline.aws.logger import function_logger
from sageline.aws.settings import RunSettings
from sageline.batch.batch import EncodedBatch
from sageline.batch.encode import encode_batch
from sageline.batch.shards.encode import encode_batch_shard, merge_batch
from sageline.batch.shards.plan import plan_batch_shards, settle_batch_shards
from sageline.runs.context import RunContext
from sageline.runs.payloads import EncodeBatchEvent, PlannedBatchShards, ShardDone

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: EncodeBatchEvent, context: LambdaContext) -> EncodedBatch | PlannedBatchShards | ShardDone:
    run_id, action, shard = event["run_id"], event.get("action"), event.get("shard", 0)
    logger.append_keys(run_id=run_id)
    run = RunContext(RunSettings.from_environment(os.environ))
    match action:
        case "plan" | "settle":
            planned = plan_batch_shards(run_id, run=run) if action == "plan" else settle_batch_shards(run_id, run=run)
            logger.info("Shards planned", action=action, shards=planned["shards"])
            return planned
        case "encode":
            encode_batch_shard(run_id, shard, run=run)
            logger.info("Shard encoded", shard=shard)
            return {"shard": shard}
    encoded = merge_batch(run_id, run=run) if action == "merge" else encode_batch(run_id, run=run)
    logger.info("Batch encoded", rows=encoded["rows"], parts=encoded["parts"])
    return encoded
