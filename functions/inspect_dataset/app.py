"""Say what would be made of a dataset in S3, for the HTTP API."""

from __future__ import annotations

import os

from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.api.inspection import inspect_dataset
from sageline.aws.events import checked
from sageline.aws.http import ApiEvent, HttpResponse, error_response, json_response, read_json_object
from sageline.aws.logger import function_logger
from sageline.aws.scopes import scoped
from sageline.aws.settings import RunSettings
from sageline.runs.context import RunContext

logger = function_logger()


@logger.inject_lambda_context
@checked
@scoped(logger)
def handler(event: ApiEvent, context: LambdaContext) -> HttpResponse:
    files = RunContext(RunSettings.from_environment(os.environ)).files
    try:
        found = inspect_dataset(read_json_object(event), files)
    except Exception as error:
        return error_response(error, logger)
    logger.info("Dataset inspected", source=found["source"], rows=found["rows"])
    return json_response(200, found)
