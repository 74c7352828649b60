"""CreateModel: make the training job's artifact a SageMaker model, once. RestoreModels: make those that are gone again."""

from __future__ import annotations

import os

from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.aws.events import checked
from sageline.aws.logger import function_logger
from sageline.aws.settings import ModelSettings
from sageline.models.create import create_model
from sageline.models.restore import restore_models
from sageline.runs.context import RunContext
from sageline.runs.payloads import CreatedModel, CreateModelEvent, RestoredModels, RestoreEvent
from sageline.training.roles import ModelRoles, named

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: CreateModelEvent | RestoreEvent, context: LambdaContext) -> CreatedModel | RestoredModels:
    logger.append_keys(run_id=event["run_id"])
    settings = ModelSettings.from_environment(os.environ)
    roles = ModelRoles(settings.sagemaker_role_arn, named(settings.network_script_role_arn), settings.serverless_model_role_arn)
    run = RunContext(settings)
    if "action" in event:
        restored = restore_models(event["run_id"], roles=roles, run=run)
        logger.info("Models restored", models=restored["restored"])
        return restored
    model = create_model(event["run_id"], event["model_artifact_uri"], roles=roles, run=run)
    logger.info("Model created", model=model["model_name"])
    return model
