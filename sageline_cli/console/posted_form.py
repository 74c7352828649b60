"""Forms that a page sends, read before the page's function is called."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

_MOST_BYTES = 6_000_000
"""Of a field that is no file: more than that the HTTP API takes in no request."""
_MOST_FIELDS = 1500


def posted(page: Callable[[Request, FormData], Response]) -> Callable[[Request], Awaitable[Response]]:
    """A page that takes the form that was sent to it. Files are read from the disk, not held in memory."""

    async def answer(request: Request) -> Response:
        async with request.form(max_files=1, max_fields=_MOST_FIELDS, max_part_size=_MOST_BYTES) as form:
            return await run_in_threadpool(page, request, form)

    return answer


def text_of(form: FormData, name: str) -> str:
    """A field's text; empty where it was not sent, or is a file."""
    value = form.get(name)
    return value if isinstance(value, str) else ""
