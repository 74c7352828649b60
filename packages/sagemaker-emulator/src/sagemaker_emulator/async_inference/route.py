"""``POST /endpoints/{name}/async-invocations``."""

from __future__ import annotations

import logging
import uuid

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sagemaker_emulator.async_inference.accept import OPERATION, invoke_endpoint_async
from sagemaker_emulator.async_inference.dispatch import Dispatcher
from sagemaker_emulator.callers import Callers
from sagemaker_emulator.errors import ServiceError
from sagemaker_emulator.hosting import invoke
from sagemaker_emulator.parts import Parts

logger = logging.getLogger(__name__)


def async_route(parts: Parts, dispatcher: Dispatcher, callers: Callers) -> Route:
    """The route of InvokeEndpointAsync: 202, or an error of the runtime."""

    def run(name: str, headers: dict[str, str], body: bytes) -> invoke.Answer:
        caller = callers.identify(headers.get("authorization"))
        return invoke_endpoint_async(parts, dispatcher, caller, name, headers=headers, body=body)

    async def answer(request: Request) -> Response:
        name, body = request.path_params["name"], await request.body()
        headers = {key.lower(): value for key, value in request.headers.items()}
        try:
            accepted = await run_in_threadpool(run, name, headers, body)
        except ServiceError as error:
            return _refused(error, 403 if error.code == "AccessDeniedException" else error.status)
        except Exception:
            logger.exception("%s %s", OPERATION, name)
            message = "The local SageMaker service failed; its log has the traceback."
            return _refused(ServiceError("InternalFailure", message), 500)
        return _response(accepted.body, 202, dict(accepted.headers))

    return Route("/endpoints/{name}/async-invocations", answer, methods=["POST"])


def _refused(error: ServiceError, status: int) -> Response:
    headers = {"x-amzn-ErrorType": error.code, "Content-Type": "application/json"}
    return _response(invoke.error_body(error), status, headers)


def _response(body: bytes, status: int, headers: dict[str, str]) -> Response:
    return Response(body, status, {**headers, "x-amzn-RequestId": str(uuid.uuid4())})
