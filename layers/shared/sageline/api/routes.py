"""The routes of the HTTP API besides predictions: which function of this package answers which request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.api.answers import RunStarted, ShownEndpoint, run_json
from sageline.api.batch import batch_started, read_batch_request
from sageline.api.changes import promote, roll_back, split
from sageline.api.datasets import create_upload, read_completion
from sageline.api.endpoints import Endpoints
from sageline.api.runs import Runs
from sageline.api.start import IdempotentRunIds, Startable, read_run_request, start_run
from sageline.aws.http import (
    ErrorLog,
    Event,
    HttpResponse,
    endpoint_name,
    error_response,
    json_response,
    read_json_object,
    run_id,
)
from sageline.aws.settings import ApiSettings, LifetimeSettings
from sageline.errors import RouteNotFound
from sageline.runs.context import RunContext

resolver = APIGatewayHttpResolver()


@dataclass(frozen=True)
class Api:
    """What the routes work with; the resolver is given one for each event, as ``context["api"]``."""

    run: RunContext
    settings: ApiSettings
    lifetime: LifetimeSettings
    lambda_context: LambdaContext
    log: ErrorLog

    @cached_property
    def runs(self) -> Runs:
        return Runs(self.run, self.settings.state_machine_arn, self.settings.delete_endpoint_function_name)

    @cached_property
    def endpoints(self) -> Endpoints:
        return Endpoints(self.run, self.lifetime)

    @cached_property
    def run_ids(self) -> IdempotentRunIds:
        return IdempotentRunIds(self.settings.runs_table_name, self.run.clients.dynamodb, self.lambda_context)

    def start(self, request: Startable) -> RunStarted:
        """Start a run."""
        return start_run(request, self.run_ids, self.runs)


def routable(event: Event) -> dict[str, Any]:  # an event
    """The event with a path that the resolver finds: its pattern takes not every character of a name, and API Gateway has told
    the route already."""
    route = str(event.get("routeKey", "")).partition(" ")[2]
    if "{" not in route:
        return dict(event)
    stage = event["requestContext"].get("stage", "$default")
    path = re.sub(r"\{(\w+)\}", r"\1", route)
    return {**event, "rawPath": path if stage == "$default" else f"/{stage}{path}"}


def _api() -> Api:
    api: Api = resolver.context["api"]
    return api


def _event() -> Event:
    """Names are read from it: the resolver's own pattern loses a line feed at the end of a path."""
    return resolver.current_event.raw_event


def _answer(status: int, body: object) -> Response[str]:
    return _render(json_response(status, body))


def _render(answer: HttpResponse) -> Response[str]:
    return Response(status_code=answer["statusCode"], body=answer["body"], headers=answer["headers"])


@resolver.post("/datasets")
def post_dataset() -> Response[str]:
    api = _api()
    return _answer(
        201, create_upload(read_json_object(_event()), max_bytes=int(api.settings.max_upload_megabytes) << 20, run=api.run)
    )


@resolver.post("/datasets/<name>/complete")
def post_complete(**_: str) -> Response[str]:
    api = _api()
    return _answer(202, api.start(read_completion(_event(), api.run)))


@resolver.post("/pipelines")
def post_pipeline() -> Response[str]:
    return _answer(202, _api().start(read_run_request(_event())))


@resolver.get("/pipelines")
def list_pipelines() -> Response[str]:
    return _answer(200, _api().runs.list(resolver.current_event.query_string_parameters))


@resolver.get("/pipelines/<run_id>")
def get_pipeline(**_: str) -> Response[str]:
    return _answer(200, run_json(_api().runs.show(run_id(_event()))))


@resolver.delete("/pipelines/<run_id>")
def delete_pipeline(**_: str) -> Response[str]:
    return _answer(200, run_json(_api().runs.stop(run_id(_event()))))


@resolver.get("/endpoints")
def list_endpoints() -> Response[str]:
    return _answer(200, _api().endpoints.list())


@resolver.get("/endpoints/<name>")
def get_endpoint(**_: str) -> Response[str]:
    from sageline.api.columns import describe_columns  # noqa: PLC0415  # imports the encoder, which no other route waits for

    api, name = _api(), endpoint_name(_event())
    shown: ShownEndpoint = {
        **api.endpoints.show(name),
        **describe_columns(api.run.clients.s3, api.endpoints.champion(name)),
    }
    return _answer(200, shown)


@resolver.get("/endpoints/<name>/schema")
def get_row_schema(**_: str) -> Response[str]:
    from sageline.api.row_schema import row_schema  # noqa: PLC0415  # imports the encoder

    api, name = _api(), endpoint_name(_event())
    return _answer(200, row_schema(api.run.clients.s3, name, api.endpoints.routing(name).champion))


@resolver.get("/openapi.json")
def get_openapi() -> Response[str]:
    from sageline.api.contract.served import openapi  # noqa: PLC0415  # read by whoever asks for it

    return _answer(200, openapi(_event()))


@resolver.post("/endpoints/<name>/batch")
def post_batch(**_: str) -> Response[str]:
    api = _api()
    request = read_batch_request(_event(), api.endpoints)
    return _answer(202, batch_started(request, api.start(request), api.settings.bucket_name))


@resolver.patch("/endpoints/<name>")
def patch_endpoint(**_: str) -> Response[str]:
    return _answer(200, split(_event(), _api().endpoints, _api().runs))


@resolver.post("/endpoints/<name>/promote")
def post_promote(**_: str) -> Response[str]:
    api = _api()
    return _answer(202, promote(_event(), api.endpoints, api.runs, api.start, api.run_ids))


@resolver.post("/endpoints/<name>/rollback")
def post_rollback(**_: str) -> Response[str]:
    api = _api()
    return _answer(202, roll_back(_event(), api.endpoints, api.runs, api.start, api.run_ids))


@resolver.not_found
def no_such_route(_error: NotFoundError) -> Response[str]:
    http = _event()["requestContext"]["http"]
    return _render(error_response(RouteNotFound(f"There is no {http['method']} {http['path']}."), _api().log))


def failed(error: Exception) -> Response[str]:
    return _render(error_response(error, _api().log))


resolver.exception_handler(Exception)(failed)
