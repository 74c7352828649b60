"""EncodeBatch: encode a batch's raw rows for the transform job."""

from __future__ import annotations

import os

from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.aws.events import checked
from sageline.aws.logger import function_logger
from sageline.aws.settings import RunSettings
from sageline.batch.batch import EncodedBatch
from sageline.batch.encode import encode_batch
from sageline.runs.context import RunContext
from sageline.runs.payloads import RunEvent

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: RunEvent, context: LambdaContext) -> EncodedBatch:
    logger.append_keys(run_id=event["run_id"])
    encoded = encode_batch(event["run_id"], run=RunContext(RunSettings.from_environment(os.environ)))
    logger.info("Batch encoded", rows=encoded["rows"], parts=encoded["parts"])
    return encoded
