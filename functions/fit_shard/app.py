"""FitShard: count a shard's rows, and fit the encoder's state to those of them that train."""

from __future__ import annotations

import os

from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.aws.events import checked
from sageline.aws.logger import function_logger
from sageline.aws.settings import RunSettings
from sageline.preparation.shards.read_shard import fit_shard
from sageline.runs.context import RunContext
from sageline.runs.payloads import FitShardEvent, ShardDone

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: FitShardEvent, context: LambdaContext) -> ShardDone:
    logger.append_keys(run_id=event["run_id"], round=event["round"], shard=event["shard"])
    run = RunContext(RunSettings.from_environment(os.environ))
    fit_shard(event["run_id"], event["round"], event["shard"], run_files=run.files)
    logger.info("Shard counted")
    return {"shard": event["shard"]}
