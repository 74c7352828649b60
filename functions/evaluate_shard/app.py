"""EvaluateShard: read some of a model's answers and score them, or encode some of the test rows for the model in service."""

from __future__ import annotations

import os

from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.aws.events import checked
from sageline.aws.logger import function_logger
from sageline.aws.settings import RunSettings
from sageline.evaluation.shards.work import evaluate_shard
from sageline.runs.context import RunContext
from sageline.runs.payloads import EvaluateShardEvent, ShardDone

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: EvaluateShardEvent, context: LambdaContext) -> ShardDone:
    logger.append_keys(run_id=event["run_id"], work=event["work"], shard=event["shard"])
    run = RunContext(RunSettings.from_environment(os.environ))
    evaluate_shard(event["run_id"], event["work"], event["shard"], run_files=run.files)
    logger.info("Shard evaluated")
    return {"shard": event["shard"]}
