"""Every hour: find what nothing needs any more, report it, and delete it if the stack says so."""

from __future__ import annotations

import os

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.aws.logger import function_logger
from sageline.aws.settings import SweepSettings
from sageline.json_objects import Json
from sageline.runs.context import RunContext
from sageline.sweep.sweep import Sweep

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
def handler(event: object, context: LambdaContext) -> Json:
    settings = SweepSettings.from_environment(os.environ)
    sweep = Sweep(RunContext(settings), settings.schedule_group_name, deletes=settings.sweep_deletes == "true")
    report = sweep.report()
    for finding in report.findings:
        logger.warning("Found what nothing needs", finding=finding.to_json())
    metrics = Metrics()
    metrics.add_dimension("stack", settings.stack_name)
    metrics.add_metric("Endpoints", MetricUnit.Count, report.endpoints)
    metrics.add_metric("Leftovers", MetricUnit.Count, report.left)
    metrics.flush_metrics()
    return report.to_json()
