"""The console as an ASGI application: its routes, and how errors look."""

from __future__ import annotations

from pathlib import Path

import httpx
from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from sageline.errors import SagelineError
from sageline_cli.console.endpoints.costs import VariantPrices
from sageline_cli.console.guard import Address, Guard
from sageline_cli.console.job_log import JobLogs
from sageline_cli.console.pages import endpoint_changes, endpoints, runs, try_row, upload
from sageline_cli.console.stack import StackAccess
from sageline_cli.console.views import Views, is_fragment, stack_of, views_of
from sageline_cli.errors import CommandFailed, explain
from sageline_local.errors import StackNotUp

_STATIC = Path(__file__).parent / "static"
_GONE = frozenset({"Unreachable", "Timeout", "StackNotUp", "EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError"})
"""Codes of errors that say that the stack itself does not answer."""
_STATUS = {
    **dict.fromkeys(("RunNotFound", "EndpointNotFound", "DatasetNotFound", "UploadNotFound", "ReportNotFound"), 404),
    **dict.fromkeys(("ResourceConflict", "RunFinished", "IncompleteUpload"), 409),
    **dict.fromkeys(("InvalidUpload", "InvalidSpec", "InvalidRequest"), 400),
}


def create_app(stack: StackAccess, address: Address, bucket_origin: str) -> ASGIApp:
    """The console of a stack. The guard stands before all of it, also before the page of an unexpected error.

    Args:
        bucket_origin: where a page may upload files to.
    """
    app = Starlette(
        routes=[
            Mount(
                address.path,
                routes=[
                    *runs.ROUTES,
                    *upload.ROUTES,
                    *endpoints.ROUTES,
                    *endpoint_changes.ROUTES,
                    *try_row.ROUTES,
                    Route("/up", is_up),
                    Mount("/static", StaticFiles(directory=_STATIC)),
                ],
            )
        ],
        exception_handlers={
            CommandFailed: failed,
            SagelineError: failed,
            ClientError: failed,
            BotoCoreError: failed,
            httpx.HTTPError: failed,
            HTTPException: not_found,
            Exception: unexpected,
        },
    )
    app.state.stack, app.state.views = stack, Views(address.path, stack.name)
    app.state.prices, app.state.logs = VariantPrices(), JobLogs()
    return Guard(app, address, bucket_origin)


def is_up(request: Request) -> Response:
    """Whether the stack answers: what a page asks while it waits for the stack to come back."""
    stack_of(request).get().api.runs(1)
    return Response(status_code=204)


def failed(request: Request, error: Exception) -> Response:
    """What could not be done, and what to do; a page while the stack is down tries again by itself."""
    failure = explain(error)
    is_gone = failure.code in _GONE or isinstance(error, StackNotUp)
    if is_gone:
        stack_of(request).forget()
    return _error(request, 503 if is_gone else _STATUS.get(failure.code, 502), failure, is_gone=is_gone)


def unexpected(request: Request, error: Exception) -> Response:
    """A fault of the console. What it was in full, the server writes to the terminal."""
    message = (
        "The console has met with an error that it does not know; the terminal in which it runs says where. Try again. If it "
        "stays so, report it with what the terminal says."
    )
    return _error(request, 500, CommandFailed(message, type(error).__name__))


def _error(request: Request, status: int, failure: CommandFailed, *, is_gone: bool = False) -> Response:
    if request.headers.get("accept") == "application/json":  # a script of the page
        return JSONResponse(failure.to_json(), status)
    template = "error_fragment.html" if is_fragment(request) else "error.html"
    return views_of(request).page(template, status, code=failure.code, message=failure.message, is_gone=is_gone)


def not_found(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    message = f"There is no page {request.url.path.partition('/')[2].partition('/')[2]!r} here."
    return views_of(request).page("error.html", status, code="Not found", message=message, is_gone=False)
