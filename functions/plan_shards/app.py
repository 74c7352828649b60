"""PlanShards: cut a large dataset into shards; SettleShards: say where the ranges begin that were scanned."""

from __future__ import annotations

import os

from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.aws.events import checked
from sageline.aws.logger import function_logger
from sageline.aws.settings import RunSettings
from sageline.preparation.shards.plan_shards import plan_shards, settle_shards
from sageline.runs.context import RunContext
from sageline.runs.payloads import PlannedShards, PlanShardsEvent

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: PlanShardsEvent, context: LambdaContext) -> PlannedShards:
    logger.append_keys(run_id=event["run_id"])
    run = RunContext(RunSettings.from_environment(os.environ))
    use_case = plan_shards if event["action"] == "plan" else settle_shards
    planned = use_case(event["run_id"], run=run)
    logger.info("Shards planned", action=event["action"], shards=planned["shards"])
    return planned
