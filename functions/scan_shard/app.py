"""ScanShard: scan a shard's ranges of text for the beginnings of records."""

from __future__ import annotations

import os

from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.aws.events import checked
from sageline.aws.logger import function_logger
from sageline.aws.settings import RunSettings
from sageline.runs.context import RunContext
from sageline.runs.payloads import ScanShardEvent, ShardDone
from sageline.storage.shards.scanning import scan_shard
from sageline.storage.shards.shard_files import ShardFiles

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: ScanShardEvent, context: LambdaContext) -> ShardDone:
    logger.append_keys(run_id=event["run_id"], shard=event["shard"])
    run = RunContext(RunSettings.from_environment(os.environ))
    scan_shard(ShardFiles(run.files, event["run_id"], event.get("folder", "")), event["shard"])
    logger.info("Shard scanned")
    return {"shard": event["shard"]}
