"""DeployEndpoint, ShiftTraffic, PromoteVariant: bring a model behind its endpoint, and give it the traffic when it was tested."""

from __future__ import annotations

import os

from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.aws.events import checked
from sageline.aws.logger import function_logger
from sageline.aws.settings import DeploySettings, LifetimeSettings
from sageline.deployment.deploy import deploy
from sageline.deployment.endpoint_logs import EndpointLogs
from sageline.deployment.promote import promote
from sageline.deployment.rollout import shift
from sageline.runs.context import RunContext
from sageline.runs.payloads import DeployedEndpoint, DeployEvent, Promoted, PromoteEvent, Shifted, ShiftEvent

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: DeployEvent | ShiftEvent | PromoteEvent, context: LambdaContext) -> DeployedEndpoint | Shifted | Promoted:
    logger.append_keys(run_id=event["run_id"])
    settings = DeploySettings.from_environment(os.environ)
    run = RunContext(settings)
    if event["action"] == "deploy":
        endpoint = deploy(event["run_id"], event["content_type"], run=run)
        EndpointLogs(run).keep(endpoint["name"], int(settings.log_retention_days))
        logger.info("Endpoint is being deployed", endpoint=endpoint["name"])
        return endpoint
    if event["action"] == "shift":
        shifted = shift(event["run_id"], event["step"], topic_arn=settings.rollout_topic_arn, run=run)
        logger.info("Traffic shifted", endpoint=shifted["endpoint"], share=shifted["share"])
        return shifted
    promoted = promote(event["run_id"], lifetime=LifetimeSettings.from_environment(os.environ), run=run)
    logger.info("Variant promoted", endpoint=promoted["endpoint_name"], variant=promoted["variant"])
    with single_metric(name="RunSucceeded", unit=MetricUnit.Count, value=1):
        return promoted
