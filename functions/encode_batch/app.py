"""EncodeBatch: encode a batch's raw rows for the transform job."""

from __future__ import annotations

import os

from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.events import checked
from sageline.logger import function_logger
from sageline.run.batch import EncodedBatch
from sageline.run.batch_encode import encode_batch
from sageline.run.context import run_context
from sageline.run.payloads import RunEvent
from sageline.settings import RunSettings

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: RunEvent, context: LambdaContext) -> EncodedBatch:
    logger.append_keys(run_id=event["run_id"])
    encoded = encode_batch(event["run_id"], run=run_context(RunSettings.from_environment(os.environ)))
    logger.info("Batch encoded", rows=encoded["rows"], parts=encoded["parts"])
    return encoded
