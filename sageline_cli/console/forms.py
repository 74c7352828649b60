"""Forms that pages send, read whole before the page's function is called in a thread of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from sageline_cli.errors import CommandFailed

Form: TypeAlias = dict[str, str]
"""Names of fields to what they hold."""

_MOST_BYTES, _MOST_FIELDS = 1 << 20, 2_000
_MOST_PART_BYTES = 6_000_000
"""Of a field that is no file: more than that the HTTP API takes in no request."""


def with_form(page: Callable[[Request, Form], Response]) -> Callable[[Request], Awaitable[Response]]:
    """A page that is given a form of texts, each of another name (``application/x-www-form-urlencoded``)."""

    async def answer(request: Request) -> Response:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > _MOST_BYTES:
                raise CommandFailed(f"The form has more than {_MOST_BYTES:,} bytes.", "InvalidRequest")
        fields = parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        return await run_in_threadpool(page, request, dict(fields))

    return answer


def with_parts(page: Callable[[Request, FormData], Response]) -> Callable[[Request], Awaitable[Response]]:
    """A page that is given a form with a file, or with several fields of a name. Files are read from the disk, not held in
    memory."""

    async def answer(request: Request) -> Response:
        async with request.form(max_files=1, max_fields=_MOST_FIELDS, max_part_size=_MOST_PART_BYTES) as form:
            return await run_in_threadpool(page, request, form)

    return answer


def whole_number(form: Form, name: str) -> int:
    """A field that must be a number from 0 on; -1 where it is none."""
    text = form.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else -1


def text_of(form: FormData, name: str) -> str:
    """A field's text; empty where it was not sent, or is a file."""
    value = form.get(name)
    return value if isinstance(value, str) else ""
