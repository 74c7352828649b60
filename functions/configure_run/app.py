"""ConfigureRun: claim a run for its trigger, and write its spec with every default filled in."""

from __future__ import annotations

import os

from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.aws.events import checked
from sageline.aws.logger import function_logger
from sageline.aws.settings import ConfigureSettings
from sageline.configuration.configure import StackOptions, configure
from sageline.runs.context import RunContext
from sageline.runs.payloads import Configured, ConfigureEvent

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: ConfigureEvent, context: LambdaContext) -> Configured:
    settings = ConfigureSettings.from_environment(os.environ)
    stack = StackOptions(
        check_interval_seconds=int(settings.check_interval_seconds),
        network_allowed=settings.allow_script_network == "true",
        max_workers=int(settings.max_workers),
    )
    configured = configure(event["execution_arn"], event["trigger"], run=RunContext(settings), stack=stack)
    logger.info("Run configured", run_id=configured["run_id"], endpoint=configured["endpoint_name"])
    if configured["then"] == "candidate":
        return configured
    with single_metric(name="RunStarted", unit=MetricUnit.Count, value=1):
        return configured
