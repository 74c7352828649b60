"""CreateModel: make the training job's artifact a SageMaker model, once. RestoreModels: make those that are gone again."""

from __future__ import annotations

import os

from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline import clients
from sageline.events import checked
from sageline.logger import function_logger
from sageline.run.context import run_context
from sageline.run.create_model import create_model
from sageline.run.payloads import CreatedModel, CreateModelEvent, RestoredModels, RestoreEvent
from sageline.run.restore import restore_models
from sageline.settings import SageMakerSettings

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: CreateModelEvent | RestoreEvent, context: LambdaContext) -> CreatedModel | RestoredModels:
    logger.append_keys(run_id=event["run_id"])
    settings = SageMakerSettings.from_environment(os.environ)
    if "action" in event:
        restored = restore_models(
            event["run_id"],
            role_arn=settings.sagemaker_role_arn,
            region=settings.aws_region,
            run=run_context(settings),
            sagemaker=clients.sagemaker(),
        )
        logger.info("Models restored", models=restored["restored"])
        return restored
    model = create_model(
        event["run_id"],
        event["model_artifact_uri"],
        role_arn=settings.sagemaker_role_arn,
        region=settings.aws_region,
        run=run_context(settings),
        sagemaker=clients.sagemaker(),
    )
    logger.info("Model created", model=model["model_name"])
    return model
