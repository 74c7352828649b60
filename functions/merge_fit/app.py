"""MergeFit: merge what the shards have counted, and say what is to be read next."""

from __future__ import annotations

import os

from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.aws.events import checked
from sageline.aws.logger import function_logger
from sageline.aws.settings import RunSettings
from sageline.preparation.shards.merge_fit import merge_fit, merge_group
from sageline.runs.context import RunContext
from sageline.runs.payloads import GroupMerged, MergedFit, MergeFitEvent

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: MergeFitEvent, context: LambdaContext) -> MergedFit | GroupMerged:
    logger.append_keys(run_id=event["run_id"], round=event["round"])
    run = RunContext(RunSettings.from_environment(os.environ))
    if "group" in event:
        merge_group(event["run_id"], event["round"], event["group"], run_files=run.files)
        logger.info("Group merged", group=event["group"])
        return {"group": event["group"]}
    merged = merge_fit(event["run_id"], event["round"], run=run)
    logger.info("Shards merged", again=merged["again"], next_round=merged["round"])
    return merged
