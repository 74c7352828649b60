"""Predictions for the HTTP API, and the state machine's smoke test: one use case, two event shapes."""

from __future__ import annotations

import functools
import os
import uuid

from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.aws.clients import CLIENTS, sagemaker_runtime
from sageline.aws.events import checked
from sageline.aws.http import Event, HttpResponse, RouteEvent, endpoint_name, error_response
from sageline.aws.logger import function_logger
from sageline.aws.scopes import scoped
from sageline.aws.settings import ServingSettings
from sageline.runs.routing_store import RoutingStore
from sageline.serving.answer import render
from sageline.serving.predict import Predictor
from sageline.serving.request import read_prediction_request
from sageline.serving.smoke_test import SmokeTestEvent, smoke_test
from sageline.serving.stored import EncoderCache, RoutingCache

logger = function_logger()

# The HTTP API waits for 30 s, of which starting this function and reading an encoder take some.
SECONDS_FOR_PEOPLE = 24
# A model has 60 s to answer.
SECONDS_FOR_SMOKE_TEST = 65


@functools.cache
def predictor(read_timeout_seconds: int) -> Predictor:
    bucket = ServingSettings.from_environment(os.environ).bucket_name
    return Predictor(
        routing=RoutingCache(RoutingStore(CLIENTS.s3, bucket)),
        encoders=EncoderCache(CLIENTS.s3),
        runtime=sagemaker_runtime(read_timeout_seconds),
        sagemaker=lambda: CLIENTS.sagemaker,
        new_session=lambda: uuid.uuid4().hex,
    )


@logger.inject_lambda_context
@checked
@scoped(logger)
def handler(event: SmokeTestEvent | RouteEvent, context: LambdaContext) -> HttpResponse | dict[str, object]:
    settings = ServingSettings.from_environment(os.environ)
    if "action" in event:
        return smoke_test(event, predictor=predictor(SECONDS_FOR_SMOKE_TEST), s3=CLIENTS.s3, bucket=settings.bucket_name)
    try:
        response = predict(event)
    except Exception as error:
        response = error_response(error, logger)
    # 1 or 0 for each request, so that the average is the share of errors.
    with single_metric(name="PredictionErrors", unit=MetricUnit.Count, value=int(response["statusCode"] >= 500)) as metric:
        metric.add_dimension("stack", settings.stack_name)
    return response


def predict(event: Event) -> HttpResponse:
    endpoint, request = endpoint_name(event), read_prediction_request(event)
    prediction = predictor(SECONDS_FOR_PEOPLE).predict(endpoint, request)
    instances, warnings = len(prediction.predictions), len(prediction.warnings)
    logger.info("Predicted", endpoint=endpoint, variant=prediction.variant, instances=instances, warnings=warnings)
    with single_metric(name="Instances", unit=MetricUnit.Count, value=instances) as metric:
        metric.add_dimension("Endpoint", endpoint)
    return render(prediction, request.form, request.top_k)
