"""Delete an endpoint for the HTTP API, or when its time to live is over; or undo a run's deployment. Three event shapes."""

from __future__ import annotations

import os

from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.aws.events import checked
from sageline.aws.http import HttpResponse, endpoint_name, error_response, json_response
from sageline.aws.logger import function_logger
from sageline.aws.scopes import scoped
from sageline.aws.settings import DeletingSettings
from sageline.deployment.delete import delete_endpoint, expire
from sageline.deployment.discard import discard
from sageline.runs.context import RunContext
from sageline.runs.payloads import Deleted, Discarded, DiscardEvent, ExpireEvent, HttpEvent

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
@scoped(logger)
def handler(event: DiscardEvent | ExpireEvent | HttpEvent, context: LambdaContext) -> Discarded | Deleted | HttpResponse:
    settings = DeletingSettings.from_environment(os.environ)
    run, group = RunContext(settings), settings.schedule_group_name
    if "action" not in event:
        try:
            deleted = delete_endpoint(endpoint_name(event), schedule_group=group, run=run)
        except Exception as error:
            return error_response(error, logger)
        logger.info("Endpoint deleted", **deleted)
        return json_response(200, deleted)
    if event["action"] == "expire":
        deleted = expire(event["endpoint"], event["expires_at"], schedule_group=group, run=run)
        logger.info("Endpoint deleted", **deleted, expires_at=event["expires_at"])
        return deleted
    logger.append_keys(run_id=event["run_id"])
    discarded = discard(event["run_id"], schedule_group=group, run=run)
    logger.info("Deployment discarded", discarded=discarded["discarded"])
    return discarded
