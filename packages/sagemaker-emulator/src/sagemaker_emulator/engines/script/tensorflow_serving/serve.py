"""The container's ``serve``: ``python -m sagemaker_emulator.engines.script.tensorflow_serving.serve --root DIR --socket FD``."""

from __future__ import annotations

import io
import json
import traceback
from collections.abc import Mapping
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sagemaker_emulator.engines.script.tensorflow_serving.handlers import Context, Handler, ServingResponse, load_handlers
from sagemaker_emulator.engines.script.tensorflow_serving.requests import (
    UnsupportedMediaType,
    answered_type,
    attributes,
    serving_json,
)
from sagemaker_emulator.engines.script.tensorflow_serving.rest import Models, ServingError
from sagemaker_emulator.engines.script.tensorflow_serving.savedmodel import load
from sagemaker_emulator.engines.shell import serving

_CUSTOM_ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
_JSON = "application/json"


class Front:
    """What answers ``/invocations``: the container's rules, or the customer's handlers."""

    def __init__(self, models: Models, default_model: str, handler: Handler | None) -> None:
        self._models = models
        self._default_model = default_model
        self._handler = handler

    def invoke(self, body: bytes, headers: Mapping[str, str], base_url: str) -> Response:
        wanted = attributes(headers.get(_CUSTOM_ATTRIBUTES))
        if self._handler:
            return self._handled(
                self._handler, body, headers, _context(wanted, headers, base_url, self._default_model, len(body))
            )
        try:
            text = serving_json(body.decode(errors="replace"), headers.get("content-type"))
        except UnsupportedMediaType as error:
            return _error(415, str(error))
        answer = self._post(text, wanted)
        return Response(answer.content, answer.status_code, headers={"content-type": answered_type(headers.get("accept"))})

    def rest(self, name: str, version: str | None, method: str, body: bytes) -> ServingResponse:
        """TensorFlow Serving itself."""
        try:
            return ServingResponse(200, self._models.answer(name, version, method, body.decode(errors="replace")))
        except ServingError as error:
            return ServingResponse(error.status, json.dumps({"error": str(error)}).encode())

    def status(self, name: str) -> ServingResponse:
        try:
            return ServingResponse(200, self._models.status(name))
        except ServingError as error:
            return ServingResponse(error.status, json.dumps({"error": str(error)}).encode())

    def _post(self, body: object, wanted: Mapping[str, str]) -> ServingResponse:
        data = body if isinstance(body, bytes) else str(body).encode()
        name, method = wanted.get("tfs-model-name", self._default_model), wanted.get("tfs-method", "predict")
        return self.rest(name, wanted.get("tfs-model-version"), method, data)

    def _handled(self, handler: Handler, body: bytes, headers: Mapping[str, str], context: Context) -> Response:
        wanted = attributes(headers.get(_CUSTOM_ATTRIBUTES))
        try:
            content, content_type = handler(io.BytesIO(body), context, lambda data, _context: self._post(data, wanted))
        except Exception as error:  # whatever the customer's code raises
            traceback.print_exc()
            return _error(500, str(error))
        encoded = content if isinstance(content, bytes) else str(content).encode()
        return Response(encoded, headers={"content-type": content_type})


def _context(wanted: Mapping[str, str], headers: Mapping[str, str], base_url: str, default: str, length: int) -> Context:
    version = wanted.get("tfs-model-version")
    path = f"{wanted.get('tfs-model-name', default)}{f'/versions/{version}' if version else ''}"
    accept = headers.get("accept", "")
    return Context(
        model_name=wanted.get("tfs-model-name"),
        model_version=version,
        method=wanted.get("tfs-method"),
        rest_uri=f"{base_url}/v1/models/{path}:{wanted.get('tfs-method', 'predict')}",
        grpc_port=None,
        channel=None,
        custom_attributes=headers.get(_CUSTOM_ATTRIBUTES),
        request_content_type=headers.get("content-type", _JSON),
        accept_header=accept if accept not in ("", "*/*") else _JSON,
        content_length=length,
    )


def _error(status: int, message: str) -> Response:
    return Response(json.dumps({"error": message}), status, media_type=_JSON)


def application(front: Front) -> Starlette:
    """The container's routes; TensorFlow Serving's own are for the customer's handlers."""

    async def ping(_: Request) -> Response:
        return Response(status_code=200)

    async def invocations(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(front.invoke, body, dict(request.headers), str(request.base_url).rstrip("/"))

    async def rest(request: Request) -> Response:
        name, _, method = request.path_params["path"].rpartition(":")
        name, _, version = name.partition("/versions/")
        answer = await run_in_threadpool(front.rest, name, version or None, method, await request.body())
        return Response(answer.content, answer.status_code, media_type=_JSON)

    async def status(request: Request) -> Response:
        answer = front.status(request.path_params["path"])
        return Response(answer.content, answer.status_code, media_type=_JSON)

    return Starlette(
        routes=[
            Route("/ping", ping),
            Route("/invocations", invocations, methods=["POST"]),
            Route("/v1/models/{path:path}", rest, methods=["POST"]),
            Route("/v1/models/{path:path}", status, methods=["GET"]),
        ]
    )


def make(model_dir: Path, environment: Mapping[str, str]) -> Starlette:
    """Load the models and the handlers; raises CannotLoad with the reason for the endpoint."""
    servables = load(model_dir)
    named = environment.get("SAGEMAKER_TFS_DEFAULT_MODEL_NAME", "None")
    default = next(iter(servables)) if named == "None" else named
    return application(Front(Models(servables), default, load_handlers(model_dir, environment)))


if __name__ == "__main__":
    serving.run(make)
