"""The HTTP API besides predictions: uploads, runs, endpoints."""

from __future__ import annotations

import functools
import os
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.api.batch import output_uri, read_batch_request
from sageline.api.changes import promote, roll_back, split
from sageline.api.datasets import create_upload
from sageline.api.endpoints import Endpoints
from sageline.api.runs import Runs
from sageline.api.start import IdempotentRunIds, Startable, read_run_request, start_run
from sageline.aws import clients
from sageline.aws.events import checked
from sageline.aws.http import (
    ApiEvent,
    Event,
    HttpResponse,
    endpoint_name,
    error_response,
    json_response,
    read_json_object,
    run_id,
)
from sageline.aws.logger import function_logger
from sageline.aws.settings import ApiSettings, LifetimeSettings
from sageline.deployment.lifetime import Lifetimes
from sageline.errors import RouteNotFound
from sageline.runs.store import RunStore

logger = function_logger()
app = APIGatewayHttpResolver()


@functools.cache
def settings() -> ApiSettings:
    return ApiSettings.from_environment(os.environ)


def runs() -> Runs:
    return Runs(
        store=RunStore(clients.table(settings().runs_table_name)),
        state_machine_arn=settings().state_machine_arn,
        delete_endpoint_function_name=settings().delete_endpoint_function_name,
        stepfunctions=clients.stepfunctions(),
        sagemaker=clients.sagemaker(),
        lambda_=clients.lambda_(),
    )


def endpoints() -> Endpoints:
    lifetimes = Lifetimes(LifetimeSettings.from_environment(os.environ), clients.scheduler(), clients.sagemaker())
    return Endpoints(settings().bucket_name, clients.s3(), clients.sagemaker(), lifetimes)


def event() -> Event:
    return app.current_event.raw_event


# Names are read from the event: the resolver's own pattern loses a line feed at the end of a path.


@app.post("/datasets")
def post_dataset() -> Response[str]:
    body = read_json_object(event())
    upload = create_upload(
        body,
        bucket=settings().bucket_name,
        s3=clients.s3(),
        presigner=clients.s3_presigner(),
        max_bytes=int(settings().max_upload_megabytes) << 20,
    )
    return _render(json_response(201, upload))


def run_ids() -> IdempotentRunIds:
    return IdempotentRunIds(settings().runs_table_name, clients.dynamodb(), app.lambda_context)


def start(request: Startable) -> dict[str, str]:
    return start_run(
        request,
        run_ids(),
        stepfunctions=clients.stepfunctions(),
        state_machine_arn=settings().state_machine_arn,
        status_of=lambda started: runs().show(started).status,
    )


@app.post("/pipelines")
def post_pipeline() -> Response[str]:
    return _render(json_response(202, start(read_run_request(event()))))


@app.get("/pipelines")
def list_pipelines() -> Response[str]:
    return _render(json_response(200, runs().list(app.current_event.query_string_parameters)))


@app.get("/pipelines/<run_id>")
def get_pipeline(**_: str) -> Response[str]:
    return _render(json_response(200, runs().show(run_id(event())).to_json()))


@app.delete("/pipelines/<run_id>")
def delete_pipeline(**_: str) -> Response[str]:
    return _render(json_response(200, runs().stop(run_id(event())).to_json()))


@app.get("/endpoints")
def list_endpoints() -> Response[str]:
    return _render(json_response(200, endpoints().list()))


@app.get("/endpoints/<name>")
def get_endpoint(**_: str) -> Response[str]:
    from sageline.api.columns import describe_columns  # noqa: PLC0415  # imports numpy, which no other route waits for

    name, found = endpoint_name(event()), endpoints()
    return _render(json_response(200, {**found.show(name), **describe_columns(clients.s3(), found.champion(name))}))


@app.post("/endpoints/<name>/batch")
def post_batch(**_: str) -> Response[str]:
    request = read_batch_request(event(), endpoints())
    started = start(request)
    return _render(json_response(202, {**started, "output": output_uri(request, started["run_id"], settings().bucket_name)}))


@app.patch("/endpoints/<name>")
def patch_endpoint(**_: str) -> Response[str]:
    return _render(json_response(200, split(event(), endpoints(), runs())))


@app.post("/endpoints/<name>/promote")
def post_promote(**_: str) -> Response[str]:
    return _render(json_response(202, promote(event(), endpoints(), runs(), start, run_ids())))


@app.post("/endpoints/<name>/rollback")
def post_rollback(**_: str) -> Response[str]:
    return _render(json_response(202, roll_back(event(), endpoints(), runs(), start, run_ids())))


@app.not_found
def no_such_route(_error: NotFoundError) -> Response[str]:
    http = event()["requestContext"]["http"]
    return _render(error_response(RouteNotFound(f"There is no {http['method']} {http['path']}."), logger))


def failed(error: Exception) -> Response[str]:
    return _render(error_response(error, logger))


app.exception_handler(Exception)(failed)


def _render(answer: HttpResponse) -> Response[str]:
    return Response(status_code=answer["statusCode"], body=answer["body"], headers=answer["headers"])


@logger.inject_lambda_context
@checked
def handler(event: ApiEvent, context: LambdaContext) -> dict[str, Any]:  # what the resolver returns
    return app.resolve(event, context)
