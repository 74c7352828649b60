"""StartTraining: start the run's training job, once."""

from __future__ import annotations

import os

from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.aws.events import checked
from sageline.aws.logger import function_logger
from sageline.aws.settings import SageMakerSettings
from sageline.runs.context import RunContext
from sageline.runs.payloads import Resource, StartTrainingEvent
from sageline.training.roles import JobRoles, named
from sageline.training.start import start_training

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: StartTrainingEvent, context: LambdaContext) -> Resource:
    logger.append_keys(run_id=event["run_id"])
    settings = SageMakerSettings.from_environment(os.environ)
    roles = JobRoles(settings.sagemaker_role_arn, named(settings.network_script_role_arn))
    job = start_training(event["run_id"], event["prepared"], roles=roles, run=RunContext(settings))
    logger.info("Training job started", job=job["name"])
    return job
